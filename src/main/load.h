/* main/load.h - one load of the configuration: from disk (single process, loader, -c, plan) or from a bundle (worker).
 *
 * Settings of the command line that outrank the file (-n) are one more "file", read last, named LOAD_OVERRIDES; it goes into
 * the bundle with the others, so the worker sees the same.
 * Ownership: caller's storage, load_fini().  Threads: one. */
#ifndef MAIN_LOAD_H
#define MAIN_LOAD_H

#include "conf/conf.h"
#include "main/argv.h"

#define LOAD_OVERRIDES "command line"

struct load {
        struct vfs *vfs;
        struct diags diags;
        struct conf *conf; /* NULL: it did not load; the reasons are in diags */
};

void load_init(struct load *l);
bool load_disk(struct load *l, const struct args *a);              /* conf != NULL */
bool load_bundle(struct load *l, const struct args *a, int memfd); /* memfd stays the caller's */
void load_fini(struct load *l);                                    /* twice is fine */

/* Sets HAPROXY_* of the environment that files may name (manual 2.4). */
void load_environment(const struct args *a);
/* All diagnostics with their closing lines as text: what is printed, logged and answered. */
void load_report(const struct load *l, enum diag_form form, struct buf *out);
enum diag_form load_form(const struct args *a); /* frames on a terminal, classic lines else, JSON when asked */
int load_condition(const char *text);           /* -cc: exit code */
/* "file:line", or "" when there is none. */
void load_place(const struct load *l, struct span at, struct buf *out);

#endif
