/* core/rules.h - rule lists ("http-request deny if x"): actions are rows, a list is a flat program run in order.
 *
 * A feature adds an action with one row of an ACTION table; a feature adds a keyword that takes rules (tcp-request content, ...) with
 * a keyword row that calls rules_parse() and a hook that calls rules_run().
 * Ownership: everything lives in the configuration's arena.  Threads: parse while loading, run anywhere. */
#ifndef CORE_RULES_H
#define CORE_RULES_H

#include "core/cond.h"
#include "core/hook.h"
#include "core/logfmt.h"

enum rule_point { /* in the order in which a session meets them */
                  RULE_TCP_CONN,
                  RULE_TCP_SESS,
                  RULE_TCP_REQUEST, /* tcp-request content */
                  RULE_HTTP_REQUEST,
                  RULE_TCP_RESPONSE, /* tcp-response content */
                  RULE_HTTP_RESPONSE,
                  RULE_HTTP_AFTER,
                  RULE_POINTS
};
_Static_assert(RULE_POINTS * 2 == EXPR_RESUMES, "each list has its place");
#define RULE_ON(point)   (1u << RULE_##point) /* struct action.points */
#define RULE_ON_REQUESTS (RULE_ON(TCP_CONN) | RULE_ON(TCP_SESS) | RULE_ON(TCP_REQUEST) | RULE_ON(HTTP_REQUEST))
#define RULE_ON_STREAMS                                                                                                \
        (RULE_ON(TCP_REQUEST) | RULE_ON(HTTP_REQUEST) | RULE_ON(TCP_RESPONSE) | RULE_ON(HTTP_RESPONSE) |               \
         RULE_ON(HTTP_AFTER))
#define RULE_ON_ALL (RULE_ON_REQUESTS | RULE_ON_STREAMS)

enum rule_answer {
        RULE_NEXT,  /* go on with the next rule */
        RULE_STOP,  /* no further rule of this list */
        RULE_WAIT,  /* call again; the list goes on at this rule */
        RULE_TAKEN, /* an answer was made */
        RULE_CLOSE, /* end the stream; its termination state is set */
};

struct action;
struct rules;

struct rule {
        const struct action *action;
        const struct cond *cond; /* NULL: always */
        const void *arg;         /* of the action, from the arena */
        const char *file;        /* where it stands */
        uint32_t line;
};

struct rule_ctx {
        struct strm *strm; /* NULL in tcp-request connection and session rules; x.sess is there always */
        struct hmsg *msg;  /* the head that the rules of this point may change */
        struct expr_ctx x;
        enum rule_point point;
        bool as_front;
        const struct rules *list; /* rules_run()'s own: the list, and the rule that runs */
        uint32_t at;
};
/* The rule so many places behind (or before) the one that runs; NULL: none. */
const struct rule *rules_beside(const struct rule_ctx *x, int by);

struct rule_call { /* one rule being parsed */
        struct kw_call *kw;
        const struct word *w; /* behind the action's name, without the condition */
        size_t n;
        enum rule_point point;
        unsigned allowed; /* EXPR_* */
};

struct action { /* a row */
        const char *name;
        unsigned points; /* bits 1 << RULE_* */
        /* Stores what run() gets in *ret_arg. Returns how many words it took, -1 after an alert. */
        int (*parse)(struct rule_call *c, const void **ret_arg);
        enum rule_answer (*run)(const void *arg, struct rule_ctx *x);
        const char *args, *help, *manual;
};
struct action_table {
        const struct action *rows;
        size_t n;
};
#define ACTION_TABLE(id, r)                                                                                            \
        static const struct action_table id##_actions = { r, array_len(r) };                                           \
        static const struct action_table *const id##_action_reg __attribute__((used, section("telamon_action"))) =     \
                &id##_actions

const struct action_table *const *rules_action_tables(size_t *ret_n); /* for documents */

struct rule_line {                    /* one line of a section; kept in the slot of its keyword's table */
        const struct rule_line *prev; /* lists are shared with the defaults they come from */
        struct words words;
        struct rule rule;
};

/* For keyword rows: c->args = "<action> [args] [if|unless <cond>]". Appends to *list. Returns what kw_parse_fn wants. */
int rules_parse(struct kw_call *c, enum rule_point p, unsigned allowed, const struct rule_line **list);
void rules_dump(const char *keyword, const struct rule_line *last, struct buf *out);
const struct rules *rules_compile(struct conf *c, const struct rule_line *last); /* NULL: no rule */
/* x->strm, msg, x, point and as_front are set. A list that waits goes on where it stopped. */
/* The list's number among all that may run on a stream. */
static inline unsigned rules_place(const struct rule_ctx *x)
{
        return (unsigned)x->point * 2 + x->as_front;
}
enum rule_answer rules_run(const struct rules *r, struct rule_ctx *x);

/* From now on streams note which rule ended a list last, and which one they wait in: some program asks for it. While loading. */
void rules_note(void);
struct rules_seen { /* of a stream; NULL: none */
        const struct rule *last, *waiting;
};

/* For actions: a complaint in the form "error detected while parsing '<keyword> <action>' rule : ...". Returns -1. */
int rule_fail(struct rule_call *c, const struct word *w, const char *fmt, ...) fmt_like(3, 4);
/* A log-format string that becomes a field's value or a body. NULL after an alert. */
const struct logfmt *rule_format(struct rule_call *c, const struct word *w);

#endif
