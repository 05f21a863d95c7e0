/* net/conn.c - sockets as ends of a stream.
 *
 * What the kernel guarantees and this file leans on (epoll(7), edge-triggered):
 * - data that comes after a short read is a new edge, and so is a FIN; but a FIN that was reported together with the
 *   data (EP_HUP) will not be reported again: after a hang-up a short read must not clear EP_RX;
 * - of TCP a FIN is reported when all bytes before it are in the receive queue, and a read stops short of the queue's end
 *   only at an urgent mark, which EPOLLPRI tells: else the read after a short one is the end (EP_LAST);
 * - a short send means the buffer is full, and room in it is a new edge;
 * - EPOLL_CTL_ADD reports what is ready already, so registering late loses nothing. */
#include "net/conn.h"
#include "net/pipe.h"

#include <errno.h>
#include <netinet/tcp.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

#define EP_EVENTS (EP_RX | EP_TX | EP_HUP | EP_ERR)

static inline struct conn *conn_of(struct ep *e)
{
        return container_of(e, struct conn, ep);
}

static inline const struct sys_ops *sys(void)
{
        return thr_self->sys;
}

static void set(struct ep *e, unsigned flags)
{
        e->flags = (uint16_t)(e->flags | flags);
}

static void clear(struct ep *e, unsigned flags)
{
        e->flags = (uint16_t)(e->flags & ~flags);
}

/* Dead. Bytes that arrived before may still be read, so EP_RX says "look". */
static void die(struct conn *c, int err)
{
        if (c->ep.err == 0)
                c->ep.err = err;
        clear(&c->ep, EP_TX | EP_CONNECTING);
        set(&c->ep, EP_ERR | EP_RX);
}

static ssize_t rx_failed(struct conn *c, ssize_t r)
{
        struct ep *e = &c->ep;

        if (c->ep.err == 0 && r != 0 && r != -EAGAIN)
                die(c, (int)r);
        clear(e, EP_RX);
        if (c->ep.err != 0) /* also when the kernel told the error once and says "end" now */
                return c->ep.err;
        if (r == 0)
                set(e, EP_EOF);
        return r;
}

static ssize_t conn_rx(struct ep *e, void *p, size_t n)
{
        struct conn *c = conn_of(e);
        ssize_t r = e->flags & EP_LAST ? 0 : sys()->recv(c->ev.fd, p, n, 0);

        if (unlikely(r <= 0))
                return rx_failed(c, r);
        if ((size_t)r == n)
                return r;
        if (!(e->flags & (EP_HUP | EP_ERR)))
                clear(e, EP_RX); /* drained: saves the call that would say EAGAIN */
        else if ((e->flags & (EP_TCP | EP_ERR)) == EP_TCP)
                set(e, EP_LAST);
        return r;
}

/* A small segment waits only for a small one before it (RFC 896), so one call is saved where one send is all there is.
 * A failing TCP_NODELAY only costs latency. */
static cold_path void no_nagle(struct conn *c)
{
        const int on = 1;

        if (--c->ep.nagle == 0)
                (void)sys()->setopt(c->ev.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static ssize_t tx_failed(struct conn *c, ssize_t r)
{
        if (r == -EAGAIN)
                clear(&c->ep, EP_TX);
        else
                die(c, (int)r);
        return r;
}

static ssize_t conn_tx(struct ep *e, const struct iovec *v, int n, bool more)
{
        struct conn *c = conn_of(e);
        size_t all;
        ssize_t r;

        if (unlikely(e->flags & (EP_CONNECTING | EP_ERR)))
                return e->flags & EP_ERR ? c->ep.err : -EAGAIN;
        if (unlikely(c->ep.nagle))
                no_nagle(c);
        r = sys()->send(c->ev.fd, v, n, more ? MSG_MORE : 0);
        if (unlikely(r < 0))
                return tx_failed(c, r);
        all = v->iov_len;
        for (int i = 1; i < n; i++)
                all += v[i].iov_len;
        if ((size_t)r < all)
                clear(e, EP_TX);
        return r;
}

/* Short is not drained: the pipe may have run out of slots. For the same reason EAGAIN says "the socket is empty" only
 * when the pipe was empty. */
static ssize_t conn_rx_splice(struct ep *e, struct pipe *p, size_t n)
{
        struct conn *c = conn_of(e);
        ssize_t r = e->flags & EP_LAST ? 0 : sys()->splice(c->ev.fd, p->wr, n, 0);

        if (r > 0) {
                p->fill += (size_t)r;
                return r;
        }
        if (r == -EAGAIN && p->fill > 0)
                return r;
        return rx_failed(c, r);
}

static ssize_t conn_tx_splice(struct ep *e, struct pipe *p, size_t n)
{
        struct conn *c = conn_of(e);
        ssize_t r;

        if (unlikely(e->flags & (EP_CONNECTING | EP_ERR)))
                return e->flags & EP_ERR ? c->ep.err : -EAGAIN;
        if (n > p->fill)
                n = p->fill;
        if (n == 0)
                return 0;
        if (unlikely(c->ep.nagle))
                no_nagle(c);
        r = sys()->splice(p->rd, c->ev.fd, n, 0);
        if (r < 0)
                return tx_failed(c, r);
        p->fill -= (size_t)r;
        return r;
}

static void conn_want(struct ep *e)
{
        struct conn *c = conn_of(e);
        int err;

        if (e->flags & EP_WATCHED)
                return;
        err = loop_add(thr_self->loop, &c->ev);
        if (err)
                die(c, err);
        else
                set(e, EP_WATCHED);
}

static void conn_shut(struct ep *e)
{
        if (e->flags & (EP_SHUT | EP_CONNECTING))
                return;
        (void)sys()->shutdown(conn_of(e)->ev.fd, SHUT_WR); /* ENOTCONN: the peer's RST came first, events tell */
        set(e, EP_SHUT);
        clear(e, EP_TX);
}

static void conn_ep_close(struct ep *e, bool reset)
{
        conn_close(conn_of(e), reset);
}

static int conn_error(struct ep *e)
{
        return e->err;
}

static const struct ep_ops conn_ops = {
        .rx = conn_rx,
        .tx = conn_tx,
        .rx_splice = conn_rx_splice,
        .tx_splice = conn_tx_splice,
        .want = conn_want,
        .shut = conn_shut,
        .close = conn_ep_close,
        .error = conn_error,
};

static int socket_error(int fd)
{
        int err = 0;
        socklen_t len = sizeof(err);
        int r = sys()->getopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);

        return r < 0 ? r : -err;
}

/* EPOLLERR: the error can be asked for once. None left: a call of ours was told already. */
static void on_error(struct conn *c)
{
        int err = socket_error(c->ev.fd);

        if (err < 0)
                die(c, err);
}

static void on_events(struct ev_fd *ev, uint32_t events)
{
        struct conn *c = container_of(ev, struct conn, ev);
        struct ep *e = &c->ep;
        unsigned before = e->flags;

        if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))
                set(e, EP_RX);
        if (events & (EPOLLRDHUP | EPOLLHUP))
                set(e, EP_HUP);
        if (unlikely(events & (EPOLLERR | EPOLLPRI))) {
                clear(e, EP_TCP);
                if (events & EPOLLERR)
                        on_error(c);
        }
        if ((events & EPOLLOUT) && !(e->flags & (EP_ERR | EP_SHUT))) {
                clear(e, EP_CONNECTING); /* writable and no error: connect(2) is done */
                set(e, EP_TX);
        }
        if (e->flags & ~before & EP_EVENTS)
                e->wake(e);
}

void conn_init(struct conn *c, void (*wake)(struct ep *))
{
        *c = (struct conn){ .ep = { .ops = &conn_ops, .wake = wake }, .ev = { .fd = -1, .fn = on_events } };
}

static struct {
        atomic_bool any;
        atomic_int rcvbuf, sndbuf, lowat;
} tuned[2]; /* relaxed: each value for itself, by when does not matter */

void conn_tune(bool server, int rcvbuf, int sndbuf, int lowat)
{
        atomic_store_explicit(&tuned[server].rcvbuf, rcvbuf, memory_order_relaxed);
        atomic_store_explicit(&tuned[server].sndbuf, sndbuf, memory_order_relaxed);
        atomic_store_explicit(&tuned[server].lowat, lowat, memory_order_relaxed);
        atomic_store_explicit(&tuned[server].any, rcvbuf || sndbuf || lowat, memory_order_relaxed);
}

static void set_size(int fd, int level, int name, atomic_int *v)
{
        int n = atomic_load_explicit(v, memory_order_relaxed);

        if (n)
                (void)sys()->setopt(fd, level, name, &n, sizeof(n));
}

static cold_path void set_tuned(int fd, bool server)
{
        set_size(fd, SOL_SOCKET, SO_RCVBUF, &tuned[server].rcvbuf);
        set_size(fd, SOL_SOCKET, SO_SNDBUF, &tuned[server].sndbuf);
        set_size(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &tuned[server].lowat);
}

static inline void tune(int fd, bool server)
{
        if (unlikely(atomic_load_explicit(&tuned[server].any, memory_order_relaxed)))
                set_tuned(fd, server);
}

static void open_with(struct conn *c, int fd, unsigned flags)
{
        c->ev.fd = fd;
        c->ev.added = false;
        c->ep.err = 0;
        c->ep.nagle = 0;
        c->ep.flags = (uint16_t)(flags | EP_RAW);
}

void conn_adopt(struct conn *c, int fd, bool tcp)
{
        ASSERT(c->ev.fd < 0);
        open_with(c, fd, EP_RX | EP_TX | (tcp ? EP_TCP : 0));
        if (tcp)
                tune(fd, false);
}

/* The port is chosen by connect(2), which knows the peer and so may use one port for many (RFC 6056 3.3). */
static int bind_source(int fd, const struct conn_how *how)
{
        const int on = 1;
        bool six = how->src->sa.sa_family == AF_INET6;
        int err = 0;

        (void)sys()->setopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (addr_port(how->src) == 0)
                (void)sys()->setopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
        if (how->transparent)
                err = sys()->setopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_TRANSPARENT : IP_TRANSPARENT, &on,
                                    sizeof(on));
        return err ? err : sys()->bind(fd, &how->src->sa, addr_len(how->src));
}

static cold_path int set_how(const struct conn *c, int fd, int family, const struct conn_how *how)
{
        const int on = 1;
        int err = 0;

        if (how->user_timeout_ms)
                (void)sys()->setopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &how->user_timeout_ms,
                                    sizeof(how->user_timeout_ms));
        if (how->fastopen && c->ep.speaks_first)
                (void)sys()->setopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on));
        if (how->interface)
                err = sys()->setopt(fd, SOL_SOCKET, SO_BINDTODEVICE, how->interface,
                                    (socklen_t)strlen(how->interface) + 1);
        if (err == 0 && how->src && how->src->sa.sa_family == family)
                err = bind_source(fd, how);
        return err;
}

static int start_connect(struct conn *c, int fd, const struct sockaddr *to, socklen_t to_len,
                         const struct conn_how *how)
{
        const int off = 0;
        int err = 0;

        if (c->ep.speaks_first && to->sa_family != AF_UNIX)
                (void)sys()->setopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
        if (to->sa_family != AF_UNIX)
                tune(fd, true);
        if (unlikely(how) && to->sa_family != AF_UNIX)
                err = set_how(c, fd, to->sa_family, how);
        return err ? err : sys()->connect(fd, to, to_len);
}

int conn_connect(struct conn *c, const struct sockaddr *to, socklen_t to_len, const struct conn_how *how)
{
        int err, fd = sys()->socket(to->sa_family, SOCK_STREAM, 0);

        ASSERT(c->ev.fd < 0);
        if (fd < 0)
                return fd;
        err = start_connect(c, fd, to, to_len, how);
        if (err != 0 && err != -EINPROGRESS) {
                sys()->close(fd);
                return err;
        }
        open_with(c, fd, (err ? EP_CONNECTING : EP_TX) | (to->sa_family == AF_UNIX ? 0 : EP_TCP));
        c->ep.nagle = to->sa_family == AF_UNIX ? 0 : 2;
        return 0;
}

ssize_t conn_tx_first(struct conn *c, const void *p, size_t n)
{
        const struct iovec v = { (void *)(uintptr_t)p, n };
        ssize_t r;

        if (!(c->ep.flags & EP_CONNECTING) || c->ep.flags & EP_ERR)
                return ep_tx(&c->ep, &v, 1, false);
        r = sys()->send(c->ev.fd, &v, 1, 0); /* EAGAIN while SYN_SENT, the error if refused */
        if (r < 0) {
                if (r != -EAGAIN)
                        die(c, (int)r);
                return r;
        }
        clear(&c->ep, EP_CONNECTING);
        if ((size_t)r == n)
                set(&c->ep, EP_TX);
        if (n > 0)
                c->ep.nagle--;
        return r;
}

int conn_connected(struct conn *c)
{
        ssize_t r;

        if (c->ep.flags & EP_ERR)
                return c->ep.err;
        if (!(c->ep.flags & EP_CONNECTING))
                return 1;
        r = conn_tx_first(c, "", 0);
        return r == -EAGAIN ? 0 : r < 0 ? (int)r : 1;
}

/* A failing one costs only the question. */
void conn_keepalive(struct conn *c)
{
        const int on = 1;

        if (c->ep.flags & EP_TCP)
                (void)sys()->setopt(c->ev.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

void conn_close(struct conn *c, bool reset)
{
        const struct linger hard = { .l_onoff = 1, .l_linger = 0 };

        if (c->ev.fd < 0)
                return;
        if (reset)
                (void)sys()->setopt(c->ev.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        sys()->close(c->ev.fd);
        loop_forget(&c->ev);
        c->ep.flags = 0;
}

bool conn_idle_ok(struct conn *c)
{
        char byte;

        if (c->ev.fd < 0 || (c->ep.flags & (EP_HUP | EP_EOF | EP_ERR | EP_CONNECTING)))
                return false;
        if ((c->ep.flags & (EP_WATCHED | EP_RX)) == EP_WATCHED)
                return true;
        if (sys()->recv(c->ev.fd, &byte, 1, MSG_PEEK) != -EAGAIN)
                return false;
        clear(&c->ep, EP_RX);
        return true;
}
