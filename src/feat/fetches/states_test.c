/* Samples of internal states and of connections: what they say of cells, streams and sockets. */
#include "feat/fetches/fetches_testing.h"

#include "core/inner.h"
#include "core/queue.h"
#include "core/srv_conn.h"
#include "core/strm_own.h"

#include <unistd.h>

static struct server other, *servers[2];
static struct server_cfg scfg = { .maxqueue = 5 };
static struct bind_cfg bind_line;
static struct listener listener;

static void one_server(struct server *s, const char *name, uint32_t maxconn)
{
        s->cell.name = name;
        s->back = &fs.be;
        s->cfg = &scfg;
        atomic_init(&s->weight, 8);
        atomic_init(&s->iweight, 9);
        atomic_init(&s->maxconn, maxconn);
        atomic_init(&s->usable, 1);
        atomic_init(&s->oper, SRV_RUNNING);
}

static int setup(void **st)
{
        (void)st;
        fx_thread();
        kw_boot();
        conf = fx_load("global\n");
        fx_stream_init(&fs, NULL);
        one_server(&fs.srv, "s1", 10);
        one_server(&other, "s2", 20);
        atomic_init(&fs.srv.cur, 4);
        servers[0] = &fs.srv;
        servers[1] = &other;
        fs.be.srv = servers;
        fs.be.n_srv = 2;
        atomic_init(&fs.be.act, 2);
        atomic_init(&fs.be.cur, 6);
        atomic_init(&fs.fe.iid, 7);
        fs.ss.http = true;
        fs.ss.cfg = &fs.fcfg;
        fs.ss.wire.conn.ev.fd = -1;
        fs.px.default_backend = "b";
        fs.px.timeout.client = 5000;
        fs.px.timeout.connect = 3000;
        fs.px.timeout.server = 7000;
        fs.px.timeout.tunnel = 60000;
        listener.cfg = &bind_line;
        atomic_init(&listener.cur, 3);
        fs.ss.listener = &listener;
        list_push(&world.backs, &fs.be.link);
        list_push(&world.fronts, &fs.fe.link);
        world_names_publish();
        world.pid = 77;
        world.started = thr_self->now - 12 * (mono_t)NS_PER_S;
        atomic_init(&world.cur_conns, 9);
        return 0;
}

static int teardown(void **st)
{
        (void)st;
        world_names_forget();
        list_del(&fs.be.link);
        list_del(&fs.fe.link);
        fx_unload(conf);
        thr_free(thr_self);
        thr_self = NULL;
        return 0;
}

static void test_process(void **st)
{
        static const struct pair t[] = {
                { "act_conn", "9" },
                { "pid", "77" },
                { "proc", "1" },
                { "nbproc", "1" },
                { "thread", "0" },
                { "tgroup", "0" },
                { "uptime", "12" },
                { "date_us", "298123" },
                { "stopping", "0" },
                { "quic_enabled", "0" },
                { "ipv4(1.2.3.4)", "1.2.3.4" },
                { "ipv6(::1)", "::1" },
                { "meth(GET)", "GET" },
                { "meth(foo)", "foo" },
                { "cpu_usage_thr", "0" },
                { "uuid,length", "36" },
                { "uuid(7),length", "36" },
        };

        (void)st;
        check(t, array_len(t));
        assert_int_equal(eval("uuid")[14], '4');
        assert_int_equal(strtoull(eval("uuid(7),bytes(0,8)"), NULL, 16), (FX_WALL_US / 1000) >> 16);
        assert_int_equal(eval("uuid(7)")[14], '7');
        assert_non_null(strchr("89ab", eval("uuid")[19]));
        world.stopping = true;
        assert_string_equal(eval("stopping"), "1");
        world.stopping = false;
}

static void test_proxies(void **st)
{
        static const struct pair t[] = {
                { "fe_conn", "1" },
                { "fe_conn(f)", "1" },
                { "fe_conn(nope)", "<miss>" },
                { "fe_req_rate(f)", "0" },
                { "fe_sess_rate", "0" },
                { "be_conn(b)", "6" },
                { "be_conn", "6" },
                { "be_conn_free(b)", "26" },
                { "be_sess_rate(b)", "0" },
                { "connslots(b)", "36" },
                { "queue(b)", "0" },
                { "avg_queue(b)", "0" },
                { "nbsrv(b)", "2" },
                { "be_conn(nope)", "<miss>" },
                { "srv_conn(b/s1)", "4" },
                { "srv_conn(s1)", "4" },
                { "srv_conn(b/s9)", "<miss>" },
                { "srv_conn(x/s1)", "<miss>" },
                { "srv_conn(/)", "<miss>" },
                { "srv_conn_free(b/s1)", "6" },
                { "srv_conn_free(b/s2)", "20" },
                { "srv_is_up(b/s1)", "1" },
                { "srv_iweight(b/s1)", "9" },
                { "srv_uweight(b/s1)", "8" },
                { "srv_weight(b/s1)", "8" },
                { "srv_queue(b/s1)", "0" },
                { "srv_sess_rate(b/s1)", "0" },
        };

        (void)st;
        check(t, array_len(t));
}

/* Servers that are not used do not count; without a limit the answer is -1; backups count where nobody else is usable. */
static void test_places(void **st)
{
        (void)st;
        atomic_store(&other.usable, 0);
        atomic_store(&other.admin, SRV_ADM_FMAINT);
        assert_string_equal(eval("be_conn_free(b)"), "6");
        assert_string_equal(eval("connslots(b)"), "11");
        assert_string_equal(eval("srv_is_up(b/s2)"), "0");
        atomic_store(&fs.srv.maxconn, 0);
        assert_string_equal(eval("be_conn_free(b)"), "-1");
        assert_string_equal(eval("connslots(b)"), "-1");
        assert_string_equal(eval("srv_conn_free(b/s1)"), "-1");
        atomic_store(&fs.srv.maxconn, 3);
        assert_string_equal(eval("srv_conn_free(b/s1)"), "0"); /* more than the limit: it was lowered */
        atomic_store(&fs.srv.backup, true);
        assert_string_equal(eval("be_conn_free(b)"), "0");
        atomic_store(&fs.be.act, 0);
        atomic_store(&fs.be.bck, 1);
        atomic_store(&fs.srv.maxconn, 9);
        assert_string_equal(eval("be_conn_free(b)"), "5");
        assert_string_equal(eval("nbsrv(b)"), "1");
        scfg.maxqueue = 0;
        assert_string_equal(eval("connslots(b)"), "-1");
        scfg.maxqueue = 5;
        fs.be.n_srv = 0;
        assert_string_equal(eval("be_conn_free(b)"), "0");
        assert_string_equal(eval("connslots(b)"), "0");
        fs.be.n_srv = 2;
        atomic_store(&fs.be.act, 2);
        atomic_store(&fs.be.bck, 0);
        atomic_store(&fs.srv.backup, false);
        atomic_store(&fs.srv.maxconn, 10);
        atomic_store(&other.usable, 1);
        atomic_store(&other.admin, 0);
}

static void test_stream(void **st)
{
        static const struct pair t[] = {
                { "accept_date", "1795262752" },
                { "accept_date(ms)", "1795262752293" },
                { "request_date(us)", "1795262752293123" },
                { "req.timer.idle", "0" },
                { "req.timer.hdr", "0" },
                { "req.timer.tq", "0" },
                { "req.timer.queue", "0" },
                { "bc.timer.connect", "1" },
                { "res.timer.hdr", "3" },
                { "res.timer.data", "1" },
                { "txn.timer.total", "5" },
                { "txn.timer.user", "5" },
                { "fc.timer.total", "5" },
                { "fc.timer.handshake", "0" },
                { "bytes_in", "79" },
                { "bytes_out", "119" },
                { "req.bytes_in", "79" },
                { "req.bytes_out", "0" },
                { "res.bytes_in", "119" },
                { "res.bytes_out", "119" },
                { "txn.id32", "5" },
                { "txn.conn_retries", "0" },
                { "txn.redispatched", "0" },
                { "txn.sess_term_state", "--" },
                { "txn.status", "200" },
                { "server_status", "200" },
                { "http_first_req", "0" },
                { "bc_srv_queue", "0" },
                { "bc_be_queue", "0" },
                { "fe_client_timeout", "5000" },
                { "cur_client_timeout", "5000" },
                { "be_connect_timeout", "3000" },
                { "be_queue_timeout", "3000" },
                { "be_server_timeout", "7000" },
                { "be_tunnel_timeout", "60000" },
                { "cur_connect_timeout", "3000" },
                { "cur_queue_timeout", "3000" },
                { "cur_server_timeout", "7000" },
                { "cur_tunnel_timeout", "60000" },
                { "fe_tarpit_timeout", "3000" },
                { "be_tarpit_timeout", "3000" },
                { "cur_tarpit_timeout", "3000" },
        };

        (void)st;
        check(t, array_len(t));
}

/* What rules, commands and our own answers change. */
static void test_changed_stream(void **st)
{
        (void)st;
        fs.s.q_srv = true;
        fs.s.log.q_pos = 3;
        fs.s.tries = 2;
        fs.s.client_ms = 100;
        assert_string_equal(eval("bc_srv_queue"), "3");
        assert_string_equal(eval("bc_be_queue"), "0");
        assert_string_equal(eval("txn.conn_retries"), "2");
        assert_string_equal(eval("cur_client_timeout"), "100");
        assert_string_equal(eval("cur_server_timeout"), "100"); /* as the runtime command says */
        fs.s.client_ms = 0;
        strm_own_of(&fs.s)->ms[STRM_CLIENT_MS] = 1;
        for (int i = STRM_CONNECT_MS; i < STRM_LIMITS; i++)
                strm_own_of(&fs.s)->ms[i] = 10 + i;
        assert_string_equal(eval("cur_client_timeout"), "1");
        assert_string_equal(eval("cur_connect_timeout"), "11");
        assert_string_equal(eval("cur_queue_timeout"), "12");
        assert_string_equal(eval("cur_server_timeout"), "13");
        assert_string_equal(eval("cur_tunnel_timeout"), "14");
        assert_string_equal(eval("cur_tarpit_timeout"), "15");
        assert_string_equal(eval("be_server_timeout"), "7000");
        fx_address(&strm_own_of(&fs.s)->src, "9.8.7.6", 5);
        strm_own_of(&fs.s)->has_src = true;
        assert_string_equal(eval("src"), "9.8.7.6");
        assert_string_equal(eval("fc_src"), "127.0.0.1"); /* the connection's */
        assert_string_equal(eval("fc_src_port"), "33376");
        expr_keep_status(&fs.s); /* the server's 200 is replaced */
        fs.s.status = 502;
        assert_string_equal(eval("server_status"), "200");
        assert_string_equal(eval("txn.status"), "502");
        expr_state_fini(&fs.s);
        fs.s.status = 200;
}

static void test_connections(void **st)
{
        static const struct pair t[] = {
                { "fc_src", "127.0.0.1" },
                { "fc_src_port", "33376" },
                { "fc_dst", "127.0.0.1" },
                { "fc_dst_port", "27001" },
                { "src_is_local", "1" },
                { "dst_is_local", "1" },
                { "fc_src_is_local", "1" },
                { "fc_dst_is_local", "1" },
                { "dst_conn", "3" },
                { "fe_defbe", "b" },
                { "fc_http_major", "1" },
                { "fc_nb_streams", "1" },
                { "fc_settings_streams_limit", "1" },
                { "bc_dst", "127.0.0.9" },
                { "bc_dst_port", "27010" },
                { "bc_src", "<miss>" },
                { "bc_src_port", "<miss>" },
                { "bc_reused", "0" },
                { "bc_http_major", "<miss>" }, /* no connection */
                { "bc_nb_streams", "<miss>" },
                { "fc_rtt", "<miss>" },
                { "bc_rtt(us)", "<miss>" },
                { "fc_lost", "<miss>" },
        };

        (void)st;
        check(t, array_len(t));
        fx_address(&fs.ss.src, "192.0.2.1", 80); /* documentation only: of no machine */
        assert_string_equal(eval("src_is_local"), "0");
        fs.ss.src.sa.sa_family = AF_UNIX;
        assert_string_equal(eval("src_is_local"), "1");
        assert_string_equal(eval("fc_src"), "<miss>");
        fx_address(&fs.ss.src, "127.0.0.1", 33376);
}

/* A connected pair: its numbers are there, and those of a unix socket are not. */
static void test_tcp_info(void **st)
{
        struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        struct srv_conn sc = { .n_req = 1 };
        socklen_t len = sizeof(sa);
        int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), a, u[2];

        (void)st;
        assert_int_equal(bind(l, (struct sockaddr *)&sa, len) + listen(l, 1), 0);
        assert_int_equal(getsockname(l, (struct sockaddr *)&sa, &len), 0);
        assert_int_equal(connect(c, (struct sockaddr *)&sa, len), 0);
        a = accept(l, NULL, NULL);
        fs.ss.wire.conn.ev.fd = a;
        sc.wire.conn.ev.fd = c;
        fs.s.sc = &sc;
        assert_string_equal(eval("fc_retrans"), "0");
        assert_string_equal(eval("fc_lost"), "0");
        assert_in_range(atoi(eval("fc_rtt(us)")), 0, 10000000);
        assert_int_equal(atoi(eval("fc_rtt(ms)")), atoi(eval("fc_rtt(us)")) / 1000);
        assert_in_range(atoi(eval("bc_rttvar(us)")), 1, 10000000);
        assert_string_equal(eval("bc_src"), "127.0.0.1");
        assert_int_not_equal(atoi(eval("bc_src_port")), 0);
        assert_string_equal(eval("bc_http_major"), "1");
        assert_string_equal(eval("bc_settings_streams_limit"), "1");
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, u), 0);
        fs.ss.wire.conn.ev.fd = u[0];
        assert_string_equal(eval("fc_rtt"), "<miss>");
        fs.ss.wire.conn.ev.fd = -1;
        fs.s.sc = NULL;
        for (int i = 0; i < 2; i++)
                (void)close(u[i]);
        (void)close(a);
        (void)close(c);
        (void)close(l);
}

/* tcp-request connection rules: what needs a stream misses, what needs the client is there. */
static void test_without_stream(void **st)
{
        static const char *const missing[] = {
                "bytes_in",           "txn.id32",       "txn.sess_term_state", "fc.timer.total",
                "req.timer.idle",     "http_first_req", "request_date",        "be_connect_timeout",
                "cur_server_timeout", "be_conn",        "srv_conn(s1)",
        };
        static const struct pair there[] = {
                { "accept_date(ms)", "1795262752000" },
                { "fe_name", "f" },
                { "fe_id", "7" },
                { "fe_conn", "1" },
                { "be_name", "f" },
                { "be_id", "7" },
                { "fe_client_timeout", "5000" },
                { "fe_defbe", "b" },
                { "fc_nb_streams", "0" },
                { "be_conn(b)", "6" },
                { "acl(TRUE)", "1" },
        };

        (void)st;
        fs.ss.idle_since = thr_self->now - 298 * (mono_t)NS_PER_MS;
        for (size_t i = 0; i < array_len(missing) + array_len(there); i++) {
                const char *text = i < array_len(missing) ? missing[i] : there[i - array_len(missing)].text;
                const char *want = i < array_len(missing) ? "<miss>" : there[i - array_len(missing)].want, *got;

                no_stream = true;
                got = eval_at(text, EXPR_AT_TCP, EXPR_AT_TCP, true);
                no_stream = false;
                if (strcmp(got, want) != 0)
                        fail_msg("%s: got '%s', want '%s'", text, got, want);
        }
}

/* Where no backend was used (manual, be_name). */
static void test_no_backend(void **st)
{
        (void)st;
        fs.s.back = NULL;
        fs.s.bcfg = NULL;
        assert_string_equal(eval("be_name"), "f");
        assert_string_equal(eval("be_id"), "7");
        assert_string_equal(eval("be_server_timeout"), "<miss>");
        assert_string_equal(eval("be_conn"), "<miss>");
        fs.s.back = &fs.be;
        fs.s.bcfg = &fs.bcfg;
}

static void test_alerts(void **st)
{
        static const struct pair t[] = {
                { "accept_date(h)", "unknown unit 'h'" },
                { "date(0,h)", "unknown unit 'h'" },
                { "fc_rtt(s)", "expects 'us' or 'ms', got 's'" },
                { "uuid(5)", "unsupported UUID version '5'" },
                { "ipv4(1.2.3)", "failed to parse '1.2.3' as an IPv4 address" },
                { "ipv6(1.2.3.4)", "failed to parse '1.2.3.4' as an IPv6 address" },
                { "srv_conn", "missing arguments" },
        };

        (void)st;
        check_alerts(t, array_len(t));
}

/* Names are looked for when all is read. */
static void test_references(void **st)
{
        static const struct pair t[] = {
                { "be_conn(b)", NULL },
                { "be_conn(l)", NULL },
                { "fe_conn(l)", NULL },
                { "srv_conn(b/s)", NULL },
                { "be_conn(nope)", "unable to find backend 'nope' referenced in a sample fetch in proxy 'f'" },
                { "be_conn(f)", "unable to find backend 'f'" },
                { "fe_conn(b)", "unable to find frontend 'b'" },
                { "srv_conn(s)", "unable to find server 's' in proxy 'f'" },
                { "srv_conn(b/t)", "unable to find server 't' in proxy 'b'" },
                { "srv_conn(x/s)", "unable to find proxy 'x'" },
        };
        char text[512];

        (void)st;
        for (size_t i = 0; i < array_len(t); i++) {
                struct fx_conf *c;

                (void)snprintf(text, sizeof(text),
                               "defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n"
                               "frontend f\n http-request set-header a %%[%s]\n default_backend b\n"
                               "backend b\n server s 127.0.0.1:1\n http-request deny if { srv_conn(s) 1 }\nlisten l\n",
                               t[i].text);
                c = fx_load(text);
                if (t[i].want ? c->c != NULL || !strstr(c->text.p, t[i].want) : c->c == NULL)
                        fail_msg("%s: %s", t[i].text, c->text.p);
                fx_unload(c);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_process),        cmocka_unit_test(test_proxies),
                cmocka_unit_test(test_places),         cmocka_unit_test(test_stream),
                cmocka_unit_test(test_changed_stream), cmocka_unit_test(test_connections),
                cmocka_unit_test(test_tcp_info),       cmocka_unit_test(test_without_stream),
                cmocka_unit_test(test_no_backend),     cmocka_unit_test(test_alerts),
                cmocka_unit_test(test_references),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
