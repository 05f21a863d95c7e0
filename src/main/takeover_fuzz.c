/* The text that comes with the sockets of another process. */
#include "main/takeover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        bool foreign[256];
        size_t n = size ? data[0] : 0;
        int whole;

        if (size < 1)
                return 0;
        whole = takeover_text((struct str){ (const char *)data + 1, size - 1 }, n, foreign);
        /* a whole text is no longer whole without its end, nor with more */
        if (whole == 1 && size > 1)
                ASSERT(takeover_text((struct str){ (const char *)data + 1, size - 2 }, n, foreign) == 0);
        return 0;
}
