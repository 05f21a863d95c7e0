/* The wheel against the simplest model: an array of deadlines. */
#include "ev/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define MS(n) ((mono_t)(n)*NS_PER_MS)

static uint64_t seed = 88172645463325252ull;

static uint64_t rnd(void)
{
        seed ^= seed << 13;
        seed ^= seed >> 7;
        return seed ^= seed << 17;
}

static uint64_t up_ms(mono_t t)
{
        return t / NS_PER_MS + (t % NS_PER_MS != 0);
}

#define N 700

struct model {
        struct wheel w;
        struct timer t[N];
        bool on[N];
        mono_t now;
};

static mono_t some_deadline(mono_t now)
{
        switch (rnd() % 9) {
        case 0: return 0;
        case 1: return now;
        case 2: return now > MS(5000) ? now - rnd() % MS(5000) : 0;
        case 3: return now + rnd() % MS(3);
        case 4: return now + rnd() % MS(300);
        case 5: return now + rnd() % MS(70000);
        case 6: return now + rnd() % MS(20000000);
        case 7: return now + rnd() % MS(4294967296 * 3); /* up to 149 days */
        default: return UINT64_MAX - 1 - rnd() % 5;
        }
}

static mono_t some_step(void)
{
        switch (rnd() % 12) {
        case 0: return MS(rnd() % 100000);
        case 1: return MS(rnd() % 30000000);
        case 2: return rnd() % 4 ? 0 : MS(4294967296 + rnd() % 1000); /* more than 49 days in one jump */
        case 3: return 0;
        case 4: return MS(256);
        case 5: return rnd() % 2 ? MS(65536) : MS(16777216);
        default: return rnd() % MS(40);
        }
}

static void check_due(struct model *m)
{
        struct list due = LIST_INIT(due), *n;
        uint64_t before = 0;

        wheel_run(&m->w, m->now, &due);
        while ((n = list_pop(&due)) != NULL) {
                struct timer *t = list_item(n, struct timer, link);
                assert_true(m->on[t - m->t]);
                assert_true(t->when <= m->now); /* never early */
                if (t->when > MS(before))
                        before = t->when / NS_PER_MS;
                m->on[t - m->t] = false;
        }
        for (int i = 0; i < N; i++) { /* never late */
                if (m->on[i])
                        assert_true(up_ms(m->t[i].when) > m->now / NS_PER_MS);
                assert_int_equal(m->on[i], timer_active(&m->t[i]));
        }
}

static void check_next(struct model *m)
{
        mono_t next = wheel_next(&m->w), first = MONO_NEVER;

        for (int i = 0; i < N; i++) {
                if (m->on[i] && m->t[i].when < first)
                        first = m->t[i].when;
        }
        if (first == MONO_NEVER) {
                assert_true(next == MONO_NEVER);
                return;
        }
        assert_true(next != MONO_NEVER || first > UINT64_MAX - 10);
        if (next / NS_PER_MS > m->now / NS_PER_MS && next != MONO_NEVER)
                assert_true(next / NS_PER_MS <= up_ms(first));
}

static void play(mono_t start)
{
        struct model *m = calloc(1, sizeof(*m));

        assert_non_null(m);
        m->now = start;
        wheel_init(&m->w, start);
        for (int i = 0; i < N; i++)
                timer_init(&m->t[i], NULL);
        for (int i = 0; i < 60000; i++) {
                unsigned k = (unsigned)(rnd() % N);
                if (rnd() % 3) {
                        wheel_add(&m->w, &m->t[k], some_deadline(m->now));
                        m->on[k] = true;
                } else {
                        wheel_del(&m->w, &m->t[k]);
                        m->on[k] = false;
                }
                check_next(m);
                if (rnd() % 16 == 0) {
                        m->now += some_step();
                        check_due(m);
                }
        }
        free(m);
}

static void test_model(void **st)
{
        (void)st;
        play(0);
        play(MS(123456789) + 77);
        play(MS(4294967296 - 3000)); /* the circle's end is near: 49 days of uptime */
}

/* Sleeping exactly until wheel_next() reaches a far timer in a few wake-ups, not in thousands. */
static void test_next_reaches(void **st)
{
        static struct wheel w;
        struct timer t;
        struct list due = LIST_INIT(due);
        mono_t now = MS(1000) + 5, when = now + MS(86400000);
        int wakes = 0;

        (void)st;
        wheel_init(&w, now);
        timer_init(&t, NULL);
        wheel_add(&w, &t, when);
        while (list_empty(&due)) {
                now = wheel_next(&w);
                wheel_run(&w, now, &due);
                wakes++;
        }
        assert_true(now >= when && now < when + MS(1));
        assert_true(wakes <= WHEEL_LEVELS);
        list_del(&t.link);
        assert_true(wheel_next(&w) == MONO_NEVER);
}

static void test_due_list_and_back(void **st)
{
        static struct wheel w;
        struct timer a, b;
        struct list due = LIST_INIT(due);

        (void)st;
        wheel_init(&w, MS(100));
        timer_init(&a, NULL);
        timer_init(&b, NULL);
        wheel_add(&w, &a, MS(101));
        wheel_add(&w, &b, MS(101));
        wheel_run(&w, MS(99), &due); /* the clock went back: nothing happens */
        assert_true(list_empty(&due));
        wheel_run(&w, MS(101), &due);
        wheel_del(&w, &b); /* stopped while it waits for its call */
        wheel_del(&w, &b);
        assert_true(due.next == &a.link && due.prev == &a.link);
        wheel_add(&w, &a, MS(50)); /* past: due at the next run, even when the clock stands still */
        assert_true(list_empty(&due));
        assert_true(wheel_next(&w) <= MS(101));
        wheel_run(&w, MS(101), &due);
        assert_true(due.next == &a.link);
        wheel_add(&w, &a, MONO_NEVER);
        assert_false(timer_active(&a));
        for (uint64_t ms = 1; ms < (uint64_t)1 << 36;
             ms *= 3) { /* every level: no wake-up for a timer that was stopped */
                wheel_add(&w, &a, MS(101) + MS(ms));
                assert_true(wheel_next(&w) <= MS(101) + MS(ms));
                wheel_del(&w, &a);
                assert_true(wheel_next(&w) == MONO_NEVER);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_model),
                cmocka_unit_test(test_next_reaches),
                cmocka_unit_test(test_due_list_and_back),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
