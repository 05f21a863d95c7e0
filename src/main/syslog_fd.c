/* main/syslog_fd.c - see the header. */
#include "main/syslog_fd.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int syslog_fd(const char *path)
{
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        size_t n = strlen(path);
        int fd;

        if (n >= sizeof(un.sun_path))
                return -1;
        memcpy(un.sun_path, path, n);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
                return fd;
        if (fd >= 0)
                (void)close(fd);
        return -1;
}
