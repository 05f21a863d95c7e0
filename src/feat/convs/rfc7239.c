/* feat/convs/rfc7239.c - the Forwarded header field (RFC 7239): is it valid, its parameters, its nodes in both directions.
 *
 * As narrow as HAProxy: names and schemes in lower case, each of by, for, host and proto at most once, no list of elements, no blanks. */
#include "feat/convs/conv.h"

#include <arpa/inet.h>

static bool is_obfuscated(struct str t) /* "_" 1*( ALPHA / DIGIT / "." / "_" / "-"), without its underscore */
{
        for (size_t i = 0; i < t.n; i++) {
                if (!chr_is_alnum(t.p[i]) && t.p[i] != '.' && t.p[i] != '_' && t.p[i] != '-')
                        return false;
        }
        return t.n > 0;
}

static bool take_prefix(struct str *t, struct str prefix)
{
        if (!str_has_prefix(*t, prefix))
                return false;
        *t = str_sub(*t, prefix.n, t->n - prefix.n);
        return true;
}

static bool parse_ip(struct str t, int family, void *ret_ip)
{
        char z[INET6_ADDRSTRLEN];

        if (t.n == 0 || t.n >= sizeof(z))
                return false;
        memcpy(z, t.p, t.n);
        z[t.n] = '\0';
        return inet_pton(family, z, ret_ip) == 1;
}

/* ---- nodes ---- */

struct node {
        struct str name; /* as written, without brackets */
        enum { NODE_IP4, NODE_IP6, NODE_TEXT } kind;
        struct in6_addr ip; /* its first bytes for IPv4 */
        struct str port;    /* as written; p NULL: none */
        uint64_t number;    /* of the port; 0: obfuscated */
};

static bool parse_port(struct str t, struct node *n)
{
        n->port = t;
        if (t.n && t.p[0] == '_')
                return is_obfuscated(str_sub(t, 1, t.n - 1));
        return str_to_u64(t, &n->number) && n->number > 0 && n->number < 65536;
}

static bool parse_node(struct str t, struct node *ret_n)
{
        struct node n = { .kind = NODE_TEXT };
        const char *end = t.n && t.p[0] == '[' ? memchr(t.p, ']', t.n) : memchr(t.p, ':', t.n);
        size_t len = end ? (size_t)(end - t.p) : t.n;
        struct str rest;

        n.name = str_sub(t, 0, len);
        if (t.n && t.p[0] == '[') {
                if (!end)
                        return false;
                n.name = str_sub(t, 1, len - 1);
                n.kind = NODE_IP6;
                len++;
        }
        rest = str_sub(t, len, t.n - len);
        if (n.kind == NODE_IP6) {
                if (!parse_ip(n.name, AF_INET6, &n.ip))
                        return false;
        } else if (parse_ip(n.name, AF_INET, &n.ip)) {
                n.kind = NODE_IP4;
        } else if (!str_is(n.name, "unknown") &&
                   !(n.name.n && n.name.p[0] == '_' && is_obfuscated(str_sub(n.name, 1, n.name.n - 1)))) {
                return false;
        }
        if (rest.n && (!take_prefix(&rest, STR(":")) || !parse_port(rest, &n)))
                return false;
        *ret_n = n;
        return true;
}

/* ---- parameters ---- */

static bool is_node(struct str t)
{
        struct node n;

        return parse_node(t, &n);
}

/* RFC 9110 7.2: a name, an IPv4 address or one in brackets, and a port. */
static bool is_host(struct str t)
{
        struct in6_addr ip;
        const char *end = t.n && t.p[0] == '[' ? memchr(t.p, ']', t.n) : NULL;
        size_t len = 0;
        uint64_t port;

        if (end) {
                len = (size_t)(end - t.p) + 1;
                if (!parse_ip(str_sub(t, 1, len - 2), AF_INET6, &ip))
                        return false;
        } else {
                while (len < t.n && (chr_is_alnum(t.p[len]) || t.p[len] == '.' || t.p[len] == '-' || t.p[len] == '_'))
                        len++;
        }
        t = str_sub(t, len, t.n - len);
        return t.n == 0 || (take_prefix(&t, STR(":")) && str_to_u64(t, &port) && port < 65536);
}

static bool is_proto(struct str t)
{
        return str_is(t, "http") || str_is(t, "https");
}

static const struct param {
        struct str name;
        bool (*valid)(struct str value);
        bool quotes; /* its value may be a quoted string */
} params[] = {
        { { "by=", 3 }, is_node, true },
        { { "for=", 4 }, is_node, true },
        { { "host=", 5 }, is_host, true },
        { { "proto=", 6 }, is_proto, false },
};

/* The value at the start of *t: a token, or a quoted string without its quotes. */
static bool take_value(struct str *t, bool quotes, struct str *ret_value)
{
        const char *end;
        size_t n;

        if (quotes && take_prefix(t, STR("\""))) {
                end = memchr(t->p, '"', t->n);
                if (!end)
                        return false;
                n = (size_t)(end - t->p);
                *ret_value = str_sub(*t, 0, n++);
        } else {
                end = memchr(t->p, ';', t->n);
                n = end ? (size_t)(end - t->p) : t->n;
                *ret_value = str_sub(*t, 0, n);
                if (!str_is_token(*ret_value))
                        return false;
        }
        *t = str_sub(*t, n, t->n - n);
        return true;
}

/* The whole value is judged; ret_value[i] is that of params[i], p NULL when there is none. */
static bool parse_forwarded(struct str t, struct str ret_value[4])
{
        memset(ret_value, 0, 4 * sizeof(ret_value[0]));
        do {
                unsigned i = 0;

                while (i < array_len(params) && !take_prefix(&t, params[i].name))
                        i++;
                if (i == array_len(params) || ret_value[i].p || !take_value(&t, params[i].quotes, &ret_value[i]) ||
                    !params[i].valid(ret_value[i]))
                        return false;
        } while (take_prefix(&t, STR(";")));
        return t.n == 0;
}

CONV(rfc7239_is_valid)
{
        struct str value[4];

        UNUSED;
        smp_bool(smp, parse_forwarded(smp_text(smp), value));
        return true;
}

CHECK(check_param)
{
        struct str name = arg_text(args, n_args, 0);

        if (n_args == 0)
                return conv_refuse(c, at, "expects 'by', 'for', 'host' or 'proto'");
        args[0].i = -1; /* another name is accepted, as in HAProxy, and never found */
        for (unsigned i = 0; i < array_len(params); i++) {
                if (str_eq(name, str_sub(params[i].name, 0, params[i].name.n - 1)))
                        args[0].i = i;
        }
        return true;
}

CONV(rfc7239_field)
{
        struct str value[4], found;

        UNUSED;
        if (args[0].i < 0 || !parse_forwarded(smp_text(smp), value))
                return false;
        found = value[args[0].i];
        return found.p && conv_narrow(smp, (size_t)(found.p - smp->s.p), found.n);
}

CONV(rfc7239_n2nn)
{
        struct node n;

        UNUSED;
        if (!parse_node(smp_text(smp), &n))
                return false;
        if (n.kind == NODE_TEXT)
                return conv_narrow(smp, (size_t)(n.name.p - smp->s.p), n.name.n);
        smp->type = n.kind == NODE_IP4 ? SMP_IPV4 : SMP_IPV6;
        if (n.kind == NODE_IP4)
                memcpy(&smp->ip4, &n.ip, sizeof(smp->ip4));
        else
                smp->ip6 = n.ip;
        return true;
}

CONV(rfc7239_n2np)
{
        struct node n;

        UNUSED;
        if (!parse_node(smp_text(smp), &n) || !n.port.p)
                return false;
        if (n.number == 0)
                return conv_narrow(smp, (size_t)(n.port.p - smp->s.p), n.port.n);
        smp_int(smp, (int64_t)n.number);
        return true;
}

static bool give_obfuscated(struct smp *smp)
{
        struct out o = out_open();

        if (!smp_cast(smp, SMP_STR) || !is_obfuscated(smp_text(smp)))
                return false;
        out_char(&o, '_');
        out_text(&o, smp_text(smp));
        return out_give(&o, SMP_STR, smp);
}

CONV(rfc7239_nn)
{
        bool six = smp->type == SMP_IPV6;
        struct out o;

        UNUSED;
        if (smp->type == SMP_STR && smp->s.n == 0) {
                smp_str(smp, STR("unknown"));
                return true;
        }
        if (smp->type != SMP_IPV4 && !six)
                return give_obfuscated(smp);
        if (!smp_cast(smp, SMP_STR))
                return false;
        o = out_open();
        if (six)
                out_char(&o, '[');
        out_text(&o, smp_text(smp));
        if (six)
                out_char(&o, ']');
        return out_give(&o, SMP_STR, smp);
}

CONV(rfc7239_np)
{
        UNUSED;
        if (smp->type != SMP_SINT)
                return give_obfuscated(smp);
        smp->i = (uint32_t)smp->i;
        return smp_cast(smp, SMP_STR);
}

#define TO_NODE .in = SMP_ANY, .out = SMP_STR, .manual = "7.3.1"
#define OF_NODE .in = SMP_STR, .out = SMP_ANY, .manual = "7.3.1"

static const struct conv rows[] = {
        { .name = "rfc7239_field",
          .args = { ARG_STR },
          .min_args = 1,
          ROW(STR, STR),
          .check = check_param,
          .fn = rfc7239_field,
          .help = "by, for, host or proto of a valid Forwarded header" },
        { .name = "rfc7239_is_valid",
          ROW(STR, BOOL),
          .fn = rfc7239_is_valid,
          .help = "is it a valid Forwarded header" },
        { .name = "rfc7239_n2nn",
          OF_NODE,
          .fn = rfc7239_n2nn,
          .help = "the name of a node of a Forwarded header: address or text" },
        { .name = "rfc7239_n2np",
          OF_NODE,
          .fn = rfc7239_n2np,
          .help = "the port of a node of a Forwarded header: number or text" },
        { .name = "rfc7239_nn",
          TO_NODE,
          .fn = rfc7239_nn,
          .help = "an address, or text as obfuscated name, for a Forwarded header" },
        { .name = "rfc7239_np",
          TO_NODE,
          .fn = rfc7239_np,
          .help = "a number, or text as obfuscated port, for a Forwarded header" },
};
CONV_TABLE(rfc7239, rows);
