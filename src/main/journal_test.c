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

/* All that feat/cli and core journal, and what a worker might try. */
static void only_known_forms_are_kept(void **state)
{
        static const char *const good[] = {
                "set server b/s addr 10.0.0.1 port 80",
                "set server b/s addr 2001:db8::1 port 0",
                "set server b/s addr 2001:db8::1",
                "set server b/s fqdn www.example",
                "set server b/s health up",
                "set server b/s health down",
                "set server b/s health stopping",
                "set server b/s state maint",
                "set server b/s state drain",
                "set server b/s state ready",
                "set server b/s weight 256",
                "set maxconn server b/s 10",
                "set maxconn frontend f 0",
                "set maxconn global 100",
                "enable health b/s",
                "disable health b/s",
                "enable frontend f",
                "disable frontend f",
                "shutdown frontend f",
        };
        static const char *const bad[] = {
                "",
                "set",
                "show info",
                "set server",
                "set server b/s",
                "set server b/s weight",
                "set server b/s weight x",
                "set server b/s weight 1 2",
                "set server b/s weight 1 ",
                "set server  weight 1",
                "set server b/s state up",
                "set server b/s state ready|drain|maint",
                "set server b/s fqdn evil.example port",
                "set server b/s fqdn",
                "enable health b/s; shutdown frontend f",
                "enable health b/s\nshutdown frontend f",
                "shutdown sessions server b/s",
                "set maxconn server * #x",
        };

        (void)state;
        for (size_t i = 0; i < array_len(good); i++)
                assert_true(journal_may(str_of(good[i])));
        for (size_t i = 0; i < array_len(bad); i++)
                assert_false(journal_may(str_of(bad[i])));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(last_one_wins_in_order_of_keys),
                cmocka_unit_test(is_bounded),
                cmocka_unit_test(bytes_are_bounded),
                cmocka_unit_test(an_older_command_goes_with_one_that_is_refused),
                cmocka_unit_test(only_known_forms_are_kept),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
