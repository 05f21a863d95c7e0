/* ev/loop.h - one event loop per thread: file descriptors, timers, deferred calls, mail from other threads.
 *
 * Why: every socket, timeout and hand-over of the program goes through here. Handles are embedded in their owners and the
 * callback gets the handle; container_of() finds the owner.
 * Order of a turn: mail, deferred calls, graves; then the poll call (the loop is offline there, base/epoch.h); then events,
 * timers. `thr_self->now` is taken once after the poll call.
 * Life: nothing is freed inside its own callback or upcall; loop_bury() frees at the end of the turn, so a late event of
 * the same turn never touches reused memory.
 * Threads: the loop's own thread, except loop_mail() and loop_stop().  Errors: negative errno. */
#ifndef EV_LOOP_H
#define EV_LOOP_H

#include "base/list.h"
#include "base/thr.h"
#include "ev/timer.h"

#include <stdatomic.h>
#include <stdbool.h>

struct ev_fd {
        int fd;                                       /* -1 = not open */
        bool added;                                   /* known to epoll */
        void (*fn)(struct ev_fd *e, uint32_t events); /* EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLHUP | EPOLLERR */
};

struct ev_task { /* a call put off to later in this turn (or the next one, when posted while tasks run) */
        struct list link;
        void (*fn)(struct ev_task *t);
};

struct mail { /* a call on another loop's thread; the receiver owns it from then on */
        struct mail *next;
        void (*fn)(struct mail *m);
};

struct grave { /* freed at the end of the turn */
        struct grave *next;
        void (*fn)(struct grave *g);
};

struct loop_stats {
        uint64_t turns, events, tasks, mails;
        uint64_t busy_ns, idle_ns; /* for Idle_pct: decayed sums, private use of loop_idle_pct() */
        mono_t turn_start;         /* written at each turn's start: the watchdog reads it */
};

struct loop {
        int epfd;
        struct thr *thr;
        struct wheel wheel;
        struct list ready;
        struct grave *graves;
        _Atomic(struct mail *) inbox;
        atomic_bool asleep; /* set before the poll call; a poster that sees it writes the wake-up fd */
        struct ev_fd wake;
        atomic_bool stop;
        struct loop_stats stats;
};

int loop_init(struct loop *l, struct thr *t);
void loop_fini(struct loop *l);
int loop_run(struct loop *l);                   /* until loop_stop(); 0 */
void loop_turn(struct loop *l, bool may_sleep); /* one turn, for tests and the simulator */
void loop_stop(struct loop *l);                 /* any thread */
unsigned loop_idle_pct(struct loop *l);         /* share of the last second spent in the poll call, 0..100 */

/* Edge-triggered, both directions, once for the life of the fd. */
int loop_add(struct loop *l, struct ev_fd *e);
/* Level-triggered input only (listeners, datagram sockets); exclusive: one of several pollers is woken. */
int loop_add_level(struct loop *l, struct ev_fd *e, bool exclusive);
void loop_del(struct loop *l, struct ev_fd *e); /* before close when another process holds the fd too; twice is fine */

void task_init(struct ev_task *t, void (*fn)(struct ev_task *));
void loop_post(struct loop *l, struct ev_task *t); /* posting twice runs once */
void task_cancel(struct ev_task *t);

void loop_mail(struct loop *l, struct mail *m); /* any thread; order is kept per sender */
void loop_bury(struct loop *l, struct grave *g, void (*fn)(struct grave *));

#endif
