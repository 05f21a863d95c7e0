/* conf/diff.c - what differs between two objects, row by row, as text. */
#include "conf/conf_int.h"

/* "    a b\n" -> "a b", in place. */
static const char *trimmed(struct buf *b)
{
        size_t i = 0;

        buf_putc(b, 0);
        b->n--;
        while (b->n && (b->p[b->n - 1] == '\n' || b->p[b->n - 1] == ' '))
                b->p[--b->n] = 0;
        while (i < b->n && b->p[i] == ' ')
                i++;
        return b->p + i;
}

static void diff_row(const struct conf_obj *a, const struct conf_obj *b, struct conf_delta *d, conf_delta_fn fn,
                     void *ctx)
{
        int table = *d->table->ret_index;
        AUTO_BUF(x);
        AUTO_BUF(y);

        dump_row(d->kw, d->table, conf_slot(a, table), !a->kind->section, &x);
        dump_row(d->kw, d->table, conf_slot(b, table), !b->kind->section, &y);
        d->before = trimmed(&x);
        d->after = trimmed(&y);
        if (strcmp(d->before, d->after) != 0)
                fn(ctx, d);
}

static void diff_head(const struct conf_obj *a, const struct conf_obj *b, conf_delta_fn fn, void *ctx)
{
        struct conf_delta d = { NULL, NULL, "", "" };
        AUTO_BUF(x);
        AUTO_BUF(y);

        dump_head(a, &x);
        dump_head(b, &y);
        d.before = trimmed(&x);
        d.after = trimmed(&y);
        if (strcmp(d.before, d.after) != 0)
                fn(ctx, &d);
}

/* Words without effect: told as one difference, at the first of them. */
static void diff_unused(const struct conf_obj *a, const struct conf_obj *b, conf_delta_fn fn, void *ctx)
{
        const struct conf_unused *u = a->unused ? a->unused : b->unused;
        struct conf_delta d = { NULL, u ? u->kw : NULL, "", "" };
        AUTO_BUF(x);
        AUTO_BUF(y);

        if (!u)
                return;
        dump_unused(a, &x);
        dump_unused(b, &y);
        d.before = trimmed(&x);
        d.after = trimmed(&y);
        if (strcmp(d.before, d.after) != 0)
                fn(ctx, &d);
}

void conf_diff_obj(const struct conf_obj *a, const struct conf_obj *b, conf_delta_fn fn, void *ctx)
{
        ASSERT(a->kind == b->kind);
        if (conf_obj_same(a, b))
                return;
        diff_head(a, b, fn, ctx);
        for (size_t t = 0; t < kw_engine.n_tables; t++) {
                const struct kw_table *kt = kw_engine.tables[t];

                if (!(kt->kinds & a->kind->bit) || kt->size == 0)
                        continue;
                for (size_t r = 0; r < kt->n_rows; r++) {
                        struct conf_delta d = { kt, &kt->rows[r], NULL, NULL };

                        if (kw_row_kinds(kt, &kt->rows[r]) & a->kind->bit)
                                diff_row(a, b, &d, fn, ctx);
                }
        }
        diff_unused(a, b, fn, ctx);
}
