/* feat/h2/h2.h - an HTTP/2 connection of a client and its streams; what session.c (frames) and stream.c (sides) share.
 *
 * Who runs when: bytes are read in the ep's wake and given to nghttp2, whose callbacks only keep what came and post the
 * streams' tasks; a stream's tx() keeps what it is given and posts the connection's task, which writes the frames of all
 * streams in few calls. So neither is ever inside the other.
 * Flow control: what the client may send on a stream is given back as the stream hands it on (rx_body); the window of
 * the connection at once, or one stream that nobody reads would stop the others. Received bytes are bounded by streams
 * x window, bytes to send by one read of each stream. */
#ifndef FEAT_H2_H2_H
#define FEAT_H2_H2_H

#include "core/front.h"
#include "feat/h2/head.h"

#include <nghttp2/nghttp2.h>

#define H2_STREAMS    100u           /* at a time, per connection */
#define H2_WINDOW     65535          /* of a stream; the protocol's default */
#define H2_CONN_WIN   (1 << 20)      /* of the connection: how far ahead of our reading it may send */
#define H2_PEEK_MAX   (16u * 1024)   /* of a body that rules look at before it goes on: what others may hold, too */
#define H2_TX_LOW     (32u * 1024)   /* a stream with less than this unsent takes more */
#define H2_FLUSH_SIZE (64u * 1024)   /* frames per write */
#define H2_FRAME_MAX  (16384u + 256) /* what nghttp2 hands out at a time, at most */
#define H2_FRAME_HEAD 9u             /* bytes before the payload (RFC 9113 4.1) */

struct h2_bytes { /* a queue: p[off .. off + len) */
        char *p;
        uint32_t off, len, cap;
};
bool h2_bytes_add(struct h2_bytes *b, const void *p, size_t n);
void h2_bytes_free(struct h2_bytes *b);

struct h2_conn {
        struct sess *sess;
        nghttp2_session *ng;
        struct list streams;
        uint32_t n_streams;  /* handed to the core */
        struct ev_task task; /* writes, and looks whether it is over */
        struct h2_bytes out; /* frames that the ep did not take yet */
        bool stopping;       /* GOAWAY is said */
        bool dead;           /* the ep failed or ended, or nghttp2 gave up */
        struct grave grave;
        size_t size;
};

struct h2_stream {
        struct h2_conn *c;
        struct list link;
        struct strm *strm; /* NULL until the head is complete */
        struct side *side;
        int32_t id;
        struct h2_head *head, *trailers; /* received */
        struct h2_bytes in, out;
        nghttp2_nv *tx_trailers; /* with their bytes behind them, in one block */
        size_t n_tx_trailers, tx_trailers_size;
        uint64_t tx_left; /* HBODY_LENGTH: still to be given to us */
        uint8_t tx_body;  /* enum hbody */
        bool tx_head_done;
        bool tx_end;   /* the stream said all */
        bool deferred; /* nghttp2 waits for nghttp2_session_resume_data() */
        bool rx_end;   /* END_STREAM came */
        bool sent_end; /* END_STREAM is written */
        bool closed;   /* nghttp2 forgot it */
        size_t size;
};

extern const struct mux_ops h2_stream_ops;

void h2_post(struct h2_conn *c); /* frames may be waiting */
void h2_want(struct h2_conn *c); /* about to wait */
void h2_stream_free(struct h2_stream *st);
/* DATA provider. */
ssize_t h2_read_body(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t room, uint32_t *flags,
                     nghttp2_data_source *source, void *user);
void h2_stream_wake(struct h2_stream *st);
void h2_stream_lost(struct h2_stream *st); /* reset, by the peer or with the connection */

#endif
