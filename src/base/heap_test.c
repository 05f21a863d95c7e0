/* The heap against a plain array: smallest first, equal ones in their order, any one taken out. */
#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define MANY 2000

static struct heap_node node[MANY];
static bool in[MANY];

static struct heap_node *smallest(void)
{
        struct heap_node *best = NULL;

        for (size_t i = 0; i < MANY; i++)
                if (in[i] && (!best || heap_before(&node[i], best)))
                        best = &node[i];
        return best;
}

static void against_an_array(void **st)
{
        struct heap h = { NULL };
        uint64_t seq = 0;
        uint32_t r = 1;

        (void)st;
        for (int step = 0; step < 40000; step++) {
                size_t i;

                r = r * 1664525u + 1013904223u;
                i = (r >> 8) % MANY;
                if (!in[i]) {
                        node[i].key = (r >> 20) % 50;
                        node[i].seq = seq++;
                        heap_add(&h, &node[i]);
                        in[i] = true;
                } else if (r & 64) {
                        heap_del(&h, &node[i]);
                        in[i] = false;
                } else {
                        struct heap_node *n = heap_first(&h);

                        heap_del(&h, n);
                        in[n - node] = false;
                }
                if (step % 64 == 0)
                        assert_ptr_equal(heap_first(&h), smallest());
        }
        for (struct heap_node *n; (n = heap_first(&h)) != NULL;) {
                assert_ptr_equal(n, smallest());
                heap_del(&h, n);
                in[n - node] = false;
        }
        assert_null(smallest());
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(against_an_array) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
