/* proto/h1_scan.h - the byte classes of HTTP/1 and scans for them, 16 bytes at a time where the machine can.
 *
 * All indexes are into `b`; a scan looks at [i, end) only and returns end when it finds nothing. */
#ifndef PROTO_H1_SCAN_H
#define PROTO_H1_SCAN_H

#include "base/assert.h"

#include <stdbool.h>
#include <stdint.h>

enum {
        CH_TOKEN = 1,  /* RFC 9110 5.6.2 */
        CH_UPPER = 2,  /* a token byte that has a lower case */
        CH_CTL = 4,    /* 0x00-0x1f, 0x7f: HTAB too, the caller decides */
        CH_TARGET = 8, /* may stand in a request target: 0x21-0x7e but '#' (HAProxy's rule, wider than RFC 3986) */
        CH_HOST = 16,  /* may stand in a host: reg-name of RFC 3986 but the comma, which joins field lines */
        CH_HEX = 32,
        CH_QTEXT = 64, /* inside a quoted-string: HTAB, SP, 0x21-0x7e, 0x80-0xff but '"' and '\' */
        CH_DIGIT = 128,
};
extern const uint8_t h1_class[256];

static inline bool h1_is(char c, unsigned cls)
{
        return (h1_class[(unsigned char)c] & cls) != 0;
}

static inline uint32_t h1_skip_class(const char *b, uint32_t i, uint32_t end, unsigned cls)
{
        while (i < end && h1_is(b[i], cls))
                i++;
        return i;
}

#if defined(__AVX2__) && defined(__BMI__)
#include "proto/h1_scan_avx2.h"
#include "proto/h1_scan_x86.h"
#elif defined(__SSE2__)
#include "proto/h1_scan_sse2.h"
#include "proto/h1_scan_x86.h"
#else
#include "proto/h1_scan_plain.h"
#endif

#endif
