/* feat/agent/probe.c - one agent check on the wire: connect, say `agent-send`, read a line; and which thread does it when. */
#include "core/srv_source.h"
#include "feat/agent/agent.h"

#include "base/epoch.h"
#include "core/threads.h"
#include "net/conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum state { WAITING, CONNECTING, TALKING };

struct probe { /* check->run */
        struct check *check;
        enum state state;
        struct conn conn;
        struct timer timer; /* waiting: the next check; else: its deadline */
        mono_t started;
        uint32_t position, of; /* among those that start together */
        char *say;             /* malloc; what is left of it: from `said` on */
        size_t said, heard;
        char line[AGENT_LINE_MAX];
        struct grave grave;
};

/* ---- result ---- */

static void hang_up(struct probe *p)
{
        timer_stop(thr_self->loop, &p->timer);
        if (p->state != WAITING)
                conn_close(&p->conn, true);
        free(p->say);
        p->say = NULL;
        p->state = WAITING;
        p->check->running = false;
}

static void finish(struct probe *p, enum check_status st, const char *info)
{
        struct check_result r = { .status = st, .duration_ms = (int)mono_ms_between(p->started, thr_self->now) };

        (void)snprintf(r.info, sizeof(r.info), "%s", info);
        hang_up(p);
        check_apply(p->check, &r);
        timer_start(thr_self->loop, &p->timer, mono_add_ms(p->started, check_interval_ms(p->check)));
}

static void fail(struct probe *p, int err)
{
        if (err == -ETIMEDOUT)
                finish(p, p->state == CONNECTING ? CHECK_L4TOUT : CHECK_L7TOUT, "");
        else
                finish(p, p->state == CONNECTING ? CHECK_L4CON : CHECK_L7RSP, strerror(-err));
}

static void judge(struct probe *p, struct str line)
{
        struct agent_answer a;

        agent_parse(line, &a);
        /* What it says about the server's state follows from the result; the rest is done before, as HAProxy's log shows. */
        agent_obey(p->check, &a);
        finish(p, a.status, a.info);
}

/* ---- talk ---- */

static void hear(struct probe *p)
{
        ssize_t n, end;

        for (;;) {
                if (p->heard == sizeof(p->line)) {
                        finish(p, CHECK_NEUTRAL, "Ignoring a line from agent that is too long");
                        return;
                }
                n = ep_rx(&p->conn.ep, p->line + p->heard, sizeof(p->line) - p->heard);
                if (n <= 0)
                        break;
                p->heard += (size_t)n;
                end = agent_line_end((struct str){ p->line, p->heard });
                if (end >= 0) {
                        judge(p, (struct str){ p->line, (size_t)end });
                        return;
                }
        }
        if (n == -EAGAIN)
                p->conn.ep.ops->want(&p->conn.ep);
        else if (n == 0)
                finish(p, CHECK_NEUTRAL, "Ignoring incomplete line from agent");
        else
                fail(p, (int)n);
}

static void talk(struct probe *p)
{
        while (p->say && p->say[p->said]) {
                struct iovec v = { p->say + p->said, strlen(p->say + p->said) };
                ssize_t n = ep_tx(&p->conn.ep, &v, 1, false);

                if (n == -EAGAIN) {
                        p->conn.ep.ops->want(&p->conn.ep);
                        return;
                }
                if (n < 0) {
                        fail(p, (int)n);
                        return;
                }
                p->said += (size_t)n;
        }
        hear(p);
}

static void judge_connect(struct probe *p)
{
        int r = conn_connected(&p->conn);

        if (r < 0) {
                fail(p, r);
        } else if (r == 0) {
                p->conn.ep.ops->want(&p->conn.ep);
        } else {
                p->state = TALKING;
                talk(p);
        }
}

static void woken(struct ep *e)
{
        struct probe *p = container_of(e, struct probe, conn.ep);

        if (p->state == CONNECTING)
                judge_connect(p);
        else if (p->state == TALKING)
                talk(p);
}

/* ---- start ---- */

/* Manual 5.2, agent-inter: it bounds the check when `timeout check` does not. */
static int limit_ms(const struct check *c)
{
        int ms = epoch_load(&c->srv->back->cfg)->px->timeout.check;

        return ms ? ms : c->cfg->inter_ms;
}

static char *copy_of_say(struct check *c)
{
        char *s;

        pthread_mutex_lock(&c->last_lock);
        s = c->target.send ? strdup(c->target.send) : NULL;
        pthread_mutex_unlock(&c->last_lock);
        return s;
}

static void begin(struct probe *p)
{
        struct srv_how from;
        struct sockaddr_storage sa;
        socklen_t len = check_target(p->check, &sa);
        int r;

        p->started = thr_self->now;
        if (len == 0 || !check_may_run(p->check)) {
                timer_start(thr_self->loop, &p->timer, mono_add_ms(p->started, check_interval_ms(p->check)));
                return;
        }
        p->check->running = true;
        p->state = CONNECTING;
        p->said = p->heard = 0;
        p->say = copy_of_say(p->check);
        conn_init(&p->conn, woken);
        timer_start(thr_self->loop, &p->timer, mono_add_ms(p->started, limit_ms(p->check)));
        r = conn_connect(&p->conn, (struct sockaddr *)&sa, len, srv_source_how(p->check->srv, NULL, &from));
        if (r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -EADDRNOTAVAIL)
                finish(p, CHECK_SOCKERR, strerror(-r));
        else if (r < 0)
                fail(p, r);
        else
                judge_connect(p);
}

static void on_timer(struct timer *t)
{
        struct probe *p = container_of(t, struct probe, timer);

        if (p->state == WAITING)
                begin(p);
        else
                fail(p, -ETIMEDOUT);
}

/* ---- life; the control thread says what, the server's thread does it ---- */

static struct {
        struct probe **v;
        uint32_t n, cap;
} starting;

static void start_here(void *arg)
{
        struct probe *p = arg;

        pin(&p->check->srv->pins);
        timer_init(&p->timer, on_timer);
        p->conn.ev.fd = -1;
        timer_start(thr_self->loop, &p->timer, check_first_at(p->check, p->position, p->of));
}

static void bury(struct grave *g)
{
        struct probe *p = container_of(g, struct probe, grave);

        unpin(&p->check->srv->pins);
        check_retire(p->check);
        free(p);
}

static void stop_here(void *arg)
{
        struct probe *p = arg;

        hang_up(p);
        loop_bury(thr_self->loop, &p->grave, bury);
}

static struct check *agent_start(struct server *s)
{
        struct check *c = calloc(1, sizeof(*c));
        struct probe *p = calloc(1, sizeof(*p));

        ASSERT(c != NULL && p != NULL); /* configuration-sized: ADR 0002 */
        check_init(c, s, true);
        c->run = p;
        p->check = c;
        if (starting.n == starting.cap) {
                starting.cap = starting.cap ? starting.cap * 2 : 64;
                starting.v = realloc(starting.v, starting.cap * sizeof(struct probe *));
                ASSERT(starting.v != NULL);
        }
        starting.v[starting.n++] = p;
        return c;
}

static void agent_launch(void)
{
        for (uint32_t i = 0; i < starting.n; i++) {
                struct probe *p = starting.v[i];

                p->position = i;
                p->of = starting.n;
                threads_run_on(p->check->owner, start_here, p);
        }
        free(starting.v);
        starting.v = NULL;
        starting.n = starting.cap = 0;
}

static void agent_stop(struct check *c)
{
        threads_run_on(c->owner, stop_here, c->run);
}

static void changed_here(void *arg)
{
        check_refit(arg);
}

static void agent_changed(struct check *c)
{
        threads_run_on(c->owner, changed_here, c);
}

static const struct check_driver driver = {
        .start = agent_start, .stop = agent_stop, .changed = agent_changed, .launch = agent_launch
};

__attribute__((constructor)) static void agent_boot(void)
{
        agent_driver = &driver;
}
