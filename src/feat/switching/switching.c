/* feat/switching/switching.c - `use_backend` (manual 4.2): conditions choose the backend, the first that matches wins. */
#include "conf/conf.h"
#include "core/cond.h"
#include "core/content.h"
#include "core/hook.h"
#include "core/kinds.h"
#include "core/logfmt.h"

struct use_line {
        const struct use_line *prev; /* lists are shared with the defaults they come from */
        const char *target;          /* as written */
        const struct logfmt *fmt;    /* NULL: a plain name */
        const struct cond *cond;     /* NULL: always */
        struct words words;
        struct span at;
};

struct switching_cfg { /* slot "switching" */
        const struct use_line *last;
};
extern int switching_slot;

static int use_parse(struct kw_call *c)
{
        struct switching_cfg *cfg = c->slot;
        struct use_line *l;

        if (c->n_args < 1) {
                (void)kw_fail(c, NULL, "E0750", "'use_backend' expects a backend name.");
                return -1;
        }
        if (c->n_args > 1 && !cond_starts(&c->args[1])) {
                (void)kw_fail(c, &c->args[1], "E0751",
                              "unexpected keyword '%.*s' after switching rule, only 'if' and 'unless' are allowed.",
                              (int)c->args[1].text.n, c->args[1].text.p);
                return -1;
        }
        l = conf_alloc(c->conf, sizeof(*l));
        l->target = conf_intern(c->conf, c->args[0].text);
        l->at = c->args[0].at;
        if (strchr(l->target, '%') && !(l->fmt = logfmt_compile(c, c->args[0].text, &c->args[0], EXPR_AT_REQUEST)))
                return -1;
        if (c->n_args > 1 &&
            !(l->cond = cond_compile(c, "switching rule", c->args + 1, c->n_args - 1, EXPR_AT_REQUEST)))
                return -1;
        words_keep(c->conf, c->args, c->n_args, &l->words);
        l->prev = cfg->last;
        cfg->last = l;
        return (int)c->n_args;
}

static void dump_line(const struct use_line *l, struct buf *out)
{
        if (l->prev)
                dump_line(l->prev, out);
        buf_puts(out, "    use_backend");
        words_dump(&l->words, out);
        buf_putc(out, '\n');
}

static void use_dump(const struct kw *kw, const void *slot, struct buf *out)
{
        (void)kw;
        if (((const struct switching_cfg *)slot)->last)
                dump_line(((const struct switching_cfg *)slot)->last, out);
}

static const struct kw rows[] = {
        KW_FN("use_backend", use_parse, use_dump, .kinds = KIND_FE, .manual = "4.2", .apply = KW_NEW,
              .args = "<backend> [ { if | unless } <condition> ]", .sample = "%[str(b)] if TRUE",
              .help = "Switches to a backend when a condition holds."),
};

static void check(struct conf *c, struct conf_obj *o, void *slot, struct diags *d)
{
        const struct proxy_cfg *px = conf_slot(o, proxy_slot), *bp;
        const struct conf_obj *b;

        for (const struct use_line *l = ((const struct switching_cfg *)slot)->last; l; l = l->prev) {
                if (l->fmt)
                        continue;
                b = conf_find(c, KIND_BE, str_of(l->target));
                bp = b ? conf_slot(b, proxy_slot) : NULL;
                if (!b) {
                        diag_add(d, DIAG_ALERT, l->at, "E0752",
                                 "Proxy '%s': unable to find required use_backend: '%s'.", o->name, l->target)
                                ->parsing = false;
                } else if (px->mode != bp->mode && px->mode == PX_HTTP) {
                        (void)diag_add(d, DIAG_ALERT, l->at, "E0753",
                                       "backend '%s' is in TCP mode, frontend '%s' in HTTP mode: use_backend cannot "
                                       "join them.",
                                       l->target, o->name);
                }
        }
}

KW_TABLE(switching, KIND_FE, struct switching_cfg, rows, .check = check);

/* ---- the hook ---- */

struct program {
        uint32_t n;
        bool contents; /* some rule looks at what was said: in mode tcp that is looked for */
        const struct use_line *line[];
};

static const void *applies(struct conf *c, const struct conf_obj *o, bool as_front)
{
        const struct switching_cfg *cfg = conf_slot(o, switching_slot);
        struct program *p;
        uint32_t n = 0;

        for (const struct use_line *l = cfg ? cfg->last : NULL; l; l = l->prev)
                n++;
        if (!as_front || n == 0)
                return NULL;
        p = conf_alloc(c, sizeof(*p) + n * sizeof(p->line[0]));
        p->n = n;
        for (const struct use_line *l = cfg->last; l; l = l->prev) {
                p->line[--n] = l;
                p->contents |= l->fmt || (l->cond && (cond_needs(l->cond) & (EXPR_REQ_HEAD | EXPR_REQ_LINE)));
        }
        return p;
}

/* A name made at run time that no backend has: the rule does not apply (manual, use_backend). */
static struct back *target_of(const struct use_line *l, const struct expr_ctx *x)
{
        char name[256];

        if (!l->fmt)
                return back_find(str_of(l->target));
        return back_find((struct str){ name, logfmt_print(l->fmt, x, name, sizeof(name)) });
}

static enum hook_answer run(struct strm *s, const void *arg, bool as_front)
{
        const struct program *p = arg;
        struct expr_ctx x = { .strm = s,
                              .sess = s->sess,
                              .req = s->req,
                              .have = s->req ? EXPR_AT_REQUEST : EXPR_AT_CONTENT,
                              .final = true };
        struct content_head h = { .box = NULL };

        (void)as_front;
        if (p->contents && !s->http)
                content_head(&h, s, CONTENT_REQUEST, &x);
        for (uint32_t i = 0; i < p->n; i++) {
                const struct use_line *l = p->line[i];
                struct back *b;

                enum cond_answer a = l->cond ? cond_run(l->cond, &x) : COND_TRUE;

                if (a == COND_WAIT)
                        return HOOK_WAIT;
                if (a != COND_TRUE)
                        continue;
                b = target_of(l, &x);
                if (b) {
                        strm_set_back(s, b);
                        break;
                }
        }
        content_head_done(&h);
        return HOOK_NEXT;
}

static void leads(const void *arg, void (*each)(void *ctx, const char *backend), void *ctx)
{
        const struct program *p = arg;

        for (uint32_t i = 0; i < p->n; i++)
                if (!p->line[i]->fmt)
                        each(ctx, p->line[i]->target);
}

static const struct hook hook = {
        .name = "use_backend", .rank = 40, .point = HOOK_REQUEST, .applies = applies, .run = run, .leads = leads
};
HOOK(hook);
