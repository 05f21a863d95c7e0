/* The gates of mechanisms.md a that concern one process: what one server's change costs in a large farm, what equal servers share, and
 * that held sessions do not hold what was replaced. Times are printed, work is asserted. */
#include "core/cells.h"
#include "core/engine.h"
#include "core/inner.h"
#include "core/retire.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

static void farm_text(struct buf *b, unsigned n, const char *words)
{
        b->limit = 256u << 20;
        buf_puts(b, TIMES "backend farm\n");
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

#define CHANGES 2000

struct cost {
        unsigned views;      /* balance views built */
        unsigned long later; /* objects retired */
        uint64_t mean_ns, p99_ns;
};

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

static struct cost measure(unsigned n)
{
        uint64_t *t = calloc(CHANGES, sizeof(*t));
        unsigned long later;
        struct cost c = { 0 };
        struct conf *conf;
        struct back *b;
        AUTO_BUF(text);

        farm_text(&text, n, "");
        conf = load(buf_view(&text));
        start(conf);
        conf_put(conf);
        later = retire_waiting();
        b = back_find(STR("farm"));
        for (unsigned i = 0; i < CHANGES; i++) {
                const struct lb_view *was = b->view;
                uint64_t from = now_ns();

                one_change(b->srv[(size_t)i / 4 * 7919 % n], i);
                t[i] = now_ns() - from;
                c.mean_ns += t[i];
                c.views += b->view != was;
        }
        c.later = retire_waiting() - later;
        c.mean_ns /= CHANGES;
        qsort(t, CHANGES, sizeof(*t), by_value);
        c.p99_ns = t[CHANGES * 99 / 100];
        free(t);
        assert_int_equal(b->act, n);
        engine_free(engine);
        return c;
}

static void one_change_costs_the_same_everywhere(void **state)
{
        struct cost small = measure(1000), large = measure(100000);

        (void)state;
        print_message("one change: %u servers mean %u ns p99 %u ns; %u servers mean %u ns p99 %u ns\n", 1000,
                      (unsigned)small.mean_ns, (unsigned)small.p99_ns, 100000, (unsigned)large.mean_ns,
                      (unsigned)large.p99_ns);
        assert_true(large.views <= small.views); /* nothing of the size of the farm is built for one change */
        assert_true(large.views <= CHANGES / 100);
        assert_true(large.later <= small.later);
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_change_costs_the_same_everywhere),
                cmocka_unit_test(equal_servers_share),
                cmocka_unit_test(held_sessions_hold_no_more),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
