/* bench/pattern.h - the bytes that every body of the bench consists of.
 *
 * Why: a receiver that knows its offset can check any piece of a stream without keeping it. The period is no multiple
 * of any buffer size in use, so a lost or repeated block shows as a difference.
 * Threads: read-only after pattern_init(). */
#ifndef BENCH_PATTERN_H
#define BENCH_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        PATTERN_PERIOD = 251 * 1021, /* two primes */
        PATTERN_RUN = 256 * 1024,    /* bytes readable from any pattern_at() */
};

void pattern_init(void);
const char *pattern_at(uint64_t off);                   /* PATTERN_RUN bytes, those of stream offset `off` */
bool pattern_is(uint64_t off, const char *p, size_t n); /* are these the bytes from `off` on? any length */
void pattern_fill(uint64_t off, char *ret_p, size_t n); /* writes the bytes from `off` on, any length */

#endif
