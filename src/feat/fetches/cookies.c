/* feat/fetches/cookies.c - samples of cookies: of Cookie fields, and of Set-Cookie fields (manual 7.3.6). */
#include "feat/fetches/fetch.h"
#include "proto/hmsg.h"

struct cookie {
        struct str name, value;
};

struct jar { /* a walk over all cookies of one name in a head; n == 0: any name */
        const struct hmsg *m;
        struct str name;
        bool set; /* Set-Cookie */
        int field;
        size_t at;
};

static bool is_end(char ch)
{
        return ch == ';' || ch == ',';
}

static size_t skip(struct str v, size_t at, bool ends)
{
        while (at < v.n && (v.p[at] == ' ' || v.p[at] == '\t' || (ends && is_end(v.p[at]))))
                at++;
        return at;
}

/* Where the value that starts at `at` ends: a quoted one may hold separators. */
static size_t value_end(struct str v, size_t at)
{
        bool quoted = false;

        for (; at < v.n; at++) {
                if (quoted && v.p[at] == '\\')
                        at += at + 1 < v.n;
                else if (v.p[at] == '"')
                        quoted = !quoted;
                else if (!quoted && is_end(v.p[at]))
                        break;
        }
        return at;
}

/* The pair at *at, which moves behind it. False: the field is used up. What has no '=' is no cookie, and names with '$' are of
 * old versions' attributes (RFC 2965 3.3.4). */
static bool pair_at(struct str v, size_t *at, struct cookie *ret_c)
{
        for (;;) {
                size_t from = skip(v, *at, true), eq = from;

                if (from >= v.n)
                        return false;
                while (eq < v.n && v.p[eq] != '=' && !is_end(v.p[eq]))
                        eq++;
                *at = eq < v.n && v.p[eq] == '=' ? value_end(v, eq + 1) : eq;
                if (eq == v.n || v.p[eq] != '=' || v.p[from] == '$')
                        continue;
                ret_c->name = str_trim(str_sub(v, from, eq - from));
                ret_c->value = str_trim(str_sub(v, eq + 1, *at - eq - 1));
                return true;
        }
}

/* Set-Cookie: what follows a pair up to a comma is about it. HAProxy's walk over all names does not know that: it takes attributes
 * for cookies, and so does this one. */
static size_t skip_attributes(struct str v, size_t at)
{
        while (at < v.n && v.p[at] != ',')
                at = value_end(v, at + 1);
        return at;
}

static bool jar_next(struct jar *j, struct cookie *ret_c)
{
        enum hid id = j->set ? HID_SET_COOKIE : HID_COOKIE;

        for (;; j->field++, j->at = 0) {
                struct str v;

                j->field = hmsg_find(j->m, id, j->field);
                if (j->field < 0)
                        return false;
                v = hmsg_value(j->m, j->field);
                while (pair_at(v, &j->at, ret_c)) {
                        if (j->set && j->name.n)
                                j->at = skip_attributes(v, j->at);
                        if (j->name.n == 0 || str_eq(ret_c->name, j->name))
                                return true;
                }
        }
}

static struct jar jar_of(const struct hmsg *m, bool set, const struct expr_arg *args, unsigned n_args)
{
        return (struct jar){ .m = m, .set = set, .name = { args[0].s, n_args ? args[0].n : 0 } };
}

/* The last one of a name, the first one of all; conditions look at each. */
static enum expr_answer cookie(const struct expr_ctx *x, struct jar j, struct smp *s)
{
        struct cookie c, last = { .name = { NULL, 0 } };
        bool found = false;

        if (x->iterate) {
                j.field = (int)(s->iter >> 32);
                j.at = (uint32_t)s->iter;
        }
        while (jar_next(&j, &c)) {
                last = c;
                found = true;
                if (j.name.n == 0 || x->iterate)
                        break;
        }
        if (!found)
                return EXPR_MISS;
        s->more = x->iterate;
        s->iter = (uint64_t)j.field << 32 | (uint32_t)j.at;
        return answer_str(s, last.value);
}

static enum expr_answer cookie_cnt(struct jar j, struct smp *s)
{
        struct cookie c;
        int64_t n = 0;

        while (jar_next(&j, &c))
                n++;
        return answer_int(s, n);
}

static enum expr_answer cookie_names(struct jar j, const struct expr_arg *args, unsigned n_args, struct smp *s)
{
        char delim = n_args && args[0].n ? args[0].s[0] : ',';
        size_t cap, n = 0;
        char *p = expr_scratch(&cap);
        struct cookie c;

        while (jar_next(&j, &c)) {
                if (c.name.n + 1 > cap - n)
                        return EXPR_MISS;
                if (n)
                        p[n++] = delim;
                memcpy(p + n, c.name.p, c.name.n);
                n += c.name.n;
                if (j.set) /* one cookie a field: on to the next field */
                        j.at = SIZE_MAX;
        }
        return answer_str(s, (struct str){ p, n });
}

#define SENT(x)  jar_of((x)->req, false, args, n_args)
#define GIVEN(x) jar_of((x)->rsp, true, args, n_args)

FETCH(req_cook)
{
        return cookie(x, SENT(x), ret_smp);
}

FETCH(res_cook)
{
        return cookie(x, GIVEN(x), ret_smp);
}

FETCH(any_cook)
{
        return x->have & EXPR_REQ_HEAD ? cookie(x, SENT(x), ret_smp) : cookie(x, GIVEN(x), ret_smp);
}

FETCH(req_cook_cnt)
{
        return cookie_cnt(SENT(x), ret_smp);
}

FETCH(res_cook_cnt)
{
        return cookie_cnt(GIVEN(x), ret_smp);
}

FETCH(req_cook_val)
{
        return answer_number(cookie(x, SENT(x), ret_smp), ret_smp);
}

FETCH(res_cook_val)
{
        return answer_number(cookie(x, GIVEN(x), ret_smp), ret_smp);
}

FETCH(req_cook_names)
{
        return cookie_names(jar_of(x->req, false, args, 0), args, n_args, ret_smp);
}

FETCH(res_cook_names)
{
        return cookie_names(jar_of(x->rsp, true, args, 0), args, n_args, ret_smp);
}

#define ROW(n, type, from, f, text, ...)                                                                               \
        {                                                                                                              \
                .name = n, .args = { ARG_STR }, .out = SMP_##type, .needs = from, .fn = f, .manual = "7.3.6",          \
                .help = text, __VA_ARGS__                                                                              \
        }
#define REQ       EXPR_REQ_HEAD
#define RSP       EXPR_RSP_HEAD
#define FORMS(of) .acl_forms = true, .acl_of = of

static const struct fetch rows[] = {
        ROW("req.cook", STR, REQ, req_cook, "a cookie of the request"),
        ROW("cook", STR, REQ, req_cook, "a cookie of the request", FORMS("req.cook")),
        ROW("req.cook_cnt", SINT, REQ, req_cook_cnt, "how many cookies the request has"),
        ROW("cook_cnt", SINT, REQ, req_cook_cnt, "how many cookies the request has"),
        ROW("req.cook_val", SINT, REQ, req_cook_val, "a cookie of the request as a number"),
        ROW("cook_val", SINT, REQ, req_cook_val, "a cookie of the request as a number"),
        ROW("req.cook_names", STR, REQ, req_cook_names, "names of the request's cookies"),
        ROW("cookie", STR, EXPR_ANY_HEAD, any_cook, "a cookie of the request, on answers of the answer"),
        ROW("res.cook", STR, RSP, res_cook, "a cookie that the answer sets"),
        ROW("scook", STR, RSP, res_cook, "a cookie that the answer sets", FORMS("res.cook")),
        ROW("set-cookie", STR, RSP, res_cook, "a cookie that the answer sets"),
        ROW("res.cook_cnt", SINT, RSP, res_cook_cnt, "how many cookies the answer sets"),
        ROW("scook_cnt", SINT, RSP, res_cook_cnt, "how many cookies the answer sets"),
        ROW("res.cook_val", SINT, RSP, res_cook_val, "a cookie that the answer sets as a number"),
        ROW("scook_val", SINT, RSP, res_cook_val, "a cookie that the answer sets as a number"),
        ROW("res.cook_names", STR, RSP, res_cook_names, "names of the cookies that the answer sets"),
};
FETCH_TABLE(cookies, rows);
