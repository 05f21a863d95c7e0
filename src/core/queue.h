/* core/queue.h - exact server maxconn, and who waits for it (mechanisms.md b).
 *
 * srv->cur counts holders and grants under way: take = fetch_add; above the limit undo and queue. A release pops the head of
 * the server's queue or else of the backend's, hands its slot over and mails the grant to the waiter's loop; a dead stream's
 * grant is released again there. First come, first served, but for those that have a priority (core/expr.h, strm_prio).
 * Invariant, asserted in tests and at exit: cur == holders + grants under way.
 * Threads: one spinlock per queue, slow path only. */
#ifndef CORE_QUEUE_H
#define CORE_QUEUE_H

#include "core/server.h"

struct strm;
struct queue;

struct queue *queue_new(void);
void queue_free(struct queue *q); /* must be empty */
uint32_t queue_length(const struct queue *q);
uint32_t queue_max(const struct queue *q);
bool queue_is_full(const struct server *s); /* manual, maxqueue */

/* How many a server serves at most now: maxconn, or with minconn a ramp that follows the backend's load up to fullconn (manual). */
uint32_t slot_limit(const struct server *s);

/* Places of a whole farm. Looking for a free one among many servers takes its time, and while all are full every newcomer would look. So
 * a look that finds none leaves a mark, and the mark holds until a place is freed. A look takes its mark before it loads the view. */
bool places_none(const struct back *b);
uint64_t places_mark(struct back *b);
void places_full(struct back *b, uint64_t mark);
void places_moved(struct back *b); /* more places, or others: servers came, limits rose */

/* Tries to take a slot of `s`; true = held. Exact at any thread count. Quietly: without telling the balance policy, which asks. */
bool slot_take(struct server *s);
bool slot_take_quietly(struct server *s);
/* Gives a slot back: to a waiter when there is one. */
void slot_release(struct server *s);
/* More places than before (maxconn raised, server came up, a server added): grants as many as fit. */
void slot_fill(struct server *s);

/* Puts the stream into the server's queue (s != NULL: the request may go nowhere else) or the backend's. Stores how many were before
 * it. false: no memory. Looks for a free slot again after linking, so a release cannot be missed. */
bool queue_join(struct strm *st, struct back *b, struct server *s, uint32_t *ret_position);
void queue_leave(struct strm *st); /* twice is fine */
/* A server went down: its waiters choose again (strm_grant() without a server); returns how many. */
unsigned queue_redistribute(struct server *s);

#endif
