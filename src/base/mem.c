/* base/mem.c - per-thread free lists of power-of-two buffers (contract in base/slab.h). */
#include "base/asan.h"
#include "base/slab.h"
#include "base/thr.h"

#include <stdlib.h>
#include <string.h>

#define CLASSES    11            /* 256 B << 10 = 256 KiB */
#define KEEP_BYTES (1024 * 1024) /* of one class on one thread: a burst's worth, not its peak */
#define KEEP_MOST  256

struct lists {
        void *free[CLASSES];
        unsigned n[CLASSES];
};

static unsigned local;

static void lists_trim(struct lists *l)
{
        for (int c = 0; c < CLASSES; c++) {
                for (void *p = l->free[c], *next; p; p = next) {
                        memcpy(&next, p, sizeof(next));
                        free(p);
                }
                l->free[c] = NULL;
                l->n[c] = 0;
        }
}

static void lists_free(void *p)
{
        lists_trim(p);
        free(p);
}

__attribute__((constructor)) static void reserve(void)
{
        local = thr_local_index(lists_free);
}

static int class_of(size_t n)
{
        return n <= MEM_MIN ? 0 : 64 - __builtin_clzll((unsigned long long)n - 1) - 8;
}

static unsigned keep_of(int c)
{
        unsigned n = KEEP_BYTES / (MEM_MIN << c);

        return n > KEEP_MOST ? KEEP_MOST : n;
}

/* NULL: no thread (loader, tests), instrumented build, or no memory for the lists. Then malloc serves as it is. */
static struct lists *own_lists(void)
{
        if (ASAN_ON || !thr_self)
                return NULL;
        if (!thr_self->local[local])
                thr_self->local[local] = calloc(1, sizeof(struct lists));
        return thr_self->local[local];
}

void *mem_get(size_t n, size_t *ret_size)
{
        struct lists *l = own_lists();
        void *p;
        int c;

        if (n > MEM_MAX)
                return NULL;
        c = class_of(n);
        p = l ? l->free[c] : NULL;
        if (p) {
                memcpy(&l->free[c], p, sizeof(void *));
                l->n[c]--;
        } else {
                p = malloc((size_t)MEM_MIN << c);
        }
        if (p)
                *ret_size = (size_t)MEM_MIN << c;
        return p;
}

void mem_put(void *p, size_t size)
{
        struct lists *l = own_lists();
        int c;

        if (!p)
                return;
        c = class_of(size);
        ASSERT(size == (size_t)MEM_MIN << c && c < CLASSES);
        if (!l || l->n[c] >= keep_of(c)) {
                free(p);
                return;
        }
        memcpy(p, &l->free[c], sizeof(void *));
        l->free[c] = p;
        l->n[c]++;
}

void mem_trim(void)
{
        struct lists *l = thr_self ? thr_self->local[local] : NULL;

        if (l)
                lists_trim(l);
}
