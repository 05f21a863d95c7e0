/* feat/http_rules/redirect.c - `redirect`, `http-request redirect`, `http-response redirect` (manual 4.2, 4.4). */
#include "feat/http_rules/act.h"

#include "conf/conf.h"
#include "core/kinds.h"
#include "core/reply.h"
#include "core/strm_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum redirect_kind { TO_NOTHING, TO_LOCATION, TO_PREFIX, TO_SCHEME };
enum { DROP_QUERY = 1, APPEND_SLASH = 2, KEEP_QUERY = 4, IGNORE_EMPTY = 8, CLEAR_COOKIE = 16 };

struct redirect {
        enum redirect_kind kind;
        int code;
        unsigned options;
        struct act_text to;
        const struct act_text *cookie; /* NULL: none */
};

/* ---- words ---- */

struct parse {
        struct rule_call *c;
        struct redirect *r;
        size_t i;
        bool plain; /* the old keyword: its texts are no log-format strings */
};

static int fail(const struct parse *x, const struct word *w, const char *fmt, ...) fmt_like(3, 4);
static int fail(const struct parse *x, const struct word *w, const char *fmt, ...)
{
        char why[512];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        if (!x->plain)
                return rule_fail(x->c, w, "%s", why);
        (void)kw_fail(x->c->kw, w, "E0745", "error detected while parsing redirect rule : %s.", why);
        return -1;
}

static const struct word *argument(const struct parse *x)
{
        if (x->i + 1 < x->c->n)
                return &x->c->w[x->i + 1];
        (void)fail(x, &x->c->w[x->i], "missing argument for '%.*s'", (int)x->c->w[x->i].text.n, x->c->w[x->i].text.p);
        return NULL;
}

static bool take_text(const struct parse *x, const struct word *w, bool plain, struct act_text *ret_t)
{
        if (!plain)
                return act_text_parse(x->c, w, ret_t);
        ret_t->value = str_of(conf_intern(x->c->kw->conf, w->text));
        return true;
}

static int take_where(struct parse *x, enum redirect_kind kind)
{
        const struct word *w = argument(x);

        if (!w)
                return -1;
        x->r->kind = kind;
        x->r->to = (struct act_text){ 0 };
        return take_text(x, w, x->plain, &x->r->to) ? 2 : -1;
}

static int take_code(struct parse *x)
{
        static const short codes[] = { 301, 302, 303, 307, 308 };
        const struct word *w = argument(x);
        int64_t v;

        if (!w)
                return -1;
        if (str_to_i64(w->text, &v))
                for (size_t i = 0; i < array_len(codes); i++)
                        if (v == codes[i]) {
                                x->r->code = (int)v;
                                return 2;
                        }
        return fail(x, w, "'code': unsupported HTTP code '%.*s' (must be one of 301, 302, 303, 307 or 308)",
                    (int)w->text.n, w->text.p);
}

static int take_cookie(struct parse *x, bool plain, bool clear)
{
        const struct word *w = argument(x);
        struct act_text *t = conf_alloc(x->c->kw->conf, sizeof(*t));

        if (!w || !take_text(x, w, plain, t))
                return -1;
        x->r->cookie = t;
        x->r->options = (x->r->options & ~(unsigned)CLEAR_COOKIE) | (clear ? CLEAR_COOKIE : 0);
        return 2;
}

static int take_option(struct parse *x)
{
        static const struct {
                const char *name;
                unsigned bit;
        } t[] = { { "drop-query", DROP_QUERY },
                  { "append-slash", APPEND_SLASH },
                  { "keep-query", KEEP_QUERY },
                  { "ignore-empty", IGNORE_EMPTY } };
        struct str w = x->c->w[x->i].text;

        for (size_t i = 0; i < array_len(t); i++) {
                if (str_is(w, t[i].name)) {
                        x->r->options |= t[i].bit;
                        return 1;
                }
        }
        return fail(x, &x->c->w[x->i],
                    "expects 'code', 'prefix', 'location', 'scheme', 'set-cookie', 'set-cookie-fmt', 'clear-cookie', "
                    "'drop-query', 'keep-query', 'ignore-empty' or 'append-slash' (was '%.*s')",
                    (int)w.n, w.p);
}

static int take_one(struct parse *x)
{
        struct str w = x->c->w[x->i].text;

        if (str_is(w, "location"))
                return take_where(x, TO_LOCATION);
        if (str_is(w, "prefix"))
                return take_where(x, TO_PREFIX);
        if (str_is(w, "scheme"))
                return take_where(x, TO_SCHEME);
        if (str_is(w, "code"))
                return take_code(x);
        if (str_is(w, "set-cookie") || str_is(w, "clear-cookie"))
                return take_cookie(x, true, str_is(w, "clear-cookie"));
        if (str_is(w, "set-cookie-fmt"))
                return take_cookie(x, false, false);
        return take_option(x);
}

/* All words of c. NULL after an alert. */
static const struct redirect *parse(struct rule_call *c, bool plain)
{
        struct redirect *r = conf_alloc(c->kw->conf, sizeof(*r));
        struct parse x = { .c = c, .r = r, .plain = plain };

        r->code = 302;
        while (x.i < c->n) {
                int took = take_one(&x);

                if (took < 0)
                        return NULL;
                x.i += (size_t)took;
        }
        if (r->kind == TO_NOTHING) {
                (void)fail(&x, NULL, "redirection type expected ('prefix', 'location', or 'scheme')");
                return NULL;
        }
        return r;
}

static int action_parse(struct rule_call *c, const void **ret_arg)
{
        *ret_arg = parse(c, false);
        return *ret_arg ? (int)c->n : -1;
}

/* ---- what is sent ---- */

struct out {
        char p[ACT_VALUE_MAX];
        size_t n;
        bool full;
};

static void put(struct out *o, struct str s)
{
        if (s.n > sizeof(o->p) - o->n) {
                o->full = true;
                return;
        }
        if (s.n)
                memcpy(o->p + o->n, s.p, s.n);
        o->n += s.n;
}

static struct str out_str(const struct out *o)
{
        return (struct str){ o->p, o->n };
}

static struct str query_of(struct str pq) /* with its '?' */
{
        const char *q = pq.n ? memchr(pq.p, '?', pq.n) : NULL;
        size_t at = q ? (size_t)(q - pq.p) : pq.n;

        return str_sub(pq, at, pq.n - at);
}

static void put_path(struct out *o, const struct redirect *r, struct str pq)
{
        struct str q = query_of(pq), path = str_sub(pq, 0, pq.n - q.n);

        put(o, path.n ? path : STR("/"));
        if (!(r->options & DROP_QUERY))
                put(o, q);
        else if ((r->options & APPEND_SLASH) && path.n && path.p[path.n - 1] != '/')
                put(o, STR("/"));
}

static void put_location(struct out *o, const struct redirect *r, struct str to, struct str pq)
{
        struct str q = r->options & KEEP_QUERY ? query_of(pq) : STR("");

        put(o, to);
        if (q.n == 0)
                return;
        put(o, to.n && memchr(to.p, '?', to.n) ? STR("&") : STR("?"));
        put(o, str_sub(q, 1, q.n - 1));
}

static void put_scheme(struct out *o, const struct redirect *r, struct str to, const struct hmsg *req)
{
        int host = req ? hmsg_find(req, HID_HOST, 0) : -1;

        put(o, to);
        put(o, STR("://"));
        if (host >= 0)
                put(o, hmsg_value(req, host));
        put_path(o, r, req ? hmsg_path_query(req) : STR(""));
}

/* False: `ignore-empty`, and it is. */
static bool location(struct out *o, const struct redirect *r, struct rule_ctx *x)
{
        const struct hmsg *req = x->x.req;
        char room[ACT_VALUE_MAX + 1];
        struct str to;

        o->full = !act_text(&r->to, x, room, &to);
        if (to.n == 0 && (r->options & IGNORE_EMPTY))
                return false;
        switch (r->kind) {
        case TO_NOTHING:
        case TO_LOCATION: put_location(o, r, to, req ? hmsg_path_query(req) : STR("")); break;
        case TO_PREFIX:
                if (!str_is(to, "/"))
                        put(o, to);
                put_path(o, r, req ? hmsg_path_query(req) : STR(""));
                break;
        case TO_SCHEME: put_scheme(o, r, to, req); break;
        }
        return true;
}

static bool cookie(struct out *o, const struct redirect *r, const struct rule_ctx *x)
{
        char room[ACT_VALUE_MAX + 1];
        struct str v;

        if (!act_text(r->cookie, x, room, &v))
                return false;
        put(o, v);
        put(o, r->options & CLEAR_COOKIE ? STR("; path=/; Max-Age=0;") : STR("; path=/;"));
        return !o->full;
}

static enum rule_answer redirect_run(const void *arg, struct rule_ctx *x)
{
        const struct redirect *r = arg;
        struct out to = { .n = 0 }, set = { .n = 0 };
        struct reply_field f[3];
        struct reply p = { .status = r->code, .fields = f };

        if (!location(&to, r, x))
                return RULE_NEXT;
        if (to.full || (r->cookie && !cookie(&set, r, x)))
                return act_edited(-ENOMEM, x);
        f[p.n_fields++] = (struct reply_field){ STR("location"), str_trim(out_str(&to)) };
        if (r->code == 302 || r->code == 303 || r->code == 307) /* the other two may be kept (RFC 9110 15.4) */
                f[p.n_fields++] = (struct reply_field){ STR("cache-control"), STR("no-cache") };
        if (r->cookie)
                f[p.n_fields++] = (struct reply_field){ STR("set-cookie"), str_trim(out_str(&set)) };
        strm_term(x->strm, 'L', act_phase(x));
        act_drop_answer(x);
        strm_reply(x->strm, &p);
        return RULE_TAKEN;
}

#define WORDS                                                                                                          \
        "{ location <fmt> | prefix <fmt> | scheme <fmt> } [ code <code> ] [ drop-query ] [ append-slash ] "            \
        "[ keep-query ] [ ignore-empty ] [ set-cookie <name>[=<value>] | set-cookie-fmt <fmt> | clear-cookie <name>[=] ]"

static const struct action actions[] = {
        { .name = "redirect",
          .points = ACT_MESSAGES,
          .parse = action_parse,
          .run = redirect_run,
          .manual = "4.4",
          .args = WORDS,
          .help = "sends the client elsewhere" },
};
ACTION_TABLE(http_redirect, actions);

/* ---- the keyword: rules of their own, behind all of http-request ---- */

struct redirect_line {
        const struct redirect_line *prev;
        struct rule rule;
        struct words words;
        struct span at;
};

struct redirect_cfg { /* slot "redirect": frontends, backends */
        const struct redirect_line *last;
};
extern int redirect_slot;

static int keyword_parse(struct kw_call *c)
{
        struct redirect_cfg *cfg = c->slot;
        struct redirect_line *l = conf_alloc(c->conf, sizeof(*l));
        size_t cond = 0;
        struct rule_call rc = { .kw = c, .w = c->args, .point = RULE_HTTP_REQUEST, .allowed = EXPR_AT_REQUEST };

        while (cond < c->n_args && (c->args[cond].quoted || !cond_starts(&c->args[cond])))
                cond++;
        rc.n = cond;
        l->rule.action = &actions[0];
        l->rule.arg = parse(&rc, true);
        if (!l->rule.arg)
                return -1;
        if (cond < c->n_args &&
            !(l->rule.cond = cond_compile(c, "a redirect rule", c->args + cond, c->n_args - cond, EXPR_AT_REQUEST)))
                return -1;
        words_keep(c->conf, c->args, c->n_args, &l->words);
        l->at = c->args[0].at;
        l->prev = cfg->last;
        cfg->last = l;
        return (int)c->n_args;
}

static void dump_line(const struct redirect_line *l, struct buf *out)
{
        if (!l)
                return;
        dump_line(l->prev, out);
        buf_puts(out, "    redirect");
        words_dump(&l->words, out);
        buf_putc(out, '\n');
}

static void keyword_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw;
        dump_line(((const struct redirect_cfg *)slot)->last, out);
}

static const struct kw rows[] = {
        KW_FN("redirect", keyword_parse, keyword_dump, .manual = "4.2", .apply = KW_NEW,
              .args = WORDS " [ { if | unless } <condition> ]", .sample = "prefix /a code 301 drop-query if TRUE",
              .help = "Sends clients elsewhere, after all http-request rules; texts are taken as they are."),
};

static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct redirect_line *l = ((const struct redirect_cfg *)slot)->last;
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);
        struct span last = conf_span_name(o, "http-request");

        (void)c;
        if (!l || !px)
                return;
        if (px->mode != PX_HTTP)
                (void)diag_add(d, DIAG_WARNING, l->at, "W0745",
                               "'redirect' rules ignored for proxy '%s' as they require HTTP mode.", o->name);
        while (l->prev)
                l = l->prev;
        if (last.file == l->at.file && last.line > l->at.line)
                (void)diag_add(d, DIAG_WARNING, last, "W0746",
                               "a 'http-request' rule placed after a 'redirect' rule will still be processed before.");
}

KW_TABLE(redirect, KIND_FE | KIND_BE, struct redirect_cfg, rows, .check = check);

struct program {
        uint32_t n;
        struct rule rule[];
};

static const void *applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct redirect_cfg *cfg = conf_slot(o, redirect_slot);
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);
        struct program *p;
        uint32_t n = 0;

        if (!cfg || !px || px->mode != PX_HTTP || (!as_front && o->kind->bit == KIND_LISTEN))
                return NULL;
        for (const struct redirect_line *l = cfg->last; l; l = l->prev)
                n++;
        if (n == 0)
                return NULL;
        p = conf_alloc(c, sizeof(*p) + n * sizeof(p->rule[0]));
        p->n = n;
        for (const struct redirect_line *l = cfg->last; l; l = l->prev)
                p->rule[--n] = l->rule;
        return p;
}

static enum hook_answer run(struct strm *s, const void *arg, bool as_front)
{
        const struct program *p = arg;
        struct rule_ctx x = {
                .strm = s,
                .msg = s->req,
                .x = { .strm = s, .sess = s->sess, .req = s->req, .have = EXPR_AT_REQUEST, .final = true },
                .point = RULE_HTTP_REQUEST,
                .as_front = as_front
        };

        for (uint32_t i = 0; s->req && i < p->n; i++) {
                const struct rule *r = &p->rule[i];

                enum cond_answer a = r->cond ? cond_run(r->cond, &x.x) : COND_TRUE;

                if (a == COND_WAIT)
                        return HOOK_WAIT;
                if (a == COND_TRUE && redirect_run(r->arg, &x) == RULE_TAKEN)
                        return HOOK_TAKEN;
        }
        return HOOK_NEXT;
}

static const struct hook hook = {
        .name = "redirect", .rank = 31, .point = HOOK_REQUEST, .applies = applies, .run = run
};
HOOK(hook);
