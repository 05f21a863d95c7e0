/* feat/vars/vars.h - `set-var` and `set-var-fmt`, wherever they stand: what is evaluated, and where it goes.
 *
 * Ownership: the configuration's arena.  Threads: immutable after the load. */
#ifndef FEAT_VARS_VARS_H
#define FEAT_VARS_VARS_H

#include "core/logfmt.h"
#include "core/vars.h"

struct vars_set {
        struct var_use use;
        const struct expr *expr; /* or, when it is NULL: */
        const struct logfmt *fmt;
};

/* Evaluates and sets. No sample, a condition that does not hold, a limit: the variable stays as it is. */
void vars_set_run(const struct vars_set *s, const struct expr_ctx *x);
/* The expression or format in w, all of it. False after an alert. */
bool vars_set_take(struct kw_call *c, const struct word *w, bool fmt, unsigned allowed, struct vars_set *s);

/* ---- section global ---- */

struct vars_line { /* one `set-var` or `set-var-fmt` */
        const struct vars_line *prev;
        bool fmt;
        const char *name, *text; /* interned */
        struct vars_set set;
};
struct vars_cfg { /* slot "vars": global */
        const struct vars_line *last;
        struct var_limits limits;
};
extern int vars_slot;

#endif
