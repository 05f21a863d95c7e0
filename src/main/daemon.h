/* main/daemon.h - going to the background without losing the first errors: the starter waits until the background process
 * says that it serves, and ends with its exit code otherwise. */
#ifndef MAIN_DAEMON_H
#define MAIN_DAEMON_H

struct daemon {
        int report; /* write end towards the starter, -1 = none waits */
};

#define DAEMON_INIT                                                                                                    \
        {                                                                                                              \
                -1                                                                                                     \
        }

/* Forks; returns in the background process only. Negative errno: still in the foreground. */
int daemon_fork(struct daemon *d);
void daemon_ready(struct daemon *d); /* the starter ends with 0; stdin, stdout and stderr lead nowhere from now on */
/* stdin, stdout and stderr lead to `null` (opened while there is a file system), which is closed; the process log is silent. */
int daemon_null(void);
void daemon_detach_output(int null);

#endif
