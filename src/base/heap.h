/* base/heap.h - an ordered set that hands out its smallest first: an intrusive pairing heap. Equal keys leave in the order in which they
 * came, as long as the caller counts `seq` up.
 *
 * Adding is constant time, taking the smallest or any other one is logarithmic on average. Nodes are the caller's and stay where they are.
 * Threads: one at a time. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
        uint64_t key, seq;
        struct heap_node *child, *next; /* the first child, the next sibling */
        struct heap_node *prev;         /* the sibling before, or the parent of the first child; NULL: the root */
};

struct heap { /* zero bytes: empty */
        struct heap_node *root;
};

static inline bool heap_before(const struct heap_node *a, const struct heap_node *b)
{
        return a->key != b->key ? a->key < b->key : a->seq < b->seq;
}

static inline struct heap_node *heap_first(const struct heap *h) /* NULL: empty */
{
        return h->root;
}

void heap_add(struct heap *h, struct heap_node *n); /* key and seq are set */
void heap_del(struct heap *h, struct heap_node *n); /* is in it */

#endif
