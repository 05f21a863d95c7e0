/* Real sockets over loopback, one loop, no waiting by wall clock: turns are made until the event is there. */
#include "net/conn.h"
#include "net/listener.h"
#include "net/pipe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static struct thr *thr;
static struct loop loop;
static int lfd = -1, lport; /* port: the kernel's choice, so that two runs do not meet */

struct end {
        struct conn c;
        unsigned wakes;
        unsigned seen; /* flags at the last wake */
};

static void on_wake(struct ep *e)
{
        struct end *x = container_of(container_of(e, struct conn, ep), struct end, c);

        x->wakes++;
        x->seen = e->flags;
}

static int port_of(int fd)
{
        struct sockaddr_in in = { 0 };
        socklen_t len = sizeof(in);

        assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
        return ntohs(in.sin_port);
}

static int setup(void **st)
{
        const char *step = NULL;
        struct listen_spec spec = { .shards = 1, .unix_mode = -1, .unix_uid = -1, .unix_gid = -1 };

        (void)st;
        thr = thr_new(0, &sys_kernel, 256 * 1024);
        thr_self = thr;
        assert_int_equal(loop_init(&loop, thr), 0);
        spec.at = (struct addr_spec){ .family = AF_INET, .inherited_fd = -1, .port_low = -1, .port_high = -1 };
        spec.at.addr.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        assert_int_equal(listener_bind(&spec, &lfd, &step), 0);
        lport = port_of(lfd);
        return 0;
}

static int teardown(void **st)
{
        (void)st;
        close(lfd);
        loop_fini(&loop);
        thr_free(thr);
        return 0;
}

/* Turns until the flag is there; a lost event hangs here and the test runner's limit ends it. */
static void until(struct end *x, unsigned flag)
{
        while (!(x->c.ep.flags & flag))
                loop_turn(&loop, true);
}

static struct addr target(int port)
{
        struct addr a = { .in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) } };

        addr_set_port(&a, port);
        return a;
}

static int accept_fd(void)
{
        int fd;

        while ((fd = sys_kernel.accept(lfd, NULL, NULL)) == -EAGAIN)
                usleep(100);
        assert_true(fd >= 0);
        return fd;
}

/* a = our connecting end, b = the accepted one */
static void pair_up(struct end *a, struct end *b)
{
        struct addr to = target(lport);

        *a = *b = (struct end){ 0 };
        conn_init(&a->c, on_wake);
        conn_init(&b->c, on_wake);
        assert_int_equal(conn_connect(&a->c, &to.sa, addr_len(&to), NULL), 0);
        conn_adopt(&b->c, accept_fd(), true);
        a->c.ep.ops->want(&a->c.ep);
        until(a, EP_TX);
        assert_false(a->c.ep.flags & EP_CONNECTING);
        assert_int_equal(conn_connected(&a->c), 1);
}

static void end_pair(struct end *a, struct end *b)
{
        conn_close(&a->c, false);
        conn_close(&a->c, false);
        conn_close(&b->c, true);
        assert_int_equal(a->c.ep.flags, 0);
}

static ssize_t say(struct end *x, const char *s)
{
        struct iovec v = { (void *)(uintptr_t)s, strlen(s) };

        return ep_tx(&x->c.ep, &v, 1, false);
}

static void test_echo_and_registration(void **st)
{
        struct end a, b;
        char buf[64];

        (void)st;
        pair_up(&a, &b);
        assert_false(b.c.ep.flags & EP_WATCHED); /* lazy */
        assert_int_equal(say(&a, "hello"), 5);
        while (ep_rx(&b.c.ep, buf, sizeof(buf)) == -EAGAIN)
                ;
        assert_memory_equal(buf, "hello", 5);
        assert_false(b.c.ep.flags & EP_RX); /* short read: drained */
        b.c.ep.ops->want(&b.c.ep);
        b.c.ep.ops->want(&b.c.ep);
        assert_int_equal(say(&a, "again"), 5);
        until(&b, EP_RX);
        assert_true(b.seen & EP_RX);
        assert_int_equal(ep_rx(&b.c.ep, buf, 3), 3);
        assert_true(b.c.ep.flags & EP_RX); /* the buffer was full: there may be more */
        assert_int_equal(ep_rx(&b.c.ep, buf, sizeof(buf)), 2);
        assert_false(b.c.ep.flags & EP_RX);
        end_pair(&a, &b);
}

static void test_two_iovecs(void **st)
{
        struct end a, b;
        char buf[64];
        struct iovec v[3] = { { "ab", 2 }, { "cde", 3 }, { "f", 1 } };

        (void)st;
        pair_up(&a, &b);
        b.c.ep.ops->want(&b.c.ep);
        assert_int_equal(ep_tx(&a.c.ep, v, 3, true), 6); /* `more` holds nothing back for ever */
        v[0] = (struct iovec){ "gh", 2 };
        assert_int_equal(ep_tx(&a.c.ep, v, 1, false), 2);
        for (ssize_t got = 0; got < 8;) {
                ssize_t r = ep_rx(&b.c.ep, buf + got, sizeof(buf) - (size_t)got);
                if (r == -EAGAIN)
                        loop_turn(&loop, true);
                else
                        got += r;
        }
        assert_memory_equal(buf, "abcdefgh", 8);
        end_pair(&a, &b);
}

/* Half-close: the end is seen after the data, the other direction still works. */
static void test_half_close(void **st)
{
        struct end a, b;
        char buf[64];

        (void)st;
        pair_up(&a, &b);
        b.c.ep.ops->want(&b.c.ep);
        loop_turn(&loop, false);
        assert_int_equal(say(&a, "bye"), 3);
        a.c.ep.ops->shut(&a.c.ep);
        a.c.ep.ops->shut(&a.c.ep);
        assert_true(a.c.ep.flags & EP_SHUT);
        until(&b, EP_HUP);
        assert_int_equal(ep_rx(&b.c.ep, buf, sizeof(buf)), 3);
        assert_true(b.c.ep.flags & EP_RX); /* short, but a hang-up was reported: not drained */
        assert_int_equal(ep_rx(&b.c.ep, buf, sizeof(buf)), 0);
        assert_true(b.c.ep.flags & EP_EOF);
        assert_false(b.c.ep.flags & EP_RX);
        assert_int_equal(say(&b, "answer"), 6);
        until(&a, EP_RX);
        assert_int_equal(ep_rx(&a.c.ep, buf, sizeof(buf)), 6);
        assert_false(conn_idle_ok(&b.c));
        end_pair(&a, &b);
}

/* The bug of facts/performance.md 10: data and FIN there before the first read of a socket that is not yet watched. */
static void test_short_read_then_close_is_not_lost(void **st)
{
        (void)st;
        for (int watched = 0; watched < 2; watched++) {
                struct end a, b;
                char buf[64];
                pair_up(&a, &b);
                if (watched)
                        b.c.ep.ops->want(&b.c.ep);
                assert_int_equal(say(&a, "last words"), 10);
                conn_close(&a.c, false);
                while (ep_rx(&b.c.ep, buf, sizeof(buf)) == -EAGAIN)
                        ;
                if (!(b.c.ep.flags & EP_RX)) {
                        b.c.ep.ops->want(&b.c.ep);
                        until(&b, EP_RX);
                }
                assert_int_equal(ep_rx(&b.c.ep, buf, sizeof(buf)), 0);
                assert_true(b.c.ep.flags & EP_EOF);
                end_pair(&a, &b);
        }
}

static unsigned recvs;

static ssize_t counted_recv(int fd, void *p, size_t n, int flags)
{
        recvs++;
        return sys_kernel.recv(fd, p, n, flags);
}

/* After a hang-up a short read of TCP is the last one: the end needs no call. */
static void test_end_without_a_call(void **st)
{
        struct sys_ops counting = sys_kernel;
        struct end a, b;
        char buf[64];

        (void)st;
        counting.recv = counted_recv;
        pair_up(&a, &b);
        b.c.ep.ops->want(&b.c.ep);
        assert_int_equal(say(&a, "last words"), 10);
        conn_close(&a.c, false);
        until(&b, EP_HUP);
        recvs = 0;
        thr->sys = &counting;
        assert_int_equal(ep_rx(&b.c.ep, buf, sizeof(buf)), 10);
        assert_true(b.c.ep.flags & EP_RX);
        assert_int_equal(ep_rx(&b.c.ep, buf, sizeof(buf)), 0);
        assert_int_equal(ep_rx(&b.c.ep, buf, sizeof(buf)), 0);
        thr->sys = &sys_kernel;
        assert_int_equal(recvs, 1);
        assert_true(b.c.ep.flags & EP_EOF);
        end_pair(&a, &b);
}

/* Urgent data cuts a read short (tcp(7)): what stands behind it must not be taken for missing. */
static void test_urgent_is_not_the_end(void **st)
{
        struct end a, b;
        char all[64];
        size_t n = 0;
        ssize_t r;

        (void)st;
        pair_up(&a, &b);
        b.c.ep.ops->want(&b.c.ep);
        assert_int_equal(say(&a, "before"), 6);
        assert_int_equal(send(a.c.ev.fd, "U", 1, MSG_OOB), 1);
        assert_int_equal(say(&a, "behind"), 6);
        conn_close(&a.c, false);
        until(&b, EP_HUP);
        while ((r = ep_rx(&b.c.ep, all + n, sizeof(all) - n)) != 0) {
                assert_true(r > 0);
                n += (size_t)r;
        }
        assert_int_equal(n, 12);
        assert_memory_equal(all, "beforebehind", 12);
        end_pair(&a, &b);
}

/* The first bytes ask whether the connection stands. */
static void test_first_bytes_ask(void **st)
{
        struct end a = { 0 }, b = { 0 };
        struct addr to = target(lport);
        char buf[64];
        ssize_t r;

        (void)st;
        conn_init(&a.c, on_wake);
        conn_init(&b.c, on_wake);
        assert_int_equal(conn_connect(&a.c, &to.sa, addr_len(&to), NULL), 0);
        while ((r = conn_tx_first(&a.c, "hello", 5)) == -EAGAIN)
                assert_true(a.c.ep.flags & EP_CONNECTING);
        assert_int_equal(r, 5);
        assert_int_equal(a.c.ep.flags & (EP_CONNECTING | EP_TX), EP_TX);
        conn_adopt(&b.c, accept_fd(), true);
        while ((r = ep_rx(&b.c.ep, buf, sizeof(buf))) == -EAGAIN)
                b.c.ep.flags |= EP_RX;
        assert_int_equal(r, 5);
        end_pair(&a, &b);
}

static void test_reset(void **st)
{
        struct end a, b;
        char buf[64];

        (void)st;
        pair_up(&a, &b);
        b.c.ep.ops->want(&b.c.ep);
        assert_int_equal(say(&a, "data"), 4);
        until(&b, EP_RX);
        conn_close(&a.c, true); /* RST */
        until(&b, EP_ERR);
        assert_int_equal(b.c.ep.ops->error(&b.c.ep), -ECONNRESET);
        assert_true(b.seen & EP_ERR);
        assert_int_equal(ep_rx(&b.c.ep, buf, sizeof(buf)), 4); /* what came before the reset is not lost */
        assert_true(b.c.ep.flags & EP_RX);
        assert_int_equal(ep_rx(&b.c.ep, buf, sizeof(buf)), -ECONNRESET); /* and the end is not taken for a clean one */
        assert_false(b.c.ep.flags & (EP_RX | EP_EOF));
        assert_int_equal(say(&b, "x"), -ECONNRESET);
        assert_false(conn_idle_ok(&b.c));
        end_pair(&a, &b);
        assert_int_equal(b.c.ep.err, -ECONNRESET);
}

static char big[1 << 20];

static size_t fill_up(struct end *a)
{
        size_t sent = 0;

        while (a->c.ep.flags & EP_TX) {
                struct iovec v = { big + sent % 251, sizeof(big) - 251 };
                ssize_t r = ep_tx(&a->c.ep, &v, 1, false);
                assert_true(r > 0 || r == -EAGAIN);
                if (r < (ssize_t)v.iov_len)
                        assert_false(a->c.ep.flags & EP_TX); /* a short send is full: no second call to hear EAGAIN */
                sent += r > 0 ? (size_t)r : 0;
        }
        return sent;
}

/* Full buffers: EP_TX goes, comes back as an edge when the peer reads; every byte arrives, in order. */
static void test_full_buffers(void **st)
{
        struct end a, b;
        size_t sent, got = 0;

        (void)st;
        for (size_t i = 0; i < sizeof(big); i++)
                big[i] = (char)(i % 251);
        pair_up(&a, &b);
        b.c.ep.ops->want(&b.c.ep);
        sent = fill_up(&a);
        assert_true(sent > 1000);
        a.wakes = 0;
        while (got < sent) {
                ssize_t r = ep_rx(&b.c.ep, thr->rx, thr->rx_size);
                if (r == -EAGAIN) {
                        loop_turn(&loop, true);
                        continue;
                }
                assert_true(r > 0);
                assert_memory_equal(thr->rx, big + got % 251, (size_t)r);
                got += (size_t)r;
        }
        assert_int_equal(got, sent);
        until(&a, EP_TX);
        assert_int_equal(a.wakes, 1);
        end_pair(&a, &b);
}

static void test_refused(void **st)
{
        struct end a = { 0 };
        struct addr to = target(0);
        int r, dead = socket(AF_INET, SOCK_STREAM, 0); /* bound, so that nobody else listens there */

        (void)st;
        assert_int_equal(bind(dead, &to.sa, addr_len(&to)), 0);
        addr_set_port(&to, port_of(dead));
        conn_init(&a.c, on_wake);
        r = conn_connect(&a.c, &to.sa, addr_len(&to), NULL);
        assert_int_equal(r, 0);
        assert_true(a.c.ep.flags & EP_CONNECTING);
        assert_int_equal(say(&a, "x"), -EAGAIN);
        a.c.ep.ops->want(&a.c.ep);
        until(&a, EP_ERR);
        assert_int_equal(a.wakes, 1);
        assert_int_equal(a.c.ep.err, -ECONNREFUSED);
        assert_int_equal(conn_connected(&a.c), -ECONNREFUSED);
        assert_false(a.c.ep.flags & (EP_TX | EP_CONNECTING));
        conn_close(&a.c, false);
        /* The same struct again, asked without any event. */
        assert_int_equal(conn_connect(&a.c, &to.sa, addr_len(&to), NULL), 0);
        while ((r = conn_connected(&a.c)) == 0)
                ;
        assert_int_equal(r, -ECONNREFUSED);
        conn_close(&a.c, true);
        assert_true(a.c.ev.fd < 0);
        close(dead);
}

/* A SYN nobody answers: a listener whose queue is full. */
static void test_in_progress(void **st)
{
        struct end a = { 0 }, b[8];
        struct addr to = target(0);
        struct listen_spec spec = { .shards = 1, .backlog = 1, .unix_mode = -1, .unix_uid = -1, .unix_gid = -1 };
        const char *step = NULL;
        int fd;

        (void)st;
        spec.at = (struct addr_spec){ .family = AF_INET, .inherited_fd = -1, .port_low = -1, .addr = to };
        assert_int_equal(listener_bind(&spec, &fd, &step), 0);
        addr_set_port(&to, port_of(fd));
        for (int i = 0; i < 8; i++) {
                conn_init(&b[i].c, on_wake);
                assert_int_equal(conn_connect(&b[i].c, &to.sa, addr_len(&to), NULL), 0);
        }
        conn_init(&a.c, on_wake);
        assert_int_equal(conn_connect(&a.c, &to.sa, addr_len(&to), NULL), 0);
        a.c.ep.ops->want(&a.c.ep);
        for (int i = 0; i < 5; i++)
                loop_turn(&loop, false);
        assert_int_equal(conn_connected(&a.c), 0);
        assert_true(a.c.ep.flags & EP_CONNECTING);
        assert_false(a.c.ep.flags & (EP_TX | EP_ERR));
        assert_int_equal(say(&a, "x"), -EAGAIN);
        assert_int_equal(a.wakes, 0);
        assert_false(conn_idle_ok(&a.c));
        conn_close(&a.c, false);
        for (int i = 0; i < 8; i++)
                conn_close(&b[i].c, true);
        close(fd);
}

static void test_source_address(void **st)
{
        struct end a = { 0 };
        struct addr to = target(lport), src = { 0 }, seen;
        struct sockaddr_in peer;
        socklen_t len = sizeof(peer);
        int fd;
        struct conn_how how = { .src = &src };

        (void)st;
        assert_int_equal(inet_pton(AF_INET, "127.0.0.77", &src.in.sin_addr), 1);
        src.in.sin_family = AF_INET;
        conn_init(&a.c, on_wake);
        assert_int_equal(conn_connect(&a.c, &to.sa, addr_len(&to), &how), 0);
        while ((fd = sys_kernel.accept(lfd, (struct sockaddr *)&peer, &len)) == -EAGAIN)
                ;
        addr_from_sockaddr(&seen, (struct sockaddr *)&peer, len);
        addr_set_port(&seen, 0);
        assert_true(addr_eq(&seen, &src));
        close(fd);
        conn_close(&a.c, false);
        assert_int_equal(inet_pton(AF_INET, "192.0.2.9", &src.in.sin_addr), 1); /* not ours: RFC 5737 */
        assert_int_equal(conn_connect(&a.c, &to.sa, addr_len(&to), &how), -EADDRNOTAVAIL);
        assert_true(a.c.ev.fd < 0);
}

static int option_of(const struct conn *c, int level, int name)
{
        socklen_t len = sizeof(int);
        int v = -1;

        return sys_kernel.getopt(c->ev.fd, level, name, &v, &len) == 0 ? v : -1;
}

static void test_options_of_a_connection(void **st)
{
        struct conn_how how = { .user_timeout_ms = 4321, .fastopen = true };
        struct addr to = target(lport);
        struct end a = { 0 };

        (void)st;
        for (int speaks = 0; speaks < 2; speaks++) {
                int fd;

                conn_init(&a.c, on_wake);
                a.c.ep.speaks_first = speaks;
                assert_int_equal(conn_connect(&a.c, &to.sa, addr_len(&to), &how), 0);
                assert_int_equal(option_of(&a.c, IPPROTO_TCP, TCP_USER_TIMEOUT), 4321);
                assert_int_equal(option_of(&a.c, IPPROTO_TCP, TCP_FASTOPEN_CONNECT),
                                 speaks); /* who waits for the server's word must not wait */
                assert_true(conn_tx_first(&a.c, "x", 1) != -EPIPE);
                while ((fd = sys_kernel.accept(lfd, NULL, NULL)) == -EAGAIN)
                        (void)conn_tx_first(&a.c, "x", 1);
                close(fd);
                conn_close(&a.c, true);
        }
        how = (struct conn_how){ .interface = "no-such-if" };
        conn_init(&a.c, on_wake);
        assert_int_equal(conn_connect(&a.c, &to.sa, addr_len(&to), &how), -ENODEV);
        assert_true(a.c.ev.fd < 0);
}

/* Bytes through a pipe, many small ones so that the pipe runs out of slots before it is full. */
static void test_splice(void **st)
{
        struct end a, b, c, d;
        struct pipe *p = pipe_get();
        size_t sent = 0, got = 0, back = 0;

        (void)st;
        if (!p) {
                fail();
                return;
        }
        pair_up(&a, &b);
        pair_up(&c, &d);
        b.c.ep.ops->want(&b.c.ep);
        d.c.ep.ops->want(&d.c.ep);
        for (int i = 0; i < 3000; i++) {
                struct iovec v = { big + sent % 251, 7 };
                assert_int_equal(ep_tx(&a.c.ep, &v, 1, false), 7);
                sent += 7;
        }
        a.c.ep.ops->shut(&a.c.ep);
        while (back < sent) {
                ssize_t r = 0;
                if ((b.c.ep.flags & EP_RX) && !(b.c.ep.flags & EP_EOF))
                        r = b.c.ep.ops->rx_splice(&b.c.ep, p, 1 << 20);
                got += r > 0 ? (size_t)r : 0;
                assert_true(r >= 0 || r == -EAGAIN);
                if (p->fill > 0)
                        (void)c.c.ep.ops->tx_splice(&c.c.ep, p, 1 << 20);
                r = ep_rx(&d.c.ep, thr->rx, thr->rx_size);
                if (r > 0) {
                        assert_memory_equal(thr->rx, big + back % 251, (size_t)r);
                        back += (size_t)r;
                } else if (p->fill == 0 && !(b.c.ep.flags & EP_RX)) {
                        loop_turn(&loop, true);
                }
        }
        assert_int_equal(got, sent);
        while (!(b.c.ep.flags & EP_EOF)) {
                if (b.c.ep.flags & EP_RX)
                        (void)b.c.ep.ops->rx_splice(&b.c.ep, p, 1 << 20);
                else
                        loop_turn(&loop, true);
        }
        assert_int_equal(p->fill, 0);
        pipe_put(p);
        end_pair(&a, &b);
        end_pair(&c, &d);
}

/* A full pipe says EAGAIN as an empty socket does: EP_RX must survive it. */
static void test_full_pipe_is_not_drained(void **st)
{
        struct end a, b;
        struct pipe *p = pipe_get();
        ssize_t r;

        (void)st;
        if (!p) {
                fail();
                return;
        }
        pair_up(&a, &b);
        b.c.ep.ops->want(&b.c.ep);
        fill_up(&a);
        until(&b, EP_RX);
        while ((r = b.c.ep.ops->rx_splice(&b.c.ep, p, 1 << 20)) > 0)
                ;
        assert_int_equal(r, -EAGAIN);
        assert_true(p->fill > 0);
        assert_true(b.c.ep.flags & EP_RX);
        pipe_put(p); /* with bytes in it: closed, not kept */
        assert_int_equal(pipe_free_count(), 0);
        end_pair(&a, &b);
}

static void test_pipe_pool(void **st)
{
        struct pipe *p, *q;

        (void)st;
        pipe_set_limit(2);
        p = pipe_get();
        q = pipe_get();
        if (!p || !q) {
                fail();
                return;
        }
        assert_null(pipe_get());
        assert_int_equal(pipe_used(), 2);
        assert_true(p->size >= 4096);
        pipe_put(p);
        pipe_put(q);
        assert_int_equal(pipe_used(), 0);
        pipe_set_limit(0);
}

/* Idle connections: quiet is fine, a byte or a close is not; EP_RX left over from a full read costs one look. */
static void test_idle(void **st)
{
        struct end a, b;
        char buf[4];

        (void)st;
        pair_up(&a, &b);
        assert_true(conn_idle_ok(&b.c));
        b.c.ep.ops->want(&b.c.ep);
        assert_int_equal(say(&a, "1234"), 4);
        until(&b, EP_RX);
        assert_false(conn_idle_ok(&b.c));
        assert_int_equal(ep_rx(&b.c.ep, buf, 4), 4);
        assert_true(b.c.ep.flags & EP_RX);
        assert_true(conn_idle_ok(&b.c));
        assert_false(b.c.ep.flags & EP_RX);
        conn_close(&a.c, false);
        until(&b, EP_HUP);
        assert_false(conn_idle_ok(&b.c));
        end_pair(&a, &b);
}

/* No room to watch it: the owner sees EP_ERR instead of waiting for ever. */
static int no_room(int epfd, int op, int fd, uint32_t events, void *data)
{
        (void)epfd, (void)op, (void)fd, (void)events, (void)data;
        return -ENOSPC;
}

static void test_want_fails(void **st)
{
        struct sys_ops full = sys_kernel;
        struct end a, b;

        (void)st;
        pair_up(&a, &b);
        full.poll_ctl = no_room;
        thr->sys = &full;
        b.c.ep.ops->want(&b.c.ep);
        thr->sys = &sys_kernel;
        assert_true(b.c.ep.flags & EP_ERR);
        assert_int_equal(b.c.ep.err, -ENOSPC);
        end_pair(&a, &b);
}

static void test_unix(void **st)
{
        struct end a = { 0 }, b = { 0 };
        struct listen_spec spec = { .shards = 1, .unix_mode = -1, .unix_uid = -1, .unix_gid = -1 };
        struct sockaddr_un un;
        socklen_t len;
        const char *step = NULL;
        char buf[8];
        int fd;

        (void)st;
        spec.at = (struct addr_spec){ .family = AF_UNIX, .inherited_fd = -1, .abstract = true };
        (void)snprintf(spec.at.path, sizeof(spec.at.path), "telamon-conn-test-%d", (int)getpid());
        assert_int_equal(listener_bind(&spec, &fd, &step), 0);
        len = addr_spec_unix(&spec.at, &un);
        conn_init(&a.c, on_wake);
        conn_init(&b.c, on_wake);
        assert_int_equal(conn_connect(&a.c, (struct sockaddr *)&un, len, NULL), 0);
        assert_false(a.c.ep.flags & EP_CONNECTING); /* at once */
        assert_int_equal(say(&a, "ping"), 4);
        conn_adopt(&b.c, sys_kernel.accept(fd, NULL, NULL), false);
        assert_int_equal(ep_rx(&b.c.ep, buf, sizeof(buf)), 4);
        end_pair(&a, &b);
        close(fd);
        assert_int_equal(conn_connect(&a.c, (struct sockaddr *)&un, len, NULL), -ECONNREFUSED);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                T(test_echo_and_registration),
                T(test_two_iovecs),
                T(test_half_close),
                T(test_short_read_then_close_is_not_lost),
                T(test_end_without_a_call),
                T(test_urgent_is_not_the_end),
                T(test_first_bytes_ask),
                T(test_reset),
                T(test_full_buffers),
                T(test_refused),
                T(test_in_progress),
                T(test_source_address),
                T(test_options_of_a_connection),
                T(test_splice),
                T(test_full_pipe_is_not_drained),
                T(test_pipe_pool),
                T(test_idle),
                T(test_want_fails),
                T(test_unix),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
