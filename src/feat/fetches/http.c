/* feat/fetches/http.c - samples of start lines: method, versions, status (manual 7.3.6). */
#include "feat/fetches/fetch.h"
#include "proto/hmsg.h"

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

#define ROW(n, type, from, f, text) FETCH_ROW(n, type, from, f, "7.3.6", text)

static const struct fetch rows[] = {
        ROW("method", METH, EXPR_REQ_LINE, method, "request method"),
        ROW("req.ver", STR, EXPR_REQ_LINE, req_ver, "HTTP version of the request"),
        ROW("req_ver", STR, EXPR_REQ_LINE, req_ver, "HTTP version of the request"),
        ROW("req.proto_http", BOOL, EXPR_REQ_HEAD, proto_http, "is it HTTP"),
        ROW("status", SINT, EXPR_STATUS, status, "status code"),
        ROW("res.ver", STR, EXPR_RSP_HEAD, res_ver, "HTTP version of the answer"),
        ROW("resp_ver", STR, EXPR_RSP_HEAD, res_ver, "HTTP version of the answer"),
};
FETCH_TABLE(http, rows);
