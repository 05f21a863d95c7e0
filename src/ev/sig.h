/* ev/sig.h - signals and ended children as loop events (signalfd; waitid through the same fd).
 *
 * The main thread blocks the signals before any thread starts. SIGPIPE is ignored for the whole process. */
#ifndef EV_SIG_H
#define EV_SIG_H

#include "ev/loop.h"

#include <signal.h>

struct sig_watch {
        struct ev_fd ev;
        struct loop *loop;
        void (*fn)(struct sig_watch *s, int signo, int pid); /* pid of the sender */
};

int sig_watch_start(struct sig_watch *s, struct loop *l, const int *signos, size_t n,
                    void (*fn)(struct sig_watch *, int, int));
void sig_watch_stop(struct sig_watch *s);

#endif
