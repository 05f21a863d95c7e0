/* feat/cli/basic.c - commands about the session itself: prompt, levels, time-out, severity. */
#include "conf/kw.h"
#include "feat/cli/cli.h"

#include <limits.h>

bool cli_arg_is(const struct cli_call *c, unsigned i, const char *w)
{
        return i < c->n_args && str_is(c->args[i], w);
}

/* ---- prompt ---- */
static void prompt_usage(struct cli_call *c)
{
        cli_msg(c, 6,
                "Usage: prompt [help | n | i | p | timed]*\n"
                "  help    this text\n"
                "  n       one line of commands, then the connection is closed\n"
                "  i       any number of lines, without a prompt\n"
                "  p       any number of lines, each answered with a prompt\n"
                "  timed   shows the process's uptime in the prompt, or no longer\n"
                "Without a word: from n or i to p, from p to n.\n");
}

static void prompt(struct cli_call *c)
{
        struct cli_session *s = c->session;

        if (!s)
                return;
        if (c->n_args == 1)
                s->mode = s->mode == CLI_PROMPT ? CLI_ONE : CLI_PROMPT;
        for (unsigned i = 1; i < c->n_args; i++) {
                if (cli_arg_is(c, i, "n"))
                        s->mode = CLI_ONE;
                else if (cli_arg_is(c, i, "i"))
                        s->mode = CLI_INTERACTIVE;
                else if (cli_arg_is(c, i, "p"))
                        s->mode = CLI_PROMPT;
                else if (cli_arg_is(c, i, "timed")) {
                        s->timed = !s->timed;
                        s->mode = CLI_PROMPT;
                } else {
                        prompt_usage(c);
                        return;
                }
        }
}

static const struct cli_cmd cmd_prompt = {
        .words = "prompt",
        .args = "[help | n | i | p | timed ]*",
        .help = "one line of commands, or many, with a prompt or without",
        .level = CLI_NONE,
        .run = prompt,
};
CLI_CMD(cmd_prompt);

static void quit(struct cli_call *c)
{
        if (c->session) {
                c->session->quit = true;
                c->session->rest = NULL;
        }
}

static const struct cli_cmd cmd_quit = {
        .words = "quit",
        .help = "close the connection",
        .level = CLI_NONE,
        .run = quit,
};
CLI_CMD(cmd_quit);

static void echo(struct cli_call *c)
{
        for (unsigned i = 1; i < c->n_args; i++) {
                if (i > 1)
                        buf_putc(c->out, ' ');
                buf_str(c->out, c->args[i]);
        }
        buf_putc(c->out, '\n');
}

static const struct cli_cmd cmd_echo = {
        .words = "echo",
        .args = "<text>",
        .help = "say it back",
        .level = CLI_NONE,
        .run = echo,
};
CLI_CMD(cmd_echo);

/* ---- levels ---- */
static const char *const level_names[] = { "none", "user", "operator", "admin" };

static void show_level(struct cli_call *c)
{
        buf_printf(c->out, "%s\n", level_names[*c->level <= CLI_ADMIN ? *c->level : CLI_NONE]);
}

static const struct cli_cmd cmd_level = {
        .words = "show cli level",
        .help = "rights of this connection",
        .level = CLI_USER,
        .run = show_level,
};
CLI_CMD(cmd_level);

static void lower(struct cli_call *c, enum cli_level to)
{
        if (*c->level < to)
                cli_msg(c, 3, "Permission denied\n");
        else
                *c->level = (uint8_t)to;
}

static void to_operator(struct cli_call *c)
{
        lower(c, CLI_OPERATOR);
}

static void to_user(struct cli_call *c)
{
        lower(c, CLI_USER);
}

static const struct cli_cmd cmd_operator = {
        .words = "operator",
        .help = "give up all rights above operator",
        .level = CLI_USER,
        .run = to_operator,
};
CLI_CMD(cmd_operator);

static const struct cli_cmd cmd_user = {
        .words = "user",
        .help = "give up all rights above user",
        .level = CLI_USER,
        .run = to_user,
};
CLI_CMD(cmd_user);

/* ---- settings ---- */

bool cli_delay(struct str s, uint64_t unit_us, int *ret_ms)
{
        static const struct {
                const char *name;
                uint64_t us;
        } units[] = { { "us", 1 },       { "ms", 1000 },      { "s", 1000000 },
                      { "m", 60000000 }, { "h", 3600000000 }, { "d", 86400000000 } };
        uint64_t v, us = unit_us;
        size_t n = s.n;

        while (n > 0 && (s.p[n - 1] < '0' || s.p[n - 1] > '9'))
                n--;
        if (n < s.n) {
                us = 0;
                for (size_t i = 0; i < array_len(units); i++)
                        if (str_is(str_sub(s, n, s.n - n), units[i].name))
                                us = units[i].us;
        }
        if (!str_to_u64(str_sub(s, 0, n), &v) || __builtin_mul_overflow(v, us, &us) || us == 0 ||
            us > (uint64_t)INT_MAX * 1000)
                return false;
        *ret_ms = (int)((us + 999) / 1000);
        return true;
}

static void set_timeout(struct cli_call *c)
{
        int ms;

        if (!cli_arg_is(c, 2, "cli")) {
                cli_msg(c, 3, "'set timeout' only supports 'cli'.\n");
                return;
        }
        if (c->n_args < 4) {
                cli_msg(c, 3, "Expects an integer value.\n");
                return;
        }
        if (!cli_delay(c->args[3], 1000000, &ms)) {
                cli_msg(c, 3, "Invalid timeout value.\n");
                return;
        }
        if (c->session)
                c->session->timeout_ms = ms;
}

static const struct cli_cmd cmd_timeout = {
        .words = "set timeout",
        .args = "cli <delay>",
        .help = "how long this connection may be silent",
        .level = CLI_USER,
        .run = set_timeout,
};
CLI_CMD(cmd_timeout);

static void set_severity(struct cli_call *c)
{
        static const char *const words[] = { "none", "number", "string" };

        for (unsigned i = 0; i < array_len(words); i++)
                if (cli_arg_is(c, 2, words[i])) {
                        if (c->session)
                                c->session->severity = (uint8_t)i;
                        return;
                }
        cli_msg(c, 3, "one of 'none', 'number', 'string' is a required argument\n");
}

static const struct cli_cmd cmd_severity = {
        .words = "set severity-output",
        .args = "[none|number|string]",
        .help = "put a severity before messages",
        .level = CLI_USER,
        .run = set_severity,
};
CLI_CMD(cmd_severity);
