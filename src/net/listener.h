/* net/listener.h - a bound address as a set of shards, one per data thread (mechanisms.md e).
 *
 * The supervisor (or the single process) makes the sockets; shard i is polled level-triggered by thread i. Every shard
 * always has a poller. pause = EPOLL_CTL_DEL, resume = ADD: the fd stays open, the kernel's accept queue holds the
 * clients. An inherited or unix socket has one fd for all threads, polled EPOLLEXCLUSIVE.
 * Threads: shard functions on the shard's thread; listener_bind() anywhere. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "ev/loop.h"
#include "net/addr.h"

struct listen_spec {         /* what to bind; comparable, so that a reload keeps equal ones */
        struct addr_spec at; /* one port (port_low): ranges are spread by the caller */
        int backlog;         /* 0 = the kernel's limit; the caller's maxconn rule decides before */
        unsigned shards;     /* sockets to make (SO_REUSEPORT), 1 for unix, abns, fd@ */
        bool v4v6, v6only, transparent, freebind;
        const char *interface;
        /* 0 = off; queue length, bytes, seconds. A negative mss cannot be had: TCP_MAXSEG of an accepted socket is
         * taken by the kernel and changes nothing (measured, Linux 6.18). */
        int tcp_fastopen, mss, defer_accept;
        int tcp_ut_ms;                      /* TCP_USER_TIMEOUT of what is accepted; 0 = the system's */
        int unix_mode;                      /* -1 = umask */
        const char *unix_user, *unix_group; /* NULL = unset; looked up when bound, unless the number is given */
        int unix_uid, unix_gid;             /* -1 = unset: unchanged */
};

#define LISTEN_SHARDS_MAX 64

/* Binds and listens; a datagram address is only bound. fds: room for spec->shards; non-blocking, close-on-exec.
 * Negative errno: nothing stays open; *ret_step names the failing call for the message ("cannot bind socket (Address
 * already in use)"), literal. SO_REUSEPORT is always set on TCP: an old process may still listen. A unix socket takes
 * its name by rename: whoever listened there before keeps its clients, and no connect finds the name missing. */
int listener_bind(const struct listen_spec *spec, int *ret_fds, const char **ret_step);

/* A socket that came from another process: does it listen at spec's address, in the way spec wants it (IPv6 only or not, interface,
 * transparent)? Unix sockets with a path are nobody's: their name may be another socket's by now. Any fd is fine. */
bool listener_is_at(int fd, const struct listen_spec *spec);
/* Such a socket gets what else spec says: options, backlog, non-blocking, close-on-exec. Negative errno. */
int listener_settle(int fd, const struct listen_spec *spec);

struct listen_shard {
        struct ev_fd ev;
        struct loop *loop;
        unsigned batch; /* accepts per event at most, tune.maxaccept */
        bool exclusive, paused;
        /* Both NULL, or: take() says whether one more may come and takes its place, before anything is taken from the kernel's
         * queue; false pauses the shard, unless take() said shard_wait(). give() returns the place when nobody was there. */
        bool (*take)(struct listen_shard *s);
        void (*give)(struct listen_shard *s);
        /* Called once per accepted connection, with a non-blocking fd; owns the fd. `from` may be AF_UNIX. Returns
         * false to stop accepting for now (limit reached): the shard is paused until shard_resume(). */
        bool (*on_accept)(struct listen_shard *s, int fd, const struct addr *from);
        /* EMFILE, ENFILE, ENOBUFS, ENOMEM and the unexpected: accepting is put off by 100 ms. */
        void (*on_error)(struct listen_shard *s, int err);
        struct timer retry;
};

/* batch, on_accept and on_error are set before. */
int shard_start(struct listen_shard *s, struct loop *l, int fd, bool exclusive);
void shard_pause(struct listen_shard *s);
void shard_wait(struct listen_shard *s, int ms); /* accepts nothing for that long */
int shard_resume(struct listen_shard *s);
void shard_stop(struct listen_shard *s); /* takes it off the loop; does not close the fd */

#endif
