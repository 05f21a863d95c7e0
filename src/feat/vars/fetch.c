/* feat/vars/fetch.c - variables in expressions: var(), dump_all_vars(), the converters set-var and unset-var (manual 7.3). */
#include "conf/conf.h"
#include "core/vars.h"

/* ---- var(<name>[,<default>]) ---- */

static bool var_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        (void)n_args;
        return var_arg(c, &args[0], at, "fetch method 'var'");
}

static enum expr_answer var_fetch(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,
                                  struct smp *ret_smp)
{
        if (var_get(args[0].ptr, x, ret_smp))
                return EXPR_OK;
        if (n_args < 2)
                return EXPR_MISS;
        smp_str(ret_smp, (struct str){ args[1].s, args[1].n });
        return EXPR_OK;
}

static const struct fetch fetches[] = {
        { .name = "var",
          .args = { ARG_STR, ARG_STR },
          .min_args = 0, /* the name is asked for by the check, in better words */
          .out = SMP_ANY,
          .needs = EXPR_CONF,
          .fn = var_fetch,
          .check = var_check,
          .manual = "7.3.2",
          .help = "a variable, or the default when it is not set: var(<var-name>[,<default>])" },
};
FETCH_TABLE(vars, fetches);

/* ---- converters ---- */

static bool set_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        if (!var_arg(c, &args[0], at, "converter 'set-var'"))
                return false;
        args[0].i = 0;
        for (unsigned i = 1; i < n_args; i++) {
                unsigned bit = var_cond((struct str){ args[i].s, args[i].n });

                if (!bit && args[i].n) {
                        (void)kw_fail(c, at, "E0750", "invalid args in converter 'set-var' : unknown condition \"%s\".",
                                      args[i].s);
                        return false;
                }
                args[0].i |= bit;
        }
        return true;
}

/* The input may be a part of what the variable held until now: the output is read from there again. */
static bool set_conv(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args, struct smp *smp)
{
        (void)n_args;
        if (var_set_if(args[0].ptr, (unsigned)args[0].i, x, smp))
                (void)var_get(args[0].ptr, x, smp);
        return true;
}

static bool unset_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        (void)n_args;
        return var_arg(c, &args[0], at, "converter 'unset-var'");
}

static bool to_scratch(struct smp *smp)
{
        const char **p = smp->type == SMP_METH ? &smp->m.p : &smp->s.p;
        uint32_t n = smp->type == SMP_METH ? smp->m.n : smp->s.n;
        size_t cap;
        char *to;

        if (smp->type != SMP_STR && smp->type != SMP_BIN && smp->type != SMP_METH)
                return true;
        to = expr_scratch(&cap);
        if (n > cap)
                return false;
        memcpy(to, *p, n);
        *p = to;
        return true;
}

/* The input may be the variable's own bytes. */
static bool unset_conv(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args, struct smp *smp)
{
        (void)n_args;
        if (!to_scratch(smp))
                return false;
        var_unset(args[0].ptr, x);
        return true;
}

static const struct conv convs[] = {
        { .name = "set-var",
          .args = { ARG_STR, ARG_STR, ARG_STR, ARG_STR, ARG_STR },
          .in = SMP_ANY,
          .out = SMP_ANY,
          .fn = set_conv,
          .check = set_check,
          .manual = "7.3.1",
          .help = "keeps the value in a variable and passes it on: set-var(<var-name>[,<cond>...]), with up to four of ifexists, "
                  "ifnotexists, ifempty, ifnotempty, ifset, ifnotset, ifgt, iflt" },
        { .name = "unset-var",
          .args = { ARG_STR },
          .in = SMP_ANY,
          .out = SMP_ANY,
          .fn = unset_conv,
          .check = unset_check,
          .manual = "7.3.1",
          .help = "forgets a variable and passes the input on" },
};
CONV_TABLE(vars, convs);
