/* feat/convs/code.c - bytes as digits and back, and the encoding of URLs. */
#include "feat/convs/conv.h"
#include "conf/conf.h"

#include <arpa/inet.h>

static int hex_value(char ch)
{
        return chr_is_digit(ch)         ? ch - '0'
               : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10
               : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10
                                        : -1;
}

CONV(hex)
{
        struct out o = out_open();

        UNUSED;
        for (uint32_t i = 0; i < smp->s.n; i++)
                out_hex(&o, (unsigned char)smp->s.p[i]);
        return out_give(&o, SMP_STR, smp);
}

/* The lowest 64 bits count. */
CONV(hex2i)
{
        uint64_t v = 0;

        UNUSED;
        for (uint32_t i = 0; i < smp->s.n; i++) {
                int digit = hex_value(smp->s.p[i]);

                if (digit < 0)
                        return false;
                v = v << 4 | (unsigned)digit;
        }
        smp_int(smp, (int64_t)v);
        return true;
}

CONV(base2)
{
        struct out o = out_open();

        UNUSED;
        for (uint32_t i = 0; i < smp->s.n; i++) {
                for (int bit = 7; bit >= 0; bit--)
                        out_char(&o, "01"[(unsigned char)smp->s.p[i] >> bit & 1]);
        }
        return out_give(&o, SMP_STR, smp);
}

CONV(to_be32)
{
        uint32_t be = htonl((uint32_t)smp->i);
        struct out o = out_open();

        UNUSED;
        out_text(&o, (struct str){ (const char *)&be, sizeof(be) });
        return out_give(&o, SMP_BIN, smp);
}

/* ---- chunks: (separator, bytes in a chunk, leave out the last one when it is short) ---- */

struct chunks {
        struct str sep;
        int64_t size;
        bool truncate;
};

static struct chunks chunks_of(const struct expr_arg *args, unsigned n_args, int64_t size)
{
        return (struct chunks){ arg_text(args, n_args, 0), arg_int(args, n_args, 1, size),
                                arg_int(args, n_args, 2, 0) != 0 };
}

CHECK(check_truncate)
{
        int64_t v = arg_int(args, n_args, 2, 0);

        return v == 0 || v == 1 || conv_refuse(c, at, "Unsupported truncate value (%lld).", (long long)v);
}

CHECK(check_dec)
{
        int64_t size = arg_int(args, n_args, 1, 0);

        if (size < 1 || size > 8)
                return conv_refuse(c, at, "chunk_size out of [1..8] range (%lld).", (long long)size);
        return check_truncate(c, args, n_args, at);
}

CHECK(check_be2hex)
{
        int64_t size = arg_int(args, n_args, 1, 0);

        if (arg_text(args, n_args, 0).n && size <= 0)
                return conv_refuse(c, at, "chunk_size needs to be positive (%lld).", (long long)size);
        return check_truncate(c, args, n_args, at);
}

/* The next chunk; false: no more. */
static bool next_chunk(const struct chunks *k, const struct smp *s, size_t *at, struct out *o, struct str *ret_chunk)
{
        size_t left = s->s.n - *at, n = (uint64_t)k->size < left ? (size_t)k->size : left;

        if (left == 0 || (k->truncate && n < (uint64_t)k->size))
                return false;
        if (*at)
                out_text(o, k->sep);
        *ret_chunk = (struct str){ s->s.p + *at, n };
        *at += n;
        return true;
}

static bool to_dec(const struct chunks *k, bool little, struct smp *smp)
{
        struct out o = out_open();
        struct str part;
        char digits[24];

        for (size_t at = 0; next_chunk(k, smp, &at, &o, &part);) {
                uint64_t v = 0;

                for (size_t i = 0; i < part.n; i++)
                        v = v << 8 | (unsigned char)part.p[little ? part.n - 1 - i : i];
                out_text(&o, (struct str){ digits, (size_t)(put_u64(digits, digits + sizeof(digits), v) - digits) });
        }
        return out_give(&o, SMP_STR, smp);
}

CONV(be2dec)
{
        struct chunks k = chunks_of(args, n_args, 1);

        (void)x;
        return to_dec(&k, false, smp);
}

CONV(le2dec)
{
        struct chunks k = chunks_of(args, n_args, 1);

        (void)x;
        return to_dec(&k, true, smp);
}

CONV(be2hex)
{
        struct chunks k = chunks_of(args, n_args, 0);
        struct out o = out_open();
        struct str part;

        if (k.size <= 0)
                return hex(x, args, n_args, smp);
        for (size_t at = 0; next_chunk(&k, smp, &at, &o, &part);) {
                for (size_t i = 0; i < part.n; i++)
                        out_hex(&o, (unsigned char)part.p[i]);
        }
        return out_give(&o, SMP_STR, smp);
}

/* ---- URLs (RFC 3986 2.1 to 2.3) ---- */

CHECK(check_url_enc)
{
        return n_args == 0 || args[0].n == 0 || str_is(arg_text(args, n_args, 0), "query") ||
               conv_refuse(c, at, "Unexpected encode type. Allowed value is 'query'.");
}

CONV(url_enc)
{
        struct out o = out_open();

        UNUSED;
        for (uint32_t i = 0; i < smp->s.n; i++) {
                char ch = smp->s.p[i];

                if (chr_is_alnum(ch) || ch == '-' || ch == '.' || ch == '_' || ch == '~') {
                        out_char(&o, ch);
                } else {
                        out_char(&o, '%');
                        out_hex(&o, (unsigned char)ch);
                }
        }
        return out_give(&o, SMP_STR, smp);
}

/* "+" is a blank in a form, and in a URL behind its "?". */
CONV(url_dec)
{
        bool form = arg_int(args, n_args, 0, 0) != 0;
        struct str t = smp_text(smp);
        struct out o = out_open();

        (void)x;
        for (size_t i = 0; i < t.n; i++) {
                if (t.p[i] == '%') {
                        int hi = i + 2 < t.n ? hex_value(t.p[i + 1]) : -1,
                            lo = i + 2 < t.n ? hex_value(t.p[i + 2]) : -1;

                        if (hi < 0 || lo < 0)
                                return false;
                        out_char(&o, (char)(hi << 4 | lo));
                        i += 2;
                } else {
                        form = form || t.p[i] == '?';
                        out_char(&o, form && t.p[i] == '+' ? ' ' : t.p[i]);
                }
        }
        return out_give(&o, SMP_STR, smp);
}

/* ---- addresses ---- */

CHECK(check_ipmask)
{
        static const unsigned char all[16] = { 255, 255, 255, 255, 255, 255, 255, 255,
                                               255, 255, 255, 255, 255, 255, 255, 255 };
        struct str text = arg_text(args, n_args, 1);
        struct in6_addr *mask;
        char z[INET6_ADDRSTRLEN];
        uint64_t bits;

        if (n_args < 2)
                return true;
        args[1].ptr = mask = conf_alloc(c->conf, sizeof(*mask));
        if (str_to_u64(text, &bits) && bits <= 128) {
                memcpy(mask, all, bits / 8);
                if (bits % 8)
                        mask->s6_addr[bits / 8] = (unsigned char)(0xff00u >> (bits % 8));
                return true;
        }
        if (text.n < sizeof(z)) {
                memcpy(z, text.p, text.n);
                z[text.n] = '\0';
                if (inet_pton(AF_INET6, z, mask) == 1)
                        return true;
        }
        return conv_refuse(c, at, "invalid arg 2 in converter 'ipmask' : failed to parse '%.*s' as type 'IPv6 mask'",
                           (int)text.n, text.p);
}

/* IPv6 addresses fail when there is no mask for them, but those that are IPv4 ones (manual). */
CONV(ipmask)
{
        const struct in6_addr *mask = n_args > 1 ? args[1].ptr : NULL;

        (void)x;
        if (smp->type == SMP_IPV6 && IN6_IS_ADDR_V4MAPPED(&smp->ip6) && !smp_cast(smp, SMP_IPV4))
                return false;
        if (smp->type == SMP_IPV4) {
                smp->ip4.s_addr &= htonl((uint32_t)args[0].i);
                return true;
        }
        for (unsigned i = 0; mask && i < 16; i++)
                smp->ip6.s6_addr[i] &= mask->s6_addr[i];
        return mask != NULL;
}

#define DEC .args = { ARG_STR, ARG_SINT, ARG_SINT }, .check = check_dec, ROW(BIN, STR)

static const struct conv rows[] = {
        { .name = "base2", ROW(BIN, STR), .fn = base2, .help = "as binary digits" },
        { .name = "be2dec", DEC, .fn = be2dec, .help = "chunks of bytes as decimal numbers, high byte first" },
        { .name = "be2hex",
          .args = { ARG_STR, ARG_SINT, ARG_SINT },
          ROW(BIN, STR),
          .check = check_be2hex,
          .fn = be2hex,
          .help = "as hexadecimal digits, with a separator after each chunk" },
        { .name = "hex", ROW(BIN, STR), .fn = hex, .help = "as hexadecimal digits" },
        { .name = "hex2i", ROW(STR, SINT), .fn = hex2i, .help = "the number that hexadecimal digits make" },
        { .name = "htonl", ROW(SINT, BIN), .fn = to_be32, .help = "the lowest 32 bits as 4 bytes, high byte first" },
        { .name = "ipmask",
          .args = { ARG_IPV4_MASK, ARG_STR },
          .min_args = 1,
          ROW(ADDR, ADDR),
          .check = check_ipmask,
          .fn = ipmask,
          .help = "the address under a mask; IPv6 has its own" },
        { .name = "le2dec", DEC, .fn = le2dec, .help = "chunks of bytes as decimal numbers, low byte first" },
        { .name = "url_dec",
          .args = { ARG_SINT },
          ROW(STR, STR),
          .fn = url_dec,
          .help = "decodes %XX; of a form (not 0) + is a blank" },
        { .name = "url_enc",
          .args = { ARG_STR },
          ROW(STR, STR),
          .check = check_url_enc,
          .fn = url_enc,
          .help = "encodes what a URL reserves as %XX" },
};
CONV_TABLE(code, rows);
