/* core/content.h - what a side said and nobody took yet, for whoever decides by it before it goes on: tcp-request content, contents of
 * layer 6 (manual 7.3.5), bodies of messages.
 *
 * Nothing is taken: the bytes are passed on later as if nobody had looked. At most a buffer of them (tune.bufsize) is held.
 * Borrowed bytes are valid until the stream waits or anybody reads or takes again.
 * Threads: the stream's. */
#ifndef CORE_CONTENT_H
#define CORE_CONTENT_H

#include "core/expr.h"
#include "core/strm.h"

struct headbox;

enum content_of { CONTENT_REQUEST, CONTENT_ANSWER };

/* Mode tcp: what was said; HTTP: the body without its framing. Reads on until there are `max` bytes. MSG_OK: there are, or no more can
 * be held. MSG_WAIT: more may come. MSG_END: this is all. MSG_ERR, MSG_BAD: this is all that can be shown. */
int content_peek(struct strm *s, enum content_of of, size_t max, struct str *ret_in);

/* May a rule that waits for contents still hope? limit_ms from the first time it is asked (strm_waited()); 0: no. */
bool content_is_final(struct strm *s, enum content_of of, int limit_ms);

/* Waits for a body, at most limit_ms: RULE_NEXT with all of it, with `least` bytes (0: all), or with as many as can be held;
 * RULE_WAIT; RULE_TAKEN: too late, 408 or 504 was answered. Who asked to be told to go on (Expect) is told. */
int content_body(struct strm *s, enum content_of of, int limit_ms, size_t least);

/* Mode tcp: the HTTP head that the client's or the server's bytes begin with, if they do, becomes part of what x shows. */
struct content_head {
        struct headbox *box;
        char *copy; /* parsing changes what it reads */
        size_t size;
};
void content_head(struct content_head *h, struct strm *s, enum content_of of, struct expr_ctx *x);
void content_head_done(struct content_head *h); /* x's heads are stale */

#endif
