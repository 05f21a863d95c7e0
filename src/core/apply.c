/* core/apply.c - a change set becomes real: prepare does all that can fail, commit is stores and mail, discard undoes a prepare.
 *
 * Every cell gets a cfg of the new configuration, changed or not: so the old configuration is held only by those who pinned it, however
 * many reloads pass. What is compared (and printed, and refused) is in change.c. */
#include "core/apply.h"

#include "core/binds.h"
#include "core/cells.h"
#include "core/front.h"
#include "core/global.h"
#include "core/hook.h"
#include "core/retire.h"
#include "core/server_track.h"
#include "core/sess.h"
#include "core/srv_source.h"

#include <stdlib.h>

static const struct state_cause by_reload = { .duration_ms = -1, .by = "by a new configuration" };

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
        int64_t conns;                /* maxconn of the frontends that may lead here */
        const struct front_cfg *last; /* of these, the one that was counted last */
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
                map_set(&owners, (struct str){ (const char *)&a->fronts[i].o, sizeof(void *) }, &a->fronts[i]);
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
                map_set(&given, str_of(b->v[i].key), &b->v[i]);
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

static bool prepare_front(struct change_set *s, struct front_step *st, struct front *have, struct str name,
                          struct diags *d)
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

/* minconn alone, or above maxconn, is the limit itself. */
static uint32_t file_maxconn(const struct server_cfg *c)
{
        return (uint32_t)(c->minconn > c->maxconn ? c->minconn : c->maxconn);
}

static void server_from_file(struct server *s, const struct conf_obj *o)
{
        const struct server_cfg *c = conf_slot(o, server_slot);
        const struct server_addr_cfg *a = conf_slot(o, server_addr_slot);

        s->obj = o;
        s->cfg = c;
        s->backup = c->backup;
        atomic_init(&s->oper, check_starts_up(o) ? SRV_RUNNING : SRV_STOPPED);
        s->iweight = (uint32_t)c->weight;
        atomic_init(&s->weight, (uint32_t)c->weight);
        atomic_init(&s->minconn, (uint32_t)c->minconn);
        atomic_init(&s->maxconn, file_maxconn(c));
        if (file_maxconn(c))
                s->queue = queue_new();
        atomic_init(&s->admin, (uint8_t)((c->disabled ? SRV_ADM_CMAINT : 0) | (a->unresolved ? SRV_ADM_RMAINT : 0)));
        server_addr_set_cfg(s, a);
        server_fqdn_set(s, a->host);
        srv_source_update(s, o);
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

/* ---- who leads where ---- */
struct leads {
        const struct map *backs; /* of struct back_step */
        const struct front_cfg *from;
};

static void lead(void *ctx, const char *name)
{
        const struct leads *l = ctx;
        struct back_step *st = name ? map_get(l->backs, str_of(name)) : NULL;

        if (!st || st->last == l->from) /* two rules of one frontend bring its clients only once */
                return;
        st->last = l->from;
        st->conns += l->from->maxconn;
}

static void lead_by_hooks(struct leads *l, const struct hook_set *h)
{
        for (unsigned i = 0; i < h->n[HOOK_REQUEST]; i++) {
                const struct hook_use *u = &h->at[HOOK_REQUEST][i];

                if (u->hook->leads)
                        u->hook->leads(u->arg, lead, l);
        }
}

/* Manual, fullconn: by default a tenth of the connections that may come here. */
static void derive_fullconn(struct back_step *st)
{
        int64_t n = (st->conns + 9) / 10;

        if (st->cfg->px->fullconn == 0)
                st->cfg->fullconn = n < 1 ? 1 : n > INT32_MAX ? INT32_MAX : (int)n;
}

/* Names lead to cells of this change, so a new frontend finds its new backend. */
static void link_backs(struct apply *a)
{
        struct map backs = MAP_INIT;

        for (size_t i = 0; i < a->n_backs; i++)
                map_set(&backs, str_of(a->backs[i].o->name), &a->backs[i]);
        for (size_t i = 1; i < a->n_fronts; i++) {
                struct front_step *st = &a->fronts[i];
                const char *name = st->o->kind->bit == KIND_LISTEN && !st->cfg->px->default_backend
                                           ? st->o->name
                                           : st->cfg->px->default_backend;

                struct leads leads = { &backs, st->cfg };
                struct back_step *to = name ? map_get(&backs, str_of(name)) : NULL;

                st->cfg->default_back = to ? to->b : NULL;
                lead(&leads, name);
                lead_by_hooks(&leads, st->cfg->hooks);
        }
        for (size_t i = 0; i < a->n_backs; i++)
                derive_fullconn(&a->backs[i]);
        map_fini(&backs);
}

static struct apply *apply_new(struct change_set *s)
{
        struct apply *a = arena_alloc(&s->mem, sizeof(*a));
        size_t n = 1;

        for (const struct conf_obj *o = s->to->first; o; o = o->sibling)
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
        for (const struct conf_obj *o = s->to->first; o; o = o->sibling) {
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

        if (!dl->kw || dl->kw->apply != KW_REFUSED)
                return;
        r->refused = true;
        g = diag_add(r->d, DIAG_ALERT, conf_span(r->o, dl->kw), "E0252",
                     "'%s' cannot be changed by a reload, it takes a restart.", dl->kw->name);
        g->parsing = false;
}

static bool same_text(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

static bool global_allowed(const struct change_set *s, struct diags *d)
{
        const struct conf_obj *b = conf_find(s->to, KIND_GLOBAL, STR(""));
        struct diag *g;

        if (change_global_weight(s) != KW_REFUSED)
                return true;
        g = diag_add(d, DIAG_ALERT, b ? b->at : SPAN_NONE, "E0253",
                     "section 'global' holds words that cannot be changed by a reload, it takes a restart.");
        g->parsing = false;
        return false;
}

static bool allowed(const struct change_set *s, struct diags *d)
{
        bool ok = global_allowed(s, d);

        list_for_each (i, &s->all) {
                const struct change *c = list_item(i, struct change, link);
                struct refusal r = { d, c->after, false };

                if (c->op != CHANGE_SET || c->apply != KW_REFUSED || c->before->kind != c->after->kind)
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
                        if (!st->v[k]->live)
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

/* What the file says now must not be undone by the journal when the worker is replaced. The keys are those of feat/cli. */
static void forget(const struct server *s, const char *what, bool touched)
{
        AUTO_BUF(key);

        if (!touched)
                return;
        buf_printf(&key, "server %s/%s %s", s->back->cell.name, s->cell.name, what);
        buf_putc(&key, 0);
        engine_journal(key.p, NULL);
}

/* A health check, or an agent's: starts, goes on with the new words, or ends. True when it ended. */
static bool commit_one_check(struct server *s, struct check **at, const struct check_driver *driver, bool agent)
{
        const struct check_cfg *c = check_words(s->obj, agent);
        bool want = c && c->check && driver;
        struct check *old = *at;

        if (!old && want) {
                __atomic_store_n(at, driver->start(s), __ATOMIC_RELEASE);
        } else if (old && !want) {
                __atomic_store_n(at, NULL, __ATOMIC_RELEASE);
                ASSERT(driver); /* who started it */
                driver->stop(old);
        } else if (old) {
                unsigned changed = check_follow(old, s->obj);

                forget(s, agent ? "agent-addr" : "check-addr", changed & CHECK_NEW_ADDR);
                forget(s, agent ? "agent-port" : "check-port", changed & CHECK_NEW_PORT);
                forget(s, "agent-send", changed & CHECK_NEW_SEND);
                driver->changed(old);
        }
        return old && !want;
}

static void commit_check(struct server *s)
{
        const struct check_cfg *c = check_words(s->obj, false);
        bool ended = commit_one_check(s, &s->check, check_driver, false);

        ended = commit_one_check(s, &s->agent, agent_driver, true) || ended;
        atomic_store_explicit(&s->observe, (uint8_t)(s->check && c ? c->observe : OBSERVE_NONE), memory_order_relaxed);
        if (ended && check_all_up(s))
                server_set_oper(s, SRV_RUNNING, &by_reload); /* without a check a server counts as up */
}

/* What the file says about a server that goes on: pointers now, values as far as their row changed. back->lock is held. */
static void move_server(struct server *s, const struct conf_obj *o)
{
        const struct server_cfg *was = s->cfg, *now = conf_slot(o, server_slot);
        const struct server_addr_cfg *a = conf_slot(o, server_addr_slot);

        s->obj = o;
        __atomic_store_n(&s->cfg, now, __ATOMIC_RELEASE);
        if (s->path)
                __atomic_store_n(&s->path, a->path, __ATOMIC_RELEASE); /* the same text, or it changes below */
        s->backup = now->backup;
        if (was->weight == now->weight)
                return;
        s->iweight = (uint32_t)now->weight;
        atomic_store_explicit(&s->weight, (uint32_t)now->weight, memory_order_relaxed);
}

/* The same name, and who follows it knows better than the load what it stands for. */
static bool is_followed(const struct server_addr_cfg *a, const struct server_addr_cfg *b)
{
        return a->follows && b->follows && same_text(a->host, b->host);
}

static bool address_differs(const struct server_addr_cfg *a, const struct server_addr_cfg *b)
{
        return !(is_followed(a, b) ? a->host_port == b->host_port : addr_eq(&a->addr, &b->addr)) ||
               !same_text(a->path, b->path) || a->abstract != b->abstract || a->port_follows != b->port_follows ||
               a->port_offset != b->port_offset || !same_text(a->host, b->host);
}

static void forget_check(const struct server *s, const struct check *c, const char *on, const char *addr,
                         const char *port, const char *send)
{
        forget(s, on, c && !c->enabled);
        forget(s, addr, c);
        forget(s, port, c);
        forget(s, send, c && send);
}

/* Of a server that leaves: only what somebody changed at run time can be in the journal. */
static void forget_all(const struct server *s)
{
        const struct server_addr_cfg *a = conf_slot(s->obj, server_addr_slot);

        forget(s, "weight", atomic_load_explicit(&s->weight, memory_order_relaxed) != s->iweight);
        forget(s, "maxconn", atomic_load_explicit(&s->maxconn, memory_order_relaxed) != file_maxconn(s->cfg));
        forget(s, "state", atomic_load_explicit(&s->admin, memory_order_relaxed) & (SRV_ADM_FMAINT | SRV_ADM_FDRAIN));
        forget(s, "addr", !addr_eq(&s->addr, &a->addr));
        forget(s, "fqdn", !same_text(atomic_load_explicit(&s->fqdn, memory_order_acquire), a->host));
        forget_check(s, s->check, "checks", "check-addr", "check-port", NULL);
        forget_check(s, s->agent, "agents", "agent-addr", "agent-port", "agent-send");
        forget(s, "agent", s->agent != NULL);
}

static void follow_address(struct server *s, const struct server_addr_cfg *was, const struct server_addr_cfg *now)
{
        if (!address_differs(was, now))
                return;
        forget(s, "addr", true);
        if (is_followed(was, now)) { /* only its port */
                struct server_addr_cfg here = *now;

                here.addr = s->addr;
                addr_set_port(&here.addr, now->host_port);
                server_addr_set_cfg(s, &here);
                return;
        }
        forget(s, "fqdn", !same_text(atomic_load_explicit(&s->fqdn, memory_order_acquire), was->host));
        server_fqdn_set(s, now->host);
        server_addr_set_cfg(s, now);
        server_set_admin(s, now->unresolved ? SRV_ADM_RMAINT : 0, now->unresolved ? 0 : SRV_ADM_RMAINT, &by_reload);
}

/* Three-way: a row that changed in the file wins over a runtime value; an unchanged row keeps it. */
static void follow_file(struct server *s, const struct conf_obj *before)
{
        const struct server_cfg *was = conf_slot(before, server_slot), *now = s->cfg;

        forget(s, "weight", was->weight != now->weight);
        forget(s, "maxconn", file_maxconn(was) != file_maxconn(now));
        forget(s, "state", was->disabled != now->disabled);
        if (was->minconn != now->minconn) {
                atomic_store_explicit(&s->minconn, (uint32_t)now->minconn, memory_order_relaxed);
                slot_fill(s);
        }
        if (file_maxconn(was) != file_maxconn(now))
                server_set_maxconn(s, file_maxconn(now));
        if (was->disabled && !now->disabled)
                server_set_admin(s, 0, SRV_ADM_CMAINT | SRV_ADM_FMAINT | SRV_ADM_FDRAIN, &by_reload);
        else if (!was->disabled && now->disabled)
                server_set_admin(s, SRV_ADM_CMAINT, 0, &by_reload);
        follow_address(s, conf_slot(before, server_addr_slot), conf_slot(s->obj, server_addr_slot));
}

/* Numbers: the file's own, those that servers have already, then the lowest free one from its place on. */
struct numbers {
        uint64_t *map;
        uint32_t n; /* candidates are below n */
};

static void number_take(struct numbers *m, int id)
{
        if (id > 0 && (uint32_t)id < m->n)
                m->map[id / 64] |= (uint64_t)1 << (id % 64);
}

static int number_free(struct numbers *m, uint32_t from)
{
        while (from < m->n && (m->map[from / 64] >> (from % 64) & 1))
                from++;
        number_take(m, (int)from);
        return (int)from;
}

static struct numbers numbers_new(size_t n)
{
        struct numbers m = { calloc(n / 64 + 1, sizeof(uint64_t)), (uint32_t)n };

        ASSERT(m.map != NULL);
        return m;
}

static void number_servers(struct back_step *st)
{
        struct numbers m = numbers_new((size_t)st->n * 2 + 2);

        for (uint32_t i = 0; i < st->n; i++) {
                int id = i < st->n_file
                                 ? ((const struct server_addr_cfg *)conf_slot(st->v[i]->obj, server_addr_slot))->id
                                 : 0;

                if (id)
                        st->v[i]->puid = id;
                number_take(&m, st->v[i]->puid);
        }
        for (uint32_t i = 0; i < st->n; i++)
                if (!st->v[i]->puid)
                        st->v[i]->puid = number_free(&m, i + 1);
        free(m.map);
}

struct kept_server { /* one that goes on, with what the file said before */
        struct server *s;
        const struct conf_obj *before;
};

/* Under back->lock: the array, the counts and one new view. Fills `kept`; *ret_gone are those that left. */
static void replace_servers(struct back_step *st, struct kept_server *kept, size_t *ret_kept, struct server ***ret_old)
{
        const struct conf_obj *k = st->o->child;

        pthread_mutex_lock(&st->b->lock);
        for (uint32_t i = 0; i < st->n_file; i++, k = k->sibling) {
                while (k->kind->bit != KIND_SERVER)
                        k = k->sibling;
                if (st->v[i]->live) {
                        kept[(*ret_kept)++] = (struct kept_server){ st->v[i], st->v[i]->obj };
                        move_server(st->v[i], k);
                }
        }
        number_servers(st);
        world_servers_replace(st->b, st->v, st->n, ret_old);
        server_recount(st->b);
        lb_update(st->b, NULL);
        pthread_mutex_unlock(&st->b->lock);
}

static void commit_back(struct back_step *st)
{
        struct back *b = st->b;
        struct back_cfg *was = epoch_load(&b->cfg);
        uint32_t n_old = b->n_srv;
        struct kept_server *kept = calloc((size_t)st->n + 1, sizeof(*kept));
        struct server **old;
        size_t n_kept = 0;

        ASSERT(kept != NULL);
        b->obj = st->o;
        epoch_publish(&b->cfg, st->cfg);
        replace_servers(st, kept, &n_kept, &old);
        for (uint32_t i = 0; i < n_old; i++)
                if (old[i]->pos == UINT32_MAX) {
                        forget_all(old[i]);
                        server_retire(old[i]);
                }
        for (size_t i = 0; i < n_kept; i++)
                follow_file(kept[i].s, kept[i].before);
        for (uint32_t i = 0; i < st->n_file; i++) {
                bool is_new = !st->v[i]->live;

                srv_source_update(st->v[i], st->v[i]->obj);
                st->v[i]->live = true;
                commit_check(st->v[i]);
                if (is_new && !st->is_new)
                        slot_fill(st->v[i]); /* streams may wait in the backend's queue */
        }
        free(kept);
        if (old)
                retire_later(old, free);
        if (was)
                pins_retire(&was->pins);
}

/* ---- commit: frontends ---- */

static void commit_listener(struct front_step *st, struct listen_step *s, const struct global_cfg *g)
{
        struct listener *l = s->l;

        __atomic_store_n(&l->cfg, conf_slot(s->obj, bind_slot), __ATOMIC_RELEASE);
        __atomic_store_n(&l->use, front_compile(s->obj->conf, s->obj), __ATOMIC_RELEASE);
        l->port_index = s->port;
        l->kept = true;
        if (!s->is_new)
                return;
        l->accept_batch = g->maxaccept > 0 ? g->maxaccept : 1 << 20; /* read once, when its shards start */
        l->n_fds = s->from->n_fds;
        for (unsigned i = 0; i < l->n_fds; i++) {
                l->fds[i] = s->from->fds[i];
                s->from->fds[i] = -1;
        }
        list_push(&st->f->listeners, &l->link);
        sess_start_listener(l);
}

static void commit_front(struct front_step *st, const struct global_cfg *g)
{
        struct front *f = st->f;
        struct front_cfg *was = epoch_load(&f->cfg);

        f->obj = st->o;
        epoch_publish(&f->cfg, st->cfg);
        list_for_each (i, &f->listeners)
                list_item(i, struct listener, link)->kept = false;
        for (size_t i = 0; i < st->n; i++)
                commit_listener(st, &st->v[i], g);
        list_for_each_safe (i, &f->listeners) {
                struct listener *l = list_item(i, struct listener, link);

                if (!l->kept)
                        listener_retire(l);
        }
        if (!was || was->px->rate_limit != st->cfg->px->rate_limit)
                atomic_store_explicit(&f->sess_gate.limit, (uint32_t)st->cfg->px->rate_limit, memory_order_relaxed);
        if (!was)
                return;
        if (st->cfg->maxconn != was->maxconn)
                atomic_store_explicit(&f->maxconn, 0, memory_order_relaxed); /* the file's change wins */
        if (st->cfg->maxconn > was->maxconn)
                sess_limit_moved();
        pins_retire(&was->pins);
}

/* ---- commit: the world ---- */

/* HAProxy's numbers start at 2; both sides of a listen section have one number. */
static void number_proxies(struct apply *a)
{
        struct numbers m = numbers_new((a->n_fronts + a->n_backs) * 2 + 4);
        const struct conf *c = a->fronts[0].cfg->conf;
        uint32_t next = 2;

        for (const struct conf_obj *o = c->first; o; o = o->sibling)
                if (o->kind->bit & (KIND_FE | KIND_BE))
                        number_take(&m, ((const struct proxy_cfg *)conf_slot(o, proxy_slot))->id);
        for (size_t i = 1, k = 0; i < a->n_fronts || k < a->n_backs; next++) {
                const struct conf_obj *fo = i < a->n_fronts ? a->fronts[i].o : NULL;
                const struct conf_obj *bo = k < a->n_backs ? a->backs[k].o : NULL;
                const struct conf_obj *o = !bo || (fo && fo->index < bo->index) ? fo : bo;
                int id = ((const struct proxy_cfg *)conf_slot(o, proxy_slot))->id;

                if (!id)
                        id = number_free(&m, next);
                if (fo == o)
                        a->fronts[i++].f->iid = id;
                if (bo == o)
                        a->backs[k++].b->iid = id;
        }
        free(m.map);
}

static void order_world(struct apply *a)
{
        world.n_fronts = (uint32_t)a->n_fronts - 1;
        world.n_backs = (uint32_t)a->n_backs;
        world.n_servers = 0;
        for (size_t i = 1; i < a->n_fronts; i++) {
                list_del(&a->fronts[i].f->link);
                list_push(&world.fronts, &a->fronts[i].f->link);
        }
        for (size_t i = 0; i < a->n_backs; i++) {
                list_del(&a->backs[i].b->link);
                list_push(&world.backs, &a->backs[i].b->link);
                world.n_servers += a->backs[i].n;
        }
}

/* What is in the world and not in the new configuration. */
static void retire_gone(const struct conf *to)
{
        list_for_each_safe (i, &world.fronts) {
                struct front *f = list_item(i, struct front, link);
                const struct conf_obj *o = conf_find(to, KIND_FE, str_of(f->cell.name));

                if (f->cell.origin == ORIGIN_FILE && (!o || !change_runs(o, CELL_FRONT)))
                        front_retire(f);
        }
        list_for_each_safe (i, &world.backs) {
                struct back *b = list_item(i, struct back, link);
                const struct conf_obj *o = conf_find(to, KIND_BE, str_of(b->cell.name));

                if (b->cell.origin == ORIGIN_FILE && (!o || !change_runs(o, CELL_BACK)))
                        back_retire(b);
        }
}

void change_commit(struct change_set *s)
{
        struct apply *a = s->prepared;
        const struct global_cfg *g = global_of(s->to);

        (void)pins_next_generation();
        for (size_t i = 0; i < a->n_backs; i++)
                commit_back(&a->backs[i]);
        for (size_t i = 0; i < a->n_fronts; i++)
                commit_front(&a->fronts[i], g);
        retire_gone(s->to);
        order_world(a);
        number_proxies(a);
        world_names_publish();
        engine_binds_fini(&a->want);
        server_track_all();
        if (check_driver)
                check_driver->launch();
        if (agent_driver)
                agent_driver->launch();
        s->prepared = NULL;
}
