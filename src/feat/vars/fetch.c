/* feat/vars/fetch.c - variables in expressions: var(), dump_all_vars(), the converters set-var and unset-var (manual 7.3). */
#include "conf/conf.h"
#include "core/vars.h"

enum { DUMP_MAX = 16384 };

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

/* ---- dump_all_vars([<scope>][,<prefix>][,<delimiter>]) ---- */

struct dump {
        char *p, *end;
        bool full, some;
        struct str prefix, delimiter;
};

static void put(struct dump *d, struct str s)
{
        if ((size_t)(d->end - d->p) < s.n) {
                d->full = true;
        } else if (s.n) {
                memcpy(d->p, s.p, s.n);
                d->p += s.n;
        }
}

static void put_text(struct dump *d, struct str s)
{
        put(d, STR("\""));
        for (size_t i = 0; i < s.n; i++) {
                switch (s.p[i]) {
                case '"': put(d, STR("\\\"")); break;
                case '\\': put(d, STR("\\\\")); break;
                case '\r': put(d, STR("\\r")); break;
                case '\n': put(d, STR("\\n")); break;
                case '\b': put(d, STR("\\b")); break;
                case '\0': put(d, STR("\\0")); break;
                default: put(d, str_sub(s, i, 1));
                }
        }
        put(d, STR("\""));
}

static void put_hex(struct dump *d, struct str s)
{
        static const char digits[] = "0123456789ABCDEF";

        for (size_t i = 0; i < s.n; i++) {
                char two[2] = { digits[(unsigned char)s.p[i] >> 4], digits[s.p[i] & 15] };

                put(d, (struct str){ two, 2 });
        }
}

static void dump_one(void *arg, const struct var_name *n, const struct smp *smp)
{
        struct dump *d = arg;
        struct str name = var_text(n), own;
        struct smp s = *smp;

        own = str_sub(name, (size_t)((const char *)memchr(name.p, '.', name.n) - name.p) + 1, 0);
        own.n = (size_t)(name.p + name.n - own.p);
        if (!str_has_prefix(own, d->prefix))
                return;
        if (d->some)
                put(d, d->delimiter);
        d->some = true;
        put(d, name);
        put(d, STR("="));
        if (s.type == SMP_BIN)
                put_hex(d, (struct str){ s.s.p, s.s.n });
        else if (s.type == SMP_STR)
                put_text(d, (struct str){ s.s.p, s.s.n });
        else if (s.type == SMP_METH)
                put_text(d, (struct str){ s.m.p, s.m.n });
        else if (s.type == SMP_BOOL)
                put(d, s.b ? STR("true") : STR("false"));
        else if (smp_cast(&s, SMP_STR))
                put(d, (struct str){ s.s.p, s.s.n });
}

static const enum var_scope dumped[] = { VAR_SESS, VAR_TXN, VAR_REQ, VAR_RES, VAR_PROC };

static bool dump_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        enum var_scope s;

        if (!n_args || !args[0].n)
                return true;
        for (size_t i = 0; i < array_len(dumped); i++) {
                if (var_scope_find((struct str){ args[0].s, args[0].n }, &s) && s == dumped[i]) {
                        args[0].i = 1 + (int64_t)i;
                        return true;
                }
        }
        (void)kw_fail(
                c, at, "E0750",
                "invalid args in fetch method 'dump_all_vars' : invalid scope '%s', must be one of: sess, txn, req, "
                "res, proc.",
                args[0].s);
        return false;
}

static enum expr_answer dump_fetch(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,
                                   struct smp *ret_smp)
{
        char text[DUMP_MAX], *to;
        struct dump d = { .p = text, .end = text + sizeof(text), .delimiter = STR(", ") };
        size_t only = n_args ? (size_t)args[0].i : 0, cap;

        if (n_args > 1)
                d.prefix = (struct str){ args[1].s, args[1].n };
        if (n_args > 2)
                d.delimiter = (struct str){ args[2].s, args[2].n };
        for (size_t i = 0; i < array_len(dumped); i++) {
                if (!only || only == i + 1)
                        var_each(dumped[i], x, dump_one, &d);
        }
        if (d.full)
                return EXPR_MISS; /* all or nothing (manual) */
        to = expr_scratch(&cap);
        memcpy(to, text, (size_t)(d.p - text));
        smp_str(ret_smp, (struct str){ to, (size_t)(d.p - text) });
        return EXPR_OK;
}

static const struct fetch fetches[] = {
        { .name = "dump_all_vars",
          .args = { ARG_STR, ARG_STR, ARG_STR },
          .out = SMP_STR,
          .needs = EXPR_CONF,
          .fn = dump_fetch,
          .check = dump_check,
          .manual = "7.3.2",
          .help = "all variables of a scope, or of all, as name=value: dump_all_vars([<scope>][,<prefix>][,<delimiter>])" },
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
