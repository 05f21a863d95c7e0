/* core/lb_share.c - hash-balance-factor: how many streams each server may have at a time (manual).
 *
 * T = factor percent of the backend's streams, rounded up, are dealt out by weight in file order: a server whose weights stand at c..c+w of
 * W gets floor((c + w) * T / W) - floor(c * T / W), at least one; so HAProxy does it, as seen from outside. The sums c are kept in a
 * Fenwick tree: a change of one weight and a look cost log2(servers). */
#include "core/lb_int.h"

#include "base/epoch.h"
#include "core/retire.h"

#include <stdlib.h>

struct lb_share {
        uint32_t n;
        _Atomic uint64_t total;
        uint32_t *weight;        /* by position; back->lock */
        _Atomic uint64_t tree[]; /* from 1 */
};

static void add(struct lb_share *sh, uint32_t pos, uint32_t weight)
{
        uint64_t more = (uint64_t)weight - sh->weight[pos]; /* modulo 2^64 */

        sh->weight[pos] = weight;
        for (uint32_t i = pos + 1; i <= sh->n; i += i & -i)
                atomic_fetch_add_explicit(&sh->tree[i], more, memory_order_relaxed);
        atomic_fetch_add_explicit(&sh->total, more, memory_order_relaxed);
}

static uint64_t before(const struct lb_share *sh, uint32_t pos)
{
        uint64_t sum = 0;

        for (uint32_t i = pos; i > 0; i -= i & -i)
                sum += atomic_load_explicit(&sh->tree[i], memory_order_relaxed);
        return sum;
}

static uint32_t weight_of(const struct lb_view *v, const struct server *s)
{
        return lb_serves(v, s) ? server_lb_weight(s) : 0;
}

static void share_free(void *p)
{
        struct lb_share *sh = p;

        free(sh->weight);
        free(sh);
}

void lb_share_make(struct back *b, const struct lb_view *v, bool wanted)
{
        struct lb_share *old = b->share, *sh = NULL;

        if (wanted) {
                sh = calloc(1, sizeof(*sh) + (b->n_srv + 1u) * sizeof(sh->tree[0]));
                ASSERT(sh != NULL);
                sh->n = b->n_srv;
                sh->weight = calloc(b->n_srv + 1u, sizeof(*sh->weight));
                ASSERT(sh->weight != NULL);
                for (uint32_t i = 0; i < b->n_srv; i++)
                        add(sh, i, weight_of(v, b->srv[i]));
        }
        __atomic_store_n(&b->share, sh, __ATOMIC_RELEASE);
        if (old)
                retire_later(old, share_free);
}

void lb_share_change(struct back *b, const struct lb_view *v, const struct server *s)
{
        if (b->share)
                add(b->share, s->pos, weight_of(v, s));
}

void lb_share_free(struct back *b)
{
        if (b->share)
                share_free(b->share);
}

bool lb_below_factor(const struct back *b, const struct server *s, int factor)
{
        const struct lb_share *sh = __atomic_load_n(&b->share, __ATOMIC_ACQUIRE);
        uint64_t streams, t, c, w, total;

        if (factor == 0 || !sh || s->pos >= sh->n)
                return true;
        total = atomic_load_explicit(&sh->total, memory_order_relaxed);
        streams = atomic_load_explicit(&b->cur, memory_order_relaxed); /* this one is counted */
        t = (streams * (uint64_t)factor + 99) / 100;
        c = before(sh, s->pos);
        w = before(sh, s->pos + 1) - c;
        if (total == 0)
                return true;
        t = (c + w) * t / total - c * t / total;
        return atomic_load_explicit(&s->cur, memory_order_relaxed) < (t ? t : 1);
}
