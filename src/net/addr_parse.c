/* net/addr_parse.c - the configuration's grammar of addresses (manual 2.9, `bind`, `server`). */
#include "net/addr.h"

#include <arpa/inet.h>

#define PORT_MAX 65535

enum form { FORM_IP, FORM_UNIX, FORM_ABNS, FORM_ABNSZ, FORM_FD, FORM_REFUSED };
enum kind { KIND_ANY, KIND_FLOW, KIND_PACKET };

static const struct prefix {
        const char *text;
        enum form form;
        int family;
        enum kind kind;
        const char *why; /* FORM_REFUSED */
} prefixes[] = {
        { "ip@", FORM_IP, AF_UNSPEC, KIND_ANY, NULL },
        { "ipv4@", FORM_IP, AF_INET, KIND_ANY, NULL },
        { "ipv6@", FORM_IP, AF_INET6, KIND_ANY, NULL },
        { "tcp@", FORM_IP, AF_UNSPEC, KIND_FLOW, NULL },
        { "tcp4@", FORM_IP, AF_INET, KIND_FLOW, NULL },
        { "tcp6@", FORM_IP, AF_INET6, KIND_FLOW, NULL },
        { "udp@", FORM_IP, AF_UNSPEC, KIND_PACKET, NULL },
        { "udp4@", FORM_IP, AF_INET, KIND_PACKET, NULL },
        { "udp6@", FORM_IP, AF_INET6, KIND_PACKET, NULL },
        { "unix@", FORM_UNIX, AF_UNIX, KIND_ANY, NULL },
        { "uxst@", FORM_UNIX, AF_UNIX, KIND_FLOW, NULL },
        { "uxdg@", FORM_UNIX, AF_UNIX, KIND_PACKET, NULL },
        { "abns@", FORM_ABNS, AF_UNIX, KIND_ANY, NULL },
        { "abnsz@", FORM_ABNSZ, AF_UNIX, KIND_ANY, NULL },
        { "fd@", FORM_FD, AF_UNSPEC, KIND_ANY, NULL },
        { "quic+", FORM_REFUSED, 0, KIND_ANY, "QUIC is not supported" },
        { "quic4@", FORM_REFUSED, 0, KIND_ANY, "QUIC is not supported" },
        { "quic6@", FORM_REFUSED, 0, KIND_ANY, "QUIC is not supported" },
        { "mptcp@", FORM_REFUSED, 0, KIND_ANY, "MPTCP is not supported" },
        { "mptcp4@", FORM_REFUSED, 0, KIND_ANY, "MPTCP is not supported" },
        { "mptcp6@", FORM_REFUSED, 0, KIND_ANY, "MPTCP is not supported" },
        { "sockpair@", FORM_REFUSED, 0, KIND_ANY, "sockpair@ is not supported" },
        { "rhttp@", FORM_REFUSED, 0, KIND_ANY, "reverse HTTP is not supported" },
};

struct parse {
        struct str rest; /* not yet consumed */
        unsigned allow;
        struct addr_spec spec;
        const char *why;
};

static enum addr_answer bad(struct parse *p, const char *why)
{
        p->why = why;
        return ADDR_BAD;
}

static bool skip(struct parse *p, const char *z)
{
        struct str prefix = str_of(z);

        if (!str_has_prefix(p->rest, prefix))
                return false;
        p->rest = str_sub(p->rest, prefix.n, p->rest.n - prefix.n);
        return true;
}

/* "80", "+80" without its sign, the ends of a range. -1: not a number that fits. */
static int number(struct str s, const char **ret_why)
{
        uint64_t v;

        for (size_t i = 0; i < s.n; i++) {
                if (!chr_is_digit(s.p[i])) {
                        *ret_why = "invalid character in port number";
                        return -1;
                }
        }
        if (str_to_u64(s, &v) && v <= PORT_MAX)
                return (int)v;
        *ret_why = "invalid port";
        return -1;
}

static enum addr_answer parse_offset(struct parse *p, struct str port)
{
        int n;

        if (!(p->allow & ADDR_OFFSET))
                return bad(p, "port offset not permitted here");
        n = number(str_sub(port, 1, port.n - 1), &p->why);
        if (n < 0)
                return ADDR_BAD;
        p->spec.port_low = p->spec.port_high = port.p[0] == '-' ? -n : n;
        p->spec.port_offset = true;
        return ADDR_OK;
}

static enum addr_answer parse_range(struct parse *p, struct str low, struct str high)
{
        int a = number(low, &p->why), b = a < 0 ? -1 : number(high, &p->why);

        if (a < 0 || b < 0)
                return ADDR_BAD;
        if (a == 0 || b == 0)
                return bad(p, "invalid port");
        if (a > b)
                return bad(p, "invalid port range");
        if (a != b && !(p->allow & ADDR_RANGE))
                return bad(p, "port range not permitted here");
        p->spec.port_low = a;
        p->spec.port_high = b;
        return ADDR_OK;
}

static enum addr_answer parse_port(struct parse *p, struct str port)
{
        const char *dash = port.n > 0 ? memchr(port.p, '-', port.n) : NULL;
        int n;

        if (port.n == 0)
                return p->allow & ADDR_WANT_PORT ? bad(p, "missing port specification") : ADDR_OK;
        if (port.p[0] == '+' || port.p[0] == '-')
                return parse_offset(p, port);
        if (dash) {
                size_t at = (size_t)(dash - port.p);
                return parse_range(p, str_sub(port, 0, at), str_sub(port, at + 1, port.n - at - 1));
        }
        n = number(port, &p->why);
        if (n < 0)
                return ADDR_BAD;
        if (n == 0 && (p->allow & ADDR_WANT_PORT))
                return bad(p, "invalid port");
        p->spec.port_low = p->spec.port_high = n;
        return ADDR_OK;
}

static void set_any(struct addr_spec *s)
{
        if (s->family == AF_UNSPEC)
                s->family = AF_INET;
        s->addr.sa.sa_family = (sa_family_t)s->family;
}

static bool set_literal(struct addr_spec *s)
{
        struct in_addr four;
        struct in6_addr six;

        if (s->family != AF_INET6 && inet_pton(AF_INET, s->host, &four) == 1) {
                s->addr.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = four };
                s->family = AF_INET;
                return true;
        }
        if (s->family != AF_INET && inet_pton(AF_INET6, s->host, &six) == 1) {
                s->addr.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_addr = six };
                s->family = AF_INET6;
                return true;
        }
        return false;
}

/* Could this be asked of a resolver? An address of the wrong family could not. */
static bool is_name(const char *host, int family)
{
        struct in_addr four;

        for (const char *c = host; *c; c++) {
                if ((unsigned char)*c <= ' ' || strchr(":@/%[]*\\\"'", *c))
                        return false;
        }
        return !(family == AF_INET6 && inet_pton(AF_INET, host, &four) == 1);
}

static enum addr_answer parse_host(struct parse *p, struct str host)
{
        struct addr_spec *s = &p->spec;

        if (host.n >= sizeof(s->host))
                return bad(p, "address too long");
        if (host.n > 0 && memchr(host.p, 0, host.n))
                return bad(p, "invalid address");
        if (host.n > 0)
                memcpy(s->host, host.p, host.n);
        if (host.n == 0 || str_is(host, "*"))
                set_any(s);
        else if (!set_literal(s))
                return is_name(s->host, s->family) ? ADDR_NAME : bad(p, "invalid address");
        s->host[0] = 0;
        if (s->port_low > 0 && !s->port_offset)
                addr_set_port(&s->addr, s->port_low);
        return ADDR_OK;
}

/* [host]:port, host:port with the last ':', or host alone. */
static enum addr_answer parse_ip(struct parse *p)
{
        struct str all = p->rest, host = all, port = { "", 0 };
        const char *mark;

        if (all.n > 0 && all.p[0] == '[') {
                mark = memchr(all.p, ']', all.n);
                if (!mark || (mark + 1 < all.p + all.n && mark[1] != ':'))
                        return bad(p, "invalid address");
                host = str_sub(all, 1, (size_t)(mark - all.p) - 1);
                if (mark + 1 < all.p + all.n)
                        port = (struct str){ mark + 2, (size_t)(all.p + all.n - mark) - 2 };
                if (p->spec.family == AF_INET || host.n == 0)
                        return bad(p, "invalid address");
                p->spec.family = AF_INET6;
        } else {
                mark = all.n > 0 ? memrchr(all.p, ':', all.n) : NULL;
                if (mark) {
                        host = str_sub(all, 0, (size_t)(mark - all.p));
                        port = (struct str){ mark + 1, all.n - host.n - 1 };
                }
        }
        return parse_port(p, port) == ADDR_OK ? parse_host(p, host) : ADDR_BAD;
}

static enum addr_answer parse_unix(struct parse *p, enum form form)
{
        struct addr_spec *s = &p->spec;

        if (!(p->allow & ADDR_UNIX))
                return bad(p, "a unix socket is not acceptable here");
        s->family = AF_UNIX;
        s->addr.sa.sa_family = AF_UNIX;
        s->abstract = form != FORM_UNIX;
        s->abstract_z = form == FORM_ABNSZ;
        if (p->rest.n >= sizeof(s->path) || (s->abstract && p->rest.n >= sizeof(s->path) - 1))
                return bad(p, "unix socket path too long");
        if (p->rest.n == 0 && form == FORM_UNIX)
                return bad(p, "missing unix socket path");
        if (p->rest.n > 0 && memchr(p->rest.p, 0, p->rest.n))
                return bad(p, "invalid address");
        if (p->rest.n > 0)
                memcpy(s->path, p->rest.p, p->rest.n);
        return ADDR_OK;
}

static enum addr_answer parse_fd(struct parse *p)
{
        uint64_t fd;

        if (!(p->allow & ADDR_FD))
                return bad(p, "a file descriptor is not acceptable here");
        if (!str_to_u64(p->rest, &fd) || fd > INT32_MAX)
                return bad(p, "file descriptor is not a valid integer");
        p->spec.inherited_fd = (int)fd;
        return ADDR_OK;
}

static bool choose_kind(struct parse *p, enum kind wanted, enum kind by_family)
{
        if (wanted == KIND_ANY)
                wanted = by_family;
        else if (by_family != KIND_ANY && by_family != wanted)
                return false;
        p->spec.dgram = wanted == KIND_PACKET || (wanted == KIND_ANY && (p->allow & ADDR_DGRAM));
        return true;
}

static enum addr_answer parse_all(struct parse *p)
{
        static const struct prefix none = { "", FORM_IP, AF_UNSPEC, KIND_ANY, NULL };
        const struct prefix *x = &none;
        bool plain = !p->rest.n || !(memchr(p->rest.p, '@', p->rest.n) || memchr(p->rest.p, '+', p->rest.n));
        enum kind wanted = KIND_ANY;
        enum form form;

        if (!plain)
                wanted = skip(p, "stream+") ? KIND_FLOW : skip(p, "dgram+") ? KIND_PACKET : KIND_ANY;
        for (size_t i = 0; i < array_len(prefixes) && x == &none && !plain; i++) { /* each has one of the two */
                if (skip(p, prefixes[i].text))
                        x = &prefixes[i];
        }
        form = x == &none && p->rest.n > 0 && p->rest.p[0] == '/' ? FORM_UNIX : x->form;
        if (form == FORM_REFUSED)
                return bad(p, x->why);
        if (!choose_kind(p, wanted, x->kind))
                return bad(p, "socket type and address prefix contradict each other");
        if (p->spec.dgram && !(p->allow & ADDR_DGRAM))
                return bad(p, "dgram-type address not acceptable");
        p->spec.family = x->family;
        if (form == FORM_FD)
                return parse_fd(p);
        return form == FORM_IP ? parse_ip(p) : parse_unix(p, form);
}

enum addr_answer addr_parse(struct str text, unsigned allow, struct addr_spec *ret_spec, const char **ret_why)
{
        struct parse p = { .rest = text, .allow = allow };
        enum addr_answer a;

        p.spec.inherited_fd = p.spec.port_low = p.spec.port_high = -1;
        a = parse_all(&p);
        if (a == ADDR_BAD)
                *ret_why = p.why;
        else
                *ret_spec = p.spec;
        return a;
}
