/* main/takeover.c - see the header. */
#include "main/takeover.h"

#include "base/sys.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define FDS_MAX   65536
#define BATCH_MAX 253                         /* the kernel's limit */
#define TEXT_MAX  (2 * 256 + sizeof(int32_t)) /* of one socket */

int takeover_text(struct str text, size_t n, bool *ret_foreign)
{
        size_t at = 0;

        for (size_t i = 0; i < n; i++) {
                size_t space, device;

                if (at >= text.n)
                        return 0;
                space = (unsigned char)text.p[at++];
                at += space;
                if (at >= text.n)
                        return 0;
                device = (unsigned char)text.p[at++];
                at += device + sizeof(int32_t);
                if (at > text.n)
                        return 0;
                ret_foreign[i] = space != 0;
        }
        return at == text.n ? 1 : -EPROTO;
}

/* ---- the talk ---- */

struct talk {
        int fd;
        mono_t end;
        struct takeover got;
        size_t want;
        struct buf text;
};

static int wait_readable(const struct talk *t)
{
        mono_t now = sys_kernel.mono();
        struct pollfd p = { .fd = t->fd, .events = POLLIN };
        int r = now < t->end ? poll(&p, 1, (int)((t->end - now) / NS_PER_MS) + 1) : 0;

        return r > 0 ? 0 : r == 0 ? -ETIMEDOUT : -errno;
}

static int say(const struct talk *t, const void *p, size_t n)
{
        return send(t->fd, p, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -errno;
}

static int hear_count(struct talk *t)
{
        int32_t count = 0;
        int e = wait_readable(t);
        ssize_t n;

        if (e < 0)
                return e;
        n = recv(t->fd, &count, sizeof(count), 0);
        if (n < 0)
                return -errno;
        if (n != sizeof(count) || count < 0 || count > FDS_MAX)
                return -EPROTO; /* a haproxy without expose-fd just closes, others answer with a text */
        t->want = (size_t)count;
        return 0;
}

/* More than it announced is closed. */
static void keep(struct talk *t, const struct cmsghdr *c)
{
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        int fds[BATCH_MAX];

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                return;
        ASSERT(n <= BATCH_MAX); /* the room we gave the kernel */
        memcpy(fds, CMSG_DATA(c), n * sizeof(int));
        for (size_t i = 0; i < n; i++)
                if (t->got.n < t->want)
                        t->got.fds[t->got.n++] = fds[i];
                else
                        (void)close(fds[i]);
}

static int hear_batch(struct talk *t)
{
        static char text[65536];
        union {
                char bytes[CMSG_SPACE(BATCH_MAX * sizeof(int))];
                struct cmsghdr align;
        } control;
        struct iovec io = { text, sizeof(text) };
        struct msghdr m = {
                .msg_iov = &io, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)
        };
        int32_t had = (int32_t)t->got.n;
        int e = wait_readable(t);
        ssize_t n;

        if (e < 0)
                return e;
        n = recvmsg(t->fd, &m, MSG_CMSG_CLOEXEC);
        if (n < 0)
                return -errno;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
                keep(t, c);
        if (n == 0)
                return -ECONNRESET;
        buf_add(&t->text, text, (size_t)n);
        if (m.msg_flags & MSG_CTRUNC)
                return -EMFILE; /* our own limit */
        if (t->text.failed)
                return -EPROTO;
        return (size_t)had < t->got.n ? say(t, &had, sizeof(had)) : 0;
}

static int hear_all(struct talk *t)
{
        bool *foreign = calloc(t->want + 1, sizeof(*foreign));
        int r = foreign ? 0 : -ENOMEM;

        t->got.fds = calloc(t->want + 1, sizeof(*t->got.fds));
        if (!t->got.fds)
                r = -ENOMEM;
        t->text.limit = t->want * TEXT_MAX + 1;
        while (r == 0) {
                r = t->got.n == t->want ? takeover_text(buf_view(&t->text), t->want, foreign) : 0;
                if (r == 0)
                        r = hear_batch(t);
                /* who does not read our last answer has said all the same */
                if (r == -EPIPE && t->got.n == t->want)
                        r = 0;
        }
        for (size_t i = 0; r > 0 && i < t->got.n; i++)
                if (foreign[i]) {
                        (void)close(t->got.fds[i]);
                        t->got.fds[i] = -1;
                }
        free(foreign);
        return r < 0 ? r : 0;
}

static int connect_to(const char *path)
{
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        int fd, e;

        if (strlen(path) >= sizeof(un.sun_path))
                return -ENAMETOOLONG;
        memcpy(un.sun_path, path, strlen(path));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
                return fd;
        e = -errno;
        (void)close(fd);
        return e;
}

int takeover_get(const char *path, struct takeover *ret_t)
{
        static const char ask[] = "_getsocks\n";
        struct talk t = { .fd = connect_to(path), .end = mono_add_ms(sys_kernel.mono(), TAKEOVER_MS) };
        int e = t.fd < 0 ? t.fd : say(&t, ask, sizeof(ask) - 1);

        if (e == 0)
                e = hear_count(&t);
        if (e == 0)
                e = hear_all(&t);
        if (t.fd >= 0)
                (void)close(t.fd);
        buf_fini(&t.text);
        if (e < 0)
                takeover_fini(&t.got);
        else
                *ret_t = t.got;
        return e;
}

/* ---- what came ---- */

unsigned takeover_match(struct takeover *t, const struct listen_spec *spec, int *ret_fds)
{
        unsigned n = 0;

        for (size_t i = 0; i < t->n && n < LISTEN_SHARDS_MAX; i++)
                if (t->fds[i] >= 0 && listener_is_at(t->fds[i], spec) && listener_settle(t->fds[i], spec) == 0) {
                        ret_fds[n++] = t->fds[i];
                        t->fds[i] = -1;
                }
        return n;
}

void takeover_fini(struct takeover *t)
{
        for (size_t i = 0; i < t->n; i++)
                if (t->fds[i] >= 0)
                        (void)close(t->fds[i]);
        free(t->fds);
        *t = (struct takeover){ 0 };
}
