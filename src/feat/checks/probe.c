/* feat/checks/probe.c - when a check runs, and what follows from its result. Connections close with a reset unless a step says
 * `linger`: nothing is lost, and no TIME_WAIT stays behind on either side. */
#include "base/epoch.h"
#include "feat/checks/checks.h"

#include <stdlib.h>

const struct check_proxy_cfg *check_proxy_of(const struct back_cfg *b)
{
        return conf_slot(b->obj, check_proxy_slot);
}

const struct script *script_of(const struct check_proxy_cfg *cfg)
{
        static const struct step connect = { .kind = STEP_CONNECT };
        static const struct script plain = { .kind = SCRIPT_PLAIN, .n = 1, .step = &connect };

        return cfg->script ? cfg->script : &plain;
}

/* ---- when ---- */

static void next_check(struct probe *p)
{
        p->state = PROBE_WAITING;
        timer_start(thr_self->loop, &p->timer, mono_add_ms(p->started, check_interval_ms(p->check)));
}

/* ---- result ---- */

static void close_conn(struct probe *p)
{
        timer_stop(thr_self->loop, &p->timer);
        if (p->state != PROBE_WAITING)
                conn_close(&p->conn, p->state == PROBE_CONNECTING || !p->run.linger);
        run_end(p);
        p->check->running = false;
}

void probe_finish(struct probe *p, const struct check_result *r)
{
        struct check_result res = *r;

        res.duration_ms = (int)mono_ms_between(p->started, thr_self->now);
        close_conn(p);
        p->state = PROBE_WAITING;
        check_apply(p->check, &res); /* first: the interval follows from the state */
        next_check(p);
}

/* ---- start ---- */

static void begin(struct probe *p)
{
        struct sockaddr_storage sa;

        p->started = thr_self->now;
        if (check_target(p->check, &sa) == 0 || !check_may_run(p->check)) {
                next_check(p);
                return;
        }
        p->check->running = true;
        run_begin(p);
}

static void on_timer(struct timer *t)
{
        struct probe *p = container_of(t, struct probe, timer);

        if (p->state == PROBE_WAITING)
                begin(p);
        else
                run_deadline(p);
}

void probe_start(struct probe *p)
{
        timer_init(&p->timer, on_timer);
        p->conn.ev.fd = -1;
        p->started = thr_self->now;
        p->run.hash = script_of(check_proxy_of(epoch_load(&p->check->srv->back->cfg)))->hash;
        timer_start(thr_self->loop, &p->timer, check_first_at(p->check, p->position, p->of));
}

void probe_hurry(struct probe *p, int ms)
{
        mono_t when = mono_add_ms(thr_self->now, ms);

        if (p->state == PROBE_WAITING && when < p->timer.when)
                timer_start(thr_self->loop, &p->timer, when);
}

void probe_stop(struct probe *p)
{
        close_conn(p);
        p->state = PROBE_WAITING;
}

void probe_renew(struct probe *p)
{
        uint64_t hash = script_of(check_proxy_of(epoch_load(&p->check->srv->back->cfg)))->hash;

        if (p->run.hash == hash)
                return;
        probe_stop(p);
        p->run.hash = hash;
        timer_start(thr_self->loop, &p->timer, thr_self->now);
}
