/* core/reply.h - an answer of our own with a body of its own ("http-request return", "deny" with contents).
 *
 * strm_answer() gives the built-in pages; this is for all others. */
#ifndef CORE_REPLY_H
#define CORE_REPLY_H

#include "core/strm.h"

struct reply {
        int status;        /* of the exchange, for logs and counters */
        int sent;          /* in the status line; 0 = status */
        struct str reason; /* p == NULL: reply_reason() */
        bool http10;
        bool no_length;  /* the body ends with the connection */
        struct str type; /* content-type; n == 0: none */
        struct str body; /* borrowed for the call */
        const struct reply_field {
                struct str name, value;
        } * fields;
        unsigned n_fields; /* at most 16 */
};

const char *reply_reason(int status); /* RFC 9110 15; "" for codes it does not name */
/* Sends it and ends the exchange. The request's head is stale afterwards. */
void strm_reply(struct strm *s, const struct reply *r);

#endif
