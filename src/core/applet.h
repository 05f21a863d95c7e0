/* core/applet.h - answers that the program makes itself (stats page, metrics, CLI), as the server side of a stream.
 *
 * HTTP: `start` gets the request and fills status line and fields; `more` is called whenever the client can take bytes and appends a
 * bounded piece (aim APPLET_PIECE). CLI: `input` gets bytes as they come, `more` says what is to be said.
 * Back-pressure: `more` is not called while the client has not taken what was said before; `input` is not called while `more` has
 * something to say, and the client is not read while APPLET_PIECE bytes of input wait.
 * `more` is called until it has said APPLET_PIECE / 2 bytes, and then again in the loop's next turn: a long answer does not hold up the
 * other streams of its thread.
 * Threads: the stream's loop, inside an epoch. Long jobs keep a cursor, not pointers, and go on in the next `more`.
 * Ownership: the instance belongs to the stream's server side and goes with it, after `stop`. */
#ifndef CORE_APPLET_H
#define CORE_APPLET_H

#include "base/buf.h"
#include "core/strm.h"

struct applet;

#define APPLET_PIECE 16384u

enum applet_answer {
        APPLET_MORE, /* call again */
        APPLET_DONE, /* that was all; a CLI connection is closed when it is out */
        APPLET_WAIT, /* input, or applet_wake(), will come */
        APPLET_CLOSE /* give up: the answer is cut */
};

struct applet_ops {
        const char *name; /* shown in logs as the backend's server: "<STATS>" */
        size_t size;      /* of the instance's own data, zeroed */
        /* HTTP only: request complete (body in `body`, at most body_max; a longer one is answered 413). Fills a->status and
         * a->fields, and a->length when it is known. `req` and `body` are borrowed for this call. */
        void (*start)(struct applet *a, const struct hmsg *req, struct str body);
        size_t body_max;
        /* CLI only: consumes input; returns bytes taken. eof: the client's FIN came. */
        size_t (*input)(struct applet *a, struct str in, bool eof);
        enum applet_answer (*more)(struct applet *a, struct buf *out);
        void (*stop)(struct applet *a); /* may be NULL */
};

#define APPLET_FIELDS 64 /* http-after-response rules add to its own */

struct applet {
        const struct applet_ops *ops;
        struct strm *strm;
        void *data;
        int status;
        struct buf fields; /* "name: value\r\n" lines */
        int64_t length;    /* -1: chunked (or close for 1.0) */
        /* private */
        struct buf out, in;
        size_t lent; /* first bytes of `out`: already with the client's side */
        size_t mem;
        uint64_t turn; /* of the loop, in which the last piece was made */
        size_t made;   /* bytes in that turn */
        bool http, started, done, head_only, in_eof, refused, expect;
        char *req_mem; /* copy of the request head while its body comes */
        size_t req_size;
        struct hmsg req, rsp;
        struct hfield rsp_f[APPLET_FIELDS];
        char rsp_arena[4096];
};

/* Makes an instance the server side of the stream (from a hook, or for a whole PX_CLI frontend). NULL: out of memory. */
struct applet *applet_attach(struct strm *s, const struct applet_ops *ops);
void applet_wake(struct applet *a);
/* The name for the log when the stream is answered by an applet, or NULL. */
const char *applet_name(const struct strm *s);

/* A frontend of mode PX_CLI runs this for each connection; feat/cli sets it at boot. */
extern const struct applet_ops *applet_cli;

#endif
