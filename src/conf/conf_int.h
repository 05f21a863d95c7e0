/* conf/conf_int.h - what the files of the engine share. Nobody outside conf/ includes it.
 *
 *   kw.c       tables and kinds -> look-up tables (once per process)
 *   conf.c     load: files, lines, blocks        section.c  section lines, names, defaults
 *   skip.c     sections that nobody knows
 *   slot.c     copy on write, hash-consing       kw_parse.c rows
 *   kw_dump.c  canonical text, hashes            diff.c     comparison */
#ifndef CONF_CONF_INT_H
#define CONF_CONF_INT_H

#include "base/map.h"
#include "conf/cond.h"
#include "conf/conf.h"
#include "conf/text.h"

#include <pthread.h>
#include <stdatomic.h>

#define KINDS_MAX    64
#define KW_WORDS_MAX 4 /* in a keyword's name */

/* A row as one kind sees it. */
struct kw_row {
        const struct kw *kw;
        const struct kw_table *table;
        int table_index;
        struct str word[KW_WORDS_MAX];
        size_t n_words;
        bool warn_only;
        struct kw_row *next; /* same first word; more words first */
};

struct kw_group {
        struct str first;
        struct kw_row *rows;
        size_t n;
        bool options; /* has a flag row: an unknown second word is "unknown option 'x'" */
};

struct kind_rt {
        const struct conf_kind *k;
        struct map groups; /* first word -> struct kw_group */
        size_t n_slots, n_checks;
        int *slot_of;   /* [n_tables]: place in conf_obj.slots, or -1 */
        int *table_of;  /* [n_slots] */
        int *checks_of; /* [n_checks]: tables with a check() */
};

struct kw_engine {
        bool booted;
        const struct kw_table **tables; /* by rank, then name: the order of dumps and checks */
        size_t n_tables;
        struct kind_rt *kinds[KINDS_MAX]; /* by bit */
        struct map sections;              /* first word -> struct conf_kind */
        struct kw_ref *refs;
        size_t n_refs;
        struct arena mem;
};

extern struct kw_engine kw_engine; /* written by kw_boot() only */

struct kind_rt *kind_rt_of(const struct conf_kind *k);
/* The longest row that matches w[from..]; NULL when none. *ret_group: the first word's group, when there is one. */
const struct kw_row *kw_lookup(const struct kind_rt *k, const struct word *w, size_t n,
                               const struct kw_group **ret_group);
const struct kw_row *kw_of_group(const struct kw_group *g, const struct word *w, size_t n); /* g may be NULL */
kind_mask kw_row_kinds(const struct kw_table *t, const struct kw *kw);

/* A settings struct in a load. The bytes follow. While an object may still write to it, bit 0 of the pointer in
 * conf_obj.slots is set; slot_settle() then shares it with its equals. */
struct slot {
        uint64_t dump_hash;
        struct slot *next_free;
        kind_mask for_kind; /* of which dump_hash holds */
        bool hashed;
};

_Static_assert(sizeof(struct slot) % 16 == 0, "the bytes that follow must be aligned");

struct slot_pool {
        struct map set; /* bytes -> struct slot */
        struct slot *free;
        const void *initial; /* built-in defaults */
        size_t count;
};

struct edit {
        struct conf_obj *o;
        int slot;
        const void *was; /* the bytes before the edit */
};

/* Children of one object by kind and name. */
struct conf_names {
        struct map by_key;
        struct conf_names *next; /* of all in the load */
};

struct cond_level {
        bool taken, active, seen_else; /* a branch was taken; this one is; .else was seen */
        bool outer;                    /* the enclosing block is active */
        struct span at;
};

#define COND_LEVELS_MAX 64

struct skip {              /* a section that nobody knows (skip.c) */
        struct diag *said; /* its message while its lines go by; NULL: none */
        uint32_t lines;    /* not read so far */
        bool sure;         /* known by name, not by layout */
        bool indented;     /* the last line that said something */
};

struct conf_ending { /* conf_at_free(); in the load's arena */
        struct conf_ending *next;
        void (*fn)(void *arg);
        void *arg;
};

struct conf_priv {
        atomic_int refs;
        struct arena mem, spans;
        struct map strings, index, clash, env;
        struct map scope; /* children of scope_of, by kind and name: of the section that is being read */
        const struct conf_obj *scope_of;
        struct conf_names *names;
        pthread_mutex_t names_lock;
        struct slot_pool *pools; /* [n_tables] */
        struct edit *edits;
        size_t n_edits, cap_edits;
        struct conf_obj *last, *last_section;
        struct conf_ending *endings;
        /* during the load */
        struct vfs *vfs;
        struct text *text;
        struct text_vars vars;
        struct conf_obj *section;
        struct conf_obj *last_defaults;
        const char *file_name;
        struct span line_at;
        struct str ahead; /* the file after this line */
        struct skip skip;
        struct cond_level level[COND_LEVELS_MAX];
        size_t n_levels;
        bool env_closed; /* resetenv: the process's environment is hidden */
};

/* slot.c */
void slot_pools_init(struct conf *c);
void slot_pools_fini(struct conf *c);
void slot_inherit(struct conf *c, struct conf_obj *o, const struct conf_obj *from); /* from may be NULL */
const void *slot_at(const struct conf_obj *o, int place);                           /* by place in conf_obj.slots */
/* Shares all edited slots but those of `but` and its parents (NULL: none): rows on the way hold pointers to theirs. Call
 * before slot_inherit(): what is handed on must be final. */
void slot_settle(struct conf *c, const struct conf_obj *but);

/* object.c */
struct conf_obj *obj_new(struct conf *c, const struct conf_kind *k, struct str name, struct span at);
void obj_register(struct conf *c, struct conf_obj *o);
void obj_names_init(struct conf_priv *p);
void obj_names_loaded(struct conf_priv *p); /* what only a load needs goes */
void obj_names_fini(struct conf_priv *p);
void obj_note(struct conf *c, struct conf_obj *o, const struct kw *kw, struct span at, struct span arg);

/* section.c */
void section_begin(struct conf *c, const struct conf_kind *k, const struct line *l);
void section_end(struct conf *c);

/* skip.c: all but skip_end() look at an active line, raw and by its first word */
/* A line that no row of its section takes. True: it starts a section that nobody knows, and that was said. */
bool skip_begin(struct conf *c, const struct line *l);
bool skip_takes(struct conf *c, struct str raw, struct str first_word); /* true: the line belongs to it */
void skip_see_line(struct conf *c, struct str raw, struct str first_word);
void skip_end(struct conf *c); /* also when nothing is skipped */

/* kw_parse.c */
bool kw_parse_line(struct conf *c, struct conf_obj *o,
                   const struct line *l); /* false: nothing said of its first word */
void kw_unknown_line(struct conf *c, struct conf_obj *o, const struct line *l);

/* kw_dump.c */
void dump_row(const struct kw *kw, const struct kw_table *t, const void *slot, bool words, struct buf *out);
void dump_default(const struct kw *kw, const void *f, struct buf *out); /* a typed row's value alone; "on" for flags */
void dump_head(const struct conf_obj *o, struct buf *out);
void dump_unused(const struct conf_obj *o, struct buf *out);

/* env.c */
void env_init(struct conf *c);
bool env_lookup(void *ctx, struct str name, struct str *ret_value);

#endif
