/* core/cell.c - slots of cells and the per-thread columns that hang on them.
 *
 * Each thread owns a directory of pages per kind. The directory only grows: a larger copy replaces it and the old one is kept until
 * the thread ends, because another thread may be reading it (cell_col_peek). Doubling bounds the waste by the live size. */
#include "core/cell.h"

#include "base/assert.h"

#include <stdlib.h>

#define PAGE_CELLS 256u

struct old_dir { /* a directory that was outgrown */
        struct old_dir *next;
        void *mem;
};

struct thr_cols {
        struct cell_cols cols; /* first: what thr->local points to */
        struct old_dir *old;
        unsigned id;
};

struct slots { /* numbers of one kind */
        uint32_t next, n_free, cap_free;
        uint32_t *free;
};

unsigned cell_local;
static uint32_t sizes[CELL_KINDS];
static struct slots slots[CELL_KINDS];
static struct thr_cols *all[THR_MAX + 1]; /* by thread id; written once by the thread, read by everybody */

static void cols_fini(void *local)
{
        struct thr_cols *t = local;

        __atomic_store_n(&all[t->id], NULL, __ATOMIC_RELEASE);
        for (unsigned k = 0; k < CELL_KINDS; k++) {
                for (uint32_t i = 0; i < t->cols.n_pages[k]; i++)
                        free(t->cols.page[k][i]);
                free(t->cols.page[k]);
        }
        for (struct old_dir *o = t->old, *n; o; o = n) {
                n = o->next;
                free(o->mem);
                free(o);
        }
        free(t);
}

__attribute__((constructor)) static void cell_boot(void)
{
        cell_local = thr_local_index(cols_fini);
}

void cell_column_size(enum cell_kind kind, size_t size)
{
        ASSERT(kind < CELL_KINDS && size <= UINT32_MAX - 63);
        sizes[kind] = (uint32_t)((size + 63) &
                                 ~(size_t)63); /* whole cache lines: neighbours may be summed by other threads */
}

static uint32_t slot_get(struct slots *s)
{
        return s->n_free ? s->free[--s->n_free] : s->next++;
}

static void slot_put(struct slots *s, uint32_t slot)
{
        if (s->n_free == s->cap_free) {
                s->cap_free = s->cap_free ? s->cap_free * 2 : 64;
                s->free = realloc(s->free, s->cap_free * sizeof(*s->free));
                ASSERT(s->free != NULL);
        }
        s->free[s->n_free++] = slot;
}

void cell_init(struct cell *c, enum cell_kind kind, enum origin o, struct str name)
{
        ASSERT(kind < CELL_KINDS);
        c->magic = CELL_MAGIC;
        c->kind = (uint8_t)kind;
        c->origin = (uint8_t)o;
        c->slot = slot_get(&slots[kind]);
        c->name = strndup(name.p ? name.p : "", name.n);
        ASSERT(c->name != NULL);
}

/* Nobody writes the columns any more (pins are gone, an epoch passed), so they can be cleaned for the slot's next owner here. */
void cell_fini(struct cell *c)
{
        MAGIC_CHECK(c, CELL_MAGIC);
        for (unsigned t = 0; t <= thr_count(); t++) {
                void *col = (void *)(uintptr_t)cell_col_peek(c, t);
                if (col)
                        memset(col, 0, sizes[c->kind]);
        }
        slot_put(&slots[c->kind], c->slot);
        free((void *)(uintptr_t)c->name);
        c->name = NULL;
        c->magic = 0;
}

static struct thr_cols *cols_make(struct thr *t)
{
        struct thr_cols *c = calloc(1, sizeof(*c));

        ASSERT(c != NULL && t->id <= THR_MAX);
        c->id = t->id;
        memcpy(c->cols.size, sizes, sizeof(sizes));
        t->local[cell_local] = c;
        __atomic_store_n(&all[t->id], c, __ATOMIC_RELEASE);
        return c;
}

/* A reader takes n_pages first and page second (both acquire): so the directory it sees has at least that many entries. */
static void dir_grow(struct thr_cols *c, unsigned kind, uint32_t want)
{
        uint32_t n = c->cols.n_pages[kind], cap = n ? n : 4;
        void **dir;
        struct old_dir *o;

        while (cap < want)
                cap *= 2;
        if (cap == n)
                return;
        dir = calloc(cap, sizeof(*dir));
        ASSERT(dir != NULL);
        if (n) {
                memcpy(dir, c->cols.page[kind], n * sizeof(*dir));
                o = malloc(sizeof(*o));
                ASSERT(o != NULL);
                *o = (struct old_dir){ c->old, c->cols.page[kind] };
                c->old = o;
        }
        __atomic_store_n(&c->cols.page[kind], dir, __ATOMIC_RELEASE);
        __atomic_store_n(&c->cols.n_pages[kind], cap, __ATOMIC_RELEASE);
}

void *cell_col_make(struct cell *c, struct thr *t)
{
        struct thr_cols *tc = t->local[cell_local];
        uint32_t p = c->slot / PAGE_CELLS;
        void *page;

        MAGIC_CHECK(c, CELL_MAGIC);
        ASSERT(sizes[c->kind] != 0);
        if (!tc)
                tc = cols_make(t);
        tc->cols.size[c->kind] = sizes[c->kind];
        if (p >= tc->cols.n_pages[c->kind])
                dir_grow(tc, c->kind, p + 1);
        if (!tc->cols.page[c->kind][p]) {
                page = calloc(PAGE_CELLS, sizes[c->kind]);
                ASSERT(page != NULL);
                __atomic_store_n(&tc->cols.page[c->kind][p], page, __ATOMIC_RELEASE);
        }
        return (char *)tc->cols.page[c->kind][p] + (size_t)(c->slot % PAGE_CELLS) * sizes[c->kind];
}

const void *cell_col_peek(const struct cell *c, unsigned t)
{
        struct thr_cols *tc = __atomic_load_n(&all[t], __ATOMIC_ACQUIRE);
        uint32_t p = c->slot / PAGE_CELLS;
        void **dir, *page;

        if (!tc || p >= __atomic_load_n(&tc->cols.n_pages[c->kind], __ATOMIC_ACQUIRE))
                return NULL;
        dir = __atomic_load_n(&tc->cols.page[c->kind], __ATOMIC_ACQUIRE);
        page = __atomic_load_n(&dir[p], __ATOMIC_ACQUIRE);
        return page ? (char *)page + (size_t)(c->slot % PAGE_CELLS) * sizes[c->kind] : NULL;
}
