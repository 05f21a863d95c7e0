/* conf/later.h - names of HAProxy that this program has not: refused as what they are, not as typing mistakes.
 *
 * A name is looked up here only after no row took it, so a row of that name always wins; feat/later's test then fails and
 * `tools/later --prune` takes the name off its list. conf/ knows no name and no kind of thing: `what` is a word that a
 * table and the code that judges such names agree on, and what the message calls it. KW_REFUSE is for a word that needs
 * advice of its own.
 * Ownership: tables are const.  Threads: any. */
#ifndef CONF_LATER_H
#define CONF_LATER_H

#include "conf/kw.h"

#define LATER_KEYWORD "keyword" /* of lines and of words of a line: by kind */
#define LATER_SECTION "section"

struct later_table {
        const char *id;
        const char *what; /* LATER_KEYWORD, LATER_SECTION, "converter" ... */
        kind_mask kinds;  /* keywords: of the objects they belong to */
        const char *of;   /* what belongs to one keyword only, as an action to "http-request"; or NULL */
        bool never;       /* not planned: the message does not say "yet" */
        /* "one,timeout two,three*": no blank but the one between a keyword's words. A star at the end takes any rest of
         * the word. */
        const char *names;
};

#define LATER_TABLE(n, ...)                                                                                            \
        static const struct later_table n##_later = { .id = #n, __VA_ARGS__ };                                         \
        static const struct later_table *const n##_later_reg __attribute__((used, section("telamon_later"))) =         \
                &n##_later

/* The table that lists this name, or NULL. `kinds` and `of` as in the table (0, NULL where they mean nothing). */
const struct later_table *later_find(const char *what, kind_mask kinds, const char *of, struct str name);
/* What a message says of a name without a kind, "'add-acl' is an action of HAProxy that Telamon does not support yet"; NULL
 * when it is not listed. */
const char *later_text(struct arena *mem, const char *what, const char *of, struct str name);
/* The same of a line's keyword, as many of its words as a name has. `begun`: rows begin with the first word, so it alone is
 * not what is missing. *ret_n = how many words. */
const char *later_line(struct arena *mem, kind_mask kind, const struct word *w, size_t n, bool begun, size_t *ret_n);

/* For documents and tests: all tables in the order of the link; the names of one, one after the other. */
const struct later_table *const *later_tables(size_t *ret_n);
bool later_next(struct str *names, struct str *ret_name);

#endif
