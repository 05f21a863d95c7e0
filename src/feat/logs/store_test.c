/* Rings: what they keep, what they drop, what a server gets of them. Every wait is for what the other side did. */
#include "base/assert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "feat/logs/store.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool put(struct store *s, const char *text)
{
        struct iovec v[2] = { { (void *)(uintptr_t)text, strlen(text) }, { (void *)(uintptr_t) "\n", 1 } };

        return store_put(s, v, 2);
}

static const char *all(struct store *s, uint64_t pos)
{
        static struct buf b;

        b.n = 0;
        while (store_read(s, &pos, '|', &b))
                continue;
        buf_putc(&b, '\0');
        return b.p;
}

static void test_keeps_the_newest(void **st)
{
        struct store *s = store_get("newest");
        char text[16];

        (void)st;
        store_set(s, &(struct store_set){ .size = 100, .maxlen = 10 });
        for (int i = 0; i < 1000; i++) {
                (void)snprintf(text, sizeof(text), "line%04d", i);
                assert_true(put(s, text));
        }
        assert_string_equal(all(s, 0), "line0992|line0993|line0994|line0995|line0996|line0997|line0998|line0999|");
        assert_true(put(s, "0123456789abc"));
        assert_non_null(strstr(all(s, 0), "|line0999|0123456789|"));
        assert_string_equal(all(s, store_end(s)), "");
        assert_true(put(s, ""));
        assert_string_equal(all(s, store_end(s) - 4), "|");
        assert_int_equal(store_dropped(s), 0);
}

static void test_resized(void **st)
{
        struct store *s = store_get("resized");
        uint64_t end;

        (void)st;
        store_set(s, &(struct store_set){ .size = 4096, .maxlen = 100 });
        for (int i = 0; i < 20; i++)
                assert_true(put(s, i < 10 ? "old-line" : "new-line"));
        end = store_end(s);
        store_set(s, &(struct store_set){ .size = 36, .maxlen = 100 });
        assert_string_equal(all(s, 0), "new-line|new-line|new-line|");
        assert_int_equal(store_end(s), end);
        store_set(s, &(struct store_set){ .size = 8192, .maxlen = 100, .description = "d" });
        assert_string_equal(all(s, 0), "new-line|new-line|new-line|");
        assert_false(put(store_get("resized"), "x") && store_find("resized") != s);
}

static int listener(struct sockaddr_in *sa)
{
        socklen_t len = sizeof(*sa);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        *sa = (struct sockaddr_in){ .sin_family = AF_INET };
        sa->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(bind(fd, (struct sockaddr *)sa, sizeof(*sa)), 0);
        assert_int_equal(listen(fd, 4), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)sa, &len), 0);
        return fd;
}

/* Reads until `want` came, whatever the pieces are. */
static void expect(int fd, const char *want)
{
        char in[256];
        size_t n = 0, len = strlen(want);

        while (n < len) {
                ssize_t r = read(fd, in + n, len - n);

                assert_true(r > 0);
                n += (size_t)r;
        }
        in[n] = '\0';
        assert_string_equal(in, want);
}

static struct store_target target(const struct sockaddr_in *sa, bool octets)
{
        struct store_target t = { .name = "a", .text = "127.0.0.1", .octets = octets };

        addr_from_sockaddr(&t.addr, (const struct sockaddr *)sa, sizeof(*sa));
        return t;
}

static void test_sent(void **st)
{
        struct store *s = store_get("sent");
        struct sockaddr_in sa;
        int ls = listener(&sa), fd;
        struct store_target t = target(&sa, false);

        (void)st;
        store_set(s, &(struct store_set){ .size = 4096, .maxlen = 100, .targets = &t });
        assert_true(put(s, "one"));
        fd = accept(ls, NULL, NULL);
        assert_true(fd >= 0);
        assert_true(put(s, "two"));
        expect(fd, "one\ntwo\n");
        assert_true(store_wait_sent(20000));
        (void)close(fd); /* the next line comes over a new connection */
        assert_true(put(s, "three"));
        fd = accept(ls, NULL, NULL);
        expect(fd, "three\n");
        t.octets = true; /* another framing is another server: it gets what is kept */
        store_set(s, &(struct store_set){ .size = 4096, .maxlen = 100, .targets = &t });
        assert_true(put(s, "four"));
        (void)close(fd);
        fd = accept(ls, NULL, NULL);
        expect(fd, "3 one3 two5 three4 four");
        assert_true(store_wait_sent(20000));
        store_set(s, &(struct store_set){ .size = 4096, .maxlen = 100 });
        (void)close(fd);
        (void)close(ls);
}

/* A server that takes nothing holds its lines; the ring is full, and who writes does not wait. */
static void test_server_that_is_away(void **st)
{
        struct store *s = store_get("away");
        struct sockaddr_in sa;
        int ls = listener(&sa), fd;
        struct store_target t = target(&sa, false);

        (void)st;
        (void)close(ls); /* refused until it comes back */
        store_set(s, &(struct store_set){ .size = 36, .maxlen = 100, .targets = &t });
        for (int i = 0; i < 5; i++)
                assert_int_equal(put(s, "12345678"), i < 3);
        assert_int_equal(store_dropped(s), 2);
        assert_false(store_wait_sent(20));
        assert_string_equal(all(s, 0), "12345678|12345678|12345678|");
        ls = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)), 0);
        assert_int_equal(bind(ls, (struct sockaddr *)&sa, sizeof(sa)), 0);
        assert_int_equal(listen(ls, 4), 0);
        fd = accept(ls, NULL, NULL);
        expect(fd, "12345678\n12345678\n12345678\n");
        assert_true(store_wait_sent(20000));
        assert_true(put(s, "abcdefgh"));
        expect(fd, "abcdefgh\n");
        (void)close(fd);
        (void)close(ls);
        store_set(s, &(struct store_set){ .size = 36, .maxlen = 100 });
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_keeps_the_newest),
                cmocka_unit_test(test_resized),
                cmocka_unit_test(test_sent),
                cmocka_unit_test(test_server_that_is_away),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
