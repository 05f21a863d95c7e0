/* main/mastercli.h - the master socket (-S): HAProxy's master CLI (management.txt 9.4).
 *
 * Clients are not trusted with more than their line: input is bounded, answers wait in a bounded buffer. Commands for the worker
 * go over a socket pair whose other end the worker treats as an accepted CLI connection.
 * Threads: the supervisor's loop. */
#ifndef MAIN_MASTERCLI_H
#define MAIN_MASTERCLI_H

#include "ev/loop.h"
#include "base/buf.h"
#include "main/argv.h"

struct mastercli;

struct mastercli_ops { /* what it asks of the supervisor */
        void (*show_proc)(struct buf *out);
        /* hard: connections do not outlive it. mastercli_reloaded() will come; false: not begun yet */
        bool (*reload)(bool hard);
        bool (*reload_failed)(void); /* the last one, for the prompt */
        int (*worker)(int pid);      /* pid if that is a worker, also one that leaves; 0: the current; 0 = none */
        int (*bundle)(void);         /* the running configuration, borrowed; -1 = none */
        int (*attach)(int pid, int fd, int level); /* gives a connection to this worker; negative errno */
};

/* Binds every -S of the command line; alerts are logged. NULL when one cannot be had. */
struct mastercli *mastercli_new(struct loop *l, const struct args *a, const struct mastercli_ops *ops);
void mastercli_free(struct mastercli *m);
void mastercli_reloading(struct mastercli *m); /* a reload begins: for all who have asked so far */
void mastercli_reloaded(struct mastercli *m, bool ok, struct str log); /* answers all who asked for it */

/* Client side, for `telamon plan`: the running configuration's bundle through a unix master socket. fd or negative errno. */
int mastercli_fetch_bundle(const char *address);

#endif
