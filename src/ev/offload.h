/* ev/offload.h - work that would block a loop, on two niced threads (mechanisms.md d).
 *
 * A job owns copies of its input. `run` is called on a helper thread (no loop, no thr_self, no epoch); `done` on the
 * submitting loop, always and once, also for a cancelled job. Each class has a bound and counters; a full class refuses
 * (-EAGAIN) and the caller sheds load. Classes with waiting jobs take turns, so a burst of one does not hold up
 * another.
 * Life: the home loop runs until its jobs are done, or offload_stop() came first. */
#ifndef EV_OFFLOAD_H
#define EV_OFFLOAD_H

#include "ev/loop.h"

enum offload_class {
        OFFLOAD_COMPILE,
        OFFLOAD_PASSWORD,
        OFFLOAD_DNS,
        OFFLOAD_CRYPTO,
        OFFLOAD_GENERATE,
        OFFLOAD_CLASSES
};

struct offload_job {
        void (*run)(struct offload_job *j);  /* helper thread; may look at j->cancelled to stop early */
        void (*done)(struct offload_job *j); /* submitting loop; frees the job. j->cancelled: use no result */
        atomic_bool cancelled;
        /* private */
        struct mail mail;
        struct list link;
        struct loop *home;
        enum offload_class cls;
};

struct offload_stats {
        uint64_t submitted, refused, finished, cancelled; /* so far; finished: ran to its end, wanted or not */
        uint64_t waiting, running;                        /* now */
};

int offload_start(unsigned threads); /* once per process, before submits; negative errno: nothing runs */
void offload_stop(void);             /* waits for what runs, drops what waits (done is not called) */
must_check int offload_submit(struct loop *l, enum offload_class c, struct offload_job *j); /* -EAGAIN: class is full */

/* Home loop, before done: `done` still comes and frees, with j->cancelled set. A job that waits is not run any more. */
void offload_cancel(struct offload_job *j);
void offload_stats(enum offload_class c, struct offload_stats *ret_s); /* any thread */
void offload_set_limit(enum offload_class c, unsigned n); /* of waiting and running jobs; default 1024 each */

#endif
