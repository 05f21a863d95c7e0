/* feat/vars/cmds.c - `get var`, `set var` (management.txt 9.3).
 *
 * What `set var` is given is compiled as a line of section global, by a load of its own. A worker that comes after this one gets the
 * value, not the expression: "set var proc.x <type> x<bytes in hexadecimal>". */
#include "conf/conf.h"
#include "core/cli.h"
#include "core/kinds.h"
#include "feat/vars/vars.h"

#include <stdio.h>

static const char *const types[SMP_TYPES] = {
        [SMP_BOOL] = "bool", [SMP_SINT] = "sint", [SMP_IPV4] = "ipv4", [SMP_IPV6] = "ipv6",
        [SMP_STR] = "str",   [SMP_BIN] = "bin",   [SMP_METH] = "meth"
};

static const struct expr_ctx here = { .have = EXPR_INTERNAL | EXPR_CONF, .final = true };

/* ---- get var ---- */

static void get_var(struct cli_call *c)
{
        char why[VAR_WHY_MAX];
        const struct var_name *n;
        struct smp s;
        const char *type;

        if (c->n_args < 3) {
                cli_msg(c, 3, "Missing process-wide variable identifier.\n");
                return;
        }
        n = var_name_parse(c->args[2], why);
        if (!n || var_scope_of(n) != VAR_PROC || !var_get(n, &here, &s)) {
                cli_msg(c, 3, "Variable not found.\n");
                return;
        }
        type = types[s.type];
        if (smp_cast(&s, SMP_STR))
                buf_printf(c->out, "%.*s: type=%s value=<%.*s>\n", (int)c->args[2].n, c->args[2].p, type, (int)s.s.n,
                           s.s.p);
}

static const struct cli_cmd cmd_get = { .words = "get var",
                                        .args = "<name>",
                                        .help = "type and value of a variable of the process",
                                        .level = CLI_OPERATOR,
                                        .run = get_var };
CLI_CMD(cmd_get);

/* ---- set var ---- */

static void journal(struct cli_call *c, const struct var_name *n)
{
        char hex[512], key[128];
        const char *type;
        struct smp s;

        if (!var_get(n, &here, &s))
                return;
        type = types[s.type];
        if (s.type != SMP_BIN && !smp_cast(&s, SMP_STR))
                return;
        if (s.s.n * 2 >= sizeof(hex) || var_text(n).n + 4 >= sizeof(key))
                return; /* the journal keeps short lines: after a crash the file's value counts */
        hex[0] = '\0';
        for (uint32_t i = 0; i < s.s.n; i++)
                (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)s.s.p[i]);
        (void)snprintf(key, sizeof(key), "var %s", var_text(n).p);
        cli_journal(c, key, "set var %s %s x%s", var_text(n).p, type, hex);
}

/* "x6162" */
static bool unhex(struct str in, char *out, size_t *ret_n)
{
        if (in.n % 2 == 0 || in.p[0] != 'x' || in.n > 1024)
                return false;
        for (size_t i = 1; i < in.n; i += 2) {
                unsigned v = 0;

                for (size_t k = i; k < i + 2; k++) {
                        unsigned char l = chr_lower((unsigned char)in.p[k]);

                        if (!chr_is_digit(in.p[k]) && (l < 'a' || l > 'f'))
                                return false;
                        v = v * 16 + (unsigned)(chr_is_digit(in.p[k]) ? in.p[k] - '0' : l - 'a' + 10);
                }
                out[i / 2] = (char)v;
        }
        *ret_n = in.n / 2;
        return true;
}

/* From the journal. */
static void set_again(const struct var_name *n, struct str type, struct str hex)
{
        char bytes[512];
        struct smp s;
        size_t len;

        if (!unhex(hex, bytes, &len))
                return;
        for (unsigned t = 0; t < SMP_TYPES; t++) {
                if (!types[t] || !str_is(type, types[t]))
                        continue;
                smp_str(&s, (struct str){ bytes, len });
                if (t == SMP_BIN)
                        s.type = SMP_BIN;
                if (smp_cast(&s, (enum smp_type)t))
                        (void)var_set(n, &here, &s);
        }
}

static void say_why(struct cli_call *c, struct diags *d)
{
        list_for_each (i, &d->all) {
                const struct diag *g = list_item(i, struct diag, link);

                if (g->level != DIAG_ALERT)
                        continue;
                cli_msg(c, 3, "%s\n", g->text);
                return;
        }
}

static void eval(struct cli_call *c, const struct var_name *n, struct str text, bool fmt)
{
        static const char *const files[] = { "cli" };
        static const struct conf_opts opts = { .version = "3.4.0" };
        struct vfs *v = vfs_new_memory();
        const struct vars_cfg *cfg;
        struct diags d;
        struct conf *f;
        AUTO_BUF(line);

        diags_init(&d);
        buf_printf(&line, "global\n    %s %s ", fmt ? "set-var-fmt" : "set-var", var_text(n).p);
        kw_quote(&line, arena_strdup(c->mem, text));
        buf_putc(&line, '\n');
        vfs_add(v, VFS_CONFIG, files[0], buf_view(&line));
        f = conf_load(v, files, 1, &opts, &d);
        if (f) {
                cfg = conf_slot(conf_find(f, KIND_GLOBAL, STR("")), vars_slot);
                vars_set_run(&cfg->last->set, &here);
                conf_put(f);
                journal(c, n);
        } else {
                say_why(c, &d);
        }
        diags_fini(&d);
        vfs_free(v);
}

static const struct var_name *name_arg(struct cli_call *c)
{
        char why[VAR_WHY_MAX];
        const struct var_name *n;

        if (c->n_args < 3) {
                cli_msg(c, 3, "Missing process-wide variable identifier.\n");
                return NULL;
        }
        n = var_name_parse(c->args[2], why);
        if (!n)
                cli_msg(c, 3, "%s.\n", why);
        else if (var_scope_of(n) != VAR_PROC)
                cli_msg(c, 3, "'set var': cannot set variable '%s', only scope 'proc' is permitted here.\n",
                        var_text(n).p);
        return n && var_scope_of(n) == VAR_PROC ? n : NULL;
}

static void set_var(struct cli_call *c)
{
        const struct var_name *n = name_arg(c);

        if (!n)
                return;
        if (c->n_args < 4)
                cli_msg(c, 3, "Missing either 'expr', 'fmt' or expression.\n");
        else if (c->n_args == 4)
                eval(c, n, c->args[3], false);
        else if (c->replay)
                set_again(n, c->args[3], c->args[4]);
        else if (str_is(c->args[3], "expr") || str_is(c->args[3], "fmt"))
                eval(c, n, c->args[4], c->args[3].p[0] == 'f');
        else
                cli_msg(c, 3, "'set var': arg type must be either 'expr' or 'fmt' but got '%.*s'.\n", (int)c->args[3].n,
                        c->args[3].p);
}

static const struct cli_cmd cmd_set = { .words = "set var",
                                        .args = "<name> [expr|fmt] <expression|format>",
                                        .help = "sets a variable of the process",
                                        .level = CLI_OPERATOR,
                                        .experimental = true,
                                        .journal = "* bool|sint|ipv4|ipv6|str|bin|meth *",
                                        .run = set_var };
CLI_CMD(cmd_set);
