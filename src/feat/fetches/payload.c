/* feat/fetches/payload.c - what a side said and was not passed on yet, byte by byte (manual 7.3.5), and wait_end (7.3.2).
 *
 * They wait while what they look for may still come, and miss once it cannot. In mode http there are no raw bytes to show. */
#include "conf/conf.h"
#include "core/cond.h"
#include "core/content.h"

#define FETCH(fn)                                                                                                      \
        static enum expr_answer fn(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,             \
                                   struct smp *ret_smp)
#define UNUSED (void)x, (void)args, (void)n_args

static enum expr_answer not_yet(const struct expr_ctx *x)
{
        return x->final ? EXPR_MISS : EXPR_WAIT;
}

static void smp_bin(struct smp *s, struct str v)
{
        smp_str(s, v);
        s->type = SMP_BIN;
}

/* False: there are none, and never will be. */
static bool raw_bytes(const struct expr_ctx *x, enum content_of of, size_t max, struct str *ret_in)
{
        if (!x->strm || x->strm->http)
                return false;
        (void)content_peek(x->strm, of, max, ret_in);
        return true;
}

static size_t buffer_of(const struct expr_ctx *x)
{
        return x->strm->fcfg->bufsize;
}

/* ---- length and pieces ---- */

static enum expr_answer len_of(const struct expr_ctx *x, enum content_of of, struct smp *ret_smp)
{
        struct str in;

        if (!raw_bytes(x, of, SIZE_MAX, &in))
                return EXPR_MISS;
        smp_int(ret_smp, (int64_t)in.n);
        ret_smp->changes = !x->final;
        return EXPR_OK;
}

FETCH(req_len)
{
        UNUSED;
        return len_of(x, CONTENT_REQUEST, ret_smp);
}

FETCH(res_len)
{
        UNUSED;
        return len_of(x, CONTENT_ANSWER, ret_smp);
}

/* n bytes from `at`; n 0: all that are there. */
static enum expr_answer piece(const struct expr_ctx *x, enum content_of of, uint64_t at, uint64_t n,
                              struct smp *ret_smp)
{
        struct str in;

        if (!x->strm || at + n > buffer_of(x) || !raw_bytes(x, of, n ? (size_t)(at + n) : SIZE_MAX, &in))
                return EXPR_MISS;
        if (at + n > in.n || (n == 0 && at >= in.n))
                return not_yet(x);
        smp_bin(ret_smp, str_sub(in, (size_t)at, n ? (size_t)n : in.n - (size_t)at));
        ret_smp->changes = n == 0 && !x->final;
        return EXPR_OK;
}

FETCH(req_payload)
{
        (void)n_args;
        return piece(x, CONTENT_REQUEST, (uint64_t)args[0].i, (uint64_t)args[1].i, ret_smp);
}

FETCH(res_payload)
{
        (void)n_args;
        return piece(x, CONTENT_ANSWER, (uint64_t)args[0].i, (uint64_t)args[1].i, ret_smp);
}

static enum content_of here(const struct expr_ctx *x)
{
        return x->have & EXPR_RSP_BYTES ? CONTENT_ANSWER : CONTENT_REQUEST;
}

FETCH(payload)
{
        (void)n_args;
        return piece(x, here(x), (uint64_t)args[0].i, (uint64_t)args[1].i, ret_smp);
}

/* The length stands at args[0], in args[1] bytes; what it counts begins behind it, or at args[2].i, or as far from there. */
static enum expr_answer counted_piece(const struct expr_ctx *x, enum content_of of, const struct expr_arg *args,
                                      unsigned n_args, struct smp *ret_smp)
{
        int64_t at = args[0].i + args[1].i;
        uint64_t n = 0;
        struct str in;

        if (!x->strm || (uint64_t)at > buffer_of(x) || !raw_bytes(x, of, (size_t)at, &in))
                return EXPR_MISS;
        if ((size_t)at > in.n)
                return not_yet(x);
        for (int64_t i = args[0].i; i < at; i++)
                n = n << 8 | (unsigned char)in.p[i];
        if (n_args > 2)
                at = args[2].ptr ? at + args[2].i : args[2].i;
        if (n == 0 || at < 0)
                return EXPR_MISS;
        return n > buffer_of(x) ? EXPR_MISS : piece(x, of, (uint64_t)at, n, ret_smp);
}

FETCH(req_payload_lv)
{
        return counted_piece(x, CONTENT_REQUEST, args, n_args, ret_smp);
}

FETCH(res_payload_lv)
{
        return counted_piece(x, CONTENT_ANSWER, args, n_args, ret_smp);
}

FETCH(payload_lv)
{
        return counted_piece(x, here(x), args, n_args, ret_smp);
}

static bool not_negative(struct kw_call *c, const struct expr_arg *args, unsigned n, const struct word *at)
{
        for (unsigned i = 0; i < n; i++) {
                if (args[i].i >= 0)
                        continue;
                (void)kw_fail(c, at, "E0705", "offset and length must not be negative.");
                return false;
        }
        return true;
}

static bool payload_check(struct kw_call *c, struct expr_arg *args, unsigned n, const struct word *at)
{
        return not_negative(c, args, n, at);
}

/* A sign makes the second offset relative: ptr says so. */
static bool lv_check(struct kw_call *c, struct expr_arg *args, unsigned n, const struct word *at)
{
        static char relative;
        struct str text = n > 2 ? (struct str){ args[2].s, args[2].n } : STR("0");
        bool plus = text.n > 0 && text.p[0] == '+', sign = plus || (text.n > 0 && text.p[0] == '-');

        if (!not_negative(c, args, 2, at))
                return false;
        if (args[1].i < 1 || args[1].i > 7) {
                (void)kw_fail(c, at, "E0705", "the length of a payload has 1 to 7 bytes, not %lld.",
                              (long long)args[1].i);
                return false;
        }
        if (n <= 2)
                return true;
        args[2].ptr = sign ? &relative : NULL;
        if (str_to_i64(plus ? str_sub(text, 1, text.n - 1) : text, &args[2].i))
                return true;
        (void)kw_fail(c, at, "E0705", "'%.*s' is no offset of a payload.", (int)text.n, text.p);
        return false;
}

/* ---- the cookie of RDP (MS-RDPBCGR 2.2.1.1, as far as its routing token goes) ---- */

enum { RDP_HEAD = 11 }; /* TPKT 4, X.224 connection request 7 */

/* A connection request: version 3, and the code 0xe with nought for its two references and class. */
static bool is_rdp(struct str in)
{
        static const char request[] = "\xe0\0\0\0\0\0";

        return in.p[0] == 3 && memcmp(in.p + 5, request, sizeof(request) - 1) == 0;
}

/* EXPR_OK with p NULL: there is none of that name. */
static enum expr_answer rdp_find(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,
                                 struct str *ret_value)
{
        struct str in, line, name = n_args > 0 ? (struct str){ args[0].s, args[0].n } : STR("");
        const char *end, *equals;

        *ret_value = (struct str){ NULL, 0 };
        if (!raw_bytes(x, CONTENT_REQUEST, SIZE_MAX, &in))
                return EXPR_MISS;
        if (in.n < RDP_HEAD)
                return not_yet(x);
        if (!is_rdp(in))
                return EXPR_OK;
        line = str_sub(in, RDP_HEAD, in.n - RDP_HEAD);
        if (line.n < 8 || !str_ieq(str_sub(line, 0, 8), STR("Cookie: ")))
                return line.n < 8 && !x->final ? EXPR_WAIT : EXPR_OK;
        end = memchr(line.p, '\r', line.n);
        if (!end)
                return not_yet(x);
        line = str_sub(line, 8, (size_t)(end - line.p) - 8);
        equals = memchr(line.p, '=', line.n);
        if (!equals || (name.n && !str_ieq(name, str_sub(line, 0, (size_t)(equals - line.p)))))
                return EXPR_OK;
        *ret_value = (struct str){ equals + 1, (size_t)(line.p + line.n - equals) - 1 };
        return EXPR_OK;
}

FETCH(rdp_cookie)
{
        struct str v;
        enum expr_answer a = rdp_find(x, args, n_args, &v);

        if (a != EXPR_OK || !v.p)
                return a == EXPR_OK ? EXPR_MISS : a;
        smp_str(ret_smp, v);
        return EXPR_OK;
}

FETCH(rdp_cookie_cnt)
{
        struct str v;
        enum expr_answer a = rdp_find(x, args, n_args, &v);

        if (a == EXPR_OK)
                smp_int(ret_smp, v.p != NULL);
        return a;
}

/* ---- time ---- */

FETCH(wait_end)
{
        UNUSED;
        if (!x->final)
                return EXPR_WAIT;
        smp_bool(ret_smp, true);
        return EXPR_OK;
}

#define ROW(n, o, need, f, ...)                                                                                        \
        {                                                                                                              \
                .name = (n), .out = (o), .needs = (need), .fn = (f), .manual = "7.3.5", __VA_ARGS__                    \
        }
#define PIECE .args = { ARG_SINT, ARG_SINT }, .min_args = 2, .check = payload_check
#define LV    .args = { ARG_SINT, ARG_SINT, ARG_STR }, .min_args = 2, .check = lv_check
#define NAME  .args = { ARG_STR }

static const struct fetch rows[] = {
        ROW("req.len", SMP_SINT, EXPR_REQ_BYTES, req_len, .help = "how many bytes of the client wait to be passed on"),
        ROW("req_len", SMP_SINT, EXPR_REQ_BYTES, req_len, .help = "old name of req.len"),
        ROW("res.len", SMP_SINT, EXPR_RSP_BYTES, res_len, .help = "how many bytes of the server wait to be passed on"),
        ROW("req.payload", SMP_BIN, EXPR_REQ_BYTES, req_payload, PIECE,
            .help = "bytes of the client: <offset>,<length>, 0 for all from there on"),
        ROW("res.payload", SMP_BIN, EXPR_RSP_BYTES, res_payload, PIECE,
            .help = "bytes of the server: <offset>,<length>, 0 for all from there on"),
        ROW("payload", SMP_BIN, EXPR_CLIENT, payload, PIECE,
            .help = "old name of req.payload, for answers of res.payload"),
        ROW("req.payload_lv", SMP_BIN, EXPR_REQ_BYTES, req_payload_lv, LV,
            .help = "bytes of the client, as many as a number among them says: its <offset> and <length>, and where they begin"),
        ROW("res.payload_lv", SMP_BIN, EXPR_RSP_BYTES, res_payload_lv, LV,
            .help = "bytes of the server, as many as a number among them says"),
        ROW("payload_lv", SMP_BIN, EXPR_CLIENT, payload_lv, LV,
            .help = "old name of req.payload_lv, for answers of res.payload_lv"),
        ROW("req.rdp_cookie", SMP_STR, EXPR_REQ_BYTES, rdp_cookie, NAME, .help = "value of the cookie of an RDP client",
            .acl_forms = true),
        ROW("rdp_cookie", SMP_STR, EXPR_REQ_BYTES, rdp_cookie, NAME, .help = "old name of req.rdp_cookie"),
        ROW("req.rdp_cookie_cnt", SMP_SINT, EXPR_REQ_BYTES, rdp_cookie_cnt, NAME,
            .help = "has an RDP client such a cookie: 1 or 0"),
        ROW("rdp_cookie_cnt", SMP_SINT, EXPR_REQ_BYTES, rdp_cookie_cnt, NAME, .help = "old name of req.rdp_cookie_cnt"),
        { .name = "wait_end",
          .out = SMP_BOOL,
          .needs = EXPR_INTERNAL,
          .fn = wait_end,
          .manual = "7.3.2",
          .help = "true once no more is waited for; before, its rule waits" },
};
FETCH_TABLE(payload, rows);

static const struct acl_row acls[] = {
        { "RDP_COOKIE", "req.rdp_cookie_cnt gt 0" },
        { "REQ_CONTENT", "req.len gt 0" },
        { "WAIT_END", "wait_end" },
};
ACL_TABLE(payload, acls);
