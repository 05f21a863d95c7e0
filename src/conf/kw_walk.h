/* conf/kw_walk.h - the generated test: every row of the tables that are linked in, with missing, extra, wrong and
 * out-of-range arguments.
 *
 * Each bad form is put into a small file of its own, at a known line, and must be answered by an alert on that line whose
 * column lies on the keyword or on the argument that is wrong. Each good form (made from the row's type, or .sample) must
 * load, dump, and load again to an equal dump. Nested kinds use .parents and .example of their kind.
 * What cannot be made is counted, not passed over: KW_FN rows without .sample have no good form. */
#ifndef CONF_KW_WALK_H
#define CONF_KW_WALK_H

#include "conf/conf.h"

struct kw_walk {
        size_t rows, bad_forms, good_forms, no_sample;
        size_t failures;
        struct buf report; /* a paragraph for each failure; the caller calls buf_fini() */
};

/* Runs over all rows. opts: as for conf_load(). */
void kw_walk(const struct conf_opts *o, struct kw_walk *w);

#endif
