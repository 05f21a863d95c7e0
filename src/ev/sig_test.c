#include "ev/sig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static int seen[65], sender;

static void on_sig(struct sig_watch *s, int signo, int pid)
{
        seen[signo]++;
        sender = pid;
        if (signo == SIGUSR2)
                sig_watch_stop(s);
}

static void test_signals(void **st)
{
        static struct loop l;
        const int which[] = { SIGUSR1, SIGUSR2, SIGCHLD };
        struct thr *t = thr_new(0, &sys_kernel, 4096);
        struct sig_watch s;
        int status = -1;
        pid_t pid;

        (void)st;
        thr_self = t;
        assert_int_equal(loop_init(&l, t), 0);
        assert_int_equal(sig_watch_start(&s, &l, which, 3, on_sig), 0);
        assert_int_equal(kill(getpid(), SIGUSR1), 0);
        assert_int_equal(kill(getpid(), SIGPIPE), 0); /* does not end us */
        while (!seen[SIGUSR1])
                loop_turn(&l, true);
        assert_int_equal(sender, getpid());
        pid = fork();
        if (pid == 0)
                _exit(7);
        while (!seen[SIGCHLD])
                loop_turn(&l, true);
        assert_int_equal(sig_reap(&status), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        assert_int_equal(sig_reap(&status), 0);
        assert_int_equal(kill(getpid(), SIGUSR2), 0);
        while (!seen[SIGUSR2])
                loop_turn(&l, true);
        assert_true(s.ev.fd < 0); /* stopped from inside */
        sig_watch_stop(&s);
        loop_fini(&l);
        thr_free(t);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_signals) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
