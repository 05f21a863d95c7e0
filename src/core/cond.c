/* core/cond.c - compiles a condition into tests with jumps, and runs it. Hot: cond_run() (tools/hot.list).
 *
 *   a !b || c   ->   0: a   true: 1     false: 2
 *                    1: b   true: 2     false: PASS
 *                    2: c   true: PASS  false: FAIL
 *
 * An ACL with several lines is a row of tests of which one must match. */
#include "core/cond.h"
#include "conf/conf.h"
#include "conf/later.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { PASS = 0xfffe, FAIL = 0xffff, STEPS_MAX = 4096 };

struct step {
        const struct acl_test *test;
        uint16_t on_true, on_false;
};

struct cond {
        bool unless;
        unsigned needs;
        uint32_t n;
        struct step step[];
};

extern const struct acl_table *const __start_telamon_acl[] __attribute__((weak));
extern const struct acl_table *const __stop_telamon_acl[] __attribute__((weak));

/* ---- words ---- */

void words_keep(struct conf *c, const struct word *w, size_t n, struct words *ret_words)
{
        struct kept_word *v = conf_alloc(c, n * sizeof(*v));

        for (size_t i = 0; i < n; i++)
                v[i] = (struct kept_word){ conf_intern(c, w[i].text), w[i].quoted };
        ret_words->v = v;
        ret_words->n = n;
}

void words_dump(const struct words *w, struct buf *out)
{
        for (size_t i = 0; i < w->n; i++) {
                bool keep = w->v[i].quoted && (strcmp(w->v[i].text, "if") == 0 || strcmp(w->v[i].text, "unless") == 0);

                buf_putc(out, ' ');
                if (keep)
                        buf_printf(out, "\"%s\"", w->v[i].text);
                else
                        kw_quote(out, w->v[i].text);
        }
}

/* ---- compile: terms in order, "or" between groups ---- */

struct build {
        struct kw_call *c;
        const char *what;
        const struct word *w;
        size_t n, i;
        unsigned allowed, needs;
        struct step *step;
        uint32_t n_steps;
        uint32_t group; /* first step of the group under way */
};

enum { NEXT_TERM = 0xfffc, NEXT_GROUP = 0xfffd }; /* patched when the place is known */

static bool fail(struct build *b, const struct word *w, const char *fmt, ...) fmt_like(3, 4);

static bool fail(struct build *b, const struct word *w, const char *fmt, ...)
{
        char why[256];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        (void)kw_fail(b->c, w, "E0732", "error detected while parsing %s : %s.", b->what, why);
        return false;
}

/* A test of the term under way: `last` of its tests, negated or not. */
static bool push(struct build *b, const struct acl_test *t, bool negated, bool last)
{
        struct step *s = &b->step[b->n_steps];
        unsigned lacks = expr_needs(t->expr) & ~b->allowed & ~(unsigned)(EXPR_INTERNAL | EXPR_CONF);

        if (b->n_steps == STEPS_MAX)
                return fail(b, NULL, "too many tests");
        if (lacks) /* as HAProxy: it is said, and the test never matches */
                (void)kw_warn(
                        b->c, NULL, "W0732",
                        "an ACL of this condition will never match because it uses keywords that are not available "
                        "here.");
        b->needs |= expr_needs(t->expr);
        expr_keep_request(expr_needs(t->expr), b->allowed);
        s->test = t;
        s->on_true = negated ? NEXT_GROUP : NEXT_TERM;
        s->on_false = negated ? (last ? NEXT_TERM : 0) : (last ? NEXT_GROUP : 0);
        if (!last)
                s->on_false = (uint16_t)(b->n_steps + 1);
        b->n_steps++;
        return true;
}

static void end_term(struct build *b, uint32_t from)
{
        for (uint32_t i = from; i < b->n_steps; i++) {
                if (b->step[i].on_true == NEXT_TERM)
                        b->step[i].on_true = (uint16_t)b->n_steps;
                if (b->step[i].on_false == NEXT_TERM)
                        b->step[i].on_false = (uint16_t)b->n_steps;
        }
}

/* A group that ran to its end has matched; what failed goes on behind it. */
static void end_group(struct build *b)
{
        uint16_t here = (uint16_t)b->n_steps;

        for (uint32_t i = b->group; i < b->n_steps; i++) {
                struct step *s = &b->step[i];

                s->on_true = s->on_true == NEXT_GROUP ? here : s->on_true == here ? (uint16_t)PASS : s->on_true;
                s->on_false = s->on_false == NEXT_GROUP ? here : s->on_false == here ? (uint16_t)PASS : s->on_false;
        }
        b->group = b->n_steps;
}

static const struct acl_row *find_predefined(struct str name)
{
        for (const struct acl_table *const *t = __start_telamon_acl; t < __stop_telamon_acl; t++) {
                for (size_t i = 0; i < (*t)->n; i++) {
                        if (str_is(name, (*t)->rows[i].name))
                                return &(*t)->rows[i];
                }
        }
        return NULL;
}

static const struct acl_test *compile_predefined(struct build *b, const struct acl_row *r)
{
        struct word w[8];
        size_t n = 0;
        struct str rest = str_of(r->text);

        while (rest.n && n < array_len(w)) {
                const char *sp = memchr(rest.p, ' ', rest.n);
                size_t len = sp ? (size_t)(sp - rest.p) : rest.n;

                w[n++] = (struct word){ .text = { rest.p, len }, .at = b->w[b->i].at };
                rest = str_sub(rest, len + (sp != NULL), rest.n - len - (sp != NULL));
        }
        return acl_test_compile(b->c, b->what, w, n);
}

static bool take_predefined(struct build *b, const struct word *w, bool negated)
{
        const struct acl_row *r = find_predefined(w->text);
        const struct acl_test *t;
        const char *later;

        if (!r) {
                later = later_text(&b->c->diags->mem, "predefined ACL", NULL, w->text);
                return later ? fail(b, w, "%s", later) : fail(b, w, "no such ACL : '%.*s'", (int)w->text.n, w->text.p);
        }
        t = compile_predefined(b, r);
        return t && push(b, t, negated, true);
}

/* Lines are found from the last to the first and tested in file order. */
static bool push_named(struct build *b, const struct acl_line *l, const char *name, bool negated, bool last)
{
        while (l && l->name != name)
                l = l->prev;
        if (!l)
                return true;
        return push_named(b, l->prev, name, negated, false) && l->test && push(b, l->test, negated, last);
}

static bool take_named(struct build *b, const struct word *w, bool negated)
{
        const struct acl_cfg *cfg = b->c->obj ? conf_slot(b->c->obj, acl_slot) : NULL;
        const char *name = conf_intern(b->c->conf, w->text);
        const struct acl_line *l = cfg ? cfg->last : NULL;

        while (l && l->name != name)
                l = l->prev;
        return l ? push_named(b, l, name, negated, true) : take_predefined(b, w, negated);
}

static bool take_anonymous(struct build *b, bool negated)
{
        const struct acl_test *t;
        size_t from = ++b->i;

        while (b->i < b->n && !str_is(b->w[b->i].text, "}"))
                b->i++;
        if (b->i >= b->n)
                return fail(b, &b->w[from - 1], "missing closing '}' in condition");
        t = acl_test_compile(b->c, b->what, b->w + from, b->i - from);
        return t && push(b, t, negated, true);
}

static bool take_term(struct build *b)
{
        uint32_t from = b->n_steps;
        bool negated = false, ok;
        struct word w = b->w[b->i];

        while (w.text.n && w.text.p[0] == '!') {
                negated = !negated;
                w.text = str_sub(w.text, 1, w.text.n - 1);
                if (w.text.n)
                        continue;
                if (++b->i >= b->n)
                        return fail(b, &b->w[b->n - 1], "missing ACL name after '!'");
                w = b->w[b->i];
        }
        ok = str_is(w.text, "{") ? take_anonymous(b, negated) : take_named(b, &w, negated);
        if (ok)
                end_term(b, from);
        return ok;
}

static bool is_or(const struct word *w)
{
        return str_is(w->text, "or") || str_is(w->text, "||");
}

static bool take_all(struct build *b)
{
        for (b->i = 1; b->i < b->n; b->i++) {
                if (is_or(&b->w[b->i])) {
                        if (b->n_steps == b->group)
                                return fail(b, &b->w[b->i], "nothing stands before '%.*s'", (int)b->w[b->i].text.n,
                                            b->w[b->i].text.p);
                        end_group(b);
                } else if (!take_term(b)) {
                        return false;
                }
        }
        if (b->n_steps == b->group)
                return fail(b, &b->w[b->n - 1], "missing condition");
        end_group(b);
        return true;
}

/* What failed in the last group points behind the last step. */
static struct cond *finish(struct build *b)
{
        struct cond *d = conf_alloc(b->c->conf, sizeof(*d) + b->n_steps * sizeof(d->step[0]));

        d->unless = str_is(b->w[0].text, "unless");
        d->needs = b->needs;
        d->n = b->n_steps;
        for (uint32_t i = 0; i < b->n_steps; i++) {
                d->step[i] = b->step[i];
                if (d->step[i].on_true == b->n_steps)
                        d->step[i].on_true = FAIL;
                if (d->step[i].on_false == b->n_steps)
                        d->step[i].on_false = FAIL;
        }
        return d;
}

const struct cond *cond_compile(struct kw_call *c, const char *what, const struct word *w, size_t n, unsigned allowed)
{
        struct build b = { .c = c, .what = what, .w = w, .n = n, .allowed = allowed };
        const struct cond *d = NULL;

        ASSERT(n >= 1 && cond_starts(&w[0]));
        b.step = malloc((STEPS_MAX + 1) * sizeof(*b.step));
        ASSERT(b.step);
        if (take_all(&b))
                d = finish(&b);
        free(b.step);
        return d;
}

unsigned cond_needs(const struct cond *d)
{
        return d->needs;
}

/* ---- run ---- */

static enum cond_answer run_test(const struct acl_test *t, const struct expr_ctx *x)
{
        struct smp s = { .iter = 0 };

        do {
                enum expr_answer a = expr_run(t->expr, x, &s);

                if (a == EXPR_WAIT)
                        return COND_WAIT;
                if (a == EXPR_OK && acl_match(t, &s))
                        return COND_TRUE;
                if (a == EXPR_MISS && !s.more)
                        break;
        } while (s.more);
        return unlikely(s.changes) && !x->final ? COND_WAIT : COND_FALSE;
}

hot_path enum cond_answer cond_run(const struct cond *d, const struct expr_ctx *x)
{
        struct expr_ctx each = *x;
        uint16_t i = 0;

        each.iterate = true;
        while (i < PASS) {
                enum cond_answer a = run_test(d->step[i].test, &each);

                if (a == COND_WAIT)
                        return a;
                i = a == COND_TRUE ? d->step[i].on_true : d->step[i].on_false;
        }
        return (i == PASS) != d->unless ? COND_TRUE : COND_FALSE;
}
