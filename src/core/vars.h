/* core/vars.h - variables: typed values with a name and a life (manual 2.8).
 *
 *   proc.x   the process; every thread sees it          sess.x   a client's connection
 *   txn.x    a stream                                   req.x    a stream until it looks for a server
 *   res.x    a stream from then on                      check.x  one run of a health check
 *
 * psess, ptxn, preq and pres name the variables of a parent stream: no stream has one here, so they are never set.
 *
 * Names: a name is one object in the process, made while a file is loaded (or by a command) and never freed, so that a session which
 * outlives its configuration finds its variables; there are at most VAR_NAMES_MAX.
 * Values: bytes are copied in. What var_get() gives borrows them: until the variable is set or unset again, or its scope ends; of proc.x
 * it is a copy in the thread's scratch memory (expr_scratch()).
 * Memory: per stream and session made with the first variable; tune.vars.*-max-size limit it, var_set() is false then and the variable
 * stays as it was.
 * Threads: proc.x any, readers take no lock; all others the thread of their stream, session or check. */
#ifndef CORE_VARS_H
#define CORE_VARS_H

#include "core/expr.h"

enum var_scope {
        VAR_PROC,
        VAR_SESS,
        VAR_TXN,
        VAR_REQ,
        VAR_RES,
        VAR_CHECK,
        VAR_PSESS,
        VAR_PTXN,
        VAR_PREQ,
        VAR_PRES,
        VAR_SCOPES
};

enum { VAR_NAMES_MAX = 65536, VAR_WHY_MAX = 512 };

struct var_name;
struct vars; /* the variables of one owner */

/* "txn.x" -> its name. NULL: ret_why says what is wrong with it, without a full stop. Any thread. */
const struct var_name *var_name_parse(struct str text, char ret_why[VAR_WHY_MAX]);
enum var_scope var_scope_of(const struct var_name *n);
struct str var_text(const struct var_name *n);                   /* "txn.x" */
bool var_scope_find(struct str name, enum var_scope *ret_scope); /* "txn" */

/* For the check function of a fetch or converter: args[i].ptr = the name of args[i]. False after an alert; what: "converter 'concat'". */
bool var_arg(struct kw_call *c, struct expr_arg *a, const struct word *at, const char *what);

/* False: not set, or no such scope here. */
bool var_get(const struct var_name *n, const struct expr_ctx *x, struct smp *ret_smp);

enum {                    /* conditions of set-var: all that are asked for must hold (manual 7.3.1, set-var) */
       VAR_IF_EXISTS = 1, /* proc.x always does */
       VAR_IF_NOT_EXISTS = 2,
       VAR_IF_EMPTY = 4, /* the value: only strings and bytes can be */
       VAR_IF_NOT_EMPTY = 8,
       VAR_IF_SET = 16,
       VAR_IF_NOT_SET = 32,
       VAR_IF_GT = 64, /* the variable is greater than the value; holds unless both are integers */
       VAR_IF_LT = 128,
};
/* "ifset" -> its bit; 0: no such condition. */
unsigned var_cond(struct str name);
/* False: a condition does not hold, no such scope here, a limit, or no memory; nothing changed. */
bool var_set_if(const struct var_name *n, unsigned conds, const struct expr_ctx *x, const struct smp *smp);
static inline bool var_set(const struct var_name *n, const struct expr_ctx *x, const struct smp *smp)
{
        return var_set_if(n, 0, x, smp);
}
void var_unset(const struct var_name *n, const struct expr_ctx *x); /* not set: fine */

struct var_use { /* "set-var(txn.x,ifset)" */
        const struct var_name *name;
        unsigned conds;
};
/* From the word of an action: "set-var(<name>[,<cond>...])", "set-var-fmt(...)", "unset-var(<name>)". False: ret_why says why. */
bool var_use_parse(struct str word, struct var_use *ret_use, char ret_why[VAR_WHY_MAX]);

/* Calls fn for each variable of the scope that is set, by name. */
typedef void (*var_each_fn)(void *arg, const struct var_name *n, const struct smp *smp);
void var_each(enum var_scope scope, const struct expr_ctx *x, var_each_fn fn, void *arg);

struct var_limits { /* bytes, 0 = none; each includes those below it but `check` */
        uint64_t global, proc, sess, txn, reqres, check;
};
/* Before the first variable is set: what was set without a limit is not counted. */
void var_limits_set(const struct var_limits *l);

/* The end of an owner: all its variables go. NULL is fine. Streams: before their session. */
void vars_fini_stream(struct strm *s);
void vars_fini(struct vars *v);

#endif
