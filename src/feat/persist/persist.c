/* feat/persist/persist.c - the two hooks of cookie persistence: who comes back goes to the server of its cookie, and who is new is
 * given one. */
#include "feat/persist/persist.h"

#include "base/slab.h"
#include "core/hook.h"
#include "core/kinds.h"
#include "core/strm_priv.h"
#include "feat/persist/cookie.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#define FUTURE_MAX_S 86400 /* manual: a date further ahead than a day is not believed */
#define SET_MAX      2048  /* of a Set-Cookie field that is made here */

struct use { /* of one backend's configuration */
        const struct persist_cfg *cfg;
        uint32_t n;
        struct named {
                const char *value, *server;
                uint32_t order;
        } v[]; /* by value, then as in the file */
};

static int by_value(const void *a, const void *b)
{
        const struct named *x = a, *y = b;
        int r = strcmp(x->value, y->value);

        return r ? r : (x->order > y->order) - (x->order < y->order);
}

static const char *value_in(const struct conf_obj *server)
{
        return ((const struct persist_server_cfg *)conf_slot(server, persist_server_slot))->value;
}

static const void *applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct persist_cfg *cfg = conf_slot(o, persist_slot);
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);
        struct use *u;
        uint32_t n = 0;

        if (as_front || !cfg || !cfg->name || px->mode != PX_HTTP)
                return NULL;
        for (const struct conf_obj *s = o->child; s; s = s->sibling)
                n += s->kind->bit == KIND_SERVER && value_in(s);
        u = conf_alloc(c, sizeof(*u) + n * sizeof(u->v[0]));
        u->cfg = cfg;
        for (const struct conf_obj *s = o->child; s; s = s->sibling)
                if (s->kind->bit == KIND_SERVER && value_in(s)) {
                        u->v[u->n] = (struct named){ value_in(s), s->name, u->n };
                        u->n++;
                }
        if (n)
                qsort(u->v, n, sizeof(u->v[0]), by_value);
        return u;
}

/* ---- what a server is called ---- */

/* From its address, port and the key: two nodes of a pair give the same. n == 0: it has no address. */
static struct str dynamic_value(const struct persist_cfg *cfg, const struct server *srv,
                                char room[PERSIST_DYNAMIC_LEN + 1])
{
        struct sockaddr_storage ss;
        AUTO_BUF(text);
        struct addr a;
        socklen_t n = server_addr_get(srv, &ss, NULL);

        if (n == 0 || (ss.ss_family != AF_INET && ss.ss_family != AF_INET6))
                return (struct str){ room, 0 };
        addr_from_sockaddr(&a, (struct sockaddr *)&ss, n);
        buf_puts(&text, cfg->key ? cfg->key : "");
        if (ss.ss_family == AF_INET)
                buf_add(&text, &a.in.sin_addr, 4);
        else
                buf_add(&text, &a.in6.sin6_addr, 16);
        buf_printf(&text, ":%u", addr_port(&a));
        (void)snprintf(room, PERSIST_DYNAMIC_LEN + 1, "%016llx", (unsigned long long)XXH64(text.p, text.n, 0));
        return (struct str){ room, PERSIST_DYNAMIC_LEN };
}

static struct str value_of(const struct persist_cfg *cfg, const struct server *srv, char room[PERSIST_DYNAMIC_LEN + 1])
{
        const struct conf_obj *o = atomic_load_explicit(&srv->obj, memory_order_acquire);
        const char *value = o ? value_in(o) : NULL;

        if (value)
                return str_of(value);
        return cfg->dynamic ? dynamic_value(cfg, srv, room) : (struct str){ room, 0 };
}

static int compare(struct str a, struct str b) /* as strcmp(3) */
{
        int r = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

        return r ? r : (a.n > b.n) - (a.n < b.n);
}

/* The first one that is up and is called so; *ret_known: there is one, up or not. */
static struct server *find_named(const struct use *u, struct back *b, struct str value, bool firm, bool *ret_known)
{
        struct server *down = NULL;
        uint32_t lo = 0, hi = u->n;

        while (lo < hi) {
                uint32_t mid = lo + (hi - lo) / 2;

                if (compare(str_of(u->v[mid].value), value) < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        for (; lo < u->n && str_is(value, u->v[lo].value); lo++) {
                struct server *srv = server_find(b, str_of(u->v[lo].server));

                if (!srv)
                        continue;
                *ret_known = true;
                if (server_is_up(srv))
                        return srv;
                down = down ? down : srv;
        }
        return firm ? down : NULL;
}

static struct server *find_dynamic(const struct use *u, struct back *b, struct str value, bool firm, bool *ret_known)
{
        uint32_t n = __atomic_load_n(&b->n_srv, __ATOMIC_ACQUIRE);
        struct server **v = __atomic_load_n(&b->srv, __ATOMIC_ACQUIRE);
        char room[PERSIST_DYNAMIC_LEN + 1];

        if (value.n != PERSIST_DYNAMIC_LEN)
                return NULL;
        for (uint32_t i = 0; i < n; i++) {
                if (!v[i] || !str_eq(value_of(u->cfg, v[i], room), value))
                        continue;
                *ret_known = true;
                if (server_is_up(v[i]) || firm)
                        return v[i];
        }
        return NULL;
}

/* ---- the request ---- */

static uint32_t wall_s(void)
{
        return (uint32_t)(thr_self->wall_us / 1000000);
}

/* Takes the dates off the value. False: it is too old, and *ret_why says how. */
static bool still_good(const struct persist_cfg *cfg, struct strm_tie *t, struct str *value, char *ret_why)
{
        const char *bar = value->n ? memchr(value->p, '|', value->n) : NULL, *second;
        struct str dates;
        uint32_t now = wall_s();

        if (!bar || (!cfg->maxidle_s && !cfg->maxlife_s))
                return true;
        dates = (struct str){ bar + 1, (size_t)(value->p + value->n - bar) - 1 };
        value->n = (size_t)(bar - value->p);
        second = dates.n ? memchr(dates.p, '|', dates.n) : NULL;
        if (second) {
                t->first = cookie_date_get(str_sub(dates, (size_t)(second - dates.p) + 1, dates.n));
                dates.n = (size_t)(second - dates.p);
        }
        t->seen = cookie_date_get(dates);
        if (cfg->maxidle_s && t->seen && (now > t->seen + (uint32_t)cfg->maxidle_s || t->seen > now + FUTURE_MAX_S))
                *ret_why = 'E';
        else if (cfg->maxlife_s && t->first &&
                 (now > t->first + (uint32_t)cfg->maxlife_s || t->first > now + FUTURE_MAX_S))
                *ret_why = 'O';
        else
                return true;
        t->seen = t->first = 0;
        return false;
}

static void judge(const struct use *u, struct strm *s, struct strm_tie *t, struct str value)
{
        const struct persist_cfg *cfg = u->cfg;
        struct server *srv = NULL;
        bool known = false;

        if (t->fixed || t->ignore) { /* manual 8.5: U, unused */
                t->req = 'U';
                return;
        }
        if (cfg->mode == PERSIST_PREFIX) {
                const char *tilde = value.n ? memchr(value.p, '~', value.n) : NULL;

                value.n = tilde ? (size_t)(tilde - value.p) : 0;
        } else if (cfg->mode == PERSIST_INSERT && !still_good(cfg, t, &value, &t->req)) {
                return;
        }
        srv = find_named(u, s->back, value, cfg->firm || t->force, &known);
        if (!srv && cfg->dynamic)
                srv = find_dynamic(u, s->back, value, cfg->firm || t->force, &known);
        t->req = srv && (!t->force || server_is_up(srv)) ? 'V' : known ? 'D' : 'I';
        if (srv)
                strm_tie(s, srv, cfg->firm);
        else
                t->seen = t->first = 0;
}

/* What the server must not see, or see as it made it. */
static int clean_field(const struct persist_cfg *cfg, struct hmsg *m, int i)
{
        struct str field = hmsg_value(m, i), out;
        enum cookie_edit how = cfg->mode == PERSIST_PREFIX ? COOKIE_STRIP : COOKIE_DROP;
        size_t size;
        char *room;
        int r = 0;

        if (cfg->mode != PERSIST_PREFIX && !(cfg->mode == PERSIST_INSERT && cfg->indirect))
                return 0;
        room = mem_get(field.n * 2 + 1, &size);
        if (!room)
                return -ENOMEM;
        if (cookie_edit(field, str_of(cfg->name), how, room, &out)) {
                if (out.n)
                        r = hmsg_replace(m, i, out);
                else
                        hmsg_del(m, i);
        }
        mem_put(room, size);
        return r;
}

/* A head that has no room left for the edit is refused rather than passed on half changed. */
static enum hook_answer no_room(struct strm *s, bool response)
{
        if (response) {
                s->sv.ops->rx_head_free(&s->sv);
                s->rsp = NULL;
        }
        strm_term(s, 'P', response ? 'H' : 'R');
        strm_answer(s, response ? 502 : 400);
        return HOOK_TAKEN;
}

static enum hook_answer request(struct strm *s, const void *arg, bool as_front)
{
        const struct use *u = arg;
        struct strm_tie *t = s->req ? strm_tie_of(s) : NULL;
        struct str name = str_of(u->cfg->name);

        (void)as_front;
        if (!t)
                return HOOK_NEXT;
        t->req = t->rsp = 'N';
        t->post = s->req->method == HMETH_POST;
        for (int i = hmsg_find(s->req, HID_COOKIE, 0); i >= 0; i = hmsg_find(s->req, HID_COOKIE, i + 1)) {
                struct cookie c;
                size_t pos = 0;

                while (t->req == 'N' && cookie_next(hmsg_value(s->req, i), name, &pos, &c))
                        if (c.value.p)
                                judge(u, s, t, c.value);
                if (clean_field(u->cfg, s->req, i) < 0)
                        return no_room(s, false);
        }
        return HOOK_NEXT;
}

/* ---- the answer ---- */

/* The server's own cookie of that name. */
static int own_cookie(const struct persist_cfg *cfg, struct strm_tie *t, struct hmsg *m, int i, struct str value)
{
        struct str field = hmsg_value(m, i), rest;
        char text[SET_MAX];
        struct cookie c;
        size_t at;
        int n;

        if (!cookie_set(field, str_of(cfg->name), &c))
                return 0;
        t->rsp = 'P';
        if (cfg->preserve && (cfg->mode == PERSIST_INSERT || cfg->indirect))
                return 0;
        if (cfg->mode == PERSIST_INSERT || cfg->indirect) {
                t->rsp = 'D';
                hmsg_del(m, i);
                return 0;
        }
        if (cfg->mode == PERSIST_PASSIVE || value.n == 0)
                return 0;
        t->rsp = 'R';
        at = (size_t)(c.value.p - field.p) + (cfg->mode == PERSIST_REWRITE ? c.value.n : 0);
        rest = str_sub(field, at, field.n - at);
        n = snprintf(text, sizeof(text), "%s=%.*s%s%.*s", cfg->name, (int)value.n, value.p,
                     cfg->mode == PERSIST_PREFIX ? "~" : "", (int)rest.n, rest.p);
        return n < (int)sizeof(text) ? hmsg_replace(m, i, (struct str){ text, (size_t)n }) : -ENOBUFS;
}

static void put_attrs(const struct persist_attr *a, bool domains, struct buf *out)
{
        if (!a)
                return;
        put_attrs(a->prev, domains, out);
        if (a->domain == domains)
                buf_printf(out, "; %s%s", domains ? "domain=" : "", a->text);
}

static void put_dates(const struct persist_cfg *cfg, uint32_t first, struct buf *out)
{
        char date[COOKIE_DATE_LEN];

        if (!cfg->maxidle_s && !cfg->maxlife_s)
                return;
        cookie_date_put(wall_s(), date);
        buf_printf(out, "|%.*s", COOKIE_DATE_LEN, date);
        if (!cfg->maxlife_s)
                return;
        cookie_date_put(first ? first - 3 : wall_s(), date); /* a date that was read is rounded already */
        buf_printf(out, "|%.*s", COOKIE_DATE_LEN, date);
}

static int set_cookie(const struct persist_cfg *cfg, struct hmsg *m, struct str value, uint32_t first)
{
        AUTO_BUF(text);

        if (value.n) {
                buf_printf(&text, "%s=%.*s", cfg->name, (int)value.n, value.p);
                put_dates(cfg, first, &text);
        } else { /* this server has no name: the client forgets the one it has */
                buf_printf(&text, "%s=; Expires=Thu, 01-Jan-1970 00:00:01 GMT", cfg->name);
        }
        buf_puts(&text, "; path=/");
        put_attrs(cfg->attrs, true, &text);
        buf_printf(&text, "%s%s", cfg->httponly ? "; HttpOnly" : "", cfg->secure ? "; Secure" : "");
        put_attrs(cfg->attrs, false, &text);
        return hmsg_add(m, STR("set-cookie"), buf_view(&text));
}

static bool has_word(struct str list, const char *word)
{
        size_t n = strlen(word);

        for (size_t i = 0; i + n <= list.n; i++)
                if (str_ieq(str_sub(list, i, n), str_of(word)) && (i == 0 || strchr(" ,\t", list.p[i - 1])) &&
                    (i + n == list.n || strchr(" ,\t=", list.p[i + n])))
                        return true;
        return false;
}

/* Would a cache between here and the client keep it (RFC 9111 3), so that all its clients get this cookie? */
static bool is_cacheable(const struct hmsg *m)
{
        bool told = hmsg_find_name(m, STR("expires"), 0) >= 0 || hmsg_find_name(m, STR("etag"), 0) >= 0 ||
                    hmsg_find_name(m, STR("last-modified"), 0) >= 0;

        for (int i = hmsg_find_name(m, STR("cache-control"), 0); i >= 0;
             i = hmsg_find_name(m, STR("cache-control"), i + 1)) {
                struct str v = hmsg_value(m, i);

                if (has_word(v, "no-store") || has_word(v, "no-cache") || has_word(v, "private"))
                        return false;
                told = told || has_word(v, "public") || has_word(v, "max-age") || has_word(v, "s-maxage");
        }
        return told;
}

/* 0: nothing to tell; else the letter for the log. */
static char needs_cookie(const struct persist_cfg *cfg, const struct strm *s, const struct strm_tie *t)
{
        bool direct = t->srv && t->srv == s->srv;

        if (cfg->mode != PERSIST_INSERT || t->ignore || (t->fixed && direct) || (t->rsp == 'P' && cfg->preserve) ||
            (cfg->postonly && !t->post))
                return 0;
        if (!direct)
                return 'I';
        if (cfg->maxidle_s && ((t->seen + 3) >> 2) != ((wall_s() + 3) >> 2))
                return 'U';
        return cfg->maxlife_s && !t->first ? 'U' : 0;
}

static enum hook_answer response(struct strm *s, const void *arg, bool as_front)
{
        const struct persist_cfg *cfg = ((const struct use *)arg)->cfg;
        struct strm_tie *t = strm_tied(s) ? strm_tie_of(s) : NULL;
        char room[PERSIST_DYNAMIC_LEN + 1], how;
        struct str value;

        (void)as_front;
        if (!t || !s->srv || !s->rsp || s->rsp->status < 200)
                return HOOK_NEXT;
        value = value_of(cfg, s->srv, room);
        for (int i = hmsg_find(s->rsp, HID_SET_COOKIE, 0); i >= 0; i = hmsg_find(s->rsp, HID_SET_COOKIE, i + 1))
                if (own_cookie(cfg, t, s->rsp, i, value) < 0)
                        return no_room(s, true);
        how = needs_cookie(cfg, s, t);
        if (!how)
                return HOOK_NEXT;
        if (set_cookie(cfg, s->rsp, value, how == 'U' ? t->first : 0) < 0)
                return no_room(s, true);
        t->rsp = how;
        if (cfg->nocache && is_cacheable(s->rsp) && hmsg_add(s->rsp, STR("cache-control"), STR("private")) < 0)
                return no_room(s, true);
        return HOOK_NEXT;
}

static const struct hook request_hook = {
        .name = "cookie", .rank = 60, .point = HOOK_REQUEST, .applies = applies, .run = request
};
HOOK(request_hook);
static const struct hook response_hook = {
        .name = "cookie", .rank = 20, .point = HOOK_RESPONSE, .applies = applies, .run = response
};
HOOK(response_hook);
