#include "proto/h1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct row {
        const char *in;
        size_t n;
        int verdict;
        size_t used; /* for END and TRAILERS: where the body ended */
        const char *data;
};

#define OKR(in, used, data)                                                                                            \
        {                                                                                                              \
                in, sizeof(in) - 1, H1_CHUNK_END, used, data                                                           \
        }
#define TRL(in, used, data)                                                                                            \
        {                                                                                                              \
                in, sizeof(in) - 1, H1_CHUNK_TRAILERS, used, data                                                      \
        }
#define MORE(in, data)                                                                                                 \
        {                                                                                                              \
                in, sizeof(in) - 1, H1_CHUNK_MORE, 0, data                                                             \
        }
#define BAD(in)                                                                                                        \
        {                                                                                                              \
                in, sizeof(in) - 1, H1_CHUNK_BAD, 0, NULL                                                              \
        }

static const struct row rows[] = {
        OKR("0\r\n\r\n", 5, ""),
        OKR("3\r\nabc\r\n0\r\n\r\nGET /", 13, "abc"),
        OKR("0003\r\nabc\r\n000\r\n\r\n", 18, "abc"),
        OKR("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", 35, "01234567890123456789"),
        OKR("3;a\r\nabc\r\n0;b\r\n\r\n", 17, "abc"),
        OKR("3;a=b;c=d\r\nabc\r\n0\r\n\r\n", 21, "abc"),
        BAD("3;a=\"x\r\"\r\nabc\r\n"),
        OKR("3 ;\ta = \"x; \\\"y\" ; b\r\nabc\r\n0\r\n\r\n", 32, "abc"),
        OKR("3;a=\"\"\r\nabc\r\n0\r\n\r\n", 18, "abc"),
        OKR("3 \r\nabc\r\n0\r\n\r\n", 14, "abc"), /* padded, as old servers do */
        OKR("3\t \r\nabc\r\n0 \r\n\r\n", 16, "abc"),
        OKR("3;a \r\nabc\r\n0;a=\"b\" \r\n\r\n", 23, "abc"),
        TRL("0\r\nX: y\r\n\r\n", 3, ""),
        TRL("1\r\na\r\n0\r\n\n", 9, "a"), /* the trailer parser refuses the LF */
        MORE("", ""),
        MORE("3", ""),
        MORE("3\r", ""),
        MORE("3\r\n", ""),
        MORE("3\r\nab", "ab"),
        MORE("3\r\nabc", "abc"),
        MORE("3\r\nabc\r", "abc"),
        MORE("3\r\nabc\r\n0\r\n", "abc"),
        MORE("3\r\nabc\r\n0\r\n\r", "abc"),
        MORE("7fffffffffffffff\r\nx", "x"), /* 2^63-1 */
        MORE("80000000\r\nx", "x"),
        MORE("100000000\r\nx", "x"),
        MORE("0000000000000000000000001\r\nx", "x"),
        BAD("8000000000000000\r\n"),
        BAD("10000000000000000\r\n"),
        BAD("ffffffffffffffff\r\n"),
        BAD("00000000000000001ffffffffffffffff\r\n"),
        BAD("\r\n"),
        BAD("\n"),
        BAD(" 3\r\nabc\r\n"),
        BAD("+3\r\nabc\r\n"),
        BAD("-3\r\nabc\r\n"),
        BAD("0x3\r\nabc\r\n"),
        BAD("3h\r\nabc\r\n"),
        BAD("g\r\n"),
        BAD(";a\r\n"),
        BAD("3 \rabc\r\n"),
        BAD("3 \nabc\r\n"),
        BAD("3 3\r\nabc\r\n"),
        BAD("3\nabc\r\n"), /* LF alone: never here */
        BAD("3\r\nabc\n0\r\n\r\n"),
        BAD("3\r\nabc\r0\r\n\r\n"),
        BAD("3\r\nabcd\r\n"),
        BAD("3\r\nab\r\n0\r\n\r\n"),
        BAD("3\rabc\r\n"),
        BAD("3\r\r\nabc\r\n"),
        BAD("0\n\n"),
        BAD("0\r\n\r0"),
        BAD("0\r\n\r\r\n"),
        BAD("3;\r\nabc\r\n"),
        BAD("3; \r\nabc\r\n"),
        BAD("3;;a\r\nabc\r\n"),
        BAD("3;a=\r\nabc\r\n"),
        BAD("3;a= \r\nabc\r\n"),
        BAD("3;a b\r\nabc\r\n"),
        BAD("3;a=b c\r\nabc\r\n"),
        BAD("3;a=b=c\r\nabc\r\n"),
        BAD("3;=b\r\nabc\r\n"),
        BAD("3;a=\"x\r\n\"\r\nabc\r\n"), /* a line end inside quotes */
        BAD("3;a=\"x\n\"\r\nabc\r\n"),
        BAD("3;a=\"\\\r\n\"\r\nabc\r\n"),
        BAD("3;a=\"x\"y\r\nabc\r\n"),
        BAD("3;a=\"x\0\"\r\nabc\r\n"),
        BAD("3;a\nabc\r\n"),
        BAD("3;a\0\r\nabc\r\n"),
        BAD("3;\xe9\r\nabc\r\n"),
        BAD("3\0\r\nabc\r\n"),
        BAD("3\x0b\r\nabc\r\n"),
};

static int feed(const struct row *r, size_t step, char *data, size_t *ret_used)
{
        struct h1_chunk c;
        size_t at = 0, nd = 0;
        int v = H1_CHUNK_MORE;

        h1_chunk_init(&c);
        while (v == H1_CHUNK_MORE && at < r->n) {
                size_t n = r->n - at < step ? r->n - at : step, used = 0;
                char *exact = malloc(n ? n : 1); /* n is never 0, but clang cannot tell */
                struct str span = { NULL, 0 };

                memcpy(exact, r->in + at, n);
                v = h1_chunk_next(&c, exact, n, &used, &span);
                if (v == H1_CHUNK_DATA) {
                        assert_true(span.p >= exact && span.p + span.n <= exact + n && span.n > 0);
                        memcpy(data + nd, span.p, span.n);
                        nd += span.n;
                        v = H1_CHUNK_MORE;
                }
                free(exact);
                assert_true(used <= n);
                at += used;
        }
        data[nd] = '\0';
        *ret_used = at;
        return v;
}

static void test_rows(void **st)
{
        static const size_t steps[] = { SIZE_MAX, 1, 2, 3, 5 };

        (void)st;
        for (size_t i = 0; i < array_len(rows); i++) {
                for (size_t s = 0; s < array_len(steps); s++) {
                        char data[64];
                        size_t used;
                        int want = rows[i].verdict;
                        int v = feed(&rows[i], steps[s], data, &used);

                        if (v != want)
                                print_error("row %zu \"%s\" steps %zu\n", i, rows[i].in, steps[s]);
                        assert_int_equal(v, want);
                        if (v == H1_CHUNK_BAD)
                                continue;
                        assert_string_equal(data, rows[i].data);
                        if (v != H1_CHUNK_MORE)
                                assert_int_equal(used, rows[i].used);
                }
        }
}

static void test_line_limit(void **st)
{
        char in[H1_CHUNK_LINE_MAX + 8];
        struct h1_chunk c;
        struct str data;
        size_t used;

        (void)st;
        for (unsigned over = 0; over < 2; over++) {
                size_t n = H1_CHUNK_LINE_MAX - 2 + over;
                memset(in, 'x', sizeof(in));
                memcpy(in, "1;", 2);
                memcpy(in + n, "\r\n", 2);
                h1_chunk_init(&c);
                assert_int_equal(h1_chunk_next(&c, in, n + 2, &used, &data), over ? H1_CHUNK_BAD : H1_CHUNK_MORE);
        }
        memset(in, '0', sizeof(in)); /* endless digits are no way around it */
        h1_chunk_init(&c);
        assert_int_equal(h1_chunk_next(&c, in, sizeof(in), &used, &data), H1_CHUNK_BAD);
        assert_int_equal(h1_chunk_next(&c, "\r\n", 2, &used, &data), H1_CHUNK_BAD); /* stays refused */
}

static void test_encoder(void **st)
{
        static const struct {
                uint64_t n;
                const char *s;
        } sizes[] = { { 1, "1\r\n" },
                      { 15, "f\r\n" },
                      { 16, "10\r\n" },
                      { 255, "ff\r\n" },
                      { 0xabcdef, "abcdef\r\n" },
                      { INT64_MAX, "7fffffffffffffff\r\n" },
                      { UINT64_MAX, "ffffffffffffffff\r\n" },
                      { 0x100000000, "100000000\r\n" } };

        (void)st;
        for (size_t i = 0; i < array_len(sizes); i++) {
                char buf[H1_CHUNK_HEAD_MAX];
                unsigned n = h1_chunk_head(buf, sizes[i].n);

                assert_int_equal(n, strlen(sizes[i].s));
                assert_memory_equal(buf, sizes[i].s, n);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_line_limit),
                                            cmocka_unit_test(test_encoder) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
