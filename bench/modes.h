/* bench/modes.h - what the load generator can do; the name is the sub-command. */
#ifndef BENCH_MODES_H
#define BENCH_MODES_H

#include "bench/job.h"

extern const struct mode mode_http; /* keep-alive requests, closed loop, or at a fixed rate (open loop) */
extern const struct mode mode_conn; /* one small request and response per TCP connection */
extern const struct mode mode_bulk; /* byte streams */
extern const struct mode mode_idle; /* connections that are only held */
extern const struct mode mode_sink; /* only the log port */

#endif
