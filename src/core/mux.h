/* core/mux.h - the seam between a stream and what carries its messages (mechanisms.md f).
 *
 * A stream has two sides. A side speaks messages: a head (struct hmsg), body bytes, an end; plain TCP is a message without a head whose
 * body ends with the connection. HTTP/1 and TCP (core/wire.c), an HTTP/2 stream, and applets implement it. The stream never sees framing,
 * sockets or TLS.
 *
 * Back-pressure: tx() takes everything it is given (at most one read's worth) and keeps privately what the kernel did not take; the
 * stream offers more only after the side stopped being SIDE_TX_FULL. So a stream owns no buffers.
 * Borrowed bytes: what rx_head() and rx_body() hand out points into the thread's shared receive buffer or the side's private one and is
 * valid until rx_park(), which the stream calls on both sides before it returns to the loop.
 * Upcall: side->strm's task is posted (strm_wake) when a side may make progress. */
#ifndef CORE_MUX_H
#define CORE_MUX_H

#include "base/assert.h"
#include "net/pipe.h"
#include "proto/hmsg.h"

#include <stdbool.h>
#include <sys/uio.h>

struct strm;
struct side;

enum msg_answer {
        MSG_OK = 0,   /* done / here it is */
        MSG_WAIT = 1, /* not yet: the stream is woken */
        MSG_END = 2,  /* rx_head: the peer closed before a first byte; rx_body: the message is complete */
        MSG_ERR = 3,  /* the side is dead: side->err, SIDE_* flags say how */
        MSG_BAD = 4,  /* rx_head, tx: not a valid message: side->bad says what to answer and why */
};

enum {                       /* side.flags */
       SIDE_RX_DONE = 1,     /* whole message received */
       SIDE_TX_DONE = 2,     /* whole message sent (last byte handed to the kernel) */
       SIDE_TX_FULL = 4,     /* private bytes wait for the kernel */
       SIDE_TX_END = 8,      /* the stream said "end"; TX_DONE follows when the private bytes are gone */
       SIDE_RX_CUT = 16,     /* the peer closed in mid-message (FIN) */
       SIDE_RESET = 32,      /* RST or another fatal error */
       SIDE_TUNNEL = 64,     /* no framing any more: TCP, CONNECT, Upgrade */
       SIDE_SPLICE = 128,    /* rx_splice and tx_splice may be used */
       SIDE_PEER_GONE = 256, /* nobody listens for the answer any more (abort of the client) */
       SIDE_ENOUGH = 512,    /* wants nothing more: the exchange is over when what it said is out (CLI applets) */
       SIDE_TX_CUT = 1024,   /* the stream ends in mid-message: the other side died. Never to look like a clean end */
};

struct side_bad {
        const char *why; /* literal, for `show errors` and logs */
        uint32_t offset;
        uint16_t status; /* 400, 408, 413, 414, 431, 501, 505 ...; 502 on the server's side */
};

/* How a message's body is framed on its way out. */
struct tx_frame {
        enum hbody framing;
        uint64_t length; /* HBODY_LENGTH */
        bool close;      /* say and do "connection: close" after this message */
        bool unsaid;     /* `close` is done, but not said */
        bool upgrade;    /* keep Upgrade and say "connection: upgrade" */
        bool keep_alive; /* say "connection: keep-alive" (an HTTP/1.0 peer wants it in words) */
        bool no_body;    /* the head announces `framing`, but no byte of it follows (HEAD, 304) */
};

struct mux_ops {
        const char *name; /* "H1", "TCP", "H2", "APPLET" */
        int (*rx_head)(struct side *s, struct hmsg **ret_m);
        void (*rx_head_free)(struct side *s); /* the head was passed on: its memory may go; body bytes stay */
        /* Lends body bytes as up to *n spans (in: room; out: filled), at most about `max` bytes; max 0: only what is here
         * already. The bytes are taken: the caller passes them on before the next call on either side. MSG_OK with *n == 0
         * never happens. When the last byte is among them SIDE_RX_DONE is set, and side->trailers when there are any. */
        int (*rx_body)(struct side *s, struct iovec *v, int *n, size_t max);
        /* Shows, in one piece, body bytes that were not taken, once there are `max`: core/content.h says what the answers mean.
         * NULL: it has none to show. */
        int (*rx_peek)(struct side *s, size_t max, struct str *ret_in);
        /* Sends a head (NULL = none now) and body bytes, and, when `end`, the end of the message. Takes all. After the
         * message's own head, a second one (with `end`) is its trailers; a framing that cannot carry them drops them. An
         * informational (1xx) head is passed with framing HBODY_NONE and end false: the final head is still to come; a
         * carrier whose peer does not know them (HTTP/1.0) drops it. MSG_BAD: the head is not valid HTTP (rules made it so);
         * nothing was sent, side->bad says what to answer, and another head may follow. */
        int (*tx)(struct side *s, struct hmsg *head, const struct tx_frame *f, const struct iovec *v, int n, bool end);
        int (*tx_flush)(struct side *s); /* tries the private bytes again: MSG_OK, MSG_WAIT, MSG_ERR */
        /* Raw moves of opaque bytes, both sides SIDE_SPLICE: MSG_OK with *ret_n > 0, MSG_WAIT, MSG_END, MSG_ERR. */
        int (*rx_splice)(struct side *s, struct pipe *p, size_t max, size_t *ret_n);
        int (*tx_splice)(struct side *s, struct pipe *p, size_t *ret_n);
        /* How many more bytes may pass unseen: UINT64_MAX in a tunnel or until-close, 0 when framing must be read or written. */
        uint64_t (*opaque)(const struct side *s);
        uint64_t (*opaque_tx)(const struct side *s);
        /* Has the peer hung up, as far as the kernel told? Bytes before that may still be unread. NULL = never. */
        bool (*gone)(const struct side *s);
        void (*rx_park)(struct side *s); /* keep unread bytes; the shared buffer is about to be reused */
        void (*want)(struct side *s);    /* the stream is about to wait on this side */
        void (*tunnel)(struct side *s);  /* from here on bytes are opaque in both directions */
        /* The stream leaves. clean: this exchange is complete both ways, so the carrier may serve the next one. */
        void (*end)(struct side *s, bool clean);
};

struct side {
        const struct mux_ops *ops;
        struct strm *strm;
        void *carrier;         /* struct wire, H2 stream, applet instance */
        struct hmsg *trailers; /* received; valid until rx_park */
        struct side_bad bad;
        uint64_t rx_bytes, tx_bytes; /* on the wire in this exchange, heads included (%U, %B, CSV bin and bout) */
        int err;                     /* negative errno */
        uint16_t flags;
};

#endif
