/* feat/auth/userlist.c - `userlist` sections: group, user (manual 3.4), and who is in them. */
#include "feat/auth/auth.h"

#include "base/epoch.h"
#include "core/event.h"
#include "core/kinds.h"
#include "core/retire.h"

#include <crypt.h>

/* Words behind a name: "users a,b". */
static const char *take_list(struct kw_call *c, size_t i, const char *word)
{
        if (i + 1 >= c->n_args || !str_is(c->args[i].text, word))
                return NULL;
        return conf_intern(c->conf, c->args[i + 1].text);
}

static bool in_list(const char *list, struct str name)
{
        struct str rest = str_of(list ? list : "");

        while (rest.n) {
                const char *comma = memchr(rest.p, ',', rest.n);
                size_t n = comma ? (size_t)(comma - rest.p) : rest.n;

                if (str_eq(str_sub(rest, 0, n), name))
                        return true;
                n += comma != NULL;
                rest = str_sub(rest, n, rest.n - n);
        }
        return false;
}

static int group_parse(struct kw_call *c)
{
        struct auth_cfg *cfg = c->slot;
        struct auth_group *g = conf_alloc(c->conf, sizeof(*g));

        if (c->n_args < 1) {
                (void)kw_fail(c, NULL, "E0780", "'group' expects <name> as argument.");
                return -1;
        }
        g->name = conf_intern(c->conf, c->args[0].text);
        for (const struct auth_group *o = cfg->groups; o; o = o->next) {
                if (strcmp(o->name, g->name) == 0) {
                        (void)kw_warn(c, &c->args[0], "W0780", "ignoring duplicated group '%s' in userlist '%s'.",
                                      g->name, c->obj->name);
                        return (int)c->n_args;
                }
        }
        g->users = take_list(c, 1, "users");
        if (c->n_args > (g->users ? 3 : 1)) {
                (void)kw_fail(c, &c->args[g->users ? 3 : 1], "E0781", "'group' only supports 'users' option.");
                return -1;
        }
        g->next = cfg->groups;
        cfg->groups = g;
        return (int)c->n_args;
}

static bool take_password(struct kw_call *c, struct auth_user *u, size_t i)
{
        u->plain = str_is(c->args[i].text, "insecure-password");
        if (i + 1 >= c->n_args) {
                (void)kw_fail(c, &c->args[i], "E0782", "'%.*s' expects <password> as argument.", (int)c->args[i].text.n,
                              c->args[i].text.p);
                return false;
        }
        u->password = conf_intern(c->conf, c->args[i + 1].text);
        if (u->plain || crypt_checksalt(u->password) != CRYPT_SALT_INVALID)
                return true;
        (void)kw_fail(c, &c->args[i + 1], "E0783", "'%s' : unknown encryption algorithm of the password of user '%s'.",
                      c->obj->name, u->name);
        return false;
}

static int user_parse(struct kw_call *c)
{
        struct auth_cfg *cfg = c->slot;
        struct auth_user *u = conf_alloc(c->conf, sizeof(*u));

        if (c->n_args < 1) {
                (void)kw_fail(c, NULL, "E0784", "'user' expects <name> as argument.");
                return -1;
        }
        u->name = conf_intern(c->conf, c->args[0].text);
        for (const struct auth_user *o = cfg->users; o; o = o->next) {
                if (strcmp(o->name, u->name) == 0) {
                        (void)kw_warn(c, &c->args[0], "W0781", "ignoring duplicated user '%s' in userlist '%s'.",
                                      u->name, c->obj->name);
                        return (int)c->n_args;
                }
        }
        for (size_t i = 1; i < c->n_args; i += 2) {
                struct str w = c->args[i].text;

                if (str_is(w, "password") || str_is(w, "insecure-password")) {
                        if (!take_password(c, u, i))
                                return -1;
                } else if (!(u->groups = take_list(c, i, "groups"))) {
                        (void)kw_fail(c, &c->args[i], "E0785",
                                      "'user' only supports 'password', 'insecure-password' and 'groups' options.");
                        return -1;
                }
        }
        u->next = cfg->users;
        cfg->users = u;
        return (int)c->n_args;
}

static void dump_group(const struct auth_group *g, struct buf *out)
{
        if (!g)
                return;
        dump_group(g->next, out);
        buf_printf(out, "    group %s%s%s\n", g->name, g->users ? " users " : "", g->users ? g->users : "");
}

static void groups_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw;
        dump_group(((const struct auth_cfg *)slot)->groups, out);
}

static void dump_word(struct buf *out, const char *word) /* '$' and blanks in single quotes */
{
        buf_putc(out, '\'');
        for (; *word; word++) {
                if (*word == '\'')
                        buf_puts(out, "'\\'");
                buf_putc(out, *word);
        }
        buf_putc(out, '\'');
}

static void dump_user(const struct auth_user *u, struct buf *out)
{
        if (!u)
                return;
        dump_user(u->next, out);
        buf_printf(out, "    user %s", u->name);
        if (u->password) {
                buf_puts(out, u->plain ? " insecure-password " : " password ");
                dump_word(out, u->password);
        }
        if (u->groups)
                buf_printf(out, " groups %s", u->groups);
        buf_putc(out, '\n');
}

static void users_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw;
        dump_user(((const struct auth_cfg *)slot)->users, out);
}

static const struct kw rows[] = {
        KW_FN("group", group_parse, groups_dump, .kinds = KIND_USERLIST, .manual = "3.4", .apply = KW_NEW,
              .args = "<name> [users <user>,<user>,(...)]", .sample = "g1 users u1,u2", .help = "A group of users."),
        KW_FN("user", user_parse, users_dump, .kinds = KIND_USERLIST, .manual = "3.4", .apply = KW_NEW,
              .args = "<name> [password | insecure-password <password>] [groups <group>,<group>,(...)]",
              .sample = "u1 insecure-password secret",
              .help = "A user. password: a hash as crypt(3) writes it; insecure-password: as it is."),
};

static void check_names(const struct conf_obj *o, const struct auth_cfg *a, struct diags *d)
{
        for (const struct auth_user *u = a->users; u; u = u->next) {
                struct str rest = str_of(u->groups ? u->groups : "");

                while (rest.n) {
                        const char *comma = memchr(rest.p, ',', rest.n);
                        size_t n = comma ? (size_t)(comma - rest.p) : rest.n;
                        bool found = false;

                        for (const struct auth_group *g = a->groups; g; g = g->next)
                                found |= str_is(str_sub(rest, 0, n), g->name);
                        if (!found)
                                diag_add(d, DIAG_ALERT, conf_span_name(o, "user"), "E0786",
                                         "userlist '%s': no such group '%.*s' specified in user '%s'", o->name, (int)n,
                                         rest.p, u->name)
                                        ->parsing = false;
                        n += comma != NULL;
                        rest = str_sub(rest, n, rest.n - n);
                }
        }
}

static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        struct auth_cfg *cfg = slot;

        if (o->kind->bit == KIND_USERLIST)
                check_names(o, cfg, d);
        for (struct auth_ref *r = cfg->refs; r; r = r->prev) {
                const struct conf_obj *list = conf_find(c, KIND_USERLIST, str_of(r->name));

                r->list = list ? conf_slot(list, auth_slot) : NULL;
                if (!list)
                        diag_add(d, DIAG_ALERT, r->at, "E0787",
                                 "unable to find userlist '%s' referenced in proxy '%s'.", r->name, o->name)
                                ->parsing = false;
        }
}

KW_TABLE(auth, KIND_PROXY | KIND_USERLIST, struct auth_cfg, rows, .check = check);

/* ---- who is who ---- */

static const struct auth_user *user_find(const struct auth_cfg *list, struct str name)
{
        for (const struct auth_user *u = list->users; u; u = u->next)
                if (str_is(name, u->name))
                        return u;
        return NULL;
}

/* Looks at every byte of what was sent, whatever the first difference is. */
static bool same(struct str given, struct str want)
{
        volatile unsigned char diff = given.n != want.n;

        for (size_t i = 0; i < given.n; i++)
                diff |= (unsigned char)(given.p[i] ^ (want.n ? want.p[i % want.n] : 1));
        return diff == 0;
}

enum auth_answer auth_check(struct strm *s, const struct auth_cfg *list, const struct auth_said *a,
                            const struct auth_user **ret_user)
{
        const struct auth_user *u = user_find(list, a->user);

        *ret_user = u;
        if (!u || !u->password)
                return AUTH_NO;
        if (u->plain)
                return same(a->password, str_of(u->password)) ? AUTH_YES : AUTH_NO;
        return auth_verify(s, u->password, a->password);
}

bool auth_groups(const struct auth_cfg *list, const struct auth_user *u, bool (*each)(void *ctx, struct str group),
                 void *ctx)
{
        for (const struct auth_group *g = list->groups; g; g = g->next)
                if ((in_list(u->groups, str_of(g->name)) || in_list(g->users, str_of(u->name))) &&
                    each(ctx, str_of(g->name)))
                        return true;
        return false;
}

static _Atomic(struct conf *) current; /* one reference; published for readers of one turn */

static void let_go(void *c)
{
        conf_put(c);
}

static void on_applied(const void *event)
{
        struct conf *c = event ? conf_get((struct conf *)(uintptr_t)event) : NULL, *old;

        old = atomic_exchange_explicit(&current, c, memory_order_acq_rel);
        if (old && event)
                retire_later(old, let_go);
        else if (old)
                conf_put(old);
}

static const struct event_sub applied = { .type = EVENT_APPLIED, .rank = 51, .name = "userlists", .fn = on_applied };
EVENT_SUB(applied);

const struct auth_cfg *auth_list(const struct auth_ref *r)
{
        const struct conf *c = epoch_load(&current);
        const struct conf_obj *o = c ? conf_find(c, KIND_USERLIST, str_of(r->name)) : NULL;

        return o ? conf_slot(o, auth_slot) : r->list;
}
