/* bench/backend.c - slots are allocated once; untouched ones cost no memory. */
#include "bench/backend.h"
#include "base/assert.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
        SLOTS = JOB_CONNS_MAX + 500, /* more than the clients: health checks, connections about to close */
        PER_EVENT = 64,
};

static void take_one(struct backend *b, int fd)
{
        struct list *l = list_pop(&b->unused);
        struct backend_conn *c;

        if (!l) {
                (void)close(fd);
                job_error(b->job, JOB_ERR_SYSTEM);
                return;
        }
        c = list_item(l, struct backend_conn, link);
        c->ev.fd = fd;
        c->owner = b;
        c->out_at = c->in_at = c->have = 0;
        c->sending = c->seen = false;
        list_push(&b->used, &c->link);
        b->job->t.back_conns++;
        b->take(c);
}

static void on_accept(struct ev *e, uint32_t what)
{
        struct backend *b = container_of(e, struct backend, ev);

        (void)what;
        for (int i = 0; i < PER_EVENT; i++) {
                int fd = sock_accept(e->fd);

                if (fd == -EAGAIN || fd == -ECONNABORTED)
                        return;
                if (fd < 0) {
                        job_error(b->job, JOB_ERR_SYSTEM);
                        return;
                }
                take_one(b, fd);
        }
}

int backend_open(struct backend *b, struct job *j, void (*take)(struct backend_conn *c))
{
        *b = (struct backend){ .ev = { on_accept, -1 }, .job = j, .take = take };
        list_init(&b->unused);
        list_init(&b->used);
        b->slots = calloc(SLOTS, sizeof(*b->slots));
        if (!b->slots)
                return -ENOMEM;
        for (int i = 0; i < SLOTS; i++)
                list_push(&b->unused, &b->slots[i].link);
        b->ev.fd = sock_listen(&j->o.listen);
        if (b->ev.fd < 0)
                return b->ev.fd;
        if (!j->o.has_target)
                j->o.target = j->o.listen;
        return loop_add(&j->loop, &b->ev, EPOLLIN);
}

void backend_drop(struct backend_conn *c)
{
        (void)close(c->ev.fd);
        c->ev.fd = -1;
        list_del(&c->link);
        list_push(&c->owner->unused, &c->link);
}

void backend_close(struct backend *b)
{
        if (!b->slots)
                return;
        list_for_each_safe (i, &b->used)
                backend_drop(list_item(i, struct backend_conn, link));
        if (b->ev.fd >= 0)
                (void)close(b->ev.fd);
        free(b->slots);
        b->slots = NULL;
}
