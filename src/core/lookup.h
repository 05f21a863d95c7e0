/* core/lookup.h - names of this machine that are part of what a configuration was made from: looked up once, by the loader, and recorded
 * in the bundle, so that a worker gets the same answer. While a configuration is parsed or checked. */
#ifndef CORE_LOOKUP_H
#define CORE_LOOKUP_H

#include "conf/conf.h"
#include "net/addr.h"

int lookup_user(struct conf *c, const char *name, bool group, int *ret_id); /* 0, -ENOENT */
int lookup_host(struct conf *c, const char *name, struct addr *ret_a);      /* 0, -ENOENT; the port is 0 */

#endif
