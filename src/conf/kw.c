/* conf/kw.c - from tables to look-up tables, once per process. */
#include "conf/conf_int.h"

#include <stdio.h>
#include <stdlib.h>

struct kw_engine kw_engine = { .booted = false };

/* Bounds of the linker sections. Weak: a program without any row must link, too. */
extern const struct kw_table *const __start_telamon_kw[] __attribute__((weak));
extern const struct kw_table *const __stop_telamon_kw[] __attribute__((weak));
extern const struct conf_kind *const __start_telamon_kind[] __attribute__((weak));
extern const struct conf_kind *const __stop_telamon_kind[] __attribute__((weak));

_Noreturn static void die(const char *table, const char *row, const char *why)
{
        (void)fprintf(stderr, "BUG in keyword table '%s', row '%s': %s\n", table, row, why);
        abort();
}

static size_t bit_index(kind_mask bit)
{
        return (size_t)__builtin_ctzll(bit);
}

struct kind_rt *kind_rt_of(const struct conf_kind *k)
{
        return kw_engine.kinds[bit_index(k->bit)];
}

const struct conf_kind *kw_kind(kind_mask bit)
{
        struct kind_rt *k = bit ? kw_engine.kinds[bit_index(bit)] : NULL;

        return k ? k->k : NULL;
}

kind_mask kw_row_kinds(const struct kw_table *t, const struct kw *kw)
{
        return (kw->kinds ? kw->kinds & t->kinds : t->kinds) & ~kw->warn_kinds;
}

kind_mask kw_kinds_of(const struct kw_ref *r)
{
        return kw_row_kinds(r->table, r->kw);
}

static const char *name_fault(const char *name)
{
        size_t words = 1;

        if (!name || !*name || *name == ' ' || name[strlen(name) - 1] == ' ')
                return "its name is empty or has blanks at an end";
        for (const char *p = name; *p; p++) {
                if ((*p == ' ' && p[1] == ' ') || *p == '\t')
                        return "its name has two blanks or a tab";
                words += *p == ' ';
        }
        return words > KW_WORDS_MAX ? "its name has too many words" : NULL;
}

static bool size_fits(const struct kw *r)
{
        switch (r->type) {
        case KW_T_FLAG: return r->size == sizeof(bool);
        case KW_T_INT: return r->size == 4 || r->size == 8;
        case KW_T_SIZE: return r->size == 4 || r->size == 8;
        case KW_T_TIME:
        case KW_T_TIME_S:
        case KW_T_ENUM: return r->size == sizeof(int);
        case KW_T_STR: return r->size == sizeof(const char *);
        case KW_T_BITS: return r->size == sizeof(unsigned);
        case KW_T_FN:
        case KW_T_NONE:
        case KW_T_REFUSED: break;
        }
        return true;
}

static const char *row_fault(const struct kw_table *t, const struct kw *r)
{
        const char *why = name_fault(r->name);

        if (why)
                return why;
        if (r->type == KW_T_FN && (!r->parse || !r->dump))
                return "KW_FN needs both parse and dump";
        if ((size_t)r->off + r->size > t->size)
                return "it lies outside its struct";
        if (!size_fits(r))
                return "its field has a size that its type cannot have";
        if (r->type == KW_T_ENUM && (!r->vals || !r->vals[0].name))
                return "KW_ENUM needs values";
        if (r->type == KW_T_BITS && r->bit == 0)
                return "KW_BITS needs a bit";
        if ((r->type == KW_T_NONE || r->type == KW_T_REFUSED) && !r->why)
                return "it must say why";
        if ((r->type == KW_T_INT || r->type == KW_T_SIZE) && r->min > r->max)
                return "its range is empty";
        if (kw_row_kinds(t, r) == 0)
                return "no kind is left for it";
        return NULL;
}

const char *kw_table_fault(const struct kw_table *t)
{
        if (!t->name || t->kinds == 0 || !t->ret_index)
                return "the table has no name, no kinds or no place for its number";
        for (size_t i = 0; i < t->n_rows; i++) {
                const char *why = row_fault(t, &t->rows[i]);

                if (why)
                        return why;
                for (size_t j = 0; j < i; j++)
                        if (strcmp(t->rows[i].name, t->rows[j].name) == 0 &&
                            (kw_row_kinds(t, &t->rows[i]) & kw_row_kinds(t, &t->rows[j])))
                                return "two rows with one name for one kind";
        }
        return NULL;
}

static void take_kind(const struct conf_kind *k)
{
        struct kind_rt **at, *rt = arena_alloc(&kw_engine.mem, sizeof(*rt));

        if (!k->name || k->bit == 0 || (k->bit & (k->bit - 1)))
                die("kinds", k->name ? k->name : "?", "a kind needs a name and exactly one bit");
        at = &kw_engine.kinds[bit_index(k->bit)];
        if (*at)
                die("kinds", k->name, "another kind has its bit");
        rt->k = k;
        *at = rt;
        if (k->section && map_get(&kw_engine.sections, str_of(k->name)))
                die("kinds", k->name, "another section has its name");
        if (k->section && !map_put(&kw_engine.sections, str_of(k->name), rt))
                die("kinds", k->name, "out of memory");
}

static void take_kinds(void)
{
        for (const struct conf_kind *const *k = __start_telamon_kind; k && k < __stop_telamon_kind; k++)
                take_kind(*k);
}

static int by_rank(const void *a, const void *b)
{
        const struct kw_table *x = *(const struct kw_table *const *)a, *y = *(const struct kw_table *const *)b;

        return x->rank != y->rank ? (x->rank < y->rank ? -1 : 1) : strcmp(x->name, y->name);
}

static void take_tables(void)
{
        struct kw_engine *e = &kw_engine;
        size_t n = __start_telamon_kw ? (size_t)(__stop_telamon_kw - __start_telamon_kw) : 0;

        e->tables = arena_alloc(&e->mem, (n + 1) * sizeof(*e->tables));
        for (size_t i = 0; i < n; i++) {
                const char *why = kw_table_fault(__start_telamon_kw[i]);

                if (why)
                        die(__start_telamon_kw[i]->name ? __start_telamon_kw[i]->name : "?", "?", why);
                e->tables[i] = __start_telamon_kw[i];
        }
        e->n_tables = n;
        qsort(e->tables, n, sizeof(*e->tables), by_rank);
        for (size_t i = 0; i < n; i++) {
                if (i && strcmp(e->tables[i]->name, e->tables[i - 1]->name) == 0)
                        die(e->tables[i]->name, "-", "two tables with one name");
                *e->tables[i]->ret_index = (int)i;
        }
}

static void split_name(struct kw_row *row)
{
        struct str s = str_of(row->kw->name);

        while (s.n) {
                const char *sp = memchr(s.p, ' ', s.n);
                size_t len = sp ? (size_t)(sp - s.p) : s.n;

                row->word[row->n_words++] = str_sub(s, 0, len);
                s = str_sub(s, sp ? len + 1 : len, s.n - (sp ? len + 1 : len));
        }
}

static struct kw_group *group_of(struct kind_rt *k, struct str first)
{
        struct kw_group *g = map_get(&k->groups, first);

        if (g)
                return g;
        g = arena_alloc(&kw_engine.mem, sizeof(*g));
        g->first = first;
        if (!map_put(&k->groups, first, g))
                die("?", first.p, "out of memory");
        return g;
}

static void add_row(struct kind_rt *k, int table, const struct kw *kw, bool warn_only)
{
        struct kw_row *row = arena_alloc(&kw_engine.mem, sizeof(*row)), **at;
        struct kw_group *g;

        *row = (struct kw_row){
                .kw = kw, .table = kw_engine.tables[table], .table_index = table, .warn_only = warn_only
        };
        split_name(row);
        g = group_of(k, row->word[0]);
        for (const struct kw_row *r = g->rows; r; r = r->next)
                if (strcmp(r->kw->name, kw->name) == 0)
                        die(row->table->name, kw->name, "another row has its name for the same kind");
        for (at = &g->rows; *at && (*at)->n_words >= row->n_words; at = &(*at)->next)
                ;
        row->next = *at;
        *at = row;
        g->n++;
        g->options |= kw->type == KW_T_FLAG || kw->type == KW_T_BITS;
}

static void build_kind(struct kind_rt *k)
{
        struct kw_engine *e = &kw_engine;

        k->slot_of = arena_alloc(&e->mem, (e->n_tables + 1) * sizeof(int));
        k->table_of = arena_alloc(&e->mem, (e->n_tables + 1) * sizeof(int));
        k->checks_of = arena_alloc(&e->mem, (e->n_tables + 1) * sizeof(int));
        for (size_t t = 0; t < e->n_tables; t++) {
                k->slot_of[t] = -1;
                if ((e->tables[t]->kinds & k->k->bit) && e->tables[t]->size) {
                        k->table_of[k->n_slots] = (int)t;
                        k->slot_of[t] = (int)k->n_slots++;
                }
                if ((e->tables[t]->kinds & k->k->bit) && e->tables[t]->check)
                        k->checks_of[k->n_checks++] = (int)t;
                for (size_t r = 0; r < e->tables[t]->n_rows; r++) {
                        const struct kw *kw = &e->tables[t]->rows[r];

                        if (kw_row_kinds(e->tables[t], kw) & k->k->bit)
                                add_row(k, (int)t, kw, false);
                        else if (kw->warn_kinds & k->k->bit)
                                add_row(k, (int)t, kw, true);
                }
        }
}

static int by_table_and_name(const void *a, const void *b)
{
        const struct kw_ref *x = a, *y = b;
        int r = strcmp(x->table->name, y->table->name);

        return r ? r : strcmp(x->kw->name, y->kw->name);
}

static void list_rows(void)
{
        struct kw_engine *e = &kw_engine;
        size_t n = 0;

        for (size_t t = 0; t < e->n_tables; t++)
                n += e->tables[t]->n_rows;
        e->refs = arena_alloc(&e->mem, (n + 1) * sizeof(*e->refs));
        for (size_t t = 0; t < e->n_tables; t++)
                for (size_t r = 0; r < e->tables[t]->n_rows; r++)
                        e->refs[e->n_refs++] = (struct kw_ref){ e->tables[t], &e->tables[t]->rows[r] };
        qsort(e->refs, e->n_refs, sizeof(*e->refs), by_table_and_name);
}

void kw_boot(void)
{
        if (kw_engine.booted)
                return;
        take_kinds();
        take_tables();
        for (size_t i = 0; i < KINDS_MAX; i++)
                if (kw_engine.kinds[i])
                        build_kind(kw_engine.kinds[i]);
        list_rows();
        kw_engine.booted = true;
}

const struct kw_ref *kw_all(size_t *ret_n)
{
        *ret_n = kw_engine.n_refs;
        return kw_engine.refs;
}

static bool row_matches(const struct kw_row *r, const struct word *w, size_t n)
{
        if (r->n_words > n)
                return false;
        for (size_t i = 1; i < r->n_words; i++)
                if (!str_eq(r->word[i], w[i].text))
                        return false;
        return true;
}

const struct kw_row *kw_of_group(const struct kw_group *g, const struct word *w, size_t n)
{
        for (const struct kw_row *r = g ? g->rows : NULL; r; r = r->next)
                if (row_matches(r, w, n))
                        return r;
        return NULL;
}

const struct kw_row *kw_lookup(const struct kind_rt *k, const struct word *w, size_t n,
                               const struct kw_group **ret_group)
{
        const struct kw_group *g = n ? map_get(&k->groups, w[0].text) : NULL;

        if (ret_group)
                *ret_group = g;
        return kw_of_group(g, w, n);
}
