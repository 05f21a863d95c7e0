/* feat/fetches/refs.c - see refs.h. The names of one proxy's programs wait in a slot of it until the load's checks. */
#include "feat/fetches/refs.h"
#include "conf/conf.h"
#include "core/sess.h"

struct ref {
        const struct ref *prev;
        enum expr_arg_type type;
        struct str name;
        struct span at;
};

struct refs_cfg { /* slot "fetch_refs": defaults, frontend, backend, listen */
        const struct ref *last;
};

/* ---- load ---- */

static const struct conf_obj *proxy_named(const struct conf *c, kind_mask kinds, struct str name)
{
        return conf_find(c, kinds, name);
}

static bool server_known(const struct conf *c, const struct conf_obj *here, struct str name, struct diags *d,
                         struct span at)
{
        const char *slash = memchr(name.p, '/', name.n);
        struct str back = str_sub(name, 0, slash ? (size_t)(slash - name.p) : 0);
        struct str srv = slash ? str_sub(name, back.n + 1, name.n - back.n - 1) : name;
        const struct conf_obj *o = slash ? proxy_named(c, KIND_BE, back) : here;

        if (!o)
                (void)diag_add(d, DIAG_ALERT, at, "E0703", "unable to find proxy '%.*s' referenced in a sample fetch.",
                               (int)back.n, back.p);
        else if (!conf_find_child(o, KIND_SERVER, srv))
                (void)diag_add(d, DIAG_ALERT, at, "E0703",
                               "unable to find server '%.*s' in proxy '%s', referenced in a sample fetch.", (int)srv.n,
                               srv.p, o->name);
        else
                return true;
        return false;
}

static void check_one(const struct conf *c, const struct conf_obj *o, const struct ref *r, struct diags *d)
{
        bool front = r->type == ARG_FRONT;

        if (r->type == ARG_SERVER) {
                (void)server_known(c, o, r->name, d, r->at);
                return;
        }
        if (proxy_named(c, front ? KIND_FE : KIND_BE, r->name))
                return;
        (void)diag_add(d, DIAG_ALERT, r->at, "E0703",
                       "unable to find %s '%.*s' referenced in a sample fetch in proxy '%s'.",
                       front ? "frontend" : "backend", (int)r->name.n, r->name.p, o->name);
}

static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct refs_cfg *cfg = slot;

        if (o->kind->bit & KIND_DEFAULTS)
                return; /* who inherits them is asked */
        for (const struct ref *r = cfg->last; r; r = r->prev)
                check_one(c, o, r, d);
}

static int refs_slot = -1;
static const struct kw_table refs_table = { .name = "fetch_refs",
                                            .kinds = KIND_PROXY,
                                            .size = sizeof(struct refs_cfg),
                                            .ret_index = &refs_slot,
                                            .check = check };
static const struct kw_table *const refs_kw_reg __attribute__((used, section("telamon_kw"))) = &refs_table;

static bool remember(struct kw_call *c, enum expr_arg_type type, const struct expr_arg *args, unsigned n_args,
                     const struct word *at)
{
        struct refs_cfg *cfg = n_args && args[0].n && c->obj ? conf_slot_edit(c->conf, c->obj, refs_slot) : NULL;
        struct ref *r;

        if (!cfg)
                return true;
        r = conf_alloc(c->conf, sizeof(*r));
        *r = (struct ref){ cfg->last, type, { args[0].s, args[0].n }, at ? at->at : c->at };
        cfg->last = r;
        return true;
}

/* Without an argument: the section that the rule stands in, when it has that side. */
static void name_own(const struct kw_call *c, kind_mask kinds, struct expr_arg *args, unsigned n_args)
{
        if ((n_args && args[0].n) || !c->obj || !(c->obj->kind->bit & kinds))
                return;
        args[0].s = c->obj->name;
        args[0].n = (uint32_t)strlen(c->obj->name);
}

bool ref_check_front(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        bool ok = remember(c, ARG_FRONT, args, n_args, at);

        name_own(c, KIND_FE, args, n_args);
        return ok;
}

bool ref_check_back(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        bool ok = remember(c, ARG_BACK, args, n_args, at);

        name_own(c, KIND_BE, args, n_args);
        return ok;
}

bool ref_check_server(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        const char *slash = memchr(args[0].s, '/', args[0].n);

        args[0].i = slash ? slash - args[0].s : -1;
        if (!slash && c->obj && (c->obj->kind->bit & KIND_BE))
                args[0].ptr = (void *)(uintptr_t)c->obj->name;
        return remember(c, ARG_SERVER, args, n_args, at);
}

/* ---- run ---- */

struct front *ref_front(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args)
{
        (void)n_args;
        if (args[0].n)
                return front_find((struct str){ args[0].s, args[0].n });
        return x->strm ? x->strm->front : x->sess ? x->sess->front : NULL;
}

struct back *ref_back(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args)
{
        (void)n_args;
        if (args[0].n)
                return back_find((struct str){ args[0].s, args[0].n });
        return x->check ? x->check->srv->back : x->strm ? x->strm->back : NULL;
}

struct server *ref_server(const struct expr_ctx *x, const struct expr_arg *args)
{
        struct str name = { args[0].s, args[0].n };
        struct back *b;

        if (args[0].i >= 0) {
                b = back_find(str_sub(name, 0, (size_t)args[0].i));
                name = str_sub(name, (size_t)args[0].i + 1, name.n - (size_t)args[0].i - 1);
        } else if (args[0].ptr) {
                b = back_find(str_of(args[0].ptr));
        } else {
                b = ref_back(x, &(struct expr_arg){ .n = 0 }, 0);
        }
        return b ? server_find(b, name) : NULL;
}
