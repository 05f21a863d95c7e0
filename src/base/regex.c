/* base/regex.c - see regex.h. Match data and limits are per thread: neither may be shared, and both cost an allocation. */
#include "base/regex.h"
#include "base/thr.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdlib.h>

struct regex {
        pcre2_code *code;
};

struct scratch {
        pcre2_match_data *data;
        pcre2_match_context *limits;
};

static unsigned local_index;

static void scratch_free(void *p)
{
        struct scratch *s = p;

        pcre2_match_data_free(s->data);
        pcre2_match_context_free(s->limits);
        free(s);
}

__attribute__((constructor)) static void reserve_index(void)
{
        local_index = thr_local_index(scratch_free);
}

static struct scratch *scratch(void)
{
        struct scratch *s = thr_self->local[local_index];

        if (s)
                return s;
        s = calloc(1, sizeof(*s));
        ASSERT(s); /* ADR 0002: once per thread */
        s->data = pcre2_match_data_create(1, NULL);
        s->limits = pcre2_match_context_create(NULL);
        ASSERT(s->data && s->limits);
        (void)pcre2_set_match_limit(s->limits, REGEX_STEPS);
        (void)pcre2_set_depth_limit(s->limits, 1000);
        (void)pcre2_set_heap_limit(s->limits, 1024); /* KiB */
        thr_self->local[local_index] = s;
        return s;
}

struct regex *regex_new(struct str pattern, bool icase, struct regex_error *ret_err)
{
        struct regex *r = calloc(1, sizeof(*r));
        PCRE2_SIZE at = 0;
        int err = 0;

        if (!r)
                return NULL;
        r->code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, icase ? PCRE2_CASELESS : 0, &err, &at, NULL);
        if (!r->code) {
                (void)pcre2_get_error_message(err, (PCRE2_UCHAR *)ret_err->text, sizeof(ret_err->text));
                ret_err->at = at;
                free(r);
                return NULL;
        }
        (void)pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); /* where it may not: the interpreter, same limits */
        return r;
}

void regex_free(struct regex *r)
{
        if (!r)
                return;
        pcre2_code_free(r->code);
        free(r);
}

bool regex_match(const struct regex *r, struct str subject)
{
        struct scratch *s = scratch();

        return pcre2_match(r->code, (PCRE2_SPTR)(subject.p ? subject.p : ""), subject.n, 0, 0, s->data, s->limits) >= 0;
}
