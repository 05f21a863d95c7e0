/* Hellos of TLS, byte by byte. */
#include "proto/tls_hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static unsigned char msg[2048];
static size_t len;

static void put(unsigned v, unsigned bytes)
{
        while (bytes-- > 0)
                msg[len++] = (unsigned char)(v >> (8 * bytes));
}

static void put_str(const char *s, size_t n)
{
        memcpy(msg + len, s, n);
        len += n;
}

static void set_len(size_t at, unsigned bytes, size_t n)
{
        for (unsigned i = 0; i < bytes; i++)
                msg[at + i] = (unsigned char)(n >> (8 * (bytes - 1 - i)));
}

/* Record and hello up to the compression methods; finish() sets the lengths. */
static void begin(unsigned version)
{
        len = 0;
        put(0x16030100, 4);
        put(0, 1);
        put(1, 1);
        put(0, 3);
        put(version, 2);
        for (int i = 0; i < 8; i++)
                put(0x52525252, 4);
        put(3, 1);
        put_str("sid", 3);
        put(4, 2);
        put(0x1301009f, 4);
        put(0x0100, 2);
}

static void finish(void)
{
        set_len(3, 2, len - 5);
        set_len(6, 3, len - 9);
}

static void ext(unsigned type, const char *body, size_t n)
{
        put(type, 2);
        put((unsigned)n, 2);
        put_str(body, n);
}

static size_t all_extensions(void)
{
        size_t at = len;

        put(0, 2);
        ext(0, "\0\x0b\1\0\1x\0\0\4a.bc", 13);
        ext(16, "\0\x0c\2h2\x08http/1.1", 14);
        ext(10, "\0\4\0\x1d\0\x17", 6);
        ext(13, "\0\2\4\3", 4);
        ext(35, "", 0);
        ext(51, "\0\x0b\0\x1d\0\2AB\0\x17\0\1C", 13);
        set_len(at, 2, len - at - 2);
        return at;
}

static struct str text(void)
{
        return (struct str){ (const char *)msg, len };
}

#define IS(s, lit) (assert_int_equal((s).n, sizeof(lit) - 1), assert_memory_equal((s).p, lit, sizeof(lit) - 1))

static void test_all_of_a_client_hello(void **st)
{
        struct tls_hello h;
        char groups[8];

        (void)st;
        begin(0x303);
        (void)all_extensions();
        finish();
        put_str("next", 4);
        assert_int_equal(tls_hello(text(), &h), TLS_HELLO_OK);
        assert_int_equal(h.type, TLS_HELLO_CLIENT);
        assert_int_equal(h.version, 0x303);
        IS(h.session_id, "sid");
        IS(h.ciphers, "\x13\1\0\x9f");
        assert_true(h.extensions);
        IS(h.server_name, "a.bc"); /* the first name was of another kind */
        IS(h.alpn, "h2");
        IS(h.groups, "\0\x1d\0\x17");
        IS(h.sigalgs, "\4\3");
        assert_non_null(h.ticket.p);
        assert_int_equal(h.ticket.n, 0);
        assert_int_equal(tls_hello_share_groups(&h, groups, sizeof(groups)), 4);
        assert_memory_equal(groups, "\0\x1d\0\x17", 4);
        assert_int_equal(tls_hello_share_groups(&h, groups, 3), 2);
}

static void test_every_beginning_waits(void **st)
{
        struct tls_hello h;

        (void)st;
        begin(0x303);
        (void)all_extensions();
        finish();
        for (size_t n = 0; n < len; n++)
                assert_int_equal(tls_hello(str_sub(text(), 0, n), &h), TLS_HELLO_MORE);
        assert_int_equal(tls_hello(text(), &h), TLS_HELLO_OK);
}

static void test_no_extensions(void **st)
{
        struct tls_hello h;

        (void)st;
        begin(0x301);
        finish();
        assert_int_equal(tls_hello(text(), &h), TLS_HELLO_OK);
        assert_int_equal(h.version, 0x301);
        IS(h.ciphers, "\x13\1\0\x9f");
        assert_false(h.extensions);
        assert_null(h.server_name.p);
        assert_null(h.ticket.p);
}

/* Lengths that lie: what they claim is not there, the rest is. */
static void test_lengths_that_lie(void **st)
{
        struct tls_hello h;
        size_t at;

        (void)st;
        begin(0x303);
        at = all_extensions();
        finish();
        set_len(at, 2, 5000);
        assert_int_equal(tls_hello(text(), &h), TLS_HELLO_OK);
        assert_false(h.extensions);
        assert_null(h.server_name.p);
        begin(0x303);
        at = all_extensions();
        finish();
        set_len(at + 6, 2, 5000); /* of the list of names */
        assert_int_equal(tls_hello(text(), &h), TLS_HELLO_OK);
        assert_null(h.server_name.p);
        IS(h.alpn, "h2");
        msg[43] = 255; /* of the session id */
        assert_int_equal(tls_hello(text(), &h), TLS_HELLO_OK);
        assert_null(h.session_id.p);
        assert_null(h.ciphers.p);
}

static void test_what_is_none(void **st)
{
        struct tls_hello h = { .type = 77 };

        (void)st;
        assert_int_equal(tls_hello(STR("GET / HTTP/1.1\r\n"), &h), TLS_HELLO_NOT);
        assert_int_equal(tls_hello(STR("G"), &h), TLS_HELLO_NOT);
        assert_int_equal(tls_hello(STR("\x16\2"), &h), TLS_HELLO_NOT);
        assert_int_equal(tls_hello(STR("\x15\3\1\0\2\2\x28"), &h), TLS_HELLO_NOT); /* an alert */
        assert_int_equal(tls_hello(STR("\x16\3\1\0\3abc"), &h), TLS_HELLO_NOT);
        assert_int_equal(tls_hello(STR("\x16\3\1\xff\xff"), &h), TLS_HELLO_NOT);
        assert_int_equal(h.type, 77);
        assert_int_equal(tls_hello(STR("\x16\3\1\0\5\2\0\0\1\3"), &h), TLS_HELLO_OK);
        assert_int_equal(h.type, TLS_HELLO_SERVER);
}

static void test_sslv2(void **st)
{
        static const char good[] = "\x80\x1f\1\3\1\0\6\0\0\0\x10\0\0\4\0\0\5CCCCCCCCCCCCCCCC";
        struct str in = { good, sizeof(good) - 1 };
        struct tls_hello h;

        (void)st;
        for (size_t n = 1; n < in.n; n++)
                assert_int_equal(tls_hello(str_sub(in, 0, n), &h), TLS_HELLO_MORE);
        assert_int_equal(tls_hello(in, &h), TLS_HELLO_OK);
        assert_int_equal(h.type, 0);
        assert_int_equal(h.version, 0x301);
        assert_int_equal(tls_hello(STR("\x80\x1f\1\3\1\0\7\0\0\0\x10"), &h), TLS_HELLO_NOT);
        assert_int_equal(tls_hello(STR("\x80\x1f\2"), &h), TLS_HELLO_NOT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_all_of_a_client_hello), cmocka_unit_test(test_every_beginning_waits),
                cmocka_unit_test(test_no_extensions),         cmocka_unit_test(test_lengths_that_lie),
                cmocka_unit_test(test_what_is_none),          cmocka_unit_test(test_sslv2),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
