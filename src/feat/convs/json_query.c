/* feat/convs/json_query.c - one value out of a JSON text, found by a path as "$.a.b[1]" without building a tree.
 *
 * What is not on the way to the value is skipped by its brackets and quotes, not judged; a text that ends too early is fine when the
 * value came before. Nesting has a limit, so that no input costs stack. */
#include "feat/convs/conv.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MAX = 64, NUMBER_MAX = 64 };

struct scan {
        const char *p, *end;
};

static char peek(struct scan *s) /* the next byte that is no white space; NUL: none */
{
        while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
                s->p++;
        return s->p < s->end ? *s->p : '\0';
}

static bool take(struct scan *s, char ch)
{
        if (peek(s) != ch || s->p >= s->end)
                return false;
        s->p++;
        return true;
}

/* The raw inside of a string. */
static bool take_string(struct scan *s, struct str *ret_raw)
{
        const char *start;

        if (!take(s, '"'))
                return false;
        for (start = s->p; s->p < s->end && *s->p != '"'; s->p++) {
                if (*s->p == '\\' && ++s->p >= s->end)
                        return false;
        }
        if (s->p >= s->end)
                return false;
        *ret_raw = (struct str){ start, (size_t)(s->p - start) };
        s->p++;
        return true;
}

static bool ends_scalar(char ch)
{
        return strchr(" \t\r\n,:]}[{\"", ch) != NULL;
}

static bool take_scalar(struct scan *s, struct str *ret_raw)
{
        const char *start;

        (void)peek(s);
        for (start = s->p; s->p < s->end && *s->p && !ends_scalar(*s->p);)
                s->p++;
        *ret_raw = (struct str){ start, (size_t)(s->p - start) };
        return s->p > start;
}

/* A value of any type, with what it holds. */
static bool skip(struct scan *s)
{
        unsigned depth = 0;
        struct str raw;

        do {
                switch (peek(s)) {
                case '{':
                case '[':
                        if (++depth > DEPTH_MAX)
                                return false;
                        s->p++;
                        break;
                case '}':
                case ']':
                        if (depth == 0)
                                return false;
                        depth--;
                        s->p++;
                        break;
                case '"':
                        if (!take_string(s, &raw))
                                return false;
                        break;
                case ',':
                case ':':
                        if (depth == 0)
                                return false;
                        s->p++;
                        break;
                default:
                        if (!take_scalar(s, &raw))
                                return false;
                }
        } while (depth);
        return true;
}

/* ---- the path: .key (\. and \[ are part of one) and [index] ---- */

static bool key_char(struct str path, size_t *i, char *ret_ch)
{
        if (*i < path.n && path.p[*i] == '\\' && *i + 1 < path.n)
                *ret_ch = path.p[++*i];
        else if (*i >= path.n || path.p[*i] == '.' || path.p[*i] == '[')
                return false;
        else
                *ret_ch = path.p[*i];
        ++*i;
        return true;
}

/* Is the key at path[i] this member's name? *ret_next: behind it. */
static bool is_key(struct str path, size_t i, struct str name, size_t *ret_next)
{
        size_t n = 0;
        bool same = true;
        char ch;

        while (key_char(path, &i, &ch)) {
                same = same && n < name.n && name.p[n] == ch;
                n++;
        }
        *ret_next = i;
        return same && n == name.n && n > 0;
}

static bool enter_member(struct scan *s, struct str path, size_t *i)
{
        struct str name;
        size_t next;

        if (!take(s, '{'))
                return false;
        do {
                if (!take_string(s, &name) || !take(s, ':'))
                        return false;
                if (is_key(path, *i, name, &next)) {
                        *i = next;
                        return true;
                }
        } while (skip(s) && take(s, ','));
        return false;
}

static bool enter_item(struct scan *s, struct str path, size_t *i)
{
        uint64_t index;
        size_t n = 0;

        while (*i + n < path.n && chr_is_digit(path.p[*i + n]))
                n++;
        if (!str_to_u64(str_sub(path, *i, n), &index) || *i + n >= path.n || path.p[*i + n] != ']' || !take(s, '['))
                return false;
        *i += n + 1;
        for (; index; index--) {
                if (!skip(s) || !take(s, ','))
                        return false;
        }
        return peek(s) != ']';
}

static bool find(struct scan *s, struct str path)
{
        if (path.n == 0 || path.p[0] != '$')
                return false;
        for (size_t i = 1; i < path.n;) {
                char ch = path.p[i++];

                if (!(ch == '.' ? enter_member(s, path, &i) : ch == '[' && enter_item(s, path, &i)))
                        return false;
        }
        return true;
}

/* ---- the value ---- */

static int hex4(const char *p)
{
        int v = 0;

        for (int i = 0; i < 4; i++) {
                const char *digits = "0123456789abcdef", *d = strchr(digits, chr_lower((unsigned char)p[i]));

                if (!p[i] || !d)
                        return -1;
                v = v << 4 | (int)(d - digits);
        }
        return v;
}

/* One byte a character: what \u names above U+00FF is refused, as HAProxy does. */
static bool give_string(struct str raw, struct smp *smp)
{
        static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
        struct out o = out_open();

        for (size_t i = 0; i < raw.n; i++) {
                const char *e;
                int v;

                if (raw.p[i] != '\\') {
                        out_char(&o, raw.p[i]);
                        continue;
                }
                if (raw.p[++i] == 'u') {
                        v = raw.n - i > 4 ? hex4(raw.p + i + 1) : -1;
                        if (v < 0 || v > 0xff)
                                return false;
                        out_char(&o, (char)v);
                        i += 4;
                        continue;
                }
                e = raw.p[i] ? strchr(from, raw.p[i]) : NULL;
                if (!e)
                        return false;
                out_char(&o, to[e - from]);
        }
        return out_give(&o, SMP_STR, smp);
}

/* Six digits are what HAProxy prints of a number, unless an integer is asked for: then all of it, up to its fraction. */
static bool give_number(struct str raw, bool as_int, struct smp *smp)
{
        size_t digits = raw.n && raw.p[0] == '-' ? 1 : 0, n = digits;
        char z[NUMBER_MAX + 1], *end;
        struct out o;
        int64_t v;
        double d;

        while (n < raw.n && chr_is_digit(raw.p[n]))
                n++;
        if (n == digits || raw.n > NUMBER_MAX)
                return false;
        if (as_int) {
                if (!str_to_i64(str_sub(raw, 0, n), &v) || v == INT64_MAX || v == INT64_MIN)
                        return false;
                smp_int(smp, v);
                return true;
        }
        memcpy(z, raw.p, raw.n);
        z[raw.n] = '\0';
        d = strtod(z, &end);
        o = out_open();
        o.n = (size_t)snprintf(o.p, o.cap, "%g", d);
        return *end == '\0' && out_give(&o, SMP_STR, smp);
}

static bool give_array(struct scan *s, struct smp *smp)
{
        const char *start = s->p;

        if (!skip(s))
                return false;
        smp_str(smp, (struct str){ start, (size_t)(s->p - start) });
        return true;
}

CHECK(check_json_query)
{
        struct str type = arg_text(args, n_args, 1);

        if (arg_text(args, n_args, 0).n == 0)
                return conv_refuse(c, at, "json_path must not be empty.");
        return type.n == 0 || str_is(type, "int") ||
               conv_refuse(c, at, "output_type only supports \"int\" as argument.");
}

CONV(json_query)
{
        struct scan s = { smp->s.p, smp->s.p + smp->s.n };
        bool as_int = arg_text(args, n_args, 1).n != 0;
        struct str raw;

        (void)x;
        if (!find(&s, arg_text(args, n_args, 0)))
                return false;
        switch (peek(&s)) {
        case '{': return false;
        case '[': return give_array(&s, smp);
        case '"': return take_string(&s, &raw) && give_string(raw, smp);
        default: break;
        }
        if (!take_scalar(&s, &raw))
                return false;
        if (!str_is(raw, "true") && !str_is(raw, "false"))
                return give_number(raw, as_int, smp);
        smp_bool(smp, raw.p[0] == 't');
        return true;
}

static const struct conv rows[] = {
        { .name = "json_query",
          .args = { ARG_STR, ARG_STR },
          .in = SMP_STR,
          .out = SMP_ANY,
          .manual = "7.3.1",
          .check = check_json_query,
          .fn = json_query,
          .help = "the value at a path ($.a.b[0]) of a JSON text; int: as a number" },
};
CONV_TABLE(json_query, rows);
