/* base/epoch.h - readers that never wait, and a writer that knows when they are done (QSBR, liburcu).
 *
 * A reader section is one loop turn. Loops are offline around the poll call: a sleeping loop never holds a publish up.
 * Pointers that outlive a turn need a pin (core/pin.h), not an epoch.
 * Threads: per OS thread. A thread that never entered may call all but epoch_load() of data that is retired by epochs.
 * */
#ifndef BASE_EPOCH_H
#define BASE_EPOCH_H

#include <stdatomic.h>

void epoch_thread_enter(void); /* each loop thread, once; starts online */
void epoch_thread_leave(void);
void epoch_online(void);
void epoch_offline(void);
void epoch_turn(void); /* a quiescent point */

/* Blocks until every reader section that runs now has ended. The caller is offline or not registered (an online caller
 * would wait for itself). */
void epoch_wait(void);

/* Published pointers: the writer's release pairs with the readers' acquire (consume). */
#define epoch_load(p)       atomic_load_explicit((p), memory_order_acquire)
#define epoch_publish(p, v) atomic_store_explicit((p), (v), memory_order_release)

#endif
