/* Names of a load: asked together, once each, and not for longer than the patience. */
#include "main/names.h"

#include "core/lookup.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <cmocka.h>

static atomic_int asked, at_once, most;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t opened = PTHREAD_COND_INITIALIZER;
static int waiting_for; /* askers that must be there before one goes on; -1: nobody goes on */

static int meet(const char *name, struct buf *out)
{
        int n = atomic_fetch_add(&at_once, 1) + 1;

        atomic_fetch_add(&asked, 1);
        if (n > most)
                most = n;
        pthread_mutex_lock(&gate);
        if (waiting_for > 0 && --waiting_for == 0)
                pthread_cond_broadcast(&opened);
        while (waiting_for != 0)
                pthread_cond_wait(&opened, &gate);
        pthread_mutex_unlock(&gate);
        atomic_fetch_sub(&at_once, 1);
        if (strcmp(name, "nx") == 0)
                return -ENOENT;
        buf_printf(out, "10.0.0.1\n::%s\n", name);
        return 0;
}

static void five(lookup_add_fn add, void *ctx)
{
        add(ctx, "a");
        add(ctx, "b");
        add(ctx, "nx");
        add(ctx, "b");
        add(ctx, "c");
}

static void begin(int wait)
{
        names_system = meet;
        asked = most = 0;
        waiting_for = wait;
        names_begin(wait < 0 ? 50 : 60000);
}

static void asked_together_and_once(void **state)
{
        AUTO_BUF(out);

        (void)state;
        begin(4); /* would wait for ever if one were asked after the other */
        assert_int_equal(lookup_ops->host("a", five, &out), 0);
        buf_putc(&out, 0);
        assert_string_equal(out.p, "10.0.0.1\n::a\n");
        assert_int_equal(asked, 4);
        out.n = 0;
        assert_int_equal(lookup_ops->host("c", five, &out), 0);
        assert_int_equal(lookup_ops->host("nx", five, &out), -ENOENT);
        assert_int_equal(asked, 4);
        names_end();
        assert_null(lookup_ops);
        begin(0); /* another load asks again */
        assert_int_equal(lookup_ops->host("c", NULL, &out), 0);
        assert_int_equal(asked, 1);
        names_end();
}

static void name_of(lookup_add_fn add, void *ctx)
{
        char name[16];

        for (int i = 0; i < 200; i++) {
                (void)snprintf(name, sizeof(name), "n%d", i);
                add(ctx, name);
        }
}

static void patience_ends(void **state)
{
        AUTO_BUF(out);

        (void)state;
        begin(-1); /* nobody answers */
        assert_int_equal(lookup_ops->host("n7", name_of, &out), -ETIMEDOUT);
        assert_int_equal(lookup_ops->host("n150", name_of, &out), -ETIMEDOUT);
        assert_int_equal(lookup_ops->host("new", NULL, &out), -ETIMEDOUT); /* nothing is left for this one */
        assert_true(asked <= (int)NAMES_AT_ONCE + 1);
        names_end();
        pthread_mutex_lock(&gate); /* late answers go nowhere, and their threads end */
        waiting_for = 0;
        pthread_cond_broadcast(&opened);
        pthread_mutex_unlock(&gate);
}

static void several_addresses(void **state)
{
        struct addr v[3];
        struct addr_net net;
        struct lookup_want w = { .family = AF_UNSPEC };

        (void)state;
        memset(v, 0, sizeof(v));
        v[0].in6 = (struct sockaddr_in6){ .sin6_family = AF_INET6 };
        v[1].in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000001) };
        v[2].in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0a80001) };
        assert_int_equal(lookup_choose(NULL, v, 3), 0); /* the system's order */
        assert_int_equal(lookup_choose(&w, v, 3), 0);
        w.prefer = AF_INET;
        assert_int_equal(lookup_choose(&w, v, 3), 1);
        assert_int_equal(lookup_choose(&w, v, 1), 0); /* only preferred */
        assert_true(addr_net_parse(STR("192.168.0.0/16"), &net));
        w.nets = &net;
        w.n_nets = 1;
        assert_int_equal(lookup_choose(&w, v, 3), 2);
        assert_int_equal(lookup_choose(&w, v, 2), 1);
        w.family = AF_INET6;
        assert_int_equal(lookup_choose(&w, v, 3), 0);
        assert_int_equal(lookup_choose(&w, v + 1, 2), UINT_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(asked_together_and_once), cmocka_unit_test(patience_ends),
                                            cmocka_unit_test(several_addresses) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
