/* core/rules.c - see rules.h. */
#include "core/rules.h"
#include "base/map.h"
#include "conf/conf.h"
#include "conf/later.h"

#include <stdarg.h>
#include <stdio.h>

struct rules {
        uint32_t n;
        struct rule rule[];
};

extern const struct action_table *const __start_telamon_action[] __attribute__((weak));
extern const struct action_table *const __stop_telamon_action[] __attribute__((weak));

const struct action_table *const *rules_action_tables(size_t *ret_n)
{
        *ret_n = (size_t)(__stop_telamon_action - __start_telamon_action);
        return __start_telamon_action;
}

static const struct action *find_action(struct str name, enum rule_point p)
{
        for (const struct action_table *const *t = __start_telamon_action; t < __stop_telamon_action; t++) {
                for (size_t i = 0; i < (*t)->n; i++) {
                        const struct action *a = &(*t)->rows[i];

                        if ((a->points & (1u << p)) && str_is(name, a->name))
                                return a;
                }
        }
        return NULL;
}

/* "set-var(txn.x)" is the action "set-var". */
static struct str action_name(const struct word *w)
{
        const char *paren = memchr(w->text.p, '(', w->text.n);

        return paren ? str_sub(w->text, 0, (size_t)(paren - w->text.p)) : w->text;
}

int rule_fail(struct rule_call *c, const struct word *w, const char *fmt, ...)
{
        char why[512];
        va_list ap;
        struct str action = action_name(&c->kw->args[0]);

        va_start(ap, fmt);
        (void)vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        (void)kw_fail(c->kw, w, "E0740", "error detected while parsing an '%s %.*s' rule : %s.", c->kw->kw->name,
                      (int)action.n, action.p, why);
        return -1;
}

const struct logfmt *rule_format(struct rule_call *c, const struct word *w)
{
        return logfmt_compile(c->kw, w->text, w, c->allowed);
}

static int unknown_action(struct kw_call *c, enum rule_point p)
{
        const char *names[128];
        const char *why = later_text(&c->diags->mem, "action", c->kw->name, action_name(&c->args[0]));
        size_t n = 0;
        struct diag *d;

        if (why) {
                (void)kw_fail(c, &c->args[0], "E0120", "'%s' : %s", c->kw->name, why);
                return -1;
        }
        for (const struct action_table *const *t = __start_telamon_action; t < __stop_telamon_action; t++) {
                for (size_t i = 0; i < (*t)->n && n < array_len(names) - 1; i++) {
                        if ((*t)->rows[i].points & (1u << p))
                                names[n++] = (*t)->rows[i].name;
                }
        }
        names[n] = NULL;
        d = kw_fail(c, &c->args[0], "E0741", "'%s' : unknown action '%.*s'.", c->kw->name, (int)c->args[0].text.n,
                    c->args[0].text.p);
        diag_suggest(c->diags, d, kw_nearest(c->args[0].text, names));
        return -1;
}

/* Where the condition starts; n_args when there is none. A quoted "if" is a value. */
static size_t find_cond(const struct kw_call *c, size_t from)
{
        while (from < c->n_args && (c->args[from].quoted || !cond_starts(&c->args[from])))
                from++;
        return from;
}

static bool parse_cond(struct kw_call *c, size_t at, unsigned allowed, struct rule *r)
{
        struct str action = action_name(&c->args[0]);
        char what[128];

        if (at == c->n_args)
                return true;
        (void)snprintf(what, sizeof(what), "an '%s %.*s' condition", c->kw->name, (int)action.n, action.p);
        r->cond = cond_compile(c, what, c->args + at, c->n_args - at, allowed);
        return r->cond != NULL;
}

int rules_parse(struct kw_call *c, enum rule_point p, unsigned allowed, const struct rule_line **list)
{
        const struct action *a;
        struct rule_line *l;
        struct rule_call rc;
        size_t cond;
        int used;

        if (!kw_need_args(c, 1, "an action"))
                return -1;
        a = find_action(action_name(&c->args[0]), p);
        if (!a)
                return unknown_action(c, p);
        cond = find_cond(c, 1);
        rc = (struct rule_call){ .kw = c, .w = c->args + 1, .n = cond - 1, .point = p, .allowed = allowed };
        l = conf_alloc(c->conf, sizeof(*l));
        l->rule.action = a;
        l->rule.file =
                conf_intern(c->conf, str_of(c->at.file < c->diags->n_files ? c->diags->files[c->at.file].name : ""));
        l->rule.line = c->at.line;
        used = a->parse(&rc, &l->rule.arg);
        if (used < 0)
                return -1;
        if ((size_t)used < rc.n)
                return rule_fail(&rc, &rc.w[used], "expects 'if' or 'unless', but found '%.*s'", (int)rc.w[used].text.n,
                                 rc.w[used].text.p);
        if (!parse_cond(c, cond, allowed, &l->rule))
                return -1;
        words_keep(c->conf, c->args, c->n_args, &l->words);
        l->prev = *list;
        *list = l;
        return (int)c->n_args;
}

void rules_dump(const char *keyword, const struct rule_line *last, struct buf *out)
{
        if (!last)
                return;
        rules_dump(keyword, last->prev, out);
        buf_printf(out, "    %s", keyword);
        words_dump(&last->words, out);
        buf_putc(out, '\n');
}

const struct rules *rules_compile(struct conf *c, const struct rule_line *last)
{
        struct rules *r;
        uint32_t n = 0;

        for (const struct rule_line *l = last; l; l = l->prev)
                n++;
        if (n == 0)
                return NULL;
        r = conf_alloc(c, sizeof(*r) + n * sizeof(r->rule[0]));
        r->n = n;
        for (const struct rule_line *l = last; l; l = l->prev)
                r->rule[--n] = l->rule;
        return r;
}

/* ---- run ---- */

static uint32_t resume_at(const struct rule_ctx *x)
{
        return x->strm && x->strm->vars ? *expr_resume(x->strm->vars, rules_place(x)) : 0;
}

static bool remember(const struct rule_ctx *x, uint32_t at)
{
        struct expr_state *e = x->strm && (at || x->strm->vars) ? expr_state_of(x->strm) : NULL;

        if (e) {
                *expr_resume(e, rules_place(x)) = (uint16_t)at;
                expr_rules(e)->waiting = NULL; /* until note() */
        }
        return e || !at;
}

const struct rule *rules_beside(const struct rule_ctx *x, int by)
{
        int64_t i = (int64_t)x->at + by;

        return i >= 0 && i < x->list->n ? &x->list->rule[i] : NULL;
}

static atomic_bool notes; /* no partner: what began before is not noted */

void rules_note(void)
{
        atomic_store_explicit(&notes, true, memory_order_relaxed);
}

/* A rule ended its list, or waits in it. Few do, so this costs the others nothing. */
static void note(const struct rule_ctx *x, const struct rule *u, enum rule_answer a)
{
        struct expr_state *e;

        if (likely(!atomic_load_explicit(&notes, memory_order_relaxed)) || !x->strm)
                return;
        e = expr_state_of(x->strm);
        if (!e)
                return; /* no memory: it stays unknown */
        expr_rules(e)->waiting = a == RULE_WAIT ? u : NULL;
        if (a != RULE_WAIT)
                expr_rules(e)->last = u;
}

/* An action that waits is gone on with. A condition that waits lets the list begin anew when more has come, as in HAProxy: what the rules
 * before it looked for may be there then (tcp-request content set-var(sess.sni) req.ssl_sni; ... accept if { ... }). */
hot_path enum rule_answer rules_run(const struct rules *r, struct rule_ctx *x)
{
        x->list = r;
        for (uint32_t i = resume_at(x); i < r->n; i++) {
                const struct rule *u = &r->rule[i];
                enum cond_answer c = u->cond ? cond_run(u->cond, &x->x) : COND_TRUE;
                enum rule_answer a;

                x->at = i;
                a = c == COND_WAIT ? RULE_WAIT : c == COND_TRUE ? u->action->run(u->arg, x) : RULE_NEXT;

                if (likely(a == RULE_NEXT))
                        continue;
                if (a == RULE_WAIT && !remember(x, c == COND_WAIT ? 0 : i))
                        return RULE_CLOSE; /* no memory to go on later */
                if (a != RULE_WAIT)
                        (void)remember(x, 0);
                note(x, u, a);
                return a;
        }
        (void)remember(x, 0);
        return RULE_NEXT;
}
