/* core/strm_xfer.c - XFER: the request one way, the answer the other, in one place for TCP and HTTP.
 *
 * Each direction is a pump: take what the source has, give it to the destination, which takes all; go on only while the destination
 * has nothing private left to send. Reads grow 16 -> 64 -> 224 KiB while they fill up and the destination keeps up; then bytes
 * that nobody looks at are spliced. */
#include "core/applet.h"
#include "core/event.h"
#include "core/forward.h"
#include "core/hook.h"
#include "core/log.h"
#include "core/queue.h"
#include "core/strm_own.h"
#include "core/strm_priv.h"
#include "core/track.h"

#include <errno.h>

#define READ_STEPS  3
#define FULL_READS  2 /* of the largest size in a row: then it is spliced; with option splice-auto after the first */
#define TURN_BUDGET (1u << 20) /* bytes of one direction per turn, so that one fast stream does not starve its thread */
#define SPLICE_MIN  65536u
#define XFER_IOV    32

static const uint32_t read_sizes[READ_STEPS] = { 16384, 65536, 229376 };

enum dir { REQ, RSP };

enum pumped { PUMP_MOVED, PUMP_IDLE, PUMP_DEAD, PUMP_REFUSED };

static struct side *from_side(struct strm *s, enum dir d)
{
        return d == REQ ? &s->cl : &s->sv;
}

static struct side *to_side(struct strm *s, enum dir d)
{
        return d == REQ ? &s->sv : &s->cl;
}

static void active(struct strm *s, const struct side *side)
{
        if (side == &s->cl)
                s->cl_active = thr_self->now;
        else
                s->sv_active = thr_self->now;
}

/* With option independent-streams (manual) bytes that the kernel took are no sign of life of who is to get them. */
static bool alone(const struct strm *s, const struct side *to)
{
        unsigned o = to == &s->cl ? s->fcfg->px->options : s->bcfg ? s->bcfg->px->options : 0;

        return unlikely(o & OPT_INDEPENDENT_STREAMS) && (!s->http || s->tunnel);
}

static void wrote(struct strm *s, const struct side *to)
{
        if (!alone(s, to))
                active(s, to);
}

/* ---- how it ends early ---- */

static bool client_side(const struct strm *s, const struct side *side)
{
        return side == &s->cl;
}

/* The phase letter of the log (manual 8.5): what the stream waited for. */
static char phase(const struct strm *s)
{
        if (!s->http)
                return 'D';
        return !s->rsp_seen ? 'H' : (s->sv.flags & SIDE_RX_DONE) ? 'L' : 'D';
}

/* A kept server connection may be closed by the server just when we use it again. A client that sent requests before on its connection
 * knows how to repeat one whose connection closes without a byte (RFC 9112 9.3.1), and only it knows whether that is safe. */
static bool raced_with_close(const struct strm *s)
{
        return s->http && s->reused && !s->first && !s->rsp_seen && s->sv.rx_bytes == 0;
}

/* management.txt 9.1: eresp are answers that never came or were wrong, srv_abrt those that broke off. */
static void count_server_failure(struct strm *s, bool err_resp, bool abort)
{
        struct px_stat *st[2] = { strm_back_stat(s), strm_srv_stat(s) };

        for (int i = 0; i < 2; i++) {
                if (st[i] && err_resp)
                        STAT_INC(st[i]->err_resp);
                if (st[i] && abort)
                        STAT_INC(st[i]->srv_abort);
        }
}

/* A peer that went away is an abort of its own; one whose message is not valid is stopped by the proxy (manual 8.5: P). */
static void count_failed(struct strm *s, bool client, bool invalid)
{
        if (!client)
                count_server_failure(s, true, !invalid && phase(s) != 'H');
        else if (invalid)
                STAT_INC(strm_front_stat(s)->err_req);
        else
                strm_count_client_abort(s);
}

/* A dead side before the answer has begun: the client gets an error page if it is still there. */
static enum run failed(struct strm *s, struct side *side)
{
        bool client = client_side(s, side);
        bool invalid = side->bad.status || side->err == -EBADMSG; /* or our writer refused what it was given */

        count_failed(s, client, invalid);
        strm_term(s, invalid ? 'P' : client ? 'C' : 'S', phase(s));
        if (!client && raced_with_close(s))
                return strm_goto(s, STRM_END);
        if (!client && s->http && !s->rsp_seen)
                strm_observed(s, invalid ? SEEN_HEADER : SEEN_CLOSED);
        if (s->http &&
            !s->rsp_seen) { /* a client's is logged as 400 also when nobody is left to read it, as HAProxy does */
                strm_answer(s, side->bad.status ? side->bad.status : client ? 400 : 502);
                return RUN_NEXT;
        }
        return strm_goto(s, STRM_END);
}

/* A head that the writer did not put on the wire: what was made of it is no HTTP (manual 8.5: the proxy ends it). */
static enum run head_refused(struct strm *s, const struct side *to)
{
        bool request = to == &s->sv;

        count_failed(s, request, true);
        strm_term(s, 'P', request ? 'R' : 'H');
        s->rsp_seen = false; /* the server's answer reached nobody */
        strm_answer(s, to->bad.status);
        return RUN_NEXT;
}

static enum pumped head_sent(int r)
{
        return r == MSG_OK ? PUMP_MOVED : r == MSG_BAD ? PUMP_REFUSED : PUMP_DEAD;
}

/* ---- heads ---- */

static struct tx_frame request_frame(const struct strm *s)
{
        const struct hmsg *m = s->req;
        unsigned back = s->bcfg ? s->bcfg->px->options : 0, o = s->fcfg->px->options | back;

        return (struct tx_frame){ .framing = m->method == HMETH_CONNECT ? HBODY_NONE : (enum hbody)m->body,
                                  .length = m->length,
                                  .upgrade = m->upgrade != HUPGRADE_NONE,
                                  .close = (o & (OPT_SERVER_CLOSE | OPT_HTTPCLOSE)) != 0,
                                  .unsaid = (back & OPT_PRETEND_KEEPALIVE) != 0 };
}

/* Sends the request head with the body bytes that came with it. */
static enum pumped send_request(struct strm *s)
{
        struct iovec v[XFER_IOV];
        struct tx_frame f = request_frame(s);
        int n = XFER_IOV, r = MSG_END;

        if (f.framing != HBODY_NONE)
                r = s->cl.ops->rx_body(&s->cl, v, &n, 0);
        if (r == MSG_BAD || r == MSG_ERR)
                return PUMP_DEAD;
        if (r != MSG_OK)
                n = 0;
        if (unlikely(forward_wants_name(s)) && forward_name(s) < 0) {
                s->sv.bad = (struct side_bad){ "no place left for http-send-name-header", 0, 400 };
                return PUMP_REFUSED;
        }
        r = s->sv.ops->tx(&s->sv, s->req, &f, v, n,
                          (s->cl.flags & SIDE_RX_DONE) && !s->cl.trailers && !f.upgrade &&
                                  s->req->method != HMETH_CONNECT);
        s->req_sent = true;
        s->sv_active = thr_self->now;
        s->cl.ops->rx_head_free(&s->cl);
        s->req = NULL;
        return head_sent(r);
}

static bool is_tunnel_answer(const struct strm *s, const struct hmsg *m)
{
        return m->status == 101 || (s->connect && m->status >= 200 && m->status < 300);
}

static struct tx_frame answer_frame(const struct strm *s, const struct hmsg *m)
{
        unsigned o = (s->bcfg ? s->bcfg->px->options : 0) | s->fcfg->px->options;
        struct tx_frame f = { .framing = (enum hbody)m->announced, .length = m->length };

        /* A HEAD answer and a 304 announce a body that does not follow: the fields go through, no byte does. */
        f.no_body = m->body == HBODY_NONE;
        f.upgrade = m->status == 101;
        f.close = (o & OPT_HTTPCLOSE) != 0 || !(s->cl.flags & SIDE_RX_DONE) ||
                  atomic_load_explicit(&world.stopping, memory_order_relaxed);
        if (is_tunnel_answer(s, m)) {
                f.framing = HBODY_NONE;
                f.close = false;
        }
        return f;
}

/* The backend's, then the frontend's; after a wait from hook_pos on, which counts through both. */
static enum hook_answer run_response_hooks(struct strm *s, const struct hook_set *back, unsigned n_back,
                                           const struct hook_set *front, unsigned n)
{
        while (s->hook_pos < n) {
                bool as_front = s->hook_pos >= n_back;
                const struct hook_use *u = as_front ? &front->at[HOOK_RESPONSE][s->hook_pos - n_back]
                                                    : &back->at[HOOK_RESPONSE][s->hook_pos];
                enum hook_answer a = u->hook->run(s, u->arg, as_front);

                if (a != HOOK_NEXT)
                        return a;
                s->hook_pos++;
        }
        return HOOK_NEXT;
}

/* An applet's answer is no server's: only HOOK_AFTER sees it, as in HAProxy. */
static inline enum hook_answer response_hooks(struct strm *s)
{
        const struct hook_set *b = s->bcfg ? s->bcfg->hooks : NULL, *f = s->fcfg->hooks;
        unsigned n_back = b ? b->n[HOOK_RESPONSE] : 0, n = n_back + (f ? f->n[HOOK_RESPONSE] : 0);

        if (likely(n == 0) || applet_name(s))
                return HOOK_NEXT;
        return run_response_hooks(s, b, n_back, f, n);
}

static void enter_tunnel(struct strm *s)
{
        s->cl.ops->tunnel(&s->cl);
        s->sv.ops->tunnel(&s->sv);
        s->tunnel = true;
}

/* Passes an answer head on, with the body bytes that came with it. */
static enum pumped send_answer(struct strm *s)
{
        struct iovec v[XFER_IOV];
        struct tx_frame f;
        bool tunnel = is_tunnel_answer(s, s->rsp);
        int n = XFER_IOV, r;

        f = answer_frame(s, s->rsp);
        r = f.no_body || tunnel ? MSG_END : s->sv.ops->rx_body(&s->sv, v, &n, 0);
        if (r == MSG_BAD || r == MSG_ERR)
                return PUMP_DEAD;
        if (r != MSG_OK)
                n = 0;
        r = s->cl.ops->tx(&s->cl, s->rsp, &f, v, n, (s->sv.flags & SIDE_RX_DONE) && !s->sv.trailers && !tunnel);
        s->sv.ops->rx_head_free(&s->sv);
        s->rsp = NULL;
        s->cl_active = thr_self->now;
        if (r != MSG_OK)
                return head_sent(r);
        if (tunnel)
                enter_tunnel(s);
        return PUMP_MOVED;
}

static enum pumped drop_answer(struct strm *s, const char *why)
{
        s->sv.ops->rx_head_free(&s->sv);
        s->rsp = NULL;
        s->sv.bad = (struct side_bad){ why, 0, 502 };
        return PUMP_DEAD;
}

/* Manual 5.2, observe: "valid status codes include 100 to 499, 501 and 505". */
static bool is_wrong_status(int status)
{
        return status >= 500 && status != 501 && status != 505;
}

/* What the server said goes on when its hooks have nothing against it. While they wait it is as if nothing had come. */
static __attribute__((noinline)) enum pumped answer_hooks(struct strm *s)
{
        enum hook_answer a;

        s->rsp_held = false;
        s->rsp_seen = s->http;
        a = response_hooks(s);
        if (unlikely(a == HOOK_WAIT)) {
                s->rsp_held = true;
                s->rsp_seen = false;
                return PUMP_IDLE;
        }
        if (unlikely(a == HOOK_CLOSE))
                strm_goto(s, STRM_END);
        if (a != HOOK_NEXT)
                return s->step == STRM_XFER ? PUMP_DEAD : PUMP_IDLE;
        if (!s->http)
                return PUMP_MOVED;
        log_point(s, s->fcfg->log, LOG_ON_RESPONSE); /* behind the rules: what they set and capture is in the line */
        if (!hook_after(s, s->rsp))
                return s->step == STRM_XFER ? PUMP_DEAD : PUMP_IDLE;
        return send_answer(s);
}

static enum pumped answer_ready(struct strm *s)
{
        struct px_stat *v = strm_srv_stat(s);

        if (s->rsp->status == 101 &&
            !s->upgrade) /* RFC 9110 15.2.2: only for who asked; the client would not see a tunnel */
                return drop_answer(s, "101 without an Upgrade");
        if (s->rsp->status < 200 && s->rsp->status != 101) { /* informational: passed on, the answer still comes */
                struct tx_frame f = { .framing = HBODY_NONE };
                if (v)
                        STAT_INC(v->rsp[0]);
                int r = s->cl.ops->tx(&s->cl, s->rsp, &f, NULL, 0, false);
                s->sv.ops->rx_head_free(&s->sv);
                s->rsp = NULL;
                return head_sent(r);
        }
        s->status = s->rsp->status;
        strm_observed(s, is_wrong_status(s->status) ? SEEN_STATUS : SEEN_OK);
        if (track_any(s))
                track_status(s, s->status);
        s->t.response = thr_self->now;
        if (v) {
                STAT_INC(v->req_tot); /* of a server: requests it answered */
                atomic_store_explicit(&v->last_sess, thr_self->now, memory_order_relaxed);
        }
        s->hook_pos = 0;
        if (unlikely(hook_on_answers(s)))
                return answer_hooks(s);
        s->rsp_seen = true;
        log_point(s, s->fcfg->log, LOG_ON_RESPONSE);
        return send_answer(s);
}

static enum pumped pump_answer_head(struct strm *s)
{
        int r;

        if (unlikely(s->rsp_held))
                return answer_hooks(s);
        if (s->rsp_seen || !s->http)
                return PUMP_IDLE;
        r = s->sv.ops->rx_head(&s->sv, &s->rsp);
        if (r == MSG_WAIT)
                return PUMP_IDLE;
        s->sv_active = thr_self->now;
        return r == MSG_OK ? answer_ready(s) : PUMP_DEAD;
}

/* ---- bodies ---- */

/* strm.read_step: 0 = tune.bufsize, as at the beginning; 1 to READ_STEPS; beyond: the largest, filled up that often in a row. */
static uint32_t read_size(const struct strm *s, enum dir d)
{
        unsigned step = s->read_step[d];

        return step == 0 ? (uint32_t)s->fcfg->bufsize : read_sizes[(step < READ_STEPS ? step : READ_STEPS) - 1];
}

static void adapt(struct strm *s, enum dir d, size_t got, bool blocked)
{
        unsigned i = 0, full = s->read_step[d] > READ_STEPS ? s->read_step[d] - READ_STEPS : 0;

        while (i < READ_STEPS - 1 && read_size(s, d) > read_sizes[i])
                i++;
        if (blocked)
                i = 0;
        else if (got >= read_sizes[i] && i < READ_STEPS - 1)
                i++;
        else if (got < read_sizes[i] / 4 && i > 0)
                i--;
        if (blocked || got < read_sizes[i])
                full = 0;
        else if (i == READ_STEPS - 1 && full < FULL_READS)
                full++;
        s->read_step[d] = (uint8_t)(i + 1 + full);
}

static bool want_splice(struct strm *s, enum dir d)
{
        struct side *from = from_side(s, d), *to = to_side(s, d);
        unsigned o = s->fcfg->px->options | (s->bcfg ? s->bcfg->px->options : 0);
        bool asked = o & (d == REQ ? OPT_SPLICE_REQ : OPT_SPLICE_RSP);

        if (s->pipe[d])
                return true;
        if (!(from->flags & to->flags & SIDE_SPLICE) || s->no_splice ||
            (!asked && s->read_step[d] < READ_STEPS + (o & OPT_SPLICE_AUTO ? 1 : FULL_READS)))
                return false;
        if (from->ops->opaque(from) < SPLICE_MIN || to->ops->opaque_tx(to) < SPLICE_MIN)
                return false;
        s->pipe[d] = pipe_get();
        if (s->pipe[d] &&
            s->pipe[d]->size < SPLICE_MIN) { /* the user's pipe budget is gone: copying is faster than small pipes */
                pipe_put(s->pipe[d]);
                s->pipe[d] = NULL;
        }
        s->no_splice = !s->pipe[d];
        return s->pipe[d] != NULL;
}

/* A FIN says nothing: it leaves a silent peer as little time as before, but for the limits that count from it. */
static bool fin_is_timed(const struct strm *s)
{
        return s->fcfg->px->timeout.client_fin || (s->bcfg && s->bcfg->px->timeout.server_fin);
}

static struct hmsg *trailers_of(const struct strm *s, const struct side *from)
{
        bool dropped = from == &s->cl ? s->bcfg && (s->bcfg->px->options & OPT_DROP_REQ_TRAILERS)
                                      : s->fcfg->px->options & OPT_DROP_RSP_TRAILERS;

        return dropped ? NULL : from->trailers;
}

static enum pumped end_of(struct strm *s, struct side *from, struct side *to)
{
        bool fin = !s->http || s->tunnel;

        if (to->flags & SIDE_TX_END)
                return PUMP_IDLE;
        if (!fin || fin_is_timed(s))
                active(s, to);
        return to->ops->tx(to, trailers_of(s, from), NULL, NULL, 0, true) == MSG_ERR ? PUMP_DEAD : PUMP_MOVED;
}

static enum pumped pump_splice(struct strm *s, enum dir d, size_t *budget)
{
        struct side *from = from_side(s, d), *to = to_side(s, d);
        struct pipe *p = s->pipe[d];
        size_t n = 0;
        int r;

        if (p->fill > 0) {
                r = to->ops->tx_splice(to, p, &n);
                if (r == MSG_ERR)
                        return PUMP_DEAD;
                if (r != MSG_OK)
                        return PUMP_IDLE;
                wrote(s, to);
                pipe_moved(n);
                if (p->fill == 0)
                        active(s, from); /* it was not listened to meanwhile */
                *budget = *budget > n ? *budget - n : 0;
                return PUMP_MOVED;
        }
        r = from->ops->rx_splice(from, p, p->size, &n);
        if (r == MSG_OK) {
                active(s, from);
                return PUMP_MOVED;
        }
        if (r == MSG_ERR)
                return PUMP_DEAD;
        if (r == MSG_END || (from->flags & SIDE_RX_DONE)) {
                pipe_put(p);
                s->pipe[d] = NULL;
                return end_of(s, from, to);
        }
        pipe_put(p); /* an idle connection keeps no pipe: there are few of them */
        s->pipe[d] = NULL;
        return PUMP_IDLE;
}

static int flush(struct strm *s, struct side *from, struct side *to)
{
        uint64_t before = to->tx_bytes;
        int r = to->ops->tx_flush(to);

        if (to->tx_bytes != before) /* a part of it is progress, too */
                wrote(s, to);
        if (r == MSG_OK)
                active(s, from); /* it was not listened to meanwhile */
        return r;
}

hot_path static enum pumped pump_once(struct strm *s, enum dir d, size_t *budget)
{
        struct side *from = from_side(s, d), *to = to_side(s, d);
        struct iovec v[XFER_IOV];
        uint64_t before;
        size_t sum = 0;
        int n = XFER_IOV, r;

        if (to->flags & SIDE_TX_FULL) {
                r = flush(s, from, to);
                if (r != MSG_OK)
                        return r == MSG_ERR ? PUMP_DEAD : PUMP_IDLE;
        }
        if ((to->flags & SIDE_TX_END) || (d == RSP && s->http && !s->rsp_seen))
                return PUMP_IDLE;
        if (want_splice(s, d))
                return pump_splice(s, d, budget);
        r = from->ops->rx_body(from, v, &n, read_size(s, d));
        if (r == MSG_WAIT)
                return PUMP_IDLE;
        if (r == MSG_END)
                return end_of(s, from, to);
        if (r != MSG_OK)
                return PUMP_DEAD;
        for (int i = 0; i < n; i++)
                sum += v[i].iov_len;
        active(s, from);
        before = to->tx_bytes;
        r = to->ops->tx(to, NULL, NULL, v, n, (from->flags & SIDE_RX_DONE) && !from->trailers);
        if (r == MSG_ERR)
                return PUMP_DEAD;
        adapt(s, d, sum, to->flags & SIDE_TX_FULL);
        *budget = *budget > sum ? *budget - sum : 0;
        if (to->tx_bytes != before)
                wrote(s, to);
        return PUMP_MOVED;
}

/* Which side died in this direction: the sender's error, or else the receiver's. */
static enum run pump_died(struct strm *s, enum dir d)
{
        struct side *from = from_side(s, d), *to = to_side(s, d);

        if (!from->bad.status && (to->flags & SIDE_RESET || to->err))
                return failed(s, to);
        return failed(s, from);
}

/* Who cannot be written to may have said something before: a server that refuses an upload answers and closes, and its answer is worth
 * more than our error. So the other direction goes on until it is read empty; a client in HTTP is owed nothing more. */
static bool hears_on(struct strm *s, enum dir d)
{
        const struct side *to = to_side(s, d);

        if (!(to->flags & SIDE_RESET) || to->err == -EBADMSG || s->cut[!d] || (s->http && d == RSP))
                return false;
        s->cut[d] = true;
        return true;
}

static inline bool pump_ready(const struct strm *s, enum dir d)
{
        if (s->cut[d])
                return false;
        if (d == REQ)
                return !s->http || (s->req_sent && !(s->sv.flags & SIDE_TX_END)) || (s->sv.flags & SIDE_TX_FULL);
        return s->rsp_seen || (!s->http && !s->rsp_held) || (s->cl.flags & SIDE_TX_FULL);
}

/* ---- the step ---- */

static bool all_done(const struct strm *s)
{
        unsigned both = SIDE_RX_DONE | SIDE_TX_DONE;

        /* The answer is out: a request that is still coming has no reader any more. Nobody failed: the server chose so. */
        if (s->http && !s->tunnel)
                return s->rsp_seen && (s->sv.flags & SIDE_RX_DONE) && (s->cl.flags & SIDE_TX_DONE);
        if (s->sv.flags & SIDE_ENOUGH)
                return (s->sv.flags & SIDE_RX_DONE) && (s->cl.flags & SIDE_TX_DONE);
        return (s->cl.flags & s->sv.flags & both) == both;
}

/* In TCP and tunnels a FIN one way leaves the other way open; a client's FIN in HTTP is judged when the answer cannot be sent. */
static enum run pump(struct strm *s, enum dir d, size_t *budget, bool *moved)
{
        enum pumped p = PUMP_IDLE;

        while (*budget > 0 && (p = pump_once(s, d, budget)) == PUMP_MOVED)
                *moved = true;
        if (*budget == 0) /* fairness: the rest after the others */
                strm_wake(s);
        if (p != PUMP_DEAD || hears_on(s, d))
                return RUN_WAIT;
        return pump_died(s, d);
}

/* The client went away while we wait for the answer: with a complete request only option abortonclose lets that end it (manual). */
static bool client_gone(struct strm *s)
{
        if (!s->http || s->tunnel)
                return false;
        if (s->rsp_seen) /* a reset is seen at once, not when the server says more: HTTP/2 clients cancel like that */
                return (s->cl.flags & (SIDE_RESET | SIDE_PEER_GONE)) && !(s->cl.flags & SIDE_TX_DONE);
        return strm_client_left(s);
}

hot_path enum run strm_step_xfer(struct strm *s)
{
        size_t budget[2] = { TURN_BUDGET, TURN_BUDGET };
        enum pumped p;
        bool moved;

        if (s->http && !s->req_sent) {
                p = send_request(s);
                if (p == PUMP_REFUSED)
                        return head_refused(s, &s->sv);
                if (p == PUMP_DEAD && !hears_on(s, REQ))
                        return pump_died(s, REQ);
        }
        do {
                moved = false;
                if (pump_ready(s, REQ) && pump(s, REQ, &budget[REQ], &moved) == RUN_NEXT)
                        return RUN_NEXT;
                p = pump_answer_head(s);
                if (s->step != STRM_XFER)
                        return RUN_NEXT;
                if (p == PUMP_REFUSED)
                        return head_refused(s, &s->cl);
                if (p == PUMP_DEAD)
                        return s->sv.flags & (SIDE_RESET | SIDE_RX_CUT) || !(s->cl.flags & SIDE_RESET)
                                       ? failed(s, &s->sv)
                                       : failed(s, &s->cl);
                if (p == PUMP_MOVED && all_done(s)) /* the whole answer came in one piece */
                        return strm_goto(s, STRM_END);
                moved = moved || p == PUMP_MOVED;
                if (pump_ready(s, RSP) && pump(s, RSP, &budget[RSP], &moved) == RUN_NEXT)
                        return RUN_NEXT;
                if (all_done(s))
                        return strm_goto(s, STRM_END);
        } while (moved && !s->again);
        if (client_gone(s))
                return failed(s, &s->cl);
        return RUN_WAIT;
}

/* ---- time ---- */

static void earliest(struct strm *s, mono_t at, enum deadline_kind k)
{
        if (at < s->deadline) {
                s->deadline = at;
                s->deadline_kind = (uint8_t)k;
        }
}

/* Manual, timeout client and timeout server: the time a side may take when it is expected to send or to take bytes. While we do not
 * listen to it because the other side is full, or while the other side is the one that must speak, its time stands still. */
static bool blocked(const struct strm *s, enum dir d)
{
        return ((d == REQ ? &s->sv : &s->cl)->flags & SIDE_TX_FULL) || (s->pipe[d] && s->pipe[d]->fill > 0);
}

static bool client_expected(const struct strm *s)
{
        return blocked(s, RSP) || (!(s->cl.flags & SIDE_RX_DONE) && !blocked(s, REQ) && !s->cut[REQ]);
}

static bool server_expected(const struct strm *s)
{
        if (blocked(s, RSP) || (s->sv.flags & SIDE_RX_DONE))
                return blocked(s, REQ);
        return s->rsp_seen || s->cut[REQ] || blocked(s, REQ) || (s->sv.flags & SIDE_TX_END);
}

void strm_xfer_deadline(struct strm *s)
{
        const struct proxy_cfg *f = s->fcfg->px, *b = s->bcfg ? s->bcfg->px : s->fcfg->px;
        int client = s->client_ms ? s->client_ms : strm_limit(s, STRM_CLIENT_MS, f->timeout.client);
        int server = s->client_ms ? s->client_ms : strm_limit(s, STRM_SERVER_MS, b->timeout.server);
        int tunnel = strm_limit(s, STRM_TUNNEL_MS, b->timeout.tunnel);
        mono_t last = s->cl_active > s->sv_active ? s->cl_active : s->sv_active;

        s->deadline = MONO_NEVER;
        if (unlikely(s->rsp_held))
                earliest(s, strm_wait_until(s), DL_HOOK);
        if ((s->tunnel || !s->http) && tunnel && !((s->cl.flags | s->sv.flags) & SIDE_RX_DONE)) {
                earliest(s, mono_add_ms(last, tunnel), DL_TUNNEL);
                return;
        }
        if (!s->http ||
            s->tunnel) { /* both directions keep both timers alive: one side may be silent for long while the other talks */
                unsigned cl_fin = s->cl.flags & SIDE_RX_DONE, sv_fin = s->sv.flags & SIDE_RX_DONE;
                int cl = client, sv = server;

                /* Who said its FIN has nothing more to say: only the other one can be too slow, if it has a limit at all. */
                if (cl_fin && (f->timeout.client_fin || (sv && !sv_fin && !blocked(s, RSP))))
                        client = f->timeout.client_fin;
                if (sv_fin && (b->timeout.server_fin || (cl && !cl_fin && !blocked(s, REQ))))
                        server = b->timeout.server_fin;
                if (client)
                        earliest(s, mono_add_ms(alone(s, &s->cl) ? s->cl_active : last, client), DL_CLIENT);
                if (server)
                        earliest(s, mono_add_ms(alone(s, &s->sv) ? s->sv_active : last, server), DL_SERVER);
                return;
        }
        if (client && client_expected(s))
                earliest(s, mono_add_ms(s->cl_active, client), DL_CLIENT);
        if (server && s->srv && server_expected(s))
                earliest(s, mono_add_ms(s->sv_active, server), DL_SERVER);
}

static void timed_out_server(struct strm *s)
{
        bool begun = !s->http || s->rsp_seen;

        count_server_failure(s, !begun, begun);
        if (!begun)
                strm_observed(s, SEEN_TIMEOUT);
        strm_term(s, 's', phase(s));
        if (s->http && !s->rsp_seen)
                strm_answer(s, 504);
        else
                strm_goto(s, STRM_END);
}

/* While tcp-request content waits for more: HAProxy counts it as a request that never came. */
static void timed_out_content(struct strm *s)
{
        STAT_INC(strm_front_stat(s)->err_req);
        strm_term(s, 'c', 'R');
        strm_goto(s, STRM_END);
}

static void timed_out_client(struct strm *s)
{
        strm_count_client_abort(s);
        strm_term(s, 'c', phase(s));
        if (s->http && s->step == STRM_XFER && !s->rsp_seen && !(s->cl.flags & SIDE_RX_DONE))
                strm_answer(s, 408);
        else
                strm_goto(s, STRM_END);
}

void strm_on_deadline(struct strm *s)
{
        enum deadline_kind k = (enum deadline_kind)s->deadline_kind;

        switch (k) {
        case DL_HTTP_REQUEST:
                s->after_done = true; /* no request, no rules */
                if (s->cl.rx_bytes == 0 && (s->fcfg->px->options & OPT_IGNORE_PROBES)) {
                        s->no_log = true;
                        strm_goto(s, STRM_END);
                        break;
                }
                strm_count_bad_request(s);
                strm_term(s, 'c', 'R');
                strm_answer(s, 408);
                break;
        case DL_QUEUE:
                queue_leave(s);
                s->t.queued = thr_self->now;           /* Tw: it waited that long */
                STAT_INC(strm_back_stat(s)->err_conn); /* of no server in particular */
                strm_term(s, 's', 'Q');
                s->deadline = MONO_NEVER;
                strm_answer(s, 503);
                break;
        case DL_CONNECT:
                s->deadline = MONO_NEVER;
                (void)strm_connect_failed(s, -ETIMEDOUT, true);
                break;
        case DL_RETRY: /* the step or the hook looks at the time itself */
        case DL_HOOK: break;
        case DL_SERVER: timed_out_server(s); break;
        case DL_CLIENT:
        case DL_TUNNEL: s->step == STRM_ROUTE ? timed_out_content(s) : timed_out_client(s); break;
        case DL_NONE: break;
        }
}
