/* feat/convs/parts.c - a part of the sample that stays where it is: fields, words, parameters, bytes, trimmed ends. */
#include "feat/convs/conv.h"

/* ---- fields and words: parts between delimiter bytes; words are the parts that are not empty ---- */

struct parts {
        struct str text, delims;
        bool words;
        size_t at;
        bool done;
};

static bool is_of(struct str set, char ch)
{
        return memchr(set.p, ch, set.n) != NULL;
}

static bool next_part(struct parts *p, struct str *ret_part)
{
        size_t start;

        while (p->words && p->at < p->text.n && is_of(p->delims, p->text.p[p->at]))
                p->at++;
        if (p->done || (p->words && p->at >= p->text.n))
                return false;
        start = p->at;
        while (p->at < p->text.n && !is_of(p->delims, p->text.p[p->at]))
                p->at++;
        *ret_part = str_sub(p->text, start, p->at - start);
        if (p->at >= p->text.n)
                p->done = true; /* a delimiter at the end is followed by one more, empty field */
        else
                p->at++;
        return true;
}

/* Parts `index`, counted from 1 or from -1 backwards, and its neighbours in that direction; no count above 0: all of them. */
static bool pick(struct smp *s, bool words, const struct expr_arg *args, unsigned n_args)
{
        struct parts p = { smp_text(s), { args[1].s, args[1].n }, words, 0, false }, again = p;
        int64_t index = args[0].i, n = arg_int(args, n_args, 2, 1), total = 0, lo, hi;
        struct str part = { s->s.p, 0 }, first = part;

        while (next_part(&p, &part))
                total++;
        if (index > total || index < -total)
                return false;
        if (index > 0) {
                lo = index;
                hi = n <= 0 || n > total - index ? total : index + n - 1;
        } else {
                hi = total + index + 1;
                lo = n <= 0 || n > hi ? 1 : hi - n + 1;
        }
        for (int64_t i = 1; i <= hi && next_part(&again, &part); i++) {
                if (i == lo)
                        first = part;
        }
        return conv_narrow(s, (size_t)(first.p - s->s.p), (size_t)(part.p + part.n - first.p));
}

CHECK(check_pick)
{
        (void)n_args;
        if (args[0].i == 0)
                return conv_refuse(c, at, "Unexpected value 0 for index.");
        return args[1].n != 0 || conv_refuse(c, at, "Empty separators list.");
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

/* ---- name=value between delimiters ---- */

CHECK(check_param)
{
        return n_args < 2 || args[1].n == 1 || conv_refuse(c, at, "Delimiter must be exactly 1 character.");
}

/* The first of that name; one without "=" has an empty value. */
CONV(param)
{
        struct str name = arg_text(args, n_args, 0), delim = n_args > 1 ? arg_text(args, n_args, 1) : STR("&"), part;
        struct parts p = { smp_text(smp), delim, false, 0, false };

        (void)x;
        while (next_part(&p, &part)) {
                if (!str_has_prefix(part, name))
                        continue;
                if (part.n == name.n)
                        return part.n && conv_narrow(smp, (size_t)(part.p + part.n - smp->s.p), 0);
                if (part.p[name.n] == '=')
                        return conv_narrow(smp, (size_t)(part.p + name.n + 1 - smp->s.p), part.n - name.n - 1);
        }
        return false;
}

/* ---- bytes ---- */

CHECK(check_bytes)
{
        for (unsigned i = 0; i < n_args && i < 2; i++) {
                if (!conv_number_arg(c, &args[i], at))
                        return false;
        }
        if (n_args > 0 && args[0].type == ARG_SINT && args[0].i < 0)
                return conv_refuse(c, at, "expects a non-negative integer.");
        if (n_args > 1 && args[1].type == ARG_SINT && args[1].n && args[1].i <= 0)
                return conv_refuse(c, at, "expects a positive integer.");
        return true;
}

/* An offset out of range leaves nothing; a length beyond the end is cut (tests/differences.tsv). */
CONV(bytes)
{
        int64_t from, len = INT64_MAX, left;

        if (!conv_number(x, args, n_args, 0, &from))
                return false;
        if (n_args > 1 && args[1].n && !conv_number(x, args, n_args, 1, &len))
                return false;
        if (from < 0 || from >= smp->s.n || len < 0)
                return conv_narrow(smp, 0, 0);
        left = smp->s.n - from;
        return conv_narrow(smp, (size_t)from, (size_t)(len < left ? len : left));
}

/* ---- ends ---- */

CONV(ltrim)
{
        struct str set = arg_text(args, n_args, 0);
        size_t n = 0;

        (void)x;
        while (n < smp->s.n && is_of(set, smp->s.p[n]))
                n++;
        return conv_narrow(smp, n, smp->s.n - n);
}

CONV(rtrim)
{
        struct str set = arg_text(args, n_args, 0);
        size_t n = smp->s.n;

        (void)x;
        while (n && is_of(set, smp->s.p[n - 1]))
                n--;
        return conv_narrow(smp, 0, n);
}

CONV(cut_crlf)
{
        size_t n = 0;

        UNUSED;
        while (n < smp->s.n && smp->s.p[n] != '\r' && smp->s.p[n] != '\n')
                n++;
        return conv_narrow(smp, 0, n);
}

#define PICK .args = { ARG_SINT, ARG_STR, ARG_SINT }, .min_args = 2, .check = check_pick, ROW(STR, STR)

static const struct conv rows[] = {
        { .name = "bytes",
          .args = { ARG_STR, ARG_STR },
          ROW(BIN, BIN),
          .check = check_bytes,
          .fn = bytes,
          .help = "a part of the bytes: offset and length, each a number or a variable" },
        { .name = "cut_crlf", ROW(STR, STR), .fn = cut_crlf, .help = "up to the first line end" },
        { .name = "field", PICK, .fn = field, .help = "a field between delimiters" },
        { .name = "ltrim",
          .args = { ARG_STR },
          ROW(STR, STR),
          .fn = ltrim,
          .help = "without these characters at its start" },
        { .name = "param",
          .args = { ARG_STR, ARG_STR },
          ROW(STR, STR),
          .check = check_param,
          .fn = param,
          .help = "the value of a parameter name=value between delimiters (&)" },
        { .name = "rtrim",
          .args = { ARG_STR },
          ROW(STR, STR),
          .fn = rtrim,
          .help = "without these characters at its end" },
        { .name = "word", PICK, .fn = word, .help = "a word between delimiters" },
};
CONV_TABLE(parts, rows);
