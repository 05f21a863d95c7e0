/* ev/offload.c - see the header. One lock for everything: jobs are milliseconds, the lock is held for nanoseconds. */
#include "ev/offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define THREADS_MAX   16
#define LIMIT_DEFAULT 1024
#define NICE          10 /* below the data threads, above what an administrator calls idle */

static struct {
        pthread_mutex_t lock;
        pthread_cond_t work;
        pthread_t thread[THREADS_MAX];
        unsigned threads;
        bool stop;
        unsigned turn; /* the class that is asked first */
        struct list queue[OFFLOAD_CLASSES];
        struct offload_stats stats[OFFLOAD_CLASSES];
        unsigned limit[OFFLOAD_CLASSES];
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER,
           .work = PTHREAD_COND_INITIALIZER,
           .limit = { LIMIT_DEFAULT, LIMIT_DEFAULT, LIMIT_DEFAULT, LIMIT_DEFAULT, LIMIT_DEFAULT } };

static void on_done(struct mail *m)
{
        struct offload_job *j = container_of(m, struct offload_job, mail);

        j->done(j);
}

static struct offload_job *take(void)
{
        for (unsigned i = 0; i < OFFLOAD_CLASSES; i++) {
                unsigned c = (pool.turn + i) % OFFLOAD_CLASSES;
                struct list *n = list_pop(&pool.queue[c]);
                if (!n)
                        continue;
                pool.turn = c + 1;
                pool.stats[c].waiting--;
                pool.stats[c].running++;
                return list_item(n, struct offload_job, link);
        }
        return NULL;
}

static void *helper(void *unused)
{
        struct offload_job *j;

        (void)unused;
        (void)setpriority(PRIO_PROCESS, (id_t)gettid(),
                          NICE); /* of this thread only: Linux. Refused: it just competes */
        (void)pthread_mutex_lock(&pool.lock);
        while (!pool.stop) {
                j = take();
                if (!j) {
                        (void)pthread_cond_wait(&pool.work, &pool.lock);
                        continue;
                }
                (void)pthread_mutex_unlock(&pool.lock);
                j->run(j);
                (void)pthread_mutex_lock(&pool.lock);
                pool.stats[j->cls].running--;
                pool.stats[j->cls].finished++;
                loop_mail(j->home, &j->mail); /* last: from here on the job may be gone */
        }
        (void)pthread_mutex_unlock(&pool.lock);
        return NULL;
}

int offload_start(unsigned threads)
{
        sigset_t all, before;
        int err = 0;

        ASSERT(pool.threads == 0 && threads >= 1 && threads <= THREADS_MAX);
        for (int c = 0; c < OFFLOAD_CLASSES; c++) {
                list_init(&pool.queue[c]);
                pool.stats[c] = (struct offload_stats){ 0 };
        }
        pool.stop = false;
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
        while (err == 0 && pool.threads < threads) {
                err = pthread_create(&pool.thread[pool.threads], NULL, helper, NULL);
                pool.threads += err == 0;
        }
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (err)
                offload_stop();
        return -err;
}

void offload_stop(void)
{
        (void)pthread_mutex_lock(&pool.lock);
        pool.stop = true;
        (void)pthread_cond_broadcast(&pool.work);
        (void)pthread_mutex_unlock(&pool.lock);
        while (pool.threads > 0)
                (void)pthread_join(pool.thread[--pool.threads], NULL);
}

int offload_submit(struct loop *l, enum offload_class c, struct offload_job *j)
{
        int err = -EAGAIN;

        ASSERT((unsigned)c < OFFLOAD_CLASSES);
        j->home = l;
        j->cls = c;
        j->mail.fn = on_done;
        atomic_store_explicit(&j->cancelled, false, memory_order_relaxed);
        list_init(&j->link);
        (void)pthread_mutex_lock(&pool.lock);
        if (pool.threads > 0 && !pool.stop && pool.stats[c].waiting + pool.stats[c].running < pool.limit[c]) {
                list_push(&pool.queue[c], &j->link);
                pool.stats[c].submitted++;
                pool.stats[c].waiting++;
                (void)pthread_cond_signal(&pool.work);
                err = 0;
        } else {
                pool.stats[c].refused++;
        }
        (void)pthread_mutex_unlock(&pool.lock);
        return err;
}

void offload_cancel(struct offload_job *j)
{
        bool waits;

        if (atomic_exchange_explicit(&j->cancelled, true, memory_order_relaxed))
                return;
        (void)pthread_mutex_lock(&pool.lock);
        pool.stats[j->cls].cancelled++;
        waits = !list_empty(&j->link);
        if (waits) {
                list_del(&j->link);
                pool.stats[j->cls].waiting--;
        }
        (void)pthread_mutex_unlock(&pool.lock);
        if (waits) /* nobody else has it: its end is ours to tell, from the loop as always */
                loop_mail(j->home, &j->mail);
}

void offload_stats(enum offload_class c, struct offload_stats *ret_s)
{
        (void)pthread_mutex_lock(&pool.lock);
        *ret_s = pool.stats[c];
        (void)pthread_mutex_unlock(&pool.lock);
}

void offload_set_limit(enum offload_class c, unsigned n)
{
        (void)pthread_mutex_lock(&pool.lock);
        pool.limit[c] = n;
        (void)pthread_mutex_unlock(&pool.lock);
}
