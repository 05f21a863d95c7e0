/* The splitter against any bytes: fed whole and byte by byte it gives the same answer and the same items; what it takes
 * as one list, jansson takes as a document with as many items. */
#include "ext/json.h"

#include <stdlib.h>

static uint64_t sum; /* of what the items looked like */

static int item(struct json_split *s, const struct val *v)
{
        (void)s;
        sum = sum * 31 + v->type * 7 + v->n + 1;
        return 0;
}

static int run(enum json_shape shape, struct str text, size_t step, uint64_t *ret_items)
{
        struct arena mem = ARENA_INIT;
        struct json_split s;
        int err = 0;

        sum = 0;
        json_split_init(&s, shape, shape == JSON_LIST_OF ? "items" : NULL, 2048, item);
        for (size_t i = 0; i < text.n && !err; i += step)
                err = json_split_feed(&s, str_sub(text, i, text.n - i < step ? text.n - i : step));
        err = err ? err : json_split_end(&s, &mem, NULL);
        *ret_items = s.items;
        json_split_fini(&s);
        arena_fini(&mem);
        return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        enum json_shape shape = size ? (enum json_shape)(data[0] % 3) : JSON_LIST;
        struct str text = { (const char *)data + 1, size ? size - 1 : 0 };
        uint64_t whole, bytes, whole_sum;
        struct arena mem = ARENA_INIT;
        struct val v;
        int err;

        if (size == 0)
                return 0;
        err = run(shape, text, text.n + 1, &whole);
        whole_sum = sum;
        if (run(shape, text, 1, &bytes) != err || bytes != whole || sum != whole_sum)
                abort();
        if (shape == JSON_LIST && !err && (json_parse(&mem, text, &v, NULL) != 0 || v.type != VAL_LIST || v.n != whole))
                abort();
        arena_fini(&mem);
        return 0;
}
