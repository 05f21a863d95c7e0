/* conf/kw.h - the keyword engine: one directive is one row of a const table.
 *
 * A table fills one C struct (a *slot*) for objects of some kinds. From a row follow: parse, range check, "did you
 * mean", default, `no` form, inheritance from defaults sections, dump, equality for reload, apply class, help, manual
 * page, completion. A row with odd grammar brings a parse and a dump function (KW_FN); the build test refuses one
 * without the other.
 *
 * conf/ knows no directive and no kind by name: kinds are rows too (core/kinds.c), bits are given by core/kinds.h.
 *
 * Registration: KW_TABLE() puts a pointer into a linker section, so that adding a directive touches one folder. Objects
 * must be linked whole (ADR 0003). Order of link means nothing: tables are sorted by name at boot.
 *
 * Life of a slot: copy on write. An object starts with the slots of its defaults (or the table's built-in defaults); the
 * first word that writes to a slot copies it. Equal slots of one load are shared (hash-consed by bytes: strings are
 * interned, so equal text is an equal pointer). 100,000 servers with equal words share one struct.
 * Threads: parsing is single-threaded; finished objects are immutable. */
#ifndef CONF_KW_H
#define CONF_KW_H

#include "conf/diag.h"

struct conf;
struct conf_obj;
struct kw;

typedef uint64_t kind_mask;

/* A word of a line after quoting, escapes and variables; `raw` is what stood in the file. */
struct word {
        struct str text;
        struct str raw;
        struct span at;
        bool quoted; /* had quotes or an escape: never taken for a keyword prefix such as `no` */
};

struct line {
        const struct word *w;
        size_t n;
        struct span at;
};

/* How a changed value reaches a running worker (`telamon plan` prints it). */
enum kw_apply {
        KW_LIVE,    /* at once, also for what is under way */
        KW_NEW,     /* new connections, sessions or requests; what runs keeps the old value */
        KW_SWAP,    /* by a worker swap: sockets and tables are handed over */
        KW_REFUSED, /* needs a full restart; a reload that changes it is refused with this reason */
};

enum kw_type {
        KW_T_FLAG,    /* bool: present = 1, `no x` = 0; takes no argument */
        KW_T_INT,     /* int / unsigned / int64 by size, range checked */
        KW_T_SIZE,    /* bytes with k, m, g suffix (manual 2.5), uint64 or unsigned */
        KW_T_TIME,    /* manual 2.5; stored in milliseconds, bare numbers are milliseconds */
        KW_T_TIME_S,  /* the same, but a bare number is seconds; stored in milliseconds */
        KW_T_STR,     /* const char *, interned */
        KW_T_ENUM,    /* int, one of .vals */
        KW_T_BITS,    /* unsigned: the row ORs .bit when present, clears it for `no x` */
        KW_T_FN,      /* .parse and .dump */
        KW_T_NONE,    /* truly has no effect here (.why says so): warns, is counted, is dumped */
        KW_T_REFUSED, /* not supported, and .why says what to do instead; a bare name stands in a later_table */
};

struct kw_val {
        const char *name;
        int value;
};

enum kw_in_defaults { /* what a row may do in a defaults section (manual 4.1, "(!)") */
                      KW_DEFAULTS_ANY,
                      KW_DEFAULTS_NAMED, /* only in one with a name */
                      KW_DEFAULTS_RULES, /* that, and who inherits them is of one kind: they run before the section's own */
};

/* One use of a keyword while parsing. args[0] is the first word after the keyword's own words. */
struct kw_call {
        struct conf *conf;
        struct conf_obj *obj; /* the object being filled */
        const struct kw *kw;
        void *slot;              /* writable; the row's struct */
        const struct line *line; /* the whole line */
        const struct word *args;
        size_t n_args;  /* all that is left on the line */
        struct span at; /* of the keyword itself */
        bool no;        /* `no` (or `default` handled by the engine) stood before it */
        struct diags *diags;
};

/* Returns how many args it took (the engine complains about the rest), or -1 after it appended an alert. */
typedef int (*kw_parse_fn)(struct kw_call *c);
/* Appends the canonical line(s), each "    keyword args\n" for line rows or " keyword args" for word rows; nothing when
 * the value is the built-in default. What it prints must parse to an equal slot. */
typedef void (*kw_dump_fn)(const struct kw *kw, const void *slot, struct buf *out);

struct kw {
        const char *name;          /* "timeout client": words separated by one space, longest match wins */
        const char *help;          /* one sentence; the manual page and completion print it */
        const char *manual;        /* section of HAProxy's configuration manual, "4.2" */
        const char *why;           /* KW_T_NONE / KW_T_REFUSED / deprecated text */
        const char *since, *until; /* "2.6": versions that have it, informative */
        const char *args;          /* argument syntax for help: "<time>", "<name> [<addr>]" */
        kind_mask kinds;           /* narrows the table's kinds; 0 = all of the table's */
        kind_mask warn_kinds;      /* accepted there with the classic "ignored because ..." warning, no effect */
        enum kw_type type;
        enum kw_apply apply;
        enum kw_in_defaults in_defaults;
        uint16_t off, size; /* of the field in the slot */
        uint32_t bit;       /* KW_T_BITS */
        bool no_ok;         /* accepts the `no` prefix (KW_T_FLAG and KW_T_BITS do by themselves) */
        int64_t min, max;   /* value range; STR: length, max 0 = any; NONE word rows: max = arguments taken */
        const struct kw_val *vals;
        const char *sample;      /* valid arguments, for the generated test; needed for KW_FN, else made from type */
        const char *sample_rest; /* lines that a good use needs after it: "backend b\n" */
        kw_parse_fn parse;
        kw_dump_fn dump;
};

/* The struct that a table fills, for objects of these kinds. */
struct kw_table {
        const char *name; /* unique: "proxy", "check.server" */
        kind_mask kinds;
        size_t size;          /* of the struct; 0 = rows that only act (no storage) */
        bool own;             /* what each object has alone: equal ones are not looked for */
        const void *defaults; /* its built-in default content, or NULL = zero bytes */
        const struct kw *rows;
        size_t n_rows;
        int rank; /* order of dump and of check(), then by name */
        /* After the whole load: cross checks of one object; may change *slot (writable copy). NULL = none. */
        void (*check)(struct conf *c, struct conf_obj *o, void *slot, struct diags *d);
        int *ret_index; /* the engine stores the table's number here at boot; use conf_slot() */
};

/* The type of the field must fit the row: a row that names a field of another type does not compile. */
#define KW_FIELD(st, f, T)                                                                                             \
        .off = (uint16_t)offsetof(st, f), .size = (uint16_t)(sizeof(((st *)0)->f) + 0 * sizeof((T *)0 == &((st *)0)->f))
#define KW_ROW(n, t, ...)                                                                                              \
        {                                                                                                              \
                .name = n, .type = t, __VA_ARGS__                                                                      \
        }
#define KW_RANGE(lo, hi)                .min = lo, .max = hi
#define KW_FLAG(n, st, f, ...)          KW_ROW(n, KW_T_FLAG, KW_FIELD(st, f, bool), __VA_ARGS__)
#define KW_INT(n, st, f, lo, hi, ...)   KW_ROW(n, KW_T_INT, KW_FIELD(st, f, int), KW_RANGE(lo, hi), __VA_ARGS__)
#define KW_INT64(n, st, f, lo, hi, ...) KW_ROW(n, KW_T_INT, KW_FIELD(st, f, int64_t), KW_RANGE(lo, hi), __VA_ARGS__)
#define KW_SIZE(n, st, f, lo, hi, ...)  KW_ROW(n, KW_T_SIZE, KW_FIELD(st, f, uint64_t), KW_RANGE(lo, hi), __VA_ARGS__)
#define KW_TIME(n, st, f, ...)          KW_ROW(n, KW_T_TIME, KW_FIELD(st, f, int), __VA_ARGS__) /* .max 0 = INT32_MAX */
#define KW_TIME_S(n, st, f, ...)        KW_ROW(n, KW_T_TIME_S, KW_FIELD(st, f, int), __VA_ARGS__)
#define KW_STR(n, st, f, ...)           KW_ROW(n, KW_T_STR, KW_FIELD(st, f, const char *), __VA_ARGS__)
#define KW_ENUM(n, st, f, v, ...)       KW_ROW(n, KW_T_ENUM, KW_FIELD(st, f, int), .vals = v, __VA_ARGS__)
#define KW_BITS(n, st, f, b, ...)       KW_ROW(n, KW_T_BITS, KW_FIELD(st, f, unsigned), .bit = b, __VA_ARGS__)
#define KW_FN(n, p, d, ...)             KW_ROW(n, KW_T_FN, .parse = p, .dump = d, __VA_ARGS__)
#define KW_NONE(n, w, ...)              KW_ROW(n, KW_T_NONE, .why = w, __VA_ARGS__)
#define KW_REFUSE(n, w, ...)            KW_ROW(n, KW_T_REFUSED, .why = w, __VA_ARGS__)

/* KW_TABLE(proxy, KIND_FRONTEND | KIND_BACKEND, struct proxy_cfg, rows, .defaults = &d, .check = f); defines
 * `int proxy_slot` (the table's number) and registers the table. */
#define KW_TABLE(id, k, st, r, ...)                                                                                    \
        int id##_slot = -1;                                                                                            \
        static const struct kw_table id##_kw_table = { .name = #id,                                                    \
                                                       .kinds = (k),                                                   \
                                                       .size = sizeof(st),                                             \
                                                       .rows = (r),                                                    \
                                                       .n_rows = array_len(r),                                         \
                                                       .ret_index = &id##_slot,                                        \
                                                       __VA_ARGS__ };                                                  \
        static const struct kw_table *const id##_kw_reg __attribute__((used, section("telamon_kw"))) = &id##_kw_table

/* A kind of object that a file describes: a section, or a line with words of its own (server, bind).
 *
 * Rows of a section's kind are lines; rows of a nested kind are words of its line. There the `no` form of a row "x" is
 * the word "no-x", and the kind's own line is parsed by a KW_FN row of the parent: it calls conf_add_child(), then
 * kw_parse_words(); its dump is kw_dump_child. */
struct conf_kind {
        const char *name;   /* the section's first word, or the kind's name for nested ones */
        kind_mask bit;      /* one bit */
        bool section;       /* starts at a section line */
        bool named;         /* section: needs a name ("frontend x"); defaults: may have one */
        bool single;        /* all sections of this kind are one object (global) */
        bool is_defaults;   /* later sections inherit from the last one before them, or from `from NAME` */
        kind_mask inherits; /* kinds of defaults that it inherits from (sections: defaults; server: default-server) */
        const char *clash;  /* sections with an equal clash group may not share a name; comma separated groups */
        kind_mask parents;  /* nested: kinds it may stand in */
        const char *lacks;  /* "backend": rows of others are refused "because frontend 'f' has no backend capability" */
        bool short_place;   /* nested: classic place is "[f:1] : " without "parsing" (server lines) */
        const char *example; /* nested: a whole line without words, "server s 127.0.0.1:80"; tests, manual */
        /* nested: the line up to its words, "server s 127.0.0.1:80"; NULL = kind's and object's name */
        void (*dump)(const struct conf_obj *o, struct buf *out);
        /* what stands before a message about one of its words, "'server b/s' : "; NULL = this form */
        void (*title)(const struct conf_obj *o, struct buf *out);
        /* section: takes what follows the name on its line (c->args), returns how many; NULL = nothing may follow */
        int (*args)(struct kw_call *c);
};

#define CONF_KIND(id)                                                                                                  \
        static const struct conf_kind *const id##_kind_reg __attribute__((used, section("telamon_kind"))) = &id

/* Boot: collects all tables and kinds, gives them numbers, builds the look-up tables. Idempotent, first call from one
 * thread. Aborts with a message on: two rows with one name for one kind, KW_FN without parse or dump, a row outside its
 * struct or with a size its type cannot have, ENUM without values, NONE or REFUSED without .why, a name with odd blanks,
 * two kinds with one bit, two tables with one name. A kind without CONF_KIND is fine (a test links a part only). */
void kw_boot(void);
/* What kw_boot() would abort with for this table alone, or NULL (for tests). */
const char *kw_table_fault(const struct kw_table *t);

/* For documents, completion, generated tests: every row of every table, sorted by table then name. */
struct kw_ref {
        const struct kw_table *table;
        const struct kw *kw;
};
const struct kw_ref *kw_all(size_t *ret_n);
const struct conf_kind *kw_kind(kind_mask bit); /* NULL when no such kind is linked in */
kind_mask kw_kinds_of(const struct kw_ref *r);  /* where the row may stand */

/* Parses words[from..] of an object line (server, bind, default-server) with the word rows of the object's kind.
 * Appends alerts and returns false when a word is wrong (it goes on to find all errors of the line). */
bool kw_parse_words(struct kw_call *c, struct conf_obj *obj, const struct word *w, size_t n);

/* .dump of rows whose objects the engine prints (server, bind), and of rows that only act (setenv). */
void kw_dump_child(const struct kw *kw, const void *slot, struct buf *out);

/* Helpers for KW_FN rows; each appends an alert in HAProxy's wording and returns false. */
bool kw_need_args(struct kw_call *c, size_t n, const char *syntax); /* at least n arguments */
bool kw_arg_int(struct kw_call *c, const struct word *w, int64_t lo, int64_t hi, int64_t *ret_v);
bool kw_arg_time(struct kw_call *c, const struct word *w, bool seconds, int *ret_ms);
bool kw_arg_size(struct kw_call *c, const struct word *w, uint64_t lo, uint64_t hi, uint64_t *ret_v);
bool kw_arg_enum(struct kw_call *c, const struct word *w, const struct kw_val *vals, int *ret_v);
struct diag *kw_fail(struct kw_call *c, const struct word *w, const char *code, const char *fmt, ...) fmt_like(4, 5);
struct diag *kw_warn(struct kw_call *c, const struct word *w, const char *code, const char *fmt, ...) fmt_like(4, 5);
/* "did you mean": the nearest of `names` (NULL-terminated) within distance 2 (1 for words under 4 bytes), or NULL. */
const char *kw_nearest(struct str w, const char *const *names);
/* Quotes a string so that the tokenizer reads it back as one word; used by every dump function. */
void kw_quote(struct buf *out, const char *s); /* "" becomes nothing a line can hold: rows must refuse it (3.x rule) */
void kw_dump_time(struct buf *out, int ms);    /* "10s", "1500ms": the shortest exact form */
void kw_dump_size(struct buf *out, uint64_t n);

#endif
