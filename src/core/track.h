/* core/track.h - entries of stick tables that a connection or a request counts in (manual 4.3, track-sc), and what a request
 * will teach its table (`stick store-request`).
 *
 * Tracked by a session: until it ends. Tracked by a stream: until that ends; a number that the session has is the session's.
 * conn_cur and `use` of an entry say how many do.
 * Threads: the session's. */
#ifndef CORE_TRACK_H
#define CORE_TRACK_H

#include "core/sess.h"
#include "core/table.h"

struct track {
        struct table *t; /* NULL: nothing */
        uint32_t i;      /* held */
};

struct track_set {
        size_t size; /* of this block, for mem_put() */
        unsigned n;
        struct track v[];
};

#define TRACK_MAX 100 /* tune.stick-counters */

/* The entry with this number: the stream's, or else the session's. st may be NULL. NULL: nothing is tracked. */
const struct track *track_find(const struct sess *ss, const struct strm *st, unsigned sc);
/* Tracks the key, for the stream or, st NULL, for the session, and counts the connection; for a stream of HTTP its request, too.
 * Nothing happens when the number is taken, the table full or memory gone. */
void track_begin(struct sess *ss, struct strm *st, unsigned sc, struct table *t, struct str key);

void track_sess_begin(struct sess *ss); /* the rules of its connection and session let it in */
void track_sess_end(struct sess *ss);

/* What happens to a stream; cheap when nothing is tracked (track_any()). */
void track_request(struct strm *s);                          /* the head is complete, or wrong */
void track_status(struct strm *s, int status);               /* the server's answer begins */
void track_bytes(struct strm *s, uint32_t in, uint32_t out); /* from the client, from the server */
/* Which statuses of servers count as errors of clients and failures of servers (manual 3.1); bit s - 100. */
struct track_codes {
        uint64_t err[8], fail[8];
};
/* 400 to 499; 500 to 599 without 501 and 505: bit 16 of the seventh word is 500. */
#define TRACK_CODES_DEFAULT                                                                                            \
        {                                                                                                              \
                .err = { 0, 0, 0, 0, ~(uint64_t)0 << 44, ~(uint64_t)0, 0xffff }, .fail = {                             \
                        0,                                                                                             \
                        0,                                                                                             \
                        0,                                                                                             \
                        0,                                                                                             \
                        0,                                                                                             \
                        0,                                                                                             \
                        (~(uint64_t)0 << 16) & ~((uint64_t)0x22 << 16),                                                \
                        0xfffffffffffff                                                                                \
                }                                                                                                      \
        }
void track_codes_set(const struct track_codes *c); /* any thread; what is under way may still go by the old ones */

void track_end(struct strm *s); /* of the stream; lets go of its entries, forgets what it would have taught */

static inline bool track_any(const struct strm *s)
{
        return unlikely(s->has_more);
}

/* ---- what a request or its answer teaches ---- */
#define STICKY_MAX 8 /* manual, stick store-request: so many each */

struct sticky { /* a list */
        struct sticky *next;
        size_t size;
        struct table *t;
        bool rsp; /* learnt from the answer */
        uint16_t n;
        char key[];
};

/* Notes that the key will belong to the server that serves this stream. Only the first of a table and a side is kept. */
void sticky_want(struct strm *s, struct table *t, struct str key, bool rsp);
bool sticky_has(const struct strm *s, const struct table *t, bool rsp);
/* The server is known: writes it. Servers with `non-stick` are never written. */
void sticky_store(struct strm *s);
/* The server that the key's entry names, touched; NULL: none, or it is none of this backend. */
struct server *sticky_find(struct table *t, struct str key, struct back *b);

#endif
