/* feat/cli/process.c - commands about the process: version, environment, threads, sockets. Their form is our own where no client reads it. */
#include "core/engine.h"
#include "core/threads.h"
#include "feat/cli/cli.h"

#define GET(f) atomic_load_explicit(&(f), memory_order_relaxed)

extern char **environ;

static void show_version(struct cli_call *c)
{
        buf_puts(c->out, "3.4.0-telamon\n");
}

/* The whole environment or one variable: secrets stand there, so operators only. */
static void show_env(struct cli_call *c)
{
        for (char **e = environ; *e; e++) {
                size_t n = strcspn(*e, "=");
                if (c->n_args > 2 && !str_eq(c->args[2], (struct str){ *e, n }))
                        continue;
                buf_printf(c->out, "%s\n", *e);
                if (c->n_args > 2)
                        return;
        }
        if (c->n_args > 2)
                cli_msg(c, 3, "Variable not found\n");
}

static void show_activity(struct cli_call *c)
{
        buf_printf(c->out, "uptime_ms: %lld\ncurr_conns: %u\nmax_conns: %u\nstreams: %llu\n",
                   (long long)mono_ms_between(world.started, thr_self->now), GET(world.cur_conns), GET(world.max_conns),
                   (unsigned long long)strm_count());
        for (unsigned i = 0; i < thr_count(); i++) {
                struct loop *l = threads_loop(i);
                if (l)
                        buf_printf(c->out, "thread %u: idle_pct=%u\n", i + 1, loop_idle_pct(l));
        }
}

static void show_threads(struct cli_call *c)
{
        for (unsigned i = 0; i < thr_count(); i++) {
                struct loop *l = threads_loop(i);
                mono_t since = l ? GET(l->stats.turn_start) : 0;
                if (!l)
                        continue;
                buf_printf(c->out, "%s Thread %u: idle=%u%% ", i == thr_self->id ? "*" : " ", i + 1, loop_idle_pct(l));
                if (since)
                        buf_printf(c->out, "turn_us=%llu\n",
                                   (unsigned long long)(thr_self->now > since ? (thr_self->now - since) / 1000 : 0));
                else
                        buf_puts(c->out, "asleep\n");
        }
}

/* ---- show cli sockets: their listeners are the control thread's list, so the rows come from the published configuration ---- */
static void socket_line(struct buf *out, const struct bind_cfg *b)
{
        static const char *const levels[] = { "operator", "user", "operator", "admin" };
        const struct addr_spec *at = &b->spec.at;

        if (at->inherited_fd >= 0)
                buf_printf(out, "fd@%d", at->inherited_fd);
        else if (at->family == AF_UNIX)
                buf_printf(out, "%s@%s", at->abstract ? "abns" : "unix", at->path);
        else
                addr_print(&at->addr, out);
        buf_printf(out, " %s all\n", levels[b->level & 3]);
}

static void show_sockets(struct cli_call *c)
{
        const struct front_cfg *f = world.cli ? epoch_load(&world.cli->cfg) : NULL;

        buf_puts(c->out, "# socket lvl processes\n");
        if (!f || !f->conf)
                return;
        for (const struct conf_obj *o = f->conf->first; o; o = o->sibling)
                if (o->kind->bit == KIND_GLOBAL)
                        for (const struct conf_obj *k = o->child; k; k = k->sibling)
                                if (k->kind->bit == KIND_STATS_SOCKET)
                                        socket_line(c->out, conf_slot(k, bind_slot));
}

static void show_startup(struct cli_call *c)
{
        engine_startup_log(c->out);
}

#define ROW(id, w, a, h, l, f)                                                                                         \
        static const struct cli_cmd id = { .words = w, .args = a, .help = h, .level = l, .run = f };                   \
        CLI_CMD(id)

ROW(cmd_version, "show version", "", "level of compatibility and program", CLI_USER, show_version);
ROW(cmd_env, "show env", "[<name>]", "environment of the process", CLI_OPERATOR, show_env);
ROW(cmd_activity, "show activity", "", "connections, streams and loops at work", CLI_OPERATOR, show_activity);
ROW(cmd_threads, "show threads", "", "what each data thread does", CLI_USER, show_threads);
ROW(cmd_sockets, "show cli sockets", "", "runtime sockets", CLI_USER, show_sockets);
ROW(cmd_startup, "show startup-logs", "", "what was said about the configuration in force", CLI_OPERATOR, show_startup);
