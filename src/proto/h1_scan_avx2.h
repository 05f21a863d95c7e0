/* proto/h1_scan_avx2.h - the scans of the two loops in h1_lines.c, 32 bytes at a time; the others are
 * those of h1_scan_x86.h. */
#ifndef PROTO_H1_SCAN_AVX2_H
#define PROTO_H1_SCAN_AVX2_H

#include "proto/h1_scan_vec.h"

#include <immintrin.h>

/* 0xff where the byte is a control byte: at most 0x1f, or 0x7f */
static inline __m256i h1_ctl_bytes32(const char *p, __m256i low, __m256i del)
{
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);

        return _mm256_or_si256(_mm256_cmpeq_epi8(_mm256_min_epu8(v, low), v), _mm256_cmpeq_epi8(v, del));
}

/* Bit k: byte k of the 64 at p is a control byte. */
static inline uint64_t h1_ctl_mask64(const char *p)
{
        __m256i low = _mm256_set1_epi8(0x1f), del = _mm256_set1_epi8(0x7f);

        return (uint32_t)_mm256_movemask_epi8(h1_ctl_bytes32(p, low, del)) |
               (uint64_t)(uint32_t)_mm256_movemask_epi8(h1_ctl_bytes32(p + 32, low, del)) << 32;
}

static inline unsigned h1_first_bit(unsigned mask) /* 16 or more: none */
{
        return _tzcnt_u32(mask);
}

static inline uint64_t h1_upper64(__m128i v)
{
        return (uint64_t)_mm_extract_epi64(v, 1);
}

/* Bit k: byte k of v may stand in a token. Of the upper four bits 2 to 7 each has one bit in the table of the lower four. */
static inline unsigned h1_token_mask(__m128i v)
{
        const __m128i high = _mm_setr_epi8(0, 0, 1, 2, 4, 8, 16, 32, 0, 0, 0, 0, 0, 0, 0, 0);
        const __m128i low = _mm_setr_epi8(0x3a, 0x3f, 0x3e, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3e, 0x3e, 0x3d, 0x15, 0x34,
                                          0x15, 0x3d, 0x1c);
        __m128i bit = _mm_shuffle_epi8(high, _mm_and_si128(_mm_srli_epi16(v, 4), _mm_set1_epi8(0x0f)));
        __m128i hit = _mm_and_si128(_mm_shuffle_epi8(low, v), bit);

        return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(hit, _mm_setzero_si128())) ^ 0xffffU;
}

static inline uint32_t h1_count_ctl(const char *b, uint32_t i, uint32_t end)
{
        const __m256i low = _mm256_set1_epi8(0x1f), del = _mm256_set1_epi8(0x7f);
        const char *p, *stop, *last;
        __m256i acc = _mm256_setzero_si256();
        uint32_t sum = 0;

        if (unlikely(end < 64 || end - i > 64 * 127)) /* no byte of acc may pass 255 */
                return h1_count_ctl16(b, i, end);
        p = b + i;
        stop = b + end;
        last = stop - 64;
        for (; p <= last; p += 64)
                acc = _mm256_sub_epi8(acc,
                                      _mm256_add_epi8(h1_ctl_bytes32(p, low, del), h1_ctl_bytes32(p + 32, low, del)));
        if (p < stop) /* the last 64 bytes, without those looked at already */
                sum = (uint32_t)_mm_popcnt_u64(h1_ctl_mask64(last) >> (64 - (stop - p)));
        acc = _mm256_sad_epu8(acc, _mm256_setzero_si256());
        __m128i two = _mm_add_epi64(_mm256_castsi256_si128(acc), _mm256_extracti128_si256(acc, 1));
        return sum + (uint32_t)(_mm_cvtsi128_si32(two) + _mm_extract_epi32(two, 2));
}

/* How many of the 16 bytes at p belong to a lower-case token, up to the first that does not. */
static inline uint32_t h1_plain_name(const char *p)
{
        /* eight ranges, first and last: all of RFC 9110 5.6.2 but A-Z; a NUL ends the bytes */
        const __m128i token =
                _mm_setr_epi8('!', '!', '#', '\'', '*', '+', '-', '.', '0', '9', '^', 'z', '|', '|', '~', '~');

        return (uint32_t)_mm_cmpistri(token, h1_load16(p),
                                      _SIDD_UBYTE_OPS | _SIDD_CMP_RANGES | _SIDD_NEGATIVE_POLARITY);
}

#endif
