/* bench/sink.c - batches of recvmmsg; the text itself is left in the kernel (MSG_TRUNC gives the length). */
#include "bench/sink.h"
#include "base/assert.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, SETTLE_MS = 50, SETTLE_ROUNDS = 40 };

static void take_all(struct sink *s)
{
        struct mmsghdr m[BATCH] = { 0 };
        int n;

        do {
                n = recvmmsg(s->ev.fd, m, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
                for (int i = 0; i < n; i++)
                        s->bytes += m[i].msg_len;
                s->lines += n > 0 ? (uint64_t)n : 0;
        } while (n == BATCH);
}

static void readable(struct ev *e, uint32_t what)
{
        (void)what;
        take_all(container_of(e, struct sink, ev));
}

int sink_open(struct sink *s, struct loop *l, uint16_t port)
{
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
        int err;

        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        *s = (struct sink){ .ev = { readable, sock_udp(&a) } };
        if (s->ev.fd < 0)
                return s->ev.fd;
        err = loop_add(l, &s->ev, EPOLLIN);
        if (err)
                sink_close(s);
        return err;
}

void sink_settle(struct sink *s)
{
        struct pollfd p = { .fd = s->ev.fd, .events = POLLIN };

        for (int i = 0; i < SETTLE_ROUNDS && poll(&p, 1, SETTLE_MS) > 0; i++)
                take_all(s);
}

void sink_close(struct sink *s)
{
        if (s->ev.fd >= 0)
                (void)close(s->ev.fd);
        s->ev.fd = -1;
}
