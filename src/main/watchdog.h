/* main/watchdog.h - which thread hangs, and where (design.md section 2, the ladder).
 *
 * A turn of a loop takes microseconds. One that lasts is judged by two clocks, since a wall clock alone blames threads for what the machine
 * does to them: CLOCK_MONOTONIC says how old the turn is, the thread's own CPU clock what it did meanwhile. It hangs when it was on a
 * processor for a good part of that time (an endless loop) or not at all (it waits for a disk, a lock). One in between wants to run and is
 * not let: a busy machine, and a new worker would only add to that. The judge itself looks every 100 ms; when it comes late, as after
 * a stopped virtual machine, that time is nobody's fault and is taken off.
 * Threads: the heartbeat's. */
#ifndef MAIN_WATCHDOG_H
#define MAIN_WATCHDOG_H

#include "core/engine.h"
#include "main/record.h"

#define WATCHDOG_BEAT_NS (100 * NS_PER_MS)
#define WATCHDOG_LAG_NS  (200 * NS_PER_MS)

struct watched {           /* one thread's turn */
        mono_t turn, seen; /* when it began; when we saw it first */
        uint64_t cpu_seen, cpu_last, excused;
        unsigned still; /* looks in a row at which it had done nothing */
        bool told;
};

/* Pure. How long this thread hangs, ns; 0 = it does not. late: so much later than meant we look; cpu: its processor time so far. */
uint64_t watched_judge(struct watched *w, mono_t turn, mono_t now, uint64_t late, uint64_t cpu);

/* Crashes of this process are recorded in *crash from now on; then the process ends as it would have. NULL: told to stderr at once. */
void watchdog_catch(struct record *crash);
/* Looks at all threads; the longest hang. One that reaches WATCHDOG_LAG_NS is recorded in *lag, once a turn. True: it was now. */
bool watchdog_look(const struct engine *e, struct record *lag, uint64_t *ret_lag);

#endif
