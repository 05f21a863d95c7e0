/* main/single.c - see the header. */
#include "main/single.h"

#include "main/again.h"
#include "main/binds.h"
#include "main/daemon.h"
#include "main/heartbeat.h"
#include "main/limits.h"
#include "main/load.h"
#include "main/orphan.h"
#include "main/pidfile.h"
#include "main/privileges.h"
#include "main/proclog.h"
#include "main/runner.h"
#include "main/syslog_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int print_lib(struct dl_phdr_info *info, size_t size, void *data)
{
        (void)size;
        (void)data;
        if (info->dlpi_name[0] == '/')
                (void)puts(info->dlpi_name);
        return 0;
}

static void report(const struct load *l, const struct args *a)
{
        AUTO_BUF(b);

        load_report(l, load_form(a), &b);
        proclog_raw(buf_view(&b));
}

/* What -c checks beyond the load. Exit code 0, 1 or 2. */
static int judge(const struct load *l, const struct args *a, struct privileges *ret_p, struct engine_binds *ret_b)
{
        report(l, a);
        if (!l->conf)
                return 1;
        privileges_of(l->conf, ret_p);
        engine_binds(l->conf, engine_threads(l->conf), ret_b);
        return ret_b->n ? 0 : 2;
}

static void say_checked(const struct load *l, const struct args *a, int code)
{
        if (a->quiet)
                return;
        if (l->diags.n_warnings && code != 1)
                (void)puts("Warnings were found.");
        if (code == 0)
                (void)puts("Configuration file is valid");
        else if (code == 2)
                (void)fputs("Configuration file has no error but will not start (no listener) => exit(2).\n", stderr);
}

int single_check(const struct args *a)
{
        struct engine_binds binds = { 0 };
        struct privileges p;
        struct load l;
        int code;

        load_init(&l);
        (void)load_disk(&l, a);
        code = judge(&l, a, &p, &binds);
        say_checked(&l, a, code);
        if (a->list_libs && code == 0)
                (void)dl_iterate_phdr(print_lib, NULL);
        if (code != 1)
                engine_binds_fini(&binds);
        load_fini(&l);
        return code;
}

/* ---- the running form ---- */

struct single {
        const struct args *args;
        struct load load;
        struct privileges priv;
        struct engine_binds binds;
        struct daemon daemon;
        struct runner runner;
        int pidfile;
        int orphan; /* a worker whose supervisor died and that serves on our addresses, -1 = none */
};

static bool bind_one(struct single *s, struct engine_bind *b)
{
        const char *step = "";
        int e = binds_open(&b->spec, s->args, b->fds, &step);
        AUTO_BUF(place);

        if (e > 0) {
                b->n_fds = (unsigned)e;
                return true;
        }
        load_place(&s->load, b->at, &place);
        buf_putc(&place, 0);
        binds_explain(&b->spec, place.p, b->what, step, e);
        return false;
}

static bool bind_all(struct single *s)
{
        bool ok = true;

        binds_take_over(s->args);
        for (size_t i = 0; i < s->binds.n; i++)
                ok &= bind_one(s, &s->binds.v[i]); /* all that fail are named */
        binds_taken();
        for (size_t i = 0; i < s->binds.n && i < ORPHAN_NAMES && s->orphan < 0; i++)
                s->orphan = orphan_find(&s->binds.v[i].spec, s->priv.uid);
        if (!ok) {
                binds_signal(s->args, SIGTTIN);
                proclog(PROC_ALERT, "[telamon.main()] Some protocols failed to start their listeners! Exiting.");
        }
        return ok;
}

static bool open_pidfile(struct single *s)
{
        const struct global_cfg *g = global_of(s->load.conf);
        const char *path = s->args->pidfile ? s->args->pidfile : g->pidfile;

        if (!path)
                return true;
        s->pidfile = pidfile_open(path);
        if (s->pidfile >= 0)
                return true;
        proclog(PROC_ALERT, "[telamon.main()] Cannot create pidfile %s (%s)", path, strerror(-s->pidfile));
        return false;
}

static bool background(struct single *s)
{
        const struct global_cfg *g = global_of(s->load.conf);
        int e;

        if (!args_background(s->args) && (args_in_front(s->args) || !g->daemon))
                return true;
        e = daemon_fork(&s->daemon);
        if (e < 0)
                proclog(PROC_ALERT, "[telamon.main()] Cannot fork (%s).", strerror(-e));
        return e == 0;
}

static bool drop(struct single *s)
{
        const char *what = "";
        int e;

        privileges_prepare();
        watchdog_catch(NULL);
        e = privileges_drop(&s->priv, &what);
        if (e < 0)
                proclog(PROC_ALERT, "[telamon.main()] %s%s%s%s (%s).", what, s->priv.chroot ? " (chroot " : "",
                        s->priv.chroot ? s->priv.chroot : "", s->priv.chroot ? ")" : "", strerror(-e));
        return e == 0;
}

struct log_fd {
        const char *path;
        int fd;
};

/* The local log sockets, connected while their paths can still be seen. */
static size_t open_logs(const struct conf *c, struct log_fd **ret_v)
{
        size_t n = 0;
        const char *const *paths = engine_log_paths(c, &n);
        struct log_fd *v = calloc(n + 1, sizeof(*v));

        ASSERT(v != NULL);
        for (size_t i = 0; i < n; i++)
                v[i] = (struct log_fd){ paths[i], syslog_fd(paths[i]) };
        *ret_v = v;
        return n;
}

static void reopen_log(void *ctx, const char *path)
{
        struct runner *r = ctx;

        engine_log_fd(r->engine, path, syslog_fd(path));
}

static bool build(struct single *s)
{
        struct log_fd *logs;
        size_t n = open_logs(s->load.conf, &logs);
        bool ok = drop(s);

        s->runner.hooks.reopen_log = reopen_log;
        if (ok && !runner_init(&s->runner, s->load.conf, &s->binds, false, &s->load.diags)) {
                AUTO_BUF(b);

                diags_format(&s->load.diags, DIAG_CLASSIC, DIAG_ALERT, (int)getpid(), &b);
                proclog_raw(buf_view(&b));
                ok = false;
        }
        for (size_t i = 0; i < n; i++)
                if (ok)
                        engine_log_fd(s->runner.engine, logs[i].path, logs[i].fd);
                else if (logs[i].fd >= 0)
                        (void)close(logs[i].fd);
        free(logs);
        return ok;
}

static bool prepare(struct single *s)
{
        const struct global_cfg *g = global_of(s->load.conf);

        runner_hold_signals();
        limits_files(limits_files_wanted(g, s->binds.n, engine_threads(s->load.conf)));
        if (!bind_all(s) || !open_pidfile(s) || !background(s))
                return false;
        pidfile_write(s->pidfile, (int)getpid());
        binds_signal(s->args, s->args->old_signal);
        return build(s);
}

static int start(struct single *s, char **argv)
{
        const struct args *a = s->args;
        const struct global_cfg *g = load_disk(&s->load, a) ? global_of(s->load.conf) : NULL;
        int code;

        if (g && g->master_worker) {
                again_with(argv, "-W");
                return 1;
        }
        proclog_quiet(a->quiet || (g && g->quiet && !a->verbose && !args_in_front(a)));
        code = judge(&s->load, a, &s->priv, &s->binds);
        if (code == 2)
                proclog(PROC_ALERT,
                        "[telamon.main()] No enabled listener found (check for 'bind' directives) ! Exiting.");
        return code == 0 && !prepare(s) ? 1 : code;
}

/* In the heartbeat's thread: what proclog() keeps is not for it. */
static void tell_lag(const struct record *r)
{
        AUTO_BUF(b);

        buf_printf(&b, "[WARNING]  (%d) : ", (int)getpid());
        record_print(r, &b);
        if (!proclog_is_silent() && write(STDERR_FILENO, b.p, b.n) < 0)
                return; /* nowhere to tell it */
}

static void on_ending(struct runner *r)
{
        (void)r;
        heartbeat_stop();
}

static void on_started(struct runner *r)
{
        static struct heartbeat own;

        (void)heartbeat_start(&own, r->engine, tell_lag);
        orphan_retire(container_of(r, struct single, runner)->orphan);
}

int single_run(const struct args *a, char **argv, int *ret_ended_by)
{
        static struct single s; /* the engine's hooks point into it until the process ends */
        int code;

        s = (struct single){ .args = a, .daemon = DAEMON_INIT, .pidfile = -1, .orphan = -1 };
        s.runner.px_maxconn = (uint32_t)a->px_maxconn;
        s.runner.started = on_started;
        s.runner.ending = on_ending;
        load_init(&s.load);
        code = start(&s, argv);
        if (code == 0) {
                daemon_ready(&s.daemon);
                code = runner_run(&s.runner);
                *ret_ended_by = s.runner.ended_by;
        }
        if (s.binds.n)
                engine_binds_fini(&s.binds);
        load_fini(&s.load);
        return code;
}
