/* core/server_slow.c - one timer a server, on its thread, for as long as a ramp takes. */
#include "core/server_slow.h"

#include "core/server_post.h"
#include "ev/loop.h"

#include <stdlib.h>

struct ramp { /* server->ramp */
        struct timer timer;
        struct server *srv; /* pinned on this thread */
        struct grave grave;
};

unsigned slow_missing(mono_t since, mono_t now, int slowstart_ms)
{
        uint64_t ms = now > since ? (now - since) / NS_PER_MS : 0, have;

        if (slowstart_ms <= 0)
                return 0;
        have = (SRV_WEIGHT_SCALE * ms + (uint64_t)slowstart_ms) / (uint64_t)slowstart_ms;
        return have >= SRV_WEIGHT_SCALE ? 0 : (unsigned)(SRV_WEIGHT_SCALE - have);
}

static void bury(struct grave *g)
{
        struct ramp *r = container_of(g, struct ramp, grave);

        unpin(&r->srv->pins);
        free(r);
}

static void end(struct ramp *r)
{
        timer_stop(thr_self->loop, &r->timer);
        r->srv->ramp = NULL;
        loop_bury(thr_self->loop, &r->grave, bury);
}

static void step(struct timer *t)
{
        struct ramp *r = container_of(t, struct ramp, timer);
        struct server *s = r->srv;
        int ms = server_cfg_now(s)->slowstart_ms;
        mono_t since = atomic_load_explicit(&s->slow_since, memory_order_relaxed);
        unsigned missing = slow_missing(since, thr_self->now, ms);

        if (atomic_load_explicit(&s->oper, memory_order_relaxed) != SRV_STARTING) {
                end(r);
        } else if (missing == 0) {
                end(r);
                server_set_oper(s, SRV_RUNNING, NULL);
        } else {
                server_set_slow(s, missing);
                timer_start(thr_self->loop, t, mono_add_ms(thr_self->now, ms / (int)SRV_WEIGHT_SCALE + 1));
        }
}

/* One more ramp of a server that has one goes on with its timer: it reads when the last one began. */
static void begin_here(struct server *s, int arg)
{
        struct ramp *r = s->ramp;

        (void)arg;
        if (!r) {
                r = calloc(1, sizeof(*r));
                ASSERT(r != NULL); /* ADR 0002 */
                r->srv = s;
                timer_init(&r->timer, step);
                pin(&s->pins);
                s->ramp = r;
        }
        step(&r->timer);
}

void slow_drop(struct server *s)
{
        if (thr_self->id == server_owner(s) && s->ramp)
                end(s->ramp);
}

void slow_begin(struct server *s)
{
        atomic_store_explicit(&s->slow_since, thr_self->now, memory_order_relaxed);
        atomic_store_explicit(&s->slow, (uint8_t)(SRV_WEIGHT_SCALE - 1), memory_order_relaxed);
        server_post_owner(s, begin_here, 0);
}
