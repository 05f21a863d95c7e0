/* core/server_slow.c - one timer a ramp, on the server's thread, for as long as the ramp takes. */
#include "core/server_slow.h"

#include "core/server_post.h"
#include "ev/loop.h"

#include <stdlib.h>

struct ramp {
        struct timer timer;
        struct server *srv; /* pinned on this thread */
        mono_t since;       /* which ramp of the server: a new one has a timer of its own */
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

static bool is_over(const struct ramp *r)
{
        return atomic_load_explicit(&r->srv->oper, memory_order_relaxed) != SRV_STARTING ||
               atomic_load_explicit(&r->srv->slow_since, memory_order_relaxed) != r->since;
}

static void bury(struct grave *g)
{
        struct ramp *r = container_of(g, struct ramp, grave);

        unpin(&r->srv->pins);
        free(r);
}

static void step(struct timer *t)
{
        struct ramp *r = container_of(t, struct ramp, timer);
        int ms = server_cfg_now(r->srv)->slowstart_ms;
        unsigned missing = slow_missing(r->since, thr_self->now, ms);

        if (is_over(r)) {
                loop_bury(thr_self->loop, &r->grave, bury);
                return;
        }
        if (missing == 0) {
                server_set_oper(r->srv, SRV_RUNNING, NULL);
                loop_bury(thr_self->loop, &r->grave, bury);
                return;
        }
        server_set_slow(r->srv, missing);
        timer_start(thr_self->loop, t, mono_add_ms(thr_self->now, ms / (int)SRV_WEIGHT_SCALE + 1));
}

static void begin_here(struct server *s, int arg)
{
        struct ramp *r = calloc(1, sizeof(*r));

        (void)arg;
        ASSERT(r != NULL); /* ADR 0002 */
        r->srv = s;
        r->since = atomic_load_explicit(&s->slow_since, memory_order_relaxed);
        pin(&s->pins);
        timer_init(&r->timer, step);
        step(&r->timer);
}

void slow_begin(struct server *s)
{
        atomic_store_explicit(&s->slow_since, thr_self->now, memory_order_relaxed);
        atomic_store_explicit(&s->slow, (uint8_t)(SRV_WEIGHT_SCALE - 1), memory_order_relaxed);
        server_post_owner(s, begin_here, 0);
}
