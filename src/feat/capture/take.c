/* feat/capture/take.c - captures are taken: of heads before any rule sees them, of samples by rules and converters. */
#include "core/kinds.h"
#include "core/rules.h"
#include "core/sess.h"
#include "feat/capture/capture.h"

atomic_bool capture_version_asked;

/* ---- what a stream keeps ---- */

const struct capture_cfg *capture_cfg_of(const struct strm *s)
{
        return s->fcfg && s->fcfg->obj ? conf_slot(s->fcfg->obj, capture_slot) : NULL;
}

const struct captured *captured_get(const struct strm *s)
{
        return s->vars ? *expr_own(s->vars, EXPR_OWN_CAPTURE) : NULL;
}

struct captured *captured_of(struct strm *s)
{
        const struct capture_cfg *cfg = capture_cfg_of(s);
        struct expr_state *e = expr_state_of(s);
        void **at = e ? expr_own(e, EXPR_OWN_CAPTURE) : NULL;
        size_t n[CAPTURE_SIDES] = { cfg ? cfg->n[0] : 0, cfg ? cfg->n[1] : 0 }, size;
        struct captured *k;

        if (!at || *at)
                return at ? *at : NULL;
        size = sizeof(*k) + (n[0] + n[1]) * sizeof(*k->v[0]);
        k = expr_keep(e, size);
        if (!k)
                return NULL;
        memset(k, 0, size);
        k->v[0] = (struct capture_text *)(void *)(k + 1);
        k->v[1] = k->v[0] + n[0];
        *at = k;
        return k;
}

static void keep(struct strm *s, struct capture_text *t, struct str text)
{
        if (text.n > t->cap) {
                t->n = t->cap = 0;
                t->p = expr_keep(s->vars, text.n);
                if (!t->p)
                        return;
                t->cap = (uint32_t)text.n;
        }
        t->n = (uint32_t)text.n;
        if (text.n)
                memcpy(t->p, text.p, text.n);
        else if (!t->p)
                t->p = (char *)(uintptr_t) ""; /* captured, and empty */
}

void capture_put(struct strm *s, unsigned side, int64_t id, struct str text)
{
        const struct capture_cfg *cfg = capture_cfg_of(s);
        struct captured *k;
        uint32_t len;

        if (!cfg || id < 0 || id >= cfg->n[side])
                return; /* a backend's rule, and this frontend has no such slot (manual) */
        k = captured_of(s);
        len = cfg->slot[side][id]->len;
        if (k)
                keep(s, &k->v[side][id], str_sub(text, 0, text.n < len ? text.n : len));
}

/* ---- heads ---- */

static int next_named(const struct hmsg *m, struct str lower, int from)
{
        enum hid id = hmsg_id(lower.p, (uint32_t)lower.n);

        return id ? hmsg_find(m, id, from) : hmsg_find_name(m, lower, from);
}

static void take_fields(struct strm *s, const struct hmsg *m, const struct capture_cfg *cfg, unsigned side)
{
        for (uint32_t i = 0; i < cfg->n[side]; i++) {
                const char *lower = cfg->slot[side][i]->lower;
                int last = -1;

                if (!lower)
                        continue;
                for (int at = next_named(m, str_of(lower), 0); at >= 0; at = next_named(m, str_of(lower), at + 1))
                        last = at;
                if (last >= 0)
                        capture_put(s, side, i, hmsg_value(m, last));
        }
}

static void take_cookie(struct strm *s, const struct hmsg *m, const struct capture_cfg *cfg, unsigned side)
{
        enum hid id = side == CAPTURE_RES ? HID_SET_COOKIE : HID_COOKIE;
        char text[CAPTURE_COOKIE_MAX];

        for (int at = hmsg_find(m, id, 0); at >= 0; at = hmsg_find(m, id, at + 1)) {
                size_t n = capture_cookie(hmsg_value(m, at), side == CAPTURE_RES, str_of(cfg->cookie), text,
                                          (size_t)cfg->cookie_max);
                struct captured *k = n ? captured_of(s) : NULL;

                if (k)
                        keep(s, &k->cookie[side], (struct str){ text, n });
                if (n)
                        return;
        }
}

/* Fields are taken before any rule; the request's cookie, as HAProxy does it, behind the rules, so what was refused has none; the
 * server's before persistence adds its own. Hooks of the backend take what the frontend asks for. */

static enum hook_answer request_run(struct strm *s, const void *arg, bool as_front)
{
        (void)as_front;
        if (s->req)
                take_fields(s, s->req, arg, CAPTURE_REQ);
        return HOOK_NEXT;
}

static const void *request_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct capture_cfg *cfg = as_front ? conf_slot(o, capture_slot) : NULL;
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);

        (void)c;
        return cfg && px->mode == PX_HTTP && cfg->fields[CAPTURE_REQ] ? cfg : NULL;
}

static enum hook_answer response_run(struct strm *s, const void *arg, bool as_front)
{
        const struct capture_cfg *cfg = capture_cfg_of(s);
        struct captured *k;

        (void)arg, (void)as_front;
        if (!s->rsp)
                return HOOK_NEXT;
        if (cfg && cfg->fields[CAPTURE_RES])
                take_fields(s, s->rsp, cfg, CAPTURE_RES);
        k = atomic_load_explicit(&capture_version_asked, memory_order_relaxed) ? captured_of(s) : NULL;
        if (k) {
                k->has_version = true;
                k->minor = s->rsp->minor;
        }
        return HOOK_NEXT;
}

/* Does a frontend of the file take fields of answers (else: cookies)? */
static bool some_front_takes(const struct conf *c, bool fields)
{
        for (const struct conf_obj *o = c->first; o; o = o->sibling) {
                const struct capture_cfg *cfg =
                        o->kind->bit & (KIND_FRONTEND | KIND_LISTEN) ? conf_slot(o, capture_slot) : NULL;

                if (cfg && (fields ? cfg->fields[CAPTURE_RES] : cfg->cookie != NULL))
                        return true;
        }
        return false;
}

static const void *response_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);
        bool asked = atomic_load_explicit(&capture_version_asked, memory_order_relaxed);

        if (as_front || px->mode != PX_HTTP)
                return NULL;
        return asked || some_front_takes(c, true) ? o : NULL;
}

static enum hook_answer cookie_run(struct strm *s, const void *arg, bool as_front)
{
        const struct capture_cfg *cfg = capture_cfg_of(s);

        (void)arg, (void)as_front;
        if (s->req && cfg && cfg->cookie)
                take_cookie(s, s->req, cfg, CAPTURE_REQ);
        return HOOK_NEXT;
}

static const void *cookie_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);

        return !as_front && px->mode == PX_HTTP && some_front_takes(c, false) ? o : NULL;
}

static enum hook_answer set_cookie_run(struct strm *s, const void *arg, bool as_front)
{
        const struct capture_cfg *cfg = capture_cfg_of(s);

        (void)arg, (void)as_front;
        if (s->rsp && cfg && cfg->cookie)
                take_cookie(s, s->rsp, cfg, CAPTURE_RES);
        return HOOK_NEXT;
}

static const struct hook request_hook = {
        .name = "capture-request", .rank = 5, .point = HOOK_REQUEST, .applies = request_applies, .run = request_run
};
HOOK(request_hook);
static const struct hook response_hook = {
        .name = "capture-response", .rank = 5, .point = HOOK_RESPONSE, .applies = response_applies, .run = response_run
};
HOOK(response_hook);
static const struct hook cookie_hook = {
        .name = "capture-cookie", .rank = 31, .point = HOOK_REQUEST, .applies = cookie_applies, .run = cookie_run
};
HOOK(cookie_hook);
static const struct hook set_cookie_hook = { .name = "capture-set-cookie",
                                             .rank = 19,
                                             .point = HOOK_RESPONSE,
                                             .applies = cookie_applies,
                                             .run = set_cookie_run };
HOOK(set_cookie_hook);

/* ---- the action ---- */

struct capture_do {
        const struct expr *expr;
        unsigned side;
        int64_t id;
};

static bool is_front(const struct rule_call *c)
{
        return c->kw->obj && c->kw->obj->kind->bit & (KIND_DEFAULTS | KIND_FRONTEND | KIND_LISTEN);
}

static int take_len(struct rule_call *c, struct capture_do *a)
{
        struct capture_cfg *cfg;
        uint64_t len = 0;

        if (!str_to_u64(c->w[2].text, &len) || len == 0 || len > INT32_MAX)
                return rule_fail(c, &c->w[2], "length must be > 0");
        if (!is_front(c))
                return rule_fail(c, &c->w[1], "'len' makes a slot of a frontend, and '%s' has no frontend capability",
                                 c->kw->obj ? c->kw->obj->name : "");
        cfg = conf_slot_edit(c->kw->conf, c->kw->obj, capture_slot);
        a->id = cfg->n[a->side];
        capture_add(c->kw->conf, cfg, a->side, &(struct capture_slot){ .len = (uint32_t)len, .of_rule = true });
        return 3;
}

static int take_id(struct rule_call *c, struct capture_do *a)
{
        struct capture_use *u = conf_alloc(c->kw->conf, sizeof(*u));
        struct capture_cfg *cfg;
        uint64_t id = 0;

        if (!str_to_u64(c->w[2].text, &id) || id > INT32_MAX)
                return rule_fail(c, &c->w[2], "cannot parse id '%.*s'", (int)c->w[2].text.n, c->w[2].text.p);
        a->id = (int64_t)id;
        if (!is_front(c))
                return 3;
        cfg = conf_slot_edit(c->kw->conf, c->kw->obj, capture_slot);
        *u = (struct capture_use){ cfg->uses, a->side, a->id, c->kw->kw->name, c->w[2].at };
        cfg->uses = u;
        return 3;
}

static bool take_expr(struct rule_call *c, struct capture_do *a)
{
        const struct word *w = &c->w[0];
        size_t used = 0;

        a->expr = expr_compile(c->kw, w->text, w, c->allowed, &used);
        if (!a->expr)
                return false;
        if (used != w->text.n)
                return rule_fail(c, w, "unexpected '%.*s' behind the expression", (int)(w->text.n - used),
                                 w->text.p + used) >= 0;
        a->expr = expr_cast(c->kw, a->expr, SMP_STR);
        ASSERT(a->expr); /* every type can be a string */
        return true;
}

static int parse(struct rule_call *c, const void **ret_arg)
{
        struct capture_do *a = conf_alloc(c->kw->conf, sizeof(*a));
        bool res = c->point == RULE_HTTP_RESPONSE || c->point == RULE_HTTP_AFTER;
        const char *forms = res ? "'id'" : c->point == RULE_TCP_REQUEST ? "'len'" : "'len' or 'id'";

        a->side = res ? CAPTURE_RES : CAPTURE_REQ;
        *ret_arg = a;
        if (c->n < 3)
                return rule_fail(c, NULL,
                                 res ? "expects <expression> id <idx>"
                                     : "expects <expression> [ 'len' <length> | id <idx> ]");
        if (!take_expr(c, a))
                return -1;
        if (str_is(c->w[1].text, "id") && c->point != RULE_TCP_REQUEST)
                return take_id(c, a);
        if (str_is(c->w[1].text, "len") && !res)
                return take_len(c, a);
        return rule_fail(c, &c->w[1], "expects %s, found '%.*s'", forms, (int)c->w[1].text.n, c->w[1].text.p);
}

static enum rule_answer run(const void *arg, struct rule_ctx *x)
{
        const struct capture_do *a = arg;
        struct smp smp = { .iter = 0 };
        enum expr_answer got = x->strm ? expr_run(a->expr, &x->x, &smp) : EXPR_MISS;

        if (got == EXPR_OK)
                capture_put(x->strm, a->side, a->id, (struct str){ smp.s.p, smp.s.n });
        return got == EXPR_WAIT && x->point == RULE_TCP_REQUEST ? RULE_WAIT : RULE_NEXT;
}

static const struct action actions[] = {
        { .name = "capture",
          .points = RULE_ON(TCP_REQUEST) | RULE_ON(HTTP_REQUEST) | RULE_ON(HTTP_RESPONSE) | RULE_ON(HTTP_AFTER),
          .parse = parse,
          .run = run,
          .manual = "4.4",
          .args = "<sample> { len <length> | id <id> }",
          .help = "keeps a sample for the log, in a slot of its own or in one that was declared" },
};
ACTION_TABLE(capture, actions);

/* ---- converters ---- */

static bool put(const struct expr_ctx *x, int64_t id, unsigned side, const struct smp *smp)
{
        if (x->strm)
                capture_put(x->strm, side, id, (struct str){ smp->s.p, smp->s.n });
        return true;
}

static bool conv_req(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args, struct smp *smp)
{
        (void)n_args;
        return put(x, args[0].i, CAPTURE_REQ, smp);
}

static bool conv_res(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args, struct smp *smp)
{
        (void)n_args;
        return put(x, args[0].i, CAPTURE_RES, smp);
}

static const struct conv convs[] = {
        { .name = "capture-req",
          .args = { ARG_SINT },
          .min_args = 1,
          .in = SMP_STR,
          .out = SMP_STR,
          .fn = conv_req,
          .manual = "7.3.1",
          .help = "keeps the text in a slot of the request and passes it on" },
        { .name = "capture-res",
          .args = { ARG_SINT },
          .min_args = 1,
          .in = SMP_STR,
          .out = SMP_STR,
          .fn = conv_res,
          .manual = "7.3.1",
          .help = "keeps the text in a slot of the answer and passes it on" },
};
CONV_TABLE(capture, convs);
