/* core/threads.c - mail to all data threads, counted back. */
#include "core/threads.h"

#include <stdlib.h>

static struct loop *loops[THR_MAX];

struct round {
        void (*fn)(void *arg);
        void (*done)(void *arg);
        void *arg;
        struct loop *home;
        atomic_uint left;
        struct mail back;
        struct leg {
                struct mail mail;
                struct round *round;
        } leg[];
};

void threads_set(unsigned id, struct loop *l)
{
        ASSERT(id < THR_MAX);
        loops[id] = l;
}

struct loop *threads_loop(unsigned id)
{
        ASSERT(id < THR_MAX && loops[id] != NULL);
        return loops[id];
}

static void come_home(struct mail *m)
{
        struct round *r = container_of(m, struct round, back);

        if (r->done)
                r->done(r->arg);
        free(r);
}

static void run_leg(struct mail *m)
{
        struct round *r = container_of(m, struct leg, mail)->round;

        r->fn(r->arg);
        /* acq_rel: the last leg sees all others' work, and so does done() after the mail */
        if (atomic_fetch_sub_explicit(&r->left, 1, memory_order_acq_rel) != 1)
                return;
        if (r->home)
                loop_mail(r->home, &r->back);
        else
                free(r);
}

static struct round *round_new(unsigned n, void (*fn)(void *), void *arg, void (*done)(void *))
{
        struct round *r = calloc(1, sizeof(*r) + n * sizeof(r->leg[0]));

        ASSERT(r != NULL);
        r->fn = fn;
        r->arg = arg;
        r->done = done;
        r->home = done ? thr_self->loop : NULL;
        r->back.fn = come_home;
        atomic_init(&r->left, n);
        for (unsigned i = 0; i < n; i++) {
                r->leg[i].mail.fn = run_leg;
                r->leg[i].round = r;
        }
        return r;
}

void threads_run(void (*fn)(void *arg), void *arg, void (*done)(void *arg))
{
        unsigned n = thr_count();
        struct round *r = round_new(n, fn, arg, done);

        for (unsigned i = 0; i < n; i++)
                loop_mail(threads_loop(i), &r->leg[i].mail);
}

void threads_run_on(unsigned id, void (*fn)(void *arg), void *arg)
{
        struct round *r = round_new(1, fn, arg, NULL);

        loop_mail(threads_loop(id), &r->leg[0].mail);
}
