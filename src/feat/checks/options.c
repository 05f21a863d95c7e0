/* feat/checks/options.c - what kind of check a backend makes: `option httpchk`, `option tcp-check`, `option mysql-check`, ..., and the
 * keywords of the steps (manual 4.2).
 *
 * As in HAProxy 3.4, the steps of a keyword are one set: a section that has a line of its own, or the option again, does not inherit
 * those of its defaults. */
#include "conf/conf.h"
#include "feat/checks/checks.h"

/* ---- sets of steps ---- */

static void own_tcp(struct kw_call *c, struct check_proxy_cfg *cfg)
{
        if (cfg->tcp.owner != c->obj)
                cfg->tcp = (struct check_rules){ NULL, c->obj };
}

static void own_http(struct kw_call *c, struct check_proxy_cfg *cfg)
{
        if (cfg->http.owner == c->obj)
                return;
        cfg->http = (struct check_rules){ NULL, c->obj };
        cfg->send_state = cfg->disable_on_404 = false;
        if (cfg->request && cfg->kind == SCRIPT_HTTP)
                cfg->lost_request = true;
        cfg->request = NULL;
        cfg->request_words = NULL;
        cfg->request_last = false;
}

static int append(struct kw_call *c, bool http, struct check_rules *rules)
{
        struct step_line *l = conf_alloc(c->conf, sizeof(*l));
        int used = step_parse(c, http, &l->step);

        if (used < 0)
                return -1;
        if ((size_t)used < c->n_args)
                return used; /* the engine complains about the rest */
        words_keep(c->conf, c->args, c->n_args, &l->words);
        l->at = c->args[0].at;
        l->prev = rules->last;
        rules->last = l;
        return used;
}

static int tcp_parse(struct kw_call *c)
{
        struct check_proxy_cfg *cfg = c->slot;

        own_tcp(c, cfg);
        return append(c, false, &cfg->tcp);
}

static bool has_send(const struct check_rules *r);

static int http_parse(struct kw_call *c)
{
        struct check_proxy_cfg *cfg = c->slot;
        bool one = c->n_args >= 1;

        own_http(c, cfg);
        if (one && str_is(c->args[0].text, "send-state")) {
                cfg->send_state = true;
                return 1;
        }
        if (one && str_is(c->args[0].text, "disable-on-404")) {
                cfg->disable_on_404 = true;
                return 1;
        }
        return append(c, true, &cfg->http);
}

static void dump_lines(const char *keyword, const struct step_line *l, struct buf *out)
{
        if (!l)
                return;
        dump_lines(keyword, l->prev, out);
        buf_printf(out, "    %s", keyword);
        words_dump(&l->words, out);
        buf_putc(out, '\n');
}

static void tcp_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        dump_lines(kw->name, ((const struct check_proxy_cfg *)slot)->tcp.last, out);
}

/* ---- option httpchk ---- */

static const char *doubled_percents(struct kw_call *c, struct str s)
{
        AUTO_BUF(b);

        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '%')
                        buf_putc(&b, '%');
                buf_putc(&b, s.p[i]);
        }
        return conf_intern(c->conf, buf_view(&b));
}

static struct str next_line(struct str *rest)
{
        const char *lf = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
        size_t n = lf ? (size_t)(lf - rest->p) : rest->n;
        struct str line = str_sub(*rest, 0, n && rest->p[n - 1] == '\r' ? n - 1 : n);

        *rest = str_sub(*rest, lf ? n + 1 : n, rest->n - n - (lf ? 1 : 0));
        return line;
}

/* "Host: www" as two words of `http-check send hdr`; false after an alert. */
static bool hidden_field(struct kw_call *c, const struct word *w, struct str line, struct step_request *r,
                         struct buf *told)
{
        const char *colon = memchr(line.p, ':', line.n);
        struct word name = *w, value = *w;

        if (!colon)
                return step_fail(c, w, "the line '%.*s' hidden in the version is no header field.", (int)line.n,
                                 line.p) > 0;
        name.text = str_sub(line, 0, (size_t)(colon - line.p));
        value.text = str_trim(str_sub(line, name.text.n + 1, line.n - name.text.n - 1));
        buf_puts(told, " hdr ");
        buf_str(told, name.text);
        buf_putc(told, ' ');
        kw_quote(told, conf_intern(c->conf, value.text));
        value.text = str_of(doubled_percents(c, value.text));
        return request_field(c, &name, &value, r) > 0;
}

/* The old trick: header fields and a body behind the version, with \r\n between them. */
static bool hidden_fields(struct kw_call *c, const struct word *w, struct str rest, struct step_request *r)
{
        AUTO_BUF(told);

        while (rest.n) {
                struct str line = next_line(&rest);

                if (line.n == 0)
                        break;
                if (!hidden_field(c, w, line, r, &told))
                        return false;
        }
        if (rest.n) {
                r->has_body = true;
                r->body.text = (struct str){ conf_intern(c->conf, rest), rest.n };
                buf_puts(&told, " body ");
                kw_quote(&told, r->body.text.p);
        }
        (void)kw_warn(
                c, w, "W0512",
                "'option httpchk' : hiding headers or body at the end of the version string is deprecated; it was "
                "turned into 'http-check send%.*s'.",
                (int)told.n, told.p ? told.p : "");
        return true;
}

static bool take_version(struct kw_call *c, const struct word *w, struct step_request *r)
{
        struct word version = *w;
        struct str rest = w->text;

        version.text = next_line(&rest);
        if (request_start(c, &version, REQUEST_VERSION, r) < 0)
                return false;
        return memchr(w->text.p, '\n', w->text.n) == NULL || hidden_fields(c, w, rest, r);
}

static bool take_request(struct kw_call *c, struct step_request *r)
{
        static const struct word host = { .text = { "host", 4 } };
        const struct word *a = c->args;
        size_t n = c->n_args;

        if (n >= 2 && request_start(c, &a[0], REQUEST_METHOD, r) < 0)
                return false;
        if (request_start(c, &a[n >= 2], REQUEST_URI, r) < 0)
                return false;
        if (n >= 3 && !take_version(c, &a[2], r))
                return false;
        return n < 4 || request_field(c, &host, &a[3], r) > 0;
}

static bool has_send(const struct check_rules *r)
{
        const struct step_line *l = r->last;

        while (l && l->step.kind != STEP_REQUEST)
                l = l->prev;
        return l != NULL;
}

static int httpchk_parse(struct kw_call *c)
{
        struct check_proxy_cfg *cfg = c->slot;
        struct step_request *r;
        struct words *w;

        own_http(c, cfg);
        cfg->lost_request = false;
        cfg->request_last = has_send(&cfg->http);
        cfg->kind = SCRIPT_HTTP;
        cfg->request = NULL;
        cfg->request_words = NULL;
        if (c->n_args == 0)
                return 0;
        if (c->n_args > 4)
                return 4;
        r = conf_alloc(c->conf, sizeof(*r));
        if (!take_request(c, r))
                return -1;
        w = conf_alloc(c->conf, sizeof(*w));
        words_keep(c->conf, c->args, c->n_args, w);
        cfg->request = r;
        cfg->request_words = w;
        return (int)c->n_args;
}

static void dump_option(const struct check_proxy_cfg *cfg, struct buf *out)
{
        if (cfg->kind != SCRIPT_HTTP)
                return;
        buf_puts(out, "    option httpchk");
        if (cfg->request_words)
                words_dump(cfg->request_words, out);
        buf_putc(out, '\n');
}

static void httpchk_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct check_proxy_cfg *cfg = slot;

        (void)kw;
        if (!cfg->request_last)
                dump_option(cfg, out);
}

static void http_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct check_proxy_cfg *cfg = slot;

        if (cfg->disable_on_404)
                buf_puts(out, "    http-check disable-on-404\n");
        if (cfg->send_state)
                buf_puts(out, "    http-check send-state\n");
        dump_lines(kw->name, cfg->http.last, out);
        if (cfg->request_last)
                dump_option(cfg, out);
}

/* ---- the other kinds ---- */

static int choose(struct kw_call *c, enum check_kind k)
{
        struct check_proxy_cfg *cfg = c->slot;

        cfg->kind = (int)k;
        cfg->user = cfg->hello = NULL;
        cfg->mysql = 0;
        return 0;
}

static int tcp_check_parse(struct kw_call *c)
{
        own_tcp(c, c->slot);
        return choose(c, SCRIPT_TCP);
}

static int redis_parse(struct kw_call *c)
{
        return choose(c, SCRIPT_REDIS);
}

static int ldap_parse(struct kw_call *c)
{
        return choose(c, SCRIPT_LDAP);
}

static int ssl_hello_parse(struct kw_call *c)
{
        return choose(c, SCRIPT_SSL_HELLO);
}

/* "user <name>" as the first two words; NULL after an alert. */
static const char *take_user(struct kw_call *c)
{
        if (c->n_args < 2 || !str_is(c->args[0].text, "user") || c->args[1].text.n == 0 || c->args[1].text.n > 64) {
                (void)kw_fail(c, c->n_args ? &c->args[0] : NULL, "E0513", "'%s' expects 'user <username>' as argument.",
                              c->kw->name);
                return NULL;
        }
        return conf_intern(c->conf, c->args[1].text);
}

static int mysql_parse(struct kw_call *c)
{
        static const struct kw_val forms[] = { { "post-41", SVC_MYSQL_POST41 },
                                               { "pre-41", SVC_MYSQL_PRE41 },
                                               { "post-80", SVC_MYSQL_POST80 },
                                               { NULL, 0 } };
        struct check_proxy_cfg *cfg = c->slot;

        (void)choose(c, SCRIPT_MYSQL);
        if (c->n_args == 0)
                return 0;
        if (!str_is(c->args[0].text, "user")) {
                (void)kw_fail(c, &c->args[0], "E0513",
                              "'option mysql-check' only supports optional values: 'user' (got '%.*s').",
                              (int)c->args[0].text.n, c->args[0].text.p);
                return -1;
        }
        cfg->user = take_user(c);
        cfg->mysql = SVC_MYSQL_POST41;
        if (!cfg->user)
                return -1;
        if (c->n_args == 2)
                return 2;
        return kw_arg_enum(c, &c->args[2], forms, &cfg->mysql) ? 3 : -1;
}

static int pgsql_parse(struct kw_call *c)
{
        struct check_proxy_cfg *cfg = c->slot;

        (void)choose(c, SCRIPT_PGSQL);
        cfg->user = take_user(c);
        return cfg->user ? 2 : -1;
}

static bool is_domain(struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 127)
                        return false;
        }
        return s.n > 0;
}

static int smtp_parse(struct kw_call *c)
{
        struct check_proxy_cfg *cfg = c->slot;
        size_t n = c->n_args < 2 ? c->n_args : 2;
        AUTO_BUF(b);

        (void)choose(c, SCRIPT_SMTP);
        if (n == 0)
                return 0;
        if (n == 1 || !(str_is(c->args[0].text, "HELO") || str_is(c->args[0].text, "EHLO"))) {
                (void)kw_warn(c, &c->args[0], "W0513",
                              "'option smtpchk' expects 'HELO' or 'EHLO' and a domain; 'HELO localhost' is sent.");
                return (int)n;
        }
        if (!is_domain(c->args[1].text)) {
                (void)kw_fail(c, &c->args[1], "E0513", "'option smtpchk' : '%.*s' is not a domain.",
                              (int)c->args[1].text.n, c->args[1].text.p);
                return -1;
        }
        buf_str(&b, c->args[0].text);
        buf_putc(&b, ' ');
        buf_str(&b, c->args[1].text);
        cfg->hello = conf_intern(c->conf, buf_view(&b));
        return 2;
}

static const struct {
        const char *name;
        enum check_kind kind;
} kinds[] = {
        { "option tcp-check", SCRIPT_TCP },
        { "option mysql-check", SCRIPT_MYSQL },
        { "option pgsql-check", SCRIPT_PGSQL },
        { "option redis-check", SCRIPT_REDIS },
        { "option smtpchk", SCRIPT_SMTP },
        { "option ldap-check", SCRIPT_LDAP },
        { "option ssl-hello-chk", SCRIPT_SSL_HELLO },
};

static void kind_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        static const char *const forms[] = { [SVC_MYSQL_GREETING] = "",
                                             [SVC_MYSQL_POST41] = "",
                                             [SVC_MYSQL_PRE41] = " pre-41",
                                             [SVC_MYSQL_POST80] = " post-80" };
        const struct check_proxy_cfg *cfg = slot;

        for (size_t i = 0; i < array_len(kinds); i++) {
                if ((int)kinds[i].kind != cfg->kind || strcmp(kinds[i].name, kw->name) != 0)
                        continue;
                buf_printf(out, "    %s", kw->name);
                if (cfg->user) {
                        buf_puts(out, " user ");
                        kw_quote(out, cfg->user);
                        buf_puts(out, forms[cfg->mysql]);
                }
                if (cfg->hello)
                        buf_printf(out, " %s", cfg->hello);
                buf_putc(out, '\n');
        }
}

/* ---- rows ---- */

#define NO_PROGRAMS                                                                                                    \
        "running programs is not supported here: a check that needs one can run as a server that `option httpchk` asks"

#define OPTION(n, p, d, ...) KW_FN(n, p, d, .warn_kinds = KIND_FRONTEND, .manual = "4.2", .apply = KW_LIVE, __VA_ARGS__)

static const struct kw check_proxy_rows[] = {
        OPTION("option tcp-check", tcp_check_parse, kind_dump, .sample = "",
               .help = "Checks are TCP exchanges made of tcp-check lines; without any, a connection that is accepted is enough."),
        OPTION("option httpchk", httpchk_parse, httpchk_dump, .sample = "GET /health HTTP/1.1 www.example.com",
               .args = "[ [<method>] <uri> [<version> [<host>]] ]",
               .help = "Checks are HTTP requests; an answer 2xx or 3xx is wanted unless http-check lines say otherwise."),
        OPTION("option mysql-check", mysql_parse, kind_dump, .sample = "user haproxy pre-41",
               .args = "[ user <name> [ post-41 | pre-41 | post-80 ] ]",
               .help = "Checks that MySQL or MariaDB answers; with a user, that it lets this one in without a password."),
        OPTION("option pgsql-check", pgsql_parse, kind_dump, .sample = "user postgres", .args = "user <name>",
               .help = "Checks that PostgreSQL answers a start-up message of this user."),
        OPTION("option redis-check", redis_parse, kind_dump, .sample = "",
               .help = "Checks that Redis answers PING with PONG."),
        OPTION("option smtpchk", smtp_parse, kind_dump, .sample = "EHLO mydomain.org",
               .args = "[ { HELO | EHLO } <domain> ]",
               .help = "Checks that a mail server greets, answers the hello and takes QUIT; HELO localhost when not given."),
        OPTION("option ldap-check", ldap_parse, kind_dump, .sample = "",
               .help = "Checks that an LDAPv3 server lets in an anonymous bind."),
        OPTION("option ssl-hello-chk", ssl_hello_parse, kind_dump, .sample = "",
               .help = "Checks that a TLS or SSL server answers a hello message."),
        OPTION("tcp-check", tcp_parse, tcp_dump, .sample = "expect string +PONG",
               .args = "{ comment | connect | send | send-lf | send-binary | send-binary-lf | expect | set-var(<var-name>[,<cond>...]) | "
                       "set-var-fmt(<var-name>[,<cond>...]) | unset-var(<var-name>) } [<args>]",
               .help = "A step of option tcp-check."),
        OPTION("http-check", http_parse, http_dump, .sample = "expect ! status 500-599",
               .args = "{ comment | connect | send | expect | disable-on-404 | send-state | set-var(<var-name>[,<cond>...]) | "
                       "set-var-fmt(<var-name>[,<cond>...]) | unset-var(<var-name>) } [<args>]",
               .help = "A step of option httpchk; disable-on-404: an answer 404 lets the server finish what it has; send-state: "
                       "each request tells the server how it is seen."),
        KW_REFUSE("option external-check", NO_PROGRAMS, .manual = "4.2", .help = "Checks by a program."),
        KW_REFUSE("external-check command", NO_PROGRAMS, .manual = "4.2",
                  .help = "The program of option external-check."),
        KW_REFUSE("external-check path", NO_PROGRAMS, .manual = "4.2", .help = "PATH of option external-check."),
};

static void unused_rules(struct conf_obj *o, struct diags *d, const struct check_rules *r, const char *keyword,
                         const char *option)
{
        if (r->last && r->owner == o)
                (void)diag_add(d, DIAG_WARNING, r->last->at, "W0514",
                               "backend '%s' uses %s rules without 'option %s', so the rules are ignored.", o->name,
                               keyword, option);
}

static void unused_flag(struct conf_obj *o, struct diags *d, const char *flag)
{
        (void)diag_add(d, DIAG_WARNING, conf_span_name(o, "http-check"), "W0514",
                       "'%s' will be ignored for backend '%s' (requires 'option httpchk').", flag, o->name);
}

/* What has no effect is said once, and is gone: the dump shows what runs. */
static void check_proxy(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        struct check_proxy_cfg *cfg = slot;

        if (o->kind->bit & (KIND_DEFAULTS | KIND_FRONTEND))
                return;
        if (cfg->kind != SCRIPT_TCP) {
                unused_rules(o, d, &cfg->tcp, "tcp-check", "tcp-check");
                cfg->tcp.last = NULL;
        }
        if (cfg->kind != SCRIPT_HTTP) {
                unused_rules(o, d, &cfg->http, "http-check", "httpchk");
                if (cfg->http.owner == o && cfg->disable_on_404)
                        unused_flag(o, d, "disable-on-404");
                if (cfg->http.owner == o && cfg->send_state)
                        unused_flag(o, d, "send-state");
                cfg->http.last = NULL;
                cfg->disable_on_404 = cfg->send_state = false;
        } else if (cfg->lost_request && !has_send(&cfg->http)) {
                (void)diag_add(
                        d, DIAG_WARNING, conf_span_name(o, "http-check"), "W0515",
                        "the request of 'option httpchk' in the defaults is not inherited by backend '%s', because it has "
                        "http-check rules of its own; repeat the option here.",
                        o->name);
        }
        cfg->lost_request = false;
        cfg->tcp.owner = cfg->http.owner = NULL; /* equal sections share one struct */
        cfg->script = script_make(c, o, cfg, d);
}

KW_TABLE(check_proxy, KIND_PROXY, struct check_proxy_cfg, check_proxy_rows, .rank = 15, .check = check_proxy);

static const struct kw global_rows[] = {
        KW_REFUSE("external-check", NO_PROGRAMS, .manual = "3.1", .help = "Allows checks by programs."),
};
KW_TABLE(check_global, KIND_GLOBAL, bool, global_rows);
