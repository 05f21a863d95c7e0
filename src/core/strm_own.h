/* core/strm_own.h - what rules made of one stream alone: other limits of time, other addresses, another log level (manual 4.4:
 * set-timeout, set-src, set-dst, set-log-level).
 *
 * Few streams have any, so it is made when first needed, and ends with the stream.  Threads: the stream's. */
#ifndef CORE_STRM_OWN_H
#define CORE_STRM_OWN_H

#include "core/sess.h"
#include "core/strm.h"

enum strm_limit {
        STRM_CLIENT_MS,
        STRM_CONNECT_MS,
        STRM_QUEUE_MS,
        STRM_SERVER_MS,
        STRM_TUNNEL_MS,
        STRM_TARPIT_MS,
        STRM_LIMITS
};
enum { STRM_LEVEL_SILENT = 9 }; /* of strm_own.level */

struct strm_own {
        int ms[STRM_LIMITS]; /* 0: the proxy's */
        uint8_t level;       /* enum log_level + 1, STRM_LEVEL_SILENT; 0: as usual */
        bool has_src, has_dst;
        bool auth_waits; /* a password of its request is being hashed */
        struct addr src, dst;
};

struct strm_own *strm_own_of(struct strm *s);          /* NULL: no memory */
const struct strm_own *strm_own(const struct strm *s); /* NULL: nothing is of its own */

/* This limit of the stream, in ms, where its proxy has `usual`. */
static inline int strm_limit(const struct strm *s, enum strm_limit l, int usual)
{
        const struct strm_own *o = s->vars ? strm_own(s) : NULL;

        return o && o->ms[l] ? o->ms[l] : usual;
}

/* Who asked, and at which address, as rules have it by now; s may be NULL: the connection's. */
const struct addr *strm_src(const struct strm *s, const struct sess *ss);
const struct addr *strm_dst(const struct strm *s, struct sess *ss);

#endif
