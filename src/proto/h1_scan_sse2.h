/* proto/h1_scan_sse2.h - of the scans of h1_scan_x86.h those that h1_scan_avx2.h does better, with SSE2 (every x86-64 has it). */
#ifndef PROTO_H1_SCAN_SSE2_H
#define PROTO_H1_SCAN_SSE2_H

#include "proto/h1_scan_vec.h"

/* The index of the lowest bit; 16: none of the lower 16. */
static inline unsigned h1_first_bit(unsigned mask)
{
        return (unsigned)__builtin_ctz(mask | 0x10000U);
}

static inline uint64_t h1_ctl_mask64(const char *p)
{
        return h1_ctl_mask(p) | (uint64_t)h1_ctl_mask(p + 16) << 16 | (uint64_t)h1_ctl_mask(p + 32) << 32 |
               (uint64_t)h1_ctl_mask(p + 48) << 48;
}

static inline uint64_t h1_upper64(__m128i v)
{
        return (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(v, v));
}

/* Bit k: byte k of v is a letter, a digit or '-', as nearly all bytes of names are. */
static inline unsigned h1_token_mask(__m128i v)
{
        __m128i letter = h1_between(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 25);

        return (unsigned)_mm_movemask_epi8(
                _mm_or_si128(letter, _mm_or_si128(h1_between(v, '0', 9), _mm_cmpeq_epi8(v, _mm_set1_epi8('-')))));
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
