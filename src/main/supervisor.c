/* main/supervisor.c - see the header: one supervisor's life, its signals and what the master socket asks. Workers and loads are in
 * the files that main/supervisor_priv.h names. */
#include "main/supervisor.h"

#include "main/again.h"
#include "main/proclog.h"
#include "main/sdnotify.h"
#include "main/supervisor_priv.h"
#include "main/version.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const int signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP, SIGCHLD, SIGTTOU, SIGTTIN, SIGQUIT };

struct supervisor sup;

void supervisor_finish(int code)
{
        sup.exit_code = code;
        loop_stop(&sup.loop);
}

/* ---- signals and the master socket ---- */

/* One that starts cannot drain yet: it is told once it is UP. */
static void signal_worker(const struct worker *w, int signo)
{
        if (w->state != W_STARTING || signo != SIGUSR1)
                (void)kill(w->child.pid, signo);
}

static void stop(int signo)
{
        if (!sup.stopping)
                proclog(PROC_WARNING, "Exiting Master process...");
        sup.stopping = signo;
        sdnotify("STOPPING=1");
        timer_stop(&sup.loop, &sup.respawn);
        if (sup.loader.pid)
                (void)kill(sup.loader.pid, SIGKILL);
        if (list_empty(&sup.workers))
                supervisor_finish(signo == SIGINT ? 130 : 0);
        list_for_each (i, &sup.workers)
                signal_worker(list_item(i, struct worker, link), signo);
}

static void on_signal(struct sig_watch *s, int signo, int pid)
{
        (void)s;
        (void)pid;
        if (signo == SIGCHLD)
                supload_reap();
        else if (signo == SIGUSR2 || signo == SIGHUP)
                (void)supload_reload(false);
        else if (signo == SIGTERM || signo == SIGINT || signo == SIGUSR1)
                stop(signo);
        else if (sup.worker && signo != SIGQUIT)
                (void)kill(sup.worker->child.pid, signo);
}

static void print_row(struct buf *out, int pid, const char *type, const char *reloads, mono_t since)
{
        uint64_t s = (thr_self->sys->mono() - since) / NS_PER_S;
        char up[32];

        (void)snprintf(up, sizeof(up), "%ud%02uh%02um%02us", (unsigned)(s / 86400), (unsigned)(s / 3600 % 24),
                       (unsigned)(s / 60 % 60), (unsigned)(s % 60));
        buf_printf(out, "%-15d %-15s %-15s %-15s %-15s\n", pid, type, reloads, up, HAPROXY_LEVEL);
}

static void print_worker(struct buf *out, const struct worker *w)
{
        char reloads[16];

        (void)snprintf(reloads, sizeof(reloads), "%u", w->state == W_LEAVING ? sup.reloads - w->reloads : 0);
        print_row(out, w->child.pid, "worker", reloads, w->child.since);
}

static void show_proc(struct buf *out)
{
        char reloads[48];

        (void)snprintf(reloads, sizeof(reloads), "%u [failed: %u]", sup.reloads, sup.failed);
        buf_printf(out, "%-15s %-15s %-15s %-15s %-15s\n", "#<PID>", "<type>", "<reloads>", "<uptime>", "<version>");
        print_row(out, (int)getpid(), "master", reloads, sup.since);
        buf_puts(out, "# workers\n");
        if (sup.worker)
                print_worker(out, sup.worker);
        if (sup.n_leaving)
                buf_puts(out, "# old workers\n");
        list_for_each (i, &sup.workers) {
                const struct worker *w = list_item(i, struct worker, link);

                if (w->state == W_LEAVING)
                        print_worker(out, w);
        }
}

static bool reload_failed(void)
{
        return sup.last_failed;
}

static int worker_pid(int pid)
{
        const struct worker *w = pid ? supworker_by_pid(pid) : sup.worker;

        return w && w->state != W_STARTING ? w->child.pid : 0;
}

static int bundle(void)
{
        return sup.good ? sup.good->bundle : -1;
}

static int attach(int pid, int fd, int level)
{
        struct worker *w = supworker_by_pid(pid);
        struct channel_arg a[] = { CH_U(level) };

        return w ? outbox_try(&w->out, CH_CLI, a, &fd, 1) : -ESRCH;
}

static const struct mastercli_ops cli_ops = { show_proc, supload_reload, reload_failed, worker_pid, bundle, attach };

/* ---- life ---- */

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
        journal_init(&sup.health);
        list_init(&sup.workers);
        timer_init(&sup.respawn, supload_respawn_due);
        timer_init(&sup.watch, supwatch_due);
        timer_init(&sup.loader_limit, supload_too_slow);
        sup.cli = mastercli_new(&sup.loop, sup.args, &cli_ops);
        return sup.cli != NULL;
}

static void close_down(void)
{
        mastercli_free(sup.cli);
        list_for_each_safe (i, &sup.workers)
                supworker_forget(list_item(i, struct worker, link));
        child_close(&sup.loader, &sup.loop);
        if (sup.next != sup.good)
                supconf_free(sup.next);
        supconf_free(sup.good);
        journal_fini(&sup.journal);
        journal_fini(&sup.health);
        sig_watch_stop(&sup.sigs);
        loop_fini(&sup.loop);
}

int supervisor_run(const struct args *a, char **argv)
{
        sup.args = a;
        sup.argv = argv;
        sup.daemon = (struct daemon)DAEMON_INIT;
        sup.loader.channel.fd = sup.orphan = -1;
        again_keep_from_children();
        if (args_background(a) && daemon_fork(&sup.daemon) < 0)
                return 1;
        thr_self = thr_new(0, &sys_kernel, 65536);
        if (!thr_self || !open_up())
                return 1;
        sup.since = thr_self->now;
        supload_begin();
        timer_start(&sup.loop, &sup.watch, mono_add_ms(thr_self->now, HANG_CHECK_MS));
        (void)loop_run(&sup.loop);
        close_down();
        return sup.exit_code;
}
