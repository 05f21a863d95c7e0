/* Heads of the PROXY protocol: nothing is read beyond the input; what is read and written again is read to the same. */
#include "proto/pp.h"

#include "base/assert.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct str in = { (const char *)p, n }, value;
        struct pp_head h, again;
        size_t used, used2;
        char out[128];

        if (pp_read(in, &h, &used) != PP_OK)
                return 0;
        ASSERT(used <= n);
        (void)pp_tlv(&h, PP_TLV_UNIQUE_ID, &value);
        n = pp_write(&h, NULL, 0, true, out, sizeof(out));
        ASSERT(n > 0 && pp_read((struct str){ out, n }, &again, &used2) == PP_OK && used2 == n);
        ASSERT(again.local == h.local || h.version == 1);
        ASSERT(again.family == h.family && memcmp(&again.src, &h.src, sizeof(h.src)) == 0);
        return 0;
}
