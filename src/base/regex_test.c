/* Patterns: what matches, what is refused, and that none runs away. */
#include "base/regex.h"
#include "base/thr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static bool match(const char *pattern, bool icase, struct str subject)
{
        struct regex_error e;
        struct regex *r = regex_new(str_of(pattern), icase, &e);
        bool m;

        assert_non_null(r);
        m = regex_match(r, subject);
        regex_free(r);
        return m;
}

static void matches_anywhere(void **st)
{
        (void)st;
        assert_true(match("w.r", false, STR("hello world")));
        assert_false(match("^w", false, STR("hello world")));
        assert_false(match("WOR", false, STR("hello world")));
        assert_true(match("WOR", true, STR("hello world")));
        assert_true(match("b$", false, (struct str){ "a\0b", 3 }));
        assert_true(match("^$", false, (struct str){ NULL, 0 }));
}

static void bad_patterns_say_where(void **st)
{
        struct regex_error e;

        (void)st;
        assert_null(regex_new(STR("a(b"), false, &e));
        assert_string_equal(e.text, "missing closing parenthesis");
        assert_int_equal(e.at, 3);
}

/* Without a limit this takes 2^40 steps. */
static void none_runs_away(void **st)
{
        (void)st;
        assert_false(match("^(a+)+$", false, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!")));
        assert_false(match("(?:a?){40}a{40}(*FAIL)", false, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
}

static int setup(void **st)
{
        (void)st;
        thr_self = thr_new(0, &sys_kernel, 4096);
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
        const struct CMUnitTest tests[] = { cmocka_unit_test(matches_anywhere),
                                            cmocka_unit_test(bad_patterns_say_where),
                                            cmocka_unit_test(none_runs_away) };

        return cmocka_run_group_tests(tests, setup, teardown);
}
