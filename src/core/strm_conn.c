/* core/strm_conn.c - CONNECT and RETRY: a pooled connection or a new one, retries and redispatch (manual: retries, option redispatch). */
#include "core/event.h"
#include "core/hook.h"
#include "core/log.h"
#include "core/srv_proxy.h"
#include "core/strm_own.h"
#include "core/strm_priv.h"

#include <errno.h>

#define TURN_AROUND_MS                                                                                                 \
        1000 /* manual, retries: min("timeout connect", one second) before the same server is tried again */

static enum run connected(struct strm *s)
{
        s->t.connected = thr_self->now;
        s->deadline = MONO_NEVER;
        s->cl_active = s->sv_active = thr_self->now;
        if (!s->http) {
                s->hook_pos = 0; /* it was that of the request's hooks */
                s->rsp_held = s->bcfg->hooks && s->bcfg->hooks->n[HOOK_RESPONSE] > 0;
        }
        log_point(s, s->fcfg->log, LOG_ON_CONNECT);
        return strm_goto(s, STRM_XFER);
}

/* Does the balancer have anybody else? Backup servers count only when no active one is left. */
static bool has_other(const struct strm *s)
{
        uint32_t act = atomic_load_explicit(&s->back->act, memory_order_relaxed);

        if (s->srv->backup)
                return act > 0 || atomic_load_explicit(&s->back->bck, memory_order_relaxed) > 1;
        return act > 1;
}

/* No attempt there any more? Who is tied goes to a server that takes nobody new, and with option persist to one that is down. */
static bool is_out(const struct strm *s)
{
        const struct strm_tie *t = strm_tied(s);

        if (t && t->srv == s->srv)
                return !server_is_up(s->srv) && !t->firm;
        return !atomic_load_explicit(&s->srv->usable, memory_order_relaxed);
}

/* option redispatch <interval>: 0 (unset) = on the last retry, n > 0 = every n-th, n < 0 = counted from the last one. */
static bool is_redispatch(const struct strm *s)
{
        const struct proxy_cfg *px = s->bcfg->px;
        const struct strm_tie *t = strm_tied(s);
        int every = px->redispatch_after;

        if (t && t->srv && t->force) /* manual, force-persist: "the final redispatch is always disabled" */
                return false;
        if (is_out(s))
                return true;
        if (!(px->options & OPT_REDISPATCH) ||
            !has_other(s)) /* the same server again is no redispatch: it gets its pause */
                return false;
        if (!s->srv->backup && strm_tied_server(s) != s->srv)
                return true; /* nothing ties a request to the server that refused it: another one at once */
        if (every > 0)
                return s->tries % every == 0;
        if (every < 0)
                return (px->retries + 1 - s->tries) % -every == 0;
        return s->tries >= px->retries;
}

static enum run redispatch(struct strm *s)
{
        s->avoid = s->srv;
        s->redispatched = true;
        STAT_INC(strm_back_stat(s)->redispatches);
        STAT_INC(strm_srv_stat(s)->redispatches);
        strm_tie_broke(s);
        strm_drop_server(s, false);
        s->sv.flags = 0;
        return strm_goto(s, STRM_SERVER);
}

/* One more attempt is allowed, on the same server or another one. */
static enum run again(struct strm *s)
{
        const struct proxy_cfg *px = s->bcfg->px;
        int ms = px->timeout.connect && px->timeout.connect < TURN_AROUND_MS ? px->timeout.connect : TURN_AROUND_MS;

        if (is_redispatch(s))
                return redispatch(s);
        STAT_INC(strm_back_stat(s)->retries);
        STAT_INC(strm_srv_stat(s)->retries);
        s->deadline = mono_add_ms(thr_self->now, ms);
        s->deadline_kind = DL_RETRY;
        return strm_goto(s, STRM_RETRY);
}

enum run strm_connect_failed(struct strm *s, int err, bool timeout)
{
        bool ours = err == -EMFILE || err == -ENFILE || err == -ENOMEM ||
                    err == -ENOBUFS; /* manual 8.5: R, a resource on our side */

        if (!ours)
                strm_observed(s, SEEN_L4_ERROR);
        if (s->sv.ops)
                s->sv.ops->end(&s->sv, false);
        s->sc = NULL;
        s->sv.flags = 0;
        if (s->tries < s->bcfg->px->retries && !(s->http && s->bcfg->px->retry_never)) {
                s->tries++;
                return again(s);
        }
        STAT_INC(strm_srv_stat(s)->err_conn); /* once a request, as HAProxy counts: attempts are `retries` */
        STAT_INC(strm_back_stat(s)->err_conn);
        strm_term(s, timeout ? 's' : ours ? 'R' : 'S', 'C');
        strm_answer(s, 503);
        return RUN_NEXT;
}

static enum run client_left(struct strm *s)
{
        strm_count_client_abort(s);
        strm_term(s, 'C', 'C');
        return strm_goto(s, STRM_END);
}

/* What goes before all other bytes: 1 said, 0 not connected yet, negative errno. */
static cold_path int say_head(struct strm *s)
{
        int r = srv_proxy_say(s->srv, &s->sc->wire.conn, s);

        s->sc->said = r > 0;
        return r;
}

enum run strm_step_connect(struct strm *s)
{
        const struct proxy_cfg *px = s->bcfg->px;
        int r;

        if (strm_client_left(s))
                return client_left(s);
        if (!s->sc) {
                if (srv_conn_reuse(s)) {
                        STAT_INC(strm_back_stat(s)->reuse);
                        return connected(s);
                }
                r = srv_conn_open(s);
                if (r < 0)
                        return strm_connect_failed(s, r, false);
                STAT_INC(strm_back_stat(s)->connect);
                int ms = strm_limit(s, STRM_CONNECT_MS, px->timeout.connect);

                s->deadline = ms ? mono_add_ms(thr_self->now, ms) : MONO_NEVER;
                s->deadline_kind = DL_CONNECT;
        }
        r = likely(s->sc->said) ? 1 : say_head(s);
        if (r > 0)
                r = s->http ? conn_connected(&s->sc->wire.conn) : wire_connected(&s->sv, &s->cl);
        if (r < 0)
                return strm_connect_failed(s, r, false);
        if (r == 0)
                return RUN_WAIT;
        strm_observed(s, SEEN_L4_OK);
        return connected(s);
}

enum run strm_step_retry(struct strm *s)
{
        if (strm_client_left(s))
                return client_left(s);
        if (thr_self->now < s->deadline)
                return RUN_WAIT;
        s->deadline = MONO_NEVER;
        if (is_out(s)) /* it went down meanwhile: somewhere else, then */
                return redispatch(s);
        STAT_INC(strm_srv_stat(s)->sess_tot); /* each attempt, as HAProxy counts */
        s->t.queued = thr_self->now;          /* %Tw ends with the last of them */
        return strm_goto(s, STRM_CONNECT);
}
