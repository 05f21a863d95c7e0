/* core/cells.c - life and death of cells. */
#include "core/cells.h"

#include "core/engine.h"
#include "core/global.h"
#include "core/hist.h"
#include "core/hook.h"
#include "core/lb.h"
#include "core/log.h"
#include "core/retire.h"
#include "core/server_slow.h"
#include "core/server_track.h"
#include "core/sess.h"
#include "core/srv_source.h"
#include "core/srv_conn.h"
#include "core/threads.h"

#include <stdlib.h>
#include <unistd.h>

static struct list dead_fronts = LIST_INIT(dead_fronts), dead_backs = LIST_INIT(dead_backs),
                   dead_listeners = LIST_INIT(dead_listeners), dead_servers = LIST_INIT(dead_servers);

#define LOAD(f) atomic_load_explicit(&(f), memory_order_relaxed)

static void *zalloc(size_t n)
{
        void *p = calloc(1, n);

        ASSERT(p != NULL); /* configuration-sized: ADR 0002 */
        return p;
}

/* ---- cfgs ---- */

static void front_free(struct front *f)
{
        hist_release(&f->cell);
        cell_fini(&f->cell);
        free(f);
}

static void back_free(struct back *b)
{
        ASSERT(b->n_srv == 0);
        free(b->srv);
        lb_free(b);
        map_fini(&b->names);
        queue_free(b->queue);
        pthread_mutex_destroy(&b->lock);
        hist_release(&b->cell);
        cell_fini(&b->cell);
        free(b);
}

static void front_cfg_free(struct pins *p)
{
        struct front_cfg *c = container_of(p, struct front_cfg, pins);
        struct front *f = c->front;

        conf_put(c->conf);
        if (f->dead && epoch_load(&f->cfg) == c)
                front_free(f);
        free(c);
}

static void back_cfg_free(struct pins *p)
{
        struct back_cfg *c = container_of(p, struct back_cfg, pins);
        struct back *b = c->back;

        conf_put(c->conf);
        if (b->dead && epoch_load(&b->cfg) == c)
                back_free(b);
        free(c);
}

/* The runtime sockets have no section of their own in the file. */
static const struct proxy_cfg *cli_proxy(struct conf *c)
{
        const struct global_cfg *g = global_of(c);
        struct proxy_cfg *p = conf_alloc(c, sizeof(*p));

        p->mode = PX_CLI;
        p->maxconn = g->stats_maxconn;
        p->timeout.client = g->stats_timeout_ms;
        p->timeout.server = g->stats_timeout_ms;
        return p;
}

struct front_cfg *front_cfg_new(struct front *f, struct conf *c, const struct conf_obj *o, struct diags *d)
{
        static const struct hook_set no_hooks;
        const struct global_cfg *g = global_of(c);
        struct front_cfg *n = zalloc(sizeof(*n));
        bool cli = f == world.cli;
        uint32_t alerts = d->n_alerts;

        pins_init(&n->pins, front_cfg_free);
        n->front = f;
        n->conf = conf_get(c);
        n->obj = o;
        n->px = cli ? cli_proxy(c) : conf_slot(o, proxy_slot);
        n->log = !cli && log_driver ? log_driver->compile(c, o, true, d) : NULL;
        n->hooks = cli ? &no_hooks : hook_compile(c, o, true);
        n->maxconn = n->px->maxconn ? n->px->maxconn : (int)engine_front_maxconn(c);
        n->bufsize = (unsigned)g->bufsize;
        n->logurilen = (unsigned)g->logurilen;
        if (d->n_alerts == alerts)
                return n;
        front_cfg_drop(n);
        return NULL;
}

/* Without `balance`: random of two (manual, balance), or what older versions did. */
static const struct lb_cfg *balance_of(struct conf *c, const struct conf_obj *o)
{
        const struct lb_cfg *said = conf_slot(o, balance_slot);
        struct lb_cfg *own;

        if (said->kind != BAL_DEFAULT || global_of(c)->compat < COMPAT_3_4)
                return said;
        own = conf_alloc(c, sizeof(*own));
        *own = *said;
        own->kind = BAL_RANDOM;
        return own;
}

struct back_cfg *back_cfg_new(struct back *b, struct conf *c, const struct conf_obj *o, struct diags *d)
{
        struct back_cfg *n = zalloc(sizeof(*n));
        uint32_t alerts = d->n_alerts;

        pins_init(&n->pins, back_cfg_free);
        n->back = b;
        n->conf = conf_get(c);
        n->obj = o;
        n->px = conf_slot(o, proxy_slot);
        n->lb = balance_of(c, o);
        n->log = log_driver ? log_driver->compile(c, o, false, d) : NULL;
        n->hooks = hook_compile(c, o, false);
        n->fullconn = n->px->fullconn; /* 0: derived when all frontends are known */
        n->bufsize = (unsigned)global_of(c)->bufsize;
        n->abortonclose =
                n->px->mode == PX_HTTP && global_of(c)->compat >= COMPAT_3_4 && !(n->px->options & OPT_NO_ABORTONCLOSE);
        if (d->n_alerts == alerts)
                return n;
        back_cfg_drop(n);
        return NULL;
}

void front_cfg_drop(struct front_cfg *c)
{
        pins_drop(&c->pins);
        conf_put(c->conf);
        free(c);
}

void back_cfg_drop(struct back_cfg *c)
{
        pins_drop(&c->pins);
        conf_put(c->conf);
        free(c);
}

/* ---- frontends, listeners ---- */

struct front *front_new(struct str name, enum origin o)
{
        struct front *f = zalloc(sizeof(*f));

        cell_init(&f->cell, CELL_FRONT, o, name);
        list_init(&f->link);
        list_init(&f->listeners);
        return f;
}

struct listener *listener_new(struct front *f, const char *key)
{
        struct listener *l = zalloc(sizeof(*l));

        cell_init(&l->cell, CELL_LISTENER, ORIGIN_FILE, str_of(key));
        l->key = l->cell.name;
        l->front = f;
        list_init(&l->link);
        for (unsigned i = 0; i < LISTEN_SHARDS_MAX; i++)
                l->fds[i] = -1;
        atomic_fetch_add_explicit(&world.n_listeners, 1, memory_order_relaxed);
        return l;
}

static void listener_free(struct listener *l)
{
        atomic_fetch_sub_explicit(&world.n_listeners, 1, memory_order_relaxed);
        free(l->binds);
        cell_fini(&l->cell);
        free(l);
}

void listener_drop(struct listener *l)
{
        listener_free(l);
}

void front_drop(struct front *f)
{
        front_free(f);
}

/* On the control loop: no thread polls the sockets any more. */
static void listener_stopped(struct listener *l)
{
        for (unsigned i = 0; i < l->n_fds; i++)
                if (l->fds[i] >= 0)
                        close(l->fds[i]);
        l->n_fds = 0;
        l->stopped = true;
        l->front->n_stopping--;
        engine_reap_soon();
}

void listener_retire(struct listener *l)
{
        list_del(&l->link);
        list_push(&dead_listeners, &l->link);
        l->front->n_stopping++;
        sess_stop_listener(l, listener_stopped);
}

void front_retire(struct front *f)
{
        f->dead = true;
        atomic_store_explicit(&f->state, FRONT_STOPPED, memory_order_relaxed);
        list_del(&f->link);
        list_push(&dead_fronts, &f->link);
        list_for_each_safe (i, &f->listeners)
                listener_retire(list_item(i, struct listener, link));
        engine_reap_soon();
}

/* ---- backends ---- */

struct back *back_new(struct str name, enum origin o)
{
        struct back *b = zalloc(sizeof(*b));

        cell_init(&b->cell, CELL_BACK, o, name);
        list_init(&b->link);
        pthread_mutex_init(&b->lock, NULL);
        b->queue = queue_new();
        ASSERT(b->queue != NULL);
        atomic_init(&b->last_change, thr_self->now);
        return b;
}

void back_drop(struct back *b)
{
        back_free(b);
}

void back_retire(struct back *b)
{
        struct server **old;
        uint32_t n = b->n_srv;

        pthread_mutex_lock(&b->lock);
        world_servers_replace(b, calloc(n + 1, sizeof(*old)), 0, &old);
        server_recount(b);
        lb_update(b, NULL);
        pthread_mutex_unlock(&b->lock);
        for (uint32_t i = 0; i < n; i++)
                server_retire(old[i]);
        retire_later(old, free);
        b->dead = true;
        b->dead_since = pins_generation();
        list_del(&b->link);
        list_push(&dead_backs, &b->link);
        engine_reap_soon();
}

/* ---- servers ---- */

static void server_free(struct server *s)
{
        s->back->n_cells--;
        if (s->queue)
                queue_free(s->queue);
        free((void *)(uintptr_t)atomic_load_explicit(&s->fqdn, memory_order_relaxed));
        srv_source_free(s);
        hist_release(&s->cell);
        cell_fini(&s->cell);
        free(s);
}

static void server_pins_free(struct pins *p)
{
        server_free(container_of(p, struct server, pins));
}

struct server *server_new(struct back *b, struct str name, enum origin o)
{
        struct server *s = zalloc(sizeof(*s));

        cell_init(&s->cell, CELL_SERVER, o, name);
        pins_init(&s->pins, server_pins_free);
        s->back = b;
        b->n_cells++;
        s->last_change = thr_self->now;
        atomic_init(&s->oper, SRV_RUNNING);
        return s;
}

void server_drop(struct server *s)
{
        pins_drop(&s->pins);
        server_free(s);
}

static void drop_idle_here(void *arg)
{
        srv_conn_drop_idle(arg);
        slow_drop(arg);
}

/* Every thread has closed its idle connections and read the check's stop: only streams hold it now, by a pin, or by a slot: the mail
 * of a grant under way has no pin yet. */
static void server_let_go(void *arg)
{
        struct server *s = arg;

        list_push(&dead_servers, &s->pins.link);
        engine_reap_soon();
}

void server_retire(struct server *s)
{
        /* Streams under way read it when they let go of a connection: ordered by the message that drops the idle ones. */
        atomic_fetch_or_explicit(&s->admin, SRV_ADM_FMAINT, memory_order_relaxed);
        atomic_store_explicit(&s->usable, 0, memory_order_relaxed);
        if (s->queue)
                (void)queue_redistribute(s);
        server_untrack(s);
        if (s->check && check_driver)
                check_driver->stop(s->check);
        if (s->agent && agent_driver)
                agent_driver->stop(s->agent);
        s->check = s->agent = NULL;
        threads_run(drop_idle_here, s, server_let_go);
}

/* ---- reaping ---- */

static unsigned reap_listeners(void)
{
        unsigned left = 0;

        list_for_each_safe (i, &dead_listeners) {
                struct listener *l = list_item(i, struct listener, link);

                left++;
                if (!l->stopped || atomic_load_explicit(&l->cur, memory_order_acquire) != 0)
                        continue;
                list_del(i);
                listener_free(l);
                left--;
        }
        return left;
}

/* A listener's last connection may have ended before its frontend's: the listeners of a dead frontend are looked at first. */
static bool has_dead_listener(const struct front *f)
{
        list_for_each (i, &dead_listeners)
                if (list_item(i, struct listener, link)->front == f)
                        return true;
        return false;
}

static unsigned reap_fronts(void)
{
        unsigned left = 0;

        list_for_each_safe (i, &dead_fronts) {
                struct front *f = list_item(i, struct front, link);

                left++;
                if (f->n_stopping || atomic_load_explicit(&f->cur, memory_order_acquire) != 0 || has_dead_listener(f))
                        continue;
                list_del(i);
                pins_retire(&epoch_load(&f->cfg)->pins);
        }
        return left;
}

static unsigned reap_servers(void)
{
        unsigned left = 0;

        list_for_each_safe (i, &dead_servers) {
                struct server *s = list_item(i, struct server, pins.link);

                left++;
                if (atomic_load_explicit(&s->cur, memory_order_acquire) != 0)
                        continue;
                list_del(i);
                pins_retire(&s->pins);
                left--;
        }
        return left;
}

static unsigned reap_backs(void)
{
        uint32_t oldest =
                pins_oldest(); /* before the cfgs that are retired below: those lead nobody to another backend */
        unsigned left = 0;

        list_for_each_safe (i, &dead_backs) {
                struct back *b = list_item(i, struct back, link);

                left++;
                if (b->n_cells || oldest <= b->dead_since)
                        continue;
                list_del(i);
                pins_retire(&epoch_load(&b->cfg)->pins);
        }
        return left;
}

unsigned cells_reap(void)
{
        bool reader = pins_in_turn();

        if (reader)
                epoch_offline();
        retire_run();
        if (reader)
                epoch_online();
        return reap_listeners() + reap_fronts() + reap_servers() + reap_backs() + pins_reap() +
               (unsigned)retire_waiting();
}
