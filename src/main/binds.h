/* main/binds.h - making the sockets that a configuration wants. */
#ifndef MAIN_BINDS_H
#define MAIN_BINDS_H

#include "main/argv.h"
#include "core/engine.h"

/* With -x: fetches the sockets of the process that has them now; binds_open() looks there first. A failure is logged, and everything is
 * bound anew. Once, before the first binds_open(). */
void binds_take_over(const struct args *a);
void binds_taken(void); /* all is bound: what fitted nowhere is closed */

/* Binds one address; how many sockets there are now in ret_fds (room for LISTEN_SHARDS_MAX when binds_take_over() ran, else for
 * spec->shards): more than spec->shards when another process had more, fewer when it does not share the address. An inherited descriptor is duplicated, so that it can be given again after a reload. While an old
 * process (-sf, -st) still holds the address it is asked to pause (SIGTTOU) and the bind is tried again for half a
 * second (management.txt 4). Negative errno, then *ret_step names the failing call. */
int binds_open(const struct listen_spec *spec, const struct args *a, int *ret_fds, const char **ret_step);
/* "Binding [file:line] for frontend 'f': cannot bind socket (Address already in use) for [127.0.0.1:80]" */
void binds_explain(const struct listen_spec *spec, const char *place, const char *what, const char *step, int err);
void binds_close(int *fds, unsigned n);             /* those that are open; sets them to -1 */
void binds_signal(const struct args *a, int signo); /* to the old processes */

#endif
