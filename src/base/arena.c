/* base/arena.c - bump allocation in growing blocks. Under ASan each allocation is its own malloc, so that an overrun
 * is seen where it happens. */
#include "base/arena.h"

#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct arena_block {
        struct arena_block *next;
        size_t pad; /* keeps what follows aligned to 16 */
};

#if defined(__SANITIZE_ADDRESS__)
static const bool own_block = true;
#else
static const bool own_block = false;
#endif
#define BLOCK_MIN 4096u
#define BLOCK_MAX (1u << 20)

static void add_block(struct arena *a, size_t n)
{
        size_t want = a->total < BLOCK_MAX ? a->total : BLOCK_MAX; /* doubles up to the maximum */
        struct arena_block *b;

        want = own_block ? n : want < BLOCK_MIN ? BLOCK_MIN : want;
        want = want < n ? n : want;
        b = calloc(1, sizeof(*b) + want);
        ASSERT(b != NULL);
        b->next = a->head;
        a->head = b;
        a->used = 0;
        a->cap = want;
        a->total += want;
}

void *arena_alloc(struct arena *a, size_t n)
{
        void *p;

        n = (n + 15) & ~(size_t)15;
        if (!a->head || a->cap - a->used < n)
                add_block(a, n);
        p = (char *)(a->head + 1) + a->used;
        a->used += n;
        return p;
}

void *arena_memdup(struct arena *a, const void *src, size_t n)
{
        void *p = arena_alloc(a, n);

        if (n)
                memcpy(p, src, n);
        return p;
}

char *arena_strdup(struct arena *a, struct str s)
{
        char *p = arena_alloc(a, s.n + 1);

        if (s.n)
                memcpy(p, s.p, s.n);
        p[s.n] = 0;
        return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
        va_list ap;
        char *p;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        ASSERT(n >= 0);
        p = arena_alloc(a, (size_t)n + 1);
        va_start(ap, fmt);
        (void)vsnprintf(p, (size_t)n + 1, fmt, ap);
        va_end(ap);
        return p;
}

void arena_fini(struct arena *a)
{
        while (a->head) {
                struct arena_block *b = a->head;
                a->head = b->next;
                free(b);
        }
        *a = (struct arena)ARENA_INIT;
}
