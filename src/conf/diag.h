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

enum diag_level { DIAG_NOTICE, DIAG_WARNING, DIAG_ALERT };

struct diag {
        struct list link;
        enum diag_level level;
        struct span at;
        const char *code; /* stable id for --explain, "E0102" */
        const char *text; /* one sentence as HAProxy words it, without "parsing [file:line] : " */
        const char *hint; /* "did you mean 'bind'?", or NULL */
        bool parsing;     /* classic form: "config : parsing [f:l] : text"; false: "config : text" */
};

struct diag_file {
        const char *name;
        struct str text; /* borrowed from the vfs; NULL when gone */
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

/* Appends; returns the entry so that a hint or `parsing` can be set. `code` must be a literal. */
struct diag *diag_add(struct diags *d, enum diag_level l, struct span at, const char *code, const char *fmt, ...)
        fmt_like(5, 6);
void diag_hint(struct diags *d, struct diag *g, const char *fmt, ...) fmt_like(3, 4);

enum diag_form { DIAG_CLASSIC, DIAG_FRAME, DIAG_JSON };

/* Formats all entries at or above `min`. pid goes into the classic form. */
void diags_format(const struct diags *d, enum diag_form form, enum diag_level min, int pid, struct buf *out);

#endif
