/* core/logfmt_print.c - runs a compiled log-format string. Hot: one call per logged request (tools/hot.list). */
#include "core/logfmt_int.h"
#include "core/put.h"

static bool byte_is_unsafe(unsigned char ch, bool log)
{
        /* A log line: what would break it or act on a terminal (manual 8.6). A field value: RFC 9110 5.5. */
        return (ch < 0x20 && (log || ch != '\t')) || ch == 0x7f;
}

/* Sample bytes: only control bytes are escaped, as HAProxy leaves the rest of a sample alone. */
static char *put_sample(char *p, const char *end, const char *s, size_t n, char mark)
{
        size_t clean = 0;

        while (clean < n && !byte_is_unsafe((unsigned char)s[clean], mark == '#'))
                clean++;
        p = put_bytes(p, end, s, clean);
        for (size_t i = clean; i < n && p < end; i++) {
                unsigned char ch = (unsigned char)s[i];

                if (!byte_is_unsafe(ch, mark == '#')) {
                        *p++ = (char)ch;
                        continue;
                }
                if (end - p < 3)
                        break;
                *p++ = mark;
                p = put_hex(p, end, ch, 2);
        }
        return p;
}

/* Flag E: '"', '\' and ']' get a backslash, in place (RFC 5424 6.3.3). */
static cold_path char *escape(char *from, char *p, const char *end)
{
        size_t extra = 0;
        char *to;

        for (char *q = from; q < p; q++)
                extra += *q == '"' || *q == '\\' || *q == ']';
        if (extra > (size_t)(end - p))
                return from; /* a half-escaped value could end a structured-data element */
        to = p + extra;
        for (char *q = p, *w = to; q > from && w > q;) {
                *--w = *--q;
                if (*q == '"' || *q == '\\' || *q == ']')
                        *--w = '\\';
        }
        return to;
}

static char *put_missing(char *p, const char *end, bool log, bool quoted, bool quiet)
{
        if (quoted || quiet || !log || p >= end)
                return p;
        *p = '-';
        return p + 1;
}

/* `there`: the alias has something to print from; otherwise only the sign for a missing value is printed. */
static void print_alias(struct lf_out *o, const struct logfmt *f, const struct lf_node *n, bool there)
{
        const struct log_alias *a = n->alias;
        bool quote = a->string && n->flags & LOGFMT_QUOTE;
        char *p = o->p, *from;

        if (quote && p < o->end)
                *p++ = '"';
        from = p;
        if (there)
                p += a->print(&o->view, n->flags, p, (size_t)(o->end - p));
        if (p == from)
                p = put_missing(p, o->end, f->log, quote, a->quiet);
        else if (n->flags & LOGFMT_ESCAPE && a->string)
                p = escape(from, p, o->end);
        if (quote && p < o->end)
                *p++ = '"';
        if (p == o->p)
                return; /* prints nothing: the blanks around it are one */
        o->p = p;
        o->blank = false;
}

static void print_expr(struct lf_out *o, const struct logfmt *f, const struct lf_node *n, const struct expr_ctx *x)
{
        bool quote = n->flags & LOGFMT_QUOTE;
        char *p = o->p, *from;
        struct smp smp;
        enum expr_answer a = expr_run(n->expr, x, &smp);

        if (unlikely(n->flags & LOGFMT_BIN) && a == EXPR_OK && smp.type == SMP_BIN) { /* bytes as they are */
                o->p = put_bytes(p, o->end, smp.s.p, smp.s.n);
                o->blank = false;
                return;
        }
        if (quote && p < o->end)
                *p++ = '"';
        from = p;
        if (a == EXPR_OK && (smp.type == SMP_STR || smp_cast(&smp, SMP_STR)))
                p = put_sample(p, o->end, smp.s.p, smp.s.n, f->log ? '#' : '%');
        if (p == from) /* nothing there, or an empty text: HAProxy's logs show both alike */
                p = put_missing(p, o->end, f->log, quote, false);
        if (n->flags & LOGFMT_ESCAPE)
                p = escape(from, p, o->end);
        if (quote && p < o->end)
                *p++ = '"';
        if (p != o->p)
                o->blank = false;
        o->p = p;
}

void lf_item(struct lf_out *o, const struct logfmt *f, const struct lf_node *n, const struct expr_ctx *x)
{
        if (n->op == LF_EXPR)
                print_expr(o, f, n, x);
        else if (n->op != LF_NONE)
                print_alias(o, f, n, x->strm || n->alias->process);
}

hot_path size_t logfmt_print(const struct logfmt *f, const struct expr_ctx *x, char *dst, size_t n)
{
        struct lf_out o;
        const char *end = dst + n;
        char *p = dst;
        bool blank = true, there = x->strm != NULL;

        if (unlikely(f->coded))
                return logcode_print(f, x, dst, n);
        o.end = end;
        o.view.strm = x->strm;
        o.view.origin = x->origin;
        o.view.timed = false;
        for (const struct lf_node *i = f->node, *last = f->node + f->n; i < last && p < end; i++) {
                p = lf_text(p, end, &blank, i);
                if (likely(i->op == LF_ALIAS_PLAIN && there)) {
                        size_t len = i->alias->print(&o.view, i->flags, p, (size_t)(end - p));

                        p += len;
                        if (likely(len)) {
                                blank = false;
                                continue;
                        }
                }
                if (i->op == LF_NONE)
                        continue;
                o.p = p;
                o.blank = blank;
                if (i->op == LF_EXPR)
                        print_expr(&o, f, i, x);
                else
                        print_alias(&o, f, i, there ? i->op == LF_ALIAS : i->alias->process);
                p = o.p;
                blank = o.blank;
        }
        return (size_t)(p - dst);
}
