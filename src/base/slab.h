/* base/slab.h - objects of one size, per thread, with a limit.
 *
 * Traffic-sized allocations come from here and fail softly (NULL): shed load, count it. Under ASan every object is its own
 * malloc, so that use after free is seen.
 * Threads: one owner thread; an object is freed by the thread that allocated it (post it home otherwise). */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include "base/list.h"

#include <stddef.h>
#include <stdint.h>

struct slab {
        const char *name;
        size_t size; /* of one object, rounded up to 16 */
        void *free;  /* chain of free objects */
        void *pages; /* chain of pages, for slab_fini() */
        uint64_t used, peak, made, failed;
        uint64_t limit; /* objects; 0 = none */
};

void slab_init(struct slab *s, const char *name, size_t size, uint64_t limit);
void *slab_get(struct slab *s); /* zeroed, or NULL */
void slab_put(struct slab *s, void *p);
void slab_fini(struct slab *s);

/* Variable-sized private buffers (parked bytes) of power-of-two classes 256 B .. 256 KiB, kept on per-thread free lists of
 * bounded length. mem_get() returns at least n bytes and stores the real size; NULL when memory is gone or n is too large. */
void *mem_get(size_t n, size_t *ret_size);
void mem_put(void *p, size_t size);
void mem_trim(void); /* gives the calling thread's free lists back */

#endif
