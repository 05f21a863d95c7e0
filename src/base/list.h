/* base/list.h - doubly linked list, embedded in its members.
 *
 * An unlinked node points to itself, so list_del() is safe to call twice. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/assert.h"

#include <stdbool.h>

struct list {
        struct list *next, *prev;
};

#define LIST_INIT(l)                                                                                                   \
        {                                                                                                              \
                &(l), &(l)                                                                                             \
        }

static inline void list_init(struct list *l)
{
        l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
        return l->next == l;
}

static inline void list_insert_before(struct list *at, struct list *n)
{
        n->prev = at->prev;
        n->next = at;
        at->prev->next = n;
        at->prev = n;
}

static inline void list_push(struct list *head, struct list *n) /* at the tail */
{
        list_insert_before(head, n);
}

static inline void list_push_front(struct list *head, struct list *n)
{
        list_insert_before(head->next, n);
}

static inline void list_del(struct list *n)
{
        n->prev->next = n->next;
        n->next->prev = n->prev;
        list_init(n);
}

static inline struct list *list_pop(struct list *head) /* the first, or NULL */
{
        struct list *n = head->next;

        if (n == head)
                return NULL;
        list_del(n);
        return n;
}

/* Moves every member of src to the tail of dst. */
static inline void list_splice(struct list *dst, struct list *src)
{
        if (list_empty(src))
                return;
        src->next->prev = dst->prev;
        dst->prev->next = src->next;
        src->prev->next = dst;
        dst->prev = src->prev;
        list_init(src);
}

#define list_item(n, type, field)  container_of(n, type, field)
#define list_first(l, type, field) list_item((l)->next, type, field)
#define list_for_each(i, l)        for (struct list *i = (l)->next; i != (l); i = i->next)
#define list_for_each_safe(i, l)                                                                                       \
        for (struct list *i = (l)->next, *i##_n = i->next; i != (l); i = i##_n, i##_n = i->next)

#endif
