/* ev/sig.c - see the header. */
#include "ev/sig.h"

#include <errno.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

static sigset_t set_of(const int *signos, size_t n)
{
        sigset_t set;

        (void)sigemptyset(&set);
        for (size_t i = 0; i < n; i++)
                (void)sigaddset(&set, signos[i]);
        return set;
}

void sig_block(const int *signos, size_t n)
{
        sigset_t set = set_of(signos, n);

        (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
        (void)signal(SIGPIPE, SIG_IGN);
}

static void on_signal(struct ev_fd *e, uint32_t events)
{
        struct sig_watch *s = container_of(e, struct sig_watch, ev);
        struct signalfd_siginfo si;

        (void)events;
        while (e->fd >= 0 && read(e->fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
                s->fn(s, (int)si.ssi_signo, (int)si.ssi_pid);
}

int sig_watch_start(struct sig_watch *s, struct loop *l, const int *signos, size_t n,
                    void (*fn)(struct sig_watch *, int, int))
{
        sigset_t set = set_of(signos, n);
        int err;

        sig_block(signos, n);
        *s = (struct sig_watch){ .ev = { .fd = -1, .fn = on_signal }, .loop = l, .fn = fn };
        s->ev.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
        if (s->ev.fd < 0)
                return -errno;
        err = loop_add_level(l, &s->ev, false);
        if (err)
                sig_watch_stop(s);
        return err;
}

void sig_watch_stop(struct sig_watch *s)
{
        if (s->ev.fd < 0)
                return;
        loop_del(s->loop, &s->ev);
        (void)close(s->ev.fd);
        s->ev.fd = -1;
}

int sig_reap(int *ret_status)
{
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);

        if (pid <= 0)
                return 0;
        *ret_status = status;
        return pid;
}
