/* feat/logs/state.c - lines about servers, backends and frontends that change, worded and levelled as HAProxy does (seed 004;
 * doc/adr and the tests name where each form was seen).
 *
 * Each goes to the proxy's own targets and, as [WARNING] or [ALERT], to the process's stderr. */
#include "core/check.h"
#include "core/event.h"
#include "core/kinds.h"
#include "core/queue.h"
#include "feat/logs/logs.h"

#include <stdarg.h>
#include <stdio.h>

#define GET(f) atomic_load_explicit(&(f), memory_order_relaxed)

struct text {
        char p[1024];
        size_t n;
};

static void add(struct text *t, const char *fmt, ...) fmt_like(2, 3);

static void add(struct text *t, const char *fmt, ...)
{
        size_t room = sizeof(t->p) - t->n;
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(t->p + t->n, room, fmt, ap);
        va_end(ap);
        if (n > 0)
                t->n += (size_t)n < room ? (size_t)n : room - 1;
}

static void say(const struct logger *l, enum log_level level, bool alert, const struct text *t)
{
        if (log_env.proc)
                log_env.proc(log_env.ctx, alert, t->p, t->n);
        if (l)
                logger_emit(l, level, t->p, t->n);
}

static const struct logger *back_logger(struct back *b)
{
        const struct back_cfg *cfg = epoch_load(&b->cfg);

        return cfg ? cfg->log : NULL;
}

/* ---- servers ---- */

static void add_name(struct text *t, const struct server *s)
{
        add(t, "%sServer %s/%s ", s->backup ? "Backup " : "", s->back->cell.name, s->cell.name);
}

/* Part of it came from a server: what could end the quotes, or the line, is written as <XX>. */
static void add_info(struct text *t, const char *info)
{
        add(t, ", info: \"");
        for (const unsigned char *p = (const unsigned char *)info; *p; p++)
                add(t, *p < 32 || *p >= 127 || *p == '"' ? "<%02X>" : "%c", *p);
        add(t, "\"");
}

static void add_why(struct text *t, const struct state_cause *why)
{
        if (!why)
                return;
        if (why->via)
                add(t, " via %s/%s", why->via->back->cell.name, why->via->cell.name);
        if (why->by)
                add(t, ", %s", why->by);
        if (!why->reason)
                return;
        add(t, ", reason: %s", why->reason);
        if (why->code >= 0)
                add(t, ", code: %d", why->code);
        if (why->info && *why->info)
                add_info(t, why->info);
        if (why->duration_ms >= 0)
                add(t, ", check duration: %dms", why->duration_ms);
}

/* "1 active and 0 backup servers left. ..." after a loss, "... online. ..." otherwise. */
static void add_counts(struct text *t, struct server *s, unsigned requeued, bool lost)
{
        struct back *b = s->back;
        bool on_backup = GET(b->bck) > 0 && GET(b->act) == 0;
        uint32_t waiting = b->queue ? queue_length(b->queue) : 0;

        add(t, ". %u active and %u backup servers %s.%s", GET(b->act), GET(b->bck), lost ? "left" : "online",
            on_backup ? " Running on backup." : "");
        if (lost)
                add(t, " %u sessions active, %u requeued, %u remaining in queue.", GET(s->cur), requeued, waiting);
        else
                add(t, " %u sessions requeued, %u total in queue.", requeued, waiting);
}

static const char *up_word(const struct event_server *e)
{
        return e->to_oper == SRV_STOPPED ? "DOWN" : "UP";
}

/* Why an administrative change came, when it was no command. */
static void add_admin_why(struct text *t, const struct state_cause *why)
{
        if (why && why->reason)
                add(t, " (%s)", why->reason);
        if (why && why->via)
                add(t, " via %s/%s", why->via->back->cell.name, why->via->cell.name);
}

static void say_remains(const struct event_server *e, const char *how)
{
        struct text t = { .n = 0 };

        add_name(&t, e->srv);
        add(&t, "remains in forced %s.", how);
        say(back_logger(e->srv->back), LOG_L_NOTICE, false, &t);
}

static void say_maint(const struct event_server *e)
{
        struct text t = { .n = 0 };
        bool was_up = e->from_oper != SRV_STOPPED;

        add_name(&t, e->srv);
        add(&t, was_up ? "is going DOWN for maintenance" : "was DOWN and now enters maintenance");
        add_admin_why(&t, e->why);
        if (was_up)
                add_counts(&t, e->srv, e->requeued, true);
        else
                add(&t, ".");
        say(back_logger(e->srv->back), was_up && e->was_usable ? LOG_L_ALERT : LOG_L_NOTICE, false, &t);
}

static void say_resolves(const struct event_server *e, struct text *t)
{
        const char *fqdn = atomic_load_explicit(&e->srv->fqdn, memory_order_acquire);

        add(t, "('%s') is %s/%s (resolves again).", fqdn ? fqdn : "", up_word(e),
            e->to_admin & SRV_ADM_FDRAIN ? "DRAIN" : "READY");
        say(back_logger(e->srv->back), LOG_L_NOTICE, false, t);
        if (!e->why || !e->why->by)
                return;
        t->n = 0;
        add_name(t, e->srv);
        add(t, "administratively READY %s.", e->why->by);
        say(back_logger(e->srv->back), LOG_L_NOTICE, false, t);
}

static void on_addr(const void *event)
{
        const struct event_addr *e = event;
        struct text t = { .n = 0 };
        AUTO_BUF(from);
        AUTO_BUF(to);

        if (e->to.sa.sa_family == AF_UNSPEC)
                return; /* the line about its maintenance says that */
        if (e->from.sa.sa_family == AF_UNSPEC)
                buf_puts(&from, "(none)");
        else
                addr_print_ip(&e->from, &from);
        addr_print_ip(&e->to, &to);
        add(&t, "%s/%s changed its IP from %.*s to %.*s by %s.", e->srv->back->cell.name, e->srv->cell.name,
            (int)from.n, from.p, (int)to.n, to.p, e->by);
        say(back_logger(e->srv->back), LOG_L_NOTICE, false, &t);
}

static const char *left_maint(uint8_t admin)
{
        return admin & (SRV_ADM_FMAINT | SRV_ADM_CMAINT) ? "forced maintenance" : "maintenance";
}

static void say_leaves_maint(const struct event_server *e)
{
        struct text t = { .n = 0 };

        add_name(&t, e->srv);
        if (e->from_admin & SRV_ADM_RMAINT && !(e->from_admin & (SRV_ADM_MAINT & ~SRV_ADM_RMAINT))) {
                say_resolves(e, &t);
                return;
        }
        add(&t, "is %s/%s (leaving %s).", up_word(e), e->to_admin & SRV_ADM_DRAIN ? "DRAIN" : "READY",
            left_maint(e->from_admin));
        say(back_logger(e->srv->back), LOG_L_NOTICE, false, &t);
        if (e->to_admin & SRV_ADM_FDRAIN)
                say_remains(e, "drain mode");
}

static void say_drain(const struct event_server *e, bool enters)
{
        struct text t = { .n = 0 };

        add_name(&t, e->srv);
        if (enters) {
                add(&t, "enters drain state");
                add_admin_why(&t, e->why);
                add_counts(&t, e->srv, e->requeued, e->to_oper == SRV_STOPPED);
        } else {
                add(&t, "is %s (leaving %sdrain)", up_word(e), e->from_admin & SRV_ADM_FDRAIN ? "forced " : "");
                add_admin_why(&t, e->why);
                add(&t, ".");
        }
        say(back_logger(e->srv->back), LOG_L_NOTICE, false, &t);
}

static void say_oper(const struct event_server *e)
{
        const struct back_cfg *cfg = epoch_load(&e->srv->back->cfg);
        struct text t = { .n = 0 };
        bool down = e->to_oper == SRV_STOPPED, by_check = e->why && e->why->checked;

        add_name(&t, e->srv);
        add(&t, "is %s", down ? "DOWN" : e->to_oper == SRV_STOPPING ? "stopping" : "UP");
        if (!by_check || !cfg || !(cfg->px->options & OPT_LOG_HEALTH)) /* that option told the reason a line before */
                add_why(&t, e->why);
        add_counts(&t, e->srv, e->requeued, down);
        say(back_logger(e->srv->back), down && e->was_usable ? LOG_L_ALERT : LOG_L_NOTICE, false, &t);
}

static void on_server(const void *event)
{
        const struct event_server *e = event;
        bool was_maint = e->from_admin & SRV_ADM_MAINT, is_maint = e->to_admin & SRV_ADM_MAINT;
        bool was_drain = e->from_admin & SRV_ADM_DRAIN, is_drain = e->to_admin & SRV_ADM_DRAIN;
        uint8_t other = e->from_admin ^ e->to_admin; /* by itself it would not be in this state any more, or yet */

        if (!was_maint && is_maint)
                say_maint(e);
        else if (was_maint && !is_maint)
                say_leaves_maint(e);
        else if (is_maint && (other & SRV_ADM_IMAINT) && !(e->to_admin & SRV_ADM_IMAINT))
                say_remains(e, "maintenance");
        else if (is_maint)
                return;
        else if (was_drain != is_drain)
                say_drain(e, is_drain);
        else if (is_drain && (other & SRV_ADM_IDRAIN))
                say_remains(e, "drain mode");
        else if (e->from_oper != e->to_oper)
                say_oper(e);
}

static void on_back(const void *event)
{
        const struct event_back *e = event;
        const struct conf_obj *o = e->back->obj; /* a frontend may have the name too: the section's kind decides */
        const char *name = e->back->cell.name, *kind = o && o->kind->bit == KIND_LISTEN ? "proxy" : "backend";
        const struct logger *l = back_logger(e->back);
        struct text t = { .n = 0 };

        if (e->available)
                return;
        add(&t, "%s '%s' has no server available!", kind, name); /* quotes on stderr, none in syslog */
        if (log_env.proc)
                log_env.proc(log_env.ctx, true, t.p, t.n);
        t.n = 0;
        add(&t, "%s %s has no server available!", kind, name);
        if (l)
                logger_emit(l, LOG_L_EMERG, t.p, t.n);
}

/* ---- proxies ---- */

static void say_stopped(const char *name, const struct logger *l, const struct cell *fe, const struct cell *be)
{
        struct text t = { .n = 0 };
        struct px_sum f = { 0 }, b = { 0 };

        if (fe)
                px_stat_sum(fe, &f);
        if (be)
                px_stat_sum(be, &b);
        add(&t, "Proxy %s stopped (cumulated conns: FE: %llu, BE: %llu).", name, (unsigned long long)f.conn_tot,
            (unsigned long long)b.sess_tot);
        say(l, LOG_L_WARNING, false, &t);
}

/* Backends have no listeners; they stop with the process. */
static void say_backs_stopped(void)
{
        list_for_each (i, &world.backs) {
                struct back *b = list_item(i, struct back, link);

                if (!front_find(str_of(b->cell.name)))
                        say_stopped(b->cell.name, back_logger(b), NULL, &b->cell);
        }
}

/* Is this the last of the frontends that people know of? (Command sockets say nothing.) Control thread only. */
static bool is_last_stop(void)
{
        static uint32_t stopped;
        uint32_t all = 0;

        list_for_each (i, &world.fronts) {
                const struct front_cfg *cfg = epoch_load(&list_item(i, struct front, link)->cfg);

                all += cfg && cfg->px->mode != PX_CLI;
        }
        return ++stopped >= all;
}

static void on_front(const void *event)
{
        const struct event_front *e = event;
        const struct front_cfg *cfg = epoch_load(&e->front->cfg);
        const struct logger *l = cfg ? cfg->log : NULL;
        const char *name = e->front->cell.name;
        struct back *b = back_find(str_of(name));
        struct text t = { .n = 0 };

        if (cfg && cfg->px->mode == PX_CLI)
                return;
        if (e->to == FRONT_STOPPED) {
                say_stopped(name, l, &e->front->cell, b ? &b->cell : NULL);
                if (atomic_load(&world.stopping) && is_last_stop())
                        say_backs_stopped();
                return;
        }
        if (e->from == FRONT_STOPPED)
                return; /* a start says nothing, as since HAProxy 2.4 */
        add(&t, "%s frontend %s.", e->to == FRONT_PAUSED ? "Paused" : "Resumed", name);
        say(l, LOG_L_WARNING, false, &t);
}

/* ---- option log-health-checks ---- */

static void on_check(const void *event)
{
        const struct event_check *e = event;
        const struct server *s = e->check->srv;
        const struct back_cfg *cfg = epoch_load(&s->back->cfg);
        const struct check_result *r = e->result;
        struct state_cause why = { .reason = check_status_text(r->status),
                                   .info = r->info,
                                   .code = check_status_has_code(r->status) ? r->code : -1,
                                   .duration_ms = r->duration_ms };
        bool ok = check_status_is_ok(r->status);
        struct text t = { .n = 0 };
        int rise = e->check->cfg->rise, fall = e->check->cfg->fall, health = e->check->health;

        if (!cfg || !(cfg->px->options & OPT_LOG_HEALTH) ||
            (health == e->was_health && e->was_status == (int)r->status && !e->first))
                return;
        add(&t, "%s check for %sserver %s/%s %s", e->check->agent ? "Agent" : "Health", s->backup ? "backup " : "",
            s->back->cell.name, s->cell.name,
            r->status == CHECK_L7OKC ? "conditionally succeeded"
            : ok                     ? "succeeded"
                                     : "failed");
        add_why(&t, &why);
        add(&t, ", status: %d/%d %s.", health >= rise ? health - rise + 1 : health, health >= rise ? fall : rise,
            health >= rise ? "UP" : "DOWN");
        say(cfg->log, LOG_L_NOTICE, false, &t);
}

static const struct event_sub server_sub = { .type = EVENT_SERVER_STATE, .rank = 50, .name = "logs", .fn = on_server };
EVENT_SUB(server_sub);
static const struct event_sub addr_sub = { .type = EVENT_SERVER_ADDR, .rank = 50, .name = "logs", .fn = on_addr };
EVENT_SUB(addr_sub);
static const struct event_sub back_sub = { .type = EVENT_BACK_STATE, .rank = 50, .name = "logs", .fn = on_back };
EVENT_SUB(back_sub);
static const struct event_sub front_sub = { .type = EVENT_FRONT_STATE, .rank = 50, .name = "logs", .fn = on_front };
EVENT_SUB(front_sub);
static const struct event_sub check_sub = { .type = EVENT_CHECK_RESULT, .rank = 50, .name = "logs", .fn = on_check };
EVENT_SUB(check_sub);
