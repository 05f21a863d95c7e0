/* feat/checks/vars.c - variables of the scope "check": they live from a set-var to the end of its run (manual 2.8). */
#include "conf/conf.h"
#include "feat/checks/checks.h"

#include <stdlib.h>

static bool is_name(struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                unsigned char l = chr_lower((unsigned char)s.p[i]);

                if (!(l >= 'a' && l <= 'z') && !chr_is_digit(s.p[i]) && s.p[i] != '_' && s.p[i] != '.')
                        return false;
        }
        return s.n > 0;
}

const char *check_var_name(struct kw_call *c, const struct word *at, struct str name)
{
        struct str own = str_has_prefix(name, STR("check.")) ? str_sub(name, 6, name.n - 6) : (struct str){ "", 0 };

        if (memchr(name.p, ',', name.n)) {
                (void)kw_fail(c, at, "E0511", "'%.*s' : conditions of set-var are not supported yet.", (int)name.n,
                              name.p);
                return NULL;
        }
        if (!is_name(own)) {
                (void)kw_fail(c, at, "E0511",
                              "invalid variable name '%.*s': the only scope that a health check has here so far is "
                              "'check.'.",
                              (int)name.n, name.p);
                return NULL;
        }
        return conf_intern(c->conf, own);
}

static struct check_var *find(const struct check_vars *vars, const char *name)
{
        for (uint32_t i = 0; vars && i < vars->n; i++) {
                if (vars->v[i].name == name)
                        return (struct check_var *)(uintptr_t)&vars->v[i];
        }
        return NULL;
}

/* The bytes that a sample borrows, to be kept. */
static bool has_bytes(const struct smp *s)
{
        return s->type == SMP_STR || s->type == SMP_BIN;
}

bool check_var_set(struct check_vars *vars, const char *name, const struct smp *smp)
{
        struct check_var *v = find(vars, name);
        struct smp copy = *smp;
        char *mem = NULL;

        if (!v && vars->n == CHECK_VARS_MAX)
                return false;
        if (copy.type == SMP_METH && !smp_cast(&copy, SMP_STR))
                return false;
        if (has_bytes(&copy)) {
                mem = malloc(copy.s.n + 1u);
                if (!mem)
                        return false;
                memcpy(mem, copy.s.p, copy.s.n);
                copy.s.p = mem;
                copy.s.cap = 0;
                copy.is_const = true;
        }
        if (v)
                free(v->mem);
        else
                v = &vars->v[vars->n++];
        *v = (struct check_var){ name, copy, mem };
        return true;
}

void check_var_unset(struct check_vars *vars, const char *name)
{
        struct check_var *v = find(vars, name);

        if (!v)
                return;
        free(v->mem);
        *v = vars->v[--vars->n];
}

const struct smp *check_var_get(const struct check_vars *vars, const char *name)
{
        const struct check_var *v = find(vars, name);

        return v ? &v->smp : NULL;
}

void check_vars_fini(struct check_vars *vars)
{
        if (!vars)
                return;
        for (uint32_t i = 0; i < vars->n; i++)
                free(vars->v[i].mem);
        free(vars);
}

/* ---- the fetch ---- */

static bool var_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        args[0].ptr = (void *)(uintptr_t)check_var_name(c, at, (struct str){ args[0].s, args[0].n });
        (void)n_args;
        return args[0].ptr != NULL;
}

static enum expr_answer var_fetch(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,
                                  struct smp *ret_smp)
{
        (void)n_args;
        return x->check && x->check->var(x->check, args[0].ptr, ret_smp) ? EXPR_OK : EXPR_MISS;
}

static const struct fetch rows[] = {
        { .name = "var",
          .args = { ARG_STR },
          .min_args = 1,
          .out = SMP_ANY,
          .needs = EXPR_CHECK,
          .fn = var_fetch,
          .check = var_check,
          .manual = "7.3.2",
          .help = "a variable of this run of a health check: var(check.NAME)" },
};
FETCH_TABLE(check_vars, rows);
