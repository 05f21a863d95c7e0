/* core/srv_conn.c - server connections and the idle pools. */
#include "core/srv_conn.h"

#include "base/slab.h"
#include "core/sess.h"
#include "core/srv_proxy.h"
#include "core/srv_source.h"

#include <errno.h>

#define SRV_CONN_MAGIC 0x5c000001u
#define SOURCE_TRIES   64u

struct pool {                   /* per thread */
        size_t size;            /* of this block, for mem_put */
        struct slab slab, once; /* connections that may be pooled, and those of TCP */
        struct list age;        /* all idle connections, oldest first */
        uint32_t n_idle;
        struct timer purge;
};

static unsigned pool_local = ~0u;

static void pool_free(void *p)
{
        struct pool *t = p;

        slab_fini(&t->slab);
        slab_fini(&t->once);
        mem_put(t, t->size);
}

__attribute__((constructor)) static void pool_boot(void)
{
        pool_local = thr_local_index(pool_free);
}

static void purge_tick(struct timer *t);

static struct pool *pool_get(void)
{
        struct pool *p = thr_self->local[pool_local];

        if (unlikely(!p)) {
                size_t size;
                p = mem_get(sizeof(*p), &size);
                ASSERT(p != NULL);
                p->size = size;
                slab_init(&p->slab, "srv_conn", sizeof(struct srv_conn_pooled), 0);
                slab_init(&p->once, "srv_conn_tcp", sizeof(struct srv_conn), 0);
                list_init(&p->age);
                p->n_idle = 0;
                timer_init(&p->purge, purge_tick);
                thr_self->local[pool_local] = p;
        }
        return p;
}

static inline struct srv_conn_pooled *pooled(struct srv_conn *c)
{
        ASSERT(c->pooled);
        return container_of(c, struct srv_conn_pooled, c);
}

static void put(struct srv_conn *c)
{
        slab_put(c->pooled ? &pool_get()->slab : &pool_get()->once, c);
}

static void bury(struct grave *g)
{
        struct srv_conn *c = container_of(g, struct srv_conn, grave);

        put(c);
}

static void make_idle(struct srv_conn *c, struct server_col *col)
{
        struct pool *p = pool_get();
        struct srv_conn_pooled *x = pooled(c);

        c->idle = true;
        list_push_front(&col->idle.conns, &x->link);
        list_push(&p->age, &x->age);
        p->n_idle++;
        col->idle.n++;
        STAT_INC(col->st.idle_conn);
        x->idle_since = thr_self->now;
}

static void make_busy(struct srv_conn *c, struct server_col *col)
{
        struct srv_conn_pooled *x = pooled(c);

        c->idle = false;
        list_del(&x->link);
        list_del(&x->age);
        pool_get()->n_idle--;
        col->idle.n--;
        STAT_ADD(col->st.idle_conn, -1);
}

static void destroy(struct srv_conn *c, bool reset)
{
        if (c->idle)
                make_busy(c, server_col(c->srv));
        wire_fini(&c->wire, reset || (epoch_load(&c->srv->back->cfg)->px->options & OPT_NOLINGER));
        unpin(&c->srv->pins);
        c->magic = 0;
        loop_bury(thr_self->loop, &c->grave, bury);
}

/* Bytes, FIN or error while idle: never usable again (an answer nobody asked for is a smuggled one). Room in the send buffer is
 * none of these. */
static void idle_woken(struct wire *w)
{
        if (w->ep->flags & (EP_RX | EP_HUP | EP_EOF | EP_ERR))
                destroy(container_of(w, struct srv_conn, wire), false);
}

/* Each server has its own delay, so the oldest is not always the first to expire. */
static mono_t expires(const struct srv_conn_pooled *x)
{
        return mono_add_ms(x->idle_since, server_cfg_now(x->c.srv)->pool_purge_ms);
}

static void purge_tick(struct timer *t)
{
        struct pool *p = container_of(t, struct pool, purge);
        mono_t next = MONO_NEVER;
        unsigned expired = 0;

        list_for_each (i, &p->age) {
                mono_t when = expires(list_item(i, struct srv_conn_pooled, age));

                if (when <= thr_self->now)
                        expired++;
                else if (when < next)
                        next = when;
        }
        if (expired > 1) /* some stay for the next time */
                next = mono_add_ms(thr_self->now, 1000);
        expired = (expired + 1) / 2; /* manual, pool-purge-delay: half of them each time */
        list_for_each_safe (i, &p->age) {
                struct srv_conn_pooled *x = list_item(i, struct srv_conn_pooled, age);

                if (expired == 0)
                        break;
                if (expires(x) > thr_self->now)
                        continue;
                destroy(&x->c, false);
                expired--;
        }
        timer_start(thr_self->loop, t, next);
}

unsigned srv_conn_purge(unsigned at_most)
{
        struct pool *p = pool_get();
        unsigned n = 0;

        list_for_each_safe (i, &p->age) {
                if (n >= at_most)
                        break;
                destroy(&list_item(i, struct srv_conn_pooled, age)->c, false);
                n++;
        }
        return n;
}

void srv_conn_drop_idle(struct server *s)
{
        struct server_col *col = server_col(s);

        list_for_each_safe (i, &col->idle.conns)
                destroy(&list_item(i, struct srv_conn_pooled, link)->c, false);
}

/* May this connection be kept? The policy of the backend that used it, and the server's limits. */
static bool may_keep(const struct srv_conn *c, const struct server_col *col)
{
        const struct server_cfg *cfg = server_cfg_now(c->srv);

        if (atomic_load_explicit(&world.stopping, memory_order_relaxed))
                return false;
        /* Nobody will use it; and a server that left the configuration must not be held by idle connections: what it points to goes
         * with the last stream. */
        if (atomic_load_explicit(&c->srv->admin, memory_order_relaxed) & SRV_ADM_MAINT)
                return false;
        if (cfg->pool_purge_ms == 0 || cfg->pool_max_conn == 0)
                return false;
        if (cfg->pool_max_conn > 0 && col->idle.n >= (uint32_t)cfg->pool_max_conn)
                return false;
        return c->addr_seq == atomic_load_explicit(&c->srv->addr_seq, memory_order_acquire);
}

static void released(struct wire *w, bool reusable)
{
        struct srv_conn *c = container_of(w, struct srv_conn, wire);
        struct server_col *col = server_col(c->srv);
        struct pool *p = pool_get();

        STAT_ADD(col->st.used_conn, -1);
        if (!reusable || !may_keep(c, col)) {
                destroy(c, w->reset_after || (w->ep->flags & EP_ERR));
                return;
        }
        make_idle(c, col);
        w->ep->ops->want(w->ep);
        if (!timer_active(&p->purge) || expires(pooled(c)) < p->purge.when)
                timer_start(thr_self->loop, &p->purge, expires(pooled(c)));
}

static const struct wire_owner wire_owner = { .idle_wake = idle_woken, .released = released };

static void begin(struct strm *s, struct srv_conn *c)
{
        s->sc = c;
        c->n_req++;
        STAT_INC(s->st_srv->used_conn);
        wire_attach(&c->wire, &s->sv, !s->http);
        s->sv.strm = s;
}

hot_path struct srv_conn *srv_conn_reuse(struct strm *s)
{
        struct server_col *col = container_of(s->st_srv, struct server_col, st);
        int policy = s->bcfg->px->http_reuse;

        if (!s->http || col->idle.n == 0)
                return NULL;
        list_for_each_safe (i, &col->idle.conns) {
                struct srv_conn_pooled *x = list_item(i, struct srv_conn_pooled, link);
                struct srv_conn *c = &x->c;
                bool first = s->first;
                if (x->owner && x->owner != s->sess)
                        continue;
                if (!x->owner && (policy == REUSE_NEVER || (policy == REUSE_SAFE && first) ||
                                  (policy == REUSE_AGGRESSIVE && first && c->n_req < 2)))
                        continue;
                if (!conn_idle_ok(&c->wire.conn) ||
                    c->addr_seq != atomic_load_explicit(&s->srv->addr_seq, memory_order_acquire)) {
                        destroy(c, false);
                        continue;
                }
                make_busy(c, col);
                begin(s, c);
                STAT_INC(col->st.reuse);
                s->reused = true;
                return c;
        }
        return NULL;
}

/* Of a range of source ports some may be in use to that address. */
static int connect_to(struct srv_conn *c, struct strm *s)
{
        struct sockaddr_storage sa;
        struct srv_how mem = { .n_ports = 0 };
        socklen_t len = server_addr_get(s->srv, &sa, s);
        unsigned tried = 0;
        int r;

        if (len == 0)
                return -EADDRNOTAVAIL;
        do
                r = conn_connect(&c->wire.conn, (struct sockaddr *)&sa, len, srv_source_how(s->srv, s, &mem));
        while ((r == -EADDRINUSE || r == -EADDRNOTAVAIL) && ++tried < mem.n_ports && tried < SOURCE_TRIES);
        return r;
}

int srv_conn_open(struct strm *s)
{
        struct srv_conn *c = slab_get(s->http ? &pool_get()->slab : &pool_get()->once);
        int r;

        if (!c)
                return -ENOMEM;
        c->magic = SRV_CONN_MAGIC;
        c->srv = s->srv;
        c->pooled = s->http;
        c->said = !srv_proxy_wanted(s->srv);
        c->addr_seq = atomic_load_explicit(&s->srv->addr_seq, memory_order_acquire);
        wire_init(&c->wire, true);
        c->wire.head_max = s->bcfg->bufsize;
        c->wire.owner = &wire_owner;
        c->wire.conn.ep.speaks_first = s->cl.rx_bytes > 0;
        r = connect_to(c, s);
        if ((r == -EMFILE || r == -ENFILE) && srv_conn_purge(8) > 0) /* our own idle ones are the first to go */
                r = connect_to(c, s);
        if (r < 0) {
                put(c);
                return r;
        }
        pin(&c->srv->pins);
        if (unlikely(s->bcfg->px->options & OPT_SRVTCPKA))
                conn_keepalive(&c->wire.conn);
        if (s->http && (s->bcfg->px->http_reuse == REUSE_NEVER || srv_source_is_private(s->srv) || !c->said)) {
                pooled(c)->owner = s->sess;
                s->sess->has_private = true;
        }
        STAT_INC(server_col(s->srv)->st.connect);
        begin(s, c);
        return 0;
}

void srv_conn_forget_owner(struct sess *ss)
{
        struct pool *p = pool_get();

        if (!ss->has_private)
                return;
        list_for_each_safe (i, &p->age) {
                struct srv_conn_pooled *x = list_item(i, struct srv_conn_pooled, age);
                if (x->owner == ss)
                        destroy(&x->c, false);
        }
}
