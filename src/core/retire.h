/* core/retire.h - memory that readers may still see: freed after an epoch, from any thread (base/epoch.h).
 *
 * The calling thread only queues; the control thread waits for the epoch, once for all that is queued, and frees. */
#ifndef CORE_RETIRE_H
#define CORE_RETIRE_H

void retire_later(void *p, void (*free_fn)(void *p));
void retire_run(void); /* control thread, offline: one epoch_wait() for the whole batch */
unsigned long retire_waiting(void);

#endif
