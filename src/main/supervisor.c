/* main/supervisor.c - see the header.
 *
 * Two small machines run beside each other. The worker: none -> STARTING -> UP -> gone when it dies (then respawned from the last good
 * configuration, after a pause when it dies often). The load: IDLE -> LOADING (loader runs) -> HELD (waits for an UP worker) ->
 * APPLYING (the worker compares and changes itself) -> IDLE, or -> SWAPPING when some words take a new worker: it is started beside the
 * old one on the same sockets, and once it is UP the old one is LEAVING. A reload asked for meanwhile is remembered once. */
#include "main/supervisor.h"

#include "ev/sig.h"
#include "main/again.h"
#include "main/binds.h"
#include "main/child.h"
#include "main/daemon.h"
#include "main/give.h"
#include "main/heartbeat.h"
#include "main/journal.h"
#include "main/limits.h"
#include "main/load.h"
#include "main/mastercli.h"
#include "main/orphan.h"
#include "main/pidfile.h"
#include "main/proclog.h"
#include "main/sdnotify.h"
#include "main/supconf.h"
#include "main/version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CRASHES_FREE    5 /* deaths within CRASH_WINDOW before respawns are put off */
#define CRASH_WINDOW    ((mono_t)10 * NS_PER_S)
#define HANG_NS         ((uint64_t)2 * NS_PER_S) /* design.md section 2, the ladder */
#define HANG_CHECK_MS   500
#define ABORT_GRACE_MS  1000
#define LOADER_MAX_MS   120000
#define ANSWER_MS       20000 /* a worker takes a configuration in this time, */
#define ANSWER_LOADS    10    /* and this many times as long as the loader had for it */
#define BREATH_MS       50    /* messages of one worker that are taken in this time; the rest waits in its channel */
#define BREATH_MESSAGES 1000
#define LAST_WORDS      10000
#define LEAVING_MAX     16 /* workers that finish their sessions; beyond, the oldest is ended */

enum worker_state { W_STARTING, W_UP, W_LEAVING };
enum load_state { L_IDLE, L_LOADING, L_HELD, L_APPLYING, L_SWAPPING };

struct worker {
        struct list link; /* sup.workers, oldest first */
        struct child child;
        struct outbox out;
        enum worker_state state;
        struct heartbeat *beat;
        struct timer kill_hung;
        struct timer answer;  /* the configuration it was given must be taken by then */
        struct timer breath;  /* it says too much: it is heard again then */
        unsigned said, asked; /* messages in this breath; log connections in this second */
        mono_t asked_at;
        unsigned hung_checks, reloads; /* the latter: sup.reloads at its start */
};

static struct {
        const struct args *args;
        char **argv;
        struct loop loop;
        struct sig_watch sigs;
        struct list workers;
        struct worker *worker, *coming; /* who serves, who is about to; NULL = nobody */
        unsigned n_leaving;
        struct child loader;
        enum load_state load_state;
        struct supconf *good, *next;
        struct journal journal;
        struct journal
                health; /* of the worker that is about to be swapped: what its successor must not find out again */
        int orphan;     /* while we start: the worker of a supervisor that died, -1 = none */
        struct mastercli *cli;
        struct daemon daemon;
        struct timer respawn, watch, loader_limit;
        mono_t crash[CRASHES_FREE + 1];
        unsigned n_crashes;
        uint64_t generation;
        unsigned reloads, failed;
        bool reload_wanted, last_failed, started;
        bool hard, hard_wanted;  /* the reload under way, or the next, was asked to end all connections */
        int stopping;            /* signal, 0 = no */
        int exit_code, end_code; /* the latter: of the worker that served last */
        mono_t since;
} sup;

static const int signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGHUP, SIGCHLD, SIGTTOU, SIGTTIN, SIGQUIT };

static void begin_load(void);
static bool reload(bool hard);
static void try_apply(void);
static void worker_applied(struct worker *w, enum applied answer);

static void finish(int code)
{
        sup.exit_code = code;
        loop_stop(&sup.loop);
}

/* ---- what a worker is given ---- */

/* Nothing that a worker does or does not do makes us wait: one that cannot be told any more (e < 0) is ended. */
static bool told(const struct worker *w, int e)
{
        if (e == 0)
                return true;
        if (e != -EPIPE && e != -ECONNRESET)
                proclog(PROC_ALERT, "Worker (%d) cannot be told any more (%s): it is ended.", w->child.pid,
                        strerror(-e));
        (void)kill(w->child.pid, SIGKILL);
        return false;
}

static bool send_conf(struct worker *w, const struct supconf *c, bool replay)
{
        struct channel_arg a[] = { CH_U(++sup.generation) };
        int e = give_conf(&w->out, c);

        timer_start(&sup.loop, &w->answer, mono_add_ms(thr_self->now, ANSWER_MS + ANSWER_LOADS * c->took_ms));
        if (e == 0 && replay)
                e = give_journal(&w->out, &sup.health, false);
        if (e == 0 && replay)
                e = give_journal(&w->out, &sup.journal, true);
        return told(w, e ? e : outbox_send(&w->out, CH_APPLY, a, &c->bundle, 1));
}

static bool send_rights(struct worker *w, const struct supconf *c)
{
        struct channel_arg a[] = { CH_U(c->uid + 1), CH_U(c->gid + 1), CH_U((c->flags & LOADED_FOREIGN) != 0),
                                   CH_S(c->chroot ? str_of(c->chroot) : STR("")) };
        int memfd = -1;
        bool ok;

        if (heartbeat_new(&memfd, &w->beat) < 0)
                return false;
        ok = told(w, outbox_send(&w->out, CH_RIGHTS, a, &memfd, 1));
        (void)close(memfd);
        return ok;
}

/* ---- what a worker says ---- */

static void take_journal(struct worker *w, const struct channel_msg *m)
{
        if (w != sup.worker)
                return; /* who leaves no longer speaks for the service */
        if (journal_set(&sup.journal, m->arg[0].s, m->arg[1].s) && sup.coming && m->arg[1].s.n)
                (void)told(sup.coming, give_replay(&sup.coming->out, m->arg[1].s, m->arg[0].s));
}

/* Why a configuration is refused, or what it changed: as long as one is being taken. */
static void take_text_of(const struct worker *w, struct str text)
{
        if (!timer_active(&w->answer))
                return;
        if (sup.next)
                buf_str(&sup.next->text, text);
        else
                proclog_raw(text);
}

/* A log connection each second for each path is what an honest worker asks for (feat/logs/sink.c). */
static bool may_ask(struct worker *w)
{
        if (thr_self->now - w->asked_at >= NS_PER_S) {
                w->asked_at = thr_self->now;
                w->asked = 0;
        }
        return ++w->asked <= 2 * sup.good->n_logs;
}

static void worker_message(struct worker *w, struct channel_msg *m)
{
        switch (m->type) {
        case CH_DIFF: take_text_of(w, m->arg[0].s); break;
        case CH_APPLIED:
                if (m->arg[0].u == sup.generation && m->arg[1].u <= APPLIED_BUT_SWAP)
                        worker_applied(w, (enum applied)m->arg[1].u);
                break;
        case CH_JOURNAL: take_journal(w, m); break;
        case CH_HEALTH:
                if (w == sup.worker && sup.load_state == L_APPLYING)
                        (void)journal_set(&sup.health, m->arg[0].s, m->arg[0].s);
                break;
        case CH_REOPEN:
                if (sup.good && supconf_has_log(sup.good, m->arg[0].s) && may_ask(w))
                        (void)told(w, give_log(&w->out, m->arg[0].s));
                break;
        default:
                proclog(PROC_ALERT, "Worker (%d) sends what a worker may not send.", w->child.pid);
                (void)kill(w->child.pid, SIGKILL);
        }
}

static void on_worker(struct ev_fd *e, uint32_t events)
{
        struct worker *w = container_of(e, struct worker, child.channel);
        static struct channel_msg m;
        int r;

        (void)events;
        if (++w->said > BREATH_MESSAGES) {
                loop_del(&sup.loop, e);
                return;
        }
        if (!timer_active(&w->breath))
                timer_start(&sup.loop, &w->breath, mono_add_ms(thr_self->now, BREATH_MS));
        r = channel_recv(e->fd, false, &m);
        if (r == -EAGAIN)
                return;
        if (r <= 0) { /* its death will be told by SIGCHLD; a live one without a channel is of no use */
                if (r < 0)
                        (void)kill(w->child.pid, SIGKILL);
                child_close(&w->child, &sup.loop);
                return;
        }
        worker_message(w, &m);
        channel_drop(&m);
}

/* What it said before it died and we have not read: a change must not be lost with it. Bounded: its end may be in other hands. */
static void hear_last_words(struct worker *w)
{
        static struct channel_msg m;

        for (int i = 0; i < LAST_WORDS && w->child.channel.fd >= 0; i++) {
                if (channel_recv(w->child.channel.fd, false, &m) <= 0)
                        return;
                if (m.type == CH_JOURNAL || m.type == CH_DIFF)
                        worker_message(w, &m);
                channel_drop(&m);
        }
}

/* ---- a worker's life ---- */

static void kill_hung_due(struct timer *t)
{
        (void)kill(container_of(t, struct worker, kill_hung)->child.pid, SIGKILL);
}

static void breath_due(struct timer *t)
{
        struct worker *w = container_of(t, struct worker, breath);

        w->said = 0;
        if (w->child.channel.fd >= 0)
                (void)loop_add_level(&sup.loop, &w->child.channel, false);
}

static void answer_due(struct timer *t)
{
        const struct worker *w = container_of(t, struct worker, answer);

        proclog(PROC_ALERT, "Worker (%d) does not take its configuration in time: it is ended.", w->child.pid);
        (void)kill(w->child.pid, SIGKILL);
}

static void worker_forget(struct worker *w)
{
        outbox_fini(&w->out);
        child_close(&w->child, &sup.loop);
        timer_stop(&sup.loop, &w->kill_hung);
        timer_stop(&sup.loop, &w->answer);
        timer_stop(&sup.loop, &w->breath);
        heartbeat_free(w->beat);
        list_del(&w->link);
        sup.n_leaving -= w->state == W_LEAVING;
        free(w);
}

static struct worker *worker_start(void)
{
        struct worker *w = calloc(1, sizeof(*w));

        ASSERT(w != NULL);
        if (child_start(&w->child, &sup.loop, "worker", sup.argv, on_worker) < 0) {
                free(w);
                return NULL;
        }
        outbox_init(&w->out, &sup.loop, w->child.channel.fd);
        timer_init(&w->kill_hung, kill_hung_due);
        timer_init(&w->answer, answer_due);
        timer_init(&w->breath, breath_due);
        w->reloads = sup.reloads;
        list_push(&sup.workers, &w->link);
        proclog(PROC_NOTICE, "New worker (%d) forked", w->child.pid);
        if (!send_rights(w, sup.good) || !send_conf(w, sup.good, true))
                (void)kill(w->child.pid, SIGKILL);
        return w;
}

static void start_worker(void)
{
        supconf_widen(sup.good, sup.args);
        sup.worker = worker_start();
        if (!sup.worker)
                timer_start(&sup.loop, &sup.respawn, mono_add_ms(thr_self->now, 1000));
}

static void respawn_due(struct timer *t)
{
        (void)t;
        start_worker();
}

static void end_oldest_leaving(void)
{
        list_for_each (i, &sup.workers) {
                struct worker *w = list_item(i, struct worker, link);

                if (w->state != W_LEAVING)
                        continue;
                proclog(PROC_WARNING, "More than %d workers are leaving: the oldest (%d) is ended.", LEAVING_MAX,
                        w->child.pid);
                (void)kill(w->child.pid, SIGTERM);
                timer_start(&sup.loop, &w->kill_hung, mono_add_ms(thr_self->now, ABORT_GRACE_MS));
                return;
        }
}

/* Another one serves on its sockets. */
static void worker_leave(struct worker *w)
{
        w->state = W_LEAVING;
        if (++sup.n_leaving > LEAVING_MAX)
                end_oldest_leaving();
        if (sup.hard)
                (void)kill(w->child.pid, SIGTERM);
        else
                (void)told(w, outbox_send(&w->out, CH_RETIRE, NULL, NULL, 0));
}

/* ---- loads ---- */

static void load_ended(bool ok)
{
        sup.hard = false;
        journal_fini(&sup.health);
        journal_init(&sup.health);
        if (sup.next)
                proclog_lines(buf_view(&sup.next->text));
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
        if (sup.reload_wanted)
                (void)reload(false);
}

static void first_load_failed(void)
{
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

static bool bind_first(struct supconf *c)
{
        struct supconf *had = orphan_adopt(c, &sup.journal, &sup.health, &sup.orphan);
        bool ok = supconf_bind(c, had, sup.args);

        if (ok)
                supconf_settle(c, had);
        supconf_free(had);
        return ok && pidfile_take(sup.args->pidfile ? sup.args->pidfile : c->pidfile);
}

static void first_load_done(void)
{
        struct supconf *c = sup.next;

        limits_files(c->files);
        if (!bind_first(c)) {
                binds_signal(sup.args, SIGTTIN);
                proclog(PROC_ALERT, "[telamon.main()] Some protocols failed to start their listeners! Exiting.");
                finish(1);
                return;
        }
        sup.good = c;
        sup.next = NULL;
        sup.load_state = L_IDLE;
        start_worker();
}

/* What the loader has to say comes before what the load leads to, unless it said so itself. */
static void take_text(struct supconf *c)
{
        if (c->flags & LOADED_SHOWN)
                proclog_keep(buf_view(&c->text));
        else
                proclog_lines(buf_view(&c->text));
        buf_drop(&c->text, c->text.n);
}

static void load_done(void)
{
        bool first = !sup.good && sup.next->loaded && !sup.next->code;

        if (first && (sup.next->flags & LOADED_DAEMON) && !args_background(sup.args) && !args_in_front(sup.args)) {
                again_with(sup.argv, "-D");
                finish(1);
                return;
        }
        if (first && (sup.next->flags & LOADED_QUIET) && !sup.args->verbose && !args_in_front(sup.args))
                proclog_quiet(true);
        take_text(sup.next);
        if (!sup.next->loaded || sup.next->code) {
                load_failed(sup.next->loaded && sup.next->code == 2 ? "no listener" : NULL);
                return;
        }
        if (!sup.good) {
                first_load_done();
                return;
        }
        if (!supconf_bind(sup.next, sup.good, sup.args)) {
                load_failed("some sockets cannot be bound");
                return;
        }
        sup.load_state = L_HELD;
        try_apply();
}

static bool worker_is_up(void)
{
        return sup.worker && sup.worker->state == W_UP;
}

static void try_apply(void)
{
        if (sup.load_state != L_HELD || !worker_is_up())
                return;
        sup.load_state = L_APPLYING;
        (void)send_conf(sup.worker, sup.next, false); /* when it cannot be told, its death ends the load */
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
        child_close(&sup.loader, &sup.loop);
        timer_stop(&sup.loop, &sup.loader_limit);
        if (sup.load_state != L_LOADING)
                return;
        sup.next->took_ms = (int64_t)((thr_self->now - sup.loader.since) / NS_PER_MS);
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
        if (child_start(&sup.loader, &sup.loop, "loader", sup.argv, on_loader) < 0)
                load_failed("the loader cannot be started");
        else
                timer_start(&sup.loop, &sup.loader_limit, mono_add_ms(thr_self->now, LOADER_MAX_MS));
}

/* False: it will begin when the one under way has ended, with what the files say then. */
static bool reload(bool hard)
{
        sup.hard_wanted |= hard;
        if (!sup.started || sup.stopping || sup.load_state != L_IDLE) {
                sup.reload_wanted = true;
                return false;
        }
        sup.hard = sup.hard_wanted;
        sup.hard_wanted = false;
        proclog_forget();
        proclog(PROC_NOTICE, "Reloading HAProxy%s", sup.hard ? " (hard-reload)" : "");
        sdnotify_reloading();
        sup.reloads++;
        mastercli_reloading(sup.cli);
        begin_load();
        return true;
}

/* ---- what the worker's answers and deaths mean ---- */

static void first_start_done(void)
{
        sup.started = true;
        binds_signal(sup.args, sup.args->old_signal);
        orphan_retire(sup.orphan);
        proclog(PROC_NOTICE, "Loading success.");
        sdnotify("READY=1\nSTATUS=Ready.\nMAINPID=%d", (int)getpid());
        daemon_ready(&sup.daemon);
        if (sup.reload_wanted)
                (void)reload(false);
}

static void swap_failed(const char *why)
{
        supconf_narrow(sup.good);
        proclog(PROC_ALERT,
                "%s: the old one serves on, with the new configuration but for the words that take a new worker.", why);
        load_ended(false);
}

static void begin_swap(void)
{
        sup.load_state = L_SWAPPING;
        limits_files(sup.good->files);
        supconf_widen(sup.good, sup.args);
        sup.coming = worker_start();
        if (!sup.coming)
                swap_failed("The new worker cannot be started");
}

static void swap_done(void)
{
        struct worker *old = sup.worker;

        sup.worker = sup.coming;
        sup.coming = NULL;
        worker_leave(old);
        load_ended(true);
}

static void load_applied(enum applied answer)
{
        struct supconf *old = answer ? sup.good : NULL;

        if (!answer) {
                supconf_give_back(sup.next, sup.good);
                load_ended(false);
                return;
        }
        supconf_settle(sup.next, old);
        supconf_widened(sup.next);
        sup.good = sup.next;
        supconf_free(old);
        proclog_lines(buf_view(&sup.good->text));
        buf_drop(&sup.good->text, sup.good->text.n);
        sup.next = NULL;
        if (answer == APPLIED_BUT_SWAP || sup.hard)
                begin_swap();
        else
                load_ended(true);
}

static void worker_applied(struct worker *w, enum applied answer)
{
        timer_stop(&sup.loop, &w->answer);
        if (w->state == W_UP && w == sup.worker && sup.load_state == L_APPLYING) {
                load_applied(answer);
                return;
        }
        if (w->state != W_STARTING || !answer)
                return; /* a refused start ends by its exit */
        w->state = W_UP;
        if (sup.stopping)
                (void)kill(w->child.pid, sup.stopping);
        supconf_widened(sup.good);
        if (w == sup.coming)
                swap_done();
        else if (!sup.started)
                first_start_done();
        else if (sup.load_state == L_SWAPPING)
                load_ended(true); /* the old one died meanwhile */
        try_apply();
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

static void say_death(const struct worker *w, int status)
{
        int code = child_end_code(status), pid = w->child.pid;

        if (w->state == W_LEAVING)
                proclog(PROC_WARNING, "Former worker (%d) exited with code %d (%s)", pid, code, child_end_name(status));
        else if (sup.started && w != sup.coming)
                proclog(code == 0 || code == 1 ? PROC_WARNING : PROC_ALERT,
                        "Current worker (%d) exited with code %d (%s)", pid, code, child_end_name(status));
        else
                proclog(PROC_WARNING, "Failed to load worker (%d) exited with code %d (%s)", pid, code,
                        child_end_name(status));
}

static void last_worker_died(void)
{
        int code = sup.end_code;
        int end = sup.stopping ? (sup.stopping == SIGTERM ? 0 : code) : code ? code : 1;

        proclog(PROC_WARNING, "All workers exited. Exiting... (%d)", end);
        finish(end);
}

static void current_died(void)
{
        sup.worker = sup.coming; /* it is about to serve anyway */
        sup.coming = NULL;
        if (sup.load_state == L_APPLYING) { /* what it was about to apply may be what killed it */
                supconf_give_back(sup.next, sup.good);
                load_failed("the worker died while it applied the new configuration");
        } else if (sup.load_state == L_SWAPPING && !sup.worker)
                load_ended(false);
        if (!sup.worker)
                respawn();
}

static void worker_died(struct worker *w, int status)
{
        bool current = w == sup.worker, coming = w == sup.coming;

        hear_last_words(w);
        say_death(w, status);
        worker_forget(w);
        if (current)
                sup.end_code = child_end_code(status);
        if (sup.stopping || !sup.started) {
                sup.worker = current ? NULL : sup.worker;
                sup.coming = coming ? NULL : sup.coming;
                if (list_empty(&sup.workers))
                        last_worker_died();
        } else if (coming) {
                sup.coming = NULL;
                swap_failed("The new worker does not start");
        } else if (current)
                current_died();
}

static struct worker *worker_by_pid(int pid)
{
        list_for_each (i, &sup.workers)
                if (list_item(i, struct worker, link)->child.pid == pid)
                        return list_item(i, struct worker, link);
        return NULL;
}

static void reap(void)
{
        int status, pid;

        while ((pid = sig_reap(&status)) > 0) {
                struct worker *w = worker_by_pid(pid);

                if (w)
                        worker_died(w, status);
                else if (pid == sup.loader.pid)
                        sup.loader.pid = 0; /* its channel tells the rest */
        }
}

/* ---- the watch over a hung worker ---- */

static void check_worker(struct worker *w)
{
        uint64_t lag = w->beat && w->state != W_STARTING ? heartbeat_lag(w->beat, thr_self->sys->mono()) : 0;

        /* One that is stopped (SIGSTOP, a debugger) is not hung. */
        w->hung_checks = lag > HANG_NS && !child_is_stopped("/proc", w->child.pid) ? w->hung_checks + 1 : 0;
        if (w->hung_checks != 2) /* twice: the first may be our own late wake-up */
                return;
        proclog(PROC_ALERT, "Current worker (%d) hangs since %llu ms: it is replaced.", w->child.pid,
                (unsigned long long)(lag / NS_PER_MS));
        (void)kill(w->child.pid, SIGABRT);
        timer_start(&sup.loop, &w->kill_hung, mono_add_ms(thr_self->now, ABORT_GRACE_MS));
}

static void check_hung(struct timer *t)
{
        timer_start(&sup.loop, t, mono_add_ms(thr_self->now, HANG_CHECK_MS));
        list_for_each (i, &sup.workers)
                check_worker(list_item(i, struct worker, link));
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
                finish(signo == SIGINT ? 130 : 0);
        list_for_each (i, &sup.workers)
                signal_worker(list_item(i, struct worker, link), signo);
}

static void on_signal(struct sig_watch *s, int signo, int pid)
{
        (void)s;
        (void)pid;
        if (signo == SIGCHLD)
                reap();
        else if (signo == SIGUSR2 || signo == SIGHUP)
                (void)reload(false);
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
        const struct worker *w = pid ? worker_by_pid(pid) : sup.worker;

        return w && w->state != W_STARTING ? w->child.pid : 0;
}

static int bundle(void)
{
        return sup.good ? sup.good->bundle : -1;
}

static int attach(int pid, int fd, int level)
{
        struct worker *w = worker_by_pid(pid);
        struct channel_arg a[] = { CH_U(level) };

        return w ? outbox_try(&w->out, CH_CLI, a, &fd, 1) : -ESRCH;
}

static const struct mastercli_ops cli_ops = { show_proc, reload, reload_failed, worker_pid, bundle, attach };

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
        timer_init(&sup.respawn, respawn_due);
        timer_init(&sup.watch, check_hung);
        timer_init(&sup.loader_limit, loader_too_slow);
        sup.cli = mastercli_new(&sup.loop, sup.args, &cli_ops);
        return sup.cli != NULL;
}

static void close_down(void)
{
        mastercli_free(sup.cli);
        list_for_each_safe (i, &sup.workers)
                worker_forget(list_item(i, struct worker, link));
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
        begin_load();
        timer_start(&sup.loop, &sup.watch, mono_add_ms(thr_self->now, HANG_CHECK_MS));
        (void)loop_run(&sup.loop);
        close_down();
        return sup.exit_code;
}
