/* feat/logs/stream.c - the lines of a stream: whether, when, at which level (manual 8.2, 8.3, log-steps). */
#include "core/event.h"
#include "core/put.h"
#include "core/sess.h"
#include "core/strm_own.h"
#include "feat/logs/logs.h"

/* What log-separate-errors and dontlog-normal call abnormal: an error, a timeout, a retry, a redispatch, a 5xx (manual 8.3.3,
 * 8.3.4). 'L' is an answer of our own on purpose (stats, redirect). */
static bool is_error(const struct strm *s)
{
        return (s->term[0] != '-' && s->term[0] != 'L') || s->tries || s->redispatched || (s->http && s->status >= 500);
}

/* Nothing was exchanged: a port probe (manual 8.3.1). */
static inline bool is_null(const struct strm *s)
{
        return s->cl.rx_bytes == 0 && (s->http || s->sv.rx_bytes == 0);
}

static char *put_address(char *p, const char *end, const struct addr *a, const struct sess *ss)
{
        p += addr_ip_text(a, p, (size_t)(end - p));
        if (p < end)
                *p++ = ':';
        if (a->sa.sa_family == AF_UNIX)
                return put_u64(p, end, ss->listener ? ss->listener->cell.slot + 1 : 0);
        return put_u64(p, end, (uint64_t)addr_port(a));
}

/* "Connect from A:p to B:p (fe/MODE)" (manual 8.2.1); a unix client has no address: "Connect to unix:id (fe/MODE)". */
static size_t default_line(const struct strm *s, char *dst, size_t n)
{
        const char *end = dst + n;
        const char *mode = s->fcfg->log->http ? "HTTP)" : "TCP)";
        char *p = put_bytes(dst, end, "Connect ", 8);

        if (s->sess->src.sa.sa_family == AF_UNIX) {
                p = put_address(put_bytes(p, end, "to ", 3), end, &s->sess->src, s->sess);
        } else {
                p = put_address(put_bytes(p, end, "from ", 5), end, &s->sess->src, s->sess);
                p = put_address(put_bytes(p, end, " to ", 4), end, sess_dst(s->sess), s->sess);
        }
        p = put_bytes(p, end, " (", 2);
        p = put_bytes(p, end, s->front->cell.name, strlen(s->front->cell.name));
        p = put_bytes(p, end, "/", 1);
        return (size_t)(put_bytes(p, end, mode, strlen(mode)) - dst);
}

static inline enum log_level level_of(const struct strm *s, const struct logger *l)
{
        const struct strm_own *o = s->vars ? strm_own(s) : NULL;

        if (o && o->level)
                return (enum log_level)(o->level - 1);
        return l->options & OPT_LOG_SEPARATE_ERRORS && is_error(s) ? LOG_L_ERR : LOG_L_INFO;
}

static inline bool is_wanted(const struct strm *s, const struct logger *l)
{
        const struct strm_own *o = s->vars ? strm_own(s) : NULL;

        if (s->no_log || (o && o->level == STRM_LEVEL_SILENT))
                return false;
        if (l->options & OPT_DONTLOGNULL && is_null(s) && !(s->http && s->log.request))
                return false;
        return !(l->options & OPT_DONTLOG_NORMAL) || is_error(s);
}

/* ---- one line ---- */

/* Structured data, if the target has a place for it, then the text. */
static size_t build(const struct log_use *u, const struct expr_ctx *x, char *dst, size_t n)
{
        size_t at = 0;

        if (u->sd) {
                at = logfmt_print(u->sd, x, dst, n - 2);
                if (at == 0)
                        dst[at++] = '-';
                dst[at++] = ' ';
        }
        return at + logfmt_print(u->format, x, dst + at, n - at);
}

/* Targets that want different lines: each gets its own. */
static cold_path void write_each(const struct logger *l, const struct log_profile *only, enum log_origin o,
                                 enum log_level level, const struct expr_ctx *x)
{
        for (uint32_t i = 0; i < l->n; i++) {
                const struct log_target *t = &l->target[i];
                struct log_use u;
                size_t n;
                char *text;

                if (!logger_use(l, t, only, o, &u))
                        continue;
                text = logger_text(l, &n);
                n = build(&u, x, text, n);
                logger_emit_to(l, t, &u, level, text, n);
        }
}

static inline hot_path void write_line(struct strm *s, const struct logger *l, enum log_origin o,
                                       const struct log_profile *only)
{
        struct expr_ctx x = { .strm = s,
                              .sess = s->sess,
                              .req = s->req,
                              .rsp = s->rsp,
                              .have = EXPR_AT_LOG,
                              .final = true,
                              .origin = log_origin_text(o) };
        const struct logfmt *f = o == LOGO_ERROR && l->error_format ? l->error_format : l->format;
        enum log_level level = level_of(s, l);
        size_t n;
        char *text;

        if (unlikely(l->varied || only)) {
                write_each(l, only, o, level, &x);
        } else if (likely(f)) {
                text = logger_text(l, &n);
                n = logfmt_print(f, &x, text, n);
                logger_emit(l, level, text, n);
        }
}

/* The lines of the first steps do not show what HAProxy finds out later: the request, before it is looked at; its time, before it was
 * routed. */
static cold_path void write_early(struct strm *s, const struct logger *l, enum log_origin o,
                                  const struct log_profile *only)
{
        struct strm_log log = s->log;
        mono_t request = s->t.request;
        bool http = s->http;

        s->t.request = 0;
        if (o != LOGO_REQUEST && o != LOGO_HTTP_REQ) {
                s->log.request = NULL;
                s->http = http && o == LOGO_TCP_REQ_CONT;
        }
        write_line(s, l, o, only);
        s->http = http;
        s->log = log;
        s->t.request = request;
}

/* Inline for the last step, which is the usual one. */
static inline __attribute__((always_inline)) void write_step(struct strm *s, const struct logger *l, enum log_origin o)
{
        if (!is_wanted(s, l))
                return;
        if (!l->steps || o >= LOGO_CLOSE)
                s->logged = true; /* one line a stream is enough, or this is the last */
        if (unlikely(o == LOGO_ACCEPT || o == LOGO_REQUEST))
                write_early(s, l, o, NULL);
        else
                write_line(s, l, o, NULL);
        atomic_fetch_add_explicit(l->lines, 1, memory_order_relaxed);
}

static cold_path void write_default(struct strm *s, const struct logger *l)
{
        size_t n;
        char *text = logger_text(l, &n);

        if (s->no_log || s->logged)
                return; /* as in HAProxy, the default line is not subject to the filters */
        s->logged = true;
        n = default_line(s, text, n);
        atomic_fetch_add_explicit(l->lines, 1, memory_order_relaxed);
        for (uint32_t i = 0; l->varied && i < l->n; i++) {
                const struct log_target *t = &l->target[i];
                const struct log_use u = { .tag = t->profile ? t->profile->tag : NULL };

                logger_emit_to(l, t, &u, level_of(s, l), text, n);
        }
        if (!l->varied)
                logger_emit(l, level_of(s, l), text, n);
}

/* ---- the steps ---- */

static cold_path void write_rarer(struct strm *s, const struct logger *l, enum log_origin o)
{
        write_step(s, l, o);
}

void logs_stream(struct strm *s, enum log_when now)
{
        const struct logger *l = s->fcfg->log;

        if (!l->format) {
                write_default(s, l);
                return;
        }
        if (l->when & now & LOG_ON_ACCEPT)
                write_rarer(s, l, LOGO_ACCEPT);
        if (l->when & now & LOG_ON_REQUEST)
                write_rarer(s, l, LOGO_REQUEST);
        if (now & LOG_ON_CONNECT)
                write_rarer(s, l, LOGO_CONNECT);
        if (now & LOG_ON_RESPONSE)
                write_rarer(s, l, LOGO_RESPONSE);
}

static hot_path void write_end(struct strm *s, const struct logger *l)
{
        if (s->logged)
                return;
        if (unlikely(s->http && !s->t.request && !s->log.request)) { /* no request: an error of the session */
                if (l->format || l->error_format || l->varied)
                        write_rarer(s, l, LOGO_ERROR);
        } else if (unlikely(!l->format)) {
                write_default(s, l);
        } else if (!l->steps || l->when & LOG_ON_CLOSE) {
                write_step(s, l, LOGO_CLOSE);
        }
}

static void on_end(const void *event)
{
        struct strm *s = (struct strm *)(uintptr_t)event;
        const struct logger *l = s->fcfg->log;

        if (l && l->n > 0)
                write_end(s, l);
}

static const struct event_sub end_sub = { .type = EVENT_STREAM_END, .rank = 50, .name = "logs", .fn = on_end };
EVENT_SUB(end_sub);

/* ---- do-log ---- */

void logs_do(const struct rule_ctx *x, const struct log_profile *only, enum log_origin o)
{
        const struct logger *l = x->x.sess ? x->x.sess->cfg->log : NULL;
        struct strm *s = x->strm, none;

        if (!l || l->n == 0 || (s && s->no_log) || (!l->format && !only && !l->varied))
                return;
        if (!s) { /* what the line is made from: a session without a stream */
                struct sess *ss = x->x.sess;

                none = (struct strm){ .sess = ss, .front = ss->front, .fcfg = ss->cfg, .term = { 'P', 'R' } };
                none.t.accept = none.t.idle_end = ss->idle_since;
                none.log.wall_us = none.log.req_wall_us = thr_self->wall_us;
                s = &none;
        }
        if (o == LOGO_TCP_RES_CONT || o == LOGO_HTTP_RES || o == LOGO_HTTP_AFTER_RES)
                write_line(s, l, o, only);
        else
                write_early(s, l, o, only);
}
