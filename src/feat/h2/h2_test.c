/* An HTTP/2 client (nghttp2's) through the whole data plane to HTTP/1 servers that the test plays; core/flow_testing.h.
 * farm_stop() of every test finds what was not given back. */
#include "core/flow_testing.h"
#include "core/front.h"
#include "feat/h2/head.h"

#include <nghttp2/nghttp2.h>

#define REQS 128

struct req { /* one stream at the client */
        int32_t id;
        int status;
        uint64_t got;
        bool check, closed, trailer;
        uint32_t code;      /* of the close */
        uint64_t up, up_at; /* body bytes still to send */
        bool up_trailer, up_wait;
        char text[64];
};

static struct {
        int fd;
        nghttp2_session *ng;
        struct req r[REQS];
        unsigned n;
        bool goaway, eof, hold; /* hold: streams are not given window back */
        char out[1 << 16];
        size_t out_off, out_len;
} h2;

static struct front_use use;

/* ---- the client ---- */

static struct req *req_of(int32_t id)
{
        for (unsigned i = 0; i < h2.n; i++)
                if (h2.r[i].id == id)
                        return &h2.r[i];
        return NULL;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *f, const uint8_t *name, size_t nn, const uint8_t *v,
                     size_t vn, uint8_t flags, void *user)
{
        struct req *r = req_of(f->hd.stream_id);

        (void)ng;
        (void)flags;
        (void)user;
        if (nn == 7 && memcmp(name, ":status", 7) == 0)
                r->status = atoi((const char *)v);
        if (nn == 3 && memcmp(name, "x-t", 3) == 0 && vn == 1)
                r->trailer = f->headers.cat == NGHTTP2_HCAT_HEADERS;
        return 0;
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *p, size_t n, void *user)
{
        struct req *r = req_of(id);

        (void)flags;
        (void)user;
        if (r->got + n < sizeof(r->text))
                memcpy(r->text + r->got, p, n);
        for (size_t i = 0; r->check && i < n; i++)
                if (p[i] != pattern(r->got + i))
                        fail_msg("byte %llu is wrong", (unsigned long long)(r->got + i));
        r->got += n;
        (void)nghttp2_session_consume_connection(ng, n);
        if (!h2.hold || id != h2.r[0].id)
                (void)nghttp2_session_consume_stream(ng, id, n);
        return 0;
}

static int on_close(nghttp2_session *ng, int32_t id, uint32_t code, void *user)
{
        struct req *r = req_of(id);

        (void)ng;
        (void)user;
        r->closed = true;
        r->code = code;
        return 0;
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *f, void *user)
{
        (void)ng;
        (void)user;
        h2.goaway = h2.goaway || f->hd.type == NGHTTP2_GOAWAY;
        return 0;
}

static nghttp2_nv nv(const char *name, const char *value)
{
        return (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value), 0 };
}

static ssize_t upload(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t room, uint32_t *flags,
                      nghttp2_data_source *src, void *user)
{
        struct req *r = src->ptr;
        size_t n = r->up < room ? (size_t)r->up : room;
        nghttp2_nv t = nv("x-t", "1");

        (void)user;
        if (r->up_wait)
                return NGHTTP2_ERR_DEFERRED;
        for (size_t i = 0; i < n; i++)
                buf[i] = pattern(r->up_at + i);
        r->up_at += n;
        r->up -= n;
        if (r->up == 0)
                *flags |= NGHTTP2_DATA_FLAG_EOF | (r->up_trailer ? NGHTTP2_DATA_FLAG_NO_END_STREAM : 0);
        if (r->up == 0 && r->up_trailer)
                (void)nghttp2_submit_trailer(ng, id, &t, 1);
        return (ssize_t)n;
}

static struct req *ask_with(const char *method, const char *path, uint64_t up, const nghttp2_nv *more, size_t n_more)
{
        struct req *r = &h2.r[h2.n];
        nghttp2_nv v[16] = { nv(":method", method), nv(":path", path), nv(":scheme", "http"), nv(":authority", "a") };
        nghttp2_data_provider body = { .source.ptr = r, .read_callback = upload };

        for (size_t i = 0; i < n_more; i++)
                v[4 + i] = more[i];
        *r = (struct req){ .up = up };
        r->id = nghttp2_submit_request(h2.ng, NULL, v, 4 + n_more, up ? &body : NULL, NULL);
        assert_true(r->id > 0);
        h2.n++;
        return r;
}

static struct req *ask(const char *path)
{
        nghttp2_nv none = nv("accept", "*/*");

        return ask_with("GET", path, 0, &none, 1);
}

static bool client_io(void)
{
        static uint8_t in[1 << 16];
        const uint8_t *p;
        bool any = false;
        ssize_t n;

        if (h2.fd < 0)
                return false;
        while (h2.out_len > 0 || (n = nghttp2_session_mem_send(h2.ng, &p)) > 0) {
                if (h2.out_len == 0) {
                        memcpy(h2.out, p, (size_t)n);
                        h2.out_off = 0;
                        h2.out_len = (size_t)n;
                }
                n = send(h2.fd, h2.out + h2.out_off, h2.out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (n <= 0)
                        break;
                h2.out_off += (size_t)n;
                h2.out_len -= (size_t)n;
                any = true;
        }
        n = h2.eof ? -1 : recv(h2.fd, in, sizeof(in), MSG_DONTWAIT);
        h2.eof = h2.eof || n == 0;
        if (n > 0)
                assert_int_equal(nghttp2_session_mem_recv(h2.ng, in, (size_t)n), n);
        return any || n > 0;
}

static void rest(void) /* until nothing moves */
{
        for (int quiet = 0; quiet < 4;) {
                settle();
                quiet = client_io() ? 0 : quiet + 1;
        }
}

static void hang_up(void)
{
        if (h2.fd >= 0)
                close(h2.fd);
        h2.fd = -1;
}

static int start_farm(void **st)
{
        nghttp2_session_callbacks *cb;
        nghttp2_option *o;
        int on = 1;

        (void)st;
        farm_start(PX_HTTP, 1);
        use = (struct front_use){ .proto = front_proto_find(STR("h2")) };
        assert_non_null(use.proto);
        lst.use = &use;
        memset(&h2, 0, sizeof(h2));
        assert_int_equal(nghttp2_session_callbacks_new(&cb), 0);
        assert_int_equal(nghttp2_option_new(&o), 0);
        nghttp2_option_set_no_auto_window_update(o, 1);
        nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
        nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
        assert_int_equal(nghttp2_session_client_new2(&h2.ng, cb, NULL, o), 0);
        nghttp2_session_callbacks_del(cb);
        nghttp2_option_del(o);
        (void)nghttp2_submit_settings(h2.ng, 0, NULL, 0);
        (void)nghttp2_session_set_local_window_size(h2.ng, 0, 0, 1 << 20);
        h2.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void)setsockopt(h2.fd, IPPROTO_TCP, TCP_NODELAY, &on,
                         sizeof(on)); /* or a frame waits for an ACK, by the clock */
        assert_int_equal(connect(h2.fd, (struct sockaddr *)&front_at, sizeof(front_at)), 0);
        return 0;
}

static int stop_farm(void **st)
{
        (void)st;
        hang_up();
        settle();
        nghttp2_session_del(h2.ng);
        farm_stop();
        return 0;
}

/* The server's end that got such a request, on a new connection or on one used before. */
static struct peer *origin_gets(const char *start)
{
        struct peer *s;

        rest();
        (void)served_by(0);
        rest();
        for (s = peers; s && !(s->in && strncmp(s->in, start, strlen(start)) == 0); s = s->next)
                ;
        if (!s)
                fail_msg("no server got \"%s\"", start);
        return s;
}

/* ---- tests ---- */

#define OK5 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive, x-hop\r\nx-hop: 1\r\n\r\nhello"

static void one_request(void **st)
{
        nghttp2_nv more[] = { nv("cookie", "a=1"), nv("te", "trailers"), nv("cookie", "b=2"), nv("x-y", "z") };
        struct req *r = ask_with("GET", "/p?q", 0, more, 4);
        struct peer *s;

        (void)st;
        s = origin_gets("GET /p?q HTTP/1.1\r\nhost: a\r\n");
        assert_non_null(strstr(s->in, "cookie: a=1; b=2\r\n"));
        assert_null(strstr(s->in, "cookie: a=1\r\n"));
        assert_non_null(strstr(s->in, "x-y: z\r\n"));
        say(s, OK5);
        rest();
        assert_int_equal(r->status, 200);
        assert_string_equal(r->text, "hello");
        assert_true(r->closed);
        assert_int_equal(r->code, NGHTTP2_NO_ERROR);
        assert_true(list_empty(strm_all()));
        assert_int_equal(fe.cur, 1); /* the connection waits for more */
}

static void hundred_at_once(void **st)
{
        struct peer *s[100];

        (void)st;
        for (int i = 0; i < 100; i++)
                (void)ask("/");
        rest();
        for (int i = 0; i < 100; i++) {
                s[i] = served_by(0);
                assert_non_null(s[i]);
        }
        rest();
        for (int i = 99; i >= 0; i--) /* the last one is answered first */
                say(s[i], OK5);
        rest();
        for (int i = 0; i < 100; i++) {
                assert_int_equal(h2.r[i].status, 200);
                assert_string_equal(h2.r[i].text, "hello");
                assert_true(h2.r[i].closed);
        }
        assert_true(list_empty(strm_all()));
}

#define BULK (8u << 20)

static void large_answer(void **st)
{
        struct req *r = ask("/");
        struct peer *s = origin_gets("GET");

        (void)st;
        r->check = true;
        say(s, "HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n");
        bulk_out(s, BULK);
        rest();
        assert_int_equal(r->got, BULK);
        assert_true(r->closed);
}

static void large_request(void **st)
{
        nghttp2_nv more = nv("content-length", "8388608");
        struct req *r = ask_with("POST", "/", BULK, &more, 1);
        struct peer *s;

        (void)st;
        bulk_served = true;
        s = origin_gets("POST / HTTP/1.1\r\n");
        rest();
        assert_int_equal(s->bulk_in, BULK);
        assert_non_null(strstr(s->in, "content-length: 8388608\r\n"));
        say(s, OK5);
        rest();
        assert_int_equal(r->status, 200);
        assert_true(r->closed);
}

/* Nobody takes stream 1's bytes: it is held back at its window, and others pass. Both ways. */
static void slow_stream_blocks_nobody(void **st)
{
        struct req *slow = ask("/slow"), *fast, *up, *quick;
        struct peer *s = origin_gets("GET /slow"), *t;

        (void)st;
        h2.hold = true;
        say(s, "HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n");
        bulk_out(s, 64u << 20);
        rest();
        assert_int_equal(slow->got, 65535);
        assert_true(s->bulk_out > 32u << 20); /* the server is held back, too: we do not buffer it */
        fast = ask("/fast");
        t = origin_gets("GET /fast");
        fast->check = true;
        say(t, "HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n");
        bulk_out(t, BULK);
        rest();
        assert_int_equal(fast->got, BULK);
        peer_drop_in(t); /* its connection is used again */
        up = ask_with("POST", "/up", 64u << 20, NULL, 0);
        up->up_wait = true;
        t = origin_gets("POST /up");
        t->deaf = true;
        up->up_wait = false;
        (void)nghttp2_session_resume_data(h2.ng, up->id);
        rest();
        assert_true(up->up > 32u << 20);
        quick = ask("/quick");
        say(origin_gets("GET /quick"), OK5);
        rest();
        assert_int_equal(quick->status, 200);
        assert_true(quick->closed);
        assert_false(slow->closed || up->closed);
}

static void trailers_both_ways(void **st)
{
        struct req *r = ask_with("POST", "/", 10, NULL, 0);
        struct peer *s;

        (void)st;
        r->up_trailer = true;
        s = origin_gets("POST / HTTP/1.1\r\n");
        assert_non_null(strstr(s->in, "transfer-encoding: chunked\r\n"));
        assert_non_null(memmem(s->in, s->n, "\r\n0\r\nx-t: 1\r\n\r\n", 15)); /* the pattern holds NULs */
        say(s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-t\r\n\r\n3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n");
        rest();
        assert_string_equal(r->text, "abc");
        assert_true(r->trailer);
        assert_true(r->closed);
}

/* Reset while the server thinks, in mid-answer, in mid-upload: the stream goes, its server connection too, others stay. */
static void reset_frees_everything(void **st)
{
        struct req *r[3], *last;
        struct peer *s[3];

        (void)st;
        r[0] = ask("/think");
        s[0] = origin_gets("GET /think");
        r[1] = ask("/mid");
        s[1] = origin_gets("GET /mid");
        say(s[1], "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
        r[2] = ask_with("POST", "/up", 1u << 20, NULL, 0);
        s[2] = origin_gets("POST /up");
        s[2]->deaf = true;
        rest();
        for (int i = 0; i < 3; i++)
                (void)nghttp2_submit_rst_stream(h2.ng, 0, r[i]->id, NGHTTP2_CANCEL);
        rest();
        assert_true(list_empty(strm_all()));
        s[2]->deaf = false;
        rest();
        for (int i = 0; i < 3; i++)
                assert_true(s[i]->eof || s[i]->reset);
        last = ask("/");
        say(origin_gets("GET / "), OK5);
        rest();
        assert_int_equal(last->status, 200);
}

static void client_dies_with_streams(void **st)
{
        (void)st;
        (void)ask("/1");
        (void)ask_with("POST", "/2", 1u << 20, NULL, 0);
        (void)origin_gets("");
        hang_up();
        settle();
        assert_true(list_empty(strm_all()));
        assert_true(list_empty(sess_all()));
}

/* The server dies in mid-answer: the client must not take what it has for the whole. */
static void cut_answer_is_a_reset(void **st)
{
        struct req *r = ask("/");
        struct peer *s = origin_gets("GET");

        (void)st;
        say(s, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
        rest();
        peer_close(s, false);
        rest();
        assert_true(r->closed);
        assert_int_not_equal(r->code, NGHTTP2_NO_ERROR);
}

static void early_answer(void **st)
{
        struct req *r = ask_with("POST", "/", 1u << 20, NULL, 0);
        struct peer *s = origin_gets("POST");

        (void)st;
        s->deaf = true;
        say(s, "HTTP/1.1 413 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        rest();
        assert_int_equal(r->status, 413);
        assert_true(r->closed);
        assert_int_equal(r->code, NGHTTP2_NO_ERROR);
        assert_true(list_empty(strm_all()));
}

static void soft_stop_finishes_streams(void **st)
{
        struct req *r = ask("/");
        struct peer *s = origin_gets("GET");

        (void)st;
        sess_soft_stop();
        rest();
        assert_true(h2.goaway);
        assert_false(h2.eof);
        say(s, OK5);
        rest();
        assert_int_equal(r->status, 200);
        assert_true(h2.eof);
}

static void idle_connection_is_told(void **st)
{
        (void)st;
        px_f.timeout.http_keep_alive = 1000;
        (void)ask("/");
        say(origin_gets("GET"), OK5);
        rest();
        assert_false(h2.goaway);
        pass_ms(1500);
        rest();
        assert_true(h2.goaway);
        assert_true(h2.eof);
}

static void no_server_is_503(void **st)
{
        struct req *r;

        (void)st;
        server_gone(0);
        px_b.retries = 0;
        r = ask("/");
        rest();
        assert_int_equal(r->status, 503);
        assert_true(r->closed);
}

/* ---- heads ---- */

struct head_case {
        const char *why; /* part of the refusal; NULL = fine */
        const char *f[12];
};

#define M ":method", "GET"
#define P ":path", "/"
#define S ":scheme", "https"
#define A ":authority", "a"

static const struct head_case heads[] = {
        { NULL, { M, P, S, A } },
        { NULL, { M, P, S, "host", "a" } },
        { NULL, { M, P, S, A, "host", "A" } },
        { NULL, { ":method", "OPTIONS", ":path", "*", S, A } },
        { NULL, { ":method", "CONNECT", ":authority", "a:1" } },
        { "no method", { P, S, A } },
        { "no method", { M, P, S } },
        { "no path", { M, S, A } },
        { "slash", { M, ":path", "x", S, A } },
        { "slash", { M, ":path", "*", S, A } },
        { "bad path", { M, ":path", "/a b", S, A } },
        { "bad path", { M, ":path", "/a\rb", S, A } },
        { "bad path", { M, ":path", "", S, A } },
        { "scheme", { M, P, ":scheme", "ftp", A } },
        { "authority", { M, P, S, ":authority", "u@a" } },
        { "authority", { M, P, S, ":authority", "a/b" } },
        { "Host differs", { M, P, S, A, "host", "b" } },
        { "Host differs", { M, P, S, "host", "a", "host", "b" } },
        { "CONNECT", { ":method", "CONNECT", P, A } },
        { "Content-Length", { M, P, S, A, "content-length", "1x" } },
        { "Content-Length", { M, P, S, A, "content-length", "-1" } },
};

static void heads_are_judged(void **st)
{
        (void)st;
        for (size_t i = 0; i < array_len(heads); i++) {
                struct h2_head *h = h2_head_new(4096, false);
                const struct head_case *c = &heads[i];
                for (int k = 0; k < 12 && c->f[k]; k += 2)
                        h2_head_add(h, str_of(c->f[k]), str_of(c->f[k + 1]));
                if (h2_head_end(h, true) != !c->why || (c->why && !strstr(h->why, c->why)))
                        fail_msg("head %zu: %s", i, h->why ? h->why : "was taken");
                h2_head_free(h);
        }
}

static void heads_have_limits(void **st)
{
        char value[2000];
        struct h2_head *h = h2_head_new(4096, false);

        (void)st;
        memset(value, 'v', sizeof(value));
        for (int i = 0; i < 3; i++)
                h2_head_add(h, STR("x"), (struct str){ value, sizeof(value) });
        assert_false(h2_head_end(h, true));
        assert_int_equal(h->status, 431);
        h2_head_free(h);
        h = h2_head_new(65536, false);
        for (int i = 0; i < 200; i++)
                h2_head_add(h, STR("x"), STR("y"));
        assert_false(h2_head_end(h, true));
        assert_int_equal(h->status, 400);
        h2_head_free(h);
}

#define T(f) cmocka_unit_test_setup_teardown(f, start_farm, stop_farm)

int main(void)
{
        const struct CMUnitTest tests[] = {
                T(one_request),
                T(hundred_at_once),
                T(large_answer),
                T(large_request),
                T(slow_stream_blocks_nobody),
                T(trailers_both_ways),
                T(reset_frees_everything),
                T(client_dies_with_streams),
                T(cut_answer_is_a_reset),
                T(early_answer),
                T(soft_stop_finishes_streams),
                T(idle_connection_is_told),
                T(no_server_is_503),
                cmocka_unit_test(heads_are_judged),
                cmocka_unit_test(heads_have_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
