/* feat/fetches/payload_http.c - bodies of HTTP messages, as far as they are here (manual 7.3.6: req.body, res.body).
 *
 * They do not wait: `option http-buffer-request` and `wait-for-body` do. */
#include "core/content.h"
#include "proto/hmsg.h"

#define FETCH(fn)                                                                                                      \
        static enum expr_answer fn(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,             \
                                   struct smp *ret_smp)
#define UNUSED (void)args, (void)n_args

static bool body_of(const struct expr_ctx *x, enum content_of of, struct str *ret_in)
{
        if (!x->strm || !x->strm->http || (of == CONTENT_REQUEST ? !x->req : !x->rsp))
                return false;
        (void)content_peek(x->strm, of, SIZE_MAX, ret_in);
        return true;
}

static enum expr_answer body(const struct expr_ctx *x, enum content_of of, struct smp *ret_smp)
{
        struct str in;

        if (!body_of(x, of, &in))
                return EXPR_MISS;
        smp_str(ret_smp, in);
        ret_smp->type = SMP_BIN;
        return EXPR_OK;
}

static enum expr_answer body_len(const struct expr_ctx *x, enum content_of of, struct smp *ret_smp)
{
        struct str in;

        if (!body_of(x, of, &in))
                return EXPR_MISS;
        smp_int(ret_smp, (int64_t)in.n);
        return EXPR_OK;
}

/* What was announced, or what is here. */
static enum expr_answer body_size(const struct expr_ctx *x, enum content_of of, struct smp *ret_smp)
{
        const struct hmsg *m = of == CONTENT_REQUEST ? x->req : x->rsp;

        if (!m || m->body != HBODY_LENGTH)
                return body_len(x, of, ret_smp);
        smp_int(ret_smp, (int64_t)m->length);
        return EXPR_OK;
}

#define BOTH(f)                                                                                                        \
        FETCH(req_##f)                                                                                                 \
        {                                                                                                              \
                UNUSED;                                                                                                \
                return f(x, CONTENT_REQUEST, ret_smp);                                                                 \
        }                                                                                                              \
        FETCH(res_##f)                                                                                                 \
        {                                                                                                              \
                UNUSED;                                                                                                \
                return f(x, CONTENT_ANSWER, ret_smp);                                                                  \
        }
BOTH(body)
BOTH(body_len)
BOTH(body_size)

/* ---- parameters: a=b&c=d ---- */

static bool matches(struct str name, const struct expr_arg *args, unsigned n_args)
{
        struct str want = n_args > 0 ? (struct str){ args[0].s, args[0].n } : STR("");
        bool icase = n_args > 1 && args[1].n == 1 && args[1].s[0] == 'i';

        if (want.n == 0)
                return true;
        return icase ? str_ieq(want, name) : str_eq(want, name);
}

/* The value of the first parameter from `*at` on that matches; *at moves behind it. */
static bool next_param(struct str in, size_t *at, const struct expr_arg *args, unsigned n_args, struct str *ret_value)
{
        while (*at < in.n) {
                struct str rest = str_sub(in, *at, in.n - *at), p = rest;
                const char *amp = memchr(rest.p, '&', rest.n), *equals;

                p.n = amp ? (size_t)(amp - rest.p) : rest.n;
                *at += p.n + 1;
                equals = p.n ? memchr(p.p, '=', p.n) : NULL;
                if (!equals || !matches(str_sub(p, 0, (size_t)(equals - p.p)), args, n_args))
                        continue;
                *ret_value = str_sub(p, (size_t)(equals - p.p) + 1, p.n - (size_t)(equals - p.p) - 1);
                return true;
        }
        return false;
}

FETCH(body_param)
{
        struct str in, value, later;
        size_t at = (size_t)ret_smp->iter, next;

        if (!body_of(x, CONTENT_REQUEST, &in) || !next_param(in, &at, args, n_args, &value))
                return EXPR_MISS;
        next = at;
        ret_smp->more = x->iterate && next_param(in, &next, args, n_args, &later);
        ret_smp->iter = at;
        smp_str(ret_smp, value);
        return EXPR_OK;
}

#define REQ(n, o, f, h)                                                                                                \
        {                                                                                                              \
                .name = (n), .out = (o), .needs = EXPR_REQ_BODY, .fn = (f), .manual = "7.3.6", .help = (h)             \
        }
#define RES(n, o, f, h)                                                                                                \
        {                                                                                                              \
                .name = (n), .out = (o), .needs = EXPR_RSP_BODY, .fn = (f), .manual = "7.3.6", .help = (h)             \
        }

static const struct fetch rows[] = {
        REQ("req.body", SMP_BIN, req_body, "body of the request, as much as a buffer holds"),
        REQ("req.body_len", SMP_SINT, req_body_len, "how many bytes of the request's body are here"),
        REQ("req.body_size", SMP_SINT, req_body_size, "length of the request's body as announced, or what is here"),
        RES("res.body", SMP_BIN, res_body, "body of the answer, as much as a buffer holds"),
        RES("res.body_len", SMP_SINT, res_body_len, "how many bytes of the answer's body are here"),
        RES("res.body_size", SMP_SINT, res_body_size, "length of the answer's body as announced, or what is here"),
        { .name = "req.body_param",
          .args = { ARG_STR, ARG_STR },
          .out = SMP_STR,
          .needs = EXPR_REQ_BODY,
          .fn = body_param,
          .manual = "7.3.6",
          .help = "a parameter in the body of the request; \"i\": its name in any case" },
};
FETCH_TABLE(payload_http, rows);
