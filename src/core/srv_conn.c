/* core/srv_conn.c - server connections and the idle pools. */
#include "core/srv_conn.h"

#include "base/slab.h"
#include "core/sess.h"

#include <errno.h>

#define SRV_CONN_MAGIC 0x5c000001u

struct pool {        /* per thread */
        size_t size; /* of this block, for mem_put */
        struct slab slab;
        struct list age; /* all idle connections, oldest first */
        uint32_t n_idle;
        struct timer purge;
};

static unsigned pool_local = ~0u;

static void pool_free(void *p)
{
        struct pool *t = p;

        slab_fini(&t->slab);
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
                slab_init(&p->slab, "srv_conn", sizeof(struct srv_conn), 0);
                list_init(&p->age);
                p->n_idle = 0;
                timer_init(&p->purge, purge_tick);
                thr_self->local[pool_local] = p;
        }
        return p;
}

static void bury(struct grave *g)
{
        struct srv_conn *c = container_of(g, struct srv_conn, grave);

        slab_put(&pool_get()->slab, c);
}

static void make_idle(struct srv_conn *c, struct server_col *col)
{
        struct pool *p = pool_get();

        c->idle = true;
        list_push_front(&col->idle.conns, &c->link);
        list_push(&p->age, &c->age);
        p->n_idle++;
        col->idle.n++;
        STAT_INC(col->st.idle_conn);
        c->idle_since = thr_self->now;
}

static void make_busy(struct srv_conn *c, struct server_col *col)
{
        c->idle = false;
        list_del(&c->link);
        list_del(&c->age);
        pool_get()->n_idle--;
        col->idle.n--;
        STAT_ADD(col->st.idle_conn, -1);
}

static void destroy(struct srv_conn *c, bool reset)
{
        if (c->idle)
                make_busy(c, server_col(c->srv));
        wire_fini(&c->wire, reset);
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

static void purge_tick(struct timer *t)
{
        struct pool *p = container_of(t, struct pool, purge);
        unsigned expired = 0;

        list_for_each (i, &p->age) {
                struct srv_conn *c = list_item(i, struct srv_conn, age);
                if (thr_self->now - c->idle_since < (uint64_t)c->srv->cfg->pool_purge_ms * NS_PER_MS)
                        break;
                expired++;
        }
        srv_conn_purge((expired + 1) / 2); /* manual, pool-purge-delay: half of them each time */
        if (!list_empty(&p->age))
                timer_start(thr_self->loop, t, mono_add_ms(thr_self->now, 1000));
}

unsigned srv_conn_purge(unsigned at_most)
{
        struct pool *p = pool_get();
        unsigned n = 0;

        list_for_each_safe (i, &p->age) {
                if (n >= at_most)
                        break;
                destroy(list_item(i, struct srv_conn, age), false);
                n++;
        }
        return n;
}

void srv_conn_drop_idle(struct server *s)
{
        struct server_col *col = server_col(s);

        list_for_each_safe (i, &col->idle.conns)
                destroy(list_item(i, struct srv_conn, link), false);
}

/* May this connection be kept? The policy of the backend that used it, and the server's limits. */
static bool may_keep(const struct srv_conn *c, const struct server_col *col)
{
        const struct server_cfg *cfg = c->srv->cfg;

        if (atomic_load_explicit(&world.stopping, memory_order_relaxed))
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
        if (!timer_active(&p->purge))
                timer_start(thr_self->loop, &p->purge, mono_add_ms(thr_self->now, c->srv->cfg->pool_purge_ms));
}

static void begin(struct strm *s, struct srv_conn *c)
{
        s->sc = c;
        c->n_req++;
        STAT_INC(s->st_srv->used_conn);
        wire_attach(&c->wire, &s->sv, !s->http);
        s->sv.strm = s;
}

struct srv_conn *srv_conn_reuse(struct strm *s)
{
        struct server_col *col = server_col(s->srv);
        int policy = s->bcfg->px->http_reuse;

        if (!s->http || col->idle.n == 0)
                return NULL;
        list_for_each_safe (i, &col->idle.conns) {
                struct srv_conn *c = list_item(i, struct srv_conn, link);
                bool first = s->first;
                if (c->owner && c->owner != s->sess)
                        continue;
                if (!c->owner && (policy == REUSE_NEVER || (policy == REUSE_SAFE && first) ||
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

int srv_conn_open(struct strm *s)
{
        struct sockaddr_storage sa;
        struct srv_conn *c = slab_get(&pool_get()->slab);
        socklen_t len;
        int r;

        if (!c)
                return -ENOMEM;
        c->magic = SRV_CONN_MAGIC;
        c->srv = s->srv;
        list_init(&c->link);
        list_init(&c->age);
        c->addr_seq = atomic_load_explicit(&s->srv->addr_seq, memory_order_acquire);
        wire_init(&c->wire, true);
        c->wire.head_max = s->bcfg->bufsize;
        c->wire.idle_wake = idle_woken;
        c->wire.released = released;
        c->wire.conn.speaks_first = s->cl.rx_bytes > 0;
        len = server_addr_get(s->srv, &sa, s);
        r = len ? conn_connect(&c->wire.conn, (struct sockaddr *)&sa, len, NULL) : -EADDRNOTAVAIL;
        if ((r == -EMFILE || r == -ENFILE) && srv_conn_purge(8) > 0) /* our own idle ones are the first to go */
                r = conn_connect(&c->wire.conn, (struct sockaddr *)&sa, len, NULL);
        if (r < 0) {
                slab_put(&pool_get()->slab, c);
                return r;
        }
        pin(&c->srv->pins);
        if (s->http && s->bcfg->px->http_reuse == REUSE_NEVER) {
                c->owner = s->sess;
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
                struct srv_conn *c = list_item(i, struct srv_conn, age);
                if (c->owner == ss)
                        destroy(c, false);
        }
}
