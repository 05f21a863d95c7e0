/* core/srv_proxy.c - see the header. */
#include "core/srv_proxy.h"

#include "core/sess.h"
#include "proto/pp.h"

#include <errno.h>

static void put_end(struct pp_end *e, const struct addr *a)
{
        if (a->sa.sa_family == AF_INET)
                memcpy(e->ip, &a->in.sin_addr, 4);
        else
                memcpy(e->ip, &a->in6.sin6_addr, 16);
        e->port = (uint16_t)addr_port(a);
}

/* Ends of different families, or unix sockets: nothing that the server could use is said. */
static void put_ends(struct pp_head *h, const struct addr *src, const struct addr *dst)
{
        int f = src->sa.sa_family;

        if (f != dst->sa.sa_family || (f != AF_INET && f != AF_INET6))
                return;
        h->family = f == AF_INET ? PP_TCP4 : PP_TCP6;
        put_end(&h->src, src);
        put_end(&h->dst, dst);
}

static int send_head(struct conn *c, const struct pp_head *h, bool crc)
{
        char line[128];
        size_t n = pp_write(h, NULL, 0, crc, line, sizeof(line));
        ssize_t r = conn_tx_first(c, line, n);

        ASSERT(n > 0);
        if (r == -EAGAIN)
                return 0;
        if (r < 0)
                return (int)r;
        return (size_t)r == n ? 1 : -ENOBUFS; /* the first bytes of a new socket find room, or it is of no use */
}

int srv_proxy_say(const struct server *s, struct conn *c, struct strm *st)
{
        const struct server_cfg *cfg = server_cfg_now(s);
        struct pp_head h = { .version = cfg->pp_version };

        put_ends(&h, &st->sess->src, sess_dst(st->sess));
        return send_head(c, &h, cfg->pp_crc);
}

bool srv_proxy_checks(const struct server *s, bool own_target)
{
        const struct server_cfg *cfg = server_cfg_now(s);

        return cfg->pp_check || (cfg->pp_version && !own_target);
}

/* Version 1 knows no "for nobody": the check's own connection is named. */
int srv_proxy_say_check(const struct server *s, struct conn *c, const struct addr *dst)
{
        const struct server_cfg *cfg = server_cfg_now(s);
        struct pp_head h = { .version = cfg->pp_version ? cfg->pp_version : 1, .local = cfg->pp_version == 2 };
        struct sockaddr_storage sa;
        socklen_t len = sizeof(sa);
        struct addr src = { 0 };

        if (!h.local && thr_self->sys->getsockname(c->ev.fd, (struct sockaddr *)&sa, &len) == 0) {
                addr_from_sockaddr(&src, (struct sockaddr *)&sa, len);
                put_ends(&h, &src, dst);
        }
        return send_head(c, &h, cfg->pp_crc);
}
