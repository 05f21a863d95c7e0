/* core/answer.c - answers of our own to what went wrong: the pages of the file (core/page.h), else the built-in ones (manual 1.3.1
 * lists the codes). */
#include "base/slab.h"
#include "core/hook.h"
#include "core/page.h"
#include "core/queue.h"
#include "core/strm_priv.h"

#include <stdio.h>

struct builtin {
        int status;
        const char *reason, *text;
};

static const struct builtin pages[] = {
        { 200, "OK", "Service ready." },
        { 400, "Bad request", "Your browser sent an invalid request." },
        { 401, "Unauthorized", "You need a valid user and password to access this content." },
        { 403, "Forbidden", "Request forbidden by administrative rules." },
        { 404, "Not Found", "The resource could not be found." },
        { 405, "Method Not Allowed",
          "A request was made of a resource using a request method not supported by that resource" },
        { 407, "Unauthorized", "You need a valid user and password to access this content." },
        { 408, "Request Time-out", "Your browser didn't send a complete request in time." },
        { 410, "Gone", "The resource is no longer available and will not be available again." },
        { 413, "Payload Too Large", "The request entity exceeds the maximum allowed." },
        { 414, "URI Too Long", "The request target is longer than the server is willing to interpret." },
        { 421, "Misdirected Request", "Request sent to a non-authoritative server." },
        { 422, "Unprocessable Content", "The server cannot process the contained instructions." },
        { 425, "Too Early", "Your browser sent early data." },
        { 429, "Too Many Requests", "You have sent too many requests in a given amount of time." },
        { 431, "Request Header Fields Too Large", "The request header fields are too large." },
        { 500, "Internal Server Error", "An internal server error occurred." },
        { 501, "Not Implemented", "The server does not support the functionality required to fulfill the request." },
        { 502, "Bad Gateway", "The server returned an invalid or incomplete response." },
        { 503, "Service Unavailable", "No server is available to handle this request." },
        { 504, "Gateway Time-out", "The server didn't respond in time." },
        { 505, "HTTP Version Not Supported", "The HTTP version of the request is not supported." },
};

static const struct builtin *builtin_of(int status)
{
        for (size_t i = 0; i < array_len(pages); i++)
                if (pages[i].status == status)
                        return &pages[i];
        return builtin_of(status >= 500 ? 500 : 400);
}

bool strm_keeps(struct strm *s)
{
        struct iovec v[16];
        int n;

        if (s->cl.flags & (SIDE_RX_DONE | SIDE_TUNNEL))
                return strm_may_keep(s);
        do
                n = array_len(v);
        while (s->cl.ops->rx_body(&s->cl, v, &n, 0) == MSG_OK);
        return strm_may_keep(s);
}

/* MSG_OK, MSG_WAIT: an answer is on its way. */
static int send_builtin(struct strm *s, const struct builtin *p, struct hmsg *m)
{
        char body[512];
        int n = snprintf(body, sizeof(body), "<html><body><h1>%d %s</h1>\n%s\n</body></html>\n", p->status, p->reason,
                         p->text);
        struct iovec v = { body, (size_t)n };
        struct tx_frame f = { .framing = HBODY_LENGTH, .length = (uint64_t)n, .close = !strm_keeps(s) };

        m->flags |= HMSG_RESPONSE;
        m->minor = 1;
        if (hmsg_set_status(m, (uint16_t)p->status, str_of(p->reason)) < 0 ||
            hmsg_add(m, STR("cache-control"), STR("no-cache")) < 0 ||
            hmsg_add(m, STR("content-type"), STR("text/html")) < 0)
                return MSG_ERR;
        f.no_body = s->head_request;
        if (!hook_after(s, m))
                return MSG_WAIT; /* another answer went out */
        return s->cl.ops->tx(&s->cl, m, &f, &v, f.no_body ? 0 : 1, true);
}

/* The exchange ends with this status. False: nobody is there to be told. */
static bool end_with(struct strm *s, int status)
{
        strm_goto(s, STRM_END);
        queue_leave(s);
        s->status = s->http ? (uint16_t)status : 0;
        return s->http && s->cl.ops && !(s->cl.flags & (SIDE_RESET | SIDE_PEER_GONE));
}

void strm_answer_nothing(struct strm *s, int status)
{
        (void)end_with(s, status);
}

void strm_answer(struct strm *s, int status)
{
        const struct page *p = s->http ? page_of_stream(s, status) : NULL;
        unsigned kept =
                s->log.request ? EXPR_REQ_LINE : 0; /* when the head is gone, as it is once a server has answered */
        struct expr_ctx x = { .strm = s,
                              .sess = s->sess,
                              .req = s->req,
                              .have = s->req ? EXPR_AT_REQUEST : EXPR_AT_TCP | kept,
                              .final = true };

        if (p && s->cl.ops)
                page_send(s, p, &x);
        else
                strm_answer_builtin(s, status);
}

void strm_answer_builtin(struct strm *s, int status)
{
        size_t size;
        struct own {
                struct hmsg m;
                struct hfield f[104]; /* rules may add as many as a head takes */
                char arena[8192];
        } * o;

        if (!end_with(s, status))
                return;
        o = mem_get(sizeof(*o), &size);
        if (!o)
                return;
        hmsg_init(&o->m, o->f, array_len(o->f), o->arena, sizeof(o->arena));
        s->cl.ops->rx_head_free(&s->cl);
        s->req = NULL;
        s->cl_active = thr_self->now;
        if (send_builtin(s, builtin_of(status), &o->m) == MSG_OK)
                strm_goto(s, STRM_ANSWER);
        mem_put(o, size);
}

/* The answer is with the kernel, or what is left waits for it. */
enum run strm_step_answer(struct strm *s)
{
        int r;

        if (s->cl.flags & SIDE_TX_FULL) {
                r = s->cl.ops->tx_flush(&s->cl);
                if (r == MSG_WAIT) {
                        int ms = s->fcfg->px->timeout.client;
                        s->deadline = ms ? mono_add_ms(s->cl_active, ms) : MONO_NEVER;
                        s->deadline_kind = DL_CLIENT;
                        return RUN_WAIT;
                }
        }
        return strm_goto(s, STRM_END);
}
