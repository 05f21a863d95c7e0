/* The scans against one byte at a time, at every length and alignment, in blocks without a byte to spare. */
#include "proto/h1_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { LONG = 9000 };

static uint32_t state = 1;

static uint32_t any(uint32_t n)
{
        state = state * 1664525U + 1013904223U;
        return (state >> 8) % n;
}

/* Mostly letters, some line ends, some of all else. */
static char some_byte(void)
{
        static const char odd[] = "\r\n\t\0 :-_.\x7f\x1f\x80\xff#";

        return any(8) ? (char)('a' + any(26)) : odd[any(sizeof(odd) - 1)];
}

static char *block(uint32_t n)
{
        char *b = malloc(n ? n : 1);

        assert_non_null(b);
        for (uint32_t i = 0; i < n; i++)
                b[i] = some_byte();
        return b;
}

static uint32_t count_plainly(const char *b, uint32_t i, uint32_t end)
{
        uint32_t n = 0;

        for (; i < end; i++)
                n += (unsigned char)b[i] < 0x20 || b[i] == 0x7f;
        return n;
}

static void check_walk(char *b, uint32_t from, uint32_t n)
{
        struct h1_ctls it = h1_ctls_from(b + from);
        char *at = b + from - 1;

        for (uint32_t left = count_plainly(b, from, n); left > 0; left--) {
                char *got = h1_next_ctl(&it, b + n);
                for (at++; !h1_is(*at, CH_CTL); at++)
                        ;
                assert_ptr_equal(got, at);
                if (left > 1 && h1_is(at[1], CH_CTL) && any(2)) {
                        h1_skip_ctl(&it);
                        at++;
                        left--;
                }
        }
        assert_ptr_equal(h1_next_ctl(&it, b + n), b + n);
        assert_ptr_equal(h1_next_ctl(&it, b + n), b + n);
}

static void test_control_bytes_one_after_the_other(void **st)
{
        (void)st;
        for (uint32_t n = 64; n < 400; n++) {
                for (int round = 0; round < 20; round++) {
                        char *b = block(n);
                        check_walk(b, any(n), n);
                        free(b);
                }
        }
}

static void test_control_bytes_counted(void **st)
{
        (void)st;
        for (uint32_t n = 0; n < LONG; n += n < 100 ? 1 : any(400)) {
                char *b = block(n);
                for (uint32_t from = 0; from <= n && from < 20; from++)
                        assert_int_equal(h1_count_ctl(b, from, n), count_plainly(b, from, n));
                memset(b, '\n', n); /* as many as there can be */
                assert_int_equal(h1_count_ctl(b, 0, n), n);
                free(b);
        }
}

static void test_host(void **st)
{
        (void)st;
        for (uint32_t n = 0; n < 100; n++) {
                char *b = block(n);
                size_t want = 0;
                while (want < n && h1_is(b[want], CH_HOST))
                        want++;
                assert_int_equal(h1_skip_host(b, 0, n), want);
                free(b);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_control_bytes_one_after_the_other),
                cmocka_unit_test(test_control_bytes_counted),
                cmocka_unit_test(test_host),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
