/* main/outbox.h - what the supervisor says to a worker that may not listen: nothing here ever waits.
 *
 * A message goes out at once; when the channel is full it waits here with duplicates of its descriptors, and all later ones behind it.
 * Over OUTBOX_MAX bytes or OUTBOX_FDS descriptors a message is refused: the caller ends such a worker.
 * Threads: the supervisor's.  Ownership: caller's storage; the channel is borrowed. */
#ifndef MAIN_OUTBOX_H
#define MAIN_OUTBOX_H

#include "ev/loop.h"
#include "main/channel.h"

#define OUTBOX_MAX ((size_t)64 << 20) /* a whole journal and all sockets of a large configuration */
#define OUTBOX_FDS 65536

struct outbox {
        struct loop *loop;
        int fd;
        struct list waiting;
        size_t bytes, n_fds;
        struct timer again;
};

void outbox_init(struct outbox *o, struct loop *l, int fd);
void outbox_fini(struct outbox *o); /* what waits is dropped */
/* 0 = sent, or it will be; negative errno: never. The fds stay the caller's. */
int outbox_send(struct outbox *o, enum channel_type t, const struct channel_arg *args, const int *fds, unsigned n_fds);
/* Only if it can go at once: -EAGAIN. */
int outbox_try(struct outbox *o, enum channel_type t, const struct channel_arg *args, const int *fds, unsigned n_fds);

#endif
