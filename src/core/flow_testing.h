/* core/flow_testing.h - a whole data plane in one thread, for tests: one loop, one frontend, a few servers, loopback sockets.
 *
 * Client and server ends are plain sockets driven by the test between loop turns. Time stands still unless the test moves it, so nothing
 * here depends on the machine's speed. System calls are counted. */
#ifndef CORE_FLOW_TESTING_H
#define CORE_FLOW_TESTING_H

#include "core/applet.h"
#include "core/lb.h"
#include "core/log.h"
#include "core/queue.h"
#include "core/retire.h"
#include "core/sess.h"
#include "core/sess_priv.h"
#include "core/srv_conn.h"
#include "core/threads.h"
#include "net/pipe.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define HELP __attribute__((unused)) static

/* The room of applets is not linked into this test; a frontend of mode http or tcp never comes here. */
__attribute__((weak)) const struct applet_ops *applet_cli;
__attribute__((weak)) struct applet *applet_attach(struct strm *s, const struct applet_ops *ops)
{
        (void)s;
        (void)ops;
        return NULL;
}

/* ---- the system, counted, and time by hand ---- */

static struct {
        unsigned recv, send, splice, poll_ctl, connect;
} calls;
static mono_t clock_now;
static struct sys_ops sys;

static mono_t by_hand(void)
{
        return clock_now;
}

static ssize_t counted_recv(int fd, void *p, size_t n, int flags)
{
        calls.recv++;
        return sys_kernel.recv(fd, p, n, flags);
}

static ssize_t counted_send(int fd, const struct iovec *v, int n, int flags)
{
        calls.send++;
        return sys_kernel.send(fd, v, n, flags);
}

static ssize_t counted_splice(int from, int to, size_t n, unsigned flags)
{
        calls.splice++;
        return sys_kernel.splice(from, to, n, flags);
}

static int counted_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
        calls.connect++;
        return sys_kernel.connect(fd, sa, len);
}

static int counted_ctl(int epfd, int op, int fd, uint32_t events, void *data)
{
        calls.poll_ctl++;
        return sys_kernel.poll_ctl(epfd, op, fd, events, data);
}

/* ---- peers: what the test holds ---- */

struct peer {
        int fd;
        bool eof, reset, deaf; /* deaf: does not read */
        bool bulk;             /* bytes after the head are checked against the pattern and not kept */
        char *in;
        size_t n, cap;
        uint64_t bulk_in, bulk_out; /* pattern bytes received; still to send, after `out` */
        uint64_t bulk_at;
        const char *out, *tail; /* tail: after the pattern */
        size_t out_n;
        struct peer *next;
};

static struct peer *peers;
static bool bulk_served; /* connections at the servers begin in bulk mode */

HELP unsigned char pattern(uint64_t at)
{
        return (unsigned char)(at * 2654435761u >> 13);
}

HELP struct peer *peer_new(int fd)
{
        struct peer *p = calloc(1, sizeof(*p));

        p->fd = fd;
        p->next = peers;
        peers = p;
        return p;
}

HELP void peer_close(struct peer *p, bool reset)
{
        const struct linger hard = { 1, 0 };

        if (p->fd < 0)
                return;
        if (reset)
                (void)setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        close(p->fd);
        p->fd = -1;
}

HELP void peer_forget(struct peer *p)
{
        struct peer **at = &peers;

        peer_close(p, false);
        while (*at != p)
                at = &(*at)->next;
        *at = p->next;
        free(p->in);
        free(p);
}

HELP void peer_drop_in(struct peer *p)
{
        p->n = 0;
        if (p->in)
                p->in[0] = 0;
}

static void keep(struct peer *p, const char *b, size_t n)
{
        if (p->n + n + 1 > p->cap) {
                p->cap = (p->n + n + 1) * 2;
                p->in = realloc(p->in, p->cap);
        }
        if (!p->in)
                abort(); /* as assert_non_null() does, but clang-tidy sees it end */
        memcpy(p->in + p->n, b, n);
        p->n += n;
        p->in[p->n] = 0;
}

static void take_in(struct peer *p, const char *b, size_t n)
{
        while (n > 0 && p->bulk && !(p->in && strstr(p->in, "\r\n\r\n"))) {
                keep(p, b++, 1);
                n--;
        }
        if (!p->bulk) {
                keep(p, b, n);
                return;
        }
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)b[i] != pattern(p->bulk_in + i))
                        fail_msg("byte %llu of a bulk transfer is wrong", (unsigned long long)(p->bulk_in + i));
        p->bulk_in += n;
}

static bool peer_read(struct peer *p)
{
        static char b[1 << 18];
        ssize_t r = p->deaf || p->eof || p->reset || p->fd < 0 ? -1 : recv(p->fd, b, sizeof(b), MSG_DONTWAIT);

        if (p->deaf || p->eof || p->reset || p->fd < 0)
                return false;
        if (r > 0)
                take_in(p, b, (size_t)r);
        else if (r == 0)
                p->eof = true;
        else if (errno != EAGAIN)
                p->reset = true;
        return r >= 0 || p->reset;
}

static bool peer_write(struct peer *p)
{
        static unsigned char b[1 << 16];
        size_t n = p->bulk_out < sizeof(b) ? (size_t)p->bulk_out : sizeof(b);
        ssize_t r;

        if (p->fd < 0 || (p->out_n == 0 && n == 0))
                return false;
        for (size_t i = 0; p->out_n == 0 && i < n; i++)
                b[i] = pattern(p->bulk_at + i);
        r = p->out_n ? send(p->fd, p->out, p->out_n, MSG_DONTWAIT | MSG_NOSIGNAL)
                     : send(p->fd, b, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (r < 0) {
                if (errno != EAGAIN)
                        p->out_n = p->bulk_out = 0;
                return errno != EAGAIN;
        }
        if (p->out_n) {
                p->out += r;
                p->out_n -= (size_t)r;
                return true;
        }
        p->bulk_out -= (uint64_t)r;
        p->bulk_at += (uint64_t)r;
        if (p->bulk_out == 0 && p->tail) {
                p->out = p->tail;
                p->out_n = strlen(p->tail);
                p->tail = NULL;
        }
        return true;
}

HELP void say_n(struct peer *p, const char *s, size_t n)
{
        assert_true(p->out_n == 0);
        p->out = s;
        p->out_n = n;
        (void)peer_write(p);
}

HELP void say(struct peer *p, const char *s)
{
        say_n(p, s, strlen(s));
}

HELP void bulk_out(struct peer *p, uint64_t n)
{
        p->bulk_out = n;
        p->bulk_at = 0;
}

/* ---- the farm ---- */

#define SERVERS 4

static struct loop loop;
static struct proxy_cfg px_f, px_b;
static struct conf *no_conf;
static struct front_cfg fcfg;
static struct back_cfg bcfg;
static struct front fe;
static struct back be;
static struct server_cfg scfg;
static struct server srv[SERVERS];
static struct bind_cfg bind_of;
static struct listener lst;
static int origin[SERVERS]; /* the servers' listening sockets; -1 = nobody listens */
static struct sockaddr_in front_at;
static unsigned fds_before;

HELP unsigned count_fds(void)
{
        DIR *d = opendir("/proc/self/fd");
        unsigned n = 0;

        while (readdir(d))
                n++;
        closedir(d);
        return n;
}

static int listen_any(struct sockaddr_in *ret_at)
{
        socklen_t len = sizeof(*ret_at);
        int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* inherited, as net/listener.c does */
        *ret_at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        assert_int_equal(bind(fd, (struct sockaddr *)ret_at, sizeof(*ret_at)), 0);
        assert_int_equal(listen(fd, 128), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)ret_at, &len), 0);
        return fd;
}

static void pins_kept(struct pins *p)
{
        (void)p;
}

static void cell_make(struct cell *c, enum cell_kind k, const char *name)
{
        cell_init(c, k, ORIGIN_FILE, str_of(name));
}

static void server_make(int i)
{
        struct sockaddr_in at;
        static const char *names[SERVERS] = { "s1", "s2", "s3", "s4" };
        struct server *s = &srv[i];

        *s = (struct server){ .back = &be, .cfg = &scfg, .pos = (uint32_t)i, .lb_pos = LB_NO_POS };
        cell_make(&s->cell, CELL_SERVER, names[i]);
        pins_init(&s->pins, pins_kept);
        origin[i] = listen_any(&at);
        s->addr.in = at;
        atomic_init(&s->weight, 1);
        atomic_init(&s->usable, 1);
        atomic_init(&s->oper, SRV_RUNNING);
        s->queue = queue_new();
        be.srv[i] = s;
}

static void front_start(void)
{
        lst = (struct listener){ .front = &fe, .cfg = &bind_of, .n_fds = 1, .accept_batch = 64 };
        cell_make(&lst.cell, CELL_LISTENER, "l");
        lst.fds[0] = listen_any(&front_at);
        list_init(&lst.link);
        sess_start_listener(&lst);
        loop_turn(&loop, false);
}

HELP void farm_start(int mode, int n)
{
        (void)signal(SIGPIPE, SIG_IGN); /* splice(2) knows no MSG_NOSIGNAL; the program ignores it too (ev/sig.c) */
        fds_before = count_fds();
        peers = NULL;
        bulk_served = false;
        sys = sys_kernel;
        sys.mono = by_hand;
        sys.recv = counted_recv;
        sys.send = counted_send;
        sys.splice = counted_splice;
        sys.connect = counted_connect;
        sys.poll_ctl = counted_ctl;
        clock_now = 1000 * NS_PER_S;
        thr_self = thr_new(0, &sys, THR_RX_DEFAULT);
        assert_int_equal(loop_init(&loop, thr_self), 0);
        threads_set(0, &loop);
        cell_column_size(CELL_FRONT, sizeof(struct front_col));
        cell_column_size(CELL_BACK, sizeof(struct back_col));
        cell_column_size(CELL_SERVER, sizeof(struct server_col));
        cell_column_size(CELL_LISTENER, 64);
        world = (struct world){ .maxconn = 0 };
        px_f = px_b = (struct proxy_cfg){ .mode = mode, .retries = 3, .http_reuse = REUSE_SAFE };
        fcfg = (struct front_cfg){
                .px = &px_f, .default_back = &be, .maxconn = 1000, .bufsize = 16384, .conf = no_conf
        };
        bcfg = (struct back_cfg){ .px = &px_b, .bufsize = 16384, .conf = no_conf };
        scfg = (struct server_cfg){ .pool_max_conn = -1, .pool_purge_ms = 5000 };
        fe = (struct front){ 0 };
        be = (struct back){ 0 };
        cell_make(&fe.cell, CELL_FRONT, "fe");
        cell_make(&be.cell, CELL_BACK, "be");
        pins_init(&fcfg.pins, pins_kept);
        pins_init(&bcfg.pins, pins_kept);
        atomic_init(&fe.cfg, &fcfg);
        atomic_init(&be.cfg, &bcfg);
        be.queue = queue_new();
        be.srv = calloc((size_t)n + 1, sizeof(*be.srv));
        be.n_srv = (uint32_t)n;
        for (int i = 0; i < n; i++)
                server_make(i);
        atomic_init(&be.act, (uint32_t)n);
        lb_update(&be, NULL);
        front_start();
        memset(&calls, 0, sizeof(calls));
}

static bool peers_io(void)
{
        bool any = false;

        for (struct peer *p = peers; p; p = p->next) {
                any = peer_write(p) || any;
                any = peer_read(p) || any;
        }
        return any;
}

/* Turns until nothing moves any more. */
HELP void settle(void)
{
        for (int quiet = 0, n = 0; quiet < 4; n++) {
                uint64_t before = loop.stats.events + loop.stats.tasks + loop.stats.mails;
                bool any = peers_io();
                loop_turn(&loop, false);
                quiet = any || loop.stats.events + loop.stats.tasks + loop.stats.mails != before ? 0 : quiet + 1;
                if (quiet)
                        (void)sched_yield(); /* the kernel's own threads may have bytes under way */
                if (n > 2000000)
                        fail_msg("the loop never comes to rest");
        }
}

HELP void pass_ms(unsigned ms)
{
        for (unsigned i = 0; i < ms; i += 100) { /* in steps, as a running loop would see it */
                clock_now += (uint64_t)(ms - i < 100 ? ms - i : 100) * NS_PER_MS;
                loop_turn(&loop, false);
        }
        settle();
}

HELP struct peer *client(void)
{
        int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(connect(fd, (struct sockaddr *)&front_at, sizeof(front_at)), 0);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        return peer_new(fd);
}

/* The next connection at server i; NULL when there is none. */
HELP struct peer *served_by(int i)
{
        int fd = accept4(origin[i], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        struct peer *p = fd < 0 ? NULL : peer_new(fd);

        if (p)
                p->bulk = bulk_served;
        return p;
}

HELP struct peer *served(void)
{
        struct peer *p;

        settle();
        p = served_by(0);
        assert_non_null(p);
        settle();
        return p;
}

HELP void expect(struct peer *p, const char *text)
{
        settle();
        if (!p->in || !strstr(p->in, text)) {
                print_error("got %zu bytes: %s\n", p->n, p->in ? p->in : "");
                fail_msg("\"%s\" is missing", text);
        }
}

HELP void expect_start(struct peer *p, const char *text)
{
        settle();
        if (!p->in || strncmp(p->in, text, strlen(text)) != 0)
                fail_msg("\"%s\" does not begin \"%.300s\"", text, p->in ? p->in : "");
}

HELP void server_gone(int i)
{
        close(origin[i]);
        origin[i] = -1;
}

static void servers_check(void)
{
        for (uint32_t i = 0; i < be.n_srv; i++) {
                struct px_sum sum;
                assert_int_equal(srv[i].cur, 0);
                px_stat_sum(&srv[i].cell, &sum);
                assert_int_equal(sum.used_conn, 0);
                assert_int_equal(sum.idle_conn, 0);
                assert_false(pins_held(&srv[i].pins));
                assert_true(list_empty(&server_col(&srv[i])->streams));
        }
}

/* Everything was given back. */
HELP void farm_check(void)
{
        assert_true(list_empty(strm_all()));
        assert_true(list_empty(sess_all()));
        assert_int_equal(sess_thr()->slab.used, 0);
        assert_int_equal(fe.cur, 0);
        assert_int_equal(lst.cur, 0);
        assert_int_equal(be.cur, 0);
        assert_int_equal(world.cur_conns, 0);
        assert_int_equal(queue_length(be.queue), 0);
        assert_int_equal(pipe_used(), 0);
        servers_check();
        assert_false(pins_held(&fcfg.pins));
        assert_false(pins_held(&bcfg.pins));
}

HELP void farm_stop(void)
{
        while (peers)
                peer_forget(peers);
        settle();
        pass_ms(2000); /* lingering closes */
        (void)srv_conn_purge(UINT_MAX);
        settle();
        farm_check();
        sess_stop_listener(&lst, NULL);
        settle();
        free(lst.binds);
        close(lst.fds[0]);
        for (uint32_t i = 0; i < be.n_srv; i++) {
                if (origin[i] >= 0)
                        close(origin[i]);
                queue_free(srv[i].queue);
                pins_drop(&srv[i].pins);
                cell_fini(&srv[i].cell);
        }
        queue_free(be.queue);
        pins_drop(&fcfg.pins);
        pins_drop(&bcfg.pins);
        cell_fini(&lst.cell);
        cell_fini(&fe.cell);
        cell_fini(&be.cell);
        free(be.view);
        free(be.srv);
        loop_fini(&loop);
        thr_free(thr_self);
        retire_run();
        assert_int_equal(count_fds(), fds_before);
}

/* ---- what most tests begin and end with ---- */

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK5 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

HELP int stop(void **st)
{
        (void)st;
        farm_stop();
        return 0;
}

HELP int start_plain_http(void **st)
{
        (void)st;
        farm_start(PX_HTTP, 1);
        return 0;
}

#endif
