/* net/pipe.c - see the header. */
#include "net/pipe.h"
#include "base/slab.h"
#include "base/thr.h"

#include <stdatomic.h>
#include <stdlib.h>

#define WANT_BYTES (256u * 1024)
#define KEEP_MOST  64 /* idle pipes of one thread: two fds and up to 256 KiB of the user's quota each */

struct pool {
        struct pipe *free;
        unsigned n_free, used;
};

static unsigned local;
static _Atomic unsigned limit;
static _Atomic size_t asked;                           /* 0: WANT_BYTES */
static _Atomic uint64_t all_used, all_free, all_moved; /* a splice moves much: one shared line is cheap */

#define COUNT(f, n) ((void)atomic_fetch_add_explicit(&(f), (uint64_t)(n), memory_order_relaxed))

static void pipe_destroy(struct pipe *p)
{
        thr_self->sys->close(p->rd);
        thr_self->sys->close(p->wr);
        free(p);
}

static void pool_free(void *v)
{
        struct pool *pool = v;

        for (struct pipe *p = pool->free, *next; p; p = next) {
                next = p->next;
                COUNT(all_free, -1);
                pipe_destroy(p);
        }
        free(pool);
}

__attribute__((constructor)) static void reserve(void)
{
        local = thr_local_index(pool_free);
}

static struct pool *own_pool(void)
{
        if (!thr_self->local[local])
                thr_self->local[local] = calloc(1, sizeof(struct pool));
        return thr_self->local[local];
}

static size_t wanted(void)
{
        size_t n = atomic_load_explicit(&asked, memory_order_relaxed);

        return n ? n : WANT_BYTES;
}

static bool may_have(const struct pool *pool)
{
        unsigned n = atomic_load_explicit(&limit, memory_order_relaxed);

        return n == 0 || (n != PIPE_NONE && pool->used < n);
}

static struct pipe *make(void)
{
        struct pipe *p = calloc(1, sizeof(*p));
        int fds[2], size;

        if (!p)
                return NULL;
        size = thr_self->sys->pipe(fds, (unsigned)wanted());
        if (size < 0) {
                free(p);
                return NULL;
        }
        p->rd = fds[0];
        p->wr = fds[1];
        p->size = (size_t)size;
        return p;
}

struct pipe *pipe_get(void)
{
        struct pool *pool = own_pool();
        struct pipe *p;

        if (!pool || !may_have(pool))
                return NULL;
        p = pool->free;
        if (p) {
                pool->free = p->next;
                pool->n_free--;
                COUNT(all_free, -1);
        } else {
                p = make();
        }
        if (!p)
                return NULL;
        p->next = NULL;
        pool->used++;
        COUNT(all_used, 1);
        return p;
}

void pipe_put(struct pipe *p)
{
        struct pool *pool = own_pool();

        if (!p)
                return;
        ASSERT(pool && pool->used > 0);
        pool->used--;
        COUNT(all_used, -1);
        /* A small one is not kept: the next may get the large size again. */
        if (p->fill > 0 || p->size < wanted() || pool->n_free >= KEEP_MOST) {
                pipe_destroy(p);
                return;
        }
        p->next = pool->free;
        pool->free = p;
        pool->n_free++;
        COUNT(all_free, 1);
}

struct pipe_totals pipe_totals(void)
{
        return (struct pipe_totals){ .used = atomic_load_explicit(&all_used, memory_order_relaxed),
                                     .free = atomic_load_explicit(&all_free, memory_order_relaxed),
                                     .moved = atomic_load_explicit(&all_moved, memory_order_relaxed),
                                     .limit = limit == PIPE_NONE ? 0 : limit };
}

void pipe_moved(size_t n)
{
        COUNT(all_moved, n);
}

void pipe_set_limit(unsigned per_thread)
{
        atomic_store_explicit(&limit, per_thread, memory_order_relaxed);
}

void pipe_set_size(size_t n)
{
        atomic_store_explicit(&asked, n, memory_order_relaxed);
}

unsigned pipe_used(void)
{
        struct pool *pool = own_pool();

        return pool ? pool->used : 0;
}

unsigned pipe_free_count(void)
{
        struct pool *pool = own_pool();

        return pool ? pool->n_free : 0;
}
