/* feat/tables/tables.h - stick tables in a configuration: declared in a section, referred to by rules, samples and `stick` lines.
 *
 * What refers to a table may stand before its declaration, so references are kept and resolved when the whole file is read; only
 * then are tables opened (a `stick` line adds what it needs to the data of its table).
 * Ownership: the configuration's arena; an opened table is closed with it.  Threads: while loading, one. */
#ifndef FEAT_TABLES_TABLES_H
#define FEAT_TABLES_TABLES_H

#include "conf/conf.h"
#include "core/cond.h"
#include "core/kinds.h"
#include "core/table.h"

struct decl { /* a stick-table line */
        struct table_def def;
        struct words words;
        struct table *t; /* opened */
};

enum ref_kind { REF_SAMPLE, REF_TRACK, REF_STICK };

struct table_ref {
        struct table_ref *next;
        struct table *t; /* resolved: always there when a configuration runs */
        const char *name;
        const struct conf_obj *owner;
        enum ref_kind kind;
        const char *what;   /* the action or sample, for messages */
        enum smp_type type; /* of the key; SMP_ANY: no matter */
        struct span at;
};

struct stick_line {
        const struct stick_line *prev;
        const char *keyword; /* "stick on", for the dump */
        struct words words;
        bool match, store, rsp;
        const struct expr *expr;
        const struct cond *cond; /* NULL: always */
        const struct table_ref *table;
};

struct tables_cfg {        /* slot "tables": defaults (samples of its rules), frontend, backend, listen */
        struct decl *decl; /* NULL: none */
        struct table_ref *refs;
        const struct stick_line *last;
};
extern int tables_slot;

/* Notes that c's section refers to a table; name.n == 0: to its own. NULL after an alert. */
struct table_ref *table_refer(struct kw_call *c, struct str name, enum ref_kind kind, const char *what,
                              const struct word *at);
void tables_resolve(struct conf *c, struct diags *d);
unsigned tables_counters(struct conf *c); /* tune.stick-counters */

int stick_table_parse(struct kw_call *c);
int stick_parse(struct kw_call *c);

#endif
