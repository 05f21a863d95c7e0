/* main/names.h - host names asked of the system's resolver at load, many at once and with an end in sight.
 *
 * getaddrinfo() waits as long as resolv.conf says (10 s for each name when no server answers, by default), so a file with a
 * hundred names would hold a load for a quarter of an hour. Here NAMES_AT_ONCE are asked at a time, and all questions of one load
 * together take NAMES_PATIENCE_MS at most; what has no answer then counts as not resolved. A thread that still waits is left to
 * itself: the loader ends soon.
 * Threads: one load at a time. */
#ifndef MAIN_NAMES_H
#define MAIN_NAMES_H

#include "base/buf.h"

#define NAMES_AT_ONCE     32u
#define NAMES_PATIENCE_MS 15000

void names_begin(int patience_ms); /* of a load: forgets all answers; sets lookup_ops */
void names_end(void);              /* twice is fine */

/* For tests: who is asked; 0 and the addresses, a line each, or negative errno. Any thread. NULL: getaddrinfo(). */
extern int (*names_system)(const char *name, struct buf *out);

#endif
