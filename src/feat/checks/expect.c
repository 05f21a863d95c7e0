/* feat/checks/expect.c - `tcp-check expect` and `http-check expect`: options, then one pattern (manual 4.2). */
#include "conf/conf.h"
#include "feat/checks/checks.h"

#include <limits.h>

struct named_status {
        const char *name;
        enum check_status status;
};

static const struct word *argument(struct kw_call *c, size_t i, const char *what)
{
        if (i + 1 < c->n_args && c->args[i + 1].text.n)
                return &c->args[i + 1];
        (void)step_fail(c, &c->args[i], "'%.*s' expects a %s as argument.", (int)c->args[i].text.n, c->args[i].text.p,
                        what);
        return NULL;
}

static void regex_drop(void *r)
{
        regex_free(r);
}

static const struct regex *pattern(struct kw_call *c, const struct word *w, bool icase)
{
        struct regex_error e = { .text = "no memory" };
        struct regex *r = regex_new(w->text, icase, &e);

        if (r)
                conf_at_free(c->conf, regex_drop, r);
        else
                (void)step_fail(c, w, "regex '%.*s' is invalid (error=%s, erroffset=%zu).", (int)w->text.n, w->text.p,
                                e.text, e.at);
        return r;
}

/* ---- options ---- */

static int take_status(struct kw_call *c, size_t i, enum check_status *ret_status)
{
        static const struct named_status oks[] = { { "L4OK", CHECK_L4OK },
                                                   { "L6OK", CHECK_L6OK },
                                                   { "L7OK", CHECK_L7OK },
                                                   { "L7OKC", CHECK_L7OKC },
                                                   { NULL, 0 } };
        static const struct named_status errors[] = { { "L7OKC", CHECK_L7OKC }, { "L7RSP", CHECK_L7RSP },
                                                      { "L7STS", CHECK_L7STS }, { "L6RSP", CHECK_L6RSP },
                                                      { "L4CON", CHECK_L4CON }, { NULL, 0 } };
        static const struct named_status touts[] = {
                { "L4TOUT", CHECK_L4TOUT }, { "L6TOUT", CHECK_L6TOUT }, { "L7TOUT", CHECK_L7TOUT }, { NULL, 0 }
        };
        struct str opt = c->args[i].text;
        const struct named_status *v = str_is(opt, "ok-status") ? oks : str_is(opt, "error-status") ? errors : touts;
        const struct word *w = argument(c, i, "string");

        for (; w && v->name; v++) {
                if (str_is(w->text, v->name)) {
                        *ret_status = v->status;
                        return 2;
                }
        }
        if (!w)
                return -1;
        return step_fail(c, w, "'%.*s' only supports %s status (got '%.*s').", (int)opt.n, opt.p,
                         str_is(opt, "ok-status")      ? "'L4OK', 'L6OK', 'L7OK' or 'L7OKC'"
                         : str_is(opt, "error-status") ? "'L7OKC', 'L4CON', 'L6RSP', 'L7RSP' or 'L7STS'"
                                                       : "'L4TOUT', 'L6TOUT' or 'L7TOUT'",
                         (int)w->text.n, w->text.p);
}

static int take_min_recv(struct kw_call *c, size_t i, struct step_expect *e)
{
        const struct word *w = argument(c, i, "integer");
        int64_t v;

        if (!w)
                return -1;
        if (!str_to_i64(w->text, &v) || v < -1 || v > INT_MAX)
                return step_fail(c, w, "'min-recv' expects -1 or an integer from 0 to INT_MAX.");
        e->min_recv = (int)v;
        return 2;
}

static int take_format(struct kw_call *c, size_t i, const struct logfmt **ret_fmt)
{
        const struct word *w = argument(c, i, "string");

        if (!w)
                return -1;
        *ret_fmt = step_format(c, w);
        return *ret_fmt ? 2 : -1;
}

static int take_code(struct kw_call *c, size_t i, struct step_expect *e)
{
        const struct word *w = argument(c, i, "expression");
        size_t used;

        if (!w)
                return -1;
        e->code = expr_compile(c, w->text, w, EXPR_AT_CHECK, &used);
        if (!e->code)
                return -1;
        if (used != w->text.n)
                return step_fail(c, w, "error detected while parsing status-code expression : unexpected '%.*s'.",
                                 (int)(w->text.n - used), w->text.p + used);
        e->code = expr_cast(c, e->code, SMP_SINT);
        return e->code ? 2 : step_fail(c, w, "error detected while parsing status-code expression : not an integer.");
}

/* 0: no option. */
static int take_option(struct kw_call *c, size_t i, struct step *s)
{
        struct str w = c->args[i].text;
        struct step_expect *e = &s->expect;
        const struct word *a;

        if (str_is(w, "min-recv"))
                return take_min_recv(c, i, e);
        if (str_is(w, "ok-status"))
                return take_status(c, i, &e->ok);
        if (str_is(w, "error-status"))
                return take_status(c, i, &e->error);
        if (str_is(w, "tout-status"))
                return take_status(c, i, &e->tout);
        if (str_is(w, "on-success"))
                return take_format(c, i, &e->on_success);
        if (str_is(w, "on-error"))
                return take_format(c, i, &e->on_error);
        if (str_is(w, "status-code"))
                return take_code(c, i, e);
        if (!str_is(w, "comment"))
                return 0;
        a = argument(c, i, "string");
        if (!a)
                return -1;
        s->comment = conf_intern(c->conf, a->text);
        s->own_comment = true;
        return 2;
}

/* ---- patterns ---- */

static int bad_codes(struct kw_call *c, const struct word *w, struct str part)
{
        for (size_t i = 0; i < part.n; i++) {
                if (!chr_is_digit(part.p[i]) && part.p[i] != '-')
                        return step_fail(c, w, "invalid character '%c' in the list of status codes.", part.p[i]);
        }
        return step_fail(c, w, "invalid range of status codes '%.*s'.", (int)part.n, part.p);
}

/* "200,201,300-310" */
static int take_codes(struct kw_call *c, const struct word *w, struct step_expect *e)
{
        struct code_range *v = conf_alloc(c->conf, (w->text.n / 2 + 1) * sizeof(*v));
        struct str rest = w->text;

        while (rest.n) {
                const char *comma = memchr(rest.p, ',', rest.n);
                struct str part = str_sub(rest, 0, comma ? (size_t)(comma - rest.p) : rest.n);
                const char *dash = part.n ? memchr(part.p, '-', part.n) : NULL;
                struct str first = str_sub(part, 0, dash ? (size_t)(dash - part.p) : part.n);
                uint64_t lo, hi;

                rest = comma ? str_sub(rest, part.n + 1, rest.n - part.n - 1) : str_sub(rest, rest.n, 0);
                if (part.n == 0 && rest.n)
                        continue;
                if (!str_to_u64(first, &lo) || lo > INT_MAX)
                        return bad_codes(c, w, part);
                hi = lo;
                if (dash && (!str_to_u64(str_sub(part, first.n + 1, part.n - first.n - 1), &hi) || hi > INT_MAX))
                        return bad_codes(c, w, part);
                if (hi < lo)
                        return bad_codes(c, w, part);
                v[e->n_ranges++] = (struct code_range){ (int)lo, (int)hi };
        }
        e->ranges = v;
        return 2;
}

/* "name|name-lf|value|value-lf [-m <meth>] <pattern>" from word `i` on. */
static int take_text(struct kw_call *c, size_t i, struct text_match *m)
{
        static const struct kw_val hows[] = { { "str", TEXT_STR }, { "beg", TEXT_BEG }, { "end", TEXT_END },
                                              { "sub", TEXT_SUB }, { "reg", TEXT_REG }, { NULL, 0 } };
        bool fmt = c->args[i].text.n > 3 && c->args[i].text.p[c->args[i].text.n - 1] == 'f';
        const struct word *what = &c->args[0]; /* for messages */
        size_t at = i + 1;

        m->used = true;
        if (at + 1 < c->n_args && str_is(c->args[at].text, "-m")) {
                const struct kw_val *v = hows;

                while (v->name && !str_is(c->args[at + 1].text, v->name))
                        v++;
                if (!v->name)
                        return step_fail(c, &c->args[at + 1],
                                         "'hdr' : '-m' only supports 'str', 'beg', 'end', 'sub' or 'reg' (got '%.*s').",
                                         (int)c->args[at + 1].text.n, c->args[at + 1].text.p);
                m->how = (enum text_how)v->value;
                at += 2;
        }
        if (at >= c->n_args || c->args[at].text.n == 0)
                return step_fail(c, at > i + 1 ? &c->args[at - 1] : what,
                                 "'hdr' expect a pattern with the %.*s keyword.", (int)c->args[i].text.n,
                                 c->args[i].text.p);
        if (fmt && m->how == TEXT_REG)
                return step_fail(c, &c->args[at], "'hdr' : a log-format cannot be matched as a regex.");
        if (fmt)
                m->fmt = step_format(c, &c->args[at]);
        else if (m->how == TEXT_REG)
                m->re = pattern(c, &c->args[at], c->args[i].text.p[0] == 'n'); /* names have no case */
        else
                m->text = (struct str){ conf_intern(c->conf, c->args[at].text), c->args[at].text.n };
        if ((fmt && !m->fmt) || (!fmt && m->how == TEXT_REG && !m->re))
                return -1;
        return (int)(at + 1 - i);
}

static int take_field(struct kw_call *c, size_t i, struct step_expect *e)
{
        size_t at = i + 1;
        int took;

        if (at >= c->n_args || (!str_is(c->args[at].text, "name") && !str_is(c->args[at].text, "name-lf")))
                return step_fail(c, &c->args[i],
                                 "'hdr' expects at the name keyword as first argument followed by a pattern.");
        took = take_text(c, at, &e->name);
        if (took < 0)
                return -1;
        at += (size_t)took;
        if (at < c->n_args && (str_is(c->args[at].text, "value") || str_is(c->args[at].text, "value-lf"))) {
                took = take_text(c, at, &e->value);
                if (took < 0)
                        return -1;
                at += (size_t)took;
        }
        return (int)(at - i);
}

static const struct pattern_word {
        const char *name;
        bool http, tcp;
        enum expect_kind kind, http_kind;
} patterns[] = {
        { "string", true, true, EXPECT_STRING, EXPECT_BODY },
        { "rstring", true, true, EXPECT_REGEX, EXPECT_BODY_REGEX },
        { "string-lf", true, true, EXPECT_STRING_LF, EXPECT_BODY_LF },
        { "binary", false, true, EXPECT_BINARY, 0 },
        { "rbinary", false, true, EXPECT_BINARY_REGEX, 0 },
        { "binary-lf", false, true, EXPECT_BINARY_LF, 0 },
        { "status", true, false, EXPECT_STATUS, EXPECT_STATUS },
        { "rstatus", true, false, EXPECT_STATUS_REGEX, EXPECT_STATUS_REGEX },
        { "hdr", true, false, EXPECT_HDR, EXPECT_HDR },
        { "fhdr", true, false, EXPECT_FHDR, EXPECT_FHDR },
};

static const struct pattern_word *find_pattern(struct str w, bool http)
{
        for (size_t i = 0; i < array_len(patterns); i++) {
                if (str_is(w, patterns[i].name) && (http ? patterns[i].http : patterns[i].tcp))
                        return &patterns[i];
        }
        return NULL;
}

static int take_pattern(struct kw_call *c, size_t i, struct step_expect *e)
{
        const struct word *w;

        if (e->kind == EXPECT_HDR || e->kind == EXPECT_FHDR)
                return take_field(c, i, e);
        w = argument(c, i, "<pattern>");
        if (!w)
                return -1;
        switch (e->kind) {
        case EXPECT_REGEX:
        case EXPECT_BINARY_REGEX:
        case EXPECT_STATUS_REGEX:
        case EXPECT_BODY_REGEX: e->re = pattern(c, w, false); return e->re ? 2 : -1;
        case EXPECT_STRING_LF:
        case EXPECT_BINARY_LF:
        case EXPECT_BODY_LF: return take_format(c, i, &e->fmt);
        case EXPECT_BINARY: return step_hex(c, w, &e->text) ? 2 : -1;
        case EXPECT_STATUS: return take_codes(c, w, e);
        default: e->text = (struct str){ conf_intern(c->conf, w->text), w->text.n }; return 2;
        }
}

static int unknown(struct kw_call *c, const struct word *w, struct str text, bool http)
{
        return step_fail(
                c, w, "only supports min-recv, %s or comment but got '%.*s' as argument.",
                http ? "'[!]string', '[!]rstring', '[!]string-lf', '[!]status', '[!]rstatus', '[!]hdr', '[!]fhdr'"
                     : "'[!]binary', '[!]string', '[!]rstring', '[!]string-lf', '[!]rbinary', '[!]binary-lf'",
                (int)text.n, text.p);
}

/* "!status", "! status" or "status" at word `i`. */
static int take_match(struct kw_call *c, size_t i, bool http, struct step_expect *e)
{
        struct str w = c->args[i].text;
        const struct pattern_word *p;
        size_t at = i;
        int took;

        if (w.n && w.p[0] == '!') {
                e->negate = true;
                w = str_sub(w, 1, w.n - 1);
                if (w.n == 0 && ++at < c->n_args)
                        w = c->args[at].text;
        }
        p = find_pattern(w, http);
        if (!p)
                return unknown(c, &c->args[i], w, http);
        e->kind = http ? p->http_kind : p->kind;
        took = take_pattern(c, at, e);
        return took < 0 ? -1 : (int)(at - i) + took;
}

int expect_parse(struct kw_call *c, bool http, struct step *s)
{
        bool found = false;

        s->kind = STEP_EXPECT;
        s->expect.min_recv = -1;
        for (size_t i = 1; i < c->n_args;) {
                int took = take_option(c, i, s);

                if (took == 0 && found)
                        return find_pattern(c->args[i].text, http)
                                       ? step_fail(c, &c->args[i], "only one pattern expected.")
                                       : unknown(c, &c->args[i], c->args[i].text, http);
                if (took == 0) {
                        took = take_match(c, i, http, &s->expect);
                        found = true;
                }
                if (took < 0)
                        return -1;
                i += (size_t)took;
        }
        if (!found)
                return step_fail(c, &c->args[0], "expects at least a matching pattern as arguments.");
        return (int)c->n_args;
}
