/* core/stick.c - shards of hash chains and age lists over one array of entries.
 *
 * Free entries form one stack for all shards, so that the size is exact; entries that were never used lie above `fresh`, so
 * that memory nobody used is not touched (chains hold an index + 1 for the same reason). Each shard keeps its entries in the order in
 * which they were touched; as all live equally long after it, that is the order in which they expire, too.
 * Locks: of one shard, and inside it that of the free stack; never of two shards. Room for a key of a shard that has
 * nothing to give up is made with its lock open, and then the key is looked up once more. */
#include "core/stick.h"
#include "base/map.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define MAGIC   0x7374696b74626c32u /* and the version of the layout */
#define SIZE_UP ((uint32_t)1 << 31)

struct stick_entry {
        uint32_t next;         /* in the hash chain, or in the stack of free ones */
        uint32_t older, newer; /* in the shard's age list */
        atomic_uint held;
        mono_t touched;
        uint16_t key_len;
        _Atomic uint8_t used;     /* 1: key and data are whole, a later process may keep them */
        _Atomic uint8_t shard;    /* of its key */
        _Alignas(8) char bytes[]; /* data, then the key */
};

struct shard {
        pthread_spinlock_t lock;
        uint32_t oldest, newest;
        char pad[64 - 2 * sizeof(uint32_t) - sizeof(pthread_spinlock_t)];
};

struct stick_head {
        uint64_t magic;
        struct stick_opts opts;
        uint32_t chains;   /* of one shard, a power of two */
        atomic_uint fresh; /* entries from here on were never used; written under free's lock */
        struct shard free; /* its oldest is the top of the stack, `next` leads down */
        atomic_uint used;  /* written under free's lock */
        struct shard shard[STICK_SHARDS];
        uint32_t chain[]; /* [STICK_SHARDS][chains]: index + 1, 0 = empty */
};

static uint32_t chains_of(uint32_t size)
{
        uint32_t n = 1;

        while (n < size / STICK_SHARDS)
                n *= 2;
        return n;
}

static size_t align(size_t n, size_t to)
{
        return (n + to - 1) & ~(to - 1);
}

static size_t data_bytes(const struct stick_opts *o)
{
        return align(o->data_bytes, 8);
}

static size_t stride_of(const struct stick_opts *o)
{
        return align(sizeof(struct stick_entry) + data_bytes(o) + o->key_max, 8);
}

static size_t head_bytes(const struct stick_opts *o)
{
        return align(sizeof(struct stick_head) + sizeof(uint32_t) * STICK_SHARDS * chains_of(o->size), 64);
}

size_t stick_bytes(const struct stick_opts *o)
{
        return head_bytes(o) + stride_of(o) * o->size;
}

static struct stick_entry *entry(const struct stick *t, uint32_t i)
{
        return (struct stick_entry *)(void *)(t->entries + t->stride * i);
}

static char *key_of(const struct stick *t, struct stick_entry *e)
{
        return e->bytes + data_bytes(&t->opts);
}

/* ---- the stack of free entries ---- */

static void count(struct stick *t, uint32_t by)
{
        uint32_t n = atomic_load_explicit(&t->head->used, memory_order_relaxed);

        atomic_store_explicit(&t->head->used, n + by, memory_order_relaxed);
}

static void push(struct stick *t, uint32_t i)
{
        struct shard *f = &t->head->free;

        (void)pthread_spin_lock(&f->lock);
        entry(t, i)->next = f->oldest;
        f->oldest = i;
        count(t, UINT32_MAX); /* one less */
        (void)pthread_spin_unlock(&f->lock);
}

static uint32_t fresh_of(const struct stick *t)
{
        return atomic_load_explicit(&t->head->fresh, memory_order_relaxed);
}

static uint32_t pop(struct stick *t)
{
        struct shard *f = &t->head->free;
        uint32_t i;

        (void)pthread_spin_lock(&f->lock);
        i = f->oldest;
        if (i != STICK_NONE) {
                f->oldest = entry(t, i)->next;
                count(t, 1);
        } else if (fresh_of(t) < t->opts.size) {
                i = fresh_of(t);
                atomic_store_explicit(&t->head->fresh, i + 1, memory_order_relaxed);
                count(t, 1);
        }
        (void)pthread_spin_unlock(&f->lock);
        return i;
}

/* ---- one shard, under its lock ---- */

static uint32_t *chain_of(const struct stick *t, uint64_t hash)
{
        uint32_t shard = (uint32_t)hash % STICK_SHARDS;

        return &t->head->chain[(size_t)shard * t->head->chains + (uint32_t)(hash >> 32) % t->head->chains];
}

static void age_unlink(struct stick *t, struct shard *s, struct stick_entry *e)
{
        *(e->older == STICK_NONE ? &s->oldest : &entry(t, e->older)->newer) = e->newer;
        *(e->newer == STICK_NONE ? &s->newest : &entry(t, e->newer)->older) = e->older;
}

static void age_append(struct stick *t, struct shard *s, uint32_t i)
{
        struct stick_entry *e = entry(t, i);

        e->older = s->newest;
        e->newer = STICK_NONE;
        *(s->newest == STICK_NONE ? &s->oldest : &entry(t, s->newest)->newer) = i;
        s->newest = i;
}

static void touch(struct stick *t, struct shard *s, uint32_t i, mono_t now)
{
        age_unlink(t, s, entry(t, i));
        age_append(t, s, i);
        entry(t, i)->touched = now;
}

static bool has_expired(const struct stick *t, const struct stick_entry *e, mono_t now)
{
        return t->opts.expire_ms && mono_add_ms(e->touched, t->opts.expire_ms) <= now;
}

static bool is_held(struct stick_entry *e)
{
        /* acquire pairs with stick_put(): what the holder wrote is there before the entry is anybody else's */
        return atomic_load_explicit(&e->held, memory_order_acquire) > 0;
}

/* Out of the shard; the caller has the entry. */
static void take_out(struct stick *t, struct shard *s, uint32_t i)
{
        struct stick_entry *e = entry(t, i);
        uint32_t *chain = chain_of(t, map_hash((struct str){ key_of(t, e), e->key_len })), at = *chain - 1;

        if (at == i) {
                *chain = e->next + 1;
        } else {
                while (entry(t, at)->next != i)
                        at = entry(t, at)->next;
                entry(t, at)->next = e->next;
        }
        age_unlink(t, s, e);
        atomic_store_explicit(&e->used, 0, memory_order_relaxed);
}

/* The key's entry, or STICK_NONE. One that has expired is no more, unless it is held. */
static uint32_t look_up(struct stick *t, struct shard *s, struct str key, uint64_t hash, mono_t now)
{
        uint32_t i = *chain_of(t, hash) - 1;

        while (i != STICK_NONE && !str_eq((struct str){ key_of(t, entry(t, i)), entry(t, i)->key_len }, key))
                i = entry(t, i)->next;
        if (i == STICK_NONE || !has_expired(t, entry(t, i), now) || is_held(entry(t, i)))
                return i;
        take_out(t, s, i);
        push(t, i);
        return STICK_NONE;
}

static void link_in(struct stick *t, struct shard *s, uint32_t i, uint64_t hash)
{
        uint32_t *chain = chain_of(t, hash);

        entry(t, i)->next = *chain - 1;
        *chain = i + 1;
        age_append(t, s, i);
        atomic_store_explicit(&entry(t, i)->shard, (uint8_t)(hash % STICK_SHARDS), memory_order_relaxed);
}

static void insert(struct stick *t, struct shard *s, uint32_t i, struct str key, uint64_t hash, mono_t now)
{
        struct stick_entry *e = entry(t, i);

        memset(e->bytes, 0, data_bytes(&t->opts));
        memcpy(key_of(t, e), key.p, key.n);
        atomic_store_explicit(&e->held, 0, memory_order_relaxed); /* of a block that was adopted it may be anything */
        e->key_len = (uint16_t)key.n;
        e->touched = now;
        link_in(t, s, i, hash);
        atomic_store_explicit(&e->used, 1, memory_order_release); /* partner: stick_walk() */
}

/* Takes the oldest entry that is not held; at most HELD_STEPS held ones are passed, so that a lock is never kept long. */
#define HELD_STEPS 16
static uint32_t give_up(struct stick *t, struct shard *s)
{
        uint32_t i = s->oldest;

        for (int n = 0; i != STICK_NONE && is_held(entry(t, i)); i = entry(t, i)->newer)
                if (++n == HELD_STEPS)
                        return STICK_NONE;
        if (i != STICK_NONE)
                take_out(t, s, i);
        return i;
}

/* ---- what others see ---- */

static struct shard *lock(struct stick *t, uint64_t hash)
{
        struct shard *s = &t->head->shard[(uint32_t)hash % STICK_SHARDS];

        (void)pthread_spin_lock(&s->lock);
        return s;
}

static void unlock(struct shard *s)
{
        (void)pthread_spin_unlock(&s->lock);
}

static struct str cut(const struct stick *t, struct str key)
{
        return (struct str){ key.p, key.n < t->opts.key_max ? key.n : t->opts.key_max };
}

/* From any shard but the key's own, which had nothing. */
static uint32_t give_up_elsewhere(struct stick *t, uint64_t hash)
{
        uint32_t i = STICK_NONE;

        for (unsigned k = 1; k < STICK_SHARDS && i == STICK_NONE; k++) {
                struct shard *s = lock(t, hash + k);

                i = give_up(t, s);
                unlock(s);
        }
        return i;
}

static void hold(struct stick *t, uint32_t i)
{
        (void)atomic_fetch_add_explicit(&entry(t, i)->held, 1, memory_order_relaxed); /* the lock orders it */
}

uint32_t stick_get(struct stick *t, struct str key, mono_t now, bool *ret_is_new)
{
        struct str k = cut(t, key);
        uint64_t hash = map_hash(k);
        struct shard *s = lock(t, hash);
        uint32_t i = look_up(t, s, k, hash, now), room = STICK_NONE;
        bool is_new = i == STICK_NONE;

        if (is_new) {
                room = pop(t);
                if (room == STICK_NONE && !t->opts.no_purge)
                        room = give_up(t, s);
        }
        if (is_new && room == STICK_NONE && !t->opts.no_purge) {
                unlock(s);
                room = give_up_elsewhere(t, hash);
                s = lock(t, hash);
                i = look_up(t, s, k, hash, now); /* somebody else may have been here */
                is_new = i == STICK_NONE;
        }
        if (is_new && room != STICK_NONE) {
                insert(t, s, room, k, hash, now);
                i = room;
        } else if (room != STICK_NONE) {
                push(t, room);
        }
        if (i != STICK_NONE) {
                if (!is_new)
                        touch(t, s, i, now);
                *ret_is_new = is_new;
                hold(t, i);
        }
        unlock(s);
        return i;
}

uint32_t stick_find(struct stick *t, struct str key, mono_t now)
{
        struct str k = cut(t, key);
        uint64_t hash = map_hash(k);
        struct shard *s = lock(t, hash);
        uint32_t i = look_up(t, s, k, hash, now);

        if (i != STICK_NONE)
                hold(t, i);
        unlock(s);
        return i;
}

void stick_put(struct stick *t, uint32_t i)
{
        unsigned was = atomic_fetch_sub_explicit(&entry(t, i)->held, 1, memory_order_release); /* see is_held() */

        ASSERT(was > 0);
}

/* The lock of its shard; who does not hold the entry checks afterwards whether it is still that one. */
static struct shard *lock_entry(struct stick *t, const struct stick_entry *e)
{
        return lock(t, atomic_load_explicit(&e->shard, memory_order_relaxed));
}

void stick_touch(struct stick *t, uint32_t i, mono_t now)
{
        struct shard *s = lock_entry(t, entry(t, i));

        touch(t, s, i, now);
        unlock(s);
}

/* Under the lock of the shard that it had a moment ago. */
static bool take_hold(struct stick *t, struct stick_entry *e, const struct shard *s, mono_t now)
{
        if (!atomic_load_explicit(&e->used, memory_order_relaxed) ||
            s != &t->head->shard[atomic_load_explicit(&e->shard, memory_order_relaxed)] ||
            (has_expired(t, e, now) && !is_held(e)))
                return false;
        (void)atomic_fetch_add_explicit(&e->held, 1, memory_order_relaxed);
        return true;
}

uint32_t stick_walk(struct stick *t, uint32_t from, mono_t now)
{
        for (uint32_t i = from; i < fresh_of(t); i++) {
                struct stick_entry *e = entry(t, i);
                struct shard *s;
                bool got;

                if (!atomic_load_explicit(&e->used, memory_order_acquire)) /* partner: insert() */
                        continue;
                s = lock_entry(t, e);
                got = take_hold(t, e, s, now);
                unlock(s);
                if (got)
                        return i;
        }
        return STICK_NONE;
}

bool stick_remove(struct stick *t, uint32_t i)
{
        struct stick_entry *e = entry(t, i);
        struct shard *s = lock_entry(t, e);
        unsigned one = 1;
        bool gone = atomic_compare_exchange_strong_explicit(&e->held, &one, 0, memory_order_acquire,
                                                            memory_order_relaxed); /* see is_held() */

        if (gone) {
                take_out(t, s, i);
                push(t, i);
        }
        unlock(s);
        return gone;
}

mono_t stick_touched(struct stick *t, uint32_t i)
{
        struct shard *s = lock_entry(t, entry(t, i));
        mono_t at = entry(t, i)->touched;

        unlock(s);
        return at;
}

unsigned stick_holders(const struct stick *t, uint32_t i)
{
        return atomic_load_explicit(&entry(t, i)->held, memory_order_relaxed);
}

void *stick_data(const struct stick *t, uint32_t i)
{
        return entry(t, i)->bytes;
}

struct str stick_key(const struct stick *t, uint32_t i)
{
        return (struct str){ key_of(t, entry(t, i)), entry(t, i)->key_len };
}

bool stick_drop(struct stick *t, struct str key)
{
        struct str k = cut(t, key);
        uint64_t hash = map_hash(k);
        struct shard *s = lock(t, hash);
        uint32_t i = look_up(t, s, k, hash, 0);
        bool gone = i != STICK_NONE && !is_held(entry(t, i));

        if (gone) {
                take_out(t, s, i);
                push(t, i);
        }
        unlock(s);
        return gone;
}

uint32_t stick_used(const struct stick *t)
{
        return atomic_load_explicit(&t->head->used, memory_order_relaxed);
}

uint32_t stick_purge(struct stick *t, unsigned shard, mono_t now, uint32_t max)
{
        struct shard *s = lock(t, shard);
        uint32_t n = 0, i, newer;

        for (i = s->oldest; i != STICK_NONE && n < max && has_expired(t, entry(t, i), now); i = newer) {
                newer = entry(t, i)->newer;
                if (is_held(entry(t, i)))
                        continue;
                take_out(t, s, i);
                push(t, i);
                n++;
        }
        unlock(s);
        return n;
}

/* ---- life ---- */

static bool can_be(const struct stick_opts *o)
{
        return o->size > 0 && o->size <= SIZE_UP && o->key_max > 0 && o->expire_ms >= 0;
}

static void view(struct stick *t, const struct stick_opts *o, void *mem)
{
        *t = (struct stick){ .head = mem, .opts = *o, .entries = (char *)mem + head_bytes(o), .stride = stride_of(o) };
}

/* No entry anywhere, all locks open. */
static void clear(struct stick *t)
{
        struct stick_head *h = t->head;

        h->chains = chains_of(t->opts.size);
        h->free.oldest = STICK_NONE;
        (void)pthread_spin_init(&h->free.lock, PTHREAD_PROCESS_PRIVATE);
        atomic_store_explicit(&h->used, 0, memory_order_relaxed);
        for (unsigned i = 0; i < STICK_SHARDS; i++) {
                h->shard[i].oldest = h->shard[i].newest = STICK_NONE;
                (void)pthread_spin_init(&h->shard[i].lock, PTHREAD_PROCESS_PRIVATE);
        }
}

int stick_init(struct stick *t, const struct stick_opts *o, void *mem)
{
        if (!can_be(o))
                return -EINVAL;
        view(t, o, mem);
        clear(t);
        t->head->opts = *o;
        t->head->magic = MAGIC;
        return 0;
}

static bool same_opts(const struct stick_opts *a, const struct stick_opts *b)
{
        return a->size == b->size && a->key_max == b->key_max && a->data_bytes == b->data_bytes &&
               a->expire_ms == b->expire_ms && a->no_purge == b->no_purge;
}

static int by_age(const void *a, const void *b, void *t)
{
        mono_t x = entry(t, *(const uint32_t *)a)->touched, y = entry(t, *(const uint32_t *)b)->touched;

        return x < y ? -1 : x > y;
}

/* An entry as the earlier process left it. */
static bool is_whole(struct stick *t, struct stick_entry *e, mono_t now)
{
        if (e->touched > now)
                e->touched = now;
        return atomic_load_explicit(&e->used, memory_order_relaxed) == 1 && e->key_len <= t->opts.key_max &&
               !has_expired(t, e, now);
}

int stick_adopt(struct stick *t, const struct stick_opts *o, void *mem, size_t n, mono_t now)
{
        struct stick_head *h = mem;
        uint32_t *order, whole = 0;

        if (!can_be(o) || n < sizeof(*h) || h->magic != MAGIC || !same_opts(&h->opts, o) || n < stick_bytes(o))
                return -EBADMSG;
        order = malloc(o->size * sizeof(*order));
        if (!order)
                return -ENOMEM;
        view(t, o, mem);
        clear(t);
        memset(h->chain, 0, sizeof(uint32_t) * STICK_SHARDS * h->chains);
        if (fresh_of(t) > o->size)
                atomic_store_explicit(&h->fresh, o->size, memory_order_relaxed);
        atomic_store_explicit(&h->used, fresh_of(t), memory_order_relaxed); /* push() counts down */
        for (uint32_t i = fresh_of(t); i > 0; i--) {
                struct stick_entry *e = entry(t, i - 1);

                atomic_store_explicit(&e->held, 0, memory_order_relaxed);
                if (is_whole(t, e, now)) {
                        order[whole++] = i - 1;
                } else {
                        atomic_store_explicit(&e->used, 0, memory_order_relaxed);
                        push(t, i - 1);
                }
        }
        qsort_r(order, whole, sizeof(*order), by_age, t);
        for (uint32_t i = 0; i < whole; i++) {
                struct stick_entry *e = entry(t, order[i]);
                uint64_t hash = map_hash((struct str){ key_of(t, e), e->key_len });

                link_in(t, &t->head->shard[(uint32_t)hash % STICK_SHARDS], order[i], hash);
        }
        free(order);
        return 0;
}

void stick_fini(struct stick *t)
{
        for (unsigned i = 0; i < STICK_SHARDS; i++)
                (void)pthread_spin_destroy(&t->head->shard[i].lock);
}
