/* core/retire.c - a lock-free stack of things to free. */
#include "core/retire.h"

#include "base/assert.h"
#include "base/epoch.h"

#include <stdlib.h>

struct retired {
        struct retired *next;
        void *p;
        void (*free_fn)(void *p);
};

static _Atomic(struct retired *) stack;
static atomic_ulong waiting;

void retire_later(void *p, void (*free_fn)(void *p))
{
        struct retired *r = malloc(sizeof(*r));

        ASSERT(r != NULL);
        r->p = p;
        r->free_fn = free_fn;
        r->next = atomic_load_explicit(&stack, memory_order_relaxed);
        /* release pairs with the exchange's acquire in retire_run() */
        while (!atomic_compare_exchange_weak_explicit(&stack, &r->next, r, memory_order_release, memory_order_relaxed))
                ;
        atomic_fetch_add_explicit(&waiting, 1, memory_order_relaxed);
}

void retire_run(void)
{
        struct retired *r = atomic_exchange_explicit(&stack, NULL, memory_order_acquire);

        if (!r)
                return;
        epoch_wait();
        while (r) {
                struct retired *next = r->next;
                r->free_fn(r->p);
                free(r);
                atomic_fetch_sub_explicit(&waiting, 1, memory_order_relaxed);
                r = next;
        }
}

unsigned long retire_waiting(void)
{
        return atomic_load_explicit(&waiting, memory_order_relaxed);
}
