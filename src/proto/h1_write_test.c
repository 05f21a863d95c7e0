#include "proto/h1_testing.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void parse(struct ht *t, enum ht_kind kind, enum hmeth req, const char *s)
{
        ht_init(t, kind, req, 0);
        assert_int_equal(ht_all(t, s, (uint32_t)strlen(s)), H1_OK);
}

static void expect(const struct hmsg *m, struct h1_wopt o, const char *want)
{
        char *s;
        size_t n;

        assert_int_equal(ht_write(m, &o, &s, &n), 0);
        assert_string_equal(s, want);
        free(s);
}

static unsigned pieces(const struct hmsg *m, struct h1_wopt o)
{
        struct iovec iov[HT_IOV];
        char scratch[1024];
        struct h1_out out = { .iov = iov, .iov_cap = HT_IOV, .scratch = scratch, .scratch_cap = sizeof(scratch) };

        assert_int_equal(h1_write(m, &o, &out), 0);
        return out.niov;
}

static void test_untouched_is_one_piece(void **st)
{
        struct ht t;

        (void)st;
        parse(&t, HT_REQUEST, HMETH_OTHER, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX-Y: z\r\n\r\nabc");
        expect(&t.m, ht_frame(&t.m), "POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nx-y: z\r\n\r\n");
        assert_int_equal(pieces(&t.m, ht_frame(&t.m)), 1);
        ht_fini(&t);
        parse(&t, HT_RESPONSE, HMETH_GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_int_equal(pieces(&t.m, ht_frame(&t.m)), 1);
        ht_fini(&t);
}

static void test_edited(void **st)
{
        struct ht t;

        (void)st;
        parse(&t, HT_REQUEST, HMETH_OTHER, "GET /a HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n");
        hmsg_del(&t.m, 2);
        assert_int_equal(hmsg_add(&t.m, STR("X-Forwarded-For"), STR("1.2.3.4")), 0);
        assert_int_equal(hmsg_add(&t.m, STR("X-Two"), STR("")), 0);
        expect(&t.m, ht_frame(&t.m),
               "GET /a HTTP/1.1\r\nhost: a\r\na: 1\r\nc: 3\r\nx-forwarded-for: 1.2.3.4\r\nx-two: \r\n\r\n");
        assert_int_equal(pieces(&t.m, ht_frame(&t.m)), 4);
        assert_int_equal(hmsg_set_target(&t.m, STR("/new")), 0);
        assert_int_equal(hmsg_set_method(&t.m, STR("PUT")), 0);
        expect(&t.m, (struct h1_wopt){ .flags = H1_WRITE_CLOSE },
               "PUT /new HTTP/1.1\r\nhost: a\r\na: 1\r\nc: 3\r\nx-forwarded-for: 1.2.3.4\r\nx-two: \r\n"
               "connection: close\r\n\r\n");
        ht_fini(&t);
        parse(&t, HT_RESPONSE, HMETH_GET, "HTTP/1.1 200 OK\r\nA: 1\r\n\r\n");
        assert_int_equal(hmsg_set_status(&t.m, 503, STR("Gone fishing")), 0);
        expect(&t.m, (struct h1_wopt){ .frame = HBODY_NONE }, "HTTP/1.1 503 Gone fishing\r\na: 1\r\n\r\n");
        ht_fini(&t);
}

static void test_one_framing_field(void **st)
{
        struct ht t;

        (void)st;
        parse(&t, HT_REQUEST, HMETH_OTHER, "POST / HTTP/1.1\r\nContent-Length: 3\r\nHost: a\r\n\r\n");
        expect(&t.m, (struct h1_wopt){ .frame = HBODY_LENGTH, .length = 18446744073709551615ULL },
               "POST / HTTP/1.1\r\ncontent-length: 18446744073709551615\r\nhost: a\r\n\r\n");
        expect(&t.m, (struct h1_wopt){ .frame = HBODY_CHUNKED },
               "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
        expect(&t.m, (struct h1_wopt){ .frame = HBODY_NONE }, "POST / HTTP/1.1\r\nhost: a\r\n\r\n");
        /* Rules may add what they like: the frame is said once, as decided. */
        assert_int_equal(hmsg_add(&t.m, STR("Content-Length"), STR("7")), 0);
        assert_int_equal(hmsg_add(&t.m, STR("Transfer-Encoding"), STR("gzip")), 0);
        expect(&t.m, (struct h1_wopt){ .frame = HBODY_LENGTH, .length = 3 },
               "POST / HTTP/1.1\r\ncontent-length: 3\r\nhost: a\r\n\r\n");
        ht_fini(&t);
}

/* Still one head, as many fields as before (it may be one the parser has other reasons to refuse, such as a bad Host). */
static void expect_one_head(const char *s, size_t n, unsigned fields)
{
        struct ht u;
        enum h1_verdict v;

        ht_init(&u, HT_REQUEST, HMETH_OTHER, 0);
        v = ht_all(&u, s, (uint32_t)n);
        assert_int_not_equal(v, H1_MORE);
        if (v == H1_OK) {
                assert_int_equal(u.m.head_len, n);
                assert_int_equal(u.m.nf, fields);
                assert_false(u.m.flags & HMSG_BARE_LF);
        }
        ht_fini(&u);
}

static void damage(const char *head, uint32_t at, unsigned char c)
{
        struct ht t;
        struct h1_wopt o;
        char *s = NULL;
        size_t n;
        int r;

        parse(&t, HT_REQUEST, HMETH_OTHER, head);
        t.bytes[at] = (char)c;
        o = ht_frame(&t.m);
        r = ht_write(&t.m, &o, &s, &n);
        if (r == 0) {
                expect_one_head(s, n, t.m.nf);
                if (c < 0x20 && c != '\t' && c != '\r' && c != '\n')
                        assert_null(memchr(s, c, n));
        } else {
                assert_int_equal(r, -EBADMSG);
        }
        free(s);
        ht_fini(&t);
}

/* Whatever got past the parser must not get past the writer: damage the head after parsing. */
static void test_damage_is_refused(void **st)
{
        static const char head[] = "GET /abc HTTP/1.1\r\nHost: a\r\nX-Long-Name-Here: some value\r\n\r\n";

        (void)st;
        for (uint32_t at = 0; at < sizeof(head) - 1; at++)
                for (unsigned c = 0; c < 256; c++)
                        damage(head, at, (unsigned char)c);
}

/* The owner moves the head alone into a block of just that size: nothing behind it is looked at. */
static void test_detached(void **st)
{
        static const char in[] =
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\nA:1\r\n\r\n012345678901234567890123456789";
        struct ht t;

        (void)st;
        parse(&t, HT_REQUEST, HMETH_OTHER, in);
        char *head = malloc(t.m.head_len);
        memcpy(head, t.bytes, t.m.head_len);
        ht_fini(&t);
        hmsg_rebase(&t.m, head, t.m.head_len);
        expect(&t.m, ht_frame(&t.m), "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 30\r\na: 1\r\n\r\n");
        free(head);
}

static void test_limits(void **st)
{
        struct iovec iov[1];
        char scratch[8];
        struct h1_out out = { .iov = iov, .iov_cap = 1, .scratch = scratch, .scratch_cap = sizeof(scratch) };
        struct ht t;

        (void)st;
        parse(&t, HT_REQUEST, HMETH_OTHER, "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\n\r\n");
        struct h1_wopt o = ht_frame(&t.m);
        assert_int_equal(h1_write(&t.m, &o, &out), 0);
        hmsg_del(&t.m, 0);
        assert_int_equal(h1_write(&t.m, &o, &out), -ENOBUFS); /* two pieces */
        out.iov_cap = 0;
        assert_int_equal(h1_write(&t.m, &o, &out), -ENOBUFS);
        ht_fini(&t);
        out.iov_cap = 1;
        parse(&t, HT_REQUEST, HMETH_OTHER, "GET  / HTTP/1.1\r\nHost: a\r\nA: 1\r\n\r\n");
        assert_int_equal(h1_write(&t.m, &o, &out), -ENOBUFS); /* scratch */
        ht_fini(&t);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_untouched_is_one_piece),
                                            cmocka_unit_test(test_edited),
                                            cmocka_unit_test(test_one_framing_field),
                                            cmocka_unit_test(test_damage_is_refused),
                                            cmocka_unit_test(test_detached),
                                            cmocka_unit_test(test_limits) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
