/* feat/tables/fetches.c - what the entries of stick tables hold, as samples (manual 7.3.3 sc_*, src_*; 7.3.1 table_* converters).
 *
 * One value is reached in three ways: by a tracked key (sc_conn_cnt), by the client's address (src_conn_cnt), by any sample
 * (table_conn_cnt). The checks of the rows put what the three have in common into the last arguments. */
#include "core/track.h"
#include "feat/tables/tables.h"

#include <arpa/inet.h>

enum { AT_IDX = 5, AT_SC = 6, AT_TABLE = 7 }; /* in the arguments: set by the checks below */

/* ---- which entry ---- */

struct found {
        struct table *t;
        uint32_t i; /* STICK_NONE: the table has no such key */
        bool held;  /* by us */
};

static void leave(const struct found *f)
{
        if (f->held)
                stick_put(&f->t->stick, f->i);
}

static void look_up(struct table *t, const struct smp *s, bool make, struct found *ret_f)
{
        char room[TABLE_KEY_ROOM];
        struct str key;
        bool is_new;

        *ret_f = (struct found){ .t = t, .i = STICK_NONE };
        if (!t || !table_key_of(t, s, room, &key))
                return;
        ret_f->i = make ? stick_get(&t->stick, key, thr_self->now, &is_new) : stick_find(&t->stick, key, thr_self->now);
        ret_f->held = ret_f->i != STICK_NONE;
}

static struct table *table_arg(const struct expr_arg *args)
{
        const struct table_ref *r = args[AT_TABLE].ptr;

        return r ? r->t : NULL;
}

/* False: nothing is tracked by this number. */
static bool find_tracked(const struct expr_ctx *x, const struct expr_arg *args, bool make, struct found *ret_f)
{
        const struct track *k = track_find(x->sess, x->strm, (unsigned)args[AT_SC].i);
        struct table *other = table_arg(args);
        struct smp s;

        if (!k)
                return false;
        if (!other || other == k->t) {
                *ret_f = (struct found){ .t = k->t, .i = k->i };
                return true;
        }
        if (other->def.key != k->t->def.key)
                return false; /* as HAProxy: a key of another type is none */
        table_key_smp(k->t, stick_key(&k->t->stick, k->i), &s);
        look_up(other, &s, make, ret_f);
        return true;
}

static bool source_smp(const struct expr_ctx *x, struct smp *ret_s)
{
        const struct addr *a = x->sess ? &x->sess->src : NULL;

        if (a && a->sa.sa_family == AF_INET) {
                ret_s->type = SMP_IPV4;
                ret_s->ip4 = a->in.sin_addr;
                return true;
        }
        if (a && a->sa.sa_family == AF_INET6) {
                ret_s->type = SMP_IPV6;
                ret_s->ip6 = a->in6.sin6_addr;
                return true;
        }
        return false;
}

static bool find_source(const struct expr_ctx *x, const struct expr_arg *args, bool make, struct found *ret_f)
{
        struct smp s;

        if (!source_smp(x, &s))
                return false;
        look_up(table_arg(args), &s, make, ret_f);
        return true;
}

/* ---- what of it ---- */

/* A value of the entry; 0 when there is none. EXPR_MISS: the table does not store that. */
static enum expr_answer value_of(const struct found *f, enum table_data td, const struct expr_arg *args,
                                 struct smp *ret_smp)
{
        unsigned idx = (unsigned)args[AT_IDX].i;
        uint64_t v;

        smp_int(ret_smp, 0);
        if (f->i == STICK_NONE)
                return EXPR_OK;
        td = table_pick(f->t, td, &idx);
        if (!table_has(f->t, td, idx))
                return EXPR_MISS;
        v = table_value(f->t, f->i, td, idx);
        if (td == TD_BYTES_IN_CNT || td == TD_BYTES_OUT_CNT)
                v >>= 10; /* kilobytes */
        if (td == TD_BYTES_IN_RATE || td == TD_BYTES_OUT_RATE)
                v *= f->t->def.brates_factor;
        ret_smp->i = (int64_t)v;
        return EXPR_OK;
}

static bool stores_gpc(const struct table *t, enum table_data td, unsigned idx)
{
        enum table_data rate = td == TD_GPC0 ? TD_GPC0_RATE : td == TD_GPC1 ? TD_GPC1_RATE : TD_GPC_RATE;
        unsigned rate_idx = idx;

        td = table_pick(t, td, &idx);
        rate = table_pick(t, rate, &rate_idx);
        return table_has(t, td, idx) || table_has(t, rate, rate_idx);
}

static enum expr_answer inc(const struct found *f, enum table_data td, const struct expr_arg *args, struct smp *ret_smp)
{
        unsigned idx = (unsigned)args[AT_IDX].i;

        smp_int(ret_smp, 0);
        if (f->i == STICK_NONE)
                return EXPR_OK;
        if (!stores_gpc(f->t, td, idx))
                return EXPR_MISS;
        ret_smp->i = (int64_t)table_gpc_add(f->t, f->i, td, idx, 1);
        stick_touch(&f->t->stick, f->i, thr_self->now);
        return EXPR_OK;
}

static enum expr_answer clr(const struct found *f, enum table_data td, const struct expr_arg *args, struct smp *ret_smp)
{
        unsigned idx = (unsigned)args[AT_IDX].i;

        smp_int(ret_smp, 0);
        if (f->i == STICK_NONE)
                return EXPR_OK;
        td = table_pick(f->t, td, &idx);
        if (!table_has(f->t, td, idx))
                return EXPR_MISS;
        ret_smp->i = (int64_t)table_set(f->t, f->i, td, idx, 0);
        stick_touch(&f->t->stick, f->i, thr_self->now);
        return EXPR_OK;
}

typedef enum expr_answer (*what_fn)(const struct found *f, enum table_data td, const struct expr_arg *args,
                                    struct smp *ret_smp);

static enum expr_answer by_tracked(const struct expr_ctx *x, const struct expr_arg *args, what_fn what,
                                   enum table_data td, struct smp *ret_smp)
{
        struct found f;
        enum expr_answer a;

        if (!find_tracked(x, args, what != value_of, &f))
                return EXPR_MISS;
        a = what(&f, td, args, ret_smp);
        leave(&f);
        return a;
}

static enum expr_answer by_source(const struct expr_ctx *x, const struct expr_arg *args, what_fn what,
                                  enum table_data td, struct smp *ret_smp)
{
        struct found f;
        enum expr_answer a;

        if (!find_source(x, args, what != value_of, &f))
                return EXPR_MISS;
        a = what(&f, td, args, ret_smp);
        leave(&f);
        return a;
}

static bool by_sample(const struct expr_arg *args, what_fn what, enum table_data td, struct smp *smp)
{
        struct found f;
        bool ok;

        look_up(table_arg(args), smp, what != value_of, &f);
        ok = what(&f, td, args, smp) == EXPR_OK;
        leave(&f);
        return ok;
}

#define UNUSED (void)x, (void)args, (void)n_args

/* The three functions of one value, or of one change. */
#define THREE(name, what, td)                                                                                          \
        static enum expr_answer sc_##name(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,      \
                                          struct smp *ret_smp)                                                         \
        {                                                                                                              \
                (void)n_args;                                                                                          \
                return by_tracked(x, args, what, td, ret_smp);                                                         \
        }                                                                                                              \
        static enum expr_answer src_##name(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,     \
                                           struct smp *ret_smp)                                                        \
        {                                                                                                              \
                (void)n_args;                                                                                          \
                return by_source(x, args, what, td, ret_smp);                                                          \
        }                                                                                                              \
        static bool table_##name(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,               \
                                 struct smp *smp)                                                                      \
        {                                                                                                              \
                UNUSED;                                                                                                \
                return by_sample(args, what, td, smp);                                                                 \
        }

/* All of one shape: sc_X, sc0_X, sc1_X, sc2_X, src_X and table_X. X(name, data, help) */
#define VALUES(X)                                                                                                      \
        X(bytes_in_rate, TD_BYTES_IN_RATE, "bytes from the client in the rate's period")                               \
        X(bytes_out_rate, TD_BYTES_OUT_RATE, "bytes from the server in the rate's period")                             \
        X(conn_cnt, TD_CONN_CNT, "connections of the entry so far")                                                    \
        X(conn_cur, TD_CONN_CUR, "connections that track the entry now")                                               \
        X(conn_rate, TD_CONN_RATE, "connections in the rate's period")                                                 \
        X(glitch_cnt, TD_GLITCH_CNT, "protocol oddities so far: 0, none is counted")                                   \
        X(glitch_rate, TD_GLITCH_RATE, "the rate of protocol oddities: 0")                                             \
        X(gpc0_rate, TD_GPC0_RATE, "how often gpc0 was counted up in the rate's period")                               \
        X(gpc1_rate, TD_GPC1_RATE, "how often gpc1 was counted up in the rate's period")                               \
        X(http_err_cnt, TD_HTTP_ERR_CNT, "wrong or refused requests so far")                                           \
        X(http_err_rate, TD_HTTP_ERR_RATE, "wrong or refused requests in the rate's period")                           \
        X(http_fail_cnt, TD_HTTP_FAIL_CNT, "failures of the server so far")                                            \
        X(http_fail_rate, TD_HTTP_FAIL_RATE, "failures of the server in the rate's period")                            \
        X(http_req_cnt, TD_HTTP_REQ_CNT, "requests so far")                                                            \
        X(http_req_rate, TD_HTTP_REQ_RATE, "requests in the rate's period")                                            \
        X(kbytes_in, TD_BYTES_IN_CNT, "kilobytes from the client so far")                                              \
        X(kbytes_out, TD_BYTES_OUT_CNT, "kilobytes from the server so far")                                            \
        X(sess_cnt, TD_SESS_CNT, "accepted connections so far")                                                        \
        X(sess_rate, TD_SESS_RATE, "accepted connections in the rate's period")

#define VALUE_FNS(name, td, h) THREE(name, value_of, td)
VALUES(VALUE_FNS)
THREE(gpc0, value_of, TD_GPC0)
THREE(gpc1, value_of, TD_GPC1)
THREE(gpt0, value_of, TD_GPT0)
THREE(gpc, value_of, TD_GPC)
THREE(gpt, value_of, TD_GPT)
THREE(gpc_rate, value_of, TD_GPC_RATE)
THREE(inc_gpc0, inc, TD_GPC0)
THREE(inc_gpc1, inc, TD_GPC1)
THREE(inc_gpc, inc, TD_GPC)
THREE(clr_gpc0, clr, TD_GPC0)
THREE(clr_gpc1, clr, TD_GPC1)
THREE(clr_gpc, clr, TD_GPC)

#define FETCH(fn)                                                                                                      \
        static enum expr_answer fn(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,             \
                                   struct smp *ret_smp)

FETCH(sc_key)
{
        const struct track *k = track_find(x->sess, x->strm, (unsigned)args[AT_SC].i);

        (void)n_args;
        if (!k)
                return EXPR_MISS;
        table_key_smp(k->t, stick_key(&k->t->stick, k->i), ret_smp); /* held as long as the stream or session is */
        return smp_cast(ret_smp, SMP_STR) ? EXPR_OK : EXPR_MISS;
}

FETCH(sc_tracked)
{
        const struct track *k = track_find(x->sess, x->strm, (unsigned)args[AT_SC].i);
        struct table *t = table_arg(args);

        (void)n_args;
        smp_bool(ret_smp, k && (!t || k->t == t));
        return EXPR_OK;
}

FETCH(sc_trackers)
{
        struct found f;

        (void)n_args;
        if (!find_tracked(x, args, false, &f))
                return EXPR_MISS;
        smp_int(ret_smp, f.i == STICK_NONE ? 0 : (int64_t)stick_holders(&f.t->stick, f.i) - f.held);
        leave(&f);
        return EXPR_OK;
}

FETCH(src_updt_conn_cnt)
{
        struct found f;
        bool has;

        (void)n_args;
        if (!find_source(x, args, true, &f))
                return EXPR_MISS;
        has = f.i != STICK_NONE && table_has(f.t, TD_CONN_CNT, 0);
        smp_int(ret_smp, has ? (int64_t)table_add(f.t, f.i, TD_CONN_CNT, 0, 1) : 0);
        leave(&f);
        return has ? EXPR_OK : EXPR_MISS;
}

FETCH(table_cnt)
{
        UNUSED;
        smp_int(ret_smp, stick_used(&table_arg(args)->stick));
        return EXPR_OK;
}

FETCH(table_avl)
{
        const struct table *t = table_arg(args);

        UNUSED;
        smp_int(ret_smp, (int64_t)t->def.size - stick_used(&t->stick));
        return EXPR_OK;
}

/* ---- converters of their own shape ---- */

#define CONV(fn) static bool fn(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args, struct smp *smp)

CONV(in_table)
{
        struct found f;

        UNUSED;
        look_up(table_arg(args), smp, false, &f);
        smp_bool(smp, f.i != STICK_NONE);
        leave(&f);
        return true;
}

CONV(table_trackers)
{
        struct found f;

        UNUSED;
        look_up(table_arg(args), smp, false, &f);
        /* HAProxy 2.6 and 3.4 count the look-up itself, and thresholds are written for that. */
        smp_int(smp, f.i == STICK_NONE ? 0 : (int64_t)stick_holders(&f.t->stick, f.i));
        leave(&f);
        return true;
}

CONV(table_server_id)
{
        UNUSED;
        return by_sample(args, value_of, TD_SERVER_ID, smp);
}

/* How long it was not touched; -1: no such key, and the default is in *smp if there is one. */
static int64_t idle_of(const struct expr_arg *args, unsigned n_args, struct smp *smp)
{
        struct found f;
        int64_t ms;

        look_up(table_arg(args), smp, false, &f);
        if (f.i == STICK_NONE) {
                smp_int(smp, n_args > 1 ? args[1].i : -1);
                return -1;
        }
        ms = (int64_t)((thr_self->now - stick_touched(&f.t->stick, f.i)) / NS_PER_MS);
        leave(&f);
        return ms < 0 ? 0 : ms;
}

CONV(table_idle)
{
        int64_t ms = idle_of(args, n_args, smp);

        (void)x;
        if (ms < 0)
                return n_args > 1;
        smp_int(smp, ms);
        return true;
}

CONV(table_expire)
{
        int64_t ms = idle_of(args, n_args, smp), all = table_arg(args)->def.expire_ms;

        (void)x;
        if (ms < 0)
                return n_args > 1;
        smp_int(smp, all > ms ? all - ms : 0);
        return true;
}

/* ---- arguments ---- */

static bool bind_table(struct kw_call *c, struct expr_arg *args, unsigned n_args, unsigned pos, const struct word *at)
{
        struct str name = pos < n_args ? (struct str){ args[pos].s, args[pos].n } : (struct str){ "", 0 };

        args[AT_TABLE].ptr = table_refer(c, name, REF_SAMPLE, "of a stick table", at);
        return args[AT_TABLE].ptr != NULL;
}

/* sc_X: without a name it is the tracked table. */
static bool bind_sc(struct kw_call *c, struct expr_arg *args, unsigned n_args, unsigned pos, const struct word *at)
{
        if (args[AT_SC].i < 0 || args[AT_SC].i >= TRACK_MAX) {
                (void)kw_fail(c, at, "E0798", "the number of a tracked key is between 0 and %d.", TRACK_MAX - 1);
                return false;
        }
        return pos >= n_args || args[pos].n == 0 || bind_table(c, args, n_args, pos, at);
}

static bool index_fits(struct kw_call *c, struct expr_arg *args, const struct word *at)
{
        args[AT_IDX].i = args[0].i;
        if (args[0].i >= 0 && args[0].i < TABLE_ARRAY_MAX)
                return true;
        (void)kw_fail(c, at, "E0798", "an index of an array is between 0 and %d.", TABLE_ARRAY_MAX - 1);
        return false;
}

#define CHECK(fn) static bool fn(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
CHECK(check_table)
{
        return bind_table(c, args, n_args, 0, at);
}
CHECK(check_idx_table)
{
        return index_fits(c, args, at) && bind_table(c, args, n_args, 1, at);
}
CHECK(check_sc)
{
        args[AT_SC].i = args[0].i;
        return bind_sc(c, args, n_args, 1, at);
}
CHECK(check_idx_sc)
{
        args[AT_SC].i = args[1].i;
        return index_fits(c, args, at) && bind_sc(c, args, n_args, 2, at);
}
CHECK(check_sc0)
{
        return bind_sc(c, args, n_args, 0, at);
}
CHECK(check_sc1)
{
        args[AT_SC].i = 1;
        return bind_sc(c, args, n_args, 0, at);
}
CHECK(check_sc2)
{
        args[AT_SC].i = 2;
        return bind_sc(c, args, n_args, 0, at);
}

/* ---- rows ---- */

#define F(n, f, chk, h, ...)                                                                                           \
        {                                                                                                              \
                .name = n, .out = SMP_SINT, .needs = EXPR_CLIENT, .fn = f, .check = chk, .manual = "7.3.3", .help = h, \
                __VA_ARGS__                                                                                            \
        }
#define SC_ARGS   .args = { ARG_SINT, ARG_TABLE }, .min_args = 1
#define SCN_ARGS  .args = { ARG_TABLE }
#define SCI_ARGS  .args = { ARG_SINT, ARG_SINT, ARG_TABLE }, .min_args = 2
#define SRC_ARGS  .args = { ARG_TABLE }
#define SRCI_ARGS .args = { ARG_SINT, ARG_TABLE }, .min_args = 1
#define SCS(name, f, h)                                                                                                \
        F("sc_" name, f, check_sc, h, SC_ARGS), F("sc0_" name, f, check_sc0, h, SCN_ARGS),                             \
                F("sc1_" name, f, check_sc1, h, SCN_ARGS), F("sc2_" name, f, check_sc2, h, SCN_ARGS)
#define FIVE(name, sc, src, h)  SCS(name, sc, h), F("src_" name, src, check_table, h, SRC_ARGS)
#define VALUE_ROWS(name, td, h) FIVE(#name, sc_##name, src_##name, h),
#define INDEXED(name, sc, src, h)                                                                                      \
        F("sc_" name, sc, check_idx_sc, h, SCI_ARGS), F("src_" name, src, check_idx_table, h, SRCI_ARGS)

static const struct fetch rows[] = {
        VALUES(VALUE_ROWS) FIVE("get_gpc0", sc_gpc0, src_gpc0, "gpc0 of the entry"),
        FIVE("get_gpc1", sc_gpc1, src_gpc1, "gpc1 of the entry"),
        FIVE("get_gpt0", sc_gpt0, src_gpt0, "tag gpt0 of the entry"),
        FIVE("inc_gpc0", sc_inc_gpc0, src_inc_gpc0, "counts one more in gpc0 and gives the new value"),
        FIVE("inc_gpc1", sc_inc_gpc1, src_inc_gpc1, "counts one more in gpc1 and gives the new value"),
        FIVE("clr_gpc0", sc_clr_gpc0, src_clr_gpc0, "sets gpc0 to 0 and gives what it was"),
        FIVE("clr_gpc1", sc_clr_gpc1, src_clr_gpc1, "sets gpc1 to 0 and gives what it was"),
        INDEXED("get_gpc", sc_gpc, src_gpc, "an element of gpc"),
        INDEXED("get_gpt", sc_gpt, src_gpt, "an element of gpt"),
        INDEXED("gpc_rate", sc_gpc_rate, src_gpc_rate,
                "how often an element of gpc was counted up in the rate's period"),
        INDEXED("inc_gpc", sc_inc_gpc, src_inc_gpc, "counts one more in an element of gpc and gives the new value"),
        INDEXED("clr_gpc", sc_clr_gpc, src_clr_gpc, "sets an element of gpc to 0 and gives what it was"),
        SCS("trackers", sc_trackers, "connections and requests that track the entry"),
        { .name = "sc_tracked",
          .args = { ARG_SINT, ARG_TABLE },
          .min_args = 1,
          .out = SMP_BOOL,
          .needs = EXPR_CLIENT,
          .fn = sc_tracked,
          .check = check_sc,
          .manual = "7.3.3",
          .help = "whether this number tracks an entry" },
#define TRACKED(n)                                                                                                     \
        {                                                                                                              \
                .name = "sc" #n "_tracked", .args = { ARG_TABLE }, .out = SMP_BOOL, .needs = EXPR_CLIENT,              \
                .fn = sc_tracked, .check = check_sc##n, .manual = "7.3.3",                                             \
                .help = "whether this number tracks an entry"                                                          \
        }
        TRACKED(0),
        TRACKED(1),
        TRACKED(2),
#define KEY(n, chk, ...)                                                                                               \
        {                                                                                                              \
                .name = n, .out = SMP_STR, .needs = EXPR_CLIENT, .fn = sc_key, .check = chk, .manual = "7.3.3",        \
                .help = "the key of the tracked entry", __VA_ARGS__                                                    \
        }
        KEY("sc_key", check_sc, .args = { ARG_SINT }, .min_args = 1),
        KEY("sc0_key", check_sc0, .min_args = 0),
        KEY("sc1_key", check_sc1, .min_args = 0),
        KEY("sc2_key", check_sc2, .min_args = 0),
        F("src_updt_conn_cnt", src_updt_conn_cnt, check_table, "counts one more in conn_cnt of the client's address",
          SRC_ARGS),
        { .name = "table_cnt",
          .args = { ARG_TABLE },
          .out = SMP_SINT,
          .needs = EXPR_INTERNAL,
          .fn = table_cnt,
          .check = check_table,
          .manual = "7.3.2",
          .help = "entries of a table" },
        { .name = "table_avl",
          .args = { ARG_TABLE },
          .out = SMP_SINT,
          .needs = EXPR_INTERNAL,
          .fn = table_avl,
          .check = check_table,
          .manual = "7.3.2",
          .help = "entries that a table still has room for" },
};
FETCH_TABLE(tables, rows);

#define C(n, f, h)                                                                                                     \
        {                                                                                                              \
                .name = n, .args = { ARG_TABLE }, .in = SMP_ANY, .out = SMP_SINT, .fn = f, .check = check_table,       \
                .manual = "7.3.1", .help = h                                                                           \
        }
#define CI(n, f, h)                                                                                                    \
        {                                                                                                              \
                .name = n, .args = { ARG_SINT, ARG_TABLE }, .min_args = 1, .in = SMP_ANY, .out = SMP_SINT, .fn = f,    \
                .check = check_idx_table, .manual = "7.3.1", .help = h                                                 \
        }
#define CD(n, f, h)                                                                                                    \
        {                                                                                                              \
                .name = n, .args = { ARG_TABLE, ARG_SINT }, .in = SMP_ANY, .out = SMP_SINT, .fn = f,                   \
                .check = check_table, .manual = "7.3.1", .help = h                                                     \
        }
#define VALUE_CONVS(name, td, h) C("table_" #name, table_##name, h),
static const struct conv convs[] = {
        VALUES(VALUE_CONVS) C("table_gpc0", table_gpc0, "gpc0 of the entry with this key"),
        C("table_gpc1", table_gpc1, "gpc1 of the entry with this key"),
        C("table_gpt0", table_gpt0, "tag gpt0 of the entry with this key"),
        C("table_inc_gpc0", table_inc_gpc0, "counts one more in gpc0 and gives the new value"),
        C("table_inc_gpc1", table_inc_gpc1, "counts one more in gpc1 and gives the new value"),
        C("table_clr_gpc0", table_clr_gpc0, "sets gpc0 to 0 and gives what it was"),
        C("table_clr_gpc1", table_clr_gpc1, "sets gpc1 to 0 and gives what it was"),
        CI("table_gpc", table_gpc, "an element of gpc"),
        CI("table_gpt", table_gpt, "an element of gpt"),
        CI("table_gpc_rate", table_gpc_rate, "how often an element of gpc was counted up in the rate's period"),
        CI("table_inc_gpc", table_inc_gpc, "counts one more in an element of gpc and gives the new value"),
        CI("table_clr_gpc", table_clr_gpc, "sets an element of gpc to 0 and gives what it was"),
        C("table_server_id", table_server_id, "number of the server that the entry names"),
        C("table_trackers", table_trackers, "connections and requests that track the entry with this key"),
        CD("table_expire", table_expire, "milliseconds until the entry expires"),
        CD("table_idle", table_idle, "milliseconds since the entry was last touched"),
        { .name = "in_table",
          .args = { ARG_TABLE },
          .in = SMP_ANY,
          .out = SMP_BOOL,
          .fn = in_table,
          .check = check_table,
          .manual = "7.3.1",
          .help = "whether the table has this key" },
};
CONV_TABLE(tables, convs);
