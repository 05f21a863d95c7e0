/* core/lb_rank.c - leastconn and first: the servers of a backend in order, the next one on top of a heap.
 *
 * leastconn (manual): by sessions that it serves or that wait for it, in proportion to its weight; the one whose load moved longest ago
 * first among equals, so idle servers take turns. What one more session would make of it is compared, and an idle server goes before any
 * other: so HAProxy 2.6 orders them. first: by id. A full server stands behind all others.
 * Threads: one spinlock a backend, 51 / 143 ns with 1 / 2 threads (mechanisms.md b); taking a place and moving its server are one step
 * under it, so no two threads see the same top. */
#include "core/lb_int.h"

#include <stdlib.h>

struct seat {
        uint64_t key, since;
        struct server *srv;
};

struct lb_rank {
        pthread_spinlock_t lock;
        bool by_id; /* first */
        uint32_t n, cap;
        uint64_t clock; /* of moves */
        struct seat *heap;
};

#define FULL ((uint64_t)1 << 63)

/* ---- the heap ---- */

static bool is_before(const struct seat *a, const struct seat *b)
{
        return a->key != b->key ? a->key < b->key : a->since < b->since;
}

static void sit(struct lb_rank *r, uint32_t i, struct seat s)
{
        r->heap[i] = s;
        s.srv->lb_seat = i + 1;
}

static void settle(struct lb_rank *r, uint32_t i, struct seat s)
{
        while (i > 0 && is_before(&s, &r->heap[(i - 1) / 2])) {
                sit(r, i, r->heap[(i - 1) / 2]);
                i = (i - 1) / 2;
        }
        for (uint32_t child; (child = 2 * i + 1) < r->n; i = child) {
                if (child + 1 < r->n && is_before(&r->heap[child + 1], &r->heap[child]))
                        child++;
                if (!is_before(&r->heap[child], &s))
                        break;
                sit(r, i, r->heap[child]);
        }
        sit(r, i, s);
}

static uint64_t key_of(const struct lb_rank *r, const struct server *s)
{
        uint64_t cur = atomic_load_explicit(&s->cur, memory_order_relaxed), load = cur + queue_length(s->queue);
        uint32_t max = atomic_load_explicit(&s->maxconn, memory_order_relaxed);
        uint32_t w = server_lb_weight(s);
        uint64_t full = max && cur >= max ? FULL : 0;

        if (r->by_id)
                return full | (uint32_t)s->puid;
        return full | (load ? (load + 1) * SRV_WEIGHT_MAX * SRV_WEIGHT_SCALE / (w ? w : 1) : 0);
}

static void enter(struct lb_rank *r, struct server *s)
{
        if (r->n == r->cap) {
                r->cap = r->cap ? r->cap * 2 : 16;
                r->heap = realloc(r->heap, r->cap * sizeof(r->heap[0]));
                ASSERT(r->heap != NULL); /* ADR 0002: made of the configuration */
        }
        r->n++;
        settle(r, r->n - 1, (struct seat){ key_of(r, s), ++r->clock, s });
}

static void leave(struct lb_rank *r, struct server *s)
{
        uint32_t i = s->lb_seat - 1;
        struct seat last = r->heap[--r->n];

        s->lb_seat = 0;
        if (i < r->n)
                settle(r, i, last);
}

static void moved(struct lb_rank *r, struct server *s)
{
        if (s->lb_seat)
                settle(r, s->lb_seat - 1, (struct seat){ key_of(r, s), ++r->clock, s });
}

void lb_loaded_slow(struct server *s)
{
        struct lb_rank *r = s->back->rank;

        (void)pthread_spin_lock(&r->lock);
        moved(r, s);
        (void)pthread_spin_unlock(&r->lock);
}

/* ---- the state: only says that the backend is ranked; the order itself lives as long as the backend ---- */

static struct lb_rank *rank_new(void)
{
        struct lb_rank *r = calloc(1, sizeof(*r));

        ASSERT(r != NULL);
        (void)pthread_spin_init(&r->lock, PTHREAD_PROCESS_PRIVATE); /* cannot fail on Linux */
        return r;
}

void lb_rank_free(struct lb_rank *r)
{
        if (!r)
                return;
        (void)pthread_spin_destroy(&r->lock);
        free(r->heap);
        free(r);
}

void lb_rank_clear(struct back *b)
{
        struct lb_rank *r = b->rank;

        if (!r)
                return;
        (void)pthread_spin_lock(&r->lock);
        while (r->n)
                leave(r, r->heap[r->n - 1].srv);
        (void)pthread_spin_unlock(&r->lock);
}

static struct lb_state *make(struct back *b, const struct lb_cfg *cfg, const struct lb_view *v)
{
        struct lb_state *st = calloc(1, sizeof(*st));
        struct lb_rank *r;

        ASSERT(st != NULL);
        *st = (struct lb_state){ &lb_rank, cfg, v->backup };
        if (!b->rank)
                __atomic_store_n(&b->rank, rank_new(), __ATOMIC_RELEASE); /* for good */
        lb_rank_clear(b);
        r = b->rank;
        (void)pthread_spin_lock(&r->lock);
        r->by_id = cfg->kind == BAL_FIRST;
        for (uint32_t i = 0; i < b->n_srv; i++)
                if (lb_serves(v, b->srv[i]))
                        enter(r, b->srv[i]);
        (void)pthread_spin_unlock(&r->lock);
        return st;
}

static bool change(struct lb_state *st, struct back *b, const struct lb_view *v, struct server *s)
{
        struct lb_rank *r = b->rank;
        bool want = lb_serves(v, s);

        (void)st;
        (void)pthread_spin_lock(&r->lock);
        if (want && s->lb_seat)
                moved(r, s);
        else if (want)
                enter(r, s);
        else if (s->lb_seat)
                leave(r, s);
        (void)pthread_spin_unlock(&r->lock);
        return true;
}

/* ---- picking ---- */

#define ASIDE 8 /* that many may refuse: the one to avoid, and those whose limit is on its ramp (minconn) */

static struct server *take_top(struct lb_rank *r, const struct server *avoid)
{
        struct seat aside[ASIDE];
        struct server *got = NULL;
        unsigned n = 0;

        while (!got && n < ASIDE && r->n && !(r->heap[0].key & FULL)) {
                struct seat top = r->heap[0];

                if (top.srv != avoid && atomic_load_explicit(&top.srv->usable, memory_order_relaxed) &&
                    slot_take_quietly(top.srv)) {
                        got = top.srv;
                        moved(r, got);
                } else {
                        aside[n++] = top;
                        leave(r, top.srv);
                }
        }
        while (n > 0) {
                r->n++;
                settle(r, r->n - 1, aside[--n]);
        }
        return got;
}

static enum lb_answer take(struct lb_state *st, struct back *b, struct strm *s, const struct server *avoid,
                           struct server **ret_srv)
{
        struct lb_rank *r = b->rank;
        struct server *got;

        (void)st;
        (void)s;
        (void)pthread_spin_lock(&r->lock);
        got = take_top(r, avoid);
        (void)pthread_spin_unlock(&r->lock);
        if (!got)
                return LB_FULL;
        *ret_srv = got;
        return LB_TAKEN;
}

const struct lb_policy lb_rank = { .make = make, .change = change, .free = free, .take = take };
