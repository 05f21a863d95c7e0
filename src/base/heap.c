/* base/heap.c - see the header. The children of a node are a list, of which nothing is known but that they are not before it. */
#include "base/heap.h"

/* Of two roots one; the other becomes its first child. */
static struct heap_node *meld(struct heap_node *a, struct heap_node *b)
{
        struct heap_node *t;

        if (!a || !b)
                return a ? a : b;
        if (heap_before(b, a)) {
                t = a;
                a = b;
                b = t;
        }
        b->prev = a;
        b->next = a->child;
        if (b->next)
                b->next->prev = b;
        a->child = b;
        return a;
}

/* A list of siblings becomes one tree: in pairs from the left, the pairs from the right. */
static struct heap_node *meld_all(struct heap_node *n)
{
        struct heap_node *pairs = NULL, *all = NULL;

        while (n) {
                struct heap_node *a = n, *b = n->next;

                n = b ? b->next : NULL;
                a->next = a->prev = NULL;
                if (b)
                        b->next = b->prev = NULL;
                a = meld(a, b);
                a->next = pairs;
                pairs = a;
        }
        while (pairs) {
                struct heap_node *a = pairs;

                pairs = a->next;
                a->next = NULL;
                all = meld(all, a);
        }
        return all;
}

void heap_add(struct heap *h, struct heap_node *n)
{
        n->child = n->next = n->prev = NULL;
        h->root = meld(h->root, n);
}

void heap_del(struct heap *h, struct heap_node *n)
{
        struct heap_node *rest = meld_all(n->child);

        if (n == h->root) {
                h->root = rest;
                return;
        }
        if (n->prev->child == n)
                n->prev->child = n->next;
        else
                n->prev->next = n->next;
        if (n->next)
                n->next->prev = n->prev;
        h->root = meld(h->root, rest);
}
