/* main/verbs.c - `telamon dump FILE...` and `telamon explain KEYWORD`. */
#include "conf/kw_doc.h"
#include "core/role.h"
#include "main/load.h"
#include "main/proclog.h"

#include <stdio.h>
#include <unistd.h>

static void print(struct buf *b)
{
        (void)fwrite(b->p, 1, b->n, stdout);
}

/* The canonical text of a configuration: what was understood, with everything that sections inherited. */
static int dump_main(int argc, char **argv)
{
        struct args a = { .files = (const char **)(uintptr_t)(argv + 1), .n_files = (size_t)argc - 1 };
        struct load l;
        bool ok;
        AUTO_BUF(report);
        AUTO_BUF(text);

        if (argc < 2) {
                (void)fputs("usage: telamon dump FILE...\n", stderr);
                return 1;
        }
        load_init(&l);
        load_environment(&a);
        ok = load_disk(&l, &a);
        load_report(&l, load_form(&a), &report);
        if (report.n)
                proclog_raw(buf_view(&report));
        if (ok) {
                conf_dump(l.conf, &text);
                print(&text);
        }
        load_fini(&l);
        return ok ? 0 : 1;
}

static const struct verb verb_dump = { "dump", "FILE...", "print a configuration as it was understood", dump_main };
VERB(verb_dump);

/* ---- explain ---- */

static const char *const types[] = { [KW_T_FLAG] = "flag",
                                     [KW_T_INT] = "number",
                                     [KW_T_SIZE] = "size",
                                     [KW_T_TIME] = "time",
                                     [KW_T_TIME_S] = "time",
                                     [KW_T_STR] = "text",
                                     [KW_T_ENUM] = "one of",
                                     [KW_T_BITS] = "flag",
                                     [KW_T_FN] = "",
                                     [KW_T_NONE] = "no effect",
                                     [KW_T_REFUSED] = "not supported" };
static const char *const applies[] = { [KW_LIVE] = "at once, also for what is under way",
                                       [KW_NEW] = "for new sessions and requests",
                                       [KW_SWAP] = "by a new worker, that the reload starts beside the old one",
                                       [KW_REFUSED] = "only by a restart" };

static void explain_kinds(const struct kw_ref *r, struct buf *out)
{
        kind_mask m = kw_kinds_of(r);
        bool first = true;

        for (unsigned i = 0; i < 64; i++) {
                const struct conf_kind *k = m >> i & 1 ? kw_kind((kind_mask)1 << i) : NULL;

                if (k)
                        buf_printf(out, "%s%s", first ? "" : ", ", k->name);
                if (k)
                        first = false;
        }
}

static void explain_row(const struct kw_ref *r, struct buf *out)
{
        const struct kw *k = r->kw;

        buf_printf(out, "%s%s%s\n", k->name, k->args ? " " : "", k->args ? k->args : "");
        buf_puts(out, "    stands in: ");
        explain_kinds(r, out);
        buf_puts(out, "\n    ");
        kw_sentence(out, k->help ? k->help : "");
        buf_putc(out, '\n');
        if (k->why)
                buf_printf(out, "    %s: %s.\n", types[k->type], k->why);
        if (k->type == KW_T_INT && (k->min || k->max))
                buf_printf(out, "    from %lld to %lld.\n", (long long)k->min, (long long)k->max);
        for (const struct kw_val *v = k->vals; v && v->name; v++)
                buf_printf(out, "%s%s%s", v == k->vals ? "    one of " : ", ", v->name, v[1].name ? "" : ".\n");
        buf_printf(out, "    A change in a reload applies %s.\n", applies[k->apply]);
        if (k->manual)
                buf_printf(out, "    HAProxy configuration manual, section %s.\n", k->manual);
}

static unsigned explain(const char *name, struct buf *out)
{
        size_t n;
        const struct kw_ref *all = kw_all(&n);
        unsigned found = 0;

        for (size_t i = 0; i < n; i++) {
                if (strcmp(all[i].kw->name, name) != 0)
                        continue;
                if (found++)
                        buf_putc(out, '\n');
                explain_row(&all[i], out);
        }
        return found;
}

static const char *nearest(const char *name)
{
        size_t n;
        const struct kw_ref *all = kw_all(&n);

        for (size_t i = 0; i < n; i++) {
                const char *const one[] = { all[i].kw->name, NULL };

                if (kw_nearest(str_of(name), one))
                        return all[i].kw->name;
        }
        return NULL;
}

static int explain_main(int argc, char **argv)
{
        AUTO_BUF(name);
        AUTO_BUF(out);

        if (argc < 2) {
                (void)fputs("usage: telamon explain KEYWORD...\n", stderr);
                return 1;
        }
        for (int i = 1; i < argc; i++)
                buf_printf(&name, "%s%s", i > 1 ? " " : "", argv[i]);
        buf_putc(&name, 0);
        kw_boot();
        if (explain(name.p, &out) == 0) {
                const char *near = nearest(name.p);

                (void)fprintf(stderr, "unknown keyword '%s'%s%s%s\n", name.p, near ? "; did you mean '" : "",
                              near ? near : "", near ? "' maybe ?" : "");
                return 1;
        }
        print(&out);
        return 0;
}

static const struct verb verb_explain = { "explain", "KEYWORD...", "say what a keyword does, and where it may stand",
                                          explain_main };
VERB(verb_explain);
