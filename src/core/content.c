/* core/content.c - see content.h. */
#include "core/content.h"
#include "base/slab.h"
#include "core/rules.h"
#include "core/strm_priv.h"
#include "core/wire.h"

static struct side *side_of(struct strm *s, enum content_of of)
{
        return of == CONTENT_REQUEST ? &s->cl : &s->sv;
}

int content_peek(struct strm *s, enum content_of of, size_t max, struct str *ret_in)
{
        struct side *side = side_of(s, of);
        uint64_t before = side->rx_bytes;
        int r;

        *ret_in = STR("");
        if (!side->ops || !side->ops->rx_peek)
                return MSG_END;
        r = side->ops->rx_peek(side, max, ret_in);
        if (side->rx_bytes != before)
                *(of == CONTENT_REQUEST ? &s->cl_active : &s->sv_active) = thr_self->now;
        return r;
}

static bool gone(const struct side *side)
{
        return (side->flags & (SIDE_RESET | SIDE_PEER_GONE)) || (side->ops && side->ops->gone && side->ops->gone(side));
}

/* A message that is complete says nothing of what its sender does next: only time does, or its leaving. */
bool content_is_final(struct strm *s, enum content_of of, int limit_ms)
{
        struct str in;
        int r;

        if (limit_ms == 0)
                return true;
        r = content_peek(s, of, SIZE_MAX, &in);
        if (r == MSG_WAIT || (r == MSG_END && s->http && !gone(side_of(s, of))))
                return strm_waited(s, limit_ms);
        return true;
}

/* ---- bodies ---- */

/* RFC 9110 10.1.1: a client that waits for it would wait in vain, as nothing goes to the server yet. */
static void say_continue(struct strm *s)
{
        struct tx_frame f = { .framing = HBODY_NONE };
        struct hfield field[4];
        char arena[128];
        struct hmsg m;

        s->req->flags &= (uint32_t)~HMSG_EXPECT_100;
        hmsg_del_all(s->req, STR("expect"));
        hmsg_init(&m, field, array_len(field), arena, sizeof(arena));
        m.flags |= HMSG_RESPONSE;
        m.minor = 1;
        if (hmsg_set_status(&m, 100, STR("Continue")) == 0)
                (void)s->cl.ops->tx(&s->cl, &m, &f, NULL, 0, false);
}

static int request_late(struct strm *s)
{
        s->t.request = 0;
        STAT_INC(strm_front_stat(s)->err_req);
        strm_term(s, 'c', 'R');
        strm_answer(s, 408);
        return RULE_TAKEN;
}

static int answer_late(struct strm *s)
{
        struct px_stat *st[2] = { strm_back_stat(s), strm_srv_stat(s) };

        for (int i = 0; i < 2; i++)
                if (st[i])
                        STAT_INC(st[i]->err_resp);
        strm_term(s, 's', 'H');
        s->sv.ops->rx_head_free(&s->sv);
        s->rsp = NULL;
        strm_answer(s, 504);
        return RULE_TAKEN;
}

int content_body(struct strm *s, enum content_of of, int limit_ms, size_t least)
{
        struct str in;
        int r = content_peek(s, of, least ? least : SIZE_MAX, &in);

        if (of == CONTENT_REQUEST)
                s->t.request = thr_self->now; /* %TR: the body is what was waited for */
        if (r != MSG_WAIT) {
                strm_wait_done(s);
                s->body_cut = r == MSG_ERR && of == CONTENT_REQUEST; /* rules run, no server hears of it */
                return RULE_NEXT;
        }
        if (of == CONTENT_REQUEST && s->req && (s->req->flags & HMSG_EXPECT_100) && in.n == 0)
                say_continue(s);
        if (!strm_waited(s, limit_ms))
                return RULE_WAIT;
        strm_wait_done(s);
        return of == CONTENT_REQUEST ? request_late(s) : answer_late(s);
}

/* ---- HTTP in what mode tcp passes through ---- */

static bool may_be_http(struct str in, enum content_of of)
{
        return of == CONTENT_REQUEST ? in.p[0] >= 'A' && in.p[0] <= 'Z' : in.p[0] == 'H';
}

static enum h1_verdict parse(struct content_head *h, enum content_of of, struct str in)
{
        struct headbox *b = h->box;

        memcpy(h->copy, in.p, in.n);
        h1_init(&b->parser, 0, 0);
        hmsg_rebase(&b->m, h->copy, (uint32_t)in.n);
        return of == CONTENT_REQUEST ? h1_request(&b->parser, &b->m, (uint32_t)in.n)
                                     : h1_response(&b->parser, &b->m, (uint32_t)in.n, HMETH_GET);
}

void content_head(struct content_head *h, struct strm *s, enum content_of of, struct expr_ctx *x)
{
        const unsigned shows =
                EXPR_ANY_HEAD | (of == CONTENT_REQUEST ? EXPR_REQ_HEAD | EXPR_REQ_LINE : EXPR_RSP_HEAD | EXPR_STATUS);
        struct str in;
        enum h1_verdict v;

        *h = (struct content_head){ .box = NULL };
        (void)content_peek(s, of, SIZE_MAX, &in);
        if (in.n == 0)
                return;
        if (!may_be_http(in, of)) {
                x->never |= shows;
                return;
        }
        h->copy = mem_get(in.n, &h->size);
        h->box = h->copy ? headbox_new() : NULL;
        v = h->box ? parse(h, of, in) : H1_BAD;
        if (v == H1_OK) {
                x->have |= shows;
                *(of == CONTENT_REQUEST ? &x->req : &x->rsp) = &h->box->m;
        } else if (v != H1_MORE) {
                x->never |= shows;
        }
}

void content_head_done(struct content_head *h)
{
        if (h->box)
                headbox_free(h->box);
        if (h->copy)
                mem_put(h->copy, h->size);
        *h = (struct content_head){ .box = NULL };
}
