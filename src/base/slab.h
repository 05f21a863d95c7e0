/* base/slab.h - objects of one size, per thread, with a limit.
 *
 * Traffic-sized allocations come from here and fail softly (NULL): shed load, count it. Under ASan every object is its
 * own malloc, so that use after free is seen.
 * Threads: one owner thread; an object is freed by the thread that allocated it (post it home otherwise). */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include "base/list.h"

#include <stddef.h>
#include <stdint.h>

#define SLAB_PAGE (64u * 1024)

/* What the slabs of one name and size hold on all threads, and what the large buffers of mem_get() hold ("buffers", size 0). */
struct pool_sum {
        const char *name;
        size_t size;
        uint64_t used, used_bytes, bytes, failed;
        unsigned users; /* slabs */
};
unsigned pool_sums(struct pool_sum *v, unsigned max); /* how many were filled; any thread, a moment's view */

struct slab {
        const char *name;
        size_t size;                       /* of one object, rounded up to 16 */
        uint64_t used, peak, made, failed; /* out now, most ever out, carved now, refused */
        uint64_t limit;                    /* objects; 0 = none */
        uint64_t bytes;                    /* of its pages */
        /* private */
        struct list room, full; /* pages with and without an object to give */
        uint32_t per_page;
        uint32_t empty; /* pages in `room` without an object out */
};

void slab_init(struct slab *s, const char *name, size_t size, uint64_t limit);
void *slab_get(struct slab *s);       /* zeroed, aligned to 16, or NULL (limit, no memory) */
void *slab_get_dirty(struct slab *s); /* not zeroed */
void slab_put(struct slab *s, void *p);
struct slab *slab_of(const void *p); /* whose object it is; not under ASan */
void slab_trim(struct slab *s);      /* gives the kept pages without an object out back */
void slab_fini(struct slab *s);      /* everything was put back before (ASan reports what was not) */

/* Variable-sized private buffers (parked bytes) of power-of-two classes. mem_get() returns at least n bytes, not zeroed,
 * and stores the real size; NULL when memory is gone or n is more than MEM_MAX. Small ones come from slabs, so a burst
 * of them leaves nothing behind; large ones are kept on per-thread free lists of bounded length. A buffer may be put by
 * another thread than the one that got it. */
#define MEM_MIN 256u
#define MEM_MAX (256u * 1024)

void *mem_get(size_t n, size_t *ret_size);
void mem_put(void *p, size_t size);   /* the size that mem_get() stored; NULL is fine */
void mem_sum(struct pool_sum *ret_s); /* of the large classes: the small ones are slabs */
void mem_trim(void);                  /* gives what the calling thread keeps for its next buffers back */

#endif
