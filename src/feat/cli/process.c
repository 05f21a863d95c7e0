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

/* ---- show cli sockets: the runtime sockets' listeners are the control thread's list, so their rows come from the published configuration ---- */
static void show_sockets(struct cli_call *c)
{
        static const char *const levels[] = { "user", "user", "operator", "admin" };
        const struct front_cfg *f = world.cli ? epoch_load(&world.cli->cfg) : NULL;

        buf_puts(c->out, "# socket lvl processes\n");
        if (!f || !f->conf)
                return;
        for (const struct conf_obj *o = f->conf->first; o; o = o->next) {
                const struct bind_cfg *b = o->kind->bit == KIND_STATS_SOCKET ? conf_slot(o, bind_slot) : NULL;
                if (!b)
                        continue;
                buf_printf(c->out, "%s%s %s all\n", b->text[0] == '/' ? "unix@" : "", b->text,
                           levels[b->level ? b->level & 3 : CLI_OPERATOR]);
        }
}

#define ROW(id, w, a, h, l, f)                                                                                         \
        static const struct cli_cmd id = { .words = w, .args = a, .help = h, .level = l, .run = f };                   \
        CLI_CMD(id)

ROW(cmd_version, "show version", "", "level of compatibility and program", CLI_USER, show_version);
ROW(cmd_env, "show env", "[<name>]", "environment of the process", CLI_OPERATOR, show_env);
ROW(cmd_activity, "show activity", "", "connections, streams and loops at work", CLI_OPERATOR, show_activity);
ROW(cmd_threads, "show threads", "", "what each data thread does", CLI_USER, show_threads);
ROW(cmd_sockets, "show cli sockets", "", "runtime sockets", CLI_OPERATOR, show_sockets);
