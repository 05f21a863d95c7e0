/* feat/stats/page_hook.c - who asks for the page, may they, and in which form (manual "stats uri", "stats auth"). */
#include "core/global.h"
#include "core/hook.h"
#include "core/strm_priv.h"
#include "feat/stats/page_admin.h"
#include "feat/stats/page_rules.h"

#define DEFAULT_URI   "/haproxy?stats"
#define DEFAULT_REALM "HAProxy Statistics"

/* ---- the query ---- */
static bool opt(struct str rest, const char *word)
{
        return memmem(rest.p, rest.n, word, strlen(word)) != NULL;
}

/* What stands behind `name`, up to the next option. */
static struct str value_of(struct str rest, const char *name)
{
        const char *at = rest.n ? memmem(rest.p, rest.n, name, strlen(name)) : NULL;
        size_t skip = at ? (size_t)(at - rest.p) + strlen(name) : rest.n;
        struct str v = str_sub(rest, skip, rest.n - skip);

        for (size_t i = 0; i < v.n; i++)
                if (v.p[i] == ';' || v.p[i] == '&')
                        v.n = i;
        return v;
}

void stats_query_parse(struct str rest, struct stats_query *ret_q)
{
        struct stats_query q = { .csv = opt(rest, ";csv"),
                                 .typed = opt(rest, ";typed"),
                                 .json = opt(rest, ";json"),
                                 .no_refresh = opt(rest, ";norefresh"),
                                 .up = opt(rest, ";up"),
                                 .no_maint = opt(rest, ";no-maint") };

        q.scope = value_of(rest, "scope=");
        q.st = value_of(rest, ";st=");
        *ret_q = q;
}

/* ---- who may see it (RFC 7617) ---- */
static int base64_value(unsigned char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool base64_decode(struct str in, char *out, size_t size, size_t *ret_n)
{
        uint32_t acc = 0, bits = 0;
        size_t n = 0;

        while (in.n && in.p[in.n - 1] == '=')
                in.n--;
        for (size_t i = 0; i < in.n; i++) {
                int v = base64_value((unsigned char)in.p[i]);
                if (v < 0)
                        return false;
                acc = acc << 6 | (uint32_t)v;
                bits += 6;
                if (bits < 8)
                        continue;
                bits -= 8;
                if (n == size)
                        return false;
                out[n++] = (char)(acc >> bits);
        }
        *ret_n = n;
        return true;
}

/* Looks at every byte of what was sent, whatever the first difference is. */
static bool same(struct str given, struct str want)
{
        volatile unsigned char diff = given.n != want.n;

        for (size_t i = 0; i < given.n; i++)
                diff |= (unsigned char)(given.p[i] ^ (want.n ? want.p[i % want.n] : 1));
        return diff == 0;
}

bool stats_auth_ok(const struct stats_cfg *cfg, struct str a)
{
        char plain[512];
        size_t n = 0;
        bool ok = false;

        if (a.n < 6 || !str_ieq(str_sub(a, 0, 6), STR("Basic ")) ||
            !base64_decode(str_trim(str_sub(a, 6, a.n - 6)), plain, sizeof(plain), &n))
                return false;
        for (const struct stats_user *u = cfg->users; u; u = u->next)
                ok |= same((struct str){ plain, n }, str_of(u->name_pass));
        return ok;
}

bool stats_in_scope(const struct stats_use *u, const char *proxy)
{
        if (!u->cfg->scopes)
                return true;
        for (const struct stats_scope *s = u->cfg->scopes; s; s = s->next)
                if (strcmp(strcmp(s->name, ".") == 0 ? u->section : s->name, proxy) == 0)
                        return true;
        return false;
}

/* ---- the applet ---- */
static const char login_body[] =
        "<html><body><h1>401 Unauthorized</h1>\nYou need a valid user and password to access this "
        "content.\n</body></html>\n";

static void refuse_login(struct applet *a, const char *realm)
{
        realm = realm ? realm : DEFAULT_REALM;
        a->status = 401;
        a->length = (int64_t)sizeof(login_body) - 1;
        buf_puts(&a->fields, "content-type: text/html\r\nwww-authenticate: Basic realm=\"");
        for (; *realm; realm++) { /* quoted-string, RFC 9110 5.6.4 */
                if (*realm == '"' || *realm == '\\')
                        buf_putc(&a->fields, '\\');
                buf_putc(&a->fields, *realm);
        }
        buf_puts(&a->fields, "\"\r\n");
}

static void html_fields(struct applet *a, const struct stats_page *p)
{
        buf_puts(&a->fields,
                 "content-type: text/html; charset=utf-8\r\n"
                 "content-security-policy: default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
                 "frame-ancestors 'none'; base-uri 'none'\r\n"
                 "x-content-type-options: nosniff\r\nreferrer-policy: same-origin\r\n");
        if (p->use->cfg->refresh_ms && !p->q.no_refresh)
                buf_printf(&a->fields, "refresh: %d\r\n", (p->use->cfg->refresh_ms + 999) / 1000);
}

/* To the page that the form came from, with what became of it. */
static void go_back(struct applet *a, const struct stats_page *p, const char *code)
{
        buf_printf(&a->fields, "location: %s;st=%s%s%s%s%s%s\r\n", p->uri, code, p->q.up ? ";up" : "",
                   p->q.no_refresh ? ";norefresh" : "", p->q.no_maint ? ";no-maint" : "", p->scope[0] ? ";scope=" : "",
                   p->scope);
}

static void page_start(struct applet *a, const struct hmsg *req, struct str body)
{
        struct stats_page *p = a->data;
        const struct stats_cfg *cfg = p->use->cfg;
        int auth = hmsg_find(req, HID_AUTHORIZATION, 0);

        buf_puts(&a->fields, "cache-control: no-cache\r\n");
        if (p->ask || (cfg->users && !stats_auth_ok(cfg, auth >= 0 ? hmsg_value(req, auth) : STR("")))) {
                refuse_login(a, p->ask ? p->realm : cfg->realm);
                return;
        }
        if (req->method == HMETH_POST) {
                a->status = 303;
                a->length = 0;
                buf_puts(&a->fields, "content-type: text/plain\r\n");
                go_back(a, p, p->admin ? stats_admin_post(p->use, req, body) : "DENY");
                return;
        }
        a->status = 200;
        if (p->q.json)
                buf_puts(&a->fields, "content-type: application/json\r\n");
        else if (p->q.csv || p->q.typed)
                buf_puts(&a->fields, "content-type: text/plain\r\n");
        else
                html_fields(a, p);
}

static enum applet_answer page_more(struct applet *a, struct buf *out)
{
        struct stats_page *p = a->data;
        bool more;

        if (a->status != 200) {
                if (a->status == 401)
                        buf_puts(out, login_body);
                return APPLET_DONE;
        }
        if (p->q.json || p->q.csv || p->q.typed)
                more = stat_walk_print(&p->w, p->q.json ? STAT_JSON : p->q.csv ? STAT_CSV : STAT_TYPED, out, 12000);
        else
                more = stats_page_html(p, out, 12000);
        return more ? APPLET_MORE : APPLET_DONE;
}

static const struct applet_ops page_ops = {
        .name = "<STATS>",
        .size = sizeof(struct stats_page),
        .start = page_start,
        .body_max = 16384,
        .more = page_more,
};

/* ---- the hook ---- */
static bool wanted(void *ctx, const char *proxy)
{
        return stats_in_scope(ctx, proxy);
}

static const void *applies(struct conf *c, const struct conf_obj *proxy, bool as_front)
{
        const struct stats_cfg *cfg = conf_slot(proxy, stats_slot);
        const struct proxy_cfg *px = conf_slot(proxy, proxy_slot);
        struct stats_use *u;

        /* A listen section's page is served by its front. */
        if (!cfg || !cfg->enable || !px || px->mode != PX_HTTP || (!as_front && (proxy->kind->bit & KIND_FE)))
                return NULL;
        u = conf_alloc(c, sizeof(*u));
        u->cfg = cfg;
        u->section = proxy->name;
        u->desc = cfg->desc ? cfg->desc : global_of(c)->description;
        u->uri = str_of(cfg->uri ? cfg->uri : DEFAULT_URI);
        u->admin = stats_rules_compile(c, cfg->admin);
        u->access = stats_rules_compile(c, cfg->access);
        return u;
}

static void keep(char *to, size_t size, struct str *text)
{
        text->n = text->n < size ? text->n : size - 1;
        if (text->n)
                memcpy(to, text->p, text->n); /* the request goes, the page takes several pieces */
        text->p = to;
}

static void fill(struct stats_page *p, const struct stats_use *u, struct str rest)
{
        p->use = u; /* lives in the configuration that the stream pins */
        memcpy(p->uri, u->uri.p, u->uri.n);
        stats_query_parse(rest, &p->q);
        keep(p->scope, sizeof(p->scope), &p->q.scope);
        keep(p->st, sizeof(p->st), &p->q.st);
        p->w = (struct stat_walk){ .kinds = STAT_FRONT | STAT_BACK | STAT_SERVER,
                                   .scope = p->q.scope,
                                   .up = p->q.up,
                                   .no_maint = p->q.no_maint,
                                   .legends = u->cfg->show_legends,
                                   .wanted = wanted,
                                   .wanted_ctx = (void *)(uintptr_t)u };
}

static enum hook_answer deny(struct strm *s, bool as_front)
{
        STAT_INC((as_front ? strm_front_stat(s) : strm_back_stat(s))->denied_req);
        strm_term(s, 'P', 'R');
        strm_answer(s, 403);
        return HOOK_TAKEN;
}

static enum hook_answer run(struct strm *s, const void *arg, bool as_front)
{
        const struct stats_use *u = arg;
        struct str t = hmsg_path_query(s->req);
        const struct stats_rule *access, *admin;
        struct stats_page *p;
        struct applet *a;

        /* Other methods are not the page's business: they go on to the servers, as in HAProxy. */
        if (!str_has_prefix(t, u->uri) ||
            (s->req->method != HMETH_GET && s->req->method != HMETH_HEAD && s->req->method != HMETH_POST))
                return HOOK_NEXT;
        if (stats_rules_first(u->access, s, &access) == COND_WAIT ||
            stats_rules_first(u->admin, s, &admin) == COND_WAIT)
                return HOOK_WAIT; /* as long as a password is looked at */
        if (access && access->what == STATS_DENY)
                return deny(s, as_front);
        a = applet_attach(s, &page_ops);
        if (!a) {
                strm_answer(s, 503);
                return HOOK_TAKEN;
        }
        p = a->data;
        fill(p, u, str_sub(t, u->uri.n, t.n - u->uri.n));
        p->admin = admin != NULL;
        p->ask = access && access->what == STATS_AUTH;
        p->realm = p->ask ? access->realm : NULL;
        return HOOK_TAKEN;
}

static const struct hook stats_hook = {
        .name = "stats",
        .rank = 20,
        .point = HOOK_REQUEST,
        .applies = applies,
        .run = run,
};
HOOK(stats_hook);
