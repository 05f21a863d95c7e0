/* Chunked bodies: the cut changes nothing, and what was decoded, chunked anew, decodes to the same bytes. */
#include "proto/h1.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
        int verdict;
        size_t used, n;
        char data[4096 * 2];
};

static void decode(const char *p, size_t n, size_t step, struct sum *s)
{
        struct h1_chunk c;

        h1_chunk_init(&c);
        s->verdict = H1_CHUNK_MORE;
        s->used = s->n = 0;
        while (s->verdict == H1_CHUNK_MORE && s->used < n) {
                size_t take = n - s->used < step ? n - s->used : step, used = SIZE_MAX;
                struct str span = { NULL, 0 };

                s->verdict = h1_chunk_next(&c, p + s->used, take, &used, &span);
                ASSERT(used <= take);
                if (s->verdict == H1_CHUNK_DATA) {
                        ASSERT(span.n && span.p >= p + s->used && span.p + span.n == p + s->used + used);
                        memcpy(s->data + s->n, span.p, span.n);
                        s->n += span.n;
                        s->verdict = H1_CHUNK_MORE;
                }
                s->used += used;
        }
}

static size_t encode(const struct sum *a, size_t step, char *out)
{
        size_t n = 0;

        for (size_t at = 0; at < a->n;) {
                size_t take = a->n - at < step ? a->n - at : step;
                n += h1_chunk_head(out + n, take);
                memcpy(out + n, a->data + at, take);
                n += take;
                out[n++] = '\r';
                out[n++] = '\n';
                at += take;
        }
        for (const char *last = H1_CHUNK_LAST; *last; last++)
                out[n++] = *last;
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct sum a, b;
        static char out[4096 * 32];

        if (size < 2 || size > 4096)
                return 0;
        const char *p = (const char *)data + 1;
        decode(p, size - 1, SIZE_MAX, &a);
        decode(p, size - 1, data[0] % 32U + 1, &b);
        ASSERT(a.verdict == b.verdict && a.n == b.n && memcmp(a.data, b.data, a.n) == 0);
        if (a.verdict == H1_CHUNK_BAD)
                return 0;
        ASSERT(a.used == b.used);
        size_t n = encode(&a, data[0] % 16U + 1, out);
        decode(out, n, SIZE_MAX, &b);
        ASSERT(b.verdict == H1_CHUNK_END && b.used == n && b.n == a.n && memcmp(a.data, b.data, a.n) == 0);
        return 0;
}
