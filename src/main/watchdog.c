/* main/watchdog.c - see the header. */
#include "main/watchdog.h"

#include "base/asan.h"

#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WHERE_SIGNAL (SIGRTMIN + 3) /* "where are you?", to one thread */
#define WHERE_MS     50             /* it answers within this time, or not */

static struct {
        struct watched v[THR_MAX];
        mono_t last; /* look */
        struct record *crash;
        struct record where;
        _Atomic int asked; /* thread id; whoever takes it may write `where` */
        _Atomic int answered;
} self;

uint64_t watched_judge(struct watched *w, mono_t turn, mono_t now, uint64_t late, uint64_t cpu)
{
        bool works, waits;

        if (turn == 0 || turn != w->turn) {
                *w = (struct watched){ .turn = turn, .seen = now, .cpu_seen = cpu, .cpu_last = cpu };
                return 0;
        }
        w->excused += late;
        w->still = cpu - w->cpu_last < NS_PER_MS ? w->still + 1 : 0;
        w->cpu_last = cpu;
        works = (cpu - w->cpu_seen) * 4 >= now - w->seen;
        waits = w->still >= 2;
        return (works || waits) && now - turn > w->excused ? now - turn - w->excused : 0;
}

/* ---- crashes ---- */

static void on_crash(int signo, siginfo_t *si, void *ctx)
{
        static struct record own;
        struct record *r = self.crash ? self.crash : &own;

        (void)ctx;
        record_crash(r, signo, si);
        if (!self.crash) { /* nobody else can tell it. No memory is taken: the heap may be what broke */
                static char text[8192];
                struct buf b = { .p = text, .cap = sizeof(text), .limit = sizeof(text) };

                record_print(r, &b);
                if (write(STDERR_FILENO, b.p, b.n) < 0)
                        r->n = 0; /* nowhere to tell it */
        }
        (void)raise(signo); /* by default now; it is taken when we return, or at the fault again */
}

void watchdog_catch(struct record *crash)
{
        static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
        struct sigaction a = { .sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_RESETHAND };

        self.crash = crash;
        for (size_t i = 0; i < array_len(fatal) && !ASAN_ON; i++) /* ASan tells more than we could */
                (void)sigaction(fatal[i], &a, NULL);
}

/* ---- threads that lag ---- */

static void on_where(int signo, siginfo_t *si, void *ctx)
{
        int me = gettid();

        (void)signo;
        (void)si;
        (void)ctx;
        if (!atomic_compare_exchange_strong(&self.asked, &me, 0))
                return; /* too late: nobody waits any more */
        record_frames(&self.where, 2);
        atomic_store_explicit(&self.answered, 1, memory_order_release); /* ask_where() */
}

static void rest(uint64_t ns)
{
        const struct timespec t = { 0, (long)ns };

        (void)nanosleep(&t, NULL);
}

/* The thread's frames in self.where, none when it does not answer: it sleeps in the kernel, or a debugger has it. */
static void ask_where(pid_t tid)
{
        struct sigaction a = { .sa_sigaction = on_where, .sa_flags = SA_SIGINFO | SA_RESTART };
        int me = tid;

        self.where.n = 0;
        atomic_store(&self.answered, 0);
        atomic_store(&self.asked, tid);
        if (sigaction(WHERE_SIGNAL, &a, NULL) == 0 && syscall(SYS_tgkill, getpid(), tid, WHERE_SIGNAL) == 0)
                for (int i = 0; i < WHERE_MS && !atomic_load_explicit(&self.answered, memory_order_acquire); i++)
                        rest(NS_PER_MS);
        if (!atomic_compare_exchange_strong(&self.asked, &me, 0)) /* it has taken the question: its answer is short */
                while (!atomic_load_explicit(&self.answered, memory_order_acquire))
                        rest(NS_PER_MS);
}

static uint64_t cpu_of(const struct engine_turn *t)
{
        struct timespec ts;

        if (!t->tid || clock_gettime(t->cpu, &ts) != 0)
                return 0;
        return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void tell(struct record *lag, unsigned i, const struct engine_turn *t, uint64_t lag_ns, uint64_t cpu_ns)
{
        ask_where(t->tid);
        lag->signo = lag->sender = 0;
        lag->addr = 0;
        lag->text[0] = 0;
        (void)snprintf(lag->name, sizeof(lag->name), "telamon/%u", i + 1);
        lag->lag_ns = lag_ns;
        lag->cpu_ns = cpu_ns;
        lag->base = self.where.base;
        lag->end = self.where.end;
        lag->n = self.where.n;
        memcpy(lag->frame, self.where.frame, sizeof(lag->frame));
        record_done(lag);
}

bool watchdog_look(const struct engine *e, struct record *lag, uint64_t *ret_lag)
{
        struct engine_turn v[THR_MAX];
        mono_t now = sys_kernel.mono();
        uint64_t gap = self.last ? now - self.last : 0,
                 late = gap > WATCHDOG_BEAT_NS * 3 / 2 ? gap - WATCHDOG_BEAT_NS : 0;
        unsigned n = engine_turns(e, v);
        bool told = false;

        *ret_lag = 0;
        for (unsigned i = 0; i < n; i++) {
                struct watched *w = &self.v[i];
                uint64_t ns = watched_judge(w, v[i].since, now, late, cpu_of(&v[i]));

                *ret_lag = ns > *ret_lag ? ns : *ret_lag;
                if (ns < WATCHDOG_LAG_NS || w->told || told || !v[i].tid)
                        continue;
                tell(lag, i, &v[i], ns, w->cpu_last - w->cpu_seen);
                w->told = told = true;
        }
        self.last = sys_kernel.mono(); /* what we took ourselves is not late */
        return told;
}
