/* core/proxy.h - frontends and backends: what the file says (slots), what runs (cells), and the immutable cfg between them.
 *
 * A `listen` section becomes a frontend and a backend cell of one name. Both sides read the same struct proxy_cfg slot.
 * Ownership: front_cfg and back_cfg hold a reference to the struct conf their slots live in.
 * Threads: data threads reach a cell's cfg by epoch_load(&fe->cfg) and pin it for a stream. */
#ifndef CORE_PROXY_H
#define CORE_PROXY_H

#include "base/epoch.h"
#include "base/map.h"
#include "conf/conf.h"
#include "core/cell.h"
#include "core/kinds.h"
#include "core/pin.h"
#include "core/proxy_opt.h"
#include "core/stat.h"
#include "net/listener.h"

#include <pthread.h>

enum px_mode { PX_TCP, PX_HTTP, PX_CLI }; /* PX_CLI: stats sockets */

enum { HEADERS_PRESERVE, HEADERS_DELETE, HEADERS_REJECT };
enum { REUSE_NEVER, REUSE_SAFE, REUSE_AGGRESSIVE, REUSE_ALWAYS };

struct proxy_cfg { /* slot "proxy": defaults, frontend, backend, listen */
        int mode;
        unsigned options;
        int maxconn, fullconn, backlog, retries, rate_limit; /* sessions per second; 0 = none */
        int redispatch_after;                                /* option redispatch N: every N retries; 0 = on the last */
        int http_reuse;
        const char *default_backend;
        const char *description;
        struct px_forward {
                const char *header, *except; /* as written */
                const struct addr_net *net;  /* of `except`; NULL = none */
                bool if_none;
        } forwardfor, originalto;
        const char *send_name; /* http-send-name-header; NULL = off */
        bool retry_never;      /* retry-on none */
        int header_names;      /* option http-restrict-req-hdr-names: HEADERS_* */
        bool disabled;
        int id;  /* 0 = automatic */
        struct { /* milliseconds; 0 = unset: no limit, or falls back as the manual says */
                int client, server, connect, check, queue, http_request, http_keep_alive, tunnel, client_fin,
                        server_fin, tarpit, client_hs;
        } timeout;
};
extern int proxy_slot;

/* Timeouts with the fallbacks of the manual (4.2); 0 = no limit. */
static inline int px_timeout_http_request(const struct proxy_cfg *p)
{
        return p->timeout.http_request ? p->timeout.http_request : p->timeout.client;
}

static inline int px_timeout_keep_alive(const struct proxy_cfg *p)
{
        return p->timeout.http_keep_alive ? p->timeout.http_keep_alive : px_timeout_http_request(p);
}

static inline int px_timeout_queue(const struct proxy_cfg *p)
{
        return p->timeout.queue ? p->timeout.queue : p->timeout.connect;
}

struct bind_cfg {                /* slot "bind": bind lines and stats sockets */
        struct listen_spec spec; /* of the first port; `count` ports follow each other */
        int count, id, number;   /* id: of the file, 0: none; number: that, or its place from 1 */
        const char *name;
        int maxconn, level, expose_fd;      /* level: CLI rights, see core/cli.h; the last: 1 = listeners */
        const char *unix_user, *unix_group; /* as written; the ids are in spec */
        bool accept_proxy;
};
extern int bind_slot;
struct back;
struct front_use;
struct front;
struct logger;   /* core/log.h: a proxy's log targets and formats, compiled */
struct hook_set; /* core/hook.h: which features take part */

struct listener { /* one bound address of a frontend */
        struct cell cell;
        struct front *front;
        struct list link;            /* front->listeners */
        const char *key;             /* engine_bind.key */
        const struct bind_cfg *cfg;  /* of the frontend's published cfg */
        const struct front_use *use; /* core/front.h: of the same line; NULL = a plain socket */
        unsigned port_index;         /* of a range */
        bool kept, stopped;          /* control thread: seen in the new configuration; all threads let go of it */
        unsigned n_fds;
        int fds[LISTEN_SHARDS_MAX];
        struct bind_shard *binds; /* private to core/sess_accept.c: one per thread or socket */
        int accept_batch;         /* tune.maxaccept */
        _Atomic uint32_t cur;
};

struct front_cfg { /* immutable */
        struct pins pins;
        struct front *front;
        struct conf *conf; /* one reference */
        const struct conf_obj *obj;
        const struct proxy_cfg *px;
        struct back *default_back; /* a cell, pinned by being published in the same change */
        const struct logger *log;
        const struct hook_set *hooks; /* request hooks of features and rules, in rank order */
        int maxconn;                  /* resolved */
        unsigned bufsize;
        unsigned logurilen;
};

enum front_state { FRONT_OPEN, FRONT_PAUSED, FRONT_STOPPED };

struct front {
        struct cell cell;
        _Atomic(struct front_cfg *) cfg;
        _Atomic int iid;  /* proxy id of the CSV */
        struct list link; /* world order */
        struct list listeners;
        _Atomic uint32_t cur, cur_max; /* connections (scur, smax) */
        _Atomic uint32_t maxconn;      /* set at run time, 0 = the cfg's: front_maxconn() */
        _Atomic uint32_t state;        /* enum front_state: CLI may disable */
        struct rate conn_rate, sess_rate, req_rate;
        struct rate_gate sess_gate; /* rate-limit sessions */
        const struct conf_obj *obj; /* of the current configuration: control thread only */
        /* control thread: going away */
        bool dead;
        uint32_t n_stopping; /* listeners that threads have not let go of */
};

static inline uint32_t front_maxconn(const struct front *f)
{
        uint32_t n = atomic_load_explicit(&f->maxconn, memory_order_relaxed);

        return n ? n : (uint32_t)epoch_load(&f->cfg)->maxconn;
}

struct front_col { /* a thread's column of a frontend */
        struct px_stat st;
};

struct back_cfg { /* immutable */
        struct pins pins;
        struct back *back;
        struct conf *conf;
        const struct conf_obj *obj;
        const struct proxy_cfg *px;
        const struct lb_cfg *lb; /* core/lb.h */
        const struct logger *log;
        const struct hook_set *hooks;
        int fullconn;
        unsigned bufsize;
        bool abortonclose; /* by default; the option itself is in px->options */
};

struct lb_view; /* core/lb.h */
struct queue;   /* core/queue.h */

struct back {
        struct cell cell;
        _Atomic(struct back_cfg *) cfg;
        _Atomic int iid;
        struct list link;
        /* In file order; changed under `lock`. A reader without the lock reads n_srv first, inside an epoch, and skips NULLs: the array it
         * then sees has at least that many places. */
        struct server **srv;
        uint32_t n_srv;
        uint32_t n_cells;     /* control thread: servers that exist, those that wait for their last stream included */
        struct map names;     /* of a large backend: server_find() */
        pthread_mutex_t lock; /* server states, weights, rebuilding the view; never on the request path */
        _Atomic(struct lb_view *) view;
        _Atomic(struct lb_state *) lb; /* core/lb_int.h, like the next two; NULL: the view is all it needs */
        struct lb_rank *rank;          /* made once a backend needs it */
        struct lb_share *share;        /* hash-balance-factor; epoch */
        atomic_uint_fast64_t ticket;   /* round robin */
        struct queue *queue;           /* sessions that any server may take */
        _Atomic uint32_t cur, cur_max;
        _Atomic uint32_t act, bck;                    /* usable servers */
        atomic_uint_fast64_t down_count, last_change; /* chkdown of the backend; mono_t */
        stat_t downtime_s;
        struct rate sess_rate, req_rate;
        const struct conf_obj *obj;
        bool dead, dead_cfg; /* control thread: going away */
        uint32_t dead_since; /* generation, core/pin.h */
        /* core/queue.h, places: how many were freed, the count before a look that found none (+ 1), and how many such looks there were. */
        atomic_uint_fast64_t freed, full_at;
        stat_t full_looks;
};

struct back_col {
        struct px_stat st;
};

/* ---- the world: all cells of this process; one per process, names looked up by data threads through the epoch ---- */
struct world {
        struct list fronts, backs; /* file order; control thread */
        struct front *cli;         /* of the stats sockets and attached connections, mode PX_CLI; not in `fronts` */
        uint32_t n_fronts, n_backs, n_servers;
        struct conf *conf; /* the current one */
        mono_t started;    /* the process */
        int64_t started_wall_us;
        uint32_t boot_ms;                  /* until its data threads ran */
        _Atomic uint64_t warnings;         /* said so far, configuration and run time */
        _Atomic(const char *) node;        /* of section global, or the host's name; epoch */
        _Atomic(const char *) description; /* NULL: none; epoch */
        char *host;
        int pid;
        _Atomic uint32_t cur_conns, max_conns;  /* of clients; runtime sockets have limits of their own */
        _Atomic uint64_t limit_reached;         /* connections that took the last place */
        _Atomic uint32_t maxhdr;                /* tune.http.maxhdr; 0 before a configuration */
        _Atomic uint32_t paused_for_limit;      /* some shard waits for a place */
        _Atomic uint32_t maxconn, hard_maxconn; /* hard: what the file and the fd limit allow */
        _Atomic uint32_t reloads;
        _Atomic uint32_t n_listeners;
        struct rate conn_rate, sess_rate;
        struct rate_gate conn_gate, sess_gate; /* maxconnrate, maxsessrate, or what the CLI set */
        _Atomic uint64_t tot_conns, tot_reqs;
        atomic_bool stopping; /* soft stop */
        atomic_bool retiring; /* that one, because another process serves on the same sockets */
};
extern struct world world;
/* Control thread (CLI commands and applets run their look-ups there or inside an epoch). */
struct front *front_find(struct str name);
struct back *back_find(struct str name);
/* All proxies by iid, ascending; one of a `listen` section has both sides. Inside an epoch, like the pointers in it. */
struct world_px {
        int iid;
        struct front *front; /* NULL: none */
        struct back *back;
};
const struct world_px *world_proxies(size_t *ret_n);

#endif
