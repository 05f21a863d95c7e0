/* core/lb.c - round robin over an immutable schedule, one atomic ticket per backend (mechanisms.md b); and random draws from it. */
#include "core/lb_int.h"

#include "base/epoch.h"
#include "core/lb_hash.h"
#include "core/retire.h"
#include "core/strm.h"

#include <stdlib.h>

static void view_free(void *p)
{
        free(p);
}

/* ---- building ---- */

/* Smooth weighted order (each turn the server with the largest credit goes, credit falls by the sum): a schedule of sum/gcd slots,
 * bounded. Equal weights give file order. */
#define SCHEDULE_MAX 65536

static uint32_t gcd(uint32_t a, uint32_t b)
{
        while (b) {
                uint32_t t = a % b;
                a = b;
                b = t;
        }
        return a;
}

struct plan {
        uint32_t n, sum, div;
        bool equal, all_backups;
};

static bool wanted(const struct server *s, bool backup)
{
        return s->backup == backup && atomic_load_explicit(&s->usable, memory_order_relaxed) &&
               atomic_load_explicit(&s->weight, memory_order_relaxed) > 0;
}

static bool all_backups(const struct back *b)
{
        const struct back_cfg *bc = epoch_load(&b->cfg);

        return bc && bc->lb && bc->lb->allbackups;
}

static struct plan plan_of(const struct back *b, bool backup)
{
        struct plan p = { .equal = true, .all_backups = all_backups(b) };
        uint32_t first = 0;

        for (uint32_t i = 0; i < b->n_srv; i++) {
                uint32_t w = server_lb_weight(b->srv[i]);
                if (!wanted(b->srv[i], backup))
                        continue;
                first = first ? first : w;
                p.equal = p.equal && w == first;
                p.n++;
                p.sum += w;
                p.div = gcd(w, p.div);
                if (backup && !p.all_backups)
                        break; /* manual, option allbackups: without it only the first usable backup serves */
        }
        while (p.div && p.sum / p.div > SCHEDULE_MAX)
                p.div *= 2; /* a huge farm with odd weights: a coarser spread */
        return p;
}

static void put(struct lb_view *v, struct server *s)
{
        uint32_t n = atomic_load_explicit(&v->n, memory_order_relaxed);

        atomic_store_explicit(&v->slot[n], s, memory_order_relaxed);
        atomic_store_explicit(&v->n, n + 1, memory_order_relaxed);
}

static void fill_equal(const struct back *b, struct lb_view *v)
{
        for (uint32_t i = 0; i < b->n_srv && v->n < v->n_servers; i++)
                if (wanted(b->srv[i], v->backup))
                        put(v, b->srv[i]);
}

static void fill_weighted(const struct back *b, struct lb_view *v, const struct plan *p, uint32_t slots)
{
        int64_t *credit = calloc(b->n_srv, sizeof(*credit));

        ASSERT(credit != NULL);
        while (v->n < slots) {
                uint32_t best = UINT32_MAX;
                for (uint32_t i = 0; i < b->n_srv; i++) {
                        if (!wanted(b->srv[i], v->backup))
                                continue;
                        credit[i] += server_lb_weight(b->srv[i]);
                        if (best == UINT32_MAX || credit[i] > credit[best])
                                best = i;
                }
                credit[best] -= p->sum;
                put(v, b->srv[best]);
        }
        free(credit);
}

/* A farm of at most this many servers is scheduled exactly and rebuilt at each change: about 20 us at the limit. */
#define SMALL_FARM     256
#define SCHEDULE_STEPS 262144 /* about half a millisecond */

static struct lb_view *view_new(const struct plan *p, bool backup, uint32_t cap)
{
        struct lb_view *v = calloc(1, sizeof(*v) + (cap + 1) * sizeof(v->slot[0]));

        ASSERT(v != NULL);
        v->n_servers = p->n;
        v->backup = backup;
        v->all_backups = p->all_backups;
        v->equal = p->equal;
        v->cap = cap;
        return v;
}

static struct lb_view *small_build(const struct back *b, const struct plan *p, bool backup)
{
        uint32_t slots = p->n == 0 ? 0 : p->equal ? p->n : p->sum / p->div;
        struct lb_view *v = view_new(p, backup, slots);

        if (p->n && p->equal)
                fill_equal(b, v);
        else if (p->n)
                fill_weighted(b, v, p, slots);
        return v;
}

/* ---- large farms: edited in place ----
 *
 * One slot a server in no particular order, so that a server comes and goes in O(1). Weights: slot i in round r (ticket / n) is served
 * when floor((r + 1) * w / wmax) > floor(r * w / wmax), so a server gets w / wmax of the rounds, evenly spread, without any schedule. */

static void large_max(struct lb_view *v)
{
        uint32_t w = SRV_WEIGHT_MAX;

        while (w > 1 && v->by_weight[w] == 0)
                w--;
        atomic_store_explicit(&v->wmax, w, memory_order_relaxed);
}

static void large_drop(struct lb_view *v, struct server *s)
{
        uint32_t n = atomic_load_explicit(&v->n, memory_order_relaxed);
        struct server *last = atomic_load_explicit(&v->slot[n - 1], memory_order_relaxed);

        atomic_store_explicit(&v->slot[s->lb_pos], last, memory_order_relaxed);
        last->lb_pos = s->lb_pos;
        s->lb_pos = LB_NO_POS;
        v->by_weight[s->lb_weight]--;
        atomic_store_explicit(&v->n, n - 1, memory_order_release);
}

static void large_add(struct lb_view *v, struct server *s)
{
        uint32_t n = atomic_load_explicit(&v->n, memory_order_relaxed);

        s->lb_pos = n;
        s->lb_weight = server_shown_weight(server_lb_weight(s));
        v->by_weight[s->lb_weight]++;
        atomic_store_explicit(&v->slot[n], s, memory_order_relaxed);
        atomic_store_explicit(&v->n, n + 1, memory_order_release); /* pairs with the acquire in lb_take() */
}

/* It keeps its place: nobody else's cache lines are touched. */
static void large_weigh(struct lb_view *v, struct server *s)
{
        v->by_weight[s->lb_weight]--;
        s->lb_weight = server_shown_weight(server_lb_weight(s));
        v->by_weight[s->lb_weight]++;
}

static struct lb_view *large_build(const struct back *b, const struct plan *p, bool backup)
{
        struct lb_view *v = view_new(p, backup, b->n_srv + b->n_srv / 4 + 64);

        v->large = true;
        for (uint32_t i = 0; i < b->n_srv; i++) {
                b->srv[i]->lb_pos = LB_NO_POS;
                if (wanted(b->srv[i], backup) && (!backup || v->all_backups || v->n == 0))
                        large_add(v, b->srv[i]);
        }
        large_max(v);
        return v;
}

/* True when the one change could be made in place. */
static bool large_edit(struct lb_view *v, const struct back *b, struct server *s)
{
        bool in = s->lb_pos != LB_NO_POS, want = wanted(s, false);

        if (v->backup || s->backup || b->n_srv > v->cap)
                return false;
        if (in && want)
                large_weigh(v, s);
        else if (in)
                large_drop(v, s);
        else if (want)
                large_add(v, s);
        large_max(v);
        v->n_servers = v->n;
        return v->n > 0;
}

/* Building the exact schedule takes slots x servers steps: odd weights of many servers are not worth them. */
static bool is_small(const struct back *b, const struct plan *p)
{
        uint64_t slots = p->n == 0 || p->equal ? 1 : p->sum / p->div;

        return b->n_srv <= SMALL_FARM && slots * b->n_srv <= SCHEDULE_STEPS;
}

static struct lb_view *view_build(const struct back *b)
{
        struct plan p = plan_of(b, false);
        bool backup = p.n == 0;

        if (backup)
                p = plan_of(b, true);
        return is_small(b, &p) ? small_build(b, &p, backup) : large_build(b, &p, backup);
}

/* ---- the policy's state ---- */

bool lb_serves(const struct lb_view *v, const struct server *s)
{
        return wanted(s, v->backup) &&
               (!v->backup || v->all_backups || s == atomic_load_explicit(&v->slot[0], memory_order_relaxed));
}

bool lb_key(const struct lb_cfg *c, struct strm *s, uint32_t *ret_hash)
{
        uint32_t h = 0;

        if (!s || !c->key || !c->key(c, s, &h))
                return false;
        /* manual, hash-type: consistent without a function is sdbm with avalanche */
        *ret_hash = c->avalanche || (c->type == LB_CONSISTENT && !c->type_said) ? lb_avalanche(h) : h;
        return true;
}

static const struct lb_policy *policy_of(const struct lb_cfg *c)
{
        switch (c->kind) {
        case BAL_DEFAULT:
        case BAL_ROUNDROBIN:
        case BAL_RANDOM: return NULL;
        case BAL_LEASTCONN:
        case BAL_FIRST: return &lb_rank;
        case BAL_STATIC_RR: return &lb_map;
        default: return c->type == LB_CONSISTENT ? &lb_ring : &lb_map;
        }
}

static void state_replace(struct back *b, const struct lb_cfg *cfg, const struct lb_view *v)
{
        const struct lb_policy *p = policy_of(cfg);
        struct lb_state *old = atomic_load_explicit(&b->lb, memory_order_relaxed);

        if (p != &lb_rank)
                lb_rank_clear(b);
        lb_share_make(b, v, cfg->factor > 0);
        epoch_publish(&b->lb, p ? p->make(b, cfg, v) : NULL);
        if (old)
                retire_later(old, old->policy->free);
}

/* One server changed, and the others serve as before: the state is edited. */
static void state_update(struct back *b, const struct lb_view *v, struct server *changed, bool others_same)
{
        static const struct lb_cfg plain;
        const struct back_cfg *bc = epoch_load(&b->cfg);
        const struct lb_cfg *cfg = bc && bc->lb ? bc->lb : &plain;
        struct lb_state *st = atomic_load_explicit(&b->lb, memory_order_relaxed);

        if (!changed || !others_same || v->backup || (st && st->cfg != cfg) || (!st && policy_of(cfg))) {
                state_replace(b, cfg, v);
                return;
        }
        lb_share_change(b, v, changed);
        if (st && !st->policy->change(st, b, v, changed))
                state_replace(b, cfg, v);
}

void lb_free(struct back *b)
{
        struct lb_state *st = epoch_load(&b->lb);

        if (st)
                st->policy->free(st);
        lb_share_free(b);
        lb_rank_free(b->rank);
        free(epoch_load(&b->view));
}

void lb_update(struct back *b, struct server *changed)
{
        struct lb_view *old = atomic_load_explicit(&b->view, memory_order_relaxed), *v = old;
        bool edited = changed && old && old->large && b->n_srv > SMALL_FARM && large_edit(old, b, changed);

        if (!edited) {
                v = view_build(b);
                epoch_publish(&b->view, v);
        }
        state_update(b, v, changed, old && old->backup == v->backup);
        places_moved(b);
        if (!edited && old)
                retire_later(old, view_free);
}

void lb_address_moved(struct server *s)
{
        const struct server_cfg *c = server_cfg_now(s);
        struct back *b = s->back;

        if (c && c->hash_key != LB_KEY_ID && s->pos < b->n_srv && b->srv[s->pos] == s)
                lb_update(b, s);
}

/* ---- picking ---- */

/* May this slot be served in this round? Always, in an exact schedule. */
static bool in_turn(const struct lb_view *v, const struct server *s, uint64_t round)
{
        uint64_t w, max;

        if (!v->large)
                return true;
        w = server_lb_weight(s);
        max = (uint64_t)atomic_load_explicit(&v->wmax, memory_order_relaxed) * SRV_WEIGHT_SCALE;
        return w >= max || (round + 1) * w / max > round * w / max;
}

/* In a large view whoever passes over a place draws a ticket for the next one: each place of each round is offered once, so that a heavy
 * server behind a light one does not get the light one's turns. */
static uint64_t next_place(struct back *b, const struct lb_view *v, uint64_t i)
{
        return v->large ? atomic_fetch_add_explicit(&b->ticket, 1, memory_order_relaxed) : i + 1;
}

/* ---- random (manual, balance random): of a few drawn by weight, the one with the least to do ---- */

static uint64_t mix(uint64_t x)
{
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
        x = (x ^ x >> 27) * 0x94d049bb133111ebu;
        return x ^ x >> 31;
}

/* A slot by chance. In a large view a server has one whatever its weight: a light one is drawn and put back. */
static struct server *draw(const struct lb_view *v, uint32_t n, uint64_t *seed)
{
        uint64_t max = (uint64_t)atomic_load_explicit(&v->wmax, memory_order_relaxed) * SRV_WEIGHT_SCALE, r;
        struct server *srv;

        for (int tries = 64;; tries--) {
                r = mix(*seed += 0x9e3779b97f4a7c15u);
                srv = atomic_load_explicit(&v->slot[(r >> 32) * n >> 32], memory_order_relaxed);
                if (!v->large || tries == 0 || (r & UINT32_MAX) * max >> 32 < server_lb_weight(srv))
                        return srv;
        }
}

static uint64_t load_of(const struct server *s)
{
        return (uint64_t)atomic_load_explicit(&s->cur, memory_order_relaxed) + queue_length(s->queue);
}

static bool less_loaded(const struct server *a, const struct server *b)
{
        return load_of(a) * server_lb_weight(b) < load_of(b) * server_lb_weight(a);
}

static struct server *take_random(const struct back *b, const struct lb_view *v, const struct strm *s,
                                  const struct server *avoid)
{
        uint32_t n = atomic_load_explicit(&v->n, memory_order_acquire);
        int draws = s->bcfg->lb->draws, factor = s->bcfg->lb->factor;
        uint64_t seed = s->id + thr_self->now;
        struct server *best = NULL;

        while (draws-- > 0) {
                struct server *srv = draw(v, n, &seed);
                if (srv != avoid && atomic_load_explicit(&srv->usable, memory_order_relaxed) &&
                    atomic_load(&srv->cur) < slot_limit(srv) && lb_below_factor(b, srv, factor) &&
                    (!best || less_loaded(srv, best)))
                        best = srv;
        }
        return best && lb_place(best) ? best : NULL;
}

/* How many draws, when the backend wants them. */
static int draws_of(const struct strm *s)
{
        return s && s->bcfg && s->bcfg->lb && s->bcfg->lb->kind == BAL_RANDOM ? s->bcfg->lb->draws : 0;
}

/* ---- the whole farm ---- */

#define MANY 64 /* places: that many may be tried in any case */

/* The first one with room, whoever's turn it is; or the one to avoid. */
static struct server *take_any(struct back *b, const struct server *avoid)
{
        uint64_t at = atomic_load_explicit(&b->ticket, memory_order_relaxed), mark = places_mark(b);
        const struct lb_view *v = epoch_load(&b->view);
        uint32_t n = atomic_load_explicit(&v->n, memory_order_acquire);
        struct server *second = NULL;
        bool ramp = false;

        STAT_INC(b->full_looks);
        for (uint32_t i = 0; i < n; i++) {
                struct server *srv = atomic_load_explicit(&v->slot[(at + i) % n], memory_order_relaxed);
                ramp = ramp || atomic_load_explicit(&srv->minconn, memory_order_relaxed);
                if (srv == avoid)
                        second = srv;
                else if (lb_place(srv))
                        return srv;
        }
        if (second && lb_place(second))
                return second;
        if (!ramp) /* a limit on its ramp rises without a word */
                places_full(b, mark);
        return NULL;
}

static struct server *take_turn(struct back *b, const struct lb_view *v, uint32_t n, const struct server *avoid)
{
        struct server *srv;
        unsigned refused = 0;

        for (uint64_t i = atomic_fetch_add_explicit(&b->ticket, 1, memory_order_relaxed), left = n;
             left > 0 && refused < MANY; left--, i = next_place(b, v, i)) {
                srv = atomic_load_explicit(&v->slot[i % n], memory_order_relaxed);
                if (srv == avoid || !in_turn(v, srv, i / n))
                        continue;
                if (lb_place(srv))
                        return srv;
                refused++;
        }
        return take_any(b, avoid);
}

/* Policies with a state. A server that went while we looked at it is nobody to wait for. */
static struct server *take_by_policy(struct back *b, struct strm *s, const struct server *avoid,
                                     struct server **ret_wait)
{
        struct lb_state *st = epoch_load(&b->lb);
        const struct lb_view *v = epoch_load(&b->view);
        struct server *srv = NULL;

        if (st->policy == &lb_rank && places_none(b))
                return NULL;
        switch (st->policy->take(st, b, s, avoid, &srv)) {
        case LB_TAKEN: return srv;
        case LB_FULL: return places_none(b) ? NULL : take_any(b, avoid);
        case LB_WAIT:
                if (atomic_load_explicit(&srv->usable, memory_order_relaxed) && srv->queue) {
                        *ret_wait = srv;
                        return NULL;
                }
                break;
        case LB_TURN: break;
        }
        return places_none(b) ? NULL : take_turn(b, v, atomic_load_explicit(&v->n, memory_order_acquire), avoid);
}

struct server *lb_take(struct back *b, struct strm *s, const struct server *avoid, struct server **ret_wait)
{
        const struct lb_view *v = epoch_load(&b->view);
        uint32_t n = v ? atomic_load_explicit(&v->n, memory_order_acquire) : 0;
        struct server *srv;

        if (n == 0)
                return NULL;
        if (unlikely(epoch_load(&b->lb) != NULL))
                return take_by_policy(b, s, avoid, ret_wait);
        if (places_none(b))
                return NULL;
        srv = draws_of(s) ? take_random(b, v, s, avoid) : NULL;
        return srv ? srv : take_turn(b, v, n, avoid);
}
