/* main/supload.c - see the header: which configuration is in force, and who serves it. */
#include "main/again.h"
#include "main/binds.h"
#include "main/limits.h"
#include "main/load.h"
#include "main/orphan.h"
#include "main/pidfile.h"
#include "main/proclog.h"
#include "main/sdnotify.h"
#include "main/supervisor_priv.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define CRASH_WINDOW  ((mono_t)10 * NS_PER_S)
#define LOADER_MAX_MS 120000

static void start_worker(void)
{
        supconf_widen(sup.good, sup.args);
        sup.worker = supworker_start(sup.good);
        if (!sup.worker)
                timer_start(&sup.loop, &sup.respawn, mono_add_ms(thr_self->now, 1000));
}

void supload_respawn_due(struct timer *t)
{
        (void)t;
        start_worker();
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
                (void)supload_reload(false);
}

static void first_load_failed(void)
{
        if (sup.next->loaded && sup.next->code == 2)
                proclog(PROC_ALERT,
                        "[telamon.main()] No enabled listener found (check for 'bind' directives) ! Exiting.");
        supervisor_finish(sup.next->loaded && sup.next->code ? sup.next->code : 1);
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
        bool ok;

        if (!had) /* else it has them already */
                binds_take_over(sup.args);
        ok = supconf_bind(c, had, sup.args);
        if (!had)
                binds_taken();

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
                supervisor_finish(1);
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

static bool worker_is_up(void)
{
        return sup.worker && sup.worker->state == W_UP;
}

static void next_failed(const char *why)
{
        supconf_give_back(sup.next, sup.good);
        load_failed(why);
}

/* Nobody serves, and what served once does not come up any more (a path of it has gone, it crashes): the new configuration may be the
 * mended one. One try, at once; when it fails the old one is tried on. */
static void start_next(void)
{
        timer_stop(&sup.loop, &sup.respawn);
        sup.load_state = L_STARTING;
        limits_files(sup.next->files);
        supconf_widen(sup.next, sup.args);
        sup.worker = supworker_start(sup.next);
        if (sup.worker)
                return;
        next_failed("a worker cannot be started");
        start_worker();
}

static void try_apply(void)
{
        if (sup.load_state == L_HELD && !sup.worker)
                start_next();
        if (sup.load_state != L_HELD || !worker_is_up())
                return;
        sup.load_state = L_APPLYING;
        (void)supworker_send_conf(sup.worker, sup.next, false); /* when it cannot be told, its death ends the load */
}

/* It waits for a worker to come up; the files say something newer by now. */
static void drop_held(void)
{
        supconf_give_back(sup.next, sup.good);
        load_failed("another reload takes its place while no worker is up");
}

static void load_done(void)
{
        bool first = !sup.good && sup.next->loaded && !sup.next->code;

        if (first && (sup.next->flags & LOADED_DAEMON) && !args_background(sup.args) && !args_in_front(sup.args)) {
                again_with(sup.argv, "-D");
                supervisor_finish(1);
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
        if (sup.reload_wanted && !worker_is_up())
                drop_held();
        else
                try_apply();
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

void supload_too_slow(struct timer *t)
{
        (void)t;
        if (sup.loader.pid)
                (void)kill(sup.loader.pid, SIGKILL);
}

void supload_begin(void)
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
bool supload_reload(bool hard)
{
        sup.hard_wanted |= hard;
        if (sup.load_state == L_HELD && !sup.stopping)
                drop_held();
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
        supload_begin();
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
                (void)supload_reload(false);
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
        sup.coming = supworker_start(sup.good);
        if (!sup.coming)
                swap_failed("The new worker cannot be started");
}

static void swap_done(void)
{
        struct worker *old = sup.worker;

        sup.worker = sup.coming;
        sup.coming = NULL;
        supworker_leave(old);
        load_ended(true);
}

static void take_next(void)
{
        struct supconf *old = sup.good;

        supconf_settle(sup.next, old);
        supconf_widened(sup.next);
        sup.good = sup.next;
        supconf_free(old);
        proclog_lines(buf_view(&sup.good->text));
        buf_drop(&sup.good->text, sup.good->text.n);
        sup.next = NULL;
}

static void load_applied(enum applied answer)
{
        if (!answer) {
                supconf_give_back(sup.next, sup.good);
                load_ended(false);
                return;
        }
        take_next();
        if (answer == APPLIED_BUT_SWAP || sup.hard)
                begin_swap();
        else
                load_ended(true);
}

void supload_worker_applied(struct worker *w, enum applied answer)
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
        if (sup.load_state == L_STARTING)
                take_next();
        supconf_widened(sup.good);
        if (w == sup.coming)
                swap_done();
        else if (!sup.started)
                first_start_done();
        else if (sup.load_state == L_SWAPPING || sup.load_state == L_STARTING)
                load_ended(true); /* the old one died meanwhile, or long ago */
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
        return recent > SUP_CRASHES_FREE ? (int64_t)(recent - SUP_CRASHES_FREE) * 1000 : 0;
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

static void last_worker_died(void)
{
        int code = sup.end_code;
        int end = sup.stopping ? (sup.stopping == SIGTERM ? 0 : code) : code ? code : 1;

        proclog(PROC_WARNING, "All workers exited. Exiting... (%d)", end);
        supervisor_finish(end);
}

static void current_died(void)
{
        sup.worker = sup.coming; /* it is about to serve anyway */
        sup.coming = NULL;
        if (sup.load_state == L_APPLYING) { /* what it was about to apply may be what killed it */
                next_failed("the worker died while it applied the new configuration");
        } else if (sup.load_state == L_STARTING) {
                next_failed("no worker comes up with the new configuration");
        } else if (sup.load_state == L_SWAPPING && !sup.worker)
                load_ended(false);
        if (!sup.worker && sup.load_state == L_HELD)
                try_apply();
        else if (!sup.worker)
                respawn();
}

static void worker_died(struct worker *w, int status)
{
        bool current = w == sup.worker, coming = w == sup.coming;

        supworker_last_words(w);
        supwatch_crash(w);
        supworker_say_death(w, status);
        supworker_forget(w);
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

void supload_reap(void)
{
        int status, pid;

        while ((pid = sig_reap(&status)) > 0) {
                struct worker *w = supworker_by_pid(pid);

                if (w)
                        worker_died(w, status);
                else if (pid == sup.loader.pid)
                        sup.loader.pid = 0; /* its channel tells the rest */
        }
}
