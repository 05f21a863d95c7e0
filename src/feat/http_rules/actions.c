/* feat/http_rules/actions.c - the actions of `http-request` and `http-response` (manual 4.3, 4.4). */
#include "conf/conf.h"
#include "conf/later.h"
#include "core/page.h"
#include "core/rules.h"
#include "core/service.h"
#include "core/strm_priv.h"

#include <stdio.h>

enum { VALUE_MAX = 8192 };

/* ---- allow, deny ---- */

static int none_parse(struct rule_call *c, const void **ret_arg)
{
        (void)c;
        (void)ret_arg;
        return 0;
}

static enum rule_answer allow_run(const void *arg, struct rule_ctx *x)
{
        (void)arg;
        (void)x;
        return RULE_STOP;
}

static int answer_parse(struct rule_call *c, struct page_words *w, const void **ret_arg)
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

/* The server's answer is dropped unread. */
static void drop_answer(struct rule_ctx *x)
{
        struct strm *s = x->strm;

        if (x->point != RULE_HTTP_RESPONSE)
                return;
        s->sv.ops->rx_head_free(&s->sv);
        s->rsp = NULL;
        x->x.rsp = NULL;
}

static int deny_parse(struct rule_call *c, const void **ret_arg)
{
        struct page_words w = { .status = c->point == RULE_HTTP_REQUEST ? 403 : 502, .as_error = true };

        return answer_parse(c, &w, ret_arg);
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
        drop_answer(x);
        page_send(s, arg, &x->x);
        return RULE_TAKEN;
}

/* ---- headers ---- */

struct header_arg {
        struct str name;          /* lower case */
        const struct logfmt *fmt; /* NULL: del-header */
        struct str value;         /* when the format is plain text */
};

static bool take_name(struct rule_call *c, struct str *ret_name)
{
        char *lower = conf_alloc(c->kw->conf, c->w[0].text.n + 1);

        if (!str_is_token(c->w[0].text)) {
                (void)rule_fail(c, &c->w[0], "'%.*s' is not a valid header name", (int)c->w[0].text.n, c->w[0].text.p);
                return false;
        }
        for (size_t i = 0; i < c->w[0].text.n; i++)
                lower[i] = (char)chr_lower((unsigned char)c->w[0].text.p[i]);
        *ret_name = (struct str){ lower, c->w[0].text.n };
        return true;
}

/* Text without items is made once. Empty text stays a format: it prints nothing. */
static void fold_const(struct rule_call *c, struct header_arg *a)
{
        static const struct expr_ctx nothing = { .final = true };
        char text[VALUE_MAX];
        size_t n;

        if (!logfmt_is_const(a->fmt))
                return;
        n = logfmt_print(a->fmt, &nothing, text, sizeof(text));
        a->value = str_of(conf_intern(c->kw->conf, (struct str){ text, n }));
}

static int header_parse(struct rule_call *c, const void **ret_arg)
{
        struct header_arg *a = conf_alloc(c->kw->conf, sizeof(*a));

        *ret_arg = a;
        if (c->n < 2)
                return rule_fail(c, NULL, "expects exactly 2 arguments");
        if (!take_name(c, &a->name))
                return -1;
        a->fmt = rule_format(c, &c->w[1]);
        if (!a->fmt)
                return -1;
        fold_const(c, a);
        return 2;
}

static int match_fail(struct rule_call *c)
{
        struct str name = c->n >= 3 ? c->w[2].text : STR("");
        const char *later = later_text(&c->kw->diags->mem, "matching method", "del-header", name);

        return later ? rule_fail(c, &c->w[2], "%s", later)
                     : rule_fail(c, &c->w[1], "unknown matching method '%.*s'", (int)name.n, name.p);
}

static int del_parse(struct rule_call *c, const void **ret_arg)
{
        struct header_arg *a = conf_alloc(c->kw->conf, sizeof(*a));

        *ret_arg = a;
        if (c->n < 1)
                return rule_fail(c, NULL, "expects at least 1 argument");
        if (!take_name(c, &a->name))
                return -1;
        if (c->n >= 2 && str_is(c->w[1].text, "-m")) {
                if (c->n >= 3 && str_is(c->w[2].text, "str"))
                        return 3;
                return match_fail(c);
        }
        return 1;
}

static struct str value_of(const struct header_arg *a, const struct rule_ctx *x, char *room, size_t n)
{
        struct str v = a->value;

        if (!v.p)
                v = (struct str){ room, logfmt_print(a->fmt, &x->x, room, n) };
        return str_trim(v); /* RFC 9110 5.5: no blanks around a field value */
}

/* A head that has no room left for the edit is refused rather than passed on half changed. */
static enum rule_answer after_edit(int r, struct rule_ctx *x)
{
        if (likely(r >= 0))
                return RULE_NEXT;
        strm_term(x->strm, 'P', x->point == RULE_HTTP_REQUEST ? 'R' : 'H');
        strm_answer(x->strm, x->point == RULE_HTTP_REQUEST ? 400 : 502);
        return RULE_TAKEN;
}

static enum rule_answer set_run(const void *arg, struct rule_ctx *x)
{
        const struct header_arg *a = arg;
        char room[VALUE_MAX];

        return after_edit(hmsg_set(x->msg, a->name, value_of(a, x, room, sizeof(room))), x);
}

static enum rule_answer add_run(const void *arg, struct rule_ctx *x)
{
        const struct header_arg *a = arg;
        char room[VALUE_MAX];

        return after_edit(hmsg_add(x->msg, a->name, value_of(a, x, room, sizeof(room))), x);
}

static enum rule_answer del_run(const void *arg, struct rule_ctx *x)
{
        hmsg_del_all(x->msg, ((const struct header_arg *)arg)->name);
        return RULE_NEXT;
}

/* ---- return ---- */

static int return_parse(struct rule_call *c, const void **ret_arg)
{
        struct page_words w = { .status = 200, .any_status = true };

        return answer_parse(c, &w, ret_arg);
}

static enum rule_answer return_run(const void *arg, struct rule_ctx *x)
{
        strm_term(x->strm, 'L', x->point == RULE_HTTP_REQUEST ? 'R' : 'H');
        STAT_INC(strm_front_stat(x->strm)->intercepted);
        drop_answer(x);
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
          .parse = none_parse,
          .run = allow_run,
          .manual = "4.4",
          .help = "ends the rules of this proxy" },
        { .name = "deny",
          .points = RULE_ON(HTTP_REQUEST) | RULE_ON(HTTP_RESPONSE),
          .parse = deny_parse,
          .run = deny_run,
          .manual = "4.4",
          .args = "[ { status | deny_status } <code> ] [content-type <type>] [ default-errorfiles | { errorfile | errorfiles | file | "
                  "lf-file | string | lf-string } <contents> ] [ hdr <name> <fmt> ]*",
          .help = "refuses the message" },
        { .name = "set-header",
          .points = RULE_ON(HTTP_REQUEST) | RULE_ON(HTTP_RESPONSE) | RULE_ON(HTTP_AFTER),
          .parse = header_parse,
          .run = set_run,
          .manual = "4.4",
          .args = "<name> <fmt>",
          .help = "replaces all fields of the name by one" },
        { .name = "add-header",
          .points = RULE_ON(HTTP_REQUEST) | RULE_ON(HTTP_RESPONSE) | RULE_ON(HTTP_AFTER),
          .parse = header_parse,
          .run = add_run,
          .manual = "4.4",
          .args = "<name> <fmt>",
          .help = "appends a field" },
        { .name = "del-header",
          .points = RULE_ON(HTTP_REQUEST) | RULE_ON(HTTP_RESPONSE) | RULE_ON(HTTP_AFTER),
          .parse = del_parse,
          .run = del_run,
          .manual = "4.4",
          .args = "<name> [ -m str ]",
          .help = "removes all fields of the name" },
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
