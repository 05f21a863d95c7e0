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

/* Bit k: byte k of the 16 at p is a control byte. */
static inline unsigned h1_ctl_mask(const char *p)
{
        __m128i v = h1_load16(p);

        return (unsigned)_mm_movemask_epi8(
                _mm_or_si128(h1_between(v, 0, 0x1f), _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f))));
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

/* 32 bytes: loading at 16 - n gives n times 0x20, then zeros. */
extern const uint8_t h1_case_mask[32];

/* The common case in one look: a well-known name of at most 15 bytes and its colon at i. Makes it lower case and returns
 * its id, or HID_NONE if it is anything else (nothing is changed then). */
static inline enum hid h1_take_known(char *b, uint32_t i, uint32_t end, uint32_t *ret_colon)
{
        if (unlikely(end - i < 16))
                return HID_NONE;
        __m128i v = h1_load16(b + i);
        uint32_t n =
                (uint32_t)__builtin_ctz((unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(':'))) | 0x10000U);
        if (n - 2 >= 14)
                return HID_NONE;
        uint8_t id = hmsg_known_slot[hmsg_known_hash(b + i, n, 0x20)];
        const struct hmsg_known *k = &hmsg_known[id];
        __m128i low = _mm_or_si128(v, h1_load16((const char *)h1_case_mask + 16 - n));
        /* Folding makes '-' of CR and digits of other control bytes, so there must be none of those. */
        __m128i same = _mm_andnot_si128(h1_between(v, 0, 0x1f), _mm_cmpeq_epi8(low, h1_load16(k->s)));
        unsigned want = (1U << n) - 1;
        if (k->n != n || ((unsigned)_mm_movemask_epi8(same) & want) != want)
                return HID_NONE;
        _mm_storeu_si128((__m128i *)(void *)(b + i), low);
        *ret_colon = i + n;
        return (enum hid)id;
}

/* The n bytes at i are the well-known name `id`, and a colon follows. */
static inline bool h1_is_known(const char *b, uint32_t i, uint32_t n, uint32_t end, unsigned id)
{
        const struct hmsg_known *k = &hmsg_known[id];

        if (id == HID_NONE || k->n != n || n >= 16 || end - i < 16)
                return false;
        unsigned want = (1U << n) - 1;
        unsigned same = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(h1_load16(b + i), h1_load16(k->s)));
        return (same & want) == want && b[i + n] == ':';
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

/* First byte that is not a lower-case token byte. */
static inline uint32_t h1_find_not_lower_token(const char *b, uint32_t i, uint32_t end)
{
        while (end - i >= 16) {
                __m128i v = h1_load16(b + i);
                __m128i ok = _mm_or_si128(_mm_or_si128(h1_between(v, 'a', 25), h1_between(v, '0', 9)),
                                          _mm_cmpeq_epi8(v, _mm_set1_epi8('-')));
                uint32_t n = (uint32_t)__builtin_ctz((unsigned)_mm_movemask_epi8(ok) ^ 0x1ffffU);

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
