/* bench/proc.c - /proc/PID/task/TID/schedstat (run, wait, slices) and /proc/PID/smaps_rollup. */
#include "bench/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The start of a small file as a string. Length or -errno. */
static ssize_t slurp(int dir, const char *path, char *ret_buf, size_t cap)
{
        int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, ret_buf, cap - 1);
        if (n < 0)
                n = -errno;
        else
                ret_buf[n] = 0;
        (void)close(fd);
        return n;
}

enum field { RUN, WAIT };

static uint64_t task_ns(int dir, const char *tid, enum field f)
{
        char path[300], text[128], *end;
        uint64_t run;

        (void)snprintf(path, sizeof(path), "%s/schedstat", tid);
        if (slurp(dir, path, text, sizeof(text)) <= 0)
                return 0; /* the task ended meanwhile */
        run = strtoull(text, &end, 10);
        return f == RUN ? run : strtoull(end, NULL, 10);
}

static int sum_tasks(pid_t pid, enum field f, uint64_t *ret_ns)
{
        uint64_t sum = 0;
        struct dirent *d;
        char path[64];
        DIR *dir;

        (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
        dir = opendir(path);
        if (!dir)
                return errno == ENOENT ? -ESRCH : -errno;
        while ((d = readdir(dir)))
                if (d->d_name[0] != '.')
                        sum += task_ns(dirfd(dir), d->d_name, f);
        (void)closedir(dir);
        *ret_ns = sum;
        return 0;
}

int proc_cpu_ns(pid_t pid, uint64_t *ret_ns)
{
        return sum_tasks(pid, RUN, ret_ns);
}

int proc_wait_ns(pid_t pid, uint64_t *ret_ns)
{
        return sum_tasks(pid, WAIT, ret_ns);
}

int proc_rss(pid_t pid, uint64_t *ret_bytes)
{
        char path[64], text[1024];
        const char *rss;
        ssize_t n;

        (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
        n = slurp(AT_FDCWD, path, text, sizeof(text));
        if (n < 0)
                return n == -ENOENT ? -ESRCH : (int)n;
        rss = strstr(text, "Rss:");
        if (!rss)
                return -EPROTO;
        *ret_bytes = strtoull(rss + 4, NULL, 10) * 1024;
        return 0;
}
