/* base/arena.h - memory that lives and dies together (one loaded configuration, one request's copies).
 *
 * Ownership: everything handed out belongs to the arena and goes with arena_fini().
 * Threads: one at a time.  Errors: configuration-sized allocations abort when memory is gone (ADR 0002); callers that
 * serve traffic use slabs (base/slab.h), which fail softly. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena_block;

struct arena {
        struct arena_block *head;
        size_t used, cap; /* of the head block */
        size_t total;     /* bytes asked from malloc so far */
};

#define ARENA_INIT                                                                                                     \
        {                                                                                                              \
                NULL, 0, 0, 0                                                                                          \
        }

void *arena_alloc(struct arena *a, size_t n); /* zeroed, aligned to 16 */
void *arena_memdup(struct arena *a, const void *p, size_t n);
char *arena_strdup(struct arena *a, struct str s); /* NUL added */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void arena_fini(struct arena *a); /* frees all; the arena may be used again */

#endif
