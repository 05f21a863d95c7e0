/* bench/loop.c - epoll and loopback sockets; no timer wheel, the phases of a run use one timerfd (bench/job.c).
 * TCP_NODELAY is not set: every message is one send with nothing unacknowledged before it, and a connection costs a
 * system call less. */
#include "bench/loop.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 256, BACKLOG = 4096, UDP_RCVBUF = 8 << 20 };

int loop_init(struct loop *l)
{
        l->spin = false;
        l->ep = epoll_create1(EPOLL_CLOEXEC);
        return l->ep < 0 ? -errno : 0;
}

void loop_fini(struct loop *l)
{
        if (l->ep >= 0)
                (void)close(l->ep);
        l->ep = -1;
}

static int control(struct loop *l, int op, struct ev *e, uint32_t what)
{
        struct epoll_event ee = { .events = what, .data.ptr = e };

        return epoll_ctl(l->ep, op, e->fd, &ee) < 0 ? -errno : 0;
}

int loop_add(struct loop *l, struct ev *e, uint32_t what)
{
        return control(l, EPOLL_CTL_ADD, e, what);
}

int loop_set(struct loop *l, struct ev *e, uint32_t what)
{
        return control(l, EPOLL_CTL_MOD, e, what);
}

void loop_turn(struct loop *l)
{
        struct epoll_event ee[BATCH];
        int n = epoll_wait(l->ep, ee, BATCH, l->spin ? 0 : -1);

        for (int i = 0; i < n; i++) {
                struct ev *e = ee[i].data.ptr;

                e->fn(e, ee[i].events);
        }
}

uint64_t clock_now_ns(void)
{
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int sock_parse(const char *text, struct sockaddr_in *ret_addr)
{
        struct sockaddr_in a = { .sin_family = AF_INET };
        const char *colon = strchr(text, ':');
        char host[16] = "";
        uint64_t port;

        if (!colon || (size_t)(colon - text) >= sizeof(host) || !str_to_u64(str_of(colon + 1), &port) || port > 65535)
                return -EINVAL;
        memcpy(host, text, (size_t)(colon - text));
        if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
                return -EINVAL;
        if (ntohl(a.sin_addr.s_addr) >> 24 != 127)
                return -EPERM;
        a.sin_port = htons((uint16_t)port);
        *ret_addr = a;
        return 0;
}

static int fail_close(int fd)
{
        int err = -errno;

        (void)close(fd);
        return err;
}

int sock_listen(struct sockaddr_in *addr)
{
        socklen_t n = sizeof(*addr);
        int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
            bind(fd, (struct sockaddr *)addr, n) < 0 || listen(fd, BACKLOG) < 0 ||
            getsockname(fd, (struct sockaddr *)addr, &n) < 0)
                return fail_close(fd);
        return fd;
}

int sock_udp(const struct sockaddr_in *addr)
{
        int size = UDP_RCVBUF, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        /* FORCE needs CAP_NET_ADMIN; without it the plain option gives what the limit allows, and lost lines show. */
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
                (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0)
                return fail_close(fd);
        return fd;
}

int sock_dial(const struct sockaddr_in *addr)
{
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 && errno != EINPROGRESS)
                return fail_close(fd);
        return fd;
}

int sock_accept(int fd)
{
        int c = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        return c < 0 ? -errno : c;
}

int sock_error(int fd)
{
        socklen_t n = sizeof(int);
        int err = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
                return -errno;
        return -err;
}
