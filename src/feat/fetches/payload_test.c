/* Contents of layer 6: for each input and each moment what HAProxy 3.4 answered. */
#include "conf/conf.h"
#include "core/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/content.h"
#include "core/fixture.h"

#include <string.h>

static struct fx_conf *conf;
static struct fx_stream fs;
static struct fx_head head;
static struct str bytes; /* what the peer said */

static int show_bytes(struct side *s, size_t max, struct str *ret_in)
{
        (void)s;
        *ret_in = bytes;
        return bytes.n >= max ? MSG_OK : MSG_WAIT;
}

static const struct mux_ops peer_ops = { .name = "TCP", .rx_peek = show_bytes };

static int setup(void **st)
{
        (void)st;
        fx_thread();
        kw_boot();
        conf = fx_load("global\n");
        fx_stream_init(&fs, NULL);
        fs.fcfg.bufsize = 16384;
        fs.s.cl.ops = fs.s.sv.ops = &peer_ops;
        return 0;
}

static int teardown(void **st)
{
        (void)st;
        fx_unload(conf);
        thr_free(thr_self);
        thr_self = NULL;
        return 0;
}

static const char *hex(struct str s)
{
        static char out[512];
        size_t n = 0;

        for (size_t i = 0; i < s.n && n + 3 < sizeof(out); i++)
                n += (size_t)snprintf(out + n, sizeof(out) - n, "%02x", (unsigned char)s.p[i]);
        out[n] = '\0';
        return out;
}

/* The value, bytes as hex; "<miss>", "<wait>", "?" and the value when it may still change; or the alert's text. */
static const char *eval(const char *text, unsigned have, bool final)
{
        static char out[600];
        struct diags d;
        struct kw_call c = { .conf = conf->c, .diags = &d };
        struct expr_ctx x = { .strm = &fs.s,
                              .sess = &fs.ss,
                              .req = fs.s.http ? &head.m : NULL,
                              .rsp = fs.s.http ? &head.m : NULL,
                              .have = have,
                              .final = final };
        const struct expr *e;
        struct smp s = { .iter = 0 };
        size_t used = 0;

        diags_init(&d);
        e = expr_compile(&c, str_of(text), NULL, have, &used);
        if (!e) {
                (void)snprintf(out, sizeof(out), "%s", list_first(&d.all, struct diag, link)->text);
                diags_fini(&d);
                return out;
        }
        diags_fini(&d);
        switch (expr_run(e, &x, &s)) {
        case EXPR_OK: break;
        case EXPR_MISS: return "<miss>";
        case EXPR_WAIT: return "<wait>";
        }
        out[0] = '?';
        if (s.type == SMP_SINT)
                (void)snprintf(out + s.changes, sizeof(out) - 1, "%lld", (long long)s.i);
        else if (s.type == SMP_BOOL)
                (void)snprintf(out + s.changes, sizeof(out) - 1, "%d", s.b);
        else if (s.type == SMP_BIN)
                (void)snprintf(out + s.changes, sizeof(out) - 1, "%s", hex((struct str){ s.s.p, s.s.n }));
        else
                (void)snprintf(out + s.changes, sizeof(out) - 1, "%.*s", (int)s.s.n, s.s.p);
        return out;
}

struct row {
        const char *text, *early, *last; /* while more may come; when not */
};

static void check(struct str in, unsigned have, const struct row *r, size_t n)
{
        bytes = in;
        for (size_t i = 0; i < n; i++) {
                const char *got = eval(r[i].text, have, false);

                if (strcmp(got, r[i].early) != 0)
                        fail_msg("%s: got '%s', want '%s'", r[i].text, got, r[i].early);
                got = eval(r[i].text, have, true);
                if (strcmp(got, r[i].last ? r[i].last : r[i].early) != 0)
                        fail_msg("%s at the end: got '%s', want '%s'", r[i].text, got,
                                 r[i].last ? r[i].last : r[i].early);
        }
}

#define CHECK(in, have, ...)                                                                                           \
        do {                                                                                                           \
                static const struct row rows[] = { __VA_ARGS__ };                                                      \
                check((struct str){ in, sizeof(in) - 1 }, have, rows, array_len(rows));                                \
        } while (0)

static void test_length_and_pieces(void **st)
{
        (void)st;
        fs.s.http = false;
        CHECK("abcdef", EXPR_AT_CONTENT, { "req.len", "?6", "6" }, { "req_len", "?6", "6" },
              { "req.payload(0,3)", "616263", NULL }, { "req.payload(2,0)", "?63646566", "63646566" },
              { "req.payload(4,3)", "<wait>", "<miss>" }, { "req.payload(6,0)", "<wait>", "<miss>" },
              { "payload(0,2)", "6162", NULL }, { "req.payload(16000,400)", "<miss>", NULL });
        CHECK("\0\3xyzuvw", EXPR_AT_CONTENT, { "req.payload_lv(0,2)", "78797a", NULL },
              { "req.payload_lv(0,2,4)", "7a7576", NULL }, { "req.payload_lv(0,2,+1)", "797a75", NULL },
              { "req.payload_lv(0,2,-1)", "037879", NULL }, { "payload_lv(1,1,+3)", "757677", NULL });
        CHECK("\0\3xy", EXPR_AT_CONTENT, { "req.payload_lv(0,2)", "<wait>", "<miss>" },
              { "req.payload_lv(2,2)", "<miss>", NULL }, /* more than a buffer */
              { "req.payload_lv(3,2)", "<wait>", "<miss>" }, { "req.payload_lv(0,1)", "<miss>", NULL } /* nothing */);
        CHECK("ans", EXPR_AT_ANSWER, { "res.len", "?3", "3" }, { "res.payload(1,2)", "6e73", NULL },
              { "payload(1,2)", "6e73", NULL }, { "res.payload_lv(0,1)", "<wait>", "<miss>" },
              { "res.ssl_hello_type", "<miss>", NULL });
        CHECK("", EXPR_AT_CONTENT, { "req.len", "?0", "0" }, { "req.ssl_hello_type", "<wait>", "<miss>" },
              { "req.rdp_cookie", "<wait>", "<miss>" }, { "wait_end", "<wait>", "1" });
}

static void test_arguments(void **st)
{
        (void)st;
        assert_non_null(strstr(eval("req.payload(-1,2)", EXPR_AT_CONTENT, true), "must not be negative"));
        assert_non_null(strstr(eval("req.payload_lv(0,9)", EXPR_AT_CONTENT, true), "1 to 7 bytes"));
        assert_non_null(strstr(eval("req.payload_lv(0,2,x)", EXPR_AT_CONTENT, true), "no offset"));
        assert_non_null(strstr(eval("res.len", EXPR_AT_CONTENT, true), "response buffer contents"));
        assert_non_null(strstr(eval("req.len", EXPR_AT_TCP, true), "request buffer contents"));
}

#define RDP "\x03\0\0\x2f\x2a\xe0\0\0\0\0\0"

static void test_rdp(void **st)
{
        (void)st;
        CHECK(RDP "Cookie: mstshash=user1\r\n\1\0\x08\0\3", EXPR_AT_CONTENT, { "req.rdp_cookie", "user1", NULL },
              { "rdp_cookie(MSTSHASH)", "user1", NULL }, { "req.rdp_cookie_cnt", "1", NULL },
              { "req.rdp_cookie_cnt(msts)", "0", NULL }, { "req.rdp_cookie(msts)", "<miss>", NULL });
        CHECK(RDP "Cookie: msts=3640", EXPR_AT_CONTENT, { "req.rdp_cookie", "<wait>", "<miss>" });
        CHECK(RDP "Coo", EXPR_AT_CONTENT, { "req.rdp_cookie_cnt", "<wait>", "0" });
        CHECK("GET / HTTP/1.0\r\n\r\n", EXPR_AT_CONTENT, { "req.rdp_cookie_cnt", "0", NULL },
              { "req.rdp_cookie", "<miss>", NULL });
}

#define HELLO                                                                                                                \
        "\x16\3\1\0\xac\1\0\0\xa8\3\3RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR\x20SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS\0\4\x13\1\0\x9f\1" \
        "\0\0\x5b\0\0\0\x14\0\x12\0\0\x0fwww.Example.com\0\x10\0\x0e\0\x0c\2h2\x08http/1.1\0\x0a\0\6\0\4\0\x1d\0\x17\0"      \
        "\x0b\0\2\1\0\0\x0d\0\6\0\4\4\3\x08\5\0\x23\0\0\0\x33\0\x0f\0\x0d\0\x1d\0\2\x41\x42\0\x17\0\3\x43\x44\x45"

static void test_tls(void **st)
{
        (void)st;
        CHECK(HELLO, EXPR_AT_CONTENT, { "req.ssl_hello_type", "1", NULL }, { "req_ssl_hello_type", "1", NULL },
              { "req.ssl_ver", "196611", NULL }, { "req.ssl_sni", "www.Example.com", NULL },
              { "req_ssl_sni", "www.Example.com", NULL }, { "req.ssl_alpn", "h2", NULL },
              { "req.ssl_ec_ext", "1", NULL }, { "req.ssl_st_ext", "1", NULL },
              { "req.ssl_cipherlist", "1301009f", NULL }, { "req.ssl_sigalgs", "04030805", NULL },
              { "req.ssl_supported_groups", "001d0017", NULL }, { "req.ssl_keyshare_groups", "001d0017", NULL });
        CHECK("\x16\3\1\0\xac\1\0", EXPR_AT_CONTENT, { "req.ssl_hello_type", "<wait>", "<miss>" },
              { "req.ssl_sni", "<wait>", "<miss>" }, { "req.ssl_ver", "<wait>", "<miss>" });
        CHECK("\x16\3\1\0\5\2\0\0\1\3", EXPR_AT_CONTENT, { "req.ssl_hello_type", "2", NULL },
              { "req.ssl_ver", "<miss>", NULL }, { "req.ssl_sni", "<miss>", NULL });
        CHECK("\x80\x1f\1\3\1\0\6\0\0\0\x10\0\0\4\0\0\5CCCCCCCCCCCCCCCC", EXPR_AT_CONTENT,
              { "req.ssl_ver", "196609", NULL }, { "req.ssl_hello_type", "<miss>", NULL });
        CHECK("SSH-2.0", EXPR_AT_CONTENT, { "req.ssl_hello_type", "<miss>", NULL }, { "req.ssl_sni", "<miss>", NULL });
        CHECK("\x16\3\3\0\5\2\0\0\1\3", EXPR_AT_ANSWER, { "res.ssl_hello_type", "2", NULL },
              { "rep_ssl_hello_type", "2", NULL });
}

static void test_bodies(void **st)
{
        const unsigned have = EXPR_AT_REQUEST | EXPR_AT_RESPONSE;

        (void)st;
        fs.s.http = true;
        assert_true(fx_head(&head, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n", false));
        CHECK("a=1&b=2&A=3&c&a=4", have, { "req.body_len", "17", NULL }, { "req.body_size", "40", NULL },
              { "req.body_param(b)", "2", NULL }, { "req.body_param(a)", "1", NULL }, { "req.body_param", "1", NULL },
              { "req.body_param(A)", "3", NULL }, { "req.body_param(B,i)", "2", NULL },
              { "req.body_param(c)", "<miss>", NULL }, { "res.body_len", "17", NULL }, { "req.len", "<miss>", NULL },
              { "req.payload(0,1)", "<miss>", NULL }, { "req.ssl_sni", "<miss>", NULL });
        CHECK("xyz", have, { "req.body", "78797a", NULL }, { "res.body", "78797a", NULL });
        assert_true(fx_head(&head, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", false));
        CHECK("xyz", have, { "req.body_size", "3", NULL });
        fs.s.http = false;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_length_and_pieces),
                cmocka_unit_test(test_arguments),
                cmocka_unit_test(test_rdp),
                cmocka_unit_test(test_tls),
                cmocka_unit_test(test_bodies),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
