/* core/observe.c - `observe`, `error-limit` and `on-error` (manual 5.2): traffic that makes a server's health check think again.
 *
 * The row of errors is counted where the streams run; what a full row does is done by the check's own thread. */
#include "core/check.h"
#include "core/server_post.h"

#include <stdio.h>

static const struct {
        const char *text;
        bool l4, l7, error; /* which modes take note */
} seen[SEEN_KINDS] = {
        [SEEN_L4_OK] = { "L4 successful connection", true, false, false },
        [SEEN_L4_ERROR] = { "L4 unsuccessful connection", true, true, true },
        [SEEN_OK] = { "Correct http response", false, true, false },
        [SEEN_STATUS] = { "Wrong http response", false, true, true },
        [SEEN_HEADER] = { "Invalid http response (headers)", false, true, true },
        [SEEN_TIMEOUT] = { "Read timeout (http)", false, true, true },
        [SEEN_CLOSED] = { "Close from server (http)", false, true, true },
};

/* An analysis that counts as a failed check. */
static void fail(struct check *c, enum check_seen what, int row)
{
        struct check_result r = { .status = CHECK_HANA, .duration_ms = -1 };

        (void)snprintf(r.info, sizeof(r.info), "Detected %d consecutive errors, last one was: %s", row,
                       seen[what].text);
        check_apply(c, &r);
}

static void act(struct server *s, int what)
{
        struct check *c = __atomic_load_n(&s->check, __ATOMIC_ACQUIRE);
        const struct check_cfg *cfg;
        int rise;

        if (!c || !c->enabled || c->health < c->cfg->rise || !server_is_up(s))
                return;
        cfg = c->cfg;
        rise = cfg->rise;
        STAT_INC(s->observed_failures);
        if (cfg->on_error == ON_ERROR_MARK_DOWN)
                c->health = rise;
        else if (cfg->on_error == ON_ERROR_SUDDEN_DEATH && c->health > rise)
                c->health = rise + 1;
        if (cfg->on_error != ON_ERROR_FASTINTER)
                fail(c, (enum check_seen)what, cfg->error_limit);
        if (cfg->fastinter_ms && check_driver->hurry)
                check_driver->hurry(c, cfg->fastinter_ms);
}

void check_observed(struct server *s, enum check_seen what)
{
        enum check_observe mode = atomic_load_explicit(&s->observe, memory_order_relaxed);
        const struct check_cfg *cfg;
        unsigned row;

        if (mode == OBSERVE_NONE || !(mode == OBSERVE_L4 ? seen[what].l4 : seen[what].l7))
                return;
        if (!seen[what].error) {
                if (atomic_load_explicit(&s->errors_in_row, memory_order_relaxed))
                        atomic_store_explicit(&s->errors_in_row, 0, memory_order_relaxed);
                return;
        }
        cfg = check_words(s->obj, false);
        row = atomic_fetch_add_explicit(&s->errors_in_row, 1, memory_order_relaxed) + 1;
        if (row < (unsigned)cfg->error_limit)
                return;
        atomic_store_explicit(&s->errors_in_row, 0, memory_order_relaxed);
        server_post_owner(s, act, (int)what);
}
