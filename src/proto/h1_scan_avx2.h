/* proto/h1_scan_avx2.h - the scans of the two loops in h1_lines.c, 32 bytes at a time; the others are
 * those of h1_scan_x86.h. */
#ifndef PROTO_H1_SCAN_AVX2_H
#define PROTO_H1_SCAN_AVX2_H

#include "proto/h1_scan_vec.h"

#include <immintrin.h>

/* 0xff where the byte is a control byte */
static inline __m256i h1_ctl_bytes32(const char *p)
{
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);

        return _mm256_or_si256(_mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v),
                               _mm256_cmpeq_epi8(v, _mm256_set1_epi8(0x7f)));
}

/* Bit k: byte k of the 64 at p is a control byte. */
static inline uint64_t h1_ctl_mask64(const char *p)
{
        return (uint32_t)_mm256_movemask_epi8(h1_ctl_bytes32(p)) |
               (uint64_t)(uint32_t)_mm256_movemask_epi8(h1_ctl_bytes32(p + 32)) << 32;
}

static inline unsigned h1_first_bit(unsigned mask) /* 16 or more: none */
{
        return _tzcnt_u32(mask);
}

static inline __attribute__((always_inline)) void h1_ctls_window(struct h1_ctls *it, const char *end)
{
        const char *p = it->next;

        it->next += 64;
        if (likely(end - p >= 64))
                it->mask = h1_ctl_mask64(p);
        else if (likely(end - it->begin >= 64)) /* the last 64 bytes, without those before p */
                it->mask = h1_ctl_mask64(end - 64) >> (64 - (end - p));
        else
                it->mask = h1_ctls_tail(p, end);
}

static inline uint32_t h1_count_ctl(const char *b, uint32_t i, uint32_t end)
{
        const char *p = b + i, *stop = b + end;
        uint32_t sum = 0;

        for (; stop - p >= 64; p += 64)
                sum += (uint32_t)_mm_popcnt_u64(h1_ctl_mask64(p));
        if (p == stop)
                return sum;
        if (likely(end >= 64)) /* the last 64 bytes, without those before p */
                return sum + (uint32_t)_mm_popcnt_u64(h1_ctl_mask64(stop - 64) >> (64 - (stop - p)));
        return sum + h1_count_ctl16(b, i, end);
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
