/* feat/cli/fds.c - `show fd`: what the kernel says of each descriptor of this process. The form is our own (manual: not to be parsed).
 *
 * The descriptors are asked one by one, some hundred a piece: an empty root has no /proc. */
#include "feat/cli/cli.h"
#include "net/addr.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define SOME 512

enum fd_kind { FD_PIPE = 1, FD_LISTENER = 2, FD_CONN = 4, FD_OTHER = 8, FD_ALL = 15 };

struct fds {
        int at, end;
        unsigned kinds;
};

static void put_side(struct buf *out, const char *what, const struct sockaddr_storage *sa, socklen_t len)
{
        struct addr a;

        if (len == 0)
                return;
        buf_printf(out, " %s=", what);
        if (sa->ss_family == AF_INET || sa->ss_family == AF_INET6) {
                memset(&a, 0, sizeof(a));
                memcpy(&a, sa, len < sizeof(a) ? len : sizeof(a));
                addr_print(&a, out);
                return;
        }
        buf_puts(out, sa->ss_family == AF_UNIX ? "unix" : "other");
}

static int option(int fd, int name)
{
        int v = 0;
        socklen_t n = sizeof(v);

        return getsockopt(fd, SOL_SOCKET, name, &v, &n) == 0 ? v : 0;
}

static void put_socket(struct buf *out, int fd, bool listens)
{
        struct sockaddr_storage sa = { 0 };
        socklen_t len = sizeof(sa);
        bool datagram = option(fd, SO_TYPE) == SOCK_DGRAM;

        buf_puts(out, listens ? "listener" : datagram ? "datagram socket" : "connection");
        if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
                put_side(out, "local", &sa, len);
        len = sizeof(sa);
        if (!listens && getpeername(fd, (struct sockaddr *)&sa, &len) == 0)
                put_side(out, "peer", &sa, len);
}

static enum fd_kind kind_of(int fd, const struct stat *st)
{
        if (S_ISFIFO(st->st_mode))
                return FD_PIPE;
        if (!S_ISSOCK(st->st_mode))
                return FD_OTHER;
        return option(fd, SO_ACCEPTCONN) ? FD_LISTENER : option(fd, SO_TYPE) == SOCK_DGRAM ? FD_OTHER : FD_CONN;
}

static void put_fd(struct buf *out, int fd, unsigned kinds)
{
        struct stat st;
        enum fd_kind k;

        if (fstat(fd, &st) < 0)
                return;
        k = kind_of(fd, &st);
        if (!(kinds & k))
                return;
        buf_printf(out, "%7d : ", fd);
        if (S_ISSOCK(st.st_mode))
                put_socket(out, fd, k == FD_LISTENER);
        else
                buf_puts(out, k == FD_PIPE                 ? "pipe"
                              : S_ISREG(st.st_mode)        ? "file"
                              : S_ISCHR(st.st_mode)        ? "device"
                              : (st.st_mode & S_IFMT) == 0 ? "event descriptor"
                                                           : "other");
        buf_putc(out, '\n');
}

/* "-pl!c": letters choose kinds; after '-' or '!' the choice is inverted to the end of the word. */
static bool read_kinds(struct str w, unsigned *ret_kinds)
{
        unsigned chosen = 0, out = 0;
        bool inverted = false;

        for (size_t i = 1; i < w.n; i++) {
                unsigned k = w.p[i] == 'p' ? FD_PIPE : w.p[i] == 'l' ? FD_LISTENER : w.p[i] == 'c' ? FD_CONN : 0;

                if (w.p[i] == '-' || w.p[i] == '!')
                        inverted = true;
                else if (!k)
                        return false;
                else if (inverted)
                        out |= k;
                else
                        chosen |= k;
        }
        *ret_kinds = (chosen ? chosen : FD_ALL) & ~out;
        return true;
}

static void show_fd(struct cli_call *c)
{
        struct fds *f = arena_alloc(c->mem, sizeof(*f));
        struct rlimit r;
        int64_t one;

        *f = (struct fds){ .end = getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < INT32_MAX ? (int)r.rlim_cur
                                                                                              : 1 << 20,
                           .kinds = FD_ALL };
        for (unsigned i = 2; i < c->n_args; i++) {
                if (str_to_i64(c->args[i], &one) && one >= 0 && one < f->end) {
                        f->at = (int)one;
                        f->end = (int)one + 1;
                } else if (c->args[i].n < 2 || c->args[i].p[0] != '-' || !read_kinds(c->args[i], &f->kinds)) {
                        cli_msg(c, 3, "'show fd' takes a number, or -[!plc]* for pipes, listeners, connections.\n");
                        return;
                }
        }
        c->state = f;
}

static bool more_fd(struct cli_call *c)
{
        struct fds *f = c->state;

        for (int n = 0; f && n < SOME && f->at < f->end; n++)
                put_fd(c->out, f->at++, f->kinds);
        return f && f->at < f->end;
}

static const struct cli_cmd cmd_fd = {
        .words = "show fd",
        .args = "[-!plc]* [<fd>]",
        .help = "descriptors of the process",
        .level = CLI_OPERATOR,
        .run = show_fd,
        .more = more_fd,
};
CLI_CMD(cmd_fd);
