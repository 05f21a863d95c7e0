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

/* What `text` becomes after the first match. */
static const char *expanded(const char *pattern, struct str subject, size_t from, const char *text)
{
        static char out[32];
        struct regex_error e;
        struct regex_found f;
        struct regex *r = regex_new(str_of(pattern), false, &e);
        size_t n;
        bool found = regex_find(r, subject, from, &f);

        regex_free(r);
        if (!found)
                return "no match";
        if (regex_expand(&f, str_of(text), out, sizeof(out) - 1, &n) < 0)
                return "too long";
        out[n] = '\0';
        return out;
}

static void groups_are_put_in(void **st)
{
        (void)st;
        assert_string_equal(expanded("(b+)(c)?(d)", STR("abbd"), 0, "<\\0|\\1|\\2|\\3|\\9>"), "<bbd|bb||d|>");
        assert_string_equal(expanded("a", STR("a-a"), 1, "\\0\\\\\\n\\x41\\xg\\"), "a\\nAxg\\");
        assert_string_equal(expanded("a", STR("a-a"), 3, "x"), "no match");
        assert_string_equal(expanded("a", STR("a-a"), 4, "x"), "no match");
        assert_string_equal(expanded("()()()()()()()()()()()(a)", STR("a"), 0, "\\0\\9"), "a"); /* more than \9 */
        assert_string_equal(expanded(".*", STR("0123456789abcdef"), 0, "\\0\\0"), "too long");
        assert_string_equal(expanded("x*", (struct str){ NULL, 0 }, 0, "e"), "e");
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
                                            cmocka_unit_test(bad_patterns_say_where), cmocka_unit_test(none_runs_away),
                                            cmocka_unit_test(groups_are_put_in) };

        return cmocka_run_group_tests(tests, setup, teardown);
}
