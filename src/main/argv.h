/* main/argv.h - the command line: HAProxy's options (management.txt 3), each a row of one table.
 *
 * Every accepted option works, or its row says why it has no effect here and args_warn() tells so at start.
 * Ownership: strings are borrowed from argv. */
#ifndef MAIN_ARGV_H
#define MAIN_ARGV_H

#include "base/buf.h"
#include "conf/diag.h"

enum args_show { SHOW_NONE, SHOW_VERSION, SHOW_BUILD, SHOW_FULL_VERSION, SHOW_SHORT_VERSION, SHOW_BRANCH };

#define ARGS_MASTERS 8

struct args {
        const char *program;
        const char **files;
        size_t n_files;
        bool check, verbose, quiet, debug, foreground, daemon, master_worker, notify, warn_is_error;
        bool advice; /* -dD */
        bool json_diag;
        bool list_libs; /* -dL */
        enum args_show show;
        const char *condition;                                /* -cc */
        const char *dir, *pidfile, *peer, *role, *old_socket; /* the last: -x */
        int maxconn;                                          /* -n, 0 = not given */
        int px_maxconn;                                       /* -N, 0 = not given */
        int memory_mb;                                        /* -m */
        int poison;                                           /* -dM: the byte, -1 = off */
        int old_signal;                                       /* -sf SIGUSR1, -st SIGTERM */
        int *old_pids;
        size_t n_old;
        const char *masters[ARGS_MASTERS]; /* -S */
        unsigned n_masters;
        const char *idle[32]; /* options given that have no effect */
        unsigned n_idle;
};

enum args_answer {
        ARGS_OK,
        ARGS_USAGE,  /* *ret_why names the fault, or is empty */
        ARGS_REFUSED /* an option that we know and do not have: *ret_why says what to use instead */
};

/* argv[0] is the program. */
enum args_answer args_parse(int argc, char *const *argv, struct args *ret_a, struct buf *ret_why);
bool args_background(const struct args *a); /* -D, and neither -db nor -d */
bool args_in_front(const struct args *a);   /* -db, -d, -Ws: what `daemon` and `quiet` in the file cannot change */
/* argv with `more` (ends with NULL) behind the program's name; on the heap, strings borrowed. */
char **args_with(char **argv, const char *const *more);
void args_fini(struct args *a);
void args_usage(struct buf *out);
/* "name TAB help TAB file|none|" lines: the third part says what follows the option, for shell completion. */
void args_options(struct buf *out);
/* "option -x has no effect: ..." lines, one per such option; without trailing newline handling: calls say for each. */
void args_warn(const struct args *a, void (*say)(const char *option, const char *why));

#endif
