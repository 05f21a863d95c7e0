/* Responses and trailers: as h1_parse_fuzz.c; the first byte chooses the cut, the request's method and the kind. */
#include "proto/h1_testing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const enum hmeth meth[4] = { HMETH_GET, HMETH_HEAD, HMETH_CONNECT, HMETH_POST };
        struct ht t, u;

        if (size < 2 || size > 4096)
                return 0;
        const char *p = (const char *)data + 1;
        uint32_t n = (uint32_t)size - 1, step = data[0] % 32U + 1;
        enum ht_kind kind = data[0] & 0x80 ? HT_TRAILERS : HT_RESPONSE;
        enum hmeth req = meth[data[0] >> 5 & 3];
        ht_init(&t, kind, req, 0);
        ht_init(&u, kind, req, 0);
        enum h1_verdict v = ht_all(&t, p, n);
        ASSERT(ht_pieces(&u, p, n, step) == v && u.h.why == t.h.why && u.m.nf == t.m.nf);
        if (v == H1_OK) {
                struct h1_wopt o = ht_frame(&t.m);
                char *s;
                size_t len;

                ASSERT(t.m.head_len <= n && t.m.flags == u.m.flags && t.m.body == u.m.body && t.m.length == u.m.length);
                ASSERT(ht_write(&t.m, kind == HT_TRAILERS ? NULL : &o, &s, &len) == 0);
                free(s);
        }
        ht_fini(&t);
        ht_fini(&u);
        return 0;
}
