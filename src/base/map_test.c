#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* A map against a plain array that cannot be wrong: random puts and deletes, then full comparison. */
static void test_against_array(void **st)
{
        static char keys[512][16];
        static void *want[512];
        struct map m = MAP_INIT;
        size_t live = 0;

        (void)st;
        srand(1);
        for (int i = 0; i < 512; i++)
                (void)snprintf(keys[i], sizeof(keys[i]), "key%d", i);
        for (int step = 0; step < 100000; step++) {
                int k = rand() % 512;
                if (rand() % 2) {
                        want[k] = &keys[rand() % 512];
                        assert_true(map_put(&m, str_of(keys[k]), want[k]));
                } else {
                        assert_ptr_equal(map_del(&m, str_of(keys[k])), want[k]);
                        want[k] = NULL;
                }
        }
        for (int i = 0; i < 512; i++) {
                assert_ptr_equal(map_get(&m, str_of(keys[i])), want[i]);
                live += want[i] != NULL;
        }
        assert_int_equal(m.used, live);
        map_fini(&m);
        assert_null(map_get(&m, STR("key1")));
}

/* The entry of a key is made once, keeps its value while others come, and takes an equal key that lives elsewhere. */
static void test_at(void **st)
{
        static char keys[1000][16];
        char probe[] = "key7";
        struct map m = MAP_INIT;
        struct map_entry *e;
        bool is_new = false;

        (void)st;
        for (int round = 0; round < 2; round++)
                for (int i = 0; i < 1000; i++) {
                        (void)snprintf(keys[i], sizeof(keys[i]), "key%d", i);
                        e = map_at(&m, str_of(keys[i]), &is_new);
                        assert_int_equal(is_new, round == 0);
                        assert_ptr_equal(e->value, is_new ? NULL : keys[i]);
                        e->value = keys[i];
                }
        assert_int_equal(m.used, 1000);
        e = map_at(&m, str_of(probe), &is_new);
        assert_false(is_new);
        e->key.p = probe;
        assert_ptr_equal(map_get(&m, str_of(keys[7])), keys[7]);
        map_fini(&m);
}

static void test_clear(void **st)
{
        static const char *const keys[] = { "a", "b", "c" };
        struct map m = MAP_INIT;
        size_t large;

        (void)st;
        map_clear(&m); /* never used */
        for (uintptr_t i = 0; i < 10000; i++) {
                char *z = malloc(16);

                (void)snprintf(z, 16, "%lu", (unsigned long)i);
                map_set(&m, str_of(z), z);
        }
        for (size_t i = 0; i < m.cap; i++)
                free((void *)(uintptr_t)m.e[i].key.p);
        large = m.cap;
        map_clear(&m);
        for (int round = 0; round < 3; round++) {
                assert_null(map_get(&m, STR("a")));
                assert_int_equal(m.used, 0);
                for (size_t i = 0; i < 3; i++)
                        map_set(&m, str_of(keys[i]), &m);
                assert_ptr_equal(map_get(&m, STR("c")), &m);
                map_clear(&m);
        }
        assert_true(m.cap < large); /* a few names do not go on clearing what thousands needed */
        map_fini(&m);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_array), cmocka_unit_test(test_at),
                                            cmocka_unit_test(test_clear) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
