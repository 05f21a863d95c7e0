/* core/lb_hash.c - sdbm, djb2 and crc32 as published; the avalanche is the 6-shift one of http://burtleburtle.net/bob/hash/integer.html
 * (public domain), times 3 * 2^30 + 1: found by comparing HAProxy's converters `sdbm` and `sdbm(1)` over 1,500 keys. */
#include "core/lb_hash.h"

#include <xxhash.h>

uint32_t lb_sdbm(struct str s)
{
        uint32_t h = 0;

        for (size_t i = 0; i < s.n; i++)
                h = (unsigned char)s.p[i] + (h << 6) + (h << 16) - h;
        return h;
}

uint32_t lb_djb2(struct str s)
{
        uint32_t h = 5381;

        for (size_t i = 0; i < s.n; i++)
                h = h * 33 + (unsigned char)s.p[i];
        return h;
}

/* Four bits at a time: a table of 16 entries stays in one cache line. */
uint32_t lb_crc32(struct str s)
{
        static const uint32_t nibble[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                             0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                             0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
        uint32_t h = UINT32_MAX;

        for (size_t i = 0; i < s.n; i++) {
                h ^= (unsigned char)s.p[i];
                h = h >> 4 ^ nibble[h & 15];
                h = h >> 4 ^ nibble[h & 15];
        }
        return ~h;
}

uint32_t lb_number(struct str s)
{
        uint64_t v = 0, limit = INT64_MAX;
        size_t i = 0;
        bool minus;

        while (i < s.n && (s.p[i] == ' ' || (s.p[i] >= '\t' && s.p[i] <= '\r')))
                i++;
        minus = i < s.n && s.p[i] == '-';
        if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
                i++;
        for (; i < s.n && chr_is_digit(s.p[i]); i++) {
                uint64_t digit = (uint64_t)(s.p[i] - '0');
                if (v > (limit + minus - digit) / 10) {
                        v = limit + minus;
                        break;
                }
                v = v * 10 + digit;
        }
        return (uint32_t)(minus ? 0 - v : v);
}

uint32_t lb_xxh32(const void *p, size_t n, uint32_t seed)
{
        return XXH32(p, n, seed);
}

uint32_t lb_hash(enum lb_fn fn, struct str s)
{
        switch (fn) {
        case LB_DJB2: return lb_djb2(s);
        case LB_CRC32: return lb_crc32(s);
        case LB_NONE: return lb_number(s);
        default: return lb_sdbm(s);
        }
}

uint32_t lb_avalanche(uint32_t h)
{
        h = h + 0x7ed55d16 + (h << 12);
        h = h ^ 0xc761c23c ^ h >> 19;
        h = h + 0x165667b1 + (h << 5);
        h = (h + 0xd3a2646c) ^ h << 9;
        h = h + 0xfd7046c5 + (h << 3);
        h = h ^ 0xb55a4f09 ^ h >> 16;
        return h * 0xc0000001;
}
