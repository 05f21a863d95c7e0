/* Conditions, rules and backend switching: from the lines of a file to what happens to a request. */
#include "feat/http_rules/rules_testing.h"

/* Which backend these lines choose for this request. */
static const char *chosen(const char *rules, const char *head)
{
        struct fx_conf *c = load(rules);
        const char *name;

        if (!c->c)
                fail_msg("%s: %s", rules, c->text.p);
        request_is(head);
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_NEXT);
        name = fs.s.back ? fs.s.back->cell.name : "-";
        fx_unload(c);
        return name;
}

static void test_use_backend(void **st)
{
        static const char *const rules =
                " acl img path_beg /img /pic\n acl img path_end -i .PNG\n acl www hdr(host) -i WWW.example.com\n"
                " use_backend img if img !www || { path /force }\n"
                " use_backend api if { hdr_beg(host) api. }\n use_backend b unless www\n";

        (void)st;
        assert_string_equal(chosen(rules, GET("/img/x", "h")), "img");
        assert_string_equal(chosen(rules, GET("/x.png", "h")), "img");
        assert_string_equal(chosen(rules, GET("/img/x", "www.example.com")), "-");
        assert_string_equal(chosen(rules, GET("/force", "www.example.com")), "img");
        assert_string_equal(chosen(rules, GET("/", "api.example.com")), "api");
        assert_string_equal(chosen(rules, GET("/", "h")), "b");
        assert_string_equal(chosen(" use_backend %[hdr(host)]\n use_backend b\n", GET("/", "api")), "api");
        assert_string_equal(chosen(" use_backend %[hdr(host)]\n use_backend b\n", GET("/", "none")), "b");
}

struct cond_case {
        const char *cond;
        bool want;
};

/* LONG: a table and its walk */
static void test_conditions(void **st)
{
        static const struct cond_case t[] = {
                { "if TRUE", true },
                { "if FALSE", false },
                { "unless FALSE", true },
                { "if !TRUE", false },
                { "if ! TRUE or TRUE", true },
                { "if !!TRUE", true },
                { "if FALSE TRUE || FALSE || TRUE TRUE", true },
                { "if TRUE FALSE or FALSE TRUE", false },
                { "if TRUE !FALSE", true },
                { "if HTTP HTTP_1.1 METH_GET LOCALHOST HTTP_URL_SLASH !HTTP_URL_STAR !METH_POST !HTTP_CONTENT", true },
                { "if { path /a/b/c.html }", true },
                { "if { path /A/b/c.html }", false },
                { "if { path -i /A/b/C.html }", true },
                { "if { path -m beg /a /z }", true },
                { "if { path -m end .html }", true },
                { "if { path -m sub /b/ }", true },
                { "if { path_sub -i /B/ }", true },
                { "if { path_dir b }", true },
                { "if { path_dir a/b }", true },
                { "if { path_dir c }", false },
                { "if { path_len 11 }", true },
                { "if { path -m len 5:11 }", true },
                { "if { path -m len gt 11 }", false },
                { "if { hdr_dom(host) example }", true },
                { "if { hdr_dom(host) exam }", false },
                { "if { hdr_dom(host) .example.com }", true },
                { "if { hdr(host) -m dom -i WWW }", true },
                { "if { hdr(host) -m found }", true },
                { "if { hdr(nope) -m found }", false },
                { "unless { hdr(nope) -m found }", true },
                { "if { hdr(nope) x }", false },
                { "if !{ hdr(nope) x }", true },
                { "if { hdr(x-l) bc }", true }, /* all values are tried */
                { "if { hdr(x-l) d }", true },
                { "if { hdr(x-l,1) d }", false },
                { "if { hdr(x-l),upper BC }", true },
                { "if { hdr_cnt(x-l) 3 }", true },
                { "if { hdr_cnt(x-l) eq 1 3 }", true },
                { "if { hdr_cnt(x-l) ge 4 }", false },
                { "if { hdr_cnt(x-l) lt 4 }", true },
                { "if { src_port 1024:65535 }", true },
                { "if { src_port :1023 }", false },
                { "if { src_port 1024: }", true },
                { "if { src_port le 33376 } { src_port ge 33376 } !{ src_port gt 33376 } !{ src_port lt 33376 }",
                  true },
                { "if { src 127.0.0.0/8 }", true },
                { "if { src 10.0.0.0/8 192.168.1 127.1 }", true },
                { "if { src 127.0.0.0/255.0.0.0 }", true },
                { "if { src 127.0.0.2 ::1 }", false },
                { "if { src ::ffff:127.0.0.0/104 }", true },
                { "if { dst_port -m str 27001 }", true },
                { "if { always_true }", true },
                { "if { int(0) -m bool }", false },
                { "if { int(7) -m bool }", true },
                { "if { method GET HEAD }", true },
                { "if { req.ver 1.0 }", false },
                { "if { path a b c d e f g h i j /a/b/c.html k }", true }, /* enough to be sorted */
                { "if { path a b c d e f g h i j /a/b/c.htm k }", false },
                { "if { path -i a b c d e f g h i j /A/b/c.html k }", true },
                { "if { path -- -i /a/b/c.html }", true },
                { "if { path x -i /A/b/c.html }", false }, /* flags stand first */
                { "if { str(-i) -m str x -i }", true },
                { "if { int(-1) -1 }", true },
                { "if { nbsrv(b) lt 1 }", true },
                { "if { res.hdr(x) -m found }", false }, /* not there yet: a warning, and no match */
        };
        char rules[256];

        (void)st;
        for (size_t i = 0; i < array_len(t); i++) {
                const char *got;

                (void)snprintf(rules, sizeof(rules), " use_backend b %s\n", t[i].cond);
                got = chosen(rules, GET("/a/b/c.html", "www.example.com:80"));
                if ((strcmp(got, "b") == 0) != t[i].want)
                        fail_msg("%s: got %s", t[i].cond, got);
        }
}

static void test_condition_errors(void **st)
{
        static const char *const t[][2] = {
                { "use_backend b if foo", "error detected while parsing switching rule : no such ACL : 'foo'." },
                { "use_backend b foo",
                  "unexpected keyword 'foo' after switching rule, only 'if' and 'unless' are allowed." },
                { "use_backend", "'use_backend' expects a backend name." },
                { "use_backend b if", "error detected while parsing switching rule : missing condition." },
                { "use_backend b if { path /x",
                  "error detected while parsing switching rule : missing closing '}' in condition." },
                { "use_backend b if !", "error detected while parsing switching rule : missing ACL name after '!'." },
                { "use_backend b if TRUE or", "error detected while parsing switching rule : missing condition." },
                { "use_backend b if or TRUE",
                  "error detected while parsing switching rule : nothing stands before 'or'." },
                { "use_backend b if { hdr(host) -m xx a }", "error detected while parsing switching rule : unknown "
                                                            "matching method 'xx' when parsing ACL expression." },
                { "use_backend b if { hdr(host) -f /x }",
                  "failed to open pattern file </x>: No such file or directory" },
                { "use_backend b if { foo /x }", "unknown fetch method 'foo'" },
                { "use_backend b if { path,foo /x }", "unknown converter 'foo'" },
                { "use_backend b if { src,hex,bytes(0) a }", "matching method must be specified first (using '-m')" },
                { "acl a", "'acl' expects <name> and <criterion> as arguments." },
                { "acl a$b path x", "invalid ACL name" },
                { "acl a src 1.2.3.999",
                  "error detected while parsing ACL 'a' : '1.2.3.999' is not a valid IPv4 or IPv6 address." },
                { "acl a src 1.2.3.4/33", "is not a valid IPv4 or IPv6 address" },
                { "acl a src_port x", "'x' is not a number" },
                { "acl a src_port gt 1:2", "'1:2' is not a number" },
                { "acl a path -m", "missing pattern matching method after '-m'" },
                { "http-request deny if foo",
                  "error detected while parsing an 'http-request deny' condition : no such ACL : 'foo'." },
                { "http-request", "'http-request' expects an action as argument." },
                { "http-request den", "'http-request' : unknown action 'den'." },
                { "http-request deny deny_status 999", "Unexpected status code '999'" },
                { "http-request deny foo", "error detected while parsing an 'http-request deny' rule : expects 'if' or "
                                           "'unless', but found 'foo'." },
                { "http-request set-header X", "expects exactly 2 arguments" },
                { "http-request set-header X a b", "expects 'if' or 'unless', but found 'b'" },
                { "http-request set-header \"X y\" a", "is not a valid header name" },
                { "http-request set-header X %[foo]", "unknown fetch method 'foo'" },
                { "http-request set-header X %[res.hdr(a)]",
                  "needs 'HTTP response headers' which is not available here" },
                { "http-request return status 99", "Unexpected status code '99'" },
                { "http-request return string x", "a content type must be defined" },
                { "http-request return content-type a/b file x", "error opening file 'x'" },
        };

        (void)st;
        each_is_refused(t, array_len(t));
        assert_non_null(strstr(said(" use_backend nob\n"), "unable to find required use_backend: 'nob'."));
}

/* ---- rules ---- */

static void test_headers(void **st)
{
        struct fx_conf *c = load(
                " http-request set-header X-New \"a %[src] \" if TRUE\n http-request set-header Host new.%[hdr(host)]\n"
                " http-request add-header x-l 2\n http-request del-header X-Gone\n http-request set-header x-no x if "
                "FALSE\n"
                " http-request set-header x-plain text\n http-request allow if { path /stop }\n"
                " http-request set-header x-last 1\n");

        (void)st;
        assert_non_null(c->c);
        request_is("GET / HTTP/1.1\r\nHost: h\r\nx-gone: 1\r\nx-l: 1\r\nX-Gone: 2\r\n\r\n");
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_NEXT);
        assert_string_equal(field(&req.m, "x-new"), "[a 127.0.0.1 ]"); /* as written, like HAProxy */
        assert_string_equal(field(&req.m, "host"), "[new.h]");
        assert_string_equal(field(&req.m, "x-l"), "[1][2]");
        assert_string_equal(field(&req.m, "x-gone"), "");
        assert_string_equal(field(&req.m, "x-no"), "");
        assert_string_equal(field(&req.m, "x-plain"), "[text]");
        assert_string_equal(field(&req.m, "x-last"), "[1]");
        request_is("GET /stop HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_NEXT);
        assert_string_equal(field(&req.m, "x-last"), "");
        fx_unload(c);
}

static void test_response_headers(void **st)
{
        struct fx_conf *c =
                load(" http-response set-header x-s %[status] if { status 404 }\n http-response del-header server\n"
                     " http-response add-header x-from %[srv_name]\n");

        (void)st;
        assert_non_null(c->c);
        request_is(GET("/", "h"));
        fx_stream_init(&fs, NULL);
        assert_true(fx_head(&rsp, "HTTP/1.1 404 Not Found\r\nServer: x\r\nContent-Length: 0\r\n\r\n", true));
        fs.s.rsp = &rsp.m;
        assert_int_equal(run(c, HOOK_RESPONSE), HOOK_NEXT);
        assert_string_equal(field(&rsp.m, "x-s"), "[404]");
        assert_string_equal(field(&rsp.m, "server"), "");
        assert_string_equal(field(&rsp.m, "x-from"), "[s1]");
        fx_unload(c);
}

static void test_deny(void **st)
{
        struct fx_conf *c =
                load(" http-request deny if { path /a }\n http-request deny deny_status 429 if { path /b }\n");

        (void)st;
        request_is(GET("/a", "h"));
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_TAKEN);
        assert_int_equal(fs.s.status, 403);
        assert_memory_equal(fs.s.term, "PR", 2);
        assert_non_null(strstr(sent, "403|"));
        assert_non_null(strstr(sent, "Request forbidden by administrative rules."));
        request_is(GET("/b", "h"));
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_TAKEN);
        assert_int_equal(fs.s.status, 429);
        request_is(GET("/c", "h"));
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_NEXT);
        assert_string_equal(sent, "");
        fx_unload(c);
}

static void test_return(void **st)
{
        struct fx_conf *c = load(
                " http-request return status 201 content-type text/plain string hello hdr x-a %[path] if { path /a }\n"
                " http-request return content-type text/html lf-string \"<%[hdr(host)]>\" if { path /b }\n"
                " http-request return status 204\n");

        (void)st;
        assert_non_null(c->c);
        request_is(GET("/a", "h"));
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_TAKEN);
        assert_string_equal(sent, "201|content-type: text/plain|x-a: /a|hello");
        assert_memory_equal(fs.s.term, "LR", 2);
        assert_int_equal(fs.s.step, STRM_ANSWER);
        request_is(GET("/b", "www"));
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_TAKEN);
        assert_string_equal(sent, "200|content-type: text/html|<www>");
        request_is(GET("/c", "www"));
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_TAKEN);
        assert_string_equal(sent, "204");
        fx_unload(c);
}

/* A head with no room for one field more is refused, not passed on half changed. */
static void test_full_head(void **st)
{
        struct fx_conf *c = load(" http-request add-header x-a b\n");

        (void)st;
        request_is(GET("/", "h"));
        req.m.capf = req.m.nf;
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_TAKEN);
        assert_int_equal(fs.s.status, 500); /* as in HAProxy: manual, strict-mode */
        fx_unload(c);
}

/* Lines come back from the dump as they were, also out of named defaults. */
static void test_dump(void **st)
{
        static const char *const lines = "    acl a path -m beg \"/x y\"\n"
                                         "    acl a src 127.0.0.1\n"
                                         "    http-request set-header x \"a b %[src]\" if a || { path /z }\n"
                                         "    http-request deny unless a\n"
                                         "    http-response del-header server\n"
                                         "    http-request set-header x \"if\" if { path -- -i }\n"
                                         "    use_backend b if a !TRUE\n";
        struct fx_conf *c, *again;
        AUTO_BUF(out);
        AUTO_BUF(out2);
        char text[4096];

        (void)st;
        (void)snprintf(text, sizeof(text), "%s", lines);
        c = load(text);
        assert_non_null(c->c);
        conf_dump(c->c, &out);
        buf_putc(&out, '\0');
        again = fx_load(out.p);
        if (!again->c)
                fail_msg("%s\n%s", out.p, again->text.p);
        conf_dump(again->c, &out2);
        buf_putc(&out2, '\0');
        assert_string_equal(out.p, out2.p);
        assert_non_null(strstr(out.p, "    http-request deny unless a\n"));
        assert_non_null(strstr(out.p, "    http-request set-header x \"if\" if { path -- -i }\n"));
        fx_unload(c);
        fx_unload(again);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_use_backend),
                cmocka_unit_test(test_conditions),
                cmocka_unit_test(test_condition_errors),
                cmocka_unit_test(test_headers),
                cmocka_unit_test(test_response_headers),
                cmocka_unit_test(test_deny),
                cmocka_unit_test(test_return),
                cmocka_unit_test(test_full_head),
                cmocka_unit_test(test_dump),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
