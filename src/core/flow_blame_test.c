/* Who is to blame for a stream's end: the letters of the log (manual 8.5) and the counters. See core/flow_testing.h. */
#include "core/event.h"
#include "core/flow_testing.h"

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define POST    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static struct {
        unsigned n;
        int status;
        char term[3];
        bool server; /* one was chosen */
        struct strm_ms ms;
} last;

static void at_end(const void *event)
{
        const struct strm *s = event;

        last.n++;
        last.status = s->status;
        memcpy(last.term, s->term, 2);
        last.server = s->srv != NULL;
        strm_ms(s, &last.ms);
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

/* What the columns say, in short: e = ereq, E = eresp, c = cli_abrt, s = srv_abrt; those of the backend, and the server agrees. */
static const char *blame(void)
{
        static char b[64];
        struct px_sum f, p, s;

        px_stat_sum(&fe.cell, &f);
        px_stat_sum(&be.cell, &p);
        px_stat_sum(&srv[0].cell, &s);
        assert_int_equal(p.err_resp, s.err_resp);
        assert_int_equal(p.srv_abort, s.srv_abort);
        assert_int_equal(p.cli_abort, s.cli_abort);
        (void)snprintf(b, sizeof(b), "e%u E%u c%u s%u", (unsigned)f.err_req, (unsigned)p.err_resp,
                       (unsigned)p.cli_abort, (unsigned)p.srv_abort);
        return b;
}

static void ended(int status, const char *term, const char *counters)
{
        settle();
        assert_int_equal(last.n, 1);
        assert_int_equal(last.status, status);
        assert_string_equal(last.term, term);
        assert_string_equal(blame(), counters);
}

static struct peer *asked(struct peer **ret_client)
{
        *ret_client = client();
        say(*ret_client, GET);
        return served();
}

/* ---- answers ---- */

static void invalid_answer(const char *answer)
{
        struct peer *c, *s = asked(&c);

        say(s, answer);
        expect_start(c, "HTTP/1.1 502 Bad Gateway\r\n");
        ended(502, "PH", "e0 E1 c0 s0");
        assert_int_equal(last.ms.tr, -1);
}

static void test_garbage(void **st)
{
        (void)st;
        invalid_answer("\001\002garbage\r\n\r\n");
}

static void test_two_lengths(void **st)
{
        (void)st;
        invalid_answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok");
}

static void test_tunnel_nobody_asked_for(void **st)
{
        (void)st;
        invalid_answer("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\nraw");
}

static void test_bad_chunk_behind_the_head(void **st)
{
        (void)st;
        invalid_answer(CHUNKED "ZZ\r\nok\r\n0\r\n\r\n");
}

static void test_bad_chunk_behind_a_good_one(void **st)
{
        (void)st;
        invalid_answer(CHUNKED "2\r\nokXX0\r\n\r\n");
}

static void test_bare_lf_chunks(void **st)
{
        (void)st;
        invalid_answer(CHUNKED "2\nok\n0\n\n");
}

static void test_bad_trailers(void **st)
{
        (void)st;
        invalid_answer(CHUNKED "2\r\nok\r\n0\r\nfoo bar\r\n\r\n");
}

static void test_bad_chunk_later(void **st)
{
        struct peer *c, *s = asked(&c);

        (void)st;
        say(s, CHUNKED "2\r\nok\r\n");
        expect(c, "2\r\nok\r\n");
        say(s, "ZZ\r\n");
        ended(200, "PD", "e0 E1 c0 s0");
        assert_null(strstr(c->in, "0\r\n\r\n"));
        assert_true(c->eof || c->reset);
}

static void test_good_chunks_and_the_start_of_trailers(void **st)
{
        struct peer *c, *s = asked(&c);

        (void)st;
        say(s, CHUNKED "2\r\nok\r\n0\r\nX-T: ");
        expect(c, "2\r\nok\r\n");
        say(s, "1\r\n\r\n");
        expect(c, "0\r\nx-t: 1\r\n\r\n");
        ended(200, "--", "e0 E0 c0 s0");
}

static void test_server_closes_without_a_word(void **st)
{
        struct peer *c, *s = asked(&c);

        (void)st;
        peer_close(s, false);
        expect_start(c, "HTTP/1.1 502 ");
        ended(502, "SH", "e0 E1 c0 s0"); /* srv_abrt counts transfers */
}

static void test_server_closes_in_mid_answer(void **st)
{
        struct peer *c, *s = asked(&c);

        (void)st;
        say(s, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
        expect(c, "\r\n\r\nhe");
        peer_close(s, false);
        ended(200, "SD", "e0 E1 c0 s1");
}

static void test_silent_server(void **st)
{
        struct peer *c, *s;

        (void)st;
        px_b.timeout.server = 1000;
        s = asked(&c);
        say(s, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
        expect(c, "\r\n\r\nhe");
        pass_ms(1200);
        ended(200, "sD", "e0 E0 c0 s1");
}

/* ---- requests ---- */

static void invalid_request(const char *request)
{
        struct peer *c = client();

        say(c, request);
        expect_start(c, "HTTP/1.1 400 Bad request\r\n");
        ended(400, "PR", "e1 E0 c0 s0");
        assert_false(last.server);
        assert_null(served_by(0));
}

static void test_request_with_bad_first_chunk(void **st)
{
        (void)st;
        invalid_request(POST "ZZ\r\nabc\r\n0\r\n\r\n");
}

static void test_request_with_bad_trailers(void **st)
{
        (void)st;
        invalid_request(POST "3\r\nabc\r\n0\r\nfoo bar\r\n\r\n");
}

static void test_bad_chunk_of_a_request_later(void **st)
{
        struct peer *c = client();

        (void)st;
        say(c, POST "3\r\nabc\r\n");
        (void)served();
        say(c, "ZZ\r\n");
        expect_start(c, "HTTP/1.1 400 ");
        ended(400, "PH", "e1 E0 c0 s0");
}

static void test_client_closes_in_mid_request(void **st)
{
        struct peer *c = client();

        (void)st;
        say(c, POST "3\r\nab");
        (void)served();
        peer_close(c, true);
        ended(400, "CH", "e0 E0 c1 s0");
}

static void test_early_answer_is_nobodys_fault(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        say(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
        s = served();
        say(s, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
        expect(c, "\r\n\r\nbig");
        ended(413, "--", "e0 E0 c0 s0");
}

static void test_silent_client(void **st)
{
        struct peer *c = client();

        (void)st;
        px_f.timeout.client = 1000;
        say(c, POST "3\r\nabc\r\n");
        (void)served();
        pass_ms(1200);
        ended(408, "cH", "e0 E0 c1 s0");
}

static void test_never_a_request(void **st)
{
        (void)st;
        px_f.timeout.http_request = 2000;
        (void)client();
        pass_ms(2200);
        ended(408, "cR", "e1 E0 c0 s0");
        assert_int_equal(last.ms.ti, 0);
        assert_in_range(last.ms.ta, 2000, 2200); /* all of it was the wait for a request (manual 8.4) */
}

static void test_queue_timeout_is_an_error_of_the_backend(void **st)
{
        struct peer *c;
        struct px_sum p;

        (void)st;
        px_b.timeout.queue = 1000;
        atomic_store(&srv[0].maxconn, 1);
        (void)asked(&c);
        c = client();
        say(c, GET);
        pass_ms(1200);
        ended(503, "sQ", "e0 E0 c0 s0");
        px_stat_sum(&be.cell, &p);
        assert_int_equal(p.err_conn, 1);
}

/* ---- TCP ---- */

static void test_fin_gives_a_silent_server_no_more_time(void **st)
{
        struct peer *c = client();

        (void)st;
        px_f.timeout.client = 2000;
        px_b.timeout.server = 2000;
        say(c, "x");
        (void)served();
        pass_ms(600);
        (void)shutdown(c->fd, SHUT_WR);
        pass_ms(1300);
        assert_int_equal(last.n, 0);
        pass_ms(200);
        ended(0, "sD", "e0 E0 c0 s1");
}

#define T(name) cmocka_unit_test_setup_teardown(name, start_http, stop)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                T(test_garbage),
                T(test_two_lengths),
                T(test_tunnel_nobody_asked_for),
                T(test_bad_chunk_behind_the_head),
                T(test_bad_chunk_behind_a_good_one),
                T(test_bare_lf_chunks),
                T(test_bad_trailers),
                T(test_bad_chunk_later),
                T(test_good_chunks_and_the_start_of_trailers),
                T(test_server_closes_without_a_word),
                T(test_server_closes_in_mid_answer),
                T(test_silent_server),
                T(test_request_with_bad_first_chunk),
                T(test_request_with_bad_trailers),
                T(test_bad_chunk_of_a_request_later),
                T(test_client_closes_in_mid_request),
                T(test_early_answer_is_nobodys_fault),
                T(test_silent_client),
                T(test_never_a_request),
                T(test_queue_timeout_is_an_error_of_the_backend),
                cmocka_unit_test_setup_teardown(test_fin_gives_a_silent_server_no_more_time, start_tcp, stop),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
