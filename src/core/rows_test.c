/* Walks all keywords of the whole program: missing, extra, wrong and out-of-range arguments; good forms load, dump and load again. */
#include "base/assert.h"
#include "conf/kw_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void every_row(void **state)
{
        struct conf_opts o = { .version = "3.4.0", .keep_spans = true };
        struct kw_walk w = { 0 };

        (void)state;
        kw_walk(&o, &w);
        printf("%zu rows, %zu bad forms, %zu good forms, %zu without a sample\n", w.rows, w.bad_forms, w.good_forms,
               w.no_sample);
        printf("%.*s", (int)w.report.n, w.report.p ? w.report.p : "");
        assert_int_equal(w.failures, 0);
        assert_int_equal(w.no_sample, 0);
        assert_true(w.rows > 90);
        buf_fini(&w.report);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(every_row) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
