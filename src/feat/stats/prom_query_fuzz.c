/* feat/stats/prom_query_fuzz.c - any query string: never outside its bytes, and a list that is refused changes nothing. */
#include "feat/stats/prom.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct prom_query q = { .scopes = 77 };

        if (!prom_query_parse((struct str){ (const char *)data, size }, &q)) {
                ASSERT(q.scopes == 77);
                return 0;
        }
        ASSERT(q.n_names <= sizeof(q.names));
        ASSERT(!(prom_query_wants(&q, STR("haproxy_server_status")) && q.some && q.n_names < 21));
        return 0;
}
