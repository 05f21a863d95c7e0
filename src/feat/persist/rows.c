/* feat/persist/rows.c - the words of cookie persistence (manual 4.2 "cookie", "dynamic-cookie-key", "option persist"; 5.2 "cookie"). */
#include "core/kinds.h"
#include "feat/persist/persist.h"

static int complain(struct kw_call *c, const struct word *w, const char *why)
{
        (void)kw_fail(c, w, "E0780", "%s", why);
        return -1;
}

/* "'<the word>' is not ..." */
static int bad_word(struct kw_call *c, const struct word *w, const char *what)
{
        (void)kw_fail(c, w, "E0780", "'%.*s' is not a valid %s.", (int)w->text.n, w->text.p, what);
        return -1;
}

/* ---- the flags ---- */

static const struct flag {
        const char *word;
        size_t off;
} flags[] = {
        { "indirect", offsetof(struct persist_cfg, indirect) }, { "nocache", offsetof(struct persist_cfg, nocache) },
        { "postonly", offsetof(struct persist_cfg, postonly) }, { "preserve", offsetof(struct persist_cfg, preserve) },
        { "httponly", offsetof(struct persist_cfg, httponly) }, { "secure", offsetof(struct persist_cfg, secure) },
        { "dynamic", offsetof(struct persist_cfg, dynamic) },
};

static const char *const modes[] = { NULL, "rewrite", "insert", "prefix" }; /* enum persist_mode */

static bool *flag_of(const struct persist_cfg *p, const struct flag *f)
{
        return (bool *)(uintptr_t)((const char *)p + f->off);
}

static bool take_flag(struct persist_cfg *p, struct str word)
{
        for (size_t i = 0; i < array_len(flags); i++)
                if (str_is(word, flags[i].word))
                        return *flag_of(p, &flags[i]) = true;
        return false;
}

/* 1: it was a mode; 0: it was not; -1 after an alert. */
static int take_mode(struct kw_call *c, const struct word *w)
{
        struct persist_cfg *p = c->slot;

        for (int m = PERSIST_REWRITE; m <= PERSIST_PREFIX; m++) {
                if (!str_is(w->text, modes[m]))
                        continue;
                if (p->mode != PERSIST_PASSIVE && p->mode != m)
                        return complain(c, w, "cookie 'rewrite', 'insert' and 'prefix' modes are incompatible.");
                p->mode = m;
                return 1;
        }
        return 0;
}

/* ---- words with an argument ---- */

static int add_attr(struct kw_call *c, struct str text, bool domain)
{
        struct persist_cfg *p = c->slot;
        struct persist_attr *a = conf_alloc(c->conf, sizeof(*a));

        *a = (struct persist_attr){ p->attrs, conf_intern(c->conf, text), domain };
        p->attrs = a;
        return 2;
}

static int take_domain(struct kw_call *c, const struct word *w)
{
        const char *text = conf_intern(c->conf, w->text);

        if (w->text.n < 2 || !memchr(w->text.p + 1, '.', w->text.n - 1))
                (void)kw_warn(c, w, "W0780",
                              "domain '%s' contains no embedded dot, this configuration may not work properly (see "
                              "RFC6265#5.2.3).",
                              text);
        for (size_t i = 0; i < w->text.n; i++)
                if (!chr_is_alnum(w->text.p[i]) && !strchr("-.", w->text.p[i]))
                        return bad_word(c, w, "domain name");
        return add_attr(c, w->text, true);
}

static int take_attr(struct kw_call *c, const struct word *w)
{
        for (size_t i = 0; i < w->text.n; i++)
                if ((unsigned char)w->text.p[i] < 32 || w->text.p[i] == 127 || w->text.p[i] == ';')
                        return bad_word(c, w, "attribute value");
        return add_attr(c, w->text, false);
}

static int take_age(struct kw_call *c, const struct word *w, int *ret_s)
{
        return kw_arg_seconds(c, w, ret_s) ? 2 : -1;
}

/* How many words it took, 0: none of these, -1 after an alert. */
static int take_pair(struct kw_call *c, size_t i)
{
        struct persist_cfg *p = c->slot;
        const struct word *w = &c->args[i], *arg = i + 1 < c->n_args ? w + 1 : NULL;

        if (str_is(w->text, "domain"))
                return arg ? take_domain(c, arg) : complain(c, w, "'domain' expects <domain> as argument.");
        if (str_is(w->text, "attr"))
                return arg ? take_attr(c, arg) : complain(c, w, "'attr' expects <value> as argument.");
        if (str_is(w->text, "maxidle"))
                return arg ? take_age(c, arg, &p->maxidle_s)
                           : complain(c, w, "'maxidle' expects <idletime> in seconds as argument.");
        if (str_is(w->text, "maxlife"))
                return arg ? take_age(c, arg, &p->maxlife_s)
                           : complain(c, w, "'maxlife' expects <lifetime> in seconds as argument.");
        return 0;
}

static int take_word(struct kw_call *c, size_t i)
{
        int took = take_mode(c, &c->args[i]);

        if (took == 0)
                took = take_flag(c->slot, c->args[i].text);
        if (took == 0)
                took = take_pair(c, i);
        if (took == 0)
                return complain(
                        c, &c->args[i],
                        "'cookie' supports 'rewrite', 'insert', 'prefix', 'indirect', 'nocache', 'postonly', "
                        "'preserve', 'httponly', 'secure', 'domain', 'maxidle', 'dynamic', 'maxlife' and 'attr' options.");
        return took;
}

static int cookie_parse(struct kw_call *c)
{
        struct persist_cfg *p = c->slot;
        int took;

        if (c->n_args == 0)
                return complain(c, NULL, "'cookie' expects <cookie_name> as argument.");
        if (!str_is_token(c->args[0].text)) /* RFC 6265 4.1.1; it would break the header it stands in */
                return bad_word(c, &c->args[0], "cookie name");
        *p = (struct persist_cfg){ .firm = p->firm, .key = p->key, .name = conf_intern(c->conf, c->args[0].text) };
        for (size_t i = 1; i < c->n_args; i += (size_t)took) {
                took = take_word(c, i);
                if (took < 0)
                        return -1;
        }
        if (p->preserve && p->mode != PERSIST_INSERT && !p->indirect)
                return complain(c, NULL, "cookie 'preserve' requires at least 'insert' or 'indirect'.");
        return (int)c->n_args;
}

static void dump_attrs(const struct persist_attr *a, struct buf *out)
{
        if (!a)
                return;
        dump_attrs(a->prev, out);
        buf_puts(out, a->domain ? " domain " : " attr ");
        kw_quote(out, a->text);
}

static void cookie_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct persist_cfg *p = slot;

        if (!p->name)
                return;
        buf_printf(out, "    %s %s", kw->name, p->name);
        if (p->mode)
                buf_printf(out, " %s", modes[p->mode]);
        for (size_t i = 0; i < array_len(flags); i++)
                if (*flag_of(p, &flags[i]))
                        buf_printf(out, " %s", flags[i].word);
        if (p->maxidle_s)
                buf_printf(out, " maxidle %d", p->maxidle_s);
        if (p->maxlife_s)
                buf_printf(out, " maxlife %d", p->maxlife_s);
        dump_attrs(p->attrs, out);
        buf_putc(out, '\n');
}

#define BACK .kinds = KIND_DEFAULTS | KIND_BE, .warn_kinds = KIND_FRONTEND, .manual = "4.2", .apply = KW_NEW

static const struct kw rows[] = {
        KW_FN("cookie", cookie_parse, cookie_dump, BACK,
              .args = "<name> [rewrite | insert | prefix] [indirect] [nocache] [postonly] [preserve] [httponly] [secure] "
                      "[domain <domain>]* [maxidle <idle>] [maxlife <life>] [dynamic] [attr <value>]*",
              .sample = "SRV insert indirect nocache domain example.com maxidle 30m",
              .help = "A client keeps its server by this cookie."),
        KW_STR("dynamic-cookie-key", struct persist_cfg, key, BACK, .min = 1, .args = "<secret>",
               .help = "With `cookie ... dynamic`, servers without a value of their own get one from this key, their address "
                       "and port."),
        KW_FLAG("option persist", struct persist_cfg, firm, BACK,
                .help = "A client stays with the server of its cookie even while that is down."),
        KW_REFUSE("appsession", "it does not exist any more (HAProxy 1.6); use 'cookie' or a stick table", BACK,
                  .args = "<cookie> len <length> timeout <holdtime>",
                  .help = "Persistence by an application's cookie."),
};

/* HAProxy says it too: in mode tcp there is no cookie to be seen. */
static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct persist_cfg *p = slot;
        const struct proxy_cfg *px = conf_slot(o, proxy_slot);

        (void)c;
        if (!(o->kind->bit & KIND_BE) || !p->name || px->mode == PX_HTTP)
                return;
        diag_add(d, DIAG_WARNING, conf_span_name(o, "cookie"), "W0781",
                 "cookie will be ignored for %s '%s' (needs 'mode http').", o->kind->name, o->name)
                ->parsing = false;
}

KW_TABLE(persist, KIND_PROXY, struct persist_cfg, rows, .check = check);

static int value_parse(struct kw_call *c)
{
        struct persist_server_cfg *s = c->slot;

        if (c->n_args == 0)
                return complain(c, NULL, "'cookie' expects <value> as argument.");
        for (size_t i = 0; i < c->args[0].text.n; i++) {
                unsigned char b = (unsigned char)c->args[0].text.p[i];

                if (b <= 32 || b >= 127 ||
                    strchr("\",;\\", b)) /* RFC 6265 4.1.1: it would break the header it stands in */
                        return bad_word(c, &c->args[0], "cookie value");
        }
        s->value = conf_intern(c->conf, c->args[0].text);
        return 1;
}

static void value_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct persist_server_cfg *s = slot;

        if (!s->value)
                return;
        buf_printf(out, " %s ", kw->name);
        kw_quote(out, s->value);
}

static const struct kw server_rows[] = {
        KW_FN("cookie", value_parse, value_dump, .manual = "5.2", .apply = KW_NEW, .args = "<value>", .sample = "s1",
              .help = "What the backend's cookie says when it means this server."),
};

static void check_value(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct proxy_cfg *px = o->parent ? conf_slot(o->parent, proxy_slot) : NULL;

        (void)c;
        if (o->kind->bit != KIND_SERVER || !((const struct persist_server_cfg *)slot)->value || !px ||
            px->mode == PX_HTTP)
                return;
        diag_add(d, DIAG_WARNING, conf_span_name(o, "cookie"), "W0782",
                 "backend '%s' : ignoring cookie for server '%s' as HTTP mode is disabled.", o->parent->name, o->name)
                ->parsing = false;
}

KW_TABLE(persist_server, KIND_ANY_SERVER, struct persist_server_cfg, server_rows, .check = check_value);
