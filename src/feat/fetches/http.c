/* feat/fetches/http.c - samples of HTTP heads (manual 7.3.6). */
#include "conf/conf.h"
#include "core/expr.h"
#include "net/addr.h"
#include "proto/hmsg.h"

#define FETCH(fn)                                                                                                      \
        static enum expr_answer fn(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,             \
                                   struct smp *ret_smp)
#define UNUSED (void)x, (void)args, (void)n_args

/* ---- the request line ---- */

/* "METHOD URI VERSION" as kept for the log, when the head itself is gone. */
static struct str kept_line(const struct expr_ctx *x)
{
        return (struct str){ x->strm->log.request, x->strm->log.request ? x->strm->log.request_len : 0 };
}

FETCH(method)
{
        struct str line, m;
        const char *sp;

        UNUSED;
        if (x->req) {
                m = hmsg_method(x->req);
        } else {
                line = kept_line(x);
                sp = line.n ? memchr(line.p, ' ', line.n) : NULL;
                if (!sp)
                        return EXPR_MISS;
                m = str_sub(line, 0, (size_t)(sp - line.p));
        }
        ret_smp->type = SMP_METH;
        ret_smp->is_const = true;
        ret_smp->m.meth = hmsg_method_of(m);
        ret_smp->m.p = m.p;
        ret_smp->m.n = (uint32_t)m.n;
        return EXPR_OK;
}

FETCH(req_ver)
{
        struct str line;

        UNUSED;
        if (x->req) {
                smp_str(ret_smp, x->req->minor ? STR("1.1") : STR("1.0"));
                return EXPR_OK;
        }
        line = kept_line(x);
        if (line.n < 9 || memcmp(line.p + line.n - 8, "HTTP/", 5) != 0)
                return EXPR_MISS;
        smp_str(ret_smp, str_sub(line, line.n - 3, 3));
        return EXPR_OK;
}

/* Path and query of the target: from the first slash after the authority on; n == 0: there is none ("*", CONNECT). */
FETCH(path)
{
        struct str p = hmsg_path_query(x->req);
        const char *q = p.n ? memchr(p.p, '?', p.n) : NULL;

        UNUSED;
        if (p.n == 0)
                return EXPR_MISS;
        smp_str(ret_smp, str_sub(p, 0, q ? (size_t)(q - p.p) : p.n));
        return EXPR_OK;
}

FETCH(pathq)
{
        struct str p = hmsg_path_query(x->req);

        UNUSED;
        if (p.n == 0)
                return EXPR_MISS;
        smp_str(ret_smp, p);
        return EXPR_OK;
}

FETCH(url)
{
        UNUSED;
        smp_str(ret_smp, hmsg_target(x->req));
        return EXPR_OK;
}

FETCH(query)
{
        struct str t = hmsg_target(x->req);
        const char *q = t.n ? memchr(t.p, '?', t.n) : NULL;

        UNUSED;
        if (!q)
                return EXPR_MISS;
        smp_str(ret_smp, str_sub(t, (size_t)(q - t.p) + 1, t.n - (size_t)(q - t.p) - 1));
        return EXPR_OK;
}

FETCH(proto_http)
{
        UNUSED;
        smp_bool(ret_smp, x->req != NULL);
        return EXPR_OK;
}

/* ---- the answer ---- */

FETCH(status)
{
        UNUSED;
        if (x->rsp)
                smp_int(ret_smp, x->rsp->status);
        else if (x->strm->status)
                smp_int(ret_smp, x->strm->status);
        else
                return EXPR_MISS;
        return EXPR_OK;
}

FETCH(res_ver)
{
        UNUSED;
        smp_str(ret_smp, x->rsp->minor ? STR("1.1") : STR("1.0"));
        return EXPR_OK;
}

/* ---- fields ---- */

/* args[0]: the name in lower case, its number in .i. */
static bool name_check(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at)
{
        char *lower = conf_alloc(c->conf, args[0].n + 1);

        (void)at;
        for (uint32_t i = 0; i < args[0].n; i++)
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

static int find(const struct hmsg *m, const struct expr_arg *name, int from)
{
        if (name->i != HID_NONE)
                return hmsg_find(m, (enum hid)name->i, from);
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
                *ret_v = v;
        if (w->at > v.n) { /* the line is used up */
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

static enum expr_answer next_value(const struct expr_ctx *x, struct walk *w, struct smp *s)
{
        struct str v;

        (void)x;
        w->field = (int)(s->iter >> 32);
        w->at = (uint32_t)s->iter;
        if (!walk_next(w, &v))
                return EXPR_MISS;
        s->iter = (uint64_t)w->field << 32 | (uint32_t)w->at;
        s->more = true;
        smp_str(s, v);
        return EXPR_OK;
}

static enum expr_answer value(const struct expr_ctx *x, const struct hmsg *m, bool lines, const struct expr_arg *args,
                              unsigned n_args, struct smp *s)
{
        struct walk w = { .m = m, .name = &args[0], .lines = lines };
        int64_t want = args[1].i;
        struct str v = { NULL, 0 };

        if (x->iterate && n_args < 2)
                return next_value(x, &w, s);
        if (want < 0)
                want += count(w) + 1;
        if (want < 1)
                return EXPR_MISS;
        for (int64_t i = 0; i < want; i++) {
                if (!walk_next(&w, &v))
                        return EXPR_MISS;
        }
        smp_str(s, v);
        return EXPR_OK;
}

FETCH(req_hdr)
{
        return value(x, x->req, false, args, n_args, ret_smp);
}

FETCH(req_fhdr)
{
        return value(x, x->req, true, args, n_args, ret_smp);
}

FETCH(res_hdr)
{
        return value(x, x->rsp, false, args, n_args, ret_smp);
}

FETCH(res_fhdr)
{
        return value(x, x->rsp, true, args, n_args, ret_smp);
}

static enum expr_answer cnt(const struct hmsg *m, bool lines, const struct expr_arg *args, struct smp *s)
{
        smp_int(s, count((struct walk){ .m = m, .name = &args[0], .lines = lines }));
        return EXPR_OK;
}

FETCH(req_hdr_cnt)
{
        UNUSED;
        return cnt(x->req, false, args, ret_smp);
}

FETCH(req_fhdr_cnt)
{
        UNUSED;
        return cnt(x->req, true, args, ret_smp);
}

FETCH(res_hdr_cnt)
{
        UNUSED;
        return cnt(x->rsp, false, args, ret_smp);
}

FETCH(req_hdr_val)
{
        enum expr_answer a = value(x, x->req, false, args, n_args, ret_smp);

        return a == EXPR_OK && !smp_cast(ret_smp, SMP_SINT) ? EXPR_MISS : a;
}

FETCH(res_hdr_val)
{
        enum expr_answer a = value(x, x->rsp, false, args, n_args, ret_smp);

        return a == EXPR_OK && !smp_cast(ret_smp, SMP_SINT) ? EXPR_MISS : a;
}

/* An address, with a port or in brackets as X-Forwarded-For may have it. */
FETCH(req_hdr_ip)
{
        enum expr_answer a = value(x, x->req, false, args, n_args, ret_smp);
        struct str v;
        const char *end;

        if (a != EXPR_OK)
                return a;
        v = (struct str){ ret_smp->s.p, ret_smp->s.n };
        if (v.n && v.p[0] == '[' && (end = memchr(v.p, ']', v.n)) != NULL)
                v = str_sub(v, 1, (size_t)(end - v.p) - 1);
        else if (v.n && (end = memchr(v.p, ':', v.n)) != NULL && !memchr(end + 1, ':', v.n - (size_t)(end + 1 - v.p)))
                v.n = (size_t)(end - v.p);
        smp_str(ret_smp, v);
        return smp_cast(ret_smp, SMP_ADDR) ? EXPR_OK : EXPR_MISS;
}

#define NAME_OCC .args = { ARG_STR, ARG_SINT }, .min_args = 1, .check = name_check, .manual = "7.3.6"
#define REQ_TEXT .out = SMP_STR, .needs = EXPR_REQ_HEAD, .acl_forms = true, .manual = "7.3.6"

static const struct fetch rows[] = {
        { .name = "method",
          .out = SMP_METH,
          .needs = EXPR_REQ_LINE,
          .fn = method,
          .manual = "7.3.6",
          .help = "request method" },
        { .name = "path", REQ_TEXT, .fn = path, .help = "path without the query" },
        { .name = "pathq", REQ_TEXT, .fn = pathq, .help = "path and query" },
        { .name = "url", REQ_TEXT, .fn = url, .help = "request target as received" },
        { .name = "query", REQ_TEXT, .fn = query, .help = "what follows the question mark" },
        { .name = "req.ver",
          .out = SMP_STR,
          .needs = EXPR_REQ_LINE,
          .fn = req_ver,
          .manual = "7.3.6",
          .help = "HTTP version" },
        { .name = "req_ver",
          .out = SMP_STR,
          .needs = EXPR_REQ_LINE,
          .fn = req_ver,
          .manual = "7.3.6",
          .help = "HTTP version" },
        { .name = "req.proto_http",
          .out = SMP_BOOL,
          .needs = EXPR_REQ_HEAD,
          .fn = proto_http,
          .manual = "7.3.6",
          .help = "is it HTTP" },
        { .name = "hdr",
          NAME_OCC,
          .out = SMP_STR,
          .needs = EXPR_REQ_HEAD,
          .acl_forms = true,
          .fn = req_hdr,
          .help = "a value of a request field" },
        { .name = "req.hdr",
          NAME_OCC,
          .out = SMP_STR,
          .needs = EXPR_REQ_HEAD,
          .fn = req_hdr,
          .help = "a value of a request field" },
        { .name = "req.fhdr",
          NAME_OCC,
          .out = SMP_STR,
          .needs = EXPR_REQ_HEAD,
          .fn = req_fhdr,
          .help = "a request field line" },
        { .name = "hdr_cnt",
          NAME_OCC,
          .out = SMP_SINT,
          .needs = EXPR_REQ_HEAD,
          .fn = req_hdr_cnt,
          .help = "how many values" },
        { .name = "req.hdr_cnt",
          NAME_OCC,
          .out = SMP_SINT,
          .needs = EXPR_REQ_HEAD,
          .fn = req_hdr_cnt,
          .help = "how many values" },
        { .name = "req.fhdr_cnt",
          NAME_OCC,
          .out = SMP_SINT,
          .needs = EXPR_REQ_HEAD,
          .fn = req_fhdr_cnt,
          .help = "how many lines" },
        { .name = "hdr_val",
          NAME_OCC,
          .out = SMP_SINT,
          .needs = EXPR_REQ_HEAD,
          .fn = req_hdr_val,
          .help = "a value as a number" },
        { .name = "req.hdr_val",
          NAME_OCC,
          .out = SMP_SINT,
          .needs = EXPR_REQ_HEAD,
          .fn = req_hdr_val,
          .help = "a value as a number" },
        { .name = "hdr_ip",
          NAME_OCC,
          .out = SMP_ADDR,
          .needs = EXPR_REQ_HEAD,
          .fn = req_hdr_ip,
          .help = "a value as an address" },
        { .name = "req.hdr_ip",
          NAME_OCC,
          .out = SMP_ADDR,
          .needs = EXPR_REQ_HEAD,
          .fn = req_hdr_ip,
          .help = "a value as an address" },
        { .name = "status",
          .out = SMP_SINT,
          .needs = EXPR_STATUS,
          .fn = status,
          .manual = "7.3.6",
          .help = "status code" },
        { .name = "res.ver",
          .out = SMP_STR,
          .needs = EXPR_RSP_HEAD,
          .fn = res_ver,
          .manual = "7.3.6",
          .help = "HTTP version" },
        { .name = "res.hdr",
          NAME_OCC,
          .out = SMP_STR,
          .needs = EXPR_RSP_HEAD,
          .fn = res_hdr,
          .help = "a value of an answer field" },
        { .name = "res.fhdr",
          NAME_OCC,
          .out = SMP_STR,
          .needs = EXPR_RSP_HEAD,
          .fn = res_fhdr,
          .help = "an answer field line" },
        { .name = "res.hdr_cnt",
          NAME_OCC,
          .out = SMP_SINT,
          .needs = EXPR_RSP_HEAD,
          .fn = res_hdr_cnt,
          .help = "how many values" },
        { .name = "res.hdr_val",
          NAME_OCC,
          .out = SMP_SINT,
          .needs = EXPR_RSP_HEAD,
          .fn = res_hdr_val,
          .help = "a value as a number" },
};
FETCH_TABLE(http, rows);
