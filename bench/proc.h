/* bench/proc.h - what the kernel has charged to a process.
 *
 * Errors: negative errno (-ESRCH: the process is gone). */
#ifndef BENCH_PROC_H
#define BENCH_PROC_H

#include <stdint.h>
#include <sys/types.h>

/* Of all tasks alive, from the scheduler's own account (nanoseconds, no tick sampling): time on a CPU, and time spent
 * ready to run while somebody else had it. */
int proc_cpu_ns(pid_t pid, uint64_t *ret_ns);
int proc_wait_ns(pid_t pid, uint64_t *ret_ns);

/* Resident set in bytes, from smaps_rollup: the counters of statm are batched per CPU and off by hundreds of KiB. */
int proc_rss(pid_t pid, uint64_t *ret_bytes);

#endif
