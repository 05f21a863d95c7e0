/* feat/http_rules/uri.c - actions on a request's target: set-path and its kin, replace-path and its kin, normalize-uri (manual 4.4).
 *
 * Whatever a rule makes of it, what goes on is a target that every reader splits in the same way (RFC 9112 3.2): no blank, no control
 * byte, a path that begins with a slash, and in absolute form the authority that Host names. Anything else is a failed edit. */
#include "feat/http_rules/act.h"
#include "feat/http_rules/normalize.h"

#include "conf/conf.h"
#include "core/strm_priv.h"

#include <errno.h>

enum part { PART_PATH, PART_PATHQ, PART_QUERY, PART_URI };

struct pieces {
        struct str before, path, query; /* "http://h", "/a", "?x" */
};

static struct pieces split(const struct hmsg *m)
{
        struct str t = hmsg_target(m), pq = hmsg_path_query(m);
        const char *q;
        struct pieces p;

        if (pq.n == 0) { /* "*", or an absolute URI without a path */
                p.before = str_is(t, "*") ? (struct str){ t.p, 0 } : t;
                p.path = p.query = (struct str){ t.p + t.n, 0 };
                return p;
        }
        q = memchr(pq.p, '?', pq.n);
        p.before = str_sub(t, 0, t.n - pq.n);
        p.path = str_sub(pq, 0, q ? (size_t)(q - pq.p) : pq.n);
        p.query = str_sub(pq, p.path.n, pq.n - p.path.n);
        return p;
}

/* ---- putting it together ---- */

struct target {
        char text[2 * ACT_VALUE_MAX];
        size_t n;
};

static int put(struct target *t, struct str s)
{
        if (s.n > sizeof(t->text) - t->n)
                return -ENOMEM;
        if (s.n)
                memcpy(t->text + t->n, s.p, s.n);
        t->n += s.n;
        return 0;
}

/* "scheme://authority/..." (RFC 3986 3): the authority, n == 0: there is none. */
static struct str authority_of(struct str uri)
{
        const char *at = memmem(uri.p, uri.n, "://", 3);
        size_t from = at ? (size_t)(at - uri.p) + 3 : uri.n, to = from;

        for (size_t i = 0; at && i < from - 3; i++)
                if (!chr_is_alnum(uri.p[i]) && !(i && strchr("+-.", uri.p[i])))
                        from = to = uri.n;
        while (to < uri.n && uri.p[to] != '/' && uri.p[to] != '?')
                to++;
        return str_sub(uri, from, to - from);
}

/* Where Host is wrong, a server that reads it sees another host than one that reads the target (RFC 9112 3.2.2). */
static int name_host(struct hmsg *m, struct str authority)
{
        int i = hmsg_find(m, HID_HOST, 0);

        return i >= 0 ? hmsg_replace(m, i, authority) : hmsg_add(m, STR("host"), authority);
}

static int set_target(struct hmsg *m, struct str target)
{
        struct str authority = { NULL, 0 };
        int r;

        if (target.n == 0)
                return -EINVAL;
        if (target.p[0] != '/' && !str_is(target, "*")) {
                authority = authority_of(target);
                if (authority.n == 0 || memchr(authority.p, '@', authority.n))
                        return -EINVAL;
        }
        r = hmsg_set_target(m, target);
        return r == 0 && authority.n ? name_host(m, authority) : r;
}

static int join(struct hmsg *m, struct str before, struct str path, struct str query)
{
        struct target t;

        t.n = 0;
        if (path.n == 0 || path.p[0] != '/')
                return -EINVAL;
        if (put(&t, before) < 0 || put(&t, path) < 0 || put(&t, query) < 0)
                return -ENOMEM;
        return set_target(m, (struct str){ t.text, t.n });
}

static int set_query(struct hmsg *m, struct pieces p, struct str v)
{
        char text[ACT_VALUE_MAX + 1];

        if (p.query.n == 0 && v.n == 0)
                return 0;
        if (p.path.n == 0)
                return -EINVAL;
        text[0] = '?';
        if (v.n)
                memcpy(text + 1, v.p, v.n);
        return join(m, p.before, p.path, (struct str){ text, v.n + 1 });
}

static int set_part(struct hmsg *m, enum part part, struct str v)
{
        struct pieces p = split(m);

        if (m->method == HMETH_CONNECT) /* its target is where the tunnel leads (RFC 9112 3.2.3) */
                return -EINVAL;
        switch (part) {
        case PART_PATH: return join(m, p.before, v, p.query);
        case PART_PATHQ: return join(m, p.before, v, (struct str){ NULL, 0 });
        case PART_QUERY: return set_query(m, p, v);
        case PART_URI: return set_target(m, v);
        }
        return -EINVAL;
}

int act_follow_host(struct hmsg *m)
{
        struct pieces p = split(m);
        int host = hmsg_find(m, HID_HOST, 0);
        struct str authority = authority_of(p.before);
        struct target t;

        if (authority.n == 0 || host < 0 || str_eq(authority, hmsg_value(m, host)))
                return 0;
        t.n = 0;
        if (put(&t, str_sub(p.before, 0, p.before.n - authority.n)) < 0 || put(&t, hmsg_value(m, host)) < 0 ||
            put(&t, p.path) < 0 || put(&t, p.query) < 0)
                return -ENOMEM;
        return hmsg_set_target(m, (struct str){ t.text, t.n });
}

/* ---- set-path, set-pathq, set-query, set-uri ---- */

struct set_arg {
        enum part part;
        struct act_text text;
};

static int set_parse(struct rule_call *c, enum part part, const void **ret_arg)
{
        struct set_arg *a = conf_alloc(c->kw->conf, sizeof(*a));

        *ret_arg = a;
        a->part = part;
        if (c->n != 1)
                return rule_fail(c, NULL, "expects exactly 1 argument <format>");
        return act_text_parse(c, &c->w[0], &a->text) ? 1 : -1;
}

static int set_path_parse(struct rule_call *c, const void **ret_arg)
{
        return set_parse(c, PART_PATH, ret_arg);
}

static int set_pathq_parse(struct rule_call *c, const void **ret_arg)
{
        return set_parse(c, PART_PATHQ, ret_arg);
}

static int set_query_parse(struct rule_call *c, const void **ret_arg)
{
        return set_parse(c, PART_QUERY, ret_arg);
}

static int set_uri_parse(struct rule_call *c, const void **ret_arg)
{
        return set_parse(c, PART_URI, ret_arg);
}

static enum rule_answer set_run(const void *arg, struct rule_ctx *x)
{
        const struct set_arg *a = arg;
        char room[ACT_VALUE_MAX + 1];
        struct str v;

        return act_edited(act_text(&a->text, x, room, &v) ? set_part(x->msg, a->part, v) : -ENOMEM, x);
}

/* ---- replace-path, replace-pathq, replace-uri ---- */

struct replace_arg {
        enum part part;
        const struct regex *re;
        struct act_text text;
};

static int replace_parse(struct rule_call *c, enum part part, const void **ret_arg)
{
        struct replace_arg *a = conf_alloc(c->kw->conf, sizeof(*a));

        *ret_arg = a;
        a->part = part;
        if (c->n != 2)
                return rule_fail(c, NULL, "expects exactly 2 arguments <match-regex> and <replace-format>");
        a->re = act_regex(c, &c->w[0], "failed to parse the regex : ");
        return a->re && act_text_parse(c, &c->w[1], &a->text) ? 2 : -1;
}

static int replace_path_parse(struct rule_call *c, const void **ret_arg)
{
        return replace_parse(c, PART_PATH, ret_arg);
}

static int replace_pathq_parse(struct rule_call *c, const void **ret_arg)
{
        return replace_parse(c, PART_PATHQ, ret_arg);
}

static int replace_uri_parse(struct rule_call *c, const void **ret_arg)
{
        return replace_parse(c, PART_URI, ret_arg);
}

static struct str part_of(const struct hmsg *m, enum part part)
{
        if (part == PART_URI)
                return hmsg_target(m);
        return part == PART_PATHQ ? hmsg_path_query(m) : split(m).path;
}

static enum rule_answer replace_run(const void *arg, struct rule_ctx *x)
{
        const struct replace_arg *a = arg;
        char room[ACT_VALUE_MAX + 1], out[ACT_VALUE_MAX];
        struct regex_found f;
        struct str text;
        size_t n;

        if (!regex_find(a->re, part_of(x->msg, a->part), 0, &f))
                return RULE_NEXT;
        if (!act_text(&a->text, x, room, &text) || regex_expand(&f, text, out, sizeof(out), &n) < 0)
                return act_edited(-ENOMEM, x);
        return act_edited(set_part(x->msg, a->part, (struct str){ out, n }), x);
}

/* ---- normalize-uri ---- */

struct normalize_arg {
        const struct normalizer *how;
        bool option;
};

static int normalize_parse(struct rule_call *c, const void **ret_arg)
{
        struct normalize_arg *a = conf_alloc(c->kw->conf, sizeof(*a));

        *ret_arg = a;
        if (c->n < 1)
                return rule_fail(c, NULL, "missing argument <normalizer>");
        a->how = normalizer_find(c->w[0].text);
        if (!a->how)
                return rule_fail(c, &c->w[0], "unknown normalizer '%.*s'", (int)c->w[0].text.n, c->w[0].text.p);
        if (c->n < 2)
                return 1;
        a->option = a->how->option && str_is(c->w[1].text, a->how->option);
        if (!a->option && a->how->option)
                return rule_fail(c, &c->w[1], "unknown argument '%.*s' for '%s' normalizer", (int)c->w[1].text.n,
                                 c->w[1].text.p, a->how->name);
        return a->option ? 2 : 1;
}

/* Not valid where it has to be: the request is bad (manual: "HTTP 400"). */
static enum rule_answer bad_uri(struct rule_ctx *x)
{
        STAT_INC(strm_front_stat(x->strm)->err_req);
        strm_term(x->strm, 'P', 'R');
        strm_answer(x->strm, 400);
        return RULE_TAKEN;
}

static enum rule_answer normalize_run(const void *arg, struct rule_ctx *x)
{
        const struct normalize_arg *a = arg;
        struct str in = hmsg_path_query(x->msg);
        char out[ACT_VALUE_MAX];
        int n;

        if (in.n == 0)
                return RULE_NEXT;
        n = a->how->run(in, a->option, out, sizeof(out));
        if (n == -EINVAL)
                return bad_uri(x);
        if (n < 0)
                return act_edited(n, x);
        if (str_eq(in, (struct str){ out, (size_t)n }))
                return RULE_NEXT;
        return act_edited(set_part(x->msg, PART_PATHQ, (struct str){ out, (size_t)n }), x);
}

#define ROW(n, p, r, a, h)                                                                                             \
        {                                                                                                              \
                .name = n, .points = RULE_ON(HTTP_REQUEST), .parse = p, .run = r, .manual = "4.4", .args = a,          \
                .help = h                                                                                              \
        }

static const struct action rows[] = {
        ROW("set-path", set_path_parse, set_run, "<fmt>", "another path; the query stays"),
        ROW("set-pathq", set_pathq_parse, set_run, "<fmt>", "another path and query"),
        ROW("set-query", set_query_parse, set_run, "<fmt>", "another query; the path stays"),
        ROW("set-uri", set_uri_parse, set_run, "<fmt>", "another target as a whole; its authority becomes the Host"),
        ROW("replace-path", replace_path_parse, replace_run, "<match-regex> <replace-fmt>",
            "replaces the path when it matches; \\1 is a group of the match"),
        ROW("replace-pathq", replace_pathq_parse, replace_run, "<match-regex> <replace-fmt>",
            "the same on path and query"),
        ROW("replace-uri", replace_uri_parse, replace_run, "<match-regex> <replace-fmt>",
            "the same on the whole target"),
        ROW("normalize-uri", normalize_parse, normalize_run,
            "{ fragment-encode | fragment-strip | path-merge-slashes | path-strip-dot | path-strip-dotdot [ full ] | "
            "percent-decode-unreserved [ strict ] | percent-to-uppercase [ strict ] | query-sort-by-name }",
            "writes path and query in one of the ways that mean the same"),
};
ACTION_TABLE(http_uri, rows);
