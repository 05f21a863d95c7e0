/* One HTTP/1 or TCP side over a socket pair: heads and bodies cut anywhere, parked and evicted, blocked writers, the rule of reuse. */
#include "core/wire.h"

#include "core/strm.h"
#include "core/wire_priv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static struct thr *thr;
static struct loop loop;
static struct strm owner;

/* In place of core/strm.c: nobody waits here. */
void strm_ready(struct strm *s)
{
        (void)s;
}

void strm_wake(struct strm *s)
{
        (void)s;
}

struct end { /* a wire and the test's end of its socket */
        struct wire w;
        struct side s;
        int fd;
        bool released, reusable;
};

static void released(struct wire *w, bool reusable)
{
        struct end *e = container_of(w, struct end, w);

        e->released = true;
        e->reusable = reusable;
}

static const struct wire_owner wire_owner = { .released = released };

static void attach(struct end *e, bool tunnel)
{
        memset(&e->s, 0, sizeof(e->s));
        e->s.strm = &owner;
        e->released = e->reusable = false;
        wire_attach(&e->w, &e->s, tunnel);
}

static void end_new(struct end *e, bool server)
{
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        wire_init(&e->w, server);
        e->w.head_max = 16384;
        e->w.owner = &wire_owner;
        conn_adopt(&e->w.conn, fds[0], false);
        e->fd = fds[1];
        attach(e, false);
}

static void end_free(struct end *e)
{
        if (e->s.ops)
                e->s.ops->end(&e->s, false);
        wire_fini(&e->w, false);
        close(e->fd);
}

static int start(void **st)
{
        (void)st;
        thr_self = thr = thr_new(0, &sys_kernel, THR_RX_DEFAULT);
        return loop_init(&loop, thr);
}

static int stop(void **st)
{
        (void)st;
        loop_fini(&loop);
        thr_free(thr);
        return 0;
}

static void feed(struct end *e, const char *p, size_t n)
{
        assert_int_equal(send(e->fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
        e->w.conn.ep.flags |= EP_RX; /* what epoll would say */
}

static void feeds(struct end *e, const char *s)
{
        feed(e, s, strlen(s));
}

/* Everything the wire sent so far. */
static const char *sent(struct end *e)
{
        static char b[1 << 20];
        ssize_t r, n = 0;

        while ((r = recv(e->fd, b + n, sizeof(b) - 1 - (size_t)n, MSG_DONTWAIT)) > 0)
                n += r;
        b[n] = 0;
        return b;
}

static void evict(struct end *other) /* another connection takes the shared buffer and overwrites it */
{
        static const char noise[512] = "!!!!!!!!";

        feed(other, noise, sizeof(noise));
        assert_int_equal(wire_fill(&other->w, 65536), MSG_OK);
        wire_take(&other->w, other->w.io->in.len);
        memset(thr->rx, '!', 4096);
}

static uint64_t seed;

static unsigned rnd(unsigned n)
{
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        return (unsigned)(seed >> 33) % n;
}

/* ---- heads ---- */

static void test_head_cut_at_every_byte(void **st)
{
        static const char two[] =
                "GET /first HTTP/1.1\r\nHost: a\r\nX-Long: 0123456789\r\n\r\nGET /second HTTP/1.1\r\nHost: b\r\n\r\n";
        size_t first = (size_t)(strstr(two, "\r\n\r\n") + 4 - two);

        (void)st;
        for (size_t cut = 1; cut < first; cut++) {
                struct end e, other;
                struct hmsg *m;
                end_new(&e, false);
                end_new(&other, false);
                feed(&e, two, cut);
                assert_int_equal(e.s.ops->rx_head(&e.s, &m), MSG_WAIT);
                if (cut & 1)
                        e.s.ops->rx_park(&e.s);
                evict(&other);
                feed(&e, two + cut, sizeof(two) - 1 - cut);
                assert_int_equal(e.s.ops->rx_head(&e.s, &m), MSG_OK);
                evict(&other); /* a head in use is moved, not lost */
                assert_true(str_is(hmsg_target(m), "/first"));
                assert_true(str_is(hmsg_value(m, hmsg_find_name(m, STR("x-long"), 0)), "0123456789"));
                assert_true(e.s.flags & SIDE_RX_DONE);
                e.s.ops->rx_head_free(&e.s);
                e.s.ops->rx_park(&e.s);
                evict(&other);
                e.s.flags |= SIDE_TX_DONE;
                e.s.ops->end(&e.s, true);
                assert_true(e.reusable);
                attach(&e, false);
                assert_int_equal(e.s.ops->rx_head(&e.s, &m), MSG_OK);
                assert_true(str_is(hmsg_target(m), "/second"));
                end_free(&e);
                end_free(&other);
        }
}

static void test_head_ends(void **st)
{
        static const struct {
                const char *say;
                int want;
                bool cut;
        } rows[] = { { "", MSG_END, false }, { "GET / HT", MSG_END, true }, { "GET\r\n\r\n", MSG_BAD, false } };
        struct hmsg *m;

        (void)st;
        for (size_t i = 0; i < array_len(rows); i++) {
                struct end e;
                end_new(&e, false);
                if (*rows[i].say)
                        feeds(&e, rows[i].say);
                shutdown(e.fd, SHUT_WR);
                e.w.conn.ep.flags |= EP_RX | EP_HUP;
                assert_int_equal(e.s.ops->rx_head(&e.s, &m), rows[i].want);
                assert_int_equal((e.s.flags & SIDE_RX_CUT) != 0, rows[i].cut);
                if (rows[i].want == MSG_BAD)
                        assert_int_equal(e.s.bad.status, 400);
                end_free(&e);
        }
}

static void test_head_too_big(void **st)
{
        struct end e;
        struct hmsg *m;
        char line[300];
        int r = MSG_WAIT;

        (void)st;
        end_new(&e, false);
        feeds(&e, "GET / HTTP/1.1\r\n");
        for (int i = 0; i < 200 && r == MSG_WAIT; i++) {
                (void)snprintf(line, sizeof(line), "x-%d: %0230d\r\n", i, i);
                feeds(&e, line);
                r = e.s.ops->rx_head(&e.s, &m);
                e.s.ops->rx_park(&e.s);
        }
        assert_int_equal(r, MSG_BAD);
        assert_int_equal(e.s.bad.status, 431);
        end_free(&e);
}

/* ---- bodies ---- */

struct got {
        char p[4096];
        size_t n;
        int last;
};

static void take(struct end *e, struct got *g)
{
        struct iovec v[3];
        int n = 3;

        while ((g->last = e->s.ops->rx_body(&e->s, v, &n, 1 + rnd(300))) == MSG_OK) {
                assert_true(n > 0);
                for (int i = 0; i < n; i++) {
                        memcpy(g->p + g->n, v[i].iov_base, v[i].iov_len);
                        g->n += v[i].iov_len;
                }
                n = 3;
                if (rnd(4) == 0)
                        e->s.ops->rx_park(&e->s);
        }
}

static size_t message(int kind, char *wire, char *body, size_t *ret_body)
{
        size_t len = rnd(3) ? rnd(2000) : rnd(3), at = 0;
        int n = sprintf(wire, "HTTP/1.1 200 OK\r\n");

        if (kind == 0)
                n += sprintf(wire + n, "Content-Length: %zu\r\n", len);
        n += sprintf(wire + n, "%s\r\n", kind == 1 ? "Transfer-Encoding: chunked\r\n" : "");

        for (size_t i = 0; i < len; i++)
                body[i] = (char)rnd(256);
        while (kind == 1 && at < len) {
                size_t piece = 1 + rnd((unsigned)(len - at));
                n += sprintf(wire + n, "%zx%s\r\n", piece, rnd(2) ? ";a=\"b\"" : "");
                memcpy(wire + n, body + at, piece);
                n += (int)piece;
                n += sprintf(wire + n, "\r\n");
                at += piece;
        }
        if (kind == 1)
                n += sprintf(wire + n, "0\r\n%s\r\n", rnd(2) ? "X-A: 1\r\nX-B: 2\r\n" : "");
        else
                memcpy(wire + n, body, len), n += (int)len;
        *ret_body = len;
        return (size_t)n;
}

static void one_body(unsigned number)
{
        char wire[16384], body[4096];
        struct end e, other;
        struct got g = { .last = MSG_WAIT };
        struct hmsg *m = NULL;
        size_t len, n, at = 0;
        int kind = (int)(number % 3), r = MSG_WAIT;

        seed = number;
        end_new(&e, true);
        end_new(&other, false);
        e.w.req_method = HMETH_GET;
        n = message(kind, wire, body, &len);
        while (at < n || (kind == 2 && g.last == MSG_WAIT)) {
                size_t piece = rnd(2) ? n - at : rnd((unsigned)(n - at + 1));
                if (piece)
                        feed(&e, wire + at, piece);
                at += piece;
                if (at == n && kind == 2) {
                        shutdown(e.fd, SHUT_WR);
                        e.w.conn.ep.flags |= EP_RX | EP_HUP;
                }
                if (r == MSG_WAIT) {
                        r = e.s.ops->rx_head(&e.s, &m);
                        if (r == MSG_OK)
                                e.s.ops->rx_head_free(&e.s);
                }
                if (r == MSG_OK)
                        take(&e, &g);
                e.s.ops->rx_park(&e.s);
                evict(&other);
        }
        if (g.last != MSG_END || g.n != len || memcmp(g.p, body, len) != 0)
                fail_msg("seed %u: %zu of %zu bytes, then %d", number, g.n, len, g.last);
        assert_true(e.s.flags & SIDE_RX_DONE);
        if (e.s.trailers)
                assert_true(str_is(hmsg_value(e.s.trailers, hmsg_find_name(e.s.trailers, STR("x-b"), 0)), "2"));
        assert_int_equal(e.s.rx_bytes, n);
        end_free(&e);
        end_free(&other);
}

static void test_bodies_cut_anywhere(void **st)
{
        (void)st;
        for (unsigned i = 1; i <= 3000; i++)
                one_body(i);
}

static void test_body_cut_by_the_peer(void **st)
{
        static const char *const rows[] = {
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-A"
        };

        (void)st;
        for (size_t i = 0; i < array_len(rows); i++) {
                struct end e;
                struct hmsg *m;
                struct got g = { 0 };
                end_new(&e, true);
                feeds(&e, rows[i]);
                shutdown(e.fd, SHUT_WR);
                e.w.conn.ep.flags |= EP_RX | EP_HUP;
                assert_int_equal(e.s.ops->rx_head(&e.s, &m), MSG_OK);
                e.s.ops->rx_head_free(&e.s);
                take(&e, &g);
                assert_int_equal(g.last, MSG_ERR);
                assert_true(e.s.flags & SIDE_RX_CUT);
                assert_false(e.s.flags & SIDE_RX_DONE);
                assert_int_equal(g.n, 3);
                end_free(&e);
        }
}

/* ---- sending ---- */

struct head { /* a head made by hand */
        struct hmsg m;
        struct hfield f[8];
        char arena[256];
};

static struct hmsg *answer(struct head *h, unsigned minor)
{
        hmsg_init(&h->m, h->f, array_len(h->f), h->arena, sizeof(h->arena));
        h->m.flags |= HMSG_RESPONSE;
        h->m.minor = (uint8_t)minor;
        assert_int_equal(hmsg_set_status(&h->m, 200, STR("OK")), 0);
        return &h->m;
}

static void request_read(struct end *e, const char *text)
{
        struct hmsg *m;

        end_new(e, false);
        feeds(e, text);
        assert_int_equal(e->s.ops->rx_head(&e->s, &m), MSG_OK);
        e->s.ops->rx_head_free(&e->s);
}

#define GET11 "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static void test_framing_sent(void **st)
{
        static const struct {
                const char *request;
                int framing;
                bool no_body;
                const char *want;
                bool reusable;
        } rows[] = {
                { GET11, HBODY_LENGTH, false, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", true },
                { GET11, HBODY_CHUNKED, false,
                  "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true },
                { GET11, HBODY_CLOSE, false, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello", false },
                { "GET / HTTP/1.0\r\n\r\n", HBODY_CHUNKED, false, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
                  false },
                { "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", HBODY_LENGTH, false,
                  "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: keep-alive\r\n\r\nhello", true },
                { "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", HBODY_CHUNKED, true,
                  "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", true },
                { "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", HBODY_LENGTH, false,
                  "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello", false },
        };

        (void)st;
        for (size_t i = 0; i < array_len(rows); i++) {
                struct end e;
                struct head h;
                struct iovec v[2] = { { "hel", 3 }, { "lo", 2 } };
                struct tx_frame f = { .framing = (enum hbody)rows[i].framing, .length = 5, .no_body = rows[i].no_body };
                request_read(&e, rows[i].request);
                assert_int_equal(e.s.ops->tx(&e.s, answer(&h, 1), &f, v, f.no_body ? 0 : 2, true), MSG_OK);
                assert_string_equal(sent(&e), rows[i].want);
                assert_true(e.s.flags & SIDE_TX_DONE);
                assert_int_equal(e.s.tx_bytes, strlen(rows[i].want));
                e.s.ops->end(&e.s, true);
                assert_int_equal(e.reusable, rows[i].reusable);
                end_free(&e);
        }
}

/* An old server's answer passed on to a client that keeps its connection must say so in words. */
static void test_keep_alive_of_an_old_answer(void **st)
{
        struct end e;
        struct head h;
        struct tx_frame f = { .framing = HBODY_LENGTH, .length = 0 };

        (void)st;
        request_read(&e, GET11);
        assert_int_equal(e.s.ops->tx(&e.s, answer(&h, 0), &f, NULL, 0, true), MSG_OK);
        assert_non_null(strstr(sent(&e), "connection: keep-alive"));
        end_free(&e);
}

static void test_trailers_sent(void **st)
{
        (void)st;
        for (int chunked = 0; chunked < 2; chunked++) {
                struct end e;
                struct head h, t;
                struct iovec v = { "abc", 3 };
                struct tx_frame f = { .framing = chunked ? HBODY_CHUNKED : HBODY_LENGTH, .length = 3 };
                request_read(&e, GET11);
                assert_int_equal(e.s.ops->tx(&e.s, answer(&h, 1), &f, &v, 1, false), MSG_OK);
                hmsg_init(&t.m, t.f, array_len(t.f), t.arena, sizeof(t.arena));
                assert_int_equal(hmsg_add(&t.m, STR("x-sum"), STR("7")), 0);
                assert_int_equal(e.s.ops->tx(&e.s, &t.m, NULL, NULL, 0, true), MSG_OK);
                assert_string_equal(strstr(sent(&e), "\r\n\r\n") + 4,
                                    chunked ? "3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n" : "abc");
                assert_true(e.s.flags & SIDE_TX_DONE);
                end_free(&e);
        }
}

static void test_more_or_less_than_announced_is_refused(void **st)
{
        (void)st;
        for (int more = 0; more < 2; more++) {
                struct end e;
                struct head h;
                struct iovec v = { "hello!", more ? 6 : 4 };
                struct tx_frame f = { .framing = HBODY_LENGTH, .length = 5 };
                request_read(&e, GET11);
                assert_int_equal(e.s.ops->tx(&e.s, answer(&h, 1), &f, NULL, 0, false), MSG_OK);
                (void)sent(&e);
                assert_int_equal(e.s.ops->tx(&e.s, NULL, NULL, &v, 1, true), MSG_ERR);
                assert_int_equal(e.s.err, -EBADMSG);
                assert_string_equal(sent(&e), ""); /* not a byte of it */
                assert_false(e.s.flags & SIDE_TX_DONE);
                e.s.ops->end(&e.s, true);
                assert_false(e.reusable);
                end_free(&e);
        }
}

static void test_blocked_writer(void **st)
{
        static char body[200000], back[400000];
        struct end e;
        struct head h;
        struct tx_frame f = { .framing = HBODY_LENGTH, .length = 2 * sizeof(body) };
        struct iovec v = { body, sizeof(body) };
        int small = 4096;
        size_t n = 0;

        (void)st;
        for (size_t i = 0; i < sizeof(body); i++)
                body[i] = (char)(i * 7 / 5);
        request_read(&e, GET11);
        (void)setsockopt(e.w.conn.ev.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
        assert_int_equal(e.s.ops->tx(&e.s, answer(&h, 1), &f, &v, 1, false), MSG_OK);
        assert_true(e.s.flags & SIDE_TX_FULL);
        assert_int_equal(e.s.ops->tx_flush(&e.s), MSG_WAIT);
        for (int part = 0; part < 2; part++) {
                int r = MSG_WAIT;
                while (r == MSG_WAIT) {
                        ssize_t k = recv(e.fd, back + n, sizeof(back) - n, MSG_DONTWAIT);
                        if (k > 0 && n == 0) { /* without the head */
                                char *b = memmem(back, (size_t)k, "\r\n\r\n", 4);
                                k -= b + 4 - back;
                                memmove(back, b + 4, (size_t)k);
                        }
                        n += k > 0 ? (size_t)k : 0;
                        e.w.conn.ep.flags |= EP_TX;
                        r = e.s.ops->tx_flush(&e.s);
                }
                assert_int_equal(r, MSG_OK);
                assert_false(e.s.flags & SIDE_TX_FULL);
                assert_null(e.w.io->out); /* given back */
                if (part == 0)
                        assert_int_equal(e.s.ops->tx(&e.s, NULL, NULL, &v, 1, true), MSG_OK);
                assert_int_equal((e.s.flags & SIDE_TX_DONE) != 0, part);
        }
        for (ssize_t k; (k = recv(e.fd, back + n, sizeof(back) - n, MSG_DONTWAIT)) > 0;)
                n += (size_t)k;
        assert_int_equal(n, sizeof(back));
        assert_memory_equal(back, body, sizeof(body));
        assert_memory_equal(back + sizeof(body), body, sizeof(body));
        end_free(&e);
}

/* ---- the rule of reuse, server's end ---- */

static void test_server_connection_reuse(void **st)
{
        static const struct {
                const char *answer;
                bool fin, whole_request, reusable;
        } rows[] = {
                { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, true, true },
                { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false, false, false },
                { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, true, false },
                { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok?", false, true, false },
                { "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", false, true, false },
                { "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", false, true, false },
                { "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", false, true, false },
                { "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", false, true, true },
                { "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", false, true, true },
                { "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok", false, true, false },
        };

        (void)st;
        for (size_t i = 0; i < array_len(rows); i++) {
                struct end c, e;
                struct hmsg *m;
                struct got g = { 0 };
                struct tx_frame f = { .framing = HBODY_LENGTH, .length = 4 };
                struct iovec v = { "body", rows[i].whole_request ? 4 : 3 };
                end_new(&c, false);
                feeds(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n");
                assert_int_equal(c.s.ops->rx_head(&c.s, &m), MSG_OK);
                end_new(&e, true);
                assert_int_equal(e.s.ops->tx(&e.s, m, &f, &v, 1, rows[i].whole_request), MSG_OK);
                feeds(&e, rows[i].answer);
                if (rows[i].fin) {
                        shutdown(e.fd, SHUT_WR);
                        e.w.conn.ep.flags |= EP_HUP;
                }
                assert_int_equal(e.s.ops->rx_head(&e.s, &m), MSG_OK);
                e.s.ops->rx_head_free(&e.s);
                take(&e, &g);
                e.s.ops->end(&e.s, true);
                assert_true(e.released);
                if (e.reusable != rows[i].reusable)
                        fail_msg("row %zu: reusable is %d", i, e.reusable);
                end_free(&e);
                end_free(&c);
        }
}

static void test_attach_starts_clean(void **st)
{
        struct end e;
        struct head h;
        struct hmsg *m;
        struct got g = { 0 };
        struct tx_frame f = { .framing = HBODY_LENGTH, .length = 0 };

        (void)st;
        request_read(&e,
                     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-T: 1\r\n\r\n");
        take(&e, &g);
        assert_non_null(e.s.trailers);
        assert_int_equal(e.s.ops->tx(&e.s, answer(&h, 1), &f, NULL, 0, true), MSG_OK);
        e.s.ops->end(&e.s, true);
        assert_true(e.reusable);
        e.s = (struct side){ .strm = &owner, .flags = 0xffff, .err = -1, .trailers = &h.m, .bad = { "x", 1, 400 } };
        wire_attach(&e.w, &e.s, false);
        assert_int_equal(e.s.flags & ~SIDE_SPLICE, 0);
        assert_int_equal(e.s.err, 0);
        assert_null(e.s.trailers);
        assert_int_equal(e.s.bad.status, 0);
        feeds(&e, GET11);
        assert_int_equal(e.s.ops->rx_head(&e.s, &m), MSG_OK);
        assert_true(e.s.flags & SIDE_RX_DONE);
        assert_int_equal(e.s.rx_bytes, strlen(GET11));
        end_free(&e);
}

#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
        const struct CMUnitTest tests[] = {
                T(test_head_cut_at_every_byte),
                T(test_head_ends),
                T(test_head_too_big),
                T(test_bodies_cut_anywhere),
                T(test_body_cut_by_the_peer),
                T(test_framing_sent),
                T(test_keep_alive_of_an_old_answer),
                T(test_trailers_sent),
                T(test_more_or_less_than_announced_is_refused),
                T(test_blocked_writer),
                T(test_server_connection_reuse),
                T(test_attach_starts_clean),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
