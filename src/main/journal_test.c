/* The last command of a key is what a new worker gets. */
#include "main/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static void list_all(const struct journal *j, struct buf *out)
{
        list_for_each (i, &j->all)
                buf_printf(out, "%s;", list_item(i, struct journal_entry, link)->cmd);
        buf_putc(out, 0);
}

static void last_one_wins_in_order_of_keys(void **state)
{
        struct journal j;
        AUTO_BUF(b);

        (void)state;
        journal_init(&j);
        journal_set(&j, STR("a"), STR("one"));
        journal_set(&j, STR("b"), STR("two"));
        journal_set(&j, STR("a"), STR("three"));
        journal_set(&j, STR("c"), STR("four"));
        journal_set(&j, STR("b"), STR(""));
        journal_set(&j, STR("unknown"), STR(""));
        list_all(&j, &b);
        assert_string_equal(b.p, "three;four;");
        assert_int_equal(j.n, 2);
        journal_fini(&j);
}

static void is_bounded(void **state)
{
        struct journal j;
        char key[16];

        (void)state;
        journal_init(&j);
        for (int i = 0; i < JOURNAL_MAX + 3; i++) {
                int n = snprintf(key, sizeof(key), "%d", i);

                journal_set(&j, (struct str){ key, (size_t)n }, STR("x"));
        }
        assert_int_equal(j.n, JOURNAL_MAX);
        assert_int_equal(j.refused, 3);
        journal_set(&j, STR("0"), STR("y")); /* a known key still changes */
        assert_int_equal(j.refused, 3);
        journal_fini(&j);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(last_one_wins_in_order_of_keys),
                cmocka_unit_test(is_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
