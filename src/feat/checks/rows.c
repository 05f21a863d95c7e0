/* feat/checks/rows.c - the words of health checks on server lines (manual 5.2). */
#include "feat/checks/checks.h"

static const struct check_cfg check_defaults = { .inter_ms = 2000, .rise = 2, .fall = 3 };

static const struct kw check_rows[] = {
        KW_FLAG("check", struct check_cfg, check, .no_ok = true, .manual = "5.2", .apply = KW_LIVE,
                .help = "Checks the health of this server."),
        KW_TIME("inter", struct check_cfg, inter_ms, .min = 1, .args = "<delay>", .manual = "5.2", .apply = KW_LIVE,
                .help = "Time between two checks."),
        KW_TIME("fastinter", struct check_cfg, fastinter_ms, .min = 1, .args = "<delay>", .manual = "5.2",
                .apply = KW_LIVE, .help = "Time between two checks while the state is changing; as inter when unset."),
        KW_TIME("downinter", struct check_cfg, downinter_ms, .min = 1, .args = "<delay>", .manual = "5.2",
                .apply = KW_LIVE, .help = "Time between two checks while the server is down; as inter when unset."),
        KW_INT("rise", struct check_cfg, rise, 1, INT32_MAX, .args = "<count>", .manual = "5.2", .apply = KW_LIVE,
               .help = "Passed checks in a row that bring a server back."),
        KW_INT("fall", struct check_cfg, fall, 1, INT32_MAX, .args = "<count>", .manual = "5.2", .apply = KW_LIVE,
               .help = "Failed checks in a row that take a server out."),
        KW_INT("port", struct check_cfg, port, 1, 65535, .args = "<port>", .manual = "5.2", .apply = KW_LIVE,
               .help = "Checks go to this port instead of the server's."),
        KW_FN("addr", check_parse_addr, check_dump_addr, .sample = "127.0.0.1", .args = "<address>", .manual = "5.2",
              .apply = KW_LIVE, .help = "Checks go to this address instead of the server's."),
};

/* A check needs a port from somewhere: the server's, `port`, `addr`, or each connect of its script. */
static void check_server(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct server_addr_cfg *a = conf_slot(o, server_addr_slot);
        struct check_cfg *cfg = slot;

        (void)c;
        if (o->kind->bit != KIND_SERVER || !cfg->check || cfg->port || !a->port_follows ||
            (cfg->addr && addr_port(cfg->addr)) || rules_give_port(conf_slot(o->parent, check_proxy_slot)))
                return;
        (void)diag_add(d, DIAG_ALERT, conf_span_name(o, "check"), "E0501",
                       "config: proxy '%s': server '%s' has neither service port nor check port.", o->parent->name,
                       o->name);
}

KW_TABLE(check, KIND_ANY_SERVER, struct check_cfg, check_rows, .defaults = &check_defaults, .rank = 20,
         .check = check_server);
