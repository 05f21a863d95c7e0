/* core/rows_source.c - `source` of sections and servers, and what the sockets to a server are told (manual 4.2, 5.2). */
#include "core/rows_int.h"
#include "core/srv_source.h"

#define INTERFACE_MAX 15

static bool fail(struct kw_call *c, const struct word *w, const char *what, const char *why, const char *text)
{
        (void)kw_fail(c, w, "E0260", "'%s %s' : %s in '%s'", what, text, why, text);
        return false;
}

/* An IP address with, perhaps, ports; a name is looked up. */
static bool parse_ip(struct kw_call *c, const struct word *w, const char *what, struct addr_spec *ret_s,
                     const char **ret_text)
{
        const char *why = "invalid address", *text;
        struct addr_spec s;
        enum addr_answer r;

        if (!conf_expand(c, w, &text))
                return false;
        r = addr_parse(str_of(text), ADDR_RANGE, &s, &why);
        if (r == ADDR_BAD)
                return fail(c, w, what, why, text);
        if (r == ADDR_NAME && lookup_host(c->conf, conf_intern(c->conf, str_of(s.host)), &s.addr) < 0) {
                (void)kw_fail(c, w, "E0260", "'%s %s' : invalid address: '%s' in '%s'", what, text, s.host, text);
                return false;
        }
        addr_set_port(&s.addr, 0);
        *ret_s = s;
        *ret_text = text;
        return true;
}

static bool parse_source_addr(struct kw_call *c, struct source_cfg *s, bool ranges)
{
        struct addr_spec spec;
        const char *text;

        if (c->n_args == 0) {
                (void)kw_fail(
                        c, NULL, "E0110",
                        "'source' expects <addr>[:<port>%s], and optionally 'usesrc' <addr>, and 'interface' <name>%s.",
                        ranges ? "[-<port>]" : "", ranges ? " as argument." : "");
                return false;
        }
        if (!parse_ip(c, &c->args[0], "source", &spec, &text))
                return false;
        if (!ranges && spec.port_low != spec.port_high)
                return fail(c, &c->args[0], "source", "port range not permitted here", text);
        memset(s, 0, sizeof(*s));
        s->text = text;
        memcpy(&s->addr, &spec.addr, sizeof(s->addr));
        s->port_low = spec.port_low > 0 ? spec.port_low : 0;
        s->port_high = spec.port_high > 0 ? spec.port_high : 0;
        return true;
}

static bool parse_usesrc(struct kw_call *c, const struct word *w, struct source_cfg *s)
{
        struct addr_spec spec;

        if (!w) {
                (void)kw_fail(c, NULL, "E0110",
                              "'usesrc' expects <addr>[:<port>], 'client', or 'clientip' as argument.");
                return false;
        }
        if (str_is(w->text, "client") || str_is(w->text, "clientip")) {
                s->usesrc = str_is(w->text, "client") ? USESRC_CLIENT : USESRC_CLIENTIP;
                s->usesrc_text = conf_intern(c->conf, w->text);
                return true;
        }
        if (str_has_prefix(w->text, STR("hdr_ip("))) {
                (void)kw_fail(c, w, "E0261",
                              "'usesrc hdr_ip(...)' is not supported yet; 'client', 'clientip' and addresses are.");
                return false;
        }
        if (!parse_ip(c, w, "usesrc", &spec, &s->usesrc_text))
                return false;
        s->usesrc = USESRC_ADDR;
        memcpy(&s->usesrc_addr, &spec.addr, sizeof(s->usesrc_addr));
        if (spec.port_low > 0)
                addr_set_port(&s->usesrc_addr, spec.port_low);
        return true;
}

static bool parse_interface(struct kw_call *c, const struct word *w, struct source_cfg *s)
{
        if (!w || w->text.n == 0 || w->text.n > INTERFACE_MAX) {
                (void)kw_fail(c, w, "E0262",
                              w ? "'interface' : '%.*s' is no name of an interface."
                                : "'source' : missing interface name%.*s.",
                              w ? (int)w->text.n : 0, w ? w->text.p : "");
                return false;
        }
        s->interface = conf_intern(c->conf, w->text);
        return true;
}

/* The words behind the address, as far as they are its own. How many arguments, or -1. */
static int parse_source(struct kw_call *c, struct source_cfg *s, bool ranges)
{
        size_t at = 1;

        if (!parse_source_addr(c, s, ranges))
                return -1;
        while (at < c->n_args) {
                const struct word *value = at + 1 < c->n_args ? &c->args[at + 1] : NULL;
                bool usesrc = str_is(c->args[at].text, "usesrc");

                if (!usesrc && !str_is(c->args[at].text, "interface"))
                        break;
                if (usesrc ? !parse_usesrc(c, value, s) : !parse_interface(c, value, s))
                        return -1;
                at += 2;
        }
        return (int)at;
}

static void dump_source(const char *name, const struct source_cfg *s, struct buf *out)
{
        buf_printf(out, "%s ", name);
        kw_quote(out, s->text);
        if (s->usesrc_text) {
                buf_puts(out, " usesrc ");
                kw_quote(out, s->usesrc_text);
        }
        if (s->interface) {
                buf_puts(out, " interface ");
                kw_quote(out, s->interface);
        }
}

static int px_source_parse(struct kw_call *c)
{
        int n = parse_source(c, c->slot, false);

        if (n < 0 || (size_t)n == c->n_args)
                return n;
        (void)kw_fail(c, &c->args[n], "E0263", "'source' only supports optional keywords 'interface' and 'usesrc'.");
        return -1;
}

static void px_source_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct source_cfg *s = slot;

        if (!s->text)
                return;
        buf_puts(out, "    ");
        dump_source(kw->name, s, out);
        buf_putc(out, '\n');
}

static int srv_source_parse(struct kw_call *c)
{
        return parse_source(c, &((struct srv_source_cfg *)c->slot)->source, true);
}

static void srv_source_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct srv_source_cfg *s = slot;

        if (!s->source.text)
                return;
        buf_putc(out, ' ');
        dump_source(kw->name, &s->source, out);
}

static const struct kw px_rows[] = {
        KW_FN("source", px_source_parse, px_source_dump, .apply = KW_NEW, .manual = "4.2",
              .args = "<address>[:<port>] [usesrc <address> | client | clientip] [interface <name>]",
              .sample = "127.0.0.1",
              .help = "address that connections to the servers come from; usesrc: what the servers see instead (needs CAP_NET_RAW, "
                      "which the worker then keeps)"),
};

KW_TABLE(source, KIND_DEFAULTS | KIND_BE, struct source_cfg, px_rows, .rank = 10);

static const struct kw srv_rows[] = {
        KW_FN("source", srv_source_parse, srv_source_dump, .apply = KW_NEW, .manual = "5.2",
              .args = "<address>[:<port>[-<port>]] [usesrc <address> | client | clientip] [interface <name>]",
              .sample = "127.0.0.1",
              .help = "as `source` of the section, for this server; of a range the next port is taken each time"),
        KW_TIME("tcp-ut", struct srv_source_cfg, tcp_ut_ms, .apply = KW_NEW, .manual = "5.2", .args = "<time>",
                .help = "a connection whose data the server does not acknowledge for this long is given up"),
        KW_FLAG("tfo", struct srv_source_cfg, tfo, .no_ok = true, .apply = KW_NEW, .manual = "5.2",
                .help = "TCP fast open: the client's first bytes go with the first packet"),
        KW_REFUSE("namespace", "network namespaces are not supported", .manual = "5.2", .args = "<name>",
                  .sample = "ns1", .help = "network namespace of the connections"),
};

KW_TABLE(srv_source, KIND_ANY_SERVER, struct srv_source_cfg, srv_rows, .rank = 10);
