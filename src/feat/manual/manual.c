/* feat/manual/manual.c - `telamon manual`: the page telamon.cfg(5), made from the rows of everything that is linked in. */
#include "conf/kw_doc.h"
#include "conf/later.h"
#include "core/cli.h"
#include "core/role.h"
#include "core/rules.h"

#include <stdio.h>
#include <stdlib.h>

/* Rows of several kinds look alike on the page: name, arguments, a sentence. */
struct entry {
        const char *name, *help, *manual;
        char args[160];
};

struct entries {
        struct entry *v;
        size_t n;
};

static struct entry *entry_add(struct entries *e, const char *name, const char *help, const char *manual)
{
        e->v = realloc(e->v, (e->n + 1) * sizeof(*e->v));
        ASSERT(e->v != NULL);
        e->v[e->n] = (struct entry){ .name = name, .help = help, .manual = manual };
        return &e->v[e->n++];
}

static int by_name(const void *a, const void *b)
{
        return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void entry_print(const struct entry *e, struct buf *out)
{
        AUTO_BUF(text);

        buf_puts(out, ".TP\n\\fB");
        kw_roff(out, e->name);
        buf_puts(out, "\\fR");
        kw_roff(out, e->args);
        buf_putc(out, '\n');
        kw_sentence(&text, e->help ? e->help : "");
        buf_putc(&text, 0);
        kw_roff(out, text.p);
        if (text.n > 1)
                buf_putc(out, '\n');
        if (e->manual)
                buf_printf(out, "(%s)\n", e->manual);
}

static void section(const char *title, const char *intro, struct entries *e, struct buf *out)
{
        if (e->n == 0)
                return;
        buf_printf(out, ".SH \"%s\"\n%s\n", title, intro);
        qsort(e->v, e->n, sizeof(*e->v), by_name);
        for (size_t i = 0; i < e->n; i++)
                entry_print(&e->v[i], out);
        free(e->v);
}

static const char *const arg_names[] = {
        [ARG_STR] = "string",     [ARG_SINT] = "integer",   [ARG_TIME] = "time",    [ARG_SIZE] = "size",
        [ARG_IPV4_MASK] = "mask", [ARG_FRONT] = "frontend", [ARG_BACK] = "backend", [ARG_SERVER] = "server",
        [ARG_TABLE] = "table",    [ARG_REG] = "regex",      [ARG_VAR] = "variable"
};

/* "(integer[,string])" */
static void arg_list(const enum expr_arg_type *types, unsigned min, char *ret_s, size_t size)
{
        AUTO_BUF(b);
        unsigned n = 0;

        for (; n < 4 && types[n] != ARG_NONE; n++)
                buf_printf(&b, "%s%s%s", n >= min ? "[" : "", n ? "," : "", arg_names[types[n]]);
        for (unsigned i = min; i < n; i++)
                buf_putc(&b, ']');
        if (n)
                (void)snprintf(ret_s, size, "(%.*s)", (int)b.n, b.p);
}

static void fetches(struct buf *out)
{
        struct entries e = { 0 };
        size_t n;
        const struct fetch_table *const *t = expr_fetch_tables(&n);

        for (size_t i = 0; i < n; i++) {
                for (const struct fetch *f = t[i]->rows; f < t[i]->rows + t[i]->n; f++)
                        arg_list(f->args, f->min_args, entry_add(&e, f->name, f->help, f->manual)->args,
                                 sizeof(e.v->args));
        }
        section("SAMPLE FETCHES", "What conditions, log formats and rules can ask for.", &e, out);
}

static void converters(struct buf *out)
{
        struct entries e = { 0 };
        size_t n;
        const struct conv_table *const *t = expr_conv_tables(&n);

        for (size_t i = 0; i < n; i++) {
                for (const struct conv *c = t[i]->rows; c < t[i]->rows + t[i]->n; c++)
                        arg_list(c->args, c->min_args, entry_add(&e, c->name, c->help, c->manual)->args,
                                 sizeof(e.v->args));
        }
        section("CONVERTERS", "They follow a fetch after a comma and change its value.", &e, out);
}

static void actions(struct buf *out)
{
        struct entries e = { 0 };
        size_t n;
        const struct action_table *const *t = rules_action_tables(&n);

        for (size_t i = 0; i < n; i++) {
                for (const struct action *a = t[i]->rows; a < t[i]->rows + t[i]->n; a++) {
                        struct entry *x = entry_add(&e, a->name, a->help, a->manual);
                        if (a->args)
                                (void)snprintf(x->args, sizeof(x->args), " %s", a->args);
                }
        }
        section("ACTIONS", "Of http\\-request and http\\-response rules.", &e, out);
}

static void commands(struct buf *out)
{
        struct entries e = { 0 };
        unsigned n;
        const struct cli_cmd *const *c = cli_all(&n);

        for (unsigned i = 0; i < n; i++) {
                struct entry *x = entry_add(&e, c[i]->words, c[i]->help, NULL);
                if (c[i]->args)
                        (void)snprintf(x->args, sizeof(x->args), " %s", c[i]->args);
        }
        section("RUNTIME COMMANDS", "Of a stats socket, one a line.", &e, out);
}

/* ---- what HAProxy has and this program has not ---- */

static int by_id(const void *a, const void *b)
{
        return strcmp((*(const struct later_table *const *)a)->id, (*(const struct later_table *const *)b)->id);
}

static void later_title(const struct later_table *t, struct buf *out)
{
        const char *comma = " in ";

        buf_printf(out, "%s%s%s", t->what, t->of ? " of " : "", t->of ? t->of : "");
        for (unsigned i = 0; i < 64; i++) {
                const struct conf_kind *k = t->kinds >> i & 1 ? kw_kind((kind_mask)1 << i) : NULL;

                if (k)
                        buf_printf(out, "%s%s", comma, k->name);
                comma = k ? ", " : comma;
        }
        buf_puts(out, t->never ? ", not planned" : "");
        buf_putc(out, 0);
}

static void later_print(const struct later_table *t, struct buf *out)
{
        struct str names = str_of(t->names), one;
        AUTO_BUF(title);
        AUTO_BUF(text);

        later_title(t, &title);
        buf_puts(out, ".TP\n");
        kw_roff(out, title.p);
        while (later_next(&names, &one))
                buf_printf(&text, "%.*s%s", (int)one.n, one.p, names.n ? ",\n" : "");
        buf_putc(&text, 0);
        buf_putc(out, '\n');
        kw_roff(out, text.p);
        buf_putc(out, '\n');
}

static void later(struct buf *out)
{
        size_t n;
        const struct later_table *const *t = later_tables(&n);
        const struct later_table **v = calloc(n + 1, sizeof(*v));

        ASSERT(v != NULL);
        for (size_t i = 0; i < n; i++)
                v[i] = t[i];
        qsort(v, n, sizeof(*v), by_id);
        buf_puts(out,
                 ".SH \"NOT SUPPORTED\"\nNames of HAProxy that are refused as such, not as typing mistakes.\n.ad l\n");
        for (size_t i = 0; i < n; i++)
                later_print(v[i], out);
        buf_puts(out, ".ad b\n");
        free(v);
}

static void page(struct buf *out)
{
        buf_puts(out,
                 ".TH TELAMON.CFG 5 \"\" \"telamon\" \"File Formats\"\n"
                 ".SH NAME\ntelamon.cfg \\- the configuration of telamon(1)\n"
                 ".SH DESCRIPTION\n"
                 "The file has the format of haproxy.cfg: a section begins with its word (global,\n"
                 "defaults, frontend, backend, listen) and a name, and the lines below belong to it.\n"
                 "This page lists every word that this program knows; it is made from the tables that read the file.\n"
                 "A number in parentheses is the section of HAProxy's configuration manual that tells more.\n"
                 ".PP\n"
                 "Times take the units us, ms, s, m, h and d, sizes k, m and g.\n"
                 "Many words have a \\(lqno\\(rq form; # starts a comment.\n"
                 "What is not listed here is refused when the file is loaded, with the place and what might be meant.\n"
                 ".PP\n"
                 "\\(lqA change applies\\(rq says what a reload does with a changed line (see telamon(1), "
                 "RELOADING).\n");
        kw_manual(out);
        actions(out);
        fetches(out);
        converters(out);
        commands(out);
        later(out);
        buf_puts(out, ".SH \"SEE ALSO\"\n.BR telamon (1)\n");
}

static int manual_main(int argc, char **argv)
{
        AUTO_BUF(b);

        (void)argv;
        if (argc > 1) {
                (void)fputs("usage: telamon manual > telamon.cfg.5\n", stderr);
                return 1;
        }
        page(&b);
        return fwrite(b.p, 1, b.n, stdout) == b.n && fflush(stdout) == 0 ? 0 : 1;
}

static const struct verb verb_manual = { "manual", "",
                                         "print the manual page of the configuration file, telamon.cfg(5)",
                                         manual_main };
VERB(verb_manual);
