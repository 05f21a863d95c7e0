/* base/map.c - linear probing with backward-shift deletion. */
#include "base/map.h"

#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>

static uint64_t map_seed;

__attribute__((constructor)) static void seed_init(void)
{
        if (getrandom(&map_seed, sizeof(map_seed), 0) != (ssize_t)sizeof(map_seed))
                map_seed = (uint64_t)(uintptr_t)&map_seed; /* address randomness: better than none */
}

uint64_t map_hash(struct str key)
{
        return XXH3_64bits_withSeed(key.p, key.n, map_seed);
}

static size_t find(const struct map *m, struct str key, uint64_t h)
{
        size_t i = h & (m->cap - 1);

        while (m->e[i].key.p && !(m->e[i].hash == h && str_eq(m->e[i].key, key)))
                i = (i + 1) & (m->cap - 1);
        return i;
}

void *map_get(const struct map *m, struct str key)
{
        return m->used ? m->e[find(m, key, map_hash(key))].value : NULL;
}

static bool grow(struct map *m)
{
        struct map old = *m;

        m->cap = old.cap ? old.cap * 2 : 16;
        m->e = calloc(m->cap, sizeof(*m->e));
        if (!m->e) {
                *m = old;
                return false;
        }
        for (size_t i = 0; i < old.cap; i++)
                if (old.e[i].key.p)
                        m->e[find(m, old.e[i].key, old.e[i].hash)] = old.e[i];
        free(old.e);
        return true;
}

struct map_entry *map_at(struct map *m, struct str key, bool *ret_is_new)
{
        uint64_t h = map_hash(key);
        bool ok = m->used * 4 < m->cap * 3 || grow(m);
        struct map_entry *e;

        ASSERT(ok && key.p != NULL);
        e = &m->e[find(m, key, h)];
        *ret_is_new = !e->key.p;
        if (!e->key.p) {
                m->used++;
                *e = (struct map_entry){ key, NULL, h };
        }
        return e;
}

bool map_put(struct map *m, struct str key, void *value)
{
        uint64_t h = map_hash(key);
        size_t i;

        ASSERT(key.p != NULL);
        if (m->used * 4 >= m->cap * 3 && !grow(m))
                return false;
        i = find(m, key, h);
        if (!m->e[i].key.p)
                m->used++;
        m->e[i] = (struct map_entry){ key, value, h };
        return true;
}

void *map_del(struct map *m, struct str key)
{
        size_t i, j, mask = m->cap - 1;
        void *v;

        if (!m->used)
                return NULL;
        i = find(m, key, map_hash(key));
        if (!m->e[i].key.p)
                return NULL;
        v = m->e[i].value;
        for (j = (i + 1) & mask; m->e[j].key.p; j = (j + 1) & mask) {
                size_t home = m->e[j].hash & mask;
                if (((j - home) & mask) >= ((j - i) & mask)) { /* may move back without passing its home */
                        m->e[i] = m->e[j];
                        i = j;
                }
        }
        m->e[i] = (struct map_entry){ .key = { NULL, 0 } };
        m->used--;
        return v;
}

/* One large use must not make all small ones after it pay. */
void map_clear(struct map *m)
{
        if (m->cap > 64 && m->used * 8 < m->cap) {
                map_fini(m);
                return;
        }
        if (m->cap)
                memset(m->e, 0, m->cap * sizeof(*m->e));
        m->used = 0;
}

void map_fini(struct map *m)
{
        free(m->e);
        *m = (struct map)MAP_INIT;
}

struct map_entry *map_next(const struct map *m, size_t *pos)
{
        while (*pos < m->cap)
                if (m->e[(*pos)++].key.p)
                        return &m->e[*pos - 1];
        return NULL;
}
