/* feat/http_rules/act.c - see act.h. */
#include "feat/http_rules/act.h"

#include "conf/conf.h"
#include "core/strm_priv.h"

int act_none_parse(struct rule_call *c, const void **ret_arg)
{
        (void)c;
        (void)ret_arg;
        return 0;
}

bool act_name(struct rule_call *c, const struct word *w, struct str *ret_name)
{
        char *lower = conf_alloc(c->kw->conf, w->text.n + 1);

        if (!str_is_token(w->text)) {
                (void)rule_fail(c, w, "'%.*s' is not a valid header name", (int)w->text.n, w->text.p);
                return false;
        }
        for (size_t i = 0; i < w->text.n; i++)
                lower[i] = (char)chr_lower((unsigned char)w->text.p[i]);
        *ret_name = (struct str){ lower, w->text.n };
        return true;
}

/* Text without items is made once. Empty text stays a format: it prints nothing. */
bool act_text_parse(struct rule_call *c, const struct word *w, struct act_text *ret_t)
{
        static const struct expr_ctx nothing = { .final = true };
        char text[ACT_VALUE_MAX];
        size_t n;

        ret_t->fmt = rule_format(c, w);
        if (!ret_t->fmt)
                return false;
        if (!logfmt_is_const(ret_t->fmt))
                return true;
        n = logfmt_print(ret_t->fmt, &nothing, text, sizeof(text));
        ret_t->value = str_of(conf_intern(c->kw->conf, (struct str){ text, n }));
        return true;
}

bool act_text(const struct act_text *t, const struct rule_ctx *x, char *room, struct str *ret_v)
{
        *ret_v = t->value;
        if (!t->value.p)
                *ret_v = (struct str){ room, logfmt_print(t->fmt, &x->x, room, ACT_VALUE_MAX + 1) };
        return ret_v->n <= ACT_VALUE_MAX;
}

static void regex_drop(void *r)
{
        regex_free(r);
}

const struct regex *act_regex(struct rule_call *c, const struct word *w, const char *before)
{
        struct regex_error e = { .text = "no memory" };
        struct regex *r = regex_new(w->text, false, &e);

        if (r)
                conf_at_free(c->kw->conf, regex_drop, r);
        else
                (void)rule_fail(c, w, "%sregex '%.*s' is invalid (error=%s, erroffset=%zu)", before, (int)w->text.n,
                                w->text.p, e.text, e.at);
        return r;
}

bool act_expr(struct rule_call *c, const struct word *w, enum smp_type to, const struct expr **ret_e)
{
        size_t used;
        const struct expr *e = expr_compile(c->kw, w->text, w, c->allowed, &used);

        if (!e)
                return false;
        if (used < w->text.n) {
                (void)rule_fail(c, w, "unexpected text behind the expression : '%.*s'", (int)(w->text.n - used),
                                w->text.p + used);
                return false;
        }
        *ret_e = expr_cast(c->kw, e, to);
        if (!*ret_e)
                (void)rule_fail(c, w, "'%.*s' is no %s", (int)w->text.n, w->text.p, smp_type_name(to));
        return *ret_e != NULL;
}

bool act_int(const struct expr *e, struct rule_ctx *x, int64_t *ret_v)
{
        struct smp v;

        if (expr_run(e, &x->x, &v) != EXPR_OK)
                return false;
        *ret_v = v.i;
        return true;
}

char act_phase(const struct rule_ctx *x)
{
        return x->point == RULE_HTTP_REQUEST ? 'R' : 'H';
}

void act_drop_answer(struct rule_ctx *x)
{
        struct strm *s = x->strm;

        if (x->point != RULE_HTTP_RESPONSE)
                return;
        expr_keep_status(s);
        s->sv.ops->rx_head_free(&s->sv);
        s->rsp = NULL;
        x->x.rsp = NULL;
}

/* Manual 9.1, wrew: of the frontend, the backend and the server. */
static void count_failed(const struct strm *s)
{
        struct px_stat *st[3] = { strm_front_stat(s), strm_back_stat(s), strm_srv_stat(s) };

        for (int i = 0; i < 3; i++)
                if (st[i])
                        STAT_INC(st[i]->failed_rewrites);
}

/* A message is not passed on half changed (manual 4.4, strict-mode). After http-response rules nothing else can be said instead. */
enum rule_answer act_edited(int r, struct rule_ctx *x)
{
        if (likely(r >= 0))
                return RULE_NEXT;
        count_failed(x->strm);
        if (x->msg->soft_rules == rules_place(x) + 1)
                return RULE_NEXT;
        strm_term(x->strm, 'I', act_phase(x));
        act_drop_answer(x);
        strm_answer(x->strm, 500);
        return RULE_TAKEN;
}
