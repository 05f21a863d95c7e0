/* feat/tables/declare.c - parsing a `stick-table` line (manual 11.1). */
#include "feat/tables/tables.h"

#include <stdarg.h>
#include <stdio.h>

#define LEN_DEFAULT 32
#define LEN_MAX     8192

struct parse {
        struct kw_call *c;
        struct table_def *d;
        size_t i; /* of the next word */
        bool has_type;
};

static bool fail(struct parse *p, const char *fmt, ...) fmt_like(2, 3);

static bool fail(struct parse *p, const char *fmt, ...)
{
        char why[256];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        (void)kw_fail(p->c, p->i < p->c->n_args ? &p->c->args[p->i] : NULL, "E0795", "stick-table: %s.", why);
        return false;
}

static const struct word *next_word(struct parse *p)
{
        return p->i < p->c->n_args ? &p->c->args[p->i++] : NULL;
}

static const struct word *value_of(struct parse *p, const char *what)
{
        const struct word *w = next_word(p);

        if (!w)
                (void)fail(p, "missing argument after '%s'", what);
        return w;
}

/* ---- type ---- */

static bool parse_len(struct parse *p)
{
        const struct word *w;
        uint64_t n;

        p->d->key_max = LEN_DEFAULT;
        if (p->i >= p->c->n_args || !str_is(p->c->args[p->i].text, "len"))
                return true;
        p->i++;
        w = next_word(p);
        if (w && str_to_u64(w->text, &n) && n >= 1 && n <= LEN_MAX) {
                p->d->key_max = (uint16_t)n;
                return true;
        }
        (void)kw_fail(p->c, w, "E0795", "'len' expects a positive integer argument (up to %d).", LEN_MAX);
        return false;
}

static bool parse_type(struct parse *p)
{
        static const struct {
                const char *name;
                enum table_key key;
                uint16_t bytes; /* 0: `len` may follow */
        } types[] = { { "ip", TABLE_IPV4, 4 },     { "ipv4", TABLE_IPV4, 4 },  { "ipv6", TABLE_IPV6, 16 },
                      { "integer", TABLE_INT, 4 }, { "string", TABLE_STR, 0 }, { "binary", TABLE_BIN, 0 } };
        const struct word *w = value_of(p, "type");

        if (!w)
                return false;
        for (size_t i = 0; i < array_len(types); i++) {
                if (!str_is(w->text, types[i].name))
                        continue;
                p->d->key = types[i].key;
                p->d->key_max = types[i].bytes;
                p->has_type = true;
                return types[i].bytes || parse_len(p);
        }
        p->i--;
        return fail(p, "unknown type '%.*s'", (int)w->text.n, w->text.p);
}

/* ---- store ---- */

static struct str take_until(struct str *rest, char end)
{
        const char *at = rest->n ? memchr(rest->p, end, rest->n) : NULL;
        struct str s = { rest->p, at ? (size_t)(at - rest->p) : rest->n };

        *rest = str_sub(*rest, s.n + (at != NULL), rest->n - s.n - (at != NULL));
        return s;
}

static bool parse_period(struct parse *p, const struct word *at, struct str text, const char *name, int *ret_ms)
{
        struct word w = { .text = text, .raw = text, .at = at->at };

        if (kw_arg_time(p->c, &w, false, ret_ms) && *ret_ms > 0)
                return true;
        return fail(p, "error when processing store option '%s'", name);
}

static bool parse_args(struct parse *p, const struct word *at, enum table_data td, struct str args)
{
        const struct table_data_row *row = &table_data_rows[td];
        struct table_store s = { .n = 1 };
        uint64_t n;

        if (row->array) {
                if (!str_to_u64(take_until(&args, ','), &n) || n < 1 || n > TABLE_ARRAY_MAX)
                        return fail(p, "array size is out of allowed range (1-%d) for store option '%s'",
                                    TABLE_ARRAY_MAX, row->name);
                s.n = (uint16_t)n;
        }
        if (row->form == TF_RATE && args.n == 0)
                return fail(p, "missing argument to store option '%s'", row->name);
        if (row->form == TF_RATE && !parse_period(p, at, args, row->name, &s.period_ms))
                return false;
        if (row->form != TF_RATE && args.n)
                return fail(p, "unexpected argument to store option '%s'", row->name);
        if (td == TD_GLITCH_CNT || td == TD_GLITCH_RATE)
                (void)kw_warn(p->c, at, "W0791",
                              "stick-table: nothing counts '%s' here, it stays 0: HTTP/1 that is odd is refused.",
                              row->name);
        p->d->store[td] = s;
        return true;
}

static bool parse_one(struct parse *p, const struct word *at, struct str text)
{
        struct str args = text, name = take_until(&args, '(');
        bool has_args = name.n < text.n;

        for (int td = 0; td < TD_N; td++) {
                const struct table_data_row *row = &table_data_rows[td];

                if (!str_is(name, row->name))
                        continue;
                if (p->d->store[td].n) {
                        (void)kw_warn(p->c, at, "W0790", "stick-table: store option '%s' already enabled, ignored.",
                                      row->name);
                        return true;
                }
                if (!has_args && (row->array || row->form == TF_RATE))
                        return fail(p, "missing argument to store option '%s'", row->name);
                if (has_args && !row->array && row->form != TF_RATE)
                        return fail(p, "unexpected argument to store option '%s'", row->name);
                if (has_args && (args.n == 0 || args.p[args.n - 1] != ')'))
                        return fail(p, "missing closing parenthesis in store option '%s'", row->name);
                return parse_args(p, at, (enum table_data)td, has_args ? str_sub(args, 0, args.n - 1) : args);
        }
        return fail(p, "unknown store option '%.*s'", (int)name.n, name.p);
}

/* "a,b(1,2),c": commas in parentheses belong to an option. */
static bool parse_store(struct parse *p)
{
        const struct word *w = value_of(p, "store");
        size_t from = 0;
        int depth = 0;

        if (!w)
                return false;
        for (size_t i = 0; i <= w->text.n; i++) {
                char ch = i < w->text.n ? w->text.p[i] : ',';

                depth += ch == '(' ? 1 : ch == ')' ? -1 : 0;
                if (ch != ',' || (depth > 0 && i < w->text.n))
                        continue;
                if (!parse_one(p, w, str_sub(w->text, from, i - from)))
                        return false;
                from = i + 1;
        }
        return true;
}

static bool arrays_alone(struct parse *p)
{
        static const struct {
                enum table_data array, old[2];
                const char *names;
        } t[] = { { TD_GPC, { TD_GPC0, TD_GPC1 }, "'gpc' and 'gpc[0/1]'" },
                  { TD_GPC_RATE, { TD_GPC0_RATE, TD_GPC1_RATE }, "'gpc_rate' and 'gpc[0/1]_rate'" },
                  { TD_GPT, { TD_GPT0, TD_GPT0 }, "'gpt' and 'gpt0'" } };

        for (size_t i = 0; i < array_len(t); i++) {
                const struct table_store *s = p->d->store;

                if (s[t[i].array].n && (s[t[i].old[0]].n || s[t[i].old[1]].n))
                        return fail(p,
                                    "simultaneous usage of %s in a same table is not permitted: the array takes the "
                                    "place of the others",
                                    t[i].names);
        }
        return true;
}

/* ---- the other words ---- */

static bool parse_size(struct parse *p)
{
        const struct word *w = value_of(p, "size");
        uint64_t n;

        if (!w || !kw_arg_size(p->c, w, 0, (uint64_t)1 << 31, &n))
                return false;
        p->d->size = (uint32_t)n;
        return true;
}

static bool parse_expire(struct parse *p)
{
        const struct word *w = value_of(p, "expire");
        int ms;

        if (!w || !kw_arg_time(p->c, w, false, &ms))
                return false;
        p->d->expire_ms = ms;
        return true;
}

static bool parse_nopurge(struct parse *p)
{
        return p->d->no_purge = true;
}

static bool parse_srvkey(struct parse *p)
{
        static const struct kw_val keys[] = { { "name", TABLE_BY_NAME }, { "addr", TABLE_BY_ADDR }, { NULL, 0 } };
        const struct word *w = value_of(p, "srvkey");
        int v;

        if (!w || !kw_arg_enum(p->c, w, keys, &v))
                return false;
        p->d->srvkey = (uint8_t)v;
        return true;
}

static bool parse_factor(struct parse *p)
{
        const struct word *w = value_of(p, "brates-factor");
        uint64_t n;

        if (!w)
                return false;
        if (!str_to_u64(w->text, &n) || n < 1 || n > 1024)
                return fail(p, "argument 'brates-factor' must be greater than 0 and lower or equal than 1024");
        p->d->brates_factor = (uint16_t)n;
        return true;
}

static bool no_peers(struct parse *p)
{
        p->i--;
        return fail(p, "'%.*s' is about peers, which Telamon does not support yet", (int)p->c->args[p->i].text.n,
                    p->c->args[p->i].text.p);
}

static bool parse_word(struct parse *p)
{
        static const struct {
                const char *name;
                bool (*fn)(struct parse *p);
        } words[] = { { "type", parse_type },     { "size", parse_size },
                      { "expire", parse_expire }, { "nopurge", parse_nopurge },
                      { "store", parse_store },   { "srvkey", parse_srvkey },
                      { "peers", no_peers },      { "write-to", no_peers },
                      { "recv-only", no_peers },  { "brates-factor", parse_factor } };
        const struct word *w = next_word(p);

        for (size_t i = 0; i < array_len(words); i++)
                if (str_is(w->text, words[i].name))
                        return words[i].fn(p);
        p->i--;
        return fail(p, "unknown argument '%.*s'", (int)w->text.n, w->text.p);
}

int stick_table_parse(struct kw_call *c)
{
        struct tables_cfg *cfg = c->slot;
        struct decl *d = conf_alloc(c->conf, sizeof(*d));
        struct parse p = { .c = c, .d = &d->def };

        if (cfg->decl) {
                (void)kw_fail(c, NULL, "E0796",
                              "stick-table name '%s' conflicts with the table declared above in this section.",
                              c->obj->name);
                return -1;
        }
        d->def.name = c->obj->name;
        d->def.brates_factor = 1;
        while (p.i < c->n_args)
                if (!parse_word(&p))
                        return -1;
        if (!p.d->size && !fail(&p, "missing size"))
                return -1;
        if (!p.has_type && !fail(&p, "missing type"))
                return -1;
        if (!arrays_alone(&p))
                return -1;
        if (table_data_bytes(p.d) == 0 && !fail(&p, "its data do not fit in an entry"))
                return -1;
        words_keep(c->conf, c->args, c->n_args, &d->words);
        cfg->decl = d;
        return (int)c->n_args;
}
