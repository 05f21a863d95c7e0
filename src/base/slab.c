/* base/slab.c - see the header. A page lies on a multiple of its size, so an object finds its page by its address. Pages
 * come from the kernel and go back to it when their last object is put, but for a few: a burst leaves nothing behind. */
#include "base/slab.h"
#include "base/asan.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define KEEP_EMPTY 4 /* pages: the ups and downs of steady load cost no system calls */

struct page {
        struct list link;  /* slab.room or slab.full */
        struct slab *slab; /* whose it is */
        void *free;        /* chain of objects that were put */
        char *fresh;       /* first object never given out: untouched, so it costs no memory */
        uint32_t used;     /* objects out */
        char pad[20];      /* objects start on a cache line */
};
_Static_assert(sizeof(struct page) == 64, "one cache line");

/* ---- all of them, for whoever shows sums ---- */

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static struct slab **all;
static unsigned n_all, cap_all;

/* A slab that does not fit in the list works, only unseen. */
static void enlist(struct slab *s)
{
        pthread_mutex_lock(&all_lock);
        if (n_all == cap_all) {
                struct slab **v = realloc(all, (2 * (size_t)cap_all + 16) * sizeof(struct slab *));

                cap_all = v ? 2 * cap_all + 16 : cap_all;
                all = v ? v : all;
        }
        if (n_all < cap_all)
                all[n_all++] = s;
        pthread_mutex_unlock(&all_lock);
}

static void delist(const struct slab *s)
{
        pthread_mutex_lock(&all_lock);
        for (unsigned i = 0; i < n_all; i++)
                if (all[i] == s) {
                        all[i] = all[--n_all];
                        break;
                }
        if (n_all == 0) {
                free(all);
                all = NULL;
                cap_all = 0;
        }
        pthread_mutex_unlock(&all_lock);
}

static uint64_t seen(const uint64_t *p)
{
        return __atomic_load_n(p, __ATOMIC_RELAXED); /* its owner's plain stores: a moment's view */
}

static void add_sum(struct pool_sum *p, const struct slab *s)
{
        p->used += seen(&s->used);
        p->used_bytes += seen(&s->used) * s->size;
        p->bytes += ASAN_ON ? seen(&s->used) * s->size : seen(&s->bytes);
        p->failed += seen(&s->failed);
        p->users++;
}

unsigned pool_sums(struct pool_sum *v, unsigned max)
{
        unsigned n = 0;

        if (max > 0)
                mem_sum(&v[n++]);
        pthread_mutex_lock(&all_lock);
        for (unsigned i = 0; i < n_all; i++) {
                unsigned k = 0;

                while (k < n && (v[k].size != all[i]->size || strcmp(v[k].name, all[i]->name) != 0))
                        k++;
                if (k == max)
                        continue;
                if (k == n)
                        v[n++] = (struct pool_sum){ .name = all[i]->name, .size = all[i]->size };
                add_sum(&v[k], all[i]);
        }
        pthread_mutex_unlock(&all_lock);
        return n;
}

/* ---- one ---- */

void slab_init(struct slab *s, const char *name, size_t size, uint64_t limit)
{
        *s = (struct slab){ .name = name, .size = (size + 15) & ~(size_t)15, .limit = limit };
        s->per_page = (uint32_t)((SLAB_PAGE - sizeof(struct page)) / s->size);
        s->per_page = s->per_page ? s->per_page : 1;
        ASSERT(s->size >= sizeof(void *));
        list_init(&s->room);
        list_init(&s->full);
        enlist(s);
}

static size_t page_bytes(const struct slab *s)
{
        size_t n = sizeof(struct page) + s->per_page * s->size;

        return n > SLAB_PAGE ? (n + 4095) & ~(size_t)4095 : SLAB_PAGE;
}

/* Maps more than is wanted and cuts off what lies before and behind the aligned part. */
static struct page *map_page(size_t bytes)
{
        char *p = mmap(NULL, bytes + SLAB_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        size_t before;

        if (p == MAP_FAILED)
                return NULL;
        before = -(uintptr_t)p & (SLAB_PAGE - 1);
        if (before)
                (void)munmap(p, before);
        (void)munmap(p + before + bytes, SLAB_PAGE - before);
        return (struct page *)(void *)(p + before);
}

static struct page *add_page(struct slab *s)
{
        struct page *p = map_page(page_bytes(s));

        if (!p)
                return NULL;
        p->slab = s;
        p->fresh = (char *)(p + 1);
        list_push(&s->room, &p->link);
        s->empty++;
        s->bytes += page_bytes(s);
        return p;
}

static void *carve(struct slab *s)
{
        struct page *p = list_empty(&s->room) ? add_page(s) : list_item(s->room.next, struct page, link);
        void *o;

        if (unlikely(!p))
                return NULL;
        o = p->free;
        if (o) {
                memcpy(&p->free, o, sizeof(void *));
        } else {
                o = p->fresh;
                p->fresh += s->size;
                s->made++;
        }
        s->empty -= p->used++ == 0;
        if (unlikely(p->used == s->per_page)) {
                list_del(&p->link);
                list_push(&s->full, &p->link);
        }
        return o;
}

/* Others may look at it while its owner goes on (a moment's view). */
static void set_used(struct slab *s, uint64_t n)
{
        __atomic_store_n(&s->used, n, __ATOMIC_RELAXED);
}

void *slab_get_dirty(struct slab *s)
{
        void *p = NULL;

        if (likely(s->limit == 0 || s->used < s->limit))
                p = ASAN_ON ? malloc(s->size) : carve(s);
        if (unlikely(!p)) {
                s->failed++;
                return NULL;
        }
        set_used(s, s->used + 1);
        if (s->used > s->peak)
                s->peak = s->used;
        return p;
}

void *slab_get(struct slab *s)
{
        void *p = slab_get_dirty(s);

        return likely(p != NULL) ? memset(p, 0, s->size) : NULL;
}

static cold_path void drop_page(struct slab *s, struct page *p)
{
        s->made -= (uint64_t)(p->fresh - (char *)(p + 1)) / s->size;
        list_del(&p->link);
        s->bytes -= page_bytes(s);
        (void)munmap(p, page_bytes(s));
}

static struct page *page_of(const void *o)
{
        return (struct page *)((uintptr_t)o & ~(uintptr_t)(SLAB_PAGE - 1));
}

struct slab *slab_of(const void *p)
{
        return page_of(p)->slab;
}

static void give_back(struct slab *s, void *o)
{
        struct page *p = page_of(o);

        if (unlikely(p->used == s->per_page)) {
                list_del(&p->link);
                list_push(&s->room, &p->link); /* behind the others: those fill up, this one may become empty */
        }
        memcpy(o, &p->free, sizeof(void *));
        p->free = o;
        if (--p->used > 0)
                return;
        if (s->empty < KEEP_EMPTY)
                s->empty++;
        else
                drop_page(s, p);
}

void slab_put(struct slab *s, void *p)
{
        if (!p)
                return;
        ASSERT(s->used > 0);
        set_used(s, s->used - 1);
        if (ASAN_ON)
                free(p);
        else
                give_back(s, p);
}

void slab_trim(struct slab *s)
{
        list_for_each_safe (i, &s->room) {
                struct page *p = list_item(i, struct page, link);
                if (p->used == 0)
                        drop_page(s, p);
        }
        s->empty = 0;
}

static void unmap_all(struct slab *s, struct list *pages)
{
        list_for_each_safe (i, pages)
                drop_page(s, list_item(i, struct page, link));
}

void slab_fini(struct slab *s)
{
        delist(s);
        unmap_all(s, &s->room);
        unmap_all(s, &s->full);
        s->used = s->empty = 0;
}
