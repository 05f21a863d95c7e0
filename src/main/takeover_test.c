/* What an old process may say when it is asked for its sockets, and which of them are taken. */
#include "main/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

static const char eighteen_zeros[18];

struct old { /* the process that is asked */
        char path[64];
        int fd;
        int32_t count; /* announced */
        int fds[4];    /* sent in one batch */
        unsigned n_fds;
        struct str text;    /* with them */
        struct str instead; /* of all that */
};

static void *serve(void *arg)
{
        struct old *o = arg;
        int c = accept(o->fd, NULL, NULL);
        char buf[64], control[CMSG_SPACE(sizeof(o->fds))] = { 0 };
        struct iovec io = { (void *)(uintptr_t)o->text.p, o->text.n };
        struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };

        if (recv(c, buf, 10, MSG_WAITALL) == 10 && o->instead.p)
                (void)send(c, o->instead.p, o->instead.n, MSG_NOSIGNAL);
        else {
                (void)send(c, &o->count, sizeof(o->count), MSG_NOSIGNAL);
                if (o->n_fds) {
                        struct cmsghdr *h = (struct cmsghdr *)(void *)control;

                        m.msg_control = control;
                        m.msg_controllen = CMSG_SPACE(o->n_fds * sizeof(int));
                        *h = (struct cmsghdr){ CMSG_LEN(o->n_fds * sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
                        memcpy(CMSG_DATA(h), o->fds, o->n_fds * sizeof(int));
                }
                if (io.iov_len)
                        (void)sendmsg(c, &m, MSG_NOSIGNAL);
        }
        (void)shutdown(c, SHUT_WR);
        while (recv(c, buf, sizeof(buf), 0) > 0) {
        }
        (void)close(c);
        return NULL;
}

/* What takeover_get() makes of it. */
static int get(struct old *o, struct takeover *ret_t)
{
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        pthread_t t;
        int r;

        (void)snprintf(o->path, sizeof(o->path), "/tmp/telamon-takeover-%d", (int)getpid());
        memcpy(un.sun_path, o->path, sizeof(o->path));
        (void)unlink(o->path);
        o->fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(bind(o->fd, (struct sockaddr *)&un, sizeof(un)), 0);
        assert_int_equal(listen(o->fd, 1), 0);
        assert_int_equal(pthread_create(&t, NULL, serve, o), 0);
        r = takeover_get(o->path, ret_t);
        (void)pthread_join(t, NULL);
        (void)close(o->fd);
        (void)unlink(o->path);
        return r;
}

static int open_fds(void)
{
        int n = 0;

        for (int fd = 0; fd < 64; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

static int listening(struct listen_spec *ret_spec)
{
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t n = sizeof(in);
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
        *ret_spec = (struct listen_spec){ .shards = 1, .unix_mode = -1, .unix_uid = -1, .unix_gid = -1 };
        ret_spec->at.family = AF_INET;
        ret_spec->at.inherited_fd = -1;
        ret_spec->at.port_low = ret_spec->at.port_high = ntohs(in.sin_port);
        ret_spec->at.addr.in = in;
        return fd;
}

static void only_what_listens_there_is_taken(void **state)
{
        struct listen_spec here, other;
        int fd = listening(&here), plain = socket(AF_INET, SOCK_STREAM, 0), file = open("/dev/null", O_RDONLY);
        struct old o = { .count = 3, .fds = { file, plain, fd }, .n_fds = 3, .text = { eighteen_zeros, 18 } };
        int before = open_fds(), got[LISTEN_SHARDS_MAX];
        struct takeover t;

        (void)state;
        assert_int_equal(get(&o, &t), 0);
        assert_int_equal(t.n, 3);
        other = here;
        other.interface = "lo";
        assert_int_equal(takeover_match(&t, &other, got), 0);
        other = here;
        other.transparent = true;
        assert_int_equal(takeover_match(&t, &other, got), 0);
        other = here;
        other.at.port_low = here.at.port_low == 1 ? 2 : 1;
        assert_int_equal(takeover_match(&t, &other, got), 0);
        assert_int_equal(takeover_match(&t, &here, got), 1);
        assert_true(fcntl(got[0], F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(got[0], F_GETFD) & FD_CLOEXEC);
        assert_int_equal(takeover_match(&t, &here, got + 1), 0); /* it is taken */
        takeover_fini(&t);
        assert_int_equal(open_fds(), before + 1);
        (void)close(got[0]);
        (void)close(fd);
        (void)close(plain);
        (void)close(file);
}

static void another_namespace_is_not_here(void **state)
{
        struct listen_spec here;
        int fd = listening(&here), got[LISTEN_SHARDS_MAX];
        struct old o = { .count = 1, .fds = { fd }, .n_fds = 1, .text = { "\4blue\0\0\0\0\0", 10 } };
        struct takeover t;

        (void)state;
        assert_int_equal(get(&o, &t), 0);
        assert_int_equal(takeover_match(&t, &here, got), 0);
        takeover_fini(&t);
        (void)close(fd);
}

static void what_makes_no_sense_leaves_nothing_open(void **state)
{
        struct listen_spec here;
        int fd = listening(&here), before;
        const struct {
                struct old o;
                int answer;
        } rows[] = {
                { { .instead = { "\nUnknown command\n", 17 } }, -EPROTO },
                { { .instead = { "", 0 } }, -EPROTO },
                { { .count = -1 }, -EPROTO },
                { { .count = 65537 }, -EPROTO },
                { { .count = 2 }, -ECONNRESET },
                { { .count = 2, .fds = { fd }, .n_fds = 1, .text = { eighteen_zeros, 6 } }, -ECONNRESET },
                { { .count = 1, .fds = { fd }, .n_fds = 1, .text = { eighteen_zeros, 5 } }, -ECONNRESET },
                { { .count = 1, .fds = { fd }, .n_fds = 1, .text = { eighteen_zeros, 7 } }, -EPROTO },
        };
        struct takeover t;

        (void)state;
        before = open_fds();
        for (size_t i = 0; i < array_len(rows); i++) {
                struct old o = rows[i].o;

                assert_int_equal(get(&o, &t), rows[i].answer);
                assert_int_equal(open_fds(), before);
        }
        assert_int_equal(takeover_get("/nowhere/at/all", &t), -ENOENT);
        (void)close(fd);
}

static void more_than_announced_is_closed(void **state)
{
        struct listen_spec here;
        int fd = listening(&here), before = open_fds();
        struct old o = { .count = 1, .fds = { fd, fd, fd }, .n_fds = 3, .text = { eighteen_zeros, 6 } };
        struct takeover t;

        (void)state;
        assert_int_equal(get(&o, &t), 0);
        assert_int_equal(t.n, 1);
        takeover_fini(&t);
        assert_int_equal(open_fds(), before);
        (void)close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_what_listens_there_is_taken),
                cmocka_unit_test(another_namespace_is_not_here),
                cmocka_unit_test(what_makes_no_sense_leaves_nothing_open),
                cmocka_unit_test(more_than_announced_is_closed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
