/* core/strm_tie.c - a stream that is tied to one server (core/strm.h). */
#include "core/expr.h"
#include "core/strm_priv.h"

const struct strm_tie *strm_tied(const struct strm *s)
{
        return likely(!s->vars) ? NULL : expr_tie(s->vars);
}

struct strm_tie *strm_tie_of(struct strm *s)
{
        struct expr_state *e = expr_state_of(s);

        return e ? expr_tie(e) : NULL;
}

void strm_tie(struct strm *s, struct server *srv, bool firm)
{
        struct strm_tie *t = strm_tie_of(s);

        if (!t)
                return; /* no memory: it goes where the balance sends it */
        if (t->fixed || t->ignore)
                return;
        strm_untie(s);
        pin(&srv->pins);
        t->srv = srv;
        t->firm = firm || t->force;
}

void strm_untie(struct strm *s)
{
        struct strm_tie *t = s->vars ? expr_tie(s->vars) : NULL;

        if (!t || !t->srv)
                return;
        unpin(&t->srv->pins);
        t->srv = NULL;
}

/* Its server went down, or another one is tried: the log says so (manual 8.5: D). */
void strm_tie_broke(struct strm *s)
{
        struct strm_tie *t = s->vars ? expr_tie(s->vars) : NULL;

        if (!t || !t->srv)
                return;
        if (t->req == 'V')
                t->req = 'D';
        strm_untie(s);
}

struct server *strm_tied_server(const struct strm *s)
{
        const struct strm_tie *t = strm_tied(s);

        return t ? t->srv : NULL;
}
