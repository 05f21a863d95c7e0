#include "base/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define N 5000

static void fill_and_check(struct slab *s, size_t size)
{
        unsigned char **p = calloc(N, sizeof(*p));

        assert_non_null(p);
        for (int i = 0; i < N; i++) {
                p[i] = slab_get(s);
                assert_non_null(p[i]);
                assert_int_equal((uintptr_t)p[i] % 16, 0);
                for (size_t k = 0; k < size; k++)
                        assert_int_equal(p[i][k], 0);
                memset(p[i], i, size);
        }
        for (int i = 0; i < N; i++) { /* nobody's bytes lie in another's */
                assert_int_equal(p[i][0], (unsigned char)i);
                assert_int_equal(p[i][size - 1], (unsigned char)i);
        }
        assert_int_equal(s->used, N);
        for (int i = 0; i < N; i++)
                slab_put(s, p[i]);
        free(p);
}

static void test_objects(void **st)
{
        struct slab s;
        uint64_t made;

        (void)st;
        slab_init(&s, "test", 75, 0);
        assert_int_equal(s.size, 80);
        fill_and_check(&s, 75);
        made = s.made;
        fill_and_check(&s, 75); /* zeroed again, from the free list */
        assert_int_equal(s.made, made);
        assert_int_equal(s.used, 0);
        assert_int_equal(s.peak, N);
        slab_put(&s, NULL);
        slab_fini(&s);
        slab_fini(&s);
}

static void test_limit(void **st)
{
        struct slab s;
        void *a, *b;

        (void)st;
        slab_init(&s, "limited", 100000, 2); /* larger than a page */
        a = slab_get(&s);
        b = slab_get(&s);
        assert_true(a && b && a != b);
        memset(a, 1, 100000);
        memset(b, 2, 100000);
        assert_null(slab_get(&s)); /* softly */
        assert_null(slab_get(&s));
        assert_int_equal(s.failed, 2);
        slab_put(&s, a);
        a = slab_get(&s);
        assert_non_null(a);
        assert_int_equal(s.peak, 2);
        slab_put(&s, a);
        slab_put(&s, b);
        slab_fini(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_objects), cmocka_unit_test(test_limit) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
