/* What a request says of who asks: schemes, base64, what is no credentials at all. */
#include "feat/auth/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

/* "type|user|password|token", or "no". */
static const char *said(const char *value)
{
        static char out[4096], arena[8192];
        static struct auth_said a;
        struct hfield f[4];
        struct hmsg m;

        hmsg_init(&m, f, array_len(f), arena, sizeof(arena));
        if (value)
                assert_int_equal(hmsg_add(&m, STR("x-a"), str_of(value)), 0);
        if (!auth_said(&m, STR("x-a"), &a))
                return "no";
        (void)snprintf(out, sizeof(out), "%.*s|%.*s|%.*s|%.*s", (int)a.type.n, a.type.p, (int)a.user.n, a.user.p,
                       (int)a.password.n, a.password.p, (int)a.token.n, a.token.p);
        return out;
}

static void test_schemes(void **st)
{
        static const char *const t[][2] = {
                { NULL, "no" },
                { "", "no" },
                { "Basic", "no" },
                { "Basic YWxpY2U6cGE=", "Basic|alice|pa|" },
                { "bASIC   YWxpY2U6cGE", "Basic|alice|pa|" },
                { "Basic YTpiOmM=", "Basic|a|b:c|" },
                { "Basic Og==", "Basic|||" },
                { "Basic YWxpY2U=", "no" }, /* no colon */
                { "Basic YWxp*2U6cGE=", "no" },
                { "Basic YWxpY2U6 cGE=", "no" },
                { "BasicYWxpY2U6cGE=", "no" },
                { "Bearer ab.cd", "Bearer|||ab.cd" },
                { "bearer   ab", "Bearer|||ab" },
                { "Bearer ", "no" },
                { "Digest username=x", "no" },
        };

        (void)st;
        for (size_t i = 0; i < array_len(t); i++)
                if (strcmp(said(t[i][0]), t[i][1]) != 0)
                        fail_msg("%s: %s, not %s", t[i][0], said(t[i][0]), t[i][1]);
}

/* More than there is room for is no name and password, not a part of them. */
static void test_too_long(void **st)
{
        static char v[4000] = "Basic ";

        (void)st;
        memset(v + 6, 'O', 1364); /* 1023 bytes of "8\xf3\x8e" */
        memcpy(v + 6, "YTpi", 4);
        assert_string_not_equal(said(v), "no");
        memset(v + 6, 'O', 1372);
        memcpy(v + 6, "YTpi", 4);
        assert_string_equal(said(v), "no");
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_schemes), cmocka_unit_test(test_too_long) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
