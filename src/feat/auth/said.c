/* feat/auth/said.c - the credentials of a request (RFC 9110 11.6.2, RFC 7617, RFC 6750). */
#include "feat/auth/auth.h"

static int base64_value(unsigned char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Bytes of `out`, or -1: it is none, or too long. */
static int base64_decode(struct str in, char *out, size_t size)
{
        uint32_t acc = 0, bits = 0;
        size_t n = 0;

        while (in.n && in.p[in.n - 1] == '=')
                in.n--;
        for (size_t i = 0; i < in.n; i++) {
                int v = base64_value((unsigned char)in.p[i]);

                if (v < 0)
                        return -1;
                acc = acc << 6 | (uint32_t)v;
                bits += 6;
                if (bits < 8)
                        continue;
                bits -= 8;
                if (n == size)
                        return -1;
                out[n++] = (char)(acc >> bits);
        }
        return (int)n;
}

static bool said_basic(struct str rest, struct auth_said *a)
{
        int n = base64_decode(rest, a->plain, sizeof(a->plain));
        const char *colon = n > 0 ? memchr(a->plain, ':', (size_t)n) : NULL;

        if (!colon)
                return false;
        a->type = STR("Basic");
        a->user = (struct str){ a->plain, (size_t)(colon - a->plain) };
        a->password = (struct str){ colon + 1, (size_t)(a->plain + n - colon) - 1 };
        return true;
}

bool auth_said(const struct hmsg *req, struct str field, struct auth_said *ret_a)
{
        int i = hmsg_find_name(req, field, 0);
        struct str v = i >= 0 ? hmsg_value(req, i) : STR(""), rest;
        const char *blank = v.n ? memchr(v.p, ' ', v.n) : NULL;
        size_t n = blank ? (size_t)(blank - v.p) : 0;

        if (n == 0)
                return false;
        ret_a->type = ret_a->user = ret_a->password = ret_a->token = STR("");
        rest = str_trim(str_sub(v, n, v.n - n));
        if (str_ieq(str_sub(v, 0, n), STR("Basic")))
                return said_basic(rest, ret_a);
        if (!str_ieq(str_sub(v, 0, n), STR("Bearer")) || rest.n == 0)
                return false;
        ret_a->type = STR("Bearer");
        ret_a->token = rest;
        return true;
}
