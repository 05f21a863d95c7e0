/* Log lines as they leave: every byte against what HAProxy 2.6 and 3.4 sent to a UDP sink on loopback (ecosystem.md 7). */
#include "feat/logs/logs_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static void test_httplog(void **st)
{
        struct fx_conf *c = load("frontend f\n mode http\n log @ local0\n option httplog\n");
        struct fx_stream f;

        (void)st;
        assert_null(strstr(c->text.p, "log"));
        fx_stream_init(&f, fx_logger(c, "f"));
        assert_string_equal(line_of(&f),
                            "<134>" HEAD "127.0.0.1:33376 [21/Nov/2026:12:05:52.293] f b/s1 0/0/1/3/5 200 119 - - "
                            "---- 1/1/0/0/0 0/0 \"GET /x?y=1 HTTP/1.1\"\n");
        assert_string_equal(line_of(&f), ""); /* once */
        fx_unload(c);
}

static void test_httplog_bad_request(void **st)
{
        struct fx_conf *c = load("frontend f\n mode http\n log @ local0\n option httplog\n");
        struct fx_stream f;

        (void)st;
        fx_stream_init(&f, fx_logger(c, "f"));
        f.s.back = NULL;
        f.s.bcfg = NULL;
        f.s.srv = NULL;
        f.s.log.request = NULL;
        f.s.status = 400;
        f.s.rsp_seen = false; /* %B counts what is passed on: nothing of a server's nonsense */
        memcpy(f.s.term, "PR", 2);
        f.s.t.idle_end = f.s.t.accept = f.s.t.end;
        f.s.t.request = f.s.t.queued = f.s.t.connected = f.s.t.response = 0;
        assert_string_equal(line_of(&f), "<134>" HEAD "127.0.0.1:33376 [21/Nov/2026:12:05:52.293] f f/<NOSRV> "
                                         "-1/-1/-1/-1/0 400 0 - - PR-- 1/1/0/0/0 0/0 \"<BADREQ>\"\n");
        fx_unload(c);
}

static void test_uri_escapes(void **st)
{
        struct fx_conf *c =
                load("frontend f\n mode http\n log @ format raw local0\n log-format \"%r|%HM|%HP|%HPO|%HQ|%HU|%HV\"\n");
        struct fx_stream f;

        (void)st;
        fx_stream_init(&f, fx_logger(c, "f"));
        fx_request(&f, "GET /a\"#\x01\xe9{|}\\?q HTTP/1.1");
        assert_string_equal(line_of(&f),
                            "GET /a#22#23#01#E9{|}\\?q HTTP/1.1|GET|/a#22#23#01#E9{|}\\|/a#22#23#01#E9{|}\\|?q|"
                            "/a#22#23#01#E9{|}\\?q|HTTP/1.1\n");
        f.s.logged = false;
        fx_request(&f, "GET http://h.x/%41?a=b HTTP/1.0");
        assert_string_equal(line_of(&f),
                            "GET http://h.x/%41?a=b HTTP/1.0|GET|http://h.x/%41|/%41|?a=b|http://h.x/%41?a=b|"
                            "HTTP/1.0\n");
        f.s.logged = false;
        f.s.log.request = NULL;
        assert_string_equal(line_of(&f), "<BADREQ>|<BADREQ>|<BADREQ>|<BADREQ>|<BADREQ>|<BADREQ>|<BADREQ>\n");
        fx_unload(c);
}

static void test_tcplog(void **st)
{
        struct fx_conf *c = load("frontend f\n log @ local0\n option tcplog\n");
        struct fx_stream f;

        (void)st;
        fx_stream_init(&f, fx_logger(c, "f"));
        f.s.http = false;
        f.s.redispatched = true;
        f.s.tries = 3;
        assert_string_equal(line_of(&f), "<134>" HEAD "127.0.0.1:33376 [21/Nov/2026:12:05:52.293] f b/s1 0/1/5 119 -- "
                                         "1/1/0/0/+3 0/0\n");
        fx_unload(c);
}

static void test_default_line(void **st)
{
        struct fx_conf *c = load("global\n log @ local0\ndefaults\n log global\nfrontend f\n mode http\nfrontend t\n");
        struct fx_stream f;
        const struct logger *l = fx_logger(c, "f");

        (void)st;
        fx_stream_init(&f, l);
        log_point(&f.s, l, LOG_ON_RESPONSE);
        assert_string_equal(got(), "");
        log_point(&f.s, l, LOG_ON_REQUEST);
        assert_string_equal(got(), "<134>" HEAD "Connect from 127.0.0.1:33376 to 127.0.0.1:27001 (f/HTTP)\n");
        assert_string_equal(line_of(&f), "");
        fx_stream_init(&f, fx_logger(c, "t"));
        f.fe.cell.name = "t";
        assert_string_equal(line_of(&f), "<134>" HEAD "Connect from 127.0.0.1:33376 to 127.0.0.1:27001 (t/TCP)\n");
        fx_unload(c);
}

static void test_headers(void **st)
{
        static const char *const forms[][2] = {
                { "local", "<134>" HEAD "x\n" },
                { "rfc3164", "<134>Nov 21 12:05:52 localhost haproxy[18760]: x\n" },
                { "rfc5424", "<134>1 2026-11-21T12:05:52.298123+00:00 - haproxy 18760 - - x\n" },
                { "priority", "<134>x\n" },
                { "short", "<6>x\n" },
                { "timed", "<6>2026-11-21T12:05:52.298123+00:00 x\n" },
                { "iso", "2026-11-21T12:05:52.298123+00:00 x\n" },
                { "raw", "x\n" },
        };
        char text[256];

        (void)st;
        for (size_t i = 0; i < array_len(forms); i++) {
                struct fx_conf *c;

                (void)snprintf(text, sizeof(text), "frontend f\n log @ format %s local0\n", forms[i][0]);
                c = load(text);
                log_driver->send(fx_logger(c, "f"), LOG_L_INFO, "x", 1);
                assert_string_equal(got(), forms[i][1]);
                fx_unload(c);
        }
}

static void test_host_and_tag(void **st)
{
        struct fx_conf *c = load(
                "global\n log-send-hostname lb1\n log-tag edge\nfrontend f\n log @ local0\n log @ format rfc5424 kern\n"
                "frontend g\n log-tag own\n log @ format local user\n");

        (void)st;
        log_driver->send(fx_logger(c, "f"), LOG_L_ERR, "x", 1);
        assert_string_equal(got(), "<131>Nov 21 12:05:52 lb1 edge[18760]: x\n");
        assert_string_equal(got(), "<3>1 2026-11-21T12:05:52.298123+00:00 lb1 edge 18760 - - x\n");
        log_driver->send(fx_logger(c, "g"), LOG_L_ERR, "x", 1);
        assert_string_equal(got(), "<11>Nov 21 12:05:52 own[18760]: x\n");
        fx_unload(c);
}

/* The length counts the header and the newline, as HAProxy 3.4 does. */
static void test_header_of_each_line(void **st)
{
        struct fx_conf *c = load("frontend f\n log @ local0\n log @ len 80 local1\n log-tag one\n log-format x\n"
                                 "frontend g\n log @ local0\n log-tag two\n log-format y\n");
        struct fx_stream f;
        int64_t start = thr_self->wall_us;

        (void)st;
        for (int i = 0; i < 3; i++) { /* a header serves many lines, but only of its own target, level and second */
                char want[64];

                fx_stream_init(&f, fx_logger(c, "f"));
                thr_self->wall_us = start + i * 400000;
                (void)snprintf(want, sizeof(want), "<134>Nov 21 12:05:5%d one[18760]: x\n", i < 2 ? 2 : 3);
                assert_string_equal(line_of(&f), want);
                want[3] = '2', want[2] = '4'; /* <142> */
                assert_string_equal(got(), want);
                fx_stream_init(&f, fx_logger(c, "g"));
                (void)snprintf(want, sizeof(want), "<134>Nov 21 12:05:5%d two[18760]: y\n", i < 2 ? 2 : 3);
                assert_string_equal(line_of(&f), want);
        }
        thr_self->wall_us = start;
        fx_unload(c);
}

static void test_length(void **st)
{
        struct fx_conf *c = load("frontend f\n mode http\n log @ len 80 local1\n log @ len 120 format rfc5424 local2\n "
                                 "option httplog\n");
        struct fx_stream f;
        const char *l;

        (void)st;
        fx_stream_init(&f, fx_logger(c, "f"));
        l = line_of(&f);
        assert_string_equal(l, "<142>" HEAD "127.0.0.1:33376 [21/Nov/2026:12:05:52.293]\n");
        assert_int_equal(strlen(l), 80);
        l = got();
        assert_string_equal(l, "<150>1 2026-11-21T12:05:52.298123+00:00 - haproxy 18760 - - 127.0.0.1:33376 "
                               "[21/Nov/2026:12:05:52.293] f b/s1 0/0/1/3/5\n");
        assert_int_equal(strlen(l), 120);
        fx_unload(c);
}

static void test_levels(void **st)
{
        struct fx_conf *c = load("frontend f\n log @ format raw local0 err\n log @ format short local0 debug notice\n");
        const struct logger *l = fx_logger(c, "f");

        (void)st;
        log_driver->send(l, LOG_L_INFO, "info", 4);
        assert_string_equal(got(), "<6>info\n");
        log_driver->send(l, LOG_L_ALERT, "alert", 5);
        assert_string_equal(got(), "alert\n");
        assert_string_equal(got(), "<5>alert\n"); /* capped at notice */
        fx_unload(c);
}

static void test_separate_errors(void **st)
{
        struct fx_conf *c = load(
                "frontend f\n mode http\n log @ format short local0\n log-format x\n option log-separate-errors\n");
        struct fx_stream f;

        (void)st;
        fx_stream_init(&f, fx_logger(c, "f"));
        assert_string_equal(line_of(&f), "<6>x\n");
        for (int i = 0; i < 5; i++) {
                fx_stream_init(&f, fx_logger(c, "f"));
                f.s.status = i == 0 ? 503 : 200;
                f.s.tries = i == 1;
                f.s.redispatched = i == 2;
                f.s.term[0] = i == 3 ? 's' : i == 4 ? 'L' : '-';
                assert_string_equal(line_of(&f), i == 4 ? "<6>x\n" : "<3>x\n");
        }
        fx_unload(c);
}

static void test_filters(void **st)
{
        struct fx_conf *c =
                load("frontend n\n mode http\n log @ format raw local0\n log-format x\n option dontlog-normal\n"
                     "frontend z\n log @ format raw local0\n log-format x\n option dontlognull\n");
        struct fx_stream f;

        (void)st;
        fx_stream_init(&f, fx_logger(c, "n"));
        assert_string_equal(line_of(&f), "");
        f.s.status = 500;
        assert_string_equal(line_of(&f), "x\n");
        fx_stream_init(&f, fx_logger(c, "z"));
        f.s.http = false;
        f.s.cl.rx_bytes = 0;
        assert_string_equal(line_of(&f), "x\n"); /* the server spoke */
        fx_stream_init(&f, fx_logger(c, "z"));
        f.s.http = false;
        f.s.cl.rx_bytes = f.s.sv.rx_bytes = 0;
        assert_string_equal(line_of(&f), "");
        fx_stream_init(&f, fx_logger(c, "z"));
        f.s.no_log = true;
        assert_string_equal(line_of(&f), "");
        fx_unload(c);
}

static void test_logasap(void **st)
{
        struct fx_conf *c =
                load("frontend f\n mode http\n log @ format raw local0\n option httplog\n option logasap\n");
        const struct logger *l = fx_logger(c, "f");
        struct fx_stream f;

        (void)st;
        fx_stream_init(&f, l);
        f.s.t.end = 0;
        log_point(&f.s, l, LOG_ON_RESPONSE);
        assert_string_equal(
                got(), "127.0.0.1:33376 [21/Nov/2026:12:05:52.293] f b/s1 0/0/1/3/+5 200 +119 - - ---- 1/1/0/0/0 0/0 "
                       "\"GET /x?y=1 HTTP/1.1\"\n");
        assert_string_equal(line_of(&f), "");
        fx_unload(c);
}

static void test_aliases(void **st)
{
        struct fx_conf *c = load("frontend f\n mode http\n log @ format raw local0\n log-format \"%{+X}o %ci %cp %fi "
                                 "%fp %pid %{-X}pid %Ts %rt %ms "
                                 "%Tt|%{+X}Tt  two  spaces %{-X}ci %T|%Tl|%trg|%trl|%hr %hs|%{-Q}H|%% %{+Q}ID x%{}Ts,y "
                                 "%ID%ID %si %sp %HQ\"\n"
                                 "frontend q\n mode http\n log @ format raw local0\n log-format \"%{+Q}o A %ci %cp %b "
                                 "%s %ts %tsc %ST %B %U %HM "
                                 "%HQ %ft %f %rt %H %hr|%hs|%hrl|%hsl|%CC %CS B %lc %ID\"\n");
        struct fx_stream f;

        (void)st;
        assert_null(strstr(c->text.p, "log"));
        fx_stream_init(&f, fx_logger(c, "f"));
        assert_string_equal(line_of(&f),
                            "7F000001 8260 7F000001 6979 4948 18760 6B018920 0005 125 5|5 two spaces 127.0.0.1 "
                            "21/Nov/2026:12:05:52 +0000|21/Nov/2026:12:05:52 +0000|21/Nov/2026:12:05:52 +0000|"
                            "21/Nov/2026:12:05:52 +0000| |vm|% \"\" x6B018920,y -- 7F000009 6982 ?y=1\n");
        fx_stream_init(&f, fx_logger(c, "q"));
        assert_string_equal(line_of(&f),
                            "A \"127.0.0.1\" 33376 \"b\" \"s1\" -- ---- 200 119 79 \"GET\" \"?y=1\" \"f\" \"f\" 5 "
                            "\"vm\" ||||\"\" \"\" B 0 \"\"\n");
        fx_unload(c);
}

static void test_zone(void **st)
{
        struct fx_conf *c = load("frontend f\n mode http\n log @ format iso local0\n log-format \"%t %T %Tl\"\n");
        struct fx_stream f;

        (void)st;
        (void)setenv("TZ", "XST-05:30", 1);
        tzset();
        thr_free(thr_self);
        thr_self = thr_new(0, &fx_sys, 65536);
        fx_stream_init(&f, fx_logger(c, "f"));
        assert_string_equal(line_of(&f),
                            "2026-11-21T17:35:52.298123+05:30 21/Nov/2026:17:35:52.293 21/Nov/2026:12:05:52 +0000 "
                            "21/Nov/2026:17:35:52 +0530\n");
        (void)setenv("TZ", "UTC", 1);
        tzset();
        thr_free(thr_self);
        thr_self = thr_new(0, &fx_sys, 65536);
        fx_unload(c);
}

/* ---- sinks ---- */

static int make_unix(const char *path)
{
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        (void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
        (void)unlink(path);
        assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
        return fd;
}

static unsigned asked;

static void ask(void *ctx, const char *path)
{
        (void)ctx;
        (void)path;
        asked++;
}

static void test_unix_reopen(void **st)
{
        char dir[] = "/tmp/telamon-logs-XXXXXX", path[64], text[128];
        uint64_t dropped = log_dropped();
        const struct logger *l;
        struct fx_conf *c;
        int fd;

        (void)st;
        assert_non_null(mkdtemp(dir));
        (void)snprintf(path, sizeof(path), "%s/log", dir);
        (void)snprintf(text, sizeof(text), "global\n log %s format raw local0\n", path);
        c = load(text);
        l = fx_logger(c, NULL);
        log_env.reopen = ask;

        log_driver->send(NULL, LOG_L_INFO, "lost", 4); /* no daemon yet; NULL: the global targets */
        assert_int_equal(log_dropped(), dropped + 1);
        assert_int_equal(asked, 1);
        fd = make_unix(path);
        log_driver->send(l, LOG_L_INFO, "early", 5); /* within the second: not tried again */
        assert_string_equal(got_from(fd), "");
        assert_int_equal(asked, 1);
        fx_mono_now += NS_PER_S;
        log_driver->send(l, LOG_L_INFO, "one", 3);
        assert_string_equal(got_from(fd), "one\n");

        close(fd); /* the daemon restarts */
        log_driver->send(l, LOG_L_INFO, "gone", 4);
        fd = make_unix(path);
        fx_mono_now += NS_PER_S;
        log_driver->send(l, LOG_L_INFO, "two", 3);
        assert_string_equal(got_from(fd), "two\n");

        for (int i = 0; i < 200000; i++) /* a daemon that does not read: the ring fills, never a wait */
                log_driver->send(l, LOG_L_INFO, "flood", 5);
        assert_true(log_dropped() > dropped + 3);
        close(fd);
        (void)unlink(path);
        (void)rmdir(dir);
        log_env.reopen = NULL;
        fx_unload(c);
}

/* A connection that the process around us made, as in an empty root. */
static void test_unix_handed_over(void **st)
{
        const char *path = "/nonexistent/telamon/log";
        struct fx_conf *c = load("global\n log /nonexistent/telamon/log format raw local0\n log @ local0\n"
                                 "frontend f\n log global\n log /nonexistent/telamon/log2 local0\n");
        const struct logger *l = fx_logger(c, NULL);
        const char *const *paths;
        int pair[2];
        size_t n;

        (void)st;
        paths = log_driver->paths(c->c, &n);
        assert_int_equal(n, 2);
        assert_string_equal(paths[0], path);
        assert_string_equal(paths[1], "/nonexistent/telamon/log2");
        assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
        log_driver->reopen(path, pair[0]);
        log_driver->send(l, LOG_L_INFO, "x", 1);
        assert_string_equal(got_from(pair[1]), "x\n");
        (void)got();
        close(pair[1]);
        assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
        log_driver->send(l, LOG_L_INFO, "lost", 4);
        (void)got();
        log_driver->reopen(path, pair[0]);
        log_driver->send(l, LOG_L_INFO, "y", 1);
        assert_string_equal(got_from(pair[1]), "y\n");
        (void)got();
        close(pair[1]);
        fx_unload(c);
}

/* The kernel queues ten datagrams; the rest waits for a slow daemon, in order, and nothing is dropped. */
static void test_slow_daemon(void **st)
{
        static const char path[] = "/nonexistent/telamon/slow";
        struct fx_conf *c = fx_load("frontend f\n log /nonexistent/telamon/slow format raw local0\n");
        const struct logger *l = fx_logger(c, "f");
        uint64_t dropped;
        char line[16];
        int pair[2];

        (void)st;
        assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
        log_driver->reopen(path, pair[0]);
        log_driver->flush(5000); /* of tests before this one */
        dropped = log_dropped();
        for (int i = 0; i < 2000; i++) {
                (void)snprintf(line, sizeof(line), "%d", i);
                log_driver->send(l, LOG_L_INFO, line, strlen(line));
        }
        for (int i = 0; i < 2000; i++) {
                struct pollfd pf = { .fd = pair[1], .events = POLLIN };

                (void)snprintf(line, sizeof(line), "%d\n", i);
                (void)poll(&pf, 1, 10000);
                assert_string_equal(got_from(pair[1]), line);
        }
        assert_int_equal(log_dropped(), dropped);
        close(pair[1]);
        fx_unload(c);
}

static void test_fd(void **st)
{
        char text[80], big[1000], in[128];
        uint64_t dropped = log_dropped();
        const struct logger *l;
        struct fx_conf *c;
        ssize_t n;
        int p[2];

        (void)st;
        assert_int_equal(pipe(p), 0);
        (void)snprintf(text, sizeof(text), "frontend f\n log fd\xff%d format raw local0\n", p[1]);
        *strchr(text, '\xff') = '@'; /* not the sink's address */
        c = fx_load(text);
        l = fx_logger(c, "f");
        log_driver->send(l, LOG_L_INFO, "one", 3);
        log_driver->send(l, LOG_L_INFO, "two", 3);
        log_driver->flush(2000);
        n = read(p[0], in, sizeof(in));
        assert_int_equal(n, 8);
        assert_memory_equal(in, "one\ntwo\n", 8);

        memset(big, 'x', sizeof(big)); /* nobody reads: the pipe and the ring fill, the caller never waits */
        for (int i = 0; i < 3000; i++)
                log_driver->send(l, LOG_L_INFO, big, sizeof(big));
        assert_true(log_dropped() > dropped + 1000);
        close(p[0]); /* EPIPE: what was queued is lost and counted */
        fx_unload(c);
}

static void test_full_disk(void **st)
{
        uint64_t dropped = log_dropped();
        int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
        const struct logger *l;
        struct fx_conf *c;
        char text[80];

        (void)st;
        assert_true(fd >= 0);
        (void)snprintf(text, sizeof(text), "frontend f\n log fd\xff%d format raw local0\n", fd);
        *strchr(text, '\xff') = '@';
        c = fx_load(text);
        l = fx_logger(c, "f");
        for (int i = 0; i < 10; i++)
                log_driver->send(l, LOG_L_INFO, "x", 1);
        log_driver->flush(2000);
        assert_true(log_dropped() >= dropped + 10);
        fx_unload(c);
}

/* ---- the rows ---- */

static void test_row_errors(void **st)
{
        static const char *const bad[][2] = {
                { "log 127.0.0.1:1 foo", "log : unknown log facility 'foo'" },
                { "log 127.0.0.1:1", "log : expects <address> and <facility> or global as arguments" },
                { "log 127.0.0.1:1 len 10 local0", "log : invalid log length '10', must be between 80 and 65535" },
                { "log 127.0.0.1:1 format xx local0", "log : unknown log format 'xx'" },
                { "log 127.0.0.1:1 local0 xx", "log : unknown optional log level 'xx'" },
                { "log 127.0.0.1:1 local0 info xx", "log : unknown optional minimum log level 'xx'" },
                { "log 127.0.0.1:1 local0 info info info", "log : cannot handle unexpected argument 'info'" },
                { "log", "log : expects <address> and <facility> or global as arguments" },
                { "no log x", "log : 'no log' does not expect arguments" },
                { "log global x", "log : unknown log facility 'x'" },
                { "log ring"
                  "\x40"
                  "buf local0",
                  "uses unknown ring 'buf'" },
                { "log 127.0.0.1 sample 0:10 local0", "log : wrong sample range '0'" },
                { "log 127.0.0.1 sample 3-2:4 local0", "log : wrong sample range '3-2'" },
                { "log 127.0.0.1 sample 1-3:2 local0", "must be greater or equal to the highest range limit" },
                { "log 127.0.0.1 sample 1,1-2:2 local0", "log : ranges are overlapping" },
                { "log 127.0.0.1 sample 2 local0", "log : missing sample size" },
                { "log 127.0.0.1 sample 1:x local0", "log : wrong sample size 'x'" },
                { "log 127.0.0.1 profile none local0", "unknown log-profile 'none'" },
                { "http-request do-log profile none", "unknown log-profile 'none'" },
                { "http-request do-log profile", "'profile' expects the name" },
                { "log-steps all,close", "'log-steps' expects 'all' or names" },
                { "log-steps accept,", "'log-steps' expects 'all' or names" },
                { "log-steps error", "'log-steps' expects 'all' or names" },
                { "log-format-sd \"%zz\"", "no such format alias 'zz'" },
                { "error-log-format \"%zz\"", "no such format alias 'zz'" },
                { "log-format %(a.b)s", "invalid character in custom name near '.'" },
                { "log-format %(a:raw)s", "unexpected output type 'raw'" },
                { "log-profile p\n on foo drop", "'on' expects a log step" },
                { "log-profile p\n on any", "'on any' expects 'drop', 'format' or 'sd'" },
                { "log-profile p\n on any format", "'format' expects a log-format string" },
                { "log-profile p\n on any sd %zz", "no such format alias 'zz'" },
                { "log backend\x40"
                  "b local0",
                  "are not supported yet" },
                { "log tcp\x40"
                  "127.0.0.1 local0",
                  "in 'tcp\x40"
                  "127.0.0.1'" },
                { "ring r\n server a 127.0.0.1:1 log-proto x", "expects one of 'legacy' or 'octet-count'" },
                { "ring r\n server a 127.0.0.1:1 check", "'check' is not supported in a ring section" },
                { "ring r\n server a", "<address>" },
                { "ring r\n backing-file /x", "lines are kept in memory only" },
                { "log-tag", "'log-tag' expects a tag for use in syslog." },
                { "log-format %ci %cp", "log-format expects only one argument, don't forget to escape spaces!" },
                { "log-format \"%Tsy\"",
                  "failed to parse log-format : no such format alias 'Tsy'. If you wanted to emit the '%' "
                  "character verbatim, you need to use '%%'" },
                { "log-format \"%{+Z}ci\"", "unknown flag '+Z'" },
                { "log-format \"%{+Q\"", "missing '}'" },
                { "log-format \"%[foo]\"", "unknown fetch method 'foo'" },
        };
        char text[256];

        (void)st;
        for (size_t i = 0; i < array_len(bad); i++) {
                struct fx_conf *c;

                (void)snprintf(text, sizeof(text), "frontend f\n log 127.0.0.1 local0\n %s\n", bad[i][0]);
                c = fx_load(text);
                assert_null(c->c);
                if (!strstr(c->text.p, bad[i][1]))
                        fail_msg("%s: got %s", bad[i][0], c->text.p);
                fx_unload(c);
        }
}

static void test_no_target(void **st)
{
        struct fx_conf *c = fx_load("defaults\n log global\nfrontend q\n mode http\n option httplog\n");

        (void)st;
        assert_non_null(
                strstr(c->text.p,
                       "[WARNING]  (7) : config : log format ignored for frontend 'q' since it has no log address.\n"));
        assert_int_equal(fx_logger(c, "q")->when, 0);
        fx_unload(c);
}

/* Inheritance, `no log`, and the canonical text. */
static void test_dump(void **st)
{
        struct fx_conf *c =
                fx_load("global\n log 127.0.0.1 len 200 format short daemon err alert\n"
                        "defaults\n log global\n log /dev/log local0 notice\n"
                        "listen a\n log stdout format raw daemon\n log-format \"%ci  %[src]\"\n option httplog\n"
                        "listen b\n no log\n log global\n option httplog\n log-format x\n");
        AUTO_BUF(out);

        (void)st;
        assert_non_null(c->c);
        conf_dump(c->c, &out);
        buf_putc(&out, '\0');
        assert_non_null(strstr(out.p, "    log 127.0.0.1 len 200 format short daemon err alert\n"));
        assert_non_null(strstr(out.p, "listen a\n"));
        assert_non_null(
                strstr(out.p, "    log global\n    log /dev/log local0 notice\n    log stdout format raw daemon\n"));
        assert_null(strstr(strstr(out.p, "listen b\n"), "/dev/log"));
        assert_null(strstr(strstr(out.p, "listen b\n"), "option httplog"));
        assert_int_equal(fx_logger(c, "a")->n, 3);
        assert_int_equal(fx_logger(c, "b")->n, 1);
        fx_unload(c);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_httplog),
                cmocka_unit_test(test_httplog_bad_request),
                cmocka_unit_test(test_header_of_each_line),
                cmocka_unit_test(test_uri_escapes),
                cmocka_unit_test(test_tcplog),
                cmocka_unit_test(test_default_line),
                cmocka_unit_test(test_headers),
                cmocka_unit_test(test_host_and_tag),
                cmocka_unit_test(test_length),
                cmocka_unit_test(test_levels),
                cmocka_unit_test(test_separate_errors),
                cmocka_unit_test(test_filters),
                cmocka_unit_test(test_logasap),
                cmocka_unit_test(test_aliases),
                cmocka_unit_test(test_zone),
                cmocka_unit_test(test_unix_reopen),
                cmocka_unit_test(test_unix_handed_over),
                cmocka_unit_test(test_slow_daemon),
                cmocka_unit_test(test_fd),
                cmocka_unit_test(test_full_disk),
                cmocka_unit_test(test_row_errors),
                cmocka_unit_test(test_no_target),
                cmocka_unit_test(test_dump),
        };

        (void)signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests(tests, setup, teardown);
}
