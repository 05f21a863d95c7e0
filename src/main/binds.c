/* main/binds.c - see the header. */
#include "main/binds.h"

#include "main/proclog.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define TRIES 10

void binds_signal(const struct args *a, int signo)
{
        for (size_t i = 0; i < a->n_old; i++)
                (void)kill(a->old_pids[i], signo);
}

static int bind_once(const struct listen_spec *spec, int *ret_fds, const char **ret_step)
{
        struct listen_spec own = *spec;
        int e;

        if (spec->at.inherited_fd < 0)
                return listener_bind(spec, ret_fds, ret_step);
        own.at.inherited_fd = fcntl(spec->at.inherited_fd, F_DUPFD_CLOEXEC, 0);
        if (own.at.inherited_fd < 0) {
                *ret_step = "cannot use file descriptor";
                return -errno;
        }
        e = listener_bind(&own, ret_fds, ret_step);
        if (e < 0)
                (void)close(own.at.inherited_fd);
        return e;
}

int binds_open(const struct listen_spec *spec, const struct args *a, int *ret_fds, const char **ret_step)
{
        const struct timespec pause = { 0, 50 * 1000 * 1000 };
        int e = bind_once(spec, ret_fds, ret_step);

        for (int i = 0; e == -EADDRINUSE && a->n_old && i < TRIES; i++) {
                if (i == 0)
                        binds_signal(a, SIGTTOU);
                (void)nanosleep(&pause, NULL);
                e = bind_once(spec, ret_fds, ret_step);
        }
        return e;
}

void binds_explain(const struct listen_spec *spec, const char *place, const char *what, const char *step, int err)
{
        AUTO_BUF(b);

        if (spec->at.inherited_fd >= 0)
                buf_printf(&b, "fd@%d", spec->at.inherited_fd);
        else if (spec->at.family == AF_UNIX)
                buf_printf(&b, "%s%s", spec->at.abstract ? "abns@" : "", spec->at.path);
        else {
                struct addr at = spec->at.addr;

                if (spec->at.port_low > 0)
                        addr_set_port(&at, spec->at.port_low);
                addr_print(&at, &b);
        }
        proclog(PROC_ALERT, "Binding [%s] for %s: %s (%s) for [%.*s]", place, what, step, strerror(-err), (int)b.n,
                b.p);
}

void binds_close(int *fds, unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                if (fds[i] >= 0)
                        (void)close(fds[i]);
                fds[i] = -1;
        }
}
