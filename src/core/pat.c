/* core/pat.c - sets of patterns and their indexes.
 *
 * Index: open addressing over 8-byte slots: 16 bits of the hash and a pointer, so that a look-up costs two cache misses, whatever the
 * size. Slots are only ever filled or turned into tombstones, and a larger table replaces a full one: readers need no lock. Prefixes and
 * networks are keys of their length; the lengths that occur are bits, asked from the longest on.
 * Memory: what a file brings lies in the set's arena; what comes at run time is allocated one by one and retired by epoch. */
#include "core/pat.h"
#include "base/arena.h"
#include "base/epoch.h"
#include "base/map.h"
#include "base/regex.h"
#include "conf/conf.h"
#include "core/pat_int.h"
#include "core/retire.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- memory ---- */

static void *get(struct pat_ref *r, size_t n, bool at_load)
{
        void *p = at_load ? arena_alloc(&r->mem, n) : calloc(1, n);

        ASSERT(p); /* ADR 0002: an administrator's set */
        return p;
}

static void drop(void *p, bool at_load)
{
        if (!at_load)
                retire_later(p, free);
}

static void drop_item(void *p)
{
        struct pat_item *i = p;

        if (i->regex)
                regex_free(i->regex);
        if (!i->at_load)
                free(i);
}

/* ---- the hash table ---- */

#define TOMB UINT64_C(1)
#define PTR  ((UINT64_C(1) << 48) - 1)

struct table {
        uint64_t mask;
        size_t used; /* with tombstones */
        _Atomic uint64_t slot[];
};

struct probe_key {
        uint64_t hash;
        struct str text; /* bytes to compare, of a text */
        const uint8_t *net;
        unsigned bits;
};

static struct table *table_new(size_t entries)
{
        size_t n = 16;
        struct table *t;

        while (n < entries * 2)
                n *= 2;
        t = calloc(1, sizeof(*t) + n * sizeof(t->slot[0]));
        ASSERT(t);
        t->mask = n - 1;
        return t;
}

static uint64_t hash_text(struct str s, bool icase)
{
        char low[PAT_TEXT_MAX];

        if (!icase || s.n > sizeof(low))
                return map_hash(s);
        for (size_t i = 0; i < s.n; i++)
                low[i] = (char)chr_lower((unsigned char)s.p[i]);
        return map_hash((struct str){ low, s.n });
}

/* Which of the two families, how many bits, and these. */
static uint64_t hash_net(int family, const uint8_t *ip, unsigned bits)
{
        uint64_t key[3] = { (uint64_t)family << 8 | bits, 0, 0 };
        uint8_t *to = (uint8_t *)&key[1];

        memcpy(to, ip, (bits + 7) / 8);
        if (bits % 8)
                to[bits / 8] &= (uint8_t)(0xff00u >> (bits % 8));
        return map_hash((struct str){ (const char *)key, sizeof(key) });
}

static uint64_t hash_int(int64_t v)
{
        return map_hash((struct str){ (const char *)&v, sizeof(v) });
}

static uint64_t slot_of(uint64_t hash, const void *p)
{
        return (hash & ~PTR) | (uint64_t)(uintptr_t)p;
}

static void table_put(struct table *t, uint64_t hash, const void *p)
{
        uint64_t i = hash & t->mask;

        while (atomic_load_explicit(&t->slot[i], memory_order_relaxed))
                i = (i + 1) & t->mask;
        atomic_store_explicit(&t->slot[i], slot_of(hash, p), memory_order_release); /* pairs with readers' acquire */
        t->used++;
}

static void table_del(struct table *t, uint64_t hash, const void *p)
{
        uint64_t want = slot_of(hash, p), v;

        for (uint64_t i = hash & t->mask; (v = atomic_load_explicit(&t->slot[i], memory_order_relaxed)) != 0;
             i = (i + 1) & t->mask) {
                if (v == want) {
                        atomic_store_explicit(&t->slot[i], TOMB, memory_order_release);
                        return;
                }
        }
}

/* ---- what is indexed how ---- */

static bool is_text(enum acl_match how)
{
        return how == ACL_STR || how == ACL_BEG;
}

static bool net_bits(const struct acl_pat *p, unsigned *ret_bits) /* false: a mask with holes */
{
        unsigned n = 0, max = p->family == AF_INET ? 32 : 128;

        while (n < max && (p->mask[n / 8] & (0x80 >> n % 8)))
                n++;
        *ret_bits = n;
        for (; n < max; n++) {
                if (p->mask[n / 8] & (0x80 >> n % 8))
                        return false;
        }
        return true;
}

/* Does this entry go into the hash table, and under which hash? `item` is NULL for texts. */
static bool hashed(const struct pat_expr *x, const struct pat_entry *e, const struct pat_item *item, uint64_t *ret_hash)
{
        unsigned bits;

        switch (x->how) {
        case ACL_STR: *ret_hash = hash_text(pat_key(e), x->icase); return e->n <= PAT_TEXT_MAX;
        case ACL_BEG: *ret_hash = map_hash(pat_key(e)); return !x->icase && e->n < PAT_TEXT_MAX;
        case ACL_INT:
        case ACL_LEN:
                ASSERT(item);
                *ret_hash = hash_int(item->pat.lo);
                return item->pat.lo == item->pat.hi;
        case ACL_IP:
                ASSERT(item); /* made by prepare() */
                if (!net_bits(&item->pat, &bits))
                        return false;
                *ret_hash = hash_net(item->pat.family, item->pat.ip, bits);
                return true;
        default: return false;
        }
}

static void mark_length(struct pat_expr *x, const struct pat_entry *e, const struct pat_item *item)
{
        unsigned bits = e->n;

        if (x->how == ACL_IP) {
                ASSERT(item);
                (void)net_bits(&item->pat, &bits);
                bits += item->pat.family == AF_INET ? 0 : PAT_SIX_FROM;
        }
        if (x->how == ACL_IP || x->how == ACL_BEG)
                atomic_fetch_or_explicit(&x->lengths[bits / 64], UINT64_C(1) << bits % 64, memory_order_release);
}

static void list_append(struct pat_expr *x, struct pat_item *item)
{
        ASSERT(item);
        item->prev = x->last;
        atomic_store_explicit(x->last ? &x->last->next : &x->first, item, memory_order_release);
        x->last = item;
}

static void list_remove(struct pat_expr *x, struct pat_item *item)
{
        struct pat_item *next;

        ASSERT(item);
        next = atomic_load_explicit(&item->next, memory_order_relaxed);
        atomic_store_explicit(item->prev ? &item->prev->next : &x->first, next, memory_order_release);
        if (next)
                next->prev = item->prev;
        else
                x->last = item->prev;
}

static void grow(struct pat_expr *x)
{
        struct table *old = atomic_load_explicit(&x->table, memory_order_relaxed);
        struct table *t;
        uint64_t hash;

        if (old && old->used * 2 <= old->mask)
                return;
        t = table_new(x->ref->n_entries + 16);
        for (struct pat_entry *e = old ? x->ref->first : NULL; e; e = e->next) {
                struct pat_item *item = e->items ? e->items[x->no] : NULL;

                if (e->indexed && hashed(x, e, item, &hash))
                        table_put(t, hash, item ? (void *)item : (void *)e);
        }
        epoch_publish(&x->table, t);
        if (old)
                retire_later(old, free);
}

/* ---- patterns of an entry ---- */

static struct pat_item *make_item(struct pat_expr *x, struct pat_entry *e, bool at_load, char why[PAT_WHY_MAX])
{
        struct pat_item *item = get(x->ref, sizeof(*item), at_load);
        struct regex_error err = { .text = "no memory" };

        item->entry = e;
        item->at_load = at_load;
        item->pat.icase = x->icase;
        if (x->how == ACL_REG) {
                item->regex = regex_new(pat_key(e), x->icase, &err);
                if (item->regex)
                        return item;
                (void)snprintf(why, PAT_WHY_MAX, "regex '%.80s' is invalid (error=%s, erroffset=%zu)", pat_key(e).p,
                               err.text, err.at);
        } else if (acl_pat_parse(&item->pat, x->how, pat_key(e), why)) {
                return item;
        }
        drop_item(item);
        return NULL;
}

/* The item becomes part of the entry; texts that are hashed need none. */
static bool prepare(struct pat_expr *x, struct pat_entry *e, bool at_load, char why[PAT_WHY_MAX])
{
        uint64_t hash;
        struct pat_item *item;

        if (x->how == ACL_FOUND || x->how == ACL_BOOL || (is_text(x->how) && hashed(x, e, NULL, &hash)))
                return true;
        item = make_item(x, e, at_load, why);
        if (!item)
                return false;
        if (!e->items)
                e->items = get(x->ref, PAT_EXPRS_MAX * sizeof(e->items[0]), at_load);
        e->items[x->no] = item;
        return true;
}

static void index_entry(struct pat_expr *x, struct pat_entry *e)
{
        struct pat_item *item = e->items ? e->items[x->no] : NULL;
        uint64_t hash;

        if (x->how == ACL_FOUND || x->how == ACL_BOOL)
                return;
        if (!hashed(x, e, item, &hash)) {
                list_append(x, item);
                return;
        }
        grow(x);
        mark_length(x, e, item);
        table_put(atomic_load_explicit(&x->table, memory_order_relaxed), hash, item ? (void *)item : (void *)e);
}

static void unindex(struct pat_expr *x, struct pat_entry *e)
{
        struct pat_item *item = e->items ? e->items[x->no] : NULL;
        uint64_t hash;

        if (x->how == ACL_FOUND || x->how == ACL_BOOL)
                return;
        if (!hashed(x, e, item, &hash))
                list_remove(x, item);
        else
                table_del(atomic_load_explicit(&x->table, memory_order_relaxed), hash, item ? (void *)item : (void *)e);
}

bool pat_value_ok(enum pat_out out, struct str v)
{
        struct smp s;
        int64_t i;

        smp_str(&s, v);
        return out == PAT_STR || (out == PAT_INT ? str_to_i64(v, &i) : smp_cast(&s, SMP_ADDR));
}

struct pat_expr *pat_expr_new(struct kw_call *c, struct pat_ref *r, enum acl_match how, bool icase, enum pat_out out,
                              const struct word *at)
{
        struct pat_expr *x = NULL;
        char why[PAT_WHY_MAX];

        for (unsigned i = 0; i < r->n_exprs; i++) {
                if (r->exprs[i]->how == how && r->exprs[i]->icase == icase && r->exprs[i]->out == out)
                        return r->exprs[i];
        }
        if (r->n_exprs == PAT_EXPRS_MAX) {
                (void)kw_fail(c, at, "E0741", "too many ways to match the patterns of '%s'", r->name);
                return NULL;
        }
        x = arena_alloc(&r->mem, sizeof(*x));
        *x = (struct pat_expr){ .ref = r, .how = how, .icase = icase, .out = out, .no = r->n_exprs };
        for (struct pat_entry *e = r->first; e; e = e->next) {
                const struct pat_val *v = atomic_load_explicit(&e->value, memory_order_relaxed);

                if (v && !pat_value_ok(out, v->text)) {
                        (void)kw_fail(c, at, "E0742", "unable to parse '%s' at line %u of file '%s'.", v->text.p,
                                      e->line, r->name);
                        return NULL;
                }
                if (!prepare(x, e, true, why)) {
                        (void)kw_fail(c, at, "E0743", "%s at line %u of file '%s'.", why, e->line, r->name);
                        return NULL;
                }
        }
        r->exprs[r->n_exprs++] = x;
        for (struct pat_entry *e = r->first; e; e = e->next)
                index_entry(x, e);
        return x;
}

/* ---- look-up ---- */

struct look {
        const struct pat_expr *x;
        const struct table *t;
        const struct smp *s;
        uint32_t version; /* entries of others do not count */
};

static const struct pat_entry *find_text(const struct look *l, struct str s, uint64_t hash)
{
        const struct table *t = l->t;
        uint64_t v;

        for (uint64_t i = hash & t->mask; (v = atomic_load_explicit(&t->slot[i], memory_order_acquire)) != 0;
             i = (i + 1) & t->mask) {
                const struct pat_entry *e = (const struct pat_entry *)(uintptr_t)(v & PTR);

                if (v == TOMB || ((v ^ hash) & ~PTR) || e->n != s.n || e->version != l->version)
                        continue;
                if (l->x->icase ? str_ieq(s, pat_key(e)) : memcmp(e->key, s.p, s.n) == 0)
                        return e;
        }
        return NULL;
}

static const struct pat_entry *find_item(const struct look *l, uint64_t hash)
{
        const struct table *t = l->t;
        uint64_t v;

        for (uint64_t i = hash & t->mask; (v = atomic_load_explicit(&t->slot[i], memory_order_acquire)) != 0;
             i = (i + 1) & t->mask) {
                const struct pat_item *item = (const struct pat_item *)(uintptr_t)(v & PTR);

                if (v != TOMB && !((v ^ hash) & ~PTR) && item->entry->version == l->version &&
                    acl_pat_match(l->x->how, &item->pat, l->s))
                        return item->entry;
        }
        return NULL;
}

/* The longest of [from, below) that occurs; -1: none. */
static int next_length(const struct pat_expr *x, int from, int below)
{
        for (int i = below - 1; i >= from;) {
                uint64_t word =
                        atomic_load_explicit(&x->lengths[i / 64], memory_order_acquire) & (UINT64_MAX >> (63 - i % 64));

                if (word) {
                        i = i / 64 * 64 + 63 - __builtin_clzll(word);
                        return i >= from ? i : -1;
                }
                i = i / 64 * 64 - 1;
        }
        return -1;
}

static const struct pat_entry *find_prefix(const struct look *l, struct str s)
{
        int below = s.n < PAT_TEXT_MAX ? (int)s.n + 1 : PAT_TEXT_MAX;

        while ((below = next_length(l->x, 0, below)) >= 0) {
                struct str head = str_sub(s, 0, (size_t)below);
                const struct pat_entry *e = find_text(l, head, map_hash(head));

                if (e)
                        return e;
        }
        return NULL;
}

static const struct pat_entry *find_net(const struct look *l, int family, const uint8_t *ip)
{
        int from = family == AF_INET ? 0 : PAT_SIX_FROM, below = from + (family == AF_INET ? 33 : 129);

        while ((below = next_length(l->x, from, below)) >= 0) {
                const struct pat_entry *e = find_item(l, hash_net(family, ip, (unsigned)(below - from)));

                if (e)
                        return e;
        }
        return NULL;
}

/* An address has its IPv4 and its IPv6 form; patterns of its own family first (manual 7.1.6). */
static const struct pat_entry *find_ip(const struct look *l)
{
        const struct smp *s = l->s;
        uint8_t six[16] = { [10] = 0xff, [11] = 0xff };
        const uint8_t *four;
        const struct pat_entry *e;

        if (s->type == SMP_IPV4) {
                memcpy(six + 12, &s->ip4, 4);
                e = find_net(l, AF_INET, six + 12);
                return e ? e : find_net(l, AF_INET6, six);
        }
        e = find_net(l, AF_INET6, s->ip6.s6_addr);
        four = acl_embedded_ip4(s->ip6.s6_addr);
        return e || !four ? e : find_net(l, AF_INET, four);
}

static const struct pat_entry *find_hashed(const struct look *l)
{
        const struct smp *s = l->s;
        struct str text = { s->s.p, s->s.n };

        switch (l->x->how) {
        case ACL_STR: return text.n <= PAT_TEXT_MAX ? find_text(l, text, hash_text(text, l->x->icase)) : NULL;
        case ACL_BEG: return find_prefix(l, text);
        case ACL_IP: return find_ip(l);
        default: return find_item(l, hash_int(l->x->how == ACL_LEN ? (int64_t)s->s.n : s->i));
        }
}

static const struct pat_entry *find_listed(const struct look *l)
{
        const struct pat_expr *x = l->x;
        const struct smp *s = l->s;

        for (const struct pat_item *i = atomic_load_explicit(&x->first, memory_order_acquire); i;
             i = atomic_load_explicit(&i->next, memory_order_acquire)) {
                if (i->entry->version != l->version)
                        continue;
                if (x->how == ACL_REG ? regex_match(i->regex, (struct str){ s->s.p, s->s.n })
                                      : acl_pat_match(x->how, &i->pat, s))
                        return i->entry;
        }
        return NULL;
}

/* What is not found while a commit takes the version away that is looked for is looked for again in the new one. */
const struct pat_entry *pat_find(const struct pat_expr *x, const struct smp *s)
{
        struct look l = { .x = x, .s = s };
        const struct pat_entry *e;

        do {
                l.version = atomic_load_explicit(&x->ref->version, memory_order_acquire);
                l.t = epoch_load(&x->table);
                e = l.t ? find_hashed(&l) : NULL;
                if (!e)
                        e = find_listed(&l);
        } while (!e && atomic_load_explicit(&x->ref->version, memory_order_acquire) != l.version);
        return e;
}

struct str pat_key(const struct pat_entry *e)
{
        return (struct str){ e->key, e->n };
}

struct str pat_value(const struct pat_entry *e)
{
        const struct pat_val *v = atomic_load_explicit(&e->value, memory_order_acquire);

        return v ? v->text : (struct str){ "", 0 };
}

const struct regex *pat_regex(const struct pat_expr *x, const struct pat_entry *e)
{
        return e->items && e->items[x->no] ? e->items[x->no]->regex : NULL;
}

/* ---- entries (core/pat_int.h): the set's lock is held, or it is being loaded ---- */

static struct pat_val *make_val(struct pat_ref *r, struct str text, bool at_load)
{
        struct pat_val *v = get(r, sizeof(*v) + text.n + 1, at_load);

        v->at_load = at_load;
        v->text = (struct str){ (char *)(v + 1), text.n };
        if (text.n)
                memcpy(v + 1, text.p, text.n);
        return v;
}

struct pat_entry *pat_entry_add(struct pat_ref *r, struct str key, const struct str *value, bool at_load)
{
        struct pat_entry *e = get(r, sizeof(*e) + key.n + 1, at_load);

        e->n = (uint32_t)key.n;
        e->at_load = e->indexed = at_load;
        if (key.n)
                memcpy(e->key, key.p, key.n);
        if (value)
                atomic_init(&e->value, make_val(r, *value, at_load));
        e->prev = r->last;
        *(r->last ? &r->last->next : &r->first) = e;
        r->last = e;
        r->n_entries++;
        return e;
}

bool pat_entry_index(struct pat_ref *r, struct pat_entry *e, char why[PAT_WHY_MAX])
{
        for (unsigned i = 0; i < r->n_exprs; i++) {
                if (!prepare(r->exprs[i], e, false, why))
                        return false;
        }
        for (unsigned i = 0; i < r->n_exprs; i++)
                index_entry(r->exprs[i], e);
        e->indexed = true;
        return true;
}

void pat_entry_drop(struct pat_ref *r, struct pat_entry *e)
{
        struct pat_val *v = atomic_load_explicit(&e->value, memory_order_relaxed);

        for (unsigned i = 0; i < r->n_exprs && e->indexed; i++)
                unindex(r->exprs[i], e);
        *(e->prev ? &e->prev->next : &r->first) = e->next;
        *(e->next ? &e->next->prev : &r->last) = e->prev;
        r->n_entries--;
        for (unsigned i = 0; i < r->n_exprs && e->items; i++) {
                if (e->items[i])
                        retire_later(e->items[i], drop_item);
        }
        if (e->items)
                drop(e->items, e->at_load);
        if (v)
                drop(v, v->at_load);
        drop(e, e->at_load);
}

void pat_entry_set(struct pat_ref *r, struct pat_entry *e, struct str value)
{
        struct pat_val *old = atomic_load_explicit(&e->value, memory_order_relaxed);

        epoch_publish(&e->value, make_val(r, value, false));
        if (old)
                drop(old, old->at_load);
}
