/* main/binds.c - see the header. */
#include "main/binds.h"

#include "main/proclog.h"
#include "main/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
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

/* ---- -x ---- */

struct use { /* of a socket that was taken: its backlog is said again when all is done, as the old process may have paused it meanwhile */
        int fd, backlog;
};

static struct {
        struct takeover from;
        size_t n_from;
        struct use *used;
        size_t n_used;
} taken;

void binds_take_over(const struct args *a)
{
        int e;

        if (!a->old_socket || strcmp(a->old_socket, "/dev/null") == 0) /* management.txt 3: the way to say no */
                return;
        e = takeover_get(a->old_socket, &taken.from);
        if (e < 0)
                proclog(PROC_WARNING, "No sockets from '%s' (%s): all addresses are bound anew.", a->old_socket,
                        strerror(-e));
        taken.n_from = taken.from.n;
        taken.used = calloc(taken.n_from + 1, sizeof(*taken.used));
        ASSERT(taken.used != NULL);
}

void binds_taken(void)
{
        for (size_t i = 0; i < taken.n_used; i++)
                (void)listen(taken.used[i].fd, taken.used[i].backlog);
        if (taken.n_from)
                proclog(PROC_NOTICE, "%zu of the %zu listening sockets of the old process taken over.", taken.n_used,
                        taken.n_from);
        takeover_fini(&taken.from);
        free(taken.used);
        taken.used = NULL;
        taken.n_from = taken.n_used = 0;
}

/* How many sockets of the old process serve this address. More are added where we have more threads; when that cannot be had, these do. */
static unsigned take_over(const struct listen_spec *spec, int *ret_fds)
{
        unsigned n = takeover_match(&taken.from, spec, ret_fds);
        struct listen_spec more = *spec;
        const char *step;

        for (unsigned i = 0; i < n; i++)
                taken.used[taken.n_used++] = (struct use){ ret_fds[i], spec->backlog > 0 ? spec->backlog : SOMAXCONN };
        if (n == 0 || n >= spec->shards)
                return n;
        more.shards -= n;
        return listener_bind(&more, ret_fds + n, &step) == 0 ? spec->shards : n;
}

int binds_open(const struct listen_spec *spec, const struct args *a, int *ret_fds, const char **ret_step)
{
        const struct timespec pause = { 0, 50 * 1000 * 1000 };
        unsigned n = take_over(spec, ret_fds);
        int e = n ? 0 : bind_once(spec, ret_fds, ret_step);

        for (int i = 0; e == -EADDRINUSE && a->n_old && i < TRIES; i++) {
                if (i == 0)
                        binds_signal(a, SIGTTOU);
                (void)nanosleep(&pause, NULL);
                e = bind_once(spec, ret_fds, ret_step);
        }
        return e < 0 ? e : n ? (int)n : (int)spec->shards;
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
