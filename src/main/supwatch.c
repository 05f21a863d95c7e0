/* main/supwatch.c - see the header. */
#include "main/heartbeat.h"
#include "main/proclog.h"
#include "main/supervisor_priv.h"

#include <signal.h>

#define HANG_NS ((uint64_t)2 * NS_PER_S) /* design.md section 2, the ladder */

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

void supwatch_due(struct timer *t)
{
        timer_start(&sup.loop, t, mono_add_ms(thr_self->now, HANG_CHECK_MS));
        list_for_each (i, &sup.workers)
                check_worker(list_item(i, struct worker, link));
}
