/* Any bytes: an answer without a leak or an overrun, and every string of the tree ends with its NUL. What JSON calls
 * valid and YAML takes too has the same shape. */
#include "ext/json.h"
#include "ext/yaml.h"

#include <stdlib.h>

static uint64_t walk(const struct val *v)
{
        uint64_t n = 1;

        if (v->type == VAL_STR && v->s.p[v->s.n] != 0)
                abort();
        for (uint32_t i = 0; v->type == VAL_LIST && i < v->n; i++)
                n += walk(&v->items[i]);
        for (uint32_t i = 0; v->type == VAL_MAP && i < v->n; i++)
                n += walk(&v->fields[i].val);
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str text = { (const char *)data, size };
        struct arena mem = ARENA_INIT;
        struct val y, j;

        if (yaml_read(&mem, text, &y, NULL) == 0) {
                uint64_t n = walk(&y);

                if (json_parse(&mem, text, &j, NULL) == 0 && walk(&j) != n)
                        abort();
        }
        arena_fini(&mem);
        return 0;
}
