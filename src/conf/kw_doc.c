/* conf/kw_doc.c - documents made from the rows: telamon.cfg(5) and the word list for shell completion. */
#include "conf/kw_doc.h"

#include "conf/conf_int.h"

#include <stdlib.h>

static const char *const apply_text[] = { "at once", "for new connections and requests", "by a worker swap",
                                          "only by a restart; a reload that changes it is refused" };

/* Text for roff: backslashes, and dots or quotes that would start a request. */
static void roff(struct buf *out, const char *z)
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
        roff(out, b.p);
}

static void range(const struct kw *kw, struct buf *out)
{
        AUTO_BUF(lo);
        AUTO_BUF(hi);

        if (kw->type == KW_T_INT) {
                buf_printf(out, "Range: %lld to %lld.\n", (long long)kw->min, (long long)kw->max);
                return;
        }
        if (kw->type == KW_T_SIZE) {
                kw_dump_size(&lo, (uint64_t)kw->min);
                kw_dump_size(&hi, (uint64_t)kw->max);
        } else if ((kw->type == KW_T_TIME || kw->type == KW_T_TIME_S) && (kw->min || kw->max)) {
                kw_dump_time(&lo, (int)kw->min);
                kw_dump_time(&hi, kw->max ? (int)kw->max : INT32_MAX);
        } else {
                return;
        }
        buf_printf(out, "Range: %.*s to %.*s.\n", (int)lo.n, lo.p, (int)hi.n, hi.p);
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
        roff(out, b.p);
        buf_puts(out, ".\n");
}

static void manual_row(const struct kw_table *t, const struct kw *kw, struct buf *out)
{
        buf_puts(out, ".TP\n\\fB");
        roff(out, kw->name);
        buf_puts(out, "\\fR");
        syntax(kw, out);
        buf_putc(out, '\n');
        if (kw->help) {
                roff(out, kw->help);
                buf_putc(out, '\n');
        }
        range(kw, out);
        default_value(t, kw, out);
        if (kw->why) {
                buf_puts(out, kw->type == KW_T_NONE      ? "No effect: "
                              : kw->type == KW_T_REFUSED ? "Not supported: "
                                                         : "Old: ");
                roff(out, kw->why);
                buf_puts(out, ".\n");
        }
        if (kw->type < KW_T_NONE)
                buf_printf(out, "Applies %s.\n", apply_text[kw->apply]);
        if (kw->since || kw->until)
                buf_printf(out, "Versions: %s to %s.\n", kw->since ? kw->since : "any", kw->until ? kw->until : "now");
        if (kw->manual)
                buf_printf(out, "HAProxy manual: section %s.\n", kw->manual);
}

static int by_name(const void *a, const void *b)
{
        return strcmp(((const struct kw_ref *)a)->kw->name, ((const struct kw_ref *)b)->kw->name);
}

/* The rows of one kind, sorted by name; the caller frees. */
static struct kw_ref *rows_of(const struct conf_kind *k, size_t *ret_n)
{
        struct kw_ref *v = calloc(kw_engine.n_refs + 1, sizeof(*v));
        size_t n = 0;

        ASSERT(v != NULL);
        for (size_t i = 0; i < kw_engine.n_refs; i++)
                if (kw_kinds_of(&kw_engine.refs[i]) & k->bit)
                        v[n++] = kw_engine.refs[i];
        qsort(v, n, sizeof(*v), by_name);
        *ret_n = n;
        return v;
}

static void manual_kind(const struct conf_kind *k, struct buf *out)
{
        size_t n;
        struct kw_ref *v = rows_of(k, &n);

        buf_puts(out, ".SH \"");
        buf_puts(out, k->section ? "SECTION " : "WORDS OF ");
        for (const char *p = k->name; *p; p++)
                buf_putc(out, (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p));
        buf_puts(out, "\"\n");
        for (size_t i = 0; i < n; i++)
                manual_row(v[i].table, v[i].kw, out);
        free(v);
}

void kw_manual(struct buf *out)
{
        kw_boot();
        buf_puts(out,
                 ".TH TELAMON.CFG 5\n"
                 ".SH NAME\n"
                 "telamon.cfg \\- the configuration of telamon(1)\n"
                 ".SH DESCRIPTION\n"
                 "The file has the format of haproxy.cfg. This page lists every word that this program knows; it is\n"
                 "made from the tables that read the file. Times take the units us ms s m h d, sizes k m g.\n");
        for (size_t i = 0; i < KINDS_MAX; i++)
                if (kw_engine.kinds[i])
                        manual_kind(kw_engine.kinds[i]->k, out);
        buf_puts(out, ".SH \"SEE ALSO\"\ntelamon(1)\n");
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
                v = rows_of(k, &n);
                for (size_t j = 0; j < n; j++)
                        if (v[j].kw->type < KW_T_NONE)
                                buf_printf(out, "%s\t%s\n", k->name, v[j].kw->name);
                free(v);
        }
}
