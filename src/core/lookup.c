/* core/lookup.c - users, groups and host names, asked of this machine once, by the loader.
 *
 * The answer goes into the load's record of files under a name that no file has ("resolve:www.example.com"), so that the worker, which
 * compiles the same text from the bundle, gets the same answer without a resolver and without /etc. */
#include "core/rows_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

static int ask_user(const char *key, struct buf *out)
{
        char mem[16384];
        struct passwd pw, *found = NULL;

        if (getpwnam_r(strchr(key, ':') + 1, &pw, mem, sizeof(mem), &found) != 0 || !found)
                return -ENOENT;
        buf_printf(out, "%u", found->pw_uid);
        return 0;
}

static int ask_group(const char *key, struct buf *out)
{
        char mem[65536];
        struct group gr, *found = NULL;

        if (getgrnam_r(strchr(key, ':') + 1, &gr, mem, sizeof(mem), &found) != 0 || !found)
                return -ENOENT;
        buf_printf(out, "%u", found->gr_gid);
        return 0;
}

/* IPv4 first, as HAProxy's own start-up resolution prefers it unless told otherwise. */
static const struct addrinfo *choose(const struct addrinfo *all)
{
        for (const struct addrinfo *i = all; i; i = i->ai_next)
                if (i->ai_family == AF_INET)
                        return i;
        for (const struct addrinfo *i = all; i; i = i->ai_next)
                if (i->ai_family == AF_INET6)
                        return i;
        return NULL;
}

static int ask_host(const char *key, struct buf *out)
{
        struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *all = NULL;
        const struct addrinfo *one;
        struct addr a;

        if (getaddrinfo(strchr(key, ':') + 1, NULL, &hints, &all) != 0)
                return -ENOENT;
        one = choose(all);
        if (one) {
                addr_from_sockaddr(&a, one->ai_addr, one->ai_addrlen);
                addr_print_ip(&a, out);
        }
        freeaddrinfo(all);
        return one ? 0 : -ENOENT;
}

static int ask(struct conf *c, const char *what, const char *name, int (*how)(const char *, struct buf *),
               struct str *ret_text)
{
        AUTO_BUF(key);

        buf_printf(&key, "%s:%s", what, name);
        buf_putc(&key, 0);
        return conf_make_file(c, VFS_OTHER, key.p, how, ret_text);
}

int lookup_user(struct conf *c, const char *name, bool group, int *ret_id)
{
        struct str text;
        uint64_t v;
        int r = ask(c, group ? "group" : "user", name, group ? ask_group : ask_user, &text);

        if (r < 0 || !str_to_u64(text, &v) || v > INT32_MAX)
                return -ENOENT;
        *ret_id = (int)v;
        return 0;
}

int lookup_host(struct conf *c, const char *name, struct addr *ret_a)
{
        char ip[INET6_ADDRSTRLEN + 1];
        struct addr a = { 0 };
        struct str text;

        if (ask(c, "resolve", name, ask_host, &text) < 0 || text.n >= sizeof(ip))
                return -ENOENT;
        memcpy(ip, text.p, text.n);
        ip[text.n] = 0;
        if (inet_pton(AF_INET, ip, &a.in.sin_addr) == 1)
                a.in.sin_family = AF_INET;
        else if (inet_pton(AF_INET6, ip, &a.in6.sin6_addr) == 1)
                a.in6.sin6_family = AF_INET6;
        else
                return -ENOENT;
        *ret_a = a;
        return 0;
}
