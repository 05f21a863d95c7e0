/* feat/http_rules/drop.c - actions that slow a client down or make its connection disappear, and marks of its packets (manual 4.4). */
#include "feat/http_rules/act.h"

#include "conf/conf.h"
#include "core/page.h"
#include "core/strm_own.h"
#include "core/strm_priv.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- waiting ---- */

static bool left(const struct strm *s)
{
        return (s->cl.flags & (SIDE_RESET | SIDE_PEER_GONE)) != 0;
}

/* ---- tarpit ---- */

static int tarpit_parse(struct rule_call *c, const void **ret_arg)
{
        struct page_words w = { .status = 500, .as_error = true };

        return act_page(c, &w, ret_arg);
}

static enum rule_answer tarpit_run(const void *arg, struct rule_ctx *x)
{
        struct strm *s = x->strm;
        const struct proxy_cfg *px = x->as_front ? s->fcfg->px : s->bcfg->px;
        struct px_stat *st = x->as_front ? strm_front_stat(s) : strm_back_stat(s);
        int ms = strm_limit(s, STRM_TARPIT_MS, px->timeout.tarpit ? px->timeout.tarpit : px->timeout.connect);

        if (s->term[0] == '-')
                STAT_INC(st->denied_req);
        strm_term(s, 'P', 'T');
        if (!left(s) && ms && !strm_waited(s, ms))
                return RULE_WAIT;
        strm_wait_done(s);
        page_send(s, arg, &x->x);
        return RULE_TAKEN;
}

/* ---- pause ---- */

struct pause_arg {
        int ms; /* 0: of the expression */
        const struct expr *expr;
};

static int pause_parse(struct rule_call *c, const void **ret_arg)
{
        struct pause_arg *a = conf_alloc(c->kw->conf, sizeof(*a));

        *ret_arg = a;
        if (c->n != 1)
                return rule_fail(c, NULL, "expects exactly 1 argument (a time or an expression)");
        return act_time(c, &c->w[0], &a->ms, &a->expr) < 0 ? -1 : 1;
}

static enum rule_answer pause_run(const void *arg, struct rule_ctx *x)
{
        const struct pause_arg *a = arg;
        int64_t ms = a->ms;

        /* Asked once only: it may change meanwhile. While a wait runs its length is known. */
        if (a->expr && !strm_waits(x->strm) && !act_int(a->expr, x, &ms))
                return RULE_NEXT;
        if (!strm_waits(x->strm) && (ms <= 0 || ms > INT_MAX))
                return RULE_NEXT;
        if (!left(x->strm) && !strm_waited(x->strm, (int)ms))
                return RULE_WAIT;
        strm_wait_done(x->strm);
        return RULE_NEXT;
}

/* ---- silent-drop ---- */

static int drop_parse(struct rule_call *c, const void **ret_arg)
{
        int64_t *ttl = conf_alloc(c->kw->conf, sizeof(*ttl));

        *ret_arg = ttl;
        if (c->n < 1 || !str_is(c->w[0].text, "rst-ttl"))
                return 0;
        if (c->n < 2)
                return rule_fail(c, &c->w[0], "missing rst-ttl value");
        if (!str_to_i64(c->w[1].text, ttl))
                return rule_fail(c, &c->w[1], "invalid character starting at '%.*s' (value 1-255 expected)",
                                 (int)c->w[1].text.n, c->w[1].text.p);
        if (*ttl < 1 || *ttl > 255)
                return rule_fail(c, &c->w[1], "valid rst-ttl values are [1-255]");
        return 2;
}

static bool sets(int fd, int level, int name, int value)
{
        return thr_self->sys->setopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* In repair mode the kernel says nothing when the socket is closed (tcp(7)); it takes CAP_NET_ADMIN. Else a reset that does not get far. */
static void drop(struct sess *ss, int ttl)
{
        const struct linger at_once = { .l_onoff = 1 };
        int fd = ss->wire.conn.ev.fd;

        if (ttl == 0 && sets(fd, IPPROTO_TCP, TCP_REPAIR, 1))
                return;
        if (ttl == 0)
                ttl = 1;
        (void)sets(fd, IPPROTO_IP, IP_TTL, ttl);
        if (ss->src.sa.sa_family == AF_INET6)
                (void)sets(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl);
        (void)thr_self->sys->setopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

static enum rule_answer drop_run(const void *arg, struct rule_ctx *x)
{
        struct strm *s = x->strm;
        struct sess *ss = x->x.sess;
        struct px_stat *st;

        drop(ss, (int)*(const int64_t *)arg);
        if (!s)
                return RULE_CLOSE;
        ss->wire.ep->flags |= EP_ERR; /* no FIN, no waiting for the peer */
        s->cl.flags |= SIDE_RESET | SIDE_PEER_GONE;
        st = x->as_front ? strm_front_stat(s) : strm_back_stat(s);
        if (x->point == RULE_HTTP_RESPONSE || x->point == RULE_TCP_RESPONSE)
                STAT_INC(st->denied_resp);
        else
                STAT_INC(st->denied_req);
        strm_term(s, 'P', act_phase(x));
        act_drop_answer(x);
        return RULE_CLOSE;
}

/* ---- set-fc-tos, set-fc-mark ---- */

struct number_arg {
        int64_t v;
        const struct expr *expr; /* NULL: v */
};

/* A number as C writes it, or an expression. */
static int number_parse(struct rule_call *c, const void **ret_arg)
{
        struct number_arg *a = conf_alloc(c->kw->conf, sizeof(*a));
        char text[24], *end;

        *ret_arg = a;
        if (c->n < 1)
                return rule_fail(c, NULL, "expects an argument");
        (void)snprintf(text, sizeof(text), "%.*s", (int)c->w[0].text.n, c->w[0].text.p);
        a->v = strtoll(text, &end, 0);
        if (*end == '\0' && c->w[0].text.n < sizeof(text))
                return 1;
        return act_expr(c, &c->w[0], SMP_SINT, &a->expr) ? 1 : -1;
}

static bool number(const struct number_arg *a, struct rule_ctx *x, int *ret_v)
{
        int64_t v = a->v;

        if (a->expr && !act_int(a->expr, x, &v))
                return false;
        *ret_v = (int)(uint32_t)v;
        return true;
}

static enum rule_answer tos_run(const void *arg, struct rule_ctx *x)
{
        const struct sess *ss = x->x.sess;
        int fd = ss->wire.conn.ev.fd, v;

        if (!number(arg, x, &v))
                return RULE_NEXT;
        if (ss->src.sa.sa_family == AF_INET)
                (void)sets(fd, IPPROTO_IP, IP_TOS, v & 255);
        else if (ss->src.sa.sa_family == AF_INET6)
                (void)sets(fd, IPPROTO_IPV6, IPV6_TCLASS, v & 255);
        return RULE_NEXT;
}

static enum rule_answer mark_run(const void *arg, struct rule_ctx *x)
{
        int v;

        if (number(arg, x, &v))
                (void)sets(x->x.sess->wire.conn.ev.fd, SOL_SOCKET, SO_MARK, v);
        return RULE_NEXT;
}

#define ON_CLIENT (RULE_ON_REQUESTS | RULE_ON(TCP_RESPONSE) | RULE_ON(HTTP_RESPONSE))
#define ROW(n, at, p, r, a, h)                                                                                         \
        {                                                                                                              \
                .name = n, .points = at, .parse = p, .run = r, .manual = "4.4", .args = a, .help = h                   \
        }

static const struct action rows[] = {
        ROW("tarpit", RULE_ON(HTTP_REQUEST), tarpit_parse, tarpit_run, ACT_PAGE_WORDS,
            "refuses the request after `timeout tarpit`"),
        ROW("pause", ACT_MESSAGES, pause_parse, pause_run, "{ <time> | <expr> }", "waits before the next rule"),
        ROW("silent-drop", ON_CLIENT, drop_parse, drop_run, "[ rst-ttl <ttl> ]",
            "forgets the client's connection without telling the client"),
        ROW("set-fc-tos", ON_CLIENT, number_parse, tos_run, "{ <tos> | <expr> }",
            "TOS (DSCP) of the packets to the client"),
        ROW("set-tos", ON_CLIENT, number_parse, tos_run, "{ <tos> | <expr> }", "the older name of set-fc-tos"),
        ROW("set-fc-mark", ON_CLIENT, number_parse, mark_run, "{ <mark> | <expr> }",
            "netfilter mark of the packets to the client"),
        ROW("set-mark", ON_CLIENT, number_parse, mark_run, "{ <mark> | <expr> }", "the older name of set-fc-mark"),
};
ACTION_TABLE(http_drop, rows);
