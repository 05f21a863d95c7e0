/* conf/diag_print.c - three ways to show the same list. */
#include "conf/diag.h"

#define FRAME_WIDTH 160u /* of a source line that is shown whole; longer ones are cut around the caret */

static const char *const level_tag[] = { "[DIAG]", "[NOTICE]", "[WARNING]", "[ALERT]" };
static const char *const level_word[] = { "advice", "notice", "warning", "error" };
static const char *const level_json[] = { "diag", "notice", "warning", "alert" };

static const char *file_name(const struct diags *d, const struct diag *g)
{
        return g->at.line && g->at.file < d->n_files ? d->files[g->at.file].name : NULL;
}

static void classic_place(const struct diags *d, const struct diag *g, struct buf *out)
{
        const char *name = file_name(d, g);

        if (!g->parsing || !name)
                return;
        switch (g->intro) {
        case DIAG_INTRO_SPACED: buf_printf(out, "parsing [%s:%u] : ", name, g->at.line); break;
        case DIAG_INTRO_TIGHT: buf_printf(out, "parsing [%s:%u]: ", name, g->at.line); break;
        case DIAG_INTRO_CAPITAL: buf_printf(out, "Parsing [%s:%u]: ", name, g->at.line); break;
        case DIAG_INTRO_PLACE: buf_printf(out, "[%s:%u] : ", name, g->at.line); break;
        }
}

static void classic(const struct diags *d, const struct diag *g, int pid, struct buf *out)
{
        buf_printf(out, "%-11s(%d) : config : ", level_tag[g->level], pid);
        classic_place(d, g, out);
        buf_puts(out, g->text);
        if (g->suggest)
                buf_printf(out, "; did you mean '%s' maybe ?", g->suggest);
        if (g->excerpt)
                buf_printf(out, ":\n  %s\n  %*s", g->excerpt, (int)g->excerpt_col, "^");
        buf_putc(out, '\n');
}

/* The raw line of a span, without its end. */
static bool source_line(const struct diags *d, const struct diag *g, struct str *ret_line)
{
        struct str t;
        const char *end;

        if (!file_name(d, g) || !d->files[g->at.file].text.p)
                return false;
        t = d->files[g->at.file].text;
        for (uint32_t i = 1; i < g->at.line; i++) {
                end = memchr(t.p, '\n', t.n);
                if (!end)
                        return false;
                t = str_sub(t, (size_t)(end + 1 - t.p), t.n - (size_t)(end + 1 - t.p));
        }
        end = memchr(t.p, '\n', t.n);
        t.n = end ? (size_t)(end - t.p) : t.n;
        while (t.n && t.p[t.n - 1] == '\r')
                t.n--;
        *ret_line = t;
        return true;
}

/* Length of the well-formed UTF-8 sequence at p (RFC 3629), or 0. */
static size_t utf8_len(const char *p, size_t n)
{
        const unsigned char *u = (const unsigned char *)p;
        size_t len = u[0] < 0x80 ? 1 : u[0] >= 0xc2 && u[0] < 0xe0 ? 2 : (u[0] & 0xf0) == 0xe0 ? 3 : 4;

        if (u[0] < 0x80)
                return 1;
        if (u[0] < 0xc2 || u[0] > 0xf4 || len > n)
                return 0;
        for (size_t i = 1; i < len; i++)
                if ((u[i] & 0xc0) != 0x80)
                        return 0;
        if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) || (u[0] == 0xf0 && u[1] < 0x90) ||
            (u[0] == 0xf4 && u[1] > 0x8f))
                return 0; /* overlong, surrogate, above U+10FFFF */
        return len;
}

/* Text for a terminal: no control bytes (an escape sequence in a file must not reach the screen); tabs stay. */
static void put_safe(struct buf *out, struct str s)
{
        for (size_t i = 0, n; i < s.n; i += n ? n : 1) {
                unsigned char c = (unsigned char)s.p[i];

                n = utf8_len(s.p + i, s.n - i);
                if (n == 0 || (c < 0x20 && c != '\t') || c == 0x7f || (n == 2 && c == 0xc2 && s.p[i + 1] < (char)0xa0))
                        buf_putc(out, '?');
                else
                        buf_add(out, s.p + i, n);
        }
}

/* As wide as put_safe() of the same bytes: tabs stay tabs so that the caret stands right at any tab width. */
static void put_blank(struct buf *out, struct str s)
{
        for (size_t i = 0, n; i < s.n; i += n ? n : 1) {
                n = utf8_len(s.p + i, s.n - i);
                buf_putc(out, s.p[i] == '\t' ? '\t' : ' ');
        }
}

static size_t width(struct str s)
{
        size_t w = 0;

        for (size_t i = 0, n; i < s.n; i += n ? n : 1, w++)
                n = utf8_len(s.p + i, s.n - i);
        return w;
}

static void frame_advice(const struct diag *g, struct buf *out)
{
        if (g->suggest) {
                buf_puts(out, " did you mean `");
                put_safe(out, str_of(g->suggest));
                buf_puts(out, "`?");
        } else if (g->hint) {
                buf_putc(out, ' ');
                put_safe(out, str_of(g->hint));
        }
}

static void frame_source(const struct diag *g, struct str line, int gutter, struct buf *out)
{
        size_t col = g->at.col ? g->at.col - 1 : 0, len, from = 0;

        col = col < line.n ? col : line.n;
        len = g->at.len < line.n - col ? g->at.len : line.n - col;
        if (line.n > FRAME_WIDTH && col > FRAME_WIDTH / 2)
                from = col - FRAME_WIDTH / 2;
        if (line.n - from > FRAME_WIDTH)
                line.n = from + FRAME_WIDTH;
        len = len < line.n - col ? len : line.n - col;
        buf_printf(out, "%*s |\n%*u | %s", gutter, "", gutter, g->at.line, from ? "..." : "");
        put_safe(out, str_sub(line, from, line.n - from));
        buf_printf(out, "\n%*s | %s", gutter, "", from ? "   " : "");
        if (g->at.col == 0)
                return;
        put_blank(out, str_sub(line, from, col - from));
        for (size_t w = len ? width(str_sub(line, col, len)) : 1; w; w--)
                buf_putc(out, '^');
}

static int digits(uint32_t n)
{
        int d = 1;

        while (n >= 10)
                n /= 10, d++;
        return d;
}

static void frame(const struct diags *d, const struct diag *g, struct buf *out)
{
        int gutter = digits(g->at.line) + 1;
        struct str line;

        buf_printf(out, "%s[%s]: ", level_word[g->level], g->code);
        put_safe(out, str_of(g->text));
        buf_putc(out, '\n');
        if (file_name(d, g)) {
                buf_printf(out, "%*s--> ", gutter, "");
                put_safe(out, str_of(file_name(d, g)));
                buf_printf(out, ":%u", g->at.line);
                if (g->at.col)
                        buf_printf(out, ":%u", g->at.col);
                buf_putc(out, '\n');
        }
        if (source_line(d, g, &line))
                frame_source(g, line, gutter, out);
        else if (g->suggest || g->hint)
                buf_printf(out, "%*s =", gutter, "");
        frame_advice(g, out);
        buf_puts(out, out->n && out->p[out->n - 1] == '\n' ? "\n" : "\n\n");
}

static void json_text(struct buf *out, const char *z)
{
        struct str s = str_of(z);

        buf_putc(out, '"');
        for (size_t i = 0, n; i < s.n; i += n ? n : 1) {
                unsigned char c = (unsigned char)s.p[i];

                n = utf8_len(s.p + i, s.n - i);
                if (n == 0)
                        buf_puts(out, "\\ufffd");
                else if (c == '"' || c == '\\')
                        buf_printf(out, "\\%c", c);
                else if (c < 0x20 || c == 0x7f)
                        buf_printf(out, "\\u%04x", c);
                else
                        buf_add(out, s.p + i, n);
        }
        buf_putc(out, '"');
}

static void json_member(struct buf *out, const char *name, const char *z)
{
        if (!z)
                return;
        buf_printf(out, ",\"%s\":", name);
        json_text(out, z);
}

static void json(const struct diags *d, const struct diag *g, struct buf *out)
{
        buf_printf(out, "{\"level\":\"%s\",\"code\":\"%s\"", level_json[g->level], g->code);
        if (file_name(d, g)) {
                json_member(out, "file", file_name(d, g));
                buf_printf(out, ",\"line\":%u,\"column\":%u,\"length\":%u", g->at.line, g->at.col, g->at.len);
        }
        json_member(out, "text", g->text);
        json_member(out, "suggestion", g->suggest);
        json_member(out, "hint", g->hint);
        buf_putc(out, '}');
}

void diags_format(const struct diags *d, enum diag_form form, enum diag_level min, int pid, struct buf *out)
{
        const char *sep = "";

        if (form == DIAG_JSON)
                buf_putc(out, '[');
        list_for_each (i, &d->all) {
                const struct diag *g = list_item(i, struct diag, link);

                if (g->level < min)
                        continue;
                if (form == DIAG_CLASSIC)
                        classic(d, g, pid, out);
                else if (form == DIAG_FRAME)
                        frame(d, g, out);
                else {
                        buf_puts(out, sep);
                        json(d, g, out);
                        sep = ",\n";
                }
        }
        if (form == DIAG_JSON)
                buf_puts(out, "]\n");
}

static bool file_has_alert(const struct diags *d, uint32_t file)
{
        list_for_each (i, &d->all) {
                const struct diag *g = list_item(i, struct diag, link);

                if (g->level == DIAG_ALERT && g->at.line && g->at.file == file)
                        return true;
        }
        return false;
}

void diags_closing(const struct diags *d, int pid, struct buf *out)
{
        if (d->n_alerts == 0)
                return;
        for (uint32_t i = 0; i < d->n_files; i++)
                if (file_has_alert(d, i))
                        buf_printf(out, "[ALERT]    (%d) : config : Error(s) found in configuration file : %s\n", pid,
                                   d->files[i].name);
        buf_printf(out, "[ALERT]    (%d) : config : Fatal errors found in configuration.\n", pid);
}
