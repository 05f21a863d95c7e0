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

/* A word that has no effect here (KW_T_NONE), kept for the dump. */
struct conf_unused {
        const struct kw *kw;
        const char *args; /* quoted, " a b", or "" */
        struct conf_unused *next;
};

struct conf_obj {
        const struct conf_kind *kind;
        const char *name; /* interned; "" when the kind has none */
        struct conf *conf;
        struct conf_obj *parent;     /* server -> backend, bind -> frontend */
        const struct conf_obj *from; /* the defaults it started from, or NULL */
        struct conf_obj *next;       /* in file order, among all of the load */
        struct conf_obj *child, *last_child;
        struct conf_obj *sibling; /* the next child of its parent; of a section: the next section */
        struct conf_names *names; /* of its children; made when one is looked for */
        kind_mask child_kinds;
        struct span at;          /* of its name, or of the section word */
        struct conf_stmt *stmts; /* NULL after the load unless keep_spans */
        uint32_t n_stmts;
        uint32_t index;                  /* running number in the file, from 0 */
        bool used_by_name, used_unasked; /* defaults: some section took it with `from`, as the last one */
        bool has_rules;                  /* defaults: KW_DEFAULTS_RULES */
        bool again;         /* its parent had a child of this kind and name already: conf_find_child() gives that one */
        uint8_t heir;       /* defaults with rules: 1 + bit number of the kind that inherits; 0: none yet */
        uint64_t dump_hash; /* of the canonical dump without children; 0: nobody has compared it yet */
        struct conf_unused *unused;
        const void *slots[]; /* one per table whose kinds has this object's bit; conf_slot() finds it */
};

struct conf_opts {
        const char *version;              /* level claimed, "3.4.0": version_atleast() */
        bool (*feature)(struct str name); /* feature("OPENSSL"), "TELAMON" ... */
        bool (*enabled)(struct str name); /* enabled("SPLICE") ... */
        const char *openssl_version;      /* "3.0.15", for openssl_version_*() */
        const char *ssl_library;          /* "OpenSSL 3.0.15 ...", for ssllib_name_startswith() */
        const char *const *env; /* "NAME=value", NULL-terminated: HAPROXY_* variables that only the load sees */
        bool diag;              /* -dD: .diag lines are shown */
        bool warn_is_error;     /* -dW */
        bool keep_spans;        /* false: stmts are freed after the checks (the worker needs none) */
};

struct conf {
        struct conf_obj *first;
        struct diags *diags; /* only during the load */
        const struct conf_opts *opts;
        uint32_t n_objs, n_unused;
        bool warn_is_error; /* starts as opts->warn_is_error; a row may set it (zero-warning) */
        /* private below */
        struct conf_priv *priv;
};

/* Reads `files` in order (a directory: its *.cfg, sorted; see manual management.txt "-f"), runs all checks when
 * the text is right. Never stops at the first error. Returns NULL when there was an alert (all in d). */
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
/* Creates a nested object (server, bind) of c->obj; its slots start from the defaults of that kind that c->obj, or the
 * defaults section it came from, has so far. A `single` kind (default-server) gives the same object again. */
struct conf_obj *conf_add_child(struct kw_call *c, kind_mask kind, struct str name, struct span at);
const char *conf_intern(struct conf *c, struct str s); /* one pointer per text in a load */
void *conf_alloc(struct conf *c, size_t n);            /* from the load's arena, zeroed */
/* Calls fn(arg) when the load is freed: for what rows keep outside its arena (TLS contexts). During the load only. */
void conf_at_free(struct conf *c, void (*fn)(void *arg), void *arg);
/* Where a row was set on this object (the last time), or the object's own place. */
struct span conf_span(const struct conf_obj *o, const struct kw *kw);
struct span conf_span_name(const struct conf_obj *o, const char *kw_name);

/* The load's own environment: variables of the process (through the vfs), what opts->env gave, what setenv and friends
 * did. During the load only; the process's environ is never changed. Values live as long as the conf. */
const char *conf_env_get(struct conf *c, struct str name); /* NULL when unset */
void conf_env_set(struct conf *c, struct str name, struct str value);
void conf_env_unset(struct conf *c, struct str name);
void conf_env_reset(struct conf *c, const struct word *keep, size_t n); /* unsets all but these */
/* The word with $X, ${X}, ${X-def} replaced even outside quotes: addresses of bind, server, log. Interned, never
 * empty; false after it appended an alert. */
bool conf_expand(struct kw_call *c, const struct word *w, const char **ret_text);
/* The same for who needs the text only now: it stands in the line or in *b. */
bool conf_expand_to(struct kw_call *c, const struct word *w, struct buf *b, struct str *ret_text);
/* Reads a file that the configuration names, through the load's vfs. */
int conf_read_file(struct conf *c, enum vfs_kind kind, const char *path, struct str *ret_text);
/* An answer of the machine (a resolved name), recorded like a file: vfs_make(). */
int conf_make_file(struct conf *c, enum vfs_kind kind, const char *key, int (*make)(const char *key, struct buf *out),
                   struct str *ret_text);

/* Equal for a reload: same kind, name and canonical dump (children not included). Works across loads. The dump is made
 * and hashed when an object is first compared, so loads may be compared by one thread at a time only. */
bool conf_obj_same(const struct conf_obj *a, const struct conf_obj *b);
/* How many different slot structs of this table the load holds. */
size_t conf_n_slots(const struct conf *c, int table);
size_t conf_memory(const struct conf *c); /* bytes held */

/* Canonical text. Objects are printed flat: with the values they inherited. So anonymous defaults and default-server
 * lines are left out (named defaults stay, other sections can be made from them at run time), and when a named one was
 * printed an empty `defaults` line follows, so that nothing inherits from it unasked. It parses again to equal
 * objects (test: every golden round-trips). */
void conf_dump_obj(const struct conf_obj *o, struct buf *out); /* the section or line with its children */
void conf_dump(const struct conf *c, struct buf *out);

/* What differs between two objects of one kind: calls fn for each row, with both values as the text that the dump would
 * hold ("" = built-in default). kw and table are NULL for the line's own head (a server's address), table alone for
 * words without effect. */
struct conf_delta {
        const struct kw_table *table;
        const struct kw *kw;
        const char *before, *after;
};
typedef void (*conf_delta_fn)(void *ctx, const struct conf_delta *d);
void conf_diff_obj(const struct conf_obj *a, const struct conf_obj *b, conf_delta_fn fn, void *ctx);

#endif
