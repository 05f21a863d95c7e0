/* net/addr.c - addresses as the kernel takes them, and as text. The configuration's grammar is in addr_parse.c. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <stddef.h>

socklen_t addr_spec_unix(const struct addr_spec *spec, struct sockaddr_un *ret_un)
{
        size_t n = strnlen(spec->path, sizeof(ret_un->sun_path) - 1);

        *ret_un = (struct sockaddr_un){ .sun_family = AF_UNIX };
        memcpy(ret_un->sun_path + spec->abstract, spec->path, n);
        if (!spec->abstract_z)
                return sizeof(*ret_un);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n);
}

socklen_t addr_len(const struct addr *a)
{
        switch (a->sa.sa_family) {
        case AF_INET: return sizeof(a->in);
        case AF_INET6: return sizeof(a->in6);
        default: return sizeof(sa_family_t);
        }
}

int addr_port(const struct addr *a)
{
        switch (a->sa.sa_family) {
        case AF_INET: return ntohs(a->in.sin_port);
        case AF_INET6: return ntohs(a->in6.sin6_port);
        default: return 0;
        }
}

void addr_set_port(struct addr *a, int port)
{
        if (a->sa.sa_family == AF_INET)
                a->in.sin_port = htons((uint16_t)port);
        else if (a->sa.sa_family == AF_INET6)
                a->in6.sin6_port = htons((uint16_t)port);
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
        if (a->sa.sa_family != b->sa.sa_family)
                return false;
        switch (a->sa.sa_family) {
        case AF_INET: return a->in.sin_port == b->in.sin_port && a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
        case AF_INET6:
                return a->in6.sin6_port == b->in6.sin6_port && a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
                       memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0;
        default: return true;
        }
}

/* 0..255 without a division at run time and without leading zeros. */
static char *put_u8(char *p, unsigned v)
{
        if (v >= 100)
                *p++ = (char)('0' + v / 100);
        if (v >= 10)
                *p++ = (char)('0' + v / 10 % 10);
        *p++ = (char)('0' + v % 10);
        return p;
}

static size_t ip4_text(const struct in_addr *in, char *dst)
{
        const unsigned char *b = (const unsigned char *)in;
        char *p = put_u8(dst, b[0]);

        for (int i = 1; i < 4; i++) {
                *p++ = '.';
                p = put_u8(p, b[i]);
        }
        return (size_t)(p - dst);
}

size_t addr_ip_text(const struct addr *a, char *dst, size_t n)
{
        char tmp[INET6_ADDRSTRLEN];
        size_t len = 0;

        if (a->sa.sa_family == AF_INET) {
                if (n >= 15)
                        return ip4_text(&a->in.sin_addr, dst);
                len = ip4_text(&a->in.sin_addr, tmp);
        } else if (a->sa.sa_family == AF_INET6) {
                if (inet_ntop(AF_INET6, &a->in6.sin6_addr, tmp, sizeof(tmp)))
                        len = strlen(tmp);
        } else if (a->sa.sa_family == AF_UNIX) {
                len = 4;
                memcpy(tmp, "unix", 4);
        }
        if (len > n)
                len = n;
        memcpy(dst, tmp, len);
        return len;
}

void addr_print_ip(const struct addr *a, struct buf *out)
{
        char text[INET6_ADDRSTRLEN];

        buf_add(out, text, addr_ip_text(a, text, sizeof(text)));
}

void addr_print(const struct addr *a, struct buf *out)
{
        bool six = a->sa.sa_family == AF_INET6;

        if (six)
                buf_putc(out, '[');
        addr_print_ip(a, out);
        if (six)
                buf_putc(out, ']');
        if (six || a->sa.sa_family == AF_INET)
                buf_printf(out, ":%d", addr_port(a));
}

void addr_from_sockaddr(struct addr *a, const struct sockaddr *sa, socklen_t len)
{
        memset(a, 0, sizeof(*a));
        if (len < sizeof(sa_family_t)) /* an unnamed unix peer, or none at all */
                return;
        if (sa->sa_family == AF_INET && len >= sizeof(a->in))
                memcpy(&a->in, sa, sizeof(a->in));
        else if (sa->sa_family == AF_INET6 && len >= sizeof(a->in6))
                memcpy(&a->in6, sa, sizeof(a->in6));
        else if (sa->sa_family == AF_UNIX)
                a->sa.sa_family = AF_UNIX;
}
