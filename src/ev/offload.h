/* ev/offload.h - work that would block a loop, on two niced threads (mechanisms.md d).
 *
 * A job owns copies of its input. `run` is called on a helper thread; `done` on the submitting loop, unless the job was
 * cancelled meanwhile. Each class has a bound and counters; a full class refuses (-EAGAIN) and the caller sheds load. */
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
        void (*run)(struct offload_job *j);  /* helper thread */
        void (*done)(struct offload_job *j); /* submitting loop; frees the job */
        /* private */
        struct mail mail;
        struct list link;
        struct loop *home;
        enum offload_class cls;
        atomic_bool cancelled;
};

struct offload_stats {
        uint64_t submitted, refused, finished, cancelled, waiting;
};

int offload_start(unsigned threads); /* once per process, before submits */
void offload_stop(void);             /* waits for what runs, drops what waits (done is not called) */
must_check int offload_submit(struct loop *l, enum offload_class c, struct offload_job *j);
void offload_cancel(
        struct offload_job
                *j); /* home loop: done will not be called with effect; `done` still frees, with j->cancelled set */
void offload_stats(enum offload_class c, struct offload_stats *ret_s);
void offload_set_limit(enum offload_class c, unsigned n); /* default 1024 each */

#endif
