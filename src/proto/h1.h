/* proto/h1.h - HTTP/1.x on the wire: heads in, chunks in and out, heads out (RFC 9110, RFC 9112).
 *
 * Why: what leaves was judged twice, by the parser and again by the writer, so that one wrong line cannot become a
 * smuggled request. Pure: bytes in, answers out; no socket, no clock, no allocation.
 * Ownership: everything is the caller's storage. Parsing makes names lower case in block 0 and may shorten the target
 * and Host there, so block 0 must be private and writable.
 * Threads: one at a time per object.  Errors: verdicts; nothing a peer sends reaches an assert. */
#ifndef PROTO_H1_H
#define PROTO_H1_H

#include "proto/hmsg.h"

#include <sys/uio.h>

/* ---- heads in ---- */

enum h1_verdict {
        H1_OK,      /* the head is complete: m->head_len bytes */
        H1_MORE,    /* call again with more bytes */
        H1_BAD,     /* h->why, h->bad_at, h->status (the answer a client gets; a bad response is always a 502) */
        H1_TOO_BIG, /* h->max bytes and no end; h->status 414 or 431 */
};

#define H1_WHY_LIST(X)                                                                                                 \
        X(NONE, 0, "no error")                                                                                         \
        X(PREFACE, 400, "HTTP/2 connection preface")                                                                   \
        X(METHOD, 400, "bad byte in the method")                                                                       \
        X(TARGET, 400, "bad byte in the request target")                                                               \
        X(TARGET_FORM, 400, "request target of the wrong form")                                                        \
        X(AUTHORITY, 400, "bad authority in the request target")                                                       \
        X(VERSION, 400, "bad protocol version")                                                                        \
        X(VERSION_MAJOR, 505, "HTTP major version not supported")                                                      \
        X(STATUS, 400, "status code is not three digits from 100 on")                                                  \
        X(REASON, 400, "control byte in the reason phrase")                                                            \
        X(LINE_END, 400, "CR without LF")                                                                              \
        X(BARE_LF, 400, "LF without CR")                                                                               \
        X(NAME_EMPTY, 400, "empty field name")                                                                         \
        X(NAME_BYTE, 400, "bad byte in a field name")                                                                  \
        X(NAME_SPACE, 400, "space before the colon")                                                                   \
        X(NAME_LONG, 400, "field name too long")                                                                       \
        X(NO_COLON, 400, "field line without colon")                                                                   \
        X(FOLD, 400, "folded field line")                                                                              \
        X(VALUE_BYTE, 400, "control byte in a field value")                                                            \
        X(TOO_MANY, 400, "too many fields")                                                                            \
        X(HOST, 400, "bad Host")                                                                                       \
        X(HOST_DIFFERS, 400, "Host fields differ from each other or from the target")                                  \
        X(LENGTH, 400, "bad Content-Length")                                                                           \
        X(LENGTH_DIFFERS, 400, "Content-Length given twice with different values")                                     \
        X(CODING, 400, "bad Transfer-Encoding")                                                                        \
        X(CODING_UNKNOWN, 422, "transfer coding before chunked not supported")                                         \
        X(PAYLOAD_10, 413, "body on an HTTP/1.0 GET, HEAD or DELETE")                                                  \
        X(CONNECTION, 400, "too many connection options")                                                              \
        X(WS_KEY, 400, "websocket handshake without a valid key")                                                      \
        X(TRAILER_NAME, 400, "framing or routing field in the trailers")                                               \
        X(TOO_BIG, 431, "message head too large")                                                                      \
        X(TARGET_LONG, 414, "request target too long")

#define H1_WHY_ENUM(id, status, text) H1_WHY_##id,
enum h1_why { H1_WHY_LIST(H1_WHY_ENUM) H1_WHY_COUNT };
#undef H1_WHY_ENUM

enum {
        H1_PAYLOAD_10_OK = 1, /* accept a body on HTTP/1.0 GET, HEAD, DELETE (h1-accept-payload-with-any-method) */
        H1_STRICT_LF = 2,     /* no line may end in LF alone (trailers; heads take it as HAProxy does) */
};

struct h1 {
        uint32_t max; /* give up at this many bytes; 0 = never */
        uint16_t status;
        uint8_t why; /* enum h1_why */
        uint8_t opts;
        uint32_t bad_at; /* offset in block 0 */
        /* private */
        uint32_t pos, line, colon, val;
        uint8_t stage;
        uint8_t req_method;
        bool raw, bare;
};

/* Each call judges m->blk[0].p[0, len): the same bytes as last time plus new ones; what was read is not read again.
 * Between calls the block may move (hmsg_rebase). The verdict does not depend on how the bytes were cut.
 * On H1_OK the caller may keep len > m->head_len: body or pipelined bytes follow. */
void h1_init(struct h1 *h, uint32_t max, unsigned opts);
must_check enum h1_verdict h1_request(struct h1 *h, struct hmsg *m, uint32_t len);
/* req_method: of the request that is answered (RFC 9112 6.3 needs it). */
must_check enum h1_verdict h1_response(struct h1 *h, struct hmsg *m, uint32_t len, enum hmeth req_method);
/* The trailer section with its empty line, from its first byte at block 0 offset 0. */
must_check enum h1_verdict h1_trailers(struct h1 *h, struct hmsg *m, uint32_t len);
const char *h1_why_text(enum h1_why why);

/* ---- chunked bodies in (RFC 9112 7.1) ---- */

enum h1_chunk_verdict {
        H1_CHUNK_DATA,     /* *ret_data: payload, part of the input */
        H1_CHUNK_MORE,     /* all input used */
        H1_CHUNK_TRAILERS, /* the input from *ret_used on is the trailer section: h1_trailers() */
        H1_CHUNK_END,      /* the body ended at *ret_used */
        H1_CHUNK_BAD,      /* not the grammar; the connection cannot be used any more */
};

#define H1_CHUNK_LINE_MAX 1024 /* bytes of one size line with its extensions */

struct h1_chunk {
        uint64_t left; /* payload bytes to come of this chunk */
        uint32_t line; /* bytes of this size line so far */
        uint8_t state;
};

void h1_chunk_init(struct h1_chunk *c);
must_check enum h1_chunk_verdict h1_chunk_next(struct h1_chunk *c, const char *p, size_t n, size_t *ret_used,
                                               struct str *ret_data);

/* ---- chunked bodies out ---- */

#define H1_CHUNK_HEAD_MAX 18 /* 16 digits, CRLF */
/* "size CRLF" in lower-case hex; returns its length. size > 0; the data and a CRLF follow. */
unsigned h1_chunk_head(char buf[H1_CHUNK_HEAD_MAX], uint64_t size);
#define H1_CHUNK_CRLF      "\r\n"
#define H1_CHUNK_LAST      "0\r\n\r\n" /* without trailers */
#define H1_CHUNK_LAST_OPEN "0\r\n"     /* then h1_write_trailers() */

/* ---- heads out ---- */

enum { H1_WRITE_CLOSE = 1, H1_WRITE_KEEP_ALIVE = 2, H1_WRITE_UPGRADE = 4 };

struct h1_wopt {
        uint8_t frame;   /* enum hbody: LENGTH and CHUNKED write their field, the others none */
        uint8_t flags;   /* H1_WRITE_*: what Connection says; UPGRADE keeps the Upgrade field */
        uint64_t length; /* for HBODY_LENGTH */
};

/* The result: iovecs into the message's blocks and into scratch; valid until one of these changes. */
struct h1_out {
        struct iovec *iov; /* in: storage for iov_cap */
        char *scratch;     /* in: storage for scratch_cap; m->head_len + 1024 is always enough */
        uint32_t iov_cap, scratch_cap;
        uint32_t niov, used;
        uint64_t total;
        int bad_field; /* the field refused with -EBADMSG, -1 = the start line */
};

/* 0, or -ENOBUFS (iov or scratch too small), -EBADMSG (something in the head is not strictly valid: never send it).
 * The writer owns what concerns one hop: Connection, Keep-Alive, Proxy-Connection, HTTP2-Settings, Upgrade, TE (only
 * "trailers" passes), Content-Length and Transfer-Encoding (exactly what `frame` says, once). */
must_check int h1_write(const struct hmsg *m, const struct h1_wopt *o, struct h1_out *out);
must_check int h1_write_trailers(const struct hmsg *m, struct h1_out *out);

#endif
