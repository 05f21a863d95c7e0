/* feat/queue/queue.c - whose turn it is in a queue (core/queue.h): the actions set-priority-class and set-priority-offset, and what they
 * set as samples (manual 4.4, 7.3.2).  Threads: any. */
#include "core/expr.h"
#include "core/rules.h"

static int prio_parse(struct rule_call *c, const void **ret_arg)
{
        const struct expr *e;
        size_t used = 0;

        if (c->n == 0)
                return rule_fail(c, NULL, "expects an expression");
        e = expr_compile(c->kw, c->w[0].text, &c->w[0], c->allowed, &used);
        if (!e)
                return -1;
        if (used != c->w[0].text.n)
                return rule_fail(c, &c->w[0], "unexpected text '%.*s' behind the expression",
                                 (int)(c->w[0].text.n - used), c->w[0].text.p + used);
        e = expr_cast(c->kw, e, SMP_SINT);
        if (!e)
                return rule_fail(c, &c->w[0], "the expression does not give an integer");
        *ret_arg = e;
        return 1;
}

/* False: it has none, or it cannot be kept; then the request keeps the turn it had. */
static bool value_of(const struct expr *e, struct rule_ctx *x, int64_t max, struct strm_prio **ret_p, int64_t *ret_v)
{
        struct expr_state *state;
        struct smp v;

        if (!x->strm || expr_run(e, &x->x, &v) != EXPR_OK)
                return false;
        state = expr_state_of(x->strm);
        if (!state)
                return false;
        *ret_p = expr_prio(state);
        *ret_v = v.i < -max ? -max : v.i > max ? max : v.i;
        return true;
}

static enum rule_answer class_run(const void *arg, struct rule_ctx *x)
{
        struct strm_prio *p;
        int64_t v;

        if (value_of(arg, x, PRIO_CLASS_MAX, &p, &v))
                p->class = (int16_t)v;
        return RULE_NEXT;
}

static enum rule_answer offset_run(const void *arg, struct rule_ctx *x)
{
        struct strm_prio *p;
        int64_t v;

        if (value_of(arg, x, PRIO_OFFSET_MAX, &p, &v))
                p->offset_ms = (int32_t)v;
        return RULE_NEXT;
}

static const struct action actions[] = {
        { .name = "set-priority-class",
          .points = RULE_ON(TCP_REQUEST) | RULE_ON(HTTP_REQUEST),
          .parse = prio_parse,
          .run = class_run,
          .args = "<expr>",
          .manual = "4.4",
          .help = "class in a queue, -2047 to 2047: the lowest is served first" },
        { .name = "set-priority-offset",
          .points = RULE_ON(TCP_REQUEST) | RULE_ON(HTTP_REQUEST),
          .parse = prio_parse,
          .run = offset_run,
          .args = "<expr>",
          .manual = "4.4",
          .help = "milliseconds by which it came later to a queue than it did, -524287 to 524287; within its class" },
};
ACTION_TABLE(queue, actions);

static const struct strm_prio *prio_of(const struct expr_ctx *x)
{
        return x->strm && x->strm->vars ? expr_prio(x->strm->vars) : NULL;
}

static enum expr_answer prio_class(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,
                                   struct smp *ret_smp)
{
        const struct strm_prio *p = prio_of(x);

        (void)args;
        (void)n_args;
        if (!x->strm)
                return EXPR_MISS;
        smp_int(ret_smp, p ? p->class : 0);
        return EXPR_OK;
}

static enum expr_answer prio_offset(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,
                                    struct smp *ret_smp)
{
        const struct strm_prio *p = prio_of(x);

        (void)args;
        (void)n_args;
        if (!x->strm)
                return EXPR_MISS;
        smp_int(ret_smp, p ? p->offset_ms : 0);
        return EXPR_OK;
}

static const struct fetch fetches[] = {
        { .name = "prio_class",
          .out = SMP_SINT,
          .needs = EXPR_INTERNAL,
          .fn = prio_class,
          .manual = "7.3.2",
          .help = "what set-priority-class set" },
        { .name = "prio_offset",
          .out = SMP_SINT,
          .needs = EXPR_INTERNAL,
          .fn = prio_offset,
          .manual = "7.3.2",
          .help = "what set-priority-offset set" },
};
FETCH_TABLE(queue, fetches);
