/* bench/http.c - mode http: closed loop, or open loop with the latency from the moment the request was due (so that a
 * stall of the proxy is charged to every request it delays, not to one). */
#include "bench/http_client.h"
#include "bench/http_server.h"
#include "bench/modes.h"

#include <errno.h>
#include <stdlib.h>

struct http {
        struct hsrv server;
        struct hcli *clients;
        struct list idle; /* open loop: free connections, longest free first */
        uint64_t asked, from_ns;
};

static bool may_ask(const struct job *j, const struct http *h)
{
        return job_goes_on(j) && (j->o.requests == 0 || h->asked < j->o.requests);
}

static void ask(struct hcli *c, struct http *h)
{
        h->asked++;
        hcli_send(c);
}

static void ready_closed(struct hcli *c)
{
        struct http *h = c->job->mode_data;

        if (may_ask(c->job, h))
                ask(c, h);
}

static void ready_open(struct hcli *c)
{
        struct http *h = c->job->mode_data;

        if (c->due_ns)
                job_latency(c->job, clock_now_ns() - c->due_ns);
        c->due_ns = 0;
        list_push(&h->idle, &c->idle);
}

/* Sends what is due; what finds no free connection stays due, and its latency grows. */
static void turn(struct job *j)
{
        struct http *h = j->mode_data;
        uint64_t now = clock_now_ns();

        if (!j->o.rate)
                return;
        while (may_ask(j, h) && !list_empty(&h->idle)) {
                uint64_t due = h->from_ns + h->asked * 1000000000u / j->o.rate;
                struct hcli *c;

                if (due > now)
                        return;
                c = list_item(list_pop(&h->idle), struct hcli, idle);
                c->due_ns = due;
                ask(c, h);
        }
}

static int http_listen(struct job *j)
{
        struct http *h = calloc(1, sizeof(*h));

        if (!h)
                return -ENOMEM;
        j->mode_data = h;
        list_init(&h->idle);
        h->clients = calloc(j->o.conns, sizeof(*h->clients));
        return h->clients ? hsrv_open(&h->server, j) : -ENOMEM;
}

static int http_start(struct job *j)
{
        struct http *h = j->mode_data;

        j->loop.spin = j->o.rate > 0;
        h->from_ns = clock_now_ns();
        for (unsigned i = 0; i < j->o.conns; i++)
                hcli_dial(&h->clients[i], j, j->o.rate ? ready_open : ready_closed);
        return 0;
}

static void http_free(struct job *j)
{
        struct http *h = j->mode_data;

        for (unsigned i = 0; h->clients && i < j->o.conns; i++)
                hcli_close(&h->clients[i]);
        hsrv_close(&h->server);
        free(h->clients);
        free(h);
}

const struct mode mode_http = {
        .name = "http", .listen = http_listen, .start = http_start, .turn = turn, .free = http_free
};
