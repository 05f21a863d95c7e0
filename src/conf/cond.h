/* conf/cond.h - conditions of .if blocks and of -cc (manual 2.4). */
#ifndef CONF_COND_H
#define CONF_COND_H

#include "conf/conf.h"
#include "conf/text.h"

struct cond_fault {
        char msg[200]; /* HAProxy's words without "in '.if' at position N" */
        size_t at;     /* byte offset in the expression */
};

/* 1 true, 0 false, -1 malformed (*ret_fault). An empty expression is false. Parts that do not decide the result are
 * still checked for form. */
int cond_eval(struct str expr, const struct conf_opts *o, const struct text_vars *v, struct cond_fault *ret_fault);

/* Compares version texts: "3.4.0", "2.4-dev19", "1.1.1k"; missing numbers are zero, -dev and -rc come before. <0 0 >0 */
int cond_version_cmp(struct str a, struct str b);

#endif
