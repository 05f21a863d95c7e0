/* core/rows_proxy.c - the words of defaults, frontend, backend and listen sections that fill struct proxy_cfg (manual 4.2). */
#include "core/rows_int.h"

const char *proxy_noun(const struct conf_obj *o)
{
        return o->kind->bit == KIND_LISTEN ? "proxy" : o->kind->name;
}

static int mode_parse(struct kw_call *c)
{
        struct proxy_cfg *p = c->slot;
        struct str m;

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'mode' expects 'tcp' or 'http' as argument.");
                return -1;
        }
        m = c->args[0].text;
        if (str_is(m, "tcp"))
                p->mode = PX_TCP;
        else if (str_is(m, "http"))
                p->mode = PX_HTTP;
        else if (str_is(m, "health"))
                kw_fail(c, &c->args[0], "E0220",
                        "'mode health' doesn't exist anymore. Please use 'http-request return status 200' instead.");
        else
                kw_fail(c, &c->args[0], "E0221", "unknown proxy mode '%.*s'.", (int)m.n, m.p);
        return 1;
}

static void mode_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct proxy_cfg *)slot)->mode == PX_HTTP)
                buf_printf(out, "    %s http\n", kw->name);
}

/* maxconn belongs to frontends, fullconn to backends; the other one is what people mean then. */
static int limit_elsewhere_parse(struct kw_call *c)
{
        int64_t v = 0;

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'%s' expects an integer argument.", c->kw->name);
                return -1;
        }
        if (!kw_arg_int(c, &c->args[0], 0, INT32_MAX, &v))
                return -1;
        kw_warn(c, NULL, "W0126", "'%s' ignored because %s '%s' has no %s capability. Maybe you want '%s' instead ?",
                c->kw->name, c->obj->kind->name, c->obj->name, c->obj->kind->lacks,
                c->kw->name[0] == 'f' ? "maxconn" : "fullconn");
        return 1;
}

static int conn_limit_parse(struct kw_call *c)
{
        struct proxy_cfg *p = c->slot;
        bool full = c->kw->name[0] == 'f';
        int64_t v = 0;

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'%s' expects an integer argument.", c->kw->name);
                return -1;
        }
        if (!kw_arg_int(c, &c->args[0], 0, INT32_MAX, &v))
                return -1;
        *(full ? &p->fullconn : &p->maxconn) = (int)v;
        return 1;
}

static void maxconn_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct proxy_cfg *)slot)->maxconn)
                buf_printf(out, "    %s %d\n", kw->name, ((const struct proxy_cfg *)slot)->maxconn);
}

static void fullconn_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct proxy_cfg *)slot)->fullconn)
                buf_printf(out, "    %s %d\n", kw->name, ((const struct proxy_cfg *)slot)->fullconn);
}

/* ---- one-liners ---- */

static int description_parse(struct kw_call *c)
{
        const char *z = join_args(c);

        if (!z)
                return -1;
        ((struct proxy_cfg *)c->slot)->description = z;
        return (int)c->n_args;
}

static void description_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const char *z = ((const struct proxy_cfg *)slot)->description;

        if (!z)
                return;
        buf_printf(out, "    %s ", kw->name);
        kw_quote(out, z);
        buf_putc(out, '\n');
}

static int disabled_parse(struct kw_call *c)
{
        ((struct proxy_cfg *)c->slot)->disabled = c->kw->name[0] == 'd';
        return 0;
}

static void disabled_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct proxy_cfg *)slot)->disabled)
                buf_printf(out, "    %s\n", kw->name);
}

static int id_parse(struct kw_call *c)
{
        int64_t v = 0;

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'id' expects an integer argument.")->intro = DIAG_INTRO_TIGHT;
                return -1;
        }
        if (!str_to_i64(c->args[0].text, &v) || v <= 0 || v > INT32_MAX) {
                kw_fail(c, &c->args[0], "E0112", "custom id has to be > 0.")->intro = DIAG_INTRO_TIGHT;
                return -1;
        }
        ((struct proxy_cfg *)c->slot)->id = (int)v;
        return 1;
}

static void id_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct proxy_cfg *)slot)->id)
                buf_printf(out, "    %s %d\n", kw->name, ((const struct proxy_cfg *)slot)->id);
}

/* Words of very old files: taken as what they became. */
static int old_timeout_parse(struct kw_call *c)
{
        struct proxy_cfg *p = c->slot;
        bool client = c->kw->name[0] == 'c' && c->kw->name[1] == 'l', server = c->kw->name[0] == 's';
        const char *now = client ? "timeout client" : server ? "timeout server" : "timeout connect";

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'%s' expects an integer value (in milliseconds)", c->kw->name);
                return -1;
        }
        kw_warn(c, NULL, "W0224", "'%s' was removed in HAProxy 2.1; it is taken as '%s %.*s'.", c->kw->name, now,
                (int)c->args[0].text.n, c->args[0].text.p);
        if (!kw_arg_time(c, &c->args[0], false,
                         client   ? &p->timeout.client
                         : server ? &p->timeout.server
                                  : &p->timeout.connect))
                return -1;
        return 1;
}

/* What was sent is never sent again: only a request that no server has seen is tried once more. */
static int retry_on_parse(struct kw_call *c)
{
        struct proxy_cfg *p = c->slot;

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'%s' expects at least one keyword.", c->kw->name);
                return -1;
        }
        p->retry_never = false;
        for (size_t i = 0; i < c->n_args; i++) {
                struct str w = c->args[i].text;

                if (str_is(w, "none") && c->n_args > 1) {
                        kw_fail(c, &c->args[i ? i : 1], "E0230", "'%s': 'none' keyword only usable alone", c->kw->name);
                        return -1;
                }
                if (str_is(w, "none"))
                        p->retry_never = true;
                else if (!str_is(w, "conn-failure")) {
                        kw_fail(c, &c->args[i], "E0230",
                                "'%s %.*s' is not supported yet: a request that was sent to a server is not sent again. "
                                "'none' and 'conn-failure' are.",
                                c->kw->name, (int)w.n, w.p);
                        return -1;
                }
        }
        return (int)c->n_args;
}

static void retry_on_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct proxy_cfg *)slot)->retry_never)
                buf_printf(out, "    %s none\n", kw->name);
}

/* Fields that frame or route a request must not be replaced by a name (manual). */
static int send_name_parse(struct kw_call *c)
{
        static const char *const taken[] = { "host", "content-length", "transfer-encoding", "connection" };
        char lower[256];
        size_t n;

        if (c->n_args == 0 || c->args[0].text.n == 0 || c->args[0].text.n >= sizeof(lower)) {
                kw_fail(c, NULL, "E0110", "'%s' requires a header string.", c->kw->name);
                return -1;
        }
        n = c->args[0].text.n;
        for (size_t i = 0; i < n; i++)
                lower[i] = (char)chr_lower((unsigned char)c->args[0].text.p[i]);
        for (size_t i = 0; i < array_len(taken); i++)
                if (str_is((struct str){ lower, n }, taken[i])) {
                        kw_fail(c, &c->args[0], "E0228", "'%s' cannot be used with '%s'.", c->kw->name, taken[i]);
                        return -1;
                }
        if (!str_is_token((struct str){ lower, n })) {
                kw_fail(c, &c->args[0], "E0228", "'%.*s' is not the name of a header field.", (int)n,
                        c->args[0].text.p);
                return -1;
        }
        ((struct proxy_cfg *)c->slot)->send_name = conf_intern(c->conf, (struct str){ lower, n });
        return 1;
}

static void send_name_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct proxy_cfg *)slot)->send_name)
                buf_printf(out, "    %s %s\n", kw->name, ((const struct proxy_cfg *)slot)->send_name);
}

static const struct kw_val name_vals[] = {
        { "preserve", HEADERS_PRESERVE }, { "delete", HEADERS_DELETE }, { "reject", HEADERS_REJECT }, { NULL, 0 }
};

static int header_names_parse(struct kw_call *c)
{
        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110",
                        "missing parameter. option '%s' expects 'preserve', 'delete' or 'reject' option.",
                        c->kw->name + strlen("option "));
                return -1;
        }
        return kw_arg_enum(c, &c->args[0], name_vals, &((struct proxy_cfg *)c->slot)->header_names) ? 1 : -1;
}

static void header_names_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        int how = ((const struct proxy_cfg *)slot)->header_names;

        if (how != HEADERS_PRESERVE)
                buf_printf(out, "    %s %s\n", kw->name, how == HEADERS_DELETE ? "delete" : "reject");
}

static const struct kw_val reuse_vals[] = { { "never", REUSE_NEVER },
                                            { "safe", REUSE_SAFE },
                                            { "aggressive", REUSE_AGGRESSIVE },
                                            { "always", REUSE_ALWAYS },
                                            { NULL, 0 } };

static const struct proxy_cfg defaults = { .retries = 3, .http_reuse = REUSE_SAFE };

#define FRONT          (KIND_DEFAULTS | KIND_FRONTEND | KIND_LISTEN)
#define BACK           (KIND_DEFAULTS | KIND_BACKEND | KIND_LISTEN)
#define FRONT_ROW      .kinds = FRONT, .warn_kinds = KIND_BACKEND, .manual = "4.2"
#define BACK_ROW       .kinds = BACK, .warn_kinds = KIND_FRONTEND, .manual = "4.2"
#define BOTH_ROW       .kinds = KIND_PROXY, .manual = "4.2"
#define OPT(n, b, ...) KW_BITS("option " n, struct proxy_cfg, options, b, .apply = KW_NEW, __VA_ARGS__)
#define LIMIT(n, f, ...)                                                                                               \
        KW_TIME("timeout " n, struct proxy_cfg, timeout.f, .apply = KW_NEW, .args = "<time>", __VA_ARGS__)

static const struct kw rows[] = {
        KW_FN("mode", mode_parse, mode_dump, .apply = KW_NEW, BOTH_ROW, .args = "{ tcp | http }", .sample = "http",
              .help = "what passes: bytes, or HTTP messages"),
        KW_FN("bind", bind_line_parse, kw_dump_child, .apply = KW_LIVE, .kinds = KIND_FE, .warn_kinds = KIND_BACKEND,
              .manual = "4.2", .args = "[<address>]:<port_range> [, ...] [<words>]", .sample = "127.0.0.1:26000",
              .help = "an address to listen on"),
        KW_FN("server-template", server_template_parse, dump_nothing, .apply = KW_LIVE, .kinds = KIND_BE,
              .manual = "4.2", .args = "<prefix> <number | low-high> <address>[:port] [<words>]",
              .sample = "w 2 127.0.0.1:80",
              .help = "several servers of one name and with the same words, <prefix>1 and on"),
        KW_FN("server", server_line_parse, kw_dump_child, .apply = KW_LIVE, .kinds = KIND_BE, .manual = "4.2",
              .args = "<name> <address>[:[port]] [<words>]", .sample = "s1 127.0.0.1:80", .help = "a server"),
        KW_FN("dispatch", dispatch_parse, dump_nothing, .apply = KW_LIVE, .kinds = KIND_BE, .manual = "4.2",
              .args = "<address>:<port>", .sample = "127.0.0.1:80", .until = "3.4",
              .help = "the server 'dispatch', for what no other server takes"),
        KW_FN("option transparent", dispatch_parse, dump_nothing, .no_ok = true, .apply = KW_LIVE, .kinds = KIND_BE,
              .manual = "4.2", .sample = "", .until = "3.4",
              .help = "the server 'transparent', for what no other server takes: where the client wanted to go"),
        KW_FN("transparent", dispatch_parse, dump_nothing, .no_ok = true, .apply = KW_LIVE, .kinds = KIND_BE,
              .manual = "4.2", .sample = "", .until = "3.4",
              .help = "the server 'transparent', for what no other server takes: where the client wanted to go"),
        KW_FN("default-server", default_server_parse, kw_dump_child, .apply = KW_LIVE, .kinds = KIND_BE | KIND_DEFAULTS,
              .warn_kinds = KIND_FRONTEND, .manual = "4.2", .args = "[<words>]", .sample = "weight 2",
              .help = "words for the servers below"),
        KW_FN("maxconn", limit_elsewhere_parse, dump_nothing, .kinds = KIND_BACKEND, .manual = "4.2", .args = "<conns>",
              .sample = "100", .help = "has a meaning in frontends only; see fullconn"),
        KW_FN("fullconn", limit_elsewhere_parse, dump_nothing, .kinds = KIND_FRONTEND, .manual = "4.2",
              .args = "<conns>", .sample = "100", .help = "has a meaning in backends only; see maxconn"),
        KW_FN("maxconn", conn_limit_parse, maxconn_dump, .apply = KW_LIVE, .kinds = FRONT, .manual = "4.2",
              .args = "<conns>", .sample = "100",
              .help = "connections on the frontend; the others wait in the kernel's queue"),
        KW_FN("fullconn", conn_limit_parse, fullconn_dump, .apply = KW_LIVE, .kinds = BACK, .manual = "4.2",
              .args = "<conns>", .sample = "100", .help = "load at which servers with minconn reach their maxconn"),
        KW_INT("rate-limit sessions", struct proxy_cfg, rate_limit, 0, INT32_MAX, .apply = KW_LIVE, FRONT_ROW,
               .args = "<rate>", .help = "new sessions accepted per second; the others wait in the kernel"),
        KW_INT("backlog", struct proxy_cfg, backlog, 0, INT32_MAX, .apply = KW_NEW, FRONT_ROW, .args = "<conns>",
               .help = "length of the kernel's queue of connections not yet accepted; 0: maxconn"),
        KW_STR("default_backend", struct proxy_cfg, default_backend, .min = 1, .apply = KW_NEW, FRONT_ROW,
               .args = "<backend>", .sample = "b", .sample_rest = "backend b\n",
               .help = "where requests go that no rule sent elsewhere"),
        KW_INT("retries", struct proxy_cfg, retries, 0, 255, .apply = KW_NEW, BACK_ROW, .args = "<number>",
               .help = "connection attempts after the first one failed"),
        KW_FN("retry-on", retry_on_parse, retry_on_dump, .apply = KW_NEW, BACK_ROW, .args = "{ none | conn-failure }",
              .sample = "none",
              .help = "when a failed request of mode http is tried again: never, or (default) as long as no server saw it"),
        KW_ENUM("http-reuse", struct proxy_cfg, http_reuse, reuse_vals, .apply = KW_NEW, BACK_ROW,
                .args = "{ never | safe | aggressive | always }",
                .help = "which requests may use idle server connections"),
        KW_FN("description", description_parse, description_dump, .apply = KW_LIVE, .kinds = KIND_FE | KIND_BE,
              .manual = "4.2", .args = "<text>...", .sample = "a b", .help = "free text on the stats page"),
        KW_FN("disabled", disabled_parse, disabled_dump, .apply = KW_LIVE, BOTH_ROW, .sample = "",
              .help = "the section is checked, but does not run"),
        KW_FN("enabled", disabled_parse, dump_nothing, .apply = KW_LIVE, BOTH_ROW, .sample = "",
              .help = "undoes `disabled` of a defaults section"),
        KW_FN("id", id_parse, id_dump, .apply = KW_LIVE, .kinds = KIND_PROXY & ~KIND_DEFAULTS, .manual = "4.2",
              .args = "<number>", .sample = "77", .help = "a number of its own for statistics and commands"),

        LIMIT("client", client, FRONT_ROW, .help = "how long a client may be silent"),
        LIMIT("server", server, BACK_ROW, .help = "how long a server may be silent"),
        LIMIT("connect", connect, BACK_ROW, .help = "how long a connection to a server may take"),
        LIMIT("check", check, BACK_ROW, .help = "how long a check may take after its connection is made"),
        LIMIT("queue", queue, BACK_ROW, .help = "how long a request may wait for a server; default: timeout connect"),
        LIMIT("tarpit", tarpit, BOTH_ROW,
              .help = "how long http-request tarpit holds a request; default: timeout connect"),
        LIMIT("http-request", http_request, BOTH_ROW,
              .help = "how long a whole request head may take; default: timeout client"),
        LIMIT("http-keep-alive", http_keep_alive, BOTH_ROW,
              .help = "how long the next request may take; default: timeout http-request"),
        LIMIT("client-hs", client_hs, FRONT_ROW,
              .help = "how long a client may take for the head that accept-proxy awaits; default: timeout client"),
        LIMIT("tunnel", tunnel, BACK_ROW, .help = "silence in both directions once the bytes are opaque"),
        LIMIT("client-fin", client_fin, FRONT_ROW, .help = "silence of a client after one direction was closed"),
        LIMIT("server-fin", server_fin, BACK_ROW, .help = "silence of a server after one direction was closed"),
        KW_FN("clitimeout", old_timeout_parse, dump_nothing, .kinds = FRONT, .manual = "4.2", .args = "<time>",
              .sample = "5s", .help = "old form of timeout client"),
        KW_FN("srvtimeout", old_timeout_parse, dump_nothing, .kinds = BACK, .manual = "4.2", .args = "<time>",
              .sample = "5s", .help = "old form of timeout server"),
        KW_FN("contimeout", old_timeout_parse, dump_nothing, .kinds = BACK, .manual = "4.2", .args = "<time>",
              .sample = "5s", .help = "old form of timeout connect"),

        KW_FN("option httplog", opt_log_elsewhere_parse, dump_nothing, .no_ok = true, .kinds = KIND_BACKEND,
              .manual = "4.2", .sample = "", .help = "has a meaning in frontends only"),
        KW_FN("option tcplog", opt_log_elsewhere_parse, dump_nothing, .no_ok = true, .kinds = KIND_BACKEND,
              .manual = "4.2", .sample = "", .help = "has a meaning in frontends only"),
        KW_FN("option httplog", opt_log_parse, opt_log_dump, .no_ok = true, .apply = KW_NEW, .kinds = FRONT,
              .manual = "4.2", .args = "[ clf | json ]", .sample = "clf",
              .help = "one log line per request, with all times, status and bytes; clf: as web servers write it; json (not in HAProxy): "
                      "an object with the strings date, client_ip, frontend, backend, server, request, method, uri, version, "
                      "req_cookie, rsp_cookie, req_headers, rsp_headers, termination, unique_id, and the numbers client_port, "
                      "time_request, time_queue, time_connect, time_response, time_active (milliseconds, -1: not reached), status, "
                      "bytes_read, bytes_uploaded, process_conns, frontend_conns, backend_conns, server_conns, retries, server_queue, "
                      "backend_queue; what is not known is null or empty"),
        KW_FN("option tcplog", opt_log_parse, opt_log_dump, .no_ok = true, .apply = KW_NEW, .kinds = FRONT,
              .manual = "4.2", .args = "[ clf | json ]", .sample = "clf",
              .help = "one log line per session, with all times and bytes; clf: as web servers write it; json (not in HAProxy): an "
                      "object with the strings date, client_ip, frontend, backend, server, termination, and the numbers client_port, "
                      "time_queue, time_connect, time_total (milliseconds, -1: not reached), bytes_read, bytes_uploaded, "
                      "process_conns, frontend_conns, backend_conns, server_conns, retries, server_queue, backend_queue"),
        OPT("dontlognull", OPT_DONTLOGNULL, FRONT_ROW, .help = "connections without a byte are not logged"),
        OPT("dontlog-normal", OPT_DONTLOG_NORMAL, FRONT_ROW, .help = "only trouble is logged"),
        OPT("logasap", OPT_LOGASAP, FRONT_ROW, .help = "logs when the answer's head is there, not at the end"),
        OPT("log-separate-errors", OPT_LOG_SEPARATE_ERRORS, FRONT_ROW, .help = "trouble is logged at level err"),
        OPT("log-health-checks", OPT_LOG_HEALTH, BACK_ROW, .help = "logs each change of a check's result"),
        KW_FN("option forwardfor", opt_forward_parse, opt_forward_dump, .no_ok = true, .apply = KW_NEW, BOTH_ROW,
              .args = "[except <network>] [header <name>] [if-none]", .sample = "except 127.0.0.0/8",
              .help = "adds X-Forwarded-For with the client's address"),
        KW_FN("option originalto", opt_forward_parse, opt_forward_dump, .no_ok = true, .apply = KW_NEW, BOTH_ROW,
              .args = "[except <network>] [header <name>]", .sample = "except 127.0.0.0/8",
              .help = "adds X-Original-To with the address that the client connected to"),
        KW_FN("http-send-name-header", send_name_parse, send_name_dump, .apply = KW_NEW, BACK_ROW, .args = "<header>",
              .sample = "x-server", .help = "sets this field to the name of the server that the request is sent to"),
        KW_FN("option http-restrict-req-hdr-names", header_names_parse, header_names_dump, .apply = KW_NEW, BOTH_ROW,
              .args = "{ preserve | delete | reject }", .sample = "delete",
              .help = "what becomes of a request with fields whose names are not only letters, digits and hyphens"),
        OPT("http-drop-request-trailers", OPT_DROP_REQ_TRAILERS, BACK_ROW,
            .help = "fields behind a request's body are not sent to the server"),
        OPT("http-drop-response-trailers", OPT_DROP_RSP_TRAILERS, FRONT_ROW,
            .help = "fields behind an answer's body are not sent to the client"),
        OPT("http-ignore-probes", OPT_IGNORE_PROBES, FRONT_ROW,
            .help = "a connection without a byte ends without an answer, a log line or a count"),
        OPT("http-pretend-keepalive", OPT_PRETEND_KEEPALIVE, BACK_ROW,
            .help = "a server is not told that its connection is closed after the answer"),
        OPT("independent-streams", OPT_INDEPENDENT_STREAMS, BOTH_ROW,
            .help = "what is sent to a silent TCP peer does not count as its activity"),
        KW_FN("option redispatch", opt_redispatch_parse, opt_redispatch_dump, .no_ok = true, .apply = KW_NEW, BACK_ROW,
              .args = "[<interval>]", .sample = "1", .help = "a failed connection may be tried on another server"),
        KW_FN("option http-keep-alive", opt_connection_parse, opt_connection_dump, .no_ok = true, .apply = KW_NEW,
              BOTH_ROW, .sample = "", .help = "keeps connections open on both sides (default)"),
        KW_FN("option http-server-close", opt_connection_parse, opt_connection_dump, .no_ok = true, .apply = KW_NEW,
              BOTH_ROW, .sample = "", .help = "keeps the client's connection, closes the server's after each answer"),
        KW_FN("option httpclose", opt_connection_parse, opt_connection_dump, .no_ok = true, .apply = KW_NEW, BOTH_ROW,
              .sample = "", .help = "closes both connections after each answer"),
        KW_FN("option abortonclose", opt_abortonclose_parse, opt_abortonclose_dump, .no_ok = true, .apply = KW_NEW,
              BACK_ROW, .sample = "",
              .help = "a client that closed waits no more, in a queue or for an answer (default in HTTP backends)"),
        OPT("clitcpka", OPT_CLITCPKA, FRONT_ROW, .help = "TCP keep-alive packets to clients"),
        OPT("srvtcpka", OPT_SRVTCPKA, BACK_ROW, .help = "TCP keep-alive packets to servers"),
        KW_FN("option tcpka", opt_tcpka_parse, dump_nothing, .no_ok = true, .apply = KW_NEW, BOTH_ROW, .sample = "",
              .help = "TCP keep-alive packets to both sides"),
        OPT("splice-auto", OPT_SPLICE_AUTO, BOTH_ROW, .help = "the kernel moves the bytes where that is faster"),
        OPT("splice-request", OPT_SPLICE_REQ, BOTH_ROW, .help = "the kernel moves the bytes from client to server"),
        OPT("splice-response", OPT_SPLICE_RSP, BOTH_ROW, .help = "the kernel moves the bytes from server to client"),
        OPT("nolinger", OPT_NOLINGER, BOTH_ROW, .help = "closes with a reset, so no socket lingers"),
        OPT("idle-close-on-response", OPT_IDLE_CLOSE_ON_RESPONSE, FRONT_ROW,
            .help = "a soft stop closes idle clients only after one more answer"),
        KW_NONE("option http-no-delay", "each piece of a body is sent at once anyway", .kinds = KIND_PROXY,
                .no_ok = true, .manual = "4.2", .help = "sends each piece of a body at once"),
        KW_NONE("option http-use-htx", "there is only one engine, and it always was the newer one", .kinds = KIND_PROXY,
                .no_ok = true, .manual = "4.2", .help = "chose the engine in HAProxy 1.9"),
};

KW_TABLE(proxy, KIND_PROXY, struct proxy_cfg, rows, .defaults = &defaults, .check = proxy_check);
