/* feat/checks/driver.c - which checks exist and which thread runs them; called by the change engine on the control thread.
 *
 * First checks are spread evenly over their interval (seed 004: 0, 0.67, 1.33 s for three servers at 2 s): starts are collected and launched
 * together when the change is committed. */
#include "feat/checks/checks.h"

#include "base/buf.h"

#include <stdlib.h>

/* ---- the word `addr` ---- */

int check_parse_addr(struct kw_call *c)
{
        struct check_cfg *cfg = c->slot;
        struct addr_spec spec;
        struct addr *a;
        const char *why = "an address without a name";

        if (!kw_need_args(c, 1, "<address>"))
                return -1;
        if (addr_parse(c->args[0].text, 0, &spec, &why) != ADDR_OK || spec.family == AF_UNIX) {
                (void)kw_fail(c, &c->args[0], "E0502", "'addr' : '%.*s' is not an IP address (%s).",
                              (int)c->args[0].text.n, c->args[0].text.p, why);
                return -1;
        }
        a = conf_alloc(c->conf, sizeof(*a));
        *a = spec.addr;
        cfg->addr = a;
        return 1;
}

void check_dump_addr(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct check_cfg *cfg = slot;

        (void)kw;
        if (!cfg->addr)
                return;
        buf_puts(out, " addr ");
        addr_print_ip(cfg->addr, out);
}

/* ---- life ---- */

static struct {
        struct probe **v;
        uint32_t n, cap;
} starting; /* control thread */

static void start_here(void *arg)
{
        probe_start(arg);
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

        probe_stop(p);
        loop_bury(thr_self->loop, &p->grave, bury);
}

static struct check *check_start(struct server *s)
{
        struct check *c = calloc(1, sizeof(*c));
        struct probe *p = calloc(1, sizeof(*p));

        ASSERT(c != NULL && p != NULL); /* configuration-sized: ADR 0002 */
        check_init(c, s, false);
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

static void pin_and_start(void *arg)
{
        struct probe *p = arg;

        pin(&p->check->srv->pins); /* on the owner's thread, where it is unpinned too */
        start_here(p);
}

static void check_launch(void)
{
        for (uint32_t i = 0; i < starting.n; i++) {
                struct probe *p = starting.v[i];
                p->position = i;
                p->of = starting.n;
                threads_run_on(p->check->owner, pin_and_start, p);
        }
        free(starting.v);
        starting.v = NULL;
        starting.n = starting.cap = 0;
}

static void check_stop(struct check *c)
{
        threads_run_on(c->owner, stop_here, c->run);
}

static void changed_here(void *arg)
{
        struct check *c = arg;

        check_refit(c);
        probe_renew(c->run);
}

static void check_changed(struct check *c)
{
        threads_run_on(c->owner, changed_here, c);
}

static void check_hurry(struct check *c, int ms)
{
        probe_hurry(c->run, ms);
}

static const struct check_driver driver = {
        .start = check_start, .stop = check_stop, .changed = check_changed, .hurry = check_hurry, .launch = check_launch
};

__attribute__((constructor)) static void checks_boot(void)
{
        check_driver = &driver;
}
