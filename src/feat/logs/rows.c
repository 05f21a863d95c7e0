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

static bool is_stream(const char *text)
{
        static const char *const prefixes[] = { "tcp@", "tcp4@", "tcp6@", "uxst@" };

        for (size_t i = 0; i < array_len(prefixes); i++) {
                if (str_has_prefix(str_of(text), str_of(prefixes[i])))
                        return true;
        }
        return false;
}

/* A ring of its own, named like the address. */
static bool parse_stream(struct kw_call *c, struct log_line *l)
{
        struct store_target *t = conf_alloc(c->conf, sizeof(*t));

        t->name = t->text = l->text;
        if (!log_stream_address(c, &c->args[0], t))
                return false;
        l->via = LOG_VIA_STORE;
        l->path = l->text;
        l->stream = t;
        return true;
}

static bool parse_target(struct kw_call *c, struct log_line *l)
{
        static const char *const later[] = { "backend@", "sockpair@" };

        if (!conf_expand(c, &c->args[0], &l->text))
                return false;
        for (size_t i = 0; i < array_len(later); i++) {
                if (str_has_prefix(str_of(l->text), str_of(later[i]))) {
                        (void)kw_fail(c, &c->args[0], "E0711", "log : targets of the form '%s' are not supported yet",
                                      later[i]);
                        return false;
                }
        }
        if (str_has_prefix(str_of(l->text), STR("ring@"))) {
                l->via = LOG_VIA_STORE;
                l->path = conf_intern(c->conf, str_of(l->text + 5));
                return true;
        }
        if (is_stream(l->text))
                return parse_stream(c, l);
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

static bool fail_sample(struct kw_call *c, const struct word *w, const char *why, struct str what)
{
        (void)kw_fail(c, w, "E0714", "log : %s '%.*s'", why, (int)what.n, what.p);
        return false;
}

/* "2" or "2-4" */
static bool parse_range(struct str text, uint32_t *ret_low, uint32_t *ret_high)
{
        const char *dash = memchr(text.p, '-', text.n);
        size_t n = dash ? (size_t)(dash - text.p) : text.n;
        uint64_t low, high;

        if (!str_to_u64(str_sub(text, 0, n), &low))
                return false;
        high = low;
        if (dash && !str_to_u64(str_sub(text, n + 1, text.n - n - 1), &high))
                return false;
        if (low == 0 || high < low || high > UINT32_MAX)
                return false;
        *ret_low = (uint32_t)low;
        *ret_high = (uint32_t)high;
        return true;
}

static bool overlaps(const struct log_sample *s, uint32_t low, uint32_t high)
{
        for (uint32_t i = 0; i < s->n; i++) {
                if (low <= s->range[i].high && high >= s->range[i].low)
                        return true;
        }
        return false;
}

/* "1,3-4:5" */
static bool parse_sample(struct kw_call *c, const struct word *w, struct log_sample **ret_s)
{
        const char *colon = memchr(w->text.p, ':', w->text.n);
        size_t n = colon ? (size_t)(colon - w->text.p) : w->text.n, most = 1;
        struct str list = str_sub(w->text, 0, n), text;
        uint32_t low, high, top = 0;
        struct log_sample *s;
        uint64_t size;

        for (size_t i = 0; i < n; i++)
                most += list.p[i] == ',';
        s = conf_alloc(c->conf, sizeof(*s) + most * sizeof(s->range[0]));
        for (size_t from = 0, to; from <= n; from = to + 1) {
                for (to = from; to < n && list.p[to] != ',';)
                        to++;
                text = str_sub(list, from, to - from);
                if (!parse_range(text, &low, &high))
                        return fail_sample(c, w, "wrong sample range", text);
                if (overlaps(s, low, high))
                        return fail_sample(c, w, "ranges are overlapping in", list);
                s->range[s->n].low = low;
                s->range[s->n++].high = high;
                top = high > top ? high : top;
        }
        if (!colon)
                return fail_sample(c, w, "missing sample size behind", list);
        text = str_sub(w->text, n + 1, w->text.n - n - 1);
        if (!str_to_u64(text, &size) || size == 0 || size > UINT32_MAX)
                return fail_sample(c, w, "wrong sample size", text);
        if (size < top)
                return fail_sample(c, w, "the sample size must be greater or equal to the highest range limit in",
                                   w->text);
        s->size = (uint32_t)size;
        *ret_s = s;
        return true;
}

static void dump_sample(const struct log_sample *s, struct buf *out)
{
        buf_puts(out, " sample ");
        for (uint32_t i = 0; i < s->n; i++) {
                buf_printf(out, "%s%u", i ? "," : "", s->range[i].low);
                if (s->range[i].high != s->range[i].low)
                        buf_printf(out, "-%u", s->range[i].high);
        }
        buf_printf(out, ":%u", s->size);
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
                } else if (str_is(w->text, "sample")) {
                        if (!parse_sample(c, w + 1, &l->sample))
                                return false;
                } else if (str_is(w->text, "profile")) {
                        l->profile = conf_intern(c->conf, w[1].text);
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
        struct log_line l = { .fd = -1, .len = LOG_LEN_DEFAULT, .level = -1, .min_level = -1, .at = c->at }, *kept;

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
        if (l->sample)
                dump_sample(l->sample, out);
        if (l->profile) {
                buf_puts(out, " profile ");
                kw_quote(out, l->profile);
        }
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
        if (strcmp(c->kw->name, "log-format") != 0) {
                bool sd = strcmp(c->kw->name, "log-format-sd") == 0;

                *(sd ? &cfg->sd_format : &cfg->error_format) = conf_intern(c->conf, c->args[0].text);
                *(sd ? &cfg->sd_at : &cfg->error_at) = c->args[0].at;
                return 1;
        }
        cfg->format = conf_intern(c->conf, c->args[0].text);
        cfg->format_at = c->args[0].at;
        /* The later of log-format and option httplog or tcplog counts (manual 4.2): the options win when they are set. */
        px = conf_slot_edit(c->conf, c->obj, proxy_slot);
        px->options &= ~(unsigned)(OPT_HTTPLOG | OPT_TCPLOG | OPT_LOG_CLF | OPT_LOG_JSON);
        return 1;
}

static void format_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct log_cfg *cfg = slot;

        const char *text = strcmp(kw->name, "log-format-sd") == 0      ? cfg->sd_format
                           : strcmp(kw->name, "error-log-format") == 0 ? cfg->error_format
                                                                       : cfg->format;

        if (!text)
                return;
        buf_printf(out, "    %s ", kw->name);
        kw_quote(out, text);
        buf_putc(out, '\n');
}

static int steps_parse(struct kw_call *c)
{
        unsigned mask = c->n_args == 1 ? log_steps_parse(c->args[0].text) : 0;

        if (!mask) {
                (void)kw_fail(
                        c, c->n_args ? &c->args[0] : NULL, "E0719",
                        "'log-steps' expects 'all' or names with commas between them: accept, request, connect, response, "
                        "close.");
                return -1;
        }
        ((struct log_cfg *)c->slot)->steps = mask;
        return 1;
}

static void steps_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct log_cfg *cfg = slot;

        if (!cfg->steps)
                return;
        buf_printf(out, "    %s", kw->name);
        log_steps_dump(cfg->steps, out);
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
              .args = "global | <target> [len <length>] [format <format>] [sample <ranges>:<size>] [profile <name>] <facility> "
                      "[<level> [<minlevel>]]",
              .sample = "127.0.0.1:514 len 2048 format rfc5424 local0 notice err", .help = "Where log lines go."),
        KW_FN("log-tag", tag_parse, tag_dump, .manual = "4.2", .apply = KW_NEW, .args = "<string>", .sample = "lb1",
              .help = "The tag of syslog headers; \"haproxy\" when not set."),
        KW_FN("log-format", format_parse, format_dump, .kinds = FRONT_KINDS, .warn_kinds = KIND_BACKEND,
              .manual = "4.2", .apply = KW_NEW, .args = "<fmt>", .sample = "%ci:%cp",
              .help = "The format of traffic lines."),
        KW_FN("log-format-sd", format_parse, format_dump, .kinds = FRONT_KINDS, .warn_kinds = KIND_BACKEND,
              .manual = "4.2", .apply = KW_NEW, .args = "<fmt>", .sample = "[a@1\\ b=\\\"%ST\\\"]",
              .help = "The structured data of traffic lines in targets of format rfc5424."),
        KW_FN("error-log-format", format_parse, format_dump, .kinds = FRONT_KINDS, .warn_kinds = KIND_BACKEND,
              .manual = "4.2", .apply = KW_NEW, .args = "<fmt>", .sample = "%ci:%cp",
              .help = "The format of the line of a connection on which no request came to be; without it, they look like the "
                      "others."),
        KW_FN("log-steps", steps_parse, steps_dump, .kinds = FRONT_KINDS, .warn_kinds = KIND_BACKEND, .manual = "4.2",
              .apply = KW_NEW, .args = "all | <step>[,<step>...]", .sample = "accept,close",
              .help = "Traffic lines are written at these steps of a stream (accept, request, connect, response, close) instead of "
                      "once; option logasap goes before it."),
        KW_FN("log-send-hostname", hostname_parse, hostname_dump, .kinds = KIND_GLOBAL, .manual = "3.1",
              .apply = KW_NEW, .args = "[<string>]", .sample = "lb1.example",
              .help = "Puts a host name into syslog headers."),
};
KW_TABLE(log, KIND_GLOBAL | KIND_PROXY, struct log_cfg, rows, .rank = 1, .check = log_check);
