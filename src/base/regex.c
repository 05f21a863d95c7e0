/* base/regex.c - see regex.h. Match data and limits are per thread: neither may be shared, and both cost an allocation. */
#include "base/regex.h"
#include "base/thr.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <errno.h>
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
        s->data = pcre2_match_data_create(REGEX_GROUPS, NULL);
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

bool regex_find(const struct regex *r, struct str subject, size_t from, struct regex_found *ret_f)
{
        struct scratch *s = scratch();
        const char *p = subject.p ? subject.p : "";
        const PCRE2_SIZE *at;
        int n;

        if (from > subject.n)
                return false;
        n = pcre2_match(r->code, (PCRE2_SPTR)p, subject.n, from, 0, s->data, s->limits);
        if (n < 0)
                return false;
        if (n == 0) /* more groups than fit: the first ones are there */
                n = REGEX_GROUPS;
        at = pcre2_get_ovector_pointer(s->data);
        *ret_f = (struct regex_found){ 0 };
        for (int i = 0; i < n; i++)
                if (at[2 * i] != PCRE2_UNSET && at[2 * i] <= at[2 * i + 1]) /* \K in a look-ahead can turn it round */
                        ret_f->group[i] = (struct str){ p + at[2 * i], at[2 * i + 1] - at[2 * i] };
        return true;
}

static int hex_digit(char ch)
{
        unsigned v = (unsigned char)ch;

        return v - '0' < 10 ? (int)(v - '0') : (v | 32) - 'a' < 6 ? (int)((v | 32) - 'a') + 10 : -1;
}

/* One escape behind the backslash; *i stands on its last byte afterwards. */
static struct str escaped(const struct regex_found *f, struct str text, size_t *i, char *byte)
{
        char ch = text.p[*i];
        int hi, lo;

        if (ch >= '0' && ch <= '9')
                return f->group[ch - '0'];
        *byte = ch;
        if (ch == 'x' && *i + 2 < text.n && (hi = hex_digit(text.p[*i + 1])) >= 0 &&
            (lo = hex_digit(text.p[*i + 2])) >= 0) {
                *byte = (char)(hi * 16 + lo);
                *i += 2;
        }
        return (struct str){ byte, 1 };
}

int regex_expand(const struct regex_found *f, struct str text, char *dst, size_t n, size_t *ret_n)
{
        size_t used = 0;
        char byte;

        for (size_t i = 0; i < text.n; i++) {
                struct str piece = { text.p + i, 1 };

                if (text.p[i] == '\\' && i + 1 < text.n) {
                        i++;
                        piece = escaped(f, text, &i, &byte);
                }
                if (piece.n > n - used)
                        return -ENOSPC;
                if (piece.n)
                        memcpy(dst + used, piece.p, piece.n);
                used += piece.n;
        }
        *ret_n = used;
        return 0;
}
