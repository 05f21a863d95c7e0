/* proto/h1_target.c - the request target and Host (RFC 9112 3.2, RFC 9110 4.2 and 7.2).
 *
 * A rule that sees another host or path than the server does is the oldest way around a rule, so there is one reading:
 * origin-form, absolute-form whose authority agrees with Host, authority-form for CONNECT only, "*" for OPTIONS only.
 * Default ports are removed as HAProxy does (RFC 3986 6.2.3), in place. */
#include "proto/h1_judge.h"
#include "proto/h1_scan.h"

struct authority {
        struct str host;
        struct str port; /* digits; p == NULL: no colon */
};

static bool all_host(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!h1_is(s.p[i], CH_HOST) && s.p[i] != ':')
                        return false;
        return true;
}

/* host [ ":" *DIGIT ], the host maybe empty or an IP literal in brackets. */
static bool parse_authority(struct str s, struct authority *ret_a)
{
        struct authority a = { s, { NULL, 0 } };
        size_t n = 0;

        if (s.n && s.p[0] == '[') { /* RFC 3986 3.2.2; what is in the brackets is the resolver's business */
                const char *close = memchr(s.p, ']', s.n);
                n = close ? (size_t)(close - s.p) + 1 : s.n;
                if (!close || (n < s.n && s.p[n] != ':'))
                        return false;
        }
        n = h1_skip_host(s.p, n, s.n);
        if (n < s.n) {
                uint64_t port = 0;

                a.host.n = n;
                a.port = str_sub(s, n + 1, s.n - n - 1);
                if (s.p[n] != ':' || (a.port.n && (!str_to_u64(a.port, &port) || port > 65535)))
                        return false;
        }
        if (s.n && s.p[0] == '[' && !all_host(str_sub(s, 1, a.host.n - 2)))
                return false;
        *ret_a = a;
        return true;
}

static bool port_is(struct str port, uint64_t want)
{
        uint64_t v;

        return want && str_to_u64(port, &v) && v == want;
}

/* Nothing, an empty port or the scheme's own: the same place (RFC 3986 6.2.3). CONNECT has no scheme: 80 and 443. */
static bool is_default(struct str port, uint64_t def, uint64_t def2)
{
        return port.n == 0 || port_is(port, def) || port_is(port, def2);
}

static bool same_port(struct str a, struct str b, uint64_t def, uint64_t def2)
{
        uint64_t x, y;

        /* CONNECT host:80 is not host:443, though either may go without saying in Host. */
        if (a.n && b.n)
                return str_to_u64(a, &x) && str_to_u64(b, &y) && x == y;
        return is_default(a, def, def2) && is_default(b, def, def2);
}

static void trim_host(struct hmsg *m, int i, struct authority host)
{
        m->f[i].vlen = (uint32_t)host.host.n;
        m->f[i].flags &= (uint8_t)~HF_RAW;
}

/* One Host, or the same several times (kept once). *ret_i: its index or -1. */
static enum h1_verdict judge_host(struct h1 *h, struct hmsg *m, int *ret_i, struct authority *ret_host)
{
        /* nothing was removed yet: the first one is the first */
        int first = hmsg_may_have(m, HID_HOST) ? m->first[HID_HOST] : -1;

        *ret_i = first;
        if (first < 0) {
                m->flags |= m->minor ? HMSG_NO_HOST : 0U;
                return H1_OK;
        }
        if (!parse_authority(hmsg_value(m, first), ret_host))
                return h1_bad(h, H1_WHY_HOST, m->f[first].val);
        if (likely(!(m->many >> HID_HOST & 1)))
                return H1_OK;
        for (int i = first; (i = hmsg_find(m, HID_HOST, i + 1)) >= 0;) {
                if (!str_ieq(hmsg_value(m, first), hmsg_value(m, i)))
                        return h1_bad(h, H1_WHY_HOST_DIFFERS, m->f[i].val);
                m->f[i].flags |= HF_DEL;
        }
        return H1_OK;
}

static enum h1_verdict judge_connect(struct h1 *h, struct hmsg *m, int host_i, struct authority host)
{
        struct authority a;

        if (!parse_authority(hmsg_target(m), &a) || a.host.n == 0 || a.port.n == 0)
                return h1_bad(h, H1_WHY_AUTHORITY, m->target.off);
        if (host_i < 0)
                return H1_OK;
        if (!str_ieq(a.host, host.host) || !same_port(a.port, host.port, 80, 443))
                return h1_bad(h, H1_WHY_HOST_DIFFERS, m->f[host_i].val);
        if (host.port.n && is_default(host.port, 80, 443))
                trim_host(m, host_i, host);
        return H1_OK;
}

/* Length of "scheme://", or 0. */
static size_t scheme_len(struct str t)
{
        size_t n = 0;

        while (n < t.n && (h1_is(t.p[n], CH_DIGIT | CH_UPPER) || (t.p[n] >= 'a' && t.p[n] <= 'z') || t.p[n] == '+' ||
                           t.p[n] == '-' || t.p[n] == '.'))
                n++;
        if (n == 0 || h1_is(t.p[0], CH_DIGIT) || t.p[0] == '+' || t.p[0] == '-' || t.p[0] == '.')
                return 0;
        return t.n - n >= 3 && memcmp(t.p + n, "://", 3) == 0 ? n + 3 : 0;
}

static uint64_t default_port(struct str scheme)
{
        if (str_ieq(scheme, STR("http://")))
                return 80;
        return str_ieq(scheme, STR("https://")) ? 443 : 0;
}

/* Takes ":port" out of the target and gives an empty path its "/" (RFC 9110 4.2.3). The bytes freed, or the SP behind
 * the target, make room: the version after it was read already. */
static void normalize(struct hmsg *m, size_t cut, size_t cut_len, bool add_slash)
{
        char *t = m->blk[0].p + m->target.off;
        size_t n = m->target.len;

        if (cut_len) {
                memmove(t + cut, t + cut + cut_len, n - cut - cut_len);
                n -= cut_len;
        }
        if (add_slash)
                t[n++] = '/';
        if (cut_len || add_slash)
                m->flags &= ~(uint32_t)HMSG_RAW_START;
        m->target.len = (uint32_t)n;
}

static enum h1_verdict judge_absolute(struct h1 *h, struct hmsg *m, int host_i, struct authority host)
{
        struct str t = hmsg_target(m);
        size_t sch = scheme_len(t);
        struct authority a;

        if (!sch)
                return h1_bad(h, H1_WHY_TARGET_FORM, m->target.off);
        const char *slash = memchr(t.p + sch, '/', t.n - sch);
        size_t end = slash ? (size_t)(slash - t.p) : t.n;
        const char *at = memchr(t.p + sch, '@', end - sch);
        size_t from = at ? (size_t)(at - t.p) + 1 : sch;

        if (at && !all_host(str_sub(t, sch, from - 1 - sch)))
                return h1_bad(h, H1_WHY_AUTHORITY, m->target.off);
        if (!parse_authority(str_sub(t, from, end - from), &a))
                return h1_bad(h, H1_WHY_AUTHORITY, m->target.off);
        uint64_t def = default_port(str_sub(t, 0, sch));
        if (host_i >= 0 && (!str_ieq(a.host, host.host) || !same_port(a.port, host.port, def, 0)))
                return h1_bad(h, H1_WHY_HOST_DIFFERS, m->f[host_i].val);

        m->flags |= HMSG_ABSOLUTE;
        bool strip = a.port.p && def && is_default(a.port, def, 0);
        if (strip && host_i >= 0 && host.port.p)
                trim_host(m, host_i, host);
        normalize(m, from + a.host.n, strip ? a.port.n + 1 : 0, end == t.n && m->method != HMETH_OPTIONS);
        return H1_OK;
}

enum h1_verdict h1_judge_target(struct h1 *h, struct hmsg *m)
{
        struct authority host = { { NULL, 0 }, { NULL, 0 } };
        struct str t = hmsg_target(m);
        int host_i;

        if (judge_host(h, m, &host_i, &host) != H1_OK)
                return H1_BAD;
        if (m->method == HMETH_CONNECT)
                return judge_connect(h, m, host_i, host);
        if (t.p[0] == '/')
                return H1_OK;
        if (t.n == 1 && t.p[0] == '*')
                return m->method == HMETH_OPTIONS ? H1_OK : h1_bad(h, H1_WHY_TARGET_FORM, m->target.off);
        return judge_absolute(h, m, host_i, host);
}
