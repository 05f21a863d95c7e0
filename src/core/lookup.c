/* core/lookup.c - see the header. The record holds an answer under a name that no file has ("resolve:www.example.com"). */
#include "core/lookup.h"

#include "core/rows_int.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>

#define HOST_ADDRS_MAX 64u /* of one name; further ones are not looked at */

const struct lookup_ops *lookup_ops;

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

/* ---- hosts ---- */

static struct conf *asking; /* the load whose name is being asked for: the callbacks below carry no pointer */

static void servers_of(const struct conf_obj *section, lookup_add_fn add, void *ctx)
{
        for (const struct conf_obj *k = section->child; k; k = k->sibling) {
                const struct server_addr_cfg *a = k->kind->bit == KIND_SERVER ? conf_slot(k, server_addr_slot) : NULL;

                if (a && a->host && server_addr_asks_libc(a))
                        add(ctx, a->host);
        }
}

static void all_others(lookup_add_fn add, void *ctx)
{
        for (const struct conf_obj *o = asking->first; o; o = o->sibling)
                if (o->kind->bit & KIND_BE)
                        servers_of(o, add, ctx);
}

static int ask_host(const char *key, struct buf *out)
{
        return lookup_ops ? lookup_ops->host(strchr(key, ':') + 1, all_others, out) : -ENOENT;
}

static int ask(struct conf *c, const char *what, const char *name, int (*how)(const char *, struct buf *),
               struct str *ret_text)
{
        AUTO_BUF(key);

        buf_printf(&key, "%s:%s", what, name);
        buf_putc(&key, 0);
        asking = c;
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

static bool read_ip(struct str line, struct addr *ret_a)
{
        char ip[INET6_ADDRSTRLEN + 1];
        struct addr a = { 0 };

        if (line.n >= sizeof(ip))
                return false;
        memcpy(ip, line.p, line.n);
        ip[line.n] = 0;
        if (inet_pton(AF_INET, ip, &a.in.sin_addr) == 1)
                a.in.sin_family = AF_INET;
        else if (inet_pton(AF_INET6, ip, &a.in6.sin6_addr) == 1)
                a.in6.sin6_family = AF_INET6;
        else
                return false;
        *ret_a = a;
        return true;
}

static unsigned read_ips(struct str text, struct addr *v)
{
        unsigned n = 0;

        while (text.n && n < HOST_ADDRS_MAX) {
                const char *end = memchr(text.p, '\n', text.n);
                size_t len = end ? (size_t)(end - text.p) : text.n;

                n += read_ip(str_sub(text, 0, len), &v[n]);
                len += end != NULL;
                text = str_sub(text, len, text.n - len);
        }
        return n;
}

static unsigned rank_of(const struct lookup_want *w, const struct addr *a)
{
        unsigned rank = w->prefer != AF_UNSPEC && a->sa.sa_family == w->prefer;

        for (unsigned i = 0; i < w->n_nets; i++)
                if (addr_in_net(a, &w->nets[i]))
                        return rank + 2;
        return rank;
}

unsigned lookup_choose(const struct lookup_want *want, const struct addr *v, unsigned n)
{
        unsigned best = UINT_MAX;

        for (unsigned i = 0; i < n; i++) {
                if (want && want->family != AF_UNSPEC && v[i].sa.sa_family != want->family)
                        continue;
                if (best == UINT_MAX || (want && rank_of(want, &v[i]) > rank_of(want, &v[best])))
                        best = i;
        }
        return best;
}

int lookup_host_like(struct conf *c, const char *name, const struct lookup_want *want, struct addr *ret_a)
{
        struct addr v[HOST_ADDRS_MAX];
        struct str text;
        unsigned best = UINT_MAX;

        if (ask(c, "resolve", name, ask_host, &text) == 0)
                best = lookup_choose(want, v, read_ips(text, v));
        if (best == UINT_MAX)
                return -ENOENT;
        *ret_a = v[best];
        return 0;
}

int lookup_host(struct conf *c, const char *name, struct addr *ret_a)
{
        return lookup_host_like(c, name, NULL, ret_a);
}
