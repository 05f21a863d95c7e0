/* core/stat.c - rates, averages and sums of columns. */
#include "core/stat.h"

/* ---- rates ----
 *
 * Few events go to the cell's shared ring one by one, so that a low rate is exact; from RATE_EXACT in one second on a thread sends them
 * in batches of RATE_BATCH, so that a busy cell's shared line is touched once in 32 events and the error stays below 32 a thread. */
#define AVG_SAMPLES 1024u

static void rate_flush(struct rate *r, uint32_t sec, uint32_t n)
{
        _Atomic uint64_t *slot = &r->cell[sec & 3];
        uint64_t v = atomic_load_explicit(slot, memory_order_relaxed), want;
        uint32_t max;

        do {
                if ((int32_t)((uint32_t)(v >> 32) - sec) > 0)
                        return; /* the ring is past that second: too old to show */
                want = (uint32_t)(v >> 32) == sec ? v + n : (uint64_t)sec << 32 | n;
        } while (!atomic_compare_exchange_weak_explicit(slot, &v, want, memory_order_relaxed, memory_order_relaxed));
        max = atomic_load_explicit(&r->max, memory_order_relaxed);
        while ((uint32_t)want > max &&
               !atomic_compare_exchange_weak_explicit(&r->max, &max, (uint32_t)want, memory_order_relaxed,
                                                      memory_order_relaxed))
                ;
}

void rate_event_send(struct rate *r, struct rate_col *c, uint32_t sec)
{
        if (unlikely(sec != c->sec)) {
                if (c->n >= RATE_EXACT && c->n % RATE_BATCH)
                        rate_flush(r, c->sec, c->n % RATE_BATCH);
                c->sec = sec;
                c->n = 0;
        }
        c->n++;
        if (c->n <= RATE_EXACT)
                rate_flush(r, sec, 1);
        else if (c->n % RATE_BATCH == 0)
                rate_flush(r, sec, RATE_BATCH);
}

static uint32_t rate_of(const struct rate *r, uint32_t sec)
{
        uint64_t v = atomic_load_explicit(&r->cell[sec & 3], memory_order_relaxed);

        return (uint32_t)(v >> 32) == sec ? (uint32_t)v : 0;
}

uint32_t rate_now(const struct rate *r, mono_t now)
{
        uint32_t sec = (uint32_t)(now / NS_PER_S);
        uint64_t left = NS_PER_S - now % NS_PER_S; /* of the second before, inside the window */

        return rate_of(r, sec) + (uint32_t)(rate_of(r, sec - 1) * left / NS_PER_S);
}

int rate_take(struct rate_gate *g, mono_t now)
{
        uint32_t limit = atomic_load_explicit(&g->limit, memory_order_relaxed);
        int64_t next = atomic_load_explicit(&g->next, memory_order_relaxed), after, each;

        if (likely(limit == 0))
                return 0;
        each = NS_PER_S / limit;
        do {
                after = (next > (int64_t)now ? next : (int64_t)now) + each;
                if (after > (int64_t)now + NS_PER_S)
                        return (int)((after - (int64_t)now - NS_PER_S) / NS_PER_MS) + 1;
        } while (!atomic_compare_exchange_weak_explicit(&g->next, &next, after, memory_order_relaxed,
                                                        memory_order_relaxed));
        return 0;
}

void rate_untake(struct rate_gate *g)
{
        uint32_t limit = atomic_load_explicit(&g->limit, memory_order_relaxed);

        if (limit)
                atomic_fetch_sub_explicit(&g->next, NS_PER_S / limit, memory_order_relaxed);
}

uint32_t rate_max(const struct rate *r)
{
        return atomic_load_explicit(&r->max, memory_order_relaxed);
}

/* ---- averages ---- */
#define GET(f)    atomic_load_explicit(&(f), memory_order_relaxed)
#define SET(f, v) atomic_store_explicit(&(f), (v), memory_order_relaxed)

/* A full sum forgets an average one first. */
static inline void add_time(stat_t *at, stat_t *max, uint64_t ms, bool full)
{
        uint64_t sum = GET(*at);

        SET(*at, (full ? sum - sum / AVG_SAMPLES : sum) + ms);
        if (unlikely(ms > GET(*max)))
                SET(*max, ms);
}

void px_stat_times(struct px_stat *st, uint64_t tw, uint64_t tc, uint64_t tr, uint64_t tt)
{
        uint64_t n = GET(st->times_n);
        bool full = n >= AVG_SAMPLES;

        if (!full)
                SET(st->times_n, n + 1);
        add_time(&st->qtime, &st->qtime_max, tw, full);
        add_time(&st->ctime, &st->ctime_max, tc, full);
        add_time(&st->rtime, &st->rtime_max, tr, full);
        add_time(&st->ttime, &st->ttime_max, tt, full);
}

/* ---- sums ---- */
static uint64_t later(uint64_t a, uint64_t b)
{
        return a > b ? a : b;
}

#define PX_SUMMED(X)                                                                                                   \
        X(conn_tot)                                                                                                    \
        X(sess_tot)                                                                                                    \
        X(req_tot)                                                                                                     \
        X(bytes_in)                                                                                                    \
        X(bytes_out)                                                                                                   \
        X(req_out)                                                                                                     \
        X(res_in)                                                                                                      \
        X(denied_req)                                                                                                  \
        X(denied_resp)                                                                                                 \
        X(denied_conn)                                                                                                 \
        X(denied_sess)                                                                                                 \
        X(err_req)                                                                                                     \
        X(err_conn)                                                                                                    \
        X(err_resp)                                                                                                    \
        X(retries)                                                                                                     \
        X(redispatches)                                                                                                \
        X(cli_abort)                                                                                                   \
        X(srv_abort)                                                                                                   \
        X(lbtot)                                                                                                       \
        X(reuse)                                                                                                       \
        X(connect)                                                                                                     \
        X(failed_rewrites)                                                                                             \
        X(intercepted)                                                                                                 \
        X(idle_conn)                                                                                                   \
        X(used_conn)

static void px_add(struct px_sum *s, const struct px_stat *c)
{
#define ADD(f) s->f += GET(c->f);
        PX_SUMMED(ADD)
#undef ADD
        for (unsigned i = 0; i < array_len(s->rsp); i++)
                s->rsp[i] += GET(c->rsp[i]);
        s->qtime_max = later(s->qtime_max, GET(c->qtime_max));
        s->ctime_max = later(s->ctime_max, GET(c->ctime_max));
        s->rtime_max = later(s->rtime_max, GET(c->rtime_max));
        s->ttime_max = later(s->ttime_max, GET(c->ttime_max));
        s->last_sess = later(s->last_sess, GET(c->last_sess));
}

void px_stat_sum(const struct cell *c, struct px_sum *ret_s)
{
        struct px_sum s = { 0 };
        uint64_t n = 0;

        for (unsigned t = 0; t <= thr_count(); t++) {
                const struct px_stat *col = cell_col_peek(c, t);

                if (!col)
                        continue;
                px_add(&s, col);
                n += GET(col->times_n);
                s.qtime += GET(col->qtime);
                s.ctime += GET(col->ctime);
                s.rtime += GET(col->rtime);
                s.ttime += GET(col->ttime);
        }
        n = n ? n : 1;
        s.qtime /= n;
        s.ctime /= n;
        s.rtime /= n;
        s.ttime /= n;
        *ret_s = s;
}
