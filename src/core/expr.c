/* core/expr.c - compiles "fetch(args),conv(args),..." into a flat program and runs it.
 *
 * The program is a row of instructions: one FETCH, then CONV and CAST. Types are checked and casts inserted at compile time; at
 * run time a MISS ends the program at once. Hot: expr_run() (tools/hot.list). */
#include "core/expr.h"
#include "base/map.h"
#include "conf/conf.h"
#include "conf/later.h"
#include "core/log.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

enum { STEPS_MAX = 64 };

enum op { OP_FETCH, OP_CONV, OP_CAST };

struct insn {
        uint8_t op; /* enum op */
        uint8_t cast_to;
        uint8_t n_args;
        const struct expr_arg *args;
        union {
                fetch_fn fetch;
                conv_fn conv;
        };
};

struct expr {
        enum smp_type type;
        unsigned needs;
        uint32_t n;
        struct insn insn[];
};

/* ---- rows ---- */

extern const struct fetch_table *const __start_telamon_fetch[] __attribute__((weak));
extern const struct fetch_table *const __stop_telamon_fetch[] __attribute__((weak));
extern const struct conv_table *const __start_telamon_conv[] __attribute__((weak));
extern const struct conv_table *const __stop_telamon_conv[] __attribute__((weak));

static struct map fetches, convs;
static bool booted;

static void put_row(struct map *m, const char *name, const void *row)
{
        bool ok = !map_get(m, str_of(name)) && map_put(m, str_of(name), (void *)(uintptr_t)row);

        ASSERT(ok); /* two rows of one name */
}

void expr_boot(void)
{
        if (booted)
                return;
        booted = true;
        for (const struct fetch_table *const *t = __start_telamon_fetch; t < __stop_telamon_fetch; t++) {
                for (size_t i = 0; i < (*t)->n; i++)
                        put_row(&fetches, (*t)->rows[i].name, &(*t)->rows[i]);
        }
        for (const struct conv_table *const *t = __start_telamon_conv; t < __stop_telamon_conv; t++) {
                for (size_t i = 0; i < (*t)->n; i++)
                        put_row(&convs, (*t)->rows[i].name, &(*t)->rows[i]);
        }
}

const struct fetch_table *const *expr_fetch_tables(size_t *ret_n)
{
        *ret_n = (size_t)(__stop_telamon_fetch - __start_telamon_fetch);
        return __start_telamon_fetch;
}

const struct conv_table *const *expr_conv_tables(size_t *ret_n)
{
        *ret_n = (size_t)(__stop_telamon_conv - __start_telamon_conv);
        return __start_telamon_conv;
}

const struct fetch *expr_fetch(struct str name)
{
        expr_boot();
        return map_get(&fetches, name);
}

const struct conv *expr_conv(struct str name)
{
        expr_boot();
        return map_get(&convs, name);
}

/* ---- compile ---- */

struct build {
        struct kw_call *c;
        const struct word *at;
        struct str text;
        size_t i;
        unsigned allowed;
        enum smp_type type;
        unsigned needs;
        uint32_t n;
        struct insn insn[STEPS_MAX];
};

/* How far the expression goes in its text: a log-format goes on behind "]". For messages. */
static size_t extent(struct str s)
{
        int depth = 0;
        char quote = '\0';

        for (size_t i = 0; i < s.n; i++) {
                char ch = s.p[i];

                if (quote || (depth && (ch == '"' || ch == '\'')))
                        quote = !quote ? ch : ch == quote ? '\0' : quote;
                else if (ch == '(')
                        depth++;
                else if (ch == ')' && depth)
                        depth--;
                else if (!depth && (ch == ']' || ch == ' '))
                        return i;
        }
        return s.n;
}

static bool fail(struct build *b, const char *fmt, ...) fmt_like(2, 3);

static bool fail(struct build *b, const char *fmt, ...)
{
        char why[256];
        va_list ap;

        va_start(ap, fmt);
        (void)vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        (void)kw_fail(b->c, b->at, "E0700", "failed to parse sample expression <%.*s> : %s", (int)extent(b->text),
                      b->text.p, why);
        return false;
}

static bool is_name_byte(char ch)
{
        return isalnum((unsigned char)ch) || ch == '_' || ch == '.' || ch == '-' || ch == '+';
}

static struct str take_name(struct build *b)
{
        struct str s = str_sub(b->text, b->i, 0);

        while (b->i + s.n < b->text.n && is_name_byte(s.p[s.n]))
                s.n++;
        b->i += s.n;
        return s;
}

/* What stands for "\next" in an argument; false: the backslash is one, as in the regular expression "\d+". */
static bool escape(char next, char *ret_byte)
{
        static const char names[] = "nrt\\\"' ", bytes[] = "\n\r\t\\\"' ";
        const char *at = memchr(names, next, sizeof(names) - 1);

        if (at)
                *ret_byte = bytes[at - names];
        return at != NULL;
}

/* Argument bytes up to an unquoted ',' or ')': quotes and backslash as in the manual's section 2.2, within the one word. */
static bool take_arg(struct build *b, char **out, struct str *ret_arg)
{
        char *start = *out, quote = '\0';

        for (; b->i < b->text.n; b->i++) {
                char ch = b->text.p[b->i];

                if (quote ? ch == quote : ch == '"' || ch == '\'') {
                        quote = quote ? '\0' : ch;
                } else if (ch == '\\' && quote != '\'' && b->i + 1 < b->text.n && escape(b->text.p[b->i + 1], *out)) {
                        (*out)++;
                        b->i++;
                } else if (!quote && (ch == ',' || ch == ')')) {
                        break;
                } else {
                        *(*out)++ = ch;
                }
        }
        *ret_arg = (struct str){ start, (size_t)(*out - start) };
        *(*out)++ = '\0';
        return !quote;
}

static bool parse_mask(struct str text, struct expr_arg *a)
{
        struct in_addr ip;
        uint64_t bits;
        char z[32];

        if (str_to_u64(text, &bits) && bits <= 32) {
                a->i = bits ? (int64_t)(0xffffffffu << (32 - bits) & 0xffffffffu) : 0;
                return true;
        }
        if (text.n >= sizeof(z))
                return false;
        memcpy(z, text.p, text.n);
        z[text.n] = '\0';
        if (inet_pton(AF_INET, z, &ip) != 1)
                return false;
        a->i = ntohl(ip.s_addr);
        return true;
}

static bool set_arg(struct build *b, struct str what, enum expr_arg_type type, unsigned no, struct str text,
                    struct expr_arg *a)
{
        struct word w = { .text = text, .at = b->at ? b->at->at : b->c->at };
        uint64_t size;
        int ms;
        bool ok = true;

        a->type = type;
        a->s = text.p;
        a->n = (uint32_t)text.n;
        switch (type) {
        case ARG_SINT: ok = str_to_i64(text, &a->i); break;
        case ARG_IPV4_MASK: ok = parse_mask(text, a); break;
        case ARG_TIME:
                if (!kw_arg_time(b->c, &w, false, &ms))
                        return false;
                a->i = ms;
                break;
        case ARG_SIZE:
                if (!kw_arg_size(b->c, &w, 0, INT64_MAX, &size))
                        return false;
                a->i = (int64_t)size;
                break;
        case ARG_NONE: return fail(b, "too many arguments for '%.*s'", (int)what.n, what.p);
        default: break;
        }
        return ok || fail(b, "invalid argument %u in '%.*s' : failed to parse '%.*s'", no, (int)what.n, what.p,
                          (int)text.n, text.p);
}

/* "(a,b)" when there is one. */
static bool take_args(struct build *b, struct str what, const enum expr_arg_type *types, unsigned min,
                      struct expr_arg **ret_args, unsigned *ret_n)
{
        struct expr_arg *args = conf_alloc(b->c->conf, EXPR_ARGS_MAX * sizeof(*args));
        char *mem = conf_alloc(b->c->conf, b->text.n - b->i + EXPR_ARGS_MAX + 1);
        unsigned n = 0;
        struct str a;

        *ret_args = args;
        *ret_n = 0;
        if (b->i < b->text.n && b->text.p[b->i] == '(') {
                do {
                        b->i++;
                        if (!take_arg(b, &mem, &a))
                                return fail(b, "unmatched quote in the arguments of '%.*s'", (int)what.n, what.p);
                        if (a.n == 0 && n == 0 && types[0] != ARG_STR && b->i < b->text.n && b->text.p[b->i] == ')')
                                break; /* "src()"; but str() is the empty string */
                        if (n == EXPR_ARGS_MAX || types[n] == ARG_NONE)
                                return fail(b, "too many arguments for '%.*s'", (int)what.n, what.p);
                        if (!set_arg(b, what, types[n], n + 1, a, &args[n]))
                                return false;
                        n++;
                } while (b->i < b->text.n && b->text.p[b->i] == ',');
                if (b->i >= b->text.n)
                        return fail(b, "fetch method '%.*s' : expected ')'", (int)what.n, what.p);
                b->i++;
        }
        if (n < min)
                return fail(b, "missing arguments (got %u/%u) in '%.*s'", n, min, (int)what.n, what.p);
        *ret_n = n;
        return true;
}

static bool push(struct build *b, struct insn i)
{
        if (b->n == STEPS_MAX)
                return fail(b, "too many converters");
        b->insn[b->n++] = i;
        return true;
}

static bool push_cast(struct build *b, enum smp_type to)
{
        if (to == SMP_ANY || to == b->type || (to == SMP_ADDR && (b->type == SMP_IPV4 || b->type == SMP_IPV6)))
                return true;
        b->type = to;
        return push(b, (struct insn){ .op = OP_CAST, .cast_to = (uint8_t)to });
}

/* A condition is compiled for any place first: there, streams decide. */
static bool in_check(const struct build *b, const struct fetch *f)
{
        return f->in_check && (b->allowed & (EXPR_CHECK | EXPR_CLIENT)) == EXPR_CHECK;
}

/* EXPR_SOFT: only a warning, as for log lines; the sample will be missing there. */
static bool check_place(struct build *b, const struct fetch *f)
{
        unsigned lacks = f->needs & ~b->allowed & ~(unsigned)(EXPR_INTERNAL | EXPR_CONF);
        const char *what = lacks & EXPR_CHECK       ? "a health check"
                           : lacks & EXPR_CLIENT    ? "client information"
                           : lacks & EXPR_REQ_HEAD  ? "HTTP request headers"
                           : lacks & EXPR_ANY_HEAD  ? "HTTP request headers,HTTP response headers"
                           : lacks & EXPR_RSP_HEAD  ? "HTTP response headers"
                           : lacks & EXPR_SERVER    ? "server information"
                           : lacks & EXPR_LOG       ? "final statistics"
                           : lacks & EXPR_TLS       ? "TLS"
                           : lacks & EXPR_REQ_BYTES ? "request buffer contents"
                           : lacks & EXPR_RSP_BYTES ? "response buffer contents"
                                                    : "message contents";

        if (!lacks || in_check(b, f))
                return true;
        if (!(b->allowed & EXPR_SOFT))
                return fail(b,
                            "sample fetch <%s> may not be reliably used here because it needs '%s' which is not "
                            "available here.",
                            f->name, what);
        (void)kw_warn(
                b->c, b->at, "W0700",
                "sample fetch <%s> may not be reliably used here because it needs '%s' which is not available here.",
                f->name, what);
        return true;
}

static bool unknown(struct build *b, const char *what, const char *classic, struct str name)
{
        const char *later = later_text(&b->c->diags->mem, what, NULL, name);

        return later ? fail(b, "%s", later) : fail(b, "unknown %s '%.*s'", classic, (int)name.n, name.p);
}

static bool take_fetch(struct build *b)
{
        struct str name = take_name(b);
        const struct fetch *f = expr_fetch(name);
        struct expr_arg *args;
        unsigned n_args;

        if (name.n == 0)
                return fail(b, "missing fetch method");
        if (!f)
                return unknown(b, "sample fetch", "fetch method", name);
        if (!take_args(b, name, f->args, f->min_args, &args, &n_args))
                return false;
        if (!check_place(b, f))
                return false;
        if (f->check && !f->check(b->c, args, n_args, b->at))
                return false;
        b->type = f->out;
        b->needs = in_check(b, f) ? EXPR_CHECK : f->needs;
        expr_keep_request(b->needs, b->allowed);
        return push(b, (struct insn){ .op = OP_FETCH, .n_args = (uint8_t)n_args, .args = args, .fetch = f->fn });
}

static bool take_conv(struct build *b)
{
        struct str name = take_name(b);
        const struct conv *v = expr_conv(name);
        struct expr_arg *args;
        unsigned n_args;

        if (!v)
                return unknown(b, "converter", "converter", name);
        if (!take_args(b, name, v->args, v->min_args, &args, &n_args))
                return false;
        if (!smp_can_cast(b->type, v->in))
                return fail(b, "converter '%s' cannot be applied", v->name);
        if (v->check && !v->check(b->c, args, n_args, b->at))
                return false;
        if (!push_cast(b, v->in))
                return false;
        if (v->out != SMP_ANY)
                b->type = v->out;
        else if (v->in != SMP_ANY)
                b->type = SMP_ANY; /* known when it runs: what follows casts it */
        return push(b, (struct insn){ .op = OP_CONV, .n_args = (uint8_t)n_args, .args = args, .conv = v->fn });
}

/* Log lines see to it themselves (core/log.h). */
void expr_keep_request(unsigned needs, unsigned allowed)
{
        if ((needs & EXPR_REQ_LINE) && (allowed & EXPR_CLIENT) && !(allowed & (EXPR_REQ_HEAD | EXPR_LOG)))
                atomic_store_explicit(&log_request_asked, true, memory_order_relaxed); /* no partner */
}

static const struct expr *finish(struct build *b)
{
        struct expr *e = conf_alloc(b->c->conf, sizeof(*e) + b->n * sizeof(e->insn[0]));

        e->type = b->type;
        e->needs = b->needs;
        e->n = b->n;
        memcpy(e->insn, b->insn, b->n * sizeof(e->insn[0]));
        return e;
}

const struct expr *expr_compile(struct kw_call *c, struct str text, const struct word *at, unsigned allowed,
                                size_t *ret_used)
{
        struct build b = { .c = c, .at = at, .text = text, .allowed = allowed };

        if (!take_fetch(&b))
                return NULL;
        while (b.i < text.n && text.p[b.i] == ',') {
                b.i++;
                if (!take_conv(&b))
                        return NULL;
        }
        *ret_used = b.i;
        return finish(&b);
}

const struct expr *expr_cast(struct kw_call *c, const struct expr *e, enum smp_type to)
{
        struct build b = { .c = c, .type = e->type, .needs = e->needs, .n = e->n };

        if (to == e->type || to == SMP_ANY)
                return e;
        if (!smp_can_cast(e->type, to))
                return NULL;
        memcpy(b.insn, e->insn, e->n * sizeof(e->insn[0]));
        if (b.n == STEPS_MAX || !push_cast(&b, to))
                return NULL;
        return finish(&b);
}

enum smp_type expr_type(const struct expr *e)
{
        return e->type;
}

unsigned expr_needs(const struct expr *e)
{
        return e->needs;
}

/* ---- run ---- */

hot_path enum expr_answer expr_run(const struct expr *e, const struct expr_ctx *x, struct smp *ret_smp)
{
        unsigned lacks = e->needs & ~x->have & ~(unsigned)(EXPR_INTERNAL | EXPR_CONF);
        enum expr_answer a;

        if (!x->iterate)
                ret_smp->iter = 0;
        ret_smp->more = ret_smp->changes = false;
        if (unlikely(lacks))
                return x->final || (lacks & x->never) ? EXPR_MISS : EXPR_WAIT;
        for (const struct insn *i = e->insn, *end = e->insn + e->n; i < end; i++) {
                switch ((enum op)i->op) {
                case OP_FETCH:
                        a = i->fetch(x, i->args, i->n_args, ret_smp);
                        if (a != EXPR_OK)
                                return a;
                        break;
                case OP_CONV:
                        if (!i->conv(x, i->args, i->n_args, ret_smp))
                                return EXPR_MISS;
                        break;
                case OP_CAST:
                        if (!smp_cast(ret_smp, (enum smp_type)i->cast_to))
                                return EXPR_MISS;
                        break;
                }
        }
        return EXPR_OK;
}
