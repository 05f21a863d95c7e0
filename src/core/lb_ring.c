/* core/lb_ring.c - keys with hash-type consistent (manual): a circle of 32 bits, 16 points a server and unit of weight, and the key goes to
 * the nearest one.
 *
 * Places of the points, their number and the choice between neighbours are HAProxy's, found by searching its circle with `hash-type
 * consistent none`: point i of a server stands at avalanche(key + i); the key is its id times 4096, or a hash of its address.
 * The circle is cut into buckets of a few points by their top bits; a new point goes to the end of its bucket. A server keeps the points it
 * once had: going, coming back and weights below the largest so far only change how many of them count. A reader sees each bucket before
 * or after a change, so for an instant a server may have some of its new points. */
#include "core/lb_hash.h"
#include "core/lb_int.h"

#include "base/epoch.h"
#include "core/retire.h"

#include <stdlib.h>

#define POINTS_PER_WEIGHT SRV_WEIGHT_SCALE
#define PER_BUCKET        8
#define GROWTH            4 /* that many times as full, and the circle is made anew */
#define BUCKETS_MAX       (1u << 20)

struct point {
        uint32_t at;
        uint32_t pos;   /* of its server in ring.srv; the smaller one goes first at one place */
        uint32_t index; /* among its server's */
};

struct bucket { /* in no order */
        _Atomic uint32_t n;
        uint32_t cap;
        struct point p[];
};

struct ring {
        struct lb_state base;
        uint32_t n;               /* servers */
        struct server **srv;      /* as in back->srv when it was made */
        uint32_t *key;            /* by position: where its points start */
        uint16_t *placed;         /* by position: how many points were placed */
        _Atomic uint16_t *points; /* by position: how many of them count now */
        uint64_t n_placed, n_max; /* beyond that, buckets are too full */
        uint32_t n_buckets;
        unsigned shift;
        _Atomic(struct bucket *) b[];
};

static void *must(void *p)
{
        ASSERT(p != NULL); /* ADR 0002: made of the configuration */
        return p;
}

/* ---- points ---- */

static uint32_t key_of(const struct server *s)
{
        const struct server_cfg *c = server_cfg_now(s);
        int by = c ? c->hash_key : LB_KEY_ID;
        uint32_t seed = by == LB_KEY_ADDR_PORT ? lb_avalanche((uint32_t)addr_port(&s->addr)) : 0;

        if (by >= LB_KEY_ADDR && s->addr.sa.sa_family == AF_INET)
                return lb_avalanche(s->addr.in.sin_addr.s_addr + seed);
        if (by >= LB_KEY_ADDR && s->addr.sa.sa_family == AF_INET6)
                return lb_xxh32(&s->addr.in6.sin6_addr, sizeof(s->addr.in6.sin6_addr), seed);
        return (uint32_t)s->puid * (SRV_WEIGHT_MAX * POINTS_PER_WEIGHT);
}

static uint32_t points_of(const struct lb_view *v, const struct server *s)
{
        return lb_serves(v, s) ? server_lb_weight(s) : 0;
}

static bool is_before(struct point a, struct point b)
{
        return a.at != b.at ? a.at < b.at : a.pos < b.pos;
}

static _Atomic(struct bucket *) *bucket_at(struct ring *r, uint32_t at)
{
        return &r->b[(uint64_t)at >> r->shift];
}

static struct bucket *bucket_new(uint32_t cap)
{
        struct bucket *b = must(malloc(sizeof(*b) + cap * sizeof(b->p[0])));

        atomic_init(&b->n, 0);
        b->cap = cap;
        return b;
}

static void append(struct bucket *b, struct point p)
{
        uint32_t n = atomic_load_explicit(&b->n, memory_order_relaxed);

        b->p[n] = p;
        atomic_store_explicit(&b->n, n + 1,
                              memory_order_release); /* pairs with the acquire in next_point(), prev_point() */
}

static void replace(_Atomic(struct bucket *) *at, struct bucket *old, struct bucket *b)
{
        epoch_publish(at, b);
        if (old)
                retire_later(old, free);
}

static void add(struct ring *r, struct point p)
{
        _Atomic(struct bucket *) *at = bucket_at(r, p.at);
        struct bucket *old = atomic_load_explicit(at, memory_order_relaxed), *b = old;
        uint32_t n = old ? old->n : 0;

        if (!old || n == old->cap) {
                b = bucket_new(old ? old->cap * 2 : 4);
                for (uint32_t i = 0; i < n; i++)
                        append(b, old->p[i]);
                replace(at, old, b);
        }
        append(b, p);
}

static void drop(struct ring *r, struct point p)
{
        _Atomic(struct bucket *) *at = bucket_at(r, p.at);
        struct bucket *old = atomic_load_explicit(at, memory_order_relaxed), *b = bucket_new(old->cap);

        for (uint32_t i = 0; i < old->n; i++)
                if (old->p[i].pos != p.pos || old->p[i].index != p.index)
                        append(b, old->p[i]);
        replace(at, old, b);
}

static struct point point_of(const struct ring *r, uint32_t pos, uint32_t index)
{
        return (struct point){ lb_avalanche(r->key[pos] + index), pos, index };
}

static bool change(struct lb_state *st, struct back *b, const struct lb_view *v, struct server *s)
{
        struct ring *r = (struct ring *)st;
        uint32_t pos = s->pos, want = points_of(v, s), key = key_of(s);

        (void)b;
        if (key != r->key[pos]) {
                for (; r->placed[pos] > 0; r->n_placed--)
                        drop(r, point_of(r, pos, --r->placed[pos]));
                r->key[pos] = key;
        }
        if (want > r->placed[pos] && r->n_placed + (want - r->placed[pos]) > r->n_max)
                return false;
        for (; r->placed[pos] < want; r->placed[pos]++, r->n_placed++)
                add(r, point_of(r, pos, r->placed[pos]));
        atomic_store_explicit(&r->points[pos], (uint16_t)want, memory_order_release);
        return true;
}

/* ---- building: count, then place ---- */

static struct ring *ring_new(uint32_t n_servers, uint64_t n_points)
{
        uint32_t buckets = 1;
        struct ring *r;

        while (buckets < BUCKETS_MAX && (uint64_t)buckets * PER_BUCKET < n_points)
                buckets *= 2;
        r = must(calloc(1, sizeof(*r) + buckets * sizeof(r->b[0])));
        r->n = n_servers;
        r->n_placed = n_points;
        r->n_max = (uint64_t)buckets * PER_BUCKET * GROWTH + SRV_WEIGHT_MAX * POINTS_PER_WEIGHT;
        r->n_buckets = buckets;
        r->shift = 32 - (unsigned)__builtin_ctz(buckets);
        r->srv = must(calloc(n_servers + 1u, sizeof(struct server *)));
        r->key = must(calloc(n_servers + 1u, sizeof(*r->key)));
        r->placed = must(calloc(n_servers + 1u, sizeof(*r->placed)));
        r->points = must(calloc(n_servers + 1u, sizeof(*r->points)));
        return r;
}

static void place_all(struct ring *r)
{
        uint32_t *count = must(calloc(r->n_buckets, sizeof(*count)));

        for (uint32_t i = 0; i < r->n; i++)
                for (uint32_t k = 0; k < r->placed[i]; k++)
                        count[(uint64_t)lb_avalanche(r->key[i] + k) >> r->shift]++;
        for (uint32_t i = 0; i < r->n_buckets; i++)
                if (count[i])
                        atomic_init(&r->b[i], bucket_new(count[i] + 4));
        for (uint32_t i = 0; i < r->n; i++)
                for (uint32_t k = 0; k < r->placed[i]; k++) {
                        struct point p = point_of(r, i, k);
                        append(atomic_load_explicit(bucket_at(r, p.at), memory_order_relaxed), p);
                }
        free(count);
}

static struct lb_state *make(struct back *b, const struct lb_cfg *cfg, const struct lb_view *v)
{
        uint64_t points = 0;
        struct ring *r;

        for (uint32_t i = 0; i < b->n_srv; i++)
                points += points_of(v, b->srv[i]);
        r = ring_new(b->n_srv, points);
        r->base = (struct lb_state){ &lb_ring, cfg, v->backup };
        for (uint32_t i = 0; i < r->n; i++) {
                r->srv[i] = b->srv[i];
                r->key[i] = key_of(b->srv[i]);
                r->placed[i] = (uint16_t)points_of(v, b->srv[i]);
                atomic_init(&r->points[i], r->placed[i]);
        }
        place_all(r);
        return &r->base;
}

static void state_free(void *p)
{
        struct ring *r = p;

        for (uint32_t i = 0; i < r->n_buckets; i++)
                free(atomic_load_explicit(&r->b[i], memory_order_relaxed));
        free(r->srv);
        free(r->key);
        free(r->placed);
        free(r->points);
        free(r);
}

/* ---- picking ---- */

static bool counts(const struct ring *r, struct point p)
{
        return p.index < atomic_load_explicit(&r->points[p.pos], memory_order_relaxed);
}

/* The first point at or after p, around the circle; false: there is none at all. */
static bool next_point(struct ring *r, struct point p, struct point *ret_p)
{
        uint32_t first = (uint32_t)((uint64_t)p.at >> r->shift);
        bool found = false;

        for (uint32_t k = 0; k <= r->n_buckets && !found; k++) {
                const struct bucket *b = epoch_load(&r->b[(first + k) & (r->n_buckets - 1)]);
                uint32_t n = b ? atomic_load_explicit(&b->n, memory_order_acquire) : 0;

                for (uint32_t i = 0; i < n; i++)
                        if ((k > 0 || !is_before(b->p[i], p)) && counts(r, b->p[i]) &&
                            (!found || is_before(b->p[i], *ret_p))) {
                                *ret_p = b->p[i];
                                found = true;
                        }
        }
        return found;
}

/* The last point before p. */
static bool prev_point(struct ring *r, struct point p, struct point *ret_p)
{
        uint32_t first = (uint32_t)((uint64_t)p.at >> r->shift);
        bool found = false;

        for (uint32_t k = 0; k <= r->n_buckets && !found; k++) {
                const struct bucket *b = epoch_load(&r->b[(first - k) & (r->n_buckets - 1)]);
                uint32_t n = b ? atomic_load_explicit(&b->n, memory_order_acquire) : 0;

                for (uint32_t i = 0; i < n; i++)
                        if ((k > 0 || is_before(b->p[i], p)) && counts(r, b->p[i]) &&
                            (!found || is_before(*ret_p, b->p[i]))) {
                                *ret_p = b->p[i];
                                found = true;
                        }
        }
        return found;
}

/* The nearest; of two at the same distance the one behind. */
static bool nearest(struct ring *r, uint32_t h, struct point *ret_p)
{
        struct point key = { .at = h }, next = { 0 }, prev = { 0 };

        if (!next_point(r, key, &next) || !prev_point(r, key, &prev))
                return false;
        *ret_p = next.at - h < h - prev.at ? next : prev;
        return true;
}

/* Goes where the key leads, and on along the circle past those that must not or need not take it. */
struct walk {
        struct ring *r;
        struct back *b;
        const struct server *avoid;
        const struct lb_cfg *cfg;
};

static bool may_take(const struct walk *w, const struct server *s)
{
        if (s == w->avoid || !lb_below_factor(w->b, s, w->cfg->factor))
                return false;
        switch (w->cfg->affinity) {
        case LB_AFFINITY_MAXCONN: return atomic_load_explicit(&s->cur, memory_order_relaxed) < slot_limit(s);
        case LB_AFFINITY_MAXQUEUE: return !queue_is_full(s);
        default: return true;
        }
}

/* Bounded by the points; a farm of which most must be passed over is near its limits anyway. */
#define STEPS_MAX 65536

static struct server *go_on(const struct walk *w, struct point p)
{
        struct server *last = NULL;
        struct point at = p;

        for (unsigned i = 0; i < STEPS_MAX; i++) {
                struct server *s = w->r->srv[at.pos];

                if (may_take(w, s))
                        return s;
                if (s != w->avoid)
                        last = s;
                if (!next_point(w->r, (struct point){ .at = at.at, .pos = at.pos + 1 }, &at) ||
                    (at.at == p.at && at.pos == p.pos))
                        break;
        }
        return last ? last : w->r->srv[p.pos];
}

static enum lb_answer take(struct lb_state *st, struct back *b, struct strm *s, const struct server *avoid,
                           struct server **ret_srv)
{
        struct ring *r = (struct ring *)st;
        struct walk w = { r, b, avoid, st->cfg };
        struct point p;
        uint32_t h = 0;

        if (!lb_key(st->cfg, s, &h))
                return LB_TURN;
        if (!nearest(r, h, &p))
                return LB_FULL;
        *ret_srv = go_on(&w, p);
        return lb_place(*ret_srv) ? LB_TAKEN : LB_WAIT;
}

const struct lb_policy lb_ring = { .make = make, .change = change, .free = state_free, .take = take };
