/* feat/cli/help.c - help, and what an unknown word is answered with. Clients look for "Unknown command". */
#include "feat/cli/cli.h"

#define NEAREST 6u

void cli_help_line(struct buf *out, const struct cli_cmd *cmd)
{
        size_t start = out->n, width;

        buf_printf(out, "  %s%s%s", cmd->words, cmd->args && *cmd->args ? " " : "", cmd->args ? cmd->args : "");
        width = out->n - start;
        while (width++ < 42)
                buf_putc(out, ' ');
        buf_printf(out, ": %s\n", cmd->help);
}

static bool generic(const struct cli_cmd *c)
{
        return strcmp(c->words, "help") == 0 || strcmp(c->words, "prompt") == 0 || strcmp(c->words, "quit") == 0;
}

/* How many of the words given are the first words of the command. */
static unsigned common(const struct cli_cmd *cmd, const struct str *args, unsigned n_args)
{
        const char *w = cmd->words;
        unsigned n = 0;

        while (*w && n < n_args) {
                size_t len = strcspn(w, " ");
                if (!str_eq(args[n], (struct str){ w, len }))
                        break;
                n++;
                w += len;
                w += *w == ' ';
        }
        return n;
}

static unsigned best_common(const struct str *args, unsigned n_args)
{
        unsigned n, best = 0;
        const struct cli_cmd *const *all = cli_all(&n);

        for (unsigned i = 0; i < n; i++) {
                unsigned c = common(all[i], args, n_args);
                best = c > best ? c : best;
        }
        return best;
}

static void list(struct cli_call *c, const struct str *args, unsigned n_args, unsigned at_least, bool with_generic)
{
        unsigned n;
        const struct cli_cmd *const *all = cli_all(&n);

        for (unsigned i = 0; i < n; i++)
                if (!generic(all[i]) && all[i]->level <= *c->level && common(all[i], args, n_args) >= at_least)
                        cli_help_line(c->out, all[i]);
        for (unsigned i = 0; i < n && with_generic; i++)
                if (generic(all[i]))
                        cli_help_line(c->out, all[i]);
}

/* Commands one of whose words is spelled much like the one given. */
static void list_near(struct cli_call *c)
{
        unsigned n, shown = 0;
        const struct cli_cmd *const *all = cli_all(&n);

        for (unsigned far = 1; far <= 2; far++)
                for (unsigned i = 0; i < n && shown < NEAREST; i++) {
                        struct str first = { all[i]->words, strcspn(all[i]->words, " ") };
                        if (all[i]->level > *c->level || generic(all[i]) || str_distance(first, c->args[0]) != far)
                                continue;
                        cli_help_line(c->out, all[i]);
                        shown++;
                }
}

void cli_help_unknown(struct cli_call *c)
{
        unsigned best = best_common(c->args, c->n_args);

        cli_msg(c, 6, "Unknown command: '%.*s', but maybe one of the following ones is a better match:\n",
                (int)(c->args[0].n < 200 ? c->args[0].n : 200), c->args[0].p);
        if (best == 0) {
                list_near(c);
                list(c, c->args, 0, 1, true);
        } else {
                list(c, c->args, c->n_args, best, true);
        }
}

static void help(struct cli_call *c)
{
        unsigned best = best_common(c->args + 1, c->n_args - 1);

        cli_msg(c, 6, "The following commands are valid at this level:\n");
        list(c, c->args + 1, c->n_args - 1, best, true);
}

static const struct cli_cmd cmd_help = {
        .words = "help",
        .args = "[<command>]",
        .help = "list all commands, or those that begin so",
        .level = CLI_NONE,
        .run = help,
};
CLI_CMD(cmd_help);
