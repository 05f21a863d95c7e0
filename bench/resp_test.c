#include "bench/resp.h"
#include "base/buf.h"
#include "bench/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define HEAD "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: 100\r\n\r\n"

static enum resp_answer whole(const char *head, const char *body, size_t n)
{
        AUTO_BUF(all);
        struct resp r = { 0 };

        buf_puts(&all, head);
        buf_add(&all, body, n);
        return resp_feed(&r, all.p, all.n, 100);
}

static void accepts_at_every_split(void **state)
{
        char all[sizeof(HEAD) - 1 + 100];

        (void)state;
        memcpy(all, HEAD, sizeof(HEAD) - 1);
        pattern_fill(0, all + sizeof(HEAD) - 1, 100);
        for (size_t i = 1; i < sizeof(all); i++) {
                struct resp r = { 0 };

                assert_int_equal(resp_feed(&r, all, i, 100), RESP_MORE);
                assert_int_equal(resp_feed(&r, all + i, sizeof(all) - i, 100), RESP_DONE);
        }
}

static void accepts_byte_by_byte(void **state)
{
        char all[sizeof(HEAD) - 1 + 100];
        struct resp r = { 0 };

        (void)state;
        memcpy(all, HEAD, sizeof(HEAD) - 1);
        pattern_fill(0, all + sizeof(HEAD) - 1, 100);
        for (size_t i = 0; i + 1 < sizeof(all); i++)
                assert_int_equal(resp_feed(&r, all + i, 1, 100), RESP_MORE);
        assert_int_equal(resp_feed(&r, all + sizeof(all) - 1, 1, 100), RESP_DONE);
}

static void sees_every_fault(void **state)
{
        char body[101];

        (void)state;
        pattern_fill(0, body, sizeof(body));
        assert_int_equal(whole(HEAD, body, 100), RESP_DONE);
        assert_int_equal(whole(HEAD, body, 99), RESP_MORE);
        assert_int_equal(whole(HEAD, body, 101), RESP_EXTRA);
        assert_int_equal(whole("HTTP/1.1 503 No\r\nContent-Length: 100\r\n\r\n", body, 100), RESP_BAD_STATUS);
        assert_int_equal(whole("HTTP/1.1 2000\r\nContent-Length: 100\r\n\r\n", body, 100), RESP_BAD_STATUS);
        assert_int_equal(whole("HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n", body, 100), RESP_BAD_HEAD);
        assert_int_equal(whole("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", body, 99), RESP_BAD_LENGTH);
        assert_int_equal(whole("HTTP/1.1 200 OK\r\nX: y\r\n\r\n", body, 100), RESP_BAD_LENGTH);
        assert_int_equal(whole("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Length: 100\r\n\r\n", body, 100),
                         RESP_BAD_LENGTH);
        assert_int_equal(
                whole("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n", body, 100),
                RESP_BAD_LENGTH);
        assert_int_equal(whole("HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", body, 100), RESP_BAD_HEAD);
        for (size_t i = 0; i < 100; i++) {
                body[i] ^= 1;
                assert_int_equal(whole(HEAD, body, 100), RESP_BAD_BODY);
                body[i] ^= 1;
        }
}

static void refuses_an_endless_head(void **state)
{
        struct resp r = { 0 };
        enum resp_answer a = RESP_MORE;
        unsigned pieces = 0;

        (void)state;
        while (a == RESP_MORE && pieces++ < 1000)
                a = resp_feed(&r, "X: yyyyyyyyyy\r\n", 15, 100);
        assert_int_equal(a, RESP_BAD_HEAD);
        assert_true(pieces <= RESP_HEAD_MAX / 15 + 1);
}

static void pattern_shows_lost_blocks(void **state)
{
        static char block[3 * PATTERN_RUN];
        static const size_t sizes[] = { 1, 1024, 4096, 16384, 65536, 262144 };

        (void)state;
        pattern_fill(12345, block, sizeof(block));
        assert_true(pattern_is(12345, block, sizeof(block)));
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
                assert_false(pattern_is(12345 + sizes[i], block, 4096));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(accepts_at_every_split),    cmocka_unit_test(accepts_byte_by_byte),
                cmocka_unit_test(sees_every_fault),          cmocka_unit_test(refuses_an_endless_head),
                cmocka_unit_test(pattern_shows_lost_blocks),
        };

        pattern_init();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
