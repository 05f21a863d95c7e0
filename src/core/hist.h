/* core/hist.h - how long things took: log-linear histograms of frontends, backends and servers, a column a thread.
 *
 * Two buckets an octave from 64 us to 67 s: a value is known to 50 %. A set is made when the first request of its (thread, cell) ends,
 * so what serves nothing costs nothing; it is kept for the slot's next owner when the cell goes.
 * Threads: hist_put by the column's thread, hist_sum by any; a sum is a moment's view, each counter by itself exact.
 * Errors: without memory for a set its requests are not counted. */
#ifndef CORE_HIST_H
#define CORE_HIST_H

#include "core/stat.h"

#define HIST_FIRST_US 64u
#define HIST_BUCKETS  42u /* the last one has no upper bound */

enum hist_kind { HIST_TOTAL, HIST_QUEUE, HIST_CONNECT, HIST_RESPONSE, HIST_KINDS };

struct hist {
        stat_t n[HIST_BUCKETS];
        stat_t sum_us;
};

struct hist_set {
        struct hist h[HIST_KINDS];
        /* private */
        struct hist_set *next, *next_free;
};

struct hist_set *hist_make(struct px_stat *st); /* slow path of hist_of(); NULL: out of memory */

static inline struct hist_set *hist_of(struct px_stat *st)
{
        struct hist_set *h = atomic_load_explicit(&st->hist, memory_order_relaxed); /* this thread made it */

        return likely(h != NULL) ? h : hist_make(st);
}

static inline unsigned hist_index(uint64_t us)
{
        unsigned e;

        if (us < HIST_FIRST_US)
                return 0;
        e = 63u ^ (unsigned)__builtin_clzll(us);
        e = 2 * e - 11 + (unsigned)(us >> (e - 1) & 1); /* 64 us, where e is 6, begins bucket 1 */
        return e < HIST_BUCKETS ? e : HIST_BUCKETS - 1;
}

static inline void hist_put(struct hist *h, unsigned index, uint64_t us)
{
        STAT_INC(h->n[index]);
        STAT_ADD(h->sum_us, us);
}

uint64_t hist_bound_us(unsigned index); /* values of the bucket are below it; not for the last one */

struct hist_total {
        uint64_t n[HIST_BUCKETS], sum_us;
};
/* All threads' columns of a cell whose column starts with a struct px_stat. */
void hist_sum(const struct cell *c, enum hist_kind k, struct hist_total *ret_t);
void hist_clear(struct px_stat *st);     /* the column's thread */
void hist_release(const struct cell *c); /* before cell_fini() */

#endif
