/* Answers to a check's request, from a hostile server: the first byte says how they are cut. */
#include "feat/checks/response.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct response *r = response_new(HMETH_GET);
        struct buf in = { .limit = 16384 };
        size_t step = size ? 1u + data[0] : 1;

        for (size_t i = 1; i < size && r; i += step) {
                buf_add(&in, data + i, size - i < step ? size - i : step);
                response_read(r, &in, false);
                ASSERT(r->body.n <= in.n);
        }
        if (r) {
                response_read(r, &in, true);
                ASSERT(r->stage == RESPONSE_DONE || r->stage == RESPONSE_BAD);
        }
        response_free(r);
        buf_fini(&in);
        return 0;
}
