/* feat/cli/getsocks.c - _getsocks: all listening sockets for the process that will replace this one (management.txt 3, -x).
 *
 * The form is what haproxy 2.6 and 3.4 do on the wire (seen by strace and a client of our own): an int, how many sockets come; then
 * batches of at most 252 in one SCM_RIGHTS each, with a text that has for each of them: u8 length and name of the network namespace, u8
 * length and name of the interface, an int that is 0. After each batch the other side sends an int.
 * The connection itself decides who may: a unix socket with `expose-fd listeners`, at any level, as in HAProxy. */
#include "core/engine.h"
#include "core/sess.h"
#include "core/threads.h"
#include "feat/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH     252u /* haproxy's; the kernel's limit is 253 */
#define SOCKS_MAX 65536u

struct sock {
        int fd; /* our duplicate */
        char dev[IFNAMSIZ];
};

struct job {
        struct cli_session *session; /* NULL: it is gone */
        unsigned thread;
        bool gathered, failed, end;
        struct sock *v;
        size_t n, cap, sent;
};

static void job_free(struct job *j)
{
        for (size_t i = 0; i < j->n; i++)
                (void)close(j->v[i].fd);
        free(j->v);
        free(j);
}

/* ---- the control thread: who listens where is its alone ---- */
static void keep(struct job *j, int fd, const char *dev)
{
        struct sock *more;

        if (j->n == j->cap) {
                more = j->n < SOCKS_MAX ? realloc(j->v, (j->cap + 64) * 2 * sizeof(*j->v)) : NULL;
                if (!more) {
                        j->failed = true;
                        return;
                }
                j->v = more;
                j->cap = (j->cap + 64) * 2;
        }
        j->v[j->n] = (struct sock){ .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0) };
        if (j->v[j->n].fd < 0) {
                j->failed = true;
                return;
        }
        if (dev)
                memcpy(j->v[j->n].dev, dev, strnlen(dev, IFNAMSIZ - 1));
        j->n++;
}

static void gather(void *ctx, const char *key, const struct listen_spec *spec, const int *fds, unsigned n)
{
        struct job *j = ctx;

        (void)key;
        for (unsigned i = 0; i < n && !j->failed; i++)
                keep(j, fds[i], spec->interface);
}

static void back(void *arg)
{
        struct job *j = arg;

        j->gathered = true;
        if (j->session)
                cli_wake(j->session);
        else
                job_free(j);
}

static void gather_all(void *arg)
{
        struct job *j = arg;

        engine_sockets(NULL, gather, j);
        threads_run_on(j->thread, back, j);
}

/* ---- the session's thread ---- */
static bool put(int fd, struct str text, const struct sock *v, size_t n)
{
        union {
                char bytes[CMSG_SPACE(BATCH * sizeof(int))];
                struct cmsghdr align;
        } control = { { 0 } };
        struct iovec io = { (void *)(uintptr_t)text.p, text.n };
        struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
        struct cmsghdr *h;

        if (n) {
                m.msg_control = control.bytes;
                m.msg_controllen = CMSG_SPACE(n * sizeof(int));
                h = CMSG_FIRSTHDR(&m);
                h->cmsg_level = SOL_SOCKET;
                h->cmsg_type = SCM_RIGHTS;
                h->cmsg_len = CMSG_LEN(n * sizeof(int));
                for (size_t i = 0; i < n; i++)
                        memcpy(CMSG_DATA(h) + i * sizeof(int), &v[i].fd, sizeof(int));
        }
        return sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)text.n;
}

static bool put_count(const struct job *j, int fd)
{
        int n = (int)j->n;

        return put(fd, (struct str){ (const char *)&n, sizeof(n) }, NULL, 0);
}

static bool put_batch(struct job *j, int fd)
{
        size_t n = j->n - j->sent < BATCH ? j->n - j->sent : BATCH;
        const int none = 0;
        bool ok;
        AUTO_BUF(text);

        for (size_t i = j->sent; i < j->sent + n; i++) {
                size_t len = strlen(j->v[i].dev);

                buf_putc(&text, 0); /* our own network namespace */
                buf_putc(&text, (char)len);
                buf_add(&text, j->v[i].dev, len);
                buf_add(&text, &none, sizeof(none));
        }
        ok = !text.failed && put(fd, buf_view(&text), j->v + j->sent, n);
        j->sent += n;
        return ok;
}

static bool end(struct cli_call *c)
{
        c->session->quit = true; /* nothing follows the last batch, not even an empty line */
        c->session->rest = NULL;
        job_free(c->state);
        c->state = NULL;
        return false;
}

static bool more(struct cli_call *c)
{
        struct job *j = c->state;
        int fd;

        if (!j)
                return false;
        if (!j->gathered) {
                c->wait = true;
                return true;
        }
        fd = c->session->applet->strm->sess->wire.conn.ev.fd;
        if (j->failed || j->end || (j->sent == 0 && !put_count(j, fd)) || j->sent == j->n || !put_batch(j, fd))
                return end(c);
        c->wait = true; /* for the other side's int */
        return true;
}

static size_t input(struct cli_call *c, struct str in, bool eof)
{
        struct job *j = c->state;

        if (!j || !j->gathered || (in.n < sizeof(int) && !eof))
                return 0;
        j->end = in.n < sizeof(int);
        c->wait = false;
        return j->end ? in.n : sizeof(int);
}

static void stop(struct cli_call *c)
{
        struct job *j = c->state;

        if (j && j->gathered)
                job_free(j);
        else if (j)
                j->session = NULL;
}

/* Is this a connection that a program on this machine made to a socket whose line says so? */
static bool exposed(const struct cli_call *c)
{
        const struct sess *s = c->session && c->session->applet ? c->session->applet->strm->sess : NULL;

        return s && s->listener && s->listener->cfg->expose_fd && s->listener->cfg->spec.at.family == AF_UNIX;
}

static void getsocks(struct cli_call *c)
{
        struct job *j = exposed(c) ? calloc(1, sizeof(*j)) : NULL;

        if (!j) {
                cli_msg(c, 3, "Permission denied: this is no unix socket with 'expose-fd listeners'.\n");
                return;
        }
        *j = (struct job){ .session = c->session, .thread = (unsigned)thr_self->id };
        c->state = j;
        c->wait = true;
        engine_on_control(gather_all, j);
}

static const struct cli_cmd cmd_getsocks = {
        .words = "_getsocks",
        .help = "hands all listening sockets over (the -x option of the next process asks this)",
        .level = CLI_USER,
        .run = getsocks,
        .more = more,
        .input = input,
        .stop = stop,
};
CLI_CMD(cmd_getsocks);
