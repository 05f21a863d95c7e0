#include "base/asan.h"
#include "base/slab.h"
#include "base/thr.h"

#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
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

static size_t resident(void)
{
        unsigned long all = 0, pages = 0;
        FILE *f = fopen("/proc/self/statm", "re");

        assert_non_null(f);
        assert_int_equal(fscanf(f, "%lu %lu", &all, &pages), 2);
        (void)fclose(f);
        return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Thousands of heads that wait at once, among them a few that stay: what the burst needed goes back to the kernel. */
static void test_burst(void **st)
{
        static void *p[10000];
        size_t size = 0, before, after;
        void *stays;

        (void)st;
        thr_self = thr_new(0, &sys_kernel, 4096);
        before = resident();
        for (int i = 0; i < 10000; i++) {
                p[i] = mem_get(i % 2 ? 500 : 3000, &size);
                memset(p[i], 1, size);
        }
        stays = p[9998];
        for (int i = 0; i < 10000; i++)
                if (p[i] != stays)
                        mem_put(p[i], i % 2 ? 512 : 4096);
        after = resident();
        if (!ASAN_ON)
                assert_true(after < before + 2 * 1024 * 1024); /* of 23 */
        mem_put(stays, 4096);
        thr_free(thr_self);
}

struct other {
        void *got[1000];
        size_t size;
};

static void *get_all(void *arg)
{
        struct other *o = arg;

        thr_self = thr_new(1, &sys_kernel, 4096);
        for (int i = 0; i < 1000; i++)
                memset(o->got[i] = mem_get(1000, &o->size), i, 1000);
        return thr_self;
}

/* One thread gets, another puts, and who got them serves its next ones from there. */
static void test_put_by_another(void **st)
{
        struct other o = { .size = 0 };
        struct thr *owner;
        void *ret = NULL, *again;
        pthread_t t;

        (void)st;
        assert_int_equal(pthread_create(&t, NULL, get_all, &o), 0);
        assert_int_equal(pthread_join(t, &ret), 0);
        owner = ret;
        thr_self = thr_new(0, &sys_kernel, 4096);
        for (int i = 0; i < 1000; i++) {
                assert_int_equal(((unsigned char *)o.got[i])[999], (unsigned char)i);
                mem_put(o.got[i], o.size);
        }
        thr_free(thr_self);
        thr_self = owner;
        again = mem_get(1000, &o.size);
        assert_non_null(again);
        mem_put(again, o.size);
        thr_free(owner);
        again = mem_get(1000, &o.size); /* without a thread, put by a thread */
        thr_self = thr_new(0, &sys_kernel, 4096);
        mem_put(again, o.size);
        thr_free(thr_self);
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

static const struct pool_sum *pool_of(struct pool_sum *v, unsigned n, const char *name)
{
        for (unsigned i = 0; i < n; i++)
                if (strcmp(v[i].name, name) == 0)
                        return &v[i];
        return NULL;
}

static void test_sums(void **st)
{
        struct pool_sum v[32];
        const struct pool_sum *p;
        struct slab a, b;
        void *o[3];

        (void)st;
        slab_init(&a, "thing", 100, 1);
        slab_init(&b, "thing", 100, 0);
        o[0] = slab_get(&a);
        o[1] = slab_get(&a); /* over its limit */
        o[2] = slab_get(&b);
        assert_null(o[1]);
        p = pool_of(v, pool_sums(v, 32), "thing"); /* two threads' slabs, say */
        assert_non_null(p);
        assert_int_equal(p->users, 2);
        assert_int_equal(p->used, 2);
        assert_int_equal(p->used_bytes, 2 * 112);
        assert_int_equal(p->failed, 1);
        assert_true(p->bytes >= p->used_bytes);
        slab_put(&a, o[0]);
        slab_put(&b, o[2]);
        slab_fini(&a);
        slab_fini(&b);
        assert_null(pool_of(v, pool_sums(v, 32), "thing"));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_classes), cmocka_unit_test(test_reuse_and_trim),
                                            cmocka_unit_test(test_burst), cmocka_unit_test(test_put_by_another),
                                            cmocka_unit_test(test_sums) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
