/* The options table: what each argument vector means, and what is refused. */
#include "main/argv.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <cmocka.h>

static enum args_answer parse(const char *const *argv, struct args *a)
{
        int n = 0;
        AUTO_BUF(why);

        while (argv[n])
                n++;
        return args_parse(n, (char *const *)argv, a, &why);
}

#define ARGV(...) ((const char *const[]){ "telamon", __VA_ARGS__, NULL })

static void files_keep_their_order(void **state)
{
        struct args a;

        (void)state;
        assert_int_equal(parse(ARGV("-f", "a", "-db", "-f", "b", "--", "c", "-d"), &a), ARGS_OK);
        assert_int_equal(a.n_files, 4);
        assert_string_equal(a.files[0], "a");
        assert_string_equal(a.files[1], "b");
        assert_string_equal(a.files[2], "c");
        assert_string_equal(a.files[3], "-d"); /* all behind -- are names */
        assert_true(a.foreground && !a.debug);
        args_fini(&a);
}

static void old_pids_end_at_an_option(void **state)
{
        struct args a;

        (void)state;
        assert_int_equal(parse(ARGV("-f", "x", "-sf", "12", "34", "-D"), &a), ARGS_OK);
        assert_int_equal(a.n_old, 2);
        assert_int_equal(a.old_pids[1], 34);
        assert_int_equal(a.old_signal, SIGUSR1);
        assert_true(a.daemon);
        args_fini(&a);
        assert_int_equal(parse(ARGV("-f", "x", "-st"), &a), ARGS_OK); /* an empty list is fine */
        assert_int_equal(a.n_old, 0);
        assert_int_equal(a.old_signal, SIGTERM);
        args_fini(&a);
        assert_int_equal(parse(ARGV("-f", "x", "-sf", ""), &a), ARGS_OK); /* "$(cat pidfile)" of an empty file */
        assert_int_equal(a.n_old, 0);
        args_fini(&a);
}

static void versions(void **state)
{
        static const struct {
                const char *arg;
                enum args_show show;
        } rows[] = { { "-v", SHOW_VERSION },
                     { "-vv", SHOW_BUILD },
                     { "-vq", SHOW_FULL_VERSION },
                     { "-vqs", SHOW_SHORT_VERSION },
                     { "-vqb", SHOW_BRANCH } };
        struct args a;

        (void)state;
        for (size_t i = 0; i < array_len(rows); i++) {
                assert_int_equal(parse(ARGV(rows[i].arg), &a), ARGS_OK);
                assert_int_equal(a.show, rows[i].show);
                args_fini(&a);
        }
}

static void values(void **state)
{
        struct args a;

        (void)state;
        assert_int_equal(parse(ARGV("-f", "x", "-n", "7", "-m", "64", "-p", "pid", "-L", "me", "-C", "/", "-Ws", "-S",
                                    "a,mode,600", "-S", "b", "-dM0x41", "-dW", "-q", "-V", "-c"),
                               &a),
                         ARGS_OK);
        assert_int_equal(a.maxconn, 7);
        assert_int_equal(a.memory_mb, 64);
        assert_string_equal(a.pidfile, "pid");
        assert_string_equal(a.peer, "me");
        assert_string_equal(a.dir, "/");
        assert_true(a.master_worker && a.notify && a.warn_is_error && a.check && a.verbose && !a.quiet);
        assert_int_equal(a.n_masters, 2);
        assert_string_equal(a.masters[0], "a,mode,600");
        assert_int_equal(a.poison, 0x41);
        args_fini(&a);
        assert_int_equal(parse(ARGV("-cc", "streq(a,a)"), &a), ARGS_OK); /* needs no file */
        assert_string_equal(a.condition, "streq(a,a)");
        args_fini(&a);
}

static void refused(void **state)
{
        static const char *const rows[][5] = {
                { "telamon" },
                { "telamon", "-db" }, /* no file */
                { "telamon", "-f" },
                { "telamon", "-f", "x", "-Zfoo" },
                { "telamon", "-f", "x", "-n" },
                { "telamon", "-f", "x", "-n", "many" },
                { "telamon", "-f", "x", "-n", "-1" },
                { "telamon", "-f", "x", "-N", "few" },
                { "telamon", "-f", "x", "-sf", "me" },
                { "telamon", "-f", "x", "-vx" },
                { "telamon", "-f", "x", "-x" },
                { "telamon", "-f", "x", "--diag=xml" },
                { "telamon", "x" },
        };
        struct args a;

        (void)state;
        for (size_t i = 0; i < array_len(rows); i++)
                assert_int_equal(parse(rows[i], &a), ARGS_USAGE);
}

static void known_but_not_to_be_had(void **state)
{
        static const char *const rows[] = { "-dMzz",  "-dM300", "-dM1x", "-dM,fail", "-dK",
                                            "-dKall", "-dC7",   "-dA",   "-dr",      "-dt" };
        static const char *const bytes[] = { "-dM", "-dM80", "-dM0x50,poison", "-dMpoison", "-dM," };
        struct args a;

        (void)state;
        for (size_t i = 0; i < array_len(rows); i++)
                assert_int_equal(parse(ARGV("-f", "x", rows[i]), &a), ARGS_REFUSED);
        for (size_t i = 0; i < array_len(bytes); i++) {
                assert_int_equal(parse(ARGV("-f", "x", bytes[i]), &a), ARGS_OK);
                assert_int_equal(a.poison, 0x50);
                args_fini(&a);
        }
        assert_int_equal(parse(ARGV("-f", "x", "-dM0x41,no-poison", "-n", "0"), &a), ARGS_OK);
        assert_int_equal(a.poison, -1);
        args_fini(&a);
}

static unsigned said;

static void count(const char *option, const char *why)
{
        assert_non_null(option);
        assert_true(why && *why);
        said++;
}

static void what_has_no_effect_is_said(void **state)
{
        struct args a;

        (void)state;
        said = 0;
        assert_int_equal(parse(ARGV("-f", "x", "-dI", "-x", "/dev/null", "-4", "-dR", "-c"), &a), ARGS_OK);
        args_warn(&a, count);
        assert_int_equal(said, 3);
        assert_true(a.check); /* and so were all that follow */
        args_fini(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(files_keep_their_order),
                cmocka_unit_test(old_pids_end_at_an_option),
                cmocka_unit_test(versions),
                cmocka_unit_test(values),
                cmocka_unit_test(refused),
                cmocka_unit_test(known_but_not_to_be_had),
                cmocka_unit_test(what_has_no_effect_is_said),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
