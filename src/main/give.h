/* main/give.h - what the supervisor gives a worker: sockets, log connections, the journal. Nothing waits (main/outbox.h).
 *
 * Threads: the supervisor's.  Errors: negative errno of outbox_send(). */
#ifndef MAIN_GIVE_H
#define MAIN_GIVE_H

#include "main/journal.h"
#include "main/outbox.h"
#include "main/supconf.h"

int give_conf(struct outbox *o, const struct supconf *c); /* its sockets and log connections */
int give_log(struct outbox *o, struct str path);
int give_replay(struct outbox *o, struct str cmd, struct str key);
int give_journal(struct outbox *o, const struct journal *j, bool keyed); /* keyed: it is the journal, not health */

#endif
