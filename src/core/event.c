/* core/event.c - the subscribers of each type, sorted once at boot. */
#include "core/event.h"

#include <stdlib.h>

extern const struct event_sub *const __start_telamon_sub[] __attribute__((weak));
extern const struct event_sub *const __stop_telamon_sub[] __attribute__((weak));

static const struct event_sub **subs;
static size_t first[EVENT_TYPES + 1]; /* subs[first[t] .. first[t + 1]) are of type t */

static int by_type_rank_name(const void *a, const void *b)
{
        const struct event_sub *x = *(const struct event_sub *const *)a, *y = *(const struct event_sub *const *)b;

        if (x->type != y->type)
                return x->type < y->type ? -1 : 1;
        if (x->rank != y->rank)
                return x->rank < y->rank ? -1 : 1;
        return strcmp(x->name, y->name);
}

void event_boot(void)
{
        size_t n = (size_t)(__stop_telamon_sub - __start_telamon_sub), i = 0;

        if (subs || n == 0)
                return;
        subs = malloc(n * sizeof(*subs));
        ASSERT(subs != NULL);
        memcpy(subs, __start_telamon_sub, n * sizeof(*subs));
        qsort(subs, n, sizeof(*subs), by_type_rank_name);
        for (unsigned t = 0; t <= EVENT_TYPES; t++) {
                while (i < n && subs[i]->type < t)
                        i++;
                first[t] = i;
        }
}

void event_publish(enum event_type t, const void *event)
{
        for (size_t i = first[t]; i < first[t + 1]; i++)
                subs[i]->fn(event);
}
