/* core/wire_tx.c - sending: head, body and end of a message in one writev(), what the kernel does not take is kept (RFC 9112).
 *
 * The framing written is the one announced: a LENGTH message that would get more bytes than it promised, or end short of them, is our
 * bug or a lying peer's; the bytes beyond are never sent and the connection is not reused. */
#include "base/slab.h"
#include "base/thr.h"
#include "core/wire_priv.h"

#include <errno.h>

#define TX_IOV 192

struct txv {
        struct iovec v[TX_IOV];
        int n;
        size_t total;
        char size_line[H1_CHUNK_HEAD_MAX];
};

static void add(struct txv *x, const void *p, size_t n)
{
        if (n == 0)
                return;
        x->total += n;
        /* Often a body stands behind its head as it was received: one piece goes out through send(2), which is cheaper. */
        if (x->n > 0 && (char *)x->v[x->n - 1].iov_base + x->v[x->n - 1].iov_len == p) {
                x->v[x->n - 1].iov_len += n;
                return;
        }
        ASSERT(x->n < TX_IOV);
        x->v[x->n++] = (struct iovec){ (void *)(uintptr_t)p, n };
}

/* ---- private bytes ---- */

static bool out_room(struct wire *w, size_t n)
{
        size_t size;
        char *p;

        if (!wire_io_own(w))
                return false;
        if (w->io->out && w->io->out_cap - w->io->out_off - w->io->out_len >= n)
                return true;
        p = mem_get(w->io->out_len + n, &size);
        if (!p)
                return false;
        if (w->io->out) {
                memcpy(p, w->io->out + w->io->out_off, w->io->out_len);
                mem_put(w->io->out, w->io->out_cap);
        }
        w->io->out = p;
        w->io->out_off = 0;
        w->io->out_cap = (uint32_t)size;
        return true;
}

/* Keeps x's bytes from `skip` on. */
static bool out_keep(struct wire *w, const struct txv *x, size_t skip)
{
        if (!out_room(w, x->total - skip))
                return false;
        for (int i = 0; i < x->n; i++) {
                size_t n = x->v[i].iov_len, from = skip < n ? skip : n;
                memcpy(w->io->out + w->io->out_off + w->io->out_len, (char *)x->v[i].iov_base + from, n - from);
                w->io->out_len += (uint32_t)(n - from);
                skip -= from;
        }
        return true;
}

static int tx_failed(struct wire *w, struct side *s, int err)
{
        w->err = err;
        w->close_after = true;
        s->err = err;
        s->flags |= SIDE_RESET;
        return MSG_ERR;
}

/* After these bytes we send FIN: let the kernel put both into one packet. */
static bool fin_follows(const struct wire *w, const struct side *s)
{
        return (s->flags & SIDE_TX_END) && (w->shut_after || w->tx_body == HBODY_TUNNEL);
}

/* All bytes of the message are with the kernel. */
static void all_sent(struct wire *w, struct side *s)
{
        s->flags &= (uint16_t)~SIDE_TX_FULL;
        if (!(s->flags & SIDE_TX_END))
                return;
        s->flags |= SIDE_TX_DONE;
        if (s->flags & SIDE_RX_DONE && w->tx_body == HBODY_TUNNEL)
                return; /* both directions are over: close() sends the FIN */
        if (fin_follows(w, s))
                w->ep->ops->shut(w->ep);
}

int wire_tx_flush(struct side *s)
{
        struct wire *w = s->carrier;

        while (w->io->out_len > 0) {
                struct iovec v = { w->io->out + w->io->out_off, w->io->out_len };
                ssize_t n = ep_tx(w->ep, &v, 1, false);
                if (n == -EAGAIN)
                        return MSG_WAIT;
                if (n < 0)
                        return tx_failed(w, s, (int)n);
                s->tx_bytes += (uint64_t)n;
                w->io->out_off += (uint32_t)n;
                w->io->out_len -= (uint32_t)n;
        }
        if (w->io->out) {
                mem_put(w->io->out, w->io->out_cap);
                w->io->out = NULL;
                w->io->out_cap = w->io->out_off = 0;
        }
        all_sent(w, s);
        return MSG_OK;
}

hot_path static int send_now(struct wire *w, struct side *s, struct txv *x)
{
        ssize_t n = 0;

        if (x->total > 0 && w->io->out_len == 0) {
                n = ep_tx(w->ep, x->v, x->n, fin_follows(w, s));
                if (n < 0 && n != -EAGAIN)
                        return tx_failed(w, s, (int)n);
                n = n < 0 ? 0 : n;
                s->tx_bytes += (uint64_t)n;
        }
        if (unlikely((size_t)n < x->total)) {
                if (!out_keep(w, x, (size_t)n))
                        return tx_failed(w, s, -ENOMEM);
                s->flags |= SIDE_TX_FULL;
                return MSG_OK;
        }
        if (w->io->out_len == 0)
                all_sent(w, s);
        return MSG_OK;
}

/* ---- heads and framing ---- */

static void begin(struct wire *w, struct hmsg *head, const struct tx_frame *f, struct h1_wopt *o)
{
        enum hbody body = f->framing;
        bool close = f->close || w->close_after;

        if (body == HBODY_CHUNKED && !w->server && w->req_minor == 0) {
                body = HBODY_CLOSE; /* RFC 9112 6.1: no chunked to an HTTP/1.0 peer */
                close = true;
        }
        if (body == HBODY_CLOSE)
                close = true;
        w->tx_body = (uint8_t)(f->no_body ? HBODY_NONE : body);
        if (w->io != &wire_io_none)
                w->io->tx_left = body == HBODY_LENGTH && !f->no_body ? f->length : 0;
        w->tx_head_done = true;
        if (w->server)
                w->req_method = head->method;
        w->close_after = close;
        w->shut_after = !w->server && close;
        *o = (struct h1_wopt){ .frame = (uint8_t)body, .length = f->length };
        if (unlikely(f->upgrade))
                o->flags = H1_WRITE_UPGRADE;
        else if (unlikely(close) && !f->unsaid)
                o->flags = H1_WRITE_CLOSE;
        if (!close && unlikely(f->keep_alive || head->minor == 0 || (!w->server && w->req_minor == 0)))
                o->flags |= H1_WRITE_KEEP_ALIVE;
}

static int add_head(struct wire *w, struct hmsg *head, const struct tx_frame *f, struct txv *x)
{
        struct wire_thr *t = wire_thr();
        struct h1_out o = {
                .iov = x->v, .scratch = t->scratch, .iov_cap = TX_IOV - 40, .scratch_cap = sizeof(t->scratch)
        };
        struct h1_wopt wo = { .frame = HBODY_NONE };
        bool interim = (head->flags & HMSG_RESPONSE) && head->status < 200 && head->status != 101;
        int r;

        if (interim && !w->server && w->req_minor == 0)
                return 0; /* RFC 9110 15.2: an HTTP/1.0 client knows none */
        if (f->framing == HBODY_LENGTH && !wire_io_own(w))
                return -ENOMEM;
        if (!interim)
                begin(w, head, f, &wo);
        r = h1_write(head, &wo, &o);
        x->n = (int)o.niov;
        x->total = o.total;
        return r;
}

static int add_trailers(struct hmsg *trailers, struct txv *x)
{
        struct wire_thr *t = wire_thr();
        struct h1_out o = { .iov = x->v + x->n,
                            .scratch = t->scratch,
                            .iov_cap = (uint32_t)(TX_IOV - x->n),
                            .scratch_cap = sizeof(t->scratch) };
        int r = h1_write_trailers(trailers, &o);

        x->n += (int)o.niov;
        x->total += o.total;
        return r;
}

static int add_body(struct wire *w, struct txv *x, const struct iovec *v, int n)
{
        size_t sum;

        if (n == 0)
                return 0;
        sum = v->iov_len;
        for (int i = 1; i < n; i++)
                sum += v[i].iov_len;
        if (sum == 0)
                return 0;
        if (w->tx_body == HBODY_NONE || (w->tx_body == HBODY_LENGTH && sum > w->io->tx_left))
                return -EBADMSG; /* more than announced */
        if (w->tx_body == HBODY_LENGTH)
                w->io->tx_left -= sum;
        if (w->tx_body == HBODY_CHUNKED)
                add(x, x->size_line, h1_chunk_head(x->size_line, sum));
        for (int i = 0; i < n; i++)
                add(x, v[i].iov_base, v[i].iov_len);
        if (w->tx_body == HBODY_CHUNKED)
                add(x, H1_CHUNK_CRLF, 2);
        return 0;
}

static int add_end(struct wire *w, struct side *s, struct hmsg *trailers, struct txv *x)
{
        if (s->flags & SIDE_TX_END)
                return 0;
        s->flags |= SIDE_TX_END;
        if (w->tx_body == HBODY_LENGTH && w->io->tx_left > 0)
                return -EBADMSG; /* less than announced */
        if (w->tx_body != HBODY_CHUNKED)
                return 0;
        if (!trailers) {
                add(x, H1_CHUNK_LAST, sizeof(H1_CHUNK_LAST) - 1);
                return 0;
        }
        add(x, H1_CHUNK_LAST_OPEN, sizeof(H1_CHUNK_LAST_OPEN) - 1);
        return add_trailers(trailers, x);
}

static cold_path int head_refused(struct wire *w, struct side *s)
{
        w->tx_head_done = false;
        w->tx_body = HBODY_NONE;
        if (w->io != &wire_io_none)
                w->io->tx_left = 0;
        s->bad = (struct side_bad){ "a head that cannot be written", 0, w->server ? 400 : 502 };
        return MSG_BAD;
}

hot_path int wire_tx(struct side *s, struct hmsg *head, const struct tx_frame *f, const struct iovec *v, int n,
                     bool end)
{
        struct wire *w = s->carrier;
        struct txv x;
        struct hmsg *trailers = w->tx_head_done ? head : NULL;
        int r = 0;

        x.n = 0;
        x.total = 0;
        if (head && !trailers)
                r = add_head(w, head, f, &x);
        if (unlikely(r < 0))
                return head_refused(w, s);
        r = add_body(w, &x, v, n);
        if (r == 0 && end)
                r = add_end(w, s, trailers, &x);
        if (unlikely(r < 0))
                return tx_failed(w, s, r);
        return send_now(w, s, &x);
}

int wire_tx_splice(struct side *s, struct pipe *p, size_t *ret_n)
{
        struct wire *w = s->carrier;
        ssize_t n;

        if (w->io->out_len > 0)
                return MSG_WAIT;
        n = w->ep->ops->tx_splice(w->ep, p, p->fill);
        if (n == -EAGAIN)
                return MSG_WAIT;
        if (n < 0)
                return tx_failed(w, s, (int)n);
        s->tx_bytes += (uint64_t)n;
        if (w->tx_body == HBODY_LENGTH)
                w->io->tx_left -= (uint64_t)n;
        *ret_n = (size_t)n;
        return MSG_OK;
}
