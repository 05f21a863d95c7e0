/* feat/logs/ring.c - lines for stdout, stderr and inherited descriptors: a bounded ring and a thread that writes it out.
 *
 * Why a thread: such a descriptor may be a terminal, a pipe nobody reads or a full disk; O_NONBLOCK would leak into the
 * other users of the same open file (the user's shell), and a blocking write on a loop would stop traffic.
 * Lines stay whole: a batch handed to write(2) is made of whole lines and at most PIPE_BUF long (unless one line is
 * longer), so that lines of several processes on one pipe do not mix. */
#include "feat/logs/logs.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct ring {
        pthread_mutex_t lock;
        pthread_cond_t more, empty;
        int fd;
        bool started, writing;
        size_t batch; /* bytes of lines written at once; 1: a line by itself */
        atomic_bool busy;
        size_t head, used, cap; /* records: uint32_t length, bytes; wraps byte by byte */
        _Atomic uint64_t lost;
        char *p;
};

static void copy_in(struct ring *r, const void *src, size_t n)
{
        size_t at = (r->head + r->used) % r->cap, first = r->cap - at < n ? r->cap - at : n;

        memcpy(r->p + at, src, first);
        memcpy(r->p, (const char *)src + first, n - first);
        r->used += n;
}

static void copy_out(const struct ring *r, size_t skip, void *dst, size_t n)
{
        size_t at = (r->head + skip) % r->cap, first = r->cap - at < n ? r->cap - at : n;

        memcpy(dst, r->p + at, first);
        memcpy((char *)dst + first, r->p, n - first);
}

/* Takes whole lines, at most `room` bytes of text (or one line); under the lock. */
static size_t take(struct ring *r, char *dst, size_t room, uint64_t *ret_lines)
{
        size_t n = 0;
        uint32_t len;

        *ret_lines = 0;
        while (r->used) {
                copy_out(r, 0, &len, sizeof(len));
                if (n && n + len > room)
                        break;
                copy_out(r, sizeof(len), dst + n, len);
                r->head = (r->head + sizeof(len) + len) % r->cap;
                r->used -= sizeof(len) + len;
                n += len;
                ++*ret_lines;
        }
        return n;
}

/* Blocks as long as the descriptor does. False: the rest of the batch is lost. */
static bool write_all(int fd, const char *p, size_t n)
{
        while (n) {
                ssize_t w = write(fd, p, n);

                if (w > 0) {
                        p += w;
                        n -= (size_t)w;
                } else if (w < 0 && errno == EAGAIN) { /* somebody made it non-blocking */
                        struct pollfd pf = { .fd = fd, .events = POLLOUT };

                        (void)poll(&pf, 1, -1);
                } else if (w < 0 && errno != EINTR) {
                        return false;
                }
        }
        return true;
}

static void *writer(void *arg)
{
        struct ring *r = arg;
        char *batch = malloc(LOG_LEN_MAX + PIPE_BUF);
        uint64_t lines;
        size_t n;
        bool ok;

        ASSERT(batch);
        (void)pthread_mutex_lock(&r->lock);
        for (;;) {
                r->writing = false;
                if (!r->used)
                        atomic_store(&r->busy, false);
                if (!r->used)
                        (void)pthread_cond_broadcast(&r->empty);
                while (!r->used)
                        (void)pthread_cond_wait(&r->more, &r->lock);
                r->writing = true;
                n = take(r, batch, r->batch, &lines);
                (void)pthread_mutex_unlock(&r->lock);
                ok = write_all(r->fd, batch, n);
                if (!ok)
                        atomic_fetch_add_explicit(&r->lost, lines, memory_order_relaxed);
                (void)pthread_mutex_lock(&r->lock);
        }
        return NULL;
}

struct ring *ring_new(int fd, size_t bytes, bool datagrams)
{
        struct ring *r = calloc(1, sizeof(*r));

        if (!r)
                return NULL;
        r->p = malloc(bytes);
        if (!r->p) {
                free(r);
                return NULL;
        }
        r->cap = bytes;
        r->fd = fd;
        r->batch = datagrams ? 1 : PIPE_BUF;
        (void)pthread_mutex_init(&r->lock, NULL);
        (void)pthread_cond_init(&r->more, NULL);
        (void)pthread_cond_init(&r->empty, NULL);
        return r;
}

/* The first line starts the thread: the process that logs is the last of a row of forks. */
static void start(struct ring *r)
{
        sigset_t all, was;
        pthread_t t;

        (void)sigfillset(&all); /* signals belong to the control loop */
        (void)pthread_sigmask(SIG_SETMASK, &all, &was);
        r->started = pthread_create(&t, NULL, writer, r) == 0;
        if (r->started)
                (void)pthread_detach(t);
        (void)pthread_sigmask(SIG_SETMASK, &was, NULL);
}

bool ring_put(struct ring *r, const struct iovec *v, int n)
{
        uint32_t len = 0;
        bool ok;

        for (int i = 0; i < n; i++)
                len += (uint32_t)v[i].iov_len;
        if (len > LOG_LEN_MAX)
                return false;
        (void)pthread_mutex_lock(&r->lock);
        if (!r->started)
                start(r);
        ok = r->started && r->cap - r->used >= sizeof(len) + len;
        if (ok) {
                atomic_store(&r->busy, true);
                copy_in(r, &len, sizeof(len));
                for (int i = 0; i < n; i++)
                        copy_in(r, v[i].iov_base, v[i].iov_len);
                if (!r->writing)
                        (void)pthread_cond_signal(&r->more);
        }
        (void)pthread_mutex_unlock(&r->lock);
        return ok;
}

bool ring_is_busy(const struct ring *r)
{
        return atomic_load(&r->busy);
}

bool ring_wait_empty(struct ring *r, unsigned max_ms)
{
        struct timespec until;
        bool done;

        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += max_ms / 1000;
        until.tv_nsec += (long)(max_ms % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
                until.tv_sec++;
                until.tv_nsec -= 1000000000;
        }
        (void)pthread_mutex_lock(&r->lock);
        while (r->started && (r->used || r->writing)) {
                if (pthread_cond_timedwait(&r->empty, &r->lock, &until) != 0)
                        break;
        }
        done = !r->started || (!r->used && !r->writing);
        (void)pthread_mutex_unlock(&r->lock);
        return done;
}

uint64_t ring_lost(const struct ring *r)
{
        return atomic_load_explicit(&r->lost, memory_order_relaxed);
}
