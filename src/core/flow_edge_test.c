/* The edges of the data plane: what is counted, heads that cannot be written, limits, load. See core/flow_testing.h. */
#include "base/asan.h"
#include "core/event.h"
#include "core/flow_testing.h"
#include "core/hook.h"
#include "core/reply.h"

/* ---- the end of each stream, as a log line would see it ---- */

static struct {
        unsigned n;
        int status;
        char term[3];
        uint64_t in, out;
} last;

static void at_end(const void *event)
{
        const struct strm *s = event;

        last.n++;
        last.status = s->status;
        memcpy(last.term, s->term, 2);
        last.in = s->cl.rx_bytes;
        last.out = s->cl.tx_bytes;
}

static const struct event_sub end_sub = { EVENT_STREAM_END, 0, "test", at_end };
EVENT_SUB(end_sub);

static int start_http(void **st)
{
        (void)st;
        event_boot();
        memset(&last, 0, sizeof(last));
        farm_start(PX_HTTP, 1);
        return 0;
}

static int start_tcp(void **st)
{
        (void)start_http(st);
        px_f.mode = px_b.mode = PX_TCP;
        return 0;
}

static struct px_sum front_sum(void)
{
        struct px_sum sum;

        px_stat_sum(&fe.cell, &sum);
        return sum;
}

/* ---- bytes ---- */

static void test_pipelined_bytes_are_counted_once(void **st)
{
        static const char three[] =
                "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /22 HTTP/1.1\r\nHost: a\r\n"
                "Content-Length: 3\r\n\r\nabcPOST /3 HTTP/1.1\r\nHost: a\r\n"
                "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\n\r\nGET /4 HTTP/1.1\r\nHost: a\r\n\r\n";
        static const unsigned want[] = { 28, 52, 74, 28 };
        struct peer *c = client(), *s;

        (void)st;
        say(c, three);
        s = served();
        for (unsigned i = 0; i < array_len(want); i++) {
                say(s, OK5);
                settle();
                assert_int_equal(last.n, i + 1);
                assert_int_equal(last.in, want[i]);
        }
        assert_int_equal(front_sum().bytes_in, strlen(three));
}

/* What came behind the head of an Upgrade belongs to the tunnel it opens. */
static void test_bytes_of_a_tunnel_are_counted_once(void **st)
{
        static const char ask[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
        struct peer *c = client(), *s;

        (void)st;
        say(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nearly");
        s = served();
        say(s, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
        expect(s, "early");
        say(c, "more");
        expect(s, "earlymore");
        peer_close(s, false);
        peer_close(c, false);
        settle();
        assert_int_equal(last.in, strlen(ask) + 9);
        assert_int_equal(front_sum().bytes_in, strlen(ask) + 9);
}

/* ---- heads that cannot be written ---- */

static bool spoil_at[HOOK_POINTS];

/* What no function of proto/hmsg lets through; the writer judges the bytes again. */
static void spoil(struct hmsg *m)
{
        assert_int_equal(hmsg_add(m, STR("x-spoilt"), STR("abc")), 0);
        m->blk[1].p[m->f[m->nf - 1].val + 1] = '\n';
}

static enum hook_answer spoil_request(struct strm *s, const void *arg, bool as_front)
{
        (void)arg;
        (void)as_front;
        if (spoil_at[HOOK_REQUEST])
                spoil(s->req);
        return HOOK_NEXT;
}

static enum hook_answer spoil_response(struct strm *s, const void *arg, bool as_front)
{
        (void)arg;
        (void)as_front;
        if (spoil_at[HOOK_RESPONSE])
                spoil(s->rsp);
        return HOOK_NEXT;
}

static const struct hook spoilers[] = { { .name = "spoil", .point = HOOK_REQUEST, .run = spoil_request },
                                        { .name = "spoil", .point = HOOK_RESPONSE, .run = spoil_response } };
static struct hook_use uses[] = { { &spoilers[0], NULL }, { &spoilers[1], NULL } };
static const struct hook_set spoiling = { .at = { &uses[0], &uses[1] }, .n = { 1, 1 } };

static void spoil_now(bool request, bool response)
{
        bcfg.hooks = &spoiling;
        spoil_at[HOOK_REQUEST] = request;
        spoil_at[HOOK_RESPONSE] = response;
}

static void test_request_head_refused_is_a_400(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        spoil_now(true, false);
        say(c, GET);
        s = served();
        expect_start(c, "HTTP/1.1 400 Bad request\r\n");
        assert_false(c->eof); /* its request was read whole and well: the connection goes on */
        assert_int_equal(s->n, 0);
        assert_true(s->eof);
        assert_string_equal(last.term, "PR");
        assert_int_equal(last.status, 400);
        assert_int_equal(front_sum().err_req, 1);
        assert_int_equal(front_sum().rsp[3], 1);
}

static void test_answer_head_refused_is_a_502(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        spoil_now(false, true);
        say(c, GET);
        s = served();
        say(s, OK5);
        expect_start(c, "HTTP/1.1 502 Bad Gateway\r\n");
        assert_string_equal(last.term, "PH");
        assert_int_equal(last.status, 502);
        assert_int_equal(front_sum().rsp[1], 0);
        assert_int_equal(front_sum().rsp[4], 1);
        assert_false(c->eof); /* the request was whole and so is the answer: the client goes on */
        spoil_now(false, false);
        peer_drop_in(c);
        say(c, GET);
        settle();
        s = served_by(0) ?: s;
        peer_drop_in(s);
        say(s, OK5);
        expect_start(c, "HTTP/1.1 200 OK\r\n");
}

static enum hook_answer bad_reply(struct strm *s, const void *arg, bool as_front)
{
        static const struct reply_field field = { { "x-a", 3 }, { "a\nb", 3 } };
        static const struct reply r = { .status = 200, .fields = &field, .n_fields = 1, .body = { "yes", 3 } };

        (void)arg;
        (void)as_front;
        strm_reply(s, &r);
        return HOOK_TAKEN;
}

static void test_own_reply_refused_is_a_500(void **st)
{
        static const struct hook h = { .name = "reply", .point = HOOK_REQUEST, .run = bad_reply };
        static struct hook_use u = { &h, NULL };
        static const struct hook_set set = { .at = { &u }, .n = { 1, 0 } };
        struct peer *c = client();

        (void)st;
        bcfg.hooks = &set;
        say(c, GET);
        expect_start(c, "HTTP/1.1 500 Internal Server Error\r\n");
        assert_int_equal(last.status, 500);
        assert_string_equal(last.term, "IR");
}

/* ---- long answers of our own ---- */

static struct {
        uint64_t turn;
        unsigned pieces, in_turn, most;
} said;

static void long_start(struct applet *a, const struct hmsg *req, struct str body)
{
        (void)req;
        (void)body;
        a->status = 200;
}

static enum applet_answer long_more(struct applet *a, struct buf *out)
{
        char piece[12000];

        (void)a;
        memset(piece, 'x', sizeof(piece));
        buf_add(out, piece, sizeof(piece));
        said.in_turn = said.turn == thr_self->loop->stats.turns ? said.in_turn + 1 : 1;
        said.turn = thr_self->loop->stats.turns;
        said.most = said.in_turn > said.most ? said.in_turn : said.most;
        return ++said.pieces < 60 ? APPLET_MORE : APPLET_DONE;
}

static enum hook_answer long_answer(struct strm *s, const void *arg, bool as_front)
{
        static const struct applet_ops ops = { .name = "<LONG>", .start = long_start, .more = long_more };

        (void)arg;
        (void)as_front;
        return applet_attach(s, &ops) ? HOOK_TAKEN : HOOK_CLOSE;
}

/* Other streams of the thread have their turn after each piece, however fast the client reads. */
static void test_a_long_answer_is_a_piece_a_turn(void **st)
{
        static const struct hook h = { .name = "long", .point = HOOK_REQUEST, .run = long_answer };
        static struct hook_use u = { &h, NULL };
        static const struct hook_set set = { .at = { &u }, .n = { 1, 0 } };
        struct peer *c = client();

        (void)st;
        bcfg.hooks = &set;
        memset(&said, 0, sizeof(said));
        say(c, GET);
        for (int i = 0; i < 1000 && said.pieces < 60; i++)
                settle();
        assert_int_equal(said.pieces, 60);
        assert_int_equal(said.most, 1);
        expect_start(c, "HTTP/1.1 200 OK\r\n");
}

/* A server that leaves the configuration while a request is on it: its connection does not go into the pool, where it would hold a server
 * whose settings are gone (core/cells.c, server_retire()). */
static void test_a_retired_server_keeps_no_connection(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, GET);
        s = served();
        atomic_fetch_or(&srv[0].admin, SRV_ADM_FMAINT);
        say(s, OK5);
        expect(c, "\r\n\r\nhello");
        assert_true(s->eof);
        assert_int_equal(server_col(&srv[0])->idle.n, 0);
}

/* ---- few packets ---- */

static struct {
        unsigned sends, more, shuts, quickack, nodelay, keepalive, linger;
        int quickack_value;
} seen;

static ssize_t seen_send(int fd, const struct iovec *v, int n, int flags)
{
        seen.sends++;
        seen.more += (flags & MSG_MORE) != 0;
        return sys_kernel.send(fd, v, n, flags);
}

static int seen_shutdown(int fd, int how)
{
        seen.shuts++;
        return sys_kernel.shutdown(fd, how);
}

static int seen_setopt(int fd, int level, int name, const void *v, socklen_t len)
{
        if (level == IPPROTO_TCP && name == TCP_QUICKACK) {
                seen.quickack++;
                memcpy(&seen.quickack_value, v, sizeof(int));
        }
        seen.nodelay += level == IPPROTO_TCP && name == TCP_NODELAY;
        seen.keepalive += level == SOL_SOCKET && name == SO_KEEPALIVE;
        seen.linger += level == SOL_SOCKET && name == SO_LINGER;
        return sys_kernel.setopt(fd, level, name, v, len);
}

static void watch(void)
{
        memset(&seen, 0, sizeof(seen));
        sys.send = seen_send;
        sys.shutdown = seen_shutdown;
        sys.setopt = seen_setopt;
}

/* The server's last bytes and its FIN are here together: both go on in one packet, so the send says that more follows, and the FIN is what
 * follows. */
static void test_last_bytes_and_fin_go_together(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, GET);
        s = served();
        watch();
        say(s, "HTTP/1.1 200 OK\r\n\r\nabc");
        expect(c, "connection: close\r\n\r\nabc");
        assert_int_equal(seen.sends, 1);
        assert_int_equal(seen.more + seen.shuts, 0); /* nobody knows yet that it is the end: it must not wait */
        assert_int_equal(write(s->fd, "def", 3), 3);
        peer_close(s, false);
        settle();
        assert_string_equal(strstr(c->in, "\r\n\r\n"), "\r\n\r\nabcdef");
        assert_true(c->eof && !c->reset);
        assert_int_equal(seen.sends, 2);
        assert_int_equal(seen.more, 1);
        assert_int_equal(seen.shuts, 1);
}

/* What is sent to a server at once rides on the handshake's last ACK (quick ACKs off before connect(2)); where the server speaks first
 * the kernel's default stays. */
static void test_quickack_only_where_bytes_follow(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        watch();
        say(c, GET);
        s = served();
        assert_int_equal(seen.quickack, 1);
        assert_int_equal(seen.quickack_value, 0);
        say(s, OK5);
        expect(c, "hello");
        say(c, GET);
        settle();
        assert_int_equal(seen.quickack, 1); /* the pooled connection was used */
}

static void test_no_quickack_where_the_server_speaks_first(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        watch();
        s = served();
        say(s, "220 hello\r\n");
        expect(c, "220 hello\r\n");
        assert_int_equal(seen.quickack, 0);
}

/* A server connection that sends once never asks for TCP_NODELAY; the second send could wait for the first one's ACK, so it does. */
static void test_nodelay_is_asked_for_at_the_second_send(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        watch();
        say(c, GET);
        s = served();
        say(s, OK5);
        expect(c, "hello");
        assert_int_equal(seen.nodelay, 0);
        for (int i = 0; i < 3; i++) {
                peer_drop_in(c);
                say(c, GET);
                settle();
                say(s, OK5);
                expect(c, "hello");
                assert_int_equal(seen.nodelay, 1);
        }
        assert_int_equal(calls.connect, 1);
}

/* ---- options that are one call ---- */

static void test_tcpka(void **st)
{
        struct peer *c;

        (void)st;
        watch();
        c = client();
        say(c, GET);
        (void)served();
        assert_int_equal(seen.keepalive, 0);
        px_f.options |= OPT_CLITCPKA;
        c = client();
        settle();
        assert_int_equal(seen.keepalive, 1);
        px_b.options |= OPT_SRVTCPKA;
        say(c, GET);
        (void)served();
        assert_int_equal(seen.keepalive, 2);
}

static void test_nolinger_closes_with_a_reset(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        watch();
        px_b.options |= OPT_NOLINGER;
        say(c, GET);
        s = served();
        say(s, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        expect(c, "hello");
        assert_int_equal(seen.linger, 1);
        px_f.options |= OPT_NOLINGER;
        peer_close(c, false);
        settle();
        assert_int_equal(seen.linger, 2);
}

/* Manual, option idle-close-on-response: a soft stop does not close an idle client, its next answer does. */
static void test_idle_close_on_response(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        px_f.options |= OPT_IDLE_CLOSE_ON_RESPONSE;
        say(c, GET);
        s = served();
        say(s, OK5);
        expect(c, "hello");
        peer_drop_in(c);
        atomic_store(&world.stopping, true);
        sess_soft_stop();
        settle();
        assert_false(c->eof || c->reset);
        say(c, GET);
        settle();
        s = served_by(0) ?: s;
        settle();
        say(s, OK5);
        expect(c, "connection: close\r\n\r\nhello");
        assert_true(c->eof);
}

/* tune.http.maxhdr counts the first line. */
static void test_maxhdr(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        world.maxhdr = 4;
        say(c, "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n\r\n");
        s = served();
        say(s, OK5);
        expect(c, "HTTP/1.1 200 OK");
        peer_drop_in(c);
        say(c, "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n");
        settle();
        assert_int_equal(c->n > 12 ? strncmp(c->in, "HTTP/1.1 4", 10) : -1, 0);
        assert_true(c->eof);
}

/* ---- mechanisms.md f: no pointer into a head survives a wait ---- */

/* While a stream waits, in a queue with its whole head or for its server, nothing may be read from the shared buffer. */
static void test_nothing_is_lent_during_a_wait(void **st)
{
        struct peer *c[2], *s;

        (void)st;
        atomic_store(&srv[0].maxconn, 1);
        for (int i = 0; i < 2; i++) {
                c[i] = client();
                say(c[i], "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
                settle();
                assert_int_equal(asan_hidden(thr_self->rx), ASAN_ON);
        }
        for (int i = 0; i < 2; i++) {
                s = served();
                expect(s, "\r\n\r\nhello");
                say(s, OK5);
                expect(c[i], "\r\n\r\nhello");
                assert_int_equal(asan_hidden(thr_self->rx), ASAN_ON);
        }
}

#define T(name) cmocka_unit_test_setup_teardown(name, start_http, stop)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                T(test_pipelined_bytes_are_counted_once),
                T(test_bytes_of_a_tunnel_are_counted_once),
                T(test_request_head_refused_is_a_400),
                T(test_answer_head_refused_is_a_502),
                T(test_own_reply_refused_is_a_500),
                T(test_a_long_answer_is_a_piece_a_turn),
                T(test_nothing_is_lent_during_a_wait),
                T(test_a_retired_server_keeps_no_connection),
                T(test_last_bytes_and_fin_go_together),
                T(test_quickack_only_where_bytes_follow),
                cmocka_unit_test_setup_teardown(test_no_quickack_where_the_server_speaks_first, start_tcp, stop),
                T(test_nodelay_is_asked_for_at_the_second_send),
                T(test_tcpka),
                T(test_nolinger_closes_with_a_reset),
                T(test_idle_close_on_response),
                T(test_maxhdr),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
