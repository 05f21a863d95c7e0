/* core/cell.h - the lasting objects of the running proxy: one cell per identity, stable address, stable small number.
 *
 * A cell (frontend, backend, server, listener) lives as long as its identity exists, over any number of reloads; what a
 * configuration says about it is an immutable cfg behind an epoch pointer. Identity = {origin, kind, parent, name}: a frontend and a
 * backend may share a name; a reload compares only objects of origin ORIGIN_FILE.
 *
 * Per-thread data of a cell (counters, pins, idle lists) lives in columns: thread x kind x slot, in pages of 256 cells allocated at
 * first touch. The owning thread writes plainly (relaxed), everybody may read and sum.
 * Threads: cells are made and retired on the control thread. */
#ifndef CORE_CELL_H
#define CORE_CELL_H

#include "base/list.h"
#include "base/str.h"
#include "base/thr.h"

enum cell_kind { CELL_FRONT, CELL_BACK, CELL_SERVER, CELL_LISTENER, CELL_KINDS };
enum origin { ORIGIN_FILE, ORIGIN_CLI, ORIGIN_DNS, ORIGIN_KUBERNETES };

struct ident {
        enum origin origin;
        enum cell_kind kind;
        const char *parent; /* "" when none */
        const char *name;
};

struct cell {
        uint32_t magic;
        uint8_t kind, origin;
        uint32_t slot;    /* number within the kind; reused after the cell is retired */
        const char *name; /* owned */
};

#define CELL_MAGIC 0x7e1a9c01u

void cell_init(struct cell *c, enum cell_kind kind, enum origin o, struct str name);
void cell_fini(struct cell *c);                          /* after its pins are gone and an epoch passed */
void cell_column_size(enum cell_kind kind, size_t size); /* at boot */

void *cell_col_make(struct cell *c, struct thr *t); /* slow path of cell_col() */

struct cell_cols { /* reachable from thr_self->local[cell_local] */
        void **page[CELL_KINDS];
        uint32_t n_pages[CELL_KINDS];
        uint32_t size[CELL_KINDS];
};
extern unsigned cell_local;

/* This thread's column of a cell; never NULL (aborts when memory is gone: ADR 0002). */
static inline void *cell_col(struct cell *c)
{
        struct cell_cols *cols = thr_self->local[cell_local];
        uint32_t p = c->slot >> 8;

        if (likely(cols && p < cols->n_pages[c->kind] && cols->page[c->kind][p]))
                return (char *)cols->page[c->kind][p] + (size_t)(c->slot & 255) * cols->size[c->kind];
        return cell_col_make(c, thr_self);
}
/* Thread number `t`'s column, for reading; NULL when that thread never touched it. Control thread and stats only. */
const void *cell_col_peek(const struct cell *c, unsigned t);

#endif
