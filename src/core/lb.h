/* core/lb.h - choosing a server. A policy is a row of functions over a backend's servers (core/lb_int.h).
 *
 * The view is epoch-published: the usable servers in schedule order. Round robin is one atomic ticket over it: strict alternation at any
 * number of threads. The view of a small farm is immutable and rebuilt at each change; that of a large one is edited, one slot a change.
 * A policy that needs more has a state beside the view: a map, a ring, an order by load.
 * Threads: lb_take on data threads inside an epoch; lb_update under back->lock. */
#ifndef CORE_LB_H
#define CORE_LB_H

#include "core/server.h"

struct strm;
struct expr;
struct lb_policy;

/* What chooses; the names are in core/rows_balance.c. */
enum lb_kind {
        BAL_DEFAULT, /* nothing was said: round robin */
        BAL_ROUNDROBIN,
        BAL_STATIC_RR,
        BAL_LEASTCONN,
        BAL_FIRST,
        BAL_RANDOM,
        BAL_SOURCE, /* from here on: the hash of a key */
        BAL_URI,
        BAL_URL_PARAM,
        BAL_HDR,
        BAL_HASH,
};

enum { LB_MAP_BASED, LB_CONSISTENT };
enum { LB_KEY_ID, LB_KEY_ADDR, LB_KEY_ADDR_PORT };                      /* server_cfg.hash_key */
enum { LB_AFFINITY_ALWAYS, LB_AFFINITY_MAXCONN, LB_AFFINITY_MAXQUEUE }; /* hash-preserve-affinity */

struct lb_cfg;
/* The hash of the stream's key, before the avalanche; false: it has none. */
typedef bool (*lb_key_fn)(const struct lb_cfg *c, struct strm *s, uint32_t *ret_hash);
lb_key_fn lb_key_of(int kind); /* NULL: needs no key */

struct lb_cfg { /* slot "balance": defaults, backend, listen */
        int kind;
        int draws;        /* random */
        int len, depth;   /* uri; 0 = no limit */
        bool whole;       /* uri: with the query */
        bool path_only;   /* uri: without scheme and authority */
        bool domain_only; /* hdr */
        const char *name; /* of the header (lower case) or parameter */
        const char *text; /* of the expression, as written */
        const struct expr *expr;
        lb_key_fn key; /* NULL: by turns or load */
        int type, fn;  /* LB_MAP_BASED ...; enum lb_fn */
        bool avalanche;
        bool type_said; /* hash-type stood there, with a function: nothing is added to it */
        int factor;     /* hash-balance-factor: percent, 0 = off */
        int affinity;
        bool allbackups;
};
extern int balance_slot;

/* The policy's name as `show stat` has it. */
const char *lb_name(const struct lb_cfg *c);
/* Weights change with the servers' states only: `set weight` may say 0 or the file's. */
bool lb_is_static(const struct lb_cfg *c);

struct lb_view {
        _Atomic uint32_t n; /* slots in use */
        uint32_t cap;
        uint32_t n_servers;
        bool backup; /* made of backup servers: the first one, or all_backups */
        bool all_backups;
        bool equal; /* all weights equal: one slot a server */
        bool large; /* edited in place: see lb.c */
        _Atomic uint32_t wmax;
        uint32_t by_weight[SRV_WEIGHT_MAX + 1];
        _Atomic(struct server *) slot[];
};

/* A usable server with a free place, which is taken (core/queue.h); not `avoid` unless it is the only one, or the only one for the
 * stream's key. NULL: none has one. Then *ret_wait is the server that the key asks for: the stream waits there, or NULL: for any.
 * `s` may be NULL in tests: a stream without any key. */
struct server *lb_take(struct back *b, struct strm *s, const struct server *avoid, struct server **ret_wait);
void lb_update(struct back *b, struct server *changed); /* changed NULL: all */
void lb_address_moved(struct server *s);                /* under back->lock, like lb_update */
/* The load of a server moved: leastconn and first keep them in order. */
void lb_loaded_slow(struct server *s);
static inline void lb_loaded(struct server *s)
{
        if (unlikely(__atomic_load_n(&s->back->rank, __ATOMIC_ACQUIRE) != NULL)) /* pairs with make() in lb_rank.c */
                lb_loaded_slow(s);
}
void lb_free(struct back *b); /* at the backend's end */

#endif
