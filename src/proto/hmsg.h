/* proto/hmsg.h - the head of one HTTP message: start line and fields, as offsets into bytes that somebody else keeps.
 *
 * Why: rules, logs and writers see one form, whoever received the message. HTTP/1 points straight into its receive
 * buffer; an HTTP/2 front appends "name: value\r\n" lines to a block of its own. Edits go to a second block, the arena,
 * and flip flags: nothing is ever moved, and moving a whole block costs one hmsg_rebase().
 * Ownership: both blocks and the field table belong to the caller; every struct str handed out borrows from a block and
 * is stale after an edit (the arena may grow) or a rebase.
 * Threads: one at a time.  Errors: edits return 0, -ENOSPC (field table full), -ENOMEM (arena full), -EINVAL (bytes that
 * could split a message); the head is unchanged then.
 * Names are lower case in both blocks (RFC 9110 5.1 makes them case-insensitive; HAProxy sends them so). */
#ifndef PROTO_HMSG_H
#define PROTO_HMSG_H

#include "base/assert.h"
#include "base/str.h"

enum hmeth {
        HMETH_OTHER,
        HMETH_GET,
        HMETH_HEAD,
        HMETH_POST,
        HMETH_PUT,
        HMETH_DELETE,
        HMETH_CONNECT,
        HMETH_OPTIONS,
        HMETH_TRACE,
        HMETH_PATCH
};

/* Fields that code asks for by number. Those before HID_FIRST_END2END describe one hop and are the writer's business;
 * no other field of this list can be dropped by naming it in Connection. */
#define HID_LIST(X)                                                                                                    \
        X(CONNECTION, "connection")                                                                                    \
        X(KEEP_ALIVE, "keep-alive")                                                                                    \
        X(PROXY_CONNECTION, "proxy-connection")                                                                        \
        X(TE, "te")                                                                                                    \
        X(UPGRADE, "upgrade")                                                                                          \
        X(HTTP2_SETTINGS, "http2-settings")                                                                            \
        X(CONTENT_LENGTH, "content-length")                                                                            \
        X(TRANSFER_ENCODING, "transfer-encoding")                                                                      \
        X(HOST, "host")                                                                                                \
        X(TRAILER, "trailer")                                                                                          \
        X(EXPECT, "expect")                                                                                            \
        X(DATE, "date")                                                                                                \
        X(SERVER, "server")                                                                                            \
        X(COOKIE, "cookie")                                                                                            \
        X(SET_COOKIE, "set-cookie")                                                                                    \
        X(X_FORWARDED_FOR, "x-forwarded-for")                                                                          \
        X(X_FORWARDED_PROTO, "x-forwarded-proto")                                                                      \
        X(X_FORWARDED_HOST, "x-forwarded-host")                                                                        \
        X(X_FORWARDED_PORT, "x-forwarded-port")                                                                        \
        X(X_ORIGINAL_TO, "x-original-to")                                                                              \
        X(X_REAL_IP, "x-real-ip")                                                                                      \
        X(X_REQUEST_ID, "x-request-id")                                                                                \
        X(FORWARDED, "forwarded")                                                                                      \
        X(VIA, "via")                                                                                                  \
        X(LOCATION, "location")                                                                                        \
        X(ACCEPT, "accept")                                                                                            \
        X(ACCEPT_ENCODING, "accept-encoding")                                                                          \
        X(ACCEPT_LANGUAGE, "accept-language")                                                                          \
        X(USER_AGENT, "user-agent")                                                                                    \
        X(REFERER, "referer")                                                                                          \
        X(ORIGIN, "origin")                                                                                            \
        X(RANGE, "range")                                                                                              \
        X(AUTHORIZATION, "authorization")                                                                              \
        X(PROXY_AUTHORIZATION, "proxy-authorization")                                                                  \
        X(WWW_AUTHENTICATE, "www-authenticate")                                                                        \
        X(PROXY_AUTHENTICATE, "proxy-authenticate")                                                                    \
        X(CACHE_CONTROL, "cache-control")                                                                              \
        X(PRAGMA, "pragma")                                                                                            \
        X(EXPIRES, "expires")                                                                                          \
        X(AGE, "age")                                                                                                  \
        X(VARY, "vary")                                                                                                \
        X(ETAG, "etag")                                                                                                \
        X(LAST_MODIFIED, "last-modified")                                                                              \
        X(IF_MODIFIED_SINCE, "if-modified-since")                                                                      \
        X(IF_NONE_MATCH, "if-none-match")                                                                              \
        X(CONTENT_TYPE, "content-type")                                                                                \
        X(CONTENT_ENCODING, "content-encoding")                                                                        \
        X(RETRY_AFTER, "retry-after")                                                                                  \
        X(SEC_WEBSOCKET_KEY, "sec-websocket-key")                                                                      \
        X(SEC_WEBSOCKET_ACCEPT, "sec-websocket-accept")

#define HID_ENUM(id, name) HID_##id,
enum hid { HID_NONE, HID_LIST(HID_ENUM) HID_COUNT };
#undef HID_ENUM
#define HID_FIRST_END2END HID_HOST
#define HID_LAST_HOP      HID_HOST /* Host is looked up as often as the hop's fields */
_Static_assert(HID_COUNT <= 64, "hmsg.have is one word");

enum {
        HF_DEL = 1,   /* removed by an edit or by the parser (duplicates); everyone skips it */
        HF_HOP = 2,   /* named in Connection: rules see it, writers do not send it */
        HF_RAW = 4,   /* its line reads exactly "name: value\r\n", so a writer may send it as it is */
        HF_ARENA = 8, /* in block 1 */
};

struct hfield {
        uint32_t name, val, vlen;
        uint16_t nlen;
        uint8_t id, flags;
};
_Static_assert(sizeof(struct hfield) == 16, "four fields per cache line");

static inline unsigned hf_blk(const struct hfield *f)
{
        return f->flags / HF_ARENA & 1U;
}

struct hpart { /* a piece of the start line */
        uint32_t off, len;
        uint32_t blk; /* 0 received, 1 arena */
};

enum hbody { HBODY_NONE, HBODY_LENGTH, HBODY_CHUNKED, HBODY_CLOSE, HBODY_TUNNEL };
enum hupgrade { HUPGRADE_NONE, HUPGRADE_WEBSOCKET, HUPGRADE_OTHER };

enum {
        HMSG_RESPONSE = 1,
        HMSG_RAW_START = 2,   /* the start line reads exactly as a writer would write it */
        HMSG_CLOSE = 4,       /* the sender wants, or its framing makes us, close after this exchange */
        HMSG_KEEP_ALIVE = 8,  /* said keep-alive in so many words (HTTP/1.0 needs that) */
        HMSG_EXPECT_100 = 16, /* Expect: 100-continue in HTTP/1.1 */
        HMSG_EXPECT_OTHER = 32,
        HMSG_TE_TRAILERS = 64,
        HMSG_CONN_TE = 128,   /* Connection named TE, as RFC 9110 10.1.4 asks */
        HMSG_NO_HOST = 256,   /* HTTP/1.1 without Host: accepted as HAProxy does, the caller may refuse */
        HMSG_BARE_LF = 512,   /* some line ended with LF only */
        HMSG_H2C = 1024,      /* asked for an upgrade to h2c, which is never passed on */
        HMSG_ABSOLUTE = 2048, /* target in absolute-form */
        HMSG_HTTP2 = 4096,    /* came by HTTP/2: `minor` is what a HTTP/1 writer says */
};

struct hblock {
        char *p;
        uint32_t n, cap;
};

struct hmsg {
        struct hblock blk[2]; /* 0 received (n = bytes valid), 1 arena (n = used) */
        struct hfield *f;
        uint16_t nf, capf;
        uint8_t method;    /* enum hmeth */
        uint8_t minor;     /* HTTP/1.minor, 0 or 1 */
        uint8_t body;      /* enum hbody: what really follows this head */
        uint8_t announced; /* enum hbody: what the fields say (HEAD and 304 announce a body that does not follow) */
        uint16_t status;
        uint8_t upgrade;    /* enum hupgrade */
        uint8_t soft_rules; /* for rules: which list may fail to edit it, as it says of itself; 0: none */
        uint32_t flags;
        uint64_t have; /* bit id: such a field may be there; clear: surely not */
        uint64_t many; /* bit id: there may be more than one */
        uint64_t length;
        uint16_t first[HID_LAST_HOP + 1]; /* index of the first one of the fields that frame or route */
        uint32_t head_len;                /* bytes of block 0 up to and with the empty line */
        struct hpart mpart, target, reason;
        /* Makes blk[1].cap at least `need` and keeps blk[1].n bytes; NULL: the capacity is fixed. */
        bool (*grow)(struct hmsg *m, uint32_t need);
};

/* fields: storage for capf fields (tune.http.maxhdr - 1); arena may be empty. */
void hmsg_init(struct hmsg *m, struct hfield *fields, uint16_t capf, char *arena, uint32_t arena_cap);
/* The owner moved the received bytes; n of them are there now (head_len at least, once the head is complete). */
void hmsg_rebase(struct hmsg *m, char *block0, uint32_t n);
void hmsg_rebase_arena(struct hmsg *m, char *block1, uint32_t cap);

enum hid hmsg_id(const char *lower, uint32_t n); /* of a lower-case name */
struct str hmsg_id_name(enum hid id);
enum hmeth hmsg_method_of(struct str s); /* methods are case-sensitive (RFC 9110 9.1) */

/* Index of the first live field from `from` on, or -1. By name: `lower` is lower case and not in HID_LIST, or use id. */
int hmsg_find(const struct hmsg *m, enum hid id, int from);
static inline bool hmsg_may_have(const struct hmsg *m, enum hid id) /* false: surely not */
{
        return (m->have >> id & 1) != 0;
}
int hmsg_find_name(const struct hmsg *m, struct str lower, int from);
/* Whoever fills m->f by hand (a parser) tells of each new field here. */
static inline void hmsg_note(struct hmsg *m, unsigned id, uint16_t index)
{
        uint64_t bit = (uint64_t)1 << id;

        m->many |= m->have & bit;
        if (id <= HID_LAST_HOP && !(m->have & bit))
                m->first[id] = index;
        m->have |= bit;
}

int hmsg_next(const struct hmsg *m, int from); /* for (int i = hmsg_next(m, 0); i >= 0; i = hmsg_next(m, i + 1)) */

must_check int hmsg_add(struct hmsg *m, struct str name, struct str value);
must_check int hmsg_set(struct hmsg *m, struct str name, struct str value); /* drops all of that name, then adds */
must_check int hmsg_replace(struct hmsg *m, int i, struct str value);       /* in its place */
void hmsg_del(struct hmsg *m, int i);
void hmsg_del_all(struct hmsg *m, struct str name);
must_check int hmsg_set_method(struct hmsg *m, struct str method);
must_check int hmsg_set_target(struct hmsg *m, struct str target);
must_check int hmsg_set_status(struct hmsg *m, uint16_t status, struct str reason);

static inline struct str hmsg_part(const struct hmsg *m, const struct hpart *p)
{
        return (struct str){ m->blk[p->blk].p + p->off, p->len };
}

static inline const char *hmsg_base(const struct hmsg *m, const struct hfield *f)
{
        return m->blk[hf_blk(f)].p;
}

static inline struct str hmsg_name(const struct hmsg *m, int i)
{
        return (struct str){ hmsg_base(m, &m->f[i]) + m->f[i].name, m->f[i].nlen };
}

static inline struct str hmsg_value(const struct hmsg *m, int i)
{
        return (struct str){ hmsg_base(m, &m->f[i]) + m->f[i].val, m->f[i].vlen };
}

static inline struct str hmsg_target(const struct hmsg *m)
{
        return hmsg_part(m, &m->target);
}

/* Path and query of a request's target, whatever form it has (RFC 9112 3.2); empty for authority and asterisk form. */
struct str hmsg_path_query(const struct hmsg *m);

static inline struct str hmsg_method(const struct hmsg *m)
{
        return hmsg_part(m, &m->mpart);
}

static inline struct str hmsg_reason(const struct hmsg *m)
{
        return hmsg_part(m, &m->reason);
}

#endif
