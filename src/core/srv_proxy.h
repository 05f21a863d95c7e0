/* core/srv_proxy.h - the PROXY protocol towards servers (manual 5.2, send-proxy): the head that goes before all other bytes of a
 * connection. Such a connection is its session's alone, since it names the client.  Threads: the connection's. */
#ifndef CORE_SRV_PROXY_H
#define CORE_SRV_PROXY_H

#include "core/server.h"
#include "net/conn.h"

/* Sends it: 1 sent, 0 not connected yet, negative errno. */
int srv_proxy_say(const struct server *s, struct conn *c, struct strm *st);
/* The same for a health check; own_target: its words give an address or a port. dst: where it connected to. */
bool srv_proxy_checks(const struct server *s, bool own_target);
int srv_proxy_say_check(const struct server *s, struct conn *c, const struct addr *dst);

static inline bool srv_proxy_wanted(const struct server *s)
{
        return server_cfg_now(s)->pp_version != 0;
}

#endif
