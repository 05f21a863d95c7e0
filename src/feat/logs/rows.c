/* feat/logs/rows.c - `log`, `log-tag`, `log-format`, `log-send-hostname` (manual 3.1, 4.2). */
#include "conf/conf.h"
#include "core/kinds.h"
#include "core/rows_int.h"
#include "feat/logs/logs.h"

#include <stdlib.h>
#include <unistd.h>

const struct kw_val log_facilities[] = {
        { "kern", 0 },    { "user", 1 },    { "mail", 2 },    { "daemon", 3 },  { "auth", 4 },
        { "syslog", 5 },  { "lpr", 6 },     { "news", 7 },    { "uucp", 8 },    { "cron", 9 },
        { "auth2", 10 },  { "ftp", 11 },    { "ntp", 12 },    { "audit", 13 },  { "alert", 14 },
        { "cron2", 15 },  { "local0", 16 }, { "local1", 17 }, { "local2", 18 }, { "local3", 19 },
        { "local4", 20 }, { "local5", 21 }, { "local6", 22 }, { "local7", 23 }, { NULL, 0 },
};

const struct kw_val log_levels[] = {
        { "emerg", LOG_L_EMERG }, { "alert", LOG_L_ALERT },     { "crit", LOG_L_CRIT },
        { "err", LOG_L_ERR },     { "warning", LOG_L_WARNING }, { "notice", LOG_L_NOTICE },
        { "info", LOG_L_INFO },   { "debug", LOG_L_DEBUG },     { NULL, 0 },
};

const struct kw_val log_formats[] = {
        { "local", LOGF_LOCAL },       { "rfc3164", LOGF_RFC3164 }, { "rfc5424", LOGF_RFC5424 },
        { "priority", LOGF_PRIORITY }, { "short", LOGF_SHORT },     { "timed", LOGF_TIMED },
        { "iso", LOGF_ISO },           { "raw", LOGF_RAW },         { NULL, 0 },
};

static const struct kw_val *val_named(const struct kw_val *v, struct str name)
{
        for (; v->name; v++) {
                if (str_is(name, v->name))
                        return v;
        }
        return NULL;
}

static const char *val_name(const struct kw_val *v, int value)
{
        for (; v->name; v++) {
                if (v->value == value)
                        return v->name;
        }
        return "";
}

/* ---- the target ---- */

static bool fail_address(struct kw_call *c, const char *text, const char *why)
{
        (void)kw_fail(c, &c->args[0], "E0710", "log : %s in '%s'", why, text);
        return false;
}

static bool parse_inet(struct kw_call *c, struct log_line *l)
{
        struct addr_spec spec;
        const char *why = "invalid address";
        enum addr_answer a = addr_parse(str_of(l->text), ADDR_UNIX | ADDR_FD | ADDR_DGRAM, &spec, &why);

        if (a == ADDR_BAD)
                return fail_address(c, l->text, why);
        if (a == ADDR_NAME && lookup_host(c->conf, conf_intern(c->conf, str_of(spec.host)), &spec.addr) < 0) {
                (void)kw_fail(c, &c->args[0], "E0710", "log : invalid address: '%s' in '%s'", spec.host, l->text);
                return false;
        }
        if (spec.inherited_fd >= 0) {
                l->via = LOG_VIA_FD;
                l->fd = spec.inherited_fd;
        } else if (spec.family == AF_UNIX) {
                if (spec.abstract)
                        return fail_address(c, l->text, "abstract sockets are not supported");
                l->via = LOG_VIA_UNIX;
                l->path = conf_intern(c->conf, str_of(spec.path));
        } else {
                l->via = LOG_VIA_UDP;
                l->addr = spec.addr;
                addr_set_port(&l->addr, spec.port_low > 0 ? spec.port_low : 514);
        }
        return true;
}

static bool parse_target(struct kw_call *c, struct log_line *l)
{
        static const char *const later[] = { "ring@", "backend@", "tcp@", "tcp4@", "tcp6@", "uxst@", "sockpair@" };

        if (!conf_expand(c, &c->args[0], &l->text))
                return false;
        for (size_t i = 0; i < array_len(later); i++) {
                if (str_has_prefix(str_of(l->text), str_of(later[i]))) {
                        (void)kw_fail(c, &c->args[0], "E0711", "log : targets of the form '%s' are not supported yet",
                                      later[i]);
                        return false;
                }
        }
        if (strcmp(l->text, "stdout") == 0 || strcmp(l->text, "stderr") == 0) {
                l->via = LOG_VIA_FD;
                l->fd = strcmp(l->text, "stdout") == 0 ? STDOUT_FILENO : STDERR_FILENO;
                return true;
        }
        return parse_inet(c, l);
}

/* ---- the words behind it ---- */

static bool parse_len(struct kw_call *c, const struct word *w, struct log_line *l)
{
        int64_t v;

        if (!str_to_i64(w->text, &v) || v < LOG_LEN_MIN || v > LOG_LEN_MAX) {
                (void)kw_fail(c, w, "E0712", "log : invalid log length '%.*s', must be between %d and %d",
                              (int)w->text.n, w->text.p, LOG_LEN_MIN, LOG_LEN_MAX);
                return false;
        }
        l->len = (int)v;
        return true;
}

static bool parse_val(struct kw_call *c, const struct word *w, const struct kw_val *vals, const char *what, int *ret_v)
{
        const struct kw_val *v = val_named(vals, w->text);

        if (!v) {
                (void)kw_fail(c, w, "E0713", "log : unknown %s '%.*s'", what, (int)w->text.n, w->text.p);
                return false;
        }
        *ret_v = v->value;
        return true;
}

/* len, format, sample, profile: *at moves behind them. */
static bool parse_options(struct kw_call *c, struct log_line *l, size_t *at)
{
        for (; *at + 1 < c->n_args; *at += 2) {
                const struct word *w = &c->args[*at];

                if (str_is(w->text, "len")) {
                        if (!parse_len(c, w + 1, l))
                                return false;
                } else if (str_is(w->text, "format")) {
                        if (!parse_val(c, w + 1, log_formats, "log format", &l->format))
                                return false;
                } else if (str_is(w->text, "sample") || str_is(w->text, "profile")) {
                        (void)kw_fail(c, w, "E0714", "log : '%.*s' is not supported yet", (int)w->text.n, w->text.p);
                        return false;
                } else {
                        break;
                }
        }
        return true;
}

static bool parse_severity(struct kw_call *c, struct log_line *l, size_t at)
{
        if (at >= c->n_args) {
                (void)kw_fail(c, NULL, "E0715", "log : expects <address> and <facility> or global as arguments");
                return false;
        }
        if (!parse_val(c, &c->args[at++], log_facilities, "log facility", &l->facility))
                return false;
        if (at < c->n_args && !parse_val(c, &c->args[at++], log_levels, "optional log level", &l->level))
                return false;
        if (at < c->n_args && !parse_val(c, &c->args[at++], log_levels, "optional minimum log level", &l->min_level))
                return false;
        if (at == c->n_args)
                return true;
        (void)kw_fail(c, &c->args[at], "E0716", "log : cannot handle unexpected argument '%.*s'",
                      (int)c->args[at].text.n, c->args[at].text.p);
        return false;
}

static bool parse_words(struct kw_call *c, struct log_line *l)
{
        size_t at = 1;

        if (c->n_args < 2) {
                (void)kw_fail(c, NULL, "E0715", "log : expects <address> and <facility> or global as arguments");
                return false;
        }
        if (str_is(c->args[0].text, "global")) { /* not alone: the next word is what HAProxy stumbles over */
                (void)kw_fail(c, &c->args[1], "E0713", "log : unknown log facility '%.*s'", (int)c->args[1].text.n,
                              c->args[1].text.p);
                return false;
        }
        return parse_target(c, l) && parse_options(c, l, &at) && parse_severity(c, l, at);
}

static bool has_global(const struct log_line *l)
{
        while (l && !l->global)
                l = l->prev;
        return l != NULL;
}

static int log_flush(struct kw_call *c)
{
        struct log_cfg *cfg = c->slot;

        if (c->n_args) {
                (void)kw_fail(c, &c->args[0], "E0717", "log : 'no log' does not expect arguments");
                return -1;
        }
        cfg->lines = NULL;
        return 0;
}

static int log_parse(struct kw_call *c)
{
        struct log_cfg *cfg = c->slot;
        struct log_line l = { .fd = -1, .len = LOG_LEN_DEFAULT, .level = -1, .min_level = -1 }, *kept;

        if (c->no)
                return log_flush(c);
        l.global = c->n_args == 1 && str_is(c->args[0].text, "global") && !(c->obj->kind->bit & KIND_GLOBAL);
        if (l.global && has_global(cfg->lines))
                return 1;
        if (!l.global) {
                if (!parse_words(c, &l))
                        return -1;
        }
        l.prev = cfg->lines;
        kept = conf_alloc(c->conf, sizeof(*kept));
        *kept = l;
        cfg->lines = kept;
        return (int)c->n_args;
}

static void dump_line(const struct log_line *l, struct buf *out)
{
        if (l->prev)
                dump_line(l->prev, out);
        if (l->global) {
                buf_puts(out, "    log global\n");
                return;
        }
        buf_puts(out, "    log ");
        kw_quote(out, l->text);
        if (l->len != LOG_LEN_DEFAULT)
                buf_printf(out, " len %d", l->len);
        if (l->format != LOGF_UNSET)
                buf_printf(out, " format %s", val_name(log_formats, l->format));
        buf_printf(out, " %s", val_name(log_facilities, l->facility));
        if (l->level >= 0)
                buf_printf(out, " %s", val_name(log_levels, l->level));
        if (l->min_level >= 0)
                buf_printf(out, " %s", val_name(log_levels, l->min_level));
        buf_putc(out, '\n');
}

static void log_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct log_cfg *cfg = slot;

        (void)kw;
        if (cfg->lines)
                dump_line(cfg->lines, out);
}

/* ---- the other rows ---- */

static int format_parse(struct kw_call *c)
{
        struct log_cfg *cfg = c->slot;
        struct proxy_cfg *px;

        if (c->n_args != 1) {
                (void)kw_fail(c, c->n_args ? &c->args[1] : NULL, "E0718", "%s expects %s", c->kw->name,
                              c->n_args ? "only one argument, don't forget to escape spaces!" : "an argument.");
                return -1;
        }
        cfg->format = conf_intern(c->conf, c->args[0].text);
        cfg->format_at = c->args[0].at;
        /* The later of log-format and option httplog or tcplog counts (manual 4.2): the options win when they are set. */
        px = conf_slot_edit(c->conf, c->obj, proxy_slot);
        px->options &= ~(unsigned)(OPT_HTTPLOG | OPT_TCPLOG | OPT_LOG_CLF);
        return 1;
}

static void format_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct log_cfg *cfg = slot;

        if (!cfg->format)
                return;
        buf_printf(out, "    %s ", kw->name);
        kw_quote(out, cfg->format);
        buf_putc(out, '\n');
}

static int hostname_parse(struct kw_call *c)
{
        struct log_cfg *cfg = c->slot;

        cfg->hostname = c->n_args ? conf_intern(c->conf, c->args[0].text) : "";
        return c->n_args ? 1 : 0;
}

static void hostname_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct log_cfg *cfg = slot;

        if (!cfg->hostname)
                return;
        buf_printf(out, "    %s", kw->name);
        if (*cfg->hostname) {
                buf_putc(out, ' ');
                kw_quote(out, cfg->hostname);
        }
        buf_putc(out, '\n');
}

static int tag_parse(struct kw_call *c)
{
        if (c->n_args == 0) {
                (void)kw_fail(c, NULL, "E0720", "'log-tag' expects a tag for use in syslog.");
                return -1;
        }
        ((struct log_cfg *)c->slot)->tag = conf_intern(c->conf, c->args[0].text);
        return 1;
}

static void tag_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct log_cfg *cfg = slot;

        if (!cfg->tag)
                return;
        buf_printf(out, "    %s ", kw->name);
        kw_quote(out, cfg->tag);
        buf_putc(out, '\n');
}

#define FRONT_KINDS (KIND_DEFAULTS | KIND_FE)

static const struct kw rows[] = {
        KW_FN("log", log_parse, log_dump, .no_ok = true, .manual = "4.2", .apply = KW_NEW,
              .args = "global | <target> [len <length>] [format <format>] <facility> [<level> [<minlevel>]]",
              .sample = "127.0.0.1:514 len 2048 format rfc5424 local0 notice err", .help = "Where log lines go."),
        KW_FN("log-tag", tag_parse, tag_dump, .manual = "4.2", .apply = KW_NEW, .args = "<string>", .sample = "lb1",
              .help = "The tag of syslog headers; \"haproxy\" when not set."),
        KW_FN("log-format", format_parse, format_dump, .kinds = FRONT_KINDS, .warn_kinds = KIND_BACKEND,
              .manual = "4.2", .apply = KW_NEW, .args = "<fmt>", .sample = "%ci:%cp",
              .help = "The format of traffic lines."),
        KW_FN("log-send-hostname", hostname_parse, hostname_dump, .kinds = KIND_GLOBAL, .manual = "3.1",
              .apply = KW_NEW, .args = "[<string>]", .sample = "lb1.example",
              .help = "Puts a host name into syslog headers."),
};
KW_TABLE(log, KIND_GLOBAL | KIND_PROXY, struct log_cfg, rows, .rank = 1, .check = log_check);
