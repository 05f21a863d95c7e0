/* conf/text.h - one line of a file into words (manual 2.2, 2.3).
 *
 * Words borrow from the raw line where they can; a word with a quote, an escape or a variable is written into the
 * tokenizer's own buffer. Either way they live until the next text_cut().
 * Errors: the first one of a line, as a fault; the caller makes a diagnostic of it and goes on with the next line. */
#ifndef CONF_TEXT_H
#define CONF_TEXT_H

#include "conf/diag.h"
#include "conf/kw.h"

#define TEXT_WORDS_MAX 64u    /* HAProxy's limit: the same files must be refused */
#define TEXT_LINE_MAX  65536u /* bytes; far over what real files have, bounds what one line may cost */

/* How variables are looked up; names may start with a dot (".FILE", ".LINE", ".SECTION"). */
struct text_vars {
        bool (*get)(void *ctx, struct str name, struct str *ret_value);
        void *ctx;
};

struct text_fault {
        const char *code;
        const char *what; /* without its place: "unmatched quote" */
        uint32_t at, len; /* byte offset in the raw line */
        uint32_t words;   /* complete words before it */
};

struct text {
        struct word w[TEXT_WORDS_MAX];
        size_t n;
        /* private */
        struct buf out;
        size_t off[TEXT_WORDS_MAX]; /* of a word in `out`, or SIZE_MAX when it borrows */
};

void text_fini(struct text *t);

/* Cuts `raw` (no line end) into t->w[0..n). `at` gives file and line. False: *ret_fault says why. */
bool text_cut(struct text *t, struct str raw, struct span at, const struct text_vars *v, struct text_fault *ret_fault);

/* Appends s with $X, ${X}, ${X-def} replaced, wherever they stand (addresses on bind, server and log lines). False and
 * *ret_fault, offsets into s, when a name is malformed. */
bool text_expand(struct str s, const struct text_vars *v, struct buf *out, struct text_fault *ret_fault);

/* The fault as an alert in HAProxy's words, with the position it counts. */
struct diag *text_report(struct diags *d, const struct text_fault *f, struct str raw, struct span at);

#endif
