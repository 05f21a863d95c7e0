/* core/server.h - servers: cfg from the file, runtime state in the cell.
 *
 * The state words of `show stat`, the events on their change and the wording of the log lines all follow from one function,
 * server_set_state(): nobody else moves a server between states.
 * Threads: state changes under back->lock from any thread; the request path reads atomics only. */
#ifndef CORE_SERVER_H
#define CORE_SERVER_H

#include "core/proxy.h"

struct lookup_want; /* core/lookup.h */

struct server_cfg { /* slot "server": server and default-server lines; immutable, shared by equal servers */
        int weight, maxconn, minconn, maxqueue;
        int hash_key; /* core/lb.h */
        bool backup, disabled;
        bool non_stick; /* stick tables learn nothing of it */
        int pool_max_conn, pool_purge_ms;
        int slowstart_ms;
        int pp_version; /* send-proxy: 1, 2; 0 = off. core/srv_proxy.h */
        bool pp_crc, pp_check;
        const char *track; /* "[backend/]server", or NULL */
};
extern int server_slot;

struct server_addr_cfg {                /* slot "server_addr": what each server has alone */
        struct addr addr;               /* port 0 when port_follows; AF_UNSPEC: none (unresolved, or a unix socket) */
        const char *host;               /* a name stood in the file; `addr` is what it resolved to */
        const char *path;               /* unix socket; without the abns@ prefix */
        const char *unix_text;          /* as written */
        const char *init_addr;          /* NULL: last,libc */
        const struct lookup_want *want; /* NULL: any address of `host` will do */
        int host_port;
        int port_offset; /* "addr:+n": added to the client's destination port */
        int id;          /* 0 = automatic */
        bool abstract;
        bool port_follows; /* no port in the file, or an offset: the client's destination port (+ port_offset) is used */
        bool unresolved;   /* `none` was reached: starts in maintenance */
        bool follows;      /* somebody asks for `host` while the worker runs: a reload leaves the address to them */
};
extern int server_addr_slot;

enum server_oper { SRV_STOPPED, SRV_STARTING, SRV_RUNNING, SRV_STOPPING }; /* what the checks say */
enum {                        /* server.admin: who wants it out; manual of `show servers state`, srv_admin_state */
       SRV_ADM_FMAINT = 0x01, /* CLI, or the agent */
       SRV_ADM_IMAINT = 0x02, /* the server that it tracks is */
       SRV_ADM_CMAINT = 0x04, /* `disabled` in the file */
       SRV_ADM_FDRAIN = 0x08, /* CLI drain, or the agent's */
       SRV_ADM_IDRAIN = 0x10, /* the server that it tracks drains */
       SRV_ADM_DRAIN = 0x18,
       SRV_ADM_RMAINT = 0x20, /* no address */
       SRV_ADM_MAINT = 0x27,
};

struct check; /* core/check.h: run-time of the health check */

#define SRV_WEIGHT_MAX   256u
#define SRV_WEIGHT_SCALE 16u /* of server_lb_weight() */
#define LB_NO_POS        UINT32_MAX

struct server {
        struct cell cell;
        struct back *back;
        /* What a change of weight or state touches stands together: in a farm of 100,000 each line is a cache miss. */
        _Atomic uint32_t weight;    /* user weight 0..256 (uweight) */
        uint32_t lb_pos, lb_weight; /* core/lb.c: place in a large view; back->lock */
        uint32_t lb_seat;           /* core/lb_rank.c: place in the order + 1; its lock */
        _Atomic uint8_t oper;       /* enum server_oper */
        _Atomic uint8_t admin;      /* SRV_ADM_* */
        _Atomic uint8_t usable;     /* takes new sessions: derived, written by server_set_state() only */
        _Atomic uint8_t slow;       /* slowstart: sixteenths of its weight that it has not yet */
        _Atomic uint8_t observe;    /* enum check_observe of its check: whether check_observed() is called */
        atomic_bool backup;
        struct queue *_Atomic queue; /* made when maxconn is set */
        _Atomic mono_t last_change, slow_since;
        const struct server_cfg *cfg;       /* published with the backend's cfg; epoch; read through server_cfg_now() */
        const struct conf_obj *_Atomic obj; /* of the current configuration; written by the control thread */
        int puid;                           /* number in the backend, from 1 */
        uint32_t pos;                       /* index in back->srv */

        /* runtime values: the file's until the CLI (or DNS, ...) changes them; a reload that changes the line wins */
        _Atomic uint32_t iweight; /* initial, from the file; `weight` is the one of now */
        _Atomic uint32_t maxconn;
        _Atomic uint32_t minconn;          /* 0, or the limit at low load: core/queue.h */
        struct addr addr;                  /* TCP; read through server_addr() */
        const char *path;                  /* unix socket, or NULL; of the configuration's strings */
        _Atomic uint32_t addr_seq;         /* sequence lock of addr, path and port_*: odd = being written */
        struct srv_source *_Atomic source; /* core/srv_source.h; NULL: nothing special; epoch */
        const char *_Atomic fqdn;          /* the name that addr stands for, or NULL; epoch */
        int16_t port_offset;
        uint16_t port;     /* of its own, also while it has no address; 0: none */
        bool abstract;     /* path is an abstract name (abns@) */
        bool port_follows; /* connect to the client's destination port + port_offset: addr carries no port */
        bool live;         /* control thread: published once; a server of a change that was discarded never is */
        bool follows;      /* control thread: it tracks one, by its current words */

        _Atomic uint32_t cur, cur_max; /* requests and sessions on it (scur, smax) */
        struct check *check, *agent;   /* NULL without `check`, without `agent-check` */
        stat_t down_count, downtime_s, observed_failures;
        atomic_uint errors_in_row;            /* observed */
        struct ramp *ramp;                    /* of its thread: core/server_slow.c */
        struct server *_Atomic track;         /* whose state it follows, or NULL: core/server_track.h */
        struct server *trackers, *track_next; /* who follows it */
        struct rate sess_rate;
        struct pins pins; /* streams hold the cell */
};

struct server_col { /* a thread's column of a server */
        struct px_stat st;
        struct {
                struct list conns; /* idle connections, newest first */
                uint32_t n;
        } idle;
        struct list streams; /* that use it here, for on-marked-down and `shutdown sessions server` */
};

/* This thread's column; columns start as zero bytes, so the lists are made at first use. */
static inline struct server_col *server_col(struct server *s)
{
        struct server_col *c = cell_col(&s->cell);

        if (unlikely(!c->streams.next)) {
                list_init(&c->streams);
                list_init(&c->idle.conns);
        }
        return c;
}

/* What the file says of it now. Stale once the server left the configuration: only its streams may ask then (they pin their cfg). */
static inline const struct server_cfg *server_cfg_now(const struct server *s)
{
        return __atomic_load_n(&s->cfg, __ATOMIC_ACQUIRE); /* pairs with the release in core/apply.c */
}

/* What the balance algorithms go by, in sixteenths of a user weight: less than the whole while it starts slowly. 0: nothing. */
static inline uint32_t server_lb_weight(const struct server *s)
{
        uint32_t slow = atomic_load_explicit(&s->slow, memory_order_relaxed);

        return atomic_load_explicit(&s->weight, memory_order_relaxed) * (SRV_WEIGHT_SCALE - slow);
}

/* That, in user weights: the column `weight` of show stat. */
static inline uint32_t server_shown_weight(uint32_t lb_weight)
{
        return (lb_weight + SRV_WEIGHT_SCALE - 1) / SRV_WEIGHT_SCALE;
}

struct server *server_find(struct back *b, struct str name);

/* Reads the address consistently; returns the length for connect(2), 0 when it has none. A server without a port of its own
 * gets the one the client came to (st, may be NULL: checks). */
struct strm;
socklen_t server_addr_get(const struct server *s, struct sockaddr_storage *ret_sa, struct strm *st);
void server_addr_set(struct server *s, const struct addr *a); /* a TCP address with its port */
/* Another IP for the same port (or the client's): what a name stands for now. `by` for the log line, "dns/ns1"; NULL: none. NULL ip: it has none
 * any more. Any thread. */
void server_addr_set_ip(struct server *s, const struct addr *ip, const char *by);
void server_fqdn_set(struct server *s, const char *name); /* copies it; NULL: none. Any thread, inside an epoch */
/* The address that the file gives. */
void server_addr_set_cfg(struct server *s, const struct server_addr_cfg *a);

/* Why a state changed; becomes the reason and info of the log line and of `last_chk`. */
struct state_cause {
        const char *reason;       /* "Layer4 connection problem", or NULL for administrative changes */
        const char *info;         /* free text without quotes, or NULL */
        int code;                 /* of the check (HTTP status); -1: it has none */
        int duration_ms;          /* of the check, -1 */
        const char *by;           /* "changed from CLI" style text for administrative changes, or NULL */
        bool checked;             /* a check's result */
        const struct server *via; /* the server that it tracks */
};

/* The only way to change state. Recomputes usability, the balance view, counters; publishes EVENT_SERVER_STATE. Any thread. */
void server_set_oper(struct server *s, enum server_oper o, const struct state_cause *why);
void server_set_admin(struct server *s, unsigned set, unsigned clear, const struct state_cause *why);
void server_set_weight(struct server *s, uint32_t uweight);
void server_set_slow(struct server *s, unsigned missing); /* core/server_slow.c */
void server_set_maxconn(struct server *s, uint32_t maxconn);
bool server_is_up(const struct server *s); /* oper running/starting and not in maintenance */
/* "UP", "DOWN", "DRAIN", "MAINT", "NOLB", "no check", with " n/m" while changing, as in `show stat`. */
void server_status_text(const struct server *s, struct buf *out);

#endif
