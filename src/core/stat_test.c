#include "core/stat.h"

#include "base/assert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct thr *thread[3];

static int setup(void **state)
{
        (void)state;
        thr_set_count(2);
        cell_column_size(CELL_FRONT, sizeof(struct px_stat));
        for (unsigned i = 0; i < 3; i++)
                thread[i] = thr_new(i, &sys_kernel, 4096);
        thr_self = thread[0];
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        thr_self = NULL;
        for (unsigned i = 0; i < 3; i++)
                thr_free(thread[i]);
        return 0;
}

static void columns_add_up(void **state)
{
        enum { N = 3000 };
        struct cell *v = calloc(N, sizeof(*v));
        struct px_sum s;

        (void)state;
        for (unsigned i = 0; i < N; i++)
                cell_init(&v[i], CELL_FRONT, ORIGIN_FILE, STR("x"));
        for (unsigned i = 0; i < N; i++)
                for (unsigned t = 0; t < 2; t++) { /* thread 2 never touches a column */
                        thr_self = thread[t];
                        STAT_ADD(((struct px_stat *)cell_col(&v[i]))->bytes_in, i * 10 + t);
                }
        thr_self = thread[0];
        for (unsigned i = 0; i < N; i++) {
                px_stat_sum(&v[i], &s);
                assert_int_equal(s.bytes_in, i * 20 + 1);
        }
        assert_null(cell_col_peek(&v[5], 2));
        for (unsigned i = 0; i < N; i++)
                cell_fini(&v[i]);
        cell_init(&v[0], CELL_FRONT, ORIGIN_FILE, STR("new")); /* takes a used slot */
        px_stat_sum(&v[0], &s);
        assert_int_equal(s.bytes_in, 0);
        cell_fini(&v[0]);
        free(v);
}

static void low_rates_are_exact(void **state)
{
        struct rate r = { 0 };
        struct rate_col c[2] = { 0 };

        (void)state;
        thread[0]->now = thread[1]->now = 100 * (mono_t)NS_PER_S;
        for (unsigned i = 0; i < 20; i++) {
                thr_self = thread[i % 2];
                rate_event(&r, &c[i % 2]);
        }
        assert_int_equal(rate_now(&r, thread[0]->now + NS_PER_S / 2), 20); /* this second */
        assert_int_equal(rate_now(&r, thread[0]->now + NS_PER_S), 20);     /* the second before, all of it */
        assert_int_equal(rate_now(&r, thread[0]->now + NS_PER_S * 3 / 2), 10);
        assert_int_equal(rate_now(&r, thread[0]->now + NS_PER_S * 2), 0);
        assert_int_equal(rate_max(&r), 20);
}

static void high_rates_lack_little(void **state)
{
        struct rate r = { 0 };
        struct rate_col c = { 0 };

        (void)state;
        thread[0]->now = 100 * (mono_t)NS_PER_S;
        for (unsigned i = 0; i < 10000; i++)
                rate_event(&r, &c);
        assert_in_range(rate_now(&r, thread[0]->now), 10000 - 31, 10000);
        thread[0]->now += NS_PER_S;
        rate_event(&r, &c); /* what was left of the second before comes with the next event */
        assert_int_equal(rate_now(&r, thread[0]->now), 10001);
        assert_int_equal(rate_max(&r), 10000);
}

static void averages_forget(void **state)
{
        struct px_stat st = { 0 };

        (void)state;
        for (unsigned i = 0; i < 1024; i++)
                px_stat_times(&st, 100, 200, 300, 400);
        assert_int_equal(st.qtime / st.times_n, 100);
        assert_int_equal(st.ctime / st.times_n, 200);
        assert_int_equal(st.rtime / st.times_n, 300);
        assert_int_equal(st.ttime / st.times_n, 400);
        for (unsigned i = 0; i < 20000; i++)
                px_stat_times(&st, 10, 0, 0, 0);
        assert_in_range(st.qtime / st.times_n, 10, 11);
        assert_int_equal(st.qtime_max, 100);
        assert_int_equal(st.ttime_max, 400);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(columns_add_up, setup, teardown),
                cmocka_unit_test_setup_teardown(low_rates_are_exact, setup, teardown),
                cmocka_unit_test_setup_teardown(high_rates_lack_little, setup, teardown),
                cmocka_unit_test_setup_teardown(averages_forget, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
