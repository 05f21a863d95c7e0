/* net/listener.c - making listening sockets. Runs in the supervisor or at start, never on the request path: it calls
 * the kernel directly. */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct step {
        const char *name;
        int err;
};

static bool fails(struct step *s, int r, const char *name)
{
        if (r >= 0)
                return false;
        s->err = -errno;
        s->name = name;
        return true;
}

static bool opt_int(struct step *s, int fd, int level, int name, int v, const char *what)
{
        return !fails(s, setsockopt(fd, level, name, &v, sizeof(v)), what);
}

/* The address need not be on this machine (yet). Without the right to be transparent the bind is still had, as with
 * HAProxy; only traffic routed here for foreign addresses is not caught then. */
static bool set_foreign(struct step *s, int fd, const struct listen_spec *spec)
{
        bool six = spec->at.family == AF_INET6;
        int level = six ? IPPROTO_IPV6 : IPPROTO_IP;
        bool clear =
                spec->transparent && opt_int(s, fd, level, six ? IPV6_TRANSPARENT : IP_TRANSPARENT, 1, "transparent");

        if (clear || (!spec->transparent && !spec->freebind))
                return true;
        return opt_int(s, fd, level, six ? IPV6_FREEBIND : IP_FREEBIND, 1, "cannot bind to foreign addresses");
}

static bool set_inet(struct step *s, int fd, const struct listen_spec *spec)
{
        const char *dev = spec->interface;

        if (!opt_int(s, fd, SOL_SOCKET, SO_REUSEADDR, 1, "cannot set address reuse") ||
            !opt_int(s, fd, SOL_SOCKET, SO_REUSEPORT, 1, "cannot set port reuse"))
                return false;
        if (spec->at.family == AF_INET6 && (spec->v4v6 || spec->v6only) && /* else the system's own default */
            !opt_int(s, fd, IPPROTO_IPV6, IPV6_V6ONLY, spec->v6only, "cannot set v4v6/v6only"))
                return false;
        if (!set_foreign(s, fd, spec))
                return false;
        return !dev || !fails(s, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, (socklen_t)strlen(dev) + 1),
                              "cannot bind listener to device");
}

/* Accepted sockets inherit TCP_NODELAY: one call here instead of one per connection. */
static bool set_tcp(struct step *s, int fd, const struct listen_spec *spec)
{
        if (!opt_int(s, fd, IPPROTO_TCP, TCP_NODELAY, 1, "cannot set TCP_NODELAY"))
                return false;
        if (spec->tcp_ut_ms > 0 &&
            !opt_int(s, fd, IPPROTO_TCP, TCP_USER_TIMEOUT, spec->tcp_ut_ms, "cannot set TCP User Timeout"))
                return false;
        if (spec->mss > 0 && !opt_int(s, fd, IPPROTO_TCP, TCP_MAXSEG, spec->mss, "cannot set MSS"))
                return false;
        if (spec->defer_accept > 0 &&
            !opt_int(s, fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, spec->defer_accept, "cannot enable DEFER_ACCEPT"))
                return false;
        return spec->tcp_fastopen <= 0 ||
               opt_int(s, fd, IPPROTO_TCP, TCP_FASTOPEN, spec->tcp_fastopen, "cannot enable TCP_FASTOPEN");
}

static bool start_listening(struct step *s, int fd, const struct listen_spec *spec)
{
        return spec->at.dgram ||
               !fails(s, listen(fd, spec->backlog > 0 ? spec->backlog : SOMAXCONN), "cannot listen to socket");
}

static int open_socket(struct step *s, const struct listen_spec *spec)
{
        int type = (spec->at.dgram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
        int fd = socket(spec->at.family, type, 0);

        (void)fails(s, fd, "cannot create listening socket");
        return fd;
}

static int bind_inet(struct step *s, const struct listen_spec *spec)
{
        struct addr a = spec->at.addr;
        int fd = open_socket(s, spec);

        if (fd < 0)
                return -1;
        addr_set_port(&a, spec->at.port_low < 0 ? 0 : spec->at.port_low);
        if (set_inet(s, fd, spec) && (spec->at.dgram || set_tcp(s, fd, spec)) &&
            !fails(s, bind(fd, &a.sa, addr_len(&a)), "cannot bind socket") && start_listening(s, fd, spec))
                return fd;
        (void)close(fd);
        return -1;
}

static int bind_abstract(struct step *s, const struct listen_spec *spec)
{
        struct sockaddr_un un;
        socklen_t len = addr_spec_unix(&spec->at, &un);
        int fd = open_socket(s, spec);

        if (fd < 0)
                return -1;
        if (!fails(s, bind(fd, (struct sockaddr *)&un, len), "cannot bind UNIX socket") && start_listening(s, fd, spec))
                return fd;
        (void)close(fd);
        return -1;
}

/* The numbers to give the socket to; -1 = leave it. */
static bool find_owner(struct step *s, const struct listen_spec *spec, uid_t *ret_uid, gid_t *ret_gid)
{
        bool by_user = spec->unix_user && spec->unix_uid == -1, by_group = spec->unix_group && spec->unix_gid == -1;
        const struct passwd *pw = by_user ? getpwnam(spec->unix_user) : NULL;
        const struct group *gr = by_group ? getgrnam(spec->unix_group) : NULL;

        if ((by_user && !pw) || (by_group && !gr)) {
                s->err = -ENOENT;
                s->name = by_user && !pw ? "cannot find the UNIX socket's user" : "cannot find the UNIX socket's group";
                return false;
        }
        *ret_uid = pw ? pw->pw_uid : (uid_t)spec->unix_uid;
        *ret_gid = gr ? gr->gr_gid : (gid_t)spec->unix_gid;
        return true;
}

/* Rights before the name: nobody can open the socket by its name before it has them. */
static bool settle_unix(struct step *s, int fd, const struct listen_spec *spec, const char *tmp)
{
        uid_t uid;
        gid_t gid;

        if (!find_owner(s, spec, &uid, &gid))
                return false;
        if ((uid != (uid_t)-1 || gid != (gid_t)-1) &&
            fails(s, chown(tmp, uid, gid), "cannot change UNIX socket ownership"))
                return false;
        if (spec->unix_mode != -1 && fails(s, chmod(tmp, (mode_t)spec->unix_mode), "cannot change UNIX socket mode"))
                return false;
        return start_listening(s, fd, spec) &&
               !fails(s, rename(tmp, spec->at.path), "cannot switch final and temporary UNIX sockets");
}

static int bind_unix(struct step *s, const struct listen_spec *spec)
{
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        int fd, n = snprintf(un.sun_path, sizeof(un.sun_path), "%s.%d.tmp", spec->at.path, (int)getpid());

        if (n < 0 || (size_t)n >= sizeof(un.sun_path)) {
                errno = ENAMETOOLONG;
                (void)fails(s, -1, "cannot name the temporary UNIX socket");
                return -1;
        }
        fd = open_socket(s, spec);
        if (fd < 0)
                return -1;
        if (unlink(un.sun_path) != 0 && errno != ENOENT)
                (void)fails(s, -1, "cannot unlink a left temporary UNIX socket");
        else if (!fails(s, bind(fd, (struct sockaddr *)&un, sizeof(un)), "cannot bind UNIX socket") &&
                 settle_unix(s, fd, spec, un.sun_path))
                return fd;
        (void)unlink(un.sun_path);
        (void)close(fd);
        return -1;
}

/* fd@N: a bound stream socket of a family we know; not yet listening is allowed (manual 2.9.1). */
static int take_inherited(struct step *s, const struct listen_spec *spec)
{
        int fd = spec->at.inherited_fd, on = 0, type = 0, want = spec->at.dgram ? SOCK_DGRAM : SOCK_STREAM;
        socklen_t on_len = sizeof(on), type_len = sizeof(type), ss_len;
        struct sockaddr_storage ss = { 0 };

        ss_len = sizeof(ss);
        if (fails(s, getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len), "cannot use file descriptor") ||
            fails(s, getsockname(fd, (struct sockaddr *)&ss, &ss_len), "cannot use file descriptor"))
                return -1;
        if (type != want || (ss.ss_family != AF_INET && ss.ss_family != AF_INET6 && ss.ss_family != AF_UNIX)) {
                errno = EPROTOTYPE;
                (void)fails(s, -1, "cannot use file descriptor");
                return -1;
        }
        if (fails(s, fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK), "cannot make socket non-blocking") ||
            fails(s, fcntl(fd, F_SETFD, FD_CLOEXEC), "cannot set close-on-exec"))
                return -1;
        (void)getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &on_len);
        return on || start_listening(s, fd, spec) ? fd : -1;
}

static int bind_one(struct step *s, const struct listen_spec *spec)
{
        if (spec->at.inherited_fd >= 0)
                return take_inherited(s, spec);
        if (spec->at.family == AF_UNIX)
                return spec->at.abstract ? bind_abstract(s, spec) : bind_unix(s, spec);
        return bind_inet(s, spec);
}

int listener_bind(const struct listen_spec *spec, int *ret_fds, const char **ret_step)
{
        int fds[LISTEN_SHARDS_MAX];
        struct step s = { 0 };
        bool one = spec->at.inherited_fd >= 0 || spec->at.family == AF_UNIX;

        ASSERT(spec->shards >= 1 && spec->shards <= LISTEN_SHARDS_MAX && (!one || spec->shards == 1));
        for (unsigned i = 0; i < spec->shards; i++) {
                fds[i] = bind_one(&s, spec);
                if (fds[i] >= 0)
                        continue;
                while (i-- > 0)
                        (void)close(fds[i]);
                *ret_step = s.name;
                return s.err;
        }
        memcpy(ret_fds, fds, spec->shards * sizeof(*fds));
        return 0;
}

/* ---- sockets of another process ---- */

static int option(int fd, int level, int name)
{
        socklen_t n = sizeof(int);
        int v = 0;

        return getsockopt(fd, level, name, &v, &n) == 0 ? v : -1;
}

static bool same_device(int fd, const char *want)
{
        char dev[IFNAMSIZ] = "";
        socklen_t n = sizeof(dev);

        return getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, &n) == 0 &&
               strncmp(dev, want ? want : "", sizeof(dev)) == 0;
}

/* Where it says something: at any address. One IPv6 address is always that alone. */
static bool same_v6only(int fd, const struct listen_spec *spec)
{
        return !IN6_IS_ADDR_UNSPECIFIED(&spec->at.addr.in6.sin6_addr) ||
               option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == spec->v6only;
}

static bool same_inet(int fd, const struct listen_spec *spec, const struct sockaddr *is, socklen_t n)
{
        bool six = spec->at.family == AF_INET6;
        struct addr a, want = spec->at.addr;
        int transparent = option(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_TRANSPARENT : IP_TRANSPARENT);

        addr_from_sockaddr(&a, is, n);
        addr_set_port(&want, spec->at.port_low);
        return addr_eq(&a, &want) && option(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_TCP &&
               (!six || same_v6only(fd, spec)) && transparent == spec->transparent && same_device(fd, spec->interface);
}

bool listener_is_at(int fd, const struct listen_spec *spec)
{
        struct sockaddr_storage ss = { 0 };
        socklen_t n = sizeof(ss);
        struct sockaddr_un un;

        if (spec->at.inherited_fd >= 0 || spec->at.dgram || option(fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
            option(fd, SOL_SOCKET, SO_ACCEPTCONN) != 1 || getsockname(fd, (struct sockaddr *)&ss, &n) != 0 ||
            ss.ss_family != spec->at.family)
                return false;
        if (spec->at.family == AF_UNIX)
                return spec->at.abstract && n == addr_spec_unix(&spec->at, &un) && memcmp(&ss, &un, n) == 0;
        return spec->at.port_low > 0 && same_inet(fd, spec, (struct sockaddr *)&ss, n);
}

int listener_settle(int fd, const struct listen_spec *spec)
{
        struct step s = { 0 };
        int flags = fcntl(fd, F_GETFL);

        if (fails(&s, flags, "fcntl") || fails(&s, fcntl(fd, F_SETFL, flags | O_NONBLOCK), "fcntl") ||
            fails(&s, fcntl(fd, F_SETFD, FD_CLOEXEC), "fcntl"))
                return s.err;
        if (spec->at.family != AF_UNIX && !set_tcp(&s, fd, spec))
                return s.err;
        if (spec->at.family != AF_UNIX && spec->defer_accept == 0 && /* its former owner may have wanted that */
            !opt_int(&s, fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0, "cannot disable DEFER_ACCEPT"))
                return s.err;
        return start_listening(&s, fd, spec) ? 0 : s.err;
}
