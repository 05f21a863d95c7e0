/* feat/convs/state.c - the state of what the sample names: backends, servers, frontends. They are looked up each time, as a reload may
 * bring and take them. */
#include "core/queue.h"
#include "feat/convs/conv.h"

CONV(nbsrv)
{
        const struct back *b = back_find(smp_text(smp));

        UNUSED;
        if (!b)
                return false;
        smp_int(smp, (int64_t)atomic_load_explicit(&b->act, memory_order_relaxed) +
                             atomic_load_explicit(&b->bck, memory_order_relaxed));
        return true;
}

CONV(fe_exists)
{
        UNUSED;
        smp_bool(smp, front_find(smp_text(smp)) != NULL);
        return true;
}

/* "backend/server", or a server of the stream's own backend. */
static struct server *find_server(const struct expr_ctx *x, struct str name)
{
        const char *slash = name.n ? memchr(name.p, '/', name.n) : NULL;
        struct back *b = slash ? back_find(str_sub(name, 0, (size_t)(slash - name.p))) : x->strm ? x->strm->back : NULL;

        if (slash)
                name = str_sub(name, (size_t)(slash - name.p) + 1, name.n - (size_t)(slash - name.p) - 1);
        return b ? server_find(b, name) : NULL;
}

CONV(srv_is_up)
{
        const struct server *s = find_server(x, smp_text(smp));

        UNUSED;
        if (!s)
                return false;
        smp_bool(smp, server_is_up(s));
        return true;
}

CONV(srv_queue)
{
        const struct server *s = find_server(x, smp_text(smp));
        const struct queue *q =
                s ? atomic_load_explicit(&s->queue, memory_order_acquire) : NULL; /* made by who limits it */

        UNUSED;
        if (!s)
                return false;
        smp_int(smp, q ? queue_length(q) : 0);
        return true;
}

static const struct conv rows[] = {
        { .name = "fe_exists", ROW(STR, BOOL), .fn = fe_exists, .help = "is there a frontend of this name" },
        { .name = "nbsrv",
          ROW(STR, SINT),
          .fn = nbsrv,
          .help = "how many servers of the backend of this name are usable" },
        { .name = "srv_is_up",
          ROW(STR, BOOL),
          .fn = srv_is_up,
          .help = "is the server of this name, or backend/server, up" },
        { .name = "srv_queue",
          ROW(STR, SINT),
          .fn = srv_queue,
          .help = "how many wait for the server of this name, or backend/server" },
};
CONV_TABLE(state, rows);
