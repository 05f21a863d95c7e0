/* feat/tables/cmds.c - `show table`, `set table`, `clear table` (management.txt 9.3).
 *
 * Entries are walked by index, some hundred a piece, and the table is looked for by its name each time: a reload may come between. */
#include "core/cli.h"
#include "core/track.h"
#include "feat/tables/tables.h"

#include <stdio.h>

#define SOME        200
#define FILTERS_MAX 4
#define KEY_TEXT    256

enum op { OP_EQ, OP_NE, OP_LE, OP_GE, OP_LT, OP_GT, OPS };
static const char *const op_names[OPS] = { "eq", "ne", "le", "ge", "lt", "gt" };

struct filter {
        enum table_data td;
        unsigned idx;
        enum op op;
        int64_t v;
};

struct walk {
        struct str name;
        struct table *t;
        uint32_t at;
        bool clear;
        unsigned n_filters;
        struct filter filter[FILTERS_MAX];
};

/* ---- printing ---- */

static void put_head(struct buf *out, const struct table *t)
{
        buf_printf(out, "# table: %s, type: %s, size:%u, used:%u\n", t->def.name, table_key_names[t->def.key],
                   t->def.size, stick_used(&t->stick));
}

static void put_text(struct buf *out, struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                unsigned char c = (unsigned char)s.p[i];

                if (c > ' ' && c < 127 && c != '\\')
                        buf_putc(out, (char)c);
                else if (c == ' ' || c == '\\')
                        buf_printf(out, "\\%c", c);
                else
                        buf_printf(out, "\\x%02X", c);
        }
}

static void put_key(struct buf *out, const struct table *t, struct str key)
{
        struct smp s;

        if (t->def.key == TABLE_STR) {
                put_text(out, key);
                return;
        }
        if (t->def.key == TABLE_BIN) {
                for (size_t i = 0; i < key.n; i++)
                        buf_printf(out, "%02X", (unsigned char)key.p[i]);
                return;
        }
        table_key_smp(t, key, &s);
        if (smp_cast(&s, SMP_STR))
                buf_str(out, (struct str){ s.s.p, s.s.n });
}

static void put_value(struct buf *out, struct table *t, uint32_t i, enum table_data td, unsigned idx)
{
        const struct table_data_row *row = &table_data_rows[td];
        const struct table_store *st = &t->def.store[td];
        uint64_t v = table_value(t, i, td, idx);
        struct str name;

        buf_putc(out, ' ');
        if (td == TD_GPC_RATE)
                buf_printf(out, "gpc%u_rate", idx);
        else if (row->array)
                buf_printf(out, "%s%u", row->name, idx);
        else
                buf_puts(out, row->name);
        if (row->form == TF_RATE)
                buf_printf(out, "(%d)", st->period_ms);
        buf_putc(out, '=');
        if (row->form != TF_KEY) {
                buf_printf(out, "%llu", (unsigned long long)v);
                return;
        }
        name = table_name_get((uint32_t)v);
        buf_str(out, name.n ? name : STR("-"));
}

/* What tells entries apart; no address of this process. */
static unsigned long long pointer_of(uint32_t i)
{
        return ((unsigned long long)i + 1) << 4;
}

static void put_entry(struct buf *out, struct table *t, uint32_t i)
{
        int64_t exp = 0;

        if (t->def.expire_ms) {
                int64_t gone = (int64_t)((thr_self->now - stick_touched(&t->stick, i)) / NS_PER_MS);

                exp = gone < t->def.expire_ms ? t->def.expire_ms - gone : 0;
        }
        buf_printf(out, "0x%llx: key=", pointer_of(i));
        put_key(out, t, stick_key(&t->stick, i));
        buf_printf(out, " use=%u exp=%lld shard=0", stick_holders(&t->stick, i) - 1, (long long)exp);
        for (int td = 0; td < TD_N; td++)
                for (unsigned idx = 0; idx < t->def.store[td].n; idx++)
                        put_value(out, t, i, (enum table_data)td, idx);
        buf_putc(out, '\n');
}

/* ---- what the words say ---- */

static bool parse_op(struct str w, enum op *ret_op)
{
        for (int i = 0; i < OPS; i++)
                if (str_is(w, op_names[i])) {
                        *ret_op = (enum op)i;
                        return true;
                }
        return false;
}

/* "data.gpc0", "data.gpt[1]". NULL, or what is wrong. */
static const char *parse_data(const struct table *t, struct str w, enum table_data *ret_td, unsigned *ret_idx)
{
        struct str name = str_sub(w, 5, w.n - 5);
        const char *open = name.n ? memchr(name.p, '[', name.n) : NULL;
        uint64_t idx = 0;

        if (open && (name.p[name.n - 1] != ']' ||
                     !str_to_u64((struct str){ open + 1, (size_t)(name.p + name.n - open) - 2 }, &idx)))
                return "Unknown data type";
        if (open)
                name.n = (size_t)(open - name.p);
        for (int td = 0; td < TD_N; td++) {
                if (!str_is(name, table_data_rows[td].name))
                        continue;
                if (!t->def.store[td].n)
                        return "Data type not stored in this table";
                if (idx >= t->def.store[td].n)
                        return "index out of range in this data array";
                *ret_td = (enum table_data)td;
                *ret_idx = (unsigned)idx;
                return NULL;
        }
        return "Unknown data type";
}

static bool is_data(struct str w)
{
        return w.n > 5 && memcmp(w.p, "data.", 5) == 0;
}

static struct str arg(const struct cli_call *c, unsigned i)
{
        return i < c->n_args ? c->args[i] : (struct str){ "", 0 };
}

static bool parse_filters(struct cli_call *c, struct walk *w)
{
        const unsigned first = 3, words = 3;

        for (unsigned i = first; i < c->n_args; i += words) {
                unsigned n = w->n_filters + 1;
                struct filter *f = &w->filter[w->n_filters];
                const char *wrong = NULL;

                if (w->n_filters == FILTERS_MAX) {
                        cli_msg(c, 3, "Detected extra data in filter, %uth word of input, after '%.*s'\n", i + 1,
                                (int)c->args[i - 1].n, c->args[i - 1].p);
                        return false;
                }
                if (is_data(c->args[i]))
                        wrong = parse_data(w->t, c->args[i], &f->td, &f->idx);
                if (!wrong && (!is_data(c->args[i]) || !parse_op(arg(c, i + 1), &f->op)))
                        wrong = "Require and operator among \"eq\", \"ne\", \"le\", \"ge\", \"lt\", \"gt\"";
                if (!wrong && !str_to_i64(arg(c, i + 2), &f->v))
                        wrong = "Require a valid integer value to compare against";
                if (wrong) {
                        cli_msg(c, 3, "Filter entry #%u: %s\n", n, wrong);
                        return false;
                }
                w->n_filters++;
        }
        return true;
}

static bool matches(const struct walk *w, struct table *t, uint32_t i)
{
        for (unsigned k = 0; k < w->n_filters; k++) {
                const struct filter *f = &w->filter[k];
                int64_t v = (int64_t)table_value(t, i, f->td, f->idx);
                bool is[OPS] = { v == f->v, v != f->v, v <= f->v, v >= f->v, v<f->v, v> f->v };

                if (!is[f->op])
                        return false;
        }
        return true;
}

enum lookup { LOOKUP_NONE, LOOKUP_FOUND, LOOKUP_WRONG };

/* "key K", held; made when `make`. */
static enum lookup by_key(struct cli_call *c, struct table *t, bool make, uint32_t *ret_i)
{
        char room[TABLE_KEY_ROOM];
        struct smp s;
        struct str key;
        bool is_new;

        if (c->n_args < 5) {
                cli_msg(c, 3, "Key value expected\n");
                return LOOKUP_WRONG;
        }
        smp_str(&s, c->args[4]);
        if (!table_key_of(t, &s, room, &key)) {
                cli_msg(c, 3, "Invalid key\n");
                return LOOKUP_WRONG;
        }
        *ret_i = make ? stick_get(&t->stick, key, thr_self->now, &is_new) : stick_find(&t->stick, key, thr_self->now);
        return *ret_i != STICK_NONE ? LOOKUP_FOUND : LOOKUP_NONE;
}

static bool hex(struct str w, unsigned long long *ret_v)
{
        unsigned long long v = 0;

        if (w.n < 3 || w.n > 18 || w.p[0] != '0' || w.p[1] != 'x')
                return false;
        for (size_t i = 2; i < w.n; i++) {
                char ch = (char)chr_lower((unsigned char)w.p[i]);

                if (!chr_is_digit(ch) && (ch < 'a' || ch > 'f'))
                        return false;
                v = v * 16 + (unsigned)(chr_is_digit(ch) ? ch - '0' : ch - 'a' + 10);
        }
        *ret_v = v;
        return true;
}

static enum lookup by_pointer(struct cli_call *c, struct table *t, uint32_t *ret_i)
{
        unsigned long long v;
        uint32_t i;

        if (!hex(arg(c, 4), &v)) {
                cli_msg(c, 3, "Pointer expected (0xffff notation)\n");
                return LOOKUP_WRONG;
        }
        i = v >= 16 && v % 16 == 0 && v / 16 <= t->def.size ? (uint32_t)(v / 16 - 1) : STICK_NONE;
        *ret_i = i == STICK_NONE ? STICK_NONE : stick_walk(&t->stick, i, thr_self->now);
        if (*ret_i == i && i != STICK_NONE)
                return LOOKUP_FOUND;
        if (*ret_i != STICK_NONE)
                stick_put(&t->stick, *ret_i);
        cli_msg(c, 3, "No entry can be found matching ptr.\n");
        return LOOKUP_WRONG;
}

/* ---- the commands ---- */

static const char entry_in_use[] = "Entry currently in use, cannot remove\n";

/* Shows or removes one entry that is held. */
static void one(struct cli_call *c, struct table *t, uint32_t i, bool clear)
{
        if (!clear) {
                put_head(c->out, t);
                put_entry(c->out, t, i);
                stick_put(&t->stick, i);
        } else if (!stick_remove(&t->stick, i)) {
                stick_put(&t->stick, i);
                cli_msg(c, 3, "%s", entry_in_use);
        }
}

static void start(struct cli_call *c, bool clear)
{
        struct walk *w;
        struct table *t = table_find(arg(c, 2));
        enum lookup how;
        uint32_t i;

        if (!t) {
                cli_msg(c, 3, "No such table\n");
                return;
        }
        table_purge(t);
        if (str_is(arg(c, 3), "key") || str_is(arg(c, 3), "ptr")) {
                how = str_is(arg(c, 3), "key") ? by_key(c, t, false, &i) : by_pointer(c, t, &i);
                if (how == LOOKUP_FOUND)
                        one(c, t, i, clear);
                return;
        }
        if (c->n_args > 3 && !is_data(c->args[3])) {
                cli_msg(c, 3,
                        clear ? "Required arguments: <table> \"data.<store_data_type>\" <operator> <value> or <table> key "
                                "<key> or <table> ptr <ptr>\n"
                              : "Optional argument only supports \"data.<store_data_type>\" <operator> <value> or key <key> "
                                "or ptr <ptr>\n");
                return;
        }
        w = arena_alloc(c->mem, sizeof(*w));
        *w = (struct walk){ .name = arg(c, 2), .t = t, .clear = clear };
        if (!parse_filters(c, w))
                return;
        if (!clear)
                put_head(c->out, t);
        c->state = w;
}

static bool more(struct cli_call *c)
{
        struct walk *w = c->state;

        if (!w || table_find(w->name) != w->t)
                return false;
        for (int n = 0; n < SOME; n++) {
                uint32_t i = stick_walk(&w->t->stick, w->at, thr_self->now);

                if (i == STICK_NONE)
                        return false;
                w->at = i + 1;
                if (!matches(w, w->t, i)) {
                        stick_put(&w->t->stick, i);
                } else if (!w->clear) {
                        put_entry(c->out, w->t, i);
                        stick_put(&w->t->stick, i);
                } else if (!stick_remove(&w->t->stick, i)) {
                        stick_put(&w->t->stick, i);
                }
        }
        return true;
}

static void show_table(struct cli_call *c)
{
        const struct tables *all = tables_now();

        if (c->n_args > 2) {
                start(c, false);
                return;
        }
        for (size_t i = 0; i < all->n; i++) {
                table_purge(all->v[i]);
                put_head(c->out, all->v[i]);
        }
}

static void clear_table(struct cli_call *c)
{
        if (c->n_args < 3)
                cli_msg(c, 3,
                        "Required arguments: <table> \"data.<store_data_type>\" <operator> <value> or <table> key <key> or "
                        "<table> ptr <ptr>\n");
        else
                start(c, true);
}

static void set_values(struct cli_call *c, struct table *t, uint32_t i)
{
        for (unsigned k = 5; k < c->n_args; k += 2) {
                const char *wrong = NULL;
                enum table_data td;
                unsigned idx;
                uint64_t v;

                if (!is_data(c->args[k])) {
                        cli_msg(c, 3, "\"data.<type>\" followed by a value expected\n");
                        return;
                }
                wrong = parse_data(t, c->args[k], &td, &idx);
                if (!wrong && table_data_rows[td].form == TF_KEY) {
                        (void)table_set(t, i, td, idx, table_name_put(arg(c, k + 1)));
                        continue;
                }
                if (!wrong && !str_to_u64(arg(c, k + 1), &v))
                        wrong = "Require a valid integer value to store";
                if (wrong) {
                        cli_msg(c, 3, "%s\n", wrong);
                        return;
                }
                (void)table_set(t, i, td, idx, v);
        }
}

static void set_table(struct cli_call *c)
{
        static const char usage[] =
                "Required arguments: <table> key <key> [data.<store_data_type> <value>]* or <table> ptr "
                "<ptr> [data.<store_data_type> <value>]*\n";
        struct table *t = table_find(arg(c, 2));
        bool key = str_is(arg(c, 3), "key");
        enum lookup how;
        uint32_t i;

        if (c->n_args < 3 || (t && c->n_args > 3 && !key && !str_is(arg(c, 3), "ptr") && !is_data(c->args[3]))) {
                cli_msg(c, 3, "%s", usage);
                return;
        }
        if (!t) {
                cli_msg(c, 3, "No such table\n");
                return;
        }
        if (is_data(arg(c, 3)))
                cli_msg(c, 3, "content-based lookup is only supported with the \"show\" and \"clear\" actions\n");
        if (c->n_args < 4 || is_data(c->args[3]))
                return;
        how = key ? by_key(c, t, true, &i) : by_pointer(c, t, &i);
        if (how == LOOKUP_NONE)
                cli_msg(c, 3, "Unable to allocate a new entry\n");
        if (how != LOOKUP_FOUND)
                return;
        set_values(c, t, i);
        stick_touch(&t->stick, i, thr_self->now);
        stick_put(&t->stick, i);
}

static const struct cli_cmd cmd_show = { .words = "show table",
                                         .args = "[<table> [data.<type> <op> <value>]... | key <key> | ptr <ptr>]",
                                         .level = CLI_USER,
                                         .help = "stick tables, or the entries of one",
                                         .run = show_table,
                                         .more = more };
static const struct cli_cmd cmd_set = { .words = "set table",
                                        .args = "<table> key <key> [data.<type> <value>]... | ptr <ptr> ...",
                                        .level = CLI_ADMIN,
                                        .help = "makes or changes an entry of a stick table",
                                        .run = set_table };
static const struct cli_cmd cmd_clear = { .words = "clear table",
                                          .args = "<table> [data.<type> <op> <value>]... | key <key> | ptr <ptr>",
                                          .level = CLI_ADMIN,
                                          .help = "removes entries of a stick table that nobody tracks",
                                          .run = clear_table,
                                          .more = more };
CLI_CMD(cmd_show);
CLI_CMD(cmd_set);
CLI_CMD(cmd_clear);
