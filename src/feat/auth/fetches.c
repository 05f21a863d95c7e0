/* feat/auth/fetches.c - http_auth and its kin (manual 7.3.6). */
#include "feat/auth/auth.h"

#define FETCH(fn)                                                                                                      \
        static enum expr_answer fn(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,             \
                                   struct smp *ret_smp)
#define UNUSED (void)x, (void)args, (void)n_args

static bool basic(const struct expr_ctx *x, struct auth_said *ret_a)
{
        return x->req && auth_said(x->req, STR("authorization"), ret_a) && str_is(ret_a->type, "Basic");
}

/* The sample outlives what was decoded for it. */
static enum expr_answer lend(struct smp *s, struct str v)
{
        size_t room;
        char *p = expr_scratch(&room);

        if (v.n > room)
                return EXPR_MISS;
        if (v.n)
                memcpy(p, v.p, v.n);
        smp_str(s, (struct str){ p, v.n });
        return EXPR_OK;
}

/* The list is looked for when all of the file was read. */
static bool list_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        struct auth_cfg *cfg = conf_slot_edit(c->conf, c->obj, auth_slot);
        struct auth_ref *r = conf_alloc(c->conf, sizeof(*r));

        (void)n_args;
        *r = (struct auth_ref){ .prev = cfg->refs,
                                .name = conf_intern(c->conf, (struct str){ args[0].s, args[0].n }),
                                .at = at ? at->at : c->at };
        cfg->refs = r;
        args[0].ptr = r;
        return true;
}

/* AUTH_NO without a user: there are no credentials. */
static enum auth_answer who(const struct expr_ctx *x, const struct auth_ref *r, const struct auth_cfg **ret_list,
                            const struct auth_user **ret_user, bool *ret_said)
{
        struct auth_said a;

        *ret_user = NULL;
        *ret_list = auth_list(r);
        *ret_said = basic(x, &a);
        return *ret_said && *ret_list && x->strm ? auth_check(x->strm, *ret_list, &a, ret_user) : AUTH_NO;
}

FETCH(http_auth)
{
        const struct auth_cfg *list;
        const struct auth_user *u;
        bool said;
        enum auth_answer r = who(x, args[0].ptr, &list, &u, &said);

        UNUSED;
        if (!said)
                return EXPR_MISS;
        if (r == AUTH_WAIT)
                return EXPR_WAIT;
        smp_bool(ret_smp, r == AUTH_YES);
        return EXPR_OK;
}

struct nth {
        uint64_t skip;
        struct str group;
        bool more;
};

static bool take_nth(void *ctx, struct str group)
{
        struct nth *n = ctx;

        if (n->skip > 0) {
                n->skip--;
                return false;
        }
        n->more = n->group.p != NULL;
        if (!n->more)
                n->group = group;
        return n->more;
}

/* In a condition each of the user's groups is a value; elsewhere the user's name is the one. */
FETCH(http_auth_group)
{
        struct nth n = { .skip = ret_smp->iter };
        const struct auth_cfg *list;
        const struct auth_user *u;
        bool said;
        enum auth_answer r = who(x, args[0].ptr, &list, &u, &said);

        UNUSED;
        if (r == AUTH_WAIT)
                return EXPR_WAIT;
        if (r != AUTH_YES)
                return EXPR_MISS;
        if (!x->iterate)
                return lend(ret_smp, str_of(u->name));
        (void)auth_groups(list, u, take_nth, &n);
        if (!n.group.p)
                return EXPR_MISS;
        ret_smp->iter++;
        ret_smp->more = n.more;
        return lend(ret_smp, n.group);
}

FETCH(http_auth_user)
{
        struct auth_said a;

        UNUSED;
        return basic(x, &a) ? lend(ret_smp, a.user) : EXPR_MISS;
}

FETCH(http_auth_pass)
{
        struct auth_said a;

        UNUSED;
        return basic(x, &a) ? lend(ret_smp, a.password) : EXPR_MISS;
}

FETCH(http_auth_type)
{
        struct auth_said a;

        UNUSED;
        if (!x->req || !auth_said(x->req, STR("authorization"), &a))
                return EXPR_MISS;
        smp_str(ret_smp, a.type);
        return EXPR_OK;
}

static bool bearer_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        char *lower;

        (void)at;
        if (n_args == 0)
                return true;
        lower = conf_alloc(c->conf, args[0].n + 1);
        for (uint32_t i = 0; i < args[0].n; i++)
                lower[i] = (char)chr_lower((unsigned char)args[0].s[i]);
        args[0].s = lower;
        return true;
}

FETCH(http_auth_bearer)
{
        struct str field = n_args ? (struct str){ args[0].s, args[0].n } : STR("authorization");
        struct auth_said a;

        UNUSED;
        if (!x->req || !auth_said(x->req, field, &a) || !a.token.n)
                return EXPR_MISS;
        return lend(ret_smp, a.token);
}

static const struct fetch rows[] = {
        { .name = "http_auth",
          .args = { ARG_STR },
          .min_args = 1,
          .check = list_check,
          .out = SMP_BOOL,
          .needs = EXPR_REQ_HEAD,
          .fn = http_auth,
          .manual = "7.3.6",
          .help = "do name and password of the request fit a user of the userlist" },
        { .name = "http_auth_group",
          .args = { ARG_STR },
          .min_args = 1,
          .check = list_check,
          .out = SMP_STR,
          .needs = EXPR_REQ_HEAD,
          .fn = http_auth_group,
          .manual = "7.3.6",
          .help = "in a condition the groups of that user, else the user's name" },
        { .name = "http_auth_user",
          .out = SMP_STR,
          .needs = EXPR_REQ_HEAD,
          .fn = http_auth_user,
          .manual = "7.3.6",
          .help = "the name that the request gives (Basic)" },
        { .name = "http_auth_pass",
          .out = SMP_STR,
          .needs = EXPR_REQ_HEAD,
          .fn = http_auth_pass,
          .manual = "7.3.6",
          .help = "the password that the request gives (Basic)" },
        { .name = "http_auth_type",
          .out = SMP_STR,
          .needs = EXPR_REQ_HEAD,
          .fn = http_auth_type,
          .manual = "7.3.6",
          .help = "Basic or Bearer" },
        { .name = "http_auth_bearer",
          .args = { ARG_STR },
          .check = bearer_check,
          .out = SMP_STR,
          .needs = EXPR_REQ_HEAD,
          .fn = http_auth_bearer,
          .manual = "7.3.6",
          .help = "the token that the request gives (Bearer), in Authorization or the field named" },
};
FETCH_TABLE(auth, rows);
