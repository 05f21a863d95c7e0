/* core/wire.h - HTTP/1 and plain TCP over one ep, as a side (core/mux.h). Both client and server connections embed one.
 *
 * Memory: no buffer while idle. Received bytes live in the thread's shared buffer; rx_park() moves what is unread to a private one.
 * The invariant of reuse (mechanisms.md f, facts 2a): a connection goes back only when the bytes sent are the bytes announced, both ways;
 * wire_is_clean() is the only judge. */
#ifndef CORE_WIRE_H
#define CORE_WIRE_H

#include "core/mux.h"
#include "net/conn.h"
#include "proto/h1.h"

struct inbuf { /* received, unread bytes */
        char *p;
        uint32_t off, len; /* unread: p[off .. off + len) */
        uint32_t cap;      /* of private memory; 0 = p is the thread's shared buffer */
};

struct wire {
        struct conn conn;
        struct inbuf in;
        char *out; /* private unsent bytes, or NULL */
        uint32_t out_off, out_len, out_cap;
        bool server;                    /* this end is a server's: heads received are answers */
        bool close_after;               /* no further message on this connection */
        uint8_t rx_framing, tx_framing; /* enum hmsg_framing of the message under way */
        uint8_t req_method;             /* server end: of the request sent, for the answer's framing */
        bool rx_head_done, tx_head_done;
        uint32_t head_scan;                /* bytes of an incomplete head that were parsed before */
        uint64_t rx_left, tx_left;         /* HMSG_LENGTH: bytes to come */
        struct h1_chunk chunk;             /* HMSG_CHUNKED: decoder */
        struct side *side;                 /* of the stream at work, or NULL */
        void (*idle_wake)(struct wire *w); /* no stream: the owner hears of bytes and closes */
};

extern const struct mux_ops wire_ops;

void wire_init(struct wire *w, bool server, void (*idle_wake)(struct wire *));
void wire_attach(struct wire *w, struct side *s, bool tunnel); /* begins a message exchange for a stream */
bool wire_is_clean(const struct wire *w);   /* everything announced was sent and received, nothing unread */
void wire_fini(struct wire *w, bool reset); /* closes and frees private bytes; twice is fine */

#endif
