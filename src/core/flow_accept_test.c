/* Who is let in, and when: limits of connections and of their rate, two addresses, a soft stop. See core/flow_testing.h. */
#include "core/flow_testing.h"

static void test_accept_limit(void **st)
{
        struct peer *c[4], *s;

        (void)st;
        fcfg.maxconn = 2;
        for (int i = 0; i < 4; i++) {
                c[i] = client();
                settle();
        }
        assert_int_equal(fe.cur, 2);
        say(c[3], GET);
        settle();
        assert_null(served_by(0));
        peer_close(c[0], false);
        settle();
        assert_int_equal(fe.cur, 2);
        peer_close(c[1], false);
        s = served();
        say(s, OK5);
        expect(c[3], "hello");
        assert_int_equal(fe.cur_max, 2);
}

/* Over the rate, clients wait in the kernel's queue, and are served as the second goes by (manual, rate-limit sessions). */
static void accept_rate(struct rate_gate *gate)
{
        struct peer *c[6];

        gate->limit = 4;
        gate->next = 0;
        for (int i = 0; i < 6; i++) {
                c[i] = client();
                settle();
        }
        assert_int_equal(fe.cur, 4);
        assert_false(c[4]->eof || c[4]->reset || c[5]->eof || c[5]->reset);
        pass_ms(200);
        assert_int_equal(fe.cur, 4);
        pass_ms(60);
        assert_int_equal(fe.cur, 5);
        pass_ms(260);
        assert_int_equal(fe.cur, 6);
        for (int i = 0; i < 6; i++)
                peer_close(c[i], false);
        settle();
        gate->limit = 0;
        pass_ms(300); /* the last look at the gate put the next one off */
        assert_int_equal(fe.cur, 0);
}

static void test_accept_rate(void **st)
{
        (void)st;
        accept_rate(&fe.sess_gate);
        accept_rate(&world.conn_gate);
        accept_rate(&world.sess_gate);
}

/* Two addresses of one frontend in one turn: the place that the first one took is not there for the second, whose client waits in
 * the kernel's queue and is neither accepted nor closed. */
static void test_limit_over_two_addresses(void **st)
{
        static struct listener two;
        struct sockaddr_in first_at = front_at, second_at;
        struct peer *a, *b, *s;

        (void)st;
        fcfg.maxconn = 1;
        two = (struct listener){ .front = &fe, .cfg = &bind_of, .n_fds = 1, .accept_batch = 64 };
        two.fds[0] = listen_any(&second_at);
        sess_start_listener(&two);
        loop_turn(&loop, false);
        a = client();
        front_at = second_at;
        b = client();
        front_at = first_at;
        settle();
        assert_int_equal(fe.cur, 1);
        assert_false(a->eof || a->reset || b->eof || b->reset);
        if (two.cur) { /* the second address was first */
                s = a;
                a = b;
                b = s;
        }
        peer_close(a, false);
        settle();
        say(b, GET);
        s = served();
        say(s, OK5);
        expect(b, "hello");
        assert_int_equal(fe.cur_max, 1);
        peer_close(b, false);
        settle();
        sess_stop_listener(&two, NULL);
        settle();
        assert_int_equal(two.cur, 0);
        close(two.fds[0]);
        free(two.binds);
}

static void test_soft_stop(void **st)
{
        struct peer *idle = client(), *busy, *fresh, *s;

        (void)st;
        say(idle, GET);
        s = served();
        say(s, OK5);
        expect(idle, "hello");
        peer_drop_in(s);
        busy = client();
        fresh = client();
        say(busy, GET);
        settle();
        s = served_by(0) ?: s;
        atomic_store(&world.stopping, true);
        sess_soft_stop();
        settle();
        assert_true(idle->eof);
        assert_false(busy->eof || fresh->eof);
        say(s, OK5);
        expect(busy, "connection: close\r\n\r\nhello");
        assert_true(busy->eof);
        say(fresh, GET);
        s = served();
        say(s, OK5);
        expect(fresh, "connection: close\r\n\r\nhello");
}

#define T(name) cmocka_unit_test_setup_teardown(name, start_plain_http, stop)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                T(test_accept_limit),
                T(test_accept_rate),
                T(test_limit_over_two_addresses),
                T(test_soft_stop),
        };

        if (argc > 1)
                cmocka_set_test_filter(argv[1]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
