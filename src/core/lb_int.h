/* core/lb_int.h - what the policies of core/lb*.c share.
 *
 * A policy may keep a state per backend. It is made when the policy, the configuration or the list of servers changes; a change of one
 * server edits it, at a cost that does not depend on the size of the farm. States are epoch-published unless the policy says otherwise.
 * Threads: make and change under back->lock; take on data threads inside an epoch. */
#ifndef CORE_LB_INT_H
#define CORE_LB_INT_H

#include "core/lb.h"
#include "core/queue.h"

struct lb_state { /* embedded first */
        const struct lb_policy *policy;
        const struct lb_cfg *cfg; /* of the backend's published cfg */
        bool backup;              /* made of backup servers */
};

enum lb_answer {
        LB_TAKEN, /* *ret_srv, its place is held */
        LB_WAIT,  /* *ret_srv is the only one for this stream, and it is full */
        LB_FULL,  /* tried in order, none had a place: the first one with room will do, if there is any */
        LB_TURN,  /* no key: round robin over the view */
};

struct lb_policy {
        struct lb_state *(*make)(struct back *b, const struct lb_cfg *cfg, const struct lb_view *v);
        /* False: a new state is better. */
        bool (*change)(struct lb_state *st, struct back *b, const struct lb_view *v, struct server *s);
        void (*free)(void *st);
        enum lb_answer (*take)(struct lb_state *st, struct back *b, struct strm *s, const struct server *avoid,
                               struct server **ret_srv);
};

extern const struct lb_policy lb_map;  /* static-rr, and keys with hash-type map-based */
extern const struct lb_policy lb_ring; /* keys with hash-type consistent */
extern const struct lb_policy lb_rank; /* leastconn, first */

/* Does it serve, as the view was made? */
bool lb_serves(const struct lb_view *v, const struct server *s);
/* The hash of the stream's key; false: it has none. */
bool lb_key(const struct lb_cfg *c, struct strm *s, uint32_t *ret_hash);
/* Takes a place of a usable server. */
static inline bool lb_place(struct server *s)
{
        return atomic_load_explicit(&s->usable, memory_order_relaxed) && slot_take(s);
}
void lb_share_make(struct back *b, const struct lb_view *v, bool wanted);
void lb_share_change(struct back *b, const struct lb_view *v, const struct server *s);
void lb_share_free(struct back *b);
void lb_rank_clear(struct back *b); /* no longer ranked */
void lb_rank_free(struct lb_rank *r);
/* Is it below hash-balance-factor times the average load? factor 0: always. */
bool lb_below_factor(const struct back *b, const struct server *s, int factor);

/* What of lb_key() can be tested without a stream. */
struct str lb_uri_part(const struct lb_cfg *c, struct str target);
struct str lb_domain(struct str host);
bool lb_url_param(struct str target, struct str name, struct str *ret_value);
struct str lb_first_value(struct str field);

#endif
