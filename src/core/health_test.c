/* What the words of server health come to: init-state, agents beside checks, tracking, slow starts. On an engine whose threads do not
 * run: nothing is asked over the wire, results are given by hand. */
#include "core/cells.h"
#include "core/check.h"
#include "core/engine.h"
#include "core/event.h"
#include "core/queue.h"
#include "core/server_slow.h"
#include "core/server_track.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TIMES "    timeout client 1s\n    timeout server 1s\n    timeout connect 1s\n"

static struct engine *engine;

static struct conf *load(const char *text, struct diags *d)
{
        static const char *const files[] = { "t.cfg" };
        struct conf_opts co = { .version = "3.4.0" };
        struct vfs *v = vfs_new_memory();
        struct conf *c;

        vfs_add(v, VFS_CONFIG, "t.cfg", str_of(text));
        c = conf_load(v, files, 1, &co, d);
        diags_forget_texts(d);
        vfs_free(v);
        return c;
}

static void apply(const char *text)
{
        struct engine_opts o = { .threads = 1 };
        struct diags d;
        struct conf *c;
        AUTO_BUF(diff);

        diags_init(&d);
        c = load(text, &d);
        assert_non_null(c);
        if (!engine)
                assert_int_equal(engine_new(c, &o, &engine), 0);
        assert_true(engine_apply(engine, c, NULL, &diff, &d));
        conf_put(c);
        diags_fini(&d);
}

static int teardown(void **state)
{
        (void)state;
        engine_free(engine);
        engine = NULL;
        return 0;
}

static struct server *srv(const char *back, const char *name)
{
        return server_find(back_find(str_of(back)), str_of(name));
}

static void status(const struct server *s, const char *want)
{
        AUTO_BUF(b);

        server_status_text(s, &b);
        buf_putc(&b, 0);
        assert_string_equal(b.p, want);
}

static void result(struct check *c, enum check_status st)
{
        check_apply(c, &(struct check_result){ .status = st, .duration_ms = 1 });
}

#define BY (&(struct state_cause){ .duration_ms = -1 })

/* ---- init-state, manual 5.2 ---- */

static void how_servers_begin(void **state)
{
        (void)state;
        apply("defaults\n" TIMES "backend b\n    default-server check rise 3 fall 3 inter 1h\n"
              "    server none 127.0.0.1:1\n    server fu 127.0.0.1:1 init-state fully-up\n"
              "    server u 127.0.0.1:1 init-state up\n    server d 127.0.0.1:1 init-state down\n"
              "    server fd 127.0.0.1:1 init-state fully-down\n    server x 127.0.0.1:1 no-check init-state down\n");
        status(srv("b", "none"), "UP 1/3");
        status(srv("b", "fu"), "UP");
        status(srv("b", "u"), "UP 1/3");
        status(srv("b", "d"), "DOWN 2/3");
        status(srv("b", "fd"), "DOWN");
        status(srv("b", "x"), "DOWN"); /* nobody will ever say that it is up, but for an operator */
        assert_int_equal(back_find(STR("b"))->act, 3);
        result(srv("b", "fu")->check, CHECK_L4CON);
        result(srv("b", "u")->check, CHECK_L4CON);
        result(srv("b", "d")->check, CHECK_L4OK);
        result(srv("b", "fd")->check, CHECK_L4OK);
        status(srv("b", "fu"), "UP 2/3");
        status(srv("b", "u"), "DOWN");
        status(srv("b", "d"), "UP");
        status(srv("b", "fd"), "DOWN 1/3");
}

/* HAProxy 2.6: "Server b/s is UP/READY (leaving forced maintenance)", whatever it was before. */
static void maintenance_forgets(void **state)
{
        struct server *s, *d;

        (void)state;
        apply("defaults\n" TIMES "backend b\n    default-server check rise 2 fall 3 inter 1h\n"
              "    server s 127.0.0.1:1\n    server d 127.0.0.1:1 init-state down\n");
        s = srv("b", "s");
        d = srv("b", "d");
        result(s->check, CHECK_L4CON);
        result(d->check, CHECK_L4OK);
        status(s, "DOWN");
        status(d, "UP");
        server_set_admin(s, SRV_ADM_FMAINT, 0, BY);
        server_set_admin(d, SRV_ADM_FMAINT, 0, BY);
        server_set_admin(s, 0, SRV_ADM_FMAINT, BY);
        server_set_admin(d, 0, SRV_ADM_FMAINT, BY);
        status(s, "UP 1/3");
        status(d, "DOWN 1/2");
}

static void intervals(void **state)
{
        struct check *c;

        (void)state;
        apply("defaults\n" TIMES
              "backend b\n    server s 127.0.0.1:1 check rise 2 fall 3 inter 7s fastinter 2s downinter 9s\n"
              "    server o 127.0.0.1:1 check rise 2 fall 3 inter 7s\n");
        c = srv("b", "s")->check;
        assert_int_equal(check_interval_ms(c), 2000); /* not checked yet */
        result(c, CHECK_L4OK);
        assert_int_equal(check_interval_ms(c), 7000);
        result(c, CHECK_L4CON);
        assert_int_equal(check_interval_ms(c), 2000); /* on its way down */
        result(c, CHECK_L4CON);
        result(c, CHECK_L4CON);
        assert_int_equal(check_interval_ms(c), 9000);
        result(c, CHECK_L4OK);
        assert_int_equal(check_interval_ms(c), 2000); /* on its way up */
        c = srv("b", "o")->check;
        result(c, CHECK_L4CON);
        assert_int_equal(check_interval_ms(c), 7000);
        assert_int_equal(check_first_at(c, 1, 2) - thr_self->now, 3500 * (mono_t)NS_PER_MS);
        apply("global\n    max-spread-checks 200ms\ndefaults\n" TIMES
              "backend b\n    server o 127.0.0.1:1 check rise 2 fall 3 inter 7s\n");
        c = srv("b", "o")->check;
        assert_int_equal(check_first_at(c, 1, 2) - thr_self->now, 100 * (mono_t)NS_PER_MS);
}

/* A reload of the same words changes nothing in a check that is on its way; a rise or fall that changed begins anew. */
static void a_reload_keeps_health(void **state)
{
        static const char text[] =
                "defaults\n" TIMES "backend b\n    server s 127.0.0.1:1 check rise 2 fall 3 port 7\n";
        struct check *c;

        (void)state;
        apply(text);
        c = srv("b", "s")->check;
        result(c, CHECK_L4OK);
        result(c, CHECK_L4CON);
        check_set_target(c, NULL, 99, NULL); /* the CLI */
        c->enabled = false;
        apply(text);
        assert_ptr_equal(srv("b", "s")->check, c);
        check_refit(c); /* its thread does that */
        assert_int_equal(c->health, 3);
        assert_int_equal(c->target.port, 99); /* an unchanged line keeps the runtime value */
        assert_false(c->enabled);
        c->enabled = true;
        apply("defaults\n" TIMES "backend b\n    server s 127.0.0.1:1 check rise 2 fall 5 port 8\n");
        check_refit(c);
        assert_int_equal(c->target.port, 8); /* a changed one wins */
        assert_int_equal(c->health, 6);
}

/* ---- agents ---- */

static void both_must_say_up(void **state)
{
        struct server *s;

        (void)state;
        apply("defaults\n" TIMES
              "backend b\n    server s 127.0.0.1:1 check rise 1 fall 1 inter 1h agent-check agent-port 1\n"
              "    server t 127.0.0.1:1\n");
        s = srv("b", "s");
        result(s->check, CHECK_L4OK);
        result(s->agent, CHECK_L7STS);
        status(s, "DOWN (agent)");
        result(s->check, CHECK_L4OK);
        status(s, "DOWN (agent)");
        result(s->check, CHECK_L4CON);
        result(s->agent, CHECK_L7OK);
        status(s, "DOWN");
        result(s->check, CHECK_L4OK);
        status(s, "UP");
        assert_int_equal(s->down_count, 1);
        result(s->agent, CHECK_L7STS);
        s->agent->enabled = false; /* CLI: what it said does not count any more, the next check brings the server up */
        result(s->check, CHECK_L4OK);
        status(s, "UP");
}

/* Manual 5.2, agent-check: "failure to connect to the agent is not considered an error". */
static void silence_is_no_failure(void **state)
{
        static const enum check_status none[] = { CHECK_L4CON, CHECK_L4TOUT,  CHECK_L7TOUT,
                                                  CHECK_L7RSP, CHECK_SOCKERR, CHECK_NEUTRAL };
        struct server *s;

        (void)state;
        apply("defaults\n" TIMES "backend b\n    server s 127.0.0.1:1 agent-check agent-port 1\n");
        s = srv("b", "s");
        for (unsigned i = 0; i < array_len(none); i++) {
                result(s->agent, none[i]);
                assert_true(server_is_up(s));
                assert_int_equal(s->agent->last.status, none[i]);
        }
        result(s->agent, CHECK_L7STS);
        for (unsigned i = 0; i < array_len(none); i++) {
                result(s->agent, none[i]);
                assert_false(server_is_up(s)); /* only "up" reverts "down" */
        }
        result(s->agent, CHECK_L7OK);
        assert_true(server_is_up(s));
        server_set_admin(s, SRV_ADM_FMAINT, 0, BY);
        assert_true(check_may_run(s->agent)); /* it may end what it began */
}

static void agent_goes_where(void **state)
{
        static const struct {
                const char *words, *to;
        } rows[] = {
                { "agent-port 5", "127.0.0.1:5" },
                { "agent-port 5 addr 127.0.0.2", "127.0.0.2:5" },
                { "agent-port 5 addr 127.0.0.2 agent-addr 127.0.0.3", "127.0.0.3:5" },
        };

        (void)state;
        for (unsigned i = 0; i < array_len(rows); i++) {
                struct sockaddr_storage sa;
                struct addr a = { 0 };
                char text[300];
                AUTO_BUF(got);

                (void)snprintf(text, sizeof(text),
                               "defaults\n" TIMES "backend b\n    server s 127.0.0.1:1 agent-check %s\n",
                               rows[i].words);
                apply(text);
                addr_from_sockaddr(&a, (struct sockaddr *)&sa, check_target(srv("b", "s")->agent, &sa));
                addr_print(&a, &got);
                buf_putc(&got, 0);
                assert_string_equal(got.p, rows[i].to);
        }
}

/* ---- track ---- */

#define CHAIN                                                                                                          \
        "defaults\n" TIMES "backend t\n    server t2 127.0.0.1:1 track t1\n    server t1 127.0.0.1:1 track b/s\n"      \
        "    server other 127.0.0.1:1\nbackend b\n    server s 127.0.0.1:1 check rise 1 fall 1 inter 1h\n"

static void state_follows_a_chain(void **state)
{
        struct server *s, *t1, *t2;

        (void)state;
        apply(CHAIN);
        s = srv("b", "s");
        t1 = srv("t", "t1");
        t2 = srv("t", "t2");
        assert_ptr_equal(server_track_end(t2), s);
        result(s->check, CHECK_L4CON);
        status(t1, "DOWN");
        status(t2, "DOWN");
        assert_int_equal(back_find(STR("t"))->act, 1);
        result(s->check, CHECK_L4OK);
        status(t2, "UP");
        server_set_admin(s, SRV_ADM_FMAINT, 0, BY);
        status(t1, "MAINT (via b/s)");
        status(t2, "MAINT (via t/t1)");
        server_set_admin(t1, SRV_ADM_FMAINT, 0, BY); /* its own reason, too */
        server_set_admin(s, 0, SRV_ADM_FMAINT, BY);
        status(t1, "MAINT");
        status(t2, "MAINT (via t/t1)");
        server_set_admin(t1, 0, SRV_ADM_FMAINT, BY);
        server_set_admin(s, SRV_ADM_FDRAIN, 0, BY);
        status(t2, "DRAIN");
        assert_int_equal(t2->admin, SRV_ADM_IDRAIN);
        server_set_admin(s, 0, SRV_ADM_FDRAIN, BY);
        status(t2, "UP");
}

static void a_reload_moves_trackers(void **state)
{
        struct server *t1, *t2;

        (void)state;
        apply(CHAIN);
        t1 = srv("t", "t1");
        t2 = srv("t", "t2");
        result(srv("b", "s")->check, CHECK_L4CON);
        apply(CHAIN "    server n 127.0.0.1:1\n");
        status(t2, "DOWN"); /* unchanged */
        apply("defaults\n" TIMES "backend t\n    server t2 127.0.0.1:1 track b/r\n    server t1 127.0.0.1:1\n"
              "backend b\n    server r 127.0.0.1:1 check rise 1 fall 1 inter 1h\n");
        status(t1, "no check"); /* by itself again; whom it tracked is gone */
        assert_null(t1->track);
        assert_ptr_equal(server_track_end(t2), srv("b", "r"));
        status(t2, "UP"); /* not checked yet */
        result(srv("b", "r")->check, CHECK_L4CON);
        status(t2, "DOWN");
        apply("defaults\n" TIMES "backend t\n    server t1 127.0.0.1:1\n");
        assert_ptr_equal(srv("t", "t1"), t1);
        assert_true(server_is_up(t1));
}

static void refused(const char *lines, const char *why)
{
        struct diags d;
        AUTO_BUF(text);
        AUTO_BUF(out);

        buf_puts(&text, "defaults\n    mode http\n" TIMES
                        "backend c\n    server x 127.0.0.1:1 check\n    server n 127.0.0.1:1\n"
                        "backend b\n");
        buf_puts(&text, lines);
        buf_putc(&text, 0);
        diags_init(&d);
        assert_null(load(text.p, &d));
        diags_format(&d, DIAG_CLASSIC, DIAG_ALERT, 7, &out);
        buf_putc(&out, 0);
        if (!strstr(out.p, why))
                fail_msg("%s\nis not in\n%s", why, out.p);
        diags_fini(&d);
}

static void loops_and_blanks_are_refused(void **state)
{
        (void)state;
        refused("    server a 127.0.0.1:1 track nope/x\n",
                "'server b/a' : unable to find required proxy 'nope' for tracking.");
        refused("    server a 127.0.0.1:1 track c/nope\n",
                "'server b/a' : unable to find required server 'nope' for tracking.");
        refused("    server a 127.0.0.1:1 track c/n\n",
                "'server b/a' : unable to use c/n for tracking as it does not have any check nor agent enabled.");
        refused("    server a 127.0.0.1:1 track a\n",
                "'server b/a' : unable to track b/a as it belongs to a tracking chain looping back to b/a.");
        refused("    server a 127.0.0.1:1 track d\n    server d 127.0.0.1:1 track a\n",
                "unable to track b/a as it belongs to a tracking chain looping back to b/d.");
        refused("    server z 127.0.0.1:1 track a\n    server a 127.0.0.1:1 track d\n    server d 127.0.0.1:1 track a\n",
                "unable to track b/d as it belongs to a tracking chain looping back to b/a.");
        refused("    default-server check\n    server a 127.0.0.1:1 track c/x\n",
                "'server b/a' : unable to enable checks and tracking at the same time!");
        refused("    server a 127.0.0.1:1 track c/x init-state up\n",
                "'server b/a' : unable to set init-state and tracking at the same time!");
        refused("    server a 127.0.0.1:1 agent-check\n",
                "'server b/a' : server a does not have agent port. Agent check has been disabled.");
        refused("    mode tcp\n    server a 127.0.0.1:1 check observe layer7\n",
                "'server b/a' : 'layer7' can only be used in http proxies.");
}

/* ---- slowstart ---- */

static void the_ramp(void **state)
{
        (void)state;
        assert_int_equal(slow_missing(0, 0, 1600), 15);
        assert_int_equal(slow_missing(0, 99 * NS_PER_MS, 1600), 15);
        assert_int_equal(slow_missing(0, 100 * NS_PER_MS, 1600), 14);
        assert_int_equal(slow_missing(0, 1499 * NS_PER_MS, 1600), 1);
        assert_int_equal(slow_missing(0, 1500 * NS_PER_MS, 1600), 0);
        assert_int_equal(slow_missing(0, UINT64_MAX / 2, 1), 0);
        assert_int_equal(slow_missing(5, 0, INT32_MAX), 15);
        assert_int_equal(slow_missing(0, 0, 0), 0);
}

static void who_was_down_starts_slowly(void **state)
{
        struct server *s;

        (void)state;
        apply("defaults\n" TIMES
              "backend b\n    server s 127.0.0.1:1 check rise 1 fall 1 inter 1h slowstart 1h weight 10 "
              "maxconn 100\n    server t 127.0.0.1:1 weight 10\n");
        s = srv("b", "s");
        result(s->check, CHECK_L4OK);
        assert_int_equal(s->oper, SRV_RUNNING); /* not at the start */
        assert_int_equal(server_lb_weight(s), 160);
        result(s->check, CHECK_L4CON);
        result(s->check, CHECK_L4OK);
        assert_int_equal(s->oper, SRV_STARTING);
        assert_true(s->usable);
        assert_int_equal(server_lb_weight(s), 10);
        assert_int_equal(server_shown_weight(server_lb_weight(s)), 1);
        assert_int_equal(slot_limit(s), 6); /* its share of maxconn */
        status(s, "UP");
        server_set_slow(s, 7);
        assert_int_equal(server_lb_weight(s), 90);
        assert_int_equal(slot_limit(s), 56);
        result(s->check, CHECK_L4OK);
        assert_int_equal(server_lb_weight(s), 90); /* a passed check does not end it */
        server_set_admin(s, SRV_ADM_FMAINT, 0, BY);
        assert_int_equal(server_lb_weight(s), 160);
        server_set_admin(s, 0, SRV_ADM_FMAINT, BY);
        assert_int_equal(server_lb_weight(s), 10); /* from the beginning */
        result(s->check, CHECK_L4CON);
        assert_int_equal(server_lb_weight(s), 160);
}

#define T(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                T(how_servers_begin),
                T(maintenance_forgets),
                T(intervals),
                T(a_reload_keeps_health),
                T(both_must_say_up),
                T(silence_is_no_failure),
                T(agent_goes_where),
                T(state_follows_a_chain),
                T(a_reload_moves_trackers),
                cmocka_unit_test(loops_and_blanks_are_refused),
                cmocka_unit_test(the_ramp),
                T(who_was_down_starts_slowly),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
