/* core/server_track.c - who follows whom, and how a state travels along. */
#include "core/server_track.h"

#include "core/inner.h"
#include "core/kinds.h"

#define GET(f) atomic_load_explicit(&(f), memory_order_relaxed)

/* Held while a state is read and handed on: of two changes of one server the last one to get it reads the newer state. Taken before any
 * back->lock. */
static pthread_mutex_t chain = PTHREAD_MUTEX_INITIALIZER;

const struct server *server_track_end(const struct server *s)
{
        const struct server *t;

        while ((t = atomic_load_explicit(&s->track, memory_order_acquire)) != NULL)
                s = t;
        return s;
}

static void follow(struct server *s, const struct server *t, bool silent)
{
        struct state_cause why = { .duration_ms = -1, .via = t };
        uint8_t admin = GET(t->admin);
        unsigned want = (admin & SRV_ADM_MAINT ? SRV_ADM_IMAINT : 0) | (admin & SRV_ADM_DRAIN ? SRV_ADM_IDRAIN : 0);
        enum server_oper o = (enum server_oper)GET(t->oper);

        if (o == SRV_STARTING) /* its own slowstart decides how it starts */
                o = SRV_RUNNING;
        if (o == SRV_RUNNING && GET(s->oper) == SRV_STARTING &&
            !((GET(s->admin) ^ want) & (SRV_ADM_IMAINT | SRV_ADM_IDRAIN)))
                return;
        server_set_chained(s, o, want, (SRV_ADM_IMAINT | SRV_ADM_IDRAIN) & ~want, silent ? NULL : &why);
}

static void follow_all(struct server *s)
{
        for (struct server *t = s->trackers; t; t = t->track_next) {
                follow(t, s, false);
                follow_all(t); /* as deep as the chain in the file */
        }
}

void server_tell_trackers(struct server *s)
{
        if (likely(!__atomic_load_n(&s->trackers, __ATOMIC_ACQUIRE)))
                return;
        pthread_mutex_lock(&chain);
        follow_all(s);
        pthread_mutex_unlock(&chain);
}

/* ---- links ---- */

static void unlink_tracker(struct server *s)
{
        struct server *t = GET(s->track);
        struct server **at;

        if (!t)
                return;
        for (at = &t->trackers; *at != s; at = &(*at)->track_next)
                ASSERT(*at != NULL);
        __atomic_store_n(at, s->track_next, __ATOMIC_RELEASE);
        s->track_next = NULL;
        atomic_store_explicit(&s->track, NULL, memory_order_release);
}

static void link_tracker(struct server *s, struct server *t)
{
        if (GET(s->track) == t)
                return;
        unlink_tracker(s);
        s->track_next = t->trackers;
        atomic_store_explicit(&s->track, t, memory_order_release);
        __atomic_store_n(&t->trackers, s, __ATOMIC_RELEASE);
}

/* The configuration was checked: it is there. */
static struct server *tracked_by(const struct server *s, const char *name)
{
        const char *slash = strchr(name, '/');
        struct back *b = slash ? back_find((struct str){ name, (size_t)(slash - name) }) : s->back;

        return b ? server_find(b, str_of(slash ? slash + 1 : name)) : NULL;
}

static void relink(struct server *s)
{
        const char *name = s->cfg->track;
        struct server *t = name ? tracked_by(s, name) : NULL;
        bool had = s->follows; /* also one that left meanwhile */

        s->follows = t != NULL;
        if (t)
                link_tracker(s, t);
        else
                unlink_tracker(s);
        if (!t && had) /* by itself again */
                server_set_chained(s, SRV_RUNNING, 0, SRV_ADM_IMAINT | SRV_ADM_IDRAIN, NULL);
}

void server_track_all(void)
{
        pthread_mutex_lock(&chain);
        list_for_each (i, &world.backs) {
                struct back *b = list_item(i, struct back, link);

                for (uint32_t k = 0; k < b->n_srv; k++)
                        if (b->srv[k]->cell.origin == ORIGIN_FILE)
                                relink(b->srv[k]);
        }
        list_for_each (i, &world.backs) {
                struct back *b = list_item(i, struct back, link);

                for (uint32_t k = 0; k < b->n_srv; k++)
                        if (!GET(b->srv[k]->track) && b->srv[k]->trackers)
                                follow_all(b->srv[k]);
        }
        pthread_mutex_unlock(&chain);
}

void server_untrack(struct server *s)
{
        pthread_mutex_lock(&chain);
        unlink_tracker(s);
        while (s->trackers)
                unlink_tracker(s->trackers);
        pthread_mutex_unlock(&chain);
}
