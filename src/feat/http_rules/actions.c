/* feat/http_rules/actions.c - the actions of `http-request` and `http-response` (manual 4.3, 4.4). */
#include "feat/http_rules/act.h"

#include "core/page.h"
#include "core/service.h"
#include "core/strm_priv.h"

#include <stdio.h>

/* ---- allow, deny ---- */

static enum rule_answer allow_run(const void *arg, struct rule_ctx *x)
{
        (void)arg;
        (void)x;
        return RULE_STOP;
}

int act_page(struct rule_call *c, struct page_words *w, const void **ret_arg)
{
        char before[128];
        const struct page *p;
        int took;

        (void)snprintf(before, sizeof(before), "error detected while parsing an '%s %.*s' rule : ", c->kw->kw->name,
                       (int)c->kw->args[0].text.n, c->kw->args[0].text.p);
        w->kw = c->kw;
        w->w = c->w;
        w->n = c->n;
        w->allowed = c->allowed;
        w->before = before;
        took = page_parse(w, &p);
        w->before = NULL;
        *ret_arg = p;
        return took;
}

static int deny_parse(struct rule_call *c, const void **ret_arg)
{
        struct page_words w = { .status = c->point == RULE_HTTP_REQUEST ? 403 : 502, .as_error = true };

        return act_page(c, &w, ret_arg);
}

static enum rule_answer deny_run(const void *arg, struct rule_ctx *x)
{
        struct strm *s = x->strm;
        struct px_stat *st = x->as_front ? strm_front_stat(s) : strm_back_stat(s);

        if (x->point == RULE_HTTP_REQUEST)
                STAT_INC(st->denied_req);
        else
                STAT_INC(st->denied_resp);
        strm_term(s, 'P', x->point == RULE_HTTP_REQUEST ? 'R' : 'H');
        page_send(s, arg, &x->x);
        return RULE_TAKEN;
}

/* ---- return ---- */

static int return_parse(struct rule_call *c, const void **ret_arg)
{
        struct page_words w = { .status = 200, .any_status = true };

        return act_page(c, &w, ret_arg);
}

static enum rule_answer return_run(const void *arg, struct rule_ctx *x)
{
        strm_term(x->strm, 'L', x->point == RULE_HTTP_REQUEST ? 'R' : 'H');
        STAT_INC(strm_front_stat(x->strm)->intercepted);
        page_send(x->strm, arg, &x->x);
        return RULE_TAKEN;
}

/* ---- use-service ---- */

static int service_parse(struct rule_call *c, const void **ret_arg)
{
        const struct service *found;

        if (c->n == 0)
                return rule_fail(c, NULL, "'use-service' expects a service name.");
        found = service_find(c->w[0].text);
        if (!found)
                return rule_fail(c, &c->w[0], "'%.*s' unknown service name.", (int)c->w[0].text.n, c->w[0].text.p);
        *ret_arg = found;
        return 1;
}

static enum rule_answer service_run(const void *arg, struct rule_ctx *x)
{
        if (!applet_attach(x->strm, ((const struct service *)arg)->ops))
                strm_answer(x->strm, 503);
        return RULE_TAKEN;
}

static const struct action rows[] = {
        { .name = "allow",
          .points = RULE_ON(HTTP_REQUEST) | RULE_ON(HTTP_RESPONSE) | RULE_ON(HTTP_AFTER),
          .parse = act_none_parse,
          .run = allow_run,
          .manual = "4.4",
          .help = "ends the rules of this proxy" },
        { .name = "deny",
          .points = RULE_ON(HTTP_REQUEST) | RULE_ON(HTTP_RESPONSE),
          .parse = deny_parse,
          .run = deny_run,
          .manual = "4.4",
          .args = ACT_PAGE_WORDS,
          .help = "refuses the message" },
        { .name = "return",
          .points = RULE_ON(HTTP_REQUEST) | RULE_ON(HTTP_RESPONSE),
          .parse = return_parse,
          .run = return_run,
          .manual = "4.4",
          .args = "[status <code>] [content-type <type>] [ default-errorfiles | { errorfile | errorfiles | file | lf-file | string | "
                  "lf-string } <contents> ] [ hdr <name> <fmt> ]*",
          .help = "answers with this status and content" },
        { .name = "use-service",
          .points = RULE_ON(HTTP_REQUEST),
          .parse = service_parse,
          .run = service_run,
          .manual = "4.4",
          .args = "<service>",
          .help = "lets a service of the program answer: prometheus-exporter" },
};
ACTION_TABLE(http, rows);
