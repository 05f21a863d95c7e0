/* A child that is stopped is told from one that runs, also where /proc does not show it. */
#include "main/child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void stopped_and_not(void **state)
{
        static const char *const proc[] = { "/proc", "/nonexistent" };
        siginfo_t i;
        int pid = fork();

        (void)state;
        if (pid == 0)
                for (;;)
                        pause();
        for (unsigned k = 0; k < 2; k++)
                assert_false(child_is_stopped(proc[k], pid));
        assert_int_equal(kill(pid, SIGSTOP), 0);
        assert_int_equal(waitid(P_PID, (id_t)pid, &i, WSTOPPED | WNOWAIT), 0);
        for (unsigned k = 0; k < 4; k++) /* asking does not take it away */
                assert_true(child_is_stopped(proc[k % 2], pid));
        assert_int_equal(kill(pid, SIGCONT), 0);
        for (unsigned k = 0; k < 2; k++)
                assert_false(child_is_stopped(proc[k], pid));
        (void)kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(stopped_and_not) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
