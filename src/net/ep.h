/* net/ep.h - one end of a byte stream: a socket, TLS over one, or the simulator's pipe.
 *
 * Readiness is remembered here (edge-triggered): EP_RX / EP_TX say that a call may make progress; the implementation
 * clears them when the kernel said "not yet" (or, for rx, when a short read showed the socket drained and no hang-up
 * was reported).
 * Upcall: `wake` is called when one of them, or EP_HUP or EP_ERR, is set anew. It never frees the ep (loop_bury() does,
 * later). */
#ifndef NET_EP_H
#define NET_EP_H

#include "base/assert.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct ep;
struct pipe;

enum {
        EP_RX = 1,           /* rx may give bytes, the end, or an error */
        EP_TX = 2,           /* tx may take bytes */
        EP_HUP = 4,          /* the peer's FIN was reported: a short read is not "drained" */
        EP_EOF = 8,          /* rx returned 0 */
        EP_ERR = 16,         /* dead in both directions; rx may still give the bytes that came before, then the error */
        EP_SHUT = 32,        /* we sent our FIN */
        EP_RAW = 64,         /* rx_splice and tx_splice work */
        EP_CONNECTING = 128, /* tx waits for connect(2) */
        EP_WATCHED = 256,    /* registered with the loop */
        EP_TCP = 512,   /* after EP_HUP a short read is the last one (not of a unix socket, nor around urgent data) */
        EP_LAST = 1024, /* it was: the next rx says "end" without asking the kernel */
};

struct ep_ops {
        ssize_t (*rx)(struct ep *e, void *p, size_t n); /* > 0; 0 = end; -EAGAIN; negative errno */
        ssize_t (*tx)(struct ep *e, const struct iovec *v, int n, bool more); /* n > 0; >= 0; -EAGAIN; negative errno */
        /* -EAGAIN with EP_RX still set: the pipe is full, empty it first. Both keep p->fill. */
        ssize_t (*rx_splice)(struct ep *e, struct pipe *p, size_t n);
        ssize_t (*tx_splice)(struct ep *e, struct pipe *p, size_t n);
        /* About to wait: make sure that wake() will come. When that cannot be done, EP_ERR is set on return and no wake
         * comes: look at the flags. */
        void (*want)(struct ep *e);
        void (*shut)(struct ep *e); /* send FIN (TLS: close_notify first); nothing while EP_CONNECTING: close */
        void (*close)(struct ep *e, bool reset); /* now; reset = RST instead of FIN */
        int (*error)(struct ep *e);              /* the pending error, negative errno, or 0 */
};

struct ep {
        const struct ep_ops *ops;
        void (*wake)(struct ep *e);
        void *owner; /* whom wake() is for: a filter over this end, or a wire. Both may sit on any ep, so container_of()
                      * cannot find them */
        uint16_t flags;
        /* Of the socket under it, here because there is room (net/conn.h): */
        bool speaks_first;
        uint8_t nagle; /* sends until TCP_NODELAY is set: the first has nothing before it to wait for */
        int err;       /* negative errno that killed it, 0; stays after conn_close() */
};

static inline ssize_t ep_rx(struct ep *e, void *p, size_t n)
{
        return e->ops->rx(e, p, n);
}

static inline ssize_t ep_tx(struct ep *e, const struct iovec *v, int n, bool more)
{
        return e->ops->tx(e, v, n, more);
}

#endif
