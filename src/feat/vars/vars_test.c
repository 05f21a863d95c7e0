/* feat/vars/vars_test.c - the lines of section global and what a reload does with them; `get var`, `set var` and the journal; what is
 * refused. */
#include "core/cli.h"
#include "core/event.h"
#include "core/fixture.h"
#include "core/kinds.h"
#include "feat/vars/vars.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char *ask(const char *line, bool replay)
{
        static char text[2048];
        AUTO_BUF(out);

        cli_run_line(line, CLI_ADMIN, replay, &out);
        (void)snprintf(text, sizeof(text), "%.*s", (int)out.n, out.n ? out.p : "");
        return text;
}

static struct fx_conf *in_force(const char *lines)
{
        char text[1024];
        struct fx_conf *f;

        (void)snprintf(text, sizeof(text), "global\n%s", lines);
        f = fx_load(text);
        assert_non_null(f->c);
        event_publish(EVENT_APPLIED, f->c);
        return f;
}

static void a_reload_runs_what_changed(void **st)
{
        struct fx_conf *f = in_force(" set-var proc.a int(1)\n set-var proc.b var(proc.a),add(1)\n"
                                     " set-var-fmt proc.c \"<%[var(proc.b)]>\"\n"),
                       *g;

        (void)st;
        assert_string_equal(ask("get var proc.b", false), "proc.b: type=sint value=<2>\n");
        assert_string_equal(ask("get var proc.c", false), "proc.c: type=str value=<<2>>\n");
        (void)ask("set var proc.a int(10)", false);
        (void)ask("set var proc.c str(mine)", false);
        g = in_force(" set-var proc.a int(1)\n set-var proc.b var(proc.a),add(2)\n"
                     " set-var-fmt proc.c \"<%[var(proc.b)]>\"\n");
        assert_string_equal(ask("get var proc.a", false), "proc.a: type=sint value=<10>\n");
        assert_string_equal(ask("get var proc.b", false), "proc.b: type=sint value=<12>\n");
        assert_string_equal(ask("get var proc.c", false), "proc.c: type=str value=<mine>\n");
        event_publish(EVENT_APPLIED, NULL);
        fx_unload(f);
        fx_unload(g);
}

static void commands_answer(void **st)
{
        static const struct {
                const char *line, *answer;
        } cases[] = {
                { "get var", "Missing process-wide variable identifier.\n" },
                { "get var proc.none", "Variable not found.\n" },
                { "get var txn.a", "Variable not found.\n" },
                { "get var a-b", "Variable not found.\n" },
                { "set var", "Missing process-wide variable identifier.\n" },
                { "set var proc.x", "Missing either 'expr', 'fmt' or expression.\n" },
                { "set var txn.x int(1)",
                  "'set var': cannot set variable 'txn.x', only scope 'proc' is permitted here.\n" },
                { "set var proc.x int(1) int(2)",
                  "'set var': arg type must be either 'expr' or 'fmt' but got 'int(1)'.\n" },
                { "set var proc.x fmt a%[int(5)]b", "" },
                { "get var proc.x", "proc.x: type=str value=<a5b>\n" },
                { "set var proc.x expr bool(true)", "" },
                { "get var proc.x more", "proc.x: type=bool value=<1>\n" },
                { "set var proc.x str(\"a,$HOME;\\\"#')", "failed to parse sample expression <str(\"a,$HOME;\\\"#')> : "
                                                          "unmatched quote in the arguments of 'str'\n" },
                { "set var proc.x str($HOME'#'\\n)", "" },
                { "get var proc.x", "proc.x: type=str value=<$HOME#\n>\n" },
        };

        (void)st;
        for (size_t i = 0; i < array_len(cases); i++)
                assert_string_equal(ask(cases[i].line, false), cases[i].answer);
        assert_non_null(strstr(ask("set var proc.x src", false), "sample fetch <src>"));
        assert_non_null(strstr(ask("set var proc.x fmt %[foo]", false), "unknown fetch method 'foo'"));
}

static void the_journal_brings_values_back(void **st)
{
        static const struct {
                const char *line, *answer;
        } cases[] = {
                { "set var proc.j str x61200a", "proc.j: type=str value=<a \n>\n" },
                { "set var proc.j str x", "proc.j: type=str value=<>\n" },
                { "set var proc.j sint x2d37", "proc.j: type=sint value=<-7>\n" },
                { "set var proc.j bool x31", "proc.j: type=bool value=<1>\n" },
                { "set var proc.j ipv4 x312e322e332e34", "proc.j: type=ipv4 value=<1.2.3.4>\n" },
                { "set var proc.j meth x474554", "proc.j: type=meth value=<GET>\n" },
                { "set var proc.j bin x6100", "proc.j: type=bin value=<a>\n" },
                { "set var proc.j bin x6", "proc.j: type=bin value=<a>\n" }, /* broken: nothing happens */
                { "set var proc.j foo x61", "proc.j: type=bin value=<a>\n" },
                { "set var proc.j bin zz", "proc.j: type=bin value=<a>\n" },
        };

        (void)st;
        for (size_t i = 0; i < array_len(cases); i++) {
                assert_string_equal(ask(cases[i].line, true), "");
                assert_string_equal(ask("get var proc.j", false), cases[i].answer);
        }
        assert_true(cli_may_journal(STR("set var proc.j str x61200a")));
        assert_false(cli_may_journal(STR("set var proc.j int(1)")));
}

static void wrong_lines(void **st)
{
        static const struct {
                const char *lines, *why;
        } cases[] = {
                { "global\n set-var proc.x\n",
                  "requires a process-wide variable name ('proc.<name>') and a sample expression." },
                { "global\n set-var-fmt proc.x\n", "and a format string." },
                { "global\n set-var txn.x int(1)\n", "only scope 'proc' is permitted in the global section." },
                { "global\n set-var proc.x src\n", "sample fetch <src>" },
                { "frontend f\n http-request set-var int(1)\n", "invalid or incomplete action 'set-var'" },
                { "frontend f\n http-request set-var(txn.a,foo) int(1)\n", "unknown condition \"foo\"" },
                { "frontend f\n http-request set-var(txn.a)\n", "missing fetch method" },
                { "frontend f\n http-request set-var-fmt(txn.a)\n", "missing format" },
                { "frontend f\n http-request unset-var(txn.a,ifset)\n", "unset-var does not expect parameters" },
                { "frontend f\n http-request set-header a %[var]\n", "Empty variable name cannot be accepted" },
                { "frontend f\n http-request set-header a %[int(1),set-var(txn.x,foo)]\n",
                  "unknown condition \"foo\"" },
                { "frontend f\n http-request set-header a %[dump_all_vars(foo)]\n", "invalid scope 'foo'" },
        };

        (void)st;
        for (size_t i = 0; i < array_len(cases); i++) {
                struct fx_conf *f = fx_load(cases[i].lines);

                if (f->c || !strstr(f->text.p, cases[i].why))
                        fail_msg("%s: %s", cases[i].lines, f->text.p);
                fx_unload(f);
        }
}

static void parents_are_told(void **st)
{
        struct fx_conf *f =
                fx_load("frontend f\n mode http\n timeout client 1s\n http-request set-var(ptxn.a) int(1)\n");

        (void)st;
        assert_non_null(f->c);
        assert_non_null(strstr(f->text.p, "variables of a parent stream cannot be set nor unset"));
        fx_unload(f);
}

static int setup(void **st)
{
        (void)st;
        fx_thread();
        kw_boot();
        cli_boot();
        event_boot();
        return 0;
}

static int teardown(void **st)
{
        (void)st;
        thr_free(thr_self);
        thr_self = NULL;
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_reload_runs_what_changed),
                cmocka_unit_test(commands_answer),
                cmocka_unit_test(the_journal_brings_values_back),
                cmocka_unit_test(wrong_lines),
                cmocka_unit_test(parents_are_told),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
