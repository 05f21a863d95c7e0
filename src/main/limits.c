/* main/limits.c - see the header. */
#include "main/limits.h"

#include "main/proclog.h"

#include <errno.h>
#include <malloc.h>
#include <sys/resource.h>

#define FILES_MAX 1048576 /* fs.nr_open's default; more only when the file asks for it */

void limits_memory(const struct args *a)
{
        rlim_t bytes = (rlim_t)a->memory_mb << 20;
        struct rlimit r = { bytes, bytes };

        if (a->memory_mb && setrlimit(RLIMIT_DATA, &r) != 0)
                proclog(PROC_WARNING, "Cannot fix MEM limit to %d megs (%s).", a->memory_mb, strerror(errno));
        if (a->poison >= 0) /* glibc fills with the complement on allocation, with the byte itself on free */
                (void)mallopt(M_PERTURB, a->poison ^ 0xff);
}

uint64_t limits_files_wanted(const struct global_cfg *g, size_t n_listeners, unsigned threads)
{
        if (g->ulimit_n > 0)
                return (uint64_t)g->ulimit_n;
        /* each thread: epoll, wake-up, timers, some pipes; the rest: logs, channels, checks */
        return g->maxconn > 0 ? (uint64_t)g->maxconn * 2 + n_listeners * 2 + threads * 8 + 64 : 0;
}

void limits_files(uint64_t want)
{
        struct rlimit r;

        if (getrlimit(RLIMIT_NOFILE, &r) != 0)
                return;
        if (want > r.rlim_max) {
                struct rlimit more = { want, want };

                if (setrlimit(RLIMIT_NOFILE, &more) == 0)
                        return;
                proclog(PROC_WARNING,
                        "Cannot raise FD limit to %llu, limit is %llu. Connections beyond about %llu will be refused; "
                        "raise `ulimit -n` or lower maxconn.",
                        (unsigned long long)want, (unsigned long long)r.rlim_max, (unsigned long long)r.rlim_max / 2);
        }
        if (!want || want > r.rlim_max)
                want = r.rlim_max < FILES_MAX ? r.rlim_max : FILES_MAX;
        if (want > r.rlim_cur)
                r.rlim_cur = want;
        (void)setrlimit(RLIMIT_NOFILE, &r);
}
