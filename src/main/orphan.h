/* main/orphan.h - a worker whose supervisor died serves on and waits for a new one, which takes its sockets and its journal over.
 *
 * They find each other by the addresses that both want: the orphan listens on abstract unix sockets (they need no file system, and exist per
 * network namespace) that are named after its listening addresses, ORPHAN_NAMES at most. Both look at the other's user before a
 * word is said: root, oneself, or the user that the worker's configuration names.
 * Threads: main thread. */
#ifndef MAIN_ORPHAN_H
#define MAIN_ORPHAN_H

#include "main/journal.h"
#include "main/supconf.h"

#define ORPHAN_NAMES 64
#define ORPHAN_MS    30000 /* without a new supervisor the worker drains after this time */

/* Worker: false when nobody could find us. leave(true): another worker serves on our sockets; leave(false): nobody came. */
bool orphan_wait(struct loop *l, struct engine *e, const struct journal *j, void (*leave)(bool successor));

/* Single process: connects to an orphan that serves this address; -1 = there is none. */
int orphan_find(const struct listen_spec *spec, int uid);
/* Supervisor: the sockets of an orphan that serves an address of c, as the binds of a configuration; its journal and health commands are
 * added to these. NULL = there is none, or it says what it may not say. *ret_fd: what to retire it by, unchanged when there is none. */
struct supconf *orphan_adopt(const struct supconf *c, struct journal *journal, struct journal *health, int *ret_fd);
void orphan_retire(int fd); /* our worker serves; closes fd, -1 is fine */

#endif
