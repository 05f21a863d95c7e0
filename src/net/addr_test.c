#include "net/addr.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define BIND   (ADDR_WANT_PORT | ADDR_RANGE | ADDR_FD | ADDR_UNIX)
#define SERVER (ADDR_OFFSET | ADDR_UNIX)
#define LOG    (ADDR_UNIX | ADDR_DGRAM | ADDR_FD)

/* One line: what is written, and the spec as text ("family[/d] address low high"), or why it is refused. What bind and
 * server take was compared with HAProxy 2.6 and 3.4 (-c). */
static const struct row {
        unsigned allow;
        const char *text, *want;
} rows[] = {
        { BIND, ":80", "4 0.0.0.0:80 80-80" },
        { BIND, "*:80", "4 0.0.0.0:80 80-80" },
        { BIND, "ipv4@:80", "4 0.0.0.0:80 80-80" },
        { BIND, "ipv6@:80", "6 [::]:80 80-80" },
        { BIND, ":::80", "6 [::]:80 80-80" },
        { BIND, "::1:80", "6 [::1]:80 80-80" },
        { BIND, "[::1]:80", "6 [::1]:80 80-80" },
        { BIND, "ipv6@[::1]:24010", "6 [::1]:24010 24010-24010" },
        { BIND, "::ffff:1.2.3.4:80", "6 [::ffff:1.2.3.4]:80 80-80" },
        { BIND, "1.2.3.4:65535", "4 1.2.3.4:65535 65535-65535" },
        { BIND, "tcp@127.0.0.1:24001-24003", "4 127.0.0.1:24001 24001-24003" },
        { BIND, "stream+ipv4@127.0.0.1:24011", "4 127.0.0.1:24011 24011-24011" },
        { BIND, "/var/run/x.sock", "u path=/var/run/x.sock" },
        { BIND, "unix@rel/x.sock", "u path=rel/x.sock" },
        { BIND, "/a:80", "u path=/a:80" },
        { BIND, "abns@name", "u abstract=name" },
        { BIND, "abns@x:80", "u abstract=x:80" },
        { BIND, "abnsz@name", "u abstract_z=name" },
        { BIND, "fd@3", "fd 3" },
        { BIND, "localhost:24005", "name ? localhost 24005-24005" },
        { BIND, "ipv4@localhost:80", "name 4 localhost 80-80" },
        { BIND, "1.2.3:80", "name ? 1.2.3 80-80" },
        { BIND, "1.2.3.4", "missing port specification" },
        { BIND, "1.2.3.4:", "missing port specification" },
        { BIND, "80", "missing port specification" },
        { BIND, "", "missing port specification" },
        { BIND, "localhost", "missing port specification" },
        { BIND, "1.2.3.4:0", "invalid port" },
        { BIND, "1.2.3.4:65536", "invalid port" },
        { BIND, "1.2.3.4:99999999999999999999", "invalid port" },
        { BIND, "1.2.3.4:80-", "invalid port" },
        { BIND, "1.2.3.4:0-80", "invalid port" },
        { BIND, "1.2.3.4:90-80", "invalid port range" },
        { BIND, "1.2.3.4:+80", "port offset not permitted here" },
        { BIND, "1.2.3.4:-80", "port offset not permitted here" },
        { BIND, "1.2.3.4:8x", "invalid character in port number" },
        { BIND, "1.2.3.4:80-9x", "invalid character in port number" },
        { BIND, "::80", "invalid address" },
        { BIND, "[::1:80", "invalid address" },
        { BIND, "[::1]x:80", "invalid address" },
        { BIND, "[]:80", "invalid address" },
        { BIND, "[1.2.3.4]:80", "invalid address" },
        { BIND, "ipv4@::1:80", "invalid address" },
        { BIND, "ipv6@1.2.3.4:80", "invalid address" },
        { BIND, "127.0.0.1:80:80", "invalid address" },
        { BIND, "foo@1.2.3.4:80", "invalid address" },
        { BIND, "fe80::1%lo:80", "invalid address" },
        { BIND, "udp@127.0.0.1:80", "dgram-type address not acceptable" },
        { BIND, "dgram+ip@127.0.0.1:80", "dgram-type address not acceptable" },
        { BIND, "fd@x", "file descriptor is not a valid integer" },
        { BIND, "fd@", "file descriptor is not a valid integer" },
        { BIND, "fd@99999999999", "file descriptor is not a valid integer" },
        { BIND, "unix@", "missing unix socket path" },
        { BIND, "quic4@:443", "QUIC is not supported" },
        { BIND, "quic+ipv4@:443", "QUIC is not supported" },
        { BIND, "mptcp@:443", "MPTCP is not supported" },
        { BIND, "sockpair@3", "sockpair@ is not supported" },
        { SERVER, "127.0.0.1", "4 127.0.0.1:0 -1--1" },
        { SERVER, "127.0.0.1:", "4 127.0.0.1:0 -1--1" },
        { SERVER, "127.0.0.1:80", "4 127.0.0.1:80 80-80" },
        { SERVER, "127.0.0.1:0", "4 127.0.0.1:0 0-0" },
        { SERVER, "127.0.0.1:+80", "4 127.0.0.1:0 offset 80" },
        { SERVER, "[::1]:-1", "6 [::1]:0 offset -1" },
        { SERVER, "127.0.0.1:80-90", "port range not permitted here" },
        { SERVER, "127.0.0.1:80-80", "4 127.0.0.1:80 80-80" },
        { SERVER, "127.0.0.1:+70000", "invalid port" },
        { SERVER, "127.0.0.1:+", "invalid port" },
        { SERVER, "[::1]", "6 [::1]:0 -1--1" },
        { SERVER, "::1:", "6 [::1]:0 -1--1" },
        { SERVER, "::1", "invalid address" },
        { SERVER, "2001:db8::1", "invalid address" },
        { SERVER, "*", "4 0.0.0.0:0 -1--1" },
        { SERVER, "ipv4@", "4 0.0.0.0:0 -1--1" },
        { SERVER, "ipv6@*:80", "6 [::]:80 80-80" },
        { SERVER, "localhost", "name ? localhost -1--1" },
        { SERVER, "tcp6@web_1.example:80", "name 6 web_1.example 80-80" },
        { SERVER, "stream+127.0.0.1:80", "4 127.0.0.1:80 80-80" },
        { SERVER, "STREAM+ipv4@127.0.0.1:80", "invalid address" },
        { SERVER, "IPV4@127.0.0.1:80", "invalid address" },
        { SERVER, "fd@3", "a file descriptor is not acceptable here" },
        { SERVER, "udp4@127.0.0.1:80", "dgram-type address not acceptable" },
        { LOG, "127.0.0.1", "4/d 127.0.0.1:0 -1--1" },
        { LOG, "127.0.0.1:514", "4/d 127.0.0.1:514 514-514" },
        { LOG, "udp6@[::1]:514", "6/d [::1]:514 514-514" },
        { LOG, "tcp@127.0.0.1:514", "4 127.0.0.1:514 514-514" },
        { LOG, "stream+127.0.0.1:514", "4 127.0.0.1:514 514-514" },
        { LOG, "stream+udp@127.0.0.1:514", "socket type and address prefix contradict each other" },
        { LOG, "/dev/log", "u/d path=/dev/log" },
        { LOG, "fd@1", "fd 1" },
        { 0, "/dev/log", "a unix socket is not acceptable here" },
        { 0, "abns@x", "a unix socket is not acceptable here" },
};

static void port_text(const struct addr_spec *s, struct buf *b)
{
        if (s->port_offset)
                buf_printf(b, " offset %d", s->port_low);
        else
                buf_printf(b, " %d-%d", s->port_low, s->port_high);
}

static void spec_text(enum addr_answer a, const struct addr_spec *s, struct buf *b)
{
        char fam = s->family == AF_INET ? '4' : s->family == AF_INET6 ? '6' : s->family == AF_UNIX ? 'u' : '?';

        if (s->inherited_fd >= 0) {
                buf_printf(b, "fd %d", s->inherited_fd);
                return;
        }
        if (a == ADDR_NAME) {
                buf_printf(b, "name %c %s", fam, s->host);
                port_text(s, b);
                return;
        }
        buf_printf(b, "%c%s ", fam, s->dgram ? "/d" : "");
        if (s->family == AF_UNIX) {
                buf_printf(b, "%s=%s", s->abstract_z ? "abstract_z" : s->abstract ? "abstract" : "path", s->path);
                return;
        }
        addr_print(&s->addr, b);
        port_text(s, b);
}

static void test_grammar(void **st)
{
        (void)st;
        for (size_t i = 0; i < array_len(rows); i++) {
                struct addr_spec spec;
                const char *why = "none";
                AUTO_BUF(got);
                struct addr_spec before;
                memset(&spec, 0x5a, sizeof(spec));
                before = spec;
                enum addr_answer a = addr_parse(str_of(rows[i].text), rows[i].allow, &spec, &why);
                if (a == ADDR_BAD) {
                        assert_memory_equal(&spec, &before, sizeof(spec));
                        buf_puts(&got, why);
                } else {
                        spec_text(a, &spec, &got);
                }
                buf_putc(&got, 0);
                if (strcmp(got.p, rows[i].want) != 0)
                        print_error("address '%s'\n", rows[i].text);
                assert_string_equal(got.p, rows[i].want);
        }
}

static void test_limits(void **st)
{
        char text[600];
        struct addr_spec spec;
        const char *why;

        (void)st;
        memset(text, 'a', sizeof(text));
        text[0] = '/';
        assert_int_equal(addr_parse((struct str){ text, 107 }, BIND, &spec, &why), ADDR_OK);
        assert_int_equal(strlen(spec.path), 107);
        assert_int_equal(addr_parse((struct str){ text, 108 }, BIND, &spec, &why), ADDR_BAD);
        memcpy(text, "abns@", 5);
        assert_int_equal(addr_parse((struct str){ text, 5 + 106 }, BIND, &spec, &why), ADDR_OK);
        assert_int_equal(addr_parse((struct str){ text, 5 + 107 }, BIND, &spec, &why), ADDR_BAD);
        assert_string_equal(why, "unix socket path too long");
        memset(text, 'a', sizeof(text));
        assert_int_equal(addr_parse((struct str){ text, 255 }, 0, &spec, &why), ADDR_NAME);
        assert_int_equal(strlen(spec.host), 255);
        assert_int_equal(addr_parse((struct str){ text, 256 }, 0, &spec, &why), ADDR_BAD);
        assert_int_equal(addr_parse((struct str){ "a\0b", 3 }, 0, &spec, &why), ADDR_BAD);
        assert_int_equal(addr_parse((struct str){ NULL, 0 }, 0, &spec, &why), ADDR_OK); /* any */
}

/* The fast form says what inet_ntop says. */
static void test_text(void **st)
{
        uint32_t x = 12345;
        struct addr a = { .in = { .sin_family = AF_INET } };
        char mine[64], theirs[64];

        (void)st;
        for (int i = 0; i < 100000; i++) {
                x = x * 1664525 + 1013904223;
                a.in.sin_addr.s_addr = i % 3 ? x : x & 0x0f070fff;
                mine[addr_ip_text(&a, mine, sizeof(mine))] = 0;
                assert_string_equal(mine, inet_ntop(AF_INET, &a.in.sin_addr, theirs, sizeof(theirs)));
        }
        a.in.sin_addr.s_addr = htonl(0xc0a80a0b);
        assert_int_equal(addr_ip_text(&a, mine, 6), 6); /* cut, never overrun */
        assert_memory_equal(mine, "192.16", 6);
}

static void test_print_and_compare(void **st)
{
        struct addr a = { 0 }, b = { 0 }, u = { 0 }, none = { 0 };
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        AUTO_BUF(out);

        (void)st;
        a.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        addr_set_port(&a, 8080);
        addr_from_sockaddr(&b, &a.sa, sizeof(a.in6));
        assert_true(addr_eq(&a, &b));
        assert_int_equal(addr_port(&b), 8080);
        addr_set_port(&b, 8081);
        assert_false(addr_eq(&a, &b));
        addr_from_sockaddr(&u, (struct sockaddr *)&un, sizeof(sa_family_t));
        assert_int_equal(u.sa.sa_family, AF_UNIX);
        assert_int_equal(addr_port(&u), 0);
        assert_false(addr_eq(&u, &a));
        addr_print(&a, &out);
        buf_putc(&out, ' ');
        addr_print_ip(&a, &out);
        buf_putc(&out, ' ');
        addr_print(&u, &out);
        addr_print(&none, &out);
        assert_memory_equal(out.p, "[::1]:8080 ::1 unix", out.n);
        addr_from_sockaddr(&b, &a.sa, 0);
        assert_int_equal(b.sa.sa_family, AF_UNSPEC);
        assert_int_equal(sizeof(struct addr), 28);
}

static void test_unix_forms(void **st)
{
        struct addr_spec spec;
        struct sockaddr_un un;
        const char *why;

        (void)st;
        assert_int_equal(addr_parse(STR("abns@ab"), BIND, &spec, &why), ADDR_OK);
        assert_int_equal(addr_spec_unix(&spec, &un), sizeof(un));
        assert_memory_equal(un.sun_path, "\0ab\0\0", 5);
        assert_int_equal(addr_parse(STR("abnsz@ab"), BIND, &spec, &why), ADDR_OK);
        assert_int_equal(addr_spec_unix(&spec, &un), offsetof(struct sockaddr_un, sun_path) + 3);
        assert_int_equal(addr_parse(STR("/ab"), BIND, &spec, &why), ADDR_OK);
        (void)addr_spec_unix(&spec, &un);
        assert_string_equal(un.sun_path, "/ab");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_grammar),    cmocka_unit_test(test_limits),
                cmocka_unit_test(test_text),       cmocka_unit_test(test_print_and_compare),
                cmocka_unit_test(test_unix_forms),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
