/* feat/capture/show.c - what was captured: in the log (%hr %hs %hrl %hsl %CC %CS) and as samples (manual 7.3.6, 8.2.6). */
#include "core/kinds.h"
#include "core/log.h"
#include "core/logfmt.h"
#include "core/put.h"
#include "feat/capture/capture.h"

/* ---- log ---- */

struct out {
        char *p;
        const char *end;
        unsigned flags;
};

static void put(struct out *o, struct str s)
{
        if (s.n)
                o->p = put_bytes(o->p, o->end, s.p, s.n);
}

/* Bytes that would end the field, or act on a terminal, become #XX (manual 8.6). */
static void put_field(struct out *o, struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                unsigned char c = (unsigned char)s.p[i];

                if (c >= 0x20 && c < 0x7f && !strchr("\"#{|}", c)) {
                        if (o->flags & LOGFMT_ESCAPE && (c == '\\' || c == ']'))
                                put(o, STR("\\"));
                        put(o, str_sub(s, i, 1));
                } else if (o->end - o->p >= 3) {
                        *o->p++ = '#';
                        o->p = put_hex(o->p, o->end, c, 2);
                }
        }
}

static struct str text_of(const struct strm *s, unsigned side, uint32_t i)
{
        const struct captured *k = captured_get(s);

        return k ? (struct str){ k->v[side][i].p, k->v[side][i].n } : (struct str){ NULL, 0 };
}

static size_t print_braces(const struct log_view *v, unsigned side, unsigned flags, char *dst, size_t n)
{
        const struct capture_cfg *cfg = capture_cfg_of(v->strm);
        struct out o = { dst, dst + n, flags };

        if (!cfg || !cfg->n[side] || (v->strm->http && !v->strm->t.request))
                return 0; /* no HTTP request: nothing to capture, not nothing captured */
        put(&o, flags & LOGFMT_QUOTE ? STR("\"{") : STR("{"));
        for (uint32_t i = 0; i < cfg->n[side]; i++) {
                if (i)
                        put(&o, STR("|"));
                put_field(&o, text_of(v->strm, side, i));
        }
        put(&o, flags & LOGFMT_QUOTE ? STR("}\"") : STR("}"));
        return (size_t)(o.p - dst);
}

static size_t print_list(const struct log_view *v, unsigned side, unsigned flags, char *dst, size_t n)
{
        const struct capture_cfg *cfg = capture_cfg_of(v->strm);
        struct str quote = flags & LOGFMT_QUOTE ? STR("\"") : STR("");
        struct out o = { dst, dst + n, flags };

        for (uint32_t i = 0; cfg && i < cfg->n[side]; i++) {
                struct str t = text_of(v->strm, side, i);

                if (i)
                        put(&o, STR(" "));
                put(&o, quote);
                if (!t.p && !quote.n)
                        put(&o, STR("-"));
                put_field(&o, t);
                put(&o, quote);
        }
        return (size_t)(o.p - dst);
}

/* Its bytes are those of a field value; those that could act on a terminal become #XX. */
static size_t print_cookie(const struct log_view *v, unsigned side, char *dst, size_t n)
{
        const struct captured *k = captured_get(v->strm);
        struct out o = { dst, dst + n, 0 };

        for (uint32_t i = 0; k && i < k->cookie[side].n; i++) {
                struct str one = { k->cookie[side].p + i, 1 };

                if ((unsigned char)*one.p < 0x20 || *one.p == 0x7f)
                        put_field(&o, one);
                else
                        put(&o, one);
        }
        return (size_t)(o.p - dst);
}

#define ALIAS(fn, print)                                                                                               \
        static size_t fn(struct log_view *v, unsigned flags, char *dst, size_t n)                                      \
        {                                                                                                              \
                (void)flags;                                                                                           \
                return print;                                                                                          \
        }

ALIAS(hr, print_braces(v, CAPTURE_REQ, flags, dst, n))
ALIAS(hs, print_braces(v, CAPTURE_RES, flags, dst, n))
ALIAS(hrl, print_list(v, CAPTURE_REQ, flags, dst, n))
ALIAS(hsl, print_list(v, CAPTURE_RES, flags, dst, n))
ALIAS(cc, print_cookie(v, CAPTURE_REQ, dst, n))
ALIAS(cs, print_cookie(v, CAPTURE_RES, dst, n))

static bool made(const struct conf *c)
{
        for (const struct conf_obj *o = c->first; o; o = o->sibling) {
                const struct capture_cfg *cfg =
                        o->kind->bit & (KIND_DEFAULTS | KIND_FE) ? conf_slot(o, capture_slot) : NULL;

                if (cfg && (cfg->n[CAPTURE_REQ] || cfg->n[CAPTURE_RES] || cfg->cookie))
                        return true;
        }
        return false;
}

/* hr and its kin put their own quotes: nothing at all stands where there is no slot. */
static const struct log_alias aliases[] = {
        { .name = "CC",
          .print = cc,
          .made = made,
          .needs = EXPR_LOG,
          .string = true,
          .help = "captured request cookie" },
        { .name = "CS",
          .print = cs,
          .made = made,
          .needs = EXPR_LOG,
          .string = true,
          .help = "captured response cookie" },
        { .name = "hr",
          .print = hr,
          .made = made,
          .needs = EXPR_LOG,
          .quiet = true,
          .help = "captured request headers" },
        { .name = "hrl",
          .print = hrl,
          .made = made,
          .needs = EXPR_LOG,
          .quiet = true,
          .help = "captured request headers, list" },
        { .name = "hs",
          .print = hs,
          .made = made,
          .needs = EXPR_LOG,
          .quiet = true,
          .help = "captured response headers" },
        { .name = "hsl",
          .print = hsl,
          .made = made,
          .needs = EXPR_LOG,
          .quiet = true,
          .help = "captured response headers, list" },
};
LOG_ALIAS_TABLE(capture, aliases);

/* ---- samples ---- */

#define FETCH(fn)                                                                                                      \
        static enum expr_answer fn(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,             \
                                   struct smp *ret_smp)

static enum expr_answer give(struct str s, struct smp *ret_smp)
{
        if (!s.n)
                return EXPR_MISS;
        smp_str(ret_smp, s);
        return EXPR_OK;
}

static enum expr_answer field(const struct expr_ctx *x, unsigned side, int64_t i, struct smp *ret_smp)
{
        const struct capture_cfg *cfg = x->strm ? capture_cfg_of(x->strm) : NULL;

        if (!cfg || i < 0 || i >= cfg->n[side])
                return EXPR_MISS;
        return give(text_of(x->strm, side, (uint32_t)i), ret_smp);
}

FETCH(req_hdr)
{
        (void)n_args;
        return field(x, CAPTURE_REQ, args[0].i, ret_smp);
}

FETCH(res_hdr)
{
        (void)n_args;
        return field(x, CAPTURE_RES, args[0].i, ret_smp);
}

/* Nobody may log it, so it is asked for. */
static bool line_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        (void)c, (void)args, (void)n_args, (void)at;
        atomic_store_explicit(&log_request_asked, true, memory_order_relaxed);
        return true;
}

/* Word n of "METHOD TARGET VERSION" as it was received, cut to tune.http.logurilen. */
static struct str word_of(const struct expr_ctx *x, unsigned n)
{
        struct str line = { NULL, 0 };

        if (x->strm && x->strm->log.request)
                line = (struct str){ x->strm->log.request, x->strm->log.request_len };
        for (;;) {
                const char *sp = line.n ? memchr(line.p, ' ', line.n) : NULL;
                size_t len = sp ? (size_t)(sp - line.p) : line.n;

                if (n-- == 0)
                        return (struct str){ line.p, len };
                if (!sp)
                        return (struct str){ NULL, 0 };
                line = str_sub(line, len + 1, line.n - len - 1);
        }
}

FETCH(req_method)
{
        (void)args, (void)n_args;
        return give(word_of(x, 0), ret_smp);
}

/* From the first slash of the path on, whatever form the target has. */
FETCH(req_uri)
{
        struct str u = word_of(x, 1);
        const char *p = u.n && u.p[0] != '/' ? memmem(u.p, u.n, "://", 3) : NULL;
        size_t from = p ? (size_t)(p - u.p) + 3 : 0;

        (void)args, (void)n_args;
        p = u.n ? memchr(u.p + from, '/', u.n - from) : NULL;
        return p ? give((struct str){ p, (size_t)(u.p + u.n - p) }, ret_smp) : EXPR_MISS;
}

FETCH(req_ver)
{
        struct str v = word_of(x, 2);

        (void)args, (void)n_args;
        return str_has_prefix(v, STR("HTTP/")) ? give(v, ret_smp) : EXPR_MISS;
}

static bool res_ver_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        (void)c, (void)args, (void)n_args, (void)at;
        atomic_store_explicit(&capture_version_asked, true, memory_order_relaxed);
        return true;
}

FETCH(res_ver)
{
        const struct captured *k = x->strm ? captured_get(x->strm) : NULL;

        (void)args, (void)n_args;
        if (!k || !k->has_version)
                return EXPR_MISS;
        return give(k->minor ? STR("HTTP/1.1") : STR("HTTP/1.0"), ret_smp);
}

#define LINE_TEXT .out = SMP_STR, .needs = EXPR_REQ_LINE, .check = line_check, .manual = "7.3.6"
#define SLOT_TEXT .args = { ARG_SINT }, .min_args = 1, .out = SMP_STR, .manual = "7.3.6"

static const struct fetch fetches[] = {
        { .name = "capture.req.hdr",
          SLOT_TEXT,
          .needs = EXPR_CLIENT,
          .fn = req_hdr,
          .help = "what a slot of the request holds; 0 is the first" },
        { .name = "capture.req.method",
          LINE_TEXT,
          .fn = req_method,
          .help = "method of the request, also when its head is gone" },
        { .name = "capture.req.uri",
          LINE_TEXT,
          .fn = req_uri,
          .help = "path and query of the request as received, also when its head is gone" },
        { .name = "capture.req.ver",
          LINE_TEXT,
          .fn = req_ver,
          .help = "HTTP version of the request, also when its head is gone" },
        { .name = "capture.res.hdr",
          SLOT_TEXT,
          .needs = EXPR_STATUS,
          .fn = res_hdr,
          .help = "what a slot of the answer holds; 0 is the first" },
        { .name = "capture.res.ver",
          .out = SMP_STR,
          .needs = EXPR_CLIENT,
          .fn = res_ver,
          .check = res_ver_check,
          .manual = "7.3.6",
          .help = "HTTP version of the answer, also when its head is gone" },
};
FETCH_TABLE(capture, fetches);
