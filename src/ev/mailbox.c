/* ev/mailbox.c - mail and sleep, the one lock-free protocol of the loop (Dekker's: each side writes its own word, then
 * reads the other's):
 *   poster:  inbox = m  (compare-exchange, seq_cst) then  reads asleep (seq_cst)
 *   owner:   asleep = 1 (seq_cst)                   then  reads inbox (seq_cst)
 * In the single order of seq_cst operations one of the two reads comes after the other side's write, so either the
 * poster sees the sleeper and writes the eventfd, or the owner sees the mail and polls without waiting. A caller of
 * mailbox_wake() has a word of its own in the place of the inbox. The eventfd is polled edge-triggered and never read:
 * each write is a new edge. */
#include "ev/mailbox.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

int mailbox_init(struct mailbox *b)
{
        b->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        atomic_init(&b->inbox, NULL);
        atomic_init(&b->asleep, false);
        return b->wake_fd < 0 ? -errno : 0;
}

void mailbox_fini(struct mailbox *b)
{
        if (b->wake_fd >= 0)
                (void)close(b->wake_fd);
        b->wake_fd = -1;
}

/* seq_cst pairs with mailbox_doze(); the exchange lets only the first of many posters pay for the write. */
void mailbox_wake(struct mailbox *b)
{
        const uint64_t one = 1;

        if (atomic_load(&b->asleep) && atomic_exchange(&b->asleep, false)) {
                ssize_t unused = write(b->wake_fd, &one, sizeof(one));
                (void)unused; /* EAGAIN needs 2^64 writes */
        }
}

void mailbox_post(struct mailbox *b, struct mail *m)
{
        m->next = atomic_load_explicit(&b->inbox, memory_order_relaxed);
        while (!atomic_compare_exchange_weak(&b->inbox, &m->next, m))
                ;
        mailbox_wake(b);
}

bool mailbox_doze(struct mailbox *b)
{
        atomic_store(&b->asleep, true);
        if (!atomic_load(&b->inbox))
                return true;
        mailbox_awake(b); /* a poster's write in vain is harmless */
        return false;
}

void mailbox_awake(struct mailbox *b)
{
        atomic_store_explicit(&b->asleep, false, memory_order_relaxed);
}

/* One exchange takes all; acquire pairs with the posters' compare-exchange. The chain is newest first: turn it round.
 * */
uint64_t mailbox_run(struct mailbox *b)
{
        struct mail *m, *next, *first = NULL;
        uint64_t n = 0;

        if (!atomic_load_explicit(&b->inbox, memory_order_relaxed))
                return 0;
        for (m = atomic_exchange_explicit(&b->inbox, NULL, memory_order_acquire); m; m = next) {
                next = m->next;
                m->next = first;
                first = m;
        }
        for (m = first; m; m = next, n++) {
                next = m->next;
                m->fn(m);
        }
        return n;
}
