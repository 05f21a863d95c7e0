/* net/addr_net.h - a network: an address and a mask length ("10.0.0.0/8", "::1", "192.168.1.7"). */
#ifndef NET_ADDR_NET_H
#define NET_ADDR_NET_H

#include "net/addr.h"

struct addr_net {
        struct addr net;
        unsigned bits;
};

bool addr_net_parse(struct str text, struct addr_net *ret_n); /* no names; bits default to the whole address */
bool addr_in_net(const struct addr *a,
                 const struct addr_net *n); /* families must be equal; v4-mapped v6 counts as v4 */

#endif
