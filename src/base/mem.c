/* base/mem.c - power-of-two buffers (contract in base/slab.h).
 *
 * Classes of up to 4 KiB are slabs: heads and parked bytes come in bursts of thousands, and of a heap in which they lie
 * mixed with what stays nothing would ever go back to the kernel. Larger ones are few: malloc with a short free list.
 * A small buffer that another thread puts is chained to its owner's `remote` stack; the owner takes all of them, with
 * one exchange, before it asks the kernel for a page. */
#include "base/asan.h"
#include "base/slab.h"
#include "base/thr.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CLASSES    11            /* 256 B << 10 = 256 KiB */
#define SMALL      5             /* of these in slabs: to 4 KiB */
#define KEEP_BYTES (1024 * 1024) /* of one class on one thread: a burst's worth, not its peak */
#define KEEP_MOST  256

struct lists {
        struct slab slab[SMALL];
        void *free[CLASSES]; /* of the large classes */
        unsigned n[CLASSES];
        uint64_t large_out, failed; /* bytes lent less bytes put here (below 0 is fine on one thread); refused */
        _Atomic(void *) remote;     /* put by others: release pairs with the owner's acquire */
};

static unsigned local;
static struct lists *all[THR_MAX + 1]; /* of the threads, for mem_sum() */

/* Who has no thread (loader, tests) shares one set. */
static struct lists nobodys;
static pthread_mutex_t nobodys_lock = PTHREAD_MUTEX_INITIALIZER;

static void lists_init(struct lists *l)
{
        for (unsigned c = 0; c < SMALL; c++)
                slab_init(&l->slab[c], "mem", (size_t)MEM_MIN << c, 0);
}

static void take_remote(struct lists *l)
{
        void *next;

        if (likely(!atomic_load_explicit(&l->remote, memory_order_relaxed)))
                return;
        for (void *p = atomic_exchange_explicit(&l->remote, NULL, memory_order_acquire); p; p = next) {
                memcpy(&next, p, sizeof(next));
                slab_put(slab_of(p), p);
        }
}

static void give_remote(struct lists *l, void *p)
{
        void *head = atomic_load_explicit(&l->remote, memory_order_relaxed);

        do {
                memcpy(p, &head, sizeof(head));
        } while (!atomic_compare_exchange_weak_explicit(&l->remote, &head, p, memory_order_release,
                                                        memory_order_relaxed));
}

static void lists_trim(struct lists *l)
{
        take_remote(l);
        for (unsigned c = 0; c < SMALL; c++)
                slab_trim(&l->slab[c]);
        for (unsigned c = SMALL; c < CLASSES; c++) {
                for (void *p = l->free[c], *next; p; p = next) {
                        memcpy(&next, p, sizeof(next));
                        free(p);
                }
                l->free[c] = NULL;
                l->n[c] = 0;
        }
}

/* What is still out belongs to others: its pages, and the place where they put it, stay. */
static void lists_free(void *p)
{
        struct lists *l = p;
        uint64_t out = 0;

        lists_trim(l);
        for (unsigned c = 0; c < SMALL; c++)
                out += l->slab[c].used;
        for (unsigned i = 0; i <= THR_MAX; i++)
                if (all[i] == l)
                        __atomic_store_n(&all[i], NULL, __ATOMIC_RELEASE);
        if (out > 0)
                return;
        for (unsigned c = 0; c < SMALL; c++)
                slab_fini(&l->slab[c]);
        free(l);
}

__attribute__((constructor)) static void reserve(void)
{
        local = thr_local_index(lists_free);
        lists_init(&nobodys);
}

static unsigned class_of(size_t n)
{
        return n <= MEM_MIN ? 0 : 64 - (unsigned)__builtin_clzll((unsigned long long)n - 1) - 8;
}

static unsigned keep_of(unsigned c)
{
        unsigned n = KEEP_BYTES / (MEM_MIN << c);

        return n > KEEP_MOST ? KEEP_MOST : n;
}

/* NULL: no thread, or no memory for the lists. */
static struct lists *own_lists(void)
{
        struct lists *l;

        if (!thr_self)
                return NULL;
        l = thr_self->local[local];
        if (unlikely(!l)) {
                l = thr_self->local[local] = calloc(1, sizeof(*l));
                if (l)
                        lists_init(l);
                __atomic_store_n(&all[thr_self->id], l, __ATOMIC_RELEASE);
        }
        return l;
}

static void *small_get(struct lists *l, unsigned c)
{
        struct slab *s = &l->slab[c];

        if (unlikely(list_empty(&s->room)))
                take_remote(l);
        return slab_get_dirty(s);
}

static void *nobodys_get(unsigned c)
{
        void *p;

        pthread_mutex_lock(&nobodys_lock);
        p = small_get(&nobodys, c);
        pthread_mutex_unlock(&nobodys_lock);
        return p;
}

static void *large_get(struct lists *l, unsigned c)
{
        void *p = l ? l->free[c] : NULL;

        if (l)
                l->large_out += (uint64_t)MEM_MIN << c;
        if (!p)
                return malloc((size_t)MEM_MIN << c);
        memcpy(&l->free[c], p, sizeof(void *));
        l->n[c]--;
        return p;
}

void *mem_get(size_t n, size_t *ret_size)
{
        struct lists *l = own_lists();
        unsigned c;
        void *p;

        if (n > MEM_MAX)
                return NULL;
        c = class_of(n);
        if (ASAN_ON)
                p = malloc((size_t)MEM_MIN << c);
        else if (c >= SMALL)
                p = large_get(l, c);
        else
                p = l ? small_get(l, c) : nobodys_get(c);
        if (p)
                *ret_size = (size_t)MEM_MIN << c;
        else if (l)
                l->failed++;
        return p;
}

static void small_put(struct lists *l, unsigned c, void *p)
{
        struct slab *s = slab_of(p);

        if (likely(l && s == &l->slab[c]))
                slab_put(s, p);
        else
                give_remote(container_of(s - c, struct lists, slab[0]), p);
}

static void large_put(struct lists *l, unsigned c, void *p)
{
        if (l)
                l->large_out -= (uint64_t)MEM_MIN << c;
        if (!l || l->n[c] >= keep_of(c)) {
                free(p);
                return;
        }
        memcpy(p, &l->free[c], sizeof(void *));
        l->free[c] = p;
        l->n[c]++;
}

void mem_put(void *p, size_t size)
{
        struct lists *l = own_lists();
        unsigned c;

        if (!p)
                return;
        c = class_of(size);
        ASSERT(size == (size_t)MEM_MIN << c && c < CLASSES);
        if (ASAN_ON)
                free(p);
        else if (c >= SMALL)
                large_put(l, c, p);
        else
                small_put(l, c, p);
}

void mem_sum(struct pool_sum *ret_s)
{
        struct pool_sum s = { .name = "buffers" };

        for (unsigned i = 0; i <= THR_MAX; i++) {
                const struct lists *l = __atomic_load_n(&all[i], __ATOMIC_ACQUIRE);

                if (!l)
                        continue;
                s.users++;
                s.used_bytes += __atomic_load_n(&l->large_out, __ATOMIC_RELAXED);
                s.failed += __atomic_load_n(&l->failed, __ATOMIC_RELAXED);
                for (unsigned c = SMALL; c < CLASSES; c++)
                        s.bytes += (uint64_t)__atomic_load_n(&l->n[c], __ATOMIC_RELAXED) * (MEM_MIN << c);
        }
        s.bytes += s.used_bytes;
        *ret_s = s;
}

void mem_trim(void)
{
        struct lists *l = thr_self ? thr_self->local[local] : NULL;

        if (l)
                lists_trim(l);
}
