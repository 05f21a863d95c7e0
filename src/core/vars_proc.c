/* core/vars_proc.c - proc.x: one value that all threads see, read without a lock.
 *
 * It stands in its name: words under a sequence counter. A reader copies and looks whether the counter moved; writers take one lock.
 * Bytes are overwritten in place; a larger block replaces the old one, which waits for an epoch, so a name leaves few behind. */
#include "core/retire.h"
#include "core/vars_priv.h"

#include <pthread.h>
#include <stdlib.h>

enum { PROC_BYTES_MAX = 16384, WORD = sizeof(uint64_t) };

struct box { /* bytes of a proc variable, in words that may be read while they are written */
        uint32_t cap;
        _Atomic uint64_t w[];
};

static pthread_mutex_t proc_lock = PTHREAD_MUTEX_INITIALIZER; /* of writers */

static void load_words(const struct box *b, char *to, uint32_t n)
{
        for (uint32_t i = 0; i < n; i += WORD) {
                uint64_t w = atomic_load_explicit(&b->w[i / WORD], memory_order_relaxed);

                memcpy(to + i, &w, WORD); /* scratch is whole words */
        }
}

bool var_proc_get(const struct var_name *name, struct smp *ret_smp)
{
        const struct proc *p = &name->proc;
        uint32_t seq, type, n, meth;
        uint64_t v[2];
        char *to = NULL;
        size_t room = 0;

        do {
                const struct box *b;

                seq = atomic_load_explicit(&p->seq, memory_order_acquire) & ~1u; /* odd: it will have moved below */
                type = atomic_load_explicit(&p->type, memory_order_relaxed);
                meth = atomic_load_explicit(&p->meth, memory_order_relaxed);
                n = atomic_load_explicit(&p->n, memory_order_relaxed);
                v[0] = atomic_load_explicit(&p->a, memory_order_relaxed);
                v[1] = atomic_load_explicit(&p->b, memory_order_relaxed);
                b = atomic_load_explicit(&p->box, memory_order_acquire);
                if (b && n && n <= b->cap) {
                        to = to ? to : expr_scratch(&room);
                        load_words(b, to, n);
                }
                atomic_thread_fence(memory_order_acquire);
        } while (atomic_load_explicit(&p->seq, memory_order_relaxed) != seq);
        if (type != SMP_ANY)
                var_unpack(type, v, (int)meth, (struct str){ to ? to : "", n }, ret_smp);
        return type != SMP_ANY;
}

/* Room for n bytes. The old block may still be read in this turn. */
static struct box *proc_room(struct proc *p, size_t n)
{
        struct box *was = atomic_load_explicit(&p->box, memory_order_relaxed), *b;
        uint32_t cap = 64;

        if (n == 0 || (was && was->cap >= n))
                return was;
        while (cap < n)
                cap *= 2;
        b = calloc(1, sizeof(*b) + cap);
        if (!b)
                return NULL;
        b->cap = cap;
        atomic_store_explicit(&p->box, b, memory_order_release);
        if (was)
                retire_later(was, free);
        return b;
}

static void proc_store(struct proc *p, const struct smp *s, struct str bytes, struct box *b)
{
        uint32_t seq = atomic_load_explicit(&p->seq, memory_order_relaxed);
        uint64_t v[2];

        var_pack(s, v);
        atomic_store_explicit(&p->seq, seq + 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
        atomic_store_explicit(&p->type, s->type, memory_order_relaxed);
        atomic_store_explicit(&p->meth, s->type == SMP_METH ? (uint32_t)s->m.meth : 0, memory_order_relaxed);
        atomic_store_explicit(&p->n, (uint32_t)bytes.n, memory_order_relaxed);
        atomic_store_explicit(&p->a, v[0], memory_order_relaxed);
        atomic_store_explicit(&p->b, v[1], memory_order_relaxed);
        for (size_t i = 0; i < bytes.n; i += WORD) {
                uint64_t w = 0;

                memcpy(&w, bytes.p + i, bytes.n - i < WORD ? bytes.n - i : WORD);
                atomic_store_explicit(&b->w[i / WORD], w, memory_order_relaxed);
        }
        atomic_store_explicit(&p->seq, seq + 2, memory_order_release);
}

static int64_t proc_cost(const struct proc *p)
{
        return atomic_load_explicit(&p->type, memory_order_relaxed) == SMP_ANY
                       ? 0
                       : VAR_COST + (int64_t)atomic_load_explicit(&p->n, memory_order_relaxed);
}

static bool proc_charge(int64_t d)
{
        return d == 0 || likely(!var_limited()) || var_charge(d, false);
}

static bool set(struct proc *p, const struct smp *s)
{
        struct str bytes = var_bytes(s);
        int64_t d = VAR_COST + (int64_t)bytes.n - proc_cost(p);
        struct box *b;

        if (bytes.n > PROC_BYTES_MAX || !proc_charge(d))
                return false;
        b = proc_room(p, bytes.n);
        if (bytes.n && !b) {
                (void)proc_charge(-d);
                return false;
        }
        proc_store(p, s, bytes, b);
        return true;
}

bool var_proc_set(const struct var_name *n, unsigned conds, const struct smp *s)
{
        struct proc *p = &((struct var_name *)(uintptr_t)n)->proc;
        struct smp was = { .type = SMP_ANY };
        bool ok;

        pthread_mutex_lock(&proc_lock);
        was.type = (enum smp_type)atomic_load_explicit(&p->type, memory_order_relaxed);
        was.i = (int64_t)atomic_load_explicit(&p->a, memory_order_relaxed);
        ok = var_holds(conds, true, &was, s) && set(p, s);
        pthread_mutex_unlock(&proc_lock);
        return ok;
}

void var_proc_unset(const struct var_name *n)
{
        static const struct smp nothing = { .type = SMP_ANY };
        struct proc *p = &((struct var_name *)(uintptr_t)n)->proc;

        pthread_mutex_lock(&proc_lock);
        (void)proc_charge(-proc_cost(p));
        proc_store(p, &nothing, (struct str){ NULL, 0 }, NULL);
        pthread_mutex_unlock(&proc_lock);
}
