#include "net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static mono_t fake_now;
static int accept_err; /* negative errno to answer instead of accepting */
static unsigned accepts;
static struct sys_ops fake;
static struct thr *thr;
static struct loop loop;

static mono_t fake_mono(void)
{
        return fake_now;
}

static int fake_accept(int fd, struct sockaddr *sa, socklen_t *len)
{
        accepts++;
        return accept_err ? accept_err : sys_kernel.accept(fd, sa, len);
}

static int setup(void **st)
{
        (void)st;
        fake = sys_kernel;
        fake.mono = fake_mono;
        fake.accept = fake_accept;
        fake_now = 1000 * (mono_t)NS_PER_S;
        accept_err = 0;
        thr = thr_new(0, &fake, 4096);
        thr_self = thr;
        assert_int_equal(loop_init(&loop, thr), 0);
        loop_turn(&loop, false);
        return 0;
}

static int teardown(void **st)
{
        (void)st;
        loop_fini(&loop);
        thr_free(thr);
        return 0;
}

static int port_of(int fd)
{
        struct sockaddr_in in = { 0 };
        socklen_t len = sizeof(in);

        assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
        return ntohs(in.sin_port); /* the same place in IPv6 */
}

/* The port is the kernel's choice, so that two runs do not meet. */
static struct listen_spec any_port(void)
{
        struct listen_spec s = { .shards = 1, .unix_mode = -1, .unix_uid = -1, .unix_gid = -1 };

        s.at = (struct addr_spec){ .family = AF_INET, .inherited_fd = -1, .port_low = -1, .port_high = -1 };
        s.at.addr.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        return s;
}

static int listen_on(const struct listen_spec *s)
{
        const char *step = "none";
        int fd = -1, err = listener_bind(s, &fd, &step);

        if (err)
                print_error("%s: %s\n", step, strerror(-err));
        assert_int_equal(err, 0);
        return fd;
}

static int client(int listener)
{
        struct sockaddr_in in = { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port_of(listener)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
        return fd;
}

struct door {
        struct listen_shard s;
        unsigned got, errors, most;
        int last_err;
        bool stop_inside;
};

static bool on_accept(struct listen_shard *s, int fd, const struct addr *from)
{
        struct door *d = container_of(s, struct door, s);

        assert_int_equal(from->sa.sa_family, AF_INET);
        close(fd);
        d->got++;
        if (d->stop_inside)
                shard_stop(s);
        return d->most == 0 || d->got < d->most;
}

static void on_error(struct listen_shard *s, int err)
{
        struct door *d = container_of(s, struct door, s);

        d->errors++;
        d->last_err = err;
}

static void turns(int n)
{
        while (n-- > 0)
                loop_turn(&loop, false);
}

static void test_accept_pause_resume(void **st)
{
        struct listen_spec spec = any_port();
        struct door d = { .s = { .batch = 64, .on_accept = on_accept, .on_error = on_error }, .most = 2 };
        int fd = listen_on(&spec), c[3];

        (void)st;
        assert_int_equal(shard_start(&d.s, &loop, fd, false), 0);
        for (int i = 0; i < 3; i++)
                c[i] = client(fd);
        turns(5);
        assert_int_equal(d.got, 2); /* the callback said stop */
        assert_true(d.s.paused);
        d.most = 0;
        assert_int_equal(shard_resume(&d.s), 0);
        assert_int_equal(shard_resume(&d.s), 0);
        turns(2);
        assert_int_equal(d.got, 3); /* the kernel's queue kept the third */
        shard_pause(&d.s);
        shard_pause(&d.s);
        close(client(fd));
        accepts = 0;
        turns(3);
        assert_int_equal(d.got, 3);
        assert_int_equal(accepts, 0); /* not polled at all */
        assert_int_equal(shard_resume(&d.s), 0);
        turns(2);
        assert_int_equal(d.got, 4);
        shard_stop(&d.s);
        shard_stop(&d.s);
        for (int i = 0; i < 3; i++)
                close(c[i]);
        close(fd);
}

static void test_batch(void **st)
{
        struct listen_spec spec = any_port();
        struct door d = { .s = { .batch = 2, .on_accept = on_accept, .on_error = on_error } };
        int fd = listen_on(&spec), c[5];

        (void)st;
        assert_int_equal(shard_start(&d.s, &loop, fd, true), 0);
        for (int i = 0; i < 5; i++)
                c[i] = client(fd);
        turns(1);
        assert_int_equal(d.got, 2); /* then the other connections have their turn */
        turns(2);
        assert_int_equal(d.got, 5);
        d.stop_inside = true; /* a callback that takes the listener down */
        close(client(fd));
        close(client(fd));
        turns(3);
        assert_int_equal(d.got, 6);
        for (int i = 0; i < 5; i++)
                close(c[i]);
        close(fd);
}

static void test_no_fds_left(void **st)
{
        struct listen_spec spec = any_port();
        struct door d = { .s = { .batch = 8, .on_accept = on_accept, .on_error = on_error } };
        int fd = listen_on(&spec), c = client(fd);

        (void)st;
        assert_int_equal(shard_start(&d.s, &loop, fd, false), 0);
        accept_err = -EMFILE;
        accepts = 0;
        turns(10);
        assert_int_equal(accepts, 1); /* no spinning on a level-triggered socket */
        assert_int_equal(d.errors, 1);
        assert_int_equal(d.last_err, -EMFILE);
        fake_now += 99 * (mono_t)NS_PER_MS;
        turns(3);
        assert_int_equal(accepts, 1);
        fake_now += 2 * (mono_t)NS_PER_MS;
        turns(3);
        assert_int_equal(d.errors, 2); /* still none: put off again */
        accept_err = 0;
        fake_now += 101 * (mono_t)NS_PER_MS;
        turns(3);
        assert_int_equal(d.got, 1);
        accept_err = -ECONNABORTED; /* one that died in the queue is no reason to stop */
        close(client(fd));
        turns(1);
        assert_int_equal(d.errors, 2);
        accept_err = 0;
        turns(2);
        assert_int_equal(d.got, 2);
        accept_err = -ENFILE;
        close(client(fd));
        turns(1);
        shard_pause(&d.s); /* paused by its owner meanwhile: the retry must not open it */
        accept_err = 0;
        fake_now += NS_PER_S;
        turns(3);
        assert_int_equal(d.got, 2);
        assert_int_equal(shard_resume(&d.s), 0);
        turns(2);
        assert_int_equal(d.got, 3);
        shard_stop(&d.s);
        close(c);
        close(fd);
}

static void test_shards_and_options(void **st)
{
        struct listen_spec spec = any_port();
        const char *step = "none";
        int fds[4] = { -1, -1, -1, -1 }, on = 0, yes = 1, place = socket(AF_INET, SOCK_STREAM, 0);
        socklen_t len = sizeof(on);

        (void)st;
        spec.shards = 4;
        assert_int_equal(setsockopt(place, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)), 0);
        assert_int_equal(bind(place, &spec.at.addr.sa, sizeof(spec.at.addr.in)), 0);
        spec.at.port_low = port_of(place);
        spec.defer_accept = 1;
        spec.tcp_fastopen = 16;
        spec.mss = 1200;
        spec.tcp_ut_ms = 9876;
        assert_int_equal(listener_bind(&spec, fds, &step), 0);
        for (int i = 0; i < 4; i++) {
                assert_int_equal(getsockopt(fds[i], SOL_SOCKET, SO_ACCEPTCONN, &on, &len), 0);
                assert_true(on);
                assert_int_equal(getsockopt(fds[i], IPPROTO_TCP, TCP_MAXSEG, &on, &len), 0);
                assert_int_equal(on, 1200);
                assert_int_equal(getsockopt(fds[i], IPPROTO_TCP, TCP_USER_TIMEOUT, &on, &len), 0);
                assert_int_equal(on, 9876);
                assert_int_equal(getsockopt(fds[i], IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, &len), 0);
                assert_true(on > 0);
                assert_int_equal(getsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
                assert_true(on);
                assert_int_equal(port_of(fds[i]), spec.at.port_low);
                close(fds[i]);
        }
        close(place);
}

static void test_steps_named(void **st)
{
        struct listen_spec spec = any_port();
        const char *step = NULL;
        int fds[2], held = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in in = spec.at.addr.in;

        (void)st;
        assert_int_equal(bind(held, (struct sockaddr *)&in, sizeof(in)), 0);
        assert_int_equal(listen(held, 1), 0);
        spec.at.port_low = port_of(held);
        assert_int_equal(listener_bind(&spec, fds, &step), -EADDRINUSE);
        assert_string_equal(step, "cannot bind socket");
        close(held);
        spec.interface = "no-such-if0";
        assert_int_not_equal(listener_bind(&spec, fds, &step), 0);
        assert_string_equal(step, "cannot bind listener to device");
        spec.interface = NULL;
        spec.at.port_low = -1;
        spec.at.addr.in.sin_addr.s_addr = htonl(0xc0000209); /* 192.0.2.9 is not ours */
        assert_int_equal(listener_bind(&spec, fds, &step), -EADDRNOTAVAIL);
        spec.freebind = true;
        assert_int_equal(listener_bind(&spec, fds, &step), 0);
        close(fds[0]);
}

static void test_ipv6(void **st)
{
        struct listen_spec spec = any_port();
        int fd, probe = socket(AF_INET6, SOCK_STREAM, 0), only = -1;
        socklen_t len = sizeof(only);

        (void)st;
        if (probe < 0)
                skip();
        close(probe);
        spec.at.family = AF_INET6;
        spec.at.addr.in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
        spec.v4v6 = true;
        fd = listen_on(&spec);
        close(client(fd)); /* by IPv4 */
        close(fd);
        spec.v6only = true; /* has precedence */
        fd = listen_on(&spec);
        assert_int_equal(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len), 0);
        assert_int_equal(only, 1);
        close(fd);
}

static int connect_unix(const char *path)
{
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM, 0), r;

        (void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
        r = connect(fd, (struct sockaddr *)&un, sizeof(un));
        if (r == 0)
                return fd;
        close(fd);
        return -errno;
}

static void test_unix_renamed_over(void **st)
{
        char dir[] = "/tmp/telamon-listener-XXXXXX", path[64];
        struct listen_spec spec = any_port();
        const char *step = NULL;
        struct stat sb;
        int old, new, c, unused;

        (void)st;
        assert_non_null(mkdtemp(dir));
        (void)snprintf(path, sizeof(path), "%s/s", dir);
        spec.at.family = AF_UNIX;
        memcpy(spec.at.path, path, sizeof(path));
        spec.unix_mode = 0600;
        spec.unix_uid = (int)getuid();
        old = listen_on(&spec);
        assert_int_equal(stat(path, &sb), 0);
        assert_int_equal(sb.st_mode & 07777, 0600);
        c = connect_unix(path);
        assert_true(c >= 0);
        spec.unix_mode = 0660;
        new = listen_on(&spec); /* over the old one, which keeps its client */
        assert_int_equal(stat(path, &sb), 0);
        assert_int_equal(sb.st_mode & 07777, 0660);
        close(old);
        close(c);
        c = connect_unix(path);
        assert_true(c >= 0);
        close(c);
        spec.unix_uid = -1;
        spec.unix_user = "root";
        spec.unix_group = "no-such-group";
        assert_int_equal(listener_bind(&spec, &unused, &step), -ENOENT);
        assert_string_equal(step, "cannot find the UNIX socket's group");
        c = connect_unix(path); /* a failed bind leaves the old one where it was */
        assert_true(c >= 0);
        close(c);
        close(new);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(dir), 0); /* nothing left behind */
        assert_int_not_equal(listener_bind(&spec, &unused, &step), 0);
        assert_string_equal(step, "cannot bind UNIX socket");
        memset(spec.at.path, 'x', sizeof(spec.at.path) - 1);
        assert_int_equal(listener_bind(&spec, &unused, &step), -ENAMETOOLONG);
}

static void test_inherited(void **st)
{
        struct listen_spec spec = any_port();
        int p[2], got = -1, fd = listen_on(&spec), bound = socket(AF_INET, SOCK_STREAM, 0);
        struct sockaddr_in in = spec.at.addr.in;
        const char *step = NULL;

        (void)st;
        spec.at.inherited_fd = fd;
        assert_int_equal(listener_bind(&spec, &got, &step), 0);
        assert_int_equal(got, fd);
        close(fd);
        assert_int_equal(listener_bind(&spec, &got, &step), -EBADF);
        assert_string_equal(step, "cannot use file descriptor");
        assert_int_equal(pipe(p), 0);
        spec.at.inherited_fd = p[0];
        assert_int_equal(listener_bind(&spec, &got, &step), -ENOTSOCK);
        close(p[0]);
        close(p[1]);
        assert_int_equal(bind(bound, (struct sockaddr *)&in, sizeof(in)), 0);
        spec.at.inherited_fd = bound; /* bound but not listening is allowed */
        assert_int_equal(listener_bind(&spec, &got, &step), 0);
        close(client(bound));
        close(bound);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                T(test_accept_pause_resume), T(test_batch), T(test_no_fds_left),       T(test_shards_and_options),
                T(test_steps_named),         T(test_ipv6),  T(test_unix_renamed_over), T(test_inherited),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
