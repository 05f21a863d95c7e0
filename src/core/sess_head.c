/* core/sess_head.c - `accept-proxy` of a bind line (manual 5.1): a connection begins with the PROXY protocol's head, which says whose it is.
 *
 * The head is looked at where it lies in the kernel, and taken once it is whole: what follows it is not touched, be it TLS. Whoever sends
 * none, or a wrong one, is cut off: his address would be another one's. */
#include "core/sess_priv.h"
#include "proto/pp.h"

#include <errno.h>
#include <sys/socket.h>

enum { HEAD_MAX = 4096 }; /* a longer one is refused */

static void take_end(struct addr *a, enum pp_family f, const struct pp_end *e)
{
        memset(a, 0, sizeof(*a));
        a->sa.sa_family = f == PP_TCP4 ? AF_INET : AF_INET6;
        if (f == PP_TCP4)
                memcpy(&a->in.sin_addr, e->ip, 4);
        else
                memcpy(&a->in6.sin6_addr, e->ip, 16);
        addr_set_port(a, e->port);
}

/* False: no memory. A head for nobody (LOCAL, UNKNOWN): the connection is that of its socket. */
static bool take_head(struct sess *s, const struct pp_head *h)
{
        struct sess_more *m;

        if (h->local || h->family == PP_UNKNOWN)
                return true;
        m = sess_more_of(s);
        if (!m)
                return false;
        take_end(&s->src, h->family, &h->src);
        take_end(&m->dst, h->family, &h->dst);
        m->has_dst = true;
        return true;
}

void sess_head_wake(struct sess *s)
{
        struct ep *e = &s->wire.conn.ep;
        int fd = s->wire.conn.ev.fd;
        char head[HEAD_MAX];
        struct pp_head h;
        enum pp_answer a;
        ssize_t r = thr_self->sys->recv(fd, head, sizeof(head), MSG_PEEK);
        size_t n = 0;

        if (r == 0 || (r < 0 && r != -EAGAIN)) {
                sess_close(s, false);
                return;
        }
        a = r < 0 ? PP_MORE : pp_read((struct str){ head, (size_t)r }, &h, &n);
        if (a == PP_MORE && r < (ssize_t)sizeof(head) && !(e->flags & (EP_HUP | EP_ERR))) {
                e->flags &= (uint16_t)~EP_RX; /* more than this is awaited */
                e->ops->want(e);
                if (unlikely(e->flags & EP_ERR)) /* it could not be watched: nothing would wake us */
                        sess_close(s, true);
                return;
        }
        if (a != PP_OK || thr_self->sys->recv(fd, head, n, 0) != (ssize_t)n || !take_head(s, &h)) {
                sess_close(s, true);
                return;
        }
        s->state = SESS_IDLE;
        sess_go_on(s);
}

void sess_expect_head(struct sess *s)
{
        const struct proxy_cfg *px = s->cfg->px;

        s->state = SESS_HEAD;
        if (sess_wait_at_most(s, px->timeout.client_hs ? px->timeout.client_hs : px->timeout.client))
                sess_head_wake(s);
}
