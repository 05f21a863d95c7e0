#include "core/stick.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define S ((mono_t)NS_PER_S)

static void *block(const struct stick_opts *o)
{
        size_t n = (stick_bytes(o) + 63) & ~(size_t)63;
        void *mem = aligned_alloc(64, n);

        assert_non_null(mem);
        memset(mem, 0, n);
        return mem;
}

static struct stick table(const struct stick_opts *o)
{
        struct stick t;

        assert_int_equal(stick_init(&t, o, block(o)), 0);
        return t;
}

static void table_end(struct stick *t)
{
        stick_fini(t);
        free(t->head);
}

/* Touches a key and lets go of it; true when it is new. */
static bool use(struct stick *t, const char *key, mono_t now)
{
        bool is_new;
        uint32_t i = stick_get(t, str_of(key), now, &is_new);

        assert_int_not_equal(i, STICK_NONE);
        stick_put(t, i);
        return is_new;
}

static bool has(struct stick *t, const char *key, mono_t now)
{
        uint32_t i = stick_find(t, str_of(key), now);

        if (i != STICK_NONE)
                stick_put(t, i);
        return i != STICK_NONE;
}

static void test_data_and_keys(void **st)
{
        struct stick_opts o = { .size = 10, .key_max = 4, .data_bytes = 8 };
        struct stick t = table(&o);
        bool is_new;
        uint32_t i;

        (void)st;
        i = stick_get(&t, STR("abcdef"), S, &is_new);
        assert_true(is_new && str_is(stick_key(&t, i), "abcd"));
        assert_int_equal(*(uint64_t *)stick_data(&t, i), 0);
        *(uint64_t *)stick_data(&t, i) = 7;
        stick_put(&t, i);
        assert_int_equal(stick_find(&t, STR("abcdxx"), S), i); /* the same, once cut */
        stick_put(&t, i);
        assert_false(use(&t, "abcd", S));
        assert_true(use(&t, "abc", S) && use(&t, "", S));
        assert_int_equal(stick_used(&t), 3);
        assert_true(stick_drop(&t, STR("abcd")));
        assert_false(stick_drop(&t, STR("abcd")));
        assert_int_equal(stick_used(&t), 2);
        i = stick_get(&t, STR("abcd"), S, &is_new);
        assert_true(is_new && *(uint64_t *)stick_data(&t, i) == 0);
        assert_false(stick_drop(&t, STR("abcd"))); /* held */
        stick_put(&t, i);
        table_end(&t);
}

static void test_bad_sizes(void **st)
{
        struct stick t;

        (void)st;
        assert_int_equal(stick_init(&t, &(struct stick_opts){ .size = 0, .key_max = 4 }, NULL), -EINVAL);
        assert_int_equal(stick_init(&t, &(struct stick_opts){ .size = UINT32_MAX, .key_max = 4 }, NULL), -EINVAL);
        assert_int_equal(stick_init(&t, &(struct stick_opts){ .size = 5 }, NULL), -EINVAL);
}

static void test_expiry(void **st)
{
        struct stick_opts o = { .size = 100, .key_max = 8, .data_bytes = 1, .expire_ms = 10000 };
        struct stick t = table(&o);
        uint32_t held, n = 0;
        bool is_new;

        (void)st;
        assert_true(use(&t, "a", 0 * S) && use(&t, "b", 0 * S));
        assert_false(use(&t, "a", 9 * S)); /* touched: lives to 19 s */
        assert_true(has(&t, "b", 9 * S));  /* looked at: does not live longer */
        assert_false(has(&t, "b", 10 * S));
        assert_true(has(&t, "a", 18 * S));
        assert_int_equal(stick_used(&t), 1);
        assert_true(use(&t, "b", 20 * S));
        held = stick_get(&t, STR("h"), 20 * S, &is_new);
        for (unsigned k = 0; k < STICK_SHARDS; k++)
                n += stick_purge(&t, k, 100 * S, 10);
        assert_int_equal(n, 2); /* a and b, not the one that is held */
        assert_true(has(&t, "h", 100 * S));
        stick_put(&t, held);
        assert_false(has(&t, "h", 100 * S));
        assert_int_equal(stick_used(&t), 0);
        table_end(&t);
}

/* At the limit: as many entries as the size says, whatever their shards; the oldest goes, one that is held stays. */
static void test_full(void **st)
{
        struct stick_opts o = { .size = 40, .key_max = 16, .data_bytes = 0 };
        struct stick t = table(&o);
        bool is_new;
        uint32_t first = stick_get(&t, STR("k0"), S, &is_new);
        char key[16];

        (void)st;
        for (int i = 1; i < 1000; i++) {
                (void)snprintf(key, sizeof(key), "k%d", i);
                assert_true(use(&t, key, S + (mono_t)i));
                assert_int_equal(stick_used(&t), i < 40 ? i + 1 : 40);
        }
        assert_true(has(&t, "k999", 2 * S));
        assert_true(has(&t, "k0", 2 * S));
        stick_put(&t, first);
        table_end(&t);

        o.size = 1;
        t = table(&o);
        first = stick_get(&t, STR("only"), S, &is_new);
        assert_int_equal(stick_get(&t, STR("other"), S, &is_new), STICK_NONE);
        assert_int_equal(stick_get(&t, STR("only"), S, &is_new), first);
        assert_false(is_new);
        stick_put(&t, first);
        stick_put(&t, first);
        assert_true(use(&t, "other", S));
        assert_false(has(&t, "only", S));
        table_end(&t);

        o.no_purge = true;
        t = table(&o);
        assert_true(use(&t, "only", S));
        assert_int_equal(stick_get(&t, STR("other"), S, &is_new), STICK_NONE);
        assert_true(has(&t, "only", S));
        table_end(&t);
}

/* Within a shard the one that was not touched for longest goes first. */
static void test_oldest_goes(void **st)
{
        struct stick_opts o = { .size = 6400, .key_max = 16, .data_bytes = 0 };
        struct stick t = table(&o);
        char key[16];
        int kept = 0;

        (void)st;
        for (int i = 0; i < 12000; i++) {
                (void)snprintf(key, sizeof(key), "k%d", i);
                (void)use(&t, key, S + (mono_t)i);
                assert_false(use(&t, "always", S + (mono_t)i) && i > 0);
        }
        assert_int_equal(stick_used(&t), 6400);
        for (int i = 0; i < 3000; i++) {
                (void)snprintf(key, sizeof(key), "k%d", i);
                kept += has(&t, key, 2 * S);
        }
        assert_int_equal(kept, 0);
        table_end(&t);
}

static void test_adopt(void **st)
{
        struct stick_opts o = { .size = 50, .key_max = 8, .data_bytes = 8, .expire_ms = 10000 }, other = o;
        struct stick t = table(&o), u;
        size_t n = stick_bytes(&o);
        bool is_new;
        uint32_t i;

        (void)st;
        assert_true(use(&t, "old", 1 * S));
        i = stick_get(&t, STR("held"), 5 * S, &is_new); /* and the process dies here */
        *(uint64_t *)stick_data(&t, i) = 42;
        assert_true(use(&t, "new", 6 * S));
        (void)stick_get(&t, STR("torn"), 6 * S, &is_new);
        memset((char *)stick_data(&t, stick_find(&t, STR("torn"), 6 * S)) - 6, 0xff, 1); /* its `used` */
        other.size = 49;
        assert_int_equal(stick_adopt(&u, &other, t.head, n, 7 * S), -EBADMSG);
        assert_int_equal(stick_adopt(&u, &o, t.head, n - 1, 7 * S), -EBADMSG);
        assert_int_equal(stick_adopt(&u, &o, t.head, n, 12 * S), 0);
        assert_int_equal(stick_used(&u), 2);
        assert_false(has(&u, "old", 12 * S));
        assert_false(has(&u, "torn", 12 * S));
        i = stick_find(&u, STR("held"), 12 * S);
        assert_int_not_equal(i, STICK_NONE);
        assert_int_equal(*(uint64_t *)stick_data(&u, i), 42);
        stick_put(&u, i);
        assert_true(stick_drop(&u, STR("held"))); /* nobody holds it any more */
        for (int k = 0; k < 200; k++) {
                char key[8];

                (void)snprintf(key, sizeof(key), "%d", k);
                (void)use(&u, key, 13 * S);
        }
        assert_int_equal(stick_used(&u), 50);
        table_end(&u);

        u.head = block(&o);
        memset(u.head, 0xa5, n);
        assert_int_equal(stick_adopt(&u, &o, u.head, n, S), -EBADMSG);
        free(u.head);
}

/* Bytes of the entries are anything at all: adopting them gives a table that works. */
static void test_adopt_garbage(void **st)
{
        struct stick_opts o = { .size = 30, .key_max = 8, .data_bytes = 8, .expire_ms = 10000 };
        size_t n = stick_bytes(&o), tail = n - n / 3;

        (void)st;
        for (unsigned round = 0; round < 300; round++) {
                struct stick t = table(&o);
                char *bytes = (char *)t.head;

                for (size_t k = tail; k < n; k++)
                        bytes[k] = (char)(k * 131 * (round + 1) >> (round % 7));
                assert_int_equal(stick_adopt(&t, &o, t.head, n, 3 * S), 0);
                for (int k = 0; k < 100; k++) {
                        char key[8];

                        (void)snprintf(key, sizeof(key), "%d", k);
                        (void)use(&t, key, 4 * S);
                }
                assert_int_equal(stick_used(&t), 30);
                table_end(&t);
        }
}

struct worker {
        pthread_t thread;
        struct stick *t;
        unsigned seed;
        uint64_t uses;
};

static void *work(void *arg)
{
        struct worker *w = arg;

        for (int i = 0; i < 50000; i++) {
                char key[16];
                bool is_new;
                uint32_t e;

                w->seed = w->seed * 1103515245u + 12345u;
                (void)snprintf(key, sizeof(key), "%u", (w->seed >> 16) % 300);
                e = stick_get(w->t, str_of(key), S + (mono_t)i, &is_new);
                if (e == STICK_NONE)
                        continue; /* the few there are were all held */
                if (!str_is(stick_key(w->t, e), key))
                        abort();
                (void)atomic_fetch_add_explicit((_Atomic(uint64_t) *)stick_data(w->t, e), 1, memory_order_relaxed);
                w->uses++;
                if (stick_used(w->t) > 100)
                        abort();
                stick_put(w->t, e);
        }
        return NULL;
}

static void test_threads(void **st)
{
        struct stick_opts o = { .size = 100, .key_max = 16, .data_bytes = 8 };
        struct stick t = table(&o);
        struct worker w[4];
        uint32_t n = 0;

        (void)st;
        for (unsigned i = 0; i < array_len(w); i++) {
                w[i] = (struct worker){ .t = &t, .seed = i + 1 };
                assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
        }
        for (unsigned i = 0; i < array_len(w); i++) {
                assert_int_equal(pthread_join(w[i].thread, NULL), 0);
                assert_true(w[i].uses > 40000);
        }
        for (int k = 0; k < 300; k++) {
                char key[16];

                (void)snprintf(key, sizeof(key), "%d", k);
                n += has(&t, key, 2 * S);
        }
        assert_int_equal(n, stick_used(&t));
        assert_int_equal(n, 100);
        table_end(&t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_data_and_keys), cmocka_unit_test(test_bad_sizes),   cmocka_unit_test(test_expiry),
                cmocka_unit_test(test_full),          cmocka_unit_test(test_oldest_goes), cmocka_unit_test(test_adopt),
                cmocka_unit_test(test_adopt_garbage), cmocka_unit_test(test_threads),
        };

        return cmocka_run_group_tests_name("core/stick", tests, NULL, NULL);
}
