/* conf/object.c - objects, names, places. */
#include "conf/conf_int.h"

/* What conf_find() looks for. Compared as bytes: no padding. */
struct obj_key {
        const struct conf_obj *parent;
        const char *name; /* interned */
        kind_mask kind;
};

const char *conf_intern(struct conf *c, struct str s)
{
        const char *z = map_get(&c->priv->strings, s.p ? s : STR(""));
        bool ok;

        if (z)
                return z;
        z = arena_strdup(&c->priv->mem, s);
        ok = map_put(&c->priv->strings, (struct str){ z, s.n }, (void *)(uintptr_t)z);
        ASSERT(ok);
        return z;
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
        return o;
}

void obj_register(struct conf *c, struct conf_obj *o)
{
        struct obj_key key = { o->parent, o->name, o->kind->bit }, *mem;
        bool ok;

        /* The first of a name is found, and whether a second is an error is the kind's business; but a later defaults
         * section replaces the former (manual 4). */
        if (!(o->kind->is_defaults && o->kind->section) &&
            map_get(&c->priv->index, (struct str){ (const char *)&key, sizeof(key) }))
                return;
        mem = arena_memdup(&c->priv->mem, &key, sizeof(key));
        ok = map_put(&c->priv->index, (struct str){ (const char *)mem, sizeof(*mem) }, o);
        ASSERT(ok);
}

static struct conf_obj *find(const struct conf *c, const struct conf_obj *parent, kind_mask kinds, struct str name)
{
        const char *z = map_get(&c->priv->strings, name.p ? name : STR(""));

        for (; z && kinds; kinds &= kinds - 1) {
                struct obj_key key = { parent, z, kinds & (0 - kinds) };
                struct conf_obj *o = map_get(&c->priv->index, (struct str){ (const char *)&key, sizeof(key) });

                if (o)
                        return o;
        }
        return NULL;
}

struct conf_obj *conf_find(const struct conf *c, kind_mask kinds, struct str name)
{
        return find(c, NULL, kinds, name);
}

struct conf_obj *conf_find_child(const struct conf_obj *parent, kind_mask kinds, struct str name)
{
        return find(parent->conf, parent, kinds, name);
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
        o = k->single ? find(c->conf, p, kind, STR("")) : NULL;
        if (o)
                return o; /* default-server lines add up */
        base = child_base(p, k);
        o = obj_new(c->conf, k, name, at);
        o->parent = p;
        if (p->last_child)
                p->last_child->sibling = o;
        else
                p->child = o;
        p->last_child = o;
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
