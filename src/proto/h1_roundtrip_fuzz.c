/* parse -> write -> parse: what leaves is accepted again, means the same, and is already in its final form. */
#include "proto/h1_testing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int next_sent(const struct hmsg *m, int i)
{
        for (i = hmsg_next(m, i); i >= 0; i = hmsg_next(m, i + 1)) {
                const struct hfield *f = &m->f[i];

                if (!(f->flags & HF_HOP) && (f->id == HID_NONE || f->id >= HID_FIRST_END2END))
                        return i;
        }
        return -1;
}

static void same_fields(const struct hmsg *a, const struct hmsg *b)
{
        int i = next_sent(a, 0), k = next_sent(b, 0);

        for (; i >= 0 && k >= 0; i = next_sent(a, i + 1), k = next_sent(b, k + 1)) {
                ASSERT(str_eq(hmsg_name(a, i), hmsg_name(b, k)));
                ASSERT(str_eq(hmsg_value(a, i), hmsg_value(b, k)));
        }
        ASSERT(i < 0 && k < 0);
}

static struct h1_wopt options(const struct hmsg *m, uint8_t sel)
{
        struct h1_wopt o = ht_frame(m);

        o.flags = sel & (H1_WRITE_CLOSE | H1_WRITE_KEEP_ALIVE);
        if (m->upgrade != HUPGRADE_NONE)
                o.flags |= H1_WRITE_UPGRADE;
        return o;
}

static void check(struct ht *a, uint8_t sel)
{
        struct h1_wopt o = options(&a->m, sel);
        struct ht b;
        char *s, *s2;
        size_t n, n2;

        if (sel & 0x10 && hmsg_add(&a->m, STR("X-Added"), STR("1")) != 0)
                return;
        /* A rule removes a field; without its key a websocket handshake would rightly be refused. */
        if (sel & 0x20 && a->m.nf && a->m.f[sel % a->m.nf].id != HID_SEC_WEBSOCKET_KEY)
                hmsg_del(&a->m, sel % a->m.nf);
        ASSERT(ht_write(&a->m, &o, &s, &n) == 0);
        ht_init(&b, a->kind, a->req, H1_STRICT_LF);
        ASSERT(ht_all(&b, s, (uint32_t)n) == H1_OK);
        ASSERT(b.m.head_len == n && b.m.body == a->m.body && b.m.announced == a->m.announced);
        ASSERT(b.m.length == a->m.length && b.m.method == a->m.method && b.m.status == a->m.status);
        ASSERT(str_eq(hmsg_target(&a->m), hmsg_target(&b.m)) && str_eq(hmsg_reason(&a->m), hmsg_reason(&b.m)));
        ASSERT(!(sel & H1_WRITE_CLOSE) || b.m.flags & HMSG_CLOSE);
        same_fields(&a->m, &b.m);
        o = options(&b.m, sel);
        ASSERT(ht_write(&b.m, &o, &s2, &n2) == 0);
        ASSERT(n2 == n && memcmp(s, s2, n) == 0);
        free(s);
        free(s2);
        ht_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const enum hmeth meth[4] = { HMETH_GET, HMETH_HEAD, HMETH_CONNECT, HMETH_POST };
        struct ht t;

        if (size < 2 || size > 4096)
                return 0;
        ht_init(&t, data[0] & 0x80 ? HT_RESPONSE : HT_REQUEST, meth[data[0] >> 2 & 3], 0);
        if (ht_all(&t, (const char *)data + 1, (uint32_t)size - 1) == H1_OK)
                check(&t, data[0]);
        ht_fini(&t);
        return 0;
}
