/* feat/convs/regsub.c - regsub: matches of a regular expression replaced, as sed's s/// does. */
#include "base/regex.h"
#include "conf/conf.h"
#include "feat/convs/conv.h"

static void regex_drop(void *r)
{
        regex_free(r);
}

/* args[0].ptr: the pattern; args[2].i: not only the first match. */
CHECK(check_regsub)
{
        struct str flags = arg_text(args, n_args, 2), pattern = arg_text(args, n_args, 0);
        struct regex_error e = { .text = "no memory" };
        bool icase = false, all = false;

        for (size_t i = 0; i < flags.n; i++) {
                if (flags.p[i] != 'i' && flags.p[i] != 'g')
                        return conv_refuse(c, at, "invalid regex flag '%c', only 'i' and 'g' are supported.",
                                           flags.p[i]);
                icase = icase || flags.p[i] == 'i';
                all = all || flags.p[i] == 'g';
        }
        if (pattern.n == 0)
                return conv_refuse(c, at, "missing regex in arg 1 of conversion keyword 'regsub'.");
        args[0].ptr = regex_new(pattern, icase, &e);
        args[0].i = all;
        if (!args[0].ptr)
                return conv_refuse(c, at, "regex '%.*s' is invalid (error=%s, erroffset=%zu).", (int)pattern.n,
                                   pattern.p, e.text, e.at);
        conf_at_free(c->conf, regex_drop, args[0].ptr);
        return true;
}

static void put_expanded(struct out *o, const struct regex_found *f, struct str with)
{
        size_t n = 0;

        if (regex_expand(f, with, o->p + o->n, o->cap - o->n, &n) < 0)
                o->full = true;
        else
                o->n += n;
}

/* An empty match is followed by one byte of the text, so that the next one is behind it. */
CONV(regsub)
{
        struct str t = smp_text(smp);
        struct out o = out_open();
        struct regex_found f;
        size_t from = 0;
        bool again = true;

        (void)x;
        while (again && !o.full && from <= t.n && regex_find(args[0].ptr, t, from, &f)) {
                size_t start = (size_t)(f.group[0].p - t.p), end = start + f.group[0].n;

                out_text(&o, str_sub(t, from, start - from));
                put_expanded(&o, &f, arg_text(args, n_args, 1));
                from = end;
                again = args[0].i != 0;
                if (f.group[0].n == 0 && again) {
                        if (from < t.n)
                                out_char(&o, t.p[from]);
                        from++;
                }
        }
        if (from < t.n)
                out_text(&o, str_sub(t, from, t.n - from));
        return out_give(&o, SMP_STR, smp);
}

static const struct conv rows[] = {
        { .name = "regsub",
          .args = { ARG_STR, ARG_STR, ARG_STR },
          .min_args = 2,
          ROW(STR, STR),
          .check = check_regsub,
          .fn = regsub,
          .help = "with the first match of a pattern replaced; g: all matches, i: whatever the case" },
};
CONV_TABLE(regsub, rows);
