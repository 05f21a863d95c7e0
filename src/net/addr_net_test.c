#include "net/addr_net.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct addr ip(const char *z)
{
        struct addr a = { 0 };

        if (inet_pton(AF_INET, z, &a.in.sin_addr) == 1)
                a.sa.sa_family = AF_INET;
        else if (inet_pton(AF_INET6, z, &a.in6.sin6_addr) == 1)
                a.sa.sa_family = AF_INET6;
        return a;
}

static void test_membership(void **st)
{
        static const struct {
                const char *net, *addr;
                bool in;
        } rows[] = {
                { "127.0.0.0/8", "127.9.9.9", true },      { "127.0.0.0/8", "128.0.0.1", false },
                { "10.0.0.0/9", "10.127.0.1", true },      { "10.0.0.0/9", "10.128.0.1", false },
                { "10.1.2.3", "10.1.2.3", true },          { "10.1.2.3", "10.1.2.2", false },
                { "0.0.0.0/0", "1.2.3.4", true },          { "::/0", "1.2.3.4", false },
                { "fe80::/10", "febf::1", true },          { "fe80::/10", "fec0::1", false },
                { "10.0.0.0/8", "::ffff:10.1.1.1", true }, { "::1", "::1", true },
        };

        (void)st;
        for (size_t i = 0; i < array_len(rows); i++) {
                struct addr_net n;
                struct addr a = ip(rows[i].addr);
                assert_true(addr_net_parse(str_of(rows[i].net), &n));
                assert_int_equal(addr_in_net(&a, &n), rows[i].in);
        }
}

static void test_bad(void **st)
{
        static const char *const bad[] = { "",       "/",      "/8",          "10.0.0.0/", "10.0.0.0/33",
                                           "::/129", "host/8", "10.0.0.0/-1", "1.2.3.4 /8" };
        struct addr_net n;

        (void)st;
        for (size_t i = 0; i < array_len(bad); i++)
                assert_false(addr_net_parse(str_of(bad[i]), &n));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_membership), cmocka_unit_test(test_bad) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
