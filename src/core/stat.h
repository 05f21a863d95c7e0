/* core/stat.h - counters of cells: one column per thread, summed by whoever shows them.
 *
 * Writers: the column's thread, plain adds through STAT_ADD (relaxed atomics, no lock prefix). Readers: any thread, any time; a sum
 * is a moment's view, each counter by itself exact. */
#ifndef CORE_STAT_H
#define CORE_STAT_H

#include "core/cell.h"

#include <stdatomic.h>

typedef _Atomic uint64_t stat_t;

#define STAT_ADD(f, v)                                                                                                 \
        atomic_store_explicit(&(f), atomic_load_explicit(&(f), memory_order_relaxed) + (uint64_t)(v),                  \
                              memory_order_relaxed)
#define STAT_INC(f) STAT_ADD(f, 1)

/* Events per second. The column counts the current second and feeds the cell's shared ring: one by one at low rates, in batches of 32 at
 * high ones, so a rate lacks at most 31 events a thread. */
struct rate_col {
        uint32_t sec, n;
};
struct rate {
        _Atomic uint64_t cell[4]; /* (second << 32 | count) of the last seconds */
        _Atomic uint32_t max;
};
#define RATE_EXACT 64u
#define RATE_BATCH 32u
void rate_event_send(struct rate *r, struct rate_col *c, uint32_t sec); /* slow path of rate_event() */
uint32_t rate_now(const struct rate *r, mono_t now);                    /* events in the second before `now` */
uint32_t rate_max(const struct rate *r);
static inline void rate_event(struct rate *r, struct rate_col *c)
{
        uint32_t sec = (uint32_t)(thr_self->now / NS_PER_S);

        if (likely(sec == c->sec && c->n >= RATE_EXACT && (c->n + 1) % RATE_BATCH))
                c->n++;
        else
                rate_event_send(r, c, sec);
}

/* A limit of events per second, exact at any number of threads: after `limit` events at once, one each second/limit. */
struct rate_gate {
        _Atomic uint32_t limit; /* 0: none */
        _Atomic int64_t next;   /* mono_t; when the bucket is empty again, a second ahead when it is full */
};
int rate_take(struct rate_gate *g, mono_t now); /* 0: taken; else milliseconds until the next one may be */
void rate_untake(struct rate_gate *g);          /* what was taken did not happen */

/* One struct for frontends, backends and servers: the CSV names (management.txt 9.1) say which apply to which. */
struct px_stat {
        stat_t conn_tot;            /* connections accepted (frontends) or opened (servers, backends: `connect`) */
        stat_t sess_tot;            /* stot */
        stat_t req_tot;             /* HTTP requests (frontends, backends, servers) */
        stat_t bytes_in, bytes_out; /* of the client: received, sent (reqbin, resbout) */
        stat_t req_out, res_in;     /* of the server or applet: sent, received (reqbout, resbin) */
        stat_t denied_req, denied_resp, denied_conn, denied_sess;
        stat_t err_req, err_conn, err_resp;
        stat_t retries, redispatches;
        stat_t rsp[6]; /* 1xx .. 5xx, other */
        stat_t cli_abort, srv_abort;
        stat_t lbtot, reuse, connect;
        stat_t failed_rewrites;
        stat_t intercepted; /* answered by an applet or a rule */
        stat_t idle_conn;   /* of this thread's pool: a gauge */
        stat_t used_conn;   /* a gauge */
        stat_t times_n; /* exchanges in the four sums, about the last 1024 (manual 9.1): each average is sum / times_n */
        stat_t qtime, ctime, rtime, ttime;
        stat_t qtime_max, ctime_max, rtime_max, ttime_max;
        struct rate_col sess_rate, conn_rate, req_rate;
        struct hist_set *_Atomic hist; /* core/hist.h; NULL: nothing ended yet */
        stat_t last_sess;              /* mono_t of the last session */
};

/* Sums all threads' columns of a cell whose column starts with a struct px_stat. Averages come out as sum / n. */
struct px_sum {
        uint64_t conn_tot, sess_tot, req_tot, bytes_in, bytes_out, req_out, res_in;
        uint64_t denied_req, denied_resp, denied_conn, denied_sess;
        uint64_t err_req, err_conn, err_resp, retries, redispatches, rsp[6], cli_abort, srv_abort, lbtot, reuse,
                connect;
        uint64_t failed_rewrites, intercepted, idle_conn, used_conn;
        uint64_t qtime, ctime, rtime, ttime, qtime_max, ctime_max, rtime_max, ttime_max;
        uint64_t last_sess;
};
void px_stat_sum(const struct cell *c, struct px_sum *ret_s);
void px_stat_times(struct px_stat *st, uint64_t tw, uint64_t tc, uint64_t tr, uint64_t tt); /* milliseconds */

#endif
