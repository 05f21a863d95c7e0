#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_limit(void **st)
{
        struct buf b = BUF_INIT;

        (void)st;
        b.limit = 1024;
        for (int i = 0; i < 200; i++)
                buf_puts(&b, "0123456789");
        assert_true(b.failed);
        assert_true(b.n <= 1024 && b.n >= 1000);
        buf_drop(&b, 5);
        assert_memory_equal(b.p, "56789012345", 11);
        buf_fini(&b);
        buf_fini(&b); /* twice is fine */
}

static void test_printf(void **st)
{
        struct buf b = BUF_INIT;

        (void)st;
        for (int i = 0; i < 1000; i++)
                buf_printf(&b, "%d,", i);
        assert_false(b.failed);
        assert_memory_equal(b.p + b.n - 8, "998,999,", 8);
        buf_fini(&b);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_limit), cmocka_unit_test(test_printf) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
