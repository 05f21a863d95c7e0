/* main/supwatch.c - see the header. */
#include "main/heartbeat.h"
#include "main/proclog.h"
#include "main/supervisor_priv.h"

#include <signal.h>
#include <stdio.h>

#define HANG_NS ((uint64_t)2 * NS_PER_S) /* design.md section 2, the ladder */

/* ---- the watch over a hung worker ---- */

static void say(enum proc_level l, const struct worker *w, const struct record *r, const char *more)
{
        AUTO_BUF(b);
        const char *nl;

        record_print(r, &b);
        nl = memchr(b.p, '\n', b.n);
        proclog(l, "Worker (%d): %.*s%s", w->child.pid, nl ? (int)(nl - b.p) : 0, b.p, more);
        if (nl)
                proclog_raw((struct str){ nl + 1, b.n - (size_t)(nl + 1 - b.p) });
}

void supwatch_crash(struct worker *w)
{
        struct record r;
        char more[160];
        uint64_t written, now = thr_self->sys->mono();

        if (!w->beat || !record_take(&w->beat->crash, &w->crash_seen, &r))
                return;
        written = atomic_load_explicit(&w->beat->written, memory_order_relaxed);
        (void)snprintf(more, sizeof(more), " (all was well %llu ms ago: %llu connections, %llu requests so far)",
                       (unsigned long long)(written && now > written ? (now - written) / NS_PER_MS : 0),
                       (unsigned long long)atomic_load_explicit(&w->beat->conns, memory_order_relaxed),
                       (unsigned long long)atomic_load_explicit(&w->beat->reqs, memory_order_relaxed));
        say(PROC_ALERT, w, &r, more);
}

static void check_worker(struct worker *w)
{
        struct record r;
        uint64_t lag = w->beat && w->state != W_STARTING ? heartbeat_lag(w->beat, thr_self->sys->mono()) : 0;

        if (w->beat && record_take(&w->beat->lagging, &w->lag_seen, &r))
                say(PROC_WARNING, w, &r, "");
        /* Somebody looks at it with a debugger: he knows. One that is stopped otherwise (SIGSTOP) serves nobody, and is replaced. */
        w->hung_checks = lag > HANG_NS && !child_is_traced("/proc", w->child.pid) ? w->hung_checks + 1 : 0;
        /* Twice: at the first we may be late ourselves (Ctrl-Z and fg, a virtual machine that was stopped), and it has to catch up. */
        if (w->hung_checks != 2)
                return;
        proclog(PROC_ALERT, "Current worker (%d) hangs since %llu ms: it is replaced.", w->child.pid,
                (unsigned long long)(lag / NS_PER_MS));
        (void)kill(w->child.pid, SIGABRT);
        timer_start(&sup.loop, &w->kill_hung, mono_add_ms(thr_self->now, ABORT_GRACE_MS));
}

void supwatch_due(struct timer *t)
{
        timer_start(&sup.loop, t, mono_add_ms(thr_self->now, HANG_CHECK_MS));
        list_for_each (i, &sup.workers)
                check_worker(list_item(i, struct worker, link));
}
