/* Cookies as clients and servers write them, edits in one pass, dates. */
#include "base/assert.h"
#include "feat/persist/cookie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void finds(void **state)
{
        static const struct {
                const char *field, *value; /* NULL: none; "-": without a value */
        } t[] = {
                { "SRV=A", "A" },
                { "a=b; SRV=A; c=d", "A" },
                { "a=b;SRV = A ", "A" },
                { "a=b, SRV=A", "A" },
                { "SRV=\"A\"", "\"A\"" },
                { "SRV=", "" },
                { "SRV", "-" },
                { "XSRV=A", NULL },
                { "SRVX=A", NULL },
                { "srv=A", NULL },
                { "", NULL },
                { ";;,", NULL },
                { "SRV=A=B", "A=B" },
                { "SRV==", "=" },
                { "=SRV", NULL },
        };

        (void)state;
        for (size_t i = 0; i < array_len(t); i++) {
                struct cookie c;
                size_t pos = 0;
                bool got = cookie_next(str_of(t[i].field), STR("SRV"), &pos, &c);

                if (got != (t[i].value != NULL))
                        fail_msg("%s", t[i].field);
                if (!got)
                        continue;
                assert_true(pos > 0);
                if (strcmp(t[i].value, "-") == 0)
                        assert_null(c.value.p);
                else if (!str_is(c.value, t[i].value))
                        fail_msg("%s: %.*s", t[i].field, (int)c.value.n, c.value.p);
        }
}

static void edits(void **state)
{
        static const struct {
                enum cookie_edit how;
                const char *field, *out; /* NULL: unchanged */
        } t[] = {
                { COOKIE_DROP, "SRV=A", "" },
                { COOKIE_DROP, "SRV=A; x=y", "x=y" },
                { COOKIE_DROP, "x=y; SRV=A", "x=y" },
                { COOKIE_DROP, "a=b;SRV=A;c=d", "a=b; c=d" },
                { COOKIE_DROP, "SRV=A; SRV=B; a; SRV=", "a" },
                { COOKIE_DROP, "a=b;c=d", NULL },
                { COOKIE_DROP, "SRV", NULL },
                { COOKIE_STRIP, "SRV=A~hello", "SRV=hello" },
                { COOKIE_STRIP, "a=~b; SRV=~; c=d", "a=~b; SRV=; c=d" },
                { COOKIE_STRIP, "SRV=A~b~c, d", "SRV=b~c; d" },
                { COOKIE_STRIP, "SRV=hello; a=b", NULL },
        };
        char room[128];

        (void)state;
        for (size_t i = 0; i < array_len(t); i++) {
                struct str out = { NULL, 0 };
                bool changed = cookie_edit(str_of(t[i].field), STR("SRV"), t[i].how, room, &out);

                if (changed != (t[i].out != NULL) || (changed && !str_is(out, t[i].out)))
                        fail_msg("%s: %d %.*s", t[i].field, changed, (int)out.n, out.n ? out.p : "");
        }
}

static void set_fields(void **state)
{
        struct cookie c;

        (void)state;
        assert_true(cookie_set(STR("SRV=zz; path=/"), STR("SRV"), &c));
        assert_true(str_is(c.value, "zz"));
        assert_true(cookie_set(STR(" SRV = zz"), STR("SRV"), &c));
        assert_true(str_is(c.value, "zz"));
        assert_false(cookie_set(STR("a=b, SRV=zz; path=/"), STR("SRV"), &c));
        assert_false(cookie_set(STR("SRV; path=/"), STR("SRV"), &c));
        assert_false(cookie_set(STR("a=b; SRV=zz"), STR("SRV"), &c));
}

/* What HAProxy 2.6 and 3.4.0 wrote at this second: clients keep their dates when one takes over from the other. */
static void dates(void **state)
{
        char text[COOKIE_DATE_LEN];

        (void)state;
        cookie_date_put(1795286407, text);
        assert_memory_equal(text, "awHli", COOKIE_DATE_LEN);
        assert_int_equal(cookie_date_get(STR("awHli")), 1795286408);
        assert_int_equal(cookie_date_get(STR("AAAAA")), 0);
        assert_int_equal(cookie_date_get(STR("awHl")), 0);
        assert_int_equal(cookie_date_get(STR("awHl!")), 0);
        assert_int_equal(cookie_date_get((struct str){ "awH\0i", 5 }), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(finds),
                cmocka_unit_test(edits),
                cmocka_unit_test(set_fields),
                cmocka_unit_test(dates),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
