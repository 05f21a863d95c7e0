/* feat/tcp_rules/actions.c - accept, reject, close: the verdicts of `tcp-request` and `tcp-response` (manual 4.4). */
#include "conf/conf.h"
#include "core/rules.h"
#include "core/strm_priv.h"

static int none_parse(struct rule_call *c, const void **ret_arg)
{
        (void)c;
        (void)ret_arg;
        return 0;
}

static enum rule_answer accept_run(const void *arg, struct rule_ctx *x)
{
        (void)arg;
        (void)x;
        return RULE_STOP;
}

static void deny_answer(struct strm *s)
{
        struct px_stat *st[3] = { strm_front_stat(s), strm_back_stat(s), strm_srv_stat(s) };

        for (int i = 0; i < 3; i++)
                if (st[i])
                        STAT_INC(st[i]->denied_resp);
        strm_term(s, 'P', s->http ? 'H' : 'D');
}

static void deny_request(struct strm *s)
{
        STAT_INC(strm_front_stat(s)->denied_req);
        s->t.request = 0; /* the log shows it as never complete, as HAProxy's does */
        strm_term(s, 'P', 'R');
}

/* Connections and sessions are counted by who closes them (core/sess_accept.c). */
static enum rule_answer reject_run(const void *arg, struct rule_ctx *x)
{
        (void)arg;
        if (x->point == RULE_TCP_RESPONSE)
                deny_answer(x->strm);
        else if (x->strm)
                deny_request(x->strm);
        return RULE_CLOSE;
}

static enum rule_answer close_run(const void *arg, struct rule_ctx *x)
{
        (void)arg;
        (void)x;
        return RULE_CLOSE;
}

static const struct action rows[] = {
        { .name = "accept",
          .points = RULE_ON(TCP_CONN) | RULE_ON(TCP_SESS) | RULE_ON(TCP_REQUEST) | RULE_ON(TCP_RESPONSE),
          .parse = none_parse,
          .run = accept_run,
          .manual = "4.4",
          .help = "ends the rules of this kind and proxy" },
        { .name = "close",
          .points = RULE_ON(TCP_RESPONSE),
          .parse = none_parse,
          .run = close_run,
          .manual = "4.4",
          .help = "closes the connection without blaming anybody" },
        { .name = "reject",
          .points = RULE_ON(TCP_CONN) | RULE_ON(TCP_SESS) | RULE_ON(TCP_REQUEST) | RULE_ON(TCP_RESPONSE) |
                    RULE_ON(HTTP_REQUEST),
          .parse = none_parse,
          .run = reject_run,
          .manual = "4.4",
          .help = "closes the connection without an answer" },
};
ACTION_TABLE(tcp, rows);
