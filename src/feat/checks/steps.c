/* feat/checks/steps.c - one line `tcp-check ...` or `http-check ...` becomes one step (manual 4.2). */
#include "conf/conf.h"
#include "feat/checks/checks.h"

#include <stdarg.h>
#include <stdio.h>

int step_fail(struct kw_call *c, const struct word *w, const char *fmt, ...)
{
        char why[400];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        (void)kw_fail(c, w, "E0510", "'%s %.*s' : %s", c->kw->name, c->n_args ? (int)c->args[0].text.n : 0,
                      c->n_args ? c->args[0].text.p : "", why);
        return -1;
}

const struct logfmt *step_format(struct kw_call *c, const struct word *w)
{
        return logfmt_compile(c, w->text, w, EXPR_AT_CHECK);
}

static int hex_digit(char ch)
{
        unsigned char l = chr_lower((unsigned char)ch);

        return chr_is_digit(ch) ? ch - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

bool hex_decode(char *p, size_t *n)
{
        if (*n % 2)
                return false;
        for (size_t i = 0; i < *n; i += 2) {
                int hi = hex_digit(p[i]), lo = hex_digit(p[i + 1]);

                if (hi < 0 || lo < 0)
                        return false;
                p[i / 2] = (char)(hi << 4 | lo);
        }
        *n /= 2;
        return true;
}

bool step_hex(struct kw_call *c, const struct word *w, struct str *ret_bytes)
{
        char *p = conf_alloc(c->conf, w->text.n + 1);
        size_t n = w->text.n;

        memcpy(p, w->text.p, n);
        for (size_t i = 0; i < n; i++) {
                if (hex_digit(p[i]) < 0)
                        return step_fail(c, w, "invalid binary string (an hex digit is expected (found '%c')).", p[i]) >
                               0;
        }
        if (!hex_decode(p, &n))
                return step_fail(c, w, "'%s' invalid binary string (an even number of hex digit is expected).", p) > 0;
        *ret_bytes = (struct str){ p, n };
        return true;
}

static struct str keep(struct kw_call *c, struct str s)
{
        return (struct str){ conf_intern(c->conf, s), s.n };
}

/* The argument of option word `i`; NULL after an alert. */
static const struct word *argument(struct kw_call *c, size_t i)
{
        if (i + 1 < c->n_args && c->args[i + 1].text.n)
                return &c->args[i + 1];
        (void)step_fail(c, &c->args[i], "'%.*s' expects a string as argument.", (int)c->args[i].text.n,
                        c->args[i].text.p);
        return NULL;
}

static int take_comment(struct kw_call *c, size_t i, struct step *s)
{
        const struct word *w = argument(c, i);

        if (!w)
                return -1;
        s->comment = conf_intern(c->conf, w->text);
        s->own_comment = true;
        return 2;
}

/* ---- comment ---- */

static int parse_comment(struct kw_call *c, struct step *s)
{
        s->kind = STEP_COMMENT;
        if (c->n_args < 2 || c->args[1].text.n == 0)
                return step_fail(c, &c->args[0], "expects a string as argument.");
        s->comment = conf_intern(c->conf, c->args[1].text);
        return 2;
}

/* ---- connect ---- */

static int take_addr(struct kw_call *c, size_t i, struct step_connect *s)
{
        const struct word *w = argument(c, i);
        const char *why = "it is a name";
        struct addr_spec spec;
        struct addr *a;

        if (!w)
                return -1;
        if (addr_parse(w->text, 0, &spec, &why) != ADDR_OK || spec.family == AF_UNIX)
                return step_fail(c, w, "'addr' : invalid address: '%.*s' (%s).", (int)w->text.n, w->text.p, why);
        a = conf_alloc(c->conf, sizeof(*a));
        *a = spec.addr;
        s->addr = a;
        return 2;
}

static int take_port(struct kw_call *c, size_t i, struct step_connect *s)
{
        const struct word *w = argument(c, i);
        uint64_t v;
        size_t used;

        if (!w)
                return -1;
        if (str_to_u64(w->text, &v)) {
                if (v < 1 || v > 65535)
                        return step_fail(c, w,
                                         "expects a valid TCP port (from range 1 to 65535) or a sample expression, "
                                         "got %.*s.",
                                         (int)w->text.n, w->text.p);
                s->port = (int)v;
                return 2;
        }
        s->port_expr = expr_compile(c, w->text, w, EXPR_AT_CHECK, &used);
        if (!s->port_expr)
                return -1;
        if (used != w->text.n)
                return step_fail(c, w, "error detected while parsing port expression : unexpected '%.*s'.",
                                 (int)(w->text.n - used), w->text.p + used);
        s->port_expr = expr_cast(c, s->port_expr, SMP_SINT);
        return s->port_expr ? 2 : step_fail(c, w, "error detected while parsing port expression : not an integer.");
}

static int take_connect_option(struct kw_call *c, size_t i, struct step *s)
{
        static const char *const later[] = { "ssl", "sni", "alpn", "send-proxy", "via-socks4", "proto", NULL };
        struct str w = c->args[i].text;

        for (size_t k = 0; later[k]; k++) {
                if (str_is(w, later[k]))
                        return step_fail(c, &c->args[i], "'%s' is not supported yet: checks speak plain TCP so far.",
                                         later[k]);
        }
        if (str_is(w, "comment"))
                return take_comment(c, i, s);
        if (str_is(w, "addr"))
                return take_addr(c, i, &s->connect);
        if (str_is(w, "port"))
                return take_port(c, i, &s->connect);
        if (str_is(w, "linger")) {
                s->connect.linger = true;
                return 1;
        }
        if (str_is(w, "default")) {
                (void)kw_warn(
                        c, &c->args[i], "W0510",
                        "'%s connect' : 'default' has no effect: a server line has no option yet that connections "
                        "of checks could take over.",
                        c->kw->name);
                return 1;
        }
        return step_fail(c, &c->args[i],
                         "expects 'comment', 'port', 'addr', 'send-proxy', 'ssl', 'sni', 'alpn' or 'via-socks4', "
                         "'linger', 'default' but got '%.*s' as argument.",
                         (int)w.n, w.p);
}

static int parse_connect(struct kw_call *c, struct step *s)
{
        s->kind = STEP_CONNECT;
        for (size_t i = 1; i < c->n_args;) {
                int took = take_connect_option(c, i, s);

                if (took < 0)
                        return -1;
                i += (size_t)took;
        }
        return (int)c->n_args;
}

/* ---- tcp-check send ---- */

static int parse_send(struct kw_call *c, bool hex, bool fmt, struct step *s)
{
        s->kind = STEP_SEND;
        if (c->n_args < 2 || c->args[1].text.n == 0)
                return step_fail(c, &c->args[0], "expects a %s as argument.", hex ? "hexadecimal string" : "string");
        if (fmt) {
                s->send.hex = hex;
                s->send.fmt = step_format(c, &c->args[1]);
                if (!s->send.fmt)
                        return -1;
        } else if (hex) {
                if (!step_hex(c, &c->args[1], &s->send.text))
                        return -1;
        } else {
                s->send.text = keep(c, c->args[1].text);
        }
        if (c->n_args == 2)
                return 2;
        if (!str_is(c->args[2].text, "comment"))
                return step_fail(c, &c->args[2], "expects 'comment' but got '%.*s' as argument.",
                                 (int)c->args[2].text.n, c->args[2].text.p);
        return take_comment(c, 2, s) < 0 ? -1 : 4;
}

/* ---- http-check send ---- */

enum { FIELDS_MAX = 64 };

/* No blank and no control byte: it stands between two blanks of the request line. */
static bool is_target(struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 127)
                        return false;
        }
        return s.n > 0;
}

int request_start(struct kw_call *c, const struct word *w, enum request_part part, struct step_request *r)
{
        if (part == REQUEST_METHOD && !str_is_token(w->text))
                return step_fail(c, w, "'%.*s' is not a method.", (int)w->text.n, w->text.p);
        if (part == REQUEST_URI && !is_target(w->text))
                return step_fail(c, w, "'%.*s' is not a URI.", (int)w->text.n, w->text.p);
        if (part == REQUEST_VERSION && !str_is(w->text, "HTTP/1.0") && !str_is(w->text, "HTTP/1.1"))
                return step_fail(c, w, "version '%.*s' is not supported, use HTTP/1.0 or HTTP/1.1.", (int)w->text.n,
                                 w->text.p);
        *(part == REQUEST_METHOD ? &r->method : part == REQUEST_URI ? &r->uri : &r->version) = keep(c, w->text);
        return 2;
}

int request_field(struct kw_call *c, const struct word *name, const struct word *value, struct step_request *r)
{
        struct request_field *f = (struct request_field *)(uintptr_t)r->fields;
        char *lower;

        if (!str_is_token(name->text))
                return step_fail(c, name, "'%.*s' is not a header field's name.", (int)name->text.n, name->text.p);
        if (r->n_fields == FIELDS_MAX)
                return step_fail(c, name, "more than %d header fields.", FIELDS_MAX);
        if (str_ieq(name->text, STR("content-length")) || str_ieq(name->text, STR("transfer-encoding"))) {
                (void)kw_warn(c, name, "W0511", "'%s %.*s' : header '%.*s' is ignored: it is made from the body.",
                              c->kw->name, (int)c->args[0].text.n, c->args[0].text.p, (int)name->text.n, name->text.p);
                return 3;
        }
        if (!f) {
                f = conf_alloc(c->conf, FIELDS_MAX * sizeof(*f));
                r->fields = f;
        }
        f[r->n_fields].fmt = step_format(c, value);
        if (!f[r->n_fields].fmt)
                return -1;
        lower = conf_alloc(c->conf, name->text.n + 1);
        for (size_t i = 0; i < name->text.n; i++)
                lower[i] = (char)chr_lower((unsigned char)name->text.p[i]);
        f[r->n_fields++].name = (struct str){ lower, name->text.n };
        return 3;
}

static int take_field(struct kw_call *c, size_t i, struct step_request *r)
{
        if (i + 2 >= c->n_args)
                return step_fail(c, &c->args[i], "'hdr' expects <name> and <value> as arguments.");
        return request_field(c, &c->args[i + 1], &c->args[i + 2], r);
}

static int take_format(struct kw_call *c, size_t i, const struct logfmt **ret_fmt)
{
        const struct word *w = argument(c, i);

        if (!w)
                return -1;
        *ret_fmt = step_format(c, w);
        return *ret_fmt ? 2 : -1;
}

static int take_request_option(struct kw_call *c, size_t i, struct step *s)
{
        struct str w = c->args[i].text;
        struct step_request *r = &s->request;
        const struct word *a;

        if (str_is(w, "comment"))
                return take_comment(c, i, s);
        if (str_is(w, "hdr"))
                return take_field(c, i, r);
        if (str_is(w, "uri-lf"))
                return take_format(c, i, &r->uri_fmt);
        if (str_is(w, "body-lf")) {
                r->has_body = true;
                return take_format(c, i, &r->body.fmt);
        }
        if (!str_is(w, "meth") && !str_is(w, "uri") && !str_is(w, "ver") && !str_is(w, "body"))
                return step_fail(
                        c, &c->args[i],
                        "expects 'comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body' or 'body-lf' but got "
                        "'%.*s' as argument.",
                        (int)w.n, w.p);
        a = argument(c, i);
        if (!a)
                return -1;
        if (!str_is(w, "body"))
                return request_start(c, a,
                                     str_is(w, "meth")  ? REQUEST_METHOD
                                     : str_is(w, "uri") ? REQUEST_URI
                                                        : REQUEST_VERSION,
                                     r);
        r->has_body = true;
        r->body = (struct payload){ .text = keep(c, a->text) };
        return 2;
}

static int parse_request(struct kw_call *c, struct step *s)
{
        s->kind = STEP_REQUEST;
        for (size_t i = 1; i < c->n_args;) {
                int took = take_request_option(c, i, s);

                if (took < 0)
                        return -1;
                i += (size_t)took;
        }
        return (int)c->n_args;
}

/* ---- variables ---- */

static bool take_use(struct kw_call *c, struct var_use *ret_use)
{
        char why[VAR_WHY_MAX];

        return var_use_parse(c->args[0].text, ret_use, why) || step_fail(c, &c->args[0], "%s.", why) >= 0;
}

static int parse_set_var(struct kw_call *c, bool fmt, struct step *s)
{
        size_t used;

        s->kind = STEP_SET_VAR;
        if (!take_use(c, &s->var.use))
                return -1;
        if (c->n_args < 2)
                return step_fail(c, &c->args[0], "missing %s.", fmt ? "format" : "fetch method");
        if (fmt) {
                s->var.fmt = step_format(c, &c->args[1]);
                return s->var.fmt ? 2 : -1;
        }
        s->var.expr = expr_compile(c, c->args[1].text, &c->args[1], EXPR_AT_CHECK, &used);
        if (!s->var.expr)
                return -1;
        if (used != c->args[1].text.n)
                return step_fail(c, &c->args[1], "unexpected '%.*s' behind the expression.",
                                 (int)(c->args[1].text.n - used), c->args[1].text.p + used);
        return 2;
}

static int parse_unset_var(struct kw_call *c, struct step *s)
{
        s->kind = STEP_UNSET_VAR;
        return take_use(c, &s->var.use) ? 1 : -1;
}

/* ---- which ---- */

static bool is_action(struct str w, const char *name)
{
        size_t n = strlen(name);

        return str_is(w, name) || (w.n > n && memcmp(w.p, name, n) == 0 && w.p[n] == '(');
}

int step_parse(struct kw_call *c, bool http, struct step *s)
{
        struct str w = c->n_args ? c->args[0].text : (struct str){ "", 0 };

        if (str_is(w, "comment"))
                return parse_comment(c, s);
        if (str_is(w, "connect"))
                return parse_connect(c, s);
        if (str_is(w, "expect"))
                return expect_parse(c, http, s);
        if (is_action(w, "set-var") || is_action(w, "set-var-fmt"))
                return parse_set_var(c, is_action(w, "set-var-fmt"), s);
        if (is_action(w, "unset-var"))
                return parse_unset_var(c, s);
        if (http && str_is(w, "send"))
                return parse_request(c, s);
        if (!http && (str_is(w, "send") || str_is(w, "send-lf")))
                return parse_send(c, false, w.n > 4, s);
        if (!http && (str_is(w, "send-binary") || str_is(w, "send-binary-lf")))
                return parse_send(c, true, w.n > 11, s);
        (void)kw_fail(c, c->n_args ? &c->args[0] : NULL, "E0510",
                      "'%s' only supports %s'comment', 'connect', 'send', %s'expect', 'set-var-fmt(*)', "
                      "'set-var(*)', 'unset-var(*)' but got '%.*s'",
                      c->kw->name, http ? "'disable-on-404', 'send-state', " : "",
                      http ? "" : "'send-lf', 'send-binary', 'send-binary-lf', ", (int)w.n, w.p);
        return -1;
}
