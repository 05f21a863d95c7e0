/* feat/logs/store.h - a ring of lines in memory (manual 12.5): kept for `show events`, sent on to servers over TCP.
 *
 * One per name and process, kept for ever, like sinks. Bounded: with no server the oldest lines make room for new ones; what a server has
 * not got yet stays, and what does not fit then is dropped and counted. Who writes never waits for a server: each has a thread (forward.c).
 * Threads: any. */
#ifndef FEAT_LOGS_STORE_H
#define FEAT_LOGS_STORE_H

#include "base/buf.h"
#include "net/addr.h"

#include <sys/uio.h>

#define STORE_SIZE_DEFAULT   16384
#define STORE_MAXLEN_DEFAULT 16384

struct store_target { /* a server line; settings, constant */
        const struct store_target *prev;
        const char *name, *text; /* the address as written */
        struct addr addr;
        const char *path; /* a unix socket instead, or NULL */
        bool octets;      /* log-proto octet-count (RFC 6587 3.4.1), else lines end with a newline (3.4.2) */
};

struct store_set {
        const char *description; /* NULL: the name */
        size_t size, maxlen;
        int connect_ms, server_ms;
        const struct store_target *targets; /* the last one */
};

struct store;
struct store *store_get(const char *name); /* made with default settings when there is none */
/* From now on; lines that are kept stay as far as they fit, servers that are the same go on. Control thread. */
void store_set(struct store *s, const struct store_set *set);
struct store *store_find(const char *name); /* NULL: none */
struct store *store_next(struct store *s);  /* in the order of their names; NULL: the first, or no more */
const char *store_name(const struct store *s);
void store_describe(struct store *s, struct buf *out);
uint64_t store_dropped(const struct store *s);
/* One line; a newline at its end is not kept. False: dropped. */
bool store_put(struct store *s, const struct iovec *v, int n);
/* Readers keep a position: 0 is before the oldest line. Appends the next line and its end; false: there is none yet. */
bool store_read(struct store *s, uint64_t *pos, char end, struct buf *out);
uint64_t store_end(struct store *s);   /* the position behind the newest line */
bool store_wait_sent(unsigned max_ms); /* at exit: until the servers have everything */

/* ---- forward.c: a thread that sends a store's lines to one server ---- */

struct forward;
struct forward *forward_new(struct store *s, const struct store_target *t, uint64_t pos);
bool forward_is(const struct forward *f, const struct store_target *t); /* to that server */
void forward_times(struct forward *f, int connect_ms, int server_ms);
uint64_t forward_pos(const struct forward *f); /* everything before it was sent; under the store's lock */
void forward_wake(struct forward *f);          /* under the store's lock: there is something to send */
void forward_stop(struct forward *f);          /* its thread ends and frees it */

/* For forward.c, under the lock that they take. */
void store_lock(struct store *s);
void store_unlock(struct store *s);
/* Waits for a wake-up, at most until that moment (NULL: without end). */
void store_wait(struct store *s, const struct timespec *until);
bool store_line(struct store *s, uint64_t *pos, char *dst, size_t room, size_t *ret_n); /* whole or cut; false: none */

#endif
