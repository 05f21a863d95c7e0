/* proto/hmsg.c - the message head: well-known names, look-up, edits. */
#include "proto/hmsg.h"
#include "proto/h1_scan.h"
#include "proto/hmsg_known.h"

#include <errno.h>

/* ---- well-known names ---- */

#define ROW(id, name) [HID_##id] = { name, sizeof(name) - 1 },
const struct hmsg_known hmsg_known[HID_COUNT] = { HID_LIST(ROW) };
#undef ROW

/* Slot of a name = hmsg_known_hash(): no two names of HID_LIST meet (hmsg_test walks the list; a new name that collides
 * needs another factor). */
const uint8_t hmsg_known_slot[256] = {
        [3] = HID_RETRY_AFTER,
        [5] = HID_FORWARDED,
        [10] = HID_SEC_WEBSOCKET_KEY,
        [15] = HID_ACCEPT,
        [16] = HID_COOKIE,
        [24] = HID_ACCEPT_LANGUAGE,
        [31] = HID_LOCATION,
        [33] = HID_TE,
        [48] = HID_CONTENT_LENGTH,
        [58] = HID_X_REQUEST_ID,
        [65] = HID_SET_COOKIE,
        [66] = HID_AUTHORIZATION,
        [67] = HID_TRANSFER_ENCODING,
        [71] = HID_X_FORWARDED_FOR,
        [73] = HID_KEEP_ALIVE,
        [75] = HID_EXPECT,
        [80] = HID_X_FORWARDED_PORT,
        [81] = HID_HTTP2_SETTINGS,
        [85] = HID_UPGRADE,
        [91] = HID_PROXY_AUTHORIZATION,
        [95] = HID_ORIGIN,
        [98] = HID_REFERER,
        [114] = HID_TRAILER,
        [128] = HID_LAST_MODIFIED,
        [138] = HID_X_FORWARDED_PROTO,
        [141] = HID_X_FORWARDED_HOST,
        [157] = HID_IF_NONE_MATCH,
        [167] = HID_PROXY_AUTHENTICATE,
        [173] = HID_CONTENT_TYPE,
        [174] = HID_DATE,
        [175] = HID_WWW_AUTHENTICATE,
        [186] = HID_SEC_WEBSOCKET_ACCEPT,
        [188] = HID_SERVER,
        [189] = HID_X_REAL_IP,
        [197] = HID_PRAGMA,
        [206] = HID_ETAG,
        [214] = HID_AGE,
        [216] = HID_EXPIRES,
        [218] = HID_RANGE,
        [220] = HID_CONNECTION,
        [226] = HID_PROXY_CONNECTION,
        [229] = HID_USER_AGENT,
        [232] = HID_HOST,
        [233] = HID_X_ORIGINAL_TO,
        [238] = HID_ACCEPT_ENCODING,
        [247] = HID_CACHE_CONTROL,
        [250] = HID_VIA,
        [253] = HID_CONTENT_ENCODING,
        [254] = HID_VARY,
        [255] = HID_IF_MODIFIED_SINCE,
};

/* Slot of a name of at most 15 bytes = hmsg_short_hash(): likewise. */
const uint8_t hmsg_short_slot[256] = {
        [26] = HID_RETRY_AFTER,
        [31] = HID_LAST_MODIFIED,
        [35] = HID_SERVER,
        [38] = HID_KEEP_ALIVE,
        [61] = HID_CACHE_CONTROL,
        [62] = HID_IF_NONE_MATCH,
        [80] = HID_UPGRADE,
        [85] = HID_USER_AGENT,
        [86] = HID_REFERER,
        [88] = HID_COOKIE,
        [92] = HID_TE,
        [105] = HID_TRAILER,
        [116] = HID_X_REQUEST_ID,
        [129] = HID_AUTHORIZATION,
        [141] = HID_X_REAL_IP,
        [155] = HID_HTTP2_SETTINGS,
        [160] = HID_CONNECTION,
        [162] = HID_ACCEPT,
        [165] = HID_DATE,
        [172] = HID_ORIGIN,
        [176] = HID_EXPECT,
        [177] = HID_RANGE,
        [180] = HID_X_ORIGINAL_TO,
        [189] = HID_ACCEPT_ENCODING,
        [191] = HID_FORWARDED,
        [203] = HID_X_FORWARDED_FOR,
        [208] = HID_AGE,
        [209] = HID_VIA,
        [210] = HID_CONTENT_LENGTH,
        [213] = HID_ACCEPT_LANGUAGE,
        [216] = HID_EXPIRES,
        [217] = HID_ETAG,
        [219] = HID_PRAGMA,
        [228] = HID_SET_COOKIE,
        [233] = HID_CONTENT_TYPE,
        [239] = HID_LOCATION,
        [242] = HID_HOST,
        [254] = HID_VARY,
};

static inline uint64_t load64(const char *p)
{
        uint64_t v;

        memcpy(&v, p, 8);
        return v;
}

static inline uint32_t load32(const char *p)
{
        uint32_t v;

        memcpy(&v, p, 4);
        return v;
}

/* memcmp() == 0 without the call: names are short. */
static inline bool same(const char *a, const char *b, uint32_t n)
{
        if (n >= 8) {
                uint64_t diff = load64(a) ^ load64(b);

                for (uint32_t i = 8; i + 8 < n; i += 8)
                        diff |= load64(a + i) ^ load64(b + i);
                return (diff | (load64(a + n - 8) ^ load64(b + n - 8))) == 0;
        }
        if (n >= 4)
                return ((load32(a) ^ load32(b)) | (load32(a + n - 4) ^ load32(b + n - 4))) == 0;
        return n == 0 || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

enum hid hmsg_id(const char *lower, uint32_t n)
{
        if (n < 2)
                return HID_NONE;
        uint8_t id = hmsg_known_slot[hmsg_known_hash(lower, n)];

        return hmsg_known[id].n == n && same(hmsg_known[id].s, lower, n) ? (enum hid)id : HID_NONE;
}

struct str hmsg_id_name(enum hid id)
{
        return (struct str){ hmsg_known[id].s, hmsg_known[id].n };
}

enum hmeth hmsg_method_of(struct str s)
{
        static const struct {
                char s[8];
                uint8_t n;
        } names[] = {
                [HMETH_GET] = { "GET", 3 },         [HMETH_HEAD] = { "HEAD", 4 },
                [HMETH_POST] = { "POST", 4 },       [HMETH_PUT] = { "PUT", 3 },
                [HMETH_DELETE] = { "DELETE", 6 },   [HMETH_CONNECT] = { "CONNECT", 7 },
                [HMETH_OPTIONS] = { "OPTIONS", 7 }, [HMETH_TRACE] = { "TRACE", 5 },
                [HMETH_PATCH] = { "PATCH", 5 },
        };

        for (unsigned i = HMETH_GET; i < array_len(names); i++)
                if (names[i].n == s.n && same(names[i].s, s.p, names[i].n))
                        return (enum hmeth)i;
        return HMETH_OTHER;
}

/* ---- life ---- */

void hmsg_init(struct hmsg *m, struct hfield *fields, uint16_t capf, char *arena, uint32_t arena_cap)
{
        *m = (struct hmsg){ .f = fields, .capf = capf, .blk[1] = { arena, 0, arena_cap } };
}

void hmsg_rebase(struct hmsg *m, char *block0, uint32_t n)
{
        m->blk[0].p = block0;
        m->blk[0].n = n;
}

void hmsg_rebase_arena(struct hmsg *m, char *block1, uint32_t cap)
{
        m->blk[1].p = block1;
        m->blk[1].cap = cap;
}

/* ---- look-up ---- */

int hmsg_next(const struct hmsg *m, int from)
{
        for (int i = from; i < m->nf; i++)
                if (!(m->f[i].flags & HF_DEL))
                        return i;
        return -1;
}

int hmsg_find(const struct hmsg *m, enum hid id, int from)
{
        if (!(m->have >> id & 1))
                return -1;
        if (id <= HID_LAST_HOP && from > m->first[id] && !(m->many >> id & 1))
                return -1;
        if (id <= HID_LAST_HOP && from < m->first[id])
                from = m->first[id];
        for (int i = from; i < m->nf; i++)
                if (m->f[i].id == id && !(m->f[i].flags & HF_DEL))
                        return i;
        return -1;
}

int hmsg_find_name(const struct hmsg *m, struct str lower, int from)
{
        for (int i = from; i < m->nf; i++) {
                const struct hfield *f = &m->f[i];

                if (f->nlen == lower.n && !(f->flags & HF_DEL) &&
                    same(hmsg_base(m, f) + f->name, lower.p, (uint32_t)f->nlen))
                        return i;
        }
        return -1;
}

/* ---- edits ---- */

static bool value_ok(struct str v)
{
        if (v.n > UINT32_MAX / 2)
                return false;
        uint32_t i = h1_find_ctl(v.p, 0, (uint32_t)v.n);
        while (i < v.n && v.p[i] == '\t')
                i = h1_find_ctl(v.p, i + 1, (uint32_t)v.n);
        return i == v.n;
}

static bool all_class(struct str s, unsigned cls)
{
        for (size_t i = 0; i < s.n; i++)
                if (!h1_is(s.p[i], cls))
                        return false;
        return true;
}

static bool name_ok(struct str s)
{
        return s.n > 0 && s.n <= UINT16_MAX;
}

/* Room for n more bytes in the arena, or NULL. */
static char *arena_room(struct hmsg *m, size_t n)
{
        struct hblock *a = &m->blk[1];

        if (n > UINT32_MAX / 2 - a->n)
                return NULL;
        if (a->cap - a->n < n && (!m->grow || !m->grow(m, a->n + (uint32_t)n)))
                return NULL;
        return a->p + a->n;
}

/* The bytes of a new field may lie in the arena itself, which may move: keep them by offset while it grows. */
static struct str follow(const struct hmsg *m, const char *old, struct str s)
{
        uintptr_t at = (uintptr_t)s.p - (uintptr_t)old;

        return old && at < m->blk[1].n ? (struct str){ m->blk[1].p + at, s.n } : s;
}

/* Writes "name: value\r\n" into the arena and points *f at it. */
static int put_line(struct hmsg *m, struct hfield *f, struct str name, struct str value)
{
        const char *old = m->blk[1].p;
        char *p = arena_room(m, name.n + value.n + 4);

        if (!p)
                return -ENOMEM;
        name = follow(m, old, name);
        value = follow(m, old, value);
        uint32_t at = m->blk[1].n, nlen = (uint32_t)name.n, vlen = (uint32_t)value.n;
        memcpy(p, name.p, nlen);
        p[nlen] = ':';
        p[nlen + 1] = ' ';
        if (vlen)
                memcpy(p + nlen + 2, value.p, vlen);
        p[nlen + 2 + vlen] = '\r';
        p[nlen + 3 + vlen] = '\n';
        if (h1_lower_name(p, 0, nlen + 1) != nlen)
                return -EINVAL; /* what was copied lies behind the used part */
        m->blk[1].n += nlen + vlen + 4;
        *f = (struct hfield){ .name = at,
                              .val = at + nlen + 2,
                              .vlen = vlen,
                              .nlen = (uint16_t)nlen,
                              .id = (uint8_t)hmsg_id(p, nlen),
                              .flags = HF_ARENA | HF_RAW };
        return 0;
}

int hmsg_add(struct hmsg *m, struct str name, struct str value)
{
        if (!name_ok(name) || !value_ok(value))
                return -EINVAL;
        if (m->nf == m->capf)
                return -ENOSPC;
        int r = put_line(m, &m->f[m->nf], name, value);
        if (r == 0) {
                hmsg_note(m, m->f[m->nf].id, m->nf);
                m->nf++;
        }
        return r;
}

static bool name_is(const struct hmsg *m, const struct hfield *f, struct str name)
{
        return f->nlen == name.n && str_ieq((struct str){ hmsg_base(m, f) + f->name, f->nlen }, name);
}

static void del_before(struct hmsg *m, struct str name, int end)
{
        for (int i = 0; i < end; i++)
                if (name_is(m, &m->f[i], name))
                        m->f[i].flags |= HF_DEL;
}

void hmsg_del_all(struct hmsg *m, struct str name)
{
        del_before(m, name, m->nf);
}

int hmsg_set(struct hmsg *m, struct str name, struct str value)
{
        int n = m->nf;
        int r = hmsg_add(m, name, value);

        if (r == 0)
                del_before(m, hmsg_name(m, n), n);
        return r;
}

int hmsg_replace(struct hmsg *m, int i, struct str value)
{
        struct hfield f = m->f[i];

        if (!value_ok(value))
                return -EINVAL;
        int r = put_line(m, &f, hmsg_name(m, i), value);
        if (r == 0)
                m->f[i] = f;
        return r;
}

void hmsg_del(struct hmsg *m, int i)
{
        m->f[i].flags |= HF_DEL;
}

static int put_part(struct hmsg *m, struct hpart *part, struct str s)
{
        const char *old = m->blk[1].p;
        char *p = arena_room(m, s.n);

        if (!p && s.n)
                return -ENOMEM;
        s = follow(m, old, s);
        if (s.n)
                memcpy(p, s.p, s.n);
        *part = (struct hpart){ m->blk[1].n, (uint32_t)s.n, 1 };
        m->blk[1].n += (uint32_t)s.n;
        m->flags &= ~(uint32_t)HMSG_RAW_START;
        return 0;
}

int hmsg_set_method(struct hmsg *m, struct str method)
{
        if (!name_ok(method) || !all_class(method, CH_TOKEN))
                return -EINVAL;
        int r = put_part(m, &m->mpart, method);
        if (r == 0)
                m->method = (uint8_t)hmsg_method_of(hmsg_method(m));
        return r;
}

int hmsg_set_target(struct hmsg *m, struct str target)
{
        if (target.n == 0 || !all_class(target, CH_TARGET))
                return -EINVAL;
        return put_part(m, &m->target, target);
}

int hmsg_set_status(struct hmsg *m, uint16_t status, struct str reason)
{
        if (status < 100 || status > 999 || !value_ok(reason))
                return -EINVAL;
        int r = put_part(m, &m->reason, reason);
        if (r == 0)
                m->status = status;
        return r;
}

struct str hmsg_path_query(const struct hmsg *m)
{
        struct str t = hmsg_target(m), none = { t.p, 0 };
        const char *slash;
        size_t at;

        if (t.n == 0 || t.p[0] == '/')
                return t;
        slash = memmem(t.p, t.n, "://", 3);
        if (!slash)
                return none;
        at = (size_t)(slash - t.p) + 3;
        slash = memchr(t.p + at, '/', t.n - at);
        return slash ? str_sub(t, (size_t)(slash - t.p), t.n - (size_t)(slash - t.p)) : none;
}
