/* proto/h1_scan_sse2.h - of the scans of h1_scan_x86.h those that h1_scan_avx2.h does better, with SSE2 (every x86-64 has it). */
#ifndef PROTO_H1_SCAN_SSE2_H
#define PROTO_H1_SCAN_SSE2_H

#include "proto/h1_scan_vec.h"

/* The index of the lowest bit; 16: none of the lower 16. */
static inline unsigned h1_first_bit(unsigned mask)
{
        return (unsigned)__builtin_ctz(mask | 0x10000U);
}

/* The next window; next < end, and 16 bytes stand before end. */
static inline __attribute__((always_inline)) void h1_ctls_window(struct h1_ctls *it, const char *end)
{
        const char *p = it->next;

        it->next += 64;
        if (likely(end - p >= 64))
                it->mask = h1_ctl_mask(p) | (uint64_t)h1_ctl_mask(p + 16) << 16 | (uint64_t)h1_ctl_mask(p + 32) << 32 |
                           (uint64_t)h1_ctl_mask(p + 48) << 48;
        else
                it->mask = h1_ctls_tail(p, end);
}

static inline uint32_t h1_count_ctl(const char *b, uint32_t i, uint32_t end)
{
        return h1_count_ctl16(b, i, end);
}

/* How many of the 16 bytes at p are lower-case letters, digits or '-', up to the first that is not. */
static inline uint32_t h1_plain_name(const char *p)
{
        __m128i v = h1_load16(p);
        __m128i ok = _mm_or_si128(_mm_or_si128(h1_between(v, 'a', 25), h1_between(v, '0', 9)),
                                  _mm_cmpeq_epi8(v, _mm_set1_epi8('-')));

        return (uint32_t)__builtin_ctz((unsigned)_mm_movemask_epi8(ok) ^ 0x1ffffU);
}

#endif
