/* core/change.c - comparing two configurations, and saying what differs. */
#include "core/change.h"

#include "core/apply.h"
#include "core/global.h"

static const char *const apply_names[] = {
        [KW_LIVE] = "live", [KW_NEW] = "new sessions", [KW_SWAP] = "worker swap", [KW_REFUSED] = "refused"
};

/* ---- collecting ---- */

struct heaviest {
        enum kw_apply apply;
};

static void weigh(void *ctx, const struct conf_delta *d)
{
        struct heaviest *h = ctx;

        if (d->kw && d->kw->apply > h->apply)
                h->apply = d->kw->apply;
}

static enum kw_apply apply_of(const struct conf_obj *a, const struct conf_obj *b)
{
        struct heaviest h = { KW_LIVE };

        if (!a || !b || a->kind != b->kind)
                return KW_NEW;
        conf_diff_obj(a, b, weigh, &h);
        return h.apply;
}

struct lists {
        struct change_set *set;
        struct list adds[CELL_KINDS], sets, dels; /* of the order in change.h */
};

static void add(struct lists *l, enum change_op op, enum cell_kind kind, const struct conf_obj *before,
                const struct conf_obj *after)
{
        struct change *c = arena_alloc(&l->set->mem, sizeof(*c));
        const struct conf_obj *o = after ? after : before;

        c->op = op;
        c->id = (struct ident){ ORIGIN_FILE, kind, o->parent ? o->parent->name : "", o->name };
        c->before = before;
        c->after = after;
        if (op == CHANGE_SET)
                c->apply = apply_of(before, after);
        l->set->n++;
        if (op == CHANGE_ADD && kind < CELL_KINDS)
                list_push(&l->adds[kind], &c->link);
        else if (op != CHANGE_DEL)
                list_push(&l->sets, &c->link);
        else
                list_push_front(&l->dels, &c->link);
}

static kind_mask side_kinds(enum cell_kind side)
{
        return side == CELL_FRONT ? KIND_FE : KIND_BE;
}

bool change_runs(const struct conf_obj *o, enum cell_kind side)
{
        return (o->kind->bit & side_kinds(side)) && !((const struct proxy_cfg *)conf_slot(o, proxy_slot))->disabled;
}

const struct conf_obj *change_find(const struct conf *c, const struct conf_obj *o, enum cell_kind side)
{
        const struct conf_obj *x = c ? conf_find(c, side_kinds(side), str_of(o->name)) : NULL;

        return x && change_runs(x, side) ? x : NULL;
}

/* Lines of one kind below two sections that both exist. */
static void diff_children(struct lists *l, const struct conf_obj *a, const struct conf_obj *b, kind_mask kind,
                          enum cell_kind cell)
{
        for (const struct conf_obj *k = b->child; k; k = k->sibling) {
                const struct conf_obj *old;

                if (!(k->kind->bit & kind))
                        continue;
                old = conf_find_child(a, kind, str_of(k->name));
                if (!old)
                        add(l, CHANGE_ADD, cell, NULL, k);
                else if (!conf_obj_same(old, k))
                        add(l, CHANGE_SET, cell, old, k);
        }
        for (const struct conf_obj *k = a->child; k; k = k->sibling)
                if ((k->kind->bit & kind) && !conf_find_child(b, kind, str_of(k->name)))
                        add(l, CHANGE_DEL, cell, k, NULL);
}

/* A listen section has two sides; its own rows are compared with the first of them. */
static bool compared_before(const struct conf_obj *a, const struct conf_obj *b, enum cell_kind side)
{
        return side == CELL_BACK && a->kind == b->kind && a->kind->bit == KIND_LISTEN;
}

static void diff_side(struct lists *l, const struct conf_obj *o, enum cell_kind side)
{
        const struct conf_obj *old;

        if (!change_runs(o, side))
                return;
        old = change_find(l->set->from, o, side);
        if (!old) {
                add(l, CHANGE_ADD, side, NULL, o);
                return;
        }
        if (!compared_before(old, o, side) && (old->kind != o->kind || !conf_obj_same(old, o)))
                add(l, CHANGE_SET, side, old, o);
        if (side == CELL_FRONT)
                diff_children(l, old, o, KIND_BIND, CELL_LISTENER);
        else
                diff_children(l, old, o, KIND_SERVER, CELL_SERVER);
}

static void diff_global(struct lists *l)
{
        const struct conf_obj *a = l->set->from ? conf_find(l->set->from, KIND_GLOBAL, STR("")) : NULL;
        const struct conf_obj *b = conf_find(l->set->to, KIND_GLOBAL, STR(""));

        if (!a || !b) /* absent = all defaults; the rows are compared only where both are written down */
                return;
        if (!conf_obj_same(a, b))
                add(l, CHANGE_SET, CELL_KINDS, a, b);
        diff_children(l, a, b, KIND_STATS_SOCKET, CELL_LISTENER);
}

/* Sections without a cell, of features: whoever runs them compares for himself when a configuration is in force (EVENT_APPLIED). */
static void diff_other(struct lists *l, const struct conf *a, const struct conf *b, enum change_op otherwise)
{
        for (const struct conf_obj *o = b ? b->first : NULL; o; o = o->sibling) {
                const struct conf_obj *old;

                if (!o->kind->section || (o->kind->bit & (KIND_PROXY | KIND_GLOBAL)))
                        continue;
                old = a ? conf_find(a, o->kind->bit, str_of(o->name)) : NULL;
                if (!old)
                        add(l, otherwise, CELL_KINDS, otherwise == CHANGE_DEL ? o : NULL,
                            otherwise == CHANGE_DEL ? NULL : o);
                else if (otherwise == CHANGE_ADD && !conf_obj_same(old, o))
                        add(l, CHANGE_SET, CELL_KINDS, old, o);
        }
}

void change_diff(struct conf *from, struct conf *to, struct change_set *ret_set)
{
        struct lists l = { .set = ret_set };

        *ret_set = (struct change_set){ .mem = ARENA_INIT, .from = from ? conf_get(from) : NULL, .to = conf_get(to) };
        list_init(&ret_set->all);
        list_init(&l.sets);
        list_init(&l.dels);
        for (unsigned k = 0; k < CELL_KINDS; k++)
                list_init(&l.adds[k]);
        diff_global(&l);
        diff_other(&l, from, to, CHANGE_ADD);
        diff_other(&l, to, from, CHANGE_DEL);
        for (const struct conf_obj *o = to->first; o; o = o->sibling)
                for (enum cell_kind side = CELL_FRONT; side <= CELL_BACK; side++)
                        diff_side(&l, o, side);
        for (const struct conf_obj *o = from ? from->first : NULL; o; o = o->sibling)
                for (enum cell_kind side = CELL_FRONT; side <= CELL_BACK; side++)
                        if (change_runs(o, side) && !change_find(to, o, side))
                                add(&l, CHANGE_DEL, side, o, NULL);
        list_splice(&ret_set->all, &l.adds[CELL_BACK]);
        list_splice(&ret_set->all, &l.adds[CELL_SERVER]);
        list_splice(&ret_set->all, &l.adds[CELL_FRONT]);
        list_splice(&ret_set->all, &l.adds[CELL_LISTENER]);
        list_splice(&ret_set->all, &l.sets);
        list_splice(&ret_set->all, &l.dels);
}

void change_set_fini(struct change_set *s)
{
        if (s->from)
                conf_put(s->from);
        if (s->to)
                conf_put(s->to);
        arena_fini(&s->mem);
        s->from = s->to = NULL;
        list_init(&s->all);
        s->n = 0;
}

/* ---- printing ---- */

static void print_name(const struct conf_obj *o, struct buf *out)
{
        if (o->kind->bit == KIND_SERVER)
                buf_printf(out, "server %s/%s", o->parent->name, o->name);
        else if (o->kind->bit == KIND_BIND)
                buf_printf(out, "bind %s %s", o->parent->name, o->name);
        else if (*o->name)
                buf_printf(out, "%s %s", o->kind->name, o->name);
        else
                buf_puts(out, o->kind->name);
}

/* "weight 5" -> "5", "backup" -> "on", "" -> the default. */
static const char *value_of(const struct conf_delta *d, const char *text)
{
        size_t n = d->kw ? strlen(d->kw->name) : 0;

        if (!d->kw)
                return text;
        if (!*text)
                return d->kw->type == KW_T_FLAG || d->kw->type == KW_T_BITS ? "off" : "default";
        if (strncmp(text, d->kw->name, n) != 0)
                return strncmp(text, "no", 2) == 0 ? "off" : text;
        return text[n] == 0 ? "on" : text[n] == ' ' ? text + n + 1 : text;
}

struct print {
        struct buf *out;
        const struct conf_obj *o;
};

static void print_delta(void *ctx, const struct conf_delta *d)
{
        struct print *p = ctx;

        buf_puts(p->out, "~ ");
        print_name(p->o, p->out);
        buf_printf(p->out, ": %s%s%s -> %s (%s)\n", d->kw ? d->kw->name : "", d->kw ? " " : "", value_of(d, d->before),
                   value_of(d, d->after), apply_names[d->kw ? d->kw->apply : KW_LIVE]);
}

static void print_set(const struct change *c, struct buf *out)
{
        struct print p = { out, c->after };

        if (c->before->kind == c->after->kind) {
                conf_diff_obj(c->before, c->after, print_delta, &p);
                return;
        }
        buf_puts(out, "~ ");
        print_name(c->before, out);
        buf_printf(out, ": becomes a %s section (%s)\n", c->after->kind->name, apply_names[c->apply]);
}

/* The other side of a listen section that comes or goes as a whole says nothing new. */
static bool is_second_side(const struct change_set *s, const struct change *c)
{
        const struct conf_obj *o = c->after ? c->after : c->before;

        if (c->op == CHANGE_SET || c->id.kind != CELL_BACK || o->kind->bit != KIND_LISTEN)
                return false;
        return c->op == CHANGE_ADD ? !change_find(s->from, o, CELL_FRONT) : !change_find(s->to, o, CELL_FRONT);
}

void change_print(const struct change_set *s, struct buf *out)
{
        list_for_each (i, &s->all) {
                const struct change *c = list_item(i, struct change, link);

                if (is_second_side(s, c))
                        continue;
                if (c->op == CHANGE_SET) {
                        print_set(c, out);
                        continue;
                }
                buf_puts(out, c->op == CHANGE_ADD ? "+ " : "- ");
                print_name(c->after ? c->after : c->before, out);
                buf_putc(out, '\n');
        }
}

static bool same_text(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

enum kw_apply change_global_weight(const struct change_set *s)
{
        const struct global_cfg *a, *b;

        if (!s->from || (conf_find(s->from, KIND_GLOBAL, STR("")) && conf_find(s->to, KIND_GLOBAL, STR(""))))
                return KW_LIVE;
        a = global_of(s->from);
        b = global_of(s->to);
        if (a->daemon != b->daemon || !same_text(a->pidfile, b->pidfile) || a->master_worker != b->master_worker ||
            a->quiet != b->quiet)
                return KW_REFUSED;
        return a->uid == b->uid && a->gid == b->gid && same_text(a->chroot, b->chroot) && a->nbthread == b->nbthread &&
                               a->maxaccept == b->maxaccept && a->ulimit_n == b->ulimit_n
                       ? KW_LIVE
                       : KW_SWAP;
}

enum kw_apply engine_plan(const struct conf *old, const struct conf *new, struct buf *out)
{
        enum kw_apply worst;
        struct change_set s;

        change_diff((struct conf *)(uintptr_t)old, (struct conf *)(uintptr_t) new, &s);
        worst = change_global_weight(&s);
        list_for_each (i, &s.all) {
                const struct change *c = list_item(i, struct change, link);

                if (c->op == CHANGE_SET && c->apply > worst)
                        worst = c->apply;
        }
        if (out)
                change_print(&s, out);
        change_set_fini(&s);
        return worst;
}
