/* proto/h1_parse.c - HTTP/1 heads from bytes, line by line, resumable at any byte.
 *
 * The stages are tokens, not bytes: a stage runs over its token with a vector scan, and when the bytes run out it leaves
 * pos at the first byte it has not judged. Nothing is looked at twice except the few bytes of the version.
 * Line ends: CRLF. A LF alone is taken in heads too, as HAProxy 2.6 and 3.4 do (measured); such a line loses its RAW
 * mark, so that the writer sends CRLF. In chunk framing and trailers it is refused. */
#include "proto/h1_judge.h"
#include "proto/h1_lines.h"
#include "proto/h1_scan.h"

enum {
        ST_LEAD,
        ST_METHOD,
        ST_TARGET_GAP,
        ST_TARGET,
        ST_VERSION_GAP,
        ST_VERSION,
        ST_STATUS_GAP,
        ST_STATUS,
        ST_REASON,
        ST_LINE,
        ST_NAME,
        ST_OWS,
        ST_VALUE,
        ST_DONE,
        ST_DEAD,
};

static const struct {
        uint16_t status;
        const char *text;
} whys[H1_WHY_COUNT] = {
#define WHY_ROW(id, status, text) [H1_WHY_##id] = { status, text },
        H1_WHY_LIST(WHY_ROW)
#undef WHY_ROW
};

const char *h1_why_text(enum h1_why why)
{
        return whys[why].text;
}

cold_path enum h1_verdict h1_bad(struct h1 *h, enum h1_why why, uint32_t at)
{
        h->why = (uint8_t)why;
        h->status = whys[why].status;
        h->bad_at = at;
        h->stage = ST_DEAD;
        return H1_BAD;
}

void h1_init(struct h1 *h, uint32_t max, unsigned opts)
{
        *h = (struct h1){ .max = max, .opts = (uint8_t)opts };
}

static enum h1_verdict more(struct h1 *h, uint32_t pos, unsigned stage, uint32_t len)
{
        h->pos = pos;
        h->stage = (uint8_t)stage;
        if (!h->max || len < h->max)
                return H1_MORE;
        (void)h1_bad(h, stage < ST_VERSION_GAP ? H1_WHY_TARGET_LONG : H1_WHY_TOO_BIG, len);
        return H1_TOO_BIG;
}

/* Length of the line end at i: 2, 1 (LF alone, allowed), 0 (wait), -1 (wrong). */
static inline int eol(const struct h1 *h, const char *b, uint32_t i, uint32_t len)
{
        if (likely(len - i >= 2 && memcmp(b + i, "\r\n", 2) == 0))
                return 2;
        if (b[i] == '\n')
                return h->opts & H1_STRICT_LF ? -1 : 1;
        return b[i] == '\r' && len - i < 2 ? 0 : -1;
}

static cold_path enum h1_verdict bad_eol(struct h1 *h, const char *b, uint32_t i, enum h1_why other)
{
        if (b[i] == '\r')
                return h1_bad(h, H1_WHY_LINE_END, i);
        return h1_bad(h, b[i] == '\n' ? H1_WHY_BARE_LF : other, i);
}

static cold_path enum h1_verdict bad_name(struct h1 *h, const char *b, uint32_t name, uint32_t i)
{
        if (b[i] == ' ' || b[i] == '\t')
                return h1_bad(h, i == name ? H1_WHY_FOLD : H1_WHY_NAME_SPACE, i);
        if (b[i] == '\r' || b[i] == '\n')
                return h1_bad(h, H1_WHY_NO_COLON, i);
        return h1_bad(h, b[i] == ':' ? H1_WHY_NAME_EMPTY : H1_WHY_NAME_BYTE, i);
}

/* ---- field lines ---- */

/* What fields() keeps in registers between tokens, and in struct h1 between calls. */
struct cursor {
        uint32_t i, name, colon, val;
};

static cold_path enum h1_verdict pause_at(struct h1 *h, struct cursor c, unsigned stage, uint32_t len)
{
        h->line = c.name;
        h->colon = c.colon;
        h->val = c.val;
        return more(h, c.i, stage, len);
}

/* The field [name, colon) [val, end), which ends in CRLF or in LF alone; false: no room. */
static inline bool push_field(struct hmsg *m, const char *b, struct cursor c, bool crlf)
{
        uint32_t vend = c.i, nlen = c.colon - c.name;
        unsigned nf = m->nf;

        if (unlikely(nf == m->capf))
                return false;
        /* SP or HTAB: there is no other byte up to SP here, and before an empty value stands ":", SP or HTAB */
        while ((unsigned char)b[vend - 1] <= ' ' && vend > c.val)
                vend--;
        bool raw = crlf && vend == c.i && c.val == c.colon + 2 && memcmp(b + c.colon, ": ", 2) == 0;
        enum hid id = hmsg_id(b + c.name, nlen);
        struct hfield *f = &m->f[nf];

        f->name = c.name;
        f->val = c.val;
        f->vlen = vend - c.val;
        f->nlen = (uint16_t)nlen;
        f->id = (uint8_t)id;
        f->flags = raw ? HF_RAW : 0;
        if (id != HID_NONE)
                hmsg_note(m, id, (uint16_t)nf);
        m->nf = (uint16_t)(nf + 1);
        return true;
}

/* A line end at c.i that is not CRLF with a field before it: LF alone, a CR at the end of the bytes, or an error.
 * *ret_taken: the field was pushed, go on behind the LF. */
static cold_path enum h1_verdict odd_eol(struct h1 *h, struct hmsg *m, const char *b, struct cursor c, uint32_t len,
                                         bool *ret_taken)
{
        int e = eol(h, b, c.i, len);

        if (e == 0)
                return pause_at(h, c, ST_VALUE, len);
        if (e < 0)
                return bad_eol(h, b, c.i, H1_WHY_VALUE_BYTE);
        if (!push_field(m, b, c, false))
                return h1_bad(h, H1_WHY_TOO_MANY, c.name);
        h->bare = true;
        *ret_taken = true;
        return H1_MORE;
}

static enum h1_verdict head_end(struct h1 *h, struct hmsg *m, const char *b, struct cursor c, uint32_t len)
{
        int e = eol(h, b, c.i, len);

        if (e == 0)
                return pause_at(h, c, ST_LINE, len);
        if (e < 0)
                return bad_eol(h, b, c.i, H1_WHY_NO_COLON);
        h->bare |= e == 1;
        h->stage = ST_DONE;
        m->head_len = c.i + (uint32_t)e;
        return H1_OK;
}

/* LONG: one switch over the stages of a field line; splitting it would put the scan state into memory per token */
static hot_path enum h1_verdict fields(struct h1 *h, struct hmsg *m, uint32_t len)
{
        char *b = m->blk[0].p;
        struct cursor c = { h->pos, h->line, h->colon, h->val };
        unsigned stage = h->stage;

        for (;;) {
                switch (stage) {
                case ST_LINE:
                        c.i = h1_lines->take(m, b, c.i, len); /* what it does not take is read again below */
                        if (unlikely(c.i == len))
                                return pause_at(h, c, ST_LINE, len);
                        if (unlikely((unsigned char)b[c.i] <= '\r' && (b[c.i] == '\r' || b[c.i] == '\n')))
                                return head_end(h, m, b, c, len);
                        c.name = c.i;
                        /* fall through */
                case ST_NAME:
                        c.i = h1_lower_name(b, c.i, len);
                        if (unlikely(c.i - c.name > UINT16_MAX))
                                return h1_bad(h, H1_WHY_NAME_LONG, c.name + UINT16_MAX);
                        if (unlikely(c.i == len))
                                return pause_at(h, c, ST_NAME, len);
                        if (unlikely(b[c.i] != ':' || c.i == c.name))
                                return bad_name(h, b, c.name, c.i);
                        c.colon = c.i++;
                        if (likely(len - c.i >= 2 && b[c.i] == ' ' && (unsigned char)b[c.i + 1] > ' '))
                                c.i++;
                        /* fall through */
                case ST_OWS:
                        while (c.i < len && (unsigned char)b[c.i] <= ' ' && (b[c.i] == ' ' || b[c.i] == '\t'))
                                c.i++;
                        if (unlikely(c.i == len))
                                return pause_at(h, c, ST_OWS, len);
                        c.val = c.i;
                        /* fall through */
                default: /* ST_VALUE */
                        c.i = h1_find_ctl(b, c.i, len);
                        stage = ST_LINE;
                        if (likely(len - c.i >= 2 && memcmp(b + c.i, "\r\n", 2) == 0)) {
                                if (unlikely(!push_field(m, b, c, true)))
                                        return h1_bad(h, H1_WHY_TOO_MANY, c.name);
                                c.i += 2;
                                continue;
                        }
                        if (c.i == len)
                                return pause_at(h, c, ST_VALUE, len);
                        if (b[c.i] != '\t') {
                                bool taken = false;
                                enum h1_verdict v = odd_eol(h, m, b, c, len, &taken);
                                if (!taken)
                                        return v;
                        } else {
                                stage = ST_VALUE;
                        }
                        c.i++;
                }
        }
}

/* All that h1_lines takes; true: and the head ends there, as nearly all do. */
static inline bool plain_fields(struct h1 *h, struct hmsg *m, uint32_t len)
{
        const char *b = m->blk[0].p;

        if (h->stage != ST_LINE)
                return false;
        h->pos = h1_lines->take(m, m->blk[0].p, h->pos, len);
        if (len - h->pos < 2 || memcmp(b + h->pos, "\r\n", 2) != 0)
                return false;
        h->stage = ST_DONE;
        m->head_len = h->pos + 2;
        return true;
}

/* ---- start lines ---- */

/* "HTTP/d.d" at i, as far as it is there: 1 complete, 0 wait, -1 wrong. */
static int version_at(const char *b, uint32_t i, uint32_t len)
{
        static const char shape[8] = { 'H', 'T', 'T', 'P', '/', '0', '.', '0' };

        if (likely(len - i >= 8 && memcmp(b + i, "HTTP/1.1", 8) == 0))
                return 1;
        for (uint32_t k = 0; k < 8; k++) {
                if (i + k == len)
                        return 0;
                if (shape[k] == '0' ? !chr_is_digit(b[i + k]) : b[i + k] != shape[k])
                        return -1;
        }
        return 1;
}

static uint32_t skip_sp(struct h1 *h, const char *b, uint32_t i, uint32_t len)
{
        while (i < len && b[i] == ' ') {
                i++;
                h->raw = false; /* one SP was taken already */
        }
        return i;
}

static inline enum h1_verdict take_version(struct h1 *h, struct hmsg *m, const char *b, uint32_t i)
{
        if (b[i + 5] != '1') {
                bool preface = str_is(hmsg_method(m), "PRI") && str_is(hmsg_target(m), "*") && b[i + 5] == '2';
                return h1_bad(h, preface ? H1_WHY_PREFACE : H1_WHY_VERSION_MAJOR, i);
        }
        m->minor = b[i + 7] != '0';
        h->raw &= b[i + 7] <= '1';
        return H1_OK;
}

/* The request line as nearly all are, whole and to the byte as a writer would write it. False: nothing was looked at. */
static bool plain_request_line(struct h1 *h, struct hmsg *m, uint32_t len)
{
        const char *b = m->blk[0].p;
        uint32_t i = h->pos, mend = h1_skip_token(b, i, len), t = mend + 1, tend;

        if (mend == i || mend == len || b[mend] != ' ')
                return false;
        tend = h1_find_not_target(b, t, len);
        if (tend == t || len - tend < 11 || memcmp(b + tend, " HTTP/1.", 8) != 0 || (b[tend + 8] | 1) != '1' ||
            memcmp(b + tend + 9, "\r\n", 2) != 0)
                return false;
        m->mpart = (struct hpart){ i, mend - i, 0 };
        m->target.off = t;
        m->target.len = tend - t;
        m->method = (uint8_t)(memcmp(b + i, "GET ", 4) == 0 ? HMETH_GET : hmsg_method_of(hmsg_method(m)));
        m->minor = b[tend + 8] != '0';
        h->raw = true;
        h->line = i;
        h->pos = tend + 11;
        h->stage = ST_LINE;
        return true;
}

/* LONG: flat switch, one case per token of the request line */
static enum h1_verdict request_line(struct h1 *h, struct hmsg *m, uint32_t len)
{
        const char *b = m->blk[0].p;
        uint32_t i = h->pos;
        int e, v;

        switch (h->stage) {
        case ST_LEAD: /* RFC 9112 2.2: empty lines before a request are skipped */
                for (; i < len && (b[i] == '\r' || b[i] == '\n'); i += (uint32_t)e) {
                        e = eol(h, b, i, len);
                        if (e == 0)
                                return more(h, i, ST_LEAD, len);
                        if (e < 0)
                                return bad_eol(h, b, i, H1_WHY_LINE_END);
                }
                if (i == len)
                        return more(h, i, ST_LEAD, len);
                h->raw = true;
                h->line = i;
                /* fall through */
        case ST_METHOD:
                i = h1_skip_token(b, i, len);
                if (i == len)
                        return more(h, i, ST_METHOD, len);
                if (b[i] != ' ' || i == h->line)
                        return h1_bad(h, H1_WHY_METHOD, i);
                m->mpart = (struct hpart){ h->line, i - h->line, 0 };
                m->method = (uint8_t)hmsg_method_of(hmsg_method(m));
                i++;
                /* fall through */
        case ST_TARGET_GAP:
                i = skip_sp(h, b, i, len);
                if (i == len)
                        return more(h, i, ST_TARGET_GAP, len);
                m->target.off = i;
                /* fall through */
        case ST_TARGET:
                i = h1_find_not_target(b, i, len);
                if (i == len)
                        return more(h, i, ST_TARGET, len);
                if (b[i] == '\r' || b[i] == '\n')
                        return h1_bad(h, i == m->target.off ? H1_WHY_TARGET : H1_WHY_VERSION, i); /* HTTP/0.9 */
                if (b[i] != ' ')
                        return h1_bad(h, H1_WHY_TARGET, i);
                m->target.len = i - m->target.off;
                i++;
                /* fall through */
        case ST_VERSION_GAP:
                i = skip_sp(h, b, i, len);
                /* fall through */
        default: /* ST_VERSION */
                v = version_at(b, i, len);
                if (v < 0)
                        return h1_bad(h, H1_WHY_VERSION, i);
                if (v == 0 || i + 8 == len)
                        return more(h, i, i == len ? ST_VERSION_GAP : ST_VERSION, len);
                e = eol(h, b, i + 8, len);
                if (e == 0)
                        return more(h, i, ST_VERSION, len);
                if (e < 0)
                        return bad_eol(h, b, i + 8, H1_WHY_VERSION);
        }
        if (take_version(h, m, b, i) != H1_OK)
                return H1_BAD;
        h->bare |= e == 1;
        h->raw &= e == 2;
        h->pos = i + 8 + (uint32_t)e;
        h->stage = ST_LINE;
        return H1_OK;
}

static enum h1_verdict take_status(struct h1 *h, struct hmsg *m, const char *b, uint32_t i)
{
        for (uint32_t k = 0; k < 3; k++)
                if (!chr_is_digit(b[i + k]))
                        return h1_bad(h, H1_WHY_STATUS, i + k);
        m->status = (uint16_t)((b[i] - '0') * 100 + (b[i + 1] - '0') * 10 + (b[i + 2] - '0'));
        return m->status < 100 ? h1_bad(h, H1_WHY_STATUS, i) : H1_OK;
}

/* The status line as nearly all are, likewise. */
static bool plain_status_line(struct h1 *h, struct hmsg *m, uint32_t len)
{
        const char *b = m->blk[0].p;
        uint32_t i = h->pos, end;

        if (len - i < 15 || memcmp(b + i, "HTTP/1.", 7) != 0 || (b[i + 7] | 1) != '1' || b[i + 8] != ' ' ||
            b[i + 12] != ' ')
                return false;
        unsigned x = (unsigned char)b[i + 9] - '0', y = (unsigned char)b[i + 10] - '0',
                 z = (unsigned char)b[i + 11] - '0';

        end = h1_find_ctl(b, i + 13, len);
        if (x - 1 > 8 || y > 9 || z > 9 || len - end < 2 || memcmp(b + end, "\r\n", 2) != 0)
                return false;
        m->mpart.off = i;
        m->minor = b[i + 7] != '0';
        m->status = (uint16_t)(x * 100 + y * 10 + z);
        m->reason.off = i + 13;
        m->reason.len = end - (i + 13);
        h->raw = true;
        h->pos = end + 2;
        h->stage = ST_LINE;
        return true;
}

/* LONG: flat switch, one case per token of the status line */
static enum h1_verdict status_line(struct h1 *h, struct hmsg *m, uint32_t len)
{
        const char *b = m->blk[0].p;
        uint32_t i = h->pos;
        int e, v;

        switch (h->stage) {
        case ST_LEAD:
                h->raw = true;
                /* fall through */
        case ST_VERSION:
                v = version_at(b, i, len);
                if (v < 0)
                        return h1_bad(h, H1_WHY_VERSION, i);
                if (v == 0 || i + 8 == len)
                        return more(h, i, ST_VERSION, len);
                if (b[i + 8] != ' ')
                        return h1_bad(h, H1_WHY_VERSION, i + 8);
                m->mpart.off = i;
                if (take_version(h, m, b, i) != H1_OK)
                        return H1_BAD;
                i += 9;
                /* fall through */
        case ST_STATUS_GAP:
                i = skip_sp(h, b, i, len);
                /* fall through */
        case ST_STATUS:
                for (uint32_t k = i; k < len && k < i + 3; k++)
                        if (!chr_is_digit(b[k]))
                                return h1_bad(h, H1_WHY_STATUS, k);
                if (len - i < 4)
                        return more(h, i, i == len ? ST_STATUS_GAP : ST_STATUS, len);
                if (take_status(h, m, b, i) != H1_OK)
                        return H1_BAD;
                i += 3;
                if (b[i] != ' ' && b[i] != '\r' && b[i] != '\n')
                        return h1_bad(h, H1_WHY_STATUS, i);
                /* The SP before an empty reason is often forgotten; HAProxy takes that too. */
                h->raw &= b[i] == ' ';
                i += b[i] == ' ';
                m->reason.off = i;
                /* fall through */
        default: /* ST_REASON */
                i = h1_find_ctl(b, i, len);
                while (i < len && b[i] == '\t')
                        i = h1_find_ctl(b, i + 1, len);
                if (i == len)
                        return more(h, i, ST_REASON, len);
                e = eol(h, b, i, len);
                if (e == 0)
                        return more(h, i, ST_REASON, len);
                if (e < 0)
                        return bad_eol(h, b, i, H1_WHY_REASON);
        }
        m->reason.len = i - m->reason.off;
        h->bare |= e == 1;
        h->raw &= e == 2;
        h->pos = i + (uint32_t)e;
        h->stage = ST_LINE;
        return H1_OK;
}

/* ---- entry points ---- */

/* What every call starts with: nothing after an error or an end, and one place where the block's length is set. */
static bool finished(struct h1 *h, struct hmsg *m, uint32_t len)
{
        m->blk[0].n = len;
        return h->stage >= ST_DONE;
}

static void mark(struct h1 *h, struct hmsg *m)
{
        m->flags |= (h->raw ? HMSG_RAW_START : 0U) | (h->bare ? HMSG_BARE_LF : 0U);
}

enum h1_verdict h1_request(struct h1 *h, struct hmsg *m, uint32_t len)
{
        enum h1_verdict v = H1_OK;

        if (finished(h, m, len))
                return h->stage == ST_DONE ? H1_OK : H1_BAD;
        if (h->stage < ST_LINE && !(h->stage == ST_LEAD && plain_request_line(h, m, len)))
                v = request_line(h, m, len);
        if (v == H1_OK && !plain_fields(h, m, len))
                v = fields(h, m, len);
        if (v != H1_OK)
                return v;
        mark(h, m);
        return h1_judge_request(h, m);
}

enum h1_verdict h1_response(struct h1 *h, struct hmsg *m, uint32_t len, enum hmeth req_method)
{
        enum h1_verdict v = H1_OK;

        if (finished(h, m, len))
                return h->stage == ST_DONE ? H1_OK : H1_BAD;
        m->flags |= HMSG_RESPONSE;
        h->req_method = (uint8_t)req_method;
        if (h->stage < ST_LINE && !(h->stage == ST_LEAD && plain_status_line(h, m, len)))
                v = status_line(h, m, len);
        if (v == H1_OK && !plain_fields(h, m, len))
                v = fields(h, m, len);
        if (v != H1_OK)
                return v;
        mark(h, m);
        return h1_judge_response(h, m);
}

enum h1_verdict h1_trailers(struct h1 *h, struct hmsg *m, uint32_t len)
{
        if (finished(h, m, len))
                return h->stage == ST_DONE ? H1_OK : H1_BAD;
        h->opts |= H1_STRICT_LF;
        if (h->stage == ST_LEAD)
                h->stage = ST_LINE;
        enum h1_verdict v = fields(h, m, len);
        return v == H1_OK ? h1_judge_trailers(h, m) : v;
}
