/* net/addr_net.c - prefixes. */
#include "net/addr_net.h"

#include <arpa/inet.h>

static bool prefix_equal(const unsigned char *a, const unsigned char *b, unsigned bits)
{
        unsigned bytes = bits / 8, rest = bits % 8;

        if (memcmp(a, b, bytes) != 0)
                return false;
        return rest == 0 || ((a[bytes] ^ b[bytes]) & (0xff00u >> rest) & 0xff) == 0;
}

bool addr_net_parse(struct str text, struct addr_net *ret_n)
{
        const char *slash = text.n ? memchr(text.p, '/', text.n) : NULL;
        struct str host = slash ? str_sub(text, 0, (size_t)(slash - text.p)) : text;
        struct addr_net n = { .bits = 0 };
        uint64_t bits;
        char z[64];

        if (host.n == 0 || host.n >= sizeof(z))
                return false;
        memcpy(z, host.p, host.n);
        z[host.n] = 0;
        if (inet_pton(AF_INET, z, &n.net.in.sin_addr) == 1) {
                n.net.sa.sa_family = AF_INET;
                n.bits = 32;
        } else if (inet_pton(AF_INET6, z, &n.net.in6.sin6_addr) == 1) {
                n.net.sa.sa_family = AF_INET6;
                n.bits = 128;
        } else {
                return false;
        }
        if (slash) {
                if (!str_to_u64(str_sub(text, host.n + 1, text.n - host.n - 1), &bits) || bits > n.bits)
                        return false;
                n.bits = (unsigned)bits;
        }
        *ret_n = n;
        return true;
}

bool addr_in_net(const struct addr *a, const struct addr_net *n)
{
        if (a->sa.sa_family == AF_INET6 && n->net.sa.sa_family == AF_INET && IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
                return prefix_equal(a->in6.sin6_addr.s6_addr + 12, (const unsigned char *)&n->net.in.sin_addr, n->bits);
        if (a->sa.sa_family != n->net.sa.sa_family)
                return false;
        if (a->sa.sa_family == AF_INET)
                return prefix_equal((const unsigned char *)&a->in.sin_addr, (const unsigned char *)&n->net.in.sin_addr,
                                    n->bits);
        return prefix_equal(a->in6.sin6_addr.s6_addr, n->net.in6.sin6_addr.s6_addr, n->bits);
}
