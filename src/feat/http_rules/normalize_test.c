/* The normalizers, by the examples of the manual and at their edges. */
#include "feat/http_rules/normalize.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

/* What becomes of it; "" followed by the reason when it is refused. */
static const char *made(const char *name, bool option, const char *in)
{
        static char out[256];
        int n = normalizer_find(str_of(name))->run(str_of(in), option, out, sizeof(out) - 1);

        if (n == -EINVAL)
                return "invalid";
        if (n < 0)
                return "no room";
        out[n] = '\0';
        return out;
}

static void test_manual(void **st)
{
        static const struct {
                const char *name, *in, *out;
                bool option;
        } t[] = {
                { "fragment-encode", "/#foo", "/%23foo", false },
                { "fragment-encode", "/a#b?c#d", "/a%23b?c%23d", false },
                { "fragment-strip", "/#foo", "/", false },
                { "fragment-strip", "/?a#foo#", "/?a", false },
                { "path-strip-dot", "/.", "/", false },
                { "path-strip-dot", "/./bar/", "/bar/", false },
                { "path-strip-dot", "/a/./a", "/a/a", false },
                { "path-strip-dot", "/.well-known/", "/.well-known/", false },
                { "path-strip-dot", "/a/././.?b=/./", "/a/?b=/./", false },
                { "path-strip-dotdot", "/foo/../", "/", false },
                { "path-strip-dotdot", "/foo/../bar/", "/bar/", false },
                { "path-strip-dotdot", "/foo/bar/../", "/foo/", false },
                { "path-strip-dotdot", "/../bar/", "/../bar/", false },
                { "path-strip-dotdot", "/bar/../../", "/../", false },
                { "path-strip-dotdot", "/bar/../../../x", "/../../x", false },
                { "path-strip-dotdot", "/foo//../", "/foo/", false },
                { "path-strip-dotdot", "/foo/%2E%2E/", "/foo/%2E%2E/", false },
                { "path-strip-dotdot", "/foo/..", "/", false },
                { "path-strip-dotdot", "/foo/...?a/../b", "/foo/...?a/../b", false },
                { "path-strip-dotdot", "/../bar/", "/bar/", true },
                { "path-strip-dotdot", "/bar/../../", "/", true },
                { "path-strip-dotdot", "/..", "/", true },
                { "path-merge-slashes", "//", "/", false },
                { "path-merge-slashes", "/foo//bar", "/foo/bar", false },
                { "path-merge-slashes", "///a?//#//", "/a?//#//", false },
                { "percent-decode-unreserved", "/%61dmin", "/admin", false },
                { "percent-decode-unreserved", "/foo%3Fbar=baz", "/foo%3Fbar=baz", false },
                { "percent-decode-unreserved", "/%%36%36", "/%66", false },
                { "percent-decode-unreserved", "/%ZZ", "/%ZZ", false },
                { "percent-decode-unreserved", "/%2d%2E%5f%7E%5b%40%e1%7", "/-._~%5b%40%e1%7", false },
                { "percent-decode-unreserved", "/%%36%36", "invalid", true },
                { "percent-decode-unreserved", "/%ZZ", "invalid", true },
                { "percent-decode-unreserved", "/a%", "invalid", true },
                { "percent-to-uppercase", "/%6f", "/%6F", false },
                { "percent-to-uppercase", "/%zz%fA%aa", "/%zz%FA%AA", false },
                { "percent-to-uppercase", "/%zz", "invalid", true },
                { "query-sort-by-name", "/?c=3&a=1&b=2", "/?a=1&b=2&c=3", false },
                { "query-sort-by-name", "/?aaa=3&a=1&aa=2", "/?a=1&aa=2&aaa=3", false },
                { "query-sort-by-name", "/?a=3&b=4&a=1&b=5&a=2", "/?a=3&a=1&a=2&b=4&b=5", false },
                { "query-sort-by-name", "/?b&&a#z&y", "/?&a&b#z&y", false },
                { "query-sort-by-name", "/x", "/x", false },
                { "query-sort-by-name", "/x?", "/x?", false },
        };

        (void)st;
        for (size_t i = 0; i < array_len(t); i++) {
                const char *got = made(t[i].name, t[i].option, t[i].in);

                if (strcmp(got, t[i].out) != 0)
                        fail_msg("%s %s: %s, not %s", t[i].name, t[i].in, got, t[i].out);
        }
}

/* Nothing is written behind the room. */
static void test_room(void **st)
{
        size_t n;
        const struct normalizer *all = normalizers(&n);

        (void)st;
        for (size_t i = 0; i < n; i++) {
                char *p = malloc(3);

                assert_int_equal(all[i].run(STR("/abc"), false, p, 3), -ENOSPC);
                free(p);
        }
        assert_null(normalizer_find(STR("path")));
}

/* More parameters than are sorted: refused, not sorted by half. */
static void test_many_parameters(void **st)
{
        static char in[4096], out[4096];
        size_t n = 0;

        (void)st;
        in[n++] = '/';
        in[n++] = '?';
        while (n < 3000)
                in[n++] = '&';
        assert_int_equal(
                normalizer_find(STR("query-sort-by-name"))->run((struct str){ in, n }, false, out, sizeof(out)),
                -ENOSPC);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_manual),
                cmocka_unit_test(test_room),
                cmocka_unit_test(test_many_parameters),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
