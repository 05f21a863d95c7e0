/* main/daemon.c - see the header. */
#include "main/daemon.h"

#include "main/proclog.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void wait_for(int fd, pid_t child)
{
        char byte;
        int status;

        if (read(fd, &byte, 1) == 1)
                _exit(0);
        if (waitpid(child, &status, 0) == child && WIFEXITED(status))
                _exit(WEXITSTATUS(status));
        _exit(1);
}

int daemon_fork(struct daemon *d)
{
        int fds[2];
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) != 0)
                return -errno;
        pid = fork();
        if (pid < 0) {
                int e = -errno;

                (void)close(fds[0]);
                (void)close(fds[1]);
                return e;
        }
        if (pid > 0) {
                (void)close(fds[1]);
                wait_for(fds[0], pid);
        }
        (void)close(fds[0]);
        (void)setsid();
        d->report = fds[1];
        return 0;
}

int daemon_null(void)
{
        return open("/dev/null", O_RDWR | O_CLOEXEC);
}

void daemon_detach_output(int null)
{
        for (int fd = 0; fd < 3 && null >= 0; fd++)
                (void)dup2(null, fd);
        if (null > 2)
                (void)close(null);
        proclog_silence();
}

void daemon_ready(struct daemon *d)
{
        if (d->report < 0)
                return;
        daemon_detach_output(daemon_null());
        if (write(d->report, "", 1) != 1) /* the starter was killed: nobody to tell */
                errno = 0;
        (void)close(d->report);
        d->report = -1;
}
