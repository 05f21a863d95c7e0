/* proto/h1_lines.c - see the header. Compiled once for each version, H1_LINES being its name: for any processor of the kind, and on
 * x86-64 also with AVX2 and BMI (h1_scan.h gives each its scans). */
#include "proto/h1_lines.h"

#include "proto/h1_scan.h"

#ifndef H1_LINES
#define H1_LINES      h1_lines_base
#define H1_LINES_NAME "base"
#endif

/* ---- in ---- */

/* Length of the name at p, any token before a colon, made lower case; 0: no such thing. */
static __attribute__((noinline)) uint32_t name_len(char *p, const char *end)
{
        uint32_t n = h1_lower_name(p, 0, (uint32_t)(end - p));

        return n <= UINT16_MAX && p[n] == ':' ? n : 0;
}

static inline __attribute__((always_inline)) void keep(struct hfield *f, uint32_t name, uint32_t nlen, uint32_t vlen,
                                                       int id)
{
        f->name = name;
        f->val = name + nlen + 2;
        f->vlen = vlen;
        f->nlen = (uint16_t)nlen;
        f->id = (uint8_t)id;
        f->flags = HF_RAW;
}

/* hmsg_note() with the word in a register; a second one of a kind is rare. */
static inline __attribute__((always_inline)) void note(struct hmsg *m, uint64_t *have, unsigned id,
                                                       const struct hfield *f)
{
        if (unlikely(*have >> id & 1))
                m->many |= (uint64_t)1 << id;
        else if (unlikely(id <= HID_LAST_HOP))
                m->first[id] = (uint16_t)(f - m->f);
        *have |= (uint64_t)1 << id;
}

struct cursor {
        struct h1_ctls ctls;
        char *p;   /* the line to be taken next */
        char *odd; /* its end, when only its name was not understood here; or NULL */
};

/* The lines from at->p on with names of less than 16 bytes. (Without calls, nearly all of it stays in registers.) The
 * last two bytes are not looked for: where they are reached without a control byte before, they are a line end or there is none. */
static inline __attribute__((always_inline)) void take_short(struct hmsg *m, char *b, uint32_t len, struct cursor *at)
{
        char *p = at->p, *last = b + len - 2, *wide = b + len - 16, *end, *colon, *odd = NULL;
        const struct h1_keys keys = h1_keys();
        struct h1_ctls ctls = at->ctls;
        struct hfield *f = m->f + m->nf, *full = m->f + m->capf;
        uint64_t have = m->have;

        for (; p <= wide && f < full; f++, p = end + 2) {
                end = h1_next_ctl(&ctls, last);
                if (unlikely(memcmp(end, "\r\n", 2) != 0 || end == p || end[-1] == ' '))
                        break;
                int id = h1_take_name(&keys, p, end, &colon);
                if (unlikely(id < 0)) {
                        odd = end;
                        break;
                }
                if (unlikely(colon[1] != ' ' || (unsigned char)colon[2] <= ' '))
                        break;
                keep(f, (uint32_t)(p - b), (uint32_t)(colon - p), (uint32_t)(end - colon - 2), (enum hid)id);
                if (likely(id != HID_NONE))
                        note(m, &have, (unsigned)id, f);
                h1_skip_ctl(&ctls); /* the LF */
        }
        m->nf = (uint16_t)(f - m->f);
        m->have = have;
        at->ctls = ctls;
        at->p = p;
        at->odd = odd;
}

/* The line that take_short() stopped at, with any name. False: it is for the long way. */
static bool take_odd(struct hmsg *m, char *b, struct cursor *at)
{
        char *p = at->p, *end = at->odd;
        uint32_t n = name_len(p, end);
        enum hid id;

        if (n == 0 || p[n + 1] != ' ' || (unsigned char)p[n + 2] <= ' ')
                return false;
        id = hmsg_id(p, n);
        keep(&m->f[m->nf], (uint32_t)(p - b), n, (uint32_t)(end - p) - n - 2, id);
        if (id != HID_NONE)
                hmsg_note(m, (unsigned)id, m->nf);
        m->nf++;
        h1_skip_ctl(&at->ctls); /* the LF */
        at->p = end + 2;
        return true;
}

static __attribute__((noinline)) uint32_t take_rest(struct hmsg *m, char *b, uint32_t len, struct cursor at)
{
        while (at.odd && take_odd(m, b, &at))
                take_short(m, b, len, &at);
        return (uint32_t)(at.p - b);
}

static hot_path uint32_t take(struct hmsg *m, char *b, uint32_t i, uint32_t len)
{
        struct cursor at = { .ctls = h1_ctls_from(b + i), .p = b + i };

        if (unlikely(len < 66))
                return i;
        take_short(m, b, len, &at);
        return likely(!at.odd) ? (uint32_t)(at.p - b) : take_rest(m, b, len, at);
}

/* ---- out ---- */

/* May be sent as it was received, if it is what it says: alive, end to end, a line of its own form in block 0. */
static inline bool plain(const struct hfield *f, const struct hfield *also)
{
        return f->flags == HF_RAW && (f->id == HID_NONE || f->id >= HID_FIRST_END2END || f == also);
}

/* "name: value CRLF" with its colon and line end where the offsets say; the name is for the caller to look at. */
static inline __attribute__((always_inline)) bool framed(const char *b, size_t n, const struct hfield *f)
{
        size_t colon = (size_t)f->name + f->nlen, cr = (size_t)f->val + f->vlen;

        return f->val == colon + 2 && cr + 2 <= n && memcmp(b + cr, "\r\n", 2) == 0 && memcmp(b + colon, ": ", 2) == 0;
}

/* The fields from f on that follow each other, with names of less than 16 bytes. (Without calls, all of it stays in registers.) */
static inline __attribute__((always_inline)) const struct hfield *
short_names(const char *b, size_t n, const struct hfield *f, const struct hfield *stop, const struct hfield *also)
{
        size_t name = f->name;

        for (; f < stop && f->name == name && plain(f, also) && name + 16 <= n && framed(b, n, f); f++) {
                uint32_t nlen = f->nlen;

                if (unlikely(nlen == 0 || h1_plain_name(b + name) != nlen))
                        break;
                name = (size_t)f->val + f->vlen + 2;
        }
        return f;
}

static size_t line_end(const struct hfield *f)
{
        return (size_t)f->val + f->vlen + 2;
}

static bool any_name(const char *b, size_t n, const struct hfield *f, const struct hfield *also)
{
        return plain(f, also) && framed(b, n, f) && f->nlen > 0 &&
               h1_find_not_lower_token(b, f->name, (uint32_t)n) == f->name + f->nlen;
}

/* From `end` on, where short_names() stopped: is it only the name's length? */
static __attribute__((noinline)) const struct hfield *long_names(const char *b, size_t n, const struct hfield *end,
                                                                 const struct hfield *stop, const struct hfield *also)
{
        while (any_name(b, n, end, also)) {
                if (++end == stop || end->name != line_end(end - 1))
                        break;
                end = short_names(b, n, end, stop, also);
                if (end == stop || end->name != line_end(end - 1))
                        break;
        }
        return end;
}

/* When each line has its CR and LF, and there are no other control bytes in all of the run, then there are none in any value. */
static hot_path uint32_t judge(const char *b, uint32_t n, const struct hfield *f, const struct hfield *stop,
                               const struct hfield *also, struct h1_run *ret_run)
{
        const struct hfield *end = short_names(b, n, f, stop, also);

        if (unlikely(end < stop) && (end == f || end->name == line_end(end - 1)))
                end = long_names(b, n, end, stop, also);
        if (end == f) { /* a head that was made here has no block 0 at all */
                *ret_run = (struct h1_run){ .end = f->name, .clean = true };
                return 0;
        }
        ret_run->end = (uint32_t)line_end(end - 1);
        ret_run->clean = h1_count_ctl(b, f->name, ret_run->end) == 2 * (uint32_t)(end - f);
        return (uint32_t)(end - f);
}

const struct h1_lines H1_LINES = { .name = H1_LINES_NAME, .take = take, .judge = judge };
