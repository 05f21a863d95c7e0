/* feat/checks/probe.c - one check on the wire: connect, judge, close with a reset (nothing was said, so nothing can be lost, and no
 * TIME_WAIT stays behind on either side). */
#include "core/srv_source.h"
#include "feat/checks/checks.h"

#include "base/epoch.h"
#include "core/global.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct check_proxy_cfg *proxy_cfg_of(const struct server *s)
{
        const struct back_cfg *b = epoch_load(&s->back->cfg);

        return conf_slot(b->obj, check_proxy_slot);
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

static void finish(struct probe *p, enum check_status st, int err)
{
        bool tcp_check = proxy_cfg_of(p->check->srv)->tcp_check;
        struct check_result r = { .status = st, .duration_ms = (int)mono_ms_between(p->started, thr_self->now) };
        const char *step = tcp_check && st != CHECK_L4OK ? " at initial connection step of tcp-check" : "";

        (void)snprintf(r.info, sizeof(r.info), "%s%s", err ? strerror(-err) : "", step);
        timer_stop(thr_self->loop, &p->timer);
        conn_close(&p->conn, true);
        p->check->running = false;
        next_check(p);
        check_apply(p->check, &r);
}

static void judge_connect(struct probe *p)
{
        int r = conn_connected(&p->conn);

        if (r > 0)
                finish(p, CHECK_L4OK, 0);
        else if (r < 0)
                finish(p, r == -ETIMEDOUT ? CHECK_L4TOUT : CHECK_L4CON, r == -ETIMEDOUT ? 0 : r);
        else
                p->conn.ep.ops->want(&p->conn.ep);
}

static void woken(struct ep *e)
{
        struct probe *p = container_of(e, struct probe, conn.ep);

        if (p->state == PROBE_CONNECTING)
                judge_connect(p);
}

/* ---- start ---- */

static socklen_t target(const struct check *c, struct sockaddr_storage *ret_sa)
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

/* manual, timeout check: unset, inter bounds the whole check; set, connecting has min(timeout connect, inter). */
static int connect_ms(const struct check *c)
{
        const struct proxy_cfg *px = epoch_load(&c->srv->back->cfg)->px;

        if (px->timeout.check && px->timeout.connect && px->timeout.connect < c->cfg->inter_ms)
                return px->timeout.connect;
        return c->cfg->inter_ms;
}

static void begin(struct probe *p)
{
        struct sockaddr_storage sa;
        socklen_t len = target(p->check, &sa);
        struct srv_how from;
        int r;

        p->started = thr_self->now;
        if (len == 0 || (atomic_load_explicit(&p->check->srv->admin, memory_order_relaxed) & SRV_ADM_MAINT)) {
                next_check(p); /* maintenance: nobody asks how it is */
                return;
        }
        p->check->running = true;
        p->state = PROBE_CONNECTING;
        conn_init(&p->conn, woken);
        timer_start(thr_self->loop, &p->timer, mono_add_ms(p->started, connect_ms(p->check)));
        r = conn_connect(&p->conn, (struct sockaddr *)&sa, len, srv_source_how(p->check->srv, NULL, &from));
        if (r < 0)
                finish(p,
                       r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -EADDRNOTAVAIL ? CHECK_SOCKERR
                                                                                           : CHECK_L4CON,
                       r);
        else
                judge_connect(p);
}

static void on_timer(struct timer *t)
{
        struct probe *p = container_of(t, struct probe, timer);

        if (p->state == PROBE_CONNECTING)
                finish(p, CHECK_L4TOUT, 0);
        else
                begin(p);
}

void probe_start(struct probe *p)
{
        mono_t first;

        timer_init(&p->timer, on_timer);
        p->conn.ev.fd = -1;
        p->started = thr_self->now;
        first = thr_self->now + (uint64_t)p->check->cfg->inter_ms * NS_PER_MS / (p->of ? p->of : 1) * p->position;
        timer_start(thr_self->loop, &p->timer, first);
}

void probe_stop(struct probe *p)
{
        timer_stop(thr_self->loop, &p->timer);
        if (p->state == PROBE_CONNECTING)
                conn_close(&p->conn, true);
        p->state = PROBE_WAITING;
}
