/* CSV, typed, JSON and the page from cells made by hand, one of them with a hostile name. */
#include "base/epoch.h"
#include "core/inner.h"
#include "core/threads.h"
#include "feat/stats/page.h"
#include "feat/stats/prom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define HOSTILE "x\"><script>alert('1')</script>&,\x01\xff"

static struct thr *thr;
static struct loop loop;
static struct front front;
static struct back back;
static struct server srv[2];
static struct server *srv_list[2] = { &srv[0], &srv[1] };
static struct proxy_cfg px_http = { .mode = PX_HTTP };
static struct front_cfg fcfg = { .px = &px_http, .maxconn = 100 };
static struct back_cfg bcfg = { .px = &px_http, .fullconn = 10 };
static const struct server_cfg scfg = { .pool_max_conn = -1 };
static const struct stats_cfg cfg = { .enable = true, .show_legends = true, .refresh_ms = 5000 };
static const struct stats_use use = { .cfg = &cfg, .section = "stats", .uri = { "/s", 2 } };

/* The fixed columns as HAProxy 3.4.0 prints them. */
static const char header[] =
        "# "
        "pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,"
        "act,bck,"
        "chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,rate_max,check_"
        "status,"
        "check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,hanafail,req_rate,req_rate_"
        "max,"
        "req_tot,cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,ctime,rtime,"
        "ttime,"
        "agent_status,agent_code,agent_duration,check_desc,agent_desc,check_rise,check_fall,check_health,agent_rise,"
        "agent_fall,"
        "agent_health,addr,cookie,mode,algo,conn_rate,conn_rate_max,conn_tot,intercepted,dcon,dses,wrew,connect,reuse,"
        "cache_lookups,cache_hits,srv_icur,src_ilim,qtime_max,ctime_max,rtime_max,ttime_max,eint,idle_conn_cur,safe_"
        "conn_cur,"
        "used_conn_cur,need_conn_est,uweight,agg_server_status,agg_server_check_status,agg_check_status,srid,sess_"
        "other,h1sess,"
        "h2sess,h3sess,req_other,h1req,h2req,h3req,proto,priv_idle_cur,reqbin,reqbout,resbin,resbout,-,";

static void make_server(struct server *s, const char *name, int n)
{
        cell_init(&s->cell, CELL_SERVER, ORIGIN_FILE, str_of(name));
        s->back = &back;
        s->cfg = &scfg;
        s->puid = n;
        s->weight = 3;
        s->oper = SRV_RUNNING;
        s->usable = 1;
        s->addr.in.sin_family = AF_INET;
        s->addr.in.sin_addr.s_addr = 0x0100007f;
        addr_set_port(&s->addr, 80);
        s->port = 80;
        list_init(&server_col(s)->streams);
}

static int setup(void **state)
{
        (void)state;
        thr_set_count(1);
        thr = thr_new(0, &sys_kernel, THR_RX_DEFAULT);
        thr_self = thr;
        thr->now = 1000 * (mono_t)NS_PER_S;
        assert_int_equal(loop_init(&loop, thr), 0);
        threads_set(0, &loop);
        cell_column_size(CELL_FRONT, sizeof(struct front_col));
        cell_column_size(CELL_BACK, sizeof(struct back_col));
        cell_column_size(CELL_SERVER, sizeof(struct server_col));
        cell_init(&front.cell, CELL_FRONT, ORIGIN_FILE, STR("web"));
        cell_init(&back.cell, CELL_BACK, ORIGIN_FILE, STR("app"));
        pthread_mutex_init(&back.lock, NULL);
        front.iid = 2;
        back.iid = 3;
        front.cfg = &fcfg;
        back.cfg = &bcfg;
        back.srv = srv_list;
        back.n_srv = 2;
        back.act = 2;
        make_server(&srv[0], "s1", 1);
        make_server(&srv[1], HOSTILE, 2);
        list_push(&world.fronts, &front.link);
        list_push(&world.backs, &back.link);
        world_names_publish();
        world.maxconn = 1000;
        STAT_ADD(((struct front_col *)cell_col(&front.cell))->st.sess_tot, 7);
        STAT_ADD(((struct front_col *)cell_col(&front.cell))->st.req_tot, 9);
        STAT_ADD(server_col(&srv[0])->st.bytes_in, 4294967296ull);
        STAT_ADD(server_col(&srv[0])->st.rsp[1], 5);
        return 0;
}

static struct stat_walk all(void)
{
        return (struct stat_walk){ .kinds = STAT_FRONT | STAT_BACK | STAT_SERVER, .legends = true };
}

static char *list(struct stat_walk *w, enum stat_form form)
{
        struct buf out = BUF_INIT;

        while (stat_walk_print(w, form, &out, 1))
                ;
        buf_putc(&out, 0);
        return out.p;
}

/* The n-th field of a CSV line without quotes. */
static const char *field(const char *line, int n)
{
        static char text[100];
        size_t len;

        while (n-- > 0)
                line = strchr(line, ',') + 1;
        len = strcspn(line, ",");
        memcpy(text, line, len);
        text[len] = 0;
        return text;
}

static void csv(void **state)
{
        struct stat_walk w = all();
        char *text = list(&w, STAT_CSV), *s1 = strstr(text, "\napp,s1,"), *fe = strstr(text, "\nweb,FRONTEND,");
        unsigned lines = 0;

        (void)state;
        assert_memory_equal(text, header, sizeof(header) - 1);
        assert_int_equal(text[sizeof(header) - 1], '\n');
        for (char *p = text; *p; p++)
                lines += *p == '\n';
        assert_int_equal(lines, 5);
        assert_non_null(fe);
        assert_string_equal(field(fe, 7), "7");
        assert_string_equal(field(fe, 2), ""); /* no queue on a frontend */
        assert_string_equal(field(fe, 6), "100");
        assert_string_equal(field(fe, 17), "OPEN");
        assert_string_equal(field(fe, 48), "9");
        assert_non_null(s1);
        assert_string_equal(field(s1, 2), "0");
        assert_string_equal(field(s1, 6), ""); /* no maxconn */
        assert_string_equal(field(s1, 8), "4294967296");
        assert_string_equal(field(s1, 17), "no check");
        assert_string_equal(field(s1, 21), ""); /* not checked */
        assert_string_equal(field(s1, 40), "5");
        assert_string_equal(field(s1, 55), "-1");
        assert_string_equal(field(s1, 73), "127.0.0.1:80");
        assert_string_equal(field(strstr(text, "\napp,BACKEND"), 18), "6"); /* both weights */
        assert_non_null(strstr(text, "\napp,\"x\"\"><script>"));            /* quoted, its quote doubled */
        free(text);
}

static void filters(void **state)
{
        struct stat_walk w = all();
        char *text;

        (void)state;
        w.iid = 3;
        w.kinds = STAT_SERVER;
        w.sid = 1;
        text = list(&w, STAT_CSV);
        assert_null(strstr(text, "FRONTEND"));
        assert_null(strstr(text, "BACKEND"));
        assert_non_null(strstr(text, "\napp,s1,"));
        assert_null(strstr(text, "script"));
        free(text);
        w = all();
        w.scope = STR("we");
        text = list(&w, STAT_CSV);
        assert_non_null(strstr(text, "\nweb,FRONTEND"));
        assert_null(strstr(text, "\napp,"));
        free(text);
        srv[0].admin = SRV_ADM_FMAINT;
        w = all();
        w.no_maint = true;
        text = list(&w, STAT_CSV);
        assert_null(strstr(text, "\napp,s1,"));
        free(text);
        srv[0].admin = 0;
}

static void typed(void **state)
{
        struct stat_walk w = all();
        char *text = list(&w, STAT_TYPED);

        (void)state;
        assert_non_null(strstr(text, "F.2.0.0.pxname.1:KNSV:str:web\n"));
        assert_non_null(strstr(text, "S.3.1.8.bin.1:MCPP:u64:4294967296\n"));
        assert_non_null(strstr(text, "S.3.1.55.lastsess.1:MAPP:s32:-1\n"));
        assert_non_null(strstr(text, "B.3.0.19.act.1:MGPV:u32:2\n"));
        assert_null(strstr(text, "F.2.0.2.qcur")); /* empty ones are left out */
        free(text);
}

static void json(void **state)
{
        struct stat_walk w = all();
        char *text = list(&w, STAT_JSON);

        (void)state;
        assert_memory_equal(
                text, "[[{\"objType\":\"Frontend\",\"proxyId\":2,\"id\":0,\"field\":{\"pos\":0,\"name\":\"pxname\"}",
                72);
        assert_non_null(strstr(text, "\"x\\\"><script>alert('1')</script>&,\\u0001\\ufffd\""));
        assert_string_equal(text + strlen(text) - 4, "}]]\n");
        free(text);
}

/* Every tag that was opened is closed, in order. */
static void well_formed(const char *p)
{
        char open[64][12];
        int depth = 0;

        while ((p = strchr(p, '<')) != NULL) {
                bool end = p[1] == '/';
                size_t n = strcspn(p + 1 + end, " >");
                const char *name = p + 1 + end;

                assert_true(n < sizeof(open[0]));
                p = strchr(p, '>');
                assert_non_null(p);
                if (name[0] == '!' || (n == 4 && memcmp(name, "meta", 4) == 0) ||
                    (n == 5 && memcmp(name, "input", 5) == 0))
                        continue;
                if (!end) {
                        assert_true(depth < 64);
                        memcpy(open[depth], name, n);
                        open[depth++][n] = 0;
                        continue;
                }
                assert_true(depth > 0);
                depth--;
                assert_int_equal(strlen(open[depth]), n);
                assert_memory_equal(open[depth], name, n);
        }
        assert_int_equal(depth, 0);
}

static char *page(const struct stats_use *u, const char *query)
{
        struct stats_page p = { .use = u, .uri = "/s" };
        struct buf out = BUF_INIT;

        stats_query_parse(str_of(query), &p.q);
        p.w = all();
        while (stats_page_html(&p, &out, 1))
                ;
        buf_putc(&out, 0);
        return out.p;
}

static void html(void **state)
{
        char *text = page(&use, "");

        (void)state;
        well_formed(text);
        assert_null(strstr(text, "<script"));
        assert_null(strchr(text, 1));
        assert_non_null(strstr(text, "x&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;, &#65533;"));
        assert_non_null(strstr(text, "<a name=\"app/s1\">"));
        assert_non_null(strstr(text, "idle = "));
        assert_non_null(strstr(text, "Telamon"));
        assert_non_null(strstr(text, STATS_VERSION));
        free(text);
}

static void html_hides_version(void **state)
{
        struct stats_cfg c = cfg;
        struct stats_use u = use;
        char *text;

        (void)state;
        c.hide_version = true;
        u.cfg = &c;
        text = page(&u, "");
        assert_null(strstr(text, "3.4"));
        free(text);
}

static void query(void **state)
{
        struct stats_query q;

        (void)state;
        stats_query_parse(STR(";csv;norefresh"), &q);
        assert_true(q.csv && q.no_refresh && !q.json && !q.up);
        stats_query_parse(STR("?scope=app;csv"), &q);
        assert_true(q.csv && str_is(q.scope, "app"));
}

static void auth(void **state)
{
        static const struct stats_user second = { NULL, "a:b:c" }, first = { &second, "u:p" };
        struct stats_cfg c = { .users = &first };

        (void)state;
        assert_true(stats_auth_ok(&c, STR("Basic dTpw")));
        assert_true(stats_auth_ok(&c, STR("basic YTpiOmM=")));
        assert_false(stats_auth_ok(&c, STR("Basic dTpx")));     /* u:q */
        assert_false(stats_auth_ok(&c, STR("Basic dTpwdTpw"))); /* u:pu:p: the right bytes, twice */
        assert_false(stats_auth_ok(&c, STR("Basic ")));
        assert_false(stats_auth_ok(&c, STR("")));
        assert_false(stats_auth_ok(&c, STR("Bearer dTpw")));
        assert_false(stats_auth_ok(&c, STR("Basic d!pw")));
}

static void servers_state(void **state)
{
        struct servers_walk w = { .backend = STR("app") };
        struct buf out = BUF_INIT;

        (void)state;
        srv[0].weight = 5;
        srv[0].iweight = 3;
        srv[0].last_change = thr->now - 9 * (mono_t)NS_PER_S;
        while (servers_state_print(&w, &out, 1))
                ;
        buf_putc(&out, 0);
        assert_memory_equal(out.p, "1\n# be_id be_name srv_id srv_name srv_addr ", 42);
        assert_non_null(strstr(out.p, "\n3 app 1 s1 127.0.0.1 2 0 5 3 9 1 0 0 0 0 0 0 - 80 - 0 0 - - 0\n"));
        buf_fini(&out);
}

/* In pieces of any size the same lines, and no piece much longer than was asked for. */
static void metrics_in_pieces(void **state)
{
        static const size_t rooms[] = { 1, 700, 5000, 1u << 20 };
        struct buf first = BUF_INIT;

        (void)state;
        for (size_t i = 0; i < array_len(rooms); i++) {
                struct prom p = { 0 };
                struct buf out = BUF_INIT;
                size_t was;
                bool more;

                assert_true(prom_query_parse(STR(""), &p.q));
                do {
                        was = out.n;
                        more = prom_print(&p, &out, rooms[i]);
                        assert_true(out.n - was < rooms[i] + 16 * 1024);
                } while (more);
                if (i == 0) {
                        first = out;
                        continue;
                }
                assert_int_equal(out.n, first.n);
                assert_memory_equal(out.p, first.p, out.n);
                buf_fini(&out);
        }
        buf_putc(&first, 0);
        assert_non_null(strstr(first.p, "\nhaproxy_server_bytes_in_total{proxy=\"app\",server=\"s1\"} 4294967296\n"));
        assert_non_null(strstr(first.p, "server=\"x\\\"><script>alert('1')</script>&,\x01\xef\xbf\xbd\"} 0\n"));
        buf_fini(&first);
}

static void metrics_query(void **state)
{
        struct prom_query q = { .no_maint = true };

        (void)state;
        assert_false(prom_query_parse(STR("scope=frontend&scope=what"), &q));
        assert_true(q.no_maint); /* untouched */
        assert_true(prom_query_parse(STR("&&scope=server&metrics=a,-b,,%61b%2&x=%"), &q));
        assert_int_equal(q.scopes, PROM_SERVER);
        assert_true(prom_query_wants(&q, STR("a")) && prom_query_wants(&q, STR("ab%2")));
        assert_false(prom_query_wants(&q, STR("b")) || prom_query_wants(&q, STR("c")));
        assert_true(prom_query_parse(STR("metrics=-b"), &q));
        assert_true(prom_query_wants(&q, STR("c")) && !prom_query_wants(&q, STR("b")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(metrics_in_pieces),
                cmocka_unit_test(metrics_query),
                cmocka_unit_test(csv),
                cmocka_unit_test(filters),
                cmocka_unit_test(typed),
                cmocka_unit_test(json),
                cmocka_unit_test(html),
                cmocka_unit_test(html_hides_version),
                cmocka_unit_test(query),
                cmocka_unit_test(auth),
                cmocka_unit_test(servers_state),
        };

        return cmocka_run_group_tests(tests, setup, NULL);
}
