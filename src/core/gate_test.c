/* The gates of mechanisms.md a that concern one process: what one server's change costs in a large farm, what equal servers share, and
 * that held sessions do not hold what was replaced. Times are printed, work is asserted. */
#include "base/asan.h"
#include "core/cells.h"
#include "core/engine.h"
#include "core/inner.h"
#include "core/retire.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define TIMES "defaults\n    timeout client 9s\n    timeout server 9s\n    timeout connect 2s\n"

static struct engine *engine;

static uint64_t now_ns(void)
{
        return sys_kernel.mono();
}

static size_t rss_kib(void)
{
        unsigned long pages = 0, all = 0;
        FILE *f = fopen("/proc/self/statm", "re");

        assert_non_null(f);
        assert_int_equal(fscanf(f, "%lu %lu", &all, &pages), 2);
        (void)fclose(f);
        return pages * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

static const char *farm_policy = "roundrobin";

static void farm_text(struct buf *b, unsigned n, const char *words)
{
        b->limit = b->limit > 256u << 20 ? b->limit : 256u << 20;
        buf_printf(b, TIMES "    balance %s\nbackend farm\n", farm_policy);
        for (unsigned i = 0; i < n; i++)
                buf_printf(b, "    server s%u 10.%u.%u.%u:80%s\n", i, i >> 16 & 255, i >> 8 & 255, i & 255, words);
        buf_puts(b, "backend small\n    server a 127.0.0.1:1\n");
}

static struct conf *load(struct str text)
{
        static const char *const files[] = { "t.cfg" };
        struct conf_opts o = { .version = "3.4.0" };
        struct vfs *v = vfs_new_memory();
        struct diags d;
        struct conf *c;

        diags_init(&d);
        vfs_add(v, VFS_CONFIG, "t.cfg", text);
        c = conf_load(v, files, 1, &o, &d);
        assert_non_null(c);
        diags_fini(&d);
        vfs_free(v);
        return c;
}

static void apply(struct conf *c)
{
        struct diags d;
        AUTO_BUF(diff);

        diags_init(&d);
        assert_true(engine_apply(engine, c, NULL, &diff, &d));
        diags_fini(&d);
        (void)cells_reap();
}

static void start(struct conf *c)
{
        struct engine_opts o = { .threads = 2 };

        assert_int_equal(engine_new(c, &o, &engine), 0);
        apply(c);
}

static int by_value(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

#define ROUNDS 41
#define ROUND  100

struct cost {
        unsigned views;      /* balance views built */
        unsigned long later; /* objects retired */
        size_t heap;         /* bytes that the changes left allocated */
        long faults;         /* pages that they touched first */
        unsigned next;
        uint64_t ns[ROUNDS * ROUND], mean_ns[ROUNDS];
};

static long page_faults(void)
{
        struct rusage u;

        assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
        return u.ru_minflt;
}

static void one_change(struct server *s, unsigned i)
{
        static const struct state_cause why = { .duration_ms = -1 };

        switch (i % 4) {
        case 0: server_set_weight(s, 2 + i % 100); break;
        case 1: server_set_admin(s, SRV_ADM_FDRAIN, 0, &why); break;
        case 2: server_set_admin(s, 0, SRV_ADM_FDRAIN, &why); break;
        default: server_set_weight(s, 1); break;
        }
}

static void one_round(struct back *b, struct cost *c, unsigned round)
{
        unsigned long later = retire_waiting();
        size_t heap = mallinfo2().uordblks;
        long faults = page_faults();
        uint64_t sum = 0;

        for (unsigned k = 0; k < ROUND; k++, c->next++) {
                struct server *s = b->srv[(size_t)c->next / 4 * 7919 % b->n_srv];
                const struct lb_view *was = b->view;
                uint64_t from = now_ns();

                one_change(s, c->next);
                sum += c->ns[c->next] = now_ns() - from;
                c->views += b->view != was;
        }
        c->mean_ns[round] = sum / ROUND;
        c->faults += page_faults() - faults;
        c->heap += mallinfo2().uordblks - heap;
        c->later += retire_waiting() - later;
}

static uint64_t at_permille(uint64_t *v, unsigned n, unsigned permille)
{
        qsort(v, n, sizeof(*v), by_value);
        return v[(size_t)n * permille / 1000];
}

/* What the next stream pays after any number of changes. */
static void map_is_made_once(const char *policy)
{
        struct back *b = back_find(STR("farm"));
        struct server *s, *wait = NULL;
        uint64_t from;

        for (unsigned i = 0; i < 100; i++)
                one_change(b->srv[i * 911], 1); /* drained */
        from = now_ns();
        s = lb_take(b, NULL, NULL, &wait);
        print_message("%s, the pick after 100 changes: %u us\n", policy, (unsigned)((now_ns() - from) / 1000));
        assert_non_null(s);
        slot_release(s);
        for (unsigned i = 0; i < 100; i++)
                one_change(b->srv[i * 911], 2);
}

/* Both farms live in one process and take turns: what other programs do to the CPU and its caches hits both. The figures are medians of
 * rounds, so a round in which the CPU was somebody else's does not count. Asserted is what does not depend on the clock. */
static void compare_sizes(const char *policy)
{
        static struct cost small, large; /* static: touched before they are measured */
        static uint64_t ratio[ROUNDS];
        struct conf *conf;
        AUTO_BUF(text);

        text.limit = 512u << 20;
        farm_policy = policy;
        farm_text(&text, 100000, "");
        buf_puts(&text, "backend thousand\n");
        for (unsigned i = 0; i < 1000; i++)
                buf_printf(&text, "    server s%u 10.9.%u.%u:80\n", i, i >> 8 & 255, i & 255);
        conf = load(buf_view(&text));
        start(conf);
        conf_put(conf);
        memset(&small, 0, sizeof(small));
        memset(&large, 0, sizeof(large));
        memset(&small.ns, 1, sizeof(small.ns));
        memset(&large.ns, 1, sizeof(large.ns));
        for (unsigned r = 0; r < ROUNDS; r++) {
                one_round(back_find(STR("thousand")), &small, r);
                one_round(back_find(STR("farm")), &large, r);
                ratio[r] = large.mean_ns[r] * 100 / small.mean_ns[r];
        }
        print_message(
                "%s, one change: 1000 servers mean %u ns p99 %u ns; 100000 servers mean %u ns p99 %u ns; ratio %u %%\n",
                policy, (unsigned)at_permille(small.mean_ns, ROUNDS, 500),
                (unsigned)at_permille(small.ns, ROUNDS * ROUND, 990), (unsigned)at_permille(large.mean_ns, ROUNDS, 500),
                (unsigned)at_permille(large.ns, ROUNDS * ROUND, 990), (unsigned)at_permille(ratio, ROUNDS, 500));
        assert_true(large.views <= small.views); /* nothing of the size of the farm is built for one change */
        assert_true(large.views <= ROUNDS * ROUND / 100);
        assert_true(large.later <= small.later + small.later / 20); /* a bucket of a circle may have been empty */
        assert_true(large.heap <= small.heap + small.heap / 10);
        /* ASan's shadow of what is touched comes page by page, and a larger farm has more of it. */
        assert_true(ASAN_ON || large.faults <= small.faults + small.faults / 5 + 2);
        map_is_made_once(policy);
        assert_int_equal(back_find(STR("farm"))->act, 100000);
        engine_free(engine);
}

static void one_change_costs_the_same_everywhere(void **state)
{
        (void)state;
        compare_sizes("roundrobin");
        compare_sizes("leastconn");
        compare_sizes("source");
        compare_sizes("source\n    hash-type consistent");
        farm_policy = "roundrobin";
}

static void equal_servers_share(void **state)
{
        uint64_t from = now_ns(), loaded;
        struct conf *c;
        AUTO_BUF(text);

        (void)state;
        farm_text(&text, 100000, " weight 10 maxconn 100");
        c = load(buf_view(&text));
        buf_fini(&text);
        loaded = now_ns();
        assert_true(conf_n_slots(c, server_slot) <= 3); /* built-in, one for all of the farm, one for the other */
        start(c);
        print_message("100000 servers: load %u ms, apply %u ms, conf %zu KiB, RSS %zu KiB, struct server %zu bytes\n",
                      (unsigned)((loaded - from) / 1000000), (unsigned)((now_ns() - loaded) / 1000000),
                      conf_memory(c) / 1024, rss_kib(), sizeof(struct server));
        assert_true(sizeof(struct server) <= 512);
        conf_put(c);
        engine_free(engine);
}

/* The control loop's share: mail that came back, then what may be freed. */
static void settle(void)
{
        for (unsigned i = 0; i < 50; i++) {
                loop_turn(engine_control_loop(engine), false);
                (void)engine_reap();
                usleep(200);
        }
}

static void reload(const struct buf *text)
{
        struct conf *c = load(buf_view(text));

        apply(c);
        conf_put(c);
        settle();
}

#define HELD 1000u

/* Sessions hold the cfgs and servers of the time they began; thousands of changes later that must still be all that is held. */
static void held_sessions_hold_no_more(void **state)
{
        struct server *srv[HELD];
        struct back_cfg *held;
        size_t base = 0, end;
        struct back *farm;
        AUTO_BUF(a);
        AUTO_BUF(b);

        (void)state;
        farm_text(&a, 500, "");
        farm_text(&b, 499, " weight 3");
        {
                struct conf *c = load(buf_view(&a));
                start(c);
                conf_put(c);
        }
        assert_int_equal(engine_start(engine), 0);
        farm = back_find(STR("farm"));
        held = epoch_load(&farm->cfg);
        for (unsigned i = 0; i < HELD; i++) {
                srv[i] = farm->srv[i % 500];
                pin(&held->pins);
                pin(&srv[i]->pins);
        }
        for (unsigned i = 0; i < 10000; i++) {
                one_change(farm->srv[i % farm->n_srv], i);
                if (i % 50 == 49) /* a reload in between: another farm, then the first one again */
                        reload(i % 100 == 99 ? &a : &b);
                if (i == 999)
                        base = mallinfo2().uordblks;
        }
        end = mallinfo2().uordblks;
        print_message("10000 changes, 200 reloads, 1000 held sessions: heap %zu -> %zu KiB\n", base / 1024, end / 1024);
        assert_true(end <= base + base / 20);
        assert_ptr_not_equal(held->conf, world.conf); /* it is the first one that they hold */
        assert_int_equal(pins_waiting(), 2);          /* that cfg, and the one server that left meanwhile */
        for (unsigned i = 0; i < HELD; i++) {
                unpin(&held->pins);
                unpin(&srv[i]->pins);
        }
        settle();
        assert_int_equal(pins_waiting(), 0);
        engine_stop(engine);
        engine_free(engine);
}

/* A thousand backends that a reload takes out are gone after a few rounds, not one a round. */
static void backends_leave_together(void **state)
{
        AUTO_BUF(text);
        AUTO_BUF(none);

        (void)state;
        buf_puts(&text, TIMES);
        for (unsigned i = 0; i < 2000; i++)
                buf_printf(&text, "backend b%u\n", i);
        farm_text(&none, 1, "");
        {
                struct conf *c = load(buf_view(&text));
                start(c);
                conf_put(c);
        }
        assert_int_equal(engine_start(engine), 0);
        reload(&none);
        assert_int_equal(pins_waiting(), 0);
        reload(&text);
        engine_stop(engine);
        engine_free(engine); /* aborts when something is left after its last rounds */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_change_costs_the_same_everywhere),
                cmocka_unit_test(equal_servers_share),
                cmocka_unit_test(held_sessions_hold_no_more),
                cmocka_unit_test(backends_leave_together),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
