/* main/proclog.h - what the process says of itself on stderr: `[NOTICE]   (pid) : text` (scripts and tests read these
 * lines). Traffic is logged by core/log.h, never here.
 *
 * All that is said is also kept (bounded) for the master socket's `show startup-logs` and the answer of `reload`.
 * Threads: main thread. */
#ifndef MAIN_PROCLOG_H
#define MAIN_PROCLOG_H

#include "base/buf.h"

enum proc_level { PROC_NOTICE, PROC_WARNING, PROC_ALERT };

void proclog_quiet(bool quiet); /* -q and `quiet`: nothing on stderr; still kept */
void proclog_silence(void);     /* after going to the background: nothing on stderr any more, also not later */
bool proclog_is_silent(void);
void proclog(enum proc_level l, const char *fmt, ...) fmt_like(2, 3);
void proclog_raw(struct str lines);  /* lines that carry their own intro (diagnostics, a child's messages) */
void proclog_lines(struct str text); /* lines some of which carry an intro; the others are notices */
void proclog_keep(struct str lines); /* lines that somebody else has printed */
void proclog_forget(void);           /* a new start or reload: what was kept is dropped */
struct str proclog_kept(void);

#endif
