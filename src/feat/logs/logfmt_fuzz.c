/* log-format strings: any text compiles or is refused with an alert; what compiles prints within its room, for a log line and
 * for a header alike. First byte: a quarter of the room. */
#include "conf/conf.h"
#include "core/kinds.h"
#include "core/logfmt.h"
#include "core/fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fx_stream fs;
static struct fx_head req;

static void set_up(void)
{
        fx_thread();
        kw_boot();
        world.node = (char *)"vm";
        fx_stream_init(&fs, NULL);
        fx_request(&fs, "GET /\"#\x01\xff?q HTTP/1.1");
        ASSERT(fx_head(&req, "GET /a HTTP/1.1\r\nHost: h\r\nX: a\tb\r\n\r\n", false));
}

static void one(struct kw_call *c, struct str text, unsigned place, const struct hmsg *m, size_t room)
{
        struct expr_ctx x = { .strm = &fs.s, .sess = &fs.ss, .req = m, .have = place, .final = true };
        const struct logfmt *f = logfmt_compile(c, text, NULL, place);
        char *out;
        size_t n;

        ASSERT((f != NULL) == (c->diags->n_alerts == 0));
        if (!f)
                return;
        out = malloc(room + 1);
        n = logfmt_print(f, &x, out, room);
        ASSERT(n <= room);
        free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct fx_conf *conf;

        if (size < 1 || size > 1024)
                return 0;
        if (!thr_self)
                set_up();
        conf = fx_load("global\n");
        for (int log = 0; log < 2; log++) {
                struct diags d;
                struct kw_call c = { .conf = conf->c, .diags = &d };

                diags_init(&d);
                one(&c, (struct str){ (const char *)data + 1, size - 1 }, log ? EXPR_AT_LOG : EXPR_AT_REQUEST,
                    log ? NULL : &req.m, data[0] * 4u);
                diags_fini(&d);
        }
        fx_unload(conf);
        return 0;
}
