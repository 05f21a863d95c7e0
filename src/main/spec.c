/* main/spec.c - see the header. One packed image per spec; the texts follow. */
#include "main/spec.h"

#define SPEC_MAGIC 0x54535043u

struct image {
        uint32_t magic;
        int32_t family, inherited_fd, port, backlog, tcp_fastopen, mss, defer_accept, tcp_ut_ms, unix_mode, unix_uid,
                unix_gid;
        uint32_t shards;
        uint8_t dgram, abstract, abstract_z, v4v6, v6only, transparent, freebind, has_interface;
        char addr[sizeof(struct addr)];
        char path[sizeof(((struct addr_spec *)0)->path)];
        char interface[16]; /* IFNAMSIZ */
};

void spec_encode(const struct listen_spec *s, struct buf *out)
{
        struct image i;

        memset(&i, 0, sizeof(i));
        i.magic = SPEC_MAGIC;
        i.family = s->at.family, i.inherited_fd = s->at.inherited_fd, i.port = s->at.port_low, i.backlog = s->backlog;
        i.tcp_fastopen = s->tcp_fastopen, i.mss = s->mss, i.defer_accept = s->defer_accept, i.tcp_ut_ms = s->tcp_ut_ms;
        i.unix_mode = s->unix_mode, i.unix_uid = s->unix_uid, i.unix_gid = s->unix_gid, i.shards = s->shards;
        i.dgram = s->at.dgram, i.abstract = s->at.abstract, i.abstract_z = s->at.abstract_z;
        i.v4v6 = s->v4v6, i.v6only = s->v6only, i.transparent = s->transparent, i.freebind = s->freebind;
        i.has_interface = s->interface != NULL;
        memcpy(i.addr, &s->at.addr, sizeof(i.addr));
        memcpy(i.path, s->at.path, sizeof(i.path));
        if (s->interface)
                memcpy(i.interface, s->interface, strnlen(s->interface, sizeof(i.interface) - 1));
        buf_add(out, &i, sizeof(i));
}

static bool flags_ok(const struct image *i)
{
        return (i->dgram | i->abstract | i->abstract_z | i->v4v6 | i->v6only | i->transparent | i->freebind |
                i->has_interface) <= 1;
}

static bool place_ok(const struct image *i)
{
        struct addr a;

        memcpy(&a, i->addr, sizeof(a));
        if (memchr(i->path, 0, sizeof(i->path)) == NULL || memchr(i->interface, 0, sizeof(i->interface)) == NULL)
                return false;
        if (i->inherited_fd >= 0)
                return i->shards == 1;
        if (i->family == AF_UNIX)
                return i->shards == 1 && (i->abstract || i->path[0]);
        return (i->family == AF_INET || i->family == AF_INET6) && a.sa.sa_family == i->family;
}

static bool numbers_ok(const struct image *i)
{
        return i->inherited_fd >= -1 && i->port >= -1 && i->port <= 65535 && i->backlog >= 0 && i->tcp_fastopen >= 0 &&
               i->defer_accept >= 0 && i->tcp_ut_ms >= 0 && i->unix_mode >= -1 && i->unix_mode <= 07777 &&
               i->unix_uid >= -1 && i->unix_gid >= -1 && i->shards >= 1 && i->shards <= LISTEN_SHARDS_MAX;
}

bool spec_decode(struct str in, struct arena *mem, struct listen_spec *ret_s)
{
        struct image i;
        struct listen_spec s = { 0 };

        if (in.n != sizeof(i))
                return false;
        memcpy(&i, in.p, sizeof(i));
        if (i.magic != SPEC_MAGIC || !flags_ok(&i) || !numbers_ok(&i) || !place_ok(&i))
                return false;
        s.at.family = i.family, s.at.inherited_fd = i.inherited_fd, s.at.port_low = s.at.port_high = i.port;
        s.at.dgram = i.dgram, s.at.abstract = i.abstract, s.at.abstract_z = i.abstract_z;
        s.backlog = i.backlog, s.tcp_fastopen = i.tcp_fastopen, s.mss = i.mss, s.defer_accept = i.defer_accept,
        s.tcp_ut_ms = i.tcp_ut_ms;
        s.unix_mode = i.unix_mode, s.unix_uid = i.unix_uid, s.unix_gid = i.unix_gid, s.shards = i.shards;
        s.v4v6 = i.v4v6, s.v6only = i.v6only, s.transparent = i.transparent, s.freebind = i.freebind;
        memcpy(&s.at.addr, i.addr, sizeof(i.addr));
        memcpy(s.at.path, i.path, sizeof(i.path));
        if (i.has_interface)
                s.interface = arena_strdup(mem, str_of(i.interface));
        *ret_s = s;
        return true;
}
