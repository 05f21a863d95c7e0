/* feat/stats/page_admin.c - see page_admin.h. */
#include "feat/stats/page_admin.h"

#include "core/cli.h"

#include <pthread.h>
#include <stdio.h>

const struct stats_action stats_actions[] = {
        { "ready", "State: ready", "set server", "state ready" },
        { "drain", "State: drain", "set server", "state drain" },
        { "maint", "State: maintenance", "set server", "state maint" },
        { "dhlth", "Health checks: off", "disable health", NULL },
        { "ehlth", "Health checks: on", "enable health", NULL },
        { "hrunn", "Health: take for up", "set server", "health up" },
        { "hnolb", "Health: take for stopping", "set server", "health stopping" },
        { "hdown", "Health: take for down", "set server", "health down" },
        { "dagent", "Agent checks: off", "disable agent", NULL },
        { "eagent", "Agent checks: on", "enable agent", NULL },
        { "arunn", "Agent: take for up", "set server", "agent up" },
        { "adown", "Agent: take for down", "set server", "agent down" },
        { "shutdown", "Sessions: end all", "shutdown sessions server", NULL },
        { "start", NULL, "set server", "state ready" },
        { "stop", NULL, "set server", "state drain" },
        { "enable", NULL, "enable server", NULL },
        { "disable", NULL, "disable server", NULL },
};
const unsigned stats_n_actions = array_len(stats_actions);

bool stats_action_known(const struct stats_action *a)
{
        char words[64];
        struct str args[8];
        unsigned n = 0;

        (void)snprintf(words, sizeof(words), "%s", a->command);
        for (char *save = NULL, *w = strtok_r(words, " ", &save); w && n < array_len(args);
             w = strtok_r(NULL, " ", &save))
                args[n++] = str_of(w);
        /* the agent's words of `set server` come with its checks */
        if (a->word && str_has_prefix(str_of(a->word), STR("agent")))
                return stats_action_known(&(struct stats_action){ .command = "enable agent" });
        return cli_find(args, n) != NULL;
}

/* ---- the token ---- */
static char token[STATS_TOKEN + 1];

static void make_token(void)
{
        unsigned char raw[STATS_TOKEN / 2];

        thr_self->sys->random(raw, sizeof(raw));
        for (unsigned i = 0; i < sizeof(raw); i++)
                (void)snprintf(token + 2 * (size_t)i, 3, "%02x", raw[i]);
}

const char *stats_token(void)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void)pthread_once(&once, make_token);
        return token;
}

static bool is_token(struct str given)
{
        const char *want = stats_token();
        volatile unsigned char diff = given.n != STATS_TOKEN;

        for (size_t i = 0; i < given.n; i++)
                diff |= (unsigned char)(given.p[i] ^ want[i % STATS_TOKEN]);
        return diff == 0;
}

/* ---- the form: application/x-www-form-urlencoded ---- */
struct form {
        struct str body;
        char back[256], action[16], token[STATS_TOKEN + 2];
};

static int hex(char c)
{
        unsigned char l = chr_lower((unsigned char)c);

        return chr_is_digit(c) ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* Decoded and NUL-terminated; false: too long, or a NUL inside. */
static bool decode(struct str in, char *out, size_t size)
{
        size_t n = 0;

        for (size_t i = 0; i < in.n; i++) {
                char c = in.p[i] == '+' ? ' ' : in.p[i];

                if (c == '%' && i + 2 < in.n && hex(in.p[i + 1]) >= 0 && hex(in.p[i + 2]) >= 0) {
                        c = (char)(hex(in.p[i + 1]) * 16 + hex(in.p[i + 2]));
                        i += 2;
                }
                if (c == 0 || n + 1 >= size)
                        return false;
                out[n++] = c;
        }
        out[n] = 0;
        return true;
}

/* The next "name=value" of *rest. */
static bool next_pair(struct str *rest, struct str *ret_name, struct str *ret_value)
{
        const char *amp, *eq;
        struct str pair;

        if (rest->n == 0)
                return false;
        amp = memchr(rest->p, '&', rest->n);
        pair = str_sub(*rest, 0, amp ? (size_t)(amp - rest->p) : rest->n);
        *rest = str_sub(*rest, pair.n + (amp != NULL), rest->n - pair.n - (amp != NULL));
        eq = pair.n ? memchr(pair.p, '=', pair.n) : NULL;
        *ret_name = str_sub(pair, 0, eq ? (size_t)(eq - pair.p) : pair.n);
        *ret_value = eq ? str_sub(pair, ret_name->n + 1, pair.n - ret_name->n - 1) : STR("");
        return true;
}

static bool read_form(struct str body, struct form *ret_f)
{
        struct form f = { .body = body };
        struct str rest = body, name, value;
        bool ok = true;

        while (next_pair(&rest, &name, &value)) {
                if (str_is(name, "b"))
                        ok &= decode(value, f.back, sizeof(f.back));
                else if (str_is(name, "action"))
                        ok &= decode(value, f.action, sizeof(f.action));
                else if (str_is(name, "token"))
                        ok &= decode(value, f.token, sizeof(f.token));
        }
        *ret_f = f;
        return ok;
}

/* ---- may it come from here ---- */
static struct str field(const struct hmsg *req, struct str name)
{
        int i = hmsg_find_name(req, name, 0);

        return i < 0 ? (struct str){ NULL, 0 } : hmsg_value(req, i);
}

/* "https://host:port" (RFC 6454 6.2) against the Host field; the scheme may be another one, TLS may end before us. */
static bool same_origin(struct str origin, struct str host)
{
        const char *at = origin.n ? memmem(origin.p, origin.n, "://", 3) : NULL;
        size_t skip = at ? (size_t)(at - origin.p) + 3 : 0;

        return at && host.n && str_ieq(str_sub(origin, skip, origin.n - skip), host);
}

static bool from_our_page(const struct hmsg *req, const struct form *f)
{
        struct str origin = field(req, STR("origin")), site = field(req, STR("sec-fetch-site"));

        if (!origin.p && !site.p && !field(req, STR("referer")).p && !f->token[0])
                return true; /* no browser: a script, which nobody lures */
        if (origin.p && !same_origin(origin, field(req, STR("host"))))
                return false;
        if (site.p && !str_ieq(site, STR("same-origin")))
                return false;
        return is_token(str_of(f->token));
}

/* ---- what it does ---- */
static const struct stats_action *find_action(const char *name)
{
        for (unsigned i = 0; i < stats_n_actions; i++)
                if (strcmp(stats_actions[i].name, name) == 0 && stats_action_known(&stats_actions[i]))
                        return &stats_actions[i];
        return NULL;
}

/* A command that says nothing has done it. */
static bool apply(const struct stats_action *a, const struct server *s)
{
        AUTO_BUF(line);
        AUTO_BUF(answer);

        buf_printf(&line, "%s %s/%s%s%s", a->command, s->back->cell.name, s->cell.name, a->word ? " " : "",
                   a->word ? a->word : "");
        buf_putc(&line, 0);
        cli_run_line(line.p, CLI_ADMIN, false, &answer);
        return answer.n == 0;
}

static const char *apply_all(const struct stats_action *a, struct back *b, struct str rest)
{
        unsigned done = 0, refused = 0, unknown = 0;
        struct str name, value;
        struct server *s;
        char id[256];

        while (next_pair(&rest, &name, &value)) {
                if (!str_is(name, "s"))
                        continue;
                s = decode(value, id, sizeof(id)) ? server_find(b, str_of(id)) : NULL;
                if (!s)
                        unknown++;
                else if (apply(a, s))
                        done++;
                else
                        refused++;
        }
        if (done)
                return unknown ? "PART" : "DONE";
        return unknown ? "ERRP" : "NONE";
}

const char *stats_admin_post(const struct stats_use *u, const struct hmsg *req, struct str body)
{
        const struct stats_action *a;
        struct back *b;
        struct form f;
        bool ok = read_form(body, &f);

        if (!from_our_page(req, &f))
                return "DENY";
        if (!ok)
                return "ERRP";
        if (!f.action[0] || !f.back[0])
                return "NONE";
        a = find_action(f.action);
        b = back_find(str_of(f.back));
        if (!a || !b || !stats_in_scope(u, b->cell.name))
                return "ERRP";
        return apply_all(a, b, f.body);
}

const char *stats_admin_text(struct str code)
{
        static const struct {
                const char *code, *text;
        } texts[] = {
                { "DONE", "Done." },
                { "PART", "Done for some: other servers named in the form do not exist." },
                { "NONE", "Nothing was changed: no server or no action was chosen, or it does not fit the server." },
                { "ERRP", "Nothing was changed: there is no such backend, server or action." },
                { "DENY", "Refused: this page may not change servers, or the form did not come from this page as it is "
                          "now. Load it again." },
        };

        for (unsigned i = 0; i < array_len(texts); i++)
                if (str_is(code, texts[i].code))
                        return texts[i].text;
        return NULL;
}
