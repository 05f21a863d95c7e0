/* feat/h2/session.c - the connection: frames in and out (nghttp2), the life of streams, GOAWAY. */
#include "base/slab.h"
#include "base/thr.h"
#include "core/kinds.h"
#include "feat/h2/h2.h"

#include <errno.h>

#define READ_SIZE   65536u
#define READ_ROUNDS 16 /* then others have their turn */

void h2_post(struct h2_conn *c)
{
        loop_post(thr_self->loop, &c->task);
}

void h2_want(struct h2_conn *c)
{
        struct ep *e = c->sess->wire.ep;

        if (e->flags & EP_WATCHED)
                return;
        e->ops->want(e);
        if (e->flags & EP_ERR) /* it could not be watched: no event will say so */
                h2_post(c);
}

/* ---- writing ---- */

static void lose_all(struct h2_conn *c)
{
        c->dead = true;
        list_for_each_safe (i, &c->streams) {
                struct h2_stream *st = list_item(i, struct h2_stream, link);
                if (st->strm)
                        h2_stream_lost(st);
                else
                        h2_stream_free(st);
        }
}

/* Frames into `out` until it is full enough for one write. False: nghttp2 gave up. */
static bool gather(struct h2_conn *c)
{
        const uint8_t *p;
        ssize_t n = 1;

        while (n > 0 && c->out.len + H2_FRAME_MAX <= H2_FLUSH_SIZE) {
                n = nghttp2_session_mem_send(c->ng, &p);
                if (n < 0 || (n > 0 && !h2_bytes_add(&c->out, p, (size_t)n)))
                        return false;
        }
        return true;
}

static void flush(struct h2_conn *c)
{
        struct ep *e = c->sess->wire.ep;
        struct iovec v;
        ssize_t n;

        while (!c->dead) {
                if (!gather(c)) {
                        lose_all(c);
                        break;
                }
                if (c->out.len == 0)
                        break;
                v = (struct iovec){ c->out.p + c->out.off, c->out.len };
                n = ep_tx(e, &v, 1, false);
                if (n == -EAGAIN)
                        return;
                if (n < 0) {
                        lose_all(c);
                        break;
                }
                c->out.off += (uint32_t)n;
                c->out.len -= (uint32_t)n;
        }
        h2_bytes_free(&c->out);
}

/* Is there anything more to do on this connection? May end the session. */
static void settle(struct h2_conn *c)
{
        struct sess *s = c->sess;

        if (c->n_streams > 0) {
                h2_want(c);
                return;
        }
        if (c->dead || (c->out.len == 0 && !nghttp2_session_want_read(c->ng) && !nghttp2_session_want_write(c->ng)))
                sess_finish(s, false);
        else if (s->state == SESS_BUSY)
                sess_quiet(s);
        else
                h2_want(c);
}

static void run_task(struct ev_task *t)
{
        struct h2_conn *c = container_of(t, struct h2_conn, task);

        if ((c->sess->wire.ep->flags & EP_ERR) && !c->dead)
                lose_all(c);
        flush(c);
        settle(c);
}

/* ---- reading ---- */

static bool feed(struct h2_conn *c)
{
        struct wire *w = &c->sess->wire;
        struct str in = wire_unread(w);
        ssize_t n = in.n ? nghttp2_session_mem_recv(c->ng, (const uint8_t *)in.p, in.n) : 0;

        wire_take(w, in.n);
        return n >= 0;
}

static void h2_wake(struct sess *s)
{
        struct h2_conn *c = s->carrier;
        int r = MSG_OK;

        for (int i = 0; i < READ_ROUNDS && r == MSG_OK && !c->dead; i++) {
                if (!feed(c))
                        break; /* GOAWAY with the reason is ready; nothing is read any more */
                r = wire_fill(&s->wire, READ_SIZE);
        }
        if (r == MSG_END || r == MSG_ERR)
                lose_all(c);
        else if (r == MSG_OK)
                (void)feed(c);
        if (r == MSG_OK && (s->wire.ep->flags & EP_RX))
                loop_post(thr_self->loop, &s->task); /* more of the same, in turn */
        h2_post(c); /* behind the streams that were just woken: their answers go out in the same write */
}

/* ---- what nghttp2 tells ---- */

static struct h2_stream *stream_new(struct h2_conn *c, int32_t id)
{
        size_t size;
        struct h2_stream *st = mem_get(sizeof(*st), &size);

        if (!st)
                return NULL;
        *st = (struct h2_stream){ .c = c, .id = id, .size = size };
        list_push(&c->streams, &st->link);
        st->head = h2_head_new(c->sess->cfg->bufsize, false);
        if (st->head && nghttp2_session_set_stream_user_data(c->ng, id, st) == 0)
                return st;
        h2_stream_free(st);
        return NULL;
}

static int on_begin_headers(nghttp2_session *ng, const nghttp2_frame *f, void *user)
{
        struct h2_conn *c = user;
        struct h2_stream *st = nghttp2_session_get_stream_user_data(ng, f->hd.stream_id);

        if (f->hd.type != NGHTTP2_HEADERS)
                return 0;
        if (f->headers.cat == NGHTTP2_HCAT_REQUEST)
                return stream_new(c, f->hd.stream_id) ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        if (st && !st->trailers)
                st->trailers = h2_head_new(c->sess->cfg->bufsize, true);
        return !st || st->trailers ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static struct h2_head *head_of(nghttp2_session *ng, const nghttp2_frame *f)
{
        struct h2_stream *st = nghttp2_session_get_stream_user_data(ng, f->hd.stream_id);

        if (!st || f->hd.type != NGHTTP2_HEADERS)
                return NULL;
        return f->headers.cat == NGHTTP2_HCAT_REQUEST ? st->head : st->trailers;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *f, const uint8_t *name, size_t name_n,
                     const uint8_t *value, size_t value_n, uint8_t flags, void *user)
{
        struct h2_head *h = head_of(ng, f);

        (void)flags;
        (void)user;
        if (h)
                h2_head_add(h, (struct str){ (const char *)name, name_n },
                            (struct str){ (const char *)value, value_n });
        return 0;
}

/* Without this call nghttp2 would leave such a field out and go on. */
static int on_invalid_header(nghttp2_session *ng, const nghttp2_frame *f, const uint8_t *name, size_t name_n,
                             const uint8_t *value, size_t value_n, uint8_t flags, void *user)
{
        struct h2_head *h = head_of(ng, f);

        (void)name;
        (void)name_n;
        (void)value;
        (void)value_n;
        (void)flags;
        (void)user;
        if (h)
                h2_head_refuse(h, 400, "invalid field");
        return 0;
}

/* The head is complete: a stream of ours begins. */
static int begin(struct h2_stream *st)
{
        struct strm *s = sess_stream(st->c->sess);

        if (!s)
                return nghttp2_submit_rst_stream(st->c->ng, NGHTTP2_FLAG_NONE, st->id, NGHTTP2_REFUSED_STREAM);
        (void)h2_head_end(st->head, st->rx_end); /* a refusal is answered by the stream */
        st->strm = s;
        st->side = &s->cl;
        *st->side = (struct side){ .ops = &h2_stream_ops, .strm = s, .carrier = st };
        st->c->n_streams++;
        strm_wake(s);
        return 0;
}

static int on_frame_recv(nghttp2_session *ng, const nghttp2_frame *f, void *user)
{
        struct h2_stream *st = nghttp2_session_get_stream_user_data(ng, f->hd.stream_id);

        (void)user;
        if (!st || (f->hd.type != NGHTTP2_HEADERS && f->hd.type != NGHTTP2_DATA))
                return 0;
        st->rx_end = (f->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
        if (f->hd.type == NGHTTP2_HEADERS && f->headers.cat == NGHTTP2_HCAT_REQUEST) {
                int r = begin(st);
                if (r || !st->strm)
                        return r;
        } else if (f->hd.type == NGHTTP2_HEADERS && st->trailers) {
                (void)h2_head_end(st->trailers, true);
        }
        st->side->rx_bytes += f->hd.length + H2_FRAME_HEAD;
        h2_stream_wake(st);
        return 0;
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *p, size_t n, void *user)
{
        struct h2_stream *st = nghttp2_session_get_stream_user_data(ng, id);

        (void)flags;
        (void)user;
        (void)nghttp2_session_consume_connection(ng, n);
        if (!st || !st->strm) {
                (void)nghttp2_session_consume_stream(ng, id, n);
                return 0;
        }
        if (!h2_bytes_add(&st->in, p, n))
                return nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, id, NGHTTP2_INTERNAL_ERROR);
        h2_stream_wake(st);
        return 0;
}

static int on_frame_send(nghttp2_session *ng, const nghttp2_frame *f, void *user)
{
        struct h2_stream *st = nghttp2_session_get_stream_user_data(ng, f->hd.stream_id);

        (void)user;
        if (!st || !st->strm || (f->hd.type != NGHTTP2_HEADERS && f->hd.type != NGHTTP2_DATA))
                return 0;
        st->side->tx_bytes += f->hd.length + H2_FRAME_HEAD;
        if (f->hd.flags & NGHTTP2_FLAG_END_STREAM) {
                st->sent_end = true;
                h2_stream_wake(st);
        }
        return 0;
}

static int on_stream_close(nghttp2_session *ng, int32_t id, uint32_t code, void *user)
{
        struct h2_stream *st = nghttp2_session_get_stream_user_data(ng, id);

        (void)code;
        (void)user;
        if (!st)
                return 0;
        if (st->strm)
                h2_stream_lost(st);
        else
                h2_stream_free(st);
        return 0;
}

/* ---- life ---- */

static nghttp2_session *session_new(struct h2_conn *c)
{
        nghttp2_session_callbacks *cb = NULL;
        nghttp2_option *o = NULL;
        nghttp2_session *ng = NULL;

        if (nghttp2_session_callbacks_new(&cb) == 0 && nghttp2_option_new(&o) == 0) {
                nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
                nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
                nghttp2_session_callbacks_set_on_invalid_header_callback(cb, on_invalid_header);
                nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
                nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_send);
                nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
                nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
                nghttp2_option_set_no_auto_window_update(o, 1);
                if (nghttp2_session_server_new2(&ng, cb, c, o) != 0)
                        ng = NULL;
        }
        nghttp2_session_callbacks_del(cb);
        nghttp2_option_del(o);
        return ng;
}

static bool say_settings(struct h2_conn *c)
{
        const nghttp2_settings_entry v[] = {
                { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, H2_STREAMS },
                { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_WINDOW },
                { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, c->sess->cfg->bufsize },
        };

        return nghttp2_submit_settings(c->ng, NGHTTP2_FLAG_NONE, v, array_len(v)) == 0 &&
               nghttp2_session_set_local_window_size(c->ng, NGHTTP2_FLAG_NONE, 0, H2_CONN_WIN) == 0;
}

static int h2_start(struct sess *s)
{
        size_t size;
        struct h2_conn *c = mem_get(sizeof(*c), &size);

        if (!c)
                return -ENOMEM;
        *c = (struct h2_conn){ .sess = s, .size = size };
        list_init(&c->streams);
        task_init(&c->task, run_task);
        c->ng = session_new(c);
        if (c->ng && say_settings(c)) {
                s->carrier = c;
                return 0;
        }
        nghttp2_session_del(c->ng);
        mem_put(c, size);
        return -ENOMEM;
}

/* Streams under way go on; a client that is told does not take a later one for served (RFC 9113 6.8). Asked again while
 * nothing is under way, it does not wait for a client that reads nothing. */
static void h2_stop(struct sess *s)
{
        struct h2_conn *c = s->carrier;

        if (c->stopping && c->n_streams == 0) {
                sess_finish(s, true);
                return;
        }
        if (!c->stopping)
                (void)nghttp2_submit_goaway(c->ng, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(c->ng),
                                            NGHTTP2_NO_ERROR, NULL, 0);
        c->stopping = true;
        if (s->state == SESS_IDLE)
                sess_quiet(s); /* a client that does not read it is not waited for longer than an idle one */
        h2_post(c);
}

static void bury(struct grave *g)
{
        struct h2_conn *c = container_of(g, struct h2_conn, grave);

        mem_put(c, c->size);
}

static void h2_close(struct sess *s)
{
        struct h2_conn *c = s->carrier;

        ASSERT(c->n_streams == 0);
        s->carrier = NULL;
        lose_all(c); /* heads that were never complete */
        task_cancel(&c->task);
        nghttp2_session_del(c->ng);
        h2_bytes_free(&c->out);
        loop_bury(thr_self->loop, &c->grave, bury);
}

/* ---- the word ---- */

enum { PROTO_NONE, PROTO_H2 };

struct h2_bind { /* slot "h2_bind" */
        int proto;
};
extern int h2_bind_slot;

static const struct kw_val protos[] = { { "h2", PROTO_H2 }, { NULL, 0 } };

static const struct kw rows[] = {
        KW_ENUM("proto", struct h2_bind, proto, protos, .apply = KW_NEW, .manual = "5.1", .args = "h2",
                .help = "what is spoken from the first byte on, without asking"),
};

KW_TABLE(h2_bind, KIND_BIND, struct h2_bind, rows);

static bool applies(const struct conf_obj *bind)
{
        const struct h2_bind *b = conf_slot(bind, h2_bind_slot);

        return b && b->proto == PROTO_H2;
}

static unsigned h2_streams(const struct sess *s)
{
        const struct h2_conn *c = s->carrier;

        return c ? c->n_streams : 0;
}

static const struct front_proto h2_proto = { .name = "h2",
                                             .applies = applies,
                                             .start = h2_start,
                                             .wake = h2_wake,
                                             .stop = h2_stop,
                                             .close = h2_close,
                                             .streams = h2_streams,
                                             .streams_max = H2_STREAMS };
FRONT_PROTO(h2_proto);
