/* core/lb.h - choosing a server. A policy is a row of functions over a backend's view.
 *
 * The view is epoch-published: the usable servers in schedule order. Round robin is one atomic ticket over it: strict alternation at any
 * number of threads. The view of a small farm is immutable and rebuilt at each change; that of a large one is edited, one slot a change.
 * Threads: lb_take on data threads inside an epoch; lb_update under back->lock. */
#ifndef CORE_LB_H
#define CORE_LB_H

#include "core/server.h"

struct strm;

struct lb_view {
        _Atomic uint32_t n; /* slots in use */
        uint32_t cap;
        uint32_t n_servers;
        bool backup; /* made of backup servers */
        bool equal;  /* all weights equal: one slot a server */
        bool large;  /* edited in place: see lb.c */
        _Atomic uint32_t wmax;
        uint32_t by_weight[SRV_WEIGHT_MAX + 1];
        _Atomic(struct server *) slot[];
};

/* A usable server with a free place, which is taken (core/queue.h); not `avoid` unless it is the only one. NULL: none has one. */
struct server *lb_take(struct back *b, const struct strm *s, const struct server *avoid);
void lb_update(struct back *b, struct server *changed); /* changed NULL: all */

#endif
