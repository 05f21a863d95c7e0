/* feat/http_rules/rules_testing.h - for the tests of rules: a configuration's lines, a request, and what the hooks make of it. */
#ifndef FEAT_HTTP_RULES_RULES_TESTING_H
#define FEAT_HTTP_RULES_RULES_TESTING_H

#include "conf/conf.h"
#include "core/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/cells.h"
#include "core/inner.h"
#include "core/hook.h"
#include "core/fixture.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

static struct fx_stream fs;
static struct fx_head req, rsp;
static struct front *fe;
static struct back *be[3];
static char sent[20000]; /* what the client got: head fields and body */

/* ---- a client side that notes what it is given ---- */

static int note_tx(struct side *s, struct hmsg *head, const struct tx_frame *f, const struct iovec *v, int n, bool end)
{
        size_t at = 0;

        (void)s;
        (void)f;
        assert_true(end);
        at += (size_t)snprintf(sent, sizeof(sent), "%d", head->status);
        for (int i = hmsg_next(head, 0); i >= 0; i = hmsg_next(head, i + 1))
                at += (size_t)snprintf(sent + at, sizeof(sent) - at, "|%.*s: %.*s", (int)hmsg_name(head, i).n,
                                       hmsg_name(head, i).p, (int)hmsg_value(head, i).n, hmsg_value(head, i).p);
        for (int i = 0; i < n; i++)
                at += (size_t)snprintf(sent + at, sizeof(sent) - at, "|%.*s", (int)v[i].iov_len, (char *)v[i].iov_base);
        return MSG_OK;
}

static void note_free(struct side *s)
{
        (void)s;
}

static int note_body(struct side *s, struct iovec *v, int *n, size_t max)
{
        (void)s;
        (void)v;
        (void)n;
        (void)max;
        return MSG_WAIT;
}

static const struct mux_ops note_ops = { .name = "H1", .rx_head_free = note_free, .rx_body = note_body, .tx = note_tx };

static int setup(void **st)
{
        static const char *const names[] = { "b", "api", "img" };

        (void)st;
        fx_thread();
        kw_boot();
        hook_boot();
        cell_column_size(CELL_FRONT, sizeof(struct front_col));
        cell_column_size(CELL_BACK, sizeof(struct back_col));
        list_init(&world.fronts);
        list_init(&world.backs);
        fe = front_new(STR("f"), ORIGIN_FILE);
        for (int i = 0; i < 3; i++) {
                be[i] = back_new(str_of(names[i]), ORIGIN_FILE);
                list_push(&world.backs, &be[i]->link);
        }
        world_names_publish();
        return 0;
}

static int teardown(void **st)
{
        (void)st;
        thr_free(thr_self);
        thr_self = NULL;
        return 0;
}

#define PRELUDE                                                                                                        \
        "defaults\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n"                          \
        "backend b\nbackend api\nbackend img\n"

static struct fx_conf *load(const char *rules)
{
        char text[8192];

        (void)snprintf(text, sizeof(text), PRELUDE "frontend f\n%s", rules);
        return fx_load(text);
}

/* The first line of what the load said, without the prefix; "" when it went well. */
static const char *said(const char *rules)
{
        static char out[1024];
        struct fx_conf *c = load(rules);
        const char *at = strstr(c->text.p, "[ALERT]"), *end;

        out[0] = '\0';
        if (at && (at = strstr(at, "parsing ")) != NULL) {
                at = strstr(at, " : ");
                end = strchr(at, '\n');
                (void)snprintf(out, sizeof(out), "%.*s", (int)(end - at - 3), at + 3);
        } else if (!c->c) {
                (void)snprintf(out, sizeof(out), "?%s", c->text.p);
        }
        fx_unload(c);
        return out;
}

/* Each of these lines is refused, and what is said holds this text. */
static void each_is_refused(const char *const t[][2], size_t n)
{
        char rules[256];

        for (size_t i = 0; i < n; i++) {
                const char *got;

                (void)snprintf(rules, sizeof(rules), " %s\n", t[i][0]);
                got = said(rules);
                if (!strstr(got, t[i][1]))
                        fail_msg("%s: got '%s'", t[i][0], got);
        }
}

static void request_is(const char *head)
{
        fx_stream_init(&fs, NULL);
        assert_true(fx_head(&req, head, false));
        fs.s.req = &req.m;
        fs.s.front = fe;
        fs.s.back = NULL;
        fs.s.bcfg = NULL;
        fs.s.srv = NULL;
        fs.s.status = 0;
        fs.s.cl.ops = &note_ops;
        fs.s.sv.ops = &note_ops;
        fs.s.step = STRM_ROUTE;
        sent[0] = '\0';
}

static enum hook_answer run(struct fx_conf *c, enum hook_point p)
{
        const struct hook_set *h = hook_compile(c->c, conf_find(c->c, KIND_FRONTEND, STR("f")), true);
        enum hook_answer a = HOOK_NEXT;
        struct front_cfg cfg = { .px = &fs.px, .obj = conf_find(c->c, KIND_FRONTEND, STR("f")), .conf = c->c };
        struct back_cfg *back = fs.s.bcfg;

        fs.s.fcfg = &cfg; /* error pages are the proxy's */
        fs.s.bcfg = NULL;
        for (int i = 0; i < h->n[p] && a == HOOK_NEXT; i++)
                a = h->at[p][i].hook->run(&fs.s, h->at[p][i].arg, true);
        fs.s.fcfg = &fs.fcfg;
        fs.s.bcfg = back;
        return a;
}

#define GET(path, host) "GET " path " HTTP/1.1\r\nHost: " host "\r\nX-L: a, bc ,d\r\n\r\n"

static const char *field(const struct hmsg *m, const char *name)
{
        static char out[1024];
        size_t n = 0;

        out[0] = '\0';
        for (int i = hmsg_next(m, 0); i >= 0; i = hmsg_next(m, i + 1)) {
                if (str_is(hmsg_name(m, i), name))
                        n += (size_t)snprintf(out + n, sizeof(out) - n, "[%.*s]", (int)hmsg_value(m, i).n,
                                              hmsg_value(m, i).p);
        }
        return out;
}

#endif
