/* core/pin.h - what keeps an immutable cfg alive past one loop turn.
 *
 * A stream pins the program and settings it uses, never the whole configuration. One counter per thread, written only by that thread (a
 * stream lives and dies on one thread), so a pin costs one plain increment. The control thread retires a cfg: unpublish, then
 * pins_retire(), which only notes it; pins_reap() waits for one epoch (no new pin can appear after it) and frees what no thread holds.
 *
 * The counters of one thread for 256 objects lie side by side, those of the next thread in other cache lines: threads that use one
 * object do not share a line.
 * Threads: pin and unpin on data threads or the control thread; everything else on the control thread. */
#ifndef CORE_PIN_H
#define CORE_PIN_H

#include "base/list.h"
#include "base/thr.h"

#include <stdatomic.h>
#include <stdbool.h>

#define PIN_STRIDE 256u

struct pins {
        struct list link; /* of the retired objects, oldest first */
        void (*free)(struct pins *p);
        _Atomic uint32_t *n; /* [(thr_count() + 1) * PIN_STRIDE], this object's column */
        uint32_t generation; /* when it was retired */
};

void pins_init(struct pins *p, void (*free_fn)(struct pins *));
void pins_drop(struct pins *p);   /* gives the counters back without free_fn: of an object that was never published */
void pins_retire(struct pins *p); /* after it was unpublished; free_fn is called by a later pins_reap() */
unsigned pins_reap(
        void); /* frees what is not held; returns how many are still held. The caller holds no epoch_load()ed pointer */
/* Generations count changes: an object retired in generation g may refer to cells that were taken out in g or later. */
uint32_t pins_generation(void);      /* the current one */
uint32_t pins_next_generation(void); /* begins a new one */
uint32_t pins_oldest(void);          /* of the oldest object that is still held; current + 1 when none is */
void pins_fini(void);                /* nothing is pinned and no object is left: gives the memory back */
unsigned pins_waiting(void);         /* how many are retired and not yet freed */
bool pins_held(const struct pins *p);
bool pins_in_turn(void); /* the caller runs inside its loop's turn: a reader itself, it would wait for itself */

static inline void pin(struct pins *p)
{
        _Atomic uint32_t *n = &p->n[thr_self->id * PIN_STRIDE];
        atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* Release pairs with the acquire in pins_reap(): all reads through the pin happen before the free. */
static inline void unpin(struct pins *p)
{
        _Atomic uint32_t *n = &p->n[thr_self->id * PIN_STRIDE];
        atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) - 1, memory_order_release);
}

#endif
