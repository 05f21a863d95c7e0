/* feat/logs/forward.c - sends the lines of a ring to a log server over TCP or a unix stream (RFC 6587).
 *
 * Why a thread: a server may take nothing for minutes, and the lines must go in order; a loop would need all of this as states.
 * A line that was not written as a whole is sent again over the next connection. */
#include "feat/logs/store.h"

#include "base/assert.h"
#include "base/thr.h"
#include "core/put.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 65536, RETRY_MS = 1000, INTRO = 16 };

struct forward {
        struct store *store;
        struct store_target target; /* own copies of its strings */
        uint64_t pos;
        int connect_ms, server_ms;
        bool started, stop;
        int fd;
        char line[INTRO + LINE_MAX_BYTES + 1];
};

static bool is_before(const struct timespec *t)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_REALTIME, &now);
        return now.tv_sec != t->tv_sec ? now.tv_sec < t->tv_sec : now.tv_nsec < t->tv_nsec;
}

/* New lines end it no sooner. */
static void pause_ms(struct forward *f, int ms)
{
        struct timespec until;

        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += ms / 1000;
        until.tv_nsec += (long)(ms % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
                until.tv_sec++;
                until.tv_nsec -= 1000000000;
        }
        store_lock(f->store);
        while (!f->stop && is_before(&until))
                store_wait(f->store, &until);
        store_unlock(f->store);
}

static bool await(int fd, short events, int ms)
{
        struct pollfd p = { .fd = fd, .events = events };
        int r;

        do
                r = poll(&p, 1, ms);
        while (r < 0 && errno == EINTR);
        return r > 0;
}

static int open_socket(const struct forward *f)
{
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        const struct sockaddr *sa = &f->target.addr.sa;
        socklen_t len = addr_len(&f->target.addr);
        int fd, one = 1;

        if (f->target.path) {
                memcpy(un.sun_path, f->target.path, strlen(f->target.path) + 1);
                sa = (const struct sockaddr *)&un;
                len = sizeof(un);
        }
        fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (connect(fd, sa, len) == 0 || errno == EINPROGRESS)
                return fd;
        (void)close(fd);
        return -1;
}

static bool is_connected(struct forward *f)
{
        int err = 0;
        socklen_t len = sizeof(err);

        if (f->fd >= 0)
                return true;
        f->fd = open_socket(f);
        if (f->fd < 0)
                return false;
        if (await(f->fd, POLLOUT, f->connect_ms) && getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 &&
            err == 0)
                return true;
        (void)close(f->fd);
        f->fd = -1;
        return false;
}

static void hang_up(struct forward *f)
{
        (void)close(f->fd);
        f->fd = -1;
}

/* A server that went says so by an end of its side, before a line is lost into its socket. What it says else is nobody's. */
static bool is_gone(const struct forward *f)
{
        char junk[256];
        ssize_t r;

        do
                r = recv(f->fd, junk, sizeof(junk), MSG_DONTWAIT);
        while (r > 0);
        return r == 0 || (errno != EAGAIN && errno != EINTR);
}

static bool send_all(const struct forward *f, const char *p, size_t n)
{
        while (n) {
                ssize_t w = send(f->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

                if (w > 0) {
                        p += w;
                        n -= (size_t)w;
                } else if (w < 0 && errno != EAGAIN && errno != EINTR) {
                        return false;
                } else if (!await(f->fd, POLLOUT, f->server_ms)) {
                        return false;
                }
        }
        return true;
}

/* The line at f->line + INTRO, framed. */
static bool send_line(struct forward *f, size_t n)
{
        char *p = f->line + INTRO, head[INTRO];
        size_t len;

        if (!f->target.octets) {
                p[n] = '\n';
                return send_all(f, p, n + 1);
        }
        len = (size_t)(put_u64(head, head + sizeof(head) - 1, n) - head);
        head[len++] = ' ';
        memcpy(p - len, head, len);
        return send_all(f, p - len, n + len);
}

/* The next line, not taken yet: its place behind it in *ret_next. False: stop. */
static bool await_line(struct forward *f, size_t *ret_n, uint64_t *ret_next)
{
        bool there;

        store_lock(f->store);
        for (;;) {
                *ret_next = f->pos;
                there = !f->stop && store_line(f->store, ret_next, f->line + INTRO, LINE_MAX_BYTES, ret_n);
                if (there || f->stop)
                        break;
                store_wait(f->store, NULL);
        }
        store_unlock(f->store);
        return there;
}

static void taken(struct forward *f, uint64_t next)
{
        store_lock(f->store);
        f->pos = next;
        store_unlock(f->store);
}

static void forward_free(struct forward *f)
{
        if (f->fd >= 0)
                (void)close(f->fd);
        free((char *)(uintptr_t)f->target.text);
        free((char *)(uintptr_t)f->target.path);
        free(f);
}

static void *run(void *arg)
{
        struct forward *f = arg;
        uint64_t next;
        size_t n;

        while (await_line(f, &n, &next)) {
                if (f->fd >= 0 && is_gone(f))
                        hang_up(f);
                if (!is_connected(f)) {
                        pause_ms(f, RETRY_MS);
                        continue;
                }
                if (send_line(f, n))
                        taken(f, next);
                else
                        hang_up(f);
        }
        forward_free(f);
        return NULL;
}

struct forward *forward_new(struct store *s, const struct store_target *t, uint64_t pos)
{
        struct forward *f = malloc(sizeof(*f));

        ASSERT(f);
        memset(f, 0, offsetof(struct forward, line));
        f->store = s;
        f->target = *t;
        f->target.prev = NULL;
        f->target.text = strdup(t->text);
        f->target.path = t->path ? strdup(t->path) : NULL;
        f->pos = pos;
        f->fd = -1;
        return f;
}

bool forward_is(const struct forward *f, const struct store_target *t)
{
        return strcmp(f->target.text, t->text) == 0 && f->target.octets == t->octets &&
               addr_eq(&f->target.addr, &t->addr);
}

void forward_times(struct forward *f, int connect_ms, int server_ms)
{
        f->connect_ms = connect_ms ? connect_ms : -1;
        f->server_ms = server_ms ? server_ms : -1;
}

uint64_t forward_pos(const struct forward *f)
{
        return f->pos;
}

/* The first line starts the thread: the process that logs is the last of a row of forks. */
void forward_wake(struct forward *f)
{
        sigset_t all, was;
        pthread_t t;

        if (f->started)
                return;
        (void)sigfillset(&all); /* signals belong to the control loop */
        (void)pthread_sigmask(SIG_SETMASK, &all, &was);
        f->started = pthread_create(&t, NULL, run, f) == 0;
        if (f->started)
                (void)pthread_detach(t);
        (void)pthread_sigmask(SIG_SETMASK, &was, NULL);
}

void forward_stop(struct forward *f)
{
        f->stop = true;
        if (!f->started)
                forward_free(f);
}
