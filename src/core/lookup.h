/* core/lookup.h - users, groups and host names of this machine: asked once, by the loader, and part of what a configuration was
 * made from: the answers stand in the load's record of files, so the worker, which compiles the same text from the bundle, gets the
 * same ones without a resolver and without /etc.
 *
 * Who asks the system's resolver is main/ (lookup_ops): it may take seconds, so all names that a file holds are asked together.
 * Threads: one load at a time.  Manual: 5.3. */
#ifndef CORE_LOOKUP_H
#define CORE_LOOKUP_H

#include "conf/conf.h"
#include "net/addr_net.h"

/* Which of several addresses. The system's order counts (RFC 6724, /etc/gai.conf), as in HAProxy, unless the file says more. */
struct lookup_want {
        int family;                  /* no other one will do; AF_UNSPEC: any */
        int prefer;                  /* resolve-prefer: AF_INET, AF_INET6 or AF_UNSPEC */
        const struct addr_net *nets; /* resolve-net: one of these before others, and before the family */
        unsigned n_nets;
        const char *nets_text; /* as written */
};

int lookup_user(struct conf *c, const char *name, bool group, int *ret_id); /* 0, -ENOENT */
/* The address without a port. 0, -ENOENT. want may be NULL. */
int lookup_host(struct conf *c, const char *name, struct addr *ret_a);
int lookup_host_like(struct conf *c, const char *name, const struct lookup_want *want, struct addr *ret_a);
/* The best of n; UINT_MAX when none will do. For those who have addresses from elsewhere, too. */
unsigned lookup_choose(const struct lookup_want *want, const struct addr *v, unsigned n);

typedef void (*lookup_add_fn)(void *ctx, const char *name);

struct lookup_ops {
        /* All addresses of a name, a line each, in the system's order: 0 or negative errno. Before it waits for anything it calls
         * others(): that names what will be asked for next, so that the answers are fetched in one go. */
        int (*host)(const char *name, void (*others)(lookup_add_fn add, void *ctx), struct buf *out);
};
extern const struct lookup_ops *lookup_ops; /* NULL: no name resolves (unit tests) */

#endif
