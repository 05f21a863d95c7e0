/* core/pat_int.h - the inside of sets of patterns, for pat.c (indexes) and pat_ref.c (files, versions, run time). */
#ifndef CORE_PAT_INT_H
#define CORE_PAT_INT_H

#include "base/arena.h"
#include "core/pat.h"

#include <pthread.h>

enum { PAT_TEXT_MAX = 1024, PAT_EXPRS_MAX = 32, PAT_SIX_FROM = 64, PAT_USES_MAX = 64 };

struct pat_val {
        struct str text; /* behind the struct */
        bool at_load;    /* in the set's arena */
};

struct pat_item { /* an entry as one pat_expr sees it */
        _Atomic(struct pat_item *) next;
        struct pat_item *prev;
        struct pat_entry *entry;
        struct acl_pat pat;
        struct regex *regex;
        bool at_load;
};

struct pat_entry {
        _Atomic(struct pat_val *) value; /* NULL: not of a map */
        uint32_t version, n;
        struct pat_entry *prev, *next; /* of the set, in order */
        struct pat_item **items;       /* by pat_expr.no; NULL: none needed one */
        unsigned line;
        bool at_load, indexed; /* indexed: by all ways to match */
        char key[];
};

struct pat_expr {
        struct pat_ref *ref;
        enum acl_match how;
        bool icase;
        enum pat_out out;
        unsigned no;
        _Atomic(struct table *) table;
        _Atomic uint64_t lengths[PAT_TEXT_MAX / 64]; /* networks: IPv4 from 0, IPv6 from PAT_SIX_FROM */
        _Atomic(struct pat_item *) first;            /* what no table holds */
        struct pat_item *last;
};

struct pat_use {
        const char *what, *file; /* what: "acl", "map" */
        unsigned line;
};

struct pat_ref {
        struct pat_ref *next; /* of the configuration, by id */
        const struct conf *conf;
        const char *name, *shown; /* shown: with its prefix */
        unsigned id, load;
        bool map;
        _Atomic uint32_t version;
        uint32_t next_version;
        pthread_mutex_t lock; /* changes at run time */
        struct arena mem;
        struct pat_entry *first, *last;
        size_t n_entries;
        struct pat_expr *exprs[PAT_EXPRS_MAX];
        unsigned n_exprs, n_uses;
        struct pat_use uses[PAT_USES_MAX];
};

bool pat_value_ok(enum pat_out out, struct str v);
struct pat_entry *pat_entry_add(struct pat_ref *r, struct str key, const struct str *value, bool at_load);
bool pat_entry_index(struct pat_ref *r, struct pat_entry *e, char why[PAT_WHY_MAX]);
void pat_entry_drop(struct pat_ref *r, struct pat_entry *e);
void pat_entry_set(struct pat_ref *r, struct pat_entry *e, struct str value);

#endif
