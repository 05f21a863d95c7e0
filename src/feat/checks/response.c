/* feat/checks/response.c - see response.h. */
#include "feat/checks/response.h"

#include <stdlib.h>

static void begin_head(struct response *r)
{
        hmsg_init(&r->m, r->fields, array_len(r->fields), NULL, 0);
        h1_init(&r->h, 0, 0);
        r->stage = RESPONSE_HEAD;
}

struct response *response_new(enum hmeth method)
{
        struct response *r = calloc(1, sizeof(*r));

        if (!r)
                return NULL;
        r->method = method;
        begin_head(r);
        return r;
}

void response_free(struct response *r)
{
        if (!r)
                return;
        buf_fini(&r->body);
        free(r);
}

static void head_done(struct response *r)
{
        size_t end = r->base + r->m.head_len;

        if (r->m.status < 200 && r->m.status != 101) {
                r->base = end;
                begin_head(r);
                return;
        }
        r->pos = end;
        h1_chunk_init(&r->chunk);
        r->stage = r->m.body == HBODY_NONE || r->m.body == HBODY_TUNNEL ? RESPONSE_DONE : RESPONSE_BODY;
}

/* False: more bytes are needed. */
static bool read_head(struct response *r, const struct buf *in, bool last)
{
        switch (h1_response(&r->h, &r->m, (uint32_t)(in->n - r->base), r->method)) {
        case H1_OK: head_done(r); return true;
        case H1_MORE:
                if (last)
                        r->stage = RESPONSE_BAD;
                return false;
        default: r->stage = RESPONSE_BAD; return false;
        }
}

static void take(struct response *r, const struct buf *in, size_t n)
{
        buf_add(&r->body, in->p + r->pos, n);
        r->pos += n;
}

/* Trailers say nothing to a check: with the last chunk the body is there. */
static bool read_chunks(struct response *r, const struct buf *in)
{
        while (r->pos < in->n) {
                struct str data;
                size_t used = 0;
                enum h1_chunk_verdict v = h1_chunk_next(&r->chunk, in->p + r->pos, in->n - r->pos, &used, &data);

                r->pos += used;
                if (v == H1_CHUNK_DATA)
                        buf_str(&r->body, data);
                else if (v == H1_CHUNK_END || v == H1_CHUNK_TRAILERS)
                        return true;
                else if (v == H1_CHUNK_BAD)
                        r->stage = RESPONSE_BAD;
                if (v == H1_CHUNK_BAD || v == H1_CHUNK_MORE)
                        return false;
        }
        return false;
}

static void read_body(struct response *r, const struct buf *in, bool last)
{
        size_t there = in->n - r->pos;
        bool whole = false;

        if (r->m.body == HBODY_CHUNKED) {
                whole = read_chunks(r, in);
        } else if (r->m.body == HBODY_LENGTH) {
                uint64_t left = r->m.length - r->body.n;

                take(r, in, there < left ? there : (size_t)left);
                whole = r->body.n == r->m.length;
        } else {
                take(r, in, there);
        }
        if (r->stage == RESPONSE_BODY && (whole || last))
                r->stage = RESPONSE_DONE; /* cut short it is judged as far as it came, as HAProxy does */
}

void response_read(struct response *r, struct buf *in, bool last)
{
        hmsg_rebase(&r->m, in->p + r->base, (uint32_t)(in->n - r->base));
        while (r->stage == RESPONSE_HEAD) {
                if (!read_head(r, in, last))
                        return;
                if (r->stage == RESPONSE_HEAD) /* an interim answer: the next one begins behind it */
                        hmsg_rebase(&r->m, in->p + r->base, (uint32_t)(in->n - r->base));
        }
        if (r->stage == RESPONSE_BODY)
                read_body(r, in, last);
}
