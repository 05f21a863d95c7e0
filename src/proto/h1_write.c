/* proto/h1_write.c - a head as iovecs, judged again on the way out.
 *
 * Nothing here trusts the parser: every byte sent is scanned again, every field must read "name: value CRLF" with a
 * lower-case token for a name, and what frames the message is written from the caller's decision, not from what was
 * received. Adjacent pieces become one iovec, so an untouched head is one iovec, start line to empty line. */
#include "proto/h1_judge.h"
#include "proto/h1_lines.h"
#include "proto/h1_scan.h"

#include <errno.h>

enum { BLK_SCRATCH = 2, BLK_NONE = 3 };

struct writer {
        const struct hmsg *m;
        const struct h1_wopt *o;
        struct h1_out *out;
        uint32_t start, end; /* the run not yet in out->iov */
        uint8_t blk;
        bool framed, connected, te;
        int err;
        struct str conn; /* value of the Connection field to write, maybe empty */
};

/* ---- runs ---- */

static const char *base_of(const struct writer *w, unsigned blk)
{
        return blk == BLK_SCRATCH ? w->out->scratch : w->m->blk[blk].p;
}

static void flush(struct writer *w)
{
        struct h1_out *out = w->out;

        if (w->blk == BLK_NONE || w->start == w->end)
                return;
        if (out->niov == out->iov_cap) {
                w->err = -ENOBUFS;
                return;
        }
        out->iov[out->niov++] = (struct iovec){ (void *)(uintptr_t)(base_of(w, w->blk) + w->start), w->end - w->start };
        out->total += w->end - w->start;
}

static inline void run(struct writer *w, unsigned blk, uint32_t start, uint32_t end)
{
        if (w->blk == blk && w->end == start) {
                w->end = end;
                return;
        }
        flush(w);
        w->blk = (uint8_t)blk;
        w->start = start;
        w->end = end;
}

static void put(struct writer *w, struct str s)
{
        struct h1_out *out = w->out;

        if (s.n > out->scratch_cap - out->used) {
                w->err = -ENOBUFS;
                return;
        }
        if (s.n)
                memcpy(out->scratch + out->used, s.p, s.n);
        run(w, BLK_SCRATCH, out->used, out->used + (uint32_t)s.n);
        out->used += (uint32_t)s.n;
}

static void put_line(struct writer *w, struct str name, struct str value)
{
        put(w, name);
        put(w, STR(": "));
        put(w, value);
        put(w, STR("\r\n"));
}

static void refuse(struct writer *w, int field)
{
        w->err = -EBADMSG;
        w->out->bad_field = field;
}

/* ---- judging ---- */

/* End of the value that starts at i: the first control byte that is no HTAB, or end. */
static inline uint32_t value_end(const char *b, uint32_t i, uint32_t end)
{
        for (;; i++) {
                i = h1_find_ctl(b, i, end);
                if (likely(i == end || b[i] != '\t'))
                        return i;
        }
}

/* The offsets of f lie inside a block of n bytes, with room for the CRLF. */
static inline bool inside(const struct hfield *f, uint32_t n)
{
        uint64_t end = (uint64_t)f->val + f->vlen + 2;

        return f->nlen && (uint64_t)f->name + f->nlen <= f->val && end <= n;
}

/* Any name: a lower-case token. */
static __attribute__((noinline)) bool token_ok(const char *b, uint32_t n, const struct hfield *f)
{
        return f->nlen > 0 && h1_find_not_lower_token(b, f->name, n) == f->name + f->nlen;
}

/* The bytes read "name: ...\r\n" where the offsets say. What stands in the value is for the caller to look at. */
static inline __attribute__((always_inline)) bool shape_ok(const char *b, size_t n, const struct hfield *f)
{
        size_t name = f->name, nlen = f->nlen, colon = name + nlen, end = (size_t)f->val + f->vlen;

        if (unlikely(f->val != colon + 2 || end + 2 > n || memcmp(b + end, "\r\n", 2) != 0 ||
                     memcmp(b + colon, ": ", 2) != 0))
                return false;
        return likely(name + 16 <= n && nlen > 0 && h1_plain_name(b + name) == nlen) || token_ok(b, (uint32_t)n, f);
}

/* The bytes really are "name: value\r\n", ending where the offsets say. */
static inline __attribute__((always_inline)) bool line_ok(const char *b, uint32_t n, const struct hfield *f)
{
        return shape_ok(b, n, f) && value_end(b, f->val, n) == f->val + f->vlen;
}

/* The name and the value are good, whatever stands between them. (Behind a received line there is at least the empty
 * line, so inside() asks for nothing too much.) */
static bool pieces_ok(const char *b, uint32_t n, const struct hfield *f)
{
        uint32_t colon = f->name + f->nlen, end = f->val + f->vlen;

        return inside(f, n) && h1_find_not_lower_token(b, f->name, colon) == colon && value_end(b, f->val, end) == end;
}

static bool all_of(struct str s, unsigned cls)
{
        return s.n && h1_skip_class(s.p, 0, (uint32_t)s.n, cls) == s.n;
}

/* ---- start line ---- */

static bool start_ok(const struct hmsg *m)
{
        struct str t = hmsg_target(m), r = hmsg_reason(m);

        if (m->flags & HMSG_RESPONSE)
                return m->status >= 100 && m->status <= 999 &&
                       (r.n == 0 || value_end(r.p, 0, (uint32_t)r.n) == (uint32_t)r.n);
        return all_of(hmsg_method(m), CH_TOKEN) && t.n && h1_find_not_target(t.p, 0, (uint32_t)t.n) == (uint32_t)t.n;
}

/* The received request line is already what we would write, "METHOD SP target SP HTTP/1.minor CRLF": where it ends, or 0. */
static size_t raw_request(const struct hmsg *m, char minor)
{
        const char *b = m->blk[0].p;
        uint32_t n = m->blk[0].n;
        size_t mend = (size_t)m->mpart.off + m->mpart.len, tend = (size_t)m->target.off + m->target.len;

        if ((m->mpart.blk | m->target.blk) != 0 || m->mpart.len == 0 || m->target.len == 0 ||
            m->target.off != mend + 1 || tend + 11 > n)
                return 0;
        if (b[mend] != ' ' || h1_skip_token(b, m->mpart.off, n) != mend ||
            h1_find_not_target(b, m->target.off, n) != tend)
                return 0;
        if (memcmp(b + tend, " HTTP/1.", 8) != 0 || b[tend + 8] != minor || memcmp(b + tend + 9, "\r\n", 2) != 0)
                return 0;
        return tend + 11;
}

static void status_digits(char d[3], unsigned status)
{
        d[0] = (char)('0' + status / 100 % 10);
        d[1] = (char)('0' + status / 10 % 10);
        d[2] = (char)('0' + status % 10);
}

static inline bool reads_status(const char *p, unsigned status)
{
        unsigned a = (unsigned char)p[0] - '0', b = (unsigned char)p[1] - '0', c = (unsigned char)p[2] - '0';

        return a - 1 < 9 && b < 10 && c < 10 && a * 100 + b * 10 + c == status;
}

/* Likewise "HTTP/1.minor SP status SP reason CRLF". */
static size_t raw_response(const struct hmsg *m, char minor)
{
        const char *b = m->blk[0].p;
        uint32_t n = m->blk[0].n;
        size_t at = m->mpart.off, rend = (size_t)m->reason.off + m->reason.len;

        if (m->reason.blk != 0 || m->reason.off != at + 13 || rend + 2 > n)
                return 0;
        b += at;
        if (memcmp(b, "HTTP/1.", 7) != 0 || b[7] != minor || b[8] != ' ' || !reads_status(b + 9, m->status) ||
            b[12] != ' ')
                return 0;
        b -= at;
        if (value_end(b, m->reason.off, n) != rend || memcmp(b + rend, "\r\n", 2) != 0)
                return 0;
        return rend + 2;
}

static void put_request(struct writer *w, struct str version)
{
        const struct hmsg *m = w->m;

        run(w, m->mpart.blk, m->mpart.off, m->mpart.off + m->mpart.len);
        put(w, STR(" "));
        run(w, m->target.blk, m->target.off, m->target.off + m->target.len);
        put(w, STR(" "));
        put(w, version);
        put(w, STR("\r\n"));
}

static void put_response(struct writer *w, struct str version)
{
        const struct hmsg *m = w->m;
        char d[3];

        status_digits(d, m->status);
        put(w, version);
        put(w, STR(" "));
        put(w, (struct str){ d, 3 });
        put(w, STR(" "));
        run(w, m->reason.blk, m->reason.off, m->reason.off + m->reason.len);
        put(w, STR("\r\n"));
}

/* HTTP/1.0 knows no chunks (RFC 9112 6.1). */
static inline bool is_1_1(const struct hmsg *m, const struct h1_wopt *o)
{
        return m->minor || o->frame == HBODY_CHUNKED;
}

/* Where the received start line ends that may be sent as it is, or 0. */
static inline size_t raw_start(const struct hmsg *m, const struct h1_wopt *o)
{
        char minor = is_1_1(m, o) ? '1' : '0';

        if (unlikely(!(m->flags & HMSG_RAW_START)))
                return 0;
        return m->flags & HMSG_RESPONSE ? raw_response(m, minor) : raw_request(m, minor);
}

static void start_line(struct writer *w, size_t raw_end)
{
        const struct hmsg *m = w->m;
        struct str version = is_1_1(m, w->o) ? STR("HTTP/1.1") : STR("HTTP/1.0");

        if (raw_end)
                run(w, 0, m->mpart.off, (uint32_t)raw_end);
        else if (!start_ok(m))
                refuse(w, -1);
        else if (m->flags & HMSG_RESPONSE)
                put_response(w, version);
        else
                put_request(w, version);
}

/* ---- the fields that concern one hop ---- */

static struct str decimal(char buf[20], uint64_t v)
{
        unsigned n = 0;

        do
                buf[19 - n++] = (char)('0' + v % 10);
        while (v /= 10);
        return (struct str){ buf + 20 - n, n };
}

/* s reads just as decimal() writes v (19 digits hold every length that the parser takes; a longer one is written anew). */
static bool is_decimal(struct str s, uint64_t v)
{
        uint64_t sum = 0;

        if (s.n == 0 || s.n > 19 || (s.p[0] == '0' && s.n > 1))
                return false;
        for (size_t i = 0; i < s.n; i++) {
                unsigned d = (unsigned char)s.p[i] - '0';
                if (d > 9)
                        return false;
                sum = sum * 10 + d;
        }
        return sum == v;
}

static struct str frame_value(const struct writer *w, char buf[20])
{
        return w->o->frame == HBODY_LENGTH ? decimal(buf, w->o->length) : STR("chunked");
}

static bool list_has(struct str list, struct str word, size_t prefix)
{
        struct str tok;

        for (size_t pos = 0; h1_list_next(list, &pos, &tok);)
                if (tok.n >= prefix && str_ieq(str_sub(tok, 0, prefix ? prefix : tok.n), word))
                        return true;
        return false;
}

/* The field is sent as it stands if it says just what we would say, else our line takes its place. */
static bool as_is(struct writer *w, int i, struct str want)
{
        if (str_eq(hmsg_value(w->m, i), want))
                return true;
        put_line(w, hmsg_name(w->m, i), want);
        return false;
}

static bool once(bool *done)
{
        bool first = !*done;

        *done = true;
        return first;
}

/* It names some protocol, and not h2c: that one would let the peers talk past us. */
static bool passes_upgrade(struct str v)
{
        struct str tok;
        bool any = false;

        for (size_t pos = 0; h1_list_next(v, &pos, &tok);)
                any |= tok.n > 0;
        return any && !list_has(v, STR("h2c"), 3);
}

static bool passes_te(struct str v)
{
        return list_has(v, STR("trailers"), 0);
}

/* True: send field i as it stands. */
static bool hop_field(struct writer *w, int i)
{
        struct str v = hmsg_value(w->m, i);
        char buf[20];

        switch (w->m->f[i].id) {
        case HID_CONTENT_LENGTH:
                return w->o->frame == HBODY_LENGTH && once(&w->framed) &&
                       (is_decimal(v, w->o->length) || as_is(w, i, frame_value(w, buf)));
        case HID_TRANSFER_ENCODING:
                return w->o->frame == HBODY_CHUNKED && once(&w->framed) && as_is(w, i, STR("chunked"));
        case HID_CONNECTION:
                if (w->o->flags & (H1_WRITE_CLOSE | H1_WRITE_KEEP_ALIVE) || w->conn.n == 0)
                        return false;
                return once(&w->connected) && (str_ieq(v, w->conn) || as_is(w, i, w->conn));
        case HID_TE: return passes_te(v) && once(&w->te) && as_is(w, i, STR("trailers"));
        case HID_UPGRADE: return (w->o->flags & H1_WRITE_UPGRADE) && passes_upgrade(v);
        default: return false;
        }
}

/* Connection names TE and Upgrade only while such a field is really sent: a rule may have removed it since. */
static bool sends(const struct hmsg *m, enum hid id, bool (*passes)(struct str v))
{
        for (int i = -1; (i = hmsg_find(m, id, i + 1)) >= 0;)
                if (passes(hmsg_value(m, i)))
                        return true;
        return false;
}

static uint8_t conn_flags(const struct writer *w)
{
        uint8_t flags = w->o->flags;

        if (flags & H1_WRITE_UPGRADE && !sends(w->m, HID_UPGRADE, passes_upgrade))
                flags &= (uint8_t)~H1_WRITE_UPGRADE;
        return flags;
}

static struct str conn_words(const struct writer *w, char buf[48])
{
        static const struct {
                uint8_t flag;
                uint8_t n;
                char s[11];
        } words[] = { { H1_WRITE_UPGRADE, 7, "Upgrade" },
                      { H1_WRITE_CLOSE, 5, "close" },
                      { H1_WRITE_KEEP_ALIVE, 10, "keep-alive" } };
        uint8_t flags = conn_flags(w);
        size_t n = 0;

        for (unsigned i = 0; i < array_len(words); i++) {
                if (!(flags & words[i].flag))
                        continue;
                memcpy(buf + n, n ? ", " : "", n ? 2 : 0);
                n += n ? 2 : 0;
                memcpy(buf + n, words[i].s, words[i].n);
                n += words[i].n;
        }
        if (w->m->flags & HMSG_CONN_TE && sends(w->m, HID_TE, passes_te)) {
                memcpy(buf + n, n ? ", TE" : "TE", n ? 4 : 2);
                n += n ? 4 : 2;
        }
        return (struct str){ buf, n };
}

/* Connection has nothing to say, as nearly always. */
static inline bool no_connection(const struct hmsg *m, const struct h1_wopt *o)
{
        return !(o->flags & (H1_WRITE_UPGRADE | H1_WRITE_CLOSE | H1_WRITE_KEEP_ALIVE)) && !(m->flags & HMSG_CONN_TE);
}

/* What Connection must say, in buf. */
static inline struct str conn_value(const struct writer *w, char buf[48])
{
        return no_connection(w->m, w->o) ? (struct str){ buf, 0 } : conn_words(w, buf);
}

/* ---- fields ---- */

static cold_path void put_rewritten(struct writer *w, int i)
{
        const struct hfield *f = &w->m->f[i];
        const struct hblock *b = &w->m->blk[hf_blk(f)];

        if (!(f->flags & HF_RAW) && pieces_ok(b->p, b->n, f))
                put_line(w, hmsg_name(w->m, i), hmsg_value(w->m, i));
        else
                refuse(w, i);
}

static inline __attribute__((always_inline)) void put_field(struct writer *w, const struct hmsg *m, int i)
{
        const struct hfield *f = &m->f[i];
        unsigned blk = hf_blk(f);

        if (likely((f->flags & HF_RAW) && line_ok(m->blk[blk].p, m->blk[blk].n, f)))
                run(w, blk, f->name, f->val + f->vlen + 2);
        else
                put_rewritten(w, i);
}

static cold_path void put_each(struct writer *w, const struct hmsg *m, int i, int end)
{
        for (; i < end && !w->err; i++)
                put_field(w, m, i);
}

/* The one Content-Length, when it says already what we would: it may stay in a run. */
static inline const struct hfield *length_as_is(const struct hmsg *m, const struct h1_wopt *o)
{
        const uint64_t bit = (uint64_t)1 << HID_CONTENT_LENGTH;
        const struct hfield *f = m->f + m->first[HID_CONTENT_LENGTH];

        if (o->frame != HBODY_LENGTH || !(m->have & bit) || m->many & bit || f->flags != HF_RAW ||
            f->id != HID_CONTENT_LENGTH || (uint64_t)f->val + f->vlen > m->blk[0].n)
                return NULL;
        return is_decimal((struct str){ m->blk[0].p + f->val, f->vlen }, o->length) ? f : NULL;
}

/* A run that begins with field i: fields that may be sent as they were received, `also` among them. */
struct plain {
        struct h1_run r;
        int i, n;
};

static inline struct plain plain_from(const struct hmsg *m, int i, const struct hfield *also)
{
        struct plain p = { .i = i };

        if (i < m->nf)
                p.n = (int)h1_lines->judge(m->blk[0].p, m->blk[0].n, m->f + i, m->f + m->nf, also, &p.r);
        return p;
}

/* Where there is a control byte more than those of the line ends (HTAB is allowed in a value) each field is looked at. */
static void put_plain(struct writer *w, const struct plain *p, const struct hfield *also)
{
        const struct hfield *f = w->m->f + p->i;

        if (p->n == 0)
                return;
        if (also >= f && also < f + p->n)
                w->framed = true;
        if (likely(p->r.clean))
                run(w, 0, f->name, p->r.end);
        else
                put_each(w, w->m, p->i, p->i + p->n);
}

/* The received empty line stands at `end`. */
static inline bool ends_at(const struct hmsg *m, uint32_t end)
{
        const struct hblock *b = &m->blk[0];

        return end + 2 == m->head_len && m->head_len <= b->n && memcmp(b->p + end, "\r\n", 2) == 0;
}

/* The empty line; the received one if the run has just reached it. */
static void empty_line(struct writer *w)
{
        if (w->blk == 0 && ends_at(w->m, w->end))
                w->end += 2;
        else
                put(w, STR("\r\n"));
        flush(w);
}

static struct writer begin(const struct hmsg *m, const struct h1_wopt *o, struct h1_out *out)
{
        out->niov = 0;
        out->used = 0;
        out->total = 0;
        out->bad_field = -1;
        return (struct writer){ .m = m, .o = o, .out = out, .blk = BLK_NONE };
}

static __attribute__((noinline)) int in_pieces(const struct hmsg *m, const struct h1_wopt *o, struct h1_out *out,
                                               size_t raw_end, const struct plain *first, const struct hfield *also)
{
        struct writer w = begin(m, o, out);
        struct plain p = *first;
        char conn[48], len[20];

        w.conn = conn_value(&w, conn);
        start_line(&w, raw_end);
        for (int i = 0; i < m->nf && likely(!w.err); i++, p = plain_from(m, i, also)) {
                const struct hfield *f;

                put_plain(&w, &p, also);
                i += p.n;
                if (i == m->nf || unlikely(w.err))
                        break;
                f = &m->f[i];
                if (f->flags & (HF_DEL | HF_HOP))
                        continue;
                if (f->id == HID_NONE || f->id >= HID_FIRST_END2END || hop_field(&w, i))
                        put_field(&w, m, i);
        }
        if (!w.framed && (o->frame == HBODY_LENGTH || o->frame == HBODY_CHUNKED))
                put_line(&w, hmsg_id_name(o->frame == HBODY_LENGTH ? HID_CONTENT_LENGTH : HID_TRANSFER_ENCODING),
                         frame_value(&w, len));
        if (!w.connected && w.conn.n)
                put_line(&w, STR("connection"), w.conn);
        if (!w.err)
                empty_line(&w);
        return w.err;
}

/* Nothing was changed, and what we have to say stands there already: all fields are in p, right behind the start line. */
static inline bool untouched(const struct hmsg *m, const struct h1_wopt *o, size_t raw_end, const struct plain *p,
                             const struct hfield *also)
{
        if (!raw_end || p->n != m->nf || p->n == 0 || m->f[0].name != raw_end || !p->r.clean)
                return false;
        return no_connection(m, o) && o->frame != HBODY_CHUNKED && (o->frame != HBODY_LENGTH || also) &&
               ends_at(m, p->r.end);
}

hot_path int h1_write(const struct hmsg *m, const struct h1_wopt *o, struct h1_out *out)
{
        const struct hfield *also = length_as_is(m, o);
        const struct plain p = plain_from(m, 0, also);
        size_t raw_end = raw_start(m, o);

        if (unlikely(!untouched(m, o, raw_end, &p, also) || out->iov_cap == 0))
                return in_pieces(m, o, out, raw_end, &p, also);
        out->iov[0] = (struct iovec){ m->blk[0].p + m->mpart.off, m->head_len - m->mpart.off };
        out->niov = 1;
        out->used = 0;
        out->total = m->head_len - m->mpart.off;
        out->bad_field = -1;
        return 0;
}

int h1_write_trailers(const struct hmsg *m, struct h1_out *out)
{
        static const struct h1_wopt none = { .frame = HBODY_NONE };
        struct writer w = begin(m, &none, out);

        for (int i = 0; i < m->nf && !w.err; i++) {
                const struct hfield *f = &m->f[i];

                if (f->flags & (HF_DEL | HF_HOP))
                        continue;
                if (f->id != HID_NONE && f->id <= HID_HOST)
                        refuse(&w, i);
                else
                        put_field(&w, m, i);
        }
        if (!w.err)
                empty_line(&w);
        return w.err;
}
