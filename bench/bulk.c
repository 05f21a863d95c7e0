/* bench/bulk.c - mode bulk: N streams of 256 KiB writes. The receiver lets the kernel discard most of it (MSG_TRUNC),
 * so that it stays cheaper than the proxy, and compares a sample. At the end the senders close and every byte sent must
 * have arrived. Level-triggered and a few calls per event: an unbounded send loop starves the receiver it waits for. */
#include "base/assert.h"
#include "bench/backend.h"
#include "bench/modes.h"
#include "bench/pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WRITE = 256 * 1024, DISCARD = 4 << 20, SAMPLE = 16 * 1024, SAMPLE_EVERY = 64, PER_EVENT = 4 };

struct stream {
        struct ev ev; /* the client's end */
        struct job *job;
        bool up, open;
        uint64_t at; /* bytes received or sent by the client */
        unsigned reads;
};

struct bulk {
        struct backend backend;
        struct stream *streams;
};

/* One receive. Bytes, 0 at the end, -EAGAIN, -EBADMSG when a sample is not what was sent, or another -errno. */
static ssize_t receive(int fd, uint64_t at, bool sample)
{
        static char piece[SAMPLE];
        ssize_t n = recv(fd, sample ? piece : NULL, sample ? SAMPLE : DISCARD, sample ? 0 : MSG_TRUNC);

        if (n < 0)
                return -errno;
        return sample && !pattern_is(at, piece, (size_t)n) ? -EBADMSG : n;
}

/* A few writes. Bytes sent or -errno (0: the buffer is full). */
static ssize_t transmit(int fd, uint64_t at)
{
        ssize_t sum = 0;

        for (int i = 0; i < PER_EVENT; i++) {
                ssize_t n = send(fd, pattern_at(at + (uint64_t)sum), WRITE, MSG_NOSIGNAL);

                if (n < 0)
                        return errno == EAGAIN ? sum : -errno;
                sum += n;
                if (n < WRITE)
                        break;
        }
        return sum;
}

static enum job_error error_of(ssize_t err)
{
        return err == -EBADMSG ? JOB_ERR_BODY : JOB_ERR_CLOSED;
}

static void stream_end(struct stream *s)
{
        (void)close(s->ev.fd);
        s->open = false;
        s->job->busy--;
        s->job->open--;
}

static void stream_receive(struct stream *s)
{
        for (int i = 0; i < PER_EVENT; i++) {
                ssize_t n = receive(s->ev.fd, s->at, s->reads++ % SAMPLE_EVERY == 0);

                if (n == -EAGAIN)
                        return;
                if (n < 0 || (n == 0 && job_goes_on(s->job)))
                        job_error(s->job, error_of(n));
                if (n <= 0) {
                        stream_end(s);
                        return;
                }
                s->at += (uint64_t)n;
                s->job->t.rcvd += (uint64_t)n;
                job_unit(s->job, (uint64_t)n);
        }
}

/* Upload: at the end of the run the client closes its half and waits for the backend to close. */
static void stream_transmit(struct stream *s)
{
        ssize_t n = transmit(s->ev.fd, s->at);

        if (n < 0) {
                job_error(s->job, JOB_ERR_CLOSED);
                stream_end(s);
                return;
        }
        s->at += (uint64_t)n;
        s->job->t.sent += (uint64_t)n;
}

static void stream_connected(struct stream *s)
{
        if (sock_error(s->ev.fd) != 0) {
                job_error(s->job, JOB_ERR_CONNECT);
                stream_end(s);
                return;
        }
        s->up = true;
        s->job->t.conns++;
        if (!s->job->o.upload)
                (void)loop_set(&s->job->loop, &s->ev, EPOLLIN);
}

static void stream_event(struct ev *e, uint32_t what)
{
        struct stream *s = container_of(e, struct stream, ev);

        if (!s->up)
                stream_connected(s);
        else if (s->job->o.upload && (what & EPOLLOUT) && job_goes_on(s->job))
                stream_transmit(s);
        else
                stream_receive(s);
}

static void backend_end(struct backend_conn *c, ssize_t err)
{
        if (err < 0)
                job_error(c->owner->job, error_of(err));
        backend_drop(c);
}

static void backend_receive(struct backend_conn *c)
{
        struct job *j = c->owner->job;

        for (int i = 0; i < PER_EVENT; i++) {
                ssize_t n = receive(c->ev.fd, c->in_at, c->have++ % SAMPLE_EVERY == 0);

                if (n == -EAGAIN)
                        return;
                if (n <= 0) {
                        backend_end(c, n);
                        return;
                }
                c->in_at += (uint64_t)n;
                j->t.back_rcvd += (uint64_t)n;
                job_unit(j, (uint64_t)n);
        }
}

static void backend_transmit(struct backend_conn *c)
{
        ssize_t n = transmit(c->ev.fd, c->out_at);

        if (n < 0) {
                backend_end(c, n);
                return;
        }
        c->out_at += (uint64_t)n;
        c->owner->job->t.back_sent += (uint64_t)n;
}

/* Download: after the end of the run nothing is sent, and the proxy's close is the only thing that can come. */
static void backend_event(struct ev *e, uint32_t what)
{
        struct backend_conn *c = container_of(e, struct backend_conn, ev);

        if (c->owner->job->o.upload || !job_goes_on(c->owner->job))
                backend_receive(c);
        else if (what & EPOLLOUT)
                backend_transmit(c);
        else if (what & (EPOLLHUP | EPOLLERR))
                backend_end(c, -ECONNRESET);
}

static void on_take(struct backend_conn *c)
{
        struct job *j = c->owner->job;

        c->ev.fn = backend_event;
        if (!job_goes_on(j))
                backend_drop(c);
        else if (loop_add(&j->loop, &c->ev, j->o.upload ? EPOLLIN : EPOLLOUT) != 0)
                backend_end(c, -ENOMEM);
}

static int bulk_listen(struct job *j)
{
        struct bulk *m = calloc(1, sizeof(*m));

        if (!m)
                return -ENOMEM;
        j->mode_data = m;
        m->streams = calloc(j->o.conns, sizeof(*m->streams));
        return m->streams ? backend_open(&m->backend, j, on_take) : -ENOMEM;
}

static int bulk_start(struct job *j)
{
        struct bulk *m = j->mode_data;

        for (unsigned i = 0; i < j->o.conns; i++) {
                struct stream *s = &m->streams[i];

                s->job = j;
                s->ev = (struct ev){ stream_event, sock_dial(&j->o.target) };
                s->open = s->ev.fd >= 0;
                if (!s->open || loop_add(&j->loop, &s->ev, EPOLLIN | EPOLLOUT) != 0) {
                        job_error(j, JOB_ERR_SYSTEM);
                        continue;
                }
                j->busy++;
                j->open++;
        }
        return 0;
}

static void end_sending(struct job *j, struct ev *e)
{
        (void)shutdown(e->fd, SHUT_WR);
        (void)loop_set(&j->loop, e, EPOLLIN);
}

/* The senders end their half; each stream ends when its receiver has seen that. No close(): a thousand orphaned sockets
 * with full send buffers pass the kernel's limit for them, and it resets some. */
static void bulk_stop(struct job *j)
{
        struct bulk *m = j->mode_data;

        for (unsigned i = 0; j->o.upload && i < j->o.conns; i++)
                if (m->streams[i].open)
                        end_sending(j, &m->streams[i].ev);
        if (j->o.upload)
                return;
        list_for_each (l, &m->backend.used)
                end_sending(j, &list_item(l, struct backend_conn, link)->ev);
}

static void bulk_free(struct job *j)
{
        struct bulk *m = j->mode_data;

        for (unsigned i = 0; m->streams && i < j->o.conns; i++)
                if (m->streams[i].open)
                        (void)close(m->streams[i].ev.fd);
        backend_close(&m->backend);
        free(m->streams);
        free(m);
}

/* After the drain nothing may be missing. */
static void bulk_check(struct job *j)
{
        const struct tally *t = &j->t;

        if (j->o.upload ? t->sent != t->back_rcvd : t->back_sent != t->rcvd)
                job_error(j, JOB_ERR_BODY);
}

const struct mode mode_bulk = { .name = "bulk",
                                .listen = bulk_listen,
                                .start = bulk_start,
                                .stop = bulk_stop,
                                .check = bulk_check,
                                .free = bulk_free };
