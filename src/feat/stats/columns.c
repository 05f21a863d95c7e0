/* feat/stats/columns.c - the columns of `show stat`: names, order and tags are an interface (management.txt 9.1 and 9.2). */
#include "feat/stats/stats.h"

#include "core/lb.h"
#include "core/queue.h"

#include <stdio.h>

#define GET(f) atomic_load_explicit(&(f), memory_order_relaxed)

enum { F = STAT_FRONT, B = STAT_BACK, S = STAT_SERVER, ALL = F | B | S };

/* ---- values ---- */
static void num(struct stat_val *v, uint64_t u)
{
        v->u = u;
}

static void none(struct stat_val *v)
{
        v->type = STAT_NONE;
}

static void text(struct stat_val *v, struct str s)
{
        v->s = s;
}

static void text_buf(struct stat_val *v, struct buf *b)
{
        size_t n = b->n < sizeof(v->text) ? b->n : sizeof(v->text);

        if (n)
                memcpy(v->text, b->p, n);
        v->s = (struct str){ v->text, n };
        buf_fini(b);
}

static uint64_t age_s(const struct stat_obj *o, mono_t then)
{
        return o->now > then ? (o->now - then) / NS_PER_S : 0;
}

/* Its health check, as far as it is on. */
static const struct check *check_of(const struct stat_obj *o)
{
        const struct check *c = o->sv ? o->sv->check : NULL;

        return c && c->enabled ? c : NULL;
}

static void get_pxname(const struct stat_obj *o, struct stat_val *v)
{
        text(v, str_of(o->kind == STAT_FRONT ? o->fe->cell.name : o->be->cell.name));
}

static void get_svname(const struct stat_obj *o, struct stat_val *v)
{
        text(v, o->kind == STAT_FRONT  ? STR("FRONTEND")
                : o->kind == STAT_BACK ? STR("BACKEND")
                                       : str_of(o->sv->cell.name));
}

static const struct queue *queue_of(const struct stat_obj *o)
{
        return o->sv ? o->sv->queue : o->be->queue;
}

static void get_qcur(const struct stat_obj *o, struct stat_val *v)
{
        num(v, queue_of(o) ? queue_length(queue_of(o)) : 0);
}

static void get_qmax(const struct stat_obj *o, struct stat_val *v)
{
        num(v, queue_of(o) ? queue_max(queue_of(o)) : 0);
}

static void get_scur(const struct stat_obj *o, struct stat_val *v)
{
        num(v, o->kind == STAT_FRONT ? GET(o->fe->cur) : o->kind == STAT_BACK ? GET(o->be->cur) : GET(o->sv->cur));
}

static void get_smax(const struct stat_obj *o, struct stat_val *v)
{
        num(v, o->kind == STAT_FRONT  ? GET(o->fe->cur_max)
               : o->kind == STAT_BACK ? GET(o->be->cur_max)
                                      : GET(o->sv->cur_max));
}

static void get_slim(const struct stat_obj *o, struct stat_val *v)
{
        uint64_t n = o->kind == STAT_FRONT  ? (uint64_t)o->maxconn
                     : o->kind == STAT_BACK ? (uint64_t)o->fullconn
                                            : GET(o->sv->maxconn);

        if (n == 0 && o->kind == STAT_SERVER)
                none(v);
        num(v, n);
}

static void get_status(const struct stat_obj *o, struct stat_val *v)
{
        struct buf b = BUF_INIT;
        uint32_t state;

        if (o->kind == STAT_SERVER)
                server_status_text(o->sv, &b);
        else if (o->kind == STAT_BACK)
                buf_puts(&b, GET(o->be->act) + GET(o->be->bck) > 0 || o->be->n_srv == 0 ? "UP" : "DOWN");
        if (o->kind == STAT_BACK && o->count_up)
                buf_printf(&b, " (%u/%u)", GET(o->be->act) + GET(o->be->bck), o->be->n_srv);
        if (o->kind == STAT_FRONT) {
                state = GET(o->fe->state);
                buf_puts(&b, state == FRONT_STOPPED                                  ? "STOP"
                             : state == FRONT_PAUSED                                 ? "PAUSED"
                             : o->maxconn && GET(o->fe->cur) >= (uint32_t)o->maxconn ? "FULL"
                                                                                     : "OPEN");
        }
        text_buf(v, &b);
}

static void get_weight(const struct stat_obj *o, struct stat_val *v)
{
        num(v, server_shown_weight(o->kind == STAT_BACK ? (uint32_t)o->weight : server_lb_weight(o->sv)));
}

static void get_uweight(const struct stat_obj *o, struct stat_val *v)
{
        num(v, o->kind == STAT_BACK ? o->uweight : GET(o->sv->weight));
}

static void get_act(const struct stat_obj *o, struct stat_val *v)
{
        num(v, o->kind == STAT_BACK ? GET(o->be->act) : !o->sv->backup);
}

static void get_bck(const struct stat_obj *o, struct stat_val *v)
{
        num(v, o->kind == STAT_BACK ? GET(o->be->bck) : o->sv->backup);
}

static void get_chkfail(const struct stat_obj *o, struct stat_val *v)
{
        const struct check *c = check_of(o);

        if (!c)
                none(v);
        num(v, c ? GET(c->failed) : 0);
}

static void get_chkdown(const struct stat_obj *o, struct stat_val *v)
{
        if (o->kind == STAT_SERVER && !check_of(o))
                none(v);
        num(v, o->kind == STAT_BACK ? GET(o->be->down_count) : GET(o->sv->down_count));
}

static void get_lastchg(const struct stat_obj *o, struct stat_val *v)
{
        num(v, age_s(o, o->kind == STAT_BACK ? GET(o->be->last_change) : o->sv->last_change));
}

static void get_downtime(const struct stat_obj *o, struct stat_val *v)
{
        if (o->kind == STAT_BACK) {
                bool down = GET(o->be->act) + GET(o->be->bck) == 0 && o->be->n_srv > 0;
                num(v, GET(o->be->downtime_s) + (down ? age_s(o, GET(o->be->last_change)) : 0));
                return;
        }
        if (!check_of(o))
                none(v);
        num(v, GET(o->sv->downtime_s) + (server_is_up(o->sv) ? 0 : age_s(o, o->sv->last_change)));
}

static void get_qlimit(const struct stat_obj *o, struct stat_val *v)
{
        const struct server_cfg *c = server_cfg_now(o->sv);

        if (!c || c->maxqueue == 0)
                none(v);
        else
                num(v, (uint64_t)c->maxqueue);
}

static void get_pid(const struct stat_obj *o, struct stat_val *v)
{
        (void)o;
        num(v, 1);
}

static void get_iid(const struct stat_obj *o, struct stat_val *v)
{
        num(v, (uint64_t)o->iid);
}

static void get_sid(const struct stat_obj *o, struct stat_val *v)
{
        num(v, (uint64_t)o->sid);
}

static void get_type(const struct stat_obj *o, struct stat_val *v)
{
        num(v, o->kind == STAT_FRONT ? 0 : o->kind == STAT_BACK ? 1 : 2);
}

static const struct rate *sess_rate(const struct stat_obj *o)
{
        return o->kind == STAT_FRONT ? &o->fe->sess_rate : o->kind == STAT_BACK ? &o->be->sess_rate : &o->sv->sess_rate;
}

static void get_rate(const struct stat_obj *o, struct stat_val *v)
{
        num(v, rate_now(sess_rate(o), o->now));
}

static void get_rate_max(const struct stat_obj *o, struct stat_val *v)
{
        num(v, rate_max(sess_rate(o)));
}

static struct check_result last_of(const struct check *c)
{
        struct check_result r;

        check_last(c, &r);
        if (r.status == CHECK_UNKNOWN)
                r.status = CHECK_INI;
        return r;
}

/* The same columns for the health check and the agent. Nothing of one that is switched off or, in maintenance, does not run. */
static const struct check *shown(const struct stat_obj *o, bool agent)
{
        const struct check *c = !o->sv ? NULL : agent ? o->sv->agent : o->sv->check;

        if (!c || !c->enabled || (!agent && (GET(o->sv->admin) & SRV_ADM_MAINT)))
                return NULL;
        return c;
}

static void show_status(const struct check *c, struct stat_val *v)
{
        struct buf b = BUF_INIT;

        if (!c) {
                none(v);
                return;
        }
        if (c->running)
                buf_puts(&b, "* ");
        buf_puts(&b, check_status_name(last_of(c).status));
        text_buf(v, &b);
}

static void show_code(const struct check *c, struct stat_val *v)
{
        if (!c || !check_status_has_code(last_of(c).status))
                none(v);
        else
                num(v, (uint64_t)last_of(c).code);
}

/* An analysis of traffic took no time of its own. */
static void show_duration(const struct check *c, struct stat_val *v)
{
        if (!c || last_of(c).status <= CHECK_START || last_of(c).status == CHECK_HANA)
                none(v);
        else
                num(v, (uint64_t)(last_of(c).duration_ms > 0 ? last_of(c).duration_ms : 0));
}

static void show_last(const struct check *c, struct stat_val *v)
{
        struct buf b = BUF_INIT;
        struct check_result r;

        if (!c) {
                none(v);
                return;
        }
        r = last_of(c);
        buf_add(&b, r.info, strnlen(r.info, sizeof(r.info)));
        text_buf(v, &b);
}

static void show_desc(const struct check *c, struct stat_val *v)
{
        if (!c)
                none(v);
        else
                text(v, str_of(check_status_text(last_of(c).status)));
}

static void show_rise(const struct check *c, struct stat_val *v)
{
        if (!c)
                none(v);
        num(v, c ? (uint64_t)c->cfg->rise : 0);
}

static void show_fall(const struct check *c, struct stat_val *v)
{
        if (!c)
                none(v);
        num(v, c ? (uint64_t)c->cfg->fall : 0);
}

static void show_health(const struct check *c, struct stat_val *v)
{
        if (!c)
                none(v);
        num(v, c ? (uint64_t)c->health : 0);
}

#define OF_CHECK(what)                                                                                                 \
        static void get_check_##what(const struct stat_obj *o, struct stat_val *v)                                     \
        {                                                                                                              \
                show_##what(shown(o, false), v);                                                                       \
        }                                                                                                              \
        static void get_agent_##what(const struct stat_obj *o, struct stat_val *v)                                     \
        {                                                                                                              \
                show_##what(shown(o, true), v);                                                                        \
        }
OF_CHECK(status)
OF_CHECK(code)
OF_CHECK(duration)
OF_CHECK(last)
OF_CHECK(desc)
OF_CHECK(rise)
OF_CHECK(fall)
OF_CHECK(health)

static void get_hanafail(const struct stat_obj *o, struct stat_val *v)
{
        if (GET(o->sv->observe) == OBSERVE_NONE)
                none(v);
        num(v, GET(o->sv->observed_failures));
}

/* In percent, while it starts slowly. */
static void get_throttle(const struct stat_obj *o, struct stat_val *v)
{
        if (GET(o->sv->oper) != SRV_STARTING || GET(o->sv->slow) == 0)
                none(v);
        num(v, 100 * (SRV_WEIGHT_SCALE - GET(o->sv->slow)) / SRV_WEIGHT_SCALE);
}

static void get_tracked(const struct stat_obj *o, struct stat_val *v)
{
        const struct server *t = atomic_load_explicit(&o->sv->track, memory_order_acquire);
        struct buf b = BUF_INIT;

        if (!t) {
                none(v);
                return;
        }
        buf_printf(&b, "%s/%s", t->back->cell.name, t->cell.name);
        text_buf(v, &b);
}

static void get_req_rate(const struct stat_obj *o, struct stat_val *v)
{
        num(v, rate_now(&o->fe->req_rate, o->now));
}

static void get_req_rate_max(const struct stat_obj *o, struct stat_val *v)
{
        num(v, rate_max(&o->fe->req_rate));
}

static void get_conn_rate(const struct stat_obj *o, struct stat_val *v)
{
        num(v, rate_now(&o->fe->conn_rate, o->now));
}

static void get_conn_rate_max(const struct stat_obj *o, struct stat_val *v)
{
        num(v, rate_max(&o->fe->conn_rate));
}

static void get_lastsess(const struct stat_obj *o, struct stat_val *v)
{
        num(v, o->sum.last_sess ? age_s(o, o->sum.last_sess) : (uint64_t)-1);
}

static void get_addr(const struct stat_obj *o, struct stat_val *v)
{
        struct buf b = BUF_INIT;

        if (!o->legends) {
                none(v);
                return;
        }
        if (o->sv->path)
                buf_puts(&b, "unix");
        else
                addr_print(&o->sv->addr, &b);
        text_buf(v, &b);
}

static void get_mode(const struct stat_obj *o, struct stat_val *v)
{
        text(v, o->http ? STR("http") : STR("tcp"));
}

static void get_algo(const struct stat_obj *o, struct stat_val *v)
{
        if (!o->legends)
                none(v);
        else
                text(v, str_of(lb_name(o->lb)));
}

static void get_ilim(const struct stat_obj *o, struct stat_val *v)
{
        if (server_cfg_now(o->sv)->pool_max_conn < 0)
                none(v);
        else
                num(v, (uint64_t)server_cfg_now(o->sv)->pool_max_conn);
}

/* Of what this program has not: the count is truly zero. */
static void get_rate_lim(const struct stat_obj *o, struct stat_val *v)
{
        num(v, GET(o->fe->sess_gate.limit));
}
static void get_zero(const struct stat_obj *o, struct stat_val *v)
{
        (void)o;
        num(v, 0);
}

static void get_req_tot(const struct stat_obj *o, struct stat_val *v)
{
        if (!o->http && o->kind != STAT_FRONT)
                none(v);
        num(v, o->sum.req_tot);
}

static void get_sess_other(const struct stat_obj *o, struct stat_val *v)
{
        num(v, o->http ? 0 : o->sum.conn_tot);
}

static void get_h1sess(const struct stat_obj *o, struct stat_val *v)
{
        num(v, o->http ? o->sum.conn_tot : 0);
}

static void get_req_other(const struct stat_obj *o, struct stat_val *v)
{
        num(v, o->http ? 0 : o->sum.sess_tot);
}

static void get_h1req(const struct stat_obj *o, struct stat_val *v)
{
        num(v, o->http ? o->sum.req_tot : 0);
}

/* ---- the table ---- */
#define SUM(n, t, k, h, f, d)                                                                                          \
        {                                                                                                              \
                .name = n, .tags = t, .kinds = k, .http = h, .type = STAT_U64, .sum = offsetof(struct px_sum, f),      \
                .help = d                                                                                              \
        }
#define SUM32(n, t, k, h, f, d)                                                                                        \
        {                                                                                                              \
                .name = n, .tags = t, .kinds = k, .http = h, .type = STAT_U32, .sum = offsetof(struct px_sum, f),      \
                .help = d                                                                                              \
        }
#define FN(n, t, k, h, ty, g, d)                                                                                       \
        {                                                                                                              \
                .name = n, .tags = t, .kinds = k, .http = h, .type = ty, .get = g, .help = d                           \
        }
#define FN2(n, t, bt, k, h, ty, g, d)                                                                                  \
        {                                                                                                              \
                .name = n, .tags = t, .back_tags = bt, .kinds = k, .http = h, .type = ty, .get = g, .help = d          \
        }
#define NOTHING(n, d)                                                                                                  \
        {                                                                                                              \
                .name = n, .tags = "MCPP", .kinds = 0, .type = STAT_U64, .get = get_zero, .help = d                    \
        }

/* clang-format off */
const struct stat_col stat_cols[] = {
        FN("pxname", "KNSV", ALL, false, STAT_STR, get_pxname, "name of the proxy"),
        FN("svname", "KNSV", ALL, false, STAT_STR, get_svname, "FRONTEND, BACKEND or the server's name"),
        FN("qcur", "MGPV", B | S, false, STAT_U32, get_qcur, "requests waiting in the queue now"),
        FN("qmax", "MMPV", B | S, false, STAT_U32, get_qmax, "most requests ever waiting in the queue"),
        FN("scur", "MGPV", ALL, false, STAT_U32, get_scur, "sessions open now"),
        FN("smax", "MMPV", ALL, false, STAT_U32, get_smax, "most sessions ever open at once"),
        FN("slim", "CLPV", ALL, false, STAT_U32, get_slim, "limit of sessions: maxconn, or fullconn of a backend"),
        SUM("stot", "MCPP", ALL, false, sess_tot, "sessions so far"),
        SUM("bin", "MCPP", ALL, false, bytes_in, "bytes of requests"),
        SUM("bout", "MCPP", ALL, false, res_in, "bytes of answers, as they came"),
        SUM("dreq", "MCPP", F | B, false, denied_req, "requests denied by rules"),
        SUM("dresp", "MCPP", ALL, false, denied_resp, "answers denied by rules"),
        SUM("ereq", "MCPP", F, false, err_req, "requests that were invalid or never complete"),
        SUM("econ", "MCPP", B | S, false, err_conn, "connections to servers that failed"),
        SUM("eresp", "MCPP", B | S, false, err_resp, "answers that were invalid or never complete"),
        SUM("wretr", "MCPP", B | S, false, retries, "connection attempts repeated"),
        SUM("wredis", "MCPP", B | S, false, redispatches, "requests sent to another server than chosen first"),
        FN("status", "SGPV", ALL, false, STAT_STR, get_status, "state word"),
        FN("weight", "MaPV", B | S, false, STAT_U32, get_weight, "effective weight; of a backend: of the servers that take traffic"),
        FN2("act", "SGPV", "MGPV", B | S, false, STAT_U32, get_act, "usable active servers; of a server: it is one"),
        FN2("bck", "SGPV", "MGPV", B | S, false, STAT_U32, get_bck, "usable backup servers; of a server: it is one"),
        FN("chkfail", "MCPP", S, false, STAT_U64, get_chkfail, "failed health checks"),
        FN("chkdown", "MCPP", B | S, false, STAT_U64, get_chkdown, "times it went down"),
        FN("lastchg", "MAPP", B | S, false, STAT_U32, get_lastchg, "seconds since it last went up or down"),
        FN("downtime", "MCPV", B | S, false, STAT_U32, get_downtime, "seconds it has been down in all"),
        FN("qlimit", "CGSV", S, false, STAT_U32, get_qlimit, "maxqueue"),
        FN("pid", "KGPV", ALL, false, STAT_U32, get_pid, "number of the worker process (always 1)"),
        FN("iid", "KGSV", ALL, false, STAT_U32, get_iid, "number of the proxy"),
        FN("sid", "KGSV", ALL, false, STAT_U32, get_sid, "number of the server in its backend"),
        FN("throttle", "MaPV", S, false, STAT_U32, get_throttle, "percentage while slow start is under way"),
        SUM("lbtot", "MCPP", B | S, false, lbtot, "times a server was chosen by the balance algorithm"),
        FN("tracked", "CNSV", S, false, STAT_STR, get_tracked, "the server whose state is tracked"),
        FN("type", "CGSV", ALL, false, STAT_U32, get_type, "0 frontend, 1 backend, 2 server"),
        FN("rate", "MRPP", ALL, false, STAT_U32, get_rate, "sessions in the last second"),
        FN("rate_lim", "CLPV", F, false, STAT_U32, get_rate_lim, "limit of new sessions per second"),
        FN2("rate_max", "MMPV", "MGPV", ALL, false, STAT_U32, get_rate_max, "most sessions in a second"),
        FN("check_status", "MOPV", S, false, STAT_STR, get_check_status, "result of the last health check; with * while one is running"),
        FN("check_code", "MOPV", S, false, STAT_U32, get_check_code, "protocol's code in the last health check"),
        FN("check_duration", "MDPV", S, false, STAT_U64, get_check_duration, "milliseconds the last health check took"),
        SUM("hrsp_1xx", "MCPP", ALL, true, rsp[0], "answers with status 1xx"),
        SUM("hrsp_2xx", "MCPP", ALL, true, rsp[1], "answers with status 2xx"),
        SUM("hrsp_3xx", "MCPP", ALL, true, rsp[2], "answers with status 3xx"),
        SUM("hrsp_4xx", "MCPP", ALL, true, rsp[3], "answers with status 4xx"),
        SUM("hrsp_5xx", "MCPP", ALL, true, rsp[4], "answers with status 5xx"),
        SUM("hrsp_other", "MCPP", ALL, true, rsp[5], "answers with another status"),
        FN("hanafail", "MCPP", S, false, STAT_U64, get_hanafail, "failures seen by observing traffic"),
        FN("req_rate", "MRPP", F, false, STAT_U32, get_req_rate, "HTTP requests in the last second"),
        FN("req_rate_max", "MMPV", F, false, STAT_U32, get_req_rate_max, "most HTTP requests in a second"),
        FN("req_tot", "MCPP", ALL, false, STAT_U64, get_req_tot, "HTTP requests so far"),
        SUM("cli_abrt", "MCPP", B | S, false, cli_abort, "exchanges that the client ended early"),
        SUM("srv_abrt", "MCPP", B | S, false, srv_abort, "exchanges that the server ended early"),
        FN("comp_in", "MCPP", F | B, false, STAT_U64, get_zero, "bytes given to the compressor"),
        FN("comp_out", "MCPP", F | B, false, STAT_U64, get_zero, "bytes the compressor gave back"),
        FN("comp_byp", "MCPP", F | B, false, STAT_U64, get_zero, "bytes that passed by the compressor"),
        FN("comp_rsp", "MCPP", F | B, false, STAT_U64, get_zero, "answers that were compressed"),
        FN("lastsess", "MAPP", B | S, false, STAT_S32, get_lastsess, "seconds since the last session, -1 = none yet"),
        FN("last_chk", "MOPV", S, false, STAT_STR, get_check_last, "what the last health check said"),
        FN("last_agt", "MOPV", S, false, STAT_STR, get_agent_last, "what the last agent check said"),
        SUM32("qtime", "MaPV", B | S, false, qtime, "average milliseconds in the queue, last 1024 requests"),
        SUM32("ctime", "MaPV", B | S, false, ctime, "average milliseconds to connect, last 1024 requests"),
        SUM32("rtime", "MaPV", B | S, false, rtime, "average milliseconds until the answer, last 1024 requests"),
        SUM32("ttime", "MaPV", B | S, false, ttime, "average milliseconds of the whole exchange, last 1024 requests"),
        FN("agent_status", "MOPV", S, false, STAT_STR, get_agent_status, "result of the last agent check; with * while one is running"),
        FN("agent_code", "MOPV", S, false, STAT_U32, get_agent_code, "code of the last agent check"),
        FN("agent_duration", "MDPV", S, false, STAT_U64, get_agent_duration, "milliseconds the last agent check took"),
        FN("check_desc", "MOPV", S, false, STAT_STR, get_check_desc, "check_status in words"),
        FN("agent_desc", "MOPV", S, false, STAT_STR, get_agent_desc, "agent_status in words"),
        FN("check_rise", "CGSV", S, false, STAT_U32, get_check_rise, "rise: good checks until it is up"),
        FN("check_fall", "CGSV", S, false, STAT_U32, get_check_fall, "fall: bad checks until it is down"),
        FN("check_health", "CGSV", S, false, STAT_U32, get_check_health, "health between 0 and rise + fall - 1"),
        FN("agent_rise", "CGSV", S, false, STAT_U32, get_agent_rise, "rise of the agent check"),
        FN("agent_fall", "CGSV", S, false, STAT_U32, get_agent_fall, "fall of the agent check"),
        FN("agent_health", "CGSV", S, false, STAT_U32, get_agent_health, "health of the agent check"),
        FN("addr", "CGSV", S, false, STAT_STR, get_addr, "address and port; for operators and with show-legends"),
        NOTHING("cookie", "cookie of the server or name of the backend's cookie"),
        FN("mode", "CGSV", ALL, false, STAT_STR, get_mode, "mode of the proxy"),
        FN("algo", "CGSV", B, false, STAT_STR, get_algo, "balance algorithm; for operators and with show-legends"),
        FN("conn_rate", "MRPP", F, false, STAT_U32, get_conn_rate, "connections in the last second"),
        FN("conn_rate_max", "MMPV", F, false, STAT_U32, get_conn_rate_max, "most connections in a second"),
        SUM("conn_tot", "MCPP", F, false, conn_tot, "connections so far"),
        SUM("intercepted", "MCPP", F, true, intercepted, "requests answered by the proxy itself"),
        SUM("dcon", "MCPP", F, false, denied_conn, "connections denied by rules"),
        SUM("dses", "MCPP", F, false, denied_sess, "sessions denied by rules"),
        SUM("wrew", "MCPP", ALL, false, failed_rewrites, "header rewrites that failed"),
        SUM("connect", "MCPP", B | S, false, connect, "connections to servers, attempts included"),
        SUM("reuse", "MCPP", B | S, false, reuse, "requests on a connection that was open already"),
        FN("cache_lookups", "MCPP", F | B, true, STAT_U64, get_zero, "cache look-ups"),
        FN("cache_hits", "MCPP", F | B, true, STAT_U64, get_zero, "cache hits"),
        SUM32("srv_icur", "MGPV", S, false, idle_conn, "idle connections now"),
        FN("src_ilim", "CLPV", S, false, STAT_U32, get_ilim, "limit of idle connections"),
        SUM32("qtime_max", "MMPV", B | S, false, qtime_max, "longest milliseconds in the queue"),
        SUM32("ctime_max", "MMPV", B | S, false, ctime_max, "longest milliseconds to connect"),
        SUM32("rtime_max", "MMPV", B | S, false, rtime_max, "longest milliseconds until the answer"),
        SUM32("ttime_max", "MMPV", B | S, false, ttime_max, "longest milliseconds of a whole exchange"),
        FN("eint", "MCPP", ALL, false, STAT_U64, get_zero, "internal errors"),
        FN("idle_conn_cur", "MGPV", S, false, STAT_U32, get_zero, "idle connections that are not known to be safe for reuse"),
        SUM32("safe_conn_cur", "MGPV", S, false, idle_conn, "idle connections that are safe for reuse"),
        SUM32("used_conn_cur", "MGPV", S, false, used_conn, "connections in use now"),
        SUM32("need_conn_est", "MGPV", S, false, used_conn, "connections that are needed"),
        FN("uweight", "MaPV", B | S, false, STAT_U32, get_uweight, "weight as set by the operator"),
        FN("agg_server_status", "MGPV", B, false, STAT_U32, get_zero, "only of the metrics"),
        FN("agg_server_check_status", "MGPV", B, false, STAT_U32, get_zero, "only of the metrics, deprecated"),
        FN("agg_check_status", "MGPV", B, false, STAT_U32, get_zero, "only of the metrics"),
        FN("srid", "MCPV", S, false, STAT_U32, get_zero, "revision of the server's number"),
        FN("sess_other", "MCPV", F, false, STAT_U64, get_sess_other, "connections that do not speak HTTP"),
        FN("h1sess", "MCPP", F, false, STAT_U64, get_h1sess, "connections that speak HTTP/1"),
        FN("h2sess", "MCPP", F, false, STAT_U64, get_zero, "connections that speak HTTP/2"),
        FN("h3sess", "MCPP", F, false, STAT_U64, get_zero, "connections that speak HTTP/3"),
        FN("req_other", "MCPP", F, false, STAT_U64, get_req_other, "sessions that do not speak HTTP"),
        FN("h1req", "MCPP", F, false, STAT_U64, get_h1req, "requests by HTTP/1"),
        FN("h2req", "MCPP", F, false, STAT_U64, get_zero, "requests by HTTP/2"),
        FN("h3req", "MCPP", F, false, STAT_U64, get_zero, "requests by HTTP/3"),
        NOTHING("proto", "protocol of a listener"),
        FN("priv_idle_cur", "MGPV", S, false, STAT_U32, get_zero, "idle connections that belong to one client"),
        SUM("reqbin", "MCPP", ALL, false, bytes_in, "bytes of requests received"),
        SUM("reqbout", "MCPP", ALL, false, req_out, "bytes of requests sent"),
        SUM("resbin", "MCPP", ALL, false, res_in, "bytes of answers received"),
        SUM("resbout", "MCPP", ALL, false, bytes_out, "bytes of answers sent"),
};
/* clang-format on */
const unsigned stat_n_cols = array_len(stat_cols);
_Static_assert(array_len(stat_cols) == 118, "the fixed columns of 3.4");

void stat_get(const struct stat_obj *o, unsigned i, struct stat_val *ret_v)
{
        const struct stat_col *c = &stat_cols[i];

        ret_v->type = STAT_NONE;
        if (!(c->kinds & o->kind) || (c->http && !o->http))
                return;
        ret_v->type = c->type;
        if (c->get)
                c->get(o, ret_v);
        else
                ret_v->u = *(const uint64_t *)(const void *)((const char *)&o->sum + c->sum);
}

bool stat_col_sums(unsigned i)
{
        void (*get)(const struct stat_obj *, struct stat_val *) = stat_cols[i].get;

        return !get || get == get_req_tot || get == get_lastsess || get == get_weight || get == get_uweight ||
               get == get_sess_other || get == get_h1sess || get == get_req_other || get == get_h1req;
}

/* ---- objects ---- */
void stat_obj_front(struct stat_obj *o, struct front *f, bool sum)
{
        const struct front_cfg *c = epoch_load(&f->cfg);

        *o = (struct stat_obj){ .kind = STAT_FRONT, .fe = f, .iid = f->iid, .now = thr_self->now };
        if (c) {
                o->px = c->px;
                o->maxconn = (int)(front_maxconn(f) < GET(world.maxconn) ? front_maxconn(f) : GET(world.maxconn));
                o->http = c->px->mode == PX_HTTP;
        }
        if (sum)
                px_stat_sum(&f->cell, &o->sum);
}

/* The weights of those who take traffic: the active servers, or else the backup ones. */
static void weigh(struct stat_obj *o)
{
        struct back *b = o->be;
        bool active = GET(b->act) > 0;

        for (uint32_t i = 0; i < b->n_srv; i++) {
                const struct server *s = b->srv[i];
                if (GET(s->usable) && s->backup != active) {
                        o->weight += server_lb_weight(s);
                        o->uweight += GET(s->weight);
                }
        }
}

void stat_obj_back(struct stat_obj *o, struct back *b, bool sum)
{
        const struct back_cfg *c = epoch_load(&b->cfg);

        *o = (struct stat_obj){ .kind = STAT_BACK, .be = b, .iid = b->iid, .now = thr_self->now };
        if (c) {
                o->px = c->px;
                o->lb = c->lb;
                o->fullconn = c->fullconn;
                o->http = c->px->mode == PX_HTTP;
        }
        if (!sum)
                return;
        px_stat_sum(&b->cell, &o->sum);
        pthread_mutex_lock(&b->lock);
        weigh(o);
        pthread_mutex_unlock(&b->lock);
}

void stat_obj_server(struct stat_obj *o, struct server *s, bool sum)
{
        const struct back_cfg *c = epoch_load(&s->back->cfg);

        *o = (struct stat_obj){
                .kind = STAT_SERVER, .be = s->back, .sv = s, .iid = s->back->iid, .sid = s->puid, .now = thr_self->now
        };
        if (c) {
                o->px = c->px;
                o->http = c->px->mode == PX_HTTP;
        }
        if (sum)
                px_stat_sum(&s->cell, &o->sum);
}
