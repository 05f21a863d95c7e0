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

static void fill_equal(const struct back *b, struct lb_view *v)
{
        for (uint32_t i = 0; i < b->n_srv && v->n < v->n_servers; i++)
                if (wanted(b->srv[i], v->backup))
                        v->slot[v->n++] = b->srv[i];
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
                v->slot[v->n++] = b->srv[best];
        }
        free(credit);
}

static struct lb_view *view_build(const struct back *b)
{
        bool backup = false;
        struct plan p = plan_of(b, false);
        struct lb_view *v;
        uint32_t slots;

        if (p.n == 0) {
                backup = true;
                p = plan_of(b, true);
        }
        slots = p.n == 0 ? 0 : p.equal ? p.n : p.sum / p.div;
        v = calloc(1, sizeof(*v) + (slots + 1) * sizeof(v->slot[0]));
        ASSERT(v != NULL);
        v->n_servers = p.n;
        v->backup = backup;
        v->equal = p.equal;
        if (p.n && p.equal)
                fill_equal(b, v);
        else if (p.n)
                fill_weighted(b, v, &p, slots);
        return v;
}

static void publish(struct back *b, struct lb_view *v)
{
        struct lb_view *old = atomic_load_explicit(&b->view, memory_order_relaxed);

        epoch_publish(&b->view, v);
        if (old)
                retire_later(old, view_free);
}

void lb_update(struct back *b, struct server *changed)
{
        (void)changed;
        publish(b, view_build(b));
}

/* ---- picking ---- */

struct server *lb_take(struct back *b, const struct strm *s, const struct server *avoid)
{
        const struct lb_view *v = epoch_load(&b->view);
        struct server *second = NULL;
        uint64_t at;

        (void)s;
        if (!v || v->n == 0)
                return NULL;
        at = atomic_fetch_add_explicit(&b->ticket, 1, memory_order_relaxed);
        for (uint32_t i = 0; i < v->n; i++) {
                struct server *srv = v->slot[(at + i) % v->n];
                if (srv == avoid) {
                        second = srv;
                        continue;
                }
                if (atomic_load_explicit(&srv->usable, memory_order_relaxed) && slot_take(srv))
                        return srv;
        }
        return second && atomic_load_explicit(&second->usable, memory_order_relaxed) && slot_take(second) ? second : NULL;
}
