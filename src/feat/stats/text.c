/* feat/stats/text.c - names and messages into CSV, JSON and HTML: one escaper each, used by every caller. */
#include "feat/stats/stats.h"

void stat_csv_text(struct buf *out, struct str s)
{
        bool quote = s.n && (memchr(s.p, ',', s.n) || memchr(s.p, '"', s.n) || memchr(s.p, '\n', s.n) ||
                             memchr(s.p, '\r', s.n));

        if (!quote) {
                buf_str(out, s);
                return;
        }
        buf_putc(out, '"');
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                if (c == '"')
                        buf_putc(out, '"');
                buf_putc(out, c == '\n' || c == '\r' ? ' ' : c); /* one object, one line */
        }
        buf_putc(out, '"');
}

/* Length of the valid UTF-8 sequence at s, or 0 (RFC 3629 section 4: no overlong forms, no surrogates). */
static size_t utf8_len(struct str s)
{
        unsigned char c = (unsigned char)s.p[0], c1 = s.n > 1 ? (unsigned char)s.p[1] : 0;
        size_t n = c < 0x80 ? 1 : c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;

        if (n == 0 || n > s.n)
                return 0;
        for (size_t i = 1; i < n; i++)
                if (((unsigned char)s.p[i] & 0xc0) != 0x80)
                        return 0;
        if ((c == 0xe0 && c1 < 0xa0) || (c == 0xed && c1 > 0x9f) || (c == 0xf0 && c1 < 0x90) ||
            (c == 0xf4 && c1 > 0x8f))
                return 0;
        return n;
}

void stat_utf8(struct buf *out, struct str s, void (*fn)(struct buf *out, struct str valid))
{
        while (s.n > 0) {
                size_t n = utf8_len(s);

                if (n == 0)
                        buf_puts(out, "\xef\xbf\xbd");
                else
                        fn(out, str_sub(s, 0, n));
                n = n ? n : 1;
                s = str_sub(s, n, s.n - n);
        }
}

static void json_byte(struct buf *out, unsigned char c)
{
        if (c == '"' || c == '\\')
                buf_putc(out, '\\');
        if (c >= 0x20 && c != 0x7f)
                buf_putc(out, (char)c);
        else
                buf_printf(out, "\\u%04x", c);
}

void stat_json_text(struct buf *out, struct str s)
{
        buf_putc(out, '"');
        while (s.n > 0) {
                size_t n = utf8_len(s);

                if (n == 0)
                        buf_puts(out, "\\ufffd");
                else if (n == 1)
                        json_byte(out, (unsigned char)s.p[0]);
                else
                        buf_add(out, s.p, n);
                n = n ? n : 1;
                s = str_sub(s, n, s.n - n);
        }
        buf_putc(out, '"');
}

static void html_byte(struct buf *out, unsigned char c)
{
        switch (c) {
        case '&': buf_puts(out, "&amp;"); break;
        case '<': buf_puts(out, "&lt;"); break;
        case '>': buf_puts(out, "&gt;"); break;
        case '"': buf_puts(out, "&quot;"); break;
        case '\'': buf_puts(out, "&#39;"); break;
        default:
                if (c < 0x20 || c == 0x7f)
                        buf_putc(out, ' ');
                else
                        buf_putc(out, (char)c);
        }
}

void stat_html_text(struct buf *out, struct str s)
{
        while (s.n > 0) {
                size_t n = utf8_len(s);

                if (n == 0)
                        buf_puts(out, "&#65533;");
                else if (n == 1)
                        html_byte(out, (unsigned char)s.p[0]);
                else
                        buf_add(out, s.p, n);
                n = n ? n : 1;
                s = str_sub(s, n, s.n - n);
        }
}
