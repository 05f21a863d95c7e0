/* core/forward.c - see the header. */
#include "core/forward.h"
#include "core/strm_own.h"

#include "core/sess.h"
#include "net/addr_net.h"

static bool excepts(const struct px_forward *f, const struct addr *a)
{
        return f && f->net && addr_in_net(a, f->net);
}

/* What the frontend and the backend say; NULL: nothing, not both. The backend's name wins, either may except an address, and a field that is
 * there already is enough only when nobody wants another one. */
static void add_address(struct strm *s, const struct addr *a, const struct px_forward *f, const struct px_forward *b,
                        const char *name)
{
        const char *z = b && b->header ? b->header : f && f->header ? f->header : name;
        struct str field = str_of(z);
        char ip[48];

        if (a->sa.sa_family != AF_INET && a->sa.sa_family != AF_INET6)
                return;
        if ((!f || f->if_none) && (!b || b->if_none) && hmsg_find_name(s->req, field, 0) >= 0)
                return;
        if (excepts(f, a) || excepts(b, a))
                return;
        if (hmsg_add(s->req, field, (struct str){ ip, addr_ip_text(a, ip, sizeof(ip)) }) < 0)
                strm_answer(s, 400);
}

void forward_addresses(struct strm *s)
{
        const struct proxy_cfg *f = s->fcfg->px, *b = s->bcfg->px;
        unsigned o = f->options | b->options;
        const struct addr *to;

        if (o & OPT_FORWARDFOR)
                add_address(s, strm_src(s, s->sess), f->options & OPT_FORWARDFOR ? &f->forwardfor : NULL,
                            b->options & OPT_FORWARDFOR ? &b->forwardfor : NULL, "x-forwarded-for");
        if (likely(!(o & OPT_ORIGINALTO)) || s->step != STRM_ROUTE)
                return;
        to = strm_dst(s, s->sess);
        if (to)
                add_address(s, to, f->options & OPT_ORIGINALTO ? &f->originalto : NULL,
                            b->options & OPT_ORIGINALTO ? &b->originalto : NULL, "x-original-to");
}

int forward_name(struct strm *s)
{
        return hmsg_set(s->req, str_of(s->bcfg->px->send_name), str_of(s->srv->cell.name));
}
