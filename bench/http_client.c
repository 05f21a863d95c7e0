/* bench/http_client.c - edge-triggered, registered once; a short read means drained unless a hang-up was reported. */
#include "bench/http_client.h"
#include "base/assert.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

const char hcli_request[] = "GET /bench/item?id=1234567 HTTP/1.1\r\n"
                            "Host: bench.example.org\r\n"
                            "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0\r\n"
                            "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
                            "Accept-Language: en-US,en;q=0.5\r\n"
                            "Accept-Encoding: gzip, deflate, br\r\n"
                            "Cookie: session=0123456789\r\n"
                            "Referer: http://bench.example.org/start\r\n"
                            "Cache-Control: no-cache\r\n"
                            "X-Request-Id: 0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9\r\n"
                            "\r\n";
_Static_assert(sizeof(hcli_request) - 1 == HCLI_REQUEST_LEN, "the recipe says 436 bytes");

enum { CHUNK = 64 * 1024 };

static bool is_busy(const struct hcli *c)
{
        return c->state == HCLI_DIALING || c->state == HCLI_WAITING;
}

void hcli_close(struct hcli *c)
{
        if (c->state == HCLI_NONE)
                return;
        if (is_busy(c))
                c->job->busy--;
        (void)close(c->ev.fd);
        c->state = HCLI_NONE;
}

static void fail(struct hcli *c, enum job_error kind)
{
        job_error(c->job, kind);
        list_del(&c->idle);
        hcli_close(c);
}

static void push_request(struct hcli *c)
{
        ssize_t n = send(c->ev.fd, hcli_request + c->sent, HCLI_REQUEST_LEN - c->sent, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN) {
                fail(c, JOB_ERR_CLOSED);
        } else if (n > 0) {
                c->sent += (size_t)n;
                c->job->t.sent += (uint64_t)n;
        }
}

void hcli_send(struct hcli *c)
{
        ASSERT(c->state == HCLI_FREE);
        c->state = HCLI_WAITING;
        c->job->busy++;
        c->sent = 0;
        resp_reset(&c->resp);
        push_request(c);
}

static void become_free(struct hcli *c)
{
        c->state = HCLI_FREE;
        c->job->busy--;
        c->ready(c);
}

static enum job_error error_of(enum resp_answer a)
{
        if (a == RESP_BAD_STATUS)
                return JOB_ERR_STATUS;
        return a == RESP_BAD_BODY ? JOB_ERR_BODY : JOB_ERR_FRAMING;
}

/* Returns false when the connection is gone. */
static bool take(struct hcli *c, const char *p, size_t n)
{
        enum resp_answer a = RESP_EXTRA; /* nothing was asked for */

        c->job->t.rcvd += n;
        if (c->state == HCLI_WAITING)
                a = resp_feed(&c->resp, p, n, c->job->o.body);
        if (a != RESP_MORE && a != RESP_DONE) {
                fail(c, error_of(a));
                return false;
        }
        if (a == RESP_DONE) {
                c->answered++;
                job_unit(c->job, c->resp.body_at);
                become_free(c);
        }
        return c->state != HCLI_NONE;
}

static void pull(struct hcli *c, bool hang_up)
{
        static char chunk[CHUNK]; /* one thread: shared by all connections */
        ssize_t n;

        do {
                n = recv(c->ev.fd, chunk, sizeof(chunk), 0);
                if (n < 0 && errno == EAGAIN)
                        return;
                if (n <= 0) {
                        fail(c, JOB_ERR_CLOSED);
                        return;
                }
                if (!take(c, chunk, (size_t)n))
                        return;
        } while (hang_up || n == CHUNK);
}

/* The event that ends the dial. False when it failed. */
static bool connected(struct hcli *c)
{
        if (sock_error(c->ev.fd) != 0) {
                fail(c, JOB_ERR_CONNECT);
                return false;
        }
        c->job->t.conns++;
        become_free(c);
        return c->state != HCLI_NONE;
}

static void on_event(struct ev *e, uint32_t what)
{
        struct hcli *c = container_of(e, struct hcli, ev);

        if (c->state == HCLI_DIALING && !connected(c))
                return;
        if ((what & EPOLLOUT) && c->state == HCLI_WAITING && c->sent < HCLI_REQUEST_LEN)
                push_request(c);
        if ((what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && c->state != HCLI_NONE)
                pull(c, what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

void hcli_dial(struct hcli *c, struct job *j, void (*ready)(struct hcli *c))
{
        int fd = sock_dial(&j->o.target);

        *c = (struct hcli){ .ev = { on_event, fd }, .job = j, .ready = ready };
        list_init(&c->idle);
        if (fd < 0) {
                job_error(j, JOB_ERR_SYSTEM);
                return;
        }
        c->state = HCLI_DIALING;
        j->busy++;
        if (loop_add(&j->loop, &c->ev, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) != 0)
                fail(c, JOB_ERR_SYSTEM);
}
