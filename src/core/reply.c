/* core/reply.c - see reply.h. */
#include "core/reply.h"
#include "base/slab.h"
#include "core/hook.h"
#include "core/queue.h"
#include "core/strm_priv.h"

const char *reply_reason(int status)
{
        static const struct {
                int status;
                const char *reason;
        } t[] = {
                { 200, "OK" },
                { 201, "Created" },
                { 202, "Accepted" },
                { 204, "No Content" },
                { 206, "Partial Content" },
                { 300, "Multiple Choices" },
                { 301, "Moved Permanently" },
                { 302, "Found" },
                { 303, "See Other" },
                { 304, "Not Modified" },
                { 307, "Temporary Redirect" },
                { 308, "Permanent Redirect" },
                { 400, "Bad Request" },
                { 401, "Unauthorized" },
                { 402, "Payment Required" },
                { 403, "Forbidden" },
                { 404, "Not Found" },
                { 405, "Method Not Allowed" },
                { 406, "Not Acceptable" },
                { 408, "Request Timeout" },
                { 409, "Conflict" },
                { 410, "Gone" },
                { 411, "Length Required" },
                { 413, "Content Too Large" },
                { 414, "URI Too Long" },
                { 415, "Unsupported Media Type" },
                { 418, "I'm a teapot" },
                { 422, "Unprocessable Content" },
                { 425, "Too Early" },
                { 426, "Upgrade Required" },
                { 429, "Too Many Requests" },
                { 431, "Request Header Fields Too Large" },
                { 451, "Unavailable For Legal Reasons" },
                { 500, "Internal Server Error" },
                { 501, "Not Implemented" },
                { 502, "Bad Gateway" },
                { 503, "Service Unavailable" },
                { 504, "Gateway Timeout" },
                { 505, "HTTP Version Not Supported" },
        };

        for (size_t i = 0; i < array_len(t); i++) {
                if (t[i].status == status)
                        return t[i].reason;
        }
        return "";
}

static int sent_status(const struct reply *r)
{
        return r->sent ? r->sent : r->status;
}

static bool head_of(struct hmsg *m, const struct reply *r)
{
        int sent = sent_status(r);

        m->flags |= HMSG_RESPONSE;
        m->minor = !r->http10;
        if (hmsg_set_status(m, (uint16_t)sent, r->reason.p ? r->reason : str_of(reply_reason(sent))) < 0)
                return false;
        if (r->type.n && hmsg_add(m, STR("content-type"), r->type) < 0)
                return false;
        for (unsigned i = 0; i < r->n_fields; i++) {
                if (hmsg_add(m, r->fields[i].name, r->fields[i].value) < 0)
                        return false;
        }
        return true;
}

/* MSG_OK, MSG_WAIT: an answer is on its way. */
static int send_reply(struct strm *s, const struct reply *r, struct hmsg *m)
{
        struct iovec v = { (void *)(uintptr_t)r->body.p, r->body.n };
        struct tx_frame f = { .framing = r->no_length ? HBODY_CLOSE : HBODY_LENGTH,
                              .length = r->body.n,
                              .close = r->no_length || !strm_keeps(s),
                              .no_body = s->head_request };
        bool bodyless;

        if (!hook_after(s, m))
                return MSG_WAIT;                         /* another answer went out */
        bodyless = m->status == 204 || m->status == 304; /* only now: rules may have changed it */
        if (bodyless)
                f.framing = HBODY_NONE;
        return s->cl.ops->tx(&s->cl, m, &f, &v, f.no_body || bodyless || r->body.n == 0 ? 0 : 1, true);
}

void strm_reply(struct strm *s, const struct reply *r)
{
        struct own {
                struct hmsg m;
                struct hfield f[104]; /* rules may add as many as a head takes */
                char arena[16384];
        } * o;
        size_t size;
        int sent;

        strm_goto(s, STRM_END);
        queue_leave(s);
        s->status = (uint16_t)r->status;
        if (s->cl.flags & (SIDE_RESET | SIDE_PEER_GONE))
                return;
        o = mem_get(sizeof(*o), &size);
        if (!o)
                return;
        hmsg_init(&o->m, o->f, array_len(o->f), o->arena, sizeof(o->arena));
        sent = head_of(&o->m, r) ? send_reply(s, r, &o->m) : MSG_BAD;
        if (sent == MSG_OK)
                strm_goto(s, STRM_ANSWER);
        /* Only now: type, fields and body may borrow from the request. */
        s->cl.ops->rx_head_free(&s->cl);
        s->req = NULL;
        mem_put(o, size);
        if (sent == MSG_BAD) { /* a field that rules made is no HTTP: the client hears of trouble, not of nothing */
                strm_term(s, 'I', 'R');
                strm_answer_builtin(s, 500);
        }
}
