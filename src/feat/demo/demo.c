/* feat/demo/demo.c - the role `demo`: a small web server for `make demo` and for trying things out.
 *
 * Each instance listens on one loopback address and says who it is. It is a backend for a person to look at, not a product: one
 * thread, one head at a time, no body. */
#include "base/slab.h"
#include "core/role.h"
#include "ev/sig.h"
#include "net/conn.h"
#include "net/listener.h"
#include "proto/h1.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEMO_HEAD_MAX 8192
#define DEMO_FIELDS   64

struct demo {
        struct loop loop;
        struct listen_shard shard;
        struct sig_watch sig;
        const char *name;
        unsigned long served;
};

struct client {
        struct conn conn;
        struct grave grave;
        size_t n;
        char buf[DEMO_HEAD_MAX];
};

static struct demo demo;

static void client_free(struct grave *g)
{
        free(container_of(g, struct client, grave));
}

static void client_close(struct client *c)
{
        conn_close(&c->conn, false);
        loop_bury(&demo.loop, &c->grave, client_free);
}

/* Answers the request whose head is complete; false: the connection is to be closed. */
static bool answer(struct client *c, const struct hmsg *m)
{
        struct str t = hmsg_target(m);
        char body[512], head[256];
        int bn = snprintf(body, sizeof(body), "Hello, this is %s. You asked for %.*s; it is my request number %lu.\n",
                          demo.name, (int)(t.n < 200 ? t.n : 200), t.p, ++demo.served);
        bool close = m->flags & HMSG_CLOSE || m->body != HBODY_NONE;
        int hn = snprintf(
                head, sizeof(head),
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx-served-by: %s\r\ncontent-length: %d\r\n%s\r\n",
                demo.name, bn, close ? "connection: close\r\n" : "");
        struct iovec v[2] = { { head, (size_t)hn }, { body, m->method == HMETH_HEAD ? 0 : (size_t)bn } };
        ssize_t sent = ep_tx(&c->conn.ep, v, 2, false);

        return sent == (ssize_t)(v[0].iov_len + v[1].iov_len) &&
               !close; /* a few hundred bytes always fit an idle socket */
}

/* One head from what is buffered: 1 answered, 0 more bytes needed, -1 close. */
static int one_request(struct client *c)
{
        struct hfield fields[DEMO_FIELDS];
        struct hmsg m;
        struct h1 p;

        if (c->n == 0)
                return 0;
        hmsg_init(&m, fields, DEMO_FIELDS, NULL, 0);
        hmsg_rebase(&m, c->buf, (uint32_t)c->n);
        h1_init(&p, DEMO_HEAD_MAX, 0);
        switch (h1_request(&p, &m, (uint32_t)c->n)) {
        case H1_OK: break;
        case H1_MORE: return c->n < DEMO_HEAD_MAX ? 0 : -1;
        case H1_BAD:
        case H1_TOO_BIG: return -1;
        }
        if (!answer(c, &m))
                return -1;
        c->n -= m.head_len;
        memmove(c->buf, c->buf + m.head_len, c->n);
        return 1;
}

static void woken(struct ep *e)
{
        struct client *c = container_of(e, struct client, conn.ep);
        ssize_t n;
        int r;

        for (;;) {
                while ((r = one_request(c)) == 1)
                        ;
                n = r < 0 ? 0 : ep_rx(e, c->buf + c->n, sizeof(c->buf) - c->n);
                if (n == -EAGAIN)
                        break;
                if (n <= 0) {
                        client_close(c);
                        return;
                }
                c->n += (size_t)n;
        }
        e->ops->want(e);
}

static bool on_accept(struct listen_shard *s, int fd, const struct addr *from)
{
        struct client *c = calloc(1, sizeof(*c));

        (void)s;
        if (!c) {
                (void)close(fd);
                return true;
        }
        conn_init(&c->conn, woken);
        conn_adopt(&c->conn, fd, from->sa.sa_family != AF_UNIX);
        woken(&c->conn.ep);
        return true;
}

static void on_error(struct listen_shard *s, int err)
{
        (void)s;
        (void)fprintf(stderr, "%s: accept: %s\n", demo.name, strerror(-err));
}

static void on_signal(struct sig_watch *w, int signo, int pid)
{
        (void)w;
        (void)signo;
        (void)pid;
        loop_stop(&demo.loop);
}

static int listen_on(const char *text)
{
        struct listen_spec spec = { .shards = 1, .unix_mode = -1, .unix_uid = -1, .unix_gid = -1 };
        const char *why = NULL;
        int fd, r;

        if (addr_parse(str_of(text), ADDR_WANT_PORT, &spec.at, &why) != ADDR_OK || spec.at.port_low <= 0) {
                (void)fprintf(stderr, "demo: '%s' is not an address with a port\n", text);
                return -1;
        }
        r = listener_bind(&spec, &fd, &why);
        if (r < 0) {
                (void)fprintf(stderr, "demo: %s: %s (%s)\n", text, why, strerror(-r));
                return -1;
        }
        return fd;
}

static int demo_main(int argc, char **argv, int channel)
{
        static const int signos[] = { SIGTERM, SIGINT };
        struct thr *t = thr_new(0, &sys_kernel, 65536);
        int fd;

        (void)channel;
        if (argc != 5 || !t) {
                (void)fprintf(stderr, "usage: telamon --role demo <name> <address:port>\n");
                return 1;
        }
        demo.name = argv[3];
        thr_set_count(1);
        thr_self = t;
        fd = listen_on(argv[4]);
        if (fd < 0 || loop_init(&demo.loop, t) < 0)
                return 1;
        demo.shard = (struct listen_shard){ .batch = 64, .on_accept = on_accept, .on_error = on_error };
        if (shard_start(&demo.shard, &demo.loop, fd, false) < 0 ||
            sig_watch_start(&demo.sig, &demo.loop, signos, 2, on_signal) < 0)
                return 1;
        (void)loop_run(&demo.loop);
        return 0;
}

static const struct role demo_role = { .name = "demo",
                                       .help = "a small web server that says who it is: NAME ADDRESS:PORT",
                                       .main = demo_main };
ROLE(demo_role);
