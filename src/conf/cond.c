/* conf/cond.c - a recursive descent over
 *   or := and ("||" and)*    and := not ("&&" not)*    not := "!"* atom    atom := "(" or ")" | number | name ["(" args ")"]
 */
#include "conf/cond.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX 64 /* of parentheses and '!': more is nobody's intent and would cost stack */
#define ARG_MAX   1024u

struct eval {
        struct str s;
        size_t i;
        int depth;
        const struct conf_opts *o;
        const struct text_vars *vars;
        bool expand; /* -cc: nothing has replaced the variables yet */
        struct cond_fault *fault;
};

struct args {
        char text[2][ARG_MAX];
        struct str a[2];
        size_t n;
};

static int eval_or(struct eval *e);

fmt_like(3, 4) static int bad(struct eval *e, size_t at, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(e->fault->msg, sizeof(e->fault->msg), fmt, ap);
        va_end(ap);
        e->fault->at = at;
        return -1;
}

static int unparsable(struct eval *e, size_t at)
{
        size_t n = e->s.n - at;

        return bad(e, at, "unparsable conditional expression '%.*s'", (int)(n < 100 ? n : 100), e->s.p + at);
}

static void blanks(struct eval *e)
{
        while (e->i < e->s.n && (e->s.p[e->i] == ' ' || e->s.p[e->i] == '\t'))
                e->i++;
}

static bool next_is(const struct eval *e, const char *z)
{
        return str_has_prefix(str_sub(e->s, e->i, e->s.n - e->i), str_of(z));
}

/* Version texts. Each part is a number; a letter after it ("1.1.1k") counts as one more part. */
struct version {
        uint64_t part[5];
        int64_t dev; /* -dev19: 19; a release: INT64_MAX */
};

static struct version version_of(struct str s)
{
        struct version v = { .dev = INT64_MAX };
        size_t i = 0, k = 0;

        for (; k < 4 && i < s.n && chr_is_digit(s.p[i]); k++) {
                for (; i < s.n && chr_is_digit(s.p[i]) && v.part[k] < UINT32_MAX; i++)
                        v.part[k] = v.part[k] * 10 + (uint64_t)(s.p[i] - '0');
                if (i + 1 < s.n && s.p[i] == '.' && chr_is_digit(s.p[i + 1]))
                        i++;
                else
                        break;
        }
        if (i < s.n && s.p[i] >= 'a' && s.p[i] <= 'z')
                v.part[4] = (unsigned char)s.p[i];
        if (i < s.n && s.p[i] == '-' && i + 1 < s.n && !chr_is_digit(s.p[i + 1])) {
                for (v.dev = 0; i < s.n && !chr_is_digit(s.p[i]); i++)
                        ;
                for (; i < s.n && chr_is_digit(s.p[i]) && v.dev < UINT32_MAX; i++)
                        v.dev = v.dev * 10 + (s.p[i] - '0');
        }
        return v;
}

int cond_version_cmp(struct str a, struct str b)
{
        struct version x = version_of(a), y = version_of(b);

        for (size_t i = 0; i < array_len(x.part); i++)
                if (x.part[i] != y.part[i])
                        return x.part[i] < y.part[i] ? -1 : 1;
        return x.dev == y.dev ? 0 : x.dev < y.dev ? -1 : 1;
}

static bool p_defined(const struct eval *e, const struct args *a)
{
        struct str v;

        return e->vars && e->vars->get(e->vars->ctx, a->a[0], &v);
}

static bool p_feature(const struct eval *e, const struct args *a)
{
        return e->o->feature && e->o->feature(a->a[0]);
}

static bool p_enabled(const struct eval *e, const struct args *a)
{
        return e->o->enabled && e->o->enabled(a->a[0]);
}

static bool p_streq(const struct eval *e, const struct args *a)
{
        (void)e;
        return str_eq(a->a[0], a->a[1]);
}

static bool p_strneq(const struct eval *e, const struct args *a)
{
        return !p_streq(e, a);
}

static bool p_strstr(const struct eval *e, const struct args *a)
{
        (void)e;
        return a->a[1].n == 0 || memmem(a->a[0].p, a->a[0].n, a->a[1].p, a->a[1].n) != NULL;
}

static bool p_version_atleast(const struct eval *e, const struct args *a)
{
        return e->o->version && cond_version_cmp(str_of(e->o->version), a->a[0]) >= 0;
}

static bool p_version_before(const struct eval *e, const struct args *a)
{
        return e->o->version && cond_version_cmp(str_of(e->o->version), a->a[0]) < 0;
}

static bool p_openssl_atleast(const struct eval *e, const struct args *a)
{
        return e->o->openssl_version && cond_version_cmp(str_of(e->o->openssl_version), a->a[0]) >= 0;
}

static bool p_openssl_before(const struct eval *e, const struct args *a)
{
        return e->o->openssl_version && cond_version_cmp(str_of(e->o->openssl_version), a->a[0]) < 0;
}

static bool p_ssllib(const struct eval *e, const struct args *a)
{
        return e->o->ssl_library && str_has_prefix(str_of(e->o->ssl_library), a->a[0]);
}

static const struct pred {
        const char *name;
        size_t n_args;
        bool (*fn)(const struct eval *e, const struct args *a);
} preds[] = {
        { "defined", 1, p_defined },
        { "enabled", 1, p_enabled },
        { "feature", 1, p_feature },
        { "openssl_version_atleast", 1, p_openssl_atleast },
        { "openssl_version_before", 1, p_openssl_before },
        { "ssllib_name_startswith", 1, p_ssllib },
        { "streq", 2, p_streq },
        { "strneq", 2, p_strneq },
        { "strstr", 2, p_strstr },
        { "version_atleast", 1, p_version_atleast },
        { "version_before", 1, p_version_before },
};

static const struct pred *pred_find(struct str name)
{
        for (size_t i = 0; i < array_len(preds); i++)
                if (str_is(name, preds[i].name))
                        return &preds[i];
        return NULL;
}

/* "$NAME" of -cc, from the '$' to the quote, the escape or the end: the value, or nothing. */
static int eval_vars(struct eval *e, char *mem, size_t *n)
{
        struct text_fault f;
        AUTO_BUF(b);
        size_t from = e->i;

        while (e->i < e->s.n && e->s.p[e->i] != '"' && e->s.p[e->i] != '\\')
                e->i++;
        if (!text_expand(str_sub(e->s, from, e->i - from), e->vars, &b, &f))
                return bad(e, from + f.at, "%s", f.what);
        if (b.n > ARG_MAX - *n)
                return bad(e, from, "argument too long");
        if (b.n)
                memcpy(mem + *n, b.p, b.n);
        *n += b.n;
        e->i--; /* the caller steps over the last byte */
        return 0;
}

/* One argument: up to an unquoted ',' or ')'. Blanks are part of it; quotes and escapes as on a line, but for \# \$ and
 * \xNN (manual 2.2). */
static int eval_arg(struct eval *e, char *mem, struct str *ret_a)
{
        size_t n = 0, from = e->i;
        char quote = 0;

        for (; e->i < e->s.n; e->i++) {
                char ch = e->s.p[e->i];

                if (!quote && (ch == ',' || ch == ')'))
                        break;
                if (quote ? ch == quote : ch == '"' || ch == '\'') {
                        quote = quote ? 0 : ch;
                        continue;
                }
                if (e->expand && ch == '$' && quote == '"') {
                        if (eval_vars(e, mem, &n) < 0)
                                return -1;
                        continue;
                }
                if (e->expand && ch == '\\' && quote != '\'' && e->i + 1 < e->s.n && e->s.p[e->i + 1] == '$')
                        ch = e->s.p[++e->i];
                else if (ch == '\\' && quote != '\'' && e->i + 1 < e->s.n && strchr("\"'\\ \t,)", e->s.p[e->i + 1]))
                        ch = e->s.p[++e->i];
                if (n == ARG_MAX)
                        return bad(e, from, "argument too long");
                mem[n++] = ch;
        }
        if (quote)
                return bad(e, from, "unmatched quote");
        *ret_a = (struct str){ mem, n };
        return 0;
}

static int eval_args(struct eval *e, const struct pred *p, struct args *a)
{
        size_t from = e->i + 1;

        do {
                e->i++;
                if (a->n == p->n_args)
                        return bad(e, e->i - 1,
                                   "expected ')' before '%.*s' in argument %zu of predicate '%s' used in conditional "
                                   "expression",
                                   (int)(e->s.n - e->i + 1 < 60 ? e->s.n - e->i + 1 : 60), e->s.p + e->i - 1,
                                   p->n_args - 1 ? p->n_args - 1 : 1, p->name);
                if (eval_arg(e, a->text[a->n], &a->a[a->n]) < 0)
                        return -1;
                a->n++;
        } while (e->i < e->s.n && e->s.p[e->i] == ',');
        if (e->i == e->s.n)
                return bad(e, from, "expected ')' in argument %zu of predicate '%s' used in conditional expression",
                           a->n - 1 ? a->n - 1 : 1, p->name);
        if (a->n < p->n_args)
                return bad(e, e->i,
                           "missing arguments (got %zu/%zu), type 'string' expected in argument %zu of predicate '%s' "
                           "used in conditional expression",
                           a->n, p->n_args, a->n, p->name);
        e->i++;
        return 0;
}

static int eval_pred(struct eval *e)
{
        struct args a = { .n = 0 };
        const struct pred *p;
        size_t from = e->i;

        while (e->i < e->s.n && (e->s.p[e->i] == '_' || (chr_lower((unsigned char)e->s.p[e->i]) >= 'a' &&
                                                         chr_lower((unsigned char)e->s.p[e->i]) <= 'z')))
                e->i++;
        p = pred_find(str_sub(e->s, from, e->i - from));
        if (!p)
                return unparsable(e, from);
        for (size_t i = 0; i < array_len(a.a); i++)
                a.a[i] = (struct str){ "", 0 };
        if (e->i == e->s.n || e->s.p[e->i] != '(')
                return 0; /* a bare name is accepted and false, as HAProxy has it */
        if (eval_args(e, p, &a) < 0)
                return -1;
        return p->fn(e, &a);
}

static int eval_number(struct eval *e)
{
        bool nonzero = false;

        if (e->s.p[e->i] == '-' || e->s.p[e->i] == '+')
                e->i++;
        for (; e->i < e->s.n && chr_is_digit(e->s.p[e->i]); e->i++)
                nonzero |= e->s.p[e->i] != '0';
        return nonzero;
}

static bool at_number(const struct eval *e)
{
        size_t i = e->i;

        if (i < e->s.n && (e->s.p[i] == '-' || e->s.p[i] == '+'))
                i++;
        return i < e->s.n && chr_is_digit(e->s.p[i]);
}

static int eval_atom(struct eval *e)
{
        size_t from = e->i;
        int r;

        if (at_number(e))
                return eval_number(e);
        if (!next_is(e, "("))
                return eval_pred(e);
        e->i++;
        r = eval_or(e);
        if (r < 0)
                return r;
        blanks(e);
        if (!next_is(e, ")"))
                return bad(e, from, "expected ')' after conditional expression '%.*s'",
                           (int)(e->s.n - from < 100 ? e->s.n - from : 100), e->s.p + from);
        e->i++;
        return r;
}

static int eval_not(struct eval *e)
{
        bool neg = false;
        size_t from;
        int r;

        blanks(e);
        from = e->i;
        while (next_is(e, "!")) {
                neg = !neg;
                e->i++;
                blanks(e);
        }
        if (e->i == e->s.n)
                return unparsable(e, from);
        r = eval_atom(e);
        return r < 0 ? r : neg ? !r : r;
}

static int eval_and(struct eval *e)
{
        int all = 1;

        for (;;) {
                int r = eval_not(e);

                if (r < 0)
                        return r;
                all &= r;
                blanks(e);
                if (!next_is(e, "&&"))
                        return all;
                e->i += 2;
        }
}

static int eval_or(struct eval *e)
{
        int any = 0;

        if (++e->depth > DEPTH_MAX)
                return bad(e, e->i, "conditional expression is nested too deeply");
        for (;;) {
                int r = eval_and(e);

                if (r < 0)
                        return r;
                any |= r;
                blanks(e);
                if (!next_is(e, "||"))
                        break;
                e->i += 2;
        }
        e->depth--;
        return any;
}

static int eval_all(struct eval *e)
{
        int r;

        if (str_trim(e->s).n == 0)
                return 0;
        r = eval_or(e);
        if (r < 0)
                return r;
        blanks(e);
        if (e->i < e->s.n)
                return bad(e, e->i, "unexpected character '%c' at the end of conditional expression '%.*s'",
                           e->s.p[e->i], (int)(e->s.n < 100 ? e->s.n : 100), e->s.p);
        return r;
}

int cond_eval(struct str expr, const struct conf_opts *o, const struct text_vars *v, struct cond_fault *ret_fault)
{
        struct eval e = { .s = expr, .o = o, .vars = v, .fault = ret_fault };

        return eval_all(&e);
}

static bool process_env(void *ctx, struct str name, struct str *ret_value)
{
        char z[256];

        (void)ctx;
        if (name.n >= sizeof(z))
                return false;
        memcpy(z, name.p, name.n);
        z[name.n] = 0;
        if (!getenv(z))
                return false;
        *ret_value = str_of(getenv(z));
        return true;
}

int conf_condition(struct str expr, const struct conf_opts *o, struct diags *d)
{
        const struct text_vars v = { process_env, NULL };
        struct cond_fault f;
        struct eval e = { .s = expr, .o = o, .vars = &v, .expand = true, .fault = &f };
        int r = eval_all(&e);

        if (r < 0)
                diag_add(d, DIAG_ALERT, SPAN_NONE, "E0020", "Failed to evaluate condition: %s", f.msg);
        return r;
}
