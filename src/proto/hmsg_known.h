/* proto/hmsg_known.h - the table of well-known field names, for those who look names up in bulk. Private to proto. */
#ifndef PROTO_HMSG_KNOWN_H
#define PROTO_HMSG_KNOWN_H

#include "proto/hmsg.h"

struct hmsg_known {
        char s[23]; /* zero padded: 16 bytes may be loaded */
        uint8_t n;
};
extern const struct hmsg_known hmsg_known[HID_COUNT];
extern const uint8_t hmsg_known_slot[256];

/* n >= 2. `fold` is 0 for a lower-case name; 0x20 folds one in any case (well-known names are letters and '-', and
 * digits, which have that bit anyway). */
static inline uint32_t hmsg_known_hash(const char *s, uint32_t n, unsigned fold)
{
        uint32_t a = (unsigned char)s[0] | fold, b = (unsigned char)s[n - 2] | fold, c = (unsigned char)s[n / 2] | fold;

        return (a * 535U + b * 993U + c * 63U + n * 927U) >> 2 & 255U;
}

#endif
