/* The last command of a key is what a new worker gets. */
#include "core/cli.h"
#include "main/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const struct cli_cmd enable_health = { .words = "enable health", .journal = "*" };
CLI_CMD(enable_health);
static const struct cli_cmd disable_health = { .words = "disable health", .journal = "*" };
CLI_CMD(disable_health);
static const struct cli_cmd set_server = { .words = "set server", .journal = "* state ready;* weight #" };
CLI_CMD(set_server);
static const struct cli_cmd set_maxconn = { .words = "set maxconn global", .journal = "#" };
CLI_CMD(set_maxconn);

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
        journal_set(&j, STR("a"), STR("set maxconn global 1"));
        journal_set(&j, STR("b"), STR("set maxconn global 2"));
        journal_set(&j, STR("a"), STR("set maxconn global 3"));
        journal_set(&j, STR("c"), STR("set maxconn global 4"));
        journal_set(&j, STR("b"), STR(""));
        journal_set(&j, STR("unknown"), STR(""));
        list_all(&j, &b);
        assert_string_equal(b.p, "set maxconn global 3;set maxconn global 4;");
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

                journal_set(&j, (struct str){ key, (size_t)n }, STR("enable health b/s"));
        }
        assert_int_equal(j.n, JOURNAL_MAX);
        assert_int_equal(j.refused, 3);
        journal_set(&j, STR("0"), STR("disable health b/s")); /* a known key still changes */
        assert_int_equal(j.refused, 3);
        journal_fini(&j);
}

static void bytes_are_bounded(void **state)
{
        static char key[JOURNAL_KEY_MAX + 1], cmd[JOURNAL_CMD_MAX];
        struct journal j;
        unsigned n = 0;

        (void)state;
        memset(key, 'k', sizeof(key));
        memset(cmd, 'x', sizeof(cmd));
        memcpy(cmd, "enable health ", 14);
        journal_init(&j);
        assert_false(journal_set(&j, (struct str){ key, sizeof(key) }, STR("enable health b/s")));
        while (n < JOURNAL_MAX && j.refused == 1) {
                (void)snprintf(key, sizeof(key), "%08u", n++);
                key[8] = 'k';
                (void)journal_set(&j, (struct str){ key, JOURNAL_KEY_MAX }, (struct str){ cmd, sizeof(cmd) });
        }
        assert_true(j.bytes <= JOURNAL_BYTES_MAX);
        assert_true(j.n < JOURNAL_MAX / 3);
        journal_fini(&j);
        assert_int_equal(j.bytes, 0);
}

static void an_older_command_goes_with_one_that_is_refused(void **state)
{
        struct journal j;

        (void)state;
        journal_init(&j);
        assert_true(journal_set(&j, STR("a"), STR("set server b/s weight 1")));
        assert_false(journal_set(&j, STR("a"), STR("set server b/s weight 1%")));
        assert_int_equal(j.n, 0);
        journal_fini(&j);
}

static void control_bytes_and_long_ones_are_not_kept(void **state)
{
        static char cmd[JOURNAL_CMD_MAX + 1];

        (void)state;
        memset(cmd, 'x', sizeof(cmd));
        memcpy(cmd, "enable health ", 14);
        assert_true(journal_may((struct str){ cmd, JOURNAL_CMD_MAX }));
        assert_false(journal_may((struct str){ cmd, sizeof(cmd) }));
        assert_true(journal_may(STR("enable health b/s")));
        assert_false(journal_may(STR("enable health b/s\nshutdown")));
        assert_false(journal_may(STR("enable health b/s ")));
        assert_false(journal_may(STR("disable frontend f"))); /* no row says so here */
        assert_false(journal_may(STR("")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(last_one_wins_in_order_of_keys),
                cmocka_unit_test(is_bounded),
                cmocka_unit_test(bytes_are_bounded),
                cmocka_unit_test(an_older_command_goes_with_one_that_is_refused),
                cmocka_unit_test(control_bytes_and_long_ones_are_not_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
