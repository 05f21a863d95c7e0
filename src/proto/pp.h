/* proto/pp.h - the PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): a head before all other bytes of a connection that
 * says whose it is. Pure: bytes in, a verdict out.  Threads: any. */
#ifndef PROTO_PP_H
#define PROTO_PP_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define PP_V1_MAX 107u /* with its CRLF; it has to be there at once in any receive buffer */
#define PP_V2_MIN 16u
#define PP_MAX    (PP_V2_MIN + 65535u)

enum pp_family {
        PP_UNKNOWN,
        PP_TCP4,
        PP_TCP6
}; /* PP_UNKNOWN: also unix sockets and datagrams, whose addresses mean nothing here */

struct pp_end {
        uint8_t ip[16]; /* network order; the first 4 of TCP4 */
        uint16_t port;
};

struct pp_head {
        bool local; /* version 2: not on behalf of anybody, as a health check */
        int version;
        enum pp_family family;
        struct pp_end src, dst; /* not of PP_UNKNOWN */
        struct str tlv;         /* version 2: what follows the addresses, borrowed */
};

enum pp_answer { PP_OK, PP_MORE, PP_BAD };

/* Reads the head at the beginning of `in`; PP_OK: *ret_n bytes belong to it. PP_MORE: what is there may become one. A wrong checksum, an
 * unknown command, a TLV that does not fit: PP_BAD. */
enum pp_answer pp_read(struct str in, struct pp_head *ret_h, size_t *ret_n);
/* The value of the first TLV of this type; false: none. */
bool pp_tlv(const struct pp_head *h, uint8_t type, struct str *ret_value);

enum { PP_TLV_ALPN = 0x01, PP_TLV_AUTHORITY = 0x02, PP_TLV_CRC32C = 0x03, PP_TLV_NOOP = 0x04, PP_TLV_UNIQUE_ID = 0x05 };

struct pp_tlv_out {
        uint8_t type;
        struct str value;
};

/* Writes h (version, local, family, ends) and the TLVs (version 2), with a checksum if wanted. 0: `room` is too small. */
size_t pp_write(const struct pp_head *h, const struct pp_tlv_out *tlv, size_t n_tlv, bool crc, char *to, size_t room);

uint32_t pp_crc32c(uint32_t crc, const void *p, size_t n); /* RFC 3385; begins with 0 */

#endif
