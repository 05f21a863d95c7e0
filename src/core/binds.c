/* core/binds.c - which sockets a configuration wants, and what makes two of them the same. */
#include "core/binds.h"

#include "core/global.h"

#include <stdio.h>
#include <string.h>

/* The kernel's queue of connections not yet accepted: the bind line's, the frontend's, or as many as may be served (manual, backlog). */
static int backlog_of(const struct bind_cfg *b, const struct proxy_cfg *p, const struct global_cfg *g)
{
        if (b->spec.backlog)
                return b->spec.backlog;
        if (p && p->backlog)
                return p->backlog;
        if (p && p->maxconn)
                return p->maxconn;
        return g->maxconn;
}

void bind_spec(const struct bind_cfg *b, unsigned i, struct listen_spec *ret_s)
{
        *ret_s = b->spec;
        if (b->count > 1 || b->spec.at.port_low >= 0) {
                ret_s->at.port_low = ret_s->at.port_high = b->spec.at.port_low + (int)i;
                addr_set_port(&ret_s->at.addr, ret_s->at.port_low);
        }
}

static bool same_text(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_place(const struct addr_spec *a, const struct addr_spec *b)
{
        return a->family == b->family && a->abstract == b->abstract && a->inherited_fd == b->inherited_fd &&
               addr_eq(&a->addr, &b->addr) && strcmp(a->path, b->path) == 0;
}

bool bind_spec_same(const struct listen_spec *a, const struct listen_spec *b)
{
        return same_place(&a->at, &b->at) && a->v4v6 == b->v4v6 && a->v6only == b->v6only &&
               a->transparent == b->transparent && same_text(a->interface, b->interface) &&
               a->tcp_fastopen == b->tcp_fastopen && a->mss == b->mss && a->defer_accept == b->defer_accept &&
               a->tcp_ut_ms == b->tcp_ut_ms && a->unix_mode == b->unix_mode && a->unix_uid == b->unix_uid &&
               a->unix_gid == b->unix_gid;
}

bool engine_bind_same(const struct engine_bind *a, const struct engine_bind *b)
{
        return bind_spec_same(&a->spec, &b->spec);
}

static const struct proxy_cfg *proxy_of(const struct conf_obj *o)
{
        return o->kind->bit == KIND_GLOBAL ? NULL : conf_slot(o, proxy_slot);
}

static char *key_of(struct arena *mem, const struct conf_obj *owner, const struct conf_obj *o, const struct bind_cfg *b,
                    unsigned i)
{
        const char *what = owner->kind->bit == KIND_GLOBAL ? "stats socket" : "bind";
        char port[16] = "";

        if (b->count > 1)
                (void)snprintf(port, sizeof(port), " port %d", b->spec.at.port_low + (int)i);
        if (owner->kind->bit == KIND_GLOBAL)
                return arena_printf(mem, "%s %s%s", what, o->name, port);
        return arena_printf(mem, "frontend %s %s %s%s", owner->name, what, o->name, port);
}

static bool listens(const struct conf_obj *o)
{
        const struct proxy_cfg *p;

        if (!(o->kind->bit & (KIND_FE | KIND_GLOBAL)))
                return false;
        p = proxy_of(o);
        return !p || !p->disabled;
}

/* The bind lines of the sections that listen: of a hundred thousand objects in the file nearly all are servers. */
static const struct conf_obj *first_bind(const struct conf_obj *section)
{
        for (; section; section = section->sibling)
                for (const struct conf_obj *o = listens(section) ? section->child : NULL; o; o = o->sibling)
                        if (o->kind->bit & KIND_ANY_BIND)
                                return o;
        return NULL;
}

static const struct conf_obj *next_bind(const struct conf_obj *bind)
{
        for (const struct conf_obj *o = bind->sibling; o; o = o->sibling)
                if (o->kind->bit & KIND_ANY_BIND)
                        return o;
        return first_bind(bind->parent->sibling);
}

size_t engine_count_binds(const struct conf *c)
{
        size_t n = 0;

        for (const struct conf_obj *o = first_bind(c->first); o; o = next_bind(o))
                n += (size_t)((const struct bind_cfg *)conf_slot(o, bind_slot))->count;
        return n;
}

static unsigned shards_of(const struct listen_spec *s, unsigned threads)
{
        bool tcp = (s->at.family == AF_INET || s->at.family == AF_INET6) && s->at.inherited_fd < 0;

        return tcp ? threads : 1;
}

static const char *what_of(struct arena *mem, const struct conf_obj *owner)
{
        if (owner->kind->bit == KIND_GLOBAL)
                return "proxy 'GLOBAL'";
        return arena_printf(mem, "%s '%s'", owner->kind->bit == KIND_LISTEN ? "proxy" : "frontend", owner->name);
}

static void add(struct engine_binds *b, const struct conf_obj *o, unsigned port, unsigned threads)
{
        const struct bind_cfg *cfg = conf_slot(o, bind_slot);
        struct engine_bind *e = &b->v[b->n++];

        bind_spec(cfg, port, &e->spec);
        e->spec.backlog = backlog_of(cfg, proxy_of(o->parent), global_of(o->conf));
        e->spec.shards = shards_of(&e->spec, threads);
        e->key = key_of(&b->mem, o->parent, o, cfg, port);
        e->obj = o;
        e->port = port;
        e->at = o->at;
        e->what = what_of(&b->mem, o->parent);
        for (unsigned i = 0; i < LISTEN_SHARDS_MAX; i++)
                e->fds[i] = -1;
}

/* Equal lines in one frontend are two sockets; their keys must differ and be the same next time. */
static void number_equal_keys(struct engine_binds *b)
{
        struct map seen = MAP_INIT;

        for (size_t i = 0; i < b->n; i++) {
                const char *base = b->v[i].key;

                for (unsigned n = 2; map_get(&seen, str_of(b->v[i].key)); n++)
                        b->v[i].key = arena_printf(&b->mem, "%s #%u", base, n);
                map_set(&seen, str_of(b->v[i].key), &b->v[i]);
        }
        map_fini(&seen);
}

void engine_binds(const struct conf *c, unsigned threads, struct engine_binds *ret_b)
{
        struct engine_binds b = { .mem = ARENA_INIT };

        b.v = arena_alloc(&b.mem, (engine_count_binds(c) + 1) * sizeof(*b.v));
        for (const struct conf_obj *o = first_bind(c->first); o; o = next_bind(o)) {
                for (unsigned i = 0; i < (unsigned)((const struct bind_cfg *)conf_slot(o, bind_slot))->count; i++)
                        add(&b, o, i, threads);
        }
        number_equal_keys(&b);
        *ret_b = b;
}

void engine_binds_fini(struct engine_binds *b)
{
        arena_fini(&b->mem);
        b->v = NULL;
        b->n = 0;
}
