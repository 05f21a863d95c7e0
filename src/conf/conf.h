/* conf/conf.h - a loaded configuration: objects with slots, and where each word stood.
 *
 * Ownership: a struct conf owns all its objects, slots and strings (one arena each); conf_put() of the last holder frees.
 * Threads: immutable after conf_load(); conf_get/conf_put are atomic. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "conf/kw.h"
#include "conf/vfs.h"

/* One line (or the part of a line that set one row), for errors found later and for the diff. */
struct conf_stmt {
        const struct kw *kw;
        struct span at;  /* of the keyword */
        struct span arg; /* of its first argument, or of the keyword */
};

struct conf_obj {
        const struct conf_kind *kind;
        const char *name;        /* interned; "" when the kind has none */
        struct conf_obj *parent; /* server -> backend, bind -> frontend */
        struct conf_obj *next;   /* in file order, among all of the load */
        struct conf_obj *child, *last_child, *sibling;
        struct span at; /* of its name, or of the section word */
        struct conf_stmt *stmts;
        uint32_t n_stmts;
        uint32_t index;      /* running number in the file, from 0 */
        uint64_t dump_hash;  /* of the canonical dump, children not included; set after checks */
        const void *slots[]; /* one per table whose kinds has this object's bit; conf_slot() finds it */
};

struct conf_opts {
        const char *version;              /* level claimed, "3.4.0": version_atleast() */
        bool (*feature)(struct str name); /* feature("OPENSSL"), "TELAMON" ... */
        bool (*enabled)(struct str name); /* enabled("SPLICE") ... */
        const char *openssl_version;      /* "3.0.15", for openssl_version_*() */
        bool warn_is_error;               /* -dW */
        bool keep_spans;                  /* false: stmts are freed after the checks (the worker needs none) */
};

struct conf {
        struct conf_obj *first;
        struct diags *diags; /* only during the load */
        const struct conf_opts *opts;
        /* private below */
        struct conf_priv *priv;
};

/* Reads `files` in order (a directory: its *.cfg, sorted; see manual management.txt "-f"), runs all checks. Never stops at
 * the first error. Returns NULL when there was an alert (all in d). */
struct conf *conf_load(struct vfs *v, const char *const *files, size_t n_files, const struct conf_opts *o,
                       struct diags *d);
struct conf *conf_get(struct conf *c);
void conf_put(struct conf *c);

/* Evaluates a condition for -cc: 1 true, 0 false, -1 not parsable (diag appended). */
int conf_condition(struct str expr, const struct conf_opts *o, struct diags *d);

const void *conf_slot(const struct conf_obj *o, int table);          /* NULL when the kind has no such slot */
void *conf_slot_edit(struct conf *c, struct conf_obj *o, int table); /* during parse and checks only */
struct conf_obj *conf_find(const struct conf *c, kind_mask kinds, struct str name);
struct conf_obj *conf_find_child(const struct conf_obj *parent, kind_mask kinds, struct str name);
/* Creates a nested object (server, bind) of `parent`; its slots start from the parent's defaults of that kind. */
struct conf_obj *conf_add_child(struct kw_call *c, kind_mask kind, struct str name, struct span at);
const char *conf_intern(struct conf *c, struct str s); /* one pointer per text in a load */
void *conf_alloc(struct conf *c, size_t n);            /* from the load's arena, zeroed */
/* Where a row was set on this object (the last time), or the object's own place. */
struct span conf_span(const struct conf_obj *o, const struct kw *kw);
struct span conf_span_name(const struct conf_obj *o, const char *kw_name);

/* Canonical text. It parses again to equal objects (test: every golden round-trips). */
void conf_dump_obj(const struct conf_obj *o, struct buf *out); /* the section or line with its children */
void conf_dump(const struct conf *c, struct buf *out);

/* What differs between two objects of one kind: calls fn for each row, with both values as text ("" = unset). */
struct conf_delta {
        const struct kw_table *table;
        const struct kw *kw;
        const char *before, *after;
};
typedef void (*conf_delta_fn)(void *ctx, const struct conf_delta *d);
void conf_diff_obj(const struct conf_obj *a, const struct conf_obj *b, conf_delta_fn fn, void *ctx);

#endif
