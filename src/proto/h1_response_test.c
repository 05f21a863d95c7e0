/* The same corpus mirrored through a hostile server. */
#include "proto/h1_rows.h"

#define OKL          "HTTP/1.1 200 OK\r\n"
#define CL0          "Content-Length: 0\r\n\r\n"
#define CL0O         "content-length: 0\r\n\r\n"
#define RUN(rows, m) rows_run(rows, array_len(rows), HT_RESPONSE, m)

static void test_status_line(void **st)
{
        static const struct row rows[] = {
                R_OK(OKL CL0, OKL CL0O),
                R_OK("HTTP/1.1 200 \r\n" CL0, "HTTP/1.1 200 \r\n" CL0O),
                R_OK("HTTP/1.1 200\r\n" CL0, "HTTP/1.1 200 \r\n" CL0O),
                R_OK("HTTP/1.1  200 x\r\n" CL0, "HTTP/1.1 200 x\r\n" CL0O),
                R_OK("HTTP/1.0 404 Not\tFound \xe9\r\n" CL0, "HTTP/1.0 404 Not\tFound \xe9\r\n" CL0O),
                R_OK("HTTP/1.1 999 x\r\n" CL0, "HTTP/1.1 999 x\r\n" CL0O),
                R_OK("HTTP/1.1 200 OK\nContent-Length: 0\n\n", OKL CL0O),
                R_MORE("H"),
                R_MORE("HTTP/1.1"),
                R_MORE("HTTP/1.1 "),
                R_MORE("HTTP/1.1 2"),
                R_MORE("HTTP/1.1 200"),
                R_MORE("HTTP/1.1 200 "),
                R_MORE("HTTP/1.1 200 O"),
                R_MORE("HTTP/1.1 200 OK\r"),
                R_BAD("\r\n" OKL CL0, VERSION), /* stray bytes before a response are a sign of lost framing */
                R_BAD("ICY 200 OK\r\n", VERSION),
                R_BAD("HTTP/1.1\r\n", VERSION),
                R_BAD("HTTP/1.1\t200 OK\r\n", VERSION),
                R_BAD("HTTP/1.10 200 OK\r\n", VERSION),
                R_BAD("HTTP/2.0 200 OK\r\n", VERSION_MAJOR),
                R_BAD("HTTP/1.1 20 x\r\n", STATUS),
                R_BAD("HTTP/1.1 2000 x\r\n", STATUS),
                R_BAD("HTTP/1.1 099 x\r\n", STATUS),
                R_BAD("HTTP/1.1 000 x\r\n", STATUS),
                R_BAD("HTTP/1.1 2a0 x\r\n", STATUS),
                R_BAD("HTTP/1.1 +20 x\r\n", STATUS),
                R_BAD("HTTP/1.1 200\tOK\r\n", STATUS),
                R_BAD("HTTP/1.1 200 O\x01K\r\n", REASON),
                R_BAD("HTTP/1.1 200 O\0K\r\n", REASON),
                R_BAD("HTTP/1.1 200 O\x7fK\r\n", REASON),
                R_BAD("HTTP/1.1 200 OK\rX\r\n", LINE_END),
                R_BAD(OKL "X: a\r\n b\r\n\r\n", FOLD),
                R_BAD(OKL ": a\r\n\r\n", NAME_EMPTY),
                R_BAD(OKL "X : a\r\n\r\n", NAME_SPACE),
                R_BAD(OKL "X: a\rSet-Cookie: b\r\n\r\n", LINE_END), /* splitting */
                R_BAD(OKL "X: a\0\r\n\r\n", VALUE_BYTE),
        };

        (void)st;
        RUN(rows, HMETH_GET);
}

static void test_framing(void **st)
{
        static const struct row rows[] = {
                R_OK(OKL "\r\n", OKL "\r\n"),
                R_OK(OKL "Transfer-Encoding: chunked\r\nContent-Length: 30\r\n\r\n",
                     OKL "transfer-encoding: chunked\r\n\r\n"),
                R_OK("HTTP/1.0 200 Ok\r\nTransfer-Encoding: chunked\r\n\r\n",
                     "HTTP/1.1 200 Ok\r\ntransfer-encoding: chunked\r\n\r\n"),
                R_OK(OKL "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", OKL "content-length: 5\r\n\r\n"),
                R_OK("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 204 No\r\n\r\n"),
                R_OK("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 204 No\r\n\r\n"),
                R_OK("HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 304 No\r\ncontent-length: 5\r\n\r\n"),
                R_OK("HTTP/1.1 100 Go\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 100 Go\r\n\r\n"),
                R_OK("HTTP/1.1 101 Sw\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n",
                     "HTTP/1.1 101 Sw\r\nconnection: Upgrade\r\nupgrade: foo\r\n\r\n"),
                R_BAD(OKL "Transfer-Encoding: chunked, chunked\r\n\r\n", CODING),
                R_BAD(OKL "Transfer-Encoding: chunked, gzip\r\n\r\n", CODING),
                R_BAD(OKL "Transfer-Encoding: gzip\r\n\r\n", CODING), /* HAProxy's script: 502, not until close */
                R_BAD(OKL "Transfer-Encoding: gzip, chunked\r\n\r\n", CODING_UNKNOWN),
                R_BAD(OKL "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", LENGTH_DIFFERS),
                R_BAD(OKL "Content-Length: \r\n\r\n", LENGTH),
                R_BAD(OKL "Content-Length: -1\r\n\r\n", LENGTH),
                R_BAD("HTTP/1.1 204 No\r\nContent-Length: x\r\n\r\n", LENGTH),
        };

        (void)st;
        RUN(rows, HMETH_GET);
}

/* RFC 9112 6.3 row by row: {response, request method} -> body, what is announced, close. */
static void test_body_rules(void **st)
{
        static const struct {
                const char *in;
                enum hmeth req;
                int body, announced, length;
                bool close;
        } rows[] = {
                { OKL "Content-Length: 5\r\n\r\n", HMETH_GET, HBODY_LENGTH, HBODY_LENGTH, 5, false },
                { OKL "Content-Length: 5\r\n\r\n", HMETH_HEAD, HBODY_NONE, HBODY_LENGTH, 5, false },
                { OKL "Transfer-Encoding: chunked\r\n\r\n", HMETH_HEAD, HBODY_NONE, HBODY_CHUNKED, 0, false },
                { OKL "\r\n", HMETH_HEAD, HBODY_NONE, HBODY_NONE, 0, false },
                { OKL "\r\n", HMETH_GET, HBODY_CLOSE, HBODY_CLOSE, 0, true },
                { OKL "Transfer-Encoding: chunked\r\n\r\n", HMETH_GET, HBODY_CHUNKED, HBODY_CHUNKED, 0, false },
                { "HTTP/1.0 200 K\r\nTransfer-Encoding: chunked\r\n\r\n", HMETH_GET, HBODY_CHUNKED, HBODY_CHUNKED, 0,
                  true },
                { "HTTP/1.1 204 N\r\n\r\n", HMETH_GET, HBODY_NONE, HBODY_NONE, 0, false },
                { "HTTP/1.1 204 N\r\nContent-Length: 0\r\n\r\n", HMETH_GET, HBODY_NONE, HBODY_NONE, 0, false },
                { "HTTP/1.1 204 N\r\nContent-Length: 9\r\n\r\n", HMETH_GET, HBODY_NONE, HBODY_NONE, 0, true },
                { "HTTP/1.1 304 N\r\nContent-Length: 9\r\n\r\n", HMETH_GET, HBODY_NONE, HBODY_LENGTH, 9, false },
                { "HTTP/1.1 304 N\r\n\r\n", HMETH_GET, HBODY_NONE, HBODY_NONE, 0, false },
                { "HTTP/1.1 100 C\r\n\r\n", HMETH_GET, HBODY_NONE, HBODY_NONE, 0, false },
                { "HTTP/1.1 103 C\r\nTransfer-Encoding: chunked\r\n\r\n", HMETH_GET, HBODY_NONE, HBODY_NONE, 0, true },
                { "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", HMETH_GET, HBODY_TUNNEL, HBODY_NONE, 0,
                  false },
                { OKL "Content-Length: 9\r\n\r\n", HMETH_CONNECT, HBODY_TUNNEL, HBODY_NONE, 0, true },
                { "HTTP/1.1 299 x\r\n\r\n", HMETH_CONNECT, HBODY_TUNNEL, HBODY_NONE, 0, false },
                { "HTTP/1.1 403 N\r\nContent-Length: 9\r\n\r\n", HMETH_CONNECT, HBODY_LENGTH, HBODY_LENGTH, 9, false },
                { "HTTP/1.0 200 K\r\nContent-Length: 1\r\n\r\n", HMETH_GET, HBODY_LENGTH, HBODY_LENGTH, 1, true },
                { "HTTP/1.0 200 K\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n", HMETH_GET, HBODY_LENGTH,
                  HBODY_LENGTH, 1, false },
        };

        (void)st;
        for (unsigned i = 0; i < array_len(rows); i++) {
                struct ht t;

                ht_init(&t, HT_RESPONSE, rows[i].req, 0);
                assert_int_equal(ht_all(&t, rows[i].in, (uint32_t)strlen(rows[i].in)), H1_OK);
                assert_int_equal(t.m.body, rows[i].body);
                assert_int_equal(t.m.announced, rows[i].announced);
                assert_int_equal(t.m.length, rows[i].length);
                assert_int_equal((t.m.flags & HMSG_CLOSE) != 0, rows[i].close);
                ht_fini(&t);
        }
}

static void test_connection_of_the_answer(void **st)
{
        static const char in[] =
                OKL "Content-Length: 3\r\nConnection: Keep-Alive, foo\r\nFoo: 1\r\nKeep-Alive: t=5\r\n\r\n";
        static const struct {
                uint8_t flags;
                const char *out;
        } rows[] = {
                { 0, OKL "content-length: 3\r\n\r\n" },
                { H1_WRITE_CLOSE, OKL "content-length: 3\r\nconnection: close\r\n\r\n" },
                { H1_WRITE_KEEP_ALIVE, OKL "content-length: 3\r\nconnection: keep-alive\r\n\r\n" },
        };
        struct ht t;

        (void)st;
        ht_init(&t, HT_RESPONSE, HMETH_GET, 0);
        assert_int_equal(ht_all(&t, in, sizeof(in) - 1), H1_OK);
        for (unsigned i = 0; i < array_len(rows); i++) {
                struct h1_wopt o = ht_frame(&t.m);
                char *s;
                size_t n;

                o.flags = rows[i].flags;
                assert_int_equal(ht_write(&t.m, &o, &s, &n), 0);
                assert_string_equal(s, rows[i].out);
                free(s);
        }
        ht_fini(&t);
}

static void test_trailers(void **st)
{
        static const struct row rows[] = {
                R_OK("\r\n", "\r\n"),
                R_OK("X-Sum:  1\r\nY: 2\r\n\r\nGET /", "x-sum: 1\r\ny: 2\r\n\r\n"),
                R_MORE("X: 1\r\n"),
                R_MORE("X: 1\r\n\r"),
                R_BAD("X: 1\n\r\n", BARE_LF),
                R_BAD("\n", BARE_LF),
                R_BAD("X: 1\r\n\n", BARE_LF),
                R_BAD("X: 1\r\n 2\r\n\r\n", FOLD),
                R_BAD("X 1\r\n\r\n", NAME_SPACE),
                R_BAD("X\r\n\r\n", NO_COLON),
                R_BAD(": 1\r\n\r\n", NAME_EMPTY),
                R_BAD("X: \0\r\n\r\n", VALUE_BYTE),
                R_BAD("Content-Length: 1\r\n\r\n", TRAILER_NAME),
                R_BAD("A: b\r\nTransfer-Encoding: chunked\r\n\r\n", TRAILER_NAME),
                R_BAD("Host: a\r\n\r\n", TRAILER_NAME),
                R_BAD("Connection: close\r\n\r\n", TRAILER_NAME),
                R_BAD("TE: trailers\r\n\r\n", TRAILER_NAME),
                R_BAD("Upgrade: x\r\n\r\n", TRAILER_NAME),
                R_BAD("Keep-Alive: x\r\n\r\n", TRAILER_NAME),
                R_BAD("Trailer: x\r\n\r\n", TRAILER_NAME),
        };

        (void)st;
        rows_run(rows, array_len(rows), HT_TRAILERS, HMETH_OTHER);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_status_line), cmocka_unit_test(test_framing),
                                            cmocka_unit_test(test_body_rules),
                                            cmocka_unit_test(test_connection_of_the_answer),
                                            cmocka_unit_test(test_trailers) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
