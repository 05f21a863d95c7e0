/* feat/convs/conv.c - arguments that are a number or a variable. */
#include "core/vars.h"
#include "feat/convs/conv.h"

#include <stdarg.h>
#include <stdio.h>

bool conv_refuse(struct kw_call *c, const struct word *at, const char *fmt, ...)
{
        char why[256];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        (void)kw_fail(c, at, "E0702", "%s", why);
        return false;
}

bool conv_var_arg(struct kw_call *c, struct expr_arg *a, const struct word *at)
{
        char why[VAR_WHY_MAX];
        const struct var_name *n = var_name_parse((struct str){ a->s, a->n }, why);

        if (!n)
                return conv_refuse(c, at, "failed to register variable name '%.*s': %s", (int)a->n, a->s, why);
        a->type = ARG_VAR;
        a->ptr = (void *)(uintptr_t)n;
        return true;
}

bool conv_var(const struct expr_ctx *x, const struct expr_arg *a, enum smp_type type, struct smp *ret_smp)
{
        struct smp s = { .iter = 0 };

        if (!var_get(a->ptr, x, &s) || !smp_cast(&s, type))
                return false;
        *ret_smp = s;
        return true;
}

bool conv_number_arg(struct kw_call *c, struct expr_arg *a, const struct word *at)
{
        char why[VAR_WHY_MAX];

        if (a->n == 0 || str_to_i64((struct str){ a->s, a->n }, &a->i)) {
                a->type = ARG_SINT;
                return true;
        }
        a->ptr = (void *)(uintptr_t)var_name_parse((struct str){ a->s, a->n }, why);
        a->type = ARG_VAR;
        return a->ptr || conv_refuse(c, at, "expects an integer or a variable name.");
}

bool conv_number(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args, unsigned i, int64_t *ret_v)
{
        struct smp s;

        if (i >= n_args || args[i].type != ARG_VAR) {
                *ret_v = i < n_args ? args[i].i : 0;
                return true;
        }
        /* Bytes are no number here, though they convert to one elsewhere: so in HAProxy. */
        if (!conv_var(x, &args[i], SMP_ANY, &s) || s.type == SMP_BIN || !smp_cast(&s, SMP_SINT))
                return false;
        *ret_v = s.i;
        return true;
}
