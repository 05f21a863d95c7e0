/* main/again.h - starting the program again with one option more, in the same process: `daemon` and `master-worker` are words of a
 * file, and what they mean has to be known from the beginning. Nothing must be bound and no thread must run yet.
 *
 * Threads: main thread. */
#ifndef MAIN_AGAIN_H
#define MAIN_AGAIN_H

void again_remember(void); /* first of all: the working directory, before -C */
/* Inherited descriptors (fd@N) are for our sockets, not for children. */
void again_keep_from_children(void);
void again_with(char **argv, const char *option); /* returns when it cannot be; that was logged */

#endif
