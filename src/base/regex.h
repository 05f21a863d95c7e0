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

#endif
