/* core/srv_source.h - where connections to a server leave from: `source` of its line or else of its section, and the options of their
 * sockets.
 *
 * A server has a struct srv_source only where a word asks for one; the request path pays one load. Connections that carry the
 * client's address belong to its session and are not shared.
 * Threads: made on the control thread, replaced by pointer (epoch), read by any.  Manual: 4.2, 5.2 "source", 5.2 "tcp-ut", "tfo". */
#ifndef CORE_SRV_SOURCE_H
#define CORE_SRV_SOURCE_H

#include "core/server.h"
#include "net/conn.h"

enum usesrc { USESRC_NONE, USESRC_ADDR, USESRC_CLIENTIP, USESRC_CLIENT };

struct source_cfg {              /* slot "source": backends, defaults; and part of slot "srv_source" */
        const char *text;        /* the address as written; NULL: no `source` */
        const char *usesrc_text; /* NULL: no `usesrc` */
        const char *interface;
        struct addr addr, usesrc_addr; /* without ports */
        int port_low, port_high;       /* 0: the kernel chooses */
        int usesrc;
};
extern int source_slot;

struct srv_source_cfg { /* slot "srv_source": server, default-server */
        struct source_cfg source;
        int tcp_ut_ms;
        bool tfo;
};
extern int srv_source_slot;

struct srv_source; /* what runs of it */

/* By the line `o`; control thread. */
void srv_source_update(struct server *s, const struct conf_obj *o);
void srv_source_free(struct server *s); /* with the server */

struct srv_how { /* the caller's, until conn_connect() has returned */
        struct conn_how how;
        struct addr src;
        unsigned n_ports; /* of a range: so many addresses may be tried; 0: one */
};
/* For conn_connect(); NULL: nothing special. st NULL: a check, which uses neither `usesrc` nor ports. Each call takes the next port. */
const struct conn_how *srv_source_how(const struct server *s, struct strm *st, struct srv_how *mem);
bool srv_source_is_private(const struct server *s);
bool srv_source_foreign(const struct conf *c); /* some word takes the right to bind foreign addresses */

#endif
