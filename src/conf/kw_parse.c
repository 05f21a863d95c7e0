/* conf/kw_parse.c - rows at work: a line of a section, the words of a nested object. */
#include "conf/conf_int.h"
#include "conf/later.h"

#include <stdlib.h>

enum mode { MODE_SET, MODE_NO, MODE_DEFAULT };

static void *field(const struct kw_call *c)
{
        return (char *)c->slot + c->kw->off;
}

static void reset_field(struct kw_call *c, const struct kw_table *t)
{
        const struct kw *kw = c->kw;
        const char *def = t->defaults ? (const char *)t->defaults + kw->off : NULL;

        if (kw->type == KW_T_BITS) {
                unsigned *f = field(c), d = 0;

                if (def)
                        memcpy(&d, def, sizeof(d));
                *f = (*f & ~kw->bit) | (d & kw->bit);
        } else if (def) {
                memcpy(field(c), def, kw->size);
        } else {
                memset(field(c), 0, kw->size);
        }
}

static int missing(struct kw_call *c, const char *what)
{
        kw_fail(c, NULL, "E0110", "'%s' expects %s", c->kw->name, what);
        return -1;
}

static int run_int(struct kw_call *c)
{
        int64_t v = 0;

        if (c->n_args == 0)
                return missing(c, "an integer argument.");
        if (!kw_arg_int(c, &c->args[0], c->kw->min, c->kw->max, &v))
                return -1;
        if (c->kw->size == 8)
                *(int64_t *)field(c) = v;
        else
                *(int *)field(c) = (int)v;
        return 1;
}

static int run_size(struct kw_call *c)
{
        uint64_t v = 0;

        if (c->n_args == 0)
                return missing(c, "a size argument.");
        if (!kw_arg_size(c, &c->args[0], (uint64_t)c->kw->min, (uint64_t)c->kw->max, &v))
                return -1;
        if (c->kw->size == 8)
                *(uint64_t *)field(c) = v;
        else
                *(unsigned *)field(c) = (unsigned)v;
        return 1;
}

/* A bare small number is nearly always meant in seconds (3.x warns, too). */
static void warn_small(struct kw_call *c, const struct word *w, int ms)
{
        if (!c->obj->kind->section || ms <= 0 || ms >= 100 || !chr_is_digit(w->text.p[w->text.n - 1]))
                return;
        kw_warn(c, w, "W0117",
                "'%s %.*s' in %s '%s' is suspiciously small for a value in milliseconds. Please use an explicit unit "
                "('%dms') if that was the intent.",
                c->kw->name, (int)w->text.n, w->text.p, c->obj->kind->name, c->obj->name, ms);
}

static int run_time(struct kw_call *c)
{
        bool seconds = c->kw->type == KW_T_TIME_S;
        int ms = 0;

        if (c->n_args == 0 && !c->obj->kind->section)
                return missing(c, "a delay as argument.");
        if (c->n_args == 0)
                return missing(c, seconds ? "an integer value (in seconds)" : "an integer value (in milliseconds)");
        if (!kw_arg_time(c, &c->args[0], seconds, &ms))
                return -1;
        if (ms < c->kw->min || (c->kw->max && ms > c->kw->max)) {
                kw_fail(c, &c->args[0], "E0112", "'%s' value must be between %lld ms and %lld ms (was %.*s)",
                        c->kw->name, (long long)c->kw->min, (long long)(c->kw->max ? c->kw->max : INT32_MAX),
                        (int)c->args[0].text.n, c->args[0].text.p);
                return -1;
        }
        if (!seconds)
                warn_small(c, &c->args[0], ms);
        *(int *)field(c) = ms;
        return 1;
}

static int run_str(struct kw_call *c)
{
        const struct word *w = c->args;
        const struct kw *kw = c->kw;

        if (c->n_args == 0)
                return missing(c, "a string argument.");
        if ((int64_t)w->text.n < kw->min || (kw->max && (int64_t)w->text.n > kw->max)) {
                kw_fail(c, w, "E0118", "'%s' expects a string of %lld to %lld bytes (got %zu).", kw->name,
                        (long long)kw->min, (long long)(kw->max ? kw->max : INT32_MAX), w->text.n);
                return -1;
        }
        *(const char **)field(c) = conf_intern(c->conf, w->text);
        return 1;
}

static int run_enum(struct kw_call *c)
{
        if (c->n_args == 0)
                return missing(c, "a value as argument.");
        return kw_arg_enum(c, &c->args[0], c->kw->vals, (int *)field(c)) ? 1 : -1;
}

static int run_flag(struct kw_call *c)
{
        unsigned *bits = field(c);

        if (c->kw->type == KW_T_FLAG)
                *(bool *)field(c) = !c->no;
        else if (c->no)
                *bits &= ~c->kw->bit;
        else
                *bits |= c->kw->bit;
        return 0;
}

static int run_none(struct kw_call *c)
{
        size_t n = c->obj->kind->section ? c->n_args : c->n_args < (size_t)c->kw->max ? c->n_args : (size_t)c->kw->max;
        struct conf_unused *u = conf_alloc(c->conf, sizeof(*u)), **at = &c->obj->unused;
        AUTO_BUF(b);

        for (size_t i = 0; i < n; i++) {
                const char *z = conf_intern(c->conf, c->args[i].text);

                buf_putc(&b, ' ');
                kw_quote(&b, z);
        }
        u->kw = c->kw;
        u->args = conf_intern(c->conf, buf_view(&b));
        while (*at)
                at = &(*at)->next;
        *at = u;
        c->conf->n_unused++;
        kw_warn(c, NULL, "W0119", "'%s' has no effect here: %s", c->kw->name, c->kw->why);
        return (int)n;
}

static int run_type(struct kw_call *c)
{
        switch (c->kw->type) {
        case KW_T_FLAG:
        case KW_T_BITS: return run_flag(c);
        case KW_T_INT: return run_int(c);
        case KW_T_SIZE: return run_size(c);
        case KW_T_TIME:
        case KW_T_TIME_S: return run_time(c);
        case KW_T_STR: return run_str(c);
        case KW_T_ENUM: return run_enum(c);
        case KW_T_FN: return c->kw->parse(c);
        case KW_T_NONE: return run_none(c);
        case KW_T_REFUSED: break;
        }
        kw_fail(c, NULL, "E0120", "'%s' is not supported: %s", c->kw->name, c->kw->why);
        return -1;
}

static bool takes_no(const struct kw *kw)
{
        return kw->type == KW_T_FLAG || kw->type == KW_T_BITS || kw->no_ok;
}

/* Runs a row; how many arguments it took, or -1 after an alert. */
static int run_row(struct kw_call *c, const struct kw_row *row, enum mode mode)
{
        bool stored = row->kw->size > 0;

        if (c->obj->kind->is_defaults && row->kw->in_defaults != KW_DEFAULTS_ANY) {
                if (!*c->obj->name) {
                        kw_fail(c, NULL, "E0129", "'%s' not allowed in anonymous '%s' section.", row->kw->name,
                                c->obj->kind->name);
                        return -1;
                }
                c->obj->has_rules |= row->kw->in_defaults == KW_DEFAULTS_RULES;
        }
        c->kw = row->kw;
        c->slot = NULL;
        if (row->table->size && row->kw->type != KW_T_NONE && row->kw->type != KW_T_REFUSED)
                c->slot = conf_slot_edit(c->conf, c->obj, row->table_index);
        c->no = mode == MODE_NO;
        if (row->kw->why && row->kw->type < KW_T_NONE)
                kw_warn(c, NULL, "W0121", "'%s' is deprecated: %s", row->kw->name, row->kw->why);
        if ((mode == MODE_DEFAULT && stored) || (mode == MODE_NO && stored && row->kw->type != KW_T_FLAG &&
                                                 row->kw->type != KW_T_BITS && row->kw->type != KW_T_FN)) {
                reset_field(c, row->table);
                return 0;
        }
        return run_type(c);
}

/* ---- what may be said about a word that no row takes ---- */

/* NULL-terminated first words of a kind; the caller frees the array. */
static const char **first_words(const struct kind_rt *k)
{
        const char **v = calloc(k->groups.used + 1, sizeof(*v));
        struct map_entry *e;
        size_t n = 0;

        ASSERT(v != NULL);
        for (size_t i = 0; (e = map_next(&k->groups, &i)) != NULL;) {
                struct kw_group *g = e->value;

                for (const struct kw_row *r = g->rows; r; r = r->next)
                        if (r->n_words == 1) {
                                v[n++] = r->kw->name;
                                break;
                        }
        }
        return v;
}

static int by_text(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void suggest_first(struct kw_call *c, struct diag *g, struct str w)
{
        struct kind_rt *k = kind_rt_of(c->obj->kind);
        const char **names = first_words(k);
        size_t n = 0;

        while (names[n])
                n++;
        qsort(names, n, sizeof(*names), by_text); /* equal distances: the same answer on each run */
        diag_suggest(c->diags, g, kw_nearest(w, names));
        free(names);
}

/* Second words of a group, NULL-terminated, from `names`' point of view "client" for "timeout client". */
static const char **second_words(const struct kw_group *g)
{
        const char **v = calloc(g->n + 1, sizeof(*v));
        size_t n = 0;

        ASSERT(v != NULL);
        for (const struct kw_row *r = g->rows; r; r = r->next)
                if (r->n_words > 1)
                        v[n++] = r->kw->name + g->first.n + 1;
        qsort(v, n, sizeof(*v), by_text);
        return v;
}

static void unknown_second(struct kw_call *c, const struct kw_group *g, const struct word *w, size_t n)
{
        const char **names = second_words(g);
        struct str got = n > 1 ? w[1].text : (struct str){ "", 0 };
        struct diag *d;
        AUTO_BUF(b);

        for (size_t i = 0; names[i]; i++)
                buf_printf(&b, "%s'%s'", i == 0 ? "" : names[i + 1] ? ", " : " and ", names[i]);
        if (g->options && n < 2)
                d = kw_fail(c, &w[0], "E0123", "'%.*s' expects an %.*s name.", (int)g->first.n, g->first.p,
                            (int)g->first.n, g->first.p);
        else if (g->options)
                d = kw_fail(c, &w[1], "E0122", "unknown %.*s '%.*s'", (int)g->first.n, g->first.p, (int)got.n, got.p);
        else
                d = kw_fail(c, &w[n > 1], "E0124", "'%.*s' supports %.*s (got '%.*s')", (int)g->first.n, g->first.p,
                            (int)b.n, b.p ? b.p : "", (int)got.n, got.p);
        if (g->options && n > 1)
                diag_suggest(c->diags, d, kw_nearest(got, names));
        else if (n > 1 && kw_nearest(got, names))
                diag_hint(c->diags, d, "did you mean '%s'?", kw_nearest(got, names));
        free(names);
}

/* Kinds of one family inherit from the same defaults: proxies among themselves. */
static kind_mask family(const struct conf_kind *k)
{
        return k->inherits | (k->is_defaults ? k->bit : 0);
}

static const struct kw_row *row_elsewhere(const struct conf_kind *k, const struct word *w, size_t n)
{
        for (size_t i = 0; i < KINDS_MAX; i++) {
                struct kind_rt *other = kw_engine.kinds[i];
                const struct kw_row *r;

                if (!other || other->k == k || !other->k->section || !(family(other->k) & family(k)))
                        continue;
                r = kw_lookup(other, w, n, NULL);
                if (r && !r->warn_only)
                        return r;
        }
        return NULL;
}

/* From the first byte of the keyword's first word to the last byte of its last. */
static struct span name_span(const struct word *w, size_t n)
{
        struct span at = w[0].at;

        at.len = w[n - 1].at.col + w[n - 1].at.len - at.col;
        return at;
}

/* True after an alert: it is a keyword of HAProxy. */
static bool refuse_later(struct kw_call *c, const struct kw_group *g, const struct word *w, size_t n)
{
        size_t words;
        const char *text = later_line(&c->diags->mem, c->obj->kind->bit, w, n, g != NULL, &words);

        if (!text)
                return false;
        c->at = name_span(w, words);
        kw_fail(c, NULL, "E0120", "%s", text);
        return true;
}

static void unknown_line(struct kw_call *c, const struct kw_group *g, const struct word *w, size_t n)
{
        const struct conf_kind *k = c->obj->kind;
        const struct kw_row *other = row_elsewhere(k, w, n);
        struct diag *d;

        if (other && k->lacks)
                kw_fail(c, &w[0], "E0125", "'%s' not allowed because %s '%s' has no %s capability.", other->kw->name,
                        k->name, c->obj->name, k->lacks);
        else if (other)
                kw_fail(c, &w[0], "E0125", "'%s' not allowed in '%s' section.", other->kw->name, k->name);
        else if (refuse_later(c, g, w, n))
                return;
        else if (g)
                unknown_second(c, g, w, n);
        else {
                d = kw_fail(c, &w[0], "E0101", "unknown keyword '%.*s' in '%s' section", (int)w[0].text.n, w[0].text.p,
                            k->name);
                suggest_first(c, d, w[0].text);
        }
}

/* HAProxy names an option without "option", and has its own form for timeouts. */
static void ignored(struct kw_call *c, const struct kw_row *row, const struct kw_group *g)
{
        const struct conf_obj *o = c->obj;
        const char *name = row->kw->name + (g->options && row->n_words > 1 ? g->first.n + 1 : 0);
        bool time = row->kw->type == KW_T_TIME;

        kw_warn(c, NULL, "W0126", "'%s' %signored because %s '%s' has no %s capability%s", name, time ? "will be " : "",
                o->kind->name, o->name, o->kind->lacks ? o->kind->lacks : "such", time ? "" : ".");
}

/* Keywords beside options that take `no` in this kind: "a, b and c". */
static void list_no_words(const struct kind_rt *k, struct buf *out)
{
        struct map_entry *e;
        const char *names[64];
        size_t n = 0;

        for (size_t i = 0; n < array_len(names) && (e = map_next(&k->groups, &i)) != NULL;) {
                const struct kw_group *g = e->value;

                if (g->rows->n_words == 1 && takes_no(g->rows->kw))
                        names[n++] = g->rows->kw->name;
        }
        qsort(names, n, sizeof(*names), by_text);
        for (size_t i = 0; i < n; i++)
                buf_printf(out, "%s%s", i + 1 < n ? ", " : " and ", names[i]);
}

static void refuse_no(struct kw_call *c, const struct kw_group *g, const struct kw_row *row)
{
        struct diag *d;
        AUTO_BUF(b);

        if (g && g->options && row && row->n_words > 1) {
                d = kw_fail(c, &c->line->w[0], "E0127", "negation/default is not supported for %.*s '%s'.",
                            (int)g->first.n, g->first.p, row->kw->name + g->first.n + 1);
        } else {
                list_no_words(kind_rt_of(c->obj->kind), &b);
                d = kw_fail(c, &c->line->w[0], "E0127", "negation/default currently supported only for options%.*s.",
                            (int)b.n, b.p ? b.p : "");
        }
        d->intro = DIAG_INTRO_TIGHT;
}

static void too_many(struct kw_call *c, int used)
{
        const struct word *w = &c->args[used];

        if (used == 1 && (c->kw->type == KW_T_TIME || c->kw->type == KW_T_TIME_S))
                kw_fail(c, w, "E0103", "'%s' : unexpected extra argument '%.*s' after value '%.*s'.", c->kw->name,
                        (int)w->text.n, w->text.p, (int)c->args[0].text.n, c->args[0].text.p);
        else
                kw_fail(c, w, "E0103", "'%s' cannot handle unexpected argument '%.*s'.", c->kw->name, (int)w->text.n,
                        w->text.p);
}

static bool can_mode(const struct kw_row *row, enum mode mode)
{
        if (mode == MODE_SET)
                return true;
        return takes_no(row->kw) && (mode == MODE_NO || row->kw->size > 0);
}

void kw_unknown_line(struct conf *c, struct conf_obj *o, const struct line *l)
{
        struct kw_call call = { .conf = c, .obj = o, .line = l, .at = l->at, .diags = c->diags };

        unknown_line(&call, NULL, l->w, l->n);
}

bool kw_parse_line(struct conf *c, struct conf_obj *o, const struct line *l)
{
        struct kw_call call = { .conf = c, .obj = o, .line = l, .at = l->at, .diags = c->diags };
        const struct kw_group *g;
        const struct kw_row *row;
        enum mode mode = MODE_SET;
        uint32_t n_objs = c->n_objs;
        size_t i;
        int used;

        if (l->n > 1 && !l->w[0].quoted)
                mode = str_is(l->w[0].text, "no") ? MODE_NO : str_is(l->w[0].text, "default") ? MODE_DEFAULT : MODE_SET;
        i = mode != MODE_SET;
        row = kw_lookup(kind_rt_of(o->kind), l->w + i, l->n - i, &g);
        if (!row && !g && mode == MODE_SET)
                return false;
        if (!row) {
                unknown_line(&call, g, l->w + i, l->n - i);
                return true;
        }
        call.kw = row->kw;
        call.at = name_span(l->w + i, row->n_words);
        call.args = l->w + i + row->n_words;
        call.n_args = l->n - i - row->n_words;
        if (row->warn_only) {
                ignored(&call, row, g);
                return true;
        }
        if (!can_mode(row, mode)) {
                refuse_no(&call, g, row);
                return true;
        }
        used = run_row(&call, row, mode);
        if (used >= 0 && (size_t)used < call.n_args)
                too_many(&call, used);
        if (c->n_objs == n_objs) /* a line that made an object has its places there */
                obj_note(c, o, row->kw, call.at, call.n_args ? call.args[0].at : call.at);
        return true;
}

/* ---- words of a nested object ---- */

static const struct kw_row *word_row(const struct conf_obj *o, const struct word *w, size_t n, enum mode *ret_mode)
{
        const struct kind_rt *k = kind_rt_of(o->kind);
        const struct kw_row *row = kw_lookup(k, w, n, NULL);
        struct word rest = w[0];

        *ret_mode = MODE_SET;
        if (row || !str_has_prefix(w[0].text, STR("no-")))
                return row;
        rest.text = str_sub(rest.text, 3, rest.text.n - 3);
        row = kw_lookup(k, &rest, 1, NULL);
        *ret_mode = MODE_NO;
        return row && takes_no(row->kw) ? row : NULL;
}

static bool is_later(const struct conf_obj *o, const struct word *w)
{
        return later_find(LATER_KEYWORD, o->kind->bit, NULL, w->text) != NULL;
}

/* Arguments of an unknown word are unknown, too: goes on at the next known one. */
static size_t skip_unknown(const struct conf_obj *o, const struct word *w, size_t n)
{
        enum mode m;
        size_t i = 1;

        while (i < n && !word_row(o, w + i, n - i, &m) && !is_later(o, w + i))
                i++;
        return i;
}

static void unknown_word(struct kw_call *c, const struct word *w)
{
        struct diag *d;

        if (refuse_later(c, NULL, w, 1))
                return;
        d = kw_fail(c, &w[0], "E0101", "unknown keyword '%.*s'", (int)w[0].text.n, w[0].text.p);
        suggest_first(c, d, w[0].text);
        if (!d->suggest)
                d->text = arena_printf(&c->diags->mem, "%s.", d->text);
}

static size_t parse_word(struct kw_call *c, const struct word *w, size_t n)
{
        enum mode mode;
        const struct kw_row *row = word_row(c->obj, w, n, &mode);
        int used;

        if (!row) {
                unknown_word(c, w);
                return skip_unknown(c->obj, w, n);
        }
        c->kw = row->kw;
        c->at = name_span(w, row->n_words);
        c->args = w + row->n_words;
        c->n_args = n - row->n_words;
        if (row->warn_only) {
                kw_warn(c, NULL, "W0126", "'%s' is ignored here.", row->kw->name);
                return row->n_words;
        }
        used = run_row(c, row, mode);
        ASSERT(used <= (int)c->n_args);
        obj_note(c->conf, c->obj, row->kw, c->at, used > 0 ? c->args[0].at : c->at);
        if (used < 0) /* its argument was wrong; do not take it for a word */
                return row->n_words + skip_unknown(c->obj, w + row->n_words - 1, n - row->n_words + 1) - 1;
        return row->n_words + (size_t)used;
}

bool kw_parse_words(struct kw_call *c, struct conf_obj *obj, const struct word *w, size_t n)
{
        struct kw_call call = { .conf = c->conf, .obj = obj, .line = c->line, .diags = c->diags };
        uint32_t alerts = c->diags->n_alerts;

        for (size_t i = 0; i < n;)
                i += parse_word(&call, w + i, n - i);
        return c->diags->n_alerts == alerts;
}
