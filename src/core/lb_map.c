/* core/lb_map.c - static-rr, and keys with hash-type map-based: an array of servers, each as often as its weight says (manual).
 *
 * The order is HAProxy's, found from outside: with S = sum of the weights, at step i a server is owed floor((i + 1) * w / S) turns less
 * those it had; who is owed most goes, the first of them in file order. So light servers start, and each is spread evenly. Weights that
 * have a common divisor repeat themselves, so S / gcd entries are the whole map.
 *
 * A change notes the server's weight and leaves the map to the next pick: many changes of one turn cost one map. Building is linear in
 * the entries: servers wait in lists by the step at which they are owed one more turn, and stand in one bitmap for each debt. */
#include "core/lb_int.h"

#include "base/epoch.h"
#include "core/retire.h"

#include <stdlib.h>

struct table {
        uint32_t n;
        uint32_t at[]; /* position of the server in map.srv */
};

struct map_state {
        struct lb_state base;
        _Atomic(struct table *) table;
        atomic_bool stale; /* back->lock guards its clearing */
        uint32_t n;
        struct server **srv; /* as in back->srv when it was made */
        uint16_t weight[];   /* 0: does not serve */
};

/* ---- building ---- */

/* Servers by debt. A server is owed -1 (it had a turn before its time) to a few; debts beyond the last row stay there, which would
 * need more servers due at one step than there are steps before. */
#define DEBTS 64

struct builder {
        const struct map_state *m;
        uint32_t n, words, steps;
        uint64_t *set[DEBTS]; /* bitmap of the servers with that debt; made when first needed */
        uint32_t low[DEBTS];  /* no bit below this word */
        uint32_t count[DEBTS];
        uint32_t top;     /* no debt above it */
        uint32_t *due;    /* by step: the first server owed one more, or NONE */
        uint32_t *next;   /* by server: the next one of its step */
        uint32_t *earned; /* by server: turns owed so far */
        uint8_t *debt;    /* by server, + 1 */
};

#define NONE UINT32_MAX

static void *must(void *p)
{
        ASSERT(p != NULL); /* ADR 0002: made of the configuration */
        return p;
}

static void set_debt(struct builder *b, uint32_t i, uint32_t debt)
{
        uint32_t was = b->debt[i];

        if (was < DEBTS && b->set[was] && b->set[was][i / 64] >> (i % 64) & 1) {
                b->set[was][i / 64] &= ~((uint64_t)1 << (i % 64));
                b->count[was]--;
        }
        debt = debt < DEBTS ? debt : DEBTS - 1;
        if (!b->set[debt])
                b->set[debt] = must(calloc(b->words, sizeof(uint64_t)));
        b->set[debt][i / 64] |= (uint64_t)1 << (i % 64);
        b->count[debt]++;
        if (i / 64 < b->low[debt])
                b->low[debt] = i / 64;
        b->top = debt > b->top ? debt : b->top;
        b->debt[i] = (uint8_t)debt;
}

/* The step at which server i is owed its turn number k + 1: the smallest s with (s + 1) * w / S > k. */
static void wait_for_turn(struct builder *b, uint32_t i, uint64_t sum)
{
        uint64_t k = b->earned[i] + 1, w = b->m->weight[i], step = (k * sum + w - 1) / w - 1;

        if (step >= b->steps)
                return;
        b->next[i] = b->due[step];
        b->due[step] = i;
}

static uint32_t first_of(struct builder *b)
{
        uint64_t *set;

        while (b->top > 0 && b->count[b->top] == 0)
                b->top--;
        set = b->set[b->top];
        while (set[b->low[b->top]] == 0)
                b->low[b->top]++;
        return b->low[b->top] * 64 + (uint32_t)__builtin_ctzll(set[b->low[b->top]]);
}

static void fill(struct builder *b, struct table *t, uint64_t sum)
{
        for (uint32_t step = 0; step < t->n; step++) {
                for (uint32_t i = b->due[step], next; i != NONE; i = next) {
                        next = b->next[i];
                        b->earned[i]++;
                        set_debt(b, i, b->debt[i] + 1u);
                        wait_for_turn(b, i, sum);
                }
                t->at[step] = first_of(b);
                set_debt(b, t->at[step], b->debt[t->at[step]] ? b->debt[t->at[step]] - 1u : 0);
        }
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
        while (b) {
                uint64_t t = a % b;
                a = b;
                b = t;
        }
        return a;
}

static struct table *table_new(uint64_t n)
{
        struct table *t = must(malloc(sizeof(*t) + n * sizeof(t->at[0])));

        t->n = (uint32_t)n;
        return t;
}

static struct table *build_weighted(const struct map_state *m, uint64_t sum, uint64_t div)
{
        struct table *t = table_new(sum / div);
        struct builder b = { .m = m, .n = m->n, .words = m->n / 64 + 1, .steps = t->n };

        b.due = must(malloc((size_t)t->n * sizeof(*b.due)));
        b.next = must(calloc(m->n, sizeof(*b.next)));
        b.earned = must(calloc(m->n, sizeof(*b.earned)));
        b.debt = must(calloc(m->n, sizeof(*b.debt)));
        memset(b.due, 0xff, (size_t)t->n * sizeof(*b.due));
        memset(b.low, 0xff, sizeof(b.low));
        for (uint32_t i = m->n; i-- > 0;)
                if (m->weight[i]) {
                        set_debt(&b, i, 1); /* row 1: owed nothing */
                        wait_for_turn(&b, i, sum);
                }
        fill(&b, t, sum);
        for (unsigned d = 0; d < DEBTS; d++)
                free(b.set[d]);
        free(b.due);
        free(b.next);
        free(b.earned);
        free(b.debt);
        return t;
}

static struct table *build(const struct map_state *m)
{
        uint64_t sum = 0, div = 0;
        struct table *t;
        bool equal = true;

        for (uint32_t i = 0; i < m->n; i++)
                if (m->weight[i]) {
                        equal = equal && (div == 0 || div == m->weight[i]);
                        div = gcd(m->weight[i], div);
                        sum += m->weight[i];
                }
        if (sum == 0)
                return table_new(0);
        if (!equal)
                return build_weighted(m, sum, div);
        t = table_new(sum / div);
        for (uint32_t i = 0, n = 0; i < m->n; i++)
                if (m->weight[i])
                        t->at[n++] = i;
        return t;
}

/* ---- the state ---- */

/* manual: a change of the weight has no effect, but for none at all and the file's. */
static uint16_t weight_of(const struct lb_view *v, const struct server *s)
{
        return lb_serves(v, s) ? (uint16_t)atomic_load_explicit(&s->iweight, memory_order_relaxed) : 0;
}

static struct lb_state *make(struct back *b, const struct lb_cfg *cfg, const struct lb_view *v)
{
        struct map_state *m = must(calloc(1, sizeof(*m) + b->n_srv * sizeof(m->weight[0])));

        m->base = (struct lb_state){ &lb_map, cfg, v->backup };
        m->n = b->n_srv;
        m->srv = must(calloc(m->n + 1u, sizeof(struct server *)));
        for (uint32_t i = 0; i < m->n; i++) {
                m->srv[i] = b->srv[i];
                m->weight[i] = weight_of(v, b->srv[i]);
        }
        atomic_init(&m->stale, true);
        return &m->base;
}

static bool change(struct lb_state *st, struct back *b, const struct lb_view *v, struct server *s)
{
        struct map_state *m = (struct map_state *)st;
        uint16_t w = weight_of(v, s);

        (void)b;
        if (m->weight[s->pos] == w)
                return true;
        m->weight[s->pos] = w;
        atomic_store_explicit(&m->stale, true, memory_order_release);
        return true;
}

static void state_free(void *p)
{
        struct map_state *m = p;

        free(epoch_load(&m->table));
        free(m->srv);
        free(m);
}

static cold_path void refresh(struct map_state *m, struct back *b)
{
        struct table *old, *t;

        pthread_mutex_lock(&b->lock);
        if (atomic_load_explicit(&m->stale, memory_order_relaxed)) {
                t = build(m);
                old = atomic_load_explicit(&m->table, memory_order_relaxed);
                epoch_publish(&m->table, t);
                atomic_store_explicit(&m->stale, false, memory_order_release);
                if (old)
                        retire_later(old, free);
        }
        pthread_mutex_unlock(&b->lock);
}

/* ---- picking ---- */

#define MANY 64

static enum lb_answer take_turn(struct map_state *m, const struct table *t, struct back *b, const struct server *avoid,
                                struct server **ret_srv)
{
        for (uint32_t tries = t->n < MANY ? t->n : MANY; tries > 0; tries--) {
                uint64_t i = atomic_fetch_add_explicit(&b->ticket, 1, memory_order_relaxed);
                struct server *srv = m->srv[t->at[i % t->n]];

                if (srv != avoid && lb_place(srv)) {
                        *ret_srv = srv;
                        return LB_TAKEN;
                }
        }
        return LB_FULL;
}

/* The same key goes to the same server even when that one has just refused it: redispatch finds no other (as in HAProxy). */
static enum lb_answer take(struct lb_state *st, struct back *b, struct strm *s, const struct server *avoid,
                           struct server **ret_srv)
{
        struct map_state *m = (struct map_state *)st;
        const struct table *t;
        uint32_t h = 0;

        if (unlikely(atomic_load_explicit(&m->stale, memory_order_acquire)))
                refresh(m, b);
        t = epoch_load(&m->table);
        if (t->n == 0)
                return LB_FULL;
        if (!lb_key(st->cfg, s, &h))
                return take_turn(m, t, b, avoid, ret_srv);
        *ret_srv = m->srv[t->at[h % t->n]];
        return lb_place(*ret_srv) ? LB_TAKEN : LB_WAIT;
}

const struct lb_policy lb_map = { .make = make, .change = change, .free = state_free, .take = take };
