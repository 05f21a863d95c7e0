/* feat/fetches/fields.c - samples of the fields of HTTP heads (manual 7.3.6).
 *
 * One walk serves all: over the lines of a name (or of any name), and within a line over the items of a list. */
#include "conf/conf.h"
#include "feat/fetches/fetch.h"
#include "proto/hmsg.h"

#include <arpa/inet.h>

/* args[0]: the name in lower case, its number in .i; n == 0: any name. args[1]: which occurrence. */
static bool name_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        char *lower = conf_alloc(c->conf, args[0].n + 1);

        for (uint32_t i = 0; n_args && i < args[0].n; i++)
                lower[i] = (char)chr_lower((unsigned char)args[0].s[i]);
        args[0].s = lower;
        args[0].i = hmsg_id(lower, args[0].n);
        if (n_args < 2)
                args[1].i = -1; /* the last one (manual 7.3.6) */
        if (n_args < 2 || args[1].i != 0)
                return true;
        (void)kw_fail(c, at, "E0701", "the occurrence of a header is counted from 1, or from -1 backwards");
        return false;
}

/* Whoever looks at all fields does not see Connection, which is of this hop only, unless it carries an upgrade. */
static int next_any(const struct hmsg *m, int from)
{
        int i = hmsg_next(m, from);

        while (i >= 0 && m->f[i].id == HID_CONNECTION && m->upgrade == HUPGRADE_NONE)
                i = hmsg_next(m, i + 1);
        return i;
}

static int find(const struct hmsg *m, const struct expr_arg *name, int from)
{
        if (name->i != HID_NONE)
                return hmsg_find(m, (enum hid)name->i, from);
        if (name->n == 0)
                return next_any(m, from);
        return hmsg_find_name(m, (struct str){ name->s, name->n }, from);
}

/* The value that starts at `at`: up to a comma outside of a quoted string (RFC 9110 5.6.1, 5.6.4), trimmed. Returns where the
 * next one starts, or v.n + 1. */
static size_t list_item_at(struct str v, size_t at, struct str *ret_item)
{
        bool quoted = false;
        size_t i;

        for (i = at; i < v.n; i++) {
                if (quoted && v.p[i] == '\\')
                        i++;
                else if (v.p[i] == '"')
                        quoted = !quoted;
                else if (v.p[i] == ',' && !quoted)
                        break;
        }
        if (i > v.n)
                i = v.n; /* a backslash was last */
        *ret_item = str_trim(str_sub(v, at, i - at));
        return i + 1;
}

struct walk { /* over the values of one field name */
        const struct hmsg *m;
        const struct expr_arg *name;
        bool lines; /* whole lines, not list items */
        int field;
        size_t at;
};

static bool walk_next(struct walk *w, struct str *ret_v)
{
        struct str v;

        if (w->at == 0) {
                w->field = find(w->m, w->name, w->field);
                if (w->field < 0)
                        return false;
        }
        v = hmsg_value(w->m, w->field);
        w->at = w->lines ? v.n + 1 : list_item_at(v, w->at, ret_v);
        if (w->lines)
                *ret_v = str_trim(v); /* rules may leave blanks around it */
        if (w->at > v.n) {            /* the line is used up */
                w->field++;
                w->at = 0;
        }
        return true;
}

static int64_t count(struct walk w)
{
        struct str v;
        int64_t n = 0;

        while (walk_next(&w, &v))
                n++;
        return n;
}

static enum expr_answer next_value(struct walk *w, struct smp *s)
{
        struct str v;

        w->field = (int)(s->iter >> 32);
        w->at = (uint32_t)s->iter;
        if (!walk_next(w, &v))
                return EXPR_MISS;
        s->iter = (uint64_t)w->field << 32 | (uint32_t)w->at;
        s->more = true;
        return answer_str(s, v);
}

static enum expr_answer value(const struct expr_ctx *x, struct walk w, const struct expr_arg *args, unsigned n_args,
                              struct smp *s)
{
        int64_t want = args[1].i;
        struct str v = { NULL, 0 };

        w.name = &args[0];
        if (n_args == 0)
                return EXPR_MISS; /* as HAProxy: "req.hdr()" means all fields, "req.hdr" none */
        if (x->iterate && n_args < 2)
                return next_value(&w, s);
        if (want < 0)
                want += count(w) + 1;
        if (want < 1)
                return EXPR_MISS;
        for (int64_t i = 0; i < want; i++) {
                if (!walk_next(&w, &v))
                        return EXPR_MISS;
        }
        return answer_str(s, v);
}

#define ITEMS(head) ((struct walk){ .m = (head) })
#define LINES(head) ((struct walk){ .m = (head), .lines = true })

FETCH(any_hdr)
{
        return value(x, ITEMS(head_of(x)), args, n_args, ret_smp);
}

FETCH(req_hdr)
{
        return value(x, ITEMS(x->req), args, n_args, ret_smp);
}

FETCH(req_fhdr)
{
        return value(x, LINES(x->req), args, n_args, ret_smp);
}

FETCH(res_hdr)
{
        return value(x, ITEMS(x->rsp), args, n_args, ret_smp);
}

FETCH(res_fhdr)
{
        return value(x, LINES(x->rsp), args, n_args, ret_smp);
}

static enum expr_answer cnt(struct walk w, const struct expr_arg *args, struct smp *s)
{
        w.name = &args[0];
        return answer_int(s, count(w));
}

FETCH(req_hdr_cnt)
{
        UNUSED;
        return cnt(ITEMS(x->req), args, ret_smp);
}

FETCH(req_fhdr_cnt)
{
        UNUSED;
        return cnt(LINES(x->req), args, ret_smp);
}

FETCH(res_hdr_cnt)
{
        UNUSED;
        return cnt(ITEMS(x->rsp), args, ret_smp);
}

FETCH(res_fhdr_cnt)
{
        UNUSED;
        return cnt(LINES(x->rsp), args, ret_smp);
}

FETCH(req_hdr_val)
{
        return answer_number(value(x, ITEMS(x->req), args, n_args, ret_smp), ret_smp);
}

FETCH(res_hdr_val)
{
        return answer_number(value(x, ITEMS(x->rsp), args, n_args, ret_smp), ret_smp);
}

/* ":" and a port. */
static bool is_port(struct str s)
{
        uint64_t v;

        return s.n > 1 && s.p[0] == ':' && str_to_u64(str_sub(s, 1, s.n - 1), &v) && v <= UINT16_MAX;
}

/* An address as in RFC 7239 6: IPv4, with a port or without; IPv6, bare or in brackets (manual 7.3.6, req.hdr_ip). */
static enum expr_answer to_address(enum expr_answer a, struct smp *s)
{
        struct str v;
        const char *end;

        if (a != EXPR_OK)
                return a;
        v = (struct str){ s->s.p, s->s.n };
        if (v.n > 1 && v.p[0] == '[' && v.p[v.n - 1] == ']') {
                smp_str(s, str_sub(v, 1, v.n - 2));
                return smp_cast(s, SMP_IPV6) ? EXPR_OK : EXPR_MISS;
        }
        end = v.n ? memchr(v.p, ':', v.n) : NULL;
        if (end && is_port((struct str){ end, (size_t)(v.p + v.n - end) })) {
                smp_str(s, str_sub(v, 0, (size_t)(end - v.p)));
                if (smp_cast(s, SMP_IPV4))
                        return EXPR_OK;
                smp_str(s, v);
        }
        return smp_cast(s, SMP_ADDR) ? EXPR_OK : EXPR_MISS;
}

FETCH(req_hdr_ip)
{
        return to_address(value(x, ITEMS(x->req), args, n_args, ret_smp), ret_smp);
}

FETCH(res_hdr_ip)
{
        return to_address(value(x, ITEMS(x->rsp), args, n_args, ret_smp), ret_smp);
}

/* ---- whole heads ---- */

struct room {
        char *p;
        size_t n, cap;
};

/* False: it does not fit, and nothing was added. */
static bool put(struct room *r, struct str s)
{
        if (s.n > r->cap - r->n)
                return false;
        memcpy(r->p + r->n, s.p, s.n);
        r->n += s.n;
        return true;
}

static enum expr_answer made(struct room *r, enum smp_type type, struct smp *s)
{
        s->type = type;
        s->is_const = false;
        s->s.p = r->p;
        s->s.n = (uint32_t)r->n;
        s->s.cap = (uint32_t)r->cap;
        return EXPR_OK;
}

static bool put_line(struct room *r, struct str name, struct str value)
{
        size_t before = r->n;

        if (put(r, name) && put(r, STR(": ")) && put(r, value) && put(r, STR("\r\n")))
                return true;
        r->n = before;
        return false;
}

/* The lines and the empty one; that it lacks tells that the head was cut (manual 7.3.6, req.hdrs). */
static enum expr_answer lines_of(const struct hmsg *m, struct smp *s)
{
        struct room r = { .n = 0 };
        bool all = true;

        r.p = expr_scratch(&r.cap);
        for (int i = next_any(m, 0); i >= 0 && all; i = next_any(m, i + 1))
                all = put_line(&r, hmsg_name(m, i), hmsg_value(m, i));
        if (all)
                (void)put(&r, STR("\r\n"));
        return made(&r, SMP_BIN, s);
}

FETCH(req_hdrs)
{
        UNUSED;
        return lines_of(x->req, ret_smp);
}

FETCH(res_hdrs)
{
        UNUSED;
        return lines_of(x->rsp, ret_smp);
}

/* Variable integers (SPOE's specification 3.1): below 240 one byte, else four bits and seven more for each byte. */
static bool put_counted(struct room *r, struct str v)
{
        char b[10];
        size_t n = 0, left = v.n;

        if (left < 240) {
                b[n++] = (char)left;
        } else {
                b[n++] = (char)(left | 0xf0);
                for (left = (left - 240) >> 4; left >= 128; left = (left - 128) >> 7)
                        b[n++] = (char)(left | 0x80);
                b[n++] = (char)left;
        }
        return put(r, (struct str){ b, n }) && put(r, v);
}

/* Unlike lines, a cut list could not be told from a whole one. */
static enum expr_answer pairs_of(const struct hmsg *m, struct smp *s)
{
        struct room r = { .n = 0 };

        r.p = expr_scratch(&r.cap);
        for (int i = next_any(m, 0); i >= 0; i = next_any(m, i + 1)) {
                if (!put_counted(&r, hmsg_name(m, i)) || !put_counted(&r, hmsg_value(m, i)))
                        return EXPR_MISS;
        }
        return put(&r, (struct str){ "\0\0", 2 }) ? made(&r, SMP_BIN, s) : EXPR_MISS;
}

FETCH(req_hdrs_bin)
{
        UNUSED;
        return pairs_of(x->req, ret_smp);
}

FETCH(res_hdrs_bin)
{
        UNUSED;
        return pairs_of(x->rsp, ret_smp);
}

static enum expr_answer names_of(const struct hmsg *m, const struct expr_arg *args, unsigned n_args, struct smp *s)
{
        struct room r = { .n = 0 };
        struct str delim = n_args && args[0].n ? (struct str){ args[0].s, 1 } : STR(",");

        r.p = expr_scratch(&r.cap);
        for (int i = next_any(m, 0); i >= 0; i = next_any(m, i + 1)) {
                if ((r.n && !put(&r, delim)) || !put(&r, hmsg_name(m, i)))
                        return EXPR_MISS;
        }
        return made(&r, SMP_STR, s);
}

FETCH(req_hdr_names)
{
        return names_of(x->req, args, n_args, ret_smp);
}

FETCH(res_hdr_names)
{
        return names_of(x->rsp, args, n_args, ret_smp);
}

/* ---- rows ---- */

#define ROW_OCC(n, type, from, f, text, ...)                                                                           \
        {                                                                                                              \
                .name = n, .args = { ARG_STR, ARG_SINT }, .out = SMP_##type, .needs = from, .fn = f,                   \
                .check = name_check, .manual = "7.3.6", .help = text, __VA_ARGS__                                      \
        }
#define ROW_NAME(n, from, f, text)                                                                                     \
        {                                                                                                              \
                .name = n, .args = { ARG_STR }, .out = SMP_SINT, .needs = from, .fn = f, .check = name_check,          \
                .manual = "7.3.6", .help = text                                                                        \
        }
#define ROW_ALL(n, type, from, f, text) FETCH_ROW(n, type, from, f, "7.3.6", text)
#define REQ                             EXPR_REQ_HEAD
#define RSP                             EXPR_RSP_HEAD

static const struct fetch rows[] = {
        ROW_OCC("hdr", STR, EXPR_ANY_HEAD, any_hdr, "a value of a field of the request, on answers of the answer",
                .acl_forms = true, .acl_of = "req.hdr"),
        ROW_OCC("req.hdr", STR, REQ, req_hdr, "a value of a request field"),
        ROW_OCC("req.fhdr", STR, REQ, req_fhdr, "a request field line"),
        ROW_NAME("hdr_cnt", REQ, req_hdr_cnt, "how many values a request field has"),
        ROW_NAME("req.hdr_cnt", REQ, req_hdr_cnt, "how many values a request field has"),
        ROW_NAME("req.fhdr_cnt", REQ, req_fhdr_cnt, "how many lines a request field has"),
        ROW_OCC("hdr_val", SINT, REQ, req_hdr_val, "a value of a request field as a number"),
        ROW_OCC("req.hdr_val", SINT, REQ, req_hdr_val, "a value of a request field as a number"),
        ROW_OCC("hdr_ip", ADDR, REQ, req_hdr_ip, "a value of a request field as an address"),
        ROW_OCC("req.hdr_ip", ADDR, REQ, req_hdr_ip, "a value of a request field as an address"),
        FETCH_ROW_ARGS("req.hdr_names", STR, REQ, req_hdr_names, "7.3.6", "names of the request's fields", NULL,
                       ARG_STR),
        ROW_ALL("req.hdrs", BIN, REQ, req_hdrs, "all fields of the request, and the empty line"),
        ROW_ALL("req.hdrs_bin", BIN, REQ, req_hdrs_bin, "all fields of the request as counted strings"),
        ROW_OCC("shdr", STR, RSP, res_hdr, "a value of an answer field", .acl_forms = true, .acl_of = "res.hdr"),
        ROW_OCC("res.hdr", STR, RSP, res_hdr, "a value of an answer field"),
        ROW_OCC("res.fhdr", STR, RSP, res_fhdr, "an answer field line"),
        ROW_NAME("shdr_cnt", RSP, res_hdr_cnt, "how many values an answer field has"),
        ROW_NAME("res.hdr_cnt", RSP, res_hdr_cnt, "how many values an answer field has"),
        ROW_NAME("res.fhdr_cnt", RSP, res_fhdr_cnt, "how many lines an answer field has"),
        ROW_OCC("shdr_val", SINT, RSP, res_hdr_val, "a value of an answer field as a number"),
        ROW_OCC("res.hdr_val", SINT, RSP, res_hdr_val, "a value of an answer field as a number"),
        ROW_OCC("shdr_ip", ADDR, RSP, res_hdr_ip, "a value of an answer field as an address"),
        ROW_OCC("res.hdr_ip", ADDR, RSP, res_hdr_ip, "a value of an answer field as an address"),
        FETCH_ROW_ARGS("res.hdr_names", STR, RSP, res_hdr_names, "7.3.6", "names of the answer's fields", NULL,
                       ARG_STR),
        ROW_ALL("res.hdrs", BIN, RSP, res_hdrs, "all fields of the answer, and the empty line"),
        ROW_ALL("res.hdrs_bin", BIN, RSP, res_hdrs_bin, "all fields of the answer as counted strings"),
};
FETCH_TABLE(fields, rows);
