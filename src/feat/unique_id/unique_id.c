/* feat/unique_id/unique_id.c - `unique-id-format`, `unique-id-header`, unique-id, %ID (manual 4.2).
 *
 * The frontend's format is printed when the id is first asked for, at the latest behind the rules of the request, whose head goes then;
 * from then on the stream keeps it. A health check prints the format of its backend. */
#include "conf/conf.h"
#include "core/hook.h"
#include "core/kinds.h"
#include "core/logfmt.h"
#include "core/put.h"
#include "core/sess.h"
#include "core/strm_priv.h"

enum { ID_MAX = 127 }; /* as HAProxy */

struct unique_cfg { /* slot "unique_id" */
        const char *text, *header;
        const struct logfmt *fmt, *check_fmt; /* check_fmt: what of it a health check knows; NULL: it asks for more */
};
extern int unique_id_slot;

struct unique { /* of a stream */
        uint32_t n;
        char p[];
};

/* ---- words ---- */

/* In a health check there is no client: a format that names one is no fault there. */
static const struct logfmt *for_checks(const struct kw_call *c, const struct word *w)
{
        struct kw_call quiet = *c;
        const struct logfmt *f;
        struct diags d;

        diags_init(&d);
        quiet.diags = &d;
        f = logfmt_compile(&quiet, w->text, w, EXPR_AT_CHECK);
        diags_fini(&d);
        return f;
}

static int format_parse(struct kw_call *c)
{
        struct unique_cfg *cfg = c->slot;

        if (c->n_args != 1) {
                (void)kw_fail(c, c->n_args ? &c->args[1] : NULL, "E0770",
                              c->n_args ? "%s expects only one argument, don't forget to escape spaces!"
                                        : "%s expects an argument.",
                              c->kw->name);
                return -1;
        }
        cfg->fmt = logfmt_compile(c, c->args[0].text, &c->args[0], EXPR_AT_REQUEST);
        if (!cfg->fmt)
                return -1;
        cfg->check_fmt = for_checks(c, &c->args[0]);
        cfg->text = conf_intern(c->conf, c->args[0].text);
        return 1;
}

static void format_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct unique_cfg *cfg = slot;

        if (!cfg->text)
                return;
        buf_printf(out, "    %s ", kw->name);
        kw_quote(out, cfg->text);
        buf_putc(out, '\n');
}

static int header_parse(struct kw_call *c)
{
        struct unique_cfg *cfg = c->slot;

        if (!c->n_args) {
                (void)kw_fail(c, NULL, "E0770", "%s expects an argument.", c->kw->name);
                return -1;
        }
        if (!str_is_token(c->args[0].text)) {
                (void)kw_fail(c, &c->args[0], "E0770", "'%.*s' is not a header field's name.", (int)c->args[0].text.n,
                              c->args[0].text.p);
                return -1;
        }
        cfg->header = conf_intern(c->conf, c->args[0].text);
        return 1;
}

static void header_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        const struct unique_cfg *cfg = slot;

        if (cfg->header)
                buf_printf(out, "    %s %s\n", kw->name, cfg->header);
}

static const struct kw rows[] = {
        KW_FN("unique-id-format", format_parse, format_dump, .manual = "4.2", .apply = KW_NEW, .args = "<fmt>",
              .sample = "%ci:%cp_%rt",
              .help = "What an id of each request is made of (%ID, unique-id); in backends, of each health check."),
        KW_FN("unique-id-header", header_parse, header_dump, .manual = "4.2", .apply = KW_NEW, .args = "<name>",
              .sample = "X-Unique-ID", .kinds = KIND_DEFAULTS | KIND_FE, .warn_kinds = KIND_BACKEND,
              .help = "Adds the unique id to requests under this name, behind all rules."),
};
KW_TABLE(unique_id, KIND_PROXY, struct unique_cfg, rows);

/* ---- the id ---- */

static const struct unique_cfg *cfg_of(const struct strm *s)
{
        return s->fcfg && s->fcfg->obj ? conf_slot(s->fcfg->obj, unique_id_slot) : NULL;
}

static struct str kept(const struct strm *s)
{
        const struct unique *u = s->vars ? *expr_own(s->vars, EXPR_OWN_UNIQUE_ID) : NULL;

        return u ? (struct str){ u->p, u->n } : (struct str){ NULL, 0 };
}

/* An id that asks for itself gets nothing: the empty one is there already. */
static struct str made(const struct expr_ctx *x)
{
        const struct unique_cfg *cfg = cfg_of(x->strm);
        struct expr_state *e = cfg && cfg->fmt ? expr_state_of(x->strm) : NULL;
        static struct unique none;
        char text[ID_MAX];
        struct unique *u;
        size_t n;

        if (!e)
                return (struct str){ NULL, 0 };
        *expr_own(e, EXPR_OWN_UNIQUE_ID) = &none;
        n = logfmt_print(cfg->fmt, x, text, sizeof(text));
        u = expr_keep(e, sizeof(*u) + n);
        *expr_own(e, EXPR_OWN_UNIQUE_ID) = u;
        if (!u)
                return (struct str){ NULL, 0 };
        u->n = (uint32_t)n;
        memcpy(u->p, text, n);
        return (struct str){ u->p, n };
}

static struct str id_of(const struct expr_ctx *x)
{
        struct str id = kept(x->strm);

        return id.p ? id : made(x);
}

/* ---- the header: behind the rules of the backend ---- */

static enum hook_answer add_header(struct strm *s, const void *arg, bool as_front)
{
        const struct unique_cfg *cfg = cfg_of(s);
        const struct expr_ctx x = { .strm = s, .sess = s->sess, .req = s->req, .have = EXPR_AT_REQUEST, .final = true };
        struct str id;

        (void)arg, (void)as_front;
        if (!s->req || !cfg || !cfg->fmt)
                return HOOK_NEXT;
        id = str_trim(id_of(&x));
        if (!cfg->header || !id.n || hmsg_add(s->req, str_of(cfg->header), id) >= 0)
                return HOOK_NEXT;
        strm_term(s, 'P', 'R'); /* no room for it: as with rules, refused rather than passed on without */
        strm_answer(s, 400);
        return HOOK_TAKEN;
}

static const void *applies(struct conf *c, const struct conf_obj *proxy, bool as_front)
{
        const struct proxy_cfg *px = conf_slot(proxy, proxy_slot);

        if (as_front || px->mode != PX_HTTP)
                return NULL;
        for (const struct conf_obj *o = c->first; o; o = o->sibling) {
                const struct unique_cfg *cfg = o->kind->bit & KIND_FE ? conf_slot(o, unique_id_slot) : NULL;

                if (cfg && cfg->fmt)
                        return cfg;
        }
        return NULL;
}

static const struct hook hook = {
        .name = "unique-id", .rank = 90, .point = HOOK_REQUEST, .applies = applies, .run = add_header
};
HOOK(hook);

/* ---- to be seen ---- */

static enum expr_answer of_check(const struct expr_ctx *x, struct smp *ret_smp)
{
        const struct back_cfg *b = epoch_load(&x->check->srv->back->cfg);
        const struct unique_cfg *cfg = b->obj ? conf_slot(b->obj, unique_id_slot) : NULL;
        char text[ID_MAX], *to;
        size_t n, cap;

        if (!cfg || !cfg->check_fmt)
                return EXPR_MISS;
        n = logfmt_print(cfg->check_fmt, x, text, sizeof(text));
        to = expr_scratch(&cap);
        memcpy(to, text, n);
        smp_str(ret_smp, (struct str){ to, n });
        return EXPR_OK;
}

static enum expr_answer fetch(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,
                              struct smp *ret_smp)
{
        struct str id;

        (void)args, (void)n_args;
        if (x->check)
                return of_check(x, ret_smp);
        if (!x->strm)
                return EXPR_MISS;
        id = id_of(x);
        if (!id.n)
                return EXPR_MISS;
        smp_str(ret_smp, id);
        return EXPR_OK;
}

static const struct fetch fetches[] = {
        { .name = "unique-id",
          .out = SMP_STR,
          .needs = EXPR_INTERNAL,
          .in_check = true,
          .fn = fetch,
          .manual = "7.3.2",
          .help = "the id that unique-id-format makes of this request, or of this health check" },
};
FETCH_TABLE(unique_id, fetches);

/* The stream is const to a line that is printed, but its memory is its own. */
static size_t print(struct log_view *v, unsigned flags, char *dst, size_t n)
{
        struct strm *s = (struct strm *)(uintptr_t)v->strm;
        const struct expr_ctx x = { .strm = s,
                                    .sess = s->sess,
                                    .req = s->req,
                                    .have = s->req ? EXPR_AT_REQUEST : EXPR_AT_LOG & ~(unsigned)EXPR_LOG,
                                    .final = true };
        struct str id = id_of(&x);

        (void)flags;
        return id.n ? (size_t)(put_bytes(dst, dst + n, id.p, id.n) - dst) : 0;
}

static const struct log_alias aliases[] = {
        { .name = "ID", .print = print, .string = true, .help = "unique id" },
};
LOG_ALIAS_TABLE(unique_id, aliases);
