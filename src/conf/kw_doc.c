/* conf/kw_doc.c - documents made from the rows: the keyword sections of telamon.cfg(5) and the word list for shell completion. */
#include "conf/kw_doc.h"

#include "conf/conf_int.h"

#include <stdlib.h>

static const char *const apply_text[] = { "at once", "to new connections and requests",
                                          "by a new worker that the reload starts on the same sockets",
                                          "only with a restart; a reload that changes it is refused" };

void kw_roff(struct buf *out, const char *z)
{
        for (const char *p = z; *p; p++)
                if (*p == '\\')
                        buf_puts(out, "\\e");
                else if (*p == '-')
                        buf_puts(out, "\\-");
                else if ((*p == '.' || *p == '\'') && (p == z || p[-1] == '\n'))
                        buf_printf(out, "\\&%c", *p);
                else
                        buf_putc(out, *p);
}

void kw_sentence(struct buf *out, const char *z)
{
        size_t n = strlen(z);

        if (n == 0)
                return;
        buf_putc(out, (char)(*z >= 'a' && *z <= 'z' ? *z - 32 : *z));
        buf_puts(out, z + 1);
        if (!strchr(".!?", z[n - 1]))
                buf_putc(out, '.');
}

static void roff_sentence(struct buf *out, const char *z)
{
        AUTO_BUF(b);

        kw_sentence(&b, z);
        buf_putc(&b, 0);
        kw_roff(out, b.p);
        buf_putc(out, '\n');
}

static void type_syntax(const struct kw *kw, struct buf *out)
{
        switch (kw->type) {
        case KW_T_INT: buf_puts(out, " <number>"); break;
        case KW_T_SIZE: buf_puts(out, " <size>"); break;
        case KW_T_TIME:
        case KW_T_TIME_S: buf_puts(out, " <time>"); break;
        case KW_T_STR: buf_puts(out, " <text>"); break;
        case KW_T_ENUM:
                for (const struct kw_val *v = kw->vals; v->name; v++)
                        buf_printf(out, "%s%s", v == kw->vals ? " " : "|", v->name);
                break;
        case KW_T_FLAG:
        case KW_T_BITS:
        case KW_T_FN:
        case KW_T_NONE:
        case KW_T_REFUSED: break;
        }
}

static void syntax(const struct kw *kw, struct buf *out)
{
        AUTO_BUF(b);

        if (kw->args)
                buf_printf(&b, " %s", kw->args);
        else
                type_syntax(kw, &b);
        buf_putc(&b, 0);
        kw_roff(out, b.p);
}

static void range(const struct kw *kw, struct buf *out)
{
        bool number = kw->type == KW_T_INT, size = kw->type == KW_T_SIZE;
        bool time = (kw->type == KW_T_TIME || kw->type == KW_T_TIME_S) && (kw->min || kw->max);
        bool open = !size && (kw->max == 0 || kw->max >= INT32_MAX); /* as far as the type goes */
        AUTO_BUF(lo);
        AUTO_BUF(hi);

        if (!number && !size && !time)
                return;
        if (number)
                buf_printf(&lo, "%lld", (long long)kw->min), buf_printf(&hi, "%lld", (long long)kw->max);
        else if (size)
                kw_dump_size(&lo, (uint64_t)kw->min), kw_dump_size(&hi, (uint64_t)kw->max);
        else
                kw_dump_time(&lo, (int)kw->min), kw_dump_time(&hi, (int)kw->max);
        if (!open)
                buf_printf(out, "Range: %.*s to %.*s.\n", (int)lo.n, lo.p, (int)hi.n, hi.p);
        else if (kw->min > 0)
                buf_printf(out, "At least %.*s.\n", (int)lo.n, lo.p);
}

static void default_value(const struct kw_table *t, const struct kw *kw, struct buf *out)
{
        AUTO_BUF(b);

        if (kw->type >= KW_T_FN || !t->defaults)
                return;
        dump_default(kw, (const char *)t->defaults + kw->off, &b);
        if (b.n == 0 || str_is(buf_view(&b), "0")) /* zero is "not set" nearly everywhere */
                return;
        buf_putc(&b, 0);
        buf_puts(out, "Default: ");
        kw_roff(out, b.p);
        buf_puts(out, ".\n");
}

/* Kinds with mostly the same words are one section of the page: a frontend and a backend differ in a few. */
struct group {
        kind_mask kinds;
        size_t n; /* kinds in it */
};

static size_t shared_rows(kind_mask a, kind_mask b)
{
        size_t n = 0;

        for (size_t i = 0; i < kw_engine.n_refs; i++)
                if ((kw_kinds_of(&kw_engine.refs[i]) & (a | b)) == (a | b))
                        n++;
        return n;
}

static bool akin(kind_mask a, kind_mask b)
{
        return 2 * shared_rows(a, b) > shared_rows(a, a) && 2 * shared_rows(a, b) > shared_rows(b, b);
}

/* The kinds that are akin to the one in place `first`; none when an earlier kind has taken it. */
static struct group group_of(size_t first)
{
        struct group g = { 0 };

        for (size_t i = 0; i < KINDS_MAX; i++) {
                if (!kw_engine.kinds[i] || !akin((kind_mask)1 << first, (kind_mask)1 << i))
                        continue;
                if (i < first)
                        return (struct group){ 0 };
                g.kinds |= (kind_mask)1 << i;
                g.n++;
        }
        return g;
}

static void kind_names(kind_mask kinds, bool upper, struct buf *out)
{
        const char *comma = "";

        for (size_t i = 0; i < KINDS_MAX; i++) {
                if (!(kinds >> i & 1))
                        continue;
                buf_puts(out, comma);
                for (const char *p = kw_engine.kinds[i]->k->name; *p; p++)
                        buf_putc(out, (char)(upper && *p >= 'a' && *p <= 'z' ? *p - 32 : *p));
                comma = ", ";
        }
}

static void reason(const struct kw *kw, struct buf *out)
{
        AUTO_BUF(b);

        buf_printf(&b, "%s: %s",
                   kw->type == KW_T_NONE      ? "No effect"
                   : kw->type == KW_T_REFUSED ? "Not supported"
                                              : "Old",
                   kw->why);
        buf_putc(&b, 0);
        roff_sentence(out, b.p);
}

static void manual_row(const struct kw_ref *r, const struct group *g, struct buf *out)
{
        const struct kw *kw = r->kw;
        kind_mask in = kw_kinds_of(r) & g->kinds;

        buf_puts(out, ".TP\n\\fB");
        kw_roff(out, kw->name);
        buf_puts(out, "\\fR");
        syntax(kw, out);
        buf_putc(out, '\n');
        if (kw->help)
                roff_sentence(out, kw->help);
        range(kw, out);
        default_value(r->table, kw, out);
        if (kw->why)
                reason(kw, out);
        if (in != g->kinds) {
                buf_puts(out, "In ");
                kind_names(in, false, out);
                buf_puts(out, ".\n");
        }
        if (kw->type < KW_T_NONE)
                buf_printf(out, "A change applies %s.\n", apply_text[kw->apply]);
        if (kw->since || kw->until)
                buf_printf(out, "Versions: %s to %s.\n", kw->since ? kw->since : "any", kw->until ? kw->until : "now");
        if (kw->manual)
                buf_printf(out, "(%s)\n", kw->manual);
}

static int by_name(const void *a, const void *b)
{
        return strcmp(((const struct kw_ref *)a)->kw->name, ((const struct kw_ref *)b)->kw->name);
}

/* The rows of these kinds, sorted by name; the caller frees. */
static struct kw_ref *rows_of(kind_mask kinds, size_t *ret_n)
{
        struct kw_ref *v = calloc(kw_engine.n_refs + 1, sizeof(*v));
        size_t n = 0;

        ASSERT(v != NULL);
        for (size_t i = 0; i < kw_engine.n_refs; i++)
                if (kw_kinds_of(&kw_engine.refs[i]) & kinds)
                        v[n++] = kw_engine.refs[i];
        qsort(v, n, sizeof(*v), by_name);
        *ret_n = n;
        return v;
}

static void manual_group(const struct group *g, struct buf *out)
{
        size_t n;
        struct kw_ref *v = rows_of(g->kinds, &n);

        buf_puts(out, ".SH \"");
        kind_names(g->kinds, true, out);
        buf_puts(out, "\"\n");
        for (size_t i = 0; i < n; i++)
                manual_row(&v[i], g, out);
        free(v);
}

void kw_manual(struct buf *out)
{
        kw_boot();
        for (size_t i = 0; i < KINDS_MAX; i++) {
                struct group g = kw_engine.kinds[i] ? group_of(i) : (struct group){ 0 };

                if (g.n)
                        manual_group(&g, out);
        }
}

void kw_completion(struct buf *out)
{
        kw_boot();
        for (size_t i = 0; i < KINDS_MAX; i++) {
                const struct conf_kind *k = kw_engine.kinds[i] ? kw_engine.kinds[i]->k : NULL;
                struct kw_ref *v;
                size_t n = 0;

                if (!k)
                        continue;
                v = rows_of(k->bit, &n);
                for (size_t j = 0; j < n; j++)
                        if (v[j].kw->type < KW_T_NONE)
                                buf_printf(out, "%s\t%s\n", k->name, v[j].kw->name);
                free(v);
        }
}
