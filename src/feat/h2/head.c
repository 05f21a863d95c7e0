/* feat/h2/head.c - strict reading of request fields (RFC 9113 8.2, 8.3).
 *
 * The frame library checked what is a matter of HTTP/2 (order and number of pseudo fields, upper case, fields of one
 * hop); here stands what a request needs so that it cannot mean two things once it is HTTP/1. */
#include "feat/h2/head.h"

#include "base/slab.h"

enum { SEEN_METHOD = 1, SEEN_PATH = 2, SEEN_AUTHORITY = 4, SEEN_SCHEME = 8 };

#define BLOCK_MIN 1024u

struct h2_head *h2_head_new(uint32_t max, bool trailers)
{
        size_t size;
        struct h2_head *h = mem_get(sizeof(*h), &size);

        if (!h)
                return NULL;
        *h = (struct h2_head){ .size = size, .max = max, .trailers = trailers, .box = headbox_new() };
        if (h->box)
                return h;
        mem_put(h, size);
        return NULL;
}

void h2_head_free(struct h2_head *h)
{
        if (!h)
                return;
        if (h->block)
                mem_put(h->block, h->cap);
        headbox_free(h->box);
        mem_put(h, h->size);
}

void h2_head_refuse(struct h2_head *h, uint16_t status, const char *why)
{
        if (h->status)
                return;
        h->status = status;
        h->why = why;
}

/* ---- the block ---- */

static bool room(struct h2_head *h, size_t need)
{
        size_t size;
        char *p;

        if (h->n + need > h->max) {
                h2_head_refuse(h, 431, "message head too large");
                return false;
        }
        if (h->n + need <= h->cap)
                return true;
        p = mem_get(h->n + need > BLOCK_MIN ? 2 * (h->n + need) : BLOCK_MIN, &size);
        if (!p) {
                h2_head_refuse(h, 500, "out of memory");
                return false;
        }
        if (h->block) {
                memcpy(p, h->block, h->n);
                mem_put(h->block, h->cap);
        }
        h->block = p;
        h->cap = (uint32_t)size;
        hmsg_rebase(&h->box->m, p, h->n);
        return true;
}

static uint32_t put(struct h2_head *h, struct str s)
{
        uint32_t at = h->n;

        memcpy(h->block + h->n, s.p, s.n);
        h->n += (uint32_t)s.n;
        return at;
}

/* Appends a line and its field; NULL: refused. */
static struct hfield *add_line(struct h2_head *h, struct str name, struct str value)
{
        struct hmsg *m = &h->box->m;
        struct hfield *f = &m->f[m->nf];

        if (name.n > UINT16_MAX || !room(h, name.n + value.n + 4))
                return NULL;
        if (m->nf == m->capf) {
                h2_head_refuse(h, 400, "too many fields");
                return NULL;
        }
        *f = (struct hfield){ .vlen = (uint32_t)value.n, .nlen = (uint16_t)name.n, .flags = HF_RAW };
        f->id = (uint8_t)hmsg_id(name.p, (uint32_t)name.n);
        f->name = put(h, name);
        (void)put(h, STR(": "));
        f->val = put(h, value);
        (void)put(h, STR("\r\n"));
        hmsg_note(m, f->id, m->nf);
        m->nf++;
        return f;
}

/* ---- pseudo fields ---- */

/* Visible bytes only, none of `but`. */
static bool plain(struct str s, const char *but)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || strchr(but, s.p[i]))
                        return false;
        return s.n > 0;
}

static struct hpart keep(struct h2_head *h, struct str s)
{
        struct hpart p = { .len = (uint32_t)s.n };

        if (room(h, s.n))
                p.off = put(h, s);
        return p;
}

static void add_authority(struct h2_head *h, struct str v)
{
        struct hfield *f;

        h->seen |= SEEN_AUTHORITY;
        if (!plain(v, "@/?#\\")) {
                h2_head_refuse(h, 400, "bad authority");
                return;
        }
        f = add_line(h, STR("host"), v);
        if (f)
                h->authority = (struct hpart){ .off = f->val, .len = f->vlen };
}

static void add_pseudo(struct h2_head *h, struct str name, struct str v)
{
        struct hmsg *m = &h->box->m;

        if (str_is(name, ":method")) {
                h->seen |= SEEN_METHOD;
                m->mpart = keep(h, v);
                m->method = (uint8_t)hmsg_method_of(v);
        } else if (str_is(name, ":path")) {
                h->seen |= SEEN_PATH;
                m->target = keep(h, v);
                if (!plain(v, "#"))
                        h2_head_refuse(h, 400, "bad path");
        } else if (str_is(name, ":authority")) {
                add_authority(h, v);
        } else if (str_is(name, ":scheme")) {
                h->seen |= SEEN_SCHEME;
                if (!str_is(v, "https") && !str_is(v, "http"))
                        h2_head_refuse(h, 400, "scheme is neither http nor https");
        } else {
                h2_head_refuse(h, 400, "unknown pseudo field");
        }
}

/* ---- fields ---- */

static void add_host(struct h2_head *h, struct str v)
{
        struct str a = { h->block + h->authority.off, h->authority.len };

        if (!(h->seen & SEEN_AUTHORITY))
                add_authority(h, v); /* RFC 9113 8.3.1: what was HTTP/1 before may have it so */
        else if (!str_ieq(a, v))
                h2_head_refuse(h, 400, "Host differs from the authority");
}

static void add_length(struct h2_head *h, struct str v)
{
        struct hmsg *m = &h->box->m;
        bool again = m->have >> HID_CONTENT_LENGTH & 1;
        uint64_t n = 0;

        if (!str_to_u64(v, &n) || (again && n != m->length))
                h2_head_refuse(h, 400, "bad Content-Length");
        else if (!again && add_line(h, STR("content-length"), v))
                m->length = n;
}

static void note(struct h2_head *h, enum hid id, struct str v)
{
        if (id == HID_COOKIE)
                h->n_cookies++;
        if (id == HID_TE && str_ieq(v, STR("trailers")))
                h->box->m.flags |= HMSG_TE_TRAILERS;
        if (id == HID_EXPECT)
                h->box->m.flags |= str_ieq(v, STR("100-continue")) ? HMSG_EXPECT_100 : HMSG_EXPECT_OTHER;
}

void h2_head_add(struct h2_head *h, struct str name, struct str value)
{
        enum hid id;

        if (h->status)
                return;
        if (name.n > 0 && name.p[0] == ':') {
                if (h->trailers)
                        h2_head_refuse(h, 400, "pseudo field in the trailers");
                else
                        add_pseudo(h, name, value);
                return;
        }
        id = hmsg_id(name.p, (uint32_t)name.n);
        if (h->trailers && id != HID_NONE && id <= HID_HOST)
                h2_head_refuse(h, 400, "framing or routing field in the trailers");
        else if (id == HID_HOST)
                add_host(h, value);
        else if (id == HID_CONTENT_LENGTH)
                add_length(h, value);
        else if (add_line(h, name, value))
                note(h, id, value);
}

/* ---- the end ---- */

/* RFC 9113 8.2.3: crumbs of Cookie are one line for whoever does not speak HTTP/2. */
static void join_cookies(struct h2_head *h)
{
        struct hmsg *m = &h->box->m;
        uint32_t at = 0;
        int last = -1;

        for (int i = hmsg_find(m, HID_COOKIE, 0); i >= 0; i = hmsg_find(m, HID_COOKIE, i + 1)) {
                if (!room(h, m->f[i].vlen + 12))
                        return;
                if (last < 0) {
                        (void)put(h, STR("cookie: "));
                        at = h->n;
                } else {
                        (void)put(h, STR("; "));
                        m->f[last].flags |= HF_DEL;
                }
                (void)put(h, (struct str){ h->block + m->f[i].val, m->f[i].vlen });
                last = i;
        }
        (void)put(h, STR("\r\n")); /* room() above counted it */
        m->f[last].name = at - 8;
        m->f[last].val = at;
        m->f[last].vlen = h->n - 2 - at;
}

static void judge(struct h2_head *h)
{
        struct hmsg *m = &h->box->m;
        bool connect = m->method == HMETH_CONNECT;
        struct str t = hmsg_target(m);

        if (!(h->seen & SEEN_METHOD) || !(h->seen & SEEN_AUTHORITY))
                h2_head_refuse(h, 400, "no method or no authority");
        else if (connect && (h->seen & (SEEN_PATH | SEEN_SCHEME)))
                h2_head_refuse(h, 400, "CONNECT with a path or scheme");
        else if (!connect && (h->seen & (SEEN_PATH | SEEN_SCHEME)) != (SEEN_PATH | SEEN_SCHEME))
                h2_head_refuse(h, 400, "no path or no scheme");
        else if (!connect && t.p[0] != '/' && !(m->method == HMETH_OPTIONS && str_is(t, "*")))
                h2_head_refuse(h, 400, "path does not begin with a slash");
        if (connect)
                m->target = h->authority;
}

static enum hbody body_of(const struct hmsg *m, bool end_stream)
{
        if (m->have >> HID_CONTENT_LENGTH & 1)
                return HBODY_LENGTH;
        return end_stream || m->method == HMETH_CONNECT ? HBODY_NONE : HBODY_CHUNKED;
}

bool h2_head_end(struct h2_head *h, bool end_stream)
{
        struct hmsg *m = &h->box->m;

        if (h->n_cookies > 1)
                join_cookies(h);
        if (room(h, 2))
                (void)put(h, STR("\r\n"));
        m->blk[0] = (struct hblock){ h->block, h->n, h->n };
        if (!h->trailers && h->status == 0)
                judge(h);
        m->minor = 1;
        m->flags |= HMSG_HTTP2;
        m->head_len = h->n;
        m->body = m->announced = (uint8_t)body_of(m, end_stream);
        return h->status == 0;
}
