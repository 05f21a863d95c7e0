/* feat/logs/stream.c - the line of a stream: whether, when, at which level (manual 8.2, 8.3). */
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
static bool is_null(const struct strm *s)
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

static enum log_level level_of(const struct strm *s, const struct logger *l)
{
        const struct strm_own *o = s->vars ? strm_own(s) : NULL;

        if (o && o->level)
                return (enum log_level)(o->level - 1);
        return l->options & OPT_LOG_SEPARATE_ERRORS && is_error(s) ? LOG_L_ERR : LOG_L_INFO;
}

static bool is_wanted(const struct strm *s, const struct logger *l)
{
        const struct strm_own *o = s->vars ? strm_own(s) : NULL;

        if (s->no_log || s->logged || (o && o->level == STRM_LEVEL_SILENT))
                return false;
        if (l->when == LOG_AT_START)
                return true; /* as in HAProxy, the default line is not subject to the filters */
        if (l->options & OPT_DONTLOGNULL && is_null(s) && !(s->http && s->log.request))
                return false;
        return !(l->options & OPT_DONTLOG_NORMAL) || is_error(s);
}

static hot_path __attribute__((noinline)) void write_line(struct strm *s, const struct logger *l)
{
        size_t n;
        char *text;

        if (!is_wanted(s, l))
                return;
        struct expr_ctx x = {
                .strm = s, .sess = s->sess, .req = s->req, .rsp = s->rsp, .have = EXPR_AT_LOG, .final = true
        };
        text = logger_text(l, &n);
        n = l->format ? logfmt_print(l->format, &x, text, n) : default_line(s, text, n);
        s->logged = true;
        atomic_fetch_add_explicit(l->lines, 1, memory_order_relaxed);
        logger_emit(l, level_of(s, l), text, n);
}

void logs_stream(struct strm *s)
{
        const struct logger *l = s->fcfg->log;

        if (l && l->n > 0)
                write_line(s, l);
}

static void on_end(const void *event)
{
        logs_stream((struct strm *)(uintptr_t)event);
}

static const struct event_sub end_sub = { .type = EVENT_STREAM_END, .rank = 50, .name = "logs", .fn = on_end };
EVENT_SUB(end_sub);
