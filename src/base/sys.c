/* base/sys.c - the kernel's side of base/sys.h. */
#include "base/sys.h"
#include "base/assert.h"
#include "base/syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Repeats an interrupted call; the result is negative errno in the error case. */
#define CALL(type, expr)                                                                                               \
        type r_;                                                                                                       \
        do {                                                                                                           \
                r_ = (expr);                                                                                           \
        } while (r_ < 0 && errno == EINTR);                                                                            \
        return r_ < 0 ? -errno : r_

static mono_t k_mono(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (mono_t)t.tv_sec * NS_PER_S + (mono_t)t.tv_nsec;
}

static int64_t k_wall_us(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_REALTIME, &t);
        return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint64_t k_cpu_ns(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void k_random(void *p, size_t n)
{
        char *at = p;

        while (n > 0) {
                ssize_t got = getrandom(at, n, 0);

                ASSERT(got > 0 || errno == EINTR); /* no entropy source: nothing made here would be safe */
                if (got > 0) {
                        at += got;
                        n -= (size_t)got;
                }
        }
}

static int k_socket(int domain, int type, int proto)
{
        CALL(int, socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, proto));
}

/* Not repeated: an interrupted non-blocking connect goes on by itself, a second call would say EALREADY. */
static int k_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
        if (syscall(SYS_connect, fd, sa, len) == 0)
                return 0;
        return errno == EINTR ? -EINPROGRESS : -errno;
}

static int k_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
        CALL(int, bind(fd, sa, len));
}

static int k_accept(int fd, struct sockaddr *sa, socklen_t *len)
{
        CALL(int, (int)syscall(SYS_accept4, fd, sa, len, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

static int k_getsockname(int fd, struct sockaddr *sa, socklen_t *len)
{
        CALL(int, getsockname(fd, sa, len));
}

static int k_setopt(int fd, int level, int name, const void *v, socklen_t len)
{
        CALL(int, setsockopt(fd, level, name, v, len));
}

static int k_getopt(int fd, int level, int name, void *v, socklen_t *len)
{
        CALL(int, getsockopt(fd, level, name, v, len));
}

/* The calls of every message go past libc's wrappers (base/syscall.h). */

static ssize_t k_recv(int fd, void *p, size_t n, int flags)
{
        long r;

        do
                r = sys_call6(SYS_recvfrom, fd, (long)p, (long)n, flags, 0, 0);
        while (unlikely(r == -EINTR));
        return r;
}

static ssize_t send_many(int fd, const struct iovec *v, int n, int flags)
{
        const struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = (size_t)n };
        long r;

        do
                r = sys_call6(SYS_sendmsg, fd, (long)&m, flags | MSG_NOSIGNAL, 0, 0, 0);
        while (unlikely(r == -EINTR));
        return r;
}

static ssize_t k_send(int fd, const struct iovec *v, int n, int flags)
{
        long r;

        if (n != 1) /* one piece is cheaper without a msghdr to copy in */
                return send_many(fd, v, n, flags);
        do
                r = sys_call6(SYS_sendto, fd, (long)v->iov_base, (long)v->iov_len, flags | MSG_NOSIGNAL, 0, 0);
        while (unlikely(r == -EINTR));
        return r;
}

static ssize_t k_sendto(int fd, const struct iovec *v, int n, const struct sockaddr *sa, socklen_t len)
{
        const struct msghdr m = { .msg_name = (void *)(uintptr_t)sa,
                                  .msg_namelen = len,
                                  .msg_iov = (struct iovec *)(uintptr_t)v,
                                  .msg_iovlen = (size_t)n };
        CALL(ssize_t, syscall(SYS_sendmsg, fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT));
}

static ssize_t k_splice(int from, int to, size_t n, unsigned flags)
{
        CALL(ssize_t, syscall(SYS_splice, from, NULL, to, NULL, n, flags | SPLICE_F_NONBLOCK | SPLICE_F_MOVE));
}

/* Enlarging can be refused (the user's pipe quota is used up): the pipe is kept as it is. */
static int k_pipe(int fds[2], size_t want_bytes)
{
        int size;

        if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0)
                return -errno;
        if (want_bytes > 0)
                (void)fcntl(fds[1], F_SETPIPE_SZ, (int)want_bytes);
        size = fcntl(fds[1], F_GETPIPE_SZ);
        return size > 0 ? size : 4096;
}

static int k_shutdown(int fd, int how)
{
        CALL(int, shutdown(fd, how));
}

static void k_close(int fd)
{
        (void)syscall(SYS_close, fd); /* Linux frees the number even when it says EINTR */
}

static int k_poll_ctl(int epfd, int op, int fd, uint32_t events, void *data)
{
        struct epoll_event ev = { .events = events, .data.ptr = data };

        return epoll_ctl(epfd, op, fd, &ev) == 0 ? 0 : -errno;
}

static int k_poll_wait(int epfd, struct epoll_event *ev, int n, int timeout_ms)
{
        long r = sys_call6(SYS_epoll_pwait, epfd, (long)ev, n, timeout_ms, 0, sizeof(uint64_t));

        return r == -EINTR ? 0 : (int)r;
}

const struct sys_ops sys_kernel = {
        .mono = k_mono,
        .wall_us = k_wall_us,
        .cpu_ns = k_cpu_ns,
        .random = k_random,
        .socket = k_socket,
        .connect = k_connect,
        .bind = k_bind,
        .accept = k_accept,
        .getsockname = k_getsockname,
        .setopt = k_setopt,
        .getopt = k_getopt,
        .recv = k_recv,
        .send = k_send,
        .sendto = k_sendto,
        .splice = k_splice,
        .pipe = k_pipe,
        .shutdown = k_shutdown,
        .close = k_close,
        .poll_ctl = k_poll_ctl,
        .poll_wait = k_poll_wait,
};
