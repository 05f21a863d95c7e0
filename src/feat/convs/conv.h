/* feat/convs/conv.h - what the converters of this folder share: how they write, and arguments that are a number or a variable.
 *
 * A converter reads its input where it is and writes into one scratch buffer, never beyond it: what does not fit is no sample. The input
 * may stand in another scratch buffer, so a converter asks for one, and casts at most one variable (which takes the third).
 * Threads: any; all of them are pure but for the state they name. Manual: 7.3.1. */
#ifndef FEAT_CONVS_CONV_H
#define FEAT_CONVS_CONV_H

#include "core/expr.h"
#include "core/put.h"

#define CONV(fn)  static bool fn(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args, struct smp *smp)
#define CHECK(fn) static bool fn(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
#define UNUSED    (void)x, (void)args, (void)n_args
#define ROW(i, o) .in = SMP_##i, .out = SMP_##o, .manual = "7.3.1"

static inline struct str smp_text(const struct smp *s)
{
        return (struct str){ s->s.p, s->s.n };
}

static inline struct str arg_text(const struct expr_arg *args, unsigned n_args, unsigned i)
{
        return i < n_args ? (struct str){ args[i].s, args[i].n } : (struct str){ "", 0 };
}

static inline int64_t arg_int(const struct expr_arg *args, unsigned n_args, unsigned i, int64_t other)
{
        return i < n_args && args[i].n ? args[i].i : other;
}

/* ---- writing ---- */

struct out {
        char *p;
        size_t n, cap;
        bool full; /* something did not fit; stays so */
};

static inline struct out out_open(void)
{
        struct out o = { .n = 0 };

        o.p = expr_scratch(&o.cap);
        return o;
}

static inline void out_char(struct out *o, char ch)
{
        if (o->n < o->cap)
                o->p[o->n++] = ch;
        else
                o->full = true;
}

static inline void out_text(struct out *o, struct str t)
{
        if (t.n > o->cap - o->n) {
                o->full = true;
                return;
        }
        if (t.n)
                memcpy(o->p + o->n, t.p, t.n);
        o->n += t.n;
}

static inline void out_hex(struct out *o, unsigned char b) /* two capital digits */
{
        out_char(o, "0123456789ABCDEF"[b >> 4]);
        out_char(o, "0123456789ABCDEF"[b & 15]);
}

static inline bool out_give(const struct out *o, enum smp_type type, struct smp *smp) /* false: it did not fit */
{
        if (o->full)
                return false;
        smp->type = type;
        smp->is_const = false;
        smp->s.p = o->p;
        smp->s.n = (uint32_t)o->n;
        smp->s.cap = (uint32_t)o->cap;
        return true;
}

/* A part of the sample's bytes, which stay borrowed from where they are. */
static inline bool conv_narrow(struct smp *s, size_t from, size_t n)
{
        s->s.p += from;
        s->s.n = (uint32_t)n;
        s->s.cap = s->s.cap > from ? s->s.cap - (uint32_t)from : 0;
        return true;
}

/* ---- arguments (conv.c) ---- */

/* The argument, a text, is a number or names a variable; empty: 0. For check functions. False after an alert. */
bool conv_number_arg(struct kw_call *c, struct expr_arg *a, const struct word *at);
bool conv_number(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args, unsigned i, int64_t *ret_v);
/* The argument names a variable. */
bool conv_var_arg(struct kw_call *c, struct expr_arg *a, const struct word *at);
/* False: it is not set, or its value does not convert to `type`. */
bool conv_var(const struct expr_ctx *x, const struct expr_arg *a, enum smp_type type, struct smp *ret_smp);
/* An alert about the arguments; returns false. */
bool conv_refuse(struct kw_call *c, const struct word *at, const char *fmt, ...) fmt_like(3, 4);

#endif
