/* feat/h2/head.h - header fields of an HTTP/2 message into the form that everybody else reads (proto/hmsg.h).
 *
 * Each field becomes a "name: value\r\n" line in a block of our own, so that rules, logs and the HTTP/1 writer see what
 * they know; pseudo fields become method, target and Host (RFC 9113 8.3.1). Pure: no session, no socket.
 * Refusals stick: the first one decides, later fields are not kept, and the answer is h2_head_end()'s.
 * Ownership: h2_head_new() to h2_head_free(); the hmsg borrows from it. */
#ifndef FEAT_H2_HEAD_H
#define FEAT_H2_HEAD_H

#include "core/wire.h"

struct h2_head {
        struct headbox *box; /* message, fields, arena */
        char *block;         /* lines */
        uint32_t n, cap, max;
        size_t size; /* of this struct's memory */
        bool trailers;
        uint16_t status; /* of the refusal, 0 = none */
        const char *why; /* literal */
        struct hpart authority;
        uint16_t n_cookies;
        uint16_t seen; /* pseudo fields */
};

/* max: bytes of all lines together (tune.bufsize). NULL: out of memory. */
struct h2_head *h2_head_new(uint32_t max, bool trailers);
void h2_head_free(struct h2_head *h); /* NULL is fine */
void h2_head_add(struct h2_head *h, struct str name, struct str value);
void h2_head_refuse(struct h2_head *h, uint16_t status, const char *why);
/* All fields came. end_stream: no body follows. False: refused, see status and why. */
bool h2_head_end(struct h2_head *h, bool end_stream);

static inline struct hmsg *h2_head_msg(struct h2_head *h)
{
        return &h->box->m;
}

#endif
