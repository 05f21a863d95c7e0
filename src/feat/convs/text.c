/* feat/convs/text.c - strings: case, order, hosts, joining and comparing with variables. */
#include "feat/convs/conv.h"

/* Own bytes that may be changed; false when they do not fit. */
static bool make_writable(struct smp *s)
{
        struct out o;

        if (!s->is_const && s->s.cap >= s->s.n)
                return true;
        o = out_open();
        out_text(&o, smp_text(s));
        return out_give(&o, s->type, s);
}

static bool change_case(struct smp *s, char first, char last)
{
        char *p;

        if (!make_writable(s))
                return false;
        p = (char *)(uintptr_t)s->s.p;
        for (uint32_t i = 0; i < s->s.n; i++)
                p[i] = (char)(p[i] >= first && p[i] <= last ? p[i] ^ 0x20 : p[i]);
        return true;
}

CONV(lower)
{
        UNUSED;
        return change_case(smp, 'A', 'Z');
}

CONV(upper)
{
        UNUSED;
        return change_case(smp, 'a', 'z');
}

CONV(length)
{
        UNUSED;
        smp_int(smp, smp->s.n);
        return true;
}

CONV(iif)
{
        (void)x;
        smp_str(smp, arg_text(args, n_args, smp->b ? 0 : 1));
        return true;
}

CONV(reverse)
{
        struct out o = out_open();

        UNUSED;
        for (size_t i = smp->s.n; i > 0; i--)
                out_char(&o, smp->s.p[i - 1]);
        return out_give(&o, SMP_STR, smp);
}

/* "mail.example.com." -> "com.example.mail"; empty labels fail. */
CONV(reverse_dom)
{
        struct str t = smp_text(smp);
        struct out o = out_open();
        size_t end = t.n && t.p[t.n - 1] == '.' ? t.n - 1 : t.n;

        UNUSED;
        for (size_t start = end;; start--) {
                if (start && t.p[start - 1] != '.')
                        continue;
                if (start == end)
                        return false;
                if (o.n)
                        out_char(&o, '.');
                out_text(&o, str_sub(t, start, end - start));
                if (start == 0)
                        return out_give(&o, SMP_STR, smp);
                end = start - 1;
        }
}

/* ---- a Host header's value (RFC 9110 7.2) ---- */

/* Where the ":" of the port stands; t.n: there is none. Those within brackets are of an address. */
static size_t port_colon(struct str t)
{
        for (size_t i = t.n; i > 0 && t.p[i - 1] != ']'; i--) {
                if (t.p[i - 1] == ':')
                        return i - 1;
        }
        return t.n;
}

CONV(host_only)
{
        UNUSED;
        return conv_narrow(smp, 0, port_colon(smp_text(smp))) && change_case(smp, 'A', 'Z');
}

/* 32 bits of what stands there, unjudged, as in HAProxy. */
CONV(port_only)
{
        struct str t = smp_text(smp);
        uint32_t v = 0;

        UNUSED;
        for (size_t i = port_colon(t) + 1; i < t.n; i++)
                v = v * 10 + (uint32_t)(t.p[i] - '0');
        smp_int(smp, v);
        return true;
}

#define TEXT ROW(STR, STR)

static const struct conv rows[] = {
        { .name = "host_only", TEXT, .fn = host_only, .help = "the host of a Host header's value, in lower case" },
        { .name = "iif",
          .args = { ARG_STR, ARG_STR },
          .min_args = 2,
          ROW(BOOL, STR),
          .fn = iif,
          .help = "the first text when it is true, else the second" },
        { .name = "length", ROW(STR, SINT), .fn = length, .help = "how many bytes" },
        { .name = "lower", TEXT, .fn = lower, .help = "to lower case" },
        { .name = "port_only", ROW(STR, SINT), .fn = port_only, .help = "the port of a Host header's value; none: 0" },
        { .name = "reverse", TEXT, .fn = reverse, .help = "its bytes backwards" },
        { .name = "reverse_dom", TEXT, .fn = reverse_dom, .help = "the labels of a host name backwards" },
        { .name = "upper", TEXT, .fn = upper, .help = "to upper case" },
};
CONV_TABLE(text, rows);
