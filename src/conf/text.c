/* conf/text.c - words, quotes, escapes, variables. */
#include "conf/text.h"

#define TEXT_OUT_MAX ((size_t)4 << 20) /* what variables may blow one line up to */

/* The line under work. */
struct cut {
        struct text *t;
        struct str raw;
        size_t i;
        struct span at;
        const struct text_vars *vars;
        struct text_fault *fault;
        size_t from, out_from; /* of the current word, in raw and in out */
        char quote;            /* the open quote, or 0 */
        size_t quote_at;
        bool quoted, listed; /* the current word had a quote or escape; a list variable */
};

void text_fini(struct text *t)
{
        buf_fini(&t->out);
}

static bool fault(struct text_fault *f, const char *code, const char *what, size_t at, size_t len)
{
        *f = (struct text_fault){ code, what, (uint32_t)at, (uint32_t)len, f->words };
        return false;
}

enum { BLANK = 1, ENDS = 2, QUOTES = 4 };

/* One look-up per byte: this loop sees every byte of a large file. */
static const unsigned char class_of[256] = {
        [' '] = BLANK | ENDS, ['\t'] = BLANK | ENDS, ['\f'] = BLANK | ENDS, ['\v'] = BLANK | ENDS, ['#'] = ENDS,
        ['\r'] = ENDS,        ['"'] = QUOTES,        ['\''] = QUOTES,       ['\\'] = QUOTES
};

static bool is(char c, unsigned classes)
{
        return (class_of[(unsigned char)c] & classes) != 0;
}

static bool is_blank(char c)
{
        return is(c, BLANK);
}

static bool is_name_char(char c, bool first)
{
        return (chr_lower((unsigned char)c) >= 'a' && chr_lower((unsigned char)c) <= 'z') || c == '_' ||
               (!first && chr_is_digit(c));
}

static int hex_digit(char c)
{
        unsigned char l = chr_lower((unsigned char)c);

        return chr_is_digit(c) ? c - '0' : l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* A variable reference as written: s[from] is '$'. */
struct ref {
        struct str name, def;
        bool has_def, list;
        size_t end; /* first byte after it */
};

static bool ref_tail(struct str s, size_t brace, size_t i, struct ref *r, struct text_fault *f)
{
        if (s.n - i >= 3 && memcmp(s.p + i, "[*]", 3) == 0) {
                r->list = true;
                i += 3;
        }
        if (i < s.n && s.p[i] == '-') {
                size_t from = ++i;

                while (i < s.n && s.p[i] != '}' && s.p[i] != '"')
                        i++;
                r->has_def = true;
                r->def = str_sub(s, from, i - from);
        }
        if (i >= s.n || s.p[i] != '}')
                return fault(f, "E0007", "unmatched brace in environment variable name", brace, 1);
        r->end = i + 1;
        return true;
}

static bool ref_parse(struct str s, size_t from, struct ref *r, struct text_fault *f)
{
        size_t i = from + 1, brace = 0, name;

        *r = (struct ref){ .has_def = false };
        if (i < s.n && s.p[i] == '{')
                brace = i++;
        name = i;
        if (i < s.n && s.p[i] == '.') /* pseudo-variables only: .FILE .LINE .SECTION */
                i++;
        if (i >= s.n || !is_name_char(s.p[i], true))
                return fault(f, "E0008", "forbidden first char in environment variable name", i < s.n ? i : s.n - 1, 1);
        while (i < s.n && is_name_char(s.p[i], false))
                i++;
        r->name = str_sub(s, name, i - name);
        r->end = i;
        return brace ? ref_tail(s, brace, i, r, f) : true;
}

static struct str ref_value(const struct ref *r, const struct text_vars *v)
{
        struct str s = { "", 0 };

        if (!v || !v->get(v->ctx, r->name, &s))
                return r->has_def ? r->def : (struct str){ "", 0 };
        return s;
}

bool text_expand(struct str s, const struct text_vars *v, struct buf *out, struct text_fault *ret_fault)
{
        struct ref r;

        for (size_t i = 0; i < s.n;) {
                if (s.p[i] != '$') {
                        buf_putc(out, s.p[i++]);
                        continue;
                }
                if (!ref_parse(s, i, &r, ret_fault))
                        return false;
                buf_str(out, ref_value(&r, v));
                i = r.end;
        }
        return true;
}

static void begin_word(struct cut *c)
{
        c->from = c->i;
        c->out_from = c->t->out.n;
        c->quoted = c->listed = false;
}

/* Ends the word that stands from c->from to c->i. `borrow`: its text is the raw bytes. */
static bool end_word(struct cut *c, bool borrow)
{
        struct text *t = c->t;
        size_t len = borrow ? c->i - c->from : t->out.n - c->out_from;
        struct word *w;

        if (len == 0 && c->listed)
                return true; /* "${X[*]}" of an empty list gives no word */
        c->fault->words = (uint32_t)t->n;
        if (len == 0)
                return fault(c->fault, "E0005", "is empty and marks the end of the argument list", c->from,
                             c->i - c->from);
        if (t->n == TEXT_WORDS_MAX) { /* the place is that of the last word that fits, as HAProxy has it */
                w = &t->w[TEXT_WORDS_MAX - 1];
                return fault(c->fault, "E0006", "too many words", w->at.col - 1, w->at.len);
        }
        w = &t->w[t->n];
        *w = (struct word){ .raw = str_sub(c->raw, c->from, c->i - c->from),
                            .at = { c->at.file, c->at.line, (uint32_t)c->from + 1, (uint32_t)(c->i - c->from) },
                            .quoted = c->quoted };
        w->text = borrow ? w->raw : (struct str){ NULL, len };
        t->off[t->n++] = borrow ? SIZE_MAX : c->out_from;
        c->out_from = t->out.n;
        return true;
}

/* c->raw.p[c->i] is a backslash, outside single quotes. */
static bool escape(struct cut *c)
{
        char e = c->i + 1 < c->raw.n ? c->raw.p[c->i + 1] : 0;
        int hi, lo;

        c->quoted = true;
        if (e == 'x') {
                hi = c->i + 2 < c->raw.n ? hex_digit(c->raw.p[c->i + 2]) : -1;
                lo = c->i + 3 < c->raw.n ? hex_digit(c->raw.p[c->i + 3]) : -1;
                if (hi < 0 || lo < 0)
                        return fault(c->fault, "E0009", "truncated or invalid hexadecimal sequence", c->i, 2);
                if (hi == 0 && lo == 0)
                        return fault(c->fault, "E0010", "a NUL character cannot be part of a word", c->i, 4);
                buf_putc(&c->t->out, (char)(hi * 16 + lo));
                c->i += 4;
                return true;
        }
        if (e && strchr(" \t\"'#\\$", e))
                buf_putc(&c->t->out, e);
        else if (e == 'n' || e == 'r' || e == 't')
                buf_putc(&c->t->out, (char)(e == 'n' ? '\n' : e == 'r' ? '\r' : '\t'));
        else { /* not an escape: the backslash stands for itself, regular expressions count on it */
                buf_putc(&c->t->out, '\\');
                c->i++;
                return true;
        }
        c->i += 2;
        return true;
}

/* Appends a list variable: its blank-separated parts become words, the first glued to what stands before, the last to
 * what follows. */
static bool add_list(struct cut *c, struct str v, size_t end)
{
        size_t keep = c->i;

        c->listed = true;
        for (size_t i = 0; i < v.n; i++) {
                if (!is_blank(v.p[i])) {
                        buf_putc(&c->t->out, v.p[i]);
                        continue;
                }
                while (i + 1 < v.n && is_blank(v.p[i + 1]))
                        i++;
                c->i = end; /* the span covers the reference */
                if (i + 1 < v.n && !end_word(c, false))
                        return false;
                c->i = keep;
        }
        return true;
}

static bool variable(struct cut *c)
{
        struct ref r;
        struct str v;

        if (!ref_parse(c->raw, c->i, &r, c->fault))
                return false;
        v = ref_value(&r, c->vars);
        if (!r.list)
                buf_str(&c->t->out, v);
        else if (!add_list(c, v, r.end))
                return false;
        c->i = r.end;
        return true;
}

/* One step inside a word that is written out. */
static bool step(struct cut *c)
{
        char ch = c->raw.p[c->i];

        if (c->quote ? ch == c->quote : ch == '"' || ch == '\'') {
                c->quoted = true;
                c->quote_at = c->i++;
                c->quote = c->quote ? 0 : ch;
                return true;
        }
        if (ch == '\\' && c->quote != '\'')
                return escape(c);
        if (ch == '$' && c->quote == '"')
                return variable(c);
        buf_putc(&c->t->out, ch);
        c->i++;
        return true;
}

static bool ends_word(char ch)
{
        return is(ch, ENDS);
}

static bool word(struct cut *c)
{
        begin_word(c);
        while (c->i < c->raw.n && !is(c->raw.p[c->i], ENDS | QUOTES))
                c->i++;
        if (c->i == c->raw.n || ends_word(c->raw.p[c->i]))
                return end_word(c, true);
        buf_add(&c->t->out, c->raw.p + c->from, c->i - c->from);
        while (c->i < c->raw.n && (c->quote || !ends_word(c->raw.p[c->i])))
                if (!step(c))
                        return false;
        if (c->quote)
                return fault(c->fault, "E0004", "unmatched quote", c->quote_at, 1);
        return end_word(c, false);
}

bool text_cut(struct text *t, struct str raw, struct span at, const struct text_vars *v, struct text_fault *ret_fault)
{
        struct cut c = { .t = t, .raw = raw, .at = at, .vars = v, .fault = ret_fault };
        const char *nul = raw.n ? memchr(raw.p, 0, raw.n) : NULL;

        t->n = 0;
        t->out.n = 0;
        t->out.limit = TEXT_OUT_MAX;
        t->out.failed = false;
        ret_fault->words = 0;
        if (raw.n > TEXT_LINE_MAX)
                return fault(ret_fault, "E0003", "line too long", TEXT_LINE_MAX, 1);
        if (nul)
                return fault(ret_fault, "E0002", "Stray NUL character", (size_t)(nul - raw.p), 1);
        for (;;) {
                while (c.i < raw.n && is_blank(raw.p[c.i]))
                        c.i++;
                if (c.i == raw.n || raw.p[c.i] == '#' || raw.p[c.i] == '\r')
                        break;
                if (!word(&c))
                        return false;
        }
        if (t->out.failed)
                return fault(ret_fault, "E0003", "line too long", 0, 1);
        for (size_t i = 0; i < t->n; i++) /* only now: the buffer may have moved while it grew */
                if (t->off[i] != SIZE_MAX)
                        t->w[i].text.p = t->out.p + t->off[i];
        return true;
}

static struct str excerpt_of(struct str raw, size_t *skip)
{
        *skip = 0;
        while (*skip < raw.n && is_blank(raw.p[*skip]))
                ++*skip;
        return str_sub(raw, *skip, raw.n - *skip);
}

struct diag *text_report(struct diags *d, const struct text_fault *f, struct str raw, struct span at)
{
        struct span s = { at.file, at.line, f->at + 1, f->len };
        struct str ex;
        struct diag *g;
        size_t skip;

        if (strcmp(f->code, "E0005") == 0)
                g = diag_add(d, DIAG_ALERT, s, f->code, "argument number %u at position %u %s", f->words, f->at + 1,
                             f->what);
        else if (strcmp(f->code, "E0006") == 0)
                g = diag_add(d, DIAG_ALERT, s, f->code,
                             "too many words, truncating after word %u, position %u: <%.*s>.", TEXT_WORDS_MAX, f->at,
                             (int)(f->len < 64 ? f->len : 64), raw.p + f->at);
        else if (strcmp(f->code, "E0002") == 0)
                g = diag_add(d, DIAG_ALERT, s, f->code, "%s at position %u.", f->what, f->at + 1);
        else
                g = diag_add(d, DIAG_ALERT, s, f->code, "%s at position %u", f->what, f->at + 1);
        g->intro = DIAG_INTRO_TIGHT;
        if (strcmp(f->code, "E0005") == 0)
                diag_hint(d, g, "an empty argument ends the list; \"${VAR[*]}\" leaves out what is empty");
        ex = excerpt_of(raw, &skip);
        if (ex.n < 2048 && strcmp(f->code, "E0002") != 0 && strcmp(f->code, "E0006") != 0 && f->at >= skip) {
                g->excerpt = arena_strdup(&d->mem, ex);
                g->excerpt_col = (uint32_t)(f->at - skip + 1);
        }
        return g;
}
