/* Who does not read never makes the sender wait; what waited comes whole and in order; there is an end to it. */
#include "main/outbox.h"

#include "base/thr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static struct loop loop;
static struct outbox o;
static struct channel_msg msg;
static int fds[2];

static int begin(void **state)
{
        (void)state;
        thr_self = thr_new(0, &sys_kernel, 65536);
        assert_int_equal(loop_init(&loop, thr_self), 0);
        assert_int_equal(channel_pair(fds), 0);
        outbox_init(&o, &loop, fds[0]);
        return 0;
}

static int end(void **state)
{
        (void)state;
        outbox_fini(&o);
        assert_int_equal(o.bytes + o.n_fds, 0);
        close(fds[0]);
        close(fds[1]);
        loop_fini(&loop);
        thr_free(thr_self);
        thr_self = NULL;
        return 0;
}

static int send_number(uint64_t v)
{
        static char pad[4000];
        struct channel_arg a[] = { CH_S(((struct str){ pad, sizeof(pad) })) };

        memset(pad, 'a' + (int)(v % 26), sizeof(pad));
        return outbox_send(&o, CH_LISTEN, a, fds, 1);
}

/* The next message, turning the loop until there is one. */
static void take(void)
{
        int r;

        for (int i = 0; (r = channel_recv(fds[1], false, &msg)) == -EAGAIN && i < 5000; i++) {
                loop_turn(&loop, false);
                usleep(1000);
        }
        assert_int_equal(r, 1);
}

static void waits_in_order_with_descriptors(void **state)
{
        struct stat was, is;
        struct channel_arg a[] = { CH_U(1) };
        unsigned n = 0;

        (void)state;
        while (o.n_fds < 20)
                assert_int_equal(send_number(n++), 0);
        assert_int_equal(outbox_try(&o, CH_CLI, a, fds, 1), -EAGAIN); /* not before the others, and not after them */
        assert_int_equal(fstat(fds[0], &was), 0);
        for (unsigned i = 0; i < n; i++) {
                take();
                assert_int_equal(msg.arg[0].s.p[0], 'a' + (int)(i % 26));
                assert_int_equal(msg.n_fds, 1);
                assert_int_equal(fstat(msg.fds[0], &is), 0);
                assert_int_equal(is.st_ino, was.st_ino);
                channel_drop(&msg);
        }
        assert_int_equal(o.bytes + o.n_fds, 0);
        assert_int_equal(outbox_try(&o, CH_CLI, a, fds, 1), 0);
        take();
        assert_int_equal(msg.type, CH_CLI);
        channel_drop(&msg);
}

static void has_an_end(void **state)
{
        static char pad[60000];
        struct channel_arg a[] = { CH_S(((struct str){ pad, sizeof(pad) })), CH_S(STR("")) };
        unsigned n = 0;
        int e;

        (void)state;
        memset(pad, 'x', sizeof(pad));
        while ((e = outbox_send(&o, CH_REPLAY, a, NULL, 0)) == 0)
                assert_true(++n < 100000);
        assert_int_equal(e, -ENOBUFS);
        assert_true(o.bytes <= OUTBOX_MAX);
}

static void a_reader_that_is_gone(void **state)
{
        (void)state;
        while (o.n_fds < 5)
                assert_int_equal(send_number(0), 0);
        close(fds[1]);
        for (int i = 0; i < 5000 && o.n_fds; i++) {
                loop_turn(&loop, false);
                usleep(1000);
        }
        assert_int_equal(o.n_fds, 0);
        assert_int_equal(send_number(1), -EPIPE);
        fds[1] = dup(fds[0]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(waits_in_order_with_descriptors, begin, end),
                cmocka_unit_test_setup_teardown(has_an_end, begin, end),
                cmocka_unit_test_setup_teardown(a_reader_that_is_gone, begin, end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
