/* ext/yaml.c - libyaml's events to a value tree, by recursion that VAL_DEPTH bounds. */
#include "ext/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

struct reader {
        yaml_parser_t parser;
        yaml_event_t ev; /* the current event */
        struct arena *mem;
        struct val_err *err; /* or NULL */
        uint32_t values;
};

/* Values of a list or map while their number is unknown. */
struct row {
        struct val_field f;
        struct row *next;
};

struct rows {
        struct row *first, **end;
        uint32_t n;
};

static int refuse(const struct reader *r, yaml_mark_t at, const char *fmt, ...) fmt_like(3, 4);
static int refuse(const struct reader *r, yaml_mark_t at, const char *fmt, ...)
{
        va_list ap;

        if (!r->err)
                return -EBADMSG;
        *r->err = (struct val_err){ .line = (unsigned)at.line + 1, .column = (unsigned)at.column + 1 };
        va_start(ap, fmt);
        (void)vsnprintf(r->err->text, sizeof(r->err->text), fmt, ap);
        va_end(ap);
        return -EBADMSG;
}

static int next(struct reader *r)
{
        yaml_event_delete(&r->ev);
        if (yaml_parser_parse(&r->parser, &r->ev))
                return 0;
        return refuse(r, r->parser.problem_mark, "%s", r->parser.problem ? r->parser.problem : "no valid YAML");
}

static bool is_one_of(struct str s, const char *const *words)
{
        for (; *words; words++)
                if (str_is(s, *words))
                        return true;
        return false;
}

/* The core schema's [-+]?[0-9]+ and 0o, 0x forms. One that does not fit 64 bits stays text. */
static bool is_int(struct str s, int64_t *ret_i)
{
        bool oct = str_has_prefix(s, STR("0o")), hex = str_has_prefix(s, STR("0x"));
        struct str digits = oct || hex ? str_sub(s, 2, s.n - 2) : s;
        char *end;
        long long v;

        if (!oct && !hex)
                return str_to_i64(s.n && s.p[0] == '+' ? str_sub(s, 1, s.n - 1) : s, ret_i);
        if (digits.n == 0 || strspn(digits.p, oct ? "01234567" : "0123456789abcdefABCDEF") < digits.n)
                return false;
        errno = 0;
        v = strtoll(digits.p, &end, oct ? 8 : 16);
        if (errno)
                return false;
        *ret_i = v;
        return true;
}

/* Steps over digits; how many there were. */
static size_t digits(struct str s, size_t *i)
{
        size_t from = *i;

        while (*i < s.n && chr_is_digit(s.p[*i]))
                ++*i;
        return *i - from;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?; the infinities and .nan have no use here and stay text. */
static bool is_real(struct str s, double *ret_r)
{
        size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0, n = digits(s, &i);

        if (i < s.n && s.p[i] == '.') {
                i++;
                n += digits(s, &i);
        }
        if (n == 0)
                return false;
        if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
                i += i + 1 < s.n && (s.p[i + 1] == '-' || s.p[i + 1] == '+') ? 2 : 1;
                if (digits(s, &i) == 0)
                        return false;
        }
        if (i < s.n)
                return false;
        *ret_r = strtod(s.p, NULL);
        return true;
}

/* v is a string; a plain one may mean something else. */
static void resolve_plain(struct val *v)
{
        static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
        static const char *const yes[] = { "true", "True", "TRUE", NULL };
        static const char *const no[] = { "false", "False", "FALSE", NULL };
        struct str s = v->s;
        int64_t i;
        double r;

        if (is_one_of(s, nulls))
                *v = (struct val){ .type = VAL_NULL };
        else if (is_one_of(s, yes) || is_one_of(s, no))
                *v = (struct val){ .type = VAL_BOOL, .b = is_one_of(s, yes) };
        else if (is_int(s, &i))
                *v = (struct val){ .type = VAL_INT, .i = i };
        else if (is_real(s, &r))
                *v = (struct val){ .type = VAL_REAL, .r = r };
}

static int read_scalar(struct reader *r, bool key, struct val *ret_v)
{
        const yaml_event_t *e = &r->ev;
        struct str text = { (const char *)e->data.scalar.value, e->data.scalar.length };

        if (e->data.scalar.tag)
                return refuse(r, e->start_mark, "tags are not taken");
        if (text.n && memchr(text.p, 0, text.n))
                return refuse(r, e->start_mark, "a NUL character");
        val_set_str(r->mem, ret_v, text);
        if (!key && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
                resolve_plain(ret_v);
        return 0;
}

static struct row *add_row(struct reader *r, struct rows *to)
{
        struct row *row = arena_alloc(r->mem, sizeof(*row));

        *to->end = row;
        to->end = &row->next;
        to->n++;
        return row;
}

static int read_value(struct reader *r, unsigned depth, struct val *ret_v);

static int read_list(struct reader *r, unsigned depth, struct val *ret_v)
{
        struct rows rows = { NULL, &rows.first, 0 };
        struct val *items;
        uint32_t n = 0;
        int err = next(r);

        while (!err && r->ev.type != YAML_SEQUENCE_END_EVENT) {
                err = read_value(r, depth, &add_row(r, &rows)->f.val);
                if (!err)
                        err = next(r);
        }
        if (err)
                return err;
        items = arena_alloc(r->mem, rows.n * sizeof(*items));
        for (const struct row *i = rows.first; i; i = i->next)
                items[n++] = i->f.val;
        *ret_v = (struct val){ .type = VAL_LIST, .n = n, .items = items };
        return 0;
}

static int read_key(struct reader *r, const struct rows *before, struct str *ret_key)
{
        struct val key = { .s = { "", 0 } };
        int err;

        if (r->ev.type != YAML_SCALAR_EVENT)
                return refuse(r, r->ev.start_mark, "a key that is no scalar");
        err = read_scalar(r, true, &key);
        if (err)
                return err;
        for (const struct row *i = before->first; i; i = i->next)
                if (str_eq(i->f.key, key.s))
                        return refuse(r, r->ev.start_mark, "key '%.*s' stands twice", key.s.n < 64 ? (int)key.s.n : 64,
                                      key.s.p);
        *ret_key = key.s;
        return 0;
}

static int read_field(struct reader *r, unsigned depth, struct rows *rows)
{
        struct str key;
        struct row *row;
        int err = read_key(r, rows, &key);

        if (!err)
                err = next(r);
        if (err)
                return err;
        row = add_row(r, rows);
        row->f.key = key;
        err = read_value(r, depth, &row->f.val);
        return err ? err : next(r);
}

static int read_map(struct reader *r, unsigned depth, struct val *ret_v)
{
        struct rows rows = { NULL, &rows.first, 0 };
        struct val_field *fields;
        uint32_t n = 0;
        int err = next(r);

        while (!err && r->ev.type != YAML_MAPPING_END_EVENT) {
                if (rows.n == YAML_KEYS)
                        return refuse(r, r->ev.start_mark, "more than %d keys in a map", YAML_KEYS);
                err = read_field(r, depth, &rows);
        }
        if (err)
                return err;
        fields = arena_alloc(r->mem, rows.n * sizeof(*fields));
        for (const struct row *i = rows.first; i; i = i->next)
                fields[n++] = i->f;
        *ret_v = (struct val){ .type = VAL_MAP, .n = n, .fields = fields };
        return 0;
}

static bool has_tag(const yaml_event_t *e)
{
        return e->type == YAML_SEQUENCE_START_EVENT ? e->data.sequence_start.tag != NULL
                                                    : e->data.mapping_start.tag != NULL;
}

/* The value that the current event begins; afterwards its last event is the current one. */
static int read_value(struct reader *r, unsigned depth, struct val *ret_v)
{
        if (++r->values > YAML_VALUES)
                return refuse(r, r->ev.start_mark, "more than %d values", YAML_VALUES);
        if (r->ev.type == YAML_SCALAR_EVENT)
                return read_scalar(r, false, ret_v);
        if (r->ev.type == YAML_ALIAS_EVENT)
                return refuse(r, r->ev.start_mark, "aliases are not taken");
        if (depth == VAL_DEPTH)
                return refuse(r, r->ev.start_mark, "lists and maps deeper than %d", VAL_DEPTH);
        if (has_tag(&r->ev))
                return refuse(r, r->ev.start_mark, "tags are not taken");
        return r->ev.type == YAML_SEQUENCE_START_EVENT ? read_list(r, depth + 1, ret_v) : read_map(r, depth + 1, ret_v);
}

/* STREAM-START (DOCUMENT-START value DOCUMENT-END)? STREAM-END */
static int read_stream(struct reader *r, struct val *ret_v)
{
        int err = next(r);

        if (!err)
                err = next(r);
        if (err || r->ev.type == YAML_STREAM_END_EVENT)
                return err;
        err = next(r);
        if (!err)
                err = read_value(r, 0, ret_v);
        if (!err)
                err = next(r);
        if (!err)
                err = next(r);
        if (!err && r->ev.type != YAML_STREAM_END_EVENT)
                err = refuse(r, r->ev.start_mark, "a second document");
        return err;
}

int yaml_read(struct arena *mem, struct str text, struct val *ret_v, struct val_err *ret_err)
{
        struct reader r = { .mem = mem, .err = ret_err };
        struct val v = { .type = VAL_NULL };
        int err;

        if (!yaml_parser_initialize(&r.parser))
                return -ENOMEM;
        yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.n ? text.p : ""), text.n);
        err = read_stream(&r, &v);
        yaml_event_delete(&r.ev);
        yaml_parser_delete(&r.parser);
        if (!err)
                *ret_v = v;
        return err;
}
