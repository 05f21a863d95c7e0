/* A writer replaces an object again and again and frees the old one after epoch_wait(); readers that saw a freed one
 * would read its poison (and ASan or TSan would say so). */
#include "base/epoch.h"
#include "base/assert.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <cmocka.h>

#define GOOD   0x600d
#define ROUNDS 2000

struct thing {
        unsigned state, a, b;
};

static _Atomic(struct thing *) current;
static atomic_bool stop;
static atomic_uint turns;

static struct thing *make(unsigned n)
{
        struct thing *x = malloc(sizeof(*x));

        ASSERT(x);
        *x = (struct thing){ GOOD, n, ~n };
        return x;
}

static void *reader(void *arg)
{
        bool sleeps = arg != NULL;

        epoch_thread_enter();
        while (!atomic_load(&stop)) {
                for (int i = 0; i < 50; i++) {
                        struct thing *x = epoch_load(&current);
                        ASSERT(x->state == GOOD && x->a == ~x->b);
                }
                atomic_fetch_add(&turns, 1);
                if (sleeps) {
                        epoch_offline();
                        sched_yield();
                        epoch_online();
                } else {
                        epoch_turn();
                }
        }
        epoch_thread_leave();
        return NULL;
}

static void test_replace(void **st)
{
        pthread_t r[3];

        (void)st;
        epoch_publish(&current, make(0));
        for (int i = 0; i < 3; i++)
                assert_int_equal(pthread_create(&r[i], NULL, reader, i == 0 ? NULL : &stop), 0);
        while (atomic_load(&turns) < 10)
                sched_yield();
        for (unsigned n = 1; n <= ROUNDS; n++) {
                struct thing *old = epoch_load(&current);
                epoch_publish(&current, make(n));
                epoch_wait();
                old->state = old->a = old->b = 0;
                free(old);
        }
        atomic_store(&stop, true);
        for (int i = 0; i < 3; i++)
                assert_int_equal(pthread_join(r[i], NULL), 0);
        free(epoch_load(&current));
}

/* Offline for long (asleep in the poll call): the writer does not wait. Would hang if it did. */
static void test_sleeper_holds_nothing_up(void **st)
{
        (void)st;
        epoch_thread_enter();
        epoch_offline();
        epoch_wait();
        epoch_online();
        epoch_turn();
        epoch_thread_leave();
        epoch_wait();
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_replace),
                                            cmocka_unit_test(test_sleeper_holds_nothing_up) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
