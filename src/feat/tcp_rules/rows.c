/* feat/tcp_rules/rows.c - `tcp-request` and `tcp-response`: the keywords, and the hooks that run their rules (manual 4.2).
 *
 * connection and session rules run at accept, before there is a stream. content rules run on the stream before everything else of its
 * proxy, again whenever more has come while a rule waits for it, and with what there is when inspect-delay ends. */
#include "conf/conf.h"
#include "core/content.h"
#include "core/kinds.h"
#include "core/rules.h"

struct tcp_rules_cfg { /* slot "tcp_rules" */
        const struct rule_line *connection, *session, *request, *response;
        int request_ms, response_ms; /* inspect-delay; 0: none */
};
extern int tcp_rules_slot;

#define AT_REQUEST (EXPR_AT_CONTENT | EXPR_AT_REQUEST)
#define AT_ANSWER  (EXPR_AT_ANSWER | EXPR_AT_RESPONSE)

/* ---- keywords ---- */

static int connection_parse(struct kw_call *c)
{
        return rules_parse(c, RULE_TCP_CONN, EXPR_AT_TCP, &((struct tcp_rules_cfg *)c->slot)->connection);
}

static void connection_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        rules_dump(kw->name, ((const struct tcp_rules_cfg *)slot)->connection, out);
}

static int session_parse(struct kw_call *c)
{
        return rules_parse(c, RULE_TCP_SESS, EXPR_AT_TCP, &((struct tcp_rules_cfg *)c->slot)->session);
}

static void session_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        rules_dump(kw->name, ((const struct tcp_rules_cfg *)slot)->session, out);
}

static int request_parse(struct kw_call *c)
{
        return rules_parse(c, RULE_TCP_REQUEST, AT_REQUEST, &((struct tcp_rules_cfg *)c->slot)->request);
}

static void request_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        rules_dump(kw->name, ((const struct tcp_rules_cfg *)slot)->request, out);
}

static int response_parse(struct kw_call *c)
{
        return rules_parse(c, RULE_TCP_RESPONSE, AT_ANSWER, &((struct tcp_rules_cfg *)c->slot)->response);
}

static void response_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        rules_dump(kw->name, ((const struct tcp_rules_cfg *)slot)->response, out);
}

#define RULE_ARGS "<action> [options...] [ { if | unless } <condition> ]"
#define BACK_SIDE (KIND_DEFAULTS | KIND_BE)

static const struct kw rows[] = {
        KW_FN("tcp-request connection", connection_parse, connection_dump, .kinds = KIND_DEFAULTS | KIND_FE,
              .manual = "4.2", .apply = KW_NEW, .in_defaults = KW_DEFAULTS_RULES, .args = RULE_ARGS,
              .sample = "reject if { src 192.0.2.1 }",
              .help = "A rule for connections just accepted, before anything is read or logged."),
        KW_FN("tcp-request session", session_parse, session_dump, .kinds = KIND_DEFAULTS | KIND_FE, .manual = "4.2",
              .apply = KW_NEW, .in_defaults = KW_DEFAULTS_RULES, .args = RULE_ARGS,
              .sample = "reject if { src 192.0.2.1 }",
              .help = "A rule for connections that passed the connection rules and become a session."),
        KW_FN("tcp-request content", request_parse, request_dump, .manual = "4.2", .apply = KW_NEW,
              .in_defaults = KW_DEFAULTS_RULES, .args = RULE_ARGS, .sample = "reject if FALSE",
              .help = "A rule for what a client says first; it may wait for more until inspect-delay ends."),
        KW_TIME("tcp-request inspect-delay", struct tcp_rules_cfg, request_ms, .manual = "4.2", .apply = KW_NEW,
                .in_defaults = KW_DEFAULTS_NAMED,
                .help = "How long content rules may wait for the client to say more; without it they judge what is there."),
        KW_FN("tcp-response content", response_parse, response_dump, .kinds = BACK_SIDE, .manual = "4.2",
              .apply = KW_NEW, .in_defaults = KW_DEFAULTS_RULES, .args = RULE_ARGS, .sample = "reject if FALSE",
              .help = "A rule for what a server says first; it may wait for more until inspect-delay ends."),
        KW_TIME("tcp-response inspect-delay", struct tcp_rules_cfg, response_ms, .kinds = BACK_SIDE, .manual = "4.2",
                .apply = KW_NEW, .in_defaults = KW_DEFAULTS_NAMED,
                .help = "How long content rules may wait for the server to say more."),
};

/* ---- what would happen by chance ---- */

static bool needs_contents(const struct rule_line *l, unsigned what)
{
        for (; l; l = l->prev)
                if (l->rule.cond && (cond_needs(l->rule.cond) & what))
                        return true;
        return false;
}

static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const unsigned contents = EXPR_REQ_BYTES | EXPR_REQ_HEAD | EXPR_RSP_BYTES | EXPR_RSP_HEAD;
        const struct tcp_rules_cfg *cfg = slot;
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);

        (void)c;
        if (o->kind->bit & KIND_DEFAULTS)
                return;
        if (o->kind->bit == KIND_BACKEND && (cfg->connection || cfg->session))
                (void)diag_add(
                        d, DIAG_ALERT, o->at, "E0745",
                        "'%s' cannot inherit from a defaults section with 'tcp-request %s' rules: a backend accepts no "
                        "connections.",
                        o->name, cfg->connection ? "connection" : "session");
        if (!px || px->mode == PX_HTTP)
                return;
        if (!cfg->request_ms && needs_contents(cfg->request, contents))
                (void)diag_add(d, DIAG_WARNING, conf_span_name(o, "tcp-request content"), "W0745",
                               "'%s' : a 'tcp-request content' rule depends on contents without any 'tcp-request "
                               "inspect-delay': whether it finds them is left to chance.",
                               o->name);
        if (!cfg->response_ms && needs_contents(cfg->response, contents))
                (void)diag_add(d, DIAG_WARNING, conf_span_name(o, "tcp-response content"), "W0745",
                               "'%s' : a 'tcp-response content' rule depends on contents without any 'tcp-response "
                               "inspect-delay': whether it finds them is left to chance.",
                               o->name);
}

KW_TABLE(tcp_rules, KIND_PROXY, struct tcp_rules_cfg, rows, .check = check);

/* ---- connections and sessions ---- */

static const void *connection_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct tcp_rules_cfg *cfg = conf_slot(o, tcp_rules_slot);

        return as_front && cfg ? rules_compile(c, cfg->connection) : NULL;
}

static const void *session_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct tcp_rules_cfg *cfg = conf_slot(o, tcp_rules_slot);

        return as_front && cfg ? rules_compile(c, cfg->session) : NULL;
}

static bool passes(struct sess *s, const struct rules *r, enum rule_point p)
{
        struct rule_ctx x = { .x = { .sess = s, .have = EXPR_AT_TCP, .final = true }, .point = p, .as_front = true };

        switch (rules_run(r, &x)) {
        case RULE_NEXT:
        case RULE_STOP: return true;
        case RULE_WAIT: /* nothing can wait here */
        case RULE_TAKEN:
        case RULE_CLOSE: break;
        }
        return false;
}

static bool connection_admit(struct sess *s, const void *arg)
{
        return passes(s, arg, RULE_TCP_CONN);
}

static bool session_admit(struct sess *s, const void *arg)
{
        return passes(s, arg, RULE_TCP_SESS);
}

static const struct hook connection_hook = { .name = "tcp-request connection",
                                             .rank = 5,
                                             .point = HOOK_CONN,
                                             .applies = connection_applies,
                                             .admit = connection_admit };
HOOK(connection_hook);
static const struct hook session_hook = {
        .name = "tcp-request session", .rank = 5, .point = HOOK_SESS, .applies = session_applies, .admit = session_admit
};
HOOK(session_hook);

/* ---- contents ---- */

struct content_use {
        const struct rules *rules;
        int delay_ms;
};

static const void *use_of(struct conf *c, const struct rule_line *l, int ms)
{
        struct content_use *u = l ? conf_alloc(c, sizeof(*u)) : NULL;

        if (u)
                *u = (struct content_use){ rules_compile(c, l), ms };
        return u;
}

static const void *request_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct tcp_rules_cfg *cfg = conf_slot(o, tcp_rules_slot);

        (void)as_front;
        return cfg ? use_of(c, cfg->request, cfg->request_ms) : NULL;
}

static const void *response_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct tcp_rules_cfg *cfg = conf_slot(o, tcp_rules_slot);

        return cfg && !as_front ? use_of(c, cfg->response, cfg->response_ms) : NULL;
}

/* In mode tcp with no answer to give, an action that took the stream ended it. */
static enum hook_answer to_hook(struct strm *s, enum rule_answer a)
{
        if (a == RULE_WAIT)
                return HOOK_WAIT;
        strm_wait_done(s);
        return a == RULE_CLOSE ? HOOK_CLOSE : a == RULE_TAKEN ? HOOK_TAKEN : HOOK_NEXT;
}

static enum hook_answer run_content(struct strm *s, const struct content_use *u, struct rule_ctx *x)
{
        enum content_of of = x->point == RULE_TCP_REQUEST ? CONTENT_REQUEST : CONTENT_ANSWER;
        struct content_head h = { .box = NULL };
        enum rule_answer a;

        x->x.final = content_is_final(s, of, u->delay_ms);
        if (!s->http)
                content_head(&h, s, of, &x->x);
        a = rules_run(u->rules, x);
        content_head_done(&h);
        return to_hook(s, a);
}

static enum hook_answer request_run(struct strm *s, const void *arg, bool as_front)
{
        struct rule_ctx x = { .strm = s,
                              .msg = s->req,
                              .x = { .strm = s,
                                     .sess = s->sess,
                                     .req = s->req,
                                     .have = s->http ? AT_REQUEST : EXPR_AT_CONTENT,
                                     .never = s->http ? EXPR_REQ_BYTES : EXPR_REQ_BODY },
                              .point = RULE_TCP_REQUEST,
                              .as_front = as_front };

        return !as_front && hook_same_proxy(s) ? HOOK_NEXT : run_content(s, arg, &x);
}

static enum hook_answer response_run(struct strm *s, const void *arg, bool as_front)
{
        struct rule_ctx x = { .strm = s,
                              .msg = s->rsp,
                              .x = { .strm = s,
                                     .sess = s->sess,
                                     .rsp = s->rsp,
                                     .have = s->http ? AT_ANSWER : EXPR_AT_ANSWER,
                                     .never = s->http ? EXPR_RSP_BYTES : EXPR_RSP_BODY },
                              .point = RULE_TCP_RESPONSE,
                              .as_front = as_front };

        return run_content(s, arg, &x);
}

static const struct hook request_hook = {
        .name = "tcp-request content", .rank = 5, .point = HOOK_REQUEST, .applies = request_applies, .run = request_run
};
HOOK(request_hook);
static const struct hook response_hook = { .name = "tcp-response content",
                                           .rank = 5,
                                           .point = HOOK_RESPONSE,
                                           .applies = response_applies,
                                           .run = response_run };
HOOK(response_hook);
