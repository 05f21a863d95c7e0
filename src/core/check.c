/* core/check.c - results in, state out: rise, fall and the first-check rule; the names of results. */
#include "core/check.h"

#include "core/event.h"

const struct check_driver *check_driver;

static const struct {
        const char *name, *text;
        bool ok;
} statuses[CHECK_STATUSES] = {
        [CHECK_UNKNOWN] = { "UNK", "Unknown", false },
        [CHECK_INI] = { "INI", "Initializing", false },
        [CHECK_START] = { "CHECKED", "No status change", false },
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

void check_init_health(struct check *c)
{
        c->health = c->cfg->rise; /* up, with no credit: the first failure takes it down (seed 004) */
}

/* The counter of `show servers state`: below rise = down; a passed check while up gives the full credit of `fall` failures back. Returns
 * true when the state has to change. */
static bool count(struct check *c, bool ok)
{
        int rise = c->cfg->rise, full = rise + c->cfg->fall - 1;
        bool up = c->health >= rise;

        if (ok) {
                c->health = up ? full : c->health + 1;
                if (!up && c->health >= rise)
                        c->health = full;
                return !up && c->health >= rise;
        }
        if (!up) {
                c->health = 0;
                return false;
        }
        c->health = c->health > rise ? c->health - 1 : 0;
        return c->health == 0;
}

static void publish(struct check *c, int was_health, const struct check_result *r)
{
        struct event_check e = { .check = c,
                                 .result = r,
                                 .was_health = was_health,
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

/* manual, http-check disable-on-404: a server that is up and passes conditionally takes no new sessions until it passes again. One that
 * is down is not brought back by it. */
static void follow_condition(struct check *c, enum check_status st, const struct state_cause *why)
{
        bool stopping = atomic_load_explicit(&c->srv->oper, memory_order_relaxed) == SRV_STOPPING;

        if (stopping != (st == CHECK_L7OKC))
                server_set_oper(c->srv, stopping ? SRV_RUNNING : SRV_STOPPING, why);
}

void check_apply(struct check *c, const struct check_result *r)
{
        struct state_cause why = { .reason = check_status_text(r->status),
                                   .info = r->info[0] ? r->info : NULL,
                                   .code = check_status_has_code(r->status) ? r->code : -1,
                                   .duration_ms = r->duration_ms };
        bool ok = check_status_is_ok(r->status), was_up = c->health >= c->cfg->rise, turned;
        int was_health = c->health;

        STAT_INC(c->total);
        if (!ok && was_up)
                STAT_INC(c->failed);
        turned = (r->status != CHECK_L7OKC || was_up) && count(c, ok);
        pthread_mutex_lock(&c->last_lock);
        c->last = *r; /* first: who hears of a result by the event or the log line finds it in the state too */
        pthread_mutex_unlock(&c->last_lock);
        c->last_at = thr_self->now;
        publish(c, was_health, r);
        c->first_done = true;
        if (turned && !ok)
                STAT_INC(c->down_trans);
        if (turned)
                server_set_oper(c->srv, ok ? SRV_RUNNING : SRV_STOPPED, &why);
        if (ok && c->health >= c->cfg->rise && !turned)
                follow_condition(c, r->status, &why);
}
