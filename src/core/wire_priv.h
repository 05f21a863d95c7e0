/* core/wire_priv.h - what the two halves of core/wire share: wire.c receives, wire_tx.c sends. */
#ifndef CORE_WIRE_PRIV_H
#define CORE_WIRE_PRIV_H

#include "base/slab.h"
#include "base/thr.h"
#include "core/strm.h"
#include "core/wire.h"

struct wire_thr {              /* per thread */
        size_t size;           /* of this block, for mem_put */
        struct wire *tenant;   /* whose bytes are in the shared receive buffer */
        struct headbox *spare; /* the next head's */
        struct slab io;
        struct wire_io *quiet[4]; /* the next ones': a request takes two and gives them back */
        uint32_t n_quiet;
        char scratch[96 * 1024]; /* rewritten parts of a head, until it is sent */
};

extern unsigned wire_local;
struct wire_thr *wire_thr_make(void); /* slow path of wire_thr() */

static inline struct wire_thr *wire_thr(void)
{
        struct wire_thr *t = thr_self->local[wire_local];

        return likely(t) ? t : wire_thr_make();
}

bool wire_io_new(struct wire *w); /* slow path of wire_io_own() */

/* Before anything is written to w->io. False: out of memory. */
static inline bool wire_io_own(struct wire *w)
{
        struct wire_thr *t;

        if (likely(w->io != &wire_io_none))
                return true;
        t = wire_thr();
        if (unlikely(t->n_quiet == 0))
                return wire_io_new(w);
        w->io = t->quiet[--t->n_quiet];
        *w->io = (struct wire_io){ 0 };
        return true;
}

/* The first byte that must stay: a head in use, or else what is unread. Body bytes that were lent are taken by now (core/mux.h). */
static inline uint32_t in_first(const struct wire *w)
{
        return w->io->box ? w->io->in.hold : w->io->in.off;
}

static inline uint32_t in_used(const struct wire *w)
{
        return w->io->in.off + w->io->in.len - in_first(w);
}

int wire_rx_peek(struct side *s, size_t max, struct str *ret_in);
int wire_tx(struct side *s, struct hmsg *head, const struct tx_frame *f, const struct iovec *v, int n, bool end);
int wire_tx_flush(struct side *s);
int wire_tx_splice(struct side *s, struct pipe *p, size_t *ret_n);

#endif
