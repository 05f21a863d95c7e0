#include "ext/httpc.h"

#include "base/thr.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

/* A server that reads one head and answers `answer` (NULL: never) on each of `conns` connections, then ends. */
struct server {
        pthread_t t;
        struct addr at;
        const char *answer;
        char head[2048]; /* of the last request */
        int fd, conns;
};

static void *serve(void *arg)
{
        struct server *s = arg;

        for (int i = 0; i < s->conns; i++) {
                int fd = accept(s->fd, NULL, NULL);
                size_t n = 0;
                ssize_t got;

                while (!memmem(s->head, n, "\r\n\r\n", 4) &&
                       (got = recv(fd, s->head + n, sizeof(s->head) - 1 - n, 0)) > 0)
                        n += (size_t)got;
                s->head[n] = '\0';
                if (s->answer)
                        (void)send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL);
                else
                        (void)recv(fd, s->head + n, 1, 0); /* until the client gives up */
                (void)close(fd);
        }
        return NULL;
}

static void server_start(struct server *s, const char *answer, int conns)
{
        socklen_t len = sizeof(s->at.in);

        *s = (struct server){ .answer = answer, .conns = conns, .fd = socket(AF_INET, SOCK_STREAM, 0) };
        s->at.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        assert_int_equal(bind(s->fd, &s->at.sa, len), 0);
        assert_int_equal(listen(s->fd, 8), 0);
        assert_int_equal(getsockname(s->fd, &s->at.sa, &len), 0);
        assert_int_equal(pthread_create(&s->t, NULL, serve, s), 0);
}

static void server_end(struct server *s)
{
        assert_int_equal(pthread_join(s->t, NULL), 0);
        (void)close(s->fd);
}

struct fix {
        struct thr *t;
        struct loop l;
        struct httpc *h;
        unsigned ended;
};

static struct fix fix;

static int setup(void **st)
{
        (void)st;
        fix = (struct fix){ .t = thr_new(0, &sys_kernel, 4096) };
        thr_self = fix.t;
        assert_int_equal(loop_init(&fix.l, fix.t), 0);
        assert_int_equal(httpc_new(&fix.l, &fix.h), 0);
        return 0;
}

static int teardown(void **st)
{
        (void)st;
        httpc_free(fix.h);
        loop_fini(&fix.l);
        thr_free(fix.t);
        return 0;
}

struct ask {
        struct httpc_call call;
        struct buf body;
        int say; /* what data() answers */
};

static int on_data(struct httpc_call *c, struct str piece)
{
        struct ask *a = container_of(c, struct ask, call);

        buf_str(&a->body, piece);
        return a->say;
}

static void on_done(struct httpc_call *c)
{
        (void)c;
        fix.ended++;
}

static int start(struct ask *a, const struct httpc_req *r)
{
        *a = (struct ask){ .call = { .data = on_data, .done = on_done }, .say = a->say };
        return httpc_start(fix.h, &a->call, r);
}

static void run_until(unsigned ended)
{
        while (fix.ended < ended)
                loop_turn(&fix.l, true);
}

/* "http://127.0.0.1:PORT/path" */
static const char *url_of(const struct server *s, const char *path)
{
        static char url[128];

        (void)snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", addr_port(&s->at), path);
        return url;
}

static void test_get(void **st)
{
        static const char *const fields[] = { "X-One: 1", NULL };
        struct server s;
        struct ask a = { .say = 0 };

        (void)st;
        server_start(&s, "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello", 1);
        assert_int_equal(start(&a, &(struct httpc_req){ .url = url_of(&s, "/a?b"), .fields = fields }), 0);
        assert_int_equal(fix.ended, 0); /* never from within the start */
        run_until(1);
        server_end(&s);
        assert_int_equal(a.call.err, 0);
        assert_int_equal(a.call.status, 404);
        assert_true(str_is(buf_view(&a.body), "hello"));
        assert_non_null(strstr(s.head, "GET /a?b HTTP/1.1\r\n"));
        assert_non_null(strstr(s.head, "X-One: 1\r\n"));
        buf_fini(&a.body);
}

/* The name of the URL goes into the request, the connection to the address that was given. */
static void test_name_with_address(void **st)
{
        struct server s;
        struct ask a = { .say = 0 };

        (void)st;
        server_start(&s, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", 1);
        assert_int_equal(start(&a, &(struct httpc_req){ .url = "http://api.example:6443/",
                                                        .to = &s.at,
                                                        .method = "PATCH",
                                                        .body = STR("{\"a\":1}") }),
                         0);
        run_until(1);
        server_end(&s);
        assert_int_equal(a.call.err, 0);
        assert_int_equal(a.call.status, 200);
        assert_non_null(strstr(s.head, "PATCH / HTTP/1.1\r\n"));
        assert_non_null(strstr(s.head, "Host: api.example:6443\r\n"));
        assert_non_null(strstr(s.head, "Content-Length: 7\r\n"));
        buf_fini(&a.body);
}

static void test_what_is_not_asked(void **st)
{
        static const char *const bad[] = { "http://localhost/",
                                           "http://",
                                           "ftp://127.0.0.1/",
                                           "file:///etc/passwd",
                                           "",
                                           "https://127.0.0.1/" /* without a CA */,
                                           "http://[::1/",
                                           "http://1.2.3/x y" };
        struct ask a = { .say = 0 };

        (void)st;
        for (size_t i = 0; i < array_len(bad); i++)
                assert_int_equal(start(&a, &(struct httpc_req){ .url = bad[i] }), -EINVAL);
        httpc_cancel(&a.call);
}

static void test_failures(void **st)
{
        struct server s, closed;
        struct ask a = { .say = 0 };

        (void)st;
        /* nobody listens there */
        server_start(&closed, "", 0);
        server_end(&closed);
        assert_int_equal(start(&a, &(struct httpc_req){ .url = url_of(&closed, "/") }), 0);
        run_until(1);
        assert_int_equal(a.call.err, -ECONNREFUSED);
        assert_int_equal(a.call.status, 0);
        assert_true(a.call.why[0] != 0);
        /* no answer */
        server_start(&s, NULL, 1);
        assert_int_equal(start(&a, &(struct httpc_req){ .url = url_of(&s, "/"), .timeout_ms = 30 }), 0);
        run_until(2);
        server_end(&s);
        assert_int_equal(a.call.err, -ETIMEDOUT);
        /* cut off */
        server_start(&s, "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nshort", 1);
        assert_int_equal(start(&a, &(struct httpc_req){ .url = url_of(&s, "/") }), 0);
        run_until(3);
        server_end(&s);
        assert_int_equal(a.call.err, -EPROTO);
        buf_fini(&a.body);
        /* no HTTP */
        server_start(&s, "\x15\x03\x01 what\r\n\r\n", 1);
        assert_int_equal(start(&a, &(struct httpc_req){ .url = url_of(&s, "/") }), 0);
        run_until(4);
        server_end(&s);
        assert_int_equal(a.call.err, -EPROTO);
        buf_fini(&a.body);
}

static void test_data_says_no(void **st)
{
        struct server s;
        struct ask a = { .say = -EMSGSIZE };

        (void)st;
        server_start(&s, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", 1);
        assert_int_equal(start(&a, &(struct httpc_req){ .url = url_of(&s, "/") }), 0);
        run_until(1);
        server_end(&s);
        assert_int_equal(a.call.err, -EMSGSIZE);
        buf_fini(&a.body);
}

static void test_cancel_and_many(void **st)
{
        struct ask a[8], gone = { .say = 0 };
        struct server s, mute;

        (void)st;
        memset(a, 0, sizeof(a));
        server_start(&mute, NULL, 1);
        server_start(&s, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok", 8);
        assert_int_equal(start(&gone, &(struct httpc_req){ .url = url_of(&mute, "/") }), 0);
        for (size_t i = 0; i < array_len(a); i++)
                assert_int_equal(start(&a[i], &(struct httpc_req){ .url = url_of(&s, "/") }), 0);
        run_until(8);
        httpc_cancel(&gone.call);
        httpc_cancel(&gone.call);
        server_end(&s);
        server_end(&mute);
        assert_int_equal(fix.ended, 8);
        for (size_t i = 0; i < array_len(a); i++) {
                assert_int_equal(a[i].call.err, 0);
                assert_true(str_is(buf_view(&a[i].body), "ok"));
                buf_fini(&a[i].body);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_get, setup, teardown),
                cmocka_unit_test_setup_teardown(test_name_with_address, setup, teardown),
                cmocka_unit_test_setup_teardown(test_what_is_not_asked, setup, teardown),
                cmocka_unit_test_setup_teardown(test_failures, setup, teardown),
                cmocka_unit_test_setup_teardown(test_data_says_no, setup, teardown),
                cmocka_unit_test_setup_teardown(test_cancel_and_many, setup, teardown),
        };

        return cmocka_run_group_tests_name("ext/httpc", tests, NULL, NULL);
}
