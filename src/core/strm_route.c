/* core/strm_route.c - from the first byte to a server: head, hooks, backend, slot or queue. */
#include "base/slab.h"
#include "core/applet.h"
#include "core/forward.h"
#include "core/hook.h"
#include "core/lb.h"
#include "core/log.h"
#include "core/queue.h"
#include "core/strm_own.h"
#include "core/strm_priv.h"
#include "core/track.h"

#include <stdio.h>

/* ---- HEAD ---- */

/* Keeps the request line for the log: the head itself is gone by then. */
static void keep_request_line(struct strm *s)
{
        struct str m = hmsg_method(s->req), t = hmsg_target(s->req);
        static const char version[3][10] = { " HTTP/1.0", " HTTP/1.1", " HTTP/2.0" };
        size_t max = (size_t)s->fcfg->logurilen, n = m.n + 1 + t.n + 9, size;
        char *p;

        if (!log_keeps_request(s->fcfg->log))
                return;
        p = strm_line_get(n + 1, &size);
        if (!p)
                return; /* the line shows "<BADREQ>": better than no service */
        memcpy(p, m.p, m.n);
        p[m.n] = ' ';
        memcpy(p + m.n + 1, t.p, t.n);
        memcpy(p + m.n + 1 + t.n, version[s->req->flags & HMSG_HTTP2 ? 2 : s->req->minor != 0], 9);
        s->log.request = p;
        s->log.request_len = (uint32_t)(n < max ? n : max);
        s->log.request_size = (uint32_t)size;
}

static enum run head_refused(struct strm *s, int status, char cause)
{
        strm_term(s, cause, 'R');
        s->after_done = true; /* no request, no rules */
        if ((!s->first || (s->fcfg->px->options & OPT_IGNORE_PROBES)) &&
            s->cl.rx_bytes == 0) { /* an idle keep-alive connection ended: nothing to say or log */
                s->no_log = true;
                return strm_goto(s, STRM_END);
        }
        strm_count_bad_request(s);
        strm_answer(s, status);
        return RUN_NEXT;
}

hot_path enum run strm_step_head(struct strm *s)
{
        const struct proxy_cfg *px = s->fcfg->px;
        int r = s->cl.ops->rx_head(&s->cl, &s->req);
        int ms;

        switch (r) {
        case MSG_OK: break;
        case MSG_WAIT:
                ms = px->timeout.http_request ? px->timeout.http_request : px->timeout.client;
                /* From the accept, later from the request's first byte; a trickle does not move it (manual, timeout http-request). */
                if (s->deadline == MONO_NEVER && ms)
                        s->deadline = mono_add_ms(s->first ? s->t.accept : s->t.idle_end, ms);
                s->deadline_kind = DL_HTTP_REQUEST;
                return RUN_WAIT;
        case MSG_BAD: return head_refused(s, s->cl.bad.status, 'P');
        default: return head_refused(s, 400, 'C');
        }
        s->deadline = MONO_NEVER;
        s->t.request = thr_self->now;
        STAT_INC(strm_front_stat(s)->req_tot);
        s->counted_req = true;
        if (track_any(s))
                track_request(s);
        rate_event(&s->front->req_rate, &strm_front_stat(s)->req_rate);
        if (unlikely(s->req->method == HMETH_CONNECT))
                s->connect = true;
        if (unlikely(s->req->upgrade != HUPGRADE_NONE))
                s->upgrade = true;
        if (unlikely(s->req->method == HMETH_HEAD))
                s->head_request = true;
        keep_request_line(s);
        log_point(s, s->fcfg->log, LOG_ON_ACCEPT | LOG_ON_REQUEST);
        return strm_goto(s, STRM_ROUTE);
}

/* ---- ROUTE ---- */

static enum hook_answer run_hooks(struct strm *s, const struct hook_set *h, bool as_front)
{
        enum hook_answer a = HOOK_NEXT;

        if (!h)
                return HOOK_NEXT;
        while (s->hook_pos < h->n[HOOK_REQUEST]) {
                const struct hook_use *u = &h->at[HOOK_REQUEST][s->hook_pos];
                a = u->hook->run(s, u->arg, as_front);
                if (a == HOOK_WAIT)
                        return a;
                s->hook_pos++;
                if (a != HOOK_NEXT)
                        return a;
        }
        return HOOK_NEXT;
}

void strm_set_back(struct strm *s, struct back *b)
{
        s->back = b;
}

static void enter_back(struct strm *s)
{
        struct px_stat *st;
        uint32_t cur, seen;

        s->bcfg = epoch_load(&s->back->cfg);
        pin(&s->bcfg->pins);
        s->st_back = &((struct back_col *)cell_col(&s->back->cell))->st;
        s->counted_back = true;
        cur = atomic_fetch_add_explicit(&s->back->cur, 1, memory_order_relaxed) + 1;
        seen = atomic_load_explicit(&s->back->cur_max, memory_order_relaxed);
        while (cur > seen && !atomic_compare_exchange_weak_explicit(&s->back->cur_max, &seen, cur, memory_order_relaxed,
                                                                    memory_order_relaxed))
                ;
        st = strm_back_stat(s);
        STAT_INC(st->sess_tot);
        if (s->http)
                STAT_INC(st->req_tot);
        rate_event(&s->back->sess_rate, &st->sess_rate);
        s->hook_pos = 0;
}

static cold_path enum run body_cut(struct strm *s)
{
        strm_count_client_abort(s);
        strm_term(s, 'C', 'R');
        strm_answer(s, 400);
        return RUN_NEXT;
}

static enum run no_server(struct strm *s)
{
        if (strm_back_stat(s)) /* management.txt 9.1, econ: also those of no server in particular */
                STAT_INC(strm_back_stat(s)->err_conn);
        strm_term(s, 'S', 'C');
        strm_answer(s, 503);
        return RUN_NEXT;
}

static enum run answered_here(struct strm *s)
{
        STAT_INC(strm_front_stat(s)->intercepted);
        s->t.queued = s->t.connected = thr_self->now;
        return strm_goto(s, STRM_XFER);
}

/* In mode tcp the client may be waited for no longer than its timeout has it, either (manual, tcp-request inspect-delay). */
static cold_path enum run hook_waits(struct strm *s)
{
        int client = s->fcfg->px->timeout.client;
        mono_t until = strm_wait_until(s);

        if (until != MONO_NEVER || s->deadline_kind == DL_HOOK) { /* else it set a deadline of its own */
                s->deadline = until;
                s->deadline_kind = DL_HOOK;
        }
        if (!s->http && client && mono_add_ms(s->cl_active, client) < s->deadline) {
                s->deadline = mono_add_ms(s->cl_active, client);
                s->deadline_kind = DL_CLIENT;
        }
        return RUN_WAIT;
}

/* Whatever waited, its time is over. */
static inline void hooks_ran(struct strm *s)
{
        if (unlikely(s->deadline != MONO_NEVER)) {
                s->deadline = MONO_NEVER;
                s->deadline_kind = DL_NONE;
        }
}

hot_path enum run strm_step_route(struct strm *s)
{
        enum hook_answer a;

        if (unlikely(s->fcfg->px->mode == PX_CLI))
                return applet_attach(s, applet_cli) ? answered_here(s) : strm_goto(s, STRM_END);
        if (!s->bcfg) {
                a = run_hooks(s, s->fcfg->hooks, true);
                if (a == HOOK_NEXT && !s->back)
                        s->back = s->fcfg->default_back;
                if (a == HOOK_NEXT && !s->back) {
                        s->t.request = 0; /* nowhere to go: HAProxy logs the request as never complete */
                        return no_server(s);
                }
                if (a == HOOK_NEXT)
                        enter_back(s);
        } else {
                a = HOOK_NEXT;
        }
        if (a == HOOK_NEXT)
                a = run_hooks(s, s->bcfg->hooks, false);
        if (a == HOOK_WAIT)
                return hook_waits(s);
        hooks_ran(s);
        if (a == HOOK_CLOSE)
                return strm_goto(s, STRM_END);
        if (a == HOOK_TAKEN) {
                return s->step == STRM_ROUTE ? answered_here(s) : RUN_NEXT; /* an applet, or an answer on its way */
        }
        if (unlikely(s->body_cut))
                return body_cut(s);
        if (s->http)
                forward_request(s);
        return s->step == STRM_ROUTE ? strm_goto(s, STRM_SERVER) : RUN_NEXT;
}

/* ---- SERVER and QUEUED ---- */

static void take_server(struct strm *s, struct server *srv)
{
        struct server_col *col = server_col(srv);
        struct px_stat *st = &col->st;

        s->srv = srv;
        s->st_srv = st;
        pin(&srv->pins);
        s->has_slot = true;
        s->t.queued = thr_self->now;
        s->deadline = MONO_NEVER;
        STAT_INC(st->sess_tot);
        if (strm_tied_server(s) != srv) { /* management.txt 9.1, lbtot: those that the balance sent here */
                STAT_INC(st->lbtot);
                STAT_INC(strm_back_stat(s)->lbtot);
        }
        rate_event(&srv->sess_rate, &st->sess_rate);
        atomic_store_explicit(&st->last_sess, thr_self->now, memory_order_relaxed);
        atomic_store_explicit(&strm_back_stat(s)->last_sess, thr_self->now, memory_order_relaxed);
        list_push(&col->streams, &s->srv_link);
}

/* In the queue of the one server that its key asks for, or in the backend's. */
static enum run wait_turn(struct strm *s, struct server *srv)
{
        const struct proxy_cfg *px = s->bcfg->px;
        int ms = strm_limit(s, STRM_QUEUE_MS, px_timeout_queue(px));

        if (srv && queue_is_full(srv)) {
                strm_term(s, 'S', 'Q');
                return no_server(s);
        }
        if (!queue_join(s, s->back, srv, &s->log.q_pos))
                return no_server(s);
        s->log.q_pos++; /* the log counts the one that waits too, as HAProxy's does */
        s->q_srv = srv != NULL;
        if (s->deadline_kind != DL_QUEUE || s->deadline == MONO_NEVER) /* one that chooses again has waited already */
                s->deadline = ms ? mono_add_ms(thr_self->now, ms) : MONO_NEVER;
        s->deadline_kind = DL_QUEUE;
        return strm_goto(s, STRM_QUEUED);
}

/* Persistence comes before the balance. False: nothing ties it (any more). */
static bool goes_to_tied(struct strm *s, struct server *srv)
{
        if (!server_is_up(srv) && !strm_tied(s)->firm) {
                strm_tie_broke(s);
                return false;
        }
        if (slot_take(srv)) {
                take_server(s, srv);
                (void)strm_goto(s, STRM_CONNECT);
                return true;
        }
        if (queue_is_full(srv)) { /* manual, maxqueue: then persistence is broken rather than made to wait */
                strm_tie_broke(s);
                return false;
        }
        (void)wait_turn(s, srv);
        return true;
}

enum run strm_step_server(struct strm *s)
{
        struct server *wait = NULL, *srv = strm_tied_server(s);

        if (unlikely(srv) && goes_to_tied(s, srv))
                return RUN_NEXT;
        srv = lb_take(s->back, s, s->avoid, &wait);
        if (srv) {
                take_server(s, srv);
                return strm_goto(s, STRM_CONNECT);
        }
        if (atomic_load_explicit(&s->back->act, memory_order_relaxed) +
                    atomic_load_explicit(&s->back->bck, memory_order_relaxed) ==
            0)
                return no_server(s);
        return wait_turn(s, wait);
}

void strm_grant(struct strm *s, uint64_t id, struct server *srv)
{
        if (s->magic != STRM_MAGIC || s->id != id || s->step != STRM_QUEUED) {
                if (srv)
                        slot_release(srv); /* the waiter is gone: the slot goes on */
                return;
        }
        s->waiting = NULL;
        if (srv)
                take_server(s, srv);
        strm_goto(s, srv ? STRM_CONNECT : STRM_SERVER);
        strm_wake(s);
}

enum run strm_step_queued(struct strm *s)
{
        if (strm_client_left(s)) {
                strm_count_client_abort(s);
                strm_term(s, 'C', 'Q');
                s->t.queued = thr_self->now; /* %Tw: as long as it waited */
                return strm_goto(s, STRM_END);
        }
        return RUN_WAIT;
}
