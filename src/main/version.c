/* main/version.c - see the header. Features are rows; a feature folder that brings one flips its row. */
#include "main/version.h"

#include "base/thr.h"
#include "core/service.h"

#include <sys/utsname.h>

struct feature {
        const char *name;
        bool has;
};

static const struct feature features[] = {
        { "ACCEPT4", true },      { "BACKTRACE", true },    { "CPU_AFFINITY", true }, { "CRYPT_H", true },
        { "DL", false },          { "EPOLL", true },        { "EVPORTS", false },     { "GETADDRINFO", true },
        { "KQUEUE", false },      { "KTLS", false },        { "LIBCRYPT", true },     { "LINUX_CAP", false },
        { "LINUX_SPLICE", true }, { "LINUX_TPROXY", true }, { "LUA", false },         { "NETFILTER", false },
        { "NS", false },          { "OPENSSL", false },     { "OT", false },          { "PCRE", false },
        { "PCRE2", true },        { "PCRE2_JIT", false },   { "POLL", false },        { "PRCTL", true },
        { "PROMEX", true },       { "QUIC", false },        { "RT", false },          { "SLZ", false },
        { "SSL", false },         { "SYSTEMD", true },      { "TELAMON", true },      { "TFO", true },
        { "THREAD", true },       { "THREAD_DUMP", false }, { "TPROXY", true },       { "WURFL", false },
        { "ZLIB", false },
};

/* What a start option or `no...` word of other builds can switch off; here nothing can. */
static const char *const enabled[] = { "EPOLL", "GETADDRINFO", "REUSEPORT", "SPLICE", "FAST-FORWARD", "ZERO-COPY" };

bool version_feature(struct str name)
{
        for (size_t i = 0; i < array_len(features); i++)
                if (str_is(name, features[i].name))
                        return features[i].has;
        return false;
}

bool version_enabled(struct str name)
{
        for (size_t i = 0; i < array_len(enabled); i++)
                if (str_is(name, enabled[i]))
                        return true;
        return false;
}

void version_line(struct buf *out)
{
        struct utsname u;

        buf_puts(out, "Telamon version " TELAMON_VERSION " (HAProxy " HAPROXY_LEVEL " compatible)\n");
        buf_puts(out, "HAProxy version " HAPROXY_LEVEL " compatible: reads its configuration files\n");
        if (uname(&u) == 0)
                buf_printf(out, "Running on: %s %s %s %s\n", u.sysname, u.release, u.version, u.machine);
}

void version_build(struct buf *out)
{
        const struct service *const *services;
        unsigned n_services;

        version_line(out);
        buf_puts(out, "Build options :\n  TARGET  = linux-glibc\n  CC      = " __VERSION__ "\n\nFeature list :");
        for (size_t i = 0; i < array_len(features); i++)
                buf_printf(out, " %c%s", features[i].has ? '+' : '-', features[i].name);
        buf_printf(out, "\n\nBuilt with multi-threading support (MAX_THREADS=%d).\n", THR_MAX);
        buf_puts(out, "Encrypted password support via crypt(3): yes\n"
                      "Built with transparent proxy support using: IP_TRANSPARENT IPV6_TRANSPARENT IP_FREEBIND\n\n"
                      "Available polling systems :\n      epoll : pref=300,  test result OK\n"
                      "Total: 1 (1 usable), will use epoll.\n\n"
                      "Available services :");
        services = service_all(&n_services);
        for (unsigned i = 0; i < n_services; i++)
                buf_printf(out, " %s", services[i]->name);
        buf_puts(out, n_services ? "\n" : " none\n");
        buf_puts(out, "\nAvailable filters :\n\tnone\n");
}
