/* proto/hmsg_known.h - the table of well-known field names, for those who look names up in bulk. Private to proto. */
#ifndef PROTO_HMSG_KNOWN_H
#define PROTO_HMSG_KNOWN_H

#include "proto/hmsg.h"

#include <endian.h>

struct hmsg_known {
        char s[23]; /* zero padded: 16 bytes may be loaded */
        uint8_t n;
};
extern const struct hmsg_known hmsg_known[HID_COUNT];
extern const uint8_t hmsg_known_slot[256];
extern const uint8_t hmsg_short_slot[256];

/* Of a name of n >= 2 bytes in any case: its first two bytes, its last two and its length tell the names of the list apart. The case bit
 * is set in all of them; well-known names are letters, digits and '-', and the last two have that bit anyway. */
static inline uint32_t hmsg_known_hash(const char *s, size_t n)
{
        uint16_t head, tail;

        memcpy(&head, s, 2);
        memcpy(&tail, s + n - 2, 2);
        uint32_t w = le16toh(head) | (uint32_t)le16toh(tail) << 16;
        return ((w | 0x20202020U) + (uint32_t)(n << 8)) * 0x82283d15U >> 24;
}

/* Another one, for who has the bytes in registers: of a lower-case name of at most 15 bytes, padded with zeros; its first eight and its last
 * eight bytes as numbers. */
static inline uint32_t hmsg_short_hash(uint64_t first, uint64_t last)
{
        return (uint32_t)((first + last) * 0x91b7584a2265b1f5U >> 56);
}

#endif
