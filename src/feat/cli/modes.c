/* feat/cli/modes.c - expert-mode, experimental-mode, wait (management.txt 9.3). */
#include "feat/cli/cli.h"

#include "ev/timer.h"

#include <stdlib.h>

/* No command is for experts only: the mode is kept, because clients switch it on before they ask for something. Experimental ones say so
 * in their row. */
static void mode(struct cli_call *c, const char *name, bool *on)
{
        if (cli_arg_is(c, 1, "on"))
                *on = true;
        else if (cli_arg_is(c, 1, "off"))
                *on = false;
        else
                buf_printf(c->out, "%s is %s\n", name, *on ? "ON" : "OFF");
}

static void expert(struct cli_call *c)
{
        if (c->session)
                mode(c, "expert-mode", &c->session->expert);
}

static void experimental(struct cli_call *c)
{
        if (c->session)
                mode(c, "experimental-mode", &c->session->experimental);
}

static const struct cli_cmd cmd_expert = {
        .words = "expert-mode",
        .args = "[on|off]",
        .help = "commands for experts on this connection",
        .level = CLI_ADMIN,
        .run = expert,
};
CLI_CMD(cmd_expert);

static const struct cli_cmd cmd_experimental = {
        .words = "experimental-mode",
        .args = "[on|off]",
        .help = "experimental commands on this connection",
        .level = CLI_ADMIN,
        .run = experimental,
};
CLI_CMD(cmd_experimental);

/* ---- wait ---- */
struct nap {
        struct timer timer;
        struct cli_session *session;
};

static void nap_over(struct timer *t)
{
        struct nap *n = container_of(t, struct nap, timer);

        cli_wake(n->session);
}

static void wait_for(struct cli_call *c)
{
        struct nap *n;
        int ms;

        if (c->n_args < 2) {
                cli_msg(c, 3, "Expects a duration in milliseconds.\n");
                return;
        }
        if (!cli_delay(c->args[1], 1000, &ms)) {
                cli_msg(c, 3, "Invalid duration.\n");
                return;
        }
        if (c->n_args > 2) {
                cli_msg(c, 3, "Unsupported condition: only a duration can be waited for.\n");
                return;
        }
        if (!c->session)
                return;
        n = arena_alloc(c->mem, sizeof(*n));
        n->session = c->session;
        timer_init(&n->timer, nap_over);
        timer_start(thr_self->loop, &n->timer, mono_add_ms(thr_self->now, ms));
        c->state = n;
        c->wait = true;
}

static bool wait_more(struct cli_call *c)
{
        (void)c;
        return false;
}

static void wait_stop(struct cli_call *c)
{
        struct nap *n = c->state;

        if (n)
                timer_stop(thr_self->loop, &n->timer);
}

static const struct cli_cmd cmd_wait = {
        .words = "wait",
        .args = "<delay>",
        .help = "answer after this time (milliseconds)",
        .level = CLI_ADMIN,
        .run = wait_for,
        .more = wait_more,
        .stop = wait_stop,
};
CLI_CMD(cmd_wait);
