/* Which lines a stream leaves, at which steps and in which form: encodings, profiles, structured data, samples. The expected bytes are
 * what HAProxy 3.4.0 wrote for the same formats, but where a comment says otherwise. */
#include "feat/logs/logs_fixture.h"

#define RAW(format) "frontend f\n mode http\n log @ format raw local0\n log-format \"" format "\"\n"

/* The line of the fixture's stream in this format. */
static const char *in_format(const char *conf)
{
        struct fx_conf *c = load(conf);
        struct fx_stream f;
        const char *line;

        if (!c->c)
                fail_msg("%s", c->text.p);
        fx_stream_init(&f, fx_logger(c, "f"));
        line = line_of(&f);
        fx_unload(c);
        return line;
}

static void test_json(void **st)
{
        (void)st;
        assert_string_equal(
                in_format(RAW(
                        "%{+json}o %(request)r %(x)[str(a)] plain %s %(n)[int(-5)] %(b)[bool(true)] %(ip)[src] %(st)ST "
                        "%(B)B %(cc)CC %(hr)hr %(ms)ms %(tsc)tsc")),
                "{\"request\": \"GET /x?y=1 HTTP/1.1\", \"x\": \"a\", \"n\": -5, \"b\": true, \"ip\": \"127.0.0.1\", "
                "\"st\": 200, \"B\": 119, \"cc\": \"\", \"hr\": null, \"ms\": 293, \"tsc\": \"----\"}\n");
        assert_string_equal(
                in_format(RAW(
                        "%{+json}o %(a:str)ST %(b:sint)[str(12)] %(c:bool)[int(7)] %(f:bool)ST %(g:str)[bool(true)] "
                        "%(h:sint)[bool(true)] %(i){-json,+Q}s %(p){+X}cp %(q){+X}ci")),
                "{\"a\": \"200\", \"b\": 12, \"c\": true, \"f\": true, \"g\": \"1\", \"h\": 1, \"i\": \"s1\", \"p\": "
                "\"8260\", \"q\": \"7F000001\"}\n");
        assert_string_equal(in_format(RAW("%{+json}o text %r")), "{}\n");
        assert_string_equal(in_format(RAW("%{+json}r  x %{+json}ST %{+json}[int(4)]|%{+json}CC %{+json}hr")),
                            "\"GET /x?y=1 HTTP/1.1\" x 200 4|\"\" null\n");
        /* HAProxy leaves control bytes as they are and ends at a NUL: no JSON */
        assert_string_equal(
                in_format(RAW("%{+json}o %(ctl)[bin(010a7f225c)] %(u)[bin(c3a9ed9f80)] %(bad)[bin(00ffc0e0809f)]")),
                "{\"ctl\": \"\\u0001\\n\\u007F\\\"\\\\\", \"u\": \"\xc3\xa9\xed\x9f\x80\", \"bad\": "
                "\"\\u0000\\u00FF\\u00C0\\u00E0\\u0080\\u009F\"}\n");
}

static void test_cbor(void **st)
{
        (void)st;
        assert_string_equal(
                in_format(RAW("%{+cbor}o %(x)[str(a)] plain %s %(n)[int(5)] %(neg)[int(-500)] %(b)[bool(true)] %(st)ST "
                              "%(big)[int(70000)] %(huge)[int(5000000000)] %(bn)[bin(00ff41)] %(hr)hr %(CC)CC")),
                "BF61786161616E05636E65673901F36162F562737418C8636269671A0001117064687567651B000000012A05F20062626E5F"
                "4300FF41FF626872F6624343F6FF\n");
        assert_string_equal(in_format(RAW("%{+cbor}o %(ft)ft %(HM)HM %(s)s")),
                            "BF6266747F6166FF62484D7F63474554FF6173627331FF\n");
        assert_string_equal(in_format(RAW("%{+cbor}ST|%{+cbor}s")), "18C8|627331\n");
        assert_string_equal(in_format(RAW("%{+cbor,+bin}o %(s)s %(n)[int(5)]")), "\xbf\x61s\x62s1\x61n\x05\xff\n");
}

/* Of our own: the schema is what the help of the rows says. */
static void test_presets(void **st)
{
        (void)st;
        assert_string_equal(
                in_format("frontend f\n mode http\n log @ format raw local0\n option httplog json\n"),
                "{\"date\": \"21/Nov/2026:12:05:52.293\", \"client_ip\": \"127.0.0.1\", \"client_port\": 33376, \"frontend\": \"f\", "
                "\"backend\": \"b\", \"server\": \"s1\", \"time_request\": 0, \"time_queue\": 0, \"time_connect\": 1, "
                "\"time_response\": 3, \"time_active\": 5, \"status\": 200, \"bytes_read\": 119, \"bytes_uploaded\": 79, "
                "\"req_cookie\": \"\", \"rsp_cookie\": \"\", \"termination\": \"----\", \"process_conns\": 1, \"frontend_conns\": 1, "
                "\"backend_conns\": 0, \"server_conns\": 0, \"retries\": 0, \"server_queue\": 0, \"backend_queue\": 0, "
                "\"req_headers\": null, \"rsp_headers\": null, \"request\": \"GET /x?y=1 HTTP/1.1\", \"method\": \"GET\", \"uri\": "
                "\"/x?y=1\", \"version\": \"HTTP/1.1\", \"unique_id\": \"\"}\n");
        assert_non_null(
                strstr(in_format("frontend f\n log @ format raw local0\n option tcplog json\n"),
                       "\"time_total\": 5, \"bytes_read\": 119, \"bytes_uploaded\": 79, \"termination\": \"--\", "));
}

static void test_escaped_pieces(void **st)
{
        struct fx_conf *c = load(RAW("%{+cbor}r"));
        struct fx_stream f;

        (void)st;
        fx_stream_init(&f, fx_logger(c, "f"));
        fx_request(&f, "G \"");
        assert_string_equal(line_of(&f), "7F62472063233232FF\n");
        fx_unload(c);
}

static void test_bin(void **st)
{
        (void)st;
        assert_string_equal(in_format(RAW("%{+bin}o %{+Q}[bin(01ff41)] %s a  b %{+Q}[str(x)]")), "\x01\xff"
                                                                                                 "A s1 a b \"x\"\n");
        assert_string_equal(in_format(RAW("%{+bin}[bin(01ff41)]")), "#01\xff"
                                                                    "A\n");
}

/* What does not fit is left out, never past the end. */
static void test_no_room(void **st)
{
        struct fx_conf *c = load(RAW("%{+json}o %(request)r %(n)[int(-500)]") " log-format-sd \"%{+cbor}o %(r)r\"\n");
        struct fx_stream f;
        char out[128];

        (void)st;
        fx_stream_init(&f, fx_logger(c, "f"));
        for (size_t room = 0; room < 64; room++) {
                struct expr_ctx x = { .strm = &f.s, .sess = f.s.sess, .have = EXPR_AT_LOG, .final = true };

                memset(out, '~', sizeof(out));
                assert_in_range(logfmt_print(f.s.fcfg->log->format, &x, out, room), 0, room);
                assert_int_equal(out[room], '~');
                memset(out, '~', sizeof(out));
                assert_in_range(logfmt_print(f.s.fcfg->log->sd, &x, out, room), 0, room);
                assert_int_equal(out[room], '~');
        }
        fx_unload(c);
}

#define HEAD_5424 "<134>1 2026-11-21T12:05:52.298123+00:00 - "

static void test_structured_data(void **st)
{
        (void)st;
        assert_string_equal(in_format("frontend f\n mode http\n log @ format rfc5424 local0\n log-format \"%ST\"\n"
                                      " log-format-sd \"[a b=\\\"%ST\\\"]\"\n"),
                            HEAD_5424 "haproxy 18760 - [a b=\"200\"] 200\n");
        assert_string_equal(in_format("frontend f\n mode http\n log @ format raw local0\n log-format \"%ST\"\n"
                                      " log-format-sd \"[a b=\\\"%ST\\\"]\"\n"),
                            "200\n");
        assert_string_equal(in_format("frontend f\n mode http\n log @ format rfc5424 local0\n log-format \"%ST\"\n"
                                      " log-format-sd \"%HQ\"\n"),
                            HEAD_5424 "haproxy 18760 - ?y=1 200\n");
}

static void test_profile(void **st)
{
        static const char profile[] =
                "frontend f\n mode http\n log @ format rfc5424 profile p local0\n log-format \"%ST\"\n"
                " log-format-sd \"[x]\"\nlog-profile p\n";
        static const char *const say[][2] = {
                { " log-tag T\n on any format \"%OG\"\n", HEAD_5424 "T 18760 - [x] txn_close\n" },
                { " on any format \"any\"\n on close sd \"[z]\"\n", HEAD_5424 "haproxy 18760 - [z] 200\n" },
                { " on close sd \"[z]\"\n on any format any\n on close format c\n",
                  HEAD_5424 "haproxy 18760 - [z] c\n" },
                { " on close drop format c\n", "" },
                { " on accept drop\n", HEAD_5424 "haproxy 18760 - [x] 200\n" },
                { " on any drop\n", "" },
        };
        char text[512];

        (void)st;
        for (size_t i = 0; i < array_len(say); i++) {
                (void)snprintf(text, sizeof(text), "%s%s", profile, say[i][0]);
                assert_string_equal(in_format(text), say[i][1]);
        }
}

/* A profile is one target's; `log global` brings that of the global line. */
static void test_profile_of_a_target(void **st)
{
        struct fx_conf *c = load("global\n log @ format raw profile p local0\n"
                                 "frontend f\n mode http\n log @ format raw local0\n log global\n log-format \"%ST\"\n"
                                 "log-profile p\n on any format mine\n");
        struct fx_stream f;

        (void)st;
        fx_stream_init(&f, fx_logger(c, "f"));
        assert_string_equal(line_of(&f), "200\n");
        assert_string_equal(got(), "mine\n");
        fx_unload(c);
}

static void test_steps(void **st)
{
        struct fx_conf *c = load(RAW("%OG %ST %TR %r %lc %B") " log-steps all\n");
        const struct logger *l = fx_logger(c, "f");
        struct fx_stream f;
        mono_t end;

        (void)st;
        fx_stream_init(&f, l);
        end = f.s.t.end;
        f.s.t.end = 0;
        f.s.status = 0;
        log_point(&f.s, l, LOG_ON_ACCEPT | LOG_ON_REQUEST);
        assert_string_equal(got(), "txn_accept 0 -1 <BADREQ> 0 119\n");
        assert_string_equal(got(), "txn_request -1 -1 GET /x?y=1 HTTP/1.1 1 119\n");
        log_point(&f.s, l, LOG_ON_CONNECT);
        assert_string_equal(got(), "txn_connect -1 0 GET /x?y=1 HTTP/1.1 2 119\n");
        log_point(&f.s, l, LOG_ON_RESPONSE);
        assert_string_equal(got(), "txn_response -1 0 GET /x?y=1 HTTP/1.1 3 119\n");
        f.s.t.end = end;
        assert_string_equal(line_of(&f), "txn_close -1 0 GET /x?y=1 HTTP/1.1 4 119\n");
        assert_string_equal(line_of(&f), "");
        fx_unload(c);
        c = load(RAW("%OG") " log-steps accept,response\n");
        l = fx_logger(c, "f");
        fx_stream_init(&f, l);
        log_point(&f.s, l, LOG_ON_ACCEPT | LOG_ON_REQUEST);
        assert_string_equal(got(), "txn_accept\n");
        log_point(&f.s, l, LOG_ON_CONNECT);
        assert_string_equal(got(), "");
        assert_string_equal(line_of(&f), "");
        fx_unload(c);
}

/* A format that asks for nothing of the end is written with the answer; logasap goes before log-steps. */
static void test_early(void **st)
{
        static const struct {
                const char *conf;
                unsigned when;
        } t[] = {
                { RAW("%ST %ci"), LOG_ON_RESPONSE },
                { RAW("%ST %ts"), LOG_ON_CLOSE },
                { RAW("%ST") " log-format-sd %B\n", LOG_ON_CLOSE },
                { RAW("%ST") " log @ profile p local0\nlog-profile p\n on any format %Tt\n", LOG_ON_CLOSE },
                { RAW("%B") " option logasap\n log-steps accept\n", LOG_ON_RESPONSE },
                { RAW("%B") " log-steps accept,connect\n", LOG_ON_ACCEPT | LOG_ON_CONNECT },
                { "frontend f\n log @ local0\n log-format %ci\n", LOG_ON_CONNECT },
                { "frontend f\n log @ local0\n", LOG_ON_ACCEPT },
                { "frontend f\n mode http\n log @ local0\n", LOG_ON_REQUEST },
                { "frontend f\n mode http\n log @ local0\n log-steps all\n", LOG_ON_REQUEST },
        };

        (void)st;
        for (size_t i = 0; i < array_len(t); i++) {
                struct fx_conf *c = load(t[i].conf);

                assert_int_equal(fx_logger(c, "f")->when, t[i].when);
                fx_unload(c);
        }
}

/* No request came to be: error-log-format, or the line like any other. The default format says nothing. */
static void test_session_error(void **st)
{
        static const char *const say[][2] = {
                { RAW("%OG %r"), "sess_error <BADREQ>\n" },
                { RAW("%OG %r") " error-log-format \"err %ST\"\n", "err 400\n" },
                { RAW("%OG %r") " error-log-format \"err %ST\"\n log-steps accept\n", "err 400\n" },
                { "frontend f\n mode http\n log @ format raw local0\n error-log-format \"err %OG\"\n",
                  "err sess_error\n" },
                { "frontend f\n mode http\n log @ format raw local0\n", "" },
                { "frontend f\n mode http\n log @ format raw profile p local0\n log-format x\n error-log-format y\nlog-profile p\n"
                  " on error format \"p %ST\"\n",
                  "p 400\n" },
        };

        (void)st;
        for (size_t i = 0; i < array_len(say); i++) {
                struct fx_conf *c = load(say[i][0]);
                struct fx_stream f;

                fx_stream_init(&f, fx_logger(c, "f"));
                f.s.log.request = NULL;
                f.s.t.request = 0;
                f.s.status = 400;
                assert_string_equal(line_of(&f), say[i][1]);
                fx_unload(c);
        }
}

/* One count for all that write by a line; a range takes both ends. */
static void test_sample(void **st)
{
        struct fx_conf *c = load("global\n log @ sample 1-2,4:5 format raw local0\n"
                                 "defaults\n mode http\n log global\n log-format \"%f %rt\"\nfrontend f\nfrontend g\n");
        const struct logger *l[2] = { fx_logger(c, "f"), fx_logger(c, "g") };
        struct fx_stream f;

        (void)st;
        for (unsigned i = 1; i <= 11; i++) {
                bool sent = i % 5 == 1 || i % 5 == 2 || i % 5 == 4;

                fx_stream_init(&f, l[i % 2]);
                assert_int_equal(line_of(&f)[0], sent ? 'f' : '\0');
        }
        fx_unload(c);
}

static void test_round_trip(void **st)
{
        static const char text[] =
                "global\n log 127.0.0.1:514 sample 1-2,4:5 profile p local0 info notice\n log ring@r local0\n"
                "frontend f\n mode http\n log global\n log tcp@127.0.0.1:515 local0\n log-steps accept,close\n"
                " log-format-sd \"[a]\"\n error-log-format \"%ci x\"\n http-request do-log profile p\n"
                "log-profile p\n log-tag T\n on any drop format \"a b\" sd \"[x y]\"\n"
                "ring r\n description \"a b\"\n format raw\n maxlen 100\n size 4096\n timeout connect 1s\n"
                " timeout server 2s\n server a 127.0.0.1:1 log-proto octet-count\n server b 127.0.0.1:2\n";
        struct fx_conf *a = fx_load(text), *b;
        AUTO_BUF(one);
        AUTO_BUF(two);

        (void)st;
        if (!a->c)
                fail_msg("%s", a->text.p);
        conf_dump(a->c, &one);
        buf_putc(&one, '\0');
        assert_non_null(strstr(one.p, "log 127.0.0.1:514 sample 1-2,4:5 profile p local0 info notice\n"));
        assert_non_null(strstr(one.p, "log-steps accept,close\n"));
        assert_non_null(strstr(one.p, "on any drop format \"a b\" sd \"[x y]\"\n"));
        assert_non_null(strstr(one.p, "server a 127.0.0.1:1 log-proto octet-count\n    server b 127.0.0.1:2\n"));
        b = fx_load(one.p);
        if (!b->c)
                fail_msg("%s", b->text.p);
        conf_dump(b->c, &two);
        buf_putc(&two, '\0');
        assert_string_equal(one.p, two.p);
        fx_unload(a);
        fx_unload(b);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_json, setup, teardown),
                cmocka_unit_test_setup_teardown(test_cbor, setup, teardown),
                cmocka_unit_test_setup_teardown(test_presets, setup, teardown),
                cmocka_unit_test_setup_teardown(test_escaped_pieces, setup, teardown),
                cmocka_unit_test_setup_teardown(test_bin, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_room, setup, teardown),
                cmocka_unit_test_setup_teardown(test_structured_data, setup, teardown),
                cmocka_unit_test_setup_teardown(test_profile, setup, teardown),
                cmocka_unit_test_setup_teardown(test_profile_of_a_target, setup, teardown),
                cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
                cmocka_unit_test_setup_teardown(test_early, setup, teardown),
                cmocka_unit_test_setup_teardown(test_session_error, setup, teardown),
                cmocka_unit_test_setup_teardown(test_sample, setup, teardown),
                cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
