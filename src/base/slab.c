/* base/slab.c - see the header. Pages are never returned before slab_fini(): a load that came once comes again. */
#include "base/slab.h"
#include "base/asan.h"

#include <stdlib.h>
#include <string.h>

struct page {
        struct page *next;
        char pad[56]; /* objects start on a cache line */
};

void slab_init(struct slab *s, const char *name, size_t size, uint64_t limit)
{
        *s = (struct slab){ .name = name, .size = (size + 15) & ~(size_t)15, .limit = limit };
        ASSERT(s->size >= sizeof(void *));
}

static bool add_page(struct slab *s)
{
        size_t room = s->size > SLAB_PAGE - sizeof(struct page) ? s->size : SLAB_PAGE - sizeof(struct page);
        struct page *p = aligned_alloc(64, (sizeof(*p) + room + 63) & ~(size_t)63);

        if (!p)
                return false;
        p->next = s->pages;
        s->pages = p;
        s->fresh = (char *)(p + 1);
        s->fresh_end = s->fresh + room / s->size * s->size;
        return true;
}

static void *carve(struct slab *s)
{
        void *p = s->free;

        if (p) {
                memcpy(&s->free, p, sizeof(void *));
                return p;
        }
        if (s->fresh == s->fresh_end && !add_page(s))
                return NULL;
        p = s->fresh;
        s->fresh += s->size;
        s->made++;
        return p;
}

void *slab_get(struct slab *s)
{
        void *p = NULL;

        if (likely(s->limit == 0 || s->used < s->limit))
                p = ASAN_ON ? malloc(s->size) : carve(s);
        if (unlikely(!p)) {
                s->failed++;
                return NULL;
        }
        if (++s->used > s->peak)
                s->peak = s->used;
        return memset(p, 0, s->size);
}

void slab_put(struct slab *s, void *p)
{
        if (!p)
                return;
        ASSERT(s->used > 0);
        s->used--;
        if (ASAN_ON) {
                free(p);
                return;
        }
        memcpy(p, &s->free, sizeof(void *));
        s->free = p;
}

void slab_fini(struct slab *s)
{
        for (struct page *p = s->pages, *next; p; p = next) {
                next = p->next;
                free(p);
        }
        s->pages = s->free = NULL;
        s->fresh = s->fresh_end = NULL;
        s->used = 0;
}
