/* feat/vars/rows.c - section global: `set-var`, `set-var-fmt`, tune.vars.* (manual 3.1, 3.2).
 *
 * The lines are evaluated in their order when the configuration goes into force, before the first connection is taken. A reload runs
 * those that are new or changed: what traffic or the CLI made of the other variables stays. */
#include "base/map.h"
#include "conf/conf.h"
#include "core/event.h"
#include "core/kinds.h"
#include "feat/vars/vars.h"

#include <stdlib.h>

enum { WORDS_EXPR = 2 };

static bool is_fmt(const struct kw *kw)
{
        return kw->name[sizeof("set-var") - 1] != '\0';
}

/* Conditions are for rules: here HAProxy takes the name alone. */
static bool take_name(struct kw_call *c, struct var_use *ret_use)
{
        struct str name = c->args[0].text;
        char why[VAR_WHY_MAX];

        ret_use->name = var_name_parse(name, why);
        if (!ret_use->name)
                (void)kw_fail(c, &c->args[0], "E0750", "%s.", why);
        else if (var_scope_of(ret_use->name) != VAR_PROC)
                (void)kw_fail(c, &c->args[0], "E0750",
                              "'%s': cannot set variable '%.*s', only scope 'proc' is permitted in the global section.",
                              c->kw->name, (int)name.n, name.p);
        return ret_use->name && var_scope_of(ret_use->name) == VAR_PROC;
}

static int set_parse(struct kw_call *c)
{
        struct vars_cfg *cfg = c->slot;
        struct vars_line *l = conf_alloc(c->conf, sizeof(*l));

        l->fmt = is_fmt(c->kw);
        if (c->n_args < WORDS_EXPR) {
                (void)kw_fail(c, NULL, "E0750", "'%s' requires a process-wide variable name ('proc.<name>') and a %s.",
                              c->kw->name, l->fmt ? "format string" : "sample expression");
                return -1;
        }
        if (!take_name(c, &l->set.use) || !vars_set_take(c, &c->args[1], l->fmt, EXPR_INTERNAL | EXPR_CONF, &l->set))
                return -1;
        l->name = conf_intern(c->conf, c->args[0].text);
        l->text = conf_intern(c->conf, c->args[1].text);
        l->prev = cfg->last;
        cfg->last = l;
        return WORDS_EXPR;
}

/* Their order counts, so the first of the two rows prints all. */
static void dump_lines(const struct vars_line *l, struct buf *out)
{
        if (!l)
                return;
        dump_lines(l->prev, out);
        buf_printf(out, "    %s %s ", l->fmt ? "set-var-fmt" : "set-var", l->name);
        kw_quote(out, l->text);
        buf_putc(out, '\n');
}

static void set_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        if (!is_fmt(kw))
                dump_lines(((const struct vars_cfg *)slot)->last, out);
}

#define SIZE(word, field, what)                                                                                        \
        KW_SIZE("tune.vars." word, struct vars_cfg, limits.field, 0, INT64_MAX, .apply = KW_SWAP, .manual = "3.2",     \
                .args = "<size>",                                                                                      \
                .help = "limit of the memory of variables " what "; 0: none. What would pass it is not set.")

static const struct kw rows[] = {
        KW_FN("set-var", set_parse, set_dump, .manual = "3.1", .apply = KW_LIVE, .args = "<var-name> <expr>",
              .sample = "proc.a int(1)",
              .help = "sets a variable of the process when the configuration goes into force"),
        KW_FN("set-var-fmt", set_parse, set_dump, .manual = "3.1", .apply = KW_LIVE, .args = "<var-name> <fmt>",
              .sample = "proc.a a%[int(1)]",
              .help = "sets a variable of the process to a text when the configuration goes into force"),
        SIZE("global-max-size", global, "of all scopes together"),
        SIZE("proc-max-size", proc, "of the process, its sessions included"),
        SIZE("sess-max-size", sess, "of a session, its streams included"),
        SIZE("txn-max-size", txn, "of a stream, its request and answer included"),
        SIZE("reqres-max-size", reqres, "of a request, and of an answer"),
        SIZE("check-max-size", check, "of one run of a health check"),
};
KW_TABLE(vars, KIND_GLOBAL, struct vars_cfg, rows);

/* ---- in force: control thread ---- */

static uint64_t *done; /* the lines that were run, as hashes: of the configuration in force */
static size_t n_done;

static uint64_t hash_of(const struct vars_line *l)
{
        return map_hash(str_of(l->name)) * 31 + map_hash(str_of(l->text)) * 2 + l->fmt;
}

static bool was_done(uint64_t hash)
{
        for (size_t i = 0; i < n_done; i++) {
                if (done[i] == hash)
                        return true;
        }
        return false;
}

static void run_lines(const struct vars_line *l, uint64_t *now, size_t n)
{
        static const struct expr_ctx x = { .have = EXPR_INTERNAL | EXPR_CONF, .final = true };

        if (!l)
                return;
        run_lines(l->prev, now, n - 1);
        now[n - 1] = hash_of(l);
        if (!was_done(now[n - 1]))
                vars_set_run(&l->set, &x);
}

static void on_applied(const void *event)
{
        const struct conf *c = event;
        const struct conf_obj *global = c ? conf_find(c, KIND_GLOBAL, STR("")) : NULL;
        const struct vars_cfg *cfg = global ? conf_slot(global, vars_slot) : NULL;
        uint64_t *now = NULL;
        size_t n = 0;

        for (const struct vars_line *l = cfg ? cfg->last : NULL; l; l = l->prev)
                n++;
        if (n) {
                now = calloc(n, sizeof(*now));
                ASSERT(now); /* ADR 0002 */
        }
        if (cfg)
                var_limits_set(&cfg->limits);
        run_lines(cfg ? cfg->last : NULL, now, n);
        free(done);
        done = now;
        n_done = n;
}

static const struct event_sub applied = { .type = EVENT_APPLIED, .rank = 20, .name = "vars", .fn = on_applied };
EVENT_SUB(applied);
