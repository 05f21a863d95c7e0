/* conf/section.c - section lines: names, `from`, clashes. */
#include "conf/conf_int.h"

static bool name_char(char c)
{
        return (chr_lower((unsigned char)c) >= 'a' && chr_lower((unsigned char)c) <= 'z') || chr_is_digit(c) ||
               (c && strchr("-_.:", c));
}

/* The first byte that a name may not have, or n (manual 4). */
static size_t bad_char(struct str s)
{
        size_t i = 0;

        while (i < s.n && name_char(s.p[i]))
                i++;
        return i;
}

static void check_name(struct conf *c, const struct conf_kind *k, const struct word *w)
{
        size_t i = bad_char(w->text);
        struct span at = w->at;

        if (i == w->text.n)
                return;
        if (!w->quoted) {
                at.col += (uint32_t)i;
                at.len = 1;
        }
        diag_add(c->diags, DIAG_ALERT, at, "E0104", "character '%c' is not permitted in '%s' name '%.*s'.",
                 w->text.p[i], k->name, (int)w->text.n, w->text.p);
}

/* Takes the next group of a comma separated list; false at its end. */
static bool next_group(const char **p, struct str *ret_group)
{
        const char *comma;

        if (!*p || !**p)
                return false;
        comma = strchr(*p, ',');
        *ret_group = (struct str){ *p, comma ? (size_t)(comma - *p) : strlen(*p) };
        *p = comma ? comma + 1 : NULL;
        return true;
}

/* Another section of the same clash group with this name, or NULL; takes the name if it is free. */
static const struct conf_obj *take_name(struct conf *c, const struct conf_obj *o)
{
        const struct conf_obj *other = NULL;
        const char *p = o->kind->clash;
        struct str g;

        while (next_group(&p, &g)) {
                char *key = arena_printf(&c->priv->mem, "%.*s %s", (int)g.n, g.p, o->name);
                const struct conf_obj *have = map_get(&c->priv->clash, str_of(key));

                if (have)
                        other = have;
                else if (!map_put(&c->priv->clash, str_of(key), (void *)(uintptr_t)o))
                        ASSERT(false);
        }
        return other;
}

static void check_clash(struct conf *c, const struct conf_obj *o)
{
        const struct conf_obj *other = take_name(c, o);
        struct diag *g;

        if (!other)
                return;
        g = diag_add(c->diags, DIAG_ALERT, o->at, "E0105", "%s '%s' has the same name as %s '%s' declared at %s:%u.",
                     o->kind->name, o->name, other->kind->name, other->name, c->diags->files[other->at.file].name,
                     other->at.line);
        g->intro = DIAG_INTRO_CAPITAL;
}

static void check_defaults_again(struct conf *c, const struct conf_obj *o)
{
        const struct conf_obj *other = *o->name ? conf_find(c, o->kind->bit, str_of(o->name)) : NULL;
        struct diag *g;

        if (!other || !other->used_by_name)
                return;
        g = diag_add(
                c->diags, DIAG_ALERT, o->at, "E0106",
                "%s '%s' has the same name as another defaults section declared at %s:%u which was explicitly "
                "referenced hence cannot be replaced. Please remove or rename one of the offending defaults section.",
                o->kind->name, o->name, c->diags->files[other->at.file].name, other->at.line);
        g->intro = DIAG_INTRO_CAPITAL;
}

static void warn_mixed(struct conf *c, struct conf_obj *d, struct span at)
{
        if (!d->used_by_name || !d->used_unasked)
                return;
        diag_add(
                c->diags, DIAG_WARNING, at, "W0107",
                "defaults section '%s' (declared at %s:%u) is explicitly referenced by another proxy and implicitly "
                "used "
                "here. To avoid any ambiguity don't mix both usage. Add a last defaults section not explicitly used or "
                "always use explicit references.",
                d->name, c->diags->files[d->at.file].name, d->at.line);
}

static kind_mask defaults_kinds(const struct conf_kind *k)
{
        return k->inherits | (k->is_defaults ? k->bit : 0);
}

/* Near names for an unknown `from`. */
static const char *near_defaults(const struct conf *c, kind_mask kinds, struct str name)
{
        for (const struct conf_obj *o = c->first; o; o = o->next) {
                const char *const one[] = { o->name, NULL };

                if ((o->kind->bit & kinds) && *o->name && kw_nearest(name, one))
                        return o->name;
        }
        return NULL;
}

/* The defaults that `from NAME` means; an alert and NULL when there is none. */
static struct conf_obj *named_defaults(struct conf *c, const struct conf_kind *k, const struct word *w, struct str own)
{
        struct conf_obj *d = conf_find(c, defaults_kinds(k), w->text);
        struct diag *g;

        if (d) {
                check_name(c, d->kind, w);
                d->used_by_name = true;
                warn_mixed(c, d, w->at);
                return d;
        }
        g = diag_add(c->diags, DIAG_ALERT, w->at, "E0108", "defaults section '%.*s' not found for %s '%.*s'.",
                     (int)w->text.n, w->text.p, k->name, (int)own.n, own.p ? own.p : "");
        diag_suggest(c->diags, g, near_defaults(c, defaults_kinds(k), w->text));
        return NULL;
}

static struct conf_obj *last_defaults(struct conf *c, const struct conf_kind *k, struct span at)
{
        struct conf_obj *d = c->priv->last_defaults;

        if (!d || !(k->inherits & d->kind->bit))
                return NULL;
        if (!d->used_unasked) {
                d->used_unasked = true;
                warn_mixed(c, d, at);
        }
        return d;
}

/* What stands on a section line. */
struct head {
        const struct word *name, *from; /* or NULL */
        size_t rest;                    /* index of the first word after them */
};

static struct head head_of(const struct conf_kind *k, const struct line *l)
{
        struct head h = { NULL, NULL, 1 };
        bool inherits = defaults_kinds(k) != 0;

        if (l->n > h.rest && (k->named || k->is_defaults) &&
            !(k->is_defaults && l->n == 3 && str_is(l->w[1].text, "from")))
                h.name = &l->w[h.rest++];
        if (l->n > h.rest + 1 && inherits && str_is(l->w[h.rest].text, "from")) {
                h.from = &l->w[h.rest + 1];
                h.rest += 2;
        }
        return h;
}

/* What is left on the line: the kind may know old forms of it (an address), else it is too much. */
static void take_rest(struct conf *c, struct conf_obj *o, const struct line *l, size_t rest)
{
        struct kw_call call = { .conf = c,
                                .obj = o,
                                .line = l,
                                .args = l->w + rest,
                                .n_args = l->n - rest,
                                .at = l->w[0].at,
                                .diags = c->diags };
        int used = o->kind->args && rest < l->n ? o->kind->args(&call) : 0;

        if (used < 0)
                return;
        ASSERT((size_t)used <= call.n_args);
        rest += (size_t)used;
        if (rest < l->n)
                diag_add(c->diags, DIAG_ALERT, l->w[rest].at, "E0103", "'%s' cannot handle unexpected argument '%.*s'.",
                         o->kind->name, (int)l->w[rest].text.n, l->w[rest].text.p);
}

/* Rules of a defaults section run before those of its heirs, so all heirs are of one side (manual 4.2, http-request). */
static void check_heir(struct conf *c, const struct conf_kind *k, struct conf_obj *from, struct span at)
{
        const char *where = c->diags->files[from->at.file].name;
        uint8_t heir = (uint8_t)(1 + __builtin_ctzll(k->bit));
        struct diag *g = NULL;

        if (k->is_defaults)
                g = diag_add(c->diags, DIAG_ALERT, at, "E0110",
                             "a %s section cannot inherit from a defaults section defining TCP/HTTP rules (defaults "
                             "section at %s:%u).",
                             k->name, where, from->at.line);
        else if (k->clash && strchr(k->clash, ',')) /* both sides in one */
                g = diag_add(c->diags, DIAG_ALERT, at, "E0110",
                             "a %s section cannot inherit from a defaults section defining TCP/HTTP rules.", k->name);
        else if (from->heir && from->heir != heir)
                g = diag_add(c->diags, DIAG_ALERT, at, "E0110",
                             "frontends and backends cannot inherit from the same defaults section if it defines "
                             "TCP/HTTP rules (defaults section at %s:%u).",
                             where, from->at.line);
        if (g)
                g->intro = DIAG_INTRO_TIGHT;
        else
                from->heir = heir;
}

static struct conf_obj *open_new(struct conf *c, const struct conf_kind *k, const struct line *l, const struct head *h)
{
        struct str name = h->name ? h->name->text : (struct str){ "", 0 };
        struct span at = h->name ? h->name->at : l->at;
        struct conf_obj *o, *from;

        if (k->named && !k->is_defaults && !h->name)
                diag_add(c->diags, DIAG_ALERT, at, "E0102", "'%s' expects an <id> argument", k->name);
        from = h->from ? named_defaults(c, k, h->from, name) : last_defaults(c, k, at);
        if (from && from->has_rules)
                check_heir(c, k, from, at);
        o = obj_new(c, k, name, at);
        o->from = from;
        slot_inherit(c, o, from);
        if (k->is_defaults) {
                check_defaults_again(c, o);
                c->priv->last_defaults = o;
        } else if (h->name) {
                check_name(c, k, h->name);
                check_clash(c, o);
        }
        obj_register(c, o);
        return o;
}

void section_begin(struct conf *c, const struct conf_kind *k, const struct line *l)
{
        struct head h = head_of(k, l);
        struct conf_obj *o;

        section_end(c);
        o = k->single ? conf_find(c, k->bit, STR("")) : NULL;
        if (!o)
                o = open_new(c, k, l, &h);
        c->priv->section = o;
        take_rest(c, o, l, h.rest);
}

void section_end(struct conf *c)
{
        slot_settle(c, NULL);
        c->priv->section = NULL;
}
