/* feat/fetches/acls.c - acl(): named ACLs of the section as one boolean (manual 7.3.2). */
#include "core/cond.h"
#include "conf/conf.h"
#include "feat/fetches/fetch.h"

/* They become a condition "if a !b": args[0].ptr. What its tests need is asked where they run, as in HAProxy. */
static bool acl_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        const unsigned anywhere = (1u << 30) - 1;
        struct word w[1 + EXPR_ARGS_MAX] = { { .text = STR("if") } };

        for (unsigned i = 0; i < n_args; i++) {
                w[i + 1] = (struct word){ .text = { args[i].s, args[i].n }, .at = at ? at->at : c->at };
                if (args[i].n == 0 || args[i].s[0] == '{' || str_is(w[i + 1].text, "or") || str_is(w[i + 1].text, "||"))
                        return !kw_fail(c, at, "E0701", "sample fetch 'acl' : '%s' is not the name of an ACL",
                                        args[i].s);
        }
        args[0].ptr = (void *)(uintptr_t)cond_compile(c, "the arguments of acl()", w, n_args + 1, anywhere);
        return args[0].ptr != NULL;
}

FETCH(acl)
{
        UNUSED;
        switch (cond_run(args[0].ptr, x)) {
        case COND_TRUE: return answer_bool(ret_smp, true);
        case COND_FALSE: return answer_bool(ret_smp, false);
        case COND_WAIT: return EXPR_WAIT;
        }
        return EXPR_MISS;
}

static const struct fetch rows[] = {
        { .name = "acl",
          .args = { ARG_STR, ARG_STR, ARG_STR, ARG_STR, ARG_STR, ARG_STR, ARG_STR, ARG_STR, ARG_STR, ARG_STR, ARG_STR,
                    ARG_STR },
          .min_args = 1,
          .out = SMP_BOOL,
          .needs = EXPR_INTERNAL,
          .fn = acl,
          .check = acl_check,
          .manual = "7.3.2",
          .help = "do all the named ACLs match" },
};
FETCH_TABLE(acls, rows);
