/* main/argv.c - a table of options and one walk over argv. */
#include "main/argv.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>

struct cursor {
        int argc, at; /* argv[at] is the option itself */
        char *const *argv;
        struct buf *why;
        bool refused; /* known, and not to be had */
};

struct option {
        const char *name;
        const char *args; /* of the usage text; NULL = none */
        const char *help; /* NULL: not in the usage text */
        bool attached;    /* may be followed by text without a blank: -dM0x50 */
        bool (*set)(struct args *a, struct cursor *c, const char *attached);
        const char *idle; /* why it has no effect; then `set` may be NULL. With refuse(): what to use instead */
};

static bool next_arg(struct cursor *c, const char **ret_arg)
{
        if (c->at + 1 >= c->argc || !c->argv[c->at + 1]) {
                buf_printf(c->why, "option '%s' expects an argument", c->argv[c->at]);
                return false;
        }
        *ret_arg = c->argv[++c->at];
        return true;
}

static bool next_int(struct cursor *c, int lo, int *ret_v)
{
        const char *opt = c->argv[c->at], *z;
        uint64_t v;

        if (!next_arg(c, &z))
                return false;
        if (!str_to_u64(str_of(z), &v) || v < (uint64_t)lo || v > INT_MAX) {
                buf_printf(c->why, "option '%s' expects a number from %d, not '%s'", opt, lo, z);
                return false;
        }
        *ret_v = (int)v;
        return true;
}

static bool add_file(struct args *a, const char *name)
{
        const char **more = realloc(a->files, (a->n_files + 1) * sizeof(*more));

        ASSERT(more != NULL);
        a->files = more;
        a->files[a->n_files++] = name;
        return true;
}

static bool set_file(struct args *a, struct cursor *c, const char *x)
{
        const char *name;

        (void)x;
        return next_arg(c, &name) && add_file(a, name);
}

static bool set_rest(struct args *a, struct cursor *c, const char *x)
{
        (void)x;
        while (c->at + 1 < c->argc)
                (void)add_file(a, c->argv[++c->at]);
        return true;
}

#define FLAG(fn, field)                                                                                                \
        static bool fn(struct args *a, struct cursor *c, const char *x)                                                \
        {                                                                                                              \
                (void)c;                                                                                               \
                (void)x;                                                                                               \
                a->field = true;                                                                                       \
                return true;                                                                                           \
        }
FLAG(set_check, check)
FLAG(set_quiet, quiet)
FLAG(set_debug, debug)
FLAG(set_foreground, foreground)
FLAG(set_daemon, daemon)
FLAG(set_master, master_worker)
FLAG(set_warn, warn_is_error)
FLAG(set_advice, advice)
FLAG(set_libs, list_libs)

static bool set_verbose(struct args *a, struct cursor *c, const char *x)
{
        (void)c;
        (void)x;
        a->verbose = true;
        a->quiet = false;
        return true;
}

static bool set_notify(struct args *a, struct cursor *c, const char *x)
{
        a->notify = true;
        return set_master(a, c, x);
}

#define TEXT(fn, field)                                                                                                \
        static bool fn(struct args *a, struct cursor *c, const char *x)                                                \
        {                                                                                                              \
                (void)x;                                                                                               \
                return next_arg(c, &a->field);                                                                         \
        }
TEXT(set_dir, dir)
TEXT(set_pidfile, pidfile)
TEXT(set_peer, peer)
TEXT(set_condition, condition)
TEXT(set_role, role)
TEXT(set_old_socket, old_socket)

#define NUMBER(fn, field, lo)                                                                                          \
        static bool fn(struct args *a, struct cursor *c, const char *x)                                                \
        {                                                                                                              \
                (void)x;                                                                                               \
                return next_int(c, lo, &a->field);                                                                     \
        }
NUMBER(set_maxconn, maxconn, 0)
NUMBER(set_memory, memory_mb, 0)
NUMBER(set_px_maxconn, px_maxconn, 0)

/* -dM[<byte>][,poison|no-poison]; the other words of HAProxy's allocator have nothing here to act on. */
static bool set_poison(struct args *a, struct cursor *c, const char *x)
{
        char *end = (char *)(uintptr_t)x;
        long v = chr_is_digit(*x) ? strtol(x, &end, 0) : 0x50;
        const char *word = *end == ',' ? end + 1 : end;

        if (v > 255 || (*end && *end != ',' && end != x) ||
            (*word && strcmp(word, "poison") != 0 && strcmp(word, "no-poison") != 0)) {
                buf_printf(c->why,
                           "option '%s': only a byte to fill memory with, 'poison' and 'no-poison' are supported",
                           c->argv[c->at]);
                c->refused = true;
                return false;
        }
        a->poison = strcmp(word, "no-poison") == 0 ? -1 : (int)v;
        return true;
}

static bool refuse(struct args *a, struct cursor *c, const char *x)
{
        (void)a;
        (void)x;
        c->refused = true;
        return false;
}

static bool show_usage(struct args *a, struct cursor *c, const char *x)
{
        (void)a;
        (void)c;
        (void)x;
        return false;
}

static bool set_old(struct args *a, struct cursor *c, int signo)
{
        a->old_signal = signo;
        while (c->at + 1 < c->argc && c->argv[c->at + 1][0] != '-') {
                const char *z = c->argv[c->at + 1];
                uint64_t v;
                int *more;

                c->at++;
                if (*z == 0) /* -sf "$(cat pidfile)" of an empty file */
                        continue;
                if (!str_to_u64(str_of(z), &v) || v < 1 || v > INT_MAX) {
                        buf_printf(c->why, "'%s' is not a process id", z);
                        return false;
                }
                more = realloc(a->old_pids, (a->n_old + 1) * sizeof(*more));
                ASSERT(more != NULL);
                a->old_pids = more;
                a->old_pids[a->n_old++] = (int)v;
        }
        return true;
}

static bool set_finish(struct args *a, struct cursor *c, const char *x)
{
        (void)x;
        return set_old(a, c, SIGUSR1);
}

static bool set_terminate(struct args *a, struct cursor *c, const char *x)
{
        (void)x;
        return set_old(a, c, SIGTERM);
}

static bool set_master_socket(struct args *a, struct cursor *c, const char *x)
{
        (void)x;
        if (a->n_masters == ARGS_MASTERS) {
                buf_printf(c->why, "more than %d master sockets", ARGS_MASTERS);
                return false;
        }
        return next_arg(c, &a->masters[a->n_masters++]);
}

static bool set_show(struct args *a, struct cursor *c, const char *x)
{
        static const struct {
                const char *rest;
                enum args_show show;
        } forms[] = { { "", SHOW_VERSION },
                      { "v", SHOW_BUILD },
                      { "q", SHOW_FULL_VERSION },
                      { "qs", SHOW_SHORT_VERSION },
                      { "qb", SHOW_BRANCH } };

        for (size_t i = 0; i < array_len(forms); i++)
                if (strcmp(x, forms[i].rest) == 0) {
                        a->show = forms[i].show;
                        return true;
                }
        buf_printf(c->why, "unknown option '%s'", c->argv[c->at]);
        return false;
}

static bool set_diag(struct args *a, struct cursor *c, const char *x)
{
        a->json_diag = strcmp(x, "json") == 0;
        if (!a->json_diag)
                buf_printf(c->why, "'--diag=' expects 'json', not '%s'", x);
        return a->json_diag;
}

/* Longer names of one beginning stand before the shorter ones that take attached text. */
static const struct option options[] = {
        { "--role", NULL, NULL, false, set_role, NULL },
        { "--diag=", "json", "prints diagnostics as JSON", true, set_diag, NULL },
        { "--help", NULL, NULL, false, show_usage, NULL },
        { "-h", NULL, NULL, false, show_usage, NULL },
        { "-?", NULL, NULL, false, show_usage, NULL },
        { "--", NULL, NULL, false, set_rest, NULL },
        { "-f", "<cfgfile|cfgdir>", "adds a file, or the *.cfg files of a directory (may be repeated)", false, set_file,
          NULL },
        { "-c", NULL, "check mode : only checks the files and exits (0 valid, 1 errors, 2 no listener)", false,
          set_check, NULL },
        { "-cc", "<cond>", "evaluates a condition and exits (0 true, 1 false, 2 not parsable)", false, set_condition,
          NULL },
        { "-v", NULL, "displays version ; -vv shows build options ; -vq -vqs -vqb only the version", true, set_show,
          NULL },
        { "-V", NULL, "verbose mode (disables quiet mode)", false, set_verbose, NULL },
        { "-q", NULL, "quiet mode : displays no messages", false, set_quiet, NULL },
        { "-d", NULL, "debug mode : foreground, one process", false, set_debug, NULL },
        { "-db", NULL, "only disables background mode", false, set_foreground, NULL },
        { "-D", NULL, "goes daemon", false, set_daemon, NULL },
        { "-W", NULL, "master-worker mode", false, set_master, NULL },
        { "-Ws", NULL, "master-worker mode with systemd notify support", false, set_notify, NULL },
        { "-C", "<dir>", "changes to <dir> before loading files", false, set_dir, NULL },
        { "-p", "<pidfile>", "writes the pid to this file", false, set_pidfile, NULL },
        { "-n", "<maxconn>", "sets the maximum total number of connections", false, set_maxconn, NULL },
        { "-N", "<maxpconn>", "sets the maximum number of connections of a frontend whose section says nothing", false,
          set_px_maxconn, NULL },
        { "-m", "<megs>", "limits the usable amount of memory (in MB)", false, set_memory, NULL },
        { "-L", "<name>", "sets the local peer name (default: the host's name)", false, set_peer, NULL },
        { "-S", "<bind>[,<options>]", "binds a master socket (with -W and -Ws)", false, set_master_socket, NULL },
        { "-sf", "[pid ]*", "lets old processes finish once this one has bound", false, set_finish, NULL },
        { "-st", "[pid ]*", "terminates old processes once this one has bound", false, set_terminate, NULL },
        { "-x", "<socket>", "takes the listening sockets of the process over that has this stats socket", false,
          set_old_socket, NULL },
        { "-dW", NULL, "fails if any warning is emitted", false, set_warn, NULL },
        { "-dD", NULL, "shows the .diag lines of the files", false, set_advice, NULL },
        { "-dM", "[<byte>]", "fills memory with <byte> (default 0x50) when it is allocated and freed", true, set_poison,
          NULL },
        { "-dL", NULL, "lists the loaded shared objects after the check", false, set_libs, NULL },
        { "-4", NULL, NULL, false, NULL, "no name is looked up while running in this version" },
        { "-dK", NULL, NULL, true, refuse, "'telamon manual' lists all keywords, 'telamon explain' tells of one" },
        { "-dC", NULL, NULL, true, refuse, "'telamon dump' prints a configuration as it was understood" },
        { "-dA", NULL, NULL, true, refuse, "'-dL' lists the files that such an archive would hold" },
        { "-dt", NULL, NULL, true, refuse, "there are no traces in this version" },
        { "-dr", NULL, NULL, false, refuse, "'init-addr none' in the file starts without an address" },
        { "-dI", NULL, NULL, false, NULL, "there are no insecure forks" },
        { "-dV", NULL, NULL, false, NULL, "there is no TLS to servers in this version" },
        { "-dT", NULL, NULL, false, NULL, "kernel TLS is not used" },
        { "-dG", NULL, NULL, false, NULL, "name resolution is done by the loader only" },
        { "-dR", NULL, NULL, false, NULL, "each thread needs a socket of its own" },
        { "-dS", NULL, NULL, false, NULL, "splicing adapts by itself" },
        { "-dZ", NULL, NULL, false, NULL, "splicing adapts by itself" },
        { "-dF", NULL, NULL, false, NULL, "there is only one way to forward" },
        { "-dc", NULL, NULL, false, NULL, "processors are not selected" },
        { "-de", NULL, NULL, false, NULL, "epoll is the only poller" },
        { "-dp", NULL, NULL, false, NULL, "epoll is the only poller" },
        { "-dk", NULL, NULL, false, NULL, "epoll is the only poller" },
        { "-dv", NULL, NULL, false, NULL, "epoll is the only poller" },
};

static const struct option *find_option(const char *z, const char **ret_attached)
{
        const struct option *best = NULL;

        for (size_t i = 0; i < array_len(options); i++) {
                const struct option *o = &options[i];
                size_t n = strlen(o->name);

                if (strcmp(z, o->name) == 0) {
                        *ret_attached = "";
                        return o;
                }
                if (o->attached && strncmp(z, o->name, n) == 0) {
                        best = o;
                        *ret_attached = z + n;
                }
        }
        return best;
}

static bool take(struct args *a, struct cursor *c)
{
        const char *z = c->argv[c->at], *attached = "";
        const struct option *o = find_option(z, &attached);

        if (!o) {
                buf_printf(c->why, "unknown option '%s'", z);
                return false;
        }
        if (o->set == refuse)
                buf_printf(c->why, "option '%s' is not supported: %s", o->name, o->idle);
        else if (o->idle && a->n_idle < array_len(a->idle))
                a->idle[a->n_idle++] = o->name;
        return !o->set || o->set(a, c, attached);
}

enum args_answer args_parse(int argc, char *const *argv, struct args *ret_a, struct buf *ret_why)
{
        struct args a = { .program = argc > 0 ? argv[0] : "telamon", .poison = -1 };
        struct cursor c = { .argc = argc, .at = 1, .argv = argv, .why = ret_why };

        for (; c.at < argc; c.at++)
                if (!take(&a, &c)) {
                        args_fini(&a);
                        return c.refused ? ARGS_REFUSED : ARGS_USAGE;
                }
        if (a.n_files == 0 && a.show == SHOW_NONE && !a.condition) {
                args_fini(&a);
                return ARGS_USAGE;
        }
        *ret_a = a;
        return ARGS_OK;
}

bool args_in_front(const struct args *a)
{
        return a->foreground || a->debug || a->notify;
}

char **args_with(char **argv, const char *const *more)
{
        size_t n = 0, m = 0;
        char **v;

        while (argv[n])
                n++;
        while (more[m])
                m++;
        v = calloc(n + m + 1, sizeof(*v));
        ASSERT(v != NULL);
        v[0] = argv[0];
        for (size_t i = 0; i < m; i++)
                v[i + 1] = (char *)(uintptr_t)more[i];
        for (size_t i = 1; i < n; i++)
                v[m + i] = argv[i];
        return v;
}

bool args_background(const struct args *a)
{
        return a->daemon && !a->foreground && !a->debug;
}

void args_fini(struct args *a)
{
        free(a->files);
        free(a->old_pids);
        a->files = NULL;
        a->old_pids = NULL;
}

void args_usage(struct buf *out)
{
        buf_puts(out, "Usage : telamon [-f <cfgfile|cfgdir>]* [ -vdVD ] [ -n <maxconn> ] [ -p <pidfile> ]\n"
                      "        [ -m <max megs> ] [ -C <dir> ] [-- <cfgfile>*]\n");
        for (size_t i = 0; i < array_len(options); i++) {
                const struct option *o = &options[i];

                if (o->help)
                        buf_printf(out, "        %s%s%s  %s\n", o->name, o->args && !o->attached ? " " : "",
                                   o->args ? o->args : "", o->help);
        }
}

void args_options(struct buf *out)
{
        for (size_t i = 0; i < array_len(options); i++) {
                const struct option *o = &options[i];
                bool file = o->args && !o->attached && (strstr(o->args, "file") || strstr(o->args, "dir"));

                if (o->help)
                        buf_printf(out, "%s\t%s\t%s\n", o->name, o->help,
                                   file                      ? "file"
                                   : o->args && !o->attached ? "none"
                                                             : "");
        }
}

void args_warn(const struct args *a, void (*say)(const char *option, const char *why))
{
        const char *attached;

        for (unsigned i = 0; i < a->n_idle; i++)
                say(a->idle[i], find_option(a->idle[i], &attached)->idle);
}
