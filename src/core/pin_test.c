#include "core/pin.h"

#include "base/epoch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct obj {
        struct pins pins;
        unsigned *freed;
};

static void free_obj(struct pins *p)
{
        (*container_of(p, struct obj, pins)->freed)++;
}

static struct thr *thread[3];

static int setup(void **state)
{
        (void)state;
        thr_set_count(2);
        for (unsigned i = 0; i < 3; i++)
                thread[i] = thr_new(i, &sys_kernel, 4096);
        thr_self = thread[2];
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        thr_self = NULL;
        for (unsigned i = 0; i < 3; i++)
                thr_free(thread[i]);
        pins_fini();
        return 0;
}

static void a_pin_of_any_thread_holds(void **state)
{
        unsigned freed = 0;
        struct obj o = { .freed = &freed };

        (void)state;
        pins_init(&o.pins, free_obj);
        for (unsigned t = 0; t < 3; t++) {
                thr_self = thread[t];
                pin(&o.pins);
        }
        thr_self = thread[2];
        pins_retire(&o.pins);
        for (unsigned t = 0; t < 3; t++) {
                assert_int_equal(pins_reap(), 1);
                assert_int_equal(freed, 0);
                thr_self = thread[t];
                unpin(&o.pins);
                thr_self = thread[2];
        }
        assert_int_equal(pins_reap(), 0);
        assert_int_equal(freed, 1);
}

static void counters_are_used_again(void **state)
{
        enum { N = 1000 };
        struct obj *v = calloc(N, sizeof(*v));
        unsigned freed = 0;
        void *first;

        (void)state;
        for (unsigned i = 0; i < N; i++) {
                v[i].freed = &freed;
                pins_init(&v[i].pins, free_obj);
                assert_false(pins_held(&v[i].pins));
                thr_self = thread[i % 3];
                pin(&v[i].pins);
                thr_self = thread[2];
                assert_true(pins_held(&v[i].pins)); /* and no other object's counter moved */
                assert_false(i > 0 && pins_held(&v[i - 1].pins));
                thr_self = thread[i % 3];
                unpin(&v[i].pins);
                thr_self = thread[2];
        }
        first = (void *)v[0].pins.n;
        for (unsigned i = 0; i < N; i++)
                pins_retire(&v[i].pins);
        assert_int_equal(pins_reap(), 0);
        assert_int_equal(freed, N);
        for (unsigned i = 0; i < N; i++) {
                pins_init(&v[i].pins, free_obj);
                if ((void *)v[i].pins.n == first)
                        first = NULL;
        }
        assert_null(first); /* memory follows the number of live objects, not of all that ever were */
        for (unsigned i = 0; i < N; i++)
                pins_drop(&v[i].pins);
        assert_int_equal(freed, N); /* dropped: never published, so its own code frees it */
        free(v);
}

static void generations_tell_the_oldest(void **state)
{
        unsigned freed = 0;
        struct obj a = { .freed = &freed }, b = { .freed = &freed };
        uint32_t ga, gb;

        (void)state;
        pins_init(&a.pins, free_obj);
        pins_init(&b.pins, free_obj);
        pin(&a.pins);
        pin(&b.pins);
        ga = pins_next_generation();
        pins_retire(&a.pins);
        gb = pins_next_generation();
        pins_retire(&b.pins);
        (void)pins_reap();
        assert_int_equal(pins_oldest(), ga);
        unpin(&a.pins);
        (void)pins_reap();
        assert_int_equal(pins_oldest(), gb);
        unpin(&b.pins);
        (void)pins_reap();
        assert_int_equal(pins_oldest(), gb + 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_pin_of_any_thread_holds, setup, teardown),
                cmocka_unit_test_setup_teardown(counters_are_used_again, setup, teardown),
                cmocka_unit_test_setup_teardown(generations_tell_the_oldest, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
