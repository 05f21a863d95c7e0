/* feat/logs/section.c - section `ring` (manual 12.5), and what its stores do when a configuration is taken. */
#include "conf/conf.h"
#include "core/kinds.h"
#include "core/rows_int.h"
#include "feat/logs/logs.h"

static const struct conf_kind kind_ring = {
        .name = "ring", .bit = KIND_RING, .section = true, .named = true, .clash = "ring"
};
CONF_KIND(kind_ring);

#define RING_SIZE_MAX ((uint64_t)1 << 30)

/* ---- server lines ---- */

bool log_stream_address(struct kw_call *c, const struct word *w, struct store_target *t)
{
        const char *why = "invalid address";
        struct addr_spec spec;
        enum addr_answer a = addr_parse(str_of(t->text), ADDR_UNIX | ADDR_WANT_PORT, &spec, &why);

        if (a != ADDR_BAD && (spec.inherited_fd >= 0 || spec.dgram || spec.abstract)) {
                why = "this kind of address is not supported";
                a = ADDR_BAD;
        }
        if (a == ADDR_NAME && lookup_host(c->conf, conf_intern(c->conf, str_of(spec.host)), &spec.addr) < 0) {
                why = "invalid address";
                a = ADDR_BAD;
        }
        if (a == ADDR_BAD) {
                (void)kw_fail(c, w, "E0750", "'%s' : %s in '%s'", c->kw->name, why, t->text);
                return false;
        }
        t->addr = spec.addr;
        if (spec.family == AF_UNIX)
                t->path = conf_intern(c->conf, str_of(spec.path));
        else
                addr_set_port(&t->addr, spec.port_low);
        return true;
}

static bool parse_server_words(struct kw_call *c, struct store_target *t)
{
        for (size_t i = 2; i < c->n_args; i += 2) {
                const struct word *w = &c->args[i];
                bool octets = i + 1 < c->n_args && str_is(w[1].text, "octet-count");

                if (!str_is(w->text, "log-proto")) {
                        (void)kw_fail(c, w, "E0751", "'server %s' : '%.*s' is not supported in a ring section", t->name,
                                      (int)w->text.n, w->text.p);
                        return false;
                }
                if (!octets && !(i + 1 < c->n_args && str_is(w[1].text, "legacy"))) {
                        (void)kw_fail(c, w, "E0752",
                                      "'server %s' : 'log-proto' expects one of 'legacy' or 'octet-count'", t->name);
                        return false;
                }
                t->octets = octets;
        }
        return true;
}

static int server_parse(struct kw_call *c)
{
        struct ring_cfg *cfg = c->slot;
        struct store_target *t = conf_alloc(c->conf, sizeof(*t));

        if (!kw_need_args(c, 2, "<name> <address> [log-proto legacy|octet-count]"))
                return -1;
        t->name = conf_intern(c->conf, c->args[0].text);
        if (!conf_expand(c, &c->args[1], &t->text) || !log_stream_address(c, &c->args[1], t) ||
            !parse_server_words(c, t))
                return -1;
        t->prev = cfg->targets;
        cfg->targets = t;
        return (int)c->n_args;
}

static void dump_target(const struct kw *kw, const struct store_target *t, struct buf *out)
{
        if (t->prev)
                dump_target(kw, t->prev, out);
        buf_printf(out, "    %s ", kw->name);
        kw_quote(out, t->name);
        buf_putc(out, ' ');
        kw_quote(out, t->text);
        buf_printf(out, "%s\n", t->octets ? " log-proto octet-count" : "");
}

static void server_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct ring_cfg *cfg = slot;

        if (cfg->targets)
                dump_target(kw, cfg->targets, out);
}

static const struct ring_cfg defaults = { .format = LOGF_UNSET,
                                          .maxlen = STORE_MAXLEN_DEFAULT,
                                          .size = STORE_SIZE_DEFAULT };

static const struct kw rows[] = {
        KW_STR("description", struct ring_cfg, description, .manual = "12.5", .apply = KW_LIVE,
               .help = "What `show events` says of the ring; its name when not set."),
        KW_ENUM("format", struct ring_cfg, format, log_formats, .manual = "12.5", .apply = KW_NEW,
                .help = "The format of the lines in the ring, whatever the log lines say that lead to it."),
        KW_INT("maxlen", struct ring_cfg, maxlen, 1, LOG_LEN_MAX, .manual = "12.5", .apply = KW_NEW,
               .help = "Longer lines are cut there."),
        KW_SIZE("size", struct ring_cfg, size, 256, RING_SIZE_MAX, .manual = "12.5", .apply = KW_LIVE,
                .help = "Bytes that the ring keeps. What a server has not got yet stays; what does not fit then is dropped and "
                        "counted."),
        KW_TIME("timeout connect", struct ring_cfg, connect_ms, .manual = "12.5", .apply = KW_LIVE,
                .help = "The longest time for a connection to a server."),
        KW_TIME("timeout server", struct ring_cfg, server_ms, .manual = "12.5", .apply = KW_LIVE,
                .help = "The longest time that a server may take nothing; then it is connected to again."),
        KW_FN("server", server_parse, server_dump, .manual = "12.5", .apply = KW_LIVE,
              .args = "<name> <address> [log-proto legacy|octet-count]",
              .sample = "s1 127.0.0.1:6514 log-proto octet-count",
              .help = "A log server that gets all lines of the ring over TCP or a unix socket; lines end with a newline (legacy) or "
                      "begin with their length (octet-count)."),
        KW_REFUSE("backing-file", "lines are kept in memory only; send them to a server, or to stdout, to keep them",
                  .manual = "12.5", .help = "A file that mirrors the ring."),
};
KW_TABLE(log_ring, KIND_RING, struct ring_cfg, rows, .defaults = &defaults);

const struct ring_cfg *log_ring_find(const struct conf *c, const char *name)
{
        const struct conf_obj *o = conf_find(c, KIND_RING, str_of(name));

        return o ? conf_slot(o, log_ring_slot) : NULL;
}

/* ---- a configuration is taken ---- */

static void apply_ring(const struct conf_obj *o)
{
        const struct ring_cfg *cfg = conf_slot(o, log_ring_slot);

        store_set(store_get(o->name), &(struct store_set){ .description = cfg->description,
                                                           .size = (size_t)cfg->size,
                                                           .maxlen = (size_t)cfg->maxlen,
                                                           .connect_ms = cfg->connect_ms,
                                                           .server_ms = cfg->server_ms,
                                                           .targets = cfg->targets });
}

/* Rings that no section has any more keep their lines, and send what is theirs no further. */
static void forget_others(const struct conf *c)
{
        static const struct store_set none = { .size = STORE_SIZE_DEFAULT, .maxlen = STORE_MAXLEN_DEFAULT };

        for (struct store *s = store_next(NULL); s; s = store_next(s)) {
                if (!strchr(store_name(s), '@') && !log_ring_find(c, store_name(s)))
                        store_set(s, &none);
        }
}

void log_rings_apply(const struct conf *c)
{
        for (const struct conf_obj *o = c->first; o; o = o->sibling) {
                if (o->kind->bit & KIND_RING)
                        apply_ring(o);
        }
        forget_others(c);
}

/* tcp@ADDR: a ring of its own with one server. */
void log_implicit_apply(const struct log_line *l)
{
        store_set(store_get(l->text), &(struct store_set){ .size = (size_t)STORE_SIZE_DEFAULT * 4,
                                                           .maxlen = STORE_MAXLEN_DEFAULT * 4,
                                                           .connect_ms = 1000,
                                                           .server_ms = 5000,
                                                           .targets = l->stream });
}
