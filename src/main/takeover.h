/* main/takeover.h - the listening sockets of a process that runs (-x, management.txt 3): haproxy or telamon, over a stats socket with
 * `expose-fd listeners`.
 *
 * On the wire (not in the manual; seen with haproxy 2.6 and 3.4): we send "_getsocks\n"; an int says how many sockets come; they come in
 * batches by SCM_RIGHTS with a text that has for each of them u8 length and name of a network namespace, u8 length and name of an
 * interface, and an int; we answer each batch by an int, the number that we had before it.
 * What comes is judged, not believed: bounded in number, bytes and time; a socket of another namespace is dropped; where each one listens is
 * asked of the kernel.
 * Threads: main thread.  Ownership: caller's storage. */
#ifndef MAIN_TAKEOVER_H
#define MAIN_TAKEOVER_H

#include "core/engine.h"

struct takeover {
        int *fds; /* -1: taken by somebody */
        size_t n;
};

/* Waits TAKEOVER_MS at most. Negative errno: nothing is open, ret_t untouched. -EPROTO: it does not say what such a process says. */
#define TAKEOVER_MS 5000
int takeover_get(const char *path, struct takeover *ret_t);
/* Those that listen at this address, LISTEN_SHARDS_MAX at most, with what else spec says set; they are the caller's. How many. */
unsigned takeover_match(struct takeover *t, const struct listen_spec *spec, int *ret_fds);
void takeover_fini(struct takeover *t); /* closes what nobody took */

/* Pure: reads the text of n sockets. 1 = whole, ret_foreign[i] says whether socket i is of another namespace; 0 = more must come;
 * -EPROTO: there is too much. */
int takeover_text(struct str text, size_t n, bool *ret_foreign);

#endif
