/* feat/logs/events.c - `show events`: what the rings hold (management.txt 9.3). */
#include "base/thr.h"
#include "core/cli.h"
#include "ev/loop.h"
#include "ev/timer.h"
#include "feat/logs/logs.h"

#include <stdio.h>

enum { LOOK_MS = 100, PIECE = 64 }; /* how often -w looks for new lines; lines of one piece */

struct view {
        struct store *store;
        struct cli_session *session;
        struct timer timer;
        uint64_t pos;
        char end;
        bool wait;
};

static void list_sinks(struct cli_call *c)
{
        buf_puts(c->out,
                 "Supported events sinks are listed below. Add -0(zero), -w(wait), -n(new). Any key to stop.\n");
        for (int fd = 1; fd <= 2; fd++)
                buf_printf(c->out, "    %-10s : type=fd, %llu dropped, standard output (fd#%d)\n",
                           fd == 1 ? "stdout" : "stderr", (unsigned long long)sink_dropped_fd(fd), fd);
        for (struct store *s = store_next(NULL); s; s = store_next(s)) {
                buf_printf(c->out, "    %-10s : type=buffer, %llu dropped, ", store_name(s),
                           (unsigned long long)store_dropped(s));
                store_describe(s, c->out);
                buf_putc(c->out, '\n');
        }
}

static bool take_options(struct cli_call *c, struct view *v)
{
        for (unsigned i = 3; i < c->n_args; i++) {
                struct str a = c->args[i];

                if (a.n < 2 || a.p[0] != '-')
                        return false;
                for (size_t j = 1; j < a.n; j++) {
                        switch (a.p[j]) {
                        case 'w': v->wait = true; break;
                        case 'n': v->pos = store_end(v->store); break;
                        case '0': v->end = '\0'; break;
                        default: return false;
                        }
                }
        }
        return true;
}

static void look(struct timer *t)
{
        struct view *v = container_of(t, struct view, timer);

        cli_wake(v->session);
}

static void show_events(struct cli_call *c)
{
        struct view *v;
        struct store *s;
        char name[256];

        if (c->n_args < 3) {
                list_sinks(c);
                return;
        }
        (void)snprintf(name, sizeof(name), "%.*s", (int)c->args[2].n, c->args[2].p);
        s = store_find(name);
        if (!s) {
                bool is_fd = str_is(c->args[2], "stdout") || str_is(c->args[2], "stderr");

                cli_msg(c, 3, is_fd ? "Nothing to report for this sink\n" : "No such event sink\n");
                return;
        }
        v = arena_alloc(c->mem, sizeof(*v));
        *v = (struct view){ .store = s, .session = c->session, .end = '\n' };
        timer_init(&v->timer, look);
        if (!take_options(c, v)) {
                cli_msg(c, 3, "unknown option\n");
                return;
        }
        c->state = v;
}

static bool more(struct cli_call *c)
{
        struct view *v = c->state;

        if (!v)
                return false;
        for (int i = 0; i < PIECE; i++) {
                if (store_read(v->store, &v->pos, v->end, c->out))
                        continue;
                if (!v->wait || !v->session)
                        return false;
                timer_start(thr_self->loop, &v->timer, mono_add_ms(thr_self->now, LOOK_MS));
                c->wait = true;
                return true;
        }
        c->wait = false;
        return true;
}

static void stop(struct cli_call *c)
{
        struct view *v = c->state;

        if (v)
                timer_stop(thr_self->loop, &v->timer);
}

/* Any input ends the waiting and is thrown away. */
static size_t input(struct cli_call *c, struct str in, bool eof)
{
        struct view *v = c->state;

        if (v && v->wait && (in.n || eof)) {
                v->wait = false;
                timer_stop(thr_self->loop, &v->timer);
                c->wait = false;
                return in.n;
        }
        return 0;
}

static const struct cli_cmd cmd = {
        .words = "show events",
        .args = "[<sink>] [-w] [-n] [-0]",
        .help = "list the rings, or show the lines of one (-w: wait for more, -n: only new ones)",
        .level = CLI_USER,
        .run = show_events,
        .more = more,
        .input = input,
        .stop = stop
};
CLI_CMD(cmd);
