/* feat/tables/sticky.c - `stick match`, `stick on`, `stick store-request`, `stick store-response` (manual 4.2). */
#include "core/hook.h"
#include "core/proxy.h"
#include "core/strm_priv.h"
#include "core/track.h"
#include "feat/tables/tables.h"

/* ---- parsing ---- */

static bool parse_table(struct kw_call *c, size_t *i, struct str *ret_name)
{
        if (*i >= c->n_args || !str_is(c->args[*i].text, "table"))
                return true;
        if (*i + 1 >= c->n_args) {
                (void)kw_fail(c, &c->args[*i], "E0797", "'stick': missing table name.");
                return false;
        }
        *ret_name = c->args[*i + 1].text;
        *i += 2;
        return true;
}

static bool parse_cond(struct kw_call *c, size_t i, unsigned allowed, struct stick_line *l)
{
        if (i == c->n_args)
                return true;
        if (!cond_starts(&c->args[i])) {
                (void)kw_fail(c, &c->args[i], "E0797", "'stick': unknown keyword '%.*s'.", (int)c->args[i].text.n,
                              c->args[i].text.p);
                return false;
        }
        l->cond = cond_compile(c, "'stick' rule", c->args + i, c->n_args - i, allowed);
        return l->cond != NULL;
}

int stick_parse(struct kw_call *c)
{
        struct stick_line *l = conf_alloc(c->conf, sizeof(*l));
        struct str name = { "", 0 };
        struct tables_cfg *cfg;
        struct table_ref *r;
        unsigned allowed;
        size_t used, i = 1;

        l->keyword = c->kw->name;
        l->match = str_is(str_of(l->keyword), "stick match") || str_is(str_of(l->keyword), "stick on");
        l->rsp = str_is(str_of(l->keyword), "stick store-response");
        l->store = !str_is(str_of(l->keyword), "stick match");
        allowed = l->rsp ? EXPR_AT_RESPONSE | EXPR_AT_ANSWER : EXPR_AT_REQUEST | EXPR_REQ_BYTES;
        if (!kw_need_args(c, 1, "a fetch method"))
                return -1;
        l->expr = expr_compile(c, c->args[0].text, &c->args[0], allowed, &used);
        if (!l->expr || !parse_table(c, &i, &name) || !parse_cond(c, i, allowed, l))
                return -1;
        r = table_refer(c, name, REF_STICK, l->keyword, &c->args[0]);
        if (!r)
                return -1;
        r->type = expr_type(l->expr);
        l->table = r;
        words_keep(c->conf, c->args, c->n_args, &l->words);
        cfg = c->slot;
        l->prev = cfg->last;
        cfg->last = l;
        return (int)c->n_args;
}

/* ---- running ---- */

struct program {
        bool firm; /* option persist: also to a server that is down */
        uint32_t n;
        const struct stick_line *line[];
};

/* The option belongs to cookies (feat/persist); its row says where its value is. */
static bool is_firm(const struct conf_obj *o)
{
        size_t n;
        const struct kw_ref *all = kw_all(&n);

        for (size_t i = 0; i < n; i++) {
                const void *slot = strcmp(all[i].kw->name, "option persist") == 0 && *all[i].table->ret_index >= 0
                                           ? conf_slot(o, *all[i].table->ret_index)
                                           : NULL;

                if (slot)
                        return *(const bool *)((const char *)slot + all[i].kw->off);
        }
        return false;
}

static const void *compile(struct conf *c, const struct conf_obj *o, bool as_front, bool rsp)
{
        const struct tables_cfg *cfg = as_front ? NULL : conf_slot(o, tables_slot);
        struct program *p;
        uint32_t n = 0;

        for (const struct stick_line *l = cfg ? cfg->last : NULL; l; l = l->prev)
                n += l->rsp == rsp;
        /* What the requests learnt is written when the answer comes: that takes the hook, too. */
        if (n == 0 && !(rsp && cfg && cfg->last))
                return NULL;
        p = conf_alloc(c, sizeof(*p) + n * sizeof(p->line[0]));
        p->firm = is_firm(o);
        p->n = n;
        for (const struct stick_line *l = cfg->last; l; l = l->prev)
                if (l->rsp == rsp)
                        p->line[--n] = l;
        return p;
}

static const void *request_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        return compile(c, o, as_front, false);
}

static const void *response_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        return compile(c, o, as_front, true);
}

static bool key_of(const struct stick_line *l, const struct expr_ctx *x, char *room, struct str *ret_key)
{
        struct smp s;

        if (l->cond && cond_run(l->cond, x) != COND_TRUE)
                return false;
        return expr_run(l->expr, x, &s) == EXPR_OK && table_key_of(l->table->t, &s, room, ret_key);
}

static void run_request(struct strm *s, const struct program *p, const struct stick_line *l, const struct expr_ctx *x)
{
        char room[TABLE_KEY_ROOM];
        struct server *srv;
        struct str key;

        if (!l->match && sticky_has(s, l->table->t, false))
                return; /* manual, stick store-request: only the first of a table, and its condition is not looked at */
        if (!key_of(l, x, room, &key))
                return;
        srv = l->match && !strm_tied_server(s) ? sticky_find(l->table->t, key, s->back) : NULL;
        if (srv && (server_is_up(srv) || p->firm))
                strm_tie(s, srv, p->firm);
        if (l->store)
                sticky_want(s, l->table->t, key, false);
}

static enum hook_answer request(struct strm *s, const void *arg, bool as_front)
{
        const struct program *p = arg;
        struct expr_ctx x = { .strm = s,
                              .sess = s->sess,
                              .req = s->req,
                              .have = s->req ? EXPR_AT_REQUEST | EXPR_REQ_BYTES : EXPR_AT_CONTENT,
                              .final = true };

        (void)as_front;
        for (uint32_t i = 0; i < p->n; i++)
                run_request(s, p, p->line[i], &x);
        return HOOK_NEXT;
}

static enum hook_answer response(struct strm *s, const void *arg, bool as_front)
{
        const struct program *p = arg;
        struct expr_ctx x = { .strm = s,
                              .sess = s->sess,
                              .req = s->req,
                              .rsp = s->rsp,
                              .have = s->rsp ? EXPR_AT_RESPONSE | EXPR_RSP_BYTES : EXPR_AT_ANSWER,
                              .final = true };
        char room[TABLE_KEY_ROOM];
        struct str key;

        (void)as_front;
        for (uint32_t i = 0; i < p->n; i++)
                if (!sticky_has(s, p->line[i]->table->t, true) && key_of(p->line[i], &x, room, &key))
                        sticky_want(s, p->line[i]->table->t, key, true);
        sticky_store(s);
        return HOOK_NEXT;
}

static const struct hook request_hook = {
        .name = "stick", .rank = 65, .point = HOOK_REQUEST, .applies = request_applies, .run = request
};
HOOK(request_hook);
static const struct hook response_hook = {
        .name = "stick", .rank = 40, .point = HOOK_RESPONSE, .applies = response_applies, .run = response
};
HOOK(response_hook);
