/* Conditions, rules and backend switching: from the lines of a file to what happens to a request. */
#include "conf/conf.h"
#include "core/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/cells.h"
#include "core/inner.h"
#include "core/hook.h"
#include "core/fixture.h"

#include <string.h>

static struct fx_stream fs;
static struct fx_head req, rsp;
static struct front *fe;
static struct back *be[3];
static char sent[20000]; /* what the client got: head fields and body */

/* ---- a client side that notes what it is given ---- */

static int note_tx(struct side *s, struct hmsg *head, const struct tx_frame *f, const struct iovec *v, int n, bool end)
{
        size_t at = 0;

        (void)s;
        (void)f;
        assert_true(end);
        at += (size_t)snprintf(sent, sizeof(sent), "%d", head->status);
        for (int i = hmsg_next(head, 0); i >= 0; i = hmsg_next(head, i + 1))
                at += (size_t)snprintf(sent + at, sizeof(sent) - at, "|%.*s: %.*s", (int)hmsg_name(head, i).n,
                                       hmsg_name(head, i).p, (int)hmsg_value(head, i).n, hmsg_value(head, i).p);
        for (int i = 0; i < n; i++)
                at += (size_t)snprintf(sent + at, sizeof(sent) - at, "|%.*s", (int)v[i].iov_len, (char *)v[i].iov_base);
        return MSG_OK;
}

static void note_free(struct side *s)
{
        (void)s;
}

static const struct mux_ops note_ops = { .name = "H1", .rx_head_free = note_free, .tx = note_tx };

static int setup(void **st)
{
        static const char *const names[] = { "b", "api", "img" };

        (void)st;
        fx_thread();
        kw_boot();
        hook_boot();
        cell_column_size(CELL_FRONT, sizeof(struct front_col));
        cell_column_size(CELL_BACK, sizeof(struct back_col));
        list_init(&world.fronts);
        list_init(&world.backs);
        fe = front_new(STR("f"), ORIGIN_FILE);
        for (int i = 0; i < 3; i++) {
                be[i] = back_new(str_of(names[i]), ORIGIN_FILE);
                list_push(&world.backs, &be[i]->link);
        }
        world_names_publish();
        return 0;
}

static int teardown(void **st)
{
        (void)st;
        thr_free(thr_self);
        thr_self = NULL;
        return 0;
}

#define PRELUDE                                                                                                        \
        "defaults\n mode http\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n"                          \
        "backend b\nbackend api\nbackend img\n"

static struct fx_conf *load(const char *rules)
{
        char text[8192];

        (void)snprintf(text, sizeof(text), PRELUDE "frontend f\n%s", rules);
        return fx_load(text);
}

/* The first line of what the load said, without the prefix; "" when it went well. */
static const char *said(const char *rules)
{
        static char out[1024];
        struct fx_conf *c = load(rules);
        const char *at = strstr(c->text.p, "[ALERT]"), *end;

        out[0] = '\0';
        if (at && (at = strstr(at, "parsing ")) != NULL) {
                at = strstr(at, " : ");
                end = strchr(at, '\n');
                (void)snprintf(out, sizeof(out), "%.*s", (int)(end - at - 3), at + 3);
        } else if (!c->c) {
                (void)snprintf(out, sizeof(out), "?%s", c->text.p);
        }
        fx_unload(c);
        return out;
}

static void request_is(const char *head)
{
        fx_stream_init(&fs, NULL);
        assert_true(fx_head(&req, head, false));
        fs.s.req = &req.m;
        fs.s.front = fe;
        fs.s.back = NULL;
        fs.s.bcfg = NULL;
        fs.s.srv = NULL;
        fs.s.status = 0;
        fs.s.cl.ops = &note_ops;
        fs.s.sv.ops = &note_ops;
        fs.s.step = STRM_ROUTE;
        sent[0] = '\0';
}

static enum hook_answer run(struct fx_conf *c, enum hook_point p)
{
        const struct hook_set *h = hook_compile(c->c, conf_find(c->c, KIND_FRONTEND, STR("f")), true);
        enum hook_answer a = HOOK_NEXT;
        struct front_cfg cfg = { .px = &fs.px, .obj = conf_find(c->c, KIND_FRONTEND, STR("f")), .conf = c->c };
        struct back_cfg *back = fs.s.bcfg;

        fs.s.fcfg = &cfg; /* error pages are the proxy's */
        fs.s.bcfg = NULL;
        for (int i = 0; i < h->n[p] && a == HOOK_NEXT; i++)
                a = h->at[p][i].hook->run(&fs.s, h->at[p][i].arg, true);
        fs.s.fcfg = &fs.fcfg;
        fs.s.bcfg = back;
        return a;
}

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

#define GET(path, host) "GET " path " HTTP/1.1\r\nHost: " host "\r\nX-L: a, bc ,d\r\n\r\n"

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
        char rules[256];

        (void)st;
        for (size_t i = 0; i < array_len(t); i++) {
                const char *got;

                (void)snprintf(rules, sizeof(rules), " %s\n", t[i][0]);
                got = said(rules);
                if (!strstr(got, t[i][1]))
                        fail_msg("%s: got '%s'", t[i][0], got);
        }
        assert_non_null(strstr(said(" use_backend nob\n"), "unable to find required use_backend: 'nob'."));
}

/* ---- rules ---- */

static const char *field(const struct hmsg *m, const char *name)
{
        static char out[1024];
        size_t n = 0;

        out[0] = '\0';
        for (int i = hmsg_next(m, 0); i >= 0; i = hmsg_next(m, i + 1)) {
                if (str_is(hmsg_name(m, i), name))
                        n += (size_t)snprintf(out + n, sizeof(out) - n, "[%.*s]", (int)hmsg_value(m, i).n,
                                              hmsg_value(m, i).p);
        }
        return out;
}

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
        assert_string_equal(field(&req.m, "x-new"), "[a 127.0.0.1]");
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
                { "http-request set-status 404", "unknown action 'set-status'" },
                { "http-response set-path /", "unknown action 'set-path'" },
        };
        char rules[256];

        (void)st;
        for (size_t i = 0; i < array_len(t); i++) {
                const char *got;

                (void)snprintf(rules, sizeof(rules), " %s\n", t[i][0]);
                got = said(rules);
                if (!strstr(got, t[i][1]))
                        fail_msg("%s: got '%s'", t[i][0], got);
        }
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
                cmocka_unit_test(test_targets),
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_strict_mode),
                cmocka_unit_test(test_long_value),
                cmocka_unit_test(test_status),
                cmocka_unit_test(test_redirect),
                cmocka_unit_test(test_redirect_keyword),
                cmocka_unit_test(test_action_errors),
                cmocka_unit_test(test_dump),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
