/* core/strm.h - a stream: one request and its answer, or one TCP session, from a client side to a server side.
 *
 * strm_run() is the only driver: a loop over the steps below until nothing can progress, never recursion; upcalls only post its task.
 * A stream lives and dies on one thread. It pins what it uses: front_cfg, back_cfg, the server cell.
 *
 *   HEAD    wait for the request head             (HTTP only)
 *   ROUTE   hooks (rules, stats page, ...), backend
 *   SERVER  choose a server, or wait in a queue
 *   QUEUED  wait there for a grant
 *   CONNECT reuse or open a connection
 *   RETRY   the turn-around wait before the same server is tried again
 *   XFER    request body one way, answer head and body the other
 *   ANSWER  our own answer (error page, applet) to the client
 *   END     log, give back, free */
#ifndef CORE_STRM_H
#define CORE_STRM_H

#include "core/mux.h"
#include "core/server.h"
#include "ev/loop.h"

enum strm_step {
        STRM_HEAD,
        STRM_ROUTE,
        STRM_SERVER,
        STRM_QUEUED,
        STRM_CONNECT,
        STRM_RETRY,
        STRM_XFER,
        STRM_ANSWER,
        STRM_END,
        STRM_STEPS
};

/* Termination codes of the logs (manual 8.5): cause and phase. */
struct strm_times {       /* mono_t; 0 = not reached */
        mono_t accept;    /* of the session's connection (first request) or of the first byte (later ones) */
        mono_t idle_end;  /* first byte of the request: %Ti ends */
        mono_t request;   /* head complete: %TR ends */
        mono_t queued;    /* left the queue: %Tw ends */
        mono_t connected; /* %Tc ends */
        mono_t response;  /* answer head complete: %Tr ends */
        mono_t end;
};

struct strm_log {      /* what outlives the heads, for the log line */
        char *request; /* request line as received, cut at tune.http.logurilen; mem_get memory or NULL */
        uint32_t request_len, request_size;
        uint32_t q_pos;       /* position seen in the queue; strm.q_srv: the server's, else the backend's */
        uint32_t counted_rsp; /* of struct strm: like `counted`, of the server's answer */
        int64_t wall_us;      /* accept date */
        int64_t req_wall_us;  /* first byte of the request */
};

struct expr_state; /* core/expr.h: variables and resume point */
struct sess;
struct srv_conn;

#define STRM_MAGIC 0x57e4a301u

struct strm {
        uint32_t magic;
        uint8_t step; /* enum strm_step */
        bool http : 1, running : 1, again : 1, redispatched : 1, reused : 1, no_log : 1, logged : 1, counted_back : 1;
        bool has_slot : 1, req_sent : 1, rsp_seen : 1, tunnel : 1, connect : 1, upgrade : 1, head_request : 1;
        bool no_splice : 1, counted_req : 1, q_srv : 1;
        bool rsp_held : 1; /* what the server said waits for its hooks */
        bool body_cut : 1; /* the client left in mid-body while that was waited for */
        bool has_more : 1; /* it has `vars`, or its session had struct sess_more when it began: something may be tracked */
        bool after_done : 1; /* HOOK_AFTER ran, or does not concern the answer */
        bool first;          /* request of its session */
        bool cut[2];         /* request, answer: nobody takes that direction's bytes any more */
        char term[2];        /* cause, phase; '-' '-' */
        uint8_t hook_pos;    /* where the hooks go on after a wait */
        uint8_t tries;       /* connection attempts after the first */
        uint8_t deadline_kind;
        uint8_t read_step[2]; /* request, answer: how much is read at once (core/strm_xfer.c) */
        uint16_t status;      /* of the answer; 0 none */
        int client_ms; /* idle limit of this stream instead of its frontend's (CLI: `set timeout cli`); 0 = none */
        struct sess *sess;
        struct front *front;
        struct front_cfg *fcfg; /* pinned */
        struct back *back;
        struct back_cfg *bcfg;  /* pinned, NULL before ROUTE */
        struct server *srv;     /* pinned, NULL before SERVER */
        struct server *avoid;   /* failed last time: redispatch goes elsewhere */
        struct srv_conn *sc;    /* server connection in use */
        struct hmsg *req, *rsp; /* between rx_head and rx_head_free */
        struct side cl, sv;
        struct ev_task task;
        struct timer timer; /* one, lazily moved: `deadline` is the real one */
        mono_t deadline;
        mono_t cl_active, sv_active; /* last progress of each side */
        struct queue_entry *waiting;
        struct pipe *pipe[2];             /* request, answer: while splicing */
        uint32_t counted_in, counted_out; /* of the sides' bytes: low bits of what is in the columns */
        uint64_t id; /* unique in the process; a queue grant for an older stream at this place is given back */
        struct px_stat *st_front, *st_back, *st_srv; /* this thread's columns; NULL like bcfg and srv */
        struct strm_times t;
        struct strm_log log;
        struct expr_state *vars;
        struct list srv_link; /* of its server on this thread */
        union {
                struct list link; /* all streams of the thread; until its end */
                struct grave grave;
        };
};
_Static_assert(sizeof(struct strm) <= 528, "an idle TCP session is a stream, a session and a server connection");

/* All streams of this thread, for `show sess` and shutdowns. */
struct list *strm_all(void);
uint64_t strm_count(void); /* alive in the whole process; any thread (a moment's view) */

/* For carriers (sess, HTTP/2) */
struct strm *strm_new(struct sess *ss, struct front *fe, struct front_cfg *cfg, bool http); /* NULL: out of streams */
void strm_ready(struct strm *s); /* from a side's event: run it now; `cl` must be set up */
void strm_wake(struct strm *s);  /* from anywhere on its thread: run it later this turn */
void strm_look(
        struct strm *s); /* the session's timer ended, on which the stream may have relied: see sess_looks_at() */

/* For hooks and applets */
void strm_set_applet(struct strm *s, const struct mux_ops *ops, void *instance); /* becomes the server side */
void strm_set_back(struct strm *s, struct back *b);
/* Our own answer: a built-in error page or a feature's. Ends with log flags unless they are set already. */
void strm_answer(struct strm *s, int status);
void strm_abort(struct strm *s, char cause, char phase);
void strm_shutdown(struct strm *s, char cause); /* `shutdown session`, on-marked-down: from its own thread */
/* The queue hands a slot over (mechanisms.md b); srv NULL: the server it waited for is gone, choose again. */
void strm_grant(struct strm *s, uint64_t id, struct server *srv);

/* For what answers HOOK_WAIT or RULE_WAIT and has a limit: true when `ms` have passed since the first call of this wait, and when
 * there is no memory. The stream runs at that moment at the latest. */
bool strm_waited(struct strm *s, int ms);
bool strm_waits(const struct strm *s); /* such a wait began and is not done */
void strm_wait_done(struct strm *s);   /* it goes on: the next wait begins anew */

/* ---- persistence: the one server that a request is tied to, and what the log says of it (manual 8.5, third and fourth letter) ---- */
struct strm_tie {
        struct server *srv;   /* pinned; NULL: none (any more) */
        bool firm;            /* it goes there even when the server is down (option persist) */
        char req, rsp;        /* 0: '-' */
        bool post;            /* the request was a POST */
        bool fixed;           /* a rule chose the server: what ties later has no effect */
        bool force, ignore;   /* rules: whatever ties is firm, and no redispatch breaks it; nothing ties */
        uint32_t seen, first; /* dates of the client's cookie, seconds since the epoch; 0: none */
};
const struct strm_tie *strm_tied(const struct strm *s); /* NULL: nothing is known of a tie */
struct strm_tie *strm_tie_of(struct strm *s);           /* made when first needed; NULL: no memory */
void strm_tie(struct strm *s, struct server *srv, bool firm);
void strm_untie(struct strm *s); /* twice is fine */

/* Milliseconds for the log; -1 when the phase was not reached. */
struct strm_ms {
        int64_t ti, tr_req, tw, tc, tr, ta, tt, th, td;
};
void strm_ms(const struct strm *s, struct strm_ms *ret_t);

#endif
