/* core/logdate.h - the date of a log line in every form it is written, made once per second and thread.
 *
 * Why: localtime_r() and printing cost more than the rest of a line, and a thread writes many lines a second.
 * Threads: the cache is the calling thread's; the result lives until the eighth later second is asked for. */
#ifndef CORE_LOGDATE_H
#define CORE_LOGDATE_H

#include <stdint.h>

struct logdate {
        int64_t sec;      /* since the epoch; the entry's key */
        char local[20];   /* 21/Nov/2026:12:05:52 */
        char gmt[20];     /* the same in UTC */
        char zone[5];     /* +0100 */
        char bsd[15];     /* Nov 21 12:05:52, local (RFC 3164 4.1.2) */
        char iso[19];     /* 2026-11-21T12:05:52, local (RFC 5424 6.2.3) */
        char iso_zone[6]; /* +01:00 */
};

const struct logdate *logdate(int64_t wall_us);

#endif
