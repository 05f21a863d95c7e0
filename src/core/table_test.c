/* Stick tables: layout, rates to the event, keys, tables shared by definition, floods, and what is tracked. */
#include "core/cells.h"
#include "core/track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/fixture.h"

#include <malloc.h>
#include <pthread.h>

static int setup(void **st)
{
        (void)st;
        fx_thread();
        thr_self->now = 1000 * (mono_t)NS_PER_S;
        return 0;
}

static void go_ms(int64_t ms)
{
        thr_self->now = mono_add_ms(thr_self->now, ms);
}

static struct table_def def_all(void)
{
        struct table_def d = {
                .name = "t", .key = TABLE_STR, .key_max = 8, .size = 10, .brates_factor = 1, .expire_ms = 60000
        };

        for (int td = 0; td < TD_N; td++)
                d.store[td] = (struct table_store){ .n = table_data_rows[td].array ? 3 : 1, .period_ms = 1000 };
        return d;
}

static uint32_t hold(struct table *t, const char *key)
{
        bool is_new;
        uint32_t i = stick_get(&t->stick, str_of(key), thr_self->now, &is_new);

        assert_int_not_equal(i, STICK_NONE);
        return i;
}

static void test_layout(void **st)
{
        struct table_def d = def_all();
        struct table *t = table_open(&d);
        uint32_t a, b;
        uint64_t n = 1;

        (void)st;
        assert_non_null(t);
        a = hold(t, "a");
        b = hold(t, "b");
        for (int td = 0; td < TD_N; td++)
                for (unsigned k = 0; k < d.store[td].n; k++)
                        assert_int_equal(table_set(t, a, (enum table_data)td, k, n++), 0);
        n = 1;
        for (int td = 0; td < TD_N; td++)
                for (unsigned k = 0; k < d.store[td].n; k++) {
                        assert_int_equal(table_value(t, a, (enum table_data)td, k), n++);
                        assert_int_equal(table_value(t, b, (enum table_data)td, k), 0);
                }
        assert_int_equal(table_add(t, a, TD_GPC, 3, 1), 0); /* no such element */
        assert_false(table_has(t, TD_GPC, 3));
        assert_int_equal(table_add(t, b, TD_BYTES_IN_CNT, 0, (uint64_t)1 << 40), (uint64_t)1 << 40);
        stick_put(&t->stick, a);
        stick_put(&t->stick, b);
        table_close(t);
}

static void test_too_much(void **st)
{
        struct table_def d = def_all();

        (void)st;
        for (int td = 0; td < TD_N; td++)
                d.store[td].n = 65000;
        assert_int_equal(table_data_bytes(&d), 0);
        assert_null(table_open(&d));
}

/* The events of the last period: all of the current one, and the share that is left of the one before. */
static void test_rates(void **st)
{
        struct table_def d = def_all();
        struct table *t = table_open(&d);
        uint32_t i = hold(t, "a");

        (void)st;
        (void)table_add(t, i, TD_CONN_RATE, 0, 10); /* the period begins */
        assert_int_equal(table_value(t, i, TD_CONN_RATE, 0), 10);
        go_ms(999);
        assert_int_equal(table_value(t, i, TD_CONN_RATE, 0), 10);
        go_ms(251); /* a quarter of the next one */
        assert_int_equal(table_value(t, i, TD_CONN_RATE, 0), 7);
        (void)table_add(t, i, TD_CONN_RATE, 0, 4);
        assert_int_equal(table_value(t, i, TD_CONN_RATE, 0), 11);
        go_ms(750);
        assert_int_equal(table_value(t, i, TD_CONN_RATE, 0), 4);
        go_ms(500);
        assert_int_equal(table_value(t, i, TD_CONN_RATE, 0), 2);
        go_ms(500);
        assert_int_equal(table_value(t, i, TD_CONN_RATE, 0), 0);
        (void)table_add(t, i, TD_CONN_RATE, 0, 1); /* a lonely one is seen to its end */
        go_ms(1999);
        assert_int_equal(table_value(t, i, TD_CONN_RATE, 0), 1);
        go_ms(1);
        assert_int_equal(table_value(t, i, TD_CONN_RATE, 0), 0);
        assert_int_equal(table_set(t, i, TD_CONN_RATE, 0, 40), 0);
        assert_int_equal(table_value(t, i, TD_CONN_RATE, 0), 40);
        stick_put(&t->stick, i);
        table_close(t);
}

static void test_picks(void **st)
{
        struct table_def d = def_all();
        struct table *t;
        unsigned idx = 9;
        uint32_t i;

        (void)st;
        d.store[TD_GPC0].n = d.store[TD_GPC1].n = d.store[TD_GPT0].n = 0;
        d.store[TD_GPC0_RATE].n = d.store[TD_GPC1_RATE].n = 0;
        t = table_open(&d);
        i = hold(t, "a");
        assert_int_equal(table_pick(t, TD_GPC1, &idx), TD_GPC);
        assert_int_equal(idx, 1);
        assert_int_equal(table_gpc_add(t, i, TD_GPC1, 0, 5), 5);
        assert_int_equal(table_gpc_add(t, i, TD_GPC, 1, 2), 7);
        assert_int_equal(table_value(t, i, TD_GPC_RATE, 1), 7);
        assert_int_equal(table_value(t, i, TD_GPC, 0), 0);
        stick_put(&t->stick, i);
        table_close(t);
}

static void test_keys(void **st)
{
        static const struct {
                enum table_key key;
                const char *in, *hex; /* NULL: not a key */
        } v[] = {
                { TABLE_IPV4, "10.0.0.1", "0a000001" },
                { TABLE_IPV4, "x", NULL },
                { TABLE_IPV6, "::1", "00000000000000000000000000000001" },
                { TABLE_INT, "258", "02010000" },
                { TABLE_STR, "", NULL },
                { TABLE_STR, "abcdefghijk", "6162636465666768" },
                { TABLE_BIN, "abc", "6162630000000000" },
                { TABLE_BIN, "abcdefghij", "6162636465666768" },
        };

        (void)st;
        for (size_t k = 0; k < array_len(v); k++) {
                struct table_def d = { .name = "k", .key = v[k].key, .size = 2 };
                char room[TABLE_KEY_ROOM], hex[64] = "";
                struct table *t;
                struct str key = { "", 0 };
                struct smp s;

                d.key_max = v[k].key == TABLE_IPV6 ? 16 : v[k].key < TABLE_STR ? 4 : 8;
                t = table_open(&d);
                smp_str(&s, str_of(v[k].in));
                assert_int_equal(table_key_of(t, &s, room, &key), v[k].hex != NULL);
                for (size_t i = 0; i < key.n; i++)
                        (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)key.p[i]);
                if (v[k].hex)
                        assert_string_equal(hex, v[k].hex);
                if (v[k].hex && v[k].key < TABLE_STR) {
                        table_key_smp(t, key, &s);
                        assert_true(smp_cast(&s, SMP_STR) && str_is((struct str){ s.s.p, s.s.n }, v[k].in));
                }
                table_close(t);
        }
}

static void test_same_definition(void **st)
{
        struct table_def d = def_all(), other = d;
        struct table *a = table_open(&d), *b = table_open(&d), *c, *again;
        uint32_t i;

        (void)st;
        assert_ptr_equal(a, b);
        other.store[TD_CONN_RATE].period_ms = 2000;
        c = table_open(&other);
        assert_ptr_not_equal(c, a);
        i = hold(a, "kept");
        (void)table_set(a, i, TD_GPC0, 0, 5);
        table_close(a);
        assert_int_equal(table_value(b, i, TD_GPC0, 0), 5); /* a reload: the next configuration has it already */
        table_close(b); /* the last one: it stays for who holds the entry, and for nobody else */
        (void)table_add(b, i, TD_GPC0, 0, 1);
        again = table_open(&d);
        assert_ptr_not_equal(again, a);
        assert_int_equal(stick_used(&again->stick), 0);
        stick_put(&b->stick, i);
        table_close(again); /* the orphan goes with it: ASan looks */
        table_close(c);
}

static void test_flood(void **st)
{
        struct table_def d = { .name = "f", .key = TABLE_INT, .key_max = 4, .size = 1000 };
        struct table *t;
        size_t before;

        (void)st;
        d.store[TD_CONN_CNT].n = 1;
        t = table_open(&d);
        before = mallinfo2().uordblks;
        for (uint32_t k = 0; k < 200000; k++) {
                bool is_new;
                uint32_t i = stick_get(&t->stick, (struct str){ (char *)&k, 4 }, thr_self->now, &is_new);

                assert_int_not_equal(i, STICK_NONE);
                (void)table_add(t, i, TD_CONN_CNT, 0, 1);
                assert_int_equal(table_value(t, i, TD_CONN_CNT, 0), 1);
                stick_put(&t->stick, i);
        }
        assert_int_equal(stick_used(&t->stick), 1000);
        assert_int_equal(mallinfo2().uordblks, before);
        table_close(t);
}

/* Walking meets each entry once; removing one that somebody holds fails. */
static void test_walk(void **st)
{
        struct table_def d = def_all();
        struct table *t = table_open(&d);
        uint32_t held, n = 0;

        (void)st;
        stick_put(&t->stick, hold(t, "a"));
        held = hold(t, "b");
        stick_put(&t->stick, hold(t, "c"));
        for (uint32_t i = stick_walk(&t->stick, 0, thr_self->now); i != STICK_NONE;
             i = stick_walk(&t->stick, i + 1, thr_self->now)) {
                bool gone = stick_remove(&t->stick, i);

                assert_int_equal(gone, i != held);
                if (!gone) {
                        assert_int_equal(stick_holders(&t->stick, i), 2);
                        stick_put(&t->stick, i);
                }
                n++;
        }
        assert_int_equal(n, 3);
        assert_int_equal(stick_used(&t->stick), 1);
        stick_touch(&t->stick, held, thr_self->now);
        stick_put(&t->stick, held);
        go_ms(59999);
        table_purge(t);
        assert_int_equal(stick_used(&t->stick), 1);
        go_ms(1);
        assert_int_equal(stick_walk(&t->stick, 0, thr_self->now), STICK_NONE);
        table_purge(t);
        assert_int_equal(stick_used(&t->stick), 0);
        table_close(t);
}

struct hammer {
        struct table *t;
        struct thr *thr;
};

static void *hammer(void *arg)
{
        struct hammer *h = arg;

        thr_self = h->thr;
        for (int k = 0; k < 20000; k++) {
                struct table_event e[] = { { TD_CONN_CNT, 1 }, { TD_CONN_RATE, 1 } };
                uint32_t i = hold(h->t, "one");

                table_events(h->t, i, e, 2);
                stick_touch(&h->t->stick, i, thr_self->now);
                stick_put(&h->t->stick, i);
        }
        return NULL;
}

static void test_threads(void **st)
{
        struct table_def d = def_all();
        struct hammer h = { table_open(&d), thr_self };
        pthread_t p[4];
        uint32_t i;

        (void)st;
        for (int k = 0; k < 4; k++)
                assert_int_equal(pthread_create(&p[k], NULL, hammer, &h), 0);
        for (int k = 0; k < 4; k++)
                assert_int_equal(pthread_join(p[k], NULL), 0);
        i = hold(h.t, "one");
        assert_int_equal(table_value(h.t, i, TD_CONN_CNT, 0), 80000);
        assert_int_equal(table_value(h.t, i, TD_CONN_RATE, 0), 80000);
        assert_int_equal(stick_holders(&h.t->stick, i), 1);
        stick_put(&h.t->stick, i);
        table_close(h.t);
}

/* ---- tracking ---- */

static uint64_t of(struct table *t, const char *key, enum table_data td)
{
        uint32_t i = stick_find(&t->stick, str_of(key), thr_self->now);
        uint64_t v = i == STICK_NONE ? 999 : table_value(t, i, td, 0);

        if (i != STICK_NONE)
                stick_put(&t->stick, i);
        return v;
}

static void test_track(void **st)
{
        static const int statuses[] = { 100, 200, 399, 400, 499, 500, 501, 504, 505, 599 };
        struct table_def d = def_all();
        struct table *t = table_open(&d);
        struct fx_stream f;

        (void)st;
        fx_stream_init(&f, NULL);
        f.s.rsp_seen = false;
        track_begin(&f.ss, NULL, 0, t, STR("conn"));
        assert_int_equal(of(t, "conn", TD_CONN_CNT), 1);
        assert_int_equal(of(t, "conn", TD_SESS_CNT), 0);
        track_sess_begin(&f.ss);
        assert_int_equal(of(t, "conn", TD_SESS_CNT), 1);
        track_request(&f.s);
        track_begin(&f.ss, &f.s, 0, t, STR("taken")); /* the number is the connection's */
        assert_int_equal(of(t, "taken", TD_CONN_CNT), 999);
        track_begin(&f.ss, &f.s, 7, t, STR("req"));
        assert_ptr_equal(track_find(&f.ss, &f.s, 7)->t, t);
        assert_null(track_find(&f.ss, &f.s, 1));
        assert_null(track_find(&f.ss, NULL, 7));
        assert_int_equal(of(t, "req", TD_HTTP_REQ_CNT), 1); /* tracked late, it counts all the same */
        assert_int_equal(of(t, "conn", TD_HTTP_REQ_CNT), 1);
        for (size_t k = 0; k < array_len(statuses); k++)
                track_status(&f.s, statuses[k]);
        track_bytes(&f.s, 100, 200);
        for (int k = 0; k < 2; k++) {
                const char *key = k ? "conn" : "req";

                assert_int_equal(of(t, key, TD_HTTP_ERR_CNT), 2);  /* 400 499 */
                assert_int_equal(of(t, key, TD_HTTP_FAIL_CNT), 3); /* 500 504 599 */
                assert_int_equal(of(t, key, TD_BYTES_IN_CNT), 100);
                assert_int_equal(of(t, key, TD_BYTES_OUT_RATE), 200);
                assert_int_equal(of(t, key, TD_CONN_CUR), 1);
        }
        f.s.term[0] = 'P';
        f.s.term[1] = 'R';
        track_end(&f.s);
        assert_int_equal(of(t, "req", TD_CONN_CUR), 0);
        assert_int_equal(of(t, "req", TD_HTTP_ERR_CNT), 3);
        assert_int_equal(of(t, "conn", TD_CONN_CUR), 1);
        assert_null(track_find(&f.ss, &f.s, 7));
        track_sess_end(&f.ss);
        assert_int_equal(of(t, "conn", TD_CONN_CUR), 0);
        expr_state_fini(&f.s);
        table_close(t);
}

static void test_track_answer(void **st)
{
        struct table_def d = def_all();
        struct table *t = table_open(&d);
        struct fx_stream f;

        (void)st;
        fx_stream_init(&f, NULL);
        f.s.status = 500;
        track_begin(&f.ss, &f.s, 99, t, STR("late"));
        assert_int_equal(of(t, "late", TD_HTTP_FAIL_CNT), 1);
        f.s.rsp_seen = false;
        f.s.term[0] = 'S';
        f.s.term[1] = 'H';
        track_end(&f.s);
        assert_int_equal(of(t, "late", TD_HTTP_FAIL_CNT), 2);
        expr_state_fini(&f.s);
        table_close(t);
}

static void test_sticky(void **st)
{
        struct table_def d = def_all();
        struct table *t[10];
        struct server_cfg cfg = { 0 };
        struct fx_stream f;
        char name[8];

        (void)st;
        fx_stream_init(&f, NULL);
        f.srv.cfg = &cfg;
        f.srv.puid = 3;
        for (int k = 0; k < 10; k++) {
                (void)snprintf(name, sizeof(name), "t%d", k);
                d.name = name;
                d.srvkey = k ? TABLE_BY_NAME : TABLE_BY_ADDR;
                t[k] = table_open(&d);
                sticky_want(&f.s, t[k], STR("key"), false);
                sticky_want(&f.s, t[k], STR("key2"), false); /* the first of a table wins */
        }
        sticky_want(&f.s, t[9], STR("rsp"), true);
        sticky_store(&f.s);
        for (int k = 0; k < 10; k++) {
                bool kept = k < STICKY_MAX;

                assert_int_equal(of(t[k], "key", TD_SERVER_ID), kept ? 3 : 999);
                assert_int_equal(of(t[k], "key2", TD_SERVER_ID), 999);
                if (kept)
                        assert_true(str_is(table_name_get((uint32_t)of(t[k], "key", TD_SERVER_KEY)),
                                           k ? "s1" : "127.0.0.9:27010"));
        }
        assert_int_equal(of(t[9], "rsp", TD_SERVER_ID), 3);
        cfg.non_stick = true;
        sticky_want(&f.s, t[1], STR("other"), false);
        sticky_store(&f.s);
        assert_int_equal(of(t[1], "other", TD_SERVER_ID), 999);
        expr_state_fini(&f.s);
        for (int k = 0; k < 10; k++)
                table_close(t[k]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_layout),       cmocka_unit_test(test_too_much),
                cmocka_unit_test(test_rates),        cmocka_unit_test(test_picks),
                cmocka_unit_test(test_keys),         cmocka_unit_test(test_same_definition),
                cmocka_unit_test(test_flood),        cmocka_unit_test(test_walk),
                cmocka_unit_test(test_threads),      cmocka_unit_test(test_track),
                cmocka_unit_test(test_track_answer), cmocka_unit_test(test_sticky),
        };

        return cmocka_run_group_tests_name("core/table", tests, setup, NULL);
}
