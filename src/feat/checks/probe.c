/* feat/checks/probe.c - when a check runs, and what follows from its result. Connections close with a reset unless a step says
 * `linger`: nothing is lost, and no TIME_WAIT stays behind on either side. */
#include "base/epoch.h"
#include "core/global.h"
#include "feat/checks/checks.h"

#include <stdlib.h>

const struct check_proxy_cfg *check_proxy_of(const struct back_cfg *b)
{
        return conf_slot(b->obj, check_proxy_slot);
}

const struct script *script_of(const struct check_proxy_cfg *cfg)
{
        static const struct {
                struct script s;
                struct step connect;
        } plain = { { .kind = SCRIPT_PLAIN, .n = 1 }, { .kind = STEP_CONNECT } };

        return cfg->script ? cfg->script : &plain.s;
}

/* ---- when ---- */

/* manual, inter: fastinter while the state is on its way, downinter while it is down. */
static int interval_ms(const struct check *c)
{
        const struct check_cfg *cfg = c->cfg;
        int full = cfg->rise + cfg->fall - 1;

        if (c->health > 0 && c->health < full && c->first_done && cfg->fastinter_ms)
                return cfg->fastinter_ms;
        if (c->health == 0 && cfg->downinter_ms)
                return cfg->downinter_ms;
        return cfg->inter_ms;
}

/* global spread-checks: up to so many percent sooner or later, so that checks do not beat in step. */
static int64_t spread(const struct check *c, int64_t ms)
{
        int pct = global_of(epoch_load(&c->srv->back->cfg)->conf)->spread_checks;
        uint32_t r;

        if (pct == 0)
                return ms;
        thr_self->sys->random(&r, sizeof(r));
        return ms + ms * pct * ((int64_t)(r % 2001) - 1000) / 100000;
}

static void next_check(struct probe *p)
{
        p->state = PROBE_WAITING;
        timer_start(thr_self->loop, &p->timer, mono_add_ms(p->started, spread(p->check, interval_ms(p->check))));
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
        next_check(p);
        check_apply(p->check, &res);
}

/* ---- start ---- */

socklen_t probe_target(const struct check *c, struct sockaddr_storage *ret_sa)
{
        struct addr a;
        socklen_t len;

        if (c->cfg->addr) {
                a = *c->cfg->addr;
                if (addr_port(&a) == 0) {
                        struct sockaddr_storage own;
                        struct addr o = { 0 };
                        len = server_addr_get(c->srv, &own, NULL);
                        addr_from_sockaddr(&o, (struct sockaddr *)&own, len);
                        addr_set_port(&a, addr_port(&o));
                }
        } else {
                len = server_addr_get(c->srv, ret_sa, NULL);
                if (len == 0 || ret_sa->ss_family == AF_UNIX)
                        return len;
                addr_from_sockaddr(&a, (struct sockaddr *)ret_sa, len);
        }
        if (c->cfg->port)
                addr_set_port(&a, c->cfg->port);
        memcpy(ret_sa, &a, addr_len(&a));
        return addr_len(&a);
}

static void begin(struct probe *p)
{
        struct sockaddr_storage sa;

        p->started = thr_self->now;
        if (probe_target(p->check, &sa) == 0 ||
            (atomic_load_explicit(&p->check->srv->admin, memory_order_relaxed) & SRV_ADM_MAINT)) {
                next_check(p); /* maintenance: nobody asks how it is */
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
        mono_t first;

        timer_init(&p->timer, on_timer);
        p->conn.ev.fd = -1;
        p->started = thr_self->now;
        p->run.hash = script_of(check_proxy_of(epoch_load(&p->check->srv->back->cfg)))->hash;
        first = thr_self->now + (uint64_t)p->check->cfg->inter_ms * NS_PER_MS / (p->of ? p->of : 1) * p->position;
        timer_start(thr_self->loop, &p->timer, first);
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
