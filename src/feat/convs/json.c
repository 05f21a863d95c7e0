/* feat/convs/json.c - text as the inside of a JSON string (RFC 8259 7), in ASCII: bytes or UTF-8 (RFC 3629) in.
 *
 * Code points above U+FFFF do not fit one \uXXXX and count as errors, as in HAProxy. */
#include "feat/convs/conv.h"

enum { MODE_STRICT = 1, MODE_PERMISSIVE = 2, MODE_SILENT = 4 }; /* 0: ascii, each byte a character */

CHECK(check_json)
{
        static const struct {
                const char *name;
                int mode;
        } modes[] = { { "ascii", 0 },
                      { "utf8", MODE_STRICT },
                      { "utf8s", MODE_STRICT | MODE_SILENT },
                      { "utf8p", MODE_PERMISSIVE },
                      { "utf8ps", MODE_PERMISSIVE | MODE_SILENT } };
        struct str name = arg_text(args, n_args, 0);

        if (name.n == 0)
                return true;
        for (size_t i = 0; i < array_len(modes); i++) {
                if (str_is(name, modes[i].name)) {
                        args[0].i = modes[i].mode;
                        return true;
                }
        }
        return conv_refuse(
                c, at, "Unexpected input code type. Allowed value are 'ascii', 'utf8', 'utf8s', 'utf8p' and 'utf8ps'.");
}

/* The code point at the start of t, and how many bytes it takes; -1: an error of so many bytes. */
static int32_t next_point(struct str t, bool permissive, size_t *ret_n)
{
        static const int32_t least[4] = { 0, 0x80, 0x800, 0x10000 };
        unsigned char b = (unsigned char)t.p[0];
        size_t more = b < 0x80                ? 0
                      : b >= 0xc0 && b < 0xe0 ? 1
                      : b >= 0xe0 && b < 0xf0 ? 2
                      : b >= 0xf0 && b < 0xf8 ? 3
                                              : 9,
               i;
        int32_t v = more ? b & (0x3f >> more) : b;

        *ret_n = 1;
        if (more == 9)
                return -1;
        for (i = 1; i <= more && i < t.n && ((unsigned char)t.p[i] & 0xc0) == 0x80; i++)
                v = v << 6 | (t.p[i] & 0x3f);
        *ret_n = i;
        if (i <= more || v > 0xffff || (v >= 0xd800 && v <= 0xdfff) || v == 0xfffe || v == 0xffff)
                return -1;
        return v < least[more] && !permissive ? -1 : v;
}

static void put_point(struct out *o, int32_t v)
{
        static const char short_of[14] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };
        char esc = v < 14 ? short_of[v] : v == '"' || v == '\\' || v == '/' ? (char)v : '\0';

        if (esc) {
                out_char(o, '\\');
                out_char(o, esc);
        } else if (v >= ' ' && v < 0x7f) {
                out_char(o, (char)v);
        } else {
                out_text(o, STR("\\u"));
                for (int shift = 12; shift >= 0; shift -= 4)
                        out_char(o, "0123456789abcdef"[v >> shift & 15]);
        }
}

CONV(json)
{
        int mode = n_args ? (int)args[0].i : 0;
        struct str t = smp_text(smp);
        struct out o = out_open();
        size_t n = 1;

        (void)x;
        for (size_t i = 0; i < t.n; i += n) {
                int32_t v = (unsigned char)t.p[i];

                if (mode)
                        v = next_point(str_sub(t, i, t.n - i), (mode & MODE_PERMISSIVE) != 0, &n);
                if (v >= 0)
                        put_point(&o, v);
                else if (!(mode & MODE_SILENT))
                        return false;
        }
        return out_give(&o, SMP_STR, smp);
}

static const struct conv rows[] = {
        { .name = "json",
          .args = { ARG_STR },
          ROW(STR, STR),
          .check = check_json,
          .fn = json,
          .help = "as the inside of a JSON string; input: ascii, utf8, utf8s, utf8p or utf8ps" },
};
CONV_TABLE(json, rows);
