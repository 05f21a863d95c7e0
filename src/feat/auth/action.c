/* feat/auth/action.c - `http-request auth` (manual 4.4): asks for a name and a password. */
#include "core/page.h"
#include "core/rules.h"
#include "core/strm_priv.h"

#include "conf/conf.h"

static int auth_parse(struct rule_call *c, const void **ret_arg)
{
        *ret_arg = NULL;
        if (c->n < 1 || !str_is(c->w[0].text, "realm"))
                return 0;
        if (c->n < 2)
                return rule_fail(c, &c->w[0], "missing realm value");
        *ret_arg = conf_intern(c->kw->conf, c->w[1].text);
        return 2;
}

/* A quoted string (RFC 9110 5.6.4) behind "Basic realm=". */
static struct str challenge(const char *realm, char *room, size_t n)
{
        static const struct str before = { "Basic realm=\"", 13 };
        size_t at = before.n;

        memcpy(room, before.p, before.n);
        for (; *realm && at + 3 < n; realm++) {
                if (*realm == '"' || *realm == '\\')
                        room[at++] = '\\';
                room[at++] = *realm;
        }
        room[at++] = '"';
        return (struct str){ room, at };
}

/* The page for 401, as it is, with this challenge instead of those that it has (manual). */
static void ask(struct strm *s, const struct expr_ctx *x, struct str value)
{
        static const char body[] =
                "<html><body><h1>401 Unauthorized</h1>\nYou need a valid user and password to access "
                "this content.\n</body></html>\n";
        static const struct page_field plain[] = { { STR("cache-control"), STR("no-cache"), NULL } };
        static const struct page builtin = { .form = PAGE_MADE,
                                             .status = 401,
                                             .type = { "text/html", 9 },
                                             .body = { body, sizeof(body) - 1 },
                                             .n_fields = 1,
                                             .field = plain };
        const struct page *of = page_of_stream(s, 401);
        struct page_field f[PAGE_FIELDS_MAX + 1];
        struct page p = of ? *of : builtin;

        p.n_fields = 0;
        for (unsigned i = 0; i < (of ? of : &builtin)->n_fields && p.n_fields < PAGE_FIELDS_MAX - 1; i++)
                if (!str_is(p.field[i].name, "www-authenticate"))
                        f[p.n_fields++] = p.field[i];
        f[p.n_fields++] = (struct page_field){ STR("www-authenticate"), value, NULL };
        p.field = f;
        page_send(s, &p, x);
}

static enum rule_answer auth_run(const void *arg, struct rule_ctx *x)
{
        struct strm *s = x->strm;
        const char *realm = arg ? arg : x->as_front ? s->front->cell.name : s->back->cell.name;
        char room[1024];

        strm_term(s, 'L', 'R');
        ask(s, &x->x, challenge(realm, room, sizeof(room)));
        return RULE_TAKEN;
}

static const struct action rows[] = {
        { .name = "auth",
          .points = RULE_ON(HTTP_REQUEST),
          .parse = auth_parse,
          .run = auth_run,
          .manual = "4.4",
          .args = "[realm <realm>]",
          .help = "asks for name and password; the realm is the proxy's name when none is given" },
};
ACTION_TABLE(auth, rows);
