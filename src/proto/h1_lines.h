/* proto/h1_lines.h - the two loops over the lines of a head, in one version for each kind of processor. Private to proto.
 *
 * Why: half of what a proxied request costs the codec is in these two, and they are twice as cheap with 32-byte vectors. Both versions
 * come from h1_lines.c. What a version does not take, the long way in h1_parse.c and h1_write.c decides: nothing is judged here alone.
 * Threads: chosen before main() and constant after; tests set it. */
#ifndef PROTO_H1_LINES_H
#define PROTO_H1_LINES_H

#include "proto/hmsg.h"

struct h1_run {       /* fields that stand one behind the other as they were received */
        uint32_t end; /* where the last line ends */
        bool clean;   /* no control byte in all of it but the line ends */
};

struct h1_lines {
        const char *name;
        /* Lines as nearly all are, "name: value CRLF" and whole: takes as many as there are from i on, and returns where it stopped.
         * A name of a line it stopped at may have become lower case. */
        uint32_t (*take)(struct hmsg *m, char *b, uint32_t i, uint32_t len);
        /* How many fields from f on stand in block b[0, n) one behind the other, each reading "name: value CRLF" with a lower-case token
         * where the offsets say, alive and end to end (`also` may concern one hop). f < stop. */
        uint32_t (*judge)(const char *b, uint32_t n, const struct hfield *f, const struct hfield *stop,
                          const struct hfield *also, struct h1_run *ret_run);
};

extern const struct h1_lines *h1_lines; /* this machine's */
extern const struct h1_lines h1_lines_base;
#if defined(__x86_64__)
extern const struct h1_lines h1_lines_avx2;
#endif
const struct h1_lines *h1_lines_at(unsigned i); /* those this machine can run, for tests; NULL behind the last */

#endif
