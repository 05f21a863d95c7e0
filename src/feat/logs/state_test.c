/* Lines of state changes: word for word and level for level what HAProxy 2.6 and 3.4 logged when servers died, came back, drained and
 * went into maintenance on loopback (seed 004). */
#include "conf/conf.h"
#include "core/kinds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "core/inner.h"
#include "core/fixture.h"
#include "feat/logs/logs.h"

#include <string.h>
#include <unistd.h>

static struct fx_conf *conf;
static struct fx_stream f;
static struct back_cfg bcfg;
static struct proxy_cfg px;
static int udp;
static char proc[2048]; /* the process's own copies */

static void note_proc(void *ctx, bool alert, const char *text, size_t n)
{
        size_t at = strlen(proc);

        (void)ctx;
        (void)snprintf(proc + at, sizeof(proc) - at, "%s%.*s\n", alert ? "A:" : "W:", (int)n, text);
}

static int setup(void **st)
{
        struct sockaddr_in sa = { .sin_family = AF_INET };
        socklen_t len = sizeof(sa);
        char text[256];

        (void)st;
        fx_thread();
        kw_boot();
        event_boot();
        list_init(&world.fronts);
        list_init(&world.backs);
        sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(udp, (struct sockaddr *)&sa, sizeof(sa)), 0);
        assert_int_equal(getsockname(udp, (struct sockaddr *)&sa, &len), 0);
        (void)snprintf(text, sizeof(text), "backend b\n log 127.0.0.1:%d format priority local0\n", ntohs(sa.sin_port));
        conf = fx_load(text);
        assert_non_null(conf->c);
        log_env.proc = note_proc;
        return 0;
}

static int teardown(void **st)
{
        (void)st;
        fx_unload(conf);
        thr_free(thr_self);
        thr_self = NULL;
        return close(udp);
}

static void begin(bool backup, uint32_t act, uint32_t bck)
{
        fx_stream_init(&f, NULL);
        memset(&px, 0, sizeof(px));
        bcfg = (struct back_cfg){ .log = fx_logger(conf, "b"), .px = &px };
        atomic_init(&f.be.cfg, &bcfg);
        atomic_init(&f.be.act, act);
        atomic_init(&f.be.bck, bck);
        f.srv.backup = backup;
        proc[0] = '\0';
}

/* All datagrams since the last call. */
static const char *got(void)
{
        static char text[8192];
        size_t n = 0;
        ssize_t r;

        while ((r = recv(udp, text + n, sizeof(text) - n - 1, MSG_DONTWAIT)) > 0)
                n += (size_t)r;
        text[n] = '\0';
        return text;
}

struct move {
        enum server_oper from, to;
        uint8_t was, is; /* admin */
        bool was_usable;
        struct state_cause *why;
};

static const char *after(struct move c)
{
        struct event_server e = { .srv = &f.srv,
                                  .from_oper = c.from,
                                  .to_oper = c.to,
                                  .from_admin = c.was,
                                  .to_admin = c.is,
                                  .was_usable = c.was_usable,
                                  .why = c.why };

        event_publish(EVENT_SERVER_STATE, &e);
        return got();
}

#define L4 "Layer4 connection problem"
#define LEFT(a, b)                                                                                                     \
        ". " #a " active and " #b " backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.\n"
#define ONLINE(a, b) ". " #a " active and " #b " backup servers online. 0 sessions requeued, 0 total in queue.\n"

static void test_down_up(void **st)
{
        struct state_cause l4 = { L4, "Connection refused", -1, 0, NULL },
                           l7 = { .reason = "Layer7 wrong status", .info = "OK", .code = 200, .duration_ms = 1 },
                           ok = { "Layer4 check passed", NULL, -1, 0, NULL },
                           nasty = { .reason = "Layer7 wrong status", .info = "a\"b\r\n\xe9", .duration_ms = 1 },
                           cli = { NULL, NULL, 0, -1, "changed from CLI" };

        (void)st;
        begin(false, 1, 1);
        assert_string_equal(after((struct move){ SRV_RUNNING, SRV_STOPPED, 0, 0, true, &l4 }),
                            "<129>Server b/s1 is DOWN, reason: " L4
                            ", info: \"Connection refused\", check duration: 0ms" LEFT(1, 1));
        assert_string_equal(proc, "W:Server b/s1 is DOWN, reason: " L4
                                  ", info: \"Connection refused\", check duration: 0ms" LEFT(1, 1));
        assert_string_equal(
                after((struct move){ SRV_RUNNING, SRV_STOPPED, 0, 0, true, &l7 }),
                "<129>Server b/s1 is DOWN, reason: Layer7 wrong status, code: 200, info: \"OK\", check duration: "
                "1ms" LEFT(1, 1));
        assert_string_equal(after((struct move){ SRV_RUNNING, SRV_STOPPED, 0, 0, true, &nasty }),
                            "<129>Server b/s1 is DOWN, reason: Layer7 wrong status, code: 0, info: "
                            "\"a<22>b<0D><0A><E9>\", check duration: 1ms" LEFT(1, 1));
        assert_string_equal(after((struct move){ SRV_STOPPED, SRV_RUNNING, 0, 0, false, &ok }),
                            "<133>Server b/s1 is UP, reason: Layer4 check passed, check duration: 0ms" ONLINE(1, 1));
        assert_string_equal(after((struct move){ SRV_RUNNING, SRV_STOPPED, 0, 0, true, &cli }),
                            "<129>Server b/s1 is DOWN, changed from CLI" LEFT(1, 1));
        begin(true, 0, 1);
        assert_string_equal(
                after((struct move){ SRV_RUNNING, SRV_STOPPING, 0, 0, true, &cli }),
                "<133>Backup Server b/s1 is stopping, changed from CLI. 0 active and 1 backup servers online. Running "
                "on backup. 0 sessions requeued, 0 total in queue.\n");
}

static void test_maintenance(void **st)
{
        struct state_cause cli = { NULL, NULL, 0, -1, "via CLI" };

        (void)st;
        begin(false, 0, 1);
        assert_string_equal(after((struct move){ SRV_RUNNING, SRV_RUNNING, 0, SRV_ADM_FMAINT, true, &cli }),
                            "<129>Server b/s1 is going DOWN for maintenance. 0 active and 1 backup servers left. "
                            "Running on backup. "
                            "0 sessions active, 0 requeued, 0 remaining in queue.\n");
        assert_string_equal(after((struct move){ SRV_RUNNING, SRV_RUNNING, SRV_ADM_FMAINT, 0, false, NULL }),
                            "<133>Server b/s1 is UP/READY (leaving forced maintenance).\n");
        assert_string_equal(after((struct move){ SRV_STOPPED, SRV_STOPPED, 0, SRV_ADM_FMAINT, false, NULL }),
                            "<133>Server b/s1 was DOWN and now enters maintenance.\n");
        assert_string_equal(
                after((struct move){ SRV_RUNNING, SRV_RUNNING, SRV_ADM_FMAINT, SRV_ADM_FDRAIN, false, NULL }),
                "<133>Server b/s1 is UP/DRAIN (leaving forced maintenance).\n<133>Server b/s1 remains in forced drain "
                "mode.\n");
        begin(false, 1, 1);
        assert_string_equal(
                after((struct move){ SRV_RUNNING, SRV_RUNNING, SRV_ADM_FDRAIN, SRV_ADM_FDRAIN | SRV_ADM_FMAINT, false,
                                     NULL }),
                "<133>Server b/s1 is going DOWN for maintenance" LEFT(1, 1)); /* it was out already: notice */
        assert_string_equal(
                after((struct move){ SRV_RUNNING, SRV_STOPPED, SRV_ADM_FMAINT, SRV_ADM_FMAINT, false, NULL }), "");
}

static void test_drain(void **st)
{
        (void)st;
        begin(false, 1, 1);
        assert_string_equal(after((struct move){ SRV_RUNNING, SRV_RUNNING, 0, SRV_ADM_FDRAIN, true, NULL }),
                            "<133>Server b/s1 enters drain state" ONLINE(1, 1));
        assert_string_equal(after((struct move){ SRV_STOPPED, SRV_STOPPED, 0, SRV_ADM_FDRAIN, false, NULL }),
                            "<133>Server b/s1 enters drain state" LEFT(1, 1));
        assert_string_equal(after((struct move){ SRV_RUNNING, SRV_RUNNING, SRV_ADM_FDRAIN, 0, false, NULL }),
                            "<133>Server b/s1 is UP (leaving forced drain).\n");
        assert_string_equal(after((struct move){ SRV_STOPPED, SRV_STOPPED, SRV_ADM_FDRAIN, 0, false, NULL }),
                            "<133>Server b/s1 is DOWN (leaving forced drain).\n");
}

static void test_no_server(void **st)
{
        struct event_back e = { &f.be, false };

        (void)st;
        begin(false, 0, 0);
        event_publish(EVENT_BACK_STATE, &e);
        assert_string_equal(got(), "<128>backend b has no server available!\n");
        assert_string_equal(proc, "A:backend 'b' has no server available!\n");
        e.available = true;
        event_publish(EVENT_BACK_STATE, &e);
        assert_string_equal(got(), "");
}

static void test_health_checks(void **st)
{
        struct check_cfg cfg = { .rise = 2, .fall = 2 };
        struct check c = { .srv = &f.srv, .cfg = &cfg };
        struct check_result bad = { .status = CHECK_L4CON, .info = "Connection refused" },
                            ok = { .status = CHECK_L4OK };
        struct event_check e = { .check = &c, .result = &bad, .was_health = 3 };
        struct state_cause why = { .reason = L4, .info = "Connection refused", .code = -1, .checked = true };

        (void)st;
        begin(false, 1, 1);
        c.health = 2;
        event_publish(EVENT_CHECK_RESULT, &e);
        assert_string_equal(got(), ""); /* not asked for */
        px.options = OPT_LOG_HEALTH;
        event_publish(EVENT_CHECK_RESULT, &e);
        assert_string_equal(got(), "<133>Health check for server b/s1 failed, reason: " L4
                                   ", info: \"Connection refused\", check duration: 0ms, status: 1/2 UP.\n");
        e.was_health = 2;
        c.health = 0;
        event_publish(EVENT_CHECK_RESULT, &e);
        assert_non_null(strstr(got(), "status: 0/2 DOWN.\n"));
        e.was_health = 0;
        e.was_status = CHECK_L4CON;
        event_publish(EVENT_CHECK_RESULT, &e);
        assert_string_equal(got(), ""); /* no news */
        c.health = 1;
        e.result = &ok;
        event_publish(EVENT_CHECK_RESULT, &e);
        assert_string_equal(
                got(), "<133>Health check for server b/s1 succeeded, reason: Layer4 check passed, check duration: 0ms, "
                       "status: 1/2 DOWN.\n");
        /* The reason was told a line before. */
        assert_string_equal(after((struct move){ SRV_RUNNING, SRV_STOPPED, 0, 0, true, &why }),
                            "<129>Server b/s1 is DOWN" LEFT(1, 1));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_down_up),   cmocka_unit_test(test_maintenance),   cmocka_unit_test(test_drain),
                cmocka_unit_test(test_no_server), cmocka_unit_test(test_health_checks),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
