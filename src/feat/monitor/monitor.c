/* feat/monitor/monitor.c - `monitor-uri` and `monitor fail` (manual 4.2): a frontend answers by itself whoever watches it. */
#include "conf/conf.h"
#include "core/cond.h"
#include "core/hook.h"
#include "core/kinds.h"
#include "core/reply.h"

struct fail_line {
        const struct fail_line *prev;
        const struct cond *cond;
        struct words words;
};

struct monitor_cfg { /* slot "monitor": frontends; the URI may come from defaults */
        const char *uri;
        const struct fail_line *fails;
};
extern int monitor_slot;

static int fail_parse(struct kw_call *c)
{
        struct monitor_cfg *cfg = c->slot;
        struct fail_line *l;

        if (c->n_args < 1 || !cond_starts(&c->args[0])) {
                (void)kw_fail(c, NULL, "E0770",
                              "'monitor fail' requires either 'if' or 'unless' followed by a condition.");
                return -1;
        }
        l = conf_alloc(c->conf, sizeof(*l));
        l->cond = cond_compile(c, "a 'monitor fail' condition", c->args, c->n_args, EXPR_AT_REQUEST);
        if (!l->cond)
                return -1;
        words_keep(c->conf, c->args, c->n_args, &l->words);
        l->prev = cfg->fails;
        cfg->fails = l;
        return (int)c->n_args;
}

static void dump_line(const struct fail_line *l, struct buf *out)
{
        if (!l)
                return;
        dump_line(l->prev, out);
        buf_puts(out, "    monitor fail");
        words_dump(&l->words, out);
        buf_putc(out, '\n');
}

static void fail_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw;
        dump_line(((const struct monitor_cfg *)slot)->fails, out);
}

static const struct kw rows[] = {
        KW_STR("monitor-uri", struct monitor_cfg, uri, .apply = KW_NEW, .manual = "4.2", .args = "<uri>",
               .warn_kinds = KIND_BACKEND,
               .help = "This URI is answered here with 200, or 503 when a `monitor fail` holds; before all rules, and never logged."),
        KW_FN("monitor fail", fail_parse, fail_dump, .kinds = KIND_FE, .apply = KW_NEW, .manual = "4.2",
              .args = "{ if | unless } <condition>", .sample = "if FALSE",
              .help = "While it holds, `monitor-uri` is answered with 503."),
        KW_REFUSE("monitor-net",
                  "it does not exist any more. Use 'http-request return status 200 if { src <network> }'",
                  .kinds = KIND_PROXY, .manual = "4.2", .args = "<network>",
                  .help = "Answered requests from a network; removed in HAProxy 2.6."),
};

KW_TABLE(monitor, KIND_PROXY, struct monitor_cfg, rows);

static const void *applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct monitor_cfg *cfg = conf_slot(o, monitor_slot);
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);

        (void)c;
        return as_front && cfg && cfg->uri && px && px->mode == PX_HTTP ? cfg : NULL;
}

/* "failed" as soon as one condition holds: their order means nothing. */
static bool failed(const struct monitor_cfg *cfg, struct strm *s)
{
        struct expr_ctx x = { .strm = s, .sess = s->sess, .req = s->req, .have = EXPR_AT_REQUEST, .final = true };

        for (const struct fail_line *l = cfg->fails; l; l = l->prev)
                if (cond_run(l->cond, &x) == COND_TRUE)
                        return true;
        return false;
}

static enum hook_answer run(struct strm *s, const void *arg, bool as_front)
{
        const struct monitor_cfg *cfg = arg;

        (void)as_front;
        if (!s->req || !str_is(cfg->uri[0] == '/' ? hmsg_path_query(s->req) : hmsg_target(s->req), cfg->uri))
                return HOOK_NEXT;
        s->no_log = true;
        strm_answer(s, failed(cfg, s) ? 503 : 200);
        return HOOK_TAKEN;
}

static const struct hook hook = {
        .name = "monitor", .rank = 10, .point = HOOK_REQUEST, .applies = applies, .run = run
};
HOOK(hook);
