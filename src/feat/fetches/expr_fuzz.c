/* Sample expressions and conditions: whatever is written in a file compiles or is refused with an alert, and what compiles runs
 * within its bounds. First line: an expression; second: the words of a condition. */
#include "conf/conf.h"
#include "core/cond.h"
#include "core/kinds.h"
#include "core/fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fx_stream fs;
static struct fx_head req, rsp;

static void set_up(void)
{
        fx_thread();
        kw_boot();
        fx_stream_init(&fs, NULL);
        ASSERT(fx_head(&req, "GET http://h/a/b?x=1 HTTP/1.1\r\nHost: h\r\nX: a, \"b,c\",, d\\\r\nx:\r\n\r\n", false));
        ASSERT(fx_head(&rsp, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: y\r\n\r\n", true));
        fs.s.req = &req.m;
        fs.s.rsp = &rsp.m;
}

static struct expr_ctx everything(void)
{
        return (struct expr_ctx){ .strm = &fs.s,
                                  .sess = &fs.ss,
                                  .req = &req.m,
                                  .rsp = &rsp.m,
                                  .final = true,
                                  .have = EXPR_AT_REQUEST | EXPR_AT_RESPONSE | EXPR_AT_LOG };
}

static void one_expr(struct kw_call *c, struct str text)
{
        struct expr_ctx x = everything();
        struct smp s = { .iter = 0 };
        const struct expr *e;
        size_t used;

        e = expr_compile(c, text, NULL, x.have, &used);
        ASSERT((e != NULL) == (c->diags->n_alerts == 0));
        if (!e)
                return;
        ASSERT(used <= text.n);
        e = expr_cast(c, e, SMP_STR);
        ASSERT(e);
        if (expr_run(e, &x, &s) == EXPR_OK) {
                volatile char sum = 0; /* every byte of the result can be read */
                for (uint32_t i = 0; i < s.s.n; i++)
                        sum = (char)(sum + s.s.p[i]);
        }
}

static void one_cond(struct kw_call *c, struct str text)
{
        struct expr_ctx x = everything();
        struct word w[64];
        size_t n = 0;
        const struct cond *d;

        w[n++] = (struct word){ .text = STR("if") };
        while (text.n && n < array_len(w)) {
                const char *sp = memchr(text.p, ' ', text.n);
                size_t len = sp ? (size_t)(sp - text.p) : text.n;

                if (len)
                        w[n++] = (struct word){ .text = str_sub(text, 0, len) };
                text = str_sub(text, len + (sp != NULL), text.n - len - (sp != NULL));
        }
        d = cond_compile(c, "condition", w, n, x.have);
        if (d)
                ASSERT(cond_run(d, &x) != COND_WAIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str in = { (const char *)data, size }, first = in;
        const char *nl = size ? memchr(in.p, '\n', size) : NULL;
        struct fx_conf *conf;
        struct diags d;
        struct kw_call c;

        if (size > 1024)
                return 0;
        if (!thr_self)
                set_up();
        conf = fx_load("global\n");
        diags_init(&d);
        c = (struct kw_call){ .conf = conf->c, .diags = &d };
        if (nl)
                first.n = (size_t)(nl - in.p);
        one_expr(&c, first);
        if (nl)
                one_cond(&c, str_sub(in, first.n + 1, in.n - first.n - 1));
        diags_fini(&d);
        fx_unload(conf);
        return 0;
}
