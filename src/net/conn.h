/* net/conn.h - a stream socket as an ep.
 *
 * Lazy registration: a fresh connection is read and written at once; it is added to the loop only when somebody is
 * about to wait (ep want), once, edge-triggered for both directions (design.md section 7).
 * Rule "short read = drained unless a hang-up was reported" lives here; a short splice never means drained.
 * Ownership: embedded in its owner (session, server connection). conn_close() twice is fine.  Threads: thr_self's loop.
 * */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "ev/loop.h"
#include "net/addr.h"
#include "net/ep.h"

struct conn {
        /* ep.speaks_first, before conn_connect(): bytes follow as soon as it is established, so they may carry the
         * handshake's last ACK (tcp(7), TCP_QUICKACK): a packet less. Where the server speaks first it would wait for
         * that ACK: leave it. */
        struct ep ep;
        struct ev_fd ev;
};
_Static_assert(sizeof(struct conn) == 48, "two of them in each idle session");

void conn_init(struct conn *c, void (*wake)(struct ep *));
/* An accepted, non-blocking socket; RX and TX assumed ready. tcp: it is no unix socket. */
void conn_adopt(struct conn *c, int fd, bool tcp);

struct conn_how {                 /* what is not as usual; zeros are */
        const struct addr *src;   /* bound to before; its port may be 0 */
        const char *interface;    /* leaves by this one */
        unsigned user_timeout_ms; /* TCP_USER_TIMEOUT; 0: the system's */
        bool transparent;         /* src need not be of this machine: takes CAP_NET_RAW or CAP_NET_ADMIN */
        bool fastopen;            /* used when bytes follow at once: ep.speaks_first */
};

/* Starts connect(2): 0 = established at once (unix) or under way (EP_CONNECTING; tx answers -EAGAIN until the socket is
 * writable; then EP_TX comes or EP_ERR with ->err). `how` may be NULL. Nagle never delays. Negative
 * errno: nothing is open (-EAGAIN: a unix listener's queue is full). */
int conn_connect(struct conn *c, const struct sockaddr *to, socklen_t to_len, const struct conn_how *how);
/* Is it established? Clears EP_CONNECTING: 1 yes, 0 not yet, negative errno. */
int conn_connected(struct conn *c);
/* The same asked with the first bytes, a call less: > 0 (taken) yes, -EAGAIN not yet. */
ssize_t conn_tx_first(struct conn *c, const void *p, size_t n);
/* Of all connections made from now on: SO_RCVBUF, SO_SNDBUF, TCP_NOTSENT_LOWAT in bytes; 0: the kernel's. Any thread. */
void conn_tune(bool server, int rcvbuf, int sndbuf, int lowat);
void conn_keepalive(struct conn *c);         /* the kernel asks a silent TCP peer whether it is there (SO_KEEPALIVE) */
void conn_close(struct conn *c, bool reset); /* at once; reset: RST instead of FIN. Clears all flags */
/* An idle connection that says anything or closes is dead: true when nothing is readable and no hang-up was seen. Costs
 * a system call only when it is not watched or its last read filled the buffer. */
bool conn_idle_ok(struct conn *c);

#endif
