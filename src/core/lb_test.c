/* Round robin: strict alternation over real threads, exact weights, large farms against a model. */
#include "core/lb.h"

#include "base/epoch.h"
#include "core/queue.h"
#include "core/retire.h"
#include "core/strm.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct back be;
static struct server *farm;
static struct thr *thr;

/* Streams that wait are no part of this test. */
__attribute__((weak)) void strm_grant(struct strm *s, uint64_t generation, struct server *srv)
{
        (void)s;
        (void)generation;
        (void)srv;
}

static void farm_new(uint32_t n)
{
        thr = thr_new(0, &sys_kernel, 4096);
        thr_self = thr;
        be = (struct back){ .n_srv = n, .srv = calloc(n, sizeof(*be.srv)) };
        farm = calloc(n, sizeof(*farm));
        for (uint32_t i = 0; i < n; i++) {
                be.srv[i] = &farm[i];
                farm[i].back = &be;
                farm[i].pos = i;
                atomic_init(&farm[i].weight, 1);
                atomic_init(&farm[i].usable, 1);
        }
}

static void farm_free(void)
{
        lb_free(&be);
        free(be.srv);
        free(farm);
        retire_run();
        thr_free(thr);
        assert_int_equal(retire_waiting(), 0);
}

static uint32_t pick(void)
{
        struct server *s = lb_take(&be, NULL, NULL, NULL);

        return s ? (uint32_t)(s - farm) : UINT32_MAX;
}

static void test_equal_weights_go_in_file_order(void **st)
{
        (void)st;
        farm_new(5);
        lb_update(&be, NULL);
        for (uint32_t i = 0; i < 50; i++)
                assert_int_equal(pick(), i % 5);
        farm_free();
}

/* ---- strict alternation, whoever asks ---- */

#define THREADS 4
#define PICKS   20000

static void *picker(void *arg)
{
        uint64_t *count = arg;

        thr_self = thr; /* lb_take() uses nothing of it */
        for (int i = 0; i < PICKS; i++)
                count[pick()]++;
        return NULL;
}

static void test_threads_share_one_order(void **st)
{
        pthread_t t[THREADS];
        uint64_t count[THREADS][3] = { { 0 } };

        (void)st;
        farm_new(3);
        lb_update(&be, NULL);
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&t[i], NULL, picker, count[i]), 0);
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_join(t[i], NULL), 0);
        for (int s = 0; s < 3; s++) {
                uint64_t sum = count[0][s] + count[1][s] + count[2][s] + count[3][s];
                assert_true(sum == THREADS * PICKS / 3 || sum == THREADS * PICKS / 3 + 1);
        }
        farm_free();
}

/* The gate of mechanisms.md b: new connections one after the other, each on another thread, alternate strictly. */
static struct {
        pthread_mutex_t lock;
        pthread_cond_t turn;
        int next;
        uint32_t order[1000];
        int n;
} relay = { .lock = PTHREAD_MUTEX_INITIALIZER, .turn = PTHREAD_COND_INITIALIZER };

static void *relay_runner(void *arg)
{
        int me = (int)(intptr_t)arg;

        thr_self = thr;
        pthread_mutex_lock(&relay.lock);
        while (relay.n < 1000) {
                if (relay.next != me) {
                        pthread_cond_wait(&relay.turn, &relay.lock);
                        continue;
                }
                relay.order[relay.n++] = pick();
                relay.next = (me * 3 + relay.n) % THREADS;
                pthread_cond_broadcast(&relay.turn);
        }
        pthread_mutex_unlock(&relay.lock);
        return NULL;
}

static void test_strict_alternation(void **st)
{
        pthread_t t[THREADS];

        (void)st;
        farm_new(2);
        lb_update(&be, NULL);
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&t[i], NULL, relay_runner, (void *)(intptr_t)i), 0);
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_join(t[i], NULL), 0);
        for (int i = 0; i < 1000; i++)
                assert_int_equal(relay.order[i], i % 2);
        farm_free();
}

/* ---- weights ---- */

static void check_weights(const uint32_t *w, uint32_t n, uint64_t period)
{
        uint64_t *count = calloc(n, sizeof(*count));

        for (uint64_t i = 0; i < period; i++)
                count[pick()]++;
        for (uint32_t i = 0; i < n; i++)
                if (count[i] != w[i])
                        fail_msg("server %u of weight %u: %llu turns", i, w[i], (unsigned long long)count[i]);
        free(count);
}

static void test_weights_are_exact_over_a_period(void **st)
{
        static const uint32_t rows[][4] = { { 1, 2, 3, 4 }, { 256, 1, 1, 1 }, { 10, 20, 30, 0 }, { 7, 0, 0, 5 } };

        (void)st;
        for (size_t r = 0; r < array_len(rows); r++) {
                uint32_t div = r == 2 ? 10 : 1, w[4];
                uint64_t sum = 0;
                farm_new(4);
                for (int i = 0; i < 4; i++) {
                        atomic_store(&farm[i].weight, rows[r][i]);
                        w[i] = rows[r][i] / div;
                        sum += w[i];
                }
                lb_update(&be, NULL);
                for (int k = 0; k < 3; k++)
                        check_weights(w, 4, sum);
                farm_free();
        }
}

/* No server of weight w waits longer than its share, plus one place for each other server. */
static void test_weights_are_spread(void **st)
{
        uint64_t last = 0;

        (void)st;
        farm_new(3);
        atomic_store(&farm[0].weight, 10);
        atomic_store(&farm[1].weight, 5);
        lb_update(&be, NULL);
        for (uint64_t i = 1; i <= 160; i++)
                if (pick() == 0) {
                        assert_true(i - last <= 3);
                        last = i;
                }
        farm_free();
}

/* ---- who is left out ---- */

static void test_full_unusable_avoided_backup(void **st)
{
        (void)st;
        farm_new(4);
        farm[2].backup = farm[3].backup = true;
        atomic_store(&farm[0].maxconn, 2);
        lb_update(&be, NULL);
        for (int i = 0; i < 10; i++)
                assert_true(pick() < 2);
        assert_int_equal(farm[0].cur, 2);
        assert_ptr_equal(lb_take(&be, NULL, &farm[1], NULL), &farm[1]); /* the other one is full */
        atomic_store(&farm[0].cur, 0);
        assert_ptr_equal(lb_take(&be, NULL, &farm[1], NULL), &farm[0]);
        atomic_store(&farm[0].usable, 0);
        lb_update(&be, &farm[0]);
        assert_int_equal(pick(), 1);
        atomic_store(&farm[1].usable, 0);
        assert_int_equal(pick(), UINT32_MAX); /* at once, before the view is rebuilt */
        lb_update(&be, &farm[1]);
        assert_int_equal(pick(), 2); /* the first backup, and only that one */
        assert_int_equal(pick(), 2);
        atomic_store(&farm[2].usable, 0);
        lb_update(&be, &farm[2]);
        assert_int_equal(pick(), 3);
        atomic_store(&farm[1].usable, 1);
        lb_update(&be, &farm[1]);
        assert_int_equal(pick(), 1);
        farm_free();
}

/* ---- large farms: edited in place, against a model ---- */

#define LARGE 1000

static uint64_t seed = 42;

static uint32_t rnd(uint32_t n)
{
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t)(seed >> 33) % n;
}

static void check_view(void)
{
        struct lb_view *v = be.view;
        uint32_t want = 0, max = 0;

        for (uint32_t i = 0; i < LARGE; i++) {
                bool in = farm[i].usable && farm[i].weight > 0;
                if (in) {
                        want++;
                        max = farm[i].weight > max ? farm[i].weight : max;
                        assert_ptr_equal(v->slot[farm[i].lb_pos], &farm[i]);
                } else {
                        assert_int_equal(farm[i].lb_pos, LB_NO_POS);
                }
        }
        assert_int_equal(v->n, want);
        assert_int_equal(v->wmax, max ? max : 1);
        assert_true(v->large);
}

static void test_large_farm_is_edited_in_place(void **st)
{
        struct lb_view *first;

        (void)st;
        farm_new(LARGE);
        lb_update(&be, NULL);
        first = be.view;
        for (int i = 0; i < 20000; i++) {
                struct server *s = &farm[rnd(LARGE)];
                if (rnd(2))
                        atomic_store(&s->usable, (uint8_t)rnd(2));
                else
                        atomic_store(&s->weight, rnd(4) ? 1 + rnd(256) : 0);
                lb_update(&be, s);
                if (i % 100 == 0)
                        check_view();
        }
        check_view();
        assert_ptr_equal(be.view, first); /* O(1) an edit: no view was built */
        for (int i = 0; i < LARGE; i++) { /* the last one goes: backups would have their turn */
                atomic_store(&farm[i].usable, 0);
                lb_update(&be, &farm[i]);
        }
        assert_int_equal(pick(), UINT32_MAX);
        farm_free();
}

/* Each place of each round is offered once, so weights are exact over wmax rounds; light servers' turns are nobody else's gain. */
static void test_large_farm_weights(void **st)
{
        uint32_t w[LARGE];
        uint64_t sum = 0;

        (void)st;
        farm_new(LARGE);
        for (uint32_t i = 0; i < LARGE; i++) {
                w[i] = i % 3 ? 64 : 1 + i % 7;
                atomic_store(&farm[i].weight, w[i]);
                sum += w[i];
        }
        lb_update(&be, NULL);
        check_weights(w, LARGE, sum);
        farm_free();
}

static void *edit_forever(void *arg)
{
        thr_self = thr;
        for (int i = 0; i < 20000; i++) {
                struct server *s = &farm[i * 7 % (LARGE - 1) + 1];
                atomic_store(&s->usable, (uint8_t)(i & 1));
                lb_update(&be, s);
        }
        return arg;
}

/* Picks go on while the view is edited; the first server stays, so there is always one. */
static void test_large_farm_picks_while_edited(void **st)
{
        pthread_t t;

        (void)st;
        farm_new(LARGE);
        lb_update(&be, NULL);
        assert_int_equal(pthread_create(&t, NULL, edit_forever, NULL), 0);
        for (int i = 0; i < 100000; i++)
                assert_true(pick() < LARGE);
        assert_int_equal(pthread_join(t, NULL), 0);
        farm_free();
}

/* ---- a farm without a free place ---- */

/* However many ask while all are full, the farm is looked through once; a place that is freed, a limit that rises and a server that comes
 * are found at once. */
static void test_full_large_farm_is_looked_through_once(void **st)
{
        (void)st;
        farm_new(LARGE);
        for (uint32_t i = 0; i < LARGE; i++) {
                atomic_init(&farm[i].maxconn, 1);
                atomic_init(&farm[i].cur, i ? 1 : 0);
        }
        atomic_store(&farm[LARGE - 1].usable, 0);
        lb_update(&be, NULL);
        assert_int_equal(pick(), 0);
        for (int i = 0; i < 1000; i++)
                assert_int_equal(pick(), UINT32_MAX);
        assert_true(be.full_looks <= 2); /* one that found the last place, one that found none */
        for (uint32_t i = 500; i < 510; i++) {
                slot_release(&farm[i]);
                assert_int_equal(pick(), i);
                assert_int_equal(pick(), UINT32_MAX);
        }
        atomic_store(&farm[7].maxconn, 2);
        slot_fill(&farm[7]);
        assert_int_equal(pick(), 7);
        assert_int_equal(pick(), UINT32_MAX);
        atomic_store(&farm[LARGE - 1].usable, 1);
        atomic_store(&farm[LARGE - 1].cur, 0);
        lb_update(&be, &farm[LARGE - 1]);
        assert_int_equal(pick(), LARGE - 1);
        farm_free();
}

#define FULL_FARM 100 /* more than are tried in any case */

/* Takers and releasers on four threads, as many as there are places: a mark that outlives its farm's fullness would leave somebody without
 * a place for ever, and the runner's limit ends it. */
static void *take_and_release(void *arg)
{
        thr_self = thr;
        for (int i = 0; i < 5000; i++) {
                uint32_t k;
                while ((k = pick()) == UINT32_MAX)
                        sched_yield();
                if (i % 3 == 0)
                        sched_yield();
                slot_release(&farm[k]);
        }
        return arg;
}

static void test_no_place_is_lost_to_a_mark(void **st)
{
        pthread_t t[THREADS];

        (void)st;
        farm_new(FULL_FARM);
        for (uint32_t i = 0; i < FULL_FARM; i++) {
                atomic_init(&farm[i].maxconn, 1);
                atomic_init(&farm[i].cur, i % 50 ? 1 : 0); /* two free places */
        }
        lb_update(&be, NULL);
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&t[i], NULL, take_and_release, NULL), 0);
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_join(t[i], NULL), 0);
        assert_int_equal(farm[0].cur + farm[50].cur, 0);
        assert_true(be.full_looks > 0);
        farm_free();
}

/* ---- balance random ---- */

static struct lb_cfg random_lb;
static struct back_cfg random_cfg = { .lb = &random_lb };

static uint32_t pick_random(uint64_t id, const struct server *avoid)
{
        struct strm s = { .bcfg = &random_cfg, .id = id * 0x10001 };
        struct server *srv = lb_take(&be, &s, avoid, NULL);

        return srv ? (uint32_t)(srv - farm) : UINT32_MAX;
}

static void random_farm(uint32_t n, int draws)
{
        farm_new(n);
        random_lb = (struct lb_cfg){ .kind = BAL_RANDOM, .draws = draws };
}

/* One draw is chance by weight; nobody's turn comes, so some server is drawn twice in a row. */
static void test_random_follows_weights(void **st)
{
        uint32_t sizes[2] = { 4, LARGE };

        (void)st;
        for (int k = 0; k < 2; k++) {
                uint32_t heavy = 0, rounds = 4000 * sizes[k], twice = 0, last = UINT32_MAX;
                random_farm(sizes[k], 1);
                for (uint32_t i = 0; i < sizes[k]; i++)
                        atomic_store(&farm[i].weight, i % 2 ? 30 : 10);
                lb_update(&be, NULL);
                rounds = rounds > 40000 ? 40000 : rounds;
                for (uint32_t i = 0; i < rounds; i++) {
                        uint32_t s = pick_random(i, NULL);
                        heavy += s % 2;
                        twice += s == last;
                        last = s;
                }
                assert_in_range(heavy, rounds * 73 / 100, rounds * 77 / 100);
                assert_true(twice > 0);
                farm_free();
        }
}

static void spread(int draws, uint32_t *ret_min, uint32_t *ret_max)
{
        random_farm(50, draws);
        lb_update(&be, NULL);
        *ret_min = UINT32_MAX;
        *ret_max = 0;
        for (uint32_t i = 0; i < 5000; i++) /* all of them stay */
                assert_true(pick_random(i, NULL) < 50);
        for (uint32_t i = 0; i < 50; i++) {
                *ret_min = farm[i].cur < *ret_min ? farm[i].cur : *ret_min;
                *ret_max = farm[i].cur > *ret_max ? farm[i].cur : *ret_max;
        }
        farm_free();
}

/* The power of two choices: one draw scatters widely, two are close together, many are leastconn. */
static void test_random_draws_even_out_the_load(void **st)
{
        uint32_t min, max;

        (void)st;
        spread(1, &min, &max);
        assert_true(max - min > 20);
        spread(2, &min, &max);
        assert_in_range(max - min, 1, 8);
        spread(1000, &min, &max);
        assert_in_range(max - min, 0, 1);
}

/* Load is by weight, full servers are passed over, and the one to avoid is taken when it is the only one. */
static void test_random_full_and_avoided(void **st)
{
        (void)st;
        random_farm(4, 1000);
        for (uint32_t i = 0; i < 4; i++)
                atomic_init(&farm[i].maxconn, 2);
        atomic_store(&farm[2].weight, 200);
        lb_update(&be, NULL);
        for (int i = 0; i < 2; i++) { /* both go where the weight is, after each has one or it is full */
                uint32_t s = pick_random((uint64_t)i, NULL);
                assert_true(farm[s].cur <= 2);
        }
        for (int i = 2; i < 8; i++)
                assert_true(pick_random((uint64_t)i, &farm[1]) < 4);
        for (uint32_t i = 0; i < 4; i++)
                assert_int_equal(farm[i].cur, 2);
        assert_int_equal(pick_random(9, NULL), UINT32_MAX);
        slot_release(&farm[1]);
        assert_int_equal(pick_random(10, &farm[1]), 1);
        farm_free();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_equal_weights_go_in_file_order),
                cmocka_unit_test(test_threads_share_one_order),
                cmocka_unit_test(test_strict_alternation),
                cmocka_unit_test(test_weights_are_exact_over_a_period),
                cmocka_unit_test(test_weights_are_spread),
                cmocka_unit_test(test_full_unusable_avoided_backup),
                cmocka_unit_test(test_large_farm_is_edited_in_place),
                cmocka_unit_test(test_large_farm_weights),
                cmocka_unit_test(test_large_farm_picks_while_edited),
                cmocka_unit_test(test_full_large_farm_is_looked_through_once),
                cmocka_unit_test(test_no_place_is_lost_to_a_mark),
                cmocka_unit_test(test_random_follows_weights),
                cmocka_unit_test(test_random_draws_even_out_the_load),
                cmocka_unit_test(test_random_full_and_avoided),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
