/* core/wire.c - receiving: the shared buffer and its tenant, heads, bodies (RFC 9112).
 *
 * The thread has one large receive buffer. The wire that read last is its tenant; bytes that are still needed when somebody else wants
 * the buffer, or when the stream goes to wait, are parked in private memory of the right size. In the usual case (a whole
 * head arrives, is passed on, nothing is left) no byte is copied and nothing is allocated but the head box. Between two tenants
 * nobody may touch the buffer: an instrumented build finds who kept a pointer into it over a wait. */
#include "core/wire.h"

#include "base/asan.h"
#include "base/slab.h"
#include "base/thr.h"
#include "core/event.h"
#include "core/wire_priv.h"

#include <errno.h>

unsigned wire_local;

static void wire_thr_free(void *p)
{
        struct wire_thr *t = p;

        while (t->n_quiet > 0)
                slab_put(&t->io, t->quiet[--t->n_quiet]);
        asan_show(thr_self->rx, thr_self->rx_size); /* whoever gets these addresses next may use them */
        if (t->spare)
                mem_put(t->spare, t->spare->size);
        slab_fini(&t->io);
        mem_put(t, t->size);
}

__attribute__((constructor)) static void wire_boot(void)
{
        wire_local = thr_local_index(wire_thr_free);
}

cold_path struct wire_thr *wire_thr_make(void)
{
        size_t size;
        struct wire_thr *t = mem_get(sizeof(*t), &size);

        ASSERT(t != NULL); /* once per thread, at its first connection */
        t->tenant = NULL;
        t->spare = NULL;
        slab_init(&t->io, "wire_io", sizeof(struct wire_io), 0);
        t->n_quiet = 0;
        t->size = size;
        thr_self->local[wire_local] = t;
        return t;
}

/* ---- what bytes under way need ---- */

const struct wire_io wire_io_none;

cold_path bool wire_io_new(struct wire *w)
{
        struct wire_io *io = slab_get(&wire_thr()->io);

        if (!io)
                return false;
        w->io = io;
        return true;
}

/* Nothing of it is in use any more: the box and all private bytes were given back. */
static inline void io_free(struct wire *w, struct wire_thr *t)
{
        struct wire_io *io = w->io;

        w->io = (struct wire_io *)(uintptr_t)&wire_io_none;
        if (likely(!ASAN_ON && t->n_quiet < array_len(t->quiet)))
                t->quiet[t->n_quiet++] = io;
        else
                slab_put(&t->io, io);
}

/* ---- the receive buffer ---- */

static inline void forget(struct wire *w, struct wire_thr *t)
{
        if (unlikely(w->io->in.cap))
                mem_put(w->io->in.p, w->io->in.cap);
        if (t->tenant == w) {
                t->tenant = NULL;
                asan_hide(thr_self->rx, thr_self->rx_size);
        }
        w->io->in = (struct inbuf){ NULL, 0, 0, 0, 0 };
}

static void in_forget(struct wire *w)
{
        if (w->io != &wire_io_none)
                forget(w, wire_thr());
}

/* Moves what is needed to private memory with at least `room` bytes behind it. */
static bool in_move(struct wire *w, size_t room)
{
        struct inbuf old = w->io->in;
        uint32_t used = in_used(w), first = in_first(w);
        size_t size;
        char *p = mem_get(used + room, &size);

        if (!p)
                return false;
        if (old.p) /* else nothing was received yet, used is 0 */
                memcpy(p, old.p + first, used);
        in_forget(w);
        w->io->in = (struct inbuf){ p, 0, old.off - first, old.len, (uint32_t)size };
        if (w->io->box)
                hmsg_rebase(&w->io->box->m, p, used);
        return true;
}

/* No memory for what was received: the connection is dead, and the stream hears of it. */
static cold_path void in_lost(struct wire *w, struct side *s)
{
        w->err = -ENOMEM;
        w->ep->flags |= EP_ERR;
        if (w->io->box)
                headbox_free(w->io->box);
        w->io->box = NULL;
        in_forget(w);
        w->ep->flags &= (uint16_t)~EP_RX;
        s->trailers = NULL;
        s->flags |= SIDE_RESET | SIDE_PEER_GONE;
        strm_wake(s->strm);
}

void wire_rest(struct wire *w)
{
        const struct wire_io *io = w->io;

        if (io == &wire_io_none || io->box || io->out || io->in.len > 0)
                return;
        forget(w, wire_thr());
        io_free(w, wire_thr());
}

static void wire_rx_park(struct side *s)
{
        struct wire *w = s->carrier;

        if (w->io->in.p && in_used(w) == 0)
                forget(w, wire_thr());
        else if (w->io->in.p && w->io->in.cap == 0 && !in_move(w, 0))
                in_lost(w, s);
        if (w->rx_body == HBODY_TUNNEL && w->tx_body == HBODY_TUNNEL) /* in HTTP it counts what is to come */
                wire_rest(w);
}

/* Room for `max` more bytes (less is fine) behind the unread ones. */
static bool in_room(struct wire *w, size_t *max)
{
        struct wire_thr *t = wire_thr();
        struct inbuf *in;

        if (!wire_io_own(w))
                return false;
        in = &w->io->in;
        if (in->cap && in_used(w) == 0)
                in_forget(w);
        if (in->cap) {
                size_t free = in->cap - in->off - in->len;
                if (free >= *max || in_used(w) + free >= w->head_max) {
                        *max = free < *max ? free : *max;
                        return free > 0;
                }
                if (!in_move(w, *max))
                        return false;
                *max = in->cap - in->off - in->len;
                return true;
        }
        if (t->tenant != w) {
                if (t->tenant && in_used(t->tenant) > 0 && !in_move(t->tenant, 0))
                        return false;
                if (t->tenant)
                        in_forget(t->tenant);
                t->tenant = w;
                asan_show(thr_self->rx, thr_self->rx_size);
                *in = (struct inbuf){ thr_self->rx, 0, 0, 0, 0 };
        } else if (in_used(w) == 0) {
                in->hold = in->off = in->len = 0;
        }
        size_t free = thr_self->rx_size - in->off - in->len;
        if (free == 0 && in_used(w) < w->head_max) { /* the trailers' beginning at the very end of a large read */
                if (!in_move(w, *max))
                        return false;
                free = in->cap - in->off - in->len;
        }
        *max = free < *max ? free : *max;
        return free > 0;
}

hot_path int wire_fill(struct wire *w, size_t max)
{
        struct ep *e = w->ep;
        ssize_t n;

        if (!(e->flags & EP_RX))
                return e->flags & EP_ERR ? MSG_ERR : e->flags & EP_EOF ? MSG_END : MSG_WAIT;
        if (!in_room(w, &max)) {
                w->err = -ENOMEM;
                return MSG_ERR;
        }
        n = ep_rx(e, w->io->in.p + w->io->in.off + w->io->in.len, max);
        if (n > 0) {
                w->io->in.len += (uint32_t)n;
                if (w->side)
                        w->side->rx_bytes += (uint64_t)n;
                return MSG_OK;
        }
        if (n == 0)
                return MSG_END;
        if (n == -EAGAIN)
                return MSG_WAIT;
        w->err = (int)n;
        return MSG_ERR;
}

static int rx_failed(struct wire *w, struct side *s)
{
        s->err = w->err ? w->err : -EIO;
        s->flags |= SIDE_RESET;
        return MSG_ERR;
}

/* ---- heads ---- */

static bool box_grow(struct hmsg *m, uint32_t need)
{
        struct headbox *b = container_of(m, struct headbox, m);
        size_t size;
        char *p = need > 65536 ? NULL : mem_get(need, &size);

        if (!p)
                return false;
        memcpy(p, m->blk[1].p, m->blk[1].n);
        if (b->arena_size)
                mem_put(m->blk[1].p, b->arena_size);
        b->arena_size = (uint32_t)size;
        hmsg_rebase_arena(m, p, (uint32_t)size);
        return true;
}

/* tune.http.maxhdr counts the start line, too. */
static uint16_t fields_max(void)
{
        const uint32_t n = atomic_load_explicit(&world.maxhdr, memory_order_relaxed);

        return (uint16_t)(n && n <= HEADBOX_FIELDS ? n - 1 : HEADBOX_FIELDS);
}

struct headbox *headbox_new(void)
{
        struct wire_thr *t = wire_thr();
        struct headbox *b = t->spare;
        size_t size;

        t->spare = NULL;
        if (!b) {
                b = mem_get(sizeof(*b), &size);
                if (!b)
                        return NULL;
                b->size = (uint32_t)size;
        }
        b->arena_size = 0;
        hmsg_init(&b->m, b->f, fields_max(), b->arena, sizeof(b->arena));
        b->m.grow = box_grow;
        return b;
}

void headbox_free(struct headbox *b)
{
        struct wire_thr *t = wire_thr();

        if (b->arena_size)
                mem_put(b->m.blk[1].p, b->arena_size);
        if (t->spare)
                mem_put(b, b->size);
        else
                t->spare = b;
}

static void wire_rx_head_free(struct side *s)
{
        struct wire *w = s->carrier;

        if (w->io == &wire_io_none)
                return;
        if (w->io->box)
                headbox_free(w->io->box);
        w->io->box = NULL;
        w->box_trailers = false;
        w->io->in.hold = w->io->in.off;
}

/* The message is complete; what is unread behind it is the next exchange's, whose wire_attach() counts it. */
static void rx_done(const struct wire *w, struct side *s)
{
        s->flags |= SIDE_RX_DONE;
        s->rx_bytes -= w->io->in.len;
}

static void head_ready(struct wire *w, struct side *s)
{
        struct wire_io *io = w->io;
        const struct hmsg *m = &io->box->m;

        io->in.off += m->head_len;
        io->in.len -= m->head_len;
        w->rx_body = m->body;
        io->rx_left = m->body == HBODY_LENGTH ? m->length : 0;
        if (m->body == HBODY_CHUNKED)
                h1_chunk_init(&io->chunk);
        if (!w->server)
                w->req_minor = m->minor;
        if (m->flags & HMSG_CLOSE)
                w->close_after = true;
        if (w->server && m->status < 200 && m->status != 101)
                return; /* an informational head: the answer is still to come (RFC 9110 15.2) */
        if (m->body == HBODY_NONE || (m->body == HBODY_LENGTH && m->length == 0))
                rx_done(w, s);
}

static int head_bad(struct wire *w, struct side *s)
{
        const struct h1 *h = &w->io->box->parser;

        const struct inbuf *in = &w->io->in;
        struct event_bad e = { s->strm, w->server, { in->p + in->off, in->len }, h->bad_at, h1_why_text(h->why) };

        s->bad = (struct side_bad){ e.why, e.at, w->server ? 502 : h->status };
        w->close_after = true;
        event_publish(EVENT_BAD_MESSAGE, &e);
        return MSG_BAD;
}

static int bad_body(struct wire *w, struct side *s, const char *why)
{
        w->close_after = true;
        s->bad = (struct side_bad){ why, 0, w->server ? 502 : 400 };
        return MSG_BAD;
}

/* The trailer section in p, as far as it is here. */
static const char *trailers_flaw(const struct wire *w, char *p, uint32_t n)
{
        struct headbox *b = headbox_new();
        const char *why;
        enum h1_verdict v;

        if (!b)
                return "out of memory";
        h1_init(&b->parser, w->head_max, H1_STRICT_LF);
        hmsg_rebase(&b->m, p, n);
        v = h1_trailers(&b->parser, &b->m, n);
        why = v == H1_OK || v == H1_MORE ? NULL : h1_why_text(b->parser.why);
        headbox_free(b);
        return why;
}

/* What stands behind a head in the same read and is no valid body makes the whole message invalid: while nothing of it was passed
 * on there still is a good answer for that, a 400 or a 502. NULL: no flaw so far. */
static cold_path const char *body_flaw(const struct wire *w)
{
        char *p = w->io->in.p + w->io->in.off;
        uint32_t n = w->io->in.len;
        struct h1_chunk c;

        h1_chunk_init(&c);
        while (n > 0) {
                size_t used = 0;
                struct str data = { NULL, 0 };
                enum h1_chunk_verdict v = h1_chunk_next(&c, p, n, &used, &data);
                p += used;
                n -= (uint32_t)used;
                if (v == H1_CHUNK_BAD)
                        return "bad chunk";
                if (v == H1_CHUNK_TRAILERS && n > 0)
                        return trailers_flaw(w, p, n);
                if (v != H1_CHUNK_DATA)
                        return NULL;
        }
        return NULL;
}

static bool begin_head(struct wire *w)
{
        if (wire_io_own(w))
                w->io->box = headbox_new();
        if (!w->io->box)
                return false;
        h1_init(&w->io->box->parser, w->head_max, 0);
        return true;
}

hot_path static int wire_rx_head(struct side *s, struct hmsg **ret_m)
{
        struct wire *w = s->carrier;
        struct headbox *b;
        const char *flaw;
        enum h1_verdict v;
        int r;

        if (!w->io->box) {
                if (w->io->in.len == 0 && !(w->ep->flags & (EP_RX | EP_ERR | EP_EOF)))
                        return MSG_WAIT; /* as wire_fill() would say; while nothing is here it takes no memory */
                if (!begin_head(w)) {
                        w->err = -ENOMEM;
                        return rx_failed(w, s);
                }
        }
        b = w->io->box;
        for (;;) {
                struct inbuf *in = &w->io->in;

                if (in->len > 0) {
                        in->hold = in->off;
                        hmsg_rebase(&b->m, in->p + in->off, in->len);
                        v = w->server ? h1_response(&b->parser, &b->m, in->len, w->req_method)
                                      : h1_request(&b->parser, &b->m, in->len);
                        if (likely(v == H1_OK)) {
                                head_ready(w, s);
                                if (unlikely(w->rx_body == HBODY_CHUNKED) && (flaw = body_flaw(w)) != NULL)
                                        return bad_body(w, s, flaw);
                                *ret_m = &b->m;
                                return MSG_OK;
                        }
                        if (v != H1_MORE)
                                return head_bad(w, s);
                }
                r = wire_fill(w, w->head_max);
                if (r == MSG_ERR)
                        return rx_failed(w, s);
                if (r == MSG_END && w->io->in.len > 0)
                        s->flags |= SIDE_RX_CUT;
                if (r != MSG_OK)
                        return r;
        }
}

/* ---- bodies ---- */

/* Body bytes that were read are passed on before the next call: nothing of them is held, unless a head before them still is. */
static void in_take(struct wire *w, size_t n)
{
        w->io->in.off += (uint32_t)n;
        w->io->in.len -= (uint32_t)n;
        if (!w->io->box)
                w->io->in.hold = w->io->in.off;
}

static int take_plain(struct wire *w, struct side *s, struct iovec *v, int *n)
{
        uint64_t want = w->rx_body == HBODY_LENGTH && w->io->rx_left < w->io->in.len ? w->io->rx_left : w->io->in.len;

        v[0] = (struct iovec){ w->io->in.p + w->io->in.off, (size_t)want };
        *n = 1;
        in_take(w, want);
        if (w->rx_body == HBODY_LENGTH) {
                w->io->rx_left -= want;
                if (w->io->rx_left == 0)
                        rx_done(w, s);
        }
        return MSG_OK;
}

/* The trailer section: parsed like a head, kept in the box until the exchange ends. While the box still holds the head (all of a
 * small message came in one read) it waits: the head goes first. */
static int take_trailers(struct wire *w, struct side *s)
{
        enum h1_verdict v;

        if (w->io->box && !w->box_trailers)
                return MSG_WAIT;
        if (!w->io->box) {
                w->io->box = headbox_new();
                if (!w->io->box)
                        return bad_body(w, s, "out of memory");
                w->box_trailers = true;
                h1_init(&w->io->box->parser, w->head_max, H1_STRICT_LF);
        }
        w->io->in.hold = w->io->in.off;
        hmsg_rebase(&w->io->box->m, w->io->in.p + w->io->in.off, w->io->in.len);
        v = h1_trailers(&w->io->box->parser, &w->io->box->m, w->io->in.len);
        if (v == H1_MORE)
                return MSG_WAIT;
        if (v != H1_OK)
                return bad_body(w, s, h1_why_text(w->io->box->parser.why));
        w->io->in.off += w->io->box->m.head_len;
        w->io->in.len -= w->io->box->m.head_len;
        s->trailers = &w->io->box->m;
        rx_done(w, s);
        return MSG_OK;
}

/* Decodes what is here; MSG_OK with spans, or MSG_WAIT when the input gave no payload and no end. */
static int take_chunks(struct wire *w, struct side *s, struct iovec *v, int *n)
{
        int room = *n, r = MSG_WAIT;

        *n = 0;
        while (w->io->in.len > 0 && *n < room) {
                size_t used = 0;
                struct str data = { NULL, 0 };
                enum h1_chunk_verdict c =
                        h1_chunk_next(&w->io->chunk, w->io->in.p + w->io->in.off, w->io->in.len, &used, &data);
                if (c == H1_CHUNK_BAD)
                        return bad_body(w, s, "bad chunk");
                in_take(w, used);
                if (c == H1_CHUNK_DATA) {
                        v[(*n)++] = (struct iovec){ (void *)(uintptr_t)data.p, data.n };
                        r = MSG_OK;
                } else if (c == H1_CHUNK_END) {
                        rx_done(w, s);
                        return MSG_OK;
                } else if (c == H1_CHUNK_TRAILERS) {
                        int t = take_trailers(w, s);
                        return t == MSG_WAIT && *n > 0 ? MSG_OK : t;
                }
        }
        return r;
}

/* The peer's FIN is known and the message has no other end: its last bytes and the end are passed on together, in one packet. */
static void look_for_end(struct wire *w, struct side *s)
{
        bool till_close = w->rx_body == HBODY_TUNNEL || w->rx_body == HBODY_CLOSE;

        if (till_close && (w->ep->flags & (EP_HUP | EP_RX)) == (EP_HUP | EP_RX) && wire_fill(w, 1) == MSG_END)
                s->flags |= SIDE_RX_DONE;
}

static int body_ended(struct wire *w, struct side *s, int r)
{
        if (r == MSG_ERR)
                return rx_failed(w, s);
        if (r == MSG_END && (w->rx_body == HBODY_CLOSE || w->rx_body == HBODY_TUNNEL)) {
                s->flags |= SIDE_RX_DONE;
                return MSG_END;
        }
        if (r == MSG_END) {
                s->flags |= SIDE_RX_CUT;
                return MSG_ERR;
        }
        return r;
}

hot_path static int wire_rx_body(struct side *s, struct iovec *v, int *n, size_t max)
{
        struct wire *w = s->carrier;
        int r, room = *n;

        *n = 0;
        if (s->flags & SIDE_RX_DONE)
                return MSG_END;
        for (;;) {
                if (w->io->in.len > 0) {
                        *n = room;
                        r = w->rx_body == HBODY_CHUNKED ? take_chunks(w, s, v, n) : take_plain(w, s, v, n);
                        if (r != MSG_WAIT)
                                return r == MSG_OK && *n == 0 ? MSG_END : r;
                        *n = 0;
                }
                if (max == 0)
                        return MSG_WAIT;
                r = wire_fill(w, max);
                if (r != MSG_OK)
                        return body_ended(w, s, r);
                if (unlikely(w->ep->flags & EP_HUP) && w->io->in.len < max)
                        look_for_end(w, s);
        }
}

static int wire_rx_splice(struct side *s, struct pipe *p, size_t max, size_t *ret_n)
{
        struct wire *w = s->carrier;
        ssize_t n;

        if (s->flags & SIDE_RX_DONE)
                return MSG_END;
        if (w->io->in.len > 0 || w->rx_body == HBODY_CHUNKED)
                return MSG_WAIT;
        if (w->rx_body == HBODY_LENGTH && w->io->rx_left < max)
                max = (size_t)w->io->rx_left;
        if (!(w->ep->flags & EP_RX))
                return body_ended(w, s, w->ep->flags & EP_ERR ? MSG_ERR : w->ep->flags & EP_EOF ? MSG_END : MSG_WAIT);
        n = w->ep->ops->rx_splice(w->ep, p, max);
        if (n <= 0) {
                if (n < 0 && n != -EAGAIN)
                        w->err = (int)n;
                return body_ended(w, s, n == 0 ? MSG_END : n == -EAGAIN ? MSG_WAIT : MSG_ERR);
        }
        s->rx_bytes += (uint64_t)n;
        if (w->rx_body == HBODY_LENGTH && (w->io->rx_left -= (uint64_t)n) == 0)
                s->flags |= SIDE_RX_DONE;
        *ret_n = (size_t)n;
        return MSG_OK;
}

/* ---- life ---- */

static void wire_wake(struct ep *e)
{
        struct wire *w = e->owner;

        if (!w->side) {
                w->owner->idle_wake(w);
                return;
        }
        if ((e->flags & EP_ERR) && !w->server)
                w->side->flags |= SIDE_PEER_GONE;
        strm_ready(w->side->strm);
}

void wire_init(struct wire *w, bool server)
{
        memset(w, 0, sizeof(*w));
        w->io = (struct wire_io *)(uintptr_t)&wire_io_none;
        w->server = server;
        conn_init(&w->conn, wire_wake);
        w->ep = &w->conn.ep;
        w->ep->owner = w;
}

static void nothing_left(struct wire *w)
{
        if (w->io != &wire_io_none)
                w->io->rx_left = w->io->tx_left = 0;
}

void wire_attach(struct wire *w, struct side *s, bool tunnel)
{
        w->side = s;
        s->ops = &wire_ops;
        s->carrier = w;
        s->flags = w->ep->flags & EP_RAW ? SIDE_SPLICE : 0;
        s->rx_bytes = w->io->in.len; /* read while idle: the first bytes of this exchange */
        s->err = 0;
        s->bad = (struct side_bad){ 0 };
        s->trailers = NULL;
        w->tx_head_done = false;
        nothing_left(w);
        w->rx_body = w->tx_body = HBODY_NONE;
        if (tunnel)
                wire_ops.tunnel(s);
}

static uint64_t wire_opaque(const struct side *s)
{
        const struct wire *w = s->carrier;

        if (w->io->in.len > 0 || (s->flags & SIDE_RX_DONE))
                return 0;
        return w->rx_body == HBODY_LENGTH                                ? w->io->rx_left
               : w->rx_body == HBODY_CLOSE || w->rx_body == HBODY_TUNNEL ? UINT64_MAX
                                                                         : 0;
}

static uint64_t wire_opaque_tx(const struct side *s)
{
        const struct wire *w = s->carrier;

        if (w->io->out_len > 0 || !w->tx_head_done)
                return 0;
        return w->tx_body == HBODY_LENGTH                                ? w->io->tx_left
               : w->tx_body == HBODY_CLOSE || w->tx_body == HBODY_TUNNEL ? UINT64_MAX
                                                                         : 0;
}

static bool wire_gone(const struct side *s)
{
        const struct wire *w = s->carrier;

        return (w->ep->flags & (EP_HUP | EP_EOF | EP_ERR)) != 0;
}

static void wire_tunnel(struct side *s)
{
        struct wire *w = s->carrier;

        if (s->flags & SIDE_RX_DONE)
                s->rx_bytes += w->io->in.len; /* what came behind the head belongs to the tunnel */
        w->rx_body = w->tx_body = HBODY_TUNNEL;
        nothing_left(w);
        w->tx_head_done = true;
        w->close_after = true;
        s->flags = (uint16_t)((s->flags & ~(SIDE_RX_DONE | SIDE_TX_DONE | SIDE_TX_END)) | SIDE_TUNNEL);
}

int wire_connected(struct side *server, struct side *client)
{
        struct wire *w = server->carrier, *c = client->carrier;
        ssize_t n;

        if (client->ops != &wire_ops || c->rx_body != HBODY_TUNNEL || c->io->in.len == 0 || w->ep != &w->conn.ep ||
            !(w->ep->flags & EP_CONNECTING))
                return conn_connected(&w->conn);
        n = conn_tx_first(&w->conn, c->io->in.p + c->io->in.off, c->io->in.len);
        if (n < 0)
                return n == -EAGAIN ? 0 : (int)n;
        in_take(c, (size_t)n);
        server->tx_bytes += (uint64_t)n;
        return 1;
}

static void wire_want(struct side *s)
{
        struct wire *w = s->carrier;

        if (w->ep->flags & EP_WATCHED)
                return;
        w->ep->ops->want(w->ep);
        if (unlikely(w->ep->flags & EP_ERR)) /* it could not be watched: no event will say so */
                strm_wake(s->strm);
}

/* Sent what was announced, received what was announced, nothing private left to send: see facts 2a, "early response". */
static inline bool exchange_complete(const struct wire_io *io, const struct side *s)
{
        return (s->flags & (SIDE_RX_DONE | SIDE_TX_DONE)) == (SIDE_RX_DONE | SIDE_TX_DONE) &&
               (io->out_len | io->rx_left | io->tx_left) == 0;
}

/* The only judge of whether another message may use the connection. */
static bool wire_is_clean(const struct wire *w, const struct side *s)
{
        unsigned ep = w->ep->flags;

        if (w->close_after || !exchange_complete(w->io, s) || (ep & (EP_ERR | EP_SHUT)))
                return false;
        if (w->server) /* a FIN, or bytes that nobody asked for */
                return !(ep & (EP_EOF | EP_HUP)) && w->io->in.len == 0;
        /* a client may send its last requests and its FIN in one go: they are answered first */
        return w->io->in.len > 0 || !(ep & EP_EOF);
}

/* Gives up what the exchange needed; unread bytes of the next one stay, in private memory. */
static void leave(struct wire *w, struct side *s, bool keep)
{
        struct wire_thr *t = wire_thr();
        struct wire_io *io = w->io;

        if (io == &wire_io_none)
                return;
        if (io->box)
                headbox_free(io->box);
        io->box = NULL;
        w->box_trailers = false;
        if (keep && io->in.len > 0) {
                wire_rx_park(s);
                return;
        }
        forget(w, t);
        if (!io->out)
                io_free(w, t);
}

static void wire_end(struct side *s, bool clean)
{
        struct wire *w = s->carrier;
        bool reusable = clean && wire_is_clean(w, s);

        w->reset_after = unlikely(!(s->flags & SIDE_TX_END)) && w->tx_head_done &&
                         (w->tx_body == HBODY_CLOSE || (w->tx_body == HBODY_TUNNEL && (s->flags & SIDE_TX_CUT)));
        leave(w, s, reusable);
        w->side = NULL;
        s->ops = NULL;
        s->carrier = NULL;
        w->owner->released(w, reusable);
}

void wire_fini(struct wire *w, bool reset)
{
        w->ep->ops->close(w->ep, reset);
        w->ep = &w->conn.ep; /* a filter is gone now */
        if (w->io == &wire_io_none)
                return;
        if (w->io->box)
                headbox_free(w->io->box);
        forget(w, wire_thr());
        if (w->io->out)
                mem_put(w->io->out, w->io->out_cap);
        io_free(w, wire_thr());
}

const struct mux_ops wire_ops = {
        .name = "H1",
        .rx_head = wire_rx_head,
        .rx_head_free = wire_rx_head_free,
        .rx_body = wire_rx_body,
        .rx_peek = wire_rx_peek,
        .tx = wire_tx,
        .tx_flush = wire_tx_flush,
        .rx_splice = wire_rx_splice,
        .tx_splice = wire_tx_splice,
        .opaque = wire_opaque,
        .opaque_tx = wire_opaque_tx,
        .gone = wire_gone,
        .rx_park = wire_rx_park,
        .want = wire_want,
        .tunnel = wire_tunnel,
        .end = wire_end,
};
