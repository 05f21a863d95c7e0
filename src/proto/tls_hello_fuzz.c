/* A hello in all its beginnings: what is shown lies in the input, and a verdict once given stays. */
#include "proto/tls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool within(struct str s, struct str in)
{
        return !s.p || (s.p >= in.p && s.p + s.n <= in.p + in.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str all = { (const char *)data, size };
        enum tls_hello_verdict before = TLS_HELLO_MORE;
        char groups[64];

        for (size_t n = 0; n <= size; n++) {
                struct str in = str_sub(all, 0, n);
                struct tls_hello h = { .type = 0 };
                enum tls_hello_verdict v = tls_hello(in, &h);

                ASSERT(before == TLS_HELLO_MORE || v == before);
                ASSERT(within(h.session_id, in) && within(h.ciphers, in) && within(h.server_name, in));
                ASSERT(within(h.alpn, in) && within(h.groups, in) && within(h.sigalgs, in));
                ASSERT(within(h.key_shares, in) && within(h.ticket, in));
                ASSERT(tls_hello_share_groups(&h, groups, sizeof(groups)) <= sizeof(groups));
                before = v;
        }
        return 0;
}
