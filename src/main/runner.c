/* main/runner.c - see the header. */
#include "main/runner.h"

#include "core/log.h"
#include "main/binds.h"
#include "main/limits.h"
#include "main/proclog.h"

#include <errno.h>
#include <unistd.h>

#define LOG_FLUSH_MS 500 /* what is in the rings of the log writers is given this long at the end */

static const int signals[] = { SIGTERM, SIGINT, SIGUSR1, SIGTTOU, SIGTTIN, SIGHUP, SIGQUIT, SIGUSR2 };

static void stop_now(struct runner *r, int signo)
{
        r->ended_by = signo;
        loop_stop(r->loop);
}

static void hard_stop_due(struct timer *t)
{
        struct runner *r = container_of(t, struct runner, hard_stop);

        proclog(PROC_WARNING, "soft-stop running for too long, performing a hard-stop.");
        stop_now(r, 0);
}

static void leave(struct runner *r, void (*how)(struct engine *e))
{
        if (r->draining)
                return;
        r->draining = true;
        if (r->hard_stop_after_ms > 0)
                timer_start(r->loop, &r->hard_stop, mono_add_ms(thr_self->now, r->hard_stop_after_ms));
        how(r->engine);
}

static void grace_over(struct timer *t)
{
        leave(container_of(t, struct runner, grace), engine_soft_stop);
}

void runner_drain(struct runner *r)
{
        if (r->grace_ms == 0)
                leave(r, engine_soft_stop);
        else if (!r->draining && !timer_active(&r->grace))
                timer_start(r->loop, &r->grace, mono_add_ms(thr_self->now, r->grace_ms));
}

void runner_retire(struct runner *r)
{
        leave(r, engine_retire);
}

static void drained(void *ctx)
{
        struct runner *r = ctx;

        loop_stop(r->loop);
}

static void on_signal(struct sig_watch *s, int signo, int pid)
{
        struct runner *r = container_of(s, struct runner, sigs);

        (void)pid;
        if (signo == SIGTERM || signo == SIGINT)
                stop_now(r, signo);
        else if (signo == SIGUSR1)
                runner_drain(r);
        else if (signo == SIGTTOU)
                engine_pause(r->engine);
        else if (signo == SIGTTIN)
                engine_resume(r->engine);
        else
                proclog(PROC_NOTICE, "%s ignored; the stats socket tells the state (show stat, show servers state).",
                        signo == SIGHUP    ? "SIGHUP"
                        : signo == SIGQUIT ? "SIGQUIT"
                                           : "SIGUSR2 (no master process)");
}

/* The engine's hooks carry one ctx; ours is the runner, whoever embeds it finds itself by container_of(). */
static void set_hooks(struct runner *r)
{
        r->hooks.stopped = drained;
        r->hooks.ctx = r;
}

static void close_left(struct engine_binds *b)
{
        for (size_t i = 0; i < b->n; i++)
                binds_close(b->v[i].fds, b->v[i].n_fds);
}

void runner_hold_signals(void)
{
        sig_block(signals, array_len(signals));
}

bool runner_init(struct runner *r, struct conf *c, struct engine_binds *b, bool master_worker, struct diags *d)
{
        const struct global_cfg *g = global_of(c);
        struct engine_opts o = { engine_threads(c), &r->hooks, master_worker, r->px_maxconn };
        AUTO_BUF(diff);
        int e;
        bool ok;

        set_hooks(r);
        if (log_driver && !proclog_is_silent())
                log_env.proc =
                        log_driver
                                ->to_stderr; /* state changes are said on stderr too, as HAProxy does in the foreground */
        runner_hold_signals();
        e = engine_new(c, &o, &r->engine);
        if (e < 0) {
                diag_add(d, DIAG_ALERT, SPAN_NONE, "E0031", "cannot start : %s", strerror(-e));
                close_left(b);
                return false;
        }
        ok = engine_apply(r->engine, c, b, &diff, d);
        close_left(b);
        r->loop = engine_control_loop(r->engine);
        r->hard_stop_after_ms = g->hard_stop_after_ms;
        r->grace_ms = g->grace_ms;
        timer_init(&r->grace, grace_over);
        timer_init(&r->hard_stop, hard_stop_due);
        if (!ok)
                runner_fini(r);
        return ok;
}

void runner_fini(struct runner *r)
{
        if (!r->engine)
                return;
        engine_free(r->engine);
        r->engine = NULL;
}

int runner_run(struct runner *r)
{
        int e = sig_watch_start(&r->sigs, r->loop, signals, array_len(signals), on_signal);

        if (e == 0)
                e = engine_start(r->engine);
        if (e == 0 && r->started)
                r->started(r);
        if (e == 0)
                e = loop_run(r->loop);
        if (e < 0)
                proclog(PROC_ALERT, "Cannot run (%s).", strerror(-e));
        timer_stop(r->loop, &r->grace);
        timer_stop(r->loop, &r->hard_stop);
        sig_watch_stop(&r->sigs);
        engine_stop(r->engine);
        if (log_driver)
                log_driver->flush(LOG_FLUSH_MS);
        if (r->ending)
                r->ending(r);
        runner_fini(r);
        return e < 0 ? 1 : 0;
}

_Noreturn void runner_exit(int ended_by, int code)
{
        sigset_t set;

        if (ended_by) {
                (void)signal(ended_by, SIG_DFL);
                (void)sigemptyset(&set);
                (void)sigaddset(&set, ended_by);
                (void)raise(ended_by);
                (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
                _exit(128 + ended_by); /* process 1 of a container is not ended by its own signal */
        }
        _exit(code);
}
