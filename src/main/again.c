/* main/again.c - see the header. */
#include "main/again.h"

#include "main/argv.h"
#include "main/proclog.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define INHERITED_MAX 1024

static struct {
        int home;
        bool inherited[INHERITED_MAX];
} self = { .home = -1 };

void again_remember(void)
{
        self.home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void again_keep_from_children(void)
{
        for (int fd = 3; fd < INHERITED_MAX; fd++) {
                int flags = fcntl(fd, F_GETFD);

                self.inherited[fd] = flags >= 0 && !(flags & FD_CLOEXEC);
                if (self.inherited[fd])
                        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        }
}

void again_with(char **argv, const char *option)
{
        const char *const more[] = { option, NULL };
        char **v = args_with(argv, more);
        sigset_t none;

        for (int fd = 3; fd < INHERITED_MAX; fd++)
                if (self.inherited[fd])
                        (void)fcntl(fd, F_SETFD, 0);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        if (self.home < 0 || fchdir(self.home) == 0)
                (void)execv("/proc/self/exe", v);
        proclog(PROC_ALERT, "Cannot start again with %s (%s).", option, strerror(errno));
        free(v);
}
