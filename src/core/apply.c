/* core/apply.c - a change set becomes real: prepare does all that can fail, commit is stores and mail, discard undoes a prepare.
 *
 * Every cell gets a cfg of the new configuration, changed or not: so the old configuration is held only by those who pinned it, however
 * many reloads pass. What is compared (and printed, and refused) is in change.c. */
#include "core/apply.h"

#include "core/binds.h"
#include "core/cells.h"
#include "core/global.h"
#include "core/retire.h"
#include "core/sess.h"
#include "core/threads.h"

#include <stdlib.h>

struct listen_step {
        struct listener *l;
        bool is_new;
        struct engine_bind *from; /* carries the sockets of a new one */
        const struct conf_obj *obj;
        unsigned port;
};

struct front_step {
        struct front *f;
        bool is_new;
        struct front_cfg *cfg;
        const struct conf_obj *o;
        struct listen_step *v;
        size_t n;
};

struct back_step {
        struct back *b;
        bool is_new;
        struct back_cfg *cfg;
        const struct conf_obj *o;
        struct server **v; /* in file order, then those of other origins; room for the old number, too */
        uint32_t n, n_file;
};

struct apply {
        struct front_step *fronts; /* [0] is the one of the runtime sockets */
        struct back_step *backs;
        size_t n_fronts, n_backs;
        struct engine_binds want; /* keys of the new configuration */
};

/* ---- prepare: listeners ---- */

static struct listener *find_listener(struct front *f, const char *key)
{
        list_for_each (i, &f->listeners) {
                struct listener *l = list_item(i, struct listener, link);

                if (strcmp(l->key, key) == 0)
                        return l;
        }
        return NULL;
}

/* A listener that goes on as it is: same key, and the kernel would be asked for the same. */
static bool can_stay(const struct listener *l, const struct engine_bind *want)
{
        struct listen_spec was;

        bind_spec(l->cfg, l->port_index, &was);
        return bind_spec_same(&was, &want->spec);
}

static bool prepare_listener(struct front_step *st, struct engine_bind *want, const struct map *given, struct diags *d)
{
        struct listen_step *s = &st->v[st->n++];
        struct listener *have = st->is_new ? NULL : find_listener(st->f, want->key);
        struct diag *g;

        s->obj = want->obj;
        s->port = want->port;
        if (have && can_stay(have, want)) {
                s->l = have;
                return true;
        }
        s->from = map_get(given, str_of(want->key));
        s->l = listener_new(st->f, want->key);
        s->is_new = true;
        if (s->from && s->from->n_fds > 0)
                return true;
        g = diag_add(d, DIAG_ALERT, want->at, "E0250", "no socket was made for %s '%s'.", want->what, want->obj->name);
        g->parsing = false;
        return false;
}

static bool prepare_listeners(struct apply *a, const struct map *given, struct diags *d)
{
        struct map owners = MAP_INIT;
        bool ok = true;

        for (size_t i = 0; i < a->n_fronts; i++)
                if (!map_put(&owners, (struct str){ (const char *)&a->fronts[i].o, sizeof(void *) }, &a->fronts[i]))
                        ASSERT(!"memory for a reload");
        for (size_t i = 0; i < a->want.n; i++) {
                const struct conf_obj *owner = a->want.v[i].obj->parent;
                struct front_step *st = map_get(&owners, (struct str){ (const char *)&owner, sizeof(void *) });

                ASSERT(st != NULL);
                ok = prepare_listener(st, &a->want.v[i], given, d) && ok;
        }
        map_fini(&owners);
        return ok;
}

static bool prepare_sockets(struct apply *a, struct engine_binds *b, struct diags *d)
{
        struct map given = MAP_INIT;
        bool ok;

        for (size_t i = 0; b && i < b->n; i++)
                if (!map_put(&given, str_of(b->v[i].key), &b->v[i]))
                        ASSERT(!"memory for a reload");
        ok = prepare_listeners(a, &given, d);
        map_fini(&given);
        return ok;
}

/* ---- prepare: cells ---- */

static size_t count_listeners(const struct conf_obj *o)
{
        size_t n = 0;

        for (const struct conf_obj *k = o->child; k; k = k->sibling)
                if (k->kind->bit & KIND_ANY_BIND)
                        n += (size_t)((const struct bind_cfg *)conf_slot(k, bind_slot))->count;
        return n;
}

static bool prepare_front(struct change_set *s, struct front_step *st, struct front *have, struct str name, struct diags *d)
{
        st->f = have ? have : front_new(name, ORIGIN_FILE);
        st->is_new = !have;
        if (name.p && str_is(name, "GLOBAL") && !have)
                world.cli = st->f;
        st->v = arena_alloc(&s->mem, ((st->o ? count_listeners(st->o) : 0) + 1) * sizeof(*st->v));
        st->cfg = front_cfg_new(st->f, s->to, st->o, d);
        return st->cfg != NULL;
}

/* Old servers by name, only of a farm that exists already. */
static struct server *old_server(struct back_step *st, const struct conf_obj *o, const struct server *guess)
{
        if (st->is_new)
                return NULL;
        if (guess && strcmp(guess->cell.name, o->name) == 0) /* the usual case: nobody moved */
                return (struct server *)(uintptr_t)guess;
        return server_find(st->b, str_of(o->name));
}

static void server_from_file(struct server *s, const struct conf_obj *o)
{
        const struct server_cfg *c = conf_slot(o, server_slot);
        const struct server_addr_cfg *a = conf_slot(o, server_addr_slot);

        s->obj = o;
        s->cfg = c;
        s->backup = c->backup;
        s->iweight = (uint32_t)c->weight;
        atomic_init(&s->weight, (uint32_t)c->weight);
        atomic_init(&s->maxconn, (uint32_t)c->maxconn);
        if (c->maxconn)
                s->queue = queue_new();
        atomic_init(&s->admin, (uint8_t)((c->disabled ? SRV_ADM_CMAINT : 0) | (a->unresolved ? SRV_ADM_RMAINT : 0)));
        server_addr_set_cfg(s, a);
}

static uint32_t count_servers(const struct conf_obj *o)
{
        uint32_t n = 0;

        for (const struct conf_obj *k = o->child; k; k = k->sibling)
                n += k->kind->bit == KIND_SERVER;
        return n;
}

static void prepare_servers(struct back_step *st)
{
        uint32_t n_old = st->is_new ? 0 : st->b->n_srv, n = count_servers(st->o);

        st->v = calloc((size_t)n + n_old + 1, sizeof(struct server *));
        ASSERT(st->v != NULL);
        for (const struct conf_obj *k = st->o->child; k; k = k->sibling) {
                struct server *s;

                if (k->kind->bit != KIND_SERVER)
                        continue;
                s = old_server(st, k, st->n < n_old ? st->b->srv[st->n] : NULL);
                if (!s) {
                        s = server_new(st->b, str_of(k->name), ORIGIN_FILE);
                        server_from_file(s, k);
                }
                st->v[st->n++] = s;
        }
        st->n_file = st->n;
        for (uint32_t i = 0; i < n_old; i++) /* a reload leaves alone what others made */
                if (st->b->srv[i]->cell.origin != ORIGIN_FILE)
                        st->v[st->n++] = st->b->srv[i];
}

static bool prepare_back(struct change_set *s, struct back_step *st, struct back *have, struct diags *d)
{
        st->b = have ? have : back_new(str_of(st->o->name), ORIGIN_FILE);
        st->is_new = !have;
        prepare_servers(st);
        st->cfg = back_cfg_new(st->b, s->to, st->o, d);
        return st->cfg != NULL;
}

static struct back *prepared_back(const struct map *backs, const char *name)
{
        return name ? map_get(backs, str_of(name)) : NULL;
}

/* Names lead to cells of this change, so a new frontend finds its new backend. */
static void link_backs(struct apply *a)
{
        struct map backs = MAP_INIT;

        for (size_t i = 0; i < a->n_backs; i++)
                if (!map_put(&backs, str_of(a->backs[i].o->name), a->backs[i].b))
                        ASSERT(!"memory for a reload");
        for (size_t i = 1; i < a->n_fronts; i++) {
                struct front_step *st = &a->fronts[i];
                const char *name = st->o->kind->bit == KIND_LISTEN && !st->cfg->px->default_backend ?
                                           st->o->name :
                                           st->cfg->px->default_backend;

                st->cfg->default_back = prepared_back(&backs, name);
        }
        map_fini(&backs);
}

static struct apply *apply_new(struct change_set *s)
{
        struct apply *a = arena_alloc(&s->mem, sizeof(*a));
        size_t n = 1;

        for (const struct conf_obj *o = s->to->first; o; o = o->next)
                n += (o->kind->bit & (KIND_FE | KIND_BE)) != 0;
        a->fronts = arena_alloc(&s->mem, n * sizeof(*a->fronts));
        a->backs = arena_alloc(&s->mem, n * sizeof(*a->backs));
        engine_binds(s->to, thr_count(), &a->want);
        return a;
}

static bool prepare_cells(struct change_set *s, struct apply *a, struct diags *d)
{
        bool ok;

        a->fronts[0].o = conf_find(s->to, KIND_GLOBAL, STR(""));
        a->n_fronts = 1;
        ok = prepare_front(s, &a->fronts[0], world.cli, STR("GLOBAL"), d);
        for (const struct conf_obj *o = s->to->first; o; o = o->next) {
                if (change_runs(o, CELL_BACK)) {
                        a->backs[a->n_backs].o = o;
                        ok = prepare_back(s, &a->backs[a->n_backs++], back_find(str_of(o->name)), d) && ok;
                }
                if (change_runs(o, CELL_FRONT)) {
                        struct front_step *st = &a->fronts[a->n_fronts++];
                        st->o = o;
                        ok = prepare_front(s, st, front_find(str_of(o->name)), str_of(o->name), d) && ok;
                }
        }
        return ok;
}

/* ---- prepare: what a reload may not change ---- */

struct refusal {
        struct diags *d;
        const struct conf_obj *o;
        bool refused;
};

static void refuse_delta(void *ctx, const struct conf_delta *dl)
{
        struct refusal *r = ctx;
        struct diag *g;

        if (!dl->kw || dl->kw->apply < KW_SWAP)
                return;
        if (dl->kw->apply == KW_SWAP) {
                g = diag_add(r->d, DIAG_WARNING, conf_span(r->o, dl->kw), "W0251",
                             "'%s' changes with the next start of the worker; until then the old value is used.",
                             dl->kw->name);
        } else {
                r->refused = true;
                g = diag_add(r->d, DIAG_ALERT, conf_span(r->o, dl->kw), "E0252",
                             "'%s' cannot be changed by a reload, it takes a restart.", dl->kw->name);
        }
        g->parsing = false;
}

static bool allowed(const struct change_set *s, struct diags *d)
{
        bool ok = true;

        list_for_each (i, &s->all) {
                const struct change *c = list_item(i, struct change, link);
                struct refusal r = { d, c->after, false };

                if (c->op != CHANGE_SET || c->apply < KW_SWAP || c->before->kind != c->after->kind)
                        continue;
                conf_diff_obj(c->before, c->after, refuse_delta, &r);
                ok = ok && !r.refused;
        }
        return ok;
}

bool change_prepare(struct change_set *s, struct engine_binds *b, struct diags *d)
{
        bool ok = allowed(s, d);

        if (!ok)
                return false;
        s->prepared = apply_new(s);
        ok = prepare_cells(s, s->prepared, d);
        ok = prepare_sockets(s->prepared, b, d) && ok;
        if (!ok) {
                change_discard(s);
                return false;
        }
        link_backs(s->prepared);
        return true;
}

void change_discard(struct change_set *s)
{
        struct apply *a = s->prepared;

        s->prepared = NULL;
        if (!a)
                return;
        for (size_t i = 0; i < a->n_fronts; i++) {
                struct front_step *st = &a->fronts[i];

                for (size_t k = 0; k < st->n; k++)
                        if (st->v[k].is_new)
                                listener_drop(st->v[k].l);
                if (st->cfg)
                        front_cfg_drop(st->cfg);
                if (st->is_new)
                        front_drop(st->f);
                if (i == 0 && st->is_new)
                        world.cli = NULL;
        }
        for (size_t i = 0; i < a->n_backs; i++) {
                struct back_step *st = &a->backs[i];

                for (uint32_t k = 0; k < st->n_file; k++)
                        if (st->is_new || !st->v[k]->published)
                                server_drop(st->v[k]);
                free(st->v);
                if (st->cfg)
                        back_cfg_drop(st->cfg);
                if (st->is_new)
                        back_drop(st->b);
        }
        engine_binds_fini(&a->want);
}

/* ---- commit: servers ---- */

/* A row that changed in the file wins; an unchanged row keeps the runtime value. */
static void follow_file(struct server *s, const struct conf_obj *before, const struct server_cfg *was)
{
        const struct server_addr_cfg *a0 = conf_slot(before, server_addr_slot), *a1 = conf_slot(s->obj, server_addr_slot);
        const struct server_cfg *now = s->cfg;

        if (was->weight != now->weight) {
                s->iweight = (uint32_t)now->weight;
                server_set_weight(s, (uint32_t)now->weight);
        }
        if (was->maxconn != now->maxconn)
                server_set_maxconn(s, (uint32_t)now->maxconn);
        if (was->disabled != now->disabled)
                server_set_admin(s, now->disabled ? SRV_ADM_CMAINT : 0,
                                 now->disabled ? 0 : SRV_ADM_CMAINT | SRV_ADM_FMAINT | SRV_ADM_FDRAIN, &by_reload);
        if (server_addr_differs(a0, a1)) {
                server_addr_set_cfg(s, a1);
                server_set_admin(s, a1->unresolved ? SRV_ADM_RMAINT : 0, a1->unresolved ? 0 : SRV_ADM_RMAINT, &by_reload);
                threads_run(drop_idle_here, s, NULL);
        } else if (s->path) {
                server_addr_set_cfg(s, a1); /* the path's text lives in the configuration */
        }
}
