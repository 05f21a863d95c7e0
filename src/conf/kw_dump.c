/* conf/kw_dump.c - canonical text and its hash. */
#include "conf/conf_int.h"

void kw_dump_child(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw, (void)slot, (void)out;
}

static bool is_plain(const char *s)
{
        for (; *s; s++)
                if ((unsigned char)*s <= ' ' || *s == 0x7f || strchr("\"'\\#", *s))
                        return false;
        return true;
}

static void quote_byte(struct buf *out, char c)
{
        if (c == '"' || c == '\\' || c == '$')
                buf_printf(out, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t')
                buf_printf(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if ((unsigned char)c < ' ' || c == 0x7f)
                buf_printf(out, "\\x%02x", (unsigned char)c);
        else
                buf_putc(out, c);
}

void kw_quote(struct buf *out, const char *s)
{
        if (*s && is_plain(s)) {
                buf_puts(out, s);
                return;
        }
        buf_putc(out, '"');
        for (; *s; s++)
                quote_byte(out, *s);
        buf_putc(out, '"');
}

/* printf is most of the cost of hashing a large configuration. */
static void put_u64(struct buf *out, uint64_t v)
{
        char z[20];
        size_t i = sizeof(z);

        do {
                z[--i] = (char)('0' + v % 10);
                v /= 10;
        } while (v);
        buf_add(out, z + i, sizeof(z) - i);
}

static void put_i64(struct buf *out, int64_t v)
{
        if (v < 0)
                buf_putc(out, '-');
        put_u64(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void kw_dump_time(struct buf *out, int ms)
{
        static const struct {
                int ms;
                const char *unit;
        } units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" }, { 1000, "s" } };

        for (size_t i = 0; ms && i < array_len(units); i++)
                if (ms % units[i].ms == 0) {
                        put_i64(out, ms / units[i].ms);
                        buf_puts(out, units[i].unit);
                        return;
                }
        put_i64(out, ms);
        buf_puts(out, ms ? "ms" : "");
}

void kw_dump_size(struct buf *out, uint64_t n)
{
        static const char unit[] = "gmk";

        for (unsigned i = 0; n && i < 3; i++) {
                uint64_t mul = (uint64_t)1 << (10 * (3 - i));

                if (n % mul == 0) {
                        put_u64(out, n / mul);
                        buf_putc(out, unit[i]);
                        return;
                }
        }
        put_u64(out, n);
}

static int64_t read_int(const void *p, size_t size)
{
        int64_t v64;
        int32_t v32;

        if (size == 8) {
                memcpy(&v64, p, 8);
                return v64;
        }
        memcpy(&v32, p, 4);
        return v32;
}

static void dump_value(const struct kw *kw, const void *f, struct buf *out)
{
        int64_t v = kw->type == KW_T_STR ? 0 : read_int(f, kw->size);

        switch (kw->type) {
        case KW_T_INT: put_i64(out, v); break;
        case KW_T_SIZE: kw_dump_size(out, kw->size == 8 ? (uint64_t)v : (uint32_t)v); break;
        case KW_T_TIME:
        case KW_T_TIME_S: kw_dump_time(out, (int)v); break;
        case KW_T_STR: kw_quote(out, *(const char *const *)f); break;
        case KW_T_ENUM:
                for (const struct kw_val *e = kw->vals; e->name; e++)
                        if (e->value == v) {
                                buf_puts(out, e->name);
                                break;
                        }
                break;
        default: break;
        }
}

static bool is_set(const struct kw *kw, const void *f)
{
        bool b;
        unsigned u;

        if (kw->type == KW_T_FLAG) {
                memcpy(&b, f, sizeof(b));
                return b;
        }
        memcpy(&u, f, sizeof(u));
        return (u & kw->bit) != 0;
}

void dump_default(const struct kw *kw, const void *f, struct buf *out)
{
        if (kw->type == KW_T_FLAG || kw->type == KW_T_BITS)
                buf_puts(out, is_set(kw, f) ? "on" : "");
        else if (kw->type != KW_T_STR || *(const char *const *)f)
                dump_value(kw, f, out);
}

static bool str_same(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

/* "keyword value" without lead or end; nothing when the value is the built-in default. */
static void dump_typed(const struct kw *kw, const void *f, const void *def, bool words, struct buf *out)
{
        if (kw->type == KW_T_FLAG || kw->type == KW_T_BITS) {
                if (is_set(kw, f) == is_set(kw, def))
                        return;
                buf_puts(out, is_set(kw, f) ? "" : words ? "no-" : "no ");
                buf_puts(out, kw->name);
                return;
        }
        if (kw->type == KW_T_STR ? str_same(*(const char *const *)f, *(const char *const *)def)
                                 : memcmp(f, def, kw->size) == 0)
                return;
        if (kw->type == KW_T_STR && !*(const char *const *)f) {
                buf_printf(out, "%s%s", words ? "no-" : "no ", kw->name); /* only rows with no_ok get here */
                return;
        }
        buf_puts(out, kw->name);
        buf_putc(out, ' ');
        dump_value(kw, f, out);
}

void dump_row(const struct kw *kw, const struct kw_table *t, const void *slot, bool words, struct buf *out)
{
        static const uint64_t zero = 0;
        const char *def = t->defaults ? (const char *)t->defaults + kw->off : (const char *)&zero;
        size_t before = out->n;

        if (kw->type == KW_T_FN) {
                kw->dump(kw, slot, out);
                return;
        }
        if (kw->type == KW_T_NONE || kw->type == KW_T_REFUSED)
                return;
        buf_puts(out, words ? " " : "    ");
        dump_typed(kw, (const char *)slot + kw->off, def, words, out);
        if (out->n == before + (words ? 1 : 4))
                out->n = before;
        else if (!words)
                buf_putc(out, '\n');
}

static void dump_table(const struct conf_obj *o, size_t t, struct buf *out)
{
        const struct kw_table *kt = kw_engine.tables[t];
        const void *slot = conf_slot(o, (int)t);

        for (size_t r = 0; r < kt->n_rows; r++)
                if (kw_row_kinds(kt, &kt->rows[r]) & o->kind->bit)
                        dump_row(&kt->rows[r], kt, slot, !o->kind->section, out);
}

static void dump_tables(const struct conf_obj *o, struct buf *out)
{
        for (size_t t = 0; t < kw_engine.n_tables; t++)
                if (kw_engine.tables[t]->kinds & o->kind->bit)
                        dump_table(o, t, out);
}

void dump_unused(const struct conf_obj *o, struct buf *out)
{
        for (const struct conf_unused *u = o->unused; u; u = u->next)
                buf_printf(out, o->kind->section ? "    %s%s\n" : " %s%s", u->kw->name, u->args);
}

/* The line up to its words, or the section line, without line end. */
void dump_head(const struct conf_obj *o, struct buf *out)
{
        if (!o->kind->section && o->kind->dump) {
                o->kind->dump(o, out);
                return;
        }
        buf_puts(out, o->kind->name);
        if (*o->name) {
                buf_putc(out, ' ');
                kw_quote(out, o->name);
        }
}

/* Nested defaults are not printed beside what already inherited from them; in a defaults section nothing did. */
static bool is_printed(const struct conf_obj *child)
{
        return !child->kind->is_defaults || child->parent->kind->is_defaults;
}

static void dump_child(const struct conf_obj *o, struct buf *out)
{
        size_t line = out->n, words;

        buf_puts(out, "    ");
        dump_head(o, out);
        words = out->n;
        dump_tables(o, out);
        dump_unused(o, out);
        if (o->kind->is_defaults && out->n == words) {
                out->n = line; /* a default-server line without words is not allowed */
                return;
        }
        buf_putc(out, '\n');
}

void conf_dump_obj(const struct conf_obj *o, struct buf *out)
{
        if (!o->kind->section) {
                dump_child(o, out);
                return;
        }
        dump_head(o, out);
        buf_putc(out, '\n');
        dump_tables(o, out);
        dump_unused(o, out);
        for (const struct conf_obj *k = o->child; k; k = k->sibling)
                if (is_printed(k))
                        dump_child(k, out);
}

static bool is_section_defaults(const struct conf_obj *o)
{
        return o->kind->section && o->kind->is_defaults;
}

void conf_dump(const struct conf *c, struct buf *out)
{
        const struct conf_kind *named = NULL;

        for (const struct conf_obj *o = c->first; o; o = o->sibling)
                if (is_section_defaults(o) && *o->name) {
                        conf_dump_obj(o, out);
                        named = o->kind;
                }
        if (named)
                buf_printf(out, "%s\n", named->name);
        for (const struct conf_obj *o = c->first; o; o = o->sibling)
                if (o->kind->section && !o->kind->is_defaults)
                        conf_dump_obj(o, out);
}

/* ---- hashes: one per slot, because slots are shared ---- */

static uint64_t hash_table(const struct conf_obj *o, size_t t, struct buf *scratch)
{
        struct slot *s = (struct slot *)((uintptr_t)conf_slot(o, (int)t) - sizeof(struct slot));

        if (s->hashed && s->for_kind == o->kind->bit)
                return s->dump_hash;
        scratch->n = 0;
        dump_table(o, t, scratch);
        s->dump_hash = map_hash(buf_view(scratch));
        s->for_kind = o->kind->bit; /* a table's rows may differ by kind */
        s->hashed = true;
        return s->dump_hash;
}

static uint64_t hash_obj(const struct conf_obj *o, struct buf *scratch)
{
        const struct kind_rt *k = kind_rt_of(o->kind);
        uint64_t part[2];

        scratch->n = 0;
        dump_head(o, scratch);
        dump_unused(o, scratch);
        part[0] = map_hash(buf_view(scratch));
        for (size_t i = 0; i < k->n_slots; i++) {
                part[1] = hash_table(o, (size_t)k->table_of[i], scratch);
                part[0] = map_hash((struct str){ (const char *)part, sizeof(part) });
        }
        return part[0] ? part[0] : 1;
}

/* Printing every line is a good part of a load, and most loads are never compared with another: the first start, the one
 * of the loader. */
static uint64_t hash_of(const struct conf_obj *o, struct buf *scratch)
{
        if (!o->dump_hash)
                ((struct conf_obj *)(uintptr_t)o)->dump_hash = hash_obj(o, scratch);
        return o->dump_hash;
}

bool conf_obj_same(const struct conf_obj *a, const struct conf_obj *b)
{
        AUTO_BUF(scratch);

        return a->kind == b->kind && strcmp(a->name, b->name) == 0 && hash_of(a, &scratch) == hash_of(b, &scratch);
}
