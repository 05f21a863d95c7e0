/* feat/checks/rows.c - the words of health checks on server lines (manual 5.2). */
#include "feat/checks/checks.h"

static const struct check_cfg check_defaults = { .inter_ms = 2000, .rise = 2, .fall = 3, .error_limit = 10 };

static const struct kw_val observe_vals[] = {
        { "none", OBSERVE_NONE }, { "layer4", OBSERVE_L4 }, { "layer7", OBSERVE_L7 }, { NULL, 0 }
};

static const struct kw_val on_error_vals[] = { { "fastinter", ON_ERROR_FASTINTER },
                                               { "fail-check", ON_ERROR_FAIL_CHECK },
                                               { "sudden-death", ON_ERROR_SUDDEN_DEATH },
                                               { "mark-down", ON_ERROR_MARK_DOWN },
                                               { NULL, 0 } };

static const struct kw_val init_vals[] = { { "none", INIT_NONE }, { "fully-up", INIT_FULLY_UP },     { "up", INIT_UP },
                                           { "down", INIT_DOWN }, { "fully-down", INIT_FULLY_DOWN }, { NULL, 0 } };

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
        KW_ENUM("observe", struct check_cfg, observe, observe_vals, .args = "none|layer4|layer7", .manual = "5.2",
                .apply = KW_LIVE,
                .help = "Judges the server by its traffic, too: by its connections, or by its answers, where 500, 502 to 504 "
                        "and the like, broken ones and timeouts are errors."),
        KW_INT("error-limit", struct check_cfg, error_limit, 1, INT32_MAX, .args = "<count>", .manual = "5.2",
               .apply = KW_LIVE, .help = "Errors in a row, seen by `observe`, that make `on-error` act."),
        KW_ENUM("on-error", struct check_cfg, on_error, on_error_vals,
                .args = "fastinter|fail-check|sudden-death|mark-down", .manual = "5.2", .apply = KW_LIVE,
                .help = "What enough observed errors do: hasten the next check, count as a failed one, leave one more to "
                        "fail, or take the server down."),
        KW_ENUM("init-state", struct check_cfg, init_state, init_vals, .args = "none|fully-up|up|down|fully-down",
                .manual = "5.2", .since = "3.1", .apply = KW_LIVE,
                .help = "What a server is before its first check, at start and after maintenance."),
};

/* A tracker's state is another one's. */
static void check_with_track(const struct conf_obj *o, const struct check_cfg *cfg, struct diags *d)
{
        const struct server_cfg *s = conf_slot(o, server_slot);
        struct diag *g;

        if (o->kind->bit != KIND_SERVER || !s->track || (!cfg->check && cfg->init_state == INIT_NONE))
                return;
        g = diag_add(d, DIAG_ALERT, conf_span_name(o, "track"), "E0503",
                     "'server %s/%s' : unable to %s and tracking at the same time!", o->parent->name, o->name,
                     cfg->check ? "enable checks" : "set init-state");
        g->intro = DIAG_INTRO_PLACE;
        diag_hint(d, g, "`no-check` undoes the `check` of a default-server line");
}

static void check_observe_mode(const struct conf_obj *o, const struct check_cfg *cfg, struct diags *d)
{
        const struct proxy_cfg *px = conf_slot(o->parent, proxy_slot);

        if (o->kind->bit != KIND_SERVER || cfg->observe != OBSERVE_L7 || px->mode == PX_HTTP)
                return;
        diag_add(d, DIAG_ALERT, conf_span_name(o, "observe"), "E0504",
                 "'server %s/%s' : 'layer7' can only be used in http proxies.", o->parent->name, o->name)
                ->intro = DIAG_INTRO_PLACE;
}

/* A check needs a port from somewhere: the server's, `port`, `addr`, or each connect of its script. */
static void check_server(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct server_addr_cfg *a = conf_slot(o, server_addr_slot);
        struct check_cfg *cfg = slot;

        (void)c;
        check_with_track(o, cfg, d);
        check_observe_mode(o, cfg, d);
        if (o->kind->bit != KIND_SERVER || !cfg->check || cfg->port || !a->port_follows ||
            (cfg->addr && addr_port(cfg->addr)) || rules_give_port(conf_slot(o->parent, check_proxy_slot)))
                return;
        (void)diag_add(d, DIAG_ALERT, conf_span_name(o, "check"), "E0501",
                       "config: proxy '%s': server '%s' has neither service port nor check port.", o->parent->name,
                       o->name);
}

KW_TABLE(check, KIND_ANY_SERVER, struct check_cfg, check_rows, .defaults = &check_defaults, .rank = 20,
         .check = check_server);
