/* What a loader may say, and who owns which socket before and after a reload. */
#include "main/supconf.h"

#include "main/argv.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static const struct args none = { .program = "test" };

static struct listen_spec loopback(int backlog)
{
        struct listen_spec s = { .shards = 2, .backlog = backlog, .unix_mode = -1, .unix_uid = -1, .unix_gid = -1 };

        s.at.family = AF_INET;
        s.at.inherited_fd = -1;
        s.at.port_low = s.at.port_high = 0; /* any */
        s.at.addr.in.sin_family = AF_INET;
        s.at.addr.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return s;
}

static bool give(struct supconf *c, enum channel_type t, const struct channel_arg *a, int fd)
{
        static struct channel_msg m;
        bool ok;
        AUTO_BUF(b);

        assert_true(channel_encode(t, a, &b));
        assert_true(channel_decode(b.p, b.n, fd >= 0, &m));
        m.n_fds = fd >= 0;
        m.fds[0] = fd;
        ok = supconf_take(c, &m);
        channel_drop(&m);
        return ok;
}

static bool give_spec(struct supconf *c, const char *key, const struct listen_spec *s)
{
        AUTO_BUF(b);

        spec_encode(s, &b);
        return give(c, CH_SOCKET,
                    (struct channel_arg[]){ CH_S(str_of(key)), CH_S(STR("frontend f")), CH_S(STR("x:1")),
                                            CH_S(buf_view(&b)) },
                    -1);
}

static bool give_bind(struct supconf *c, const char *key, int backlog)
{
        struct listen_spec s = loopback(backlog);

        return give_spec(c, key, &s);
}

static bool give_mss(struct supconf *c, const char *key, int mss)
{
        struct listen_spec s = loopback(5);

        s.mss = mss;
        return give_spec(c, key, &s);
}

static bool is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

static void equal_binds_keep_their_sockets(void **state)
{
        struct supconf *a = supconf_new(), *b = supconf_new();
        int kept, gone, changed, queue;

        (void)state;
        assert_true(give_bind(a, "kept", 5) && give_bind(a, "gone", 5) && give_mss(a, "changed", 1400) &&
                    give_bind(a, "queue", 5));
        assert_true(supconf_bind(a, NULL, &none));
        kept = a->binds[0].fds[0], gone = a->binds[1].fds[1], changed = a->binds[2].fds[0], queue = a->binds[3].fds[1];
        assert_true(give_mss(b, "changed", 1200) && give_bind(b, "kept", 5) && give_bind(b, "queue", 7));
        assert_true(supconf_bind(b, a, &none));
        assert_int_equal(b->binds[2].fds[1], queue); /* as long a queue as maxconn wants is no new socket */
        assert_int_equal(b->binds[1].fds[0], kept);
        assert_int_not_equal(b->binds[0].fds[0], changed);
        supconf_settle(b, a);
        supconf_free(a);
        assert_true(is_open(kept));
        assert_false(is_open(gone));
        assert_false(is_open(changed));
        supconf_free(b);
        assert_false(is_open(kept));
}

/* More threads get more sockets with their worker, fewer threads keep those there are. */
static void sockets_of_a_new_worker(void **state)
{
        struct supconf *a = supconf_new(), *b = supconf_new();
        struct listen_spec more = loopback(5), fewer = loopback(5);
        int kept, extra;

        (void)state;
        more.shards = 3;
        fewer.shards = 1;
        assert_true(give_bind(a, "up", 5) && give_bind(a, "down", 5) && supconf_bind(a, NULL, &none));
        supconf_widened(a);
        kept = a->binds[0].fds[1];
        assert_true(give_spec(b, "up", &more) && give_spec(b, "down", &fewer) && supconf_bind(b, a, &none));
        assert_int_equal(b->binds[0].n_fds, 2); /* the running worker would not poll a third */
        supconf_settle(b, a);
        supconf_free(a);
        supconf_widen(b, &none);
        assert_int_equal(b->binds[0].n_fds, 3);
        assert_int_equal(b->binds[0].fds[1], kept);
        assert_int_equal(b->binds[1].n_fds, 2);
        extra = b->binds[0].fds[2];
        assert_true(is_open(extra));
        supconf_narrow(b); /* the new worker did not come */
        assert_int_equal(b->binds[0].n_fds, 2);
        assert_false(is_open(extra));
        assert_true(is_open(kept));
        supconf_widen(b, &none);
        supconf_widened(b);
        supconf_narrow(b);
        assert_int_equal(b->binds[0].n_fds, 3);
        supconf_free(b);
}

static void a_refused_reload_loses_nothing(void **state)
{
        struct supconf *a = supconf_new(), *b = supconf_new();
        int kept, fresh;

        (void)state;
        assert_true(give_bind(a, "kept", 5) && supconf_bind(a, NULL, &none));
        assert_true(give_bind(b, "kept", 5) && give_bind(b, "fresh", 5) && supconf_bind(b, a, &none));
        kept = a->binds[0].fds[0], fresh = b->binds[1].fds[0];
        supconf_give_back(b, a);
        supconf_free(b);
        assert_true(is_open(kept));
        assert_false(is_open(fresh));
        supconf_free(a);
}

static void loaders_words_are_checked(void **state)
{
        struct channel_arg ok[] = {
                CH_U(0), CH_U(1), CH_U(1), CH_U(0), CH_U(2), CH_U(0), CH_S(STR("")), CH_S(STR(""))
        };
        struct supconf *c = supconf_new();

        (void)state;
        assert_false(give(
                c, CH_SOCKET,
                (struct channel_arg[]){ CH_S(STR("k")), CH_S(STR("w")), CH_S(STR("p")), CH_S(STR("no spec")) }, -1));
        assert_false(give_bind(c, "", 5));
        assert_false(give(c, CH_LOG_PATH, (struct channel_arg[]){ CH_S(STR("relative")) }, -1));
        assert_false(give(c, CH_JOURNAL, (struct channel_arg[]){ CH_S(STR("a")), CH_S(STR("b")) },
                          -1));                   /* a worker's word */
        assert_false(give(c, CH_LOADED, ok, -1)); /* fine, but no bundle */
        assert_true(give(c, CH_LOG_PATH, (struct channel_arg[]){ CH_S(STR("/dev/log")) }, -1));
        assert_true(supconf_has_log(c, STR("/dev/log")));
        assert_false(supconf_has_log(c, STR("/etc/shadow")));
        assert_true(give(c, CH_LOADED, ok, memfd_create("x", 0)));
        assert_int_equal(c->uid, 0);
        assert_false(give_bind(c, "late", 5)); /* nothing may come after it */
        supconf_free(c);
}

static void hostile_specs(void **state)
{
        struct listen_spec s, back;
        struct arena mem = ARENA_INIT;

        (void)state;
        for (int i = 0; i < 7; i++) {
                AUTO_BUF(b);

                s = loopback(1);
                s.shards = i == 0 ? 0 : i == 1 ? 65 : 2;
                s.at.port_low = i == 2 ? 65536 : 0;
                s.unix_mode = i == 3 ? 010000 : -1;
                s.at.family = i == 4   ? AF_UNIX
                              : i == 5 ? AF_INET6
                                       : AF_INET; /* unix needs a path and one shard; family of addr */
                spec_encode(&s, &b);
                assert_int_equal(spec_decode(buf_view(&b), &mem, &back), i == 6);
                assert_false(spec_decode(str_sub(buf_view(&b), 0, b.n - 1), &mem, &back));
        }
        arena_fini(&mem);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(equal_binds_keep_their_sockets),
                cmocka_unit_test(a_refused_reload_loses_nothing),
                cmocka_unit_test(sockets_of_a_new_worker),
                cmocka_unit_test(loaders_words_are_checked),
                cmocka_unit_test(hostile_specs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
