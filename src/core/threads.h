/* core/threads.h - the data threads' loops, and how the control thread reaches them. */
#ifndef CORE_THREADS_H
#define CORE_THREADS_H

#include "ev/loop.h"

/* Set once per data thread before its loop runs (and by tests). */
void threads_set(unsigned id, struct loop *l);
struct loop *threads_loop(unsigned id);

/* Mails fn(arg) to every data thread; when all have run it, done(arg) (may be NULL) runs on the calling thread's loop. Order among calls from
 * one thread is kept. Aborts when memory is gone (ADR 0002). */
void threads_run(void (*fn)(void *arg), void *arg, void (*done)(void *arg));
/* The same for one thread, without a completion. */
void threads_run_on(unsigned id, void (*fn)(void *arg), void *arg);

#endif
