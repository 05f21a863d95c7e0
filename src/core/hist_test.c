/* Buckets: every value has one, bounds and indexes agree, sums over columns are exact, and a set is given on with the slot. */
#include "core/hist.h"

#include "base/thr.h"
#include "core/proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void bounds(void **state)
{
        uint64_t below = 0;

        (void)state;
        assert_int_equal(hist_bound_us(0), 64);
        assert_int_equal(hist_bound_us(1), 96);
        assert_int_equal(hist_bound_us(2), 128);
        for (unsigned i = 0; i < HIST_BUCKETS - 1; i++) {
                assert_int_equal(hist_index(below), i);
                assert_int_equal(hist_index(hist_bound_us(i) - 1), i);
                below = hist_bound_us(i);
        }
        assert_int_equal(hist_index(below), HIST_BUCKETS - 1);
        assert_int_equal(hist_index(UINT64_MAX), HIST_BUCKETS - 1);
        assert_true(below > 60000000);
}

static void sums(void **state)
{
        struct thr *t[2] = { thr_new(0, &sys_kernel, THR_RX_DEFAULT), thr_new(1, &sys_kernel, THR_RX_DEFAULT) };
        struct hist_total sum;
        struct hist_set *was = NULL;
        struct cell c;

        (void)state;
        thr_set_count(2);
        cell_column_size(CELL_BACK, sizeof(struct back_col));
        cell_init(&c, CELL_BACK, ORIGIN_FILE, STR("b"));
        hist_sum(&c, HIST_QUEUE, &sum);
        assert_int_equal(sum.sum_us, 0); /* nobody made a column */
        for (unsigned i = 0; i < 2; i++) {
                struct px_stat *st;

                thr_self = t[i];
                st = &((struct back_col *)cell_col(&c))->st;
                was = hist_of(st);
                assert_ptr_equal(hist_of(st), was);
                hist_put(&was->h[HIST_QUEUE], hist_index(100 + i), 100 + i);
                hist_put(&was->h[HIST_QUEUE], hist_index(10), 10);
        }
        hist_sum(&c, HIST_QUEUE, &sum);
        assert_int_equal(sum.sum_us, 221);
        assert_int_equal(sum.n[0], 2);
        assert_int_equal(sum.n[2], 2);
        hist_sum(&c, HIST_TOTAL, &sum);
        assert_int_equal(sum.n[0] + sum.n[2] + sum.sum_us, 0);
        hist_clear(&((struct back_col *)cell_col(&c))->st); /* of one thread */
        hist_sum(&c, HIST_QUEUE, &sum);
        assert_int_equal(sum.sum_us, 110);
        hist_release(&c);
        cell_fini(&c);
        cell_init(&c, CELL_BACK, ORIGIN_FILE, STR("next"));
        hist_sum(&c, HIST_QUEUE, &sum);
        assert_int_equal(sum.sum_us, 0);
        assert_ptr_equal(hist_of(&((struct back_col *)cell_col(&c))->st), was); /* the last one released, and clean */
        hist_sum(&c, HIST_QUEUE, &sum);
        assert_int_equal(sum.sum_us + sum.n[0], 0);
        hist_release(&c);
        cell_fini(&c);
        for (unsigned i = 0; i < 2; i++)
                thr_free(t[i]);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(bounds), cmocka_unit_test(sums) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
