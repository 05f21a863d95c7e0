/* bench/backend.h - the listening half of every mode: accepts into a fixed set of slots.
 *
 * Ownership: backend_close() ends the listener and every connection. `take` is called for each new connection with
 * its slot, whose ev.fd is set and not yet on the loop; backend_drop() gives the slot back. */
#ifndef BENCH_BACKEND_H
#define BENCH_BACKEND_H

#include "base/list.h"
#include "bench/job.h"

enum { BACKEND_BUF = 4096 };

struct backend_conn {
        struct ev ev;
        struct list link; /* free or in use */
        struct backend *owner;
        uint64_t out_at, in_at; /* bytes sent, bytes taken: the mode's own use */
        bool sending, seen;
        size_t have;
        char buf[BACKEND_BUF];
};

struct backend {
        struct ev ev;
        struct job *job;
        void (*take)(struct backend_conn *c);
        struct list unused, used;
        struct backend_conn *slots;
};

int backend_open(struct backend *b, struct job *j, void (*take)(struct backend_conn *c));
void backend_drop(struct backend_conn *c);
void backend_close(struct backend *b);

#endif
