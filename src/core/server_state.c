/* core/server_state.c - the one place that moves a server between states.
 *
 * Every change goes through move(): it takes the backend's lock, changes one value, derives whether the server takes new sessions,
 * keeps the backend's counts, tells the balance view and the queues, and publishes what happened. So the words of `show stat`, the log
 * lines and the counters cannot disagree. */
#include "core/inner.h"
#include "core/event.h"
#include "core/retire.h"
#include "core/server_slow.h"
#include "core/server_track.h"
#include "core/sess.h"
#include "core/strm_own.h"

#include <stdlib.h>

#define GET(f)    atomic_load_explicit(&(f), memory_order_relaxed)
#define SET(f, v) atomic_store_explicit(&(f), (v), memory_order_relaxed)

bool server_is_up(const struct server *s)
{
        return GET(s->oper) != SRV_STOPPED && !(GET(s->admin) & SRV_ADM_MAINT);
}

bool server_would_serve(const struct server *s)
{
        uint8_t oper = GET(s->oper);

        return (oper == SRV_RUNNING || oper == SRV_STARTING) && !(GET(s->admin) & (SRV_ADM_MAINT | SRV_ADM_DRAIN)) &&
               GET(s->weight) > 0;
}

/* The backend lost its last usable server, or got one again. */
static void back_turned(struct back *b, bool available, mono_t now)
{
        struct event_back e = { b, available };

        if (available)
                STAT_ADD(b->downtime_s, (now - GET(b->last_change)) / NS_PER_S);
        else
                SET(b->down_count, GET(b->down_count) + 1);
        SET(b->last_change, now);
        event_publish(EVENT_BACK_STATE, &e);
}

static void count_usable(struct server *s, bool usable)
{
        _Atomic uint32_t *n = s->backup ? &s->back->bck : &s->back->act;

        SET(*n, GET(*n) + (usable ? 1u : (uint32_t)-1));
}

void server_recount(struct back *b)
{
        uint32_t act = 0, bck = 0;

        for (uint32_t i = 0; i < b->n_srv; i++) {
                struct server *s = b->srv[i];
                bool u = server_would_serve(s);

                SET(s->usable, u);
                if (u && s->backup)
                        bck++;
                else if (u)
                        act++;
        }
        SET(b->act, act);
        SET(b->bck, bck);
}

struct before {
        uint8_t oper, admin;
        bool usable, up;
};

static struct before look(const struct server *s)
{
        return (struct before){ GET(s->oper), GET(s->admin), GET(s->usable), server_is_up(s) };
}

static void count_up(struct server *s, const struct before *was, mono_t now)
{
        bool up = server_is_up(s);

        if (was->up == up) {
                if (up && was->oper != GET(s->oper)) /* stopping, or at full speed again */
                        s->last_change = now;
                return;
        }
        if (up)
                STAT_ADD(s->downtime_s, (now - s->last_change) / NS_PER_S);
        else
                STAT_INC(s->down_count); /* maintenance counts, as in HAProxy */
        s->last_change = now;
}

/* Derives everything that follows from oper, admin and weight. back->lock is held. Returns how many waiters were put back. */
static unsigned derive(struct server *s, const struct before *was, bool weight_changed)
{
        bool usable = server_would_serve(s);
        unsigned requeued = 0;

        if (usable == was->usable) {
                if (weight_changed && usable)
                        lb_update(s->back, s);
                return 0;
        }
        SET(s->usable, usable);
        count_usable(s, usable);
        lb_update(s->back, s);
        if (!usable && s->queue && !server_is_up(s))
                requeued = queue_redistribute(s); /* a draining server still serves those who wait for it */
        return requeued;
}

static void tell(struct server *s, const struct before *was, const struct state_cause *why, unsigned requeued)
{
        struct event_server e = { .srv = s,
                                  .from_oper = was->oper,
                                  .to_oper = GET(s->oper),
                                  .from_admin = was->admin,
                                  .to_admin = GET(s->admin),
                                  .was_usable = was->usable,
                                  .now_usable = GET(s->usable),
                                  .why = why,
                                  .requeued = requeued };

        event_publish(EVENT_SERVER_STATE, &e);
}

static bool back_has_server(const struct back *b)
{
        return GET(b->act) + GET(b->bck) > 0;
}

/* Out of maintenance nobody knows how it is: as at its start, or as whom it tracks (manual, init-state). */
static enum server_oper after_maint(struct server *s)
{
        const struct server *t = atomic_load_explicit(&s->track, memory_order_acquire);

        if (t)
                return GET(t->oper) == SRV_STARTING ? SRV_RUNNING : (enum server_oper)GET(t->oper);
        if (s->check)
                check_init_health(s->check);
        if (s->agent)
                check_init_health(s->agent);
        return check_starts_up(s->obj) ? SRV_RUNNING : SRV_STOPPED;
}

/* Running at last, or starting slowly: when it was seen to be down. */
static uint8_t slowed(const struct server *s, const struct before *was, uint8_t oper, uint8_t admin)
{
        bool back = was->oper == SRV_STOPPED || was->oper == SRV_STOPPING || (was->admin & ~admin & SRV_ADM_MAINT);

        return oper == SRV_RUNNING && back && !(admin & SRV_ADM_MAINT) && server_cfg_now(s)->slowstart_ms > 0
                       ? SRV_STARTING
                       : oper;
}

struct move {
        uint8_t oper; /* KEEP: as it is, or as it is found after maintenance */
        unsigned set, clear;
};
#define KEEP 0xff

/* What the move leads to from here; true when that is something else. A ramp begins or ends with it. */
static bool enter(struct server *s, const struct before *was, const struct move *m)
{
        uint8_t admin = (uint8_t)((was->admin & ~m->clear) | m->set), oper = m->oper == KEEP ? was->oper : m->oper;

        if (m->oper == KEEP && (was->admin & SRV_ADM_MAINT) && !(admin & SRV_ADM_MAINT))
                oper = (uint8_t)after_maint(s);
        oper = slowed(s, was, oper, admin);
        if (oper == SRV_STARTING && (admin & SRV_ADM_MAINT))
                oper = SRV_RUNNING; /* it begins again when it comes back */
        if (was->oper == oper && was->admin == admin)
                return false;
        SET(s->oper, oper);
        SET(s->admin, admin);
        if (oper == SRV_STARTING && (was->oper != SRV_STARTING || (was->admin & ~admin & SRV_ADM_MAINT)))
                slow_begin(s);
        else if (oper != SRV_STARTING)
                SET(s->slow, 0);
        return true;
}

static void move(struct server *s, struct move m, const struct state_cause *why)
{
        struct back *b = s->back;
        struct before was;
        bool had, has;
        unsigned requeued;
        uint8_t slow;

        pthread_mutex_lock(&b->lock);
        was = look(s);
        slow = GET(s->slow);
        had = back_has_server(b);
        if (!enter(s, &was, &m)) {
                pthread_mutex_unlock(&b->lock);
                return;
        }
        count_up(s, &was, thr_self->now);
        requeued = derive(s, &was, slow != GET(s->slow));
        tell(s, &was, why, requeued);
        has = back_has_server(b);
        if (had != has)
                back_turned(b, has, thr_self->now);
        pthread_mutex_unlock(&b->lock);
        if (GET(s->usable) && !was.usable)
                slot_fill(s); /* streams wait in the backend's queue */
}

void server_set_oper(struct server *s, enum server_oper o, const struct state_cause *why)
{
        move(s, (struct move){ (uint8_t)o, 0, 0 }, why);
        server_tell_trackers(s);
}

void server_set_admin(struct server *s, unsigned set, unsigned clear, const struct state_cause *why)
{
        move(s, (struct move){ KEEP, set, clear }, why);
        server_tell_trackers(s);
}

void server_set_chained(struct server *s, enum server_oper o, unsigned set, unsigned clear,
                        const struct state_cause *why)
{
        move(s, (struct move){ (uint8_t)o, set, clear }, why);
}

void server_set_slow(struct server *s, unsigned missing)
{
        struct before was;

        pthread_mutex_lock(&s->back->lock);
        was = look(s);
        if (was.oper == SRV_STARTING && GET(s->slow) != missing) {
                SET(s->slow, (uint8_t)missing);
                (void)derive(s, &was, true);
        }
        pthread_mutex_unlock(&s->back->lock);
        slot_fill(s); /* its share of maxconn grew, too */
}

void server_set_weight(struct server *s, uint32_t uweight)
{
        struct back *b = s->back;
        struct before was;
        bool had, has, up;

        pthread_mutex_lock(&b->lock);
        was = look(s);
        had = back_has_server(b);
        if (GET(s->weight) != uweight) {
                SET(s->weight, uweight);
                (void)derive(s, &was, true);
        }
        has = back_has_server(b);
        if (had != has)
                back_turned(b, has, thr_self->now);
        up = GET(s->usable) && !was.usable;
        pthread_mutex_unlock(&b->lock);
        if (up)
                slot_fill(s);
}

void server_set_maxconn(struct server *s, uint32_t maxconn)
{
        uint32_t was;

        pthread_mutex_lock(&s->back->lock);
        if (maxconn && !s->queue)
                s->queue = queue_new(); /* before the limit that makes anybody look at it */
        was = atomic_exchange_explicit(&s->maxconn, maxconn, memory_order_release);
        pthread_mutex_unlock(&s->back->lock);
        if (was && (maxconn == 0 || maxconn > was))
                slot_fill(s);
}

/* ---- address: a sequence lock; readers retry, writers are under back->lock ---- */
static void addr_write(struct server *s, const struct addr *a, const struct server_addr_cfg *cfg)
{
        pthread_mutex_lock(&s->back->lock);
        atomic_fetch_add_explicit(&s->addr_seq, 1, memory_order_acq_rel);
        s->addr = *a;
        s->path = cfg ? cfg->path : NULL;
        s->abstract = cfg && cfg->abstract;
        s->port_follows = cfg && cfg->port_follows;
        s->port_offset = cfg ? (int16_t)cfg->port_offset : 0;
        s->port = (uint16_t)(cfg && cfg->host ? cfg->host_port : addr_port(a));
        atomic_fetch_add_explicit(&s->addr_seq, 1, memory_order_release);
        lb_address_moved(s);
        pthread_mutex_unlock(&s->back->lock);
}

void server_addr_set_ip(struct server *s, const struct addr *ip, const char *by)
{
        struct event_addr e = { .srv = s, .by = by };

        pthread_mutex_lock(&s->back->lock);
        e.from = s->addr;
        if (ip)
                e.to = *ip;
        addr_set_port(&e.to, s->port);
        atomic_fetch_add_explicit(&s->addr_seq, 1, memory_order_acq_rel);
        s->addr = e.to;
        atomic_fetch_add_explicit(&s->addr_seq, 1, memory_order_release);
        lb_address_moved(s);
        if (by)
                event_publish(EVENT_SERVER_ADDR, &e);
        pthread_mutex_unlock(&s->back->lock);
}

void server_fqdn_set(struct server *s, const char *name)
{
        const char *copy = name ? strdup(name) : NULL, *was;

        ASSERT(copy || !name);
        was = atomic_exchange_explicit(&s->fqdn, copy,
                                       memory_order_acq_rel); /* pairs with the loads of those who print it */
        if (was)
                retire_later((void *)(uintptr_t)was, free);
}

void server_addr_set(struct server *s, const struct addr *a)
{
        addr_write(s, a, NULL);
}

void server_addr_set_cfg(struct server *s, const struct server_addr_cfg *a)
{
        addr_write(s, &a->addr, a);
}

static socklen_t copy_addr(const struct server *s, struct sockaddr_storage *to)
{
        struct addr_spec spec = { .family = AF_UNIX, .abstract = s->abstract };

        if (!s->path) {
                if (s->addr.sa.sa_family != AF_INET && s->addr.sa.sa_family != AF_INET6)
                        return 0;
                memcpy(to, &s->addr, sizeof(s->addr));
                return addr_len(&s->addr);
        }
        memcpy(spec.path, s->path, strnlen(s->path, sizeof(spec.path) - 1));
        return addr_spec_unix(&spec, (struct sockaddr_un *)to);
}

/* "0.0.0.0", "*" and "::" (manual, server): where the client wanted to go. */
static bool is_any(const struct sockaddr_storage *sa)
{
        if (sa->ss_family == AF_INET)
                return ((const struct sockaddr_in *)sa)->sin_addr.s_addr == 0;
        return sa->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)sa)->sin6_addr);
}

static socklen_t follow_address(struct sockaddr_storage *sa, socklen_t n, struct strm *st)
{
        const struct addr *to = st && st->sess ? sess_dst(st->sess) : NULL;
        in_port_t port = ((const struct sockaddr_in *)sa)->sin_port; /* at the same place in both families */

        if (!to || (to->sa.sa_family != AF_INET && to->sa.sa_family != AF_INET6))
                return n;
        memcpy(sa, to, addr_len(to));
        ((struct sockaddr_in *)sa)->sin_port = port;
        return addr_len(to);
}

/* A port that follows the client's: the one it connected to, plus the offset of "addr:+n". */
static void follow_port(const struct server *s, struct sockaddr_storage *sa, struct strm *st)
{
        const struct addr *to = st && st->sess ? strm_dst(st, st->sess) : NULL;
        int port = to ? addr_port(to) + s->port_offset : 0;

        if (port <= 0 || port > 65535)
                return;
        if (sa->ss_family == AF_INET)
                ((struct sockaddr_in *)sa)->sin_port = htons((uint16_t)port);
        else if (sa->ss_family == AF_INET6)
                ((struct sockaddr_in6 *)sa)->sin6_port = htons((uint16_t)port);
}

socklen_t server_addr_get(const struct server *s, struct sockaddr_storage *ret_sa, struct strm *st)
{
        uint32_t a, b;
        socklen_t n;

        do {
                a = atomic_load_explicit(&s->addr_seq, memory_order_acquire);
                n = copy_addr(s, ret_sa);
                if (n && unlikely(is_any(ret_sa)))
                        n = follow_address(ret_sa, n, st);
                if (n && s->port_follows)
                        follow_port(s, ret_sa, st);
                atomic_thread_fence(memory_order_acquire);
                b = GET(s->addr_seq);
        } while (a != b || (a & 1));
        return n;
}

/* ---- the status word ---- */
static bool is_on(const struct check *c)
{
        return c && c->enabled;
}

/* The agent alone may have it down. */
static bool agent_says_down(const struct server *s)
{
        const struct server *t = server_track_end(s);

        return is_on(t->agent) && t->agent->health < t->agent->cfg->rise;
}

static void down_text(const struct server *s, struct buf *out)
{
        const struct check *c = server_track_end(s)->check;

        buf_puts(out, "DOWN");
        if (agent_says_down(s))
                buf_puts(out, " (agent)");
        else if (is_on(c) && c->health > 0 && c->health < c->cfg->rise)
                buf_printf(out, " %d/%d", c->health, c->cfg->rise);
}

static void up_text(const struct server *s, struct buf *out)
{
        const struct check *c = server_track_end(s)->check;
        int full;

        if (GET(s->admin) & SRV_ADM_DRAIN) {
                buf_puts(out, is_on(s->agent) ? "DRAIN (agent)" : "DRAIN");
                return;
        }
        if (!is_on(c)) {
                buf_puts(out, "no check");
                return;
        }
        full = c->cfg->rise + c->cfg->fall - 1;
        buf_puts(out, GET(s->oper) == SRV_STOPPING ? "NOLB" : "UP");
        if (c->health < full && c->health >= c->cfg->rise)
                buf_printf(out, " %d/%d", c->health - c->cfg->rise + 1, c->cfg->fall);
}

static void maint_text(const struct server *s, uint8_t admin, struct buf *out)
{
        const struct server *t = atomic_load_explicit(&s->track, memory_order_acquire);

        buf_puts(out, "MAINT");
        if (admin & SRV_ADM_RMAINT)
                buf_puts(out, " (resolution)");
        else if ((admin & SRV_ADM_IMAINT) && t)
                buf_printf(out, " (via %s/%s)", t->back->cell.name, t->cell.name);
}

void server_status_text(const struct server *s, struct buf *out)
{
        uint8_t admin = GET(s->admin);

        if (admin & SRV_ADM_MAINT)
                maint_text(s, admin, out);
        else if (GET(s->oper) == SRV_STOPPED)
                down_text(s, out);
        else
                up_text(s, out);
}
