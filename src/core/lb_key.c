/* core/lb_key.c - what a stream is known by (manual, balance): addresses, parts of the request, expressions. */
#include "core/expr.h"
#include "core/lb_hash.h"
#include "core/lb_int.h"
#include "core/sess.h"
#include "core/strm_own.h"
#include "proto/hmsg.h"

#include <arpa/inet.h>

static bool hash_text(const struct lb_cfg *c, struct str key, uint32_t *ret_hash)
{
        *ret_hash = lb_hash((enum lb_fn)c->fn, key);
        return true;
}

/* ---- source: the address is the hash, whatever the function; IPv6 folded into 32 bits ---- */

static bool key_source(const struct lb_cfg *c, struct strm *s, uint32_t *ret_hash)
{
        const struct addr *a = strm_src(s, s->sess);
        uint32_t w[4];

        (void)c;
        if (a->sa.sa_family == AF_INET) {
                *ret_hash = ntohl(a->in.sin_addr.s_addr);
                return true;
        }
        if (a->sa.sa_family != AF_INET6)
                return false;
        memcpy(w, &a->in6.sin6_addr, sizeof(w));
        *ret_hash = ntohl(w[0] ^ w[1] ^ w[2] ^ w[3]);
        return true;
}

/* ---- uri ---- */

static struct str path_of(struct str t)
{
        const char *p;

        if (t.n && t.p[0] == '/')
                return t;
        p = memmem(t.p, t.n, "://", 3);
        p = p ? memchr(p + 3, '/', t.n - (size_t)(p + 3 - t.p)) : NULL;
        return p ? str_sub(t, (size_t)(p - t.p), t.n - (size_t)(p - t.p)) : (struct str){ t.p, 0 };
}

/* manual: ends before the question mark unless whole, after `len` characters, and before slash number depth + 1. */
struct str lb_uri_part(const struct lb_cfg *c, struct str target)
{
        struct str t = c->path_only ? path_of(target) : target;
        size_t max = c->len && t.n > (size_t)c->len ? (size_t)c->len : t.n, n = 0;
        int left = c->depth;

        for (; n < max; n++) {
                if (t.p[n] == '?' && !c->whole)
                        break;
                if (t.p[n] == '/' && c->depth && left-- == 0)
                        break;
        }
        return str_sub(t, 0, n);
}

static bool key_uri(const struct lb_cfg *c, struct strm *s, uint32_t *ret_hash)
{
        struct str target;

        if (!s->req)
                return false;
        target = hmsg_target(s->req);
        if (c->path_only && path_of(target).n == 0)
                return false;
        return hash_text(c, lb_uri_part(c, target), ret_hash);
}

/* ---- url_param: name=value between ampersands after the first question mark, as it stands there ---- */

bool lb_url_param(struct str target, struct str name, struct str *ret_value)
{
        const char *q = target.n ? memchr(target.p, '?', target.n) : NULL;
        struct str rest = { target.p, 0 };

        if (q)
                rest = str_sub(target, (size_t)(q - target.p) + 1, target.n - (size_t)(q - target.p) - 1);
        while (rest.n) {
                const char *amp = memchr(rest.p, '&', rest.n);
                struct str one = { rest.p, amp ? (size_t)(amp - rest.p) : rest.n };

                if (one.n > name.n && one.p[name.n] == '=' && str_has_prefix(one, name)) {
                        *ret_value = str_sub(one, name.n + 1, one.n - name.n - 1);
                        return true;
                }
                rest = str_sub(rest, one.n + (amp != NULL), rest.n - one.n - (amp != NULL));
        }
        return false;
}

static bool key_url_param(const struct lb_cfg *c, struct strm *s, uint32_t *ret_hash)
{
        struct str value;

        return s->req && lb_url_param(hmsg_target(s->req), str_of(c->name), &value) && hash_text(c, value, ret_hash);
}

/* ---- hdr ---- */

struct str lb_first_value(struct str field)
{
        const char *comma = field.n ? memchr(field.p, ',', field.n) : NULL;

        return str_trim((struct str){ field.p, comma ? (size_t)(comma - field.p) : field.n });
}

/* manual, use_domain_only: "haproxy.1wt.eu" -> "1wt". The last dot ends it, the one before starts it; a name with nothing between them
 * takes a dot for a name. */
struct str lb_domain(struct str host)
{
        size_t end = host.n, from;

        while (end > 0 && host.p[end - 1] != '.')
                end--;
        if (end <= 1) /* no dot, or the first character */
                return host;
        end--;
        for (from = end - 1; from > 0 && host.p[from - 1] != '.'; from--)
                ;
        return str_sub(host, from, end - from);
}

static bool key_hdr(const struct lb_cfg *c, struct strm *s, uint32_t *ret_hash)
{
        struct str name = str_of(c->name), value;
        enum hid id = hmsg_id(name.p, (uint32_t)name.n);
        int i;

        if (!s->req)
                return false;
        i = id ? hmsg_find(s->req, id, 0) : hmsg_find_name(s->req, name, 0);
        if (i < 0)
                return false;
        value = lb_first_value(hmsg_value(s->req, i));
        if (value.n == 0)
                return false;
        return hash_text(c, c->domain_only ? lb_domain(value) : value, ret_hash);
}

/* ---- hash ---- */

static bool key_expr(const struct lb_cfg *c, struct strm *s, uint32_t *ret_hash)
{
        struct expr_ctx x = { .strm = s, .sess = s->sess, .req = s->req, .final = true };
        struct smp smp = { 0 };

        x.have = s->req ? EXPR_AT_REQUEST : EXPR_AT_TCP;
        if (expr_run(c->expr, &x, &smp) != EXPR_OK || !smp_cast(&smp, c->fn == LB_NONE ? SMP_STR : SMP_BIN))
                return false;
        return hash_text(c, (struct str){ smp.s.p, smp.s.n }, ret_hash);
}

lb_key_fn lb_key_of(int kind)
{
        static const lb_key_fn by_kind[] = {
                [BAL_SOURCE] = key_source, [BAL_URI] = key_uri,   [BAL_URL_PARAM] = key_url_param,
                [BAL_HDR] = key_hdr,       [BAL_HASH] = key_expr,
        };

        return kind < (int)array_len(by_kind) ? by_kind[kind] : NULL;
}
