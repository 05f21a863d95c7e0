/* feat/http_rules/actions.c - the actions of `http-request` and `http-response` (manual 4.3, 4.4). */
#include "conf/conf.h"
#include "core/reply.h"
#include "core/rules.h"
#include "core/strm_priv.h"

enum { VALUE_MAX = 8192, BODY_MAX = 16384 };

#define ON_REQUEST  (1u << RULE_HTTP_REQUEST)
#define ON_RESPONSE (1u << RULE_HTTP_RESPONSE)

/* ---- allow, deny ---- */

static int none_parse(struct rule_call *c, const void **ret_arg)
{
        (void)c;
        (void)ret_arg;
        return 0;
}

static enum rule_answer allow_run(const void *arg, struct rule_ctx *x)
{
        (void)arg;
        (void)x;
        return RULE_STOP;
}

struct status_arg {
        int status;
};

static bool is_page(int64_t status)
{
        static const short known[] = { 200, 400, 401, 403, 404, 405, 407, 408, 410,
                                       413, 425, 429, 500, 501, 502, 503, 504 };

        for (size_t i = 0; i < array_len(known); i++) {
                if (known[i] == status)
                        return true;
        }
        return false;
}

static int deny_parse(struct rule_call *c, const void **ret_arg)
{
        struct status_arg *a = conf_alloc(c->kw->conf, sizeof(*a));
        size_t i = 0;
        int64_t v;

        *ret_arg = a;
        a->status = c->point == RULE_HTTP_REQUEST ? 403 : 502;
        if (c->n == 0)
                return 0;
        if (!str_is(c->w[i].text, "deny_status") && !str_is(c->w[i].text, "status"))
                return 0; /* what is left over is complained about */
        if (++i >= c->n || !str_to_i64(c->w[i].text, &v) || !is_page(v))
                return rule_fail(
                        c, &c->w[i < c->n ? i : i - 1],
                        "'%.*s' expects a status code among 200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 425, "
                        "429, 500, 501, 502, 503, 504",
                        (int)c->w[0].text.n, c->w[0].text.p);
        a->status = (int)v;
        return 2;
}

static enum rule_answer deny_run(const void *arg, struct rule_ctx *x)
{
        const struct status_arg *a = arg;
        struct strm *s = x->strm;
        struct px_stat *st = x->as_front ? strm_front_stat(s) : strm_back_stat(s);

        if (x->point == RULE_HTTP_REQUEST)
                STAT_INC(st->denied_req);
        else
                STAT_INC(st->denied_resp);
        strm_term(s, 'P', x->point == RULE_HTTP_REQUEST ? 'R' : 'H');
        if (x->point == RULE_HTTP_RESPONSE) { /* the server's answer is dropped unread */
                s->sv.ops->rx_head_free(&s->sv);
                s->rsp = NULL;
        }
        strm_answer(s, a->status);
        return RULE_TAKEN;
}

/* ---- headers ---- */

struct header_arg {
        struct str name;          /* lower case */
        const struct logfmt *fmt; /* NULL: del-header */
        struct str value;         /* when the format is plain text */
};

static bool is_token(struct str s)
{
        for (size_t i = 0; i < s.n; i++) { /* RFC 9110 5.6.2 */
                unsigned char l = chr_lower((unsigned char)s.p[i]);

                if (!(l >= 'a' && l <= 'z') && !chr_is_digit(s.p[i]) && (!l || !strchr("!#$%&'*+-.^_`|~", l)))
                        return false;
        }
        return s.n > 0;
}

static bool take_name(struct rule_call *c, struct str *ret_name)
{
        char *lower = conf_alloc(c->kw->conf, c->w[0].text.n + 1);

        if (!is_token(c->w[0].text)) {
                (void)rule_fail(c, &c->w[0], "'%.*s' is not a valid header name", (int)c->w[0].text.n, c->w[0].text.p);
                return false;
        }
        for (size_t i = 0; i < c->w[0].text.n; i++)
                lower[i] = (char)chr_lower((unsigned char)c->w[0].text.p[i]);
        *ret_name = (struct str){ lower, c->w[0].text.n };
        return true;
}

/* Text without items is made once. Empty text stays a format: it prints nothing. */
static void fold_const(struct rule_call *c, struct header_arg *a)
{
        static const struct expr_ctx nothing = { .final = true };
        char text[VALUE_MAX];
        size_t n;

        if (!logfmt_is_const(a->fmt))
                return;
        n = logfmt_print(a->fmt, &nothing, text, sizeof(text));
        a->value = str_of(conf_intern(c->kw->conf, (struct str){ text, n }));
}

static int header_parse(struct rule_call *c, const void **ret_arg)
{
        struct header_arg *a = conf_alloc(c->kw->conf, sizeof(*a));

        *ret_arg = a;
        if (c->n < 2)
                return rule_fail(c, NULL, "expects exactly 2 arguments");
        if (!take_name(c, &a->name))
                return -1;
        a->fmt = rule_format(c, &c->w[1]);
        if (!a->fmt)
                return -1;
        fold_const(c, a);
        return 2;
}

static int del_parse(struct rule_call *c, const void **ret_arg)
{
        struct header_arg *a = conf_alloc(c->kw->conf, sizeof(*a));

        *ret_arg = a;
        if (c->n < 1)
                return rule_fail(c, NULL, "expects at least 1 argument");
        if (!take_name(c, &a->name))
                return -1;
        if (c->n >= 2 && str_is(c->w[1].text, "-m")) {
                if (c->n >= 3 && str_is(c->w[2].text, "str"))
                        return 3;
                return rule_fail(c, &c->w[1], "matching methods other than 'str' come with the rules issue");
        }
        return 1;
}

static struct str value_of(const struct header_arg *a, const struct rule_ctx *x, char *room, size_t n)
{
        struct str v = a->value;

        if (!v.p)
                v = (struct str){ room, logfmt_print(a->fmt, &x->x, room, n) };
        return str_trim(v); /* RFC 9110 5.5: no blanks around a field value */
}

/* A head that has no room left for the edit is refused rather than passed on half changed. */
static enum rule_answer after_edit(int r, struct rule_ctx *x)
{
        if (likely(r >= 0))
                return RULE_NEXT;
        strm_term(x->strm, 'P', x->point == RULE_HTTP_REQUEST ? 'R' : 'H');
        strm_answer(x->strm, x->point == RULE_HTTP_REQUEST ? 400 : 502);
        return RULE_TAKEN;
}

static enum rule_answer set_run(const void *arg, struct rule_ctx *x)
{
        const struct header_arg *a = arg;
        char room[VALUE_MAX];

        return after_edit(hmsg_set(x->msg, a->name, value_of(a, x, room, sizeof(room))), x);
}

static enum rule_answer add_run(const void *arg, struct rule_ctx *x)
{
        const struct header_arg *a = arg;
        char room[VALUE_MAX];

        return after_edit(hmsg_add(x->msg, a->name, value_of(a, x, room, sizeof(room))), x);
}

static enum rule_answer del_run(const void *arg, struct rule_ctx *x)
{
        hmsg_del_all(x->msg, ((const struct header_arg *)arg)->name);
        return RULE_NEXT;
}

/* ---- return ---- */

struct return_arg {
        int status;
        struct str type, text;
        const struct logfmt *body; /* lf-string */
        unsigned n_fields;
        struct return_field {
                struct str name;
                const struct logfmt *fmt;
        } field[16];
};

static int take_status(struct rule_call *c, size_t i, struct return_arg *a)
{
        int64_t v;

        if (!str_to_i64(c->w[i].text, &v) || v < 200 || v > 599)
                return rule_fail(c, &c->w[i], "expects an integer between 200 and 599 for 'status', got '%.*s'",
                                 (int)c->w[i].text.n, c->w[i].text.p);
        a->status = (int)v;
        return 2;
}

static int take_field(struct rule_call *c, size_t i, struct return_arg *a)
{
        struct rule_call at = *c;
        struct return_field *f = &a->field[a->n_fields];

        if (i + 1 >= c->n)
                return rule_fail(c, &c->w[i], "'hdr' expects <name> and <value> as arguments");
        if (a->n_fields == array_len(a->field))
                return rule_fail(c, &c->w[i], "too many 'hdr'");
        at.w = &c->w[i];
        if (!take_name(&at, &f->name))
                return -1;
        f->fmt = rule_format(c, &c->w[i + 1]);
        if (!f->fmt)
                return -1;
        a->n_fields++;
        return 3;
}

/* One option at word `i`: how many words it took, -1 after an alert, 0 when it is none. */
static int take_option(struct rule_call *c, size_t i, struct return_arg *a)
{
        static const char *const later[] = { "errorfile", "errorfiles", "default-errorfiles", "file", "lf-file" };
        struct str w = c->w[i].text;

        for (size_t k = 0; k < array_len(later); k++) {
                if (str_is(w, later[k]))
                        return rule_fail(c, &c->w[i], "'%s' comes with the rules issue, it is not supported yet",
                                         later[k]);
        }
        if (!str_is(w, "status") && !str_is(w, "content-type") && !str_is(w, "string") && !str_is(w, "lf-string") &&
            !str_is(w, "hdr"))
                return 0;
        if (i + 1 >= c->n)
                return rule_fail(c, &c->w[i], "'%.*s' expects an argument", (int)w.n, w.p);
        if (str_is(w, "status"))
                return take_status(c, i + 1, a);
        if (str_is(w, "hdr"))
                return take_field(c, i + 1, a);
        if (str_is(w, "content-type")) {
                a->type = str_of(conf_intern(c->kw->conf, c->w[i + 1].text));
        } else if (str_is(w, "string")) {
                a->text = str_of(conf_intern(c->kw->conf, c->w[i + 1].text));
        } else {
                a->body = rule_format(c, &c->w[i + 1]);
                if (!a->body)
                        return -1;
        }
        return 2;
}

static int return_parse(struct rule_call *c, const void **ret_arg)
{
        struct return_arg *a = conf_alloc(c->kw->conf, sizeof(*a));
        size_t i = 0;

        *ret_arg = a;
        a->status = 200;
        while (i < c->n) {
                int took = take_option(c, i, a);

                if (took < 0)
                        return -1;
                if (took == 0)
                        break;
                i += (size_t)took;
        }
        if ((a->text.p || a->body) && a->type.n == 0)
                return rule_fail(c, NULL, "a content type must be defined when a payload is");
        if (!a->text.p && !a->body && a->type.n) {
                (void)kw_warn(c->kw, NULL, "W0741", "content-type '%s' ignored because no payload is defined.",
                              a->type.p);
                a->type.n = 0;
        }
        return (int)i;
}

static void print_fields(const struct return_arg *a, const struct rule_ctx *x, char *room, size_t n,
                         struct reply_field *fields)
{
        for (unsigned i = 0; i < a->n_fields; i++) {
                size_t len = logfmt_print(a->field[i].fmt, &x->x, room, n);

                fields[i] = (struct reply_field){ a->field[i].name, str_trim((struct str){ room, len }) };
                room += len;
                n -= len;
        }
}

static enum rule_answer return_run(const void *arg, struct rule_ctx *x)
{
        const struct return_arg *a = arg;
        struct reply_field fields[array_len(a->field)];
        struct reply r = {
                .status = a->status, .type = a->type, .body = a->text, .fields = fields, .n_fields = a->n_fields
        };
        char body[BODY_MAX], values[VALUE_MAX];

        if (a->body)
                r.body = (struct str){ body, logfmt_print(a->body, &x->x, body, sizeof(body)) };
        print_fields(a, x, values, sizeof(values), fields);
        strm_term(x->strm, 'L', 'R');
        STAT_INC(strm_front_stat(x->strm)->intercepted);
        strm_reply(x->strm, &r);
        return RULE_TAKEN;
}

static const struct action rows[] = {
        { .name = "allow",
          .points = ON_REQUEST | ON_RESPONSE,
          .parse = none_parse,
          .run = allow_run,
          .manual = "4.4",
          .help = "ends the rules of this proxy" },
        { .name = "deny",
          .points = ON_REQUEST | ON_RESPONSE,
          .parse = deny_parse,
          .run = deny_run,
          .manual = "4.4",
          .args = "[ { status | deny_status } <code> ]",
          .help = "refuses the message" },
        { .name = "set-header",
          .points = ON_REQUEST | ON_RESPONSE,
          .parse = header_parse,
          .run = set_run,
          .manual = "4.4",
          .args = "<name> <fmt>",
          .help = "replaces all fields of the name by one" },
        { .name = "add-header",
          .points = ON_REQUEST | ON_RESPONSE,
          .parse = header_parse,
          .run = add_run,
          .manual = "4.4",
          .args = "<name> <fmt>",
          .help = "appends a field" },
        { .name = "del-header",
          .points = ON_REQUEST | ON_RESPONSE,
          .parse = del_parse,
          .run = del_run,
          .manual = "4.4",
          .args = "<name> [ -m str ]",
          .help = "removes all fields of the name" },
        { .name = "return",
          .points = ON_REQUEST,
          .parse = return_parse,
          .run = return_run,
          .manual = "4.4",
          .args = "[status <code>] [content-type <type>] [ { string | lf-string } <text> ] [ hdr <name> <fmt> ]*",
          .help = "answers with this status and content" },
};
ACTION_TABLE(http, rows);
