/* feat/agent/rows.c - the words of agent checks on server lines (manual 5.2). */
#include "feat/agent/agent.h"

#include "core/lookup.h"

static const struct agent_cfg agent_defaults = { .c = { .inter_ms = 2000, .rise = 1, .fall = 1 } };

/* An address or a name, which is looked up once, at start (manual 5.2, agent-addr). */
static bool read_addr(struct kw_call *c, struct addr *ret_a)
{
        struct addr_spec spec;
        const char *why;

        switch (addr_parse(c->args[0].text, 0, &spec, &why)) {
        case ADDR_OK: *ret_a = spec.addr; return spec.family != AF_UNIX && addr_port(&spec.addr) == 0;
        case ADDR_NAME: return spec.port_low < 0 && lookup_host(c->conf, spec.host, ret_a) == 0;
        default: return false;
        }
}

static int parse_addr(struct kw_call *c)
{
        struct agent_cfg *cfg = c->slot;
        struct addr a = { 0 }, *kept;

        if (c->n_args == 0) {
                (void)kw_fail(c, NULL, "E0110", "'agent-addr' expects an address as argument.");
                return -1;
        }
        if (!read_addr(c, &a)) {
                (void)kw_fail(c, &c->args[0], "E0505", "parsing agent-addr failed. Check if '%.*s' is correct address.",
                              (int)c->args[0].text.n, c->args[0].text.p);
                return -1;
        }
        kept = conf_alloc(c->conf, sizeof(*kept));
        *kept = a;
        cfg->c.addr = kept;
        cfg->addr_text = conf_intern(c->conf, c->args[0].text);
        return 1;
}

static void dump_addr(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct agent_cfg *cfg = slot;

        if (!cfg->c.addr)
                return;
        buf_printf(out, " %s ", kw->name);
        kw_quote(out, cfg->addr_text);
}

static const struct kw rows[] = {
        KW_FLAG("agent-check", struct agent_cfg, c.check, .no_ok = true, .sample = "agent-port 1", .manual = "5.2",
                .apply = KW_LIVE, .help = "Asks an agent beside the server for its state, weight and maxconn."),
        KW_INT("agent-port", struct agent_cfg, c.port, 1, 65535, .args = "<port>", .manual = "5.2", .apply = KW_LIVE,
               .help = "The agent's port; agent-check needs it."),
        KW_FN("agent-addr", parse_addr, dump_addr, .sample = "127.0.0.1", .args = "<address>", .manual = "5.2",
              .apply = KW_LIVE, .help = "The agent's address; without it that of `addr`, or the server's."),
        KW_TIME("agent-inter", struct agent_cfg, c.inter_ms, .min = 1, .args = "<delay>", .manual = "5.2",
                .apply = KW_LIVE, .help = "Time between two agent checks, and their limit without `timeout check`."),
        KW_STR("agent-send", struct agent_cfg, send, .args = "<string>", .manual = "5.2", .apply = KW_LIVE,
               .help = "What is said to the agent when it is connected, as it stands."),
};

static void check_line(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct agent_cfg *cfg = slot;

        (void)c;
        if (o->kind->bit != KIND_SERVER || !cfg->c.check || cfg->c.port)
                return;
        diag_add(d, DIAG_ALERT, conf_span_name(o, "agent-check"), "E0506",
                 "'server %s/%s' : server %s does not have agent port. Agent check has been disabled.", o->parent->name,
                 o->name, o->name)
                ->intro = DIAG_INTRO_PLACE;
}

KW_TABLE(agent, KIND_ANY_SERVER, struct agent_cfg, rows, .defaults = &agent_defaults, .rank = 22, .check = check_line);
