/* bench/http_server.c - reads a head, sends the answer; requests have no body. */
#include "bench/http_server.h"
#include "base/assert.h"
#include "base/str.h"
#include "bench/http_client.h"
#include "bench/pattern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static struct hsrv *server_of(struct backend_conn *c)
{
        return container_of(c->owner, struct hsrv, backend);
}

/* Does the head hold this field line? Field names may come back in another case (RFC 9110 5.1). */
static bool has_field(struct str head, struct str line)
{
        size_t name_n = (size_t)((const char *)memchr(line.p, ':', line.n) - line.p);

        while (head.n) {
                const char *nl = memchr(head.p, '\n', head.n);
                size_t n = nl ? (size_t)(nl - head.p) + 1 : head.n;

                if (n == line.n && str_ieq(str_sub(head, 0, name_n), str_sub(line, 0, name_n)) &&
                    memcmp(head.p + name_n, line.p + name_n, n - name_n) == 0)
                        return true;
                head = str_sub(head, n, head.n - n);
        }
        return false;
}

static bool is_unchanged(struct str head)
{
        struct str rest = { hcli_request, HCLI_REQUEST_LEN - 2 };

        for (bool first = true; rest.n; first = false) {
                size_t n = (size_t)((const char *)memchr(rest.p, '\n', rest.n) - rest.p) + 1;

                if (!first && !has_field(head, str_sub(rest, 0, n)))
                        return false;
                rest = str_sub(rest, n, rest.n - n);
        }
        return true;
}

static bool request_ok(struct backend_conn *c, struct str head)
{
        static const size_t line_n = sizeof("GET /bench/item?id=1234567 HTTP/1.1\r\n") - 1;
        bool ok = head.n > line_n && memcmp(head.p, hcli_request, line_n) == 0;

        if (ok && !c->seen)
                ok = is_unchanged(head);
        c->seen = true;
        return ok;
}

/* False when the connection is gone. */
static bool push_answer(struct backend_conn *c)
{
        struct hsrv *s = server_of(c);
        ssize_t n = send(c->ev.fd, s->answer + c->out_at, s->answer_n - c->out_at, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN) {
                job_error(c->owner->job, JOB_ERR_CLOSED);
                backend_drop(c);
                return false;
        }
        c->out_at += n > 0 ? (size_t)n : 0;
        c->owner->job->t.back_sent += n > 0 ? (uint64_t)n : 0;
        c->sending = c->out_at < s->answer_n;
        return true;
}

/* Answers the request at the front of the buffer, if it is complete. False when the connection is gone. */
static bool answer(struct backend_conn *c)
{
        const char *e = memmem(c->buf, c->have, "\r\n\r\n", 4);
        size_t n = e ? (size_t)(e - c->buf) + 4 : 0;

        if (!n && c->have < sizeof(c->buf))
                return true;
        if (!n || n != c->have || !request_ok(c, (struct str){ c->buf, n - 2 })) {
                job_error(c->owner->job, JOB_ERR_REQUEST); /* also: more than one request at once */
                backend_drop(c);
                return false;
        }
        c->have = 0;
        c->out_at = 0;
        c->owner->job->t.back_units++;
        return push_answer(c);
}

static void pull(struct backend_conn *c, bool hang_up)
{
        for (;;) {
                size_t room = sizeof(c->buf) - c->have;
                ssize_t n = recv(c->ev.fd, c->buf + c->have, room, 0);

                if (n < 0 && errno == EAGAIN)
                        return;
                if (n <= 0) { /* the proxy may close an idle connection; an unfinished one shows at the client */
                        backend_drop(c);
                        return;
                }
                c->have += (size_t)n;
                c->owner->job->t.back_rcvd += (uint64_t)n;
                if (!answer(c) || (!hang_up && (size_t)n < room))
                        return;
        }
}

static void on_event(struct ev *e, uint32_t what)
{
        struct backend_conn *c = container_of(e, struct backend_conn, ev);

        if ((what & EPOLLOUT) && c->sending && !push_answer(c))
                return;
        if (what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
                pull(c, what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

static void on_take(struct backend_conn *c)
{
        c->ev.fn = on_event;
        if (loop_add(&c->owner->job->loop, &c->ev, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) != 0) {
                job_error(c->owner->job, JOB_ERR_SYSTEM);
                backend_drop(c);
        }
}

int hsrv_open(struct hsrv *s, struct job *j)
{
        char head[256];
        int n = snprintf(head, sizeof(head),
                         "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                         "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n\r\n",
                         j->o.body);

        s->answer_n = (size_t)n + j->o.body;
        s->answer = malloc(s->answer_n);
        if (!s->answer)
                return -ENOMEM;
        memcpy(s->answer, head, (size_t)n);
        pattern_fill(0, s->answer + n, j->o.body);
        return backend_open(&s->backend, j, on_take);
}

void hsrv_close(struct hsrv *s)
{
        backend_close(&s->backend);
        free(s->answer);
        s->answer = NULL;
}
