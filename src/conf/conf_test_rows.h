/* conf/conf_test_rows.h - first half of conf_test_kinds.h: rows of global and of proxies. */
#ifndef CONF_CONF_TEST_ROWS_H
#define CONF_CONF_TEST_ROWS_H

#include "conf/conf.h"

#include <stdio.h>

#define K_GLOBAL   ((kind_mask)1 << 0)
#define K_DEFAULTS ((kind_mask)1 << 1)
#define K_FRONTEND ((kind_mask)1 << 2)
#define K_BACKEND  ((kind_mask)1 << 3)
#define K_LISTEN   ((kind_mask)1 << 4)
#define K_BIND     ((kind_mask)1 << 5)
#define K_SERVER   ((kind_mask)1 << 6)
#define K_DEFSRV   ((kind_mask)1 << 7)
#define K_PROXY    (K_DEFAULTS | K_FRONTEND | K_BACKEND | K_LISTEN)

/* ---- global ---- */
struct t_global {
        bool daemon, quiet;
        int maxconn, nbthread;
        uint64_t bufsize;
        int64_t big;
        const char *node;
        int grace;
};
static const struct t_global t_global_def = { .quiet = true, .bufsize = 16384 };

static int t_parse_setenv(struct kw_call *c)
{
        if (!kw_need_args(c, 2, "a name and a value"))
                return -1;
        conf_env_set(c->conf, c->args[0].text, c->args[1].text);
        return 2;
}

static int t_parse_unsetenv(struct kw_call *c)
{
        if (!kw_need_args(c, 1, "a name"))
                return -1;
        for (size_t i = 0; i < c->n_args; i++)
                conf_env_unset(c->conf, c->args[i].text);
        return (int)c->n_args;
}

static int t_parse_resetenv(struct kw_call *c)
{
        conf_env_reset(c->conf, c->args, c->n_args);
        return (int)c->n_args;
}

static const struct kw t_global_rows[] = {
        KW_FLAG("daemon", struct t_global, daemon, .help = "Forks into the background.", .manual = "3.1"),
        KW_FLAG("quiet", struct t_global, quiet, .help = "Prints nothing."),
        KW_INT("maxconn", struct t_global, maxconn, 0, 2000000, .help = "Connections at once."),
        KW_INT("nbthread", struct t_global, nbthread, 1, 64, .help = "Threads."),
        KW_SIZE("tune.bufsize", struct t_global, bufsize, 1024, 1 << 30, .help = "Bytes of a buffer."),
        KW_INT64("tune.big", struct t_global, big, INT64_MIN, INT64_MAX),
        KW_STR("node", struct t_global, node, .no_ok = true, .help = "Name of this machine."),
        KW_TIME_S("grace", struct t_global, grace, .help = "Waits."),
        KW_FN("setenv", t_parse_setenv, kw_dump_child, .args = "<name> <value>", .sample = "A b"),
        KW_FN("unsetenv", t_parse_unsetenv, kw_dump_child, .args = "<name>...", .sample = "A"),
        KW_FN("resetenv", t_parse_resetenv, kw_dump_child, .args = "[<name>...]", .sample = "A"),
        KW_NONE("tune.old", "buffers are sized by themselves"),
        KW_REFUSE("lua-load", "Lua is not built in"),
};
KW_TABLE(t_global, K_GLOBAL, struct t_global, t_global_rows, .defaults = &t_global_def, .rank = 1);

/* ---- proxies ---- */
enum { T_MODE_TCP, T_MODE_HTTP };
static const struct kw_val t_modes[] = { { "tcp", T_MODE_TCP }, { "http", T_MODE_HTTP }, { NULL, 0 } };

struct t_proxy {
        int mode, maxconn;
        int to_client, to_server, to_connect;
        unsigned opts;
        const char *balance, *tag, *acls;
};
#define T_OPT_HTTPLOG 1u
#define T_OPT_CLOSE   2u
#define T_OPT_REDISP  4u
static const struct t_proxy t_proxy_def = { .maxconn = 100, .opts = T_OPT_CLOSE };

/* A row with a list: each line adds. */
static int t_parse_acl(struct kw_call *c)
{
        struct t_proxy *p = c->slot;
        char line[512];

        if (!kw_need_args(c, 2, "<name> <criterion>"))
                return -1;
        for (size_t i = 0; i < 2; i++)
                if (memchr(c->args[i].text.p, ';', c->args[i].text.n) ||
                    memchr(c->args[i].text.p, '=', c->args[i].text.n) ||
                    c->args[i].text.n + strlen(p->acls ? p->acls : "") > 200) {
                        kw_fail(c, &c->args[i], "E9003", "too much, or ';' or '=' in 'acl'.");
                        return -1;
                }
        (void)snprintf(line, sizeof(line), "%s%.*s=%.*s;", p->acls ? p->acls : "", (int)c->args[0].text.n,
                       c->args[0].text.p, (int)c->args[1].text.n, c->args[1].text.p);
        p->acls = conf_intern(c->conf, str_of(line));
        return 2;
}

static void t_dump_acl(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct t_proxy *p = slot;

        for (const char *z = p->acls; z && *z; z = strchr(z, ';') + 1) {
                AUTO_BUF(name);
                AUTO_BUF(crit);
                size_t n = strcspn(z, "="), m = strcspn(z + n + 1, ";");

                buf_add(&name, z, n);
                buf_putc(&name, 0);
                buf_add(&crit, z + n + 1, m);
                buf_putc(&crit, 0);
                buf_printf(out, "    %s ", kw->name);
                kw_quote(out, name.p);
                buf_putc(out, ' ');
                kw_quote(out, crit.p);
                buf_putc(out, '\n');
        }
}

static int t_parse_server(struct kw_call *c);
static int t_parse_defsrv(struct kw_call *c);
static int t_parse_bind(struct kw_call *c);

static const struct kw t_proxy_rows[] = {
        KW_ENUM("mode", struct t_proxy, mode, t_modes, .help = "Protocol."),
        KW_INT("maxconn", struct t_proxy, maxconn, 0, 1000000, .kinds = K_DEFAULTS | K_FRONTEND | K_LISTEN),
        KW_TIME("timeout client", struct t_proxy, to_client, .kinds = K_DEFAULTS | K_FRONTEND | K_LISTEN,
                .apply = KW_NEW, .help = "Inactivity on the client side.", .manual = "4.2"),
        KW_TIME("timeout server", struct t_proxy, to_server, .kinds = K_DEFAULTS | K_BACKEND | K_LISTEN,
                .warn_kinds = K_FRONTEND),
        KW_TIME("timeout connect", struct t_proxy, to_connect, .kinds = K_DEFAULTS | K_BACKEND | K_LISTEN,
                .warn_kinds = K_FRONTEND),
        KW_BITS("option httplog", struct t_proxy, opts, T_OPT_HTTPLOG),
        KW_BITS("option httpclose", struct t_proxy, opts, T_OPT_CLOSE),
        KW_BITS("option redispatch", struct t_proxy, opts, T_OPT_REDISP, .kinds = K_DEFAULTS | K_BACKEND | K_LISTEN,
                .warn_kinds = K_FRONTEND),
        KW_STR("balance", struct t_proxy, balance, .kinds = K_DEFAULTS | K_BACKEND | K_LISTEN,
               .warn_kinds = K_FRONTEND),
        KW_STR("log-tag", struct t_proxy, tag, .max = 40),
        KW_FN("acl", t_parse_acl, t_dump_acl, KW_FIELD(struct t_proxy, acls, const char *), .no_ok = false,
              .args = "<name> <criterion>", .sample = "a b"),
        KW_FN("server", t_parse_server, kw_dump_child, .kinds = K_BACKEND | K_LISTEN,
              .args = "<name> <addr> [<word>...]"),
        KW_FN("default-server", t_parse_defsrv, kw_dump_child, .kinds = K_DEFAULTS | K_BACKEND | K_LISTEN,
              .args = "<word>..."),
        KW_FN("bind", t_parse_bind, kw_dump_child, .kinds = K_FRONTEND | K_LISTEN, .args = "<addr> [<word>...]"),
};
KW_TABLE(t_proxy, K_PROXY, struct t_proxy, t_proxy_rows, .defaults = &t_proxy_def, .rank = 2);

#endif
