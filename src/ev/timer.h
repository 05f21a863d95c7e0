/* ev/timer.h - one-shot timers of a loop: a hierarchical wheel, 1 ms steps, O(1) start and stop.
 *
 * Never early; late by at most one step plus the turn. Deadlines that move at every byte are kept lazily: the owner stores its
 * real deadline, lets the timer fire at the old one and re-arms it (core/strm.c), so activity costs nothing.
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

struct wheel {
        uint64_t tick; /* milliseconds handled so far */
        uint64_t count;
        struct list slot[WHEEL_LEVELS][1 << WHEEL_BITS];
        uint64_t map[WHEEL_LEVELS][(1 << WHEEL_BITS) / 64]; /* non-empty slots, for the next deadline */
};

struct loop;

void wheel_init(struct wheel *w, mono_t now);
void timer_init(struct timer *t, void (*fn)(struct timer *));
void timer_start(struct loop *l, struct timer *t, mono_t when); /* re-arms when already started */
void timer_stop(struct loop *l, struct timer *t);
static inline bool timer_active(const struct timer *t)
{
        return !list_empty(&t->link);
}
/* Pure forms, for tests. */
void wheel_add(struct wheel *w, struct timer *t, mono_t when);
void wheel_del(struct wheel *w, struct timer *t);
mono_t wheel_next(const struct wheel *w); /* not later than the first deadline; MONO_NEVER when empty */
void wheel_run(struct wheel *w, mono_t now, struct list *ret_due); /* moves what is due */

#endif
