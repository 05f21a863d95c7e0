/* Hooks that look at what came before it goes on, wait for more, or judge what goes out. See core/flow_testing.h. */
#include "core/content.h"
#include "core/event.h"
#include "core/flow_testing.h"
#include "core/hook.h"
#include "core/rules.h"
#include "core/strm_priv.h"

/* ---- the end of each stream ---- */

static struct {
        unsigned n;
        int status;
        char term[3];
} last;

static void at_end(const void *event)
{
        const struct strm *s = event;

        last.n++;
        last.status = s->status;
        memcpy(last.term, s->term, 2);
}

static const struct event_sub end_sub = { EVENT_STREAM_END, 0, "test", at_end };
EVENT_SUB(end_sub);

/* ---- hooks that a test sets up ---- */

static struct {
        enum content_of of;
        int limit_ms;
        size_t least; /* bytes it waits for */
        unsigned calls;
        char seen[64 * 1024];
        size_t n;
        bool final, body, close;
        enum hook_answer then;
} want;

static void note(struct strm *s)
{
        struct str in;

        (void)content_peek(s, want.of, SIZE_MAX, &in);
        assert_true(in.n <= sizeof(want.seen));
        memcpy(want.seen, in.p, in.n);
        want.n = in.n;
}

static enum hook_answer wait_run(struct strm *s, const void *arg, bool as_front)
{
        int r;

        (void)arg;
        (void)as_front;
        want.calls++;
        if (want.body) {
                r = content_body(s, want.of, want.limit_ms, want.least);
                if (r == RULE_NEXT)
                        note(s);
                return r == RULE_NEXT ? HOOK_NEXT : r == RULE_WAIT ? HOOK_WAIT : HOOK_TAKEN;
        }
        want.final = content_is_final(s, want.of, want.limit_ms);
        note(s);
        if (!want.final && want.n < want.least)
                return HOOK_WAIT;
        strm_wait_done(s);
        if (want.then == HOOK_CLOSE)
                strm_term(s, 'P', 'R');
        return want.then;
}

static enum hook_answer after_edit(struct strm *s, const void *arg, bool as_front, struct hmsg *head)
{
        (void)s;
        (void)arg;
        (void)as_front;
        if (want.close) {
                strm_answer(s, 500);
                return HOOK_TAKEN;
        }
        return hmsg_add(head, STR("x-after"), STR("1")) < 0 ? HOOK_CLOSE : HOOK_NEXT;
}

static bool admits[2];
static unsigned asked[2];

static bool conn_admit(struct sess *s, const void *arg)
{
        (void)arg;
        assert_int_equal(s->src.sa.sa_family, AF_INET);
        asked[0]++;
        return admits[0];
}

static bool sess_admit(struct sess *s, const void *arg)
{
        (void)s;
        (void)arg;
        asked[1]++;
        return admits[1];
}

static const struct hook waiter = { .name = "wait", .run = wait_run };
static const struct hook editor = { .name = "edit", .edit = after_edit };
static const struct hook conn = { .name = "conn", .admit = conn_admit };
static const struct hook session = { .name = "sess", .admit = sess_admit };
static struct hook_use use_wait = { &waiter, NULL }, use_edit = { &editor, NULL }, use_conn = { &conn, NULL },
                       use_sess = { &session, NULL };
static const struct hook_set on_request = { .at = { &use_wait }, .n = { 1 } };
static const struct hook_set on_answer = { .at = { [HOOK_RESPONSE] = &use_wait }, .n = { [HOOK_RESPONSE] = 1 } };
static const struct hook_set on_after = { .at = { [HOOK_AFTER] = &use_edit }, .n = { [HOOK_AFTER] = 1 } };
static const struct hook_set on_accept = { .at = { [HOOK_CONN] = &use_conn, [HOOK_SESS] = &use_sess },
                                           .n = { [HOOK_CONN] = 1, [HOOK_SESS] = 1 } };

static int start(int mode)
{
        event_boot();
        memset(&last, 0, sizeof(last));
        memset(&want, 0, sizeof(want));
        memset(asked, 0, sizeof(asked));
        admits[0] = admits[1] = true;
        farm_start(mode, 1);
        return 0;
}

static int start_http(void **st)
{
        (void)st;
        return start(PX_HTTP);
}

static int start_tcp(void **st)
{
        (void)st;
        return start(PX_TCP);
}

static struct px_sum front_sum(void)
{
        struct px_sum sum;

        px_stat_sum(&fe.cell, &sum);
        return sum;
}

/* ---- accept ---- */

static void test_a_connection_is_refused(void **st)
{
        struct peer *c;

        (void)st;
        fcfg.hooks = &on_accept;
        admits[0] = false;
        c = client();
        settle();
        assert_true(c->reset);
        assert_int_equal(asked[1], 0);
        assert_int_equal(last.n, 0); /* nothing to log */
        assert_int_equal(front_sum().denied_conn, 1);
        assert_int_equal(front_sum().conn_tot, 1);
        assert_int_equal(front_sum().sess_tot, 0);
}

static void test_a_session_is_refused(void **st)
{
        struct peer *c;

        (void)st;
        fcfg.hooks = &on_accept;
        admits[1] = false;
        c = client();
        say(c, "unread"); /* must not make a reset of it */
        settle();
        assert_true(c->eof && !c->reset);
        assert_int_equal(asked[0], 1);
        assert_int_equal(last.n, 0);
        assert_int_equal(front_sum().denied_conn, 0);
        assert_int_equal(front_sum().denied_sess, 1);
        assert_int_equal(front_sum().sess_tot, 0);
        admits[1] = true;
        c = client();
        say(c, "read");
        expect(served(), "read");
}

/* ---- requests in mode tcp ---- */

static void test_bytes_are_held_and_go_on_whole(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        fcfg.hooks = &on_request;
        want.limit_ms = 5000;
        want.least = 6;
        say(c, "abc");
        settle();
        assert_null(served_by(0));
        assert_int_equal(want.n, 3);
        pass_ms(1000);
        say(c, "def");
        s = served();
        assert_int_equal(want.n, 6);
        assert_false(want.final);
        expect_start(s, "abcdef");
        say(c, "ghi");
        expect(s, "abcdefghi");
        pass_ms(6000); /* its limit is no limit of the session */
        say(s, "answer");
        expect(c, "answer");
}

static void test_time_ends_the_wait(void **st)
{
        struct peer *c = client();
        unsigned so_far;

        (void)st;
        fcfg.hooks = &on_request;
        want.limit_ms = 3000;
        want.least = 6;
        say(c, "abc");
        settle();
        pass_ms(2900);
        assert_null(served_by(0));
        so_far = want.calls;
        assert_true(so_far <= 3); /* it sleeps meanwhile */
        pass_ms(200);
        assert_true(want.final);
        expect(served(), "abc");
}

static void test_the_clients_own_time_is_over_first(void **st)
{
        struct peer *c = client();

        (void)st;
        px_f.timeout.client = 2000;
        fcfg.hooks = &on_request;
        want.limit_ms = 9000;
        want.least = 6;
        say(c, "abc");
        settle();
        pass_ms(2100);
        assert_true(c->eof);
        assert_string_equal(last.term, "cR");
        assert_int_equal(front_sum().err_req, 1);
}

static void test_a_fin_and_a_full_buffer_end_the_wait(void **st)
{
        static char much[40000];
        struct peer *c = client(), *s;

        (void)st;
        fcfg.hooks = &on_request;
        want.limit_ms = 9000;
        want.least = SIZE_MAX;
        say(c, "abc");
        settle();
        assert_false(want.final);
        (void)shutdown(c->fd, SHUT_WR);
        s = served();
        assert_true(want.final);
        expect(s, "abc");
        assert_true(s->eof);
        memset(much, 'x', sizeof(much));
        c = client();
        say_n(c, much, sizeof(much));
        s = served();
        assert_int_equal(want.n, 16384);
        settle();
        assert_int_equal(s->n, sizeof(much));
        assert_memory_equal(s->in, much, sizeof(much));
}

static void test_a_rejected_content_is_a_fin(void **st)
{
        struct peer *c = client();

        (void)st;
        fcfg.hooks = &on_request;
        want.then = HOOK_CLOSE;
        say(c, "abc");
        settle();
        assert_true(c->eof && !c->reset);
        assert_null(served_by(0));
        assert_string_equal(last.term, "PR");
}

/* A head is parsed from a copy: what goes on is what came. */
static const char *shown;

static enum hook_answer head_run(struct strm *s, const void *arg, bool as_front)
{
        struct expr_ctx x = { .strm = s, .have = EXPR_AT_CONTENT };
        struct content_head h;

        (void)arg;
        (void)as_front;
        content_head(&h, s, CONTENT_REQUEST, &x);
        shown = x.req && (x.have & EXPR_REQ_HEAD) ? "head" : x.never & EXPR_REQ_HEAD ? "never" : "more";
        content_head_done(&h);
        return shown[0] == 'm' && !content_is_final(s, CONTENT_REQUEST, 1000) ? HOOK_WAIT : HOOK_NEXT;
}

static void test_http_within_tcp(void **st)
{
        static const struct hook h = { .name = "head", .run = head_run };
        static struct hook_use u = { &h, NULL };
        static const struct hook_set set = { .at = { &u }, .n = { 1 } };
        struct peer *c = client();

        (void)st;
        fcfg.hooks = &set;
        say(c, "GET /A HTTP/1.1\r\nHOST: A");
        settle();
        assert_string_equal(shown, "more");
        assert_null(served_by(0));
        say(c, ":80\r\n\r\nrest");
        expect_start(served(), "GET /A HTTP/1.1\r\nHOST: A:80\r\n\r\nrest");
        assert_string_equal(shown, "head");
        c = client();
        say(c, "SSH-2.0\r\n");
        (void)served();
        assert_string_equal(shown, "never");
}

/* ---- answers ---- */

static void test_what_a_tcp_server_says_is_held(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        bcfg.hooks = &on_answer;
        want.of = CONTENT_ANSWER;
        want.limit_ms = 4000;
        want.least = 5;
        say(c, "hello");
        s = served();
        expect(s, "hello"); /* the other direction goes on */
        say(s, "220");
        settle();
        assert_int_equal(c->n, 0);
        say(s, " x");
        expect_start(c, "220 x");
        say(s, " more");
        expect_start(c, "220 x more");
        c = client();
        s = served();
        say(s, "22");
        settle();
        pass_ms(3900);
        assert_int_equal(c->n, 0);
        pass_ms(200);
        expect_start(c, "22");
        want.then = HOOK_CLOSE;
        want.least = 0;
        c = client();
        settle();
        assert_true(c->eof && !c->reset);
}

static void test_an_answers_body_is_waited_for(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        bcfg.hooks = &on_answer;
        want.of = CONTENT_ANSWER;
        want.body = true;
        want.limit_ms = 4000;
        say(c, GET);
        s = served();
        say(s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        settle();
        assert_int_equal(c->n, 0);
        say(s, "3\r\ndef\r\n0\r\n\r\n");
        expect(c, "\r\nabcdef\r\n0\r\n\r\n");
        assert_int_equal(want.n, 6);
        assert_memory_equal(want.seen, "abcdef", 6);
        peer_drop_in(c);
        say(c, GET);
        settle();
        s = served_by(0) ?: s;
        say(s, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
        settle();
        pass_ms(4100);
        expect_start(c, "HTTP/1.1 504 Gateway Time-out\r\n");
        assert_string_equal(last.term, "sH");
        assert_int_equal(front_sum().rsp[1], 1);
}

/* ---- bodies of requests ---- */

#define POST(n) "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " #n "\r\n\r\n"

static void wait_for_body(int ms, size_t least)
{
        fcfg.hooks = &on_request;
        want.body = true;
        want.limit_ms = ms;
        want.least = least;
}

static void test_a_requests_body_is_waited_for(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        wait_for_body(4000, 0);
        say(c, POST(6) "abc");
        settle();
        assert_null(served_by(0));
        say(c, "def");
        s = served();
        assert_memory_equal(want.seen, "abcdef", 6);
        expect(s, "\r\n\r\nabcdef");
        say(s, OK5);
        expect(c, "hello");
        assert_string_equal(last.term, "--");
        assert_false(c->eof); /* the connection serves on */
}

static void test_as_much_as_asked_for_or_fits(void **st)
{
        static char much[30000];
        struct peer *c = client(), *s;

        (void)st;
        wait_for_body(4000, 4);
        say(c, POST(6) "abcd");
        s = served();
        assert_int_equal(want.n, 4);
        say(c, "ef");
        expect(s, "abcdef");
        want.least = 0;
        memset(much, 'x', sizeof(much));
        c = client();
        say(c, POST(30000));
        settle();
        say_n(c, much, sizeof(much));
        s = served();
        assert_true(want.n > 16000 && want.n <= 16384);
        settle();
        assert_true(s->n > sizeof(much));
        assert_memory_equal(s->in + s->n - sizeof(much), much, sizeof(much));
}

static void test_a_body_that_does_not_come(void **st)
{
        struct peer *c = client();

        (void)st;
        wait_for_body(2000, 0);
        say(c, POST(6) "abc");
        settle();
        pass_ms(2100);
        expect_start(c, "HTTP/1.1 408 Request Time-out\r\n");
        assert_string_equal(last.term, "cR");
        assert_int_equal(last.status, 408);
        assert_int_equal(front_sum().err_req, 1);
        assert_true(c->eof);
}

static void test_a_client_that_leaves_in_mid_body(void **st)
{
        struct peer *c = client();

        (void)st;
        wait_for_body(2000, 0);
        say(c, POST(6) "abc");
        settle();
        (void)shutdown(c->fd, SHUT_WR);
        settle();
        assert_null(served_by(0));
        expect_start(c, "HTTP/1.1 400 Bad request\r\n");
        assert_string_equal(last.term, "CR");
        assert_int_equal(front_sum().cli_abort, 1);
}

/* Who waits for a word before it sends its body gets it from us, and the server is not asked for it again. */
static void test_expectations_are_met(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        wait_for_body(2000, 0);
        say(c, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
        expect(c, "HTTP/1.1 100 Continue\r\n\r\n");
        say(c, "abc");
        s = served();
        expect(s, "\r\n\r\nabc");
        assert_null(strstr(s->in, "xpect"));
        say(s, OK5);
        expect(c, "HTTP/1.1 200 OK\r\n");
}

/* ---- what goes out ---- */

static void test_every_answer_is_edited_once(void **st)
{
        struct peer *c = client(), *s;
        const char *at;

        (void)st;
        fcfg.hooks = &on_after;
        say(c, GET);
        s = served();
        say(s, "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" OK5);
        expect(c, "x-after: 1\r\n");
        at = strstr(c->in, "HTTP/1.1 200");
        assert_non_null(at);
        assert_true(strstr(c->in, "x-after") > at); /* a hint is no answer */
        assert_null(strstr(strstr(at, "x-after") + 1, "x-after"));
        peer_drop_in(c);
        peer_close(s, true);
        server_gone(0);
        px_b.retries = 0;
        say(c, GET);
        expect_start(c, "HTTP/1.1 503 ");
        expect(c, "x-after: 1\r\n");
        c = client();
        say(c, "no http\r\n\r\n"); /* no request: rules do not see its answer */
        expect_start(c, "HTTP/1.1 400 ");
        assert_null(strstr(c->in, "x-after"));
}

static void test_an_edit_that_fails_is_an_answer(void **st)
{
        struct peer *c = client(), *s;

        (void)st;
        fcfg.hooks = &on_after;
        want.close = true;
        say(c, GET);
        s = served();
        say(s, OK5);
        expect_start(c, "HTTP/1.1 500 ");
        assert_null(strstr(c->in, "hello"));
        assert_int_equal(last.n, 1);
        server_gone(0);
        px_b.retries = 0;
        c = client();
        say(c, GET);
        expect_start(c, "HTTP/1.1 500 ");
}

#define HTTP(f) cmocka_unit_test_setup_teardown(f, start_http, stop)
#define TCP(f)  cmocka_unit_test_setup_teardown(f, start_tcp, stop)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TCP(test_a_connection_is_refused),
                TCP(test_a_session_is_refused),
                TCP(test_bytes_are_held_and_go_on_whole),
                TCP(test_time_ends_the_wait),
                TCP(test_the_clients_own_time_is_over_first),
                TCP(test_a_fin_and_a_full_buffer_end_the_wait),
                TCP(test_a_rejected_content_is_a_fin),
                TCP(test_http_within_tcp),
                TCP(test_what_a_tcp_server_says_is_held),
                HTTP(test_an_answers_body_is_waited_for),
                HTTP(test_a_requests_body_is_waited_for),
                HTTP(test_as_much_as_asked_for_or_fits),
                HTTP(test_a_body_that_does_not_come),
                HTTP(test_a_client_that_leaves_in_mid_body),
                HTTP(test_expectations_are_met),
                HTTP(test_every_answer_is_edited_once),
                HTTP(test_an_edit_that_fails_is_an_answer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
