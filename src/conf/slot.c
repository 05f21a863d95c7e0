/* conf/slot.c - settings structs: copy on the first write, one copy of equals.
 *
 * While an object is being filled, its edited slots are private; bit 0 of the pointer says so. When the line (nested
 * objects) or the section ends, slot_settle() looks each one up by its bytes: an equal one is used instead and the copy
 * goes to a free list, so 100,000 server lines need one spare struct, not 100,000. Most edits change nothing (a check of
 * the whole load that only reads), and that is seen without a look-up. Tables of what each object has alone (an address)
 * are not looked up: a hundred thousand entries that nothing ever equals are nothing but cache misses. */
#include "conf/conf_int.h"

#include <stdlib.h>

static struct slot *slot_of_bytes(const void *bytes)
{
        return (struct slot *)((uintptr_t)bytes - sizeof(struct slot));
}

static void *bytes_of(struct slot *s)
{
        return s + 1;
}

static bool is_private(const void *p)
{
        return ((uintptr_t)p & 1) != 0;
}

static void *clean(const void *p)
{
        return (void *)((uintptr_t)p & ~(uintptr_t)1);
}

static struct slot *slot_new(struct conf *c, int table, const void *content)
{
        struct slot_pool *pool = &c->priv->pools[table];
        size_t size = kw_engine.tables[table]->size;
        struct slot *s = pool->free;

        if (s)
                pool->free = s->next_free;
        else
                s = arena_alloc(&c->priv->mem, sizeof(*s) + size);
        *s = (struct slot){ .dump_hash = 0 };
        if (content)
                memcpy(bytes_of(s), content, size);
        else
                memset(bytes_of(s), 0, size);
        return s;
}

static void slot_free(struct slot_pool *pool, struct slot *s)
{
        s->next_free = pool->free;
        pool->free = s;
}

static const void *share(struct conf *c, int table, void *bytes)
{
        struct slot_pool *pool = &c->priv->pools[table];
        struct str key = { bytes, kw_engine.tables[table]->size };
        struct slot *s = slot_of_bytes(bytes), *same = map_get(&pool->set, key);
        bool ok;

        if (same) {
                slot_free(pool, s);
                return bytes_of(same);
        }
        ok = map_put(&pool->set, key, s);
        ASSERT(ok);
        pool->count++;
        return bytes;
}

void slot_pools_init(struct conf *c)
{
        size_t n = kw_engine.n_tables;

        c->priv->pools = arena_alloc(&c->priv->mem, (n + 1) * sizeof(*c->priv->pools));
        for (size_t t = 0; t < n; t++)
                if (kw_engine.tables[t]->size)
                        c->priv->pools[t].initial =
                                share(c, (int)t, bytes_of(slot_new(c, (int)t, kw_engine.tables[t]->defaults)));
}

void slot_pools_fini(struct conf *c)
{
        for (size_t t = 0; t < kw_engine.n_tables; t++)
                map_fini(&c->priv->pools[t].set);
        free(c->priv->edits);
        c->priv->edits = NULL;
}

const void *slot_at(const struct conf_obj *o, int place)
{
        return clean(o->slots[place]);
}

void slot_inherit(struct conf *c, struct conf_obj *o, const struct conf_obj *from)
{
        struct kind_rt *k = kind_rt_of(o->kind), *fk = from ? kind_rt_of(from->kind) : NULL;

        for (size_t i = 0; i < k->n_slots; i++) {
                int table = k->table_of[i], place = fk ? fk->slot_of[table] : -1;

                o->slots[i] = place >= 0 ? from->slots[place] : c->priv->pools[table].initial;
        }
}

const void *conf_slot(const struct conf_obj *o, int table)
{
        int place = table >= 0 ? kind_rt_of(o->kind)->slot_of[table] : -1;

        return place >= 0 ? clean(o->slots[place]) : NULL;
}

static void note_edit(struct conf_priv *p, struct conf_obj *o, int place, const void *was)
{
        if (p->n_edits == p->cap_edits) {
                size_t cap = p->cap_edits ? p->cap_edits * 2 : 32;
                struct edit *e = realloc(p->edits, cap * sizeof(*e));

                ASSERT(e != NULL);
                p->edits = e;
                p->cap_edits = cap;
        }
        p->edits[p->n_edits++] = (struct edit){ o, place, was };
}

void *conf_slot_edit(struct conf *c, struct conf_obj *o, int table)
{
        int place = table >= 0 ? kind_rt_of(o->kind)->slot_of[table] : -1;

        ASSERT(c->diags != NULL); /* a loaded configuration is immutable */
        if (place < 0)
                return NULL;
        if (!is_private(o->slots[place])) {
                const void *was = o->slots[place];
                void *bytes = bytes_of(slot_new(c, table, was));

                o->slots[place] = (const void *)((uintptr_t)bytes | 1);
                note_edit(c->priv, o, place, was);
        }
        return clean(o->slots[place]);
}

static bool is_open(const struct conf_obj *o, const struct conf_obj *innermost)
{
        while (innermost && innermost != o)
                innermost = innermost->parent;
        return innermost != NULL;
}

static const void *settled(struct conf *c, const struct edit *e)
{
        int table = kind_rt_of(e->o->kind)->table_of[e->slot];
        void *bytes = clean(e->o->slots[e->slot]);

        if (memcmp(bytes, e->was, kw_engine.tables[table]->size) == 0) {
                slot_free(&c->priv->pools[table], slot_of_bytes(bytes));
                return e->was;
        }
        if (!kw_engine.tables[table]->own)
                return share(c, table, bytes);
        c->priv->pools[table].count++;
        return bytes;
}

void slot_settle(struct conf *c, const struct conf_obj *but)
{
        struct conf_priv *p = c->priv;
        size_t kept = 0;

        for (size_t i = 0; i < p->n_edits; i++) {
                struct edit *e = &p->edits[i];

                if (is_open(e->o, but))
                        p->edits[kept++] = *e;
                else
                        e->o->slots[e->slot] = settled(c, e);
        }
        p->n_edits = kept;
}

size_t conf_n_slots(const struct conf *c, int table)
{
        return table >= 0 ? c->priv->pools[table].count : 0;
}
