/* main/supervisor.c - see the header.
 *
 * Two small machines run beside each other. The worker: NONE -> STARTING -> UP, back to NONE when it dies (then respawned
 * from the last good configuration, after a pause when it dies often). The load: IDLE -> LOADING (loader runs) -> HELD (waits for an
 * UP worker) -> APPLYING (the worker compares and changes itself) -> IDLE. A reload asked for meanwhile is remembered once. */
#include "main/supervisor.h"

#include "ev/sig.h"
#include "main/binds.h"
#include "main/channel.h"
#include "main/daemon.h"
#include "main/heartbeat.h"
#include "main/journal.h"
#include "main/limits.h"
#include "main/load.h"
#include "main/mastercli.h"
#include "main/pidfile.h"
#include "main/proclog.h"
#include "main/sdnotify.h"
#include "main/supconf.h"
#include "main/syslog_fd.h"
#include "main/version.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CRASHES_FREE   5 /* deaths within CRASH_WINDOW before respawns are put off */
#define CRASH_WINDOW   ((mono_t)10 * NS_PER_S)
#define HANG_NS        ((uint64_t)2 * NS_PER_S) /* design.md section 2, the ladder */
#define HANG_CHECK_MS  500
#define ABORT_GRACE_MS 1000
#define LOADER_MAX_MS  120000

enum worker_state { W_NONE, W_STARTING, W_UP };
enum load_state { L_IDLE, L_LOADING, L_HELD, L_APPLYING };

struct child {
        int pid; /* 0 = none */
        struct ev_fd channel;
        mono_t since;
};

static struct {
        const struct args *args;
        char **argv;
        struct loop loop;
        struct sig_watch sigs;
        struct child worker, loader;
        enum worker_state worker_state;
        enum load_state load_state;
        struct supconf *good, *next;
        struct journal journal;
        struct mastercli *cli;
        struct daemon daemon;
        struct heartbeat *beat;
        struct timer respawn, watch, loader_limit;
        struct timer kill_hung;
        mono_t crash[CRASHES_FREE + 1];
        unsigned n_crashes;
        uint64_t generation;
        unsigned reloads, failed;
        unsigned hung_checks;
        bool reload_wanted, last_failed, started, text_shown;
        int stopping; /* signal, 0 = no */
        int exit_code;
        mono_t since;
} sup;

static const int signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP, SIGCHLD, SIGTTOU, SIGTTIN, SIGQUIT };

static void begin_load(void);
static void try_apply(void);
static void start_worker(void);

/* ---- children ---- */

static void finish(int code)
{
        sup.exit_code = code;
        loop_stop(&sup.loop);
}

static void close_channel(struct child *c)
{
        if (c->channel.fd < 0)
                return;
        loop_del(&sup.loop, &c->channel);
        (void)close(c->channel.fd);
        c->channel.fd = -1;
}

static char **child_argv(const char *role)
{
        size_t n = 0;
        char **v;

        while (sup.argv[n])
                n++;
        v = calloc(n + 3, sizeof(*v));
        ASSERT(v != NULL);
        v[0] = sup.argv[0];
        v[1] = (char *)"--role";
        v[2] = (char *)(uintptr_t)role;
        for (size_t i = 1; i < n; i++)
                v[i + 2] = sup.argv[i];
        return v;
}

static int spawn_with(const char *role, int fd, posix_spawn_file_actions_t *fa, posix_spawnattr_t *at)
{
        char **v = child_argv(role);
        sigset_t none;
        pid_t pid = 0;
        int e;

        (void)sigemptyset(&none);
        (void)posix_spawnattr_setsigmask(at, &none);
        (void)posix_spawnattr_setflags(at, POSIX_SPAWN_SETSIGMASK);
        e = posix_spawn_file_actions_adddup2(fa, fd, 3);
        if (e == 0)
                e = posix_spawn(&pid, "/proc/self/exe", fa, at, v, environ);
        free(v);
        return e ? -e : (int)pid;
}

/* fork + exec of ourselves: a fresh address layout, and no copy of our memory or descriptors. */
static int spawn(const char *role, struct child *c, void (*fn)(struct ev_fd *, uint32_t))
{
        posix_spawn_file_actions_t fa;
        posix_spawnattr_t at;
        int fds[2], pid = channel_pair(fds);

        if (pid < 0)
                return pid;
        (void)posix_spawn_file_actions_init(&fa);
        (void)posix_spawnattr_init(&at);
        pid = spawn_with(role, fds[1], &fa, &at);
        (void)posix_spawn_file_actions_destroy(&fa);
        (void)posix_spawnattr_destroy(&at);
        (void)close(fds[1]);
        if (pid < 0) {
                (void)close(fds[0]);
                proclog(PROC_ALERT, "Cannot start the %s (%s).", role, strerror(-pid));
                return pid;
        }
        *c = (struct child){ .pid = pid, .channel = { .fd = fds[0], .fn = fn }, .since = thr_self->sys->mono() };
        (void)loop_add_level(&sup.loop, &c->channel, false);
        return 0;
}

/* ---- the worker ---- */

static bool send_binds(const struct supconf *c)
{
        for (size_t i = 0; i < c->n_binds; i++) {
                const struct sup_bind *b = &c->binds[i];
                struct channel_arg a[] = { CH_S(str_of(b->key)) };

                if (channel_send(sup.worker.channel.fd, CH_LISTEN, a, b->fds, b->n_fds) < 0)
                        return false;
        }
        return true;
}

static void send_log(struct str path)
{
        char z[108];
        int fd = -1;

        if (path.n < sizeof(z)) {
                memcpy(z, path.p, path.n);
                z[path.n] = 0;
                fd = syslog_fd(z);
        }
        (void)channel_send(sup.worker.channel.fd, CH_LOG_FD, (struct channel_arg[]){ CH_S(path) }, &fd, fd >= 0);
        if (fd >= 0)
                (void)close(fd);
}

static bool send_conf(const struct supconf *c, bool replay)
{
        struct channel_arg a[] = { CH_U(++sup.generation) };

        if (!send_binds(c))
                return false;
        for (size_t i = 0; i < c->n_logs; i++)
                send_log(str_of(c->logs[i]));
        list_for_each (i, &sup.journal.all)
                if (replay)
                        (void)channel_send(
                                sup.worker.channel.fd, CH_REPLAY,
                                (struct channel_arg[]){ CH_S(str_of(list_item(i, struct journal_entry, link)->cmd)) },
                                NULL, 0);
        return channel_send(sup.worker.channel.fd, CH_APPLY, a, &c->bundle, 1) == 0;
}

static bool send_rights(const struct supconf *c)
{
        struct channel_arg a[] = { CH_U(c->uid + 1), CH_U(c->gid + 1), CH_S(c->chroot ? str_of(c->chroot) : STR("")) };
        int memfd = -1;
        bool ok;

        heartbeat_free(sup.beat);
        sup.beat = NULL;
        if (heartbeat_new(&memfd, &sup.beat) < 0)
                return false;
        ok = channel_send(sup.worker.channel.fd, CH_RIGHTS, a, &memfd, 1) == 0;
        (void)close(memfd);
        return ok;
}

static void worker_applied(bool ok);

static void worker_message(struct channel_msg *m)
{
        switch (m->type) {
        case CH_DIFF:
                if (sup.next)
                        buf_str(&sup.next->text, m->arg[0].s);
                else
                        proclog_raw(m->arg[0].s);
                break;
        case CH_APPLIED:
                if (m->arg[0].u == sup.generation)
                        worker_applied(m->arg[1].u == 1);
                break;
        case CH_JOURNAL: journal_set(&sup.journal, m->arg[0].s, m->arg[1].s); break;
        case CH_REOPEN:
                if (sup.good && supconf_has_log(sup.good, m->arg[0].s))
                        send_log(m->arg[0].s);
                break;
        default:
                proclog(PROC_ALERT, "Current worker (%d) sends what a worker may not send.", sup.worker.pid);
                (void)kill(sup.worker.pid, SIGKILL);
        }
}

static void on_worker(struct ev_fd *e, uint32_t events)
{
        static struct channel_msg m;
        int r;

        (void)events;
        r = channel_recv(e->fd, false, &m);
        if (r == -EAGAIN)
                return;
        if (r <= 0) { /* its death will be told by SIGCHLD; a live one without a channel is of no use */
                if (r < 0)
                        (void)kill(sup.worker.pid, SIGKILL);
                close_channel(&sup.worker);
                return;
        }
        worker_message(&m);
        channel_drop(&m);
}

static void start_worker(void)
{
        sup.hung_checks = 0;
        if (spawn("worker", &sup.worker, on_worker) < 0) {
                timer_start(&sup.loop, &sup.respawn, mono_add_ms(thr_self->now, 1000));
                return;
        }
        sup.worker_state = W_STARTING;
        proclog(PROC_NOTICE, "New worker (%d) forked", sup.worker.pid);
        if (!send_rights(sup.good) || !send_conf(sup.good, true))
                (void)kill(sup.worker.pid, SIGKILL);
}

static void respawn_due(struct timer *t)
{
        (void)t;
        start_worker();
}

/* ---- loads ---- */

static void log_lines(struct str text)
{
        while (text.n) {
                const char *nl = memchr(text.p, '\n', text.n);
                size_t n = nl ? (size_t)(nl - text.p) : text.n;

                if (n && text.p[0] != '[' && text.p[0] != ' ')
                        proclog(PROC_NOTICE, "%.*s", (int)n, text.p);
                else if (n)
                        proclog_raw(str_sub(text, 0, n + (nl != NULL)));
                text = str_sub(text, n + (nl != NULL), text.n - n - (nl != NULL));
        }
}

static void load_ended(bool ok)
{
        if (sup.next)
                log_lines(buf_view(&sup.next->text));
        if (!ok)
                supconf_free(sup.next);
        sup.next = NULL;
        sup.load_state = L_IDLE;
        sup.last_failed = !ok;
        if (ok)
                proclog(PROC_NOTICE, "Loading success.");
        else
                proclog(PROC_WARNING, "Loading failure!");
        if (!ok)
                sup.failed++;
        sdnotify(ok ? "READY=1\nSTATUS=Ready." : "READY=1\nSTATUS=Reload failed!");
        mastercli_reloaded(sup.cli, ok, proclog_kept());
        if (sup.reload_wanted && !sup.stopping)
                begin_load();
}

static void first_load_failed(void)
{
        log_lines(buf_view(&sup.next->text));
        if (sup.next->loaded && sup.next->code == 2)
                proclog(PROC_ALERT,
                        "[telamon.main()] No enabled listener found (check for 'bind' directives) ! Exiting.");
        finish(sup.next->loaded && sup.next->code ? sup.next->code : 1);
}

static void load_failed(const char *why)
{
        if (!sup.good) {
                first_load_failed();
                return;
        }
        if (why)
                proclog(PROC_ALERT, "Failed to load: %s.", why);
        load_ended(false);
}

static bool take_pidfile(const struct supconf *c)
{
        const char *path = sup.args->pidfile ? sup.args->pidfile : c->pidfile;
        int fd;

        if (!path)
                return true;
        fd = pidfile_open(path);
        if (fd < 0) {
                proclog(PROC_ALERT, "[telamon.main()] Cannot create pidfile %s (%s)", path, strerror(-fd));
                return false;
        }
        pidfile_write(fd, (int)getpid());
        return true;
}

static void first_load_done(void)
{
        struct supconf *c = sup.next;

        limits_files(c->files);
        if (!supconf_bind(c, NULL, sup.args) || !take_pidfile(c)) {
                binds_signal(sup.args, SIGTTIN);
                proclog(PROC_ALERT, "[telamon.main()] Some protocols failed to start their listeners! Exiting.");
                finish(1);
                return;
        }
        log_lines(buf_view(&c->text));
        buf_drop(&c->text, c->text.n);
        sup.good = c;
        sup.next = NULL;
        sup.load_state = L_IDLE;
        start_worker();
}

static void load_done(void)
{
        if (!sup.next->loaded || sup.next->code) {
                load_failed(sup.next->loaded && sup.next->code == 2 ? "no listener" : NULL);
                return;
        }
        if (!sup.good) {
                first_load_done();
                return;
        }
        if (sup.next->uid != sup.good->uid || sup.next->gid != sup.good->gid ||
            strcmp(sup.next->chroot ? sup.next->chroot : "", sup.good->chroot ? sup.good->chroot : "") != 0) {
                load_failed("user, group and chroot cannot be changed without a restart");
                return;
        }
        if (!supconf_bind(sup.next, sup.good, sup.args)) {
                load_failed("some sockets cannot be bound");
                return;
        }
        sup.load_state = L_HELD;
        try_apply();
}

static void try_apply(void)
{
        if (sup.load_state != L_HELD || sup.worker_state != W_UP)
                return;
        sup.load_state = L_APPLYING;
        if (!send_conf(sup.next, false))
                (void)kill(sup.worker.pid, SIGKILL); /* its death ends the load */
}

static void on_loader(struct ev_fd *e, uint32_t events)
{
        static struct channel_msg m;
        int r;

        (void)events;
        r = channel_recv(e->fd, false, &m);
        if (r == -EAGAIN)
                return;
        if (r > 0 && supconf_take(sup.next, &m)) {
                channel_drop(&m);
                return;
        }
        if (r > 0)
                channel_drop(&m);
        if (r != 0)
                (void)kill(sup.loader.pid, SIGKILL);
        close_channel(&sup.loader);
        timer_stop(&sup.loop, &sup.loader_limit);
        if (sup.load_state == L_LOADING)
                load_done();
}

static void loader_too_slow(struct timer *t)
{
        (void)t;
        if (sup.loader.pid)
                (void)kill(sup.loader.pid, SIGKILL);
}

static void begin_load(void)
{
        sup.reload_wanted = false;
        sup.next = supconf_new();
        sup.load_state = L_LOADING;
        if (spawn("loader", &sup.loader, on_loader) < 0)
                load_failed("the loader cannot be started");
        else
                timer_start(&sup.loop, &sup.loader_limit, mono_add_ms(thr_self->now, LOADER_MAX_MS));
}

static void reload(void)
{
        if (sup.stopping)
                return;
        if (!sup.started || sup.load_state != L_IDLE) { /* one at a time; the latest wins */
                sup.reload_wanted = true;
                return;
        }
        proclog_forget();
        proclog(PROC_NOTICE, "Reloading HAProxy");
        sdnotify_reloading();
        sup.reloads++;
        begin_load();
}

/* ---- what the worker's answers and deaths mean ---- */

static void first_start_done(void)
{
        sup.started = true;
        binds_signal(sup.args, sup.args->old_signal);
        proclog(PROC_NOTICE, "Loading success.");
        sdnotify("READY=1\nSTATUS=Ready.\nMAINPID=%d", (int)getpid());
        daemon_ready(&sup.daemon);
        if (sup.reload_wanted)
                reload();
}

static void worker_applied(bool ok)
{
        if (sup.load_state == L_APPLYING) {
                struct supconf *old = ok ? sup.good : NULL;

                if (ok) {
                        supconf_settle(sup.next, old);
                        sup.good = sup.next;
                } else
                        supconf_give_back(sup.next, sup.good);
                load_ended(ok);
                supconf_free(old);
                return;
        }
        if (sup.worker_state != W_STARTING || !ok)
                return; /* a refused start ends by its exit */
        sup.worker_state = W_UP;
        if (!sup.started)
                first_start_done();
        try_apply();
}

static const char *end_name(int status)
{
        return WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "Exit";
}

static int end_code(int status)
{
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Milliseconds to wait before the next start: none for the first deaths, then a second more each. */
static int64_t respawn_pause(void)
{
        mono_t now = thr_self->now;
        unsigned recent = 1;

        for (unsigned i = 0; i < sup.n_crashes; i++)
                recent += now - sup.crash[i] < CRASH_WINDOW;
        memmove(sup.crash + 1, sup.crash, sizeof(sup.crash) - sizeof(*sup.crash));
        sup.crash[0] = now;
        if (sup.n_crashes < array_len(sup.crash))
                sup.n_crashes++;
        return recent > CRASHES_FREE ? (int64_t)(recent - CRASHES_FREE) * 1000 : 0;
}

static void respawn(void)
{
        int64_t ms = respawn_pause();

        if (ms == 0) {
                start_worker();
                return;
        }
        proclog(PROC_WARNING, "The worker dies too often: next start in %d s.", (int)(ms / 1000));
        timer_start(&sup.loop, &sup.respawn, mono_add_ms(thr_self->now, ms));
}

static void worker_died(int status)
{
        int code = end_code(status);

        if (sup.started)
                proclog(code == 0 || code == 1 ? PROC_WARNING : PROC_ALERT,
                        "Current worker (%d) exited with code %d (%s)", sup.worker.pid, code, end_name(status));
        else
                proclog(PROC_WARNING, "Failed to load worker (%d) exited with code %d (%s)", sup.worker.pid, code,
                        end_name(status));
        close_channel(&sup.worker);
        timer_stop(&sup.loop, &sup.kill_hung);
        sup.worker.pid = 0;
        sup.worker_state = W_NONE;
        if (sup.stopping || !sup.started) {
                int end = sup.stopping ? (sup.stopping == SIGTERM ? 0 : code) : code ? code : 1;

                proclog(PROC_WARNING, "All workers exited. Exiting... (%d)", end);
                finish(end);
                return;
        }
        if (sup.load_state == L_APPLYING) { /* what it was about to apply may be what killed it */
                supconf_give_back(sup.next, sup.good);
                load_failed("the worker died while it applied the new configuration");
        }
        respawn();
}

static void reap(void)
{
        int status, pid;

        while ((pid = sig_reap(&status)) > 0) {
                if (pid == sup.worker.pid)
                        worker_died(status);
                else if (pid == sup.loader.pid)
                        sup.loader.pid = 0; /* its channel tells the rest */
        }
}

/* ---- the watch over a hung worker ---- */

/* A worker that is stopped (SIGSTOP, a debugger) is not hung. */
static bool is_stopped(int pid)
{
        char path[32], text[512];
        const char *p;
        ssize_t n;
        int fd;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return true;
        n = read(fd, text, sizeof(text) - 1);
        (void)close(fd);
        text[n > 0 ? n : 0] = 0;
        p = strrchr(text, ')');
        return !p || p[1] != ' ' || p[2] == 'T' || p[2] == 't';
}

static void kill_hung_due(struct timer *t)
{
        (void)t;
        if (sup.worker.pid)
                (void)kill(sup.worker.pid, SIGKILL);
}

static void check_hung(struct timer *t)
{
        uint64_t lag = sup.beat && sup.worker_state == W_UP ? heartbeat_lag(sup.beat, thr_self->sys->mono()) : 0;

        timer_start(&sup.loop, t, mono_add_ms(thr_self->now, HANG_CHECK_MS));
        sup.hung_checks = lag > HANG_NS && !is_stopped(sup.worker.pid) ? sup.hung_checks + 1 : 0;
        if (sup.hung_checks != 2) /* twice: the first may be our own late wake-up */
                return;
        proclog(PROC_ALERT, "Current worker (%d) hangs since %llu ms: it is replaced.", sup.worker.pid,
                (unsigned long long)(lag / NS_PER_MS));
        (void)kill(sup.worker.pid, SIGABRT);
        timer_start(&sup.loop, &sup.kill_hung, mono_add_ms(thr_self->now, ABORT_GRACE_MS));
}

/* ---- signals and the master socket ---- */

static void stop(int signo)
{
        if (!sup.stopping)
                proclog(PROC_WARNING, "Exiting Master process...");
        sup.stopping = signo;
        sdnotify("STOPPING=1");
        timer_stop(&sup.loop, &sup.respawn);
        if (sup.loader.pid)
                (void)kill(sup.loader.pid, SIGKILL);
        if (sup.worker.pid)
                (void)kill(sup.worker.pid, signo);
        else
                finish(signo == SIGINT ? 130 : 0);
}

static void on_signal(struct sig_watch *s, int signo, int pid)
{
        (void)s;
        (void)pid;
        if (signo == SIGCHLD)
                reap();
        else if (signo == SIGUSR2 || signo == SIGHUP)
                reload();
        else if (signo == SIGTERM || signo == SIGINT || signo == SIGUSR1)
                stop(signo);
        else if (sup.worker.pid && signo != SIGQUIT)
                (void)kill(sup.worker.pid, signo);
}

static void print_row(struct buf *out, int pid, const char *type, const char *reloads, mono_t since)
{
        uint64_t s = (thr_self->sys->mono() - since) / NS_PER_S;
        char up[32];

        (void)snprintf(up, sizeof(up), "%ud%02uh%02um%02us", (unsigned)(s / 86400), (unsigned)(s / 3600 % 24),
                       (unsigned)(s / 60 % 60), (unsigned)(s % 60));
        buf_printf(out, "%-15d %-15s %-15s %-15s %-15s\n", pid, type, reloads, up, HAPROXY_LEVEL);
}

static void show_proc(struct buf *out)
{
        char reloads[48];

        (void)snprintf(reloads, sizeof(reloads), "%u [failed: %u]", sup.reloads, sup.failed);
        buf_printf(out, "%-15s %-15s %-15s %-15s %-15s\n", "#<PID>", "<type>", "<reloads>", "<uptime>", "<version>");
        print_row(out, (int)getpid(), "master", reloads, sup.since);
        buf_puts(out, "# workers\n");
        if (sup.worker.pid)
                print_row(out, sup.worker.pid, "worker", "0", sup.worker.since);
}

static bool reload_failed(void)
{
        return sup.last_failed;
}

static int worker_pid(void)
{
        return sup.worker_state == W_UP ? sup.worker.pid : 0;
}

static int bundle(void)
{
        return sup.good ? sup.good->bundle : -1;
}

static int attach(int fd, int level)
{
        struct channel_arg a[] = { CH_U(level) };

        return channel_send(sup.worker.channel.fd, CH_CLI, a, &fd, 1);
}

static const struct mastercli_ops cli_ops = { show_proc, reload, reload_failed, worker_pid, bundle, attach };

/* ---- life ---- */

/* Inherited descriptors (fd@N) are for our sockets, not for children. */
static void keep_from_children(void)
{
        for (int fd = 3; fd < 1024; fd++)
                if (fcntl(fd, F_GETFD) >= 0)
                        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static bool open_up(void)
{
        int e = loop_init(&sup.loop, thr_self);

        if (e == 0)
                e = sig_watch_start(&sup.sigs, &sup.loop, signals, array_len(signals), on_signal);
        if (e < 0) {
                proclog(PROC_ALERT, "Cannot run (%s).", strerror(-e));
                return false;
        }
        journal_init(&sup.journal);
        timer_init(&sup.respawn, respawn_due);
        timer_init(&sup.watch, check_hung);
        timer_init(&sup.kill_hung, kill_hung_due);
        timer_init(&sup.loader_limit, loader_too_slow);
        sup.cli = mastercli_new(&sup.loop, sup.args, &cli_ops);
        return sup.cli != NULL;
}

static void close_down(void)
{
        mastercli_free(sup.cli);
        close_channel(&sup.worker);
        close_channel(&sup.loader);
        if (sup.next != sup.good)
                supconf_free(sup.next);
        supconf_free(sup.good);
        heartbeat_free(sup.beat);
        journal_fini(&sup.journal);
        sig_watch_stop(&sup.sigs);
        loop_fini(&sup.loop);
}

int supervisor_run(const struct args *a, char **argv)
{
        sup.args = a;
        sup.argv = argv;
        sup.daemon = (struct daemon)DAEMON_INIT;
        sup.worker.channel.fd = sup.loader.channel.fd = -1;
        keep_from_children();
        if (args_background(a) && daemon_fork(&sup.daemon) < 0)
                return 1;
        thr_self = thr_new(0, &sys_kernel, 65536);
        if (!thr_self || !open_up())
                return 1;
        sup.since = thr_self->now;
        begin_load();
        timer_start(&sup.loop, &sup.watch, mono_add_ms(thr_self->now, HANG_CHECK_MS));
        (void)loop_run(&sup.loop);
        close_down();
        return sup.exit_code;
}
