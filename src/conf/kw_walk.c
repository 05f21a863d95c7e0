/* conf/kw_walk.c - makes bad and good uses of each row and looks at the answers. */
#include "conf/kw_walk.h"

#include "conf/conf_int.h"

/* One use of a row in a file. */
struct form {
        const struct kw_ref *r;
        const struct conf_kind *kind, *section; /* section: where it stands; equal to kind for lines */
        const char *args;                       /* after the keyword, with a leading blank */
        size_t bad_at;                          /* offset in args of what is wrong; SIZE_MAX: the keyword itself */
        const char *what;
};

/* The file of a form; returns the column of the keyword on the last line. */
static uint32_t write_file(const struct form *f, struct buf *out)
{
        size_t line;

        buf_printf(out, "%s%s\n", f->section->name, f->section->named || f->section->is_defaults ? " walk" : "");
        line = out->n;
        buf_puts(out, "    ");
        if (f->kind != f->section)
                buf_printf(out, "%s ", f->kind->example);
        buf_printf(out, "%s%s\n", f->r->kw->name, f->args);
        line = out->n - line - strlen(f->args) - strlen(f->r->kw->name);
        if (f->r->kw->sample_rest)
                buf_puts(out, f->r->kw->sample_rest);
        return (uint32_t)line;
}

struct answer {
        struct diags d;
        struct conf *c;
        struct vfs *v;
};

static void ask(struct answer *a, struct str text, const struct conf_opts *o)
{
        static const char *const files[] = { "walk.cfg" };

        a->v = vfs_new_memory();
        vfs_add(a->v, VFS_CONFIG, files[0], text);
        vfs_add(a->v, VFS_OTHER, "/dev/null", STR("")); /* what samples name that need a file */
        diags_init(&a->d);
        a->c = conf_load(a->v, files, 1, o, &a->d);
}

static void done(struct answer *a)
{
        conf_put(a->c);
        diags_fini(&a->d);
        vfs_free(a->v);
}

static void failed(struct kw_walk *w, const struct form *f, struct str text, const struct answer *a, const char *why)
{
        w->failures++;
        buf_printf(&w->report, "table '%s', row '%s', kind '%s', %s: %s\n%.*s", f->r->table->name, f->r->kw->name,
                   f->kind->name, f->what, why, (int)text.n, text.p);
        diags_format(&a->d, DIAG_FRAME, DIAG_NOTICE, 0, &w->report);
}

static bool alert_at(const struct diags *d, uint32_t line, uint32_t col, uint32_t len)
{
        list_for_each (i, &d->all) {
                const struct diag *g = list_item(i, struct diag, link);

                if (g->level == DIAG_ALERT && g->at.line == line && g->at.col >= col && g->at.col < col + len)
                        return true;
        }
        return false;
}

static void bad(struct kw_walk *w, const struct conf_opts *o, const struct form *f)
{
        struct answer a;
        AUTO_BUF(b);
        uint32_t col = write_file(f, &b), len = (uint32_t)strlen(f->r->kw->name);

        w->bad_forms++;
        ask(&a, buf_view(&b), o);
        if (f->bad_at != SIZE_MAX) {
                col += len + (uint32_t)f->bad_at;
                len = (uint32_t)(strlen(f->args) - f->bad_at);
        }
        if (a.c)
                failed(w, f, buf_view(&b), &a, "was accepted");
        else if (!alert_at(&a.d, 2, col, len))
                failed(w, f, buf_view(&b), &a, "has no alert at the right place");
        done(&a);
}

/* Loads, dumps, loads the dump: both dumps must be equal. */
static void good(struct kw_walk *w, const struct conf_opts *o, const struct form *f)
{
        struct answer a, again;
        AUTO_BUF(b);
        AUTO_BUF(once);
        AUTO_BUF(twice);

        (void)write_file(f, &b);
        w->good_forms++;
        ask(&a, buf_view(&b), o);
        if (!a.c) {
                failed(w, f, buf_view(&b), &a, "was refused");
                done(&a);
                return;
        }
        conf_dump(a.c, &once);
        ask(&again, buf_view(&once), o);
        if (again.c)
                conf_dump(again.c, &twice);
        if (!again.c || !str_eq(buf_view(&once), buf_view(&twice)))
                failed(w, f, buf_view(&once), &again, "its dump does not round-trip");
        done(&again);
        done(&a);
}

static void bad_text(struct kw_walk *w, const struct conf_opts *o, struct form *f, const char *args, const char *what)
{
        f->args = args;
        f->what = what;
        bad(w, o, f);
}

/* An integer just outside of the range, on the side that exists. */
static void bad_range(struct kw_walk *w, const struct conf_opts *o, struct form *f)
{
        const struct kw *kw = f->r->kw;
        AUTO_BUF(b);

        if (kw->max < INT64_MAX) {
                buf_printf(&b, " %lld", (long long)kw->max + 1);
                buf_putc(&b, 0);
                bad_text(w, o, f, b.p, "just above the range");
        }
        b.n = 0;
        if (kw->min > (kw->type == KW_T_INT ? INT64_MIN : 0)) {
                buf_printf(&b, " %lld", (long long)kw->min - 1);
                buf_putc(&b, 0);
                bad_text(w, o, f, b.p, "just below the range");
        }
}

static void bad_numbers(struct kw_walk *w, const struct conf_opts *o, struct form *f)
{
        bad_text(w, o, f, " 1e9", "a wrong number");
        bad_text(w, o, f, " abc", "no number");
        bad_text(w, o, f, " 9223372036854775808", "2^63");
        bad_text(w, o, f, " -9223372036854775809", "below -2^63");
}

static void bad_times(struct kw_walk *w, const struct conf_opts *o, struct form *f)
{
        bad_text(w, o, f, " abc", "no time");
        bad_text(w, o, f, " 1x", "a wrong unit");
        bad_text(w, o, f, " -1", "a negative time");
        bad_text(w, o, f, " 2147483648ms", "a time above the maximum");
        bad_text(w, o, f, " 25d", "a time above the maximum, in days");
        bad_text(w, o, f, " 18446744073709551616", "2^64");
        if (f->r->kw->max)
                bad_text(w, o, f, " 2147483647ms", "a time above the row's maximum");
}

/* Wrong values for the type of a row that takes one argument. */
static void bad_values(struct kw_walk *w, const struct conf_opts *o, struct form *f)
{
        f->bad_at = 1;
        switch (f->r->kw->type) {
        case KW_T_INT:
                bad_numbers(w, o, f);
                bad_range(w, o, f);
                break;
        case KW_T_SIZE:
                bad_text(w, o, f, " 1x", "a wrong unit");
                bad_text(w, o, f, " -1", "a negative size");
                bad_text(w, o, f, " 18446744073709551615g", "an overflow by the unit");
                bad_range(w, o, f);
                break;
        case KW_T_TIME:
        case KW_T_TIME_S: bad_times(w, o, f); break;
        case KW_T_ENUM: bad_text(w, o, f, " no-such-value", "an unknown value"); break;
        default: break;
        }
}

static bool takes_argument(const struct kw *kw)
{
        if (kw->type == KW_T_FN)
                return kw->args && kw->args[0] == '<';
        return kw->type == KW_T_INT || kw->type == KW_T_SIZE || kw->type == KW_T_TIME || kw->type == KW_T_TIME_S ||
               kw->type == KW_T_STR || kw->type == KW_T_ENUM;
}

static bool good_args(const struct kw *kw, struct buf *out)
{
        if (kw->sample) {
                buf_printf(out, "%s%s", *kw->sample ? " " : "", kw->sample);
                buf_putc(out, 0);
                return true;
        }
        switch (kw->type) {
        case KW_T_INT: buf_printf(out, " %lld", (long long)kw->max); break;
        case KW_T_SIZE: buf_printf(out, " %lld", (long long)kw->max); break;
        case KW_T_TIME:
        case KW_T_TIME_S: buf_printf(out, " %lldms", (long long)(kw->max ? kw->max : INT32_MAX)); break;
        case KW_T_STR:
                for (buf_puts(out, " w"); (int64_t)out->n - 1 < kw->min;)
                        buf_putc(out, 'w');
                break;
        case KW_T_ENUM: buf_printf(out, " %s", kw->vals[0].name); break;
        case KW_T_FN: return false;
        case KW_T_FLAG:
        case KW_T_BITS:
        case KW_T_NONE:
        case KW_T_REFUSED: break;
        }
        buf_putc(out, 0);
        return true;
}

/* More words than the row can take. In nested kinds the next word is just unknown there. */
static void extra(struct kw_walk *w, const struct conf_opts *o, struct form *f, const char *args)
{
        const struct kw *kw = f->r->kw;
        AUTO_BUF(b);

        if (kw->type == KW_T_NONE || kw->type == KW_T_REFUSED || (kw->args && strstr(kw->args, "...")))
                return;
        buf_printf(&b, "%s stray-word", args);
        buf_putc(&b, 0);
        f->bad_at = strlen(args) + 1;
        bad_text(w, o, f, b.p, "an extra argument");
}

static void walk_row(struct kw_walk *w, const struct conf_opts *o, struct form *f)
{
        const struct kw *kw = f->r->kw;
        AUTO_BUF(b);

        f->bad_at = SIZE_MAX;
        if (kw->type == KW_T_REFUSED) {
                bad_text(w, o, f, "", "a refused word");
                return;
        }
        if (takes_argument(kw))
                bad_text(w, o, f, "", "no argument");
        bad_values(w, o, f);
        if (!good_args(kw, &b)) {
                w->no_sample++;
                return;
        }
        f->args = b.p;
        f->what = "a good use";
        good(w, o, f);
        extra(w, o, f, b.p);
}

/* The section that a kind's line can stand in; NULL when the tables do not say. */
static const struct conf_kind *section_for(const struct conf_kind *k)
{
        if (k->section)
                return k;
        return k->example && k->parents ? kw_kind(k->parents & (0 - k->parents)) : NULL;
}

void kw_walk(const struct conf_opts *o, struct kw_walk *w)
{
        const struct kw_ref *all;
        size_t n;

        kw_boot();
        all = kw_all(&n);
        for (size_t i = 0; i < n; i++) {
                w->rows++;
                for (kind_mask m = kw_kinds_of(&all[i]); m; m &= m - 1) {
                        const struct conf_kind *k = kw_kind(m & (0 - m));
                        struct form f = { &all[i], k, k ? section_for(k) : NULL, "", SIZE_MAX, "" };

                        if (f.section)
                                walk_row(w, o, &f);
                }
        }
}
