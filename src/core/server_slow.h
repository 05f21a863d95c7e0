/* core/server_slow.h - `slowstart` (manual 5.2): a server that comes back gets its share of the load in steps of a sixteenth.
 *
 * Meanwhile it is SRV_STARTING. server_set_oper() begins a ramp; it ends by itself, or when the state changes. */
#ifndef CORE_SERVER_SLOW_H
#define CORE_SERVER_SLOW_H

#include "core/server.h"

/* Sixteenths that are still missing after so long: 15 .. 0. */
unsigned slow_missing(mono_t since, mono_t now, int slowstart_ms);
/* back->lock held: the first step; the next ones come by themselves. */
void slow_begin(struct server *s);
/* The server leaves: its ramp ends. Does something on its own thread only. */
void slow_drop(struct server *s);

#endif
