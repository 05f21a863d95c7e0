/* feat/http_rules/own.c - actions that change how one stream is dealt with: limits of time, addresses, the level of its log line
 * (manual 4.4). */
#include "feat/http_rules/act.h"

#include "conf/conf.h"
#include "core/kinds.h"
#include "core/strm_own.h"

#include <limits.h>
#include <stdio.h>

/* ---- set-timeout ---- */

struct limit_arg {
        enum strm_limit limit;
        int ms;                  /* 0: of the expression */
        const struct expr *expr; /* milliseconds */
};

static const struct limit_row {
        const char *name;
        unsigned kinds; /* of proxies that have such a limit */
        const char *side;
} limits[STRM_LIMITS] = {
        [STRM_CLIENT_MS] = { "client", KIND_FE, "frontend" },   [STRM_CONNECT_MS] = { "connect", KIND_BE, "backend" },
        [STRM_QUEUE_MS] = { "queue", KIND_BE, "backend" },      [STRM_SERVER_MS] = { "server", KIND_BE, "backend" },
        [STRM_TARPIT_MS] = { "tarpit", KIND_FE | KIND_BE, "" }, [STRM_TUNNEL_MS] = { "tunnel", KIND_BE, "backend" },
};

static bool take_limit(struct rule_call *c, enum strm_limit *ret_limit)
{
        struct str w = c->w[0].text;

        for (unsigned i = 0; i < STRM_LIMITS; i++) {
                if (!str_is(w, limits[i].name))
                        continue;
                *ret_limit = (enum strm_limit)i;
                if (c->kw->obj->kind->bit & (limits[i].kinds | KIND_DEFAULTS))
                        return true;
                (void)rule_fail(c, &c->w[0], "'%s' has no %s capability", c->kw->obj->name, limits[i].side);
                return false;
        }
        (void)rule_fail(
                c, &c->w[0],
                "'set-timeout' rule supports 'client'/'connect'/'queue'/'server'/'tarpit'/'tunnel' (got '%.*s')",
                (int)w.n, w.p);
        return false;
}

int act_time(struct rule_call *c, const struct word *w, int *ret_ms, const struct expr **ret_expr)
{
        *ret_expr = NULL;
        if (w->text.n && w->text.p[0] >= '0' && w->text.p[0] <= '9')
                return kw_arg_time(c->kw, w, false, ret_ms) ? 0 : -1;
        *ret_ms = 0;
        return act_expr(c, w, SMP_SINT, ret_expr) ? 0 : -1;
}

static int limit_parse(struct rule_call *c, const void **ret_arg)
{
        struct limit_arg *a = conf_alloc(c->kw->conf, sizeof(*a));

        *ret_arg = a;
        if (c->n != 2)
                return rule_fail(c, NULL, "expects exactly 2 arguments");
        if (!take_limit(c, &a->limit) || act_time(c, &c->w[1], &a->ms, &a->expr) < 0)
                return -1;
        if (a->ms == 0 && !a->expr)
                return rule_fail(c, &c->w[1], "null value is not valid for a 'set-timeout %s' rule",
                                 limits[a->limit].name);
        return 2;
}

/* Without a number above 0 the rule has no effect. */
static enum rule_answer limit_run(const void *arg, struct rule_ctx *x)
{
        const struct limit_arg *a = arg;
        struct strm_own *o;
        int64_t ms = a->ms;

        if (a->expr && !act_int(a->expr, x, &ms))
                return RULE_NEXT;
        if (ms > 0 && ms <= INT_MAX && (o = strm_own_of(x->strm)) != NULL)
                o->ms[a->limit] = (int)ms;
        return RULE_NEXT;
}

/* ---- set-log-level ---- */

static int level_parse(struct rule_call *c, const void **ret_arg)
{
        static const char *const names[] = { "emerg",  "alert", "crit",  "err",   "warning",
                                             "notice", "info",  "debug", "silent" };
        static const uint8_t numbers[] = { 1, 2, 3, 4, 5, 6, 7, 8, STRM_LEVEL_SILENT };

        for (unsigned i = 0; c->n == 1 && i < array_len(names); i++) {
                if (str_is(c->w[0].text, names[i])) {
                        *ret_arg = &numbers[i];
                        return 1;
                }
        }
        return rule_fail(c, c->n ? &c->w[0] : NULL, "expects exactly 1 argument (log level name or 'silent')");
}

static enum rule_answer level_run(const void *arg, struct rule_ctx *x)
{
        struct strm_own *o = strm_own_of(x->strm);

        if (o)
                o->level = *(const uint8_t *)arg;
        return RULE_NEXT;
}

/* ---- set-src, set-src-port, set-dst, set-dst-port ---- */

static int take_addr(struct rule_call *c, const void **ret_arg)
{
        const struct expr *e;

        if (c->n < 1)
                return rule_fail(c, NULL, "missing fetch method");
        *ret_arg = act_expr(c, &c->w[0], SMP_ADDR, &e) ? e : NULL;
        return *ret_arg ? 1 : -1;
}

static int take_port(struct rule_call *c, const void **ret_arg)
{
        const struct expr *e;

        if (c->n < 1)
                return rule_fail(c, NULL, "missing fetch method");
        *ret_arg = act_expr(c, &c->w[0], SMP_SINT, &e) ? e : NULL;
        return *ret_arg ? 1 : -1;
}

/* The address that this rule changes: the stream's own from now on, or the connection's while there is no stream. NULL: no memory. */
static struct addr *own_src(struct rule_ctx *x)
{
        struct strm_own *o;

        if (x->point == RULE_TCP_SESS && !sess_keep_fc(x->x.sess))
                return NULL;
        if (!x->strm)
                return &x->x.sess->src;
        o = strm_own_of(x->strm);
        if (!o)
                return NULL;
        if (!o->has_src)
                o->src = x->strm->sess->src;
        o->has_src = true;
        return &o->src;
}

static struct addr *own_dst(struct rule_ctx *x)
{
        struct strm_own *o;

        if (x->point == RULE_TCP_SESS && !sess_keep_fc(x->x.sess))
                return NULL;
        if (!x->strm)
                (void)sess_dst(x->x.sess); /* makes it */
        if (!x->strm)
                return x->x.sess->more ? &x->x.sess->more->dst : NULL;
        o = strm_own_of(x->strm);
        if (!o)
                return NULL;
        if (!o->has_dst)
                o->dst = *sess_dst(x->strm->sess);
        o->has_dst = true;
        return &o->dst;
}

static bool is_inet(const struct addr *a)
{
        return a->sa.sa_family == AF_INET || a->sa.sa_family == AF_INET6;
}

/* Manual: the port stays where the address had one, else it is 0. */
static enum rule_answer put_addr(const struct expr *e, struct rule_ctx *x, struct addr *(*own)(struct rule_ctx *x))
{
        struct smp v;
        struct addr *a;
        int port;

        if (expr_run(e, &x->x, &v) != EXPR_OK || (v.type != SMP_IPV4 && v.type != SMP_IPV6))
                return RULE_NEXT;
        a = own(x);
        if (!a)
                return RULE_NEXT;
        port = is_inet(a) ? addr_port(a) : 0;
        *a = (struct addr){ 0 };
        a->sa.sa_family = v.type == SMP_IPV4 ? AF_INET : AF_INET6;
        if (v.type == SMP_IPV4)
                a->in.sin_addr = v.ip4;
        else
                a->in6.sin6_addr = v.ip6;
        addr_set_port(a, port);
        return RULE_NEXT;
}

/* Manual: the address stays where it has ports, else it is 0.0.0.0. */
static enum rule_answer put_port(const struct expr *e, struct rule_ctx *x, struct addr *(*own)(struct rule_ctx *x))
{
        struct addr *a;
        int64_t v;

        if (!act_int(e, x, &v) || v < 0 || v > 65535)
                return RULE_NEXT;
        a = own(x);
        if (!a)
                return RULE_NEXT;
        if (!is_inet(a))
                *a = (struct addr){ .in = { .sin_family = AF_INET } };
        addr_set_port(a, (int)v);
        return RULE_NEXT;
}

static enum rule_answer src_run(const void *arg, struct rule_ctx *x)
{
        return put_addr(arg, x, own_src);
}

static enum rule_answer src_port_run(const void *arg, struct rule_ctx *x)
{
        return put_port(arg, x, own_src);
}

static enum rule_answer dst_run(const void *arg, struct rule_ctx *x)
{
        return put_addr(arg, x, own_dst);
}

static enum rule_answer dst_port_run(const void *arg, struct rule_ctx *x)
{
        return put_port(arg, x, own_dst);
}

/* ---- set-nice ---- */

static int nice_parse(struct rule_call *c, const void **ret_arg)
{
        (void)ret_arg;
        if (c->n != 1)
                return rule_fail(c, NULL, "expects exactly 1 argument (integer value)");
        (void)kw_warn(c->kw, &c->w[0], "W0747",
                      "'set-nice' has no effect: every stream of a thread gets its turn, none is put before another.");
        return 1;
}

static enum rule_answer nice_run(const void *arg, struct rule_ctx *x)
{
        (void)arg;
        (void)x;
        return RULE_NEXT;
}

#define ROW(n, at, p, r, a, h)                                                                                         \
        {                                                                                                              \
                .name = n, .points = at, .parse = p, .run = r, .manual = "4.4", .args = a, .help = h                   \
        }

static const struct action rows[] = {
        ROW("set-timeout", ACT_MESSAGES, limit_parse, limit_run,
            "{ client | connect | queue | server | tarpit | tunnel } { <time> | <expr> }",
            "another limit of time for this stream"),
        ROW("set-log-level", RULE_ON_STREAMS, level_parse, level_run, "{ <level> | silent }",
            "the level of this stream's log line, or no line"),
        ROW("set-src", RULE_ON_REQUESTS, take_addr, src_run, "<expr>",
            "another source address, for all that asks for it"),
        ROW("set-src-port", RULE_ON_REQUESTS, take_port, src_port_run, "<expr>", "another source port"),
        ROW("set-dst", RULE_ON_REQUESTS, take_addr, dst_run, "<expr>", "another destination address"),
        ROW("set-dst-port", RULE_ON_REQUESTS, take_port, dst_port_run, "<expr>", "another destination port"),
        ROW("set-nice", RULE_ON(TCP_REQUEST) | RULE_ON(TCP_RESPONSE) | ACT_MESSAGES, nice_parse, nice_run, "<nice>",
            "has no effect here, and says so"),
};
ACTION_TABLE(http_own, rows);
