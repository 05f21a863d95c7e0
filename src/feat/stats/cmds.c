/* feat/stats/cmds.c - show info, show stat, show servers state|conn, show backend on the runtime socket (management.txt 9.3). */
#include "core/cli.h"
#include "feat/stats/stats.h"

static bool word_at(const struct cli_call *c, unsigned i, const char *w)
{
        return i < c->n_args && str_is(c->args[i], w);
}

static bool has_word(const struct cli_call *c, unsigned from, const char *w)
{
        for (unsigned i = from; i < c->n_args; i++)
                if (word_at(c, i, w))
                        return true;
        return false;
}

static enum stat_form form_of(const struct cli_call *c)
{
        return has_word(c, 2, "json") ? STAT_JSON : has_word(c, 2, "typed") ? STAT_TYPED : STAT_CSV;
}

/* ---- show info ---- */
static void info_line(struct buf *out, const struct info_row *r, const struct stat_val *v, enum stat_form form,
                      bool desc)
{
        if (form == STAT_TYPED) {
                buf_printf(out, "%u.%s.1", r->pos, r->name);
                stat_typed_value(out, r->tags, v);
        } else {
                buf_printf(out, "%s: ", r->name);
                if (v->type == STAT_STR)
                        buf_str(out, v->s);
                else
                        buf_printf(out, "%llu", (unsigned long long)v->u);
        }
        if (desc)
                buf_printf(out, ":\"%s\"", r->help);
        buf_putc(out, '\n');
}

static void show_info(struct cli_call *c)
{
        enum stat_form form = form_of(c);
        bool desc = has_word(c, 2, "desc"), precise = has_word(c, 2, "float");
        struct stat_val v;

        for (unsigned i = 0; i < info_n_rows; i++) {
                info_rows[i].get(&v, precise);
                if (v.type == STAT_NONE)
                        continue;
                if (form != STAT_JSON) {
                        info_line(c->out, &info_rows[i], &v, form, desc);
                        continue;
                }
                buf_puts(c->out, i == 0 ? "[{" : ",{");
                stat_json_field(c->out, info_rows[i].pos, info_rows[i].name, info_rows[i].tags, &v);
                buf_putc(c->out, '}');
        }
        if (form == STAT_JSON)
                buf_puts(c->out, "]\n");
}

static const struct cli_cmd cmd_info = {
        .words = "show info",
        .args = "[desc|json|typed|float]*",
        .help = "facts and gauges of this process",
        .level = CLI_USER,
        .run = show_info,
};
CLI_CMD(cmd_info);

/* ---- show stat [P T S] ---- */
struct show_stat {
        struct stat_walk w;
        enum stat_form form;
};

/* Three numbers (or a proxy's name, or - for all, and two numbers) right after the command. */
static bool read_filter(struct cli_call *c, struct stat_walk *w, unsigned *at)
{
        int64_t p, t, s;

        if (c->n_args < *at + 3 || !str_to_i64(c->args[*at + 1], &t) || !str_to_i64(c->args[*at + 2], &s))
                return true;
        if (str_to_i64(c->args[*at], &p))
                w->iid = p > 0 && p < INT32_MAX ? (int)p : 0;
        else if (!str_is(c->args[*at], "-"))
                w->proxy = c->args[*at];
        if (w->proxy.n && !front_find(w->proxy) && !back_find(w->proxy)) {
                cli_msg(c, 3, "No such proxy.\n");
                return false;
        }
        w->kinds = (unsigned)t & (STAT_FRONT | STAT_BACK | STAT_SERVER);
        w->sid = s > 0 && s < INT32_MAX ? (int)s : 0;
        if (w->sid && !((unsigned)t & STAT_SERVER))
                w->sid = 0;
        *at += 3;
        return true;
}

static void show_stat(struct cli_call *c)
{
        struct show_stat *s = arena_alloc(c->mem, sizeof(*s));
        unsigned at = 2;

        s->w.kinds = STAT_FRONT | STAT_BACK | STAT_SERVER;
        if (word_at(c, at, "domain")) {
                if (!word_at(c, at + 1, "proxy")) {
                        cli_msg(c, 3, "Invalid statistics domain.\n");
                        return;
                }
                at += 2;
        }
        if (!read_filter(c, &s->w, &at))
                return;
        if (s->w.sid)
                s->w.kinds = STAT_SERVER;
        s->form = form_of(c);
        s->w.up = has_word(c, at, "up");
        s->w.no_maint = has_word(c, at, "no-maint");
        s->w.desc = has_word(c, at, "desc");
        s->w.legends = *c->level >= CLI_OPERATOR;
        c->state = s;
}

static bool more_stat(struct cli_call *c)
{
        struct show_stat *s = c->state;

        return s && stat_walk_print(&s->w, s->form, c->out, 12000);
}

static const struct cli_cmd cmd_stat = {
        .words = "show stat",
        .args = "[desc|json|no-maint|typed|up]*",
        .help = "counters of all proxies and servers, or of those chosen",
        .level = CLI_USER,
        .run = show_stat,
        .more = more_stat,
};
CLI_CMD(cmd_stat);

/* ---- servers ---- */
static void start_servers(struct cli_call *c)
{
        struct servers_walk *w;

        if (c->n_args > 3 && !back_find(c->args[3])) {
                cli_msg(c, 3, "Can't find backend.\n");
                return;
        }
        w = arena_alloc(c->mem, sizeof(*w));
        if (c->n_args > 3)
                w->backend = c->args[3];
        c->state = w;
}

static bool more_state(struct cli_call *c)
{
        return c->state && servers_state_print(c->state, c->out, 12000);
}

static bool more_conn(struct cli_call *c)
{
        return c->state && servers_conn_print(c->state, c->out, 12000);
}

static const struct cli_cmd cmd_state = {
        .words = "show servers state",
        .args = "[<backend>]",
        .help = "states, weights and addresses that may change at run time",
        .level = CLI_USER,
        .run = start_servers,
        .more = more_state,
};
CLI_CMD(cmd_state);

static const struct cli_cmd cmd_conn = {
        .words = "show servers conn",
        .args = "[<backend>]",
        .help = "connections to servers, used and idle",
        .level = CLI_USER,
        .run = start_servers,
        .more = more_conn,
};
CLI_CMD(cmd_conn);

static void show_backend(struct cli_call *c)
{
        c->state = arena_alloc(c->mem, sizeof(int));
        buf_puts(c->out, "# name\n");
}

static bool more_backend(struct cli_call *c)
{
        int *at = c->state;
        const struct world_px *p;

        for (int n = 0; n < 200; n++) {
                p = stats_next_px(*at);
                if (!p)
                        return false;
                *at = p->iid;
                if (p->back)
                        buf_printf(c->out, "%s\n", p->back->cell.name);
        }
        return true;
}

static const struct cli_cmd cmd_backend = {
        .words = "show backend",
        .args = "",
        .help = "names of all backends",
        .level = CLI_USER,
        .run = show_backend,
        .more = more_backend,
};
CLI_CMD(cmd_backend);
