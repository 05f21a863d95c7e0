/* main/pidfile.c - see the header. */
#include "main/pidfile.h"

#include "main/proclog.h"

#include "main/proclog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int pidfile_open(const char *path)
{
        struct stat st;
        int fd;

        /* A new file each time: who holds the old one open keeps reading the old pid, and a symbolic link is not followed. */
        if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
                return -EINVAL;
        (void)unlink(path);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
        return fd < 0 ? -errno : fd;
}

void pidfile_write(int fd, int pid)
{
        char text[16];
        int n;

        if (fd < 0)
                return;
        n = snprintf(text, sizeof(text), "%d\n", pid);
        if (write(fd, text, (size_t)n) != n)
                proclog(PROC_WARNING, "Cannot write the pid file (%s).", strerror(errno));
        (void)close(fd);
}

bool pidfile_take(const char *path)
{
        int fd = path ? pidfile_open(path) : -1;

        if (path && fd < 0) {
                proclog(PROC_ALERT, "[telamon.main()] Cannot create pidfile %s (%s)", path, strerror(-fd));
                return false;
        }
        if (path)
                pidfile_write(fd, (int)getpid());
        return true;
}
