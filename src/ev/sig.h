/* ev/sig.h - signals and ended children as loop events (signalfd).
 *
 * The main thread blocks the signals (sig_block) before any thread starts. SIGPIPE is ignored for the whole process.
 * Threads: the loop's. */
#ifndef EV_SIG_H
#define EV_SIG_H

#include "ev/loop.h"

#include <signal.h>

struct sig_watch {
        struct ev_fd ev;
        struct loop *loop;
        void (*fn)(struct sig_watch *s, int signo, int pid); /* pid of the sender; may call sig_watch_stop() */
};

/* Blocks them in the calling thread and those it starts, and ignores SIGPIPE. */
void sig_block(const int *signos, size_t n);

/* Blocks them too. Negative errno: nothing is open. */
int sig_watch_start(struct sig_watch *s, struct loop *l, const int *signos, size_t n,
                    void (*fn)(struct sig_watch *, int, int));
void sig_watch_stop(struct sig_watch *s); /* the signals stay blocked; twice is fine */

/* One ended child: its pid, 0 when there is none (yet). SIGCHLD is merged by the kernel: call until 0. */
int sig_reap(int *ret_status); /* as waitpid(2) stores it */

#endif
