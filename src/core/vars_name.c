/* core/vars_name.c - names of variables: made once, never freed. See vars.h. */
#include "core/vars_priv.h"
#include "base/map.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const scope_names[VAR_SCOPES] = { "proc",  "sess",  "txn",  "req",  "res",
                                                     "check", "psess", "ptxn", "preq", "pres" };
static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;
static struct map names;

bool var_scope_find(struct str name, enum var_scope *ret_scope)
{
        for (unsigned i = 0; i < VAR_SCOPES; i++) {
                if (str_is(name, scope_names[i])) {
                        *ret_scope = (enum var_scope)i;
                        return true;
                }
        }
        return false;
}

static const struct var_name *refuse(char why[VAR_WHY_MAX], const char *fmt, ...) fmt_like(2, 3);

static const struct var_name *refuse(char why[VAR_WHY_MAX], const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(why, VAR_WHY_MAX, fmt, ap);
        va_end(ap);
        return NULL;
}

static struct var_name *name_new(struct str text, enum var_scope scope)
{
        static uint32_t next;
        struct var_name *n = calloc(1, sizeof(*n) + text.n + 1);

        ASSERT(n); /* ADR 0002: a part of the configuration */
        n->scope = scope;
        n->n = (uint32_t)text.n;
        n->bucket = next++ % VAR_BUCKETS;
        memcpy(n->text, text.p, text.n);
        map_set(&names, (struct str){ n->text, text.n }, n);
        return n;
}

static const struct var_name *intern(struct str text, enum var_scope scope, char why[VAR_WHY_MAX])
{
        struct var_name *n;

        pthread_mutex_lock(&names_lock);
        n = map_get(&names, text);
        if (!n && names.used < VAR_NAMES_MAX)
                n = name_new(text, scope);
        pthread_mutex_unlock(&names_lock);
        return n ? n : refuse(why, "more than %d variables", VAR_NAMES_MAX);
}

const struct var_name *var_name_parse(struct str text, char ret_why[VAR_WHY_MAX])
{
        const char *dot = text.n ? memchr(text.p, '.', text.n) : NULL;
        size_t at = dot ? (size_t)(dot - text.p) : 0;
        enum var_scope scope;

        if (text.n == 0)
                return refuse(ret_why, "Empty variable name cannot be accepted");
        if (!dot || at + 1 == text.n || !var_scope_find(str_sub(text, 0, at), &scope))
                return refuse(ret_why,
                              "invalid variable name '%.*s'. A variable name must start with its scope. The scope can "
                              "be 'proc', '(p)sess', '(p)txn', '(p)req', '(p)res' or 'check'",
                              text.n > 256 ? 256 : (int)text.n, text.p);
        for (size_t i = at + 1; i < text.n; i++) {
                if (!chr_is_alnum(text.p[i]) && text.p[i] != '_' && text.p[i] != '.')
                        return refuse(ret_why, "invalid syntax at char '%c'", text.p[i]);
        }
        return intern(text, scope, ret_why);
}

enum var_scope var_scope_of(const struct var_name *n)
{
        return n->scope;
}

struct str var_text(const struct var_name *n)
{
        return (struct str){ n->text, n->n };
}

bool var_arg(struct kw_call *c, struct expr_arg *a, const struct word *at, const char *what)
{
        char why[VAR_WHY_MAX];

        a->ptr = (void *)(uintptr_t)var_name_parse((struct str){ a->s, a->n }, why);
        if (!a->ptr)
                (void)kw_fail(c, at, "E0750", "invalid args in %s : %s.", what, why);
        return a->ptr != NULL;
}

unsigned var_cond(struct str name)
{
        static const char *const conds[] = { "ifexists", "ifnotexists", "ifempty", "ifnotempty",
                                             "ifset",    "ifnotset",    "ifgt",    "iflt" };

        for (unsigned i = 0; i < array_len(conds); i++) {
                if (str_is(name, conds[i]))
                        return 1u << i;
        }
        return 0;
}

static bool take_conds(struct str rest, bool unset, unsigned *ret_conds, char why[VAR_WHY_MAX])
{
        if (unset && rest.n) {
                (void)refuse(why, "unset-var does not expect parameters after the variable name. Only \"set-var\" and "
                                  "\"set-var-fmt\" manage conditions");
                return false;
        }
        while (rest.n) { /* each with its comma */
                const char *comma = memchr(rest.p + 1, ',', rest.n - 1);
                struct str one = str_sub(rest, 1, (comma ? (size_t)(comma - rest.p) : rest.n) - 1);
                unsigned bit = var_cond(one);

                if (one.n && !bit) {
                        (void)refuse(why, "unknown condition \"%.*s\"", one.n > 256 ? 256 : (int)one.n, one.p);
                        return false;
                }
                *ret_conds |= bit;
                rest = str_sub(rest, one.n + 1, rest.n - one.n - 1);
        }
        return true;
}

bool var_use_parse(struct str word, struct var_use *ret_use, char ret_why[VAR_WHY_MAX])
{
        static const char expects[] =
                "Expects 'set-var(<var-name>)', 'set-var-fmt(<var-name>)' or 'unset-var(<var-name>)'";
        const char *open = memchr(word.p, '(', word.n), *comma;
        int shown = word.n > 256 ? 256 : (int)word.n;
        struct var_use u = { .conds = 0 };
        struct str in, name;

        if (!open || word.p[word.n - 1] != ')') {
                (void)refuse(ret_why,
                             open ? "incomplete argument after action '%.*s'. %s"
                                  : "invalid or incomplete action '%.*s'. %s",
                             shown, word.p, expects);
                return false;
        }
        in = str_sub(word, (size_t)(open - word.p) + 1, (size_t)(word.p + word.n - open) - 2);
        comma = in.n ? memchr(in.p, ',', in.n) : NULL;
        name = comma ? str_sub(in, 0, (size_t)(comma - in.p)) : in;
        u.name = var_name_parse(name, ret_why);
        if (!u.name ||
            !take_conds(str_sub(in, name.n, in.n - name.n), str_has_prefix(word, STR("unset-var")), &u.conds, ret_why))
                return false;
        *ret_use = u;
        return true;
}

/* ---- all of them ---- */

static int by_text(const void *a, const void *b)
{
        return strcmp((*(const struct var_name *const *)a)->text, (*(const struct var_name *const *)b)->text);
}

void var_each(enum var_scope scope, const struct expr_ctx *x, var_each_fn fn, void *arg)
{
        const struct var_name **v;
        struct map_entry *e;
        struct smp s;
        size_t n = 0;

        pthread_mutex_lock(&names_lock);
        v = malloc((names.used + 1) * sizeof(struct var_name *));
        for (size_t i = 0; v && (e = map_next(&names, &i)) != NULL;) {
                if (((struct var_name *)e->value)->scope == scope)
                        v[n++] = e->value;
        }
        pthread_mutex_unlock(&names_lock);
        if (!v)
                return;
        qsort(v, n, sizeof(v[0]), by_text);
        for (size_t i = 0; i < n; i++) {
                if (var_get(v[i], x, &s))
                        fn(arg, v[i], &s);
        }
        free(v);
}
