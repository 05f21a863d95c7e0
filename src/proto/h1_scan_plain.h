/* proto/h1_scan_plain.h - the scans of h1_scan.h byte by byte, for machines without SSE2. */
#ifndef PROTO_H1_SCAN_PLAIN_H
#define PROTO_H1_SCAN_PLAIN_H

#include "proto/h1_scan.h"
#include "proto/hmsg_known.h"

static inline uint32_t h1_find_ctl(const char *b, uint32_t i, uint32_t end)
{
        while (i < end && !h1_is(b[i], CH_CTL))
                i++;
        return i;
}

static inline uint32_t h1_find_not_target(const char *b, uint32_t i, uint32_t end)
{
        return h1_skip_class(b, i, end, CH_TARGET);
}

/* First byte that is no token byte; makes the token bytes before it lower case. */
static inline uint32_t h1_lower_name(char *b, uint32_t i, uint32_t end)
{
        for (; i < end && h1_is(b[i], CH_TOKEN); i++)
                b[i] = (char)(b[i] | (h1_is(b[i], CH_UPPER) ? 0x20 : 0));
        return i;
}

/* Short cuts that need vectors: here every name goes the long way. */
static inline enum hid h1_take_known(char *b, uint32_t i, uint32_t end, uint32_t *ret_colon)
{
        (void)b, (void)i, (void)end, (void)ret_colon;
        return HID_NONE;
}

static inline bool h1_is_known(const char *b, uint32_t i, uint32_t n, uint32_t end, unsigned id)
{
        (void)b, (void)i, (void)n, (void)end, (void)id;
        return false;
}

/* First byte that is not a lower-case token byte. */
static inline uint32_t h1_find_not_lower_token(const char *b, uint32_t i, uint32_t end)
{
        while (i < end && (h1_class[(unsigned char)b[i]] & (CH_TOKEN | CH_UPPER)) == CH_TOKEN)
                i++;
        return i;
}

#endif
