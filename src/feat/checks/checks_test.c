/* Scripts of checks: from lines to steps and back, complaints, answers cut anywhere, judgements. */
#include "conf/conf.h"
#include "core/kinds.h"
#include "feat/checks/checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/fixture.h"

#include <string.h>

#define DEFAULTS "defaults\n timeout client 1s\n timeout connect 1s\n timeout server 1s\n"

static struct fx_conf *load(const char *defaults, const char *lines)
{
        char text[4096];

        (void)snprintf(text, sizeof(text), DEFAULTS "%sbackend b\n%s server s 127.0.0.1:1 check\n", defaults, lines);
        return fx_load(text);
}

static const struct check_proxy_cfg *cfg_of(const struct fx_conf *f)
{
        return conf_slot(conf_find(f->c, KIND_BACKEND, STR("b")), check_proxy_slot);
}

/* ---- lines and scripts ---- */

/* "C" connect, "R" request, "S" send, "E" expect, "V" set, "U" unset, "#" comment; a digit: the number shown to people. */
static void outline(const struct script *s, char *dst)
{
        static const char letters[] = "#CSREVU";

        for (uint32_t i = 0; s && i < s->n; i++) {
                *dst++ = letters[s->step[i].kind];
                *dst++ = (char)('0' + s->step[i].number);
        }
        *dst = '\0';
}

struct script_case {
        const char *defaults, *lines, *outline, *request;
};

#define H " option httpchk\n"

static const struct script_case scripts[] = {
        { "", "", "", "" },
        { "", " option tcp-check\n", "C0", "" },
        { "", " option tcp-check\n tcp-check comment a\n", "C0#1", "" },
        { "", " option tcp-check\n tcp-check send a\n tcp-check expect string b\n", "C0S1E2", "" },
        { "",
          " option tcp-check\n tcp-check set-var(check.a) int(1)\n tcp-check connect\n tcp-check unset-var(check.a)\n",
          "V1C2U3", "" },
        { "", H, "C0R0E0", "OPTIONS / HTTP/1.0\r\n\r\n" },
        { "", " option httpchk /x\n", "C0R0E0", "OPTIONS /x HTTP/1.0\r\n\r\n" },
        { "", " option httpchk GET /x\n", "C0R0E0", "GET /x HTTP/1.0\r\n\r\n" },
        { "", " option httpchk GET /x HTTP/1.1\n", "C0R0E0", "GET /x HTTP/1.1\r\nconnection: close\r\n\r\n" },
        { "", " option httpchk GET /x HTTP/1.1 a.b\n", "C0R0E0",
          "GET /x HTTP/1.1\r\nhost: a.b\r\nconnection: close\r\n\r\n" },
        { "", " option httpchk GET /x HTTP/1.0\\r\\nHost:\\ a%%\\r\\nX-Y:z\\r\\n\\r\\nbody\n", "C0R0E0",
          "GET /x HTTP/1.0\r\nhost: a%%\r\nx-y: z\r\ncontent-length: 4\r\n\r\nbody" },
        { "", H " http-check expect status 200\n", "C0R0E1", "OPTIONS / HTTP/1.0\r\n\r\n" },
        { "", H " http-check connect\n http-check send meth GET uri /a hdr A b body cc\n", "C1R2E0",
          "GET /a HTTP/1.0\r\na: b\r\ncontent-length: 2\r\n\r\ncc" },
        { "", " option httpchk GET /o HTTP/1.1 h\n http-check send hdr a b\n", "C0R1E0",
          "GET /o HTTP/1.1\r\na: b\r\nconnection: close\r\n\r\n" },
        { "", " http-check send uri /s hdr a b\n option httpchk GET /o HTTP/1.1\n", "C0R1E0",
          "GET /o HTTP/1.1\r\na: b\r\nconnection: close\r\n\r\n" },
        { "", H " http-check send hdr connection upgrade ver HTTP/1.1\n", "C0R1E0",
          "OPTIONS / HTTP/1.1\r\nconnection: upgrade\r\n\r\n" },
        { "",
          H " http-check connect\n http-check send uri /1\n http-check expect status 200\n http-check connect\n"
            " http-check send uri /2\n",
          "C1R2E3C4R5E0", "OPTIONS /1 HTTP/1.0\r\n\r\n" },
        /* what a section has of its own replaces what its defaults have */
        { " option httpchk GET /d\n http-check expect status 404\n", "", "C0R0E1", "GET /d HTTP/1.0\r\n\r\n" },
        { " option httpchk GET /d\n http-check expect status 404\n", H, "C0R0E0", "OPTIONS / HTTP/1.0\r\n\r\n" },
        { " option httpchk GET /d\n", " http-check send hdr x b\n", "C0R1E0", "OPTIONS / HTTP/1.0\r\nx: b\r\n\r\n" },
        { " option tcp-check\n tcp-check send d\n", "", "C0S1", "" },
        { " option tcp-check\n tcp-check send d\n", " tcp-check expect string b\n", "C0E1", "" },
        { " option tcp-check\n tcp-check send d\n", " option tcp-check\n", "C0", "" },
        { " option httpchk\n", " option tcp-check\n", "C0", "" },
        { "", H " option tcp-check\n", "C0", "" },
        { "", " option mysql-check\n", "C1E2", "" },
        { "", " option mysql-check user u\n", "C1S2E3E4", "" },
        { "", " option pgsql-check user u\n", "C1S2E3", "" },
        { "", " option redis-check\n", "C1S2E2", "" },
        { "", " option smtpchk\n", "C1E2S3E5S5E7", "" },
        { "", " option ldap-check\n", "C1S2E2", "" },
        { "", " option ssl-hello-chk\n", "C1S2E2", "" },
};

static void requests_are(const struct script *s, const char *want)
{
        struct expr_ctx x = { .final = true };
        AUTO_BUF(out);

        for (uint32_t i = 0; s && i < s->n; i++) {
                if (s->step[i].kind == STEP_REQUEST && out.n == 0)
                        assert_true(request_write(&s->step[i].request, &x, (struct str){ NULL, 0 }, &out));
        }
        buf_putc(&out, '\0');
        assert_string_equal(out.p, want);
}

static void from_lines(void **st)
{
        char got[128];

        (void)st;
        for (size_t i = 0; i < array_len(scripts); i++) {
                struct fx_conf *f = load(scripts[i].defaults, scripts[i].lines), *again;
                AUTO_BUF(text);
                AUTO_BUF(text2);

                if (!f->c)
                        fail_msg("%s: %s", scripts[i].lines, f->text.p);
                outline(cfg_of(f)->script, got);
                if (strcmp(got, scripts[i].outline) != 0)
                        fail_msg("%s + %s: %s", scripts[i].defaults, scripts[i].lines, got);
                requests_are(cfg_of(f)->script, scripts[i].request);
                conf_dump(f->c, &text); /* flat: it gives the same script again */
                buf_putc(&text, '\0');
                again = fx_load(text.p);
                if (!again->c)
                        fail_msg("%s: %s", text.p, again->text.p);
                outline(cfg_of(again)->script, got);
                assert_string_equal(got, scripts[i].outline);
                requests_are(cfg_of(again)->script, scripts[i].request);
                conf_dump(again->c, &text2);
                buf_putc(&text2, '\0');
                assert_string_equal(text.p, text2.p);
                fx_unload(again);
                fx_unload(f);
        }
}

/* A reload starts another script at once: two that differ must not look equal, two that are equal must. */
static void hashes_tell_scripts_apart(void **st)
{
        static const char *const lines[] = { "",
                                             " option tcp-check\n",
                                             H,
                                             " option httpchk GET /\n",
                                             " option tcp-check\n tcp-check send a\n",
                                             " option tcp-check\n tcp-check send b\n",
                                             " option mysql-check user a\n",
                                             " option mysql-check user a pre-41\n",
                                             " option smtpchk EHLO a\n",
                                             " option smtpchk EHLO b\n",
                                             " option httpchk\n http-check send-state\n",
                                             " option httpchk\n http-check disable-on-404\n" };
        uint64_t h[array_len(lines)];

        (void)st;
        for (size_t i = 0; i < array_len(lines); i++) {
                struct fx_conf *f = load("", lines[i]), *g = load("", lines[i]);

                assert_non_null(f->c);
                h[i] = script_of(cfg_of(f))->hash;
                assert_true(h[i] == script_of(cfg_of(g))->hash);
                for (size_t k = 0; k < i; k++)
                        assert_true(h[k] != h[i]);
                fx_unload(f);
                fx_unload(g);
        }
}

/* ---- complaints ---- */

struct complaint {
        const char *lines, *text; /* text: part of what is said */
};

static const struct complaint complaints[] = {
        { " tcp-check foo\n", "[t.cfg:6] : 'tcp-check' only supports " },
        { " tcp-check send\n", "'tcp-check send' : expects a string as argument." },
        { " tcp-check send a b\n", "'tcp-check send' : expects 'comment' but got 'b' as argument." },
        { " tcp-check send-binary 0\n", "(an even number of hex digit is expected)" },
        { " tcp-check send-binary 0g\n", "(an hex digit is expected (found 'g'))" },
        { " tcp-check send-lf %[foo]\n", "unknown fetch method 'foo'" },
        { " tcp-check send-lf %ci\n", "'ci' is not available in a health check" },
        { " tcp-check send-lf %[src]\n", "needs 'client information'" },
        { " tcp-check expect\n", "expects at least a matching pattern as arguments." },
        { " tcp-check expect status 200\n", "but got 'status' as argument." },
        { " tcp-check expect string a b\n", "but got 'b' as argument." },
        { " tcp-check expect string a string b\n", "only one pattern expected." },
        { " tcp-check expect rstring (\n", "regex '(' is invalid (error=missing closing parenthesis, erroffset=1)." },
        { " tcp-check expect min-recv -2 string a\n", "'min-recv' expects -1 or an integer from 0 to INT_MAX." },
        { " tcp-check expect ok-status L7TOUT string a\n", "'ok-status' only supports" },
        { " tcp-check expect tout-status L7OK string a\n", "'tout-status' only supports" },
        { " tcp-check expect error-status L7OK string a\n", "'error-status' only supports" },
        { " tcp-check connect ssl\n", "'ssl' is not supported yet" },
        { " tcp-check connect port 0\n", "expects a valid TCP port" },
        { " tcp-check connect port abc\n", "unknown fetch method 'abc'" },
        { " tcp-check connect addr foo\n", "'addr' : invalid address: 'foo'" },
        { " tcp-check connect foo\n", "but got 'foo' as argument." },
        { " tcp-check comment\n", "expects a string as argument." },
        { " tcp-check set-var(check.a)\n", "missing fetch method" },
        { " tcp-check set-var(foo.a) int(1)\n", "invalid variable name 'foo.a'" },
        { " tcp-check set-var(check.a,ifx) int(1)\n", "unknown condition \"ifx\"" },
        { " tcp-check unset-var\n", "invalid or incomplete action" },
        { " option tcp-check\n tcp-check send a\n tcp-check connect\n", "first step MUST also be a 'connect'" },
        { H " http-check send uri /a\n http-check send uri /b\n",
          "[t.cfg:8] : 'http-check send' : unable to add this send rule" },
        { H " http-check connect\n http-check expect status 200\n http-check send\n", "missing send rule before it" },
        { " http-check send meth\n", "'meth' expects a string as argument." },
        { " http-check send hdr a\n", "'hdr' expects <name> and <value> as arguments." },
        { " http-check send hdr a:b c\n", "'a:b' is not a header field's name." },
        { " http-check send uri /a\\ b\n", "'/a b' is not a URI." },
        { " http-check send ver HTTP/3.0\n", "version 'HTTP/3.0' is not supported" },
        { " http-check expect status abc\n", "invalid character 'a' in the list of status codes." },
        { " http-check expect status 300-200\n", "invalid range of status codes '300-200'." },
        { " http-check expect hdr x\n", "expects at the name keyword" },
        { " http-check expect hdr name -m foo x\n",
          "'-m' only supports 'str', 'beg', 'end', 'sub' or 'reg' (got 'foo')." },
        { " http-check expect hdr name-lf -m reg x\n", "a log-format cannot be matched as a regex" },
        { " option httpchk a b c d e\n", "cannot handle unexpected argument 'e'" },
        { " option httpchk GET / HTTP/1.1\\r\\nfoo\n", "the line 'foo' hidden in the version is no header field." },
        { " option mysql-check x\n", "only supports optional values: 'user' (got 'x')" },
        { " option pgsql-check\n", "expects 'user <username>' as argument" },
        { " option external-check\n", "running programs is not supported here" },
        { " option smtpchk EHLO a\\ b\n", "'a b' is not a domain" },
        { " server x 127.0.0.1 check\n", "has neither service port nor check port" },
        /* warnings */
        { " tcp-check send a\n",
          "backend 'b' uses tcp-check rules without 'option tcp-check', so the rules are ignored." },
        { " http-check send-state\n", "'send-state' will be ignored for backend 'b' (requires 'option httpchk')." },
        { " option httpchk GET / HTTP/1.1\\r\\nHost:\\ a\\ b\n",
          "it was turned into 'http-check send hdr Host \"a b\"'." },
        { H " http-check send hdr Content-Length 1\n", "header 'Content-Length' is ignored" },
        { " option smtpchk FOO bar\n", "'HELO localhost' is sent" },
        { " tcp-check connect default\n", "'default' has no effect" },
};

static void wrong_lines_are_told(void **st)
{
        (void)st;
        for (size_t i = 0; i < array_len(complaints); i++) {
                struct fx_conf *f = load("", complaints[i].lines);

                if (!strstr(f->text.p, complaints[i].text))
                        fail_msg("%s: %s", complaints[i].lines, f->text.p);
                fx_unload(f);
        }
}

/* A script whose connects name their ports needs none on the server line. */
static void ports_of_the_script(void **st)
{
        struct fx_conf *f = load("", " option tcp-check\n tcp-check connect port 12\n server x 127.0.0.1 check\n"), *g;

        (void)st;
        assert_non_null(f->c);
        g = load("", " option tcp-check\n tcp-check connect port 12\n tcp-check connect\n server x 127.0.0.1 check\n");
        assert_null(g->c);
        fx_unload(f);
        fx_unload(g);
}

/* ---- answers ---- */

struct answer_case {
        const char *in;
        enum hmeth method;
        bool ends; /* the server closes behind it */
        enum response_stage stage;
        int status;
        const char *body;
};

static const struct answer_case answers[] = {
        { "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", HMETH_GET, false, RESPONSE_DONE, 200, "hello" },
        { "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", HMETH_GET, false, RESPONSE_BODY, 200, "hello" },
        { "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", HMETH_GET, true, RESPONSE_DONE, 200, "hello" },
        { "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", HMETH_HEAD, false, RESPONSE_DONE, 200, "" },
        { "HTTP/1.1 204 No Content\r\n\r\n", HMETH_GET, false, RESPONSE_DONE, 204, "" },
        { "HTTP/1.0 200 OK\r\n\r\nhello", HMETH_GET, true, RESPONSE_DONE, 200, "hello" },
        { "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", HMETH_GET, false,
          RESPONSE_DONE, 200, "hello" },
        { "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\nx", HMETH_GET, false, RESPONSE_BAD, 200,
          "hel" },
        { "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", HMETH_GET, false,
          RESPONSE_DONE, 200, "" },
        { "HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n", HMETH_GET, false, RESPONSE_DONE, 101,
          "" },
        { "HTTP/1.1 200 OK\r\ncont", HMETH_GET, false, RESPONSE_HEAD, 0, "" },
        { "HTTP/1.1 200 OK\r\ncont", HMETH_GET, true, RESPONSE_BAD, 0, "" },
        { "220 mail.example.org\r\n", HMETH_GET, false, RESPONSE_BAD, 0, "" },
        { "", HMETH_GET, true, RESPONSE_BAD, 0, "" },
};

static void answer_in_steps(const struct answer_case *c, size_t step)
{
        struct response *r = response_new(c->method);
        size_t n = strlen(c->in);
        AUTO_BUF(in);

        for (size_t i = 0; i < n; i += step) {
                buf_add(&in, c->in + i, n - i < step ? n - i : step);
                response_read(r, &in, false);
        }
        if (c->ends)
                response_read(r, &in, true);
        assert_int_equal(r->stage, c->stage);
        if (c->status)
                assert_int_equal(r->m.status, c->status);
        assert_true(str_is(buf_view(&r->body), c->body));
        response_free(r);
}

static void answers_cut_anywhere(void **st)
{
        (void)st;
        for (size_t i = 0; i < array_len(answers); i++) {
                for (size_t step = 1; step < 12; step++)
                        answer_in_steps(&answers[i], step);
                answer_in_steps(&answers[i], 4096);
        }
}

/* ---- judgements ---- */

struct judge_case {
        const char *lines; /* the last step judges */
        const char *in;
        char end; /* ' ' goes on, 'e' ended */
        enum match_answer want;
        const char *info;
};

#define T(s) " option tcp-check\n tcp-check expect " s "\n"
#define X(s) H " http-check expect " s "\n"
#define OK   "HTTP/1.1 200 OK\r\nX-A: 1, two\r\nx-b: a\r\ncontent-length: 5\r\n\r\nhello"

static const struct judge_case judgements[] = {
        { T("string 220"), "220 a", ' ', MATCH_YES, "" },
        { T("string 221"), "220 a", ' ', MATCH_WAIT, "" },
        { T("string 221"), "220 a", 'e', MATCH_NO, "TCPCHK did not match content '221' at step 1" },
        { T("min-recv 0 string 221"), "220 a", ' ', MATCH_NO, "TCPCHK did not match content '221' at step 1" },
        { T("min-recv 9 string 220"), "220 a", ' ', MATCH_WAIT, "" },
        { T("string 221 comment c"), "", 'e', MATCH_NO, "TCPCHK got an empty response at step 1 comment: c" },
        { T("! string 220"), "220 a", ' ', MATCH_NO, "TCPCHK matched unwanted content '220' at step 1" },
        { T("!string 221"), "220 a", ' ', MATCH_WAIT, "" },
        { T("! string 221"), "220 a", 'e', MATCH_YES, "" },
        { T("! string 221"), "", 'e', MATCH_YES, "" },
        { T("min-recv 5 ! string 221"), "220 a", ' ', MATCH_YES, "" },
        { T("rstring ^2.0"), "220 a", ' ', MATCH_YES, "" },
        { T("rstring ^3"), "220 a", 'e', MATCH_NO, "TCPCHK did not match content (regex) at step 1" },
        { T("binary 323230"), "220 a", ' ', MATCH_YES, "" },
        { T("binary 00"), "220 a", 'e', MATCH_NO, "TCPCHK did not match content (binary) at step 1" },
        { T("rbinary ^3232.*61$"), "220 a", ' ', MATCH_YES, "" },
        { T("rbinary ^33"), "220 a", 'e', MATCH_NO, "TCPCHK did not match content (binary regex) at step 1" },
        { T("string-lf %[str(22)]0"), "220 a", ' ', MATCH_YES, "" },
        { T("binary-lf %[str(32)]30"), "220 a", ' ', MATCH_YES, "" },
        { T("binary-lf %[str(3)]30"), "220 a", ' ', MATCH_NO,
          "Failed to parse hexastring resulting of eval of a log-format string" },
        { X("status 200"), OK, ' ', MATCH_YES, "" },
        { X("status 100,201-299"), OK, ' ', MATCH_NO, "OK" },
        { X("! status 200"), OK, ' ', MATCH_NO, "OK" },
        { X("rstatus ^2"), OK, ' ', MATCH_YES, "" },
        { X("status 200"), "HTTP/1.1 2", ' ', MATCH_WAIT, "" },
        { X("hdr name x-a"), OK, ' ', MATCH_YES, "" },
        { X("hdr name X-A value two"), OK, ' ', MATCH_YES, "" },
        { X("hdr name x-a value TWO"), OK, ' ', MATCH_NO, "OK" },
        { X("fhdr name x-a value two"), OK, ' ', MATCH_NO, "OK" },
        { X("fhdr name x-a value \"1, two\""), OK, ' ', MATCH_YES, "" },
        { X("fhdr name x-a value -m beg 1,"), OK, ' ', MATCH_YES, "" },
        { X("hdr name -m end -A value -m reg ^t.o$"), OK, ' ', MATCH_YES, "" },
        { X("hdr name -m reg ^X-[A-Z]$ value -m sub w"), OK, ' ', MATCH_YES, "" },
        { X("hdr name-lf %[res.hdr(none)]"), OK, ' ', MATCH_NO, "OK" },
        { X("hdr name-lf x-%[res.hdr(x-b)]"), OK, ' ', MATCH_YES, "" },
        { X("! hdr name x-c"), OK, ' ', MATCH_YES, "" },
        { X("string ell"), OK, ' ', MATCH_YES, "" },
        { X("string x comment c"), OK, ' ', MATCH_NO, "HTTP content check did not match comment: c" },
        { X("! string ell"), OK, ' ', MATCH_NO, "HTTP check matched unwanted content" },
        { X("rstring ^h.*o$"), OK, ' ', MATCH_YES, "" },
        { X("string-lf %[res.hdr(content-length)]"), OK, ' ', MATCH_NO, "HTTP content check did not match" },
        { X("string a"), "HTTP/1.1 204 No\r\n\r\n", ' ', MATCH_NO,
          "HTTP content check could not find a response body" },
        { X("string a"), "nonsense\r\n\r\n", ' ', MATCH_NO, "" },
        { H " http-check disable-on-404\n http-check expect status 200\n",
          "HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n", ' ', MATCH_NO, "" },
};

static void judge(const struct judge_case *c)
{
        struct fx_conf *f = load("", c->lines);
        struct run r = { .in = BUF_INIT };
        struct expr_ctx x = { .have = EXPR_AT_CHECK, .final = true };
        const struct step *s;
        struct match m;

        if (!f->c)
                fail_msg("%s: %s", c->lines, f->text.p);
        r.script = cfg_of(f)->script;
        s = &r.script->step[r.script->n - 1];
        buf_add(&r.in, c->in, strlen(c->in));
        r.ended = c->end == 'e';
        if (r.script->kind == SCRIPT_HTTP) {
                r.rsp = response_new(HMETH_OPTIONS);
                response_read(r.rsp, &r.in, r.ended);
                x.rsp = r.rsp->stage == RESPONSE_BODY || r.rsp->stage == RESPONSE_DONE ? &r.rsp->m : NULL;
        }
        x.check = &r.x;
        m = match_run(&r, s, &x);
        if (m.answer != c->want || strcmp(m.info, c->info) != 0)
                fail_msg("%s on %s: %d '%s'", c->lines, c->in, (int)m.answer, m.info);
        response_free(r.rsp);
        buf_fini(&r.in);
        fx_unload(f);
}

static void judgements_are_made(void **st)
{
        (void)st;
        for (size_t i = 0; i < array_len(judgements); i++)
                judge(&judgements[i]);
}

/* A format may print what another server sent: it must not end a line. */
static void requests_stay_one(void **st)
{
        struct fx_conf *f = load("", H " http-check send uri-lf /%[str(\"a b\")]\n"),
                       *g = load("", H " http-check send hdr x \"a%[str(b)]\"\n");
        struct expr_ctx x = { .final = true };
        struct step_request r = cfg_of(g)->script->step[1].request;
        AUTO_BUF(out);

        (void)st;
        assert_false(request_write(&cfg_of(f)->script->step[1].request, &x, (struct str){ NULL, 0 }, &out));
        out.n = 0;
        assert_false(request_write(&r, &x, STR("UP\r\nx: y"), &out));
        out.n = 0;
        assert_true(request_write(&r, &x, STR("UP"), &out));
        assert_true(str_is(buf_view(&out), "OPTIONS / HTTP/1.0\r\nx: ab\r\nx-haproxy-server-state: UP\r\n\r\n"));
        fx_unload(f);
        fx_unload(g);
}

static int setup(void **st)
{
        (void)st;
        fx_thread();
        kw_boot();
        return 0;
}

static int teardown(void **st)
{
        (void)st;
        thr_free(thr_self);
        thr_self = NULL;
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(from_lines),           cmocka_unit_test(hashes_tell_scripts_apart),
                cmocka_unit_test(wrong_lines_are_told), cmocka_unit_test(ports_of_the_script),
                cmocka_unit_test(answers_cut_anywhere), cmocka_unit_test(judgements_are_made),
                cmocka_unit_test(requests_stay_one),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
