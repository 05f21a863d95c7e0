/* TCP through the whole data plane, and both modes under random cuts and closes. See core/flow_testing.h. */
#include "core/flow_testing.h"

#define BULK (64u << 20)

static int start_tcp(void **st)
{
        (void)st;
        farm_start(PX_TCP, 1);
        return 0;
}

static void test_echo_and_half_close_by_the_client(void **st)
{
        struct peer *c = client(), *s = served();

        (void)st;
        say(c, "ping");
        expect(s, "ping");
        say(s, "pong");
        expect(c, "pong");
        say(c, "last");
        (void)shutdown(c->fd, SHUT_WR);
        expect(s, "last");
        assert_true(s->eof);
        assert_false(c->eof);
        say(s, "answer to the end");
        expect(c, "answer to the end");
        peer_close(s, false);
        settle();
        assert_true(c->eof && !c->reset);
}

static void test_half_close_by_the_server(void **st)
{
        struct peer *c = client(), *s = served();

        (void)st;
        say(s, "banner");
        (void)shutdown(s->fd, SHUT_WR);
        expect(c, "banner");
        assert_true(c->eof);
        say(c, "still talking");
        expect(s, "still talking");
        assert_false(s->eof);
        peer_close(c, false);
        settle();
        assert_true(s->eof && !s->reset);
}

/* A reset is passed on as one, both ways: what was cut must not look whole. */
static void test_reset_is_passed_on(void **st)
{
        struct peer *c = client(), *s = served();

        (void)st;
        say(s, "abc");
        expect(c, "abc");
        peer_close(s, true);
        settle();
        assert_true(c->reset);
        c = client();
        s = served();
        say(c, "abc");
        expect(s, "abc");
        peer_close(c, true);
        settle();
        assert_true(s->reset);
}

/* What a side said before it was reset still arrives. */
static void test_bytes_before_a_reset_are_delivered(void **st)
{
        struct peer *c = client(), *s = served();

        (void)st;
        say(c, "unread by the server");
        settle();
        say(s, "last words");
        peer_close(s, true);
        expect(c, "last words");
        assert_true(c->reset);
}

static void both_bulk(bool splice)
{
        struct peer *c = client(), *s = served();

        px_f.options |= splice ? OPT_SPLICE_REQ | OPT_SPLICE_RSP : 0;
        c->bulk = s->bulk = true;
        keep(c, "\r\n\r\n", 4); /* no head: the pattern begins at once */
        keep(s, "\r\n\r\n", 4);
        bulk_out(c, BULK);
        bulk_out(s, BULK);
        settle();
        assert_int_equal(c->bulk_in, BULK);
        assert_int_equal(s->bulk_in, BULK);
        assert_int_equal(calls.splice > 0, splice);
        assert_int_equal(pipe_used(), splice ? 0 : 1); /* idle again: no pipe is held */
        bulk_out(s, 1000000);                          /* bytes that are still under way when the FIN comes */
        s->bulk_at = BULK;
        c->deaf = true;
        settle();
        peer_close(s, false);
        c->deaf = false;
        settle();
        assert_int_equal(c->bulk_in, BULK + 1000000);
        assert_true(c->eof && !c->reset);
}

static void test_bulk_spliced(void **st)
{
        (void)st;
        both_bulk(true);
}

static void test_bulk_copied(void **st)
{
        struct pipe *p;

        (void)st;
        pipe_set_limit(1);
        p = pipe_get();
        both_bulk(false);
        pipe_put(p);
        pipe_set_limit(0);
}

static void test_timeouts(void **st)
{
        struct peer *c, *s;

        (void)st;
        px_f.timeout.client = 4000;
        px_b.timeout.server = 4000;
        px_f.timeout.client_fin = 1000;
        c = client();
        s = served();
        for (int i = 0; i < 4; i++) { /* one side that talks keeps both alive */
                pass_ms(3000);
                say(s, "x");
                settle();
        }
        assert_int_equal(c->n, 4);
        assert_false(c->eof);
        (void)shutdown(c->fd, SHUT_WR);
        settle();
        pass_ms(1200);
        assert_true(c->eof && (s->eof || s->reset));
}

/* option independent-streams of the backend: what a silent server is sent does not keep it alive; what it says does. */
static void test_independent_streams(void **st)
{
        struct peer *c, *s;

        (void)st;
        px_f.timeout.client = 60000;
        px_b.timeout.server = 4000;
        px_b.options |= OPT_INDEPENDENT_STREAMS;
        c = client();
        s = served();
        for (int i = 0; i < 3; i++) {
                pass_ms(3000);
                say(s, "x");
                settle();
        }
        assert_false(c->eof);
        pass_ms(3000);
        say(c, "y");
        expect(s, "y");
        pass_ms(1200);
        assert_true(c->eof && (s->eof || s->reset));
}

/* ---- 1000 seeds ---- */

static uint64_t seed;

static unsigned rnd(unsigned n)
{
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        return (unsigned)(seed >> 33) % n;
}

static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n12345678",
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;e=1\r\ndefg\r\n0\r\nX-T: "
         "1\r\n\r\n"),
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX",
        "GARBAGE\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nraw",
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
};

static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nraw",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more",
        "NOT HTTP\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nold",
};

#define ACTORS 6

struct actor { /* a peer with a script: says its text in random pieces, then perhaps closes */
        struct peer *p;
        const char *text;
        size_t left;
};

static void act(struct actor *a, const char *const *texts, unsigned n)
{
        size_t piece;

        if (!a->p || a->p->fd < 0)
                return;
        switch (rnd(12)) {
        case 0: peer_close(a->p, rnd(2)); return;
        case 1: (void)shutdown(a->p->fd, SHUT_WR); return;
        case 2: a->p->deaf = !a->p->deaf; return;
        default: break;
        }
        if (a->left == 0) {
                a->text = texts[rnd(n)];
                a->left = strlen(a->text);
        }
        if (a->p->out_n)
                return;
        piece = rnd(3) ? a->left : 1 + rnd((unsigned)a->left);
        say_n(a->p, a->text, piece);
        a->text += piece;
        a->left -= piece;
}

static void new_servers(struct actor *s, unsigned *n)
{
        for (uint32_t i = 0; i < be.n_srv; i++)
                for (struct peer *p; *n < ACTORS * 4 && (p = served_by((int)i)) != NULL;)
                        s[(*n)++] = (struct actor){ .p = p };
}

static void one_seed(int mode, unsigned number)
{
        struct actor c[ACTORS] = { 0 }, s[ACTORS * 4] = { 0 };
        unsigned n = 0;

        seed = number;
        farm_start(mode, 2);
        px_f.timeout.client = px_b.timeout.server = px_b.timeout.connect = 3000;
        px_f.timeout.http_request = 2000;
        px_b.timeout.queue = 1500;
        px_b.http_reuse = rnd(4);
        px_b.options = (rnd(2) ? OPT_ABORTONCLOSE : 0) | (rnd(4) ? 0 : OPT_SERVER_CLOSE) |
                       (rnd(4) ? 0 : OPT_HTTPCLOSE) | (rnd(2) ? OPT_REDISPATCH : 0) |
                       (rnd(2) ? OPT_SPLICE_RSP | OPT_SPLICE_REQ : 0);
        for (int i = 0; i < 2; i++)
                atomic_store(&srv[i].maxconn, rnd(4));
        if (rnd(8) == 0)
                server_gone(0);
        for (unsigned step = 0; step < 60; step++) {
                unsigned i = rnd(ACTORS);
                if (!c[i].p || c[i].p->fd < 0)
                        c[i] = (struct actor){ .p = client() };
                else
                        act(&c[i], requests, array_len(requests));
                if (n)
                        act(&s[rnd(n)], answers, array_len(answers));
                if (rnd(10) == 0)
                        pass_ms(rnd(1500));
                else if (rnd(3))
                        settle();
                new_servers(s, &n);
                for (int k = 0; k < 2; k++)
                        if (srv[k].maxconn && srv[k].cur > srv[k].maxconn)
                                fail_msg("seed %u: %u on a server of maxconn %u", number, srv[k].cur, srv[k].maxconn);
        }
        for (unsigned i = 0; i < ACTORS; i++)
                if (c[i].p)
                        peer_close(c[i].p, rnd(2));
        pass_ms(8000);
        farm_stop();
}

static void test_http_seeds(void **st)
{
        (void)st;
        for (unsigned i = 1; i <= 1000; i++)
                one_seed(PX_HTTP, i);
}

static void test_tcp_seeds(void **st)
{
        (void)st;
        for (unsigned i = 1; i <= 300; i++)
                one_seed(PX_TCP, i);
}

#define T(name) cmocka_unit_test_setup_teardown(name, start_tcp, stop)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                T(test_echo_and_half_close_by_the_client),
                T(test_half_close_by_the_server),
                T(test_reset_is_passed_on),
                T(test_bytes_before_a_reset_are_delivered),
                T(test_bulk_spliced),
                T(test_bulk_copied),
                T(test_timeouts),
                T(test_independent_streams),
                cmocka_unit_test(test_http_seeds),
                cmocka_unit_test(test_tcp_seeds),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
