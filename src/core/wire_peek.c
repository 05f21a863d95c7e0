/* core/wire_peek.c - looking at a body, or at a tunnel's bytes, without taking them (core/content.h). */
#include "core/wire_priv.h"

/* The payload among the unread bytes of a chunked body, in one piece. MSG_WAIT: its end is not among them. */
static int show_chunks(const struct wire *w, struct str *ret_in)
{
        struct wire_thr *t = wire_thr();
        struct h1_chunk c = w->io->chunk;
        const char *p = w->io->in.p + w->io->in.off;
        uint32_t n = w->io->in.len;
        struct str in = { t->scratch, 0 };

        while (n > 0) {
                size_t used = 0;
                struct str data = { NULL, 0 };
                enum h1_chunk_verdict v = h1_chunk_next(&c, p, n, &used, &data);

                if (v == H1_CHUNK_DATA && data.n <= sizeof(t->scratch) - in.n) {
                        memcpy(t->scratch + in.n, data.p, data.n);
                        in.n += data.n;
                }
                *ret_in = in;
                if (v == H1_CHUNK_BAD)
                        return MSG_BAD;
                if (v == H1_CHUNK_END || v == H1_CHUNK_TRAILERS)
                        return MSG_END;
                p += used;
                n -= (uint32_t)used;
        }
        return MSG_WAIT;
}

static int show(const struct wire *w, struct str *ret_in)
{
        struct str in = { w->io->in.p + w->io->in.off, w->io->in.len };

        *ret_in = STR("");
        if (w->rx_body == HBODY_NONE)
                return MSG_END;
        if (w->rx_body == HBODY_CHUNKED)
                return show_chunks(w, ret_in);
        if (w->rx_body == HBODY_LENGTH && w->io->rx_left <= in.n)
                in.n = (size_t)w->io->rx_left;
        if (in.n)
                *ret_in = in;
        return w->rx_body == HBODY_LENGTH && w->io->rx_left == in.n ? MSG_END : MSG_WAIT;
}

int wire_rx_peek(struct side *s, size_t max, struct str *ret_in)
{
        struct wire *w = s->carrier;
        int r = s->flags & SIDE_RX_DONE ? MSG_END : show(w, ret_in);

        while (r == MSG_WAIT && ret_in->n < max && in_used(w) < w->head_max) {
                int fill = wire_fill(w, w->head_max - in_used(w));

                r = show(w, ret_in); /* they may have moved */
                if (fill == MSG_END && r == MSG_WAIT)
                        return w->rx_body == HBODY_TUNNEL || w->rx_body == HBODY_CLOSE ? MSG_END : MSG_ERR;
                if (fill != MSG_OK)
                        return r == MSG_WAIT ? fill : r;
        }
        return r == MSG_WAIT ? MSG_OK : r;
}
