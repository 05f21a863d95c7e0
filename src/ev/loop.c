/* ev/loop.c - the turn. How mail and sleep go together: ev/mailbox.c; `stop` is the word of loop_stop() there. */
#include "ev/loop.h"
#include "base/epoch.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#define REBASE_NS NS_PER_S
#define WALL_STEP 500000 /* us: a clock set back by more is a step and is followed; less is drift and is waited out */

static void on_wake(struct ev_fd *e, uint32_t events)
{
        (void)e; /* its only work was to end the poll call */
        (void)events;
}

int loop_init(struct loop *l, struct thr *t)
{
        int err;

        *l = (struct loop){ .epfd = -1, .thr = t, .wake = { .fd = -1, .fn = on_wake }, .box = { .wake_fd = -1 } };
        list_init(&l->ready);
        t->now = l->mono_base = t->sys->mono();
        t->wall_us = l->wall_base = t->sys->wall_us();
        l->cpu_base = t->sys->cpu_ns();
        atomic_init(&l->idle_pct, 100);
        wheel_init(&l->wheel, t->now);
        l->epfd = epoll_create1(EPOLL_CLOEXEC);
        if (l->epfd < 0)
                return -errno;
        err = mailbox_init(&l->box);
        l->wake.fd = l->box.wake_fd;
        if (!err)
                err = loop_add(l, &l->wake);
        if (err) {
                loop_fini(l);
                return err;
        }
        t->loop = l;
        return 0;
}

static void dig_graves(struct loop *l)
{
        struct grave *g;

        while ((g = l->graves) != NULL) { /* a grave may dig another one */
                l->graves = g->next;
                g->fn(g);
        }
}

void loop_fini(struct loop *l)
{
        dig_graves(l);
        mailbox_fini(&l->box);
        if (l->epfd >= 0)
                (void)close(l->epfd);
        loop_forget(&l->wake);
        l->epfd = -1;
        if (l->thr->loop == l)
                l->thr->loop = NULL;
}

static uint32_t stamp(const struct loop *l) /* of this turn, as ev_fd.turn holds it: never 0 */
{
        return ((uint32_t)l->stats.turns & 0x3fffffffu) | 0x40000000u;
}

static int add(struct loop *l, struct ev_fd *e, uint32_t events)
{
        int err;

        ASSERT(e->fd >= 0);
        if (e->added)
                return 0;
        err = l->thr->sys->poll_ctl(l->epfd, EPOLL_CTL_ADD, e->fd, events, e);
        if (err)
                return err;
        e->added = true;
        e->turn = stamp(l) & 0x7fffffffu;
        return 0;
}

int loop_add(struct loop *l, struct ev_fd *e)
{
        return add(l, e, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET);
}

int loop_add_level(struct loop *l, struct ev_fd *e, bool exclusive)
{
        return add(l, e, EPOLLIN | (exclusive ? (uint32_t)EPOLLEXCLUSIVE : 0));
}

void loop_del(struct loop *l, struct ev_fd *e)
{
        if (!e->added)
                return;
        e->added = false;
        (void)l->thr->sys->poll_ctl(l->epfd, EPOLL_CTL_DEL, e->fd, 0, NULL);
}

void task_init(struct ev_task *t, void (*fn)(struct ev_task *))
{
        list_init(&t->link);
        t->fn = fn;
}

void loop_post(struct loop *l, struct ev_task *t)
{
        if (list_empty(&t->link))
                list_push(&l->ready, &t->link);
}

void task_cancel(struct ev_task *t)
{
        list_del(&t->link);
}

void loop_bury(struct loop *l, struct grave *g, void (*fn)(struct grave *))
{
        g->fn = fn;
        g->next = l->graves;
        l->graves = g;
}

void loop_mail(struct loop *l, struct mail *m)
{
        mailbox_post(&l->box, m);
}

void loop_stop(struct loop *l)
{
        atomic_store(&l->stop, true);
        mailbox_wake(&l->box);
}

unsigned loop_idle_pct(struct loop *l)
{
        return atomic_load_explicit(&l->idle_pct, memory_order_relaxed);
}

/* Milliseconds to the next deadline, rounded up; `now` is as old as the turn, which only makes a timer late, not early.
 * */
static int timeout_ms(struct loop *l)
{
        mono_t next = wheel_next(&l->wheel);
        uint64_t ms;

        if (next == MONO_NEVER)
                return -1;
        if (next <= l->thr->now)
                return 0;
        ms = (next - l->thr->now + NS_PER_MS - 1) / NS_PER_MS;
        return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* How long to wait. When it is not 0, posters know that we sleep. */
static int prepare_sleep(struct loop *l, bool may_sleep)
{
        int ms;

        if (!may_sleep || !list_empty(&l->ready) || l->graves)
                return 0;
        ms = timeout_ms(l);
        if (ms == 0 || !mailbox_doze(&l->box))
                return 0;
        if (!atomic_load(&l->stop))
                return ms;
        mailbox_awake(&l->box);
        return 0;
}

static atomic_int events_at_once = LOOP_EVENTS;

void loop_set_events(int n)
{
        atomic_store_explicit(&events_at_once, n > 0 && n < LOOP_EVENTS ? n : LOOP_EVENTS, memory_order_relaxed);
}

static int poll_events(struct loop *l, struct epoll_event *ev, bool may_sleep)
{
        const struct sys_ops *sys = l->thr->sys;
        int n, ms = prepare_sleep(l, may_sleep), most = atomic_load_explicit(&events_at_once, memory_order_relaxed);

        if (ms == 0) {
                epoch_turn();
                n = sys->poll_wait(l->epfd, ev, most, 0);
        } else {
                atomic_store_explicit(&l->stats.turn_start, 0, memory_order_relaxed);
                epoch_offline();
                n = sys->poll_wait(l->epfd, ev, most, ms);
                epoch_online();
                mailbox_awake(&l->box);
        }
        ASSERT(n >= 0); /* EINTR is handled below the table; the rest would be our bug */
        return n;
}

/* Once a second: the wall clock may have been set or slewed, and the CPU time tells how idle we were. */
static cold_path void rebase(struct loop *l)
{
        const struct sys_ops *sys = l->thr->sys;
        mono_t now = l->thr->now;
        uint64_t cpu = sys->cpu_ns();
        uint64_t busy = (cpu - l->cpu_base) * 100 / (now - l->mono_base);

        atomic_store_explicit(&l->idle_pct, busy > 100 ? 0 : 100 - (unsigned)busy, memory_order_relaxed);
        l->mono_base = now;
        l->wall_base = sys->wall_us();
        l->cpu_base = cpu;
}

static void take_time(struct loop *l)
{
        struct thr *t = l->thr;
        int64_t wall;

        t->now = t->sys->mono();
        atomic_store_explicit(&l->stats.turn_start, t->now, memory_order_relaxed);
        if (t->now - l->mono_base >= REBASE_NS)
                rebase(l);
        wall = l->wall_base + (int64_t)((t->now - l->mono_base) / 1000);
        if (wall > t->wall_us || wall < t->wall_us - WALL_STEP)
                t->wall_us = wall; /* a little behind: stand still until the clock has caught up */
}

static void run_events(struct loop *l, const struct epoll_event *ev, int n)
{
        const uint32_t now = stamp(l);

        for (int i = 0; i < n; i++) {
                struct ev_fd *e = ev[i].data.ptr;
                /* Closed, or closed and opened again, by an earlier callback of this turn: the event was the old fd's.
                 * */
                if (!e->added || e->turn == now)
                        continue;
                e->turn = 0; /* the counter's low bits come round again: by then an edge has been here */
                l->stats.events++;
                e->fn(e, ev[i].events);
        }
}

static void run_timers(struct loop *l)
{
        struct list *n, due = LIST_INIT(due);

        wheel_run(&l->wheel, l->thr->now, &due);
        while ((n = list_pop(&due)) != NULL) { /* a callback may stop a timer that is still in `due` */
                struct timer *t = list_item(n, struct timer, link);
                t->fn(t);
        }
}

static void run_tasks(struct loop *l)
{
        uint64_t before = l->stats.tasks;

        for (int round = 0; round < LOOP_ROUNDS && !list_empty(&l->ready); round++) {
                struct list *n, now = LIST_INIT(now);
                list_splice(&now, &l->ready);
                while ((n = list_pop(&now)) != NULL) { /* tasks may cancel each other: both lists are their own */
                        struct ev_task *t = list_item(n, struct ev_task, link);
                        l->stats.tasks++;
                        t->fn(t);
                }
        }
        atomic_store_explicit(&l->stats.queued, l->stats.tasks - before, memory_order_relaxed);
}

void loop_turn(struct loop *l, bool may_sleep)
{
        struct epoll_event ev[LOOP_EVENTS];
        int n = poll_events(l, ev, may_sleep);

        l->stats.turns++;
        take_time(l);
        run_events(l, ev, n);
        run_timers(l);
        l->stats.mails += mailbox_run(&l->box);
        run_tasks(l);
        dig_graves(l);
}

int loop_run(struct loop *l)
{
        thr_self = l->thr;
        epoch_thread_enter();
        while (!atomic_load_explicit(&l->stop, memory_order_acquire))
                loop_turn(l, true);
        atomic_store(&l->stop, false);
        epoch_thread_leave();
        return 0;
}
