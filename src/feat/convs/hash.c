/* feat/convs/hash.c - hashes of bytes into numbers. crc32, djb2 and sdbm are those of balancing; crc32c is RFC 4960 appendix B's
 * polynomial, four bits at a time. None of them is for security. */
#include "feat/convs/conv.h"
#include "core/lb_hash.h"

#include <xxhash.h>

static uint32_t crc32c_of(struct str s)
{
        static const uint32_t nibble[16] = { 0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
                                             0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                             0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75 };
        uint32_t h = UINT32_MAX;

        for (size_t i = 0; i < s.n; i++) {
                h ^= (unsigned char)s.p[i];
                h = h >> 4 ^ nibble[h & 15];
                h = h >> 4 ^ nibble[h & 15];
        }
        return ~h;
}

#define HASH32(fn, of)                                                                                                 \
        CONV(fn)                                                                                                       \
        {                                                                                                              \
                uint32_t h = of(smp_text(smp));                                                                        \
                                                                                                                       \
                (void)x;                                                                                               \
                smp_int(smp, arg_int(args, n_args, 0, 0) ? lb_avalanche(h) : h);                                       \
                return true;                                                                                           \
        }

HASH32(crc32, lb_crc32)
HASH32(crc32c, crc32c_of)
HASH32(djb2, lb_djb2)
HASH32(sdbm, lb_sdbm)

#define XXH(fn, seed_type, of)                                                                                         \
        CONV(fn)                                                                                                       \
        {                                                                                                              \
                (void)x;                                                                                               \
                smp_int(smp, (int64_t)of(smp->s.p, smp->s.n, (seed_type)arg_int(args, n_args, 0, 0)));                 \
                return true;                                                                                           \
        }

XXH(xxh3, uint64_t, XXH3_64bits_withSeed)
XXH(xxh32, uint32_t, XXH32)
XXH(xxh64, uint64_t, XXH64)

#define NUMBER .args = { ARG_SINT }, ROW(BIN, SINT)

static const struct conv rows[] = {
        { .name = "crc32",
          NUMBER,
          .fn = crc32,
          .help = "CRC-32 of Ethernet and gzip, 32 bits; avalanched when the argument is not 0" },
        { .name = "crc32c",
          NUMBER,
          .fn = crc32c,
          .help = "CRC-32C (Castagnoli), 32 bits; avalanched when the argument is not 0" },
        { .name = "djb2",
          NUMBER,
          .fn = djb2,
          .help = "Bernstein's hash, 32 bits; avalanched when the argument is not 0" },
        { .name = "sdbm",
          NUMBER,
          .fn = sdbm,
          .help = "the hash of sdbm, 32 bits; avalanched when the argument is not 0" },
        { .name = "xxh3", NUMBER, .fn = xxh3, .help = "XXH3, 64 bits; the argument is the seed" },
        { .name = "xxh32", NUMBER, .fn = xxh32, .help = "xxHash of 32 bits; the argument is the seed" },
        { .name = "xxh64", NUMBER, .fn = xxh64, .help = "xxHash of 64 bits; the argument is the seed" },
};
CONV_TABLE(hash, rows);
