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

struct inbuf { /* received bytes: while there is a box p[hold .. off) is a head in use; p[off .. off + len) is unread */
        char *p;
        uint32_t hold, off, len;
        uint32_t cap; /* of private memory; 0 = p is the thread's shared buffer, or nothing */
};

#define HEADBOX_FIELDS 100 /* HAProxy's default; tune.http.maxhdr lowers it */

/* A head being received or used: parser, fields and room for edits in one block of the thread's memory. */
struct headbox {
        struct hmsg m;
        struct h1 parser;
        uint32_t size;       /* of this block, for mem_put */
        uint32_t arena_size; /* of a grown arena, 0 = the one below */
        struct hfield f[HEADBOX_FIELDS];
        char arena[1024];
};

/* What bytes under way need. A quiet wire has none: its `io` is wire_io_none, which reads as "nothing" and may not be
 * written. */
struct wire_io {
        struct inbuf in;
        struct headbox *box; /* NULL while neither a head nor trailers are under way */
        char *out;           /* private unsent bytes, or NULL */
        uint32_t out_off, out_len, out_cap;
        uint64_t rx_left, tx_left; /* HBODY_LENGTH: bytes to come */
        struct h1_chunk chunk;     /* HBODY_CHUNKED: decoder */
};
extern const struct wire_io wire_io_none;

struct wire;
struct wire_owner {
        void (*idle_wake)(struct wire *w);               /* no stream: the owner hears of bytes and closes */
        void (*released)(struct wire *w, bool reusable); /* a stream left: idle, or to be closed by the owner */
};

struct wire {
        struct ep *ep; /* what is read and written: &conn.ep, or a filter over it (tls_open) */
        struct conn conn;
        struct wire_io *io;
        struct side *side; /* of the stream at work, or NULL */
        const struct wire_owner *owner;
        int err;              /* what killed it, negative errno */
        uint32_t head_max;    /* tune.bufsize */
        bool server : 1;      /* this end is a server's: heads received are answers */
        bool close_after : 1; /* no further message on this connection */
        bool shut_after : 1;  /* send FIN when the private bytes are gone */
        bool reset_after : 1; /* close with RST: where only the FIN ends a message, a cut one must not look whole */
        bool tx_head_done : 1;
        bool box_trailers : 1;    /* the box holds the trailer section, not the head */
        uint8_t rx_body, tx_body; /* enum hbody of the message under way */
        uint8_t req_method;       /* server end: of the request sent, which the answer's framing needs */
        uint8_t req_minor;        /* client end: the version the answer is framed for */
};
_Static_assert(sizeof(struct wire) == 96, "two of them in each idle session");

struct headbox *headbox_new(void); /* NULL: out of memory. Other carriers keep their heads in one, too */
void headbox_free(struct headbox *b);

extern const struct mux_ops wire_ops;

void wire_init(struct wire *w, bool server);
/* Begins a message exchange for a stream; tunnel: no HTTP at all (mode tcp). */
void wire_attach(struct wire *w, struct side *s, bool tunnel);
/* Is the server's connection established? What the client of a tunnel said already goes along with the question. 1 yes, 0 not
 * yet, negative errno. */
int wire_connected(struct side *server, struct side *client);
/* Tries to have unread bytes: MSG_OK, MSG_WAIT, MSG_END (FIN), MSG_ERR. For owners of idle connections. */
int wire_fill(struct wire *w, size_t max);
/* For a carrier of its own over this wire (core/front.h): the unread bytes, and taking some of them. */
static inline struct str wire_unread(const struct wire *w)
{
        return (struct str){ w->io->in.p + w->io->in.off, w->io->in.len };
}
static inline void wire_take(struct wire *w, size_t n)
{
        if (n == 0)
                return;
        w->io->in.off += (uint32_t)n;
        w->io->in.len -= (uint32_t)n;
}
/* An idle owner goes to wait and nothing is unread: gives up what bytes under way needed. */
void wire_rest(struct wire *w);
void wire_fini(struct wire *w, bool reset); /* closes and frees private bytes; twice is fine */

#endif
