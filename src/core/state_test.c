/* Server states, checks' results and their events, on a backend of an engine whose threads do not run. */
#include "core/cells.h"
#include "core/check.h"
#include "core/engine.h"
#include "core/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct engine *engine;
static struct back *back;
static char said[1024];

static void on_server(const void *event)
{
        const struct event_server *e = event;
        size_t n = strlen(said);

        (void)snprintf(said + n, sizeof(said) - n, "%s %s %u+%u %s\n", e->srv->cell.name,
                       e->to_admin & SRV_ADM_MAINT    ? "maint"
                       : e->to_admin & SRV_ADM_FDRAIN ? "drain"
                       : e->to_oper == SRV_STOPPED    ? "down"
                                                      : "up",
                       back->act, back->bck, e->why && e->why->reason ? e->why->reason : "-");
}

static void on_back(const void *event)
{
        (void)snprintf(said + strlen(said), sizeof(said) - strlen(said), "backend %s\n",
                       ((const struct event_back *)event)->available ? "available" : "gone");
}

/* What is told of a result is in the server's state already: `show servers state` may be asked at once. */
static void on_check(const void *event)
{
        const struct event_check *e = event;

        assert_int_equal(e->check->last.status, e->result->status);
}

static const struct event_sub sub_check = { EVENT_CHECK_RESULT, 1, "state_test", on_check };
static const struct event_sub sub_server = { EVENT_SERVER_STATE, 1, "state_test", on_server };
static const struct event_sub sub_back = { EVENT_BACK_STATE, 1, "state_test", on_back };
EVENT_SUB(sub_check);
EVENT_SUB(sub_server);
EVENT_SUB(sub_back);

static int setup(void **state)
{
        static const char text[] = "defaults\n    timeout client 1s\n    timeout server 1s\n    timeout connect 1s\n"
                                   "backend b\n    server s1 127.0.0.1:1\n    server s2 127.0.0.1:2 weight 3\n"
                                   "    server s3 127.0.0.1:3 backup\n";
        static const char *const files[] = { "t.cfg" };
        struct engine_opts o = { .threads = 1 };
        struct conf_opts co = { .version = "3.4.0" };
        struct vfs *v = vfs_new_memory();
        struct diags d;
        struct conf *c;
        AUTO_BUF(diff);

        (void)state;
        diags_init(&d);
        vfs_add(v, VFS_CONFIG, "t.cfg", str_of(text));
        c = conf_load(v, files, 1, &co, &d);
        assert_non_null(c);
        assert_int_equal(engine_new(c, &o, &engine), 0);
        assert_true(engine_apply(engine, c, NULL, &diff, &d));
        conf_put(c);
        diags_fini(&d);
        vfs_free(v);
        back = back_find(STR("b"));
        said[0] = 0;
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        engine_free(engine);
        return 0;
}

static struct server *srv(const char *name)
{
        return server_find(back, str_of(name));
}

#define WHY(r) (&(struct state_cause){ .reason = r, .duration_ms = 1 })

static void the_last_server_takes_the_backend_along(void **state)
{
        (void)state;
        assert_int_equal(back->act, 2);
        assert_int_equal(back->bck, 1);
        server_set_oper(srv("s1"), SRV_STOPPED, WHY("r1"));
        server_set_oper(srv("s1"), SRV_STOPPED, WHY("again")); /* no change: nothing is said */
        server_set_oper(srv("s2"), SRV_STOPPED, WHY("r2"));
        server_set_admin(srv("s3"), SRV_ADM_FMAINT, 0, WHY(NULL));
        server_set_oper(srv("s2"), SRV_RUNNING, WHY("ok"));
        assert_string_equal(said, "s1 down 1+1 r1\ns2 down 0+1 r2\ns3 maint 0+0 -\nbackend gone\ns2 up 1+0 ok\n"
                                  "backend available\n");
        assert_int_equal(srv("s1")->down_count, 1);
        assert_int_equal(srv("s3")->down_count, 1); /* maintenance, too */
        assert_int_equal(back->down_count, 1);
        assert_false(srv("s1")->usable);
        assert_true(srv("s2")->usable);
}

static void weight_zero_and_drain_take_no_new_ones(void **state)
{
        (void)state;
        server_set_weight(srv("s2"), 0);
        assert_false(srv("s2")->usable);
        assert_true(server_is_up(srv("s2")));
        assert_int_equal(back->act, 1);
        server_set_weight(srv("s2"), 256);
        assert_int_equal(back->act, 2);
        server_set_admin(srv("s2"), SRV_ADM_FDRAIN, 0, WHY(NULL));
        assert_int_equal(back->act, 1);
        assert_string_equal(said, "s2 drain 1+1 -\n"); /* a weight is no state */
}

static void status(const char *name, const char *want)
{
        AUTO_BUF(b);

        server_status_text(srv(name), &b);
        buf_putc(&b, 0);
        assert_string_equal(b.p, want);
}

static struct check *make_check(struct server *s, const struct check_cfg *cfg)
{
        static struct check c;

        c = (struct check){ .srv = s, .cfg = cfg, .enabled = true };
        check_init_health(&c);
        s->check = &c;
        return &c;
}

static void result(struct check *c, bool ok)
{
        check_apply(c, &(struct check_result){ .status = ok ? CHECK_L4OK : CHECK_L4CON, .duration_ms = 1 });
}

/* manual, http-check disable-on-404: only a running server is stopped by it, and the next full pass takes it back. */
static void check_that_passes_conditionally(void **state)
{
        static const struct check_cfg cfg = { .check = true, .rise = 1, .fall = 1 };
        struct server *s = srv("s1");
        struct check *c = make_check(s, &cfg);

        (void)state;
        check_apply(c, &(struct check_result){ .status = CHECK_L7OKC, .code = 404 });
        status("s1", "NOLB");
        assert_false(s->usable);
        check_apply(c, &(struct check_result){ .status = CHECK_L7OK, .code = 200 });
        status("s1", "UP");
        assert_true(s->usable);
        check_apply(c, &(struct check_result){ .status = CHECK_L7OKC, .code = 404 });
        check_apply(c, &(struct check_result){ .status = CHECK_L7STS, .code = 500 });
        status("s1", "DOWN");
        check_apply(c, &(struct check_result){ .status = CHECK_L7OKC, .code = 404 });
        status("s1", "DOWN");
        check_apply(c, &(struct check_result){ .status = CHECK_L7OK, .code = 200 });
        status("s1", "UP");
        s->check = NULL;
}

/* Words and counts as HAProxy 2.6 showed them for the same results (rise 2, fall 3). */
static void checks_rise_and_fall(void **state)
{
        static const struct check_cfg cfg = { .check = true, .rise = 2, .fall = 3 };
        struct server *s = srv("s1");
        struct check *c;

        (void)state;
        status("s1", "no check");
        c = make_check(s, &cfg);
        status("s1", "UP 1/3");
        result(c, true);
        status("s1", "UP");
        result(c, false);
        status("s1", "UP 2/3");
        result(c, false);
        status("s1", "UP 1/3");
        result(c, false);
        status("s1", "DOWN");
        result(c, false);
        result(c, true);
        status("s1", "DOWN 1/2");
        result(c, false);
        status("s1", "DOWN");
        result(c, true);
        result(c, true);
        status("s1", "UP");
        assert_string_equal(said, "s1 down 1+1 Layer4 connection problem\ns1 up 2+1 Layer4 check passed\n");
        assert_int_equal(c->failed, 3); /* those while it was up */
        assert_int_equal(c->srv->down_count, 1);
        s->check = NULL;
}

/* Seed 004: a server counts as up until its first check, and that one failure takes it down whatever `fall` says. */
static void the_first_failure_is_enough(void **state)
{
        static const struct check_cfg cfg = { .check = true, .rise = 2, .fall = 3 };
        struct check *c = make_check(srv("s1"), &cfg);

        (void)state;
        result(c, false);
        status("s1", "DOWN");
        assert_string_equal(said, "s1 down 1+1 Layer4 connection problem\n");
        srv("s1")->check = NULL;
}

static void words_of_administration(void **state)
{
        (void)state;
        server_set_admin(srv("s1"), SRV_ADM_FDRAIN, 0, WHY(NULL));
        status("s1", "DRAIN");
        server_set_admin(srv("s1"), SRV_ADM_FMAINT, 0, WHY(NULL));
        status("s1", "MAINT");
        server_set_admin(srv("s1"), SRV_ADM_RMAINT, SRV_ADM_FMAINT, WHY(NULL));
        status("s1", "MAINT (resolution)");
        server_set_admin(srv("s1"), 0, SRV_ADM_RMAINT | SRV_ADM_FDRAIN, WHY(NULL));
        status("s1", "no check");
}

static void addresses_are_read_whole(void **state)
{
        struct sockaddr_storage sa;
        struct addr a = {
                .in = { .sin_family = AF_INET, .sin_port = htons(99), .sin_addr.s_addr = htonl(0x0a000001) }
        };

        (void)state;
        assert_int_equal(server_addr_get(srv("s1"), &sa, NULL), sizeof(struct sockaddr_in));
        assert_int_equal(ntohs(((struct sockaddr_in *)&sa)->sin_port), 1);
        server_addr_set(srv("s1"), &a);
        assert_int_equal(server_addr_get(srv("s1"), &sa, NULL), sizeof(struct sockaddr_in));
        assert_memory_equal(&sa, &a.in, sizeof(a.in));
        server_addr_set(srv("s1"), &(struct addr){ .sa.sa_family = AF_UNSPEC });
        assert_int_equal(server_addr_get(srv("s1"), &sa, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_last_server_takes_the_backend_along, setup, teardown),
                cmocka_unit_test_setup_teardown(weight_zero_and_drain_take_no_new_ones, setup, teardown),
                cmocka_unit_test_setup_teardown(checks_rise_and_fall, setup, teardown),
                cmocka_unit_test_setup_teardown(check_that_passes_conditionally, setup, teardown),
                cmocka_unit_test_setup_teardown(the_first_failure_is_enough, setup, teardown),
                cmocka_unit_test_setup_teardown(words_of_administration, setup, teardown),
                cmocka_unit_test_setup_teardown(addresses_are_read_whole, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
