/* core/rows_server.c - server and default-server lines and their words (manual 4.2 "server", 5.2).
 *
 * Two slots: what servers commonly share (struct server_cfg) and what each has alone (struct server_addr_cfg), so that equal words
 * cost one struct however many servers there are. */
#include "core/lb.h"
#include "core/rows_int.h"

static const struct server_cfg server_defaults = { .weight = 1, .pool_max_conn = -1, .pool_purge_ms = 5000 };

#define TEMPLATE_MAX 100000u /* servers of one line */

/* ---- the line ---- */

void default_server_title(const struct conf_obj *o, struct buf *out)
{
        (void)o;
        buf_puts(out, "'default-server' : ");
}

static size_t bad_name_char(struct str s)
{
        size_t i = 0;

        while (i < s.n && ((chr_lower((unsigned char)s.p[i]) >= 'a' && chr_lower((unsigned char)s.p[i]) <= 'z') ||
                           chr_is_digit(s.p[i]) || (s.p[i] && strchr("-_.:", s.p[i]))))
                i++;
        return i;
}

static bool name_ok(struct kw_call *c, const char *what)
{
        struct str s = c->args[0].text;
        size_t i = bad_name_char(s);
        struct diag *g;

        if (i == s.n)
                return true;
        g = kw_fail(c, &c->args[0], "E0104", "character '%c' is not permitted in %s '%.*s'.", s.p[i], what, (int)s.n,
                    s.p);
        g->intro = DIAG_INTRO_PLACE;
        return false;
}

/* Fields one by one: slots are compared by bytes, padding would come along in an assignment. */
static void take_address(struct kw_call *c, struct server_addr_cfg *a, const struct addr_spec *s, struct str text)
{
        memcpy(&a->addr, &s->addr, sizeof(a->addr));
        a->port_follows = s->family != AF_UNIX && (s->port_low < 0 || s->port_offset);
        a->port_offset = s->port_offset ? s->port_low : 0;
        if (a->port_follows)
                addr_set_port(&a->addr, 0);
        if (s->family == AF_UNIX) {
                a->unix_text = conf_intern(c->conf, text);
                a->path = conf_intern(c->conf, str_of(s->path));
                a->abstract = s->abstract;
        }
}

/* addr_parse() gives "+n" and "-n" as port_offset with the number in port_low. */
static bool parse_address(struct kw_call *c, struct conf_obj *o, const struct word *at)
{
        struct kw_call line = *c;
        struct server_addr_cfg *a = conf_slot_edit(c->conf, o, server_addr_slot);
        const char *why = "invalid address";
        struct addr_spec s;
        enum addr_answer r;
        struct str text;
        AUTO_BUF(b);

        line.obj = o; /* messages name the server */
        if (!conf_expand_to(&line, at, &b, &text))
                return false;
        r = addr_parse(text, ADDR_OFFSET | ADDR_UNIX, &s, &why);
        if (r == ADDR_BAD) {
                kw_fail(&line, at, "E0210", "%s in '%.*s'", why, (int)text.n, text.p);
                return false;
        }
        take_address(c, a, &s, text);
        if (r == ADDR_NAME) {
                a->host = conf_intern(c->conf, str_of(s.host));
                a->host_port = a->port_follows ? 0 : s.port_low;
                if (s.family != AF_UNSPEC)
                        server_addr_want(c->conf, a)->family = s.family;
        }
        return true;
}

int server_line_parse(struct kw_call *c)
{
        struct conf_obj *o;
        bool ok;

        if (c->n_args < 2) {
                kw_fail(c, NULL, "E0110", "'server' expects <name> and <addr>[:<port>] as arguments.")->intro =
                        DIAG_INTRO_PLACE;
                return -1;
        }
        if (!name_ok(c, "server name"))
                return -1;
        o = conf_add_child(c, KIND_SERVER, c->args[0].text, c->args[0].at);
        ok = parse_address(c, o, &c->args[1]);
        if (!kw_parse_words(c, o, c->args + 2, c->n_args - 2) || !ok)
                return -1;
        return (int)c->n_args;
}

/* "3": 1 to 3; "2-5". */
static bool template_range(struct str s, uint64_t *ret_low, uint64_t *ret_high)
{
        const char *dash = s.n ? memchr(s.p, '-', s.n) : NULL;
        size_t n = dash ? (size_t)(dash - s.p) : s.n;

        *ret_low = 1;
        if (dash && (!str_to_u64(str_sub(s, 0, n), ret_low) || !str_to_u64(str_sub(s, n + 1, s.n - n - 1), ret_high)))
                return false;
        if (!dash && !str_to_u64(s, ret_high))
                return false;
        return *ret_low >= 1 && *ret_low <= *ret_high && *ret_high - *ret_low < TEMPLATE_MAX;
}

static bool template_server(struct kw_call *c, uint64_t number)
{
        struct str prefix = c->args[0].text;
        struct conf_obj *o;
        bool ok;
        AUTO_BUF(name);

        buf_printf(&name, "%.*s%llu", (int)prefix.n, prefix.p, (unsigned long long)number);
        o = conf_add_child(c, KIND_SERVER, buf_view(&name), c->args[0].at);
        ok = parse_address(c, o, &c->args[2]);
        return kw_parse_words(c, o, c->args + 3, c->n_args - 3) && ok;
}

int server_template_parse(struct kw_call *c)
{
        uint64_t low = 0, high = 0;

        if (c->n_args < 3) {
                kw_fail(c, NULL, "E0110",
                        "'server-template' expects <prefix> <nb | range> <addr>[:<port>] as arguments.")
                        ->intro = DIAG_INTRO_PLACE;
                return -1;
        }
        if (!name_ok(c, "server-template prefix"))
                return -1;
        if (!template_range(c->args[1].text, &low, &high)) {
                kw_fail(c, &c->args[1], "E0242", "Wrong server-template number or range arg '%.*s'.",
                        (int)c->args[1].text.n, c->args[1].text.p)
                        ->intro = DIAG_INTRO_PLACE;
                return -1;
        }
        for (; low <= high; low++)
                if (!template_server(c, low))
                        return -1; /* the same complaint for each of them helps nobody */
        return (int)c->n_args;
}

int default_server_parse(struct kw_call *c)
{
        struct conf_obj *o = conf_add_child(c, KIND_DEFAULT_SERVER, STR(""), c->at);

        return kw_parse_words(c, o, c->args, c->n_args) ? (int)c->n_args : -1;
}

/* `dispatch` and `transparent`: what they mean is a server that takes what no other one does. */
int dispatch_parse(struct kw_call *c)
{
        bool address = strcmp(c->kw->name, "dispatch") == 0;
        struct word w[2] = { { .text = STR("0.0.0.0"), .raw = STR("0.0.0.0"), .at = c->at },
                             { .text = STR("backup"), .raw = STR("backup"), .at = c->at } };
        struct server_addr_cfg *a;
        struct conf_obj *o;

        if (c->no) /* of a listen section that never said it */
                return 0;
        if (address && c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'%s' expects <addr>:<port> as argument.", c->kw->name);
                return -1;
        }
        if (address)
                w[0] = c->args[0];
        kw_warn(c, NULL, "W0229",
                "'%s' is deprecated and will be removed from HAProxy 3.5: 'server %s %.*s backup' says the same.",
                c->kw->name, address ? "dispatch" : "transparent", (int)w[0].text.n, w[0].text.p);
        o = conf_add_child(c, KIND_SERVER, address ? STR("dispatch") : STR("transparent"), w[0].at);
        if (!parse_address(c, o, &w[0]) || !kw_parse_words(c, o, &w[1], 1))
                return -1;
        a = conf_slot_edit(c->conf, o, server_addr_slot);
        if (address && a->port_follows) {
                kw_fail(c, &w[0], "E0229", "'%s' : missing port number in '%.*s', '<addr>:<port>' expected.",
                        c->kw->name, (int)w[0].text.n, w[0].text.p);
                return -1;
        }
        return address ? 1 : 0;
}

static void dump_port(const struct server_addr_cfg *a, int port, struct buf *out)
{
        if (a->port_follows && a->port_offset)
                buf_printf(out, ":%+d", a->port_offset);
        else if (!a->port_follows)
                buf_printf(out, ":%d", port);
}

void server_line_dump(const struct conf_obj *o, struct buf *out)
{
        const struct server_addr_cfg *a = conf_slot(o, server_addr_slot);

        buf_puts(out, "server ");
        kw_quote(out, o->name);
        buf_putc(out, ' ');
        if (a->unix_text) {
                kw_quote(out, a->unix_text);
        } else if (a->host) {
                if (a->want && a->want->family != AF_UNSPEC)
                        buf_puts(out, a->want->family == AF_INET ? "ipv4@" : "ipv6@");
                kw_quote(out, a->host);
                dump_port(a, a->host_port, out);
        } else {
                if (a->addr.sa.sa_family == AF_INET6)
                        buf_putc(out, '[');
                addr_print_ip(&a->addr, out);
                if (a->addr.sa.sa_family == AF_INET6)
                        buf_putc(out, ']');
                dump_port(a, addr_port(&a->addr), out);
        }
}

/* ---- words ---- */

static int weight_parse(struct kw_call *c)
{
        int64_t v = 0;

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'weight' expects an integer argument.");
                return -1;
        }
        if (!str_to_i64(c->args[0].text, &v))
                return kw_arg_int(c, &c->args[0], 0, 256, &v) ? 1 : -1;
        if (v < 0 || v > 256) {
                kw_fail(c, &c->args[0], "E0112", "weight of server %s is not within 0 and 256 (%lld)..", c->obj->name,
                        (long long)v);
                return -1;
        }
        ((struct server_cfg *)c->slot)->weight = (int)v;
        return 1;
}

static void weight_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct server_cfg *s = slot;

        if (s->weight != server_defaults.weight)
                buf_printf(out, " %s %d", kw->name, s->weight);
}

static int enabled_parse(struct kw_call *c)
{
        ((struct server_cfg *)c->slot)->disabled = false;
        return 0;
}

static int version_of(const struct kw *kw)
{
        return strcmp(kw->name, "send-proxy") == 0 ? 1 : 2;
}

static int send_proxy_parse(struct kw_call *c)
{
        struct server_cfg *s = c->slot;

        if (!c->no)
                s->pp_version = version_of(c->kw);
        else if (s->pp_version == version_of(c->kw))
                s->pp_version = 0;
        return 0;
}

static void send_proxy_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct server_cfg *)slot)->pp_version == version_of(kw))
                buf_printf(out, " %s", kw->name);
}

/* The others tell of TLS, or of an identity that requests do not have here. */
static int pp_options_parse(struct kw_call *c)
{
        struct server_cfg *s = c->slot;
        struct str all, w;

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'%s' expects a comma-separated list of options.", c->kw->name);
                return -1;
        }
        for (all = c->args[0].text; all.n;) {
                const char *comma = memchr(all.p, ',', all.n);
                size_t n = comma ? (size_t)(comma - all.p) : all.n;

                w = str_sub(all, 0, n);
                all = str_sub(all, comma ? n + 1 : n, all.n - (comma ? n + 1 : n));
                if (!str_is(w, "crc32c")) {
                        kw_fail(c, &c->args[0], "E0265", "'%s' : '%.*s' is not supported here; 'crc32c' is.",
                                c->kw->name, (int)w.n, w.p);
                        return -1;
                }
                s->pp_crc = true;
        }
        return 1;
}

static void pp_options_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct server_cfg *)slot)->pp_crc)
                buf_printf(out, " %s crc32c", kw->name);
}

static const struct kw_val hash_keys[] = {
        { "id", LB_KEY_ID }, { "addr", LB_KEY_ADDR }, { "addr-port", LB_KEY_ADDR_PORT }, { NULL, 0 }
};

static const struct kw server_rows[] = {
        KW_FN("weight", weight_parse, weight_dump, .apply = KW_LIVE, .manual = "5.2", .args = "<0..256>",
              .sample = "10",
              .help = "share of the load relative to the other servers; 0: none but persistent clients"),
        KW_INT("maxconn", struct server_cfg, maxconn, 0, INT32_MAX, .apply = KW_LIVE, .manual = "5.2",
               .args = "<number>", .help = "requests and sessions it gets at a time; the others wait; 0: no limit"),
        KW_INT("minconn", struct server_cfg, minconn, 0, INT32_MAX, .apply = KW_LIVE, .manual = "5.2",
               .args = "<number>", .help = "limit at low load; it rises to maxconn as the backend nears fullconn"),
        KW_INT("maxqueue", struct server_cfg, maxqueue, 0, INT32_MAX, .apply = KW_LIVE, .manual = "5.2",
               .args = "<number>",
               .help = "how many may wait for this server, when their key leads to no other; the others are refused; 0: no limit"),
        KW_ENUM("hash-key", struct server_cfg, hash_key, hash_keys, .apply = KW_LIVE, .manual = "5.2",
                .args = "{ id | addr | addr-port }",
                .help = "what places the server among the others with hash-type consistent"),
        KW_FLAG("backup", struct server_cfg, backup, .apply = KW_LIVE, .manual = "5.2",
                .help = "used only when no other server is left"),
        KW_FLAG("non-stick", struct server_cfg, non_stick, .apply = KW_LIVE, .manual = "5.2",
                .help = "Stick tables do not learn that a client was sent here."),
        KW_FLAG("disabled", struct server_cfg, disabled, .apply = KW_LIVE, .manual = "5.2",
                .help = "starts in maintenance"),
        KW_FN("enabled", enabled_parse, dump_nothing, .apply = KW_LIVE, .manual = "5.2", .sample = "",
              .help = "undoes `disabled` of a default-server line"),
        KW_INT("pool-max-conn", struct server_cfg, pool_max_conn, -1, INT32_MAX, .apply = KW_LIVE, .manual = "5.2",
               .args = "<number>", .help = "idle connections kept at most; -1: no limit, 0: none"),
        KW_TIME("pool-purge-delay", struct server_cfg, pool_purge_ms, .apply = KW_LIVE, .manual = "5.2",
                .args = "<time>", .help = "half of what stays unused for this long is closed"),
        KW_TIME("slowstart", struct server_cfg, slowstart_ms, .apply = KW_LIVE, .manual = "5.2", .args = "<time>",
                .help = "a server that was down gets its weight and its maxconn in steps over this time"),
        KW_STR("track", struct server_cfg, track, .apply = KW_LIVE, .manual = "5.2", .args = "[<backend>/]<server>",
               .sample = "t/t", .sample_rest = "defaults\nbackend t\n    server t 127.0.0.1:80 check\n",
               .help = "its state is that of another server, which is checked or tracks a third one"),
        KW_FN("send-proxy", send_proxy_parse, send_proxy_dump, .no_ok = true, .apply = KW_NEW, .manual = "5.2",
              .sample = "", .help = "tells the server whose connection it is, by version 1 of the PROXY protocol"),
        KW_FN("send-proxy-v2", send_proxy_parse, send_proxy_dump, .no_ok = true, .apply = KW_NEW, .manual = "5.2",
              .sample = "", .help = "tells the server whose connection it is, by version 2 of the PROXY protocol"),
        KW_FN("proxy-v2-options", pp_options_parse, pp_options_dump, .apply = KW_NEW, .manual = "5.2", .args = "crc32c",
              .sample = "crc32c", .help = "what send-proxy-v2 adds: a checksum"),
        KW_FLAG("check-send-proxy", struct server_cfg, pp_check, .apply = KW_NEW, .manual = "5.2",
                .help = "checks speak the PROXY protocol, too, also with an address or a port of their own"),
        KW_NONE("pool-low-conn", "idle connections stay with the thread that opened them", .max = 1, .manual = "5.2",
                .args = "<number>", .help = "below this many idle connections a thread takes none from another one"),
};

KW_TABLE(server, KIND_ANY_SERVER, struct server_cfg, server_rows, .defaults = &server_defaults, .rank = 1,
         .check = server_check_line);
