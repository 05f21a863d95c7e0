/* core/sess.h - a client's connection on a frontend, and the requests on it one after the other.
 *
 * Idle it is a few hundred bytes and owns no buffer. A stream is made at the first byte of a request (HTTP) or at once (TCP).
 * Threads: its loop's. */
#ifndef CORE_SESS_H
#define CORE_SESS_H

#include "core/strm.h"
#include "core/wire.h"

struct sess {
        uint32_t magic;
        bool http, closing, counted;
        uint8_t cli_level;
        uint32_t n_req;
        struct wire wire; /* the client's connection */
        struct front *front;
        struct front_cfg *cfg; /* pinned; renewed between requests */
        struct listener *listener;
        struct strm *strm;    /* the one at work, or NULL when idle */
        struct timer timer;   /* idle: http-keep-alive or http-request */
        struct addr src, dst; /* dst is fetched when first asked: sess_dst() */
        mono_t accepted, idle_since;
        int64_t wall_us;
        struct list link; /* all sessions of the thread */
        struct grave grave;
};

bool sess_accept(struct listener *l, int fd, const struct addr *from);
const struct addr *sess_dst(struct sess *s);
/* Attaches a connection that came by another way (the master socket) to a frontend of mode PX_CLI. */
bool sess_attach(struct front *fe, int fd, uint8_t level);
void sess_start_listeners(struct front *fe); /* on each thread by mail; control thread */
void sess_stop_listeners(struct front *fe);
void sess_listener_free_place(struct front *fe); /* a connection ended: resume shards that wait for the limit */
void sess_soft_stop(struct thr *t);              /* idle keep-alive sessions are closed after their next answer */

#endif
