/* core/pin.c - counters in blocks of 256 objects, and the list of what was retired. */
#include "core/pin.h"

#include "base/assert.h"
#include "base/epoch.h"
#include "ev/loop.h"

#include <stdlib.h>
#include <string.h>

struct block {
        struct block *next_free; /* blocks with a free column */
        uint32_t used;
        bool listed;
        uint64_t map[PIN_STRIDE / 64]; /* columns in use */
        _Atomic uint32_t n[];
};

/* A column knows its block: the column's index comes from the address, the block from a table sorted by address would cost a search;
 * instead blocks are aligned to a power of two that holds them. */
static struct block *open_blocks;
static struct list retired = LIST_INIT(retired); /* an epoch has passed */
static struct list fresh = LIST_INIT(fresh);     /* not yet */
static unsigned waiting;
static uint32_t generation = 1;

static size_t block_bytes(void)
{
        size_t want = sizeof(struct block) + (size_t)(thr_count() + 1) * PIN_STRIDE * sizeof(uint32_t), n = 4096;

        while (n < want)
                n *= 2;
        return n;
}

static struct block *block_new(void)
{
        struct block *b = NULL;
        size_t n = block_bytes();

        if (posix_memalign((void **)&b, n, n) != 0)
                b = NULL;
        ASSERT(b != NULL);
        memset(b, 0, n);
        return b;
}

static struct block *block_of(const struct pins *p)
{
        return (struct block *)((uintptr_t)p->n & ~(uintptr_t)(block_bytes() - 1));
}

static unsigned column_take(struct block *b)
{
        for (unsigned i = 0; i < array_len(b->map); i++) {
                if (~b->map[i]) {
                        unsigned bit = (unsigned)__builtin_ctzll(~b->map[i]);
                        b->map[i] |= (uint64_t)1 << bit;
                        b->used++;
                        return i * 64 + bit;
                }
        }
        assert_fail(__FILE__, __LINE__, "a listed block has a free column");
}

void pins_init(struct pins *p, void (*free_fn)(struct pins *))
{
        struct block *b = open_blocks;

        if (!b) {
                b = open_blocks = block_new();
                b->listed = true;
        }
        list_init(&p->link);
        p->free = free_fn;
        p->n = &b->n[column_take(b)];
        if (b->used == PIN_STRIDE) {
                open_blocks = b->next_free;
                b->listed = false;
        }
}

void pins_drop(struct pins *p)
{
        struct block *b = block_of(p);
        size_t col = (size_t)(p->n - b->n);

        ASSERT(!pins_held(p) && (b->map[col / 64] >> (col % 64) & 1));
        b->map[col / 64] &= ~((uint64_t)1 << (col % 64));
        b->used--;
        p->n = NULL;
        if (!b->listed) { /* blocks are kept for the next objects: their number follows the peak of live ones */
                b->next_free = open_blocks;
                open_blocks = b;
                b->listed = true;
        }
}

bool pins_held(const struct pins *p)
{
        for (unsigned t = 0; t <= thr_count(); t++)
                if (atomic_load_explicit(&p->n[t * PIN_STRIDE], memory_order_acquire) != 0)
                        return true;
        return false;
}

void pins_retire(struct pins *p)
{
        ASSERT(list_empty(&p->link));
        p->generation = generation;
        list_push(&fresh, &p->link);
        waiting++;
}

uint32_t pins_generation(void)
{
        return generation;
}

uint32_t pins_next_generation(void)
{
        return ++generation;
}

uint32_t pins_oldest(void)
{
        if (!list_empty(&retired))
                return list_first(&retired, struct pins, link)->generation;
        return list_empty(&fresh) ? generation + 1 : list_first(&fresh, struct pins, link)->generation;
}

bool pins_in_turn(void)
{
        return thr_self && thr_self->loop &&
               atomic_load_explicit(&thr_self->loop->stats.turn_start, memory_order_relaxed) != 0;
}

static void wait_for_readers(void)
{
        bool reader = pins_in_turn();

        if (reader)
                epoch_offline();
        epoch_wait();
        if (reader)
                epoch_online();
}

unsigned pins_reap(void)
{
        if (!list_empty(&fresh)) {
                wait_for_readers();
                list_splice(&retired, &fresh);
        }
        list_for_each_safe (i, &retired) {
                struct pins *p = list_item(i, struct pins, link);

                if (pins_held(p))
                        continue;
                list_del(i);
                waiting--;
                pins_drop(p);
                p->free(p);
        }
        return waiting;
}

void pins_fini(void)
{
        struct block *b, *next;

        for (b = open_blocks; b; b = next) {
                next = b->next_free;
                ASSERT(b->used == 0); /* the size of a block follows the number of threads */
                free(b);
        }
        open_blocks = NULL;
}

unsigned pins_waiting(void)
{
        return waiting;
}
