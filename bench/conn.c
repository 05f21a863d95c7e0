/* bench/conn.c - mode conn: each client connects, sends 64 bytes, expects 128 and the end, and begins again. The
 * backend closes first, so neither the clients nor the proxy's outgoing side are left in TIME-WAIT, and ports do not
 * run out. */
#include "base/assert.h"
#include "bench/backend.h"
#include "bench/modes.h"
#include "bench/pattern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST = 64, RESPONSE = 128, ANY_INPUT = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR };

struct client {
        struct ev ev;
        struct job *job;
        bool asked; /* the request has left */
        size_t have;
        char buf[RESPONSE + 1]; /* one more than expected, to notice it */
};

struct conn_mode {
        struct backend backend;
        struct client *clients;
        uint64_t asked;
};

static void dial(struct client *c);

static void finish(struct client *c)
{
        (void)close(c->ev.fd);
        c->ev.fd = -1;
        c->job->busy--;
}

static void fail(struct client *c, enum job_error kind)
{
        job_error(c->job, kind);
        finish(c);
}

/* The peer has closed: this is a unit of work if everything came. */
static void at_end(struct client *c)
{
        if (c->have != RESPONSE) {
                fail(c, JOB_ERR_CLOSED);
        } else if (!pattern_is(0, c->buf, RESPONSE)) {
                fail(c, JOB_ERR_BODY);
        } else {
                finish(c);
                job_unit(c->job, RESPONSE);
                dial(c);
        }
}

/* A hang-up was reported before the receive: then what we get is all there will be, and no second call has to ask. */
static void client_pull(struct client *c, bool hang_up)
{
        ssize_t n = recv(c->ev.fd, c->buf + c->have, sizeof(c->buf) - c->have, 0);

        if (n < 0 && errno == EAGAIN)
                return;
        if (n < 0 || c->have + (size_t)n > RESPONSE) {
                fail(c, n < 0 ? JOB_ERR_CLOSED : JOB_ERR_FRAMING);
                return;
        }
        c->have += (size_t)n;
        c->job->t.rcvd += (uint64_t)n;
        if (n == 0 || hang_up)
                at_end(c);
}

/* On loopback the handshake is over when connect() returns, so the request usually leaves at once; otherwise with the
 * first event. False when the connection is gone. */
static bool client_ask(struct client *c)
{
        ssize_t n = send(c->ev.fd, pattern_at(0), REQUEST, MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN)
                return true;
        if (n != REQUEST) {
                fail(c, n < 0 ? JOB_ERR_CONNECT : JOB_ERR_CLOSED);
                return false;
        }
        c->asked = true;
        c->job->t.conns++;
        c->job->t.sent += REQUEST;
        return true;
}

static void client_event(struct ev *e, uint32_t what)
{
        struct client *c = container_of(e, struct client, ev);

        if (!c->asked && (!client_ask(c) || !c->asked))
                return;
        if (what & ANY_INPUT)
                client_pull(c, what & (EPOLLRDHUP | EPOLLHUP));
}

static void dial(struct client *c)
{
        struct job *j = c->job;
        struct conn_mode *m = j->mode_data;

        if (!job_goes_on(j) || (j->o.requests && m->asked >= j->o.requests))
                return;
        m->asked++;
        c->asked = false;
        c->have = 0;
        c->ev = (struct ev){ client_event, sock_dial(&j->o.target) };
        if (c->ev.fd < 0) {
                job_error(j, c->ev.fd == -ECONNREFUSED ? JOB_ERR_CONNECT : JOB_ERR_SYSTEM);
                return;
        }
        j->busy++;
        if (!client_ask(c))
                return;
        if (loop_add(&j->loop, &c->ev, EPOLLIN | EPOLLRDHUP | EPOLLET | (c->asked ? 0 : EPOLLOUT)) != 0)
                fail(c, JOB_ERR_SYSTEM);
}

/* False when there is nothing to receive yet. */
static bool backend_pull(struct backend_conn *c)
{
        struct job *j = c->owner->job;
        ssize_t n = recv(c->ev.fd, c->buf + c->have, sizeof(c->buf) - c->have, 0);

        if (n < 0 && errno == EAGAIN)
                return false;
        c->have += n > 0 ? (size_t)n : 0;
        j->t.back_rcvd += n > 0 ? (uint64_t)n : 0;
        if (n > 0 && c->have < REQUEST)
                return false;
        if (c->have == REQUEST && pattern_is(0, c->buf, REQUEST)) {
                if (send(c->ev.fd, pattern_at(0), RESPONSE, MSG_NOSIGNAL) == RESPONSE)
                        j->t.back_sent += RESPONSE;
                j->t.back_units++;
        } else if (c->have) { /* nothing at all is a health check */
                job_error(j, JOB_ERR_REQUEST);
        }
        backend_drop(c);
        return true;
}

static void backend_event(struct ev *e, uint32_t what)
{
        (void)what;
        (void)backend_pull(container_of(e, struct backend_conn, ev));
}

/* The request is often there already; then the connection never meets epoll. */
static void on_take(struct backend_conn *c)
{
        if (backend_pull(c))
                return;
        c->ev.fn = backend_event;
        if (loop_add(&c->owner->job->loop, &c->ev, EPOLLIN | EPOLLRDHUP) != 0) {
                job_error(c->owner->job, JOB_ERR_SYSTEM);
                backend_drop(c);
        }
}

static int conn_listen(struct job *j)
{
        struct conn_mode *m = calloc(1, sizeof(*m));

        if (!m)
                return -ENOMEM;
        j->mode_data = m;
        m->clients = calloc(j->o.conns, sizeof(*m->clients));
        return m->clients ? backend_open(&m->backend, j, on_take) : -ENOMEM;
}

static int conn_start(struct job *j)
{
        struct conn_mode *m = j->mode_data;

        for (unsigned i = 0; i < j->o.conns; i++) {
                m->clients[i].job = j;
                m->clients[i].ev.fd = -1;
                dial(&m->clients[i]);
        }
        return 0;
}

static void conn_free(struct job *j)
{
        struct conn_mode *m = j->mode_data;

        for (unsigned i = 0; m->clients && i < j->o.conns; i++)
                if (m->clients[i].job && m->clients[i].ev.fd >= 0)
                        (void)close(m->clients[i].ev.fd);
        backend_close(&m->backend);
        free(m->clients);
        free(m);
}

const struct mode mode_conn = { .name = "conn", .listen = conn_listen, .start = conn_start, .free = conn_free };
