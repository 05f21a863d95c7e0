/* main/heartbeat.c - see the header. */
#include "main/heartbeat.h"

#include "core/proxy.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096

_Static_assert(sizeof(struct heartbeat) <= PAGE, "it is one page");

int heartbeat_map(int memfd, struct heartbeat **ret_h)
{
        struct stat st;
        void *p;

        if (fstat(memfd, &st) != 0 || st.st_size != PAGE)
                return -EINVAL;
        p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
        if (p == MAP_FAILED)
                return -errno;
        *ret_h = p;
        return 0;
}

int heartbeat_new(int *ret_memfd, struct heartbeat **ret_h)
{
        int fd = memfd_create("telamon heartbeat", MFD_CLOEXEC | MFD_ALLOW_SEALING), e;

        if (fd < 0)
                return -errno;
        e = ftruncate(fd, PAGE) != 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0 ? -errno
                                                                                                               : 0;
        if (e == 0)
                e = heartbeat_map(fd, ret_h);
        if (e < 0) {
                (void)close(fd);
                return e;
        }
        *ret_memfd = fd;
        return 0;
}

void heartbeat_free(struct heartbeat *h)
{
        if (h)
                (void)munmap(h, PAGE);
}

static struct { /* one per process: its thread is never joined */
        pthread_mutex_t lock;
        struct heartbeat *page;
        const struct engine *engine; /* NULL: it went, the thread ends */
        void (*tell)(const struct record *r);
} beater = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void write_page(struct heartbeat *h)
{
        uint64_t lag;
        bool now = watchdog_look(beater.engine, &h->lagging, &lag);

        atomic_store_explicit(&h->lag, lag, memory_order_relaxed);
        atomic_store_explicit(&h->conns, atomic_load_explicit(&world.cur_conns, memory_order_relaxed),
                              memory_order_relaxed);
        atomic_store_explicit(&h->reqs, atomic_load_explicit(&world.tot_reqs, memory_order_relaxed),
                              memory_order_relaxed);
        atomic_store_explicit(&h->written, sys_kernel.mono(), memory_order_release);
        if (now && beater.tell)
                beater.tell(&h->lagging);
}

/* The engine is not freed while the lock is held. */
static bool beat_once(void)
{
        bool go_on;

        (void)pthread_mutex_lock(&beater.lock);
        go_on = beater.engine != NULL;
        if (go_on)
                write_page(beater.page);
        (void)pthread_mutex_unlock(&beater.lock);
        return go_on;
}

static void *beat(void *arg)
{
        const struct timespec pause = { 0, WATCHDOG_BEAT_NS };

        while (beat_once())
                (void)nanosleep(&pause, NULL);
        return arg;
}

int heartbeat_start(struct heartbeat *h, const struct engine *e, void (*tell)(const struct record *r))
{
        pthread_t t;
        sigset_t all, was;
        int r;

        beater.page = h;
        beater.engine = e;
        beater.tell = tell;
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &was);
        r = pthread_create(&t, NULL, beat, NULL);
        (void)pthread_sigmask(SIG_SETMASK, &was, NULL);
        if (r == 0)
                (void)pthread_detach(t);
        return -r;
}

void heartbeat_stop(void)
{
        (void)pthread_mutex_lock(&beater.lock);
        beater.engine = NULL;
        (void)pthread_mutex_unlock(&beater.lock);
}

uint64_t heartbeat_lag(const struct heartbeat *h, uint64_t now)
{
        uint64_t written = atomic_load_explicit(&h->written, memory_order_acquire);
        uint64_t lag = atomic_load_explicit(&h->lag, memory_order_relaxed);
        uint64_t silent = written && now > written ? now - written : 0;

        if (!written || atomic_load_explicit(&h->changing, memory_order_relaxed))
                lag = 0;
        return lag > silent ? lag : silent;
}
