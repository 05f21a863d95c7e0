/* core/lb.c - round robin over an immutable schedule, one atomic ticket per backend (mechanisms.md b). */
#include "core/lb.h"

#include "base/epoch.h"
#include "core/queue.h"
#include "core/retire.h"

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
        bool equal;
};

static bool wanted(const struct server *s, bool backup)
{
        return s->backup == backup && atomic_load_explicit(&s->usable, memory_order_relaxed) &&
               atomic_load_explicit(&s->weight, memory_order_relaxed) > 0;
}

static struct plan plan_of(const struct back *b, bool backup)
{
        struct plan p = { .equal = true };
        uint32_t first = 0;

        for (uint32_t i = 0; i < b->n_srv; i++) {
                uint32_t w = atomic_load_explicit(&b->srv[i]->weight, memory_order_relaxed);
                if (!wanted(b->srv[i], backup))
                        continue;
                first = first ? first : w;
                p.equal = p.equal && w == first;
                p.n++;
                p.sum += w;
                p.div = gcd(w, p.div);
                if (backup)
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
                        credit[i] += atomic_load_explicit(&b->srv[i]->weight, memory_order_relaxed);
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
        s->lb_weight = atomic_load_explicit(&s->weight, memory_order_relaxed);
        v->by_weight[s->lb_weight]++;
        atomic_store_explicit(&v->slot[n], s, memory_order_relaxed);
        atomic_store_explicit(&v->n, n + 1, memory_order_release); /* pairs with the acquire in lb_take() */
}

/* It keeps its place: nobody else's cache lines are touched. */
static void large_weigh(struct lb_view *v, struct server *s)
{
        v->by_weight[s->lb_weight]--;
        s->lb_weight = atomic_load_explicit(&s->weight, memory_order_relaxed);
        v->by_weight[s->lb_weight]++;
}

static struct lb_view *large_build(const struct back *b, const struct plan *p, bool backup)
{
        struct lb_view *v = view_new(p, backup, b->n_srv + b->n_srv / 4 + 64);

        v->large = true;
        for (uint32_t i = 0; i < b->n_srv; i++) {
                b->srv[i]->lb_pos = LB_NO_POS;
                if (wanted(b->srv[i], backup) && (!backup || v->n == 0))
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

void lb_update(struct back *b, struct server *changed)
{
        struct lb_view *old = atomic_load_explicit(&b->view, memory_order_relaxed);

        if (changed && old && old->large && b->n_srv > SMALL_FARM && large_edit(old, b, changed))
                return;
        epoch_publish(&b->view, view_build(b));
        if (old)
                retire_later(old, view_free);
}

/* ---- picking ---- */

/* May this slot be served in this round? Always, in an exact schedule. */
static bool in_turn(const struct lb_view *v, const struct server *s, uint64_t round)
{
        uint64_t w, max;

        if (!v->large)
                return true;
        w = atomic_load_explicit(&s->weight, memory_order_relaxed);
        max = atomic_load_explicit(&v->wmax, memory_order_relaxed);
        return w >= max || (round + 1) * w / max > round * w / max;
}

/* In a large view whoever passes over a place draws a ticket for the next one: each place of each round is offered once, so that a heavy
 * server behind a light one does not get the light one's turns. */
static uint64_t next_place(struct back *b, const struct lb_view *v, uint64_t i)
{
        return v->large ? atomic_fetch_add_explicit(&b->ticket, 1, memory_order_relaxed) : i + 1;
}

static bool take(struct server *s)
{
        return atomic_load_explicit(&s->usable, memory_order_relaxed) && slot_take(s);
}

struct server *lb_take(struct back *b, const struct strm *s, const struct server *avoid)
{
        const struct lb_view *v = epoch_load(&b->view);
        uint32_t n = v ? atomic_load_explicit(&v->n, memory_order_acquire) : 0;
        struct server *second = NULL;
        uint64_t at;

        (void)s;
        if (n == 0)
                return NULL;
        at = atomic_fetch_add_explicit(&b->ticket, 1, memory_order_relaxed);
        for (uint64_t i = at, left = n; left > 0; left--, i = next_place(b, v, i)) {
                struct server *srv = atomic_load_explicit(&v->slot[i % n], memory_order_relaxed);
                if (srv == avoid)
                        second = srv;
                else if (in_turn(v, srv, i / n) && take(srv))
                        return srv;
        }
        for (uint64_t i = at; v->large && i < at + n; i++) { /* only light servers have places: their turn or not */
                struct server *srv = atomic_load_explicit(&v->slot[i % n], memory_order_relaxed);
                if (srv != avoid && take(srv))
                        return srv;
        }
        return second && take(second) ? second : NULL;
}
