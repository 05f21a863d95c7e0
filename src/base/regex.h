/* base/regex.h - regular expressions: PCRE2 with JIT, and limits, because patterns meet bytes of strangers.
 *
 * A pattern that backtracks without end stops at REGEX_STEPS and counts as "no match".
 * Ownership: regex_new/free.  Threads: a compiled pattern is immutable, any number may match with it.
 * Errors: regex_new() says why in words; matching has none. */
#ifndef BASE_REGEX_H
#define BASE_REGEX_H

#include "base/assert.h"
#include "base/str.h"

struct regex;

#define REGEX_STEPS 100000u

struct regex_error {
        char text[120];
        size_t at; /* offset in the pattern */
};

/* NULL: not a pattern (ret_err says why), or no memory. */
struct regex *regex_new(struct str pattern, bool icase, struct regex_error *ret_err);
void regex_free(struct regex *r); /* NULL is fine */
/* Anywhere in the subject, which may hold NUL bytes. */
bool regex_match(const struct regex *r, struct str subject);

#define REGEX_GROUPS 10 /* \0 to \9 */
struct regex_found {
        struct str group[REGEX_GROUPS]; /* 0: all that matched; they point into the subject, p NULL: took no part */
};
/* The first match at or after `from`. */
bool regex_find(const struct regex *r, struct str subject, size_t from, struct regex_found *ret_f);
/* Writes `text` with \0 to \9 replaced by those groups, \xHH by that byte and \C by C. -ENOSPC: more than n bytes. */
must_check int regex_expand(const struct regex_found *f, struct str text, char *dst, size_t n, size_t *ret_n);

#endif
