/* bench/loop.h - the one epoll loop of the load generator, and the loopback sockets on it.
 *
 * Ownership: a struct ev is embedded in its owner and lives until the loop is gone; closing the fd takes it off.
 * Errors: negative errno. Threads: one. */
#ifndef BENCH_LOOP_H
#define BENCH_LOOP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct ev {
        void (*fn)(struct ev *e, uint32_t what); /* what: EPOLL* bits */
        int fd;
};

struct loop {
        int ep;
        bool spin; /* never sleep: for latency, where a wake-up would be part of the figure */
};

int loop_init(struct loop *l);
void loop_fini(struct loop *l);
int loop_add(struct loop *l, struct ev *e, uint32_t what);
int loop_set(struct loop *l, struct ev *e, uint32_t what);
void loop_turn(struct loop *l); /* one wait, then every callback that is due */

uint64_t clock_now_ns(void); /* monotonic */

/* "127.a.b.c:port". -EPERM for an address that is not loopback: this program makes load and must not leave the host. */
int sock_parse(const char *text, struct sockaddr_in *ret_addr);
int sock_listen(struct sockaddr_in *addr);     /* port 0: the kernel's choice, written back. fd or -errno */
int sock_udp(const struct sockaddr_in *addr);  /* bound, with a large receive buffer. fd or -errno */
int sock_dial(const struct sockaddr_in *addr); /* started, perhaps not yet connected. fd or -errno */
int sock_accept(int fd);                       /* -EAGAIN when there is none. fd or -errno */
int sock_error(int fd);                        /* how the connect ended: 0 or -errno */

#endif
