/* core/tune.h - how the process uses the machine: sockets' buffers, pipes, events of a turn, CPUs (section global, manual 3.1, 3.2).
 * Threads: made while loading; applied on the control thread, CPUs by each data thread for itself. */
#ifndef CORE_TUNE_H
#define CORE_TUNE_H

#include "conf/conf.h"

#include <sched.h>

enum { TUNE_CLIENT, TUNE_SERVER };

struct tune_cfg {                                /* slot "tune" */
        uint64_t rcvbuf[2], sndbuf[2], lowat[2]; /* bytes; 0: the kernel's */
        uint64_t pipe_size;                      /* 0: ours */
        int max_pipes, max_events;               /* 0: no limit */
        int thread_limit;                        /* thread-hard-limit; 0: none */
        int fd_limit;                            /* fd-hard-limit; 0: none */
        bool no_splice;
        const char *cpu_map; /* lines as written, each with its end; NULL: none */
};
extern int tune_slot;

const struct tune_cfg *tune_of(const struct conf *c);
void tune_apply(const struct conf *c, unsigned threads);
/* The CPUs that a data thread (from 0) may run on; false: the file says nothing of it. */
bool tune_cpus(const struct tune_cfg *t, unsigned thread, cpu_set_t *ret_set);

#endif
