/* The policies beside round robin: maps against a model of their definition, circles against one, orders by load, over real threads. */
#include "core/lb_int.h"

#include "base/epoch.h"
#include "core/lb_hash.h"
#include "core/retire.h"
#include "core/strm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static struct back be;
static struct server *farm;
static struct thr *thr;
static struct lb_cfg cfg;
static struct back_cfg bcfg = { .lb = &cfg };
static struct server_cfg by_id, by_addr = { .hash_key = LB_KEY_ADDR };

/* Streams that wait are no part of this test. */
__attribute__((weak)) void strm_grant(struct strm *s, uint64_t generation, struct server *srv)
{
        (void)s;
        (void)generation;
        (void)srv;
}

static bool key_is_id(const struct lb_cfg *c, struct strm *s, uint32_t *ret_hash)
{
        (void)c;
        *ret_hash = (uint32_t)s->id;
        return s->id != UINT64_MAX;
}

static void farm_new(uint32_t n, struct lb_cfg how)
{
        thr = thr_new(0, &sys_kernel, 4096);
        thr_self = thr;
        cfg = how;
        be = (struct back){ .n_srv = n, .srv = calloc(n, sizeof(*be.srv)) };
        atomic_init(&be.cfg, &bcfg);
        pthread_mutex_init(&be.lock, NULL);
        farm = calloc(n, sizeof(*farm));
        for (uint32_t i = 0; i < n; i++) {
                be.srv[i] = &farm[i];
                farm[i].back = &be;
                farm[i].pos = i;
                farm[i].puid = (int)i + 1;
                farm[i].cfg = &by_id;
                farm[i].queue = queue_new();
                atomic_init(&farm[i].weight, 1);
                atomic_init(&farm[i].iweight, 1);
                atomic_init(&farm[i].usable, 1);
        }
}

static void farm_free(void)
{
        lb_free(&be);
        for (uint32_t i = 0; i < be.n_srv; i++)
                queue_free(farm[i].queue);
        free(be.srv);
        free(farm);
        pthread_mutex_destroy(&be.lock);
        retire_run();
        thr_free(thr);
        assert_int_equal(retire_waiting(), 0);
}

static void weigh(uint32_t i, uint32_t w)
{
        atomic_store(&farm[i].weight, w);
        atomic_store(&farm[i].iweight, w);
}

static struct server *wait_at;

static uint32_t pick(uint64_t key, const struct server *avoid)
{
        struct strm s = { .bcfg = &bcfg, .id = key };
        struct server *srv;

        wait_at = NULL;
        srv = lb_take(&be, &s, avoid, &wait_at);
        return srv ? (uint32_t)(srv - farm) : UINT32_MAX;
}

static void leave(uint32_t i)
{
        slot_release(&farm[i]);
}

static uint32_t pick_and_leave(uint64_t key)
{
        uint32_t i = pick(key, NULL);

        assert_int_not_equal(i, UINT32_MAX);
        leave(i);
        return i;
}

static uint64_t seed = 7;

static uint32_t rnd(uint32_t n)
{
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        return (uint32_t)(seed >> 33) % n;
}

/* ---- hashes: published test values ---- */

static void test_hashes(void **st)
{
        (void)st;
        assert_int_equal(lb_crc32(STR("123456789")), 0xcbf43926); /* the check value of the CRC catalogue */
        assert_int_equal(lb_djb2(STR("")), 5381);
        assert_int_equal(lb_djb2(STR("a")), 5381 * 33 + 'a');
        assert_int_equal(lb_sdbm(STR("ab")), 'a' * 65599 + 'b');
        assert_int_equal(lb_avalanche(0), 0xab4ed927); /* these three: HAProxy's `sdbm(1)` */
        assert_int_equal(lb_avalanche(1), 0x348681b6);
        assert_int_equal(lb_avalanche(0x28d19932), 0x7ae088a6);
        assert_int_equal(lb_number(STR(" 12abc")), 12);
        assert_int_equal(lb_number(STR("-1")), UINT32_MAX);
        assert_int_equal(lb_number(STR("12345678901")), (uint32_t)12345678901);
        assert_int_equal(lb_number(STR("99999999999999999999")), UINT32_MAX);
        assert_int_equal(lb_number(STR("-99999999999999999999")), 0);
        assert_int_equal(lb_number(STR("x")), 0);
}

/* ---- keys ---- */

static void part(struct lb_cfg c, const char *target, const char *want)
{
        struct str s = lb_uri_part(&c, str_of(target));

        if (!str_is(s, want))
                fail_msg("%s gives %.*s, not %s", target, (int)s.n, s.p, want);
}

static void test_uri_parts(void **st)
{
        (void)st;
        part((struct lb_cfg){ 0 }, "/a/b?c=d", "/a/b");
        part((struct lb_cfg){ .whole = true }, "/a/b?c=d", "/a/b?c=d");
        part((struct lb_cfg){ .len = 3 }, "/a/b?c=d", "/a/");
        part((struct lb_cfg){ .depth = 1 }, "/a/b/c", "/a");
        part((struct lb_cfg){ .depth = 2 }, "/a/b/c", "/a/b");
        part((struct lb_cfg){ .depth = 2, .len = 3 }, "/a/b/c", "/a/");
        part((struct lb_cfg){ .path_only = true }, "http://host.x/a/b?c", "/a/b");
        part((struct lb_cfg){ 0 }, "http://host.x/a", "http://host.x/a");
        part((struct lb_cfg){ 0 }, "*", "*");
        part((struct lb_cfg){ .depth = 2 }, "", "");
}

static void param(const char *target, const char *name, const char *want)
{
        struct str v = { NULL, 0 };
        bool found = lb_url_param(str_of(target), str_of(name), &v);

        assert_int_equal(found, want != NULL);
        if (want)
                assert_true(str_is(v, want));
}

static void test_url_params(void **st)
{
        (void)st;
        param("/?k=v", "k", "v");
        param("/?a=1&k=v&b", "k", "v");
        param("/?ak=1&k=v", "k", "v");
        param("/?k=v;x=1", "k", "v;x=1");
        param("/?k=", "k", "");
        param("/?k=v&k=w", "k", "v");
        param("/?K=v", "k", NULL);
        param("/?k", "k", NULL);
        param("/?a=k=v", "k", NULL);
        param("/?x?k=v", "k", NULL);
        param("/k=v", "k", NULL);
        param("", "k", NULL);
        param("/?", "k", NULL);
}

static void domain(const char *host, const char *want)
{
        assert_true(str_is(lb_domain(str_of(host)), want));
}

static void test_domains(void **st)
{
        (void)st;
        domain("haproxy.1wt.eu", "1wt"); /* the manual's example */
        domain("www.example.com", "example");
        domain("example.com", "example");
        domain("localhost", "localhost");
        domain("a.b.co.uk:80", "co");
        domain("10.1.2.3", "2");
        domain("a.", "a");
        domain(".a", ".a");
        domain(".a.b", "a");
        domain("..b", ".");
        domain("a..b", "a.");
        domain("x.a..b", "a.");
        domain(".", ".");
        domain("", "");
        assert_true(str_is(lb_first_value(STR(" x , y")), "x"));
        assert_true(str_is(lb_first_value(STR(",y")), ""));
}

/* ---- maps ---- */

/* The definition, slowly: who is owed most goes. */
static void model_map(const uint32_t *w, uint32_t n, uint32_t sum, uint32_t *ret_map)
{
        uint32_t *had = calloc(n + 1u, sizeof(*had));

        for (uint32_t step = 0; step < sum; step++) {
                int64_t most = INT64_MIN;
                uint32_t best = 0;
                for (uint32_t i = 0; i < n; i++) {
                        int64_t owed = (int64_t)(((uint64_t)step + 1) * w[i] / sum) - had[i];
                        if (w[i] && owed > most) {
                                most = owed;
                                best = i;
                        }
                }
                had[best]++;
                ret_map[step] = best;
        }
        free(had);
}

static void compare_map(const uint32_t *w, uint32_t n)
{
        uint32_t sum = 0, *map;

        for (uint32_t i = 0; i < n; i++)
                sum += w[i];
        map = calloc(sum + 1u, sizeof(*map));
        model_map(w, n, sum, map);
        for (uint32_t i = 0; i < sum; i++)
                assert_int_equal(pick_and_leave(i), map[i]);
        if (sum)
                assert_int_equal(pick_and_leave(UINT32_MAX), map[UINT32_MAX % sum]);
        free(map);
}

static void test_map_order(void **st)
{
        static const uint32_t haproxy[] = { 0, 1, 3, 1, 3, 0, 1, 3, 2, 3, 1, 0, 3, 1, 3, 2, 3 }; /* measured: 3 5 2 7 */
        static const uint32_t w[4] = { 3, 5, 2, 7 };

        (void)st;
        farm_new(4, (struct lb_cfg){ .kind = BAL_HASH, .key = key_is_id });
        for (uint32_t i = 0; i < 4; i++)
                weigh(i, w[i]);
        lb_update(&be, NULL);
        for (uint32_t i = 0; i < array_len(haproxy); i++)
                assert_int_equal(pick_and_leave(i), haproxy[i]);
        compare_map(w, 4);
        farm_free();
}

static void test_maps_against_the_definition(void **st)
{
        uint32_t w[90];

        (void)st;
        for (int round = 0; round < 40; round++) {
                uint32_t n = 1 + rnd(90), top = round % 4 == 0 ? 256 : 1 + rnd(20);
                farm_new(n, (struct lb_cfg){ .kind = BAL_HASH, .key = key_is_id });
                for (uint32_t i = 0; i < n; i++)
                        weigh(i, w[i] = 1 + rnd(top));
                lb_update(&be, NULL);
                compare_map(w, n);
                for (int k = 0; k < 5 && n > 1; k++) {
                        uint32_t i = rnd(n - 1) + 1;
                        atomic_store(&farm[i].usable, !farm[i].usable);
                        w[i] = farm[i].usable ? farm[i].iweight : 0;
                        lb_update(&be, &farm[i]);
                }
                compare_map(w, n);
                farm_free();
        }
}

/* manual, static-rr: a weight changed on the fly has no effect; none at all has. */
static void test_static_weights(void **st)
{
        static const uint32_t turns[] = { 0, 2, 1, 2, 1, 2, 2 };

        (void)st;
        farm_new(3, (struct lb_cfg){ .kind = BAL_STATIC_RR });
        weigh(1, 2);
        weigh(2, 4);
        lb_update(&be, NULL);
        for (int i = 0; i < 21; i++)
                assert_int_equal(pick_and_leave(0), turns[i % 7]);
        atomic_store(&farm[0].weight, 100);
        lb_update(&be, &farm[0]);
        for (int i = 0; i < 7; i++)
                assert_int_equal(pick_and_leave(0), turns[i]);
        atomic_store(&farm[2].weight, 0);
        lb_update(&be, &farm[2]);
        for (int i = 0; i < 20; i++)
                assert_int_not_equal(pick_and_leave(0), 2);
        farm_free();
}

/* A key whose server is full waits there, and goes to no other one. */
static void test_key_waits_for_its_server(void **st)
{
        for (int ring = 0; ring < 2; ring++) {
                (void)st;
                farm_new(3, (struct lb_cfg){ .kind = BAL_HASH,
                                             .key = key_is_id,
                                             .type = ring ? LB_CONSISTENT : LB_MAP_BASED,
                                             .type_said = true });
                for (uint32_t i = 0; i < 3; i++)
                        atomic_store(&farm[i].maxconn, 1);
                lb_update(&be, NULL);
                uint32_t first = pick(1, NULL);
                assert_true(first < 3);
                assert_int_equal(pick(1, NULL), UINT32_MAX);
                assert_ptr_equal(wait_at, &farm[first]);
                leave(first);
                assert_int_equal(pick(1, NULL), first);
                leave(first);
                /* without a key: in turns, to whoever has room, and if nobody has, to the common queue */
                for (int i = 0; i < 3; i++)
                        assert_int_not_equal(pick(UINT64_MAX, NULL), UINT32_MAX);
                assert_int_equal(pick(UINT64_MAX, NULL), UINT32_MAX);
                assert_null(wait_at);
                for (uint32_t i = 0; i < 3; i++)
                        leave(i);
                farm_free();
        }
}

/* ---- circles ---- */

static uint32_t model_ring(uint32_t n, uint32_t h)
{
        uint64_t best = UINT64_MAX;
        uint32_t found = UINT32_MAX;

        for (uint32_t i = 0; i < n; i++)
                for (uint32_t k = 0; farm[i].usable && k < farm[i].weight * 16; k++) {
                        uint32_t base = farm[i].cfg == &by_id ? (uint32_t)farm[i].puid * 4096
                                                              : lb_avalanche(farm[i].addr.in.sin_addr.s_addr);
                        uint32_t at = lb_avalanche(base + k);
                        uint64_t behind = h - 1 - at, ahead = at - h; /* modulo 2^32, in 32 bits */
                        uint64_t away = (uint32_t)behind + (uint64_t)1 <= (uint32_t)ahead
                                                ? (uint64_t)(uint32_t)behind + 1
                                                : (uint32_t)ahead;
                        if (away < best) {
                                best = away;
                                found = i;
                        }
                }
        return found;
}

static void test_ring_against_the_definition(void **st)
{
        (void)st;
        for (int round = 0; round < 12; round++) {
                uint32_t n = round ? 1 + rnd(40) : 300;
                farm_new(n, (struct lb_cfg){
                                    .kind = BAL_HASH, .key = key_is_id, .type = LB_CONSISTENT, .type_said = true });
                for (uint32_t i = 0; i < n; i++) {
                        weigh(i, 1 + rnd(5));
                        farm[i].puid = (int)(1 + i * 3);
                        if (rnd(4) == 0) {
                                farm[i].cfg = &by_addr;
                                farm[i].addr.in.sin_family = AF_INET;
                                farm[i].addr.in.sin_addr.s_addr = rnd(UINT32_MAX);
                        }
                }
                lb_update(&be, NULL);
                for (int k = 0; k < 60; k++) {
                        uint32_t i = rnd(n), h = rnd(1 << 16) << 16 | rnd(1 << 16);
                        if (n > 1 && i > 0 && k % 3 == 0) {
                                atomic_store(&farm[i].usable, !farm[i].usable);
                                lb_update(&be, &farm[i]);
                        } else if (k % 3 == 1) {
                                atomic_store(&farm[i].weight, 1 + rnd(20));
                                lb_update(&be, &farm[i]);
                        } else if (farm[i].cfg == &by_addr) {
                                farm[i].addr.in.sin_addr.s_addr = rnd(UINT32_MAX);
                                lb_update(&be, &farm[i]);
                        }
                        assert_int_equal(pick_and_leave(h), model_ring(n, h));
                }
                farm_free();
        }
}

/* manual: when a server goes, only its keys move; the next one on the circle takes those that it refuses. */
static void test_ring_moves_few_keys(void **st)
{
        uint32_t was[2000], moved = 0;

        (void)st;
        farm_new(10, (struct lb_cfg){ .kind = BAL_HASH, .key = key_is_id, .type = LB_CONSISTENT, .type_said = true });
        lb_update(&be, NULL);
        for (uint32_t i = 0; i < 2000; i++)
                was[i] = pick_and_leave(lb_avalanche(i));
        for (uint32_t i = 0; i < 2000; i++)
                if (was[i] == 4) {
                        uint32_t other = pick(lb_avalanche(i), &farm[4]);
                        assert_int_not_equal(other, 4);
                        leave(other);
                        assert_int_equal(pick(lb_avalanche(i), &farm[4]), other); /* again the same */
                        leave(other);
                }
        atomic_store(&farm[4].usable, 0);
        lb_update(&be, &farm[4]);
        for (uint32_t i = 0; i < 2000; i++) {
                uint32_t now = pick_and_leave(lb_avalanche(i));
                assert_true(was[i] == 4 || now == was[i]);
                moved += now != was[i];
        }
        assert_in_range(moved, 50, 500);
        farm_free();
}

/* hash-balance-factor: the sequences that HAProxy 2.6 and 3.4 show for one key (servers 2 and 3 are the nearest ones). */
static void test_balance_factor(void **st)
{
        static const struct {
                int factor;
                uint8_t load[3]; /* after 9 streams of one key, in the order of the circle from it */
        } cases[] = { { 101, { 3, 3, 3 } }, { 150, { 5, 4, 0 } }, { 200, { 6, 3, 0 } }, { 300, { 9, 0, 0 } } };

        (void)st;
        for (size_t c = 0; c < array_len(cases); c++) {
                uint32_t order[3] = { 0 }, n = 0, load[3] = { 0 };
                farm_new(3, (struct lb_cfg){ .kind = BAL_HASH,
                                             .key = key_is_id,
                                             .type = LB_CONSISTENT,
                                             .type_said = true,
                                             .factor = cases[c].factor });
                lb_update(&be, NULL);
                for (uint32_t i = 0; i < 9; i++) {
                        atomic_store(&be.cur, i + 1);
                        uint32_t s = pick(0x7f000001, NULL);
                        assert_true(s < 3);
                        if (load[s]++ == 0)
                                order[n++] = s;
                }
                for (uint32_t i = 0; i < 3; i++)
                        assert_int_equal(i < n ? load[order[i]] : 0, cases[c].load[i]);
                farm_free();
        }
}

static void test_affinity(void **st)
{
        uint32_t first;

        (void)st;
        farm_new(3, (struct lb_cfg){ .kind = BAL_HASH,
                                     .key = key_is_id,
                                     .type = LB_CONSISTENT,
                                     .type_said = true,
                                     .affinity = LB_AFFINITY_MAXCONN });
        for (uint32_t i = 0; i < 3; i++)
                atomic_store(&farm[i].maxconn, 1);
        lb_update(&be, NULL);
        first = pick(5, NULL);
        assert_int_not_equal(pick(5, NULL), UINT32_MAX);
        assert_int_not_equal(pick(5, NULL), UINT32_MAX);
        assert_int_equal(pick(5, NULL), UINT32_MAX); /* all are full: it waits at one of them */
        assert_non_null(wait_at);
        leave(first);
        assert_int_equal(pick(5, NULL), first);
        farm_free();
}

/* ---- backups ---- */

static void test_backups(void **st)
{
        static const int kinds[] = { BAL_ROUNDROBIN, BAL_STATIC_RR, BAL_LEASTCONN, BAL_FIRST, BAL_HASH };

        (void)st;
        for (size_t k = 0; k < array_len(kinds); k++)
                for (int all = 0; all < 2; all++) {
                        unsigned seen = 0;
                        farm_new(4, (struct lb_cfg){ .kind = kinds[k],
                                                     .key = kinds[k] == BAL_HASH ? key_is_id : NULL,
                                                     .allbackups = all });
                        farm[2].backup = farm[3].backup = true;
                        lb_update(&be, NULL);
                        for (uint32_t i = 0; i < 20; i++)
                                assert_true(pick_and_leave(i) < 2);
                        for (uint32_t i = 0; i < 2; i++) {
                                atomic_store(&farm[i].usable, 0);
                                lb_update(&be, &farm[i]);
                        }
                        for (uint32_t i = 0; i < 20; i++)
                                seen |= 1u << pick_and_leave(i);
                        assert_int_equal(seen, all && kinds[k] != BAL_FIRST ? 12 : 4);
                        atomic_store(&farm[2].usable, 0);
                        lb_update(&be, &farm[2]);
                        assert_int_equal(pick_and_leave(0), 3);
                        atomic_store(&farm[1].usable, 1);
                        lb_update(&be, &farm[1]);
                        assert_int_equal(pick_and_leave(0), 1);
                        farm_free();
                }
}

/* ---- by load ---- */

/* Measured: HAProxy 2.6, weights 1 2 4, ten connections that stay. */
static void test_leastconn_order(void **st)
{
        static const uint32_t haproxy[] = { 0, 1, 2, 2, 2, 1, 2, 2, 1, 2 };

        (void)st;
        farm_new(3, (struct lb_cfg){ .kind = BAL_LEASTCONN });
        weigh(1, 2);
        weigh(2, 4);
        lb_update(&be, NULL);
        for (size_t i = 0; i < array_len(haproxy); i++)
                assert_int_equal(pick(0, NULL), haproxy[i]);
        farm_free();
}

static void test_leastconn_idle_servers_take_turns(void **st)
{
        (void)st;
        farm_new(4, (struct lb_cfg){ .kind = BAL_LEASTCONN });
        lb_update(&be, NULL);
        for (uint32_t i = 0; i < 40; i++)
                assert_int_equal(pick_and_leave(0), i % 4);
        assert_int_equal(pick(0, NULL), 0);
        assert_int_equal(pick(0, &farm[1]), 2); /* not the one to avoid */
        atomic_store(&farm[3].usable, 0);
        lb_update(&be, &farm[3]);
        assert_int_equal(pick(0, NULL), 1);
        farm_free();
}

static void test_first_fills_by_id(void **st)
{
        static const uint32_t want[] = { 2, 2, 1, 1, 0, 0 };

        (void)st;
        farm_new(3, (struct lb_cfg){ .kind = BAL_FIRST });
        for (uint32_t i = 0; i < 3; i++) {
                atomic_store(&farm[i].maxconn, 2);
                farm[i].puid = (int)(30 - i * 10);
        }
        lb_update(&be, NULL);
        for (size_t i = 0; i < array_len(want); i++)
                assert_int_equal(pick(0, NULL), want[i]);
        assert_int_equal(pick(0, NULL), UINT32_MAX);
        assert_null(wait_at);
        leave(1);
        assert_int_equal(pick(0, NULL), 1);
        atomic_store(&farm[2].maxconn, 3); /* raised at run time */
        slot_fill(&farm[2]);
        assert_int_equal(pick(0, NULL), 2);
        farm_free();
}

/* Whatever happens, the least loaded server is the one that gets the next: a model looks at all of them. */
static void test_leastconn_against_the_definition(void **st)
{
        static uint32_t held[4000];
        uint32_t n = 0;

        (void)st;
        farm_new(50, (struct lb_cfg){ .kind = BAL_LEASTCONN });
        for (uint32_t i = 0; i < 50; i++)
                weigh(i, 1 + rnd(8));
        lb_update(&be, NULL);
        for (int k = 0; k < 20000; k++) {
                uint32_t i = rnd(50);
                if (k % 50 == 0 && i > 0) {
                        atomic_store(&farm[i].usable, !farm[i].usable);
                        lb_update(&be, &farm[i]);
                } else if (n > 0 && (n == array_len(held) || rnd(100) < 49)) {
                        uint32_t at = rnd(n);
                        leave(held[at]);
                        held[at] = held[--n];
                } else {
                        uint64_t best = UINT64_MAX, got;
                        for (uint32_t s = 0; s < 50; s++) {
                                uint64_t load = farm[s].cur ? (uint64_t)(farm[s].cur + 1) * 256 / farm[s].weight : 0;
                                best = farm[s].usable && load < best ? load : best;
                        }
                        i = pick(0, NULL);
                        got = farm[i].cur - 1 ? (uint64_t)farm[i].cur * 256 / farm[i].weight : 0;
                        assert_int_equal(got, best);
                        held[n++] = i;
                }
        }
        while (n > 0)
                leave(held[--n]);
        farm_free();
}

/* ---- threads ---- */

#define THREADS 4
#define ROUNDS  20000

static atomic_uint most;

static void *come_and_go(void *arg)
{
        struct thr *me = thr_new((unsigned)(uintptr_t)arg, &sys_kernel, 4096);
        uint32_t held[8], n = 0;

        thr_self = me;
        for (int i = 0; i < ROUNDS; i++) {
                if (n == 8 || (n && i % 3 == 0)) {
                        leave(held[--n]);
                } else {
                        uint32_t s = pick((uint64_t)i * 2654435761u & UINT32_MAX, NULL);
                        if (s != UINT32_MAX) {
                                unsigned c = farm[s].cur, m = atomic_load(&most);
                                while (c > m && !atomic_compare_exchange_weak(&most, &m, c))
                                        ;
                                held[n++] = s;
                        }
                }
        }
        while (n)
                leave(held[--n]);
        thr_free(me);
        return NULL;
}

static void run_threads(bool edits)
{
        pthread_t t[THREADS];
        struct thr *me = thr_self;

        for (uintptr_t i = 0; i < THREADS; i++)
                assert_int_equal(pthread_create(&t[i], NULL, come_and_go, (void *)(i + 1)), 0);
        for (int i = 0; edits && i < 3000; i++) {
                uint32_t s = 1 + (uint32_t)i % (be.n_srv - 1);
                pthread_mutex_lock(&be.lock);
                atomic_store(&farm[s].usable, !farm[s].usable);
                lb_update(&be, &farm[s]);
                pthread_mutex_unlock(&be.lock);
        }
        for (int i = 0; i < THREADS; i++)
                assert_int_equal(pthread_join(t[i], NULL), 0);
        thr_self = me;
        for (uint32_t i = 0; i < be.n_srv; i++)
                assert_int_equal(farm[i].cur, 0);
}

/* 4 threads hold at most 8 each: over 16 servers never more than 2 on one. */
static void test_leastconn_is_exact_over_threads(void **st)
{
        (void)st;
        farm_new(16, (struct lb_cfg){ .kind = BAL_LEASTCONN });
        lb_update(&be, NULL);
        atomic_store(&most, 0);
        run_threads(false);
        assert_in_range(most, 1, 2);
        farm_free();
}

static void test_policies_are_edited_under_load(void **st)
{
        static const int kinds[] = { BAL_LEASTCONN, BAL_FIRST, BAL_STATIC_RR, BAL_HASH, BAL_HASH };

        (void)st;
        for (size_t k = 0; k < array_len(kinds); k++) {
                farm_new(20, (struct lb_cfg){ .kind = kinds[k],
                                              .key = kinds[k] == BAL_HASH ? key_is_id : NULL,
                                              .type = k == 4 ? LB_CONSISTENT : LB_MAP_BASED,
                                              .type_said = true,
                                              .factor = k == 4 ? 150 : 0 });
                for (uint32_t i = 0; i < 20; i++) {
                        weigh(i, 1 + i % 5);
                        atomic_store(&farm[i].maxconn, 3);
                }
                lb_update(&be, NULL);
                run_threads(true);
                farm_free();
        }
}

/* The policy changes under way, as a reload does: nothing of the old one is left. */
static void test_policies_follow_each_other(void **st)
{
        static const int kinds[] = { BAL_LEASTCONN, BAL_ROUNDROBIN, BAL_HASH, BAL_FIRST, BAL_STATIC_RR, BAL_LEASTCONN };
        static struct lb_cfg each[array_len(kinds)];
        uint32_t on;

        (void)st;
        farm_new(3, (struct lb_cfg){ .kind = BAL_ROUNDROBIN });
        lb_update(&be, NULL);
        on = pick(0, NULL);
        for (size_t k = 0; k < array_len(kinds); k++) {
                each[k] = (struct lb_cfg){ .kind = kinds[k], .key = kinds[k] == BAL_HASH ? key_is_id : NULL };
                bcfg.lb = &each[k];
                lb_update(&be, NULL);
                assert_true(pick_and_leave(k) < 3);
                for (uint32_t i = 0; i < 3; i++)
                        assert_true(farm[i].lb_seat == 0 || kinds[k] == BAL_LEASTCONN || kinds[k] == BAL_FIRST);
        }
        leave(on);
        bcfg.lb = &cfg;
        farm_free();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hashes),
                cmocka_unit_test(test_uri_parts),
                cmocka_unit_test(test_url_params),
                cmocka_unit_test(test_domains),
                cmocka_unit_test(test_map_order),
                cmocka_unit_test(test_maps_against_the_definition),
                cmocka_unit_test(test_static_weights),
                cmocka_unit_test(test_key_waits_for_its_server),
                cmocka_unit_test(test_ring_against_the_definition),
                cmocka_unit_test(test_ring_moves_few_keys),
                cmocka_unit_test(test_balance_factor),
                cmocka_unit_test(test_affinity),
                cmocka_unit_test(test_backups),
                cmocka_unit_test(test_leastconn_order),
                cmocka_unit_test(test_leastconn_idle_servers_take_turns),
                cmocka_unit_test(test_first_fills_by_id),
                cmocka_unit_test(test_leastconn_against_the_definition),
                cmocka_unit_test(test_leastconn_is_exact_over_threads),
                cmocka_unit_test(test_policies_are_edited_under_load),
                cmocka_unit_test(test_policies_follow_each_other),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
