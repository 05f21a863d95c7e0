/* ev/timer.c - the wheel.
 *
 * A deadline is rounded up to a millisecond ("tick"); a slot is handled when the clock, rounded down, reaches it: so
 * never early. A timer sits at the level of the highest byte in which its tick differs from the wheel's, at the slot
 * named by that byte. Hence in levels 0 to 2 all slots in use lie after the wheel's own position, and the first one
 * found by the bitmaps is the next to handle. The top level is circular, because 2^32 ms wrap after 49 days of uptime:
 * a slot there may hold deadlines of a later round, which are placed again each time the slot is reached. */
#include "ev/timer.h"
#include "ev/loop.h"

#define TOP  (WHEEL_LEVELS - 1)
#define MASK (WHEEL_SLOTS - 1)

void wheel_init(struct wheel *w, mono_t now)
{
        w->tick = now / NS_PER_MS;
        w->next = UINT64_MAX;
        for (int i = 0; i < WHEEL_LEVELS; i++) {
                for (int j = 0; j < WHEEL_SLOTS; j++)
                        list_init(&w->slot[i][j]);
                for (int j = 0; j < WHEEL_SLOTS / 64; j++)
                        w->map[i][j] = 0;
        }
}

void timer_init(struct timer *t, void (*fn)(struct timer *))
{
        list_init(&t->link);
        t->when = MONO_NEVER;
        t->fn = fn;
}

static unsigned level_of(uint64_t differs)
{
        if (differs < WHEEL_SLOTS)
                return 0;
        unsigned level = (unsigned)(63 - __builtin_clzll(differs)) / WHEEL_BITS;
        return level > TOP ? TOP : level;
}

static uint64_t level_next(const struct wheel *w, unsigned level);

static void place(struct wheel *w, struct timer *t)
{
        uint64_t start, due = t->when / NS_PER_MS + (t->when % NS_PER_MS != 0);

        if (due < w->tick)
                due = w->tick;
        unsigned level = level_of(due ^ w->tick);
        unsigned i = (unsigned)(due >> (level * WHEEL_BITS)) & MASK;
        list_push(&w->slot[level][i], &t->link);
        w->map[level][i / 64] |= (uint64_t)1 << (i % 64);
        start = level == TOP ? level_next(w, TOP) : due >> (level * WHEEL_BITS) << (level * WHEEL_BITS);
        if (start < w->next)
                w->next = start;
}

void wheel_add(struct wheel *w, struct timer *t, mono_t when)
{
        if (timer_active(t))
                wheel_del(w, t);
        t->when = when;
        if (when != MONO_NEVER)
                place(w, t);
}

/* Not later than the slot's next turn. */
static uint64_t slot_start(const struct wheel *w, unsigned level, unsigned i)
{
        uint64_t round = w->tick >> (level * WHEEL_BITS) & ~(uint64_t)MASK;

        return (round | i) << (level * WHEEL_BITS);
}

void wheel_del(struct wheel *w, struct timer *t)
{
        struct list *head = t->link.next;
        bool last = head == t->link.prev;

        list_del(&t->link);
        /* The last member knows its slot: the head is inside our table (or it is somebody's due list). */
        if (last && head >= &w->slot[0][0] && head <= &w->slot[TOP][MASK]) {
                unsigned i = (unsigned)(head - &w->slot[0][0]);
                w->map[i / WHEEL_SLOTS][i % WHEEL_SLOTS / 64] &= ~((uint64_t)1 << (i % 64));
                if (slot_start(w, i / WHEEL_SLOTS, i % WHEEL_SLOTS) <= w->next)
                        w->next = 0;
        }
}

/* The first non-empty slot at or after `from`, or WHEEL_SLOTS. */
static unsigned next_slot(const uint64_t *map, unsigned from)
{
        for (unsigned i = from / 64; i < WHEEL_SLOTS / 64; i++) {
                uint64_t m = map[i];
                if (i == from / 64)
                        m &= ~(uint64_t)0 << (from % 64);
                if (m)
                        return i * 64 + (unsigned)__builtin_ctzll(m);
        }
        return WHEEL_SLOTS;
}

/* Start of the first slot in use of one level, UINT64_MAX when there is none. */
static uint64_t level_next(const struct wheel *w, unsigned level)
{
        unsigned shift = level * WHEEL_BITS;
        uint64_t unit = w->tick >> shift;
        unsigned at = (unsigned)unit & MASK;
        unsigned from = level == 0 ? at : at + 1; /* upper levels hold nothing for our own position */
        unsigned i = from < WHEEL_SLOTS ? next_slot(w->map[level], from) : WHEEL_SLOTS;

        if (i == WHEEL_SLOTS && level == TOP) {
                i = next_slot(w->map[level], 0);
                if (i < WHEEL_SLOTS)
                        i += WHEEL_SLOTS;
                else
                        return UINT64_MAX;
        } else if (i == WHEEL_SLOTS) {
                return UINT64_MAX;
        }
        return (unit - at + i) << shift;
}

static uint64_t next_tick(const struct wheel *w)
{
        for (unsigned level = 0; level < WHEEL_LEVELS; level++) { /* a lower level is always nearer */
                uint64_t t = level_next(w, level);
                if (t != UINT64_MAX)
                        return t;
        }
        return UINT64_MAX;
}

/* The loop asks at every turn, and the answer changes seldom. */
static inline uint64_t next_known(struct wheel *w)
{
        if (unlikely(w->next == 0))
                w->next = next_tick(w);
        return w->next;
}

mono_t wheel_next(struct wheel *w)
{
        uint64_t t = next_known(w);

        return t >= MONO_NEVER / NS_PER_MS ? MONO_NEVER : t * NS_PER_MS;
}

static void clear_slot(struct wheel *w, unsigned level, unsigned i, struct list *ret_out)
{
        list_splice(ret_out, &w->slot[level][i]);
        w->map[level][i / 64] &= ~((uint64_t)1 << (i % 64));
}

/* The wheel has just arrived at the start of these slots: their members move to the levels below. */
static void cascade(struct wheel *w)
{
        for (unsigned level = TOP; level > 0; level--) {
                struct list *n, moved = LIST_INIT(moved);
                if (w->tick & (((uint64_t)1 << (level * WHEEL_BITS)) - 1))
                        continue;
                clear_slot(w, level, (unsigned)(w->tick >> (level * WHEEL_BITS)) & MASK, &moved);
                while ((n = list_pop(&moved)) != NULL)
                        place(w, list_item(n, struct timer, link));
        }
}

void wheel_run(struct wheel *w, mono_t now, struct list *ret_due)
{
        uint64_t target = now / NS_PER_MS;

        if (target < w->tick) /* a clock that went back: nothing is due before it has caught up */
                return;
        for (uint64_t t; (t = next_known(w)) <= target;) {
                w->next = 0;
                if (t != w->tick) {
                        w->tick = t;
                        cascade(w);
                }
                clear_slot(w, 0, (unsigned)w->tick & MASK, ret_due);
        }
        w->tick = target;
}

void timer_start(struct loop *l, struct timer *t, mono_t when)
{
        wheel_add(&l->wheel, t, when);
}

void timer_stop(struct loop *l, struct timer *t)
{
        wheel_del(&l->wheel, t);
}
