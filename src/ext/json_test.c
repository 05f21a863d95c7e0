#include "ext/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void test_whole_document(void **st)
{
        struct arena mem = ARENA_INIT;
        struct val v;

        (void)st;
        assert_int_equal(json_parse(&mem, STR("{\"a\":{\"b\":[1,-2.5,true,null,\"x\\u00e9\"]},\"c\":false}"), &v, NULL),
                         0);
        const struct val *b = val_get(val_get(&v, "a"), "b");
        assert_int_equal(b->n, 5);
        assert_int_equal(val_int(val_at(b, 0), 0), 1);
        assert_true(val_at(b, 1)->type == VAL_REAL && val_at(b, 1)->r == -2.5);
        assert_true(val_bool(val_at(b, 2), false));
        assert_int_equal(val_at(b, 3)->type, VAL_NULL);
        assert_string_equal(val_text(val_at(b, 4)).p, "x\xc3\xa9");
        assert_false(val_bool(val_get(&v, "c"), true));
        /* what is not there, or is something else */
        assert_null(val_at(b, 5));
        assert_null(val_get(b, "a"));
        assert_null(val_get(NULL, "a"));
        assert_int_equal(val_text(val_at(b, 0)).n, 0);
        assert_int_equal(val_int(val_at(b, 4), -7), -7);
        arena_fini(&mem);
}

static void test_refused_documents(void **st)
{
        static const char *const bad[] = {
                "",
                " ",
                "{",
                "[1,]",
                "[01]",
                "{\"a\":1,\"a\":2}",
                "{\"a\":1,\"\\u0061\":2}",
                "\"\\u0000\"",
                "\"\xff\"",
                "1 2",
                "[9223372036854775808]",
                "{a:1}",
                "[1e999]",
                "\xef\xbb\xbf[]",
        };
        struct arena mem = ARENA_INIT;
        struct val v = { .type = VAL_REAL };
        struct val_err e;
        char deep[2 * VAL_DEPTH + 3];

        (void)st;
        for (size_t i = 0; i < array_len(bad); i++) {
                e.text[0] = 0;
                assert_int_equal(json_parse(&mem, str_of(bad[i]), &v, &e), -EBADMSG);
                assert_true(e.text[0] != 0 && v.type == VAL_REAL);
        }
        assert_int_equal(json_parse(&mem, STR("[1,\n 2 3]"), &v, &e), -EBADMSG);
        assert_int_equal(e.line, 2);
        memset(deep, '[', VAL_DEPTH + 1);
        memset(deep + VAL_DEPTH + 1, ']', VAL_DEPTH + 1);
        assert_int_equal(json_parse(&mem, (struct str){ deep, 2 * VAL_DEPTH + 2 }, &v, &e), -EBADMSG);
        assert_int_equal(json_parse(&mem, (struct str){ deep + 1, 2 * VAL_DEPTH }, &v, &e), 0);
        arena_fini(&mem);
}

static char seen[256];

static int note(struct json_split *s, const struct val *v)
{
        size_t n = strlen(seen);

        (void)s;
        if (v->type == VAL_STR)
                (void)snprintf(seen + n, sizeof(seen) - n, "'%s' ", v->s.p);
        else if (v->type == VAL_INT)
                (void)snprintf(seen + n, sizeof(seen) - n, "%lld ", (long long)v->i);
        else
                (void)snprintf(seen + n, sizeof(seen) - n, "%s%u ",
                               v->type == VAL_MAP    ? "map"
                               : v->type == VAL_LIST ? "list"
                                                     : "type",
                               v->n);
        return 0;
}

/* The items of `text`, fed in pieces of `step` bytes; the answer of the first call that fails, or of the end. */
static int split(enum json_shape shape, const char *text, size_t step, struct arena *mem, struct val *ret_rest)
{
        struct json_split s;
        int err = 0;

        seen[0] = 0;
        json_split_init(&s, shape, shape == JSON_LIST_OF ? "items" : NULL, 4096, note);
        for (size_t i = 0, n = strlen(text); i < n && !err; i += step)
                err = json_split_feed(&s, (struct str){ text + i, n - i < step ? n - i : step });
        err = err ? err : json_split_end(&s, mem, ret_rest);
        assert_true(!err || s.err.text[0]);
        assert_int_equal(json_split_feed(&s, STR("")), err);
        json_split_fini(&s);
        return err;
}

/* In pieces of every size the same items come out. */
static void expect(enum json_shape shape, const char *text, const char *items)
{
        struct arena mem = ARENA_INIT;

        for (size_t step = 1; step <= strlen(text); step++) {
                assert_int_equal(split(shape, text, step, &mem, NULL), 0);
                assert_string_equal(seen, items);
        }
        arena_fini(&mem);
}

static void test_items(void **st)
{
        (void)st;
        expect(JSON_LIST, "[]", "");
        expect(JSON_LIST, " [ 1,2 , \"]\\\"[,\",{\"a\":[{}],\"b\":\"}\"},[[]] ,-3]\n", "1 2 ']\"[,' map2 list1 -3 ");
        expect(JSON_LIST_OF, "{\"kind\":\"items\",\"m\":{\"items\":[7,8]},\"items\" : [ {\"x\":1} , 5 ],\"z\":[1,2]}",
               "map1 5 ");
        expect(JSON_LIST_OF, "{\"items\":null,\"a\":[1]}", "");
        expect(JSON_LIST_OF, "{\"itemsx\":[1],\"item\":[2],\"x\":\"items\"}", "");
        expect(JSON_SEQUENCE, "{\"a\":1}\n{\"b\":2}{} 12 \"x\"[1,2]7", "map1 map1 map0 12 'x' list2 7 ");
        expect(JSON_SEQUENCE, " \n", "");
}

static void test_rest(void **st)
{
        struct arena mem = ARENA_INIT;
        struct val rest;

        (void)st;
        assert_int_equal(
                split(JSON_LIST_OF, "{\"metadata\":{\"resourceVersion\":\"81\"},\"items\":[1,2,3]}", 7, &mem, &rest),
                0);
        assert_string_equal(val_text(val_get(val_get(&rest, "metadata"), "resourceVersion")).p, "81");
        assert_int_equal(val_get(&rest, "items")->type, VAL_LIST);
        assert_int_equal(val_get(&rest, "items")->n, 0);
        arena_fini(&mem);
}

static void test_broken_frames(void **st)
{
        static const struct {
                enum json_shape shape;
                const char *text;
        } bad[] = {
                { JSON_LIST, "" },
                { JSON_LIST, "{}" },
                { JSON_LIST, "1" },
                { JSON_LIST, "[1,]" },
                { JSON_LIST, "[,1]" },
                { JSON_LIST, "[1,,2]" },
                { JSON_LIST, "[1 2]" },
                { JSON_LIST, "[1" },
                { JSON_LIST, "[{]" },
                { JSON_LIST, "[1}" },
                { JSON_LIST, "[1]]" },
                { JSON_LIST, "[1][2]" },
                { JSON_LIST, "[nul]" },
                { JSON_LIST, "[\"a]" },
                { JSON_LIST, "[{\"a\":1,\"a\":1}]" },
                { JSON_LIST_OF, "[]" },
                { JSON_LIST_OF, "\"items\"" },
                { JSON_LIST_OF, "{\"items\" [1]}" },
                { JSON_LIST_OF, "{" },
                { JSON_LIST_OF, "{\"items\"::[1]}" },
                { JSON_LIST_OF, "{\"items\":[1],\"items\":[2]}" },
                { JSON_LIST_OF, "{\"items\":[1]]" },
                { JSON_LIST_OF, "{\"items\":[1],}" },
                { JSON_LIST_OF, "{\"items\":[1]} x" },
                { JSON_SEQUENCE, "{\"a\":1},{}" },
                { JSON_SEQUENCE, "{" },
                { JSON_SEQUENCE, "}" },
                { JSON_SEQUENCE, "\"abc" },
        };
        struct arena mem = ARENA_INIT;

        (void)st;
        for (size_t i = 0; i < array_len(bad); i++)
                for (size_t step = 1; step < 9; step++)
                        assert_int_equal(split(bad[i].shape, bad[i].text, step, &mem, NULL), -EBADMSG);
        arena_fini(&mem);
}

static int stop_at_three(struct json_split *s, const struct val *v)
{
        (void)v;
        return s->items == 3 ? 42 : 0;
}

/* A long list costs one item, whatever its length; one long item or a long frame is refused. */
static void test_limits(void **st)
{
        static const char *const item = "{\"name\":\"0123456789\",\"n\":[1,2,3]},";
        struct json_split s;
        char big[600];

        (void)st;
        json_split_init(&s, JSON_LIST, NULL, 512, note);
        assert_int_equal(json_split_feed(&s, STR("[")), 0);
        for (int i = 0; i < 100000; i++) {
                seen[0] = 0;
                assert_int_equal(json_split_feed(&s, str_of(item)), 0);
        }
        assert_int_equal(s.items, 100000);
        assert_true(s.cur.cap <= 512 && s.rest.cap <= 512);
        memset(big, '9', sizeof(big));
        assert_int_equal(json_split_feed(&s, (struct str){ big, 512 }), 0);
        assert_int_equal(json_split_feed(&s, STR("9")), -EMSGSIZE);
        assert_int_equal(json_split_feed(&s, STR("]")), -EMSGSIZE);
        json_split_fini(&s);

        json_split_init(&s, JSON_LIST_OF, "items", 512, note);
        memset(big, ' ', sizeof(big));
        assert_int_equal(json_split_feed(&s, (struct str){ big, sizeof(big) }), -EMSGSIZE);
        json_split_fini(&s);

        json_split_init(&s, JSON_LIST, NULL, 512, stop_at_three);
        assert_int_equal(json_split_feed(&s, STR("[1,2,3,4,5]")), 42);
        assert_int_equal(s.items, 3);
        json_split_fini(&s);
}

/* A NUL byte in the key must not run past the end of the key that is looked for. */
static void test_nul_in_key(void **st)
{
        struct json_split s;

        (void)st;
        json_split_init(&s, JSON_LIST_OF, "items", 512, note);
        assert_int_equal(json_split_feed(&s, STR("{\"items\0\0\0\0\":[1]}")), 0);
        assert_int_equal(s.items, 0);
        assert_int_equal(json_split_end(&s, NULL, NULL), -EBADMSG);
        json_split_fini(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_whole_document), cmocka_unit_test(test_refused_documents),
                cmocka_unit_test(test_items),          cmocka_unit_test(test_rest),
                cmocka_unit_test(test_broken_frames),  cmocka_unit_test(test_limits),
                cmocka_unit_test(test_nul_in_key),
        };

        return cmocka_run_group_tests_name("ext/json", tests, NULL, NULL);
}
