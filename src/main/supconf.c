/* main/supconf.c - see the header. Sockets of an address that stays are shared by both configurations until the worker has
 * answered; then one side forgets them. */
#include "main/supconf.h"

#include "main/binds.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct supconf *supconf_new(void)
{
        struct supconf *c = calloc(1, sizeof(*c));

        ASSERT(c != NULL);
        c->bundle = c->uid = c->gid = -1;
        c->text.limit = 1 << 20;
        return c;
}

void supconf_free(struct supconf *c)
{
        if (!c)
                return;
        for (size_t i = 0; i < c->n_binds; i++)
                binds_close(c->binds[i].fds, c->binds[i].n_fds);
        if (c->bundle >= 0)
                (void)close(c->bundle);
        free(c->binds);
        free(c->logs);
        buf_fini(&c->text);
        arena_fini(&c->mem);
        free(c);
}

static const struct sup_bind *find(const struct supconf *c, const char *key)
{
        for (size_t i = 0; c && i < c->n_binds; i++)
                if (strcmp(c->binds[i].key, key) == 0)
                        return &c->binds[i];
        return NULL;
}

static bool add_bind(struct supconf *c, const struct channel_msg *m)
{
        struct sup_bind b = { .n_fds = 0 };

        if (c->n_binds == SUPCONF_BINDS_MAX || m->arg[0].s.n == 0 || !spec_decode(m->arg[3].s, &c->mem, &b.spec))
                return false;
        b.key = arena_strdup(&c->mem, m->arg[0].s);
        b.what = arena_strdup(&c->mem, m->arg[1].s);
        b.place = arena_strdup(&c->mem, m->arg[2].s);
        b.spec_bytes = (struct str){ arena_memdup(&c->mem, m->arg[3].s.p, m->arg[3].s.n), m->arg[3].s.n };
        if (c->n_binds == c->cap_binds) {
                c->cap_binds = c->cap_binds ? c->cap_binds * 2 : 16;
                c->binds = realloc(c->binds, c->cap_binds * sizeof(*c->binds));
                ASSERT(c->binds != NULL);
        }
        c->binds[c->n_binds++] = b;
        return true;
}

static bool add_log(struct supconf *c, const struct channel_msg *m)
{
        if (c->n_logs == SUPCONF_LOGS_MAX || m->arg[0].s.n == 0 || m->arg[0].s.p[0] != '/')
                return false;
        if (!c->logs)
                c->logs = calloc(SUPCONF_LOGS_MAX, sizeof(*c->logs));
        ASSERT(c->logs != NULL);
        c->logs[c->n_logs++] = arena_strdup(&c->mem, m->arg[0].s);
        return true;
}

static bool set_loaded(struct supconf *c, struct channel_msg *m)
{
        const struct channel_arg *a = m->arg;

        if (a[0].u > 255 || a[1].u > UINT32_MAX / 2 || a[2].u > UINT32_MAX / 2 || (a[0].u == 0) != (m->n_fds == 1))
                return false;
        c->code = (int)a[0].u;
        c->uid = (int)a[1].u - 1;
        c->gid = (int)a[2].u - 1;
        c->files = a[3].u;
        c->flags = (unsigned)a[5].u;
        c->chroot = a[6].s.n ? arena_strdup(&c->mem, a[6].s) : NULL;
        c->pidfile = a[7].s.n ? arena_strdup(&c->mem, a[7].s) : NULL;
        c->bundle = m->n_fds ? m->fds[0] : -1;
        m->n_fds = 0;
        c->loaded = true;
        return true;
}

bool supconf_take(struct supconf *c, struct channel_msg *m)
{
        if (c->loaded)
                return false;
        switch (m->type) {
        case CH_TEXT: buf_str(&c->text, m->arg[0].s); return true;
        case CH_SOCKET: return add_bind(c, m);
        case CH_LOG_PATH: return add_log(c, m);
        case CH_LOADED: return set_loaded(c, m);
        default: return false;
        }
}

/* The length of the kernel's queue follows maxconn and backlog: it is changed on the sockets there are. New ones beside those of a
 * running listener would take connections that nobody accepts; so more threads get more sockets only with a new worker. */
static bool same_socket(const struct sup_bind *a, const struct sup_bind *b)
{
        struct listen_spec s = a->spec;
        AUTO_BUF(bytes);

        s.backlog = b->spec.backlog;
        s.shards = b->spec.shards;
        spec_encode(&s, &bytes);
        return str_eq(buf_view(&bytes), b->spec_bytes);
}

static bool open_one(struct sup_bind *b, const struct sup_bind *had, const struct args *a)
{
        const char *step = "";
        int e;

        if (had && had->n_fds && same_socket(had, b)) {
                memcpy(b->fds, had->fds, had->n_fds * sizeof(*b->fds));
                b->n_fds = had->n_fds;
                b->n_polled = had->n_polled;
                for (unsigned i = 0; i < b->n_fds && had->spec.backlog != b->spec.backlog; i++)
                        (void)listen(b->fds[i], b->spec.backlog > 0 ? b->spec.backlog : SOMAXCONN);
                return true;
        }
        e = binds_open(&b->spec, a, b->fds, &step);
        if (e > 0)
                b->n_fds = (unsigned)e;
        else
                binds_explain(&b->spec, b->place, b->what, step, e);
        return e > 0;
}

static bool shared(const struct sup_bind *a, const struct sup_bind *b)
{
        return a && b && a->n_fds && b->n_fds && a->fds[0] == b->fds[0];
}

bool supconf_bind(struct supconf *c, struct supconf *old, const struct args *a)
{
        bool ok = true;

        for (size_t i = 0; i < c->n_binds; i++)
                ok &= open_one(&c->binds[i], find(old, c->binds[i].key), a);
        if (!ok)
                supconf_give_back(c, old);
        return ok;
}

void supconf_settle(struct supconf *c, struct supconf *old)
{
        for (size_t i = 0; old && i < old->n_binds; i++)
                if (shared(&old->binds[i], find(c, old->binds[i].key)))
                        old->binds[i].n_fds = 0;
}

void supconf_give_back(struct supconf *c, struct supconf *old)
{
        for (size_t i = 0; old && i < c->n_binds; i++)
                if (shared(&c->binds[i], find(old, c->binds[i].key)))
                        c->binds[i].n_fds = 0;
}

void supconf_widen(struct supconf *c, const struct args *a)
{
        for (size_t i = 0; i < c->n_binds; i++) {
                struct sup_bind *b = &c->binds[i];
                struct listen_spec more = b->spec;
                const char *step = "";
                int e;

                if (b->n_fds >= b->spec.shards)
                        continue;
                more.shards -= b->n_fds;
                e = binds_open(&more, a, b->fds + b->n_fds, &step);
                if (e < 0)
                        binds_explain(&more, b->place, b->what, step, e);
                else
                        b->n_fds += (unsigned)e;
        }
}

void supconf_widened(struct supconf *c)
{
        for (size_t i = 0; i < c->n_binds; i++)
                c->binds[i].n_polled = c->binds[i].n_fds;
}

void supconf_narrow(struct supconf *c)
{
        for (size_t i = 0; i < c->n_binds; i++) {
                struct sup_bind *b = &c->binds[i];

                binds_close(b->fds + b->n_polled, b->n_fds - b->n_polled);
                b->n_fds = b->n_polled;
        }
}

bool supconf_has_log(const struct supconf *c, struct str path)
{
        for (size_t i = 0; i < c->n_logs; i++)
                if (str_is(path, c->logs[i]))
                        return true;
        return false;
}
