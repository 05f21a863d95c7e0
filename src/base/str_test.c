#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void test_numbers(void **st)
{
        uint64_t u = 7;
        int64_t i = 7;

        (void)st;
        assert_true(str_to_u64(STR("18446744073709551615"), &u));
        assert_int_equal(u, UINT64_MAX);
        u = 7;
        assert_false(str_to_u64(STR("18446744073709551616"), &u));
        assert_false(str_to_u64(STR(""), &u));
        assert_false(str_to_u64(STR("1x"), &u));
        assert_false(str_to_u64(STR("+1"), &u));
        assert_int_equal(u, 7); /* untouched on failure */
        assert_true(str_to_i64(STR("-9223372036854775808"), &i));
        assert_true(i == INT64_MIN);
        assert_false(str_to_i64(STR("9223372036854775808"), &i));
        assert_false(str_to_i64(STR("-"), &i));
}

static void test_compare(void **st)
{
        (void)st;
        assert_true(str_ieq(STR("Content-LENGTH"), STR("content-length")));
        assert_false(str_ieq(STR("a@"), STR("a`"))); /* 0x40 and 0x60 differ by the case bit but are no letters */
        assert_true(str_eq(str_trim(STR(" \ta b\t ")), STR("a b")));
        assert_int_equal(str_trim(STR(" \t")).n, 0);
        assert_true(str_has_prefix(STR("timeout client"), STR("timeout")));
        assert_false(str_has_prefix(STR("t"), STR("timeout")));
        assert_true(str_has_prefix(STR("t"), (struct str){ NULL, 0 }));
        assert_true(str_is_token(STR("aZ09!#$%&'*+-.^_`|~")));
        assert_false(str_is_token(STR("")));
        for (const char *c = " \t\"(),/:;<=>?@[\\]{}\x7f\x80\r\n"; *c; c++)
                assert_false(str_is_token((struct str){ c, 1 }));
        assert_false(str_is_token((struct str){ "a\0b", 3 }));
}

static void test_distance(void **st)
{
        (void)st;
        assert_int_equal(str_distance(STR("bnd"), STR("bind")), 1);
        assert_int_equal(str_distance(STR("serevr"), STR("server")), 1); /* a swap is one step */
        assert_int_equal(str_distance(STR(""), STR("abc")), 3);
        assert_int_equal(str_distance(STR("abc"), STR("abc")), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_numbers), cmocka_unit_test(test_compare),
                                            cmocka_unit_test(test_distance) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
