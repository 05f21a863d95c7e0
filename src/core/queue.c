/* core/queue.c - waiting streams and the hand-over of slots. */
#include "core/queue.h"

#include "base/epoch.h"
#include "base/heap.h"
#include "core/expr.h"
#include "core/lb.h"
#include "core/strm.h"
#include "ev/loop.h"

#include <stdlib.h>

struct queue_entry {
        struct list link;       /* of queue.waiting, */
        struct heap_node place; /* or of queue.ranked */
        bool ranked;
        struct queue *q;   /* NULL: granted, the mail is under way */
        struct strm *strm; /* NULL: left meanwhile. Read and written on the stream's thread only, once granted */
        struct loop *home;
        struct back *back;
        struct server *asked;   /* the server it asked for, or NULL */
        struct server *granted; /* NULL: choose again */
        struct mail mail;
};

struct queue {
        pthread_spinlock_t lock;
        struct list waiting; /* first come, first served */
        struct heap ranked;  /* those of which a rule says when it is their turn */
        uint64_t seq;
        _Atomic uint32_t n;
        uint32_t max;
};

struct queue *queue_new(void)
{
        struct queue *q = calloc(1, sizeof(*q));

        if (!q)
                return NULL;
        (void)pthread_spin_init(&q->lock, PTHREAD_PROCESS_PRIVATE); /* cannot fail on Linux */
        list_init(&q->waiting);
        return q;
}

void queue_free(struct queue *q)
{
        if (!q)
                return;
        ASSERT(list_empty(&q->waiting) && !heap_first(&q->ranked));
        (void)pthread_spin_destroy(&q->lock);
        free(q);
}

uint32_t queue_length(const struct queue *q)
{
        return q ? atomic_load(&q->n) : 0; /* sequentially consistent: see slot_release() */
}

bool queue_is_full(const struct server *s)
{
        const struct server_cfg *c = server_cfg_now(s);

        return c && c->maxqueue > 0 && queue_length(s->queue) >= (uint32_t)c->maxqueue;
}

uint32_t queue_max(const struct queue *q)
{
        return q ? q->max : 0;
}

/* ---- slots ---- */

/* Of a server that starts slowly (manual, slowstart): its share of the limit, at least one. */
static uint32_t ramped(const struct server *s, uint32_t limit)
{
        uint32_t slow = atomic_load_explicit(&s->slow, memory_order_relaxed);
        uint64_t part = (uint64_t)limit * (SRV_WEIGHT_SCALE - slow) / SRV_WEIGHT_SCALE;

        return likely(slow == 0) ? limit : part ? (uint32_t)part : 1;
}

uint32_t slot_limit(const struct server *s)
{
        uint32_t max = atomic_load_explicit(&s->maxconn, memory_order_relaxed), min, cur, full;
        uint64_t now;

        if (max == 0)
                return UINT32_MAX;
        min = atomic_load_explicit(&s->minconn, memory_order_relaxed);
        if (likely(min == 0 || min >= max))
                return ramped(s, max);
        cur = atomic_load_explicit(&s->back->cur, memory_order_relaxed);
        full = (uint32_t)epoch_load(&s->back->cfg)->fullconn; /* at least 1 where a server has minconn */
        now = cur >= full ? max : (uint64_t)max * cur / full;
        return ramped(s, now < min ? min : (uint32_t)now);
}

/* ---- places ----
 *
 * All sequentially consistent. Who frees a place: the place, then `freed` (when anybody marks at all). Who looks: `full_at` (so that the
 * others count), the mark, the servers. A place that was freed unseen by the look is counted after its mark. */
#define MARKING UINT64_MAX

bool places_none(const struct back *b)
{
        uint64_t at = atomic_load(&b->full_at);

        return at && at == atomic_load(&b->freed) + 1;
}

uint64_t places_mark(struct back *b)
{
        if (atomic_load(&b->full_at) == 0)
                atomic_store(&b->full_at, MARKING);
        return atomic_load(&b->freed) + 1;
}

void places_full(struct back *b, uint64_t mark)
{
        atomic_store(&b->full_at, mark);
}

void places_moved(struct back *b)
{
        if (unlikely(atomic_load(&b->full_at)))
                atomic_fetch_add(&b->freed, 1);
}

static void give_up(struct server *s)
{
        atomic_fetch_sub(&s->cur, 1);
        lb_loaded(s);
        places_moved(s->back);
}

/* Never above the limit, not even for an instant: whoever is refused may rely on a holder who will look at the queues when it leaves.
 * (Add first and undo would refuse a taker because of another refused one, and nobody would look again.) */
bool slot_take_quietly(struct server *s)
{
        uint32_t max = slot_limit(s), cur = atomic_load(&s->cur), seen;

        do {
                if (cur >= max)
                        return false;
        } while (!atomic_compare_exchange_weak(&s->cur, &cur, cur + 1));
        cur++;
        seen = atomic_load_explicit(&s->cur_max, memory_order_relaxed);
        while (cur > seen && !atomic_compare_exchange_weak_explicit(&s->cur_max, &seen, cur, memory_order_relaxed,
                                                                    memory_order_relaxed))
                ;
        return true;
}

bool slot_take(struct server *s)
{
        if (!slot_take_quietly(s))
                return false;
        lb_loaded(s);
        return true;
}

/* With the lock. */
static void take_out(struct queue_entry *e)
{
        if (e->ranked)
                heap_del(&e->q->ranked, &e->place);
        else
                list_del(&e->link);
        atomic_fetch_sub(&e->q->n, 1);
        e->q = NULL;
}

/* Who is next; with the lock. Most queues have only those who wait in the order of their coming. */
static struct queue_entry *first(const struct queue *q)
{
        struct queue_entry *w = list_empty(&q->waiting) ? NULL : list_item(q->waiting.next, struct queue_entry, link);
        struct heap_node *h = heap_first(&q->ranked);

        if (likely(!h) || (w && heap_before(&w->place, h)))
                return w;
        return container_of(h, struct queue_entry, place);
}

static struct queue_entry *pop(struct queue *q)
{
        struct queue_entry *e;

        if (!q || queue_length(q) == 0)
                return NULL;
        (void)pthread_spin_lock(&q->lock);
        e = first(q);
        if (e)
                take_out(e);
        (void)pthread_spin_unlock(&q->lock);
        return e;
}

/* On the stream's thread. */
static void entry_free(struct queue_entry *e)
{
        if (e->asked)
                unpin(&e->asked->pins);
        free(e);
}

/* On the stream's thread. */
static void granted(struct mail *m)
{
        struct queue_entry *e = container_of(m, struct queue_entry, mail);
        struct server *srv = e->granted;
        struct strm *st = e->strm;

        entry_free(e);
        if (!st) {
                if (srv)
                        slot_release(srv);
                return;
        }
        st->waiting = NULL;
        strm_grant(st, st->id, srv);
}

/* The slot is held by the caller; true: it went to a waiter. */
static bool hand_over(struct server *s)
{
        struct queue_entry *e = pop(s->queue);

        if (e)
                lb_loaded(s);
        if (!e && atomic_load_explicit(&s->usable, memory_order_relaxed))
                e = pop(s->back->queue);
        if (!e)
                return false;
        e->granted = s;
        loop_mail(e->home, &e->mail);
        return true;
}

/* Those of its own queue are tied to it, also while it takes nobody new. */
static uint32_t waiters(const struct server *s)
{
        bool any = atomic_load_explicit(&s->usable, memory_order_relaxed);

        return queue_length(s->queue) + (any ? queue_length(s->back->queue) : 0);
}

static void fill(struct server *s)
{
        while (waiters(s) > 0 && slot_take(s)) {
                if (!hand_over(s)) /* somebody else took the waiter. The slot was ours for an instant: look again */
                        give_up(s);
        }
}

void slot_release(struct server *s)
{
        if (queue_length(s->queue) + queue_length(s->back->queue) > 0 &&
            atomic_load(&s->cur) <= slot_limit(s) /* maxconn was lowered meanwhile: shrink first */ && hand_over(s))
                return;
        give_up(s);
        /* Sequentially consistent with queue_join(): it links first and then looks for a free slot, we free first and then look for a
         * waiter; one of the two sees the other. */
        if (queue_length(s->queue) + queue_length(s->back->queue) > 0)
                fill(s);
}

void slot_fill(struct server *s)
{
        lb_loaded(s);
        places_moved(s->back);
        fill(s);
}

/* ---- waiting ---- */

/* Its class, and within it the time it came at, moved by its offset: the smaller, the sooner (manual, set-priority-class, -offset). */
static void rank(struct queue_entry *e, const struct strm *st)
{
        const struct strm_prio *p = st->vars ? expr_prio(st->vars) : NULL;
        int64_t class = p ? p->class : 0, offset = p ? p->offset_ms : 0;

        e->ranked = class || offset;
        e->place.key = ((uint64_t)(class + PRIO_CLASS_MAX) << 48) +
                       (uint64_t)((int64_t)(thr_self->now / NS_PER_MS) + PRIO_OFFSET_MAX + offset);
}

static uint32_t link_in(struct queue *q, struct queue_entry *e)
{
        uint32_t before;

        (void)pthread_spin_lock(&q->lock);
        e->q = q;
        e->place.seq = q->seq++;
        if (unlikely(e->ranked))
                heap_add(&q->ranked, &e->place);
        else
                list_push(&q->waiting, &e->link);
        before = atomic_fetch_add(&q->n, 1);
        if (before + 1 > q->max)
                q->max = before + 1;
        (void)pthread_spin_unlock(&q->lock);
        return before;
}

static void fill_any(struct back *b)
{
        const struct lb_view *v;
        uint64_t mark;
        bool ramp = false;

        if (places_none(b))
                return;
        mark = places_mark(b);
        v = epoch_load(&b->view);
        for (uint32_t i = 0; v && i < v->n && queue_length(b->queue) > 0; i++) {
                ramp = ramp || atomic_load_explicit(&v->slot[i]->minconn, memory_order_relaxed);
                fill(v->slot[i]);
        }
        if (v && queue_length(b->queue) > 0 && !ramp) /* a limit on its ramp rises without a word */
                places_full(b, mark);
}

/* A draining one still serves those who wait for it. */
static bool is_gone(const struct server *s)
{
        return atomic_load(&s->oper) == SRV_STOPPED || (atomic_load(&s->admin) & SRV_ADM_MAINT);
}

bool queue_join(struct strm *st, struct back *b, struct server *s, uint32_t *ret_position)
{
        struct queue *q = s ? s->queue : b->queue;
        struct queue_entry *e;

        e = calloc(1, sizeof(*e));
        if (!q || !e) {
                free(e);
                return false;
        }
        e->strm = st;
        e->home = thr_self->loop;
        e->back = b;
        e->asked = s;
        if (s)
                pin(&s->pins);
        e->mail.fn = granted;
        list_init(&e->link);
        rank(e, st);
        st->waiting = e;
        *ret_position = link_in(q, e);
        if (s) {
                lb_loaded(s);
                fill(s);
                if (is_gone(s)) /* it went while we came; the queue's count orders the two, as in queue_redistribute() */
                        (void)queue_redistribute(s);
        } else {
                fill_any(b);
        }
        return true;
}

void queue_leave(struct strm *st)
{
        struct queue_entry *e = st->waiting;
        struct queue *q;
        bool linked;

        if (!e)
                return;
        st->waiting = NULL;
        q = e->asked ? e->asked->queue : e->back->queue;
        (void)pthread_spin_lock(&q->lock);
        linked = e->q != NULL;
        if (linked)
                take_out(e);
        (void)pthread_spin_unlock(&q->lock);
        if (linked && e->asked)
                lb_loaded(e->asked);
        if (linked)
                entry_free(e);
        else
                e->strm = NULL; /* granted: the mail finds nobody, gives the slot back and frees */
}

/* Whom they asked for is gone: the policy is asked again, on their own threads, and a key may have another server now. */
unsigned queue_redistribute(struct server *s)
{
        struct queue_entry *e;
        unsigned n = 0;

        atomic_thread_fence(memory_order_seq_cst); /* the state was written: whoever links later sees it */
        for (; (e = pop(s->queue)) != NULL; n++)
                loop_mail(e->home, &e->mail); /* e->granted is NULL */
        if (n)
                lb_loaded(s);
        return n;
}
