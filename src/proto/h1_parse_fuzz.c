/* Requests: whatever comes, the verdict does not depend on the cut, and what is accepted can be written. */
#include "proto/h1_testing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct ht t, u;

        if (size < 2 || size > 4096)
                return 0;
        const char *p = (const char *)data + 1;
        uint32_t n = (uint32_t)size - 1, step = data[0] % 64U + 1;
        ht_init(&t, HT_REQUEST, HMETH_OTHER, 0);
        ht_init(&u, HT_REQUEST, HMETH_OTHER, 0);
        enum h1_verdict v = ht_all(&t, p, n);
        ASSERT(ht_pieces(&u, p, n, step) == v && u.h.why == t.h.why && u.m.nf == t.m.nf);
        if (v == H1_OK) {
                struct h1_wopt o = ht_frame(&t.m);
                char *s;
                size_t len;

                ASSERT(t.m.head_len <= n && t.m.flags == u.m.flags && t.m.body == u.m.body && t.m.length == u.m.length);
                ASSERT(memcmp(t.f, u.f, t.m.nf * sizeof(t.f[0])) == 0);
                ASSERT(ht_write(&t.m, &o, &s, &len) == 0);
                free(s);
        }
        ht_fini(&t);
        ht_fini(&u);
        return 0;
}
