/* feat/resolvers/rows.c - section `resolvers` and the words of a server that point to one (manual 5.2, 5.3.2). */
#include "conf/conf.h"
#include "core/lookup.h"
#include "feat/resolvers/resolvers.h"

#include <arpa/inet.h>

#define TIMEOUT_MIN_MS 10 /* of `resolve` and `retry`: less would ask without a pause */

static const struct resolvers_cfg section_defaults = {
        .retries = 3,
        .payload = 512,
        .resolve_ms = 1000,
        .retry_ms = 1000,
        .hold_ms = { 10000, 0, 30000, 30000, 30000, 30000 },
};

static const struct conf_kind kind_resolvers = {
        .name = "resolvers", .bit = KIND_RESOLVERS, .section = true, .named = true, .clash = "resolvers"
};
CONF_KIND(kind_resolvers);

/* ---- nameservers ---- */

static struct ns_cfg *add_nameserver(struct kw_call *c)
{
        struct resolvers_cfg *cfg = c->slot;
        struct ns_cfg *v = conf_alloc(c->conf, ((size_t)cfg->n_ns + 1) * sizeof(*v));

        if (cfg->n_ns)
                memcpy(v, cfg->ns, (size_t)cfg->n_ns * sizeof(*v));
        cfg->ns = v;
        return &v[cfg->n_ns++];
}

static bool room(struct kw_call *c)
{
        if (((struct resolvers_cfg *)c->slot)->n_ns < NAMESERVERS_MAX)
                return true;
        (void)kw_fail(c, NULL, "E0804", "a resolvers section has at most %d nameservers.", NAMESERVERS_MAX);
        return false;
}

static const struct ns_cfg *named(const struct resolvers_cfg *cfg, const char *name)
{
        for (int i = 0; i < cfg->n_ns; i++)
                if (strcmp(cfg->ns[i].name, name) == 0)
                        return &cfg->ns[i];
        return NULL;
}

static bool name_ok(struct kw_call *c, const struct word *w)
{
        for (size_t i = 0; i < w->text.n; i++) {
                char x = w->text.p[i];
                unsigned char low = chr_lower((unsigned char)x);

                if ((low >= 'a' && low <= 'z') || chr_is_digit(x) || (x && strchr("-_.:", x)))
                        continue;
                (void)kw_fail(c, w, "E0104", "character '%c' is not permitted in server name '%.*s'.", x,
                              (int)w->text.n, w->text.p);
                return false;
        }
        return true;
}

static bool parse_ns_address(struct kw_call *c, const char *name, const char *text, struct addr *ret_a)
{
        const char *why = "invalid address";
        struct addr_spec s;
        enum addr_answer a = addr_parse(str_of(text), ADDR_WANT_PORT | ADDR_DGRAM, &s, &why);

        if (a != ADDR_BAD && !s.dgram) {
                (void)kw_fail(c, &c->args[1], "E0801", "'nameserver %s' : nameservers over TCP are not supported yet.",
                              name);
                return false;
        }
        if (a == ADDR_NAME && lookup_host(c->conf, conf_intern(c->conf, str_of(s.host)), &s.addr) < 0) {
                (void)kw_fail(c, &c->args[1], "E0802", "'nameserver %s' : invalid address: '%s' in '%s'", name, s.host,
                              text);
                return false;
        }
        if (a == ADDR_BAD) {
                (void)kw_fail(c, &c->args[1], "E0802", "'nameserver %s' : %s in '%s'", name, why, text);
                return false;
        }
        *ret_a = s.addr;
        addr_set_port(ret_a, s.port_low);
        return true;
}

static int nameserver_parse(struct kw_call *c)
{
        const char *name, *text;
        const struct ns_cfg *twin;
        struct ns_cfg *ns;
        struct addr a;

        if (c->n_args < 2) {
                (void)kw_fail(c, NULL, "E0110", "'nameserver' expects <name> and <addr>[:<port>] as arguments.");
                return -1;
        }
        if (!name_ok(c, &c->args[0]) || !conf_expand(c, &c->args[1], &text))
                return -1;
        name = conf_intern(c->conf, c->args[0].text);
        twin = named(c->slot, name);
        if (twin) {
                (void)kw_fail(c, &c->args[0], "E0803",
                              "nameserver '%s' has same name as another nameserver (declared at line %u).", name,
                              twin->at.line);
                return -1;
        }
        if (!room(c) || !parse_ns_address(c, name, text, &a))
                return -1;
        ns = add_nameserver(c);
        ns->name = name;
        ns->text = text;
        memcpy(&ns->addr, &a, sizeof(a));
        ns->at = c->at;
        return 2;
}

static void nameserver_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct resolvers_cfg *cfg = slot;

        for (int i = 0; i < cfg->n_ns; i++) {
                if (!cfg->ns[i].text)
                        continue;
                buf_printf(out, "    %s ", kw->name);
                kw_quote(out, cfg->ns[i].name);
                buf_putc(out, ' ');
                kw_quote(out, cfg->ns[i].text);
                buf_putc(out, '\n');
        }
}

/* ---- /etc/resolv.conf ---- */

/* The address of a "nameserver" line, or n == 0. */
static struct str resolv_line(struct str line)
{
        size_t n = 0;

        line = str_trim(line);
        if (!str_has_prefix(line, STR("nameserver")) || line.n < 11 || (line.p[10] != ' ' && line.p[10] != '\t'))
                return STR("");
        line = str_trim(str_sub(line, 10, line.n - 10));
        while (n < line.n && !strchr(" \t\r#;", line.p[n]))
                n++;
        return str_sub(line, 0, n);
}

static void take_resolv_line(struct kw_call *c, struct str ip)
{
        struct ns_cfg *ns;
        struct addr_net net;
        const char *name = conf_intern(c->conf, ip);

        if (!addr_net_parse(ip, &net)) {
                (void)kw_warn(c, NULL, "W0805",
                              "/etc/resolv.conf: nameserver '%s' is no address that can be used, it is passed over.",
                              name);
                return;
        }
        if (named(c->slot, name)) {
                (void)kw_warn(
                        c, NULL, "W0806",
                        "/etc/resolv.conf: nameserver '%s' has the name of another nameserver, it is passed over.",
                        name);
                return;
        }
        if (!room(c))
                return;
        ns = add_nameserver(c);
        ns->name = name;
        memcpy(&ns->addr, &net.net, sizeof(ns->addr));
        addr_set_port(&ns->addr, 53);
        ns->at = c->at;
}

static int resolv_conf_parse(struct kw_call *c)
{
        struct str text, line;

        ((struct resolvers_cfg *)c->slot)->resolv_conf = true;
        if (conf_read_file(c->conf, VFS_OTHER, "/etc/resolv.conf", &text) < 0) {
                (void)kw_warn(c, NULL, "W0807", "failed to open /etc/resolv.conf.");
                return 0;
        }
        while (text.n) {
                const char *end = memchr(text.p, '\n', text.n);
                size_t n = end ? (size_t)(end - text.p) + 1 : text.n;

                line = resolv_line(str_sub(text, 0, n - (end != NULL)));
                if (line.n)
                        take_resolv_line(c, line);
                text = str_sub(text, n, text.n - n);
        }
        return 0;
}

static void resolv_conf_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct resolvers_cfg *)slot)->resolv_conf)
                buf_printf(out, "    %s\n", kw->name);
}

/* ---- times ---- */

static const char *const holds[HOLDS] = { "valid", "obsolete", "nx", "refused", "timeout", "other" };

static int hold_parse(struct kw_call *c)
{
        struct resolvers_cfg *cfg = c->slot;
        int ms = 0;

        if (c->n_args < 2) {
                (void)kw_fail(c, NULL, "E0110", "'hold' expects an <event> and a <time> as arguments.");
                return -1;
        }
        for (int i = 0; i < HOLDS; i++) {
                if (!str_is(c->args[0].text, holds[i]))
                        continue;
                if (!kw_arg_time(c, &c->args[1], false, &ms))
                        return -1;
                cfg->hold_ms[i] = ms;
                if (i == HOLD_VALID && ms != section_defaults.hold_ms[i])
                        (void)kw_warn(c, &c->args[0], "W0808",
                                      "'hold valid' has no effect on servers: it belongs to the do-resolve actions.");
                return 2;
        }
        (void)kw_fail(c, &c->args[0], "E0809",
                      "'hold' unknown <event>: '%.*s', expects either 'nx', 'timeout', 'valid', 'obsolete' or 'other'.",
                      (int)c->args[0].text.n, c->args[0].text.p);
        return -1;
}

static void hold_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct resolvers_cfg *cfg = slot;

        for (int i = 0; i < HOLDS; i++) {
                if (cfg->hold_ms[i] == section_defaults.hold_ms[i])
                        continue;
                buf_printf(out, "    %s %s ", kw->name, holds[i]);
                kw_dump_time(out, cfg->hold_ms[i]);
                buf_putc(out, '\n');
        }
}

static int timeout_parse(struct kw_call *c)
{
        struct resolvers_cfg *cfg = c->slot;
        struct str word = c->n_args ? c->args[0].text : STR("");
        int ms = 0, *to = str_is(word, "resolve") ? &cfg->resolve_ms : str_is(word, "retry") ? &cfg->retry_ms : NULL;

        if (!to) {
                (void)kw_fail(c, c->n_args ? &c->args[0] : NULL, "E0110",
                              "'timeout' expects 'retry' or 'resolve' and <time> as arguments%s%.*s%s.",
                              word.n ? " got '" : "", (int)word.n, word.p, word.n ? "'" : "");
                return -1;
        }
        if (c->n_args < 2) {
                (void)kw_fail(c, NULL, "E0110", "'timeout %.*s' expects <time> as argument.", (int)word.n, word.p);
                return -1;
        }
        if (!kw_arg_time(c, &c->args[1], false, &ms))
                return -1;
        if (ms < TIMEOUT_MIN_MS)
                (void)kw_warn(c, &c->args[1], "W0810", "'timeout %.*s' is %dms at least.", (int)word.n, word.p,
                              TIMEOUT_MIN_MS);
        *to = ms < TIMEOUT_MIN_MS ? TIMEOUT_MIN_MS : ms;
        return 2;
}

static void timeout_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct resolvers_cfg *cfg = slot;

        if (cfg->resolve_ms != section_defaults.resolve_ms) {
                buf_printf(out, "    %s resolve ", kw->name);
                kw_dump_time(out, cfg->resolve_ms);
                buf_putc(out, '\n');
        }
        if (cfg->retry_ms != section_defaults.retry_ms) {
                buf_printf(out, "    %s retry ", kw->name);
                kw_dump_time(out, cfg->retry_ms);
                buf_putc(out, '\n');
        }
}

static const struct kw section_rows[] = {
        KW_FN("nameserver", nameserver_parse, nameserver_dump, .apply = KW_LIVE, .manual = "5.3.2",
              .args = "<name> <address>:<port>", .sample = "dns1 127.0.0.1:53",
              .help = "a DNS server, asked over UDP; all of a section are asked at once"),
        KW_FN("parse-resolv-conf", resolv_conf_parse, resolv_conf_dump, .apply = KW_LIVE, .manual = "5.3.2",
              .sample = "", .help = "adds the nameservers of /etc/resolv.conf, named by their addresses"),
        KW_INT("resolve_retries", struct resolvers_cfg, retries, 0, 1000, .apply = KW_LIVE, .manual = "5.3.2",
               .args = "<number>", .help = "how often a name is asked for before the resolution has failed"),
        KW_INT("accepted_payload_size", struct resolvers_cfg, payload, 12, 65535, .apply = KW_LIVE, .manual = "5.3.2",
               .args = "<bytes>",
               .help = "longest answer that is asked for, between 512 and 4096 whatever is written here"),
        KW_FN("hold", hold_parse, hold_dump, .apply = KW_LIVE, .manual = "5.3.2",
              .args = "valid | obsolete | nx | refused | timeout | other <time>", .sample = "nx 10s",
              .help = "a failure of this kind counts only when the last valid answer is that old; obsolete: how long an address is "
                      "kept that an answer does not have"),
        KW_FN("timeout", timeout_parse, timeout_dump, .apply = KW_LIVE, .manual = "5.3.2",
              .args = "resolve | retry <time>", .sample = "retry 2s",
              .help = "time between two resolutions of a name; between two questions without an answer"),
};

static void check_section(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct resolvers_cfg *cfg = slot;
        struct diag *g;

        (void)c;
        if (cfg->n_ns)
                return;
        g = diag_add(d, DIAG_WARNING, o->at, "W0811", "resolvers '%s' [%s:%u] has no nameservers configured!", o->name,
                     d->files[o->at.file].name, o->at.line);
        g->parsing = false;
}

KW_TABLE(resolvers, KIND_RESOLVERS, struct resolvers_cfg, section_rows, .defaults = &section_defaults,
         .check = check_section);

/* ---- servers ---- */

static int opts_parse(struct kw_call *c)
{
        struct resolve_cfg *cfg = c->slot;
        struct str rest = c->n_args ? c->args[0].text : STR("");

        cfg->opts = true;
        while (rest.n) {
                const char *comma = memchr(rest.p, ',', rest.n);
                struct str one = { rest.p, comma ? (size_t)(comma - rest.p) : rest.n };

                if (str_is(one, "allow-dup-ip")) {
                        cfg->dup_ip = true;
                } else if (str_is(one, "prevent-dup-ip")) {
                        cfg->dup_ip = false;
                } else if (str_is(one, "ignore-weight")) {
                        cfg->ignore_weight = true;
                        (void)kw_warn(
                                c, &c->args[0], "W0812",
                                "'resolve-opts ignore-weight' has no effect: weights come with SRV records, which are not "
                                "followed.");
                } else {
                        (void)kw_fail(c, &c->args[0], "E0813",
                                      "'resolve-opts' : unknown resolve-opts option '%.*s', supported methods are "
                                      "'allow-dup-ip', 'ignore-weight', and 'prevent-dup-ip'..",
                                      (int)one.n, one.p);
                        return -1;
                }
                rest = str_sub(rest, one.n + (comma != NULL), rest.n - one.n - (comma != NULL));
        }
        return c->n_args ? 1 : 0;
}

static void opts_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct resolve_cfg *cfg = slot;

        if (cfg->opts)
                buf_printf(out, " %s %s%s", kw->name, cfg->dup_ip ? "allow-dup-ip" : "prevent-dup-ip",
                           cfg->ignore_weight ? ",ignore-weight" : "");
}

static const struct kw server_rows[] = {
        KW_STR("resolvers", struct resolve_cfg, resolvers, .apply = KW_LIVE, .manual = "5.2", .args = "<section>",
               .sample = "dns", .sample_rest = "resolvers dns\n    nameserver a 127.0.0.1:53\n",
               .help = "follows the server's name with the nameservers of this section"),
        KW_FN("resolve-opts", opts_parse, opts_dump, .apply = KW_LIVE, .manual = "5.2",
              .args = "allow-dup-ip | prevent-dup-ip | ignore-weight", .sample = "allow-dup-ip",
              .help = "allow-dup-ip: servers of one name in a backend may get the same address"),
};

static void check_server(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct resolve_cfg *cfg = slot;
        const struct server_addr_cfg *a = conf_slot(o, server_addr_slot);
        struct diag *g;

        if (o->kind->bit != KIND_SERVER || !cfg->resolvers)
                return;
        if (!conf_find(c, KIND_RESOLVERS, str_of(cfg->resolvers))) {
                g = diag_add(d, DIAG_ALERT, conf_span_name(o, "resolvers"), "E0814",
                             "%s '%s', server '%s': unable to find required resolvers '%s'",
                             o->parent->kind->bit == KIND_LISTEN ? "proxy" : "backend", o->parent->name, o->name,
                             cfg->resolvers);
                g->parsing = false;
        }
        if (!a->host)
                return;
        if (!resolve_name_ok(str_of(a->host))) {
                g = diag_add(d, DIAG_ALERT, o->at, "E0815",
                             "'server %s/%s' : Can't create DNS resolution for server '%s'", o->parent->name, o->name,
                             o->name);
                g->intro = DIAG_INTRO_PLACE;
        }
        if (a->host[0] == '_') {
                g = diag_add(d, DIAG_ALERT, o->at, "E0816", "'server %s/%s' : SRV records ('%s') are not followed yet.",
                             o->parent->name, o->name, a->host);
                g->intro = DIAG_INTRO_PLACE;
        }
        ((struct server_addr_cfg *)conf_slot_edit(c, o, server_addr_slot))->follows = true;
}

KW_TABLE(resolve, KIND_ANY_SERVER, struct resolve_cfg, server_rows, .rank = 5, .check = check_server);
