/* feat/fetches/seen.c - which rule ended the last list of rules, and which one a stream waits in (manual 7.3.2). */
#include "core/put.h"
#include "core/rules.h"
#include "feat/fetches/fetch.h"

static bool asks(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        (void)c;
        (void)args;
        (void)n_args;
        (void)at;
        rules_note();
        return true;
}

static struct rules_seen seen(const struct expr_ctx *x)
{
        return x->strm && x->strm->vars ? *expr_rules(x->strm->vars) : (struct rules_seen){ NULL, NULL };
}

FETCH(last_rule_file)
{
        const struct rule *r = seen(x).last;

        UNUSED;
        return r ? answer_text(ret_smp, r->file) : EXPR_MISS;
}

FETCH(last_rule_line)
{
        const struct rule *r = seen(x).last;

        UNUSED;
        return r ? answer_int(ret_smp, r->line) : EXPR_MISS;
}

/* "file:line" */
static enum expr_answer place(const struct rule *r, struct smp *s)
{
        size_t cap, n;
        char *p = expr_scratch(&cap);

        n = r ? strlen(r->file) : 0;
        if (!r || n + 12 > cap)
                return EXPR_MISS;
        memcpy(p, r->file, n);
        p[n++] = ':';
        return answer_str(s, (struct str){ p, (size_t)(put_u64(p + n, p + cap, r->line) - p) });
}

FETCH(last_entity)
{
        UNUSED;
        return place(seen(x).last, ret_smp);
}

FETCH(waiting_entity)
{
        UNUSED;
        return place(seen(x).waiting, ret_smp);
}

/* This program keeps no such events. */
FETCH(term_events)
{
        UNUSED;
        return answer_str(ret_smp, STR("-"));
}

#define ROW(n, type, f, text) FETCH_ROW_ARGS(n, type, EXPR_INTERNAL, f, "7.3.2", text, asks, ARG_NONE)

static const struct fetch rows[] = {
        ROW("last_rule_file", STR, last_rule_file, "file of the rule that ended the last list of rules"),
        ROW("last_rule_line", SINT, last_rule_line, "line of the rule that ended the last list of rules"),
        ROW("last_entity", STR, last_entity, "file and line of the rule that ended the last list of rules"),
        ROW("waiting_entity", STR, waiting_entity, "file and line of the rule that the stream waited in"),
        FETCH_ROW("term_events", STR, EXPR_INTERNAL, term_events, "7.3.2", "\"-\": such events are not kept"),
};
FETCH_TABLE(seen, rows);
