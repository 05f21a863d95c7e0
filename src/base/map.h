/* base/map.h - string -> pointer map, open addressing, seeded hash (a peer or a file cannot choose collisions).
 *
 * Ownership: keys are borrowed and must outlive their entry; values are never touched.
 * Threads: one writer, or many readers and no writer.  Errors: map_put() returns false when memory is gone. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/assert.h"
#include "base/str.h"

struct map_entry {
        struct str key; /* key.p == NULL: free */
        void *value;
        uint64_t hash;
};

struct map {
        struct map_entry *e;
        size_t used, cap; /* cap is a power of two or 0 */
};

#define MAP_INIT                                                                                                       \
        {                                                                                                              \
                NULL, 0, 0                                                                                             \
        }

uint64_t map_hash(struct str key);                                   /* the seeded hash, also for other tables */
void *map_get(const struct map *m, struct str key);                  /* NULL when absent */
must_check bool map_put(struct map *m, struct str key, void *value); /* replaces an equal key's value */
/* The key's entry, a new one with value NULL when it was not there; its key may be replaced by an equal one that lives longer. One
 * hash and one walk where map_get() and map_put() take two. Aborts when memory is gone (ADR 0002). */
struct map_entry *map_at(struct map *m, struct str key, bool *ret_is_new);
/* For configuration-sized maps: aborts when memory is gone (ADR 0002). */
static inline void map_set(struct map *m, struct str key, void *value)
{
        bool ok = map_put(m, key, value);

        ASSERT(ok);
}
void *map_del(struct map *m, struct str key); /* the value that was there, or NULL */
void map_clear(struct map *m);                /* empty, ready for about as many */
void map_fini(struct map *m);

/* for (size_t i = 0; (e = map_next(m, &i)) != NULL;) */
struct map_entry *map_next(const struct map *m, size_t *pos);

#endif
