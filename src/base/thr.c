/* base/thr.c - threads' own data. */
#include "base/thr.h"
#include "base/assert.h"

#include <stdlib.h>
#include <sys/mman.h>

_Thread_local struct thr *thr_self;

static unsigned count = 1;
static unsigned locals;
static void (*local_fini[THR_LOCALS])(void *);

unsigned thr_count(void)
{
        return count;
}

void thr_set_count(unsigned n)
{
        ASSERT(n >= 1 && n <= THR_MAX);
        count = n;
}

unsigned thr_local_index(void (*fini)(void *local))
{
        ASSERT(locals < THR_LOCALS);
        local_fini[locals] = fini;
        return locals++;
}

struct thr *thr_new(unsigned id, const struct sys_ops *sys, size_t rx_size)
{
        struct thr *t = calloc(1, sizeof(*t));
        void *rx;

        if (!t)
                return NULL;
        /* Mapped, not malloc'ed: pages that no receive reached are never backed by memory. */
        rx = mmap(NULL, rx_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (rx == MAP_FAILED) {
                free(t);
                return NULL;
        }
        t->id = id;
        t->sys = sys;
        t->rx = rx;
        t->rx_size = rx_size;
        t->now = sys->mono();
        t->wall_us = sys->wall_us();
        return t;
}

void thr_free(struct thr *t)
{
        struct thr *was = thr_self;

        if (!t)
                return;
        thr_self = t;
        for (unsigned i = 0; i < locals; i++) {
                if (t->local[i] && local_fini[i])
                        local_fini[i](t->local[i]);
        }
        thr_self = was == t ? NULL : was;
        (void)munmap(t->rx, t->rx_size);
        free(t);
}
