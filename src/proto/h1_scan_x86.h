/* proto/h1_scan_x86.h - the scans of h1_scan.h with vectors, for every x86-64; what is worth more than 16 bytes at a time on newer ones
 * stands in h1_scan_sse2.h and h1_scan_avx2.h.
 *
 * A vector is read only where 16 bytes are left before `end`; the tail goes byte by byte. */
#ifndef PROTO_H1_SCAN_X86_H
#define PROTO_H1_SCAN_X86_H

#include "proto/h1_scan.h"
#include "proto/h1_scan_vec.h"
#include "proto/hmsg_known.h"

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

/* First byte that is none of a token. The vector knows capitals, of which nearly all methods are. */
static inline uint32_t h1_skip_token(const char *b, uint32_t i, uint32_t end)
{
        if (likely(end - i >= 16))
                i += (uint32_t)__builtin_ctz((unsigned)_mm_movemask_epi8(h1_between(h1_load16(b + i), 'A', 25)) ^
                                             0x1ffffU);
        return h1_skip_class(b, i, end, CH_TOKEN);
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

/* Or end, before which there are at least 64 bytes of the block. */
static inline __attribute__((always_inline)) char *h1_next_ctl(struct h1_ctls *it, char *end)
{
        while (!it->mask) {
                const char *p = it->next;

                if (unlikely(p >= end))
                        return end;
                if (likely(end - p >= 64))
                        it->mask = h1_ctl_mask64(p);
                else /* the last 64, without those before p */
                        it->mask = h1_ctl_mask64(end - 64) >> (64 - (end - p));
                it->next += 64;
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

/* A name of 2 to 15 bytes and its colon at p in one look: makes it lower case and returns its id; -1: something else, nothing is changed.
 * 16 bytes are there, and no control byte before line_end: setting the case bit makes '-' of CR and digits of others. */
static inline __attribute__((always_inline)) int h1_take_name(const struct h1_keys *k, char *p, const char *line_end,
                                                              char **ret_colon)
{
        __m128i v = h1_load16(p);
        size_t n = h1_first_bit((unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, k->colon)));

        if (unlikely(n - 2 >= 14 || p + n >= line_end))
                return -1;
        __m128i low = _mm_and_si128(_mm_or_si128(v, k->case_bit), h1_load16((const char *)h1_first_mask + 16 - n));
        unsigned id = hmsg_short_slot[hmsg_short_hash((uint64_t)_mm_cvtsi128_si64(low), h1_upper64(low))];

        if (unlikely(_mm_movemask_epi8(_mm_cmpeq_epi8(low, h1_load16(hmsg_known[id].s))) != 0xffff)) {
                if (~h1_token_mask(v) & ((1U << n) - 1))
                        return -1;
                low = _mm_and_si128(low, h1_between(low, 'a', 25)); /* letters of the name only */
                low = _mm_and_si128(low, k->case_bit);
                id = HID_NONE;
        }
        _mm_storeu_si128((__m128i *)(void *)p, _mm_or_si128(v, low));
        *ret_colon = p + n;
        return (int)id;
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
