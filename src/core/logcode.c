/* core/logcode.c - log-format strings with values encoded as JSON or CBOR, or binary ones kept (manual 8.2.6: json, cbor, bin).
 *
 * With the encoding given to "%o" a line is one map of the named items; text and other items are left out. Given to one item, its value is
 * encoded where it stands. CBOR is RFC 8949, in hexadecimal unless the line keeps binary.
 * JSON is valid whatever a peer sent: control bytes and bytes that are no UTF-8 become \u00XX. */
#include "base/str.h"
#include "core/logfmt_int.h"
#include "core/put.h"
#include "net/addr.h"

struct enc {
        char *p;
        const char *end;
        bool hex;  /* bytes as two digits */
        bool full; /* something did not fit; nothing more is written */
};

static void raw(struct enc *e, const void *bytes, size_t n)
{
        const unsigned char *b = bytes;

        if (e->full || (size_t)(e->end - e->p) < (e->hex ? 2 * n : n)) {
                e->full = true;
                return;
        }
        if (!e->hex) {
                e->p = put_bytes(e->p, e->end, bytes, n);
                return;
        }
        for (size_t i = 0; i < n; i++)
                e->p = put_hex(e->p, e->end, b[i], 2);
}

static void rawz(struct enc *e, const char *z)
{
        raw(e, z, strlen(z));
}

/* ---- JSON (RFC 8259) ---- */

/* Bytes of one well-formed UTF-8 character at p (RFC 3629 4), 0: it is none. */
static size_t utf8_len(const unsigned char *p, size_t n)
{
        size_t len = *p < 0x80 ? 1 : *p >= 0xc2 && *p < 0xe0 ? 2 : *p >= 0xe0 && *p < 0xf0 ? 3 : 4;

        if ((*p >= 0x80 && *p < 0xc2) || *p > 0xf4 || len > n)
                return 0;
        for (size_t i = 1; i < len; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
        }
        if ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) || (*p == 0xf0 && p[1] < 0x90) ||
            (*p == 0xf4 && p[1] > 0x8f))
                return 0;
        return len;
}

static void json_escape(struct enc *e, unsigned char ch)
{
        static const char hex[] = "0123456789ABCDEF";
        static const char named[] = "b\bf\fn\nr\rt\t";
        char v[6] = { '\\', 'u', '0', '0', hex[ch >> 4], hex[ch & 15] };

        if (ch == '"' || ch == '\\') {
                v[1] = (char)ch;
                raw(e, v, 2);
                return;
        }
        for (size_t i = 0; i + 1 < sizeof(named); i += 2) {
                if (named[i + 1] == (char)ch) {
                        v[1] = named[i];
                        raw(e, v, 2);
                        return;
                }
        }
        raw(e, v, 6);
}

static void json_text(struct enc *e, struct str s)
{
        rawz(e, "\"");
        for (size_t i = 0, len; i < s.n; i += len) {
                const unsigned char *p = (const unsigned char *)s.p + i;

                len = utf8_len(p, s.n - i);
                if (len && *p >= 0x20 && *p != 0x7f && *p != '"' && *p != '\\') {
                        raw(e, p, len);
                        continue;
                }
                json_escape(e, *p);
                len = 1;
        }
        rawz(e, "\"");
}

/* ---- CBOR (RFC 8949) ---- */

enum { CBOR_UINT = 0x00, CBOR_NINT = 0x20, CBOR_BYTES = 0x40, CBOR_TEXT = 0x60, CBOR_ANY_LENGTH = 0x1f };

/* The head of an item: three bits of type, a number in the shortest form (3). */
static void cbor_head(struct enc *e, unsigned major, uint64_t v)
{
        unsigned bytes = v < 24 ? 0 : v <= UINT8_MAX ? 1 : v <= UINT16_MAX ? 2 : v <= UINT32_MAX ? 4 : 8;
        unsigned char h[9] = { (unsigned char)(major | (bytes == 0   ? v
                                                        : bytes == 1 ? 24
                                                        : bytes == 2 ? 25
                                                        : bytes == 4 ? 26
                                                                     : 27)) };

        for (unsigned i = 0; i < bytes; i++)
                h[1 + i] = (unsigned char)(v >> 8 * (bytes - 1 - i));
        raw(e, h, 1 + bytes);
}

static void cbor_byte(struct enc *e, unsigned b)
{
        raw(e, &(unsigned char){ (unsigned char)b }, 1);
}

static void cbor_chunk(struct enc *e, unsigned major, struct str s)
{
        cbor_head(e, major, s.n);
        raw(e, s.p, s.n);
}

/* Of indefinite length, each escaped byte (#XX) a chunk of its own. */
static void cbor_pieces(struct enc *e, struct str s)
{
        cbor_byte(e, CBOR_TEXT | CBOR_ANY_LENGTH);
        for (size_t i = 0, n; i < s.n; i += n) {
                const char *mark = memchr(s.p + i, '#', s.n - i);

                n = !mark ? s.n - i : mark == s.p + i ? 3 : (size_t)(mark - s.p) - i;
                n = n < s.n - i ? n : s.n - i;
                cbor_chunk(e, CBOR_TEXT, str_sub(s, i, n));
        }
        cbor_byte(e, 0xff);
}

/* ---- values ---- */

static void put_null(struct enc *e, bool json, bool text)
{
        if (json)
                rawz(e, text ? "\"\"" : "null");
        else
                cbor_byte(e, 0xf6);
}

static void put_int(struct enc *e, bool json, int64_t v)
{
        char t[24];

        if (json)
                raw(e, t, (size_t)(put_i64(t, t + sizeof(t), v) - t));
        else if (v >= 0)
                cbor_head(e, CBOR_UINT, (uint64_t)v);
        else
                cbor_head(e, CBOR_NINT, (uint64_t)(-1 - v));
}

static void put_bool(struct enc *e, bool json, bool v)
{
        if (json)
                rawz(e, v ? "true" : "false");
        else
                cbor_byte(e, v ? 0xf5 : 0xf4);
}

static void put_text(struct enc *e, bool json, struct str s)
{
        if (json)
                json_text(e, s);
        else
                cbor_chunk(e, CBOR_TEXT, s);
}

static void put_smp(struct enc *e, bool json, struct smp *s)
{
        switch (s->type) {
        case SMP_SINT: put_int(e, json, s->i); return;
        case SMP_BOOL: put_bool(e, json, s->b); return;
        case SMP_BIN:
                if (!json) {
                        cbor_byte(e, CBOR_BYTES | CBOR_ANY_LENGTH);
                        cbor_chunk(e, CBOR_BYTES, (struct str){ s->s.p, s->s.n });
                        cbor_byte(e, 0xff);
                        return;
                }
                break;
        default:
                if (s->type != SMP_STR && !smp_cast(s, SMP_STR)) {
                        put_null(e, json, true);
                        return;
                }
                break;
        }
        put_text(e, json, (struct str){ s->s.p, s->s.n });
}

static void code_expr(struct enc *e, bool json, const struct lf_node *n, const struct expr_ctx *x)
{
        struct smp smp;

        if (expr_run(n->expr, x, &smp) == EXPR_OK)
                put_smp(e, json, &smp);
        else
                put_null(e, json, true);
}

/* A number that is not final may have a '+' before it: encoders get it without (manual 8.2.6). */
static bool as_number(struct str s, int64_t *ret_v)
{
        if (s.n && *s.p == '+')
                s = str_sub(s, 1, s.n - 1);
        return str_to_i64(s, ret_v);
}

static void code_alias(struct enc *e, bool json, struct log_view *view, const struct lf_node *n,
                       const struct lf_code *code)
{
        const struct log_alias *a = n->alias;
        unsigned type = code->type;
        size_t room;
        char *tmp = expr_scratch(&room);
        struct str s = { tmp, 0 };
        int64_t v;

        if (a->print && (view->strm || a->process))
                s.n = a->print(view, n->flags & LOGFMT_HEX, tmp, room);
        if (s.n == 0) {
                put_null(e, json, a->string);
                return;
        }
        if (type == LF_AS_IS)
                type = a->number && !(n->flags & LOGFMT_HEX) ? LF_SINT : LF_STR;
        if (type != LF_STR && !as_number(s, &v))
                v = 0;
        if (type == LF_SINT)
                put_int(e, json, v);
        else if (type == LF_BOOL)
                put_bool(e, json, v != 0);
        else if (!json && a->pieces)
                cbor_pieces(e, s);
        else
                put_text(e, json, s);
}

static void code_item(struct enc *e, struct log_view *view, const struct logfmt *f, const struct lf_node *n,
                      const struct expr_ctx *x)
{
        bool json = n->flags & LOGFMT_JSON;

        e->hex = !json && !(n->flags & LOGFMT_BIN);
        if (n->op == LF_EXPR)
                code_expr(e, json, n, x);
        else
                code_alias(e, json, view, n, &f->code[n - f->node]);
}

static size_t print_map(const struct logfmt *f, const struct expr_ctx *x, char *dst, size_t n)
{
        struct log_view view = { .strm = x->strm, .origin = x->origin };
        struct enc e = { .p = dst, .end = dst + n };
        bool json = f->all == LOGFMT_JSON, first = true;
        uint8_t last = f->n ? f->node[f->n - 1].flags : 0;

        e.hex = !json && !(last & LOGFMT_BIN);
        if (json)
                rawz(&e, "{");
        else
                cbor_byte(&e, 0xbf);
        for (uint32_t i = 0; i < f->n; i++) {
                const struct lf_node *node = &f->node[i];

                if (node->op == LF_NONE || !f->code[i].name.n)
                        continue;
                if (json && !first)
                        rawz(&e, ", ");
                put_text(&e, json, f->code[i].name);
                if (json)
                        rawz(&e, ": ");
                code_item(&e, &view, f, node, x);
                first = false;
        }
        if (json)
                rawz(&e, "}");
        else
                cbor_byte(&e, 0xff);
        return (size_t)(e.p - dst);
}

static size_t print_mixed(const struct logfmt *f, const struct expr_ctx *x, char *dst, size_t n)
{
        struct lf_out o = { .p = dst, .end = dst + n, .blank = true, .view = { .strm = x->strm, .origin = x->origin } };

        for (uint32_t i = 0; i < f->n && o.p < o.end; i++) {
                const struct lf_node *node = &f->node[i];
                struct enc e;

                o.p = lf_text(o.p, o.end, &o.blank, node);
                if (node->op == LF_NONE || !(node->flags & (LOGFMT_JSON | LOGFMT_CBOR))) {
                        lf_item(&o, f, node, x);
                        continue;
                }
                e = (struct enc){ .p = o.p, .end = o.end };
                code_item(&e, &o.view, f, node, x);
                o.p = e.p;
                o.blank = false;
        }
        return (size_t)(o.p - dst);
}

size_t logcode_print(const struct logfmt *f, const struct expr_ctx *x, char *dst, size_t n)
{
        return f->all ? print_map(f, x, dst, n) : print_mixed(f, x, dst, n);
}
