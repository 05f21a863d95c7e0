/* ext/json.c - jansson for the grammar, a splitter of our own for the length.
 *
 * The splitter knows only strings and brackets: enough to see where an item begins and ends. Whether the text is JSON
 * is jansson's word, given for each item and for the frame (everything around the list, with the list empty). The one
 * thing that neither of these sees is what stands between the items, so that is judged here: WANT, NEXT. */
#include "ext/json.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#define LOAD_FLAGS (JSON_DECODE_ANY | JSON_REJECT_DUPLICATES)

enum { FRAME, WANT, ITEM, NEXT, DONE }; /* json_split.state */
enum { NOTHING, KEY, COLON, VALUE };    /* json_split.expect: what the frame has next, in the map that holds the list */

static int convert(struct arena *mem, const json_t *j, unsigned depth, struct val *ret_v);

static int convert_list(struct arena *mem, const json_t *j, unsigned depth, struct val *ret_v)
{
        size_t n = json_array_size(j);
        struct val *items = arena_alloc(mem, n * sizeof(*items));
        int err = 0;

        for (size_t i = 0; i < n && !err; i++)
                err = convert(mem, json_array_get(j, i), depth, &items[i]);
        *ret_v = (struct val){ .type = VAL_LIST, .n = (uint32_t)n, .items = items };
        return err;
}

static int convert_map(struct arena *mem, json_t *j, unsigned depth, struct val *ret_v)
{
        struct val_field *fields = arena_alloc(mem, json_object_size(j) * sizeof(*fields));
        const char *key;
        uint32_t n = 0;
        json_t *v;
        int err = 0;

        json_object_foreach(j, key, v)
        {
                struct str k = str_of(key);

                fields[n].key = (struct str){ arena_strdup(mem, k), k.n };
                err = err ? err : convert(mem, v, depth, &fields[n].val);
                n++;
        }
        *ret_v = (struct val){ .type = VAL_MAP, .n = n, .fields = fields };
        return err;
}

/* depth: of lists and maps around j. */
static int convert(struct arena *mem, const json_t *j, unsigned depth, struct val *ret_v)
{
        switch (json_typeof(j)) {
        case JSON_ARRAY: return depth < VAL_DEPTH ? convert_list(mem, j, depth + 1, ret_v) : -EBADMSG;
        case JSON_OBJECT: return depth < VAL_DEPTH ? convert_map(mem, (json_t *)j, depth + 1, ret_v) : -EBADMSG;
        case JSON_STRING: val_set_str(mem, ret_v, (struct str){ json_string_value(j), json_string_length(j) }); break;
        case JSON_INTEGER: *ret_v = (struct val){ .type = VAL_INT, .i = json_integer_value(j) }; break;
        case JSON_REAL: *ret_v = (struct val){ .type = VAL_REAL, .r = json_real_value(j) }; break;
        case JSON_TRUE:
        case JSON_FALSE: *ret_v = (struct val){ .type = VAL_BOOL, .b = json_is_true(j) }; break;
        case JSON_NULL: *ret_v = (struct val){ .type = VAL_NULL }; break;
        }
        return 0;
}

static int refuse(struct val_err *ret_err, int err, const char *fmt, ...) fmt_like(3, 4);
static int refuse(struct val_err *ret_err, int err, const char *fmt, ...)
{
        va_list ap;

        if (!ret_err)
                return err;
        *ret_err = (struct val_err){ 0 };
        va_start(ap, fmt);
        (void)vsnprintf(ret_err->text, sizeof(ret_err->text), fmt, ap);
        va_end(ap);
        return err;
}

/* depth: of lists and maps around the text. */
static int parse(struct arena *mem, struct str text, unsigned depth, struct val *ret_v, struct val_err *ret_err)
{
        json_error_t e;
        json_t *j = json_loadb(text.n ? text.p : "", text.n, LOAD_FLAGS, &e);
        struct val v;
        int err;

        if (!j) {
                err = refuse(ret_err, -EBADMSG, "%s", e.text);
                if (ret_err && e.line > 0 && e.column >= 0) {
                        ret_err->line = (unsigned)e.line;
                        ret_err->column = (unsigned)e.column;
                }
                return err;
        }
        err = convert(mem, j, depth, &v);
        json_decref(j);
        if (err)
                return refuse(ret_err, err, "lists and maps deeper than %d", VAL_DEPTH);
        *ret_v = v;
        return 0;
}

int json_parse(struct arena *mem, struct str text, struct val *ret_v, struct val_err *ret_err)
{
        return parse(mem, text, 0, ret_v, ret_err);
}

void json_split_init(struct json_split *s, enum json_shape shape, const char *key, size_t item_max,
                     int (*item)(struct json_split *s, const struct val *v))
{
        *s = (struct json_split){ .shape = shape, .key = key, .item_max = item_max, .item = item, .first = true };
        s->cur.limit = s->rest.limit = item_max;
        s->state = shape == JSON_SEQUENCE ? WANT : FRAME;
}

void json_split_fini(struct json_split *s)
{
        buf_fini(&s->rest);
        buf_fini(&s->cur);
        arena_fini(&s->mem);
}

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int broken(struct json_split *s, const char *what)
{
        return refuse(&s->err, -EBADMSG, "%s after item %llu", what, (unsigned long long)s->items);
}

static int too_long(struct json_split *s)
{
        return refuse(&s->err, -EMSGSIZE, "more than %zu bytes after item %llu", s->item_max,
                      (unsigned long long)s->items);
}

/* One byte inside a string. */
static void string_byte(struct json_split *s, char c)
{
        if (s->in_key && !s->escaped && c != '"')
                s->key_pos = s->key_pos >= 0 && c && s->key[s->key_pos] == c ? s->key_pos + 1 : -1;
        if (s->escaped) {
                s->escaped = false;
                s->key_pos = -1; /* a key written with escapes is not found; our peers do not write such */
        } else if (c == '\\') {
                s->escaped = true;
        } else if (c == '"') {
                s->in_str = false;
        }
}

static void open_list(struct json_split *s)
{
        s->state = WANT;
        s->key = NULL; /* a second list of that name is a repeated key, which jansson refuses */
        s->first = true;
        s->expect = NOTHING;
}

/* After an opening bracket of the frame. */
static int frame_opens(struct json_split *s, char c)
{
        if (c == '[' && (s->shape == JSON_LIST ? s->depth == 0 : s->expect == VALUE)) {
                s->depth++;
                open_list(s);
                return 0;
        }
        if (s->depth == 0 && (s->shape == JSON_LIST || c == '['))
                return broken(s, s->shape == JSON_LIST ? "no list" : "no map");
        s->depth++;
        s->expect = s->depth == 1 ? KEY : NOTHING;
        return s->depth <= VAL_DEPTH ? 0 : broken(s, "too deep a nesting");
}

static void frame_string(struct json_split *s)
{
        s->in_str = true;
        s->in_key = s->expect == KEY && s->key;
        s->key_pos = 0;
        if (s->expect != KEY)
                s->expect = NOTHING;
}

static int frame_byte(struct json_split *s, char c)
{
        if (s->in_str) {
                string_byte(s, c);
                if (!s->in_str && s->in_key)
                        s->expect = s->key_pos >= 0 && s->key[s->key_pos] == '\0' ? COLON : NOTHING;
                s->in_key = s->in_key && s->in_str;
                return 0;
        }
        if (is_space(c))
                return 0;
        if (c == '[' || c == '{')
                return frame_opens(s, c);
        if (s->depth == 0)
                return broken(s, s->shape == JSON_LIST ? "no list" : "no map");
        if (c == '"')
                frame_string(s);
        else if (c == '}' || c == ']')
                s->state = --s->depth == 0 ? DONE : FRAME;
        else if (c == ',')
                s->expect = s->depth == 1 ? KEY : NOTHING;
        else
                s->expect = c == ':' && s->expect == COLON ? VALUE : NOTHING;
        return 0;
}

/* buf's own limit is coarse: it grows by doubling. */
static bool over(const struct json_split *s, const struct buf *b)
{
        return b->failed || b->n > s->item_max;
}

/* Depth of the document around an item. */
static unsigned outer_of(const struct json_split *s)
{
        return s->shape == JSON_SEQUENCE ? 0 : s->shape == JSON_LIST ? 1 : 2;
}

static int hand_over(struct json_split *s)
{
        struct val_err e;
        struct val v;
        int err = parse(&s->mem, buf_view(&s->cur), outer_of(s), &v, &e);

        if (err == -EBADMSG)
                return refuse(&s->err, err, "%s, in item %llu", e.text, (unsigned long long)s->items + 1);
        if (!err) {
                s->items++;
                err = s->item(s, &v);
        }
        arena_fini(&s->mem);
        s->cur.n = 0;
        s->first = false;
        s->state = s->shape == JSON_SEQUENCE ? WANT : NEXT;
        return err;
}

/* Between the items: nothing of it is kept but the list's closing bracket. */
static int list_byte(struct json_split *s, char c, bool *ret_starts)
{
        if (is_space(c))
                return 0;
        if (s->shape != JSON_SEQUENCE && c == ']' && (s->state == NEXT || s->first)) {
                buf_putc(&s->rest, c);
                s->state = --s->depth == 0 ? DONE : FRAME;
                return 0;
        }
        if (s->state == NEXT) {
                s->state = WANT;
                return c == ',' ? 0 : broken(s, "no comma");
        }
        if (c == ',' || c == ']' || c == '}')
                return broken(s, "no item");
        s->state = ITEM;
        *ret_starts = true;
        return 0;
}

/* How many bytes of p belong to the item; *ret_end: it ends there. */
static size_t item_bytes(struct json_split *s, const char *p, size_t n, bool *ret_end)
{
        unsigned outer = outer_of(s);
        size_t i;

        for (i = 0; i < n && !*ret_end; i++) {
                char c = p[i];
                bool closes = c == '}' || c == ']', alone = s->depth == outer;

                if (s->in_str)
                        string_byte(s, c);
                else if (c == '"')
                        s->in_str = true;
                else if (c == '{' || c == '[')
                        s->depth++;
                else if (alone && (closes || c == ',' || is_space(c)))
                        break; /* a number or a word ends before what follows it */
                else if (closes)
                        s->depth--;
                *ret_end = !s->in_str && s->depth == outer && (closes || c == '"');
        }
        *ret_end = *ret_end || i < n;
        return i;
}

/* Some bytes of p; how many were taken is stored. */
static int feed_some(struct json_split *s, const char *p, size_t n, size_t *ret_taken)
{
        bool starts = false, end = false;
        int err = 0;

        *ret_taken = 1;
        if (s->state == ITEM) {
                *ret_taken = item_bytes(s, p, n, &end);
                buf_add(&s->cur, p, *ret_taken);
                if (over(s, &s->cur))
                        return too_long(s);
                err = end ? hand_over(s) : 0;
        } else if (s->state == WANT || s->state == NEXT) {
                err = list_byte(s, p[0], &starts);
                *ret_taken = starts ? 0 : 1;
        } else if (s->state == FRAME) {
                buf_putc(&s->rest, p[0]);
                err = frame_byte(s, p[0]);
                if (!err && over(s, &s->rest))
                        err = too_long(s);
        } else if (!is_space(p[0])) {
                err = broken(s, "more text");
        }
        return err;
}

int json_split_feed(struct json_split *s, struct str bytes)
{
        size_t taken;

        for (size_t i = 0; i < bytes.n && !s->failed; i += taken)
                s->failed = feed_some(s, bytes.p + i, bytes.n - i, &taken);
        return s->failed;
}

int json_split_end(struct json_split *s, struct arena *mem, struct val *ret_rest)
{
        struct val rest = { .type = VAL_NULL };

        if (!s->failed && s->shape == JSON_SEQUENCE)
                s->failed = json_split_feed(s, STR("\n")); /* ends a number or word that stands last */
        if (!s->failed && s->state != (s->shape == JSON_SEQUENCE ? WANT : DONE))
                s->failed = broken(s, "the text ends too early");
        if (!s->failed && s->shape != JSON_SEQUENCE)
                s->failed = json_parse(mem, buf_view(&s->rest), &rest, &s->err);
        if (!s->failed && ret_rest)
                *ret_rest = rest;
        return s->failed;
}
