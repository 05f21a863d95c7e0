/* main/outbox.c - see the header. A full channel is looked at again by a timer: it is rare, and its other end is woken by reading. */
#include "main/outbox.h"

#include "base/thr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define AGAIN_MS 5

struct letter {
        struct list link;
        int *fds;
        unsigned n_fds;
        size_t n;
        char bytes[];
};

static void letter_free(struct letter *l)
{
        for (unsigned i = 0; i < l->n_fds; i++)
                (void)close(l->fds[i]);
        free(l->fds);
        free(l);
}

static void drop_first(struct outbox *o)
{
        struct letter *l = list_first(&o->waiting, struct letter, link);

        list_del(&l->link);
        o->bytes -= l->n;
        o->n_fds -= l->n_fds;
        letter_free(l);
}

static void look_again(struct outbox *o)
{
        timer_start(o->loop, &o->again, mono_add_ms(thr_self->now, AGAIN_MS));
}

static void again_due(struct timer *t)
{
        struct outbox *o = container_of(t, struct outbox, again);

        while (!list_empty(&o->waiting)) {
                const struct letter *l = list_first(&o->waiting, struct letter, link);

                if (channel_post(o->fd, (struct str){ l->bytes, l->n }, l->fds, l->n_fds) == -EAGAIN) {
                        look_again(o);
                        return;
                }
                drop_first(o); /* sent; or its reader is gone, and that is heard elsewhere */
        }
}

void outbox_init(struct outbox *o, struct loop *l, int fd)
{
        *o = (struct outbox){ .loop = l, .fd = fd };
        list_init(&o->waiting);
        timer_init(&o->again, again_due);
}

void outbox_fini(struct outbox *o)
{
        timer_stop(o->loop, &o->again);
        while (!list_empty(&o->waiting))
                drop_first(o);
}

static bool copy_fds(struct letter *l, const int *fds, unsigned n)
{
        l->fds = n ? calloc(n, sizeof(*fds)) : NULL;
        if (n && !l->fds)
                return false;
        for (; l->n_fds < n; l->n_fds++) {
                l->fds[l->n_fds] = fcntl(fds[l->n_fds], F_DUPFD_CLOEXEC, 0);
                if (l->fds[l->n_fds] < 0)
                        return false;
        }
        return true;
}

static int put(struct outbox *o, struct str packet, const int *fds, unsigned n_fds)
{
        struct letter *l;

        if (o->bytes + packet.n > OUTBOX_MAX || o->n_fds + n_fds > OUTBOX_FDS)
                return -ENOBUFS;
        l = calloc(1, sizeof(*l) + packet.n);
        if (!l)
                return -ENOMEM;
        if (!copy_fds(l, fds, n_fds)) {
                letter_free(l);
                return -EMFILE;
        }
        l->n = packet.n;
        memcpy(l->bytes, packet.p, packet.n);
        if (list_empty(&o->waiting))
                look_again(o);
        list_push(&o->waiting, &l->link);
        o->bytes += l->n;
        o->n_fds += l->n_fds;
        return 0;
}

int outbox_send(struct outbox *o, enum channel_type t, const struct channel_arg *args, const int *fds, unsigned n_fds)
{
        int e = -EAGAIN;
        AUTO_BUF(b);

        if (n_fds > CHANNEL_FDS || !channel_encode(t, args, &b))
                return -EMSGSIZE;
        if (list_empty(&o->waiting))
                e = channel_post(o->fd, buf_view(&b), fds, n_fds);
        return e == -EAGAIN ? put(o, buf_view(&b), fds, n_fds) : e;
}

int outbox_try(struct outbox *o, enum channel_type t, const struct channel_arg *args, const int *fds, unsigned n_fds)
{
        AUTO_BUF(b);

        if (n_fds > CHANNEL_FDS || !channel_encode(t, args, &b))
                return -EMSGSIZE;
        return list_empty(&o->waiting) ? channel_post(o->fd, buf_view(&b), fds, n_fds) : -EAGAIN;
}
