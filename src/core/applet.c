/* core/applet.c - the side (core/mux.h) that carries an applet.
 *
 * For the stream an applet is a server like any other: it takes a request and gives an answer, in pieces that the client's side asks
 * for. Nothing is made ahead of what the client takes, so a slow reader costs one piece. */
#include "core/applet.h"

#include "base/slab.h"

#include <errno.h>
#include <stdio.h>

#define OUT_MAX  (1u << 20) /* what one `more` may append at most: far above APPLET_PIECE, a bound for mistakes */
#define IDLE_MAX 64         /* calls of `more` in a row that say nothing, before other streams have their turn */

const struct applet_ops *applet_cli;

static const struct mux_ops applet_mux;

const char *applet_name(const struct strm *s)
{
        return s->sv.ops == &applet_mux ? ((const struct applet *)s->sv.carrier)->ops->name : NULL;
}

void strm_set_applet(struct strm *s, const struct mux_ops *ops, void *instance)
{
        s->sv = (struct side){ .ops = ops, .strm = s, .carrier = instance };
        s->log.counted_rsp = 0;
}

struct applet *applet_attach(struct strm *s, const struct applet_ops *ops)
{
        size_t room = (sizeof(struct applet) + 15) & ~(size_t)15, size;
        struct applet *a = ops ? mem_get(room + ops->size, &size) : NULL;

        if (!a)
                return NULL;
        memset(a, 0, room + ops->size);
        a->ops = ops;
        a->strm = s;
        a->mem = size;
        a->data = (char *)a + room;
        a->length = -1;
        a->http = ops->start != NULL;
        a->started = !a->http;
        a->out.limit = OUT_MAX;
        a->in.limit = OUT_MAX;
        strm_set_applet(s, &applet_mux, a);
        return a;
}

void applet_wake(struct applet *a)
{
        strm_wake(a->strm);
}

/* ---- the request ---- */

/* The head is the client side's and goes away while the body is still coming. */
static bool keep_request(struct applet *a, const struct hmsg *m)
{
        size_t head = m->head_len, arena = m->blk[1].n, fields = m->nf * sizeof(*m->f);
        char *p = mem_get(fields + head + arena, &a->req_size);

        if (!p)
                return false;
        a->req_mem = p;
        a->req = *m;
        memcpy(p, m->f, fields);
        memcpy(p + fields, m->blk[0].p, head);
        if (arena)
                memcpy(p + fields + head, m->blk[1].p, arena);
        a->req.f = (struct hfield *)(void *)p;
        a->req.capf = m->nf;
        a->req.blk[0] = (struct hblock){ p + fields, (uint32_t)head, (uint32_t)head };
        a->req.blk[1] = (struct hblock){ p + fields + head, (uint32_t)arena, (uint32_t)arena };
        a->req.grow = NULL;
        return true;
}

static void drop_request(struct applet *a)
{
        mem_put(a->req_mem, a->req_size);
        a->req_mem = NULL;
}

/* An answer without the applet: its `more` is never called. */
static void refuse(struct applet *a, int status, const char *text)
{
        a->status = status;
        a->refused = a->started = a->done = true;
        a->in.n = 0;
        a->fields.n = 0;
        buf_puts(&a->fields, "cache-control: no-cache\r\ncontent-type: text/html\r\n");
        a->out.n = 0;
        buf_printf(&a->out, "<html><body><h1>%s</h1>\n</body></html>\n", text);
        a->length = (int64_t)a->out.n;
}

static void start(struct applet *a, const struct hmsg *m)
{
        a->started = true;
        a->head_only = m->method == HMETH_HEAD;
        a->ops->start(a, m, buf_view(&a->in));
        a->in.n = 0;
        drop_request(a);
}

static void too_large(struct applet *a)
{
        refuse(a, 413, "413 Payload Too Large");
        drop_request(a);
}

static void take(struct applet *a, const struct iovec *v, int n)
{
        for (int i = 0; i < n; i++) {
                a->strm->sv.tx_bytes += v[i].iov_len;
                if (a->refused || (a->http && a->started))
                        continue; /* nobody reads it any more */
                buf_add(&a->in, v[i].iov_base, v[i].iov_len);
                if (a->http && a->in.n > a->ops->body_max)
                        too_large(a);
        }
}

static int request_begins(struct applet *a, struct hmsg *m, const struct tx_frame *f, bool end)
{
        if (end || f->framing == HBODY_NONE) {
                start(a, m);
                return MSG_OK;
        }
        a->head_only = m->method == HMETH_HEAD;
        if (f->framing == HBODY_LENGTH && f->length > a->ops->body_max) {
                too_large(a);
                return MSG_OK;
        }
        if (!keep_request(a, m))
                return MSG_ERR;
        a->expect = (m->flags & HMSG_EXPECT_100) && a->in.n == 0;
        return MSG_OK;
}

static void feed(struct applet *a)
{
        size_t n;

        if (!a->ops->input || a->done || (a->in.n == 0 && !a->in_eof))
                return;
        n = a->ops->input(a, buf_view(&a->in), a->in_eof);
        ASSERT(n <= a->in.n);
        buf_drop(&a->in, n);
}

static void update_full(struct side *s, const struct applet *a)
{
        if (!a->http && !a->done && a->in.n >= APPLET_PIECE)
                s->flags |= SIDE_TX_FULL;
        else
                s->flags &= (uint16_t)~SIDE_TX_FULL;
}

static int applet_tx(struct side *s, struct hmsg *head, const struct tx_frame *f, const struct iovec *v, int n,
                     bool end)
{
        struct applet *a = s->carrier;
        bool first = head && a->http && !a->started && !a->req_mem;

        if (a->done && !a->http) {
                if (end)
                        s->flags |= SIDE_TX_END | SIDE_TX_DONE;
                return MSG_OK; /* said goodbye: what still comes is not read */
        }
        take(a, v, n);
        if (first && !a->started && request_begins(a, head, f, end) == MSG_ERR) {
                s->err = -ENOMEM;
                return MSG_ERR;
        }
        if (end) {
                s->flags |= SIDE_TX_END | SIDE_TX_DONE;
                a->in_eof = true;
                if (a->http && !a->started)
                        start(a, &a->req);
        }
        if (a->in.failed) {
                s->err = -ENOMEM;
                return MSG_ERR;
        }
        update_full(s, a);
        return MSG_OK;
}

static int applet_tx_flush(struct side *s)
{
        struct applet *a = s->carrier;

        update_full(s, a);
        return s->flags & SIDE_TX_FULL ? MSG_WAIT : MSG_OK;
}

/* ---- the answer ---- */

static bool body_follows(const struct applet *a)
{
        return !a->head_only && a->status >= 200 && a->status != 204 && a->status != 304;
}

/* Cuts "name: value\r\n" lines into fields. */
static int add_fields(struct hmsg *m, struct str lines)
{
        while (lines.n > 0) {
                const char *nl = memchr(lines.p, '\n', lines.n);
                size_t len = nl ? (size_t)(nl - lines.p) + 1 : lines.n;
                struct str line = str_trim((struct str){ lines.p, nl ? len - 2 : len });
                const char *colon = memchr(line.p, ':', line.n);
                int r;

                ASSERT(nl && len >= 2 && colon);
                r = hmsg_add(
                        m, (struct str){ line.p, (size_t)(colon - line.p) },
                        str_trim(str_sub(line, (size_t)(colon - line.p) + 1, line.n - (size_t)(colon - line.p) - 1)));
                if (r < 0)
                        return r;
                lines = str_sub(lines, len, lines.n - len);
        }
        return 0;
}

static struct str reason_of(int status)
{
        switch (status) {
        case 100: return STR("Continue");
        case 200: return STR("OK");
        case 303: return STR("See Other");
        case 400: return STR("Bad Request");
        case 401: return STR("Unauthorized");
        case 403: return STR("Forbidden");
        case 404: return STR("Not Found");
        case 405: return STR("Method Not Allowed");
        case 413: return STR("Payload Too Large");
        case 500: return STR("Internal Server Error");
        case 503: return STR("Service Unavailable");
        default: return STR("Unknown");
        }
}

static int make_head(struct applet *a, int status)
{
        struct hmsg *m = &a->rsp;
        int r;

        hmsg_init(m, a->rsp_f, APPLET_FIELDS, a->rsp_arena, sizeof(a->rsp_arena));
        m->flags |= HMSG_RESPONSE;
        m->minor = 1;
        r = hmsg_set_status(m, (uint16_t)status, reason_of(status));
        if (r < 0 || status < 200)
                return r;
        m->announced = a->status == 204 ? HBODY_NONE : a->length >= 0 ? HBODY_LENGTH : HBODY_CHUNKED;
        m->length = a->length >= 0 ? (uint64_t)a->length : 0;
        m->body = body_follows(a) ? m->announced : HBODY_NONE;
        return add_fields(m, buf_view(&a->fields));
}

static int applet_rx_head(struct side *s, struct hmsg **ret_m)
{
        struct applet *a = s->carrier;
        int r;

        if (!a->started && !a->expect)
                return MSG_WAIT;
        r = make_head(a, a->started ? a->status : 100);
        if (r < 0) { /* more fields than fit: ours to fix, but no reason to stop the program */
                s->err = r;
                s->bad = (struct side_bad){ .status = 500, .why = "applet head" };
                return MSG_ERR;
        }
        a->expect = false;
        if (a->started && (!body_follows(a) || a->length == 0))
                s->flags |= SIDE_RX_DONE;
        *ret_m = &a->rsp;
        return MSG_OK;
}

static void applet_rx_head_free(struct side *s)
{
        (void)s;
}

/* A piece a turn: making it costs more than sending it, and others wait meanwhile. */
static bool had_its_turn(const struct applet *a)
{
        return a->turn == thr_self->loop->stats.turns && a->made >= APPLET_PIECE / 2;
}

static void count_made(struct applet *a)
{
        if (a->turn != thr_self->loop->stats.turns)
                a->made = 0;
        a->turn = thr_self->loop->stats.turns;
        a->made += a->out.n;
}

/* Makes the next piece. MSG_OK: something is in `out`, or all is said. */
static int make(struct applet *a)
{
        if (had_its_turn(a)) {
                strm_wake(a->strm);
                return MSG_WAIT;
        }
        for (int i = 0; i < IDLE_MAX && a->out.n == 0 && !a->done; i++) {
                size_t before = a->in.n;

                switch (a->ops->more(a, &a->out)) {
                case APPLET_MORE: break;
                case APPLET_DONE: a->done = true; break;
                case APPLET_CLOSE: return MSG_ERR;
                case APPLET_WAIT:
                        if (a->out.n > 0)
                                break;
                        feed(a);
                        if (a->in.n == before && !(a->in_eof && i == 0))
                                return MSG_WAIT;
                        break;
                }
                if (a->out.failed)
                        return MSG_ERR;
        }
        if (a->out.n == 0 && !a->done) {
                strm_wake(a->strm);
                return MSG_WAIT;
        }
        count_made(a);
        return MSG_OK;
}

static int applet_rx_body(struct side *s, struct iovec *v, int *n, size_t max)
{
        struct applet *a = s->carrier;
        int r = MSG_OK;

        (void)max; /* a piece is smaller than any read */
        if (s->flags & SIDE_RX_DONE)
                return MSG_END;
        buf_drop(&a->out, a->lent);
        a->lent = 0;
        if (a->out.n == 0 && !a->done)
                r = make(a);
        update_full(s, a);
        if (r == MSG_ERR) {
                s->flags |= SIDE_RX_CUT;
                s->err = -ECONNABORTED;
                return r;
        }
        if (r == MSG_WAIT)
                return r;
        if (a->done)
                s->flags |= a->http ? SIDE_RX_DONE : SIDE_RX_DONE | SIDE_ENOUGH;
        if (a->out.n == 0)
                return MSG_END;
        a->lent = a->out.n;
        s->rx_bytes += a->out.n;
        v[0] = (struct iovec){ a->out.p, a->out.n };
        *n = 1;
        return MSG_OK;
}

static int no_splice(struct side *s, struct pipe *p, size_t max, size_t *ret_n)
{
        (void)s, (void)p, (void)max, (void)ret_n;
        return MSG_WAIT; /* never called: SIDE_SPLICE is not set */
}

static int no_tx_splice(struct side *s, struct pipe *p, size_t *ret_n)
{
        (void)s, (void)p, (void)ret_n;
        return MSG_WAIT;
}

static uint64_t not_opaque(const struct side *s)
{
        (void)s;
        return 0;
}

static void nothing(struct side *s)
{
        (void)s;
}

static void applet_end(struct side *s, bool clean)
{
        struct applet *a = s->carrier;

        (void)clean;
        if (a->ops->stop)
                a->ops->stop(a);
        drop_request(a);
        buf_fini(&a->fields);
        buf_fini(&a->out);
        buf_fini(&a->in);
        s->ops = NULL;
        s->carrier = NULL;
        mem_put(a, a->mem);
}

static const struct mux_ops applet_mux = {
        .name = "APPLET",
        .rx_head = applet_rx_head,
        .rx_head_free = applet_rx_head_free,
        .rx_body = applet_rx_body,
        .tx = applet_tx,
        .tx_flush = applet_tx_flush,
        .rx_splice = no_splice,
        .tx_splice = no_tx_splice,
        .opaque = not_opaque,
        .opaque_tx = not_opaque,
        .rx_park = nothing,
        .want = nothing,
        .tunnel = nothing,
        .end = applet_end,
};
