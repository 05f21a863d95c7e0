/* bench/pattern.c - one period of pseudo-random bytes, laid out twice so that a run never has to wrap. */
#include "bench/pattern.h"

#include <string.h>

static char bytes[PATTERN_PERIOD + PATTERN_RUN];

void pattern_init(void)
{
        uint32_t x = 2463534242u;

        for (size_t i = 0; i < PATTERN_PERIOD; i++) {
                x ^= x << 13; /* xorshift32: fixed start value, so every process makes the same bytes */
                x ^= x >> 17;
                x ^= x << 5;
                bytes[i] = (char)(x >> 24);
        }
        for (size_t i = PATTERN_PERIOD; i < sizeof(bytes); i++)
                bytes[i] = bytes[i - PATTERN_PERIOD];
}

const char *pattern_at(uint64_t off)
{
        return bytes + off % PATTERN_PERIOD;
}

bool pattern_is(uint64_t off, const char *p, size_t n)
{
        while (n) {
                size_t k = n < PATTERN_RUN ? n : PATTERN_RUN;

                if (memcmp(p, pattern_at(off), k) != 0)
                        return false;
                off += k;
                p += k;
                n -= k;
        }
        return true;
}

void pattern_fill(uint64_t off, char *ret_p, size_t n)
{
        while (n) {
                size_t k = n < PATTERN_RUN ? n : PATTERN_RUN;

                memcpy(ret_p, pattern_at(off), k);
                off += k;
                ret_p += k;
                n -= k;
        }
}
