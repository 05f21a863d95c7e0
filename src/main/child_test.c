/* A child that a debugger holds is told from one that is stopped or runs. */
#include "main/child.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void traced_and_not(void **state)
{
        siginfo_t i;
        int pid = fork();

        (void)state;
        if (pid == 0)
                for (;;)
                        pause();
        assert_false(child_is_traced("/proc", pid));
        assert_int_equal(kill(pid, SIGSTOP), 0);
        assert_int_equal(waitid(P_PID, (id_t)pid, &i, WSTOPPED | WNOWAIT), 0);
        assert_false(child_is_traced("/proc", pid));
        assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
        assert_int_equal(kill(pid, SIGCONT), 0);
        assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
        assert_int_equal(waitpid(pid, NULL, __WALL), pid);
        assert_true(child_is_traced("/proc", pid));
        assert_false(child_is_traced("/nonexistent", pid));
        (void)kill(pid, SIGKILL);
        while (waitpid(pid, NULL, __WALL) == pid) {
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(traced_and_not) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
