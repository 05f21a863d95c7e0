/* core/strm.c - the driver of streams: one loop over the steps, one timer, one end. */
#include "base/asan.h"
#include "base/slab.h"
#include "core/applet.h"
#include "core/event.h"
#include "core/expr.h"
#include "core/hist.h"
#include "core/log.h"
#include "core/queue.h"
#include "core/strm_priv.h"
#include "core/track.h"

struct strm_thr {
        size_t size; /* of this block, for mem_put */
        struct slab slab;
        struct list all;
        uint64_t next;
        char *line; /* the next short request line's, or NULL */
        size_t line_size;
};

static unsigned strm_local = ~0u;

/* For strm_count(): made and cleared by the thread itself, read by others. */
static struct strm_thr *all_threads[THR_MAX + 1];

static void strm_thr_free(void *p)
{
        struct strm_thr *t = p;

        __atomic_store_n(&all_threads[thr_self->id], NULL, __ATOMIC_RELEASE);
        slab_fini(&t->slab);
        mem_put(t->line, t->line_size);
        mem_put(t, t->size);
}

__attribute__((constructor)) static void strm_boot(void)
{
        strm_local = thr_local_index(strm_thr_free);
}

static struct strm_thr *mine(void)
{
        struct strm_thr *t = thr_self->local[strm_local];

        if (unlikely(!t)) {
                size_t size;
                t = mem_get(sizeof(*t), &size);
                ASSERT(t != NULL);
                t->size = size;
                slab_init(&t->slab, "strm", sizeof(struct strm), 0);
                list_init(&t->all);
                t->line = NULL;
                t->line_size = 0;
                t->next = (uint64_t)thr_self->id << 48;
                thr_self->local[strm_local] = t;
                __atomic_store_n(&all_threads[thr_self->id], t, __ATOMIC_RELEASE);
        }
        return t;
}

struct list *strm_all(void)
{
        return &mine()->all;
}

uint64_t strm_count(void)
{
        uint64_t n = 0;

        for (unsigned i = 0; i <= THR_MAX; i++) {
                struct strm_thr *t = __atomic_load_n(&all_threads[i], __ATOMIC_ACQUIRE);
                if (t)
                        n += __atomic_load_n(&t->slab.used, __ATOMIC_RELAXED);
        }
        return n;
}

char *strm_line_get(size_t n, size_t *ret_size)
{
        struct strm_thr *t = mine();
        char *p = t->line;

        if (unlikely(n > t->line_size))
                return mem_get(n, ret_size);
        *ret_size = t->line_size;
        t->line = NULL;
        t->line_size = 0;
        return p;
}

static void line_put(struct strm_thr *t, char *p, size_t size)
{
        if (ASAN_ON || t->line || size > MEM_MIN) {
                mem_put(p, size);
                return;
        }
        t->line = p;
        t->line_size = size;
}

/* ---- counters ---- */

static inline void add_bytes(struct px_stat *st, uint32_t in, uint32_t out, uint32_t rsp)
{
        STAT_ADD(st->bytes_in, in);
        STAT_ADD(st->bytes_out, out);
        STAT_ADD(st->res_in, rsp);
}

static void count_bytes(struct strm *s)
{
        uint32_t in = (uint32_t)s->cl.rx_bytes - s->counted_in, out = (uint32_t)s->cl.tx_bytes - s->counted_out;
        uint32_t rsp = (uint32_t)s->sv.rx_bytes - s->log.counted_rsp;

        add_bytes(strm_front_stat(s), in, out, rsp);
        if (strm_back_stat(s))
                add_bytes(strm_back_stat(s), in, out, rsp);
        if (strm_srv_stat(s))
                add_bytes(strm_srv_stat(s), in, out, rsp);
        s->counted_in += in;
        s->counted_out += out;
        s->log.counted_rsp += rsp;
        if (track_any(s)) /* last, so that it costs who tracks nothing no more than the question */
                track_bytes(s, in, rsp);
}

/* Only at the end: a count of what was counted before would cost each idle session its bytes. */
static void count_sent(struct strm *s)
{
        STAT_ADD(strm_front_stat(s)->req_out, s->sv.tx_bytes);
        if (strm_back_stat(s))
                STAT_ADD(strm_back_stat(s)->req_out, s->sv.tx_bytes);
        if (strm_srv_stat(s))
                STAT_ADD(strm_srv_stat(s)->req_out, s->sv.tx_bytes);
}

/* Once a stream, at its end, as HAProxy does: what is counted is what the client got. */
static void count_status(struct strm *s)
{
        int class = s->status >= 100 && s->status < 600 ? s->status / 100 - 1 : 5;
        struct px_stat *b = strm_back_stat(s), *v = strm_srv_stat(s);

        if (!s->http || !s->status)
                return;
        STAT_INC(strm_front_stat(s)->rsp[class]);
        if (b)
                STAT_INC(b->rsp[class]);
        if (v && s->rsp_seen)
                STAT_INC(v->rsp[class]);
}

void strm_count_client_abort(struct strm *s)
{
        struct px_stat *st[3] = { strm_front_stat(s), strm_back_stat(s), strm_srv_stat(s) };

        for (int i = 0; i < 3; i++)
                if (st[i])
                        STAT_INC(st[i]->cli_abort);
}

void strm_count_bad_request(struct strm *s)
{
        if (track_any(s))
                track_request(s);
        STAT_INC(strm_front_stat(s)->err_req);
        STAT_INC(strm_front_stat(s)->req_tot);
        s->counted_req = true;
        rate_event(&s->front->req_rate, &strm_front_stat(s)->req_rate);
}

static void count_times(struct strm *s)
{
        const struct strm_times *t = &s->t;
        mono_t from = s->http ? t->request : t->accept;
        uint64_t tw, tc, tr, tt;

        if (!t->connected)
                return;
        tw = t->queued && from ? (uint64_t)mono_ms_between(from, t->queued) : 0;
        tc = (uint64_t)mono_ms_between(t->queued, t->connected);
        tr = t->response ? (uint64_t)mono_ms_between(t->connected, t->response) : 0;
        tt = (uint64_t)mono_ms_between(t->accept, t->end);
        if (s->st_back)
                px_stat_times(s->st_back, tw, tc, tr, tt);
        if (s->st_srv)
                px_stat_times(s->st_srv, tw, tc, tr, tt);
}

static inline uint64_t us_between(mono_t from, mono_t to)
{
        return to > from ? (to - from) / 1000 : 0;
}

static inline void put_both(struct hist_set *b, struct hist_set *v, enum hist_kind k, uint64_t us)
{
        unsigned i = hist_index(us);

        hist_put(&b->h[k], i, us);
        if (likely(v != NULL))
                hist_put(&v->h[k], i, us);
}

/* Once for each request that the frontend counted, and for each that entered the backend: so the buckets sum to their counters. */
static void count_hist(struct strm *s)
{
        const struct strm_times *t = &s->t;
        uint64_t us = us_between(s->http ? t->idle_end : t->accept, t->end);
        struct hist_set *b, *v;

        if (s->st_front && (!s->http || s->counted_req) && (b = hist_of(s->st_front)) != NULL)
                hist_put(&b->h[HIST_TOTAL], hist_index(us), us);
        if (!s->counted_back || !s->st_back || (b = hist_of(s->st_back)) == NULL)
                return;
        v = s->st_srv ? hist_of(s->st_srv) : NULL;
        put_both(b, v, HIST_TOTAL, us);
        if (t->queued)
                put_both(b, v, HIST_QUEUE, us_between(s->http ? t->request : t->accept, t->queued));
        if (t->connected)
                put_both(b, v, HIST_CONNECT, us_between(t->queued, t->connected));
        if (t->response)
                put_both(b, v, HIST_RESPONSE, us_between(t->connected, t->response));
}

/* Manual 8.4. Each timer is -1 when its phase was not reached. */
void strm_ms(const struct strm *s, struct strm_ms *ret_t)
{
        const struct strm_times *t = &s->t;
        mono_t end = t->end ? t->end : thr_self->now, from = s->http ? t->request : t->accept, idle_end = t->idle_end;
        struct strm_ms m = { .th = 0, .ti = -1, .tr_req = -1, .tw = -1, .tc = -1, .tr = -1, .td = -1 };

        if (s->http && s->first && s->cl.rx_bytes == 0)
                idle_end = t->accept; /* not a byte came: all of it was waiting for the request */
        m.ti = mono_ms_between(t->accept, idle_end);
        if (s->http)
                m.tr_req = t->request ? mono_ms_between(idle_end, t->request) : -1;
        if (t->queued && from)
                m.tw = mono_ms_between(from, t->queued);
        if (t->connected)
                m.tc = mono_ms_between(t->queued, t->connected);
        if (t->response)
                m.tr = mono_ms_between(t->connected, t->response);
        m.ta = mono_ms_between(idle_end, end);
        m.tt = mono_ms_between(t->accept, end);
        if (t->response || (!s->http && t->connected))
                m.td = mono_ms_between(s->http ? t->response : t->connected, end);
        *ret_t = m;
}

/* ---- life ---- */

static void strm_run(struct strm *s);

static void run_task(struct ev_task *t)
{
        strm_run(container_of(t, struct strm, task));
}

static void on_timer(struct timer *t)
{
        struct strm *s = container_of(t, struct strm, timer);

        if (s->deadline != MONO_NEVER && thr_self->now >= s->deadline)
                strm_on_deadline(s);
        strm_run(s);
}

struct strm *strm_new(struct sess *ss, struct front *fe, struct front_cfg *cfg, bool http)
{
        struct strm_thr *t = mine();
        struct strm *s = slab_get(&t->slab);

        if (!s)
                return NULL;
        s->magic = STRM_MAGIC;
        s->http = http;
        s->step = http ? STRM_HEAD : STRM_ROUTE;
        s->term[0] = s->term[1] = '-';
        s->sess = ss;
        s->first = ss->n_req == 0;
        s->has_more = ss->more != NULL;
        s->front = fe;
        s->fcfg = cfg;
        s->st_front = &((struct front_col *)cell_col(&fe->cell))->st;
        pin(&cfg->pins);
        s->id = ++t->next;
        s->deadline = MONO_NEVER;
        s->cl_active = s->sv_active = thr_self->now;
        s->t.accept = ss->idle_since;
        s->t.idle_end = thr_self->now;
        if (!http)
                s->t.request = thr_self->now;
        s->log.wall_us = thr_self->wall_us - (int64_t)((thr_self->now - s->t.accept) / 1000);
        s->log.req_wall_us = thr_self->wall_us;
        task_init(&s->task, run_task);
        timer_init(&s->timer, on_timer);
        list_init(&s->srv_link);
        list_push(&t->all, &s->link);
        if (s->first) { /* a frontend's sessions are its connections (management.txt 9.1, stot) */
                STAT_INC(s->st_front->sess_tot);
                rate_event(&fe->sess_rate, &s->st_front->sess_rate);
        }
        if (!http)
                log_point(s, cfg->log, LOG_ON_ACCEPT);
        return s;
}

static void bury(struct grave *g)
{
        struct strm *s = container_of(g, struct strm, grave);

        slab_put(&mine()->slab, s);
}

void strm_drop_server(struct strm *s, bool clean)
{
        if (s->sv.ops)
                s->sv.ops->end(&s->sv, clean);
        s->sc = NULL;
        list_del(&s->srv_link);
        if (s->has_slot) {
                s->has_slot = false;
                slot_release(s->srv);
        }
        if (s->srv) {
                unpin(&s->srv->pins);
                s->srv = NULL;
                s->st_srv = NULL;
        }
}

static bool sides_clean(const struct strm *s)
{
        return (s->cl.flags & SIDE_RX_DONE) && (s->cl.flags & SIDE_TX_DONE) &&
               !((s->cl.flags | s->sv.flags) & SIDE_RESET);
}

static void finish(struct strm *s)
{
        bool clean = sides_clean(s);

        if (s->sv.flags & SIDE_RESET)
                s->cl.flags |= SIDE_TX_CUT;
        if (s->cl.flags & (SIDE_RESET | SIDE_PEER_GONE))
                s->sv.flags |= SIDE_TX_CUT;
        queue_leave(s);
        if (s->cl.ops)
                s->cl.ops->rx_head_free(&s->cl);
        s->t.end = thr_self->now;
        if (s->http && applet_name(s))
                strm_term(s, 'L', 'R'); /* manual 8.5: answered here */
        count_bytes(s);
        count_sent(s);
        count_times(s);
        count_hist(s);
        count_status(s);
        if (s->back && s->counted_back)
                atomic_fetch_sub_explicit(&s->back->cur, 1, memory_order_relaxed);
        if (!s->no_log && !s->logged)
                event_publish(EVENT_STREAM_END, s);
        if (track_any(s))
                track_end(s);
        strm_drop_server(s, clean && (s->sv.flags & SIDE_RX_DONE) && (s->sv.flags & SIDE_TX_DONE));
        if (s->cl.ops)
                s->cl.ops->end(&s->cl, clean);
        for (int i = 0; i < 2; i++)
                if (s->pipe[i])
                        pipe_put(s->pipe[i]);
        if (s->log.request)
                line_put(mine(), s->log.request, s->log.request_size);
        strm_untie(s);
        expr_state_fini(s);
        if (s->bcfg)
                unpin(&s->bcfg->pins);
        unpin(&s->fcfg->pins);
        timer_stop(thr_self->loop, &s->timer);
        task_cancel(&s->task);
        list_del(&s->link);
        s->magic = 0;
        loop_bury(thr_self->loop, &s->grave, bury);
}

/* ---- hooks that wait ---- */

bool strm_waited(struct strm *s, int ms)
{
        struct expr_state *e = expr_state_of(s);
        mono_t *until = e ? expr_until(e) : NULL;

        if (!until)
                return true;
        if (*until == 0)
                *until = mono_add_ms(thr_self->now, ms);
        return thr_self->now >= *until;
}

bool strm_waits(const struct strm *s)
{
        return s->vars && *expr_until(s->vars) != 0;
}

void strm_wait_done(struct strm *s)
{
        if (s->vars)
                *expr_until(s->vars) = 0;
}

mono_t strm_wait_until(const struct strm *s)
{
        mono_t until = s->vars ? *expr_until(s->vars) : 0;

        return until > thr_self->now ? until : MONO_NEVER;
}

/* ---- driving ---- */

enum run strm_goto(struct strm *s, enum strm_step step)
{
        s->step = (uint8_t)step;
        return RUN_NEXT;
}

void strm_term(struct strm *s, char cause, char phase)
{
        if (s->term[0] != '-')
                return;
        s->term[0] = cause;
        s->term[1] = phase;
}

bool strm_client_left(const struct strm *s)
{
        if (s->cl.flags & (SIDE_RESET | SIDE_PEER_GONE))
                return true;
        return s->bcfg && (s->bcfg->abortonclose || (s->bcfg->px->options & OPT_ABORTONCLOSE)) && s->cl.ops->gone &&
               s->cl.ops->gone(&s->cl);
}

void strm_abort(struct strm *s, char cause, char phase)
{
        strm_term(s, cause, phase);
        strm_goto(s, STRM_END);
}

/* Some timer fires at the deadline or before. That of the session, which a keep-alive connection has going anyway, spares most
 * exchanges one of their own. */
static bool watched(const struct strm *s)
{
        if (timer_active(&s->timer))
                return s->timer.when <= s->deadline;
        return sess_looks_at(s->sess, &s->cl, s->deadline);
}

void strm_look(struct strm *s)
{
        if (s->deadline != MONO_NEVER && !watched(s))
                timer_start(thr_self->loop, &s->timer, s->deadline);
}

static void wait_for_events(struct strm *s)
{
        if (s->cl.ops) {
                s->cl.ops->rx_park(&s->cl);
                s->cl.ops->want(&s->cl);
        }
        if (s->sv.ops) {
                s->sv.ops->rx_park(&s->sv);
                s->sv.ops->want(&s->sv);
        }
        if ((uint32_t)(s->cl.rx_bytes + s->cl.tx_bytes) - s->counted_in - s->counted_out > 65536)
                count_bytes(s); /* long sessions show up in the counters while they live; one turn moves a few MiB */
        if (s->step == STRM_XFER)
                strm_xfer_deadline(s);
        if (s->deadline != MONO_NEVER && !watched(s))
                timer_start(thr_self->loop, &s->timer, s->deadline);
}

hot_path static enum run step(struct strm *s)
{
        switch ((enum strm_step)s->step) {
        case STRM_HEAD: return strm_step_head(s);
        case STRM_ROUTE: return strm_step_route(s);
        case STRM_SERVER: return strm_step_server(s);
        case STRM_QUEUED: return strm_step_queued(s);
        case STRM_CONNECT: return strm_step_connect(s);
        case STRM_RETRY: return strm_step_retry(s);
        case STRM_XFER: return strm_step_xfer(s);
        case STRM_ANSWER: return strm_step_answer(s);
        case STRM_END:
        case STRM_STEPS: break;
        }
        return RUN_WAIT;
}

hot_path static void strm_run(struct strm *s)
{
        ASSERT(s->magic == STRM_MAGIC);
        if (s->running) {
                s->again = true;
                return;
        }
        s->running = true;
        do {
                s->again = false;
                while (s->step != STRM_END && step(s) == RUN_NEXT)
                        ;
        } while (s->again && s->step != STRM_END);
        s->running = false;
        if (s->step == STRM_END)
                finish(s);
        else
                wait_for_events(s);
}

void strm_ready(struct strm *s)
{
        strm_run(s);
}

void strm_wake(struct strm *s)
{
        loop_post(thr_self->loop, &s->task);
}

void strm_shutdown(struct strm *s, char cause)
{
        strm_term(s, cause, s->step == STRM_XFER ? 'D' : 'C');
        strm_goto(s, STRM_END);
        strm_wake(s);
}
