/* feat/fetches/base64.c - base64 and base64url in both directions (RFC 4648 sections 4 and 5; manual 7.3.1).
 *
 * base64 writes and wants padding; the url form writes none and takes a text with or without it. What is not of the alphabet, or of
 * no possible length, is a MISS: nothing is guessed. */
#include "core/expr.h"

#include <string.h>

#define CONV(fn) static bool fn(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args, struct smp *smp)
#define UNUSED   (void)x, (void)args, (void)n_args

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void give(struct smp *s, enum smp_type type, char *out, size_t n, size_t cap)
{
        s->type = type;
        s->is_const = false;
        s->s.p = out;
        s->s.n = (uint32_t)n;
        s->s.cap = (uint32_t)cap;
}

static bool encode(struct smp *s, const char *alphabet, bool pad)
{
        const unsigned char *in = (const unsigned char *)s->s.p;
        size_t cap, n = 0, len = s->s.n;
        char *out = expr_scratch(&cap);

        if (len / 3 * 4 + 4 > cap)
                return false;
        for (size_t i = 0; i < len; i += 3) {
                size_t left = len - i;
                uint32_t v =
                        (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0u);

                for (unsigned k = 0; k < 4; k++) {
                        if (k <= left)
                                out[n++] = alphabet[v >> (18 - 6 * k) & 63];
                        else if (pad)
                                out[n++] = '=';
                }
        }
        give(s, SMP_STR, out, n, cap);
        return true;
}

static int value_of(char ch, const char *alphabet)
{
        const char *p = ch ? strchr(alphabet, ch) : NULL;

        return p ? (int)(p - alphabet) : -1;
}

static bool decode(struct smp *s, const char *alphabet, bool pad)
{
        size_t cap, n = 0, len = s->s.n;
        char *out = expr_scratch(&cap);
        uint32_t v = 0;

        if (pad && len % 4)
                return false;
        if (len % 4 == 0) {
                for (int k = 0; k < 2 && len && s->s.p[len - 1] == '='; k++)
                        len--;
        }
        if (len % 4 == 1 || len / 4 * 3 + 3 > cap)
                return false;
        for (size_t i = 0; i < len; i++) {
                int bits = value_of(s->s.p[i], alphabet);

                if (bits < 0)
                        return false;
                v = v << 6 | (uint32_t)bits;
                if (i % 4)
                        out[n++] = (char)(v >> (6 - 2 * (i % 4)) & 0xff);
        }
        give(s, SMP_BIN, out, n, cap);
        return true;
}

CONV(base64)
{
        UNUSED;
        return encode(smp, plain, true);
}

CONV(b64dec)
{
        UNUSED;
        return decode(smp, plain, true);
}

CONV(ub64enc)
{
        UNUSED;
        return encode(smp, url, false);
}

CONV(ub64dec)
{
        UNUSED;
        return decode(smp, url, false);
}

#define TO   .in = SMP_BIN, .out = SMP_STR, .manual = "7.3.1"
#define FROM .in = SMP_STR, .out = SMP_BIN, .manual = "7.3.1"

static const struct conv rows[] = {
        { .name = "b64dec", FROM, .fn = b64dec, .help = "base64 to bytes" },
        { .name = "base64", TO, .fn = base64, .help = "bytes to base64" },
        { .name = "ub64dec", FROM, .fn = ub64dec, .help = "base64url to bytes" },
        { .name = "ub64enc", TO, .fn = ub64enc, .help = "bytes to base64url, without padding" },
};
CONV_TABLE(base64, rows);
