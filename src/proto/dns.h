/* proto/dns.h - questions for addresses and what comes back (RFC 1035, RFC 3596, RFC 6891, RFC 2308).
 *
 * Pure: bytes in, records out. The reader believes nothing: compressed names only point backwards, an answer must repeat the
 * question and its id, aliases are followed for DNS_ALIASES_MAX steps, other owners, types and classes are passed over.
 * Names are compared without case (RFC 4343). Errors: an enum, no errno. */
#ifndef PROTO_DNS_H
#define PROTO_DNS_H

#include "base/str.h"

enum { DNS_A = 1, DNS_CNAME = 5, DNS_AAAA = 28, DNS_OPT = 41 };

#define DNS_NAME_MAX    253 /* as text, without the dot at the end */
#define DNS_ALIASES_MAX 16
#define DNS_PAYLOAD_MIN 512
#define DNS_QUERY_MAX   (12 + DNS_NAME_MAX + 2 + 4 + 11)

enum dns_verdict {
        DNS_OK,        /* records */
        DNS_EMPTY,     /* the name has none of this type */
        DNS_NX,        /* there is no such name */
        DNS_REFUSED,   /* RCODE 5 */
        DNS_FAILED,    /* another RCODE */
        DNS_TRUNCATED, /* TC: there is more than fits */
        DNS_ALIAS_END, /* aliases lead round and round, or to nothing */
        DNS_INVALID,   /* no answer, or not to this question */
};

struct dns_record {
        uint32_t ttl_s;       /* the shortest of it and the aliases that led to it */
        unsigned char ip[16]; /* A: the first four */
};

struct dns_question {
        uint16_t id;
        uint16_t type; /* DNS_A, DNS_AAAA */
        struct str name;
};

/* The query; its length, 0 when the name is none. payload: the longest answer that is taken (at least DNS_PAYLOAD_MIN). */
size_t dns_query(const struct dns_question *q, uint16_t payload, unsigned char to[DNS_QUERY_MAX]);
/* At most `max` records; the rest is passed over. *ret_aliases (may be NULL): how many were followed. */
enum dns_verdict dns_read(const unsigned char *p, size_t n, const struct dns_question *q, struct dns_record *v,
                          size_t max, size_t *ret_n, unsigned *ret_aliases);

#endif
