/* core/pat_ref.c - sets of patterns by name: files, versions, changes at run time.
 *
 * Each configuration has its own sets, so what was changed at run time ends with it, as in HAProxy. */
#include "base/epoch.h"
#include "base/regex.h"
#include "conf/conf.h"
#include "core/pat_int.h"
#include "core/retire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the sets of all configurations that live ---- */

static pthread_mutex_t books_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned loads;
static struct pat_ref *books; /* any order of configurations; within one by id */

static void ref_free(void *p)
{
        struct pat_ref *r = p, **at = &books;

        pthread_mutex_lock(&books_lock);
        while (*at != r)
                at = &(*at)->next;
        *at = r->next;
        pthread_mutex_unlock(&books_lock);
        for (struct pat_entry *e = r->first, *next; e; e = next) {
                struct pat_val *v = atomic_load_explicit(&e->value, memory_order_relaxed);

                next = e->next;
                for (unsigned i = 0; e->items && i < r->n_exprs; i++) {
                        if (e->items[i] && e->items[i]->regex)
                                regex_free(e->items[i]->regex);
                        if (e->items[i] && !e->items[i]->at_load)
                                free(e->items[i]);
                }
                if (v && !v->at_load)
                        free(v);
                if (!e->at_load) {
                        free(e->items);
                        free(e);
                }
        }
        for (unsigned i = 0; i < r->n_exprs; i++)
                free(atomic_load_explicit(&r->exprs[i]->table, memory_order_relaxed));
        arena_fini(&r->mem);
        pthread_mutex_destroy(&r->lock);
        free(r);
}

static struct pat_ref *find_in(const struct conf *c, struct str name, struct pat_ref *from)
{
        while (from && !(from->conf == c && str_is(name, from->name)))
                from = from->next;
        return from;
}

static void enter(struct pat_ref *r, struct conf *c)
{
        struct pat_ref **at = &books;

        pthread_mutex_lock(&books_lock);
        while (*at) {
                if ((*at)->conf == c) {
                        r->id = (*at)->id + 1;
                        r->load = (*at)->load;
                }
                at = &(*at)->next;
        }
        if (!r->load)
                r->load = ++loads;
        *at = r;
        pthread_mutex_unlock(&books_lock);
        conf_at_free(c, ref_free, r);
}

/* A section that uses sets is another one after each load, so that it never goes on with those of an older one (core/change.h). */
static void note_load(struct kw_call *c, const struct pat_ref *r)
{
        struct acl_cfg *cfg = c->obj && conf_slot(c->obj, acl_slot) ? conf_slot_edit(c->conf, c->obj, acl_slot) : NULL;

        if (cfg)
                cfg->load = r->load;
}

/* ---- files ---- */

/* An ACL's line is a pattern from its first byte that is no blank; a map's is a key, blanks, and a value without blanks at its end. */
static void take_line(struct pat_ref *r, struct str line, unsigned no)
{
        struct str key, value;
        size_t n = 0;
        struct pat_entry *e;

        while (line.n && (line.p[0] == ' ' || line.p[0] == '\t'))
                line = str_sub(line, 1, line.n - 1);
        if (line.n == 0 || line.p[0] == '#')
                return;
        if (r->map) {
                while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t')
                        n++;
                key = str_sub(line, 0, n);
                value = str_trim(str_sub(line, n, line.n - n));
                e = pat_entry_add(r, key, &value, true);
        } else {
                e = pat_entry_add(r, line, NULL, true);
        }
        e->line = no;
}

static void take_file(struct pat_ref *r, struct str text)
{
        for (unsigned no = 1; text.n; no++) {
                const char *end = memchr(text.p, '\n', text.n);
                size_t n = end ? (size_t)(end - text.p) : text.n;
                struct str line = str_sub(text, 0, n);

                if (line.n && line.p[line.n - 1] == '\r')
                        line.n--;
                take_line(r, line, no);
                text = str_sub(text, n + (end != NULL), text.n - n - (end != NULL));
        }
}

static bool load(struct kw_call *c, struct pat_ref *r, const struct word *at, bool optional)
{
        struct str text;
        int err;

        if (strncmp(r->name, "virt@", 5) == 0)
                return true;
        err = conf_read_file(c->conf, r->map ? VFS_MAP : VFS_ACL, r->name, &text);
        if (err == 0) {
                take_file(r, text);
                return true;
        }
        if (optional && err == -ENOENT)
                return true;
        (void)kw_fail(c, at, "E0740", "failed to open pattern file <%s>: %s", r->name, strerror(-err));
        return false;
}

static void note_use(struct pat_ref *r, struct kw_call *c, const struct word *at, bool map)
{
        struct span where = at ? at->at : c->at;

        if (r->n_uses == PAT_USES_MAX)
                return;
        r->uses[r->n_uses++] = (struct pat_use){
                .what = map ? "map" : "acl",
                .file = where.line ? conf_intern(c->conf, str_of(c->diags->files[where.file].name)) : "",
                .line = where.line,
        };
}

struct pat_ref *pat_ref_get(struct kw_call *c, struct str name, const struct word *at, bool map)
{
        const char *shown = conf_intern(c->conf, name);
        bool optional = str_has_prefix(name, STR("opt@"));
        struct pat_ref *r;

        if (optional)
                name = str_sub(name, 4, name.n - 4);
        else if (str_has_prefix(name, STR("file@")))
                name = str_sub(name, 5, name.n - 5);
        pthread_mutex_lock(&books_lock);
        r = find_in(c->conf, name, books);
        pthread_mutex_unlock(&books_lock);
        if (r && map && !r->map) {
                (void)kw_fail(c, at, "E0744", "'%s' was loaded for an ACL, without values: name it in a map first",
                              shown);
                return NULL;
        }
        if (!r) {
                r = calloc(1, sizeof(*r));
                ASSERT(r);
                r->conf = c->conf;
                r->name = conf_intern(c->conf, name);
                r->shown = shown;
                r->map = map;
                (void)pthread_mutex_init(&r->lock, NULL);
                enter(r, c->conf);
                if (!load(c, r, at, optional))
                        return NULL;
        }
        note_use(r, c, at, map);
        note_load(c, r);
        return r;
}

/* ---- at run time ---- */

struct pat_ref *pat_ref_next(const struct conf *c, const struct pat_ref *r, bool map)
{
        struct pat_ref *i;

        pthread_mutex_lock(&books_lock);
        for (i = r ? r->next : books; i && !(i->conf == c && i->map == map);)
                i = i->next;
        pthread_mutex_unlock(&books_lock);
        return i;
}

/* An ACL's commands also find sets of maps: what is shared has one. */
struct pat_ref *pat_ref_find(const struct conf *c, struct str name, bool map)
{
        struct pat_ref *i;
        uint64_t id = UINT64_MAX;

        if (name.n > 1 && name.p[0] == '#' && !str_to_u64(str_sub(name, 1, name.n - 1), &id))
                return NULL;
        pthread_mutex_lock(&books_lock);
        for (i = books; i; i = i->next) {
                if (i->conf == c && (!map || i->map) && (id != UINT64_MAX ? i->id == id : str_is(name, i->name)))
                        break;
        }
        pthread_mutex_unlock(&books_lock);
        return i;
}

bool pat_ref_is_map(const struct pat_ref *r)
{
        return r->map;
}

uint32_t pat_version(const struct pat_ref *r)
{
        return atomic_load_explicit(&r->version, memory_order_relaxed);
}

uint32_t pat_next_version(const struct pat_ref *r)
{
        return r->next_version;
}

uint32_t pat_prepare(struct pat_ref *r)
{
        uint32_t v;

        pthread_mutex_lock(&r->lock);
        v = ++r->next_version;
        pthread_mutex_unlock(&r->lock);
        return v;
}

/* keep: all but this version go; else only this one. */
static void purge(struct pat_ref *r, uint32_t version, bool keep)
{
        for (struct pat_entry *e = r->first, *next; e; e = next) {
                next = e->next;
                if ((e->version == version) != keep)
                        pat_entry_drop(r, e);
        }
}

/* One store makes the new version visible and the old one invisible; the memory follows. Later versions under way stay. */
void pat_commit(struct pat_ref *r, uint32_t version)
{
        pthread_mutex_lock(&r->lock);
        atomic_store_explicit(&r->version, version, memory_order_release);
        purge(r, version, true);
        pthread_mutex_unlock(&r->lock);
}

void pat_clear(struct pat_ref *r, uint32_t version)
{
        pthread_mutex_lock(&r->lock);
        purge(r, version, false);
        pthread_mutex_unlock(&r->lock);
}

static bool values_ok(const struct pat_ref *r, struct str value, char why[PAT_WHY_MAX])
{
        for (unsigned i = 0; i < r->n_exprs; i++) {
                if (!pat_value_ok(r->exprs[i]->out, value)) {
                        (void)snprintf(why, PAT_WHY_MAX, "unable to parse '%.*s'", (int)(value.n < 100 ? value.n : 100),
                                       value.p);
                        return false;
                }
        }
        return true;
}

static bool add_locked(struct pat_ref *r, uint32_t version, struct str key, struct str value, char why[PAT_WHY_MAX])
{
        struct pat_entry *e;
        bool ok = !r->map || values_ok(r, value, why);
        if (ok) {
                e = pat_entry_add(r, key, r->map ? &value : NULL, false);
                e->version = version;
                ok = pat_entry_index(r, e, why);
                if (!ok)
                        pat_entry_drop(r, e);
        }
        return ok;
}

bool pat_add(struct pat_ref *r, uint32_t version, struct str key, struct str value, char why[PAT_WHY_MAX])
{
        bool ok;

        pthread_mutex_lock(&r->lock);
        ok = add_locked(r, version, key, value, why);
        pthread_mutex_unlock(&r->lock);
        return ok;
}

static struct pat_entry *entry_of(const struct pat_expr *by_key, struct str key)
{
        struct smp s;

        smp_str(&s, key);
        return (struct pat_entry *)(uintptr_t)pat_find(by_key, &s);
}

bool pat_put(struct pat_expr *by_key, struct str key, struct str value, char why[PAT_WHY_MAX])
{
        struct pat_ref *r = by_key->ref;
        struct pat_entry *e;
        bool ok = true;

        pthread_mutex_lock(&r->lock);
        e = entry_of(by_key, key);
        if (!e)
                ok = add_locked(r, pat_version(r), key, value, why);
        else if (r->map && (ok = values_ok(r, value, why)) && !str_eq(pat_value(e), value))
                pat_entry_set(r, e, value);
        pthread_mutex_unlock(&r->lock);
        return ok;
}

void pat_take(struct pat_expr *by_key, struct str key)
{
        struct pat_entry *e;

        pthread_mutex_lock(&by_key->ref->lock);
        while ((e = entry_of(by_key, key)) != NULL)
                pat_entry_drop(by_key->ref, e);
        pthread_mutex_unlock(&by_key->ref->lock);
}

static bool is_named(const struct pat_ref *r, const struct pat_entry *e, struct str key, uint64_t ref)
{
        return ref ? (uint64_t)(uintptr_t)e == ref : e->version == pat_version(r) && str_eq(pat_key(e), key);
}

static uint64_t entry_ref(struct str key) /* "#0x55..." -> the number; 0: a key */
{
        char *end = NULL;
        uint64_t v = key.n > 3 && key.p[0] == '#' && key.p[1] == '0' && key.p[2] == 'x' && key.n < 20
                             ? strtoull(key.p + 1, &end, 16)
                             : 0;

        return end == key.p + key.n ? v : 0;
}

unsigned pat_del(struct pat_ref *r, struct str key)
{
        uint64_t ref = entry_ref(key);
        unsigned n = 0;

        pthread_mutex_lock(&r->lock);
        for (struct pat_entry *e = r->first, *next; e; e = next) {
                next = e->next;
                if (is_named(r, e, key, ref)) {
                        pat_entry_drop(r, e);
                        n++;
                }
        }
        pthread_mutex_unlock(&r->lock);
        return n;
}

int pat_set(struct pat_ref *r, struct str key, struct str value, char why[PAT_WHY_MAX])
{
        uint64_t ref = entry_ref(key);
        int n = 0;

        pthread_mutex_lock(&r->lock);
        if (!values_ok(r, value, why))
                n = -1;
        for (struct pat_entry *e = n < 0 ? NULL : r->first; e; e = e->next) {
                if (is_named(r, e, key, ref)) {
                        pat_entry_set(r, e, value);
                        n++;
                }
        }
        pthread_mutex_unlock(&r->lock);
        return n;
}

/* ---- listings ---- */

void pat_describe(const struct pat_ref *r, struct buf *out)
{
        buf_printf(out, "%u (%s) pattern loaded from file '%s' used by ", r->id, r->name, r->shown);
        for (unsigned i = 0; i < r->n_uses; i++)
                buf_printf(out, "%s%s at file '%s' line %u", i ? ", by " : "", r->uses[i].what, r->uses[i].file,
                           r->uses[i].line);
        buf_printf(out, ". curr_ver=%u next_ver=%u entry_cnt=%zu\n", pat_version(r), r->next_version, r->n_entries);
}

/* Where a listing goes on is an entry that may be gone by then: it is looked for again. */
bool pat_list(struct pat_ref *r, uint32_t version, const void **pos, unsigned n, struct buf *out)
{
        struct pat_entry *e;
        const void *from = *pos;

        pthread_mutex_lock(&r->lock);
        for (e = r->first; from && e && e != from;)
                e = e->next;
        for (; e && n; e = e->next) {
                if (e->version != version)
                        continue;
                n--;
                buf_printf(out, "%p %s", (void *)e, e->key);
                if (r->map)
                        buf_printf(out, " %s", pat_value(e).p);
                buf_putc(out, '\n');
        }
        *pos = e;
        pthread_mutex_unlock(&r->lock);
        return e != NULL;
}

static const char *how_name(enum acl_match how)
{
        static const char *const names[] = {
                [ACL_FOUND] = "found", [ACL_BOOL] = "bool", [ACL_INT] = "int", [ACL_LEN] = "len", [ACL_STR] = "str",
                [ACL_BEG] = "beg",     [ACL_END] = "end",   [ACL_SUB] = "sub", [ACL_DIR] = "dir", [ACL_DOM] = "dom",
                [ACL_IP] = "ip",       [ACL_REG] = "reg",   [ACL_BIN] = "bin"
        };

        return names[how];
}

static void explain_one(const struct pat_expr *x, struct str text, struct buf *out)
{
        struct smp s;
        const struct pat_entry *e;
        bool map = x->ref->map, ok;

        smp_str(&s, text);
        ok = smp_cast(&s, x->how == ACL_IP ? SMP_ADDR : x->how == ACL_INT ? SMP_SINT : SMP_STR);
        e = ok ? pat_find(x, &s) : NULL;
        buf_printf(out, "type=%s, case=%s, %s=%s", how_name(x->how), x->icase ? "insensitive" : "sensitive",
                   map ? "found" : "match", e ? "yes" : "no");
        if (e)
                buf_printf(out, ", idx=%s, key=\"%s\"",
                           e->items && e->items[x->no] && x->how != ACL_IP ? "list" : "tree", e->key);
        if (e && map)
                buf_printf(out, ", value=\"%s\", type=\"%s\"", pat_value(e).p,
                           x->out == PAT_STR   ? "str"
                           : x->out == PAT_INT ? "sint"
                                               : "addr");
        buf_putc(out, '\n');
}

void pat_explain(struct pat_ref *r, struct str text, struct buf *out)
{
        for (unsigned i = 0; i < r->n_exprs; i++)
                explain_one(r->exprs[i], text, out);
}
