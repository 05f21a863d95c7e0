/* The engine as main/ uses it: first load, traffic, reloads, deletions, soft stop; on real sockets of the loopback. */
#include "core/change.h"
#include "core/cells.h"
#include "core/check.h"
#include "core/cli.h"
#include "core/engine.h"
#include "core/inner.h"
#include "core/threads.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the process around the engine ---- */

struct fixture {
        struct engine *e;
        struct vfs *v;
        bool stopped;
        struct buf journal;
};

static struct fixture fx;

static void on_stopped(void *ctx)
{
        ((struct fixture *)ctx)->stopped = true;
}

static void on_journal(void *ctx, const char *key, const char *cmd)
{
        buf_printf(&((struct fixture *)ctx)->journal, "%s=%s\n", key, cmd ? cmd : "");
}

static const struct engine_hooks hooks = { .journal = on_journal, .stopped = on_stopped, .ctx = &fx };

static struct conf *load(const char *text, struct diags *d)
{
        static const char *const files[] = { "t.cfg" };
        struct conf_opts o = { .version = "3.4.0" };
        struct vfs *v = vfs_new_memory();
        struct conf *c;

        vfs_add(v, VFS_CONFIG, "t.cfg", str_of(text));
        c = conf_load(v, files, 1, &o, d);
        diags_forget_texts(d);
        vfs_free(v);
        return c;
}

/* Binds what the configuration wants, but for keys that the caller says are kept elsewhere (NULL: none). */
static void bind_all(const struct conf *c, unsigned threads, struct engine_binds *b)
{
        engine_binds(c, threads, b);
        for (size_t i = 0; i < b->n; i++) {
                const char *step;

                assert_int_equal(listener_bind(&b->v[i].spec, b->v[i].fds, &step), 0);
                b->v[i].n_fds = b->v[i].spec.shards;
        }
}

static void close_rest(struct engine_binds *b)
{
        for (size_t i = 0; i < b->n; i++)
                for (unsigned k = 0; k < b->v[i].n_fds; k++)
                        if (b->v[i].fds[k] >= 0)
                                close(b->v[i].fds[k]);
        engine_binds_fini(b);
}

static void turns(unsigned ms)
{
        for (unsigned i = 0; i < ms; i++) {
                loop_turn(engine_control_loop(fx.e), false);
                usleep(1000);
        }
}

/* Turns of the control loop until cond, at most 5 s. */
#define TURNS_UNTIL(cond)                                                                                              \
        do {                                                                                                           \
                for (int t_ = 0; t_ < 5000 && !(cond); t_++)                                                           \
                        turns(1);                                                                                      \
                assert_true(cond);                                                                                     \
        } while (0)

static bool apply(const char *text, struct buf *diff)
{
        struct diags d;
        struct conf *c;
        struct engine_binds b;
        bool ok;

        diags_init(&d);
        c = load(text, &d);
        if (!c) {
                AUTO_BUF(out);
                diags_format(&d, DIAG_CLASSIC, DIAG_NOTICE, 1, &out);
                print_message("%.*s\n", (int)out.n, out.p);
        }
        assert_non_null(c);
        bind_all(c, thr_count(), &b);
        diff->n = 0;
        ok = engine_apply(fx.e, c, &b, diff, &d);
        if (!ok)
                diags_format(&d, DIAG_CLASSIC, DIAG_NOTICE, 1, diff);
        buf_putc(diff, 0);
        close_rest(&b);
        conf_put(c);
        diags_fini(&d);
        return ok;
}

static void start(const char *text, unsigned threads)
{
        struct engine_opts o = { .threads = threads, .hooks = &hooks };
        struct diags d;
        struct conf *c;
        AUTO_BUF(diff);

        diags_init(&d);
        c = load(text, &d);
        assert_non_null(c);
        memset(&fx, 0, sizeof(fx));
        assert_int_equal(engine_new(c, &o, &fx.e), 0);
        conf_put(c);
        diags_fini(&d);
        assert_true(apply(text, &diff));
        assert_int_equal(engine_start(fx.e), 0);
        turns(5);
}

static void stop(void)
{
        engine_stop(fx.e);
        engine_free(fx.e);
        buf_fini(&fx.journal);
}

/* ---- clients and servers ---- */

static int listen_on(int port)
{
        struct sockaddr_in a = { .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
        assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
        assert_int_equal(listen(fd, 16), 0);
        return fd;
}

static int connect_to(int port)
{
        struct sockaddr_in a = { .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
                close(fd);
                return -errno;
        }
        return fd;
}

/* A probe that got through resets at once, so that no session of it stays. */
static bool refused(int port)
{
        struct linger now = { .l_onoff = 1, .l_linger = 0 };
        int fd = connect_to(port);

        if (fd < 0)
                return true;
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        close(fd);
        return false;
}

static bool readable(int fd, int ms)
{
        struct pollfd p = { .fd = fd, .events = POLLIN };

        return poll(&p, 1, ms) == 1;
}

/* A connection through the proxy to the given server socket: bytes go both ways. */
static void exchange(int client, int server)
{
        char b[8];

        assert_int_equal(write(client, "ping", 4), 4);
        assert_true(readable(server, 3000));
        assert_int_equal(read(server, b, sizeof(b)), 4);
        assert_int_equal(write(server, "pong", 4), 4);
        assert_true(readable(client, 3000));
        assert_int_equal(read(client, b, sizeof(b)), 4);
}

static int accept_soon(int fd)
{
        assert_true(readable(fd, 3000));
        return accept(fd, NULL, NULL);
}

#define TIMES "    timeout client 9s\n    timeout server 9s\n    timeout connect 2s\n"

static void reload_moves_traffic(void **state)
{
        AUTO_BUF(diff);
        int a = listen_on(26010), b = listen_on(26011), c1, s1, c2, s2;

        (void)state;
        start("defaults\n" TIMES "frontend f\n    bind 127.0.0.1:26000\n    default_backend x\n"
              "backend x\n    server a 127.0.0.1:26010\n",
              2);
        c1 = connect_to(26000);
        s1 = accept_soon(a);
        exchange(c1, s1);
        /* another server, another timeout, another bind: the session goes on, new ones see the new configuration */
        assert_true(apply("defaults\n" TIMES "frontend f\n    bind 127.0.0.1:26000\n    bind 127.0.0.1:26001\n"
                          "    default_backend x\nbackend x\n    timeout server 8s\n    server b 127.0.0.1:26011\n",
                          &diff));
        assert_string_equal(diff.p, "+ server x/b\n+ bind f 127.0.0.1:26001\n"
                                    "~ backend x: timeout server 9s -> 8s (new sessions)\n- server x/a\n");
        exchange(c1, s1);
        c2 = connect_to(26001);
        s2 = accept_soon(b);
        exchange(c2, s2);
        exchange(c1, s1);
        assert_null(server_find(back_find(STR("x")), STR("a")));
        assert_int_equal(back_find(STR("x"))->n_cells, 2); /* the old server waits for its session */
        close(c1);
        close(s1);
        TURNS_UNTIL(back_find(STR("x"))->n_cells == 1);
        close(c2);
        close(s2);
        close(a);
        close(b);
        stop();
}

static void sections_come_and_go(void **state)
{
        AUTO_BUF(diff);
        int a = listen_on(26012), c1, s1;

        (void)state;
        start("defaults\n" TIMES "listen one\n    bind 127.0.0.1:26002\n    server a 127.0.0.1:26012\n", 2);
        c1 = connect_to(26002);
        s1 = accept_soon(a);
        exchange(c1, s1);
        assert_true(apply("defaults\n" TIMES "listen two\n    bind 127.0.0.1:26003\n    server a 127.0.0.1:26012\n",
                          &diff));
        assert_string_equal(diff.p, "+ listen two\n- listen one\n");
        assert_null(front_find(STR("one")));
        assert_null(back_find(STR("one")));
        exchange(c1, s1); /* it belongs to sections that are not there any more */
        TURNS_UNTIL(refused(26002));
        close(c1);
        close(s1);
        c1 = connect_to(26003);
        s1 = accept_soon(a);
        exchange(c1, s1);
        TURNS_UNTIL(engine_reap() == 0); /* cells of `one` are freed while `two` is in use */
        exchange(c1, s1);
        close(c1);
        close(s1);
        close(a);
        stop();
}

static void three_way(void **state)
{
        static const char base[] =
                "defaults\n" TIMES "listen l\n    bind 127.0.0.1:26004\n    server a 127.0.0.1:1 weight 5\n"
                "    server b 127.0.0.1:1 maxconn 7\n    server c 127.0.0.1:1\n";
        struct server *a, *b, *c;
        AUTO_BUF(diff);

        (void)state;
        start(base, 1);
        a = server_find(back_find(STR("l")), STR("a"));
        b = server_find(back_find(STR("l")), STR("b"));
        c = server_find(back_find(STR("l")), STR("c"));
        server_set_weight(a, 77);
        server_set_maxconn(b, 70);
        server_set_admin(c, SRV_ADM_FDRAIN, 0, &(struct state_cause){ .duration_ms = -1 });
        assert_true(apply(base, &diff));
        assert_string_equal(diff.p, "");
        assert_int_equal(a->weight, 77); /* nothing changed in the file: the runtime's values stay */
        assert_int_equal(b->maxconn, 70);
        assert_int_equal(c->admin, SRV_ADM_FDRAIN);
        assert_true(apply("defaults\n" TIMES "listen l\n    bind 127.0.0.1:26004\n    server a 127.0.0.1:1 weight 6\n"
                          "    server b 127.0.0.1:1 maxconn 8\n    server c 127.0.0.1:2\n",
                          &diff));
        assert_string_equal(diff.p, "~ server l/a: weight 5 -> 6 (live)\n~ server l/b: maxconn 7 -> 8 (live)\n"
                                    "~ server l/c: server c 127.0.0.1:1 -> server c 127.0.0.1:2 (live)\n");
        assert_int_equal(a->weight, 6); /* a changed line wins */
        assert_int_equal(b->maxconn, 8);
        assert_int_equal(addr_port(&c->addr), 2);
        assert_int_equal(c->admin, SRV_ADM_FDRAIN); /* but for its address nothing was said about c */
        assert_int_equal(back_find(STR("l"))->act, 2);
        assert_int_equal(world.reloads, 2);
        turns(2); /* a respawned worker must not undo what the file says now */
        buf_putc(&fx.journal, 0);
        assert_string_equal(fx.journal.p, "server l/a weight=\nserver l/b maxconn=\nserver l/c addr=\n");
        stop();
}

/* A ramp ends by itself; the one of a server that is deleted goes with it. */
static void slow_starts_end(void **state)
{
        static const char base[] = "defaults\n" TIMES "backend b\n    server a 127.0.0.1:1 slowstart 40ms weight 10\n";
        struct state_cause why = { .duration_ms = -1 };
        struct server *a, *gone;
        AUTO_BUF(diff);

        (void)state;
        start(base, 2);
        a = server_find(back_find(STR("b")), STR("a"));
        server_set_oper(a, SRV_STOPPED, &why);
        server_set_oper(a, SRV_RUNNING, &why);
        TURNS_UNTIL(a->oper == SRV_RUNNING && server_lb_weight(a) == 160);
        assert_true(apply("defaults\n" TIMES "backend b\n    server a 127.0.0.1:1 slowstart 40ms weight 10\n"
                          "    server gone 127.0.0.1:1 slowstart 1h\n",
                          &diff));
        gone = server_find(back_find(STR("b")), STR("gone"));
        server_set_oper(gone, SRV_STOPPED, &why);
        server_set_oper(gone, SRV_RUNNING, &why);
        assert_int_equal(gone->oper, SRV_STARTING);
        turns(5);
        assert_true(apply(base, &diff));
        TURNS_UNTIL(engine_reap() == 0);
        server_set_oper(a, SRV_STOPPED, &why); /* and one that is under way when all ends */
        server_set_oper(a, SRV_RUNNING, &why);
        stop();
}

static bool last_is(const struct check *c, enum check_status st)
{
        struct check_result r;

        check_last(c, &r);
        return r.status == st;
}

/* `observe`: a row of errors, counted where the streams run, ends in the check's own hands. */
static void traffic_is_observed(void **state)
{
        static const char base[] =
                "defaults\n" TIMES "backend b\n    server a 127.0.0.1:26019 check inter 1h rise 2 fall 3 "
                "observe layer4 error-limit 3 on-error sudden-death\n";
        int fd = listen_on(26019);
        struct server *a;
        AUTO_BUF(diff);

        (void)state;
        start(base, 2);
        a = server_find(back_find(STR("b")), STR("a"));
        TURNS_UNTIL(a->check->first_done && a->check->health == 4);
        for (int i = 0; i < 10; i++)
                check_observed(a, SEEN_STATUS); /* not of layer 4 */
        for (int i = 0; i < 2; i++)
                check_observed(a, SEEN_L4_ERROR);
        check_observed(a, SEEN_L4_OK); /* begins anew */
        for (int i = 0; i < 3; i++)
                check_observed(a, SEEN_L4_ERROR);
        TURNS_UNTIL(a->observed_failures == 1);
        TURNS_UNTIL(last_is(a->check, CHECK_HANA));
        assert_int_equal(a->check->health, 2); /* one more to fail */
        assert_string_equal(a->check->last.info,
                            "Detected 3 consecutive errors, last one was: L4 unsuccessful connection");
        assert_true(server_is_up(a));
        assert_true(apply("defaults\n" TIMES "backend b\n    server a 127.0.0.1:26019 check inter 1h rise 2 fall 3 "
                          "observe layer4 error-limit 2 on-error mark-down\n",
                          &diff));
        check_observed(a, SEEN_L4_ERROR);
        check_observed(a, SEEN_L4_ERROR);
        TURNS_UNTIL(!server_is_up(a));
        assert_int_equal(a->check->health, 0);
        check_observed(a, SEEN_L4_ERROR);
        check_observed(a, SEEN_L4_ERROR);
        turns(5);
        assert_int_equal(a->observed_failures, 2); /* one that is down cannot fail */
        close(fd);
        stop();
}

static void refused_and_broken(void **state)
{
        static const char base[] = "global\n    maxconn 100\ndefaults\n" TIMES
                                   "listen l\n    bind 127.0.0.1:26005\n    server a 127.0.0.1:1\n";
        AUTO_BUF(diff);

        (void)state;
        start(base, 1);
        assert_false(apply("global\n    maxconn 100\n    pidfile /nowhere\ndefaults\n" TIMES
                           "listen l\n    bind 127.0.0.1:26005\n    server a 127.0.0.1:1 weight 9\n",
                           &diff));
        assert_non_null(strstr(diff.p, "'pidfile' cannot be changed by a reload, it takes a restart."));
        assert_int_equal(server_find(back_find(STR("l")), STR("a"))->weight, 1);
        assert_int_equal(world.reloads, 0);
        assert_int_equal(world.n_servers, 1);
        stop();
}

static void a_new_global_section_is_looked_at(void **state)
{
        static const char base[] = "defaults\n" TIMES "listen l\n    bind 127.0.0.1:26016\n    server a 127.0.0.1:1\n";
        AUTO_BUF(diff);
        AUTO_BUF(text);

        (void)state;
        start(base, 1);
        buf_printf(&text, "global\n    pidfile /nowhere\n%s", base);
        buf_putc(&text, 0);
        assert_false(apply(text.p, &diff));
        assert_non_null(strstr(diff.p, "it takes a restart"));
        text.n = 0;
        buf_printf(&text, "global\n    maxconn 55\n%s", base);
        buf_putc(&text, 0);
        assert_true(apply(text.p, &diff));
        assert_int_equal(world.maxconn, 55);
        stop();
}

static void no_socket_is_an_error(void **state)
{
        struct diags d;
        struct conf *c;
        AUTO_BUF(diff);

        (void)state;
        start("defaults\n" TIMES "listen l\n    bind 127.0.0.1:26006\n    server a 127.0.0.1:1\n", 1);
        diags_init(&d);
        c = load("defaults\n" TIMES
                 "listen l\n    bind 127.0.0.1:26006\n    bind 127.0.0.1:26007\n    server a 127.0.0.1:1\n"
                 "    server b 127.0.0.1:1\nlisten m\n    bind 127.0.0.1:26008\n",
                 &d);
        assert_false(engine_apply(fx.e, c, NULL, &diff, &d));
        assert_int_equal(d.n_alerts, 2);
        assert_null(back_find(STR("m")));
        assert_null(server_find(back_find(STR("l")), STR("b")));
        conf_put(c);
        diags_fini(&d);
        stop();
}

static void soft_stop_waits_for_the_last(void **state)
{
        int a = listen_on(26013), c1, s1;

        (void)state;
        start("defaults\n" TIMES "listen l\n    bind 127.0.0.1:26009\n    server a 127.0.0.1:26013\n", 2);
        c1 = connect_to(26009);
        s1 = accept_soon(a);
        exchange(c1, s1);
        engine_soft_stop(fx.e);
        TURNS_UNTIL(refused(26009));
        turns(150);
        assert_false(fx.stopped);
        exchange(c1, s1);
        close(c1);
        close(s1);
        TURNS_UNTIL(fx.stopped);
        close(a);
        stop();
}

static void attach_late(void *arg)
{
        assert_int_equal(engine_cli_attach(fx.e, *(int *)arg, CLI_ADMIN), 0);
}

/* The control loop hears of it in the last turn of the world, thread 0 after it. */
static void a_cli_connection_that_comes_too_late_is_closed(void **state)
{
        int fds[2];
        char c;

        (void)state;
        start("defaults\n" TIMES "listen l\n    bind 127.0.0.1:25180\n    server a 127.0.0.1:1\n", 2);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
        engine_stop(fx.e);
        engine_on_control(attach_late, &fds[1]);
        engine_free(fx.e);
        assert_int_equal(recv(fds[0], &c, 1, MSG_DONTWAIT), 0);
        close(fds[0]);
        buf_fini(&fx.journal);
}

/* A grant under way holds a slot and no pin yet: the server must be there when it comes. */
static void a_server_with_a_slot_taken_is_kept(void **state)
{
        static const char base[] = "defaults\n" TIMES "listen l\n    bind 127.0.0.1:25181\n    server a 127.0.0.1:1\n";
        struct back *b;
        struct server *s;
        AUTO_BUF(two);
        AUTO_BUF(diff);

        (void)state;
        buf_printf(&two, "%s    server b 127.0.0.1:2\n", base);
        buf_putc(&two, 0);
        start(two.p, 2);
        b = back_find(STR("l"));
        s = server_find(b, STR("b"));
        atomic_store(&s->cur, 1);
        assert_true(apply(base, &diff));
        turns(600);
        assert_int_equal(b->n_cells, 2);
        atomic_store(&s->cur, 0);
        TURNS_UNTIL(b->n_cells == 1);
        stop();
}

static void journal_goes_home(void **state)
{
        (void)state;
        start("defaults\n" TIMES "listen l\n    bind 127.0.0.1:26015\n    server a 127.0.0.1:1\n", 1);
        engine_journal("weight l/a", "set server l/a weight 5");
        TURNS_UNTIL(fx.journal.n > 0);
        assert_memory_equal(fx.journal.p, "weight l/a=set server l/a weight 5\n", fx.journal.n);
        stop();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reload_moves_traffic),
                cmocka_unit_test(sections_come_and_go),
                cmocka_unit_test(three_way),
                cmocka_unit_test(slow_starts_end),
                cmocka_unit_test(traffic_is_observed),
                cmocka_unit_test(refused_and_broken),
                cmocka_unit_test(a_new_global_section_is_looked_at),
                cmocka_unit_test(no_socket_is_an_error),
                cmocka_unit_test(soft_stop_waits_for_the_last),
                cmocka_unit_test(a_cli_connection_that_comes_too_late_is_closed),
                cmocka_unit_test(a_server_with_a_slot_taken_is_kept),
                cmocka_unit_test(journal_goes_home),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
