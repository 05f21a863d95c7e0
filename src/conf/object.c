/* conf/object.c - objects, names, places. */
#include "conf/conf_int.h"

/* What names are looked up by; the same two fields stand first in each object. Compared as bytes: no padding. */
struct obj_key {
        const struct conf_kind *kind;
        const char *name; /* interned */
};

_Static_assert(offsetof(struct conf_obj, kind) == offsetof(struct obj_key, kind) &&
                       offsetof(struct conf_obj, name) == offsetof(struct obj_key, name),
               "an object starts with its key");

static struct str key_of(const void *obj_or_key)
{
        return (struct str){ obj_or_key, sizeof(struct obj_key) };
}

const char *conf_intern(struct conf *c, struct str s)
{
        bool is_new;
        struct map_entry *e = map_at(&c->priv->strings, s.p ? s : STR(""), &is_new);

        if (is_new)
                e->value = (void *)(uintptr_t)(e->key.p = arena_strdup(&c->priv->mem, s));
        return e->value;
}

void *conf_alloc(struct conf *c, size_t n)
{
        return arena_alloc(&c->priv->mem, n);
}

struct conf_obj *obj_new(struct conf *c, const struct conf_kind *k, struct str name, struct span at)
{
        struct conf_obj *o = conf_alloc(c, sizeof(*o) + kind_rt_of(k)->n_slots * sizeof(o->slots[0]));

        o->kind = k;
        o->conf = c;
        o->name = conf_intern(c, name);
        o->at = at;
        o->index = c->n_objs++;
        if (c->priv->last)
                c->priv->last->next = o;
        else
                c->first = o;
        c->priv->last = o;
        if (k->section && c->priv->last_section)
                c->priv->last_section->sibling = o;
        if (k->section)
                c->priv->last_section = o;
        return o;
}

/* ---- names ----
 *
 * Sections stand in one map. Of the children only those of the section that is being read do, for as long as it is read: a
 * map of all servers of all backends would cost more than the rest of their lines. Who looks into another parent makes
 * the map of that one. */

void obj_names_init(struct conf_priv *p)
{
        pthread_mutex_init(&p->names_lock, NULL);
}

void obj_names_loaded(struct conf_priv *p)
{
        map_fini(&p->scope);
        p->scope_of = NULL;
}

void obj_names_fini(struct conf_priv *p)
{
        for (struct conf_names *n = p->names; n; n = n->next)
                map_fini(&n->by_key);
        map_fini(&p->scope);
        map_fini(&p->index);
        pthread_mutex_destroy(&p->names_lock);
}

/* The first of a name is found; whether a second is an error is the kind's business. */
static bool add_name(struct map *m, struct conf_obj *o)
{
        bool is_new;
        struct map_entry *e = map_at(m, key_of(o), &is_new);

        if (is_new)
                e->value = o;
        return is_new;
}

static void open_scope(struct conf_priv *p, const struct conf_obj *parent)
{
        map_clear(&p->scope);
        p->scope_of = parent;
        for (struct conf_obj *k = parent->child; k; k = k->sibling)
                (void)add_name(&p->scope, k);
}

static void register_child(struct conf_priv *p, struct conf_obj *parent, struct conf_obj *o)
{
        if (p->scope_of != parent)
                open_scope(p, parent);
        o->again = !add_name(&p->scope, o);
        if (parent->names)
                (void)add_name(&parent->names->by_key, o);
        parent->child_kinds |= o->kind->bit;
        if (parent->last_child)
                parent->last_child->sibling = o;
        else
                parent->child = o;
        parent->last_child = o;
}

void obj_register(struct conf *c, struct conf_obj *o)
{
        struct conf_priv *p = c->priv;

        if (o->parent)
                register_child(p, o->parent, o);
        else if (o->kind->is_defaults) /* a later one replaces the former (manual 4) */
                map_set(&p->index, key_of(o), o);
        else
                (void)add_name(&p->index, o);
}

static struct conf_obj *find(const struct conf *c, const struct map *m, kind_mask kinds, struct str name)
{
        const char *z = map_get(&c->priv->strings, name.p ? name : STR(""));

        for (; z && kinds; kinds &= kinds - 1) {
                struct obj_key key = { kw_kind(kinds & (0 - kinds)), z };
                struct conf_obj *o = map_get(m, key_of(&key));

                if (o)
                        return o;
        }
        return NULL;
}

struct conf_obj *conf_find(const struct conf *c, kind_mask kinds, struct str name)
{
        return find(c, &c->priv->index, kinds, name);
}

static struct conf_names *make_names(const struct conf_obj *parent)
{
        struct conf_priv *p = parent->conf->priv;
        struct conf_names *n = arena_alloc(&p->mem, sizeof(*n));

        for (struct conf_obj *k = parent->child; k; k = k->sibling)
                (void)add_name(&n->by_key, k);
        n->next = p->names;
        p->names = n;
        return n;
}

/* After the load any thread may be the first to ask. */
static const struct map *names_of(const struct conf_obj *parent)
{
        struct conf_priv *p = parent->conf->priv;
        struct conf_names *n = __atomic_load_n(&parent->names, __ATOMIC_ACQUIRE);

        if (n)
                return &n->by_key;
        pthread_mutex_lock(&p->names_lock);
        n = parent->names;
        if (!n) {
                n = make_names(parent);
                __atomic_store_n(&((struct conf_obj *)(uintptr_t)parent)->names, n, __ATOMIC_RELEASE);
        }
        pthread_mutex_unlock(&p->names_lock);
        return &n->by_key;
}

struct conf_obj *conf_find_child(const struct conf_obj *parent, kind_mask kinds, struct str name)
{
        const struct conf_priv *p = parent->conf->priv;

        kinds &= parent->child_kinds;
        if (!kinds)
                return NULL;
        return find(parent->conf, p->scope_of == parent ? &p->scope : names_of(parent), kinds, name);
}

/* The object of `parent` (or of the defaults it came from) that a new child of kind k starts from. */
static const struct conf_obj *child_base(const struct conf_obj *parent, const struct conf_kind *k)
{
        kind_mask want = k->inherits | (k->is_defaults ? k->bit : 0);
        const struct conf_obj *base = NULL;

        for (const struct conf_obj *p = parent; p && want && !base; p = p->from)
                base = conf_find_child(p, want, STR(""));
        return base;
}

struct conf_obj *conf_add_child(struct kw_call *c, kind_mask kind, struct str name, struct span at)
{
        const struct conf_kind *k = kw_kind(kind);
        struct conf_obj *p = c->obj, *o;
        const struct conf_obj *base;

        ASSERT(k != NULL && !k->section);
        o = k->single ? conf_find_child(p, kind, STR("")) : NULL;
        if (o)
                return o; /* default-server lines add up */
        base = child_base(p, k);
        o = obj_new(c->conf, k, name, at);
        o->parent = p;
        slot_settle(c->conf, p);
        slot_inherit(c->conf, o, base);
        o->from = base;
        obj_register(c->conf, o);
        return o;
}

void obj_note(struct conf *c, struct conf_obj *o, const struct kw *kw, struct span at, struct span arg)
{
        uint32_t n = o->n_stmts;

        if (n == 0 || (n >= 4 && (n & (n - 1)) == 0)) { /* full: capacities are 4, 8, 16 ... */
                size_t cap = n ? (size_t)n * 2 : 4;
                struct conf_stmt *s = arena_alloc(&c->priv->spans, cap * sizeof(*s));

                if (n)
                        memcpy(s, o->stmts, n * sizeof(*s));
                o->stmts = s;
        }
        o->stmts[o->n_stmts++] = (struct conf_stmt){ kw, at, arg };
}

struct span conf_span(const struct conf_obj *o, const struct kw *kw)
{
        for (uint32_t i = o->stmts ? o->n_stmts : 0; i-- > 0;)
                if (o->stmts[i].kw == kw)
                        return o->stmts[i].at;
        return o->at;
}

struct span conf_span_name(const struct conf_obj *o, const char *kw_name)
{
        for (uint32_t i = o->stmts ? o->n_stmts : 0; i-- > 0;)
                if (strcmp(o->stmts[i].kw->name, kw_name) == 0)
                        return o->stmts[i].at;
        return o->at;
}
