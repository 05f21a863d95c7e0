/* feat/resolvers/cmds.c - `show resolvers` (management.txt 9.3). */
#include "core/cli.h"
#include "feat/resolvers/resolvers.h"

static void show_section(struct buf *out, const struct section *s)
{
        static const char *const names[NS_COUNTS] = { "sent",        "snd_error", "valid",   "update",    "cname",
                                                      "cname_error", "any_err",   "nx",      "timeout",   "refused",
                                                      "other",       "invalid",   "too_big", "truncated", "outdated" };

        buf_printf(out, "Resolvers section %s\n", s->name);
        for (unsigned i = 0; i < s->n_ns; i++) {
                buf_printf(out, " nameserver %s:\n", s->ns[i].name);
                for (unsigned k = 0; k < NS_COUNTS; k++)
                        buf_printf(out, "  %s:%*s%llu\n", names[k], (int)(12 - strlen(names[k])), "",
                                   (unsigned long long)atomic_load_explicit(&s->ns[i].count[k], memory_order_relaxed));
        }
}

static void show_resolvers(struct cli_call *c)
{
        bool all = c->n_args < 3;
        struct section *s;

        pthread_mutex_lock(&resolvers_lock);
        s = all ? section_next(NULL) : section_find(c->args[2]);
        if (s)
                for (; s; s = all ? section_next(s) : NULL)
                        show_section(c->out, s);
        else
                cli_msg(c, 3, all ? "No resolvers found\n" : "Can't find that resolvers section\n");
        pthread_mutex_unlock(&resolvers_lock);
}

static const struct cli_cmd cmd = { .words = "show resolvers",
                                    .args = "[<section>]",
                                    .help = "counters of nameservers, by resolvers section",
                                    .level = CLI_USER,
                                    .run = show_resolvers };
CLI_CMD(cmd);
