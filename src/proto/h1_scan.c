/* proto/h1_scan.c - the byte classes of HTTP/1 (the enum in h1_scan.h says what each bit means), and the choice for this processor. */
#include "proto/h1_scan.h"
#include "proto/h1_lines.h"

/* clang-format off */
const uint8_t h1_class[256] = {
          4,   4,   4,   4,   4,   4,   4,   4,   4,  68,   4,   4,   4,   4,   4,   4, /* 0x00 */
          4,   4,   4,   4,   4,   4,   4,   4,   4,   4,   4,   4,   4,   4,   4,   4, /* 0x10 */
         64,  89,   8,  65,  89,  89,  89,  89,  88,  88,  89,  89,  72,  89,  89,  72, /* 0x20 */
        249, 249, 249, 249, 249, 249, 249, 249, 249, 249,  72,  88,  72,  88,  72,  72, /* 0x30 */
         72, 123, 123, 123, 123, 123, 123,  91,  91,  91,  91,  91,  91,  91,  91,  91, /* 0x40 */
         91,  91,  91,  91,  91,  91,  91,  91,  91,  91,  91,  72,   8,  72,  73,  89, /* 0x50 */
         73, 121, 121, 121, 121, 121, 121,  89,  89,  89,  89,  89,  89,  89,  89,  89, /* 0x60 */
         89,  89,  89,  89,  89,  89,  89,  89,  89,  89,  89,  72,  73,  72,  89,   4, /* 0x70 */
         64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64, /* 0x80 */
         64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64, /* 0x90 */
         64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64, /* 0xa0 */
         64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64, /* 0xb0 */
         64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64, /* 0xc0 */
         64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64, /* 0xd0 */
         64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64, /* 0xe0 */
         64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64,  64, /* 0xf0 */
};
/* clang-format on */

extern const uint8_t h1_case_mask[32], h1_first_mask[32];
const uint8_t h1_case_mask[32] = { 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20,
                                   0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20 };
const uint8_t h1_first_mask[32] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* ---- which version of the lines' loops ---- */

const struct h1_lines *h1_lines = &h1_lines_base;

#if defined(__x86_64__)
static bool has_avx2(void)
{
        __builtin_cpu_init();
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
               __builtin_cpu_supports("popcnt");
}

static const struct h1_lines *wide(void)
{
        return has_avx2() ? &h1_lines_avx2 : NULL;
}
#else
static const struct h1_lines *wide(void)
{
        return NULL;
}
#endif

__attribute__((constructor)) static void choose(void)
{
        if (wide())
                h1_lines = wide();
}

const struct h1_lines *h1_lines_at(unsigned i)
{
        return i == 0 ? &h1_lines_base : i == 1 ? wide() : NULL;
}
