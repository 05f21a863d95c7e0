/* feat/capture/capture_test.c - cookies as the log shows them, slots and their numbers, and what is refused. */
#include "core/fixture.h"
#include "core/kinds.h"
#include "feat/capture/capture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void cookies(void **st)
{
        static const struct {
                const char *field, *prefix, *want;
                bool set;
        } cases[] = {
                { "sess=1", "sess", "sess=1", false },
                { "foo=1; sess=abc; sess=2", "sess", "sess=abc", false },
                { "sessX=3", "sess", "sessX=3", false },
                { "sessX=3; sess=4", "sess=", "sess=4", false },
                { "sess = v ; x=1", "sess", "sess=v", false },
                { "$sess=1,sess1=2", "sess", "sess1=2", false },
                { "sess=\"q,r;s\"; a", "sess", "sess=\"q,r;s\"", false },
                { "sess=\"q\\\";r\"; a", "sess", "sess=\"q\\\";r\"", false },
                { "sess", "sess", "", false },
                { "xsess=1", "sess", "", false },
                { "sess=0123456789abcdefghij", "sess", "sess=0123456789abcdef", false },
                { "", "sess", "", false },
                { ";;,=,; =", "sess", "", false },
                { "sess=\"never ends; sess=2", "a", "", false },
                { "sess=12; path=/", "sess", "sess=12", true },
                { "a=1, sess=5", "sess", "", true },
                { "a=1; sess=5", "sess", "", true },
                { "sess=a,b; x", "sess", "sess=a,b", true },
                { "sess=ab", "sess=a", "sess=ab", false },
        };
        char got[21];

        (void)st;
        for (size_t i = 0; i < array_len(cases); i++) {
                size_t n = capture_cookie(str_of(cases[i].field), cases[i].set, str_of(cases[i].prefix), got, 21);

                if (!str_is((struct str){ got, n }, cases[i].want))
                        fail_msg("%s: '%.*s'", cases[i].field, (int)n, got);
        }
}

#define PX "defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"

static void slots_are_numbered_as_they_stand(void **st)
{
        struct fx_conf *f =
                fx_load(PX "frontend f\n capture request header Host len 5\n http-request capture src len 9\n"
                           " declare capture request len 7\n capture response header Via len 3\n"
                           " http-response capture src id 0\n capture cookie a len 100\n");
        const struct capture_cfg *cfg;

        (void)st;
        assert_non_null(f->c);
        cfg = conf_slot(conf_find(f->c, KIND_FRONTEND, STR("f")), capture_slot);
        assert_int_equal(cfg->n[CAPTURE_REQ], 3);
        assert_string_equal(cfg->slot[CAPTURE_REQ][0]->lower, "host");
        assert_int_equal(cfg->slot[CAPTURE_REQ][1]->len, 9);
        assert_null(cfg->slot[CAPTURE_REQ][1]->name);
        assert_int_equal(cfg->slot[CAPTURE_REQ][2]->len, 7);
        assert_int_equal(cfg->n[CAPTURE_RES], 1);
        assert_int_equal(cfg->cookie_max, 63);
        assert_non_null(strstr(f->text.p, "truncating capture length to 63 bytes for frontend 'f'."));
        fx_unload(f);
}

static void wrong_lines(void **st)
{
        static const struct {
                const char *lines, *why;
        } cases[] = {
                { "frontend f\n capture request header a\n", "expects 'header' <header_name> 'len' <len>." },
                { "frontend f\n capture request header a len 0\n", "must be between 1 and" },
                { "frontend f\n declare capture foo len 5\n", "requires a direction ('request' or 'response')" },
                { "frontend f\n declare capture request\n", "requires a capture length ('len')" },
                { "frontend f\n http-request capture src\n", "expects <expression> [ 'len' <length> | id <idx> ]" },
                { "frontend f\n http-request capture src len 0\n", "length must be > 0" },
                { "frontend f\n http-request capture src foo 5\n", "expects 'len' or 'id', found 'foo'" },
                { "frontend f\n http-response capture src len 5\n", "expects 'id', found 'len'" },
                { "frontend f\n http-request capture src id 1\n declare capture request len 5\n",
                  "Proxy 'f': unable to find capture id '1' referenced by http-request capture rule." },
                { "backend b\n http-request capture src len 5\n", "has no frontend capability" },
                { "backend b\n declare capture request len 5\n", "has no frontend capability" },
                { "defaults\n capture cookie a len 5\n", "not allowed in 'defaults'" },
        };

        (void)st;
        for (size_t i = 0; i < array_len(cases); i++) {
                char text[512];
                struct fx_conf *f;

                (void)snprintf(text, sizeof(text), PX "%s", cases[i].lines);
                f = fx_load(text);
                if (f->c || !strstr(f->text.p, cases[i].why))
                        fail_msg("%s: %s", cases[i].lines, f->text.p);
                fx_unload(f);
        }
}

/* A backend's rule names a slot that this frontend has not; a slot is filled twice. */
static void slots_are_filled(void **st)
{
        struct fx_conf *f = fx_load(PX "frontend f\n declare capture request len 5\n");
        struct fx_stream s;

        (void)st;
        assert_non_null(f->c);
        fx_stream_init(&s, NULL);
        s.fcfg.obj = conf_find(f->c, KIND_FRONTEND, STR("f"));
        capture_put(&s.s, CAPTURE_REQ, 1, STR("x"));
        capture_put(&s.s, CAPTURE_RES, 0, STR("x"));
        assert_null(s.s.vars); /* no memory for what is not kept */
        capture_put(&s.s, CAPTURE_REQ, 0, STR("abc"));
        capture_put(&s.s, CAPTURE_REQ, 0, STR("0123456789"));
        assert_int_equal(captured_get(&s.s)->v[CAPTURE_REQ][0].n, 5);
        assert_memory_equal(captured_get(&s.s)->v[CAPTURE_REQ][0].p, "01234", 5);
        expr_state_fini(&s.s);
        fx_unload(f);
}

static int setup(void **st)
{
        (void)st;
        fx_thread();
        kw_boot();
        return 0;
}

static int teardown(void **st)
{
        (void)st;
        thr_free(thr_self);
        thr_self = NULL;
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(cookies),
                cmocka_unit_test(slots_are_numbered_as_they_stand),
                cmocka_unit_test(wrong_lines),
                cmocka_unit_test(slots_are_filled),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
