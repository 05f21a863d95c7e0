/* feat/tables/actions.c - the rules that track keys and change what their entries hold (manual 4.4, track-sc and sc-*). */
#include "core/rules.h"
#include "core/track.h"
#include "feat/tables/tables.h"

#include <stdio.h>

#define TRACK_POINTS (RULE_ON_REQUESTS | RULE_ON(HTTP_RESPONSE))

/* ---- track-sc ---- */

struct track_arg {
        unsigned sc;
        const struct expr *key;
        const struct table_ref *table;
};

static bool number_fits(struct rule_call *c, uint64_t n)
{
        unsigned max = tables_counters(c->kw->conf);

        if (n < max)
                return true;
        (void)rule_fail(c, &c->kw->args[0], "the number of the tracked key must be less than tune.stick-counters (%u)",
                        max);
        return false;
}

static int track_parse(struct rule_call *c, const void **ret_arg)
{
        struct str word = c->kw->args[0].text, name = { "", 0 };
        struct track_arg *a = conf_alloc(c->kw->conf, sizeof(*a));
        struct table_ref *r;
        uint64_t n = 0;
        size_t used;
        int took = 1;

        (void)str_to_u64(str_sub(word, 8, word.n - 8), &n); /* behind "track-sc"; the row's name says that it is one */
        if (!number_fits(c, n))
                return -1;
        if (c->n == 0)
                return rule_fail(c, NULL, "missing fetch method");
        a->sc = (unsigned)n;
        a->key = expr_compile(c->kw, c->w[0].text, &c->w[0], c->allowed, &used);
        if (!a->key)
                return -1;
        if (c->n > 1 && str_is(c->w[1].text, "table")) {
                if (c->n < 3)
                        return rule_fail(c, &c->w[1], "missing table name");
                name = c->w[2].text;
                took = 3;
        }
        r = table_refer(c->kw, name, REF_TRACK, conf_intern(c->kw->conf, word), &c->w[0]);
        if (!r)
                return -1;
        r->type = expr_type(a->key);
        a->table = r;
        *ret_arg = a;
        return took;
}

static enum rule_answer track_run(const void *arg, struct rule_ctx *x)
{
        const struct track_arg *a = arg;
        bool of_sess = x->point == RULE_TCP_CONN || x->point == RULE_TCP_SESS;
        char room[TABLE_KEY_ROOM];
        struct str key;
        struct smp s;

        switch (expr_run(a->key, &x->x, &s)) {
        case EXPR_WAIT: return RULE_WAIT;
        case EXPR_MISS: return RULE_NEXT;
        case EXPR_OK: break;
        }
        if (table_key_of(a->table->t, &s, room, &key))
                track_begin(x->x.sess, of_sess ? NULL : x->strm, a->sc, a->table->t, key);
        return RULE_NEXT;
}

/* ---- sc-* ---- */

struct sc_arg {
        enum table_data td;
        unsigned idx, sc;
        const struct expr *expr; /* NULL: the number */
        uint32_t number;
};

/* "sc-inc-gpc(<idx>,<sc>)": the numbers in the parentheses; none at all are zeros. */
static bool parse_numbers(struct rule_call *c, bool has_idx, struct sc_arg *a)
{
        struct str w = c->kw->args[0].text;
        const char *open = memchr(w.p, '(', w.n), *comma;
        struct str in, idx = { "0", 1 };
        uint64_t i = 0, sc = 0;

        if (!open && !has_idx)
                return number_fits(c, 0);
        in = open ? str_sub(w, (size_t)(open - w.p) + 1, w.n - (size_t)(open - w.p) - 1) : (struct str){ "", 0 };
        if (in.n && in.p[in.n - 1] == ')')
                in.n--;
        comma = has_idx && in.n ? memchr(in.p, ',', in.n) : NULL;
        if (comma) {
                idx = (struct str){ in.p, (size_t)(comma - in.p) };
                in = str_sub(in, idx.n + 1, in.n - idx.n - 1);
        }
        if ((has_idx && !comma) || !str_to_u64(idx, &i) || !str_to_u64(in, &sc)) {
                (void)rule_fail(c, &c->kw->args[0], "expects '%s<number of the tracked key>)'",
                                has_idx ? "(<index>," : "(");
                return false;
        }
        if (i >= TABLE_ARRAY_MAX) {
                (void)rule_fail(c, &c->kw->args[0], "the index must be less than %d", TABLE_ARRAY_MAX);
                return false;
        }
        a->idx = (unsigned)i;
        a->sc = (unsigned)sc;
        return number_fits(c, sc);
}

static int sc_parse(struct rule_call *c, bool has_idx, enum table_data td, bool has_value, const void **ret_arg)
{
        struct sc_arg *a = conf_alloc(c->kw->conf, sizeof(*a));
        uint64_t n;
        size_t used;

        a->td = td;
        if (!parse_numbers(c, has_idx, a))
                return -1;
        *ret_arg = a;
        if (!has_value) {
                a->number = 1;
                return 0;
        }
        if (c->n == 0)
                return rule_fail(c, NULL, "expects a number or an expression");
        if (str_to_u64(c->w[0].text, &n)) {
                if (n > UINT32_MAX)
                        return rule_fail(c, &c->w[0], "the number must fit in 32 bits");
                a->number = (uint32_t)n;
                return 1;
        }
        a->expr = expr_compile(c->kw, c->w[0].text, &c->w[0], c->allowed, &used);
        if (!a->expr)
                return -1;
        if (!smp_can_cast(expr_type(a->expr), SMP_SINT))
                return rule_fail(c, &c->w[0], "the expression gives no number");
        return 1;
}

#define SC_PARSE(fn, idx, td, value)                                                                                   \
        static int fn(struct rule_call *c, const void **ret_arg)                                                       \
        {                                                                                                              \
                return sc_parse(c, idx, td, value, ret_arg);                                                           \
        }
SC_PARSE(inc_gpc0_parse, false, TD_GPC0, false)
SC_PARSE(inc_gpc1_parse, false, TD_GPC1, false)
SC_PARSE(inc_gpc_parse, true, TD_GPC, false)
SC_PARSE(add_gpc_parse, true, TD_GPC, true)
SC_PARSE(set_gpt0_parse, false, TD_GPT0, true)
SC_PARSE(set_gpt_parse, true, TD_GPT, true)

/* False: it is not there now (or wait). */
static enum expr_answer number_of(const struct sc_arg *a, const struct expr_ctx *x, uint32_t *ret_n)
{
        enum expr_answer r;
        struct smp s;

        *ret_n = a->number;
        if (!a->expr)
                return EXPR_OK;
        r = expr_run(a->expr, x, &s);
        if (r == EXPR_OK && !smp_cast(&s, SMP_SINT))
                return EXPR_MISS;
        if (r == EXPR_OK)
                *ret_n = (uint32_t)s.i;
        return r;
}

static enum rule_answer sc_run(const void *arg, struct rule_ctx *x)
{
        const struct sc_arg *a = arg;
        const struct track *k = track_find(x->x.sess, x->strm, a->sc);
        enum table_data td = a->td;
        unsigned idx = a->idx;
        uint32_t n = 0;

        switch (number_of(a, &x->x, &n)) {
        case EXPR_WAIT: return RULE_WAIT;
        case EXPR_MISS: return RULE_NEXT;
        case EXPR_OK: break;
        }
        if (!k)
                return RULE_NEXT;
        if (a->td == TD_GPT || a->td == TD_GPT0)
                (void)table_set(k->t, k->i, table_pick(k->t, td, &idx), idx, n);
        else
                (void)table_gpc_add(k->t, k->i, td, idx, n);
        stick_touch(&k->t->stick, k->i, thr_self->now);
        return RULE_NEXT;
}

#define SC(n, p, a, h)                                                                                                 \
        {                                                                                                              \
                .name = n, .points = RULE_ON_ALL, .parse = p, .run = sc_run, .args = a, .help = h, .manual = "4.4"     \
        }
static const struct action rows[] = {
        SC("sc-inc-gpc0", inc_gpc0_parse, "(<sc-id>)", "counts one more in gpc0 of the tracked entry, and its rate"),
        SC("sc-inc-gpc1", inc_gpc1_parse, "(<sc-id>)", "counts one more in gpc1 of the tracked entry, and its rate"),
        SC("sc-inc-gpc", inc_gpc_parse, "(<idx>,<sc-id>)", "counts one more in an element of gpc, and its rate"),
        SC("sc-add-gpc", add_gpc_parse, "(<idx>,<sc-id>) { <int> | <expr> }",
           "adds a number to an element of gpc, and to its rate"),
        SC("sc-set-gpt0", set_gpt0_parse, "(<sc-id>) { <int> | <expr> }", "sets the tag gpt0 of the tracked entry"),
        SC("sc-set-gpt", set_gpt_parse, "(<idx>,<sc-id>) { <int> | <expr> }", "sets an element of gpt"),
};
ACTION_TABLE(tables, rows);

#define T(n)                                                                                                           \
        {                                                                                                              \
                .name = "track-sc" #n, .points = TRACK_POINTS, .parse = track_parse, .run = track_run,                 \
                .args = "<key> [table <table>]", .manual = "4.4",                                                      \
                .help = "tracks an entry of a stick table as number " #n " and counts in it"                           \
        }
#define TEN(d) T(d##0), T(d##1), T(d##2), T(d##3), T(d##4), T(d##5), T(d##6), T(d##7), T(d##8), T(d##9)
static const struct action track_rows[] = { TEN(),  TEN(1), TEN(2), TEN(3), TEN(4),
                                            TEN(5), TEN(6), TEN(7), TEN(8), TEN(9) };
_Static_assert(array_len(track_rows) == TRACK_MAX, "one for each number");
ACTION_TABLE(track, track_rows);
