/* conf/diag.h - what is wrong with a file, where, and what was expected.
 *
 * Parsers never print: they append here, all of them, and the load fails at the end if there was an alert. The same
 * list becomes the classic `[ALERT] (pid) : config : parsing [file:line] : ...` lines, frames with a caret on a
 * terminal, or JSON for the REST API.
 * Ownership: texts are copied into the list's arena.  Threads: the loading thread only. */
#ifndef CONF_DIAG_H
#define CONF_DIAG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"

/* A place in a loaded file. file = index into the load's file table; line and col count from 1; len in bytes.
 * line 0 = no place (command line, or the whole load). */
struct span {
        uint32_t file, line;
        uint32_t col, len;
};

#define SPAN_NONE ((struct span){ 0, 0, 0, 0 })

enum diag_level { DIAG_ADVICE /* of .diag, with -dD */, DIAG_NOTICE, DIAG_WARNING, DIAG_ALERT };

/* HAProxy is not of one mind about how a place is written; scripts match these lines, so the classic form follows. */
enum diag_intro {
        DIAG_INTRO_SPACED,  /* "parsing [f:1] : text", most messages */
        DIAG_INTRO_TIGHT,   /* "parsing [f:1]: text", words, quotes, blocks, "out of section" */
        DIAG_INTRO_CAPITAL, /* "Parsing [f:1]: text", names that clash */
        DIAG_INTRO_PLACE,   /* "[f:1] : text", server lines */
};

struct diag {
        struct list link;
        enum diag_level level;
        struct span at;
        const char *code;    /* stable id for --explain, "E0102" */
        const char *text;    /* one sentence as HAProxy words it, without "parsing [file:line] : " */
        const char *suggest; /* the nearest known word, or NULL; classic form: "; did you mean 'bind' maybe ?" */
        const char *hint;    /* free advice, not in the classic form, or NULL */
        const char *excerpt; /* classic form adds this text and a caret at excerpt_col, or NULL */
        uint32_t excerpt_col;
        enum diag_intro intro;
        bool parsing; /* classic form: "config : parsing [f:l] : text"; false: "config : text" */
};

struct diag_file {
        const char *name;
        struct str text; /* borrowed from the vfs; NULL when gone: frames then lack the source line */
};

struct diags {
        struct arena mem;
        struct list all;
        struct diag_file *files;
        uint32_t n_files;
        uint32_t n_notices, n_warnings, n_alerts;
};

void diags_init(struct diags *d);
void diags_fini(struct diags *d);
uint32_t diags_add_file(struct diags *d, const char *name, struct str text); /* returns its index */

/* Forgets the borrowed texts (before vfs_free(), when the list is printed later). */
void diags_forget_texts(struct diags *d);

/* Appends; returns the entry so that a hint, `intro` or `parsing` can be set. `code` must be a literal. `parsing` starts
 * as true when the place has a line. */
struct diag *diag_add(struct diags *d, enum diag_level l, struct span at, const char *code, const char *fmt, ...)
        fmt_like(5, 6);
void diag_hint(struct diags *d, struct diag *g, const char *fmt, ...) fmt_like(3, 4);
void diag_suggest(struct diags *d, struct diag *g, const char *word); /* word NULL = nothing near */

enum diag_form { DIAG_CLASSIC, DIAG_FRAME, DIAG_JSON };

/* Formats all entries at or above `min`, in the order they were found. pid goes into the classic form. FRAME and JSON are
 * safe to print: control bytes and broken UTF-8 of the file are replaced. */
void diags_format(const struct diags *d, enum diag_form form, enum diag_level min, int pid, struct buf *out);
/* The classic last lines, "Error(s) found in configuration file : F" for each file with an alert, then "Fatal errors
 * found in configuration."; nothing when there was no alert. Scripts look for them. */
void diags_closing(const struct diags *d, int pid, struct buf *out);

#endif
