#include "ev/loop.h"
#include "base/epoch.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

/* A table with a clock that the test moves, and counters. */
static mono_t fake_now;
static int64_t fake_wall;
static unsigned clock_reads, polls;
static int last_timeout;
static struct sys_ops fake;

static mono_t fake_mono(void)
{
        clock_reads++;
        return fake_now;
}

static int64_t fake_wall_us(void)
{
        return fake_wall;
}

static int fake_poll(int epfd, struct epoll_event *ev, int n, int timeout_ms)
{
        polls++;
        last_timeout = timeout_ms;
        return sys_kernel.poll_wait(epfd, ev, n, 0);
}

struct fix {
        struct thr *t;
        struct loop l;
};

static int setup(void **st)
{
        struct fix *f = calloc(1, sizeof(*f));

        fake = sys_kernel;
        fake.mono = fake_mono;
        fake.wall_us = fake_wall_us;
        fake.poll_wait = fake_poll;
        fake_now = 5 * (mono_t)NS_PER_S;
        fake_wall = 1700000000000000;
        f->t = thr_new(0, &fake, 4096);
        thr_self = f->t;
        assert_int_equal(loop_init(&f->l, f->t), 0);
        *st = f;
        return 0;
}

static int teardown(void **st)
{
        struct fix *f = *st;

        loop_fini(&f->l);
        thr_free(f->t);
        free(f);
        return 0;
}

static char trace[256];

static void note(const char *s)
{
        strncat(trace, s, sizeof(trace) - strlen(trace) - 1);
}

struct poster {
        struct ev_task task;
        struct loop *l;
        int left;
        unsigned ran;
};

static void run_poster(struct ev_task *t)
{
        struct poster *p = container_of(t, struct poster, task);

        p->ran++;
        if (p->left-- > 0)
                loop_post(p->l, t);
}

static void test_one_poll_one_clock(void **st)
{
        struct fix *f = *st;
        struct poster p = { .l = &f->l, .left = 3 };

        loop_turn(&f->l, false); /* the wake-up fd was added and is writable: its first event passes */
        task_init(&p.task, run_poster);
        loop_post(&f->l, &p.task);
        loop_post(&f->l, &p.task); /* twice runs once */
        clock_reads = polls = 0;
        loop_turn(&f->l, true);
        assert_int_equal(polls, 1);
        assert_int_equal(clock_reads, 1);
        assert_int_equal(last_timeout, 0); /* work was waiting */
        assert_int_equal(p.ran, 4);        /* rounds of the same turn */
        loop_turn(&f->l, true);
        assert_int_equal(last_timeout, -1); /* nothing to wait for */
}

static void test_endless_task_lets_io_in(void **st)
{
        struct fix *f = *st;
        struct poster p = { .l = &f->l, .left = 1000000 };

        task_init(&p.task, run_poster);
        loop_post(&f->l, &p.task);
        loop_turn(&f->l, true);
        assert_int_equal(p.ran, LOOP_ROUNDS);
        polls = 0;
        loop_turn(&f->l, true);
        assert_int_equal(polls, 1);
        assert_int_equal(last_timeout, 0);
        task_cancel(&p.task);
        task_cancel(&p.task);
        loop_turn(&f->l, true);
        assert_int_equal(p.ran, 2 * LOOP_ROUNDS);
}

struct ordered {
        struct loop *l;
        struct ev_fd fd;
        struct timer timer;
        struct mail mail;
        struct ev_task task;
        struct grave grave;
};

static struct ordered *the;

static void o_grave(struct grave *g)
{
        (void)g;
        note("grave ");
}

static void o_task(struct ev_task *t)
{
        (void)t;
        note("task ");
}

static void o_mail(struct mail *m)
{
        (void)m;
        note("mail ");
}

static void o_timer(struct timer *t)
{
        (void)t;
        note("timer ");
}

static void o_fd(struct ev_fd *e, uint32_t events)
{
        assert_true(events & EPOLLIN);
        (void)e;
        note("event ");
        loop_bury(the->l, &the->grave, o_grave);
        loop_post(the->l, &the->task);
        loop_mail(the->l, &the->mail);
        timer_start(the->l, &the->timer, 0);
}

static void test_order(void **st)
{
        struct fix *f = *st;
        struct ordered o = { .l = &f->l, .fd = { .fd = eventfd(1, EFD_NONBLOCK), .fn = o_fd }, .mail.fn = o_mail };

        the = &o;
        trace[0] = 0;
        timer_init(&o.timer, o_timer);
        task_init(&o.task, o_task);
        assert_int_equal(loop_add(&f->l, &o.fd), 0);
        assert_int_equal(loop_add(&f->l, &o.fd), 0);
        loop_turn(&f->l, true);
        assert_string_equal(trace, "event timer mail task grave ");
        loop_turn(&f->l, true); /* edge-triggered: the unread fd says nothing again */
        assert_string_equal(trace, "event timer mail task grave ");
        loop_del(&f->l, &o.fd);
        loop_del(&f->l, &o.fd);
        close(o.fd.fd);
}

static void test_timeout_and_timer(void **st)
{
        struct fix *f = *st;
        struct timer t;

        loop_turn(&f->l, false);
        trace[0] = 0;
        timer_init(&t, o_timer);
        timer_start(&f->l, &t, fake_now + 2500001);
        loop_turn(&f->l, true);
        assert_int_equal(last_timeout, 3); /* rounded up: never early, no second wake-up */
        assert_string_equal(trace, "");
        fake_now += 2999999;
        loop_turn(&f->l, true);
        assert_string_equal(trace, "");
        fake_now += 1;
        loop_turn(&f->l, true);
        assert_string_equal(trace, "timer ");
        assert_false(timer_active(&t));
        timer_stop(&f->l, &t);
}

/* Two fds ready in one batch: the first callback closes the second and opens another with the same handle. */
static struct ev_fd pair[2];
static struct loop *pair_loop;
static unsigned pair_calls;

static void on_pair(struct ev_fd *e, uint32_t events)
{
        struct ev_fd *other = e == &pair[0] ? &pair[1] : &pair[0];

        (void)events;
        if (pair_calls++ > 0)
                return;
        close(other->fd);
        loop_forget(other);
        other->fd = eventfd(0, EFD_NONBLOCK);
        assert_int_equal(loop_add(pair_loop, other), 0);
}

static void test_stale_event(void **st)
{
        struct fix *f = *st;

        loop_turn(&f->l, false);
        pair_loop = &f->l;
        pair_calls = 0;
        for (int i = 0; i < 2; i++) {
                pair[i] = (struct ev_fd){ .fd = eventfd(1, EFD_NONBLOCK), .fn = on_pair };
                assert_int_equal(loop_add(&f->l, &pair[i]), 0);
        }
        loop_turn(&f->l, false);
        assert_int_equal(pair_calls, 1); /* the second event was the closed fd's */
        loop_turn(&f->l, false);
        assert_int_equal(pair_calls, 2); /* the new one is writable: its own first event */
        close(pair[0].fd);
        close(pair[1].fd);
}

static void test_wall_clock(void **st)
{
        struct fix *f = *st;
        int64_t at;

        fake_now += 400 * (mono_t)NS_PER_MS;
        loop_turn(&f->l, false);
        assert_int_equal(f->t->wall_us, 1700000000400000);
        fake_wall = 1700000001000000 - 100000; /* 100 ms behind: drift */
        fake_now += 600 * (mono_t)NS_PER_MS;
        at = f->t->wall_us;
        loop_turn(&f->l, false);
        assert_int_equal(f->t->wall_us, 1700000000900000);
        assert_true(f->t->wall_us >= at);
        fake_now += 950 * (mono_t)NS_PER_MS;
        loop_turn(&f->l, false);
        at = f->t->wall_us;
        fake_wall = at - 50000 + 50000 - 100000;
        fake_now += 50 * (mono_t)NS_PER_MS;
        loop_turn(&f->l, false);
        assert_int_equal(f->t->wall_us, at); /* stands still */
        fake_now += 150 * (mono_t)NS_PER_MS;
        loop_turn(&f->l, false);
        assert_int_equal(f->t->wall_us, at + 50000); /* and goes on, right again */
        fake_wall = 1600000000000000;                /* set back by the administrator: followed */
        fake_now += NS_PER_S;
        loop_turn(&f->l, false);
        assert_int_equal(f->t->wall_us, 1600000000000000);
}

/* Mail between two loops in two threads: each letter comes once, in order, nobody sleeps over one. */
#define MAILS 100000

struct letter {
        struct mail mail;
        struct side *to;
        unsigned n;
};

struct side {
        struct loop l;
        struct thr *t;
        struct side *peer;
        pthread_t pt;
        unsigned sent, seen;
        struct ev_task send;
        struct letter letters[MAILS];
};

static void on_letter(struct mail *m)
{
        struct letter *x = container_of(m, struct letter, mail);
        struct side *s = x->to;

        ASSERT(x->n == s->seen);
        if (++s->seen == MAILS)
                loop_stop(&s->l);
        if (s->seen % 3 == 0) /* answers: ping-pong lets both sides fall asleep again and again */
                loop_post(&s->l, &s->send);
}

static void on_send(struct ev_task *t)
{
        struct side *s = container_of(t, struct side, send);

        while (s->sent < MAILS && s->sent < s->seen + 3) {
                struct letter *x = &s->letters[s->sent];
                *x = (struct letter){ .mail.fn = on_letter, .to = s->peer, .n = s->sent++ };
                loop_mail(&s->peer->l, &x->mail);
        }
}

static void *side_main(void *arg)
{
        struct side *s = arg;

        thr_self = s->t;
        loop_post(&s->l, &s->send);
        loop_run(&s->l);
        thr_self = NULL;
        return NULL;
}

static void test_mail_stress(void **st)
{
        struct side *s[2];

        (void)st;
        for (int i = 0; i < 2; i++) {
                s[i] = calloc(1, sizeof(*s[i]));
                assert_non_null(s[i]);
                s[i]->t = thr_new((unsigned)i, &sys_kernel, 4096);
                assert_int_equal(loop_init(&s[i]->l, s[i]->t), 0);
                task_init(&s[i]->send, on_send);
        }
        s[0]->peer = s[1];
        s[1]->peer = s[0];
        for (int i = 0; i < 2; i++)
                assert_int_equal(pthread_create(&s[i]->pt, NULL, side_main, s[i]), 0);
        for (int i = 0; i < 2; i++)
                assert_int_equal(pthread_join(s[i]->pt, NULL), 0);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(s[i]->seen, MAILS);
                assert_int_equal(s[i]->sent, MAILS);
                loop_fini(&s[i]->l);
                thr_free(s[i]->t);
        }
        free(s[0]);
        free(s[1]);
}

/* Several posters, one reader: order is kept per sender. */
#define POSTERS 3

struct flood {
        struct loop l;
        struct thr *t;
        pthread_t reader;
        unsigned seen[POSTERS], total;
};

struct flood_letter {
        struct mail mail;
        struct flood *f;
        unsigned who, n;
};

static void on_flood(struct mail *m)
{
        struct flood_letter *x = container_of(m, struct flood_letter, mail);
        struct flood *f = x->f;

        ASSERT(f->seen[x->who]++ == x->n);
        free(x);
        if (++f->total == POSTERS * (MAILS / 4))
                loop_stop(&f->l);
}

struct flooder {
        struct flood *f;
        unsigned who;
        pthread_t pt;
};

static void *flooder_main(void *arg)
{
        struct flooder *p = arg;

        for (unsigned i = 0; i < MAILS / 4; i++) {
                struct flood_letter *x = malloc(sizeof(*x));
                ASSERT(x);
                *x = (struct flood_letter){ .mail.fn = on_flood, .f = p->f, .who = p->who, .n = i };
                loop_mail(&p->f->l, &x->mail);
        }
        return NULL;
}

static void *flood_reader(void *arg)
{
        struct flood *f = arg;

        loop_run(&f->l);
        return NULL;
}

static void test_mail_flood(void **st)
{
        struct flood f = { 0 };
        struct flooder p[POSTERS];

        (void)st;
        f.t = thr_new(0, &sys_kernel, 4096);
        assert_int_equal(loop_init(&f.l, f.t), 0);
        assert_int_equal(pthread_create(&f.reader, NULL, flood_reader, &f), 0);
        for (unsigned i = 0; i < POSTERS; i++) {
                p[i] = (struct flooder){ .f = &f, .who = i };
                assert_int_equal(pthread_create(&p[i].pt, NULL, flooder_main, &p[i]), 0);
        }
        for (unsigned i = 0; i < POSTERS; i++)
                assert_int_equal(pthread_join(p[i].pt, NULL), 0);
        assert_int_equal(pthread_join(f.reader, NULL), 0);
        assert_int_equal(f.total, POSTERS * (MAILS / 4));
        assert_true(loop_idle_pct(&f.l) <= 100);
        loop_fini(&f.l);
        thr_free(f.t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_one_poll_one_clock, setup, teardown),
                cmocka_unit_test_setup_teardown(test_endless_task_lets_io_in, setup, teardown),
                cmocka_unit_test_setup_teardown(test_order, setup, teardown),
                cmocka_unit_test_setup_teardown(test_timeout_and_timer, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stale_event, setup, teardown),
                cmocka_unit_test_setup_teardown(test_wall_clock, setup, teardown),
                cmocka_unit_test(test_mail_stress),
                cmocka_unit_test(test_mail_flood),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
