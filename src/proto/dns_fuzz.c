/* Answers: any bytes end in a verdict, and what is given out is within bounds. */
#include "proto/dns.h"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct dns_question q = { .id = 0x1234, .type = DNS_A, .name = STR("web.test") };
        struct dns_record v[8];
        unsigned aliases = 0;
        size_t n = 0;

        for (int i = 0; i < 2; i++, q.type = DNS_AAAA) {
                enum dns_verdict r = dns_read(data, size, &q, v, 8, &n, &aliases);

                ASSERT(r <= DNS_INVALID);
                ASSERT(r != DNS_OK || (n > 0 && n <= 8));
                ASSERT(aliases <= DNS_ALIASES_MAX + 1);
        }
        return 0;
}
