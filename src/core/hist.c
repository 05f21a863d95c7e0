/* core/hist.c - see hist.h. */
#include "core/hist.h"

#include <pthread.h>
#include <stdlib.h>

static struct {
        pthread_mutex_t lock;
        struct hist_set *all, *free; /* `all` keeps them reachable: they live as long as the process */
} sets = { PTHREAD_MUTEX_INITIALIZER, NULL, NULL };

static void clear(struct hist_set *s)
{
        for (unsigned k = 0; k < HIST_KINDS; k++) {
                for (unsigned i = 0; i < HIST_BUCKETS; i++)
                        atomic_store_explicit(&s->h[k].n[i], 0, memory_order_relaxed);
                atomic_store_explicit(&s->h[k].sum_us, 0, memory_order_relaxed);
        }
}

struct hist_set *hist_make(struct px_stat *st)
{
        struct hist_set *s;

        pthread_mutex_lock(&sets.lock);
        s = sets.free;
        if (s) {
                sets.free = s->next_free;
                clear(s);
        } else if ((s = calloc(1, sizeof(*s))) != NULL) {
                s->next = sets.all;
                sets.all = s;
        }
        pthread_mutex_unlock(&sets.lock);
        atomic_store_explicit(&st->hist, s, memory_order_release); /* partner: hist_sum() */
        return s;
}

uint64_t hist_bound_us(unsigned index)
{
        uint64_t octave = (uint64_t)HIST_FIRST_US << (index / 2);

        return index % 2 ? octave + octave / 2 : octave;
}

void hist_sum(const struct cell *c, enum hist_kind k, struct hist_total *ret_t)
{
        struct hist_total t = { 0 };

        for (unsigned i = 0; i <= thr_count(); i++) {
                const struct px_stat *st = cell_col_peek(c, i);
                const struct hist_set *s = st ? atomic_load_explicit(&st->hist, memory_order_acquire) : NULL;

                if (!s)
                        continue;
                for (unsigned b = 0; b < HIST_BUCKETS; b++)
                        t.n[b] += atomic_load_explicit(&s->h[k].n[b], memory_order_relaxed);
                t.sum_us += atomic_load_explicit(&s->h[k].sum_us, memory_order_relaxed);
        }
        *ret_t = t;
}

void hist_clear(struct px_stat *st)
{
        struct hist_set *s = atomic_load_explicit(&st->hist, memory_order_relaxed);

        if (s)
                clear(s);
}

void hist_release(const struct cell *c)
{
        for (unsigned i = 0; i <= thr_count(); i++) {
                struct px_stat *st = (struct px_stat *)(uintptr_t)cell_col_peek(c, i);
                struct hist_set *s = st ? atomic_exchange(&st->hist, NULL) : NULL;

                if (!s)
                        continue;
                pthread_mutex_lock(&sets.lock);
                s->next_free = sets.free;
                sets.free = s;
                pthread_mutex_unlock(&sets.lock);
        }
}
