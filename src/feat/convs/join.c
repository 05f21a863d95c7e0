/* feat/convs/join.c - the sample with a variable: joined to it, compared with it. */
#include "feat/convs/conv.h"

/* The variable as text; empty when it is not set, or no text. */
static struct str var_or_empty(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args, unsigned i)
{
        struct smp s;

        return i < n_args && args[i].ptr && conv_var(x, &args[i], SMP_STR, &s) ? smp_text(&s) : (struct str){ "", 0 };
}

CHECK(check_concat)
{
        return n_args < 2 || args[1].n == 0 || conv_var_arg(c, &args[1], at);
}

CHECK(check_add_item)
{
        if (arg_text(args, n_args, 1).n == 0 && arg_text(args, n_args, 2).n == 0)
                return conv_refuse(c, at, "one of the optional arguments has to be nonempty.");
        return check_concat(c, args, n_args, at);
}

static bool join(struct str sep, struct str var, struct str end, struct smp *smp)
{
        struct out o = out_open();

        out_text(&o, smp_text(smp));
        out_text(&o, sep);
        out_text(&o, var);
        out_text(&o, end);
        return out_give(&o, SMP_STR, smp);
}

CONV(concat)
{
        struct str var = var_or_empty(x, args, n_args, 1);

        return join(arg_text(args, n_args, 0), var, arg_text(args, n_args, 2), smp);
}

/* The delimiter only stands between two things. */
CONV(add_item)
{
        struct str var = var_or_empty(x, args, n_args, 1), end = arg_text(args, n_args, 2);
        bool both = smp->s.n && (var.n || end.n);

        return join(both ? arg_text(args, n_args, 0) : (struct str){ "", 0 }, var, end, smp);
}

CHECK(check_var)
{
        if (n_args == 0 || args[0].n == 0)
                return conv_refuse(c, at, "missing variable name.");
        return conv_var_arg(c, &args[0], at);
}

/* As strcmp(3): the first bytes that differ decide, then the length. */
CONV(compare)
{
        struct smp var;
        struct str a = smp_text(smp), b;
        int64_t diff = 0;

        (void)n_args;
        if (!conv_var(x, &args[0], SMP_STR, &var))
                return false;
        b = smp_text(&var);
        for (size_t i = 0; i < a.n && i < b.n && diff == 0; i++)
                diff = (unsigned char)a.p[i] - (unsigned char)b.p[i];
        smp_int(smp, diff ? diff : (a.n > b.n) - (a.n < b.n));
        return true;
}

/* Takes as long for any two texts of one length: no branch depends on their bytes. */
CONV(secure_memcmp)
{
        struct smp var;
        struct str a = smp_text(smp), b;
        volatile unsigned char diff = 0;

        (void)n_args;
        if (!conv_var(x, &args[0], SMP_BIN, &var))
                return false;
        b = smp_text(&var);
        for (size_t i = 0; a.n == b.n && i < a.n; i++)
                diff = diff | (unsigned char)(a.p[i] ^ b.p[i]);
        smp_bool(smp, a.n == b.n && diff == 0);
        return true;
}

static const struct conv rows[] = {
        { .name = "add_item",
          .args = { ARG_STR, ARG_STR, ARG_STR },
          .min_args = 2,
          ROW(STR, STR),
          .check = check_add_item,
          .fn = add_item,
          .help = "with a delimiter, a variable and a text after it; no delimiter when one side is empty" },
        { .name = "concat",
          .args = { ARG_STR, ARG_STR, ARG_STR },
          ROW(STR, STR),
          .check = check_concat,
          .fn = concat,
          .help = "with a text, a variable and another text after it" },
        { .name = "secure_memcmp",
          .args = { ARG_STR },
          ROW(BIN, BOOL),
          .check = check_var,
          .fn = secure_memcmp,
          .help = "has the variable the same bytes; takes as long wherever they differ" },
        { .name = "strcmp",
          .args = { ARG_STR },
          ROW(STR, SINT),
          .check = check_var,
          .fn = compare,
          .help = "compares with a variable: 0 the same, below 0 smaller, above 0 greater" },
};
CONV_TABLE(join, rows);
