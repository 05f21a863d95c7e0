#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct item {
        int v;
        struct list link;
};

static void test_order(void **st)
{
        struct list a, b;
        struct item it[4];
        int sum = 0;

        (void)st;
        list_init(&a);
        list_init(&b);
        for (int i = 0; i < 4; i++) {
                it[i].v = i;
                list_init(&it[i].link);
                list_push(i < 2 ? &a : &b, &it[i].link);
        }
        list_splice(&a, &b);
        assert_true(list_empty(&b));
        list_for_each (i, &a)
                sum = sum * 10 + list_item(i, struct item, link)->v;
        assert_int_equal(sum, 123);
        list_for_each_safe (i, &a)
                list_del(i);
        assert_true(list_empty(&a));
        list_del(&it[0].link); /* twice is fine */
        assert_null(list_pop(&a));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_order) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
