#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_alloc(void **st)
{
        struct arena a = ARENA_INIT;
        char *big, *s;

        (void)st;
        for (int i = 0; i < 10000; i++) {
                unsigned char *p = arena_alloc(&a, (size_t)(i % 97));
                assert_int_equal((uintptr_t)p % 16, 0);
                for (int k = 0; k < i % 97; k++) {
                        assert_int_equal(p[k], 0);
                        p[k] = 0xff;
                }
        }
        big = arena_alloc(&a, 5u << 20);
        big[(5u << 20) - 1] = 1;
        s = arena_printf(&a, "%s-%d", "x", 42);
        assert_string_equal(s, "x-42");
        assert_string_equal(arena_strdup(&a, STR("abc")), "abc");
        arena_fini(&a);
        assert_null(a.head);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_alloc) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
