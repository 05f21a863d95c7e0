/* main/runner.h - what the single process and the worker have in common: an engine, its signals, its end.
 *
 * Signals (management.txt 4): TERM and INT stop at once, USR1 lets sessions finish (at most hard-stop-after), TTOU and
 * TTIN pause and resume listening, HUP and QUIT only say where their information is now.
 * Threads: the control thread.  Ownership: caller's storage. */
#ifndef MAIN_RUNNER_H
#define MAIN_RUNNER_H

#include "core/engine.h"
#include "core/global.h"
#include "ev/sig.h"

struct runner {
        struct engine *engine;
        struct loop *loop;
        struct engine_hooks hooks; /* caller sets journal, reopen_log, ctx before; stopped is the runner's */
        struct sig_watch sigs;
        struct timer hard_stop;
        struct timer grace;
        uint32_t px_maxconn;    /* caller sets: -N */
        int hard_stop_after_ms; /* 0 = none */
        int grace_ms;           /* a soft stop that is asked for begins that much later; the listeners stay */
        void (*started)(struct runner *r); /* the engine serves; NULL = nobody asks */
        void (*ending)(struct runner *r);  /* it serves no more and is about to be freed; NULL = nobody asks */
        int ended_by;                      /* signal that ended it, 0 = drained */
        bool draining;
};

/* From now on the signals above wait until runner_run(): before the first socket is there, so that who can connect can also signal. */
void runner_hold_signals(void);
/* Makes the engine and applies the first configuration; conf stays the caller's (the engine takes its own reference). b's
 * unused sockets are closed. false: the reasons are in d. */
bool runner_init(struct runner *r, struct conf *c, struct engine_binds *b, bool master_worker, struct diags *d);
int runner_run(struct runner *r); /* starts, runs until the end, frees; the exit code as runner_exit() wants it */
void runner_drain(struct runner *r);
void runner_retire(struct runner *r); /* drains; another process serves on its sockets */
void runner_fini(struct runner *r);   /* when runner_run() is not called */
/* Ends the process the way it was asked to: by the signal itself (a shell sees 128 + n), else with `code`. */
_Noreturn void runner_exit(int ended_by, int code);

#endif
