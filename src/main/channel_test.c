/* Messages go over whole or not at all; nothing malformed is taken. */
#include "main/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static struct channel_msg msg;

static void goes_over_with_descriptors(void **state)
{
        struct channel_arg a[] = { CH_S(STR("frontend f bind *:80")) };
        int fds[2], give[2];

        (void)state;
        assert_int_equal(channel_pair(fds), 0);
        assert_int_equal(pipe(give), 0);
        assert_int_equal(channel_send(fds[0], CH_LISTEN, a, give, 2), 0);
        assert_int_equal(channel_recv(fds[1], true, &msg), 1);
        assert_int_equal(msg.type, CH_LISTEN);
        assert_true(str_eq(msg.arg[0].s, a[0].s));
        assert_int_equal(msg.n_fds, 2);
        assert_true(fcntl(msg.fds[0], F_GETFD) & FD_CLOEXEC);
        assert_int_equal(write(msg.fds[1], "x", 1), 1);
        assert_int_equal(read(give[0], give, 1), 1);
        channel_drop(&msg);
        assert_int_equal(channel_recv(fds[1], false, &msg), -EAGAIN);
        close(fds[0]);
        assert_int_equal(channel_recv(fds[1], true, &msg), 0);
        close(fds[1]);
}

static void descriptors_must_fit_the_type(void **state)
{
        struct channel_arg a[] = { CH_U(1), CH_U(1) };
        int fds[2];

        (void)state;
        assert_int_equal(channel_pair(fds), 0);
        assert_int_equal(channel_send(fds[0], CH_APPLIED, a, fds, 1), 0); /* takes none */
        assert_int_equal(channel_recv(fds[1], true, &msg), -EPROTO);
        assert_int_equal(msg.n_fds, 0);                                  /* and they are closed */
        assert_int_equal(channel_send(fds[0], CH_APPLY, a, NULL, 0), 0); /* needs one */
        assert_int_equal(channel_recv(fds[1], true, &msg), -EPROTO);
        close(fds[0]);
        close(fds[1]);
}

static void encoded_is_decoded(void **state)
{
        struct channel_arg a[] = { CH_S(STR("key")), CH_S(STR("set server b/s weight 5")) };
        AUTO_BUF(b);

        (void)state;
        assert_true(channel_encode(CH_JOURNAL, a, &b));
        assert_true(channel_decode(b.p, b.n, 0, &msg));
        assert_true(str_is(msg.arg[1].s, "set server b/s weight 5"));
        for (size_t n = 0; n < b.n; n++) /* every cut */
                assert_false(channel_decode(b.p, n, 0, &msg));
        buf_putc(&b, 0);
        assert_false(channel_decode(b.p, b.n, 0, &msg)); /* and every rest */
}

static void texts_have_no_nul(void **state)
{
        struct channel_arg a[] = { CH_S(((struct str){ "/dev/log\0/etc", 13 })) };
        AUTO_BUF(b);

        (void)state;
        assert_true(channel_encode(CH_REOPEN, a, &b));
        assert_false(channel_decode(b.p, b.n, 0, &msg));
}

static void unknown_types(void **state)
{
        uint16_t types[] = { 0, CH_TYPES, 0xffff };

        (void)state;
        for (size_t i = 0; i < array_len(types); i++)
                assert_false(channel_decode((const char *)&types[i], sizeof(types[i]), 0, &msg));
}

static void too_long_is_not_sent(void **state)
{
        static char big[CHANNEL_MAX];
        struct channel_arg a[] = { CH_S(((struct str){ big, sizeof(big) })) };
        int fds[2];

        (void)state;
        memset(big, 'x', sizeof(big));
        assert_int_equal(channel_pair(fds), 0);
        assert_int_equal(channel_send(fds[0], CH_TEXT, a, NULL, 0), -EMSGSIZE);
        close(fds[0]);
        close(fds[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(goes_over_with_descriptors),
                cmocka_unit_test(descriptors_must_fit_the_type),
                cmocka_unit_test(encoded_is_decoded),
                cmocka_unit_test(texts_have_no_nul),
                cmocka_unit_test(unknown_types),
                cmocka_unit_test(too_long_is_not_sent),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
