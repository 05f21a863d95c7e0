/* proto/h1_scan_vec.h - 16 bytes at once: what the scans with vectors are made of. */
#ifndef PROTO_H1_SCAN_VEC_H
#define PROTO_H1_SCAN_VEC_H

#include "proto/h1_scan.h"

#include <emmintrin.h>

/* 32 bytes each: loading at 16 - n gives n times 0x20 or 0xff, then zeros. */
extern const uint8_t h1_case_mask[32], h1_first_mask[32];

static inline __m128i h1_load16(const char *p)
{
        return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* 0xff where lo <= byte <= lo + span */
static inline __m128i h1_between(__m128i v, char lo, char span)
{
        __m128i d = _mm_sub_epi8(v, _mm_set1_epi8(lo));

        return _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(span)), d);
}

/* 0xff where the byte is a control byte */
static inline __m128i h1_ctl_bytes(const char *p)
{
        __m128i v = h1_load16(p);

        return _mm_or_si128(h1_between(v, 0, 0x1f), _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f)));
}

/* Bit k: byte k of the 16 at p is a control byte. */
static inline unsigned h1_ctl_mask(const char *p)
{
        return (unsigned)_mm_movemask_epi8(h1_ctl_bytes(p));
}

/* A value that stays in its register: the compiler would make a constant anew each time it is used. */
static inline __m128i h1_held(__m128i v)
{
        __asm__("" : "+x"(v));
        return v;
}

/* Control bytes one after the other, each byte looked at once: a window of up to 64 bytes as one word. */
struct h1_ctls {
        uint64_t mask; /* those not yet given of the 64 bytes before `next` */
        char *next;
};

static inline struct h1_ctls h1_ctls_from(char *p)
{
        return (struct h1_ctls){ .next = p };
}

/* What h1_take_name() compares with. */
struct h1_keys {
        __m128i colon, case_bit;
};

static inline struct h1_keys h1_keys(void)
{
        return (struct h1_keys){ h1_held(_mm_set1_epi8(':')), h1_held(_mm_set1_epi8(0x20)) };
}

static __attribute__((noinline)) uint32_t h1_count_ctl16(const char *b, uint32_t i, uint32_t end)
{
        const char *p = b + i, *stop;
        size_t n = end - i;
        uint32_t sum = 0;

        if (unlikely(n < 16)) {
                for (; i < end; i++)
                        sum += h1_is(b[i], CH_CTL);
                return sum;
        }
        /* the last n % 16 first: of the last vector all but what stands before them */
        __m128i acc = _mm_andnot_si128(h1_load16((const char *)h1_first_mask + n % 16), h1_ctl_bytes(b + end - 16));
        acc = _mm_sub_epi8(_mm_setzero_si128(), acc);
        do { /* no byte of acc passes 255 */
                stop = n > 254 * 16 ? p + 254 * 16 : p + n / 16 * 16;
                n -= (size_t)(stop - p);
                for (; p < stop; p += 16)
                        acc = _mm_sub_epi8(acc, h1_ctl_bytes(p));
                acc = _mm_sad_epu8(acc, _mm_setzero_si128());
                sum += (uint32_t)(_mm_cvtsi128_si32(acc) + _mm_extract_epi16(acc, 4));
                acc = _mm_setzero_si128();
        } while (unlikely(n >= 16));
        return sum;
}

#endif
