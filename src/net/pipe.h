/* net/pipe.h - kernel pipes for splice, per thread, adaptive in size.
 *
 * An unprivileged user gets 256 pipes of 256 KiB, later ones 8 KiB (mechanisms.md f): pipe_get() asks for the large
 * size, keeps what it got, and a stream that got a small pipe falls back to copying when that is faster (pipe.size
 * tells).
 * Threads: one thread's pool. */
#ifndef NET_PIPE_H
#define NET_PIPE_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

struct pipe {
        int rd, wr;
        size_t size; /* capacity in bytes */
        size_t fill; /* bytes in it */
        struct pipe *next;
};

struct pipe *pipe_get(void);   /* empty; NULL when none is to be had (limit, fds) */
void pipe_put(struct pipe *p); /* a pipe with bytes left in it is closed, not kept */
#define PIPE_NONE UINT_MAX
void pipe_set_limit(unsigned per_thread); /* 0: none; PIPE_NONE: there are to be no pipes */
void pipe_set_size(size_t n);             /* asked for from now on; 0: 256 KiB */
unsigned pipe_used(void);                 /* of this thread */
unsigned pipe_free_count(void);

/* Of the whole process; any thread. */
struct pipe_totals {
        uint64_t used, free, moved; /* pipes lent and kept, bytes sent out of pipes so far */
        unsigned limit;             /* of one thread; 0 = none */
};
struct pipe_totals pipe_totals(void);
void pipe_moved(size_t n);

#endif
