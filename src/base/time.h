/* base/time.h - one monotonic "now" per loop turn, and the wall clock that goes with it.
 *
 * Every timeout uses mono_t; only logs, certificates and HTTP dates look at the wall clock. */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include <stdint.h>

typedef uint64_t mono_t; /* nanoseconds, CLOCK_MONOTONIC */

#define MONO_NEVER UINT64_MAX
#define NS_PER_MS  1000000u
#define NS_PER_S   1000000000u

/* Saturates: a deadline too far to count is MONO_NEVER, one before the start of time is 0. */
static inline mono_t mono_add_ms(mono_t t, int64_t ms)
{
        uint64_t d = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;

        if (ms < 0)
                return d > t / NS_PER_MS ? 0 : t - d * NS_PER_MS;
        return d > (MONO_NEVER - t) / NS_PER_MS ? MONO_NEVER : t + d * NS_PER_MS;
}

/* Milliseconds from a to b, 0 when b is not after a; rounded to nearest as log timers are. */
static inline int64_t mono_ms_between(mono_t a, mono_t b)
{
        return b > a ? (int64_t)((b - a + NS_PER_MS / 2) / NS_PER_MS) : 0;
}

#endif
