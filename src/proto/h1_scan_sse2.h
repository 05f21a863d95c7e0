/* proto/h1_scan_sse2.h - the scans of h1_scan.h with SSE2 (every x86-64 has it).
 *
 * A vector is read only where 16 bytes are left before `end`; the tail goes byte by byte. */
#ifndef PROTO_H1_SCAN_SSE2_H
#define PROTO_H1_SCAN_SSE2_H

#include "proto/h1_scan.h"
#include "proto/hmsg_known.h"

#include <emmintrin.h>

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

static inline uint32_t h1_find_ctl(const char *b, uint32_t i, uint32_t end)
{
        if (likely(end >= 16)) {
                const char *p = b + i, *last = b + end - 16;

                for (; p <= last; p += 16) {
                        unsigned mask = h1_ctl_mask(p);

                        if (mask)
                                return (uint32_t)(p - b) + (uint32_t)__builtin_ctz(mask);
                }
                /* the last 16 bytes again, without those judged already */
                unsigned mask = h1_ctl_mask(last) >> (p - last);
                return mask ? (uint32_t)(p - b) + (uint32_t)__builtin_ctz(mask) : end;
        }
        while (i < end && !h1_is(b[i], CH_CTL))
                i++;
        return i;
}

static inline uint32_t h1_find_not_target(const char *b, uint32_t i, uint32_t end)
{
        for (; end - i >= 16; i += 16) {
                __m128i v = h1_load16(b + i);
                __m128i ok = _mm_andnot_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('#')), h1_between(v, 0x21, 0x7e - 0x21));
                int mask = _mm_movemask_epi8(ok) ^ 0xffff;

                if (mask)
                        return i + (uint32_t)__builtin_ctz((unsigned)mask);
        }
        return h1_skip_class(b, i, end, CH_TARGET);
}

/* First byte that is none of CH_HOST. The vector knows letters, digits, '-' and '.'. */
static inline size_t h1_skip_host(const char *b, size_t i, size_t end)
{
        for (; end - i >= 16; i += 16) {
                __m128i v = h1_load16(b + i);
                __m128i ok = _mm_or_si128(h1_between(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 25),
                                          _mm_or_si128(h1_between(v, '0', 9), h1_between(v, '-', 1)));

                if (_mm_movemask_epi8(ok) != 0xffff)
                        break;
        }
        while (i < end && h1_is(b[i], CH_HOST))
                i++;
        return i;
}

/* 32 bytes each: loading at 16 - n gives n times 0x20 or 0xff, then zeros. */
extern const uint8_t h1_case_mask[32], h1_first_mask[32];

/* Control bytes one after the other, each byte looked at once: a window of up to 64 bytes as one word. */
struct h1_ctls {
        uint64_t mask; /* those not yet given of the 64 bytes before `next` */
        char *next;
};

/* The next window; next < end, and 16 bytes stand before end. */
static inline __attribute__((always_inline)) void h1_ctls_window(struct h1_ctls *it, char *end)
{
        char *p = it->next;
        size_t left = (size_t)(end - p), k = 0;

        it->next = p + 64;
        if (likely(left >= 64)) {
                it->mask = h1_ctl_mask(p) | (uint64_t)h1_ctl_mask(p + 16) << 16 | (uint64_t)h1_ctl_mask(p + 32) << 32 |
                           (uint64_t)h1_ctl_mask(p + 48) << 48;
                return;
        }
        for (; left - k >= 16; k += 16)
                it->mask |= (uint64_t)h1_ctl_mask(p + k) << k;
        it->mask |= (uint64_t)(h1_ctl_mask(end - 16) >> (16 - (left - k))) << k;
}

/* Or end. */
static inline __attribute__((always_inline)) char *h1_next_ctl(struct h1_ctls *it, char *end)
{
        while (!it->mask) {
                if (unlikely(it->next >= end))
                        return end;
                h1_ctls_window(it, end);
        }
        char *at = it->next - 64 + __builtin_ctzll(it->mask);
        it->mask &= it->mask - 1;
        return at;
}

/* Passes over a control byte just behind the one given last (which need not lie in the same window). */
static inline void h1_skip_ctl(struct h1_ctls *it)
{
        if (likely(it->mask))
                it->mask &= it->mask - 1;
        else
                it->next++;
}

static inline uint32_t h1_count_ctl(const char *b, uint32_t i, uint32_t end)
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

/* The common case in one look: a well-known name of at most 15 bytes and its colon at p. Makes it lower case and returns
 * its id, or HID_NONE if it is anything else (nothing is changed then). 16 bytes are there, and no control byte before
 * line_end: setting the case bit makes '-' of CR and digits of others. */
static inline __attribute__((always_inline)) enum hid h1_take_known(char *p, const char *line_end, char **ret_colon)
{
        __m128i v = h1_load16(p);
        size_t n = (size_t)__builtin_ctz((unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(':'))) | 0x10000U);

        if (n - 2 >= 14 || p + n >= line_end)
                return HID_NONE;
        size_t id = hmsg_known_slot[hmsg_known_hash(p, n)];
        __m128i low =
                _mm_and_si128(_mm_or_si128(v, _mm_set1_epi8(0x20)), h1_load16((const char *)h1_first_mask + 16 - n));

        if (_mm_movemask_epi8(_mm_cmpeq_epi8(low, h1_load16(hmsg_known[id].s))) != 0xffff)
                return HID_NONE;
        _mm_storeu_si128((__m128i *)(void *)p, _mm_or_si128(v, low));
        *ret_colon = p + n;
        return (enum hid)id;
}

/* First byte that is no token byte; makes the token bytes before it lower case. The vector knows letters, digits and
 * '-'; the few other token bytes go one at a time. */
static inline uint32_t h1_lower_name(char *b, uint32_t i, uint32_t end)
{
        while (end - i >= 16) {
                __m128i v = h1_load16(b + i);
                __m128i letter = h1_between(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 25);
                __m128i ok = _mm_or_si128(_mm_or_si128(letter, h1_between(v, '0', 9)),
                                          _mm_cmpeq_epi8(v, _mm_set1_epi8('-')));
                uint32_t n = (uint32_t)__builtin_ctz((unsigned)_mm_movemask_epi8(ok) ^ 0x1ffffU);
                __m128i bit = _mm_and_si128(letter, h1_load16((const char *)h1_case_mask + 16 - n));

                _mm_storeu_si128((__m128i *)(void *)(b + i), _mm_or_si128(v, bit));
                i += n;
                if (n == 16)
                        continue;
                if (!h1_is(b[i], CH_TOKEN))
                        return i;
                i++;
        }
        for (; i < end && h1_is(b[i], CH_TOKEN); i++)
                b[i] = (char)(b[i] | (h1_is(b[i], CH_UPPER) ? 0x20 : 0));
        return i;
}

/* How many of the 16 bytes at p are lower-case letters, digits or '-', up to the first that is not. */
static inline uint32_t h1_plain_name(const char *p)
{
        __m128i v = h1_load16(p);
        __m128i ok = _mm_or_si128(_mm_or_si128(h1_between(v, 'a', 25), h1_between(v, '0', 9)),
                                  _mm_cmpeq_epi8(v, _mm_set1_epi8('-')));

        return (uint32_t)__builtin_ctz((unsigned)_mm_movemask_epi8(ok) ^ 0x1ffffU);
}

/* First byte that is not a lower-case token byte. */
static inline uint32_t h1_find_not_lower_token(const char *b, uint32_t i, uint32_t end)
{
        while (end - i >= 16) {
                uint32_t n = h1_plain_name(b + i);

                i += n;
                if (n < 16 && b[i] == ':')
                        return i;
                if (n < 16 && (h1_class[(unsigned char)b[i]] & (CH_TOKEN | CH_UPPER)) != CH_TOKEN)
                        return i;
                if (n < 16)
                        i++;
        }
        while (i < end && (h1_class[(unsigned char)b[i]] & (CH_TOKEN | CH_UPPER)) == CH_TOKEN)
                i++;
        return i;
}

#endif
