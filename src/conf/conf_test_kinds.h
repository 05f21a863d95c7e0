/* conf/conf_test_kinds.h - a small language for the tests of conf/: kinds as core has them, rows of each type. Included
 * by one file of each test program. */
#ifndef CONF_CONF_TEST_KINDS_H
#define CONF_CONF_TEST_KINDS_H

#include "conf/conf_test_rows.h"
#include "conf/later.h"

/* ---- servers: two tables, as a core and a feature would have ---- */
struct t_server {
        const char *addr;
        int weight;
        bool backup;
};
static const struct t_server t_server_def = { .weight = 1 };
static const struct kw t_server_rows[] = {
        KW_INT("weight", struct t_server, weight, 0, 256),
        KW_FLAG("backup", struct t_server, backup),
};
KW_TABLE(t_server, K_SERVER | K_DEFSRV, struct t_server, t_server_rows, .defaults = &t_server_def, .rank = 3);

struct t_check {
        bool check;
        int inter, rise;
        const char *cookie;
};
static const struct t_check t_check_def = { .inter = 2000, .rise = 2 };
static const struct kw t_check_rows[] = {
        KW_FLAG("check", struct t_check, check),
        KW_TIME("inter", struct t_check, inter, .min = 1),
        KW_INT("rise", struct t_check, rise, 1, 65535),
        KW_STR("cookie", struct t_check, cookie),
        KW_NONE("track-old", "tracking is always on", .max = 1),
};

static void t_check_verify(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct t_check *k = slot;

        (void)c;
        if (o->kind->bit == K_SERVER && k->rise > 100 && !k->check)
                diag_add(d, DIAG_WARNING, conf_span_name(o, "rise"), "W9001", "'rise' without 'check'.");
}
KW_TABLE(t_check, K_SERVER | K_DEFSRV, struct t_check, t_check_rows, .defaults = &t_check_def, .rank = 4,
         .check = t_check_verify);

struct t_bind {
        const char *addr;
        bool ssl;
        const char *crt;
};
static const struct kw t_bind_rows[] = {
        KW_FLAG("ssl", struct t_bind, ssl),
        KW_STR("crt", struct t_bind, crt),
};
KW_TABLE(t_bind, K_BIND, struct t_bind, t_bind_rows, .rank = 3, .own = true);

static int t_parse_server(struct kw_call *c)
{
        struct conf_obj *o;
        const char *addr;

        if (!kw_need_args(c, 2, "<name> and <addr>[:<port>]"))
                return -1;
        if (!conf_expand(c, &c->args[1], &addr))
                return -1;
        if (conf_find_child(c->obj, K_SERVER, c->args[0].text)) {
                kw_fail(c, &c->args[0], "E9002", "server '%.*s' is already there.", (int)c->args[0].text.n,
                        c->args[0].text.p);
                return -1;
        }
        o = conf_add_child(c, K_SERVER, c->args[0].text, c->args[0].at);
        ((struct t_server *)conf_slot_edit(c->conf, o, t_server_slot))->addr = addr;
        (void)kw_parse_words(c, o, c->args + 2, c->n_args - 2);
        return (int)c->n_args;
}

static int t_parse_defsrv(struct kw_call *c)
{
        struct conf_obj *o;

        if (!kw_need_args(c, 1, "<word>"))
                return -1;
        o = conf_add_child(c, K_DEFSRV, STR(""), c->at);
        (void)kw_parse_words(c, o, c->args, c->n_args);
        return (int)c->n_args;
}

static int t_parse_bind(struct kw_call *c)
{
        struct conf_obj *o;
        const char *addr;

        if (!kw_need_args(c, 1, "<addr>") || !conf_expand(c, &c->args[0], &addr))
                return -1;
        o = conf_add_child(c, K_BIND, STR(""), c->args[0].at);
        ((struct t_bind *)conf_slot_edit(c->conf, o, t_bind_slot))->addr = addr;
        (void)kw_parse_words(c, o, c->args + 1, c->n_args - 1);
        return (int)c->n_args;
}

static void t_head_server(const struct conf_obj *o, struct buf *out)
{
        const struct t_server *s = conf_slot(o, t_server_slot);

        buf_puts(out, "server ");
        kw_quote(out, o->name);
        buf_putc(out, ' ');
        kw_quote(out, s->addr ? s->addr : "-");
}

static void t_head_bind(const struct conf_obj *o, struct buf *out)
{
        const struct t_bind *b = conf_slot(o, t_bind_slot);

        buf_puts(out, "bind ");
        kw_quote(out, b->addr ? b->addr : "-");
}

static void t_title_bind(const struct conf_obj *o, struct buf *out)
{
        const struct t_bind *b = conf_slot(o, t_bind_slot);

        buf_printf(out, "'bind %s' in section '%s' : ", b->addr, o->parent->kind->name);
}

static const struct conf_kind t_kind_global = { .name = "global", .bit = K_GLOBAL, .section = true, .single = true };
static const struct conf_kind t_kind_defaults = {
        .name = "defaults", .bit = K_DEFAULTS, .section = true, .is_defaults = true
};
static const struct conf_kind t_kind_frontend = { .name = "frontend",
                                                  .bit = K_FRONTEND,
                                                  .section = true,
                                                  .named = true,
                                                  .inherits = K_DEFAULTS,
                                                  .clash = "fe",
                                                  .lacks = "backend" };
static const struct conf_kind t_kind_backend = { .name = "backend",
                                                 .bit = K_BACKEND,
                                                 .section = true,
                                                 .named = true,
                                                 .inherits = K_DEFAULTS,
                                                 .clash = "be",
                                                 .lacks = "frontend" };
static const struct conf_kind t_kind_listen = {
        .name = "listen", .bit = K_LISTEN, .section = true, .named = true, .inherits = K_DEFAULTS, .clash = "fe,be"
};
static const struct conf_kind t_kind_bind = { .name = "bind",
                                              .bit = K_BIND,
                                              .parents = K_FRONTEND | K_LISTEN,
                                              .example = "bind :8080",
                                              .dump = t_head_bind,
                                              .title = t_title_bind };
static const struct conf_kind t_kind_server = { .name = "server",
                                                .bit = K_SERVER,
                                                .inherits = K_DEFSRV,
                                                .parents = K_BACKEND | K_LISTEN,
                                                .short_place = true,
                                                .example = "server s 127.0.0.1:80",
                                                .dump = t_head_server };
static const struct conf_kind t_kind_defsrv = { .name = "default-server",
                                                .bit = K_DEFSRV,
                                                .single = true,
                                                .is_defaults = true,
                                                .parents = K_DEFAULTS | K_BACKEND | K_LISTEN,
                                                .short_place = true,
                                                .example = "default-server" };
LATER_TABLE(t_sections, .what = LATER_SECTION, .names = "t-absent");
LATER_TABLE(t_proxies, .what = LATER_KEYWORD, .kinds = K_FRONTEND | K_BACKEND | K_LISTEN,
            .names = "t-later,t-two one,option t-lone,t-set.*");
LATER_TABLE(t_servers, .what = LATER_KEYWORD, .kinds = K_SERVER, .never = true, .names = "t-later,t-tune.*");
CONF_KIND(t_kind_global);
CONF_KIND(t_kind_defaults);
CONF_KIND(t_kind_frontend);
CONF_KIND(t_kind_backend);
CONF_KIND(t_kind_listen);
CONF_KIND(t_kind_bind);
CONF_KIND(t_kind_server);
CONF_KIND(t_kind_defsrv);

static bool t_feature(struct str name)
{
        return str_is(name, "TELAMON") || str_is(name, "OPENSSL");
}

static bool t_enabled(struct str name)
{
        return str_is(name, "EPOLL");
}

static const struct conf_opts t_opts = { .version = "3.4.0",
                                         .feature = t_feature,
                                         .enabled = t_enabled,
                                         .openssl_version = "3.0.15",
                                         .ssl_library = "OpenSSL 3.0.15",
                                         .keep_spans = true };

#endif
