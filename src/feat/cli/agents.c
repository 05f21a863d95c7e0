/* feat/cli/agents.c - checks and agents of servers at run time: on and off, where they go, what they say (management.txt 9.3). */
#include "core/check.h"
#include "feat/cli/cli.h"
#include "feat/cli/servers.h"

#include <stdio.h>
#include <stdlib.h>

static const struct state_cause by_cli = { .duration_ms = -1, .by = "changed from CLI" };

/* ---- set server ... agent ---- */
void cli_do_agent(struct cli_call *c, struct server *s)
{
        bool up = cli_arg_is(c, 4, "up");

        if (!s->agent || !s->agent->enabled) {
                cli_msg(c, 3, "agent checks are not enabled on this server.\n");
                return;
        }
        if (!up && !cli_arg_is(c, 4, "down")) {
                cli_msg(c, 3, "'set server <srv> agent' expects 'up' or 'down'.\n");
                return;
        }
        s->agent->health = up ? s->agent->cfg->rise + s->agent->cfg->fall - 1 : 0;
        if (!up)
                server_set_oper(s, SRV_STOPPED, &by_cli);
        else if (check_all_up(s))
                server_set_oper(s, SRV_RUNNING, &by_cli);
        cli_note_server(c, s, "agent", up ? "up" : "down");
}

/* ---- where to ---- */
static struct check *check_or_say(struct cli_call *c, struct server *s, bool agent)
{
        struct check *k = agent ? s->agent : s->check;

        if (!k)
                cli_msg(c, 3, "%s",
                        agent ? "agent checks are not enabled on this server.\n"
                              : "health checks are not enabled on this server\n");
        return k;
}

static bool read_port(struct cli_call *c, struct str text, int *ret_port)
{
        uint64_t v;

        if (!str_to_u64(text, &v)) {
                cli_msg(c, 3, "provided port is not an integer\n");
                return false;
        }
        if (v == 0 || v > 65535) {
                cli_msg(c, 3, "provided port is invalid\n");
                return false;
        }
        *ret_port = (int)v;
        return true;
}

static void note_number(struct cli_call *c, const struct server *s, const char *what, int n)
{
        char text[16];

        (void)snprintf(text, sizeof(text), "%d", n);
        cli_note_server(c, s, what, text);
}

static void set_port(struct cli_call *c, struct server *s, bool agent)
{
        const char *what = agent ? "agent-port" : "check-port";
        struct check *k = check_or_say(c, s, agent);
        int port = 0;

        if (!k)
                return;
        if (c->n_args < 5) {
                cli_msg(c, 3, "set server <b>/<s> %s requires a port.\n", what);
                return;
        }
        if (!read_port(c, c->args[4], &port))
                return;
        check_set_target(k, NULL, port, NULL);
        note_number(c, s, what, port);
}

static void set_addr(struct cli_call *c, struct server *s, bool agent)
{
        const char *what = agent ? "agent-addr" : "check-addr";
        struct check *k = check_or_say(c, s, agent);
        struct addr a;
        int port = -1;
        AUTO_BUF(text);

        if (!k)
                return;
        if (c->n_args < 5 || (c->n_args > 5 && (!cli_arg_is(c, 5, "port") || c->n_args < 7))) {
                cli_msg(c, 3, "set server <b>/<s> %s requires an address and optionally a port.\n", what);
                return;
        }
        if (!cli_read_ip(c->args[4], &a)) {
                cli_msg(c, 3, "invalid addr '%.*s'\n", (int)(c->args[4].n < 200 ? c->args[4].n : 200), c->args[4].p);
                return;
        }
        if (c->n_args > 5 && !read_port(c, c->args[6], &port))
                return;
        check_set_target(k, &a, port, NULL);
        addr_print_ip(&a, &text);
        buf_putc(&text, 0);
        cli_note_server(c, s, what, text.p);
        if (port > 0)
                note_number(c, s, agent ? "agent-port" : "check-port", port);
}

void cli_do_agent_addr(struct cli_call *c, struct server *s)
{
        set_addr(c, s, true);
}

void cli_do_agent_port(struct cli_call *c, struct server *s)
{
        set_port(c, s, true);
}

void cli_do_check_addr(struct cli_call *c, struct server *s)
{
        set_addr(c, s, false);
}

void cli_do_check_port(struct cli_call *c, struct server *s)
{
        set_port(c, s, false);
}

/* A journal command is one line of plain words: another text is not told to the next worker. */
static bool is_plain_word(const char *s)
{
        for (; *s; s++)
                if (*s <= ' ' || *s > '~' || *s == ';' || *s == '\\')
                        return false;
        return true;
}

void cli_do_agent_send(struct cli_call *c, struct server *s)
{
        struct check *k = check_or_say(c, s, true);
        const char *text;

        if (!k)
                return;
        if (c->n_args < 5) {
                cli_msg(c, 3, "set server <b>/<s> agent-send requires a string.\n");
                return;
        }
        text = arena_strdup(c->mem, c->args[4]);
        check_set_target(k, NULL, -1, text);
        if (*text && is_plain_word(text))
                cli_note_server(c, s, "agent-send", text);
}

/* ---- on and off ---- */
static void switch_one(struct cli_call *c, bool agent, bool on)
{
        const char *verb = on ? "enable" : "disable", *noun = agent ? "agent" : "health";
        struct server *s = cli_server_arg(c, 2);
        struct check *k = !s ? NULL : agent ? s->agent : s->check;
        char key[600];

        if (!s)
                return;
        if (on && !k) {
                cli_msg(c, 3, "%s was not configured on this server, cannot enable.\n",
                        agent ? "Agent" : "Health check");
                return;
        }
        if (!k)
                return;
        k->enabled = on;
        (void)snprintf(key, sizeof(key), "server %s/%s %s", s->back->cell.name, s->cell.name,
                       agent ? "agents" : "checks");
        cli_journal(c, key, "%s %s %s/%s", verb, noun, s->back->cell.name, s->cell.name);
}

static void enable_health(struct cli_call *c)
{
        switch_one(c, false, true);
}

static void disable_health(struct cli_call *c)
{
        switch_one(c, false, false);
}

static void enable_agent(struct cli_call *c)
{
        switch_one(c, true, true);
}

static void disable_agent(struct cli_call *c)
{
        switch_one(c, true, false);
}

#define ROW(id, w, a, h, l, f, j)                                                                                      \
        static const struct cli_cmd id = { .words = w, .args = a, .help = h, .level = l, .run = f, .journal = j };     \
        CLI_CMD(id)

ROW(cmd_enable_health, "enable health", "<bk>/<srv>", "health checks of a server on", CLI_ADMIN, enable_health, "*");
ROW(cmd_disable_health, "disable health", "<bk>/<srv>", "health checks of a server off", CLI_ADMIN, disable_health,
    "*");
ROW(cmd_enable_agent, "enable agent", "<bk>/<srv>", "agent checks of a server on", CLI_ADMIN, enable_agent, "*");
ROW(cmd_disable_agent, "disable agent", "<bk>/<srv>", "agent checks of a server off", CLI_ADMIN, disable_agent, "*");
