/* Hostile and odd requests. "measured" rows were compared with HAProxy 2.6.12 and 3.4.0. */
#include "proto/h1_rows.h"

#define H          "Host: a\r\n"
#define GET(more)  "GET / HTTP/1.1\r\n" H more "\r\n"
#define OUT(more)  "GET / HTTP/1.1\r\nhost: a\r\n" more "\r\n"
#define POST(more) "POST / HTTP/1.1\r\n" H more "\r\n"
#define POUT(more) "POST / HTTP/1.1\r\nhost: a\r\n" more "\r\n"
#define LINE(l)    l "\r\n" H "\r\n"
#define KEY        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define RUN(rows)  rows_run(rows, array_len(rows), HT_REQUEST, HMETH_OTHER)

static void test_request_line(void **st)
{
        static const struct row rows[] = {
                R_OK(GET(""), OUT("")),
                R_OK("GeT / HTTP/1.1\r\nHOST: A\r\n\r\n", "GeT / HTTP/1.1\r\nhost: A\r\n\r\n"),
                R_OK(LINE("get / HTTP/1.1"), "get / HTTP/1.1\r\nhost: a\r\n\r\n"),
                R_OK(LINE("G!T / HTTP/1.1"), "G!T / HTTP/1.1\r\nhost: a\r\n\r\n"),
                R_OK("\r\n\r\n" GET(""), OUT("")),      /* RFC 9112 2.2 */
                R_OK("\n\n" GET(""), OUT("")),          /* measured */
                R_OK(LINE("GET  / HTTP/1.1"), OUT("")), /* measured: cleaned, not refused */
                R_OK(LINE("GET /  HTTP/1.1"), OUT("")),
                R_OK("GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"),
                R_OK(LINE("GET / HTTP/1.2"), OUT("")), /* measured: spoken to as 1.1 */
                R_OK(LINE("GET / HTTP/1.9"), OUT("")),
                R_OK("GET / HTTP/1.1\nHost: a\nX: 1\n\n", OUT("x: 1\r\n")), /* measured: LF goes in, CRLF comes out */
                R_OK("GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\n", OUT("x: 1\r\n")),
                R_OK("GET / HTTP/1.1\r\n\r\nGET /next", "GET / HTTP/1.1\r\n\r\n"),
                R_MORE(""),
                R_MORE("\r"),
                R_MORE("G"),
                R_MORE("GET "),
                R_MORE("GET /"),
                R_MORE("GET / "),
                R_MORE("GET / HTTP/1"),
                R_MORE("GET / HTTP/1.1"),
                R_MORE("GET / HTTP/1.1\r"),
                R_MORE("GET / HTTP/1.1\r\n"),
                R_MORE("GET / HTTP/1.1\r\n\r"),
                R_BAD(" GET / HTTP/1.1\r\n\r\n", METHOD),
                R_BAD("\r \r\n", LINE_END),
                R_BAD("G\xe9T / HTTP/1.1\r\n\r\n", METHOD),
                R_BAD("G(T / HTTP/1.1\r\n\r\n", METHOD),
                R_BAD("G\tT / HTTP/1.1\r\n\r\n", METHOD),
                R_BAD("GET\t/ HTTP/1.1\r\n\r\n", METHOD),
                R_BAD("GET\r\n", METHOD),
                R_BAD("\0", METHOD),
                R_BAD("\x16\x03\x01\x02", METHOD), /* a TLS hello is answered at once */
                R_BAD("GET \r\n", TARGET),
                R_BAD("GET /\r\n\r\n", VERSION), /* HTTP/0.9 */
                R_BAD("GET / \r\n\r\n", VERSION),
                R_BAD("GET / HTTP/1.1 \r\n", VERSION),
                R_BAD("GET / HTTP/1.1x\r\n", VERSION),
                R_BAD("GET / http/1.1\r\n", VERSION),
                R_BAD("GET / HTTP/01.1\r\n", VERSION),
                R_BAD("GET / HTTP/1.10\r\n", VERSION),
                R_BAD("GET / HTTP/1.\r\n", VERSION),
                R_BAD("GET / HTTP/11\r\n", VERSION),
                R_BAD("GET / RTSP/1.0\r\n", VERSION),
                R_BAD("GET / HTTP/1.1\rHost: a\r\n\r\n", LINE_END),
                R_BAD("GET / HTTP/2.0\r\n\r\n", VERSION_MAJOR), /* 505 (RFC 9110 15.6.6) */
                R_BAD("GET / HTTP/0.9\r\n\r\n", VERSION_MAJOR),
                R_BAD("GET * HTTP/2.0\r\n\r\n", VERSION_MAJOR),
                R_BAD("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", PREFACE),
        };

        (void)st;
        RUN(rows);
}

#define TGT(t)        "GET " t " HTTP/1.1\r\n" H "\r\n"
#define TO(t)         "GET " t " HTTP/1.1\r\nhost: a\r\n\r\n"
#define ABS(t, host)  "GET " t " HTTP/1.1\r\nHost: " host "\r\n\r\n"
#define ABSO(t, host) "GET " t " HTTP/1.1\r\nhost: " host "\r\n\r\n"
#define CON(t, host)  "CONNECT " t " HTTP/1.1\r\nHost: " host "\r\n\r\n"
#define CONO(t, host) "CONNECT " t " HTTP/1.1\r\nhost: " host "\r\n\r\n"

static void test_request_target(void **st)
{
        static const struct row rows[] = {
                R_OK(TGT("//a"), TO("//a")),
                R_OK(TGT("/a\\b<>\"{}|^`"), TO("/a\\b<>\"{}|^`")), /* measured; the manual names these as unchecked */
                R_OK(TGT("/?a=b&c"), TO("/?a=b&c")),
                R_OK("OPTIONS * HTTP/1.1\r\n" H "\r\n", "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n"),
                R_OK("OPTIONS / HTTP/1.1\r\n" H "\r\n", "OPTIONS / HTTP/1.1\r\nhost: a\r\n\r\n"),
                R_OK("OPTIONS http://a HTTP/1.1\r\n" H "\r\n", "OPTIONS http://a HTTP/1.1\r\nhost: a\r\n\r\n"),
                R_OK("OPTIONS http://a:80 HTTP/1.1\r\n" H "\r\n", "OPTIONS http://a HTTP/1.1\r\nhost: a\r\n\r\n"),
                R_BAD("OPTIONS */test HTTP/1.1\r\n" H "\r\n", TARGET_FORM),
                R_BAD(TGT("*"), TARGET_FORM),
                R_BAD(TGT("foo"), TARGET_FORM),
                R_BAD(TGT("admin/a/b"), TARGET_FORM),
                R_BAD(TGT("haproxy.org:80"), TARGET_FORM),
                R_BAD(TGT("?a"), TARGET_FORM),
                R_BAD(TGT("1ttp://a/x"), TARGET_FORM),
                R_BAD(TGT("urn:foo"), TARGET_FORM),
                R_BAD(TGT("://a/"), TARGET_FORM),
                R_BAD(TGT("http:/a/"), TARGET_FORM),
                R_BAD(TGT("http"), TARGET_FORM),
                R_BAD(TGT("/a#b"), TARGET),
                R_BAD(TGT("#"), TARGET),
                R_BAD(TGT("/a\xe9"), TARGET),
                R_BAD(TGT("/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xe9"), TARGET),
                R_BAD(TGT("/a\x01"), TARGET),
                R_BAD(TGT("/a\0b"), TARGET),
                R_BAD(TGT("/a\x7f"), TARGET),
                R_BAD(TGT("/a\tb"), TARGET),
                R_BAD(TGT("/a b"), VERSION),
                R_BAD(TGT("/aaaaaaaaaaaaaaaaaaaaaaaaaaa#"), TARGET),
                R_BAD(TGT("http://a?x=1"), AUTHORITY), /* measured: 400 */
                R_BAD(TGT("http://a\\b/"), AUTHORITY),
                R_BAD(TGT("http://a,b/"), AUTHORITY),
                R_BAD(TGT("http://u@v@a/"), AUTHORITY),
                R_BAD(TGT("http://a:80:80/"), AUTHORITY),
                R_BAD(TGT("http://a:x/"), AUTHORITY),
                R_BAD(TGT("http://a:99999/"), AUTHORITY),
                R_BAD(TGT("http://[::1/"), AUTHORITY),
                R_OK(ABS("ws://a/x", "a"), ABSO("ws://a/x", "a")),
                R_OK(ABS("HTTP://A:80/x", "a"), ABSO("HTTP://A/x", "a")),
                R_OK(ABS("http://[::1]:80/x", "[::1]"), ABSO("http://[::1]/x", "[::1]")),
                R_BAD(ABS("http://[::1]:80/x", "[::2]"), HOST_DIFFERS),
                R_OK("GET http://a:80/x HTTP/1.1\r\n\r\n", "GET http://a/x HTTP/1.1\r\n\r\n"),
        };

        (void)st;
        RUN(rows);
}

/* The cases of HAProxy's h1_host_normalization and h1_request_target_validation scripts, read for behaviour. */
static void test_authority_against_host(void **st)
{
        static const struct row rows[] = {
                R_OK(ABS("http://t:p@hostname:80/c1", "hostname:80"), ABSO("http://t:p@hostname/c1", "hostname")),
                R_OK(ABS("http://hostname:8080/c2", "hostname:8080"), ABSO("http://hostname:8080/c2", "hostname:8080")),
                R_OK(ABS("https://hostname:443/c3", "hostname:443"), ABSO("https://hostname/c3", "hostname")),
                R_OK(ABS("https://hostname:80/c4", "hostname:80"), ABSO("https://hostname:80/c4", "hostname:80")),
                R_OK(CON("hostname:80", "hostname:80"), CONO("hostname:80", "hostname")),
                R_OK(CON("hostname:80", "hostname"), CONO("hostname:80", "hostname")),
                R_OK(CON("hostname:80", "hostname:"), CONO("hostname:80", "hostname:")),
                R_OK(CON("hostname:443", "hostname:443"), CONO("hostname:443", "hostname")),
                R_OK(CON("hostname:8443", "hostname:8443"), CONO("hostname:8443", "hostname:8443")),
                R_OK("CONNECT a:80 HTTP/1.1\r\n\r\n", "CONNECT a:80 HTTP/1.1\r\n\r\n"),
                R_BAD(ABS("http://hostname1/", "hostname2"), HOST_DIFFERS),
                R_BAD(ABS("http://hostname:80/", "hostname:81"), HOST_DIFFERS),
                R_BAD(ABS("http://hostname:8080/", "hostname"), HOST_DIFFERS),
                R_BAD(ABS("http://hostname/", "hostname:81"), HOST_DIFFERS),
                R_BAD(ABS("http://hostname1/", "hostname1\r\nHost: hostname2"), HOST_DIFFERS),
                R_BAD(ABS("http://hostname1/", "hostname1:80\r\nHost: hostname1"), HOST_DIFFERS),
                R_BAD(CON("hostname", "hostname"), AUTHORITY),
                R_BAD(CON("hostname1:80", "hostname2:80"), HOST_DIFFERS),
                R_BAD(CON("hostname:80", "hostname:443"), HOST_DIFFERS),
                R_BAD(CON("hostname:8080", "hostname"), HOST_DIFFERS),
                R_BAD(CON("/", "hostname"), AUTHORITY),
                R_BAD(CON("hostname:", "hostname"), AUTHORITY),
                R_BAD(CON("http://hostname:80", "hostname"), AUTHORITY),
                R_BAD(CON("u@hostname:80", "hostname"), AUTHORITY),
                R_BAD(CON(":80", ""), AUTHORITY),
                R_OK(ABS("http://hostname:80/c20", "hostname"), ABSO("http://hostname/c20", "hostname")),
                R_OK(ABS("https://hostname:443/c21", "hostname"), ABSO("https://hostname/c21", "hostname")),
                R_OK(ABS("http://hostname/c22", "hostname:80"), ABSO("http://hostname/c22", "hostname:80")),
                R_OK(ABS("https://hostname/c23", "hostname:443"), ABSO("https://hostname/c23", "hostname:443")),
                R_OK(ABS("http://hostname:/c24", "hostname"), ABSO("http://hostname/c24", "hostname")),
                R_OK(ABS("http://hostname/c26", "hostname:"), ABSO("http://hostname/c26", "hostname:")),
                R_OK(ABS("http://hostname:80/c28", "hostname:"), ABSO("http://hostname/c28", "hostname")),
                R_OK(ABS("http://hostname:/c29", "hostname:80"), ABSO("http://hostname/c29", "hostname")),
                R_OK(ABS("https://hostname:/c31", "hostname:443"), ABSO("https://hostname/c31", "hostname")),
                R_OK(ABS("http://:", ":80"), ABSO("http:///", "")),
                R_OK(ABS("https://:", ":"), ABSO("https:///", "")),
                R_OK(ABS("http://hostname", "hostname"), ABSO("http://hostname/", "hostname")),
                R_OK(ABS("http://hostname:80", "hostname"), ABSO("http://hostname/", "hostname")),
                R_OK(ABS("https://hostname:444", "hostname:444"), ABSO("https://hostname:444/", "hostname:444")),
        };

        (void)st;
        RUN(rows);
}

static void test_host(void **st)
{
        static const struct row rows[] = {
                R_OK("GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"), /* measured; flagged HMSG_NO_HOST */
                R_OK(GET(H), OUT("")),
                R_OK(GET("Host: A\r\n"), OUT("")),
                R_OK("GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nhost: \r\n\r\n"),
                R_OK("GET / HTTP/1.1\r\nHost: a_b.c\r\n\r\n", "GET / HTTP/1.1\r\nhost: a_b.c\r\n\r\n"),
                R_BAD(GET("Host: b\r\n"), HOST_DIFFERS),
                R_BAD("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", HOST),
                R_BAD("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", HOST),
                R_BAD("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", HOST),
                R_BAD("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", HOST),
                R_BAD("GET / HTTP/1.1\r\nHost: a?b\r\n\r\n", HOST),
                R_BAD("GET / HTTP/1.1\r\nHost: a#b\r\n\r\n", HOST),
                R_BAD("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", HOST),
                R_BAD("GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", HOST),
                R_BAD("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", HOST),
                R_BAD("GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n", HOST),
        };

        (void)st;
        RUN(rows);
}

static void test_field_lines(void **st)
{
        static const struct row rows[] = {
                R_OK(GET("X-Foo:   Bar baz  \r\n"), OUT("x-foo: Bar baz\r\n")),
                R_OK(GET("X-Foo:Bar\r\n"), OUT("x-foo: Bar\r\n")),
                R_OK(GET("X:\tBar\t\r\n"), OUT("x: Bar\r\n")),
                R_OK(GET("X: a\tb\r\n"), OUT("x: a\tb\r\n")),
                R_OK(GET("Empty:\r\nEmpty2:   \r\n"), OUT("empty: \r\nempty2: \r\n")),
                R_OK(GET("f_O!#$%&'*+-.^`|~9: 1\r\n"), OUT("f_o!#$%&'*+-.^`|~9: 1\r\n")),
                R_OK(GET("X: a\xe9\xff\r\n"), OUT("x: a\xe9\xff\r\n")), /* obs-text */
                R_OK(GET("X: :\r\n"), OUT("x: :\r\n")),
                R_OK(GET("Cookie: a=1\r\nCookie: b=2\r\n"), OUT("cookie: a=1\r\ncookie: b=2\r\n")),
                R_OK(GET("A-Name-That-Is-Longer-Than-Sixteen-BYTES: 1\r\n"),
                     OUT("a-name-that-is-longer-than-sixteen-bytes: 1\r\n")),
                R_BAD(GET(": x\r\n"), NAME_EMPTY),
                R_BAD("GET / HTTP/1.1\r\n: x\r\n\r\n", NAME_EMPTY),
                R_BAD(GET("A: b\r\n:\r\nC: d\r\n"), NAME_EMPTY),
                R_BAD(GET("X : a\r\n"), NAME_SPACE),
                R_BAD(GET("X\t: a\r\n"), NAME_SPACE),
                R_BAD(GET("Content-Length : 5\r\n"), NAME_SPACE),
                R_BAD(GET("X: a\r\n b\r\n"), FOLD),
                R_BAD(GET("X: a\r\n\tb\r\n"), FOLD),
                R_BAD(GET("X: a\r\n \r\n"), FOLD),
                R_BAD("GET / HTTP/1.1\r\n X: b\r\n\r\n", FOLD),
                R_BAD("GET / HTTP/1.1\n X: b\r\n\r\n", FOLD),
                R_BAD(GET("foo\r\n"), NO_COLON),
                R_BAD(GET("foo\n"), NO_COLON),
                R_BAD(GET("f(o: 1\r\n"), NAME_BYTE),
                R_BAD(GET("f\xe9o: 1\r\n"), NAME_BYTE),
                R_BAD(GET("f\0o: 1\r\n"), NAME_BYTE),
                R_BAD(GET("a-very-long-name-indeed\x7f: 1\r\n"), NAME_BYTE),
                R_BAD(GET("\"a\": 1\r\n"), NAME_BYTE),
                R_BAD(GET("X: a\0b\r\n"), VALUE_BYTE),
                R_BAD(GET("X: a\x01"
                          "b\r\n"),
                      VALUE_BYTE),
                R_BAD(GET("X: a\x0b\r\n"), VALUE_BYTE),
                R_BAD(GET("X: a\x7f\r\n"), VALUE_BYTE),
                R_BAD(GET("X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x1f\r\n"), VALUE_BYTE),
                R_BAD(GET("X: a\rb\r\n"), LINE_END),
                R_BAD(GET("X: a\r\r\n"), LINE_END),
                R_BAD(GET("\rX: a\r\n"), LINE_END),
                R_MORE("GET / HTTP/1.1\r\nHo"),
                R_MORE("GET / HTTP/1.1\r\nHost:"),
                R_MORE("GET / HTTP/1.1\r\nHost: "),
                R_MORE("GET / HTTP/1.1\r\nHost: a"),
                R_MORE("GET / HTTP/1.1\r\nHost: a\r"),
                R_MORE("GET / HTTP/1.1\r\nHost: a\r\n"),
                R_MORE("GET / HTTP/1.1\r\nHost: a\r\n\r"),
        };

        (void)st;
        RUN(rows);
}

static void test_content_length(void **st)
{
        static const struct row rows[] = {
                R_OK(POST("Content-Length: 3\r\n"), POUT("content-length: 3\r\n")),
                R_OK(POST("Content-Length: 0\r\n"), POUT("content-length: 0\r\n")),
                R_OK(POST("Content-Length: 003\r\n"), POUT("content-length: 3\r\n")), /* measured, 3.4 */
                R_OK(POST("Content-Length:  5 \r\n"), POUT("content-length: 5\r\n")),
                R_OK(POST("Content-Length: 3\r\nContent-Length: 3\r\n"), POUT("content-length: 3\r\n")),
                R_OK(POST("Content-Length: 3, 3\r\n"), POUT("content-length: 3\r\n")),
                R_OK(POST("Content-Length: 3,3\r\nA: b\r\ncontent-length: 3\r\n"),
                     POUT("content-length: 3\r\na: b\r\n")),
                R_OK(POST("Content-Length: 9223372036854775807\r\n"), POUT("content-length: 9223372036854775807\r\n")),
                R_OK(POST(""), POUT("")),
                R_BAD(POST("Content-Length:\r\n"), LENGTH),
                R_BAD(POST("Content-Length: 0,\r\n"), LENGTH),
                R_BAD(POST("Content-Length: ,0\r\n"), LENGTH),
                R_BAD(POST("Content-Length: ,\r\n"), LENGTH),
                R_BAD(POST("Content-Length: +5\r\n"), LENGTH),
                R_BAD(POST("Content-Length: -0\r\n"), LENGTH),
                R_BAD(POST("Content-Length: 0x5\r\n"), LENGTH),
                R_BAD(POST("Content-Length: 5 5\r\n"), LENGTH),
                R_BAD(POST("Content-Length: 5;\r\n"), LENGTH),
                R_BAD(POST("Content-Length: \"5\"\r\n"), LENGTH),
                R_BAD(POST("Content-Length: 1e3\r\n"), LENGTH),
                R_BAD(POST("Content-Length: 9223372036854775808\r\n"), LENGTH),
                R_BAD(POST("Content-Length: 18446744073709551616\r\n"), LENGTH),
                R_BAD(POST("Content-Length: 99999999999999999999999999\r\n"), LENGTH),
                R_BAD(POST("Content-Length: 5,6\r\n"), LENGTH_DIFFERS),
                R_BAD(POST("Content-Length: 5\r\nContent-Length: 6\r\n"), LENGTH_DIFFERS),
                R_BAD(POST("Content-Length: 5\r\nContent-Length: 5,6\r\n"), LENGTH_DIFFERS),
                R_BAD(POST("Content-Length: \r\nContent-Length: 5\r\n"), LENGTH),
                R_BAD(POST("Content-Length: 5\r\nContent-Length: \r\n"), LENGTH),
                R_BAD("GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\n", PAYLOAD_10),
                R_BAD("HEAD / HTTP/1.0\r\nContent-Length: 3\r\n\r\n", PAYLOAD_10),
                R_BAD("DELETE / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", PAYLOAD_10),
                R_OK("GET / HTTP/1.0\r\nContent-Length: 0\r\n\r\n", "GET / HTTP/1.0\r\ncontent-length: 0\r\n\r\n"),
                R_OK("POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\n", "POST / HTTP/1.0\r\ncontent-length: 3\r\n\r\n"),
        };

        (void)st;
        RUN(rows);
}

/* Two lengths; `out` is the head that the next hop gets, NULL: refused. */
static void length_pair(const char *first, const char *between, const char *second, const char *out)
{
        char in[256];
        int n = snprintf(in, sizeof(in), "POST / HTTP/1.1\r\nContent-Length: %s%s%s\r\n\r\n", first, between, second);
        struct ht t;

        ht_init(&t, HT_REQUEST, HMETH_OTHER, 0);
        assert_int_equal(ht_all(&t, in, (uint32_t)n), out ? H1_OK : H1_BAD);
        if (out) {
                struct h1_wopt o = ht_frame(&t.m);
                char *s;
                size_t len;

                assert_int_equal(ht_write(&t.m, &o, &s, &len), 0);
                assert_string_equal(s, out);
                free(s);
        }
        ht_fini(&t);
}

/* reliability.md: all pairs of lengths, in one field and in two; what passes is one field with one value. */
static void test_content_length_pairs(void **st)
{
        static const char *const v[] = { "", "0", "5", "5,5", "5,6", "+5", "0x5", " 5", "5 ", "18446744073709551616" };
        static const bool good[] = { false, true, true, true, false, false, false, true, true, false };
        const char *out;

        (void)st;
        for (unsigned a = 0; a < array_len(v); a++) {
                for (unsigned b = 0; b < array_len(v); b++) {
                        out = !good[a] || !good[b] || (a == 1) != (b == 1) ? NULL
                              : a == 1 ? "POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n"
                                       : "POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\n";
                        length_pair(v[a], ",", v[b], out);
                        length_pair(v[a], "\r\nContent-Length: ", v[b], out);
                }
        }
}

static void test_transfer_encoding(void **st)
{
        static const struct row rows[] = {
                R_OK(POST("Transfer-Encoding: chunked\r\n"), POUT("transfer-encoding: chunked\r\n")),
                R_OK(POST("Transfer-Encoding: ChUnked\r\n"), POUT("transfer-encoding: chunked\r\n")),
                R_OK(POST("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"),
                     POUT("transfer-encoding: chunked\r\n")),
                R_OK(POST("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
                     POUT("transfer-encoding: chunked\r\n")),
                R_OK("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
                     "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"),
                R_BAD(POST("Transfer-Encoding: gzip, chunked\r\n"), CODING_UNKNOWN), /* 422, HAProxy's script */
                R_BAD(POST("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), CODING_UNKNOWN),
                R_BAD(POST("Transfer-Encoding: chunked, chunked\r\n"), CODING),
                R_BAD(POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), CODING),
                R_BAD(POST("Transfer-Encoding: chunked, gzip\r\n"), CODING),
                R_BAD(POST("Transfer-Encoding: chunked, gzip, chunked\r\n"), CODING),
                R_BAD(POST("Transfer-Encoding: gzip\r\n"), CODING),
                R_BAD(POST("Transfer-Encoding: identity\r\n"), CODING),
                R_BAD(POST("Transfer-Encoding:\r\n"), CODING),
                R_BAD(POST("Transfer-Encoding: ,chunked\r\n"), CODING),
                R_BAD(POST("Transfer-Encoding: chunked,\r\n"), CODING),
                R_BAD(POST("Transfer-Encoding: chunked;q=1\r\n"), CODING),
                R_BAD(POST("Transfer-Encoding: xchunked\r\n"), CODING),
                R_BAD(POST("Transfer-Encoding: chunked x\r\n"), CODING),
                R_BAD(POST("Transfer-Encoding: \"chunked\"\r\n"), CODING),
                R_BAD(POST("Transfer-Encoding: \x0b"
                           "chunked\r\n"),
                      VALUE_BYTE),
                R_BAD(POST("Transfer-Encoding : chunked\r\n"), NAME_SPACE),
                R_BAD(POST("Transfer-Encoding: chunked\r\nContent-Length: x\r\n"), LENGTH),
                R_BAD(POST("Transfer-Encoding\r\n : chunked\r\n"), NO_COLON),
        };

        (void)st;
        RUN(rows);
}

static void test_connection(void **st)
{
        static const struct row rows[] = {
                R_OK(GET("Connection: close\r\n"), OUT("")),
                R_OK(GET("Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n"), OUT("")),
                R_OK(GET("Proxy-Connection: keep-alive\r\n"), OUT("")),
                R_OK(GET("Connection: X-Foo, x-bar\r\nX-Foo: 1\r\nX-Bar: 2\r\nX-Baz: 3\r\n"), OUT("x-baz: 3\r\n")),
                R_OK(GET("X-Foo: 1\r\nConnection: ,, x-foo ,\r\n"), OUT("")),
                R_OK(GET("Upgrade: foo\r\n"), OUT("")), /* not asked for in Connection */
                R_OK(GET("Connection: Upgrade\r\nUpgrade: foo\r\n"), OUT("connection: Upgrade\r\nupgrade: foo\r\n")),
                R_OK(GET("Connection: keep-alive, Upgrade\r\nUpgrade: foo\r\nA: b\r\n"),
                     OUT("connection: Upgrade\r\nupgrade: foo\r\na: b\r\n")),
                R_OK(GET("Connection: Upgrade\r\nUpgrade: websocket\r\n" KEY),
                     OUT("connection: Upgrade\r\nupgrade: websocket\r\n"
                         "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n")),
                R_BAD(GET("Connection: Upgrade\r\nUpgrade: websocket\r\n"), WS_KEY), /* measured */
                R_BAD(GET("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: abc\r\n"), WS_KEY),
                R_OK(GET("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"), OUT("")),
                R_OK(GET("Connection: Upgrade\r\nUpgrade: foo, H2C\r\n"), OUT("")),
                R_OK(GET("TE: trailers\r\nConnection: TE\r\n"), OUT("te: trailers\r\nconnection: TE\r\n")),
                R_OK(GET("TE: gzip;q=1, trailers\r\nB: c\r\n"), OUT("te: trailers\r\nb: c\r\n")),
                R_OK(GET("TE: gzip\r\n"), OUT("")),
                R_OK(GET("TE: trailers;q=0.5\r\n"), OUT("")),
                R_BAD(GET("Connection: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,1,2,3,4,5,6,7\r\n"),
                      CONNECTION),
        };

        (void)st;
        RUN(rows);
}

/* "Connection: <every header we add or rely on>" must take nothing away. */
static void test_connection_names_what_we_rely_on(void **st)
{
        (void)st;
        for (int id = HID_FIRST_END2END; id < HID_COUNT; id++) {
                struct str n = hmsg_id_name((enum hid)id);
                char in[256];
                struct ht t;

                if (id == HID_HOST || id == HID_EXPECT)
                        continue;
                int len = snprintf(in, sizeof(in), "GET / HTTP/1.1\r\n%s: v\r\nConnection: %s, Host\r\nHost: a\r\n\r\n",
                                   n.p, n.p);
                ht_init(&t, HT_REQUEST, HMETH_OTHER, 0);
                assert_int_equal(ht_all(&t, in, (uint32_t)len), H1_OK);
                assert_int_equal(t.m.f[0].flags & HF_HOP, 0);
                assert_int_equal(t.m.f[2].flags & HF_HOP, 0);
                ht_fini(&t);
        }
}

static void parse(struct ht *t, unsigned opts, const char *s)
{
        ht_init(t, HT_REQUEST, HMETH_OTHER, opts);
        assert_int_equal(ht_all(t, s, (uint32_t)strlen(s)), H1_OK);
}

static void test_semantics(void **st)
{
        static const struct {
                const char *in;
                uint32_t flags, not_flags;
                int body, upgrade;
        } rows[] = {
                { GET(""), HMSG_RAW_START, HMSG_CLOSE | HMSG_NO_HOST | HMSG_BARE_LF, HBODY_NONE, 0 },
                { "GET / HTTP/1.1\r\n\r\n", HMSG_NO_HOST, HMSG_CLOSE, HBODY_NONE, 0 },
                { "GET / HTTP/1.0\r\n\r\n", HMSG_CLOSE, HMSG_NO_HOST | HMSG_KEEP_ALIVE, HBODY_NONE, 0 },
                { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", HMSG_KEEP_ALIVE, HMSG_CLOSE, HBODY_NONE, 0 },
                { GET("Connection: close\r\n"), HMSG_CLOSE, 0, HBODY_NONE, 0 },
                { GET("Connection: foo,CLOSE\r\nConnection: keep-alive\r\n"), HMSG_CLOSE, 0, HBODY_NONE, 0 },
                { POST("Expect: 100-Continue\r\nContent-Length: 3\r\n"), HMSG_EXPECT_100, HMSG_CLOSE, HBODY_LENGTH, 0 },
                { GET("Expect: foo\r\n"), HMSG_EXPECT_OTHER, HMSG_EXPECT_100, HBODY_NONE, 0 },
                { "POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", HMSG_CLOSE, HMSG_EXPECT_100, HBODY_NONE, 0 },
                { POST("Transfer-Encoding: chunked\r\n"), 0, HMSG_CLOSE, HBODY_CHUNKED, 0 },
                { POST("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"), HMSG_CLOSE, 0, HBODY_CHUNKED, 0 },
                { "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n", HMSG_CLOSE, 0,
                  HBODY_CHUNKED, 0 },
                { "CONNECT a:1 HTTP/1.1\r\nContent-Length: 3\r\n\r\n", HMSG_CLOSE, 0, HBODY_NONE, 0 },
                { "CONNECT a:1 HTTP/1.1\r\n\r\n", 0, HMSG_CLOSE, HBODY_NONE, 0 },
                { GET("Connection: upgrade\r\nUpgrade: websocket\r\n" KEY), 0, 0, HBODY_NONE, HUPGRADE_WEBSOCKET },
                { GET("Connection: upgrade\r\nUpgrade: foo\r\n"), 0, HMSG_H2C, HBODY_NONE, HUPGRADE_OTHER },
                { GET("Connection: upgrade\r\nUpgrade: websocket, h2c\r\n"), HMSG_H2C, 0, HBODY_NONE, 0 },
                { GET("Connection: upgrade\r\n"), 0, 0, HBODY_NONE, 0 },
                { "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n", 0, 0, HBODY_NONE, 0 },
                { "GET / HTTP/1.1\nHost: a\n\n", HMSG_BARE_LF, HMSG_RAW_START, HBODY_NONE, 0 },
                { ABS("http://a/", "a"), HMSG_ABSOLUTE, 0, HBODY_NONE, 0 },
                { GET("TE: trailers\r\nConnection: te\r\n"), HMSG_TE_TRAILERS | HMSG_CONN_TE, 0, HBODY_NONE, 0 },
        };

        (void)st;
        for (unsigned i = 0; i < array_len(rows); i++) {
                struct ht t;

                parse(&t, 0, rows[i].in);
                assert_int_equal(t.m.flags & rows[i].flags, rows[i].flags);
                assert_int_equal(t.m.flags & rows[i].not_flags, 0);
                assert_int_equal(t.m.body, rows[i].body);
                assert_int_equal(t.m.upgrade, rows[i].upgrade);
                assert_int_equal(t.m.head_len, strlen(rows[i].in));
                ht_fini(&t);
        }
        struct ht t;
        parse(&t, H1_PAYLOAD_10_OK, "GET / HTTP/1.0\r\nContent-Length: 3\r\n\r\n");
        assert_int_equal(t.m.length, 3);
        ht_fini(&t);
}

static void test_status_of_refusal(void **st)
{
        struct ht t;

        (void)st;
        ht_init(&t, HT_REQUEST, HMETH_OTHER, 0);
        assert_int_equal(ht_all(&t, "GET / HTTP/3.0\r\n", 16), H1_BAD);
        assert_int_equal(t.h.status, 505);
        assert_int_equal(t.h.bad_at, 6);
        assert_int_equal(h1_request(&t.h, &t.m, 16), H1_BAD); /* stays refused */
        ht_fini(&t);
}

static void test_limits(void **st)
{
        enum { N = 1 << 20 };
        char *in = malloc(N + 64);
        struct ht t;

        (void)st;
        /* names and values around the width of every length field */
        for (uint32_t bits = 8; bits <= 20; bits++) {
                for (int d = -1; d <= 1; d++) {
                        uint32_t w = (1U << bits) + (uint32_t)d;
                        uint32_t n = (uint32_t)sprintf(in, "GET / HTTP/1.1\r\nX: ");
                        memset(in + n, 'v', w);
                        memcpy(in + n + w, "\r\n\r\n", 4);
                        ht_init(&t, HT_REQUEST, HMETH_OTHER, 0);
                        assert_int_equal(ht_all(&t, in, n + w + 4), H1_OK);
                        assert_int_equal(t.m.f[0].vlen, w);
                        ht_fini(&t);
                        n = (uint32_t)sprintf(in, "GET / HTTP/1.1\r\n");
                        memset(in + n, 'N', w);
                        memcpy(in + n + w, ": v\r\n\r\n", 7);
                        ht_init(&t, HT_REQUEST, HMETH_OTHER, 0);
                        assert_int_equal(ht_all(&t, in, n + w + 7), w <= 65535 ? H1_OK : H1_BAD);
                        if (w <= 65535)
                                assert_int_equal(t.m.f[0].nlen, w);
                        else
                                assert_int_equal(t.h.why, H1_WHY_NAME_LONG);
                        ht_fini(&t);
                }
        }
        /* one field more than the table holds */
        for (unsigned more = 0; more < 2; more++) {
                uint32_t n = (uint32_t)sprintf(in, "GET / HTTP/1.1\r\n");
                for (unsigned i = 0; i < HT_FIELDS + more; i++)
                        n += (uint32_t)sprintf(in + n, "X%u: 1\r\n", i);
                n += (uint32_t)sprintf(in + n, "\r\n");
                ht_init(&t, HT_REQUEST, HMETH_OTHER, 0);
                assert_int_equal(ht_all(&t, in, n), more ? H1_BAD : H1_OK);
                assert_int_equal(t.h.why, more ? H1_WHY_TOO_MANY : H1_WHY_NONE);
                ht_fini(&t);
        }
        /* the caller's buffer is full: 414 inside the target, 431 behind it */
        static const struct {
                const char *in;
                int status;
        } full[] = { { "GET /aaaaaaaaaaa", 414 }, { "GET / HTTP/1.1\r\n", 431 }, { "GET / HTTP/1.1\r\nX: ab", 431 } };
        for (unsigned i = 0; i < array_len(full); i++) {
                uint32_t n = (uint32_t)strlen(full[i].in);
                ht_init(&t, HT_REQUEST, HMETH_OTHER, 0);
                t.h.max = n;
                assert_int_equal(ht_feed(&t, full[i].in, 0, n - 1), H1_MORE);
                assert_int_equal(ht_feed(&t, full[i].in, n - 1, n), H1_TOO_BIG);
                assert_int_equal(t.h.status, full[i].status);
                ht_fini(&t);
        }
        free(in);
}

/* 256 byte values at every position of a head: whatever is accepted is written and read again as the same message, and
 * nothing but CRLF, HTAB and printable or obs-text bytes leaves. */
static void test_every_byte_everywhere(void **st)
{
        static const char head[] =
                "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX-Y: zz\r\nConnection: close\r\n\r\n";
        unsigned accepted = 0;

        (void)st;
        for (uint32_t at = 0; at < sizeof(head) - 1; at++) {
                for (unsigned c = 0; c < 256; c++) {
                        char in[sizeof(head)];
                        struct ht t;

                        memcpy(in, head, sizeof(head));
                        in[at] = (char)c;
                        ht_init(&t, HT_REQUEST, HMETH_OTHER, 0);
                        if (ht_all(&t, in, sizeof(head) - 1) == H1_OK) {
                                struct h1_wopt o = ht_frame(&t.m);
                                char *s;
                                size_t n;

                                accepted++;
                                assert_int_equal(ht_write(&t.m, &o, &s, &n), 0);
                                for (size_t i = 0; i < n; i++)
                                        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
                                                assert_true(s[i] == '\t' || (s[i] == '\r' && s[i + 1] == '\n') ||
                                                            (s[i] == '\n' && s[i - 1] == '\r'));
                                struct ht u;
                                ht_init(&u, HT_REQUEST, HMETH_OTHER, 0);
                                assert_int_equal(ht_all(&u, s, (uint32_t)n), H1_OK);
                                assert_int_equal(u.m.body, t.m.body);
                                assert_true(u.m.length == t.m.length);
                                assert_int_equal(u.m.head_len, n);
                                ht_fini(&u);
                                free(s);
                        }
                        ht_fini(&t);
                }
        }
        assert_true(accepted > 1000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_request_line),
                cmocka_unit_test(test_request_target),
                cmocka_unit_test(test_authority_against_host),
                cmocka_unit_test(test_host),
                cmocka_unit_test(test_field_lines),
                cmocka_unit_test(test_content_length),
                cmocka_unit_test(test_content_length_pairs),
                cmocka_unit_test(test_transfer_encoding),
                cmocka_unit_test(test_connection),
                cmocka_unit_test(test_connection_names_what_we_rely_on),
                cmocka_unit_test(test_semantics),
                cmocka_unit_test(test_status_of_refusal),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_every_byte_everywhere),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
