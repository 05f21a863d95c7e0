#include "base/asan.h"
#include "base/slab.h"
#include "base/thr.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void check_sizes(void)
{
        for (size_t n = 0; n <= MEM_MAX; n += n < 3000 ? 1 : 777) {
                size_t size = 0;
                char *p = mem_get(n, &size);
                assert_non_null(p);
                assert_true(size >= n && size >= MEM_MIN && size <= MEM_MAX);
                assert_true((size & (size - 1)) == 0);
                assert_true(size == MEM_MIN || size / 2 < n); /* the smallest class that holds it */
                memset(p, 1, size);
                mem_put(p, size);
        }
}

static void test_classes(void **st)
{
        size_t size = 4711;

        (void)st;
        check_sizes(); /* without a thread */
        thr_self = thr_new(0, &sys_kernel, 4096);
        check_sizes();
        assert_null(mem_get(MEM_MAX + 1, &size));
        assert_int_equal(size, 4711); /* untouched on failure */
        mem_put(NULL, 0);
        thr_free(thr_self);
        assert_null(thr_self);
}

static void test_reuse_and_trim(void **st)
{
        static void *p[10000];
        size_t size, before, kept, trimmed;

        (void)st;
        thr_self = thr_new(0, &sys_kernel, 4096);
        before = mallinfo2().uordblks;
        for (int i = 0; i < 10000; i++)
                p[i] = mem_get(16384, &size);
        for (int i = 0; i < 10000; i++)
                mem_put(p[i], size);
        kept = mallinfo2().uordblks;
        mem_trim();
        trimmed = mallinfo2().uordblks;
        if (!ASAN_ON) {
                assert_true(kept > before + 64 * 1024);       /* some are kept for the next burst */
                assert_true(kept < before + 2 * 1024 * 1024); /* but not the burst of yesterday */
                assert_true(trimmed < before + 64 * 1024);
        }
        thr_free(thr_self);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_classes), cmocka_unit_test(test_reuse_and_trim) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
