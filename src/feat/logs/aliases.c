/* feat/logs/aliases.c - the aliases of log-format strings (manual 8.2.6). Hot: tools/hot.list. */
#include "core/applet.h"
#include "core/logdate.h"
#include "core/logfmt.h"
#include "core/put.h"
#include "core/queue.h"
#include "core/sess.h"
#include "core/srv_conn.h"
#include "core/strm_own.h"
#include "feat/logs/logs.h"

#define ALIAS(fn)                                                                                                      \
        static inline size_t fn##_of(const struct strm *s, unsigned flags, char *dst, size_t n);                       \
        static size_t fn(struct log_view *v, unsigned flags, char *dst, size_t n)                                      \
        {                                                                                                              \
                return fn##_of(v->strm, flags, dst, n);                                                                \
        }                                                                                                              \
        static inline size_t fn##_of(const struct strm *s, unsigned flags, char *dst, size_t n)

static inline size_t dec(char *dst, size_t n, int64_t v)
{
        if (likely((uint64_t)v < 10 && n > 0)) { /* most numbers of a line */
                *dst = (char)('0' + v);
                return 1;
        }
        return (size_t)(put_i64(dst, dst + n, v) - dst);
}

static size_t text(char *dst, size_t n, const char *p, size_t len)
{
        return (size_t)(put_bytes(dst, dst + n, p, len) - dst);
}

static size_t textz(char *dst, size_t n, const char *z)
{
        return text(dst, n, z, strlen(z));
}

/* Numbers that flag X turns into hexadecimal. */
static size_t dec_or_hex(char *dst, size_t n, unsigned flags, uint64_t v, unsigned digits)
{
        if (unlikely(flags & LOGFMT_HEX))
                return (size_t)(put_hex(dst, dst + n, v, digits) - dst);
        return (size_t)(put_u64(dst, dst + n, v) - dst);
}

/* Eight bytes that stay as they are; false also for some that would: the caller looks again. */
static inline bool plain_8(const char *p)
{
        const uint64_t ones = 0x0101010101010101U, high = 0x80 * ones;
        uint64_t x, del, quote;

        memcpy(&x, p, 8);
        del = x ^ 0x7f * ones;
        quote = (x & 0xfe * ones) ^ 0x22 * ones; /* '"' and '#' */
        /* the high bit of a byte of (y - ones) & ~y is set where y has a zero byte */
        return ((x | (x - 0x20 * ones) | ((del - ones) & ~del) | ((quote - ones) & ~quote)) & high) == 0;
}

/* Bytes of a request line: what is not printable ASCII, '"' and '#' become #XX (manual 8.6). */
static size_t uri(char *dst, size_t n, const char *p, size_t len)
{
        static const uint8_t plain[256] = { [' '] = 1, ['!'] = 1, ['$' ... '~'] = 1 };
        char *out = dst;
        const char *end = dst + n;

        for (size_t i = 0, from; i < len; i++) {
                for (from = i; len - i >= 8 && plain_8(p + i);)
                        i += 8;
                while (i < len && plain[(unsigned char)p[i]])
                        i++;
                out = put_bytes(out, end, p + from, i - from);
                if (i == len || end - out < 3)
                        break;
                *out++ = '#';
                out = put_hex(out, end, (unsigned char)p[i], 2);
        }
        return (size_t)(out - dst);
}

/* ---- addresses ---- */

static size_t ip(const struct addr *a, unsigned flags, char *dst, size_t n)
{
        const uint8_t *b =
                a->sa.sa_family == AF_INET6 ? (const uint8_t *)&a->in6.sin6_addr : (const uint8_t *)&a->in.sin_addr;
        size_t len = a->sa.sa_family == AF_INET6 ? 16 : 4;
        char *p = dst;

        if (likely(!(flags & LOGFMT_HEX)) || (a->sa.sa_family != AF_INET && a->sa.sa_family != AF_INET6))
                return addr_ip_text(a, dst, n);
        for (size_t i = 0; i < len; i++)
                p = put_hex(p, dst + n, b[i], 2);
        return (size_t)(p - dst);
}

/* For a unix client the port is the number of the socket it came by (manual 8.2.2). */
static size_t port(const struct addr *a, const struct sess *ss, unsigned flags, char *dst, size_t n)
{
        if (a->sa.sa_family == AF_UNIX)
                return dec_or_hex(dst, n, flags, ss && ss->listener ? ss->listener->cell.slot + 1 : 0, 4);
        if (a->sa.sa_family == AF_UNSPEC)
                return 0;
        return dec_or_hex(dst, n, flags, (uint64_t)addr_port(a), 4);
}

ALIAS(client_ip)
{
        return ip(strm_src(s, s->sess), flags, dst, n);
}

ALIAS(client_port)
{
        return port(strm_src(s, s->sess), s->sess, flags, dst, n);
}

ALIAS(front_ip)
{
        return ip(strm_dst(s, s->sess), flags, dst, n);
}

ALIAS(front_port)
{
        return port(strm_dst(s, s->sess), s->sess, flags, dst, n);
}

static bool server_address(const struct strm *s, struct addr *ret_a)
{
        struct sockaddr_storage sa;
        socklen_t len = s->srv ? server_addr_get(s->srv, &sa, (struct strm *)(uintptr_t)s) : 0;

        if (len == 0)
                return false;
        addr_from_sockaddr(ret_a, (const struct sockaddr *)&sa, len);
        return true;
}

ALIAS(server_ip)
{
        struct addr a;

        return server_address(s, &a) ? ip(&a, flags, dst, n) : 0;
}

ALIAS(server_port)
{
        struct addr a;

        return server_address(s, &a) ? port(&a, NULL, flags, dst, n) : 0;
}

/* Our end of the connection to the server, while the stream has one. */
static bool source_address(const struct strm *s, struct addr *ret_a)
{
        struct sockaddr_storage sa = { .ss_family = AF_UNSPEC };
        socklen_t len = sizeof(sa);

        if (!s->sc || thr_self->sys->getsockname(s->sc->wire.conn.ev.fd, (struct sockaddr *)&sa, &len) < 0)
                return false;
        addr_from_sockaddr(ret_a, (const struct sockaddr *)&sa, len);
        return true;
}

ALIAS(back_source_ip)
{
        struct addr a;

        return source_address(s, &a) ? ip(&a, flags, dst, n) : 0;
}

ALIAS(back_source_port)
{
        struct addr a;

        return source_address(s, &a) ? port(&a, NULL, flags, dst, n) : 0;
}

/* ---- names ---- */

ALIAS(front_name)
{
        (void)flags;
        return textz(dst, n, s->front->cell.name);
}

ALIAS(back_name)
{
        (void)flags;
        return textz(dst, n, s->back ? s->back->cell.name : s->front->cell.name);
}

/* What answered instead of a server: an applet's name ("<STATS>"), or nobody. */
static const char *no_server(const struct strm *s)
{
        const struct applet *a = s->sv.carrier;

        if (a && s->sv.ops && strcmp(s->sv.ops->name, "APPLET") == 0 && a->ops)
                return a->ops->name;
        return "<NOSRV>";
}

ALIAS(server_name)
{
        (void)flags;
        return textz(dst, n, s->srv ? s->srv->cell.name : no_server(s));
}

ALIAS(host_name)
{
        (void)s;
        (void)flags;
        return textz(dst, n, logs_host());
}

/* ---- counters ---- */

#define COUNTER(fn, expr)                                                                                              \
        ALIAS(fn)                                                                                                      \
        {                                                                                                              \
                (void)s;                                                                                               \
                (void)flags;                                                                                           \
                return dec(dst, n, (int64_t)(expr));                                                                   \
        }
#define RELAXED(v) atomic_load_explicit(&(v), memory_order_relaxed)

COUNTER(act_conn, RELAXED(world.cur_conns))
COUNTER(front_conn, RELAXED(s->front->cur))
COUNTER(back_conn, s->back ? RELAXED(s->back->cur) : 0)
/* At its end the stream still holds its slot; HAProxy's lines count without it. */
COUNTER(server_conn, s->srv ? RELAXED(s->srv->cur) - (s->t.end && s->has_slot) : 0)
COUNTER(server_queue, s->q_srv ? s->log.q_pos : 0)
COUNTER(back_queue, s->q_srv ? 0 : s->log.q_pos)
COUNTER(uploaded, s->cl.rx_bytes)

ALIAS(pid)
{
        (void)s;
        return dec_or_hex(dst, n, flags, (uint64_t)world.pid, 4);
}

ALIAS(request_counter)
{
        /* Threads count for themselves: theirs are interleaved, so that the numbers stay small and are no one's twice. */
        uint64_t own = (s->id & UINT64_C(0xffffffffffff)) - 1, thr = s->id >> 48;

        return dec_or_hex(dst, n, flags, own * thr_count() + thr + 1, 4);
}

ALIAS(log_counter)
{
        return dec_or_hex(dst, n, flags, logs_count(s->fcfg->log), 4);
}

ALIAS(retries)
{
        (void)flags;
        if (unlikely(s->redispatched) && n > 0) {
                *dst = '+';
                return 1 + dec(dst + 1, n - 1, s->tries);
        }
        return dec(dst, n, s->tries);
}

static cold_path bool is_asap(const struct strm *s)
{
        return s->fcfg->log && s->fcfg->log->options & OPT_LOGASAP;
}

/* A line of logasap says with '+' that the final number is larger (manual 8.3.2). */
static inline size_t so_far(const struct strm *s, char *dst, size_t n, int64_t v)
{
        if (unlikely(!s->t.end) && n > 0 && is_asap(s)) {
                *dst = '+';
                return 1 + dec(dst + 1, n - 1, v);
        }
        return dec(dst, n, v);
}

/* What the server (or an applet) sent: HAProxy 3.4's %[res.bytes_in]. Our own error pages count as 0 there. */
ALIAS(bytes_read)
{
        (void)flags;
        return so_far(s, dst, n, s->rsp_seen || !s->http ? (int64_t)s->sv.rx_bytes : 0);
}

ALIAS(status)
{
        (void)flags;
        return dec(dst, n, s->status ? s->status : s->http ? -1 : 0);
}

ALIAS(term)
{
        (void)flags;
        return text(dst, n, s->term, 2);
}

ALIAS(term_cookie)
{
        const struct strm_tie *t = strm_tied(s);
        char v[4] = { s->term[0], s->term[1], t && t->req ? t->req : '-', t && t->rsp ? t->rsp : '-' };

        (void)flags;
        return text(dst, n, v, 4);
}

/* ---- dates ---- */

static size_t date_zone(char *dst, size_t n, const char *date, const char *zone)
{
        char v[26];

        memcpy(v, date, 20);
        v[20] = ' ';
        memcpy(v + 21, zone, 5);
        return text(dst, n, v, sizeof(v));
}

static size_t date_ms(char *dst, size_t n, int64_t us)
{
        char v[24];

        memcpy(v, logdate(us)->local, 20);
        v[20] = '.';
        put_3(v + 21, (unsigned)(us / 1000 % 1000));
        return text(dst, n, v, sizeof(v));
}

ALIAS(accept_date)
{
        (void)flags;
        return date_ms(dst, n, s->log.wall_us);
}

ALIAS(request_date)
{
        (void)flags;
        return date_ms(dst, n, s->log.req_wall_us ? s->log.req_wall_us : s->log.wall_us);
}

ALIAS(accept_gmt)
{
        (void)flags;
        return date_zone(dst, n, logdate(s->log.wall_us)->gmt, "+0000");
}

ALIAS(accept_local)
{
        const struct logdate *d = logdate(s->log.wall_us);

        (void)flags;
        return date_zone(dst, n, d->local, d->zone);
}

ALIAS(request_gmt)
{
        (void)flags;
        return date_zone(dst, n, logdate(s->log.req_wall_us ? s->log.req_wall_us : s->log.wall_us)->gmt, "+0000");
}

ALIAS(request_local)
{
        const struct logdate *d = logdate(s->log.req_wall_us ? s->log.req_wall_us : s->log.wall_us);

        (void)flags;
        return date_zone(dst, n, d->local, d->zone);
}

ALIAS(accept_unix)
{
        return dec_or_hex(dst, n, flags, (uint64_t)(s->log.wall_us / 1000000), 4);
}

ALIAS(accept_ms)
{
        unsigned ms = (unsigned)(s->log.wall_us / 1000 % 1000);
        char v[3];

        if (flags & LOGFMT_HEX)
                return dec_or_hex(dst, n, flags, ms, 2);
        put_3(v, ms);
        return text(dst, n, v, 3);
}

/* ---- timers (manual 8.4) ---- */

/* A line has five timers and more; they are worked out once. */
static const struct strm_ms *timers(struct log_view *v)
{
        if (!v->timed) {
                v->timed = true;
                strm_ms(v->strm, &v->ms);
        }
        return &v->ms;
}

#define TIMER(fn, print)                                                                                               \
        static size_t fn(struct log_view *v, unsigned flags, char *dst, size_t n)                                      \
        {                                                                                                              \
                const struct strm_ms *t = timers(v);                                                                   \
                                                                                                                       \
                (void)flags;                                                                                           \
                return print;                                                                                          \
        }

TIMER(t_handshake, dec(dst, n, t->th))
TIMER(t_idle, dec(dst, n, t->ti))
TIMER(t_request, dec(dst, n, t->tr_req))
TIMER(t_queue, dec(dst, n, t->tw))
TIMER(t_connect, dec(dst, n, t->tc))
TIMER(t_response, dec(dst, n, t->tr))
TIMER(t_data, so_far(v->strm, dst, n, t->td))
TIMER(t_active, so_far(v->strm, dst, n, t->ta))
TIMER(t_total, so_far(v->strm, dst, n, t->tt))
TIMER(t_user, so_far(v->strm, dst, n, t->tt - (t->ti > 0 ? t->ti : 0)))
TIMER(t_old_request, dec(dst, n, t->tr_req < 0 ? -1 : t->th + t->ti + t->tr_req))

/* ---- the request line ---- */

enum { REQ_LINE, REQ_METHOD, REQ_URI, REQ_NO_QUERY, REQ_PATH, REQ_QUERY, REQ_VERSION };

/* The part of "METHOD URI VERSION"; n == 0 with p != NULL: there is none. */
static struct str request_part(struct str line, int what)
{
        const char *sp = memchr(line.p, ' ', line.n), *sp2, *q, *slash;
        struct str u;

        if (what == REQ_LINE)
                return line;
        if (!sp)
                return what == REQ_METHOD ? line : str_sub(line, line.n, 0);
        if (what == REQ_METHOD)
                return str_sub(line, 0, (size_t)(sp - line.p));
        u = str_sub(line, (size_t)(sp - line.p) + 1, line.n - (size_t)(sp - line.p) - 1);
        sp2 = memchr(u.p, ' ', u.n);
        if (what == REQ_VERSION)
                return sp2 ? str_sub(u, (size_t)(sp2 - u.p) + 1, u.n - (size_t)(sp2 - u.p) - 1) : str_sub(u, u.n, 0);
        u.n = sp2 ? (size_t)(sp2 - u.p) : u.n;
        q = memchr(u.p, '?', u.n);
        if (what == REQ_QUERY)
                return q ? str_sub(u, (size_t)(q - u.p), u.n - (size_t)(q - u.p)) : str_sub(u, u.n, 0);
        if (what != REQ_URI && q)
                u.n = (size_t)(q - u.p);
        if (what == REQ_PATH && u.n && u.p[0] != '/' && (slash = memmem(u.p, u.n, "://", 3)) != NULL) {
                size_t at = (size_t)(slash - u.p) + 3;

                slash = memchr(u.p + at, '/', u.n - at);
                u = slash ? str_sub(u, (size_t)(slash - u.p), u.n - (size_t)(slash - u.p)) : STR("/");
        }
        return u;
}

static size_t request(const struct strm *s, int what, char *dst, size_t n)
{
        struct str part;

        if (unlikely(!s->log.request))
                return textz(dst, n, "<BADREQ>");
        part = request_part((struct str){ s->log.request, s->log.request_len }, what);
        return uri(dst, n, part.p, part.n);
}

#define REQUEST(fn, what)                                                                                              \
        ALIAS(fn)                                                                                                      \
        {                                                                                                              \
                (void)flags;                                                                                           \
                return request(s, what, dst, n);                                                                       \
        }

REQUEST(req_line, REQ_LINE)
REQUEST(req_method, REQ_METHOD)
REQUEST(req_uri, REQ_URI)
REQUEST(req_no_query, REQ_NO_QUERY)
REQUEST(req_path, REQ_PATH)
REQUEST(req_query, REQ_QUERY)
REQUEST(req_version, REQ_VERSION)

static size_t origin(struct log_view *v, unsigned flags, char *dst, size_t n)
{
        (void)flags;
        return textz(dst, n, v->origin ? v->origin : "unspec");
}

/* Captures and unique ids: feat/capture, feat/unique_id. */
static const struct log_alias rows[] = {
        { .name = "B",
          .number = true,
          .late = true,
          .print = bytes_read,
          .needs = EXPR_LOG,
          .help = "bytes received from the server" },
        { .name = "H", .process = true, .print = host_name, .string = true, .help = "host name" },
        { .name = "HM",
          .pieces = true,
          .print = req_method,
          .request = true,
          .needs = EXPR_CLIENT,
          .string = true,
          .help = "HTTP method" },
        { .name = "HP",
          .pieces = true,
          .print = req_no_query,
          .request = true,
          .needs = EXPR_CLIENT,
          .string = true,
          .help = "URI without query" },
        { .name = "HPO",
          .pieces = true,
          .print = req_path,
          .request = true,
          .needs = EXPR_CLIENT,
          .string = true,
          .help = "path only" },
        { .name = "HQ",
          .pieces = true,
          .print = req_query,
          .request = true,
          .needs = EXPR_CLIENT,
          .string = true,
          .quiet = true,
          .help = "query string" },
        { .name = "HU",
          .pieces = true,
          .print = req_uri,
          .request = true,
          .needs = EXPR_CLIENT,
          .string = true,
          .help = "URI" },
        { .name = "HV",
          .pieces = true,
          .print = req_version,
          .request = true,
          .needs = EXPR_CLIENT,
          .string = true,
          .help = "HTTP version" },
        { .name = "OG", .print = origin, .needs = EXPR_LOG, .string = true, .help = "where the line was made" },
        { .name = "ST", .number = true, .print = status, .needs = EXPR_LOG, .help = "status code" },
        { .name = "T", .print = accept_gmt, .help = "accept date, UTC" },
        { .name = "TR",
          .number = true,
          .late = true,
          .print = t_request,
          .needs = EXPR_CLIENT,
          .help = "time to receive the request" },
        { .name = "Ta",
          .number = true,
          .late = true,
          .print = t_active,
          .needs = EXPR_LOG,
          .help = "active time of the request" },
        { .name = "Tc",
          .number = true,
          .late = true,
          .print = t_connect,
          .needs = EXPR_SERVER,
          .help = "connect time" },
        { .name = "Td",
          .number = true,
          .late = true,
          .print = t_data,
          .needs = EXPR_LOG,
          .help = "data transfer time" },
        { .name = "Th",
          .number = true,
          .late = true,
          .print = t_handshake,
          .needs = EXPR_CLIENT,
          .help = "handshake time" },
        { .name = "Ti",
          .number = true,
          .late = true,
          .print = t_idle,
          .needs = EXPR_CLIENT,
          .help = "idle time before the request" },
        { .name = "Tl", .print = accept_local, .help = "accept date, local" },
        { .name = "Tq",
          .number = true,
          .late = true,
          .print = t_old_request,
          .needs = EXPR_CLIENT,
          .help = "Th + Ti + TR" },
        { .name = "Tr", .number = true, .late = true, .print = t_response, .needs = EXPR_LOG, .help = "response time" },
        { .name = "Ts", .number = true, .print = accept_unix, .help = "accept date, seconds since the epoch" },
        { .name = "Tt", .number = true, .late = true, .print = t_total, .needs = EXPR_LOG, .help = "total time" },
        { .name = "Tu",
          .number = true,
          .late = true,
          .print = t_user,
          .needs = EXPR_LOG,
          .help = "time as the user sees it" },
        { .name = "Tw",
          .number = true,
          .late = true,
          .print = t_queue,
          .needs = EXPR_SERVER,
          .help = "time in queues" },
        { .name = "U",
          .number = true,
          .late = true,
          .print = uploaded,
          .needs = EXPR_LOG,
          .help = "bytes received from the client" },
        { .name = "ac", .number = true, .late = true, .print = act_conn, .help = "connections of the process" },
        { .name = "b", .print = back_name, .needs = EXPR_SERVER, .string = true, .help = "backend name" },
        { .name = "bc",
          .number = true,
          .late = true,
          .print = back_conn,
          .needs = EXPR_SERVER,
          .help = "connections of the backend" },
        { .name = "bq",
          .number = true,
          .late = true,
          .print = back_queue,
          .needs = EXPR_SERVER,
          .help = "position in the backend's queue" },
        { .name = "bi",
          .print = back_source_ip,
          .needs = EXPR_SERVER,
          .string = true,
          .help = "address connected from to the server" },
        { .name = "bp",
          .print = back_source_port,
          .number = true,
          .needs = EXPR_SERVER,
          .help = "port connected from to the server" },
        { .name = "ci", .print = client_ip, .needs = EXPR_CLIENT, .string = true, .help = "client address" },
        { .name = "cp", .number = true, .print = client_port, .needs = EXPR_CLIENT, .help = "client port" },
        { .name = "f", .print = front_name, .string = true, .help = "frontend name" },
        { .name = "fc", .number = true, .late = true, .print = front_conn, .help = "connections of the frontend" },
        { .name = "fi", .print = front_ip, .needs = EXPR_CLIENT, .string = true, .help = "address connected to" },
        { .name = "fp", .number = true, .print = front_port, .needs = EXPR_CLIENT, .help = "port connected to" },
        { .name = "ft", .pieces = true, .print = front_name, .string = true, .help = "frontend name and transport" },
        { .name = "lc", .number = true, .print = log_counter, .help = "log lines of the frontend" },
        { .name = "ms", .number = true, .print = accept_ms, .help = "accept date, milliseconds" },
        { .name = "pid", .number = true, .process = true, .print = pid, .help = "process id" },
        { .name = "r",
          .pieces = true,
          .print = req_line,
          .request = true,
          .needs = EXPR_CLIENT,
          .string = true,
          .help = "HTTP request line" },
        { .name = "rc",
          .number = true,
          .late = true,
          .print = retries,
          .needs = EXPR_SERVER,
          .help = "connection retries" },
        { .name = "rt", .number = true, .print = request_counter, .help = "number of the request" },
        { .name = "s", .print = server_name, .needs = EXPR_SERVER, .string = true, .help = "server name" },
        { .name = "sc",
          .number = true,
          .late = true,
          .print = server_conn,
          .needs = EXPR_SERVER,
          .help = "connections of the server" },
        { .name = "si", .print = server_ip, .needs = EXPR_SERVER, .string = true, .help = "server address" },
        { .name = "sp", .number = true, .print = server_port, .needs = EXPR_SERVER, .help = "server port" },
        { .name = "sq",
          .number = true,
          .late = true,
          .print = server_queue,
          .needs = EXPR_SERVER,
          .help = "position in the server's queue" },
        { .name = "t", .print = accept_date, .help = "accept date, local, milliseconds" },
        { .name = "tr", .print = request_date, .needs = EXPR_CLIENT, .help = "request date, local, milliseconds" },
        { .name = "trg", .print = request_gmt, .needs = EXPR_CLIENT, .help = "request date, UTC" },
        { .name = "trl", .print = request_local, .needs = EXPR_CLIENT, .help = "request date, local" },
        { .name = "ts", .late = true, .print = term, .needs = EXPR_LOG, .help = "termination state" },
        { .name = "tsc", .print = term_cookie, .needs = EXPR_LOG, .help = "termination state with cookie status" },
};
LOG_ALIAS_TABLE(traffic, rows);
