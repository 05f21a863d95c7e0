/* feat/http_rules/body.c - `wait-for-body` of `http-request` and `http-response` (manual 4.4). */
#include "conf/conf.h"
#include "core/content.h"
#include "core/rules.h"

struct wait_arg {
        int ms;
        uint64_t least; /* bytes; 0: all of it */
};

static int time_parse(struct rule_call *c, struct wait_arg *a)
{
        if (c->n < 2 || !str_is(c->w[0].text, "time"))
                return rule_fail(c, c->n ? &c->w[0] : NULL, "missing time");
        return kw_arg_time(c->kw, &c->w[1], false, &a->ms) ? 2 : -1;
}

static int wait_parse(struct rule_call *c, const void **ret_arg)
{
        struct wait_arg *a = conf_alloc(c->kw->conf, sizeof(*a));
        int used = time_parse(c, a);

        *ret_arg = a;
        if (used < 0)
                return used;
        if (c->n > 2 && str_is(c->w[2].text, "use-large-buffer"))
                return rule_fail(c, &c->w[2], "large buffers (tune.bufsize.large) are not supported yet");
        if (c->n == 2 || !str_is(c->w[2].text, "at-least"))
                return used;
        if (c->n < 4)
                return rule_fail(c, &c->w[2], "'at-least' expects a number of bytes");
        return kw_arg_size(c->kw, &c->w[3], 0, INT64_MAX, &a->least) ? 4 : -1;
}

static enum rule_answer wait_run(const void *arg, struct rule_ctx *x)
{
        const struct wait_arg *a = arg;
        enum content_of of = x->point == RULE_HTTP_REQUEST ? CONTENT_REQUEST : CONTENT_ANSWER;

        return (enum rule_answer)content_body(x->strm, of, a->ms, (size_t)a->least);
}

static const struct action rows[] = {
        { .name = "wait-for-body",
          .points = RULE_ON(HTTP_REQUEST) | RULE_ON(HTTP_RESPONSE),
          .parse = wait_parse,
          .run = wait_run,
          .manual = "4.4",
          .args = "time <time> [ at-least <bytes> ]",
          .help = "waits until the body is here, or as much of it as asked for or as a buffer holds" },
};
ACTION_TABLE(body, rows);
