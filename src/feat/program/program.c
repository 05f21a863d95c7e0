/* feat/program/program.c - section `program` (HAProxy 1.9 to 3.2): an external program that HAProxy's master ran beside the worker.
 *
 * Who has one has the Data Plane API in it. Its job will be done by this program itself, so that command is taken and not started, with a
 * warning; any other command is refused, since whoever wrote it counts on it to run.  Threads: loading only. */
#include "conf/conf.h"
#include "core/kinds.h"

#define KIND_PROGRAM ((kind_mask)1 << 21)

struct program_cfg {         /* slot "program" */
        const char *command; /* all words, each quoted as needed */
        const char *user, *group;
        bool no_start_on_reload;
};

static struct str base_name(struct str path)
{
        size_t i = path.n;

        while (i > 0 && path.p[i - 1] != '/')
                i--;
        return str_sub(path, i, path.n - i);
}

static int command_parse(struct kw_call *c)
{
        struct program_cfg *p = c->slot;
        struct str name;
        AUTO_BUF(b);

        if (c->n_args == 0 || c->args[0].text.n == 0) {
                kw_fail(c, NULL, "E0110", "'command' expects a program and its arguments.");
                return -1;
        }
        for (size_t i = 0; i < c->n_args; i++) {
                if (i)
                        buf_putc(&b, ' ');
                kw_quote(&b, conf_intern(c->conf, c->args[i].text));
        }
        p->command = conf_intern(c->conf, buf_view(&b));
        name = base_name(c->args[0].text);
        if (str_is(name, "dataplaneapi") || str_is(name, "dataplaneapi-v2")) {
                kw_warn(c, &c->args[0], "W0260",
                        "the Data Plane API is not started: its interface is to come with a REST API of the program's own, "
                        "and until then nothing answers there.");
                return (int)c->n_args;
        }
        kw_fail(c, &c->args[0], "E0260",
                "'%.*s' would not be started: no program beside the worker is run here. Have the service manager start it, "
                "and remove this section.",
                (int)c->args[0].text.n, c->args[0].text.p);
        return -1;
}

static void command_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct program_cfg *p = slot;

        if (p->command)
                buf_printf(out, "    %s %s\n", kw->name, p->command);
}

static int start_parse(struct kw_call *c)
{
        ((struct program_cfg *)c->slot)->no_start_on_reload = c->no;
        return 0;
}

static void start_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (((const struct program_cfg *)slot)->no_start_on_reload)
                buf_printf(out, "    no %s\n", kw->name);
}

static const struct conf_kind kind_program = {
        .name = "program", .bit = KIND_PROGRAM, .section = true, .named = true, .clash = "program"
};
CONF_KIND(kind_program);

static const struct kw rows[] = {
        KW_FN("command", command_parse, command_dump, .apply = KW_LIVE, .args = "<program> [<arguments>...]",
              .sample = "/usr/bin/dataplaneapi --port 5555",
              .help = "Data Plane API: taken, but not started; any other program is refused", .until = "3.2"),
        KW_FN("option start-on-reload", start_parse, start_dump, .no_ok = true, .apply = KW_LIVE, .sample = "",
              .help = "no effect: the program is never started", .until = "3.2"),
        KW_STR("user", struct program_cfg, user, .min = 1, .apply = KW_LIVE, .args = "<name>",
               .help = "no effect: the program is never started", .until = "3.2"),
        KW_STR("group", struct program_cfg, group, .min = 1, .apply = KW_LIVE, .args = "<name>",
               .help = "no effect: the program is never started", .until = "3.2"),
};

/* Nothing is started either way. */
static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        (void)c;
        if (!((const struct program_cfg *)slot)->command)
                diag_add(d, DIAG_WARNING, o->at, "W0261", "The program section '%s' lacks a command to launch.",
                         o->name);
}

KW_TABLE(program, KIND_PROGRAM, struct program_cfg, rows, .check = check);
