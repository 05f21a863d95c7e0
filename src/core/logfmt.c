/* core/logfmt.c - compiles log-format strings. Grammar: manual 8.2.6.
 *
 *   %%  a percent sign          %[expr]        a sample
 *   %xx an alias                %{+Q,-X}xx     with flags        %(name:type)xx  with a name for encoders (logcode.c)
 *
 * "%o" carries its flags to all that follow. */
#include "base/map.h"
#include "conf/conf.h"
#include "conf/later.h"
#include "core/log.h"
#include "core/logfmt_int.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

extern const struct log_alias_table *const __start_telamon_alias[] __attribute__((weak));
extern const struct log_alias_table *const __stop_telamon_alias[] __attribute__((weak));

static struct map aliases;

static void boot(void)
{
        if (aliases.used)
                return;
        for (const struct log_alias_table *const *t = __start_telamon_alias; t < __stop_telamon_alias; t++) {
                for (size_t i = 0; i < (*t)->n; i++) {
                        const struct log_alias *a = &(*t)->rows[i];

                        ASSERT(!map_get(&aliases, str_of(a->name)));
                        ASSERT(map_put(&aliases, str_of(a->name), (void *)(uintptr_t)a));
                }
        }
}

const struct log_alias *logfmt_alias(struct str name)
{
        boot();
        return map_get(&aliases, name);
}

struct parse {
        struct kw_call *c;
        const struct word *at;
        struct str text;
        size_t i;
        unsigned allowed;
        uint8_t global, flags; /* of %o; of the item under way */
        struct lf_code code;   /* of the item under way */
        struct logfmt *f;
        char *out;    /* literal text, unescaped */
        size_t n_out; /* of the whole string */
        size_t from;  /* of the literal run under way */
};

static bool fail(struct parse *p, const char *fmt, ...) fmt_like(2, 3);

static bool fail(struct parse *p, const char *fmt, ...)
{
        char why[256];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        (void)kw_fail(p->c, p->at, "E0701", "%s%s", p->allowed & EXPR_LOG ? "failed to parse log-format : " : "", why);
        return false;
}

/* The step under way gets its item; the next one starts empty. */
static struct lf_node *node_end(struct parse *p, enum lf_op op)
{
        struct lf_node *n = &p->f->node[p->f->n];

        p->f->code[p->f->n] = p->code;
        n->op = (uint8_t)op;
        n->flags = p->flags;
        n->text = p->out + p->from;
        n->n = (uint32_t)(p->n_out - p->from);
        p->from = p->n_out;
        if (op != LF_NONE || n->n || n->blank)
                p->f->n++;
        return n;
}

static void text_byte(struct parse *p, char ch)
{
        struct lf_node *n = &p->f->node[p->f->n];

        if (ch != ' ' || !p->f->log) {
                p->out[p->n_out++] = ch;
                return;
        }
        if (p->n_out != p->from) { /* a blank after text begins a step */
                (void)node_end(p, LF_NONE);
                n = &p->f->node[p->f->n];
        }
        n->blank = true;
}

static uint8_t letter_bit(char ch)
{
        return ch == 'Q' ? LOGFMT_QUOTE : ch == 'X' ? LOGFMT_HEX : ch == 'E' ? LOGFMT_ESCAPE : 0;
}

/* The bits of a word without its sign; 0: unknown. */
static uint8_t flag_bits(struct str w)
{
        uint8_t bits = 0;

        if (str_is(w, "json"))
                return LOGFMT_JSON;
        if (str_is(w, "cbor"))
                return LOGFMT_CBOR;
        if (str_is(w, "bin"))
                return LOGFMT_BIN;
        for (size_t i = 0; i < w.n; i++) {
                if (!letter_bit(w.p[i]))
                        return 0;
                bits |= letter_bit(w.p[i]);
        }
        return bits;
}

static bool parse_flag(struct parse *p, struct str w)
{
        uint8_t bits;

        if (w.n == 0)
                return true;
        if (w.p[0] != '+' && w.p[0] != '-')
                return fail(p, "missing sign before flag '%.*s'", (int)w.n, w.p);
        bits = flag_bits(str_sub(w, 1, w.n - 1));
        if (!bits)
                return fail(p, "unknown flag '%.*s'", (int)w.n, w.p);
        p->flags = (uint8_t)(w.p[0] == '+' ? p->flags | bits : p->flags & ~bits);
        return true;
}

/* "{...}" at p->i, commas between the flags. */
static bool parse_flags(struct parse *p)
{
        size_t start = ++p->i;

        for (;; p->i++) {
                char ch = p->i < p->text.n ? p->text.p[p->i] : '\0';

                if (p->i >= p->text.n)
                        return fail(p, "missing '}' after '%%{'");
                if (ch != ',' && ch != '}')
                        continue;
                if (!parse_flag(p, str_sub(p->text, start, p->i - start)))
                        return false;
                start = p->i + 1;
                if (ch == '}')
                        break;
        }
        p->i++;
        return true;
}

static bool parse_type(struct parse *p, struct str type)
{
        static const char *const names[] = { "", "str", "sint", "bool" };

        for (size_t i = 1; i < array_len(names); i++) {
                if (str_is(type, names[i])) {
                        p->code.type = (uint8_t)i;
                        return true;
                }
        }
        return fail(p, "unexpected output type '%.*s', one of 'str', 'sint' and 'bool' is expected", (int)type.n,
                    type.p);
}

static bool name_ok(struct parse *p, struct str name)
{
        for (size_t i = 0; i < name.n; i++) {
                if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_' && name.p[i] != '-')
                        return fail(p, "invalid character in custom name near '%c'", name.p[i]);
        }
        return true;
}

/* "(name)" or "(name:type)": for encoders, without one it has no effect (manual 8.2.6). */
static bool parse_name(struct parse *p)
{
        const char *close = memchr(p->text.p + p->i, ')', p->text.n - p->i);
        struct str body;
        const char *colon;

        if (!close)
                return fail(p, "missing ')' after '%%('");
        body = str_sub(p->text, p->i + 1, (size_t)(close - p->text.p) - p->i - 1);
        p->i += body.n + 2;
        colon = body.n ? memchr(body.p, ':', body.n) : NULL;
        p->code.name = str_of(conf_intern(p->c->conf, colon ? str_sub(body, 0, (size_t)(colon - body.p)) : body));
        if (!name_ok(p, p->code.name))
                return false;
        return !colon ||
               parse_type(p, str_sub(body, (size_t)(colon - body.p) + 1, body.n - (size_t)(colon - body.p) - 1));
}

/* What an encoder gets keeps its type, unless the item names one. */
static const struct expr *typed(struct parse *p, const struct expr *e)
{
        static const enum smp_type to[] = { [LF_STR] = SMP_STR, [LF_SINT] = SMP_SINT, [LF_BOOL] = SMP_BOOL };
        const struct expr *r;

        if (!(p->flags & (LOGFMT_JSON | LOGFMT_CBOR)))
                return p->flags & LOGFMT_BIN ? e : expr_cast(p->c, e, SMP_STR);
        if (p->code.type == LF_AS_IS)
                return e;
        r = expr_cast(p->c, e, to[p->code.type]);
        if (!r)
                (void)fail(p, "type '%s' cannot become type '%s'", smp_type_name(expr_type(e)),
                           smp_type_name(to[p->code.type]));
        return r;
}

static bool parse_expr(struct parse *p)
{
        const struct expr *e;
        struct lf_node *n;
        size_t used;
        unsigned allowed = p->allowed & EXPR_LOG ? p->allowed | EXPR_SOFT : p->allowed;

        p->i++;
        e = expr_compile(p->c, str_sub(p->text, p->i, p->text.n - p->i), p->at, allowed, &used);
        if (!e)
                return false;
        p->i += used;
        if (p->i >= p->text.n || p->text.p[p->i] != ']')
                return fail(p, "missing ']' after '%%[%.*s'", (int)used, p->text.p + p->i - used);
        p->i++;
        p->f->needs |= expr_needs(e);
        p->f->late |= (expr_needs(e) & EXPR_LOG) != 0;
        e = typed(p, e);
        if (!e)
                return false;
        n = node_end(p, LF_EXPR);
        n->expr = e;
        return true;
}

/* The sign for a missing value, as text. */
static void text_missing(struct parse *p, const struct log_alias *a)
{
        bool quote = a->string && p->flags & LOGFMT_QUOTE;

        for (int i = 0; quote && i < 2; i++)
                p->out[p->n_out++] = '"';
        if (!quote && !a->quiet && p->f->log)
                p->out[p->n_out++] = '-';
}

/* Nothing will make it: then it costs no line anything. */
static bool is_never(const struct parse *p, const struct log_alias *a)
{
        return !a->print || (p->allowed & EXPR_LOADED && a->made && !a->made(p->c->conf));
}

static bool parse_alias(struct parse *p)
{
        const struct log_alias *a;
        const char *later;
        struct str name = str_sub(p->text, p->i, 0);

        while (p->i + name.n < p->text.n && isalnum((unsigned char)name.p[name.n]))
                name.n++;
        p->i += name.n;
        if (str_is(name, "o")) {
                p->global = p->flags;
                p->f->coded |= (p->flags & (LOGFMT_JSON | LOGFMT_CBOR)) != 0;
                p->f->all = p->flags & LOGFMT_JSON ? LOGFMT_JSON : p->flags & LOGFMT_CBOR;
                return true;
        }
        a = logfmt_alias(name);
        later = a ? NULL : later_text(&p->c->diags->mem, "format alias", NULL, name);
        if (later)
                return fail(p, "%s", later);
        if (!a)
                return fail(
                        p,
                        "no such format alias '%.*s'. If you wanted to emit the '%%' character verbatim, you need to "
                        "use '%%%%'",
                        (int)name.n, name.p);
        if ((p->allowed & (EXPR_CHECK | EXPR_CLIENT)) == EXPR_CHECK && !a->process)
                return fail(p, "format alias '%s' is not available in a health check", a->name);
        p->f->needs |= a->needs;
        if (a->request && !p->f->log)
                atomic_store_explicit(&log_request_asked, true, memory_order_relaxed);
        p->f->late |= a->late;
        if (is_never(p, a) && !(p->flags & (LOGFMT_JSON | LOGFMT_CBOR))) {
                text_missing(p, a);
                return true;
        }
        node_end(p, a->string && p->flags & (LOGFMT_QUOTE | LOGFMT_ESCAPE) ? LF_ALIAS : LF_ALIAS_PLAIN)->alias = a;
        return true;
}

/* Encoding and `bin` of the whole are not changed by an item; of the item alone `bin` has no effect (manual 8.2.6). */
static void settle_flags(struct parse *p)
{
        bool is_o = p->i < p->text.n && p->text.p[p->i] == 'o' &&
                    (p->i + 1 == p->text.n || !isalnum((unsigned char)p->text.p[p->i + 1]));

        if (is_o)
                return;
        if (p->f->all)
                p->flags = (uint8_t)((p->flags & ~(LOGFMT_JSON | LOGFMT_CBOR)) | p->f->all);
        p->flags = (uint8_t)((p->flags & ~LOGFMT_BIN) | (p->global & LOGFMT_BIN));
        p->f->coded |= (p->flags & (LOGFMT_JSON | LOGFMT_CBOR)) != 0;
}

static bool parse_item(struct parse *p) /* after the '%' */
{
        bool ok;

        p->flags = p->global;
        p->code = (struct lf_code){ .type = LF_AS_IS };
        if (p->i < p->text.n && p->text.p[p->i] == '(' && !parse_name(p))
                return false;
        if (p->i < p->text.n && p->text.p[p->i] == '{' && !parse_flags(p))
                return false;
        settle_flags(p);
        ok = p->i < p->text.n && p->text.p[p->i] == '[' ? parse_expr(p) : parse_alias(p);
        p->code = (struct lf_code){ .type = LF_AS_IS };
        return ok;
}

const struct logfmt *logfmt_compile(struct kw_call *c, struct str text, const struct word *at, unsigned allowed)
{
        struct parse p = { .c = c, .at = at, .text = text, .allowed = allowed };
        size_t items = 1; /* upper bound: every blank and percent sign ends a run and is an item */

        for (size_t i = 0; i < text.n; i++)
                items += text.p[i] == '%' || text.p[i] == ' ' ? 2 : 0;
        p.f = conf_alloc(c->conf, sizeof(*p.f) + items * sizeof(p.f->node[0]));
        p.f->code = conf_alloc(c->conf, items * sizeof(p.f->code[0]));
        p.out = conf_alloc(c->conf, text.n + 1);
        p.f->log = (allowed & EXPR_LOG) != 0;
        while (p.i < text.n) {
                char ch = text.p[p.i++];

                if (ch != '%') {
                        text_byte(&p, ch);
                } else if (p.i < text.n && text.p[p.i] == '%') {
                        text_byte(&p, '%');
                        p.i++;
                } else if (!parse_item(&p)) {
                        return NULL;
                }
        }
        (void)node_end(&p, LF_NONE);
        return p.f;
}

bool logfmt_is_const(const struct logfmt *f)
{
        for (uint32_t i = 0; i < f->n; i++) {
                if (f->node[i].op != LF_NONE)
                        return false;
        }
        return true;
}

bool logfmt_is_late(const struct logfmt *f)
{
        return f->late;
}

unsigned logfmt_needs(const struct logfmt *f)
{
        return f->needs;
}
