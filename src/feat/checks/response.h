/* feat/checks/response.h - the answer to a check's request: head, then its body without framing.
 *
 * Ownership: response_new/free.  Threads: one.  The input is the caller's buffer, which only grows between two calls. */
#ifndef FEAT_CHECKS_RESPONSE_H
#define FEAT_CHECKS_RESPONSE_H

#include "base/buf.h"
#include "proto/h1.h"

enum response_stage { RESPONSE_HEAD, RESPONSE_BODY, RESPONSE_DONE, RESPONSE_BAD };

struct response {
        enum response_stage stage;
        struct hmsg m;
        struct buf body;
        /* private below */
        struct h1 h;
        struct h1_chunk chunk;
        struct hfield fields[101];
        enum hmeth method;
        size_t pos;  /* of the input: read so far */
        size_t base; /* of the input: where this head begins (interim answers come before it) */
        bool trailers;
};

struct response *response_new(enum hmeth method); /* of the request; NULL: no memory */
void response_free(struct response *r);           /* NULL is fine */
/* Reads on. `last`: no byte follows. Interim answers (1xx but 101) are passed over (RFC 9110 15.2). */
void response_read(struct response *r, struct buf *in, bool last);

#endif
