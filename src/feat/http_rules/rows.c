/* feat/http_rules/rows.c - `http-request`, `http-response` and `http-after-response`: the keywords, and the hooks that run their rules
 * (manual 4.2). */
#include "conf/conf.h"
#include "core/content.h"
#include "core/kinds.h"
#include "core/rules.h"

#include <limits.h>

struct http_rules_cfg { /* slot "http_rules" */
        const struct rule_line *request, *response, *after;
        bool buffer_request;
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

static int after_parse(struct kw_call *c)
{
        struct http_rules_cfg *cfg = c->slot;

        return rules_parse(c, RULE_HTTP_AFTER, EXPR_AT_RESPONSE, &cfg->after);
}

static void after_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        rules_dump(kw->name, ((const struct http_rules_cfg *)slot)->after, out);
}

static const struct kw rows[] = {
        KW_FN("http-request", request_parse, request_dump, .manual = "4.2", .apply = KW_NEW,
              .in_defaults = KW_DEFAULTS_RULES, .args = "<action> [options...] [ { if | unless } <condition> ]",
              .sample = "deny deny_status 400 if TRUE", .help = "A rule for requests."),
        KW_FN("http-response", response_parse, response_dump, .manual = "4.2", .apply = KW_NEW,
              .in_defaults = KW_DEFAULTS_RULES, .args = "<action> [options...] [ { if | unless } <condition> ]",
              .sample = "set-header x-a %[status] if TRUE", .help = "A rule for answers of servers."),
        KW_FN("http-after-response", after_parse, after_dump, .manual = "4.2", .apply = KW_NEW,
              .in_defaults = KW_DEFAULTS_RULES, .args = "<action> [options...] [ { if | unless } <condition> ]",
              .sample = "set-header x-a %[status] if TRUE",
              .help = "A rule for all answers, also the program's own, just before they are sent."),
        KW_FLAG("option http-buffer-request", struct http_rules_cfg, buffer_request, .manual = "4.2", .apply = KW_NEW,
                .help = "Waits for the whole body of a request, or as much as a buffer holds, before any rule runs."),
};

/* HAProxy says it too: rules of a proxy that is not in mode http would be passed over in silence. */
static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct http_rules_cfg *cfg = slot;
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);
        const char *what;

        (void)c;
        if ((o->kind->bit & KIND_DEFAULTS) || !px || px->mode == PX_HTTP ||
            !(cfg->request || cfg->response || cfg->after))
                return;
        what = cfg->request ? "http-request" : cfg->response ? "http-response" : "http-after-response";
        (void)diag_add(d, DIAG_WARNING, conf_span_name(o, what), "W0740",
                       "'%s' rules ignored for proxy '%s' as they require HTTP mode.", what, o->name);
}

KW_TABLE(http_rules, KIND_PROXY, struct http_rules_cfg, rows, .check = check);

/* ---- hooks ---- */

static const struct http_rules_cfg *cfg_of(const struct conf_obj *o)
{
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);

        return px && px->mode == PX_HTTP ? conf_slot(o, http_rules_slot) : NULL;
}

static const void *request_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct http_rules_cfg *cfg = cfg_of(o);

        (void)as_front;
        return cfg ? rules_compile(c, cfg->request) : NULL;
}

static const void *response_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct http_rules_cfg *cfg = cfg_of(o);

        (void)as_front;
        return cfg ? rules_compile(c, cfg->response) : NULL;
}

static const void *after_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct http_rules_cfg *cfg = cfg_of(o);

        (void)as_front;
        return cfg ? rules_compile(c, cfg->after) : NULL;
}

static const void *buffer_applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct http_rules_cfg *cfg = cfg_of(o);

        (void)c;
        (void)as_front;
        return cfg && cfg->buffer_request ? cfg : NULL;
}

/* A listen section is one proxy: where it is both sides of a stream its rules run once, on its front side. */
static bool ran_before(const struct strm *s, bool as_front)
{
        return !as_front && hook_same_proxy(s);
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

        if (!s->req || ran_before(s, as_front)) /* no head: a TCP frontend before an HTTP backend */
                return HOOK_NEXT;
        return to_hook(rules_run(arg, &x));
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

        if (!s->rsp || ran_before(s, as_front))
                return HOOK_NEXT;
        return to_hook(rules_run(arg, &x));
}

static enum hook_answer after_edit(struct strm *s, const void *arg, bool as_front, struct hmsg *head)
{
        struct rule_ctx x = { .strm = s,
                              .msg = head,
                              .x = { .strm = s,
                                     .sess = s->sess,
                                     .req = s->req,
                                     .rsp = head,
                                     .have = EXPR_AT_RESPONSE,
                                     .final = true },
                              .point = RULE_HTTP_AFTER,
                              .as_front = as_front };

        return ran_before(s, as_front) ? HOOK_NEXT : to_hook(rules_run(arg, &x));
}

/* The time that a request may take covers its body then (manual, timeout http-request). */
static int time_left(const struct strm *s)
{
        const struct proxy_cfg *px = s->fcfg->px;
        int ms = px->timeout.http_request ? px->timeout.http_request : px->timeout.client;
        int64_t took = mono_ms_between(s->first ? s->t.accept : s->t.idle_end, thr_self->now);

        return ms == 0 ? INT_MAX : took < ms ? ms - (int)took : 1;
}

static enum hook_answer buffer_run(struct strm *s, const void *arg, bool as_front)
{
        (void)arg;
        if (!s->req || ran_before(s, as_front))
                return HOOK_NEXT;
        return to_hook((enum rule_answer)content_body(s, CONTENT_REQUEST, time_left(s), 0));
}

static const struct hook request_hook = {
        .name = "http-request", .rank = 30, .point = HOOK_REQUEST, .applies = request_applies, .run = request_run
};
HOOK(request_hook);
static const struct hook response_hook = {
        .name = "http-response", .rank = 30, .point = HOOK_RESPONSE, .applies = response_applies, .run = response_run
};
HOOK(response_hook);
static const struct hook after_hook = {
        .name = "http-after-response", .rank = 30, .point = HOOK_AFTER, .applies = after_applies, .edit = after_edit
};
HOOK(after_hook);
static const struct hook buffer_hook = {
        .name = "http-buffer-request", .rank = 12, .point = HOOK_REQUEST, .applies = buffer_applies, .run = buffer_run
};
HOOK(buffer_hook);
