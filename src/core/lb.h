/* core/lb.h - choosing a server. A policy is a row of functions over a backend's view.
 *
 * The view is immutable and epoch-published: the usable servers in schedule order. Round robin is one atomic ticket over it: strict
 * alternation at any number of threads. Changing one server of a farm with equal weights edits one slot; other changes rebuild, at most
 * once per turn for large farms (mechanisms.md a).
 * Threads: lb_pick on data threads; lb_update under back->lock. */
#ifndef CORE_LB_H
#define CORE_LB_H

#include "core/server.h"

struct strm;

struct lb_view {
        uint32_t n; /* slots in the schedule */
        uint32_t n_servers;
        bool backup; /* made of backup servers */
        struct server *slot[];
};

/* A usable server, not `avoid` unless it is the only one; NULL: none. Does not take a slot. */
struct server *lb_pick(struct back *b, const struct strm *s, const struct server *avoid);
void lb_update(struct back *b, struct server *changed); /* changed NULL: all; back->lock held */

#endif
