/* core/server_track.h - `track` (manual 5.2): servers whose state is that of another one, which may track a third.
 *
 * A tracker is up, down or stopping as the other one is, and in maintenance or draining as long as that one is, for any reason.
 * Chains end at a server that tracks nobody: loops are refused when the configuration is read.
 * Threads: links change on the control thread, under a lock of their own; states follow on the thread that changed them. */
#ifndef CORE_SERVER_TRACK_H
#define CORE_SERVER_TRACK_H

#include "core/server.h"

void server_tell_trackers(struct server *s); /* after its state changed; no lock held */
/* Control thread, inside a change: links as the current configuration says, and states with them. */
void server_track_all(void);
void server_untrack(struct server *s); /* it leaves: nobody follows it any more */
/* Whose checks are meant: the end of the chain, itself when it tracks nobody. */
const struct server *server_track_end(const struct server *s);

#endif
