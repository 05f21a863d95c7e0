/* feat/checks/probe.c - one check on the wire: connect, judge, close with a reset (nothing was said, so nothing can be lost, and no
 * TIME_WAIT stays behind on either side). */
#include "feat/checks/checks.h"

#include "base/epoch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct check_proxy_cfg *proxy_cfg_of(const struct server *s)
{
        const struct back_cfg *b = epoch_load(&s->back->cfg);

        return conf_slot(b->obj, check_proxy_slot);
}

/* ---- when ---- */

static void next_check(struct probe *p)
{
        p->state = PROBE_WAITING;
        timer_start(thr_self->loop, &p->timer, mono_add_ms(p->started, check_interval_ms(p->check)));
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
        check_apply(p->check, &r); /* first: the interval follows from the state */
        next_check(p);
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
        socklen_t len = check_target(p->check, &sa);
        int r;

        p->started = thr_self->now;
        if (len == 0 || !check_may_run(p->check)) {
                next_check(p);
                return;
        }
        p->check->running = true;
        p->state = PROBE_CONNECTING;
        conn_init(&p->conn, woken);
        timer_start(thr_self->loop, &p->timer, mono_add_ms(p->started, connect_ms(p->check)));
        r = conn_connect(&p->conn, (struct sockaddr *)&sa, len, NULL);
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
        timer_init(&p->timer, on_timer);
        p->conn.ev.fd = -1;
        p->started = thr_self->now;
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
        timer_stop(thr_self->loop, &p->timer);
        if (p->state == PROBE_CONNECTING)
                conn_close(&p->conn, true);
        p->state = PROBE_WAITING;
}
