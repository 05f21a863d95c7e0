/* feat/logs/profile.c - sections `log-profile` (manual 8.3.5), the steps at which lines are written, action `do-log`. */
#include "conf/conf.h"
#include "core/kinds.h"
#include "feat/logs/logs.h"

static const struct conf_kind kind_log_profile = {
        .name = "log-profile", .bit = KIND_LOG_PROFILE, .section = true, .named = true, .clash = "log-profile"
};
CONF_KIND(kind_log_profile);

/* ---- steps ---- */

static const struct {
        const char *name, *text; /* of `on` and of %OG; NULL: the same */
} origins[LOGO_ANY + 1] = {
        [LOGO_ACCEPT] = { "accept", "txn_accept" },
        [LOGO_REQUEST] = { "request", "txn_request" },
        [LOGO_CONNECT] = { "connect", "txn_connect" },
        [LOGO_RESPONSE] = { "response", "txn_response" },
        [LOGO_CLOSE] = { "close", "txn_close" },
        [LOGO_ERROR] = { "error", "sess_error" },
        [LOGO_TCP_REQ_CONN] = { "tcp-req-conn", NULL },
        [LOGO_TCP_REQ_SESS] = { "tcp-req-sess", NULL },
        [LOGO_TCP_REQ_CONT] = { "tcp-req-cont", NULL },
        [LOGO_HTTP_REQ] = { "http-req", NULL },
        [LOGO_TCP_RES_CONT] = { "tcp-res-cont", NULL },
        [LOGO_HTTP_RES] = { "http-res", NULL },
        [LOGO_HTTP_AFTER_RES] = { "http-after-res", NULL },
        [LOGO_ANY] = { "any", NULL },
};

const char *log_origin_text(enum log_origin o)
{
        return origins[o].text ? origins[o].text : origins[o].name;
}

static int origin_named(struct str name)
{
        for (unsigned i = 0; i < array_len(origins); i++) {
                if (str_is(name, origins[i].name))
                        return (int)i;
        }
        return -1;
}

unsigned log_steps_parse(struct str list)
{
        unsigned mask = 0;

        if (str_is(list, "all"))
                return LOG_ON_ACCEPT | LOG_ON_REQUEST | LOG_ON_CONNECT | LOG_ON_RESPONSE | LOG_ON_CLOSE;
        while (list.n) {
                const char *comma = memchr(list.p, ',', list.n);
                size_t n = comma ? (size_t)(comma - list.p) : list.n;
                int o = origin_named(str_sub(list, 0, n));

                if (o < 0 || o > LOGO_CLOSE || (comma && n + 1 == list.n))
                        return 0;
                mask |= 1U << o;
                n += comma != NULL;
                list = str_sub(list, n, list.n - n);
        }
        return mask;
}

void log_steps_dump(unsigned mask, struct buf *out)
{
        const char *sep = " ";

        for (unsigned o = LOGO_ACCEPT; o <= LOGO_CLOSE; o++) {
                if (mask & 1U << o) {
                        buf_printf(out, "%s%s", sep, origins[o].name);
                        sep = ",";
                }
        }
}

/* ---- the section ---- */

static const struct logfmt *compile(struct kw_call *c, const struct word *w)
{
        return logfmt_compile(c, str_of(conf_intern(c->conf, w->text)), w, EXPR_AT_LOG);
}

static bool parse_on_word(struct kw_call *c, size_t *i, struct log_on *on)
{
        const struct word *w = &c->args[*i];
        bool sd = str_is(w->text, "sd");

        if (str_is(w->text, "drop")) {
                on->drop = true;
                return true;
        }
        if (!sd && !str_is(w->text, "format")) {
                (void)kw_fail(c, w, "E0740", "'on %.*s' expects 'drop', 'format' or 'sd'.", (int)c->args[0].text.n,
                              c->args[0].text.p);
                return false;
        }
        if (++*i >= c->n_args) {
                (void)kw_fail(c, w, "E0741", "'on %.*s' : '%s' expects a log-format string.", (int)c->args[0].text.n,
                              c->args[0].text.p, sd ? "sd" : "format");
                return false;
        }
        *(sd ? &on->sd_text : &on->format_text) = conf_intern(c->conf, c->args[*i].text);
        *(sd ? &on->sd : &on->format) = compile(c, &c->args[*i]);
        return (sd ? on->sd : on->format) != NULL;
}

/* A later line of a step adds to the one before it. */
static int on_parse(struct kw_call *c)
{
        struct log_profile *p = c->slot;
        struct log_on *on;
        int o = c->n_args ? origin_named(c->args[0].text) : -1;

        if (o < 0) {
                (void)kw_fail(
                        c, c->n_args ? &c->args[0] : NULL, "E0742",
                        "'on' expects a log step: 'accept', 'request', 'connect', 'response', 'close', 'error' or 'any', or "
                        "the place of a do-log rule: 'tcp-req-conn', 'tcp-req-sess', 'tcp-req-cont', 'http-req', "
                        "'tcp-res-cont', 'http-res' or 'http-after-res'.");
                return -1;
        }
        on = &p->on[o];
        if (c->n_args < 2) {
                (void)kw_fail(c, NULL, "E0740", "'on %s' expects 'drop', 'format' or 'sd'.", origins[o].name);
                return -1;
        }
        on->set = true;
        for (size_t i = 1; i < c->n_args; i++) {
                if (!parse_on_word(c, &i, on))
                        return -1;
        }
        return (int)c->n_args;
}

static void on_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct log_profile *p = slot;

        for (unsigned o = 0; o <= LOGO_ANY; o++) {
                const struct log_on *on = &p->on[o];

                if (!on->set)
                        continue;
                buf_printf(out, "    %s %s%s", kw->name, origins[o].name, on->drop ? " drop" : "");
                if (on->format_text) {
                        buf_puts(out, " format ");
                        kw_quote(out, on->format_text);
                }
                if (on->sd_text) {
                        buf_puts(out, " sd ");
                        kw_quote(out, on->sd_text);
                }
                buf_putc(out, '\n');
        }
}

static const struct kw rows[] = {
        KW_STR("log-tag", struct log_profile, tag, .manual = "8.3.5", .apply = KW_NEW,
               .help = "The tag of these lines' headers, instead of the proxy's."),
        KW_FN("on", on_parse, on_dump, .manual = "8.3.5", .apply = KW_NEW,
              .args = "<step> [drop] [format <fmt>] [sd <fmt>]",
              .sample = "close format \"%ci %ST\" sd \"[a b=\\\"c\\\"]\"",
              .help = "What is written at a step: nothing (drop), or a line in this format, with this structured data in targets of "
                      "format rfc5424. \"any\" stands for all steps that have no line of their own."),
};
KW_TABLE(log_profile, KIND_LOG_PROFILE, struct log_profile, rows);

const struct log_profile *log_profile_find(const struct conf *c, const char *name)
{
        const struct conf_obj *o = conf_find(c, KIND_LOG_PROFILE, str_of(name));

        return o ? conf_slot(o, log_profile_slot) : NULL;
}

static bool on_is_late(const struct log_on *on)
{
        return (on->format && logfmt_is_late(on->format)) || (on->sd && logfmt_is_late(on->sd));
}

bool log_profile_is_late(const struct log_profile *p)
{
        return on_is_late(&p->on[LOGO_CLOSE]) || on_is_late(&p->on[LOGO_ANY]);
}

/* ---- do-log ---- */

static int do_log_parse(struct rule_call *c, const void **ret_arg)
{
        static const uint8_t at[RULE_POINTS] = {
                [RULE_TCP_CONN] = LOGO_TCP_REQ_CONN,     [RULE_TCP_SESS] = LOGO_TCP_REQ_SESS,
                [RULE_TCP_REQUEST] = LOGO_TCP_REQ_CONT,  [RULE_HTTP_REQUEST] = LOGO_HTTP_REQ,
                [RULE_TCP_RESPONSE] = LOGO_TCP_RES_CONT, [RULE_HTTP_RESPONSE] = LOGO_HTTP_RES,
                [RULE_HTTP_AFTER] = LOGO_HTTP_AFTER_RES,
        };
        struct log_do *d = conf_alloc(c->kw->conf, sizeof(*d));
        struct log_cfg *cfg;

        d->origin = at[c->point];
        d->at = c->kw->at;
        *ret_arg = d;
        atomic_store_explicit(&log_request_asked, true, memory_order_relaxed);
        if (c->n == 0 || !str_is(c->w[0].text, "profile"))
                return 0;
        if (c->n < 2)
                return rule_fail(c, &c->w[0], "'profile' expects the name of a log-profile section");
        d->name = conf_intern(c->kw->conf, c->w[1].text);
        cfg = conf_slot_edit(c->kw->conf, c->kw->obj, log_slot); /* the section may come later: log_check() finds it */
        d->prev = cfg->dos;
        cfg->dos = d;
        return 2;
}

void log_do_check(struct conf *c, const struct log_cfg *cfg, struct diags *diags)
{
        for (struct log_do *d = cfg->dos; d; d = d->prev) {
                d->profile = log_profile_find(c, d->name);
                if (!d->profile)
                        diag_add(diags, DIAG_ALERT, d->at, "E0743", "'do-log' : unknown log-profile '%s'.", d->name);
        }
}

static enum rule_answer do_log(const void *arg, struct rule_ctx *x)
{
        const struct log_do *d = arg;

        logs_do(x, d->profile, (enum log_origin)d->origin);
        return RULE_NEXT;
}

static const struct action actions[] = {
        { .name = "do-log",
          .points = RULE_ON_ALL,
          .parse = do_log_parse,
          .run = do_log,
          .args = "[profile <log-profile>]",
          .help = "Writes a line now, besides those that the frontend writes by itself.",
          .manual = "4.4" },
};
ACTION_TABLE(do_log, actions);
