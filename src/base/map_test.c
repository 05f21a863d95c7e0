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

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_array) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
