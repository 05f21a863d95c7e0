/* core/strm_own.c - see strm_own.h. */
#include "core/strm_own.h"

#include "core/expr.h"

struct strm_own *strm_own_of(struct strm *s)
{
        struct expr_state *e = expr_state_of(s);

        return e ? expr_strm_own(e) : NULL;
}

const struct strm_own *strm_own(const struct strm *s)
{
        return s->vars ? expr_strm_own(s->vars) : NULL;
}

const struct addr *strm_src(const struct strm *s, const struct sess *ss)
{
        const struct strm_own *o = s ? strm_own(s) : NULL;

        return o && o->has_src ? &o->src : &ss->src;
}

const struct addr *strm_dst(const struct strm *s, struct sess *ss)
{
        const struct strm_own *o = s ? strm_own(s) : NULL;

        return o && o->has_dst ? &o->dst : sess_dst(ss);
}
