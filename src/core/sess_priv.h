/* core/sess_priv.h - what core/sess.c (life of a session) and core/sess_accept.c (listeners) share. */
#ifndef CORE_SESS_PRIV_H
#define CORE_SESS_PRIV_H

#include "base/slab.h"
#include "core/sess.h"

#define SESS_MAGIC 0x5e550001u

struct sess_thr {    /* per thread */
        size_t size; /* of this block, for mem_put */
        struct slab slab, idle;
        struct list all;                      /* sessions */
        struct list shards;                   /* struct bind_shard: what this thread polls */
        struct rate_col conn_rate, sess_rate; /* of the process */
};

struct bind_shard {
        struct listen_shard shard;
        struct listener *listener;
        struct list link;
};

struct sess_thr *sess_thr(void);
void sess_close(struct sess *s, bool reset);
void sess_idle_wake(struct wire *w);
extern const struct wire_owner sess_wire_owner;
bool sess_begin_stream(struct sess *s);
/* Waits for the PROXY protocol's head before anything else of the connection is read, then goes on with sess_go_on(). */
void sess_expect_head(struct sess *s);
void sess_head_wake(struct sess *s);
void sess_go_on(struct sess *s);                /* sess_accept.c: the filter, the first request */
bool sess_wait_at_most(struct sess *s, int ms); /* idle timer; false: no memory, it is closed */

#endif
