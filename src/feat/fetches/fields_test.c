/* Samples of HTTP heads: fields, cookies, targets. What HAProxy 3.4 answered stands here; tests/interop/samples.sh asks it again. */
#include "feat/fetches/fetches_testing.h"

static struct fx_head req, rsp;

static int setup(void **st)
{
        (void)st;
        fx_thread();
        kw_boot();
        conf = fx_load("global\n");
        fx_stream_init(&fs, NULL);
        assert_true(fx_head(
                &req,
                "GET /d/p;sid=7?a=1&b=&A=x;c&sid=9&a=2 HTTP/1.1\r\nHost: h.x:81\r\nX-A: 1, \"b,c\" ,,3\r\nx-a: 4\r\n"
                "Connection: close\r\nCookie: a=1; $Path=/; b=\"x;y\", c = 3 ;d;a=2\r\nCookie: a=;e=5\r\n"
                "X-Ip: 1.2.3.4:80, [::1], 1.2.3.4:, [::1]:80, ::2, 1.2.3.4:99999, 1.2.3\r\nX-N: 12, abc, , -7\r\n\r\n",
                false));
        assert_true(fx_head(
                &rsp,
                "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nX-A: p, q\r\nX-Ip: 10.1.2.3\r\nX-N: 5\r\n"
                "Set-Cookie: a=1; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT\r\nSet-Cookie: b=; x=1, c=3; a=9\r\n\r\n",
                true));
        fs.s.req = &req.m;
        fs.s.rsp = &rsp.m;
        return 0;
}

static void test_request_fields(void **st)
{
        static const struct pair t[] = {
                { "req.hdr(x-a)", "4" },
                { "req.hdr(x-a,1)", "1" },
                { "req.hdr(x-a,2)", "\"b,c\"" },
                { "req.hdr(x-a,3)", "" },
                { "req.hdr(x-a,-1)", "4" },
                { "req.hdr(x-a,-5)", "1" },
                { "req.hdr(x-a,-6)", "<miss>" },
                { "req.hdr(x-a,-9223372036854775807)", "<miss>" },
                { "req.hdr(x-a,9223372036854775807)", "<miss>" },
                { "req.hdr", "<miss>" },
                { "req.hdr()", "-7" },
                { "req.hdr(,1)", "h.x:81" },
                { "req.fhdr()", "12, abc, , -7" },
                { "hdr(x-a,1)", "1" },
                { "req.hdr_cnt(x-a)", "5" },
                { "req.hdr_cnt", "20" }, /* Connection is not counted */
                { "req.fhdr_cnt", "7" },
                { "hdr_cnt(host)", "1" },
                { "req.hdr_ip(x-ip,1)", "1.2.3.4" },
                { "req.hdr_ip(x-ip,2)", "::1" },
                { "req.hdr_ip(x-ip,3)", "<miss>" },
                { "req.hdr_ip(x-ip,4)", "<miss>" },
                { "req.hdr_ip(x-ip,5)", "::2" },
                { "req.hdr_ip(x-ip,6)", "<miss>" },
                { "hdr_ip(x-ip)", "<miss>" },
                { "req.hdr_val(x-n,1)", "12" },
                { "req.hdr_val(x-n,2)", "0" },
                { "req.hdr_val(x-n,3)", "0" },
                { "hdr_val(x-n)", "-7" },
                { "req.hdr_names", "host,x-a,x-a,cookie,cookie,x-ip,x-n" },
                { "req.hdr_names(;+)", "host;x-a;x-a;cookie;cookie;x-ip;x-n" },
        };

        (void)st;
        check(t, array_len(t));
}

static void test_cookies(void **st)
{
        static const struct pair t[] = {
                { "req.cook(a)", "" }, /* the last one */
                { "req.cook(b)", "\"x;y\"" },
                { "req.cook(c)", "3" },
                { "req.cook(d)", "<miss>" }, /* no '=' */
                { "req.cook($Path)", "<miss>" },
                { "req.cook(A)", "<miss>" }, /* case-sensitive */
                { "req.cook", "1" },         /* the first one */
                { "cook(e)", "5" },
                { "req.cook_cnt(a)", "3" },
                { "req.cook_cnt", "6" },
                { "cook_cnt(z)", "0" },
                { "req.cook_val(c)", "3" },
                { "cook_val(a)", "0" },
                { "req.cook_names", "a,b,c,a,a,e" },
                { "req.cook_names(|)", "a|b|c|a|a|e" },
                { "cookie(e)", "5" },
                { "res.cook(a)", "1" },
                { "res.cook(b)", "" },
                { "res.cook(c)", "3" },
                { "res.cook(Path)", "<miss>" },
                { "res.cook", "1" },
                { "scook(c)", "3" },
                { "set-cookie(c)", "3" },
                { "res.cook_cnt(a)", "1" },
                { "res.cook_cnt", "7" }, /* HAProxy counts attributes where no name is asked for */
                { "scook_cnt(c)", "1" },
                { "res.cook_val(c)", "3" },
                { "scook_val(a)", "1" },
                { "res.cook_names", "a,b" },
        };

        (void)st;
        check(t, array_len(t));
}

static void test_answer_fields(void **st)
{
        static const struct pair t[] = {
                { "res.hdr(x-a)", "q" },
                { "shdr(x-a,1)", "p" },
                { "res.fhdr(x-a)", "p, q" },
                { "res.hdr_cnt(x-a)", "2" },
                { "shdr_cnt(x-a)", "2" },
                { "res.fhdr_cnt", "6" },
                { "res.fhdr_cnt(x-a)", "1" },
                { "res.hdr_ip(x-ip)", "10.1.2.3" },
                { "shdr_ip(x-ip)", "10.1.2.3" },
                { "res.hdr_val(x-n)", "5" },
                { "shdr_val(x-n)", "5" },
                { "res.hdr_names", "content-length,x-a,x-ip,x-n,set-cookie,set-cookie" },
                { "resp_ver", "1.1" },
        };

        (void)st;
        check(t, array_len(t));
        assert_string_equal(eval_at("hdr(x-a)", EXPR_AT_RESPONSE, EXPR_AT_RESPONSE, true), "q");
        assert_string_equal(eval_at("cookie(c)", EXPR_AT_RESPONSE, EXPR_AT_RESPONSE, true), "3");
}

static void test_targets(void **st)
{
        static const struct pair t[] = {
                { "base", "h.x:81/d/p;sid=7" },
                { "baseq", "h.x:81/d/p;sid=7?a=1&b=&A=x;c&sid=9&a=2" },
                { "base32", "1954539883" },
                { "base32+src,hex", "747FE96B7F000001" },
                { "url32", "3209253378" },
                { "url32+src,hex", "BF4952027F000001" },
                { "query(with_qm)", "?a=1&b=&A=x;c&sid=9&a=2" },
                { "urlp(a)", "1" },
                { "urlp(A)", "x" },
                { "urlp(A,,i)", "1" },
                { "urlp(b)", "" },
                { "urlp(c)", "<miss>" }, /* no '=' */
                { "urlp(sid)", "9" },
                { "url_param(sid,;)", "7?a=1" },
                { "urlp", "1" },
                { "urlp_val(sid)", "9" },
                { "urlp_val(b)", "0" },
                { "url_ip", "<miss>" },
                { "url_port", "<miss>" },
        };

        (void)st;
        check(t, array_len(t));
}

static void test_absolute_targets(void **st)
{
        static const struct {
                const char *target, *ip, *port;
        } t[] = {
                { "http://1.2.3.4/x", "1.2.3.4", "80" },        { "HTTPS://1.2.3.4/?x", "1.2.3.4", "443" },
                { "http://1.2.3.4:8081/x", "1.2.3.4", "8081" }, { "http://h.x:81/", "<miss>", "<miss>" },
                { "http://[::1]:81/", "<miss>", "<miss>" },     { "ws://1.2.3.4/", "<miss>", "<miss>" },
                { "/http://1.2.3.4/", "<miss>", "<miss>" },
        };
        struct fx_head h;
        char line[128];

        (void)st;
        for (size_t i = 0; i < array_len(t); i++) {
                (void)snprintf(line, sizeof(line), "GET %s HTTP/1.0\r\n\r\n", t[i].target);
                if (!fx_head(&h, line, false))
                        fail_msg("%s", line);
                fs.s.req = &h.m;
                assert_string_equal(eval("url_ip"), t[i].ip);
                assert_string_equal(eval("url_port"), t[i].port);
        }
        assert_true(fx_head(&h, "OPTIONS * HTTP/1.1\r\n\r\n", false));
        assert_string_equal(eval("base"), "<miss>");
        assert_string_equal(eval("urlp(a)"), "<miss>");
        assert_string_equal(eval("base32"), "2874071335"); /* the hash of nothing */
        fs.s.req = &req.m;
}

static void test_whole_heads(void **st)
{
        (void)st;
        assert_non_null(strstr(eval("req.hdrs"), "host: h.x:81\r\nx-a: 1, \"b,c\" ,,3\r\nx-a: 4\r\ncookie: a=1;"));
        assert_null(strstr(eval("req.hdrs"), "connection"));
        assert_string_equal(eval("req.hdrs") + strlen(eval("req.hdrs")) - 4, "\r\n\r\n");
        assert_non_null(strstr(eval("res.hdrs"), "x-n: 5\r\nset-cookie: a=1; "));
        assert_memory_equal(eval("req.hdrs_bin,hex"), "04686F737406682E783A383103782D61", 32);
        assert_string_equal(eval("res.hdrs_bin,hex") + strlen(eval("res.hdrs_bin,hex")) - 4, "0000");
}

/* More than a result can hold: lines are cut, and the empty one is not there; lists miss. Counts of any size are right. */
static void test_huge_heads(void **st)
{
        static struct hmsg m;
        static struct hfield f[100];
        static char arena[65536], big[1000];

        (void)st;
        memset(big, 'v', sizeof(big));
        hmsg_init(&m, f, 100, arena, sizeof(arena));
        assert_int_equal(hmsg_add(&m, STR("x-0"), (struct str){ big, 300 }), 0);
        fs.s.req = &m;
        assert_memory_equal(eval("req.hdrs_bin,hex"), "03782D30FC0376", 14); /* 300 = 0xfc + 3 * 16 */
        for (int i = 0; i < 40; i++)
                assert_int_equal(hmsg_add(&m, STR("x-long"), (struct str){ big, sizeof(big) }), 0);
        assert_in_range(atoi(eval("req.hdrs,length")), 15000, 16384);
        assert_null(strstr(eval("req.hdrs"), "\r\n\r\n"));
        assert_string_equal(eval("req.hdrs_bin,length"), "<miss>");
        assert_string_equal(eval("req.hdr_cnt(x-long)"), "40");
        assert_string_equal(eval("req.hdr(x-long,-40),length"), "1000");
        assert_string_equal(eval("base"), "<miss>");
        fs.s.req = &req.m;
}

/* Conditions look at each value. */
static void test_each_value(void **st)
{
        static const struct {
                const char *cond;
                int want;
        } t[] = {
                { "{ req.hdr(x-a) 3 }", 1 },
                { "{ hdr(x-a) 1 }", 1 },
                { "{ req.hdr(x-a) 2 }", 0 },
                { "{ req.hdr(x-a,1) 4 }", 0 },
                { "{ req.hdr() h.x:81 }", 1 },
                { "{ req.hdr -m found }", 0 },
                { "{ req.fhdr(x-a) 4 }", 1 },
                { "{ hdr_beg(x-a) \"b }", 1 },
                { "{ hdr_ip(x-ip) 1.0.0.0/8 }", 1 },
                { "{ hdr_ip(x-ip) ::2 }", 1 },
                { "{ hdr_val(x-n) 12 }", 1 },
                { "{ req.cook(a) 2 }", 1 },
                { "{ cook_beg(a) 1 }", 1 },
                { "{ req.cook 5 }", 1 },
                { "{ req.cook 4 }", 0 },
                { "{ urlp(a) 2 }", 1 },
                { "{ urlp 9 }", 1 },
                { "{ urlp_len(A) 1 }", 1 },
                { "{ urlp_val(a) 2 }", 1 },
                { "{ path_beg /d/ }", 1 },
                { "{ base_dom h.x }", 1 },
                { "{ shdr_beg(x-a) p }", 1 },
                { "{ scook_beg(a) 1 }", 1 },
                { "{ scook(c) 3 }", 1 },
                { "METH_GET HTTP_1.1 HTTP_URL_SLASH !HTTP_2.0", 1 },
                { "{ acl(METH_GET,!METH_POST) }", 1 },
                { "{ acl(METH_GET,METH_POST) }", 0 },
        };

        (void)st;
        for (size_t i = 0; i < array_len(t); i++) {
                if (holds(t[i].cond, EXPR_AT_REQUEST | EXPR_AT_RESPONSE) != t[i].want)
                        fail_msg("%s: not %d", t[i].cond, t[i].want);
        }
        assert_int_equal(holds("{ hdr(x-a) 4 }", EXPR_AT_REQUEST), 1); /* always the request's */
}

static void test_alerts(void **st)
{
        static const struct pair t[] = {
                { "req.hdr(a,0)", "counted from 1" },
                { "req.hdr_cnt(a,1)", "too many arguments" },
                { "query(x)", "expects 'with_qm', got 'x'" },
                { "acl(nope)", "no such ACL : 'nope'" },
                { "acl(METH_GET,or)", "'or' is not the name of an ACL" },
                { "acl({)", "'{' is not the name of an ACL" },
                { "acl", "missing arguments" },
        };

        (void)st;
        check_alerts(t, array_len(t));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_request_fields),   cmocka_unit_test(test_cookies),
                cmocka_unit_test(test_answer_fields),    cmocka_unit_test(test_targets),
                cmocka_unit_test(test_absolute_targets), cmocka_unit_test(test_whole_heads),
                cmocka_unit_test(test_huge_heads),       cmocka_unit_test(test_each_value),
                cmocka_unit_test(test_alerts),
        };

        return cmocka_run_group_tests(tests, setup, fetches_teardown);
}
