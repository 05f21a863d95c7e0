/* feat/maps/actions.c - add-acl, del-acl, set-map, del-map (manual 4.4): rules that change sets of patterns, until the next load.
 *
 * A set that a rule changes is also indexed by its keys, so that one rule costs one look-up, however large the set. */
#include "conf/conf.h"
#include "core/pat.h"
#include "core/rules.h"

enum { KEY_MAX = 4096, VALUE_MAX = 16384 };

struct edit {
        struct pat_expr *by_key;
        const struct logfmt *key, *value;
};

/* "set-map(file)" -> "file". */
static struct str set_name(const struct word *w)
{
        const char *open = memchr(w->text.p, '(', w->text.n);
        size_t at = open ? (size_t)(open - w->text.p) + 1 : w->text.n;

        if (!open || w->text.p[w->text.n - 1] != ')')
                return (struct str){ "", 0 };
        return str_sub(w->text, at, w->text.n - at - 1);
}

static int parse(struct rule_call *c, bool map, unsigned formats, const void **ret_arg)
{
        const struct word *w = &c->kw->args[0];
        struct str name = set_name(w);
        struct edit *e = conf_alloc(c->kw->conf, sizeof(*e));
        struct pat_ref *r;

        if (name.n == 0)
                return rule_fail(c, w, "expects the name of a file in parentheses");
        if (c->n < formats)
                return rule_fail(c, w, formats == 2 ? "expects exactly 2 arguments" : "expects exactly 1 argument");
        r = pat_ref_get(c->kw, name, w, map);
        e->by_key = r ? pat_expr_new(c->kw, r, ACL_STR, false, PAT_STR, w) : NULL;
        e->key = e->by_key ? rule_format(c, &c->w[0]) : NULL;
        e->value = e->key && formats == 2 ? rule_format(c, &c->w[1]) : NULL;
        *ret_arg = e;
        return e->key && (formats == 1 || e->value) ? (int)formats : -1;
}

static int parse_acl(struct rule_call *c, const void **ret_arg)
{
        return parse(c, false, 1, ret_arg);
}

static int parse_map_key(struct rule_call *c, const void **ret_arg)
{
        return parse(c, true, 1, ret_arg);
}

static int parse_map(struct rule_call *c, const void **ret_arg)
{
        return parse(c, true, 2, ret_arg);
}

static struct str printed(const struct logfmt *f, const struct rule_ctx *x, char *room, size_t n)
{
        return (struct str){ room, logfmt_print(f, &x->x, room, n) };
}

/* What is no pattern or value for another use of the set changes nothing. */
static enum rule_answer run_put(const void *arg, struct rule_ctx *x)
{
        const struct edit *e = arg;
        char key[KEY_MAX], value[VALUE_MAX], why[PAT_WHY_MAX];
        struct str v = e->value ? printed(e->value, x, value, sizeof(value)) : (struct str){ "", 0 };

        (void)pat_put(e->by_key, printed(e->key, x, key, sizeof(key)), v, why);
        return RULE_NEXT;
}

static enum rule_answer run_take(const void *arg, struct rule_ctx *x)
{
        const struct edit *e = arg;
        char key[KEY_MAX];

        pat_take(e->by_key, printed(e->key, x, key, sizeof(key)));
        return RULE_NEXT;
}

#define MESSAGES (RULE_ON(HTTP_REQUEST) | RULE_ON(HTTP_RESPONSE))

static const struct action rows[] = {
        { .name = "add-acl",
          .points = MESSAGES,
          .parse = parse_acl,
          .run = run_put,
          .args = "(<file>) <key>",
          .manual = "4.4",
          .help = "Adds a pattern to the set of an ACL's file, unless it is there." },
        { .name = "del-acl",
          .points = MESSAGES,
          .parse = parse_acl,
          .run = run_take,
          .args = "(<file>) <key>",
          .manual = "4.4",
          .help = "Takes a pattern out of the set of an ACL's file." },
        { .name = "del-map",
          .points = MESSAGES | RULE_ON(HTTP_AFTER),
          .parse = parse_map_key,
          .run = run_take,
          .args = "(<file>) <key>",
          .manual = "4.4",
          .help = "Takes an entry out of a map." },
        { .name = "set-map",
          .points = MESSAGES | RULE_ON(HTTP_AFTER),
          .parse = parse_map,
          .run = run_put,
          .args = "(<file>) <key> <value>",
          .manual = "4.4",
          .help = "Sets the value of a map's entry, which is added when it is not there." },
};
ACTION_TABLE(maps, rows);
