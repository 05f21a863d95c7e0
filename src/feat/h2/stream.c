/* feat/h2/stream.c - one HTTP/2 stream as a side (core/mux.h). */
#include "base/slab.h"
#include "base/thr.h"
#include "feat/h2/h2.h"

#include <errno.h>

/* ---- queues of bytes ---- */

bool h2_bytes_add(struct h2_bytes *b, const void *p, size_t n)
{
        size_t size;
        char *bigger;

        if (b->len == 0)
                b->off = 0;
        if (b->off + b->len + n > b->cap) {
                bigger = mem_get(b->len + n, &size);
                if (!bigger)
                        return false;
                if (b->len)
                        memcpy(bigger, b->p + b->off, b->len);
                if (b->p)
                        mem_put(b->p, b->cap);
                *b = (struct h2_bytes){ bigger, 0, b->len, (uint32_t)size };
        }
        if (n)
                memcpy(b->p + b->off + b->len, p, n);
        b->len += (uint32_t)n;
        return true;
}

void h2_bytes_free(struct h2_bytes *b)
{
        if (b->p)
                mem_put(b->p, b->cap);
        *b = (struct h2_bytes){ NULL, 0, 0, 0 };
}

/* ---- life ---- */

void h2_stream_wake(struct h2_stream *st)
{
        if (st->strm)
                strm_wake(st->strm);
}

void h2_stream_lost(struct h2_stream *st)
{
        st->closed = true;
        if (!st->strm)
                return;
        if (!(st->rx_end && st->sent_end)) {
                st->side->flags |= SIDE_RESET | SIDE_PEER_GONE;
                st->side->err = -ECONNRESET;
        }
        strm_wake(st->strm);
}

void h2_stream_free(struct h2_stream *st)
{
        list_del(&st->link);
        h2_head_free(st->head);
        h2_head_free(st->trailers);
        h2_bytes_free(&st->in);
        h2_bytes_free(&st->out);
        if (st->tx_trailers)
                mem_put(st->tx_trailers, st->tx_trailers_size);
        mem_put(st, st->size);
}

/* What the client is told of a stream that did not come to its end. */
static uint32_t reset_code(const struct h2_stream *st, const struct side *s)
{
        if (st->sent_end) /* the answer is complete, the rest of the request has no reader (RFC 9113 8.1) */
                return NGHTTP2_NO_ERROR;
        return s->flags & SIDE_TX_CUT || !st->tx_head_done ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_CANCEL;
}

static void h2_end(struct side *s, bool clean)
{
        struct h2_stream *st = s->carrier;
        struct h2_conn *c = st->c;

        (void)clean;
        if (!st->closed) {
                nghttp2_session_set_stream_user_data(c->ng, st->id, NULL);
                if (!(st->rx_end && st->sent_end))
                        (void)nghttp2_submit_rst_stream(c->ng, NGHTTP2_FLAG_NONE, st->id, reset_code(st, s));
        }
        s->ops = NULL;
        s->carrier = NULL;
        c->n_streams--;
        h2_stream_free(st);
        h2_post(c);
}

/* ---- receiving ---- */

static int lost(const struct h2_stream *st, struct side *s)
{
        if (s->err == 0)
                s->err = -ECONNRESET;
        s->flags |= SIDE_RESET;
        (void)st;
        return MSG_ERR;
}

static int h2_rx_head(struct side *s, struct hmsg **ret_m)
{
        struct h2_stream *st = s->carrier;
        struct hmsg *m = h2_head_msg(st->head);

        if (st->head->status) {
                s->bad = (struct side_bad){ st->head->why, 0, st->head->status };
                return MSG_BAD;
        }
        if (m->body == HBODY_NONE || (m->body == HBODY_LENGTH && m->length == 0))
                s->flags |= SIDE_RX_DONE;
        *ret_m = m;
        return MSG_OK;
}

static void h2_rx_head_free(struct side *s)
{
        struct h2_stream *st = s->carrier;

        h2_head_free(st->head);
        st->head = NULL;
}

static int body_end(struct h2_stream *st, struct side *s)
{
        if (st->trailers && st->trailers->status) {
                s->bad = (struct side_bad){ st->trailers->why, 0, st->trailers->status };
                return MSG_BAD;
        }
        s->flags |= SIDE_RX_DONE;
        s->trailers = st->trailers ? h2_head_msg(st->trailers) : NULL;
        return MSG_OK;
}

/* The bytes stay where they are until rx_park: new ones come only between turns of the stream. */
static int h2_rx_body(struct side *s, struct iovec *v, int *n, size_t max)
{
        struct h2_stream *st = s->carrier;
        struct h2_bytes *b = &st->in;

        (void)max;
        *n = 0;
        if (s->flags & SIDE_RX_DONE)
                return MSG_END;
        if (b->len > 0) {
                v[0] = (struct iovec){ b->p + b->off, b->len };
                *n = 1;
                if (!st->closed) /* the client may send as much again */
                        (void)nghttp2_session_consume_stream(st->c->ng, st->id, b->len);
                b->off += b->len;
                b->len = 0;
                h2_post(st->c);
                return st->rx_end ? body_end(st, s) : MSG_OK;
        }
        if (st->rx_end)
                return body_end(st, s) == MSG_OK ? MSG_END : MSG_BAD;
        return st->closed ? lost(st, s) : MSG_WAIT;
}

static int h2_rx_peek(struct side *s, size_t max, struct str *ret_in)
{
        const struct h2_stream *st = s->carrier;

        if (st->in.len)
                *ret_in = (struct str){ st->in.p + st->in.off, st->in.len };
        if (st->rx_end || (s->flags & SIDE_RX_DONE))
                return MSG_END;
        if (st->closed)
                return MSG_ERR;
        return ret_in->n >= max || ret_in->n >= H2_PEEK_MAX ? MSG_OK : MSG_WAIT;
}

static void h2_rx_park(struct side *s)
{
        struct h2_stream *st = s->carrier;

        if (st->in.len == 0)
                h2_bytes_free(&st->in);
}

/* ---- sending ---- */

/* Fields of a head without those of one hop, which HTTP/2 forbids (RFC 9113 8.2.2). Returns how many, or -EBADMSG. */
static int fields_of(const struct hmsg *m, nghttp2_nv *v, int room)
{
        int n = 0;

        for (int i = hmsg_next(m, 0); i >= 0; i = hmsg_next(m, i + 1)) {
                struct str name = hmsg_name(m, i), value = hmsg_value(m, i);
                if ((m->f[i].id != HID_NONE && m->f[i].id < HID_FIRST_END2END) || (m->f[i].flags & HF_HOP))
                        continue;
                if (n == room || !nghttp2_check_header_name((const uint8_t *)name.p, name.n) ||
                    !nghttp2_check_header_value_rfc9113((const uint8_t *)value.p, value.n))
                        return -EBADMSG;
                v[n++] = (nghttp2_nv){ (uint8_t *)(uintptr_t)name.p, (uint8_t *)(uintptr_t)value.p, name.n, value.n,
                                       NGHTTP2_NV_FLAG_NONE };
        }
        return n;
}

static nghttp2_nv pair(const char *name, char *value, size_t n)
{
        return (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)value, strlen(name), n, NGHTTP2_NV_FLAG_NONE };
}

static size_t number(char to[20], uint64_t v)
{
        char rev[20];
        size_t n = 0;

        do
                rev[n++] = (char)('0' + v % 10);
        while ((v /= 10) > 0);
        for (size_t i = 0; i < n; i++)
                to[i] = rev[n - 1 - i];
        return n;
}

#define NV_MAX 128

/* `whole`: no body and no trailers follow. */
static int send_head(struct h2_stream *st, const struct hmsg *head, const struct tx_frame *f, bool whole)
{
        nghttp2_nv v[NV_MAX];
        nghttp2_data_provider provider = { .source.ptr = st, .read_callback = h2_read_body };
        char status[20], length[20];
        bool interim = head->status < 200;
        int n, r;

        if (head->status == 101) /* there is nothing to switch to (RFC 9113 8.6) */
                return -EBADMSG;
        v[0] = pair(":status", status, number(status, head->status));
        n = fields_of(head, v + 1, NV_MAX - 2);
        if (n < 0)
                return n;
        n++;
        if (interim)
                return nghttp2_submit_headers(st->c->ng, NGHTTP2_FLAG_NONE, st->id, NULL, v, (size_t)n, NULL) ? -EBADMSG
                                                                                                              : 0;
        if (f->framing == HBODY_LENGTH)
                v[n++] = pair("content-length", length, number(length, f->length));
        st->tx_head_done = true;
        st->tx_body = (uint8_t)(f->no_body ? HBODY_NONE : f->framing);
        st->tx_left = st->tx_body == HBODY_LENGTH ? f->length : 0;
        r = nghttp2_submit_response(st->c->ng, st->id, v, (size_t)n, whole ? NULL : &provider);
        return r ? -EBADMSG : 0;
}

/* Trailers are submitted when the last byte is written: their text is kept until then. */
static int keep_trailers(struct h2_stream *st, const struct hmsg *m)
{
        nghttp2_nv v[NV_MAX];
        int n = fields_of(m, v, NV_MAX);
        size_t text = 0;
        char *p;

        if (n <= 0)
                return n;
        for (int i = 0; i < n; i++)
                text += v[i].namelen + v[i].valuelen;
        st->tx_trailers = mem_get((size_t)n * sizeof(*v) + text, &st->tx_trailers_size);
        if (!st->tx_trailers)
                return -ENOMEM;
        p = (char *)(st->tx_trailers + n);
        for (int i = 0; i < n; i++) {
                memcpy(p, v[i].name, v[i].namelen);
                memcpy(p + v[i].namelen, v[i].value, v[i].valuelen);
                v[i].name = (uint8_t *)p;
                v[i].value = (uint8_t *)p + v[i].namelen;
                p += v[i].namelen + v[i].valuelen;
        }
        memcpy(st->tx_trailers, v, (size_t)n * sizeof(*v));
        st->n_tx_trailers = (size_t)n;
        return 0;
}

/* The framing announced is the framing sent, as in core/wire_tx.c. */
static int keep_body(struct h2_stream *st, const struct iovec *v, int n)
{
        size_t sum = 0;

        for (int i = 0; i < n; i++)
                sum += v[i].iov_len;
        if (sum == 0)
                return 0;
        if (st->tx_body == HBODY_LENGTH && sum > st->tx_left)
                return -EBADMSG;
        if (st->tx_body == HBODY_NONE && !(st->side->flags & SIDE_TUNNEL))
                return -EBADMSG;
        if (st->tx_body == HBODY_LENGTH)
                st->tx_left -= sum;
        for (int i = 0; i < n; i++)
                if (!h2_bytes_add(&st->out, v[i].iov_base, v[i].iov_len))
                        return -ENOMEM;
        return 0;
}

static bool is_full(const struct h2_stream *st)
{
        return st->out.len >= H2_TX_LOW || (st->tx_end && !st->sent_end);
}

static void set_flags(struct h2_stream *st, struct side *s)
{
        s->flags = (uint16_t)(s->flags & ~SIDE_TX_FULL);
        if (is_full(st))
                s->flags |= SIDE_TX_FULL;
        if (st->tx_end && st->sent_end)
                s->flags |= SIDE_TX_DONE;
}

static int tx_failed(struct side *s, int err)
{
        s->err = err;
        s->flags |= SIDE_RESET;
        return MSG_ERR;
}

static int send_message(struct h2_stream *st, struct hmsg *head, const struct tx_frame *f, const struct iovec *v, int n,
                        bool end)
{
        bool trailers = head && st->tx_head_done;
        size_t sum = 0;
        int r = 0;

        for (int i = 0; i < n; i++)
                sum += v[i].iov_len;
        if (head && !trailers)
                r = send_head(st, head, f, end && sum == 0);
        else if (trailers)
                r = keep_trailers(st, head);
        if (r == 0)
                r = keep_body(st, v, n);
        if (r == 0 && end && st->tx_body == HBODY_LENGTH && st->tx_left > 0)
                r = -EBADMSG;
        return r;
}

static int h2_tx(struct side *s, struct hmsg *head, const struct tx_frame *f, const struct iovec *v, int n, bool end)
{
        struct h2_stream *st = s->carrier;
        int r;

        if (st->closed)
                return lost(st, s);
        r = send_message(st, head, f, v, n, end);
        if (r < 0)
                return tx_failed(s, r);
        if (end) {
                st->tx_end = true;
                s->flags |= SIDE_TX_END;
        }
        if (st->deferred && (st->out.len > 0 || st->tx_end)) {
                st->deferred = false;
                (void)nghttp2_session_resume_data(st->c->ng, st->id);
        }
        set_flags(st, s);
        h2_post(st->c);
        return MSG_OK;
}

static int h2_tx_flush(struct side *s)
{
        struct h2_stream *st = s->carrier;

        set_flags(st, s);
        if (!(s->flags & SIDE_TX_FULL))
                return MSG_OK;
        return st->closed ? lost(st, s) : MSG_WAIT;
}

static void last_bytes(struct h2_stream *st, uint32_t *flags)
{
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (st->n_tx_trailers == 0)
                return;
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        (void)nghttp2_submit_trailer(st->c->ng, st->id, st->tx_trailers, st->n_tx_trailers);
}

ssize_t h2_read_body(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t room, uint32_t *flags,
                     nghttp2_data_source *source, void *user)
{
        struct h2_stream *st = nghttp2_session_get_stream_user_data(ng, id);
        struct h2_bytes *b;
        bool was_full;
        size_t n;

        (void)source;
        (void)user;
        if (!st) /* its stream left and RST_STREAM is on its way */
                return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        b = &st->out;
        was_full = b->len >= H2_TX_LOW;
        n = b->len < room ? b->len : room;
        if (n == 0 && !st->tx_end) {
                st->deferred = true;
                return NGHTTP2_ERR_DEFERRED;
        }
        if (n)
                memcpy(buf, b->p + b->off, n);
        b->off += (uint32_t)n;
        b->len -= (uint32_t)n;
        if (b->len == 0)
                h2_bytes_free(b);
        if (b->len == 0 && st->tx_end)
                last_bytes(st, flags);
        if (was_full && b->len < H2_TX_LOW)
                h2_stream_wake(st);
        return (ssize_t)n;
}

/* ---- the rest of the seam ---- */

static bool h2_gone(const struct side *s)
{
        const struct h2_stream *st = s->carrier;

        return st->c->dead || (st->closed && !(st->rx_end && st->sent_end));
}

static void h2_side_want(struct side *s)
{
        h2_want(((struct h2_stream *)s->carrier)->c);
}

/* CONNECT (RFC 9113 8.5): DATA is opaque from here on. */
static void h2_tunnel(struct side *s)
{
        s->flags = (uint16_t)((s->flags & ~(SIDE_RX_DONE | SIDE_TX_DONE | SIDE_TX_END)) | SIDE_TUNNEL);
}

const struct mux_ops h2_stream_ops = {
        .name = "H2",
        .rx_head = h2_rx_head,
        .rx_head_free = h2_rx_head_free,
        .rx_body = h2_rx_body,
        .rx_peek = h2_rx_peek,
        .tx = h2_tx,
        .tx_flush = h2_tx_flush,
        .gone = h2_gone,
        .rx_park = h2_rx_park,
        .want = h2_side_want,
        .tunnel = h2_tunnel,
        .end = h2_end,
};
