/* core/check.c - results in, state out: rise, fall and the first-check rule; the names of results. */
#include "core/check.h"

#include "core/event.h"
#include "core/global.h"
#include "core/retire.h"

#include <stdlib.h>

const struct check_driver *check_driver, *agent_driver;

/* The words are features'; a program without them has no such slots. */
extern int check_slot __attribute__((weak));
extern int agent_slot __attribute__((weak));

static const struct {
        const char *name, *text;
        bool ok;
} statuses[CHECK_STATUSES] = {
        [CHECK_UNKNOWN] = { "UNK", "Unknown", false },
        [CHECK_INI] = { "INI", "Initializing", false },
        [CHECK_START] = { "CHECKED", "No status change", false },
        [CHECK_NEUTRAL] = { "CHECKED", "No status change", false },
        [CHECK_HANA] = { "HANA", "Health analyze", false },
        [CHECK_SOCKERR] = { "SOCKERR", "Socket error", false },
        [CHECK_L4OK] = { "L4OK", "Layer4 check passed", true },
        [CHECK_L4TOUT] = { "L4TOUT", "Layer4 timeout", false },
        [CHECK_L4CON] = { "L4CON", "Layer4 connection problem", false },
        [CHECK_L6OK] = { "L6OK", "Layer6 check passed", true },
        [CHECK_L6TOUT] = { "L6TOUT", "Layer6 timeout", false },
        [CHECK_L6RSP] = { "L6RSP", "Layer6 invalid response", false },
        [CHECK_L7OK] = { "L7OK", "Layer7 check passed", true },
        [CHECK_L7OKC] = { "L7OKC", "Layer7 check conditionally passed", true },
        [CHECK_L7TOUT] = { "L7TOUT", "Layer7 timeout", false },
        [CHECK_L7RSP] = { "L7RSP", "Layer7 invalid response", false },
        [CHECK_L7STS] = { "L7STS", "Layer7 wrong status", false },
        [CHECK_PROCERR] = { "PROCERR", "External check error", false },
        [CHECK_PROCTOUT] = { "PROCTOUT", "External check timeout", false },
        [CHECK_PROCOK] = { "PROCOK", "External check passed", true },
};

const char *check_status_name(enum check_status s)
{
        return statuses[s < CHECK_STATUSES ? s : CHECK_UNKNOWN].name;
}

const char *check_status_text(enum check_status s)
{
        return statuses[s < CHECK_STATUSES ? s : CHECK_UNKNOWN].text;
}

bool check_status_is_ok(enum check_status s)
{
        return s < CHECK_STATUSES && statuses[s].ok;
}

bool check_status_has_code(enum check_status s)
{
        return s == CHECK_L7OK || s == CHECK_L7OKC || s == CHECK_L7STS || s >= CHECK_PROCERR;
}

/* ---- words and target ---- */

const struct check_cfg *check_words(const struct conf_obj *server, bool agent)
{
        if (agent)
                return &agent_slot ? &((const struct agent_cfg *)conf_slot(server, agent_slot))->c : NULL;
        return &check_slot ? conf_slot(server, check_slot) : NULL;
}

/* What the file says. An agent without an address of its own follows the word `addr` (manual 5.2). */
static struct check_target file_target(const struct conf_obj *o, bool agent)
{
        const struct check_cfg *cfg = check_words(o, agent), *health = check_words(o, false);
        const struct addr *a = !cfg->addr && agent && health ? health->addr : cfg->addr;
        struct check_target t = { .port = cfg->port };

        if (a)
                t.addr = *a;
        if (agent)
                t.send = (char *)(uintptr_t)((const struct agent_cfg *)conf_slot(o, agent_slot))->send;
        return t;
}

static bool same_text(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

void check_set_target(struct check *c, const struct addr *addr, int port, const char *send)
{
        char *copy = send && *send ? strdup(send) : NULL;

        ASSERT(copy || !send || !*send);
        pthread_mutex_lock(&c->last_lock);
        if (addr)
                c->target.addr = *addr;
        if (port >= 0)
                c->target.port = port;
        if (send) {
                free(c->target.send);
                c->target.send = copy;
        }
        pthread_mutex_unlock(&c->last_lock);
}

void check_init(struct check *c, struct server *s, bool agent)
{
        struct check_target t = file_target(s->obj, agent);

        c->srv = s;
        c->agent = agent;
        c->obj = s->obj;
        c->cfg = check_words(s->obj, agent);
        c->enabled = true;
        (void)pthread_mutex_init(&c->last_lock, NULL); /* cannot fail on Linux */
        c->owner = s->cell.slot % thr_count();
        check_set_target(c, &t.addr, t.port, t.send);
        check_init_health(c);
        c->rise_seen = c->cfg->rise;
        c->fall_seen = c->cfg->fall;
}

static void free_check(void *p)
{
        struct check *c = p;

        free(c->target.send);
        (void)pthread_mutex_destroy(&c->last_lock);
        free(c);
}

void check_retire(struct check *c)
{
        retire_later(c, free_check);
}

unsigned check_follow(struct check *c, const struct conf_obj *now)
{
        struct check_target was = file_target(c->obj, c->agent), is = file_target(now, c->agent);
        unsigned changed = (addr_eq(&was.addr, &is.addr) ? 0 : CHECK_NEW_ADDR) |
                           (was.port == is.port ? 0 : CHECK_NEW_PORT) |
                           (same_text(was.send, is.send) ? 0 : CHECK_NEW_SEND);

        check_set_target(c, changed & CHECK_NEW_ADDR ? &is.addr : NULL, changed & CHECK_NEW_PORT ? is.port : -1,
                         !(changed & CHECK_NEW_SEND) ? NULL
                         : is.send                   ? is.send
                                                     : "");
        c->obj = now;
        atomic_store_explicit(&c->cfg, check_words(now, c->agent), memory_order_release);
        return changed;
}

void check_refit(struct check *c)
{
        const struct check_cfg *cfg = c->cfg;
        bool up = c->health >= c->rise_seen;

        if (c->rise_seen == cfg->rise && c->fall_seen == cfg->fall)
                return;
        c->health = up ? cfg->rise + cfg->fall - 1 : 0;
        c->rise_seen = cfg->rise;
        c->fall_seen = cfg->fall;
}

/* The server's own address: an AF_UNSPEC one when it has none, or a path. */
static socklen_t own_address(const struct server *s, struct sockaddr_storage *ret_sa, struct addr *ret_a)
{
        socklen_t len = server_addr_get(s, ret_sa, NULL);

        if (len && ret_sa->ss_family != AF_UNIX)
                addr_from_sockaddr(ret_a, (struct sockaddr *)ret_sa, len);
        return len;
}

socklen_t check_target(struct check *c, struct sockaddr_storage *ret_sa)
{
        struct addr a = { 0 }, to;
        socklen_t len = own_address(c->srv, ret_sa, &a);
        int port;

        pthread_mutex_lock(&c->last_lock);
        to = c->target.addr;
        port = c->target.port;
        pthread_mutex_unlock(&c->last_lock);
        if (to.sa.sa_family == AF_UNSPEC && (len == 0 || a.sa.sa_family == AF_UNSPEC))
                return len;
        if (port == 0 && to.sa.sa_family != AF_UNSPEC)
                port = addr_port(&to);
        if (port == 0)
                port = addr_port(&a);
        if (to.sa.sa_family != AF_UNSPEC)
                a = to;
        addr_set_port(&a, port);
        memcpy(ret_sa, &a, addr_len(&a));
        return addr_len(&a);
}

/* ---- when ---- */

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

/* Manual 5.2, inter: fastinter while the state is on its way or not checked yet, downinter while it is down. */
int64_t check_interval_ms(const struct check *c)
{
        const struct check_cfg *cfg = c->cfg;
        int ms = cfg->inter_ms;

        if (c->health < cfg->rise + cfg->fall - 1)
                ms = c->health == 0 && c->first_done ? cfg->downinter_ms : cfg->fastinter_ms;
        return spread(c, ms ? ms : cfg->inter_ms);
}

mono_t check_first_at(const struct check *c, uint32_t position, uint32_t of)
{
        int max = global_of(epoch_load(&c->srv->back->cfg)->conf)->max_spread_checks_ms;
        uint64_t ms = (uint64_t)(max && max < c->cfg->inter_ms ? max : c->cfg->inter_ms);

        return thr_self->now + ms * NS_PER_MS / (of ? of : 1) * position;
}

bool check_may_run(const struct check *c)
{
        if (!c->enabled)
                return false;
        return c->agent || !(atomic_load_explicit(&c->srv->admin, memory_order_relaxed) & SRV_ADM_MAINT);
}

/* ---- results ---- */

void check_init_health(struct check *c)
{
        const struct check_cfg *cfg = c->cfg;

        switch (c->agent ? INIT_NONE : cfg->init_state) {
        case INIT_FULLY_UP: c->health = cfg->rise + cfg->fall - 1; break;
        case INIT_DOWN: c->health = cfg->rise - 1; break;
        case INIT_FULLY_DOWN: c->health = 0; break;
        default: c->health = cfg->rise; /* up with no credit: the first failure takes it down (seed 004) */
        }
}

bool check_starts_up(const struct conf_obj *server)
{
        const struct check_cfg *cfg = server ? check_words(server, false) : NULL;

        return !cfg || (cfg->init_state != INIT_DOWN && cfg->init_state != INIT_FULLY_DOWN);
}

static bool says_up(const struct check *c)
{
        return !c || !c->enabled || c->health >= c->cfg->rise;
}

bool check_all_up(const struct server *s)
{
        return says_up(__atomic_load_n(&s->check, __ATOMIC_ACQUIRE)) &&
               says_up(__atomic_load_n(&s->agent, __ATOMIC_ACQUIRE));
}

/* The counter of `show servers state`: below rise = down; a passed check while up gives the full credit of `fall` failures back. */
static void count(struct check *c, bool ok)
{
        int rise = c->cfg->rise, full = rise + c->cfg->fall - 1;
        bool up = c->health >= rise;

        if (ok)
                c->health = up || c->health + 1 >= rise ? full : c->health + 1;
        else
                c->health = up && c->health > rise ? c->health - 1 : 0;
}

static void publish(struct check *c, int was_health, enum check_status was_status, const struct check_result *r)
{
        struct event_check e = { .check = c,
                                 .result = r,
                                 .was_health = was_health,
                                 .was_status = was_status,
                                 .first = !c->first_done,
                                 .up = c->health >= c->cfg->rise };

        event_publish(EVENT_CHECK_RESULT, &e);
}

void check_last(const struct check *c, struct check_result *ret_r)
{
        pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&c->last_lock;

        pthread_mutex_lock(lock);
        *ret_r = c->last;
        pthread_mutex_unlock(lock);
}

/* What follows for the server. It is down when one check says so, up when all do; a conditional pass (disable-on-404) stops it. */
static void decide(struct check *c, const struct check_result *r)
{
        struct server *s = c->srv;
        enum server_oper now = atomic_load_explicit(&s->oper, memory_order_relaxed);
        struct state_cause why = { .reason = check_status_text(r->status),
                                   .info = r->info[0] ? r->info : NULL,
                                   .code = check_status_has_code(r->status) ? r->code : -1,
                                   .duration_ms = r->duration_ms,
                                   .checked = true };

        if (c->health < c->cfg->rise) {
                if (now != SRV_STOPPED && !check_status_is_ok(r->status))
                        server_set_oper(s, SRV_STOPPED, &why);
        } else if (!check_status_is_ok(r->status) || !check_all_up(s)) {
                return;
        } else if (r->status == CHECK_L7OKC) {
                if (now == SRV_RUNNING || now == SRV_STARTING)
                        server_set_oper(s, SRV_STOPPING, &why);
        } else if (now == SRV_STOPPED || now == SRV_STOPPING) {
                server_set_oper(s, SRV_RUNNING, &why);
        }
}

void check_apply(struct check *c, const struct check_result *r)
{
        bool ok = check_status_is_ok(r->status), was_up = c->health >= c->cfg->rise;
        /* Manual 5.2, agent-check: not to reach an agent, or not to understand it, is no failure. */
        bool neutral = r->status == CHECK_NEUTRAL || (c->agent && !ok && r->status != CHECK_L7STS);
        bool counts = !neutral && (r->status != CHECK_L7OKC || was_up); /* a conditional pass brings nobody back */
        int was_health = c->health;
        enum check_status was_status = c->last.status;

        STAT_INC(c->total);
        if (!ok && !neutral && was_up)
                STAT_INC(c->failed);
        if (counts)
                count(c, ok);
        pthread_mutex_lock(&c->last_lock);
        c->last = *r; /* first: who hears of a result by the event or the log line finds it in the state too */
        pthread_mutex_unlock(&c->last_lock);
        c->last_at = thr_self->now;
        if (!neutral)
                publish(c, was_health, was_status, r);
        c->first_done = true;
        if (!neutral)
                decide(c, r);
}
