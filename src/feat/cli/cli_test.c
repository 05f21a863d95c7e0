/* The session of the runtime socket without a socket: framing, levels, payload, limits; and every command at every level. */
#include "feat/cli/cli.h"

#include "base/thr.h"
#include "core/threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct thr *thr;
static struct loop loop;

/* What a session answers to `in`, given in pieces of `piece` bytes; the FIN comes with the last one. */
static char *ask_in(struct cli_session *s, const char *in, size_t piece)
{
        static char answer[1 << 20];
        struct buf out = BUF_INIT;
        size_t n = strlen(in), have = 0, taken = 0;
        enum applet_answer a;

        while ((a = cli_session_more(s, &out)) != APPLET_DONE) {
                size_t k;
                if (a == APPLET_MORE)
                        continue;
                if (s->call.wait)
                        break;
                have = have + piece < n ? have + piece : n;
                k = cli_session_input(s, (struct str){ in + taken, have - taken }, false);
                taken += k;
                if (k == 0 && have == n)
                        break;
        }
        assert_true(out.n < sizeof(answer));
        if (out.n)
                memcpy(answer, out.p, out.n);
        answer[out.n] = 0;
        buf_fini(&out);
        return answer;
}

static char *ask(int level, const char *in)
{
        struct cli_session s;
        char *a;

        cli_session_init(&s, (uint8_t)level);
        a = ask_in(&s, in, 5);
        cli_session_fini(&s);
        return a;
}

static void framing(void **state)
{
        (void)state;
        assert_string_equal(ask(CLI_ADMIN, "echo a  b\n"), "a b\n\n");
        assert_string_equal(ask(CLI_ADMIN, "echo a\r\n"), "a\n\n");
        assert_string_equal(ask(CLI_ADMIN, "echo a;echo b\n"), "a\n\nb\n\n");
        assert_string_equal(ask(CLI_ADMIN, "echo a\\;b\\ c\\\\\n"), "a;b c\\\n\n");
        assert_string_equal(ask(CLI_ADMIN, " \n"), "\n");
        assert_string_equal(ask(CLI_ADMIN, "echo a;;echo b\n"), "a\n\n\nb\n\n");
        assert_string_equal(ask(CLI_ADMIN, "echo one\necho two\n"), "one\n\n"); /* one line, then it closes */
        assert_string_equal(ask(CLI_ADMIN, "echo cut"), "");                    /* no newline: not run */
}

static void prompt(void **state)
{
        (void)state;
        assert_string_equal(ask(CLI_ADMIN, "prompt\necho a\nquit\n"), "\n> a\n\n> ");
        assert_string_equal(ask(CLI_ADMIN, "prompt i\necho a\necho b\nquit\n"), "\na\n\nb\n\n");
        assert_string_equal(ask(CLI_ADMIN, "prompt i\nprompt n\necho b\n"), "\n\n");
}

static void payload(void **state)
{
        (void)state;
        assert_string_equal(ask(CLI_ADMIN, "prompt i\necho x <<\nline\n\necho y\n"), "\nx\n\ny\n\n");
        assert_string_equal(ask(CLI_ADMIN, "prompt i\necho x <<EOF\nline\n\nEOF\necho y\n"), "\nx\n\ny\n\n");
}

static void levels(void **state)
{
        (void)state;
        assert_string_equal(ask(CLI_ADMIN, "user;show cli level;operator;show cli level\n"),
                            "\nuser\n\nPermission denied\n\nuser\n\n");
        assert_string_equal(ask(CLI_OPERATOR, "operator; show cli level\n"), "\noperator\n\n");
        assert_string_equal(ask(CLI_OPERATOR, "clear counters all\n"), "Permission denied\n\n");
}

static void severity(void **state)
{
        (void)state;
        assert_string_equal(ask(CLI_ADMIN, "set severity-output number;set server a/b state ready\n"),
                            "\n[3]: No such backend.\n\n");
        assert_string_equal(ask(CLI_ADMIN, "set severity-output string;get weight a/b\n"),
                            "\n[err]: No such backend.\n\n");
        assert_string_equal(ask(CLI_ADMIN, "set severity-output what\n"),
                            "one of 'none', 'number', 'string' is a required argument\n\n");
}

/* Answers that scripts compare, asked of HAProxy 3.4. */
static void words(void **state)
{
        static const char *const rows[][2] = {
                { "set server\n", "Require 'backend/server'.\n\n" },
                { "get weight foo\n", "Require 'backend/server'.\n\n" },
                { "disable frontend\n", "A frontend name is expected.\n\n" },
                { "disable frontend x\n", "No such frontend.\n\n" },
                { "set maxconn global\n", "Expects an integer value.\n\n" },
                { "shutdown sessions server x/y\n", "No such backend.\n\n" },
                { "set timeout x\n", "'set timeout' only supports 'cli'.\n\n" },
                { "set timeout cli abc\n", "Invalid timeout value.\n\n" },
                { "set timeout cli 10x\n", "Invalid timeout value.\n\n" },
                { "set timeout cli 0s\n", "Invalid timeout value.\n\n" },
                { "set timeout cli 30d\n", "Invalid timeout value.\n\n" },
                { "set timeout cli 10\n", "\n" },
                { "set timeout cli 1500ms\n", "\n" },
                { "set timeout cli 24d\n", "\n" },
                { "show servers state nope\n", "Can't find backend.\n\n" },
                { "show stat nope 1 1\n", "No such proxy.\n\n" },
                { "show backend\n", "# name\n\n" },
                { "set rate-limit\n", "'set rate-limit' only supports :\n"
                                      "   - 'connections global' to set the per-process maximum connection rate\n"
                                      "   - 'sessions global' to set the per-process maximum session rate\n\n" },
                { "set rate-limit sessions global\n", "Expects an integer value.\n\n" },
                { "set rate-limit sessions global x\n", "Invalid value.\n\n" },
                { "wait\n", "Expects a duration in milliseconds.\n\n" },
                { "wait 1x\n", "Invalid duration.\n\n" },
                { "show errors nope\n", "No such proxy.\n\n" },
                { "show sess foo\n", "Unsupported option 'foo', try 'help' for more info.\n\n" },
                { "expert-mode\n", "expert-mode is OFF\n\n" },
                { "experimental-mode on;experimental-mode\n", "\nexperimental-mode is ON\n\n" },
        };

        (void)state;
        for (size_t i = 0; i < array_len(rows); i++)
                assert_string_equal(ask(CLI_ADMIN, rows[i][0]), rows[i][1]);
}

static void unknown(void **state)
{
        char *a;

        (void)state;
        a = ask(CLI_ADMIN, "set maxconn foo\n");
        assert_non_null(strstr(a, "Unknown command: 'set', but maybe one of the following ones is a better match:\n"));
        assert_non_null(strstr(a, "\n  set maxconn frontend <frontend> <n>     : "));
        assert_null(strstr(a, "set weight"));
        assert_non_null(strstr(a, "\n  quit                                    : "));
        a = ask(CLI_ADMIN, "sho\n");
        assert_non_null(strstr(a, "\n  show backend"));
        a = ask(CLI_USER, "set\n");
        assert_null(strstr(a, "set server")); /* not offered to who may not use it */
}

static void bounds(void **state)
{
        char *line = malloc(CLI_LINE_MAX + 10), *a;
        struct cli_session s;

        (void)state;
        memset(line, 'x', CLI_LINE_MAX + 8);
        line[CLI_LINE_MAX + 8] = 0;
        cli_session_init(&s, CLI_ADMIN);
        a = ask_in(&s, line, CLI_LINE_MAX + 8);
        assert_non_null(strstr(a, "too long"));
        assert_int_equal(cli_session_more(&s, &(struct buf)BUF_INIT), APPLET_DONE); /* and the connection is closed */
        cli_session_fini(&s);
        for (size_t i = 0; i < 400; i++)
                line[i] = i % 2 ? ' ' : 'a';
        line[400] = '\n';
        line[401] = 0;
        assert_non_null(strstr(ask(CLI_ADMIN, line), "Too many words"));
        free(line);
}

static bool needs_threads(const struct cli_cmd *c)
{
        return c->stop || strncmp(c->words, "shutdown", 8) == 0 ||
               strcmp(c->words, "operator") == 0; /* the last: see levels() */
}

/* Generated: each command of the program at each level. */
static void every_command(void **state)
{
        unsigned n, checked = 0;
        const struct cli_cmd *const *all = cli_all(&n);

        (void)state;
        for (unsigned i = 0; i < n; i++)
                for (int level = CLI_NONE; level <= CLI_ADMIN; level++) {
                        char line[128];
                        bool may = (int)all[i]->level <= level;

                        assert_non_null(all[i]->help);
                        if (may && needs_threads(all[i]))
                                continue;
                        (void)snprintf(line, sizeof(line), "%s\n", all[i]->words);
                        if (may)
                                assert_null(strstr(ask(level, line), "Permission denied"));
                        else
                                assert_string_equal(ask(level, line), "Permission denied\n\n");
                        checked++;
                }
        assert_true(n >= 35);
        assert_true(checked > 3 * n);
}

/* Who may use a command, as HAProxy 3.4.0 answers; one that is there must not have another level. */
static void levels_as_in_haproxy(void **state)
{
        static const struct {
                enum cli_level level;
                const char *words;
        } rows[] = {
                { CLI_USER, "show schema json" },
                { CLI_USER, "show info" },
                { CLI_USER, "show stat" },
                { CLI_USER, "show servers state" },
                { CLI_USER, "show servers conn" },
                { CLI_USER, "show backend" },
                { CLI_USER, "set timeout" },
                { CLI_USER, "set severity-output" },
                { CLI_USER, "show pools" },
                { CLI_USER, "show version" },
                { CLI_USER, "show threads" },
                { CLI_USER, "show cli sockets" },
                { CLI_USER, "show cli level" },
                { CLI_USER, "get weight" },
                { CLI_OPERATOR, "show sess" },
                { CLI_OPERATOR, "clear counters" },
                { CLI_OPERATOR, "show env" },
                { CLI_OPERATOR, "show activity" },
                { CLI_OPERATOR, "show startup-logs" },
                { CLI_OPERATOR, "show errors" },
                { CLI_OPERATOR, "show fd" },
                { CLI_ADMIN, "shutdown session" },
                { CLI_ADMIN, "set server" },
                { CLI_ADMIN, "set weight" },
                { CLI_ADMIN, "enable server" },
                { CLI_ADMIN, "disable server" },
                { CLI_ADMIN, "enable health" },
                { CLI_ADMIN, "disable health" },
                { CLI_ADMIN, "set maxconn server" },
                { CLI_ADMIN, "set maxconn frontend" },
                { CLI_ADMIN, "set maxconn global" },
                { CLI_ADMIN, "shutdown sessions server" },
                { CLI_ADMIN, "enable frontend" },
                { CLI_ADMIN, "disable frontend" },
                { CLI_ADMIN, "shutdown frontend" },
                { CLI_ADMIN, "expert-mode" },
                { CLI_ADMIN, "experimental-mode" },
                { CLI_ADMIN, "wait" },
                { CLI_ADMIN, "set rate-limit" },
        };
        static const char *const own_check[] = { "help", "prompt", "quit", "echo", "operator", "user" };
        unsigned n, found = 0;
        const struct cli_cmd *const *all = cli_all(&n);

        (void)state;
        for (unsigned i = 0; i < n; i++) {
                for (size_t r = 0; r < array_len(rows); r++)
                        if (strcmp(rows[r].words, all[i]->words) == 0) {
                                assert_int_equal(all[i]->level, rows[r].level);
                                found++;
                        }
                for (size_t r = 0; r < array_len(own_check); r++)
                        found += strcmp(own_check[r], all[i]->words) == 0;
        }
        assert_int_equal(found, array_len(rows) + array_len(own_check)); /* each of these is there */
}

static void info_keys(void **state)
{
        static const char *const keys[] = { /* hatop gives up when one is missing */
                                            "Name",      "Version", "Release_date", "Nbproc",    "Process_num", "Pid",
                                            "Uptime",    "Maxconn", "CurrConns",    "Maxpipes",  "PipesUsed",   "Tasks",
                                            "Run_queue", "node",    "Idle_pct",     "Uptime_sec"
        };
        char *a, needle[64];
        unsigned lines = 0;

        (void)state;
        a = ask(CLI_USER, "show info\n");
        for (size_t i = 0; i < array_len(keys); i++) {
                (void)snprintf(needle, sizeof(needle), "%s: ", keys[i]);
                assert_non_null(strstr(a, needle));
        }
        for (char *p = a; *p; p++)
                lines += *p == '\n';
        assert_int_equal(lines, 80); /* 79 and the empty one */
        a = ask(CLI_USER, "show info typed\n");
        assert_non_null(strstr(a, "0.Name.1:POSV:str:HAProxy\n"));
        a = ask(CLI_USER, "show info json\n");
        assert_non_null(strstr(
                a, "[{\"field\":{\"pos\":0,\"name\":\"Name\"},\"processNum\":1,\"tags\":{\"origin\":\"Product\","
                   "\"nature\":\"Output\",\"scope\":\"Service\"},\"value\":{\"type\":\"str\",\"value\":\"HAProxy\"}}"));
}

/* All that these commands journal, and what a worker might try. */
static void journal_forms(void **state)
{
        static const char *const good[] = {
                "set server b/s addr 10.0.0.1 port 80",
                "set server b/s fqdn www.example",
                "set server b/s addr 2001:db8::1 port 0",
                "set server b/s agent up",
                "set server b/s agent down",
                "set server b/s agent-addr 10.0.0.1",
                "set server b/s check-addr 2001:db8::1",
                "set server b/s agent-port 5",
                "set server b/s check-port 65535",
                "set server b/s agent-send hi",
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
                "set rate-limit sessions global 5",
                "enable health b/s",
                "disable health b/s",
                "enable agent b/s",
                "disable agent b/s",
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
                "set server  weight 1",
                "set server b/s state up",
                "set server b/s agent maint",
                "set server b/s agent-send hi; shutdown frontend f",
                "set server b/s state ready|drain|maint",
                "set server b/s fqdn",
                "enable health b/s; shutdown frontend f",
                "enable health b/s\nshutdown frontend f",
                "shutdown sessions server b/s",
                "set maxconn server * #x",
                "set rate-limit sessions global many",
        };

        (void)state;
        for (size_t i = 0; i < array_len(good); i++)
                assert_true(cli_may_journal(str_of(good[i])));
        for (size_t i = 0; i < array_len(bad); i++)
                assert_false(cli_may_journal(str_of(bad[i])));
}

static int setup(void **state)
{
        (void)state;
        thr_set_count(1);
        thr = thr_new(0, &sys_kernel, THR_RX_DEFAULT);
        thr_self = thr;
        thr->now = sys_kernel.mono();
        assert_int_equal(loop_init(&loop, thr), 0);
        threads_set(0, &loop);
        cli_boot();
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        loop_fini(&loop);
        thr_free(thr);
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(framing),
                cmocka_unit_test(prompt),
                cmocka_unit_test(payload),
                cmocka_unit_test(levels),
                cmocka_unit_test(severity),
                cmocka_unit_test(words),
                cmocka_unit_test(unknown),
                cmocka_unit_test(bounds),
                cmocka_unit_test(every_command),
                cmocka_unit_test(info_keys),
                cmocka_unit_test(levels_as_in_haproxy),
                cmocka_unit_test(journal_forms),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
