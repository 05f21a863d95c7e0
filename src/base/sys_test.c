#include "base/sys.h"
#include "base/thr.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>

static void on_alarm(int signo)
{
        (void)signo;
}

static void test_errors_are_negative(void **st)
{
        char c;
        struct iovec v = { &c, 1 };

        (void)st;
        assert_int_equal(sys_kernel.recv(-1, &c, 1, 0), -EBADF);
        assert_int_equal(sys_kernel.send(-1, &v, 1, 0), -EBADF);
        assert_int_equal(sys_kernel.socket(-1, SOCK_STREAM, 0), -EAFNOSUPPORT);
        assert_int_equal(sys_kernel.poll_wait(-1, NULL, 1, 0), -EBADF);
}

static void test_no_sigpipe_and_eagain(void **st)
{
        int p[2];
        char buf[64];
        struct iovec v[2] = { { buf, sizeof(buf) }, { buf, 1 } };

        (void)st;
        memset(buf, 0, sizeof(buf));
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p), 0);
        assert_int_equal(sys_kernel.recv(p[0], buf, 64, 0), -EAGAIN);
        assert_int_equal(sys_kernel.send(p[0], v, 2, 0), 65);
        assert_int_equal(sys_kernel.recv(p[1], buf, 64, 0), 64);
        sys_kernel.close(p[1]);
        (void)signal(SIGPIPE, SIG_DFL);
        assert_int_equal(sys_kernel.send(p[0], v, 1, 0), -EPIPE);
        assert_int_equal(sys_kernel.send(p[0], v, 2, 0), -EPIPE);
        sys_kernel.close(p[0]);
}

static void test_interrupted(void **st)
{
        struct sigaction sa = { .sa_handler = on_alarm }; /* no SA_RESTART */
        struct itimerval t = { { 0, 2000 }, { 0, 2000 } }, off = { 0 };
        int p[2];
        char c = 'x';
        struct epoll_event ev;
        int ep = epoll_create1(0);
        pid_t pid;

        (void)st;
        assert_int_equal(sigaction(SIGALRM, &sa, NULL), 0);
        assert_int_equal(setitimer(ITIMER_REAL, &t, NULL), 0);
        assert_int_equal(sys_kernel.poll_wait(ep, &ev, 1, 60000), 0); /* EINTR: no event, the loop goes on */
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);  /* a blocking one, to be interrupted */
        pid = fork();
        if (pid == 0) {
                usleep(50000);
                _exit(write(p[1], &c, 1) == 1 ? 0 : 1);
        }
        assert_int_equal(sys_kernel.recv(p[0], &c, 1, 0), 1);
        assert_int_equal(setitimer(ITIMER_REAL, &off, NULL), 0);
        close(p[0]);
        close(p[1]);
        close(ep);
}

static void test_pipe_and_flags(void **st)
{
        int p[2], s, size = sys_kernel.pipe(p, 256 * 1024);
        unsigned char a[64] = { 0 }, b[64] = { 0 };

        (void)st;
        assert_true(size >= 4096);
        assert_int_equal(fcntl(p[0], F_GETPIPE_SZ), size);
        assert_true(fcntl(p[0], F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(p[0], F_GETFL) & O_NONBLOCK);
        sys_kernel.close(p[0]);
        sys_kernel.close(p[1]);
        s = sys_kernel.socket(AF_INET, SOCK_STREAM, 0);
        assert_true(fcntl(s, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(s, F_GETFL) & O_NONBLOCK);
        sys_kernel.close(s);
        sys_kernel.random(a, sizeof(a));
        sys_kernel.random(b, sizeof(b));
        assert_memory_not_equal(a, b, sizeof(a));
}

static void test_mono_add(void **st)
{
        (void)st;
        assert_true(mono_add_ms(5, 2) == 2000005);
        assert_true(mono_add_ms(5000000, -2) == 3000000);
        assert_true(mono_add_ms(5, -2) == 0);
        assert_true(mono_add_ms(5, INT64_MAX) == MONO_NEVER);
        assert_true(mono_add_ms(5, INT64_MIN) == 0);
        assert_int_equal(mono_ms_between(10, 5), 0);
        assert_int_equal(mono_ms_between(0, 1500000), 2);
}

static unsigned freed;

static void on_free(void *v)
{
        freed += *(unsigned *)v;
}

static void test_thread_locals(void **st)
{
        unsigned i = thr_local_index(on_free), j = thr_local_index(NULL), seven = 7;
        struct thr *t = thr_new(3, &sys_kernel, 1 << 20);

        (void)st;
        assert_true(i != j);
        assert_int_equal(t->id, 3);
        t->rx[0] = t->rx[t->rx_size - 1] = 1;
        t->local[i] = &seven;
        thr_free(t);
        assert_int_equal(freed, 7);
        thr_set_count(4);
        assert_int_equal(thr_count(), 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_errors_are_negative),
                cmocka_unit_test(test_no_sigpipe_and_eagain),
                cmocka_unit_test(test_interrupted),
                cmocka_unit_test(test_pipe_and_flags),
                cmocka_unit_test(test_mono_add),
                cmocka_unit_test(test_thread_locals),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
