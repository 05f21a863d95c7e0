/* ev/loop.h - one event loop per thread: file descriptors, timers, deferred calls, mail from other threads.
 *
 * Why: every socket, timeout and hand-over of the program goes through here. Handles are embedded in their owners and
 * the callback gets the handle; container_of() finds the owner.
 * Order of a turn: the poll call (the loop is offline there, base/epoch.h), the one clock read (`thr_self->now`),
 * events, timers, mail, deferred calls, graves.
 * Life: nothing is freed inside its own callback or upcall; loop_bury() frees at the end of the turn, so a late event
 * of the same turn never touches reused memory.
 * Threads: the loop's own thread, except loop_mail(), loop_stop(), loop_idle_pct() and stats.turn_start. A process
 * whose loops run must not fork: the child would hold fds that we close, and epoll would go on reporting them.
 * Errors: negative errno. */
#ifndef EV_LOOP_H
#define EV_LOOP_H

#include "base/list.h"
#include "base/thr.h"
#include "ev/mailbox.h"
#include "ev/timer.h"

struct ev_fd {
        void (*fn)(struct ev_fd *e,
                   uint32_t events); /* EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLHUP | EPOLLERR */
        int fd;                      /* -1 = not open */
        uint32_t added : 1;          /* known to epoll */
        uint32_t
                turn : 31; /* low bits of when it was added: no event of that turn is meant for it; 0 = one came since */
};

struct ev_task { /* a call put off to later in this turn */
        struct list link;
        void (*fn)(struct ev_task *t);
};

struct grave { /* freed at the end of the turn */
        struct grave *next;
        void (*fn)(struct grave *g);
};

struct loop_stats { /* the loop's own thread reads them; others ask by mail */
        uint64_t turns, events, tasks, mails;
        _Atomic uint64_t queued;    /* tasks that ran in the last turn; any thread */
        _Atomic(mono_t) turn_start; /* 0 while the loop sleeps in the poll call: what the watchdog looks at */
};

#define LOOP_EVENTS 256      /* taken per poll call, */
void loop_set_events(int n); /* or less: of all loops, any thread; 0 or more than that: so many */
#define LOOP_ROUNDS 8        /* of tasks that post tasks, per turn: then I/O has its turn again */

struct loop {
        int epfd;
        struct thr *thr;
        struct wheel wheel;
        struct list ready;
        struct grave *graves;
        struct ev_fd wake;
        struct loop_stats stats;
        /* Wall clock = wall_base + time since mono_base; taken again once a second. */
        mono_t mono_base;
        int64_t wall_base;
        uint64_t cpu_base;
        atomic_uint idle_pct;
        struct mailbox box;
        atomic_bool stop;
};

int loop_init(struct loop *l, struct thr *t);
void loop_fini(struct loop *l);                 /* runs the graves; mail not yet read is dropped */
int loop_run(struct loop *l);                   /* until loop_stop(); 0. Enters the epoch, sets thr_self */
void loop_turn(struct loop *l, bool may_sleep); /* one turn, for tests and the simulator (which set thr_self) */
void loop_stop(struct loop *l);         /* any thread; loop_run() returns after its turn. May be called before */
unsigned loop_idle_pct(struct loop *l); /* any thread: share of the last second in which the thread did not run */

/* Edge-triggered, both directions, once for the life of the fd. Twice is fine. */
int loop_add(struct loop *l, struct ev_fd *e);
/* Level-triggered input only (listeners, datagram sockets); exclusive: one of several pollers is woken. */
int loop_add_level(struct loop *l, struct ev_fd *e, bool exclusive);
void loop_del(struct loop *l, struct ev_fd *e); /* before close when another process holds the fd too; twice is fine */
/* The fd was closed, which took it off epoll (nobody else holds it). Saves the call that loop_del() makes. */
static inline void loop_forget(struct ev_fd *e)
{
        e->added = false;
        e->fd = -1;
}

void task_init(struct ev_task *t, void (*fn)(struct ev_task *));
/* Posting twice runs once. Posted while tasks run: in the next round of this turn, or in the next turn after
 * LOOP_ROUNDS. */
void loop_post(struct loop *l, struct ev_task *t);
void task_cancel(struct ev_task *t);

void loop_mail(struct loop *l, struct mail *m); /* any thread: mailbox_post() to this loop */
void loop_bury(struct loop *l, struct grave *g, void (*fn)(struct grave *));

#endif
