/* core/rows_address.c - where a server is: the words of its address, and how a name becomes one at start (manual 5.2, 5.3). */
#include "core/rows_int.h"

static const struct server_addr_cfg defaults;

static int id_parse(struct kw_call *c)
{
        int64_t v = 0;

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'id' : expects an integer argument");
                return -1;
        }
        if (!str_to_i64(c->args[0].text, &v) || v <= 0 || v > INT32_MAX) {
                kw_fail(c, &c->args[0], "E0112", "'id' : custom id has to be > 0.");
                return -1;
        }
        ((struct server_addr_cfg *)c->slot)->id = (int)v;
        return 1;
}

static void id_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct server_addr_cfg *s = slot;

        if (s->id)
                buf_printf(out, " %s %d", kw->name, s->id);
}

static bool init_method_ok(struct str m)
{
        struct addr_spec s;
        const char *why;

        if (str_is(m, "last") || str_is(m, "libc") || str_is(m, "none"))
                return true;
        return addr_parse(m, 0, &s, &why) == ADDR_OK && s.family != AF_UNIX;
}

static int init_addr_parse(struct kw_call *c)
{
        struct str rest;

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'init-addr' expects a list of methods: 'last', 'libc', 'none', <ip>.");
                return -1;
        }
        rest = c->args[0].text;
        while (rest.n) {
                const char *comma = memchr(rest.p, ',', rest.n);
                struct str m = { rest.p, comma ? (size_t)(comma - rest.p) : rest.n };

                if (!init_method_ok(m)) {
                        kw_fail(c, &c->args[0], "E0217",
                                "'init-addr' : unknown init-addr method '%.*s', supported methods are 'libc', 'last', "
                                "'none'..",
                                (int)m.n, m.p);
                        return -1;
                }
                rest = str_sub(rest, m.n + (comma != NULL), rest.n - m.n - (comma != NULL));
        }
        ((struct server_addr_cfg *)c->slot)->init_addr = conf_intern(c->conf, c->args[0].text);
        return 1;
}

static void init_addr_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct server_addr_cfg *s = slot;

        if (s->init_addr) {
                buf_printf(out, " %s ", kw->name);
                kw_quote(out, s->init_addr);
        }
}

struct lookup_want *server_addr_want(struct conf *c, struct server_addr_cfg *a)
{
        struct lookup_want *w = conf_alloc(c, sizeof(*w));

        if (a->want)
                *w = *a->want;
        a->want = w;
        return w;
}

static int prefer_parse(struct kw_call *c)
{
        struct server_addr_cfg *a = c->slot;
        bool four = c->n_args && str_is(c->args[0].text, "ipv4");

        if (!four && !(c->n_args && str_is(c->args[0].text, "ipv6"))) {
                kw_fail(c, c->n_args ? &c->args[0] : NULL, "E0240",
                        "'resolve-prefer' expects either ipv4 or ipv6 as argument..");
                return -1;
        }
        server_addr_want(c->conf, a)->prefer = four ? AF_INET : AF_INET6;
        return 1;
}

static void prefer_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct server_addr_cfg *a = slot;

        if (a->want && a->want->prefer != AF_UNSPEC)
                buf_printf(out, " %s %s", kw->name, a->want->prefer == AF_INET ? "ipv4" : "ipv6");
}

#define NETS_MAX 16u

static int net_parse(struct kw_call *c)
{
        struct lookup_want *w;
        struct addr_net *v = conf_alloc(c->conf, NETS_MAX * sizeof(*v));
        struct str rest = c->n_args ? c->args[0].text : STR("");
        unsigned n = 0;

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'resolve-net' expects a list of networks..");
                return -1;
        }
        for (;;) {
                const char *comma = rest.n ? memchr(rest.p, ',', rest.n) : NULL;
                struct str one = { rest.p, comma ? (size_t)(comma - rest.p) : rest.n };

                if (n == NETS_MAX || !addr_net_parse(one, &v[n])) {
                        kw_fail(c, &c->args[0], "E0241",
                                n == NETS_MAX ? "'resolve-net' too many networks, the limit is 16 (at '%.*s')."
                                              : "'resolve-net' invalid network '%.*s'..",
                                (int)one.n, one.p);
                        return -1;
                }
                n++;
                if (!comma)
                        break;
                rest = str_sub(rest, one.n + 1, rest.n - one.n - 1);
        }
        w = server_addr_want(c->conf, c->slot);
        w->nets = v;
        w->n_nets = n;
        w->nets_text = conf_intern(c->conf, c->args[0].text);
        return 1;
}

static void net_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct server_addr_cfg *a = slot;

        if (a->want && a->want->nets_text) {
                buf_printf(out, " %s ", kw->name);
                kw_quote(out, a->want->nets_text);
        }
}

static const struct kw rows[] = {
        KW_FN("id", id_parse, id_dump, .apply = KW_LIVE, .kinds = KIND_SERVER, .manual = "5.2", .args = "<number>",
              .sample = "77", .help = "a number of its own for statistics and commands"),
        KW_FN("init-addr", init_addr_parse, init_addr_dump, .apply = KW_LIVE, .manual = "5.2",
              .args = "{last | libc | none | <ip>},[...]", .sample = "last,libc,none",
              .help = "where the address comes from at start when a name is given"),
        KW_FN("resolve-prefer", prefer_parse, prefer_dump, .apply = KW_LIVE, .manual = "5.2", .args = "ipv4 | ipv6",
              .sample = "ipv4", .help = "family to take when a name has addresses of both, at start and later"),
        KW_FN("resolve-net", net_parse, net_dump, .apply = KW_LIVE, .manual = "5.2", .args = "<network>[,...]",
              .sample = "10.0.0.0/8,::/0",
              .help = "of several addresses of a name one of these networks is taken, at start and later"),
};

/* ---- addresses of names, when all words are known ---- */

enum found {
        FOUND_NAME,      /* an address, by the method that was wanted */
        FOUND_UNASKED,   /* `none`, and nothing failed before it */
        FOUND_IP,        /* libc failed: the configured address */
        FOUND_NONE,      /* libc failed, then `none` */
        FOUND_NOTHING,   /* libc failed */
        FOUND_NO_METHOD, /* nobody could be asked */
};

static bool next_method(struct str *rest, struct str *ret_method)
{
        const char *comma = rest->n ? memchr(rest->p, ',', rest->n) : NULL;

        if (rest->n == 0)
                return false;
        *ret_method = (struct str){ rest->p, comma ? (size_t)(comma - rest->p) : rest->n };
        *rest = str_sub(*rest, ret_method->n + (comma != NULL), rest->n - ret_method->n - (comma != NULL));
        return true;
}

static struct str methods_of(const struct server_addr_cfg *a)
{
        return str_of(a->init_addr ? a->init_addr : "last,libc");
}

bool server_addr_asks_libc(const struct server_addr_cfg *a)
{
        struct str rest = methods_of(a), m;

        while (next_method(&rest, &m)) {
                if (str_is(m, "libc"))
                        return true;
                if (!str_is(m, "last"))
                        return false;
        }
        return false;
}

/* Tries the methods in order. `last` has no state file (load-server-state-from-file) to take an address from. */
static enum found try_methods(struct conf *c, struct server_addr_cfg *a)
{
        struct str rest = methods_of(a), m;
        enum found f = FOUND_NO_METHOD;
        struct addr_spec s;
        const char *why;

        while (next_method(&rest, &m)) {
                if (str_is(m, "none"))
                        return f == FOUND_NOTHING ? FOUND_NONE : FOUND_UNASKED;
                if (str_is(m, "last"))
                        continue;
                if (str_is(m, "libc")) {
                        f = FOUND_NOTHING;
                        if (lookup_host_like(c, a->host, a->want, &a->addr) == 0)
                                return FOUND_NAME;
                } else if (addr_parse(m, 0, &s, &why) == ADDR_OK) {
                        memcpy(&a->addr, &s.addr, sizeof(a->addr));
                        return f == FOUND_NOTHING ? FOUND_IP : FOUND_NAME;
                }
        }
        return f;
}

static void say_found(const struct conf_obj *o, const struct server_addr_cfg *a, enum found f, struct diags *d)
{
        static const char *const texts[] = { [FOUND_IP] = ", falling back to configured address.",
                                             [FOUND_NONE] = ", disabling server.",
                                             [FOUND_NOTHING] = ".",
                                             [FOUND_NO_METHOD] = "." };
        enum diag_level l = f == FOUND_IP || f == FOUND_NONE ? DIAG_WARNING : DIAG_ALERT;
        struct diag *g = diag_add(
                d, l, o->at, l == DIAG_ALERT ? "E0218" : "W0239", "'server %s/%s' : %s address '%s'%s", o->parent->name,
                o->name, f == FOUND_NO_METHOD ? "no method found to resolve" : "could not resolve", a->host, texts[f]);

        g->intro = DIAG_INTRO_PLACE;
        if (l == DIAG_ALERT)
                diag_hint(d, g, "`init-addr last,libc,none` lets it start without an address");
}

static void resolve_check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        struct server_addr_cfg *a = slot;
        enum found f;

        if (o->kind->bit != KIND_SERVER || !a->host)
                return;
        f = try_methods(c, a);
        a->unresolved = f == FOUND_NONE || f == FOUND_UNASKED;
        if (f == FOUND_NAME || f == FOUND_IP)
                addr_set_port(&a->addr, a->host_port);
        if (f > FOUND_UNASKED)
                say_found(o, a, f, d);
}

KW_TABLE(server_addr, KIND_ANY_SERVER, struct server_addr_cfg, rows, .defaults = &defaults, .rank = 0, .own = true,
         .check = resolve_check);
