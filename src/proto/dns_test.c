#include "proto/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const struct dns_question ask = { .id = 0x1234, .type = DNS_A, .name = { "Web.Test", 8 } };
static unsigned char pkt[65536];
static size_t len;
static struct dns_record got[4];
static size_t n_got;
static unsigned aliases;

static void bytes(const void *p, size_t n)
{
        memcpy(pkt + len, p, n);
        len += n;
}

static void u16(unsigned v)
{
        pkt[len++] = (unsigned char)(v >> 8);
        pkt[len++] = (unsigned char)v;
}

#define LIT(s) bytes(s, sizeof(s) - 1)

static void head(unsigned flags, unsigned answers)
{
        len = 0;
        u16(ask.id);
        u16(flags);
        u16(1);
        u16(answers);
        u16(0);
        u16(0);
        LIT("\3web\4tEst\0");
        u16(DNS_A);
        u16(1);
}

static void record(const char *owner, size_t n, unsigned type, unsigned ttl, const void *data, size_t data_n)
{
        bytes(owner, n);
        u16(type);
        u16(1);
        u16(ttl >> 16);
        u16(ttl & 0xffff);
        u16((unsigned)data_n);
        bytes(data, data_n);
}

#define REC(owner, type, ttl, data) record(owner, sizeof(owner) - 1, type, ttl, data, sizeof(data) - 1)

static enum dns_verdict read_it(void)
{
        n_got = 99;
        return dns_read(pkt, len, &ask, got, 4, &n_got, &aliases);
}

static void queries(void **state)
{
        unsigned char q[DNS_QUERY_MAX];
        char longest[260];
        struct dns_question x = ask;

        (void)state;
        assert_int_equal(dns_query(&ask, 4096, q), 12 + 10 + 4 + 11);
        assert_memory_equal(q, "\x12\x34\x01\0\0\1\0\0\0\0\0\1\3Web\4Test\0\0\1\0\1\0\0\x29\x10\0\0\0\0\0\0\0", 37);
        (void)dns_query(&ask, 12, q);
        assert_int_equal(q[29] << 8 | q[30], 512);
        memset(longest, 'a', sizeof(longest));
        for (int i = 1; i < 260; i += 2)
                longest[i] = '.';
        x.name = (struct str){ longest, 253 };
        assert_int_equal(dns_query(&x, 512, q), DNS_QUERY_MAX);
        x.name.n = 255;
        assert_int_equal(dns_query(&x, 512, q), 0);
        x.name = STR("a..b");
        assert_int_equal(dns_query(&x, 512, q), 0);
        x.name = STR(".");
        assert_int_equal(dns_query(&x, 512, q), 0);
        x.name = STR("a.");
        assert_true(dns_query(&x, 512, q) > 0);
}

static void addresses(void **state)
{
        (void)state;
        head(0x8180, 4);
        REC("\xc0\x0c", DNS_A, 60, "\x0a\0\0\1");
        REC("\3WEB\4test\0", DNS_A, 30, "\x0a\0\0\2");
        REC("\5other\xc0\x10", DNS_A, 30, "\x0a\0\0\3"); /* nobody asked for other.test */
        REC("\xc0\x0c", DNS_AAAA, 30, "0123456789abcdef");
        assert_int_equal(read_it(), DNS_OK);
        assert_int_equal(n_got, 2);
        assert_int_equal(got[1].ip[3], 2);
        assert_int_equal(got[0].ttl_s, 60);
        assert_int_equal(aliases, 0);
        head(0x8180, 0);
        assert_int_equal(read_it(), DNS_EMPTY);
        head(0x8183, 0);
        assert_int_equal(read_it(), DNS_NX);
        head(0x8185, 0);
        assert_int_equal(read_it(), DNS_REFUSED);
        head(0x8182, 0);
        assert_int_equal(read_it(), DNS_FAILED);
        head(0x8380, 0);
        assert_int_equal(read_it(), DNS_TRUNCATED);
        head(0x8180, 6); /* more than asked for: the first four */
        for (int i = 0; i < 6; i++)
                REC("\xc0\x0c", DNS_A, 60, "\x0a\0\0\1");
        assert_int_equal(read_it(), DNS_OK);
        assert_int_equal(n_got, 4);
}

static void followed_aliases(void **state)
{
        (void)state;
        head(0x8180, 3); /* in any order */
        REC("\1b\xc0\x10", DNS_A, 60, "\x0a\0\0\1");
        REC("\xc0\x0c", DNS_CNAME, 5, "\1a\xc0\x10");
        REC("\1a\xc0\x10", DNS_CNAME, 50, "\1b\xc0\x10");
        assert_int_equal(read_it(), DNS_OK);
        assert_int_equal(aliases, 2);
        assert_int_equal(got[0].ttl_s, 5);
        head(0x8180, 1);
        REC("\xc0\x0c", DNS_CNAME, 5, "\xc0\x0c");
        assert_int_equal(read_it(), DNS_ALIAS_END);
        head(0x8180, 1);
        REC("\xc0\x0c", DNS_CNAME, 5, "\1a\xc0\x10");
        assert_int_equal(read_it(), DNS_ALIAS_END);
}

static void not_believed(void **state)
{
        struct {
                size_t at;
                unsigned char was, now;
        } flips[] = { { 1, 0x34, 0x35 }, { 2, 0x81, 0x01 }, { 5, 1, 0 }, { 5, 1, 2 },
                      { 14, 'e', 'f' },  { 23, 1, 28 },     { 25, 1, 3 } };

        (void)state;
        head(0x8180, 1);
        REC("\xc0\x0c", DNS_A, 60, "\x0a\0\0\1");
        for (size_t i = 0; i < sizeof(flips) / sizeof(*flips); i++) {
                assert_int_equal(pkt[flips[i].at], flips[i].was);
                pkt[flips[i].at] = flips[i].now;
                assert_int_equal(read_it(), DNS_INVALID);
                pkt[flips[i].at] = flips[i].was;
        }
        assert_int_equal(read_it(), DNS_OK);
        while (len-- > 0)
                assert_int_equal(read_it(), DNS_INVALID); /* cut anywhere */
        head(0x8180, 1);
        REC("\xc0\x1a", DNS_A, 60, "\x0a\0\0\1"); /* a name that points to itself */
        assert_int_equal(read_it(), DNS_INVALID);
        head(0x8180, 1);
        REC("\xc0\xff", DNS_A, 60, "\x0a\0\0\1"); /* forwards */
        assert_int_equal(read_it(), DNS_INVALID);
        head(0x8180, 1);
        REC("\3w.b\4test\0", DNS_A, 60, "\x0a\0\0\1");
        assert_int_equal(read_it(), DNS_INVALID);
        head(0x8180, 1);
        REC("\xc0\x0c", DNS_A, 60, "\x0a\0\0\1\1"); /* an IPv4 address of five bytes */
        assert_int_equal(read_it(), DNS_EMPTY);
        head(0x8180, 0xffff);
        assert_int_equal(read_it(), DNS_INVALID);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(queries), cmocka_unit_test(addresses),
                                            cmocka_unit_test(followed_aliases), cmocka_unit_test(not_believed) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
