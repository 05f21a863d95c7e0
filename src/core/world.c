/* core/world.c - all cells of this process, and finding them by name.
 *
 * Frontends and backends are looked up by any thread inside an epoch: two immutable maps behind one pointer, replaced when a name comes
 * or goes. Servers of a large backend are looked up by commands only (slow path), in a map under a mutex that is made when the first one
 * asks, so that adding one to a hundred thousand costs one insertion, and a start none. */
#include "core/inner.h"

#include "base/map.h"

#include <stdlib.h>

#define SMALL_BACK 16u /* servers; a smaller backend is searched one by one */

struct world world = { .fronts = LIST_INIT(world.fronts), .backs = LIST_INIT(world.backs) };

struct names {
        struct map fronts, backs;
        struct world_px *px;
        size_t n_px;
        struct pins pins; /* only to be freed after an epoch */
};

static _Atomic(struct names *) names;
static pthread_mutex_t server_names_lock = PTHREAD_MUTEX_INITIALIZER;

static void names_free(struct pins *p)
{
        struct names *n = container_of(p, struct names, pins);

        map_fini(&n->fronts);
        map_fini(&n->backs);
        free(n->px);
        free(n);
}

static void put(struct map *m, const char *name, void *v)
{
        map_set(m, str_of(name), v);
}

static int by_iid(const void *a, const void *b)
{
        const struct world_px *x = a, *y = b;

        if (x->iid != y->iid)
                return x->iid < y->iid ? -1 : 1;
        return (x->front == NULL) - (y->front == NULL);
}

/* Both sides of a `listen` section become one entry. */
static void join_sides(struct names *n)
{
        size_t to = 0;

        qsort(n->px, n->n_px, sizeof(*n->px), by_iid);
        for (size_t i = 0; i < n->n_px; i++) {
                if (to > 0 && n->px[to - 1].iid == n->px[i].iid && !n->px[to - 1].back)
                        n->px[to - 1].back = n->px[i].back;
                else
                        n->px[to++] = n->px[i];
        }
        n->n_px = to;
}

static void list_proxies(struct names *n)
{
        size_t all = 0;

        list_for_each (i, &world.fronts)
                all++;
        list_for_each (i, &world.backs)
                all++;
        n->px = calloc(all + 1, sizeof(*n->px));
        ASSERT(n->px != NULL);
        list_for_each (i, &world.fronts) {
                struct front *f = list_item(i, struct front, link);
                n->px[n->n_px++] = (struct world_px){ f->iid, f, NULL };
        }
        list_for_each (i, &world.backs) {
                struct back *b = list_item(i, struct back, link);
                n->px[n->n_px++] = (struct world_px){ b->iid, NULL, b };
        }
        join_sides(n);
}

const struct world_px *world_proxies(size_t *ret_n)
{
        const struct names *n = epoch_load(&names);

        *ret_n = n ? n->n_px : 0;
        return n ? n->px : NULL;
}

void world_names_publish(void)
{
        struct names *n = calloc(1, sizeof(*n)), *old = epoch_load(&names);

        ASSERT(n != NULL);
        list_proxies(n);
        list_for_each (i, &world.fronts) {
                struct front *f = list_item(i, struct front, link);
                put(&n->fronts, f->cell.name, f);
        }
        list_for_each (i, &world.backs) {
                struct back *b = list_item(i, struct back, link);
                put(&n->backs, b->cell.name, b);
        }
        pins_init(&n->pins, names_free);
        epoch_publish(&names, n);
        if (old)
                pins_retire(&old->pins);
}

void world_names_forget(void)
{
        struct names *old = epoch_load(&names);

        epoch_publish(&names, NULL);
        if (old)
                pins_retire(&old->pins);
}

struct front *front_find(struct str name)
{
        struct names *n = epoch_load(&names);

        return n ? map_get(&n->fronts, name) : NULL;
}

struct back *back_find(struct str name)
{
        struct names *n = epoch_load(&names);

        return n ? map_get(&n->backs, name) : NULL;
}

static struct server *scan(struct back *b, struct str name)
{
        for (uint32_t i = 0; i < b->n_srv; i++)
                if (str_is(name, b->srv[i]->cell.name))
                        return b->srv[i];
        return NULL;
}

static struct server *look_up(struct back *b, struct str name)
{
        if (!b->names.used)
                for (uint32_t i = 0; i < b->n_srv; i++)
                        put(&b->names, b->srv[i]->cell.name, b->srv[i]);
        return map_get(&b->names, name);
}

struct server *server_find(struct back *b, struct str name)
{
        struct server *s;

        pthread_mutex_lock(&server_names_lock);
        s = b->n_srv > SMALL_BACK ? look_up(b, name) : scan(b, name);
        pthread_mutex_unlock(&server_names_lock);
        return s;
}

/* A map is brought up to date by what changed, so that one server more or less costs two look-ups a server of the reload, no rebuild. */
static void names_follow(struct back *b, struct server **old, uint32_t n_old)
{
        for (uint32_t i = 0; i < n_old && b->names.used; i++) {
                uint32_t p = old[i]->pos;

                if (p >= b->n_srv || b->srv[p] != old[i])
                        map_del(&b->names, str_of(old[i]->cell.name));
        }
        if (b->n_srv <= SMALL_BACK) {
                map_fini(&b->names);
                return;
        }
        for (uint32_t i = 0; i < b->n_srv && b->names.used; i++)
                if (map_get(&b->names, str_of(b->srv[i]->cell.name)) != b->srv[i])
                        put(&b->names, b->srv[i]->cell.name, b->srv[i]);
}

void world_servers_replace(struct back *b, struct server **v, uint32_t n, struct server ***ret_old)
{
        uint32_t n_old = b->n_srv;

        pthread_mutex_lock(&server_names_lock);
        *ret_old = b->srv;
        for (uint32_t i = 0; i < n_old; i++)
                b->srv[i]->pos = UINT32_MAX;
        for (uint32_t i = 0; i < n; i++)
                v[i]->pos = i;
        if (n < n_old)
                __atomic_store_n(&b->n_srv, n, __ATOMIC_RELEASE);
        __atomic_store_n(&b->srv, v, __ATOMIC_RELEASE);
        __atomic_store_n(&b->n_srv, n, __ATOMIC_RELEASE);
        names_follow(b, *ret_old, n_old);
        pthread_mutex_unlock(&server_names_lock);
}
