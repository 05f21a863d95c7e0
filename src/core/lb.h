/* core/lb.h - choosing a server. A policy is a row of functions over a backend's view.
 *
 * The view is immutable and epoch-published: the usable servers in schedule order. Round robin is one atomic ticket over it: strict
 * alternation at any number of threads.
 * Threads: lb_take on data threads inside an epoch; lb_update under back->lock. */
#ifndef CORE_LB_H
#define CORE_LB_H

#include "core/server.h"

struct strm;

struct lb_view {
        uint32_t n;         /* slots in the schedule */
        uint32_t n_servers;
        bool backup;        /* made of backup servers */
        bool equal;         /* all weights equal: one slot a server */
        struct server *slot[];
};

/* A usable server with a free place, which is taken (core/queue.h); not `avoid` unless it is the only one. NULL: none has one. */
struct server *lb_take(struct back *b, const struct strm *s, const struct server *avoid);
void lb_update(struct back *b, struct server *changed); /* changed NULL: all */

#endif
