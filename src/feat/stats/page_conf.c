/* feat/stats/page_conf.c - the `stats` words of proxies. Each of them switches the page on, as the manual says. */
#include "core/global.h"
#include "core/kinds.h"
#include "feat/stats/page_rules.h"

static const struct stats_cfg stats_defaults;

static int need(struct kw_call *c, const char *syntax)
{
        if (!kw_need_args(c, 1, syntax))
                return -1;
        ((struct stats_cfg *)c->slot)->enable = true;
        return 1;
}

static const char *arg(struct kw_call *c)
{
        return conf_intern(c->conf, c->args[0].text);
}

static bool clean(struct str s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
                        return false;
        return true;
}

static int uri_parse(struct kw_call *c)
{
        int n = need(c, "<prefix>");

        if (n < 0)
                return n;
        if (c->args[0].text.n == 0 || c->args[0].text.n > 190 || !clean(c->args[0].text)) {
                kw_fail(c, &c->args[0], "E0801", "'stats uri' needs a prefix of 1 to 190 characters.");
                return -1;
        }
        ((struct stats_cfg *)c->slot)->uri = arg(c);
        return n;
}

static void uri_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct stats_cfg *s = slot;

        (void)kw;
        if (!s->uri)
                return;
        buf_puts(out, "    stats uri ");
        kw_quote(out, s->uri);
        buf_putc(out, '\n');
}

bool stats_realm_ok(struct str realm)
{
        return clean(realm) && realm.n <= 200;
}

static int realm_parse(struct kw_call *c)
{
        int n = need(c, "<realm>");

        if (n < 0)
                return n;
        if (!stats_realm_ok(c->args[0].text)) {
                kw_fail(c, &c->args[0], "E0802", "'stats realm' is at most 200 printable characters.");
                return -1;
        }
        ((struct stats_cfg *)c->slot)->realm = arg(c);
        return n;
}

static void realm_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct stats_cfg *s = slot;

        (void)kw;
        if (!s->realm)
                return;
        buf_puts(out, "    stats realm ");
        kw_quote(out, s->realm);
        buf_putc(out, '\n');
}

static int auth_parse(struct kw_call *c)
{
        struct stats_cfg *s = c->slot;
        struct stats_user *u;
        int n = need(c, "<user>:<passwd>");

        if (n < 0)
                return n;
        if (!memchr(c->args[0].text.p, ':', c->args[0].text.n)) {
                kw_fail(c, &c->args[0], "E0803", "'stats auth' expects 'user:passwd' as argument.");
                return -1;
        }
        u = conf_alloc(c->conf, sizeof(*u));
        *u = (struct stats_user){ s->users, arg(c) };
        s->users = u;
        return n;
}

static void user_dump(const struct stats_user *u, struct buf *out)
{
        if (!u)
                return;
        user_dump(u->next, out);
        buf_puts(out, "    stats auth ");
        kw_quote(out, u->name_pass);
        buf_putc(out, '\n');
}

static void auth_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw;
        user_dump(((const struct stats_cfg *)slot)->users, out);
}

static int scope_parse(struct kw_call *c)
{
        struct stats_cfg *s = c->slot;
        struct stats_scope *x;
        int n = need(c, "{ <name> | \".\" }");

        if (n < 0)
                return n;
        x = conf_alloc(c->conf, sizeof(*x));
        *x = (struct stats_scope){ s->scopes, arg(c) };
        s->scopes = x;
        return n;
}

static void one_scope_dump(const struct stats_scope *x, struct buf *out)
{
        if (!x)
                return;
        one_scope_dump(x->next, out);
        buf_puts(out, "    stats scope ");
        kw_quote(out, x->name);
        buf_putc(out, '\n');
}

static void scope_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw;
        one_scope_dump(((const struct stats_cfg *)slot)->scopes, out);
}

static int refresh_parse(struct kw_call *c)
{
        struct stats_cfg *s = c->slot;
        int ms, n = need(c, "<delay>");

        if (n < 0)
                return n;
        if (!kw_arg_time(c, &c->args[0], true, &ms))
                return -1;
        s->refresh_ms = ms;
        return n;
}

static void refresh_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct stats_cfg *s = slot;

        (void)kw;
        if (!s->refresh_ms)
                return;
        buf_puts(out, "    stats refresh ");
        kw_dump_time(out, s->refresh_ms);
        buf_putc(out, '\n');
}

/* show-node and show-desc take the rest of the line, or nothing: then the global section's text is shown. */
static const char *rest_of_line(struct kw_call *c)
{
        AUTO_BUF(b);

        for (size_t i = 0; i < c->n_args; i++) {
                if (i)
                        buf_putc(&b, ' ');
                buf_str(&b, c->args[i].text);
        }
        return c->n_args ? conf_intern(c->conf, buf_view(&b)) : NULL;
}

static int node_parse(struct kw_call *c)
{
        struct stats_cfg *s = c->slot;

        s->enable = s->show_node = true;
        if (c->n_args)
                s->node = arg(c);
        return c->n_args ? 1 : 0;
}

static int desc_parse(struct kw_call *c)
{
        struct stats_cfg *s = c->slot;

        s->enable = s->show_desc = true;
        s->desc = rest_of_line(c);
        return (int)c->n_args;
}

static void text_dump(struct buf *out, bool on, const char *word, const char *text)
{
        if (!on)
                return;
        buf_printf(out, "    stats %s", word);
        if (text) {
                buf_putc(out, ' ');
                kw_quote(out, text);
        }
        buf_putc(out, '\n');
}

static void node_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct stats_cfg *s = slot;

        (void)kw;
        text_dump(out, s->show_node, "show-node", s->node);
}

static void desc_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct stats_cfg *s = slot;

        (void)kw;
        text_dump(out, s->show_desc, "show-desc", s->desc);
}

static int version_parse(struct kw_call *c)
{
        struct stats_cfg *s = c->slot;

        s->enable = true;
        s->hide_version = strcmp(c->kw->name, "stats hide-version") == 0;
        return 0;
}

static void hide_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw;
        text_dump(out, ((const struct stats_cfg *)slot)->hide_version, "hide-version", NULL);
}

static void no_dump(const struct kw *kw, const void *slot, struct buf *out) /* it is the default */
{
        (void)kw, (void)slot, (void)out;
}

static void no_modules(struct kw_call *c, struct stats_cfg *s)
{
        s->show_modules = true;
        c->conf->n_unused++;
        kw_warn(c, NULL, "W0119", "'%s' has no effect here: all counters stand in the table's own columns",
                c->kw->name);
}

static int flag_parse(struct kw_call *c)
{
        struct stats_cfg *s = c->slot;

        s->enable = true;
        if (strcmp(c->kw->name, "stats show-legends") == 0)
                s->show_legends = true;
        else
                no_modules(c, s);
        return 0;
}

static void legends_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw;
        text_dump(out, ((const struct stats_cfg *)slot)->show_legends, "show-legends", NULL);
}

static void modules_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw;
        text_dump(out, ((const struct stats_cfg *)slot)->show_modules, "show-modules", NULL);
}

static const struct kw rows[] = {
        KW_FLAG("stats enable", struct stats_cfg, enable, .manual = "4.2", .apply = KW_NEW,
                .help = "Serves the statistics page."),
        KW_FN("stats uri", uri_parse, uri_dump, .manual = "4.2", .apply = KW_NEW, .args = "<prefix>",
              .sample = "/stats",
              .help = "Requests whose URI begins so get the statistics page; /haproxy?stats when unset."),
        KW_FN("stats realm", realm_parse, realm_dump, .manual = "4.2", .apply = KW_NEW, .args = "<realm>",
              .sample = "Numbers", .help = "What the browser shows when it asks for a password."),
        KW_FN("stats auth", auth_parse, auth_dump, .manual = "4.2", .apply = KW_NEW, .args = "<user>:<passwd>",
              .sample = "admin:secret", .help = "Asks for a password; may be repeated."),
        KW_FN("stats scope", scope_parse, scope_dump, .manual = "4.2", .apply = KW_NEW, .args = "{ <name> | \".\" }",
              .sample = ".", .help = "Shows only this proxy, \".\" is the section itself; may be repeated."),
        KW_FN("stats refresh", refresh_parse, refresh_dump, .manual = "4.2", .apply = KW_NEW, .args = "<delay>",
              .sample = "10s", .help = "The browser loads the page again after this time."),
        KW_FN("stats show-node", node_parse, node_dump, .manual = "4.2", .apply = KW_NEW, .args = "[ <name> ]",
              .sample = "n1", .help = "Shows the node's name, or this one."),
        KW_FN("stats show-desc", desc_parse, desc_dump, .manual = "4.2", .apply = KW_NEW, .args = "[<text>...]",
              .sample = "two words", .help = "Shows the global description, or this one."),
        KW_FN("stats hide-version", version_parse, hide_dump, .manual = "4.2", .apply = KW_NEW, .sample = "",
              .help = "The page does not tell the version."),
        KW_FN("stats show-version", version_parse, no_dump, .manual = "4.2", .apply = KW_NEW, .sample = "",
              .help = "The page tells the version (the default)."),
        KW_FN("stats show-legends", flag_parse, legends_dump, .manual = "4.2", .apply = KW_NEW, .sample = "",
              .help = "Shows addresses and balance algorithms."),
        KW_FN("stats show-modules", flag_parse, modules_dump, .manual = "4.2", .apply = KW_NEW, .sample = "",
              .help = "Has no effect: there are no counters beside the columns."),
        KW_FN("stats admin", stats_admin_parse, stats_admin_dump, .kinds = KIND_FRONTEND | KIND_BACKEND | KIND_LISTEN,
              .manual = "4.2", .apply = KW_NEW, .args = "{ if | unless } <condition>", .sample = "if LOCALHOST",
              .help = "Lets the page change servers when the condition holds; may be repeated."),
        KW_FN("stats http-request", stats_access_parse, stats_access_dump,
              .kinds = KIND_FRONTEND | KIND_BACKEND | KIND_LISTEN, .manual = "4.2", .apply = KW_NEW,
              .args = "{ allow | deny | auth [realm <realm>] } [ { if | unless } <condition> ]",
              .sample = "deny if TRUE", .help = "Who may see the page; the first line whose condition holds decides."),
};

static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct stats_cfg *s = slot;

        (void)c;
        if (s->access && (s->users || s->realm))
                (void)diag_add(d, DIAG_ALERT, conf_span_name(o, "stats http-request"), "E0807",
                               "proxy '%s': stats 'auth'/'realm' and 'http-request' can't be used at the same time.",
                               o->name);
}

KW_TABLE(stats, KIND_PROXY, struct stats_cfg, rows, .defaults = &stats_defaults, .rank = 60, .check = check);
