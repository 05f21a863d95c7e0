/* core/sess.c - client connections: accepted, idle, at work, drained, gone. */
#include "core/sess.h"

#include "base/slab.h"
#include "core/event.h"
#include "core/front.h"
#include "core/sess_priv.h"
#include "core/srv_conn.h"
#include "core/track.h"

#include <errno.h>

#define DRAIN_MS    1000
#define DRAIN_BYTES (1u << 20)

static unsigned sess_local = ~0u;

static void sess_thr_free(void *p)
{
        struct sess_thr *t = p;

        slab_fini(&t->slab);
        slab_fini(&t->idle);
        mem_put(t, t->size);
}

__attribute__((constructor)) static void sess_boot(void)
{
        sess_local = thr_local_index(sess_thr_free);
}

struct sess_thr *sess_thr(void)
{
        struct sess_thr *t = thr_self->local[sess_local];

        if (unlikely(!t)) {
                size_t size;
                t = mem_get(sizeof(*t), &size);
                ASSERT(t != NULL);
                t->size = size;
                slab_init(&t->slab, "sess", sizeof(struct sess), 0);
                slab_init(&t->idle, "sess_idle", sizeof(struct sess_idle), 0);
                list_init(&t->all);
                list_init(&t->shards);
                thr_self->local[sess_local] = t;
        }
        return t;
}

struct list *sess_all(void)
{
        return &sess_thr()->all;
}

static void bury(struct grave *g)
{
        struct sess *s = container_of(g, struct sess, grave);
        struct sess_thr *t = sess_thr();

        slab_put(&t->idle, s->idle);
        sess_more_fini(s);
        slab_put(&t->slab, s);
}

void sess_close(struct sess *s, bool reset)
{
        if (s->state == SESS_DEAD)
                return;
        s->state = SESS_DEAD;
        if (s->idle) {
                timer_stop(thr_self->loop, &s->idle->timer);
                task_cancel(&s->idle->task);
        }
        srv_conn_forget_owner(s);
        track_sess_end(s);
        if (s->carrier)
                s->proto->close(s);
        wire_fini(&s->wire, reset || (s->cfg->px->options & OPT_NOLINGER));
        list_del(&s->link);
        sess_place_free(s->front, s->listener);
        unpin(&s->cfg->pins);
        s->magic = 0;
        loop_bury(thr_self->loop, &s->grave, bury);
}

static void on_timeout(struct timer *t);
static void on_task(struct ev_task *t);

/* False: no memory, the session is closed. */
static bool own_idle(struct sess *s)
{
        if (likely(s->idle))
                return true;
        s->idle = slab_get(&sess_thr()->idle);
        if (!s->idle) {
                sess_close(s, true);
                return false;
        }
        s->idle->sess = s;
        timer_init(&s->idle->timer, on_timeout);
        task_init(&s->idle->task, on_task);
        return true;
}

/* Lazy: a timer that runs already and is not later than wanted stays where it is. */
static void wait_at_most(struct sess_idle *i, int ms)
{
        if (ms <= 0) {
                i->deadline = MONO_NEVER;
                return;
        }
        i->deadline = mono_add_ms(thr_self->now, ms);
        if (!timer_active(&i->timer) || i->timer.when > i->deadline)
                timer_start(thr_self->loop, &i->timer, i->deadline);
}

bool sess_wait_at_most(struct sess *s, int ms)
{
        if (!own_idle(s))
                return false;
        wait_at_most(s->idle, ms);
        return true;
}

static void on_timeout(struct timer *t)
{
        struct sess_idle *i = container_of(t, struct sess_idle, timer);
        struct sess *s = i->sess;

        if (s->state == SESS_BUSY && s->wire.side)
                strm_look(s->wire.side->strm);
        if (s->state == SESS_BUSY || i->deadline == MONO_NEVER)
                return;
        if (thr_self->now < i->deadline) {
                timer_start(thr_self->loop, t, i->deadline);
                return;
        }
        if (s->state == SESS_IDLE && s->carrier)
                s->proto->stop(s);
        else if (s->state == SESS_IDLE && s->n_req == 0)
                (void)sess_begin_stream(s); /* not a byte of the first request: its stream says 408 and is logged */
        else
                sess_close(s, false);
}

bool sess_looks_at(const struct sess *s, const struct side *cl, mono_t at)
{
        return s->wire.side == cl && s->idle && timer_active(&s->idle->timer) && s->idle->timer.when <= at;
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

struct strm *sess_stream(struct sess *s)
{
        struct strm *st;

        renew_cfg(s);
        if (s->n_req > 0)
                s->idle_since = thr_self->now; /* requests overlap: no idle time before this one */
        st = strm_new(s, s->front, s->cfg, true);
        if (!st)
                return NULL;
        s->state = SESS_BUSY;
        s->n_req++;
        return st;
}

bool sess_begin_stream(struct sess *s)
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

static void idle_wait(struct sess *s) /* or closes it */
{
        const struct proxy_cfg *px = s->cfg->px;
        int ms = s->n_req == 0 ? px->timeout.http_request : px->timeout.http_keep_alive;

        if (ms == 0) /* manual, timeout http-keep-alive: falls back to http-request, then to client */
                ms = px->timeout.http_request;
        if (ms == 0)
                ms = px->timeout.client;
        s->state = SESS_IDLE;
        wire_rest(&s->wire);
        if (!own_idle(s))
                return;
        wait_at_most(s->idle, ms);
        s->wire.ep->ops->want(s->wire.ep);
        if (unlikely(s->wire.ep->flags & EP_ERR)) /* it could not be watched: nothing would wake us */
                loop_post(thr_self->loop, &s->idle->task);
}

static void drain(struct sess *s)
{
        int r;

        for (;;) {
                r = wire_fill(&s->wire, 65536);
                if (r == MSG_WAIT) {
                        wire_rest(&s->wire);
                        return;
                }
                s->idle->drained += s->wire.io->in.len;
                wire_take(&s->wire, s->wire.io->in.len);
                if (r != MSG_OK || s->idle->drained > DRAIN_BYTES) {
                        sess_close(s, false);
                        return;
                }
        }
}

/* The first bytes are here, so a handshake is done. True: not HTTP/1; the session is somebody else's, or closed. */
static bool choose_proto(struct sess *s)
{
        if (!s->proto && s->layer)
                s->proto = front_proto_find(s->layer->agreed(s->wire.ep));
        if (!s->proto)
                return false;
        if (s->proto->start(s) < 0)
                sess_close(s, true);
        else
                s->proto->wake(s);
        return true;
}

void sess_quiet(struct sess *s)
{
        idle_wait(s);
}

/* Something happened on an idle connection: bytes of a request, FIN, an error. */
void sess_idle_wake(struct wire *w)
{
        struct sess *s = container_of(w, struct sess, wire);
        int r;

        if (unlikely(s->state == SESS_HEAD)) {
                sess_head_wake(s);
                return;
        }
        if (s->state == SESS_DRAIN) {
                drain(s);
                return;
        }
        if (s->carrier) {
                s->proto->wake(s);
                return;
        }
        if (s->state != SESS_IDLE)
                return;
        r = w->io->in.len > 0 ? MSG_OK : wire_fill(w, s->cfg->bufsize);
        if (r == MSG_OK && s->n_req == 0 && unlikely(s->proto || s->layer) && choose_proto(s))
                return;
        if (r == MSG_OK || (r != MSG_WAIT && s->n_req == 0))
                sess_begin_stream(s); /* a first connection without a byte is logged too (option dontlognull) */
        else if (r == MSG_WAIT)
                idle_wait(s);
        else
                sess_close(s, false);
}

static void on_task(struct ev_task *t)
{
        sess_idle_wake(&container_of(t, struct sess_idle, task)->sess->wire);
}

/* The stream left the connection. */
static void released(struct wire *w, bool reusable)
{
        struct sess *s = container_of(w, struct sess, wire);

        /* Who was not told to close (the head of the answer was out before) may ask again. */
        if (reusable && (!atomic_load_explicit(&world.stopping, memory_order_relaxed) ||
                         atomic_load_explicit(&world.retiring, memory_order_relaxed))) {
                s->idle_since = thr_self->now;
                idle_wait(s);
                if (s->state == SESS_IDLE && (w->io->in.len > 0 || (w->ep->flags & EP_RX)))
                        loop_post(thr_self->loop, &s->idle->task);
                return;
        }
        sess_finish(s, w->reset_after);
}

const struct wire_owner sess_wire_owner = { .idle_wake = sess_idle_wake, .released = released };

void sess_finish(struct sess *s, bool reset)
{
        struct ep *e = s->wire.ep;

        if (reset || (e->flags & (EP_ERR | EP_EOF))) {
                sess_close(s, reset);
                return;
        }
        if (!own_idle(s))
                return;
        /* Closing with unread bytes would make the kernel send a RST that can destroy our answer on its way: FIN first, then read and
         * forget for a moment (RFC 9112 9.6). */
        s->state = SESS_DRAIN;
        e->ops->shut(e);
        e->ops->want(e);
        wait_at_most(s->idle, DRAIN_MS);
        loop_post(thr_self->loop, &s->idle->task);
}

/* ---- the whole thread ---- */

void sess_soft_stop(void)
{
        list_for_each_safe (i, &sess_thr()->all) {
                struct sess *s = list_item(i, struct sess, link);
                /* A connection whose first request is still to come would be refused to a client that did nothing wrong; one whose
                 * next request is here already is served too. Both are told to close with their answer. */
                if (s->carrier)
                        s->proto->stop(s);
                else if (s->state == SESS_IDLE && s->n_req > 0 && s->wire.io->in.len == 0 &&
                         !(s->wire.ep->flags & EP_RX) && !(s->cfg->px->options & OPT_IDLE_CLOSE_ON_RESPONSE))
                        sess_close(s, false);
        }
}

void sess_retire(void)
{
        list_for_each_safe (i, &sess_thr()->all) {
                struct sess *s = list_item(i, struct sess, link);

                if (s->carrier)
                        s->proto->stop(s);
        }
}

void sess_kill_all(void)
{
        list_for_each (i, strm_all())
                strm_shutdown(list_item(i, struct strm, link), 'K');
        list_for_each_safe (i, &sess_thr()->all) {
                struct sess *s = list_item(i, struct sess, link);
                if (s->state != SESS_BUSY)
                        sess_close(s, false);
        }
}
