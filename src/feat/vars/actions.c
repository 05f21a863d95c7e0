/* feat/vars/actions.c - the actions set-var, set-var-fmt and unset-var of all rules (manual 4.4). */
#include "conf/conf.h"
#include "core/rules.h"
#include "feat/vars/vars.h"

enum { TEXT_MAX = 16384 };

void vars_set_run(const struct vars_set *s, const struct expr_ctx *x)
{
        char text[TEXT_MAX];
        struct smp smp = { .iter = 0 };

        if (s->expr) {
                if (expr_run(s->expr, x, &smp) != EXPR_OK)
                        return;
        } else {
                smp_str(&smp, (struct str){ text, logfmt_print(s->fmt, x, text, sizeof(text)) });
        }
        (void)var_set_if(s->use.name, s->use.conds, x, &smp);
}

bool vars_set_take(struct kw_call *c, const struct word *w, bool fmt, unsigned allowed, struct vars_set *s)
{
        size_t used = 0;

        if (fmt) {
                s->fmt = logfmt_compile(c, w->text, w, allowed);
                return s->fmt != NULL;
        }
        s->expr = expr_compile(c, w->text, w, allowed, &used);
        if (s->expr && used != w->text.n)
                (void)kw_fail(c, w, "E0750", "unexpected '%.*s' behind the expression.", (int)(w->text.n - used),
                              w->text.p + used);
        return s->expr && used == w->text.n;
}

static bool of_parent(const struct var_name *n)
{
        enum var_scope s = var_scope_of(n);

        return s == VAR_PSESS || s == VAR_PTXN || s == VAR_PREQ || s == VAR_PRES;
}

static bool take_use(struct rule_call *c, struct var_use *u)
{
        char why[VAR_WHY_MAX];

        if (!var_use_parse(c->kw->args[0].text, u, why))
                return rule_fail(c, NULL, "%s", why) >= 0;
        if (of_parent(u->name))
                (void)kw_warn(c->kw, NULL, "W0750",
                              "'%.*s' : variables of a parent stream cannot be set nor unset: this rule has no effect.",
                              (int)c->kw->args[0].text.n, c->kw->args[0].text.p);
        return true;
}

static int set_parse(struct rule_call *c, bool fmt, const void **ret_arg)
{
        struct vars_set *s = conf_alloc(c->kw->conf, sizeof(*s));

        if (!take_use(c, &s->use))
                return -1;
        if (c->n == 0)
                return rule_fail(c, NULL, fmt ? "missing format" : "missing fetch method");
        if (fmt)
                s->fmt = rule_format(c, &c->w[0]);
        if (fmt ? !s->fmt : !vars_set_take(c->kw, &c->w[0], false, c->allowed, s))
                return -1;
        *ret_arg = s;
        return 1;
}

static int expr_parse(struct rule_call *c, const void **ret_arg)
{
        return set_parse(c, false, ret_arg);
}

static int fmt_parse(struct rule_call *c, const void **ret_arg)
{
        return set_parse(c, true, ret_arg);
}

static enum rule_answer set_run(const void *arg, struct rule_ctx *x)
{
        vars_set_run(arg, &x->x);
        return RULE_NEXT;
}

static int unset_parse(struct rule_call *c, const void **ret_arg)
{
        struct var_use u;

        if (!take_use(c, &u))
                return -1;
        *ret_arg = u.name;
        return 0;
}

static enum rule_answer unset_run(const void *arg, struct rule_ctx *x)
{
        var_unset(arg, &x->x);
        return RULE_NEXT;
}

static const struct action rows[] = {
        { .name = "set-var",
          .points = RULE_ON_ALL,
          .parse = expr_parse,
          .run = set_run,
          .manual = "4.4",
          .args = "(<var-name>[,<cond>...]) <expr>",
          .help = "keeps a sample in a variable; it stays as it is when there is no sample" },
        { .name = "set-var-fmt",
          .points = RULE_ON_ALL,
          .parse = fmt_parse,
          .run = set_run,
          .manual = "4.4",
          .args = "(<var-name>[,<cond>...]) <fmt>",
          .help = "keeps a text in a variable" },
        { .name = "unset-var",
          .points = RULE_ON_ALL,
          .parse = unset_parse,
          .run = unset_run,
          .manual = "4.4",
          .args = "(<var-name>)",
          .help = "forgets a variable" },
};
ACTION_TABLE(vars, rows);
