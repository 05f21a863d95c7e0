/* main/child.h - a process that the supervisor started from its own binary, and the channel to it.
 *
 * Threads: the supervisor's.  Ownership: caller's storage; the channel is closed by child_close(), the process is reaped by who
 * hears of its death. */
#ifndef MAIN_CHILD_H
#define MAIN_CHILD_H

#include "ev/loop.h"

struct child {
        int pid;              /* 0 = none */
        struct ev_fd channel; /* fd -1 = closed */
        mono_t since;
};

/* `telamon --role ROLE` with the arguments of argv and the other end of the channel as descriptor 3; fn hears of messages. Negative errno: it was
 * logged. */
int child_start(struct child *c, struct loop *l, const char *role, char **argv, void (*fn)(struct ev_fd *, uint32_t));
void child_close(struct child *c, struct loop *l); /* twice is fine */
/* Has a debugger stopped it? proc: "/proc"; where that does not show it (hidepid), it is not seen. */
bool child_is_traced(const char *proc, int pid);
const char *child_end_name(int status); /* of a wait status: a signal's name, or "Exit" */
int child_end_code(int status);         /* as a shell says it */

#endif
