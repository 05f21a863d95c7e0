/* feat/http_rules/edit.c - actions that edit the head of a message: fields, status, method (manual 4.4). */
#include "feat/http_rules/act.h"

#include "conf/conf.h"
#include "core/reply.h"
#include "core/strm_priv.h"

#include <errno.h>

/* ---- set-header, add-header ---- */

struct field_arg {
        struct str name;
        struct act_text text;
};

static int field_parse(struct rule_call *c, const void **ret_arg)
{
        struct field_arg *a = conf_alloc(c->kw->conf, sizeof(*a));

        *ret_arg = a;
        if (c->n < 2)
                return rule_fail(c, NULL, "expects exactly 2 arguments");
        if (!act_name(c, &c->w[0], &a->name) || !act_text_parse(c, &c->w[1], &a->text))
                return -1;
        return 2;
}

/* Blanks around a value are no part of it (RFC 9110 5.5), but may be sent, and a value that a converter made may end with some. */
static bool field_value(const struct field_arg *a, const struct rule_ctx *x, char *room, struct str *ret_v)
{
        if (!act_text(&a->text, x, room, ret_v))
                return false;
        if (str_trim(*ret_v).n == 0)
                ret_v->n = 0;
        return true;
}

/* What an edit of a field called so returned. */
static enum rule_answer field_edited(int r, struct str name, struct rule_ctx *x)
{
        if (unlikely(r == 0 && str_is(name, "host") && x->point == RULE_HTTP_REQUEST))
                r = act_follow_host(x->msg);
        return act_edited(r, x);
}

static enum rule_answer set_run(const void *arg, struct rule_ctx *x)
{
        const struct field_arg *a = arg;
        char room[ACT_VALUE_MAX + 1];
        struct str v;

        return field_edited(field_value(a, x, room, &v) ? hmsg_set(x->msg, a->name, v) : -ENOMEM, a->name, x);
}

static enum rule_answer add_run(const void *arg, struct rule_ctx *x)
{
        const struct field_arg *a = arg;
        char room[ACT_VALUE_MAX + 1];
        struct str v;

        return field_edited(field_value(a, x, room, &v) ? hmsg_add(x->msg, a->name, v) : -ENOMEM, a->name, x);
}

/* ---- del-header ---- */

enum name_match { NAME_STR, NAME_BEG, NAME_END, NAME_SUB, NAME_REG };

struct del_arg {
        enum name_match match;
        struct str name;
        const struct regex *re; /* NAME_REG */
};

static int take_match(struct rule_call *c, struct del_arg *a)
{
        static const char *const names[] = { "str", "beg", "end", "sub", "reg" };

        if (c->n < 3)
                return rule_fail(c, &c->w[1], "-m flag expects exactly 1 argument");
        for (unsigned i = 0; i < array_len(names); i++) {
                if (str_is(c->w[2].text, names[i])) {
                        a->match = (enum name_match)i;
                        return 3;
                }
        }
        return rule_fail(c, &c->w[2], "-m with unsupported matching method '%.*s'", (int)c->w[2].text.n,
                         c->w[2].text.p);
}

static int del_parse(struct rule_call *c, const void **ret_arg)
{
        struct del_arg *a = conf_alloc(c->kw->conf, sizeof(*a));
        int took = 1;

        *ret_arg = a;
        if (c->n < 1)
                return rule_fail(c, NULL, "expects at least 1 argument");
        if (c->n >= 2 && str_is(c->w[1].text, "-m"))
                took = take_match(c, a);
        if (took < 0)
                return -1;
        if (a->match == NAME_REG)
                a->re = act_regex(c, &c->w[0], "");
        else if (!act_name(c, &c->w[0], &a->name))
                return -1;
        return a->match == NAME_REG && !a->re ? -1 : took;
}

static bool name_matches(const struct del_arg *a, struct str name)
{
        switch (a->match) {
        case NAME_STR: return str_eq(name, a->name);
        case NAME_BEG: return name.n >= a->name.n && str_eq(str_sub(name, 0, a->name.n), a->name);
        case NAME_END: return name.n >= a->name.n && str_eq(str_sub(name, name.n - a->name.n, a->name.n), a->name);
        case NAME_SUB: return memmem(name.p, name.n, a->name.p, a->name.n) != NULL;
        case NAME_REG: return regex_match(a->re, name);
        }
        return false;
}

static enum rule_answer del_run(const void *arg, struct rule_ctx *x)
{
        const struct del_arg *a = arg;
        struct hmsg *m = x->msg;

        if (a->match == NAME_STR) {
                hmsg_del_all(m, a->name);
                return RULE_NEXT;
        }
        for (int i = hmsg_next(m, 0); i >= 0; i = hmsg_next(m, i + 1))
                if (name_matches(a, hmsg_name(m, i)))
                        hmsg_del(m, i);
        return RULE_NEXT;
}

/* ---- replace-header, replace-value ---- */

struct replace_arg {
        struct str name;
        const struct regex *re;
        struct act_text text;
};

static int replace_parse(struct rule_call *c, const void **ret_arg)
{
        struct replace_arg *a = conf_alloc(c->kw->conf, sizeof(*a));

        *ret_arg = a;
        if (c->n < 3)
                return rule_fail(c, NULL, "expects exactly 3 arguments");
        if (!act_name(c, &c->w[0], &a->name) || !(a->re = act_regex(c, &c->w[1], "")) ||
            !act_text_parse(c, &c->w[2], &a->text))
                return -1;
        return 3;
}

/* 1: `in` matched, and this is written in its place; 0: it did not. */
static int replaced(const struct replace_arg *a, const struct rule_ctx *x, struct str in, char *dst, size_t n,
                    size_t *ret_n)
{
        char room[ACT_VALUE_MAX + 1];
        struct regex_found f;
        struct str text;

        if (!regex_find(a->re, in, 0, &f))
                return 0;
        if (!act_text(&a->text, x, room, &text))
                return -ENOMEM;
        return regex_expand(&f, text, dst, n, ret_n) < 0 ? -ENOMEM : 1;
}

static int replace_whole(const struct replace_arg *a, struct rule_ctx *x, int i)
{
        char out[ACT_VALUE_MAX];
        size_t n;
        int r = replaced(a, x, hmsg_value(x->msg, i), out, sizeof(out), &n);

        return r > 0 ? hmsg_replace(x->msg, i, str_trim((struct str){ out, n })) : r;
}

/* Where a list's element ends (RFC 9110 5.6.1): at a comma outside quotes. */
static size_t element_end(struct str v, size_t at)
{
        bool quoted = false;

        for (; at < v.n && (quoted || v.p[at] != ','); at++) {
                if (v.p[at] == '"')
                        quoted = !quoted;
                else if (quoted && v.p[at] == '\\')
                        at++;
        }
        return at < v.n ? at : v.n;
}

struct list_out {
        char text[ACT_VALUE_MAX];
        size_t n;
};

static bool put(struct list_out *o, struct str s)
{
        if (s.n > sizeof(o->text) - o->n)
                return false;
        memcpy(o->text + o->n, s.p, s.n);
        o->n += s.n;
        return true;
}

/* One element, the blanks around it kept. 1: it was replaced. */
static int replace_element(const struct replace_arg *a, const struct rule_ctx *x, struct str element,
                           struct list_out *o)
{
        struct str bare = str_trim(element);
        size_t before = (size_t)(bare.p - element.p), n;
        int r;

        if (!put(o, str_sub(element, 0, before)))
                return -ENOMEM;
        r = replaced(a, x, bare, o->text + o->n, sizeof(o->text) - o->n, &n);
        if (r > 0)
                o->n += n;
        else if (r < 0 || !put(o, bare))
                return -ENOMEM;
        return put(o, str_sub(element, before + bare.n, element.n - before - bare.n)) ? r : -ENOMEM;
}

static int replace_elements(const struct replace_arg *a, struct rule_ctx *x, int i)
{
        struct str v = hmsg_value(x->msg, i);
        struct list_out o;
        bool any = false;

        o.n = 0;
        for (size_t at = 0; at < v.n;) {
                size_t end = element_end(v, at);
                int r = replace_element(a, x, str_sub(v, at, end - at), &o);

                if (r < 0 || (end < v.n && !put(&o, STR(","))))
                        return -ENOMEM;
                any |= r > 0;
                at = end + 1;
        }
        return any ? hmsg_replace(x->msg, i, str_trim((struct str){ o.text, o.n })) : 0;
}

static enum rule_answer replace_all(const struct replace_arg *a, struct rule_ctx *x,
                                    int (*one)(const struct replace_arg *a, struct rule_ctx *x, int i))
{
        enum rule_answer answer = RULE_NEXT;

        for (int i = hmsg_find_name(x->msg, a->name, 0); i >= 0 && answer == RULE_NEXT;
             i = answer == RULE_NEXT ? hmsg_find_name(x->msg, a->name, i + 1) : -1)
                answer = field_edited(one(a, x, i), a->name, x);
        return answer;
}

static enum rule_answer replace_header_run(const void *arg, struct rule_ctx *x)
{
        return replace_all(arg, x, replace_whole);
}

static enum rule_answer replace_value_run(const void *arg, struct rule_ctx *x)
{
        return replace_all(arg, x, replace_elements);
}

/* ---- set-status ---- */

struct status_arg {
        uint16_t status;
        struct str reason;
};

static int status_parse(struct rule_call *c, const void **ret_arg)
{
        struct status_arg *a = conf_alloc(c->kw->conf, sizeof(*a));
        int64_t v;

        *ret_arg = a;
        if (c->n < 1)
                return rule_fail(c, NULL, "expects 1 argument: <status>; or 3 arguments: <status> reason <fmt>");
        if (!str_to_i64(c->w[0].text, &v) || v < 100 || v > 999)
                return rule_fail(c, &c->w[0], "expects an integer status code between 100 and 999");
        a->status = (uint16_t)v;
        a->reason = str_of(reply_reason((int)v));
        if (c->n < 3 || !str_is(c->w[1].text, "reason"))
                return 1;
        a->reason = str_of(conf_intern(c->kw->conf, c->w[2].text));
        return 3;
}

static bool is_bodyless(int status)
{
        return status == 204 || status == 304;
}

/* What frames a message depends on its status (RFC 9112 6.3): a change that would make the client read the body that follows as the
 * next answer, or wait for one that never comes, is no edit that can be done. */
static int set_status(struct hmsg *m, const struct status_arg *a)
{
        int was = m->status, r;

        if (a->status < 200 || was < 200 || (is_bodyless(a->status) && m->body != HBODY_NONE))
                return -EINVAL;
        r = hmsg_set_status(m, a->status, a->reason);
        if (r < 0)
                return r;
        if (a->status == 204) {
                m->announced = HBODY_NONE;
        } else if (is_bodyless(was) && !is_bodyless(a->status)) {
                m->announced = HBODY_LENGTH;
                m->length = 0;
        }
        return 0;
}

static enum rule_answer status_run(const void *arg, struct rule_ctx *x)
{
        int r = set_status(x->msg, arg);

        if (r == 0) {
                expr_keep_status(x->strm);
                x->strm->status = ((const struct status_arg *)arg)->status;
        }
        return act_edited(r, x);
}

/* ---- set-method ---- */

static int method_parse(struct rule_call *c, const void **ret_arg)
{
        struct act_text *t = conf_alloc(c->kw->conf, sizeof(*t));

        *ret_arg = t;
        if (c->n != 1)
                return rule_fail(c, NULL, "expects exactly 1 argument <format>");
        return act_text_parse(c, &c->w[0], t) ? 1 : -1;
}

/* How the answer is framed depends on the method (RFC 9112 6.3): the server and the client must mean the same. */
static bool frames_answer(struct str method)
{
        return str_is(method, "HEAD") || str_is(method, "CONNECT");
}

static enum rule_answer method_run(const void *arg, struct rule_ctx *x)
{
        char room[ACT_VALUE_MAX + 1];
        struct str v, was = hmsg_method(x->msg);

        if (!act_text(arg, x, room, &v))
                return act_edited(-ENOMEM, x);
        if ((frames_answer(v) || frames_answer(was)) && !str_eq(v, was))
                return act_edited(-EINVAL, x);
        return act_edited(hmsg_set_method(x->msg, v), x);
}

/* ---- early-hint ---- */

enum { HINTS_MAX = 32 };

struct hints {
        struct hmsg m;
        struct hfield f[HINTS_MAX];
        char arena[ACT_VALUE_MAX];
};

static enum rule_answer hint_run(const void *arg, struct rule_ctx *x);

static bool is_hint(const struct rule_ctx *x, int by, const struct rule **ret_rule)
{
        const struct rule *r = rules_beside(x, by);

        if (!r || r->action->run != hint_run || (r->cond && cond_run(r->cond, &x->x) != COND_TRUE))
                return false;
        *ret_rule = r;
        return true;
}

static bool gather(struct hints *h, struct rule_ctx *x)
{
        const struct rule *r;

        hmsg_init(&h->m, h->f, array_len(h->f), h->arena, sizeof(h->arena));
        h->m.flags |= HMSG_RESPONSE;
        h->m.minor = 1;
        if (hmsg_set_status(&h->m, 103, STR("Early Hints")) < 0)
                return false;
        for (int i = 0; is_hint(x, i, &r); i++) {
                const struct field_arg *a = r->arg;
                char room[ACT_VALUE_MAX + 1];
                struct str v;

                if (!field_value(a, x, room, &v) || hmsg_add(&h->m, a->name, v) < 0)
                        return false;
        }
        return true;
}

/* The first of several in a row says what all of them say, in one message. */
static enum rule_answer hint_run(const void *arg, struct rule_ctx *x)
{
        const struct tx_frame f = { .framing = HBODY_NONE };
        const struct rule *before;
        struct side *cl = &x->strm->cl;
        struct hints h;

        (void)arg;
        if (is_hint(x, -1, &before) || (x->msg->minor == 0 && !(x->msg->flags & HMSG_HTTP2)))
                return RULE_NEXT;
        if (!gather(&h, x))
                return act_edited(-ENOMEM, x);
        return act_edited(cl->ops->tx(cl, &h.m, &f, NULL, 0, false) == MSG_BAD ? -EINVAL : 0, x);
}

/* ---- strict-mode ---- */

static int strict_parse(struct rule_call *c, const void **ret_arg)
{
        static const bool on = true;

        if (c->n != 1)
                return rule_fail(c, NULL, "expects exactly 1 arguments");
        *ret_arg = str_is(c->w[0].text, "on") ? &on : NULL;
        if (!*ret_arg && !str_is(c->w[0].text, "off"))
                return rule_fail(c, &c->w[0], "Unexpected value '%.*s'. Only 'on' and 'off' are supported",
                                 (int)c->w[0].text.n, c->w[0].text.p);
        return 1;
}

static enum rule_answer strict_run(const void *arg, struct rule_ctx *x)
{
        x->msg->soft_rules = (uint8_t)(arg ? 0 : rules_place(x) + 1);
        return RULE_NEXT;
}

static const struct action rows[] = {
        { .name = "set-header",
          .points = ACT_HTTP,
          .parse = field_parse,
          .run = set_run,
          .manual = "4.4",
          .args = "<name> <fmt>",
          .help = "replaces all fields of the name by one" },
        { .name = "add-header",
          .points = ACT_HTTP,
          .parse = field_parse,
          .run = add_run,
          .manual = "4.4",
          .args = "<name> <fmt>",
          .help = "appends a field" },
        { .name = "del-header",
          .points = ACT_HTTP,
          .parse = del_parse,
          .run = del_run,
          .manual = "4.4",
          .args = "<name> [ -m { str | beg | end | sub | reg } ]",
          .help = "removes all fields of the name, or whose name matches" },
        { .name = "replace-header",
          .points = ACT_HTTP,
          .parse = replace_parse,
          .run = replace_header_run,
          .manual = "4.4",
          .args = "<name> <match-regex> <replace-fmt>",
          .help = "replaces the value of each field of the name that matches; \\1 is a group of the match" },
        { .name = "replace-value",
          .points = ACT_HTTP,
          .parse = replace_parse,
          .run = replace_value_run,
          .manual = "4.4",
          .args = "<name> <match-regex> <replace-fmt>",
          .help = "the same for each element of a list that commas part" },
        { .name = "set-status",
          .points = RULE_ON(HTTP_RESPONSE) | RULE_ON(HTTP_AFTER),
          .parse = status_parse,
          .run = status_run,
          .manual = "4.4",
          .args = "<status> [reason <str>]",
          .help = "another status; not one that would change where the message ends" },
        { .name = "set-method",
          .points = RULE_ON(HTTP_REQUEST),
          .parse = method_parse,
          .run = method_run,
          .manual = "4.4",
          .args = "<fmt>",
          .help = "another method; not to or from HEAD and CONNECT, which change where the answer ends" },
        { .name = "early-hint",
          .points = RULE_ON(HTTP_REQUEST),
          .parse = field_parse,
          .run = hint_run,
          .manual = "4.4",
          .args = "<name> <fmt>",
          .help = "sends the field in a 103 response before the answer, together with those of the rules right behind" },
        { .name = "strict-mode",
          .points = ACT_HTTP,
          .parse = strict_parse,
          .run = strict_run,
          .manual = "4.4",
          .args = "{ on | off }",
          .help = "off: edits of the following rules of this list may fail; on: they end in an error 500" },
};
ACTION_TABLE(http_edit, rows);
