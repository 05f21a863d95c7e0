/* main/channel.h - typed messages between the supervisor and the processes it starts, over SOCK_SEQPACKET.
 *
 * Both sides treat the other as hostile: a message is one packet of at most CHANNEL_MAX bytes; each type has a fixed
 * form (how many numbers, texts and descriptors), checked before anything of it is used. What does not fit is -EPROTO, and the
 * caller ends the other side.
 * Wire form: u16 type, then the arguments as the type's form says: 'u' u64, 's' text without NUL (u32 length + bytes), 'b' bytes.
 * Native byte order: both ends are the same binary on one machine.
 * Threads: one per end.  Errors: negative errno. */
#ifndef MAIN_CHANNEL_H
#define MAIN_CHANNEL_H

#include "base/buf.h"

#include <sys/types.h>

#define CHANNEL_MAX  65536
#define CHANNEL_ARGS 8
#define CHANNEL_FDS  64
#define CHANNEL_TEXT 32768 /* longest chunk of a CH_TEXT */

enum channel_type {
        /* loader -> supervisor */
        CH_TEXT = 1, /* s: lines for stderr and the answer of `reload` */
        CH_SOCKET,   /* s key, s what, s place, b listen_spec: one address to bind */
        CH_LOG_PATH, /* s path: a local log socket that the worker may ask for */
        CH_LOADED, /* u exit code (0 = fine), u uid + 1, u gid + 1, u fd limit wanted, u threads, u LOADED_*, s chroot, s pidfile; fd: bundle */
        /* supervisor -> worker */
        CH_RIGHTS, /* u uid + 1, u gid + 1, u 1 = may bind foreign addresses, s chroot; fd: heartbeat page. First message. */
        CH_LISTEN, /* s key; fds: its sockets */
        CH_LOG_FD, /* s path; fd, or none when nobody listens there */
        CH_REPLAY, /* s command, s its key in the journal; empty = it is not of the journal */
        CH_APPLY,  /* u generation; fd: bundle. Ends the messages of a configuration. */
        CH_CLI,    /* u level; fd: a connection for the runtime CLI */
        CH_RETIRE, /* another worker serves on the same sockets: finish and leave */
        /* worker -> supervisor */
        CH_DIFF,    /* s: lines that tell what a reload changed, before CH_APPLIED */
        CH_HEALTH,  /* s command that gives a server its health again; before a CH_APPLIED with APPLIED_BUT_SWAP */
        CH_APPLIED, /* u generation, u enum applied */
        CH_JOURNAL, /* s key, s command; empty = forget the key */
        CH_REOPEN,  /* s path */
        CH_TYPES
};

enum {
        LOADED_DAEMON = 1,
        LOADED_QUIET = 2,
        /* words of section global */ LOADED_SHOWN = 4 /* CH_TEXT was printed */,
        LOADED_FOREIGN = 8 /* `usesrc` */
};

enum applied {
        APPLIED_NOT, /* nothing has changed */
        APPLIED,
        APPLIED_BUT_SWAP, /* but for words that only a new worker can take over */
};

/* A worker whose supervisor died tells the next one (orphan.h): CH_SOCKET and CH_LISTEN per address, CH_HEALTH, CH_JOURNAL, and
 * CH_APPLIED at the end; it is answered by CH_RETIRE. */

struct channel_arg {
        uint64_t u;
        struct str s; /* points into the message */
};

struct channel_msg {
        enum channel_type type;
        struct channel_arg arg[CHANNEL_ARGS];
        int fds[CHANNEL_FDS]; /* owned by the receiver; -1 when taken */
        unsigned n_fds;
        char bytes[CHANNEL_MAX]; /* private */
};

int channel_pair(int ret_fds[2]); /* both close-on-exec */

/* Blocks until it is sent (the other end may be slow, but a dead one is -EPIPE): for who may wait for the supervisor. The supervisor
 * itself waits for nobody: channel_post(), main/outbox.h. args: the type's numbers and texts in order. */
int channel_send(int fd, enum channel_type t, const struct channel_arg *args, const int *fds, unsigned n_fds);
/* A message of channel_encode(); -EAGAIN: there is no room for it now. */
int channel_post(int fd, struct str packet, const int *fds, unsigned n_fds);
/* 1 = a message, 0 = the other end is gone, -EAGAIN (MSG_DONTWAIT), -EPROTO. Close left fds with channel_drop(). */
int channel_recv(int fd, bool wait, struct channel_msg *ret_m);
void channel_drop(struct channel_msg *m);

#define CH_U(v)                                                                                                        \
        {                                                                                                              \
                .u = (uint64_t)(v)                                                                                     \
        }
#define CH_S(z)                                                                                                        \
        {                                                                                                              \
                .s = (z)                                                                                               \
        }

/* Pure, for tests and the fuzz target. */
bool channel_encode(enum channel_type t, const struct channel_arg *args, struct buf *out);
bool channel_decode(const char *p, size_t n, unsigned n_fds, struct channel_msg *ret_m); /* texts point into p */

#endif
