#include "conf/text.h"

#include "conf/cond.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static bool var(void *ctx, struct str name, struct str *ret_value)
{
        static const char *const vars[][2] = { { "A", "x y" }, { "E", "" },        { "L", "1 2  3" }, { "B", "b" },
                                               { "S", " s " }, { "_u9", "under" }, { ".LINE", "12" } };

        (void)ctx;
        for (size_t i = 0; i < array_len(vars); i++)
                if (str_is(name, vars[i][0])) {
                        *ret_value = str_of(vars[i][1]);
                        return true;
                }
        return false;
}

static const struct text_vars vars = { var, NULL };

/* Words are written here as <a><b>; a fault as !code@offset. */
static void test_words(void **st)
{
        static const char *const cases[][2] = {
                { "", "" },
                { " \t ", "" },
                { "mode http", "<mode><http>" },
                { "\tmode\t \thttp ", "<mode><http>" },
                { "# all", "" },
                { "mode# http", "<mode>" },
                { "a#b c", "<a>" },
                { "a\\#b c", "<a#b><c>" },
                { "\"a#b\" '#'", "<a#b><#>" },
                { "a\\ b", "<a b>" },
                { "a\\\tb", "<a\tb>" },
                { "\\\"x\\\" \\'", "<\"x\"><'>" },
                { "\\\\ \\n\\r\\t|", "<\\><\n\r\t|>" },
                { "\\x41\\x62 \\x7A", "<Ab><z>" },
                { "\\x6g", "!E0009@0" },
                { "a \\x6", "!E0009@2" },
                { "\\x00", "!E0010@0" },
                { "\\d+\\.\\w", "<\\d+\\.\\w>" }, /* not escapes */
                { "a\\", "<a\\>" },
                { "\\$A $A ${A}", "<$A><$A><${A}>" }, /* no variables outside double quotes */
                { "\"$A\"", "<x y>" },
                { "'$A' '\\n'", "<$A><\\n>" },
                { "\"\\$A \\\" \\\\ \\n\"", "<$A \" \\ \n>" },
                { "\"${A}z\"", "<x yz>" },
                { "a\"b\"'c'd", "<abcd>" },
                { "\"a b\"c\\ d'e f'", "<a bc de f>" },
                { "\"${NO-def val}\"", "<def val>" },
                { "\"${B-def}\"", "<b>" },
                { "\"x${E-def}\"", "<x>" }, /* set but empty: the default does not count */
                { "\"$_u9\" \"$B.x\"", "<under><b.x>" },
                { "\"$.LINE\" \"${.LINE}\"", "<12><12>" },
                { "\"${L[*]}\" z", "<1><2><3><z>" },
                { "\"a${L[*]}b\" z", "<a1><2><3b><z>" },
                { "a \"${E[*]}\" z", "<a><z>" },
                { "a \"${NO[*]}\" z", "<a><z>" },
                { "a \"${NO[*]-p q}\" z", "<a><p><q><z>" },
                { "\"${S[*]}\" z", "<s><z>" },
                { "\"$NO\"", "!E0005@0" },
                { "a \"\"", "!E0005@2" },
                { "a ''", "!E0005@2" },
                { "\"\"a", "<a>" },
                { "\"abc", "!E0004@0" },
                { "x 'abc", "!E0004@2" },
                { "a\"b\\\"", "!E0004@1" },
                { "\"${A\"", "!E0007@2" },
                { "\"${A+b}\"", "!E0007@2" },
                { "\"$1\"", "!E0008@2" },
                { "\"$\"", "!E0008@2" },
                { "\"${}\"", "!E0008@3" },
                { "mode htt\rp", "<mode><htt>" }, /* a carriage return ends the line */
                { "'a\rb'", "<a\rb>" },
        };

        (void)st;
        for (size_t i = 0; i < array_len(cases); i++) {
                static struct text t;
                struct text_fault f;
                AUTO_BUF(got);

                if (text_cut(&t, str_of(cases[i][0]), (struct span){ 0, 1, 0, 0 }, &vars, &f))
                        for (size_t k = 0; k < t.n; k++)
                                buf_printf(&got, "<%.*s>", (int)t.w[k].text.n, t.w[k].text.p);
                else
                        buf_printf(&got, "!%s@%u", f.code, f.at);
                if (!str_is(buf_view(&got), cases[i][1]))
                        fail_msg("line `%s`: got `%.*s`, wanted `%s`", cases[i][0], (int)got.n, got.p, cases[i][1]);
                text_fini(&t);
        }
}

static void test_spans(void **st)
{
        struct text t = { .n = 0 };
        struct text_fault f;
        static const char line[] = "  ab \"c d\"e\tx\\ y \"${L[*]}\"";
        static const struct {
                uint32_t col, len;
                bool quoted;
        } want[] = {
                { 3, 2, false }, { 6, 6, true }, { 13, 4, true }, { 18, 8, true }, { 18, 8, true }, { 18, 9, true }
        };

        (void)st;
        assert_true(text_cut(&t, str_of(line), (struct span){ 3, 9, 0, 0 }, &vars, &f));
        assert_int_equal(t.n, array_len(want));
        for (size_t i = 0; i < t.n; i++) {
                assert_int_equal(t.w[i].at.file, 3);
                assert_int_equal(t.w[i].at.line, 9);
                assert_int_equal(t.w[i].at.col, want[i].col);
                assert_int_equal(t.w[i].at.len, want[i].len);
                assert_int_equal(t.w[i].quoted, want[i].quoted);
                assert_memory_equal(t.w[i].raw.p, line + want[i].col - 1, t.w[i].raw.n);
        }
        text_fini(&t);
}

static void test_limits(void **st)
{
        struct text t = { .n = 0 };
        struct text_fault f;
        struct buf b = BUF_INIT;
        char *big = malloc(TEXT_LINE_MAX + 1);

        (void)st;
        for (int i = 0; i < 64; i++)
                buf_puts(&b, "a ");
        assert_true(text_cut(&t, buf_view(&b), SPAN_NONE, &vars, &f));
        assert_int_equal(t.n, 64);
        buf_puts(&b, "over");
        assert_false(text_cut(&t, buf_view(&b), SPAN_NONE, &vars, &f));
        assert_string_equal(f.code, "E0006");
        assert_int_equal(f.at, 126); /* of the last one that fits */
        memset(big, 'x', TEXT_LINE_MAX + 1);
        assert_true(text_cut(&t, (struct str){ big, TEXT_LINE_MAX }, SPAN_NONE, &vars, &f));
        assert_int_equal(t.w[0].text.n, TEXT_LINE_MAX);
        assert_false(text_cut(&t, (struct str){ big, TEXT_LINE_MAX + 1 }, SPAN_NONE, &vars, &f));
        assert_string_equal(f.code, "E0003");
        assert_false(text_cut(&t, (struct str){ "ab\0c", 4 }, SPAN_NONE, &vars, &f));
        assert_string_equal(f.code, "E0002");
        assert_int_equal(f.at, 2);
        free(big);
        buf_fini(&b);
        text_fini(&t);
}

static void test_expand(void **st)
{
        struct text_fault f;
        AUTO_BUF(b);

        (void)st;
        assert_true(text_expand(STR("$B:80 ${NO-127.0.0.1}:${NO}1"), &vars, &b, &f));
        assert_true(str_is(buf_view(&b), "b:80 127.0.0.1:1"));
        assert_false(text_expand(STR("a${B"), &vars, &b, &f));
        assert_int_equal(f.at, 2);
}

/* A word quoted by the dump is read back as the same word. */
static void test_quote(void **st)
{
        static const char *const words[] = { "a",    "a b",  "\"",   "'",    "\\",       "#",    "$A",      "\"$A\"",
                                             "a\nb", "\r\t", "\x01", "\x7f", "\xc3\xa9", "a\\n", "${A[*]}", "%[src]" };

        (void)st;
        for (size_t i = 0; i < array_len(words); i++) {
                struct text t = { .n = 0 };
                struct text_fault f;
                AUTO_BUF(b);

                kw_quote(&b, words[i]);
                assert_true(text_cut(&t, buf_view(&b), SPAN_NONE, &vars, &f));
                assert_int_equal(t.n, 1);
                if (!str_is(t.w[0].text, words[i]))
                        fail_msg("`%s` became `%.*s`", words[i], (int)t.w[0].text.n, t.w[0].text.p);
                text_fini(&t);
        }
}

static bool feature(struct str name)
{
        return str_is(name, "OPENSSL");
}

static void test_cond(void **st)
{
        static const struct conf_opts o = { .version = "3.4.0",
                                            .feature = feature,
                                            .enabled = feature,
                                            .openssl_version = "1.1.1k",
                                            .ssl_library = "OpenSSL 1.1.1k" };
        static const struct {
                const char *expr;
                int want;
                int at; /* for -1 */
        } cases[] = {
                { "", 0, 0 },
                { "0", 0, 0 },
                { "00", 0, 0 },
                { "1", 1, 0 },
                { "-1", 1, 0 },
                { "25", 1, 0 },
                { "!1", 0, 0 },
                { "!!1", 1, 0 },
                { "( 1 )", 1, 0 },
                { "1 && 0 || 1", 1, 0 },
                { "1 || 1 && 0", 1, 0 },
                { "(1 || 1) && 0", 0, 0 },
                { "!(0 || 0)", 1, 0 },
                { "defined(A)", 1, 0 },
                { "defined(NO)", 0, 0 },
                { "defined( A)", 0, 0 },
                { "defined()", 0, 0 },
                { "defined", 0, 0 },
                { "streq(a,a)", 1, 0 },
                { "streq(a, a)", 0, 0 },
                { "streq(,)", 1, 0 },
                { "strneq(a,b)", 1, 0 },
                { "strstr(abc,bc)", 1, 0 },
                { "strstr(abc,x)", 0, 0 },
                { "streq(\"a,b\",a\\,b)", 1, 0 },
                { "feature(OPENSSL)", 1, 0 },
                { "feature(TELAMON)", 0, 0 },
                { "enabled(OPENSSL) && !enabled(X)", 1, 0 },
                { "version_atleast(3.4)", 1, 0 },
                { "version_atleast(3.4.1)", 0, 0 },
                { "version_atleast(2.4-dev19)", 1, 0 },
                { "version_atleast(3.4-dev1)", 1, 0 },
                { "version_before(3.4-dev1)", 0, 0 },
                { "version_before(3.5)", 1, 0 },
                { "version_before(3.10)", 1, 0 },
                { "openssl_version_atleast(1.1.1)", 1, 0 },
                { "openssl_version_before(1.1.1l)", 1, 0 },
                { "ssllib_name_startswith(OpenSSL)", 1, 0 },
                { "ssllib_name_startswith(Libre)", 0, 0 },
                { "foo", -1, 0 },
                { "foo()", -1, 0 },
                { "!", -1, 0 },
                { "1 x", -1, 2 },
                { "2x", -1, 1 },
                { "1)", -1, 1 },
                { "(1", -1, 0 },
                { "--1", -1, 0 },
                { "1 &&", -1, 4 },
                { "1 || foo", -1, 5 },
                { "0 && foo", -1, 5 }, /* form is checked even where it does not count */
                { "streq(a)", -1, 7 },
                { "streq(a,b", -1, 6 },
                { "streq(a,b,c)", -1, 9 },
                { "feature(A,b)", -1, 9 },
                { "streq(\"a,b)", -1, 6 },
        };

        (void)st;
        for (size_t i = 0; i < array_len(cases); i++) {
                struct cond_fault f = { .at = 999 };
                int got = cond_eval(str_of(cases[i].expr), &o, &vars, &f);

                if (got != cases[i].want || (got < 0 && (int)f.at != cases[i].at))
                        fail_msg("`%s`: got %d at %zu, wanted %d at %d (%s)", cases[i].expr, got, f.at, cases[i].want,
                                 cases[i].at, f.msg);
        }
}

static void test_cond_deep(void **st)
{
        static const struct conf_opts o = { .version = "1" };
        struct cond_fault f;
        AUTO_BUF(b);

        (void)st;
        for (int i = 0; i < 100000; i++)
                buf_putc(&b, '(');
        assert_int_equal(cond_eval(buf_view(&b), &o, &vars, &f), -1);
        b.n = 0;
        for (int i = 0; i < 100000; i++)
                buf_putc(&b, '!');
        buf_putc(&b, '1');
        assert_int_equal(cond_eval(buf_view(&b), &o, &vars, &f), 1);
}

static void test_cc(void **st)
{
        static const struct conf_opts o = { .version = "3.4.0", .feature = feature };
        struct diags d;
        AUTO_BUF(b);

        (void)st;
        diags_init(&d);
        assert_int_equal(conf_condition(STR("feature(OPENSSL)"), &o, &d), 1);
        assert_int_equal(conf_condition(STR(""), &o, &d), 0);
        setenv("CC_TEST", "x,y", 1);
        setenv("CC_NEST", "$CC_TEST", 1);
        unsetenv("CC_NONE");
        assert_int_equal(conf_condition(STR("streq(\"$CC_TEST\",'x,y')"), &o, &d), 1);
        assert_int_equal(conf_condition(STR("streq(a\"${CC_TEST}z\"b,'ax,yzb')"), &o, &d), 1);
        assert_int_equal(conf_condition(STR("streq(\"$CC_NONE\",) && streq(\"${CC_NONE-d}\",d)"), &o, &d), 1);
        assert_int_equal(conf_condition(STR("streq('$CC_TEST','x,y')"), &o, &d), 0); /* not inside ' */
        assert_int_equal(conf_condition(STR("streq($CC_TEST,'x,y')"), &o, &d), 0);   /* nor bare */
        assert_int_equal(conf_condition(STR("streq(\"\\$CC_TEST\",'$CC_TEST')"), &o, &d), 1);
        assert_int_equal(conf_condition(STR("streq(\"$CC_NEST\",'$CC_TEST')"), &o, &d), 1); /* once only */
        assert_int_equal(conf_condition(STR("foo("), &o, &d), -1);
        diags_format(&d, DIAG_CLASSIC, DIAG_NOTICE, 1, &b);
        assert_true(str_is(buf_view(&b),
                           "[ALERT]    (1) : config : Failed to evaluate condition: unparsable conditional "
                           "expression 'foo('\n"));
        diags_fini(&d);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_words),     cmocka_unit_test(test_spans),
                                            cmocka_unit_test(test_limits),    cmocka_unit_test(test_expand),
                                            cmocka_unit_test(test_quote),     cmocka_unit_test(test_cond),
                                            cmocka_unit_test(test_cond_deep), cmocka_unit_test(test_cc) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
