/* ev/timer.h - one-shot timers of a loop: a hierarchical wheel, 1 ms steps, O(1) start and stop.
 *
 * Never early; late by at most one step plus the turn. Deadlines that move at every byte are kept lazily: the owner
 * stores its real deadline, lets the timer fire at the old one and re-arms it (core/strm.c), so activity costs nothing.
 * Ownership: embed struct timer; timer_stop() before the owner is freed (twice is fine).  Threads: loop thread only. */
#ifndef EV_TIMER_H
#define EV_TIMER_H

#include "base/list.h"
#include "base/time.h"

struct timer {
        struct list link;
        mono_t when;
        void (*fn)(struct timer *t);
};

#define WHEEL_BITS   8
#define WHEEL_LEVELS 4 /* 2^32 ms = 49 days; later deadlines wait in the top level and are placed again */
#define WHEEL_SLOTS  (1 << WHEEL_BITS)

struct wheel {
        uint64_t tick; /* milliseconds handled so far */
        uint64_t next; /* start of the first slot in use; 0 = look, UINT64_MAX = none */
        struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
        uint64_t map[WHEEL_LEVELS][WHEEL_SLOTS / 64]; /* non-empty slots, for the next deadline */
};

struct loop;

void wheel_init(struct wheel *w, mono_t now);
void timer_init(struct timer *t, void (*fn)(struct timer *));

/* Re-arms when already started; MONO_NEVER stops. A deadline that has passed fires at the next run of the timers, not
 * in this one, so a callback may re-arm its own timer without starving I/O. */
void timer_start(struct loop *l, struct timer *t, mono_t when);
void timer_stop(struct loop *l, struct timer *t);
static inline bool timer_active(const struct timer *t) /* false inside its own callback */
{
        return !list_empty(&t->link);
}
/* Pure forms, for tests. */
void wheel_add(struct wheel *w, struct timer *t, mono_t when);
void wheel_del(struct wheel *w, struct timer *t); /* also one that was moved to a due list */
mono_t wheel_next(struct wheel *w);               /* not later than the first deadline; MONO_NEVER when empty */
void wheel_run(struct wheel *w, mono_t now, struct list *ret_due); /* appends what is due, earlier milliseconds first */

#endif
