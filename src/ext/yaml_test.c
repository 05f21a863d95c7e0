#include "ext/yaml.h"

#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const char kubeconfig[] = "apiVersion: v1\n"
                                 "kind: Config\n"
                                 "current-context: lab\n"
                                 "clusters:\n"
                                 "- name: lab\n"
                                 "  cluster:\n"
                                 "    server: https://10.0.0.1:6443\n"
                                 "    insecure-skip-tls-verify: true\n"
                                 "users:\n"
                                 "- {name: admin, user: {token: \"12345\"}}\n"
                                 "- name: other\n"
                                 "  user:\n"
                                 "    client-key-data: |\n"
                                 "      AAA\n"
                                 "      BBB\n";

static void test_kubeconfig(void **st)
{
        struct arena mem = ARENA_INIT;
        const struct val *c, *u;
        struct val v;

        (void)st;
        assert_int_equal(yaml_read(&mem, str_of(kubeconfig), &v, NULL), 0);
        assert_string_equal(val_text(val_get(&v, "current-context")).p, "lab");
        c = val_get(val_at(val_get(&v, "clusters"), 0), "cluster");
        assert_string_equal(val_text(val_get(c, "server")).p, "https://10.0.0.1:6443");
        assert_true(val_bool(val_get(c, "insecure-skip-tls-verify"), false));
        u = val_get(&v, "users");
        assert_int_equal(u->n, 2);
        assert_string_equal(val_text(val_get(val_get(val_at(u, 0), "user"), "token")).p, "12345");
        assert_string_equal(val_text(val_get(val_get(val_at(u, 1), "user"), "client-key-data")).p, "AAA\nBBB\n");
        arena_fini(&mem);
}

static void test_scalars(void **st)
{
        static const struct {
                const char *text;
                enum val_type type;
        } rows[] = {
                { "", VAL_NULL },
                { "~", VAL_NULL },
                { "null", VAL_NULL },
                { "true", VAL_BOOL },
                { "False", VAL_BOOL },
                { "yes", VAL_STR },
                { "on", VAL_STR },
                { "tRue", VAL_STR },
                { "0", VAL_INT },
                { "-12", VAL_INT },
                { "+7", VAL_INT },
                { "0x1F", VAL_INT },
                { "0o17", VAL_INT },
                { "0x", VAL_STR },
                { "0o8", VAL_STR },
                { "1_000", VAL_STR },
                { "1.5", VAL_REAL },
                { ".5", VAL_REAL },
                { "1.", VAL_REAL },
                { "-1e3", VAL_REAL },
                { "1e", VAL_STR },
                { ".", VAL_STR },
                { "1.2.3", VAL_STR },
                { "10.0.0.1:80", VAL_STR },
                { "'1'", VAL_STR },
                { "\"true\"", VAL_STR },
                { "12:30:45", VAL_STR },
                { "2026-01-01", VAL_STR },
                { "[]", VAL_LIST },
                { "{}", VAL_MAP },
                { "--- 5\n...\n", VAL_INT },
                { "{\"a\": [1, null]}", VAL_MAP },
                { "99999999999999999999", VAL_REAL },
        };
        struct arena mem = ARENA_INIT;
        struct val v;

        (void)st;
        for (size_t i = 0; i < array_len(rows); i++) {
                assert_int_equal(yaml_read(&mem, str_of(rows[i].text), &v, NULL), 0);
                if (v.type != rows[i].type)
                        fail_msg("%s: type %d", rows[i].text, (int)v.type);
        }
        assert_int_equal(yaml_read(&mem, STR("0x1F"), &v, NULL), 0);
        assert_int_equal(v.i, 31);
        assert_int_equal(yaml_read(&mem, STR("-1e3"), &v, NULL), 0);
        assert_true(v.r == -1000);
        arena_fini(&mem);
}

static void test_refused(void **st)
{
        static const char *const bad[] = {
                "a: &x 1\nb: *x\n", "a: 1\na: 2\n", "? [1]\n: 2\n", "--- 1\n--- 2\n", "a: !!str 1\n", "!!seq [1]\n",
                "a: [1\n",          "a: \"x\n",     "\t- a\n",      "\"\\0\"",        "\xff\xfe\xff", "a: b: c\n",
        };
        struct arena mem = ARENA_INIT;
        struct val v = { .type = VAL_REAL };
        struct val_err e;
        char deep[VAL_DEPTH + 1];

        (void)st;
        for (size_t i = 0; i < array_len(bad); i++) {
                e.text[0] = 0;
                assert_int_equal(yaml_read(&mem, str_of(bad[i]), &v, &e), -EBADMSG);
                assert_true(e.text[0] != 0 && v.type == VAL_REAL);
        }
        assert_int_equal(yaml_read(&mem, STR("a: 1\nb: 2\na: 3\n"), &v, &e), -EBADMSG);
        assert_int_equal(e.line, 3);
        memset(deep, '[', sizeof(deep));
        assert_int_equal(yaml_read(&mem, (struct str){ deep, sizeof(deep) }, &v, &e), -EBADMSG);
        assert_non_null(strstr(e.text, "deeper"));
        arena_fini(&mem);
}

static void test_limits(void **st)
{
        struct arena mem = ARENA_INIT;
        struct val_err e;
        AUTO_BUF(b);
        struct val v;

        (void)st;
        for (int i = 0; i < YAML_KEYS; i++)
                buf_printf(&b, "k%d: 1\n", i);
        assert_int_equal(yaml_read(&mem, buf_view(&b), &v, &e), 0);
        assert_int_equal(v.n, YAML_KEYS);
        buf_puts(&b, "one-more: 1\n");
        assert_int_equal(yaml_read(&mem, buf_view(&b), &v, &e), -EBADMSG);
        b.n = 0;
        for (int i = 0; i < YAML_VALUES; i++)
                buf_puts(&b, "- 1\n");
        assert_int_equal(yaml_read(&mem, buf_view(&b), &v, &e), -EBADMSG); /* the list is a value, too */
        buf_drop(&b, 4);
        assert_int_equal(yaml_read(&mem, buf_view(&b), &v, &e), 0);
        arena_fini(&mem);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kubeconfig),
                cmocka_unit_test(test_scalars),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_limits),
        };

        return cmocka_run_group_tests_name("ext/yaml", tests, NULL, NULL);
}
