/* main/orphan.c - see the header. */
#include "main/orphan.h"

#include "main/channel.h"
#include "main/proclog.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define TAKE_ALL_MS 20000 /* nor one that does not come to its end */
#define TAKE_S      5     /* an orphan that says nothing for so long is none */

/* ---- names and users ---- */

/* False: this one has no name (fd@, too long a path). */
static bool name_of(const struct listen_spec *s, struct sockaddr_un *ret_un, socklen_t *ret_len)
{
        AUTO_BUF(b);

        buf_puts(&b, "telamon/orphan/");
        if (s->at.inherited_fd >= 0)
                return false;
        if (s->at.family == AF_UNIX)
                buf_printf(&b, "%s%s", s->at.abstract ? "abns@" : "", s->at.path);
        else {
                struct addr at = s->at.addr;

                if (s->at.port_low >= 0)
                        addr_set_port(&at, s->at.port_low);
                addr_print(&at, &b);
        }
        if (b.n >= sizeof(ret_un->sun_path))
                return false;
        *ret_un = (struct sockaddr_un){ .sun_family = AF_UNIX };
        memcpy(ret_un->sun_path + 1, b.p, b.n);
        *ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + b.n);
        return true;
}

static bool peer_is(int fd, int uid)
{
        struct ucred c;
        socklen_t n = sizeof(c);

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n) == 0 &&
               (c.uid == 0 || c.uid == geteuid() || (uid >= 0 && c.uid == (uid_t)uid));
}

/* ---- the worker's side ---- */

static struct {
        struct loop *loop;
        struct engine *engine;
        const struct journal *journal;
        void (*leave)(bool successor);
        struct ev_fd doors[ORPHAN_NAMES];
        unsigned n_doors;
        struct ev_fd peer;
        struct timer limit;
        bool broken; /* while telling: the peer does not listen */
} self = { .peer = { .fd = -1 } };

static void close_ev(struct ev_fd *e)
{
        if (e->fd < 0)
                return;
        loop_del(self.loop, e);
        (void)close(e->fd);
        e->fd = -1;
}

static void end_wait(bool successor)
{
        for (unsigned i = 0; i < self.n_doors; i++)
                close_ev(&self.doors[i]);
        close_ev(&self.peer);
        timer_stop(self.loop, &self.limit);
        self.leave(successor);
}

static void on_peer(struct ev_fd *e, uint32_t events)
{
        static struct channel_msg m;
        int r = channel_recv(e->fd, false, &m);

        (void)events;
        if (r == -EAGAIN)
                return;
        if (r > 0 && m.type == CH_RETIRE) {
                end_wait(true);
                return;
        }
        if (r > 0)
                channel_drop(&m);
        close_ev(e); /* it did not start: the next one may */
}

static void say(enum channel_type t, const struct channel_arg *a, const int *fds, unsigned n)
{
        if (!self.broken && channel_send(self.peer.fd, t, a, fds, n) < 0)
                self.broken = true;
}

static void say_socket(void *ctx, const char *key, const struct listen_spec *spec, const int *fds, unsigned n)
{
        struct listen_spec s = *spec;
        AUTO_BUF(bytes);

        (void)ctx;
        s.shards = n;
        spec_encode(&s, &bytes);
        say(CH_SOCKET,
            (struct channel_arg[]){ CH_S(str_of(key)), CH_S(STR("")), CH_S(STR("")), CH_S(buf_view(&bytes)) }, NULL, 0);
        say(CH_LISTEN, (struct channel_arg[]){ CH_S(str_of(key)) }, fds, n);
}

static void say_health(void *ctx, const char *cmd)
{
        (void)ctx;
        say(CH_HEALTH, (struct channel_arg[]){ CH_S(str_of(cmd)) }, NULL, 0);
}

static void tell_all(void)
{
        self.broken = false;
        engine_sockets(self.engine, say_socket, NULL);
        engine_health(self.engine, say_health, NULL);
        list_for_each (i, &self.journal->all) {
                const struct journal_entry *e = list_item(i, struct journal_entry, link);

                say(CH_JOURNAL, (struct channel_arg[]){ CH_S(str_of(e->key)), CH_S(str_of(e->cmd)) }, NULL, 0);
        }
        say(CH_APPLIED, (struct channel_arg[]){ CH_U(0), CH_U(APPLIED) }, NULL, 0);
}

static void on_door(struct ev_fd *e, uint32_t events)
{
        int fd = accept4(e->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        (void)events;
        if (fd < 0)
                return;
        if (self.peer.fd >= 0 || !peer_is(fd, -1)) {
                (void)close(fd);
                return;
        }
        self.peer = (struct ev_fd){ .fd = fd, .fn = on_peer };
        tell_all();
        (void)loop_add_level(self.loop, &self.peer, false);
}

static void open_door(void *ctx, const char *key, const struct listen_spec *spec, const int *fds, unsigned n)
{
        struct ev_fd *d = &self.doors[self.n_doors];
        struct sockaddr_un un;
        socklen_t len;

        (void)ctx;
        (void)key;
        (void)fds;
        (void)n;
        if (self.n_doors == ORPHAN_NAMES || !name_of(spec, &un, &len))
                return;
        *d = (struct ev_fd){ .fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), .fn = on_door };
        if (d->fd >= 0 && bind(d->fd, (struct sockaddr *)&un, len) == 0 && listen(d->fd, 4) == 0 &&
            loop_add_level(self.loop, d, false) == 0)
                self.n_doors++;
        else if (d->fd >= 0)
                (void)close(d->fd);
}

static void nobody_came(struct timer *t)
{
        (void)t;
        end_wait(false);
}

bool orphan_wait(struct loop *l, struct engine *e, const struct journal *j, void (*leave)(bool successor))
{
        self.loop = l;
        self.engine = e;
        self.journal = j;
        self.leave = leave;
        engine_sockets(e, open_door, NULL);
        if (self.n_doors == 0)
                return false;
        timer_init(&self.limit, nobody_came);
        timer_start(l, &self.limit, mono_add_ms(thr_self->now, ORPHAN_MS));
        return true;
}

/* ---- the successor's side ---- */

int orphan_find(const struct listen_spec *spec, int uid)
{
        const struct timeval limit = { TAKE_S, 0 };
        struct sockaddr_un un;
        socklen_t len;
        int fd;

        if (!name_of(spec, &un, &len))
                return -1;
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
            setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 && /* connect() waits for it, too */
            connect(fd, (struct sockaddr *)&un, len) == 0 && peer_is(fd, uid))
                return fd;
        if (fd >= 0)
                (void)close(fd);
        return -1;
}

/* Is it what it is said to be: a socket that listens, at this address? */
static bool fits(int fd, const struct listen_spec *s)
{
        struct sockaddr_storage ss = { 0 };
        socklen_t n = sizeof(ss), on_len = sizeof(int);
        struct addr is, want = s->at.addr;
        int on = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &on_len) != 0 || !on ||
            getsockname(fd, (struct sockaddr *)&ss, &n) != 0 || ss.ss_family != s->at.family)
                return false;
        if (s->at.family == AF_UNIX)
                return true; /* it was bound under another name */
        addr_from_sockaddr(&is, (struct sockaddr *)&ss, n);
        addr_set_port(&want, s->at.port_low);
        return addr_eq(&is, &want);
}

static bool take_fds(struct supconf *had, struct channel_msg *m)
{
        struct sup_bind *b = had->n_binds ? &had->binds[had->n_binds - 1] : NULL;

        if (!b || b->n_fds || !str_is(m->arg[0].s, b->key))
                return false;
        for (unsigned i = 0; i < m->n_fds; i++)
                if (!fits(m->fds[i], &b->spec))
                        return b->spec.at.inherited_fd >= 0; /* our own fd@ then */
        memcpy(b->fds, m->fds, m->n_fds * sizeof(*b->fds));
        b->n_fds = m->n_fds;
        m->n_fds = 0;
        return true;
}

static bool take_one(struct channel_msg *m, struct supconf *had, struct journal *journal, struct journal *health)
{
        switch (m->type) {
        case CH_SOCKET: return supconf_take(had, m);
        case CH_LISTEN: return take_fds(had, m);
        case CH_JOURNAL: journal_set(journal, m->arg[0].s, m->arg[1].s); return true;
        case CH_HEALTH: journal_set(health, m->arg[0].s, m->arg[0].s); return true;
        default: return false;
        }
}

static bool take_all(int fd, struct supconf *had, struct journal *journal, struct journal *health)
{
        static struct channel_msg m;
        mono_t end = mono_add_ms(thr_self->sys->mono(), TAKE_ALL_MS);
        bool ok;

        do {
                if (thr_self->sys->mono() > end || channel_recv(fd, true, &m) <= 0)
                        return false;
                if (m.type == CH_APPLIED)
                        break;
                ok = take_one(&m, had, journal, health);
                channel_drop(&m);
        } while (ok);
        if (m.type != CH_APPLIED)
                return false;
        supconf_widened(had);
        return true;
}

struct supconf *orphan_adopt(const struct supconf *c, struct journal *journal, struct journal *health, int *ret_fd)
{
        struct supconf *had;
        int fd = -1;

        for (size_t i = 0; i < c->n_binds && i < ORPHAN_NAMES && fd < 0; i++)
                fd = orphan_find(&c->binds[i].spec, c->uid);
        if (fd < 0)
                return NULL;
        *ret_fd = fd;
        had = supconf_new();
        if (take_all(fd, had, journal, health)) {
                proclog(PROC_NOTICE, "A worker without a supervisor serves here: its sockets are taken over.");
                return had;
        }
        supconf_free(had);
        return NULL;
}

void orphan_retire(int fd)
{
        static struct channel_msg m;
        mono_t end = mono_add_ms(thr_self->sys->mono(), TAKE_ALL_MS);

        if (fd < 0)
                return;
        /* Closing with unread messages would make the kernel throw ours away: it is heard once the other side has closed. */
        if (channel_send(fd, CH_RETIRE, NULL, NULL, 0) == 0)
                while (thr_self->sys->mono() < end && channel_recv(fd, true, &m) > 0)
                        channel_drop(&m);
        (void)close(fd);
}
