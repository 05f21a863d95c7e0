/* feat/cli/fronts.c - frontends: pause, resume, stop, limits (management.txt 9.3). */
#include "core/engine.h"
#include "core/event.h"
#include "core/sess.h"
#include "feat/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>

#define GET(f) atomic_load_explicit(&(f), memory_order_relaxed)

static struct front *front_arg(struct cli_call *c, unsigned i)
{
        struct front *f;

        if (i >= c->n_args) {
                cli_msg(c, 3, "A frontend name is expected.\n");
                return NULL;
        }
        f = front_find(c->args[i]);
        if (!f)
                cli_msg(c, 3, "No such frontend.\n");
        return f;
}

/* The listeners are the control thread's: it finds the frontend again by name, for it may be gone by then. */
struct front_job {
        enum front_state to;
        char name[];
};

static void move_front(void *arg)
{
        struct front_job *j = arg;
        struct front *f = front_find(str_of(j->name));
        struct event_front e;

        if (f && GET(f->state) != FRONT_STOPPED && GET(f->state) != (uint32_t)j->to) {
                e = (struct event_front){ f, (enum front_state)GET(f->state), j->to };
                if (j->to == FRONT_STOPPED)
                        front_stop(f);
                else
                        sess_pause_front(f, j->to == FRONT_PAUSED);
                event_publish(EVENT_FRONT_STATE, &e);
        }
        free(j);
}

static void post_front(struct cli_call *c, const struct front *f, enum front_state to)
{
        static const char *const verbs[] = { "enable", "disable", "shutdown" };
        size_t n = strlen(f->cell.name) + 1;
        struct front_job *j = malloc(sizeof(*j) + n);
        char key[600];

        if (!j) {
                cli_msg(c, 3, "Out of memory.\n");
                return;
        }
        j->to = to;
        memcpy(j->name, f->cell.name, n);
        engine_on_control(move_front, j);
        (void)snprintf(key, sizeof(key), "frontend %s state", f->cell.name);
        cli_journal(c, key, "%s frontend %s", verbs[to], f->cell.name);
}

static void enable_frontend(struct cli_call *c)
{
        struct front *f = front_arg(c, 2);

        if (!f)
                return;
        if (GET(f->state) == FRONT_STOPPED)
                cli_msg(c, 3, "Frontend was previously shut down, cannot enable.\n");
        else if (GET(f->state) == FRONT_OPEN)
                cli_msg(c, 3, "All sockets are already enabled.\n");
        else
                post_front(c, f, FRONT_OPEN);
}

static void disable_frontend(struct cli_call *c)
{
        struct front *f = front_arg(c, 2);

        if (!f)
                return;
        if (GET(f->state) == FRONT_STOPPED)
                cli_msg(c, 3, "Frontend was previously shut down, cannot disable.\n");
        else if (GET(f->state) == FRONT_PAUSED)
                cli_msg(c, 3, "All sockets are already disabled.\n");
        else
                post_front(c, f, FRONT_PAUSED);
}

static void shutdown_frontend(struct cli_call *c)
{
        struct front *f = front_arg(c, 2);

        if (!f)
                return;
        if (GET(f->state) == FRONT_STOPPED)
                cli_msg(c, 3, "Frontend was already shut down.\n");
        else
                post_front(c, f, FRONT_STOPPED);
}

/* ---- limits ---- */
static void set_maxconn_frontend(struct cli_call *c)
{
        struct front *f = front_arg(c, 3);
        char key[600];
        uint64_t n;

        if (!f)
                return;
        if (c->n_args < 5 || !str_to_u64(c->args[4], &n) || n > INT32_MAX) {
                cli_msg(c, 3, "Integer value expected.\n");
                return;
        }
        front_set_maxconn(f, (uint32_t)n);
        (void)snprintf(key, sizeof(key), "frontend %s maxconn", f->cell.name);
        cli_journal(c, key, "set maxconn frontend %s %u", f->cell.name, (unsigned)n);
}

static void set_maxconn_global(struct cli_call *c)
{
        uint64_t n;

        if (c->n_args < 4 || !str_to_u64(c->args[3], &n)) {
                cli_msg(c, 3, "Expects an integer value.\n");
                return;
        }
        if (!world_set_maxconn(n)) {
                cli_msg(c, 3, "Value out of range.\n");
                return;
        }
        cli_journal(c, "global maxconn", "set maxconn global %llu", (unsigned long long)n);
}

/* ---- rates ---- */
static const struct rate_row {
        const char *what, *of;
        struct rate_gate *gate;
} rates[] = {
        { "connections", "connection rate", &world.conn_gate },
        { "sessions", "session rate", &world.sess_gate },
};

static void rate_usage(struct cli_call *c)
{
        AUTO_BUF(text);

        for (size_t i = 0; i < array_len(rates); i++)
                buf_printf(&text, "   - '%s global' to set the per-process maximum %s\n", rates[i].what, rates[i].of);
        cli_msg(c, 3, "'set rate-limit' only supports :\n%.*s", (int)text.n, text.p);
}

static void set_rate_limit(struct cli_call *c)
{
        const struct rate_row *r = NULL;
        char key[64];
        uint64_t n;

        for (size_t i = 0; i < array_len(rates); i++)
                if (cli_arg_is(c, 2, rates[i].what) && cli_arg_is(c, 3, "global"))
                        r = &rates[i];
        if (!r) {
                rate_usage(c);
                return;
        }
        if (c->n_args < 5 || !str_to_u64(c->args[4], &n) || n > INT32_MAX) {
                cli_msg(c, 3, c->n_args < 5 ? "Expects an integer value.\n" : "Invalid value.\n");
                return;
        }
        atomic_store_explicit(&r->gate->limit, (uint32_t)n, memory_order_relaxed);
        (void)snprintf(key, sizeof(key), "global rate %s", r->what);
        cli_journal(c, key, "set rate-limit %s global %u", r->what, (unsigned)n);
}

#define ROW(id, w, a, h, f, j)                                                                                         \
        static const struct cli_cmd id = {                                                                             \
                .words = w, .args = a, .help = h, .level = CLI_ADMIN, .run = f, .journal = j                           \
        };                                                                                                             \
        CLI_CMD(id)

ROW(cmd_enable_frontend, "enable frontend", "<frontend>", "accept again on a disabled frontend", enable_frontend, "*");
ROW(cmd_disable_frontend, "disable frontend", "<frontend>", "accept no more until it is enabled", disable_frontend,
    "*");
ROW(cmd_shutdown_frontend, "shutdown frontend", "<frontend>", "close its sockets for good", shutdown_frontend, "*");
ROW(cmd_maxconn_frontend, "set maxconn frontend", "<frontend> <n>", "limit of connections to a frontend",
    set_maxconn_frontend, "* #");
ROW(cmd_maxconn_global, "set maxconn global", "<n>", "limit of connections of the process", set_maxconn_global, "#");
ROW(cmd_rate_limit, "set rate-limit", "{connections|sessions} global <n>",
    "limit of new connections or sessions per second", set_rate_limit, "connections|sessions global #");
