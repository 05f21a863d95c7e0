/* feat/fetches/conv.c - converters (manual 7.3.1). */
#include "core/expr.h"
#include "core/put.h"

#define CONV(fn) static bool fn(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args, struct smp *smp)
#define UNUSED   (void)x, (void)args, (void)n_args

/* ---- text ---- */

/* Own bytes that may be changed; false when they do not fit. */
static bool make_writable(struct smp *s)
{
        size_t cap;
        char *p;

        if (!s->is_const && s->s.cap >= s->s.n)
                return true;
        p = expr_scratch(&cap);
        if (s->s.n > cap)
                return false;
        memcpy(p, s->s.p, s->s.n);
        s->s.p = p;
        s->s.cap = (uint32_t)cap;
        s->is_const = false;
        return true;
}

static bool change_case(struct smp *s, char first, char last)
{
        char *p;

        if (!make_writable(s))
                return false;
        p = (char *)(uintptr_t)s->s.p;
        for (uint32_t i = 0; i < s->s.n; i++)
                p[i] = (char)(p[i] >= first && p[i] <= last ? p[i] ^ 0x20 : p[i]);
        return true;
}

CONV(lower)
{
        UNUSED;
        return change_case(smp, 'A', 'Z');
}

CONV(upper)
{
        UNUSED;
        return change_case(smp, 'a', 'z');
}

CONV(length)
{
        UNUSED;
        smp_int(smp, smp->s.n);
        return true;
}

CONV(hex)
{
        size_t cap;
        char *out = expr_scratch(&cap), *p = out;

        UNUSED;
        if ((size_t)smp->s.n * 2 > cap)
                return false;
        for (uint32_t i = 0; i < smp->s.n; i++)
                p = put_hex(p, out + cap, (unsigned char)smp->s.p[i], 2);
        smp->type = SMP_STR;
        smp->is_const = false;
        smp->s.p = out;
        smp->s.n = (uint32_t)(p - out);
        smp->s.cap = (uint32_t)cap;
        return true;
}

/* A part of the bytes stays borrowed from where they are. */
static bool narrow(struct smp *s, size_t from, size_t n)
{
        s->s.p += from;
        s->s.n = (uint32_t)n;
        s->s.cap = s->s.cap > from ? s->s.cap - (uint32_t)from : 0;
        return true;
}

/* What is out of range leaves nothing (manual 7.3.1). */
CONV(bytes)
{
        int64_t from = args[0].i, len = n_args > 1 ? args[1].i : INT64_MAX;

        (void)x;
        if (from < 0 || from >= smp->s.n || len < 0)
                return narrow(smp, 0, 0);
        return narrow(smp, (size_t)from, len < smp->s.n - from ? (size_t)len : smp->s.n - (size_t)from);
}

/* ---- fields and words: parts between delimiter bytes; words are the parts that are not empty ---- */

struct parts {
        struct str text, delims;
        bool words;
        size_t at;
        bool done;
};

static bool is_delim(const struct parts *p, char ch)
{
        return memchr(p->delims.p, ch, p->delims.n) != NULL;
}

static bool next_part(struct parts *p, struct str *ret_part)
{
        size_t start;

        while (p->words && p->at < p->text.n && is_delim(p, p->text.p[p->at]))
                p->at++;
        if (p->done || (p->words && p->at >= p->text.n))
                return false;
        start = p->at;
        while (p->at < p->text.n && !is_delim(p, p->text.p[p->at]))
                p->at++;
        *ret_part = str_sub(p->text, start, p->at - start);
        if (p->at >= p->text.n)
                p->done = true; /* a delimiter at the end is followed by one more, empty field */
        else
                p->at++;
        return true;
}

/* Parts `index`, counted from 1 or from -1 backwards, and its neighbours in that direction; count 0: all of them. */
static bool pick(struct smp *s, bool words, const struct expr_arg *args, unsigned n_args)
{
        struct parts p = { { s->s.p, s->s.n }, { args[1].s, args[1].n }, words, 0, false }, again = p;
        int64_t index = args[0].i, n = n_args > 2 ? args[2].i : 1, total = 0, lo, hi;
        struct str part = { s->s.p, 0 }, first = part;

        while (next_part(&p, &part))
                total++;
        if (index > total || index < -total)
                return false;
        if (index > 0) {
                lo = index;
                hi = n == 0 || n > total - index ? total : index + n - 1;
        } else {
                hi = total + index + 1;
                lo = n == 0 || n > hi ? 1 : hi - n + 1;
        }
        for (int64_t i = 1; i <= hi && next_part(&again, &part); i++) {
                if (i == lo)
                        first = part;
        }
        return narrow(s, (size_t)(first.p - s->s.p), (size_t)(part.p + part.n - first.p));
}

static bool pick_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        if (args[0].i != 0 && args[1].n != 0 && (n_args < 3 || args[2].i >= 0))
                return true;
        (void)kw_fail(c, at, "E0702",
                      "expects an index other than 0, at least one delimiter, and a count that is not negative");
        return false;
}

CONV(field)
{
        (void)x;
        return pick(smp, false, args, n_args);
}

CONV(word)
{
        (void)x;
        return pick(smp, true, args, n_args);
}

/* ---- numbers: results stay within 64 bits, as in HAProxy ---- */

CONV(to_bool)
{
        UNUSED;
        smp_bool(smp, smp->i != 0);
        return true;
}

CONV(not )
{
        UNUSED;
        smp_bool(smp, smp->i == 0);
        return true;
}

CONV(add)
{
        int64_t v;

        UNUSED;
        smp->i = __builtin_add_overflow(smp->i, args[0].i, &v) ? (smp->i < 0 ? INT64_MIN : INT64_MAX) : v;
        return true;
}

CONV(sub)
{
        int64_t v;

        UNUSED;
        smp->i = __builtin_sub_overflow(smp->i, args[0].i, &v) ? (smp->i < 0 ? INT64_MIN : INT64_MAX) : v;
        return true;
}

#define TEXT .in = SMP_STR, .out = SMP_STR, .manual = "7.3.1"
#define PICK .args = { ARG_SINT, ARG_STR, ARG_SINT }, .min_args = 2, .check = pick_check

static const struct conv rows[] = {
        { .name = "add",
          .args = { ARG_SINT },
          .min_args = 1,
          .in = SMP_SINT,
          .out = SMP_SINT,
          .fn = add,
          .manual = "7.3.1",
          .help = "adds a number" },
        { .name = "bool", .in = SMP_SINT, .out = SMP_BOOL, .fn = to_bool, .manual = "7.3.1", .help = "is it not 0" },
        { .name = "bytes",
          .args = { ARG_SINT, ARG_SINT },
          .min_args = 1,
          .in = SMP_BIN,
          .out = SMP_BIN,
          .fn = bytes,
          .manual = "7.3.1",
          .help = "a part of the bytes" },
        { .name = "field", PICK, TEXT, .fn = field, .help = "a field between delimiters" },
        { .name = "hex", .in = SMP_BIN, .out = SMP_STR, .fn = hex, .manual = "7.3.1", .help = "as hexadecimal digits" },
        { .name = "length", .in = SMP_STR, .out = SMP_SINT, .fn = length, .manual = "7.3.1", .help = "how many bytes" },
        { .name = "lower", TEXT, .fn = lower, .help = "to lower case" },
        { .name = "not", .in = SMP_SINT, .out = SMP_BOOL, .fn = not, .manual = "7.3.1", .help = "is it 0" },
        { .name = "sub",
          .args = { ARG_SINT },
          .min_args = 1,
          .in = SMP_SINT,
          .out = SMP_SINT,
          .fn = sub,
          .manual = "7.3.1",
          .help = "takes a number away" },
        { .name = "upper", TEXT, .fn = upper, .help = "to upper case" },
        { .name = "word", PICK, TEXT, .fn = word, .help = "a word between delimiters" },
};
CONV_TABLE(basic, rows);
