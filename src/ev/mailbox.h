/* ev/mailbox.h - the mailbox of a loop: calls that other threads want made on the loop's own thread.
 *
 * Why: a session lives and dies on one thread; whoever else needs something of it posts a mail. A post costs one
 * compare-exchange, and a write to the eventfd only when the owner sleeps.
 * Ownership: the poster embeds struct mail in what it hands over; from then on the receiver owns it.
 * Order: kept per sender.  Threads: mailbox_post() and mailbox_wake() any; the rest the owner's.
 * Errors: negative errno from mailbox_init(), none after it. */
#ifndef EV_MAILBOX_H
#define EV_MAILBOX_H

#include "base/assert.h"

#include <stdatomic.h>
#include <stdbool.h>

struct mail { /* a call on another loop's thread */
        struct mail *next;
        void (*fn)(struct mail *m);
};

struct mailbox {
        int wake_fd;  /* eventfd that ends the owner's sleep; to be polled edge-triggered, never read */
        char pad[64]; /* what other threads write stays off the owner's lines */
        _Atomic(struct mail *) inbox;
        atomic_bool asleep; /* set before the poll call; a poster that sees it writes wake_fd */
};

int mailbox_init(struct mailbox *b);
void mailbox_fini(struct mailbox *b); /* mail not yet read is dropped; twice is fine */

void mailbox_post(struct mailbox *b, struct mail *m);
void mailbox_wake(struct mailbox *b); /* for what is no mail: the caller stored its word (seq_cst) before */

/* True: posters know from now on that the owner sleeps. The owner looks (seq_cst) at the words that come with
 * mailbox_wake(), polls, and says mailbox_awake(). False: mail is waiting, poll without sleeping. */
must_check bool mailbox_doze(struct mailbox *b);
void mailbox_awake(struct mailbox *b);
uint64_t mailbox_run(struct mailbox *b); /* makes the calls that wait now; how many. A call may free or post its mail */

#endif
