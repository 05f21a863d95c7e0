/* HTTP through the whole data plane: framing, keep-alive, early ends, retries, queues, timeouts. See core/flow_testing.h. */
#include "core/flow_testing.h"

#define BULK (64u << 20)

/* ---- the plain case ---- */

static void test_keep_alive_reuses_one_connection(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, GET);
        s = served();
        for (int i = 0; i < 100; i++) {
                if (i)
                        say(c, GET);
                expect_start(s, "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
                say(s, OK5);
                expect(c, "\r\n\r\nhello");
                assert_int_equal(c->n, strlen("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"));
                peer_drop_in(c);
                peer_drop_in(s);
        }
        assert_null(served_by(0));
        assert_int_equal(calls.connect, 1);
}

/* Facts, performance 10: receive, send, receive, send; nothing else once both ends are known to epoll. */
static void test_plain_request_costs_four_calls(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, GET);
        s = served();
        say(s, OK5);
        settle();
        say(c, GET);
        settle();
        say(s, OK5);
        settle();
        memset(&calls, 0, sizeof(calls));
        say(c, GET);
        settle();
        say(s, OK5);
        settle();
        assert_int_equal(calls.recv, 2);
        assert_int_equal(calls.send, 2);
        assert_int_equal(calls.poll_ctl, 0);
}

static void test_pipelined_requests_are_answered_in_order(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c,
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
        (void)shutdown(c->fd, SHUT_WR);
        s = served();
        for (int i = 1; i <= 3; i++) {
                char want[32], answer[80];
                (void)snprintf(want, sizeof(want), "GET /%d HTTP/1.1", i);
                expect_start(s, want);
                (void)snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n#%d", i);
                peer_drop_in(s);
                say(s, answer);
                settle();
        }
        expect(c, "#1HTTP/1.1 200 OK");
        expect(c, "#2HTTP/1.1 200 OK");
        expect(c, "#3");
        assert_true(c->eof);
}

/* ---- bodies ---- */

static void test_post_with_length_in_pieces(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
        s = served();
        expect(s, "content-length: 10\r\n\r\n01234");
        say(c, "56789");
        expect(s, "\r\n\r\n0123456789");
        say(s, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
        expect(c, "HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n");
        peer_drop_in(s);
        say(c, GET);
        expect_start(s, "GET / HTTP/1.1"); /* the same connection */
}

static void test_chunked_both_ways_with_trailers(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n");
        s = served();
        expect(s, "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n");
        say(c, "4\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n");
        expect(s, "4\r\ndefg\r\n0\r\nx-sum: 7\r\n\r\n");
        say(s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n");
        expect(c, "\r\n\r\n5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n");
        peer_drop_in(s);
        peer_drop_in(c);
        say(c, GET);
        expect_start(s, "GET / HTTP/1.1");
        say(s, OK5);
        expect(c, "hello");
}

/* The whole message, trailers included, in the read that brought the head. */
static void test_trailers_in_one_read_with_the_head(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n");
        s = served();
        expect(s, "host: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n");
        say(s, OK5);
        expect(c, "hello");
}

static void test_chunked_answer_to_http10(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        s = served();
        say(s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
        expect(c, "\r\n\r\nabcdef");
        assert_null(strstr(c->in, "chunked"));
        assert_true(c->eof && !c->reset);
}

/* Where only the FIN ends the body, a server that dies in the middle must not look like one that was done. */
static void test_cut_answer_without_length_is_reset(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, "GET / HTTP/1.0\r\n\r\n");
        s = served();
        say(s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        expect(c, "abc");
        peer_close(s, false);
        settle();
        assert_true(c->reset && !c->eof);
}

static void test_answer_until_close(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, GET);
        s = served();
        say(s, "HTTP/1.1 200 OK\r\n\r\nabc");
        expect(c, "connection: close\r\n\r\nabc");
        say(s, "def");
        expect(c, "abcdef");
        assert_false(c->eof);
        peer_close(s, false);
        settle();
        assert_true(c->eof && !c->reset);
}

static void test_continue_100(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
        s = served();
        expect(s, "expect: 100-continue");
        say(s, "HTTP/1.1 100 Continue\r\n\r\n");
        expect_start(c, "HTTP/1.1 100 Continue\r\n\r\n");
        say(c, "abc");
        expect(s, "\r\n\r\nabc");
        say(s, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK5);
        expect(c, "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
        peer_drop_in(s);
        say(c, GET);
        expect_start(s, "GET /");
}

static void test_head_304_204_have_no_body(void **st)
{
        struct peer *c = client(), *s;
        static const char *const answers[] = { "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
                                               "HTTP/1.1 204 No Content\r\n\r\n",
                                               "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n" };

        (void)st;
        say(c, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
        s = served();
        say(s, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
        expect(c, "content-length: 5\r\n\r\n");
        for (size_t i = 0; i < array_len(answers); i++) {
                peer_drop_in(c);
                peer_drop_in(s);
                say(c, GET);
                expect_start(s, "GET / HTTP/1.1\r\n");
                say(s, answers[i]);
                expect(c, "\r\n\r\n");
                assert_false(c->eof);
        }
        assert_null(served_by(0)); /* all on one connection */
}

static void bulk_both_ways(bool splice)
{
        struct peer *c = client(), *s;
        static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n",
                          answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n";

        say(c, head);
        bulk_out(c, BULK);
        bulk_served = c->bulk = true;
        s = served();
        assert_int_equal(s->bulk_in, BULK);
        say(s, answer);
        bulk_out(s, BULK);
        settle();
        assert_int_equal(c->bulk_in, BULK);
        assert_int_equal(calls.splice > 0, splice);
        c->bulk = s->bulk = false;
        peer_drop_in(s);
        peer_drop_in(c);
        say(c, GET);
        expect_start(s, "GET / HTTP/1.1");
        say(s, OK5);
        expect(c, "hello");
}

static void test_bulk_spliced(void **st)
{
        (void)st;
        bulk_both_ways(true);
}

static void test_bulk_copied(void **st)
{
        struct pipe *p;

        (void)st;
        pipe_set_limit(1);
        p = pipe_get(); /* the only one */
        bulk_both_ways(false);
        pipe_put(p);
        pipe_set_limit(0);
}

static void test_bulk_chunked(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, "GET / HTTP/1.0\r\n\r\n");
        s = served();
        c->bulk = true;
        say(s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000000\r\n");
        s->tail = "\r\n0\r\n\r\n";
        bulk_out(s, 0x1000000);
        settle();
        assert_int_equal(c->bulk_in, 0x1000000);
        assert_true(c->eof && !c->reset);
}

/* The client stops reading: we hold one read's worth, the server is not listened to, and all goes on later. */
static void read_once(struct peer *p)
{
        p->deaf = false;
        (void)peer_read(p);
        p->deaf = true;
        settle();
}

static void test_blocked_reader(void **st)
{
        struct peer *c = client(), *s;
        struct strm *x;

        (void)st;
        px_f.timeout.client = px_b.timeout.server = 10000;
        say(c, GET);
        s = served();
        c->deaf = c->bulk = true;
        say(s, "HTTP/1.1 200 OK\r\nContent-Length: 33554432\r\n\r\n");
        bulk_out(s, 32u << 20);
        settle();
        assert_true(s->bulk_out > 0);
        x = list_first(strm_all(), struct strm, link);
        for (int i = 0; i < 3; i++) { /* its time runs only while nothing moves; the server's does not at all */
                uint64_t sent;
                pass_ms(9000);
                sent = x->cl.tx_bytes;
                for (int k = 0; k < 100 && x->cl.tx_bytes == sent; k++)
                        read_once(c);
                assert_true(x->cl.tx_bytes > sent);
        }
        c->deaf = false;
        settle();
        assert_int_equal(c->bulk_in, 32u << 20);
}

/* ---- early and bad ends ---- */

static void test_early_answer_is_delivered_and_nothing_reused(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc");
        s = served();
        say(s, "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
        expect(c, "connection: close\r\n\r\nno");
        assert_true(c->eof);
        settle();
        assert_true(s->eof || s->reset);
}

/* The server refuses an upload and closes at once: our writes fail before we read, its answer still gets through. */
static void test_answer_before_a_reset_upload(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
        s = served();
        s->deaf = true;
        bulk_out(c, 100000000);
        settle();
        assert_int_equal(send(s->fd, "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno", 40, MSG_NOSIGNAL), 40);
        peer_close(s, false); /* unread bytes: the kernel sends a RST after the answer */
        settle();
        expect(c, "HTTP/1.1 413 No");
        expect(c, "\r\n\r\nno");
}

static void test_server_closes_in_mid_body(void **st)
{
        static const char *const heads[] = { "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nabc",
                                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc" };

        (void)st;
        for (int i = 0; i < 4; i++) {
                struct peer *c = client(), *s;
                say(c, GET);
                s = served();
                say(s, heads[i & 1]);
                expect(c, "abc");
                peer_close(s, i & 2);
                settle();
                assert_true(c->eof || c->reset);
                assert_null(strstr(c->in, "0\r\n\r\n"));
                assert_true(memcmp(c->in + c->n - 3, "abc", 3) == 0 || memcmp(c->in + c->n - 5, "abc\r\n", 5) == 0);
        }
}

static void test_server_closes_before_an_answer(void **st)
{
        (void)st;
        for (int i = 0; i < 4; i++) {
                struct peer *c = client(), *s;
                say(c, GET);
                s = served();
                if (i & 1)
                        say(s, "HTTP/1.1 200 O");
                settle();
                peer_close(s, i & 2);
                expect_start(c, "HTTP/1.1 502 Bad Gateway");
        }
}

static void test_more_and_less_than_announced(void **st)
{
        struct peer *c = client(), *s, *s2;

        (void)st;
        say(c, GET);
        s = served();
        say(s, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
        expect(c, "\r\n\r\nabc");
        assert_null(strstr(c->in, "forged"));
        settle();
        assert_true(s->eof || s->reset); /* never used again */
        peer_drop_in(c);
        say(c, GET);
        s2 = served();
        say(s2, OK5);
        expect(c, "hello");
        assert_null(strstr(c->in, "forged"));
}

static void test_bytes_while_idle_close_the_connection(void **st)
{
        struct peer *c = client(), *s, *s2;

        (void)st;
        say(c, GET);
        s = served();
        say(s, OK5);
        expect(c, "hello");
        say(s, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
        settle();
        assert_true(s->eof || s->reset);
        peer_drop_in(c);
        say(c, GET);
        s2 = served();
        say(s2, OK5);
        expect(c, "hello");
        assert_null(strstr(c->in, "forged"));
}

static void test_client_abort_frees_everything(void **st)
{
        static const char *const says[] = { "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", GET,
                                            "GET / HT", "" };

        (void)st;
        for (unsigned i = 0; i < 8; i++) {
                struct peer *c = client(), *s = NULL;
                say(c, says[i % 4]);
                settle();
                s = served_by(0);
                settle();
                peer_close(c, i >= 4);
                settle();
                if (s && i % 4 == 0)
                        assert_true(s->eof || s->reset);
                if (s && i == 5)
                        assert_true(s->eof || s->reset); /* a reset client is gone at once, without any option */
                if (s)
                        peer_close(s, false);
                settle();
        }
}

/* A client that sends its request and a FIN still gets its answer (option abortonclose is off). */
static void test_half_closed_client_is_served(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
        (void)shutdown(c->fd, SHUT_WR);
        s = served();
        expect(s, "abc");
        say(s, OK5);
        expect(c, "hello");
        assert_true(c->eof);
}

static void test_bad_requests(void **st)
{
        static const struct {
                const char *say, *expect;
        } rows[] = { { "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", "HTTP/1.1 400 " },
                     { "GET / HTTP/2.0\r\n\r\n", "HTTP/1.1 505 " },
                     { "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                       "HTTP/1.1 400 " } };

        (void)st;
        for (size_t i = 0; i < array_len(rows); i++) {
                struct peer *c = client();
                say(c, rows[i].say);
                expect_start(c, rows[i].expect);
                assert_true(c->eof);
        }
        assert_null(served_by(0));
}

static void test_bad_chunk_in_request(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        s = served();
        say(c, "xyz\r\n");
        expect_start(c, "HTTP/1.1 400 ");
        assert_true(s->eof || s->reset);
        assert_null(strstr(s->in, "0\r\n\r\n"));
}

static void test_upgrade_and_connect_become_tunnels(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n");
        s = served();
        expect(s, "upgrade: foo\r\n");
        say(s, "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nfirst");
        expect(c, "\r\n\r\nfirst");
        say(c, "raw \r\n\r\n bytes");
        expect(s, "raw \r\n\r\n bytes");
        (void)shutdown(c->fd, SHUT_WR);
        settle();
        assert_true(s->eof);
        say(s, "late");
        expect(c, "late");
        peer_close(s, false);
        settle();
        assert_true(c->eof);
        c = client();
        say(c, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
        s = served();
        say(s, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxx");
        expect(c, "xx");
        say(c, "yy");
        expect(s, "yy");
}

/* ---- time, retries, queues ---- */

static void test_refused_retries_then_503(void **st)
{
        struct peer *c = client();

        (void)st;
        px_b.timeout.connect = 2000;
        server_gone(0);
        say(c, GET);
        settle();
        assert_int_equal(c->n, 0);
        pass_ms(3500);
        expect_start(c, "HTTP/1.1 503 ");
        assert_int_equal(calls.connect, 4);
        assert_int_equal(((struct back_col *)cell_col(&be.cell))->st.retries, 3);
}

static void test_timeout_server_504(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        px_b.timeout.server = 5000;
        px_f.timeout.client = 60000;
        say(c, GET);
        s = served();
        pass_ms(4900);
        assert_int_equal(c->n, 0);
        pass_ms(200);
        expect_start(c, "HTTP/1.1 504 ");
        assert_true(s->eof || s->reset);
}

/* Manual, timeout server: while the client is the one that is slow, the server's time does not run. */
static void test_slow_upload_is_not_the_servers_fault(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        px_b.timeout.server = 2000;
        px_f.timeout.client = 10000;
        say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
        s = served();
        pass_ms(8000);
        assert_int_equal(c->n, 0);
        say(c, "bc");
        settle();
        pass_ms(1500);
        say(s, OK5);
        expect(c, "hello");
}

static void test_timeout_http_request_408(void **st)
{
        struct peer *c = client(), *quiet = client();

        (void)st;
        px_f.timeout.http_request = 5000;
        for (int i = 0; i < 10; i++) { /* a trickle does not move it */
                say(c, "X");
                settle();
                pass_ms(490);
        }
        assert_int_equal(c->n, 0);
        pass_ms(200);
        expect_start(c, "HTTP/1.1 408 ");
        assert_true(c->eof);
        expect_start(quiet, "HTTP/1.1 408 ");
        assert_true(quiet->eof);
}

static void test_keep_alive_timeout_is_silent(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        px_f.timeout.http_keep_alive = 3000;
        say(c, GET);
        s = served();
        say(s, OK5);
        expect(c, "hello");
        peer_drop_in(c);
        pass_ms(3200);
        assert_int_equal(c->n, 0);
        assert_true(c->eof);
}

/* A later request relies on the session's timer, which was started for another end and passes first. */
static void test_timeouts_of_a_later_request(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        px_b.timeout.server = 5000;
        px_f.timeout.client = 60000;
        px_f.timeout.http_keep_alive = 3000;
        say(c, GET);
        s = served();
        say(s, OK5);
        expect(c, "hello");
        for (int i = 0; i < 3; i++) {
                peer_drop_in(c);
                peer_drop_in(s);
                pass_ms(2000);
                say(c, GET);
                settle();
                pass_ms(4000);
                assert_int_equal(c->n, 0);
                say(s, OK5);
                expect(c, "hello");
        }
        peer_drop_in(c);
        say(c, GET);
        settle();
        pass_ms(4900);
        assert_int_equal(c->n, 0);
        pass_ms(200);
        expect_start(c, "HTTP/1.1 504 ");
}

static void test_queue_timeout_503(void **st)
{
        struct peer *a = client(), *b, *s;

        (void)st;
        atomic_store(&srv[0].maxconn, 1);
        px_b.timeout.queue = 2000;
        say(a, GET);
        s = served();
        b = client();
        say(b, GET);
        settle();
        assert_int_equal(queue_length(be.queue), 1);
        pass_ms(2200);
        expect_start(b, "HTTP/1.1 503 ");
        say(s, OK5);
        expect(a, "hello");
}

static void test_queue_hands_over(void **st)
{
        struct peer *a = client(), *b, *d, *s;

        (void)st;
        atomic_store(&srv[0].maxconn, 1);
        say(a, GET);
        s = served();
        b = client();
        say(b, GET);
        settle();
        d = client();
        say(d, GET);
        settle();
        assert_int_equal(queue_length(be.queue), 2);
        peer_close(b, true); /* gone while it waits: its place in the queue goes at once */
        settle();
        assert_int_equal(queue_length(be.queue), 1);
        assert_int_equal(srv[0].cur, 1);
        say(s, OK5);
        expect(a, "hello");
        s = served_by(0) ?: s;
        settle();
        say(s, OK5);
        expect(d, "hello");
        assert_int_equal(srv[0].cur_max, 1);
}

static void test_reused_connection_closed_by_the_server(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, GET);
        s = served();
        say(s, OK5);
        expect(c, "hello");
        peer_drop_in(c);
        say(c, GET);
        settle();
        peer_close(s, false); /* as if its FIN had crossed our request */
        settle();
        assert_int_equal(c->n, 0); /* the client may repeat it: no 502 */
        assert_true(c->eof);
}

/* Its configuration may be freed with the stream that was the last to hold it. */
static void test_a_server_that_left_keeps_no_connection(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, GET);
        s = served();
        atomic_fetch_or(&be.srv[0]->admin, SRV_ADM_FMAINT);
        say(s, OK5);
        expect(c, "\r\n\r\nhello");
        settle();
        assert_true(s->eof);
}

#define T(name) cmocka_unit_test_setup_teardown(name, start_plain_http, stop)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                T(test_keep_alive_reuses_one_connection),
                T(test_plain_request_costs_four_calls),
                T(test_pipelined_requests_are_answered_in_order),
                T(test_post_with_length_in_pieces),
                T(test_chunked_both_ways_with_trailers),
                T(test_trailers_in_one_read_with_the_head),
                T(test_chunked_answer_to_http10),
                T(test_cut_answer_without_length_is_reset),
                T(test_answer_until_close),
                T(test_continue_100),
                T(test_head_304_204_have_no_body),
                T(test_bulk_spliced),
                T(test_bulk_copied),
                T(test_bulk_chunked),
                T(test_blocked_reader),
                T(test_early_answer_is_delivered_and_nothing_reused),
                T(test_answer_before_a_reset_upload),
                T(test_server_closes_in_mid_body),
                T(test_server_closes_before_an_answer),
                T(test_more_and_less_than_announced),
                T(test_bytes_while_idle_close_the_connection),
                T(test_client_abort_frees_everything),
                T(test_half_closed_client_is_served),
                T(test_bad_requests),
                T(test_bad_chunk_in_request),
                T(test_upgrade_and_connect_become_tunnels),
                T(test_refused_retries_then_503),
                T(test_timeout_server_504),
                T(test_slow_upload_is_not_the_servers_fault),
                T(test_timeout_http_request_408),
                T(test_keep_alive_timeout_is_silent),
                T(test_timeouts_of_a_later_request),
                T(test_queue_timeout_503),
                T(test_queue_hands_over),
                T(test_reused_connection_closed_by_the_server),
                T(test_a_server_that_left_keeps_no_connection),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
