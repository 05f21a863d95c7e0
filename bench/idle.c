/* bench/idle.c - mode idle: opens N connections, a few at a time (so that an HTTP proxy does not pile up backend
 * connections), holds them, and reads the growth of the proxy's resident set. Over HTTP each has had one request. */
#include "bench/http_client.h"
#include "bench/http_server.h"
#include "bench/modes.h"

#include <errno.h>
#include <stdlib.h>

struct idle {
        struct hsrv server;
        struct hcli *clients;
        unsigned dialled;
};

static void dial_next(struct job *j);

static void ready(struct hcli *c)
{
        if (!c->job->o.tcp && c->answered == 0) {
                hcli_send(c);
                return;
        }
        c->job->open++;
        dial_next(c->job);
}

static void dial_next(struct job *j)
{
        struct idle *d = j->mode_data;

        if (d->dialled < j->o.conns && job_goes_on(j))
                hcli_dial(&d->clients[d->dialled++], j, ready);
}

/* A TCP session is complete only when the proxy has also reached the backend. */
static void turn(struct job *j)
{
        if (j->phase == JOB_WARM && j->open == j->o.conns && (!j->o.tcp || j->t.back_conns >= j->o.conns))
                job_hold(j);
}

static int idle_listen(struct job *j)
{
        struct idle *d = calloc(1, sizeof(*d));

        if (!d)
                return -ENOMEM;
        j->mode_data = d;
        d->clients = calloc(j->o.conns, sizeof(*d->clients));
        return d->clients ? hsrv_open(&d->server, j) : -ENOMEM;
}

static int idle_start(struct job *j)
{
        for (unsigned i = 0; i < j->o.at_once; i++)
                dial_next(j);
        return 0;
}

static void idle_free(struct job *j)
{
        struct idle *d = j->mode_data;

        for (unsigned i = 0; d->clients && i < j->o.conns; i++)
                hcli_close(&d->clients[i]);
        hsrv_close(&d->server);
        free(d->clients);
        free(d);
}

const struct mode mode_idle = {
        .name = "idle", .listen = idle_listen, .start = idle_start, .turn = turn, .free = idle_free, .by_hand = true
};
