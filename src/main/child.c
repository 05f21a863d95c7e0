/* main/child.c - see the header. */
#include "main/child.h"

#include "base/thr.h"
#include "main/argv.h"
#include "main/channel.h"
#include "main/proclog.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int spawn_with(char **v, int fd, posix_spawn_file_actions_t *fa, posix_spawnattr_t *at)
{
        sigset_t none;
        pid_t pid = 0;
        int e;

        (void)sigemptyset(&none);
        (void)posix_spawnattr_setsigmask(at, &none);
        (void)posix_spawnattr_setflags(at, POSIX_SPAWN_SETSIGMASK);
        e = posix_spawn_file_actions_adddup2(fa, fd, 3);
        if (e == 0)
                e = posix_spawn(&pid, "/proc/self/exe", fa, at, v, environ);
        return e ? -e : (int)pid;
}

static int spawn_role(const char *role, char **argv, int fd)
{
        const char *const more[] = { "--role", role, NULL };
        char **v = args_with(argv, more);
        posix_spawn_file_actions_t fa;
        posix_spawnattr_t at;
        int pid;

        (void)posix_spawn_file_actions_init(&fa);
        (void)posix_spawnattr_init(&at);
        pid = spawn_with(v, fd, &fa, &at);
        (void)posix_spawn_file_actions_destroy(&fa);
        (void)posix_spawnattr_destroy(&at);
        free(v);
        return pid;
}

/* fork + exec of ourselves: a fresh address layout, and no copy of our memory or descriptors. */
int child_start(struct child *c, struct loop *l, const char *role, char **argv, void (*fn)(struct ev_fd *, uint32_t))
{
        int fds[2], pid = channel_pair(fds);

        if (pid == 0) {
                pid = spawn_role(role, argv, fds[1]);
                (void)close(fds[1]);
                if (pid < 0)
                        (void)close(fds[0]);
        }
        if (pid < 0) {
                proclog(PROC_ALERT, "Cannot start the %s (%s).", role, strerror(-pid));
                return pid;
        }
        *c = (struct child){ .pid = pid, .channel = { .fd = fds[0], .fn = fn }, .since = thr_self->sys->mono() };
        (void)loop_add_level(l, &c->channel, false);
        return 0;
}

void child_close(struct child *c, struct loop *l)
{
        if (c->channel.fd < 0)
                return;
        loop_del(l, &c->channel);
        (void)close(c->channel.fd);
        c->channel.fd = -1;
}

bool child_is_traced(const char *proc, int pid)
{
        char path[64], text[512];
        const char *p;
        ssize_t n;
        int fd;

        (void)snprintf(path, sizeof(path), "%s/%d/stat", proc, pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return false;
        n = read(fd, text, sizeof(text) - 1);
        (void)close(fd);
        text[n > 0 ? n : 0] = 0;
        p = strrchr(text, ')');
        return p && p[1] == ' ' && p[2] == 't';
}

const char *child_end_name(int status)
{
        return WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "Exit";
}

int child_end_code(int status)
{
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
