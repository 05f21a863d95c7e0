#include "base/slab.h"
#include "base/asan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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

static size_t rss_pages(void)
{
        unsigned long size, resident;
        FILE *f = fopen("/proc/self/statm", "r");

        assert_non_null(f);
        assert_int_equal(fscanf(f, "%lu %lu", &size, &resident), 2);
        (void)fclose(f);
        return resident;
}

/* A burst leaves nothing behind: its pages go back to the kernel, but for the few that the steady load keeps; in whatever order the
 * objects are put, and what is still out stays whole. */
static void test_pages_go_back(void **st)
{
        enum { BURST = 20000, SIZE = 1024 };
        unsigned char **p = calloc(BURST, sizeof(*p));
        struct slab s;
        size_t before, full;

        (void)st;
        slab_init(&s, "burst", SIZE, 0);
        before = rss_pages();
        for (int i = 0; i < BURST; i++)
                memset(p[i] = slab_get(&s), i, SIZE);
        full = rss_pages();
        for (int i = 0; i < BURST; i++) /* all but every thousandth, the pages in turn */
                if (i * 7 % BURST % 1000)
                        slab_put(&s, p[i * 7 % BURST]);
        assert_int_equal(s.used, BURST / 1000);
        for (int i = 0; i < BURST; i += 1000) {
                assert_int_equal(p[i][0], (unsigned char)i);
                assert_int_equal(p[i][SIZE - 1], (unsigned char)i);
        }
        if (!ASAN_ON) { /* there each object is the allocator's */
                assert_true(full - before >= BURST / 4);
                assert_true(rss_pages() - before < (full - before) / 4);
                assert_true(s.made <=
                            (BURST / 1000 + 4) * s.per_page); /* a page for each that is out, and those kept */
        }
        for (int i = 0; i < BURST; i += 1000)
                slab_put(&s, p[i]);
        if (!ASAN_ON)
                assert_true(s.empty <= 4 && s.made <= 4 * s.per_page);
        assert_int_equal(s.used, 0);
        slab_fini(&s);
        free(p);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_objects), cmocka_unit_test(test_limit),
                                            cmocka_unit_test(test_pages_go_back) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
