/* Actions: what they make of heads, targets, answers and sockets, and what they refuse. */
#include "core/expr.h"
#include "feat/http_rules/rules_testing.h"

/* ---- edits ---- */

static const char *target(const struct hmsg *m)
{
        static char out[256];

        (void)snprintf(out, sizeof(out), "%.*s %.*s", (int)hmsg_method(m).n, hmsg_method(m).p, (int)hmsg_target(m).n,
                       hmsg_target(m).p);
        return out;
}

/* Request line after these rules; "STATUS" when they answered. */
static const char *target_after(const char *rules, const char *head)
{
        static char out[256];
        struct fx_conf *c = load(rules);

        if (!c->c)
                fail_msg("%s: %s", rules, c->text.p);
        request_is(head);
        if (run(c, HOOK_REQUEST) == HOOK_NEXT)
                (void)snprintf(out, sizeof(out), "%s", target(&req.m));
        else
                (void)snprintf(out, sizeof(out), "%d%.2s", fs.s.status, fs.s.term);
        fx_unload(c);
        return out;
}

static void test_targets(void **st)
{
        static const struct {
                const char *rule, *target, *after;
        } t[] = {
                { "set-path /x%[path]", "/a?b=1", "GET /x/a?b=1" },
                { "set-path /x", "http://h/a?b", "GET http://h/x?b" },
                { "set-path /x", "http://h", "GET http://h/x" },
                { "set-path %[hdr(none)]", "/a", "500IR" },
                { "set-path x", "/a", "500IR" },
                { "set-path \"/a b\"", "/a", "500IR" },
                { "set-path \"/a b\" if FALSE", "/a", "GET /a" },
                { "set-pathq /x?y", "/a?b=1", "GET /x?y" },
                { "set-pathq .evil/", "http://h/a", "500IR" },
                { "set-query c=2", "/a?b=1", "GET /a?c=2" },
                { "set-query c=2", "http://h/a", "GET http://h/a?c=2" },
                { "set-query %[hdr(none)]", "/a?b", "GET /a?" },
                { "set-query %[hdr(none)]", "/a", "GET /a" },
                { "set-query \"a b\"", "/a", "500IR" },
                { "set-uri /z?q", "http://h/a", "GET /z?q" },
                { "set-uri http://n:8/z", "/a", "GET http://n:8/z" },
                { "set-uri n/z", "/a", "500IR" },
                { "set-uri http://u@n/z", "/a", "500IR" },
                { "set-method PUT", "/", "PUT /" },
                { "set-method \"G T\"", "/", "500IR" },
                { "set-method HEAD", "/", "500IR" },
                { "set-method CONNECT", "/", "500IR" },
                { "set-method GET", "/", "GET /" },
                { "replace-path /a(.)(.*) /\\2-\\1-%[hdr(host)]", "/abc?/abc", "GET /c-b-h?/abc" },
                { "replace-path ^x y", "/abc", "GET /abc" },
                { "replace-path . %[hdr(none)]", "/abc", "500IR" },
                { "replace-pathq (.*) \\1&z", "http://h/a?b", "GET http://h/a?b&z" },
                { "replace-uri ^http://[^/]*/(.*) https://n/\\1", "http://h/a?b", "GET https://n/a?b" },
                { "replace-uri /(.*) /p/\\1", "/a?b", "GET /p/a?b" },
                { "normalize-uri path-strip-dotdot full", "/../a/../b?c", "GET /b?c" },
                { "normalize-uri percent-to-uppercase strict", "/%zz", "400PR" },
                { "normalize-uri path-merge-slashes", "http://h//a//b", "GET http://h/a/b" },
                { "set-header host n", "http://h:1/a?b", "GET http://n/a?b" },
                { "replace-header host (.*) \\1.org", "http://h/", "GET http://h.org/" },
                { "set-header host n", "/a", "GET /a" },
        };
        char rule[256], head[512];

        (void)st;
        for (size_t i = 0; i < array_len(t); i++) {
                const char *got, *authority = strstr(t[i].target, "://");

                (void)snprintf(rule, sizeof(rule), " http-request %s\n", t[i].rule);
                (void)snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", t[i].target,
                               authority && authority[4] == ':' ? "h:1" : "h");
                got = target_after(rule, head);
                if (strcmp(got, t[i].after) != 0)
                        fail_msg("%s on %s: %s, not %s", t[i].rule, t[i].target, got, t[i].after);
        }
        /* whoever reads Host sees what the target says */
        (void)target_after(" http-request set-uri http://n:8/z\n", GET("/", "h"));
        assert_string_equal(field(&req.m, "host"), "[n:8]");
}

static void test_fields(void **st)
{
        struct fx_conf *c = load(" http-request replace-header x-a (a+)(b*) <\\2\\1\\3>%[hdr(host)]\n"
                                 " http-request replace-value x-l \"^(\\\"q,|b)(.*)\" [\\1]\\2\n"
                                 " http-request replace-value x-l nothing y\n"
                                 " http-request del-header X-D -m beg\n http-request del-header -end -m end\n"
                                 " http-request del-header -sub- -m sub\n http-request del-header ^r.g$ -m reg\n"
                                 " http-request del-header x-s -m str\n");

        (void)st;
        if (!c->c)
                fail_msg("%s", c->text.p);
        request_is("GET / HTTP/1.1\r\nHost: h\r\nX-A: caab\r\nX-A: b\r\nX-A: a\r\nX-L: b1 , c,\"q,\"  ,b\r\n"
                   "x-d: 1\r\nx-d-2: 1\r\nyx-d: 1\r\nthe-end: 1\r\nthe-ends: 1\r\na-sub-b: 1\r\nreg: 1\r\nregg: 1\r\n"
                   "x-s: 1\r\nx-s2: 1\r\n\r\n");
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_NEXT);
        assert_string_equal(field(&req.m, "x-a"), "[<baa>h][b][<a>h]");
        assert_string_equal(field(&req.m, "x-l"), "[[b]1 , c,[\"q,]\"  ,[b]]");
        assert_string_equal(field(&req.m, "x-d"), "");
        assert_string_equal(field(&req.m, "x-d-2"), "");
        assert_string_equal(field(&req.m, "yx-d"), "[1]");
        assert_string_equal(field(&req.m, "the-end"), "");
        assert_string_equal(field(&req.m, "the-ends"), "[1]");
        assert_string_equal(field(&req.m, "a-sub-b"), "");
        assert_string_equal(field(&req.m, "reg"), "");
        assert_string_equal(field(&req.m, "regg"), "[1]");
        assert_string_equal(field(&req.m, "x-s"), "");
        assert_string_equal(field(&req.m, "x-s2"), "[1]");
        fx_unload(c);
}

/* An edit that cannot be done ends the exchange, unless the rules say that it may fail; another list has not said so. */
static void test_strict_mode(void **st)
{
        static const char *const rules = " http-request strict-mode off if { path /soft }\n"
                                         " http-request set-method \"A B\"\n http-request set-header x-on 1\n"
                                         " http-request strict-mode on if { hdr(x-again) 1 }\n"
                                         " http-request set-path x\n";
        struct fx_conf *c = load(rules);

        (void)st;
        assert_non_null(c->c);
        request_is(GET("/", "h"));
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_TAKEN);
        assert_int_equal(fs.s.status, 500);
        request_is(GET("/soft", "h"));
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_NEXT);
        assert_string_equal(target(&req.m), "GET /soft");
        assert_int_equal(fs.s.st_front->failed_rewrites, 2);
        assert_string_equal(field(&req.m, "x-on"), "[1]");
        request_is("GET /soft HTTP/1.1\r\nHost: h\r\nX-Again: 1\r\n\r\n");
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_TAKEN);
        assert_int_equal(fs.s.status, 500);
        fx_unload(c);
}

/* A value is never cut: one that is too long is an edit that failed. */
static void test_long_value(void **st)
{
        struct fx_conf *c = load(" http-request set-header x-b \"%[hdr(x-a)]%[hdr(x-a)]%[hdr(x-a)]\"\n"
                                 " http-request return status 200\n");
        static char head[8000];

        (void)st;
        assert_non_null(c->c);
        (void)snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: h\r\nX-A: %06500d\r\n\r\n", 0);
        request_is(head);
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_TAKEN);
        assert_int_equal(fs.s.status, 500);
        fx_unload(c);
}

/* Status after this rule on such an answer; 0: it was refused, and another one sent. */
static int status_after(const char *rule, const char *head)
{
        struct fx_conf *c = load(rule);
        int status;

        if (!c->c)
                fail_msg("%s: %s", rule, c->text.p);
        request_is(GET("/", "h"));
        assert_true(fx_head(&rsp, head, true));
        fs.s.rsp = &rsp.m;
        status = run(c, HOOK_RESPONSE) == HOOK_NEXT ? rsp.m.status : 0;
        expr_state_fini(&fs.s);
        fx_unload(c);
        return status;
}

static void test_status(void **st)
{
        static const char *const full = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

        (void)st;
        assert_int_equal(status_after(" http-response set-status 503 reason \"Slow Down\"\n", full), 503);
        assert_true(str_is(hmsg_reason(&rsp.m), "Slow Down"));
        assert_int_equal(fs.s.status, 503);
        assert_int_equal(status_after(" http-response set-status 404\n", full), 404);
        assert_true(str_is(hmsg_reason(&rsp.m), "Not Found"));
        /* where the message ends does not change behind the client's back */
        assert_int_equal(status_after(" http-response set-status 204\n", full), 0);
        assert_int_equal(status_after(" http-response set-status 101\n", full), 0);
        assert_int_equal(status_after(" http-response set-status 200\n", "HTTP/1.1 204 No Content\r\n\r\n"), 200);
        assert_int_equal(rsp.m.announced, HBODY_LENGTH);
        assert_int_equal(rsp.m.length, 0);
}

/* ---- redirect ---- */

static void test_redirect(void **st)
{
        static const struct {
                const char *rule, *target, *sent;
        } t[] = {
                { "location /x%[path]", "/a?b", "302|location: /x/a|cache-control: no-cache" },
                { "location /x keep-query", "/a?b=1", "302|location: /x?b=1|cache-control: no-cache" },
                { "location /x?a keep-query code 308", "/a?b=1", "308|location: /x?a&b=1" },
                { "location /x keep-query code 307", "/a", "307|location: /x|cache-control: no-cache" },
                { "prefix http://n code 301", "/a?b", "301|location: http://n/a?b" },
                { "prefix http://n code 303 drop-query", "/a?b", "303|location: http://n/a|cache-control: no-cache" },
                { "prefix http://n code 301 drop-query append-slash", "/a?b", "301|location: http://n/a/" },
                { "prefix http://n code 301 drop-query append-slash", "/a/", "301|location: http://n/a/" },
                { "prefix / code 301 set-cookie A=1", "/a?b", "301|location: /a?b|set-cookie: A=1; path=/;" },
                { "prefix /%[hdr(none)] code 301", "http://h/a?b", "301|location: /a?b" },
                { "scheme https code 301", "/a?b", "301|location: https://h/a?b" },
                { "scheme https code 301", "http://h", "301|location: https://h/" },
                { "location / clear-cookie U= code 301", "/", "301|location: /|set-cookie: U=; path=/; Max-Age=0;" },
                { "location / set-cookie-fmt \"P=%[path]\" code 301", "/p",
                  "301|location: /|set-cookie: P=/p; path=/;" },
                { "location %[hdr(none)] ignore-empty", "/", "" },
                { "location %[hdr(none)] code 301", "/", "301|location: " },
        };
        char rule[256], head[256];

        (void)st;
        for (size_t i = 0; i < array_len(t); i++) {
                struct fx_conf *c;

                (void)snprintf(rule, sizeof(rule), " http-request redirect %s\n", t[i].rule);
                (void)snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", t[i].target);
                c = load(rule);
                if (!c->c)
                        fail_msg("%s: %s", rule, c->text.p);
                request_is(head);
                assert_int_equal(run(c, HOOK_REQUEST), t[i].sent[0] ? HOOK_TAKEN : HOOK_NEXT);
                if (strcmp(sent, t[i].sent) != 0)
                        fail_msg("%s on %s: %s, not %s", t[i].rule, t[i].target, sent, t[i].sent);
                if (t[i].sent[0])
                        assert_memory_equal(fs.s.term, "LR", 2);
                fx_unload(c);
        }
}

/* The old keyword: after all http-request rules, its text as it stands. */
static void test_redirect_keyword(void **st)
{
        struct fx_conf *c = load(
                " redirect location /p%[path] code 301 if { hdr(x-new) 1 }\n redirect prefix http://n if { path /q }\n"
                " http-request set-header x-new 1 if { path /r }\n");

        (void)st;
        assert_non_null(c->c);
        assert_non_null(strstr(c->text.p, "a 'http-request' rule placed after a 'redirect' rule"));
        request_is(GET("/r", "h"));
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_TAKEN);
        assert_string_equal(sent, "301|location: /p%[path]");
        request_is(GET("/q?a", "h"));
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_TAKEN);
        assert_string_equal(sent, "302|location: http://n/q?a|cache-control: no-cache");
        request_is(GET("/s", "h"));
        assert_int_equal(run(c, HOOK_REQUEST), HOOK_NEXT);
        fx_unload(c);
}

static void test_action_errors(void **st)
{
        static const char *const t[][2] = {
                { "redirect", "error detected while parsing redirect rule : redirection type expected ('prefix', "
                              "'location', or 'scheme')." },
                { "redirect foo",
                  "error detected while parsing redirect rule : expects 'code', 'prefix', 'location', 'scheme', "
                  "'set-cookie', 'set-cookie-fmt', 'clear-cookie', 'drop-query', 'keep-query', 'ignore-empty' or "
                  "'append-slash' (was 'foo')." },
                { "redirect location", "missing argument for 'location'." },
                { "redirect location /a code 300",
                  "'code': unsupported HTTP code '300' (must be one of 301, 302, 303, 307 or 308)." },
                { "redirect location /a code", "missing argument for 'code'." },
                { "redirect code 301", "redirection type expected" },
                { "redirect location /a if foo", "no such ACL : 'foo'." },
                { "http-request redirect", "error detected while parsing an 'http-request redirect' rule : redirection "
                                           "type expected ('prefix', 'location', or 'scheme')." },
                { "http-request redirect location %[foo]", "unknown fetch method 'foo'" },
                { "http-response redirect location /%[path]",
                  "needs 'HTTP request headers' which is not available here" },
                { "http-request set-path", "expects exactly 1 argument <format>." },
                { "http-request set-path /a b", "expects exactly 1 argument <format>." },
                { "http-request set-method", "expects exactly 1 argument <format>." },
                { "http-request replace-header a b", "expects exactly 3 arguments." },
                { "http-request replace-header a ( x",
                  "regex '(' is invalid (error=missing closing parenthesis, erroffset=1)." },
                { "http-request replace-path a", "expects exactly 2 arguments <match-regex> and <replace-format>." },
                { "http-request replace-uri ( b",
                  "failed to parse the regex : regex '(' is invalid (error=missing closing parenthesis, erroffset=1)." },
                { "http-response set-status", "expects 1 argument: <status>; or 3 arguments: <status> reason <fmt>." },
                { "http-response set-status 99", "expects an integer status code between 100 and 999." },
                { "http-response set-status 404 reason", "expects 'if' or 'unless', but found 'reason'" },
                { "http-request del-header", "expects at least 1 argument." },
                { "http-request del-header a -m", "-m flag expects exactly 1 argument." },
                { "http-request del-header a -m foo", "-m with unsupported matching method 'foo'." },
                { "http-request early-hint a", "expects exactly 2 arguments." },
                { "http-request strict-mode", "expects exactly 1 arguments." },
                { "http-request strict-mode foo", "Unexpected value 'foo'. Only 'on' and 'off' are supported." },
                { "http-request normalize-uri", "missing argument <normalizer>." },
                { "http-request normalize-uri foo", "unknown normalizer 'foo'." },
                { "http-request normalize-uri path-strip-dotdot x", "unknown argument 'x' for" },
                { "http-request set-timeout server", "expects exactly 2 arguments." },
                { "http-request set-timeout server 5s", "'f' has no backend capability." },
                { "http-request set-timeout client 0", "null value is not valid for a 'set-timeout client' rule." },
                { "http-request set-timeout foo 1s",
                  "'set-timeout' rule supports "
                  "'client'/'connect'/'queue'/'server'/'tarpit'/'tunnel' (got 'foo')." },
                { "http-request set-log-level foo", "expects exactly 1 argument (log level name or 'silent')." },
                { "http-request set-src", "missing fetch method." },
                { "http-request set-src foo", "unknown fetch method 'foo'" },
                { "http-request set-tos", "expects an argument." },
                { "http-request set-fc-mark 0x", "unknown fetch method '0x'" },
                { "http-request silent-drop rst-ttl", "missing rst-ttl value." },
                { "http-request silent-drop rst-ttl foo",
                  "invalid character starting at 'foo' (value 1-255 expected)." },
                { "http-request silent-drop rst-ttl 300", "valid rst-ttl values are [1-255]." },
                { "http-request tarpit deny_status 999", "Unexpected status code '999'." },
                { "http-request pause", "expects exactly 1 argument" },
                { "http-request pause foo", "unknown fetch method 'foo'" },
                { "http-request auth realm", "missing realm value." },
                { "http-request deny if { http_auth(none) }",
                  "unable to find userlist 'none' referenced in proxy 'f'." },
                { "http-request deny if { http_auth }", "http_auth" },
                { "http-request set-status 404", "unknown action 'set-status'" },
                { "http-response set-path /", "unknown action 'set-path'" },
        };

        (void)st;
        each_is_refused(t, array_len(t));
}

/* ---- what is said to the kernel ---- */

static char options[256]; /* "level/name=value " of each call */
static bool no_repair;

static int note_option(int fd, int level, int name, const void *v, socklen_t len)
{
        int value;

        assert_int_equal(fd, 77);
        assert_true(len >= sizeof(value));
        if (no_repair && level == IPPROTO_TCP && name == TCP_REPAIR)
                return -EPERM;
        memcpy(&value, v, sizeof(value));
        (void)snprintf(options + strlen(options), sizeof(options) - strlen(options), "%d/%d=%d ", level, name, value);
        return 0;
}

static enum hook_answer options_of(const char *rule)
{
        const struct sys_ops *before = thr_self->sys;
        struct sys_ops sys = *before;
        struct fx_conf *c = load(rule);
        enum hook_answer a;

        if (!c->c)
                fail_msg("%s: %s", rule, c->text.p);
        request_is(GET("/", "h"));
        fs.ss.wire.conn.ev.fd = 77;
        fs.ss.wire.ep = &fs.ss.wire.conn.ep;
        sys.setopt = note_option;
        options[0] = '\0';
        thr_self->sys = &sys;
        a = run(c, HOOK_REQUEST);
        thr_self->sys = before;
        fx_unload(c);
        return a;
}

static const char *option_text(int level, int name, int value)
{
        static char out[64];

        (void)snprintf(out, sizeof(out), "%d/%d=%d ", level, name, value);
        return out;
}

static void test_socket_options(void **st)
{
        (void)st;
        assert_int_equal(options_of(" http-request set-tos 0x20\n"), HOOK_NEXT);
        assert_string_equal(options, option_text(IPPROTO_IP, IP_TOS, 32));
        assert_int_equal(options_of(" http-request set-fc-tos int(40)\n"), HOOK_NEXT);
        assert_string_equal(options, option_text(IPPROTO_IP, IP_TOS, 40));
        assert_int_equal(options_of(" http-request set-mark 7\n"), HOOK_NEXT);
        assert_string_equal(options, option_text(SOL_SOCKET, SO_MARK, 7));
        assert_int_equal(options_of(" http-request set-fc-mark hdr(none)\n"), HOOK_NEXT);
        assert_string_equal(options, "");
}

/* Nothing is said to the client: repair mode, or a reset with a short life; no other rule runs. */
static void test_silent_drop(void **st)
{
        (void)st;
        assert_int_equal(options_of(" http-request silent-drop\n http-request deny\n"), HOOK_CLOSE);
        assert_string_equal(options, option_text(IPPROTO_TCP, TCP_REPAIR, 1));
        assert_memory_equal(fs.s.term, "PR", 2);
        assert_true(fs.ss.wire.ep->flags & EP_ERR);
        assert_int_equal(fs.s.st_front->denied_req, 1);
        no_repair = true;
        assert_int_equal(options_of(" http-request silent-drop\n"), HOOK_CLOSE);
        assert_non_null(strstr(options, option_text(IPPROTO_IP, IP_TTL, 1)));
        assert_non_null(strstr(options, option_text(SOL_SOCKET, SO_LINGER, 1)));
        no_repair = false;
        assert_int_equal(options_of(" http-request silent-drop rst-ttl 9\n"), HOOK_CLOSE);
        assert_non_null(strstr(options, option_text(IPPROTO_IP, IP_TTL, 9)));
}

static void test_no_effect(void **st)
{
        struct fx_conf *c = load(" http-request set-nice 5\n");

        (void)st;
        assert_non_null(c->c);
        assert_non_null(strstr(c->text.p, "'set-nice' has no effect"));
        fx_unload(c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_targets),          cmocka_unit_test(test_fields),
                cmocka_unit_test(test_strict_mode),      cmocka_unit_test(test_long_value),
                cmocka_unit_test(test_status),           cmocka_unit_test(test_redirect),
                cmocka_unit_test(test_redirect_keyword), cmocka_unit_test(test_action_errors),
                cmocka_unit_test(test_socket_options),   cmocka_unit_test(test_silent_drop),
                cmocka_unit_test(test_no_effect),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
