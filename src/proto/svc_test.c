/* What services answer, whole, cut anywhere, and from servers of something else. */
#include "proto/svc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define BYTES(lit)                                                                                                     \
        {                                                                                                              \
                "" lit, sizeof(lit) - 1                                                                                \
        }

struct answer_case {
        svc_fn fn;
        struct str in;
        bool last;
        enum svc_answer want;
        int code;
        const char *text;
};

#define GREETING                                                                                                       \
        "\x0f\0\0\0\x0a"                                                                                               \
        "8.0.19\0\x0a\0\0\0rst"

static const struct answer_case cases[] = {
        { svc_mysql_greeting, BYTES(GREETING), false, SVC_OK, 0, "8.0.19" },
        { svc_mysql_greeting, BYTES("\x0e\0\0\0\xff\x10\x04too many  x"), false, SVC_FAILED, 1040, "too many  x" },
        { svc_mysql_greeting,
          BYTES("\x04\0\0\0\x0a"
                "888"),
          false, SVC_INVALID, 0, "" }, /* a version without end */
        { svc_mysql_greeting, BYTES("\0\0\0\0"), false, SVC_INVALID, 0, "" },
        { svc_mysql_greeting, BYTES("\x01\0\0\0\xff"), false, SVC_INVALID, 0, "" },
        { svc_mysql_greeting, BYTES("220 mail\r\n"), false, SVC_INVALID, 0, "" }, /* a packet of 3 MB */
        { svc_mysql_greeting, BYTES(""), true, SVC_INVALID, 0, "" },
        { svc_mysql_result,
          BYTES("\2\0\0\0\n\0"
                "\x07\0\0\2\0\0\0\2\0\0\0"),
          false, SVC_OK, 0, "" },
        { svc_mysql_result,
          BYTES("\2\0\0\0\n\0"
                "\x05\0\0\2\xfe\0\0\2\0"),
          false, SVC_OK, 0, "" },
        { svc_mysql_result,
          BYTES("\2\0\0\0\n\0"
                "\x09\0\0\2\xff\x15\x04#28000"),
          false, SVC_FAILED, 1045, "#28000" },
        { svc_mysql_result,
          BYTES("\2\0\0\0\n\0"
                "\x02\0\0\2\5x"),
          false, SVC_INVALID, 0, "" },
        { svc_mysql_result, BYTES("\2\0\0\0\n\0"), false, SVC_MORE, 0, "" }, /* only the greeting */
        { svc_pgsql, BYTES("R\0\0\0\x08\0\0\0\0"), false, SVC_OK, 0, "PostgreSQL server is ok" },
        { svc_pgsql, BYTES("R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"), false, SVC_OK, 0, "PostgreSQL server is ok" },
        { svc_pgsql, BYTES("R\0\0\0\x04\0\0\0\0"), false, SVC_FAILED, 0, "PostgreSQL unknown error" },
        { svc_pgsql, BYTES("E\0\0\0\x0bSFATAL\0"), false, SVC_INVALID, 0, "FATAL" },
        { svc_pgsql, BYTES("E\0\0\0\x40SFATAL\0"), true, SVC_INVALID, 0, "FATAL" },
        { svc_pgsql, BYTES("E\xff\xff\xff\xffSFATAL\0"), false, SVC_FAILED, 0, "PostgreSQL unknown error" },
        { svc_pgsql, BYTES("N"), false, SVC_FAILED, 0, "PostgreSQL unknown error" },
        { svc_pgsql, BYTES("R\0\0"), true, SVC_FAILED, 0, "PostgreSQL unknown error" },
        { svc_redis, BYTES("+PONG\r\n"), false, SVC_OK, 0, "Redis server is ok" },
        { svc_redis, BYTES("-NOAUTH who?\r\n"), false, SVC_FAILED, 0, "-NOAUTH who?" },
        { svc_redis, BYTES("+PONGO\r\n"), false, SVC_FAILED, 0, "+PONGO" },
        { svc_redis, BYTES("+PONG"), true, SVC_FAILED, 0, "+PONG" },
        { svc_smtp, BYTES("220 mx ready\r\n"), false, SVC_OK, 220, "mx ready" },
        { svc_smtp, BYTES("250-mx\r\n250-SIZE 9\r\n250 HELP\r\n"), false, SVC_OK, 250, "HELP" },
        { svc_smtp, BYTES("220\r\n"), false, SVC_OK, 220, "" },
        { svc_smtp, BYTES("554 no\n"), false, SVC_FAILED, 554, "no" },
        { svc_smtp, BYTES("250-mx\r\n251 y\r\n"), false, SVC_INVALID, 0, "251 y" },
        { svc_smtp, BYTES("2200 mx\r\n"), false, SVC_INVALID, 0, "2200 mx" },
        { svc_smtp, BYTES("hello"), false, SVC_INVALID, 0, "hello" },
        { svc_smtp, BYTES("220 mx"), true, SVC_INVALID, 0, "220 mx" },
        { svc_ldap, BYTES("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"), false, SVC_OK, 0, "Success" },
        { svc_ldap, BYTES("\x30\x84\x00\x00\x00\x10\x02\x01\x01\x61\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00"),
          false, SVC_OK, 0, "Success" },
        { svc_ldap, BYTES("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x35\x04\x00\x04\x00"), false, SVC_FAILED, 53,
          "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9" },
        { svc_ldap, BYTES("\x30\x0c\x02\x01\x01\x60\x07\x0a\x01\x00\x04\x00\x04\x00"), false, SVC_INVALID, 0,
          "Not LDAPv3 protocol" },
        { svc_ldap, BYTES("\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00"), false, SVC_INVALID, 0,
          "Not LDAPv3 protocol" },
        { svc_ldap, BYTES("\x30\x03\x02\x09\x01"), false, SVC_INVALID, 0, "Not LDAPv3 protocol" },
        { svc_ldap, BYTES("\x30\x80"), false, SVC_INVALID, 0, "Not LDAPv3 protocol" },
        { svc_ldap, BYTES("\x30\x84\xff\xff\xff\xff"), false, SVC_INVALID, 0, "Not LDAPv3 protocol" },
        { svc_ldap, BYTES("220 mail\r\n"), false, SVC_INVALID, 0, "Not LDAPv3 protocol" },
        { svc_ssl, BYTES("\x16\x03\x03\x00\x3d"), false, SVC_OK, 0, "" },
        { svc_ssl, BYTES("\x15\x03\x00\x00\x02"), false, SVC_OK, 0, "" },
        { svc_ssl, BYTES("HTTP/1.1 400"), false, SVC_INVALID, 0, "" },
        { svc_ssl, BYTES("\x16\x03\x03"), true, SVC_INVALID, 0, "" },
};

static void answers(void **st)
{
        (void)st;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const struct answer_case *c = &cases[i];
                struct svc_verdict v = c->fn(c->in, c->last);

                if (v.answer != c->want || v.code != c->code || !str_is(v.text, c->text))
                        fail_msg("case %zu: answer %d, code %d, text '%.*s'", i, (int)v.answer, v.code, (int)v.text.n,
                                 v.text.p);
        }
}

/* However the bytes are cut: the verdict is the same as soon as it comes, and at the end there is one. The copy makes ASan see a
 * read behind them. */
static void cut_anywhere(void **st)
{
        (void)st;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                const struct answer_case *c = &cases[i];

                for (size_t n = 0; n <= c->in.n; n++) {
                        char *p = malloc(n + 1);
                        struct str in = { memcpy(p, c->in.p, n), n };
                        struct svc_verdict v = c->fn(in, false);

                        if (c->want == SVC_OK && v.answer != SVC_MORE && v.answer != SVC_OK)
                                fail_msg("case %zu cut at %zu: %d", i, n, (int)v.answer);
                        assert_int_not_equal(c->fn(in, true).answer, SVC_MORE);
                        free(p);
                }
        }
}

static void logins(void **st)
{
        static const char pre[] = "\x0b\0\0\1\0\x80\0\0\1user\0\0\1\0\0\0\1";
        AUTO_BUF(a);
        AUTO_BUF(b);
        AUTO_BUF(c);
        AUTO_BUF(p);

        (void)st;
        svc_mysql_login(SVC_MYSQL_PRE41, STR("user"), &a);
        assert_int_equal(a.n, sizeof(pre) - 1);
        assert_memory_equal(a.p, pre, a.n);
        svc_mysql_login(SVC_MYSQL_POST41, STR("user"), &b);
        assert_int_equal(b.n, 47);
        assert_memory_equal(b.p, "\x26\0\0\1\0\x82\0\0\0\x80\0\1\x21", 13);
        svc_mysql_login(SVC_MYSQL_POST80, STR("user"), &c);
        assert_int_equal(c.n, 47 + sizeof("mysql_native_password"));
        assert_int_equal(c.p[6], 8);
        svc_pgsql_startup(STR("postgres"), &p);
        assert_int_equal(p.n, 23);
        assert_memory_equal(p.p, "\0\0\0\x17\0\3\0\0user\0postgres\0\0", 23);
        assert_int_equal(svc_ldap_bind.n, 14);
}

/* The record and the handshake in it say how long they are. */
static void hello_is_well_formed(void **st)
{
        const unsigned char *p = (const unsigned char *)svc_ssl_hello.p;

        (void)st;
        assert_int_equal(svc_ssl_hello.n, 5 + (p[3] << 8 | p[4]));
        assert_int_equal(svc_ssl_hello.n, 9 + (p[6] << 16 | p[7] << 8 | p[8]));
        assert_int_equal(svc_ssl_hello.n, 9 + 2 + 32 + 1 + 2 + (p[44] << 8 | p[45]) + 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(answers), cmocka_unit_test(cut_anywhere),
                                            cmocka_unit_test(logins), cmocka_unit_test(hello_is_well_formed) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
