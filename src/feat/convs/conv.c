/* feat/convs/conv.c - arguments that are a number or a variable. */
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

bool conv_number_arg(struct kw_call *c, struct expr_arg *a, const struct word *at)
{
        if (a->n == 0 || str_to_i64((struct str){ a->s, a->n }, &a->i)) {
                a->type = ARG_SINT;
                return true;
        }
        return conv_refuse(c, at, "expects an integer or a variable name.");
}

bool conv_number(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args, unsigned i, int64_t *ret_v)
{
        (void)x;
        *ret_v = i < n_args ? args[i].i : 0;
        return true;
}
