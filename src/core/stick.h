/* core/stick.h - tables that remember something of a key for a while (manual 11.1): the store behind stick tables.
 *
 * Memory: one block that the caller gives and keeps, touched only as far as entries were used; nothing in it is an address, entries are known by a 32-bit index. So
 * it may be a shared memory file that the next process maps elsewhere and adopts (mechanisms.md b).
 * Size: exact over all threads. A full table gives up the entry that was not touched for longest, of the key's own shard
 * first; entries that are held are never given up.
 * Expiry: an entry dies `expire_ms` after it was last touched (stick_get(), stick_touch()), but not while it is held.
 * Threads: any. 64 shards with a lock each; a look-up takes one, an insertion into a full table may take others after it.
 * What several threads write in an entry's data is atomic, that is the caller's business.
 * Errors: stick_init() and stick_adopt() negative errno; STICK_NONE from the rest. */
#ifndef CORE_STICK_H
#define CORE_STICK_H

#include "base/assert.h"
#include "base/str.h"
#include "base/time.h"

#define STICK_NONE UINT32_MAX

struct stick_opts {
        uint32_t size;       /* entries, 1 to 2^31 */
        uint16_t key_max;    /* bytes of the longest key; longer ones are cut, as the manual has it for strings */
        uint16_t data_bytes; /* of each entry, zero in a new one, aligned to 8 */
        int64_t expire_ms;   /* 0: never */
        bool no_purge;       /* a full table refuses instead of giving up its oldest entry */
};

struct stick_head;

struct stick { /* one process's view of the block */
        struct stick_head *head;
        struct stick_opts opts;
        char *entries;
        size_t stride;
};

size_t stick_bytes(const struct stick_opts *o); /* what the block needs */

/* mem: zero bytes, aligned to 64. -EINVAL: sizes that cannot be. */
must_check int stick_init(struct stick *t, const struct stick_opts *o, void *mem);
/* A block that an earlier process filled, with the same options and n bytes long: what is whole stays, nobody holds
 * anything any more. The block is not trusted. -EBADMSG: it is no such block, untouched. */
must_check int stick_adopt(struct stick *t, const struct stick_opts *o, void *mem, size_t n, mono_t now);
void stick_fini(struct stick *t); /* the block is the caller's */

/* The key's entry, made when there is none, touched and held. STICK_NONE: full, and nothing may be given up. */
uint32_t stick_get(struct stick *t, struct str key, mono_t now, bool *ret_is_new);
uint32_t stick_find(struct stick *t, struct str key, mono_t now); /* held, not touched; STICK_NONE: there is none */
void stick_touch(struct stick *t, uint32_t i, mono_t now);        /* a held entry */
void stick_put(struct stick *t, uint32_t i);                      /* the end of one hold */
/* The first entry from this index on that is there, held, not touched: walks them all, those that come meanwhile or not. */
uint32_t stick_walk(struct stick *t, uint32_t from, mono_t now);
/* The entry goes and with it the caller's hold; false: somebody else holds it, and so does the caller still. */
bool stick_remove(struct stick *t, uint32_t i);
mono_t stick_touched(struct stick *t, uint32_t i);         /* when a held entry was last touched */
unsigned stick_holders(const struct stick *t, uint32_t i); /* of a held entry, the caller included */
void *stick_data(const struct stick *t, uint32_t i);       /* of a held entry */
struct str stick_key(const struct stick *t, uint32_t i);   /* of a held entry */
bool stick_drop(struct stick *t, struct str key);          /* false: none, or held */

uint32_t stick_used(const struct stick *t); /* entries now, expired ones that nobody met yet included */
/* Frees up to max expired entries of one shard (0 .. STICK_SHARDS - 1); how many. */
uint32_t stick_purge(struct stick *t, unsigned shard, mono_t now, uint32_t max);

#define STICK_SHARDS 64

#endif
