/* feat/tables/rows.c - the words of stick tables (manual 3.2 tune.stick-counters, 4.2 stick-table and stick) and what refers to them. */
#include "core/event.h"
#include "core/proxy.h"
#include "core/track.h"
#include "ev/loop.h"
#include "feat/tables/tables.h"

#include <stdlib.h>

#define PURGE_MS 500 /* how often what expired is looked for; nobody sees it in the meantime but as `used` */

/* ---- references ---- */

static struct tables_cfg *cfg_edit(struct kw_call *c, const struct conf_obj **ret_owner)
{
        struct conf_obj *o = c->obj;

        while (o && !conf_slot(o, tables_slot))
                o = o->parent;
        *ret_owner = o;
        return o ? conf_slot_edit(c->conf, o, tables_slot) : NULL;
}

struct table_ref *table_refer(struct kw_call *c, struct str name, enum ref_kind kind, const char *what,
                              const struct word *at)
{
        const struct conf_obj *owner;
        struct tables_cfg *cfg = cfg_edit(c, &owner);
        struct table_ref *r;

        if (!cfg) {
                (void)kw_fail(c, at, "E0790", "'%s' needs a section that may have a stick-table.", what);
                return NULL;
        }
        if (name.n == 0 && owner->kind->bit == KIND_DEFAULTS) {
                (void)kw_fail(c, at, "E0791", "'%s' in a 'defaults' section needs the name of its table.", what);
                return NULL;
        }
        r = conf_alloc(c->conf, sizeof(*r));
        *r = (struct table_ref){ .next = cfg->refs,
                                 .name = name.n ? conf_intern(c->conf, name) : owner->name,
                                 .owner = owner,
                                 .kind = kind,
                                 .what = what,
                                 .at = at ? at->at : c->at };
        cfg->refs = r;
        return r;
}

static const struct tables_cfg *cfg_of(const struct conf_obj *o)
{
        return o ? conf_slot(o, tables_slot) : NULL;
}

static struct decl *find_decl(struct conf *c, const struct table_ref *r)
{
        static const kind_mask sides[] = { KIND_FE, KIND_BE };

        if (strcmp(r->name, r->owner->name) == 0 && cfg_of(r->owner)->decl)
                return cfg_of(r->owner)->decl;
        for (size_t i = 0; i < array_len(sides); i++) {
                const struct tables_cfg *cfg = cfg_of(conf_find(c, sides[i], str_of(r->name)));

                if (cfg && cfg->decl)
                        return cfg->decl;
        }
        return NULL;
}

static void close_table(void *arg)
{
        table_close(arg);
}

static struct table *open_table(struct conf *c, struct decl *d)
{
        if (!d->t && (d->t = table_open(&d->def)) != NULL)
                conf_at_free(c, close_table, d->t);
        return d->t;
}

static void not_found(const struct table_ref *r, struct diags *d)
{
        struct diag *g;

        if (r->kind == REF_TRACK)
                g = diag_add(d, DIAG_ALERT, r->at, "E0792", "Proxy '%s': unable to find table '%s' referenced by %s.",
                             r->owner->name, r->name, r->what);
        else if (r->kind == REF_STICK)
                g = diag_add(d, DIAG_ALERT, r->at, "E0792", "Proxy '%s': unable to find stick-table '%s'.",
                             r->owner->name, r->name);
        else
                g = diag_add(d, DIAG_ALERT, r->at, "E0792",
                             "unable to find table '%s' referenced in arg of keyword '%s' in proxy '%s'.", r->name,
                             r->what, r->owner->name);
        g->parsing = false;
}

static void resolve(struct conf *c, struct table_ref *r, struct diags *d)
{
        struct decl *decl = find_decl(c, r);
        struct diag *g = NULL;

        if (!decl)
                not_found(r, d);
        else if (r->type != SMP_ANY && !table_fits(&decl->def, r->type))
                g = diag_add(d, DIAG_ALERT, r->at, "E0793",
                             "Proxy '%s': %s: a key of type %s cannot be one of stick-table '%s' of type %s.",
                             r->owner->name, r->what, smp_type_name(r->type), r->name, table_key_names[decl->def.key]);
        else if (!(r->t = open_table(c, decl)))
                g = diag_add(d, DIAG_ALERT, r->at, "E0794", "stick-table '%s': no memory for %u entries.", r->name,
                             decl->def.size);
        if (g)
                g->parsing = false;
}

static void need_server(struct conf *c)
{
        for (struct conf_obj *o = c->first; o; o = o->next) {
                const struct tables_cfg *cfg = cfg_of(o);

                for (const struct table_ref *r = cfg ? cfg->refs : NULL; r; r = r->next) {
                        struct decl *d = r->kind == REF_STICK ? find_decl(c, r) : NULL;

                        if (d)
                                d->def.store[TD_SERVER_ID].n = d->def.store[TD_SERVER_KEY].n = 1;
                }
        }
}

static void resolve_obj(struct conf *c, struct conf_obj *o, struct diags *d)
{
        const struct tables_cfg *cfg = cfg_of(o);

        if (!cfg)
                return;
        for (struct table_ref *r = cfg->refs; r; r = r->next)
                if (!r->t && r->owner == o)
                        resolve(c, r, d);
        if (cfg->decl && !open_table(c, cfg->decl))
                diag_add(d, DIAG_ALERT, o->at, "E0794", "stick-table '%s': no memory for %u entries.", o->name,
                         cfg->decl->def.size)
                        ->parsing = false;
}

static const struct conf *_Atomic resolved; /* the load whose first section was checked */

static void forget(void *arg)
{
        const struct conf *c = arg;

        (void)atomic_compare_exchange_strong(&resolved, &c, NULL);
}

/* The first check of a load sees the whole file. */
static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        (void)o;
        (void)slot;
        if (atomic_load(&resolved) == c)
                return;
        atomic_store(&resolved, c);
        conf_at_free(c, forget, c);
        need_server(c);
        for (struct conf_obj *k = c->first; k; k = k->next)
                resolve_obj(c, k, d);
}

/* ---- dump ---- */

static void table_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct tables_cfg *cfg = slot;

        (void)kw;
        if (!cfg->decl)
                return;
        buf_puts(out, "    stick-table");
        words_dump(&cfg->decl->words, out);
        buf_putc(out, '\n');
}

static void dump_sticks(const struct stick_line *l, struct buf *out)
{
        if (l->prev)
                dump_sticks(l->prev, out);
        buf_printf(out, "    %s", l->keyword);
        words_dump(&l->words, out);
        buf_putc(out, '\n');
}

/* All four keywords share one list, in the order of the file. */
static void stick_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct tables_cfg *cfg = slot;

        if (cfg->last && strcmp(kw->name, "stick on") == 0)
                dump_sticks(cfg->last, out);
}

#define STICK(n, h)                                                                                                    \
        KW_FN(n, stick_parse, stick_dump, .kinds = KIND_BE, .manual = "4.2", .apply = KW_NEW,                          \
              .args = "<pattern> [table <table>] [ { if | unless } <condition> ]", .sample = "src table w if TRUE",    \
              .sample_rest = "backend w\n stick-table type ip size 10\n", .help = h)

static const struct kw rows[] = {
        KW_FN("stick-table", stick_table_parse, table_dump, .kinds = KIND_FE | KIND_BE, .manual = "11.1",
              .apply = KW_NEW, .sample = "type string len 20 size 1k expire 30m store gpc0,conn_rate(3s)",
              .args = "type <type> size <size> [expire <time>] [nopurge] [srvkey <key>] [store <data>]... [brates-factor <n>]",
              .help = "The table of this section: what is remembered of a key for a while. It goes on over reloads that leave "
                      "this line alone, and starts empty when the line changes."),
        STICK("stick match", "Sends a request to the server that the table remembers for its key."),
        STICK("stick on", "`stick match` and `stick store-request` in one."),
        STICK("stick store-request", "Has the table remember which server a request with this key went to."),
        KW_FN("stick store-response", stick_parse, stick_dump, .kinds = KIND_BE, .manual = "4.2", .apply = KW_NEW,
              .args = "<pattern> [table <table>] [ { if | unless } <condition> ]", .sample = "src table w if TRUE",
              .sample_rest = "backend w\n stick-table type ip size 10\n",
              .help = "Has the table remember which server an answer with this key came from."),
};
KW_TABLE(tables, KIND_PROXY, struct tables_cfg, rows, .own = true, .check = check);

/* ---- section global ---- */

struct tables_global_cfg { /* slot "tables_global" */
        int counters;
};
static const struct tables_global_cfg global_defaults = { .counters = 3 };

static const struct kw global_rows[] = {
        KW_INT("tune.stick-counters", struct tables_global_cfg, counters, 0, TRACK_MAX, .manual = "3.2",
               .apply = KW_NEW, .args = "<number>",
               .help = "How many keys a connection or request may track: track-sc0 to one less than this."),
};
KW_TABLE(tables_global, KIND_GLOBAL, struct tables_global_cfg, global_rows, .defaults = &global_defaults);

unsigned tables_counters(struct conf *c)
{
        for (const struct conf_obj *o = c->first; o; o = o->next)
                if (o->kind->bit == KIND_GLOBAL)
                        return (unsigned)((const struct tables_global_cfg *)conf_slot(o, tables_global_slot))->counters;
        return (unsigned)global_defaults.counters;
}

/* ---- those that run ---- */

static struct timer purge_timer;

static void purge(struct timer *timer)
{
        const struct tables *all = tables_now();

        for (size_t i = 0; i < all->n; i++)
                table_purge(all->v[i]);
        timer_start(thr_self->loop, timer, mono_add_ms(thr_self->now, PURGE_MS));
}

static const struct tables *list_tables(struct conf *c)
{
        struct tables *t;
        size_t n = 0;

        for (const struct conf_obj *o = c->first; o; o = o->next)
                n += cfg_of(o) && cfg_of(o)->decl;
        t = conf_alloc(c, sizeof(*t) + n * sizeof(t->v[0]));
        t->n = n;
        for (const struct conf_obj *o = c->first; o; o = o->next)
                if (cfg_of(o) && cfg_of(o)->decl)
                        t->v[--n] = cfg_of(o)->decl->t;
        return t;
}

static void on_applied(const void *event)
{
        struct conf *c = (struct conf *)(uintptr_t)event;
        const struct tables *t = c ? list_tables(c) : NULL;

        tables_publish(t);
        if (!thr_self || !thr_self->loop)
                return;
        if (!purge_timer.fn)
                timer_init(&purge_timer, purge);
        if (t && t->n && !timer_active(&purge_timer))
                timer_start(thr_self->loop, &purge_timer, mono_add_ms(thr_self->now, PURGE_MS));
        else if (!t || !t->n)
                timer_stop(thr_self->loop, &purge_timer);
}

static const struct event_sub applied = { .type = EVENT_APPLIED, .rank = 40, .name = "tables", .fn = on_applied };
EVENT_SUB(applied);
