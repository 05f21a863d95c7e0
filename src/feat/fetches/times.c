/* feat/fetches/times.c - samples of a stream: dates, timers, bytes, timeouts, how it goes and ended (manual 7.3.2, 7.3.3, 7.3.6). */
#include "core/kinds.h"
#include "core/strm_own.h"
#include "feat/fetches/fetch.h"

bool unit_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        static const struct kw_val units[] = { { "s", 1 }, { "ms", 1000 }, { "us", 1000000 } };
        struct str w = { args[0].s, args[0].n };

        args[0].i = 1;
        if (!n_args)
                return true;
        for (size_t i = 0; i < array_len(units); i++) {
                if (str_is(w, units[i].name)) {
                        args[0].i = units[i].value;
                        return true;
                }
        }
        (void)kw_fail(c, at, "E0701", "unknown unit '%.*s': expects 's', 'ms' or 'us'", (int)w.n, w.p);
        return false;
}

/* ---- dates ---- */

/* Without a stream: when the connection was accepted. */
static int64_t accepted_us(const struct expr_ctx *x)
{
        if (x->strm)
                return x->strm->log.wall_us;
        return thr_self->wall_us - (thr_self->now - x->sess->idle_since) / 1000;
}

FETCH(accept_date)
{
        (void)n_args;
        return answer_int(ret_smp, accepted_us(x) / (1000000 / args[0].i));
}

FETCH(request_date)
{
        (void)n_args;
        if (!x->strm)
                return EXPR_MISS;
        return answer_int(ret_smp, (x->strm->log.req_wall_us ? x->strm->log.req_wall_us : x->strm->log.wall_us) /
                                           (1000000 / args[0].i));
}

/* ---- timers (manual 8.4), in milliseconds; -1: not reached ---- */

#define TIMER(fn, value)                                                                                               \
        FETCH(fn)                                                                                                      \
        {                                                                                                              \
                struct strm_ms t;                                                                                      \
                                                                                                                       \
                UNUSED;                                                                                                \
                if (!x->strm)                                                                                          \
                        return EXPR_MISS;                                                                              \
                strm_ms(x->strm, &t);                                                                                  \
                return answer_int(ret_smp, (value));                                                                   \
        }
TIMER(timer_handshake, t.th)
TIMER(timer_idle, t.ti)
TIMER(timer_request, t.tr_req)
TIMER(timer_tq, t.tr_req < 0 ? -1 : t.th + t.ti + t.tr_req)
TIMER(timer_queue, t.tw)
TIMER(timer_connect, t.tc)
TIMER(timer_response, t.tr)
TIMER(timer_data, t.td)
TIMER(timer_since_byte, t.ta)
TIMER(timer_total, t.tt)
TIMER(timer_user, t.tt - (t.ti > 0 ? t.ti : 0))

/* ---- numbers of the stream ---- */

#define NUMBER(fn, value)                                                                                              \
        FETCH(fn)                                                                                                      \
        {                                                                                                              \
                const struct strm *s = x->strm;                                                                        \
                                                                                                                       \
                UNUSED;                                                                                                \
                return s ? answer_int(ret_smp, (int64_t)(value)) : EXPR_MISS;                                          \
        }
NUMBER(req_bytes_in, s->cl.rx_bytes)
NUMBER(req_bytes_out, s->sv.tx_bytes)
NUMBER(res_bytes_in, s->rsp_seen || !s->http ? s->sv.rx_bytes : 0)
NUMBER(res_bytes_out, s->cl.tx_bytes)
NUMBER(back_queue, s->q_srv ? 0 : s->log.q_pos)
NUMBER(server_queue, s->q_srv ? s->log.q_pos : 0)
NUMBER(conn_retries, s->tries)
NUMBER(txn_id, s->id &UINT32_MAX)

FETCH(redispatched)
{
        UNUSED;
        return x->strm ? answer_bool(ret_smp, x->strm->redispatched) : EXPR_MISS;
}

FETCH(http_first_req)
{
        UNUSED;
        return x->strm && x->strm->http ? answer_bool(ret_smp, x->strm->first) : EXPR_MISS;
}

FETCH(term_state)
{
        UNUSED;
        return x->strm ? answer_str(ret_smp, (struct str){ x->strm->term, 2 }) : EXPR_MISS;
}

FETCH(txn_status)
{
        UNUSED;
        return x->strm && x->strm->http && x->strm->status ? answer_int(ret_smp, x->strm->status) : EXPR_MISS;
}

FETCH(server_status)
{
        UNUSED;
        return x->strm && expr_server_status(x->strm) ? answer_int(ret_smp, expr_server_status(x->strm)) : EXPR_MISS;
}

/* ---- timeouts, in milliseconds ---- */

static const struct proxy_cfg *front_px(const struct expr_ctx *x)
{
        const struct front_cfg *cfg = x->strm ? x->strm->fcfg : x->sess->cfg;

        return cfg ? cfg->px : NULL;
}

/* Manual 4.2, timeout tarpit. */
static int tarpit_of(const struct proxy_cfg *px)
{
        return px->timeout.tarpit ? px->timeout.tarpit : px->timeout.connect;
}

FETCH(fe_client_timeout)
{
        const struct proxy_cfg *px = front_px(x);

        UNUSED;
        return px ? answer_int(ret_smp, px->timeout.client) : EXPR_MISS;
}

FETCH(cur_client_timeout)
{
        const struct proxy_cfg *px = front_px(x);

        UNUSED;
        if (!px)
                return EXPR_MISS;
        if (x->strm && x->strm->client_ms)
                return answer_int(ret_smp, x->strm->client_ms);
        return answer_int(ret_smp,
                          x->strm ? strm_limit(x->strm, STRM_CLIENT_MS, px->timeout.client) : px->timeout.client);
}

#define BACK_TIMEOUT(fn, value)                                                                                        \
        FETCH(fn)                                                                                                      \
        {                                                                                                              \
                const struct back_cfg *cfg = x->strm ? x->strm->bcfg : NULL;                                           \
                                                                                                                       \
                UNUSED;                                                                                                \
                return cfg ? answer_int(ret_smp, (value)) : EXPR_MISS;                                                 \
        }
BACK_TIMEOUT(connect_timeout, cfg->px->timeout.connect)
BACK_TIMEOUT(queue_timeout, px_timeout_queue(cfg->px))
BACK_TIMEOUT(server_timeout, cfg->px->timeout.server)
BACK_TIMEOUT(tunnel_timeout, cfg->px->timeout.tunnel)
BACK_TIMEOUT(tarpit_timeout, tarpit_of(cfg->px))
BACK_TIMEOUT(cur_connect_timeout, strm_limit(x->strm, STRM_CONNECT_MS, cfg->px->timeout.connect))
BACK_TIMEOUT(cur_queue_timeout, strm_limit(x->strm, STRM_QUEUE_MS, px_timeout_queue(cfg->px)))
BACK_TIMEOUT(cur_tunnel_timeout, strm_limit(x->strm, STRM_TUNNEL_MS, cfg->px->timeout.tunnel))
BACK_TIMEOUT(cur_server_timeout,
             x->strm->client_ms ? x->strm->client_ms : strm_limit(x->strm, STRM_SERVER_MS, cfg->px->timeout.server))

/* A frontend has no timeout connect to fall back to. */
static int front_tarpit(const struct expr_ctx *x)
{
        const struct front_cfg *cfg = x->strm ? x->strm->fcfg : x->sess->cfg;

        if (!cfg || (cfg->obj && cfg->obj->kind->bit == KIND_FRONTEND))
                return cfg ? cfg->px->timeout.tarpit : 0;
        return tarpit_of(cfg->px);
}

FETCH(fe_tarpit_timeout)
{
        UNUSED;
        return answer_int(ret_smp, front_tarpit(x));
}

/* The backend's once there is one. */
FETCH(cur_tarpit_timeout)
{
        int usual = x->strm && x->strm->bcfg ? tarpit_of(x->strm->bcfg->px) : front_tarpit(x);

        UNUSED;
        return answer_int(ret_smp, x->strm ? strm_limit(x->strm, STRM_TARPIT_MS, usual) : usual);
}

#define TIME(n, from, f, text)               FETCH_ROW(n, SINT, EXPR_##from, f, "8.4", text " in milliseconds; -1: not reached")
#define TIMEOUT(n, from, f, text)            FETCH_ROW(n, SINT, EXPR_##from, f, "7.3.3", text " in milliseconds; 0: none")
#define ROW(n, type, from, f, section, text) FETCH_ROW(n, type, EXPR_##from, f, section, text)
#define DATE(n, f, section, text)            FETCH_ROW_ARGS(n, SINT, EXPR_CLIENT, f, section, text, unit_check, ARG_STR)

static const struct fetch rows[] = {
        DATE("accept_date", accept_date, "7.3.3", "when the connection was accepted, since the epoch"),
        DATE("request_date", request_date, "7.3.6", "when the request began, since the epoch"),
        TIME("fc.timer.handshake", CLIENT, timer_handshake, "time of the handshakes (%Th)"),
        TIME("fc.timer.total", CLIENT, timer_total, "time since the connection was accepted (%Tt)"),
        TIME("req.timer.idle", CLIENT, timer_idle, "time before the request's first byte (%Ti)"),
        TIME("req.timer.hdr", CLIENT, timer_request, "time of the request's head (%TR)"),
        TIME("req.timer.tq", CLIENT, timer_tq, "time until the request's head was there (%Tq)"),
        TIME("req.timer.queue", SERVER, timer_queue, "time in queues (%Tw)"),
        TIME("bc.timer.connect", SERVER, timer_connect, "time to connect to the server (%Tc)"),
        TIME("res.timer.hdr", SERVER, timer_response, "time until the answer's head was there (%Tr)"),
        TIME("res.timer.data", SERVER, timer_data, "time of the answer behind its head (%Td)"),
        TIME("txn.timer.total", CLIENT, timer_since_byte, "time since the request's first byte (%Ta)"),
        TIME("txn.timer.user", CLIENT, timer_user, "time since the connection was accepted, without idle time (%Tu)"),
        ROW("bytes_in", SINT, CLIENT, req_bytes_in, "7.3.3", "bytes received from the client"),
        ROW("bytes_out", SINT, SERVER, res_bytes_in, "7.3.3", "bytes received from the server"),
        ROW("req.bytes_in", SINT, CLIENT, req_bytes_in, "7.3.3", "bytes received from the client"),
        ROW("req.bytes_out", SINT, SERVER, req_bytes_out, "7.3.3", "bytes sent to the server"),
        ROW("res.bytes_in", SINT, SERVER, res_bytes_in, "7.3.3", "bytes received from the server"),
        ROW("res.bytes_out", SINT, SERVER, res_bytes_out, "7.3.3", "bytes sent to the client"),
        ROW("bc_be_queue", SINT, SERVER, back_queue, "7.3.3", "place in the backend's queue (%bq)"),
        ROW("bc_srv_queue", SINT, SERVER, server_queue, "7.3.3", "place in the server's queue (%sq)"),
        ROW("txn.conn_retries", SINT, SERVER, conn_retries, "7.3.3", "attempts to connect after the first"),
        ROW("txn.redispatched", BOOL, SERVER, redispatched, "7.3.3", "did it go to another server"),
        ROW("txn.id32", SINT, CLIENT, txn_id, "7.3.2", "low 32 bits of the stream's number"),
        ROW("txn.sess_term_state", STR, CLIENT, term_state, "7.3.2", "how the stream ended, as in the log (8.5)"),
        ROW("txn.status", SINT, STATUS, txn_status, "7.3.6", "status code, as in the log"),
        ROW("server_status", SINT, STATUS, server_status, "7.3.6", "status code, as the server said it"),
        ROW("http_first_req", BOOL, CLIENT, http_first_req, "7.3.6", "is it the connection's first request"),
        TIMEOUT("fe_client_timeout", CLIENT, fe_client_timeout, "timeout client of the frontend"),
        TIMEOUT("cur_client_timeout", CLIENT, cur_client_timeout, "timeout client that counts for this stream"),
        TIMEOUT("fe_tarpit_timeout", CLIENT, fe_tarpit_timeout, "timeout tarpit of the frontend"),
        TIMEOUT("be_tarpit_timeout", CLIENT, tarpit_timeout, "timeout tarpit of the backend"),
        TIMEOUT("cur_tarpit_timeout", CLIENT, cur_tarpit_timeout, "timeout tarpit that counts for this stream"),
        TIMEOUT("be_connect_timeout", CLIENT, connect_timeout, "timeout connect of the backend"),
        TIMEOUT("be_queue_timeout", CLIENT, queue_timeout, "timeout queue of the backend"),
        TIMEOUT("be_server_timeout", CLIENT, server_timeout, "timeout server of the backend"),
        TIMEOUT("be_tunnel_timeout", CLIENT, tunnel_timeout, "timeout tunnel of the backend"),
        TIMEOUT("cur_connect_timeout", CLIENT, cur_connect_timeout, "timeout connect that counts for this stream"),
        TIMEOUT("cur_queue_timeout", CLIENT, cur_queue_timeout, "timeout queue that counts for this stream"),
        TIMEOUT("cur_server_timeout", CLIENT, cur_server_timeout, "timeout server that counts for this stream"),
        TIMEOUT("cur_tunnel_timeout", CLIENT, cur_tunnel_timeout, "timeout tunnel that counts for this stream"),
};
FETCH_TABLE(times, rows);
