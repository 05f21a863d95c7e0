/* feat/resolvers/resolvers.h - names of servers followed while the worker runs: words, transport, and what an answer does.
 *
 * rows.c: section `resolvers` and the server's words. nameserver.c: questions leave through c-ares, one channel a nameserver; it
 * implements struct resolve_ops. section.c: what runs of the sections of a configuration. follow.c: each name is asked for
 * again and again; its addresses are dealt out to the servers that carry it. cmds.c: `show resolvers`.
 *
 * Runs on the control thread (ADR 0012). `resolvers_lock` guards what the runtime socket reads from other threads.
 * Manual: 5.3. */
#ifndef FEAT_RESOLVERS_RESOLVERS_H
#define FEAT_RESOLVERS_RESOLVERS_H

#include "core/resolve.h"
#include "core/server.h"

#include <pthread.h>

#define KIND_RESOLVERS ((kind_mask)1 << 20)

/* ---- words ---- */

#define NAMESERVERS_MAX 64

struct ns_cfg {
        const char *name, *text; /* text as written; NULL: from resolv.conf */
        struct addr addr;
        struct span at;
};

enum { HOLD_VALID, HOLD_OBSOLETE, HOLD_NX, HOLD_REFUSED, HOLD_TIMEOUT, HOLD_OTHER, HOLDS };

struct resolvers_cfg { /* slot "resolvers" */
        const struct ns_cfg *ns;
        int n_ns;
        int retries, payload;
        int resolve_ms, retry_ms;
        int hold_ms[HOLDS];
        bool resolv_conf; /* parse-resolv-conf */
};
extern int resolvers_slot;

struct resolve_cfg { /* slot "resolve": server, default-server */
        const char *resolvers;
        bool dup_ip; /* resolve-opts allow-dup-ip */
        bool opts;   /* resolve-opts was written */
        bool ignore_weight;
};
extern int resolve_slot;

/* ---- transport ---- */

enum ns_count { /* in the order of `show resolvers` */
                NS_SENT,
                NS_SND_ERROR,
                NS_VALID,
                NS_UPDATE,
                NS_CNAME,
                NS_CNAME_ERROR,
                NS_ANY_ERR,
                NS_NX,
                NS_TIMEOUT,
                NS_REFUSED,
                NS_OTHER,
                NS_INVALID,
                NS_TOO_BIG,
                NS_TRUNCATED,
                NS_OUTDATED,
                NS_COUNTS
};

struct section;

struct nameserver {
        struct section *section;
        char *name;
        char *label; /* "dns/a" */
        stat_t count[NS_COUNTS];
        void *channel;      /* ares_channel */
        struct timer timer; /* its next timeout */
        struct list fds;
};

struct section {
        struct list link;
        char *name;
        struct resolvers_cfg
                cfg; /* nothing in it points into a configuration but ns, which is not read after the start */
        const struct conf_obj *obj; /* of the current configuration */
        struct resolver resolver;
        struct nameserver *ns;
        unsigned n_ns;
        struct map queries; /* by flight id */
        struct nameserver *answered_by;
        struct list questions; /* follow.c */
        struct map by_name;
};

int nameservers_open(struct section *s, struct loop *l); /* 0 or negative errno; then resolve_ask() works */
void nameservers_close(struct section *s);               /* forgets all questions; no answer is told */

/* ---- sections ---- */

extern pthread_mutex_t resolvers_lock;
struct section *section_find(struct str name);   /* with the lock, or on the control thread */
struct section *section_next(struct section *s); /* NULL: the first */

/* ---- names ---- */

void follow_sync(void);                      /* servers, their names or sections have changed */
void follow_section_ends(struct section *s); /* before its nameservers close */

#endif
