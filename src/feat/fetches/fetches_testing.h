/* feat/fetches/fetches_testing.h - one finished stream, and what expressions say of it. Included by one file of each test program. */
#ifndef FEAT_FETCHES_FETCHES_TESTING_H
#define FEAT_FETCHES_FETCHES_TESTING_H

#include "conf/conf.h"
#include "core/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/cond.h"
#include "core/fixture.h"
#include "core/logfmt.h"

#include <string.h>

static struct fx_conf *conf;
static struct fx_stream fs;
static bool no_stream; /* as in tcp-request connection rules */

/* The value as text; "<miss>", "<wait>", or the alert's text. */
static inline const char *eval_at(const char *text, unsigned allowed, unsigned have, bool final)
{
        static char out[40000];
        struct diags d;
        struct kw_call c = { .conf = conf->c, .diags = &d };
        struct expr_ctx x = { .strm = no_stream ? NULL : &fs.s,
                              .sess = &fs.ss,
                              .req = fs.s.req,
                              .rsp = fs.s.rsp,
                              .have = have,
                              .final = final };
        const struct expr *e;
        struct smp s;
        size_t used = 0;

        diags_init(&d);
        e = expr_compile(&c, str_of(text), NULL, allowed, &used);
        if (!e) {
                assert_int_equal(d.n_alerts, 1);
                (void)snprintf(out, sizeof(out), "%s", list_first(&d.all, struct diag, link)->text);
                diags_fini(&d);
                return out;
        }
        assert_int_equal(d.n_alerts, 0);
        diags_fini(&d);
        assert_int_equal(used, strlen(text));
        e = expr_cast(&c, e, SMP_STR);
        assert_non_null(e);
        switch (expr_run(e, &x, &s)) {
        case EXPR_OK: (void)snprintf(out, sizeof(out), "%.*s", (int)s.s.n, s.s.p); break;
        case EXPR_MISS: return "<miss>";
        case EXPR_WAIT: return "<wait>";
        }
        return out;
}

static inline const char *eval(const char *text)
{
        unsigned all = EXPR_AT_REQUEST | EXPR_AT_RESPONSE | EXPR_AT_LOG;

        return eval_at(text, all, all, true);
}

/* "{ urlp(a) 1 }": does it hold? -1: it does not compile. */
static inline int holds(const char *text, unsigned have)
{
        struct diags d;
        struct kw_call c = { .conf = conf->c, .diags = &d };
        struct expr_ctx x = {
                .strm = &fs.s, .sess = &fs.ss, .req = fs.s.req, .rsp = fs.s.rsp, .have = have, .final = true
        };
        struct word w[32] = { { .text = STR("if") } };
        struct str rest = str_of(text);
        size_t n = 1;
        const struct cond *cond;

        while (rest.n && n < array_len(w)) {
                const char *sp = memchr(rest.p, ' ', rest.n);
                size_t len = sp ? (size_t)(sp - rest.p) : rest.n;

                w[n++] = (struct word){ .text = { rest.p, len } };
                rest = str_sub(rest, len + (sp != NULL), rest.n - len - (sp != NULL));
        }
        diags_init(&d);
        cond = cond_compile(&c, "a test", w, n, have);
        diags_fini(&d);
        return cond ? cond_run(cond, &x) == COND_TRUE : -1;
}

struct pair {
        const char *text, *want;
};

static inline void check(const struct pair *p, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const char *got = eval(p[i].text);

                if (strcmp(got, p[i].want) != 0)
                        fail_msg("%s: got '%s', want '%s'", p[i].text, got, p[i].want);
        }
}

static inline void check_alerts(const struct pair *p, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const char *got = eval(p[i].text);

                if (!strstr(got, p[i].want))
                        fail_msg("%s: got '%s', want '%s'", p[i].text, got, p[i].want);
        }
}

static inline int fetches_teardown(void **st)
{
        (void)st;
        fx_unload(conf);
        thr_free(thr_self);
        thr_self = NULL;
        return 0;
}

#endif
