/* feat/convs/language.c - the best of a list of languages for an Accept-Language header (RFC 9110 12.5.4). */
#include "feat/convs/conv.h"

/* The text before the first `ch`; the rest stays in *s. False: nothing is left. */
static bool take_until(struct str *s, char ch, struct str *ret_part)
{
        const char *end = s->n ? memchr(s->p, ch, s->n) : NULL;
        size_t n = end ? (size_t)(end - s->p) : s->n;

        if (s->n == 0)
                return false;
        *ret_part = str_sub(*s, 0, n);
        n += end != NULL;
        *s = str_sub(*s, n, s->n - n);
        return true;
}

/* "0.8" in thousandths; what is no quality counts as 1. */
static int quality(struct str t)
{
        int q = 0, digit = 1000;

        if (t.n == 0 || (t.p[0] != '0' && t.p[0] != '1') || (t.n > 1 && t.p[1] != '.'))
                return 1000;
        q = t.p[0] == '1' ? 1000 : 0;
        for (size_t i = 2; i < t.n && i < 5; i++) {
                if (!chr_is_digit(t.p[i]))
                        return q;
                q += (t.p[i] - '0') * (digit /= 10);
        }
        return q > 1000 ? 1000 : q;
}

/* The one of `list` that is t, or t without its variant. */
static bool listed(struct str list, struct str t, struct str *ret_found)
{
        const char *dash = memchr(t.p, '-', t.n);
        struct str base = str_sub(t, 0, dash ? (size_t)(dash - t.p) : t.n), part, rest = list;

        while (take_until(&rest, ';', &part)) {
                if (part.n && str_eq(part, t)) {
                        *ret_found = part;
                        return true;
                }
        }
        return base.n < t.n && listed(list, base, ret_found);
}

CONV(language)
{
        struct str in = smp_text(smp), range, name, param, best = { NULL, 0 }, found;
        int best_q = 0;

        (void)x;
        while (take_until(&in, ',', &range)) {
                int q = 1000;

                if (!take_until(&range, ';', &name))
                        continue;
                while (take_until(&range, ';', &param)) {
                        param = str_trim(param);
                        if (str_has_prefix(param, STR("q=")))
                                q = quality(str_sub(param, 2, param.n - 2));
                }
                name = str_trim(name);
                if (q > best_q && name.n && listed(arg_text(args, n_args, 0), name, &found)) {
                        best_q = q;
                        best = found;
                }
        }
        if (!best.p && n_args > 1)
                best = arg_text(args, n_args, 1);
        if (!best.p)
                return false;
        smp_str(smp, best);
        return true;
}

static const struct conv rows[] = {
        { .name = "language",
          .args = { ARG_STR, ARG_STR },
          ROW(STR, STR),
          .fn = language,
          .help = "the best of these languages (en;fr) for an Accept-Language header, or a default" },
};
CONV_TABLE(language, rows);
