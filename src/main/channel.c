/* main/channel.c - see the header. */
#include "main/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct form {
        const char *args;
        unsigned fds_min, fds_max;
};

static const struct form forms[CH_TYPES] = {
        [CH_TEXT] = { "s", 0, 0 },          [CH_SOCKET] = { "sssb", 0, 0 }, [CH_LOG_PATH] = { "s", 0, 0 },
        [CH_LOADED] = { "uuuuuuss", 0, 1 }, [CH_RIGHTS] = { "uuus", 1, 1 }, [CH_LISTEN] = { "s", 1, CHANNEL_FDS },
        [CH_LOG_FD] = { "s", 0, 1 },        [CH_REPLAY] = { "ss", 0, 0 },   [CH_APPLY] = { "u", 1, 1 },
        [CH_CLI] = { "u", 1, 1 },           [CH_DIFF] = { "s", 0, 0 },      [CH_APPLIED] = { "uu", 0, 0 },
        [CH_JOURNAL] = { "ss", 0, 0 },      [CH_REOPEN] = { "s", 0, 0 },    [CH_RETIRE] = { "", 0, 0 },
        [CH_HEALTH] = { "s", 0, 0 },
};

static void encode_arg(char kind, const struct channel_arg *a, struct buf *out)
{
        uint32_t n = (uint32_t)a->s.n;

        if (kind == 'u') {
                buf_add(out, &a->u, sizeof(a->u));
                return;
        }
        buf_add(out, &n, sizeof(n));
        buf_str(out, a->s);
}

bool channel_encode(enum channel_type t, const struct channel_arg *args, struct buf *out)
{
        uint16_t type = (uint16_t)t;

        ASSERT(t > 0 && t < CH_TYPES);
        buf_add(out, &type, sizeof(type));
        for (const char *k = forms[t].args; *k; k++, args++)
                encode_arg(*k, args, out);
        return !out->failed && out->n <= CHANNEL_MAX;
}

static bool take(struct str *in, void *p, size_t n)
{
        if (in->n < n)
                return false;
        memcpy(p, in->p, n);
        *in = str_sub(*in, n, in->n - n);
        return true;
}

static bool decode_arg(char kind, struct str *in, struct channel_arg *ret_a)
{
        uint32_t n;

        if (kind == 'u')
                return take(in, &ret_a->u, sizeof(ret_a->u));
        if (!take(in, &n, sizeof(n)) || n > in->n)
                return false;
        ret_a->s = str_sub(*in, 0, n);
        *in = str_sub(*in, n, in->n - n);
        return kind == 'b' || n == 0 || memchr(ret_a->s.p, 0, n) == NULL;
}

bool channel_decode(const char *p, size_t n, unsigned n_fds, struct channel_msg *ret_m)
{
        struct str in = { p, n };
        uint16_t type;
        struct channel_arg *a = ret_m->arg;

        if (n > CHANNEL_MAX || !take(&in, &type, sizeof(type)) || type == 0 || type >= CH_TYPES)
                return false;
        if (n_fds < forms[type].fds_min || n_fds > forms[type].fds_max)
                return false;
        for (const char *k = forms[type].args; *k; k++)
                if (!decode_arg(*k, &in, a++))
                        return false;
        ret_m->type = (enum channel_type)type;
        return in.n == 0;
}

int channel_pair(int ret_fds[2])
{
        int size = 4 << 20;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) != 0)
                return -errno;
        for (int i = 0; i < 2; i++) /* best effort: it only saves waiting */
                (void)setsockopt(ret_fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        return 0;
}

union control {
        char bytes[CMSG_SPACE(CHANNEL_FDS * sizeof(int))];
        struct cmsghdr align;
};

static void put_fds(struct msghdr *m, union control *c, const int *fds, unsigned n)
{
        struct cmsghdr *h;

        if (n == 0)
                return;
        memset(c, 0, sizeof(*c));
        m->msg_control = c->bytes;
        m->msg_controllen = CMSG_SPACE(n * sizeof(int));
        h = CMSG_FIRSTHDR(m);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(h), fds, n * sizeof(int));
}

static int send_all(int fd, const struct msghdr *m)
{
        struct pollfd p = { .fd = fd, .events = POLLOUT };

        for (;;) {
                if (sendmsg(fd, m, MSG_NOSIGNAL) >= 0)
                        return 0;
                if (errno == EAGAIN)
                        (void)poll(&p, 1, -1);
                else if (errno != EINTR)
                        return -errno;
        }
}

int channel_send(int fd, enum channel_type t, const struct channel_arg *args, const int *fds, unsigned n_fds)
{
        union control control;
        struct msghdr m = { 0 };
        struct iovec v;
        AUTO_BUF(b);

        if (n_fds > CHANNEL_FDS || !channel_encode(t, args, &b))
                return -EMSGSIZE;
        v = (struct iovec){ b.p, b.n };
        m.msg_iov = &v;
        m.msg_iovlen = 1;
        put_fds(&m, &control, fds, n_fds);
        return send_all(fd, &m);
}

int channel_post(int fd, struct str packet, const int *fds, unsigned n_fds)
{
        union control control;
        struct iovec v = { (void *)(uintptr_t)packet.p, packet.n };
        struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

        ASSERT(n_fds <= CHANNEL_FDS);
        put_fds(&m, &control, fds, n_fds);
        while (sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
                if (errno !=
                    EINTR) /* memory, or descriptors under way (unix(7)): there is room when the other end has read */
                        return errno == ENOBUFS || errno == ENOMEM || errno == ETOOMANYREFS ? -EAGAIN : -errno;
        return 0;
}

static void get_fds(struct msghdr *h, struct channel_msg *m)
{
        for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
                size_t n;

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); /* the kernel bounds it by our control buffer */
                ASSERT(m->n_fds + n <= CHANNEL_FDS);
                memcpy(m->fds + m->n_fds, CMSG_DATA(c), n * sizeof(int));
                m->n_fds += (unsigned)n;
        }
}

int channel_recv(int fd, bool wait, struct channel_msg *ret_m)
{
        union control control;
        struct iovec v = { ret_m->bytes, sizeof(ret_m->bytes) };
        struct msghdr h = {
                .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)
        };
        ssize_t n;

        ret_m->n_fds = 0;
        do
                n = recvmsg(fd, &h, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return errno == ECONNRESET ? 0 : -errno;
        if (n == 0)
                return 0;
        get_fds(&h, ret_m);
        if (!(h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && channel_decode(ret_m->bytes, (size_t)n, ret_m->n_fds, ret_m))
                return 1;
        channel_drop(ret_m);
        return -EPROTO;
}

void channel_drop(struct channel_msg *m)
{
        for (unsigned i = 0; i < m->n_fds; i++)
                if (m->fds[i] >= 0)
                        (void)close(m->fds[i]);
        m->n_fds = 0;
}
