#include "proto/hmsg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void test_known_names(void **st)
{
        (void)st;
        for (int i = HID_NONE + 1; i < HID_COUNT; i++) {
                struct str n = hmsg_id_name((enum hid)i);
                assert_int_equal(hmsg_id(n.p, (uint32_t)n.n), i);
        }
        assert_int_equal(hmsg_id("hosts", 5), HID_NONE);
        assert_int_equal(hmsg_id("hos", 3), HID_NONE);
        assert_int_equal(hmsg_id("h", 1), HID_NONE);
        assert_int_equal(hmsg_id("", 0), HID_NONE);
        assert_int_equal(hmsg_id("content-lengtj", 14), HID_NONE);
        assert_int_equal(hmsg_id("contemt-length", 14), HID_NONE);
}

static void test_methods(void **st)
{
        (void)st;
        assert_int_equal(hmsg_method_of(STR("GET")), HMETH_GET);
        assert_int_equal(hmsg_method_of(STR("get")), HMETH_OTHER);
        assert_int_equal(hmsg_method_of(STR("CONNECT")), HMETH_CONNECT);
        assert_int_equal(hmsg_method_of(STR("PROPFIND")), HMETH_OTHER);
}

static void test_edits(void **st)
{
        struct hfield f[4];
        char arena[64];
        struct hmsg m;

        (void)st;
        hmsg_init(&m, f, 4, arena, sizeof(arena));
        assert_int_equal(hmsg_add(&m, STR("X-Foo"), STR("1")), 0);
        assert_int_equal(hmsg_add(&m, STR("HOST"), STR("a")), 0);
        assert_int_equal(hmsg_add(&m, STR("x-foo"), STR("2")), 0);
        assert_true(str_is(hmsg_name(&m, 0), "x-foo"));
        assert_int_equal(hmsg_find(&m, HID_HOST, 0), 1);
        assert_int_equal(hmsg_find(&m, HID_DATE, 0), -1);
        assert_int_equal(hmsg_find_name(&m, STR("x-foo"), 1), 2);
        assert_int_equal(hmsg_set(&m, STR("x-Foo"), STR("3")), 0);
        assert_int_equal(hmsg_find_name(&m, STR("x-foo"), 0), 3);
        assert_true(str_is(hmsg_value(&m, 3), "3"));
        assert_int_equal(hmsg_next(&m, 0), 1);
        assert_int_equal(hmsg_replace(&m, 1, STR("bb")), 0);
        assert_true(str_is(hmsg_value(&m, 1), "bb"));
        assert_int_equal(m.f[1].id, HID_HOST);
        hmsg_del(&m, 1);
        assert_int_equal(hmsg_find(&m, HID_HOST, 0), -1);
        hmsg_del_all(&m, STR("X-FOO"));
        assert_int_equal(hmsg_next(&m, 0), -1);
}

static void test_edits_refuse(void **st)
{
        struct hfield f[1];
        char arena[10];
        struct hmsg m;

        (void)st;
        hmsg_init(&m, f, 1, arena, sizeof(arena));
        assert_int_equal(hmsg_add(&m, STR("a"), STR("1\r\nb: 2")), -EINVAL);
        assert_int_equal(hmsg_add(&m, STR("a b"), STR("1")), -EINVAL);
        assert_int_equal(hmsg_add(&m, STR(""), STR("1")), -EINVAL);
        assert_int_equal(hmsg_add(&m, STR("abcdefg"), STR("")), -ENOMEM);
        assert_int_equal(hmsg_add(&m, STR("abc"), STR("def")), 0);
        assert_int_equal(hmsg_add(&m, STR("a"), STR("")), -ENOSPC);
        assert_int_equal(m.nf, 1);
        assert_int_equal(hmsg_replace(&m, 0, STR("x")), -ENOMEM);
        assert_true(str_is(hmsg_value(&m, 0), "def"));
        assert_int_equal(hmsg_set_target(&m, STR("/a b")), -EINVAL);
        assert_int_equal(hmsg_set_method(&m, STR("G T")), -EINVAL);
        assert_int_equal(hmsg_set_status(&m, 99, STR("")), -EINVAL);
        assert_int_equal(hmsg_set_status(&m, 200, STR("a\nb")), -EINVAL);
}

static bool grow(struct hmsg *m, uint32_t need)
{
        char *p = malloc(need + 5);

        if (m->blk[1].n)
                memcpy(p, m->blk[1].p, m->blk[1].n);
        free(m->blk[1].p);
        hmsg_rebase_arena(m, p, need + 5);
        return true;
}

/* A value that is itself in the arena stays right while the arena moves. */
static void test_grow(void **st)
{
        struct hfield f[40];
        struct hmsg m;

        (void)st;
        hmsg_init(&m, f, 40, NULL, 0);
        m.grow = grow;
        assert_int_equal(hmsg_add(&m, STR("a"), STR("value")), 0);
        for (int i = 0; i < 39; i++)
                assert_int_equal(hmsg_add(&m, hmsg_name(&m, i), hmsg_value(&m, i)), 0);
        for (int i = 0; i < 40; i++)
                assert_true(str_is(hmsg_value(&m, i), "value"));
        assert_int_equal(hmsg_set_target(&m, hmsg_value(&m, 0)), 0);
        assert_true(str_is(hmsg_target(&m), "value"));
        free(m.blk[1].p);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_known_names), cmocka_unit_test(test_methods),
                                            cmocka_unit_test(test_edits), cmocka_unit_test(test_edits_refuse),
                                            cmocka_unit_test(test_grow) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
