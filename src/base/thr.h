/* base/thr.h - what a thread of the program knows of itself. The only thread-local data of the program: the simulator
 * runs several loops in one OS thread by switching `thr_self`. */
#ifndef BASE_THR_H
#define BASE_THR_H

#include "base/sys.h"
#include "base/time.h"

#define THR_MAX        64 /* data threads + control, HAProxy's MAX_THREADS on 64 bits */
#define THR_LOCALS     32
#define THR_RX_DEFAULT (256u * 1024)

struct loop;

struct thr {
        unsigned id; /* 0..n-1 data threads; n = control thread */
        const struct sys_ops *sys;
        struct loop *loop;
        mono_t now;      /* of this turn */
        int64_t wall_us; /* of this turn */
        char *rx;        /* shared receive buffer: its content lives until the current callback ends */
        size_t rx_size;
        void *local[THR_LOCALS]; /* per-thread state of modules, index from thr_local_index() */
};

extern _Thread_local struct thr *thr_self;

unsigned thr_count(void); /* data threads; fixed before the first one starts */
void thr_set_count(unsigned n);

/* The receive buffer costs memory only where it was touched. NULL when memory is gone. Any thread may make one; the
 * thread it is for sets thr_self. */
struct thr *thr_new(unsigned id, const struct sys_ops *sys, size_t rx_size);
void thr_free(struct thr *t); /* calls the modules' fini with thr_self == t, so on no other thread's behalf at a time */

/* Reserves one index of thr.local[] for a module, at boot (before threads); ASSERTs at THR_LOCALS. `fini` is called by
 * thr_free() when the thread's value is not NULL. */
unsigned thr_local_index(void (*fini)(void *local));

#endif
