/* feat/http_rules/rows.c - `http-request` and `http-response`: the keywords, and the hooks that run their rules (manual 4.2). */
#include "conf/conf.h"
#include "core/kinds.h"
#include "core/rules.h"

struct http_rules_cfg { /* slot "http_rules" */
        const struct rule_line *request, *response;
};
extern int http_rules_slot;

static int request_parse(struct kw_call *c)
{
        struct http_rules_cfg *cfg = c->slot;

        return rules_parse(c, RULE_HTTP_REQUEST, EXPR_AT_REQUEST, &cfg->request);
}

static void request_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        rules_dump(kw->name, ((const struct http_rules_cfg *)slot)->request, out);
}

static int response_parse(struct kw_call *c)
{
        struct http_rules_cfg *cfg = c->slot;

        return rules_parse(c, RULE_HTTP_RESPONSE, EXPR_AT_RESPONSE, &cfg->response);
}

static void response_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        rules_dump(kw->name, ((const struct http_rules_cfg *)slot)->response, out);
}

static const struct kw rows[] = {
        KW_FN("http-request", request_parse, request_dump, .manual = "4.2", .apply = KW_NEW,
              .in_defaults = KW_DEFAULTS_RULES, .args = "<action> [options...] [ { if | unless } <condition> ]",
              .sample = "deny deny_status 400 if TRUE", .help = "A rule for requests."),
        KW_FN("http-response", response_parse, response_dump, .manual = "4.2", .apply = KW_NEW,
              .in_defaults = KW_DEFAULTS_RULES, .args = "<action> [options...] [ { if | unless } <condition> ]",
              .sample = "set-header x-a %[status] if TRUE", .help = "A rule for answers."),
};

/* HAProxy says it too: rules of a proxy that is not in mode http would be passed over in silence. */
static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct http_rules_cfg *cfg = slot;
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);

        (void)c;
        if ((o->kind->bit & KIND_DEFAULTS) || !px || px->mode == PX_HTTP || (!cfg->request && !cfg->response))
                return;
        (void)diag_add(d, DIAG_WARNING, conf_span_name(o, cfg->request ? "http-request" : "http-response"), "W0740",
                       "'%s' rules ignored for proxy '%s' as they require HTTP mode.",
                       cfg->request ? "http-request" : "http-response", o->name);
}

KW_TABLE(http_rules, KIND_PROXY, struct http_rules_cfg, rows, .check = check);

/* ---- hooks ---- */

static const void *request_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct http_rules_cfg *cfg = conf_slot(o, http_rules_slot);
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);

        /* A listen section is one proxy: its rules run once, on its front side. */
        if (!cfg || !px || px->mode != PX_HTTP || (!as_front && o->kind->bit == KIND_LISTEN))
                return NULL;
        return rules_compile(c, cfg->request);
}

static const void *response_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct http_rules_cfg *cfg = conf_slot(o, http_rules_slot);
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);

        if (!cfg || !px || px->mode != PX_HTTP || (!as_front && o->kind->bit == KIND_LISTEN))
                return NULL;
        return rules_compile(c, cfg->response);
}

static enum hook_answer to_hook(enum rule_answer a)
{
        switch (a) {
        case RULE_NEXT:
        case RULE_STOP: return HOOK_NEXT;
        case RULE_WAIT: return HOOK_WAIT;
        case RULE_TAKEN: return HOOK_TAKEN;
        case RULE_CLOSE: return HOOK_CLOSE;
        }
        return HOOK_CLOSE;
}

static enum hook_answer request_run(struct strm *s, const void *arg, bool as_front)
{
        struct rule_ctx x = {
                .strm = s,
                .msg = s->req,
                .x = { .strm = s, .sess = s->sess, .req = s->req, .have = EXPR_AT_REQUEST, .final = true },
                .point = RULE_HTTP_REQUEST,
                .as_front = as_front
        };

        return s->req ? to_hook(rules_run(arg, &x)) : HOOK_NEXT; /* a TCP frontend before an HTTP backend */
}

static enum hook_answer response_run(struct strm *s, const void *arg, bool as_front)
{
        struct rule_ctx x = { .strm = s,
                              .msg = s->rsp,
                              .x = { .strm = s,
                                     .sess = s->sess,
                                     .req = s->req,
                                     .rsp = s->rsp,
                                     .have = EXPR_AT_RESPONSE,
                                     .final = true },
                              .point = RULE_HTTP_RESPONSE,
                              .as_front = as_front };

        return s->rsp ? to_hook(rules_run(arg, &x)) : HOOK_NEXT;
}

static const struct hook request_hook = {
        .name = "http-request", .rank = 30, .point = HOOK_REQUEST, .applies = request_applies, .run = request_run
};
HOOK(request_hook);
static const struct hook response_hook = {
        .name = "http-response", .rank = 30, .point = HOOK_RESPONSE, .applies = response_applies, .run = response_run
};
HOOK(response_hook);
