/* core/srv_conn.h - connections to servers: opened, used by one stream at a time, kept idle per thread.
 *
 * State = list membership: a connection is in use (stream->sc), idle (the server column's list and the thread's age list), or in the graveyard.
 * srv_conn_release() is the only way into a pool and trusts only wire's own judgement (sent == announced, both ways). Any byte or
 * FIN while idle closes it.
 * Threads: the owner's. Manual: http-reuse, pool-max-conn, pool-purge-delay. */
#ifndef CORE_SRV_CONN_H
#define CORE_SRV_CONN_H

#include "core/strm.h"
#include "core/wire.h"

struct srv_conn {
        uint32_t magic;
        bool idle;
        bool pooled; /* it is a srv_conn_pooled */
        bool said;   /* the PROXY protocol's head, if it has one to say */
        struct wire wire;
        union {
                struct {
                        struct server *srv; /* pinned */
                        uint32_t n_req;     /* exchanges it carried */
                        uint32_t addr_seq;  /* of the server's address when it was opened: an older one is not reused */
                };
                struct grave grave;
        };
};
_Static_assert(sizeof(struct srv_conn) <= 128, "see core/strm.h");

struct srv_conn_pooled { /* HTTP: may be kept for another exchange */
        struct srv_conn c;
        struct sess *owner; /* http-reuse never: only this session may use it again */
        struct list link;   /* server column's idle list */
        struct list age;    /* thread's idle list, oldest first */
        mono_t idle_since;
};

/* An idle connection of this thread that the reuse policy allows, attached to s->sv; NULL: open one. */
struct srv_conn *srv_conn_reuse(struct strm *s);
/* Opens one and attaches it: 0, or negative errno. It may still be connecting. */
int srv_conn_open(struct strm *s);
void srv_conn_forget_owner(struct sess *ss); /* the session ends: its private idle connection is closed */
void srv_conn_drop_idle(struct server *s);   /* this thread's idle connections to a server: close them */
unsigned srv_conn_purge(unsigned at_most);   /* closes the oldest idle ones (fd pressure); returns how many */

#endif
