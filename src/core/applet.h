/* core/applet.h - answers that the program makes itself (stats page, metrics, CLI), as the server side of a stream.
 *
 * HTTP: `start` gets the request head and fills status line and fields; `more` is called whenever the client can take bytes and
 * appends a bounded chunk (aim 16 KiB). CLI: `input` gets bytes as they come.
 * Threads: the stream's loop, inside an epoch. Long jobs pin cells and go on in the next `more`. */
#ifndef CORE_APPLET_H
#define CORE_APPLET_H

#include "base/buf.h"
#include "core/strm.h"

struct applet;

enum applet_answer { APPLET_MORE, APPLET_DONE, APPLET_WAIT /* applet_wake() will come */, APPLET_CLOSE };

struct applet_ops {
        const char *name; /* shown in logs as the backend's server: "<STATS>" */
        size_t size;      /* of the instance's own data, zeroed */
        /* HTTP only: request complete (body in `body` when the method has one, at most body_max). Fills a->status and a->fields. */
        void (*start)(struct applet *a, const struct hmsg *req, struct str body);
        size_t body_max;
        /* CLI only: consumes input; returns bytes taken. eof: the client's FIN came. */
        size_t (*input)(struct applet *a, struct str in, bool eof);
        enum applet_answer (*more)(struct applet *a, struct buf *out);
        void (*stop)(struct applet *a);
};

struct applet {
        const struct applet_ops *ops;
        struct strm *strm;
        void *data;
        int status;
        struct buf fields; /* "name: value\r\n" lines */
        struct buf out, in;
        bool started, done, head_sent, in_eof;
        int64_t length; /* -1: chunked (or close for 1.0) */
};

/* Makes an instance the server side of the stream (from a hook, or for a whole PX_CLI frontend). */
struct applet *applet_attach(struct strm *s, const struct applet_ops *ops);
void applet_wake(struct applet *a);

/* A frontend of mode PX_CLI runs this for each connection; feat/cli sets it at boot. */
extern const struct applet_ops *applet_cli;

#endif
