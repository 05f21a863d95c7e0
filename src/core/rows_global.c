/* core/rows_global.c - the words of section `global` (manual chapter 3). */
#include "core/global.h"
#include "core/rows_int.h"

#include <errno.h>

void dump_nothing(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw, (void)slot, (void)out;
}

const char *join_args(struct kw_call *c)
{
        AUTO_BUF(b);

        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'%s' expects a string argument.", c->kw->name);
                return NULL;
        }
        for (size_t i = 0; i < c->n_args; i++) {
                if (i)
                        buf_putc(&b, ' ');
                buf_str(&b, c->args[i].text);
        }
        return conf_intern(c->conf, buf_view(&b));
}

static int one_arg(struct kw_call *c, const char *what)
{
        if (c->n_args >= 1)
                return 1;
        kw_fail(c, NULL, "E0110", "'%s' expects %s.", c->kw->name, what);
        return -1;
}

static bool is_group(const struct kw_call *c)
{
        return strcmp(c->kw->name, "group") == 0;
}

static int account_parse(struct kw_call *c)
{
        struct global_cfg *g = c->slot;
        int id = -1;

        if (one_arg(c, is_group(c) ? "a group name" : "a user name") < 0)
                return -1;
        if (lookup_user(c->conf, conf_intern(c->conf, c->args[0].text), is_group(c), &id) < 0) {
                kw_fail(c, &c->args[0], "E0201", "cannot find %s id for '%.*s' (0:Success)", c->kw->name,
                        (int)c->args[0].text.n, c->args[0].text.p);
                return -1;
        }
        *(is_group(c) ? &g->group : &g->user) = conf_intern(c->conf, c->args[0].text);
        *(is_group(c) ? &g->gid : &g->uid) = id;
        return 1;
}

static void account_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct global_cfg *g = slot;
        const char *name = strcmp(kw->name, "group") == 0 ? g->group : g->user;

        if (!name)
                return;
        buf_printf(out, "    %s ", kw->name);
        kw_quote(out, name);
        buf_putc(out, '\n');
}

static int id_parse(struct kw_call *c)
{
        struct global_cfg *g = c->slot;
        bool gid = strcmp(c->kw->name, "gid") == 0;
        int64_t v = 0;

        if (one_arg(c, gid ? "a group id" : "a user id") < 0)
                return -1;
        if (!kw_arg_int(c, &c->args[0], 0, INT32_MAX, &v))
                return -1;
        *(gid ? &g->gid : &g->uid) = (int)v;
        *(gid ? &g->group : &g->user) = NULL;
        return 1;
}

static void id_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct global_cfg *g = slot;
        bool gid = strcmp(kw->name, "gid") == 0;

        if ((gid ? g->group : g->user) == NULL && (gid ? g->gid : g->uid) >= 0)
                buf_printf(out, "    %s %d\n", kw->name, gid ? g->gid : g->uid);
}

static int master_worker_parse(struct kw_call *c)
{
        ((struct global_cfg *)c->slot)->master_worker = true;
        if (c->n_args >= 1 && str_is(c->args[0].text, "no-exit-on-failure")) {
                kw_warn(c, &c->args[0], "W0202",
                        "'no-exit-on-failure' has no effect here: a worker that dies is always started again.");
                return 1;
        }
        return 0;
}

static void master_worker_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct global_cfg *)slot)->master_worker)
                buf_printf(out, "    %s\n", kw->name);
}

static int zero_warning_parse(struct kw_call *c)
{
        ((struct global_cfg *)c->slot)->zero_warning = true;
        c->conf->warn_is_error = true;
        return 0;
}

static void zero_warning_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct global_cfg *)slot)->zero_warning)
                buf_printf(out, "    %s\n", kw->name);
}

static int nbproc_parse(struct kw_call *c)
{
        if (one_arg(c, "an integer argument") < 0)
                return -1;
        if (str_is(c->args[0].text, "1")) {
                kw_warn(c, NULL, "W0203", "nbproc is not supported any more since HAProxy 2.5: 'nbproc 1' is ignored.");
                return 1;
        }
        kw_fail(c, NULL, "E0203",
                "nbproc is not supported any more since HAProxy 2.5. Threads will automatically be used on "
                "multi-processor machines if available.");
        return -1;
}

/* One group is what there is: its threads share a listener's connections and a server's limits exactly. */
static int thread_groups_parse(struct kw_call *c)
{
        int64_t v = 0;

        if (one_arg(c, "an integer argument") < 0 || !kw_arg_int(c, &c->args[0], 1, INT32_MAX, &v))
                return -1;
        if (v == 1)
                return 1;
        kw_fail(c, &c->args[0], "E0203", "'thread-groups' above 1 is not supported: all threads are one group here.");
        return -1;
}

/* Idle server connections stay with the thread that opened them: what 'off' asks for. */
static int idle_shared_parse(struct kw_call *c)
{
        if (one_arg(c, "'on', 'off' or 'full'") < 0)
                return -1;
        if (str_is(c->args[0].text, "off"))
                return 1;
        if (str_is(c->args[0].text, "on") || str_is(c->args[0].text, "full"))
                kw_fail(c, &c->args[0], "E0203", "'%s %.*s' is not supported yet; 'off' is.", c->kw->name,
                        (int)c->args[0].text.n, c->args[0].text.p);
        else
                kw_fail(c, &c->args[0], "E0203", "'%s' expects 'on', 'off' or 'full', got '%.*s'.", c->kw->name,
                        (int)c->args[0].text.n, c->args[0].text.p);
        return -1;
}

static bool is_node_name(struct str s)
{
        for (size_t i = 0; i < s.n; i++) {
                unsigned char l = chr_lower((unsigned char)s.p[i]);

                if (!(l >= 'a' && l <= 'z') && !chr_is_digit(s.p[i]) && !(s.p[i] && strchr(".-_", s.p[i])))
                        return false;
        }
        return s.n > 0;
}

static int node_parse(struct kw_call *c)
{
        struct diag *d;

        if (c->n_args == 0 || !is_node_name(c->args[0].text)) {
                d = kw_fail(
                        c, NULL, "E0204",
                        "'%s' requires valid node name - non-empty string with digits(0-9), letters(A-Z, a-z), dot(.), "
                        "hyphen(-) or underscode(_).",
                        c->kw->name);
                d->intro = DIAG_INTRO_TIGHT;
                return -1;
        }
        ((struct global_cfg *)c->slot)->node = conf_intern(c->conf, c->args[0].text);
        return 1;
}

static int description_parse(struct kw_call *c)
{
        const char *z = join_args(c);

        if (!z)
                return -1;
        ((struct global_cfg *)c->slot)->description = z;
        return (int)c->n_args;
}

static void text_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct global_cfg *g = slot;
        const char *z = strcmp(kw->name, "node") == 0 ? g->node : g->description;

        if (!z)
                return;
        buf_printf(out, "    %s ", kw->name);
        kw_quote(out, z);
        buf_putc(out, '\n');
}

static int chroot_parse(struct kw_call *c)
{
        if (one_arg(c, "a directory as an argument") < 0)
                return -1;
        ((struct global_cfg *)c->slot)->chroot = conf_intern(c->conf, c->args[0].text);
        return 1;
}

static void chroot_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct global_cfg *g = slot;

        if (!g->chroot)
                return;
        buf_printf(out, "    %s ", kw->name);
        kw_quote(out, g->chroot);
        buf_putc(out, '\n');
}

/* ---- the environment of the load; it acts at once, so that later lines see it ---- */
static int setenv_parse(struct kw_call *c)
{
        bool preset = strcmp(c->kw->name, "presetenv") == 0;

        if (c->n_args < 2) {
                kw_fail(c, NULL, "E0110", "'%s' expects a name and a value.", c->kw->name)->intro = DIAG_INTRO_TIGHT;
                return -1;
        }
        if (!preset || !conf_env_get(c->conf, c->args[0].text))
                conf_env_set(c->conf, c->args[0].text, c->args[1].text);
        return 2;
}

static int unsetenv_parse(struct kw_call *c)
{
        if (c->n_args == 0) {
                kw_fail(c, NULL, "E0110", "'%s' expects at least one variable name.", c->kw->name)->intro =
                        DIAG_INTRO_TIGHT;
                return -1;
        }
        for (size_t i = 0; i < c->n_args; i++)
                conf_env_unset(c->conf, c->args[i].text);
        return (int)c->n_args;
}

static int resetenv_parse(struct kw_call *c)
{
        conf_env_reset(c->conf, c->args, c->n_args);
        return (int)c->n_args;
}

#define RESTART "it is used once, when the process starts"

static const struct kw_val compat_vals[] = { { "2.6", COMPAT_2_6 }, { "3.4", COMPAT_3_4 }, { NULL, 0 } };

static const struct global_cfg defaults = { .uid = -1,
                                            .gid = -1,
                                            .compat = COMPAT_3_4,
                                            .stats_timeout_ms = 10000,
                                            .stats_maxconn = 10,
                                            .bufsize = 16384,
                                            .maxaccept = 64,
                                            .max_http_hdr = 101,
                                            .logurilen = 1024 };

static const struct kw rows[] = {
        KW_FN("user", account_parse, account_dump, .apply = KW_SWAP, .manual = "3.1", .args = "<user name>",
              .sample = "root", .help = "runs the worker as this user; looked up when the file is loaded"),
        KW_FN("group", account_parse, account_dump, .apply = KW_SWAP, .manual = "3.1", .args = "<group name>",
              .sample = "root", .help = "runs the worker in this group; looked up when the file is loaded"),
        KW_FN("uid", id_parse, id_dump, .apply = KW_SWAP, .manual = "3.1", .args = "<number>", .sample = "1000",
              .help = "runs the worker as this user id"),
        KW_FN("gid", id_parse, id_dump, .apply = KW_SWAP, .manual = "3.1", .args = "<number>", .sample = "1000",
              .help = "runs the worker with this group id"),
        KW_FN("chroot", chroot_parse, chroot_dump, .apply = KW_SWAP, .manual = "3.1", .args = "<directory>",
              .sample = "/var/empty", .help = "confines the worker to this directory"),
        KW_ENUM("compat", struct global_cfg, compat, compat_vals, .apply = KW_SWAP, .args = "{ 2.6 | 3.4 }",
                .help = "whose defaults count where HAProxy's versions differ: `balance` (roundrobin or random), option "
                        "abortonclose in HTTP backends (off or on)"),
        KW_INT("maxconnrate", struct global_cfg, maxconnrate, 0, INT32_MAX, .apply = KW_LIVE, .manual = "3.2",
               .args = "<number>",
               .help = "connections accepted per second by the whole process; the others wait in the kernel"),
        KW_INT("maxsessrate", struct global_cfg, maxsessrate, 0, INT32_MAX, .apply = KW_LIVE, .manual = "3.2",
               .args = "<number>",
               .help = "sessions begun per second by the whole process; the others wait in the kernel"),
        KW_FLAG("daemon", struct global_cfg, daemon, .apply = KW_REFUSED, .manual = "3.1",
                .help = "goes to the background, like -D; ignored under -db, -d and -Ws"),
        KW_FN("master-worker", master_worker_parse, master_worker_dump, .apply = KW_REFUSED, .manual = "3.1",
              .args = "[no-exit-on-failure]", .sample = "", .help = "runs as a supervisor with a worker, like -W"),
        KW_STR("pidfile", struct global_cfg, pidfile, .apply = KW_REFUSED, .min = 1, .manual = "3.1", .args = "<path>",
               .help = "where the process id is written, like -p"),
        KW_INT("nbthread", struct global_cfg, nbthread, 1, 64, .apply = KW_SWAP, .manual = "3.1", .args = "<number>",
               .help = "data threads; default: one per usable core"),
        KW_FN("nbproc", nbproc_parse, dump_nothing, .manual = "3.1", .args = "1", .sample = "1",
              .help = "only 1 is accepted: one process with threads does the work"),
        KW_FN("thread-groups", thread_groups_parse, dump_nothing, .manual = "3.1", .args = "1", .sample = "1",
              .help = "only 1 is accepted: all threads are one group"),
        KW_INT("maxconn", struct global_cfg, maxconn, 0, INT32_MAX, .apply = KW_NEW, .manual = "3.2",
               .args = "<number>", .help = "connections of the whole process; 0: derived from the descriptor limit"),
        KW_INT("ulimit-n", struct global_cfg, ulimit_n, 0, INT32_MAX, .apply = KW_SWAP, .manual = "3.1",
               .args = "<number>", .help = "descriptors of a process; 0: derived from maxconn"),
        KW_TIME("hard-stop-after", struct global_cfg, hard_stop_after_ms, .apply = KW_LIVE, .manual = "3.1",
                .args = "<time>", .help = "ends a soft stop by force after this time"),
        KW_TIME("grace", struct global_cfg, grace_ms, .apply = KW_LIVE, .manual = "3.1", .args = "<time>",
                .help = "keeps the listeners open this long after a soft stop was asked for"),
        KW_FN("node", node_parse, text_dump, .apply = KW_LIVE, .manual = "3.1", .args = "<name>", .sample = "n1",
              .help = "name of this machine on the stats page"),
        KW_FN("description", description_parse, text_dump, .apply = KW_LIVE, .manual = "3.1", .args = "<text>...",
              .sample = "a b", .help = "free text on the stats page"),
        KW_FLAG("quiet", struct global_cfg, quiet, .apply = KW_REFUSED, .manual = "3.1",
                .help = "no messages on the terminal, like -q; ignored under -db, -d, -Ws and -V"),
        KW_FN("zero-warning", zero_warning_parse, zero_warning_dump, .apply = KW_LIVE, .manual = "3.1", .sample = "",
              .help = "refuses a file that has warnings, like -dW"),
        KW_INT("spread-checks", struct global_cfg, spread_checks, 0, 50, .apply = KW_LIVE, .manual = "3.1",
               .args = "<percent>", .help = "adds this much randomness to check intervals"),
        KW_TIME("max-spread-checks", struct global_cfg, max_spread_checks_ms, .apply = KW_LIVE, .manual = "3.1",
                .args = "<time>", .help = "the first checks of all servers begin within this time, at the latest"),
        KW_TIME("stats timeout", struct global_cfg, stats_timeout_ms, .apply = KW_NEW, .manual = "3.1",
                .args = "<time>", .help = "how long a stats socket connection may be silent"),
        KW_INT("stats maxconn", struct global_cfg, stats_maxconn, 1, 1000000, .apply = KW_NEW, .manual = "3.1",
               .args = "<number>", .help = "connections on all stats sockets"),
        KW_FN("stats socket", stats_socket_parse, kw_dump_child, .apply = KW_LIVE, .manual = "3.1",
              .args = "<address> [<bind words>]", .sample = "/tmp/telamon-sample.sock level admin",
              .help = "a socket for runtime commands"),
        KW_SIZE("tune.bufsize", struct global_cfg, bufsize, 1024, 1 << 20, .apply = KW_NEW, .manual = "3.2",
                .args = "<size>", .help = "largest message head, and the size of the first read"),
        KW_INT("tune.maxaccept", struct global_cfg, maxaccept, -1, 100000, .apply = KW_SWAP, .manual = "3.2",
               .args = "<number>", .help = "connections taken from a listener at once; -1: no limit"),
        KW_INT("tune.http.maxhdr", struct global_cfg, max_http_hdr, 1, 32767, .apply = KW_NEW, .manual = "3.2",
               .args = "<number>", .help = "lines of a message head, the first one included; at most 101 count"),
        KW_INT("tune.http.logurilen", struct global_cfg, logurilen, 1, 65535, .apply = KW_NEW, .manual = "3.2",
               .args = "<number>", .help = "bytes of the request line kept for the log"),
        KW_FN("tune.idle-pool.shared", idle_shared_parse, dump_nothing, .manual = "3.2", .args = "off", .sample = "off",
              .help = "only off is accepted: idle server connections stay with their thread"),
        KW_NONE("tune.maxrewrite", "edits never move what is in the receive buffer, so nothing is reserved for them",
                .max = 1, .manual = "3.2", .args = "<size>", .help = "room reserved for edits"),
        KW_FN("setenv", setenv_parse, dump_nothing, .manual = "3.1", .args = "<name> <value>", .sample = "A b",
              .help = "sets a variable for the lines below"),
        KW_FN("presetenv", setenv_parse, dump_nothing, .manual = "3.1", .args = "<name> <value>", .sample = "A b",
              .help = "sets a variable unless it is set"),
        KW_FN("unsetenv", unsetenv_parse, dump_nothing, .manual = "3.1", .args = "<name>...", .sample = "A",
              .help = "forgets variables"),
        KW_FN("resetenv", resetenv_parse, dump_nothing, .manual = "3.1", .args = "[<name>...]", .sample = "PATH",
              .help = "forgets all variables but these"),
};

static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct global_cfg *g = slot;

        (void)c;
        if (g->max_http_hdr > 101)
                diag_add(
                        d, DIAG_WARNING, conf_span_name(o, "tune.http.maxhdr"), "W0243",
                        "'tune.http.maxhdr' above 101 has no effect here: a head with more than 100 fields is refused.");
        if (g->chroot && g->chroot[0] != '/')
                diag_add(d, DIAG_ALERT, conf_span_name(o, "chroot"), "E0205", "'chroot' expects an absolute path.");
}

KW_TABLE(global, KIND_GLOBAL, struct global_cfg, rows, .defaults = &defaults, .check = check);

const struct global_cfg *global_of(const struct conf *c)
{
        const struct conf_obj *o = conf_find(c, KIND_GLOBAL, STR(""));

        return o ? conf_slot(o, global_slot) : &defaults;
}
