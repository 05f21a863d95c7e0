#include "ev/mailbox.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct letter {
        struct mail mail;
        struct mailbox *again; /* posts itself once more, there */
        char c;
};

static char got[16];

static void on_letter(struct mail *m)
{
        struct letter *l = container_of(m, struct letter, mail);
        struct mailbox *again = l->again;

        strncat(got, &l->c, 1);
        l->again = NULL;
        if (again)
                mailbox_post(again, m);
}

static bool wake_pending(const struct mailbox *b)
{
        struct pollfd p = { .fd = b->wake_fd, .events = POLLIN };

        return poll(&p, 1, 0) == 1;
}

static void test_order_and_repost(void **st)
{
        struct mailbox b;
        struct letter x = { { NULL, on_letter }, &b, 'x' }, y = { { NULL, on_letter }, NULL, 'y' };

        (void)st;
        assert_int_equal(mailbox_init(&b), 0);
        got[0] = 0;
        assert_int_equal(mailbox_run(&b), 0);
        mailbox_post(&b, &x.mail);
        mailbox_post(&b, &y.mail);
        assert_int_equal(mailbox_run(&b), 2); /* x posted itself again: not in this run */
        assert_string_equal(got, "xy");
        assert_int_equal(mailbox_run(&b), 1);
        assert_string_equal(got, "xyx");
        assert_false(wake_pending(&b)); /* the owner never slept: no post paid for a write */
        mailbox_fini(&b);
        mailbox_fini(&b);
}

static void test_only_a_sleeper_is_woken(void **st)
{
        struct mailbox b;
        struct letter x = { { NULL, on_letter }, NULL, 'x' }, y = { { NULL, on_letter }, NULL, 'y' };
        uint64_t writes;

        (void)st;
        assert_int_equal(mailbox_init(&b), 0);
        mailbox_wake(&b);
        assert_false(wake_pending(&b));
        mailbox_post(&b, &x.mail);
        assert_false(mailbox_doze(&b)); /* mail waits: no sleep, and posters need not write */
        mailbox_post(&b, &y.mail);
        assert_false(wake_pending(&b));
        assert_int_equal(mailbox_run(&b), 2);
        assert_true(mailbox_doze(&b));
        mailbox_post(&b, &x.mail);
        mailbox_post(&b, &y.mail); /* the first has woken it already */
        assert_int_equal(read(b.wake_fd, &writes, sizeof(writes)), sizeof(writes));
        assert_int_equal(writes, 1);
        mailbox_awake(&b);
        assert_int_equal(mailbox_run(&b), 2);
        assert_true(mailbox_doze(&b));
        mailbox_wake(&b);
        assert_true(wake_pending(&b));
        mailbox_fini(&b);
}

/* The owner sleeps without a time limit: one lost wake-up and this never ends. */
#define STRESS 20000
static struct mailbox stress;
static struct letter letters[STRESS];

static void *post_all(void *arg)
{
        (void)arg;
        for (int i = 0; i < STRESS; i++) {
                letters[i].mail.fn = on_letter;
                mailbox_post(&stress, &letters[i].mail);
        }
        return NULL;
}

static void test_no_wake_up_is_lost(void **st)
{
        struct pollfd p = { .events = POLLIN };
        uint64_t writes, n = 0;
        pthread_t t;

        (void)st;
        assert_int_equal(mailbox_init(&stress), 0);
        p.fd = stress.wake_fd;
        assert_int_equal(pthread_create(&t, NULL, post_all, NULL), 0);
        while (n < STRESS) {
                if (mailbox_doze(&stress)) {
                        assert_int_equal(poll(&p, 1, -1), 1);
                        mailbox_awake(&stress);
                        assert_int_equal(read(p.fd, &writes, sizeof(writes)), sizeof(writes));
                }
                got[0] = 0;
                n += mailbox_run(&stress);
        }
        assert_int_equal(n, STRESS);
        assert_int_equal(pthread_join(t, NULL), 0);
        mailbox_fini(&stress);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order_and_repost),
                cmocka_unit_test(test_only_a_sleeper_is_woken),
                cmocka_unit_test(test_no_wake_up_is_lost),
        };

        return cmocka_run_group_tests_name("ev/mailbox", tests, NULL, NULL);
}
