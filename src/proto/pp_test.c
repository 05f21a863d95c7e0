/* The PROXY protocol: the examples of its specification, each cut anywhere, and what is no head. */
#include "proto/pp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct pp_head h;
static size_t used;

/* Every shorter piece wants more; bytes behind it are left alone. */
static void reads(const char *p, size_t n)
{
        static char *copy; /* h borrows from it until the next call */

        free(copy);
        copy = malloc(n + 3);
        assert_non_null(copy);
        memcpy(copy, p, n);
        memcpy(copy + n, "GET", 3);
        for (size_t i = 0; i < n; i++) {
                char *piece = malloc(i ? i : 1); /* of its own: reading on is seen */

                memcpy(piece, p, i);
                assert_int_equal(pp_read((struct str){ piece, i }, &h, &used), PP_MORE);
                free(piece);
        }
        assert_int_equal(pp_read((struct str){ copy, n + 3 }, &h, &used), PP_OK);
        assert_int_equal(used, n);
}

static void version_1(void **st)
{
        static const char line[] = "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n",
                          six[] = "PROXY TCP6 2001:db8::1 ffff:f...f:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";

        (void)st;
        reads(line, sizeof(line) - 1);
        assert_int_equal(h.family, PP_TCP4);
        assert_memory_equal(h.src.ip, "\300\0\2\1", 4);
        assert_memory_equal(h.dst.ip, "\306\63\144\2", 4);
        assert_int_equal(h.src.port, 40000);
        assert_int_equal(h.dst.port, 443);
        assert_int_equal(pp_read((struct str){ six, sizeof(six) - 1 }, &h, &used), PP_BAD);
        reads("PROXY TCP6 2001:db8::1 ::2 1 2\r\n", 32);
        assert_int_equal(h.family, PP_TCP6);
        assert_int_equal(h.dst.ip[15], 2);
        reads("PROXY UNKNOWN\r\n", 15);
        assert_int_equal(h.family, PP_UNKNOWN);
        reads("PROXY UNKNOWN ffff:: whatever\r\n", 31);
}

static void no_heads(void **st)
{
        static const char *const bad[] = {
                "GET / HTTP/1.1\r\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 40000\r\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443 \r\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443 1\r\n",
                "PROXY TCP4 192.0.2.1  198.51.100.2 40000 443\r\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 040 443\r\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n",
                "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
                "PROXY TCP4 192.0.2.1 2001:db8::1 1 443\r\n",
                "PROXY TCP6 192.0.2.1 2001:db8::1 1 443\r\n",
                "PROXY TCP5 192.0.2.1 192.0.2.1 1 443\r\n",
                "PROXY \r\n",
                "PROXY\r\n",
                "\r\n\r\nX",
                ("PROXY UNKNOWN 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
                 "123456789\r\n"),
        };

        (void)st;
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                if (pp_read(str_of(bad[i]), &h, &used) != PP_BAD)
                        fail_msg("%s", bad[i]);
}

#define SIG "\r\n\r\n\0\r\nQUIT\n"

static void version_2(void **st)
{
        static const char four[] = SIG "\x21\x11\0\x13\300\0\2\1\306\63\144\2\x9c\x40\1\xbb\5\0\4uniq",
                          six[] = SIG "\x21\x21\0\x24"
                                      "0123456789abcdef"
                                      "ghijklmnopqrstuv"
                                      "\0\1\0\2",
                          local[] = SIG "\x20\0\0\5local", unix_[] = SIG "\x21\x31\0\3abc";
        struct str v;
        char bad[64];

        (void)st;
        reads(four, sizeof(four) - 1);
        assert_int_equal(h.family, PP_TCP4);
        assert_int_equal(h.src.port, 40000);
        assert_int_equal(h.dst.port, 443);
        assert_memory_equal(h.dst.ip, "\306\63\144\2", 4);
        assert_true(pp_tlv(&h, PP_TLV_UNIQUE_ID, &v) && str_is(v, "uniq"));
        assert_false(pp_tlv(&h, PP_TLV_ALPN, &v));
        reads(six, sizeof(six) - 1);
        assert_int_equal(h.family, PP_TCP6);
        assert_memory_equal(h.dst.ip, "ghijklmnopqrstuv", 16);
        assert_int_equal(h.dst.port, 2);
        reads(local, sizeof(local) - 1);
        assert_true(h.local);
        reads(unix_, sizeof(unix_) - 1);
        assert_int_equal(h.family, PP_UNKNOWN);
        memcpy(bad, four, sizeof(four));
        bad[12] = 0x22;
        assert_int_equal(pp_read((struct str){ bad, sizeof(four) - 1 }, &h, &used), PP_BAD);
        bad[12] = 0x21;
        bad[30] = 5; /* the TLV's length */
        assert_int_equal(pp_read((struct str){ bad, sizeof(four) - 1 }, &h, &used), PP_BAD);
        bad[15] = 11; /* too short for two addresses */
        assert_int_equal(pp_read((struct str){ bad, sizeof(four) - 1 }, &h, &used), PP_BAD);
}

static void writes(void **st)
{
        struct pp_head w = { .version = 1, .family = PP_TCP6, .src = { .port = 5 }, .dst = { .port = 65535 } };
        const struct pp_tlv_out tlv = { 0xe0, STR("more") };
        struct str v;
        char to[200];
        size_t n;

        (void)st;
        assert_int_equal(pp_crc32c(0, "123456789", 9), 0xe3069283u);
        w.src.ip[15] = 1;
        n = pp_write(&w, NULL, 0, false, to, sizeof(to));
        assert_true(str_is((struct str){ to, n }, "PROXY TCP6 ::1 :: 5 65535\r\n"));
        w.version = 2;
        n = pp_write(&w, &tlv, 1, true, to, sizeof(to));
        assert_int_equal(n, 16 + 36 + 7 + 7);
        reads(to, n);
        assert_int_equal(h.dst.port, 65535);
        assert_true(pp_tlv(&h, 0xe0, &v) && str_is(v, "more"));
        for (size_t i = 16; i < n; i++) { /* the checksum sees each changed byte, but for its own type */
                if (i == n - 7)
                        continue;
                to[i] ^= 1;
                assert_int_equal(pp_read((struct str){ to, n }, &h, &used), PP_BAD);
                to[i] ^= 1;
        }
        for (size_t i = 0; i < n; i++)
                assert_int_equal(pp_write(&w, &tlv, 1, true, to, i), 0);
        w.local = true;
        n = pp_write(&w, NULL, 0, false, to, sizeof(to));
        assert_int_equal(n, 16);
        reads(to, n);
        assert_true(h.local);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(version_1), cmocka_unit_test(no_heads),
                                            cmocka_unit_test(version_2), cmocka_unit_test(writes) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
