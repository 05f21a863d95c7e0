/* core/sess.c - client connections: accepted, idle, at work, drained, gone. */
#include "core/sess.h"

#include "base/slab.h"
#include "core/event.h"
#include "core/srv_conn.h"

#include <errno.h>

#define SESS_MAGIC 0x5e550001u
#define DRAIN_MS 1000
#define DRAIN_BYTES (1u << 20)

struct sess_thr {
        struct slab slab;
        struct list all;
};

static unsigned sess_local = ~0u;

__attribute__((constructor)) static void sess_boot(void)
{
        sess_local = thr_local_index();
}

static struct sess_thr *mine(void)
{
        struct sess_thr *t = thr_self->local[sess_local];

        if (unlikely(!t)) {
                size_t size;
                t = mem_get(sizeof(*t), &size);
                ASSERT(t != NULL);
                slab_init(&t->slab, "sess", sizeof(struct sess), 0);
                list_init(&t->all);
                thr_self->local[sess_local] = t;
        }
        return t;
}

struct list *sess_all(void)
{
        return &mine()->all;
}

static void bury(struct grave *g)
{
        slab_put(&mine()->slab, container_of(g, struct sess, grave));
}

static void sess_close(struct sess *s, bool reset)
{
        if (s->state == SESS_DEAD)
                return;
        s->state = SESS_DEAD;
        timer_stop(thr_self->loop, &s->timer);
        task_cancel(&s->task);
        srv_conn_forget_owner(s);
        wire_fini(&s->wire, reset);
        list_del(&s->link);
        atomic_fetch_sub_explicit(&s->front->cur, 1, memory_order_relaxed);
        if (s->listener)
                atomic_fetch_sub_explicit(&s->listener->cur, 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(&world.cur_conns, 1, memory_order_relaxed);
        sess_place_free(s->front);
        unpin(&s->cfg->pins);
        s->magic = 0;
        loop_bury(thr_self->loop, &s->grave, bury);
}

/* Lazy: a timer that runs already and is not later than wanted stays where it is. */
static void sess_deadline(struct sess *s, int ms)
{
        if (ms <= 0) {
                s->deadline = MONO_NEVER;
                return;
        }
        s->deadline = mono_add_ms(thr_self->now, ms);
        if (!timer_active(&s->timer) || s->timer.when > s->deadline)
                timer_start(thr_self->loop, &s->timer, s->deadline);
}

static void sess_timeout(struct timer *t)
{
        struct sess *s = container_of(t, struct sess, timer);

        if (s->state == SESS_BUSY || s->deadline == MONO_NEVER)
                return; /* the stream keeps its own time */
        if (thr_self->now < s->deadline) {
                timer_start(thr_self->loop, t, s->deadline);
                return;
        }
        sess_close(s, false);
}

/* ---- requests ---- */

static void renew_cfg(struct sess *s)
{
        struct front_cfg *now = epoch_load(&s->front->cfg);

        if (likely(now == s->cfg))
                return;
        pin(&now->pins);
        unpin(&s->cfg->pins);
        s->cfg = now;
}

static bool begin_stream(struct sess *s)
{
        struct strm *st;

        renew_cfg(s);
        st = strm_new(s, s->front, s->cfg, s->http);
        if (!st) {
                sess_close(s, true);
                return false;
        }
        s->state = SESS_BUSY;
        s->n_req++;
        s->wire.head_max = s->cfg->bufsize;
        wire_attach(&s->wire, &st->cl, !s->http);
        st->cl.strm = st;
        strm_ready(st);
        return true;
}

static void idle_wait(struct sess *s)
{
        const struct proxy_cfg *px = s->cfg->px;
        int ms = s->n_req == 0 ? px->timeout.http_request : px->timeout.http_keep_alive;

        if (ms == 0) /* manual, timeout http-keep-alive: falls back to http-request, then to client */
                ms = px->timeout.http_request;
        if (ms == 0)
                ms = px->timeout.client;
        s->state = SESS_IDLE;
        sess_deadline(s, ms);
        s->wire.conn.ep.ops->want(&s->wire.conn.ep);
}

static void drain(struct sess *s)
{
        int r;

        for (;;) {
                r = wire_fill(&s->wire, 65536);
                if (r == MSG_WAIT)
                        return;
                s->drained += s->wire.in.len;
                s->wire.in.off += s->wire.in.len;
                s->wire.in.hold = s->wire.in.off;
                s->wire.in.len = 0;
                if (r != MSG_OK || s->drained > DRAIN_BYTES) {
                        sess_close(s, false);
                        return;
                }
        }
}

/* Something happened on an idle connection: bytes of a request, FIN, an error. */
static void sess_idle_wake(struct wire *w)
{
        struct sess *s = container_of(w, struct sess, wire);
        int r;

        if (s->state == SESS_DRAIN) {
                drain(s);
                return;
        }
        if (s->state != SESS_IDLE)
                return;
        r = w->in.len > 0 ? MSG_OK : wire_fill(w, s->cfg->bufsize);
        if (r == MSG_OK || (r != MSG_WAIT && s->n_req == 0))
                begin_stream(s); /* a first connection without a byte is logged too (option dontlognull) */
        else if (r == MSG_WAIT)
                idle_wait(s);
        else
                sess_close(s, false);
}

static void sess_task(struct ev_task *t)
{
        struct sess *s = container_of(t, struct sess, task);

        sess_idle_wake(&s->wire);
}

/* The stream left the connection. */
static void sess_released(struct wire *w, bool reusable)
{
        struct sess *s = container_of(w, struct sess, wire);

        if (reusable && !atomic_load_explicit(&world.stopping, memory_order_relaxed)) {
                s->idle_since = thr_self->now;
                idle_wait(s);
                if (w->in.len > 0 || (w->conn.ep.flags & EP_RX))
                        loop_post(thr_self->loop, &s->task);
                return;
        }
        if (w->conn.ep.flags & (EP_ERR | EP_EOF)) {
                sess_close(s, false);
                return;
        }
        /* Closing with unread bytes would make the kernel send a RST that can destroy our answer on its way: FIN first, then read and
         * forget for a moment (RFC 9112 9.6). */
        s->state = SESS_DRAIN;
        w->conn.ep.ops->shut(&w->conn.ep);
        w->conn.ep.ops->want(&w->conn.ep);
        sess_deadline(s, DRAIN_MS);
        loop_post(thr_self->loop, &s->task);
}

/* ---- accepting ---- */

static struct sess *sess_new(struct front *fe, int fd, const struct addr *from)
{
        struct sess_thr *t = mine();
        struct sess *s = slab_get(&t->slab);
        struct front_col *col = cell_col(&fe->cell);

        if (!s)
                return NULL;
        s->magic = SESS_MAGIC;
        s->front = fe;
        s->cfg = epoch_load(&fe->cfg);
        pin(&s->cfg->pins);
        s->http = s->cfg->px->mode == PX_HTTP;
        s->src = *from;
        s->accepted = s->idle_since = thr_self->now;
        timer_init(&s->timer, sess_timeout);
        task_init(&s->task, sess_task);
        wire_init(&s->wire, false);
        s->wire.idle_wake = sess_idle_wake;
        s->wire.released = sess_released;
        s->wire.head_max = s->cfg->bufsize;
        conn_adopt(&s->wire.conn, fd);
        list_push(&t->all, &s->link);
        STAT_INC(col->st.conn_tot);
        rate_event(&fe->conn_rate, &col->st.conn_rate);
        atomic_fetch_add_explicit(&world.tot_conns, 1, memory_order_relaxed);
        return s;
}

static void raise_max(_Atomic uint32_t *max, uint32_t v)
{
        uint32_t seen = atomic_load_explicit(max, memory_order_relaxed);

        while (v > seen && !atomic_compare_exchange_weak_explicit(max, &seen, v, memory_order_relaxed, memory_order_relaxed))
                ;
}

/* Takes a place on the process and the frontend; exact at any thread count. */
static bool take_place(struct front *fe)
{
        uint32_t all = atomic_fetch_add_explicit(&world.cur_conns, 1, memory_order_relaxed) + 1, here;

        if (world.maxconn && all > world.maxconn) {
                atomic_fetch_sub_explicit(&world.cur_conns, 1, memory_order_relaxed);
                return false;
        }
        here = atomic_fetch_add_explicit(&fe->cur, 1, memory_order_relaxed) + 1;
        if (here > (uint32_t)epoch_load(&fe->cfg)->maxconn) {
                atomic_fetch_sub_explicit(&fe->cur, 1, memory_order_relaxed);
                atomic_fetch_sub_explicit(&world.cur_conns, 1, memory_order_relaxed);
                return false;
        }
        raise_max(&world.max_conns, all);
        raise_max(&fe->cur_max, here);
        return true;
}

static bool full(const struct front *fe)
{
        return (world.maxconn && atomic_load_explicit(&world.cur_conns, memory_order_relaxed) >= world.maxconn) ||
               atomic_load_explicit(&fe->cur, memory_order_relaxed) >= (uint32_t)epoch_load(&fe->cfg)->maxconn;
}

static void sess_begin(struct sess *s, uint8_t level)
{
        s->cli_level = level;
        if (s->http) {
                s->state = SESS_IDLE;
                sess_idle_wake(&s->wire); /* the request is often here already: read at once */
        } else {
                begin_stream(s);
        }
}

struct bind_shard {
        struct listen_shard shard;
        struct listener *listener;
};

static bool on_accept(struct listen_shard *sh, int fd, const struct addr *from)
{
        struct bind_shard *b = container_of(sh, struct bind_shard, shard);
        struct listener *l = b->listener;
        struct sess *s;

        if (!take_place(l->front)) { /* another thread took the last place since the last look */
                thr_self->sys->close(fd);
                return false;
        }
        s = sess_new(l->front, fd, from);
        if (!s) {
                atomic_fetch_sub_explicit(&l->front->cur, 1, memory_order_relaxed);
                atomic_fetch_sub_explicit(&world.cur_conns, 1, memory_order_relaxed);
                thr_self->sys->close(fd);
                return true;
        }
        s->listener = l;
        atomic_fetch_add_explicit(&l->cur, 1, memory_order_relaxed);
        sess_begin(s, (uint8_t)l->cfg->level);
        return !full(l->front);
}

bool sess_attach(struct front *fe, int fd, uint8_t level)
{
        static const struct addr nobody = { .sa = { .sa_family = AF_UNIX } };
        struct sess *s = take_place(fe) ? sess_new(fe, fd, &nobody) : NULL;

        if (!s) {
                thr_self->sys->close(fd);
                return false;
        }
        sess_begin(s, level);
        return true;
}
