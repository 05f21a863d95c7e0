/* feat/stats/page_rules.c - `stats admin` and `stats http-request`: who may change servers by the page, who may see it (manual 4.2). */
#include "feat/stats/page_rules.h"

#include "conf/conf.h"

static void append(struct kw_call *c, struct stats_rule r, const struct stats_rule **list)
{
        struct stats_rule *copy = conf_alloc(c->conf, sizeof(*copy));

        words_keep(c->conf, c->args, c->n_args, &r.words);
        r.prev = *list;
        *copy = r;
        *list = copy;
}

int stats_admin_parse(struct kw_call *c)
{
        struct stats_cfg *s = c->slot;
        struct stats_rule r = { .what = STATS_ALLOW };

        if (c->n_args < 2 || !cond_starts(&c->args[0])) {
                (void)kw_fail(c, c->n_args ? &c->args[0] : NULL, "E0804",
                              "'stats admin' requires either 'if' or 'unless' followed by a condition.");
                return -1;
        }
        r.cond = cond_compile(c, "a 'stats admin' rule", c->args, c->n_args, EXPR_AT_REQUEST);
        if (!r.cond)
                return -1;
        append(c, r, &s->admin);
        s->enable = true;
        return (int)c->n_args;
}

/* Words of the action; -1 after an alert. */
static int access_action(struct kw_call *c, struct stats_rule *r)
{
        static const char *const names[] = { "allow", "deny", "auth" };

        for (unsigned i = 0; i < array_len(names); i++) {
                if (c->n_args == 0 || !str_is(c->args[0].text, names[i]))
                        continue;
                r->what = (enum stats_access)i;
                if (r->what != STATS_AUTH || c->n_args < 2 || !str_is(c->args[1].text, "realm"))
                        return 1;
                if (c->n_args < 3 || !stats_realm_ok(c->args[2].text)) {
                        (void)kw_fail(c, &c->args[c->n_args < 3 ? 1 : 2], "E0802",
                                      "'realm' expects at most 200 printable characters.");
                        return -1;
                }
                r->realm = conf_intern(c->conf, c->args[2].text);
                return 3;
        }
        (void)kw_fail(c, c->n_args ? &c->args[0] : NULL, "E0805",
                      "'stats http-request' expects 'allow', 'deny' or 'auth'.");
        return -1;
}

int stats_access_parse(struct kw_call *c)
{
        struct stats_cfg *s = c->slot;
        struct stats_rule r = { 0 };
        int n = access_action(c, &r);

        if (n < 0)
                return n;
        if ((size_t)n < c->n_args && !cond_starts(&c->args[n])) {
                (void)kw_fail(c, &c->args[n], "E0806",
                              "'stats http-request' expects either 'if' or 'unless' followed by a condition but found "
                              "'%.*s'.",
                              (int)c->args[n].text.n, c->args[n].text.p);
                return -1;
        }
        if ((size_t)n < c->n_args) {
                r.cond = cond_compile(c, "a 'stats http-request' rule", c->args + n, c->n_args - (size_t)n,
                                      EXPR_AT_REQUEST);
                if (!r.cond)
                        return -1;
        }
        append(c, r, &s->access);
        s->enable = true;
        return (int)c->n_args;
}

static void dump(const struct stats_rule *r, const char *word, struct buf *out)
{
        if (!r)
                return;
        dump(r->prev, word, out);
        buf_printf(out, "    stats %s", word);
        words_dump(&r->words, out);
        buf_putc(out, '\n');
}

void stats_admin_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw;
        dump(((const struct stats_cfg *)slot)->admin, "admin", out);
}

void stats_access_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw;
        dump(((const struct stats_cfg *)slot)->access, "http-request", out);
}

struct stats_rules {
        uint32_t n;
        const struct stats_rule *rule[];
};

const struct stats_rules *stats_rules_compile(struct conf *c, const struct stats_rule *last)
{
        struct stats_rules *list;
        uint32_t n = 0;

        for (const struct stats_rule *r = last; r; r = r->prev)
                n++;
        if (n == 0)
                return NULL;
        list = conf_alloc(c, sizeof(*list) + n * sizeof(list->rule[0]));
        list->n = n;
        for (const struct stats_rule *r = last; r; r = r->prev)
                list->rule[--n] = r;
        return list;
}

enum cond_answer stats_rules_first(const struct stats_rules *list, struct strm *s, const struct stats_rule **ret_rule)
{
        struct expr_ctx x = { .strm = s, .sess = s->sess, .req = s->req, .have = EXPR_AT_REQUEST, .final = true };

        *ret_rule = NULL;
        for (uint32_t i = 0; list && i < list->n; i++) {
                const struct stats_rule *r = list->rule[i];
                enum cond_answer a = r->cond ? cond_run(r->cond, &x) : COND_TRUE;

                if (a == COND_TRUE)
                        *ret_rule = r;
                if (a != COND_FALSE)
                        return a;
        }
        return COND_FALSE;
}
