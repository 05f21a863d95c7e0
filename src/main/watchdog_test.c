/* Who hangs and who is only not let; what is left of a crash; where a thread is that lags. */
#include "main/watchdog.h"

#include "base/asan.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define MS NS_PER_MS

/* ---- the judge ---- */

struct look {
        mono_t turn, now;
        uint64_t late, cpu;
};

static uint64_t judge(const struct look *v, size_t n)
{
        struct watched w = { 0 };
        uint64_t r = 0;

        for (size_t i = 0; i < n; i++)
                r = watched_judge(&w, v[i].turn, v[i].now, v[i].late, v[i].cpu);
        return r;
}
#define JUDGE(...)                                                                                                     \
        judge((const struct look[]){ __VA_ARGS__ }, sizeof((const struct look[]){ __VA_ARGS__ }) / sizeof(struct look))

static void a_loop_that_sleeps_or_turns_does_not_hang(void **state)
{
        (void)state;
        assert_int_equal(JUDGE({ 0, 1000 * MS, 0, 0 }, { 0, 9000 * MS, 0, 0 }), 0);
        /* busy, each time in another turn */
        assert_int_equal(JUDGE({ 990 * MS, 1000 * MS, 0, 0 }, { 1090 * MS, 1100 * MS, 0, 100 * MS },
                               { 1190 * MS, 1200 * MS, 0, 200 * MS }, { 1290 * MS, 1300 * MS, 0, 300 * MS }),
                         0);
}

static void an_endless_loop_hangs(void **state)
{
        (void)state;
        assert_int_equal(JUDGE({ 950 * MS, 1000 * MS, 0, 7 * MS }, { 950 * MS, 1100 * MS, 0, 107 * MS }), 150 * MS);
        /* it gets a third of a processor */
        assert_int_equal(JUDGE({ 950 * MS, 1000 * MS, 0, 0 }, { 950 * MS, 1300 * MS, 0, 100 * MS }), 350 * MS);
}

static void one_that_waits_in_the_kernel_hangs(void **state)
{
        (void)state;
        assert_int_equal(JUDGE({ 950 * MS, 1000 * MS, 0, 5 * MS }, { 950 * MS, 1100 * MS, 0, 5 * MS }), 0);
        assert_int_equal(JUDGE({ 950 * MS, 1000 * MS, 0, 5 * MS }, { 950 * MS, 1100 * MS, 0, 5 * MS },
                               { 950 * MS, 1200 * MS, 0, 5 * MS }),
                         250 * MS);
}

static void one_that_is_not_let_does_not_hang(void **state)
{
        (void)state;
        assert_int_equal(JUDGE({ 950 * MS, 1000 * MS, 0, 0 }, { 950 * MS, 1100 * MS, 0, 9 * MS },
                               { 950 * MS, 1200 * MS, 0, 18 * MS }, { 950 * MS, 3000 * MS, 0, 100 * MS }),
                         0);
}

static void time_that_the_judge_missed_is_nobodys_fault(void **state)
{
        (void)state;
        /* the machine stood still for an hour */
        assert_int_equal(JUDGE({ 950 * MS, 1000 * MS, 0, 0 }, { 950 * MS, 3601100 * MS, 3600000 * MS, 0 },
                               { 950 * MS, 3601200 * MS, 0, 0 }),
                         250 * MS);
}

/* ---- crashes ---- */

static int end_of(int pid)
{
        int status = 0;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

static void an_assert_leaves_a_record(void **state)
{
        struct record *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), r;
        uint32_t seen = 0;
        int pid;
        AUTO_BUF(b);

        (void)state;
        assert_true(shared != MAP_FAILED);
        pid = fork();
        if (pid == 0) {
                (void)close(STDERR_FILENO);
                watchdog_catch(shared);
                ASSERT(pid != 0);
        }
        assert_int_equal(end_of(pid), SIGABRT);
        assert_true(ASAN_ON || record_take(shared, &seen, &r));
        if (ASAN_ON)
                return;
        assert_false(record_take(shared, &seen, &r));
        record_print(&r, &b);
        buf_putc(&b, 0);
        assert_non_null(strstr(b.p, "signal 6 (Aborted): BUG "));
        assert_non_null(strstr(b.p, "pid != 0"));
        assert_non_null(strstr(b.p, "an_assert_leaves_a_record+0x"));
}

static void a_signal_from_outside_is_told_with_its_sender(void **state)
{
        struct record *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), r;
        uint32_t seen = 0;
        int pid, ready[2];
        char c;

        (void)state;
        assert_true(shared != MAP_FAILED);
        assert_int_equal(pipe(ready), 0);
        pid = fork();
        if (pid == 0) {
                watchdog_catch(shared);
                (void)!write(ready[1], "x", 1);
                for (;;)
                        pause();
        }
        assert_int_equal(read(ready[0], &c, 1), 1);
        assert_int_equal(kill(pid, SIGSEGV), 0);
        assert_true(end_of(pid) != 0);
        if (ASAN_ON)
                return;
        assert_true(record_take(shared, &seen, &r));
        assert_int_equal(r.signo, SIGSEGV);
        assert_int_equal(r.sender, getpid());
        assert_true(r.n > 3);
}

static void what_a_worker_left_is_not_believed(void **state)
{
        static struct record wrong = { .seq = 1, .signo = 99, .n = 4000000000u, .base = 4, .end = UINT64_MAX };
        struct record r;
        uint32_t seen = 0;
        AUTO_BUF(b);

        (void)state;
        memset(wrong.frame, 0x7f, sizeof(wrong.frame));
        memset(wrong.text, 0x1b, sizeof(wrong.text));
        memset(wrong.name, 'n', sizeof(wrong.name));
        assert_true(record_take(&wrong, &seen, &r));
        record_print(&r, &b);
        assert_null(memchr(b.p, 0x1b, b.n));
        assert_true(b.n < 8192);
}

/* ---- where it is ---- */

static struct {
        _Atomic int tid;
        clockid_t cpu;
        mono_t since;
        int fd;
} blocked;

unsigned engine_turns(const struct engine *e, struct engine_turn ret_v[THR_MAX])
{
        (void)e;
        ret_v[0] = (struct engine_turn){ .since = blocked.since, .tid = blocked.tid, .cpu = blocked.cpu };
        return 1;
}

__attribute__((noinline)) static ssize_t waits_here(int fd)
{
        char c;
        ssize_t n = read(fd, &c, 1);

        return n + 1 > 2 ? -1 : n; /* no tail call: it shall be seen on the stack */
}

static void *block(void *arg)
{
        (void)pthread_getcpuclockid(pthread_self(), &blocked.cpu);
        atomic_store(&blocked.tid, gettid());
        (void)waits_here(blocked.fd);
        return arg;
}

static void the_frames_of_a_thread_that_waits(void **state)
{
        const struct timespec beat = { 0, 100 * 1000 * 1000 };
        static struct record lag;
        struct record r;
        uint32_t seen = 0;
        uint64_t ns = 0;
        int fds[2];
        pthread_t t;
        AUTO_BUF(b);

        (void)state;
        assert_int_equal(pipe(fds), 0);
        blocked.fd = fds[0];
        blocked.since = sys_kernel.mono();
        assert_int_equal(pthread_create(&t, NULL, block, NULL), 0);
        for (int i = 0; i < 600 && !watchdog_look(NULL, &lag, &ns); i++)
                (void)nanosleep(&beat, NULL);
        assert_true(ns >= WATCHDOG_LAG_NS);
        assert_true(record_take(&lag, &seen, &r));
        record_print(&r, &b);
        buf_putc(&b, 0);
        assert_non_null(strstr(b.p, "thread telamon/1 makes no turn since "));
        assert_true(ASAN_ON || strstr(b.p, "waits_here") != NULL);
        assert_false(watchdog_look(NULL, &lag, &ns)); /* once a turn */
        assert_int_equal(write(fds[1], "x", 1), 1);
        (void)pthread_join(t, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_loop_that_sleeps_or_turns_does_not_hang),
                cmocka_unit_test(an_endless_loop_hangs),
                cmocka_unit_test(one_that_waits_in_the_kernel_hangs),
                cmocka_unit_test(one_that_is_not_let_does_not_hang),
                cmocka_unit_test(time_that_the_judge_missed_is_nobodys_fault),
                cmocka_unit_test(an_assert_leaves_a_record),
                cmocka_unit_test(a_signal_from_outside_is_told_with_its_sender),
                cmocka_unit_test(what_a_worker_left_is_not_believed),
                cmocka_unit_test(the_frames_of_a_thread_that_waits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
