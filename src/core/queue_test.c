/* Server maxconn and its queues with real threads and their loops: never above, reached, ends at nought, nobody forgotten. */
#include "core/queue.h"

#include "core/expr.h"
#include "core/lb.h"
#include "core/retire.h"
#include "core/strm.h"
#include "core/threads.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define THREADS 4
#define WAITERS 50 /* of each thread */
#define LIMIT   7

enum state { IDLE, WAITING, HOLDING, FINISHED };

struct user {
        struct strm strm; /* first; only what the queue looks at */
        enum state state;
        unsigned left, hold; /* rounds to do; turns to keep the slot */
        struct server *srv;
};

static struct back be;
static struct server srv[2];
static struct server_cfg scfg;
static struct server *srvs[2] = { &srv[0], &srv[1] };
static atomic_uint holders[2], most[2], served, dead_grants;
static unsigned threads;
static pthread_barrier_t together;

static void got(struct user *u, struct server *s)
{
        unsigned k = (unsigned)(s - srv), h = atomic_fetch_add(&holders[k], 1) + 1, m = atomic_load(&most[k]);

        while (h > m && !atomic_compare_exchange_weak(&most[k], &m, h))
                ;
        u->state = HOLDING;
        u->srv = s;
        atomic_fetch_add(&served, 1);
}

/* In place of core/strm_route.c: what a stream does with a grant. */
void strm_grant(struct strm *s, uint64_t generation, struct server *server)
{
        struct user *u = (struct user *)s;

        (void)generation;
        if (!server) {
                u->state = IDLE; /* chooses again */
                return;
        }
        if (u->state != WAITING) {
                atomic_fetch_add(&dead_grants, 1);
                slot_release(server);
                return;
        }
        got(u, server);
}

static void ask(struct user *u)
{
        struct server *s = lb_take(&be, &u->strm, NULL, NULL);
        uint32_t before;

        if (s) {
                got(u, s);
                return;
        }
        u->state = WAITING;
        assert_true(queue_join(&u->strm, &be, NULL, &before));
}

static void release(struct user *u)
{
        struct server *s = u->srv;

        u->srv = NULL;
        u->left--;
        u->state = u->left ? IDLE : FINISHED;
        atomic_fetch_sub(&holders[s - srv], 1);
        slot_release(s);
}

struct worker {
        unsigned id;
        bool aborts;
        unsigned rounds;
        uint64_t seed;
        pthread_t thread;
};

static unsigned rnd(struct worker *w, unsigned n)
{
        w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
        return (unsigned)(w->seed >> 33) % n;
}

static bool step(struct worker *w, struct user *u)
{
        switch (u->state) {
        case IDLE:
                u->hold = rnd(w, 4);
                ask(u);
                break;
        case WAITING:
                if (!w->aborts || rnd(w, 8) != 0)
                        break;
                queue_leave(&u->strm); /* also when a grant is on its way */
                queue_leave(&u->strm);
                u->state = --u->left ? IDLE : FINISHED;
                break;
        case HOLDING:
                if (u->hold-- == 0)
                        release(u);
                break;
        case FINISHED: return false;
        }
        return true;
}

static void *work(void *arg)
{
        struct worker *w = arg;
        struct user *u = calloc(WAITERS, sizeof(*u));
        struct loop *l = threads_loop(w->id);
        bool busy = true;

        thr_self = l->thr;
        for (int i = 0; i < WAITERS; i++)
                u[i].left = w->rounds;
        pthread_barrier_wait(&together);
        while (busy) { /* a forgotten waiter hangs here, and the runner's limit ends it */
                busy = false;
                for (int i = 0; i < WAITERS; i++)
                        busy = step(w, &u[i]) || busy;
                loop_turn(l, false);
                sched_yield();
        }
        pthread_barrier_wait(&together); /* nobody joins any more; grants may still be under way to the dead */
        for (int i = 0; i < 2 * THREADS; i++) {
                loop_turn(l, false);
                pthread_barrier_wait(&together);
        }
        free(u);
        return NULL;
}

static void farm_new(unsigned n_srv)
{
        scfg = (struct server_cfg){ 0 };
        be = (struct back){ .n_srv = n_srv, .srv = srvs, .queue = queue_new() };
        for (unsigned i = 0; i < 2; i++) {
                srv[i] = (struct server){ .back = &be, .cfg = &scfg, .queue = queue_new() };
                atomic_init(&srv[i].weight, 1);
                atomic_init(&srv[i].usable, 1);
                atomic_init(&srv[i].oper, SRV_RUNNING);
                pins_init(&srv[i].pins, NULL);
                atomic_init(&srv[i].maxconn, LIMIT);
                atomic_store(&holders[i], 0);
                atomic_store(&most[i], 0);
        }
        lb_update(&be, NULL);
        atomic_store(&served, 0);
        atomic_store(&dead_grants, 0);
}

static void farm_free(void)
{
        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(srv[i].cur, 0);
                assert_int_equal(holders[i], 0);
                queue_free(srv[i].queue);
                pins_drop(&srv[i].pins);
        }
        assert_int_equal(queue_length(be.queue), 0);
        queue_free(be.queue);
        free(be.view);
        retire_run();
}

static struct loop loops[THREADS];

static void threads_start(unsigned n)
{
        threads = n;
        for (unsigned i = 0; i < n; i++) {
                struct thr *t = thr_new(i, &sys_kernel, 4096);
                assert_int_equal(loop_init(&loops[i], t), 0);
                threads_set(i, &loops[i]);
        }
}

static void threads_end(void)
{
        for (unsigned i = 0; i < threads; i++) {
                struct thr *t = loops[i].thr;
                loop_fini(&loops[i]);
                thr_free(t);
        }
        thr_self = NULL;
}

static void run(bool aborts, unsigned rounds, unsigned n_srv)
{
        struct worker w[THREADS];

        threads_start(THREADS);
        farm_new(n_srv);
        pthread_barrier_init(&together, NULL, THREADS);
        for (unsigned i = 0; i < THREADS; i++) {
                w[i] = (struct worker){ .id = i, .aborts = aborts, .rounds = rounds, .seed = i + 1 };
                assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
        }
        for (unsigned i = 0; i < THREADS; i++)
                assert_int_equal(pthread_join(w[i].thread, NULL), 0);
        pthread_barrier_destroy(&together);
        for (unsigned i = 0; i < n_srv; i++) {
                assert_int_equal(most[i], LIMIT);
                assert_int_equal(srv[i].cur_max, LIMIT);
        }
        farm_free();
        threads_end();
}

/* mechanisms.md b, the gate. */
static void test_200_users_with_aborts(void **st)
{
        (void)st;
        run(true, 100, 1);
        assert_true(served > 0);
}

static void test_everybody_is_served(void **st)
{
        (void)st;
        run(false, 60, 1);
        assert_int_equal(served, THREADS * WAITERS * 60);
}

static void test_two_servers_share_a_queue(void **st)
{
        (void)st;
        run(false, 60, 2);
        assert_int_equal(served, THREADS * WAITERS * 60);
}

/* ---- one thread, step by step ---- */

static int start_one(void **st)
{
        (void)st;
        threads_start(1);
        thr_self = loops[0].thr;
        farm_new(1);
        return 0;
}

static int stop_one(void **st)
{
        (void)st;
        farm_free();
        threads_end();
        return 0;
}

static void fill(struct user *u, unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                u[i].left = 1;
                ask(&u[i]);
        }
}

static void test_first_come_first_served(void **st)
{
        static struct user u[LIMIT + 3];

        (void)st;
        memset(u, 0, sizeof(u));
        fill(u, LIMIT + 3);
        assert_int_equal(srv[0].cur, LIMIT);
        assert_int_equal(queue_length(be.queue), 3);
        assert_int_equal(queue_max(be.queue), 3);
        queue_leave(&u[LIMIT + 1].strm);
        for (int i = 0; i < 2; i++) {
                release(&u[i]);
                assert_int_equal(srv[0].cur, LIMIT); /* handed over, not free for a moment */
                loop_turn(&loops[0], false);
                assert_int_equal(u[LIMIT + 2 * i].state, HOLDING);
        }
        for (int i = 2; i < LIMIT; i++)
                release(&u[i]);
        release(&u[LIMIT]);
        release(&u[LIMIT + 2]);
}

static void waits(struct user *u, int class, int offset_ms)
{
        struct strm_prio *p = expr_prio(expr_state_of(&u->strm));

        p->class = (int16_t) class;
        p->offset_ms = offset_ms;
        u->left = 1;
        ask(u);
        assert_int_equal(u->state, WAITING);
}

/* The lowest class first; within a class the time of coming, moved by the offset; who has no priority is in class 0. */
static void test_priorities(void **st)
{
        static struct user u[LIMIT], w[8];
        static const unsigned turns[] = { 5, 2, 6, 4, 0, 1, 3 };

        (void)st;
        memset(u, 0, sizeof(u));
        memset(w, 0, sizeof(w));
        fill(u, LIMIT);
        fill(w, 2);           /* 0, 1: as they came */
        waits(&w[2], -1, 0);  /* a class before theirs */
        waits(&w[3], 1, -50); /* and one behind, whatever the offset */
        waits(&w[4], 0, -1000000 / 4);
        waits(&w[5], -2047, 524287);
        waits(&w[6], -1, 5000);
        waits(&w[7], -2047, -524287); /* leaves */
        queue_leave(&w[7].strm);
        assert_int_equal(queue_length(be.queue), 7);
        for (unsigned i = 0; i < array_len(turns); i++) {
                release(i == 0 ? &u[0] : &w[turns[i - 1]]);
                loop_turn(&loops[0], false);
                assert_int_equal(w[turns[i]].state, HOLDING);
        }
        release(&w[turns[6]]);
        for (int i = 1; i < LIMIT; i++)
                release(&u[i]);
        for (int i = 2; i < 8; i++)
                expr_state_fini(&w[i].strm);
}

/* A grant to somebody who left meanwhile: the slot goes on to the next one. */
static void test_grant_to_the_dead_goes_on(void **st)
{
        static struct user u[LIMIT + 2];

        (void)st;
        memset(u, 0, sizeof(u));
        fill(u, LIMIT + 2);
        release(&u[0]);
        queue_leave(&u[LIMIT].strm); /* the mail is under way */
        u[LIMIT].state = FINISHED;
        assert_null(u[LIMIT].strm.waiting);
        loop_turn(&loops[0], false);
        loop_turn(&loops[0], false);
        assert_int_equal(u[LIMIT + 1].state, HOLDING);
        assert_int_equal(srv[0].cur, LIMIT);
        for (int i = 1; i < LIMIT; i++)
                release(&u[i]);
        release(&u[LIMIT + 1]);
}

static void test_limit_changes_and_redistribution(void **st)
{
        static struct user u[LIMIT + 4];
        uint32_t before;

        (void)st;
        memset(u, 0, sizeof(u));
        fill(u, LIMIT + 2);
        atomic_store(&srv[0].maxconn, LIMIT - 2);
        release(&u[0]);
        release(&u[1]);
        assert_int_equal(srv[0].cur, LIMIT - 2); /* it shrinks first */
        assert_int_equal(queue_length(be.queue), 2);
        atomic_store(&srv[0].maxconn, LIMIT);
        slot_fill(&srv[0]);
        loop_turn(&loops[0], false);
        assert_int_equal(srv[0].cur, LIMIT);
        assert_int_equal(queue_length(be.queue), 0);
        u[LIMIT + 2].state = u[LIMIT + 3].state = WAITING; /* these want this server and no other */
        u[LIMIT + 2].left = u[LIMIT + 3].left = 1;
        assert_true(queue_join(&u[LIMIT + 2].strm, &be, &srv[0], &before));
        assert_int_equal(before, 0);
        assert_true(queue_join(&u[LIMIT + 3].strm, &be, &srv[0], &before));
        assert_int_equal(before, 1);
        assert_int_equal(queue_redistribute(&srv[0]), 2);
        assert_int_equal(queue_length(srv[0].queue), 0);
        queue_leave(&u[LIMIT + 3].strm); /* leaves while its mail is under way */
        u[LIMIT + 3].state = FINISHED;
        loop_turn(&loops[0], false);
        assert_int_equal(u[LIMIT + 2].state, IDLE); /* asked to choose again */
        assert_int_equal(u[LIMIT + 3].state, FINISHED);
        assert_false(pins_held(&srv[0].pins));
        ask(&u[LIMIT + 2]);
        for (int i = 2; i < LIMIT + 2; i++)
                release(&u[i]);
        loop_turn(&loops[0], false);
        assert_int_equal(u[LIMIT + 2].state, HOLDING);
        release(&u[LIMIT + 2]);
}

/* Manual, minconn and fullconn: at least minconn, never more than maxconn, on the ramp below fullconn. */
static void test_minconn_is_a_ramp(void **st)
{
        static struct user u[60];
        static const struct {
                unsigned backend, limit;
        } ramp[] = { { 0, 2 }, { 1, 2 }, { 11, 2 }, { 12, 3 }, { 20, 5 }, { 30, 7 }, { 40, 10 }, { 400, 10 } };
        struct back_cfg cfg = { .fullconn = 40 };

        (void)st;
        atomic_store(&be.cfg, &cfg);
        atomic_store(&srv[0].maxconn, 10);
        atomic_store(&srv[0].minconn, 2);
        for (unsigned i = 0; i < array_len(ramp); i++) {
                atomic_store(&be.cur, ramp[i].backend);
                assert_int_equal(slot_limit(&srv[0]), ramp[i].limit);
        }
        atomic_store(&srv[0].minconn, 12); /* set at run time below minconn: maxconn is maxconn */
        assert_int_equal(slot_limit(&srv[0]), 10);
        atomic_store(&srv[0].minconn, 2);
        /* The load comes and goes; the server follows, and nobody is forgotten. */
        memset(u, 0, sizeof(u));
        for (unsigned i = 0; i < 60; i++) {
                atomic_store(&be.cur, i + 1);
                u[i].left = 1;
                ask(&u[i]);
                assert_true(srv[0].cur <= slot_limit(&srv[0]));
                loop_turn(&loops[0], false);
        }
        assert_int_equal(srv[0].cur, 10);
        assert_int_equal(queue_length(be.queue), 50);
        for (unsigned gone = 0; gone < 60;) {
                unsigned i = 0;
                while (u[i].state != HOLDING)
                        i++;
                assert_true(i < 60);
                atomic_store(&be.cur, 60 - ++gone);
                release(&u[i]);
                loop_turn(&loops[0], false);
                assert_true(gone == 60 || srv[0].cur > 0);
                assert_true(srv[0].cur <= slot_limit(&srv[0]) + 1); /* it shrinks as they leave */
        }
}

#define ONE(name) cmocka_unit_test_setup_teardown(name, start_one, stop_one)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_200_users_with_aborts),
                cmocka_unit_test(test_everybody_is_served),
                cmocka_unit_test(test_two_servers_share_a_queue),
                ONE(test_first_come_first_served),
                ONE(test_priorities),
                ONE(test_grant_to_the_dead_goes_on),
                ONE(test_limit_changes_and_redistribution),
                ONE(test_minconn_is_a_ramp),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
