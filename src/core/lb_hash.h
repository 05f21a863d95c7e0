/* core/lb_hash.h - the 32-bit hash functions of balancing (manual, hash-type): equal to HAProxy's, so that a key finds the same server.
 *
 * None of them withstands somebody who chooses the keys. Threads: any; pure. */
#ifndef CORE_LB_HASH_H
#define CORE_LB_HASH_H

#include "base/str.h"

enum lb_fn { LB_SDBM, LB_DJB2, LB_CRC32, LB_NONE }; /* LB_NONE: the key is a number in text */

uint32_t lb_sdbm(struct str s);  /* of the sdbm library */
uint32_t lb_djb2(struct str s);  /* Bernstein's, with + */
uint32_t lb_crc32(struct str s); /* of Ethernet, gzip, PNG */
/* The digits at the start, as strtoll() reads them, cut to 32 bits. */
uint32_t lb_number(struct str s);
uint32_t lb_xxh32(const void *p, size_t n, uint32_t seed);
uint32_t lb_hash(enum lb_fn fn, struct str s);
/* Jenkins' full avalanche for 4 bytes, with its low bits added to the top ones. */
uint32_t lb_avalanche(uint32_t h);

#endif
