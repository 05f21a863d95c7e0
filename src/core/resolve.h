/* core/resolve.h - names to addresses while the worker runs: the seam between who follows a name and who asks the DNS.
 *
 * The worker has no files, so getaddrinfo() is not for it (mechanisms.md c): questions leave through a transport, given as
 * struct resolve_ops. Equal questions of several askers are one flight. An answer is hostile: records of another type are
 * dropped, their number is bounded, times to live are clamped (RFC 2181 section 8), late or unknown answers are refused.
 * Names are compared without case (RFC 4343) and a dot at the end means nothing.
 * Ownership: an asker embeds struct resolve_ask and cancels it before it goes; records are borrowed until done() returns.
 * Threads: the loop's.  Manual: section 5.3. */
#ifndef CORE_RESOLVE_H
#define CORE_RESOLVE_H

#include "base/map.h"
#include "ev/timer.h"

#define RESOLVE_NAME_MAX    253 /* RFC 1035 section 2.3.4, without the dot at the end */
#define RESOLVE_RECORDS_MAX 512
#define RESOLVE_TTL_MAX_S   (7 * 86400u)

enum resolve_type { RESOLVE_A, RESOLVE_AAAA, RESOLVE_SRV };
enum resolve_verdict {
        RESOLVE_OK,      /* at least one record of the type asked for */
        RESOLVE_NX,      /* the name does not exist (RFC 2308) */
        RESOLVE_REFUSED, /* the server would not */
        RESOLVE_TIMEOUT, /* nobody answered, or the asker's own patience ended */
        RESOLVE_OTHER,   /* no such record, or the server could not, or spoke nonsense */
};

struct resolve_record {
        enum resolve_type type;
        uint32_t ttl_s;
        unsigned char ip[16];              /* A: the first four bytes */
        uint16_t priority, weight, port;   /* SRV (RFC 2782) */
        char target[RESOLVE_NAME_MAX + 1]; /* SRV: in lower case, no dot at the end */
};

struct resolve_ask {
        void (*done)(struct resolve_ask *a, enum resolve_verdict v, const struct resolve_record *rec, size_t n,
                     uint32_t ttl_s); /* ttl_s: the shortest of the records; 0 without any. May ask again */
        /* the resolver's: */
        struct list link;
        struct timer patience;
        struct resolve_flight *flight; /* NULL: nothing is asked */
};

struct resolve_ops { /* the transport */
        /* 0, or negative errno. It answers later by resolve_answer(), never from within. */
        int (*send)(void *arg, uint32_t id, struct str name, enum resolve_type type);
        void (*cancel)(void *arg, uint32_t id); /* nobody waits any more */
};

struct resolver {
        struct loop *loop;
        const struct resolve_ops *ops;
        void *arg;
        struct map by_name, by_id; /* flights */
        uint32_t last_id;
        const char *answered_by; /* of the answer being told; the transport's, may be NULL */
};

void resolve_init(struct resolver *r, struct loop *l, const struct resolve_ops *ops, void *arg);
void resolve_fini(struct resolver *r); /* cancels all; no done() is called */

/* 0: done() will be called once, never from within, after timeout_ms at the latest. -EINVAL: no name of the DNS.
 * Otherwise what the transport says. */
must_check int resolve_ask(struct resolver *r, struct resolve_ask *a, struct str name, enum resolve_type type,
                           uint32_t timeout_ms);
void resolve_cancel(struct resolver *r, struct resolve_ask *a); /* twice is fine; done() is not called */

bool resolve_name_ok(struct str name); /* could it stand in the DNS? */

/* Transport: what came back. rec may be rewritten. False: nobody asked that (any more). */
bool resolve_answer(struct resolver *r, uint32_t id, enum resolve_verdict v, struct resolve_record *rec, size_t n);

/* Who follows the names of servers, for the runtime socket; NULL: nobody. Any thread, inside an epoch. */
struct server;
struct resolve_driver {
        bool (*follows)(const struct server *s);
        void (*renamed)(void); /* a server's fqdn was set */
};
extern const struct resolve_driver *resolve_driver;

#endif
