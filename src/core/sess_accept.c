/* core/sess_accept.c - listeners of a frontend: shards on every thread, limits, new sessions. */
#include "base/slab.h"
#include "core/front.h"
#include "core/hook.h"
#include "core/sess_priv.h"
#include "core/srv_conn.h"
#include "core/threads.h"
#include "core/track.h"

#include <errno.h>
#include <stdlib.h>

/* ---- accepting ---- */

static void raise_max(_Atomic uint32_t *max, uint32_t v)
{
        uint32_t seen = atomic_load_explicit(max, memory_order_relaxed);

        while (v > seen &&
               !atomic_compare_exchange_weak_explicit(max, &seen, v, memory_order_relaxed, memory_order_relaxed))
                ;
}

static struct sess *sess_new(struct front *fe, int fd, const struct addr *from)
{
        struct sess_thr *t = sess_thr();
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
        s->idle_since = thr_self->now;
        wire_init(&s->wire, false);
        s->wire.owner = &sess_wire_owner;
        s->wire.head_max = s->cfg->bufsize;
        conn_adopt(&s->wire.conn, fd, from->sa.sa_family != AF_UNIX);
        if (unlikely(s->cfg->px->options & OPT_CLITCPKA))
                conn_keepalive(&s->wire.conn);
        list_push(&t->all, &s->link);
        raise_max(&world.max_conns, atomic_load_explicit(&world.cur_conns, memory_order_relaxed));
        raise_max(&fe->cur_max, atomic_load_explicit(&fe->cur, memory_order_relaxed));
        STAT_INC(col->st.conn_tot);
        rate_event(&fe->conn_rate, &col->st.conn_rate);
        rate_event(&world.conn_rate, &t->conn_rate);
        atomic_fetch_add_explicit(&world.tot_conns, 1, memory_order_relaxed);
        return s;
}

static void count_session(void)
{
        rate_event(&world.sess_rate, &sess_thr()->sess_rate);
}

static uint32_t front_limit(const struct front *fe)
{
        return front_maxconn(fe);
}

static const struct bind_cfg *cfg_of(const struct listener *l)
{
        return __atomic_load_n(&l->cfg, __ATOMIC_ACQUIRE); /* partner: commit_listener() */
}

static uint32_t bind_limit(const struct listener *l) /* 0 = none */
{
        return l ? (uint32_t)cfg_of(l)->maxconn : 0;
}

/* The limit of the process is for clients: whoever runs it gets in when they have filled it (manual, stats maxconn). */
static bool limited(const struct front *fe)
{
        return fe != world.cli;
}

/* One more in *cur, unless there are `max` (0 = no limit); how many now, 0 = no place. By compare-exchange: a place that was only
 * tried is never seen taken. */
static uint32_t take_one(_Atomic uint32_t *cur, uint32_t max)
{
        uint32_t c = atomic_load(cur);

        do {
                if (max && c >= max)
                        return 0;
        } while (!atomic_compare_exchange_weak(cur, &c, c + 1));
        return c + 1;
}

/* Takes a place on the process, the frontend and the bind line; exact at any thread count. */
static bool take_place(struct front *fe, struct listener *l)
{
        uint32_t n = limited(fe) ? take_one(&world.cur_conns, world.maxconn) : 1;

        if (!n)
                return false;
        if (!take_one(&fe->cur, front_limit(fe))) {
                if (limited(fe))
                        atomic_fetch_sub(&world.cur_conns, 1);
                sess_limit_moved(); /* another frontend may have seen our place for the last one */
                return false;
        }
        if (l && !take_one(&l->cur, bind_limit(l))) {
                sess_place_free(fe, NULL);
                return false;
        }
        if (limited(fe) && n == world.maxconn)
                atomic_fetch_add_explicit(&world.limit_reached, 1, memory_order_relaxed);
        return true;
}

static bool reached(const _Atomic uint32_t *cur, uint32_t max)
{
        return max && atomic_load(cur) >= max;
}

static bool full(const struct front *fe, const struct listener *l)
{
        return (limited(fe) && reached(&world.cur_conns, world.maxconn)) || reached(&fe->cur, front_limit(fe)) ||
               (l && reached(&l->cur, bind_limit(l)));
}

/* False: no memory for the filter. */
static bool apply_front(struct sess *s, const struct front_use *use)
{
        if (likely(!use))
                return true;
        s->proto = use->proto;
        s->layer = use->layer;
        return !use->layer || use->layer->open(use->layer_arg, &s->wire.ep) == 0;
}

static void sess_begin(struct sess *s, uint8_t level)
{
        s->cli_level = level;
        if (unlikely(s->more))
                track_sess_begin(s);
        if (s->http) {
                s->state = SESS_IDLE;
                sess_idle_wake(&s->wire); /* the request is often here already: read at once */
        } else {
                /* What the client says first is often here, and who connects for it wants to know (srv_conn_open). */
                (void)wire_fill(&s->wire, s->cfg->bufsize);
                sess_begin_stream(s);
        }
}

/* False: full, and whoever frees a place will resume us. The flag is set before the second look, and a closing session looks at the
 * flag after it gave its place back (both sequentially consistent): one of the two sees the other. */
static bool more_room(struct front *fe, struct listener *l)
{
        if (likely(!full(fe, l)))
                return true;
        atomic_store(&world.paused_for_limit, 1);
        return !full(fe, l);
}

/* False: too many in this second. Whoever runs the process gets in. */
static bool in_rate(struct listen_shard *sh, struct front *fe)
{
        struct rate_gate *gates[] = { &world.conn_gate, &world.sess_gate, &fe->sess_gate };
        int ms = 0;

        if (!limited(fe))
                return true;
        for (size_t i = 0; i < array_len(gates); i++) {
                ms = rate_take(gates[i], thr_self->now);
                if (unlikely(ms)) {
                        while (i-- > 0)
                                rate_untake(gates[i]);
                        shard_wait(sh, ms);
                        return false;
                }
        }
        return true;
}

static void rate_back(struct front *fe)
{
        if (!limited(fe))
                return;
        rate_untake(&world.conn_gate);
        rate_untake(&world.sess_gate);
        rate_untake(&fe->sess_gate);
}

static bool admitted_by(struct sess *s, enum hook_point p)
{
        const struct hook_set *h = s->cfg->hooks;

        for (unsigned i = 0; i < h->n[p]; i++)
                if (!h->at[p][i].hook->admit(s, h->at[p][i].arg))
                        return false;
        return true;
}

/* Manual, tcp-request connection reject: it is no session, counts for no rate of sessions, and is not worth a FIN. */
static cold_path bool admit_conn(struct sess *s)
{
        struct px_stat *st = &((struct front_col *)cell_col(&s->front->cell))->st;

        if (admitted_by(s, HOOK_CONN))
                return true;
        STAT_INC(st->denied_conn);
        if (limited(s->front)) {
                rate_untake(&world.sess_gate);
                rate_untake(&s->front->sess_gate);
        }
        sess_close(s, true);
        return false;
}

static cold_path bool admit_sess(struct sess *s)
{
        struct px_stat *st = &((struct front_col *)cell_col(&s->front->cell))->st;

        if (admitted_by(s, HOOK_SESS))
                return true;
        STAT_INC(st->denied_sess);
        sess_finish(s, false); /* not to be taken for a fault: a FIN, whatever the client has said */
        return false;
}

/* Rules on connections, where there are any. False: it is closed. */
static inline bool admitted(struct sess *s)
{
        const struct hook_set *h = s->cfg->hooks;

        if (unlikely(h && h->n[HOOK_CONN]) && !admit_conn(s))
                return false;
        count_session();
        return true;
}

void sess_go_on(struct sess *s)
{
        const struct hook_set *h = s->cfg->hooks;

        if (unlikely(h && h->n[HOOK_SESS]) && !admit_sess(s))
                return;
        if (!apply_front(s, __atomic_load_n(&s->listener->use, __ATOMIC_ACQUIRE)))
                sess_close(s, true);
        else
                sess_begin(s, (uint8_t)cfg_of(s->listener)->level);
}

/* Before accept(2): who is over the limit stays in the kernel's queue instead of being taken and closed. */
static bool on_take(struct listen_shard *sh)
{
        struct listener *l = container_of(sh, struct bind_shard, shard)->listener;

        while (!take_place(l->front, l))
                if (!more_room(l->front, l))
                        return false;
        if (likely(in_rate(sh, l->front)))
                return true;
        sess_place_free(l->front, l);
        return false;
}

static void on_give(struct listen_shard *sh)
{
        struct listener *l = container_of(sh, struct bind_shard, shard)->listener;

        rate_back(l->front);
        sess_place_free(l->front, l);
}

static bool on_accept(struct listen_shard *sh, int fd, const struct addr *from)
{
        struct bind_shard *b = container_of(sh, struct bind_shard, shard);
        struct listener *l = b->listener;
        struct sess *s;

        s = sess_new(l->front, fd, from);
        if (!s) {
                sess_place_free(l->front, l);
                thr_self->sys->close(fd);
                return true;
        }
        s->listener = l;
        if (!admitted(s))
                return more_room(l->front, l);
        if (unlikely(cfg_of(l)->accept_proxy || s->state == SESS_HEAD))
                sess_expect_head(s);
        else
                sess_go_on(s);
        return more_room(l->front, l);
}

bool sess_attach(struct front *fe, int fd, uint8_t level)
{
        static const struct addr nobody = { .sa = { .sa_family = AF_UNIX } };
        bool place = take_place(fe, NULL);
        struct sess *s = place ? sess_new(fe, fd, &nobody) : NULL;

        if (!s) {
                if (place)
                        sess_place_free(fe, NULL);
                thr_self->sys->close(fd);
                return false;
        }
        count_session();
        sess_begin(s, level);
        return true;
}

/* ---- shards ---- */

static void on_error(struct listen_shard *sh, int err)
{
        (void)sh;
        if (err == -EMFILE || err == -ENFILE)
                srv_conn_purge(8); /* idle server connections go before clients wait */
}

static void start_here(void *arg)
{
        struct listener *l = arg;
        struct bind_shard *b = &l->binds[thr_self->id];
        bool shared = l->n_fds == 1 && thr_count() > 1;
        int fd = l->fds[shared || thr_self->id >= l->n_fds ? 0 : thr_self->id];

        b->listener = l;
        b->shard.batch = (unsigned)l->accept_batch;
        b->shard.take = on_take;
        b->shard.give = on_give;
        b->shard.on_accept = on_accept;
        b->shard.on_error = on_error;
        if (shard_start(&b->shard, thr_self->loop, fd, shared) == 0)
                list_push(&sess_thr()->shards, &b->link);
        /* More sockets than threads (they were made for a larger nbthread): every shard always has a poller, mechanisms.md e. */
        for (unsigned i = thr_count() + thr_self->id; !shared && i < l->n_fds; i += thr_count()) {
                struct bind_shard *x = &l->binds[i];
                *x = (struct bind_shard){ .listener = l };
                x->shard.batch = b->shard.batch;
                x->shard.take = on_take;
                x->shard.give = on_give;
                x->shard.on_accept = on_accept;
                x->shard.on_error = on_error;
                if (shard_start(&x->shard, thr_self->loop, l->fds[i], false) == 0)
                        list_push(&sess_thr()->shards, &x->link);
        }
}

static void stop_here(void *arg)
{
        list_for_each_safe (i, &sess_thr()->shards) {
                struct bind_shard *b = list_item(i, struct bind_shard, link);
                if (b->listener != arg)
                        continue;
                shard_stop(&b->shard);
                list_del(&b->link);
        }
}

void sess_start_listener(struct listener *l)
{
        unsigned n = l->n_fds > thr_count() ? l->n_fds : thr_count();

        l->binds = calloc(n, sizeof(*l->binds));
        ASSERT(l->binds != NULL);
        threads_run(start_here, l, NULL);
}

struct stop_call {
        struct listener *l;
        void (*done)(struct listener *l);
};

static void stop_call_here(void *arg)
{
        stop_here(((struct stop_call *)arg)->l);
}

static void stop_call_done(void *arg)
{
        struct stop_call *c = arg;

        if (c->done)
                c->done(c->l);
        free(c);
}

void sess_stop_listener(struct listener *l, void (*done)(struct listener *l))
{
        struct stop_call *c = malloc(sizeof(*c));

        ASSERT(c != NULL);
        *c = (struct stop_call){ l, done };
        threads_run(stop_call_here, c, stop_call_done);
}

static void resume_here(void *arg)
{
        list_for_each (i, &sess_thr()->shards) {
                struct bind_shard *b = list_item(i, struct bind_shard, link);
                struct front *fe = b->listener->front;
                if ((arg && fe != arg) || !b->shard.paused)
                        continue;
                if (atomic_load_explicit(&fe->state, memory_order_relaxed) != FRONT_OPEN)
                        continue;
                if (more_room(fe,
                              b->listener)) /* else the flag is up again: the next one that leaves comes back here */
                        (void)shard_resume(
                                &b->shard); /* it was polled before: adding it again cannot run out of anything */
        }
}

static void pause_here(void *arg)
{
        list_for_each (i, &sess_thr()->shards) {
                struct bind_shard *b = list_item(i, struct bind_shard, link);
                if (b->listener->front == arg)
                        shard_pause(&b->shard);
        }
}

void sess_pause_front(struct front *fe, bool pause)
{
        atomic_store(&fe->state, pause ? FRONT_PAUSED : FRONT_OPEN);
        threads_run(pause ? pause_here : resume_here, fe, NULL);
}

void sess_place_free(struct front *fe, struct listener *l)
{
        if (l)
                atomic_fetch_sub(&l->cur, 1);
        atomic_fetch_sub(&fe->cur, 1);
        if (limited(fe))
                atomic_fetch_sub(&world.cur_conns, 1);
        sess_limit_moved();
}

void sess_limit_moved(void)
{
        if (likely(!atomic_load(&world.paused_for_limit)) || !atomic_exchange(&world.paused_for_limit, 0))
                return;
        threads_run(resume_here, NULL, NULL); /* all frontends: the process limit may have held any of them */
}
