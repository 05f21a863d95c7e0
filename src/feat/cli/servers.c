/* feat/cli/servers.c - changing servers at run time (management.txt 9.3). The words of every answer are read by scripts.
 *
 * Each change goes into the journal as the command that gives the same state again, so that it survives a worker's respawn. */
#include "core/check.h"
#include "core/engine.h"
#include "core/lb.h"
#include "core/queue.h"
#include "core/resolve.h"
#include "core/threads.h"
#include "feat/cli/cli.h"
#include "feat/cli/servers.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#define GET(f) atomic_load_explicit(&(f), memory_order_relaxed)

struct server *cli_server_arg(struct cli_call *c, unsigned i)
{
        struct str a = i < c->n_args ? c->args[i] : STR("");
        const char *slash = a.n ? memchr(a.p, '/', a.n) : NULL;
        struct server *s;
        struct back *b;

        if (!slash) {
                cli_msg(c, 3, "Require 'backend/server'.\n");
                return NULL;
        }
        b = back_find((struct str){ a.p, (size_t)(slash - a.p) });
        if (!b) {
                cli_msg(c, 3, "No such backend.\n");
                return NULL;
        }
        s = server_find(b, (struct str){ slash + 1, a.n - (size_t)(slash - a.p) - 1 });
        if (!s)
                cli_msg(c, 3, "No such server.\n");
        return s;
}

void cli_note_server(struct cli_call *c, const struct server *s, const char *what, const char *text)
{
        char key[600];

        (void)snprintf(key, sizeof(key), "server %s/%s %s", s->back->cell.name, s->cell.name, what);
        cli_journal(c, key, "set server %s/%s %s %s", s->back->cell.name, s->cell.name, what, text);
}

/* ---- state ---- */
static bool set_state(struct cli_call *c, struct server *s, struct str word)
{
        static const struct state_cause by_cli = { .duration_ms = -1 };

        if (str_is(word, "ready"))
                server_set_admin(s, 0, SRV_ADM_FMAINT | SRV_ADM_CMAINT | SRV_ADM_FDRAIN, &by_cli);
        else if (str_is(word, "drain"))
                server_set_admin(s, SRV_ADM_FDRAIN, SRV_ADM_FMAINT | SRV_ADM_CMAINT, &by_cli);
        else if (str_is(word, "maint"))
                server_set_admin(s, SRV_ADM_FMAINT, SRV_ADM_FDRAIN, &by_cli);
        else
                return false;
        cli_note_server(c, s, "state", word.p);
        return true;
}

static void do_state(struct cli_call *c, struct server *s)
{
        if (c->n_args < 5 || !set_state(c, s, str_of(arena_strdup(c->mem, c->args[4]))))
                cli_msg(c, 3, "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n");
}

static void disable_server(struct cli_call *c)
{
        struct server *s = cli_server_arg(c, 2);

        if (s)
                (void)set_state(c, s, STR("maint"));
}

static void enable_server(struct cli_call *c)
{
        struct server *s = cli_server_arg(c, 2);

        if (s)
                (void)set_state(c, s, STR("ready"));
}

/* ---- weight ---- */
static bool back_is_static(struct back *b)
{
        const struct back_cfg *c = epoch_load(&b->cfg);

        return c && c->lb && lb_is_static(c->lb);
}

static void apply_weight(struct cli_call *c, struct server *s, struct str text)
{
        bool relative = text.n && text.p[text.n - 1] == '%';
        char now[16];
        uint64_t w;

        if (text.n == 0) {
                cli_msg(c, 3, "Require <weight> or <weight%%>.\n");
                return;
        }
        if (!str_to_u64((struct str){ text.p, text.n - relative }, &w)) {
                cli_msg(c, 3,
                        text.p[0] == '-'          ? "Absolute weight can only be between 0 and 256 inclusive.\n"
                        : chr_is_digit(text.p[0]) ? "Trailing garbage in weight string\n"
                                                  : "Empty weight string empty or preceded by garbage\n");
                return;
        }
        if (relative) {
                w = w > 100000 ? SRV_WEIGHT_MAX : s->iweight * w / 100;
                w = w > SRV_WEIGHT_MAX ? SRV_WEIGHT_MAX : w;
        } else if (w > SRV_WEIGHT_MAX) {
                cli_msg(c, 3, "Absolute weight can only be between 0 and 256 inclusive.\n");
                return;
        }
        if (w != 0 && w != GET(s->iweight) && back_is_static(s->back)) {
                cli_msg(c, 3, "Backend is using a static LB algorithm and only accepts weights '0%%' and '100%%'.\n");
                return;
        }
        server_set_weight(s, (uint32_t)w);
        (void)snprintf(now, sizeof(now), "%u", (unsigned)w);
        cli_note_server(c, s, "weight", now);
}

static void do_weight(struct cli_call *c, struct server *s)
{
        apply_weight(c, s, c->n_args > 4 ? c->args[4] : STR(""));
}

static void set_weight(struct cli_call *c)
{
        struct server *s = cli_server_arg(c, 2);

        if (s)
                apply_weight(c, s, c->n_args > 3 ? c->args[3] : STR(""));
}

static void get_weight(struct cli_call *c)
{
        struct server *s = cli_server_arg(c, 2);

        if (s)
                buf_printf(c->out, "%u (initial %u)\n", GET(s->weight), s->iweight);
}

/* ---- address ---- */
bool cli_read_ip(struct str text, struct addr *ret_a)
{
        char z[INET6_ADDRSTRLEN + 2];
        struct addr a;

        memset(&a, 0, sizeof(a));
        if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
                text = str_sub(text, 1, text.n - 2);
        if (text.n == 0 || text.n >= sizeof(z))
                return false;
        memcpy(z, text.p, text.n);
        z[text.n] = 0;
        if (inet_pton(AF_INET, z, &a.in.sin_addr) == 1)
                a.in.sin_family = AF_INET;
        else if (inet_pton(AF_INET6, z, &a.in6.sin6_addr) == 1)
                a.in6.sin6_family = AF_INET6;
        else
                return false;
        *ret_a = a;
        return true;
}

static void say_change(struct cli_call *c, const struct addr *was, const struct addr *now)
{
        AUTO_BUF(from);
        AUTO_BUF(to);
        bool ip, port = addr_port(was) != addr_port(now);

        if (was->sa.sa_family == AF_UNSPEC)
                buf_puts(&from, "(none)");
        else
                addr_print_ip(was, &from);
        addr_print_ip(now, &to);
        ip = !str_eq(buf_view(&from), buf_view(&to));
        if (!ip && !port) {
                cli_msg(c, 4, "nothing changed\n");
                return;
        }
        cli_msg(c, 4, "%s%.*s%s%.*s%s%s", ip ? "IP changed from '" : "", ip ? (int)from.n : 0, ip ? from.p : "",
                ip ? "' to '" : "", ip ? (int)to.n : 0, ip ? to.p : "", ip ? "'" : "", ip && port ? ", " : "");
        if (port)
                buf_printf(c->out, "port changed from '%d' to '%d'", addr_port(was), addr_port(now));
        buf_puts(c->out, " by 'stats socket command'\n");
}

static void note_addr(struct cli_call *c, const struct server *s, const struct addr *a)
{
        AUTO_BUF(text);

        addr_print_ip(a, &text);
        if (addr_port(a))
                buf_printf(&text, " port %d", addr_port(a));
        buf_putc(&text, 0);
        cli_note_server(c, s, "addr", text.p);
}

static void do_addr(struct cli_call *c, struct server *s)
{
        struct addr was = s->addr, now;
        uint64_t port = s->port;

        if (c->n_args < 5) {
                cli_msg(c, 3, "set server <b>/<s> addr requires an address and optionally a port.\n");
                return;
        }
        if (!cli_read_ip(c->args[4], &now)) {
                cli_msg(c, 3, "Invalid addr '%.*s'\n", (int)(c->args[4].n < 200 ? c->args[4].n : 200), c->args[4].p);
                return;
        }
        if (c->n_args > 5 && (!cli_arg_is(c, 5, "port") || c->n_args < 7 || !str_to_u64(c->args[6], &port) ||
                              port > 65535 || port == 0)) {
                cli_msg(c, 3, "set server <b>/<s> addr requires an address and optionally a port.\n");
                return;
        }
        addr_set_port(&now, (int)port);
        if (!addr_eq(&was, &now)) {
                if (c->n_args > 5)
                        server_addr_set(s, &now);
                else
                        server_addr_set_ip(s, &now, NULL);
                note_addr(c, s, &now);
        }
        say_change(c, &was, &now);
        if (GET(s->admin) & SRV_ADM_RMAINT)
                server_set_admin(s, 0, SRV_ADM_RMAINT, &(struct state_cause){ .duration_ms = -1 });
}

/* ---- name ---- */
static void do_fqdn(struct cli_call *c, struct server *s)
{
        const char *was = atomic_load_explicit(&s->fqdn, memory_order_acquire);
        const char *name = c->n_args > 4 ? arena_strdup(c->mem, c->args[4]) : "";

        if (!*name) {
                cli_msg(c, 3, "set server <b>/<s> fqdn requires a FQDN.\n");
        } else if (!resolve_driver || !resolve_driver->follows(s)) {
                cli_msg(c, 3, "set server <b>/<s> fqdn failed because no resolution is configured.\n");
        } else if (strcmp(name, was) == 0) {
                cli_msg(c, 4, "no need to change the FDQN by 'stats socket command'\n");
        } else if (!resolve_name_ok(str_of(name))) {
                cli_msg(c, 3, "set server <b>/<s> fqdn: '%.200s' is no name that DNS could know.\n", name);
        } else {
                cli_msg(c, 4, "%s/%s changed its FQDN from %s to %s by 'stats socket command'\n", s->back->cell.name,
                        s->cell.name, was, name);
                server_fqdn_set(s, name);
                cli_note_server(c, s, "fqdn", name);
                resolve_driver->renamed();
        }
}

/* ---- health ---- */
static void do_health(struct cli_call *c, struct server *s)
{
        static const struct state_cause by_cli = { .duration_ms = -1, .by = "changed from CLI" };
        const char *word = c->n_args > 4 ? arena_strdup(c->mem, c->args[4]) : "";
        enum server_oper to = SRV_STOPPED;

        if (strcmp(word, "up") == 0)
                to = SRV_RUNNING;
        else if (strcmp(word, "stopping") == 0)
                to = SRV_STOPPING;
        else if (strcmp(word, "down") != 0) {
                cli_msg(c, 3, "'set server <srv> health' expects 'up', 'stopping', or 'down'.\n");
                return;
        }
        if (atomic_load_explicit(&s->track, memory_order_relaxed)) {
                cli_msg(c, 3, "cannot change health on a tracking server.\n");
                return;
        }
        if (s->check)
                s->check->health = to == SRV_STOPPED ? 0 : s->check->cfg->rise + s->check->cfg->fall - 1;
        server_set_oper(s, to, &by_cli);
        cli_note_server(c, s, "health", word);
}

/* ---- set server ---- */
static const struct {
        const char *word;
        void (*fn)(struct cli_call *c, struct server *s);
} settings[] = { { "addr", do_addr },
                 { "fqdn", do_fqdn },
                 { "agent", cli_do_agent },
                 { "agent-addr", cli_do_agent_addr },
                 { "agent-port", cli_do_agent_port },
                 { "agent-send", cli_do_agent_send },
                 { "check-addr", cli_do_check_addr },
                 { "check-port", cli_do_check_port },
                 { "health", do_health },
                 { "state", do_state },
                 { "weight", do_weight } };

static void set_server(struct cli_call *c)
{
        struct server *s = cli_server_arg(c, 2);

        if (!s)
                return;
        for (unsigned i = 0; i < array_len(settings); i++)
                if (cli_arg_is(c, 3, settings[i].word)) {
                        settings[i].fn(c, s);
                        return;
                }
        cli_msg(c, 3,
                "usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-addr | "
                "check-port | fqdn | health | state | weight\n");
}

static void set_maxconn_server(struct cli_call *c)
{
        struct server *s = cli_server_arg(c, 3);
        char key[600];
        uint64_t n;

        if (!s)
                return;
        if (c->n_args < 5) {
                cli_msg(c, 3, "Require <maxconn>.\n");
                return;
        }
        if (!str_to_u64(c->args[4], &n) || n > INT32_MAX) {
                cli_msg(c, 3, "Invalid maxconn value.\n");
                return;
        }
        server_set_maxconn(s, (uint32_t)n);
        (void)snprintf(key, sizeof(key), "server %s/%s maxconn", s->back->cell.name, s->cell.name);
        cli_journal(c, key, "set maxconn server %s/%s %u", s->back->cell.name, s->cell.name, (unsigned)n);
}

/* ---- shutdown sessions server ---- */
/* The epoch of this turn does not reach the other threads' next turns, so the server is named by its pin. */
struct kill_job {
        struct server *srv;
};

static void kill_here(void *arg)
{
        struct kill_job *j = arg;
        struct server_col *col = server_col(j->srv);

        list_for_each_safe (i, &col->streams)
                strm_shutdown(list_item(i, struct strm, srv_link), 'K');
}

static void kill_done(void *arg)
{
        struct kill_job *j = arg;

        unpin(&j->srv->pins);
        free(j);
}

static void shutdown_sessions(struct cli_call *c)
{
        struct server *s = cli_server_arg(c, 3);
        struct kill_job *j;

        if (!s)
                return;
        j = malloc(sizeof(*j));
        if (!j) {
                cli_msg(c, 3, "Out of memory.\n");
                return;
        }
        j->srv = s;
        pin(&s->pins);
        threads_run(kill_here, j, kill_done);
}

#define ROW(id, w, a, h, l, f, j)                                                                                      \
        static const struct cli_cmd id = { .words = w, .args = a, .help = h, .level = l, .run = f, .journal = j };     \
        CLI_CMD(id)

ROW(cmd_set_server, "set server", "<bk>/<srv> [opts]", "state, weight, address, name or health of a server", CLI_ADMIN,
    set_server,
    "* addr * port #;* addr|fqdn *;* agent up|down;* agent-addr|check-addr *;* agent-port|check-port #;* agent-send *;"
    "* health up|stopping|down;* state ready|drain|maint;* weight #");
ROW(cmd_set_weight, "set weight", "<bk>/<srv> <weight>[%]", "weight of a server (same as set server ... weight)",
    CLI_ADMIN, set_weight, NULL);
ROW(cmd_get_weight, "get weight", "<bk>/<srv>", "weight of a server, now and initially", CLI_USER, get_weight, NULL);
ROW(cmd_enable_server, "enable server", "<bk>/<srv>", "same as set server ... state ready", CLI_ADMIN, enable_server,
    NULL);
ROW(cmd_disable_server, "disable server", "<bk>/<srv>", "same as set server ... state maint", CLI_ADMIN, disable_server,
    NULL);
ROW(cmd_maxconn_server, "set maxconn server", "<bk>/<srv> <n>", "limit of connections to a server", CLI_ADMIN,
    set_maxconn_server, "* #");
ROW(cmd_shut_sessions, "shutdown sessions server", "<bk>/<srv>", "end all sessions on a server", CLI_ADMIN,
    shutdown_sessions, NULL);
