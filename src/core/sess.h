/* core/sess.h - a client's connection on a frontend, and the requests on it one after the other.
 *
 * Idle it is three hundred bytes and owns no buffer. A stream is made at the first byte of a request (HTTP) or at once (TCP).
 * Threads: its loop's. */
#ifndef CORE_SESS_H
#define CORE_SESS_H

#include "core/strm.h"
#include "core/wire.h"

enum sess_state { SESS_IDLE, SESS_BUSY, SESS_DRAIN, SESS_DEAD, SESS_HEAD /* of the PROXY protocol: awaited */ };

struct vars;
struct front_layer;
struct front_proto;

struct sess {
        uint32_t magic;
        uint32_t n_req; /* streams begun so far */
        uint8_t state;  /* enum sess_state */
        uint8_t cli_level;
        bool http, has_private;
        struct addr src;
        struct wire wire;                /* the client's connection, and HTTP/1 or TCP on it while `proto` is NULL */
        const struct front_layer *layer; /* core/front.h: the filter under the wire, or NULL */
        const struct front_proto *proto; /* what carries messages; NULL: the wire itself, or not chosen yet */
        void *carrier;                   /* proto's own, once it started */
        struct front *front;
        struct front_cfg *cfg;     /* pinned; renewed between requests */
        struct listener *listener; /* NULL: attached by another way */
        struct sess_idle *idle;    /* NULL: it never waited without a stream, as TCP does not */
        struct sess_more *more;    /* what few sessions have; NULL until needed: sess_more_of() */
        mono_t idle_since;         /* at first: when it was accepted */
        union {
                struct list link; /* all sessions of the thread; until its end */
                struct grave grave;
        };
};
_Static_assert(sizeof(struct sess) <= 224, "see core/strm.h");

struct sess_idle { /* what waiting without a stream needs */
        struct sess *sess;
        struct timer timer;  /* http-keep-alive or http-request; lazily moved */
        struct ev_task task; /* goes on with bytes that came early */
        mono_t deadline;
        uint32_t drained; /* bytes thrown away while closing */
};

struct sess_more {
        size_t size;       /* of this block, for mem_put() */
        struct vars *vars; /* core/vars.h */
        struct addr dst, fc_src,
                fc_dst; /* fc: of the connection, once tcp-request session rules gave the session others */
        bool has_dst, has_fc;
        struct track_set *tracked; /* core/track.h; NULL: nothing */
};
struct sess_more *sess_more_of(struct sess *s); /* made when first needed; NULL: no memory */
void sess_more_fini(struct sess *s);            /* the session ends; twice is fine */
const struct addr *sess_dst(struct sess *s);
const struct addr *sess_fc_src(const struct sess *s);
const struct addr *sess_fc_dst(struct sess *s);
bool sess_keep_fc(struct sess *s); /* its src and dst are about to be others than its connection's; false: no memory */
/* Attaches a connection that came by another way (the master socket) to a frontend of mode PX_CLI; owns the fd. Its thread. */
bool sess_attach(struct front *fe, int fd, uint8_t level);

/* The timer of s fires not later than `at` and looks at the stream whose side cl is then (strm_look). */
bool sess_looks_at(const struct sess *s, const struct side *cl, mono_t at);

/* Control thread: mailed to every data thread. */
void sess_start_listener(struct listener *l);
void sess_stop_listener(struct listener *l,
                        void (*done)(struct listener *l)); /* done: on the control loop, when all threads let go */
void sess_pause_front(struct front *fe, bool pause);
/* Gives a connection's place back: shards that wait for a limit accept again. l may be NULL. Any data thread. */
void sess_place_free(struct front *fe, struct listener *l);
void sess_limit_moved(void); /* the same for a limit that was raised. Any thread of the engine */
void sess_retire(void);      /* this thread: carriers of many requests take no new ones; all else goes on */
void sess_soft_stop(void);   /* this thread: idle sessions are closed, busy ones after their answer */
void sess_kill_all(void);    /* this thread: hard stop */
struct list *sess_all(void); /* of this thread, for `show sess` */

#endif
