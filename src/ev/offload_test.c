#include "ev/offload.h"
#include "base/epoch.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct thr *thr;
static struct loop loop;
static unsigned finished, cancelled;
static int order[64];
static sem_t gate;

struct work {
        struct offload_job job;
        unsigned in, out;
        int tag;
        bool waits;
};

static void run(struct offload_job *j)
{
        struct work *w = container_of(j, struct work, job);

        ASSERT(thr_self == NULL);
        if (w->waits)
                while (sem_wait(&gate) != 0)
                        ;
        w->out = w->in * w->in;
}

static void done(struct offload_job *j)
{
        struct work *w = container_of(j, struct work, job);

        assert_ptr_equal(thr_self, thr);
        if (j->cancelled) {
                cancelled++;
        } else {
                assert_int_equal(w->out, w->in * w->in);
                if (finished < array_len(order))
                        order[finished] = w->tag;
                finished++;
        }
        free(w);
}

static struct work *make(unsigned in, int tag, bool waits)
{
        struct work *w = calloc(1, sizeof(*w));

        assert_non_null(w);
        *w = (struct work){ .job = { .run = run, .done = done }, .in = in, .tag = tag, .waits = waits };
        return w;
}

static void begin(unsigned threads)
{
        finished = cancelled = 0;
        assert_int_equal(sem_init(&gate, 0, 0), 0);
        thr = thr_new(0, &sys_kernel, 4096);
        thr_self = thr;
        assert_int_equal(loop_init(&loop, thr), 0);
        assert_int_equal(offload_start(threads), 0);
}

static void end(void)
{
        offload_stop();
        loop_fini(&loop);
        thr_free(thr);
        (void)sem_destroy(&gate);
}

static void test_results_come_home(void **st)
{
        unsigned sent = 0;
        struct offload_stats s;

        (void)st;
        begin(2);
        while (finished < 3000) {
                while (sent < 3000 && sent < finished + 900) {
                        struct work *w = make(sent, 0, false);
                        assert_int_equal(offload_submit(&loop, sent % 5, &w->job), 0);
                        sent++;
                }
                loop_turn(&loop, true); /* sleeps until mail comes: a lost one would hang here */
        }
        offload_stats(OFFLOAD_DNS, &s);
        assert_int_equal(s.submitted, 600);
        assert_int_equal(s.finished, 600);
        assert_int_equal(s.waiting + s.running + s.refused + s.cancelled, 0);
        end();
}

static void test_bound_and_cancel(void **st)
{
        struct work *held, *w[4];
        struct offload_stats s;

        (void)st;
        begin(1);
        offload_set_limit(OFFLOAD_PASSWORD, 4);
        held = make(2, 0, true);
        assert_int_equal(offload_submit(&loop, OFFLOAD_PASSWORD, &held->job), 0);
        do {
                offload_stats(OFFLOAD_PASSWORD, &s);
        } while (s.running == 0);
        for (int i = 0; i < 3; i++) {
                w[i] = make(3, i, false);
                assert_int_equal(offload_submit(&loop, OFFLOAD_PASSWORD, &w[i]->job), 0);
        }
        w[3] = make(3, 3, false);
        assert_int_equal(offload_submit(&loop, OFFLOAD_PASSWORD, &w[3]->job), -EAGAIN);
        assert_int_equal(offload_submit(&loop, OFFLOAD_DNS, &w[3]->job), 0); /* the bound is of the class */
        offload_cancel(&w[1]->job);                                          /* waits: told at once, never run */
        offload_cancel(&w[1]->job);
        loop_turn(&loop, true);
        assert_int_equal(cancelled, 1);
        offload_cancel(&held->job); /* runs: told when it is done */
        loop_turn(&loop, false);
        assert_int_equal(cancelled, 1);
        (void)sem_post(&gate);
        while (finished + cancelled < 5)
                loop_turn(&loop, true);
        assert_int_equal(cancelled, 2);
        assert_int_equal(finished, 3);
        /* Classes take turns: the name look-up did not wait for both passwords. */
        assert_true(order[0] == 3 || order[1] == 3);
        offload_stats(OFFLOAD_PASSWORD, &s);
        assert_int_equal(s.refused, 1);
        assert_int_equal(s.cancelled, 2);
        assert_int_equal(s.finished, 3);
        offload_set_limit(OFFLOAD_PASSWORD, 1024);
        end();
}

static void test_stop_drops_what_waits(void **st)
{
        struct work *held, *w, *late;

        (void)st;
        begin(1);
        held = make(2, 0, true);
        w = make(3, 0, false);
        late = make(3, 1, false);
        assert_int_equal(offload_submit(&loop, OFFLOAD_CRYPTO, &held->job), 0);
        assert_int_equal(offload_submit(&loop, OFFLOAD_CRYPTO, &w->job), 0);
        (void)sem_post(&gate);
        offload_stop();
        loop_turn(&loop, false);
        assert_int_equal(offload_submit(&loop, OFFLOAD_CRYPTO, &late->job), -EAGAIN);
        free(late);
        if (finished == 1)
                free(w); /* dropped: still the submitter's */
        end();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_results_come_home),
                cmocka_unit_test(test_bound_and_cancel),
                cmocka_unit_test(test_stop_drops_what_waits),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
