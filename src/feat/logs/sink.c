/* feat/logs/sink.c - the ways to a log daemon: UDP, a local datagram socket, a descriptor's ring.
 *
 * Everything is sent at once and non-blocking. A local socket's queue holds ten lines (net.unix.max_dgram_qlen), less than one
 * busy turn writes: what it does not take waits in a ring, whose thread may block, and the lines behind it do, too, so that the
 * order stays. What UDP or a full ring does not take is dropped and counted.
 * A local socket keeps one descriptor number for life: a new connection is put onto it by dup3(), so that a thread that is
 * just sending never meets a closed (or reused) number. When the daemon went away (ECONNREFUSED, ENOTCONN, ...) the path is
 * tried again at most once a second; in an empty root that fails and the process around us is asked for a connection. */
#include "feat/logs/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { RING_BYTES = 1 << 20, UNIX_SNDBUF = 1 << 20, RETRY_MS = 1000 };

struct sink {
        struct sink *next;
        enum log_via via;
        struct addr addr;
        const char *path;
        int key_fd;     /* LOG_VIA_FD: the number in the file */
        _Atomic int fd; /* of a local socket; -1 = never was connected */
        _Atomic bool broken, complained;
        _Atomic uint64_t retry_at; /* mono_t */
        _Atomic uint64_t dropped;
        struct store *store;         /* LOG_VIA_STORE */
        _Atomic(struct ring *) ring; /* of a local socket: made when it was too slow for the first time */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* connecting and making; never on a working path */
static _Atomic(struct sink *) sinks;                     /* only grows; at its head, under the lock */
static _Atomic int udp_fd[2] = { -1, -1 };

static bool is_same(const struct sink *s, const struct log_line *l)
{
        if (s->via != l->via)
                return false;
        if (l->via == LOG_VIA_UDP)
                return addr_eq(&s->addr, &l->addr);
        return l->via == LOG_VIA_FD ? s->key_fd == l->fd : strcmp(s->path, l->path) == 0;
}

static struct sink *find(const struct log_line *l)
{
        struct sink *s = atomic_load_explicit(&sinks, memory_order_acquire); /* pairs with the release of make() */

        while (s && !is_same(s, l))
                s = s->next;
        return s;
}

static struct sink *make(const struct log_line *l)
{
        struct sink *s = find(l); /* another thread may have been first */

        if (s)
                return s;
        s = calloc(1, sizeof(*s));
        ASSERT(s);
        s->via = l->via;
        s->addr = l->addr;
        s->path = l->path ? strdup(l->path) : NULL;
        s->key_fd = l->fd;
        atomic_init(&s->fd, -1);
        if (l->via == LOG_VIA_FD)
                atomic_init(&s->ring, ring_new(l->fd, RING_BYTES, false));
        if (l->via == LOG_VIA_STORE)
                s->store = store_get(l->path);
        s->next = atomic_load_explicit(&sinks, memory_order_relaxed);
        atomic_store_explicit(&sinks, s, memory_order_release);
        return s;
}

struct sink *sink_get(const struct log_line *l)
{
        struct sink *s = find(l);

        if (s)
                return s;
        (void)pthread_mutex_lock(&lock);
        s = make(l);
        (void)pthread_mutex_unlock(&lock);
        return s;
}

static void drop(struct sink *s)
{
        atomic_fetch_add_explicit(&s->dropped, 1, memory_order_relaxed);
}

/* ---- UDP: one unconnected socket per family, made at the first line ---- */

static int udp_socket(int family)
{
        _Atomic int *slot = &udp_fd[family == AF_INET6];
        int fd = atomic_load_explicit(slot, memory_order_acquire), none = -1;

        if (likely(fd >= 0))
                return fd;
        fd = thr_self->sys->socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return fd;
        if (atomic_compare_exchange_strong(slot, &none, fd))
                return fd;
        thr_self->sys->close(fd); /* another thread was first */
        return none;
}

static bool send_udp(struct sink *s, const struct iovec *v, int n)
{
        int fd = udp_socket(s->addr.sa.sa_family);

        return fd >= 0 && thr_self->sys->sendto(fd, v, n, &s->addr.sa, addr_len(&s->addr)) >= 0;
}

/* ---- local sockets ---- */

/* Puts a connected socket in place of the old one; takes `fd` over. */
static void install(struct sink *s, int fd)
{
        int old = atomic_load_explicit(&s->fd, memory_order_acquire);

        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        if (old < 0) {
                atomic_store_explicit(&s->fd, fd, memory_order_release);
        } else {
                (void)dup3(fd, old, O_CLOEXEC);
                thr_self->sys->close(fd);
        }
        atomic_store_explicit(&s->broken, false, memory_order_release);
}

static int connect_path(const char *path)
{
        const struct sys_ops *sys = thr_self->sys;
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        int fd, r, size = UNIX_SNDBUF;

        if (strlen(path) >= sizeof(un.sun_path))
                return -ENAMETOOLONG;
        memcpy(un.sun_path, path, strlen(path) + 1);
        fd = sys->socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return fd;
        (void)sys->setopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)); /* rides out a busy daemon's short stalls */
        r = sys->connect(fd, (const struct sockaddr *)&un, sizeof(un));
        if (r == 0)
                return fd;
        sys->close(fd);
        return r;
}

/* Once: who wrote a file's path there, or has no log daemon, would look for the lines in vain. */
static cold_path void complain(struct sink *s, int err)
{
        char text[512];
        int n;

        if (atomic_exchange_explicit(&s->complained, true, memory_order_relaxed))
                return;
        n = snprintf(
                text, sizeof(text),
                "cannot send logs to '%s': %s (errno=%d). A path is the local socket of a log daemon, never a file.",
                s->path, strerror(-err), -err);
        if (n > 0)
                log_driver->to_stderr(NULL, true, text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}

/* At most once a second. True: the socket is connected now. */
static cold_path bool reconnect(struct sink *s)
{
        mono_t now = thr_self->sys->mono();
        int fd;

        if (now < atomic_load_explicit(&s->retry_at, memory_order_relaxed))
                return false;
        (void)pthread_mutex_lock(&lock);
        if (now < atomic_load_explicit(&s->retry_at, memory_order_relaxed)) {
                (void)pthread_mutex_unlock(&lock);
                return false;
        }
        atomic_store_explicit(&s->retry_at, mono_add_ms(now, RETRY_MS), memory_order_relaxed);
        fd = connect_path(s->path);
        if (fd >= 0)
                install(s, fd);
        (void)pthread_mutex_unlock(&lock);
        if (fd < 0 && atomic_load_explicit(&s->fd, memory_order_acquire) < 0)
                complain(s, fd);
        if (fd < 0 && log_env.reopen)
                log_env.reopen(log_env.ctx, s->path);
        return fd >= 0;
}

static bool is_gone(ssize_t r)
{
        return r == -ECONNREFUSED || r == -ENOTCONN || r == -ENOENT || r == -ECONNRESET || r == -EPIPE || r == -EBADF ||
               r == -EDESTADDRREQ;
}

static struct ring *ring_of(const struct sink *s)
{
        return atomic_load_explicit(&s->ring, memory_order_acquire);
}

/* The number `fd` stays this sink's for life (install()), so the ring's thread may keep it. */
static cold_path bool wait_in_ring(struct sink *s, int fd, const struct iovec *v, int n)
{
        struct ring *r;

        (void)pthread_mutex_lock(&lock);
        r = ring_of(s);
        if (!r) {
                r = ring_new(fd, RING_BYTES, true);
                atomic_store_explicit(&s->ring, r, memory_order_release);
        }
        (void)pthread_mutex_unlock(&lock);
        return r && ring_put(r, v, n);
}

static bool send_unix(struct sink *s, const struct iovec *v, int n)
{
        int fd = atomic_load_explicit(&s->fd, memory_order_acquire);
        struct ring *ring = ring_of(s);
        ssize_t r = -ENOTCONN;

        if (unlikely(ring && ring_is_busy(ring)))
                return ring_put(ring, v, n);
        if (likely(fd >= 0 && !atomic_load_explicit(&s->broken, memory_order_acquire))) {
                r = thr_self->sys->send(fd, v, n, MSG_DONTWAIT);
                if (likely(r >= 0))
                        return true;
                if (r == -EAGAIN || r == -ENOBUFS)
                        return wait_in_ring(s, fd, v, n); /* the daemon is slow */
                if (!is_gone(r))
                        return false;
                atomic_store_explicit(&s->broken, true, memory_order_release);
        }
        if (!reconnect(s))
                return false;
        fd = atomic_load_explicit(&s->fd, memory_order_acquire);
        return thr_self->sys->send(fd, v, n, MSG_DONTWAIT) >= 0;
}

void sink_reopen(const char *path, int fd)
{
        struct sink *s = atomic_load_explicit(&sinks, memory_order_acquire);

        while (s && (s->via != LOG_VIA_UNIX || strcmp(s->path, path) != 0))
                s = s->next;
        if (!s) {
                /* Before the first logger is compiled: a connection made before the root is changed. */
                s = sink_get(&(struct log_line){ .via = LOG_VIA_UNIX, .path = path, .fd = -1 });
        }
        (void)pthread_mutex_lock(&lock);
        install(s, fd);
        (void)pthread_mutex_unlock(&lock);
}

/* ---- all ---- */

void sink_send(struct sink *s, const struct iovec *v, int n)
{
        bool ok = false;

        switch (s->via) {
        case LOG_VIA_UDP: ok = send_udp(s, v, n); break;
        case LOG_VIA_UNIX: ok = send_unix(s, v, n); break;
        case LOG_VIA_STORE: ok = store_put(s->store, v, n); break;
        case LOG_VIA_FD: ok = ring_of(s) && ring_put(ring_of(s), v, n); break;
        }
        if (unlikely(!ok))
                drop(s);
}

uint64_t sink_dropped(void)
{
        uint64_t n = 0;

        for (struct sink *s = atomic_load_explicit(&sinks, memory_order_acquire); s; s = s->next) {
                n += atomic_load_explicit(&s->dropped, memory_order_relaxed);
                n += ring_of(s) ? ring_lost(ring_of(s)) : 0;
        }
        return n;
}

uint64_t sink_dropped_fd(int fd)
{
        struct sink *s = find(&(struct log_line){ .via = LOG_VIA_FD, .fd = fd });

        if (!s)
                return 0;
        return atomic_load_explicit(&s->dropped, memory_order_relaxed) + (ring_of(s) ? ring_lost(ring_of(s)) : 0);
}

void sink_flush(unsigned max_ms)
{
        for (struct sink *s = atomic_load_explicit(&sinks, memory_order_acquire); s; s = s->next) {
                if (ring_of(s))
                        (void)ring_wait_empty(ring_of(s), max_ms);
        }
        (void)store_wait_sent(max_ms);
}
