/* core/pin.h - what keeps an immutable cfg alive past one loop turn.
 *
 * A stream pins the program and settings it uses, never the whole configuration. One counter per thread, written only by that thread (a
 * stream lives and dies on one thread), so a pin costs one plain increment. The control thread retires a cfg: unpublish, epoch_wait(),
 * then free it once every thread's counter is 0 (no new pin can appear after the epoch). */
#ifndef CORE_PIN_H
#define CORE_PIN_H

#include "base/list.h"
#include "base/thr.h"

#include <stdatomic.h>

struct pins {
        struct list link; /* on the control thread's list of retired objects */
        void (*free)(struct pins *p);
        _Atomic uint32_t *n; /* [thr_count()] */
};

void pins_init(struct pins *p, void (*free_fn)(struct pins *));
void pins_retire(struct pins *p); /* control thread: frees it now or when the last pin goes */
unsigned pins_reap(void);         /* control thread, periodic: returns how many are still held */

static inline void pin(struct pins *p)
{
        _Atomic uint32_t *n = &p->n[thr_self->id];
        atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* Release pairs with the acquire in pins_reap(): all reads through the pin happen before the free. */
static inline void unpin(struct pins *p)
{
        _Atomic uint32_t *n = &p->n[thr_self->id];
        atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) - 1, memory_order_release);
}

#endif
