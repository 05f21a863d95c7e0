/* conf/conf.c - load: files, lines, blocks, checks. */
#include "conf/conf_int.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct conf *conf_new(struct vfs *v, const struct conf_opts *o, struct diags *d)
{
        struct conf *c = calloc(1, sizeof(*c));

        ASSERT(c != NULL);
        c->priv = calloc(1, sizeof(*c->priv));
        ASSERT(c->priv != NULL);
        atomic_init(&c->priv->refs, 1);
        c->diags = d;
        c->opts = o;
        c->warn_is_error = o->warn_is_error;
        c->priv->vfs = v;
        c->priv->vars = (struct text_vars){ env_lookup, c };
        c->priv->file_name = "";
        (void)conf_intern(c, STR(""));
        obj_names_init(c->priv);
        slot_pools_init(c);
        env_init(c);
        return c;
}

static void conf_free(struct conf *c)
{
        struct conf_priv *p = c->priv;

        for (const struct conf_ending *e = p->endings; e; e = e->next)
                e->fn(e->arg);
        slot_pools_fini(c);
        obj_names_fini(p);
        map_fini(&p->strings);
        map_fini(&p->clash);
        map_fini(&p->env);
        arena_fini(&p->mem);
        arena_fini(&p->spans);
        free(p);
        free(c);
}

void conf_at_free(struct conf *c, void (*fn)(void *arg), void *arg)
{
        struct conf_ending *e = conf_alloc(c, sizeof(*e));

        *e = (struct conf_ending){ c->priv->endings, fn, arg };
        c->priv->endings = e;
}

struct conf *conf_get(struct conf *c)
{
        (void)atomic_fetch_add_explicit(&c->priv->refs, 1, memory_order_relaxed);
        return c;
}

void conf_put(struct conf *c)
{
        /* acq_rel: the last holder must see all that the others did before they let go */
        if (c && atomic_fetch_sub_explicit(&c->priv->refs, 1, memory_order_acq_rel) == 1)
                conf_free(c);
}

size_t conf_memory(const struct conf *c)
{
        const struct conf_priv *p = c->priv;

        return p->mem.total + p->spans.total +
               (p->strings.cap + p->index.cap + p->scope.cap) * sizeof(struct map_entry);
}

int conf_read_file(struct conf *c, enum vfs_kind kind, const char *path, struct str *ret_text)
{
        return vfs_read(c->priv->vfs, kind, path, ret_text);
}

int conf_make_file(struct conf *c, enum vfs_kind kind, const char *key, int (*make)(const char *key, struct buf *out),
                   struct str *ret_text)
{
        return vfs_make(c->priv->vfs, kind, key, make, ret_text);
}

bool conf_expand_to(struct kw_call *c, const struct word *w, struct buf *b, struct str *ret_text)
{
        struct text_fault f = { .code = NULL };

        if (w->text.n && !memchr(w->text.p, '$', w->text.n)) {
                *ret_text = w->text;
                return true;
        }
        b->n = 0;
        if (!text_expand(w->text, &c->conf->priv->vars, b, &f)) {
                kw_fail(c, w, f.code, "%s at position %u of '%.*s'", f.what, f.at + 1, (int)w->text.n, w->text.p);
                return false;
        }
        if (b->n == 0) {
                kw_fail(c, w, "E0128", "'%.*s' expands to an empty string.", (int)w->text.n, w->text.p);
                return false;
        }
        *ret_text = buf_view(b);
        return true;
}

bool conf_expand(struct kw_call *c, const struct word *w, const char **ret_text)
{
        struct str text;
        AUTO_BUF(b);

        if (!conf_expand_to(c, w, &b, &text))
                return false;
        *ret_text = conf_intern(c->conf, text);
        return true;
}

/* ---- blocks (manual 2.4) ---- */

static bool block_active(const struct conf_priv *p)
{
        return p->n_levels == 0 || p->level[p->n_levels - 1].active;
}

fmt_like(4, 5) static struct diag *tight(struct conf *c, struct span at, const char *code, const char *fmt, ...)
{
        char msg[1024];
        struct diag *g;
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(msg, sizeof(msg), fmt, ap);
        va_end(ap);
        g = diag_add(c->diags, DIAG_ALERT, at, code, "%s", msg);
        g->intro = DIAG_INTRO_TIGHT;
        return g;
}

/* Where byte `at` of the words joined with single blanks stands in the file. */
static struct span joined_place(const struct line *l, size_t at)
{
        for (size_t i = 1; i < l->n; i++) {
                const struct word *w = &l->w[i];

                if (at <= w->text.n && !w->quoted)
                        return (struct span){ w->at.file, w->at.line, w->at.col + (uint32_t)at, 1 };
                if (at <= w->text.n)
                        return w->at;
                at -= w->text.n + 1;
        }
        return l->w[0].at;
}

static void cond_alert(struct conf *c, const struct line *l, struct str expr, const struct cond_fault *f)
{
        struct diag *g = tight(c, joined_place(l, f->at), "E0021", "%s in '%.*s' at position %zu", f->msg,
                               (int)l->w[0].text.n, l->w[0].text.p, f->at + 1);

        g->excerpt =
                arena_printf(&c->diags->mem, "%.*s %.*s", (int)l->w[0].text.n, l->w[0].text.p, (int)expr.n, expr.p);
        g->excerpt_col = (uint32_t)(l->w[0].text.n + 1 + f->at + 1);
}

static bool block_condition(struct conf *c, const struct line *l)
{
        struct cond_fault f;
        AUTO_BUF(b);
        int r;

        for (size_t i = 1; i < l->n; i++) {
                if (i > 1)
                        buf_putc(&b, ' ');
                buf_str(&b, l->w[i].text);
        }
        r = cond_eval((struct str){ b.p ? b.p : "", b.n }, c->opts, &c->priv->vars, &f);
        if (r < 0)
                cond_alert(c, l, buf_view(&b), &f);
        return r > 0;
}

static void block_if(struct conf *c, const struct line *l, bool active)
{
        struct conf_priv *p = c->priv;
        bool yes = active && block_condition(c, l);

        if (p->n_levels == COND_LEVELS_MAX) {
                tight(c, l->at, "E0022", "too many nested '.if' levels, %d is the maximum.", COND_LEVELS_MAX);
                return;
        }
        p->level[p->n_levels++] = (struct cond_level){ .taken = yes, .active = yes, .outer = active, .at = l->at };
}

static void block_else(struct conf *c, const struct line *l, bool elif)
{
        struct conf_priv *p = c->priv;
        struct cond_level *v = p->n_levels ? &p->level[p->n_levels - 1] : NULL;
        const char *word = elif ? ".elif" : ".else";

        if (!v) {
                tight(c, l->at, "E0023", "lone '%s' with no matching '.if'.", word);
                return;
        }
        if (v->seen_else) {
                tight(c, l->at, "E0024", "'%s' after '.else' is not permitted.", word);
                return;
        }
        v->seen_else = !elif;
        v->active = v->outer && !v->taken && (!elif || block_condition(c, l));
        v->taken |= v->active;
}

static void block_endif(struct conf *c, const struct line *l)
{
        if (c->priv->n_levels == 0)
                tight(c, l->at, "E0023", "lone '.endif' with no matching '.if'.");
        else
                c->priv->n_levels--;
}

static void block_message(struct conf *c, const struct line *l, enum diag_level level)
{
        struct str m = l->n > 1 ? l->w[1].text : (struct str){ "", 0 };
        struct diag *g;

        if (l->n > 2) {
                tight(c, l->w[2].at, "E0025",
                      "Unexpected argument '%.*s' for '%.*s'. Use quotes if the message should contain spaces.",
                      (int)l->w[2].text.n, l->w[2].text.p, (int)l->w[0].text.n, l->w[0].text.p);
                return;
        }
        g = diag_add(c->diags, level, l->at, "E0026", "'%.*s'.", (int)m.n, m.p);
        g->intro = DIAG_INTRO_TIGHT;
}

enum dot { DOT_NONE, DOT_IF, DOT_ELIF, DOT_ELSE, DOT_ENDIF, DOT_DIAG, DOT_NOTICE, DOT_WARNING, DOT_ALERT };

static enum dot dot_of(struct str w)
{
        static const char *const name[] = { NULL,    ".if",     ".elif",    ".else", ".endif",
                                            ".diag", ".notice", ".warning", ".alert" };

        for (size_t i = 1; w.n && w.p[0] == '.' && i < array_len(name); i++)
                if (str_is(w, name[i]))
                        return (enum dot)i;
        return DOT_NONE;
}

static bool is_block(enum dot d)
{
        return d >= DOT_IF && d <= DOT_ENDIF;
}

static void dot_line(struct conf *c, const struct line *l, enum dot d, bool active)
{
        if ((d == DOT_ELSE || d == DOT_ENDIF) && l->n > 1)
                tight(c, l->w[1].at, "E0025", "Unexpected argument '%.*s' for '%.*s'.", (int)l->w[1].text.n,
                      l->w[1].text.p, (int)l->w[0].text.n, l->w[0].text.p);
        switch (d) {
        case DOT_IF: block_if(c, l, active); break;
        case DOT_ELIF: block_else(c, l, true); break;
        case DOT_ELSE: block_else(c, l, false); break;
        case DOT_ENDIF: block_endif(c, l); break;
        case DOT_DIAG:
                if (c->opts->diag)
                        block_message(c, l, DIAG_ADVICE);
                break;
        case DOT_NOTICE: block_message(c, l, DIAG_NOTICE); break;
        case DOT_WARNING: block_message(c, l, DIAG_WARNING); break;
        case DOT_ALERT: block_message(c, l, DIAG_ALERT); break;
        case DOT_NONE: tight(c, l->at, "E0027", "unknown directive '%.*s'.", (int)l->w[0].text.n, l->w[0].text.p);
        }
}

static bool ends_bare_word(char ch)
{
        return (unsigned char)ch <= '#' && (ch == ' ' || ch == '\t' || ch == '#' || ch == '\r' || ch == 0);
}

/* The first bare word of a raw line: text in a false block is looked at no further. */
static struct str first_word(struct str raw)
{
        size_t i = 0, from;

        while (i < raw.n && (raw.p[i] == ' ' || raw.p[i] == '\t'))
                i++;
        for (from = i; i < raw.n && !ends_bare_word(raw.p[i]); i++)
                ;
        return str_sub(raw, from, i - from);
}

/* ---- lines and files ---- */

static void parse_words(struct conf *c, const struct line *l)
{
        const struct word *w = &l->w[0];
        struct kind_rt *k;

        if (w->text.p[0] == '.') {
                dot_line(c, l, dot_of(w->text), true);
                return;
        }
        k = map_get(&kw_engine.sections, w->text);
        if (k) {
                section_begin(c, k->k, l);
        } else if (c->priv->section && kw_parse_line(c, c->priv->section, l)) {
                slot_settle(c, c->priv->section);
        } else if (skip_begin(c, l)) {
                return;
        } else if (c->priv->section) {
                kw_unknown_line(c, c->priv->section, l);
        } else {
                tight(c, w->at, "E0100", "unknown keyword '%.*s' out of section.", (int)w->text.n, w->text.p);
        }
}

static void parse_line(struct conf *c, struct str raw, struct str first)
{
        struct conf_priv *p = c->priv;
        struct text_fault f;
        struct line l;
        enum dot d = block_active(p) ? DOT_NONE : dot_of(first);

        if (!block_active(p) && !is_block(d))
                return;
        if (d == DOT_IF || (d == DOT_ELIF && p->level[p->n_levels - 1].taken)) { /* its condition does not count */
                struct word w = { .text = first, .at = p->line_at };

                l = (struct line){ &w, 1, p->line_at };
                dot_line(c, &l, d, false);
                return;
        }
        if (block_active(p) && skip_takes(c, raw, first))
                return;
        if (!text_cut(p->text, raw, p->line_at, &p->vars, &f)) {
                text_report(c->diags, &f, raw, p->line_at);
                return;
        }
        if (p->text->n == 0)
                return;
        l = (struct line){ p->text->w, p->text->n, p->text->w[0].at };
        if (is_block(d))
                dot_line(c, &l, d, false);
        else
                parse_words(c, &l);
}

/* Cuts the next line off *text; *ret_ended tells whether it had its line feed. */
static struct str next_line(struct str *text, bool *ret_ended)
{
        const char *lf = memchr(text->p, '\n', text->n);
        size_t n = lf ? (size_t)(lf - text->p) : text->n;
        struct str line = str_sub(*text, 0, n);

        *ret_ended = lf != NULL;
        *text = str_sub(*text, n + (lf ? 1 : 0), text->n - n - (lf ? 1 : 0));
        while (line.n && line.p[line.n - 1] == '\r')
                line.n--;
        return line;
}

static void close_blocks(struct conf *c)
{
        struct conf_priv *p = c->priv;

        while (p->n_levels) {
                struct diag *g = tight(c, p->line_at, "E0028", "non-terminated '.if' block.");

                p->n_levels--;
                diag_hint(c->diags, g, "it was opened on line %u", p->level[p->n_levels].at.line);
        }
}

static void warn_no_lf(struct conf *c, struct str line)
{
        struct span at = c->priv->line_at;

        at.col = (uint32_t)(line.n < UINT32_MAX ? line.n + 1 : 1);
        diag_add(c->diags, DIAG_WARNING, at, "W0001",
                 "Missing LF on last line, file might have been truncated at position %u.", at.col)
                ->intro = DIAG_INTRO_TIGHT;
}

static void parse_text(struct conf *c, uint32_t file, struct str text)
{
        struct conf_priv *p = c->priv;
        bool ended = true;
        struct str line = { "", 0 }, first;

        if (str_has_prefix(text, STR("\xef\xbb\xbf"))) {
                tight(c, (struct span){ file, 1, 1, 3 }, "E0011", "the file starts with a byte order mark.");
                text = str_sub(text, 3, text.n - 3);
        }
        p->line_at = (struct span){ file, 0, 0, 0 };
        while (text.n) {
                p->line_at.line++;
                line = next_line(&text, &ended);
                p->ahead = text;
                first = first_word(line);
                parse_line(c, line, first);
                skip_see_line(c, line, first);
        }
        if (!ended)
                warn_no_lf(c, line);
        close_blocks(c);
        skip_end(c);
        section_end(c); /* a file ends its section (manual 2.1) */
}

static void load_file(struct conf *c, const char *path)
{
        struct str text;
        int e = vfs_read(c->priv->vfs, VFS_CONFIG, path, &text);

        if (e < 0) {
                diag_add(c->diags, DIAG_ALERT, SPAN_NONE, "E0001", "Cannot open configuration file/directory %s : %s",
                         path, strerror(-e));
                return;
        }
        c->priv->file_name = conf_intern(c, str_of(path));
        parse_text(c, diags_add_file(c->diags, path, text), text);
}

static bool has_cfg_suffix(const char *z)
{
        size_t n = strlen(z);

        return n > 4 && strcmp(z + n - 4, ".cfg") == 0;
}

static void load_dir(struct conf *c, const char *path)
{
        const char *const *names;
        size_t n, n_loaded = 0;
        int e = vfs_list(c->priv->vfs, path, &names, &n);

        for (size_t i = 0; e == 0 && i < n; i++) {
                const char *file =
                        has_cfg_suffix(names[i]) ? arena_printf(&c->priv->mem, "%s/%s", path, names[i]) : NULL;

                if (!file || vfs_is_dir(c->priv->vfs, file) == 1)
                        continue;
                load_file(c, file);
                n_loaded++;
        }
        if (e < 0)
                diag_add(c->diags, DIAG_ALERT, SPAN_NONE, "E0001", "Cannot open configuration file/directory %s : %s",
                         path, strerror(-e));
        else if (n_loaded == 0)
                diag_add(c->diags, DIAG_ALERT, SPAN_NONE, "E0001", "no configuration file in directory %s.", path);
}

/* ---- after the text ---- */

static void run_checks(struct conf *c)
{
        for (struct conf_obj *o = c->first; o; o = o->next) {
                const struct kind_rt *k = kind_rt_of(o->kind);

                for (size_t i = 0; i < k->n_checks; i++) {
                        int t = k->checks_of[i];

                        kw_engine.tables[t]->check(c, o, conf_slot_edit(c, o, t), c->diags);
                        slot_settle(c, NULL);
                }
        }
}

static void forget_spans(struct conf *c)
{
        for (struct conf_obj *o = c->first; o; o = o->next) {
                o->stmts = NULL;
                o->n_stmts = 0;
        }
        arena_fini(&c->priv->spans);
}

static void finish(struct conf *c, bool clean)
{
        if (clean) /* checks may count on what the lines promise; and their echo of a wrong line helps nobody */
                run_checks(c);
        if (c->warn_is_error && c->diags->n_warnings)
                diag_add(c->diags, DIAG_ALERT, SPAN_NONE, "E0012",
                         "Some warnings were found and 'zero-warning' is set. Aborting.");
        if (!c->opts->keep_spans)
                forget_spans(c);
        obj_names_loaded(c->priv);
}

struct conf *conf_load(struct vfs *v, const char *const *files, size_t n_files, const struct conf_opts *o,
                       struct diags *d)
{
        uint32_t alerts = d->n_alerts;
        struct text *t = calloc(1, sizeof(*t));
        struct conf *c;

        kw_boot();
        ASSERT(t != NULL);
        c = conf_new(v, o, d);
        c->priv->text = t;
        for (size_t i = 0; i < n_files; i++) {
                if (vfs_is_dir(v, files[i]) == 1)
                        load_dir(c, files[i]);
                else
                        load_file(c, files[i]);
        }
        finish(c, d->n_alerts == alerts);
        text_fini(t);
        free(t);
        c->priv->text = NULL;
        c->priv->vfs = NULL;
        c->diags = NULL;
        c->opts = NULL;
        if (d->n_alerts == alerts)
                return c;
        conf_put(c);
        return NULL;
}
