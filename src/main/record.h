/* main/record.h - where a thread was: when the process crashed, or when a thread made no turn for long.
 *
 * Written by a signal handler in the thread itself, so nothing here takes memory or locks; lies in the heartbeat page, where the supervisor
 * finds it also when the process is dead, or in our own memory without one. Who reads one of a worker's believes none of its numbers: it
 * copies it and bounds what it uses.
 * Threads: one writer; record_take() says when there is something new. */
#ifndef MAIN_RECORD_H
#define MAIN_RECORD_H

#include "base/buf.h"

#include <signal.h>
#include <stdatomic.h>

#define RECORD_FRAMES 48

struct record {
        _Atomic uint32_t seq; /* how many were written here; the writer counts up last */
        int32_t signo;        /* 0: a thread that lags */
        int32_t sender;       /* process that sent the signal, 0 = it is the thread's own fault */
        char name[16];        /* of the thread: telamon/1 is the first data thread, telamon the control thread */
        uint32_t n;
        uint64_t addr;           /* of a fault */
        uint64_t lag_ns, cpu_ns; /* of that, on a processor */
        uint64_t base, end;      /* where the program lies */
        uint64_t frame[RECORD_FRAMES];
        char text[256]; /* what an ASSERT said */
};

/* In a signal handler: the caller's frames. skip: of the handler itself. */
void record_frames(struct record *r, int skip);
/* The crash that this handler was called for. */
void record_crash(struct record *r, int signo, const siginfo_t *si);
void record_done(struct record *r); /* all is written */
/* Is there one that was not taken yet? *seen: how many were. Copies it. */
bool record_take(const struct record *r, uint32_t *seen, struct record *ret_r);
/* Lines without an end: what happened, then the frames as "function+offset". */
void record_print(const struct record *r, struct buf *out);

#endif
