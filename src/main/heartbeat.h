/* main/heartbeat.h - one shared page in which the worker says that it is alive, without a system call on the data path. The
 * supervisor only reads numbers from it; the worker can write nonsense there and gains nothing but its own replacement. */
#ifndef MAIN_HEARTBEAT_H
#define MAIN_HEARTBEAT_H

#include "main/watchdog.h"

struct heartbeat {
        _Atomic uint64_t written;     /* CLOCK_MONOTONIC, ns, of the last beat */
        _Atomic uint64_t lag;         /* how long a thread hangs then, ns (main/watchdog.h) */
        _Atomic uint64_t changing;    /* 1 while the control thread compiles: its own lag says nothing then */
        _Atomic uint64_t conns, reqs; /* of clients: now, and in all */
        struct record lagging, crash;
};

int heartbeat_new(int *ret_memfd, struct heartbeat **ret_h); /* supervisor; the size is sealed */
int heartbeat_map(int memfd, struct heartbeat **ret_h);      /* worker */
void heartbeat_free(struct heartbeat *h);
/* Starts the thread that beats every 100 ms, once in a process. tell: hears of a thread that lags, there; NULL: the supervisor reads it. */
int heartbeat_start(struct heartbeat *h, const struct engine *e, void (*tell)(const struct record *r));
void heartbeat_stop(void); /* before the engine is freed; also when it never started */
uint64_t heartbeat_lag(const struct heartbeat *h, uint64_t now); /* ns; 0 before the first beat */

#endif
