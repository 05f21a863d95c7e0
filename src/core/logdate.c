/* core/logdate.c - see logdate.h. Eight entries by the low bits of the second: a line names at most two or three
 * different seconds (accepted, requested, now). */
#include "core/logdate.h"

#include "base/assert.h"
#include "base/thr.h"
#include "core/put.h"

#include <stdlib.h>
#include <time.h>

const char put_pairs[201] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                            "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

enum { ENTRIES = 8 };

static unsigned local_index;

__attribute__((constructor)) static void reserve_index(void)
{
        local_index = thr_local_index(free);
}

static void put_date(char *p, const struct tm *tm)
{
        static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        unsigned year = (unsigned)tm->tm_year + 1900;

        p = put_2(p, (unsigned)tm->tm_mday);
        *p++ = '/';
        memcpy(p, months + 3 * tm->tm_mon, 3);
        p[3] = '/';
        p = put_2(p + 4, year / 100);
        p = put_2(p, year);
        *p++ = ':';
        p = put_2(p, (unsigned)tm->tm_hour);
        *p++ = ':';
        p = put_2(p, (unsigned)tm->tm_min);
        *p++ = ':';
        put_2(p, (unsigned)tm->tm_sec);
}

/* From "21/Nov/2026:12:05:52": both syslog forms hold the same digits in another order. */
static void put_syslog_forms(struct logdate *d, const struct tm *tm)
{
        memcpy(d->bsd, d->local + 3, 3);
        d->bsd[3] = ' ';
        d->bsd[4] = d->local[0] == '0' ? ' ' : d->local[0];
        d->bsd[5] = d->local[1];
        d->bsd[6] = ' ';
        memcpy(d->bsd + 7, d->local + 12, 8);
        memcpy(d->iso, d->local + 7, 4);
        d->iso[4] = '-';
        put_2(d->iso + 5, (unsigned)tm->tm_mon + 1);
        d->iso[7] = '-';
        memcpy(d->iso + 8, d->local, 2);
        d->iso[10] = 'T';
        memcpy(d->iso + 11, d->local + 12, 8);
}

static void put_zone(struct logdate *d, long gmtoff)
{
        unsigned minutes = (unsigned)((gmtoff < 0 ? -gmtoff : gmtoff) / 60);

        d->zone[0] = d->iso_zone[0] = gmtoff < 0 ? '-' : '+';
        put_2(d->zone + 1, minutes / 60);
        put_2(d->zone + 3, minutes % 60);
        memcpy(d->iso_zone + 1, d->zone + 1, 2);
        d->iso_zone[3] = ':';
        memcpy(d->iso_zone + 4, d->zone + 3, 2);
}

static cold_path void fill(struct logdate *d, int64_t sec)
{
        time_t t = (time_t)sec;
        struct tm tm;

        gmtime_r(&t, &tm);
        put_date(d->gmt, &tm);
        localtime_r(&t, &tm);
        put_date(d->local, &tm);
        put_syslog_forms(d, &tm);
        put_zone(d, tm.tm_gmtoff);
        d->sec = sec;
}

const struct logdate *logdate(int64_t wall_us)
{
        struct logdate *all = thr_self->local[local_index];
        int64_t sec = wall_us / 1000000;
        struct logdate *d;

        if (unlikely(!all)) {
                all = calloc(ENTRIES, sizeof(*all));
                ASSERT(all); /* ADR 0002: a small allocation once per thread */
                for (int i = 0; i < ENTRIES; i++)
                        all[i].sec = -1;
                thr_self->local[local_index] = all;
        }
        d = &all[(uint64_t)sec % ENTRIES];
        if (unlikely(d->sec != sec))
                fill(d, sec);
        return d;
}
