/* feat/tcp_rules/expect.c - tcp-request connection expect-proxy layer4: what accept-proxy does for a whole bind line (manual 4.4). */
#include "core/rules.h"
#include "core/sess.h"

static int layer_parse(struct rule_call *c, const void **ret_arg)
{
        (void)ret_arg;
        if (c->n == 0 || !str_is(c->w[0].text, "layer4"))
                return rule_fail(c, c->n ? &c->w[0] : NULL, "'expect-proxy' only supports 'layer4'");
        return 1;
}

/* It is waited for once all rules of connections have been looked at. */
static enum rule_answer expect_run(const void *arg, struct rule_ctx *x)
{
        (void)arg;
        x->x.sess->state = SESS_HEAD;
        return RULE_NEXT;
}

static const struct action rows[] = {
        { .name = "expect-proxy",
          .points = RULE_ON(TCP_CONN),
          .parse = layer_parse,
          .run = expect_run,
          .args = "layer4",
          .manual = "4.4",
          .help = "the connection begins with the PROXY protocol's head, as with accept-proxy of a bind line" },
};
ACTION_TABLE(tcp_expect, rows);
