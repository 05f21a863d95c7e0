/* feat/convs/convs_testing.h - what the tests of converters share: a stream with variables, and the value of an expression as text.
 * Included by one file of each test program. */
#ifndef FEAT_CONVS_CONVS_TESTING_H
#define FEAT_CONVS_CONVS_TESTING_H

#include "conf/conf.h"
#include "core/kinds.h"
#include "core/vars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/fixture.h"

struct pair {
        const char *text, *want;
};

static struct fx_conf *conf;
static struct fx_stream fs;

static inline int convs_setup(void **st)
{
        (void)st;
        fx_thread();
        kw_boot();
        conf = fx_load("global\n");
        fx_stream_init(&fs, NULL);
        return 0;
}

static inline int convs_teardown(void **st)
{
        (void)st;
        vars_fini_stream(&fs.s);
        expr_state_fini(&fs.s);
        fx_unload(conf);
        thr_free(thr_self);
        thr_self = NULL;
        return 0;
}

static inline struct expr_ctx everything(void)
{
        return (struct expr_ctx){
                .strm = &fs.s, .sess = &fs.ss, .have = EXPR_AT_REQUEST | EXPR_AT_RESPONSE | EXPR_AT_LOG, .final = true
        };
}

/* The value as text, "<miss>", or the alert. */
static inline const char *value_of(const char *text)
{
        static char out[20000];
        struct expr_ctx x = everything();
        struct diags d;
        struct kw_call c = { .conf = conf->c, .diags = &d };
        const struct expr *e;
        struct smp s;
        size_t used = 0;

        diags_init(&d);
        e = expr_compile(&c, str_of(text), NULL, x.have, &used);
        if (!e) {
                assert_int_equal(d.n_alerts, 1);
                (void)snprintf(out, sizeof(out), "%s", list_first(&d.all, struct diag, link)->text);
                diags_fini(&d);
                return out;
        }
        assert_int_equal(used, strlen(text));
        e = expr_cast(&c, e, SMP_STR);
        assert_non_null(e);
        diags_fini(&d);
        if (expr_run(e, &x, &s) != EXPR_OK)
                return "<miss>";
        (void)snprintf(out, sizeof(out), "%.*s", (int)s.s.n, s.s.p);
        return out;
}

static inline void set_bytes(const char *name, struct str value)
{
        char why[VAR_WHY_MAX];
        struct expr_ctx x = everything();
        struct smp s;

        smp_str(&s, value);
        s.type = SMP_BIN;
        assert_true(var_set(var_name_parse(str_of(name), why), &x, &s));
}

static inline void check(const struct pair *p, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const char *got = value_of(p[i].text);

                if (strcmp(got, p[i].want) != 0)
                        fail_msg("%s: got '%s', want '%s'", p[i].text, got, p[i].want);
        }
}

/* Each is refused, and the alert holds this text. */
static inline void each_is_refused(const struct pair *p, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const char *got = value_of(p[i].text);

                if (!strstr(got, p[i].want))
                        fail_msg("%s: got '%s', want '%s'", p[i].text, got, p[i].want);
        }
}

#endif
