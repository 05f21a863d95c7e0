/* feat/fetches/fetch.h - what the files of fetches share: how one is written, and the answers that many give. */
#ifndef FEAT_FETCHES_FETCH_H
#define FEAT_FETCHES_FETCH_H

#include "core/expr.h"
#include "net/addr.h"

#define FETCH(fn)                                                                                                      \
        static enum expr_answer fn(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,             \
                                   struct smp *ret_smp)
#define UNUSED     (void)x, (void)args, (void)n_args
#define RELAXED(v) atomic_load_explicit(&(v), memory_order_relaxed)

/* Rows without arguments. */
#define FETCH_ROW(n, type, from, f, section, text)                                                                     \
        {                                                                                                              \
                .name = n, .out = SMP_##type, .needs = from, .fn = f, .manual = section, .help = text                  \
        }
/* Up to two optional arguments: their types, and what checks them. */
#define FETCH_ROW_ARGS(n, type, from, f, section, text, chk, ...)                                                      \
        {                                                                                                              \
                .name = n, .args = { __VA_ARGS__ }, .out = SMP_##type, .needs = from, .fn = f, .check = chk,           \
                .manual = section, .help = text                                                                        \
        }

static inline enum expr_answer answer_int(struct smp *s, int64_t v)
{
        smp_int(s, v);
        return EXPR_OK;
}

static inline enum expr_answer answer_bool(struct smp *s, bool v)
{
        smp_bool(s, v);
        return EXPR_OK;
}

static inline enum expr_answer answer_str(struct smp *s, struct str v)
{
        smp_str(s, v);
        return EXPR_OK;
}

static inline enum expr_answer answer_text(struct smp *s, const char *z)
{
        if (!z)
                return EXPR_MISS;
        return answer_str(s, str_of(z));
}

static inline enum expr_answer answer_addr(struct smp *s, const struct addr *a)
{
        if (a->sa.sa_family == AF_INET) {
                s->type = SMP_IPV4;
                s->ip4 = a->in.sin_addr;
                return EXPR_OK;
        }
        if (a->sa.sa_family != AF_INET6)
                return EXPR_MISS; /* a unix socket */
        s->type = SMP_IPV6;
        s->ip6 = a->in6.sin6_addr;
        return EXPR_OK;
}

static inline enum expr_answer answer_port(struct smp *s, const struct addr *a)
{
        if (a->sa.sa_family != AF_INET && a->sa.sa_family != AF_INET6)
                return EXPR_MISS;
        return answer_int(s, addr_port(a));
}

/* The number that a text starts with; 0 when it starts with none. */
static inline enum expr_answer answer_number(enum expr_answer a, struct smp *s)
{
        if (a == EXPR_OK && s->s.n == 0)
                smp_int(s, 0);
        return a == EXPR_OK && !smp_cast(s, SMP_SINT) ? EXPR_MISS : a;
}

/* The head that the names without a direction mean: the request's on requests, else the answer's. */
static inline const struct hmsg *head_of(const struct expr_ctx *x)
{
        return x->have & EXPR_REQ_HEAD ? x->req : x->rsp;
}

/* An argument that is a date's unit: "s", "ms" or "us", and how many of it a second has goes to args[0].i; none: seconds. */
bool unit_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at);

#endif
