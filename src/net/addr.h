/* net/addr.h - addresses as the configuration writes them and as the kernel takes them.
 *
 * Grammar: manual 2.9, `bind` and `server`: [ipv4@|ipv6@|unix@|abns@|fd@|udp@...]addr[:port[-port]], "*" and "" mean
 * any address, a leading '/' a unix path. No name is resolved here: addr_parse() answers ADDR_NAME and the caller
 * decides. */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include "base/buf.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

struct addr { /* compact: no unix path (those live in struct addr_unix) */
        union {
                struct sockaddr sa;
                struct sockaddr_in in;
                struct sockaddr_in6 in6;
        };
}; /* 28 bytes; family AF_UNSPEC = none, AF_UNIX = some unix peer without a name */

enum addr_answer { ADDR_OK, ADDR_NAME, ADDR_BAD };

struct addr_spec {
        int family;              /* AF_INET, AF_INET6, AF_UNIX; of a name: what the prefix wants, AF_UNSPEC = either */
        bool dgram;              /* udp@ and log addresses */
        bool abstract;           /* abns@, abnsz@ */
        bool abstract_z;         /* abnsz@: the name ends at its NUL, without padding */
        int inherited_fd;        /* fd@N, -1 otherwise */
        struct addr addr;        /* with the (low) port */
        char path[108];          /* AF_UNIX */
        char host[256];          /* ADDR_NAME: what stood before the port */
        int port_low, port_high; /* -1 = none given; equal unless a range */
        bool port_offset;        /* server "addr:+n" / "addr:-n": port_low is added to the client's port */
};

/* What the statement takes. ADDR_DGRAM: datagram addresses, and they are what no prefix means (log, nameserver). */
enum { ADDR_WANT_PORT = 1, ADDR_RANGE = 2, ADDR_OFFSET = 4, ADDR_FD = 8, ADDR_UNIX = 16, ADDR_DGRAM = 32 };

/* text after quoting and variables. On ADDR_BAD *ret_why says what is wrong ("missing port specification", ...),
 * literal, to be followed by " in '<text>'"; *ret_spec is then untouched. The port comes after the last ':' (manual,
 * `bind`): an IPv6 address without port needs brackets or a trailing ':'. */
must_check enum addr_answer addr_parse(struct str text, unsigned allow, struct addr_spec *ret_spec,
                                       const char **ret_why);

/* The kernel's form of path; the length. An abns name fills sun_path with NULs, as HAProxy's peers expect (manual,
 * `server`). */
socklen_t addr_spec_unix(const struct addr_spec *spec, struct sockaddr_un *ret_un);

socklen_t addr_len(const struct addr *a);
int addr_port(const struct addr *a); /* host order; 0 when none */
void addr_set_port(struct addr *a, int port);
bool addr_eq(const struct addr *a, const struct addr *b);
void addr_print_ip(const struct addr *a, struct buf *out);      /* "10.0.0.1", "::1", "unix" */
void addr_print(const struct addr *a, struct buf *out);         /* "10.0.0.1:80", "[::1]:80" */
size_t addr_ip_text(const struct addr *a, char *dst, size_t n); /* the hot form for logs: no NUL, returns the length */
void addr_from_sockaddr(struct addr *a, const struct sockaddr *sa, socklen_t len);

#endif
