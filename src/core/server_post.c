/* core/server_post.c - see the header. */
#include "core/server_post.h"

#include "core/threads.h"

#include <stdlib.h>

struct job {
        struct server *srv;
        void (*fn)(struct server *s, int arg);
        int arg;
        bool owner;
};

static void run_here(void *arg)
{
        struct job *j = arg;

        if (!j->owner || thr_self->id == server_owner(j->srv))
                j->fn(j->srv, j->arg);
}

/* On the thread that pinned it. */
static void done(void *arg)
{
        struct job *j = arg;

        unpin(&j->srv->pins);
        free(j);
}

static void post(const struct job *what)
{
        struct job *j = malloc(sizeof(*j));

        ASSERT(j != NULL); /* as threads_run(): ADR 0002 */
        *j = *what;
        pin(&j->srv->pins);
        threads_run(run_here, j, done);
}

unsigned server_owner(const struct server *s)
{
        return s->cell.slot % thr_count();
}

void server_post_all(struct server *s, void (*fn)(struct server *s, int arg), int arg)
{
        post(&(struct job){ s, fn, arg, false });
}

void server_post_owner(struct server *s, void (*fn)(struct server *s, int arg), int arg)
{
        post(&(struct job){ s, fn, arg, true });
}
