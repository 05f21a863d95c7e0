/* feat/fetches/url.c - samples of the target of a request: path, query, parameters, host and path together (manual 7.3.6). */
#include "core/lb_hash.h"
#include "core/strm_own.h"
#include "feat/fetches/fetch.h"
#include "proto/hmsg.h"

/* Path and query of the target: from the first slash after the authority on; n == 0: there is none ("*", CONNECT). */
static struct str path_of(const struct hmsg *m, bool with_query)
{
        struct str p = hmsg_path_query(m);
        const char *q = p.n && !with_query ? memchr(p.p, '?', p.n) : NULL;

        return q ? str_sub(p, 0, (size_t)(q - p.p)) : p;
}

FETCH(path)
{
        struct str p = path_of(x->req, false);

        UNUSED;
        return p.n ? answer_str(ret_smp, p) : EXPR_MISS;
}

FETCH(pathq)
{
        struct str p = path_of(x->req, true);

        UNUSED;
        return p.n ? answer_str(ret_smp, p) : EXPR_MISS;
}

FETCH(url)
{
        UNUSED;
        return answer_str(ret_smp, hmsg_target(x->req));
}

/* args[0].i: the question mark belongs to it. */
static bool query_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        struct str w = { args[0].s, n_args ? args[0].n : 0 };

        args[0].i = str_is(w, "with_qm");
        if (args[0].i || w.n == 0)
                return true;
        (void)kw_fail(c, at, "E0701", "sample fetch 'query' : expects 'with_qm', got '%.*s'", (int)w.n, w.p);
        return false;
}

FETCH(query)
{
        struct str t = hmsg_target(x->req), q;
        const char *mark = t.n ? memchr(t.p, '?', t.n) : NULL;

        UNUSED;
        if (!mark)
                return EXPR_MISS;
        q = str_sub(t, (size_t)(mark - t.p) + 1, t.n - (size_t)(mark - t.p) - 1);
        if (args[0].i && q.n)
                q = (struct str){ mark, q.n + 1 };
        return answer_str(ret_smp, q);
}

/* ---- host and path ---- */

/* The first Host field, then `rest`, in scratch. */
static bool with_host(const struct hmsg *m, struct str rest, struct str *ret_text)
{
        int i = hmsg_find(m, HID_HOST, 0);
        struct str host = i >= 0 ? hmsg_value(m, i) : (struct str){ NULL, 0 };
        size_t cap;
        char *p;

        if (host.n == 0) {
                *ret_text = rest;
                return true;
        }
        p = expr_scratch(&cap);
        if (host.n + rest.n > cap)
                return false;
        memcpy(p, host.p, host.n);
        if (rest.n)
                memcpy(p + host.n, rest.p, rest.n);
        *ret_text = (struct str){ p, host.n + rest.n };
        return true;
}

static bool base_of(const struct expr_ctx *x, bool with_query, struct str *ret_text)
{
        struct str p = path_of(x->req, with_query);

        return with_host(x->req, p, ret_text);
}

FETCH(base)
{
        struct str b;

        UNUSED;
        return base_of(x, false, &b) && b.n ? answer_str(ret_smp, b) : EXPR_MISS;
}

FETCH(baseq)
{
        struct str b;

        UNUSED;
        return base_of(x, true, &b) && b.n ? answer_str(ret_smp, b) : EXPR_MISS;
}

static uint32_t hash_of(struct str s)
{
        return lb_avalanche(lb_sdbm(s));
}

FETCH(base32)
{
        struct str b;

        UNUSED;
        return base_of(x, false, &b) ? answer_int(ret_smp, hash_of(b)) : EXPR_MISS;
}

FETCH(url32)
{
        struct str u;

        UNUSED;
        return base_of(x, true, &u) ? answer_int(ret_smp, hash_of(u)) : EXPR_MISS;
}

/* Network order, so that the bytes are the same on any machine. */
static enum expr_answer hash_and_src(const struct expr_ctx *x, uint32_t hash, struct smp *s)
{
        const struct addr *a = strm_src(x->strm, x->sess);
        uint32_t be = htonl(hash);
        size_t cap, n = 4;
        char *p = expr_scratch(&cap);

        memcpy(p, &be, 4);
        if (a->sa.sa_family == AF_INET) {
                memcpy(p + 4, &a->in.sin_addr, 4);
                n += 4;
        } else if (a->sa.sa_family == AF_INET6) {
                memcpy(p + 4, &a->in6.sin6_addr, 16);
                n += 16;
        } else {
                return EXPR_MISS;
        }
        smp_str(s, (struct str){ p, n });
        s->type = SMP_BIN;
        return EXPR_OK;
}

FETCH(base32_src)
{
        struct str b;

        UNUSED;
        return base_of(x, false, &b) ? hash_and_src(x, hash_of(b), ret_smp) : EXPR_MISS;
}

FETCH(url32_src)
{
        struct str u;

        UNUSED;
        return base_of(x, true, &u) ? hash_and_src(x, hash_of(u), ret_smp) : EXPR_MISS;
}

/* ---- the authority of an absolute target ---- */

/* "http://1.2.3.4:81/": HAProxy reads no names and no IPv6 addresses there, and no other schemes. False: it is another target. */
static bool address_of(const struct hmsg *m, struct smp *ret_ip, int64_t *ret_port)
{
        static const struct {
                struct str scheme;
                int port;
        } known[] = { { STR("http://"), 80 }, { STR("https://"), 443 } };
        struct str t = hmsg_target(m);

        for (size_t i = 0; i < array_len(known); i++) {
                size_t from = known[i].scheme.n, n = 0;
                uint64_t port = (uint64_t)known[i].port;

                if (t.n < from || !str_ieq(str_sub(t, 0, from), known[i].scheme))
                        continue;
                while (from + n < t.n && t.p[from + n] != '/' && t.p[from + n] != '?' && t.p[from + n] != ':')
                        n++;
                smp_str(ret_ip, str_sub(t, from, n));
                from += n;
                if (from < t.n && t.p[from] == ':') {
                        for (n = 0, port = 0; from + 1 + n < t.n && chr_is_digit(t.p[from + 1 + n]) && n < 6; n++)
                                port = port * 10 + (uint64_t)(t.p[from + 1 + n] - '0');
                }
                *ret_port = (int64_t)port;
                return smp_cast(ret_ip, SMP_IPV4);
        }
        return false;
}

FETCH(url_ip)
{
        int64_t port;

        UNUSED;
        return address_of(x->req, ret_smp, &port) ? EXPR_OK : EXPR_MISS;
}

FETCH(url_port)
{
        struct smp ip;
        int64_t port;

        UNUSED;
        return address_of(x->req, &ip, &port) ? answer_int(ret_smp, port) : EXPR_MISS;
}

/* ---- parameters ---- */

/* args: name, delimiter, "i". args[0].i: any case; args[1].i: what else begins and ends parameters. */
static bool param_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        struct str flag = { args[2].s, n_args > 2 ? args[2].n : 0 };

        args[1].i = n_args > 1 && args[1].n ? (unsigned char)args[1].s[0] : '?';
        args[0].i = str_is(flag, "i");
        if (!args[0].i && flag.n)
                (void)kw_warn(c, at, "W0701", "the third argument '%.*s' has no effect: only 'i' does", (int)flag.n,
                              flag.p);
        return true;
}

struct params { /* a walk over the parameters of one name; n == 0: any name */
        struct str text, name;
        size_t at;
        char delim;
        bool icase;
};

static bool is_end(const struct params *p, char ch)
{
        return ch == '&' || ch == ';' || ch == p->delim;
}

/* The next parameter's value; false: there is none. Without '=' it is none. */
static bool params_next(struct params *p, struct str *ret_value)
{
        while (p->at < p->text.n) {
                size_t eq = p->at, end;
                struct str name;

                while (eq < p->text.n && p->text.p[eq] != '=' && !is_end(p, p->text.p[eq]))
                        eq++;
                for (end = eq; end < p->text.n && !is_end(p, p->text.p[end]);)
                        end++;
                name = str_sub(p->text, p->at, eq - p->at);
                p->at = end + 1;
                if (eq == end || (p->name.n && !(p->icase ? str_ieq(name, p->name) : str_eq(name, p->name))))
                        continue;
                *ret_value = str_sub(p->text, eq + 1, end - eq - 1);
                return true;
        }
        return false;
}

FETCH(urlp)
{
        struct str t = hmsg_target(x->req), v;
        struct params p = { .name = { args[0].s, n_args ? args[0].n : 0 },
                            .delim = (char)args[1].i,
                            .icase = args[0].i != 0 };
        const char *mark = t.n ? memchr(t.p, p.delim, t.n) : NULL;

        if (!mark)
                return EXPR_MISS;
        p.text = str_sub(t, (size_t)(mark - t.p) + 1, t.n - (size_t)(mark - t.p) - 1);
        p.at = x->iterate ? ret_smp->iter : 0;
        if (!params_next(&p, &v))
                return EXPR_MISS;
        ret_smp->more = x->iterate;
        ret_smp->iter = p.at;
        return answer_str(ret_smp, v);
}

FETCH(urlp_val)
{
        return answer_number(urlp(x, args, n_args, ret_smp), ret_smp);
}

#define ROW(n, type, f, text) FETCH_ROW(n, type, EXPR_REQ_HEAD, f, "7.3.6", text)
#define ROW_FORMS(n, f, text, ...)                                                                                     \
        {                                                                                                              \
                .name = n, .out = SMP_STR, .needs = EXPR_REQ_HEAD, .fn = f, .manual = "7.3.6", .help = text,           \
                .acl_forms = true, __VA_ARGS__                                                                         \
        }
#define PARAM .args = { ARG_STR, ARG_STR, ARG_STR }, .check = param_check

static const struct fetch rows[] = {
        ROW_FORMS("base", base, "host and path"),
        ROW("baseq", STR, baseq, "host, path and query"),
        ROW("base32", SINT, base32, "hash of base"),
        ROW("base32+src", BIN, base32_src, "hash of base, and the client's address"),
        ROW_FORMS("path", path, "path without the query"),
        ROW("pathq", STR, pathq, "path and query"),
        ROW_FORMS("url", url, "request target as received"),
        FETCH_ROW_ARGS("query", STR, EXPR_REQ_HEAD, query, "7.3.6", "what follows the question mark", query_check,
                       ARG_STR),
        ROW("url32", SINT, url32, "hash of host and target"),
        ROW("url32+src", BIN, url32_src, "hash of host and target, and the client's address"),
        ROW("url_ip", IPV4, url_ip, "address in an absolute target"),
        ROW("url_port", SINT, url_port, "port in an absolute target"),
        ROW_FORMS("urlp", urlp, "a parameter of the query", PARAM),
        ROW_FORMS("url_param", urlp, "a parameter of the query", PARAM),
        FETCH_ROW_ARGS("urlp_val", SINT, EXPR_REQ_HEAD, urlp_val, "7.3.6", "a parameter of the query as a number",
                       param_check, ARG_STR, ARG_STR, ARG_STR),
};
FETCH_TABLE(url, rows);
