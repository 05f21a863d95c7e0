/* feat/persist/rules.c - `use-server`, `force-persist`, `ignore-persist`: conditions decide about the server before cookies do (manual
 * 4.2). What they decide stands in the stream's tie, and binds whatever ties later. */
#include "conf/conf.h"
#include "core/cond.h"
#include "core/hook.h"
#include "core/kinds.h"
#include "core/logfmt.h"
#include "feat/persist/persist.h"

struct persist_line {
        const struct persist_line *prev;
        const char *server;       /* use-server: as written */
        const struct logfmt *fmt; /* NULL: a plain name */
        const struct cond *cond;
        struct words words;
        struct span at;
};

struct persist_rules_cfg { /* slot "persist_rules": backends */
        const struct persist_line *use, *force, *ignore;
};
extern int persist_rules_slot;

/* Words from `from` on are the condition. */
static int append(struct kw_call *c, size_t from, struct persist_line *l, const struct persist_line **list)
{
        if (c->n_args < from + 2 || !cond_starts(&c->args[from])) {
                (void)kw_fail(c, c->n_args > from ? &c->args[from] : NULL, "E0755",
                              "'%s' requires either 'if' or 'unless' followed by a condition.", c->kw->name);
                return -1;
        }
        l->cond = cond_compile(c, c->kw->name, c->args + from, c->n_args - from, EXPR_AT_REQUEST);
        if (!l->cond)
                return -1;
        words_keep(c->conf, c->args, c->n_args, &l->words);
        l->at = c->args[0].at;
        l->prev = *list;
        *list = l;
        return (int)c->n_args;
}

static int use_parse(struct kw_call *c)
{
        struct persist_rules_cfg *cfg = c->slot;
        struct persist_line *l = conf_alloc(c->conf, sizeof(*l));

        if (c->n_args < 1) {
                (void)kw_fail(c, NULL, "E0756", "'use-server' expects a server name.");
                return -1;
        }
        l->server = conf_intern(c->conf, c->args[0].text);
        if (strchr(l->server, '%') && !(l->fmt = logfmt_compile(c, c->args[0].text, &c->args[0], EXPR_AT_REQUEST)))
                return -1;
        return append(c, 1, l, &cfg->use);
}

static int force_parse(struct kw_call *c)
{
        struct persist_rules_cfg *cfg = c->slot;

        return append(c, 0, conf_alloc(c->conf, sizeof(struct persist_line)), &cfg->force);
}

static int ignore_parse(struct kw_call *c)
{
        struct persist_rules_cfg *cfg = c->slot;

        return append(c, 0, conf_alloc(c->conf, sizeof(struct persist_line)), &cfg->ignore);
}

static void dump_lines(const char *word, const struct persist_line *l, struct buf *out)
{
        if (!l)
                return;
        dump_lines(word, l->prev, out);
        buf_printf(out, "    %s", word);
        words_dump(&l->words, out);
        buf_putc(out, '\n');
}

static void use_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        dump_lines(kw->name, ((const struct persist_rules_cfg *)slot)->use, out);
}

static void force_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        dump_lines(kw->name, ((const struct persist_rules_cfg *)slot)->force, out);
}

static void ignore_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        dump_lines(kw->name, ((const struct persist_rules_cfg *)slot)->ignore, out);
}

#define ROW(n, p, d, ...)                                                                                              \
        KW_FN(n, p, d, .kinds = KIND_BE, .warn_kinds = KIND_FRONTEND, .manual = "4.2", .apply = KW_NEW, __VA_ARGS__)

static const struct kw rows[] = {
        ROW("use-server", use_parse, use_dump, .args = "<server> { if | unless } <condition>",
            .sample = "%[str(s1)] if TRUE", .help = "Names the server for requests for which a condition holds."),
        ROW("force-persist", force_parse, force_dump, .args = "{ if | unless } <condition>", .sample = "if TRUE",
            .help = "Who is tied to a server goes there although it is down, when a condition holds."),
        ROW("ignore-persist", ignore_parse, ignore_dump, .args = "{ if | unless } <condition>", .sample = "if TRUE",
            .help = "Nothing ties the request to a server, when a condition holds."),
};

static bool has_server(const struct conf_obj *o, const char *name)
{
        for (const struct conf_obj *s = o->child; s; s = s->sibling)
                if (s->kind->bit == KIND_SERVER && strcmp(s->name, name) == 0)
                        return true;
        return false;
}

static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        (void)c;
        for (const struct persist_line *l = ((const struct persist_rules_cfg *)slot)->use; l; l = l->prev)
                if (!l->fmt && !has_server(o, l->server))
                        diag_add(d, DIAG_ALERT, l->at, "E0757",
                                 "backend '%s' : unable to find server '%s' referenced in a 'use-server' rule.",
                                 o->name, l->server)
                                ->parsing = false;
}

KW_TABLE(persist_rules, KIND_BE, struct persist_rules_cfg, rows, .check = check);

/* ---- the hook ---- */

struct program {
        bool firm;     /* option persist */
        uint32_t n[3]; /* ignore, force, use: in this order, each as declared */
        const struct persist_line *line[];
};

static const void *applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct persist_rules_cfg *cfg = conf_slot(o, persist_rules_slot);
        const struct persist_cfg *all = conf_slot(o, persist_slot);
        struct program *p;
        uint32_t n[3] = { 0 }, sum = 0;

        if (as_front || !cfg)
                return NULL;
        const struct persist_line *const lists[3] = { cfg->ignore, cfg->force, cfg->use };
        for (int i = 0; i < 3; i++) {
                for (const struct persist_line *l = lists[i]; l; l = l->prev)
                        n[i]++;
                sum += n[i];
        }
        if (sum == 0)
                return NULL;
        p = conf_alloc(c, sizeof(*p) + sum * sizeof(p->line[0]));
        p->firm = all && all->firm;
        memcpy(p->n, n, sizeof(n));
        sum = 0;
        for (int i = 0; i < 3; i++) {
                uint32_t at = sum + n[i];

                for (const struct persist_line *l = lists[i]; l; l = l->prev)
                        p->line[--at] = l;
                sum += n[i];
        }
        return p;
}

/* The first of n whose condition holds: COND_TRUE, *ret_i. */
static enum cond_answer first(const struct persist_line *const *v, uint32_t n, const struct expr_ctx *x,
                              uint32_t *ret_i)
{
        for (; *ret_i < n; (*ret_i)++) {
                enum cond_answer a = cond_run(v[*ret_i]->cond, x);

                if (a != COND_FALSE)
                        return a;
        }
        return COND_FALSE;
}

static struct server *server_of(const struct strm *s, const struct persist_line *l, const struct expr_ctx *x)
{
        char name[256];

        if (!l->fmt)
                return server_find(s->back, str_of(l->server));
        return server_find(s->back, (struct str){ name, logfmt_print(l->fmt, x, name, sizeof(name)) });
}

/* A server that is down is passed over unless it may be used all the same; a name that is made at run time and that no server has ends
 * the search (manual). */
static enum cond_answer use(struct strm *s, const struct persist_line *const *v, uint32_t n, const struct expr_ctx *x,
                            bool any)
{
        enum cond_answer a;

        for (uint32_t i = 0; (a = first(v, n, x, &i)) == COND_TRUE; i++) {
                struct server *srv = server_of(s, v[i], x);

                if (!srv)
                        return COND_FALSE;
                if (!any && !server_is_up(srv))
                        continue;
                strm_tie(s, srv, any);
                strm_tie_of(s)->fixed = true;
                return COND_TRUE;
        }
        return a;
}

static enum hook_answer run(struct strm *s, const void *arg, bool as_front)
{
        const struct program *p = arg;
        const struct persist_line *const *force = p->line + p->n[0], *const *used = force + p->n[1];
        struct strm_tie *t = strm_tie_of(s);
        struct expr_ctx x = {
                .strm = s, .sess = s->sess, .req = s->req, .have = s->req ? EXPR_AT_REQUEST : EXPR_AT_TCP, .final = true
        };
        enum cond_answer a, b;
        uint32_t i = 0, j = 0;

        (void)as_front;
        if (!t)
                return HOOK_NEXT;
        a = first(p->line, p->n[0], &x, &i);
        b = first(force, p->n[1], &x, &j);
        if (a == COND_WAIT || b == COND_WAIT)
                return HOOK_WAIT;
        t->force = b == COND_TRUE;
        if (use(s, used, p->n[2], &x, t->force || p->firm) == COND_WAIT)
                return HOOK_WAIT;
        t->ignore = a == COND_TRUE;
        return HOOK_NEXT;
}

static const struct hook hook = {
        .name = "persist rules", .rank = 50, .point = HOOK_REQUEST, .applies = applies, .run = run
};
HOOK(hook);
