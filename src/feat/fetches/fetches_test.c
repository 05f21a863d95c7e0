/* Samples and converters: each row against what the manual says and HAProxy answered. */
#include "feat/fetches/fetches_testing.h"

static struct fx_head req, rsp;

static int setup(void **st)
{
        (void)st;
        fx_thread();
        kw_boot();
        conf = fx_load("global\n");
        world.host = (char *)(uintptr_t) "vm";
        world.pid = 77;
        fx_stream_init(&fs, NULL);
        fs.fe.iid = 3;
        fs.be.iid = 4;
        fs.srv.puid = 2;
        atomic_init(&fs.be.act, 2);
        atomic_init(&fs.be.bck, 1);
        assert_true(fx_head(
                &req,
                "GET /a/b.html?x=1&y HTTP/1.1\r\nHost: www.example.com\r\nX-Forwarded-For: 10.0.0.1, 10.0.0.2\r\n"
                "x-forwarded-for: \"a,b\", [2001:db8::1]\r\nX-Empty:\r\nX-N: 42abc\r\n\r\n",
                false));
        assert_true(fx_head(&rsp, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nX-A: b\r\nSet-Cookie: k=v, w\r\n\r\n",
                            true));
        fs.s.req = &req.m;
        fs.s.rsp = &rsp.m;
        return 0;
}

static void test_fetches(void **st)
{
        static const struct pair t[] = {
                { "src", "127.0.0.1" },
                { "src_port", "33376" },
                { "dst", "127.0.0.1" },
                { "dst_port", "27001" },
                { "fe_name", "f" },
                { "fe_id", "3" },
                { "be_name", "b" },
                { "be_id", "4" },
                { "srv_name", "s1" },
                { "srv_id", "2" },
                { "nbsrv", "2" },
                { "nbsrv(nope)", "<miss>" },
                { "method", "GET" },
                { "path", "/a/b.html" },
                { "pathq", "/a/b.html?x=1&y" },
                { "url", "/a/b.html?x=1&y" },
                { "query", "x=1&y" },
                { "req.ver", "1.1" },
                { "status", "404" },
                { "res.ver", "1.1" },
                { "str(a b)", "a b" },
                { "str(\"a,b)\")", "a,b)" },
                { "str(\"a,b\")", "a,b" },
                { "str(a\\d+b)", "a\\d+b" }, /* as in a regular expression */
                { "str(a\\tb)", "a\tb" },
                { "int(-5)", "-5" },
                { "bool(true)", "1" },
                { "bool(0)", "0" },
                { "always_true", "1" },
                { "always_false", "0" },
                { "date", "1795262752" },
                { "date(-2)", "1795262750" },
                { "date(0,ms)", "1795262752298" },
                { "date(1,us)", "1795262752298124" },
                { "hostname", "vm" },
        };

        (void)st;
        check(t, array_len(t));
}

static void test_headers(void **st)
{
        static const struct pair t[] = {
                { "hdr(host)", "www.example.com" },
                { "req.hdr(Host)", "www.example.com" },
                { "req.hdr(x-forwarded-for)", "[2001:db8::1]" }, /* the last one */
                { "req.hdr(x-forwarded-for,1)", "10.0.0.1" },
                { "req.hdr(x-forwarded-for,2)", "10.0.0.2" },
                { "req.hdr(x-forwarded-for,3)", "\"a,b\"" },
                { "req.hdr(x-forwarded-for,-2)", "\"a,b\"" },
                { "req.hdr(x-forwarded-for,-4)", "10.0.0.1" },
                { "req.hdr(x-forwarded-for,5)", "<miss>" },
                { "req.hdr(x-forwarded-for,-5)", "<miss>" },
                { "req.fhdr(x-forwarded-for)", "\"a,b\", [2001:db8::1]" },
                { "req.fhdr(x-forwarded-for,1)", "10.0.0.1, 10.0.0.2" },
                { "req.hdr(x-empty)", "" },
                { "req.hdr(x-none)", "<miss>" },
                { "hdr_cnt(x-forwarded-for)", "4" },
                { "req.fhdr_cnt(x-forwarded-for)", "2" },
                { "req.hdr_cnt(x-none)", "0" },
                { "hdr_val(x-n)", "42" },
                { "hdr_ip(x-forwarded-for,1)", "10.0.0.1" },
                { "hdr_ip(x-forwarded-for)", "2001:db8::1" },
                { "hdr_ip(host)", "<miss>" },
                { "res.hdr(x-a)", "b" },
                { "res.hdr(set-cookie)", "w" },
                { "res.fhdr(set-cookie)", "k=v, w" },
                { "res.hdr_cnt(x-a)", "1" },
                { "res.hdr_val(content-length)", "0" },
        };

        (void)st;
        check(t, array_len(t));
}

static void test_targets(void **st)
{
        struct fx_head h;

        (void)st;
        assert_true(fx_head(&h, "GET http://h.x/p?q HTTP/1.1\r\nHost: h.x\r\n\r\n", false));
        fs.s.req = &h.m;
        assert_string_equal(eval("path"), "/p");
        assert_string_equal(eval("query"), "q");
        assert_true(fx_head(&h, "OPTIONS * HTTP/1.0\r\n\r\n", false));
        assert_string_equal(eval("path"), "<miss>");
        assert_string_equal(eval("url"), "*");
        assert_string_equal(eval("query"), "<miss>");
        assert_string_equal(eval("req.ver"), "1.0");
        fs.s.req = NULL; /* as in a log line: only what was kept */
        assert_string_equal(eval_at("method", EXPR_AT_LOG, EXPR_AT_LOG, true), "GET");
        assert_string_equal(eval_at("req.ver", EXPR_AT_LOG, EXPR_AT_LOG, true), "1.1");
        fs.s.req = &req.m;
}

/* Examples of manual 7.3.1, and the edges around them. */
static void test_converters(void **st)
{
        static const struct pair t[] = {
                { "str(aBc),lower", "abc" },
                { "str(aBc),upper", "ABC" },
                { "hdr(host),upper,lower", "www.example.com" },
                { "str(abc),length", "3" },
                { "str(),length", "0" },
                { "str(a~Z),hex", "617E5A" },
                { "src,hex", "7F000001" },
                { "str(),base64", "" }, /* RFC 4648 section 10 */
                { "str(f),base64", "Zg==" },
                { "str(fo),base64", "Zm8=" },
                { "str(foobar),base64", "Zm9vYmFy" },
                { "str(Zm9vYg==),b64dec,hex", "666F6F62" },
                { "str(Zm9vYg),b64dec", "<miss>" }, /* padding is part of it */
                { "str(Zm9v-g==),b64dec", "<miss>" },
                { "str(Zm=v),b64dec", "<miss>" },
                { "bin(fbeffe),base64", "++/+" },
                { "bin(fbeffe),ub64enc", "--_-" },
                { "bin(FB),ub64enc", "-w" },
                { "str(--_-),ub64dec,hex", "FBEFFE" },
                { "str(-w),ub64dec,hex", "FB" },
                { "str(-w==),ub64dec,hex", "FB" },
                { "str(A),ub64dec", "<miss>" },
                { "str(++/+),ub64dec", "<miss>" },
                { "bin(00ff),hex", "00FF" },
                { "int(258),hex", "0000000000000102" },
                { "str(012345),bytes(0)", "012345" },
                { "str(012345),bytes(1,3)", "123" },
                { "str(012345),bytes(4,9)", "45" },
                { "str(012345),bytes(6)", "" },
                { "str(f1_f2_f3__f5),field(4,_)", "" },
                { "str(f1_f2_f3__f5),field(5,_)", "f5" },
                { "str(f1_f2_f3__f5),field(6,_)", "<miss>" },
                { "str(f1_f2_f3__f5),field(2,_,0)", "f2_f3__f5" },
                { "str(f1_f2_f3__f5),field(2,_,2)", "f2_f3" },
                { "str(f1_f2_f3__f5),field(-2,_,3)", "f2_f3_" },
                { "str(f1_f2_f3__f5),field(-3,_,0)", "f1_f2_f3" },
                { "str(a_),field(2,_)", "" },
                { "str(a_),field(-1,_)", "" },
                { "str(f1_f2_f3__f5),word(4,_)", "f5" },
                { "str(f1_f2_f3__f5),word(5,_)", "<miss>" },
                { "str(f1_f2_f3__f5),word(2,_,0)", "f2_f3__f5" },
                { "str(f1_f2_f3__f5),word(3,_,2)", "f3__f5" },
                { "str(f1_f2_f3__f5),word(-2,_,3)", "f1_f2_f3" },
                { "str(f1_f2_f3__f5),word(-3,_,0)", "f1_f2" },
                { "str(/f1/f2/f3/f4),word(1,/)", "f1" },
                { "str(__),word(1,_)", "<miss>" },
                { "str(a.b:c),field(3,:.)", "c" },
                { "int(5),bool", "1" },
                { "int(0),bool", "0" },
                { "int(5),not", "0" },
                { "bool(0),not", "1" },
                { "int(5),add(3)", "8" },
                { "int(5),sub(8)", "-3" },
                { "int(9223372036854775807),add(1)", "9223372036854775807" },
                { "int(-9223372036854775807),sub(2)", "-9223372036854775808" },
                { "str(12abc),add(1)", "13" }, /* the number it starts with, as HAProxy */
                { "str(abc),add(1)", "1" },
                { "str(),add(1)", "<miss>" },
                { "str(99999999999999999999),add(0)", "9223372036854775807" },
        };

        (void)st;
        check(t, array_len(t));
}

static void test_compile_errors(void **st)
{
        static const struct pair t[] = {
                { "foo", "unknown fetch method 'foo'" },
                { "", "missing fetch method" },
                { "src,foo", "unknown converter 'foo'" },
                { "src,lower(1)", "too many arguments for 'lower'" },
                { "str", "missing arguments (got 0/1) in 'str'" },
                { "str(a", "expected ')'" },
                { "int(x)", "failed to parse 'x'" },
                { "int(1,2)", "too many arguments for 'int'" },
                { "bool(maybe)", "expects 'true', 'false', '1' or '0'" },
                { "date(0,h)", "unknown unit 'h'" },
                { "rand(0)", "the range must be between 1 and 4294967295" },
                { "hdr(a,0)", "counted from 1" },
                { "str(a),field(0,_)", "Unexpected value 0 for index." },
                { "always_true,bytes(1)", "converter 'bytes' cannot be applied" },
                { "str('a)", "unmatched quote" },
        };

        (void)st;
        check_alerts(t, array_len(t));
        assert_non_null(strstr(
                eval_at("res.hdr(a)", EXPR_AT_REQUEST, EXPR_AT_REQUEST, true),
                "sample fetch <res.hdr> may not be reliably used here because it needs 'HTTP response headers' which "
                "is not available here."));
        assert_string_equal(eval_at("res.hdr(a)", EXPR_AT_RESPONSE, EXPR_AT_REQUEST, false), "<wait>");
        assert_string_equal(eval_at("res.hdr(a)", EXPR_AT_RESPONSE, EXPR_AT_REQUEST, true), "<miss>");
}

static void test_many_converters(void **st)
{
        AUTO_BUF(text);

        (void)st;
        buf_puts(&text, "str(a)");
        for (int i = 0; i < 63; i++)
                buf_puts(&text, ",upper");
        buf_add(&text, "", 1);
        assert_string_equal(eval(text.p), "A");
        text.n--;
        buf_add(&text, ",upper", 7);
        assert_non_null(strstr(eval(text.p), "too many converters"));
}

static void test_rand(void **st)
{
        (void)st;
        for (int i = 0; i < 100; i++)
                assert_in_range(atoi(eval("rand(10)")), 0, 9);
}

static void test_keep(void **st)
{
        struct smp s;
        char bytes[] = "abc";

        (void)st;
        smp_str(&s, (struct str){ bytes, 3 });
        assert_true(smp_keep(&s, &fs.s));
        memcpy(bytes, "xyz", 3);
        assert_memory_equal(s.s.p, "abc", 3);
        for (int i = 0; i < 1000; i++) {
                char big[100];

                memset(big, 'a' + i % 26, sizeof(big));
                smp_str(&s, (struct str){ big, sizeof(big) });
                assert_true(smp_keep(&s, &fs.s));
        }
        assert_int_equal(s.s.n, 100);
        expr_state_fini(&fs.s);
        expr_state_fini(&fs.s);
        assert_null(fs.s.vars);
}

/* Text for headers: blanks stay, what is missing is empty, bytes that a field cannot hold become %XX. */
static void test_header_format(void **st)
{
        struct diags d;
        struct kw_call c = { .conf = conf->c, .diags = &d };
        struct expr_ctx x = { .strm = &fs.s, .sess = &fs.ss, .req = &req.m, .have = EXPR_AT_REQUEST, .final = true };
        const struct logfmt *f;
        char out[128];
        size_t n;

        (void)st;
        diags_init(&d);
        f = logfmt_compile(&c, STR("  a  %[hdr(none)]|%[hdr(host)] %ci%% %[str(a\tb\x01)]"), NULL, EXPR_AT_REQUEST);
        assert_non_null(f);
        assert_false(logfmt_is_const(f));
        n = logfmt_print(f, &x, out, sizeof(out));
        assert_int_equal(n, strlen("  a  |www.example.com 127.0.0.1% a\tb%01"));
        assert_memory_equal(out, "  a  |www.example.com 127.0.0.1% a\tb%01", n);
        for (size_t room = 0; room < n; room++) /* cut anywhere, never past the end */
                assert_in_range(logfmt_print(f, &x, out, room), 0, room);
        diags_fini(&d);
}

static void test_log_format(void **st)
{
        struct diags d;
        struct kw_call c = { .conf = conf->c, .diags = &d };
        struct expr_ctx x = { .strm = &fs.s, .sess = &fs.ss, .have = EXPR_AT_LOG, .final = true };
        const struct logfmt *f;
        char out[256];
        size_t n;

        (void)st;
        diags_init(&d);
        f = logfmt_compile(
                &c,
                STR("%{+Q}[src] %[src_port]  %[hdr(a)]|%{+Q}[hdr(a)]|%{+Q,+E}[str('a\"b]\\c')]|%[str(a\nb)]|%[status]|%[str()]"),
                NULL, EXPR_AT_LOG);
        assert_non_null(f);
        assert_int_equal(d.n_warnings, 2); /* hdr() is gone by then */
        n = logfmt_print(f, &x, out, sizeof(out));
        out[n] = '\0';
        assert_string_equal(out, "\"127.0.0.1\" 33376 -|\"\"|\"a\\\"b\\]\\\\c\"|a#0Ab|200|-");
        diags_fini(&d);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fetches),        cmocka_unit_test(test_headers),
                cmocka_unit_test(test_targets),        cmocka_unit_test(test_converters),
                cmocka_unit_test(test_compile_errors), cmocka_unit_test(test_many_converters),
                cmocka_unit_test(test_rand),           cmocka_unit_test(test_keep),
                cmocka_unit_test(test_header_format),  cmocka_unit_test(test_log_format),
        };

        return cmocka_run_group_tests(tests, setup, fetches_teardown);
}
